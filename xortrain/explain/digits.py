"""Numbers as a reader wants them: so many digits after the point, no zeros at the end of what is exact.

Arrays that are too large for a page are cut to their first and last rows and columns.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from xortrain.nets import Array

MOST = 6  # rows or columns that are written in full
FIRST, LAST = 3, 2  # how many are written of more
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


def cut(array: Array, precision: int) -> Cut:
    """A vector as one row, a matrix as its rows."""
    table = np.atleast_2d(array)
    lines, columns = (_places(size) for size in table.shape)
    rows = [
        None if r is None else [None if c is None else number(table[r, c], precision) for c in columns] for r in lines
    ]
    parts = [
        f"{FIRST + LAST} of {size} {what}"
        for size, what in zip(table.shape, ("rows", "columns" if array.ndim > 1 else "numbers"), strict=True)
        if size > MOST
    ]
    return Cut(rows, f"{', '.join(parts)} shown" if parts else "")


def _places(size: int) -> list[int | None]:
    if size <= MOST:
        return list(range(size))
    return [*range(FIRST), None, *range(size - LAST, size)]
