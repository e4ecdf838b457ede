"""Which part of the input space a picture shows, and where in it the examples and the units' lines lie.

Two inputs are shown as they are.  Of more, either every combination of the others' values has a slice of its
own, in rows and columns where all combinations occur, or the plane of the two principal axes of the data is shown;
of one input there is a strip.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xortrain.films.data import FilmData
from xortrain.nets import Array

MOST_SLICES = 16
LEAST_SLICE = 36
"""Pixels of a side below which a slice is too small to be read."""


@dataclass(frozen=True)
class Slice:
    """A plane through the input space: point = origin + u · across + v · up."""

    origin: Array
    across: Array
    up: Array
    label: str
    members: Array
    """Which examples are drawn on it: their numbers."""

    def points(self, u: Array, v: Array) -> Array:
        """Inputs (inputs, …) of places (u, v)."""
        return np.asarray(
            np.multiply.outer(self.across, u) + np.multiply.outer(self.up, v)
            + self.origin.reshape(-1, *[1] * np.ndim(u))
        )  # fmt: skip


@dataclass(frozen=True)
class Projection:
    """One or several slices over the same stretch of u and v, and where each example lies."""

    slices: tuple[Slice, ...]
    places: Array
    """(examples, 2): u and v of each example."""
    left: float
    right: float
    bottom: float
    top: float
    names: tuple[str, str]
    ticks: tuple[Array, Array]
    """Values of u and of v worth naming."""
    curve: bool = False
    """Whether v is no input but the output, over the one input there is."""
    columns: tuple["Head", ...] = ()
    """Of slices in rows and columns, what all of a column have in common."""
    rows: tuple["Head", ...] = ()
    note: str = ""
    """What is not shown."""

    def grid(self, number: int, width: int, height: int) -> Array:
        """Inputs (inputs, height, width) at the centres of the pixels of a slice, the upper row first."""
        u = self.left + (np.arange(width) + 0.5) * ((self.right - self.left) / width)
        v = self.top - (np.arange(height) + 0.5) * ((self.top - self.bottom) / height)
        return self.slices[number].points(*np.meshgrid(u, v))

    def share(self, u: Array, v: Array) -> Array:
        """(…, 2) of u and v in shares of the stretch: 0, 0 at the upper left, 1, 1 at the lower right."""
        return np.stack(
            [(u - self.left) / (self.right - self.left), (self.top - v) / (self.top - self.bottom)], axis=-1
        )


@dataclass(frozen=True)
class Head:
    """What slices have in common: some inputs and the values of theirs."""

    names: tuple[str, ...]
    values: tuple[str, ...]

    def words(self) -> list[str]:
        """The ways to say it, the longest first; the last leaves the names to be said once for all."""
        each = ", ".join(f"{name} = {value}" for name, value in zip(self.names, self.values, strict=True))
        values = " ".join(self.values)
        return [each, f"{' '.join(self.names)} = {values}", values]

    def in_short(self) -> str:
        """All of them by the first and the last, where more than two have one value."""
        if len(self.names) < 3 or len(set(self.values)) > 1:
            return self.words()[0]
        return f"{self.names[0]}…{self.names[-1]} = {self.values[0]}"


def plane(
    x: Array, t: Array, names: Sequence[str], output: str, low: float, high: float, most: int = MOST_SLICES
) -> Projection:
    """The plane for examples (examples, inputs) with targets (examples, outputs) between low and high.

    There are ``most`` slices at most.
    """
    x = np.asarray(x, float)
    inputs = x.shape[1]
    if inputs == 1:
        return line_of(x[:, 0], t[:, 0], names[0], output, low, high)
    if inputs == 2:
        return over(x, (_axes(x),), (names[0], names[1]))
    if 2 * len(np.unique(x[:, 2:], axis=0)) > len(x):
        return principal(x)
    return _sliced(x, names, most) or principal(x)


def _sliced(x: Array, names: Sequence[str], most: int) -> Projection | None:
    """A slice for each combination of the other inputs' values; of too many those of the last inputs' least values."""
    shown, free = np.ones(len(x), bool), x.shape[1] - 2
    while len(others := np.unique(x[shown, 2:], axis=0)) > most and free > 1:
        free -= 1
        shown &= x[:, 2 + free] == x[shown, 2 + free].min()
    if len(others) > most:
        return None
    slices = over(x[:, :2], tuple(_slice(x, other, names) for other in others), (names[0], names[1]))
    if not shown.all():
        fixed = Head(tuple(names[2 + free :]), tuple(f"{value:.3g}" for value in others[0, free:]))
        slices = replace(slices, note=f"{fixed.in_short()}: {shown.sum()} of {len(x)} examples")
    return _factored(slices, others[:, :free], names[2 : 2 + free])


def _factored(slices: Projection, others: Array, names: Sequence[str]) -> Projection:
    """Rows by the first half of the other inputs, columns by the second, if each combination of values occurs."""
    half = others.shape[1] // 2
    rows, columns = (np.unique(part, axis=0) for part in (others[:, :half], others[:, half:]))
    if max(len(rows), 1) * len(columns) != len(others):
        return slices

    def heads(part: Array, named: Sequence[str]) -> tuple[Head, ...]:
        return tuple(Head(tuple(named), tuple(f"{value:.3g}" for value in row)) for row in part if len(row))

    return replace(slices, columns=heads(columns, names[half:]), rows=heads(rows, names[:half]))


def projection_of(x: Array, t: Array, subject: FilmData, side: int = MOST_SLICES * LEAST_SLICE) -> Projection:
    """The plane for one run's examples, by the subject's names and targets, on a square of so many pixels."""
    most = min(MOST_SLICES, (side // LEAST_SLICE) ** 2)
    return plane(x, t, subject.inputs, subject.outputs[0], subject.low, subject.high, most)


def line_of(u: Array, v: Array, name: str, output: str, low: float, high: float) -> Projection:
    """One input alone: the output's value is the height."""
    one = Slice(np.zeros(1), np.ones(1), np.zeros(1), "", np.arange(len(u)))
    wide = over(np.stack([u, np.clip(v, low, high)], axis=1), (one,), (name, output))
    room = 0.15 * (high - low or 1)
    return replace(
        wide, bottom=low - room, top=high + room, ticks=(wide.ticks[0], ticks(np.array([low, high, *v]))), curve=True
    )


