"""Runs, losses and parameters as tables, whose rows are read while they are written; CSV and JSON lines."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import IO, Any, NamedTuple

import numpy as np

from xortrain.errors import UserError
from xortrain.records import columns
from xortrain.records.index import Selection
from xortrain.records.layout import setting_of
from xortrain.records.reader import Array, RecordReader, recorded_rows
from xortrain.records.tables import finite

MOST_PARAMETERS = 1 << 20  # columns
Row = Sequence[Any]


class RecordTable(NamedTuple):
    """Names of columns, rows, and the type of each column: bool, int, float, or str; None if it has no values."""

    head: Sequence[str]
    rows: Iterable[Row]
    kinds: Mapping[str, type | None]

    @classmethod
    def of(cls, head: Sequence[str], rows: Iterable[Row]) -> "RecordTable":
        """A table whose types are those of its values, as the answer to a query has them."""
        known = [tuple(map(finite, row)) for row in rows]
        kinds = {
            name: columns.joined_kind({type(value) for value in column} - {type(None)})
            for name, column in zip(head, zip(*known, strict=True) if known else [()] * len(head), strict=True)
        }
        return cls(head, known, kinds)


def table_of(what: str, chosen: Sequence[Selection], with_settings: bool = False) -> RecordTable:
    """A table of `TABLES`; with ``with_settings`` losses and parameters have the settings of their run as columns."""
    parts = [found.part for found in chosen]
    names = columns.column_names(parts)
    if what == "runs":
        runs = chain.from_iterable(columns.selected_rows(found, names) for found in chosen)
        return RecordTable(names, runs, columns.column_kinds(parts, names))
    settings = list(filter(columns.is_setting, names)) if with_settings else []
    own, rows = TABLES[what](chosen, settings)
    head = ["id", "epoch", *own]
    named = {name: _full_name(name) if name in head else name for name in settings}
    kinds: dict[str, type | None] = dict.fromkeys(head, float) | {"id": str, "epoch": int}
    kinds |= {named[name]: kind for name, kind in columns.column_kinds(parts, settings).items()}
    return RecordTable([*head, *named.values()], rows, kinds)


def _full_name(name: str) -> str:
    """The other name of a setting, where a result has the first: loss.name, init.set.W1.0.1 for W1[0, 1]."""
    return setting_of(name) if setting_of(name) != name else f"{name}.name"


def write_text(file: IO[bytes], form: str, table: RecordTable) -> None:
    """Write a table as CSV or JSON lines."""
    with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        TEXTS[form](text, table)


def as_text(form: str, table: RecordTable) -> str:
    """A table as CSV or JSON lines."""
    TEXTS[form](text := io.StringIO(), table)
    return text.getvalue().rstrip("\n")


def _csv(file: IO[str], table: RecordTable) -> None:
    """A line with the names, then a line for each row; what is unknown is empty."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.head)
    writer.writerows(table.rows)


def _jsonl(file: IO[str], table: RecordTable) -> None:
    """An object for each row, in ASCII; what is unknown is null."""
    for row in table.rows:
        file.write(json.dumps(dict(zip(table.head, map(finite, row), strict=True))) + "\n")


TEXTS = {"csv": _csv, "jsonl": _jsonl}


def _losses(chosen: Sequence[Selection], settings: Sequence[str]) -> tuple[list[str], Iterator[Row]]:
    """A row for each run and recorded epoch, up to the run's last one."""
    return ["loss", "test_loss"], chain.from_iterable(_loss_rows(found, settings) for found in chosen)


def _loss_rows(chosen: Selection, settings: Sequence[str]) -> Iterator[Row]:
    record = RecordReader(chosen.part.folder, chosen.part.metadata)
    epochs = record.loss_epochs.tolist()
    test = _run_arrays(record, "test-losses", chosen.indices) if record.metadata["has_test"] else None
    runs = columns.selected_rows(chosen, ["id", *settings])
    for (name, *values), own in zip(runs, _run_arrays(record, "losses", chosen.indices), strict=True):
        held_out = [None] * len(epochs) if test is None else _none_for_nan(next(test))
        end = _recorded_rows(own)
        numbers = zip(epochs[:end], _none_for_nan(own[:end]), held_out[:end], strict=True)
        yield from ([name, *row, *values] for row in numbers)


def _recorded_rows(values: Array) -> int:
    """The number of rows of one run up to the last recorded one."""
    return int(recorded_rows(values.reshape(len(values), -1)).max(initial=0))


def _parameters(chosen: Sequence[Selection], settings: Sequence[str]) -> tuple[list[str], Iterator[Row]]:
    """A row for each run and snapshot up to its last epoch, with a column for each parameter."""
    records = [RecordReader(found.part.folder, found.part.metadata) for found in chosen]
    for record in records:
        if record.size > MOST_PARAMETERS:
            many = f"{record.size:,} columns are too many for a table"
            raise UserError(f"--what=parameters: {many}; export with --output PATH.npz")
    names = list(dict.fromkeys(name for record in records for name in record.parameter_names))
    pairs = zip(chosen, records, strict=True)
    return names, (row for found, record in pairs for row in _parameter_rows(found, record, names, settings))


def _parameter_rows(
    chosen: Selection, record: RecordReader, names: Sequence[str], settings: Sequence[str]
) -> Iterator[Row]:
    places = {name: k for k, name in enumerate(record.parameter_names)}
    runs = columns.selected_rows(chosen, ["id", "epochs_done", *settings])
    for (name, last, *of_run), own in zip(runs, _run_arrays(record, "parameters", chosen.indices), strict=True):
        epochs = np.minimum(record.frame_epochs, np.inf if last is None else last)  # snapshots after the last repeat it
        for epoch, theta in zip(np.unique(epochs).tolist(), own[: _recorded_rows(own)], strict=False):
            values = _none_for_nan(theta)
            yield [name, int(epoch), *(values[places[key]] if key in places else None for key in names), *of_run]


def _run_arrays(record: RecordReader, what: str, indices: Sequence[int]) -> Iterator[Array]:
    """The column of each run in an array; nan if its block never started."""
    size, number, block = record.blocks.size, -1, np.empty(0)
    for index in indices:
        if index // size != number:
            number = index // size
            block = record.block_array(what, number, or_nan=True)
        yield np.asarray(block[..., index % size])


def _none_for_nan(values: Array) -> list[Any]:
    return [None if value != value else value for value in values.tolist()]


TABLES: dict[str, Callable[[Sequence[Selection], Sequence[str]], tuple[list[str], Iterator[Row]]]] = {
    "losses": _losses,
    "parameters": _parameters,
}
"""What else than runs can be a table: the names of its columns behind id and epoch, and its rows."""
