"""The loss over the epochs: the whole curve pale, what has passed in ink, a dot for now."""

from collections.abc import Callable

import numpy as np

from xortrain.films.canvas import Canvas
from xortrain.films.frames import Frame, RunFrames
from xortrain.films.glyphs import SHAPES, Box
from xortrain.films.projection import round_steps
from xortrain.nets import Array

WIDE = 20
"""From this ratio of the greatest loss to the least, the scale is logarithmic."""

SAID_OTHERWISE = ("solved", "diverged", "pending")
"""Outcomes that have a place of their own in the picture, or are none."""


class LossCurve:
    """The curve of one run in a box."""

    def __init__(self, canvas: Canvas, box: Box, course: RunFrames) -> None:
        self.canvas, self.box = canvas, box
        self.room = Box(box.x - 2, box.y - 2, box.width + 4, box.height + 4)
        subject, run = course.subject, course.run
        self.epochs = np.asarray(subject.loss_epochs, float)
        losses = np.asarray(subject.losses[:, run], float)
        self.scale = Scale(losses)
        self.last = max(float(self.epochs[-1]), 1.0)
        self.points = self._place(self.epochs, losses)
        self.columns, self.told = np.floor(self.points[:, 0]), telling(self.points)
        self.solved, self.diverged = course.solved_at, course.diverged_at
        self.outcome = subject.outcome[run]

    def _place(self, epochs: Array, losses: Array) -> Array:
        return self.box.at(np.stack([epochs / self.last, self.scale.share(losses)], axis=-1))

    def still(self) -> None:
        canvas, box, s = self.canvas, self.box, self.canvas.scale
        axis_lines(canvas, box)
        self.scale.label(canvas, box)
        low = box.y + box.height + 12 * s
        canvas.text(box.x, low, "0", 10, canvas.colours.label, align="centre")
        canvas.text(box.x + box.width, low, f"{self.last:.0f}", 10, canvas.colours.label, align="right")
        canvas.line(self.points[self.told], canvas.colours.pale, 2, within=self.room)

    def _since(self) -> None:
        """From which epoch on all examples are right."""
        canvas, box, s = self.canvas, self.box, self.canvas.scale
        x, low = box.x + self.solved / self.last * box.width, box.y + box.height
        canvas.line(np.array([[x, low - 5 * s], [x, low + 3 * s]]), canvas.colours.ink, 1.2)
        self._clear(f"all right since {self.solved}", 9, "", canvas.colours.label)

    def _clear(self, words: str, size: float, face: str = "bold", colour: Array | None = None) -> None:
        """Words on the right above the curve, else below it, else farther left; with a halo where there is no room."""
        canvas, box, s = self.canvas, self.box, self.canvas.scale
        wide, high, least = canvas.text_width(words, size, face), (size + 3) * s, box.y + box.height
        places = []
        for right in np.arange(box.x + box.width, box.x + wide - 1, -wide / 4 - 1):
            top, bottom = self._between(right - wide - 5 * s, right + 5 * s)
            places += [(top - box.y - high, right, box.y + 8 * s), (least - bottom - high, right, least - 6 * s)]
        room, x, y = next((place for place in places if place[0] >= 0), max(places))
        halo = None if room >= 0 else canvas.colours.paper
        canvas.text(x, y, words, size, colour, face, "right", halo=halo)

    def _between(self, left: float, right: float) -> tuple[float, float]:
        """How high and how low the curve with its dot gets from left to right, in pixels from above."""
        box, radius = self.box, 5 * self.canvas.scale
        first, last = np.searchsorted(self.points[:, 0], [left, right])
        heights = self.points[max(first - 1, 0) : last + 1, 1]
        heights = np.clip(heights[~np.isnan(heights)], box.y, box.y + box.height)
        return heights.min(initial=box.y + box.height) - radius, heights.max(initial=box.y) + radius

    def _passed(self, until: int) -> Array:
        """The points that tell the curve so far: of the column of pixels that has been reached all of them."""
        begun = int(np.searchsorted(self.columns[:until], self.columns[until - 1]))
        return np.concatenate([self.points[:begun][self.told[:begun]], self.points[begun:until]])

    def paste(self, moment: Frame) -> None:
        """Nothing is pasted."""

    def draw(self, moment: Frame) -> None:
        until = int(np.searchsorted(self.epochs, moment.epoch, side="right"))
        passed = self._passed(until)
        alive = passed[np.isfinite(passed).all(1)]
        if len(alive):
            self.canvas.line(passed, self.canvas.colours.ink, 2, within=self.room, grows=True)
            now = np.clip(alive[-1:], (0, self.box.y), (self.canvas.width, self.box.y + self.box.height))
            self.canvas.marks(now, SHAPES[0], 4, self.canvas.colours.ink, self.canvas.colours.paper, 1.4)
        if 0 < self.solved <= moment.epoch:
            self._since()
        elif moment.epoch >= self.last and self.outcome not in SAID_OTHERWISE:
            self._clear("still training" if self.outcome == "training" else self.outcome, 10)
        if moment.diverged:
            end = alive[-1] if len(alive) else self.box.at(np.array([0, 0.5]))
            x = min(end[0] + 8 * self.canvas.scale, self.box.x + self.box.width - 60 * self.canvas.scale)
            self.canvas.text(x, max(end[1], self.box.y + 14 * self.canvas.scale), "diverged", 10, face="bold")


