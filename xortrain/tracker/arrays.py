"""Exports as arrays: the columns of runs (runs,), losses (recorded, runs), parameters by name (frames, …, runs)."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.records.reader import Array, StoredRecord
from xortrain.tracker import rows
from xortrain.tracker.selecting import Selection


def arrays_of(chosen: Sequence[Selection]) -> dict[str, Array]:
    """Everything about the chosen runs, which must agree in their parameters and in what was kept of them."""
    records = [StoredRecord(some.part.folder, some.part.about) for some in chosen]
    _refuse_unlike(records)
    first = records[0]
    arrays = {f"runs/{name}": column for name, column in columns_of(*rows.runs(chosen)).items()}
    arrays |= {"loss_epochs": first.loss_epochs, "losses": _joined(records, chosen, "losses")}
    if first.about["has_test"]:
        arrays["test_losses"] = _joined(records, chosen, "test-losses")
    arrays["frame_epochs"] = first.frame_epochs
    arrays |= _split(_joined(records, chosen, "parameters"), first.about["parameters"])
    return arrays | (first.data if len(records) == 1 else {})


def _refuse_unlike(records: Sequence[StoredRecord]) -> None:
    for record in records[1:]:
        for what in ("parameters", "has_test"):
            if record.about[what] != records[0].about[what]:
                raise UserError(f"npz: the runs differ in {what}; export them one population at a time")
        if not (
            np.array_equal(record.loss_epochs, records[0].loss_epochs)
            and np.array_equal(record.frame_epochs, records[0].frame_epochs)
        ):
            raise UserError("npz: the runs differ in the epochs that were kept; export them one population at a time")


def _joined(records: Sequence[StoredRecord], chosen: Sequence[Selection], what: str) -> Array:
    return np.concatenate([_some(record, what, s.places) for record, s in zip(records, chosen, strict=True)], axis=-1)


def _some(record: StoredRecord, what: str, places: Sequence[int]) -> Array:
    """Such an array for the runs at these places."""
    size, wanted = record.blocks.size, np.asarray(places)
    blocks = np.unique(wanted // size).tolist()
    parts = [rows.block_or_nan(record, what, block)[..., wanted[wanted // size == block] % size] for block in blocks]
    return np.concatenate(parts, axis=-1)


def _split(theta: Array, shapes: dict[str, list[int]]) -> dict[str, Array]:
    """Parameters by name: (frames, *shape, runs)."""
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes.values()])[:-1]
    parts = np.split(theta, ends, axis=1)
    named = zip(shapes.items(), parts, strict=True)
    return {name: part.reshape(len(theta), *shape, theta.shape[-1]) for (name, shape), part in named}


def columns_of(head: Sequence[str], table: Iterable[Sequence[Any]]) -> dict[str, Array]:
    """Columns as arrays of numbers, nan where there is nothing, or of texts."""
    found = list(zip(*table, strict=True)) or [()] * len(head)
    return {name: _column(values) for name, values in zip(head, found, strict=True)}


def _column(values: Sequence[Any]) -> Array:
    if any(isinstance(value, str) for value in values):
        return np.array(["" if value is None else str(value) for value in values])
    if any(value is None or isinstance(value, float) for value in values):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.array(values)
