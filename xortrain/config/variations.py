"""Configurations that differ in some settings from a composed one; Hydra composes once per choice of options.

The settings that differ are Python's values by dotted name, as in {"lr": 0.3, "architecture.hidden": [4, 4]}.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from xortrain.config.check import Config, check, short, without_arrays
from xortrain.config.compose import compose, no_such_setting
from xortrain.config.overrides import CHOICES, with_entries
from xortrain.config.own_rows import KEY
from xortrain.errors import UserError


class Variations:
    """The configuration of some overrides, and those beside it."""

    def __init__(self, overrides: Sequence[str]) -> None:
        for override in overrides:
            if "${" in override:
                raise UserError(f"{override}: a reference to another setting is for single runs and sweeps; set both")
        self.overrides = tuple(overrides)
        self._composed: dict[tuple[str, ...], Config] = {(): compose(self.overrides)}

    def of(self, settings: Mapping[str, Any]) -> Config:
        """The checked configuration that these settings have as further overrides."""
        values = {with_entries(f"{key}=").strip("+="): without_arrays(value) for key, value in settings.items()}
        words = [f"{key}={value if isinstance(value, str) else short(value)}" for key, value in values.items()]
        is_choice = [key in (*CHOICES, KEY) and not isinstance(value, Mapping) for key, value in values.items()]
        choices = tuple(word for word, chooses in zip(words, is_choice, strict=True) if chooses)
        if choices not in self._composed:
            self._composed[choices] = compose([*self.overrides, *choices])
        found: Any = self._composed[choices]
        for (key, value), chooses in zip(values.items(), is_choice, strict=True):
            if not chooses:
                try:
                    found = _with(found, key.split("."), value, is_new=_is_entry(key))
                except (LookupError, TypeError, ValueError):
                    raise no_such_setting(key, [*self.overrides, *words]) from None
        return check(found)


def _is_entry(key: str) -> bool:
    return with_entries(f"{key}=").startswith("+")


def _with(place: Any, path: Sequence[str], value: Any, is_new: bool) -> Any:
    """A copy of a mapping or a list with a value at a path, which must exist unless it is new; mappings are merged."""
    if path:
        name, *deeper = path
        if isinstance(place, list):
            if not 0 <= int(name) < len(place):
                raise IndexError(name)
            return [_with(own, deeper, value, is_new) if k == int(name) else own for k, own in enumerate(place)]
        return {**place, name: _with(place.get(name, {}) if is_new else place[name], deeper, value, is_new)}
    if isinstance(place, Mapping) and isinstance(value, Mapping):
        for name, own in value.items():
            place = _with(place, [name], own, is_new=True)
        return place
    return value
