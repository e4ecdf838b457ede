"""Where each run of a sweep has its cell: in a grid of the swept settings, else in order of what became of it.

Of more runs than there is room for, each outcome has its share of the cells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from xortrain.films.lockstep import Lockstep
from xortrain.nets import Array

MOST = 400
MOST_ACROSS = 25  # cells in a row or a column of a grid; of more each would be too small to see
SHAPE = 1.6  # how many times as wide as high all cells are together


@dataclass(frozen=True)
class Arrangement:
    """Rows and columns of runs, and what they are called."""

    runs: Array
    """(rows, columns): the number of each run, -1 for an empty cell."""
    down: str = ""
    across: str = ""
    row_names: tuple[str, ...] = ()
    column_names: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    """What each of the runs shown is called, where rows and columns have no names."""
    lines: int = 1
    """How many rows have one name in common."""

    @property
    def shown(self) -> Array:
        """The numbers of the runs, row by row."""
        return self.runs[self.runs >= 0]


@dataclass(frozen=True)
class SweptSetting:
    """One swept setting: the names of its values, and which of them each run has."""

    name: str
    names: tuple[str, ...]
    value: Array
    """(runs,)"""

    @classmethod
    def of(cls, name: str, values: Array) -> "SweptSetting":
        """Numbers in their order, anything else in the order in which it first comes."""
        values = np.asarray(values)
        if values.dtype.kind in "biuf":
            distinct, value = np.unique(values, return_inverse=True)
            return cls(name, tuple(map(short, distinct.tolist())), value)
        places: dict[str, int] = {}
        value = np.array([places.setdefault(str(one), len(places)) for one in values])
        return cls(name, tuple(places), value)


def arrangement(shown: Lockstep, shape: float = SHAPE, most: int = MOST) -> Arrangement:
    """The cells of runs; without a grid, about ``shape`` times as wide as high."""
    return _grid(axes(shown.varied), shown.runs, shape, most) or ordered(shown, shape, most)


def axes(varied: Mapping[str, Array]) -> list[SweptSetting]:
    """The settings that differ, without those that follow from others."""
    chosen, together, distinct = list[SweptSetting](), np.zeros(1, int), 1
    for name, values in varied.items():
        axis = SweptSetting.of(name, values)
        found, finer = np.unique(together * len(axis.names) + axis.value, return_inverse=True)
        if len(found) > distinct:
            chosen, together, distinct = [*chosen, axis], finer, len(found)
    return [
        SweptSetting(name, a.names, a.value) for name, a in zip(_brief([a.name for a in chosen]), chosen, strict=True)
    ]


def _brief(names: Sequence[str]) -> list[str]:
    """architecture.hidden as hidden, where no other ends so."""
    last = [name.rpartition(".")[2] for name in names]
    return [brief if last.count(brief) == 1 else name for name, brief in zip(names, last, strict=True)]


def _grid(swept: list[SweptSetting], runs: int, shape: float, most: int) -> Arrangement | None:
    """Settings of which each combination of values occurs exactly once: one of them across, the others down.

    One with very many values takes several rows for each combination of the others.
    """
    counts = [len(axis.names) for axis in swept]
    if len(swept) < 2 or runs > most or prod(counts) != runs:
        return None
    lines = [-(-count // MOST_ACROSS) for count in counts]
    wide = [-(-count // wrap) for count, wrap in zip(counts, lines, strict=True)]
    high = [runs // count * wrap for count, wrap in zip(counts, lines, strict=True)]
    fit = [k for k in range(len(swept)) if high[k] <= MOST_ACROSS]
    if not fit:
        return None
    k = min(fit, key=lambda k: (lines[k], abs(np.log(wide[k] / high[k] / shape)), -k))
    across, down = swept[k], [axis for axis in swept if axis is not swept[k]]
    place = np.ravel_multi_index([axis.value for axis in down], [len(axis.names) for axis in down])
    cells = np.full((runs // counts[k], lines[k] * wide[k]), -1)
    cells[place, across.value] = np.arange(runs)
    if (cells[:, : counts[k]] < 0).any():
        return None
    rows = tuple("  ".join(axis.names[axis.value[run]] for axis in down) for run in cells[:, 0])
    names = across.names if lines[k] == 1 else ()
    heading = across.name if names else f"{across.name} {across.names[0]} to {across.names[-1]}"
    return Arrangement(
        cells.reshape(-1, wide[k]), ", ".join(axis.name for axis in down), heading, rows, names, lines=lines[k]
    )


def short(value: float | str) -> str:
    """A swept value as its label: as short as tells four digits."""
    if not isinstance(value, float):
        return str(value)
    plain = f"{value:.4g}"
    return plain if "e" not in plain or not 1e-4 <= abs(value) < 1e6 else f"{float(plain):.0f}"


def ordered(shown: Lockstep, shape: float, most: int) -> Arrangement:
    """Solved runs first, the quickest before the others; those that diverged last; at most so many of them.

    The values of one setting other than the seed stand in their own order.
    """
    ends, swept = shown.ends, axes(shown.varied)
    late = np.where(ends.solved_at >= 0, ends.solved_at, np.iinfo(np.int64).max)
    order = np.lexsort((np.arange(ends.runs), ends.kinds, late, ends.diverged_at >= 0))
    if len(swept) == 1 and swept[0].name != "seed" and ends.runs <= min(most, len(swept[0].names)):
        order = np.argsort(swept[0].value, kind="stable")
    order = order[share(ends.kinds[order], most)]
    columns = _columns(len(order), shape)
    cells = np.full(-(-len(order) // columns) * columns, -1)
    cells[: len(order)] = order
    named = tuple("  ".join(_caption(axis, run) for axis in swept) for run in order if swept)
    return Arrangement(cells.reshape(-1, columns), captions=named)


def _caption(axis: SweptSetting, run: int) -> str:
    """The value that a run has; a number by itself would not say of what it is."""
    word = axis.names[axis.value[run]]
    return word if word[:1].isalpha() else f"{axis.name} {word}"


def _columns(count: int, shape: float) -> int:
    """How many columns leave few cells empty and come near to the shape."""
    choices = np.arange(1, count + 1)
    rows = -(-count // choices)
    empty, bent = (rows * choices - count) / count, np.abs(np.log(choices / rows / shape))
    return int(choices[np.argmin(3 * empty + bent)])


def share(kind: Array, most: int) -> Array:
    """Which places of an order are taken: all, or of each kind its share, evenly spread and at least one."""
    runs = len(kind)
    if runs <= most:
        return np.arange(runs)
    kinds, counts = np.unique(kind, return_counts=True)
    wanted = np.maximum(counts * most // runs, 1)
    while wanted.sum() != most and len(kinds) <= most:
        step = 1 if wanted.sum() < most else -1
        gap = counts * most / runs - wanted
        wanted[np.argmax(np.where(wanted + step > 0, step * gap, -np.inf))] += step
    places = [np.flatnonzero(kind == one) for one in kinds]
    chosen = [p[np.linspace(0, len(p) - 1, n).astype(int)] for p, n in zip(places, wanted, strict=True)]
    return np.sort(np.concatenate(chosen))[:most]
