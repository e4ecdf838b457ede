"""Parses the header of a .npy file without NumPy: the type of its numbers, their shape, and the byte where they start.

Accepts little-endian numbers and booleans, alone or as named columns of a structured row, and no Python objects.
"""

import ast
import math
import os
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

from xortrain.errors import file_error
from xortrain.records.files import open_own

LARGEST_HEADER = 1 << 14  # bytes
MOST_AXES = 8
FIRST = LARGEST_HEADER + 12  # bytes that hold any header
_LITERAL = re.compile(r"(?:'[^'\\]*+'|[0-9]{1,19}(?![0-9A-Za-z_.])|-|True|False|[][{}(),:\s])*+")
"""What a header may have: texts without escapes, whole numbers of few decimal digits, and brackets."""
_NUMBER = re.compile(r"<[iuf][248]|[|<]?[iub]1")
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
Kind = str | tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class Header:
    """``kind`` is the type of a number, or (name, type) for each column of a structured row."""

    kind: Kind
    shape: tuple[int, ...]
    start: int  # the byte where the numbers start

    @cached_property
    def columns(self) -> dict[str, str]:
        """The columns of a row with their types; empty for plain numbers."""
        return {} if isinstance(self.kind, str) else dict(self.kind)

    @cached_property
    def offsets(self) -> dict[str, int]:
        """The byte of a row where each column starts."""
        ends = accumulate((int(kind[-1]) for kind in self.columns.values()), initial=0)
        return dict(zip(self.columns, ends, strict=False))

    @cached_property
    def item_size(self) -> int:
        """The bytes of one number or one row."""
        kinds = [self.kind] if isinstance(self.kind, str) else self.columns.values()
        return sum(int(kind[-1]) for kind in kinds)

    @property
    def end(self) -> int:
        """The byte after the last number."""
        return self.start + math.prod(self.shape) * self.item_size


def header(path: Path | str, first: bytes, size: int) -> Header:
    """Parse the header in the first bytes of a file; raises UserError if its numbers need more than ``size`` bytes."""
    try:
        found = _header(first)
    except (ValueError, TypeError, KeyError, SyntaxError, MemoryError, RecursionError) as error:
        what = f": {error.args[0]}" if type(error) is ValueError and error.args else ""
        raise file_error(path, f"not a .npy file of a record{what}") from None
    if size < found.end:
        raise file_error(path, f"has {size} bytes, but its header requires {found.end}")
    return found


def open_npy(path: Path | str) -> tuple[Header, BinaryIO]:
    """The header of a .npy file, trusted or not, and the file, open at its first byte."""
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
    if not _LITERAL.fullmatch(text.decode("ascii")):
        raise ValueError("its header must be plain")
    content = ast.literal_eval(text.decode("ascii"))
    if set(content) != {"descr", "fortran_order", "shape"} or content["fortran_order"] is not False:
        raise ValueError("must have descr, shape and fortran_order=False")
    shape = content["shape"]
    if not isinstance(shape, tuple) or not all(type(size) is int and size >= 0 for size in shape[:MOST_AXES]):
        raise ValueError("its shape must be whole numbers")
    if len(shape) > MOST_AXES:
        raise ValueError(f"has {len(shape)} axes")
    return Header(_kind(content["descr"]), shape, start)


def _kind(descr: Any) -> Kind:
    if isinstance(descr, str) and _NUMBER.fullmatch(descr):
        return descr
    if not isinstance(descr, list) or not descr:
        raise ValueError("contains something other than numbers, which is never loaded")
    for column in descr:
        is_pair = isinstance(column, tuple) and len(column) == 2 and all(isinstance(part, str) for part in column)
        if not (is_pair and _COLUMN.fullmatch(column[0]) and _NUMBER.fullmatch(column[1])):
            raise ValueError("contains something other than columns of numbers, which is never loaded")
    if len(dict(descr)) < len(descr):
        raise ValueError("has duplicate column names")
    return tuple(descr)
