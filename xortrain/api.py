"""The public Python API: functions that take the overrides of the command line and return objects.

`Run` and `Sweep` are trained runs as data, with films, explanations and summaries.  Mistakes raise
`xortrain.errors.UserError` with the line that the command line would print.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from xortrain.config.overrides import TEXTS, use_files
from xortrain.config.weight_files import errors_name_file, file_of
from xortrain.errors import UserError, checks_arguments, cut
from xortrain.explain.explanation import explain, refuse_options
from xortrain.explain.gradients import check_gradients
from xortrain.explain.step import Step, step_at
from xortrain.nets.activations import Activation
from xortrain.nets.datasets import Dataset, Points
from xortrain.nets.initializers import Initializer
from xortrain.nets.losses import Joint, Loss
from xortrain.nets.optimizers import Optimizer, Schedule
from xortrain.nets.setting import choice, flag, number, whole
from xortrain.page import MOST_MB
from xortrain.records.groups import GroupStatistics
from xortrain.records.naming import default_root, named, user_path
from xortrain.runner.train import train_run
from xortrain.setup.own_arrays import Names, array_data
from xortrain.setup.own_data import OwnData
from xortrain.setup.own_weights import config_with, own_weights
from xortrain.trained.run_data import RunData, TrainedRuns
from xortrain.trained.sweep_data import SweepData, open_all, open_record
from xortrain.training.success import SuccessRule

if TYPE_CHECKING:
    from xortrain.advice.trials import Advice

_SEVERAL = re.compile(r"[\w./+~@-]+=\S*\s+[+~]*[A-Za-z_][\w./@-]*=")  # several overrides in one text

__all__ = [
    "Activation", "Dataset", "Initializer", "Joint", "Loss", "Optimizer", "Points", "Run", "Schedule", "SuccessRule",
    "Sweep", "Trainer", "check_gradients", "choice", "flag", "load", "number", "runs", "sweep", "train", "trainer",
    "whole",
]  # fmt: skip

Data = tuple[Any, Any] | tuple[Any, Any, Any, Any]
Use = str | Path | Sequence[str | Path]
Weights = Annotated[Mapping[str, Any], "checked by own_weights, which says more"]


@checks_arguments
class Run(RunData):
    """One trained network."""

    def film(self, path: str | Path, still: bool = False, **settings: Any) -> Path:
        """Write a film of the run, or with ``still`` its last frame; the extension sets the format.

        Settings are those of film=, as in layout="field".
        """
        from xortrain.setup.film_config import with_film, with_one
        from xortrain.views.run_film import write_run_film

        config = with_film(with_one(self.config), **settings)
        return write_run_film(self.trained, config, user_path(path), self.place, still=still)

    def page(self, path: str | Path, max_mb: float = MOST_MB) -> Path:
        """Write one HTML file that shows the run, plays it, and can continue its training in a browser."""
        from xortrain.page.pages import write_page

        return write_page(self, user_path(path), max_mb, str(self.__dict__.get("advice") or ""))

    def explain(
        self, epoch: int = 0, precision: int = 4, example: int | None = None, only: str | None = None,
        format: str | None = None,
    ) -> "Explanation":  # fmt: skip
        """The update after an epoch with every number; ``only`` is forward, backward or update.

        ``format`` is text, markdown or latex; by default text, and markdown in a notebook.
        """
        step = step_at(self.task, epoch)
        refuse_options(step, format or "text", precision, example, only)
        chosen = {} if format is None else {"format": format}
        return Explanation(step, {"precision": precision, "example": example, "only": only, **chosen})

    @cached_property
    def advice(self) -> "Advice":
        """What was tried to solve the run, and what solved it: read from its record, or tried on first use."""
        from xortrain.advice.trials import advise, read_advice

        return (self._own_folder and read_advice(self._own_folder)) or advise(self)

    def more(self, epochs: int) -> "Run":
        """Train for more epochs, with the same settings: in memory, or into a new record if this run has one."""
        return self.fork(f"epochs=+{epochs}")

    def fork(self, *overrides: str, epoch: int | None = None) -> "Run":
        """Continue from the end or a recorded epoch, as in fork("lr=0.1", epoch=60); "epochs=+500" trains 500 more.

        The new run has the whole history.  It has a record of its own if this run has one, else it is in memory.
        """
        from xortrain.runner.continuation import continue_run

        _refuse_other_than_texts("fork", overrides)
        return Run(continue_run(self, overrides, epoch)[0].trained)

    def torch(self, epoch: int | None = None) -> Any:
        """The network as a torch.nn.Sequential that predicts as `predict` does, in the dtype of the run.

        It has the parameters after the last epoch, or a recorded one; raises ImportError where PyTorch is missing.
        """
        try:
            from xortrain.bridges.torch_module import as_sequential
        except ModuleNotFoundError as error:
            if str(error.name).partition(".")[0] != "torch":
                raise
            raise ImportError("run.torch: needs PyTorch, pip install torch") from None
        parameters = self.at(int(self.epochs[-1]) if epoch is None else epoch)
        return as_sequential(self.network, parameters, self.task.scaling.take(0))

    def summary(self) -> str:
        """How the run ended, in a few lines, and its advice, if that is known."""
        from xortrain.advice.trials import kept_advice
        from xortrain.views.summary import summary

        known = self.__dict__.get("advice") or (self._own_folder and kept_advice(self._own_folder))
        return f"{summary(self)}\n\n{known}" if known else summary(self)

    @property
    def _own_folder(self) -> Path | None:
        """The folder of its record, if that has no other runs."""
        return self.trained.record.folder if self.folder and self.setup.population.runs == 1 else None

    def _repr_html_(self) -> str | None:
        """The page of this run, for a notebook; None if there is nothing to show yet."""
        from xortrain.page.notebook import frame_html

        return frame_html(self, self._still, str(self.__dict__.get("advice") or "")) if self._still else None

    def _repr_png_(self) -> bytes | None:
        """The last frame of its film, where no page can be shown."""
        return self._still or None

    @cached_property
    def _still(self) -> bytes:
        from xortrain.page.notebook import still_of

        return b"" if self.outcome == "pending" else still_of(self.film)


@checks_arguments
class Sweep(SweepData[Run]):
    """Many trained networks; `sweep[17]` is a `Run`, `sweep[:100]` a `Sweep`."""

    def run(self, trained: TrainedRuns, place: int) -> Run:
        return Run(trained, place)

    def film(self, path: str | Path, still: bool = False, **settings: Any) -> Path:
        """Write a film of all runs side by side, or of a sample if there are too many; arguments as for one run."""
        from xortrain.setup.film_config import with_film
        from xortrain.views.sweep_film import write_sweep_film

        config = with_film(self.config, **{"layout": "sweep", **settings})
        return write_sweep_film(self, config, user_path(path), still=still)

    def group(self, by: str | Sequence[str] | None = None) -> "Groups":
        """Success rate, epochs to solve and losses of runs with the same settings (by default all but the seed).

        Runs with the same settings and the same seed count once.  Returns a list of dicts, the best group first.
        """
        return Groups(self.groups(by))

    def page(self, path: str | Path, max_mb: float = MOST_MB) -> Path:
        """Write one HTML file that shows all runs, plays them, and can continue their training in a browser."""
        from xortrain.page.pages import write_page

        return write_page(self, user_path(path), max_mb)

    def _repr_html_(self) -> str | None:
        """The page of all runs, for a notebook; None if there is nothing to show yet."""
        from xortrain.page.notebook import frame_html

        return frame_html(self, self._still) if self._still else None

    def _repr_png_(self) -> bytes | None:
        """All runs side by side, where no page can be shown."""
        return self._still or None

    @cached_property
    def _still(self) -> bytes:
        from xortrain.page.notebook import still_of

        is_empty = not len(self) or set(self.column("outcome")) == {"pending"}
        return b"" if is_empty else still_of(self.film)


class Groups(list[dict[str, Any]]):
    """Groups of runs, a dict each; a notebook shows the table that `xortrain group` prints."""

    def __init__(self, found: Sequence[GroupStatistics] = ()) -> None:
        super().__init__(one.as_row() for one in found)
        self._found = found

    def _repr_html_(self) -> str | None:
        from xortrain.views.group_table import group_html

        return group_html(self._found) if len(self) == len(self._found) else None


@dataclass(frozen=True)
class Explanation:
    """One training step as a worked example: text when printed, formulas in a notebook."""

    step: Step
    options: dict[str, Any]

    def __str__(self) -> str:
        return self._as("text")

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return self._as("markdown")

    def _as(self, kind: str) -> str:
        return explain(self.step, **{"format": kind, **self.options})


@checks_arguments
def train(
    *overrides: str, data: Data | None = None, inputs: Names = None, outputs: Names = None, classes: Names = None,
    weights: Weights | None = None, use: Use = (),
) -> Run:  # fmt: skip
    """Train one network and write nothing.

    ``overrides`` are those of the command line, as in "lr=1"; ``data`` are your own arrays, (x, t) or (x, t, x_test,
    t_test) with held-out examples: x (examples, inputs), t (examples,) or (examples, outputs), numbers or the names of
    classes.  They take the place of the file of data=csv; its other settings apply, as in "data.scale=standard".
    ``inputs`` and ``outputs`` name the columns of x and t, which a data frame names itself; ``classes`` name the
    classes of t in increasing order.  ``weights`` are initial parameters, {"W1": (fan_out, fan_in), "b1": (fan_out,),
    …}, or those of a PyTorch Sequential by its names.  ``use`` names Python files with options of your own.
    """
    from xortrain.config.compose import compose

    _refuse_other_than_texts("train", overrides)
    own, start = _own(data, inputs, outputs, classes), weights if weights is None else own_weights(weights)
    config = compose([*_using(use), *_chosen(own, start), *overrides])
    with errors_name_file(file_of(overrides)):
        return _trained(config if start is None else config_with(config, start), own)


class Trainer:
    """Trains one network per call, and writes nothing; made by `trainer`."""

    def __init__(self, overrides: Sequence[str], own: OwnData | None) -> None:
        from xortrain.config.variations import Variations

        self._variations, self._own = Variations([*_chosen(own, None), *overrides]), own

    def __call__(self, settings: Mapping[str, Any] | None = None, /, **more: Any) -> Run:
        """The run with these settings added to the trainer's: lr=0.3, or {"optimizer.momentum": 0.9} for dotted names.

        Values are Python objects, as in {"architecture.hidden": [4, 4]}; optimizer="adam" brings adam's defaults.
        """
        if not isinstance(settings, Mapping | None):
            raise UserError(f"trainer: takes settings by name, as in trainer(lr=0.3); got {cut(repr(settings))}")
        return _trained(self._variations.of({**(settings or {}), **more}), self._own)


@checks_arguments
def trainer(
    *overrides: str, data: Data | None = None, inputs: Names = None, outputs: Names = None, classes: Names = None,
    use: Use = (),
) -> Trainer:  # fmt: skip
    """Return a function that trains networks that differ in a few settings, as in trainer("epochs=100")(lr=0.3).

    The arguments are those of `train`, without ``weights``; they are read only once.
    """
    _refuse_other_than_texts("trainer", overrides)
    return Trainer((*_using(use), *overrides), _own(data, inputs, outputs, classes))


def _trained(config: Mapping[str, Any], own: OwnData | None) -> Run:
    _refuse_dry_run(config["dry_run"])
    return Run(train_run(config, own).trained)


@checks_arguments
def sweep(
    *overrides: str, engine: str | None = None, workers: int | None = None, address: str | None = None,
    show: bool = False, data: Data | None = None, inputs: Names = None, outputs: Names = None, classes: Names = None,
    weights: Weights | None = None, use: Use = (),
) -> Sweep:  # fmt: skip
    """Train every combination into a record under root: sweep("lr=0.1,1", "seed=range(0,100)").

    ``engine``, ``workers`` and ``address`` are those of hydra.launcher; ``show`` draws a progress bar on a terminal,
    or in a notebook that has ipywidgets.  All other arguments are as in `train`; if ``weights`` have runs as a
    last axis, as in (fan_out, fan_in, runs), every combination is trained from each of these starts.
    """
    from xortrain.hydra_sweeps.jobs import plan_overrides
    from xortrain.runner.sweep import run_sweep

    _refuse_other_than_texts("sweep", overrides)
    own, start = _own(data, inputs, outputs, classes), weights if weights is None else own_weights(weights)
    plan = plan_overrides([*_using(use), *_chosen(own, start), *overrides], own=own, weights=start)
    if plan is None:
        raise UserError("hydra/sweeper and hydra/launcher: Python supports only those of xortrain")
    _refuse_dry_run(plan.is_dry)
    given: dict[str, Any] = {"name": engine, "workers": workers, "address": address}
    chosen = replace(plan.engine, **{name: value for name, value in given.items() if value is not None})
    return Sweep.of(named(str(run_sweep(replace(plan, engine=chosen), show)), Path(plan.root)).entry)


@checks_arguments
def load(name: str | Path, root: str | Path | None = None, use: Use = ()) -> Run | Sweep:
    """A run or sweep by its path, by the beginning of its id under ``root``, or "latest"; "…#17" for one run of it.

    Without ``root`` it is searched for under XORTRAIN_ROOT, or outputs.  ``use`` names the Python files of yours whose
    options it was trained with.
    """
    use_files(_using(use))
    found = open_record(str(name), _root(root))
    return _as_sweep(found) if isinstance(found, SweepData) else Run(found.trained, found.place)


@checks_arguments
def runs(root: str | Path | None = None, where: str | None = None, use: Use = ()) -> Sweep:
    """All runs under ``root``, newest first, or only those that meet a condition, as in "lr > 0.5".

    Without ``root`` they are those under XORTRAIN_ROOT, or outputs.  ``use`` is as in `load`.
    """
    use_files(_using(use))
    return _as_sweep(open_all(_root(root), where))


def _root(given: str | Path | None) -> Path:
    return default_root() if given is None else user_path(given)


def _using(use: Use) -> list[str]:
    """The override for Python files of the user's own; none if there are none."""
    names = [use] if isinstance(use, str | Path) else use
    return [f"use=[{','.join(map(str, names))}]"] if names else []


