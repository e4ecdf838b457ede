"""The headline of a sweep: the share of runs solved so far, as a large number and as a curve over the epochs."""

import numpy as np

from xortrain.films.canvas import Box, Canvas, text_width
from xortrain.films.data import Outcomes
from xortrain.films.epoch_axis import draw_epochs
from xortrain.films.loss_curve import Reveal
from xortrain.nets import Array

LARGEST, SMALLEST = 40, 15  # font sizes of the share
SHARES = (0, 25, 50, 75, 100)  # percent with a label, if there is room
WORDS = "runs solved"
TALL = 150  # units of height from which a quarter has one too


class SolvedShare:
    """The curve is pale from the epoch on screen on, its past in ink."""

    def __init__(self, canvas: Canvas, box: Box, outcomes: Outcomes, last: int) -> None:
        """``outcomes`` are those of all runs of the sweep; ``box`` has room for the number, the curve and its axes."""
        self.canvas, self.box, self.runs, self.last = canvas, box, outcomes.runs, max(last, 1)
        self.at = np.sort(outcomes.since[outcomes.outcome == "solved"])
        s = canvas.unit
        self.size = float(np.clip(min(0.3 * box.height, 0.07 * box.width) / s, SMALLEST, LARGEST))
        count = min(canvas.text_width(self._count(last), 10), 96 * s)
        widest = max(canvas.text_width("100 %", self.size, "bold"), canvas.text_width(WORDS, 11), count)
        left = round(box.x + widest + 18 * s) + text_width("100 %", s, 9)
        below = round(16 * s)
        self.plot = Box(left, box.y + round(5 * s), box.x + box.width - left, box.height - below - round(5 * s))
        self.points = self._points()
        self._draw_axes()
        self.reveal = Reveal(canvas, self.plot, self._draw_pale, self._draw_full)

    def solved(self, epoch: int) -> int:
        """The number of runs solved by an epoch."""
        return int(np.searchsorted(self.at, epoch, side="right"))

    def _count(self, epoch: int) -> str:
        return f"{self.solved(epoch):,} of {self.runs:,}"

    def _points(self) -> Array:
        """A step at each pixel at which more runs are solved: (points, 2)."""
        width = self.plot.width
        epochs = np.arange(width + 1) / width * self.last
        share = np.searchsorted(self.at, np.floor(epochs), side="right") / self.runs
        return self.plot.at(np.stack([np.arange(width + 1) / width, 1 - share], axis=1))

    def _draw_axes(self) -> None:
        canvas, box, s = self.canvas, self.plot, self.canvas.unit
        every = 1 if box.height >= TALL * s else 2 if box.height >= 26 * s else 4
        for share in SHARES[::every]:
            y = round(box.y + (1 - share / 100) * box.height) + 0.5
            canvas.line(np.array([[box.x, y], [box.x + box.width, y]]), canvas.colours.pale, 1)
            canvas.text(box.x - 5 * s, y + 3.3 * s, f"{share} %", 9, canvas.colours.label, align="right")
        draw_epochs(canvas, box, self.last, 9)

    def _draw_pale(self) -> None:
        self.canvas.line(self.points, self.canvas.colours.label, 1.6, opacity=0.5)

    def _draw_full(self) -> None:
        canvas, box = self.canvas, self.plot
        corners = box.at(np.array([[1.0, 1.0], [0.0, 1.0]]))
        canvas.area(np.concatenate([self.points, corners]), canvas.colours.ink, opacity=0.14)
        canvas.line(self.points, canvas.colours.ink, 2.4)

    def draw(self, epoch: int) -> None:
        """Uncover the curve up to an epoch, and write the share."""
        canvas, box, s, solved = self.canvas, self.box, self.canvas.unit, self.solved(epoch)
        self.reveal.uncover(epoch / self.last)
        now = self.plot.at(np.array([[epoch / self.last, 1 - solved / self.runs]]))
        canvas.marks(now, 0, 4, canvas.colours.ink, canvas.colours.paper, 1.4)
        lines = [(WORDS, 11), (self._count(epoch), 10)]
        lines = lines[: max(int((self.plot.height - self.size * s) / (14 * s)), 0)]
        y = self.plot.y + (self.plot.height + (0.75 * self.size - 14 * len(lines)) * s) / 2
        canvas.text(box.x, y, format_share(solved, self.runs), self.size, face="bold")
        for line, (words, size) in enumerate(lines):
            canvas.text(box.x, y + (15 + 14 * line) * s, words, size, canvas.colours.label)


def format_share(count: int, runs: int) -> str:
    """Percent, rounded; 0 % and 100 % only for none and for all."""
    whole = round(100 * count / runs)
    return ">99 %" if whole == 100 and count < runs else f"{whole} %" if whole or not count else "<1 %"
