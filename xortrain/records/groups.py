"""Groups runs of several records by their settings, with success rates, epochs to solve and losses.

Runs with the same seed and the same settings are one observation, so only one of them is counted.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xortrain.errors import UserError, unknown
from xortrain.records import columns, layout
from xortrain.records.index import RecordInfo
from xortrain.records.reader import RecordReader, read_data, structured
from xortrain.records.tables import finite

Array = npt.NDArray[Any]
Z95 = 1.959963984540054  # the 97.5 % quantile of the normal distribution
NOT_STUCK = ("pending", "diverged", "exploded", "solved", "learnt", "early", "training")


@dataclass(frozen=True)
class GroupStatistics:
    """Runs that agree in the settings ``by``: how many solved the task, how fast, and their losses.

    ``rate`` is the share of finished runs that solved it, ``low`` and ``high`` are its 95 % interval.  ``diverged``
    counts exploded runs too.  Epochs are the epochs to solve of the solved runs; losses are of the runs that neither
    diverged nor exploded; nan if there are none.
    """

    by: Mapping[str, Any]
    outcomes: Mapping[str, int]
    runs: int
    pending: int
    solved: int
    learnt: int
    diverged: int
    stuck: int
    rate: float
    low: float
    high: float
    epochs_q1: float
    epochs_median: float
    epochs_q3: float
    loss_median: float
    loss_mean: float
    loss_sd: float

    def as_row(self) -> dict[str, Any]:
        """Settings and numbers as one flat mapping; None for a number that is not finite."""
        return {**self.by, **finite({key: value for key, value in vars(self).items() if key != "by"})}


def wilson(solved: Array, runs: Array, z: float = Z95) -> tuple[Array, Array]:
    """Wilson's 95 % interval of the rate solved / runs; nan for no runs."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share, spread = solved / runs, z * z / runs
        middle = (share + spread / 2) / (1 + spread)
        half = np.sqrt(share * (1 - share) * spread + spread * spread / 4) / (1 + spread)
        return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def statistics(rows: Mapping[str, Array], by: Sequence[str]) -> list[GroupStatistics]:
    """Group runs by their values of ``by``; best first: by the lower end of the interval, then by epochs to solve.

    ``rows`` are columns (runs,): ``outcome`` in words, ``solved_at``, ``final_loss``, and each name in ``by``.
    """
    outcome = np.asarray(rows["outcome"], object)
    codes, first = group_codes([np.asarray(rows[name]) for name in by], len(outcome))
    counts = _counts(codes, outcome, len(first))
    numbers = {**_shares(counts), **_speeds_and_losses(rows, outcome, codes, len(first))}
    best = np.lexsort((numbers["loss_median"], numbers["epochs_median"], -np.nan_to_num(numbers["low"], nan=-1.0)))
    keys = {name: np.asarray(rows[name])[first].tolist() for name in by}
    counted = {word: number.tolist() for word, number in counts.items()}
    listed = {name: values.tolist() for name, values in numbers.items()}
    return [
        GroupStatistics(
            {name: values[k] for name, values in keys.items()},
            {word: number[k] for word, number in counted.items() if number[k]},
            **{name: values[k] for name, values in listed.items()},
        )
        for k in best.tolist()
    ]


def _counts(codes: Array, outcome: Array, groups: int) -> dict[str, Array]:
    """The number of runs with each outcome: its word to (groups,)."""
    words: dict[str, int] = {}
    word = np.array([words.setdefault(text, len(words)) for text in outcome.tolist()], np.int64)
    table = np.bincount(codes * len(words) + word, minlength=groups * len(words))
    return dict(zip(words, table.reshape(groups, -1).T, strict=True))


def _shares(counts: Mapping[str, Array]) -> dict[str, Array]:
    runs = np.sum(list(counts.values()), axis=0)
    pending, solved, learnt = (counts.get(word, 0 * runs) for word in ("pending", "solved", "learnt"))
    diverged = counts.get("diverged", 0 * runs) + counts.get("exploded", 0 * runs)
    stuck = sum((number for word, number in counts.items() if word not in NOT_STUCK), start=0 * runs)
    low, high = wilson(solved, runs - pending)
    with np.errstate(invalid="ignore"):
        rate = solved / (runs - pending).astype(float)
    named = {"runs": runs, "pending": pending, "solved": solved, "learnt": learnt, "diverged": diverged}
    return named | {"stuck": stuck} | {"rate": rate, "low": low, "high": high}


