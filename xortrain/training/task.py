"""What a block of runs is trained on and how, and the arrays that its training fills.

Settings are already checked; numbers that may differ between runs are arrays (runs,).
"""

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from xortrain.nets import Array, Numbers
from xortrain.nets.datasets import UNSCALED, DataScaling
from xortrain.nets.losses import Criterion
from xortrain.nets.network import Network
from xortrain.training.success import Success


@dataclass(frozen=True)
class Data:
    """Examples: x (examples, inputs) or (…, runs), t (examples, outputs, 1) or (…, runs)."""

    x: Array
    t: Array

    def take(self, runs: Array) -> "Data":
        """The examples of some of the runs."""
        x = self.x.take(runs, axis=-1) if self.x.ndim == 3 else self.x
        return Data(x, self.t.take(runs, axis=-1) if self.t.shape[2] > 1 else self.t)

    def scaled(self, scaling: DataScaling) -> "Data":
        """The examples as the network has them."""
        return Data(scaling.inputs.scaled(self.x), scaling.targets.scaled(self.t))

    def of_run(self, place: int) -> "Data":
        """The examples of one run, without an axis for runs in x, as for runs that share them."""
        one = self.take(np.array([place]))
        return Data(one.x if one.x.ndim == 2 else one.x[..., 0], one.t)


@dataclass(frozen=True)
class Choice:
    """A row of a table by its name, with its settings (runs,)."""

    name: str
    settings: Numbers = field(default_factory=dict)

    def take(self, runs: Array) -> "Choice":
        """The choice for some of the runs."""
        return replace(self, settings={name: value[runs] for name, value in self.settings.items()})


@dataclass(frozen=True)
class Task:
    """Everything needed to train some runs; ``theta`` (parameters, runs) are their initial parameters.

    ``data`` and ``test`` are scaled already, by ``scaling``.
    """

    network: Network
    criterion: Criterion
    optimizer: Choice
    schedule: Choice
    success: Success
    stop: Choice
    data: Data
    test: Data | None
    theta: Array
    lr: Array
    seeds: Array
    epochs: int
    batch_size: int | None = None
    shuffle: bool = True
    freeze: tuple[str, ...] = ()
    scaling: DataScaling = UNSCALED

    @property
    def runs(self) -> int:
        return self.theta.shape[1]

    def take(self, runs: Array) -> "Task":
        """The task for some of the runs, by their indices."""
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
    """What training records: losses (recorded, runs) and parameters (frames, parameters, runs).

    They are those after the epochs ``loss_epochs`` (recorded,) and ``frame_epochs`` (frames,); epoch 0 is the start.
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
    def empty(
        cls, loss_epochs: Array, frame_epochs: Array, shape: tuple[int, int], dtype: npt.DTypeLike, has_test: bool
    ) -> "History":
        """A history in memory, filled with nan, for θ of ``shape`` (parameters, runs)."""

        def nan(*lead: int) -> Array:
            return np.full((*lead, shape[1]), np.nan, dtype)

        recorded, frames = len(loss_epochs), len(frame_epochs)
        test = nan(recorded) if has_test else None
        return cls(loss_epochs, frame_epochs, nan(recorded), nan(frames, shape[0]), test)

    def columns(self, runs: slice) -> "History":
        """A view of some of the runs."""
        test = None if self.test_losses is None else self.test_losses[:, runs]
        losses, parameters = self.losses[:, runs], self.parameters[..., runs]
        return History(self.loss_epochs, self.frame_epochs, losses, parameters, test)


@dataclass(frozen=True)
class Results:
    """How each run ended, arrays (runs,); an epoch is -1 where the event never happened.

    ``theta`` (parameters, runs) are the last finite parameters; ``outcome`` is an index into OUTCOMES, and bit k of
    ``reasons`` means that OUTCOMES[k] also holds; ``diverged_in`` is the index in θ of the first parameter that was not
    finite, -1 for the loss; ``solved_at`` is the epoch since which every example is right.  ``constant_loss``,
    ``constant_accuracy`` and ``allowed_accuracy`` are the `References` of the run.
    """

    theta: Array
    outcome: Array
    reasons: Array
    epochs_done: Array
    diverged_at: Array
    diverged_in: Array
    solved_at: Array
    exploded_at: Array
    final_loss: Array
    best_loss: Array
    accuracy: Array
    test_loss: Array
    test_accuracy: Array
    constant_loss: Array
    constant_accuracy: Array
    allowed_accuracy: Array
