"""A network of fully connected layers: from inputs to outputs, and from the loss back to every weight.

x are inputs, W_k and b_k the weights and biases of layer k, z_k = W_k a_{k-1} + b_k its pre-activations,
a_k = f_k(z_k) its outputs, y = a_K those of the network, L the loss, δ_k = dL/dz_k.  θ is all parameters in one
array, in the order W1, b1, W2, b2, …
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from xortrain.nets import Array, Numbers
from xortrain.nets.activations import ACTIVATIONS, Activation
from xortrain.nets.contraction import contraction
from xortrain.nets.setting import Setting, Settings, flag


@dataclass(frozen=True, eq=False)
class Architecture:
    """How layers are connected; with ``skip`` the inputs also feed the outputs."""

    help: str
    skip: bool

    @property
    def settings(self) -> Settings:
        return {
            "hidden": Setting(
                "units of each hidden layer", "wholes", 1, 4096, wording="a list of layer widths, each from 1 to 4096"
            ),
            "bias": flag("whether units have a bias"),
            "activations": Setting(
                "one for each hidden layer, as in [relu,{name: leaky_relu, slope: 0.5}]; null: `activation` for all",
                "free",
                wording="null or a list of activations, one for each hidden layer",
            ),
        }


ARCHITECTURES: dict[str, Architecture] = {
    "mlp": Architecture("layers, each fully connected to the next", skip=False),
    "skip": Architecture("the inputs also feed the outputs", skip=True),
}
"""Name of an architecture in a config to its row."""


@dataclass(frozen=True)
class Layer:
    """Units that share an activation; its settings are arrays (runs,), as in {"slope": …}."""

    units: int
    activation: str
    settings: Numbers = field(default_factory=dict)

    @property
    def row(self) -> Activation:
        """The row of its activation."""
        return ACTIVATIONS[self.activation]


@dataclass(frozen=True)
class Network:
    """The shape of a network; its parameters are passed to each call as θ (parameters, *runs).

    With ``skip`` the last layer also receives the inputs, after the units of the last hidden layer: its weights
    are (outputs, hidden + inputs), as in the 2-1-1 net of Rumelhart, Hinton & Williams (1986).
    """

    inputs: int
    layers: tuple[Layer, ...]
    bias: bool = True
    skip: bool = False

    @cached_property
    def fan_in(self) -> tuple[int, ...]:
        """The fan-in of each layer."""
        widths = [self.inputs, *(layer.units for layer in self.layers[:-1])]
        if self.skip:
            widths[-1] += self.inputs
        return tuple(widths)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Parameter names with their shapes, in their order in θ: W_k (fan_out, fan_in), b_k (fan_out,)."""
        shapes: dict[str, tuple[int, ...]] = {}
        for k, (layer, fan_in) in enumerate(zip(self.layers, self.fan_in, strict=True), start=1):
            shapes[f"W{k}"] = (layer.units, fan_in)
            if self.bias:
                shapes[f"b{k}"] = (layer.units,)
        return shapes

    @cached_property
    def size(self) -> int:
        """The number of parameters."""
        return sum(prod(shape) for shape in self.shapes.values())

    @cached_property
    def are_weights(self) -> Array:
        """Which parameters are weights, (parameters, 1); the others are biases."""
        return np.repeat([name[0] == "W" for name in self.shapes], [prod(s) for s in self.shapes.values()])[:, None]

    @property
    def outputs(self) -> int:
        return self.layers[-1].units

    @property
    def is_linear(self) -> bool:
        """Whether no hidden layer is nonlinear: such a network separates by one line (or plane), whatever its depth."""
        return all(layer.activation == "identity" for layer in self.layers[:-1])

    def split(self, theta: Array) -> dict[str, Array]:
        """Views of θ (parameters, *runs) by name: W_k (fan_out, fan_in, *runs), b_k (fan_out, *runs)."""
        views, start = {}, 0
        for name, shape in self.shapes.items():
            stop = start + prod(shape)
            views[name] = theta[start:stop].reshape(*shape, *theta.shape[1:])
            start = stop
        return views

    def join(self, parameters: Mapping[str, Any]) -> Array:
        """θ from parameters by name, the inverse of `split`."""
        arrays = [np.asarray(parameters[name]) for name in self.shapes]
        runs = arrays[0].shape[2:]
        return np.concatenate([array.reshape(-1, *runs) for array in arrays])

    def take(self, runs: Any) -> "Network":
        """The network of some of the runs."""
        layers = (
            replace(layer, settings={name: value[runs] for name, value in layer.settings.items()})
            for layer in self.layers
        )
        return replace(self, layers=tuple(layers))

    def forward(self, theta: Array, x: Array) -> "Pass":
        """A forward pass of x (examples, inputs[, runs]) in new buffers; `.y` has the outputs."""
        result = Pass(self, theta, x)
        result.forward()
        return result

    def __str__(self) -> str:
        widths = "-".join(str(n) for n in (self.inputs, *(layer.units for layer in self.layers)))
        names = dict.fromkeys(layer.activation for layer in self.layers[:-1] or self.layers)
        return f"{widths} {'/'.join(names)}{' with skip' if self.skip else ''}"


