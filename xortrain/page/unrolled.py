"""Unrolls small networks: their outputs and one update of a full batch as straight JavaScript without inner loops.

It is the step of `nets.network`, run on symbols: forward, the loss's delta, backward, the optimizer's update.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from xortrain.nets.losses import Criterion
from xortrain.nets.network import Layer, Network, Pass
from xortrain.nets.optimizers import OPTIMIZERS
from xortrain.page.expressions import statements
from xortrain.symbols import Graph, Symbolic
from xortrain.training.learner import Descent
from xortrain.training.task import Task

MOST_PARAMETERS, MOST_EXAMPLES = 60, 8
MOST_CHARACTERS = 16_000
"""What all of it may take together."""

Lines = Sequence[str]


def unrolled(tasks: Iterable[Task], most: int = MOST_CHARACTERS) -> dict[str, dict[str, Lines]]:
    """OUTPUTS by the shape of a network, and UPDATES by that shape, loss, optimizer and number of examples.

    What would take more than ``most`` characters with what is before it is left out.
    """
    tables: dict[str, dict[str, Lines]] = {"OUTPUTS": {}, "UPDATES": {}}
    left = most
    for table, key, write in _functions(tasks):
        if key in tables[table]:
            continue
        lines = write()
        size = len(key) + sum(map(len, lines))
        if size <= left:
            tables[table][key] = lines
            left -= size
    return tables


def _functions(tasks: Iterable[Task]) -> Iterator[tuple[str, str, Callable[[], Lines]]]:
    """The table and the key of each function that tasks may use, and what writes it."""
    for task in (part for whole in tasks for part in (*(stage.task for stage in whole.stages), whole)):
        if task.network.size > MOST_PARAMETERS:
            continue
        for network in (task.network, _last_layer(task.network)):
            yield "OUTPUTS", shape_key(network), partial(_outputs, network)
        if task.batch_size is None and not task.freeze and task.lr.ndim == 1 and len(task.data.x) <= MOST_EXAMPLES:
            for options in _options_in_use(task):
                yield "UPDATES", update_key(task, options), partial(_update, task, options)


def _last_layer(network: Network) -> Network:
    """The last layer alone, as the picture of what it receives has it."""
    return replace(network, inputs=network.fan_in[-1], layers=network.layers[-1:], skip=False)


def shape_key(network: Network) -> str:
    """The key of a network in OUTPUTS, which network.js knows."""
    layers = [[layer.units, layer.activation] for layer in network.layers]
    return json.dumps([network.inputs, layers, network.bias, network.skip], separators=(",", ":"))


def update_key(task: Task, options: Sequence[str]) -> str:
    """The key of a task in UPDATES, which training.js knows."""
    criterion, settings = (
        task.criterion,
        (name for name in options if OPTIMIZERS[task.optimizer.name].settings[name].optional),
    )
    smoothed = str(_is_smoothed(criterion)).lower()
    own = (criterion.loss, criterion.reduction, smoothed, task.optimizer.name, *settings, str(len(task.data.x)))
    return " ".join([shape_key(task.network), *own])


def _is_smoothed(criterion: Criterion) -> bool:
    return bool(np.any(criterion.settings.get("label_smoothing", 0)))


def _options_in_use(task: Task) -> list[tuple[str, ...]]:
    """The settings of the optimizer that runs use, each combination once: optional ones only where they are not 0."""
    row, settings = OPTIMIZERS[task.optimizer.name], task.optimizer.settings
    runs = range(task.runs)
    used = {tuple(name for name in settings if not row.settings[name].optional or settings[name][run]) for run in runs}
    return sorted(used)


class Names(dict[Any, str]):
    """The names of inputs in JavaScript."""

    def symbols(self, names: Any) -> Any:
        """New inputs with these names, in an array of the same shape."""
        symbols = Symbolic.inputs(*np.shape(names))
        self.update(zip(symbols.nodes.ravel(), np.ravel(names), strict=True))
        return symbols

    def settings(self, path: str, names: Iterable[str]) -> dict[str, Any]:
        return {name: self.symbols([f"{path}.{name}"]) for name in names}


def _symbolic(network: Network, names: Names) -> Network:
    layers = (
        Layer(layer.units, layer.activation, names.settings(f"layers[{k}]", layer.settings))
        for k, layer in enumerate(network.layers)
    )
    return replace(network, layers=tuple(layers))


def _column(names: Sequence[str]) -> Any:
    return np.array(names, object)[:, None]


def _place(count: int, k: int) -> str:
    """The place of number k of ``count`` of point n."""
    return " + ".join(["n" if count == 1 else f"{count} * n", *([str(k)] if k else [])])


def _outputs(network: Network) -> Lines:
    """The outputs of all units for many points, in `out`, an array (points, units) for each layer."""
    names = Names()
    net = _symbolic(network, names)
    theta = names.symbols(_column([f"theta[{k}]" for k in range(network.size)]))
    x = names.symbols([[f"x[{_place(network.inputs, i)}]" for i in range(network.inputs)]])
    walk: Any = Pass(net, theta, x, empty=Symbolic.empty)  # type: ignore[arg-type]
    walk.forward()
    targets = {
        f"a{k}[{_place(a.shape[1], unit)}]": node
        for k, a in enumerate(walk.a)
        for unit, node in enumerate(a.nodes[0, :, 0])
    }
    arrays = ", ".join(f"a{k}" for k in range(len(network.layers)))
    body = statements(Graph(names, x.nodes.ravel()), "let n = 0; n < points; n++", targets)
    return _function("theta, x, out, layers, points", [f"const [{arrays}] = out;", *body, "return out;"])


def _update(task: Task, options: Sequence[str]) -> Lines:
    """Some epochs of updates by all examples, with theta and the optimizer's state in variables meanwhile."""
    names = Names()
    net = _symbolic(task.network, names)
    examples, inputs = task.data.x.shape[:2]
    x = names.symbols([[f"x[{n}][{i}]" for i in range(inputs)] for n in range(examples)])
    t = names.symbols([[[f"t[{n}][{k}]"] for k in range(net.outputs)] for n in range(examples)])
    lr = names.symbols(["lr"])
    descent = Descent(task, names.settings("own", options))
    variables = Names()
    theta = variables.symbols(_column([f"theta{k}" for k in range(net.size)]))
    state = {
        key: variables.symbols(_column([f"{key}{k}" for k in range(net.size)]) if value.ndim == 2 else [key])
        for key, value in descent.start(theta, lr).items()
    }
    criterion = _criterion(task.criterion, net, names)
    walk: Any = Pass(net, theta.copy(), x, empty=Symbolic.empty)  # type: ignore[arg-type]
    walk.forward()
    g: Any = walk.backward(criterion.delta(walk.z[-1], walk.y, t))
    descent.update(walk.theta, g, state, lr, walk.theta[descent.frozen])
    changed = {"theta": walk.theta, **state}
    targets = {name: node for key, value in changed.items() for name, node in _named(key, value)}
    body = statements(Graph(names | variables, variables), "let k = 0; k < epochs; k++", targets)
    places = {
        name: (
            f"{'' if key == 'theta' else 'state.'}{key}" + (f"[{name.removeprefix(key)}]" if value.ndim == 2 else "")
        )
        for key, value in changed.items()
        for name, _ in _named(key, value)
    }
    read = [f"let {', '.join(f'{name} = {place}' for name, place in places.items())};"]
    write = [f"{place} = {name};" for name, place in places.items()]
    return _function("theta, x, t, lr, state, [layers, loss, own], epochs", [*read, *body, *write])


def _named(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    nodes = value.nodes.ravel()
    yield from ((f"{key}{k}", node) for k, node in enumerate(nodes)) if value.ndim == 2 else [(key, nodes[0])]


def _criterion(criterion: Criterion, net: Network, names: Names) -> Criterion:
    used = [*criterion.own, *(["label_smoothing"] if _is_smoothed(criterion) else [])]
    last = net.layers[-1]
    return Criterion(criterion.loss, last.activation, names.settings("loss", used), last.settings, criterion.reduction)


def _function(arguments: str, lines: Lines) -> Lines:
    return [f"({arguments}) => {{", *(f"  {line}" for line in lines), "},"]
