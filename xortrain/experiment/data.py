"""The examples of a population: made from their settings, read from a table, or given by a Python user.

Targets are coded as the loss wants them; what the loss cannot use is refused.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from xortrain.errors import UserError, unknown
from xortrain.experiment.population import Population
from xortrain.nets import Array
from xortrain.nets.datasets import DATASETS, make, split, targets
from xortrain.nets.losses import LOSSES
from xortrain.records.files import plain
from xortrain.training.task import Data

LARGEST_TABLE = 64 << 20  # bytes; a table is read whole
MOST_CLASSES = 256
OTHER_MARKS = {";": "semicolons", "\t": "tabs", " ": "spaces"}  # that part the values of tables, not of a CSV
LONGEST_NAME = 40  # letters of a column's name that are shown


@dataclass(frozen=True)
class Columns:
    """What a table calls its inputs and its outputs; nothing without a header."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


UNNAMED = Columns()


class Examples(NamedTuple):
    """What is trained on and what is held out."""

    train: Data
    test: Data | None = None
    columns: Columns = UNNAMED


def examples(population: Population) -> Examples:
    """Train and test examples of all runs; with runs on the last axis where each has its own."""
    kinds = [key for key in population.varying if key.startswith("data.")]
    if not kinds:
        return _coded(population)
    columns = np.stack([population.varying[key] for key in kinds])
    _, firsts, which = np.unique(columns, axis=1, return_index=True, return_inverse=True)
    parts = [_coded(population.part(firsts[k : k + 1])) for k in range(len(firsts))]
    test = _joined([part.test for part in parts if part.test], which.ravel())
    train = _joined([part.train for part in parts], which.ravel())
    assert train is not None
    return Examples(train, test, parts[0].columns)


def _joined(parts: list[Data], which: Array) -> Data | None:
    """The parts that runs have, one column a run; what all parts share stays shared."""
    if not parts:
        return None
    same = all(np.array_equal(part.x, parts[0].x) for part in parts)
    x = parts[0].x if same else np.stack([part.x for part in parts], axis=-1)[..., which]
    return Data(x, np.concatenate([part.t for part in parts], axis=-1)[..., which])


def _coded(population: Population) -> Examples:
    """The examples of runs that share them."""
    x, t = population.arrays or (None, None)
    if x is not None and t is not None:
        return Examples(_data(population, *_given(x, t)))
    name, loss = population.shared("data.name"), population.shared("loss.name")
    if name == "csv":
        return _table(population)
    dataset = make(name, {key: _first(population, key) for key in DATASETS[name].settings})
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
    _refuse_unfit(population, t)
    with np.errstate(over="ignore"):
        x, t = (np.ascontiguousarray(values, population.dtype) for values in (x, t))
    if not (np.isfinite(x).all() and np.isfinite(t).all()):
        largest = np.finfo(population.dtype).max
        raise UserError(f"dtype={population.dtype}: the data have numbers beyond its largest, {largest:.3g}")
    return Data(x, t[..., None])


def _refuse_unfit(population: Population, t: Array) -> None:
    """Targets that the loss cannot use."""
    loss = population.shared("loss.name")
    wants = LOSSES[loss].targets
    if wants == "signs" and not np.isin(t, (-1, 1)).all():
        raise UserError(f"loss={loss}: wants targets -1 and 1, these are {_seen(t)}; add data.low=-1 data.high=1")
    if wants == "unit" and not ((t >= 0) & (t <= 1)).all():
        raise UserError(f"loss={loss}: wants targets from 0 to 1, these are {_seen(t)}")
    if wants == "classes" and not (np.isin(t, (0, 1)).all() and (t.sum(axis=1) == 1).all() and t.shape[1] > 1):
        raise UserError(f"loss={loss}: wants one class an example, one-hot with 0 and 1; these targets are {_seen(t)}")


