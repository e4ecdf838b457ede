"""Whether an unsolved run is still moving: it is trained for a few more epochs, which are then discarded.

Its outputs and its loss are extrapolated from the change in these epochs.
"""

from dataclasses import replace

import numpy as np

from xortrain.nets import Array
from xortrain.nets.network import at_least_two
from xortrain.training.diagnosis import tie_tolerance
from xortrain.training.learner import Learner
from xortrain.training.loop import Training
from xortrain.training.success import within
from xortrain.training.task import Task

SETTLE = 100  # full-batch epochs before a run in batches is measured, to remove the noise of its batches
TRIED = 64  # epochs in which the speed is measured
SHARE = 5  # both are at most a fifth of the epochs trained, but the speed is measured over at least four
FALLS = 0.25  # d log L / d log epoch of a loss that falls fast enough to matter
FASTER = 0.7  # growth of the speed of the loss, as a power of e in as many epochs as were trained
STARTS = 0.0003  # as FALLS, for a loss whose fall accelerates
RISES = 0.02  # as FALLS, for a loss that rises
WATCHED, SWINGS = 8, 0.1  # epochs in batches that are watched for swings; their size, as a share of the loss
ROUNDING = 1e-12  # distance of outputs, relative to their targets, whose growth means nothing
AGAIN, LATER = 2, 3  # times the epochs trained: until the last example is right, until a tie is broken


def motion(training: Training, runs: Array) -> tuple[Array, Array]:
    """Which of these runs, by their indices, are still moving, and whose loss swings from epoch to epoch: (runs,) each.

    A run moves if its loss falls like a power of the epoch, or ever faster, or rises; or if all its wrong outputs,
    extrapolated linearly, are right within twice as many epochs again, by 1 % of the distance between the targets.
    Where the outputs of all wrong examples are tied, the loss may only be approaching their mean: such a run moves if
    its fall accelerates, or if the distance between the outputs grows so fast that the tie is broken within three times
    the epochs trained.
    """
    moving, swinging = np.zeros((2, training.task.runs), bool)
    stayed = training.left[runs] > training.task.epochs
    for some in (runs[stayed], runs[~stayed]):
        if len(some):
            found = _are_moving(*_continued(training, some))
            moving[some], swinging[some] = (values[: len(some)] for values in found)
    return moving[runs], swinging[runs]


def _continued(training: Training, runs: Array) -> tuple[Learner, Array]:
    """A learner that continues these runs, and the number of full-batch updates that theirs amount to.

    It computes with float64 whatever the runs have, so that rounding has no say in how their loss moves.
    """
    places = at_least_two(runs)
    task = training.task.take(places)
    in_batches = task.batch_size is not None and task.criterion.reduction == "mean"  # sums add up to a full batch
    done = np.maximum(training.left[places] - 1, 1) * (len(task.data.x) / (task.batch_size or 1) if in_batches else 1)
    task = replace(task, epochs=max(1, task.epochs))
    theta = training.theta.take(places, axis=1).astype(np.float64)
    if training.left[runs[0]] <= training.task.epochs:  # it left early; the state of its optimizer was not stored
        return Learner(task, theta), done
    at = np.zeros(training.task.runs, int)
    at[training.columns] = np.arange(len(training.columns))
    state = {name: value[..., at[places]].astype(np.float64) for name, value in training.learner.state.items()}
    return Learner(task, theta, state), done


