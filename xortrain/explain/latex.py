"""An explanation as a LaTeX document, or as Markdown with equations in LaTeX, which GitHub and Jupyter render."""

import re
from abc import abstractmethod
from typing import ClassVar

from xortrain.explain.document import Equation, Section, Writer, array_cells, array_in_line, format_number
from xortrain.nets import Array

LINE = 70  # characters that fit between the margins
CONTINUED = r"\quad"  # begins a line that continues a formula
LETTERS = {
    "ℓ": r"\ell", "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "η": r"\eta",
    "λ": r"\lambda", "μ": r"\mu", "ρ": r"\rho", "Δ": r"\Delta", "Φ": r"\Phi", "Σ": r"\sum_n", "ᵀ": r"{}^{\top}",
    "≈": r"\approx", "·": r"\cdot", "⊗": r"\otimes", "/": "/",
}  # fmt: skip
FUNCTIONS = ("exp", "log", "max", "min", "tanh", "sin", "cos", "cosh")


class MathWriter(Writer):
    """What Markdown and LaTeX share: equations and symbols in LaTeX's math mode."""

    brackets = r"\left({}\right)"
    closed = frozenset("/")
    templates: ClassVar[dict[str, str]] = {  # a line may be broken at \0
        "+": "{}\0 + {}", "-": "{}\0 - {}", "·": "{}\0 \\cdot {}", "@": "{}\0 \\, {}", "⊗": "{}\0 \\otimes {}",
        "/": r"\frac{{{}}}{{{}}}", "^": "{}^{{{}}}", "≥": r"{} \ge {}", "≤": r"{} \le {}", "T": r"{}^{{\top}}",
        "√": r"\sqrt{{{}}}", "abs": r"\left|{}\right|", "join": r"\left[{}\right]",
    }  # fmt: skip
    code: ClassVar[str]

    @abstractmethod
    def escape(self, text: str) -> str: ...

    def sentence(self, text: str) -> str:
        parts = text.split("`")
        parts[::2] = map(self.escape, parts[::2])
        parts[1::2] = [self._in_text(part) for part in parts[1::2]]
        return "".join(parts)

    def _in_text(self, part: str) -> str:
        """A command of xortrain, a symbol, or one number of an array such as z1[0]."""
        if part.startswith("xortrain"):
            return self.code.format(part)
        if place := re.fullmatch(r"(\w+)\[(\d+)\]", part):
            return f"${self.name(place[1])}[{place[2]}]$"
        if quotient := re.fullmatch(r"d(\S+)/d(\S+)", part):
            return f"$d{self.name(quotient[1])}/d{self.name(quotient[2])}$"
        return f"${self.name(part)}$"

    def name(self, symbol: str) -> str:
        """W1 becomes W_{1}, dℓ/dW1 a fraction."""
        if symbol.startswith("Σ "):
            return rf"\sum_n {self.name(symbol[2:])}"
        if quotient := re.fullmatch(r"d(\S+)/d(\S+)", symbol):
            return rf"\frac{{d{self.name(quotient[1])}}}{{d{self.name(quotient[2])}}}"
        if symbol in FUNCTIONS:
            return f"\\{symbol}"
        if symbol in LETTERS:
            return LETTERS[symbol]
        if parts := re.fullmatch(r"([A-Zℓ-]|\W|[^\W\d_a-zA-Z]|[a-z](?![a-z]))([\w+-]*)(\^t)?('?)(ᵀ?)", symbol):
            letter, index, power, prime, transposed = parts.groups()
            below = f"_{{{index}}}" if index else ""
            return LETTERS.get(letter, letter) + below + (power or "") + prime + (r"^{\top}" if transposed else "")
        return r"\mathrm{" + symbol.replace("_", r"\_") + "}"

    def array(self, value: Array) -> str:
        """A number, a column, or a matrix."""
        if not value.ndim:
            return _number(format_number(value[()], self.precision))
        cells = [
            [r"\vdots"] if row is None else [_number(cell) if cell else r"\cdots" for cell in row]
            for row in array_cells(value, self.precision)
        ]
        if value.ndim == 1:
            cells = [[cell.replace("cdots", "vdots")] for cell in cells[0]]
        return r"\begin{bmatrix}" + r" \\ ".join(" & ".join(row) for row in cells) + r"\end{bmatrix}"

    def total(self, parts: list[str], hidden: int) -> str:
        """A sum, over several lines where it is long."""
        parts = [*parts, rf"\cdots \text{{({hidden} more)}}"] if hidden else parts
        lines = parts[:1]
        for part in parts[1:]:
            if _width(f"{lines[-1]} + {part}") < LINE - 12:
                lines[-1] += f" + {part}"
            else:
                lines.append(f"+ {part}")
        inside = lines[0] if len(lines) == 1 else r"\begin{aligned}&" + r" \\ &".join(lines) + r"\end{aligned}"
        return rf"\left({inside}\right)"

    def aligned(self, equation: Equation) -> list[str]:
        """The lines of an equation inside of align* or aligned."""
        size = r" \times ".join(map(str, equation.value.shape))
        name, value = self.name(equation.name), self.array(equation.value)
        formulas = [self.formula(term, numbers=numbers) for numbers in (False, True) for term in equation.formulas]
        sides = [line for side in dict.fromkeys([*formulas, value]) for line in _broken_lines(side)]
        lines = _joined_lines(rf"\underset{{{size}}}{{{name}}} &" if size else f"{name} &", sides)
        if equation.check is not None:
            check = rf"\approx {self.array(equation.check)}\quad\text{{{equation.accuracy}}}"
            lines += ["&"] if _width(lines[-1] + check) > LINE else []
            lines[-1] += check
        return [line + r" \\" for line in lines[:-1]] + [lines[-1]]


