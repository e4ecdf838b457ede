"""Generates the mathematics of the page: the tables of NumPy functions, run on symbols, as JavaScript.

No formula is written twice.  A function of units works on all units of a layer at once, in arrays, as softmax couples
them; settings are numbers by name.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from xortrain.config.settings import OWN, defaults_of
from xortrain.errors import UserError
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.losses import LOSSES
from xortrain.nets.optimizers import OPTIMIZERS, SCHEDULES, SHAPING, shape_gradient
from xortrain.nets.setting import numbers
from xortrain.page.expressions import UNITS, Scope, statements
from xortrain.page.unrolled import MOST_CHARACTERS, unrolled
from xortrain.records.groups import wilson
from xortrain.symbols import Graph, Node, Symbolic, node_of
from xortrain.training.task import Task

Lines = Sequence[str]
_WRITTEN = dict[tuple[str, str], tuple[object, Lines]]()  # rows, by group and name, with their lines


def mathematics(tasks: Iterable[Task] = (), most: int = MOST_CHARACTERS) -> str:
    """A module of JavaScript with every table, and the unrolled update and outputs of tasks that are small enough."""
    tasks = list(tasks)
    needed = {name for task in tasks for name in _rows_of(task)}
    tables: dict[str, dict[str, Lines]] = {
        "ACTIVATIONS": _table("activation", ACTIVATIONS, _activation, needed),
        "LOSSES": _table("loss", LOSSES, _loss, needed),
        "OPTIMIZERS": _table("optimizer", OPTIMIZERS, _optimizer, needed),
        "SCHEDULES": _table("schedule", SCHEDULES, _schedule, needed),
        **unrolled(tasks, most),
    }
    written = (f"export const {name} = {{\n{_indented(_rows(rows))}\n}};\n" for name, rows in tables.items())
    head = (
        '/** Generated from the tables of xortrain.nets. */\n\nimport { erf, floorDivide, tanh } from "./special.js";\n'
    )
    return "\n".join([head, *written, _gradient(), _interval()])


def _rows_of(task: Task) -> Iterator[str]:
    """The rows that a task computes with, as in activation/tanh."""
    yield from (f"activation/{layer.activation}" for layer in task.network.layers)
    for one in (task, *(stage.task for stage in task.stages)):
        yield from (f"loss/{one.criterion.loss}", f"optimizer/{one.optimizer.name}", f"schedule/{one.schedule.name}")


def _table(
    group: str, rows: Mapping[str, object], write: Callable[[str], Lines], needed: Collection[str]
) -> dict[str, Lines]:
    """A table of rows; without those of a user's own that no JavaScript can be made of, unless they are needed."""
    found = dict[str, Lines]()
    for name, row in rows.items():
        try:
            if (known := _WRITTEN.get((group, name))) is None or known[0] is not row:
                known = _WRITTEN[group, name] = row, write(name)
            found[name] = known[1]
        except Exception as error:
            if f"{group}/{name}" not in OWN:
                raise
            if f"{group}/{name}" in needed:
                raise UserError(f"page: {group}={name} cannot run in a browser, because of {error}") from None
    return found


def _rows(rows: Mapping[str, Lines]) -> list[str]:
    return [line for name, lines in rows.items() for line in (f"{_key(name)}: {lines[0]}", *lines[1:])]


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


def _object(*parts: Lines) -> list[str]:
    return ["{", *(f"  {line}" for part in parts for line in part), "},"]


def _facts(**facts: Any) -> list[str]:
    return [f"{name}: {json.dumps(value)}," for name, value in facts.items()]


def _defaults(group: str, name: str) -> list[str]:
    """The settings of an option with their defaults; a flag is a number, as everywhere in the mathematics."""
    values = {key: int(value) if isinstance(value, bool) else value for key, value in defaults_of(group, name).items()}
    return _facts(defaults=values)


def _method(name: str, arguments: Sequence[str], settings: Iterable[str], lines: Lines) -> list[str]:
    listed = ", ".join([*arguments, *_destructured(settings)])
    return [f"{name}({listed}) {{", *(f"  {line}" for line in lines), "},"]


def _destructured(settings: Iterable[str]) -> list[str]:
    names = list(settings)
    return [f"{{ {', '.join(names)} }}"] if names else []


