"""How each run ended, in one word and a few numbers.

The words are tried in order: the first that holds is the outcome, the others that hold are its reasons.
"""

import numpy as np

from xortrain.nets import Array
from xortrain.nets.network import Network, Pass, at_least_two
from xortrain.training.diagnosis import dead, equal_units, have_equal, is_linear, saturated, vanishes
from xortrain.training.engine import engine_losses
from xortrain.training.linear import linear_fit
from xortrain.training.loop import Training
from xortrain.training.motion import motion
from xortrain.training.reference import References, references
from xortrain.training.task import Results

OUTCOMES = (
    "pending", "diverged", "solved", "linear", "clones", "dead", "saturated", "plateau", "early", "training",
    "exploded", "learnt", "vanishing", "slow", "oscillating", "overfitting",
)  # fmt: skip
"""Every word, in the order of the codes that records store; the last four are only reasons."""
ORDER = (
    "diverged", "solved", "learnt", "exploded", "linear", "clones", "dead", "saturated", "plateau", "early", "training",
)  # fmt: skip
"""The words that may be an outcome, in the order in which they are tried."""
EXPLODED = 1000  # times the larger of the initial loss and the loss of the best constant answer
LEARNT = 0.95  # of the loss of the best constant answer
SHORT = 0.1  # how far the accuracy may be below that of the neighbours' vote
STILL = 0.01  # relative change that counts as none
FAR = 10  # times as far as it came: how far the loss of a slow run still is from that of a constant answer
STEADY = 0.25  # least share of its fall in the second half of the epochs, for a loss that still falls
OVERFITS = 0.2  # relative rise of the held-out loss above its lowest


@np.errstate(all="ignore")
def results(training: Training) -> Results:
    """The results of a finished training, from the last finite parameters of each run."""
    task, history = training.task, training.history
    runs = at_least_two(np.arange(task.runs))
    some = task.take(runs) if len(runs) > task.runs else task
    theta = training.theta.take(runs, axis=1) if len(runs) > task.runs else training.theta
    net = some.network.forward(theta, some.data.x)
    held = some.network.forward(theta, some.test.x) if some.test else None
    final_loss, held_loss = engine_losses(task, training.theta, [net, held] if held else [net])
    right = some.success.right(net.y, some.data.t)
    accuracy = some.success.counted(net.y, some.data.t).mean(axis=0)[: task.runs]
    test_loss, test_accuracy = np.full((2, some.runs), np.nan, theta.dtype)
    if held and some.test and held_loss is not None:
        test_loss = held_loss
        test_accuracy = some.success.counted(held.y, some.test.t).mean(axis=0)
    known = references(task)
    diverged = training.diverged_at >= 0
    solved = np.logical_and.reduce(right, axis=0)[: task.runs] & ~diverged
    if task.instruction_set:  # as the machine has judged, which may round an output to the other side of a bound
        solved = (training.last_wrong < training.left - 1) & ~diverged
    y, t = (held.y, some.test.t) if held and some.test else (net.y, some.data.t)
    judged = some.success.accurate(y, t).mean(axis=0)[: task.runs]
    enough = np.maximum(known.allowed - SHORT, (known.allowed + known.accuracy) / 2)
    learnt = ~diverged & ~solved & (final_loss < LEARNT * known.loss) & (judged >= enough)
    exploded_at = np.where(solved | learnt, -1, _exploded_at(training, known))
    stopped = (training.left <= task.epochs) & ~diverged
    holds = {"diverged": diverged, "solved": solved, "learnt": learnt, "exploded": exploded_at >= 0}
    holds["early"] = stopped & ~solved
    states, matters = _states(training, net, known, ~diverged & ~solved & ~learnt)
    outcome, reasons = _first_outcome(holds | states, {**matters, "plateau": ~stopped})
    return Results(
        theta=training.theta,
        outcome=outcome,
        reasons=reasons,
        epochs_done=np.where(diverged, training.diverged_at, training.left - 1),
        diverged_at=training.diverged_at,
        diverged_in=training.diverged_in,
        solved_at=np.where(solved, training.last_wrong + 1, -1),
        exploded_at=exploded_at,
        final_loss=final_loss,
        best_loss=np.fmin.reduce([*history.losses, final_loss]),
        accuracy=accuracy,
        test_loss=test_loss[: task.runs],
        test_accuracy=test_accuracy[: task.runs],
        constant_loss=known.loss,
        constant_accuracy=known.accuracy,
        allowed_accuracy=known.allowed,
    )


