"""How often, how fast and how well: runs in groups that agree in some settings, and what became of each group.

A share is given with its Wilson interval, which stays inside 0 and 1 and is honest for few runs (Wilson 1927).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Z95 = 1.959963984540054  # 97.5 % of a normal distribution lie below
NOT_STUCK = ("pending", "diverged", "solved", "early", "training")


@dataclass(frozen=True)
class Group:
    """Runs that agree in ``by``; of those that are finished, how many solved it, how fast, and the rest.

    Epochs to solve are of the runs that solved it, losses of those that did not diverge; nan where there are none.
    """

    by: Mapping[str, Any]
    outcomes: Mapping[str, int]
    runs: int
    pending: int
    solved: int
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


def wilson(solved: Array, runs: Array, z: float = Z95) -> tuple[Array, Array]:
    """The interval of a share that was seen ``solved`` times in ``runs``; nan of no runs."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share, spread = solved / runs, z * z / runs
        middle = (share + spread / 2) / (1 + spread)
        half = np.sqrt(share * (1 - share) * spread + spread * spread / 4) / (1 + spread)
        return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def statistics(rows: Mapping[str, Array], by: Sequence[str]) -> list[Group]:
    """The groups of runs that agree in ``by``, best first: by the lower end of the interval, then by epochs to solve.

    ``rows`` are columns (runs,): ``outcome`` in words, ``solved_at``, ``final_loss``, and each name in ``by``.
    """
    outcome = np.asarray(rows["outcome"], object)
    codes, first = alike([np.asarray(rows[name]) for name in by], len(outcome))
    counts = _counts(codes, outcome, len(first))
    numbers = {**_shares(counts), **_speeds(rows, outcome, codes, len(first))}
    best = np.lexsort((numbers["loss_median"], numbers["epochs_median"], -np.nan_to_num(numbers["low"], nan=-1.0)))
    keys = {name: np.asarray(rows[name])[first].tolist() for name in by}
    return [
        Group(
            {name: values[k] for name, values in keys.items()},
            {word: int(number[k]) for word, number in counts.items() if number[k]},
            **{name: values[k].item() for name, values in numbers.items()},
        )
        for k in best.tolist()
    ]


def _counts(codes: Array, outcome: Array, groups: int) -> dict[str, Array]:
    """How many runs of each group came to each outcome, by its word: (groups,)."""
    words: dict[str, int] = {}
    word = np.array([words.setdefault(text, len(words)) for text in outcome.tolist()], np.int64)
    table = np.bincount(codes * len(words) + word, minlength=groups * len(words))
    return dict(zip(words, table.reshape(groups, -1).T, strict=True))


def _shares(counts: Mapping[str, Array]) -> dict[str, Array]:
    runs = np.sum(list(counts.values()), axis=0)
    pending, solved, diverged = (counts.get(word, 0 * runs) for word in ("pending", "solved", "diverged"))
    stuck = sum((number for word, number in counts.items() if word not in NOT_STUCK), start=0 * runs)
    low, high = wilson(solved, runs - pending)
    with np.errstate(invalid="ignore"):
        rate = solved / (runs - pending).astype(float)
    named = {"runs": runs, "pending": pending, "solved": solved, "diverged": diverged, "stuck": stuck}
    return named | {"rate": rate, "low": low, "high": high}


def _speeds(rows: Mapping[str, Array], outcome: Array, codes: Array, groups: int) -> dict[str, Array]:
    loss = np.asarray(rows["final_loss"], np.float64)
    solved = outcome == "solved"
    fair = np.isfinite(loss) & (outcome != "diverged") & (outcome != "pending")
    epochs = np.asarray(rows["solved_at"])[solved].astype(np.float64)
    q1, median, q3 = _quantiles(codes[solved], epochs, groups, (0.25, 0.5, 0.75))
    (middle,) = _quantiles(codes[fair], loss[fair], groups, (0.5,))
    mean, sd = _moments(codes[fair], loss[fair], groups)
    named = {"epochs_q1": q1, "epochs_median": median, "epochs_q3": q3}
    return named | {"loss_median": middle, "loss_mean": mean, "loss_sd": sd}


def alike(keys: Sequence[Array], runs: int) -> tuple[Array, Array]:
    """The number of each run's group (runs,), and the first run of each group (groups,)."""
    codes = np.zeros(runs, np.int64)
    for key in keys:
        _, own = np.unique(_sortable(key), return_inverse=True)
        _, codes = np.unique(codes * (own.max(initial=0) + 1) + own, return_inverse=True)
    _, first = np.unique(codes, return_index=True)
    return codes, first


def _sortable(values: Array) -> Array:
    """Values as they are, or numbers for those that have no order among them (texts, None)."""
    if values.dtype.kind in "biuf":
        return values
    seen: dict[Any, int] = {}
    return np.array([seen.setdefault((type(value), value), len(seen)) for value in values.tolist()], np.int64)


def _quantiles(codes: Array, values: Array, count: int, shares: Sequence[float]) -> Iterator[Array]:
    """Quantiles of the values in each group, between neighbours by a line; nan of no values."""
    values = values[np.lexsort((values, codes))]
    sizes = np.bincount(codes, minlength=count)
    starts = np.cumsum(sizes) - sizes
    for share in shares:
        place = share * np.maximum(sizes - 1, 0)
        below = np.floor(place).astype(int)
        found = np.full(count, math.nan)
        some = sizes > 0
        left = values[(starts + below)[some]]
        right = values[(starts + np.minimum(below + 1, sizes - 1))[some]]
        found[some] = left + (place - below)[some] * (right - left)
        yield found


def _moments(codes: Array, values: Array, count: int) -> tuple[Array, Array]:
    """Mean and standard deviation (of a sample, n - 1) in each group; nan where there are too few."""
    sizes = np.bincount(codes, minlength=count).astype(float)
    with np.errstate(all="ignore"):  # losses of runs that are about to diverge may be beyond 1e154
        mean = np.bincount(codes, values, count) / sizes
        squares = np.bincount(codes, (values - mean[codes]) ** 2, count)
        return mean, np.where(sizes > 1, np.sqrt(squares / (sizes - 1)), math.nan)
