"""Whether runs that are not solved are still getting anywhere: a few more epochs, thrown away afterwards.

What outputs and loss do in these epochs is drawn on in a straight line, for as long again as the run was trained.
"""

from dataclasses import replace

import numpy as np

from xortrain.nets import Array
from xortrain.training.diagnosis import near, ties
from xortrain.training.learner import Learner
from xortrain.training.loop import Training
from xortrain.training.task import Task

SETTLE = 100  # epochs that a run in batches goes on in full batch before it is measured, to lose their noise
TRIED = 16  # epochs, enough to see a speed
SHARE = 10  # neither is more than one in so many of the epochs trained, rounded up to four to try
FALLS = 0.01  # of the loss
SOON = 0.1  # of the epochs trained: a pair of outputs that drifts to its tie at 1/t is as near as a line can tell


def moves(training: Training, runs: Array) -> Array:
    """Which of these runs, by their places, are not at rest: (runs,).

    At rest is a run whose outputs, going on as they go for as long again as it was trained, are still within 1 % of
    the tied state that they are in; or, in no such state, of where they are, while its loss has changed by less
    than 1 %.  And they must still be wrong a tenth of that time ahead.
    """
    found = np.zeros(training.task.runs, bool)
    stayed = training.left[runs] > training.task.epochs
    for some in (runs[stayed], runs[~stayed]):
        if len(some):
            learner, done = _learner(training, some)
            _train(learner, 0 if training.task.batch_size is None else min(SETTLE, training.task.epochs // SHARE))
            found[some] = _moves(learner, done)[: len(some)]
    return found[runs]


def _learner(training: Training, runs: Array) -> tuple[Learner, Array]:
    """What goes on with these runs, in full batch, and how many updates they have had; a lone run gets a twin."""
    places = runs if len(runs) > 1 else runs[[0, 0]]
    task = training.task.take(places)
    done = np.maximum(training.left[places] - 1, 1) * _updates(task)
    task = replace(task, batch_size=None, epochs=max(1, task.epochs))
    theta = training.theta[:, places]
    if training.left[runs[0]] <= training.task.epochs:  # it left early, and the state of its optimizer is gone
        return Learner(task, theta), done
    at = np.zeros(training.task.runs, int)
    at[training.columns] = np.arange(len(training.columns))
    state = {name: value[..., at[places]] for name, value in training.learner.state.items()}
    return Learner(task, theta, state), done


def _updates(task: Task) -> float:
    """How many full batches an epoch is worth: the batches of a sum add up to one."""
    if task.batch_size is None or task.criterion.reduction == "sum":
        return 1
    return len(task.data.x) / task.batch_size


def _moves(learner: Learner, done: Array) -> Array:
    task = learner.task
    y, loss = learner.full.forward().copy(), _losses(learner)
    y_by_epoch, loss_by_epoch = _tried(learner)
    tied = ties(task, y)
    home = np.where(tied.holds, tied.state, y)
    after, soon = (y + done * share * y_by_epoch for share in (1, SOON))
    stays = (np.abs(after - home) <= near(task)).all(axis=(0, 1))
    flat = tied.holds | (np.abs(done * loss_by_epoch) < FALLS * np.abs(loss))
    solved = task.rule.right(soon, task.data.t).all(axis=0)
    return ~(stays & flat & ~solved)


def _tried(learner: Learner) -> tuple[Array, Array]:
    """How much outputs and loss change an epoch: from the mean of half the epochs to that of the other half.

    In the means of an even number of epochs the zigzag of a rate that is almost too large cancels.
    """
    half, y, loss = 2 * min(TRIED // 4, -(-learner.task.epochs // (4 * SHARE))), [], []
    for epochs in (half, half):
        sums = np.zeros_like(learner.full.y), np.zeros_like(learner.task.lr)
        for _ in range(epochs):
            learner.update(learner.task.epochs - 1)
            sums[0][:] += learner.full.forward()
            sums[1][:] += _losses(learner)
        y.append(sums[0])
        loss.append(sums[1])
    return (y[1] - y[0]) / half**2, (loss[1] - loss[0]) / half**2


def _train(learner: Learner, epochs: int) -> None:
    for _ in range(epochs):
        learner.full.forward()
        learner.update(learner.task.epochs - 1)


def _losses(learner: Learner) -> Array:
    return learner.task.criterion.total(learner.full.z[-1], learner.full.y, learner.task.data.t)
