"""Runs with all their arrays, for a NumPy archive: runs are the last axis of each."""

from collections.abc import Sequence

import numpy as np

from xortrain.bridges.record_tables import RecordTable, Row, table_of
from xortrain.errors import UserError
from xortrain.records.index import Selection
from xortrain.records.reader import Array, RecordReader


def all_arrays(chosen: Sequence[Selection]) -> dict[str, Array]:
    """All arrays of runs that agree in their parameters and recorded epochs."""
    records = [RecordReader(found.part.folder, found.part.metadata) for found in chosen]
    _refuse_unlike(records)
    first = records[0]
    arrays = {f"runs/{name}": column for name, column in column_arrays(table_of("runs", chosen)).items()}
    arrays |= {"loss_epochs": first.loss_epochs, "losses": _joined(records, chosen, "losses")}
    if first.metadata["has_test"]:
        arrays["test_losses"] = _joined(records, chosen, "test-losses")
    arrays["frame_epochs"] = first.frame_epochs
    arrays |= _split(_joined(records, chosen, "parameters"), first.metadata["parameters"])
    return arrays | (first.data if len(records) == 1 else {})


def _refuse_unlike(records: Sequence[RecordReader]) -> None:
    for record in records[1:]:
        for what in ("parameters", "has_test"):
            if record.metadata[what] != records[0].metadata[what]:
                raise UserError(f"npz: the runs differ in {what}; export them one population at a time")
        for what in ("loss_epochs", "frame_epochs"):
            if not np.array_equal(getattr(record, what), getattr(records[0], what)):
                raise UserError("npz: the runs differ in the recorded epochs; export them one population at a time")


def _joined(records: Sequence[RecordReader], chosen: Sequence[Selection], what: str) -> Array:
    pairs = zip(records, chosen, strict=True)
    parts = [record.of_runs(what, np.asarray(found.indices), or_nan=True) for record, found in pairs]
    return np.concatenate(parts, axis=-1)


def _split(theta: Array, shapes: dict[str, list[int]]) -> dict[str, Array]:
    """Parameters by name: (frames, *shape, runs)."""
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes.values()])[:-1]
    parts = np.split(theta, ends, axis=1)
    named = zip(shapes.items(), parts, strict=True)
    return {name: part.reshape(len(theta), *shape, theta.shape[-1]) for (name, shape), part in named}


def column_arrays(table: RecordTable) -> dict[str, Array]:
    """Columns as arrays of texts or of numbers, with nan for None."""
    found = list(zip(*table.rows, strict=True)) or [()] * len(table.head)
    return {name: _column(values) for name, values in zip(table.head, found, strict=True)}


def _column(values: Row) -> Array:
    if any(isinstance(value, str) for value in values):
        return np.array(["" if value is None else str(value) for value in values])
    if any(value is None or isinstance(value, float) for value in values):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.array(values)
