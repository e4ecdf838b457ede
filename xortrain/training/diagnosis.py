"""The state of trained networks: equal units, dead or saturated units, tied outputs.

The first functions diagnose all runs at once; `findings` lists the units and examples of one run.  A unit is (layer,
unit), both counted from 0; the outputs are the last layer.  docs/diagnosis.md gives the reasons for the bounds.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from xortrain.nets import Array
from xortrain.nets.network import Layer, Network, Pass, at_least_two
from xortrain.training.engine import at_hand, new_training
from xortrain.training.task import History, Task

TIED = 0.01  # largest distance of outputs from a tied state, as a share of the distance between the two targets
ROUNDING = 8  # times the machine epsilon, relative to the larger of two units, at which their weights count as equal
VANISHES = 1e-3  # gradient of the first layer, as a share of the last layer's
LARGE = 100.0  # size of an input, or ratio of the spreads of two inputs, that makes training difficult
SATURATED = 0.01  # largest slope, as a share of the activation's steepest; sigmoid: |z| > 6, tanh: |z| > 3


@dataclass(frozen=True)
class Ties:
    """Groups of examples with nearly equal outputs, ``group`` (examples, runs), numbered from the lowest outputs up.

    ``state`` (examples, outputs, runs) is the mean target of each example's group, ``holds`` (runs,) whether all
    outputs are within 1 % of it and some group mixes targets.
    """

    group: Array
    state: Array
    holds: Array


def is_linear(network: Network) -> bool:
    """Whether the network can only separate by one line (or plane), whatever its parameters."""
    return network.is_linear and network.layers[-1].row.is_monotone


def equal_units(network: Network, theta: Array) -> list[Array]:
    """For each hidden layer the group of each unit, (units, runs): units with equal weights in and out share one.

    Such units get equal gradients at every step, so they stay equal.
    """
    parts, found = network.split(theta), []
    for k, layer in enumerate(network.layers[:-1], start=1):
        rows = [parts[f"W{k}"], np.swapaxes(parts[f"W{k + 1}"][:, : layer.units], 0, 1)]
        if network.bias:
            rows.append(parts[f"b{k}"][:, None])
        found.append(_equal_rows(rows))
    return found


def have_equal(group: Array) -> Array:
    """Whether two units share one of the groups (units, runs) of a layer: (runs,)."""
    return np.asarray(group.max(axis=0) + 1 < len(group))


@np.errstate(all="ignore")
def _equal_rows(parts: list[Array]) -> Array:
    """Group units by their numbers, ``parts`` of (units, n, runs) each: (units, runs).

    Two units are equal if each part is finite and differs by no more than rounding on the scale of these two.
    """
    numbers = np.concatenate(parts, axis=1)
    weights = np.sin(np.arange(1, numbers.shape[1] + 1)).astype(numbers.dtype)  # one number that distinguishes rows
    order = np.argsort(np.einsum("un...,n->u...", numbers, weights), axis=0)
    differ = np.zeros((len(order) - 1, order.shape[1]), bool)
    for part in parts:
        rows = np.take_along_axis(part, order[:, None], axis=0)
        size, apart = np.abs(rows).max(axis=1), np.abs(np.diff(rows, axis=0)).max(axis=1)
        differ |= ~(apart <= ROUNDING * np.finfo(part.dtype).eps * np.maximum(size[1:], size[:-1]))
    return _numbered(order, differ)


def dead(net: Pass) -> Array:
    """Which rectifiers are off on all examples, so that their gradient is exactly 0: (units, runs), outputs last."""
    return np.concatenate(
        [
            (_slope(layer, z, a) == 0).all(axis=0) if layer.row.is_rectifier else np.zeros(z.shape[1:], bool)
            for layer, z, a in zip(net.network.layers, net.z, net.a, strict=True)
        ]
    )


def saturated(task: Task, net: Pass) -> Array:
    """Which units are flat, but not dead, on all examples: (units, runs), outputs last.

    Outputs whose loss has a joint form with their activation (bce on sigmoid, …) lose no gradient and never count.
    """
    found = [
        np.zeros(z.shape[1:], bool) if layer.row.is_rectifier else _is_flat(layer, z, a)
        for layer, z, a in zip(net.network.layers, net.z, net.a, strict=True)
    ]
    if task.criterion.joint is not None:
        found[-1][:] = False
    return np.concatenate(found)


def _is_flat(layer: Layer, z: Array, a: Array) -> Array:
    row = layer.row
    grid = np.linspace(-3, 3, 25, dtype=z.dtype)[:, None, None]
    grid = np.repeat(grid, z.shape[-1], axis=2) if layer.settings else grid
    steepest = np.abs(row.derivative(grid, row.f(grid, **layer.settings), **layer.settings)).max(axis=0)
    return (np.abs(_slope(layer, z, a)) < SATURATED * steepest).all(axis=0)


def _slope(layer: Layer, z: Array, a: Array) -> Array:
    return layer.row.derivative(z, a, **layer.settings)


def ties(task: Task, y: Array) -> Ties:
    """Group the outputs y (examples, outputs, runs), and find which runs have each output at its group's mean target.

    Least squares and cross-entropy give examples that a network cannot distinguish their mean target: on XOR
    1/2 for all four (P4), 1/3 or 2/3 for three (P3), 1/2 for two (P2).
    """
    aims = np.broadcast_to(task.criterion.aims(task.data.t), y.shape)
    weights = 0.5 ** np.arange(y.shape[1])
    group = _gap_groups(np.einsum("no...,o->n...", y, weights), 2 * weights.sum() * tie_tolerance(task))
    flat = (group + len(y) * np.arange(y.shape[2])).ravel()
    count = np.bincount(flat, minlength=y.shape[0] * y.shape[2])
    state = np.empty(y.shape)
    for output in range(y.shape[1]):
        sums = np.bincount(flat, aims[:, output].ravel(), len(count))
        state[:, output] = (sums[flat] / count[flat]).reshape(group.shape)
    away = np.maximum.reduce(np.abs(y - state), axis=(0, 1))
    mixed = np.maximum.reduce(np.abs(aims - state), axis=(0, 1))
    return Ties(group, state, (away <= tie_tolerance(task)) & (mixed > tie_tolerance(task)))


def tie_tolerance(task: Task) -> Array:
    """The largest distance at which outputs count as in a tied state: (runs,)."""
    return TIED * task.success.span


def _gap_groups(mark: Array, within: Array) -> Array:
    """Group marks (n, runs) at gaps wider than ``within`` (runs,); returns group numbers (n, runs), lowest first."""
    order = np.argsort(mark, axis=0)
    return _numbered(order, np.diff(np.take_along_axis(mark, order, axis=0), axis=0) > within)


def _numbered(order: Array, gaps: Array) -> Array:
    """Group numbers (n, runs) of items in ``order`` (n, runs); each of ``gaps`` (n-1, runs) begins a new group."""
    group = np.zeros(order.shape, int)
    np.put_along_axis(group, order[1:], np.cumsum(gaps, axis=0), axis=0)
    return group


Unit = tuple[int, int]
Since = tuple[int, bool]
MOST_NAMED = 6  # units or examples; more are counted
MOST_RETRAINED = 50_000  # epochs that `dead_since` trains again; about two seconds


@dataclass(frozen=True)
class Tie:
    """Examples with different inputs and targets whose outputs are within 2 % of each other, and their mean target.

    ``holds`` is whether all their outputs are within 1 % of it.
    """

    examples: tuple[int, ...]
    state: tuple[float, ...]
    holds: bool


@dataclass(frozen=True)
class Findings:
    """The state of one run."""

    equal: list[list[Unit]]
    dead: list[Unit]
    saturated: list[Unit]
    tied: list[Tie]


@np.errstate(all="ignore")  # outputs of a run that diverges
def findings(task: Task, theta: Array) -> Findings:
    """The findings for the only run of a task, at θ (parameters,)."""
    both = at_least_two(np.zeros(1, int))
    two = task.take(both)
    net = two.network.forward(theta[:, None].take(both, axis=1), two.data.x)
    found = ties(two, net.y)
    return Findings(
        equal=[g for k, group in enumerate(equal_units(two.network, net.theta)) for g in _equal_groups(k, group[:, 0])],
        dead=_units(two.network, dead(net)[:, 0]),
        saturated=_units(two.network, saturated(two, net)[:, 0]),
        tied=_ties_of_run(two, net.y, found),
    )


def _equal_groups(layer: int, group: Array) -> list[list[Unit]]:
    members = ([(layer, int(unit)) for unit in np.flatnonzero(group == number)] for number in np.unique(group))
    return [units for units in members if len(units) > 1]


def _units(network: Network, mask: Array) -> list[Unit]:
    places = [(k, unit) for k, layer in enumerate(network.layers) for unit in range(layer.units)]
    return [place for place, holds in zip(places, mask, strict=True) if holds]


def _ties_of_run(task: Task, y: Array, found: Ties) -> list[Tie]:
    groups = found.group[:, 0]
    parts = [np.flatnonzero(groups == number) for number in np.unique(groups)]
    x, t = task.data.x, task.data.t[..., 0]
    span, state = tie_tolerance(task)[0], task.success.scaling.unscaled(found.state)
    return [
        Tie(
            tuple(part.tolist()),
            tuple(state[part[0], :, 0].tolist()),
            bool((np.abs(y[part, :, 0] - found.state[part, :, 0]) <= span).all()),
        )
        for part in parts
        if (t[part] != t[part[0]]).any()
        and (x[part] != x[part[0]]).any()
        and np.ptp(y[part, :, 0], axis=0).max() <= 2 * span
    ]


def dead_since(task: Task, units: list[Unit], epochs: Array, parameters: Array) -> dict[Since, list[Unit]]:
    """Epochs, and whether they are exact, to the units that are dead since; the first come first.

    ``parameters`` (frames, parameters), recorded after ``epochs``, narrow it down; between two frames the run is
    trained again, unless that takes too many epochs or there are many units.
    """
    frames, found = dead_frames(task, units, parameters), defaultdict[Since, list[Unit]](list)
    for frame in np.unique(frames).tolist():
        those = [unit for unit, own in zip(units, frames, strict=True) if own == frame]
        between = np.arange(epochs[frame - 1] if frame else epochs[0], epochs[frame] + 1)
        is_exact, since = len(between) <= 2, np.full(len(those), between[-1])
        if not is_exact and between[-1] <= MOST_RETRAINED and len(units) <= MOST_NAMED:
            is_exact, since = True, between[dead_frames(task, those, _parameters_after(task, between))]
        for unit, epoch in zip(those, since.tolist(), strict=True):
            found[epoch, is_exact].append(unit)
    return dict(sorted(found.items()))


@np.errstate(all="ignore")  # the last parameters of a run that has diverged
def dead_frames(task: Task, units: list[Unit], parameters: Array) -> Array:
    """The first frame of parameters (frames, parameters) from which each unit stays dead: (units,)."""
    frames = at_least_two(np.arange(len(parameters)))
    every = task.take(np.zeros(len(frames), int))
    theta = np.array(parameters[frames]).T
    net = every.network.forward(theta, every.data.x)
    firsts = np.cumsum([0, *(layer.units for layer in task.network.layers)])
    alive = ~dead(net)[[firsts[layer] + place for layer, place in units], : len(parameters)]
    return np.where(alive.any(axis=1), alive.shape[1] - alive[:, ::-1].argmax(axis=1), 0)


def _parameters_after(task: Task, epochs: Array) -> Array:
    """The parameters (epochs, parameters) after these epochs, by training the run again."""
    history = History.empty(np.array([0]), epochs, task.theta.shape, task.theta.dtype, bool(task.test))
    for epoch in new_training(at_hand(task), history).run():
        if epoch >= epochs[-1]:
            break
    return history.parameters[..., 0]


def vanishes(task: Task, theta: Array) -> Array:
    """Which runs have a gradient in the first layer below 1/1000 of the last layer's, of three layers or more: (runs,).

    ``theta`` (parameters, runs) are tested beside the initial parameters: a net that has given up has small gradients
    in all of its layers.
    """
    if len(task.network.layers) < 3:
        return np.zeros(task.runs, bool)
    ratios = [gradient_ratio(task, parameters) for parameters in (task.theta, theta)]
    return np.logical_or.reduce([(ratio > 0) & (ratio < VANISHES) for ratio in ratios])


@np.errstate(all="ignore")
def gradient_ratio(task: Task, theta: Array) -> Array:
    """The root mean square of dL/dW in the first layer, as a multiple of that in the last: (runs,)."""
    both = at_least_two(np.arange(task.runs))
    two = task.take(both)
    net = two.network.forward(np.ascontiguousarray(theta[:, both]), two.data.x)
    net.backward(two.criterion.delta(net.z[-1], net.y, two.data.t))
    first, last = (np.sqrt((dW**2).mean(axis=(0, 1))) for dW in (net.dW[0], net.dW[-1]))
    return np.asarray((first / last)[: task.runs])


def out_of_reach(task: Task) -> tuple[float, float] | None:
    """A target that no output of the only run can reach, and the bound of the outputs next to it, both unscaled."""
    t, (low, high) = task.criterion.aims(task.data.t)[..., 0], task.network.layers[-1].row.range
    for place, bound, side in ((t.argmax(), high, 1), (t.argmin(), low, -1)):
        example, output = np.unravel_index(place, t.shape)
        if side * t[example, output] > side * bound:
            both = np.stack([t[example], np.full(t.shape[1], bound)])[..., None]
            target, end = task.success.scaling.unscaled(both)[:, output, 0].tolist()
            return target, end
    return None


def contradictions(task: Task) -> tuple[int, list[int]]:
    """How many examples the only run can get right at most, and one example of each inputs where some must be wrong."""
    x = task.data.x if task.data.x.ndim == 2 else task.data.x[..., 0]
    _, place, counts = np.unique(x, axis=0, return_inverse=True, return_counts=True)
    groups = np.split(np.argsort(place.ravel(), kind="stable"), np.cumsum(counts)[:-1])
    lower, upper = (bound[..., 0] for bound in task.success.interval(task.data.t))
    is_class = bool(task.success.are_classes(task.data.t)[0])
    wrong = {int(one[0]): len(one) - _right_at_once(lower[one], upper[one], is_class) for one in groups if len(one) > 1}
    return len(x) - sum(wrong.values()), sorted(first for first, count in wrong.items() if count)


def _right_at_once(lower: Array, upper: Array, is_class: bool) -> int:
    """How many examples the same outputs get right, at most; bounds (examples, outputs) of the right outputs."""
    if is_class and ((lower == lower[0]).all(axis=0) | (lower.max(axis=0) >= upper.min(axis=0))).all():
        return int(np.unique(lower, axis=0, return_counts=True)[1].max())
    starts, ends = np.sort(lower, axis=0), np.sort(upper, axis=0)
    number = np.arange(1, len(lower) + 1)
    return int(min((number - np.searchsorted(e, s, "right")).max() for s, e in zip(starts.T, ends.T, strict=True)))


@np.errstate(over="ignore")
def unscaled_inputs(x: Array) -> list[int]:
    """The inputs of x (examples, inputs) with very large values, or of a very different scale than another."""
    size, spread = np.abs(x).max(axis=0), x.std(axis=0)
    least = spread[spread > 0].min(initial=np.inf)
    return np.flatnonzero((size > LARGE) | (spread > LARGE * least)).tolist()
