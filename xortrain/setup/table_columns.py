"""The columns of a user's table: which are inputs, targets or an index, and their cells as numbers or categories."""

import math
from collections.abc import Sequence

import numpy as np

from xortrain.errors import UserError, cut, printable
from xortrain.nets import Array
from xortrain.setup.column_names import MOST_KINDS, Source, shown
from xortrain.setup.csv_table import LONGEST_NAME, DataTable, is_missing, looks_like_number

INDEX_NAMES = ("", "id", "index")
"""Names, in lower case, of a column that is an index if it counts the rows."""
Part = tuple[str, list[str], str]
"""A part of what was understood: words, names that may be cut, words after them."""


def roles(
    table: DataTable, input_columns: Sequence[str], target_columns: Sequence[str]
) -> tuple[list[int], list[int], list[Part]]:
    """The columns of inputs and of targets, and words for those left out."""
    count = len(table.names)
    if count < 2:
        raise UserError(f"{table.where}: has {count} column; inputs and targets require at least two")
    targets, inputs = _places(table, "targets", target_columns), _places(table, "inputs", input_columns)
    index = [] if inputs else [k for k in range(count) if k not in targets and _is_index(table, k)]
    if not targets:
        targets = [[k for k in range(count) if k not in index][-1]] if len(index) < count else [count - 1]
    if both := set(targets) & set(inputs):
        raise UserError(f"data.inputs: has column {table.names[min(both)]!r}, the target; data.targets= names another")
    others = [k for k in range(count) if k not in targets]
    if not others:
        raise UserError(f"data.targets={list(target_columns)}: leaves no column for the inputs")
    index = index if len(others) > len(set(index)) else []
    places = inputs or [k for k in others if k not in index]
    unused = [table.names[k] for k in others if inputs and k not in places]
    left_out: list[Part] = [(f"left out: column {table.names[k] or k} (it counts the rows)", [], "") for k in index]
    if unused:
        left_out.append(("left out: ", unused, " (not in data.inputs)"))
    return places, targets, left_out


def _places(table: DataTable, setting: str, names: Sequence[str]) -> list[int]:
    found = [table.place(f"data.{setting}", name) for name in names]
    if len(set(found)) < len(found):
        raise UserError(f"data.{setting}={list(names)}: names a column twice")
    return found


def _is_index(table: DataTable, place: int) -> bool:
    """Whether a column has the name of an index, or none, and counts the rows from 0 or 1."""
    if not table.has_header or table.names[place].lower() not in INDEX_NAMES:
        return False
    numbers, count = list(map(table.number, table.columns[place])), len(table.lines)
    return numbers in (list(range(count)), list(range(1, count + 1)))


def complete_rows(
    table: DataTable,
    places: Sequence[int],
    missing: str,
    hint: str = "; add data.missing=drop to leave such rows out",
) -> list[int]:
    """The rows without missing values in these columns; with missing=error, all of them or a UserError."""
    rows = range(len(table.lines))
    lacking = {row for place in places for row in rows if is_missing(table.columns[place][row])}
    if lacking and missing == "error":
        row = min(lacking)
        place = next(place for place in places if is_missing(table.columns[place][row]))
        raise UserError(f"{table.at(row, place)} is a missing value{hint}{table.hint_at(row)}")
    kept = [row for row in rows if row not in lacking]
    if not kept:
        raise UserError(f"{table.where}: every row has missing values")
    return kept


def has_texts(table: DataTable, place: int, rows: Sequence[int]) -> bool:
    """Whether a column has texts rather than numbers; a few texts among numbers are mistakes."""
    cells = [table.columns[place][row] for row in rows]
    return sum(not looks_like_number(cell, table.separator) for cell in cells) * 2 > len(rows)


def source_of(table: DataTable, place: int, rows: Sequence[int], is_chosen: bool) -> Source:
    name, cells = table.names[place], table.columns[place]
    if not (is_chosen or has_texts(table, place, rows)):
        return Source(name, place)
    found = {kind_of(table, cells[row]): table.number(cells[row]) for row in rows}
    kinds = sorted(found, key=lambda kind: (found[kind] is None, found[kind] or 0.0, kind))
    refuse_kinds(table.where, name, kinds, "categories")
    return Source(name, place, tuple(kinds))


