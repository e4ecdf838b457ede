"""``xortrain export``: runs, losses or parameters as CSV or JSON lines, or everything as NPZ.

Rows go to their file as they are read, so that a million runs need little memory; the file appears when it is whole.
"""

import csv
import io
import json
import math
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from xortrain.commands.arguments import NAMES, Selection, parser, selection
from xortrain.errors import UserError
from xortrain.records import columns
from xortrain.records.files import atomic, plain, wrong
from xortrain.records.layout import block_file
from xortrain.records.reader import Array, RecordReader
from xortrain.records.tables import as_json, finite

FORMATS = ("csv", "jsonl", "npz")
NOTES = (
    "The format goes by the ending of --to, or by --format; without --to the text is printed. CSV and JSON lines have "
    "a row for each run, with --what losses or parameters for each run and epoch. NPZ has all of it as arrays, the "
    f"runs on the last axis. {NAMES}"
)
Table = tuple[Sequence[str], Iterable[Sequence[Any]]]


def export(arguments: list[str]) -> str:
    """Write an export and say where, or give its text."""
    p = parser("export", notes=NOTES)
    p.add_argument("runs", nargs="*", metavar="RUN", help="runs and sweeps (all, if none is given)")
    p.add_argument("--where", metavar="EXPR", help="only runs for which this holds")
    p.add_argument("--sql", metavar="QUERY", help="the answer to this query, over all runs")
    p.add_argument("--what", choices=("runs", "losses", "parameters"), default="runs")
    p.add_argument("--format", choices=FORMATS)
    p.add_argument("--to", type=Path, metavar="PATH", help="the file to write")
    a = p.parse_args(arguments)
    form = a.format or (a.to.suffix[1:].lower() if a.to else "csv")
    _refuse(a, form)
    if a.json and a.to is None:
        head, rows = _chosen_table(a)
        return as_json(dict(zip(head, row, strict=True)) for row in rows)
    write = _csv if form == "csv" else _jsonl
    if a.to is None:
        text = io.StringIO()
        write(text, *_chosen_table(a))
        return text.getvalue().rstrip("\n")
    _written(
        a.to, (lambda file: _npz(file, a)) if form == "npz" else (lambda file: _as_text(file, write, *_chosen_table(a)))
    )
    return as_json([{"path": str(a.to)}]) if a.json else f"written {plain(a.to)}"


def _refuse(a: Namespace, form: str) -> None:
    """What the options together do not allow."""
    if form not in FORMATS:
        raise UserError(f"--to={plain(a.to)}: must end in .csv, .jsonl or .npz, or add --format")
    if form == "npz" and a.to is None:
        raise UserError("--format=npz: is no text; add --to PATH")
    if a.sql and (a.runs or a.where or a.what != "runs"):
        raise UserError("--sql: asks over all runs; it goes with no RUN, --where or --what")


def _chosen_table(a: Namespace) -> Table:
    if a.sql:
        from xortrain.records.index import listing
        from xortrain.records.query import ask

        return ask(listing(a.root).entries, a.sql)

    return TABLES[a.what](selection(a.runs, a.where, a.root))


def _npz(file: IO[bytes], a: Namespace) -> None:
    import numpy as np

    # self-import

    arrays = column_arrays(*_chosen_table(a)) if a.sql else arrays_of(selection(a.runs, a.where, a.root))
    np.savez(file, **arrays)  # type: ignore[arg-type]