def _of_units(
    name: str, function: Callable[..., Any], arrays: Sequence[str], settings: Sequence[str] = (), out: str = "out",
    **scalars: str,
) -> list[str]:  # fmt: skip
    """A method that computes a function of arrays (units,) into an array, which may be one of them."""
    units = {array: Symbolic.inputs(1, 1, 1) for array in arrays}
    own = {setting: Symbolic.inputs(1) for setting in (*settings, *scalars)}
    names = {node_of(symbol): f"{array}[i]" for array, symbol in units.items()}
    varying = list(names)
    names |= {node_of(symbol): scalars.get(setting, setting) for setting, symbol in own.items()}
    graph = Graph(names, varying, folds_units=True)
    result = node_of(function(*units.values(), **own))
    arguments = arrays if out in arrays else (*arrays, out)
    body = statements(graph, UNITS, {f"{out}[i]": result})
    return _method(name, arguments, settings, [f"const n = {out}.length;", *body] if body else [])


def _activation(name: str) -> list[str]:
    row, own = ACTIVATIONS[name], tuple(ACTIVATIONS[name].settings)
    low, high = (value if np.isfinite(value) else None for value in row.range)
    return _object(
        _defaults("activation", name),
        _facts(range=[low, high], hasGradient=row.has_gradient),
        _of_units("f", row.f, ["z"], own, "a"),
        _of_units("backward", row.backward, ["z", "a", "upstream"], own, "upstream"),
    )


def _loss(name: str) -> list[str]:
    row, own = LOSSES[name], tuple(LOSSES[name].own)
    parts = [_defaults("loss", name), _facts(output=row.output, per=row.per)]
    parts += [_of_units("value", row.value, ["y", "t"], own), _of_units("gradient", row.gradient, ["y", "t"], own)]
    if row.spread:
        smoothed: Callable[..., Any] = lambda t, label_smoothing, outputs: row.smoothed(t, label_smoothing, outputs)
        parts.append(_of_units("smoothed", smoothed, ["t"], ["label_smoothing"], outputs="n"))
    if row.joint:
        value = _of_units("value", row.joint.value, ["z", "t"], own)
        delta = _of_units("delta", row.joint.delta, ["z", "y", "t"], own)
        parts.append(["joint: {", *(f"  {line}" for line in (*value, *delta)), "},"])
    return _object(*parts)


def _optimizer(name: str) -> list[str]:
    row, settings = OPTIMIZERS[name], numbers(OPTIMIZERS[name].own)
    own = {setting: Symbolic.inputs(1) for setting in settings}
    theta, g, lr = (Symbolic.inputs(1, 1) for _ in range(3))
    state: Any = row.start(theta, lr, **own)
    scalars = {node_of(symbol): setting for setting, symbol in own.items()}
    arrays = {node_of(theta): "theta[i]", node_of(g): "g[i]", node_of(lr): "lr[i]"}
    begun = [f"{key}: {_begun(Graph(scalars | arrays, arrays), value)}," for key, value in state.items()]
    start = ["return {", *(f"  {line}" for line in begun), "};"] if begun else ["return {};"]
    return _object(
        _defaults("optimizer", name),
        _facts(isFullBatch=row.is_full_batch, rateAtStart=row.rate_at_start, letters=dict(row.letters)),
        _facts(optional=[key for key, own in row.settings.items() if own.optional], stateOf=_optional_state(name)),
        _method("start", ["theta", "lr"], _used(settings, begun), start),
        _method("update", ["theta", "g", "state", "lr"], settings, _update(row.update, theta, g, lr, own, state)),
    )


def _begun(graph: Graph, symbols: Symbolic) -> str:
    """The first value of a part of the state, a number or an array of one for each parameter."""
    outer = Scope(graph, {})
    place = graph.add(node_of(symbols))
    text = outer.number(place)
    if symbols.ndim == 1:
        return text
    if graph.varies[place]:
        return f"Float64Array.from(theta, (_, i) => {text})"
    return f"new Float64Array(theta.length).fill({text})"


def _used(settings: Iterable[str], lines: Iterable[str]) -> list[str]:
    text = " ".join(lines)
    return [setting for setting in settings if setting in text]


