"""Reads record.json and sweep.json, and checks that each key in use is present, of the right type and in range.

Needs no NumPy, so that a listing of a thousand records is fast.
"""

import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

from xortrain.errors import cut, file_error, printable
from xortrain.records import layout
from xortrain.records.files import read_json

Metadata = Mapping[str, Any]
MOST_RUNS = 100_000_000
MOST = 1 << 40  # epochs, or units of a layer
MOST_KEYS, MOST_INSIDE = 500, 2000  # settings and groups in a config, and settings in all its groups
MOST_VARYING = 2000  # settings that differ between runs
MOST_LAYERS = 10_000  # parameters by their names
MOST_AXES = 8  # of a parameter
LARGEST_ARRAY = 1 << 40  # bytes of all snapshots of a run
LONGEST_NAME = 80
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*)?")
_KINDS: dict[str, type] = {
    **dict.fromkeys(("status", "started", "dtype"), str),
    **dict.fromkeys(("runs", "block_size", "losses", "frames"), int),
    **dict.fromkeys(("outcomes", "varies"), list),
    **dict.fromkeys(("parameters", "config"), dict),
    "has_test": bool,
}
_RANGES = {"runs": (1, MOST_RUNS), "block_size": (1, MOST_RUNS), "losses": (0, MOST), "frames": (0, MOST)}


def read_metadata(folder: Path | str) -> Metadata:
    """The checked content of a folder's record.json; raises UserError if it is invalid."""
    path = f"{folder}/{layout.RECORD}"
    metadata = _checked(path, _KINDS)
    for name, (low, high) in _RANGES.items():
        if not low <= metadata[name] <= high:
            raise file_error(path, f"{name}={metadata[name]}: must be from {low} to {high}")
    if metadata["dtype"] not in ("float32", "float64"):
        raise file_error(path, f"dtype={metadata['dtype']!r}: must be float32 or float64")
    shapes = metadata["parameters"]
    if not (len(shapes) <= MOST_LAYERS and _are_names(shapes) and _are_shapes(shapes.values())):
        raise file_error(path, "parameters: must be names with their shapes")
    if 8 * metadata["frames"] * sum(map(math.prod, shapes.values())) > LARGEST_ARRAY:
        raise file_error(path, f"parameters: those of a run would have more than {LARGEST_ARRAY:,} bytes")
    if set(map(type, metadata["outcomes"])) != {str} or len(metadata["outcomes"]) > layout.MOST_OUTCOMES:
        raise file_error(path, f"outcomes: must be at most {layout.MOST_OUTCOMES} words")
    varies = metadata["varies"]
    if not _are_names(varies) or not len(set(varies)) == len(varies) <= MOST_VARYING:
        raise file_error(path, f"varies: must be names of at most {MOST_VARYING:,} settings")
    state = metadata.get("state", {})
    if not isinstance(state, dict) or not (_are_names(state) and _are_shapes([[size] for size in state.values()])):
        raise file_error(path, "state: must be names with their sizes")
    config, inside = metadata["config"], [own for own in metadata["config"].values() if own.__class__ is dict]
    if len(config) > MOST_KEYS or sum(map(len, inside)) > MOST_INSIDE or not _are_names(config):
        raise file_error(path, f"config: must be at most {MOST_KEYS} settings, and {MOST_INSIDE} in groups, by name")
    return metadata


def read_sweep(folder: Path | str) -> Metadata:
    """The checked content of a folder's sweep.json; raises UserError if it is invalid."""
    return _checked(f"{folder}/{layout.SWEEP}", {"status": str, "started": str})


