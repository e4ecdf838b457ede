"""What became of each run when its training was over, in one word and a few numbers.

The words stand in the order in which they are tried: the first that holds is the outcome.
"""

import numpy as np

from xortrain.nets import Array
from xortrain.training.loop import Training
from xortrain.training.task import Results

OUTCOMES = ("pending", "diverged", "solved", "linear", "clones", "dead", "saturated", "plateau", "early", "training")


@np.errstate(all="ignore")
def results(training: Training) -> Results:
    """The results of a training that has run: everything from the last finite parameters of each run."""
    task, history = training.task, training.history
    twice = np.zeros(2, int)
    some = task.take(twice) if task.runs == 1 else task
    theta = training.theta[:, twice] if task.runs == 1 else training.theta
    net = some.network.forward(theta, some.data.x)
    final_loss = some.criterion.total(net.z[-1], net.y, some.data.t)
    right = some.rule.right(net.y, some.data.t)
    test_loss, test_accuracy = np.full((2, some.runs), np.nan, theta.dtype)
    if some.test:
        held = some.network.forward(theta, some.test.x)
        test_loss = some.criterion.total(held.z[-1], held.y, some.test.t)
        test_accuracy = some.rule.right(held.y, some.test.t).mean(axis=0)
    diverged = training.diverged_at >= 0
    solved = np.logical_and.reduce(right, axis=0)[: task.runs] & ~diverged
    best = np.fmin.reduce([*history.losses, final_loss[: task.runs]])
    stopped = (training.left <= task.epochs) & ~diverged
    outcome = np.select(
        [diverged, solved, stopped], [code("diverged"), code("solved"), code("early")], code("training")
    )
    return Results(
        theta=training.theta,
        outcome=outcome.astype(np.uint8),
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


def code(outcome: str) -> int:
    """The number under which an outcome is kept."""
    return OUTCOMES.index(outcome)


def words(codes: Array) -> list[str]:
    """The outcomes behind numbers (runs,)."""
    return [OUTCOMES[number] for number in np.asarray(codes).tolist()]
