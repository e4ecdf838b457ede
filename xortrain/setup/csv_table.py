"""Tables of a user's own: a CSV file to numbers, and what it calls its columns.

No file is believed: its size, its rows and its names are looked at before anything is made of them.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xortrain.errors import UserError, unknown
from xortrain.nets import Array
from xortrain.records.files import plain

LARGEST_TABLE = 64 << 20  # bytes; a table is read whole
LONGEST_NAME = 40  # letters of a column's name that are shown
OTHER_MARKS = {";": "semicolons", "\t": "tabs", " ": "spaces"}  # that part the values of tables, not of a CSV


@dataclass(frozen=True)
class Columns:
    """What a table calls its inputs and its outputs; nothing without a header."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    def of_classes(self, count: int) -> "Columns":
        """The same, where the only target is told by so many outputs, one a class."""
        return replace(self, outputs=tuple(f"{name} {kind}" for name in self.outputs for kind in range(count)))


UNNAMED = Columns()


def columns_of(names: list[str], targets: list[int]) -> Columns:
    """The names of a table's columns, of which those at ``targets`` are the targets."""
    if names == _numbered(len(names)):
        return UNNAMED
    return Columns(shown(names[k] for k in range(len(names)) if k not in targets), shown(names[k] for k in targets))


def shown(names: Iterable[str]) -> tuple[str, ...]:
    """Names as they can be printed."""
    return tuple(plain(name)[:LONGEST_NAME] or "?" for name in names)


Table = tuple[list[str], Array]


def read_table(path: Path) -> Table:
    """Column names and numbers (rows, columns) of a CSV file with or without a header."""
    where = f"data.path={path}"
    if not path.is_file():
        raise UserError(f"{where}: {'is a folder' if path.is_dir() else 'no such file'}")
    if path.stat().st_size > LARGEST_TABLE:
        raise UserError(f"{where}: larger than {LARGEST_TABLE} bytes")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file)
            rows = dict((lines.line_num, row) for row in lines if row)  # noqa: C402
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{where}: cannot be read ({error})") from None
    first = next(iter(rows.values()), [])
    names = _numbered(len(first))
    if first and not any(_is_number(cell) for cell in first):  # a header; of words and numbers a row is told below
        names = [cell.strip() for cell in rows.pop(next(iter(rows)))]
    return names, _numbers(where, rows, len(names))


def _numbers(where: str, rows: dict[int, list[str]], width: int) -> Array:
    """The numbers of rows, which are named by their lines in the file."""
    if not rows:
        raise UserError(f"{where}: has no rows")
    if width < 2:
        raise UserError(
            f"{where}: has {width} column; inputs and targets need at least two{_parted(next(iter(rows.values())))}"
        )
    for line, row in rows.items():
        if len(row) != width:
            raise UserError(f"{where}: line {line} has {len(row)} values, the others {width}")
        bad = [cell for cell in row if not _is_number(cell)]
        if bad:
            raise UserError(f"{where}: line {line}: {bad[0][:40]!r} is not a finite number{_parted(bad)}")
    return np.array([[float(cell) for cell in row] for row in rows.values()])


def _parted(cells: list[str]) -> str:
    """A hint where something else than commas parts the values."""
    marks = [said for mark, said in OTHER_MARKS.items() if any(_are_numbers(cell, mark) for cell in cells)]
    return f"; its values seem to be parted by {marks[0]}: write commas" if marks else ""


def _are_numbers(cell: str, mark: str) -> bool:
    parts = cell.strip().split(mark)
    return len(parts) > 1 and all(_is_number(part) for part in parts)


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def place_of(names: list[str], target: str) -> int:
    """A column by its name, or by its number (from 0; -1 is the last)."""
    if target in names:
        return names.index(target)
    if re.fullmatch("-?[0-9]{1,9}", target) and -len(names) <= int(target) < len(names):
        return int(target) % len(names)
    raise unknown("data.targets", target, names, "column")


def _numbered(width: int) -> list[str]:
    """What columns are called without a header."""
    return [str(place) for place in range(width)]
