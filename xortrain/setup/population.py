"""Runs that agree in everything but numbers: what they share, and what differs from run to run.

A single run is a population of one; a sweep over group choices is several populations.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xortrain.config.settings import GROUPS, TOP, keys_of
from xortrain.nets import Array, Numbers


@dataclass(frozen=True)
class Population:
    """``config`` is checked; ``varying`` maps dotted keys to values (runs,) that stand in its place.

    ``numbers`` (runs,) are the jobs' numbers in their sweep.  ``arrays`` are a Python user's own x and t.
    """

    config: Mapping[str, Any]
    varying: Mapping[str, Array] = field(default_factory=dict)
    numbers: Array = field(default_factory=lambda: np.zeros(1, np.int64))
    arrays: tuple[Array, Array] | None = None

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
        return Population(self.config, varying, self.numbers[runs], self.arrays)

    def shared(self, key: str) -> Any:
        """The value that all runs share, by its dotted key."""
        value: Any = self.config
        for name in key.split("."):
            value = value[name]
        return value

    def values(self, key: str) -> Array:
        """A setting of each run, (runs,), in its own type."""
        if key in self.varying:
            return np.asarray(self.varying[key])
        return np.full(self.runs, self.shared(key))

    def number(self, key: str) -> Array:
        """A setting of each run as the mathematics wants it: (runs,), in the dtype of the runs."""
        return self.values(key).astype(self.dtype)

    def settings(self, group: str, names: tuple[str, ...]) -> Numbers:
        """Settings of the option chosen in a group, by name."""
        return {name: self.number(f"{group}.{name}") for name in names}

    def config_of(self, run: int) -> dict[str, Any]:
        """The whole configuration of one run."""
        config = {key: dict(value) if isinstance(value, Mapping) else value for key, value in self.config.items()}
        for key, values in self.varying.items():
            group, _, name = key.rpartition(".")
            (config[group] if group else config)[name] = values[run].item()
        return config


@dataclass(frozen=True)
class Variant:
    """Jobs of a sweep: a checked config, what of it varies between them (jobs,), and their numbers (jobs,)."""

    config: Mapping[str, Any]
    varying: Mapping[str, Array] = field(default_factory=dict)
    numbers: Array = field(default_factory=lambda: np.zeros(1, np.int64))


def populations(variants: Iterable[Variant]) -> list[Population]:
    """The populations that these jobs make, in the order of their first jobs."""
    alike: dict[str, list[Variant]] = {}
    for variant in variants:
        alike.setdefault(_shared_key(variant.config), []).append(variant)
    return [_merged(group) for group in alike.values()]


def varying_keys(config: Mapping[str, Any]) -> Iterator[str]:
    """The settings of a config that may differ inside a population, by their dotted keys."""
    yield from (key for key, setting in TOP.items() if setting.varies)
    for group in GROUPS:
        keys = keys_of(group, config[group]["name"])
        yield from (f"{group}.{key}" for key, setting in keys.items() if setting.varies)


def value_of(config: Mapping[str, Any], key: str) -> Any:
    """A setting by its dotted key."""
    group, _, name = key.rpartition(".")
    return (config[group] if group else config)[name]


def _shared_key(config: Mapping[str, Any]) -> str:
    """What jobs of one population agree in, as a text to compare."""
    may = set(varying_keys(config))
    kept = {
        key: {name: v for name, v in value.items() if f"{key}.{name}" not in may} if key in GROUPS else value
        for key, value in config.items()
        if key not in may
    }
    return json.dumps(kept, sort_keys=True)


def _merged(group: Sequence[Variant]) -> Population:
    """One population of variants; a number that is the same in all of them is shared."""
    if len(group) == 1:
        return Population(group[0].config, group[0].varying, group[0].numbers)
    numbers = np.concatenate([variant.numbers for variant in group])
    order = np.argsort(numbers, kind="stable")
    config, varying = group[0].config, {}
    for key in varying_keys(config):
        parts = [variant.varying.get(key, value_of(variant.config, key)) for variant in group]
        if not any(isinstance(part, np.ndarray) for part in parts) and all(part == parts[0] for part in parts):
            continue
        spread = [np.broadcast_to(part, len(v.numbers)) for part, v in zip(parts, group, strict=True)]
        varying[key] = np.concatenate(spread)[order]
    return Population(config, varying, numbers[order])
