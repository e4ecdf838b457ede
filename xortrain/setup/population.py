"""Runs that differ in numbers only, and are trained side by side: what they share, and what varies.

A single run is a population of one; a sweep over options of a group is several populations.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xortrain.config.settings import GROUPS, TOP, keys_of
from xortrain.nets import Array, Numbers
from xortrain.nets.setting import numbers
from xortrain.setup.own_data import OwnData


@dataclass(frozen=True)
class Population:
    """A checked ``config``, and ``varying``: dotted keys to values (runs,) that replace those of the config.

    ``numbers`` (runs,) are the numbers of the jobs in their sweep, ``own`` a Python user's own examples.
    """

    config: Mapping[str, Any]
    varying: Mapping[str, Array] = field(default_factory=dict)
    numbers: Array = field(default_factory=lambda: np.zeros(1, np.int64))
    own: OwnData | None = None

    @property
    def runs(self) -> int:
        return len(self.numbers)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.config["dtype"])

    @property
    def epochs(self) -> int:
        return int(self.config["epochs"])

    def part(self, runs: slice | Array) -> "Population":
        """Some of the runs."""
        varying = {key: values[runs] for key, values in self.varying.items()}
        return Population(self.config, varying, self.numbers[runs], self.own)

    def shared(self, key: str) -> Any:
        """The value of a dotted key in the config, which all runs share unless the key varies."""
        value: Any = self.config
        for name in key.split("."):
            value = value[name]
        return value

    def values(self, key: str) -> Array:
        """A setting of each run, (runs,), in the type of the setting."""
        if key in self.varying:
            return np.asarray(self.varying[key])
        return np.full(self.runs, self.shared(key))

    def number(self, key: str) -> Array:
        """A setting of each run, (runs,), in the dtype of the runs."""
        return self.values(key).astype(self.dtype)

    def settings(self, group: str, option: str | None = None) -> Numbers:
        """The numeric settings of a group's chosen option, by name; ``option`` replaces one such as output=auto."""
        names = numbers(keys_of(group, option or self.shared(f"{group}.name")))
        return {name: self.number(f"{group}.{name}") for name in names}

    def config_of(self, run: int) -> dict[str, Any]:
        """The complete configuration of one run."""
        config = {key: dict(value) if isinstance(value, Mapping) else value for key, value in self.config.items()}
        for key, values in self.varying.items():
            group, _, name = key.rpartition(".")
            (config[group] if group else config)[name] = values[run].item()
        return config


def populations(parts: Iterable[Population]) -> list[Population]:
    """Merge parts that can be trained side by side; the populations are in the order of their first jobs."""
    alike: dict[str, list[Population]] = {}
    for part in parts:
        alike.setdefault(shared_key(part.config), []).append(part)
    return [_merged(group) for group in alike.values()]


def varying_keys(config: Mapping[str, Any]) -> Iterator[str]:
    """The dotted keys of a config that may differ inside a population."""
    yield from (key for key, setting in TOP.items() if setting.varies)
    for group in GROUPS:
        keys = keys_of(group, config[group]["name"])
        yield from (f"{group}.{key}" for key, setting in keys.items() if setting.varies)


def shared_key(config: Mapping[str, Any]) -> str:
    """Everything that the jobs of one population have in common, as text."""
    may_vary = set(varying_keys(config))
    shared = {
        key: {name: v for name, v in value.items() if f"{key}.{name}" not in may_vary} if key in GROUPS else value
        for key, value in config.items()
        if key not in may_vary
    }
    return json.dumps(shared, sort_keys=True)


def _merged(group: Sequence[Population]) -> Population:
    """One population of several parts; a number that is the same in all of them is shared."""
    if len(group) == 1:
        return group[0]
    numbers = np.concatenate([part.numbers for part in group])
    order = np.argsort(numbers, kind="stable")
    varying = {}
    for key in varying_keys(group[0].config):
        if any(key in part.varying for part in group) or len({part.shared(key) for part in group}) > 1:
            varying[key] = np.concatenate([part.values(key) for part in group])[order]
    return Population(group[0].config, varying, numbers[order], group[0].own)