def _as_sweep(found: SweepData[RunData]) -> Sweep:
    return Sweep(**{field.name: getattr(found, field.name) for field in fields(found)})


def _own(data: Data | None, inputs: Names, outputs: Names, classes: Names) -> OwnData | None:
    """Own arrays with their names; None if there are none."""
    if data is not None:
        return array_data(data, inputs, outputs, classes)
    for name, given in (("inputs", inputs), ("outputs", outputs), ("classes", classes)):
        if given is not None:
            raise UserError(f"{name}={given!r}: names own arrays; add data=(x, t)")
    return None


def _chosen(own: OwnData | None, weights: object) -> list[str]:
    """The overrides that own examples and own weights need."""
    return [*(["data=csv"] if own is not None else []), *(["init=explicit"] if weights is not None else [])]


def _refuse_other_than_texts(function: str, overrides: Sequence[Any]) -> None:
    """Refuse overrides that are not texts, and several in one text."""
    for override in overrides:
        is_text = isinstance(override, str)
        if not is_text or (_SEVERAL.match(override) and override.partition("=")[0] not in TEXTS):
            given = repr(override) if isinstance(override, str | int | float) else f"a {type(override).__name__}"
            raise UserError(
                f'{function}: takes overrides as texts, each by itself, as in {function}("lr=1", "epochs=3"); '
                f"got {cut(given)}"
            )


def _refuse_dry_run(is_dry: bool) -> None:
    if is_dry:
        raise UserError("dry_run=true: prints an estimate, which is for the command line; leave it out in Python")
