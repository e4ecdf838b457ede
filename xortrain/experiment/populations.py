"""Which jobs can be trained side by side: those that agree in everything but numbers.

Every other choice, and every number that changes a shape or what is kept, makes a population of its own.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xortrain.config.settings import GROUPS, TOP, keys_of
from xortrain.experiment.population import Population
from xortrain.nets import Array


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
        alike.setdefault(_shared(variant.config), []).append(variant)
    return [_joined(group) for group in alike.values()]


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


def _shared(config: Mapping[str, Any]) -> str:
    """What jobs of one population agree in, as a text to compare."""
    may = set(varying_keys(config))
    kept = {
        key: {name: v for name, v in value.items() if f"{key}.{name}" not in may} if key in GROUPS else value
        for key, value in config.items()
        if key not in may
    }
    return json.dumps(kept, sort_keys=True)


def _joined(group: Sequence[Variant]) -> Population:
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
