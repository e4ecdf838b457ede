"""Answers SQL queries about runs from a read-only table ``runs`` in memory, with the columns of `columns`.

Dotted names need no quotes.  Only the columns that a query uses are filled.
"""

import re
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Any

from xortrain.errors import UserError, nearest, printable
from xortrain.records import columns
from xortrain.records.index import Entry, RecordInfo, listing

MOST_COLUMNS = 1900  # of SQLite's 2000
PATIENCE = 100_000  # SQLite's steps between two checks for Ctrl-C
Found = tuple[Entry, RecordInfo, int]
Answer = tuple[list[str], list[tuple[Any, ...]]]
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_PLACE = r"\[\s*[0-9]+(?:\s*,\s*[0-9]+)*\s*\]"  # of a parameter, as in W1[0, 1]
_TOKEN = re.compile(
    rf"(?P<entry>[A-Za-z]\w*\s*{_PLACE})"
    r"|(?P<text>'(?:[^']|'')*'|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/)"
    r'|(?P<quoted>"(?:[^"]|"")*")'
    r"|(?P<null>[=<>!]+\s*(?i:null)\b)"
    r"|(?P<dotted>[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)+)",
    re.DOTALL,
)
_UNQUOTED = re.compile(r"\s*(?:(true|false|null)|[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*", re.IGNORECASE)
_COMPARED = re.compile(rf"(?P<column>[A-Za-z_][\w.]*(?:\s*{_PLACE})?)\s*(?:[=<>!]+|is(?: not)?)\s*$", re.IGNORECASE)


def select(entries: Sequence[Entry], where: str, option: str = "where") -> list[Found]:
    """The runs for which an expression is true, in the order of the entries; ``option`` is for error messages."""
    if not where.strip():
        raise UserError(f"{option}=: is empty; write a condition, as in lr > 0.5")
    parts = [(entry, part) for entry in entries for part in entry.parts]
    if not parts:
        return []
    start, context = "select rowid from runs where", f"{option}={where}"
    _, rows = _ask(parts, f"{start} ({where}\n)", context, f"{start} {where}")
    ends = list(accumulate(part.metadata["runs"] for _, part in parts))
    found = []
    for (rowid,) in rows:
        which = bisect_right(ends, rowid - 1)
        found.append((*parts[which], rowid - 1 - (ends[which - 1] if which else 0)))
    return found


def ask_all(root: Path, query: str) -> Answer:
    """The answer to a query about all runs under a root."""
    return ask(listing(root).entries, query)


def ask(entries: Sequence[Entry], query: str) -> Answer:
    """The column names and rows of a query's result; a second column of one name is seed:1, as in SQLite's tables."""
    return _ask([(entry, part) for entry in entries for part in entry.parts], query, "sql")


def _ask(parts: Sequence[tuple[Entry, RecordInfo]], query: str, context: str, typed: str = "") -> Answer:
    """The answer to a query; ``typed`` is the query as a user thinks of it, compiled first for its errors."""
    names = columns.column_names(part for _, part in parts)[:MOST_COLUMNS]
    with _errors_in_one_line(context, names), closing(sqlite3.connect(":memory:")) as connection:
        typed, query = quote_columns(typed, names), quote_columns(query, names)
        connection.create_aggregate("median", 1, Median)  # type: ignore[arg-type]
        _create(connection, names)
        used = [_used(connection, text) for text in (typed or query, query)][-1]
        connection.execute("drop table runs")
        wanted = [name for name in names if name in used] or ["number"]
        _create(connection, wanted)
        holes = ",".join("?" * len(wanted))
        for entry, part in parts:
            connection.executemany(f"insert into runs values ({holes})", columns.run_rows(entry, part, wanted))
        connection.set_progress_handler(lambda: 0, PATIENCE)
        connection.set_authorizer(_reads_only)
        answer = connection.execute(query)
        if answer.description is None:
            raise UserError(f"{context}: must be a select")
        head = [re.sub(rf'"(\w+\.\w+|\w+{_PLACE})"', r"\1", printable(name)) for name, *_ in answer.description]
        head = [f"{name}:{head[:k].count(name)}" if name in head[:k] else name for k, name in enumerate(head)]
        return head, answer.fetchall()


