"""What a block of runs is trained on and how, and the arrays that its training fills.

Settings are already checked; numbers that may differ between runs are arrays (runs,).
"""

from collections.abc import Mapping
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

    def first(self, examples: int) -> "Data":
        """The first examples."""
        return Data(self.x[:examples], self.t[:examples])

    def scaled(self, scaling: DataScaling) -> "Data":
        """The examples as the network has them."""
        return Data(scaling.inputs.scaled(self.x), scaling.targets.scaled(self.t))

    def of_run(self, place: int) -> "Data":
        """The examples of one run, without an axis for runs in x, as for runs that share them."""
        one = self.take(np.array([place]))
        return Data(one.x if one.x.ndim == 2 else one.x[..., 0], one.t)


@dataclass(frozen=True)
class Choice:
    """A row of a table by its name, with its settings (runs,), and those that are a ``words`` for all runs."""

    name: str
    settings: Numbers = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def take(self, runs: Array) -> "Choice":
        """The choice for some of the runs."""
        return replace(self, settings={name: value[runs] for name, value in self.settings.items()})


@dataclass(frozen=True)
class Task:
    """Everything needed to train some runs; ``theta`` (parameters, runs) are their initial parameters.

    ``data`` and ``test`` are scaled already, by ``scaling``.  ``stages`` have other settings for earlier epochs; the
    criterion and the success rule judge every epoch.
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
    stages: tuple["Stage", ...] = ()
    instruction_set: str | None = None

    @property
    def runs(self) -> int:
        return self.theta.shape[1]

    def at(self, epoch: int) -> "Task":
        """The task whose settings make the update of an epoch."""
        return next((stage.task for stage in self.stages if epoch < stage.until), self)

    def set_at(self, epoch: int) -> tuple[tuple[int, float], ...]:
        """What is set after the updates of some epochs, before the next is judged: places in θ with their values."""
        return next((stage.then_set for stage in self.stages if stage.until == epoch), ())

    def take(self, runs: Array) -> "Task":
        """The task for some of the runs, by their indices."""
        changed: dict[str, Any] = {}
        for name in (f.name for f in fields(self)):
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                changed[name] = value.take(runs, axis=-1)
            elif hasattr(value, "take"):
                changed[name] = value.take(runs)
        changed["stages"] = tuple(replace(stage, task=stage.task.take(runs)) for stage in self.stages)
        return replace(self, **changed)


@dataclass(frozen=True)
class Stage:
    """Settings with which runs were trained up to epoch ``until``, before they were trained with others.

    ``then_set`` are places in θ with values that they have from then on, until they are trained.
    """

    task: Task
    until: int
    then_set: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class History:
    """What training records: losses (recorded, runs) and parameters (frames, parameters, runs).

    They are those after the epochs ``loss_epochs`` (recorded,) and ``frame_epochs`` (frames,); epoch 0 is the start.
    ``state`` is the optimizer's after the last epoch of each run: names to (numbers, runs).  ``best`` (parameters,
    runs) are the parameters that a stop rule found best.
    """

    loss_epochs: Array
    frame_epochs: Array
    losses: Array
    parameters: Array
    test_losses: Array | None = None
    state: Numbers = field(default_factory=dict)
    best: Array | None = None

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
        cls, loss_epochs: Array, frame_epochs: Array, shape: tuple[int, int], dtype: npt.DTypeLike, has_test: bool,
        state: Mapping[str, int] | None = None, has_best: bool = False,
    ) -> "History":  # fmt: skip
        """A history in memory, filled with nan, for θ of ``shape`` (parameters, runs) and a state of these sizes."""

        def nan(*lead: int) -> Array:
            return np.full((*lead, shape[1]), np.nan, dtype)

        recorded, frames = len(loss_epochs), len(frame_epochs)
        test, best = nan(recorded) if has_test else None, nan(shape[0]) if has_best else None
        own = {name: nan(size) for name, size in (state or {}).items()}
        return cls(loss_epochs, frame_epochs, nan(recorded), nan(frames, shape[0]), test, own, best)

    def columns(self, runs: slice) -> "History":
        """A view of some of the runs."""
        test, best = (None if array is None else array[:, runs] for array in (self.test_losses, self.best))
        losses, parameters = self.losses[:, runs], self.parameters[..., runs]
        state = {name: values[:, runs] for name, values in self.state.items()}
        return History(self.loss_epochs, self.frame_epochs, losses, parameters, test, state, best)

    def fill(self, other: "History") -> None:
        """Copy another history, which may have only the first of the epochs, and no state or best parameters."""
        self.losses[: len(other.losses)], self.parameters[: len(other.parameters)] = other.losses, other.parameters
        if self.test_losses is not None and other.test_losses is not None:
            self.test_losses[: len(other.test_losses)] = other.test_losses
        if self.best is not None and other.best is not None:
            self.best[:] = other.best
        for name, values in other.state.items():
            self.state[name][:] = values


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
