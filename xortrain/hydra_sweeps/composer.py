"""Composes the configurations of jobs as Hydra does, fifty times faster.

Each combination of groups is composed once; values are then set on a copy, by Hydra's own function.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from xortrain.config.check import short
from xortrain.config.compose import plain, with_experiment
from xortrain.config.overrides import not_chosen
from xortrain.config.private import apply_overrides, load_job_config
from xortrain.errors import UserError
from xortrain.hydra_sweeps.axes import Grid


@dataclass(frozen=True)
class Base:
    """The configuration of one choice of groups, before any value is set."""

    task: DictConfig

    @cached_property
    def text(self) -> str:
        return repr(OmegaConf.to_container(self.task, resolve=False))


class Composer:
    """Composes the jobs of one sweep; ``master`` is the configuration that Hydra composed for the whole sweep."""

    def __init__(self, loader: Any, master: DictConfig) -> None:
        self.loader, self.master = loader, master
        self._parser = OverridesParser.create(config_loader=loader)
        self._parsed: dict[str, Override] = {}
        self._groups: dict[str, bool] = {}
        self._bases: dict[tuple[str, ...], Base] = {}

    def adopt(self, grid: Grid) -> None:
        """Use the configuration of the whole sweep as a base if no group is swept.

        It already has the values that all jobs share; setting them again has no effect unless they add or delete keys.
        """
        texts = [axis.text(0) for axis in grid.axes]
        alike = all(axis.is_plain for axis in grid.axes)
        swept = [text for axis, text in zip(grid.axes, texts, strict=True) if axis.override.is_sweep_override()]
        if alike and not any(map(self.chooses, swept)) and not self.master.hydra.sweeper.get("params"):
            groups = tuple(text for text in texts if self.chooses(text))
            self._bases[groups] = Base(_without_hydra(copy.deepcopy(self.master)))

    def plain(self, texts: Sequence[str], number: int) -> dict[str, Any]:
        """The configuration of a job as plain values; the number is for ${hydra:job.num}."""
        composed = self.composed(texts)
        return self.by_hydra(texts, number) if composed is None else plain(composed)

    def composed(self, texts: Sequence[str]) -> DictConfig | None:
        """The configuration of a job without Hydra's part; None if it refers to Hydra's part."""
        base, overrides = self.base(texts), [self.parsed(text) for text in texts]
        if any("${hydra:" in text for text in (base.text, *(repr(override.value()) for override in overrides))):
            return None
        task = copy.deepcopy(base.task)
        apply_overrides([self.parsed(text) for text in texts if not self.chooses(text)], task)
        return task

    def base(self, texts: Sequence[str]) -> Base:
        """The configuration of the groups among these overrides."""
        groups = tuple(text for text in texts if self.chooses(text))
        if groups not in self._bases:
            config = load_job_config(self.loader, self.master, groups)
            self._refuse_another_sweep(config.hydra.sweeper.get("params"))
            self._bases[groups] = Base(_without_hydra(config))
        return self._bases[groups]

    def _refuse_another_sweep(self, params: Any) -> None:
        """Refuse an experiment with a sweep among swept experiments; Hydra would ignore its axes silently."""
        if params and params != self.master.hydra.sweeper.get("params"):
            raise UserError(
                f"has a sweep of its own, {short(params)}, and cannot be swept over; "
                "run it alone, or ignore its sweep: hydra.sweeper.params=null"
            )

    def parsed(self, text: str) -> Override:
        """An override of one value, parsed."""
        if text not in self._parsed:
            self._parsed[text] = self._parser.parse_override(text)
        return self._parsed[text]

    def chooses(self, text: str) -> bool:
        """Whether an override chooses from a group, by Hydra's rule; one with a package is left to Hydra."""
        override = self.parsed(text)
        key = override.key_or_group
        if key not in self._groups:
            self._groups[key] = self.loader.repository.group_exists(key)
        return (override.package is not None or self._groups[key]) and not isinstance(override.value(), dict)

    def by_hydra(self, texts: Sequence[str], number: int) -> dict[str, Any]:
        """The configuration of a job that refers to Hydra's part, composed by Hydra."""
        config = self.loader.load_sweep_config(self.master, list(texts))
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
            with_experiment(config, config.hydra)
        with _current(config):
            return plain(config)


def plugin(config: DictConfig, kind: str) -> Any:
    """The sweeper or the launcher of a configuration."""
    chosen = config.hydra[kind]
    if "_target_" not in (chosen if isinstance(chosen, Mapping) else ()):
        raise not_chosen(f"hydra.{kind}={short(chosen)}", kind)
    return chosen


def _without_hydra(config: DictConfig) -> DictConfig:
    """A configuration without Hydra's part; it is deleted, because a masked copy would lose types."""
    with read_write(config), open_dict(config):
        with_experiment(config, config.hydra)
        del config["hydra"]
    return config


@contextmanager
def _current(config: DictConfig) -> Iterator[None]:
    """Resolve ${hydra:…} from this configuration in this context."""
    instance = HydraConfig.instance()
    before = instance.cfg
    instance.set_config(config)
    try:
        yield
    finally:
        instance.cfg = before
