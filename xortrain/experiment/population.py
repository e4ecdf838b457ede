"""Runs that agree in everything but numbers: what they share, and what differs from run to run.

A single run is a population of one; a sweep over group choices is several populations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

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
