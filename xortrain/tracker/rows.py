"""Exports as rows: one for each run, or for each run and epoch."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.records import columns
from xortrain.records.layout import block_file
from xortrain.records.reader import Array, StoredRecord
from xortrain.tracker.selecting import Selection

MOST_PARAMETERS = 1 << 20  # columns
Rows = Iterator[Sequence[Any]]


def runs(chosen: Sequence[Selection]) -> tuple[list[str], Rows]:
    """A row for each run: who it is, what it came to, its settings."""
    names = columns.known(some.part for some in chosen)
    return names, (row for some in chosen for row in run_rows(some, names))


def run_rows(some: Selection, names: Sequence[str]) -> Rows:
    """The columns of the runs of one record that are chosen."""
    places = set(some.places)
    everything = columns.rows(some.entry, some.part, names)
    return (row for place, row in enumerate(everything) if place in places)


def losses(chosen: Sequence[Selection]) -> tuple[list[str], Rows]:
    """A row for each run and recorded epoch, to the run's last one."""
    return ["id", "epoch", "loss", "test_loss"], (row for some in chosen for row in _losses(some))


def _losses(some: Selection) -> Rows:
    record = StoredRecord(some.part.folder, some.part.about)
    epochs = record.loss_epochs.tolist()
    has_test = some.part.about["has_test"]
    test = _columns(record, "test-losses", some.places) if has_test else None
    for name, own in zip(_ids(some), _columns(record, "losses", some.places), strict=True):
        held_out = [None] * len(epochs) if test is None else _told(next(test))
        end = _end(own)
        yield from zip([name] * end, epochs[:end], _told(own[:end]), held_out[:end], strict=True)


def _end(values: Array) -> int:
    """How many rows there are up to the last with a number in it: behind it the run had ended, or has not come to."""
    known = np.flatnonzero(~np.isnan(values.reshape(len(values), -1)).all(axis=1))
    return int(known[-1]) + 1 if len(known) else 0


def parameters(chosen: Sequence[Selection]) -> tuple[list[str], Rows]:
    """A row for each run and snapshot, as far as they were kept; a column for each parameter."""
    names = list(dict.fromkeys(name for some in chosen for name in _parameter_names(some)))
    return ["id", "epoch", *names], (row for some in chosen for row in _parameters(some, names))


def _parameters(some: Selection, names: Sequence[str]) -> Rows:
    record = StoredRecord(some.part.folder, some.part.about)
    places = {name: k for k, name in enumerate(_parameter_names(some))}
    for name, own in zip(_ids(some), _columns(record, "parameters", some.places), strict=True):
        for epoch, theta in zip(record.frame_epochs.tolist(), own[: _end(own)], strict=False):
            values = _told(theta)
            yield [name, epoch, *(values[places[key]] if key in places else None for key in names)]


def _parameter_names(some: Selection) -> list[str]:
    shapes = some.part.about["parameters"]
    size = sum(math.prod(shape) for shape in shapes.values())
    if size > MOST_PARAMETERS:
        raise UserError(f"--what=parameters: {size:,} of them are too many for a table; export them with --to PATH.npz")
    return [columns.parameter(shapes, place) for place in range(size)]


def _ids(some: Selection) -> Iterator[str]:
    return (name for (name,) in run_rows(some, ["id"]))


def _columns(record: StoredRecord, what: str, places: Sequence[int]) -> Iterator[Array]:
    """One run after the other of such an array; nan for a block that was never begun."""
    size, at, block = record.blocks.size, -1, np.empty(0)
    for place in places:
        if place // size != at:
            at = place // size
            block = block_or_nan(record, what, at)
        yield np.asarray(block[..., place % size])


def block_or_nan(record: StoredRecord, what: str, block: int) -> Array:
    """The array of a block; nan if the training ended before it."""
    if (record.folder / block_file(what, block)).exists():
        return np.asarray(record.block_array(what, block))
    return np.full(record.shape_of(what, block), np.nan)


def _told(values: Array) -> list[Any]:
    return [None if value != value else value for value in values.tolist()]
