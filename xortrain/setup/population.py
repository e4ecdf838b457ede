"""Runs that differ in numbers only, and are trained side by side: what they share, and what varies.

A single run is a population of one; a sweep over options of a group is several populations.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xortrain.config.settings import GROUPS, TOP, keys_of
from xortrain.nets import Array, Numbers
from xortrain.nets.setting import numbers
from xortrain.records.layout import START, WEIGHTS
from xortrain.setup.own_data import OwnData

RATES = "layer_lr"
NESTED = (WEIGHTS, START, RATES)  # settings with numbers inside, each with a dotted name of its own, as init.set.W1.0.1
MOST_WEIGHTS = 500  # numbers inside one that may differ between runs; each is a column of the record


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
        return value_at(self.config, key)

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

    def words(self, group: str) -> dict[str, str]:
        """The settings of a group's chosen option that are one of a few words, by name."""
        own = self.shared(group)
        return {name: own[name] for name, setting in keys_of(group, own["name"]).items() if setting.kind == "choice"}

    def alone(self, run: int) -> "Population":
        """One run as a population of its own, with job number 0."""
        return Population(self.config_of(run), own=self.own)

    def config_of(self, run: int) -> dict[str, Any]:
        """The complete configuration of one run."""
        config = {key: dict(value) if isinstance(value, Mapping) else value for key, value in self.config.items()}
        for key in NESTED:
            if any(name.startswith(f"{key}.") for name in self.varying):
                group, dot, name = key.partition(".")
                if dot:
                    config[group][name] = deepcopy(config[group][name])
        for key, values in self.varying.items():
            group, _, name = key.rpartition(".")
            within: Any = value_at(config, group) if group else config
            within[int(name) if isinstance(within, list) else name] = values[run].item()
        return config

    def weights(self) -> dict[str, Array]:
        """The numbers of init.weights by parameter: shape of the parameter, runs."""
        found = {name: np.asarray(own, np.float64)[..., None] for name, own in self.shared(WEIGHTS).items()}
        found = {name: np.repeat(own, self.runs, axis=-1) for name, own in found.items()}
        for key, values in self.varying.items():
            if key.startswith(f"{WEIGHTS}."):
                name, *place = key.removeprefix(f"{WEIGHTS}.").split(".")
                found[name][tuple(map(int, place))] = values
        return found

    def start(self) -> dict[tuple[str, tuple[int, ...]], Array]:
        """The numbers of init.set (runs,), by the name of a parameter and the place in it."""
        found = {}
        for key in number_keys(START, self.shared(START)):
            name, *place = key.removeprefix(f"{START}.").split(".")
            found[name, tuple(map(int, place))] = self.values(key)
        return found


def value_at(config: Any, key: str) -> Any:
    """The value at a dotted key of a config; a number is the place in a list."""
    for name in key.split("."):
        config = config[int(name) if isinstance(config, list) else name]
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
    for key in NESTED:
        yield from _keys_inside(config, key)


def _keys_inside(config: Mapping[str, Any], key: str) -> list[str]:
    """The dotted keys of all numbers in a setting, as in init.weights.W1.0.1; empty if there are too many."""
    group, dot, name = key.partition(".")
    keys = list(number_keys(key, config[group].get(name) if dot else config[group]))
    return keys if len(keys) <= MOST_WEIGHTS else []


def number_keys(key: str, value: Any) -> Iterator[str]:
    """The dotted keys of all numbers inside a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, own in inner:
        if type(own) in (int, float):
            yield f"{key}.{name}"
        else:
            yield from number_keys(f"{key}.{name}", own)


def shared_key(config: Mapping[str, Any]) -> str:
    """Everything that the jobs of one population have in common, as text."""
    return json.dumps(_without(config, set(varying_keys(config))), sort_keys=True)


def _without(value: Any, keys: Collection[str], within: str = "") -> Any:
    """A value of a config in which 0 stands at these dotted keys."""
    if not isinstance(value, dict | list):
        return value
    items = value.items() if isinstance(value, dict) else enumerate(value)
    kept = {name: 0 if f"{within}{name}" in keys else _without(own, keys, f"{within}{name}.") for name, own in items}
    return kept if isinstance(value, dict) else list(kept.values())


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
