"""How a network's outputs become bands of colour: one value between two targets, or the leading class.

A single output is shown as it is; for two classes, the lead of the second over the first, on the same scale; for three
or more, the leading class in shades of its value. If several outputs are not classes, only the first is shown.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from xortrain.films.colours import MOST_HUES, shade_count
from xortrain.films.data import FilmData
from xortrain.films.projection import format_digits
from xortrain.nets import Array

OFF_SCALE_BEYOND = 100
"""Values farther from the targets than this multiple of the targets' range are off the scale and get no colour."""

Leaders = tuple[Array, Array, Array]
"""The leading class (…) of outputs (outputs, …), its output, and the next largest one."""


@dataclass(frozen=True)
class Boundaries:
    """Fields that are zero on the boundaries between classes; at most one of them is above zero in any pixel."""

    above: Array
    """(height, width): in each pixel the number of the field that is above zero, from 1, or 0."""
    fields: Callable[[], Iterator[Array]]
    """One field (height, width) after the other; the next one may overwrite it."""
    at: Callable[[Array, Array], Array]
    """The field that leads in the first pixels (n,), in other pixels (n,), both as flat indices."""

    @classmethod
    def of(cls, value: Array) -> "Boundaries":
        """Those of a single field (height, width)."""
        return cls(value > 0, lambda: iter([value]), lambda here, at: value.take(at))


@dataclass(frozen=True)
class ColourScale:
    """How outputs (outputs, …) become bands of colour (…) and boundaries."""

    low: float
    high: float
    levels: int
    classes: int
    """How many classes there are: two for one output with two targets, 0 for real values."""
    one_hot: bool
    """Whether each output is a class of its own."""
    hides_outputs: bool
    """Whether there are outputs that are not shown."""
    crossed: str = "wrong"
    """What a cross on a mark means."""
    names: tuple[str, ...] = ()
    """Of two classes, if they have names."""
    ranges: tuple[tuple[float, float], ...] = ()
    """The low and the high target of each output, if they differ."""

    @property
    def ends(self) -> tuple[str, str]:
        """The low and the high target as text."""
        if len(self.names) == 2:
            return self.names[0], self.names[1]
        return format_digits(self.low), format_digits(self.high)

    @property
    def no_value(self) -> int:
        """The band of values that have no colour."""
        if self.classes < 3:
            return self.levels
        return min(self.classes, MOST_HUES) * shade_count(self.levels, self.classes)

    def value(self, y: Array) -> Array:
        """The value (…) shown of outputs (outputs, …), on the scale of the targets."""
        if not self.one_hot:
            return np.asarray(y[0])
        if self.classes == 2:
            return np.asarray((y[1] - y[0] + (self.low + self.high)) / 2)
        return np.asarray(y.max(0))

    def leaders(self, y: Array) -> Leaders | None:
        """What `bands` and `boundaries` both need of outputs (outputs, …) for three or more classes."""
        return leaders(y) if self.classes > 2 else None

    def bands(self, y: Array, led: Leaders | None = None) -> Array:
        """The bands (…) uint8 of outputs (outputs, …)."""
        if self.classes < 3:
            return band_of(self.value(y), self.low, self.high, self.levels)
        count = shade_count(self.levels, self.classes)
        leading, first, _ = led or leaders(y)
        shade = band_of(first, self.low + (self.high - self.low) / self.classes, self.high, count)
        hue = (leading % MOST_HUES).astype(np.uint8)
        return np.where(shade == count, np.uint8(self.no_value), hue * np.uint8(count) + shade)

    def output_bands(self, output: int, y: Array) -> Array:
        """The bands (…) uint8 of one output y (…), in the colours of its class if it has one."""
        if self.classes < 3:
            low, high = self.ranges[output] if self.ranges else (self.low, self.high)
            bands = band_of(y, low, high, self.levels)
            is_first_class = self.one_hot and output == 0
            return np.where(bands < self.levels, np.uint8(self.levels - 1) - bands, bands) if is_first_class else bands
        count = shade_count(self.levels, self.classes)
        shade = band_of(y, self.low, self.high, count)
        return np.where(shade == count, np.uint8(self.no_value), shade + np.uint8(output % MOST_HUES * count))

    def is_off_scale(self, y: Array) -> bool:
        """Whether some outputs (examples, outputs) have no colour."""
        return bool((self.bands(y.T.astype(float)) == self.no_value).any())

    def boundaries(self, y: Array, led: Leaders | None) -> Boundaries | None:
        """Those between the classes of outputs (outputs, height, width) with their leaders; None for real values."""
        if led is None:
            return Boundaries.of(self.value(y) - (self.low + self.high) / 2) if self.classes else None
        leading, first, second = led
        above, fields = (leading + 1) * (first > second), partial(_leads, y, leading, first, first - second)
        return Boundaries(above, fields, partial(_lead, y.reshape(len(y), -1), leading, first, second))

    def leading_class(self, y: Array) -> Array:
        """The class (…) that outputs (outputs, …) stand for."""
        return np.asarray(y.argmax(0) if self.classes > 2 else self.value(y) > (self.low + self.high) / 2)

    def target_classes(self, t: Array) -> Array:
        """The class (examples,) of targets (examples, outputs), counted from 0; all 0 for real values."""
        if self.one_hot:
            return np.asarray(t.argmax(1))
        if self.classes == 2:
            return np.asarray((t[:, 0] > (self.low + self.high) / 2).astype(int))
        return np.zeros(len(t), int)


