"""How wrong an output is: the losses, each with its derivative, and how one is joined to the last layer.

y (examples, outputs, *runs) are outputs, t targets that broadcast against them, z what the last layer
receives, δ = dL/dz.  Values and gradients are element by element; the criterion adds them up.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from xortrain.nets import Array, Numbers
from xortrain.nets.activations import ACTIVATIONS, sigmoid, softplus
from xortrain.nets.entropies import (
    bce,
    bce_delta,
    bce_gradient,
    bce_of_logits,
    cross_entropy,
    cross_entropy_delta,
    cross_entropy_gradient,
    cross_entropy_of_logits,
    focal,
    focal_delta,
    focal_gradient,
    focal_of_logits,
)


@dataclass(frozen=True)
class Loss:
    """``value(y, t, **settings)`` and its derivative ``gradient`` by y, for each element.

    ``output`` is the output activation it goes with, ``per`` what reduction=mean divides the sum by
    (examples times outputs, or examples), ``targets`` what it asks of t: any numbers, numbers in [0, 1],
    signs -1 and 1, or one-hot classes.
    """

    value: Callable[..., Array]
    gradient: Callable[..., Array]
    output: str = "identity"
    per: Literal["element", "example"] = "element"
    targets: Literal["any", "unit", "signs", "classes"] = "any"
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fused:
    """A loss on an output activation: ``value(z, t, **settings)`` and ``delta(z, y, t, **settings)``."""

    value: Callable[..., Array]
    delta: Callable[..., Array]


def mse(y: Array, t: Array) -> Array:
    """(y - t)², without a half: PyTorch's convention."""
    error = y - t
    return np.multiply(error, error, out=error)


def half_sse(y: Array, t: Array) -> Array:
    """½ (y - t)², summed over the outputs: Rumelhart, Hinton & Williams (1986)."""
    return 0.5 * mse(y, t)


def hinge(y: Array, t: Array) -> Array:
    """max(0, 1 - t y)."""
    return np.maximum(1 - t * y, 0)


def hinge_gradient(y: Array, t: Array) -> Array:
    """-t up to and at the margin t y = 1, as PyTorch's clamp and TensorFlow's maximum have it."""
    return -t * (t * y <= 1)


def squared_hinge(y: Array, t: Array) -> Array:
    slack = hinge(y, t)
    slack *= slack
    return slack


def huber(y: Array, t: Array, *, delta: Array) -> Array:
    """½ e² for |e| = |y - t| up to δ, beyond it δ (|e| - δ/2)."""
    error = y - t
    held = np.clip(error, -delta, delta)
    return held * (error - 0.5 * held)


def huber_gradient(y: Array, t: Array, *, delta: Array) -> Array:
    return np.clip(y - t, -delta, delta)


def log_cosh(y: Array, t: Array) -> Array:
    """log cosh e = log(1 + 2 sinh²(e/2)); beyond |e| = 20 it is a line to the last bit."""
    error = np.abs(y - t)
    near = np.minimum(error, 20)
    s = np.sinh(0.5 * near)
    return np.log1p(2 * s * s) + (error - near)


FARTHEST = 0.9999999


def atanh_error(y: Array, t: Array) -> Array:
    """(1 + e) log(1 + e) + (1 - e) log(1 - e), the integral of the gradient below; a line beyond its end."""
    error = np.abs(y - t)
    e = np.minimum(error, FARTHEST)
    curve = (1 + e) * np.log1p(e) + (1 - e) * np.log1p(-e)
    return curve + (error - e) * (2 * np.arctanh(e))


def atanh_error_gradient(y: Array, t: Array) -> Array:
    """log((1 + e) / (1 - e)) = 2 atanh(e), e = y - t (Fahlman 1988), held where |e| = 0.9999999, at 16.8."""
    return 2 * np.arctanh(np.clip(y - t, -FARTHEST, FARTHEST))


