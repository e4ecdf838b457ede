"""What a unit does with what it receives: the non-linearities, each with its derivative.

z (examples, units, *runs) comes in, a = f(z) goes out; settings such as slope are (runs,).  At a corner the
derivative is PyTorch's.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xortrain.nets import Array
from xortrain.nets.rectifiers import (
    SELU_ALPHA,
    SELU_SCALE,
    celu,
    elu,
    gelu,
    gelu_derivative,
    gelu_tanh,
    gelu_tanh_derivative,
    leaky_relu,
    relu_product,
    selu,
    sided,
)

INF = math.inf


@dataclass(frozen=True)
class Activation:
    """``f(z, out, **settings)`` writes a into out; ``derivative(z, a, **settings)`` is f'(z), the shorter way.

    ``range`` holds all outputs, whatever the settings.  ``product`` is dL/dz from dL/da where that is not,
    or is quicker than, the product with the derivative.
    """

    f: Callable[..., Array]
    derivative: Callable[..., Array]
    range: tuple[float, float] = (-INF, INF)
    settings: tuple[str, ...] = ()
    product: Callable[..., Array] | None = None

    def backward(self, z: Array, a: Array, upstream: Array, **settings: Array) -> Array:
        """dL/dz from upstream = dL/da, which is overwritten."""
        if self.product is not None:
            return self.product(z, a, upstream, **settings)
        upstream *= self.derivative(z, a, **settings)
        return upstream


HALF, ONE = ({np.dtype(kind): np.array(value, kind) for kind in (np.float32, np.float64)} for value in (0.5, 1))
"""Constants as arrays of a dtype: converting a Python number costs a small ufunc call half its time again."""


def sigmoid(z: Array, out: Array | None = None) -> Array:
    """1 / (1 + exp(-z)), through tanh so that neither tail overflows."""
    half = HALF[z.dtype]
    out = np.multiply(z, half, out=out)
    np.tanh(out, out)
    np.multiply(out, half, out)
    return np.add(out, half, out)


def sigmoid_derivative(z: Array, a: Array) -> Array:
    slope = np.subtract(ONE[a.dtype], a)
    return np.multiply(slope, a, slope)


def tanh_derivative(z: Array, a: Array) -> Array:
    slope = np.multiply(a, a)
    return np.subtract(1, slope, out=slope)


def log1p_exp_minus_abs(z: Array, out: Array | None = None) -> Array:
    """log(1 + exp(-|z|)), the part of softplus that bends."""
    out = np.abs(z, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    return np.log1p(out, out=out)


def softplus(z: Array, out: Array | None = None) -> Array:
    """log(1 + exp(z)) as max(z, 0) + log(1 + exp(-|z|))."""
    out = log1p_exp_minus_abs(z, out)
    out += np.maximum(z, 0)
    return out


def logsigmoid(z: Array, out: Array | None = None) -> Array:
    """log(sigmoid(z)) as min(z, 0) - log(1 + exp(-|z|))."""
    out = log1p_exp_minus_abs(z, out)
    return np.subtract(np.minimum(z, 0), out, out=out)


def softmax(z: Array, out: Array | None = None) -> Array:
    """exp(z_i) / Σ_j exp(z_j) over the units, shifted by the largest z."""
    out = np.subtract(z, np.maximum.reduce(z, axis=1, keepdims=True), out=out)
    np.exp(out, out=out)
    out /= np.add.reduce(out, axis=1, keepdims=True)
    return out


def softmax_product(z: Array, a: Array, upstream: Array) -> Array:
    """The units are coupled: dL/dz_i = a_i (dL/da_i - Σ_j dL/da_j a_j)."""
    upstream -= np.add.reduce(upstream * a, axis=1, keepdims=True)
    upstream *= a
    return upstream


def silu(z: Array, out: Array | None = None) -> Array:
    out = sigmoid(z, out)
    out *= z
    return out


def silu_derivative(z: Array, a: Array) -> Array:
    """s + a (1 - s), s the sigmoid of z."""
    s = sigmoid(z)
    return s + a * (1 - s)


def mish(z: Array, out: Array | None = None) -> Array:
    """z tanh(softplus(z))."""
    out = softplus(z, out)
    np.tanh(out, out=out)
    out *= z
    return out


def mish_derivative(z: Array, a: Array) -> Array:
    gate = np.tanh(softplus(z))
    return gate + z * (1 - gate * gate) * sigmoid(z)


def softsign_derivative(z: Array, a: Array) -> Array:
    slope = 1 / (1 + np.abs(z))
    return np.multiply(slope, slope, out=slope)


def hardsigmoid(z: Array, out: Array | None = None) -> Array:
    out = np.divide(z, 6, out=out)
    out += 0.5
    return np.clip(out, 0, 1, out=out)


def hardswish(z: Array, out: Array | None = None) -> Array:
    out = hardsigmoid(z, out)
    out *= z
    return out


def gaussian(z: Array, out: Array | None = None) -> Array:
    out = np.multiply(z, z, out=out)
    np.negative(out, out=out)
    return np.exp(out, out=out)


def _between(z: Array, low: float, high: float) -> Array:
    return ((z > low) & (z < high)).astype(z.dtype)


ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(
        lambda z, out=None: np.positive(z, out=out),
        lambda z, a: np.ones_like(z),
        product=lambda z, a, upstream: upstream,
    ),
    "sigmoid": Activation(sigmoid, sigmoid_derivative, (0, 1)),
    "tanh": Activation(lambda z, out=None: np.tanh(z, out=out), tanh_derivative, (-1, 1)),
    "relu": Activation(
        lambda z, out=None: np.maximum(z, 0, out=out),
        lambda z, a: (z > 0).astype(z.dtype),
        (0, INF),
        product=relu_product,
    ),
    "leaky_relu": Activation(leaky_relu, lambda z, a, *, slope: sided(z, 1, slope), settings=("slope",)),
    "elu": Activation(elu, lambda z, a, *, alpha: sided(z, 1, a + alpha), settings=("alpha",)),
    "celu": Activation(celu, lambda z, a, *, alpha: sided(z, 1, a / alpha + 1), settings=("alpha",)),
    "selu": Activation(selu, lambda z, a: sided(z, SELU_SCALE, a + SELU_SCALE * SELU_ALPHA), (-1.7581, INF)),
    "softplus": Activation(softplus, lambda z, a: sigmoid(z), (0, INF)),
    "softmax": Activation(softmax, sigmoid_derivative, (0, 1), product=softmax_product),
    "gelu": Activation(gelu, gelu_derivative, (-0.17, INF)),
    "gelu_tanh": Activation(gelu_tanh, gelu_tanh_derivative, (-0.1701, INF)),
    "silu": Activation(silu, silu_derivative, (-0.2785, INF)),
    "mish": Activation(mish, mish_derivative, (-0.3089, INF)),
    "softsign": Activation(lambda z, out=None: np.divide(z, 1 + np.abs(z), out=out), softsign_derivative, (-1, 1)),
    "relu6": Activation(lambda z, out=None: np.clip(z, 0, 6, out=out), lambda z, a: _between(z, 0, 6), (0, 6)),
    "hardtanh": Activation(lambda z, out=None: np.clip(z, -1, 1, out=out), lambda z, a: _between(z, -1, 1), (-1, 1)),
    "hardsigmoid": Activation(hardsigmoid, lambda z, a: _between(z, -3, 3) / 6, (0, 1)),
    "hardswish": Activation(hardswish, lambda z, a: np.where(z < 3, (z > -3) * (z / 3 + 0.5), 1), (-0.375, INF)),
    "logsigmoid": Activation(logsigmoid, lambda z, a: sigmoid(-z), (-INF, 0)),
    "step": Activation(
        lambda z, out=None: np.greater(z, 0, out=np.empty_like(z) if out is None else out),
        lambda z, a: np.zeros_like(z),
        (0, 1),
    ),
    "sin": Activation(lambda z, out=None: np.sin(z, out=out), lambda z, a: np.cos(z), (-1, 1)),
    "gaussian": Activation(gaussian, lambda z, a: -2 * z * a, (0, 1)),
}
"""Name of an activation in a config to its row."""
