"""What a unit does with what it receives: the non-linearities, each with its derivative.

z (examples, units, *runs) comes in, a = f(z) goes out; settings such as slope are (runs,).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xortrain.nets import Array


@dataclass(frozen=True)
class Activation:
    """``f(z, out, **settings)`` writes a into out; ``derivative(z, a, **settings)`` is f'(z), by the shorter formula."""

    f: Callable[..., Array]
    derivative: Callable[..., Array]

    def backward(self, z: Array, a: Array, upstream: Array, **settings: Array) -> Array:
        """dL/dz from upstream = dL/da, which is overwritten."""
        upstream *= self.derivative(z, a, **settings)
        return upstream


def sigmoid(z: Array, out: Array | None = None) -> Array:
    """1 / (1 + exp(-z)), through tanh so that neither tail overflows."""
    out = np.multiply(z, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5
    return out


ACTIVATIONS = {
    "identity": Activation(lambda z, out=None: np.positive(z, out=out), lambda z, a: np.ones_like(z)),
    "sigmoid": Activation(sigmoid, lambda z, a: a * (1 - a)),
    "tanh": Activation(np.tanh, lambda z, a: 1 - a * a),
    "relu": Activation(lambda z, out=None: np.maximum(z, 0, out=out), lambda z, a: (z > 0).astype(z.dtype)),
}
