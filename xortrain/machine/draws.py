"""Random numbers of many runs at once, each run's as NumPy's RandomState(seed) draws them, bit for bit."""

import ctypes
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from xortrain.machine.library import library

if TYPE_CHECKING:
    import numpy.typing as npt

FEWEST = 500
"""With fewer runs NumPy is done before the library is loaded."""


def draw_runs(method: str, seeds: "npt.NDArray[Any]", count: int) -> "npt.NDArray[np.float64]":
    """Draw numbers of each run by a method of RandomState, standard_normal or random_sample: (count, runs)."""
    machine = library() if len(seeds) >= FEWEST and seeds.min() >= 0 and seeds.max() < 2**32 else None
    return _by_machine(method, seeds, count) if machine and _agrees() else _by_numpy(method, seeds, count)


@cache
def _agrees() -> bool:
    """Whether both ways give the same bits: a NumPy for one kind of CPU only may round its sums in another way."""
    seeds = np.arange(16)
    return all(
        np.array_equal(_by_machine(method, seeds, 16), _by_numpy(method, seeds, 16))
        for method in ("standard_normal", "random_sample")
    )


def _by_machine(method: str, seeds: "npt.NDArray[Any]", count: int) -> "npt.NDArray[np.float64]":
    machine, pointer = library(), ctypes.c_void_p
    assert machine is not None
    streams, numbers = np.ascontiguousarray(seeds, np.uint32), np.empty((count, len(seeds)))
    machine.draw.argtypes = [ctypes.c_int, pointer, ctypes.c_long, ctypes.c_long, pointer]
    machine.draw.restype = None
    machine.draw(method == "standard_normal", streams.ctypes.data, len(streams), count, numbers.ctypes.data)
    return numbers


def _by_numpy(method: str, seeds: "npt.NDArray[Any]", count: int) -> "npt.NDArray[np.float64]":
    numbers = np.empty((len(seeds), count))
    stream = np.random.RandomState(0)
    draw = getattr(stream, method)
    for row, seed in zip(numbers, seeds.tolist(), strict=True):
        stream.seed(seed)
        row[:] = draw(count)
    return np.ascontiguousarray(numbers.T)
