"""An explanation as Markdown with its equations between double dollars, as GitHub and Jupyter set them."""

import numpy as np

from xortrain.explain.document import Block, Equation, Section, Sentences, Table
from xortrain.explain.mathematics import equation, in_text
from xortrain.explain.text import array
from xortrain.nets import Array


def write(section: Section, precision: int) -> str:
    """The whole explanation."""
    return "\n".join(_section(section, precision, 1))


def _section(section: Section, precision: int, depth: int) -> list[str]:
    lines = [f"{'#' * depth} {section.heading}"]
    for block in section.blocks:
        lines += ["", *_block(block, precision, depth)]
    return lines


def _block(block: Block, precision: int, depth: int) -> list[str]:
    match block:
        case Section():
            return _section(block, precision, depth + 1)
        case Sentences(text):
            return [_prose(text)]
        case Table():
            return _table(block, precision)
        case Equation():
            remark = ["", _prose(block.remark)] if block.remark else []
            return ["$$", r"\begin{aligned}", *equation(block, precision), r"\end{aligned}", "$$", *remark]


def _prose(text: str) -> str:
    """Sentences with their symbols in mathematics."""
    parts = text.split("`")
    plain = [part.replace("_", r"\_") for part in parts[::2]]
    symbols = [f"`{part}`" if part.startswith("xortrain") else in_text(part) for part in parts[1::2]]
    return "".join(part for pair in zip(plain, [*symbols, ""], strict=True) for part in pair)


def _table(table: Table, precision: int) -> list[str]:
    rows = [[_prose(cell) for cell in table.names], ["---"] * len(table.names)]
    rows += [[_cell(cell, precision) for cell in row] for row in table.rows]
    if table.hidden:
        rows.append([f"… {table.hidden} more", *[""] * (len(table.names) - 1)])
    return [f"| {' | '.join(row)} |" for row in rows]


def _cell(cell: str | Array, precision: int) -> str:
    return cell if isinstance(cell, str) else array(np.asarray(cell), precision)
