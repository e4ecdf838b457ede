"""Opens the trained runs of a record, trusted or not, and checks that its parts fit together.

The parts of a hostile record may each be well formed but not match; a mismatch raises a one-line UserError.
"""

import os
import re
import stat
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from xortrain.config.check import check_stored
from xortrain.config.own_rows import changed_files, refuse_missing
from xortrain.errors import Reading, Remark, UserError, file_error, printable
from xortrain.nets.datasets import fit_of
from xortrain.records import layout
from xortrain.records.reader import RecordReader
from xortrain.setup.column_names import UNNAMED, Columns, stored_columns
from xortrain.setup.earlier import Earlier, Origin, read_stages
from xortrain.setup.population import Population, value_at
from xortrain.setup.run_setup import Setup, refuse_contradictions
from xortrain.trained.run_data import TrainedRuns
from xortrain.training.outcome import OUTCOMES

NAME = re.compile(r"\w{1,20}")  # of an instruction set


def open_trained(folder: Path, base: Path = Path()) -> TrainedRuns:
    """The trained population of a record, read below ``base``; raises UserError for a record that is not sound."""
    with Reading(base / folder):
        return replace(_opened(base / folder), folder=folder)


def _opened(folder: Path) -> TrainedRuns:
    record = RecordReader.open(folder)
    _check_varying(record)
    rows = record.rows
    if rows["outcome"].max(initial=0) >= len(OUTCOMES):
        raise file_error(folder / layout.RUNS, "has an outcome that this version does not know")
    varying = {key: np.array(rows[key]) for key in record.metadata["varies"]}
    refuse_missing(record.config, record.metadata)
    population = Population(check_stored(record.config), varying, np.array(rows["number"]))
    _check_data(record, fit_of(population.config["data"]) is not None)
    setup = Setup.stored(population, record.data, record.loss_epochs, record.frame_epochs)
    _check_network(record, setup)
    earlier, origin, instructions = _earlier(record, setup), _origin(record), record.metadata.get("instruction_set")
    if not (instructions is None or (isinstance(instructions, str) and NAME.fullmatch(instructions))):
        raise file_error(folder / layout.RECORD, "instruction_set: must be a name")
    columns = _column_names(record)
    setup = replace(setup, columns=columns, earlier=earlier, origin=origin, instruction_set=instructions)
    for name in changed_files(setup.configs, record.metadata):
        line = f"{name} has changed since this was trained; what is shown is computed with it as it is now"
        warnings.warn(Remark(line), stacklevel=4)
    return TrainedRuns(setup, rows, record, folder)


def _earlier(record: RecordReader, setup: Setup) -> Earlier:
    """The earlier settings of a continued training, each of which must fit the record's data and network."""
    try:
        found = read_stages(record.metadata.get("stages", []), record.stages, setup.population, setup.shape.shapes)
        for stage in found:
            refuse_contradictions(setup.under(stage))
    except UserError as error:
        raise file_error(record.folder / layout.RECORD, error) from None
    return found


def _origin(record: RecordReader) -> Origin | None:
    given = record.metadata.get("parent")
    if given is None:
        return None
    if not (
        isinstance(given, Mapping) and [type(given.get(key)) for key in ("id", "path", "epoch")] == [str, str, int]
    ):
        raise file_error(record.folder / layout.RECORD, "parent: must have an id, a path and an epoch")
    return Origin(printable(given["id"]), printable(given["path"]), given["epoch"])


def _check_varying(record: RecordReader) -> None:
    """Every setting that varies must be in the config and have a column of its own."""
    names = set(record.rows.dtype.names or ()) - (layout.ROW.keys() - {"seed"})
    for name in record.metadata["varies"]:
        if name not in names:
            raise file_error(record.folder / layout.RUNS, f"has no column {name}, which varies")
        try:
            found = value_at(record.config, name)
        except (LookupError, TypeError, ValueError):
            found = {}
        if isinstance(found, Mapping | list):
            raise file_error(record.folder / layout.RECORD, f"{name}: varies, but config has no such setting")


