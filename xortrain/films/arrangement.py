"""Assigns a cell to each run of a sweep: in a grid of the varied settings if possible, else ordered by outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from math import prod

import numpy as np

from xortrain.films.data import Outcomes
from xortrain.films.sweep_film_data import SweepFilmData
from xortrain.nets import Array
from xortrain.records.tables import told_apart

MOST_CELLS = 400
MOST_ACROSS = 25  # cells in a row or a column of a grid, so that each is large enough
ASPECT = 1.6  # width over height of all cells together
NESTED = 1.0  # what a further setting across has to gain in the logarithm of that ratio


@dataclass(frozen=True)
class Arrangement:
    """Rows and columns of runs, and their names."""

    runs: Array  # (rows, columns): the number of each run, -1 for an empty cell
    down: str = ""
    across: str = ""
    row_names: tuple[str, ...] = ()
    column_names: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()  # of each run shown, where rows and columns have no names
    lines: int = 1  # the number of rows that share a name

    @property
    def shown(self) -> Array:
        """The numbers of the runs, row by row."""
        return self.runs[self.runs >= 0]


@dataclass(frozen=True)
class SweptSetting:
    """A varied setting: the names of its values, and the index (runs,) of the value of each run."""

    name: str
    names: tuple[str, ...]
    value: Array

    def __str__(self) -> str:
        """As in "lr 0.1 to 30"; other values than numbers are left out."""
        are_numbers = all(name.lstrip("-")[:1].isdigit() for name in self.names)
        return f"{self.name} {self.names[0]} to {self.names[-1]}" if are_numbers else self.name

    @classmethod
    def of(cls, name: str, values: Array) -> "SweptSetting":
        """Numbers in increasing order, other values in the order of their first run."""
        values = np.asarray(values)
        if values.dtype.kind in "biuf":
            distinct, value = np.unique(values, return_inverse=True)
            return cls(name, tuple(told_apart(distinct.tolist(), _format_number)), value)
        places: dict[str, int] = {}
        value = np.array([places.setdefault(str(one), len(places)) for one in values])
        return cls(name, tuple(places), value)

    def caption(self, run: int) -> str:
        """The value of a run; with the setting's name before a number."""
        word = self.names[self.value[run]]
        return word if word[:1].isalpha() else f"{self.name} {word}"


def _format_number(value: float, digits: int) -> str:
    """A few digits; no exponent from 0.0001 to a million."""
    if not isinstance(value, float):
        return str(value)
    plain = f"{value:.{digits}g}"
    return plain if "e" not in plain or not 1e-4 <= abs(value) < 1e6 else f"{float(plain):.0f}"


def arrange_runs(data: SweepFilmData, aspect: float = ASPECT) -> Arrangement:
    """A grid of the varied settings or, if impossible, cells ordered by outcome, with about that width over height."""
    grid = _grid(swept_settings(data.varied), data.runs, aspect)
    return grid or arrange_by_outcome(data, aspect, MOST_CELLS)


def swept_settings(varied: Mapping[str, Array]) -> list[SweptSetting]:
    """The varied settings without those that follow from others; names without dots if unique."""
    chosen, together, distinct = list[SweptSetting](), np.zeros(1, int), 1
    for name, values in varied.items():
        swept = SweptSetting.of(name, values)
        found, finer = np.unique(together * len(swept.names) + swept.value, return_inverse=True)
        if len(found) > distinct:
            chosen, together, distinct = [*chosen, swept], finer, len(found)
    last = [swept.name.rpartition(".")[2] for swept in chosen]
    return [
        replace(swept, name=short) if last.count(short) == 1 else swept
        for swept, short in zip(chosen, last, strict=True)
    ]


