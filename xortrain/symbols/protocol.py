"""NumPy's protocols for arrays whose operations are recorded; what is recorded, and how, is left to subclasses."""

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Operation = Callable[..., Any]
"""Of numbers: a ufunc, `numpy.where`, `numpy.clip`, or a fold of a ufunc."""


BY_OTHERS: dict[np.ufunc, Callable[..., Any]] = {
    np.square: lambda x: x * x,
    np.reciprocal: lambda x: 1 / x,
    np.exp2: lambda x: np.power(2.0, x),
    np.float_power: np.power,
    np.fabs: np.abs,
    np.fmax: np.maximum,
    np.fmin: np.minimum,
    np.log2: lambda x: np.log(x) * (1 / math.log(2)),
    np.log10: lambda x: np.log(x) * (1 / math.log(10)),
    np.hypot: lambda x, y: np.sqrt(x * x + y * y),
    np.tan: lambda x: np.sin(x) / np.cos(x),
}
"""Functions that are recorded as a few others."""
LATER: dict[Operation, Callable[..., Any]] = {
    np.logaddexp: lambda x, y: np.maximum(x, y) + np.log1p(np.exp(-np.abs(x - y))),
}
"""Functions that code is made of a few others for, which have corners where the function has none."""


class SymbolError(TypeError):
    """What a function does that cannot be recorded, in a few words."""


class RecordedArray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that stands for numbers which are not known yet; ``out``, if given, receives the result."""

    by_others: Mapping[np.ufunc, Callable[..., Any]] = BY_OTHERS
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @abstractmethod
    def applied(self, operation: Operation, *arguments: Any, out: Any = None) -> Any:
        """An operation on each element, broadcast."""

    @abstractmethod
    def reduced(self, ufunc: np.ufunc, values: Any, axis: Any = 0, keepdims: bool = False, out: Any = None) -> Any:
        """A ufunc from left to right along one axis or several, also where an axis has one element."""

    @abstractmethod
    def contracted(self, subscripts: str, left: Any, right: Any, out: Any = None) -> Any:
        """The sum of products over the one letter that is not in the result; all further axes are broadcast."""

    @abstractmethod
    def full(self, shape: tuple[int, ...], value: float, dtype: npt.DTypeLike) -> Any:
        """A new array of equal numbers."""

    def any(self) -> bool:
        """Whether an element may be other than 0."""
        return True

    def __bool__(self) -> bool:
        raise SymbolError("a branch on values, which numpy.where writes as one expression")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        into = out[0] if out else None
        if method == "__call__" and ufunc in self.by_others:
            result = self.by_others[ufunc](*inputs)
            return result if into is None else self.applied(np.positive, result, out=into)
        if method == "__call__":
            return self.applied(ufunc, *inputs, out=into)
        if method == "reduce":
            (values,) = inputs
            return self.reduced(ufunc, values, **(options | {"out": into}))
        raise SymbolError(f"numpy.{ufunc.__name__}.{method}")

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        if function not in FUNCTIONS:
            raise SymbolError(f"numpy.{function.__name__}")
        return FUNCTIONS[function](self, *arguments, **options)


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.where: lambda self, *arguments: self.applied(np.where, *arguments),
    np.clip: lambda self, values, low, high, out=None: self.applied(np.clip, values, low, high, out=out),
    np.zeros_like: lambda self, values: self.full(values.shape, 0.0, values.dtype),
    np.ones_like: lambda self, values: self.full(values.shape, 1.0, values.dtype),
    np.empty_like: lambda self, values: self.full(values.shape, math.nan, values.dtype),
    np.einsum: lambda self, *arguments, out=None: self.contracted(*arguments, out=out),
    np.copyto: lambda self, into, source, where: self.applied(np.where, where, source, into, out=into),
}


def letters_of(subscripts: str) -> tuple[str, str, str]:
    """The letters of both arguments of an einsum, and those of its result."""
    inputs, result = subscripts.replace("...", "").split("->")
    one, other = inputs.split(",")
    return one, other, result
