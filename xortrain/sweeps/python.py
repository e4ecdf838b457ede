"""Sweeps for a Python user: the same overrides as after -m, without a shell."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xortrain.errors import UserError
from xortrain.sweeps import PLACE
from xortrain.sweeps.axes import Grid, held_back, read
from xortrain.sweeps.composer import Composer, plugin
from xortrain.sweeps.jobs import plan_of

if TYPE_CHECKING:
    from xortrain.experiment.engines import Engine
    from xortrain.experiment.plan import Plan
    from xortrain.experiment.runs import Sweep


def sweep(
    *overrides: str,
    engine: str | None = None,
    workers: int | None = None,
    address: str | None = None,
    show: bool = False,
) -> "Sweep":
    """Train every combination into a record under root: sweep("lr=0.1,1", "seed=range(0,100)").

    ``engine``, ``workers`` and ``address`` are those of hydra.launcher; ``show`` has a bar on a terminal.
    """
    from xortrain.experiment.python import refuse_estimate
    from xortrain.experiment.runs import Sweep
    from xortrain.experiment.sweep import run_sweep
    from xortrain.records.index import open_entry

    ours = planned(overrides)
    if ours is None:
        raise UserError("hydra/sweeper and hydra/launcher: Python has our own only; others are for the command line")
    plan, asked = ours
    refuse_estimate(plan.is_dry)
    folder = run_sweep(plan, replace(asked, **_given(name=engine, workers=workers, address=address)), show)
    return Sweep.of(open_entry(folder, str(folder)))


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def planned(overrides: Sequence[str]) -> "tuple[Plan, Engine] | None":
    """The plan of all jobs and the engine asked for; None if another sweeper or launcher is."""
    from xortrain.experiment.engines import Engine

    with _composer(overrides) as composer:
        sweeper, launcher = (plugin(composer.master, kind) for kind in ("sweeper", "launcher"))
        if (sweeper._target_, launcher._target_) != (f"{PLACE}.PopulationSweeper", f"{PLACE}.PopulationLauncher"):
            return None
        return plan_of(_grid(composer), composer), Engine(launcher.engine, launcher.workers, launcher.address)


@contextmanager
def composing(overrides: Sequence[str]) -> Iterator[tuple[Grid, Composer]]:
    """The jobs of these overrides, and what composes them."""
    with _composer(overrides) as composer:
        yield _grid(composer), composer


@contextmanager
def _composer(overrides: Sequence[str]) -> Iterator[Composer]:
    """Hydra without its main, and its complaints in one line."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode

    from xortrain.config.compose import told
    from xortrain.config.defaults import conf_folder
    from xortrain.config.overrides import prepare

    prepared = held_back(prepare(overrides, many=True))
    with initialize_config_dir(str(conf_folder()), version_base="1.3", job_name="xortrain"):
        loader: Any = GlobalHydra.instance().config_loader()
        try:
            yield Composer(loader, loader.load_configuration("config", prepared, RunMode.MULTIRUN))
        except Exception as error:
            raise told(error, prepared) from None


def _grid(composer: Composer) -> Grid:
    """The axes of what the user has overridden, behind those of an experiment."""
    from omegaconf import OmegaConf

    hydra = composer.master.hydra
    texts: Any = OmegaConf.to_container(hydra.overrides.task, resolve=False)
    return read(hydra.sweeper.params, texts, composer.loader)
