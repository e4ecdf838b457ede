"""The examples of a population: made from settings, read from a table, or given by a Python user.

Targets are coded as the loss requires; those that the loss cannot use raise UserError.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.nets.datasets import DATASETS, NO_SCALING, UNSCALED, DataScaling, Scaling, fit_of, split, targets
from xortrain.nets.losses import LOSSES
from xortrain.setup.csv_table import UNNAMED, Columns, columns_of, place_of, read_table
from xortrain.setup.population import Arrays, Population
from xortrain.training.task import Data

MOST_CLASSES = 256
OWN = "(x, t)", "(x_test, t_test)"  # names of a Python user's arrays


class Examples(NamedTuple):
    """The training examples, those held out, the names of their columns, and their scaling, still to be applied."""

    train: Data
    test: Data | None = None
    columns: Columns = UNNAMED
    scaling: DataScaling = UNSCALED


class OwnData(NamedTuple):
    """A user's own x (examples, inputs) and t (examples, outputs), the names of their columns, and where they are.

    ``held`` are x and t of held-out examples, if they come with the others.
    """

    x: Array
    t: Array
    columns: Columns
    where: str
    held: tuple[Array, Array] | None = None


def examples(population: Population) -> Examples:
    """Training and test examples of all runs; arrays have an axis of runs if the examples differ between runs."""
    own = _own_data(population)
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
    name, loss = population.shared("data.name"), population.shared("loss.name")
    row = DATASETS[name]
    assert row.make is not None
    dataset = row.make(**{key: _first(population, key) for key in row.own})
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


def _first(population: Population, key: str) -> Any:
    return population.values(f"data.{key}")[0].item()


def _refuse_empty(train: int, test: int, share: float) -> None:
    if not train or not test:
        raise UserError(f"data.test={share:g}: leaves {train} examples to train on and {test} to test")


def _data(population: Population, x: Array, t: Array) -> Data:
    refuse_unfit_targets(population, t)
    with np.errstate(over="ignore"):
        x, t = (np.ascontiguousarray(values, population.dtype) for values in (x, t))
    if not (np.isfinite(x).all() and np.isfinite(t).all()):
        largest = np.finfo(population.dtype).max
        raise UserError(f"dtype={population.dtype}: the data have numbers beyond its largest, {largest:.3g}")
    return Data(x, t[..., None])


def refuse_unfit_targets(population: Population, t: Array) -> None:
    """Refuse targets (examples, outputs, …) that the loss cannot use."""
    loss = population.shared("loss.name")
    kind = LOSSES[loss].targets
    if kind == "signs" and not np.isin(t, (-1, 1)).all():
        hint = "; add data.low=-1 data.high=1" if "low" in population.config["data"] else ""
        raise UserError(f"loss={loss}: requires targets -1 and 1, these are {_listed(t)}{hint}")
    if kind == "unit" and not ((t >= 0) & (t <= 1)).all():
        raise UserError(f"loss={loss}: requires targets from 0 to 1, these are {_listed(t)}")
    if kind == "classes" and not (np.isin(t, (0, 1)).all() and (t.sum(axis=1) == 1).all() and t.shape[1] > 1):
        raise UserError(f"loss={loss}: requires one class per example, one-hot with 0 and 1; targets are {_listed(t)}")


def _listed(t: Array) -> str:
    """The first four distinct values, as text."""
    values = np.unique(t)
    return ", ".join(f"{value:g}" for value in values[:4]) + (", …" if len(values) > 4 else "")


def _own_arrays(arrays: Arrays) -> OwnData:
    """A Python user's own examples."""
    parts = [_given(x, t, of) for x, t, of in zip(arrays[::2], arrays[1::2], OWN[: len(arrays) // 2], strict=True)]
    sizes = [f"{x.shape[1]} and {t.shape[1]}" for x, t in parts]
    if sizes[-1] != sizes[0]:
        raise UserError(f"data={OWN[1]}: must have as many columns as {OWN[0]}, {sizes[0]}, not {sizes[1]}")
    return OwnData(*parts[0], UNNAMED, f"data={OWN[0]}", parts[1] if len(parts) > 1 else None)


def _given(x: Any, t: Any, name: str) -> tuple[Array, Array]:
    """Checked arrays: x (examples, inputs), t (examples,) or (examples, outputs)."""
    try:
        x, t = np.array(x, np.float64), np.array(t, np.float64)
    except (TypeError, ValueError):
        raise UserError(f"data={name}: must be two arrays of numbers") from None
    t = t[:, None] if t.ndim == 1 else t
    if x.ndim != 2 or t.ndim != 2 or len(x) != len(t) or not x.size or not t.size:
        shapes = "x (examples, inputs) and t (examples,) or (examples, outputs)"
        raise UserError(f"data={name}: must be {shapes}, not {x.shape} and {t.shape}")
    if not (np.isfinite(x).all() and np.isfinite(t).all()):
        raise UserError(f"data={name}: must be finite")
    return x, t


def _own_data(population: Population) -> OwnData | None:
    """The user's own data, from Python or from a table; None for data that are made."""
    if population.arrays:
        return _own_arrays(population.arrays)
    if DATASETS[population.shared("data.name")].make:
        return None
    path, chosen = population.shared("data.path"), population.shared("data.targets")
    if path is None:
        raise UserError("data.path=null: data=csv requires a file, as in data.path=table.csv")
    names, table = read_table(Path(path))
    places = [place_of(names, target) for target in chosen] or [len(names) - 1]
    if len(set(places)) < len(places):
        raise UserError(f"data.targets={chosen}: names a column twice")
    if len(places) == len(names):
        raise UserError(f"data.targets={chosen}: leaves no column for the inputs")
    x, t = np.delete(table, places, axis=1), table[:, places]
    return OwnData(x, t, columns_of(names, places), f"data.path={path}")


def _of_own(population: Population, own: OwnData) -> Examples:
    """The user's own data, with one-hot targets if the loss requires classes."""
    x, t, columns, where, held = own
    if LOSSES[population.shared("loss.name")].targets == "classes" and t.shape[1] == 1:
        kinds = _one_hot(where, np.concatenate([t, held[1]] if held else [t])[:, 0])
        t, columns = kinds[: len(t)], columns.of_classes(kinds.shape[1])
        held = (held[0], kinds[len(t) :]) if held else None
    share = _first(population, "test")
    if held and share:
        raise UserError(f"data.test={share:g}: these data have held-out examples of their own")
    if not share:
        return Examples(_data(population, x, t), _data(population, *held) if held else None, columns)
    rows = np.arange(len(x))
    train, test = (part.labels for part in split(x, rows, share, _first(population, "seed")))
    _refuse_empty(len(train), len(test), share)
    return Examples(_data(population, x[train], t[train]), _data(population, x[test], t[test]), columns)


def _one_hot(where: str, classes: Array) -> Array:
    if not (np.isin(classes, np.arange(MOST_CLASSES)).all()):
        raise UserError(f"{where}: classes must be whole numbers from 0 to {MOST_CLASSES - 1}")
    return np.eye(max(2, int(classes.max()) + 1))[classes.astype(int)]
