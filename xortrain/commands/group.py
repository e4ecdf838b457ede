"""`xortrain group`: runs that agree in some settings, and how often, how fast and how well they learned."""

from collections.abc import Sequence

import numpy as np

from xortrain.commands.arguments import NAMES, Selection, count, entries_of, named_runs, names_or_none, parser
from xortrain.records.groups import group_runs
from xortrain.records.tables import as_json
from xortrain.views.group_table import group_report

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
    groups = group_runs([some.part for some in chosen], a.by, "--by", _places(chosen))
    if a.json:
        return as_json(found.as_row() for found in groups[: a.limit])
    return group_report(entries_of(chosen), groups, sum(len(some.places) for some in chosen), a.limit)


def _places(chosen: Sequence[Selection]) -> np.typing.NDArray[np.int64]:
    """The places of the chosen runs among all runs of their records."""
    starts = np.cumsum([0, *(len(some.part.rows) for some in chosen)])
    return np.concatenate([start + np.asarray(some.places) for start, some in zip(starts, chosen, strict=False)])