def _optional_state(name: str) -> dict[str, str]:
    """The parts of the state that there are only where an optional setting is not 0, with that setting."""
    row, theta = OPTIMIZERS[name], np.zeros((1, 1))
    options = {setting: np.ones(1) for setting in numbers(row.own)}
    found = dict[str, str]()
    for setting in (key for key, own in row.own.items() if own.optional):
        without = row.start(theta, np.ones(1), **{key: value for key, value in options.items() if key != setting})
        found |= dict.fromkeys(row.start(theta, np.ones(1), **options).keys() - without.keys(), setting)
    return found


def _update(
    update: Callable[..., None], theta: Symbolic, g: Symbolic, lr: Symbolic, own: Mapping[str, Symbolic],
    kinds: Mapping[str, Symbolic],
) -> list[str]:  # fmt: skip
    """One update of every parameter, in place, with all optional settings: at 0 they change nothing."""
    state = {key: Symbolic.inputs(*value.shape) for key, value in kinds.items()}
    each = [key for key, value in state.items() if value.ndim == 2]
    arrays = {node_of(theta): "theta[i]", node_of(g): "g[i]", node_of(lr): "lr[i]"}
    arrays |= {node_of(state[key]): f"{key}[i]" for key in each}
    scalars = {node_of(symbol): setting for setting, symbol in own.items()}
    scalars |= {node_of(value): f"state.{key}" for key, value in state.items() if key not in each}
    graph = Graph(scalars | arrays, arrays)
    update(theta, g, state, lr, **own)
    inside = {f"{key}[i]": node_of(state[key]) for key in each} | {"theta[i]": node_of(theta)}
    after = {f"state.{key}": node_of(value) for key, value in state.items() if key not in each}
    read = [f"const {{ {', '.join(each)} }} = state;"] if each else []
    return [*read, "const n = theta.length;", *statements(graph, UNITS, inside, after)]


@cache
def _gradient() -> str:
    """What every optimizer does to the gradient, and the settings of it; a fold is over all parameters."""

    def shaped(theta: Any, is_weight: Any, g: Any, **own: Any) -> Any:
        shape_gradient(theta, is_weight, g, **own)
        return g

    lines = _of_units("shaped", shaped, ["theta", "isWeight", "g"], tuple(SHAPING), "g")
    settings = f"export const SHAPING = {json.dumps(list(SHAPING))};\n"
    return f"{settings}export const GRADIENT = {{\n{_indented(lines)}\n}};\n"


def _schedule(name: str) -> list[str]:
    row, own = SCHEDULES[name], {setting: Symbolic.inputs(1) for setting in numbers(SCHEDULES[name].settings)}
    epoch, epochs = Symbolic.inputs(), Symbolic.inputs()
    factor: Any = row.factor(epoch, epochs, **own)
    names = {node_of(symbol): name for name, symbol in {"epoch": epoch, "epochs": epochs, **own}.items()}
    lines = ["return 1;"] if factor is None else returned(names, [node_of(factor)])
    return _object(
        _defaults("schedule", name),
        _facts(isConstant=factor is None, usesTotal=row.uses_total),
        _method("factor", ["epoch", "epochs"], own, lines),
    )


def returned(names: Mapping[Node, str], results: Sequence[Node | float]) -> list[str]:
    """Statements that return one number, or several in an array."""
    graph = Graph(names)
    outer = Scope(graph, graph.uses([graph.add(result) for result in results]))
    values = [outer.number(graph.add(result)) for result in results]
    text = values[0] if len(values) == 1 else f"[{', '.join(values)}]"
    return [*outer.lines, f"return {text};"]


@cache
def _interval() -> str:
    """The interval of the share of solved runs, as groups have it."""
    solved, runs = Symbolic.inputs(), Symbolic.inputs()
    ends: Any = wilson(solved, runs)  # type: ignore[arg-type]
    lines = returned({node_of(solved): "solved", node_of(runs): "runs"}, [node_of(end) for end in ends])
    return (
        "/** The 95 % interval of solved / runs. */\nexport function wilson(solved, runs) {\n"
        + _indented(lines)
        + "\n}\n"
    )
