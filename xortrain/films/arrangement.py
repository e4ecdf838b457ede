"""Where each run of a sweep has its cell: in a grid of two swept settings, else in order of what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xortrain.films.subject import Subject
from xortrain.nets import Array

MOST = 400
MOST_ACROSS = 25  # cells in a row of a grid; of more each would be too small to see


@dataclass(frozen=True)
class Arrangement:
    """Rows and columns of runs, and what they are called."""

    runs: Array
    """(rows, columns): the number of each run, -1 for an empty cell."""
    down: str = ""
    across: str = ""
    row_names: tuple[str, ...] = ()
    column_names: tuple[str, ...] = ()

    @property
    def shown(self) -> Array:
        """The numbers of the runs, row by row."""
        return self.runs[self.runs >= 0]


def arrangement(subject: Subject, shape: float = 1.6) -> Arrangement:
    """The cells of a sweep; without a grid, about ``shape`` times as wide as high."""
    return _grid(subject.varied, subject.runs) or _ordered(subject, shape)


def _grid(varied: Mapping[str, Array], runs: int) -> Arrangement | None:
    """Two settings of which each pair of values occurs exactly once."""
    swept = {name: np.asarray(values) for name, values in varied.items() if len(np.unique(values)) > 1}
    if len(swept) != 2 or runs > MOST:
        return None
    (down, rows), (across, columns) = sorted(swept.items(), key=lambda item: len(np.unique(item[1])))
    row_values, row = np.unique(rows, return_inverse=True)
    column_values, column = np.unique(columns, return_inverse=True)
    is_full = len(row_values) * len(column_values) == runs == len(set(zip(row, column, strict=True)))
    if not is_full or len(column_values) > MOST_ACROSS:
        return None
    cells = np.full((len(row_values), len(column_values)), -1)
    cells[row, column] = np.arange(runs)
    return Arrangement(cells, down, across, tuple(map(short, row_values)), tuple(map(short, column_values)))


def short(value: object) -> str:
    """A swept value as its label: numbers in three digits."""
    return f"{value:.3g}" if isinstance(value, float | np.floating) else str(value)


def _ordered(subject: Subject, shape: float) -> Arrangement:
    """Solved runs first, the quickest before the others; those that diverged last; at most MOST of them."""
    solved, diverged = (np.asarray(at, np.int64) for at in (subject.solved_at, subject.diverged_at))
    words, kind = np.unique(np.asarray(subject.outcome), return_inverse=True)
    late = np.where(solved >= 0, solved, np.iinfo(np.int64).max)
    order = np.lexsort((np.arange(subject.runs), kind, late, diverged >= 0))
    order = order[_share(kind[order], len(words))]
    columns = _columns(len(order), shape)
    cells = np.full(-(-len(order) // columns) * columns, -1)
    cells[: len(order)] = order
    return Arrangement(cells.reshape(-1, columns))


def _columns(count: int, shape: float) -> int:
    """How many columns leave few cells empty and come near to the shape."""
    choices = np.arange(1, count + 1)
    rows = -(-count // choices)
    empty, bent = (rows * choices - count) / count, np.abs(np.log(choices / rows / shape))
    return int(choices[np.argmin(3 * empty + bent)])


def _share(kind: Array, kinds: int) -> Array:
    """Which places of an order are shown: all, or of each kind its share, evenly spread and at least one."""
    if len(kind) <= MOST:
        return np.arange(len(kind))
    counts = np.bincount(kind, minlength=kinds)
    wanted = np.minimum(np.maximum(counts * MOST // len(kind), 1), counts)
    places = [np.flatnonzero(kind == one) for one in range(kinds)]
    chosen = [p[np.linspace(0, len(p) - 1, n).astype(int)] for p, n in zip(places, wanted, strict=True) if n]
    return np.sort(np.concatenate(chosen))[:MOST]