def leaders(y: Array) -> Leaders:
    """The leaders of outputs (outputs, …); much faster than argmax."""
    first, second, leading = y[0].copy(), np.full_like(y[0], -np.inf), np.zeros(y[0].shape, np.min_scalar_type(len(y)))
    lower = np.empty_like(first)
    for kind, value in enumerate(y[1:], 1):
        np.maximum(second, np.minimum(first, value, out=lower), out=second)
        np.copyto(leading, kind, where=value > first)
        np.maximum(first, value, out=first)
    return leading, first, second


def _leads(y: Array, leading: Array, first: Array, lead: Array) -> Iterator[Array]:
    """By how much each class that leads somewhere leads over the others: negative where another one leads."""
    field = np.empty_like(first)
    for kind, value in enumerate(y):
        here = leading == kind
        if here.any():
            np.subtract(value, first, out=field)
            np.copyto(field, lead, where=here)
            yield field


def _lead(y: Array, leading: Array, first: Array, second: Array, here: Array, at: Array) -> Array:
    """By how much the class that leads in pixels ``here`` leads in pixels ``at``, (n,) flat indices both."""
    kind = leading.take(here)
    return np.asarray(y[kind, at] - np.where(leading.take(at) == kind, second.take(at), first.take(at)))


def colour_scale(data: FilmData, levels: int) -> ColourScale:
    """The scale that fits the targets of these runs, with ``levels`` bands."""
    t = np.moveaxis(data.t, 1, 0).reshape(data.network.outputs, -1)
    binary = bool(np.isin(t, (data.low, data.high)).all()) and data.low != data.high
    one_hot = binary and len(t) > 1 and bool(((t == data.high).sum(0) == 1).all())
    classes, ranges = len(t) if one_hot else 2 if binary else 0, data.target_ranges
    return ColourScale(
        *ranges[0], levels, classes, one_hot, len(t) > 1 and not one_hot, _cross_meaning(data, classes, one_hot),
        tuple(data.class_names) if classes == 2 else (), tuple(ranges) if len(set(ranges)) > 1 else (),
    )  # fmt: skip


def _cross_meaning(data: FilmData, classes: int, one_hot: bool) -> str:
    """What a cross on a mark means: a wrong class, or a right one that is not near enough to its target."""
    t, span = data.examples(0)[1], data.high - data.low
    barely = (data.low + data.high) / 2 * 0.98 + 0.02 * t
    if not classes:
        return "one is wrong" if t.shape[1] > 1 else "wrong"
    if classes == 2 and one_hot and data.network.layers[-1].activation == "softmax":
        return "wrong"
    if not data.right(barely, t).all():
        return "not near enough"
    return "not past the midpoint" if one_hot and not data.right(barely - 0.1 * span, t).all() else "wrong"


def band_of(value: Array, low: float, high: float, count: int) -> Array:
    """Which of ``count`` equal bands from low to high contains each value: (…) uint8.

    Values beyond an end get the band at that end; NaN and values off the scale get ``count``.
    """
    factor = count / ((high - low) or 1)
    scaled = (value - low) * factor if low else value * factor
    if value.min() >= low and value.max() <= high:
        bands = np.asarray(scaled.astype(np.uint8))
        bands -= (bands == count).view(np.uint8)  # the high end itself; np.minimum takes five times as long
        return bands
    bands = np.fmin(np.fmax(scaled, 0), count - 0.5).astype(np.uint8)
    bands[~(np.abs(scaled) <= OFF_SCALE_BEYOND * count)] = count  # true for NaN too
    return np.asarray(bands)
