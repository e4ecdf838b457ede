"""Sweeps: Hydra's multirun handed to `experiment` as populations.

Hydra itself is wanted only where there are many jobs; a single run goes without.
"""

import sys
from importlib import import_module
from types import ModuleType

PLACE = "hydra_plugins.xortrain"  # Hydra takes plugins from below hydra_plugins only


def register() -> None:
    """Make the sweeper and the launcher known to Hydra, under the name that conf/hydra/ has for them."""
    from hydra.core.plugins import Plugins

    from xortrain.sweeps import plugins

    _stand_in(PLACE, plugins)
    for plugin in (plugins.PopulationSweeper, plugins.PopulationLauncher):
        Plugins.instance().register(plugin)


def _stand_in(name: str, module: ModuleType) -> None:
    """Let a module be found under another name too: Hydra 1.3 imports plugins from below hydra_plugins only."""
    package, _, _ = name.partition(".")
    try:
        import_module(package)
    except ModuleNotFoundError:  # no other plugin is installed
        sys.modules[package] = ModuleType(package)
        sys.modules[package].__path__ = []
    sys.modules[name] = module
