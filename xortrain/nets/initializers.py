"""Where training starts: each initializer turns one stream of random numbers per run into weights and biases.

`RandomState(seed)` gives one number for each parameter, in the order W1, b1, W2, b2, … of θ, used or not;
that stream and what each row makes of it never change, so a seed names the same network for ever.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from xortrain.nets import Array, Numbers
from xortrain.nets.network import Network


@dataclass(frozen=True)
class Fan:
    """Of the layer that is being filled: numbers a unit receives, units, and whether more layers follow."""

    into: int
    out: int
    hidden: bool
    first_activation: str


@dataclass(frozen=True)
class Initializer:
    """``weights(r, fan, **settings)`` and ``biases`` make parameters of r, the numbers drawn for them.

    r is uniform in [-1, 1), standard normal, or zeros if nothing is drawn; it is (fan_out, fan_in, runs) for
    weights, (fan_out, runs) for biases.
    """

    draw: Literal["uniform", "normal", "nothing"]
    weights: Callable[..., Array]
    biases: Callable[..., Array]
    settings: tuple[str, ...] = ()


def _zeros(r: Array, fan: Fan) -> Array:
    return np.zeros_like(r)


def _as_drawn(r: Array, fan: Fan) -> Array:
    return r


def _times(factor: Callable[[Fan], float]) -> Callable[..., Array]:
    return lambda r, fan: r * factor(fan)


def constant(r: Array, fan: Fan, *, value: Array) -> Array:
    return r + value


def uniform(r: Array, fan: Fan, *, low: Array, high: Array) -> Array:
    return low + (high - low) * (0.5 * (r + 1))


def normal(r: Array, fan: Fan, *, mean: Array, std: Array) -> Array:
    return mean + std * r


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


def _reach(fan: Fan) -> float:
    """β = 0.7 H^(1/n) for H hidden units of n inputs (Nguyen & Widrow 1990)."""
    return 0.7 * math.pow(fan.out, 1 / fan.into)


def nguyen_widrow(r: Array, fan: Fan) -> Array:
    """Rows of length β in random directions; the output layer has no such rule and gets U(-0.5, 0.5)."""
    if not fan.hidden:
        return 0.5 * r
    squares: Array = sum(np.moveaxis(r * r, 1, 0))  # one by one: np.sum adds in another order for a single run
    return r * (_reach(fan) / np.sqrt(squares[:, None]))


def nguyen_widrow_biases(r: Array, fan: Fan) -> Array:
    return r * (_reach(fan) if fan.hidden else 0.5)


def _sklearn(fan: Fan) -> float:
    return math.sqrt((2 if fan.first_activation == "sigmoid" else 6) / (fan.into + fan.out))


_torch = _times(lambda fan: math.sqrt(1 / fan.into))

INITIALIZERS: dict[str, Initializer] = {
    "zeros": Initializer("nothing", _zeros, _zeros),
    "constant": Initializer("nothing", constant, constant, ("value",)),
    "uniform": Initializer("uniform", uniform, uniform, ("low", "high")),
    "normal": Initializer("normal", normal, normal, ("mean", "std")),
    "xavier_uniform": Initializer("uniform", _times(lambda fan: math.sqrt(6 / (fan.into + fan.out))), _zeros),
    "xavier_normal": Initializer("normal", _times(lambda fan: math.sqrt(2 / (fan.into + fan.out))), _zeros),
    "he_uniform": Initializer("uniform", _times(lambda fan: math.sqrt(6 / fan.into)), _zeros),
    "he_normal": Initializer("normal", _times(lambda fan: math.sqrt(2 / fan.into)), _zeros),
    "lecun_uniform": Initializer("uniform", _times(lambda fan: math.sqrt(3 / fan.into)), _zeros),
    "lecun_normal": Initializer("normal", _times(lambda fan: math.sqrt(1 / fan.into)), _zeros),
    "torch_default": Initializer("uniform", _torch, _torch),
    "orthogonal": Initializer("normal", orthogonal, _zeros),
    "nguyen_widrow": Initializer("uniform", nguyen_widrow, nguyen_widrow_biases),
    "sklearn": Initializer("uniform", _times(_sklearn), _times(_sklearn)),
    "playground": Initializer("uniform", lambda r, fan: 0.5 * r, lambda r, fan: np.full_like(r, 0.1)),
    "randn": Initializer("normal", _as_drawn, _as_drawn),
    "explicit": Initializer("nothing", _zeros, _zeros),
}
"""Name of an initializer in a config to its row; `explicit` takes its numbers from the config."""


def initialize(
    network: Network,
    name: str,
    seeds: npt.NDArray[Any],
    dtype: npt.DTypeLike,
    settings: Numbers,
    scale: Array,
    weights: Mapping[str, Any] | None = None,
) -> Array:
    """θ (parameters, runs) for one seed a run; all parameters are multiplied by scale (runs,).

    Everything is worked out in float64 and rounded to dtype at the end.
    """
    row = INITIALIZERS[name]
    r = _draw(row.draw, network.size, seeds)
    if weights is None:
        theta = _shape(network, row, r, settings)
    else:
        given = {k: np.asarray(weights[k], np.float64)[..., None] for k in network.shapes}
        theta = network.join({k: np.broadcast_to(v, (*network.shapes[k], len(seeds))) for k, v in given.items()})
    return np.ascontiguousarray((theta * scale).astype(dtype))


def _draw(kind: str, size: int, seeds: npt.NDArray[Any]) -> Array:
    """(parameters, runs), each run's column from a stream of its own."""
    numbers = np.zeros((len(seeds), size))
    if kind == "nothing":
        return numbers.T
    stream = np.random.RandomState(0)
    draw = stream.random_sample if kind == "uniform" else stream.standard_normal
    for row, seed in zip(numbers, seeds.tolist(), strict=True):
        stream.seed(seed)
        row[:] = draw(size)
    if kind == "uniform":
        numbers *= 2
        numbers -= 1
    return np.ascontiguousarray(numbers.T)


def _shape(network: Network, row: Initializer, r: Array, settings: Numbers) -> Array:
    drawn = network.split(r)
    made = {}
    for k, (layer, into) in enumerate(zip(network.layers, network.fan_in, strict=True), start=1):
        fan = Fan(into, layer.units, k < len(network.layers), network.layers[0].activation)
        made[f"W{k}"] = row.weights(drawn[f"W{k}"], fan, **settings)
        if network.bias:
            made[f"b{k}"] = row.biases(drawn[f"b{k}"], fan, **settings)
    return network.join(made)
