"""From the overrides after -m to the plan of a sweep, without Hydra's main."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from xortrain.hydra_sweeps.axes import Grid, read_axes, with_held_keys
from xortrain.hydra_sweeps.composer import Composer, plugin
from xortrain.hydra_sweeps.jobs import plan_of

if TYPE_CHECKING:
    from xortrain.runner.engines import Engine
    from xortrain.runner.plan import Plan


SWEEPER, LAUNCHER = "hydra_plugins.xortrain.PopulationSweeper", "hydra_plugins.xortrain.PopulationLauncher"


def planned(overrides: Sequence[str]) -> "tuple[Plan, Engine] | None":
    """The plan of all jobs and the engine asked for; None if another sweeper or launcher is."""
    from xortrain.runner.engines import Engine

    with _composer(overrides) as composer:
        sweeper, launcher = (plugin(composer.master, kind) for kind in ("sweeper", "launcher"))
        if (sweeper._target_, launcher._target_) != (SWEEPER, LAUNCHER):
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
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode

    from xortrain.config.compose import hydra_started, prepare, user_error

    prepared = with_held_keys(prepare(overrides, many=True))
    with hydra_started():
        loader: Any = GlobalHydra.instance().config_loader()
        try:
            yield Composer(loader, loader.load_configuration("config", prepared, RunMode.MULTIRUN))
        except Exception as error:
            raise user_error(error, prepared) from None


def _grid(composer: Composer) -> Grid:
    """The axes of what the user has overridden, behind those of an experiment."""
    from omegaconf import OmegaConf

    hydra = composer.master.hydra
    texts: Any = OmegaConf.to_container(hydra.overrides.task, resolve=False)
    return read_axes(hydra.sweeper.params, texts, composer.loader)
