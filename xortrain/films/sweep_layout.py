"""All runs of a sweep as small multiples in lock-step: each marked when it is solved, stuck or has diverged.

Below them runs the share of solved runs over the epochs.
"""

import numpy as np

from xortrain.films.canvas import Canvas
from xortrain.films.cells import Cells, Inks
from xortrain.films.data import FilmData
from xortrain.films.film_settings import FilmSettings
from xortrain.films.glyphs import SHAPES, Box
from xortrain.films.lockstep import Lockstep, Outcomes
from xortrain.films.margins import Margins
from xortrain.films.status_marks import StatusMarks
from xortrain.nets import Array


class SweepLayout:
    """One cell a run, at most 400; the film goes by epochs common to all."""

    def __init__(self, shown: FilmData | Lockstep, settings: FilmSettings, run: int) -> None:
        self.shown = Lockstep.of(shown)
        self.chosen, inks = self.shown.choose(settings), Inks(self.shown, settings)
        self.margins = m = Margins(self.shown, settings.size)
        self.cells, self.runs = m.cells, m.cells.shown
        self.canvas = Canvas(m.width, m.height, m.scale, inks.palette)
        self.boxes = [m.box(*place) for place in np.argwhere(self.cells.runs >= 0).tolist()]
        self.picture_of = Cells(self.canvas, self.boxes, self.shown, self.runs, inks)
        self.marks = StatusMarks(self.canvas, self.boxes, self.shown.ends.some(self.runs))
        self._still()

    def _still(self) -> None:
        canvas, m, s = self.canvas, self.margins, self.canvas.scale
        for line, words in enumerate(m.title):
            canvas.text(m.edge, (20 + 16 * line) * s, words, 12, face="bold")
        m.counts.still(canvas, m.edge, m.counted)
        last = int(self.shown.epochs[-1])
        self.number = canvas.width - m.edge - canvas.text_width(str(last), 12, "bold")
        canvas.text(self.number - 5 * s, m.counted, "epoch", 11, canvas.colours.label, align="right")
        m.label(canvas)
        if m.has_course:
            self.solved = Solved(canvas, m.course, self.shown.all, last)
        canvas.keep()

    def frame(self, number: int) -> Array:
        epoch, canvas = int(self.shown.epochs[number]), self.canvas
        self.marks.paste(epoch, blank=self.picture_of.paste(number))
        canvas.text(canvas.width - self.margins.edge, self.margins.counted, str(epoch), 12, face="bold", align="right")
        self.margins.counts.draw(epoch)
        if self.margins.has_course:
            self.solved.draw(epoch)
        return canvas.finish()


class Solved:
    """The share of runs solved over the epochs: the whole course pale, what has passed in ink."""

    def __init__(self, canvas: Canvas, box: Box, ends: Outcomes, last: int) -> None:
        self.canvas, self.box, self.last = canvas, box, max(last, 1)
        at = np.sort(ends.solved_at[ends.solved_at >= 0])
        self.epochs = np.unique(np.linspace(0, self.last, 2 * box.width).astype(int))
        self.share = 1 - np.searchsorted(at, self.epochs, side="right") / ends.runs
        s, low = canvas.scale, box.y + box.height
        canvas.line(box.at(np.array([[0.0, 1.0], [1.0, 1.0]])), canvas.colours.pale)
        canvas.line(self._course(self.last), canvas.colours.pale, 2)
        end = percent(int(np.searchsorted(at, self.last, side="right")), ends.runs)
        height = box.y + self.share[-1] * box.height + 3.3 * s
        canvas.text(box.x + box.width + 7 * s, height, end, 9, canvas.colours.label)
        canvas.text(box.x, low + 12 * s, "solved runs over epochs", 9, canvas.colours.label)
        canvas.text(box.x + box.width, low + 12 * s, str(last), 9, canvas.colours.label, align="right")

    def _course(self, epoch: int) -> Array:
        until = max(int(np.searchsorted(self.epochs, epoch, side="right")), 1)
        epochs, share = np.append(self.epochs[:until], epoch), np.append(self.share[:until], self.share[until - 1])
        return self.box.at(np.stack([epochs / self.last, share], axis=1))

    def draw(self, epoch: int) -> None:
        course = self._course(epoch)
        self.canvas.line(course, self.canvas.colours.ink, 2)
        self.canvas.marks(course[-1:], SHAPES[0], 3.5, self.canvas.colours.ink, self.canvas.colours.paper, 1.2)


def percent(count: int, runs: int) -> str:
    """A share that is never said to be nothing or all if it is not."""
    whole = 100 * count // runs
    return f"{whole} %" if whole or not count else "<1 %"
