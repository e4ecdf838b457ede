"""A trained network as a module of PyTorch, which can continue to train it.

Importing this module imports PyTorch.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from torch import nn

from xortrain.errors import UserError, cut
from xortrain.nets import Array
from xortrain.nets.datasets import DataScaling
from xortrain.nets.network import Layer, Network
from xortrain.symbols import Symbolic, name_of, node_of
from xortrain.symbols.protocol import Operation
from xortrain.symbols.slopes import as_function

OTHER_NAMES = {"power": "pow", "bitwise_and": "logical_and", "bitwise_or": "logical_or"}
"""Functions of NumPy that PyTorch calls otherwise, or has for whole numbers only."""


class RowFunction(nn.Module):  # type: ignore[misc]
    """An activation that PyTorch lacks: the operations that its row makes of one unit, on tensors."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        z = Symbolic.inputs(1, 1, 1)
        self.z, self.a = node_of(z), node_of(layer.row.f(z, **layer.settings))
        self(torch.zeros(1, 1))

    def forward(self, z: Any) -> Any:
        return as_function(self.a, [self.z], _of_torch)(z)


def _of_torch(operation: Operation) -> Operation:
    """The function of PyTorch for one of NumPy; true and false are 1 and 0, in the dtype of its tensors."""
    function = getattr(torch, OTHER_NAMES.get(name_of(operation), name_of(operation)))

    def of_tensors(*given: Any) -> Any:
        dtype = next(one.dtype for one in given if isinstance(one, torch.Tensor))
        arguments = [torch.as_tensor(one, dtype=dtype) for one in given]
        if operation is np.where:
            arguments[0] = arguments[0].bool()
        return function(*arguments).to(dtype)

    return of_tensors


class Affine(nn.Module):  # type: ignore[misc]
    """x · factor + shift for each column; both are kept in the state, and not trained."""

    def __init__(self, factor: Array, shift: Array) -> None:
        super().__init__()
        self.register_buffer("factor", torch.tensor(factor))
        self.register_buffer("shift", torch.tensor(shift))

    def forward(self, x: Any) -> Any:
        return x * self.factor + self.shift


class WithInputs(nn.Module):  # type: ignore[misc]
    """The outputs of some layers, and after them the inputs, as architecture=skip connects them."""

    def __init__(self, layers: Any) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: Any) -> Any:
        return torch.cat([self.layers(x), x], dim=-1)


ALWAYS_SMOOTH = 40.0  # from here log(1 + exp(z)) is z in float64; PyTorch's own threshold is 20, an error of 2e-9
ACTIVATION_MODULES: dict[str, Callable[..., Any]] = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": lambda slope: nn.LeakyReLU(slope),
    "elu": lambda alpha: nn.ELU(alpha),
    "celu": lambda alpha: nn.CELU(alpha),
    "selu": nn.SELU,
    "softplus": lambda: nn.Softplus(threshold=ALWAYS_SMOOTH),
    "softmax": lambda: nn.Softmax(dim=-1),
    "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU("tanh"),
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "softsign": nn.Softsign,
    "relu6": nn.ReLU6,
    "hardtanh": nn.Hardtanh,
    "hardsigmoid": nn.Hardsigmoid,
    "hardswish": nn.Hardswish,
    "logsigmoid": nn.LogSigmoid,
}
"""Name of an activation to its module, from its settings; the others are `RowFunction`."""


def as_sequential(network: Network, parameters: Mapping[str, Array], scaling: DataScaling) -> Any:
    """A torch.nn.Sequential from inputs to outputs, both unscaled, with these parameters of one run, in their dtype.

    Where the data are scaled, it begins and ends with an `Affine`.
    """
    layers = [_layer(layer, k, parameters) for k, layer in enumerate(network.layers, start=1)]
    if network.skip:
        hidden = nn.Sequential(*(module for pair in layers[:-1] for module in pair))
        layers = [[WithInputs(hidden)], layers[-1]]
    modules = [module for pair in layers for module in pair]
    if scaling.inputs.fitted:
        shift, factor = scaling.inputs.fitted
        modules.insert(0, Affine(1 / factor, -shift / factor))
    if scaling.targets.fitted:
        shift, factor = scaling.targets.fitted
        modules.append(Affine(factor, shift))
    return nn.Sequential(*modules)


def _layer(layer: Layer, k: int, parameters: Mapping[str, Array]) -> list[Any]:
    """The linear module and the activation of layer k."""
    W, b = parameters[f"W{k}"], parameters.get(f"b{k}")
    weight = torch.tensor(W)
    linear = nn.utils.skip_init(nn.Linear, W.shape[1], W.shape[0], bias=b is not None, dtype=weight.dtype)
    linear.weight = nn.Parameter(weight)
    if b is not None:
        linear.bias = nn.Parameter(torch.tensor(b))
    return [linear, _activation(layer)]


def _activation(layer: Layer) -> Any:
    make = ACTIVATION_MODULES.get(layer.activation)
    if make:
        return make(**{name: float(value[0]) for name, value in layer.settings.items()})
    if not layer.row.couples_units:
        with suppress(Exception):  # whatever a row of the user's own does
            return RowFunction(layer)
    raise UserError(f"activation={cut(layer.activation)}: cannot be written with functions of PyTorch")