def _grid(swept: list[SweptSetting], runs: int, aspect: float) -> Arrangement | None:
    """Some settings across, one alone wrapped if it has many values, the others down; None unless each combination of
    values has one run.
    """
    if len(swept) < 2 or runs > MOST_CELLS or prod(len(one.names) for one in swept) != runs:
        return None
    choices = [chosen for size in range(1, len(swept)) for chosen in combinations(swept[::-1], size)]
    found = []
    for chosen in choices:
        count = prod(len(one.names) for one in chosen)
        lines = -(-count // MOST_ACROSS)
        columns, rows = -(-count // lines), runs // count * lines
        if rows <= MOST_ACROSS and (lines == 1 or len(chosen) == 1):
            distance = abs(np.log(columns / rows / aspect)) + NESTED * (len(chosen) - 1)
            found.append((lines, distance, columns, chosen))
    if not found:
        return None
    lines, _, columns, chosen = min(found, key=lambda one: one[:2])
    across, down = (_joined([one for one in swept if (one in chosen) == is_across]) for is_across in (True, False))
    cells = np.full((len(down.names), lines * columns), -1)
    cells[down.value, across.value] = np.arange(runs)
    if (cells[:, : len(across.names)] < 0).any():
        return None
    names = across.names if lines == 1 else ()
    heading = across.name if names else str(across)
    return Arrangement(cells.reshape(-1, columns), down.name, heading, down.names, names, lines=lines)


def _joined(settings: Sequence[SweptSetting]) -> SweptSetting:
    """Several settings as one, whose last changes fastest."""
    value = np.ravel_multi_index([one.value for one in settings], [len(one.names) for one in settings])
    names = tuple("  ".join(words) for words in product(*(one.names for one in settings)))
    return SweptSetting(", ".join(one.name for one in settings), names, value)


def ranges(data: SweepFilmData) -> list[str]:
    """What varies besides the seed, as in "lr 0.1 to 30", where rows and columns do not say it."""
    swept = swept_settings(data.varied)
    return [] if _grid(swept, data.runs, ASPECT) else [str(one) for one in swept if one.name != "seed"]


def arrange_by_outcome(data: SweepFilmData, aspect: float, most: int) -> Arrangement:
    """At most ``most`` cells, shared among outcomes in proportion, in the order of KINDS: the fastest solved run first.

    If only one setting other than the seed varies, runs are ordered by its values instead.
    """
    outcomes, swept = data.outcomes, swept_settings(data.varied)
    order = np.lexsort((outcomes.since, outcomes.codes, outcomes.kinds))
    if len(swept) == 1 and swept[0].name != "seed" and outcomes.runs <= min(most, len(swept[0].names)):
        order = np.argsort(swept[0].value, kind="stable")
    order = order[sample_shares(outcomes.codes[order], most)]
    choices = np.arange(1, len(order) + 1)  # numbers of columns; few cells should be empty
    rows = -(-len(order) // choices)
    empty, deviation = (rows * choices - len(order)) / len(order), np.abs(np.log(choices / rows / aspect))
    columns = int(choices[np.argmin(3 * empty + deviation)])
    cells = np.full(-(-len(order) // columns) * columns, -1)
    cells[: len(order)] = order
    captions = tuple("  ".join(one.caption(run) for one in swept) for run in order if swept)
    return Arrangement(cells.reshape(-1, columns), captions=captions)


def sample_shares(codes: Array, most: int) -> Array:
    """Indices of at most ``most`` runs: of each code in ``codes`` (runs,) its share, evenly spread, at least one."""
    runs = len(codes)
    if runs <= most:
        return np.arange(runs)
    distinct, counts = np.unique(codes, return_counts=True)
    wanted = np.maximum(counts * most // runs, 1)
    while wanted.sum() != most and len(distinct) <= most:
        step = 1 if wanted.sum() < most else -1
        gap = counts * most / runs - wanted
        wanted[np.argmax(np.where(wanted + step > 0, step * gap, -np.inf))] += step
    places = [np.flatnonzero(codes == one) for one in distinct]
    chosen = [p[np.linspace(0, len(p) - 1, n).astype(int)] for p, n in zip(places, wanted, strict=True)]
    return np.sort(np.concatenate(chosen))[:most]


def quickest_first(outcomes: Outcomes, losses: Array) -> Array:
    """The numbers of the runs (runs,) in the order of rows: solved ones by their epoch, others by their last loss.

    Those that have diverged or exploded are last, the ones that lasted longest first.
    """
    is_solved = outcomes.outcome == "solved"
    keys = [outcomes.since, -outcomes.since]
    within = np.select([is_solved, outcomes.is_lost], keys, np.nan_to_num(losses, nan=np.inf))
    return np.lexsort((within, outcomes.kinds))
