"""Trained runs as data: losses, parameters, predictions and gradients, the same in memory and in a record."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.nets import Array, Numbers
from xortrain.nets.network import Network, Pass, at_least_two
from xortrain.records import layout
from xortrain.records.reader import RecordReader
from xortrain.setup.earlier import stages_until
from xortrain.setup.own_arrays import as_array, in_order
from xortrain.setup.run_setup import Setup
from xortrain.training.engine import engine_losses
from xortrain.training.outcome import code, others, words
from xortrain.training.task import History, Task

SUCCESSES = ("solved", "learnt")  # outcomes
AT_ONCE = 1 << 22  # numbers of snapshots that are computed together


@dataclass(frozen=True)
class TrainedRuns:
    """A trained population; ``source`` has its arrays, ``folder`` is its record (None in memory)."""

    setup: Setup
    rows: Array
    source: History | RecordReader
    folder: Path | None = None

    def array(self, what: str, runs: slice | Array = slice(None), rows: Array | None = None) -> Array:
        """losses or test_losses (recorded, runs), parameters (frames, parameters, runs), or best (parameters, runs).

        All rows, or only some of them, which are then copied before runs are taken; nan where training has not come to.
        """
        if isinstance(self.source, History):
            whole = getattr(self.source, what)
            return np.asarray((whole if rows is None else whole[rows])[..., runs])
        return np.asarray(self.source.of_runs(what.replace("_", "-"), runs, rows=rows, or_nan=True))

    def take(self, runs: Array) -> "TrainedRuns":
        """Some of the runs, by their indices, in memory."""
        setup = self.setup
        wanted = {"losses": True, "parameters": True, "test_losses": setup.test is not None, "best": setup.has_best}
        arrays: dict[str, Any] = {name: self.array(name, runs) for name, is_wanted in wanted.items() if is_wanted}
        history = History(setup.loss_epochs, setup.frame_epochs, **arrays, state=self.state(runs) or {})
        return TrainedRuns(setup.part(runs), np.asarray(self.rows[runs]), history)

    def state(self, runs: slice | Array = slice(None)) -> Numbers | None:
        """The state of the optimizer after the last epoch of each run, by name; None if not known, or not finite."""
        sizes = self.setup.state_sizes
        if isinstance(self.source, History):
            found = {name: values[:, runs] for name, values in self.source.state.items()}
        elif self.metadata.get("state"):
            whole = self.source.of_runs("state", np.arange(len(self.rows))[runs], or_nan=True)
            found = layout.by_name(whole, self.metadata["state"])
        else:
            found = {}
        is_sound = all(np.isfinite(values).all() for values in found.values())
        return found if found.keys() == sizes.keys() and is_sound else None

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
        held = None
        if setup.test is not None:
            held = self.array("test_losses")[: len(loss_epochs)].copy()
            held[-1] = np.where(has_stopped, rows["test_loss"], np.nan)
        setup = replace(setup, loss_epochs=loss_epochs, frame_epochs=frame_epochs)
        return TrainedRuns(setup, rows, History(loss_epochs, frame_epochs, losses, frames, held))

    def by_block(self, runs: Array) -> Iterator[Array]:
        """These runs of a record, by index, split by the blocks whose files exist."""
        block = runs // self.record.blocks.size
        for number in filter(self.record.has_block, np.unique(block).tolist()):
            yield runs[block == number]

    @property
    def record(self) -> RecordReader:
        """The record of the runs, if they are not in memory."""
        assert isinstance(self.source, RecordReader)
        return self.source

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


def place_of_epoch(epochs: Array, epoch: int) -> int:
    """The place of an epoch among the recorded ones; raises UserError for another epoch."""
    found = np.flatnonzero(epochs == epoch)
    if not len(found):
        nearest = min(epochs.tolist(), key=lambda recorded: abs(recorded - epoch))
        raise UserError(f"epoch={epoch}: its parameters were not recorded; the nearest recorded epoch is {nearest}")
    return int(found[0])


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
        return self.setup.alone(self.place).changed(self.config)

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
        return {name: row[name].item() for name in self.trained.rows.dtype.names or ()} | {"outcome": self.outcome}

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
    def accurate(self) -> Array:
        """Which examples, of the held-out ones if there are some, have the right class, whatever the success rule."""
        data = self._twins.test or self._twins.data
        return self._twins.success.accurate(self._pass(data.x, self._theta(self.epochs[-1])).y, data.t)[:, 0]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the outputs, or the low one and the high one; empty for none."""
        return self.setup.columns.classes

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs; x1, x2, … if the data have none."""
        return self.setup.columns.inputs or tuple(f"x{k + 1}" for k in range(self.network.inputs))

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the outputs, of classes if each has its own; y, or y1, y2, …, if the data have none."""
        many = self.network.outputs
        return self.setup.columns.short_outputs or (tuple(f"y{k + 1}" for k in range(many)) if many > 1 else ("y",))

    def class_indices(self, y: Any) -> Array:
        """The index of the class (examples,) nearest to outputs or targets y (examples, outputs); UserError for nan."""
        y = self._columns("y", y, self.network.outputs, "outputs")
        if (lost := np.isnan(y).any(axis=1)).any():
            raise UserError(f"y: example {int(lost.argmax())} is nan, which is no class")
        middle = (self.task.success.low[0] + self.task.success.high[0]) / 2
        return y.argmax(axis=1) if y.shape[1] > 1 else (y[:, 0] > middle).astype(np.intp)

    def at(self, epoch: int) -> dict[str, Array]:
        """The parameters after a recorded epoch: W1 (fan_out, fan_in), b1 (fan_out,), …; UserError for other epochs."""
        return self.network.split(self._theta(epoch))

    @np.errstate(all="ignore")
    def predict(self, x: Any, epoch: int | None = None, best: bool = False) -> Array:
        """Outputs for x (examples, inputs), both unscaled, after the last epoch, a recorded one, or the best."""
        if best and epoch is not None:
            raise UserError(f"epoch={epoch}: best=True chooses the epoch; leave one of them out")
        theta = self.best_theta if best else self._theta(self.epochs[-1] if epoch is None else epoch)
        scaling = self.task.scaling.take(0)
        return scaling.targets.unscaled(self._pass(scaling.inputs.scaled(self._inputs(x)), theta).y[..., 0])

    @property
    def best_epoch(self) -> int:
        """The epoch of the best parameters: those that stop=patience found, else the snapshot with the lowest loss.

        The loss is that of the held-out examples, if there are any; stop=patience has stop.on for this.
        """
        found = int(self.row["best_at"])
        return found if found >= 0 else int(self.epochs[self._best_snapshot])

    @property
    def best_theta(self) -> Array:
        """The parameters (parameters,) after the best epoch."""
        if self.row["best_at"] >= 0:
            return self._array("best")
        return np.array(self.parameters[self._best_snapshot])

    @cached_property
    def _best_snapshot(self) -> int:
        """The snapshot with the lowest finite loss; the first, if there is none."""
        losses = self._losses_of(np.array(self.parameters).T, is_held_out=self.task.test is not None)
        return int(np.where(np.isfinite(losses), losses, np.inf).argmin())

    @np.errstate(all="ignore")
    def _losses_of(self, theta: Array, is_held_out: bool = False) -> Array:
        """The losses (snapshots,) of parameters (parameters, snapshots) of this run."""
        found, step = [], max(2, AT_ONCE // self.setup.numbers_of_a_run)
        for start in range(0, theta.shape[1], step):
            part = theta[:, start : start + step]
            losses, held_out = engine_losses(self.task.take(np.zeros(part.shape[1], int)), part)
            found.append(held_out if is_held_out and held_out is not None else losses)
        return np.concatenate(found)

    def until_best(self) -> TrainedRuns:
        """This run as if it had been trained up to its best epoch only."""
        best, theta, alone = self.best_epoch, self.best_theta[:, None], self.setup.alone(self.place)
        now = replace(alone.population, config={**alone.population.config, "epochs": best})
        earlier = stages_until(best, alone.earlier, alone.population, now)
        loss_epochs, frame_epochs = (np.union1d(e[e <= best], best) for e in (self.loss_epochs, self.epochs))
        setup = replace(alone, population=now, earlier=earlier, loss_epochs=loss_epochs, frame_epochs=frame_epochs)

        def ending(values: Array, last: Array, epochs: Array) -> Array:
            return np.concatenate([values[: len(epochs) - 1], last])[..., None]

        loss, held_out = self._losses_of(theta), self.test_losses
        losses, parameters = ending(self.losses, loss, loss_epochs), ending(self.parameters, theta.T, frame_epochs)
        test = None if held_out is None else ending(held_out, self._losses_of(theta, True), loss_epochs)
        rows = self.trained.rows[[self.place]].copy()
        if best < rows["epochs_done"]:
            rows["epochs_done"], rows["final_loss"] = best, loss
            for name in ("solved_at", "diverged_at", "exploded_at"):
                rows[name][rows[name] > best] = -1
            rows["outcome"] = code("solved" if rows["solved_at"][0] >= 0 else "training")
        return TrainedRuns(setup, rows, History(loss_epochs, frame_epochs, losses, parameters, test, {}, theta))

    @np.errstate(all="ignore")
    def gradients(self, epoch: int = 0, example: int | None = None) -> dict[str, Array]:
        """dL/dW1, dL/db1, … over the full batch, as it is scaled, after a recorded epoch; or over one example."""
        x, t = self._twins.data.x, self._twins.data.t
        if example is not None:
            if not 0 <= example < len(x):
                raise UserError(f"example={example}: must be from 0 to {len(x) - 1}")
            x, t = x[[example]], t[[example]]
        net = self._pass(x, self._theta(epoch))
        return self.network.split(net.backward(self._twins.criterion.delta(net.z[-1], net.y, t))[:, 0])

    @cached_property
    def _twins(self) -> Task:
        """The task of this run and a copy of it, so that sums have the same bits as in a sweep."""
        return self.task.take(at_least_two(np.zeros(1, int)))

    @np.errstate(all="ignore")
    def _pass(self, x: Array, theta: Array) -> Pass:
        return self._twins.network.forward(np.repeat(theta[:, None], self._twins.runs, axis=1), x)

    def _theta(self, epoch: int) -> Array:
        parameters, place = self.parameters, place_of_epoch(self.epochs, epoch)
        if self.outcome == "pending" and np.isnan(parameters[place]).all():
            raise UserError(f"epoch={epoch}: is not trained yet; this run is not finished")
        return np.array(parameters[place])

    def _inputs(self, x: Any) -> Array:
        x = x if type(x) is np.ndarray else in_order(x, self.setup.columns.inputs, "x")
        return self._columns("x", x, self.network.inputs, "inputs")

    def _columns(self, name: str, given: Any, count: int, what: str) -> Array:
        """What a user gives as (examples, columns); a list of numbers is one example, or one column if there is one."""
        try:
            is_plain = type(given) is np.ndarray and given.dtype.kind in "biuf"
            array = np.asarray(given if is_plain else as_array(given), self.setup.population.dtype)
        except (TypeError, ValueError, OverflowError):
            raise UserError(f"{name}: must be an array of numbers (examples, {what})") from None
        array = array if array.ndim != 1 else array[:, None] if count == 1 else array[None]
        if array.ndim != 2 or array.shape[1] != count:
            raise UserError(f"{name}: has shape {array.shape}, must be (examples, {count})")
        return array

    def _array(self, what: str) -> Array:
        return self.trained.array(what, np.array([self.place]))[..., 0]

    def __repr__(self) -> str:
        where = f" in {self.folder}" if self.folder else ""
        return f"<Run {self.network}: {self.outcome}, loss {self.row['final_loss']:.6g}{where}>"
