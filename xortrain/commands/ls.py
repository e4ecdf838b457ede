"""``xortrain ls`` and ``sql``: list runs and sweeps, newest first, one line each; query all runs.

A sweep is one line; with ``--where`` or ``--runs`` each of its runs is one.
"""

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from xortrain.commands.arguments import answer, comma_separated, command_parser, positive_int
from xortrain.errors import printable, unknown, width_of
from xortrain.records import columns
from xortrain.records.index import Entry, Listing, RecordInfo, listing
from xortrain.records.naming import shown_root
from xortrain.records.tables import GAP, NULL, as_json, column_texts, format_table

FIRST = ("id", "status", "outcome", "runs", "epochs_done", "final_loss")
LAST = ("name", "tags")
DROPPED = ("epochs_done", "runs", "tags", "name")  # in this order, to make room for settings that differ
PREFERRED = ("lr", "data", "architecture.hidden", "activation", "optimizer", "loss", "seed")
MOST_DIFFERING = 30  # settings that are tried
NARROW, WIDTH, WIDEST = 80, 120, 240  # characters of a line: at least, without a terminal, and at most
NOTES = (
    "Columns are settings by their dotted names (lr, optimizer.momentum; the name of a group is the option chosen: "
    "optimizer), results (outcome, epochs_done, solved_at, final_loss, best_loss, accuracy, test_loss, diverged_at, "
    "…) and id, status, runs, name, tags, notes, started, ended, seconds, host, version, path. "
    "Without --columns, the settings that differ between the lines are shown, as many as fit."
)
Line = Mapping[str, Any]


def cell_value(line: Line, name: str) -> Any:
    """The value of a line for a table: "null" for a setting that is null, None for one that the run does not have."""
    return NULL if name in line and line[name] is None and columns.is_setting(name) else line.get(name)


def _lines(
    entries: Sequence[Entry], where: str | None, runs: bool, tags: Sequence[str], brief: Collection[str] | None
) -> Iterator[Line]:
    """A line for each run, and for each sweep unless its runs are listed because of ``runs`` or a condition."""
    tagged = [entry for entry in entries if _tagged(entry, tags)]
    if where is not None:
        yield from _matching(tagged, where, tags)
        return
    for entry in tagged:
        if entry.is_sweep and not runs and set(tags) <= set(entry.marks.tags):
            yield columns.sweep_columns(entry, brief)
        else:
            lines = ((part, line) for part in _tagged(entry, tags) for line in columns.run_lines(entry, part, brief))
            yield from (line for part, line in lines if _has_tags(part, line["number"], tags))


def _matching(entries: Sequence[Entry], where: str, tags: Sequence[str]) -> Iterator[Line]:
    from xortrain.records.query import select

    for entry, part, place in select(entries, where, "--where"):
        line = columns.run_columns(entry, part, place)
        if _has_tags(part, line["number"], tags):
            yield line


def _tagged(entry: Entry, tags: Sequence[str]) -> list[RecordInfo]:
    """The records of an entry with runs that have these tags."""
    return [part for part in entry.parts if any(_has_tags(part, n, tags) for n in (-1, *part.marks.of_runs))]


def _has_tags(part: RecordInfo, number: int, tags: Sequence[str]) -> bool:
    return not tags or set(tags) <= set(part.marks.of(number).tags)


def ls(arguments: list[str]) -> str:
    """xortrain ls: the table, and a line for each unreadable record."""
    p = command_parser("ls", NOTES)
    p.add_argument(
        "--where", metavar="EXPR", help="only runs that match this condition: \"lr > 0.5 and outcome = 'solved'\""
    )
    p.add_argument("--runs", action="store_true", help="one line for each run of a sweep")
    p.add_argument("--tag", action="append", default=[], help="only runs and sweeps with this tag; may be repeated")
    p.add_argument("--sort", metavar="COLUMN", help="sort by this column (default: newest first)")
    p.add_argument("--reverse", action="store_true", help="reverse the order")
    p.add_argument("--columns", type=comma_separated, metavar="A,B,…", help="show the id and these columns")
    p.add_argument("--limit", type=positive_int, metavar="N", help="only the first N lines")
    a = p.parse_args(arguments)
    found = listing(a.root)
    parts = [part for entry in found.entries for part in entry.parts]
    brief = None if a.json or a.columns or a.sort else columns.differing_keys(parts)
    lines = _sorted(list(_lines(found.entries, a.where, a.runs, a.tag, brief)), a.sort, a.reverse)[: a.limit]
    chosen = None
    if a.columns:
        chosen = ["id", *(_known_column("--columns", name, lines) for name in a.columns if name != "id")]
    if a.json:
        items = lines if chosen is None else [{name: line.get(name) for name in chosen} for line in lines]
        return as_json([*items, *_problems(found)])
    problems = [f"{printable(problem['id'])}: unreadable: {problem['problem']}" for problem in _problems(found)]
    text = _empty_message(found, bool(a.where or a.tag))
    if lines:
        shown = chosen or _default_columns(lines, a.sort)
        rows = ([cell_value(line, name) for name in shown] for line in lines)
        text = format_table(shown, rows, list(filter(columns.is_setting, shown)))
    return "\n".join([text, *problems])


