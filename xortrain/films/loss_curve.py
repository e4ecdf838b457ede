"""The loss over the epochs, the whole curve pale, its past in ink; and what all plots over epochs have in common."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from xortrain.films.canvas import Box, Canvas
from xortrain.films.data import Frame
from xortrain.films.event_marks import EventMarks
from xortrain.films.panel import Panel, PanelContext
from xortrain.films.projection import even_ticks
from xortrain.nets import Array

LEAST_RATIO = 20  # of the largest loss to the smallest, for a logarithmic scale


class LossCurve(Panel):
    """The curve of one run in a box, that of its held-out examples beside it, and what happens along them."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context)
        run, data, box = context.run_frames, context.run_frames.data, context.box
        self.clip = Box(box.x - 2, box.y - 2, box.width + 4, box.height + 4)
        self.epochs = np.asarray(data.loss_epochs, float)
        losses = np.asarray(data.losses[:, run.run], float)
        held = np.asarray(data.held.losses[:, run.run], float) if data.held else np.zeros(0)
        self.loss_scale = LossScale(np.concatenate([losses, held]))
        self.last = max(float(self.epochs[-1]), 1.0)
        self.points = self._points(losses)
        self.held = self._points(held)[np.isfinite(held)] if len(held) else np.zeros((0, 2))
        self.columns, self.extremes = np.floor(self.points[:, 0]), column_extremes(self.points)
        self.marks = EventMarks(self.canvas, box, data.events, self.last, self.points)

    def _points(self, losses: Array) -> Array:
        return self.box.at(np.stack([self.epochs / self.last, self.loss_scale.fraction(losses)], axis=-1))

    def still(self) -> None:
        canvas, box, s, label = self.canvas, self.box, self.canvas.unit, self.canvas.colours.label
        draw_axes(canvas, box, apart(self.loss_scale.ticks(), 12 * s / box.height))
        low = box.y + box.height + 12 * s
        canvas.text(box.x, low, "0", 10, label, align="centre")
        if self.epochs[-1]:  # without training the axis has one epoch, 0
            canvas.text(box.x + box.width, low, f"{self.last:.0f}", 10, label, align="right")
        canvas.text(box.x - 4 * s, box.y - 5 * s, "loss", 10, label, align="right")
        canvas.line(self.points[self.extremes], canvas.colours.pale, 2, clip=self.clip)
        if len(self.held):
            canvas.line(self.held[column_extremes(self.held)], canvas.colours.pale, 1.2, (3, 2), self.clip)

    def draw(self, frame: Frame) -> None:
        canvas, box = self.canvas, self.box
        self.marks.draw(frame.epoch)
        if len(self.held):
            self._draw_held(frame)
        passed = self._passed(int(np.searchsorted(self.epochs, frame.epoch, side="right")))
        finite = passed[np.isfinite(passed).all(1)]
        if len(finite):
            canvas.line(passed, canvas.colours.ink, 2, clip=self.clip, grows=True)
            now = np.clip(finite[-1:], (0, box.y), (canvas.width, box.y + box.height))
            canvas.marks(now, 0, 4, canvas.colours.ink, canvas.colours.paper, 1.4)

    def _draw_held(self, frame: Frame) -> None:
        """The curve of the held-out examples up to now, with its name at the end of it."""
        canvas, box, s = self.canvas, self.box, self.canvas.unit
        passed = self.held[self.held[:, 0] <= box.x + frame.epoch / self.last * box.width + 1e-6]
        if not len(passed):
            return
        canvas.line(passed[column_extremes(passed)], canvas.colours.label, 1.4, (3, 2), self.clip)
        width, (x, y) = canvas.text_width("held-out", 9), passed[-1]
        left = x + 6 * s if x + 6 * s + width < box.x + box.width else x - width - 6 * s
        canvas.text(left, max(y - 4 * s, box.y + 9 * s), "held-out", 9, canvas.colours.label, halo=canvas.colours.paper)

    def _passed(self, until: int) -> Array:
        """The points of the curve so far, with all points of the last pixel column, so that the past never changes."""
        begun = int(np.searchsorted(self.columns[:until], self.columns[until - 1]))
        return np.concatenate([self.points[:begun][self.extremes[:begun]], self.points[begun:until]])


class LossScale:
    """Losses as fractions of a height, 0 at the top; logarithmic where the largest and the smallest differ much."""

    def __init__(self, losses: Array) -> None:
        """``losses`` are (recorded,) or (recorded, runs), from the start on; curves may leave the plot far from it."""
        finite, starts = losses[np.isfinite(losses)], np.extract(np.isfinite(losses[0]), losses[0])
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        self.log = low > 0 and high > LEAST_RATIO * low
        if self.log:
            high = min(high, 1e4 * float(starts.max(initial=0) or high))  # a run that diverges leaves the plot
            low = max(low, 1e-12 * float(starts.min(initial=high)))
            self.low, self.high = np.log10(low), max(np.log10(high), np.log10(low) + 0.1)
        else:
            self.low, self.high = min(low, 0.0), high if high > low else low + 1

    def fraction(self, losses: Array) -> Array:
        with np.errstate(all="ignore"):
            value = np.log10(np.maximum(losses, np.finfo(float).tiny)) if self.log else losses
        return np.asarray(0.04 + 0.92 * (self.high - value) / (self.high - self.low))

    def ticks(self) -> list[tuple[float, str]]:
        """The fractions of round losses with their labels."""
        found = round_losses(self.low, self.high, self.log)
        return [(float(self.fraction(np.array(value))), word) for value, word in found]


