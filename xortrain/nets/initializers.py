"""The initializers: each turns one stream of random numbers per run into weights and biases.

`RandomState(seed)` gives one number for each parameter, in the order W1, b1, W2, b2, … of θ, used or not.
Neither the stream nor the rows ever change, so a seed always gives the same network.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from xortrain.nets import Array, Numbers
from xortrain.nets.network import Network
from xortrain.nets.setting import Setting, Settings, number

SCALE = {"scale": number("factor of all initial parameters")}
START = {
    "set": Setting(
        "initial values of single parameters, set after everything else: init.set.W1.0.1 is W1[0, 1]",
        "entries",
        wording="numbers by parameter and place, as in init.set.W1.0.1=2",
        each=number("initial value of one parameter"),
    )
}


@dataclass(frozen=True, eq=False)
class Fan:
    """The layer to initialize: fan-in, units, whether it is hidden, and the activation of the first layer."""

    into: int
    out: int
    hidden: bool
    first_activation: str


Fill = Callable[..., Array]


@dataclass(frozen=True, eq=False)
class Initializer:
    """``weights(r, fan, **own)`` and ``biases`` turn r, the numbers drawn, into parameters.

    r is uniform in [-1, 1), standard normal, or zeros if nothing is drawn; it is (fan_out, fan_in, runs) for
    weights, (fan_out, runs) for biases.
    """

    help: str
    draw: Literal["uniform", "normal", "nothing"]
    weights: Fill
    biases: Fill = lambda r, fan, **own: np.zeros_like(r)
    own: Settings = field(default_factory=dict)
    takes_weights: bool = False
    """Whether the config gives the weights."""
    note: str = ""
    """What the documentation adds: conventions and sources."""

    @property
    def settings(self) -> Settings:
        """All settings: its own, the weights if the config gives them, the scale, and single values."""
        return {**self.own, **(WEIGHTS if self.takes_weights else {}), **SCALE, **START}


WEIGHTS = {
    "weights": Setting(
        "weights and biases by name, one row per unit: {W1: [[1, 1], [1, 1]], b1: [0, -1], …}; or a file with them",
        "weights",
        wording="a mapping of parameter names to numbers, or a file, .npz, .safetensors or .csv",
    )
}


def _zeros(r: Array, fan: Fan) -> Array:
    return np.zeros_like(r)


def _as_drawn(r: Array, fan: Fan) -> Array:
    return r


def _scaled(factor: Callable[[Fan], float]) -> Fill:
    return lambda r, fan: r * factor(fan)


def orthogonal(r: Array, fan: Fan) -> Array:
    """Orthonormal rows (columns, if there are more rows): Q of QR, with R's diagonal made positive."""
    matrices = np.moveaxis(r, -1, 0)
    if fan.out < fan.into:
        matrices = np.swapaxes(matrices, 1, 2)
    q, triangle = np.linalg.qr(matrices)
    q = q * np.where(np.diagonal(triangle, axis1=1, axis2=2) < 0, -1, 1)[:, None, :]
    if fan.out < fan.into:
        q = np.swapaxes(q, 1, 2)
    return np.moveaxis(q, 0, -1)


def _row_length(fan: Fan) -> float:
    """β = 0.7 H^(1/n) for H hidden units of n inputs (Nguyen & Widrow 1990)."""
    return 0.7 * math.pow(fan.out, 1 / fan.into)


def nguyen_widrow(r: Array, fan: Fan) -> Array:
    """Rows of length β in random directions; the rule is for hidden layers only, the output layer gets U(-0.5, 0.5)."""
    if not fan.hidden:
        return 0.5 * r
    squares: Array = sum(np.moveaxis(r * r, 1, 0))  # term by term: np.sum may add a single run in another order
    return r * (_row_length(fan) / np.sqrt(squares[:, None]))


def nguyen_widrow_biases(r: Array, fan: Fan) -> Array:
    return r * (_row_length(fan) if fan.hidden else 0.5)


def _sklearn_bound(fan: Fan) -> float:
    return math.sqrt((2 if fan.first_activation == "sigmoid" else 6) / (fan.into + fan.out))


_constant: Fill = lambda r, fan, *, value: r + value
_uniform: Fill = lambda r, fan, *, low, high: low + (high - low) * (0.5 * (r + 1))
_normal: Fill = lambda r, fan, *, mean, std: mean + std * r
_torch = _scaled(lambda fan: math.sqrt(1 / fan.into))

