"""Trained networks as a Python user holds them: one run, with its losses, parameters, predictions and gradients.

Where a run lies, in memory or in a record, makes no difference to what one can ask of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xortrain.errors import UserError
from xortrain.experiment.build import Build
from xortrain.experiment.population import Population
from xortrain.experiment.soundness import columns_said, refuse_unsound_data, refuse_unsound_network, refuse_unsound_rows
from xortrain.nets import Array
from xortrain.nets.network import Network, Pass
from xortrain.records.reader import StoredRecord
from xortrain.training.outcome import words
from xortrain.training.task import Data, History, Task

if TYPE_CHECKING:
    from xortrain.experiment.explaining import Explanation


@dataclass(frozen=True)
class Trained:
    """A population after its training; ``kept`` is its history in memory or its record."""

    build: Build
    rows: Array
    kept: History | StoredRecord

    @property
    def folder(self) -> Path | None:
        return self.kept.folder if isinstance(self.kept, StoredRecord) else None

    def array(self, what: str, runs: slice = slice(None)) -> Array | None:
        """losses or test_losses (recorded, runs), or parameters (frames, parameters, runs)."""
        if isinstance(self.kept, History):
            found = getattr(self.kept, what)
            return None if found is None else found[..., runs]
        if what == "test_losses" and not self.kept.about["has_test"]:
            return None
        return self.kept.of_runs(what.replace("_", "-"), runs)

    def columns(self, what: str, places: Array) -> Array | None:
        """Such an array for some of the runs, by their places; of a record only what is asked for is read."""
        if isinstance(self.kept, History):
            found = getattr(self.kept, what)
            return None if found is None else np.asarray(found[..., places])
        if what == "test_losses" and not self.kept.about["has_test"]:
            return None
        block, column = np.divmod(places, self.kept.blocks.size)
        parts = {b: self.kept.block_array(what.replace("_", "-"), b) for b in np.unique(block).tolist()}
        gathered = np.empty((*next(iter(parts.values())).shape[:-1], len(places)), self.build.population.dtype)
        for number, part in parts.items():
            gathered[..., block == number] = part[..., column[block == number]]
        return gathered

    def only(self, place: int) -> "Trained":
        """One of the runs by itself, in memory."""
        return self.some(np.array([place]))

    def some(self, places: Array) -> "Trained":
        """Some of the runs, in memory."""
        losses, parameters = self.columns("losses", places), self.columns("parameters", places)
        assert losses is not None
        assert parameters is not None
        build, test = self.build, self.columns("test_losses", places)
        history = History(build.loss_epochs, build.frame_epochs, losses, parameters, test)
        return Trained(build.part(places), np.asarray(self.rows[places]), history)

    @property
    def finished(self) -> Array:
        """The places of the runs whose training is over."""
        return np.flatnonzero(self.rows["outcome"])

    def run(self, place: int) -> "Run":
        """One of the runs, by its place."""
        return Run(self, place)


class Run:
    """One trained network."""

    def __init__(self, trained: Trained, place: int = 0) -> None:
        self.trained, self.place = trained, place

    @property
    def build(self) -> Build:
        return self.trained.build

    @property
    def config(self) -> dict[str, Any]:
        """Every setting of this run."""
        return self.build.population.config_of(self.place)

    @property
    def folder(self) -> Path | None:
        """Where its record lies; None for a run that was not kept."""
        return self.trained.folder

    @cached_property
    def task(self) -> Task:
        """What was trained: network, criterion, data and the start, for this one run."""
        return self.build.task(np.array([self.place]))

    @property
    def network(self) -> Network:
        return self.task.network

    @cached_property
    def row(self) -> Mapping[str, Any]:
        """What became of it: outcome in a word, epochs_done, solved_at, final_loss, accuracy, …"""
        row = self.trained.rows[self.place]
        found = {name: row[name].item() for name in self.trained.rows.dtype.names or ()}
        return found | {"outcome": self.outcome}

    @property
    def outcome(self) -> str:
        """solved, diverged, … in one word."""
        return words(self.trained.rows["outcome"][self.place : self.place + 1])[0]

    @property
    def losses(self) -> Array:
        """The loss after each epoch of `loss_epochs`: (recorded,); nan where the run had ended."""
        return self._column("losses")

    @property
    def loss_epochs(self) -> Array:
        return self.build.loss_epochs

    @property
    def test_losses(self) -> Array | None:
        """The loss of the examples held out, (recorded,); None where none are."""
        return None if self.build.test is None else self._column("test_losses")

    @property
    def epochs(self) -> Array:
        """After which epochs the parameters were kept: (frames,)."""
        return self.build.frame_epochs

    @property
    def parameters(self) -> Array:
        """All parameters after each epoch of `epochs`: (frames, parameters)."""
        return self._column("parameters")

    @property
    def x(self) -> Array:
        """The inputs it was trained on: (examples, inputs)."""
        return _of_one(self.task.data)[0]

    @property
    def t(self) -> Array:
        """The targets: (examples, outputs)."""
        return _of_one(self.task.data)[1]

    def at(self, epoch: int) -> dict[str, Array]:
        """The parameters after an epoch that was kept, by name: W1 (fan_out, fan_in), b1 (fan_out,), …"""
        return self.network.split(self._theta(epoch))

    @np.errstate(all="ignore")
    def predict(self, x: Any, epoch: int | None = None) -> Array:
        """Outputs (examples, outputs) for x (examples, inputs), after the last epoch or one that was kept."""
        inputs = self._inputs(x)
        return self._pass(epoch, inputs).y[..., 0]

    @np.errstate(all="ignore")
    def gradients(self, epoch: int = 0, example: int | None = None) -> dict[str, Array]:
        """dL/dW1, dL/db1, … over the batch after an epoch that was kept; of one example alone, if given."""
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
        return self.task.take(np.zeros(2, int))

    def _pass(self, epoch: int | None, x: Array) -> Pass:
        theta = self._theta(self.epochs[-1] if epoch is None else epoch)
        x = x[..., [0, 0]] if x.ndim == 3 else x
        return self._twice.network.forward(np.stack([theta, theta], axis=1), x)

    def _theta(self, epoch: int) -> Array:
        found = np.flatnonzero(self.epochs == epoch)
        if not len(found):
            nearest = self.epochs[np.abs(self.epochs - epoch).argmin()]
            raise UserError(
                f"epoch={epoch}: its parameters were not kept; the nearest that were are of epoch {nearest}"
            )
        return np.array(self.parameters[found[0]])

    def _inputs(self, x: Any) -> Array:
        try:
            inputs = np.asarray(x, self.build.population.dtype)
        except (TypeError, ValueError):
            raise UserError("x: must be an array of numbers (examples, inputs)") from None
        inputs = inputs[None] if inputs.ndim == 1 else inputs
        if inputs.ndim != 2 or inputs.shape[1] != self.network.inputs:
            raise UserError(f"x: has shape {inputs.shape}, must be (examples, {self.network.inputs})")
        return inputs

    def _column(self, what: str) -> Array:
        if isinstance(self.trained.kept, StoredRecord):
            return self.trained.kept.of_run(what.replace("_", "-"), self.place)
        return np.asarray(getattr(self.trained.kept, what)[..., self.place])

    def film(self, path: str | Path, **settings: Any) -> Path:
        """Write its film; the ending tells the format, settings are those of film=, as in layout="field", fps=5."""
        from xortrain.experiment.filming import film, film_settings, with_film

        path = Path(path)
        wanted = film_settings(with_film(self.config, **settings), path)
        return film(self.trained, wanted, path, run=self.place)

    def explain(self, epoch: int = 0, **options: Any) -> "Explanation":
        """The step after an epoch with every number: precision=4, example=2, only="forward", format="latex"."""
        from xortrain.experiment.explaining import Explanation
        from xortrain.explain import step_at

        return Explanation(step_at(self.task, epoch), options)

    def _repr_html_(self) -> str:
        """Its film, for a notebook."""
        from xortrain.experiment.filming import film_html
        from xortrain.experiment.titles import title

        return film_html(self, title(self.build.part(np.array([self.place]))))

    def summary(self) -> str:
        """What became of it, in a few lines."""
        from xortrain.experiment.summary import summary

        return summary(self)

    def __repr__(self) -> str:
        where = f" in {self.folder}" if self.folder else ""
        return f"<Run {self.network}: {self.outcome}, loss {self.row['final_loss']:.6g}{where}>"


def _of_one(data: Data) -> tuple[Array, Array]:
    return (data.x[..., 0] if data.x.ndim == 3 else data.x), data.t[..., 0]


def load(folder: Path) -> Trained:
    """The trained population of a record."""
    from xortrain.config.check import check

    record = StoredRecord.open(folder)
    refuse_unsound_rows(record)
    refuse_unsound_data(record)
    rows = record.rows
    varying = {key: np.array(rows[key]) for key in record.about["varies"]}
    population = Population(check(record.config), varying, np.array(rows["number"]))
    build = Build.stored(population, record.data, record.loss_epochs, record.frame_epochs)
    refuse_unsound_network(record, build)
    return Trained(replace(build, columns=columns_said(record)), rows, record)
