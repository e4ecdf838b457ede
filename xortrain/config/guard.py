"""Refuses a configuration whose part for Hydra differs from that of the installed packages, before Hydra acts on it.

Hydra imports and calls what its configuration names: plug-ins, callbacks, logging handlers.  Files of a user's folder
and overrides may choose among installed plug-ins and set their keys, and may name nothing else.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from xortrain.config.overrides import not_chosen, quote
from xortrain.errors import UserError, cut

FREE = ("overrides", "runtime", "run", "sweep", "mode", "searchpath", "job.name", "job.override_dirname")
"""Parts of Hydra's configuration that only name folders, and what was chosen; `overrides` checks the search path."""
KINDS = ("sweeper", "launcher")
GROUPS_OF_PLUGINS = tuple(f"hydra/{kind}" for kind in KINDS)
_ABSENT = object()


def refuse_foreign_code(found: Any, loader: Any, mode: Any) -> None:
    """Raise UserError if Hydra would act on something that conf/ and the chosen plug-ins do not have themselves."""
    from omegaconf import OmegaConf

    choices = {key: str(option) for key, option in found.hydra.runtime.choices.items()}
    plugins = [f"{key}={quote(option)}" for key, option in choices.items() if key.startswith(GROUPS_OF_PLUGINS)]
    own: Any = OmegaConf.to_container(found.hydra, resolve=False)
    trusted: Any = OmegaConf.to_container(loader.load_configuration("config", plugins, mode).hydra, resolve=False)
    ours, theirs = dict(_leaves(own)), dict(_leaves(trusted))
    for name in (*ours, *theirs):
        if _acts(name) and ours.get(name, _ABSENT) != theirs.get(name, _ABSENT):
            given = f"hydra.{name}={cut(str(ours.get(name)))}"
            if name in KINDS:
                raise not_chosen(given, name)
            raise UserError(f"{given}: is not of an installed plug-in; Hydra would import or call it")


def _acts(name: str) -> bool:
    """Whether Hydra may call what a dotted key names; of a plug-in's keys only those such as _target_ say so."""
    part, _, rest = name.partition(".")
    if part in KINDS:
        return not rest or any(word.startswith("_") for word in rest.split("."))
    return part not in FREE and name not in FREE


def _leaves(content: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its dotted key."""
    if not isinstance(content, Mapping | list) or not content:
        yield where, content
        return
    for key, value in content.items() if isinstance(content, Mapping) else enumerate(content):
        yield from _leaves(value, f"{where}.{key}" if where else str(key))
