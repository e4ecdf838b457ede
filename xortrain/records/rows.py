"""runs.npy without NumPy: one tuple a run, for listings that must start in milliseconds.

The same file mapped as a structured array is ``StoredRecord.rows``.
"""

import mmap
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from struct import Struct
from typing import Any

from xortrain.records import layout
from xortrain.records.files import wrong
from xortrain.records.npy import Header, open_npy

CHUNK = 10_000  # rows that are turned into Python's numbers at once
SMALL = 1 << 20  # bytes up to which reading is quicker than mapping
_CODES = {"i1": "b", "u1": "B", "b1": "?", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q"} | {
    "f2": "e",
    "f4": "f",
    "f8": "d",
}


@dataclass(frozen=True)
class Rows:
    """The rows of a record: their columns' names, and the bytes they lie in."""

    header: Header
    content: bytes | mmap.mmap

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.header.kind)

    @cached_property
    def row(self) -> Struct:
        return Struct("<" + "".join(_CODES[kind[-2:]] for _, kind in self.header.kind))

    def __len__(self) -> int:
        return self.header.shape[0]

    def at(self, place: int) -> dict[str, Any]:
        """One row, by column."""
        values = self.row.unpack_from(self.content, self.header.start + place * self.row.size)
        return dict(zip(self.names, values, strict=True))

    def chunks(self) -> Iterator[dict[str, tuple[Any, ...]]]:
        """All rows, some thousands at a time: by column the values."""
        for first in range(0, len(self), CHUNK):
            last = min(len(self), first + CHUNK)
            size, start = self.row.size, self.header.start
            part = self.content[start + first * size : start + last * size]
            yield dict(zip(self.names, zip(*self.row.iter_unpack(part), strict=True), strict=True))

    def outcomes(self) -> Counter[int]:
        """How many runs have each outcome, by its code."""
        place = self.names.index("outcome")
        before = Struct("<" + "".join(_CODES[kind[-2:]] for _, kind in self.header.kind[:place])).size
        start = self.header.start
        return Counter(self.content[start + before : start + len(self) * self.row.size : self.row.size])


def read_rows(folder: Path | str, runs: int) -> Rows:
    """The rows of the record in a folder that says it has so many runs."""
    path = os.path.join(folder, layout.RUNS)
    header, file = open_npy(path)
    with file:
        columns = header.kind
        if isinstance(columns, str) or not set(layout.ROW) <= {(n, k.lstrip("|")) for n, k in columns}:
            raise wrong(path, "does not have the columns that every record has")
        if header.shape != (runs,):
            raise wrong(path, f"has shape {header.shape}, but the record says {(runs,)}")
        file.seek(0)
        if header.end <= SMALL:
            return Rows(header, file.read(header.end))
        return Rows(header, mmap.mmap(file.fileno(), header.end, access=mmap.ACCESS_READ))
