"""Configurations of jobs, as Hydra composes them, at a fiftieth of the price.

Groups are composed once for each choice of them; values are then set on a copy, by Hydra's own function.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from xortrain.config.check import short
from xortrain.config.compose import not_chosen, plain
from xortrain.errors import UserError
from xortrain.hydra_sweeps.axes import Grid
from xortrain.hydra_sweeps.private import apply_overrides


@dataclass(frozen=True)
class Base:
    """What one choice of groups comes to, before any value is set."""

    task: DictConfig

    @cached_property
    def text(self) -> str:
        return repr(OmegaConf.to_container(self.task, resolve=False))


class Composer:
    """Hydra's loader for the jobs of one sweep, with what it has read and composed before."""

    def __init__(self, loader: Any, master: DictConfig) -> None:
        self.loader, self.master = loader, master
        self._parser = OverridesParser.create(config_loader=loader)
        self._read: dict[str, Override] = {}
        self._groups: dict[str, bool] = {}
        self._bases: dict[tuple[str, ...], Base] = {}

    def adopt(self, grid: Grid) -> None:
        """Where no choice of a group is swept, the composition that Hydra began with will do.

        It has the values set that all jobs share; they are set again, which changes nothing unless they add or delete.
        """
        texts = [axis.text(0) for axis in grid.axes]
        alike = all(axis.override.type is OverrideType.CHANGE and axis.override.package is None for axis in grid.axes)
        swept = [text for axis, text in zip(grid.axes, texts, strict=True) if axis.override.is_sweep_override()]
        if alike and not any(map(self.chooses, swept)) and not self.master.hydra.sweeper.get("params"):
            groups = tuple(text for text in texts if self.chooses(text))
            self._bases[groups] = Base(_task(copy.deepcopy(self.master)))

    def plain(self, texts: Sequence[str], number: int) -> dict[str, Any]:
        """The values of a job's configuration; the number is for ${hydra:job.num}."""
        composed = self.composed(texts)
        return self.whole(texts, number) if composed is None else plain(composed)

    def composed(self, texts: Sequence[str]) -> DictConfig | None:
        """The configuration of a job, without Hydra's part; None if it asks Hydra about the job itself."""
        if self._asks_hydra(texts):
            return None
        values = [self.read(text) for text in texts if not self.chooses(text)]
        task = copy.deepcopy(self.base(texts).task)
        apply_overrides(values, task)
        return task

    def _asks_hydra(self, texts: Sequence[str]) -> bool:
        """Whether a job's configuration depends on what only Hydra knows of it, as its number."""
        values = (repr(self.read(text).value()) for text in texts)
        return any("${hydra:" in text for text in (self.base(texts).text, *values))

    def base(self, texts: Sequence[str]) -> Base:
        """The configuration of the groups among these overrides."""
        groups = tuple(text for text in texts if self.chooses(text))
        if groups not in self._bases:
            config = self.loader.load_sweep_config(self.master, list(groups))
            self._refuse_another_sweep(config.hydra.sweeper.get("params"))
            self._bases[groups] = Base(_task(config))
        return self._bases[groups]

    def _refuse_another_sweep(self, carried: Any) -> None:
        """Of several experiments none can bring its own axes; Hydra would pass over them without a word."""
        if carried and carried != self.master.hydra.sweeper.get("params"):
            raise UserError(
                f"carries a sweep of its own, {short(carried)}, and cannot be one of several; "
                "run it by itself, or leave its sweep out: hydra.sweeper.params=null"
            )

    def read(self, text: str) -> Override:
        """An override of one value, parsed."""
        if text not in self._read:
            self._read[text] = self._parser.parse_override(text)
        return self._read[text]

    def chooses(self, text: str) -> bool:
        """Whether an override chooses from a group, by Hydra's rule; one with a package is left to Hydra."""
        override = self.read(text)
        key = override.key_or_group
        if key not in self._groups:
            self._groups[key] = self.loader.repository.group_exists(key)
        return (override.package is not None or self._groups[key]) and not isinstance(override.value(), dict)

    def whole(self, texts: Sequence[str], number: int) -> dict[str, Any]:
        """The values of a job that asks Hydra about itself, composed as Hydra does it."""
        config = self.loader.load_sweep_config(self.master, list(texts))
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
        with _current(config):
            return plain(config)


def plugin(config: DictConfig, kind: str) -> Any:
    """The sweeper or the launcher that a configuration has."""
    chosen = config.hydra[kind]
    if "_target_" not in (chosen if isinstance(chosen, Mapping) else ()):
        raise not_chosen(f"hydra.{kind}={short(chosen)}", kind)
    return chosen


def _task(config: DictConfig) -> DictConfig:
    """A configuration without Hydra's part; deleted, since a masked copy would lose types."""
    with read_write(config), open_dict(config):
        del config["hydra"]
    return config


@contextmanager
def _current(config: DictConfig) -> Iterator[None]:
    """Hydra's own answer to ${hydra:…} while this lasts."""
    instance = HydraConfig.instance()
    before = instance.cfg
    instance.set_config(config)
    try:
        yield
    finally:
        instance.cfg = before
