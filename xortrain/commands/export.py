"""``xortrain export``: runs, losses, parameters or a network in the formats of other tools.

Rows are written as they are read, so that a million runs need little memory; what is written appears when it is
complete.
"""

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from xortrain.bridges.arrays_of_runs import all_arrays, column_arrays
from xortrain.bridges.event_files import write_event_files
from xortrain.bridges.parquet import write_parquet
from xortrain.bridges.record_tables import RecordTable, as_text, table_of, write_text
from xortrain.commands.arguments import (
    NAMES,
    add_output,
    add_where,
    answer,
    command_parser,
    may_replace,
    refuse_to_write,
    refuse_two_formats,
    selection,
)
from xortrain.errors import UserError, printable, writing
from xortrain.records.files import atomic, atomic_folder
from xortrain.records.query import ask_all

if TYPE_CHECKING:
    from xortrain.bridges.model import Model

WHAT = ("runs", "losses", "parameters", "model")
NOTES = (
    "--format, or else the extension of --output, sets the format; without --output the text is printed. CSV, JSON "
    "lines and Parquet have a row for each run, with --what losses or parameters a row for each run and epoch. NPZ has "
    "everything as arrays, with runs on the last axis. --what model is one trained network, as .npz, .safetensors or "
    f".onnx. --format tensorboard writes a folder with the losses of each run. {NAMES}"
)


@dataclass(frozen=True)
class Format:
    """A format: what it can hold, and how that is written, to a file or to a new folder."""

    holds: Sequence[str]
    write: Callable[[Any, Namespace], None]
    is_folder: bool = False
    is_text: bool = False


_TABLES = ("runs", "losses", "parameters")
FORMATS: dict[str, Format] = {
    "csv": Format(_TABLES, lambda file, a: write_text(file, "csv", _table(a)), is_text=True),
    "jsonl": Format(_TABLES, lambda file, a: write_text(file, "jsonl", _table(a)), is_text=True),
    "parquet": Format(_TABLES, lambda file, a: write_parquet(file, _table(a, with_settings=True))),
    "npz": Format(WHAT, lambda file, a: _npz(file, a)),
    "safetensors": Format(["model"], lambda file, a: _write_model("safetensors", file, a)),
    "onnx": Format(["model"], lambda file, a: _write_model("onnx", file, a)),
    "tensorboard": Format(
        ["losses"], lambda folder, a: write_event_files(folder, selection(a.runs, a.where, a.root)), is_folder=True
    ),
}
"""Name of a format, which is its extension, to its row."""


def export(arguments: list[str]) -> str:
    """xortrain export RUN …: the table, or with --output the path of what is written."""
    p = command_parser("export", NOTES)
    p.add_argument("runs", nargs="*", metavar="RUN", help="runs and sweeps (default: all)")
    add_where(p)
    p.add_argument("--sql", metavar="QUERY", help="the answer to this query, over all runs")
    p.add_argument("--what", choices=WHAT, help="what to export (default: runs, or what the format has)")
    p.add_argument("--settings", action="store_true", help="losses or parameters with the settings of their run")
    p.add_argument("--best", action="store_true", help="a model with the best parameters instead of the last")
    p.add_argument("--format", choices=tuple(FORMATS), help="the format (default: by --output, or csv)")
    add_output(p, "the file to write, or a new folder", "--to")
    p.add_argument("--force", action="store_true", help="replace an existing file without asking")
    a = p.parse_args(arguments)
    form = a.format or (a.output.suffix[1:].lower() if a.output else "csv")
    _refuse(a, form)
    if a.output is None:
        table = _table(a)
        if a.json:
            return answer(a, (dict(zip(table.head, row, strict=True)) for row in table.rows), [])
        return as_text(form, table)
    refuse_to_write(a.output)
    row = FORMATS[form]
    if not (row.is_folder or a.force or may_replace(a.output)):
        return answer(a, [], ["nothing written"])
    with writing(a.output), (atomic_folder if row.is_folder else atomic)(a.output) as place:
        row.write(place, a)
    return answer(a, [{"path": str(a.output)}], [f"written {printable(a.output)}"])


def _refuse(a: Namespace, form: str) -> None:
    """Reject invalid combinations of options."""
    refuse_two_formats("--format", a.format, a.output, [f".{known}" for known in FORMATS])
    if form not in FORMATS or (form == "tensorboard" and not a.format):
        *others, last = (f".{name}" for name, row in FORMATS.items() if not row.is_folder)
        raise UserError(f"--output={printable(a.output)}: must end in {', '.join(others)} or {last}, or add --format")
    row, given = FORMATS[form], f"--format={form}" if a.format else f"--output={printable(a.output)}"
    a.what = a.what or row.holds[0]
    if a.what not in row.holds:
        fitting = ", ".join(name for name, other in FORMATS.items() if a.what in other.holds)
        has = " and ".join(row.holds) if len(row.holds) < 3 else "tables"
        raise UserError(f"--what={a.what}: {form} has {has}; add --what {row.holds[0]}, or choose from {fitting}")
    if a.output is None and (not row.is_text or a.what == "model"):
        raise UserError(f"{given}: is {'a folder' if row.is_folder else 'a binary format'}; add --output PATH")
    if a.sql and (a.runs or a.where or a.what != "runs"):
        raise UserError("--sql: covers all runs; it cannot be combined with RUN, --where or --what")
    if a.settings and (a.what not in ("losses", "parameters") or form == "npz"):
        raise UserError("--settings: is for tables of losses and parameters; runs have their settings as columns")
    if a.best and a.what != "model":
        raise UserError("--best: is for --what model")


def _table(a: Namespace, with_settings: bool = False) -> RecordTable:
    if a.sql:
        return RecordTable.of(*ask_all(a.root, a.sql))
    return table_of(a.what, selection(a.runs, a.where, a.root), a.settings or with_settings)


def _npz(file: IO[bytes], a: Namespace) -> None:
    if a.what == "model":
        _write_model("npz", file, a)
    else:
        found: dict[str, Any] = column_arrays(_table(a)) if a.sql else all_arrays(selection(a.runs, a.where, a.root))
        np.savez(file, **found)


def _write_model(form: str, file: IO[bytes], a: Namespace) -> None:
    from xortrain.bridges.model import write_npz, write_safetensors
    from xortrain.bridges.onnx_model import write_onnx

    {"npz": write_npz, "safetensors": write_safetensors, "onnx": write_onnx}[form](_model(a), file)


def _model(a: Namespace) -> "Model":
    """The network of the one run that is selected; tables need none of what is imported here."""
    from xortrain.bridges.model import Model
    from xortrain.trained.opening import open_trained
    from xortrain.trained.run_data import RunData

    chosen = selection(a.runs, a.where, a.root)
    if (count := sum(len(found.indices) for found in chosen)) > 1:
        raise UserError(f"--what=model: is one network, and these are {count:,} runs; name one, as in SWEEP#17")
    (found,) = chosen
    run = RunData(open_trained(found.part.folder), found.indices[0])
    if run.outcome == "pending":
        raise UserError("--what=model: the run is not trained to its end; xortrain resume continues it")
    return Model.of(run, best=a.best)
