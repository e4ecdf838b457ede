"""Trained runs as data: losses, parameters, predictions and gradients, the same in memory and in a record."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.nets.network import Network, Pass, at_least_two
from xortrain.records.reader import RecordReader
from xortrain.setup.run_setup import Setup
from xortrain.training.outcome import others, words
from xortrain.training.task import History, Task

SUCCESSES = ("solved", "learnt")  # outcomes


@dataclass(frozen=True)
class TrainedRuns:
    """A trained population; ``source`` has its arrays, ``folder`` is its record (None in memory)."""

    setup: Setup
    rows: Array
    source: History | RecordReader
    folder: Path | None = None

    def array(self, what: str, runs: slice | Array = slice(None)) -> Array:
        """losses or test_losses (recorded, runs), or parameters (frames, parameters, runs), of all runs or of some."""
        if isinstance(self.source, History):
            return np.asarray(getattr(self.source, what)[..., runs])
        return np.asarray(self.source.of_runs(what.replace("_", "-"), runs))

    def take(self, runs: Array) -> "TrainedRuns":
        """Some of the runs, by their indices, in memory."""
        names = ("losses", "parameters", *(("test_losses",) if self.setup.test else ()))
        arrays = {name: self.array(name, runs) for name in names}
        history = History(self.setup.loss_epochs, self.setup.frame_epochs, **arrays)
        return TrainedRuns(self.setup.part(runs), np.asarray(self.rows[runs]), history)

    def until(self, last: int) -> "TrainedRuns":
        """The same runs up to epoch ``last``, by which all of them must have ended."""
        setup, rows = self.setup, self.rows
        if last >= setup.population.epochs:
            return self
        loss_epochs, frame_epochs = (np.union1d(e[e <= last], last) for e in (setup.loss_epochs, setup.frame_epochs))
        losses, parameters = self.array("losses")[: len(loss_epochs)].copy(), self.array("parameters")
        has_stopped = (rows["epochs_done"] == last) & (rows["diverged_at"] < 0)
        losses[-1] = np.where(has_stopped, rows["final_loss"], np.nan)
        frames = np.concatenate([parameters[: len(frame_epochs) - 1], parameters[-1:]])
        setup = replace(setup, loss_epochs=loss_epochs, frame_epochs=frame_epochs)
        return TrainedRuns(setup, rows, History(loss_epochs, frame_epochs, losses, frames))

    def by_block(self, runs: Array) -> Iterator[Array]:
        """These runs of a record, by index, split by the blocks whose files exist."""
        assert isinstance(self.source, RecordReader)
        block = runs // self.source.blocks.size
        for number in filter(self.source.has_block, np.unique(block).tolist()):
            yield runs[block == number]

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata of the record; empty for runs in memory."""
        return self.source.metadata if isinstance(self.source, RecordReader) else {}

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

    def populations(self) -> list[tuple[TrainedRuns, Array]]:
        """Its population, and its index in it, (1,)."""
        return [(self.trained, np.array([self.place]))]

    @property
    def setup(self) -> Setup:
        return self.trained.setup

    @property
    def own_setup(self) -> Setup:
        """Its setup without the other runs of its population."""
        whole = self.setup
        test = whole.test and whole.test.of_run(self.place)
        return replace(whole, train=whole.train.of_run(self.place), test=test).changed(self.config)

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
        """Its results by name: outcome, epochs_done, solved_at, final_loss, accuracy, …"""
        row = self.trained.rows[self.place]
        found = {name: row[name].item() for name in self.trained.rows.dtype.names or ()}
        return found | {"outcome": self.outcome}

    @property
    def outcome(self) -> str:
        """How the run ended, in one word: solved, diverged, …"""
        return words(self.trained.rows["outcome"][self.place : self.place + 1])[0]

    @property
    def reasons(self) -> list[str]:
        """The other outcomes that also hold for it."""
        return others(self.row["reasons"])

    @property
    def is_unsolved(self) -> bool:
        """Whether it was trained and ended without success."""
        return self.setup.population.epochs > 1 and self.outcome not in ("pending", *SUCCESSES)

    @property
    def objective(self) -> float:
        """The number that a searching sweeper minimises: the final loss, infinite if the run diverged or exploded."""
        return math.inf if self.outcome in ("diverged", "exploded") else float(self.row["final_loss"])

    @property
    def losses(self) -> Array:
        """The loss after each epoch of `loss_epochs`: (recorded,); nan after the end of the run."""
        return self._array("losses")

    @property
    def loss_epochs(self) -> Array:
        return self.setup.loss_epochs

    @property
    def test_losses(self) -> Array | None:
        """The loss of the held-out examples, (recorded,); None if there are none."""
        return self._array("test_losses") if self.setup.test else None

    @property
    def epochs(self) -> Array:
        """The epochs of the recorded parameters: (frames,)."""
        return self.setup.frame_epochs

    @property
    def parameters(self) -> Array:
        """All parameters after each epoch of `epochs`: (frames, parameters)."""
        return self._array("parameters")

    @property
    def x(self) -> Array:
        """The inputs it was trained on: (examples, inputs)."""
        x = self.setup.train.x
        return np.ascontiguousarray(x[..., self.place]) if x.ndim == 3 else x

    @property
    def t(self) -> Array:
        """The targets: (examples, outputs)."""
        t = self.setup.train.t
        return t[..., self.place if t.shape[2] > 1 else 0]

    @cached_property
    def right(self) -> Array:
        """Which examples are right by the success rule, after the last epoch: (examples,)."""
        rule = self.task.success.unscaled
        return np.asarray(rule.right(self.predict(self.x)[..., None], self.t[..., None])[:, 0])

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the outputs, or the low one and the high one; empty for none."""
        return self.setup.columns.classes

    def class_indices(self, y: Array) -> Array:
        """The index of the class (examples,) that outputs or targets y (examples, outputs) are nearest to."""
        values = self.setup.target_values
        return y.argmax(axis=1) if y.shape[1] > 1 else (y[:, 0] > (values[0] + values[-1]) / 2).astype(np.intp)

    def at(self, epoch: int) -> dict[str, Array]:
        """The parameters after a recorded epoch: W1 (fan_out, fan_in), b1 (fan_out,), …; UserError for other epochs."""
        return self.network.split(self._theta(epoch))

    @np.errstate(all="ignore")
    def predict(self, x: Any, epoch: int | None = None) -> Array:
        """Outputs (examples, outputs) for x (examples, inputs), both unscaled, after the last or a recorded epoch."""
        scaling = self.task.scaling.take(0)
        net = self._pass(scaling.inputs.scaled(self._inputs(x)), self.epochs[-1] if epoch is None else epoch)
        return scaling.targets.unscaled(net.y[..., 0])

    @np.errstate(all="ignore")
    def gradients(self, epoch: int = 0, example: int | None = None) -> dict[str, Array]:
        """dL/dW1, dL/db1, … over the full batch, as it is scaled, after a recorded epoch; or over one example."""
        x, t = self._twins.data.x, self._twins.data.t
        if example is not None:
            if not 0 <= example < len(x):
                raise UserError(f"example={example}: must be from 0 to {len(x) - 1}")
            x, t = x[[example]], t[[example]]
        net = self._pass(x, epoch)
        return self.network.split(net.backward(self._twins.criterion.delta(net.z[-1], net.y, t))[:, 0])

    @cached_property
    def _twins(self) -> Task:
        """The task of this run and a copy of it, so that sums have the same bits as in a sweep."""
        return self.task.take(at_least_two(np.zeros(1, int)))

    def _pass(self, x: Array, epoch: int) -> Pass:
        return self._twins.network.forward(np.repeat(self._theta(epoch)[:, None], self._twins.runs, axis=1), x)

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

    def _array(self, what: str) -> Array:
        return self.trained.array(what, np.array([self.place]))[..., 0]

    def __repr__(self) -> str:
        where = f" in {self.folder}" if self.folder else ""
        return f"<Run {self.network}: {self.outcome}, loss {self.row['final_loss']:.6g}{where}>"
