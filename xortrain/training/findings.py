"""What there is to say of one run, by the same questions as its outcome: which units, which examples, since when.

A unit is (layer, unit), both counted from 0; the outputs are the last layer.
"""

from dataclasses import dataclass, replace

import numpy as np

from xortrain.nets import Array
from xortrain.nets.network import Network
from xortrain.training.diagnosis import Ties, dead, equal_units, near, saturated, ties
from xortrain.training.learner import Learner
from xortrain.training.loop import Training
from xortrain.training.task import Choice, History, Task

Unit = tuple[int, int]
LINEAR_STEPS = 2000  # of Rprop: far more than a convex loss with a handful of weights needs
FAR = 50_000  # epochs; about two seconds of training again


@dataclass(frozen=True)
class Tie:
    """Examples with different targets whose outputs are within 2 % of each other, and the mean of their targets."""

    examples: tuple[int, ...]
    state: tuple[float, ...]


@dataclass(frozen=True)
class Findings:
    """Of one run after an epoch; ``in_state`` is whether all its outputs are within 1 % of the tied state."""

    equal: list[list[Unit]]
    dead: list[Unit]
    saturated: list[Unit]
    tied: list[Tie]
    in_state: bool


def findings(task: Task, theta: Array) -> Findings:
    """Of the one run of a task with θ (parameters,)."""
    two = task.take(np.zeros(2, int))
    net = two.network.forward(np.stack([theta, theta], axis=1), two.data.x)
    found = ties(two, net.y)
    return Findings(
        equal=[g for k, group in enumerate(equal_units(two.network, net.theta)) for g in _shared(k, group[:, 0])],
        dead=_units(two.network, dead(net)[:, 0]),
        saturated=_units(two.network, saturated(two, net)[:, 0]),
        tied=_tied(two, net.y, found),
        in_state=bool(found.holds[0]),
    )


def _shared(layer: int, group: Array) -> list[list[Unit]]:
    members = ([(layer, int(unit)) for unit in np.flatnonzero(group == number)] for number in np.unique(group))
    return [units for units in members if len(units) > 1]


def _units(network: Network, mask: Array) -> list[Unit]:
    places = [(k, unit) for k, layer in enumerate(network.layers) for unit in range(layer.units)]
    return [place for place, holds in zip(places, mask, strict=True) if holds]


def _tied(task: Task, y: Array, found: Ties) -> list[Tie]:
    groups = found.group[:, 0]
    parts = [np.flatnonzero(groups == number) for number in np.unique(groups)]
    t, span = task.data.t[..., 0], near(task)[0]
    return [
        Tie(tuple(part.tolist()), tuple(found.state[part[0], :, 0].tolist()))
        for part in parts
        if (t[part] != t[part[0]]).any() and np.ptp(y[part, :, 0], axis=0).max() <= 2 * span
    ]


def dead_since(task: Task, unit: Unit, epochs: Array, parameters: Array) -> tuple[int, bool]:
    """The epoch since which a unit is dead, and whether that is to the epoch.

    ``parameters`` (frames, parameters) after these epochs narrow it down; between two of them the run is trained
    again, if that is not far.
    """
    since = _dead_from(task, unit, parameters)
    first, before = int(epochs[since]), int(epochs[since - 1])
    if since == 0 or first - before == 1 or first > FAR:
        return first, since == 0 or first - before == 1
    between = np.arange(before, first + 1)
    return before + _dead_from(task, unit, _trained_again(task, between)), True


def _dead_from(task: Task, unit: Unit, parameters: Array) -> int:
    """The place in parameters (frames, parameters) from which on a unit is dead."""
    every = task.take(np.zeros(max(2, len(parameters)), int))
    theta = np.array(parameters[[0, 0]] if len(parameters) == 1 else parameters).T
    net = every.network.forward(theta, every.data.x)
    place = sum(layer.units for layer in task.network.layers[: unit[0]]) + unit[1]
    alive = np.flatnonzero(~dead(net)[place, : len(parameters)])
    return int(alive[-1]) + 1 if len(alive) else 0


def _trained_again(task: Task, epochs: Array) -> Array:
    """The parameters (epochs, parameters) of a run after these epochs."""
    history = History.empty(task, np.array([0]), epochs)
    for epoch in Training(task, history).run():
        if epoch >= epochs[-1]:
            break
    return history.parameters[..., 0]


def best_linear_loss(task: Task) -> float:
    """The least loss that one layer without hidden units comes to on a run's examples, by Rprop from zero."""
    network = replace(task.network, layers=task.network.layers[-1:], skip=False)
    settings = {"eta_minus": 0.5, "eta_plus": 1.2, "step_min": 1e-9, "step_max": 50.0}
    numbers = {name: np.full(2, value, task.theta.dtype) for name, value in settings.items()}
    two = replace(
        task.take(np.zeros(2, int)),
        network=network.take(np.zeros(2, int)),
        optimizer=Choice("rprop", numbers),
        schedule=Choice("constant"),
        lr=np.full(2, 0.1, task.theta.dtype),
        batch_size=None,
        freeze=(),
    )
    learner = Learner(two, np.zeros((network.size, 2), task.theta.dtype))
    for _ in range(LINEAR_STEPS):
        learner.full.forward()
        learner.update(0)
    y = learner.full.forward()
    return float(two.criterion.total(learner.full.z[-1], y, two.data.t)[0])
