"""Weights from a user's file, .npz, .safetensors or .csv, as init.weights has them: lists of numbers by parameter.

Nothing in a file is executed, and no size that it states is trusted.
"""

import csv
import io
import math
import os
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.errors import Reading, UserError, cut, file_error
from xortrain.nets import Array
from xortrain.records.files import content_of, parse_json
from xortrain.records.layout import WEIGHTS, setting_of

LARGEST = 64 << 20  # bytes of a file, and of what is packed in it
LARGEST_HEADER = 4 << 20  # bytes of the header of .safetensors
MOST_ARRAYS, MOST_NUMBERS = 2000, 2_000_000
Arrays = dict[str, Array]
_LAYER = re.compile(r"(.*?)(\d{1,6})\.(weight|bias)")


def as_lists(arrays: Mapping[str, Array]) -> dict[str, Any]:
    """Arrays as lists of Python's numbers, which have the same value in float64."""
    return {name: values.astype(np.float64).tolist() for name, values in arrays.items()}


def weights_in(name: str) -> Arrays:
    """The arrays of a file by the names of parameters; UserError for what is not readable or not finite."""
    path = Path(os.path.expanduser(name))
    read = READERS.get(path.suffix.lower())
    if read is None:
        forms = ", ".join(READERS)
        raise UserError(
            f"{WEIGHTS}={cut(name)}: must be a file, {forms}, or a mapping as in {{W1: [[1, 1], [1, 1]], …}}"
        )
    with Reading(path):
        arrays = read(bytes(content_of(path, LARGEST)[:]))
        if not arrays:
            raise ValueError("has no arrays")
        if sum(values.size for values in arrays.values()) > MOST_NUMBERS:
            raise ValueError(f"has more than {MOST_NUMBERS:,} numbers")
    for own, values in arrays.items():
        if not np.isfinite(values.astype(np.float64)).all():
            raise file_error(path, f"{cut(own)}: must be finite")
    return with_our_names(arrays)


def with_our_names(arrays: Arrays) -> Arrays:
    """Arrays by W1, b1, W2, …; those of PyTorch's Sequential, 0.weight, 0.bias, 2.weight, …, in their order.

    A Linear of PyTorch has the weights (out, in), as W has.
    """
    found = [_LAYER.fullmatch(name) for name in arrays]
    layers = sorted({int(match[2]) for match in found if match})
    if not all(found) or len({match[1] for match in found if match}) != 1:
        return arrays
    kinds = {"weight": "W", "bias": "b"}
    return {
        f"{kinds[match[3]]}{layers.index(int(match[2])) + 1}": values
        for match, values in zip(found, arrays.values(), strict=True)
        if match
    }


def file_of(overrides: Any) -> str:
    """The file that overrides name as init.weights; empty for none, or several."""
    given = [text.partition("=")[2] for text in overrides if text.partition("=")[0].lstrip("+") == WEIGHTS]
    return given[-1].strip("'\"") if given and not re.search(r"[{,(]", given[-1]) else ""


@contextmanager
def errors_name_file(file: object) -> Iterator[None]:
    """What is wrong with init.weights in this context is wrong with this file, if it is one."""
    try:
        yield
    except UserError as error:
        found = re.match(rf"((?:job \d+(?: \(.*?\))?: )?){re.escape(WEIGHTS)}[.=:] ?", str(error))
        if not (isinstance(file, str) and file and found) or file in str(error):
            raise
        raise UserError(f"{found[1]}{WEIGHTS}={cut(file)}: {str(error)[found.end() :]}") from None


def _npz(content: bytes) -> Arrays:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if len(members) > MOST_ARRAYS or sum(info.file_size for info in members) > LARGEST:
            raise ValueError(f"more than {MOST_ARRAYS} arrays, or than {LARGEST} bytes")
        found = dict[str, Array]()
        for info in members:
            with archive.open(info) as member:
                name = info.filename.removesuffix(".npy")
                if name in found:
                    raise ValueError(f"{cut(name)} is there twice")
                found[name] = _npy(member.read(info.file_size + 1))
        return found


