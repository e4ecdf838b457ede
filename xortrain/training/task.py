"""What one block of runs is to be trained on and how, and the arrays that its training fills.

Nothing here is a choice by name in a file: it is the checked choice, with its numbers as arrays (runs,).
"""

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from xortrain.nets import Array, Numbers
from xortrain.nets.losses import Criterion
from xortrain.nets.network import Network
from xortrain.training.success import Rule


@dataclass(frozen=True)
class Data:
    """Examples: x (examples, inputs) or (…, runs), t (examples, outputs, 1) or (…, runs)."""

    x: Array
    t: Array

    def take(self, runs: Array) -> "Data":
        """The examples of some of the runs."""
        x = self.x.take(runs, axis=-1) if self.x.ndim == 3 else self.x
        return Data(x, self.t.take(runs, axis=-1) if self.t.shape[2] > 1 else self.t)


@dataclass(frozen=True)
class Choice:
    """A row of a table by its name, with its settings (runs,)."""

    name: str
    settings: Numbers = field(default_factory=dict)

    def take(self, runs: Array) -> "Choice":
        """The choice for some of its runs."""
        return replace(self, settings={name: value[runs] for name, value in self.settings.items()})


@dataclass(frozen=True)
class Stop:
    """When a run ends before its last epoch: ``solved``, ``loss`` (below a value (runs,)) or ``never``."""

    name: str
    below: Array

    def take(self, runs: Array) -> "Stop":
        """The rule for some of its runs."""
        return replace(self, below=self.below[runs])


@dataclass(frozen=True)
class Task:
    """Everything the training of some runs needs; θ (parameters, runs) is where they start."""

    network: Network
    criterion: Criterion
    optimizer: Choice
    schedule: Choice
    rule: Rule
    stop: Stop
    data: Data
    test: Data | None
    theta: Array
    lr: Array
    seeds: Array
    epochs: int
    batch_size: int | None = None
    shuffle: bool = True
    freeze: tuple[str, ...] = ()

    @property
    def runs(self) -> int:
        return self.theta.shape[1]

    def take(self, runs: Array) -> "Task":
        """The task for some of its runs, by their numbers."""
        changed: dict[str, Any] = {}
        for name in (f.name for f in fields(self)):
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                changed[name] = value.take(runs, axis=-1)
            elif hasattr(value, "take"):
                changed[name] = value.take(runs)
        return replace(self, **changed)


@dataclass(frozen=True)
class History:
    """What training leaves: losses (recorded, runs) and parameters (frames, parameters, runs).

    ``loss_epochs`` (recorded,) and ``frame_epochs`` (frames,) say after which epochs; epoch 0 is the start.
    """

    loss_epochs: Array
    frame_epochs: Array
    losses: Array
    parameters: Array
    test_losses: Array | None = None

    @cached_property
    def loss_rows(self) -> dict[int, int]:
        """Row of the losses by epoch."""
        return {epoch: row for row, epoch in enumerate(self.loss_epochs.tolist())}

    @cached_property
    def frame_rows(self) -> dict[int, int]:
        """Row of the parameters by epoch."""
        return {epoch: row for row, epoch in enumerate(self.frame_epochs.tolist())}

    @classmethod
    def empty(cls, task: Task, loss_epochs: Array, frame_epochs: Array) -> "History":
        """A history in memory for a task, filled with nan."""
        return cls.sized(loss_epochs, frame_epochs, task.theta, bool(task.test))

    @classmethod
    def sized(cls, loss_epochs: Array, frame_epochs: Array, like: Array, has_test: bool) -> "History":
        """The same for parameters of the shape and kind of ``like`` (parameters, runs), whose values do not matter."""

        def nan(*shape: int) -> Array:
            return np.full((*shape, like.shape[1]), np.nan, like.dtype)

        test = nan(len(loss_epochs)) if has_test else None
        return cls(loss_epochs, frame_epochs, nan(len(loss_epochs)), nan(len(frame_epochs), len(like)), test)


@dataclass(frozen=True)
class Results:
    """What became of each run, arrays (runs,); epochs are -1 where the thing never happened.

    ``theta`` (parameters, runs) are the last finite parameters; ``outcome`` is a place in OUTCOMES
    and bit k of ``reasons`` says that OUTCOMES[k] holds too;
    ``diverged_in`` is the first parameter (its place in θ) that was not finite, -1 where it was the loss;
    ``solved_at`` is the epoch since which every example is right.
    """

    theta: Array
    outcome: Array
    reasons: Array
    epochs_done: Array
    diverged_at: Array
    diverged_in: Array
    solved_at: Array
    final_loss: Array
    best_loss: Array
    accuracy: Array
    test_loss: Array
    test_accuracy: Array