class MarkdownWriter(MathWriter):
    """Markdown with equations between double dollars."""

    code = "`{}`"

    def heading(self, text: str, depth: int) -> list[str]:
        return [f"{'#' * (depth + 1)} {text}"]

    def escape(self, text: str) -> str:
        return text.replace("_", r"\_")

    def table(self, rows: list[list[str]], hidden: int) -> list[str]:
        columns = len(rows[0])
        more = [[f"… {hidden} more", *[""] * (columns - 1)]] if hidden else []
        return [f"| {' | '.join(row)} |" for row in [rows[0], ["---"] * columns, *rows[1:], *more]]

    def equations(self, equations: list[Equation]) -> list[str]:
        lines = []
        for equation in equations:
            lines += ["", "$$", r"\begin{aligned}", *self.aligned(equation), r"\end{aligned}", "$$"]
            lines += ["", self.sentence(equation.remark)] if equation.remark else []
        return lines[1:]


class LatexWriter(MathWriter):
    """A document for pdflatex; consecutive equations are aligned."""

    code = r"\texttt{{{}}}"
    levels = ("section", "subsection", "subsubsection", "paragraph")
    head = r"""\documentclass[fleqn]{article}
\usepackage{amsmath}
\usepackage[a4paper, margin=2cm]{geometry}
\setlength{\mathindent}{1em}
\setlength{\parindent}{0pt}
\setlength{\parskip}{6pt}
\allowdisplaybreaks
\begin{document}
"""

    def write(self, section: Section) -> str:
        """A complete document, ready to be compiled."""
        return f"{self.head}{super().write(section)}\n\\end{{document}}"

    def heading(self, text: str, depth: int) -> list[str]:
        return [f"\\{self.levels[depth]}*{{{self.sentence(text)}}}"]

    def escape(self, text: str) -> str:
        return re.sub(r"([%&_#$])", r"\\\1", text).replace("…", r"\dots{}")

    def table(self, rows: list[list[str]], hidden: int) -> list[str]:
        columns = len(rows[0])
        more = [[rf"\dots {hidden} more", *[""] * (columns - 1)]] if hidden else []
        first, *lines = [" & ".join(row) + r" \\" for row in [*rows, *more]]
        return [rf"\begin{{tabular}}{{{'l' * columns}}}", first, r"\hline", *lines, r"\end{tabular}"]

    def array_cell(self, value: Array) -> str:
        spaced = re.sub(r"\s", lambda _: r"\; ", array_in_line(value, self.precision))
        return "$" + spaced.replace("…", r"\cdots ") + "$"

    def equations(self, equations: list[Equation]) -> list[str]:
        inside = " \\\\[1ex]\n".join("\n".join(self.aligned(equation)) for equation in equations)
        remarks = [self.sentence(equation.remark) for equation in equations if equation.remark]
        return [r"\begin{align*}", inside, r"\end{align*}", *remarks]


def _number(written: str) -> str:
    mantissa, e, exponent = written.partition("e")
    if written in ("nan", "inf", "-inf"):
        return rf"\mathrm{{{written}}}"
    return rf"{mantissa}\mathrm{{e}}{{{exponent}}}" if e else mantissa


def _width(written: str) -> int:
    """The approximate width of a formula in characters: of stacked lines the longest, of fractions the numerator."""
    flat = written.replace("\0", "")
    for stack in ("bmatrix", "aligned"):
        inside = rf"\\begin\{{{stack}\}}(.*?)\\end\{{{stack}\}}"
        flat = re.sub(inside, lambda found: max(found[1].split(r"\\"), key=_width) + "[]", flat)
    flat = re.sub(r"\\frac\{([^{}]*)\}\{[^{}]*\}", r"\1", flat)
    return len(re.sub(r"\\[a-zA-Z]+|[{}\\^_&]", "", flat))


def _joined_lines(left: str, sides: list[str]) -> list[str]:
    """left = side = side = …, on as few lines as possible."""
    lines = [left]
    for k, side in enumerate(sides):
        is_continued = side.startswith(CONTINUED)
        if k and (is_continued or _width(lines[-1] + side) > LINE):
            lines.append(f"&{side}" if is_continued else f"&= {side}")
        else:
            lines[-1] += f"= {side}" if lines[-1].endswith("&") else f" = {side}"
    return lines


def _broken_lines(formula: str) -> list[str]:
    """A formula on as many lines as it needs; brackets that open on one line and close on another get a fixed size."""
    first, *rest = _breakable_parts(formula)
    lines = [first]
    for part in rest:
        if _width(lines[-1] + part) < LINE:
            lines[-1] += part
        else:
            lines.append(f"{CONTINUED} {part}")
    return lines if len(lines) == 1 else [_fixed_brackets(line) for line in lines]


def _breakable_parts(formula: str) -> list[str]:
    """The parts of a formula between the marks outside of braces and matrices, where a line may be broken."""
    parts, depth = [""], 0
    for token in re.split(r"(\0|\\begin\{|\\end\{|[{}])", formula):
        depth += {"\\begin{": 2, "{": 1, "\\end{": 0, "}": -1}.get(token, 0)
        if token == "\0" and not depth:
            parts.append("")
        elif token != "\0":
            parts[-1] += token
    return parts


def _fixed_brackets(line: str) -> str:
    """A line whose brackets are of fixed size if some of them have no partner on it."""
    open_, least = 0, 0
    for side in re.findall(r"\\(left|right)\b", line):
        open_ += 1 if side == "left" else -1
        least = min(least, open_)
    if not open_ and not least:
        return line
    return re.sub(r"\\(left|right)\b", lambda found: f"\\big{found[1][0]}", line)