def _speeds_and_losses(rows: Mapping[str, Array], outcome: Array, codes: Array, groups: int) -> dict[str, Array]:
    loss = np.asarray(rows["final_loss"], np.float64)
    solved = outcome == "solved"
    fair = np.isfinite(loss) & ~np.isin(outcome, ("diverged", "exploded", "pending"))
    epochs = np.asarray(rows["solved_at"])[solved].astype(np.float64)
    q1, median, q3 = _quantiles(codes[solved], epochs, groups, (0.25, 0.5, 0.75))
    (middle,) = _quantiles(codes[fair], loss[fair], groups, (0.5,))
    mean, sd = _moments(codes[fair], loss[fair], groups)
    named = {"epochs_q1": q1, "epochs_median": median, "epochs_q3": q3}
    return named | {"loss_median": middle, "loss_mean": mean, "loss_sd": sd}


def group_codes(keys: Sequence[Array], runs: int) -> tuple[Array, Array]:
    """The number of each run's group (runs,), and the index of each group's first run (groups,)."""
    codes = np.zeros(runs, np.int64)
    for key in keys:
        _, own = np.unique(_sortable(key), return_inverse=True)
        joint = codes * (own.max(initial=0) + 1) + own
        codes = np.unique(joint, return_inverse=True)[1] if codes.any() else own
    _, first = np.unique(codes, return_index=True)
    return codes, first


def _sortable(values: Array) -> Array:
    """Numbers unchanged; other values as numbers that are equal for equal values."""
    if values.dtype.kind in "biuf":
        return values
    seen: dict[Any, int] = {}
    return np.array([seen.setdefault((type(value), value), len(seen)) for value in values.tolist()], np.int64)


def _quantiles(codes: Array, values: Array, count: int, shares: Sequence[float]) -> Iterator[Array]:
    """Quantiles (groups,) of the values in each group, interpolated linearly; nan for no values."""
    values = values[np.lexsort((values, codes))]
    sizes = np.bincount(codes, minlength=count)
    starts = np.cumsum(sizes) - sizes
    for share in shares:
        position = share * np.maximum(sizes - 1, 0)
        below = np.floor(position).astype(int)
        found, has_values = np.full(count, math.nan), sizes > 0
        left = values[(starts + below)[has_values]]
        right = values[(starts + np.minimum(below + 1, sizes - 1))[has_values]]
        found[has_values] = left + (position - below)[has_values] * (right - left)
        yield found


def _moments(codes: Array, values: Array, count: int) -> tuple[Array, Array]:
    """Mean and sample standard deviation (n - 1) of each group: (groups,); nan for too few values."""
    sizes = np.bincount(codes, minlength=count).astype(float)
    with np.errstate(all="ignore"):  # losses of runs that are about to diverge may exceed 1e154
        mean = np.bincount(codes, values, count) / sizes
        squares = np.bincount(codes, (values - mean[codes]) ** 2, count)
        return mean, np.where(sizes > 1, np.sqrt(squares / (sizes - 1)), math.nan)


def group_runs(
    parts: Sequence[RecordInfo], by: Sequence[str] | None = None, option: str = "by", chosen: Array | None = None
) -> list[GroupStatistics]:
    """Group the runs of records by these settings, or by all in which they differ except the seed.

    ``chosen`` are indices among the runs of all parts, one after the other (all runs by default); ``option`` is for
    error messages.
    """
    names = differing_settings(parts) if by is None else [columns.canonical(name) for name in by]
    found = column_table(parts, ["outcome", "solved_at", "final_loss", *names], option)
    results = [name for name in names if name in columns.RESULTS and name in columns.COMPUTED]
    found |= {name: _joined([_listed(part, name) for part in parts]) for name in results}
    runs = np.arange(len(found["outcome"])) if chosen is None else chosen
    once = runs[_first_of_each(_identities(parts)[runs], found["outcome"][runs] == "pending")]
    return statistics({name: values[once] for name, values in found.items()}, names)


def _first_of_each(codes: Array, pending: Array) -> Array:
    """The index of one run of each code, increasing: the first finished run or, if there is none, the first."""
    order = np.argsort(pending, kind="stable")
    _, first = group_codes([codes[order]], len(codes))
    return np.sort(order[first])


def _identities(parts: Sequence[RecordInfo]) -> Array:
    """A number for each run, (runs,): the same for runs with the same seed, settings and data."""
    varying = _varying(parts)
    shared = {name for part in parts for name in part.settings if columns.affects_training(name)} - varying.keys()
    kinds, sizes = dict[object, int](), [len(part.rows) for part in parts]
    codes = [kinds.setdefault(_record_key(part, shared), len(kinds)) for part in parts]
    own = column_table(parts, ["seed", *varying]).values()
    before = np.concatenate([_earlier_settings(part) for part in parts])
    return group_codes([np.repeat(codes, sizes), before, *own], sum(sizes))[0]


