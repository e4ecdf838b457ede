"""The losses, each with its derivative and, where it has one, its joint form with an output activation.

y (examples, outputs, *runs) are outputs, t targets that broadcast against them, z the pre-activations of the last
layer, δ = dL/dz.  Rows work element by element; `Criterion` sums or averages.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np

from xortrain.nets import Array, Numbers
from xortrain.nets.activations import ACTIVATIONS, written_sigmoid
from xortrain.nets.formula import Call, Term, Written, not_given
from xortrain.nets.functions import log1p_exp_minus_abs, sigmoid, softplus
from xortrain.nets.setting import Settings, choice, in_use, number

T = TypeVar("T")
REDUCTION = {"reduction": choice("how the losses of the examples are combined", "mean", "sum")}
SMOOTHING = {
    "label_smoothing": number("share of a target to spread over the classes", 0, below=1, optional=True, letter="ε")
}


@dataclass(frozen=True, eq=False)
class Joint:
    """A loss together with an output activation: ``value(z, t, **settings)`` and ``delta(z, y, t, **settings)``.

    Its δ does not vanish when an output saturates.  ``written_delta(y, t)`` is δ where that is one short formula.
    """

    value: Callable[..., Array]
    delta: Callable[..., Array]
    written_delta: Callable[[Term, Term], Term] | None = None


@dataclass(frozen=True, eq=False)
class Loss:
    """``value(y, t, **settings)`` of each element and its derivative ``gradient`` by y, and how both are written.

    ``output`` is the output activation that goes with the loss, with which it has the ``joint`` form, if any.
    ``per`` is what reduction=mean divides the sum by: examples times outputs, or examples.  ``targets`` is what t must
    be: any numbers, numbers in [0, 1], signs -1 and 1, or one-hot classes.  ``spread(outputs)`` is the value that
    label smoothing mixes into targets, ``own`` are the settings of ``value``.

    Of a row of a user's own, ``value`` is enough: `worked_out` adds the rest.
    """

    help: str
    value: Callable[..., Array]
    gradient: Callable[..., Array] = not_given
    formula: Written = not_given
    slope: Written = not_given
    output: str = "identity"
    per: Literal["element", "example"] = "element"
    targets: Literal["any", "unit", "signs", "classes"] = "any"
    own: Settings = field(default_factory=dict)
    joint: Joint | None = None
    spread: Callable[[int], float] | None = None
    holds: Callable[[Array, Array], Array] | None = None
    """Where y and t allow the formulas as they are written; elsewhere `value` and `gradient` are clipped."""
    mean_is_best: bool = False
    """Whether of all answers that are the same for every example, the mean target has the lowest loss."""
    note: str = ""
    """What the documentation adds: conventions and sources."""

    @property
    def settings(self) -> Settings:
        """All settings: the reduction, label smoothing if targets can be smoothed, and its own."""
        return {**REDUCTION, **(SMOOTHING if self.spread else {}), **self.own}

    def smoothed(self, t: T, share: Any, outputs: int) -> T:
        """Targets with ``share`` of each replaced by the spread, as an array or as a formula."""
        assert self.spread is not None
        smooth: T = t * (1 - share) + share * self.spread(outputs)
        return smooth


def mse(y: Array, t: Array) -> Array:
    """(y - t)², without a half: PyTorch's convention."""
    error = y - t
    return np.multiply(error, error, out=error)


def hinge(y: Array, t: Array) -> Array:
    """max(0, 1 - t y)."""
    return np.maximum(1 - t * y, 0)


def hinge_gradient(y: Array, t: Array) -> Array:
    """-t up to and at the margin t y = 1, as in PyTorch's clamp and TensorFlow's maximum."""
    return -t * (t * y <= 1)


def huber(y: Array, t: Array, *, delta: Array) -> Array:
    """½ e² for |e| = |y - t| up to δ, beyond it δ (|e| - δ/2)."""
    error = y - t
    clipped = np.clip(error, -delta, delta)
    return clipped * (error - 0.5 * clipped)


def huber_gradient(y: Array, t: Array, *, delta: Array) -> Array:
    return np.clip(y - t, -delta, delta)


def log_cosh(y: Array, t: Array) -> Array:
    """log cosh e = log(1 + 2 sinh²(e/2)); beyond |e| = 20 it is linear to the last bit."""
    error = np.abs(y - t)
    near = np.minimum(error, 20)
    s = np.sinh(0.5 * near)
    return np.log1p(2 * s * s) + (error - near)


