"""What became of each run when its training was over, in one word and a few numbers.

The words stand in the order in which they are tried: the first that holds is the outcome.
"""

import numpy as np

from xortrain.nets import Array
from xortrain.nets.network import Pass
from xortrain.training.diagnosis import clones, dead, is_linear, saturated
from xortrain.training.forecast import moves
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
    holds = {"diverged": diverged, "solved": solved, "early": stopped} | _states(training, net, diverged | solved)
    outcome, reasons = _first(holds)
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
    """What holds of the runs, by its name in OUTCOMES; whether they move is asked of those that are not over."""
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


def _first(holds: dict[str, Array]) -> tuple[Array, Array]:
    """The first outcome that holds of each run, and all others that hold, as bits by their codes."""
    names = [name for name in OUTCOMES if name in holds]
    outcome = np.select([holds[name] for name in names], [code(name) for name in names])
    bits = sum(holds[name].astype(np.uint16) << code(name) for name in names)
    return outcome.astype(np.uint8), (bits & ~(1 << outcome)).astype(np.uint16)


def code(outcome: str) -> int:
    """The number under which an outcome is kept."""
    return OUTCOMES.index(outcome)


def words(codes: Array) -> list[str]:
    """The outcomes behind numbers (runs,)."""
    return [OUTCOMES[number] for number in np.asarray(codes).tolist()]


def others(bits: int) -> list[str]:
    """The outcomes behind the bits of one run's reasons."""
    return [name for place, name in enumerate(OUTCOMES) if bits >> place & 1]
