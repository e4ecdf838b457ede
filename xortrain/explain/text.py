"""An explanation as plain text for a terminal of 80 columns.

Each equation has its formula, the formula with its numbers, and its value, each on lines of its own.
"""

import textwrap

import numpy as np

from xortrain.explain.document import Block, Equation, Section, Sentences, Table, cut_array, number
from xortrain.explain.notation import Notation
from xortrain.nets import Array

WIDTH = 80
HARD = "\N{NO-BREAK SPACE}"  # a space at which no line is broken

TEMPLATES = {
    "+": "{} + {}",
    "-": "{} - {}",
    "·": "{} · {}",
    "/": "{} / {}",
    "@": "{} {}",
    "⊗": "{} ⊗ {}",
    "^": "{}^{}",
    ">": "{} > {}",
    "<": "{} < {}",
    "≥": "{} ≥ {}",
    "≤": "{} ≤ {}",
    "negative": "-{}",
    "T": "{}ᵀ",
    "abs": "|{}|",
    "join": "[{}]",
}


def write(section: Section, precision: int) -> str:
    """The whole explanation."""
    return "\n".join(_section(section, precision, 0))


def _section(section: Section, precision: int, depth: int) -> list[str]:
    heading = section.heading.upper() if depth == 1 else section.heading
    lines = [heading, ("=", "-", "", "")[depth] * len(heading)] if depth < 2 else [heading]
    for block in section.blocks:
        lines += ["", *_block(block, precision, depth)]
    return lines


def _block(block: Block, precision: int, depth: int) -> list[str]:
    match block:
        case Section():
            return _section(block, precision, depth + 1)
        case Sentences(text):
            return textwrap.wrap(plain(text), WIDTH)
        case Table():
            return _table(block, precision)
        case Equation():
            return _equation(block, precision)


def plain(text: str) -> str:
    return text.replace("`", "")


def array(value: Array, precision: int) -> str:
    """An array in a line: [1 2], or [[1 2] [3 4]]."""
    if not value.ndim:
        return number(value[()], precision)
    rows = ["…" if row is None else _row(row) for row in cut_array(value, precision).rows]
    return rows[0] if len(rows) == 1 else f"[{' '.join(rows)}]"


def _row(cells: list[str | None]) -> str:
    row = HARD.join(cell or "…" for cell in cells)
    return f"[{row if len(row) < WIDTH - 20 else row.replace(HARD, ' ')}]"


def notation(precision: int) -> Notation:
    """Formulas in a line."""
    return Notation(
        name=str,
        array=lambda value: array(value, precision),
        total=lambda parts, hidden: f"({' + '.join(parts + [f'… ({hidden} more)'] * bool(hidden))})",
        brackets="({})",
        templates=TEMPLATES,
    )


def _equation(equation: Equation, precision: int) -> list[str]:
    written = notation(precision)
    shape = shape_of(equation.value, precision)
    symbols = [written.write(formula, False) for formula in equation.formulas]
    head = _wrapped(" = ".join([f"{equation.name}{shape}", *symbols]), 2, 6)
    value = _rows(equation.value, precision)
    lines = [*head] if symbols else []
    for numbers in dict.fromkeys(written.write(formula, True) for formula in equation.formulas):
        if [numbers] != value:
            lines += _wrapped(f"= {numbers}", 6, 8)
    lines += _stacked("= ", value, 6) if symbols else _stacked(f"{equation.name}{shape} = ", value, 2)
    if equation.check is not None:
        lines += _stacked("≈ ", _rows(equation.check, precision), 6)
        remark = off(equation.check, equation.value)
        lines += [" " * 8 + remark] if len(lines[-1]) + len(remark) + 2 > WIDTH else []
        lines[-1] += "" if lines[-1].endswith(remark) else f"  {remark}"
    if equation.remark:
        lines += textwrap.wrap(plain(equation.remark), WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return lines


def off(check: Array, value: Array) -> str:
    """How far a value is from its check."""
    return f"by differences, off by {np.abs(check - value).max():.0e}".replace("e-0", "e-").replace("0e+00", "0")


def shape_of(value: Array, precision: int) -> str:
    """The shape of an array, and how much of it is shown."""
    if not value.ndim:
        return ""
    remark = cut_array(value, precision).remark
    return f" ({'×'.join(map(str, value.shape))}{'; ' + remark if remark else ''})"


def _wrapped(line: str, indent: int, further: int, width: int = WIDTH) -> list[str]:
    lines = textwrap.wrap(
        line,
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * further,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(HARD, " ") for line in lines]


def _rows(value: Array, precision: int) -> list[str]:
    """A value with its rows under one another, or in a line that is wrapped where they are too long."""
    cells = cut_array(value, precision).rows
    widths = [max(len(row[c] or "…") for row in cells if row) for c in range(len(cells[0] or []))]
    if value.ndim < 2 or len(value) < 2 or sum(widths) + len(widths) > WIDTH - 10:
        return [line.strip() for line in _wrapped(array(value, precision), 0, 0, WIDTH - 10)]
    return [
        "…"
        if row is None
        else "[" + " ".join((cell or "…").rjust(w) for cell, w in zip(row, widths, strict=True)) + "]"
        for row in cells
    ]


def _stacked(sign: str, rows: list[str], indent: int) -> list[str]:
    """A sign and what follows it; where that is too wide it begins on a line of its own."""
    if indent + len(sign) + max(map(len, rows)) > WIDTH:
        return [" " * indent + sign.rstrip(), *(" " * 8 + row for row in rows)]
    return [" " * indent + (sign if k == 0 else " " * len(sign)) + row for k, row in enumerate(rows)]


def _table(table: Table, precision: int) -> list[str]:
    rows = [[plain(name) for name in table.names], *([_cell(cell, precision) for cell in row] for row in table.rows)]
    widths = [max(len(row[c]) for row in rows) for c in range(len(table.names))]
    if sum(widths) + 2 * len(widths) > WIDTH:
        return _listed(rows)
    lines = ["  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    return lines + [f"  … {table.hidden} more"] * bool(table.hidden)


def _listed(rows: list[list[str]]) -> list[str]:
    """The rows of a table that is too wide, each as a sentence."""
    said = [", ".join(f"{name} {cell}" for name, cell in zip(rows[0], row, strict=True)) for row in rows[1:]]
    return [line for row in said for line in _wrapped(row, 2, 4)]


def _cell(cell: str | Array, precision: int) -> str:
    return cell if isinstance(cell, str) else array(np.asarray(cell), precision).replace(HARD, " ")
