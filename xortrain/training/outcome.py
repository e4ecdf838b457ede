"""How each run ended, in one word and a few numbers; and whether an unsolved run is still moving.

The words are tried in order: the first that holds is the outcome.  To find whether a run moves, it is trained for a
few more epochs, which are then discarded, and its outputs and loss are extrapolated linearly.
"""

from dataclasses import replace

import numpy as np

from xortrain.nets import Array
from xortrain.nets.network import Pass, at_least_two
from xortrain.training.diagnosis import clones, dead, is_linear, saturated, tie_tolerance, ties
from xortrain.training.learner import Learner
from xortrain.training.loop import Training
from xortrain.training.task import Results

OUTCOMES = ("pending", "diverged", "solved", "linear", "clones", "dead", "saturated", "plateau", "early", "training")


@np.errstate(all="ignore")
def results(training: Training) -> Results:
    """The results of a finished training, from the last finite parameters of each run."""
    task, history = training.task, training.history
    runs = at_least_two(np.arange(task.runs))
    some = task.take(runs) if len(runs) > task.runs else task
    theta = training.theta[:, runs] if len(runs) > task.runs else training.theta
    net = some.network.forward(theta, some.data.x)
    final_loss = some.criterion.total(net.z[-1], net.y, some.data.t)
    right = some.success.right(net.y, some.data.t)
    test_loss, test_accuracy = np.full((2, some.runs), np.nan, theta.dtype)
    if some.test:
        held = some.network.forward(theta, some.test.x)
        test_loss = some.criterion.total(held.z[-1], held.y, some.test.t)
        test_accuracy = some.success.right(held.y, some.test.t).mean(axis=0)
    diverged = training.diverged_at >= 0
    solved = np.logical_and.reduce(right, axis=0)[: task.runs] & ~diverged
    best = np.fmin.reduce([*history.losses, final_loss[: task.runs]])
    stopped = (training.left <= task.epochs) & ~diverged
    holds = {"diverged": diverged, "solved": solved, "early": stopped} | _states(training, net, diverged | solved)
    outcome, reasons = _first_outcome(holds)
    return Results(
        theta=training.theta,
        outcome=outcome,
        reasons=reasons,
        epochs_done=np.where(diverged, training.diverged_at, training.left - 1),
        diverged_at=training.diverged_at,
        diverged_in=training.diverged_in,
        solved_at=np.where(solved, training.last_wrong + 1, -1),
        final_loss=final_loss[: task.runs],
        best_loss=best,
        accuracy=right.mean(axis=0)[: task.runs],
        test_loss=test_loss[: task.runs],
        test_accuracy=test_accuracy[: task.runs],
    )


def _states(training: Training, net: Pass, over: Array) -> dict[str, Array]:
    """Which outcomes hold for the runs; only unsolved runs that have not diverged are tested for moving."""
    runs, moving = len(over), np.zeros(len(over), bool)
    open_ends = np.flatnonzero(~over)
    moving[open_ends] = moves(training, open_ends)
    alive = training.diverged_at < 0
    return {
        "linear": alive & is_linear(net.network),
        "clones": alive & clones(net.network, net.theta)[:runs],
        "dead": alive & _any(dead(net))[:runs],
        "saturated": ~over & ~moving & _any(saturated(training.task, net))[:runs],
        "plateau": ~over & ~moving,
        "training": ~over & moving,
    }


def _any(units: Array) -> Array:
    return np.logical_or.reduce(units, axis=0)


def _first_outcome(holds: dict[str, Array]) -> tuple[Array, Array]:
    """The first outcome that holds for each run, and all others that hold, as bits by their codes."""
    names = [name for name in OUTCOMES if name in holds]
    outcome = np.select([holds[name] for name in names], [code(name) for name in names])
    bits = sum(holds[name].astype(np.uint16) << code(name) for name in names)
    return outcome.astype(np.uint8), (bits & ~(1 << outcome)).astype(np.uint16)


def code(outcome: str) -> int:
    """The number that stands for an outcome in a record."""
    return OUTCOMES.index(outcome)


def words(codes: Array) -> list[str]:
    """The outcomes of codes (runs,)."""
    return [OUTCOMES[number] for number in np.asarray(codes).tolist()]


