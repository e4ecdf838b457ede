"""The table of groups of runs: success rates, epochs to solve and losses, and notes on the runs that are not in it."""

import math
from collections.abc import Sequence
from typing import Any

from xortrain.errors import counted
from xortrain.records.groups import GroupStatistics, group_runs
from xortrain.records.index import Entry, RecordInfo
from xortrain.records.tables import NULL, format_cell, format_table, html_table


def group_report(
    entries: Sequence[Entry], groups: Sequence[GroupStatistics], runs: int, limit: int | None = None
) -> str:
    """The table of the groups of ``runs`` runs, with the runs that it does not count, and all failures."""
    lines = [format_table(*_columns(groups[:limit]))]
    if limit is not None and len(groups) > limit:
        lines.append(f"and {counted(len(groups) - limit, 'more group')}")
    lines += _repeats(groups, runs)
    pending = sum(found.pending for found in groups)
    if pending:
        lines.append(f"{counted(pending, 'run')} {'is' if pending == 1 else 'are'} not finished and not counted")
    for entry in entries:
        lines += entry.failures()
    return "\n".join(lines)


def best_groups(parts: Sequence[RecordInfo], most: int) -> list[str]:
    """The table of the best groups of a sweep, and a line for those left out."""
    groups = group_runs(parts)
    others = [f"and {len(groups) - most} more, see xortrain group"] if len(groups) > most else []
    repeats = _repeats(groups, sum(len(part.rows) for part in parts))
    return [format_table(*_columns(groups[:most])), *others, *repeats]


def _repeats(groups: Sequence[GroupStatistics], runs: int) -> list[str]:
    """A line for the runs that are in no group because they repeat others."""
    repeats = runs - sum(found.runs for found in groups)
    if not repeats:
        return []
    line = "1 run repeats another" if repeats == 1 else f"{repeats} runs repeat others"
    return [f"{line} (same settings, same seed) and {'is' if repeats == 1 else 'are'} not counted"]


def group_html(groups: Sequence[GroupStatistics]) -> str:
    """The table of the groups for a notebook."""
    return html_table(*_columns(groups))


def _columns(groups: Sequence[GroupStatistics]) -> tuple[list[str], list[list[Any]], list[str]]:
    """The names of the columns, the rows, and which columns are settings."""
    by = list(groups[0].by) if groups else []
    columns = [_cells(found) for found in groups] or [dict[str, Any]()]
    unused = {"learnt"} if not any(found.learnt for found in groups) else set[str]()
    exploded = any("exploded" in found.outcomes for found in groups)
    head = [name for name in columns[0] if name not in unused]
    rows = [
        [*(NULL if found.by[name] is None else found.by[name] for name in by), *(cells[name] for name in head)]
        for found, cells in zip(groups, columns, strict=False)
    ]
    names = {"diverged": "diverged or exploded"} if exploded else {}
    return [*by, *(names.get(name, name) for name in head)], rows, by


def _cells(found: GroupStatistics) -> dict[str, Any]:
    done = found.runs - found.pending
    rate = f"{_percent(found.rate)} % ({_percent(found.low)}-{_percent(found.high)})" if done else "-"
    median, q1, q3 = map(format_cell, (found.epochs_median, found.epochs_q1, found.epochs_q3))
    epochs = f"{median} ({q1}-{q3})" if found.solved else "-"
    mean = format_cell(found.loss_mean) if math.isfinite(found.loss_mean) else "-"
    spread = f" ± {found.loss_sd:.2g}" if math.isfinite(found.loss_sd) else ""
    return {
        "runs": done, "solved": rate, "learnt": found.learnt, "epochs to solve": epochs,
        "final loss": found.loss_median, "mean ± sd": mean + spread, "diverged": found.diverged, "stuck": found.stuck,
    }  # fmt: skip


def _percent(share: float) -> str:
    """Three digits; more if they would round to 0 or 100."""
    text = f"{100 * share:.3g}"
    return text if float(text) not in (0, 100) or share in (0, 1) else f"{100 * share:.6g}"