FARTHEST = 0.9999999


def atanh_error(y: Array, t: Array) -> Array:
    """(1 + e) log(1 + e) + (1 - e) log(1 - e), the integral of the gradient below; linear beyond |e| = 0.9999999."""
    error = np.abs(y - t)
    e = np.minimum(error, FARTHEST)
    curve = (1 + e) * np.log1p(e) + (1 - e) * np.log1p(-e)
    return curve + (error - e) * (2 * np.arctanh(e))


def atanh_error_gradient(y: Array, t: Array) -> Array:
    """log((1 + e) / (1 - e)) = 2 atanh(e), e = y - t (Fahlman 1988), clipped where |e| = 0.9999999, at 16.8."""
    return 2 * np.arctanh(np.clip(y - t, -FARTHEST, FARTHEST))


def _log(p: Array) -> Array:
    """log p with p clipped to [0, 1] and the logarithm to -100 or above, as in PyTorch's BCELoss."""
    with np.errstate(divide="ignore"):
        log: Array = np.log(np.clip(p, 0, 1))
    return np.maximum(log, -100, out=log)


def _log_slope(p: Array) -> Array:
    """The derivative of `_log`: 1 / p, and 0 where p is clipped (or so small that 1 / p would overflow)."""
    least = max(math.exp(-100), float(np.finfo(p.dtype).tiny))
    inside = (p >= least) & (p <= 1)
    return np.where(inside, 1 / np.where(inside, p, 1), 0)


def bce(y: Array, t: Array) -> Array:
    """-(t log y + (1 - t) log(1 - y))."""
    return -(t * _log(y) + (1 - t) * _log(1 - y))


def bce_gradient(y: Array, t: Array) -> Array:
    return (1 - t) * _log_slope(1 - y) - t * _log_slope(y)


def bce_of_logits(z: Array, t: Array) -> Array:
    """max(z, 0) - z t + log(1 + exp(-|z|))."""
    value = np.maximum(z, 0)
    value -= z * t
    value += log1p_exp_minus_abs(z)
    return value


def error_of_outputs(z: Array, y: Array, t: Array) -> Array:
    """y - t; cross-entropy requires that the targets of an example sum to 1."""
    return np.subtract(y, t)


def cross_entropy(y: Array, t: Array) -> Array:
    """-t log y, to be summed over the outputs."""
    return -t * _log(y)


def cross_entropy_gradient(y: Array, t: Array) -> Array:
    return -t * _log_slope(y)


def cross_entropy_of_logits(z: Array, t: Array) -> Array:
    """t (log Σ_j exp(z_j) - z), shifted by the largest z."""
    shifted = z - np.maximum.reduce(z, axis=1, keepdims=True)
    log_sum = np.log(np.add.reduce(np.exp(shifted), axis=1, keepdims=True))
    return t * (log_sum - shifted)


def _focal_weights(y: Array, t: Array, alpha: Array, gamma: Array) -> tuple[Array, Array, Array]:
    """The distance of y from t, that distance to the power γ, and α for ones, 1 - α for zeros."""
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
    """α_t (1 - p_t)^γ bce of z."""
    _, power, weight = _focal_weights(sigmoid(z), t, alpha, gamma)
    return weight * power * bce_of_logits(z, t)


def focal_delta(z: Array, y: Array, t: Array, *, alpha: Array, gamma: Array) -> Array:
    """α_t (1 - p_t)^γ (y - t + γ bce (1 - 2 t) y (1 - y) / (1 - p_t))."""
    far, power, weight = _focal_weights(y, t, alpha, gamma)
    bend = gamma * _log_slope(far) * (1 - 2 * t) * y * (1 - y)
    return weight * power * (error_of_outputs(z, y, t) + bce_of_logits(z, t) * bend)


_inside: Callable[[Array, Array], Array] = lambda y, t: (y > 0) & (y < 1)
_has_log: Callable[[Array, Array], Array] = lambda y, t: (y > 0) & ((y <= 1) | (t == 0))
_written_log: Written = lambda p: Call("log", p)
_written_bce: Written = lambda y, t: -(t * _written_log(y) + (1 - t) * _written_log(1 - y))
_written_bce_slope: Written = lambda y, t: (1 - t) / (1 - y) - t / y
_clipped: Written = lambda y, t, delta: Call("clip", y - t, -delta, delta)
_written_huber: Written = lambda y, t, delta: _clipped(y, t, delta) * (y - t - _clipped(y, t, delta) / 2)


