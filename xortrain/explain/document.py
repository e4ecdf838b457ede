"""The parts of an explanation, and the base of the classes that write them as text.

An explanation is a section of paragraphs, equations, tables and further sections.  The three formats are subclasses
of `Writer`.  In a paragraph, symbols are between backticks.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar

import numpy as np

from xortrain.nets import Array
from xortrain.nets.formula import Call, Number, Operation, Symbol, Term, Total


@dataclass(frozen=True)
class Equation:
    """A quantity, its value, and the formulas that give it.

    ``check`` is the value by finite differences; ``remark`` explains why the two may differ.
    """

    name: str
    value: Array
    formulas: tuple[Term, ...] = ()
    check: Array | None = None
    remark: str = ""

    @property
    def accuracy(self) -> str:
        """The largest difference between value and check, in words."""
        if self.check is None:
            return ""
        error = f"{np.abs(self.check - self.value).max():.0e}".replace("e-0", "e-").replace("0e+00", "0")
        return f"by differences, off by {error}"


@dataclass(frozen=True)
class Table:
    """Rows of texts, arrays and numbers under column names; ``hidden`` is the number of further rows."""

    names: tuple[str, ...]
    rows: Sequence[Sequence[str | Array]]
    hidden: int = 0


@dataclass(frozen=True)
class Section:
    """A heading and its content."""

    heading: str
    blocks: Sequence["Block"]


Block = str | Equation | Table | Section

MOST_CELLS = 6  # rows or columns that are written in full
FIRST_CELLS, LAST_CELLS = 3, 2  # how many are written of longer arrays
LARGE = 1e5  # numbers from here on have an exponent
HARD = "\N{NO-BREAK SPACE}"  # a space at which no line is broken
LONG_ROW = 62  # characters; a longer row may be broken


def format_number(value: Any, precision: int) -> str:
    """A NumPy number as 0.3133, 1 or 4.5071e-3.

    It has an exponent if it is large or would lose half of its digits, and no trailing zeros if it is exact.
    """
    if not np.isfinite(value):
        return str(value)
    short = f"{value:.{precision}f}"
    if value and not 10 ** (-precision / 2) <= abs(value) < LARGE and (abs(value) >= LARGE or _inexact(short, value)):
        mantissa, exponent = f"{value:.{precision}e}".split("e")
        return f"{_trimmed(mantissa, f'{mantissa}e{exponent}', value)}e{int(exponent)}"
    return _trimmed(short, short, value)


def _inexact(written: str, value: Any) -> bool:
    """Whether the text is not the exact value in the number's own precision."""
    return bool(type(value)(written) != value)


def _trimmed(digits: str, written: str, value: Any) -> str:
    """The digits of ``written``, without trailing zeros if it is exact, and without the sign of -0."""
    if _inexact(written, value) or "." not in digits:
        return digits
    digits = digits.rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits


def array_cells(array: Array, precision: int) -> list[list[str | None] | None]:
    """A matrix as rows of texts, a vector as one row; None replaces the rows and cells that are left out."""
    table = np.atleast_2d(array)
    rows, columns = (_places(size) for size in table.shape)
    return [
        None if r is None else [None if c is None else format_number(table[r, c], precision) for c in columns]
        for r in rows
    ]


def _places(size: int) -> list[int | None]:
    if size <= MOST_CELLS:
        return list(range(size))
    return [*range(FIRST_CELLS), None, *range(size - LAST_CELLS, size)]


def array_in_line(value: Array, precision: int) -> str:
    """An array as [1 2] or [[1 2] [3 4]]; rows that are not too long have hard spaces."""
    if not value.ndim:
        return format_number(value[()], precision)
    cells = array_cells(value, precision)
    rows = [f"[{HARD.join(cell or '…' for cell in row)}]" if row else "…" for row in cells]
    rows = [row if len(row) < LONG_ROW else row.replace(HARD, " ") for row in rows]
    return rows[0] if len(rows) == 1 else f"[{' '.join(rows)}]"


STRENGTH = {">": 0, "<": 0, "≥": 0, "≤": 0, "+": 2, "-": 2, "·": 3, "/": 3, "@": 3, "⊗": 3, "^": 5}
NEGATIVE, FRACTION, ATOM = 1, 4, 6
Piece = tuple[str, int]  # a written formula and how strongly it binds; a part that binds more weakly gets brackets


