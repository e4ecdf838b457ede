"""Which part of the input space a film shows, and where in it the examples are.

Two inputs are shown as they are; one input as a curve of the output. With more inputs, each combination of the other
inputs' values has its own slice, in rows and columns if all combinations occur; if there are too many combinations,
the plane of the two principal axes is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xortrain.nets import Array

MOST_SLICES = 16
MOST_STRETCHED = 3
"""The largest ratio of the ranges of two axes that are drawn at one scale."""
LEAST_SLICE = 36
"""The smallest legible side of a slice in pixels."""


@dataclass(frozen=True)
class Slice:
    """A plane through the input space: point = origin + u · across + v · up."""

    origin: Array
    across: Array
    up: Array
    label: str
    members: Array  # the numbers of the examples in this slice
    units: Array | float = 1.0  # of the inputs; in them across and up are orthonormal

    def points(self, u: Array, v: Array) -> Array:
        """The inputs (inputs, …) at (u, v)."""
        origin = self.origin.reshape(-1, *[1] * np.ndim(u))
        return np.asarray(np.multiply.outer(self.across, u) + np.multiply.outer(self.up, v) + origin)

    def places(self, x: Array) -> Array:
        """(u, v) of points (…, inputs), also beside the plane: (…, 2)."""
        axes = np.stack([self.across / self.units, self.up / self.units], axis=1)
        return np.asarray((x - self.origin) / self.units @ axes)


@dataclass(frozen=True)
class SliceLabel:
    """What the slices of a row or a column have in common: some inputs and their values."""

    names: tuple[str, ...]
    values: tuple[str, ...]

    def variants(self) -> list[str]:
        """Ways to write it, the longest first; the last one leaves out the names."""
        each = ", ".join(f"{name} = {value}" for name, value in zip(self.names, self.values, strict=True))
        values = " ".join(self.values)
        return [each, f"{' '.join(self.names)} = {values}", values]

    def summary(self) -> str:
        """The longest variant; three or more names with one value as "first…last = value"."""
        if len(self.names) < 3 or len(set(self.values)) > 1:
            return self.variants()[0]
        return f"{self.names[0]}…{self.names[-1]} = {self.values[0]}"


@dataclass(frozen=True)
class Projection:
    """One or more slices over the same ranges of u and v, and the place of each example."""

    slices: tuple[Slice, ...]
    places: Array  # (examples, 2): u and v of each example
    left: float
    right: float
    bottom: float
    top: float
    names: tuple[str, str]
    ticks: tuple[Array, Array]
    """Values of u and of v that are written beside the axes."""
    is_curve: bool = False  # whether v is the output, over the only input
    columns: tuple[SliceLabel, ...] = ()
    rows: tuple[SliceLabel, ...] = ()
    note: str = ""  # what is not shown

    @property
    def across(self) -> int:
        """How many slices are side by side; 0, for a grid as square as possible, if they are in no rows."""
        return len(self.columns) if self.rows else 0

    def grid(self, number: int, width: int, height: int) -> Array:
        """The inputs (inputs, height, width) at the centres of the pixels of a slice, the top row first."""
        u = self.left + (np.arange(width) + 0.5) * ((self.right - self.left) / width)
        v = self.top - (np.arange(height) + 0.5) * ((self.top - self.bottom) / height)
        return self.slices[number].points(*np.meshgrid(u, v))

    def fractions(self, u: Array, v: Array) -> Array:
        """(u, v) as fractions (…, 2) of the ranges: (0, 0) is the upper left corner, (1, 1) the lower right."""
        across, down = (u - self.left) / (self.right - self.left), (self.top - v) / (self.top - self.bottom)
        return np.stack([across, down], axis=-1)


def most_slices(side: int) -> int:
    """How many legible slices fit into a square of ``side`` pixels."""
    return min(MOST_SLICES, (side // LEAST_SLICE) ** 2)


def project(
    x: Array, t: Array, names: Sequence[str], output: str, low: float, high: float, units: Array | float = 1.0,
    most: int = MOST_SLICES,
) -> Projection:  # fmt: skip
    """The projection for examples x (examples, inputs) with targets t (examples, outputs) from low to high.

    ``names`` are the names of the inputs, ``output`` that of the first output; principal axes are those of the inputs
    in ``units`` (inputs,); ``most`` limits the number of slices.
    """
    x = np.asarray(x, float)
    inputs = x.shape[1]
    if inputs == 1:
        return project_curve(x[:, 0], t[:, 0], names[0], output, low, high)
    if inputs == 2:
        return true_to_scale(project_slices(x, (_plane_of_first_inputs(x),), (names[0], names[1])))
    if 2 * len(np.unique(x[:, 2:], axis=0)) > len(x):
        return principal_plane(x, units)
    return _sliced(x, names, most) or principal_plane(x, units)


def _sliced(x: Array, names: Sequence[str], most: int) -> Projection | None:
    """A slice for each combination of the other inputs' values, or None if there are too many.

    To reduce their number, the last inputs are fixed at their smallest values, one after the other.
    """
    shown, free = np.ones(len(x), bool), x.shape[1] - 2
    while len(others := np.unique(x[shown, 2:], axis=0)) > most and free > 1:
        free -= 1
        shown &= x[:, 2 + free] == x[shown, 2 + free].min()
    if len(others) > most:
        return None
    planes = tuple(_slice(x, other, names) for other in others)
    slices = true_to_scale(project_slices(x[:, :2], planes, (names[0], names[1])))
    if not shown.all():
        fixed = SliceLabel(tuple(names[2 + free :]), tuple(map(format_digits, others[0, free:])))
        slices = replace(slices, note=f"{fixed.summary()}: {shown.sum()} of {len(x)} examples")
    return _in_rows_and_columns(slices, others[:, :free], names[2 : 2 + free])


def _in_rows_and_columns(slices: Projection, others: Array, names: Sequence[str]) -> Projection:
    """Rows for the first half of the other inputs and columns for the rest, if each combination of values occurs."""
    half = others.shape[1] // 2
    rows, columns = (np.unique(part, axis=0) for part in (others[:, :half], others[:, half:]))
    if max(len(rows), 1) * len(columns) != len(others):
        return slices

    def labels(part: Array, named: Sequence[str]) -> tuple[SliceLabel, ...]:
        return tuple(SliceLabel(tuple(named), tuple(map(format_digits, row))) for row in part if len(row))

    return replace(slices, columns=labels(columns, names[half:]), rows=labels(rows, names[:half]))


def _plane_of_first_inputs(x: Array) -> Slice:
    """The plane of the first two inputs, the first across, the second up."""
    across, up = np.eye(2, x.shape[1])
    return Slice(np.zeros(x.shape[1]), across, up, "", np.arange(len(x)))


def _slice(x: Array, other: Array, names: Sequence[str]) -> Slice:
    label = "  ".join(f"{name} = {format_digits(value)}" for name, value in zip(names[2:], other, strict=True))
    members = np.flatnonzero((x[:, 2:] == other).all(1))
    return replace(_plane_of_first_inputs(x), origin=np.concatenate([[0, 0], other]), label=label, members=members)


def project_curve(u: Array, v: Array, name: str, output: str, low: float, high: float) -> Projection:
    """One input u (examples,) across, the output from low to high up."""
    one = Slice(np.zeros(1), np.ones(1), np.zeros(1), "", np.arange(len(u)))
    found = project_slices(np.stack([u, np.clip(v, low, high)], axis=1), (one,), (name, output))
    margin = 0.15 * (high - low or 1)
    heights = ticks(np.array([low, high, *v]))
    return replace(found, bottom=low - margin, top=high + margin, ticks=(found.ticks[0], heights), is_curve=True)


def principal_plane(x: Array, units: Array | float = 1.0) -> Projection:
    """The plane through the mean of points (n, inputs) along the two directions of their largest variance in units."""
    x = x / units
    mean = x.mean(0)
    _, spread, axes = np.linalg.svd(np.resize(x - mean, (max(len(x), 2), x.shape[1])), full_matrices=False)
    across, up = (axis * np.sign(axis[np.abs(axis).argmax()]) for axis in axes[:2])
    shares = spread**2 / ((spread**2).sum() or 1)
    names = f"principal axis 1, {shares[0]:.0%} of the spread", f"principal axis 2, {shares[1]:.0%}"
    found = project_plane(x, mean, across, up, names)
    one = replace(found.slices[0], origin=mean * units, across=across * units, up=up * units, units=units)
    return true_to_scale(replace(found, slices=(one,)))


def true_to_scale(one: Projection) -> Projection:
    """The projection with ranges of the same length on both axes, unless they are very different."""
    width, height = one.right - one.left, one.top - one.bottom
    if not 1 / MOST_STRETCHED <= width / height <= MOST_STRETCHED:
        return one
    aside, above = max(height - width, 0) / 2, max(width - height, 0) / 2
    return replace(one, left=one.left - aside, right=one.right + aside, bottom=one.bottom - above, top=one.top + above)


def project_plane(
    x: Array, origin: Array, across: Array, up: Array, names: tuple[str, str], margin: float | None = None
) -> Projection:
    """The plane through ``origin`` along two directions, large enough for points x (n, inputs); without ticks."""
    one = Slice(origin, across, up, "", np.arange(len(x)))
    found = project_slices((x - origin) @ np.stack([across, up], 1), (one,), names, margin)
    return replace(found, ticks=(np.zeros(0), np.zeros(0)))


def project_slices(
    places: Array, slices: tuple[Slice, ...], names: tuple[str, str], margin: float | None = None
) -> Projection:
    """Slices over the ranges of places (n, 2), with a margin as a fraction of each range: by default 0.5, or 0.12
    for more than MOST_SLICES distinct places.
    """
    low, high = places.min(0), places.max(0)
    if margin is None:
        margin = 0.5 if len(np.unique(places, axis=0)) <= MOST_SLICES else 0.12
    beyond = margin * np.where(high > low, high - low, np.maximum(2.0, 1e-3 * np.abs(low)))
    (left, bottom), (right, top) = (low - beyond).tolist(), (high + beyond).tolist()
    return Projection(slices, places, left, right, bottom, top, names, (ticks(places[:, 0]), ticks(places[:, 1])))


def ticks(values: Array) -> Array:
    """The distinct values if they are at most two, else the smallest and largest round number in their range."""
    distinct = np.unique(values)
    if len(distinct) <= 2:
        return distinct
    slack = 0.02 * (distinct[-1] - distinct[0])
    return even_ticks(distinct[0] - slack, distinct[-1] + slack)[[0, -1]]


def even_ticks(low: float, high: float, most: int = 6) -> Array:
    """Round numbers between two values at the smallest step that gives at most ``most`` of them."""
    power = 10.0 ** np.floor(np.log10((high - low) / most))
    for step in (power * factor for factor in (1.0, 2.0, 5.0, 10.0, 20.0)):
        first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            break
    found = np.arange(first, last + 1) + 0.0  # not -0
    return np.asarray(found / round(1 / step) if step < 1 and round(1 / step) else found * step)


def format_distinct(values: Array) -> list[str]:
    """The values with three digits, or more if needed to show each to a hundredth of their range."""
    apart = float(np.ptp(values)) / 100 if len(values) else 0.0
    for digits in range(3, 17):
        words = [format_digits(value + 0.0, digits) for value in values]
        if all(abs(float(word) - value) <= apart for word, value in zip(words, values, strict=True)):
            return words
    return list(map(format_digits, values))


def format_digits(value: float, digits: int = 3) -> str:
    """A value rounded to some digits, with an exponent only where its whole part has more than six."""
    return f"{float(f'{value:.{digits}g}'):.{max(digits, 6)}g}"
