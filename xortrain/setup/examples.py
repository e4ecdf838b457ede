"""The examples of a population: made from settings, read from a table, or given by a Python user.

Targets are coded as the loss requires; those that the loss cannot use raise UserError.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.nets.datasets import DATASETS, split, targets
from xortrain.nets.losses import LOSSES
from xortrain.setup.csv_table import UNNAMED, Columns, Table, columns_of, place_of, read_table
from xortrain.setup.population import Population
from xortrain.training.task import Data

MOST_CLASSES = 256


class Examples(NamedTuple):
    """The training examples, those held out, and the names of their columns."""

    train: Data
    test: Data | None = None
    columns: Columns = UNNAMED


def examples(population: Population) -> Examples:
    """Training and test examples of all runs; arrays have an axis of runs if the examples differ between runs."""
    is_table = population.arrays is None and DATASETS[population.shared("data.name")].make is None
    if is_table and population.shared("data.path") is None:
        raise UserError("data.path=null: data=csv requires a file, as in data.path=table.csv")
    table = read_table(Path(population.shared("data.path"))) if is_table else None
    kinds = [key for key in population.varying if key.startswith("data.")]
    if not kinds:
        return _coded(population, table)
    columns = np.stack([population.varying[key] for key in kinds])
    _, firsts, which = np.unique(columns, axis=1, return_index=True, return_inverse=True)
    parts = [_coded(population.part(firsts[k : k + 1]), table) for k in range(len(firsts))]
    test = _joined([part.test for part in parts if part.test], which.ravel())
    train = _joined([part.train for part in parts], which.ravel())
    assert train is not None
    return Examples(train, test, parts[0].columns)


def _joined(parts: list[Data], which: Array) -> Data | None:
    """One column for each run, from the part at its index in ``which`` (runs,); x has no axis of runs if all agree."""
    if not parts:
        return None
    same = all(np.array_equal(part.x, parts[0].x) for part in parts)
    x = parts[0].x if same else np.stack([part.x for part in parts], axis=-1)[..., which]
    return Data(x, np.concatenate([part.t for part in parts], axis=-1)[..., which])


def _coded(population: Population, table: Table | None) -> Examples:
    """The examples of runs that all have the same."""
    x, t = population.arrays or (None, None)
    if x is not None and t is not None:
        return Examples(_data(population, *_given(x, t)))
    name, loss = population.shared("data.name"), population.shared("loss.name")
    if table:
        return _of_table(population, table)
    row = DATASETS[name]
    assert row.make is not None
    dataset = row.make(**{key: _first(population, key) for key in row.own})
    low, high = _first(population, "low"), _first(population, "high")
    parts = [dataset]
    share = _first(population, "test") if "test" in population.config["data"] else 0.0
    if share:
        parts = list(split(dataset.x, dataset.labels, share, _first(population, "seed")))
        _refuse_empty(len(parts[0].x), len(parts[1].x), share)
    one_hot = LOSSES[loss].targets == "classes"
    coded = [_data(population, part.x, targets(part.labels, low, high, one_hot)) for part in parts]
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
        raise UserError(f"loss={loss}: requires targets -1 and 1, these are {_listed(t)}; add data.low=-1 data.high=1")
    if kind == "unit" and not ((t >= 0) & (t <= 1)).all():
        raise UserError(f"loss={loss}: requires targets from 0 to 1, these are {_listed(t)}")
    if kind == "classes" and not (np.isin(t, (0, 1)).all() and (t.sum(axis=1) == 1).all() and t.shape[1] > 1):
        raise UserError(f"loss={loss}: requires one class per example, one-hot with 0 and 1; targets are {_listed(t)}")


def _listed(t: Array) -> str:
    """The first four distinct values, as text."""
    values = np.unique(t)
    return ", ".join(f"{value:g}" for value in values[:4]) + (", …" if len(values) > 4 else "")


def _given(x: Any, t: Any) -> tuple[Array, Array]:
    """A Python user's arrays: x (examples, inputs), t (examples,) or (examples, outputs)."""
    try:
        x, t = np.array(x, np.float64), np.array(t, np.float64)
    except (TypeError, ValueError):
        raise UserError("data=(x, t): must be two arrays of numbers") from None
    t = t[:, None] if t.ndim == 1 else t
    if x.ndim != 2 or t.ndim != 2 or len(x) != len(t) or not x.size or not t.size:
        shapes = "x (examples, inputs) and t (examples,) or (examples, outputs)"
        raise UserError(f"data=(x, t): must be {shapes}, not {x.shape} and {t.shape}")
    if not (np.isfinite(x).all() and np.isfinite(t).all()):
        raise UserError("data=(x, t): must be finite")
    return x, t


def _of_table(population: Population, read: Table) -> Examples:
    """data=csv: the table, with one-hot targets if the loss requires classes."""
    path, chosen = population.shared("data.path"), population.shared("data.targets")
    names, table = read
    places = [place_of(names, target) for target in chosen] or [len(names) - 1]
    if len(set(places)) < len(places):
        raise UserError(f"data.targets={chosen}: names a column twice")
    if len(places) == len(names):
        raise UserError(f"data.targets={chosen}: leaves no column for the inputs")
    x, t = np.delete(table, places, axis=1), table[:, places]
    columns = columns_of(names, places)
    if LOSSES[population.shared("loss.name")].targets == "classes" and t.shape[1] == 1:
        t = _one_hot(path, t[:, 0])
        columns = columns.of_classes(t.shape[1])
    share = _first(population, "test")
    if not share:
        return Examples(_data(population, x, t), None, columns)
    rows = np.arange(len(x))
    train, held = (part.labels for part in split(x, rows, share, _first(population, "seed")))
    _refuse_empty(len(train), len(held), share)
    return Examples(_data(population, x[train], t[train]), _data(population, x[held], t[held]), columns)


def _one_hot(path: str, classes: Array) -> Array:
    if not (np.isin(classes, np.arange(MOST_CLASSES)).all()):
        raise UserError(f"data.path={path}: classes must be whole numbers from 0 to {MOST_CLASSES - 1}")
    return np.eye(max(2, int(classes.max()) + 1))[classes.astype(int)]