@dataclass(frozen=True)
class Writer(ABC):
    """A format: the parts of an explanation as lines or as text, with ``precision`` digits after the point.

    The first row of a `table` has the column names; `equations` are consecutive, and one with a remark comes alone.
    In formulas, `name`, `array` and `total` write symbols, values and sums; ``templates`` are operators and functions
    with a notation of their own, and those in ``closed`` need no brackets, neither around them nor around their parts.
    """

    precision: int
    templates: ClassVar[Mapping[str, str]]
    brackets: ClassVar[str] = "({})"
    closed: ClassVar[frozenset[str]] = frozenset()

    def write(self, section: Section) -> str:
        """The text of an explanation."""
        return "\n".join(self._section(section, 0))

    def _section(self, section: Section, depth: int) -> list[str]:
        """A heading and its blocks; consecutive equations without remarks are written together."""
        lines = self.heading(section.heading, depth)
        for is_plain, group in groupby(section.blocks, lambda block: isinstance(block, Equation) and not block.remark):
            blocks = list(group)
            for part in [blocks] if is_plain else [[block] for block in blocks]:
                lines += ["", *self._part(part, depth)]
        return lines

    def _part(self, blocks: list[Block], depth: int) -> list[str]:
        match blocks:
            case [Section() as section]:
                return self._section(section, depth + 1)
            case [str(text)]:
                return self.paragraph(text)
            case [Table(names, rows, hidden)]:
                return self.table([[self._cell(cell) for cell in row] for row in (names, *rows)], hidden)
        return self.equations([block for block in blocks if isinstance(block, Equation)])

    def _cell(self, cell: str | Array) -> str:
        return self.sentence(cell) if isinstance(cell, str) else self.array_cell(np.asarray(cell))

    @abstractmethod
    def heading(self, text: str, depth: int) -> list[str]: ...
    @abstractmethod
    def sentence(self, text: str) -> str: ...
    @abstractmethod
    def table(self, rows: list[list[str]], hidden: int) -> list[str]: ...
    @abstractmethod
    def equations(self, equations: list[Equation]) -> list[str]: ...
    @abstractmethod
    def total(self, parts: list[str], hidden: int) -> str: ...

    def paragraph(self, text: str) -> list[str]:
        return [self.sentence(text)]

    def array_cell(self, value: Array) -> str:
        return array_in_line(value, self.precision)

    def name(self, symbol: str) -> str:
        return symbol

    def array(self, value: Array) -> str:
        return array_in_line(value, self.precision)

    def formula(self, term: Term, *, numbers: bool) -> str:
        """A formula with symbols, or with numbers."""
        return self._piece(term, numbers)[0]

    def _piece(self, formula: Term, numbers: bool) -> Piece:
        match formula:
            case Symbol(name, value):
                return self._value(value) if numbers else (self.name(name), FRACTION if "/" in name else ATOM)
            case Number(value):
                return self._value(np.asarray(float(value)))
            case Total(name, parts, hidden):
                return (self._total(parts, hidden), ATOM) if numbers else (self.name(f"Σ {name}"), STRENGTH["·"])
            case Operation(sign, left, right):
                return self._operation(sign, self._piece(left, numbers), self._piece(right, numbers))
            case Call(name, arguments):
                return self._call(name, [self._piece(argument, numbers) for argument in arguments])
        raise AssertionError(formula)

    def _value(self, value: Array) -> Piece:
        return self.array(value), NEGATIVE if not value.ndim and value < 0 else ATOM

    def _total(self, parts: tuple[Array, ...], hidden: int) -> str:
        written = [self._bracketed(self._value(part), STRENGTH["+"]) for part in parts]
        return self.total(written, hidden) if len(written) + hidden > 1 else written[0]

    def _operation(self, sign: str, left: Piece, right: Piece) -> Piece:
        if sign in self.closed:
            return self.templates[sign].format(left[0], right[0]), FRACTION
        strength, template = STRENGTH[sign], self.templates.get(sign, f"{{}} {sign} {{}}")
        before = {"+": NEGATIVE, "-": NEGATIVE, "^": ATOM}.get(sign, strength)
        after = strength if sign in ("+", "·", "@") else strength + 1
        return template.format(self._bracketed(left, before), self._bracketed(right, after)), strength

    def _call(self, name: str, arguments: list[Piece]) -> Piece:
        if name == "-":
            return f"-{self._bracketed(arguments[0], STRENGTH['·'])}", NEGATIVE
        if name == "T":
            return self.templates["T"].format(self._bracketed(arguments[0], ATOM)), ATOM
        inside = ", ".join(written for written, _ in arguments)
        if name in self.templates:
            return self.templates[name].format(inside), ATOM
        return self.name(name) + self.brackets.format(inside), ATOM

    def _bracketed(self, piece: Piece, least: int) -> str:
        written, strength = piece
        return written if strength >= least else self.brackets.format(written)
