"""runs.npy without NumPy: one tuple a run, for listings that must start in milliseconds.

The same file mapped as a structured array is ``StoredRecord.rows``.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from mmap import mmap
from pathlib import Path
from struct import Struct
from typing import Any

from xortrain.records import layout
from xortrain.records.files import content_of, wrong
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
