"""The sweeper and the launcher that Hydra is told of: together they hand all jobs of a sweep to `experiment` at once.

Other sweepers reach the launcher with a list of overrides for each job; other launchers get such lists.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from xortrain.hydra_sweeps.axes import Grid, read_axes
from xortrain.hydra_sweeps.private import add_plugins

if TYPE_CHECKING:
    from xortrain.runner.plan import Plan


PLACE = "hydra_plugins.xortrain"  # the name of this module for Hydra, as in conf/hydra/


class PopulationSweeper(Sweeper):
    """Reads the axes; jobs are handed over together, or as lists of overrides to a launcher that is not ours."""

    __module__ = PLACE

    def __init__(self, params: DictConfig | None = None) -> None:
        self.params = params

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from hydra.core.plugins import Plugins

        from xortrain.hydra_sweeps.composer import Composer, plugin

        plugin(config, "launcher")
        self.loader = hydra_context.config_loader
        self.composer = Composer(self.loader, config)
        self.trains = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """All jobs; what an experiment's hydra.sweeper.params say comes first."""
        from xortrain.hydra_sweeps.jobs import plan_of

        grid = read_axes(self.params, arguments, self.loader)
        if isinstance(self.trains, PopulationLauncher):
            return self.trains.launch_grid(grid)
        plan_of(grid, self.composer)  # which refuses what another launcher would come upon late
        return self.trains.launch(list(grid), initial_job_idx=0)


class PopulationLauncher(Launcher):
    """Trains all jobs it is given as one sweep, on an engine, and tells the task function where it lies."""

    __module__ = PLACE

    def __init__(self, engine: str = "inline", workers: int | None = None, address: str | None = None) -> None:
        self.engine = engine, workers, address

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from xortrain.hydra_sweeps.composer import Composer

        self.task_function = task_function
        self.folder = Path(config.hydra.sweep.dir)
        self.composer = Composer(hydra_context.config_loader, config)

    def launch_grid(self, grid: Grid) -> None:
        """Every job of a grid."""
        from xortrain.hydra_sweeps.jobs import plan_of

        self._run(plan_of(grid, self.composer))

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Jobs as lists of overrides; what each returns is its objective."""
        from xortrain.hydra_sweeps.jobs import job_name, of_lists
        from xortrain.runner.plan import plan
        from xortrain.setup.population import populations

        first, jobs = initial_job_idx, job_overrides
        found = populations(of_lists(jobs, self.composer, first))
        folder = self._run(plan(found, lambda number: job_name(number, jobs[number - first])))
        if folder is None:  # a dry run is told once
            raise SystemExit(0)
        objectives = _objectives(folder)
        self.folder.mkdir(parents=True, exist_ok=True)  # another sweeper may leave its results there
        return [_returned(texts, objectives.get(number)) for number, texts in enumerate(jobs, start=first)]

    def _run(self, plan: "Plan") -> Path | None:
        from xortrain.runner.engines import Engine

        engine = Engine(*self.engine)
        ran: Path | None = self.task_function.sweep(plan, engine, self.folder)  # type: ignore[attr-defined]
        return ran


def _objectives(folder: Path) -> dict[int, float]:
    """The objective of each job that got done, by its number."""
    from xortrain.records.index import open_entry
    from xortrain.training.outcome import objective

    found: dict[int, float] = {}
    for part in open_entry(folder, str(folder)).parts:
        for chunk in part.rows.chunks():
            done = zip(chunk["number"], chunk["final_loss"], chunk["outcome"], strict=True)
            found |= {number: objective(loss, part.word(outcome)) for number, loss, outcome in done if outcome}
    return found


def _returned(texts: Sequence[str], loss: float | None) -> JobReturn:
    status = JobStatus.FAILED if loss is None else JobStatus.COMPLETED
    returned = JobReturn(overrides=texts, status=status)
    returned.return_value = RuntimeError("the job failed") if loss is None else loss
    return returned


def register() -> None:
    """Make the sweeper and the launcher known to Hydra."""
    add_plugins(sys.modules[__name__], PLACE, PopulationSweeper, PopulationLauncher)
