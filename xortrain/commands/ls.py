"""``xortrain ls``: runs and sweeps, newest first, one line each.

A sweep is one line, until one asks for runs (``--where``, ``--runs``): then each of its runs is a line.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from xortrain.commands.arguments import count, names, parser
from xortrain.errors import unknown
from xortrain.records import columns
from xortrain.records.files import plain
from xortrain.records.index import Entry, Listing, listing
from xortrain.records.tables import GAP, NULL, as_json, cell, table

FIRST = ("id", "status", "outcome", "runs", "epochs_done", "final_loss")
LAST = ("name", "tags")
GIVES_WAY = ("epochs_done", "runs", "tags", "name")  # in this order, where settings that differ have no room
ASKED = ("lr", "data", "architecture.hidden", "activation", "optimizer", "loss", "seed")  # the most
MOST_DIFFERING = 30  # settings among which those that fit are looked for
NARROW, WIDTH, WIDEST = 80, 120, 240  # of a table; the middle one where it does not go to a terminal
NOTES = (
    "Columns are settings by their dotted names (lr, optimizer.momentum; a group alone is the option chosen: "
    "optimizer), results (outcome, epochs_done, solved_at, final_loss, best_loss, accuracy, test_loss, diverged_at, "
    "…) and id, status, runs, name, tags, notes, started, ended, seconds, host, version, path. "
    "Without --columns those settings are shown in which the lines differ, as far as the width goes."
)


Line = Mapping[str, Any]
VARIES = "varies"
OF_SWEEPS = ("runs", "done", "solved", "outcomes")


def cell_value(line: Line, name: str) -> Any:
    """What a table shows of a line: a setting that is null says so, one that the run does not have is empty."""
    return NULL if name in line and line[name] is None and columns.is_setting(name) else line.get(name)


def lines_of(
    entries: Sequence[Entry],
    where: str | None = None,
    runs: bool = False,
    tags: Sequence[str] = (),
    brief: Collection[str] | None = None,
) -> Iterator[Line]:
    """A line for each run, and one for a sweep unless its runs are asked for, by ``runs`` or by a condition."""
    tagged = [entry for entry in entries if _may_have_tags(entry, tags)]
    if where is not None:
        yield from _matching(tagged, where, tags)
        return
    for entry in tagged:
        if entry.is_sweep and not runs and set(tags) <= set(entry.marks.tags):
            yield of_sweep(entry, brief)
        else:
            lines = (line for part in entry.parts for line in columns.run_lines(entry, part, brief))
            yield from (line for line in lines if _has_tags(entry, line["number"], tags))


def _matching(entries: Sequence[Entry], where: str, tags: Sequence[str]) -> Iterator[Line]:
    from xortrain.records.query import select

    for entry, part, place in select(entries, where, "--where"):
        line = columns.values(entry, part, place)
        if _has_tags(entry, line["number"], tags):
            yield line


def _has_tags(entry: Entry, number: int, tags: Sequence[str]) -> bool:
    return not tags or set(tags) <= set(entry.marks.of(number).tags)


def _may_have_tags(entry: Entry, tags: Sequence[str]) -> bool:
    """Whether an entry, or a run in it, has all these tags."""
    return not tags or any(_has_tags(entry, number, tags) for number in (-1, *entry.marks.of_runs))


def of_sweep(entry: Entry, brief: Collection[str] | None = None) -> Line:
    """The columns of a sweep: settings that its runs share, "varies" for the others, and how many solved it."""
    shared = [part.settings for part in entry.parts]
    wanted = dict.fromkeys(key for settings in shared for key in settings)
    keys = [key for key in wanted if brief is None or key.partition(".")[0] in brief]
    line = {key: shared[0].get(key) if len({repr(s.get(key)) for s in shared}) == 1 else VARIES for key in keys}
    line |= {name: VARIES for part in entry.parts for name in part.metadata["varies"]}
    counted: Counter[str] = sum((part.outcomes() for part in entry.parts), start=Counter())
    done, solved = entry.runs - counted["pending"], counted["solved"]
    of = "" if done == entry.runs else f" of {done}"
    told = f"solved {100 * solved / done:.3g} %{of}" if done else "pending"
    return {
        **line,
        **columns.record_columns(entry, entry),
        "outcome": told,
        "runs": entry.runs,
        "done": done,
        "solved": solved,
        "outcomes": counted,
    }


def ls(arguments: list[str]) -> str:
    """The text of a listing."""
    p = parser("ls", notes=NOTES)
    p.add_argument(
        "--where", metavar="EXPR", help="runs for which this holds, as in \"lr > 0.5 and outcome = 'solved'\""
    )
    p.add_argument("--runs", action="store_true", help="a line for each run of a sweep")
    p.add_argument("--tag", action="append", default=[], help="only what has this tag; may be given again")
    p.add_argument("--sort", metavar="COLUMN", help="in this order, instead of the newest first")
    p.add_argument("--reverse", action="store_true", help="the other way round")
    p.add_argument("--columns", type=names, metavar="A,B,…", help="these columns, after the id")
    p.add_argument("--limit", type=count, metavar="N", help="the first N lines")
    a = p.parse_args(arguments)
    found = listing(a.root)
    parts = [part for entry in found.entries for part in entry.parts]
    brief = None if a.json or a.columns or a.sort else columns.differing(parts)
    lines = _sorted(list(lines_of(found.entries, a.where, a.runs, a.tag, brief)), a.sort, a.reverse)[: a.limit]
    chosen = None
    if a.columns:
        chosen = ["id", *(_known("--columns", name, lines) for name in a.columns if name != "id")]
    if a.json:
        return as_json([*(_chosen(line, chosen) for line in lines), *_problems(found)])
    told = [f"{plain(problem['id'])}: unreadable: {problem['problem']}" for problem in _problems(found)]
    text = _text(lines, chosen or _fitting(lines, a.sort)) if lines else _nothing(found, bool(a.where or a.tag))
    return "\n".join([text, *told])


def _sorted(lines: list[Line], name: str | None, reverse: bool) -> list[Line]:
    """Lines in the order of a column, texts behind numbers; those that do not have it stand last either way."""
    if name is None:
        return lines[::-1] if reverse else lines
    key = _known("--sort", name, lines)
    have = [line for line in lines if line.get(key) is not None]
    lack = [line for line in lines if line.get(key) is None]
    return [*sorted(have, key=lambda line: _order(line[key]), reverse=reverse), *lack]


def _order(value: Any) -> tuple[bool, Any]:
    is_number = isinstance(value, int | float)
    return not is_number, value if is_number else str(value)


def _known(flag: str, name: str, lines: Sequence[Line]) -> str:
    """The column a user means; an unknown one is told with the nearest."""
    key = columns.canonical(name)
    known = {*columns.RECORD, *columns.RESULTS, "runs", *(key for line in lines for key in line)}
    if key not in known and lines:
        raise unknown(flag, name, known, "column")
    return key


def _chosen(line: Line, chosen: Sequence[str] | None) -> Line:
    return line if chosen is None else {name: line.get(name) for name in chosen}


def _problems(found: Listing) -> Iterator[dict[str, str]]:
    for name, problem in found.problems.items():
        yield {"id": name, "status": "unreadable", "problem": problem}
    for entry in found.entries:
        for problem in entry.problems:
            yield {"id": entry.id, "status": "unreadable", "problem": problem}


def _nothing(found: Listing, asked: bool) -> str:
    if found.entries:
        return "no runs for which this holds" if asked else "no runs"
    return f"no runs under {plain(found.root)}"


def _text(lines: Sequence[Line], chosen: Sequence[str]) -> str:
    return table(chosen, ([cell_value(line, name) for name in chosen] for line in lines))


def _fitting(lines: Sequence[Line], sort: str | None) -> list[str]:
    """The columns that a listing shows by itself: the one it is sorted by, those with something in them, and settings.

    Of settings those that differ, as many as fit; where it is narrow, some of the others make room for the first two.
    """
    asked = [columns.canonical(sort)] if sort else []
    first = [name for name in FIRST if any(line.get(name) is not None for line in lines)]
    last = [name for name in LAST if any(line.get(name) for line in lines)]
    differing = [name for name in _differing(lines) if name not in asked][:MOST_DIFFERING]
    widths = {name: _width(name, lines) for name in (*first, *asked, *differing, *last)}
    room = _terminal() + len(GAP)
    for name in GIVES_WAY:
        if name not in asked and _sum(widths, first, asked, differing[:2], last) > room:
            first, last = ([own for own in some if own != name] for some in (first, last))
    shown = list[str]()
    for name in differing:
        if _sum(widths, first, asked, shown, [name], last) <= room:
            shown.append(name)
    return list(dict.fromkeys([*first, *asked, *shown, *last]))


def _sum(widths: Mapping[str, int], *chosen: Sequence[str]) -> int:
    return sum(widths[name] + len(GAP) for name in dict.fromkeys(chain(*chosen)))


def _width(name: str, lines: Sequence[Line]) -> int:
    return max([len(name), *(len(cell(cell_value(line, name))) for line in lines)])


def _terminal() -> int:
    """Columns of the terminal, at least 80; 120 where there is none."""
    try:
        return min(max(os.get_terminal_size().columns, NARROW), WIDEST)
    except OSError:
        return WIDTH


def _differing(lines: Sequence[Line]) -> list[str]:
    """Settings in which the lines differ: those asked for most, groups and what stands by itself, then the rest."""
    found = (key for key in dict.fromkeys(chain(*lines)) if key not in OF_SWEEPS)
    keys = [key for key in found if columns.is_setting(key)]
    differ = [key for key in keys if lines[0].get(key) == VARIES or len({line.get(key) for line in lines}) > 1]
    return sorted(differ, key=lambda key: (ASKED.index(key) if key in ASKED else len(ASKED), "." in key))
