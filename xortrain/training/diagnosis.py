"""What holds of networks when their training is over: equal units, dead or saturated units, tied outputs.

Each is a question to the parameters, answered for all runs at once; docs/diagnosis.md has the reasons for the bounds.
"""

from dataclasses import dataclass

import numpy as np

from xortrain.nets import Array
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.losses import FUSED
from xortrain.nets.network import Layer, Network, Pass
from xortrain.training.task import Task

TIED = 0.01  # of the distance between the two target values: how near outputs are to a tied state
SATURATED = 0.01  # of an activation's steepest slope; for sigmoid |z| > 6, for tanh |z| > 3
RECTIFIERS = ("relu", "relu6", "hardswish")  # their slope is exactly 0 where they are off
NOT_MONOTONE = ("gaussian", "sin")  # as an output they bend even a line


@dataclass(frozen=True)
class Ties:
    """Outputs that lie together: ``group`` (examples, runs) numbers them, from the lowest outputs up.

    ``state`` (examples, outputs, runs) is the mean target of each example's group, ``holds`` (runs,) whether all
    outputs are within 1 % of it and some group mixes targets.
    """

    group: Array
    state: Array
    holds: Array


def is_linear(network: Network) -> bool:
    """Whether the network can only cut with one line (or plane), whatever its parameters."""
    return network.is_linear and network.layers[-1].activation not in NOT_MONOTONE


def clones(network: Network, theta: Array) -> Array:
    """Which units have an equal in their hidden layer, weights in and out alike: (hidden units, runs).

    Such units get equal gradients, so nothing but chance in the data's order could ever part them, and not even that.
    """
    parts = network.split(theta)
    found = [np.zeros((0, *theta.shape[1:]), bool)]
    for k, layer in enumerate(network.layers[:-1], start=1):
        rows = [parts[f"W{k}"], np.swapaxes(parts[f"W{k + 1}"][:, : layer.units], 0, 1)]
        if network.bias:
            rows.append(parts[f"b{k}"][:, None])
        found.append(_has_an_equal(np.concatenate(rows, axis=1)))
    return np.concatenate(found)


def _has_an_equal(rows: Array) -> Array:
    """Which rows (units, numbers, runs) there are twice, to rounding, by a sum of their numbers at odd weights."""
    weights = np.sin(np.arange(1, rows.shape[1] + 1)).astype(rows.dtype)
    mark = np.einsum("un...,n->u...", rows, weights)
    scale = np.einsum("un...,n->u...", np.abs(rows), np.abs(weights))
    order = np.argsort(mark, axis=0)
    gap = np.diff(np.take_along_axis(mark, order, axis=0), axis=0)
    near = gap <= 8 * np.finfo(rows.dtype).eps * np.take_along_axis(scale, order, axis=0)[1:]
    edge = np.zeros((1, *near.shape[1:]), bool)
    equal = np.empty(mark.shape, bool)
    np.put_along_axis(equal, order, np.concatenate([near, edge]) | np.concatenate([edge, near]), axis=0)
    return equal


def dead(net: Pass) -> Array:
    """Which rectifiers are off on all examples, so that their gradient is exactly 0: (units, runs), outputs last."""
    return np.concatenate(
        [
            (_slope(layer, z, a) == 0).all(axis=0) if layer.activation in RECTIFIERS else np.zeros(z.shape[1:], bool)
            for layer, z, a in zip(net.network.layers, net.z, net.a, strict=True)
        ]
    )


def saturated(task: Task, net: Pass) -> Array:
    """Which units are flat, but not dead, on all examples: (units, runs), outputs last.

    An output whose loss reaches past its activation (bce on sigmoid, …) loses no gradient and is never among them.
    """
    found = [
        np.zeros(z.shape[1:], bool) if layer.activation in RECTIFIERS else _is_flat(layer, z, a)
        for layer, z, a in zip(net.network.layers, net.z, net.a, strict=True)
    ]
    if (task.criterion.loss, task.criterion.output) in FUSED:
        found[-1][:] = False
    return np.concatenate(found)


def _is_flat(layer: Layer, z: Array, a: Array) -> Array:
    row = ACTIVATIONS[layer.activation]
    grid = np.linspace(-3, 3, 25, dtype=z.dtype)[:, None, None]
    grid = np.repeat(grid, z.shape[-1], axis=2) if layer.settings else grid
    steepest = np.abs(row.derivative(grid, row.f(grid, **layer.settings), **layer.settings)).max(axis=0)
    return (np.abs(_slope(layer, z, a)) < SATURATED * steepest).all(axis=0)


def _slope(layer: Layer, z: Array, a: Array) -> Array:
    return ACTIVATIONS[layer.activation].derivative(z, a, **layer.settings)


def ties(task: Task, y: Array) -> Ties:
    """Outputs y (examples, outputs, runs) that lie together, and whether each lies at its group's mean target.

    The mean is what least squares and cross-entropy make of examples that a network cannot tell apart: on XOR
    1/2 for all four (P4), 1/3 or 2/3 for three (P3), 1/2 for two (P2).
    """
    aims = np.broadcast_to(_aims(task), y.shape)
    group = _together(y, near(task))
    flat = (group + len(y) * np.arange(y.shape[2])).ravel()
    count = np.bincount(flat, minlength=y.shape[0] * y.shape[2])
    state = np.empty(y.shape)
    for output in range(y.shape[1]):
        sums = np.bincount(flat, aims[:, output].ravel(), len(count))
        state[:, output] = (sums[flat] / count[flat]).reshape(group.shape)
    away = np.maximum.reduce(np.abs(y - state), axis=(0, 1))
    mixed = np.maximum.reduce(np.abs(aims - state), axis=(0, 1))
    return Ties(group, state, (away <= near(task)) & (mixed > near(task)))


def near(task: Task) -> Array:
    """How far outputs may be from a tied state that they are in: (runs,)."""
    return TIED * np.abs(task.rule.high - task.rule.low)


def _aims(task: Task) -> Array:
    """Targets as the loss has them, smoothed."""
    t, criterion = task.data.t, task.criterion
    share = criterion.settings.get("label_smoothing")
    if share is None:
        return t
    evenly = 1 / t.shape[1] if criterion.loss == "cross_entropy" else 0.5
    return t + share * (evenly - t)


def _together(y: Array, within: Array) -> Array:
    """Number outputs (examples, outputs, runs) by groups without gaps: (examples, runs)."""
    weights = 0.5 ** np.arange(y.shape[1])
    mark = np.einsum("no...,o->n...", y, weights)
    order = np.argsort(mark, axis=0)
    gaps = np.diff(np.take_along_axis(mark, order, axis=0), axis=0) > within
    group = np.zeros(mark.shape, int)
    np.put_along_axis(group, order[1:], np.cumsum(gaps, axis=0), axis=0)
    return group
