"""Reads a user's CSV file: its numbers, and the names of its columns.

Size, rows and names are checked before they are used.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xortrain.errors import UserError, printable, unknown
from xortrain.nets import Array

LARGEST_TABLE = 64 << 20  # bytes; a table is read whole
LONGEST_NAME = 40  # characters shown of a column's name
SEPARATORS = {";": "semicolons", "\t": "tabs", " ": "spaces"}  # in place of commas


@dataclass(frozen=True)
class Columns:
    """The names of inputs and outputs; empty without a header."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    def of_classes(self, count: int) -> "Columns":
        """The same inputs, with one output for each of ``count`` classes in place of the only target."""
        return replace(self, outputs=tuple(f"{name} {kind}" for name in self.outputs for kind in range(count)))


UNNAMED = Columns()


def columns_of(names: list[str], targets: list[int]) -> Columns:
    """The names of a table's columns; ``targets`` are the indices of the targets."""
    if names == _numbered(len(names)):
        return UNNAMED
    return Columns(shown(names[k] for k in range(len(names)) if k not in targets), shown(names[k] for k in targets))


def shown(names: Iterable[str]) -> tuple[str, ...]:
    """Names that are safe to print."""
    return tuple(printable(name)[:LONGEST_NAME] or "?" for name in names)


Table = tuple[list[str], Array]


def read_table(path: Path) -> Table:
    """Column names and numbers (rows, columns) of a CSV file, with or without a header; UserError if it is not one."""
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
    if first and not any(_is_number(cell) for cell in first):  # a header; a row of words and numbers is an error below
        names = [cell.strip() for cell in rows.pop(next(iter(rows)))]
    return names, _numbers(where, rows, len(names))


def _numbers(where: str, rows: dict[int, list[str]], width: int) -> Array:
    """The numbers of the rows, (rows, columns); ``rows`` maps line numbers of the file to cells."""
    if not rows:
        raise UserError(f"{where}: has no rows")
    if width < 2:
        hint = _separator_hint(next(iter(rows.values())))
        raise UserError(f"{where}: has {width} column; inputs and targets require at least two{hint}")
    for line, row in rows.items():
        if len(row) != width:
            raise UserError(f"{where}: line {line} has {len(row)} values, the others {width}")
        bad = [cell for cell in row if not _is_number(cell)]
        if bad:
            raise UserError(f"{where}: line {line}: {bad[0][:40]!r} is not a finite number{_separator_hint(bad)}")
    return np.array([[float(cell) for cell in row] for row in rows.values()])


def _separator_hint(cells: list[str]) -> str:
    """A hint if something other than commas seems to separate the values."""
    found = [name for mark, name in SEPARATORS.items() if any(_are_numbers(cell, mark) for cell in cells)]
    return f"; its values seem to be separated by {found[0]}: write commas" if found else ""


def _are_numbers(cell: str, mark: str) -> bool:
    parts = cell.strip().split(mark)
    return len(parts) > 1 and all(_is_number(part) for part in parts)


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell))) and "_" not in cell  # 1_000 is Python's way of writing 1000
    except ValueError:
        return False


def place_of(names: list[str], target: str) -> int:
    """The index of a column, from its name or its number (from 0; -1 is the last)."""
    if target in names:
        return names.index(target)
    if re.fullmatch("-?[0-9]{1,9}", target) and -len(names) <= int(target) < len(names):
        return int(target) % len(names)
    raise unknown("data.targets", target, names, "column")


def _numbered(width: int) -> list[str]:
    """The names of columns without a header."""
    return [str(place) for place in range(width)]
