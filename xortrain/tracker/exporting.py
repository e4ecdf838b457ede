"""``xortrain export``: runs, losses or parameters as CSV or JSON lines, or everything as NPZ.

Rows go to their file as they are read, so that a million runs need little memory; the file appears when it is whole.
"""

import csv
import io
import json
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Any

from xortrain.errors import UserError
from xortrain.records.files import plain, wrong
from xortrain.records.whole import whole
from xortrain.tracker.arguments import NAMES, parser
from xortrain.tracker.selecting import selection
from xortrain.tracker.text import as_json, finite

FORMATS = ("csv", "jsonl", "npz")
NOTES = (
    "The format goes by the ending of --to, or by --format; without --to the text is printed. CSV and JSON lines have "
    "a row for each run, with --what losses or parameters for each run and epoch. NPZ has all of it as arrays, the "
    f"runs on the last axis. {NAMES}"
)
Table = tuple[Sequence[str], Iterable[Sequence[Any]]]


def export(arguments: list[str]) -> str:
    """Write an export and say where, or give its text."""
    p = parser("export", notes=NOTES)
    p.add_argument("runs", nargs="*", metavar="RUN", help="runs and sweeps (all, if none is given)")
    p.add_argument("--where", metavar="EXPR", help="only runs for which this holds")
    p.add_argument("--sql", metavar="QUERY", help="the answer to this query, over all runs")
    p.add_argument("--what", choices=("runs", "losses", "parameters"), default="runs")
    p.add_argument("--format", choices=FORMATS)
    p.add_argument("--to", type=Path, metavar="PATH", help="the file to write")
    a = p.parse_args(arguments)
    form = a.format or (a.to.suffix[1:].lower() if a.to else "csv")
    _refuse(a, form)
    if a.json and a.to is None:
        head, rows = _table(a)
        return as_json(dict(zip(head, row, strict=True)) for row in rows)
    write = _csv if form == "csv" else _jsonl
    if a.to is None:
        text = io.StringIO()
        write(text, *_table(a))
        return text.getvalue().rstrip("\n")
    _written(a.to, (lambda file: _npz(file, a)) if form == "npz" else (lambda file: _as_text(file, write, *_table(a))))
    return as_json([{"path": str(a.to)}]) if a.json else f"written {plain(a.to)}"


def _refuse(a: Namespace, form: str) -> None:
    """What the options together do not allow."""
    if form not in FORMATS:
        raise UserError(f"--to={plain(a.to)}: must end in .csv, .jsonl or .npz, or add --format")
    if form == "npz" and a.to is None:
        raise UserError("--format=npz: is no text; add --to PATH")
    if a.sql and (a.runs or a.where or a.what != "runs"):
        raise UserError("--sql: asks over all runs; it goes with no RUN, --where or --what")


def _table(a: Namespace) -> Table:
    if a.sql:
        from xortrain.records.index import listing
        from xortrain.records.query import ask

        return ask(listing(a.root).entries, a.sql)
    from xortrain.tracker import rows

    return getattr(rows, a.what)(selection(a.runs, a.where, a.root))


def _npz(file: IO[bytes], a: Namespace) -> None:
    import numpy as np

    from xortrain.tracker.arrays import arrays_of, columns_of

    arrays = columns_of(*_table(a)) if a.sql else arrays_of(selection(a.runs, a.where, a.root))
    np.savez(file, **arrays)  # type: ignore[arg-type]


def _as_text(file: IO[bytes], write: Callable[..., None], head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        write(text, head, rows)


def _csv(file: IO[str], head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)


def _jsonl(file: IO[str], head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    for row in rows:
        file.write(json.dumps(dict(zip(head, map(finite, row), strict=True))) + "\n")


def _written(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    try:
        with whole(path) as file:
            write(file)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise wrong(path, error.strerror or error) from None
