"""The two gradient checks: of a network that xortrain trains, and of a gradient that a user has written."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.explain.differences import STEP, Check, Measure, Slopes, compare_gradient, parameter_names, slopes
from xortrain.explain.mistakes import mistakes
from xortrain.explain.step import corners, step_at
from xortrain.nets import Array
from xortrain.training.task import Task

TOLERANCE = {"float64": 1e-6, "float32": 1e-3}  # relative
OWN_TOLERANCE = 1e-5
Arrays = Mapping[str, Any] | Sequence[Any]


@np.errstate(all="ignore")
def check_network(task: Task, epoch: int = 0, run: int = 0, tolerance: float | None = None) -> Check:
    """The gradient that trains a run, at the parameters that it has after some epochs, against differences."""
    step = step_at(task, epoch, run)
    network, share = step.network, step.share

    def measure(places: Array, size: float) -> Slopes:
        found = step.by_parameters(places, size)
        return Slopes(found.left * share, found.right * share, found.noise * share)

    allowed = tolerance or TOLERANCE[str(step.before.theta.dtype)]
    g = network.join(step.total.gradient).astype(np.float64)
    if not (np.isfinite(g).all() and np.isfinite(step.before.loss)):
        since = "" if step.lost_at is None else f" (not every parameter is finite since epoch {step.lost_at})"
        raise UserError(f"epoch={epoch}: the run has diverged there{since}; there is no gradient to check")
    rows = compare_gradient(parameter_names(network.shapes), g, measure, allowed)
    hints = []
    if any(row.verdict == "corner" for row in rows):
        hints = [corner.sentence.replace("`", "") for corner in corners(step, list(range(len(step.x))))[:6]]
    batch = "" if step.updates == 1 else ", the first batch"
    title = f"{network}, {step.criterion.loss}, epoch {epoch}{batch}: {network.size:,} parameters"
    return Check(title, rows, allowed, tuple(hints))


def check_gradients(
    params: Arrays, loss_fn: Callable[[Any], Any], grads: Arrays, tolerance: float = OWN_TOLERANCE
) -> Check:
    """Your own gradient against central differences of your own loss.

    ``params`` and ``grads`` are dicts or lists of arrays in the order of the layers, ``loss_fn(params)`` gives one
    number.  Where the two differ in a telling way, the result says which mistake that looks like.
    """
    own, given = _named(params), _named(grads)
    if extra := [name for name in given if name not in own]:
        raise UserError(f"grads={extra[0]}: there is no such parameter; there are {', '.join(own)}")
    measure = _measure(own, loss_fn if isinstance(params, Mapping) else lambda p: loss_fn(list(p.values())))
    g = np.concatenate([_fitting(given.get(name), value).ravel() for name, value in own.items()])
    rows = compare_gradient(parameter_names({name: value.shape for name, value in own.items()}), g, measure, tolerance)
    hints = []
    if any(row.verdict == "wrong" for row in rows):
        numeric = _split(measure(np.arange(len(g)), STEP).central[0], own)
        hints = mistakes(own, given, numeric)
    return Check("Your gradient against central differences", rows, tolerance, tuple(hints))


def _measure(own: Mapping[str, Array], loss_fn: Callable[[Any], Any]) -> Measure:
    """Slopes of a user's loss, which is called once for each move."""
    theta = np.concatenate([value.ravel() for value in own.values()])

    def measure(places: Array, size: float) -> Slopes:
        def losses(moved: Array) -> Array:
            points = np.repeat(theta[:, None], moved.shape[1], axis=1)
            points[places] = moved
            return np.array([[_one_number(loss_fn(_split(point, own))) for point in points.T]])

        return slopes(losses, theta[places], size)

    return measure


def _named(arrays: Arrays) -> dict[str, Array]:
    """Arrays by name; those of a list are called by their place."""
    pairs = arrays.items() if isinstance(arrays, Mapping) else ((f"[{k}]", value) for k, value in enumerate(arrays))
    return {name: np.array(value, np.float64) for name, value in pairs if value is not None}


def _split(theta: Array, like: Mapping[str, Array]) -> dict[str, Array]:
    """θ (parameters,) cut into arrays shaped like others."""
    ends = np.cumsum([value.size for value in like.values()])[:-1]
    parts = np.split(theta.copy(), ends)
    return {name: part.reshape(value.shape) for part, (name, value) in zip(parts, like.items(), strict=True)}


def _fitting(given: Array | None, like: Array) -> Array:
    """A gradient in the shape of its parameter; what is missing or does not fit is nan."""
    if given is None or given.size != like.size or np.squeeze(given).shape != np.squeeze(like).shape:
        return np.full(like.shape, np.nan)
    return given.reshape(like.shape)


def _one_number(loss: Any) -> float:
    value = np.asarray(loss)
    if value.size != 1:
        raise UserError(f"loss_fn: must return one number, not an array of shape {value.shape}")
    return float(value.item())
