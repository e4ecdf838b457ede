"""``xortrain ls``: runs and sweeps, newest first, one line each.

A sweep is one line, until one asks for runs (``--where``, ``--runs``): then each of its runs is a line.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from xortrain.errors import unknown
from xortrain.records import columns
from xortrain.records.files import plain
from xortrain.records.index import Entry, Listing, listing
from xortrain.tracker.arguments import count, names, parser
from xortrain.tracker.text import GAP, as_json, cell, table

Line = Mapping[str, Any]
FIRST = ("id", "status", "outcome", "runs", "epochs_done", "final_loss")
LAST = ("name", "tags")
OWN = ("id", "status", "outcome", "epochs_done", "final_loss", "seed", "tags")  # of a run, for the lines shown unasked
VARIES = "varies"
WIDTH = 120  # of a table that does not go to a terminal
NOTES = (
    "Columns are settings by their dotted names (lr, optimizer.momentum; a group alone is the option chosen: "
    "optimizer), results (outcome, epochs_done, solved_at, final_loss, best_loss, accuracy, test_loss, diverged_at, "
    "…) and id, status, runs, name, tags, notes, started, ended, seconds, host, version, path. "
    "Without --columns those settings are shown in which the lines differ, as far as the width goes."
)


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
    own = None if a.json or a.columns or a.sort else OWN
    lines = list(_lines(found, a.where, a.runs, a.tag, own))
    lines = _sorted(lines, a.sort, a.reverse)[: a.limit]
    chosen = None if a.columns is None else ["id", *(_known(name, lines) for name in a.columns if name != "id")]
    if a.json:
        return as_json([*(_chosen(line, chosen) for line in lines), *_problems(found)])
    told = [f"{plain(problem['id'])}: unreadable: {problem['problem']}" for problem in _problems(found)]
    text = _text(lines, chosen or _fitting(lines)) if lines else _nothing(found, bool(a.where or a.tag))
    return "\n".join([text, *told])


def _lines(
    found: Listing, where: str | None, runs: bool, tags: Sequence[str], own: Sequence[str] | None
) -> Iterator[Line]:
    entries = [entry for entry in found.entries if not tags or _has(entry, tags)]
    if where:
        from xortrain.records.query import select

        chosen = (
            (entry, columns.values(entry, part, place)) for entry, part, place in select(entries, where, "--where")
        )
        yield from (line for entry, line in chosen if not tags or set(tags) <= set(line["tags"].split(", ")))
        return
    for entry in entries:
        is_tagged = not tags or set(tags) <= set(entry.marks.tags)
        if entry.is_sweep and not runs and is_tagged:
            yield of_sweep(entry)
        else:
            yield from _runs(entry, () if is_tagged else tags, own)


def _has(entry: Entry, tags: Sequence[str]) -> bool:
    """Whether an entry, or a run in it, has all these tags."""
    own = set(entry.marks.tags)
    return any(set(tags) <= own | set(marks.tags) for marks in [entry.marks, *entry.marks.of_runs.values()])


def _runs(entry: Entry, tags: Sequence[str], own: Sequence[str] | None) -> Iterator[Line]:
    for part in entry.parts:
        for line in columns.lines(entry, part, own):
            if not tags or set(tags) <= set(line["tags"].split(", ")):
                yield line


def of_sweep(entry: Entry) -> Line:
    """The columns of a sweep: settings that its runs share, "varies" for the others, and how many solved it."""
    shared = [columns.settings(part.about["config"]) for part in entry.parts]
    keys = dict.fromkeys(key for settings in shared for key in settings)
    line = {key: shared[0].get(key) if len({repr(s.get(key)) for s in shared}) == 1 else VARIES for key in keys}
    line |= {name: VARIES for part in entry.parts for name in part.about["varies"]}
    counted: dict[str, int] = {}
    for part in entry.parts:
        for word, runs in part.outcomes().items():
            counted[word] = counted.get(word, 0) + runs
    done = entry.runs - counted.get("pending", 0)
    solved = counted.get("solved", 0)
    told = f"solved {100 * solved / done:.3g} %" if done else "pending"
    return {
        **line,
        **columns.standing(entry, entry),
        "outcome": told,
        "runs": entry.runs,
        "done": done,
        "solved": solved,
        "outcomes": counted,
    }


def _sorted(lines: list[Line], name: str | None, reverse: bool) -> list[Line]:
    """Lines in the order of a column, texts behind numbers; those that do not have it stand last either way."""
    if name is None:
        return lines[::-1] if reverse else lines
    key = _known(name, lines)
    have = [line for line in lines if line.get(key) is not None]
    lack = [line for line in lines if line.get(key) is None]
    return [*sorted(have, key=lambda line: (isinstance(line[key], str), line[key]), reverse=reverse), *lack]


def _known(name: str, lines: Sequence[Line]) -> str:
    """The column a user means; an unknown one is told with the nearest."""
    key = columns.canonical(name)
    known = {*columns.RECORD, *columns.RESULTS, "runs", *(key for line in lines for key in line)}
    if key not in known and lines:
        raise unknown("columns", name, known, "column")
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
    return table(chosen, ([line.get(name) for name in chosen] for line in lines))


def _fitting(lines: Sequence[Line]) -> list[str]:
    """The columns that a listing shows by itself: those with something in them, and settings that differ."""
    always = [name for name in FIRST if any(line.get(name) is not None for line in lines)]
    always += [name for name in LAST if any(line.get(name) for line in lines)]
    room = min(max(shutil.get_terminal_size((WIDTH, 24)).columns, 80), WIDTH) - _width(always, lines)
    shown = []
    for name in _differing(lines):
        room -= _width([name], lines) + len(GAP)
        if room < 0:
            break
        shown.append(name)
    place = len(always) - sum(name in always for name in LAST)
    return [*always[:place], *shown, *always[place:]]


def _width(chosen: Iterable[str], lines: Sequence[Line]) -> int:
    return sum(max([len(name), *(len(cell(line.get(name))) for line in lines)]) + len(GAP) for name in chosen) - len(
        GAP
    )


def _differing(lines: Sequence[Line]) -> list[str]:
    """Settings in which the lines differ: groups and what stands by itself, then what belongs to a group."""
    keys = [key for key in dict.fromkeys(chain(*lines)) if key == "seed" or columns.matters(key)]
    differ = [key for key in keys if lines[0].get(key) == VARIES or len({line.get(key) for line in lines}) > 1]
    return sorted(differ, key=lambda key: "." in key)