class Pass:
    """The buffers of forward and backward passes over x, reused by the next pass.

    ``W``, ``b`` and ``dW``, ``db`` are views of θ and of its gradient ``g``: an optimizer that changes θ in
    place changes the next pass.  x is (examples, inputs) if all runs share it, else (examples, inputs,
    runs); ``z`` and ``a`` are (examples, units, *runs), layer by layer.  ``empty`` allocates every buffer:
    ``empty(shape, dtype)``.
    """

    def __init__(self, network: Network, theta: Array, x: Array, empty: Callable[..., Array] | None = None) -> None:
        empty = empty or np.empty
        self.network, self.theta, self.g = network, theta, empty(theta.shape, theta.dtype)
        parameters, gradients = network.split(theta), network.split(self.g)
        depth = range(1, len(network.layers) + 1)
        self.W = [parameters[f"W{k}"] for k in depth]
        self.dW = [gradients[f"W{k}"] for k in depth]
        self.b = [parameters.get(f"b{k}") for k in depth]
        self.db = [gradients.get(f"b{k}") for k in depth]
        self._sums = [contraction(theta, len(x), W.shape[1], W.shape[0]) for W in self.W]
        self._activations = [(layer.row, layer.settings) for layer in network.layers]
        examples, runs, dtype = len(x), theta.shape[1:], theta.dtype
        self.z, self.a = ([empty((examples, layer.units, *runs), dtype) for layer in network.layers] for _ in "za")
        widths = [network.inputs, *(layer.units for layer in network.layers)]
        self._W_back = [W[:, :width] for W, width in zip(self.W, widths, strict=False)]  # without the skip connection
        self._back = [empty(z.shape, dtype) for z in self.z[:-1]]
        self._received: list[Array] = [x, *self.a[:-1]]  # by each layer
        if network.skip:
            wide = empty((examples, network.fan_in[-1], *runs), dtype)
            self.a[-2] = wide[:, : -network.inputs]
            self._received[-1] = wide
        self.x = x

    @property
    def x(self) -> Array:
        return self._received[0]

    @x.setter
    def x(self, x: Array) -> None:
        self._received[0] = self._as_in(0, x)
        if self.network.skip:
            missing = self.z[0].ndim - x.ndim
            self._received[-1][:, -self.network.inputs :] = x[(..., *[None] * missing)]

    def _as_in(self, layer: int, values: Array) -> Array:
        """Values as a layer takes them."""
        return values

    @property
    def y(self) -> Array:
        """The outputs (examples, outputs, *runs)."""
        return self.a[-1]

    def forward(self) -> Array:
        """z_k = W_k a_{k-1} + b_k,  a_k = f_k(z_k);  returns y."""
        for (activation, settings), sums, received, W, b, z, a in zip(
            self._activations, self._sums, self._received, self.W, self.b, self.z, self.a, strict=True
        ):
            sums.outputs(received, W, z)
            if b is not None:
                np.add(z, b, z)
            activation.f(z, a, **settings)
        return self.a[-1]

    def backward(self, delta: Array) -> Array:
        """From δ_K = dL/dz_K (examples, outputs, *runs) to the gradient g (parameters, *runs).

        dL/dW_k = Σ_n δ_k a_{k-1}        dL/db_k = Σ_n δ_k
        dL/da_{k-1} = Σ_o W_k δ_k        δ_{k-1} = dL/da_{k-1} · f'_{k-1}(z_{k-1})
        """
        for k in reversed(range(len(self.W))):
            self._sums[k].gradient(delta, self._received[k], self.dW[k])
            if (db := self.db[k]) is not None:
                np.add.reduce(delta, axis=0, out=db)
            if k:
                delta = self.delta(k - 1, self.upstream(k, delta, self._back[k - 1]))
        return self.g

    def delta(self, k: int, upstream: Array) -> Array:
        """δ_k of layer k (counted from 0) from dL/da_k, which is overwritten."""
        activation, settings = self._activations[k]
        return activation.backward(self.z[k], self.a[k], upstream, **settings)

    def upstream(self, k: int, delta: Array, out: Array | None = None) -> Array:
        """dL/da_{k-1} from δ_k of layer k (counted from 0), through the weights of the units before it."""
        return self._sums[k].upstream(delta, self._W_back[k], out)

    def to_inputs(self, first: Array, last: Array) -> Array:
        """dL/dx (examples, inputs, *runs) from the δ of the first layer and, with skip, of the last."""
        through = self.upstream(0, first)
        if self.network.skip:
            through += self._sums[-1].upstream(last, self.W[-1][:, -self.network.inputs :], None)
        return through


def at_least_two(runs: Array) -> Array:
    """Indices of runs; a single index is repeated.

    A sum over arrays whose last axis has length 1 may add in another order: a single run is computed beside a copy
    of itself, so that it has the same bits as in any sweep.
    """
    return runs if len(runs) != 1 else runs[[0, 0]]


def jacobian(layer: Layer, z: Array, a: Array) -> Array:
    """da/dz of one layer: (examples, units, units) for z and a (examples, units) of one run."""
    rows: Sequence[Array] = [
        layer.row.backward(z, a, np.broadcast_to(unit, z.shape).copy(), **layer.settings)
        for unit in np.eye(z.shape[1], dtype=z.dtype)
    ]
    return np.stack(rows, axis=1)
