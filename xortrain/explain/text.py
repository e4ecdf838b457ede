"""An explanation as plain text for a terminal of 80 columns.

An equation takes a line for its formula, one for the formula with its numbers, and one for its value.
"""

import textwrap
from typing import ClassVar

from xortrain.errors import padded, width_of
from xortrain.explain.document import FIRST_CELLS, HARD, LAST_CELLS, MOST_CELLS, Equation, Writer, array_cells
from xortrain.nets import Array

WIDTH = 80


class TextWriter(Writer):
    """Plain text."""

    templates: ClassVar = {"@": "{} {}", "^": "{}^{}", "T": "{}ᵀ", "abs": "|{}|", "join": "[{}]"}

    def heading(self, text: str, depth: int) -> list[str]:
        if depth > 1:
            return [text]
        return [text.upper(), "-" * len(text)] if depth else [text, "=" * len(text)]

    def sentence(self, text: str) -> str:
        return text.replace("`", "")

    def paragraph(self, text: str) -> list[str]:
        return textwrap.wrap(self.sentence(text), WIDTH)

    def table(self, rows: list[list[str]], hidden: int) -> list[str]:
        """Columns; if they are too wide, each row as a sentence."""
        widths = [max(map(width_of, column)) for column in zip(*rows, strict=True)]
        if sum(widths) + 2 * len(widths) > WIDTH:
            named = [zip(rows[0], row, strict=True) for row in rows[1:]]
            sentences = [", ".join(f"{name} {cell}" for name, cell in row) for row in named]
            lines = [line for sentence in sentences for line in _wrapped(sentence, 2, 4)]
        else:
            lines = [f"  {'  '.join(map(padded, row, widths))}".rstrip() for row in rows]
        return [*lines, f"  … {hidden} more"] if hidden else lines

    def array_cell(self, value: Array) -> str:
        return self.array(value).replace(HARD, " ")

    def total(self, parts: list[str], hidden: int) -> str:
        return f"({' + '.join([*parts, *[f'… ({hidden} more)'] * bool(hidden)])})"

    def equations(self, equations: list[Equation]) -> list[str]:
        return [line for equation in equations for line in ("", *self._equation(equation))][1:]

    def _equation(self, equation: Equation) -> list[str]:
        left, value = equation.name + _shape(equation.value), self._rows(equation.value)
        symbols = [self.formula(formula, numbers=False) for formula in equation.formulas]
        lines = _wrapped(" = ".join([left, *symbols]), 2, 6) if symbols else _stacked(f"{left} = ", value, 2)
        for numbers in dict.fromkeys(self.formula(formula, numbers=True) for formula in equation.formulas):
            if [numbers] != value:
                lines += _wrapped(f"= {numbers}", 6, 8)
        lines += _stacked("= ", value, 6) if symbols else []
        if equation.check is not None:
            lines += _stacked("≈ ", self._rows(equation.check), 6)
            fits = len(lines[-1]) + 2 + len(equation.accuracy) <= WIDTH
            lines.append((f"{lines.pop()}  " if fits else " " * 8) + equation.accuracy)
        return lines + _wrapped(self.sentence(equation.remark), 6, 6)

    def _rows(self, value: Array) -> list[str]:
        """The lines of a value: one per row, or one wrapped line if the rows are too long."""
        cells = array_cells(value, self.precision)
        widths = [max(len(row[c] or "…") for row in cells if row) for c in range(len(cells[0] or []))]
        if value.ndim < 2 or len(value) < 2 or sum(widths) + len(widths) > WIDTH - 10:
            return [line.strip() for line in _wrapped(self.array(value), 0, 0, WIDTH - 10)]
        columns = range(len(widths))
        return [f"[{' '.join((row[c] or '…').rjust(widths[c]) for c in columns)}]" if row else "…" for row in cells]


def _shape(value: Array) -> str:
    """The shape of an array and, if it is cut, how much of it is shown."""
    if not value.ndim:
        return ""
    words = ("rows", "columns") if value.ndim > 1 else ("numbers",)
    sizes = [(size, word) for size, word in zip(value.shape, words, strict=True) if size > MOST_CELLS]
    cut = [f"{FIRST_CELLS + LAST_CELLS} of {size} {word}" for size, word in sizes]
    return f" ({'×'.join(map(str, value.shape))}{'; ' + ', '.join(cut) + ' shown' if cut else ''})"


def _wrapped(line: str, indent: int, further: int, width: int = WIDTH) -> list[str]:
    first, later = " " * indent, " " * further
    lines = textwrap.wrap(
        line, width, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(HARD, " ") for line in lines]


def _stacked(sign: str, rows: list[str], indent: int) -> list[str]:
    """A sign and a value; if that is too wide, the value begins on the next line."""
    if indent + len(sign) + max(map(len, rows)) > WIDTH:
        return [" " * indent + sign.rstrip(), *(" " * 8 + row for row in rows)]
    return [" " * indent + (sign if k == 0 else " " * len(sign)) + row for k, row in enumerate(rows)]