def _seen(t: Array) -> str:
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
        wanted = "x (examples, inputs) and t (examples,) or (examples, outputs)"
        raise UserError(f"data=(x, t): must be {wanted}, not {x.shape} and {t.shape}")
    if not (np.isfinite(x).all() and np.isfinite(t).all()):
        raise UserError("data=(x, t): must be finite")
    return x, t


def _table(population: Population) -> Examples:
    """data=csv: the table, its targets one-hot where the loss wants classes."""
    path, chosen = population.shared("data.path"), population.shared("data.targets")
    if path is None:
        raise UserError("data.path=null: data=csv needs a file, as in data.path=table.csv")
    names, table = read_table(Path(path))
    places = [_column(names, target) for target in chosen] or [len(names) - 1]
    if len(set(places)) < len(places):
        raise UserError(f"data.targets={chosen}: names a column twice")
    if len(places) == len(names):
        raise UserError(f"data.targets={chosen}: leaves no column for the inputs")
    x, t = np.delete(table, places, axis=1), table[:, places]
    called = [names[place] for place in places]
    if LOSSES[population.shared("loss.name")].targets == "classes" and t.shape[1] == 1:
        t = _one_hot(path, t[:, 0])
        called = [f"{called[0]} {kind}" for kind in range(t.shape[1])]
    inputs = [name for place, name in enumerate(names) if place not in places]
    columns = UNNAMED if names == _numbered(len(names)) else Columns(shown(inputs), shown(called))
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


def shown(names: Iterable[str]) -> tuple[str, ...]:
    """Names as they can be printed."""
    return tuple(plain(name)[:LONGEST_NAME] or "?" for name in names)


def _numbered(width: int) -> list[str]:
    """The columns of a table without a header."""
    return [str(place) for place in range(width)]


def _column(names: list[str], target: str) -> int:
    """A column by its name, or by its number (from 0; -1 is the last)."""
    if target in names:
        return names.index(target)
    if re.fullmatch("-?[0-9]{1,9}", target) and -len(names) <= int(target) < len(names):
        return int(target) % len(names)
    raise unknown("data.targets", target, names, "column")


def read_table(path: Path) -> tuple[list[str], Array]:
    """Column names and numbers (rows, columns) of a CSV file with or without a header."""
    where = f"data.path={path}"
    if not path.is_file():
        raise UserError(f"{where}: {'is a folder' if path.is_dir() else 'no such file'}")
    if path.stat().st_size > LARGEST_TABLE:
        raise UserError(f"{where}: larger than {LARGEST_TABLE} bytes")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file)
            rows = dict((lines.line_num, row) for row in lines if row)  # noqa: C402
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{where}: cannot be read ({error})") from None
    first = next(iter(rows.values()), [])
    names = _numbered(len(first))
    if first and not any(_is_number(cell) for cell in first):  # a header; of words and numbers a row is told below
        names = [cell.strip() for cell in rows.pop(next(iter(rows)))]
    return names, _numbers(where, rows, len(names))


def _numbers(where: str, rows: dict[int, list[str]], width: int) -> Array:
    """The numbers of rows, which are named by their lines in the file."""
    if not rows:
        raise UserError(f"{where}: has no rows")
    if width < 2:
        raise UserError(
            f"{where}: has {width} column; inputs and targets need at least two{_parted(next(iter(rows.values())))}"
        )
    for line, row in rows.items():
        if len(row) != width:
            raise UserError(f"{where}: line {line} has {len(row)} values, the others {width}")
        bad = [cell for cell in row if not _is_number(cell)]
        if bad:
            raise UserError(f"{where}: line {line}: {bad[0][:40]!r} is not a finite number{_parted(bad)}")
    return np.array([[float(cell) for cell in row] for row in rows.values()])


def _parted(cells: list[str]) -> str:
    """A hint where something else than commas parts the values."""
    marks = [said for mark, said in OTHER_MARKS.items() if any(mark in cell.strip() for cell in cells)]
    return f"; its values seem to be parted by {marks[0]}: write commas" if marks else ""


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False