class Median:
    """SQL's median(column) of the numbers in it; null if there are none."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def step(self, value: Any) -> None:
        if isinstance(value, int | float):
            self.values.append(value)

    def finalize(self) -> float | None:
        return float(median(self.values)) if self.values else None


def _create(connection: sqlite3.Connection, names: Sequence[str]) -> None:
    connection.execute(f"create table runs ({', '.join(_quote(name) for name in names)})")


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _reads_only(action: int, first: str | None, second: str | None, *_: Any) -> int:
    is_function = action == sqlite3.SQLITE_FUNCTION
    allowed = action in _ALLOWED and not (is_function and second == "load_extension")
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _used(connection: sqlite3.Connection, query: str) -> set[str]:
    """The columns that a query reads; SQLite compiles it, and refuses it if it does anything but read."""
    used: set[str] = set()

    def watch(action: int, first: str | None, second: str | None, *_: Any) -> int:
        if action == sqlite3.SQLITE_READ and first == "runs" and second:
            used.add(second)
        return _reads_only(action, first, second)

    connection.set_authorizer(watch)
    connection.execute(f"explain {query}")
    connection.set_authorizer(None)
    return used


def quote_columns(query: str, names: Sequence[str]) -> str:
    """Put quotes around the dotted names of columns in a query; strings and comments stay unchanged.

    A number in quotes is a text, and no number is greater or equal; where it is compared with a number, it is an error.
    """
    known = {name.lower(): name for name in names}

    def column(match: re.Match[str]) -> str:
        if match["null"]:
            raise sqlite3.OperationalError(f"{match[0]} is never true; write is null or is not null")
        if match["entry"]:
            return _quote(_known_entry(match[0], known))
        _refuse_quoted_number(match, known)
        name = "" if match["text"] else "".join(match[0].split()).strip('"')
        if "." not in name:
            return match[0]
        table, _, rest = name.partition(".")
        if whole := known.get(columns.canonical(name).lower()):
            return _quote(whole)
        if "." in rest and (behind := known.get(columns.canonical(rest).lower())):
            return f"{table}.{_quote(behind)}"
        if match["quoted"] and table.lower() in known:  # SQLite would read it as a string
            raise sqlite3.OperationalError(f"no such column: {name}")
        return match[0]

    return _TOKEN.sub(column, query)


def _known_entry(text: str, known: Mapping[str, str]) -> str:
    name = columns.canonical(text)
    if name.lower() not in known:  # SQLite would read what is in brackets as a name
        raise sqlite3.OperationalError(f"no such column: {name}")
    return known[name.lower()]


def _refuse_quoted_number(match: re.Match[str], known: Mapping[str, str]) -> None:
    text, before = match[0][1:-1], _COMPARED.search(match.string[: match.start()])
    column = known.get(columns.canonical(before["column"]).lower()) if before else None
    unquoted = _UNQUOTED.fullmatch(text)
    if column and column not in columns.TEXTS and match[0][0] in "'\"" and unquoted:
        kind = "it" if unquoted[1] else "the number"
        raise sqlite3.OperationalError(f"{match[0]} is a text; write {kind} without quotes: {text}")


@contextmanager
def _errors_in_one_line(context: str, names: Sequence[str]) -> Iterator[None]:
    """Raise SQLite's errors as UserErrors, with similar column names."""
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        if isinstance(error, UserError):
            raise
        if str(error) == "interrupted":
            raise KeyboardInterrupt from None
        raise UserError(f"{printable(context)}: {printable(error)}{_advice(str(error), context, names)}") from None


def _advice(message: str, context: str, names: Sequence[str]) -> str:
    what, _, name = message.partition("no such column: ")
    if what or not name:
        return ""
    if f"[{name}]" in context:
        return f"; write a list in single quotes: '[{name}]'"
    if re.search(rf"[=<>]\s*{re.escape(name)}\b", context.partition("=")[2]):
        return f"; write text in single quotes: '{name}'"
    near = nearest(name, names, 3)
    return f". Did you mean {' or '.join(map(repr, near))}?" if near else ""
