"""The table of groups of runs: success rates, epochs to solve and losses, and a line on what it leaves out."""

import math
from collections.abc import Sequence
from typing import Any

from xortrain.records.files import plain
from xortrain.records.groups import GroupStatistics
from xortrain.records.index import Entry, failures_of
from xortrain.records.tables import NULL, cell, table

HEAD = ("runs", "solved", "epochs to solve", "final loss", "mean ± sd", "diverged", "stuck")


def group_report(
    entries: Sequence[Entry], groups: Sequence[GroupStatistics], runs: int, limit: int | None = None
) -> str:
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


def repeats(groups: Sequence[GroupStatistics], runs: int) -> list[str]:
    """A line on the runs that stand in no group, since they are the same as others."""
    left_out = runs - sum(found.runs for found in groups)
    if not left_out:
        return []
    told = "1 run repeats another" if left_out == 1 else f"{left_out} runs repeat others"
    return [f"{told} (same settings, same seed) and {'is' if left_out == 1 else 'are'} not counted"]


def groups_table(groups: Sequence[GroupStatistics]) -> str:
    """One line a group."""
    by = list(groups[0].by) if groups else []
    return table([*by, *HEAD], ([*(_known(found.by[name]) for name in by), *_cells(found)] for found in groups))


def _known(value: Any) -> Any:
    return NULL if value is None else value


def _cells(found: GroupStatistics) -> list[Any]:
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
