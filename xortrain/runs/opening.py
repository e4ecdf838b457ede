"""Opens the trained runs of a record, trusted or not, and checks that its parts fit together.

Each part of a hostile record may be well formed and yet not belong to the others; what does not fit is one line.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from xortrain.config.check import check
from xortrain.nets import Array
from xortrain.records import layout
from xortrain.records.files import wrong
from xortrain.records.reader import RecordReader
from xortrain.runs.trained import TrainedRuns
from xortrain.setup.csv_table import UNNAMED, Columns, shown
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup, refuse_contradictions


def open_trained(folder: Path) -> TrainedRuns:
    """The trained population of a record."""
    record = RecordReader.open(folder)
    refuse_unsound_rows(record)
    refuse_unsound_data(record)
    rows = record.rows
    varying = {key: np.array(rows[key]) for key in record.metadata["varies"]}
    population = Population(check(record.config), varying, np.array(rows["number"]))
    setup = Setup.stored(population, record.data, record.loss_epochs, record.frame_epochs)
    refuse_unsound_network(record, setup)
    return TrainedRuns(replace(setup, columns=recorded_columns(record)), rows, record, folder)


def refuse_unsound_rows(record: RecordReader) -> None:
    """Every setting that varies has a column of numbers, or of flags."""
    results = {name for name, _ in layout.ROW} - {"seed"}
    names = set(record.rows.dtype.names or ()) - results
    for name in record.metadata["varies"]:
        if name not in names:
            raise wrong(record.folder / layout.RUNS, f"has no column {name}, which varies")
        group, _, key = name.partition(".")
        config = record.config.get(group)
        if group not in record.config or (key and not (isinstance(config, Mapping) and key in config)):
            raise wrong(record.folder / layout.RECORD, f"{name}: varies, but config has no such setting")


def refuse_unsound_data(record: RecordReader) -> None:
    """x and t, and what is held out, are examples of one kind; of all runs or of each."""
    path, data, runs = record.folder / layout.DATA, record.data, record.runs
    expected = {"x", "t", "x_test", "t_test"} if record.metadata["has_test"] else {"x", "t"}
    if set(data) != expected:
        raise wrong(path, f"must hold {', '.join(sorted(expected))}")
    for name, array in data.items():
        if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, runs)) or not array.size:
            raise wrong(path, f"{name} has shape {array.shape}: must be examples, inputs or outputs, and {runs} runs")
        if array.dtype != record.metadata["dtype"] or not np.isfinite(array).all():
            raise wrong(path, f"{name}: must be finite numbers of the record's dtype")
    for end in ("", "_test") if record.metadata["has_test"] else ("",):
        x, t = data[f"x{end}"], data[f"t{end}"]
        if len(x) != len(t) or x.shape[1] != data["x"].shape[1] or t.shape[1] != data["t"].shape[1]:
            raise wrong(path, f"x{end} and t{end} have shapes {x.shape} and {t.shape}, which do not go together")


def refuse_unsound_network(record: RecordReader, setup: Setup) -> None:
    """Parameters, type and epochs are those of the config."""
    path = record.folder / layout.RECORD
    if setup.population.dtype != record.metadata["dtype"]:
        raise wrong(path, f"dtype={record.metadata['dtype']}: its config says {setup.population.dtype}")
    said = {name: tuple(shape) for name, shape in record.metadata["parameters"].items()}
    if list(said.items()) != list(setup.shape.shapes.items()):
        raise wrong(path, "parameters: are not those of the network of its config")
    for name, epochs in (("losses", setup.loss_epochs), ("frames", setup.frame_epochs)):
        if not _are_epochs(epochs, setup.population.epochs):
            raise wrong(path, f"{name}: must be after epoch 0 and others up to {setup.population.epochs}")
    refuse_contradictions(setup)


def recorded_columns(record: RecordReader) -> Columns:
    """What the record calls its inputs and outputs, one name each."""
    said = record.metadata.get("columns")
    if said is None:
        return UNNAMED
    wanted = {"inputs": record.data["x"].shape[1], "outputs": record.data["t"].shape[1]}
    if not (isinstance(said, Mapping) and all(_are_names(said.get(kind), count) for kind, count in wanted.items())):
        raise wrong(record.folder / layout.RECORD, "columns: must be a name for each input and each output")
    return Columns(*(shown(said[kind]) for kind in wanted))


def _are_names(names: object, count: int) -> bool:
    return isinstance(names, list) and len(names) == count and all(isinstance(name, str) for name in names)


def _are_epochs(epochs: Array, last: int) -> bool:
    return bool(len(epochs) and epochs[0] == 0 and epochs[-1] <= last)


def refuse_strange_files(folder: Path) -> None:
    """Whoever writes into a record writes into plain files of its own, never through a link or a pipe."""
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(where, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise wrong(path, "a link; a record holds its own files")
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise wrong(path, "is not a plain file")