def _as_text(file: IO[bytes], write: Callable[..., None], head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        write(text, head, rows)


def _csv(file: IO[str], head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)


def _jsonl(file: IO[str], head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    for row in rows:
        file.write(json.dumps(dict(zip(head, map(finite, row), strict=True))) + "\n")


def _written(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    try:
        with atomic(path) as file:
            write(file)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise wrong(path, error.strerror or error) from None


MOST_PARAMETERS = 1 << 20  # columns
Rows = Iterator[Sequence[Any]]


def runs_table(chosen: Sequence[Selection]) -> tuple[list[str], Rows]:
    """A row for each run: who it is, what it came to, its settings."""
    names = columns.known(some.part for some in chosen)
    return names, (row for some in chosen for row in run_rows(some, names))


def run_rows(some: Selection, names: Sequence[str]) -> Rows:
    """The columns of the runs of one record that are chosen."""
    places = set(some.places)
    everything = columns.rows(some.entry, some.part, names)
    return (row for place, row in enumerate(everything) if place in places)


def losses_table(chosen: Sequence[Selection]) -> tuple[list[str], Rows]:
    """A row for each run and recorded epoch, to the run's last one."""
    return ["id", "epoch", "loss", "test_loss"], (row for some in chosen for row in _loss_rows(some))


def _loss_rows(some: Selection) -> Rows:
    record = RecordReader(some.part.folder, some.part.metadata)
    epochs = record.loss_epochs.tolist()
    has_test = some.part.metadata["has_test"]
    test = _run_arrays(record, "test-losses", some.places) if has_test else None
    for name, own in zip(_run_ids(some), _run_arrays(record, "losses", some.places), strict=True):
        held_out = [None] * len(epochs) if test is None else _none_for_nan(next(test))
        end = _recorded_rows(own)
        yield from zip([name] * end, epochs[:end], _none_for_nan(own[:end]), held_out[:end], strict=True)


def _recorded_rows(values: Array) -> int:
    """How many rows there are up to the last with a number in it: behind it the run had ended, or has not come to."""
    known = np.flatnonzero(~np.isnan(values.reshape(len(values), -1)).all(axis=1))
    return int(known[-1]) + 1 if len(known) else 0


def parameters_table(chosen: Sequence[Selection]) -> tuple[list[str], Rows]:
    """A row for each run and snapshot, as far as they were kept; a column for each parameter."""
    names = list(dict.fromkeys(name for some in chosen for name in _parameter_names(some)))
    return ["id", "epoch", *names], (row for some in chosen for row in _parameter_rows(some, names))


def _parameter_rows(some: Selection, names: Sequence[str]) -> Rows:
    record = RecordReader(some.part.folder, some.part.metadata)
    places = {name: k for k, name in enumerate(_parameter_names(some))}
    for name, own in zip(_run_ids(some), _run_arrays(record, "parameters", some.places), strict=True):
        for epoch, theta in zip(record.frame_epochs.tolist(), own[: _recorded_rows(own)], strict=False):
            values = _none_for_nan(theta)
            yield [name, epoch, *(values[places[key]] if key in places else None for key in names)]


def _parameter_names(some: Selection) -> list[str]:
    shapes = some.part.metadata["parameters"]
    size = sum(math.prod(shape) for shape in shapes.values())
    if size > MOST_PARAMETERS:
        raise UserError(f"--what=parameters: {size:,} of them are too many for a table; export them with --to PATH.npz")
    return [columns.parameter(shapes, place) for place in range(size)]


def _run_ids(some: Selection) -> Iterator[str]:
    return (name for (name,) in run_rows(some, ["id"]))


def _run_arrays(record: RecordReader, what: str, places: Sequence[int]) -> Iterator[Array]:
    """One run after the other of such an array; nan for a block that was never begun."""
    size, at, block = record.blocks.size, -1, np.empty(0)
    for place in places:
        if place // size != at:
            at = place // size
            block = block_or_nan(record, what, at)
        yield np.asarray(block[..., place % size])


def block_or_nan(record: RecordReader, what: str, block: int) -> Array:
    """The array of a block; nan if the training ended before it."""
    if (record.folder / block_file(what, block)).exists():
        return np.asarray(record.block_array(what, block))
    return np.full(record.shape_of(what, block), np.nan)


def _none_for_nan(values: Array) -> list[Any]:
    return [None if value != value else value for value in values.tolist()]


def arrays_of(chosen: Sequence[Selection]) -> dict[str, Array]:
    """Everything about the chosen runs, which must agree in their parameters and in what was kept of them."""
    records = [RecordReader(some.part.folder, some.part.metadata) for some in chosen]
    _refuse_unlike(records)
    first = records[0]
    arrays = {f"runs/{name}": column for name, column in column_arrays(*runs_table(chosen)).items()}
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
        if not (
            np.array_equal(record.loss_epochs, records[0].loss_epochs)
            and np.array_equal(record.frame_epochs, records[0].frame_epochs)
        ):
            raise UserError("npz: the runs differ in the epochs that were kept; export them one population at a time")


def _joined(records: Sequence[RecordReader], chosen: Sequence[Selection], what: str) -> Array:
    return np.concatenate(
        [_of_places(record, what, s.places) for record, s in zip(records, chosen, strict=True)], axis=-1
    )


def _of_places(record: RecordReader, what: str, places: Sequence[int]) -> Array:
    """Such an array for the runs at these places."""
    size, wanted = record.blocks.size, np.asarray(places)
    blocks = np.unique(wanted // size).tolist()
    parts = [block_or_nan(record, what, block)[..., wanted[wanted // size == block] % size] for block in blocks]
    return np.concatenate(parts, axis=-1)


def _split(theta: Array, shapes: dict[str, list[int]]) -> dict[str, Array]:
    """Parameters by name: (frames, *shape, runs)."""
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes.values()])[:-1]
    parts = np.split(theta, ends, axis=1)
    named = zip(shapes.items(), parts, strict=True)
    return {name: part.reshape(len(theta), *shape, theta.shape[-1]) for (name, shape), part in named}


def column_arrays(head: Sequence[str], table: Iterable[Sequence[Any]]) -> dict[str, Array]:
    """Columns as arrays of numbers, nan where there is nothing, or of texts."""
    found = list(zip(*table, strict=True)) or [()] * len(head)
    return {name: _column(values) for name, values in zip(head, found, strict=True)}


def _column(values: Sequence[Any]) -> Array:
    if any(isinstance(value, str) for value in values):
        return np.array(["" if value is None else str(value) for value in values])
    if any(value is None or isinstance(value, float) for value in values):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.array(values)


TABLES: dict[str, Callable[[Sequence[Selection]], tuple[list[str], Rows]]] = {
    "runs": runs_table,
    "losses": losses_table,
    "parameters": parameters_table,
}
"""What can be exported as a table."""
