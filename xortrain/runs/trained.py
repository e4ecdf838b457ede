"""Trained runs as data: losses, parameters, predictions and gradients, in memory or in a record alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.nets.network import Network, Pass, at_least_two
from xortrain.records.reader import RecordReader
from xortrain.setup.run_setup import Setup
from xortrain.training.outcome import words
from xortrain.training.task import Data, History, Task


@dataclass(frozen=True)
class TrainedRuns:
    """A population after its training; ``kept`` is its history or its record, ``folder`` where it is recorded."""

    setup: Setup
    rows: Array
    kept: History | RecordReader
    folder: Path | None = None

    def array(self, what: str, runs: slice = slice(None)) -> Array | None:
        """losses or test_losses (recorded, runs), or parameters (frames, parameters, runs)."""
        if isinstance(self.kept, History):
            found = getattr(self.kept, what)
            return None if found is None else found[..., runs]
        if what == "test_losses" and not self.kept.metadata["has_test"]:
            return None
        return self.kept.of_runs(what.replace("_", "-"), runs)

    def columns(self, what: str, places: Array) -> Array | None:
        """Such an array for some of the runs, by their indices; only what is asked for is read from a record."""
        if isinstance(self.kept, History):
            found = getattr(self.kept, what)
            return None if found is None else np.asarray(found[..., places])
        if what == "test_losses" and not self.kept.metadata["has_test"]:
            return None
        block, column = np.divmod(places, self.kept.blocks.size)
        parts = {b: self.kept.block_array(what.replace("_", "-"), b) for b in np.unique(block).tolist()}
        gathered = np.empty((*next(iter(parts.values())).shape[:-1], len(places)), self.setup.population.dtype)
        for number, part in parts.items():
            gathered[..., block == number] = part[..., column[block == number]]
        return gathered

    def some(self, places: Array) -> "TrainedRuns":
        """Some of the runs, in memory."""
        losses, parameters = self.columns("losses", places), self.columns("parameters", places)
        assert losses is not None
        assert parameters is not None
        setup, test = self.setup, self.columns("test_losses", places)
        history = History(setup.loss_epochs, setup.frame_epochs, losses, parameters, test)
        return TrainedRuns(setup.part(places), np.asarray(self.rows[places]), history)

    @property
    def outcomes(self) -> list[str]:
        """The outcome of each run, in one word."""
        return words(self.rows["outcome"])

    @property
    def finished(self) -> Array:
        """The indices of the runs whose training is over."""
        return np.flatnonzero(self.rows["outcome"])


class RunData:
    """One trained network: run ``place`` of a population."""

    def __init__(self, trained: TrainedRuns, place: int = 0) -> None:
        self.trained, self.place = trained, place

    @property
    def setup(self) -> Setup:
        return self.trained.setup

    @property
    def config(self) -> dict[str, Any]:
        """Every setting of this run."""
        return self.setup.population.config_of(self.place)

    @property
    def folder(self) -> Path | None:
        """The folder of its record; None for a run in memory."""
        return self.trained.folder

    @cached_property
    def task(self) -> Task:
        """What was trained: network, criterion, data and start of this run."""
        return self.setup.task(np.array([self.place]))

    @property
    def network(self) -> Network:
        return self.task.network

    @cached_property
    def row(self) -> Mapping[str, Any]:
        """Its results: outcome in a word, epochs_done, solved_at, final_loss, accuracy, …"""
        row = self.trained.rows[self.place]
        found = {name: row[name].item() for name in self.trained.rows.dtype.names or ()}
        return found | {"outcome": self.outcome}

    @property
    def outcome(self) -> str:
        """solved, diverged, … in one word."""
        return words(self.trained.rows["outcome"][self.place : self.place + 1])[0]

    @property
    def losses(self) -> Array:
        """The loss after each epoch of `loss_epochs`: (recorded,); nan after the run's end."""
        return self._column("losses")

    @property
    def loss_epochs(self) -> Array:
        return self.setup.loss_epochs

    @property
    def test_losses(self) -> Array | None:
        """The loss of the held-out examples, (recorded,); None if there are none."""
        return None if self.setup.test is None else self._column("test_losses")

    @property
    def epochs(self) -> Array:
        """The epochs of the recorded parameters: (frames,)."""
        return self.setup.frame_epochs

    @property
    def parameters(self) -> Array:
        """All parameters after each epoch of `epochs`: (frames, parameters)."""
        return self._column("parameters")

    @property
    def x(self) -> Array:
        """The inputs it was trained on: (examples, inputs)."""
        x = self.task.data.x
        return x[..., 0] if x.ndim == 3 else x

    @property
    def t(self) -> Array:
        """The targets: (examples, outputs)."""
        return self.task.data.t[..., 0]

    def at(self, epoch: int) -> dict[str, Array]:
        """The parameters after a recorded epoch, by name: W1 (fan_out, fan_in), b1 (fan_out,), …"""
        return self.network.split(self._theta(epoch))

    @np.errstate(all="ignore")
    def predict(self, x: Any, epoch: int | None = None) -> Array:
        """Outputs (examples, outputs) for x (examples, inputs), after the last epoch or a recorded one."""
        return self._pass(epoch, self._inputs(x)).y[..., 0]

    @np.errstate(all="ignore")
    def gradients(self, epoch: int = 0, example: int | None = None) -> dict[str, Array]:
        """dL/dW1, dL/db1, … over the batch after a recorded epoch; over one example, if given."""
        data = self.task.data
        if example is not None:
            if not -len(data.x) <= example < len(data.x):
                raise UserError(f"example={example}: must be from 0 to {len(data.x) - 1}")
            rows = slice(example, example + 1 or None)
            data = Data(data.x[rows], data.t[rows])
        net = self._pass(epoch, data.x)
        g = net.backward(self._twice.criterion.delta(net.z[-1], net.y, data.t))
        return self.network.split(g[:, 0])

    @cached_property
    def _twice(self) -> Task:
        return self.task.take(at_least_two(np.zeros(1, int)))

    def _pass(self, epoch: int | None, x: Array) -> Pass:
        both = at_least_two(np.zeros(1, int))
        theta = self._theta(self.epochs[-1] if epoch is None else epoch)[:, None]
        return self._twice.network.forward(theta[:, both], x[..., both] if x.ndim == 3 else x)

    def _theta(self, epoch: int) -> Array:
        found = np.flatnonzero(self.epochs == epoch)
        if not len(found):
            nearest = self.epochs[np.abs(self.epochs - epoch).argmin()]
            raise UserError(f"epoch={epoch}: its parameters were not recorded; the nearest recorded epoch is {nearest}")
        return np.array(self.parameters[found[0]])

    def _inputs(self, x: Any) -> Array:
        try:
            inputs = np.asarray(x, self.setup.population.dtype)
        except (TypeError, ValueError):
            raise UserError("x: must be an array of numbers (examples, inputs)") from None
        inputs = inputs[None] if inputs.ndim == 1 else inputs
        if inputs.ndim != 2 or inputs.shape[1] != self.network.inputs:
            raise UserError(f"x: has shape {inputs.shape}, must be (examples, {self.network.inputs})")
        return inputs

    def _column(self, what: str) -> Array:
        found = self.trained.columns(what, np.array([self.place]))
        assert found is not None
        return found[..., 0]

    def __repr__(self) -> str:
        where = f" in {self.folder}" if self.folder else ""
        return f"<Run {self.network}: {self.outcome}, loss {self.row['final_loss']:.6g}{where}>"