class Scale:
    """Losses as shares of a height, 0 above; logarithmic where they span much."""

    def __init__(self, losses: Array) -> None:
        """``losses`` are (recorded,) or (recorded, runs)."""
        finite = losses[np.isfinite(losses)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        self.log = low > 0 and high > WIDE * low
        if self.log:
            high = min(high, 1e4 * float(np.median(losses[0])))  # a run that diverges leaves above
            low = max(min(low, high), high * 1e-12)
            self.low, self.high = np.log10(low), max(np.log10(high), np.log10(low) + 0.1)
        else:
            self.low, self.high = min(low, 0.0), high if high > low else low + 1

    def share(self, losses: Array) -> Array:
        with np.errstate(all="ignore"):
            value = np.log10(np.maximum(losses, 10**self.low)) if self.log else losses
        return np.asarray(0.04 + 0.92 * (self.high - value) / (self.high - self.low))

    def label(self, canvas: Canvas, box: Box) -> None:
        """Values beside the left edge; lines without a word between them where the scale is logarithmic."""
        for value, word in self._marks():
            tick(canvas, box, float(self.share(np.array(value))), word)

    def _marks(self) -> list[tuple[float, str]]:
        """Round numbers, and what is written beside them: of powers of ten, if there are few, of multiples as well."""
        if not self.log:
            return [(value, plain(value)) for value in round_steps(self.low, self.high)]
        tens = np.arange(np.floor(self.low), np.ceil(self.high) + 1)
        each = [(float(digit * 10**ten), int(ten), digit) for ten in tens for digit in range(1, 10)]
        inside = [one for one in each if self.low <= np.log10(one[0]) + 1e-9 <= self.high + 2e-9]
        if self.high - self.low < 3:
            named = (1, 2, 5) if self.high - self.low < 1.53 else (1, 3)
            return [(value, times_ten(digit, ten) if digit in named else "") for value, ten, digit in inside]
        powers = [ten for _, ten, digit in inside if digit == 1]
        step = -(-len(powers) // 5)
        said = powers[::step]
        return [
            (value, power_of_ten(ten) if digit == 1 and ten in said else "")
            for value, ten, digit in inside
            if digit == 1 or step == 1
        ]


def plain(value: float) -> str:
    """A round number in a few letters."""
    if value and not 1e-4 <= abs(value) < 1e5:
        digits, power = f"{value:.1e}".split("e")
        return f"{float(digits):g}·{power_of_ten(int(power))}".removeprefix("1·").replace("-1·", "-")
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}"


def times_ten(digit: int, power: int) -> str:
    """As 0.02, or as 2·10⁻⁴ where that is shorter."""
    if -4 < power < 5:
        return plain(digit * 10.0**power)
    return power_of_ten(power) if digit == 1 else f"{digit}·{power_of_ten(power)}"


def power_of_ten(power: int) -> str:
    return {0: "1", 1: "10"}.get(power) or "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def telling(points: Array) -> Array:
    """Which of points (n, 2) from left to right a line has to go through to look the same: (n,) bool.

    In each column of pixels these are the first and the last, the highest and the lowest.
    """
    column, height = np.floor(points[:, 0]), points[:, 1]
    starts = np.flatnonzero(np.r_[True, np.diff(column) != 0])
    told = np.zeros(len(points), bool)
    told[starts] = told[np.r_[starts[1:] - 1, len(points) - 1]] = True
    for value in (height, -height):  # what is no number stands behind the others
        told[np.lexsort((value, column))[starts]] = True
    return told


def tick(canvas: Canvas, box: Box, share: float, word: str) -> None:
    """A line beside the left edge of a box at a share of its height, and its word; a short one without."""
    s, y, out = canvas.scale, round(box.y + share * box.height) + 0.5, 4 if word else 2
    canvas.line(np.array([[box.x - out * s, y], [box.x, y]]), canvas.colours.pale, 1)
    canvas.text(box.x - 6 * s, y + 3.5 * s, word, 10, canvas.colours.label, align="right")


def axis_lines(canvas: Canvas, box: Box) -> None:
    """The left and the lower edge of a box."""
    corner = [[box.x, box.y], [box.x, box.y + box.height], [box.x + box.width, box.y + box.height]]
    canvas.line(np.array(corner), canvas.colours.pale, 1)


class Reveal:
    """Both versions are drawn once; a picture takes its columns from the one or the other."""

    def __init__(self, canvas: Canvas, box: Box, pale: Callable[[], None], full: Callable[[], None]) -> None:
        self.canvas, self.box, self._room = canvas, box, Box(box.x, box.y - 3, box.width + 3, box.height + 6)
        pale()
        canvas.keep()
        self._pale = canvas.finish()[self._room.pixels]
        full()
        self._full = canvas.finish()[self._room.pixels]

    def uncover(self, share: float) -> None:
        """Show so much of the full version."""
        part, columns = self._pale.copy(), round(share * self.box.width) + 1
        part[:, :columns] = self._full[:, :columns]
        self.canvas.paste(self._room, part)