def _are_moving(learner: Learner, done: Array) -> tuple[Array, Array]:
    """Which runs of a learner move, and which swing; ``done`` (runs,) are the updates they have had."""
    swings = None
    if learner.task.batch_size is not None:
        swings = swing(_losses(learner, min(WATCHED, learner.task.epochs)))
        learner = Learner(replace(learner.task, batch_size=None), learner.theta, learner.state)
        learner.full.forward()
        _losses(learner, min(SETTLE, learner.task.epochs // SHARE))
    task, y = learner.task, learner.full.forward().copy()
    above = _full_losses(learner) - task.criterion.lowest(task.data.t)
    half, outputs = 2 * min(TRIED // 4, -(-task.epochs // (4 * SHARE))), [np.zeros_like(y), np.zeros_like(y)]
    losses = np.concatenate([_losses(learner, half, means) for means in outputs])
    falls, accelerates, changes = _loss_motion(losses, above, done)
    arrives, is_tied, parts = _output_motion(task, y, outputs, done / half)
    moves = accelerates | np.where(is_tied, parts, (arrives & falls) | changes)
    return moves, swing(losses) if swings is None else swings


def _loss_motion(losses: Array, above: Array, done: Array) -> tuple[Array, Array, Array]:
    """Whether losses (epochs, runs) fall, fall ever faster, and fall or rise enough to matter: (runs,) each.

    ``above`` (runs,) is how far they are above the lowest that the targets allow.
    """
    half = len(losses) // 2
    quarters = losses.reshape(4, half // 2, -1).mean(axis=1)  # means cancel a zigzag
    first, second = quarters[0] - quarters[1], quarters[2] - quarters[3]
    fall = done * (quarters[:2].mean(axis=0) - quarters[2:].mean(axis=0)) / (half * above)
    faster = np.log(second / first) * done / half
    accelerates = (first > 0) & (second > 0) & (faster > FASTER) & (fall > STARTS)
    return fall > 0, accelerates, (fall > FALLS) | (fall < -RISES)


def _output_motion(task: Task, y: Array, means: list[Array], times: Array) -> tuple[Array, Array, Array]:
    """Whether all wrong outputs become right, whether they are tied, and whether the tie is broken: (runs,) each.

    ``means`` are the outputs of two spans of epochs, ``times`` (runs,) how often such a span fits what was trained.
    """
    low, high = task.success.interval(task.data.t)
    clear = low + tie_tolerance(task), high - tie_tolerance(task)
    wrong = ~within(y, clear)
    ahead = y + AGAIN * times * (means[1] - means[0])
    arrives = np.asarray(within(ahead, clear).all(axis=0, where=wrong))
    is_tied = (_spread(y, wrong) <= 2 * tie_tolerance(task)) & (wrong.sum(axis=0) > 1)
    before, after = (_distances(task, values, wrong) for values in means)
    parts = (LATER * np.log(after / before) * times > np.log(0.5 / after)) & (after > ROUNDING)
    return arrives, is_tied, parts


def _distances(task: Task, y: Array, wrong: Array) -> Array:
    """How far the wrong examples are apart in the direction of their targets, relative to those: (runs,)."""
    t = np.broadcast_to(task.data.t, y.shape)
    count = np.maximum(wrong.sum(axis=0), 1)
    y, t = (np.where(wrong[:, None], v - np.where(wrong[:, None], v, 0).sum(axis=0) / count, 0) for v in (y, t))
    return np.abs((y * t).sum(axis=(0, 1))) / (t * t).sum(axis=(0, 1))


def _spread(y: Array, wrong: Array) -> Array:
    """The largest distance between the outputs of two wrong examples: (runs,)."""
    low, high = (np.where(wrong[:, None], y, end) for end in (np.inf, -np.inf))
    return np.asarray((high.max(axis=0) - low.min(axis=0)).max(axis=0))


def swing(losses: Array) -> Array:
    """Whether losses (epochs, runs) go up and down in turn, by a tenth or more: (runs,)."""
    losses = losses / np.maximum(losses.max(axis=0), np.finfo(losses.dtype).tiny)  # their products may overflow
    steps = np.diff(losses, axis=0)
    if len(steps) < 2:
        return np.zeros(losses.shape[1], bool)
    turns = (steps[1:] * steps[:-1] < 0).mean(axis=0)
    return np.asarray((turns >= 0.5) & (np.abs(steps).mean(axis=0) > SWINGS * losses.mean(axis=0)))


def _losses(learner: Learner, epochs: int, outputs: Array | None = None) -> Array:
    """Train some more epochs, with the learning rate of the last ones; returns the losses (epochs, runs) after each.

    A full batch is trained from the outputs of the last forward pass.  Adds the mean outputs to ``outputs``, if given.
    """
    losses = np.empty((epochs, learner.task.runs), learner.theta.dtype)
    for epoch in range(epochs):
        learner.update(learner.task.epochs - 1 - epoch % learner.task.epochs)
        y = learner.full.forward()
        if outputs is not None:
            outputs += y / epochs
        losses[epoch] = learner.task.criterion.total(learner.full.z[-1], y, learner.task.data.t)
    return losses


def _full_losses(learner: Learner) -> Array:
    return learner.task.criterion.total(learner.full.z[-1], learner.full.y, learner.task.data.t)
