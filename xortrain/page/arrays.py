"""Packs the arrays of a page into one text: bytes of equal weight side by side, then gzip and base64.

`app/unpack.js` reads it.
"""

import base64
import gzip
from typing import Any, Literal

import numpy as np

from xortrain.nets import Array

Coding = Literal["planes", "changes"]
LEVEL = 6  # of gzip: 9 takes three times as long for 1 % less


class Arrays:
    """Arrays in the order in which they were added; ``described`` says how each is stored."""

    def __init__(self) -> None:
        self.described: list[dict[str, Any]] = []
        self._parts: list[bytes] = []

    def add(self, values: Array, kind: str = "<f8", coding: Coding = "planes") -> int:
        """Add an array as numbers of a kind, and return its place; ``changes`` stores each row against the one before.

        A number of the row before differs in few bits, so the exclusive or of both has many zeros.
        """
        own = np.ascontiguousarray(values, np.dtype(kind))
        bits = own.view(f"<u{own.itemsize}")
        if coding == "changes":
            bits = np.concatenate([bits[:1], bits[1:] ^ bits[:-1]])
        data = np.ascontiguousarray(bits).view(np.uint8).reshape(-1, own.itemsize).T.tobytes()
        kept = {"kind": own.dtype.str[1:], "shape": list(own.shape), "coding": coding, "bytes": len(data)}
        self.described.append(kept)
        self._parts.append(data)
        return len(self.described) - 1

    def packed(self) -> str:
        """All arrays as text."""
        return packed(b"".join(self._parts))


def packed(data: bytes) -> str:
    """Bytes as text for a page."""
    return base64.b64encode(gzip.compress(data, LEVEL, mtime=0)).decode()
