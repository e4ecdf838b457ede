"""Reads the arrays of a record, trusted or not: nothing in it is executed, and no size that it states is trusted.

Every array is checked against its file before it is memory-mapped; each error is one line.
"""

import math
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xortrain.errors import UserError, file_error
from xortrain.records import layout
from xortrain.records.events import annotations, read_events
from xortrain.records.files import open_own
from xortrain.records.lock import locked_folder
from xortrain.records.metadata import Metadata, read_metadata
from xortrain.records.npy import FIRST, Header, header, open_npy
from xortrain.records.rows import Rows, rows_now

Array = npt.NDArray[Any]
DATA_NAMES = ("x", "t", "x_test", "t_test", "x_shift", "x_factor", "t_shift", "t_factor")
LARGEST_DATA = 4 << 30  # bytes
SMALL = 1 << 16  # bytes of an array up to which it is not mapped


@dataclass(frozen=True)
class RecordReader:
    """A record on disk; ``metadata`` is its checked record.json."""

    folder: Path
    metadata: Metadata

    @classmethod
    def open(cls, folder: Path) -> "RecordReader":
        """Open a record; raises UserError if there is none, or its record.json is invalid."""
        if not (folder / layout.RECORD).is_file():
            raise file_error(folder, f"no record here (a record is a folder with a {layout.RECORD})")
        return cls(folder, read_metadata(folder))

    @property
    def runs(self) -> int:
        return int(self.metadata["runs"])

    @property
    def blocks(self) -> layout.Blocks:
        return layout.Blocks(self.runs, int(self.metadata["block_size"]))

    @cached_property
    def rows(self) -> Array:
        """The structured rows (runs,); unfinished runs have the losses of their last recorded epoch."""
        return structured(rows_now(self.folder, self.metadata))

    @cached_property
    def config(self) -> dict[str, Any]:
        """The settings that all runs share, with the name as it is now."""
        folders = dict.fromkeys([self.folder, locked_folder(self.folder)])  # and that of the sweep, which has its name
        events = [event for folder in folders for event in read_events(folder)]
        return {**self.metadata["config"], "name": annotations(self.metadata, events).name}

    @cached_property
    def data(self) -> dict[str, Array]:
        """x (examples, inputs) and t (examples, outputs), x_test and t_test; runs are a last axis if they differ.

        x_shift and x_factor (inputs,), t_shift and t_factor (outputs,) are their scaling, if they are scaled.
        """
        return read_data(self.folder)

    @cached_property
    def loss_epochs(self) -> Array:
        """The increasing epochs of the losses: (recorded,)."""
        return self._epochs(layout.LOSS_EPOCHS, self.metadata["losses"])

    @cached_property
    def frame_epochs(self) -> Array:
        """The increasing epochs of the parameters: (frames,)."""
        return self._epochs(layout.FRAME_EPOCHS, self.metadata["frames"])

    def _epochs(self, name: str, count: int) -> Array:
        found = np.array(read_array(self.folder / name, (count,), np.dtype("<i8")))
        if count and (found[0] < 0 or (np.diff(found) <= 0).any()):
            raise file_error(self.folder / name, "epochs must increase, from 0 or later")
        return found

    @property
    def size(self) -> int:
        """The number of parameters of a run."""
        return sum(math.prod(shape) for shape in self.metadata["parameters"].values())

    @property
    def parameter_names(self) -> list[str]:
        """W1[0, 0], W1[0, 1], …, in the order of the parameter arrays."""
        return layout.parameter_names(self.metadata["parameters"])

    @cached_property
    def stages(self) -> dict[str, Array]:
        """The settings that varied only in earlier stages of a continued training, by column: (runs,)."""
        path = self.folder / layout.STAGES
        if not path.exists():
            return {}
        found, file = open_npy(path)
        with file:
            if not found.columns or found.shape != (self.runs,):
                raise file_error(path, f"must have columns, and {self.runs} rows")
            rows = np.array(np.memmap(file, _dtype(found), "r", found.start, found.shape))
        return {name: rows[name] for name in found.columns}

    def has_block(self, block: int) -> bool:
        """Whether a block has all its files."""
        return all((self.folder / name).is_file() for name in layout.block_files(self.metadata, block))

    def unfinished_blocks(self) -> list[int]:
        """The blocks that have a run without an outcome, or lack a file; UserError for a broken file of another."""
        outcomes, runs_of = self.rows["outcome"], self.blocks.runs_of
        done = [self.has_block(k) and 0 not in outcomes[runs_of(k)] for k in range(len(self.blocks))]
        for number in np.flatnonzero(done).tolist():
            for name in layout.block_files(self.metadata, number):
                open_npy(self.folder / name)[1].close()
        return [number for number, is_done in enumerate(done) if not is_done]

    def block_array(self, what: str, block: int, *, or_nan: bool = False) -> Array:
        """A mapped array of a block: losses or test-losses (recorded, runs), parameters (frames, parameters, runs).

        best is (parameters, runs), state (numbers, runs).  With ``or_nan`` a missing one is nan if no run of the block
        has ended, or if it is the state, which may be deleted; else this is an error.
        """
        path, runs = self.folder / layout.block_file(what, block), self.blocks.runs_of(block)
        shape = (*layout.array_shape(self.metadata, what), runs.stop - runs.start)
        if or_nan and not path.exists() and (what == "state" or not self.rows["outcome"][runs].any()):
            return np.broadcast_to(np.nan, shape)
        return read_array(path, shape, np.dtype(self.metadata["dtype"]))

    def of_run(self, what: str, run: int) -> Array:
        """The part of one run in a `block_array`: (recorded,), or (frames, parameters)."""
        block, column = divmod(run, self.blocks.size)
        return np.asarray(self.block_array(what, block)[..., column])

    def of_runs(
        self, what: str, runs: slice | Array = slice(None), *, rows: Array | None = None, or_nan: bool = False
    ) -> Array:
        """Like `block_array`, for a range of runs (mapped if it is in one block) or for indices of runs (copied).

        With ``rows`` only these of the first axis.
        """

        def part(block: int) -> Array:
            whole = self.block_array(what, block, or_nan=or_nan)
            return whole if rows is None else whole[rows]

        size = self.blocks.size
        if isinstance(runs, slice):
            start, stop, _ = runs.indices(self.runs)
            blocks = range(start // size, -(-stop // size))
            parts = [part(block) for block in blocks]
            whole, first = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1), blocks.start * size
            return whole[..., start - first : stop - first]
        block, column = np.divmod(runs, size)
        arrays = {number: part(number) for number in np.unique(block).tolist()}
        gathered = np.empty((*next(iter(arrays.values())).shape[:-1], len(runs)), self.metadata["dtype"])
        for number, array in arrays.items():
            gathered[..., block == number] = array[..., column[block == number]]
        return gathered