def _check_data(record: RecordReader, is_scaled: bool) -> None:
    """x and t, trained on and held out, must be finite and match in shape, and so must their scaling."""
    path, data, runs = record.folder / layout.DATA, record.data, record.runs
    ends = ("", "_test") if record.metadata["has_test"] else ("",)
    examples = {f"{name}{end}" for name in "xt" for end in ends}
    scaled = [name for name in "xt" if is_scaled and (name == "x" or "t_shift" in data)]
    expected = examples | {f"{name}_{part}" for name in scaled for part in ("shift", "factor")}
    if set(data) != expected:
        raise file_error(path, f"must contain {', '.join(sorted(expected))}")
    for name, array in data.items():
        has_axes = array.ndim in (2, 3) and array.shape[2:] in ((), (runs,))
        if name in examples and not (has_axes and array.size):
            raise file_error(
                path, f"{name} has shape {array.shape}: must be examples, inputs or outputs, and {runs} runs"
            )
        if array.dtype != record.metadata["dtype"] or not np.isfinite(array).all():
            raise file_error(path, f"{name}: must be finite numbers of the record's dtype")
    for end in ends:
        x, t = data[f"x{end}"], data[f"t{end}"]
        if len(x) != len(t) or x.shape[1] != data["x"].shape[1] or t.shape[1] != data["t"].shape[1]:
            raise file_error(path, f"x{end} and t{end} have shapes {x.shape} and {t.shape}, which do not match")
    for name in scaled:
        shift, factor, columns = data[f"{name}_shift"], data[f"{name}_factor"], data[name].shape[1]
        if shift.shape != factor.shape or shift.shape not in ((columns,), (columns, runs)):
            shapes = f"{name}_shift and {name}_factor have shapes {shift.shape} and {factor.shape}"
            raise file_error(path, f"{shapes}, must be {columns} columns, and {runs} runs if these differ")
        if not (factor > 0).all():
            raise file_error(path, f"{name}_factor: must be greater than 0")


def _check_network(record: RecordReader, setup: Setup) -> None:
    """Parameters, dtype and epochs must be those of the config."""
    path = record.folder / layout.RECORD
    if setup.population.dtype != record.metadata["dtype"]:
        raise file_error(path, f"dtype={record.metadata['dtype']}: its config has {setup.population.dtype}")
    shapes = [(name, tuple(shape)) for name, shape in record.metadata["parameters"].items()]
    if shapes != list(setup.shape.shapes.items()):
        raise file_error(path, "parameters: do not match the network in its config")
    if record.metadata.get("state", setup.state_sizes) != setup.state_sizes:
        raise file_error(path, "state: does not match the optimizer in its config")
    if bool(record.metadata.get("has_best", False)) != setup.has_best:
        raise file_error(path, "has_best: does not match the stop rule in its config")
    for name, epochs in (("losses", setup.loss_epochs), ("frames", setup.frame_epochs)):
        if not len(epochs) or epochs[0] != 0 or epochs[-1] > setup.population.epochs:
            raise file_error(path, f"{name}: must start at epoch 0 and end by epoch {setup.population.epochs}")
    refuse_contradictions(setup)


def _column_names(record: RecordReader) -> Columns:
    """The names of inputs and outputs in a record; unnamed if its data had none."""
    given = record.metadata.get("columns")
    if given is None:
        return UNNAMED
    found = stored_columns(given, record.data["x"].shape[1], record.data["t"].shape[1])
    if found is None:
        raise file_error(record.folder / layout.RECORD, "columns: must be names that fit its inputs and outputs")
    return found


def refuse_strange_files(folder: Path) -> None:
    """Raise UserError for links, pipes, and folders in place of files, in a record that is about to be written to."""
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(where, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise file_error(path, "is a link; a record must contain its own files")
            is_folder = stat.S_ISDIR(mode) and not layout.OWN_FILE.fullmatch(name)
            if not (stat.S_ISREG(mode) or is_folder):
                raise file_error(path, "is not a plain file")
