"""How far a run that is not finished has come: the last epoch whose loss was kept, and that loss.

A training that was killed had no time to write it into its row, but its losses are in their files.
"""

import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import isnan
from mmap import mmap
from pathlib import Path
from struct import Struct, pack_into
from typing import Any

from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.about import About
from xortrain.records.files import content_of
from xortrain.records.npy import FIRST, header
from xortrain.records.rows import LARGEST, Rows, read_rows

LAST_EPOCH = (1 << 31) - 1  # that a row has room for
_KINDS = {"float64": "<f8", "float32": "<f4"}
_STRUCTS = {"<f8": Struct("<d"), "<f4": Struct("<f"), "<i8": Struct("<q")}
_BLOCK = re.compile(r"losses-(\d{3,9})\.npy")


def rows_now(folder: Path | str, about: About) -> Rows:
    """The rows of a record; those of unfinished runs have epochs_done, final_loss and test_loss as far as kept."""
    rows = read_rows(folder, about["runs"])
    if about["status"] == "finished":
        return rows
    found = list(_found(str(folder), about, rows.codes))
    content = bytearray(rows.content) if found else rows.content
    for place, (epoch, *losses) in found:
        start = rows.header.start + place * rows.row.size
        pack_into("<i", content, start + rows.offsets["epochs_done"], epoch)
        for name, loss in zip(("final_loss", "test_loss"), losses, strict=False):
            pack_into("<d", content, start + rows.offsets[name], loss)
    return replace(rows, content=content)


def _found(folder: str, about: About, codes: bytes | bytearray) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Unfinished runs by their places, with their last epoch, its loss and its test loss."""
    for block in _begun(folder):
        first = block * about["block_size"]
        own = codes[first : first + about["block_size"]]
        pending = [place for place, code in enumerate(own) if not code]
        if pending:
            with suppress(UserError):  # told where somebody asks for the losses themselves
                yield from ((first + place, kept) for place, kept in _of_block(folder, about, block, len(own), pending))


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


def _numbers(path: str, kind: str, shape: tuple[int, ...]) -> _Numbers:
    """The numbers of a file; raises UserError if they are of another kind or shape."""
    content = content_of(path, LARGEST)
    found = header(path, content[:FIRST], len(content))
    if (found.kind, found.shape) != (kind, shape):
        raise UserError(f"{path}: is of another shape")
    return _Numbers(content, found.start, _STRUCTS[kind])


def _of_block(
    folder: str, about: About, block: int, runs: int, pending: Sequence[int]
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    recorded, kind = about["losses"], _KINDS[about["dtype"]]
    epochs = _numbers(f"{folder}/{layout.LOSS_EPOCHS}", "<i8", (recorded,))
    curves = [
        _numbers(f"{folder}/{layout.block_file(name, block)}", kind, (recorded, runs))
        for name in ("losses", *(["test-losses"] if about["has_test"] else []))
    ]
    for place in pending:
        row = bisect_left(range(recorded), True, key=lambda row: isnan(curves[0][row * runs + place])) - 1
        if row >= 0 and 0 <= epochs[row] <= LAST_EPOCH:
            yield place, (epochs[row], *(curve[row * runs + place] for curve in curves))
