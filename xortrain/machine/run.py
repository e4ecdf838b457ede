"""Calls the machine: what a training passes to it."""

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from xortrain.machine.library import library

Array = npt.NDArray[Any]
LARGE_SLOT = 32 * 8  # bytes of a slot in a large tile
MOST_BYTES = 300_000  # of a large tile; beyond it small tiles are faster
FEW_RUNS = 8  # up to this many, small tiles are faster
PREFIXES = {"float64": "d", "float32": "s"}
"""How the names of the functions for a type of number begin."""


LONG, POINTER = ctypes.c_int64, ctypes.c_void_p
PART = "examples x t y y0 y1 loss_at forward loss back"
"""How some examples are computed: slots, and places in the code."""
STEP = "part first begins ends"
"""The examples of a part from the first on, and whether a batch begins and ends with them."""
EXAMPLES = "x t low high", "x_per_run t_per_run bounds_per_run"
"""The arrays of examples, and whether each run has its own."""


class _Examples(ctypes.Structure):
    _fields_ = tuple(
        (name, kind) for kind, names in ((POINTER, EXAMPLES[0]), (LONG, EXAMPLES[1])) for name in names.split()
    )


@cache
def _plan() -> Any:
    """The structure of a plan, with the fields that the machine names; a star is before the name of an array."""
    fields = [(name.lstrip("*"), POINTER if "*" in name else LONG) for name in _lines("plan_names")]
    return type("Plan", (ctypes.Structure,), {"_fields_": [*fields, ("data", _Examples), ("test_data", _Examples)]})


def _lines(function: str) -> list[str]:
    """The lines that a function of the machine returns."""
    return list(ctypes.CFUNCTYPE(ctypes.c_char_p)((function, cast(Any, library())))().decode().splitlines())


@cache
def operation_codes() -> dict[str, int]:
    """The machine's operations by name."""
    return {line.split()[0]: code for code, line in enumerate(_lines("operation_names"))}


@dataclass(frozen=True)
class TileExamples:
    """Examples as the machine takes them: x, t, and the bounds of right outputs, shared or for each run."""

    arrays: tuple[Array, ...]
    per_run: tuple[bool, ...]

    @classmethod
    def of(cls, x: Array, t: Array, bounds: Sequence[Array], runs: int, dtype: np.dtype[Any]) -> "TileExamples":
        """x (examples, inputs[, runs]), t and both bounds, if there are any, (examples, outputs, 1 or runs)."""
        if any(bound.shape[-1] > 1 for bound in bounds):
            bounds = [np.broadcast_to(bound, (*bound.shape[:-1], runs)) for bound in bounds]
        arrays = tuple(np.ascontiguousarray(values, dtype) for values in (x, t, *bounds))
        return cls(arrays, (x.ndim == 3, t.shape[-1] > 1, any(bound.shape[-1] > 1 for bound in bounds)))

    def structure(self) -> _Examples:
        """The pointers to the arrays, which must outlive them."""
        names, flags = (words.split() for words in EXAMPLES)
        pointers = {name: array.ctypes.data for name, array in zip(names, self.arrays, strict=False)}
        return _Examples(**pointers, **dict(zip(flags, self.per_run, strict=True)))


@dataclass(frozen=True)
class TileCall:
    """What some epochs are trained with: numbers and arrays by the names of the plan in machine.c."""

    instruction_set: str
    dtype: np.dtype[Any]
    tile: str
    numbers: Mapping[str, int]
    arrays: Mapping[str, Array | None]
    data: TileExamples
    test: TileExamples | None = None

    def train(self) -> None:
        """Train all runs in place; raises MemoryError."""
        machine: Any = library(self.instruction_set)
        pointers = {name: None if array is None else array.ctypes.data for name, array in self.arrays.items()}
        test = self.test.structure() if self.test else _Examples()
        plan = _plan()(**self.numbers, **pointers, data=self.data.structure(), test_data=test)
        train = machine[f"{PREFIXES[self.dtype.name]}_{self.tile}_train"]
        if train(ctypes.byref(plan)):
            raise MemoryError("the compiled machine")


def tile_for(runs: int, slots: int) -> str:
    """Whether a small or a large tile of runs is computed together, which does not change their bits."""
    return "large" if runs > FEW_RUNS and slots * LARGE_SLOT <= MOST_BYTES else "small"


def structures(names: str, rows: Sequence[Sequence[int]]) -> npt.NDArray[np.int64]:
    """Structures of whole numbers as an array."""
    return np.array(rows, np.int64).reshape(len(rows), len(names.split()))
