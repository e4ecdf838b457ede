"""Is this a record.json? Every key that is used is there, of its kind and in its range, or one line says what is not.

Nothing here needs NumPy, so that a thousand records are listed in a moment.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from xortrain.records import layout
from xortrain.records.files import plain, read_json, wrong

Metadata = Mapping[str, Any]
MOST_RUNS = 100_000_000
MOST = 1 << 40  # of epochs, and of units in a layer
MOST_KEYS = 500  # settings in a config
LONGEST_NAME = 80
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")
_KINDS: dict[str, type] = {
    "status": str,
    "started": str,
    "runs": int,
    "block_size": int,
    "dtype": str,
    "has_test": bool,
    "parameters": dict,
    "losses": int,
    "frames": int,
    "outcomes": list,
    "varies": list,
    "config": dict,
}
_SWEEP_KINDS: dict[str, type] = {"status": str, "started": str}


def read_metadata(folder: Path | str) -> Metadata:
    """The checked record.json of a folder."""
    path = f"{folder}/{layout.RECORD}"
    metadata = _checked(path, read_json(path), _KINDS)
    for name in ("runs", "block_size"):
        if not 1 <= metadata[name] <= MOST_RUNS:
            raise wrong(path, f"{name}={metadata[name]}: must be from 1 to {MOST_RUNS}")
    if metadata["dtype"] not in ("float32", "float64"):
        raise wrong(path, f"dtype={metadata['dtype']!r}: must be float32 or float64")
    for name in ("losses", "frames"):
        if not 0 <= metadata[name] <= MOST:
            raise wrong(path, f"{name}={metadata[name]}: must be from 0 to {MOST}")
    if not (_are_names(metadata["parameters"]) and _are_shapes(metadata["parameters"].values())):
        raise wrong(path, "parameters: must be names with their shapes")
    if set(map(type, metadata["outcomes"])) != {str}:
        raise wrong(path, "outcomes: must be words")
    if not _are_names(metadata["varies"]):
        raise wrong(path, "varies: must be names of settings")
    if len(metadata["config"]) > MOST_KEYS or not _are_names(metadata["config"]):
        raise wrong(path, f"config: must be at most {MOST_KEYS} settings by their names")
    return metadata


def read_sweep(folder: Path | str) -> Metadata:
    """The checked sweep.json of a folder."""
    path = f"{folder}/{layout.SWEEP}"
    return _checked(path, read_json(path), _SWEEP_KINDS)


def _checked(path: str, metadata: Any, kinds: Mapping[str, type]) -> Metadata:
    if not isinstance(metadata, dict):
        raise wrong(path, "must be a JSON object")
    if metadata.get("format") != layout.FORMAT:
        raise wrong(path, f"format={metadata.get('format')!r}: this version of xortrain reads format {layout.FORMAT}")
    if tuple(map(type, map(metadata.get, kinds))) != tuple(kinds.values()):
        name = next(name for name, kind in kinds.items() if type(metadata.get(name)) is not kind)
        raise wrong(path, f"{name}={_short(metadata.get(name))}: must be {_CALLED[kinds[name]]}")
    if metadata["status"] not in layout.STATUSES:
        raise wrong(path, f"status={_short(metadata['status'])}: must be one of {', '.join(layout.STATUSES)}")
    if moment(metadata["started"]) is None:
        raise wrong(path, f"started={_short(metadata['started'])}: must be a time, as in 2026-11-21T19:39:21+01:00")
    return metadata


_CALLED = {str: "a text", int: "a whole number", bool: "true or false", dict: "a mapping", list: "a list"}


def moment(text: object) -> datetime | None:
    """The time an ISO 8601 text means, None where it means none; without an offset it is local time."""
    return _moment(text) if isinstance(text, str) else None


def took(metadata: Metadata, end: datetime | None) -> float | None:
    """Seconds of training until then: since its start, or since it was resumed and all that it had taken before."""
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
    text = repr(value) if isinstance(value, str | int | float | None) else type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."


def _are_names(texts: Iterable[object]) -> bool:
    names = tuple(texts)
    return set(map(type, names)) <= {str} and _all_are_names(names)


@lru_cache(maxsize=256)
def _all_are_names(names: tuple[str, ...]) -> bool:
    """The same settings stand in record after record."""
    return all(len(name) <= LONGEST_NAME and is_name(name) for name in names)


@lru_cache(maxsize=1024)
def is_name(text: str) -> bool:
    """Whether a text is the name of a setting, with at most one dot in it."""
    return _NAME.fullmatch(text) is not None


def _are_shapes(shapes: Collection[object]) -> bool:
    lists = [shape for shape in shapes if isinstance(shape, list)]
    sizes = list(chain(*lists))
    fits = not sizes or (set(map(type, sizes)) == {int} and min(sizes) >= 0 and max(sizes) <= MOST)
    return fits and len(lists) == len(shapes)


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_AS_THEY_ARE = {bool, float, type(None)}


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config as flat columns."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if value.__class__ is not dict:
            flat[key] = value if value.__class__ in _AS_THEY_ARE else _scalar(value)
            continue
        for inner, own in value.items():
            name = _dotted(key, inner)
            if name:
                flat[name] = own if own.__class__ in _AS_THEY_ARE else _scalar(own)
    return flat


@lru_cache(maxsize=4096)
def _dotted(group: str, key: str) -> str | None:
    """The column of a setting in a group; None where it is no name."""
    if key == "name":
        return group
    return f"{group}.{key}" if len(key) <= LONGEST_NAME and is_name(key) else None


def _scalar(value: Any) -> Any:
    """A value that SQL and a table can hold; a list or a mapping as its JSON."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else None
    try:
        return plain(_encode(value))
    except RecursionError:
        return "…"
