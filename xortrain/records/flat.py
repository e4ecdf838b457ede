"""A config as flat columns: optimizer.momentum by its dotted name, and the option chosen in a group by the group's."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from xortrain.records.about import LONGEST_NAME, is_name
from xortrain.records.files import plain

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