def _written_focal_slope(y: Term, t: Term, alpha: Term, gamma: Term) -> Term:
    bend = gamma * (1 - 2 * t) / (t + y - 2 * (t * y))
    return _written_weight(y, t, alpha, gamma) * (_written_bce_slope(y, t) + _written_bce(y, t) * bend)


def _written_weight(y: Term, t: Term, alpha: Term, gamma: Term) -> Term:
    return (alpha * t + (1 - alpha) * (1 - t)) * (t + y - 2 * (t * y)) ** gamma


_slack: Written = lambda y, t: Call("max", 1 - t * y, 0)
_written_atanh_error: Written = lambda y, t: (
    (1 + (y - t)) * _written_log(1 + (y - t)) + (1 - (y - t)) * _written_log(1 - (y - t))
)
# fmt: off
LOSSES: dict[str, Loss] = {
    "mse": Loss("mean of (y - t)²",
        mse, lambda y, t: 2 * (y - t),
        lambda y, t: (y - t) ** 2, lambda y, t: 2 * (y - t),
        mean_is_best=True, note="PyTorch's, without a half"),
    "half_sse": Loss("½ Σ (y - t)² of an example",
        lambda y, t: 0.5 * mse(y, t), lambda y, t: y - t,
        lambda y, t: (y - t) ** 2 / 2, lambda y, t: y - t,
        per="example", mean_is_best=True,
        note="summed over outputs: Rumelhart, Hinton & Williams (1986) with `sum`"),
    "bce": Loss("binary cross-entropy, through logits",
        bce, bce_gradient,
        _written_bce, _written_bce_slope,
        "sigmoid", targets="unit", joint=Joint(bce_of_logits, error_of_outputs, lambda y, t: y - t), holds=_inside,
        spread=lambda outputs: 0.5, mean_is_best=True, note="label smoothing ε: t (1 - ε) + ε/2, Keras'"),
    "cross_entropy": Loss("cross-entropy of classes, through logits",
        cross_entropy, cross_entropy_gradient,
        lambda y, t: -(t * _written_log(y)), lambda y, t: -(t / y),
        "softmax", "example", "classes", joint=Joint(cross_entropy_of_logits, error_of_outputs, lambda y, t: y - t),
        spread=lambda outputs: 1 / outputs, holds=_has_log, mean_is_best=True,
        note="summed over outputs; one-hot t; label smoothing ε: t (1 - ε) + ε/K, PyTorch's"),
    "mae": Loss("mean of |y - t|",
        lambda y, t: np.abs(y - t), lambda y, t: np.sign(y - t),
        lambda y, t: Call("abs", y - t), lambda y, t: Call("sign", y - t),
        note="0 at y = t"),
    "hinge": Loss("max(0, 1 - t y), targets -1 and 1",
        hinge, hinge_gradient,
        _slack, lambda y, t: -(t * (t * y <= 1)),
        targets="signs", note="t = ±1; -t at the margin itself"),
    "squared_hinge": Loss("the square of hinge, targets -1 and 1",
        lambda y, t: hinge(y, t) ** 2, lambda y, t: -2 * t * hinge(y, t),
        lambda y, t: _slack(y, t) ** 2, lambda y, t: -2 * (t * _slack(y, t)),
        targets="signs", note="t = ±1"),
    "huber": Loss("½ e² for |e| up to delta, linear beyond",
        huber, huber_gradient,
        _written_huber, _clipped,
        own={"delta": number("error |e| where the line begins", above=0, letter="δ")},
        note="½ (y - t)² up to δ, beyond it a line"),
    "smooth_l1": Loss("huber divided by beta",
        lambda y, t, *, beta: huber(y, t, delta=beta) / beta,
        lambda y, t, *, beta: huber_gradient(y, t, delta=beta) / beta,
        lambda y, t, beta: _written_huber(y, t, beta) / beta, lambda y, t, beta: _clipped(y, t, beta) / beta,
        own={"beta": number("where the line begins", above=0, letter="β")}, note="huber with δ = β, divided by β"),
    "log_cosh": Loss("log cosh(y - t)",
        log_cosh, lambda y, t: np.tanh(y - t),
        lambda y, t: _written_log(Call("cosh", y - t)), lambda y, t: Call("tanh", y - t),
        note="as log(1 + 2 sinh²((y - t)/2)), a line beyond 20"),
    "soft_margin": Loss("log(1 + exp(-t y)), targets -1 and 1",
        lambda y, t: softplus(-t * y), lambda y, t: -t * sigmoid(-t * y),
        lambda y, t: _written_log(1 + Call("exp", -(t * y))), lambda y, t: -(t * written_sigmoid(-(t * y))),
        targets="signs", note="t = ±1; equals bce on z"),
    "focal": Loss("bce with less weight on examples that are nearly right",
        focal, focal_gradient,
        lambda y, t, alpha, gamma: _written_weight(y, t, alpha, gamma) * _written_bce(y, t), _written_focal_slope,
        "sigmoid", targets="unit",
        own={"alpha": number("weight of ones", 0, 1, letter="α"), "gamma": number("power of 1 - p_t", 0, letter="γ")},
        joint=Joint(focal_of_logits, focal_delta), holds=_inside, note="α and γ of Lin et al. (2017)"),
    "atanh_error": Loss("gradient 2 atanh(y - t) (Fahlman 1988)",
        atanh_error, atanh_error_gradient,
        _written_atanh_error, lambda y, t: _written_log((1 + (y - t)) / (1 - (y - t))),
        "sigmoid", holds=lambda y, t: np.abs(y - t) < FARTHEST,
        note="2 atanh(y - t): Fahlman (1988); clipped where abs(y - t) = 0.9999999, at 16.8 (he wrote 17)"),
}
# fmt: on
"""Name of a loss in a config to its row."""


