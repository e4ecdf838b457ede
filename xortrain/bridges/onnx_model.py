"""A trained network as an ONNX model: from the user's own columns to the numbers that `xortrain predict` prints.

The forward pass of `nets.network` is run on symbols, as a network with one unit in each layer that stands for all of
them: its only weight from layer to layer is the whole matrix.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import IO, Any

import numpy as np

from xortrain.bridges.model import Model
from xortrain.bridges.onnx_operators import IR_VERSION, OPSET, NetWriter
from xortrain.errors import needed
from xortrain.nets.datasets import Scaling
from xortrain.nets.network import Layer, Network, Pass
from xortrain.symbols import Node, Symbolic, node_of

INPUT, OUTPUT = "x", "y"


def write_onnx(model: Model, file: IO[bytes]) -> None:
    """A model from x (examples, inputs), not scaled, to y (examples, outputs), in the dtype of the training."""
    onnx = needed("onnx", "onnx", ".onnx")
    helper, from_array = onnx.helper, onnx.numpy_helper.from_array
    writer = operators_of(model)

    def plain(value: Any) -> Any:
        return helper.np_dtype_to_tensor_dtype(value) if isinstance(value, np.dtype) else value

    nodes = [
        helper.make_node(operator, inputs, [output], **{key: plain(value) for key, value in attributes.items()})
        for operator, inputs, output, attributes in writer.nodes
    ]
    ends = [
        helper.make_tensor_value_info(name, plain(model.dtype), ["examples", columns])
        for name, columns in ((INPUT, model.network.inputs), (OUTPUT, model.network.outputs))
    ]
    arrays = [from_array(np.array(values, order="C"), name) for name, values in writer.arrays.items()]
    graph = helper.make_graph(nodes, "xortrain", ends[:1], ends[1:], arrays)
    made = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="xortrain"
    )
    helper.set_model_props(made, model.texts)
    onnx.checker.check_model(made)
    file.write(made.SerializeToString())


def operators_of(model: Model) -> NetWriter:
    """The nodes of the whole way from inputs to outputs."""
    writer, names, weights = NetWriter(model.dtype), dict[Node, str](), dict[Node, str]()
    block = _block(model.network, writer, names)
    theta = _parameters(model, block, writer, names, weights)
    x: Any = Symbolic.inputs(1, 1)
    names[node_of(x)] = INPUT

    def write(symbols: Any, of: str, unit: Sequence[Node] = ()) -> None:
        node = node_of(symbols)
        names[node] = writer.write(node, names, weights, of, unit)

    scaled = _scaling(model.scaling.inputs, "x", writer, names).scaled(x)
    if scaled is not x:
        write(scaled, "data.scale")
    walk: Any = Pass(block, theta, scaled, empty=Symbolic.empty)  # type: ignore[arg-type]
    walk.forward()
    for k, layer in enumerate(block.layers):
        what = "output" if k + 1 == len(block.layers) else "activation"
        write(walk.z[k], what)
        write(walk.a[k], f"{what}={layer.activation}", [node_of(walk.z[k])])
    last = walk.y[..., 0]
    result: Any = _scaling(model.scaling.targets, "y", writer, names).unscaled(last)
    if result is not last:
        write(result, "data.scale")
    writer.node("Identity", [names[node_of(result)]], OUTPUT)
    return writer


def _block(network: Network, writer: NetWriter, names: dict[Node, str]) -> Network:
    """The network of one unit a layer, with symbols as the settings of its activations."""
    layers = list[Layer]()
    for k, layer in enumerate(network.layers, start=1):
        settings: Any = {name: Symbolic.inputs(1) for name in layer.settings}
        for name, symbol in settings.items():
            names[node_of(symbol)] = writer.array(f"layer{k}.{name}", layer.settings[name][0])
        layers.append(Layer(1, layer.activation, settings))
    return replace(network, inputs=1, layers=tuple(layers))


def _parameters(
    model: Model, block: Network, writer: NetWriter, names: dict[Node, str], weights: dict[Node, str]
) -> Any:  # fmt: skip
    """θ of the network of one unit a layer; each of its symbols stands for a matrix, or for all biases of a layer."""
    theta: Any = Symbolic.inputs(block.size, 1)
    symbols: Any
    for name, symbols in block.split(theta).items():
        nodes = symbols.nodes.ravel()
        table = weights if name.startswith("W") else names
        parts = _columns(model.parameters[name], len(nodes), model.network.inputs)
        for node, (end, part) in zip(nodes, parts, strict=True):
            table[node] = writer.array(f"{name}{end}", part)
    return theta


def _columns(values: Any, count: int, inputs: int) -> list[tuple[str, Any]]:
    """The matrices from what a layer receives, with the ends of their names: the units before it, the inputs, or both.

    Biases are one array.
    """
    if count == 1:
        return [("", values)]
    return [("[units]", values[:, :-inputs]), ("[inputs]", values[:, -inputs:])]


def _scaling(scaling: Scaling, of: str, writer: NetWriter, names: dict[Node, str]) -> Scaling:
    """The same scaling of symbols."""
    if scaling.fitted is None:
        return scaling
    symbols: Any = [Symbolic.inputs(1) for _ in scaling.fitted]
    for end, symbol, values in zip(("shift", "factor"), symbols, scaling.fitted, strict=True):
        names[node_of(symbol)] = writer.array(f"{of}.{end}", values)
    return Scaling((symbols[0], symbols[1]))
