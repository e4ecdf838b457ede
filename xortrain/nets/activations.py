"""The activations a = f(z); a row of `ACTIVATIONS` holds everything specific to one.

z (examples, units, *runs) are the pre-activations of a layer, a its outputs; settings such as slope are (runs,).
At a corner the derivative is PyTorch's.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from xortrain.nets import Array
from xortrain.nets import functions as fn
from xortrain.nets.formula import Call, Number, Written, not_given
from xortrain.nets.setting import Settings, number

INF = math.inf
Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Activation:
    """An activation: how it is computed, how it is written, and the properties that diagnosis uses.

    ``f(z, out, **settings)`` writes a into out and ``derivative(z, a, **settings)`` returns f'(z) by the shorter
    formula; both accept any array type that follows NumPy's protocols.  ``product`` returns dL/dz from dL/da where
    multiplying by the derivative would be wrong or slower.

    ``formula`` and ``slope`` are f and f' as explanations and documents write them (a test compares them with the
    functions); ``jacobian`` is da/dz where it is not diagonal.  ``range`` contains all outputs, whatever the
    settings, which are ``own``.
    ``corners`` are the z where f' jumps, ``flat`` the intervals where f' is exactly 0.

    In a user's own row, f(z, **settings) is enough: `worked_out` adds the rest.
    """

    help: str
    f: Callable[..., Array]
    derivative: Callable[..., Array] = not_given
    formula: Written = not_given
    slope: Written = not_given
    range: Interval = (-INF, INF)
    own: Settings = field(default_factory=dict)
    product: Callable[..., Array] | None = None
    jacobian: Written | None = None
    corners: tuple[float, ...] = ()
    flat: tuple[Interval, ...] = ()
    is_monotone: bool = True
    is_rectifier: bool = False
    """Whether a unit with f' = 0 on every example is called dead, not saturated."""
    note: str = ""
    """What the documentation adds: conventions and sources."""

    @property
    def settings(self) -> Settings:
        """All settings, which are its own."""
        return self.own

    def backward(self, z: Array, a: Array, upstream: Array, **settings: Array) -> Array:
        """dL/dz from upstream = dL/da, which is overwritten."""
        if self.product is not None:
            return self.product(z, a, upstream, **settings)
        upstream *= self.derivative(z, a, **settings)
        return upstream

    @property
    def couples_units(self) -> bool:
        """Whether each output depends on the z of all units of the layer."""
        return self.jacobian is not None

    @property
    def has_gradient(self) -> bool:
        """Whether f' is nonzero anywhere, so that a network can learn through it."""
        return self.flat != ((-INF, INF),)

    @property
    def gives_probabilities(self) -> bool:
        return self.range == (0, 1)


_exp: Written = lambda z: Call("exp", z)
_tanh: Written = lambda z: Call("tanh", z)
_max0: Written = lambda z: Call("max", z, 0)
_min0: Written = lambda z: Call("min", z, 0)
_inside: Written = lambda z, low, high: (z > low) * (z < high)
written_sigmoid: Written = lambda z: 1 / (1 + _exp(-z))
_written_elu: Written = lambda z, alpha: _max0(z) + alpha * (_exp(_min0(z)) - 1)
_written_gate: Written = lambda z: _tanh(math.sqrt(2 / math.pi) * z * (1 + 0.044715 * z**2))
_written_inner: Written = lambda z: math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z**2)
_written_gelu_tanh_slope: Written = lambda z, a: (
    0.5 * (1 + _written_gate(z)) + 0.5 * z * (1 - _written_gate(z) ** 2) * _written_inner(z)
)
_written_mish_gate: Written = lambda z: _tanh(Call("log", 1 + _exp(z)))
_written_mish_slope: Written = lambda z, a: (
    _written_mish_gate(z) + z * (1 - _written_mish_gate(z) ** 2) * written_sigmoid(z)
)
_written_hardsigmoid: Written = lambda z: Call("clip", z / 6 + 0.5, 0, 1)
_ALPHA = {"alpha": number("scale of the negative side", above=0, letter="α")}

