"""Writes a record: a new folder, array files that training fills while it runs, and one row per run.

Every array file is first filled with nan, so that a full disk raises an error at the start of a block instead of
crashing in the middle of it, and everything that a killed process has written remains.
"""

import math
import os
import time
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.events import add_event, now
from xortrain.records.files import remove_leftovers, temporary_path, write_json
from xortrain.records.lock import last_sign, remove_unborn
from xortrain.records.metadata import moment, training_seconds
from xortrain.records.process import identity

Array = npt.NDArray[Any]
Returned = TypeVar("Returned")
BEAT = 10.0  # seconds between two touches of the heartbeat


def new_folder(root: Path, now: datetime | None = None) -> Path:
    """Create a new folder root/date/time; two starts in the same microsecond get different folders."""
    while True:
        folder = root / (now or datetime.now()).strftime(layout.FOLDER)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            folder.mkdir()
            remove_leftovers(folder.parent)
            remove_unborn(folder.parent)
            return folder
        now = None


@dataclass(frozen=True)
class BlockArrays:
    """The mapped arrays of a block: losses and test losses (recorded, runs), parameters (frames, parameters, runs).

    ``best`` is (parameters, runs), ``state`` has (numbers, runs) by name.  ``waiting`` are their files, by the names
    that they will have, as long as these belong to the files of an earlier training; ``before`` are its losses.
    """

    losses: Array
    parameters: Array
    test_losses: Array | None
    best: Array | None
    state: dict[str, Array]
    waiting: dict[Path, Path] = field(default_factory=dict)
    before: Array | None = None

    def until_better(self, steps: Generator[int, None, Returned]) -> Generator[int, None, Returned]:
        """The steps of a training into these arrays, which take the place of earlier ones when they have more losses.

        They do so at the latest at the end; an error before leaves the earlier ones as they were.
        """
        try:
            while True:
                try:
                    epoch = next(steps)
                except StopIteration as end:
                    self.take_place()
                    returned: Returned = end.value
                    return returned
                if self.waiting and self._has_more():
                    self.take_place()
                yield epoch
        finally:
            self.discard()

    def _has_more(self) -> bool:
        """Whether every run has all the losses that it had before."""
        if self.before is None:
            return True
        reached = ~np.isnan(self.losses[len(self.before) - 1])
        return bool(reached.any() and not (np.isnan(self.losses[: len(self.before)]) & ~np.isnan(self.before)).any())

    def take_place(self) -> None:
        """Give the files their names."""
        for path, part in list(self.waiting.items()):
            os.replace(part, path)
            del self.waiting[path]

    def discard(self) -> None:
        """Remove the files that have not taken their place."""
        for part in self.waiting.values():
            part.unlink(missing_ok=True)
        self.waiting.clear()


@dataclass
class RecordWriter:
    """A record that is being written; ``metadata`` is the content of its JSON file."""

    folder: Path
    metadata: dict[str, Any]
    file: str = layout.RECORD
    last_beat: float = -math.inf

    @classmethod
    def start(
        cls, folder: Path, metadata: Mapping[str, Any], config: str, data: Mapping[str, Array], rows: Array,
        stages: Mapping[str, Array] | None = None,
    ) -> "RecordWriter":  # fmt: skip
        """Write all files of a new record except its blocks; ``config`` is YAML, ``rows`` are of unfinished runs.

        record.json has the config too, since JSON is parsed 40 times faster.  The epochs, up to millions, have files of
        their own; record.json has only their counts.
        """
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        own = {key: value for key, value in metadata.items() if key not in ("loss_epochs", "frame_epochs")}
        counts = {"losses": len(metadata["loss_epochs"]), "frames": len(metadata["frame_epochs"])}
        record = cls(folder, {**_first_keys(), **own, **counts, "config": yaml.load(config, loader)})
        (folder / layout.CONFIG).write_text(config, encoding="utf-8")
        np.savez(folder / layout.DATA, **data)  # type: ignore[arg-type]
        _save_rows(folder / layout.RUNS, rows)
        if stages:
            columns = np.zeros(len(rows), [(name, values.dtype) for name, values in stages.items()])
            for name, values in stages.items():
                columns[name] = values
            _save_rows(folder / layout.STAGES, columns)
        np.save(folder / layout.LOSS_EPOCHS, np.asarray(metadata["loss_epochs"], np.int64))
        np.save(folder / layout.FRAME_EPOCHS, np.asarray(metadata["frame_epochs"], np.int64))
        record.write()
        return record

    @classmethod
    def start_sweep(cls, folder: Path, metadata: Mapping[str, Any]) -> "RecordWriter":
        """Write the sweep.json of a sweep with several populations."""
        record = cls(folder, {**_first_keys(), **metadata}, layout.SWEEP)
        record.write()
        return record

    def resume(self) -> None:
        """Mark a stopped record as running in this process; the pause does not count as training time."""
        end = moment(self.metadata.pop("ended", None)) or last_sign(self.folder)
        trained = max(0.0, training_seconds(self.metadata, end) or 0.0)
        self.metadata |= {"status": "running", "trained": trained, "resumed": now(), **identity()}
        self.write()
        self.event("resume", **identity())

    @property
    def blocks(self) -> layout.Blocks:
        return layout.Blocks(self.metadata["runs"], self.metadata["block_size"])

    def block(self, number: int) -> BlockArrays:
        """Create the files of a block and map them."""
        return open_block(self.folder, self.metadata, number)

    def finish_block(self, number: int, rows: Array) -> None:
        """Write the rows of a trained block; the outcomes last, so that a row with an outcome is complete."""
        target = np.asarray(np.load(self.folder / layout.RUNS, mmap_mode="r+"))[self.blocks.runs_of(number)]
        target["outcome"] = 0
        names = [name for name in target.dtype.names or () if name in (rows.dtype.names or ()) and name != "outcome"]
        for name in (*names, "outcome"):
            target[name] = rows[name]

    def event(self, kind: str, **content: Any) -> None:
        """Append an event."""
        add_event(self.folder, kind, **content)

    def beat(self) -> None:
        """Touch the heartbeat file, at most every BEAT seconds, to show other hosts that training is still running."""
        if time.monotonic() - self.last_beat >= BEAT:
            with suppress(OSError):  # a full disk raises where it matters
                (self.folder / layout.HEARTBEAT).touch()
            self.last_beat = time.monotonic()

    def end(self, status: str) -> None:
        """Write the final status: finished, failed or interrupted."""
        self.metadata |= {"status": status, "ended": now()}
        self.write()

    def write(self) -> None:
        """Write the JSON file."""
        write_json(self.folder / self.file, self.metadata)


