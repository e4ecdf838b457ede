"""A symbolic array that implements NumPy's protocols and records each operation on an element as a node of a graph.

Nodes are operations, inputs, or plain numbers; an array of them has the shape of the array that it stands for.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xortrain.symbols.protocol import Operation, RecordedArray, letters_of

Nodes = npt.NDArray[Any]
"""An object array of nodes and numbers."""


class Node:
    """An operation on nodes and numbers, or an input, which has no operation; each node is equal to itself alone."""

    def __init__(self, operation: Operation | None = None, *arguments: Any) -> None:
        self.operation, self.arguments = operation, arguments


@dataclass(frozen=True)
class Fold:
    """An operation on any number of arguments, from left to right, as in a sum along an axis."""

    ufunc: np.ufunc

    def __call__(self, *numbers: Any) -> Any:
        return functools.reduce(self.ufunc, numbers)


class Symbolic(RecordedArray):
    """An array of nodes, stored in a NumPy object array so that views share memory as usual."""

    def __init__(self, nodes: Nodes, dtype: npt.DTypeLike = np.float64) -> None:
        self.nodes, self.dtype = nodes, np.dtype(dtype)

    @classmethod
    def inputs(cls, *shape: int) -> "Symbolic":
        """Return an array of new inputs."""
        return cls(np.asarray(np.frompyfunc(lambda _: Node(), 1, 1)(np.zeros(shape)), object))

    @classmethod
    def empty(cls, shape: tuple[int, ...], dtype: npt.DTypeLike) -> "Symbolic":
        """Return a new array, like `numpy.empty`."""
        return cls(np.full(shape, np.nan, object), dtype)

    shape = property(lambda self: self.nodes.shape)
    ndim = property(lambda self: self.nodes.ndim)
    size = property(lambda self: self.nodes.size)

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, key: Any) -> "Symbolic":
        return Symbolic(self.nodes[key], self.dtype)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.nodes[key] = nodes_of(value)

    def reshape(self, *shape: int) -> "Symbolic":
        return Symbolic(self.nodes.reshape(*shape), self.dtype)

    def copy(self) -> "Symbolic":
        return Symbolic(self.nodes.copy(), self.dtype)

    def astype(self, dtype: npt.DTypeLike) -> "Symbolic":
        return self.applied(np.multiply, self, 1.0)

    def full(self, shape: tuple[int, ...], value: float, dtype: npt.DTypeLike) -> "Symbolic":
        return Symbolic(np.full(shape, value, object), dtype)

    def applied(self, operation: Operation, *arguments: Any, out: "Symbolic | None" = None) -> "Symbolic":
        node = np.frompyfunc(lambda *elements: Node(operation, *elements), len(arguments), 1)
        return stored(out, Symbolic(np.asarray(node(*map(nodes_of, arguments)), object)))

    def reduced(
        self, ufunc: np.ufunc, values: "Symbolic", axis: Any = 0, keepdims: bool = False, out: "Symbolic | None" = None
    ) -> "Symbolic":
        nodes = values.nodes
        for place in sorted(axis if isinstance(axis, tuple) else (axis,), reverse=True):
            total = self.applied(Fold(ufunc), *map(Symbolic, np.moveaxis(nodes, place, 0))).nodes
            nodes = np.expand_dims(total, place) if keepdims else total
        return stored(out, Symbolic(nodes))

    def contracted(self, subscripts: str, left: Any, right: Any, out: "Symbolic | None" = None) -> "Symbolic":
        one, other, result = letters_of(subscripts)
        letters = "".join(dict.fromkeys(one + other))

        def aligned(value: Any, axes: str) -> Symbolic:
            nodes = nodes_of(value)
            order = sorted(range(len(axes)), key=lambda k: letters.index(axes[k]))
            nodes = nodes.transpose(*order, *range(len(axes), nodes.ndim))
            shape = iter(nodes.shape)
            return Symbolic(nodes.reshape(*(next(shape) if letter in axes else 1 for letter in letters), *shape))

        a, b = aligned(left, one), aligned(right, other)
        missing = max(a.ndim, b.ndim) - len(letters)
        a, b = (v if v.ndim > len(letters) or not missing else v[..., None] for v in (a, b))
        (summed,) = [k for k, letter in enumerate(letters) if letter not in result]
        total = self.reduced(np.add, self.applied(np.multiply, a, b), summed).nodes
        rest = [letter for letter in letters if letter in result]
        order = [rest.index(letter) for letter in result]
        return stored(out, Symbolic(total.transpose(*order, *range(len(rest), total.ndim))))


def node_of(value: Any) -> Any:
    """The only node of a symbolic array, or a number."""
    return value.nodes.item() if isinstance(value, Symbolic) else float(value)


def name_of(operation: Operation | None) -> str:
    """The name of a function, as erf for that of C, which NumPy calls for each number."""
    function = operation.ufunc if isinstance(operation, Fold) else operation
    return str(getattr(function, "__name__", function)).partition(" ")[0]


def nodes_of(value: Any) -> Nodes:
    """Return the nodes of a symbolic array, or numbers unchanged."""
    return value.nodes if isinstance(value, Symbolic) else np.asarray(value, object)


def stored(out: Symbolic | None, result: Symbolic) -> Symbolic:
    """Write the result to ``out`` if it is given, and return it."""
    if out is None:
        return result
    out.nodes[...] = result.nodes
    return out


def evaluate(result: Symbolic, inputs: Mapping[Node, float]) -> npt.NDArray[np.float64]:
    """Calculate the numbers of an array from those of the inputs of its graph."""
    known: dict[Node, Any] = dict(inputs)

    def value(node: Any) -> Any:
        if not isinstance(node, Node):
            return node
        if node not in known:
            assert node.operation is not None, "an input without a number"
            known[node] = node.operation(*map(value, node.arguments))
        return known[node]

    return np.array([float(value(node)) for node in result.nodes.ravel()]).reshape(result.shape)
