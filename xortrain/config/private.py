"""The private parts of Hydra 1.3 that xortrain uses; no other module accesses a name with an underscore.

Hydra has no public way to parse its command line, to apply parsed overrides to a config, to read the values of a
sweep, to add functions to those of a sweep, to load plugins from anywhere but below ``hydra_plugins``, to set its
global state aside, or to compose again without reading and merging the same files again.
"""

import copy
import itertools
import os
import pickle
import sys
import warnings
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import hydra.conf  # noqa: F401  (stores Hydra's own configs)
import omegaconf._utils
import omegaconf.base
from hydra._internal import defaults_list
from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.grammar.functions import Functions
from hydra._internal.sources_registry import SourcesRegistry
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser import overrides_parser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, read_write
from omegaconf.basecontainer import BaseContainer
from omegaconf.grammar_parser import parse

from xortrain.config.settings import OWN
from xortrain.config.spaces import FUNCTIONS
from xortrain.errors import UserError


def parsed_flags(words: Sequence[str]) -> Namespace:
    """Hydra's flags and the overrides, which may be mixed; flags cannot be abbreviated."""
    with help_unchecked():
        parser = get_args_parser()
    parser.allow_abbrev = False

    def refuse(message: str) -> NoReturn:
        raise UserError(f"{message.removeprefix('argument ')}; see --help")

    parser.error = refuse  # type: ignore[method-assign]
    return parser.parse_intermixed_args(list(words))


@contextmanager
def help_unchecked() -> Iterator[None]:
    """Let Hydra make its parser under Python 3.14, where argparse refuses a help that is not a text (hydra#3121)."""
    name = "_check_help"
    own = vars(ArgumentParser).get(name)
    if hasattr(ArgumentParser, name):
        setattr(ArgumentParser, name, lambda parser, action: None)
    try:
        yield
    finally:
        if own is not None:
            setattr(ArgumentParser, name, own)
        elif name in vars(ArgumentParser):
            delattr(ArgumentParser, name)


_STATE = (
    (Singleton, "_instances"), (BaseContainer, "_resolvers"), (overrides_parser, "create_functions"),
    (defaults_list, "_create_interpolation_map"), (omegaconf.base, "parse"), (omegaconf._utils, "parse"),
)  # fmt: skip
"""Where Hydra and OmegaConf keep their state, and functions of theirs that are others while xortrain composes."""
_parsed = lru_cache(500)(parse)  # nothing changes a tree


def global_state() -> tuple[Any, ...]:
    """The state of Hydra and OmegaConf, once Hydra's own configs are stored."""
    Plugins.instance()  # all plugins are imported, and their configs stored, in the state that stays
    return tuple(getattr(owner, name) for owner, name in _STATE)


def fresh_state(state: tuple[Any, ...]) -> tuple[Any, ...]:
    """A state that has of another only the plugins, Hydra's own configs, and the resolvers; and more functions."""
    instances, resolvers, create, choices, *_ = state
    shared: dict[type, Any] = {kind: one for kind, one in instances.items() if kind in (Plugins, SourcesRegistry)}
    store = object.__new__(ConfigStore)
    store.repo = {k: node for k, node in instances[ConfigStore].repo.items() if k == "hydra" or k.startswith("_")}

    def create_more() -> Functions:
        functions = create()
        for name in FUNCTIONS.keys() - functions.functions.keys():
            functions.register(name, FUNCTIONS[name])
        return functions

    if_used = lambda given, items, own: choices(given, items, own) if any(i.is_interpolation() for i in items) else None
    return {**shared, ConfigStore: store}, dict(resolvers), create_more, if_used, _parsed, _parsed


def set_global_state(state: tuple[Any, ...]) -> None:
    """Give Hydra and OmegaConf another state."""
    for (owner, name), value in zip(_STATE, state, strict=True):
        setattr(owner, name, value)


def apply_overrides(overrides: list[Override], config: DictConfig) -> None:
    """Set the values of parsed overrides in a config, as Hydra does after composing."""
    ConfigLoaderImpl._apply_overrides_to_config(overrides, config)


_READ = dict[str, tuple[object, bytes]]()  # the files read, by path, with their time and size; Hydra's own stay