# fmt: off
INITIALIZERS: dict[str, Initializer] = {
    "randn": Initializer("RandomState(seed).randn for W1, b1, W2, b2, …", "normal", _as_drawn, _as_drawn,
        note="matrix by matrix, biases too"),
    "zeros": Initializer("all 0, for teaching: units stay equal", "nothing", _zeros, _zeros),
    "constant": Initializer("all the same value, for teaching", "nothing", _constant, _constant,
        {"value": number("the value")}),
    "uniform": Initializer("uniform between two values", "uniform", _uniform, _uniform,
        {"low": number("lower end"), "high": number("upper end")}),
    "normal": Initializer("normally distributed", "normal", _normal, _normal,
        {"mean": number("mean"), "std": number("standard deviation", 0)}),
    "xavier_uniform": Initializer("±√(6 / (fan_in + fan_out)), also called Glorot", "uniform",
        _scaled(lambda fan: math.sqrt(6 / (fan.into + fan.out))), _zeros, note="Glorot & Bengio (2010)"),
    "xavier_normal": Initializer("standard deviation √(2 / (fan_in + fan_out))", "normal",
        _scaled(lambda fan: math.sqrt(2 / (fan.into + fan.out))), _zeros, note="Keras truncates at 2 deviations"),
    "he_uniform": Initializer("±√(6 / fan_in), also called Kaiming", "uniform",
        _scaled(lambda fan: math.sqrt(6 / fan.into)), _zeros, note="He et al. (2015), fan_in"),
    "he_normal": Initializer("standard deviation √(2 / fan_in)", "normal", _scaled(lambda fan: math.sqrt(2 / fan.into)),
        _zeros),
    "lecun_uniform": Initializer("±√(3 / fan_in)", "uniform", _scaled(lambda fan: math.sqrt(3 / fan.into)), _zeros,
        note="LeCun et al. (1998)"),
    "lecun_normal": Initializer("standard deviation √(1 / fan_in)", "normal",
        _scaled(lambda fan: math.sqrt(1 / fan.into)), _zeros),
    "torch_default": Initializer("±1/√fan_in for weights and biases, PyTorch's Linear", "uniform", _torch, _torch),
    "orthogonal": Initializer("orthonormal rows", "normal", orthogonal, _zeros,
        note="Q of QR of normal numbers, R's diagonal positive; columns if there are more rows (Saxe et al. 2014)"),
    "nguyen_widrow": Initializer("hidden lines spread over the inputs (1990)", "uniform", nguyen_widrow,
        nguyen_widrow_biases,
        note="rows of length β = 0.7 H^(1/fan_in) for H hidden units, biases ±β; the output layer has ±1/2"),
    "sklearn": Initializer("scikit-learn's MLPClassifier", "uniform", _scaled(_sklearn_bound), _scaled(_sklearn_bound),
        note="±√(c / (fan_in + fan_out)), biases too; c = 2 if the first layer is sigmoid, else 6"),
    "playground": Initializer("TensorFlow Playground: ±1/2, biases 0.1", "uniform", lambda r, fan: 0.5 * r,
        lambda r, fan: np.full_like(r, 0.1)),
    "explicit": Initializer("the weights you give", "nothing", _zeros, _zeros, takes_weights=True),
}
# fmt: on
"""Name of an initializer in a config to its row."""


def initialize(
    network: Network, name: str, seeds: Array, dtype: "np.typing.DTypeLike", settings: Numbers, scale: Array,
    weights: Mapping[str, Array] | None = None,
) -> Array:  # fmt: skip
    """θ (parameters, runs) for one seed per run; all parameters are multiplied by scale (runs,).

    ``settings`` (runs,) are the row's own, ``weights`` (*shape, runs) by name those that the user gives.
    Everything is computed in float64 and rounded to dtype at the end.
    """
    row = INITIALIZERS[name]
    drawn = _draw(row.draw, network.size, seeds)
    theta = _fill(network, row, drawn, settings) if weights is None else network.join(weights)
    return np.ascontiguousarray((theta * scale).astype(dtype))


def _draw(kind: str, size: int, seeds: Array) -> Array:
    """The numbers drawn, (parameters, runs); each run has its own stream."""
    if kind == "nothing":
        return np.zeros((size, len(seeds)))
    from xortrain.machine.draws import draw_runs

    if kind == "normal":
        return draw_runs("standard_normal", seeds, size)
    return draw_runs("random_sample", seeds, size) * 2 - 1


def _fill(network: Network, row: Initializer, r: Array, settings: Numbers) -> Array:
    drawn = network.split(r)
    made = {}
    for k, (layer, into) in enumerate(zip(network.layers, network.fan_in, strict=True), start=1):
        fan = Fan(into, layer.units, k < len(network.layers), network.layers[0].activation)
        made[f"W{k}"] = row.weights(drawn[f"W{k}"], fan, **settings)
        if network.bias:
            made[f"b{k}"] = row.biases(drawn[f"b{k}"], fan, **settings)
    return network.join(made)