def kind_of(table: DataTable, cell: str) -> str:
    """A cell as the name of a category or a class."""
    number = table.number(cell)
    return printable(cell) if number is None else number_name(number)


def encoded(table: DataTable, rows: Sequence[int], sources: Sequence[Source], places: Sequence[int]) -> Array:
    """The inputs (examples, inputs) of these rows, from the columns at ``places``; categories are one-hot."""
    return np.hstack([_inputs(table, rows, *pair) for pair in zip(sources, places, strict=True)])


def _inputs(table: DataTable, rows: Sequence[int], source: Source, place: int) -> Array:
    if not source.kinds:
        return numbers_of(table, place, rows)[:, None]
    index = {kind: k for k, kind in enumerate(source.kinds)}
    found = [index.get(kind_of(table, table.columns[place][row])) for row in rows]
    if None in found:
        known = cut(", ".join(source.kinds), 80)
        raise UserError(f"{table.at(rows[found.index(None)], place)} is not among the categories {known}")
    return np.eye(len(source.kinds))[np.array(found, int)]


def numbers_of(table: DataTable, place: int, rows: Sequence[int]) -> Array:
    """The numbers of a column; UserError for the first cell that is none."""
    numbers = [table.number(table.columns[place][row]) for row in rows]
    for row, number in zip(rows, numbers, strict=True):
        if number is None or not math.isfinite(number):
            how = _how_to_write(table.columns[place][row], table.separator) if number is None else ""
            raise UserError(f"{table.at(row, place)} is not a finite number{table.hint_at(row) or how}")
    return np.array(numbers, np.float64)


def _how_to_write(cell: str, separator: str) -> str:
    if not looks_like_number(cell, separator):
        return "; write NA if it stands for a missing value"
    point = ", and a decimal point" if separator == "," and "," in cell else ""
    return f"; write digits without signs or marks between thousands{point}"


def target_values(table: DataTable, place: int, rows: Sequence[int]) -> list[str] | Array:
    """The values of a target column: texts, or numbers."""
    if has_texts(table, place, rows):
        return [kind_of(table, table.columns[place][row]) for row in rows]
    return numbers_of(table, place, rows)


def column_in(other: DataTable, table: DataTable, place: int) -> int:
    """The place that a column of a table has in another: by name if both have headers."""
    if not (table.has_header and other.has_header and table.names[place]):
        return place
    if table.names[place] not in other.names:
        raise UserError(f"{other.where}: has no column {table.names[place]!r}")
    return other.names.index(table.names[place])


def refuse_kinds(where: str, name: str, kinds: Sequence[str], what: str) -> None:
    """Refuse too many kinds, or kinds that are too long."""
    hint = "; choose other columns by data.inputs=" if what == "categories" else ""
    if len(kinds) > MOST_KINDS:
        raise UserError(f"{where}: column {name} has {len(kinds)} {what}, at most {MOST_KINDS} are possible{hint}")
    long = [kind for kind in kinds if len(kind) > LONGEST_NAME]
    if long:
        raise UserError(f"{where}: column {name} has {cut(repr(long[0]))}, longer than {LONGEST_NAME} characters")


def number_name(value: float) -> str:
    """A number as the name of a class or a category: 1 for 1.0."""
    return f"{value:.12g}"


def input_names(sources: Sequence[Source], are_named: bool) -> tuple[str, ...]:
    """The names of the inputs, as in "length" and "colour=red"; none if the columns have neither names nor kinds."""
    if not are_named and not any(source.kinds for source in sources):
        return ()
    names = [source.name if are_named else f"x{k + 1}" for k, source in enumerate(sources)]
    pairs = zip(names, sources, strict=True)
    return shown(f"{name}={kind}" if kind else name for name, source in pairs for kind in source.kinds or ("",))
