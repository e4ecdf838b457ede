"""Events of TensorBoard in bytes: messages of protocol buffers, each in a frame with checksums.

A frame is the length of a message (8 bytes, little-endian), its checksum, the message, and its checksum; a checksum
is CRC-32C (Castagnoli), rotated and shifted so that one of data with checksums in them is not trivial.
"""

import struct

import numpy as np

from xortrain.nets import Array

Bytes = bytes


def _table() -> list[int]:
    """The CRC-32C of each byte."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _table()
_TABLE_ARRAY = np.array(_TABLE, np.uint32)
_SMALL = [bytes([number]) for number in range(128)]
_START, _SHIFT = 0xFFFFFFFF, 0xA282EAD8


def _crc(content: Bytes) -> int:
    """The state of a checksum behind some bytes."""
    state = _START
    for byte in content:
        state = _TABLE[(state ^ byte) & 255] ^ (state >> 8)
    return state


def _masked(state: int) -> int:
    crc = state ^ _START
    return ((crc >> 15 | crc << 17) + _SHIFT) & 0xFFFFFFFF


def framed(message: Bytes) -> Bytes:
    """A message in its frame."""
    return _head(len(message)) + message + struct.pack("<I", _masked(_crc(message)))


def _head(size: int) -> Bytes:
    length = struct.pack("<Q", size)
    return length + struct.pack("<I", _masked(_crc(length)))


def framed_floats(starts: list[Bytes], floats: Array) -> Array:
    """Frames of messages that end in a float, four bytes: (starts, bytes) for floats (starts,).

    ``starts`` are the messages without the float, all of one length.  Further axes of the floats come between.
    """
    head, start_bytes = _head(len(starts[0]) + 4), np.array([list(start) for start in starts], np.uint8)
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(floats, "<f4")
    tails = values.view(np.uint8).reshape(*values.shape, 4)
    states = np.array([_crc(start) for start in starts], np.uint32)
    state = np.broadcast_to(states.reshape(-1, *[1] * (values.ndim - 1)), values.shape)
    for k in range(4):
        state = _TABLE_ARRAY[(state ^ tails[..., k]) & 255] ^ (state >> np.uint32(8))
    crc = ~state
    check = (((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(_SHIFT)).astype("<u4")
    frames = np.empty((*values.shape, len(head) + start_bytes.shape[1] + 8), np.uint8)
    frames[..., : len(head)] = np.frombuffer(head, np.uint8)
    frames[..., len(head) : -8] = start_bytes.reshape(len(starts), *[1] * (values.ndim - 1), -1)
    frames[..., -8:-4] = tails
    frames[..., -4:] = np.ascontiguousarray(check).view(np.uint8).reshape(*values.shape, 4)
    return frames


def varint(number: int) -> Bytes:
    """A whole number, at least 0, in 7 bits a byte."""
    if number < 128:
        return _SMALL[number]
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def integer(field: int, number: int) -> Bytes:
    """A field with a whole number, a flag, or a choice."""
    return varint(field << 3) + varint(number)


def double(field: int, number: float) -> Bytes:
    """A field with a 64-bit float."""
    return varint(field << 3 | 1) + struct.pack("<d", number)


def single(field: int, number: float | None = None) -> Bytes:
    """A field with a 32-bit float, infinite if it is too large; without a number, only its first byte."""
    content = b"" if number is None else np.array(number, np.float64).astype("<f4").tobytes()
    return varint(field << 3 | 5) + content


def prefix(field: int, size: int) -> Bytes:
    """The first bytes of a field that holds a text or a message of ``size`` bytes."""
    return varint(field << 3 | 2) + varint(size)


def inner(field: int, *parts: Bytes | str) -> Bytes:
    """A field with a text, or with a message made of these fields."""
    content = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return prefix(field, len(content)) + content
