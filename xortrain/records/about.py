"""Is this a record.json? Every key that is used is there, of its kind and in its range, or one line says what is not.

Nothing here needs NumPy, so that a thousand records are listed in a moment.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from xortrain.records import layout
from xortrain.records.files import read_json, wrong

About = Mapping[str, Any]
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


def read_about(folder: Path | str) -> About:
    """The checked record.json of a folder."""
    path = f"{folder}/{layout.RECORD}"
    about = _checked(path, read_json(path), _KINDS)
    for name in ("runs", "block_size"):
        if not 1 <= about[name] <= MOST_RUNS:
            raise wrong(path, f"{name}={about[name]}: must be from 1 to {MOST_RUNS}")
    if about["dtype"] not in ("float32", "float64"):
        raise wrong(path, f"dtype={about['dtype']!r}: must be float32 or float64")
    for name in ("losses", "frames"):
        if not 0 <= about[name] <= MOST:
            raise wrong(path, f"{name}={about[name]}: must be from 0 to {MOST}")
    if not (_are_names(about["parameters"]) and _are_shapes(about["parameters"].values())):
        raise wrong(path, "parameters: must be names with their shapes")
    if set(map(type, about["outcomes"])) != {str}:
        raise wrong(path, "outcomes: must be words")
    if not _are_names(about["varies"]):
        raise wrong(path, "varies: must be names of settings")
    if len(about["config"]) > MOST_KEYS or not _are_names(about["config"]):
        raise wrong(path, f"config: must be at most {MOST_KEYS} settings by their names")
    return about


def read_sweep(folder: Path | str) -> About:
    """The checked sweep.json of a folder."""
    path = f"{folder}/{layout.SWEEP}"
    return _checked(path, read_json(path), _SWEEP_KINDS)


def _checked(path: str, about: Any, kinds: Mapping[str, type]) -> About:
    if not isinstance(about, dict):
        raise wrong(path, "must be a JSON object")
    if about.get("format") != layout.FORMAT:
        raise wrong(path, f"format={about.get('format')!r}: this version of xortrain reads format {layout.FORMAT}")
    if tuple(map(type, map(about.get, kinds))) != tuple(kinds.values()):
        name = next(name for name, kind in kinds.items() if type(about.get(name)) is not kind)
        raise wrong(path, f"{name}={_short(about.get(name))}: must be {_CALLED[kinds[name]]}")
    if about["status"] not in layout.STATUSES:
        raise wrong(path, f"status={_short(about['status'])}: must be one of {', '.join(layout.STATUSES)}")
    if moment(about["started"]) is None:
        raise wrong(path, f"started={_short(about['started'])}: must be a time, as in 2026-11-21T19:39:21+01:00")
    return about


_CALLED = {str: "a text", int: "a whole number", bool: "true or false", dict: "a mapping", list: "a list"}


def moment(text: object) -> datetime | None:
    """The time an ISO 8601 text means, None where it means none; without an offset it is local time."""
    return _moment(text) if isinstance(text, str) else None


def took(about: About, end: datetime | None) -> float | None:
    """Seconds of training until then: since its start, or since it was resumed and all that it had taken before."""
    began = moment(about.get("resumed")) or moment(about["started"])
    before = about.get("trained")
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
