"""An explanation as Markdown with its equations between double dollars, as GitHub and Jupyter set them."""

import re
from itertools import groupby

import numpy as np

from xortrain.explain.document import Block, Equation, Section, Sentences, Table
from xortrain.explain.mathematics import equation, in_text
from xortrain.explain.text import array
from xortrain.explain.text import array as in_a_line
from xortrain.nets import Array


def write_markdown(section: Section, precision: int) -> str:
    """The whole explanation."""
    return "\n".join(_markdown_section(section, precision, 1))


def _markdown_section(section: Section, precision: int, depth: int) -> list[str]:
    lines = [f"{'#' * depth} {section.heading}"]
    for block in section.blocks:
        lines += ["", *_markdown_block(block, precision, depth)]
    return lines


def _markdown_block(block: Block, precision: int, depth: int) -> list[str]:
    match block:
        case Section():
            return _markdown_section(block, precision, depth + 1)
        case Sentences(text):
            return [_markdown_prose(text)]
        case Table():
            return _markdown_table(block, precision)
        case Equation():
            remark = ["", _markdown_prose(block.remark)] if block.remark else []
            return ["$$", r"\begin{aligned}", *equation(block, precision), r"\end{aligned}", "$$", *remark]


def _markdown_prose(text: str) -> str:
    """Sentences with their symbols in mathematics."""
    parts = text.split("`")
    plain = [part.replace("_", r"\_") for part in parts[::2]]
    symbols = [f"`{part}`" if part.startswith("xortrain") else in_text(part) for part in parts[1::2]]
    return "".join(part for pair in zip(plain, [*symbols, ""], strict=True) for part in pair)


def _markdown_table(table: Table, precision: int) -> list[str]:
    rows = [[_markdown_prose(cell) for cell in table.names], ["---"] * len(table.names)]
    rows += [[_markdown_cell(cell, precision) for cell in row] for row in table.rows]
    if table.hidden:
        rows.append([f"… {table.hidden} more", *[""] * (len(table.names) - 1)])
    return [f"| {' | '.join(row)} |" for row in rows]


def _markdown_cell(cell: str | Array, precision: int) -> str:
    return cell if isinstance(cell, str) else array(np.asarray(cell), precision)


HEADINGS = ("section", "subsection", "subsubsection", "paragraph")

HEAD = r"""\documentclass[fleqn]{article}
\usepackage{amsmath}
\usepackage[a4paper, margin=2cm]{geometry}
\setlength{\mathindent}{1em}
\setlength{\parindent}{0pt}
\setlength{\parskip}{6pt}
\allowdisplaybreaks
\begin{document}
"""


def write_latex(section: Section, precision: int) -> str:
    """The whole explanation, ready to be compiled."""
    return HEAD + "\n".join(_section(section, precision, 0)) + "\n\\end{document}"


def _section(section: Section, precision: int, depth: int) -> list[str]:
    lines = [f"\\{HEADINGS[depth]}*{{{_prose(section.heading)}}}"]
    for together, group in groupby(section.blocks, key=_is_bare):
        blocks = list(group)
        for part in [_equations(blocks, precision)] if together else [_block(b, precision, depth) for b in blocks]:
            lines += ["", *part]
    return lines


def _is_bare(block: Block) -> bool:
    """An equation of which there is nothing more to say: such are set together."""
    return isinstance(block, Equation) and not block.remark


def _equations(blocks: list[Block], precision: int) -> list[str]:
    """Equations under one another."""
    parts = ["\n".join(equation(block, precision)) for block in blocks if isinstance(block, Equation)]
    return [r"\begin{align*}", " \\\\[1ex]\n".join(parts), r"\end{align*}"]


def _block(block: Block, precision: int, depth: int) -> list[str]:
    match block:
        case Section():
            return _section(block, precision, depth + 1)
        case Sentences(text):
            return [_prose(text)]
        case Table():
            return _table(block, precision)
        case Equation():
            return [*_equations([block], precision), _prose(block.remark)]


def _prose(text: str) -> str:
    """Sentences with their symbols in mathematics."""
    parts = text.split("`")
    plain = [re.sub(r"([%&_#$])", r"\\\1", part).replace("…", r"\dots{}") for part in parts[::2]]
    symbols = [rf"\texttt{{{part}}}" if part.startswith("xortrain") else in_text(part) for part in parts[1::2]]
    return "".join(part for pair in zip(plain, [*symbols, ""], strict=True) for part in pair)


def _table(table: Table, precision: int) -> list[str]:
    rows = [[_prose(cell) for cell in table.names]]
    rows += [[_cell(cell, precision) for cell in row] for row in table.rows]
    if table.hidden:
        rows.append([rf"\dots {table.hidden} more", *[""] * (len(table.names) - 1)])
    lines = [" & ".join(row) + r" \\" for row in rows]
    return [rf"\begin{{tabular}}{{{'l' * len(table.names)}}}", lines[0], r"\hline", *lines[1:], r"\end{tabular}"]


def _cell(cell: str | Array, precision: int) -> str:
    if isinstance(cell, str):
        return _prose(cell)
    written = in_a_line(np.asarray(cell), precision)
    spaced = re.sub(r"\s", lambda space: r"\; ", written).replace("…", r"\cdots ")
    return f"${spaced}$"