class Files(ConfigRepository):
    """Hydra's repository, which reads a file again only if it has changed, and is not copied for a composition."""

    def __deepcopy__(self, memo: Any) -> "Files":
        return copy.copy(self)  # other sources are another list

    def load_config(self, config_path: str) -> Any:
        source = self._find_object_source(config_path, ObjectType.CONFIG)
        if source is None or (source.scheme() != "file" and source.provider != "hydra"):
            return super().load_config(config_path)
        path = os.path.join(source.path, source._normalize_file_name(config_path))
        found = os.stat(path) if source.scheme() == "file" else None
        version = found and (found.st_mtime_ns, found.st_size)
        if path not in _READ or _READ[path][0] != version:
            _READ[path] = version, pickle.dumps(super().load_config(config_path))
        return pickle.loads(_READ[path][1])


RECORDS = "records_root"  # the name of the stored config that has the root
MOST_BASES = 500  # one takes 15 kB, pickled, and is restored in a quarter of the time of a copy
_COMPOSITIONS = itertools.count()


def load_config(loader: Any, overrides: Sequence[str], mode: RunMode = RunMode.RUN) -> Any:
    """What the started loader composes from config.yaml and overrides; later each choice of options only once."""
    if next(_COMPOSITIONS):
        loader.repository = Files(loader.config_search_path)
        with suppress(NotImplementedError, Warning):
            return _on_base(loader, overrides, mode)
    return loader.load_configuration("config", list(overrides), mode)


def load_job_config(loader: Any, master: DictConfig, overrides: Sequence[str]) -> Any:
    """What the loader composes for a job of the sweep whose configuration is ``master``."""
    of_hydra: Any = OmegaConf.to_container(master.hydra.overrides.hydra)
    found = load_config(loader, [*of_hydra, *overrides], RunMode.RUN)
    OmegaConf.copy_cache(from_config=master, to_config=found)
    return found


def _on_base(loader: Any, overrides: Sequence[str], mode: RunMode) -> DictConfig:
    """A configuration made from a base; raises NotImplementedError for settings of Hydra and for several values."""
    parsed = overrides_parser.OverridesParser.create().parse_overrides(list(overrides))
    single = [one for one in parsed if not one.is_sweep_override()]
    is_left = any(one.package is not None or one.is_hydra_override() for one in parsed)
    if is_left or (mode == RunMode.RUN and len(single) < len(parsed)):
        raise NotImplementedError(overrides)
    is_group = loader.repository.group_exists
    choices = [one for one in single if is_group(one.key_or_group) and not isinstance(one.value(), dict)]
    found = pickle.loads(_base(mode, _state(loader), *(str(one.input_line) for one in choices)))
    apply_overrides([one for one in single if one not in choices], found)  # as in Hydra mistakes are found in turn
    with read_write(found.hydra):
        found.hydra.overrides.task = [one.input_line for one in parsed]
        form = found.hydra.job.config.override_dirname
        found.hydra.job.override_dirname = get_overrides_dirname(parsed, form.exclude_keys, form.item_sep, form.kv_sep)
        found.hydra.runtime.cwd = os.getcwd()
    return found


@lru_cache(MOST_BASES)
def _base(mode: RunMode, state: object, *choices: str) -> bytes:
    """The configuration of these choices, pickled, for the state that all choices have; a warning is an error."""
    with warnings.catch_warnings(action="error"):
        return pickle.dumps(GlobalHydra.instance().config_loader().load_configuration("config", list(choices), mode))


def _state(loader: Any) -> object:
    """What a choice may be: the files of conf/, and what is stored: those of ``output``, the root, a user's own."""
    files = tuple(file for one in loader.get_sources() if one.scheme() == "file" for file in _files(one.path))
    stored = ConfigStore.instance().repo
    return files, tuple(stored["output"]), str(stored[f"{RECORDS}.yaml"].node), repr(OWN)


def _files(folder: str | Path) -> Iterator[tuple[str, int, int]]:
    """Every file below a folder, with its time and size."""
    with os.scandir(folder) as entries:
        for entry in entries:
            is_folder, found = entry.is_dir(), entry.stat()
            yield from _files(entry.path) if is_folder else [(entry.path, found.st_mtime_ns, found.st_size)]


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
