"""Writes graphs of symbols as ONNX operators on whole layers: tensors (examples, units), and numbers.

A function of units is recorded on one unit, which stands for all of a layer; a fold over units is a reduction.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.nets.functions import each
from xortrain.symbols import Fold, Graph, Node, Symbolic, name_of, node_of
from xortrain.symbols.protocol import Operation

OPSET, IR_VERSION = 18, 8
"""Of ONNX: read by onnxruntime since 1.14."""


class Operator(NamedTuple):
    """An operator of ONNX; the first ``truths`` of its arguments are true or false, the others numbers."""

    name: str
    truths: int = 0
    gives_truth: bool = False
    has_double: bool = True
    """Whether onnxruntime computes it in float64; a test asks it."""


OPERATORS: dict[Operation, Operator] = {
    np.add: Operator("Add"), np.subtract: Operator("Sub"), np.multiply: Operator("Mul"), np.divide: Operator("Div"),
    np.negative: Operator("Neg"), np.abs: Operator("Abs"), np.sign: Operator("Sign"), np.sqrt: Operator("Sqrt"),
    np.power: Operator("Pow"), np.exp: Operator("Exp"), np.log: Operator("Log"), np.tanh: Operator("Tanh"),
    np.sin: Operator("Sin"), np.cos: Operator("Cos"), each(math.cos): Operator("Cos"),
    np.maximum: Operator("Max"), np.minimum: Operator("Min"), np.clip: Operator("Clip"),
    np.where: Operator("Where", truths=1),
    np.less: Operator("Less", gives_truth=True), np.less_equal: Operator("LessOrEqual", gives_truth=True),
    np.greater: Operator("Greater", gives_truth=True), np.greater_equal: Operator("GreaterOrEqual", gives_truth=True),
    np.equal: Operator("Equal", gives_truth=True),
    np.logical_and: Operator("And", 2, True), np.bitwise_and: Operator("And", 2, True),
    np.logical_or: Operator("Or", 2, True), np.bitwise_or: Operator("Or", 2, True),
    np.logical_not: Operator("Not", truths=1, gives_truth=True),
    each(math.erf): Operator("Erf", has_double=False),
    np.sinh: Operator("Sinh", has_double=False), np.cosh: Operator("Cosh", has_double=False),
    np.tan: Operator("Tan", has_double=False), np.arctan: Operator("Atan", has_double=False),
    np.arctanh: Operator("Atanh", has_double=False), np.arcsinh: Operator("Asinh", has_double=False),
    np.arcsin: Operator("Asin", has_double=False), np.arccos: Operator("Acos", has_double=False),
    np.floor: Operator("Floor"), np.ceil: Operator("Ceil"), np.rint: Operator("Round"),
}  # fmt: skip
"""Operation of NumPy to the operator of ONNX that computes it."""


def _log1p(x: Any) -> Any:
    """log(1 + x), with what rounding took from 1 + x added again."""
    sum_ = 1 + x
    return np.log(sum_) - ((sum_ - 1) - x) / sum_


WRITTEN_OUT: dict[Operation, Callable[..., Any]] = {
    np.expm1: lambda x: np.tanh(0.5 * x) * (np.exp(x) + 1),
    np.log1p: _log1p,
    np.not_equal: lambda x, y: np.logical_not(np.equal(x, y)),
}
"""Operations that ONNX lacks, by others, without the loss of small results that exp(x) - 1 would have."""
_FOLDS: dict[np.ufunc, str] = {np.add: "ReduceSum", np.maximum: "ReduceMax"}
_PRODUCT = "Gemm"


class NetWriter:
    """The nodes of a model so far; what it computes has names, by which other nodes take it."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.nodes: list[tuple[str, list[str], str, Mapping[str, Any]]] = []  # operator, inputs, output, attributes
        self.arrays: dict[str, Array] = {}
        self._truths: set[str] = set()

    def array(self, name: str, values: Any, dtype: Any = None) -> str:
        """Add an array of numbers, in the dtype of the model; one of the same name is taken to be the same."""
        self.arrays[name] = np.asarray(values, dtype or self.dtype)
        return name

    def node(self, operator: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """Add a node; returns the name of its output."""
        name = output or f"v{len(self.nodes) + 1}"
        self.nodes.append((operator, inputs, name, attributes))
        return name

    def write(self, node: Node, names: Mapping[Node, str], weights: Mapping[Node, str], of: str, unit: Any = ()) -> str:
        """Add what computes a node from others that have ``names``, or from ``weights``, which are whole matrices.

        ``unit`` is the input, if any, that stands for all units of a layer; ``of`` says in errors whose formula it is.
        """
        graph = Graph({**names, **weights}, unit, folds_units=bool(unit))
        matrices, written = set(weights.values()), dict[int, str]()

        def value(place: int) -> str:
            if place not in written:
                written[place] = made(*graph.entries[place])
            return written[place]

        def made(operation: Any, places: tuple[int, ...]) -> str:
            if isinstance(operation, str):
                return operation
            if isinstance(operation, float):
                return self.array(repr(operation), operation)
            inputs = [value(place) for place in places]
            if operation is np.multiply and matrices & set(inputs):
                first, second = sorted(inputs, key=matrices.__contains__)
                return self.node(_PRODUCT, [first, second], transB=1)
            return self._operation(operation, inputs, of)

        return self.number(value(graph.add(node)))

    def number(self, name: str) -> str:
        """A value as a number, 1 for true."""
        return self.node("Cast", [name], to=self.dtype) if name in self._truths else name

    def _truth(self, name: str) -> str:
        return name if name in self._truths else self.node("Cast", [name], to=np.dtype(bool))

    def _operation(self, operation: Operation, inputs: list[str], of: str) -> str:
        if isinstance(operation, Fold) and operation.ufunc in _FOLDS:
            axes = self.array("units", [1], np.int64)
            return self.node(_FOLDS[operation.ufunc], [self.number(inputs[0]), axes], keepdims=1)
        if operation in WRITTEN_OUT:
            arguments = [Symbolic.inputs() for _ in inputs]
            names = {node_of(argument): name for argument, name in zip(arguments, inputs, strict=True)}
            return self.write(node_of(WRITTEN_OUT[operation](*arguments)), names, {}, of)
        if operation not in OPERATORS:
            raise UserError(f"{of}: has no form in ONNX, which lacks {name_of(operation)}; save .safetensors or .npz")
        row = OPERATORS[operation]
        if self.dtype == np.float64 and not row.has_double:
            raise UserError(
                f"{of}: {name_of(operation)} has no float64 kernel in onnxruntime; train with dtype=float32, or save "
                ".safetensors or .npz"
            )
        takes = [self._truth(name) if k < row.truths else self.number(name) for k, name in enumerate(inputs)]
        output = self.node(row.name, takes)
        if row.gives_truth:
            self._truths.add(output)
        return output
