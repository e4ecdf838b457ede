"""How formulas are written: with symbols or with numbers, in a notation of names, arrays and templates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from xortrain.nets import Array
from xortrain.nets.formula import Call, Number, Operation, Symbol, Term, Total

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