LOSSES: dict[str, Loss] = {
    "mse": Loss(mse, lambda y, t: 2 * (y - t)),
    "half_sse": Loss(half_sse, lambda y, t: y - t, per="example"),
    "bce": Loss(bce, bce_gradient, "sigmoid", targets="unit", settings=("label_smoothing",)),
    "cross_entropy": Loss(cross_entropy, cross_entropy_gradient, "softmax", "example", "classes", ("label_smoothing",)),
    "mae": Loss(lambda y, t: np.abs(y - t), lambda y, t: np.sign(y - t)),
    "hinge": Loss(hinge, hinge_gradient, targets="signs"),
    "squared_hinge": Loss(squared_hinge, lambda y, t: -2 * t * hinge(y, t), targets="signs"),
    "huber": Loss(huber, huber_gradient, settings=("delta",)),
    "smooth_l1": Loss(
        lambda y, t, *, beta: huber(y, t, delta=beta) / beta,
        lambda y, t, *, beta: huber_gradient(y, t, delta=beta) / beta,
        settings=("beta",),
    ),
    "log_cosh": Loss(log_cosh, lambda y, t: np.tanh(y - t)),
    "soft_margin": Loss(lambda y, t: softplus(-t * y), lambda y, t: -t * sigmoid(-t * y), targets="signs"),
    "focal": Loss(focal, focal_gradient, "sigmoid", targets="unit", settings=("alpha", "gamma")),
    "atanh_error": Loss(atanh_error, atanh_error_gradient, "sigmoid"),
}
"""Name of a loss in a config to its row."""

FUSED: dict[tuple[str, str], Fused] = {
    ("bce", "sigmoid"): Fused(bce_of_logits, bce_delta),
    ("cross_entropy", "softmax"): Fused(cross_entropy_of_logits, cross_entropy_delta),
    ("focal", "sigmoid"): Fused(focal_of_logits, focal_delta),
}
"""Loss and output activation to their joint form, which keeps the error of a saturated unit."""


@dataclass(frozen=True)
class Criterion:
    """A loss on an output activation, added up or averaged; settings are (runs,)."""

    loss: str
    output: str
    settings: Numbers
    output_settings: Numbers
    reduction: Literal["mean", "sum"] = "mean"

    @cached_property
    def _fused(self) -> Fused | None:
        return FUSED.get((self.loss, self.output))

    @cached_property
    def _settings(self) -> Numbers:
        """A label smoothing that is 0 for all runs is left out, so that the usual case pays nothing for it."""
        return {k: v for k, v in self.settings.items() if k != "label_smoothing" or v.any()}

    def share(self, z: Array) -> float:
        """What one element's loss is multiplied by when it is added to L."""
        if self.reduction == "sum":
            return 1.0
        examples, outputs = z.shape[:2]
        return 1.0 / int(examples * outputs if LOSSES[self.loss].per == "element" else examples)

    def values(self, z: Array, y: Array, t: Array) -> Array:
        """The loss of each element, before reduction."""
        if self._fused is not None:
            return self._fused.value(z, t, **self._settings)
        return LOSSES[self.loss].value(y, t, **self._settings)

    def total(self, z: Array, y: Array, t: Array) -> Array:
        """L over examples and outputs: (examples, outputs, *more) -> (*more,)."""
        total: Array = np.add.reduce(self.values(z, y, t), axis=(0, 1))
        if self.reduction == "mean":
            total *= self.share(z)
        return total

    def delta(self, z: Array, y: Array, t: Array) -> Array:
        """δ = dL/dz of the last layer, in an array of its own."""
        if self._fused is not None:
            delta = self._fused.delta(z, y, t, **self._settings)
        else:
            gradient = LOSSES[self.loss].gradient(y, t, **self._settings)
            delta = ACTIVATIONS[self.output].backward(z, y, gradient, **self.output_settings)
        if self.reduction == "mean":
            delta *= self.share(z)
        return delta

    def take(self, runs: Any) -> "Criterion":
        """The same criterion for some of its runs."""
        cut = [
            {name: value[runs] for name, value in settings.items()}
            for settings in (self.settings, self.output_settings)
        ]
        return replace(self, settings=cut[0], output_settings=cut[1])
