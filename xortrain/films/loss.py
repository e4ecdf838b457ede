"""The loss over the epochs: the whole curve pale, what has passed in ink, a dot for now."""

import numpy as np

from xortrain.films.moments import Course, Moment
from xortrain.films.shapes import SHAPES, Box
from xortrain.films.sheet import Sheet
from xortrain.nets import Array

WIDE = 20
"""From this ratio of the greatest loss to the least, the scale is logarithmic."""

SAID_OTHERWISE = ("solved", "diverged", "pending")
"""Outcomes that have a place of their own in the picture, or are none."""


class LossCurve:
    """The curve of one run in a box."""

    def __init__(self, sheet: Sheet, box: Box, course: Course) -> None:
        self.sheet, self.box = sheet, box
        self.room = Box(box.x - 2, box.y - 2, box.width + 4, box.height + 4)
        subject, run = course.subject, course.run
        self.epochs = np.asarray(subject.loss_epochs, float)
        losses = np.asarray(subject.losses[:, run], float)
        self.scale = Scale(losses)
        self.last = max(float(self.epochs[-1]), 1.0)
        self.points = self._place(self.epochs, losses)
        self.solved, self.diverged = course.solved_at, course.diverged_at
        self.outcome = subject.outcome[run]

    def _place(self, epochs: Array, losses: Array) -> Array:
        return self.box.at(np.stack([epochs / self.last, self.scale.share(losses)], axis=-1))

    def still(self) -> None:
        sheet, box, s = self.sheet, self.box, self.sheet.scale
        frame(sheet, box)
        self.scale.label(sheet, box)
        low = box.y + box.height + 12 * s
        sheet.text(box.x, low, "0", 10, sheet.colours.label, align="centre")
        sheet.text(box.x + box.width, low, f"{self.last:.0f}", 10, sheet.colours.label, align="right")
        sheet.line(thinned(self.points, box.width), sheet.colours.pale, 2, within=self.room)

    def _since(self) -> None:
        """From which epoch on all examples are right."""
        sheet, box, s = self.sheet, self.box, self.sheet.scale
        x, low = box.x + self.solved / self.last * box.width, box.y + box.height
        sheet.line(np.array([[x, low - 5 * s], [x, low + 3 * s]]), sheet.colours.ink, 1.2)
        right = box.x + box.width
        sheet.text(right, box.y + 8 * s, f"all right since {self.solved}", 9, sheet.colours.label, align="right")

    def _ended(self, end: Array) -> None:
        """What the run came to, above its curve or below it."""
        box, s = self.box, self.sheet.scale
        y = box.y + 8 * s if end[1] > box.y + 22 * s else end[1] + 16 * s
        self.sheet.text(box.x + box.width, y, self.outcome, 10, face="bold", align="right")

    def paste(self, moment: Moment) -> None:
        """Nothing is pasted."""

    def draw(self, moment: Moment) -> None:
        until = int(np.searchsorted(self.epochs, moment.epoch, side="right"))
        passed = self.points[:until]
        alive = passed[np.isfinite(passed).all(1)]
        if len(alive):
            self.sheet.line(thinned(passed, self.box.width), self.sheet.colours.ink, 2, within=self.room)
            now = np.clip(alive[-1:], (0, self.box.y), (self.sheet.width, self.box.y + self.box.height))
            self.sheet.marks(now, SHAPES[0], 4, self.sheet.colours.ink, self.sheet.colours.paper, 1.4)
        if 0 < self.solved <= moment.epoch:
            self._since()
        elif moment.epoch >= self.last and self.outcome not in SAID_OTHERWISE:
            self._ended(passed[-1])
        if moment.diverged:
            end = alive[-1] if len(alive) else self.box.at(np.array([0, 0.5]))
            x = min(end[0] + 8 * self.sheet.scale, self.box.x + self.box.width - 60 * self.sheet.scale)
            self.sheet.text(x, max(end[1], self.box.y + 14 * self.sheet.scale), "diverged", 10, face="bold")


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

    def label(self, sheet: Sheet, box: Box) -> None:
        """Values beside the left edge: powers of ten, or the ends."""
        s = sheet.scale
        for value, word in self._marks():
            y = box.y + float(self.share(np.array(value))) * box.height
            sheet.line(np.array([[box.x - 3 * s, y], [box.x, y]]), sheet.colours.pale, 1)
            sheet.text(box.x - 5 * s, y + 3.5 * s, word, 10, sheet.colours.label, align="right")

    def _marks(self) -> list[tuple[float, str]]:
        first, last = int(np.ceil(self.low - 1e-9)), int(np.floor(self.high + 1e-9))
        if not self.log or last - first < 1:
            ends = (10**self.low, 10**self.high) if self.log else (self.low, self.high)
            return [(value, f"{value:.0f}" if 100 <= value < 1e5 else f"{value:.2g}") for value in ends]
        step = -(-(last - first + 1) // 4)
        return [(10.0**power, power_of_ten(power)) for power in range(first, last + 1, step)]


def power_of_ten(power: int) -> str:
    return {0: "1", 1: "10"}.get(power) or "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def thinned(points: Array, pixels: int) -> Array:
    """About four points a pixel at most."""
    step = max(1, len(points) // (4 * pixels))
    return points if step == 1 else np.concatenate([points[::step], points[-1:]])


def frame(sheet: Sheet, box: Box) -> None:
    """The left and the lower edge of a box."""
    corner = [[box.x, box.y], [box.x, box.y + box.height], [box.x + box.width, box.y + box.height]]
    sheet.line(np.array(corner), sheet.colours.pale, 1)
