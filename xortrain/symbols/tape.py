"""Arrays of slots, which record NumPy code as a program of vector operations, array by array.

A slot holds a number of each of many runs.  An array of slots has a last axis of length 1 in the place of the runs, so
that it is broadcast as usual; views share slots, and what is written in place is written to the same slots.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xortrain.symbols.array import name_of
from xortrain.symbols.protocol import BY_OTHERS, LATER, Operation, RecordedArray, SymbolError, letters_of

Places = npt.NDArray[np.int64]
"""An array of slots."""
SAME = {"bitwise_and": "logical_and", "bitwise_or": "logical_or", "invert": "logical_not"}
"""What is the same for truth values."""

TRUTHS = (
    "greater", "less", "greater_equal", "less_equal", "equal", "not_equal", "logical_not", "logical_and", "logical_or",
    "isnan", "isfinite", *SAME,
)  # fmt: skip
"""Operations whose results are truth values."""


@dataclass(eq=False)
class Instruction:
    """An operation on each element of arrays of one shape; or "dot", sums of products.

    Dot has the arguments (rows, terms) and (columns, terms), and the result ``out`` (rows, columns); ``start`` of this
    shape, if given, is what each sum begins with.
    """

    operation: str
    out: Places
    arguments: list[Places]
    start: Places | None = None

    @property
    def reads(self) -> list[Places]:
        """All slots that it reads."""
        return self.arguments if self.start is None else [*self.arguments, self.start]


class Tape:
    """Instructions in their order, and the slots that they use.

    Sums written to the slots ``added_to`` are added to what is there.  ``blocks`` are the first slots of all arrays
    that were made; the first ``room`` slots have the ``numbers``, which all runs share.
    """

    def __init__(self, room: int, dtype: npt.DTypeLike = np.float64) -> None:
        self.instructions: list[Instruction] = []
        self.dtype = np.dtype(dtype)
        self.blocks: list[int] = []
        self.size = self.room = room
        self.numbers = np.empty(0)
        self.added_to = range(0)
        self._known: dict[bytes, int] = {}

    def taken(self) -> list[Instruction]:
        """The instructions since they were last taken."""
        new, self.instructions = self.instructions, []
        return new

    def new(self, *shape: int) -> "Slots":
        """A new array, without a value."""
        count = int(np.prod(shape, dtype=int))
        self.blocks.append(self.size)
        self.size += count
        return Slots(self, np.arange(self.size - count, self.size).reshape(shape))

    def constant(self, values: Any) -> Places:
        """The slots of an array of numbers; equal arrays, and all arrays of one number, share theirs."""
        numbers = np.asarray(values, np.float64)
        distinct = numbers.ravel()[:1] if numbers.size and (numbers == numbers.flat[0]).all() else numbers
        key = distinct.tobytes()
        if key not in self._known:
            self._known[key] = len(self.numbers)
            self.numbers = np.append(self.numbers, distinct)
            if len(self.numbers) > self.room:
                raise SymbolError("more numbers than there is room for")
        places = np.arange(self._known[key], self._known[key] + distinct.size)
        return np.broadcast_to(places[0], numbers.shape) if distinct.size == 1 else places.reshape(numbers.shape)

    def places(self, value: Any) -> Places:
        """The slots of an array or a number."""
        if isinstance(value, Slots):
            return value.places
        if self.dtype == np.float32 and type(value) is np.float64:
            raise SymbolError("float64 in the step of a float32 run")
        return self.constant(value)

    def write(self, operation: str, out: Places, *arguments: Places, start: Places | None = None) -> None:
        """Record an instruction; arguments of elementwise operations are broadcast."""
        if operation != "dot":
            arguments = tuple(np.broadcast_to(one, out.shape) for one in arguments)
        if any(overlap(out, one, is_aligned=operation != "dot") for one in arguments):
            result = self.new(*out.shape).places  # NumPy too reads all before it writes
            self.write(operation, result, *arguments, start=start)
            self.write("positive", out, result)
            return
        self.instructions.append(Instruction(operation, out, list(arguments), start))


class Slots(RecordedArray):
    """An array of slots of a tape."""

    by_others = {ufunc: others for ufunc, others in BY_OTHERS.items() if ufunc not in (np.fmax, np.fmin)}  # noqa: RUF012
    is_truth = False
    """Whether it is the result of a comparison, of which NumPy makes sums in another way."""

    def __init__(self, tape: Tape, places: Places) -> None:
        self.tape, self.places, self.dtype = tape, places, tape.dtype

    shape = property(lambda self: self.places.shape)
    ndim = property(lambda self: self.places.ndim)
    size = property(lambda self: self.places.size)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, key: Any) -> "Slots":
        return Slots(self.tape, self.places[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        if not (isinstance(value, Slots) and np.array_equal(value.places, self.places[key])):  # as after x[k] += 1
            self.applied(np.positive, value, out=self[key])

    def reshape(self, *shape: int) -> "Slots":
        return Slots(self.tape, self.places.reshape(*shape))

    def copy(self) -> "Slots":
        return self.applied(np.positive, self)

    def astype(self, dtype: npt.DTypeLike) -> "Slots":
        if np.dtype(dtype).kind != "f":
            raise SymbolError(f"conversion to {np.dtype(dtype)}")
        return self.copy()

    def full(self, shape: tuple[int, ...], value: float, dtype: npt.DTypeLike) -> "Slots":
        new = self.tape.new(*shape)
        return new if np.isnan(value) else self.applied(np.positive, value, out=new)

    def applied(self, operation: Operation, *arguments: Any, out: "Slots | None" = None) -> "Slots":
        if operation in LATER:
            return self.applied(np.positive, LATER[operation](*arguments), out=out)
        if operation is np.clip:
            values, low, high = arguments
            return self.applied(np.minimum, self.applied(np.maximum, values, low), high, out=out)
        name = name_of(operation)
        if name in ("add", "subtract") and all(isinstance(one, Slots) and one.is_truth for one in arguments):
            raise SymbolError(f"numpy.{name} of truth values")
        places = list(map(self.tape.places, arguments))
        if out is None:
            out = self.tape.new(*np.broadcast_shapes(*(one.shape for one in places)))
            out.is_truth = name in TRUTHS
        self.tape.write(SAME.get(name, name), out.places, *places)
        return out

    def reduced(
        self, ufunc: np.ufunc, values: "Slots", axis: Any = 0, keepdims: bool = False, out: "Slots | None" = None
    ) -> "Slots":
        axes = axis if isinstance(axis, tuple) else (axis,)
        terms = np.moveaxis(values.places, axes, range(len(axes)))
        terms = terms.reshape(-1, *terms.shape[len(axes) :])
        shape = [1 if k in axes else n for k, n in enumerate(values.shape) if keepdims or k not in axes]
        if out is None:
            out = self.tape.new(*shape)
        elif overlap(out.places, terms, is_aligned=False):
            return self.applied(np.positive, self.reduced(ufunc, values, axis, keepdims), out=out)
        into = out.places.reshape(terms.shape[1:])
        name = SAME.get(ufunc.__name__, ufunc.__name__)
        is_added = into.size and into.flat[0] in self.tape.added_to
        if name == "add" and not values.is_truth:  # products with 1, which are exact
            rows, ones = terms.reshape(len(terms), -1).T, self.tape.constant(np.ones((1, len(terms))))
            sums = into.reshape(-1, 1)
            self.tape.write("dot", sums, rows, ones, start=sums if is_added else None)
            return out
        first, *rest = [into, *terms] if is_added else terms
        for place, term in enumerate(rest):
            self.tape.write(name, into, into if place else first, term)
        if not rest:
            self.tape.write("positive", into, first)
        return out

    def contracted(self, subscripts: str, left: Any, right: Any, out: "Slots | None" = None) -> "Slots":
        one, other, result = letters_of(subscripts)
        (summed,) = [letter for letter in one if letter not in result]
        a, b = map(self.tape.places, (left, right))
        sizes = dict(zip(one + other, (*a.shape[: len(one)], *b.shape[: len(other)]), strict=True))
        rows, columns = (axes.replace(summed, "") for axes in (one, other))
        if out is None:
            out = self.tape.new(*(sizes[letter] for letter in result), 1)
        into = _ordered(out.places, result, rows + columns)
        is_added = into.size and into.flat[0] in self.tape.added_to
        factors = _ordered(a, one, rows + summed), _ordered(b, other, columns + summed)
        self.tape.write("dot", into, *factors, start=into if is_added else None)
        return out


def meet(one: Places, other: Places) -> bool:
    """Whether two arrays share a slot."""
    if not (one.size and other.size) or one.min() > other.max() or other.min() > one.max():
        return False
    return bool(np.isin(one, other).any())


def overlap(out: Places, argument: Places, is_aligned: bool = True) -> bool:
    """Whether a result would be written where an argument is still to be read; not so element by element."""
    return not (is_aligned and np.array_equal(out, argument)) and meet(out, argument)


def _ordered(places: Places, axes: str, wanted: str) -> Places:
    """A matrix of slots with its axes in another order, without that of the runs."""
    return places.reshape(places.shape[: len(axes)]).transpose([axes.index(letter) for letter in wanted])
