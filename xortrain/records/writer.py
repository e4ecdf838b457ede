"""Writing a record: a folder of its own, arrays that are filled while training goes on, one row a run.

Every array is filled with nan by writing before it is mapped, so a full disk is an error at the start of a
block and not a fault in the middle of it; what a killed process has written stays.
"""

import json
import math
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xortrain.records import layout
from xortrain.records.events import add_event, now

Array = npt.NDArray[Any]
BEAT = 10.0  # seconds between two touches of the heartbeat


def new_folder(root: Path, now: datetime | None = None) -> Path:
    """A new folder root/date/time that nobody else has: two starts in one microsecond get two."""
    while True:
        moment = now or datetime.now()
        folder = root / moment.strftime("%Y-%m-%d") / moment.strftime("%H-%M-%S-%f")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
        now = None


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write whole or not at all, to a name beside it, then renamed; one line a key, however long its list."""
    lines = (f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in content.items())
    part = path.with_name(path.name + ".part")
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    part.write_bytes(text.encode("utf-8", "backslashreplace"))  # \udc80, as JSON writes half a character too
    os.replace(part, path)


@dataclass(frozen=True)
class Blocks:
    """How the arrays of a record are cut: ``size`` runs a block, the last may be smaller."""

    runs: int
    size: int

    def __len__(self) -> int:
        return -(-self.runs // self.size)

    def runs_of(self, block: int) -> slice:
        """The runs of a block, by their places in runs.npy."""
        return slice(block * self.size, min(self.runs, (block + 1) * self.size))


@dataclass(frozen=True)
class BlockArrays:
    """The mapped arrays of a block: losses and test losses (recorded, runs), parameters (frames, parameters, runs)."""

    losses: Array
    parameters: Array
    test_losses: Array | None


@dataclass
class RecordWriter:
    """A record that is being written; ``file`` has what it is about."""

    folder: Path
    metadata: dict[str, Any]
    file: str = layout.RECORD
    beaten: float = -math.inf

    @classmethod
    def start(
        cls,
        folder: Path,
        metadata: Mapping[str, Any],
        config: str,
        data: Mapping[str, Array],
        rows: Array,
    ) -> "RecordWriter":
        """Begin in an empty folder: what it is about, its config as YAML, its data, its rows (unfinished).

        record.json gets the config too, and is what is read again: JSON parses 40 times as fast as YAML.  The epochs,
        lists of up to millions, get files of their own; record.json says how many.
        """
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        first = {"format": layout.FORMAT, "status": "running", "started": now()}
        told = {key: value for key, value in metadata.items() if key not in ("loss_epochs", "frame_epochs")}
        counts = {"losses": len(metadata["loss_epochs"]), "frames": len(metadata["frame_epochs"])}
        record = cls(folder, {**first, **told, **counts, "config": yaml.load(config, loader)})
        (folder / layout.CONFIG).write_text(config, encoding="utf-8")
        np.savez(folder / layout.DATA, **data)  # type: ignore[arg-type]
        _save_rows(folder / layout.RUNS, rows)
        np.save(folder / layout.LOSS_EPOCHS, np.asarray(metadata["loss_epochs"], np.int64))
        np.save(folder / layout.FRAME_EPOCHS, np.asarray(metadata["frame_epochs"], np.int64))
        write_json(folder / layout.RECORD, record.metadata)
        return record

    @property
    def blocks(self) -> Blocks:
        return Blocks(self.metadata["runs"], self.metadata["block_size"])

    def block(self, number: int) -> BlockArrays:
        """Make the files of a block and map them."""
        return open_block(self.folder, self.metadata, number)

    def finish_block(self, number: int, rows: Array) -> None:
        """Write the rows of a block whose training is over; the outcomes last, so that a row that has one is whole."""
        target = np.asarray(np.load(self.folder / layout.RUNS, mmap_mode="r+"))[self.blocks.runs_of(number)]
        pending = rows.copy()
        pending["outcome"] = 0
        target[:] = pending
        target["outcome"] = rows["outcome"]

    def event(self, kind: str, **content: Any) -> None:
        """Keep a thing that has no fixed shape: a failure with its reason, a tag, a note."""
        add_event(self.folder, kind, **content)

    def beat(self) -> None:
        """Show that the training goes on, to those who cannot see its process; call it as often as you like."""
        if time.monotonic() - self.beaten >= BEAT:
            with suppress(OSError):  # a full disk is told where it hurts
                (self.folder / layout.HEARTBEAT).touch()
            self.beaten = time.monotonic()

    def end(self, status: str) -> None:
        """The last word: finished, failed or interrupted."""
        self.metadata |= {"status": status, "ended": now()}
        self.write()

    def write(self) -> None:
        """Write what it is about."""
        write_json(self.folder / self.file, self.metadata)


def open_block(folder: Path, metadata: Mapping[str, Any], number: int) -> BlockArrays:
    """Make the files of a block, full of nan, and map them; a worker writes only its own."""
    part = Blocks(metadata["runs"], metadata["block_size"]).runs_of(number)
    runs, recorded = part.stop - part.start, metadata["losses"]
    size = sum(math.prod(shape) for shape in metadata["parameters"].values())

    def array(what: str, *shape: int) -> Array:
        return _filled(folder / layout.block_file(what, number), (*shape, runs), np.dtype(metadata["dtype"]))

    losses = array("losses", recorded)
    test = array("test-losses", recorded) if metadata["has_test"] else None
    return BlockArrays(losses, array("parameters", metadata["frames"], size), test)


def _save_rows(path: Path, rows: Array) -> None:
    """As np.save, which does not say why it could not write all of it."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(rows))
        file.write(np.ascontiguousarray(rows).view(np.uint8).data)


def _filled(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """A new .npy of nan, mapped; a plain view, since a row set through np.memmap costs four times as much."""
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    nan = np.full(max(1, math.prod(shape[1:])), np.nan, dtype).tobytes()
    try:
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for _ in range(shape[0]):
                file.write(nan)
    except OSError:  # a full disk: what is of no use makes room for saying so
        path.unlink(missing_ok=True)
        raise
    if 0 in shape:
        return np.empty(shape, dtype)
    return np.asarray(np.load(path, mmap_mode="r+"))
