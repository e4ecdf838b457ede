"""Activations and parts of losses that take more than one NumPy call, with their derivatives.

Each returns a = f(z) for z (examples, units, *runs), in ``out`` if it is given; settings such as slope are (runs,).
All accept any array type that follows NumPy's protocols, and none overflows at large |z|.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from xortrain.nets import Array


class Constant(dict[Any, Array]):
    """A number as an array of each dtype: converting a Python number adds half the time of a small ufunc call."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __missing__(self, dtype: Any) -> Array:
        return self.setdefault(dtype, np.array(self.value, dtype))


HALF, ONE = Constant(0.5), Constant(1)


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


def leaky_relu(z: Array, out: Array | None = None, *, slope: Array) -> Array:
    """max(z, 0) + slope · min(z, 0): a branch would cost more than computing both halves."""
    out = np.minimum(z, 0, out=out)
    out *= slope
    out += np.maximum(z, 0)
    return out


def elu(z: Array, out: Array | None = None, *, alpha: Array | float) -> Array:
    """max(z, 0) + α (exp(min(z, 0)) - 1)."""
    out = np.minimum(z, 0, out=out)
    np.expm1(out, out=out)
    out *= alpha
    out += np.maximum(z, 0)
    return out


def celu(z: Array, out: Array | None = None, *, alpha: Array) -> Array:
    """max(z, 0) + α (exp(min(z, 0) / α) - 1)."""
    out = np.minimum(z, 0, out=out)
    out /= alpha
    np.expm1(out, out=out)
    out *= alpha
    out += np.maximum(z, 0)
    return out


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. (2017)


def selu(z: Array, out: Array | None = None) -> Array:
    out = elu(z, out, alpha=SELU_ALPHA)
    out *= SELU_SCALE
    return out


def one_sided(z: Array, positive: float, other: Array) -> Array:
    """A derivative that is constant where z is positive."""
    slope: Array = (z <= 0) * other
    slope += (z > 0) * positive
    return slope


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
    """dL/dz from upstream = dL/da; the units are coupled: dL/dz_i = a_i (dL/da_i - Σ_j dL/da_j a_j)."""
    upstream -= np.add.reduce(upstream * a, axis=1, keepdims=True)
    upstream *= a
    return upstream


@cache
def each(function: Callable[[float], float]) -> Any:
    """A ufunc that calls C's function for each number (about 60 ns), where NumPy lacks it or rounds otherwise."""
    return np.frompyfunc(function, 1, 1)


def erf(z: Array) -> Array:
    """Every use of erf goes through this function."""
    return each(math.erf)(z)


def normal_cdf(z: Array) -> Array:
    """Φ(z) = (1 + erf(z/√2)) / 2."""
    cdf: Array = erf(z * math.sqrt(0.5)).astype(z.dtype)
    cdf += 1
    cdf *= 0.5
    return cdf


def gelu_derivative(z: Array, a: Array) -> Array:
    """Φ(z) + z φ(z), φ the normal density; Φ(z) is a / z, which is faster than a second erf."""
    at_zero = (z == 0).astype(z.dtype)
    cdf = a / (z + at_zero) + 0.5 * at_zero
    return cdf + z * np.exp(-0.5 * z * z) * math.sqrt(0.5 / math.pi)


def _gelu_gate(z: Array) -> Array:
    return np.tanh(math.sqrt(2 / math.pi) * z * (1 + 0.044715 * z * z))


def gelu_tanh(z: Array, out: Array | None = None) -> Array:
    """z (1 + tanh(√(2/π) (z + 0.044715 z³))) / 2."""
    return np.multiply(0.5 * z, 1 + _gelu_gate(z), out=out)


def gelu_tanh_derivative(z: Array, a: Array) -> Array:
    gate = _gelu_gate(z)
    inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z * z)
    return 0.5 * (1 + gate + z * (1 - gate * gate) * inner)


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


def hardsigmoid(z: Array, out: Array | None = None) -> Array:
    out = np.divide(z, 6, out=out)
    out += 0.5
    return np.clip(out, 0, 1, out=out)


def between(z: Array, low: float, high: float) -> Array:
    return ((z > low) & (z < high)).astype(z.dtype)
