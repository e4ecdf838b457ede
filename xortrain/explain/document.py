"""What an explanation consists of, before it is laid out: sections of sentences, equations and tables.

In sentences `symbols` stand between backticks.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xortrain.nets import Array
from xortrain.nets.formula import Term


@dataclass(frozen=True)
class Sentences:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Equation:
    """A quantity, the formulas that give it, and its value; ``check`` is its value by finite differences, ``remark``
    what there is to say of the two."""

    name: str
    value: Array
    formulas: tuple[Term, ...] = ()
    check: Array | None = None
    remark: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of texts, arrays and numbers under names; ``hidden`` rows are left out after them."""

    names: tuple[str, ...]
    rows: list[tuple[str | Array, ...]]
    hidden: int = 0


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    heading: str
    blocks: list["Block"] = field(default_factory=list)


Block = Sentences | Equation | Table | Section


MOST_CELLS = 6  # rows or columns that are written in full
FIRST_CELLS, LAST_CELLS = 3, 2  # how many are written of more
LARGE = 1e5  # from here on with an exponent


def number(value: Any, precision: int) -> str:
    """A NumPy number as 0.3133, 1, 4.5071e-3: with an exponent where it is large or would lose half of its digits."""
    if not np.isfinite(value):
        return str(value)
    short = f"{value:.{precision}f}"
    if value and not 10 ** (-precision / 2) <= abs(value) < LARGE and (abs(value) >= LARGE or _rounds(short, value)):
        mantissa, exponent = f"{value:.{precision}e}".split("e")
        return f"{_bare(mantissa, f'{mantissa}e{exponent}', value)}e{int(exponent)}"
    return _bare(short, short, value)


def _rounds(written: str, value: Any) -> bool:
    """Whether something is lost, in the number's own precision."""
    return bool(type(value)(written) != value)


def _bare(digits: str, written: str, value: Any) -> str:
    """Digits without the zeros at their end where the number is exact, and without a sign where it is 0."""
    if _rounds(written, value) or "." not in digits:
        return digits
    digits = digits.rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits


@dataclass(frozen=True)
class Cut:
    """An array as texts: ``rows`` of cells with None in the place of those left out."""

    rows: list[list[str | None] | None]
    remark: str


def cut_array(array: Array, precision: int) -> Cut:
    """A vector as one row, a matrix as its rows."""
    table = np.atleast_2d(array)
    lines, columns = (_places(size) for size in table.shape)
    rows = [
        None if r is None else [None if c is None else number(table[r, c], precision) for c in columns] for r in lines
    ]
    parts = [
        f"{FIRST_CELLS + LAST_CELLS} of {size} {what}"
        for size, what in zip(table.shape, ("rows", "columns" if array.ndim > 1 else "numbers"), strict=True)
        if size > MOST_CELLS
    ]
    return Cut(rows, f"{', '.join(parts)} shown" if parts else "")


def _places(size: int) -> list[int | None]:
    if size <= MOST_CELLS:
        return list(range(size))
    return [*range(FIRST_CELLS), None, *range(size - LAST_CELLS, size)]
