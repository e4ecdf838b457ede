"""The lowest loss of a layer without hidden units, which tells whether a line (or plane) separates the examples."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from xortrain.nets import Array
from xortrain.nets.contraction import runs_first
from xortrain.training.learner import Learner
from xortrain.training.task import Choice, Data, Task

NEWTON_STEPS, NEWTON_PRODUCTS = 40, 1e10  # at most, for the sums of products of a fit
RPROP_STEPS, RPROP_PRODUCTS, LOOK = 2000, 2e9, 100  # likewise; and steps between two looks at the loss
FLAT = 1e-10  # of the largest curvature so far is added to all, so that no weight grows to make use of rounding
STILL = 1e-6  # a loss that falls by less from look to look is at its lowest


def linear_fit(task: Task) -> tuple[Array, Array]:
    """The lowest loss of a single layer without hidden units, and whether every example is right: (runs,) each.

    It is trained by Newton's method, and then by Rprop for losses without curvature; from zero and from least squares,
    since an activation may be flat at zero.  What a run gets depends on its own examples only.
    """
    is_shared = task.data.x.ndim == 2 and task.data.t.shape[2] == 1
    runs = 1 if is_shared else task.runs
    learner = _learner(task, np.repeat(np.arange(runs), 2))
    x, outputs = learner.task.data.x, learner.task.network.outputs
    products = x.shape[0] * x.shape[1] * outputs
    _newton(learner, min(NEWTON_STEPS, int(NEWTON_PRODUCTS / products / x.shape[1])))
    loss, right = _rprop(learner, min(RPROP_STEPS, int(RPROP_PRODUCTS / products) // LOOK * LOOK))
    each = np.repeat(np.arange(runs), task.runs // runs)
    return loss.reshape(runs, 2).min(axis=1)[each], np.asarray(right.reshape(runs, 2).any(axis=1))[each]


def _learner(task: Task, both: Array) -> Learner:
    """A learner of the last layer on inputs that are uncorrelated, at zero and at least squares by turns."""
    network = replace(task.network, layers=task.network.layers[-1:], skip=False)
    settings = {"eta_minus": 0.5, "eta_plus": 1.2, "step_min": 1e-9, "step_max": 50.0}
    numbers = {name: np.full(len(both), value, task.theta.dtype) for name, value in settings.items()}
    two = replace(
        task.take(both),
        network=network.take(both),
        optimizer=Choice("rprop", numbers),
        schedule=Choice("constant"),
        lr=np.full(len(both), 0.1, task.theta.dtype),
        batch_size=None,
        freeze=(),
    )
    x, t = _uncorrelated(two.data.x, network.bias), two.data.t
    W = np.moveaxis(np.swapaxes(runs_first(t), 1, 2) @ runs_first(x) / len(t), 0, 2)
    fitted = network.join({"W1": W, "b1": np.broadcast_to(t.mean(axis=0), (t.shape[1], W.shape[2]))})
    start = fitted * (np.arange(len(both)) % 2)
    return Learner(replace(two, data=Data(x, t)), start.astype(task.theta.dtype))


def _uncorrelated(x: Array, is_centred: bool) -> Array:
    """Inputs (examples, inputs[, runs]) of which a layer makes the same outputs, and is trained in fewer steps."""
    each = runs_first(x.astype(float, order="C"))
    each /= np.abs(each).max(axis=1, keepdims=True) + np.finfo(float).tiny
    each -= each.mean(axis=1, keepdims=True) * is_centred
    _, size, ways = np.linalg.svd(each, full_matrices=False)
    known = size > size.max(axis=1, keepdims=True) * np.finfo(float).eps * max(x.shape[:2])
    ways *= np.divide(np.sqrt(len(x)), size, out=np.zeros_like(size), where=known)[..., None]
    made = np.zeros_like(each)
    np.einsum("rni,rki->rnk", each, ways, out=made[..., : size.shape[1]])  # not by BLAS: equal rows stay equal
    return np.moveaxis(made, 0, 2).reshape(x.shape).astype(x.dtype)


@np.errstate(all="ignore")
def _newton(learner: Learner, steps: int) -> None:
    """Steps of Newton's method, output by output, damped as by Levenberg and Marquardt; those that fail are undone."""
    net, theta, t = learner.full, learner.theta, learner.task.data.t
    x = runs_first(net.x.astype(float, order="C"))
    if learner.task.network.bias:
        x = np.concatenate([x, np.ones_like(x[..., :1])], axis=2)
    lowest, damping, kept = np.full(theta.shape[1], np.inf), np.full(theta.shape[1], 0.01), theta.copy()
    steepest = np.full(theta.shape[1], 1e-200)  # so that no sum is singular
    for step in range(steps + 1):
        loss = learner.task.criterion.total(net.z[0], net.forward(), t)
        falls = loss < lowest
        lowest, damping = np.where(falls, loss, lowest), np.where(falls, damping / 10, damping * 10).clip(1e-12, 1e9)
        kept[:] = theta[:] = np.where(falls, theta, kept)
        if step == steps:
            break
        delta, curvature = _slopes(learner)
        for output in range(t.shape[1]):
            for lanes in _parts(theta.shape[1], x.shape[1] * x.shape[2]):
                own = x[lanes] if len(x) > 1 else x
                square = np.swapaxes(own, 1, 2) @ (own * curvature[:, output, lanes].T[..., None])
                diagonal = np.einsum("rii->ri", square)
                steepest[lanes] = np.fmax(steepest[lanes], diagonal.max(axis=1))
                diagonal += diagonal * damping[lanes, None] + FLAT * steepest[lanes, None]
                slope = np.swapaxes(own, 1, 2) @ delta[:, output, lanes].T[..., None]
                change = np.linalg.solve(square, slope)[..., 0].T
                net.W[0][output, :, lanes] -= change[: net.x.shape[1]]
                if (b := net.b[0]) is not None:
                    b[output, lanes] -= change[-1]


