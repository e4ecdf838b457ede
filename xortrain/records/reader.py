"""Reading a record, one's own or a stranger's: nothing in it is executed and no size in it is believed.

Every array is checked against its file before it is mapped; whatever does not fit is one line of error.
"""

import math
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.files import open_own, wrong
from xortrain.records.metadata import Metadata, read_metadata
from xortrain.records.npy import FIRST, Header, header, open_npy
from xortrain.records.rows import Rows, rows_now
from xortrain.records.writer import Blocks

Array = npt.NDArray[Any]
DATA_NAMES = ("x", "t", "x_test", "t_test")
LARGEST_DATA = 4 << 30  # bytes


def is_record(folder: Path) -> bool:
    """Whether a folder holds a record."""
    return (folder / layout.RECORD).is_file()


@dataclass(frozen=True)
class RecordReader:
    """A record on disk; ``about`` is its checked record.json."""

    folder: Path
    metadata: Metadata

    @classmethod
    def open(cls, folder: Path) -> "RecordReader":
        """Open a record; raises UserError with one line for whatever is wrong with it."""
        if not is_record(folder):
            raise wrong(folder, f"no record here (a record is a folder with a {layout.RECORD})")
        return cls(folder, read_metadata(folder))

    @property
    def runs(self) -> int:
        return int(self.metadata["runs"])

    @property
    def blocks(self) -> Blocks:
        return Blocks(self.runs, int(self.metadata["block_size"]))

    @cached_property
    def rows(self) -> Array:
        """One structured row a run, unfinished ones as far as they have come."""
        return structured(rows_now(self.folder, self.metadata))

    @property
    def config(self) -> dict[str, Any]:
        """What all runs share: the settings as plain values."""
        return dict(self.metadata["config"])

    @cached_property
    def data(self) -> dict[str, Array]:
        """x, t and what was held out: x (examples, inputs) or (…, runs), t (examples, outputs) or (…, runs)."""
        return read_data(self.folder / layout.DATA)

    @cached_property
    def loss_epochs(self) -> Array:
        """After which epochs there are losses, rising: (recorded,)."""
        return _epochs(self.folder / layout.LOSS_EPOCHS, self.metadata["losses"])

    @cached_property
    def frame_epochs(self) -> Array:
        """After which epochs there are parameters, rising: (frames,)."""
        return _epochs(self.folder / layout.FRAME_EPOCHS, self.metadata["frames"])

    def block_array(self, what: str, block: int) -> Array:
        """A mapped array of a block: losses or test-losses (recorded, runs), parameters (frames, parameters, runs)."""
        dtype = np.dtype(self.metadata["dtype"])
        return read_array(self.folder / layout.block_file(what, block), self.shape_of(what, block), dtype)

    def has_block(self, block: int) -> bool:
        """Whether the arrays of a block have been begun."""
        names = ["losses", "parameters", *(["test-losses"] if self.metadata["has_test"] else [])]
        return all((self.folder / layout.block_file(name, block)).is_file() for name in names)

    def shape_of(self, what: str, block: int) -> tuple[int, ...]:
        """The shape that such an array has."""
        part = self.blocks.runs_of(block)
        size = sum(math.prod(shape) for shape in self.metadata["parameters"].values())
        lead = (self.metadata["frames"], size) if what == "parameters" else (self.metadata["losses"],)
        return *lead, part.stop - part.start

    def of_run(self, what: str, run: int) -> Array:
        """One run's column of such an array."""
        block, column = divmod(run, self.blocks.size)
        return np.asarray(self.block_array(what, block)[..., column])

    def of_runs(self, what: str, runs: slice = slice(None)) -> Array:
        """Such an array for all runs, or for a range of them; a single block stays mapped."""
        start, stop, _ = runs.indices(self.runs)
        blocks = range(start // self.blocks.size, -(-stop // self.blocks.size))
        parts = [self.block_array(what, block) for block in blocks]
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
        first = blocks.start * self.blocks.size
        return whole[..., start - first : stop - first]


def read_array(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any] | None = None) -> Array:
    """Map a .npy whose header says just this shape (and type), and whose file is as long as that."""
    found, file = open_npy(path)
    with file:
        kind = _dtype(found)
        if found.shape != shape or (dtype is not None and kind != dtype):
            raise wrong(path, f"has shape {found.shape} of {kind}, but the record says {shape}")
        if 0 in shape:
            return np.empty(shape, kind)
        return np.memmap(file, kind, "r", found.start, shape)


def _epochs(path: Path, count: int) -> Array:
    found = np.array(read_array(path, (count,), np.dtype("<i8")))
    if count and (found[0] < 0 or (np.diff(found) <= 0).any()):
        raise wrong(path, "epochs must rise from 0 on")
    return found


def _dtype(of: Header) -> np.dtype[Any]:
    return np.dtype(of.kind if isinstance(of.kind, str) else list(of.kind))


def read_data(path: Path) -> dict[str, Array]:
    """The arrays of a data.npz: those names a record has, not compressed, each as long as its header promises."""
    with open_own(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return {info.filename.removesuffix(".npy"): _member(path, archive, info) for info in _members(archive)}
        except UserError:
            raise
        except Exception as error:  # a hostile archive may raise nearly anything
            raise wrong(path, f"not readable ({type(error).__name__}: {error})") from None


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    found = archive.infolist()
    names = [info.filename for info in found]
    if not set(names) <= {f"{name}.npy" for name in DATA_NAMES} or len(set(names)) < len(names):
        raise ValueError(f"holds something else than {', '.join(DATA_NAMES)}")
    if any(info.compress_type != zipfile.ZIP_STORED for info in found):
        raise ValueError("compressed, which data of a record never are")
    if sum(info.file_size for info in found) > LARGEST_DATA:
        raise ValueError(f"larger than {LARGEST_DATA} bytes")
    return found


def _member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    with archive.open(info) as file:
        content = file.read()
    found = header(f"{path}: {info.filename}", content[:FIRST], len(content))
    return np.frombuffer(content, _dtype(found), math.prod(found.shape), found.start).reshape(found.shape)


def structured(rows: Rows) -> Array:
    """Rows that have been read, as a structured array without a copy."""
    return np.frombuffer(rows.content, _dtype(rows.header), len(rows), rows.header.start)