# fmt: off
ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation("z",
        lambda z, out=None: np.positive(z, out=out), lambda z, a: np.ones_like(z),
        lambda z: z, lambda z, a: Call("ones", z),
        product=lambda z, a, upstream: upstream),
    "sigmoid": Activation("1 / (1 + exp(-z)), from 0 to 1",
        fn.sigmoid, fn.sigmoid_derivative,
        written_sigmoid, lambda z, a: a * (1 - a),
        (0, 1), note="computed as (1 + tanh(z/2)) / 2: absolute error 1e-16, no overflow; exactly 0 below -37"),
    "tanh": Activation("from -1 to 1",
        lambda z, out=None: np.tanh(z, out=out), fn.tanh_derivative,
        _tanh, lambda z, a: 1 - a**2,
        (-1, 1)),
    "relu": Activation("max(z, 0)",
        lambda z, out=None: np.maximum(z, 0, out=out), lambda z, a: (z > 0).astype(z.dtype),
        _max0, lambda z, a: z > 0,
        (0, INF), product=lambda z, a, upstream: np.multiply(upstream, z > 0, out=upstream),
        corners=(0,), flat=((-INF, 0),), is_rectifier=True, note="f'(0) = 0"),
    "leaky_relu": Activation("z, and slope · z where z is negative",
        fn.leaky_relu, lambda z, a, *, slope: fn.one_sided(z, 1, slope),
        lambda z, slope: _max0(z) + slope * _min0(z), lambda z, a, slope: (z > 0) + slope * (z <= 0),
        own={"slope": number("slope of the negative side")}, corners=(0,), note="f'(0) = slope"),
    "elu": Activation("z, and alpha (exp(z) - 1) where z is negative",
        fn.elu, lambda z, a, *, alpha: fn.one_sided(z, 1, a + alpha),
        _written_elu, lambda z, a, alpha: (z > 0) + (a + alpha) * (z <= 0),
        own=_ALPHA, corners=(0,), note="f'(0) = α"),
    "celu": Activation("z, and alpha (exp(z / alpha) - 1) where z is negative",
        fn.celu, lambda z, a, *, alpha: fn.one_sided(z, 1, a / alpha + 1),
        lambda z, alpha: _max0(z) + alpha * (_exp(_min0(z) / alpha) - 1),
        lambda z, a, alpha: (z > 0) + (a / alpha + 1) * (z <= 0),
        own=_ALPHA, note="f'(0) = 1"),
    "selu": Activation("elu with the scales of Klambauer et al. (2017)",
        fn.selu, lambda z, a: fn.one_sided(z, fn.SELU_SCALE, a + fn.SELU_SCALE * fn.SELU_ALPHA),
        lambda z: fn.SELU_SCALE * _written_elu(z, fn.SELU_ALPHA),
        lambda z, a: fn.SELU_SCALE * (z > 0) + (a + fn.SELU_SCALE * fn.SELU_ALPHA) * (z <= 0),
        (-1.7581, INF), corners=(0,), note="f'(0) = 1.758 (Klambauer et al. 2017)"),
    "softplus": Activation("log(1 + exp(z)), a smooth relu",
        fn.softplus, lambda z, a: fn.sigmoid(z),
        lambda z: Call("log", 1 + _exp(z)), lambda z, a: written_sigmoid(z),
        (0, INF),
        note="as max(z, 0) + log(1 + exp(-abs(z))); no β, no switch to z above 20: softplus(25) = 25.0000000000139"),
    "softmax": Activation("probabilities that sum to 1 over the layer",
        fn.softmax, fn.sigmoid_derivative,
        lambda z: _exp(z) / Call("sum", _exp(z)), lambda z, a: a * (1 - a),
        (0, 1), product=fn.softmax_product, jacobian=lambda z, a: Call("diag", a) - a @ Call("T", a),
        note="shifted by the largest z; units are coupled, so δ_i = a_i (u_i - Σ_j u_j a_j), u = dL/da"),
    "gelu": Activation("z Φ(z), exact",
        lambda z, out=None: np.multiply(z, fn.normal_cdf(z), out=out), fn.gelu_derivative,
        lambda z: z * Call("Φ", z), lambda z, a: Call("Φ", z) + z * _exp(-(z**2) / 2) / math.sqrt(2 * math.pi),
        (-0.17, INF), is_monotone=False, note="Φ of the standard normal CDF, through erf (Hendrycks & Gimpel 2016)"),
    "gelu_tanh": Activation("z Φ(z), by the formula with tanh",
        fn.gelu_tanh, fn.gelu_tanh_derivative,
        lambda z: 0.5 * z * (1 + _written_gate(z)), _written_gelu_tanh_slope,
        (-0.1701, INF), is_monotone=False, note="differs from gelu by up to 5e-4"),
    "silu": Activation("z · sigmoid(z), also called swish",
        lambda z, out=None: np.multiply(fn.sigmoid(z, out), z, out=out), fn.silu_derivative,
        lambda z: z * written_sigmoid(z), lambda z, a: written_sigmoid(z) + a * (1 - written_sigmoid(z)),
        (-0.2785, INF), is_monotone=False, note="swish with β = 1"),
    "mish": Activation("z tanh(softplus(z))",
        fn.mish, fn.mish_derivative,
        lambda z: z * _written_mish_gate(z), _written_mish_slope,
        (-0.3089, INF), is_monotone=False, note="f'(0) = 0.6"),
    "softsign": Activation("z / (1 + |z|)",
        lambda z, out=None: np.divide(z, 1 + np.abs(z), out=out), lambda z, a: (1 / (1 + np.abs(z))) ** 2,
        lambda z: z / (1 + Call("abs", z)), lambda z, a: 1 / (1 + Call("abs", z)) ** 2,
        (-1, 1)),
    "relu6": Activation("z clipped to 0 … 6",
        lambda z, out=None: np.clip(z, 0, 6, out=out), lambda z, a: fn.between(z, 0, 6),
        lambda z: Call("clip", z, 0, 6), lambda z, a: _inside(z, 0, 6),
        (0, 6), corners=(0, 6), flat=((-INF, 0), (6, INF)), is_rectifier=True, note="f' is 0 at both corners"),
    "hardtanh": Activation("z clipped to -1 … 1",
        lambda z, out=None: np.clip(z, -1, 1, out=out), lambda z, a: fn.between(z, -1, 1),
        lambda z: Call("clip", z, -1, 1), lambda z, a: _inside(z, -1, 1),
        (-1, 1), corners=(-1, 1), flat=((-INF, -1), (1, INF)), note="f' is 0 at both corners"),
    "hardsigmoid": Activation("z / 6 + 1/2 clipped to 0 … 1",
        fn.hardsigmoid, lambda z, a: fn.between(z, -3, 3) / 6,
        _written_hardsigmoid, lambda z, a: _inside(z, -3, 3) / 6,
        (0, 1), corners=(-3, 3), flat=((-INF, -3), (3, INF)), note="f' is 0 at ±3; old Keras had 0.2 z + 1/2"),
    "hardswish": Activation("z · hardsigmoid(z)",
        lambda z, out=None: np.multiply(fn.hardsigmoid(z, out), z, out=out),
        lambda z, a: np.where(z < 3, (z > -3) * (z / 3 + 0.5), 1),
        lambda z: z * _written_hardsigmoid(z), lambda z, a: (z >= 3) + _inside(z, -3, 3) * (z / 3 + 0.5),
        (-0.375, INF), corners=(-3, 3), flat=((-INF, -3),), is_monotone=False, is_rectifier=True,
        note="f'(-3) = 0, f'(3) = 1"),
    "logsigmoid": Activation("log sigmoid(z)",
        fn.logsigmoid, lambda z, a: fn.sigmoid(-z),
        lambda z: -Call("log", 1 + _exp(-z)), lambda z, a: written_sigmoid(-z),
        (-INF, 0)),
    "step": Activation("1 where z is positive, else 0; its gradient is 0, so it requires epochs=0",
        lambda z, out=None: np.greater(z, 0, out=np.empty_like(z) if out is None else out),
        lambda z, a: np.zeros_like(z),
        lambda z: z > 0, lambda z, a: Number(0) * z,
        (0, 1), flat=((-INF, INF),), note="for display only: nothing learns through it"),
    "sin": Activation("sine",
        lambda z, out=None: np.sin(z, out=out), lambda z, a: np.cos(z),
        lambda z: Call("sin", z), lambda z, a: Call("cos", z),
        (-1, 1), is_monotone=False),
    "gaussian": Activation("exp(-z²)",
        lambda z, out=None: np.exp(-(z * z), out=out), lambda z, a: -2 * z * a,
        lambda z: _exp(-(z**2)), lambda z, a: -2 * (z * a),
        (0, 1), is_monotone=False),
}
# fmt: on
"""Name of an activation in a config to its row."""
