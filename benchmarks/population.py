"""Populations to measure, made as a sweep makes them, and their training alone by each engine that is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from xortrain.config.compose import compose
from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.records.layout import Blocks
from xortrain.runner.train import empty_history
from xortrain.setup.own_arrays import array_data
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.engine import new_training
from xortrain.training.loop import Training

RUNS = 16_384
X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
ENGINES = ("numpy", "compiled")


def setup_of(words: Sequence[str], runs: int, epochs: int, data: tuple[Array, Any] | None = None) -> Setup:
    """The setup of the seeds from 0 to ``runs`` - 1; ``data``, inputs and targets, replace those of XOR."""
    own = array_data(data) if data else None
    config = compose([*words, f"epochs={epochs}", *(["data=csv"] if data else []), "film=none"])
    return Setup.of(Population(config, {"seed": np.arange(runs, dtype=np.uint32)}, np.arange(runs), own))


def every(epochs: int) -> list[str]:
    """The settings that keep every loss, and no more parameters than the first and the last."""
    return [f"track.losses={epochs + 1}", "track.frames=2"]


NONE = ["track.losses=2", "track.frames=2"]
"""The settings that keep the first and the last loss."""


@dataclass(frozen=True)
class Trained:
    """The training of a setup, block by block, with the tasks and the arrays that it fills made before.

    Success and divergence are watched, and the losses kept that the setup keeps.
    """

    setup: Setup

    @cached_property
    def _parts(self) -> list[tuple[Any, Any]]:
        blocks = Blocks(self.setup.population.runs, self.setup.block_size)
        places = map(blocks.runs_of, range(len(blocks)))
        return [(self.setup.task(runs), empty_history(self.setup.part(runs))) for runs in places]

    def __call__(self) -> list[Training]:
        """Train all runs."""
        done = []
        for task, history in self._parts:
            training = new_training(task, history)
            for _ in training.run():
                pass
            done.append(training)
        return done


def ends(done: Sequence[Training]) -> Array:
    """The parameters at the end, (parameters, runs), of the blocks of a population."""
    return np.concatenate([training.theta for training in done], axis=1)


Engines = Mapping[str, Sequence[str]]
"""The engines that are there by name, the fastest last, with the settings that choose each."""


def engines() -> Engines:
    """The engines that are there; says why one is not.  Without a setting for engines it is NumPy's."""
    found: dict[str, list[str]] = {}
    for name in ENGINES:
        try:
            Trained(setup_of([f"engine={name}"], 2, 1))()
        except UserError as error:
            print(f"without engine={name}: {str(error)[:100]}")
        else:
            found[name] = [f"engine={name}"]
    return found or {"numpy": []}


def equal(theta: Array, other: Array, most: float) -> str:
    """The median distance of the end parameters of tame runs; AssertionError if it is more than ``most``."""
    tame = (np.abs(theta) < 1e3).all(axis=0) & (np.abs(other) < 1e3).all(axis=0)
    distance = float(np.median(np.abs(theta - other)[:, tame]))
    assert tame.mean() > 0.5, f"only {tame.mean():.0%} of the runs are tame"
    assert distance <= most, f"not the same networks: {distance:.1e}"
    return f"{distance:.0e}"
