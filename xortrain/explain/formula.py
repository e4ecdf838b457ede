"""Formulas that know their numbers: built once, written with symbols and again with the numbers in their place.

Symbols are joined by Python's operators: ``W @ x + b`` is a formula, and so is ``1 / (1 + exp(-z))``.  Products,
quotients and powers go element by element, ``@`` is the product of matrices.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xortrain.nets import Array


class Term:
    """A part of a formula; whatever Python's operators are given that is no term stands for itself."""

    def __add__(self, other: Any) -> "Operation":
        return Operation("+", self, term(other))

    def __radd__(self, other: Any) -> "Operation":
        return Operation("+", term(other), self)

    def __sub__(self, other: Any) -> "Operation":
        return Operation("-", self, term(other))

    def __rsub__(self, other: Any) -> "Operation":
        return Operation("-", term(other), self)

    def __mul__(self, other: Any) -> "Operation":
        return Operation("·", self, term(other))

    def __rmul__(self, other: Any) -> "Operation":
        return Operation("·", term(other), self)

    def __truediv__(self, other: Any) -> "Operation":
        return Operation("/", self, term(other))

    def __rtruediv__(self, other: Any) -> "Operation":
        return Operation("/", term(other), self)

    def __matmul__(self, other: Any) -> "Operation":
        return Operation("@", self, term(other))

    def __pow__(self, other: Any) -> "Operation":
        return Operation("^", self, term(other))

    def __gt__(self, other: Any) -> "Operation":
        return Operation(">", self, term(other))

    def __lt__(self, other: Any) -> "Operation":
        return Operation("<", self, term(other))

    def __ge__(self, other: Any) -> "Operation":
        return Operation("≥", self, term(other))

    def __le__(self, other: Any) -> "Operation":
        return Operation("≤", self, term(other))

    def __neg__(self) -> "Call":
        return Call("-", self)


@dataclass(frozen=True)
class Symbol(Term):
    """A name and what it stands for."""

    name: str
    value: Array


@dataclass(frozen=True)
class Number(Term):
    """A number that is the same in both writings."""

    value: float


@dataclass(frozen=True)
class Operation(Term):
    """Two terms with a sign between them."""

    sign: str
    left: Term
    right: Term


@dataclass(frozen=True, init=False)
class Call(Term):
    """A function of terms; ``-`` and ``T`` (transposed) are written their own way."""

    name: str
    arguments: tuple[Term, ...]

    def __init__(self, name: str, *arguments: Any) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "arguments", tuple(term(argument) for argument in arguments))


@dataclass(frozen=True)
class Total(Term):
    """A sum over examples: Σ name with symbols, and with numbers its parts, of which ``hidden`` are left out."""

    name: str
    parts: tuple[Array, ...]
    hidden: int = 0


def term(value: Any) -> Term:
    """A number as a term; a term as it is."""
    return value if isinstance(value, Term) else Number(float(value))


def symbol(name: str, value: Any) -> Symbol:
    return Symbol(name, np.asarray(value))


def kron(left: Term, right: Term) -> Operation:
    """The Kronecker product, of a column and a row here: every product of their numbers."""
    return Operation("⊗", left, right)


SIGNS = {">": 0, "<": 0, "≥": 0, "≤": 0, "+": 2, "-": 2, "·": 3, "/": 3, "@": 3, "⊗": 3, "^": 5}
NEGATIVE, FRACTION, ATOM = 1, 4, 6
Piece = tuple[str, int]  # what has been written, and how strongly it holds together


@dataclass(frozen=True)
class Notation:
    """How formulas are written: names, arrays, and templates for signs and functions.

    ``closed`` signs and functions need no brackets, neither around them nor around what they join.
    """

    name: Callable[[str], str]
    array: Callable[[Array], str]
    total: Callable[[list[str], int], str]
    brackets: str
    templates: Mapping[str, str]
    closed: frozenset[str] = frozenset()

    def write(self, formula: Term, numbers: bool) -> str:
        """A formula with symbols, or with numbers."""
        return self._piece(formula, numbers)[0]

    def _piece(self, formula: Term, numbers: bool) -> Piece:
        match formula:
            case Symbol(name, value):
                return self._value(value) if numbers else (self.name(name), FRACTION if "/" in name else ATOM)
            case Number(value):
                return self._value(np.asarray(float(value)))
            case Total(name, parts, hidden):
                return (self._total(parts, hidden), ATOM) if numbers else (self.name(f"Σ {name}"), SIGNS["·"])
            case Operation(sign, left, right):
                return self._operation(sign, self._piece(left, numbers), self._piece(right, numbers))
            case Call(name, arguments):
                return self._call(name, [self._piece(argument, numbers) for argument in arguments])
        raise AssertionError(formula)

    def _value(self, value: Array) -> Piece:
        return self.array(value), NEGATIVE if not value.ndim and value < 0 else ATOM

    def _total(self, parts: tuple[Array, ...], hidden: int) -> str:
        written = [self._held(self._value(part), SIGNS["+"]) for part in parts]
        return self.total(written, hidden) if len(written) + hidden > 1 else written[0]

    def _operation(self, sign: str, left: Piece, right: Piece) -> Piece:
        if sign in self.closed:
            return self.templates[sign].format(left[0], right[0]), FRACTION
        strength = SIGNS[sign]
        before = {"+": NEGATIVE, "-": NEGATIVE, "^": ATOM}.get(sign, strength)
        after = strength if sign in ("+", "·", "@") else strength + 1
        return self.templates[sign].format(self._held(left, before), self._held(right, after)), strength

    def _call(self, name: str, arguments: list[Piece]) -> Piece:
        if name == "-":
            return self.templates["negative"].format(self._held(arguments[0], SIGNS["·"])), NEGATIVE
        if name == "T":
            return self.templates["T"].format(self._held(arguments[0], ATOM)), ATOM
        inside = ", ".join(written for written, _ in arguments)
        if name in self.templates:
            return self.templates[name].format(inside), ATOM
        return self.name(name) + self.brackets.format(inside), ATOM

    def _held(self, piece: Piece, least: int) -> str:
        written, strength = piece
        return written if strength >= least else self.brackets.format(written)
