"""Equations in LaTeX's mathematics, for LaTeX and for Markdown, whose readers set them with MathJax or KaTeX."""

import re

from xortrain.explain.document import Equation, cut_array, number
from xortrain.explain.notation import Notation
from xortrain.explain.text import off
from xortrain.nets import Array

LINE = 70  # characters that fit between the margins
GOES_ON = r"\quad"  # begins a line that continues a formula

TEMPLATES = {  # a line may be broken at \0
    "+": "{}\0 + {}",
    "-": "{}\0 - {}",
    "·": "{}\0 \\cdot {}",
    "/": r"\frac{{{}}}{{{}}}",
    "@": "{}\0 \\, {}",
    "⊗": "{}\0 \\otimes {}",
    "^": "{}^{{{}}}",
    ">": "{} > {}",
    "<": "{} < {}",
    "≥": r"{} \ge {}",
    "≤": r"{} \le {}",
    "negative": "-{}",
    "T": r"{}^{{\top}}",
    "√": r"\sqrt{{{}}}",
    "abs": r"\left|{}\right|",
    "join": r"\left[{}\right]",
}
LETTERS = {
    "ℓ": r"\ell",
    "α": r"\alpha",
    "β": r"\beta",
    "γ": r"\gamma",
    "δ": r"\delta",
    "ε": r"\varepsilon",
    "η": r"\eta",
    "λ": r"\lambda",
    "μ": r"\mu",
    "ρ": r"\rho",
    "Δ": r"\Delta",
    "Φ": r"\Phi",
    "Σ": r"\sum_n",
    "ᵀ": r"{}^{\top}",
    "≈": r"\approx",
    "·": r"\cdot",
    "⊗": r"\otimes",
    "/": "/",
}
KNOWN = ("exp", "log", "max", "min", "tanh", "sin", "cos", "cosh")


def name(symbol: str) -> str:
    """A symbol's name in mathematics: W1 becomes W_{1}, dℓ/dW1 a fraction."""
    if symbol.startswith("Σ "):
        return rf"\sum_n {name(symbol[2:])}"
    if quotient := re.fullmatch(r"d(\S+)/d(\S+)", symbol):
        return rf"\frac{{d{name(quotient[1])}}}{{d{name(quotient[2])}}}"
    if symbol in KNOWN:
        return f"\\{symbol}"
    if symbol in LETTERS:
        return LETTERS[symbol]
    if parts := re.fullmatch(r"([A-Zℓ-]|\W|[^\W\d_a-zA-Z]|[a-z](?![a-z]))([\w+-]*)(\^t)?('?)(ᵀ?)", symbol):
        letter, index, power, prime, turned = parts.groups()
        below = f"_{{{index}}}" if index else ""
        return LETTERS.get(letter, letter) + below + (power or "") + prime + (r"^{\top}" if turned else "")
    return rf"\mathrm{{{symbol.replace('_', chr(92) + '_')}}}"


def array(value: Array, precision: int) -> str:
    """A number, a column, or a matrix."""
    if not value.ndim:
        return _number(number(value[()], precision))
    rows = cut_array(value, precision).rows
    cells = [[r"\vdots"] if row is None else [_number(cell) if cell else r"\cdots" for cell in row] for row in rows]
    if value.ndim == 1:
        cells = [[cell.replace("cdots", "vdots")] for cell in cells[0]]
    return r"\begin{bmatrix}" + r" \\ ".join(" & ".join(row) for row in cells) + r"\end{bmatrix}"


def _number(written: str) -> str:
    mantissa, e, exponent = written.partition("e")
    if written in ("nan", "inf", "-inf"):
        return rf"\mathrm{{{written}}}"
    return rf"{mantissa}\mathrm{{e}}{{{exponent}}}" if e else mantissa


def _total(parts: list[str], hidden: int) -> str:
    """A sum, over several lines where it is long."""
    parts = [*parts, rf"\cdots \text{{({hidden} more)}}"] if hidden else parts
    lines: list[str] = []
    for part in parts:
        if lines and _breadth(f"{lines[-1]} + {part}") < LINE - 12:
            lines[-1] += f" + {part}"
        else:
            lines.append(part if not lines else f"+ {part}")
    inside = lines[0] if len(lines) == 1 else r"\begin{aligned}&" + r" \\ &".join(lines) + r"\end{aligned}"
    return rf"\left({inside}\right)"