def _earlier_settings(part: RecordInfo) -> Array:
    """A number for each run of a record: the same for runs that agree in what varied only in earlier stages."""
    try:
        columns = RecordReader(part.folder, part.metadata).stages if part.metadata.get("stages") else {}
    except UserError:
        columns = {}
    return group_codes([*columns.values()], len(part.rows))[0]


def _varying(parts: Sequence[RecordInfo]) -> dict[str, None]:
    """The settings, other than the seed, that vary inside records."""
    return dict.fromkeys(name for part in parts for name in part.varies if columns.affects_training(name))


def _record_key(part: RecordInfo, names: Collection[str]) -> object:
    """The shared settings of a record, and its data if they come from a file (its path if they are unreadable)."""
    settings = [(name, repr(value)) for name, value in part.settings.items() if name in names]
    shared = frozenset([*settings, ("stages", repr(part.metadata.get("stages")))])
    if "data.path" not in part.settings:
        return shared
    try:
        data = sorted(read_data(part.folder).items())
    except UserError:
        return shared, part.path
    return shared, tuple((name, values.shape, values.tobytes()) for name, values in data)


FOLLOWING = ("output",)
"""Groups whose choice usually follows from another, as the output activation from the loss."""


def differing_settings(parts: Sequence[RecordInfo]) -> list[str]:
    """The settings in which runs differ, without the seed and its copies, and without those that follow from others."""
    unwanted = _copies_of_the_seed(parts) | {"seed"}
    varies = _varying(parts)
    varying = [name for name in varies if name not in unwanted and _differs(parts, name)]
    shared = [part.settings for part in parts]
    fixed = dict.fromkeys(name for settings in shared for name in settings if columns.affects_training(name))
    others = [name for name in fixed if name not in varies and name not in unwanted]
    groups = {key for part in parts for key, value in part.metadata["config"].items() if isinstance(value, dict)}
    chosen, distinct = list[str](), 1
    for name in sorted(others, key=lambda other: ("." in other, other not in groups, other in FOLLOWING)):
        found = len({tuple(repr(settings.get(key)) for key in (*chosen, name)) for settings in shared})
        if found > distinct:
            chosen, distinct = [*chosen, name], found
    return [*varying, *chosen]


def _differs(parts: Sequence[RecordInfo], name: str) -> bool:
    """Whether a setting that varies in some record has more than one value."""
    values = [_column(part, name) for part in parts]
    return any((column != values[0][0]).any() for column in values)


def _copies_of_the_seed(parts: Sequence[RecordInfo]) -> set[str]:
    """The settings that vary and are equal to the seed in every run, as with data.seed=${seed}."""
    names = _varying(parts)
    seeds = [structured(part.rows)["seed"] for part in parts] if names else []
    return {n for n in names if all(np.all(_column(part, n) == s) for part, s in zip(parts, seeds, strict=True))}


def column_table(parts: Sequence[RecordInfo], names: Sequence[str], option: str = "by") -> dict[str, Array]:
    """Columns (runs,) of the runs of records: settings and results by name, the outcome in words.

    Results that a record lacks are nan, or -1 for epochs.  ``option`` is for error messages.
    """
    known = {"status", *columns.RESULTS, *(name for part in parts for name in (*part.settings, *part.varies))}
    for name in names:
        if name not in known:
            raise unknown(option, name, known, "setting")
    return {name: _joined([_column(part, name) for part in parts]) for name in names}


def _column(part: RecordInfo, name: str) -> Array:
    if name in ("status", *columns.WORDS):
        return _listed(part, name)
    if name in columns.RESULTS or name in part.rows.columns:
        values = structured(part.rows)[layout.setting_of(name)]
        return np.array([part.word(code) for code in range(256)], object)[values] if name == "outcome" else values
    value = part.settings.get(name)
    return np.full(len(part.rows), value, None if isinstance(value, int | float) else object)


def _listed(part: RecordInfo, name: str) -> Array:  # as in listings: words, and None for never or not known
    found = (columns.chunk_columns(None, part, chunk, [name], {}) for chunk in part.rows.chunks())
    return np.array([value for (own,) in found for value in own], object)


def _joined(arrays: Sequence[Array]) -> Array:
    """Concatenate arrays; a mixture of texts and numbers becomes objects, not texts."""
    if not arrays:
        raise UserError("group: no runs")
    is_number = all(array.dtype.kind in "biuf" for array in arrays)
    return np.concatenate(arrays) if is_number else np.concatenate([array.astype(object) for array in arrays])