def _sorted(lines: list[Line], name: str | None, reverse: bool) -> list[Line]:
    """Lines sorted by a column, numbers before texts; lines without a value are last in both directions."""
    if name is None:
        return lines[::-1] if reverse else lines
    key = _known_column("--sort", name, lines)
    have = [line for line in lines if line.get(key) not in (None, "")]
    lack = [line for line in lines if line.get(key) in (None, "")]
    return [*sorted(have, key=lambda line: _sort_key(line[key]), reverse=reverse), *lack]


def _sort_key(value: Any) -> tuple[bool, Any]:
    is_number = isinstance(value, int | float)
    return not is_number, value if is_number else str(value)


def _known_column(flag: str, name: str, lines: Sequence[Line]) -> str:
    """The column that a user names; raises UserError with the nearest name if there is none."""
    key = columns.canonical(name)
    known = {*columns.RECORD, *columns.RESULTS, "runs", *(key for line in lines for key in line)}
    if key not in known and lines:
        raise unknown(flag, name, known, "column")
    return key


def _problems(found: Listing) -> Iterator[dict[str, str]]:
    for name, problem in found.problems.items():
        yield {"id": name, "status": "unreadable", "problem": problem}
    for entry in found.entries:
        for problem in entry.problems:
            yield {"id": entry.id, "status": "unreadable", "problem": problem}


def _empty_message(found: Listing, is_filtered: bool) -> str:
    if found.entries:
        return "no matching runs" if is_filtered else "no runs"
    return f"no runs under {shown_root(found.root)}"


def _default_columns(lines: Sequence[Line], sort: str | None) -> list[str]:
    """The columns that a listing shows by default: the sort column, those that are not empty, and settings.

    As many settings that differ as fit; in a narrow terminal, other columns are dropped to make room for the first two.
    """
    sorted_by = [columns.canonical(sort)] if sort else []
    first = [name for name in FIRST if any(line.get(name) is not None for line in lines)]
    last = [name for name in LAST if any(line.get(name) for line in lines)]
    differing = [name for name in _differing(lines) if name not in sorted_by][:MOST_DIFFERING]
    widths = {name: _width(name, lines) for name in (*first, *sorted_by, *differing, *last)}
    room = min(max(shutil.get_terminal_size((WIDTH, 0)).columns, NARROW), WIDEST) + len(GAP)
    for name in DROPPED:
        if name not in sorted_by and _total_width(widths, first, sorted_by, differing[:2], last) > room:
            first, last = ([own for own in names if own != name] for names in (first, last))
    shown = list[str]()
    for name in differing:
        if _total_width(widths, first, sorted_by, shown, [name], last) <= room:
            shown.append(name)
    return list(dict.fromkeys([*first, *sorted_by, *shown, *last]))


def _total_width(widths: Mapping[str, int], *chosen: Sequence[str]) -> int:
    return sum(widths[name] + len(GAP) for name in dict.fromkeys(chain(*chosen)))


def _width(name: str, lines: Sequence[Line]) -> int:
    values = [cell_value(line, name) for line in lines]
    return max(map(width_of, [name, *column_texts(name, values, columns.is_setting(name))]))


def _differing(lines: Sequence[Line]) -> list[str]:
    """Settings in which the lines differ: the preferred ones, then those without a group, then the rest."""
    found = (key for key in dict.fromkeys(chain(*lines)) if key not in columns.OF_SWEEPS)
    keys = [key for key in found if columns.is_setting(key)]
    differ = [key for key in keys if lines[0].get(key) == columns.VARIES or len({line.get(key) for line in lines}) > 1]
    return sorted(differ, key=lambda key: (PREFERRED.index(key) if key in PREFERRED else len(PREFERRED), "." in key))


SQL_NOTES = (
    "There is one table, runs, with a row for each run of each sweep. Its columns are those of xortrain ls, dotted "
    "names without quotes: select optimizer, avg(outcome = 'solved') from runs where lr > 0.5 group by optimizer"
)


def sql(arguments: list[str]) -> str:
    """xortrain sql QUERY: the table that a query selects."""
    p = command_parser("sql", SQL_NOTES)
    p.add_argument("query", metavar="QUERY", help="a select, as one argument")
    a = p.parse_args(arguments)
    from xortrain.records.query import ask_all

    names, rows = ask_all(a.root, a.query)
    return answer(a, (dict(zip(names, row, strict=True)) for row in rows), [format_table(names, rows)])
