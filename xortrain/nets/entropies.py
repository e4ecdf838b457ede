"""The losses of probabilities: cross-entropies and the focal loss, with their derivatives.

Each is there twice: from the outputs y of any activation, and (``…_of_logits``, ``…_delta``) from what their own
activation receives, z, where nothing is lost when a unit saturates.
"""

import math

import numpy as np

from xortrain.nets import Array
from xortrain.nets.activations import log1p_exp_minus_abs, sigmoid


def _log(p: Array) -> Array:
    """log p with p kept in [0, 1] and the logarithm at -100 or above, as in PyTorch's BCELoss."""
    with np.errstate(divide="ignore"):
        log: Array = np.log(np.clip(p, 0, 1))
    return np.maximum(log, -100, out=log)


def _log_slope(p: Array) -> Array:
    """The derivative of `_log`: 1 / p, and 0 where p is held (or so small that 1 / p would overflow)."""
    least = max(math.exp(-100), float(np.finfo(p.dtype).tiny))
    inside = (p >= least) & (p <= 1)
    return np.where(inside, 1 / np.where(inside, p, 1), 0)


def _smooth(t: Array, share: Array | None, evenly: float) -> Array:
    """Targets that give ``share`` of their certainty away: t (1 - share) + share · evenly."""
    return t if share is None else t * (1 - share) + share * evenly


def bce(y: Array, t: Array, label_smoothing: Array | None = None) -> Array:
    """-(t log y + (1 - t) log(1 - y)); smoothed targets are Keras': t (1 - ε) + ε/2."""
    t = _smooth(t, label_smoothing, 0.5)
    return -(t * _log(y) + (1 - t) * _log(1 - y))


def bce_gradient(y: Array, t: Array, label_smoothing: Array | None = None) -> Array:
    t = _smooth(t, label_smoothing, 0.5)
    return (1 - t) * _log_slope(1 - y) - t * _log_slope(y)


def bce_of_logits(z: Array, t: Array, label_smoothing: Array | None = None) -> Array:
    """max(z, 0) - z t + log(1 + exp(-|z|))."""
    value = np.maximum(z, 0)
    value -= z * _smooth(t, label_smoothing, 0.5)
    value += log1p_exp_minus_abs(z)
    return value


def bce_delta(z: Array, y: Array, t: Array, label_smoothing: Array | None = None) -> Array:
    """δ = y - t."""
    return np.subtract(y, _smooth(t, label_smoothing, 0.5))


def cross_entropy(y: Array, t: Array, label_smoothing: Array | None = None) -> Array:
    """-t log y, to be summed over the outputs; smoothed targets are PyTorch's: t (1 - ε) + ε / outputs."""
    return -_smooth(t, label_smoothing, 1 / y.shape[1]) * _log(y)


def cross_entropy_gradient(y: Array, t: Array, label_smoothing: Array | None = None) -> Array:
    return -_smooth(t, label_smoothing, 1 / y.shape[1]) * _log_slope(y)


def cross_entropy_of_logits(z: Array, t: Array, label_smoothing: Array | None = None) -> Array:
    """t (log Σ_j exp(z_j) - z), shifted by the largest z."""
    shifted = z - np.maximum.reduce(z, axis=1, keepdims=True)
    log_sum = np.log(np.add.reduce(np.exp(shifted), axis=1, keepdims=True))
    return _smooth(t, label_smoothing, 1 / z.shape[1]) * (log_sum - shifted)


def cross_entropy_delta(z: Array, y: Array, t: Array, label_smoothing: Array | None = None) -> Array:
    """δ = y - t, for targets of an example that sum to 1."""
    return np.subtract(y, _smooth(t, label_smoothing, 1 / y.shape[1]))


def _focal_weights(y: Array, t: Array, alpha: Array, gamma: Array) -> tuple[Array, Array, Array]:
    """How far y is from t, that distance to the power γ, and α for ones, 1 - α for zeros."""
    far = t + y - 2 * t * y
    return far, np.exp(gamma * _log(far)), alpha * t + (1 - alpha) * (1 - t)


def focal(y: Array, t: Array, *, alpha: Array, gamma: Array) -> Array:
    """α_t (1 - p_t)^γ bce (Lin et al. 2017), p_t the probability that y gives to the target."""
    _, power, weight = _focal_weights(y, t, alpha, gamma)
    return weight * power * bce(y, t)


def focal_gradient(y: Array, t: Array, *, alpha: Array, gamma: Array) -> Array:
    far, power, weight = _focal_weights(y, t, alpha, gamma)
    bend = gamma * _log_slope(far) * (1 - 2 * t)
    return weight * power * (bce_gradient(y, t) + bce(y, t) * bend)


def focal_of_logits(z: Array, t: Array, *, alpha: Array, gamma: Array) -> Array:
    _, power, weight = _focal_weights(sigmoid(z), t, alpha, gamma)
    return weight * power * bce_of_logits(z, t)


def focal_delta(z: Array, y: Array, t: Array, *, alpha: Array, gamma: Array) -> Array:
    far, power, weight = _focal_weights(y, t, alpha, gamma)
    bend = gamma * _log_slope(far) * (1 - 2 * t) * y * (1 - y)
    return weight * power * (bce_delta(z, y, t) + bce_of_logits(z, t) * bend)
