"""Runs Hydra without disturbing other users of it: its global state is set aside, and then restored.

`xortrain.train` may be called in threads, inside a Hydra program, and with a user's own resolvers and configs.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from xortrain.config.overrides import quote
from xortrain.config.settings import GROUPS, OWN, conf_folder
from xortrain.errors import UserError
from xortrain.records.naming import usual_root

_LOCK = {"of this process": threading.RLock()}  # Hydra's state is global: one thread composes at a time


def _renew_lock() -> None:
    _LOCK["of this process"] = threading.RLock()


if hasattr(os, "register_at_fork"):  # another thread may compose while this one forks
    os.register_at_fork(after_in_child=_renew_lock)


@cache
def _outputs(*names: tuple[str, bool]) -> dict[str, Any]:
    """The stored choices of ``output``, each with whether it is an activation.  Hydra works on copies of them."""
    from hydra.core.config_store import ConfigStore

    store = object.__new__(ConfigStore)  # not the only one
    store.repo = {}
    for name, is_activation in names:
        node = {"defaults": [f"/activation/{name}@_here_"]} if is_activation else {"name": name}
        store.store(group="output", name=name, node=node)
    return dict(store.repo["output"])


@contextmanager
def hydra_apart() -> Iterator[None]:
    """Hydra as if nobody else used it, with ${expanduser:PATH} for conf/, the root, and choices that are no files.

    These are those of ``output``, auto and every activation as it is there, and options of a user's own.
    """
    from hydra.core.config_store import ConfigStore
    from omegaconf import OmegaConf

    from xortrain.config.private import RECORDS, fresh_state, global_state, set_global_state

    with _LOCK["of this process"]:
        before = global_state()
        set_global_state(fresh_state(before))
        try:
            root = usual_root().replace("${", "\\${")  # a text
            ConfigStore.instance().store(name=RECORDS, node={"root": root})
            OmegaConf.register_new_resolver("expanduser", os.path.expanduser, replace=True)
            choices = ((name, name in GROUPS["activation"]) for name in GROUPS["output"])
            ConfigStore.instance().repo["output"] = dict(_outputs(*choices))
            for place, own in OWN.items():
                group, _, name = place.partition("/")
                is_global = group in own  # an optimizer that sets the learning rate too
                package = "_global_" if is_global else None
                ConfigStore.instance().store(group=group, name=name, node=deepcopy(own), package=package)
            yield
        finally:
            set_global_state(before)


@contextmanager
def hydra_started() -> Iterator[Any]:
    """Start Hydra without its main, with the configs of conf/; yields its loader."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    with hydra_apart(), initialize_config_dir(str(conf_folder()), version_base="1.3", job_name="xortrain"):
        yield GlobalHydra.instance().config_loader()


def own_folder(config_dir: str | None) -> list[str]:
    """The override of Hydra that adds a user's folder of configs; conf/ comes first."""
    if config_dir is None:
        return []
    path = Path(config_dir).expanduser().absolute()
    if not path.is_dir():
        raise UserError(f"--config-dir={config_dir}: {'is not a folder' if path.exists() else 'no such folder'}")
    return [f"hydra.searchpath=[{quote(f'file://{path}')}]"]
