"""``xortrain group``: runs that agree in some settings, and how often, how fast and how well they learned."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from xortrain.records.files import plain
from xortrain.records.groups import group as groups_of
from xortrain.records.index import Entry
from xortrain.records.statistics import Group
from xortrain.tracker.arguments import NAMES, count, names_or_none, parser
from xortrain.tracker.failures import failures_of
from xortrain.tracker.selecting import Selection, entries_of, named_runs
from xortrain.tracker.text import NULL, as_json, cell, finite, table

HEAD = ("runs", "solved", "epochs to solve", "final loss", "mean ± sd", "diverged", "stuck")
NOTES = (
    "Best first: by the lower end of the 95 % interval (Wilson) of the share that solved it, then by epochs to solve. "
    "Epochs to solve are median (quartiles) of the runs that solved it; final losses median, mean and standard "
    "deviation of those that did not diverge; stuck are those that neither solved it nor diverged nor were still "
    f"on their way. Of runs with the same settings and the same seed one is counted. {NAMES}"
)


def group(arguments: list[str]) -> str:
    """The text of the statistics of some sweeps."""
    p = parser("group", notes=NOTES)
    p.add_argument("sweeps", nargs="+", metavar="SWEEP", help="sweeps or runs")
    p.add_argument(
        "--by",
        type=names_or_none,
        metavar="A,B,…",
        help='settings (all that differ but the seed, if not given; "" for all runs together)',
    )
    p.add_argument("--limit", type=count, metavar="N", help="the first N groups")
    a = p.parse_args(arguments)
    chosen = named_runs(a.sweeps, a.root)
    groups = groups_of([some.part for some in chosen], a.by, "--by", _places(chosen))
    if a.json:
        return as_json(map(as_line, groups[: a.limit]))
    return report(entries_of(chosen), groups, sum(len(some.places) for some in chosen), a.limit)


def _places(chosen: Sequence[Selection]) -> np.typing.NDArray[np.int64]:
    """The places of the chosen runs among all runs of their records."""
    starts = np.cumsum([0, *(len(some.part.rows) for some in chosen)])
    return np.concatenate([start + np.asarray(some.places) for start, some in zip(starts, chosen, strict=False)])


def report(entries: Sequence[Entry], groups: Sequence[Group], runs: int, limit: int | None = None) -> str:
    """The table of groups of so many runs, and what it does not show: repeats, unfinished runs, and all failures."""
    lines = [groups_table(groups[:limit])]
    if limit is not None and len(groups) > limit:
        lines.append(f"and {len(groups) - limit} more groups")
    lines += repeats(groups, runs)
    pending = sum(found.pending for found in groups)
    if pending:
        lines.append(f"{pending} runs are not finished and not counted")
    for entry in entries:
        lines += failures_of(entry)
        lines += [f"{plain(entry.id)}: unreadable: {problem}" for problem in entry.problems]
    return "\n".join(lines)


def repeats(groups: Sequence[Group], runs: int) -> list[str]:
    """A line on the runs that stand in no group, since they are the same as others."""
    left_out = runs - sum(found.runs for found in groups)
    if not left_out:
        return []
    told = "1 run repeats another" if left_out == 1 else f"{left_out} runs repeat others"
    return [f"{told} (same settings, same seed) and {'is' if left_out == 1 else 'are'} not counted"]


def as_line(found: Group) -> dict[str, Any]:
    """A group as flat JSON: what it agrees in, then its numbers, None where there is none."""
    return {**found.by, **{key: finite(value) for key, value in vars(found).items() if key != "by"}}


def groups_table(groups: Sequence[Group]) -> str:
    """One line a group."""
    by = list(groups[0].by) if groups else []
    return table([*by, *HEAD], ([*(_known(found.by[name]) for name in by), *_cells(found)] for found in groups))


def _known(value: Any) -> Any:
    return NULL if value is None else value


def _cells(found: Group) -> list[Any]:
    done = found.runs - found.pending
    share = f"{_percent(found.rate)} % ({_percent(found.low)}-{_percent(found.high)})" if done else "-"
    epochs = f"{cell(found.epochs_median)} ({cell(found.epochs_q1)}-{cell(found.epochs_q3)})" if found.solved else "-"
    mean = cell(found.loss_mean) if math.isfinite(found.loss_mean) else "-"
    spread = f" ± {found.loss_sd:.2g}" if math.isfinite(found.loss_sd) else ""
    return [done, share, epochs, found.loss_median, mean + spread, found.diverged, found.stuck]


def _percent(share: float) -> str:
    """Three digits, and never 100 or 0 for what is not quite."""
    text = f"{100 * share:.3g}"
    return text if float(text) not in (0, 100) or share in (0, 1) else f"{100 * share:.6g}"
