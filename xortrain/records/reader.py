"""Reading a record, one's own or a stranger's: nothing in it is executed and no size in it is believed.

Every array is checked against its file before it is mapped; whatever does not fit is one line of error.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.writer import Blocks

Array = npt.NDArray[Any]
LARGEST_JSON = 64 << 20  # bytes; a record of a million runs has a few kilobytes
LARGEST_HEADER = 1 << 20


def is_record(folder: Path) -> bool:
    """Whether a folder holds a record."""
    return (folder / layout.RECORD).is_file()


@dataclass(frozen=True)
class StoredRecord:
    """A record on disk; ``about`` is its checked record.json."""

    folder: Path
    about: Mapping[str, Any]

    @classmethod
    def open(cls, folder: Path) -> "StoredRecord":
        """Open a record; raises UserError with one line for whatever is wrong with it."""
        if not is_record(folder):
            raise UserError(f"{folder}: no record here (a record is a folder with a {layout.RECORD})")
        return cls(folder, _checked(folder, read_json(folder / layout.RECORD)))

    @property
    def runs(self) -> int:
        return int(self.about["runs"])

    @property
    def blocks(self) -> Blocks:
        return Blocks(self.runs, int(self.about["block_size"]))

    @cached_property
    def rows(self) -> Array:
        """runs.npy, mapped: one structured row a run."""
        return read_array(self.folder / layout.RUNS, (self.runs,))

    @cached_property
    def config(self) -> dict[str, Any]:
        """What all runs share: the settings as plain values."""
        import yaml

        path = _inside(self.folder / layout.CONFIG)
        try:
            content = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise UserError(f"{path}: not readable as YAML ({str(error).splitlines()[0]})") from None
        if not isinstance(content, dict):
            raise UserError(f"{path}: must be a mapping of settings")
        return content

    @cached_property
    def data(self) -> dict[str, Array]:
        """x, t and what was held out: x (examples, inputs) or (…, runs), t (examples, outputs) or (…, runs)."""
        path = _inside(self.folder / layout.DATA)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except Exception as error:  # a hostile archive may raise nearly anything
            raise UserError(f"{path}: not readable ({type(error).__name__}: {str(error).splitlines()[:1]})") from None

    @property
    def loss_epochs(self) -> Array:
        return np.asarray(self.about["loss_epochs"], np.int64)

    @property
    def frame_epochs(self) -> Array:
        return np.asarray(self.about["frame_epochs"], np.int64)

    def block_array(self, what: str, block: int) -> Array:
        """A mapped array of one block: losses, test-losses (recorded, runs) or parameters (frames, parameters, runs)."""
        part = self.blocks.runs_of(block)
        size = sum(int(np.prod(shape)) for shape in self.about["parameters"].values())
        lead = (len(self.about["frame_epochs"]), size) if what == "parameters" else (len(self.about["loss_epochs"]),)
        dtype = np.dtype(self.about["dtype"])
        return read_array(self.folder / layout.block_file(what, block), (*lead, part.stop - part.start), dtype)

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


def read_json(path: Path) -> Any:
    """A JSON file of bounded size."""
    _inside(path)
    if path.stat().st_size > LARGEST_JSON:
        raise UserError(f"{path}: larger than {LARGEST_JSON} bytes")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: broken JSON ({error})") from None


def read_array(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any] | None = None) -> Array:
    """Map a .npy whose header says just this shape (and type), and whose file is as long as that."""
    _inside(path)
    try:
        with path.open("rb") as file:
            major = np.lib.format.read_magic(file)[0]
            header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
            found, fortran, kind = header(file, max_header_size=LARGEST_HEADER)
            start = file.tell()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except Exception as error:  # the header is parsed as a literal, which can fail in many ways
        raise UserError(f"{path}: not a .npy file ({str(error).splitlines()[0]})") from None
    if kind.hasobject:
        raise UserError(f"{path}: holds Python objects, which are never loaded")
    if found != shape or fortran or (dtype is not None and kind != dtype):
        raise UserError(f"{path}: has shape {found} of {kind}, but the record says {shape}")
    needed = start + int(np.prod(shape, dtype=object)) * kind.itemsize
    if path.stat().st_size < needed:
        raise UserError(f"{path}: has {path.stat().st_size} bytes, its header promises {needed}")
    if 0 in shape:
        return np.empty(shape, kind)
    return np.memmap(path, kind, "r", start, shape)


def _inside(path: Path) -> Path:
    if path.is_symlink():
        raise UserError(f"{path}: a link; a record holds its own files")
    if not path.is_file():
        raise UserError(f"{path}: is missing")
    return path


def _checked(folder: Path, about: Any) -> Mapping[str, Any]:
    """record.json with every key that is used, of the right kind."""
    path = folder / layout.RECORD
    if not isinstance(about, dict):
        raise UserError(f"{path}: must be a JSON object")
    if about.get("format") != layout.FORMAT:
        raise UserError(
            f"{path}: format={about.get('format')!r}: this version of xortrain reads format {layout.FORMAT}"
        )
    for name, kind in _KINDS.items():
        if not isinstance(about.get(name), kind):
            raise UserError(f"{path}: {name}={about.get(name)!r}: must be a {kind.__name__}")
    if about["runs"] < 1 or about["block_size"] < 1:
        raise UserError(f"{path}: runs and block_size must be at least 1")
    if about["dtype"] not in ("float32", "float64"):
        raise UserError(f"{path}: dtype={about['dtype']!r}: must be float32 or float64")
    epochs = [*about["loss_epochs"], *about["frame_epochs"]]
    shapes = [size for shape in about["parameters"].values() for size in (shape if isinstance(shape, list) else [None])]
    if not all(type(number) is int and 0 <= number < 1 << 40 for number in epochs + shapes):
        raise UserError(f"{path}: epochs and shapes must be whole numbers")
    return about


_KINDS: dict[str, type] = {
    "status": str,
    "started": str,
    "runs": int,
    "block_size": int,
    "dtype": str,
    "has_test": bool,
    "parameters": dict,
    "loss_epochs": list,
    "frame_epochs": list,
    "outcomes": list,
    "varies": list,
}