def _checked(path: str, kinds: Mapping[str, type]) -> Metadata:
    metadata = read_json(path)
    if not isinstance(metadata, dict):
        raise file_error(path, "must be a JSON object")
    if metadata.get("format") != layout.FORMAT:
        given = metadata.get("format")
        raise file_error(path, f"format={given!r}: this version of xortrain reads format {layout.FORMAT}")
    if tuple(map(type, map(metadata.get, kinds))) != tuple(kinds.values()):
        name = next(name for name, kind in kinds.items() if type(metadata.get(name)) is not kind)
        raise file_error(path, f"{name}={_short(metadata.get(name))}: must be {_TYPE_NAMES[kinds[name]]}")
    if metadata["status"] not in layout.STATUSES:
        raise file_error(path, f"status={_short(metadata['status'])}: must be one of {', '.join(layout.STATUSES)}")
    if moment(metadata["started"]) is None:
        started = _short(metadata["started"])
        raise file_error(path, f"started={started}: must be a time, as in 2026-11-21T19:39:21+01:00")
    return metadata


_TYPE_NAMES = {str: "a text", int: "a whole number", bool: "true or false", dict: "a mapping", list: "a list"}


def moment(text: object) -> datetime | None:
    """An ISO 8601 text as a time, local unless it has an offset; None for anything else."""
    return _moment(text) if isinstance(text, str) else None


def training_seconds(metadata: Metadata, end: datetime | None) -> float | None:
    """Seconds of training until ``end``, without the pause between a stop and its resumption; None if unknown."""
    began = moment(metadata.get("resumed")) or moment(metadata["started"])
    before = metadata.get("trained")
    if not (began and end):
        return None
    return (end - began).total_seconds() + (before if isinstance(before, float) and before - before == 0 else 0.0)


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def _short(value: object) -> str:
    return cut(repr(value) if isinstance(value, str | int | float | None) else type(value).__name__)


def _are_names(texts: Iterable[object]) -> bool:
    names = tuple(texts)
    return set(map(type, names)) <= {str} and _all_are_names(names)


@lru_cache(maxsize=256)
def _all_are_names(names: tuple[str, ...]) -> bool:
    return all(len(name) <= LONGEST_NAME and is_name(name) for name in names)


@lru_cache(maxsize=1024)
def is_name(text: str) -> bool:
    """Whether a text is the name of a setting, as in optimizer.momentum or init.weights.W1.0.1."""
    return _NAME.fullmatch(text) is not None


def _are_shapes(shapes: Collection[object]) -> bool:
    lists = [shape for shape in shapes if isinstance(shape, list) and len(shape) <= MOST_AXES]
    sizes = list(chain(*lists))
    fits = not sizes or (set(map(type, sizes)) == {int} and min(sizes) >= 0 and max(sizes) <= MOST)
    return fits and len(lists) == len(shapes)


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_PLAIN_TYPES = {bool, float, type(None)}


def flat_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config as flat columns by dotted name; a group's own name is the option chosen in it."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if value.__class__ is not dict:
            flat[key] = value if value.__class__ in _PLAIN_TYPES else _scalar(value)
            continue
        for inner, own in value.items():
            if own.__class__ is dict and f"{key}.{inner}" == layout.START:
                flat |= {
                    layout.column_of(name): number for name, number in islice(_entries(layout.START, own), MOST_INSIDE)
                }
                continue
            name = _dotted(key, inner)
            if name:
                flat[name] = own if own.__class__ in _PLAIN_TYPES else _scalar(own)
    return flat


def _entries(key: str, value: Any, depth: int = 3) -> Iterator[tuple[str, Any]]:
    """Each number inside mappings, by its dotted key, and whatever is inside deeper ones or no number as a text."""
    for name, own in value.items():
        if own.__class__ is dict and depth > 1:
            yield from _entries(f"{key}.{name}", own, depth - 1)
        elif len(name) <= LONGEST_NAME and is_name(f"{key}.{name}"):
            yield f"{key}.{name}", own if own.__class__ in _PLAIN_TYPES else _scalar(own)


@lru_cache(maxsize=4096)
def _dotted(group: str, key: str) -> str | None:
    """The column of a setting in a group; None for an invalid name."""
    if key == "name":
        return group
    return f"{group}.{key}" if len(key) <= LONGEST_NAME and is_name(key) else None


def _scalar(value: Any) -> Any:
    """A value for SQL and tables; lists and mappings become JSON."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else None
    try:
        return printable(_encode(value))
    except RecursionError:
        return "…"
