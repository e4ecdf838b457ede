"""The losses as they are written: for each the loss of one output, and its derivative by that output.

Both take y and t and the settings as symbols.  Beside the row of xortrain.nets that computes it, each formula
here is only read: a test holds the two equal.
"""

from collections.abc import Callable
from dataclasses import dataclass

from xortrain.explain.activations import sigmoid
from xortrain.explain.formula import Call, Term


@dataclass(frozen=True)
class Written:
    """A loss's formula and its derivative's; ``evenly`` is what smoothed targets are mixed with, given the outputs."""

    formula: Callable[..., Term]
    gradient: Callable[..., Term]
    evenly: Callable[[int], float] | None = None


def _log(p: Term) -> Call:
    return Call("log", p)


def _bce(y: Term, t: Term) -> Term:
    return -(t * _log(y) + (1 - t) * _log(1 - y))


def _bce_gradient(y: Term, t: Term) -> Term:
    return (1 - t) / (1 - y) - t / y


def _held(y: Term, t: Term, delta: Term) -> Call:
    """The error, clipped to ±δ."""
    return Call("clip", y - t, -delta, delta)


def _huber(y: Term, t: Term, delta: Term) -> Term:
    return _held(y, t, delta) * (y - t - _held(y, t, delta) / 2)


def _far(y: Term, t: Term) -> Term:
    """How far y is from t, for t of 0 or 1."""
    return t + y - 2 * (t * y)


def _weight(t: Term, alpha: Term) -> Term:
    return alpha * t + (1 - alpha) * (1 - t)


def _focal(y: Term, t: Term, alpha: Term, gamma: Term) -> Term:
    return _weight(t, alpha) * _far(y, t) ** gamma * _bce(y, t)


def _focal_gradient(y: Term, t: Term, alpha: Term, gamma: Term) -> Term:
    bend = gamma * (1 - 2 * t) / _far(y, t)
    return _weight(t, alpha) * _far(y, t) ** gamma * (_bce_gradient(y, t) + _bce(y, t) * bend)


def _slack(y: Term, t: Term) -> Call:
    return Call("max", 1 - t * y, 0)


def _atanh_error(y: Term, t: Term) -> Term:
    return (1 + (y - t)) * _log(1 + (y - t)) + (1 - (y - t)) * _log(1 - (y - t))


LOSSES: dict[str, Written] = {
    "mse": Written(lambda y, t: (y - t) ** 2, lambda y, t: 2 * (y - t)),
    "half_sse": Written(lambda y, t: (y - t) ** 2 / 2, lambda y, t: y - t),
    "bce": Written(_bce, _bce_gradient, lambda outputs: 1 / 2),
    "cross_entropy": Written(lambda y, t: -(t * _log(y)), lambda y, t: -(t / y), lambda outputs: 1 / outputs),
    "mae": Written(lambda y, t: Call("abs", y - t), lambda y, t: Call("sign", y - t)),
    "hinge": Written(_slack, lambda y, t: -(t * (t * y <= 1))),
    "squared_hinge": Written(lambda y, t: _slack(y, t) ** 2, lambda y, t: -2 * (t * _slack(y, t))),
    "huber": Written(_huber, _held),
    "smooth_l1": Written(lambda y, t, beta: _huber(y, t, beta) / beta, lambda y, t, beta: _held(y, t, beta) / beta),
    "log_cosh": Written(lambda y, t: _log(Call("cosh", y - t)), lambda y, t: Call("tanh", y - t)),
    "soft_margin": Written(lambda y, t: _log(1 + Call("exp", -(t * y))), lambda y, t: -(t * sigmoid(-(t * y)))),
    "focal": Written(_focal, _focal_gradient),
    "atanh_error": Written(_atanh_error, lambda y, t: _log((1 + (y - t)) / (1 - (y - t)))),
}
"""Name of a loss to its formulas."""

SHORT = {("bce", "sigmoid"), ("cross_entropy", "softmax")}
"""Loss and output activation whose dL/dz is simply y - t."""
