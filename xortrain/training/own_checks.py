"""Checks users' own rows before they are used, and completes them.

A function is tried on a few numbers: what it returns must fit, and a derivative that is given must be that of its
function.  A mistake is a UserError that begins with the name of the row.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xortrain.errors import LONGEST_REASON, UserError, cut, error_words, printable
from xortrain.nets import Array, Numbers
from xortrain.nets.activations import ACTIVATIONS, Activation
from xortrain.nets.datasets import Dataset, Points
from xortrain.nets.formula import not_given
from xortrain.nets.initializers import Fan, Initializer
from xortrain.nets.losses import Loss
from xortrain.nets.optimizers import Optimizer, Schedule
from xortrain.nets.setting import Settings, in_use, numbers
from xortrain.nets.worked_out import shaped, worked_out_activation, worked_out_loss, worked_out_optimizer
from xortrain.training.success import SuccessRule

STEP, WRONG = 1e-6, 1e-4  # of the central differences, and the relative error that is no rounding
TRIED = np.array([-3.1, -1.7, -0.6, -0.2, 0.0, 0.3, 0.9, 1.4, 2.8])
LARGEST = 100_000_000  # numbers of a data set


def completed(name: str, row: Any) -> Any:
    """The row with what it lacks; raises UserError for what is wrong with it."""
    if not isinstance(row.help, str) or not row.help.strip():
        raise UserError(f"{name}: its first argument must be a line of help")
    if clash := sorted({*row.own} & {*_shared(row)}):
        raise UserError(f"{name}: the setting {clash[0]} is one that every row of this kind has; rename it")
    with np.errstate(all="ignore"):
        return _CHECKS[type(row)](name, row)


def _shared(row: Any) -> Settings:
    """The settings that rows of a kind have besides their own."""
    return replace(row, own={}).settings


def _defaults(settings: Settings, runs: int, dtype: Any = np.float64) -> Numbers:
    """The defaults of settings that are numbers, (runs,); those that have none are 1."""
    values = {key: 1 if settings[key].default is None else settings[key].default for key in numbers(settings)}
    return in_use(settings, {key: np.full(runs, value, dtype) for key, value in values.items()})


def _call(name: str, what: str, function: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
    """What a function returns; an error of it is one line."""
    try:
        return function(*arguments, **settings)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{name}: {what} fails with {printable(cut(error_words(error), LONGEST_REASON))}") from None


def _refuse_shape(name: str, what: str, found: Any, like: Array) -> None:
    """Raise UserError if a result is no array of numbers of the shape of its argument."""
    array = np.asarray(found)
    if array.dtype.kind not in "fiub" or array.shape not in (like.shape, ()):
        got = f"shape {array.shape}" if array.dtype.kind in "fiub" else f"a {type(found).__name__}"
        raise UserError(f"{name}: {what} of an array of shape {like.shape} must have its shape; got {got}")


def _refuse_slope(name: str, what: str, points: Array, given: Array, value: Callable[[Array], Array]) -> None:
    """Raise UserError for a derivative that differs from central differences where these are smooth."""
    before, here, after = (value(points + step) for step in (-STEP, 0, STEP))
    left, right = (here - before) / STEP, (after - here) / STEP
    smooth = np.isfinite(left + right) & (abs(right - left) < 1e-3 * (1 + abs(left) + abs(right)))
    middle = (left + right) / 2
    wrong = smooth & ~(abs(given - middle) <= WRONG * (1 + abs(middle)))
    if wrong.any():
        at = np.unravel_index(int(wrong.argmax()), wrong.shape)
        raise UserError(
            f"{name}: {what} is {given[at]:.6g} at {points[at]:.6g}, but differences of its function give "
            f"{middle[at]:.6g} there"
        )


def activation(name: str, row: Activation) -> Activation:
    """An activation whose f works element by element, and whose derivative is that of f."""
    units, runs = 3, 2
    z = np.resize(TRIED, (len(TRIED), units, runs)) + 0.05 * np.arange(units * runs).reshape(units, runs)
    own = _defaults(row.settings, runs)
    for dtype in (np.float64, np.float32):
        given = z.astype(dtype)
        settings = _defaults(row.settings, runs, dtype)
        found = _call(name, "f(z)", row.f, given, **settings)
        _refuse_shape(name, "f(z)", found, given)
        if not np.array_equal(given, z.astype(dtype)):
            raise UserError(f"{name}: f changes its argument z, which is still needed; let it return a new array")
    is_coupled = row.product is not None or row.jacobian is not None
    if not is_coupled:
        each = shaped(row.f)
        alone = np.stack([[each(z[:1, :1] * 0 + one, **own)[0, 0] for one in rows] for rows in z[:, :, :1]])
        if not np.allclose(np.asarray(row.f(z, **own))[:, :, :1], alone[..., :1], equal_nan=True):
            raise UserError(f"{name}: f(z) of an element depends on other elements; it must work element by element")
    new = worked_out_activation(name, row)
    if not is_coupled:
        slopes = _call(name, "its derivative", new.derivative, z, new.f(z, **own), **own)
        whose = "the derivative that was worked out" if row.derivative is not_given else "its derivative"
        _refuse_slope(name, whose, z, slopes, lambda points: new.f(points, **own))
    return new


def loss(name: str, row: Loss) -> Loss:
    """A loss of each element, whose gradient by the outputs is that of its value."""
    if row.output not in ACTIVATIONS:
        raise UserError(f"{name}: output={row.output!r} is not an activation")
    for field, known in (("targets", ("any", "unit", "signs", "classes")), ("per", ("element", "example"))):
        if getattr(row, field) not in known:
            raise UserError(f"{name}: {field}={getattr(row, field)!r}: must be one of {', '.join(known)}")
    t = {
        "any": np.array([-1.3, 0.0, 0.4, 1.0]), "unit": np.array([0.0, 1.0, 0.3, 1.0]),
        "signs": np.array([-1.0, 1.0, -1.0, 1.0]), "classes": np.array([0.0, 1.0, 0.0, 1.0]),
    }[row.targets]  # fmt: skip
    t = np.resize(t, (8, 2, 1))
    low, high = np.clip(ACTIVATIONS[row.output].range, -9, 9)
    y = np.clip(np.resize(TRIED / 3, (8, 2, 3)), low + 0.1, high - 0.1) + 0.013 * np.arange(6).reshape(2, 3)
    own = _defaults(row.own, 3)
    found = _call(name, "value(y, t)", row.value, y, t, **own)
    _refuse_shape(name, "value(y, t)", found, y)
    new = worked_out_loss(name, row)
    gradient = _call(name, "its gradient", new.gradient, y, t, **own)
    whose = "the gradient that was worked out" if row.gradient is not_given else "its gradient"
    _refuse_slope(name, whose, y, gradient, lambda points: new.value(points, t, **own))
    return new


def initializer(name: str, row: Initializer) -> Initializer:
    """An initializer of arrays of the shape of the numbers that it is given."""
    if row.draw not in ("uniform", "normal", "nothing"):
        raise UserError(f"{name}: draw={row.draw!r}: must be uniform, normal or nothing")
    fan, own = Fan(2, 3, True, "sigmoid"), _defaults(row.own, 4)
    for what, function, shape in (("weights", row.weights, (3, 2, 4)), ("biases", row.biases, (3, 4))):
        drawn = np.linspace(-1, 1, int(np.prod(shape))).reshape(shape)
        found = _call(name, f"{what}(r, fan)", function, drawn, fan, **own)
        _refuse_shape(name, what, np.atleast_1d(found), drawn)
    return row


def dataset(name: str, row: Dataset) -> Dataset:
    """A data set whose points are numbers, as many as their labels."""
    if row.make is None:
        raise UserError(f"{name}: has no make(**settings), which returns xortrain.Points(x, labels)")
    make, values = row.make, {key: setting.default for key, setting in row.own.items()}
    new = replace(row, make=lambda **own: _points(name, make, own))
    if not row.own or None not in values.values():
        assert new.make is not None
        new.make(**values)
    return new


def _points(name: str, make: Callable[..., Any], own: dict[str, Any]) -> Points:
    found = _call(name, "make", make, **own)
    pair: Sequence[Any] = (found.x, found.labels) if isinstance(found, Points) else found
    if not (isinstance(pair, Sequence) and len(pair) == 2):
        raise UserError(f"{name}: make must return xortrain.Points(x, labels); got a {type(found).__name__}")
    x, labels = (_call(name, "make", np.asarray, one) for one in pair)
    if x.dtype.kind not in "fiub" or labels.dtype.kind not in "fiub":
        raise UserError(f"{name}: x and labels must be numbers; classes are whole numbers or rows of 0 and 1")
    if x.ndim != 2 or labels.ndim not in (1, 2) or len(x) != len(labels) or not 0 < x.size <= LARGEST:
        raise UserError(
            f"{name}: x must be (examples, inputs) and labels (examples,) or (examples, outputs); "
            f"got {x.shape} and {labels.shape}"
        )
    if not (np.isfinite(x).all() and np.isfinite(labels).all()):
        raise UserError(f"{name}: x and labels must be finite numbers")
    return Points(x.astype(np.float64), labels.astype(np.int64) if labels.dtype.kind == "b" else labels)


def optimizer(name: str, row: Optimizer) -> Optimizer:
    """An optimizer whose update changes θ in place, each parameter and run by itself alone."""
    new = _call(name, "start(theta, lr)", worked_out_optimizer, name, row)
    parameters, runs = 5, 3
    own, lr = _defaults(row.own, runs), np.full(runs, 0.1)
    theta = np.resize(TRIED, (parameters, runs)) + 0.1
    for key, value in _call(name, "start(theta, lr)", new.start, theta, lr, **own).items():
        if not isinstance(value, np.ndarray) or value.shape not in ((parameters, runs), (runs,)):
            raise UserError(f"{name}: its state {key} must be an array (parameters, runs) or (runs,)")
    whole, moved = theta.copy(), [theta[:, [run]].copy() for run in range(runs)]
    for places, values in ((slice(None), whole), *((slice(run, run + 1), values) for run, values in enumerate(moved))):
        settings = {key: value[places] for key, value in own.items()}
        state = new.start(values, lr[places], **settings)
        for step in (1.0, -0.5):
            g = (np.cos(values) * step).copy()
            _call(name, "update(theta, g, state, lr)", new.update, values, g, state, lr[places], **settings)
    if np.array_equal(whole, theta):
        raise UserError(f"{name}: update does not change theta; it must change it in place, as in theta -= lr * g")
    if not np.allclose(whole, np.concatenate(moved, axis=1), equal_nan=True):
        raise UserError(f"{name}: update of one run depends on other runs; the last axis is runs")
    return new


def schedule(name: str, row: Schedule) -> Schedule:
    """A schedule whose factor is a number for each run."""
    own = _defaults(row.settings, 3)
    for epoch in (0, 7):
        found = _call(name, "factor(epoch, epochs)", row.factor, epoch, 10, **own)
        if found is not None and np.asarray(found).shape not in ((), (3,)):
            raise UserError(f"{name}: factor(epoch, epochs) must be a number or (runs,); got {np.shape(found)}")
    factor = row.factor

    def as_array(epoch: Any, epochs: Any, **settings: Array) -> Any:
        found = factor(epoch, epochs, **settings)
        return np.asarray(found, np.float64) if isinstance(found, int | float) else found

    return replace(row, factor=as_array)


def success_rule(name: str, row: SuccessRule) -> SuccessRule:
    """A rule of two bounds for each target."""
    t, one = np.array([[[0.0]], [[1.0]]]) * np.ones(3), np.ones(3)
    own, sd = _defaults(row.settings, 3), np.full((1, 3), np.nan)
    found = _call(name, "interval(t, low, high, sd)", row.interval, t, 0 * one, one, sd, **own)
    is_pair = isinstance(found, tuple) and len(found) == 2
    if not is_pair or any(np.broadcast(bound, t).shape != t.shape for bound in found):
        raise UserError(f"{name}: interval must return two bounds of the shape of t")
    first = {key: values[0] for key, values in own.items()}
    words = _call(name, "words(low, high, sd)", row.words, 0.0, 1.0, sd[:, 0], **first)
    if not isinstance(words, str):
        raise UserError(f"{name}: words must return a text")
    return row


_CHECKS: dict[type, Callable[[str, Any], Any]] = {
    Activation: activation,
    Loss: loss,
    Initializer: initializer,
    Dataset: dataset,
    Optimizer: optimizer,
    Schedule: schedule,
    SuccessRule: success_rule,
}
