"""``xortrain export``: write runs, losses or parameters as CSV or JSON lines, or all of them as NPZ.

Rows are written as they are read, so that a million runs need little memory; the file appears when it is complete.
"""

import csv
import io
import json
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import IO, Any

import numpy as np

from xortrain.commands.arguments import (
    NAMES,
    Selection,
    add_output,
    answer,
    command_parser,
    may_replace,
    refuse_to_write,
    refuse_two_formats,
    selection,
)
from xortrain.errors import UserError, file_error, printable
from xortrain.records import columns
from xortrain.records.files import atomic
from xortrain.records.query import ask_all
from xortrain.records.reader import Array, RecordReader
from xortrain.records.tables import finite

FORMATS = ("csv", "jsonl", "npz")
MOST_PARAMETERS = 1 << 20  # columns
NOTES = (
    "--format, or else the extension of --output, sets the format; without --output the text is printed. CSV and JSON "
    "lines have a row for each run, with --what losses or parameters a row for each run and epoch. NPZ has everything "
    f"as arrays, with runs on the last axis. {NAMES}"
)
Row = Sequence[Any]
Table = tuple[Sequence[str], Iterable[Row]]


def export(arguments: list[str]) -> str:
    """xortrain export RUN …: the table, or with --output the path of the written file."""
    p = command_parser("export", NOTES)
    p.add_argument("runs", nargs="*", metavar="RUN", help="runs and sweeps (default: all)")
    p.add_argument("--where", metavar="EXPR", help="only runs for which this condition holds")
    p.add_argument("--sql", metavar="QUERY", help="the answer to this query, over all runs")
    p.add_argument("--what", choices=tuple(TABLES), default="runs", help="what to export (default: %(default)s)")
    p.add_argument("--format", choices=FORMATS, help="the format (default: from the extension of --output, or csv)")
    add_output(p, "the file to write", "--to")
    p.add_argument("--force", action="store_true", help="replace an existing file without asking")
    a = p.parse_args(arguments)
    form = a.format or (a.output.suffix[1:].lower() if a.output else "csv")
    _refuse(a, form)
    if a.json and a.output is None:
        head, rows = _chosen_table(a)
        return answer(a, (dict(zip(head, row, strict=True)) for row in rows), [])
    write = _csv if form == "csv" else _jsonl
    if a.output is None:
        text = io.StringIO()
        write(text, *_chosen_table(a))
        return text.getvalue().rstrip("\n")
    refuse_to_write(a.output)
    if not (a.force or may_replace(a.output)):
        return answer(a, [], ["nothing written"])
    try:
        with atomic(a.output) as file:
            if form == "npz":
                np.savez(file, **_chosen_arrays(a))  # type: ignore[arg-type]
            else:
                with io.TextIOWrapper(file, encoding="utf-8", newline="") as text_file:
                    write(text_file, *_chosen_table(a))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise file_error(a.output, error.strerror or error) from None
    return answer(a, [{"path": str(a.output)}], [f"written {printable(a.output)}"])


def _refuse(a: Namespace, form: str) -> None:
    """Reject invalid combinations of options."""
    refuse_two_formats("--format", a.format, a.output, [f".{known}" for known in FORMATS])
    if form not in FORMATS:
        raise UserError(f"--output={printable(a.output)}: must end in .csv, .jsonl or .npz, or add --format")
    if form == "npz" and a.output is None:
        raise UserError("--format=npz: is a binary format; add --output PATH")
    if a.sql and (a.runs or a.where or a.what != "runs"):
        raise UserError("--sql: covers all runs; it cannot be combined with RUN, --where or --what")


def _chosen_table(a: Namespace) -> Table:
    return ask_all(a.root, a.sql) if a.sql else TABLES[a.what](selection(a.runs, a.where, a.root))


def _chosen_arrays(a: Namespace) -> dict[str, Array]:
    return _column_arrays(*_chosen_table(a)) if a.sql else _all_arrays(selection(a.runs, a.where, a.root))


def _csv(file: IO[str], head: Sequence[str], rows: Iterable[Row]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)