def _exploded_at(training: Training, known: References) -> Array:
    """The first recorded epoch at which the loss of each run is beyond all reason, (runs,); -1 for never."""
    losses = training.history.losses
    beyond = losses > EXPLODED * np.maximum(losses[0], known.loss)
    return np.where(beyond.any(axis=0), training.history.loss_epochs[beyond.argmax(axis=0)], -1)


def _states(
    training: Training, net: Pass, known: References, unsolved: Array
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Which words hold for the runs, and where (runs,) the words for units may be the outcome.

    Only ``unsolved`` runs (runs,), which have not learnt either, are tested for moving and for what slows them down.  A
    run that still moves is not called after its units, unless they rule out a solution.
    """
    task, runs, network = training.task, len(unsolved), net.network
    rest, moving, swings, vanishing = np.zeros((4, runs), bool)
    places = np.flatnonzero(unsolved)
    if len(places):
        vanishing[places] = vanishes(task.take(places), training.theta.take(places, axis=1))
    moving[places], trained = True, places[training.left[places] > 1]
    moving[trained], swings[trained] = motion(training, trained)
    rest[places] = ~moving[places]
    alive, off = training.diverged_at < 0, dead(net)[:, :runs]
    equal = [group[:, :runs] for group in equal_units(network, net.theta)]
    clones = np.any([have_equal(group) for group in equal] or [~alive & False], axis=0)
    one_unit = len(equal) == 1 and network.layers[0].row.is_monotone
    line = unsolved & (is_linear(network) | ((equal[0].max(axis=0) == 0) if one_unit and clones.any() else False))
    if line.any():
        line &= ~linear_fit(task)[1]
    states = {
        "linear": line & is_linear(network),
        "clones": alive & clones,
        "dead": alive & off.any(axis=0),
        "saturated": rest & saturated(task, net)[:, :runs].any(axis=0),
        "plateau": rest,
        "training": moving,
        "vanishing": vanishing,
        "slow": unsolved & ~off.any(axis=0) & _is_slow(training, known),
        "oscillating": swings,
        "overfitting": alive & _overfits(training),
    }
    return states, {"clones": rest | line, "dead": rest | _has_dead_layer(network, off)}


def _has_dead_layer(network: Network, off: Array) -> Array:
    """Which runs have a layer with no unit alive: (runs,) for ``off`` (units, runs)."""
    ends = np.cumsum([layer.units for layer in network.layers])[:-1]
    return np.any([layer.all(axis=0) for layer in np.split(off, ends)], axis=0)


def _is_slow(training: Training, known: References) -> Array:
    """Which runs hardly moved: their parameters, or a loss that is still above that of a constant answer."""
    task, losses, epochs = training.task, training.history.losses, training.history.loss_epochs
    way, start = (np.sqrt((theta**2).sum(axis=0)) for theta in (training.theta - task.theta, task.theta))
    first, last = losses[0], losses[-1]
    crawls = (last > (1 + STILL) * known.loss) & (last < first) & (last - known.loss > FAR * (first - last))
    crawls &= keeps_falling(losses, epochs)
    return (task.epochs > 1) & (training.left > task.epochs) & ((way > 0) & (way < STILL * start) | crawls)


def keeps_falling(losses: Array, epochs: Array) -> Array:
    """Whether losses (recorded, runs) after some epochs (recorded,) have fallen in their second half too: (runs,)."""
    middle = losses[np.searchsorted(epochs, epochs[-1] / 2, "right") - 1]
    return np.asarray(middle - losses[-1] >= STEADY * (losses[0] - losses[-1]))


def _overfits(training: Training) -> Array:
    """Which runs have a held-out loss that has risen again, while the training loss fell: (runs,)."""
    held, losses = training.history.test_losses, training.history.losses
    if held is None or len(held) < 3 or training.task.epochs < 2:
        return np.zeros(training.task.runs, bool)
    ended = [np.where(np.isnan(values), np.inf, values) for values in (held, losses)]
    last = np.maximum((np.isfinite(losses)).sum(axis=0) - 1, 0)
    best = ended[0].argmin(axis=0)
    (held_best, held_last), (then, now) = (
        [np.take_along_axis(values, rows[None], axis=0)[0] for rows in (best, last)] for values in ended
    )
    return (held_last > (1 + OVERFITS) * held_best) & (now < then / (1 + OVERFITS))


def _first_outcome(holds: dict[str, Array], matters: dict[str, Array]) -> tuple[Array, Array]:
    """The first outcome that holds for each run, and all others that hold, as bits by their codes.

    Where a word does not matter it is only a reason.
    """
    tried = holds | {name: holds[name] & where for name, where in matters.items()}
    outcome = np.select([tried[name] for name in ORDER], [code(name) for name in ORDER])
    bits = sum(mask.astype(np.uint16) << code(name) for name, mask in holds.items())
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