def _breadth(written: str) -> int:
    """About how many characters wide a formula is set: of stacked lines the longest, of fractions the upper half."""
    wide = written.replace("\0", "")
    for stack in ("bmatrix", "aligned"):
        inside = rf"\\begin\{{{stack}\}}(.*?)\\end\{{{stack}\}}"
        wide = re.sub(inside, lambda found: max(found[1].split(r"\\"), key=_breadth) + "[]", wide)
    wide = re.sub(r"\\frac\{([^{}]*)\}\{[^{}]*\}", r"\1", wide)
    return len(re.sub(r"\\[a-zA-Z]+|[{}\\^_&]", "", wide))


def notation(precision: int) -> Notation:
    """Formulas in mathematics."""
    return Notation(
        name=name,
        array=lambda value: array(value, precision),
        total=_total,
        brackets=r"\left({}\right)",
        templates=TEMPLATES,
        closed=frozenset("/"),
    )


def equation(block: Equation, precision: int) -> list[str]:
    """The lines of an equation, to stand in align* or aligned."""
    written = notation(precision)
    size = r" \times ".join(map(str, block.value.shape))
    left = rf"\underset{{{size}}}{{{name(block.name)}}}" if size else name(block.name)
    value = array(block.value, precision)
    pieces = [written.write(formula, numbers) for numbers in (False, True) for formula in block.formulas]
    lines = _joined(f"{left} &", [line for piece in dict.fromkeys([*pieces, value]) for line in _broken(piece)])
    if block.check is not None:
        check = rf"\approx {array(block.check, precision)}\quad\text{{{off(block.check, block.value)}}}"
        if _breadth(lines[-1] + check) > LINE:
            lines.append("&")
        lines[-1] += check
    return [line + r" \\" for line in lines[:-1]] + [lines[-1]]


def _joined(left: str, pieces: list[str]) -> list[str]:
    """left = piece = piece = …, on as few lines as will hold them; what goes on begins with a space of its own."""
    lines = [left]
    for k, piece in enumerate(pieces):
        goes_on = piece.startswith(GOES_ON)
        if k and (goes_on or _breadth(lines[-1] + piece) > LINE):
            lines.append(f"&{piece}" if goes_on else f"&= {piece}")
        else:
            lines[-1] += f"= {piece}" if lines[-1].endswith("&") else f" = {piece}"
    return lines


def _broken(formula: str) -> list[str]:
    """A formula on as many lines as it needs; brackets that open on one and close on another do not stretch."""
    lines: list[str] = []
    for part in _breakable(formula):
        if lines and _breadth(lines[-1] + part) < LINE:
            lines[-1] += part
        else:
            lines.append(f"{GOES_ON} {part}" if lines else part)
    return lines if len(lines) == 1 else [_unstretched(line) for line in lines]


def _breakable(formula: str) -> list[str]:
    """The parts of a formula between which a line may be broken: at marks outside of braces and matrices."""
    parts, depth = [""], 0
    for token in re.split(r"(\0|\\begin\{|\\end\{|[{}])", formula):
        depth += {"\\begin{": 2, "{": 1, "\\end{": 0, "}": -1}.get(token, 0)
        if token == "\0" and not depth:
            parts.append("")
        elif token != "\0":
            parts[-1] += token
    return parts


def _unstretched(line: str) -> str:
    open_, least = 0, 0
    for side in re.findall(r"\\(left|right)\b", line):
        open_ += 1 if side == "left" else -1
        least = min(least, open_)
    if not open_ and not least:
        return line
    return re.sub(r"\\(left|right)\b", lambda found: f"\\big{found[1][0]}", line)


def in_text(written: str) -> str:
    """A symbol, or one number of an array such as z1[0], within a sentence."""
    if place := re.fullmatch(r"(\w+)\[(\d+)\]", written):
        return f"${name(place[1])}[{place[2]}]$"
    if quotient := re.fullmatch(r"d(\S+)/d(\S+)", written):
        return f"$d{name(quotient[1])}/d{name(quotient[2])}$"
    return f"${name(written)}$"