def _first_keys() -> dict[str, Any]:
    return {"format": layout.FORMAT, "status": "running", "started": now()}


def open_block(folder: Path, metadata: Mapping[str, Any], number: int) -> BlockArrays:
    """Create the files of a block, full of nan, and map them; a worker process writes only its own blocks.

    They have temporary names until all are complete, and as long as a stopped training has left losses in this block.
    """
    part, waiting = layout.Blocks(metadata["runs"], metadata["block_size"]).runs_of(number), dict[Path, Path]()

    def array(what: str) -> Array:
        path = folder / layout.block_file(what, number)
        shape = (*layout.array_shape(metadata, what), part.stop - part.start)
        waiting[path] = temporary_path(path)
        return _filled(waiting[path], shape, np.dtype(metadata["dtype"]))

    try:
        test = array("test-losses") if metadata["has_test"] else None
        best = array("best") if metadata.get("has_best") else None
        state = layout.by_name(array("state"), metadata["state"]) if metadata.get("state") else {}
        parameters, losses = array("parameters"), array("losses")
        new = BlockArrays(losses, parameters, test, best, state, waiting, _recorded(folder, metadata, number))
        if new.before is None:
            new.take_place()
    except BaseException:
        for made in waiting.values():
            made.unlink(missing_ok=True)
        raise
    return new


def _recorded(folder: Path, metadata: Mapping[str, Any], number: int) -> Array | None:
    """The losses of a block up to the last recorded row; None if there are none, or their file is not sound."""
    path, runs = folder / layout.block_file("losses", number), layout.Blocks(metadata["runs"], metadata["block_size"])
    if not path.exists():
        return None
    from xortrain.records.reader import read_array

    part = runs.runs_of(number)
    shape = (*layout.array_shape(metadata, "losses"), part.stop - part.start)
    try:
        found = read_array(path, shape, np.dtype(metadata["dtype"]))
    except UserError:
        return None
    known = np.flatnonzero(~np.isnan(found).all(axis=1))
    return found[: known[-1] + 1] if len(known) else None


def _save_rows(path: Path, rows: Array) -> None:
    """Like np.save, but with the reason in the error if not everything could be written."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(rows))
        file.write(np.ascontiguousarray(rows).view(np.uint8).data)


def _filled(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """A new mapped .npy full of nan; a plain array, since writing a row through np.memmap takes four times as long."""
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    nan = np.full(max(1, math.prod(shape[1:])), np.nan, dtype).tobytes()
    try:
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for _ in range(shape[0]):
                file.write(nan)
    except OSError:  # a full disk: the useless file makes room for the error
        path.unlink(missing_ok=True)
        raise
    if 0 in shape:
        return np.empty(shape, dtype)
    return np.asarray(np.load(path, mmap_mode="r+"))