@dataclass(frozen=True, eq=False)
class Criterion:
    """A loss on an output activation, summed or averaged; settings are (runs,).

    ``examples`` is how many there are, if those that it is given are only a part of them.
    """

    loss: str
    output: str
    settings: Numbers
    output_settings: Numbers
    reduction: Literal["mean", "sum"] = "mean"
    examples: int | None = None

    @cached_property
    def row(self) -> Loss:
        return LOSSES[self.loss]

    @property
    def joint(self) -> Joint | None:
        """The joint form of the loss and this output activation, if it has one."""
        return self.row.joint if self.output == self.row.output else None

    @cached_property
    def own(self) -> Numbers:
        """The settings that the loss of an element depends on."""
        return {name: value for name, value in self.settings.items() if name != "label_smoothing"}

    @cached_property
    def _smoothing(self) -> Array | None:
        return in_use(self.row.settings, self.settings).get("label_smoothing")

    def aims(self, t: Array) -> Array:
        """The targets that the loss compares with, smoothed if label smoothing is on."""
        return t if self._smoothing is None else self.row.smoothed(t, self._smoothing, t.shape[1])

    def share(self, z: Array) -> float:
        """The factor by which the loss of one element enters L."""
        if self.reduction == "sum":
            return 1.0
        examples, outputs = self.examples or z.shape[0], z.shape[1]
        return 1.0 / int(examples * outputs if self.row.per == "element" else examples)

    def values(self, z: Array, y: Array, t: Array) -> Array:
        """The loss of each element, before reduction: (examples, outputs, *runs)."""
        if self.joint is not None:
            return self.joint.value(z, self.aims(t), **self.own)
        return self.row.value(y, self.aims(t), **self.own)

    def total(self, z: Array, y: Array, t: Array) -> Array:
        """L over examples and outputs: (examples, outputs, *more) -> (*more,)."""
        total: Array = np.add.reduce(self.values(z, y, t), axis=(0, 1))
        if self.reduction == "mean":
            total *= self.share(z)
        return total

    def lowest(self, t: Array) -> Array:
        """L where every output is its target: (examples, outputs, *runs) -> (*runs,); not always 0."""
        aims = self.aims(t)
        return np.asarray(self.row.value(aims, aims, **self.own).sum(axis=(0, 1)) * self.share(t))

    def delta(self, z: Array, y: Array, t: Array) -> Array:
        """δ = dL/dz of the last layer, (examples, outputs, *runs), in a new array."""
        if self.joint is not None:
            delta = self.joint.delta(z, y, self.aims(t), **self.own)
        else:
            gradient = self.row.gradient(y, self.aims(t), **self.own)
            delta = ACTIVATIONS[self.output].backward(z, y, gradient, **self.output_settings)
        if self.reduction == "mean":
            delta *= self.share(z)
        return delta

    def take(self, runs: Any) -> "Criterion":
        """The criterion of some of the runs."""
        own, of_output = ({k: v[runs] for k, v in numbers.items()} for numbers in (self.settings, self.output_settings))
        return replace(self, settings=own, output_settings=of_output)