def _slopes(learner: Learner) -> tuple[Array, Array]:
    """dL/dz and, by differences, d²L/dz² where it is positive, else 0: (examples, outputs, runs) each."""
    (layer,), criterion, t = learner.task.network.layers, learner.task.criterion, learner.task.data.t
    y = learner.full.forward()
    z, curvature = learner.full.z[0], np.empty_like(y)
    for output in range(t.shape[1]):
        h = 1e-4 * (1 + np.abs(z[:, output]))
        ends = list[Array]()
        for way in (h, -h):
            moved = z.copy()
            moved[:, output] += way
            a = layer.row.f(moved, np.empty_like(moved), **layer.settings)
            ends.append(criterion.delta(moved, a, t)[:, output])
        curvature[:, output] = ((ends[0] - ends[1]) / (2 * h)).clip(min=0)
    return criterion.delta(z, y, t), curvature


def _parts(lanes: int, size: int) -> Iterator[slice]:
    """The lanes in parts whose arrays have a million numbers at most, or one lane."""
    width = max(1, 1_000_000 // size)
    return (slice(start, start + width) for start in range(0, lanes, width))


def _rprop(learner: Learner, steps: int) -> tuple[Array, Array]:
    """The lowest loss of each lane on its way, until it is still, and whether every example was right: (lanes,)."""
    criterion, success, t = learner.task.criterion, learner.task.success, learner.task.data.t
    lanes = learner.theta.shape[1]
    lowest, right, going = np.full(lanes, np.inf), np.zeros(lanes, bool), np.ones(lanes, bool)
    for step in range(steps + 1):
        y = learner.full.forward()
        if step % LOOK == 0:
            loss = criterion.total(learner.full.z[-1], y, t)
            falls = loss + STILL * np.abs(loss) < lowest
            lowest = np.where(going, np.fmin(lowest, loss), lowest)
            right |= going & np.asarray(success.right(y, t).all(axis=0))
            going &= falls & ~right
            if not going.any():
                break
        learner.update(0)
    return lowest, right
