"""The private parts of Hydra 1.3 that xortrain uses; no other module accesses a name with an underscore.

Hydra has no public way to parse its command line, to apply parsed overrides to a config, to read the values of a
sweep, or to load plugins from anywhere but below ``hydra_plugins``.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from omegaconf import DictConfig

from xortrain.errors import UserError


def split_flags(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Hydra's flags with their values, and the overrides; the two may be mixed."""
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise UserError(f"{message}; see --help")

    parser.error = refuse  # type: ignore[method-assign]
    parsed = parser.parse_intermixed_args(list(words))
    modes = [flag for flag in ("run", "multirun", "info", "cfg", "shell_completion") if getattr(parsed, flag)]
    if len(modes) > 1:
        refuse(f"--{modes[0]} and --{modes[1]} exclude each other")
    if parsed.resolve and not parsed.cfg:
        refuse("--resolve requires --cfg")
    overrides = list(parsed.overrides)
    waiting = overrides.copy()
    flags = [word for word in words if not (waiting and word == waiting[0] and waiting.pop(0))]
    return flags, overrides


def config_flags(flags: Sequence[str]) -> list[str] | None:
    """Of flags with --cfg, those that choose the configuration that it shows; None without --cfg."""
    parsed = get_args_parser().parse_args(list(flags))
    own = {name: getattr(parsed, name.replace("-", "_")) for name in ("config-path", "config-name", "config-dir")}
    return [f"--{name}={value}" for name, value in own.items() if value] if parsed.cfg else None


def apply_overrides(overrides: list[Override], config: DictConfig) -> None:
    """Set the values of parsed overrides in a config, as Hydra does after composing."""
    ConfigLoaderImpl._apply_overrides_to_config(overrides, config)


def parsed_value(override: Override) -> Any:
    """The value of an override as parsed; a sweep is not expanded."""
    return override._value


def value_text(value: Any) -> str:
    """A value as an override writes it."""
    return Override._get_value_element_as_str(value)


def add_plugins(module: ModuleType, place: str, *plugins: type) -> None:
    """Register plugins of a module under a name below ``hydra_plugins``, the only place Hydra imports them from."""
    package, _, _ = place.partition(".")
    try:
        import_module(package)
    except ModuleNotFoundError:  # no other plugin is installed
        sys.modules[package] = ModuleType(package)
        sys.modules[package].__path__ = []
    sys.modules[place] = module
    for plugin in plugins:
        Plugins.instance().register(plugin)