def round_losses(low: float, high: float, log: bool) -> list[tuple[float, str]]:
    """Round losses from low to high, logarithms if ``log``, each with its label; "" between the labelled ones."""
    if not log:
        return linear_ticks(low, high)
    powers = np.arange(np.floor(low), np.ceil(high) + 1)
    each = [(float(digit * 10**power), int(power), digit) for power in powers for digit in range(1, 10)]
    inside = [one for one in each if low <= np.log10(one[0]) + 1e-9 <= high + 2e-9]
    if high - low < 3:
        digits = (1, 2, 5) if high - low < 1.53 else (1, 3)
        return [(value, _times_power(digit, power) if digit in digits else "") for value, power, digit in inside]
    whole = [(value, power) for value, power, digit in inside if digit == 1]
    step = -(-len(whole) // 5) if len(whole) <= 25 else -(-len(whole) // 50) * 10
    labels = {value: power_of_ten(power) for value, power in whole if power % step == 0}
    most = 9 if step == 1 else 1 if step <= 5 else 0  # digits of each power that have a tick without a label
    return [(value, labels.get(value, "")) for value, _, digit in inside if digit <= most or value in labels]


def apart(ticks: Sequence[tuple[float, str]], least: float) -> list[tuple[float, str]]:
    """The ticks with only those labels that are at least a fraction ``least`` of the height apart."""
    kept, shown = list[tuple[float, str]](), -1.0
    for fraction, word in sorted(ticks):
        is_shown = bool(word) and (shown < 0 or fraction - shown >= least)
        shown = fraction if is_shown else shown
        kept.append((fraction, word if is_shown else ""))
    return kept


def linear_ticks(low: float, high: float) -> list[tuple[float, str]]:
    return [(value, format_tick(value)) for value in even_ticks(low, high).tolist()]


def format_tick(value: float) -> str:
    """A round number in a few characters, as in 0.02, 300 or 2·10⁵."""
    if value and not 1e-4 <= abs(value) < 1e5:
        digits, power = f"{value:.1e}".split("e")
        return f"{float(digits):g}·{power_of_ten(int(power))}".removeprefix("1·").replace("-1·", "-")
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}"


def _times_power(digit: int, power: int) -> str:
    """0.02, or 2·10⁻⁴ where that is shorter."""
    if -4 < power < 5:
        return format_tick(digit * 10.0**power)
    return power_of_ten(power) if digit == 1 else f"{digit}·{power_of_ten(power)}"


def power_of_ten(power: int) -> str:
    return {0: "1", 1: "10"}.get(power) or "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def column_extremes(points: Array) -> Array:
    """Which points (n, 2) a line needs to look the same: first, last, highest and lowest in each column of pixels."""
    column, height = np.floor(points[:, 0]), points[:, 1]
    starts = np.flatnonzero(np.r_[True, np.diff(column) != 0])
    needed = np.zeros(len(points), bool)
    needed[starts] = needed[np.r_[starts[1:] - 1, len(points) - 1]] = True
    for value in (height, -height):  # lexsort puts NaN last
        needed[np.lexsort((value, column))[starts]] = True
    return needed


def draw_axes(canvas: Canvas, box: Box, ticks: Sequence[tuple[float, str]] = ()) -> None:
    """Draw the left and the lower edge of a box, and ticks: fraction of the height and label, "" for a short tick."""
    s, pale = canvas.unit, canvas.colours.pale
    canvas.line(box.at(np.array([[0, 0], [0, 1], [1, 1]])), pale, 1)
    for fraction, word in ticks:
        y, out = round(box.y + fraction * box.height) + 0.5, 4 if word else 2
        canvas.line(np.array([[box.x - out * s, y], [box.x, y]]), pale, 1)
        canvas.text(box.x - 6 * s, y + 3.5 * s, word, 10, canvas.colours.label, align="right")


def spread_labels(heights: list[float], step: float, box: Box) -> list[float]:
    """Heights of labels moved at least ``step`` apart, in their order; of two equal heights, the later is above."""
    order = np.lexsort((-np.arange(len(heights)), np.array(heights)))
    placed = np.array(heights, float)
    for above, below in pairwise(order):
        placed[below] = max(placed[below], placed[above] + step)
    placed = np.minimum(placed, box.y + box.height)
    for below, above in pairwise(order[::-1]):
        placed[above] = min(placed[above], placed[below] - step)
    return list(placed)


class Reveal:
    """A pale and a full version of a plot, drawn once; each frame has the columns of the full one up to the epoch."""

    def __init__(self, canvas: Canvas, box: Box, pale: Callable[[], None], full: Callable[[], None]) -> None:
        self.canvas, self.box, self._around = canvas, box, Box(box.x, box.y - 3, box.width + 3, box.height + 6)
        canvas.set_background()
        pale()
        self._pale = canvas.cut(self._around)
        canvas.put(self._pale, self._around)
        full()
        self._full = canvas.cut(self._around)

    def uncover(self, fraction: float) -> None:
        """Paste the full version up to a fraction of the width, the pale one beyond."""
        width = round(fraction * self.box.width) + 1 if fraction < 1 else self._around.width
        self.canvas.put(self._pale, self._around)
        self.canvas.put(self._full, replace(self._around, width=width))
