"""Sweeps for a Python user: the same overrides, without Hydra's main and without a shell."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from xortrain.sweeps.axes import Grid, held_back, read
from xortrain.sweeps.composer import Composer


@contextmanager
def composing(overrides: Sequence[str]) -> Iterator[tuple[Grid, Composer]]:
    """The jobs of these overrides, and what composes them; Hydra's complaints in one line."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode
    from omegaconf import OmegaConf

    from xortrain.config.compose import told
    from xortrain.config.defaults import conf_folder
    from xortrain.config.overrides import prepare

    prepared = held_back(prepare(overrides, many=True))
    with initialize_config_dir(str(conf_folder()), version_base="1.3", job_name="xortrain"):
        loader: Any = GlobalHydra.instance().config_loader()
        try:
            master = loader.load_configuration("config", prepared, RunMode.MULTIRUN)
            texts: Any = OmegaConf.to_container(master.hydra.overrides.task, resolve=False)
            yield read(master.hydra.sweeper.params, texts, loader), Composer(loader, master)
        except Exception as error:
            raise told(error, prepared) from None
