"""The header of a .npy file: what kind of numbers, in what shape, from which byte on.

Only little-endian numbers and flags are known, alone or as the named columns of a row; Python objects are not.
"""

import ast
import math
import os
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from xortrain.records.files import open_own, wrong

LARGEST_HEADER = 1 << 14  # bytes
FIRST = LARGEST_HEADER + 12  # bytes that hold any header
_NUMBER = re.compile(r"<[iuf][248]|[|<]?[iub]1")
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
Kind = str | tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class Header:
    """``kind`` is the type of a number, or the (name, type) of each column of a row."""

    kind: Kind
    shape: tuple[int, ...]
    start: int  # byte at which the numbers begin

    @cached_property
    def columns(self) -> dict[str, str]:
        """The columns of a row with their types; none of a number."""
        return {} if isinstance(self.kind, str) else dict(self.kind)

    @cached_property
    def item_size(self) -> int:
        """Bytes of one number or one row."""
        kinds = [self.kind] if isinstance(self.kind, str) else self.columns.values()
        return sum(int(kind[-1]) for kind in kinds)

    @cached_property
    def end(self) -> int:
        """Byte after the last number."""
        return self.start + math.prod(self.shape) * self.item_size


def header(path: Path | str, first: bytes, size: int) -> Header:
    """The header in the first bytes of a file of so many bytes, which has all the numbers it promises."""
    try:
        found = _header(first)
    except (ValueError, TypeError, KeyError, SyntaxError, MemoryError, RecursionError) as error:
        what = f": {error.args[0]}" if type(error) is ValueError and error.args else ""
        raise wrong(path, f"not a .npy file that a record has{what}") from None
    if size < found.end:
        raise wrong(path, f"has {size} bytes, its header promises {found.end}")
    return found


def open_npy(path: Path | str) -> tuple[Header, BinaryIO]:
    """An open .npy of one's own or a stranger's, at its beginning, and its header."""
    file = open_own(path)
    try:
        found = header(path, file.read(FIRST), os.fstat(file.fileno()).st_size)
        file.seek(0)
        return found, file
    except BaseException:
        file.close()
        raise


def _header(first: bytes) -> Header:
    version, width = first[6:7], 2 if first[6:7] == b"\1" else 4
    if first[:6] != b"\x93NUMPY" or version not in (b"\1", b"\2", b"\3"):
        raise ValueError("wrong first bytes")
    start = 8 + width
    end = start + int.from_bytes(first[8:start], "little")
    if end - start > LARGEST_HEADER or end > len(first):
        raise ValueError(f"a header of {end - start} bytes")
    return _parsed(first[start:end], end)


@lru_cache(maxsize=64)
def _parsed(text: bytes, start: int) -> Header:
    content = ast.literal_eval(text.decode("ascii"))
    if set(content) != {"descr", "fortran_order", "shape"} or content["fortran_order"] is not False:
        raise ValueError("must have descr, shape and fortran_order=False")
    shape = content["shape"]
    if not isinstance(shape, tuple) or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError("its shape must be whole numbers")
    return Header(_kind(content["descr"]), shape, start)


def _kind(descr: Any) -> Kind:
    if isinstance(descr, str) and _NUMBER.fullmatch(descr):
        return descr
    if not isinstance(descr, list) or not descr:
        raise ValueError("holds something else than numbers, which is never loaded")
    columns = tuple(descr)
    for column in columns:
        if not (isinstance(column, tuple) and len(column) == 2 and all(isinstance(part, str) for part in column)):
            raise ValueError("holds something else than columns of numbers, which is never loaded")
        if not (_COLUMN.fullmatch(column[0]) and _NUMBER.fullmatch(column[1])):
            raise ValueError("holds something else than columns of numbers, which is never loaded")
    if len({name for name, _ in columns}) < len(columns):
        raise ValueError("has two columns of one name")
    return columns
