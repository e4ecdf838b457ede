"""The private parts of Hydra 1.3 that xortrain uses; no other module accesses a name with an underscore.

Hydra has no public way to parse its command line, to apply parsed overrides to a config, to read the values of a
sweep, to add functions to those of a sweep, to load plugins from anywhere but below ``hydra_plugins``, or to set its
global state aside.
"""

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

import hydra.conf  # noqa: F401  (stores Hydra's own configs)
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.grammar.functions import Functions
from hydra._internal.sources_registry import SourcesRegistry
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser import overrides_parser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from omegaconf import DictConfig
from omegaconf.basecontainer import BaseContainer

from xortrain.config.spaces import FUNCTIONS
from xortrain.errors import UserError


def parsed_flags(words: Sequence[str]) -> Namespace:
    """Hydra's flags and the overrides, which may be mixed; flags cannot be abbreviated."""
    parser = get_args_parser()
    parser.allow_abbrev = False

    def refuse(message: str) -> NoReturn:
        raise UserError(f"{message.removeprefix('argument ')}; see --help")

    parser.error = refuse  # type: ignore[method-assign]
    return parser.parse_intermixed_args(list(words))


State = tuple[dict[type, Any], dict[str, Any], Callable[[], Functions]]


def global_state() -> State:
    """Hydra's singletons, OmegaConf's resolvers and the functions of sweeps, once Hydra's own configs are stored."""
    Plugins.instance()  # all plugins are imported, and their configs stored, in the state that stays
    return Singleton._instances, BaseContainer._resolvers, overrides_parser.create_functions


def fresh_state(state: State) -> State:
    """A state that has of another only the plugins, Hydra's own configs, and the resolvers; and more functions."""
    instances, resolvers, create = state
    shared: dict[type, Any] = {kind: one for kind, one in instances.items() if kind in (Plugins, SourcesRegistry)}
    store = object.__new__(ConfigStore)
    own = instances[ConfigStore].repo
    store.repo = {name: node for name, node in own.items() if name == "hydra" or name.startswith("_")}

    def create_more() -> Functions:
        functions = create()
        for name in FUNCTIONS.keys() - functions.functions.keys():
            functions.register(name, FUNCTIONS[name])
        return functions

    return {**shared, ConfigStore: store}, dict(resolvers), create_more


def set_global_state(state: State) -> None:
    """Give Hydra and OmegaConf another state."""
    Singleton._instances, BaseContainer._resolvers, overrides_parser.create_functions = state


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
