"""Packs the arrays of a page into one text: bytes of equal weight side by side, then gzip and base64.

`app/unpack.js` reads it.
"""

import base64
import zlib
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from xortrain.nets import Array

Coding = Literal["planes", "changes"]
LEVEL = 6  # of gzip: 9 takes three times as long for 1 % less
STEPS = 65534  # between the least and the largest number of 16 bits; the code after the last is for nan
TINIEST = 1e-30  # a loss of 0, where losses are rounded in their logarithms


class Arrays:
    """Arrays in the order in which they were added; ``described`` says how each is stored."""

    def __init__(self) -> None:
        self.described: list[dict[str, Any]] = []
        self._parts: list[bytes] = []

    def add(self, values: Array, kind: str = "<f8", coding: Coding = "planes") -> int:
        """Add an array as numbers of a kind, and return its place; ``changes`` stores each row against the one before.

        A number of the row before differs in few bits, so the exclusive or of both has many zeros.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            own = np.ascontiguousarray(values, np.dtype(kind))
        bits = own.view(f"<u{own.itemsize}")
        if coding == "changes" and len(bits) > 1:
            before, bits = bits, bits.copy()
            bits[1:] ^= before[:-1]
        return self._keep(bits, {"kind": own.dtype.str[1:], "shape": list(own.shape), "coding": coding})

    def add_rounded(self, values: Array, is_log: bool = False) -> int:
        """Add numbers (rows, …) with 16 bits each, evenly between the least and the largest one of their column.

        What is not finite becomes nan.  ``is_log`` rounds the logarithms.  Second differences of a smooth course are
        near zero; zigzag makes small codes of them, whatever their sign.
        """
        with np.errstate(all="ignore"):
            numbers = np.asarray(values, np.float64)
            numbers = np.log(np.maximum(numbers, TINIEST)) if is_log else numbers
            known = np.isfinite(numbers)
            low = np.where(known, numbers, np.inf).min(axis=0)
            low = np.where(np.isfinite(low), low, 0.0).astype("<f4")
            step = ((np.where(known, numbers, -np.inf).max(axis=0) - low) / STEPS).clip(0).astype("<f4")
            codes = np.where(known, ((numbers - low) / np.where(step > 0, step, 1)).round().clip(0, STEPS), STEPS + 1)
        bits = codes.astype("<u2")
        for _ in range(2):
            bits[1:] = np.diff(bits, axis=0)
        signed = bits.view("<i2")
        bits = ((signed << 1) ^ (signed >> 15)).view("<u2")
        places = {"low": self.add(low, "<f4"), "step": self.add(step, "<f4")}
        return self._keep(
            bits, {"kind": "f4", "shape": list(bits.shape), "coding": "rounded", "isLog": is_log} | places
        )

    def _keep(self, bits: Array, described: dict[str, Any]) -> int:
        planes = np.ascontiguousarray(bits).view(np.uint8).reshape(-1, bits.itemsize)
        self._parts += [planes[:, weight].tobytes() for weight in range(bits.itemsize)]
        self.described.append({**described, "bytes": planes.size})
        return len(self.described) - 1

    def packed(self) -> str:
        """All arrays as text."""
        return packed(self._parts)


def packed(parts: Iterable[bytes]) -> str:
    """Bytes as text for a page."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    pieces = [packer.compress(part) for part in parts]
    return base64.b64encode(b"".join([*pieces, packer.flush()])).decode()
