"""What there is to go by when a user's gradient is wrong: parameters, the gradient, and the right one."""

from dataclasses import dataclass

import numpy as np

from xortrain.nets import Array

Arrays = dict[str, Array]
CLOSE = 1e-3  # relative; a mistake is named only if it explains the numbers this well


@dataclass(frozen=True)
class Layer:
    """The names of a layer's weights and, if there are any, biases."""

    weights: str
    biases: str | None

    @property
    def names(self) -> list[str]:
        return [name for name in (self.weights, self.biases) if name]


@dataclass(frozen=True)
class Evidence:
    """Parameters, the gradient that was given, and the right one."""

    params: Arrays
    grads: Arrays
    numeric: Arrays

    def usable(self) -> "Evidence":
        """Without what is missing, has another shape, or is not finite."""
        fit = {name: g for name, g in self.grads.items() if np.squeeze(g).shape == np.squeeze(self.params[name]).shape}
        grads = {name: g.reshape(self.params[name].shape) for name, g in fit.items() if np.isfinite(g).all()}
        return Evidence(self.params, grads, self.numeric)

    def is_right(self, name: str) -> bool:
        return name in self.grads and same(self.grads[name], self.numeric[name])


def same(given: Array, expected: Array) -> bool:
    """Whether two arrays agree relative to their largest number."""
    if given.size != expected.size or not expected.size:
        return False
    given, expected = given.ravel(), expected.ravel()
    return bool(np.abs(given - expected).max() <= CLOSE * max(np.abs(expected).max(), 1e-9))


def factor(given: Array, expected: Array) -> float | None:
    """The one number by which all of an array is too large, if there is one."""
    if given.size != expected.size or not expected.any() or not np.isfinite(given).all():
        return None
    given, expected = given.ravel(), expected.ravel()
    ratio = float(given @ expected / (expected @ expected))
    return ratio if ratio and same(given, ratio * expected) else None
