"""Reads runs.npy without NumPy, so that a listing starts in milliseconds.

Columns are found by name: `Rows` skips those that this version does not know, and lacks those that an older version
did not write.  `RecordReader.rows` is the same table as a structured array.
"""

import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from math import isnan
from mmap import mmap
from pathlib import Path
from struct import Struct, pack_into
from typing import Any

from xortrain.errors import UserError, file_error
from xortrain.records import layout
from xortrain.records.files import content_of
from xortrain.records.metadata import Metadata
from xortrain.records.npy import FIRST, Header, header

CHUNK = 10_000  # rows that are converted to Python numbers at once
LARGEST = 64 << 30  # bytes
LAST_EPOCH = (1 << 31) - 1  # the largest that fits into a row
_TYPES = {"b": "i1", "h": "i2", "i": "i4", "q": "i8", "B": "u1", "H": "u2", "I": "u4", "Q": "u8", "?": "b1"}
_CODES = {kind: code for code, kind in {**_TYPES, "e": "f2", "f": "f4", "d": "f8"}.items()}  # NumPy's type to struct's
_KINDS = {"float64": "<f8", "float32": "<f4"}
_BLOCK = re.compile(r"losses-(\d{3,9})\.npy")


@dataclass(frozen=True)
class Rows:
    """The rows of a record as bytes; ``names`` are the columns that are read."""

    header: Header
    content: bytes | bytearray | mmap
    names: tuple[str, ...]

    @property
    def struct(self) -> Struct:
        return _struct(self.header, self.names)

    def __len__(self) -> int:
        return self.header.shape[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns as users know them, as W1[0, 1] for init.set.W1.0.1."""
        return _columns(self.names)

    def at(self, index: int) -> dict[str, Any]:
        """The values of one row, by column."""
        values = self.struct.unpack_from(self.content, self.header.start + index * self.header.item_size)
        return dict(zip(self.columns, values, strict=True))

    def chunks(self) -> Iterator[dict[str, tuple[Any, ...]]]:
        """The values of all rows, by column, a few thousand rows at a time."""
        for first in range(0, len(self), CHUNK):
            last, size, start = min(len(self), first + CHUNK), self.header.item_size, self.header.start
            part = self.content[start + first * size : start + last * size]
            yield dict(zip(self.columns, zip(*self.struct.iter_unpack(part), strict=True), strict=True))

    @property
    def codes(self) -> bytes | bytearray:
        """The outcome of each run, one byte each."""
        header = self.header
        return self.content[header.start + header.offsets["outcome"] : header.end : header.item_size]


@lru_cache(maxsize=64)
def _columns(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(layout.column_of, names))


@lru_cache(maxsize=64)
def _struct(of: Header, names: tuple[str, ...]) -> Struct:
    codes = (_CODES[kind[-2:]] if name in names else f"{kind[-1]}x" for name, kind in of.columns.items())
    return Struct("<" + "".join(codes))


@lru_cache(maxsize=64)
def _known_columns(found: Header, varies: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that are read, in their order; raises ValueError if one is missing or of another type."""
    for name in (*layout.REQUIRED, *varies):
        if name not in found.columns:
            raise ValueError(f"has no column {name}")
    for name, kind in layout.ROW.items():
        if found.columns.get(name, kind).lstrip("|") != kind:
            raise ValueError(f"column {name} has type {found.columns[name]}, must have {kind}")
    return tuple(name for name in found.columns if name in layout.ROW or name in varies)


def read_rows(folder: Path | str, runs: int, varies: Sequence[str]) -> Rows:
    """The rows in a record's folder; raises UserError unless they fit ``runs`` and ``varies`` of its record.json."""
    path = f"{folder}/{layout.RUNS}"
    content = content_of(path, LARGEST)
    found = header(path, content[:FIRST], len(content))
    if found.shape != (runs,):
        raise file_error(path, f"has shape {found.shape}, but the record states {(runs,)}")
    try:
        return Rows(found, content, _known_columns(found, tuple(varies)))
    except ValueError as error:
        raise file_error(path, error) from None


def rows_now(folder: Path | str, metadata: Metadata) -> Rows:
    """The rows of a record; unfinished runs have their last recorded epoch in epochs_done, and its losses."""
    rows = read_rows(folder, metadata["runs"], metadata["varies"])
    if metadata["status"] == "finished":
        return rows
    found = list(_progress(str(folder), metadata, rows.codes))
    content = bytearray(rows.content) if found else rows.content
    for index, values in found:
        start = rows.header.start + index * rows.header.item_size
        for name, code, value in zip(("epochs_done", "final_loss", "test_loss"), "idd", values, strict=False):
            if name in rows.names:
                pack_into(f"<{code}", content, start + rows.header.offsets[name], value)
    return replace(rows, content=content)


def _progress(folder: str, metadata: Metadata, codes: bytes | bytearray) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The index of each unfinished run, with its last recorded epoch, loss and test loss."""
    size = metadata["block_size"]
    for block in sorted(int(found[1]) for name in os.listdir(folder) if (found := _BLOCK.fullmatch(name))):
        own = codes[block * size : (block + 1) * size]
        pending = [index for index, code in enumerate(own) if not code]
        with suppress(UserError):  # raised again when the losses themselves are read
            for index, values in _last_losses(folder, metadata, block, len(own), pending) if pending else ():
                yield block * size + index, values


def _last_losses(
    folder: str, metadata: Metadata, block: int, runs: int, pending: Sequence[int]
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    recorded, kind = metadata["losses"], _KINDS[metadata["dtype"]]
    epochs = _Numbers.open(f"{folder}/{layout.LOSS_EPOCHS}", "<i8", (recorded,))
    curves = [_Numbers.open(f"{folder}/{name}", kind, (recorded, runs)) for name in layout.loss_files(metadata, block)]
    for index in pending:
        row = bisect_left(range(recorded), True, key=lambda row: isnan(curves[0][row * runs + index])) - 1
        if row >= 0 and 0 <= epochs[row] <= LAST_EPOCH:
            yield index, (epochs[row], *(curve[row * runs + index] for curve in curves))


@dataclass(frozen=True)
class _Numbers:
    """The numbers of a .npy file as a flat sequence."""

    content: bytes | mmap
    start: int
    struct: Struct

    @classmethod
    def open(cls, path: str, kind: str, shape: tuple[int, ...]) -> "_Numbers":
        content = content_of(path, LARGEST)
        found = header(path, content[:FIRST], len(content))
        if (found.kind, found.shape) != (kind, shape):
            raise file_error(path, f"has shape {found.shape} of {found.kind}, must have {shape} of {kind}")
        return cls(content, found.start, Struct(f"<{_CODES[kind[-2:]]}"))

    def __getitem__(self, index: int) -> Any:
        return self.struct.unpack_from(self.content, self.start + index * self.struct.size)[0]
