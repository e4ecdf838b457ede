"""Works out what a user's own row lacks, by running its functions on symbols: derivatives and formulas.

The rest is measured: the range of an activation, its corners, and where it is flat.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.nets.activations import INF, Activation
from xortrain.nets.formula import Call, Number, Term, Written, not_given, term
from xortrain.nets.functions import each
from xortrain.nets.losses import Loss
from xortrain.nets.optimizers import Lines, Move, Optimizer
from xortrain.symbols import Node, SymbolError, Symbolic, name_of, node_of
from xortrain.symbols.slopes import RULES, as_function, recorded, slope

ERF = each(math.erf)
DERIVATIVES = {**RULES, ERF: (lambda x, r: 2 / math.sqrt(math.pi) * np.exp(-x * x),)}
GRID = np.concatenate([np.linspace(-50, 50, 20_001), *(s * 10.0 ** np.arange(2, 301) for s in (-1, 1))])
GRID.sort()
NEAR_CORNER, JUMP = 1e-9, 1e-4  # a step to each side of a corner, and what the slope changes by at least


@dataclass(frozen=True, eq=False)
class Recorded:
    """A function of arrays as a graph: its result, the nodes of the arrays, and those of its settings by name."""

    result: Any
    arrays: tuple[Node, ...]
    settings: Mapping[str, Node]

    @classmethod
    def of(cls, function: Callable[..., Any], arrays: int, settings: Sequence[str]) -> "Recorded":
        """Run a function of elements on symbols; raises SymbolError with what cannot be recorded."""
        result, nodes = recorded(function, 1, 1, 1, inputs=arrays, settings=settings)
        return cls(result, tuple(nodes[:arrays]), dict(zip(settings, nodes[arrays:], strict=True)))

    def derivative(self) -> "Recorded":
        """Its derivative by the first array."""
        return replace(self, result=slope(self.result, self.arrays[0], DERIVATIVES))

    def given(self, result: Any) -> "Recorded":
        """It with one more array, the second, which is the ``result`` of another graph of the same arrays."""
        is_new = isinstance(result, Node) and result.operation is not None
        first, *others = self.arrays
        return replace(self, arrays=(first, result if is_new else Node(), *others))

    def function(self) -> Callable[..., Array]:
        """It as a function of arrays, of the shape and the dtype of the first one."""
        compute = as_function(self.result, [*self.arrays, *self.settings.values()])
        return shaped(lambda *arrays, **settings: compute(*arrays, *(settings[name] for name in self.settings)))

    def formula(self) -> Written:
        """It as a formula, of terms for its arrays and settings."""

        def formula(*terms: Term, **settings: Term) -> Term:
            own = {self.settings[name]: value for name, value in settings.items()}
            return as_formula(self.result, {**dict(zip(self.arrays, terms, strict=True)), **own})

        return formula


def shaped(function: Callable[..., Any]) -> Callable[..., Array]:
    """A function whose result has the shape and the dtype of its first argument, in ``out`` if it is given."""

    def computed(first: Array, *others: Array, out: Array | None = None, **settings: Array) -> Array:
        with np.errstate(all="ignore"):  # as everywhere in training: what is not finite is noticed there
            found = function(first, *others, **settings)
        out = np.empty_like(first) if out is None else out
        out[...] = found
        return out

    return computed


def _product(x: Term, y: Term) -> Term:
    """x y, with a minus before the whole product."""
    return -(x.arguments[0] * y) if isinstance(x, Call) and x.name == "-" else x * y


# fmt: off
SIGNS: dict[Any, Callable[..., Term]] = {
    np.add: lambda x, y: x + y, np.subtract: lambda x, y: x - y, np.multiply: _product,
    np.divide: lambda x, y: x / y, np.power: lambda x, y: x**y, np.negative: lambda x: -x, np.positive: lambda x: x,
    np.greater: lambda x, y: x > y, np.greater_equal: lambda x, y: x >= y,
    np.less: lambda x, y: x < y, np.less_equal: lambda x, y: x <= y,
    np.logical_and: lambda x, y: x * y, np.bitwise_and: lambda x, y: x * y,
    np.logical_not: lambda x: 1 - x, np.invert: lambda x: 1 - x,
    np.maximum: lambda x, y: Call("max", x, y), np.minimum: lambda x, y: Call("min", x, y),
    np.sqrt: lambda x: Call("√", x), np.abs: lambda x: Call("abs", x), ERF: lambda x: Call("erf", x),
    np.logaddexp: lambda x, y: Call("log", Call("exp", x) + Call("exp", y)),
    np.expm1: lambda x: Call("exp", x) - 1, np.log1p: lambda x: Call("log", 1 + x),
}
# fmt: on
"""How functions are written that are not written by their names."""
OPPOSITES = {
    np.greater: np.less_equal, np.less_equal: np.greater, np.less: np.greater_equal, np.greater_equal: np.less,
}  # fmt: skip


def as_formula(result: Any, names: Mapping[Node, Any]) -> Term:
    """A graph as a formula; its inputs have these terms."""
    if not isinstance(result, Node):
        return Number(float(result))
    if result in names:
        return term(names[result])
    if result.operation is np.where:
        condition, first, second = result.arguments
        opposite = Node(OPPOSITES.get(condition.operation, np.logical_not), *_of_opposite(condition))
        parts = [
            as_formula(one, names) if value == 1 else as_formula(one, names) * as_formula(value, names)
            for one, value in ((condition, first), (opposite, second))
            if isinstance(value, Node) or value
        ]
        return Number(0) if not parts else parts[0] if len(parts) == 1 else parts[0] + parts[1]
    arguments = [as_formula(one, names) for one in result.arguments]
    if result.operation in SIGNS:
        return SIGNS[result.operation](*arguments)
    return Call(name_of(result.operation), *arguments)


def _of_opposite(condition: Node) -> tuple[Any, ...]:
    return condition.arguments if condition.operation in OPPOSITES else (condition,)


def worked_out_activation(name: str, row: Activation) -> Activation:
    """An activation with everything that it lacks; raises UserError for a derivative that must be given."""
    own, of_f, of_slope = tuple(row.own), None, None
    if row.product is None and row.jacobian is None:
        of_f, found = _recorded(name, row.f, 1, own, row.derivative, "derivative")
        of_slope = found and of_f and found.given(of_f.result)
    elif row.derivative is not_given:
        raise UserError(f"{name}: has no derivative; give one together with product or jacobian")
    new = replace(
        row,
        f=shaped_with_out(row.f),
        derivative=of_slope.function() if of_slope else shaped(row.derivative),
        formula=_formula(row.formula, of_f, name),
        slope=_formula(row.slope, of_slope or _recorded_or_none(row.derivative, own), f"{name}'"),
    )
    return new if own else _measured(new)


def shaped_with_out(f: Callable[..., Any]) -> Callable[..., Array]:
    """f(z, **settings) as f(z, out, **settings)."""
    compute = shaped(f)
    return lambda z, out=None, **settings: compute(z, out=out, **settings)


def _recorded(
    name: str, function: Callable[..., Any], arrays: int, settings: Sequence[str], given: object, what: str
) -> tuple[Recorded | None, Recorded | None]:
    """A function as a graph, None if it cannot be recorded, and its derivative if none is ``given``."""
    try:
        found = Recorded.of(function, arrays, settings)
        return found, found.derivative() if given is not_given else None
    except SymbolError as error:
        if given is not_given:
            raise UserError(f"{name}: has no {what}, and none can be worked out from {error}; give one") from None
        return None, None


def _recorded_or_none(function: Callable[..., Any], settings: Sequence[str]) -> Recorded | None:
    try:
        return Recorded.of(function, 2, settings)
    except SymbolError:
        return None


def _formula(given: Written, found: Recorded | None, name: str) -> Written:
    """A formula as it is given or found, else the name of the function."""
    if given is not not_given:
        return given
    return found.formula() if found else lambda first, *others, **settings: Call(name, first)


def _measured(row: Activation) -> Activation:
    """An activation without settings, with its range, its corners, and whether it is flat, monotone or a rectifier.

    What the row states itself stays.
    """
    z = GRID[:, None, None]
    try:
        a = row.f(z.copy())
        slopes = row.derivative(z, a)[:, 0, 0]
        beside = [row.derivative(z + step, row.f(z + step))[:, 0, 0] for step in (-NEAR_CORNER, NEAR_CORNER)]
    except Exception:  # a function that raises an error far from 0, as those of math do
        return row
    a, near = a[:, 0, 0], abs(GRID) <= 50
    finite = np.isfinite(a)
    found = a[finite]
    if not len(found):
        return row
    low, high = (_end(found, end) for end in (-1, 1))
    jumps = near & (abs(beside[1] - beside[0]) > JUMP * (1 + abs(slopes)))
    steps = np.sign(np.diff(found))
    dead = near & (slopes == 0)
    is_dead_once = (dead[near][0] != dead[near][-1]) and math.isinf(high - low)
    return replace(
        row,
        range=(low, high) if row.range == (-INF, INF) else row.range,
        corners=row.corners or (tuple(GRID[jumps].round(3).tolist()) if jumps.sum() <= 8 else ()),
        flat=row.flat or (((-INF, INF),) if dead[near].all() else ()),
        is_monotone=row.is_monotone and not ((steps > 0).any() and (steps < 0).any()),
        is_rectifier=row.is_rectifier or bool(is_dead_once),
    )


def _end(values: Array, sign: int) -> float:
    """The bound of values on one side: infinite if it still moves at the end of the grid."""
    bound = float((sign * values).max() * sign)
    far = max(float(sign * values[place]) for place in (0, -1))
    half = max(float(sign * values[place]) for place in (150, -151))
    return sign * INF if far > half + 1e-3 * abs(half) and far >= sign * bound else bound


def worked_out_loss(name: str, row: Loss) -> Loss:
    """A loss with everything that it lacks; raises UserError for a gradient that must be given."""
    own = tuple(row.own)
    of_value, of_slope = _recorded(name, row.value, 2, own, row.gradient, "gradient")
    return replace(
        row,
        value=shaped(row.value),
        gradient=of_slope.function() if of_slope else shaped(row.gradient),
        formula=_formula(row.formula, of_value, name),
        slope=_formula(row.slope, of_slope or _recorded_or_none(row.gradient, own), f"{name}'"),
    )


def worked_out_optimizer(name: str, row: Optimizer) -> Optimizer:
    """An optimizer with the formulas of its update; raises UserError if it has no update."""
    if row.update is not_given:
        raise UserError(f"{name}: has no update(theta, g, state, lr, **settings), which changes theta in place")
    one, settings = np.ones(1), {key: np.ones(1) for key in row.own}
    state = row.start(np.zeros((1, 1)), one, **settings)
    row = replace(row, letters={key: row.letters.get(key, key) for key in state})
    return row if row.written is not not_given else replace(row, written=lambda move: _written_update(name, row, move))


def _written_update(name: str, row: Optimizer, move: Move) -> Lines:
    """The formulas of one update, from its run on symbols; just the name of the optimizer if it cannot be recorded."""
    used = [key for key in row.own if not row.own[key].optional or move.uses(key)]
    own = {key: Symbolic.inputs(1) for key in used}
    theta, g, lr = (Symbolic.inputs(1, 1) for _ in range(3))
    names = {node_of(theta): move.theta, node_of(g): move.g, node_of(lr): move.lr}
    names |= {node_of(symbol): move.settings[key] for key, symbol in own.items()}
    try:
        state = {key: Symbolic.inputs(*value.shape) for key, value in row.start(theta, lr, **own).items()}
        names |= {node_of(symbol): move.before[key] for key, symbol in state.items() if key in move.before}
        row.update(theta, g, state, lr, **own)
    except Exception:
        return {"theta": Call(name, move.theta, move.g, move.lr)}
    after = {node_of(symbol): move.after[key] for key, symbol in state.items() if key in move.after}
    lines = {}
    for key, symbol in state.items():
        if key in move.after:
            others = {node: one for node, one in after.items() if node is not node_of(symbol)}
            lines[key] = as_formula(node_of(symbol), others | names)
    return {**lines, "theta": as_formula(node_of(theta), after | names)}
