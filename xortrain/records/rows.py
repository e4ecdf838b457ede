"""runs.npy without NumPy: one tuple a run, for listings that must start in milliseconds.

The same file mapped as a structured array is ``StoredRecord.rows``.
"""

import os
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import accumulate
from math import isnan
from mmap import mmap
from pathlib import Path
from struct import Struct, pack_into
from typing import Any

from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.files import content_of, wrong
from xortrain.records.metadata import Metadata
from xortrain.records.npy import FIRST, Header, header

CHUNK = 10_000  # rows that are turned into Python's numbers at once
LARGEST = 64 << 30  # bytes
_CODES = {"i1": "b", "u1": "B", "b1": "?", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q"} | {
    "f2": "e",
    "f4": "f",
    "f8": "d",
}


@dataclass(frozen=True)
class Rows:
    """The rows of a record: their columns' names, and the bytes they lie in."""

    header: Header
    content: bytes | bytearray | mmap

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.header.columns)

    @cached_property
    def row(self) -> Struct:
        return _struct(self.header)

    def __len__(self) -> int:
        return self.header.shape[0]

    def at(self, place: int) -> dict[str, Any]:
        """One row, by column."""
        values = self.row.unpack_from(self.content, self.header.start + place * self.row.size)
        return dict(zip(self.names, values, strict=True))

    def chunks(self) -> Iterator[dict[str, tuple[Any, ...]]]:
        """All rows, some thousands at a time: by column the values."""
        if len(self) == 1:
            yield {name: (value,) for name, value in self.at(0).items()}
            return
        for first in range(0, len(self), CHUNK):
            last = min(len(self), first + CHUNK)
            size, start = self.row.size, self.header.start
            part = self.content[start + first * size : start + last * size]
            yield dict(zip(self.names, zip(*self.row.iter_unpack(part), strict=True), strict=True))

    @cached_property
    def offsets(self) -> dict[str, int]:
        """The byte of a row at which each column begins."""
        ends = accumulate((int(kind[-1]) for kind in self.header.columns.values()), initial=0)
        return dict(zip(self.names, ends, strict=False))

    def outcomes(self) -> Counter[int]:
        """How many runs have each outcome, by its code."""
        return Counter(self.codes)

    @property
    def codes(self) -> bytes | bytearray:
        """The outcome of each run, a byte each."""
        return self.content[self.header.start + self.offsets["outcome"] : self.header.end : self.row.size]


@lru_cache(maxsize=64)
def _is_row(found: Header) -> bool:
    """Whether rows begin with the columns that every record has; looked at once for each header."""
    return [(name, kind.lstrip("|")) for name, kind in found.columns.items()][: len(layout.ROW)] == list(layout.ROW)


@lru_cache(maxsize=64)
def _struct(found: Header) -> Struct:
    return Struct("<" + "".join(_CODES[kind[-2:]] for kind in found.columns.values()))


def read_rows(folder: Path | str, runs: int) -> Rows:
    """The rows of the record in a folder that says it has so many runs."""
    path = f"{folder}/{layout.RUNS}"
    content = content_of(path, LARGEST)
    found = header(path, content[:FIRST], len(content))
    if not _is_row(found):
        raise wrong(path, "does not have the columns that every record has")
    if found.shape != (runs,):
        raise wrong(path, f"has shape {found.shape}, but the record says {(runs,)}")
    return Rows(found, content)


LAST_EPOCH = (1 << 31) - 1  # that a row has room for
_KINDS = {"float64": "<f8", "float32": "<f4"}
_STRUCTS = {"<f8": Struct("<d"), "<f4": Struct("<f"), "<i8": Struct("<q")}
_BLOCK = re.compile(r"losses-(\d{3,9})\.npy")


def rows_now(folder: Path | str, metadata: Metadata) -> Rows:
    """The rows of a record; those of unfinished runs have epochs_done, final_loss and test_loss as far as kept."""
    rows = read_rows(folder, metadata["runs"])
    if metadata["status"] == "finished":
        return rows
    found = list(_found_progress(str(folder), metadata, rows.codes))
    content = bytearray(rows.content) if found else rows.content
    for place, (epoch, *losses) in found:
        start = rows.header.start + place * rows.row.size
        pack_into("<i", content, start + rows.offsets["epochs_done"], epoch)
        for name, loss in zip(("final_loss", "test_loss"), losses, strict=False):
            pack_into("<d", content, start + rows.offsets[name], loss)
    return replace(rows, content=content)


def _found_progress(folder: str, metadata: Metadata, codes: bytes | bytearray) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Unfinished runs by their places, with their last epoch, its loss and its test loss."""
    for block in _begun(folder):
        first = block * metadata["block_size"]
        own = codes[first : first + metadata["block_size"]]
        pending = [place for place, code in enumerate(own) if not code]
        if pending:
            with suppress(UserError):  # told where somebody asks for the losses themselves
                yield from (
                    (first + place, kept) for place, kept in _of_block(folder, metadata, block, len(own), pending)
                )


def _begun(folder: str) -> list[int]:
    """The blocks whose losses have a file."""
    return sorted(int(found[1]) for name in os.listdir(folder) if (found := _BLOCK.fullmatch(name)))


@dataclass(frozen=True)
class _Numbers:
    """The numbers of a .npy, one after the other."""

    content: bytes | mmap
    start: int
    number: Struct

    def __getitem__(self, place: int) -> Any:
        return self.number.unpack_from(self.content, self.start + place * self.number.size)[0]


def _open_numbers(path: str, kind: str, shape: tuple[int, ...]) -> _Numbers:
    """The numbers of a file; raises UserError if they are of another kind or shape."""
    content = content_of(path, LARGEST)
    found = header(path, content[:FIRST], len(content))
    if (found.kind, found.shape) != (kind, shape):
        raise UserError(f"{path}: is of another shape")
    return _Numbers(content, found.start, _STRUCTS[kind])


def _of_block(
    folder: str, metadata: Metadata, block: int, runs: int, pending: Sequence[int]
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    recorded, kind = metadata["losses"], _KINDS[metadata["dtype"]]
    epochs = _open_numbers(f"{folder}/{layout.LOSS_EPOCHS}", "<i8", (recorded,))
    curves = [
        _open_numbers(f"{folder}/{layout.block_file(name, block)}", kind, (recorded, runs))
        for name in ("losses", *(["test-losses"] if metadata["has_test"] else []))
    ]
    for place in pending:
        row = bisect_left(range(recorded), True, key=lambda row: isnan(curves[0][row * runs + place])) - 1
        if row >= 0 and 0 <= epochs[row] <= LAST_EPOCH:
            yield place, (epochs[row], *(curve[row * runs + place] for curve in curves))
