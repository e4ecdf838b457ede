"""The derivative of a graph by one of its nodes, as another graph; and a graph as a function of NumPy arrays.

Where numpy.maximum or minimum has a corner, the slope is that of its second argument, or of the constant: 0 for both
numpy.maximum(z, 0) and numpy.maximum(0, z).
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from xortrain.symbols.array import Fold, Node, Symbolic, name_of, node_of
from xortrain.symbols.protocol import Operation, SymbolError

Number = Any
"""A node, or a plain number."""
_Rule = Callable[..., Any]


def _inside(x: Any, low: Any, high: Any, r: Any) -> Any:
    return (x > low) & (x < high)


RULES: dict[Operation, tuple[_Rule | None, ...]] = {
    np.add: (lambda x, y, r: 1, lambda x, y, r: 1),
    np.subtract: (lambda x, y, r: 1, lambda x, y, r: -1),
    np.multiply: (lambda x, y, r: y, lambda x, y, r: x),
    np.divide: (lambda x, y, r: 1 / y, lambda x, y, r: -r / y),
    np.power: (lambda x, y, r: y * np.power(x, y - 1), lambda x, y, r: r * np.log(x)),
    np.logaddexp: (lambda x, y, r: np.exp(x - r), lambda x, y, r: np.exp(y - r)),
    np.positive: (lambda x, r: 1,),
    np.negative: (lambda x, r: -1,),
    np.abs: (lambda x, r: np.sign(x),),
    np.exp: (lambda x, r: r,),
    np.expm1: (lambda x, r: r + 1,),
    np.log: (lambda x, r: 1 / x,),
    np.log1p: (lambda x, r: 1 / (1 + x),),
    np.sqrt: (lambda x, r: 0.5 / r,),
    np.cbrt: (lambda x, r: 1 / (3 * r * r),),
    np.sin: (lambda x, r: np.cos(x),),
    np.cos: (lambda x, r: -np.sin(x),),
    np.sinh: (lambda x, r: np.cosh(x),),
    np.cosh: (lambda x, r: np.sinh(x),),
    np.tanh: (lambda x, r: 1 - r * r,),
    np.arcsin: (lambda x, r: 1 / np.sqrt(1 - x * x),),
    np.arccos: (lambda x, r: -1 / np.sqrt(1 - x * x),),
    np.arctan: (lambda x, r: 1 / (1 + x * x),),
    np.arcsinh: (lambda x, r: 1 / np.sqrt(1 + x * x),),
    np.arctanh: (lambda x, r: 1 / (1 - x * x),),
    np.clip: (_inside, lambda x, low, high, r: x <= low, lambda x, low, high, r: x >= high),
}
"""The derivative of each function by each argument, from the arguments and the result r."""
CHOICES: Mapping[Operation, Callable[..., Any]] = {
    np.where: lambda condition, x, y: condition,
    np.maximum: lambda x, y: x > y,
    np.minimum: lambda x, y: x < y,
}
"""Functions that are one of their last two arguments: where they are the first of these."""
STEPS = (
    np.sign, np.floor, np.ceil, np.rint, np.trunc, np.floor_divide, np.less, np.less_equal, np.greater,
    np.greater_equal, np.equal, np.not_equal, np.logical_and, np.logical_or, np.logical_not, np.bitwise_and,
    np.bitwise_or, np.invert, np.isnan, np.isfinite,
)  # fmt: skip
"""Functions that are constant between their jumps."""


def slope(result: Number, by: Node, rules: Mapping[Operation, tuple[_Rule | None, ...]] = RULES) -> Number:
    """The derivative of a node by another one, a node or a number; raises SymbolError if a function has no rule."""
    slopes: dict[Node, Number] = {by: 1.0}
    for node in _in_order([result], [by]):
        if node not in slopes:
            slopes[node] = _slope_of(node, [slopes.get(one, 0.0) for one in node.arguments], rules)
    return slopes.get(result, 0.0)


def _slope_of(node: Node, inner: list[Number], rules: Mapping[Operation, tuple[_Rule | None, ...]]) -> Number:
    """The slope of a node from those of its arguments, of which 0.0 are left out."""
    operation, moves = node.operation, [not _is_number(one, 0.0) for one in inner]
    if operation is None or operation in STEPS or not any(moves):
        return 0.0
    arguments = [_symbol(one) for one in node.arguments]
    if operation in CHOICES:
        first, second = inner[-2:]
        if operation is not np.where and not moves[0]:  # the constant has the corner
            return node_of(np.where(CHOICES[operation](*arguments[::-1]), _symbol(second), _symbol(first)))
        return node_of(np.where(CHOICES[operation](*arguments), _symbol(first), _symbol(second)))
    if operation not in rules:
        over = " over units" if isinstance(operation, Fold) else ""
        raise SymbolError(f"no rule for the derivative of {name_of(operation)}{over}")
    total: Number = 0.0
    for rule, own, does_move in zip(rules[operation], inner, moves, strict=False):
        if does_move:
            assert rule is not None
            total = _sum(total, _product(node_of(rule(*arguments, _symbol(node))), own))
    return total


def _is_number(value: Any, number: float) -> bool:
    return not isinstance(value, Node) and value == number


def _symbol(value: Number) -> Any:
    """A node as a symbol without axes; a number as it is."""
    return Symbolic(np.array(value, object)) if isinstance(value, Node) else value


def _product(x: Number, y: Number) -> Number:
    if _is_number(x, 1.0) or _is_number(y, 1.0):
        return y if _is_number(x, 1.0) else x
    return node_of(_symbol(x) * _symbol(y))


def _sum(x: Number, y: Number) -> Number:
    return y if _is_number(x, 0.0) else node_of(_symbol(x) + _symbol(y))


def _in_order(results: Sequence[Number], inputs: Sequence[Node]) -> Iterator[Node]:
    """Every node that results need, arguments before what is made of them; nothing behind the inputs."""
    done, waiting = set[Node](inputs), [one for one in results if isinstance(one, Node)]
    yield from inputs
    while waiting:
        node = waiting[-1]
        missing = [one for one in node.arguments if isinstance(one, Node) and one not in done]
        if node in done or not missing:
            waiting.pop()
            if node not in done:
                done.add(node)
                yield node
        else:
            waiting += missing


def as_function(
    result: Number, inputs: Sequence[Node], translated: Callable[[Operation], Operation] = lambda operation: operation
) -> Callable[..., Any]:
    """A graph as a function of arrays, one for each input; they may follow NumPy's protocols themselves.

    ``translated`` gives for each operation that of another library, for arrays of that library.
    """
    order = [node for node in _in_order([result], inputs) if node not in inputs]
    places = {node: place for place, node in enumerate([*inputs, *order])}

    def read(one: Any) -> tuple[bool, Any]:
        return isinstance(one, Node), places[one] if isinstance(one, Node) else one

    steps = [(node.operation and translated(node.operation), [read(one) for one in node.arguments]) for node in order]
    is_node, last = read(result)

    def function(*arrays: Any) -> Any:
        values = list(arrays)
        for operation, arguments in steps:
            assert operation is not None, "an input without an array"
            values.append(operation(*(values[one] if is_place else one for is_place, one in arguments)))
        return values[last] if is_node else last

    return function


def recorded(function: Callable[..., Any], *shape: int, inputs: int, settings: Sequence[str] = ()) -> tuple[Any, ...]:
    """Run a function of one element on symbols: its result, and the nodes of its inputs and settings.

    Raises SymbolError with what the function does that cannot be recorded.
    """
    arrays = [Symbolic.inputs(*shape) for _ in range(inputs)]
    own = {name: Symbolic.inputs(1) for name in settings}
    nodes = [node_of(symbol) for symbol in (*arrays, *own.values())]
    try:
        return (_only(function(*arrays, **own)), nodes)
    except SymbolError:
        raise
    except Exception as error:
        raise SymbolError(f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}") from None


def _only(found: Any) -> Number:
    if isinstance(found, Symbolic) or (isinstance(found, int | float | np.number) and math.isfinite(found)):
        return node_of(found)
    raise SymbolError(f"a result that is {type(found).__name__}")