def read_array(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Map a .npy file; raises UserError unless its header states this shape and type and its size fits."""
    found, file = open_npy(path)
    with file:
        kind = _dtype(found)
        if found.shape != shape or kind != dtype:
            raise file_error(path, f"has shape {found.shape} of {kind}, but the record states {shape} of {dtype}")
        size = math.prod(shape) * kind.itemsize
        if size <= SMALL:  # every mapped file counts as open
            return np.ndarray(shape, kind, file.read(found.start + size), found.start)
        return np.memmap(file, kind, "r", found.start, shape)


def _dtype(of: Header) -> np.dtype[Any]:
    return np.dtype(of.kind if isinstance(of.kind, str) else list(of.kind))


def structured(rows: Rows) -> Array:
    """Rows as a structured array (runs,), without a copy if they have all columns of `layout.ROW`.

    Columns that are missing are unknown: nan, -1 for epochs, 0 for reasons.
    """
    of, names = rows.header, list(rows.names)
    formats, offsets = [of.columns[name] for name in names], [of.offsets[name] for name in names]
    columns: Any = {"names": names, "formats": formats, "offsets": offsets, "itemsize": of.item_size}
    kind = np.dtype(columns)
    found = np.frombuffer(rows.content, kind, len(rows), of.start)
    if layout.ROW.keys() <= set(names):
        return found
    filled = layout.empty_rows(len(found), {name: kind[name] for name in names})
    for name in names:
        filled[name] = found[name]
    return filled


def read_data(folder: Path) -> dict[str, Array]:
    """The arrays of data.npz: of known names, not compressed, each as long as its header requires."""
    path = folder / layout.DATA
    with open_own(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return {info.filename.removesuffix(".npy"): _member(path, archive, info) for info in _members(archive)}
        except UserError:
            raise
        except Exception as error:  # a hostile archive may raise nearly anything
            raise file_error(path, f"not readable ({type(error).__name__}: {error})") from None


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    found = archive.infolist()
    names = [info.filename for info in found]
    if not set(names) <= {f"{name}.npy" for name in DATA_NAMES} or len(set(names)) < len(names):
        raise ValueError(f"contains something other than {', '.join(DATA_NAMES)}")
    if any(info.compress_type != zipfile.ZIP_STORED for info in found):
        raise ValueError("compressed, which the data of a record never are")
    if sum(info.file_size for info in found) > LARGEST_DATA:
        raise ValueError(f"larger than {LARGEST_DATA} bytes")
    return found


def _member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    content = archive.read(info)
    found = header(f"{path}: {info.filename}", content[:FIRST], len(content))
    return np.frombuffer(content, _dtype(found), math.prod(found.shape), found.start).reshape(found.shape)


def recorded_rows(values: Array) -> Array:
    """How many rows of an array (rows, runs) there are up to the last that is recorded, (runs,)."""
    rows = np.arange(1, len(values) + 1)[:, None]
    return np.max(np.where(np.isnan(values), 0, rows), axis=0, initial=0)
