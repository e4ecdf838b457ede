"""The examples of a population: made from settings, or a user's own.

Targets are coded as the loss requires; those that the loss cannot use raise UserError.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from xortrain.errors import UserError, counted
from xortrain.nets import Array
from xortrain.nets.datasets import (
    DATASETS,
    NO_SCALING,
    UNSCALED,
    DataScaling,
    Points,
    Scaling,
    fit_of,
    split,
    targets,
)  # fmt: skip
from xortrain.nets.losses import LOSSES
from xortrain.setup.column_names import UNNAMED, Columns
from xortrain.setup.own_data import OwnData
from xortrain.setup.population import Population
from xortrain.setup.target_coding import coded_targets, fitting_loss, fitting_loss_of
from xortrain.training.task import Data


class Examples(NamedTuple):
    """The training examples, those held out, the names of their columns, and their scaling, still to be applied."""

    train: Data
    test: Data | None = None
    columns: Columns = UNNAMED
    scaling: DataScaling = UNSCALED


def examples(population: Population, own: OwnData | None) -> Examples:
    """Training and test examples of all runs; arrays have an axis of runs if the examples differ between runs."""
    kinds = [key for key in population.varying if key.startswith("data.")]
    if not kinds:
        return _alike(population, own)
    columns = np.stack([population.varying[key] for key in kinds])
    _, firsts, which = np.unique(columns, axis=1, return_index=True, return_inverse=True)
    parts = [_alike(population.part(firsts[k : k + 1]), own) for k in range(len(firsts))]
    test = _joined([part.test for part in parts if part.test], which.ravel())
    train = _joined([part.train for part in parts], which.ravel())
    assert train is not None
    inputs = _joined_scaling([part.scaling.inputs for part in parts], which.ravel())
    targets = _joined_scaling([part.scaling.targets for part in parts], which.ravel())
    return Examples(train, test, parts[0].columns, DataScaling(inputs, targets))


def _joined(parts: list[Data], which: Array) -> Data | None:
    """One column for each run, from the part at its index in ``which`` (runs,); x has no axis of runs if all agree."""
    if not parts:
        return None
    same = all(np.array_equal(part.x, parts[0].x) for part in parts)
    x = parts[0].x if same else np.stack([part.x for part in parts], axis=-1)[..., which]
    return Data(x, np.concatenate([part.t for part in parts], axis=-1)[..., which])


def _joined_scaling(parts: list[Scaling], which: Array) -> Scaling:
    """The scaling of each run, from the part at its index in ``which``; without an axis of runs if all agree."""
    fitted = [part.fitted for part in parts if part.fitted]
    if all(np.array_equal(numbers, fitted[0]) for numbers in fitted):
        return parts[0]
    shift, factor = np.stack(fitted, axis=-1)[..., which]
    return Scaling((shift, factor))


def _alike(population: Population, own: OwnData | None) -> Examples:
    """The examples of runs that all have the same, with their scaling."""
    found = _coded(population, own)
    return found._replace(scaling=fitted_scaling(population, found.train, found.test))


def fitted_scaling(population: Population, train: Data, test: Data | None) -> DataScaling:
    """The scaling of the inputs, and of the targets of a regression, fitted to the training examples that all share.

    Two distinct targets, classes, and targets that a loss wants from 0 to 1 or as signs are never scaled.
    """
    fit = fit_of(population.config["data"])
    if fit is None:
        return UNSCALED
    values = np.unique(np.concatenate([part.t.ravel() for part in (train, test) if part]))
    is_regression = len(values) > 2 and LOSSES[population.shared("loss.name")].targets == "any"
    targets = Scaling.of(fit, train.t[..., 0]) if is_regression else NO_SCALING
    return DataScaling(Scaling.of(fit, train.x), targets)


def _coded(population: Population, own: OwnData | None) -> Examples:
    """The examples of runs that all have the same, with targets for their loss."""
    if own:
        return _of_own(population, own)
    loss, dataset = population.shared("loss.name"), _made(population)
    row = DATASETS[population.shared("data.name")]
    parts = [dataset]
    share = _first(population, "test") if "test" in population.config["data"] else 0.0
    if share:
        parts = list(split(dataset.x, dataset.labels, share, _first(population, "seed")))
        _refuse_empty(len(parts[0].x), len(parts[1].x), share)
    if row.is_regression:
        aims = [part.labels[:, None] for part in parts]
    else:
        low, high = _first(population, "low"), _first(population, "high")
        aims = [targets(part.labels, low, high, LOSSES[loss].targets == "classes") for part in parts]
    coded = [_data(population, part.x, t) for part, t in zip(parts, aims, strict=True)]
    return Examples(coded[0], coded[1] if share else None)


def _made(population: Population) -> Points:
    """The points of a data set that is made, of the first run."""
    row = DATASETS[population.shared("data.name")]
    assert row.make is not None
    return row.make(**{key: _first(population, key) for key in row.own})


def loss_that_fits(population: Population, own: OwnData | None) -> str:
    """What loss=auto chooses for the data of a population."""
    if own:
        return fitting_loss(own.targets)
    if DATASETS[population.shared("data.name")].is_regression:
        return "mse"
    labels = _made(population.part(slice(0, 1))).labels
    return fitting_loss_of(targets(labels, 0.0, 1.0))


def _first(population: Population, key: str) -> Any:
    return population.values(f"data.{key}")[0].item()


def _refuse_empty(train: int, test: int, share: float) -> None:
    if not train or not test:
        raise UserError(f"data.test={share:g}: leaves {counted(train, 'example')} to train on and {test} to test")


def _data(population: Population, x: Array, t: Array, hint: str = "") -> Data:
    refuse_unfit_targets(population, t, hint)
    with np.errstate(over="ignore"):
        x, t = (np.ascontiguousarray(values, population.dtype) for values in (x, t))
    if not (np.isfinite(x).all() and np.isfinite(t).all()):
        largest = np.finfo(population.dtype).max
        raise UserError(f"dtype={population.dtype}: the data have numbers beyond its largest, {largest:.3g}")
    return Data(x, t[..., None])


def refuse_unfit_targets(population: Population, t: Array, hint: str = "") -> None:
    """Refuse targets (examples, outputs, …) that the loss cannot use; ``hint`` is the override that fits them."""
    loss = population.shared("loss.name")
    kind = LOSSES[loss].targets
    if kind == "signs" and not np.isin(t, (-1, 1)).all():
        coded = "; add data.low=-1 data.high=1" if "low" in population.config["data"] else "; add loss=mse"
        wanted, fitting = "targets -1 and 1", hint or coded
    elif kind == "unit" and not ((t >= 0) & (t <= 1)).all():
        wanted, fitting = "targets from 0 to 1", hint or "; add loss=mse"
    elif kind == "classes" and not (np.isin(t, (0, 1)).all() and (t.sum(axis=1) == 1).all() and t.shape[1] > 1):
        wanted, fitting = "one class per example, one-hot with 0 and 1", hint or "; add loss=mse"
    else:
        return
    values = np.unique(t)
    listed = ", ".join(f"{value:g}" for value in values[:4]) + ", …" * (len(values) > 4)
    raise UserError(f"loss={loss}: requires {wanted}, but these are {listed}{fitting}")


def _of_own(population: Population, own: OwnData) -> Examples:
    """The user's own data, with targets for the loss."""
    x, columns, last = own.x, own.columns, len(own.x) - own.held
    t, outputs, classes = coded_targets(own, population.shared("loss.name"))
    columns = replace(columns, outputs=outputs, classes=classes)
    hint = f"; add loss={fitting_loss(own.targets)}"
    share = _first(population, "test")
    if own.held and share:
        raise UserError(f"data.test={share:g}: these data have held-out examples of their own")
    if not share:
        test = _data(population, x[last:], t[last:], hint) if own.held else None
        return Examples(_data(population, x[:last], t[:last], hint), test, columns)
    train, held = (part.labels for part in split(x, np.arange(len(x)), share, _first(population, "seed")))
    _refuse_empty(len(train), len(held), share)
    return Examples(_data(population, x[train], t[train], hint), _data(population, x[held], t[held], hint), columns)