def _npy(content: bytes) -> Array:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read: Any = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read(file)
    return _array(content[file.tell() :], dtype, shape, "F" if is_fortran else "C")


def _array(content: Any, dtype: "np.dtype[Any]", shape: tuple[int, ...], order: Any = "C") -> Array:
    if dtype.kind not in "fiub" or any(type(size) is not int or size < 0 for size in shape):
        raise ValueError(f"has something other than numbers, {dtype}")
    if math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"has {len(content)} bytes where {list(shape)} numbers of {dtype} should be")
    return np.frombuffer(content, dtype).reshape(shape, order=order)


_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}


def _safetensors(content: bytes) -> Arrays:
    """A header of JSON, its length in 8 bytes before it, and the numbers of all tensors behind it."""
    (size,) = struct.unpack("<Q", content[:8])
    if size > min(LARGEST_HEADER, len(content) - 8):
        raise ValueError(f"states a header of {size} bytes")
    header, numbers = parse_json(content[8 : 8 + size]), content[8 + size :]
    if len(header) > MOST_ARRAYS:
        raise ValueError(f"has more than {MOST_ARRAYS} arrays")
    found = dict[str, Array]()
    for name, own in header.items():
        if name != "__metadata__":
            if own["dtype"] not in _DTYPES:
                raise ValueError(f"{cut(name)} is {cut(str(own['dtype']))}; known: {', '.join(_DTYPES)}")
            start, stop = own["data_offsets"]
            if not (type(start) is type(stop) is int and 0 <= start <= stop <= len(numbers)):
                raise ValueError(f"{cut(name)} is not inside the file")
            found[name] = _array(memoryview(numbers)[start:stop], np.dtype(_DTYPES[own["dtype"]]), tuple(own["shape"]))
    return found


def _csv(content: bytes) -> Arrays:
    """Columns W1[0, 0], W1[0, 1], …, the last row of one run; or rows of a parameter and its number."""
    rows = [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) if row]
    head = rows[0] if rows else []
    if len(head) == 2 and len(rows) > 1 and "id" not in head:
        pairs = [(name, value) for name, value in rows if setting_of(name) != name]
    else:
        runs = {row[head.index("id")] for row in rows[1:]} if "id" in head else set()
        if len(rows) < 2 or len(runs) > 1:
            raise ValueError(f"has {len(runs)} runs; select one" if runs else "has no row of numbers")
        pairs = [pair for pair in zip(head, rows[-1], strict=True) if setting_of(pair[0]) != pair[0]]
    return _from_entries(pairs)


def _from_entries(pairs: list[tuple[str, str]]) -> Arrays:
    """Arrays from the number at each place, each of which must be there once."""
    entries: dict[str, dict[tuple[int, ...], float]] = {}
    for name, value in pairs:
        parameter, *place = setting_of(name).split(".")[2:]
        own_entries, at = entries.setdefault(parameter, {}), tuple(map(int, place))
        if at in own_entries:
            raise ValueError(f"{cut(name)} is there twice")
        own_entries[at] = float(value)
    found = dict[str, Array]()
    for name, own in entries.items():
        axes = {len(at) for at in own}
        shape = tuple(max(places) + 1 for places in zip(*own, strict=True)) if len(axes) == 1 else ()
        if not shape or math.prod(shape) != len(own):
            raise ValueError(f"{name} has {len(own)} numbers, which do not fill an array")
        found[name] = np.empty(shape)
        for at, number in own.items():
            found[name][at] = number
    return found


READERS: dict[str, Callable[[bytes], Arrays]] = {".npz": _npz, ".safetensors": _safetensors, ".csv": _csv}
"""Extension of a file to what reads its bytes."""