def _axes(x: Array) -> Slice:
    """The first input across, the second up."""
    across, up = np.eye(2, x.shape[1])
    return Slice(np.zeros(x.shape[1]), across, up, "", np.arange(len(x)))


def _slice(x: Array, other: Array, names: Sequence[str]) -> Slice:
    whole = _axes(x)
    origin = np.concatenate([[0, 0], other])
    label = "  ".join(f"{name} = {value:.3g}" for name, value in zip(names[2:], other, strict=True))
    return Slice(origin, whole.across, whole.up, label, np.flatnonzero((x[:, 2:] == other).all(1)))


def principal(x: Array) -> Projection:
    """The two directions in which points (n, inputs) spread most, through their mean."""
    mean = x.mean(0)
    _, spread, axes = np.linalg.svd(np.resize(x - mean, (max(len(x), 2), x.shape[1])), full_matrices=False)
    across, up = (axis * np.sign(axis[np.abs(axis).argmax()]) for axis in axes[:2])
    shares = spread**2 / ((spread**2).sum() or 1)
    names = f"principal axis 1, {shares[0]:.0%} of the spread", f"principal axis 2, {shares[1]:.0%}"
    return flat(x, mean, across, up, names)


def flat(
    x: Array, origin: Array, across: Array, up: Array, names: tuple[str, str], room: float | None = None
) -> Projection:
    """The plane through origin along two directions, as wide as points (n, inputs) reach in it."""
    one = Slice(origin, across, up, "", np.arange(len(x)))
    wide = over((x - origin) @ np.stack([across, up], 1), (one,), names, room)
    return replace(wide, ticks=(np.zeros(0), np.zeros(0)))


def over(places: Array, slices: tuple[Slice, ...], names: tuple[str, str], room: float | None = None) -> Projection:
    """With room round the places (n, 2): half the stretch for a few of them, an eighth for many."""
    low, high = places.min(0), places.max(0)
    if room is None:
        room = 0.5 if len(np.unique(places, axis=0)) <= MOST_SLICES else 0.12
    margin = room * np.where(high > low, high - low, 2.0)
    (left, bottom), (right, top) = (low - margin).tolist(), (high + margin).tolist()
    marks = ticks(places[:, 0]), ticks(places[:, 1])
    return Projection(slices, places, left, right, bottom, top, names, marks)


def ticks(values: Array) -> Array:
    """The values themselves if they are two at most; else the least and the greatest round number among them."""
    some = np.unique(values)
    if len(some) <= 2:
        return some
    slack = 0.02 * (some[-1] - some[0])
    inside = round_steps(some[0] - slack, some[-1] + slack)
    return np.array([inside[0], inside[-1]])


def round_steps(low: float, high: float) -> list[float]:
    """Three to six multiples of 1, 2 or 5 times a power of ten from low to high."""
    rough = (high - low) / 5
    unit = 10 ** np.floor(np.log10(rough))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough * (1 - 1e-9))
    return [float(n * step) for n in range(int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9)) + 1)]


def told_apart(values: Array) -> list[str]:
    """The values in three digits, or in as many as tell them from one another to a hundredth."""
    apart = float(np.ptp(values)) / 100 if len(values) else 0.0
    for digits in range(3, 17):
        words = [f"{value + 0.0:.{digits}g}" for value in values]
        if all(abs(float(word) - value) <= apart for word, value in zip(words, values, strict=True)):
            return words
    return [f"{value:.3g}" for value in values]
