"""``xortrain group``: success rates, epochs to solve and losses of runs with the same settings."""

import numpy as np

from xortrain.commands.arguments import (
    NAMES,
    add_where,
    answer,
    comma_separated,
    command_parser,
    entries_of,
    positive_int,
    selection,
)
from xortrain.records.groups import group_runs
from xortrain.views.group_table import group_report

NOTES = (
    "Groups are ordered by the lower end of the 95 % interval (Wilson) of their success rate, then by epochs to solve. "
    "Epochs to solve are median (quartiles) of the runs that solved the task; final losses median, mean and standard "
    "deviation of those that neither diverged nor exploded; stuck are the others, but for those that learnt, were "
    f"stopped early or were still learning. Runs with the same settings and the same seed count once. {NAMES}"
)


def group(arguments: list[str]) -> str:
    """xortrain group [SWEEP …]: the table of groups."""
    p = command_parser("group", NOTES)
    p.add_argument("sweeps", nargs="*", metavar="SWEEP", help="sweeps or runs (default: all)")
    add_where(p)
    p.add_argument(
        "--by",
        type=lambda text: comma_separated(text) if text else [],
        metavar="A,B,…",
        help='settings or status (default: all settings that differ, except the seed; "": one group of all runs)',
    )
    p.add_argument("--limit", type=positive_int, metavar="N", help="only the first N groups")
    a = p.parse_args(arguments)
    chosen = selection(a.sweeps, a.where, a.root)
    starts = np.cumsum([0, *(len(found.part.rows) for found in chosen)])
    indices = [start + np.asarray(found.indices) for start, found in zip(starts, chosen, strict=False)]
    groups = group_runs([found.part for found in chosen], a.by, "--by", np.concatenate(indices))
    lines = group_report(entries_of(chosen), groups, sum(map(len, indices)), a.limit)
    return answer(a, (found.as_row() for found in groups[: a.limit]), [lines])
