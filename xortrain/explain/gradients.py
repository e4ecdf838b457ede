"""The two gradient checks: of a network that xortrain trains, and of a gradient that a user has written."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from xortrain.errors import UserError, checks_arguments, counted, cut
from xortrain.explain.differences import STEP, GradientCheck, Measure, Slopes, compare_gradient, slopes
from xortrain.explain.mistakes import backprop_mistakes
from xortrain.explain.step import Step
from xortrain.nets import Array
from xortrain.records.layout import parameter_names

TOLERANCE = 1e-6  # relative
OWN_TOLERANCE = 1e-5
Arrays = Mapping[str, Any] | Sequence[Any]


@np.errstate(all="ignore")
def check_network(step: Step) -> GradientCheck:
    """Compare the gradient of a training step, in float64, with differences; raises UserError if it is not finite."""
    network, share = step.network, step.share

    def measure(places: Array, size: float) -> Slopes:
        found = step.by_parameters(places, size)
        return Slopes(found.left * share, found.right * share, found.noise * share)

    if not (np.isfinite(network.join(step.total.gradient)).all() and np.isfinite(step.before.loss)):
        since = "" if step.lost_at is None else f" (not every parameter is finite from epoch {step.lost_at} on)"
        raise UserError(f"epoch={step.epoch}: the run has diverged{since}; there is no gradient to check")
    rows = compare_gradient(parameter_names(network.shapes), step.precise_gradient, measure, TOLERANCE)
    is_at_corner = any(row.verdict == "corner" for row in rows)
    hints = [text.replace("`", "") for text in step.corners(list(range(len(step.x))))[:6]] if is_at_corner else []
    batch = "" if step.updates == 1 else ", the first batch"
    count = counted(network.size, "parameter") + (", checked in float64" if step.before.loss.dtype == "float32" else "")
    title = f"{network}, {step.task.criterion.loss}, epoch {step.epoch}{batch}: {count}"
    return GradientCheck(title, rows, TOLERANCE, tuple(hints))


@checks_arguments
def check_gradients(
    params: Arrays, loss_fn: Callable[[Any], Any], grads: Arrays, tolerance: float = OWN_TOLERANCE
) -> GradientCheck:
    """Compare your own gradient with central differences of your own loss.

    ``params`` and ``grads`` are dicts or lists of arrays in the order of the layers, ``loss_fn(params)`` returns one
    number.  If the gradient is wrong, the hints name likely mistakes.  Raises UserError for arguments that do not fit.
    """
    own, given = _named("params", params), _named("grads", grads)
    if not own:
        raise UserError("params: must have at least one array")
    if extra := [name for name in given if name not in own]:
        raise UserError(f"grads={extra[0]}: there is no such parameter; there are {', '.join(own)}")
    measure = _measure(own, loss_fn if isinstance(params, Mapping) else lambda p: loss_fn(list(p.values())))
    g = np.concatenate([_fitted(given.get(name), value).ravel() for name, value in own.items()])
    rows = compare_gradient(parameter_names({name: v.shape for name, v in own.items()}), g, measure, tolerance)
    hints = []
    if any(row.verdict in ("wrong", "rough") for row in rows):
        hints = backprop_mistakes(own, given, _split(measure(np.arange(len(g)), STEP).central[0], own))
    return GradientCheck("Your gradient against central differences", rows, tolerance, tuple(hints))


def _measure(own: Mapping[str, Array], loss_fn: Callable[[Any], Any]) -> Measure:
    """Slopes of a user's loss, which is called once for each move."""
    theta = np.concatenate([value.ravel() for value in own.values()])

    def measure(places: Array, size: float) -> Slopes:
        def losses(moved: Array) -> Array:
            points = np.repeat(theta[:, None], moved.shape[1], axis=1)
            points[places] = moved
            found = [np.asarray(loss_fn(_split(point, own))) for point in points.T]
            if wrong := [loss for loss in found if loss.size != 1 or loss.dtype.kind not in "biuf"]:
                what = f"an array of shape {wrong[0].shape}" if wrong[0].size != 1 else cut(repr(wrong[0].item()))
                raise UserError(f"loss_fn: must return one number, not {what}")
            return np.array([[float(loss.item()) for loss in found]])

        return slopes(losses, theta[places], size)

    return measure


def _named(argument: str, arrays: Arrays) -> dict[str, Array]:
    """Arrays by name; the arrays of a list are called [0], [1], …"""
    pairs = arrays.items() if isinstance(arrays, Mapping) else ((f"[{k}]", value) for k, value in enumerate(arrays))
    try:
        return {name: np.array(value, np.float64) for name, value in pairs if value is not None}
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"{argument}: must be arrays of numbers, in a dict or a list") from None


def _split(theta: Array, like: Mapping[str, Array]) -> dict[str, Array]:
    """θ (parameters,) as arrays with the shapes of others."""
    parts = np.split(theta.copy(), np.cumsum([value.size for value in like.values()])[:-1])
    return {name: part.reshape(value.shape) for part, (name, value) in zip(parts, like.items(), strict=True)}


def _fitted(given: Array | None, like: Array) -> Array:
    """A gradient in the shape of its parameter; nan if it is missing or does not fit."""
    if given is None or given.size != like.size or np.squeeze(given).shape != np.squeeze(like).shape:
        return np.full(like.shape, np.nan)
    return given.reshape(like.shape)