def others(bits: int) -> list[str]:
    """The outcomes in the bits of one run's reasons."""
    return [name for place, name in enumerate(OUTCOMES) if bits >> place & 1]


SETTLE = 100  # full-batch epochs before a run in batches is measured, to remove the noise of its batches
TRIED = 16  # epochs in which the speed is measured
SHARE = 10  # both are at most a tenth of the epochs trained, but the speed is measured over at least four
FALLS = 0.01  # smallest change of a moving loss, as a share of the loss
SOON = 0.1  # share of the epochs trained: outputs that drift to a tie like 1/t look linear only this far


def moves(training: Training, runs: Array) -> Array:
    """Which of these runs, by their indices, are still moving: (runs,).

    A run is at rest if its outputs, extrapolated for as long again as it was trained, are still within 1 % of the tied
    state that they are in; or, if they are in none, within 1 % of their present values, and its loss changes by less
    than 1 %.  Extrapolated for a tenth of that time, some example must still be wrong.
    """
    found = np.zeros(training.task.runs, bool)
    stayed = training.left[runs] > training.task.epochs
    for some in (runs[stayed], runs[~stayed]):
        if len(some):
            learner, done = _continued(training, some)
            for _ in range(0 if training.task.batch_size is None else min(SETTLE, training.task.epochs // SHARE)):
                learner.full.forward()
                learner.update(learner.task.epochs - 1)
            found[some] = _are_moving(learner, done)[: len(some)]
    return found[runs]


def _continued(training: Training, runs: Array) -> tuple[Learner, Array]:
    """A learner that continues these runs in full batch, and the number of updates they have had."""
    places = at_least_two(runs)
    task = training.task.take(places)
    in_batches = task.batch_size is not None and task.criterion.reduction == "mean"  # sums add up to a full batch
    done = np.maximum(training.left[places] - 1, 1) * (len(task.data.x) / (task.batch_size or 1) if in_batches else 1)
    task = replace(task, batch_size=None, epochs=max(1, task.epochs))
    theta = training.theta[:, places]
    if training.left[runs[0]] <= training.task.epochs:  # it left early; the state of its optimizer was not stored
        return Learner(task, theta), done
    at = np.zeros(training.task.runs, int)
    at[training.columns] = np.arange(len(training.columns))
    state = {name: value[..., at[places]] for name, value in training.learner.state.items()}
    return Learner(task, theta, state), done


def _are_moving(learner: Learner, done: Array) -> Array:
    task = learner.task
    y, loss = learner.full.forward().copy(), _full_losses(learner)
    y_by_epoch, loss_by_epoch = _measured_speed(learner)
    tied = ties(task, y)
    home = np.where(tied.holds, tied.state, y)
    after, soon = (y + done * share * y_by_epoch for share in (1, SOON))
    stays = (np.abs(after - home) <= tie_tolerance(task)).all(axis=(0, 1))
    flat = tied.holds | (np.abs(done * loss_by_epoch) < FALLS * np.abs(loss))
    solved = task.success.right(soon, task.data.t).all(axis=0)
    return ~(stays & flat & ~solved)


def _measured_speed(learner: Learner) -> tuple[Array, Array]:
    """The change of outputs and loss per epoch, from the mean of the first half of the epochs to that of the second.

    Means over an even number of epochs cancel the oscillation that a nearly too large learning rate causes.
    """
    half, y, loss = 2 * min(TRIED // 4, -(-learner.task.epochs // (4 * SHARE))), [], []
    for epochs in (half, half):
        sums = np.zeros_like(learner.full.y), np.zeros_like(learner.task.lr)
        for _ in range(epochs):
            learner.update(learner.task.epochs - 1)
            sums[0][:] += learner.full.forward()
            sums[1][:] += _full_losses(learner)
        y.append(sums[0])
        loss.append(sums[1])
    return (y[1] - y[0]) / half**2, (loss[1] - loss[0]) / half**2


def _full_losses(learner: Learner) -> Array:
    return learner.task.criterion.total(learner.full.z[-1], learner.full.y, learner.task.data.t)
