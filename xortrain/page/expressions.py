"""Writes graphs of symbols as JavaScript statements: what is computed twice, or in vain inside a loop, is a constant.

A graph is computed in a loop, over units, parameters, points or epochs.  An expression that is the same in every turn
of it stands before the loop.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from xortrain.nets.functions import each
from xortrain.symbols import Fold, Graph, Node, SymbolError, name_of
from xortrain.symbols.protocol import Operation

_SIGNS: dict[Operation, tuple[str, int]] = {
    np.logical_or: ("||", 3), np.bitwise_or: ("||", 3), np.logical_and: ("&&", 4), np.bitwise_and: ("&&", 4),
    np.equal: ("===", 8), np.not_equal: ("!==", 8),
    np.less: ("<", 9), np.less_equal: ("<=", 9), np.greater: (">", 9), np.greater_equal: (">=", 9),
    np.add: ("+", 11), np.subtract: ("-", 11), np.multiply: ("*", 12), np.divide: ("/", 12),
}  # fmt: skip
"""Operators of JavaScript with their precedence."""
_CHOICE, _TRUTH, _ARITHMETIC, _PREFIX, _WHOLE = 1, 10, 11, 13, 20
_CALLS: dict[Operation, str] = {
    np.abs: "Math.abs", np.sign: "Math.sign", np.sqrt: "Math.sqrt", np.power: "Math.pow",
    np.exp: "Math.exp", np.expm1: "Math.expm1", np.log: "Math.log", np.log1p: "Math.log1p",
    np.sin: "Math.sin", np.cos: "Math.cos", each(math.cos): "Math.cos", np.sinh: "Math.sinh", np.cosh: "Math.cosh",
    np.arcsin: "Math.asin", np.arccos: "Math.acos", np.arctan: "Math.atan", np.arcsinh: "Math.asinh",
    np.cbrt: "Math.cbrt", np.floor: "Math.floor", np.ceil: "Math.ceil", np.trunc: "Math.trunc",
    np.tanh: "tanh", np.arctanh: "Math.atanh", np.maximum: "Math.max", np.minimum: "Math.min",
    each(math.erf): "erf", np.floor_divide: "floorDivide",
}  # fmt: skip
"""Functions of JavaScript, and some of special.js."""
_STARTS = {np.add: "0", np.maximum: "-Infinity"}
"""Where a loop over units begins that folds them."""


class Scope:
    """Statements in one pair of braces; constants of the block around it are known in it."""

    def __init__(self, graph: Graph, uses: Mapping[int, int], outer: "Scope | None" = None) -> None:
        self.graph, self.uses, self.outer, self.lines = graph, uses, outer, list[str]()
        self._names = dict[int, str]()
        self._fresh: list[int] = [0] if outer is None else outer._fresh

    def inner(self) -> "Scope":
        return Scope(self.graph, self.uses, self)

    def name_of(self, place: int) -> str | None:
        """The constant that an expression is known by."""
        return self._names.get(place) or (self.outer.name_of(place) if self.outer else None)

    def named(self, place: int) -> str:
        """An expression as a constant, or a number or a variable as it is."""
        text, strength = self._read(place)
        return (
            text if strength == _WHOLE and (text.isidentifier() or self._is_number(place)) else self._keep(place, text)
        )

    def number(self, place: int, least: int = 0) -> str:
        """An expression as a number, in parentheses if it binds less than ``least``."""
        text, strength = self._read(place)
        if self._is_truth(place):
            text, strength = f"{text} ? 1 : 0", _CHOICE
        return text if strength >= least else f"({text})"

    def _read(self, place: int) -> tuple[str, int]:
        """An expression with how strongly it binds; what is used twice becomes a constant."""
        if name := self.name_of(place):
            return name, _WHOLE
        if self.outer and not self.graph.varies[place] and not self._is_plain(place):
            return self.outer.named(place), _WHOLE
        if isinstance(self.graph.entries[place][0], Fold):
            return self._fold(place), _WHOLE
        text, strength = self._written(place)
        if self.uses.get(place, 1) > 1 and not self._is_plain(place):
            return self._keep(place, text), _WHOLE
        return text, strength

    def _keep(self, place: int, text: str) -> str:
        operation = self.graph.entries[place][0]
        self._names[place] = re.sub(r"\W", "", operation) if isinstance(operation, str) else self._fresh_name()
        self.lines.append(f"const {self._names[place]} = {text};")
        return self._names[place]

    def _fresh_name(self) -> str:
        self._fresh[0] += 1
        return f"c{self._fresh[0]}"

    def _written(self, place: int) -> tuple[str, int]:
        operation, arguments = self.graph.entries[place]
        if isinstance(operation, str):
            return operation, _WHOLE
        if isinstance(operation, float):
            return written_number(operation), _WHOLE if operation >= 0 else _PREFIX
        if operation in _SIGNS:
            sign, strength = _SIGNS[operation]
            read = self.number if operation not in _LOGIC else self._truth
            left, right = read(arguments[0], strength), read(arguments[1], strength + 1)
            return f"{left} {sign} {right}", strength
        if operation in (np.logical_not, np.invert):
            return f"!{self._truth(arguments[0], _PREFIX + 1)}", _PREFIX
        if operation is np.negative:
            return f"-{self.number(arguments[0], _PREFIX + 1)}", _PREFIX
        if operation is np.where:
            condition, *values = arguments
            first, second = (self.number(k, _CHOICE + 1) for k in values)
            return f"{self._truth(condition, _CHOICE + 1)} ? {first} : {second}", _CHOICE
        if operation is np.clip:
            value, low, high = map(self.number, arguments)
            return f"Math.min(Math.max({value}, {low}), {high})", _WHOLE
        if operation not in _CALLS:
            raise SymbolError(f"numpy.{name_of(operation)}")
        return f"{_CALLS[operation]}({', '.join(map(self.number, arguments))})", _WHOLE

    def _truth(self, place: int, least: int) -> str:
        text, strength = self._read(place)
        return text if strength >= least else f"({text})"

    def _fold(self, place: int) -> str:
        """A loop over the units that folds them into a variable."""
        operation, (argument,) = self.graph.entries[place]
        name = self._names[place] = self._fresh_name()
        block = self.inner()
        element = block.number(argument, _ARITHMETIC)
        joined = f"{name} += {element};" if operation.ufunc is np.add else f"{name} = Math.max({name}, {element});"
        self.lines += [f"let {name} = {_STARTS[operation.ufunc]};", *loop(UNITS, [*block.lines, joined])]
        return name

    def _is_plain(self, place: int) -> bool:
        """Whether it is a number or the name of a variable, which is no work to read again."""
        operation = self.graph.entries[place][0]
        return self._is_number(place) or (isinstance(operation, str) and operation.isidentifier())

    def _is_number(self, place: int) -> bool:
        return isinstance(self.graph.entries[place][0], float)

    def _is_truth(self, place: int) -> bool:
        operation = self.graph.entries[place][0]
        return operation in (np.logical_not, np.invert) or (operation in _SIGNS and _SIGNS[operation][1] < _TRUTH)


_LOGIC = {operation for operation, (sign, _) in _SIGNS.items() if sign in ("||", "&&")}
UNITS = "let i = 0; i < n; i++"


def written_number(value: float) -> str:
    """A number as JavaScript reads it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def loop(head: str, lines: Sequence[str]) -> list[str]:
    """The lines of a loop."""
    if len(lines) == 1:
        return [f"for ({head}) {lines[0]}"]
    return [f"for ({head}) {{", *(f"  {line}" for line in lines), "}"]


def statements(
    graph: Graph, head: str, targets: Mapping[str, Node | float], after: Mapping[str, Node | float] | None = None
) -> list[str]:
    """A loop that sets its targets in each turn, and what is set ``after`` it; a target may be an input too."""
    inside = {name: graph.add(node) for name, node in targets.items()}
    last = {name: graph.add(node) for name, node in (after or {}).items()}
    outer = Scope(graph, graph.uses([*inside.values(), *last.values()]))
    turn = outer.inner()
    write: Callable[[int], str] = turn.number if len(inside) == 1 else turn.named
    values = {name: write(place) for name, place in inside.items() if graph.entries[place][0] != name}
    assigned = [f"{name} = {value};" for name, value in values.items()]
    ends = [f"{name} = {outer.number(place)};" for name, place in last.items() if graph.entries[place][0] != name]
    return [*outer.lines, *(loop(head, [*turn.lines, *assigned]) if assigned else []), *ends]
