"""``xortrain predict``: the outputs and classes of a trained network for other inputs."""

import csv
from argparse import Namespace
from collections.abc import Sequence
from io import TextIOWrapper
from os.path import exists
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.commands.arguments import add_output, command_parser, refuse_to_write
from xortrain.errors import UserError, printable, writing
from xortrain.nets import Array
from xortrain.records.files import atomic
from xortrain.records.naming import user_path
from xortrain.records.tables import as_json, finite, format_table
from xortrain.setup.new_inputs import inputs_from
from xortrain.trained.run_data import RunData
from xortrain.trained.sweep_data import open_run

ENDINGS = (".csv", ".json")


def predict(arguments: Sequence[str]) -> str:
    """xortrain predict RECORD[#RUN] FILE|1,0 [--best] [--output FILE] [--json]: a row for each example."""
    a = _parse(arguments)
    found = open_run(a.record, a.root)
    if found.outcome == "pending":
        raise UserError(f"{a.record}: is not trained to its end; xortrain resume continues it")
    setup, path = found.setup, user_path(a.inputs)
    new = inputs_from(a.inputs, path, setup.columns, found.network.inputs, found.config["data"])
    rows = _rows(found, found.predict(new.x, best=a.best), new.lines if exists(path) else ())
    lines = ", ".join(map(str, new.dropped[:10])) + ", …" * (len(new.dropped) > 10)
    note = [f"left out: line{'s'[: len(new.dropped) != 1]} {lines} with missing values"] if new.dropped else []
    if a.output:
        _write(a, rows, path)
        return as_json([{"path": str(a.output)}]) if a.json else "\n".join([str(a.output), *note])
    if a.json:
        return as_json(rows)
    return "\n".join([format_table(list(rows[0]), [list(row.values()) for row in rows]), *note])


def _parse(arguments: Sequence[str]) -> Namespace:
    p = command_parser("predict")
    p.add_argument("record", metavar="RECORD", help="a run, or one run of a sweep: SWEEP#17")
    p.add_argument("inputs", metavar="FILE|1,0", help="a table with the input columns, or the values of one example")
    p.add_argument("--best", action="store_true", help="with the best parameters instead of the last")
    add_output(p, "the file to write: .csv or .json", extensions=ENDINGS)
    values = [f" {word}" if word[:1] == "-" and word[1:2] in ".0123456789" else word for word in arguments]
    a = p.parse_args(values)  # -1,0 is no option
    a.inputs = a.inputs.strip()
    return a


def _rows(run: RunData, y: Array, lines: Sequence[int]) -> list[dict[str, Any]]:
    """For each example its line in the file, its class if there are classes, and the outputs, by name."""
    columns = run.setup.columns
    many = y.shape[1] > 1
    shown = run.output_names if many or not columns.classes else ["output"]
    kinds, known = np.full(len(y), None, object), ~np.isnan(y).any(axis=1)
    if columns.classes:
        kinds[known] = np.array(columns.classes, object)[run.class_indices(y[known])]
    others = {"line": lines, "class": kinds if columns.classes else ()}
    others = {name: values for name, values in others.items() if len(values)}
    if len({*shown, *others}) < len(shown) + len(others):  # a name that is there twice
        shown = [f"y{k + 1}" for k in range(len(shown))]
    before = [{name: values[k] for name, values in others.items()} for k in range(len(y))]
    return [one | dict(zip(shown, outputs, strict=True)) for one, outputs in zip(before, y.tolist(), strict=True)]


def _write(a: Namespace, rows: Sequence[dict[str, Any]], inputs: Path) -> None:
    refuse_to_write(a.output)
    with writing(a.output):
        if exists(inputs) and a.output.exists() and inputs.samefile(a.output):
            raise UserError(f"--output={printable(a.output)}: is the file of the inputs; choose another name")
        with atomic(a.output) as file, TextIOWrapper(file, encoding="utf-8", newline="") as text:
            if a.output.suffix.lower() == ".json":
                text.write(as_json(rows) + "\n")
            else:
                csv.writer(text, lineterminator="\n").writerows([rows[0], *(map(finite, row.values()) for row in rows)])
