"""The activations as they are written: for each its formula, and that of its slope, the derivative.

`written` takes z, `slope` takes z and a and uses the shorter formula; settings come as symbols.  Beside the row
of xortrain.nets that computes it, each formula here is only read: a test holds the two equal.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from xortrain.explain.formula import Call, Number, Term
from xortrain.nets.rectifiers import SELU_ALPHA, SELU_SCALE

ROOT = math.sqrt(2 / math.pi)


@dataclass(frozen=True)
class Written:
    """An activation's formula and its slope's."""

    formula: Callable[..., Term]
    slope: Callable[..., Term]


def exp(z: Term) -> Call:
    return Call("exp", z)


def upper(z: Term) -> Call:
    return Call("max", z, 0)


def lower(z: Term) -> Call:
    return Call("min", z, 0)


def sigmoid(z: Term) -> Term:
    return 1 / (1 + exp(-z))


def _elu(z: Term, alpha: Term | float) -> Term:
    return upper(z) + alpha * (exp(lower(z)) - 1)


def _gate(z: Term) -> Call:
    """The tanh inside gelu_tanh."""
    return Call("tanh", ROOT * z * (1 + 0.044715 * z**2))


def _gelu_tanh_slope(z: Term, a: Term) -> Term:
    return 0.5 * (1 + _gate(z)) + 0.5 * z * (1 - _gate(z) ** 2) * (ROOT * (1 + 3 * 0.044715 * z**2))


def _mish_gate(z: Term) -> Call:
    return Call("tanh", Call("log", 1 + exp(z)))


def _hardsigmoid(z: Term) -> Call:
    return Call("clip", z / 6 + 0.5, 0, 1)


def _between(z: Term, low: float, high: float) -> Term:
    return (z > low) * (z < high)


ACTIVATIONS: dict[str, Written] = {
    "identity": Written(lambda z: z, lambda z, a: Call("ones", z)),
    "sigmoid": Written(sigmoid, lambda z, a: a * (1 - a)),
    "tanh": Written(lambda z: Call("tanh", z), lambda z, a: 1 - a**2),
    "relu": Written(upper, lambda z, a: z > 0),
    "leaky_relu": Written(lambda z, slope: upper(z) + slope * lower(z), lambda z, a, slope: (z > 0) + slope * (z <= 0)),
    "elu": Written(_elu, lambda z, a, alpha: (z > 0) + (a + alpha) * (z <= 0)),
    "celu": Written(
        lambda z, alpha: upper(z) + alpha * (exp(lower(z) / alpha) - 1),
        lambda z, a, alpha: (z > 0) + (a / alpha + 1) * (z <= 0),
    ),
    "selu": Written(
        lambda z: SELU_SCALE * _elu(z, SELU_ALPHA),
        lambda z, a: SELU_SCALE * (z > 0) + (a + SELU_SCALE * SELU_ALPHA) * (z <= 0),
    ),
    "softplus": Written(lambda z: Call("log", 1 + exp(z)), lambda z, a: sigmoid(z)),
    "softmax": Written(lambda z: exp(z) / Call("sum", exp(z)), lambda z, a: a * (1 - a)),
    "gelu": Written(
        lambda z: z * Call("Φ", z), lambda z, a: Call("Φ", z) + z * exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    ),
    "gelu_tanh": Written(lambda z: 0.5 * z * (1 + _gate(z)), _gelu_tanh_slope),
    "silu": Written(lambda z: z * sigmoid(z), lambda z, a: sigmoid(z) + a * (1 - sigmoid(z))),
    "mish": Written(
        lambda z: z * _mish_gate(z), lambda z, a: _mish_gate(z) + z * (1 - _mish_gate(z) ** 2) * sigmoid(z)
    ),
    "softsign": Written(lambda z: z / (1 + Call("abs", z)), lambda z, a: 1 / (1 + Call("abs", z)) ** 2),
    "relu6": Written(lambda z: Call("clip", z, 0, 6), lambda z, a: _between(z, 0, 6)),
    "hardtanh": Written(lambda z: Call("clip", z, -1, 1), lambda z, a: _between(z, -1, 1)),
    "hardsigmoid": Written(_hardsigmoid, lambda z, a: _between(z, -3, 3) / 6),
    "hardswish": Written(lambda z: z * _hardsigmoid(z), lambda z, a: (z >= 3) + _between(z, -3, 3) * (z / 3 + 0.5)),
    "logsigmoid": Written(lambda z: -Call("log", 1 + exp(-z)), lambda z, a: sigmoid(-z)),
    "step": Written(lambda z: z > 0, lambda z, a: Number(0) * z),
    "sin": Written(lambda z: Call("sin", z), lambda z, a: Call("cos", z)),
    "gaussian": Written(lambda z: exp(-(z**2)), lambda z, a: -2 * (z * a)),
}
"""Name of an activation to its formulas."""


def jacobian(name: str, z: Term, a: Term, settings: dict[str, Term]) -> Term:
    """da/dz: diagonal, but for softmax, whose units are coupled."""
    if name == "softmax":
        return Call("diag", a) - a @ Call("T", a)
    return Call("diag", ACTIVATIONS[name].slope(z, a, **settings))
