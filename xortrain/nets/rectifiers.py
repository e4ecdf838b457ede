"""The activations that pass positive z on and hold negative z back: relu and its smoother relatives.

z (examples, units, *runs) comes in, a = f(z) goes out; settings such as slope are (runs,).
"""

import math

import numpy as np

from xortrain.nets import Array


def relu_product(z: Array, a: Array, upstream: Array) -> Array:
    return np.multiply(upstream, z > 0, out=upstream)


def leaky_relu(z: Array, out: Array | None = None, *, slope: Array) -> Array:
    """max(z, 0) + slope · min(z, 0): no branch, which would cost more than both halves."""
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


def sided(z: Array, positive: float, other: Array) -> Array:
    """A derivative that is constant where z is positive."""
    slope: Array = (z <= 0) * other
    slope += (z > 0) * positive
    return slope


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def selu(z: Array, out: Array | None = None) -> Array:
    out = elu(z, out, alpha=SELU_ALPHA)
    out *= SELU_SCALE
    return out


_erf = np.frompyfunc(math.erf, 1, 1)


def _normal_cdf(z: Array) -> Array:
    """Φ(z) = (1 + erf(z/√2)) / 2, number by number through C's erf, which NumPy lacks: some 60 ns each."""
    cdf: Array = np.asarray(_erf(z * math.sqrt(0.5))).astype(z.dtype)
    cdf += 1
    cdf *= 0.5
    return cdf


def gelu(z: Array, out: Array | None = None) -> Array:
    return np.multiply(z, _normal_cdf(z), out=out)


def gelu_derivative(z: Array, a: Array) -> Array:
    """Φ(z) + z φ(z), φ the normal density; Φ(z) is a / z, which is quicker than a second erf."""
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
