"""The sweeper and the launcher that Hydra calls; together they train all jobs of a sweep at once.

Another sweeper sends our launcher a list of overrides for each job; another launcher gets such lists from our sweeper.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from xortrain.config.private import add_plugins
from xortrain.errors import UserError
from xortrain.hydra_sweeps.axes import Grid, read_axes
from xortrain.hydra_sweeps.composer import Composer, plugin
from xortrain.hydra_sweeps.jobs import plan_grid, plan_lists

PLACE = "hydra_plugins.xortrain"  # the name of this module for Hydra, as in conf/hydra/


class PopulationSweeper(Sweeper):
    """Reads the axes and launches the jobs: as one grid with our launcher, as lists of overrides with another."""

    __module__ = PLACE

    def __init__(self, params: DictConfig | None = None) -> None:
        self.params = params

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        plugin(config, "launcher")  # raises if none is chosen
        self.composer = Composer(hydra_context.config_loader, config)
        self.launcher: Any = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """All jobs: the axes of an experiment's hydra.sweeper.params, then those of the overrides."""
        grid = read_axes(self.params, arguments, self.composer.loader)
        if isinstance(self.launcher, PopulationLauncher):
            return self.launcher.launch_grid(grid)
        return self.launcher.launch(list(grid), initial_job_idx=0)


class PopulationLauncher(Launcher):
    """Trains all jobs it is given as one sweep; the task function prints the results and returns the folder."""

    __module__ = PLACE

    def __init__(self, engine: str = "inline", workers: int | None = None, address: str | None = None) -> None:
        self.engine = engine, workers, address

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.train: Any = task_function.sweep  # type: ignore[attr-defined]
        self.folder = Path(config.hydra.sweep.dir)
        self.composer = Composer(hydra_context.config_loader, config)

    def launch_grid(self, grid: Grid) -> None:
        """Train every job of a grid."""
        self.train(plan_grid(grid, self.composer, self.engine), self.folder)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Train jobs given as lists of overrides; each returns its objective."""
        from xortrain.trained.sweep_data import SweepData

        try:
            folder = self.train(plan_lists(job_overrides, self.composer, initial_job_idx, self.engine), self.folder)
        except UserError:
            (self.folder / "multirun.yaml").unlink(missing_ok=True)  # which Hydra's basic sweeper has just written
            raise
        if folder is None:  # the estimate of a dry run, which is printed once
            raise SystemExit(0)
        sweep: SweepData[Any] = SweepData.open(folder)
        objectives = {run.row["number"]: run.objective for run in sweep if run.outcome != "pending"}
        self.folder.mkdir(parents=True, exist_ok=True)  # another sweeper may leave its results there
        return [_returned(texts, objectives.get(k)) for k, texts in enumerate(job_overrides, start=initial_job_idx)]


def _returned(texts: Sequence[str], objective: float | None) -> JobReturn:
    status = JobStatus.FAILED if objective is None else JobStatus.COMPLETED
    returned = JobReturn(overrides=texts, status=status)
    returned.return_value = RuntimeError("the job failed") if objective is None else objective
    return returned


def register() -> None:
    """Make the sweeper and the launcher known to Hydra."""
    add_plugins(sys.modules[__name__], PLACE, PopulationSweeper, PopulationLauncher)
