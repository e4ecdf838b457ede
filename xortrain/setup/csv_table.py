"""Reads a user's file of values into a `DataTable`, with or without a header, whatever separates its values.

Size, encoding, rows and names are checked before they are used; `own_data` decides what the columns are for.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from xortrain.errors import UserError, counted, cut, printable, unknown

LARGEST_TABLE = 64 << 20  # bytes; a table is read whole
MOST_COLUMNS = 256
LONGEST_NAME = 100  # characters of a column's name, or of a category
SAMPLE = 100_000  # characters from which the separator is chosen
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", " ": "blanks"}
"""What may separate values, first what is preferred if several fit; blanks may be several."""
ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""The first two bytes of a file to its encoding; any other is UTF-8."""
MISSING = ("", "na", "n/a", "#n/a", "<na>", "n.a.", "nan", "null", "?")
"""What stands for a missing value, in lower case."""
_SAID = re.compile(r'"?sep=(.)"?\1*(?=[\r\n])', re.IGNORECASE)  # Excel's first line, which names the separator
_GROUPED = re.compile(r"[-+]? ?\d{1,3}(?: \d{3})*(?:[.,]\d*)?(?:e[-+]?\d+)?", re.IGNORECASE)
_PLAIN = str.maketrans({"\u2212": "-", "\u00a0": " ", "\u2009": " ", "\u202f": " "})
"""A minus sign and spaces of typography to those of a keyboard."""
_LOOKS_LIKE = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:[.,'’]\d{3})+)?(?:[.,]\d*)?(?:e[-+]?\d+)?", re.IGNORECASE)
_SIGNS = re.compile(r"\s*[\u200b()%‰$£¥¤\u20a0-\u20cf]\s*")
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(e[-+]?\d+)?", re.IGNORECASE)
_DECIMAL_POINT = re.compile(r"[-+]?\d*\.\d*(e[-+]?\d+)?", re.IGNORECASE)

Rows = list[tuple[int, list[str]]]
"""The number of a line in the file, and its cells."""


@dataclass(frozen=True)
class DataTable:
    """The cells of a file by column, as text; ``lines`` are the numbers of their lines, ``where`` begins its errors.

    Without a header, ``names`` are the numbers of the columns.  ``hint`` is what the user may have meant by line 1.
    """

    where: str
    names: tuple[str, ...]
    has_header: bool
    columns: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    separator: str
    hint: str = ""

    def at(self, row: int, place: int) -> str:
        """Where a cell is, for an error."""
        name = f"column {printable(self.names[place])[:LONGEST_NAME] or place}"
        return f"{self.where}: line {self.lines[row]}, {name}: {cut(repr(self.columns[place][row]))}"

    def hint_at(self, row: int) -> str:
        """The hint, if it concerns the line of this row."""
        return self.hint if row == 0 and not self.has_header else ""

    def number(self, cell: str) -> float | None:
        """A cell as a number, which may be infinite; None if it is none."""
        return as_number(cell, self.separator)

    def place(self, key: str, name: str) -> int:
        """The index of a column, from its name or its number (from 0; -1 is the last); ``key`` is the setting."""
        if name in self.names:
            return self.names.index(name)
        if re.fullmatch("-?[0-9]{1,9}", name) and -len(self.names) <= int(name) < len(self.names):
            return int(name) % len(self.names)
        raise unknown(key, name, self.names, "column")


def as_number(cell: str, separator: str) -> float | None:
    """A cell as a number, with a decimal comma unless commas separate, and spaces between thousands; else None."""
    cell = _typed(cell)
    if separator != "," and _DECIMAL_COMMA.fullmatch(cell):
        cell = cell.replace(",", ".")
    try:
        return None if "_" in cell else float(cell)  # 1_000 is Python's way of writing 1000
    except ValueError:
        return None


def _typed(cell: str) -> str:
    """A cell with the minus sign of a keyboard, and a number in it without spaces."""
    if cell.isascii() and " " not in cell:
        return cell
    plain = cell.translate(_PLAIN)
    return plain.replace(" ", "") if _GROUPED.fullmatch(plain) else plain


def looks_like_number(cell: str, separator: str) -> bool:
    """Whether a cell is a number, or is but for signs of money or percent, brackets, and marks between thousands."""
    if as_number(cell, separator) is not None:
        return True
    plain = _SIGNS.sub("", cell.translate(_PLAIN))
    return any(map(str.isdigit, plain)) and bool(_LOOKS_LIKE.fullmatch(plain))


def is_missing(cell: str) -> bool:
    return cell.lower() in MISSING


def read_table(
    where: str, path: Path, header: str = "auto", known: Sequence[str] = (), values: Collection[str] = ()
) -> DataTable:
    """The table in a file; UserError if it is none.

    ``header`` is auto, true or false; for auto, a first line of all ``known`` names is one, and of ``values`` is none.
    """
    text = _text(where, path)
    said = _SAID.match(text)
    separator = said[1] if said else _separator(text)
    rows = _rows(where, text[said.end() :] if said else text, separator)
    if not rows:
        raise UserError(f"{where}: has no rows")
    first = rows[0][1]
    has_known = bool(known) and set(known) <= set(first)
    is_example = set(known).isdisjoint(first) and not set(values).isdisjoint(first)
    is_likely = has_known or (not is_example and _is_header(rows, separator))
    is_header = is_likely if header == "auto" else header == "true"
    names = [str(place) for place in range(len(first))]
    hint = _hint(first, separator, header == "false")
    if is_header:
        rows, names = rows[1:], _header(where, rows, separator)
    if not rows:
        raise UserError(f"{where}: has no rows under its header")
    _refuse_ragged(where, rows, len(names) if is_header else 0)
    _refuse_two_decimals(where, rows, separator)
    columns = tuple(zip(*(row for _, row in rows), strict=True))
    return DataTable(where, tuple(names), is_header, columns, tuple(line for line, _ in rows), separator, hint)


def _text(where: str, path: Path) -> str:
    if not path.is_file():
        raise UserError(f"{where}: {'is a folder' if path.is_dir() else 'no such file'}")
    if path.stat().st_size > LARGEST_TABLE:
        raise UserError(f"{where}: larger than {LARGEST_TABLE} bytes")
    try:
        content = path.read_bytes()
        text = content.decode(ENCODINGS.get(content[:2], "utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: cannot be read ({error}); save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"{where}: cannot be read ({error})") from None
    if "\0" in text:
        raise UserError(f"{where}: cannot be read (it has NUL characters; save it as UTF-8)")
    return text


def _parsed(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that have a value; raises csv.Error."""
    is_blank = separator == " "
    lines = csv.reader(
        io.StringIO(text.replace("\t", " ") if is_blank else text, newline=""),
        delimiter=separator,
        skipinitialspace=not is_blank,
        strict=True,
    )
    for row in lines:
        cells = [cell.strip() for cell in row]
        if is_blank:
            cells = [cell for cell in cells if cell]
        if any(cells):
            yield lines.line_num, cells


def _rows(where: str, text: str, separator: str) -> Rows:
    rows: Rows = []
    try:
        for line, row in _parsed(text, separator):
            if len(row) > MOST_COLUMNS:
                raise UserError(f"{where}: line {line} has more than {MOST_COLUMNS} columns")
            rows.append((line, row))
    except csv.Error as error:
        raise UserError(f"{where}: cannot be read ({error})") from None
    used = max((k + 1 for _, row in rows for k, cell in enumerate(row) if cell), default=0)
    return [(line, row[:used]) for line, row in rows]  # lines may end with separators


def _separator(text: str) -> str:
    """The separator that divides most lines alike, and most of their cells into numbers."""
    sample = text if len(text) <= SAMPLE else text[: text.rfind("\n", 0, SAMPLE) + 1] or text[:SAMPLE]
    return max(SEPARATORS, key=lambda separator: _fit(sample, separator))  # the first of those that fit alike


def _fit(sample: str, separator: str) -> float:
    """How well a separator fits: mainly, which share of the lines has the usual number of cells, at least two."""
    rows = list[list[str]]()
    with suppress(csv.Error):
        rows.extend(row for _, row in _parsed(sample, separator))
    if not rows:
        return 0.0
    width, lines = Counter(map(len, rows)).most_common(1)[0]
    cells = [cell for row in rows for cell in row]
    numbers: float = sum(is_missing(cell) or as_number(cell, separator) is not None for cell in cells)
    numbers -= sum(";" in cell or "\t" in cell for cell in cells) / 2  # these were cut at a decimal comma
    return (lines / len(rows)) ** 2 * (max(0, numbers) / len(cells) + 0.1) if width > 1 else 0.0


def _is_header(rows: Rows, separator: str) -> bool:
    """Whether the first line has names: words over numbers or over other words, or 0 … n-1 over what is not whole."""
    first, later = rows[0][1], [row for _, row in rows[1:]]
    if _counts_columns(first):
        return bool(later) and all(any(not re.fullmatch(r"[-+]?\d*", cell) for cell in row) for row in later)
    if any(looks_like_number(cell, separator) for cell in first):
        return False
    words = [k for k, cell in enumerate(first) if not is_missing(cell)]
    if not words or (later and all(len(row) == len(first) + 1 for row in later)):
        return bool(words)
    below = {k: [row[k] for row in later if k < len(row) and not is_missing(row[k])] for k in words}
    over_numbers = [all(looks_like_number(cell, separator) for cell in cells) for cells in below.values() if cells]
    return any(over_numbers) or not any(first[k] in cells for k, cells in below.items())


def _counts_columns(first: list[str]) -> bool:
    """Whether a line is 0 … n-1, maybe after an empty cell, as pandas writes columns without names."""
    numbers = first[1:] if first[0] == "" else first
    return bool(numbers) and numbers == [str(k) for k in range(len(numbers))]


def _hint(first: list[str], separator: str, is_said: bool) -> str:
    """What may be wrong if the first line was read as values; ``is_said`` is whether the user said so."""
    has_word = any(not looks_like_number(cell, separator) and not is_missing(cell) for cell in first)
    what = "leave out data.header=false" if is_said else "add data.header=true"
    return f"; {what} if line 1 has names" if has_word or _counts_columns(first) else ""


def _header(where: str, rows: Rows, separator: str) -> list[str]:
    """The names in the first line; R leaves out that of the first column, which names the rows."""
    line, names = rows[0]
    if len(rows) > 1 and all(len(row) == len(names) + 1 for _, row in rows[1:]):
        names = ["", *names]
    names = [printable(name)[:LONGEST_NAME] for name in names]
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    if twice:
        has_numbers = any(looks_like_number(cell, separator) for _, row in rows[1:2] for cell in row)
        hint = "" if has_numbers else ", or add data.header=false"
        raise UserError(f"{where}: line {line} has two columns {twice[0]!r}; rename one{hint}")
    return names


def _refuse_ragged(where: str, rows: Rows, named: int) -> None:
    width = named or Counter(len(row) for _, row in rows).most_common(1)[0][0]
    for line, row in rows:
        if len(row) != width:
            values = counted(len(row), "value")
            raise UserError(f"{where}: line {line} has {values}, {'its header' if named else 'the others'} {width}")


def _refuse_two_decimals(where: str, rows: Rows, separator: str) -> None:
    """Refuse decimal points and decimal commas in one file: 1.500 may be 1500."""
    if separator == ",":
        return
    cells = [(line, _typed(cell)) for line, row in rows for cell in row]
    comma, point = (
        next(((line, cell[:40]) for line, cell in cells if form.fullmatch(cell)), None)
        for form in (_DECIMAL_COMMA, _DECIMAL_POINT)
    )
    if comma and point:
        found = f"line {comma[0]} has a decimal comma, {comma[1]!r}, and line {point[0]} a decimal point, {point[1]!r}"
        raise UserError(f"{where}: {found}; write one of them")
