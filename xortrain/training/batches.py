"""In which order the examples come: batches, the same for all runs or shuffled for each by its seed.

The order is a function of seed, epoch and example alone, so it needs no state and can be had again at any epoch.
"""

from collections.abc import Iterator

import numpy as np

from xortrain.nets import Array

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def scramble(n: Array) -> Array:
    """SplitMix64's finalizer (Steele, Lea & Flood 2014), uint64 to uint64: each bit depends on all."""
    n = (n ^ (n >> np.uint64(30))) * _FIRST
    n = (n ^ (n >> np.uint64(27))) * _SECOND
    return np.asarray(n ^ (n >> np.uint64(31)))


def order(seeds: Array, epoch: int, examples: int) -> Array:
    """A permutation of the examples for each run: (examples, runs), by scrambled (seed, epoch, example)."""
    steps = np.arange(1, examples + 1, dtype=np.uint64)[:, None]
    key = scramble(scramble(seeds.astype(np.uint64)) + np.array([epoch], np.uint64) * _GOLDEN)
    return np.argsort(scramble(key + steps * _GOLDEN), axis=0, kind="stable")


def shuffled(values: Array, rows: Array) -> Array:
    """values (examples, units, 1 or runs, or without) with each run's examples in its own order."""
    if values.ndim == 3 and values.shape[2] > 1:
        return np.take_along_axis(values, rows[:, None], axis=0)
    shared = values[..., 0] if values.ndim == 3 else values
    return shared.T[:, rows].swapaxes(0, 1)


def batches(x: Array, t: Array, size: int) -> Iterator[tuple[Array, Array]]:
    """x and t cut into batches of a size, in their order; the last may be smaller."""
    for start in range(0, len(x), size):
        yield x[start : start + size], t[start : start + size]
