"""What an answer reaches without learning: the best constant, and the vote of each example's neighbours.

An unsolved run is judged against both, so that a network on noisy data is not blamed for what the data do not allow.
"""

from dataclasses import dataclass

import numpy as np

from xortrain.nets import Array
from xortrain.nets.losses import Criterion
from xortrain.nets.network import at_least_two
from xortrain.training.success import Success
from xortrain.training.task import Data, Task

NEIGHBOURS = 15
FEWEST = 32  # examples; among fewer, 15 neighbours are no longer near
MOST_ASKED, MOST_VOTERS = 256, 4096  # examples that are predicted, and those that may vote
STEPS = 32  # of the golden-section search, which leaves 2e-7 of the interval
MARGIN = 30  # how far beyond targets -1 and 1 the best constant of a loss of margins is looked for
FLAT = 1e-6  # relative difference of losses that counts as none
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class References:
    """For each run, (runs,): loss and accuracy of the best constant answer, and the accuracy of the vote.

    Both accuracies are on the held-out examples if there are some.  The last is leaving one out if there are none;
    it is nan where there are few examples, or where the vote is no better than the constant answer.
    """

    loss: Array
    accuracy: Array
    allowed: Array


def references(task: Task) -> References:
    """The references of all runs of a task."""
    settings = [*task.criterion.settings.values(), task.success.low, task.success.high, *task.success.settings.values()]
    is_shared = task.data.x.ndim == 2 and task.data.t.shape[2] == 1 and all((v == v[0]).all() for v in settings)
    runs = at_least_two(np.arange(1 if is_shared else task.runs))
    some = task.take(runs)
    y, loss = best_constant(some)
    asked = (some.test or some.data).t
    share = np.maximum(_most_frequent(some.data.t, asked), some.success.accurate(y, asked).mean(axis=0))
    allowed = _allowed(some)
    allowed = np.where(allowed > share, allowed, np.nan)
    each = np.zeros(task.runs, int) if is_shared else np.arange(task.runs)
    return References(loss[each], share[each], allowed[each])


def best_constant(task: Task) -> tuple[Array, Array]:
    """The output (1, outputs, runs) that is best for all examples at once, and its loss (runs,)."""
    criterion = task.criterion
    t = np.broadcast_to(criterion.aims(task.data.t), (*task.data.t.shape[:2], task.runs))
    beyond = MARGIN * (criterion.row.targets == "signs")
    low, high = t.min(axis=0, keepdims=True) - beyond, t.max(axis=0, keepdims=True) + beyond

    def losses(y: Array) -> Array:
        return constant_losses(criterion, y, t)

    if criterion.row.mean_is_best or criterion.row.targets == "classes":  # whose outputs must sum to 1
        y = t.mean(axis=0, keepdims=True)
        return y, losses(y).sum(axis=(0, 1))
    inner = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)]
    found = [losses(y) for y in inner]
    for _ in range(STEPS):
        is_left = found[0] < found[1]
        low, high = np.where(is_left, low, inner[0]), np.where(is_left, inner[1], high)
        new = np.where(is_left, high - GOLDEN * (high - low), low + GOLDEN * (high - low))
        value = losses(new)
        inner = [np.where(is_left, new, inner[1]), np.where(is_left, inner[0], new)]
        found = [np.where(is_left, value, found[1]), np.where(is_left, found[0], value)]
    y = (low + high) / 2
    return y, losses(y).sum(axis=(0, 1))


def constant_losses(criterion: Criterion, y: Array, t: Array) -> Array:
    """The loss of each output if it is y (1, outputs, runs) for all targets t (examples, outputs, runs)."""
    values = criterion.row.value(np.broadcast_to(y, t.shape), t, **criterion.own)
    return np.asarray(values.sum(axis=0, keepdims=True) * criterion.share(t))


def is_flat(task: Task) -> bool:
    """Whether every constant answer from the lowest to the highest target has the same loss, for the only run."""
    criterion, t = task.criterion, task.data.t
    losses = [constant_losses(criterion, end(axis=0, keepdims=True), t).sum() for end in (t.min, t.max)]
    return bool(np.ptp(t, axis=0).any() and np.ptp([*losses, best_constant(task)[1][0]]) <= FLAT * max(losses))


def _most_frequent(t: Array, asked: Array) -> Array:
    """The share of the most frequent of targets t among those ``asked``, both (examples, outputs, 1 or runs)."""
    found = [np.unique(one, axis=0, return_counts=True) for one in np.moveaxis(t, 2, 0)]
    most = np.stack([targets[counts.argmax()] for targets, counts in found], axis=1)
    return np.asarray((asked == most).all(axis=1).mean(axis=0))


def _allowed(task: Task) -> Array:
    """The accuracy of the neighbours' vote, (runs,); nan for too few examples."""
    data, asked = task.data, task.test or task.data
    if len(data.x) < FEWEST:
        return np.full(task.runs, np.nan)
    known: dict[tuple[bytes, ...], float] = {}
    found = []
    for run in range(task.runs):
        one = np.array([run])
        own, those, rule = data.take(one), asked.take(one), task.success.take(one)
        arrays = own.x, own.t, those.x, those.t, rule.low, rule.high, rule.sd, *rule.settings.values()
        key = tuple(np.asarray(array).tobytes() for array in arrays)
        if key not in known:
            known[key] = _vote(own, those, rule, task.test is None)
        found.append(known[key])
    return np.array(found)


def _vote(data: Data, asked: Data, success: Success, leave_one_out: bool) -> float:
    """The accuracy of a local prediction: classes by vote, real targets by a plane through the neighbours."""
    x, t = (array if array.ndim == 2 else array[..., 0] for array in (data.x, data.t))
    scale = x.std(axis=0)
    scale = np.where(scale > 0, scale, 1)
    voters, places = _evenly(len(x), MOST_VOTERS), _evenly(len(asked.x), MOST_ASKED)
    inputs = asked.x if asked.x.ndim == 2 else asked.x[..., 0]
    near, far = inputs[places] / scale, x[voters] / scale
    distance = ((near**2).sum(axis=1)[:, None] + (far**2).sum(axis=1)) - 2 * near @ far.T
    if leave_one_out:
        distance[places[:, None] == voters] = np.inf
    chosen = np.argpartition(distance, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    y = t[voters][chosen].mean(axis=1)
    if not success.are_classes(t).all() and x.shape[1] < NEIGHBOURS // 2:
        y = _local_plane(near, far[chosen], t[voters][chosen])
    return float(success.accurate(y[..., None], asked.t[places]).mean())


def _local_plane(at: Array, x: Array, t: Array) -> Array:
    """The least-squares plane through t (asked, neighbours, outputs) over x (asked, neighbours, inputs), at ``at``."""
    offsets = np.concatenate([np.ones((*x.shape[:2], 1)), x - at[:, None]], axis=2)
    product = np.swapaxes(offsets, 1, 2) @ offsets + 1e-9 * np.eye(offsets.shape[2])
    return np.asarray(np.linalg.solve(product, np.swapaxes(offsets, 1, 2) @ t)[:, 0])


def _evenly(known: int, most: int) -> Array:
    return np.unique(np.linspace(0, known - 1, min(known, most)).astype(int))
