"""The sweeper and the launcher that Hydra is told of: together they hand all jobs of a sweep to `experiment` at once.

Other sweepers reach the launcher with a list of overrides for each job; other launchers get such lists.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from xortrain.sweeps import PLACE
from xortrain.sweeps.axes import Grid, read

if TYPE_CHECKING:
    from xortrain.experiment.populations import Variant


class PopulationSweeper(Sweeper):
    """Reads the axes; jobs are handed over together, or as lists of overrides to a launcher that is not ours."""

    __module__ = PLACE

    def __init__(self, params: DictConfig | None = None) -> None:
        self.params = params

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from hydra.core.plugins import Plugins

        self.loader = hydra_context.config_loader
        self.trains = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """All jobs; what an experiment's hydra.sweeper.params say comes first."""
        grid = read(self.params, arguments, self.loader)
        if isinstance(self.trains, PopulationLauncher):
            return self.trains.launch_grid(grid)
        return self.trains.launch(list(grid), initial_job_idx=0)


class PopulationLauncher(Launcher):
    """Trains all jobs it is given as one sweep, on an engine, and tells the task function where it lies."""

    __module__ = PLACE

    def __init__(self, engine: str = "inline", workers: int | None = None, address: str | None = None) -> None:
        self.engine = engine, workers, address

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from xortrain.sweeps.composer import Composer

        self.task_function = task_function
        self.composer = Composer(hydra_context.config_loader, config)

    def launch_grid(self, grid: Grid) -> None:
        """Every job of a grid."""
        from xortrain.sweeps.jobs import of_grid, spoken

        self._run(of_grid(grid, self.composer), lambda number: spoken(number, grid.swept(number)))

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Jobs as lists of overrides; what each returns is its final loss."""
        from xortrain.sweeps.jobs import of_lists, spoken

        first, jobs = initial_job_idx, job_overrides
        folder = self._run(of_lists(jobs, self.composer, first), lambda number: spoken(number, jobs[number - first]))
        losses = _final_losses(folder) if folder else {}
        return [_returned(texts, losses.get(number)) for number, texts in enumerate(jobs, start=first)]

    def _run(self, variants: Iterable["Variant"], called: Callable[[int], str]) -> Path | None:
        from xortrain.experiment.engines import Engine
        from xortrain.experiment.plan import plan
        from xortrain.experiment.populations import populations

        planned = plan(populations(variants), called)
        ran: Path | None = self.task_function.sweep(planned, Engine(*self.engine))  # type: ignore[attr-defined]
        return ran


def _final_losses(folder: Path) -> dict[int, float]:
    """The final loss of each job that got done, by its number."""
    from xortrain.records.index import open_entry

    losses: dict[int, float] = {}
    for part in open_entry(folder, str(folder)).parts:
        for chunk in part.rows.chunks():
            done = zip(chunk["number"], chunk["final_loss"], chunk["outcome"], strict=True)
            losses |= {number: loss for number, loss, outcome in done if outcome}
    return losses


def _returned(texts: Sequence[str], loss: float | None) -> JobReturn:
    status = JobStatus.FAILED if loss is None else JobStatus.COMPLETED
    returned = JobReturn(overrides=texts, status=status)
    returned.return_value = RuntimeError("the job failed") if loss is None else loss
    return returned
