"""Slopes by finite differences: how a loss changes when one number at a time is moved a little to either side.

All moves lie side by side on the last axis, so that one call answers for many.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xortrain.nets import Array

STEP = 1e-5  # rounding costs eps / STEP, the curve STEP² : both some 1e-11
VALUES_AT_ONCE = 1 << 21


@dataclass(frozen=True)
class Slopes:
    """Slopes of losses (examples, numbers) from the left and from the right; ``noise`` is what rounding may do."""

    left: Array
    right: Array
    noise: Array

    @property
    def central(self) -> Array:
        """Central differences, (f(v + h) - f(v - h)) / 2h."""
        return (self.left + self.right) / 2

    @property
    def gap(self) -> Array:
        """How much the two sides differ: at a corner by as much for any step."""
        return np.asarray(np.abs(self.right - self.left))


def slopes(losses: Callable[[Array], Array], v: Array, step: float = STEP, values_a_run: int = 1) -> Slopes:
    """Slopes at v (numbers,) of losses: (numbers, moves) -> (examples, moves)."""
    size = step * np.maximum(1, np.abs(v))
    up, down = v + size, v - size
    at_v = losses(v[:, None])
    moves = max(1, VALUES_AT_ONCE // (2 * values_a_run))
    parts = [
        _moved(losses, v, up, down, np.arange(start, min(start + moves, len(v)))) for start in range(0, len(v), moves)
    ]
    above, below = np.concatenate(parts, axis=-1) if parts else np.zeros((2, len(at_v), 0))
    noise = 4 * np.finfo(np.float64).eps * (np.abs(at_v) + 1) / size
    return Slopes((at_v - below) / (v - down), (above - at_v) / (up - v), noise)


def _moved(losses: Callable[[Array], Array], v: Array, up: Array, down: Array, which: Array) -> Array:
    """Losses (2, examples, which) with one number moved up, and down."""
    points = np.repeat(v[:, None], 2 * len(which), axis=1)
    points[which, np.arange(len(which))] = up[which]
    points[which, np.arange(len(which)) + len(which)] = down[which]
    return np.stack(np.split(losses(points), 2, axis=1))
