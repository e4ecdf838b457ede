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


def equal_units(network: Network, theta: Array) -> list[Array]:
    """For each hidden layer, numbers (units, runs) that units share whose weights in and out are equal to rounding.

    Such units get equal gradients, step for step, so they stay equal.
    """
    parts, found = network.split(theta), []
    for k, layer in enumerate(network.layers[:-1], start=1):
        rows = [parts[f"W{k}"], np.swapaxes(parts[f"W{k + 1}"][:, : layer.units], 0, 1)]
        if network.bias:
            rows.append(parts[f"b{k}"][:, None])
        numbers = np.concatenate(rows, axis=1)
        weights = np.sin(np.arange(1, numbers.shape[1] + 1)).astype(theta.dtype)  # one number that tells rows apart
        mark = np.einsum("un...,n->u...", numbers, weights)
        rounding = 8 * np.finfo(theta.dtype).eps * np.abs(numbers).sum(axis=1).max(axis=0)
        found.append(_together(mark, rounding))
    return found


def clones(network: Network, theta: Array) -> Array:
    """Whether any two units are equal: (runs,)."""
    holds = np.zeros(theta.shape[1:], bool)
    for group in equal_units(network, theta):
        holds |= group.max(axis=0) + 1 < len(group)
    return holds


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
    weights = 0.5 ** np.arange(y.shape[1])
    group = _together(np.einsum("no...,o->n...", y, weights), 2 * weights.sum() * near(task))
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


def _together(mark: Array, within: Array) -> Array:
    """Number marks (n, runs) by groups without gaps wider than within (runs,), the lowest first: (n, runs)."""
    order = np.argsort(mark, axis=0)
    gaps = np.diff(np.take_along_axis(mark, order, axis=0), axis=0) > within
    group = np.zeros(mark.shape, int)
    np.put_along_axis(group, order[1:], np.cumsum(gaps, axis=0), axis=0)
    return group