def _jsonl(file: IO[str], head: Sequence[str], rows: Iterable[Row]) -> None:
    for row in rows:
        file.write(json.dumps(dict(zip(head, map(finite, row), strict=True))) + "\n")


def _runs_table(chosen: Sequence[Selection]) -> Table:
    """A row for each run, with all columns of `xortrain ls`."""
    names = columns.column_names(found.part for found in chosen)
    return names, (row for found in chosen for row in _run_rows(found, names))


def _run_rows(chosen: Selection, names: Sequence[str]) -> Iterator[Row]:
    indices = set(chosen.indices)
    all_rows = columns.run_rows(chosen.entry, chosen.part, names)
    return (row for index, row in enumerate(all_rows) if index in indices)


def _loss_rows(chosen: Selection) -> Iterator[Row]:
    """A row for each run and recorded epoch, up to the run's last one."""
    record = RecordReader(chosen.part.folder, chosen.part.metadata)
    epochs = record.loss_epochs.tolist()
    test = _run_arrays(record, "test-losses", chosen.indices) if record.metadata["has_test"] else None
    for name, own in zip(_run_ids(chosen), _run_arrays(record, "losses", chosen.indices), strict=True):
        held_out = [None] * len(epochs) if test is None else _none_for_nan(next(test))
        end = _recorded_rows(own)
        yield from zip([name] * end, epochs[:end], _none_for_nan(own[:end]), held_out[:end], strict=True)


def _recorded_rows(values: Array) -> int:
    """The number of rows up to the last recorded one."""
    known = np.flatnonzero(~np.isnan(values.reshape(len(values), -1)).all(axis=1))
    return int(known[-1]) + 1 if len(known) else 0


def _parameters_table(chosen: Sequence[Selection]) -> Table:
    """A row for each run and recorded snapshot, with a column for each parameter."""
    records = [RecordReader(found.part.folder, found.part.metadata) for found in chosen]
    for record in records:
        if record.size > MOST_PARAMETERS:
            many = f"{record.size:,} columns are too many for a table"
            raise UserError(f"--what=parameters: {many}; export with --output PATH.npz")
    names = list(dict.fromkeys(name for record in records for name in record.parameter_names))
    pairs = zip(chosen, records, strict=True)
    return ["id", "epoch", *names], (row for found, record in pairs for row in _parameter_rows(found, record, names))


def _parameter_rows(chosen: Selection, record: RecordReader, names: Sequence[str]) -> Iterator[Row]:
    places = {name: k for k, name in enumerate(record.parameter_names)}
    for name, own in zip(_run_ids(chosen), _run_arrays(record, "parameters", chosen.indices), strict=True):
        for epoch, theta in zip(record.frame_epochs.tolist(), own[: _recorded_rows(own)], strict=False):
            values = _none_for_nan(theta)
            yield [name, epoch, *(values[places[key]] if key in places else None for key in names)]


def _run_ids(chosen: Selection) -> Iterator[str]:
    return (name for (name,) in _run_rows(chosen, ["id"]))


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


def _all_arrays(chosen: Sequence[Selection]) -> dict[str, Array]:
    """All arrays of runs that agree in their parameters and recorded epochs."""
    records = [RecordReader(found.part.folder, found.part.metadata) for found in chosen]
    _refuse_unlike(records)
    first = records[0]
    arrays = {f"runs/{name}": column for name, column in _column_arrays(*_runs_table(chosen)).items()}
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


def _column_arrays(head: Sequence[str], rows: Iterable[Row]) -> dict[str, Array]:
    """Columns as arrays of texts or of numbers, with nan for None."""
    found = list(zip(*rows, strict=True)) or [()] * len(head)
    return {name: _column(values) for name, values in zip(head, found, strict=True)}


def _column(values: Row) -> Array:
    if any(isinstance(value, str) for value in values):
        return np.array(["" if value is None else str(value) for value in values])
    if any(value is None or isinstance(value, float) for value in values):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.array(values)


TABLES: dict[str, Callable[[Sequence[Selection]], Table]] = {
    "runs": _runs_table,
    "losses": lambda chosen: (["id", "epoch", "loss", "test_loss"], chain.from_iterable(map(_loss_rows, chosen))),
    "parameters": _parameters_table,
}
"""What can be exported as a table."""
