"""Every setting: those at the top of the config are here, those of an option come from its row.

Their defaults, with reasons, are in conf/; a test compares the two.
"""

import re
from collections import ChainMap
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from xortrain.films.film_settings import LAYOUTS
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.datasets import DATASETS
from xortrain.nets.initializers import INITIALIZERS
from xortrain.nets.losses import LOSSES, REDUCTION
from xortrain.nets.network import ARCHITECTURES
from xortrain.nets.optimizers import OPTIMIZERS, SCHEDULES
from xortrain.nets.setting import Setting, Settings, choice, flag, names, number, path, text, whole
from xortrain.training.success import STOP_RULES, SUCCESS_RULES

PROCESSES = ("inline", "loky", "dask")
TOP: Settings = {
    "lr": number("learning rate η", above=0),
    "layer_lr": Setting(
        "learning rates of single arrays of parameters, in place of lr",
        "entries",
        wording="numbers by parameter, as in layer_lr.W1=0.1",
        each=number("learning rate of one array of parameters", above=0),
    ),
    "seed": whole("seed of all random numbers of a run", 0, 2**32 - 1, varies=True),
    "epochs": whole("passes over the data", 0, 1_000_000_000),
    "batch_size": whole("examples in one update; null for all of them", 1, 1_000_000, nullable=True),
    "shuffle": flag("put the examples in a new order every epoch, if there are batches"),
    "dtype": choice("precision of every number of the training", "float64", "float32"),
    "engine": replace(
        choice(
            "what trains: NumPy, the compiled machine, or auto (the machine, if it is installed and fits the settings)",
            "auto",
            "numpy",
            "compiled",
        ),
        elsewhere={"hydra.launcher.engine": PROCESSES},
    ),
    "freeze": names("parameters that keep their initial values, as in [b1]"),
    "experiment": text("a prepared set of settings, from the list below", nullable=True),
    "name": text("your name for this run", nullable=True),
    "tags": names("words by which to find the run"),
    "notes": text("anything you want to remember", nullable=True),
    "advice": choice("whether to try what might help, when a single run ends unsolved", "auto", "none"),
    "page": flag("at the end, write page.html into the record, for a browser"),
    "use": names("your Python files with options of your own, run before anything else, as in use=my_things.py"),
    "root": path("folder of the records"),
    "dry_run": flag("print what would run and how long it would take, and stop"),
}

PLAIN_GROUPS: dict[str, Settings] = {
    "track": {
        "losses": whole("maximum number of recorded losses", 2, 10_000_000),
        "frames": whole("maximum number of recorded snapshots of the parameters", 2, 10_000_000),
        "spacing": choice("spacing of the recorded epochs, if not all are recorded", "even", "log"),
        "bytes": whole("size in bytes beyond which a sweep records only the first and last snapshots", 0, 2**50),
    }
}
"""Groups without options: their keys."""

LAUNCHER: Settings = {
    "engine": choice("where runs are trained: in this process, in more of them, or on a Dask cluster", *PROCESSES),
    "workers": whole(
        "number of loky processes (null: one per core), or of threads of the machine (null: one)",
        1,
        10_000,
        nullable=True,
    ),
    "address": text("address of Dask's scheduler, as in tcp://127.0.0.1:8786", nullable=True),
}
"""Where a sweep is trained: hydra.launcher.engine and the others."""


class Row(Protocol):
    """A row of a table: one option of a group."""

    @property
    def help(self) -> str: ...

    @property
    def settings(self) -> Settings: ...


@dataclass(frozen=True)
class PlainRow:
    """An option that stands for a row of another table, as output=auto."""

    help: str
    settings: Settings = field(default_factory=dict)


GROUPS: dict[str, Mapping[str, Row]] = {
    "data": DATASETS,
    "architecture": ARCHITECTURES,
    "activation": ACTIVATIONS,
    "output": ChainMap[str, Any](ACTIVATIONS, {"auto": PlainRow("the activation that goes with the loss")}),
    "loss": ChainMap[str, Any](LOSSES, {"auto": PlainRow("the loss that fits the targets", REDUCTION)}),
    "init": INITIALIZERS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "success": SUCCESS_RULES,
    "stop": STOP_RULES,
    "film": LAYOUTS,
}
"""Group to its options, the tables themselves: a row added to a table is an option at once."""


def keys_of(group: str, option: str) -> Settings:
    """The settings of an option of a group."""
    return GROUPS[group][option].settings


def dotted_keys() -> list[str]:
    """Every setting of every option, as in optimizer.momentum."""
    options = [(group, row.settings) for group, table in GROUPS.items() for row in table.values()]
    return [f"{group}.{key}" for group, keys in [*PLAIN_GROUPS.items(), *options] for key in keys]


@cache
def has_entries(key: str) -> bool:
    """Whether a setting has numbers by name, each a setting of its own."""
    return any(one.kind == "entries" for one in settings_of(key))


@cache
def above(key: str) -> str:
    """The setting that a dotted key is an entry of, as init.set of init.set.W1.0.1; empty if it is none."""
    parts = key.split(".")
    return next(filter(has_entries, (".".join(parts[:end]) for end in range(1, len(parts)))), "")


def find(config: Mapping[str, Any], key: str) -> Setting | None:
    """The setting behind a dotted key, for the options this config has chosen."""
    if whole := above(key):
        entries = find(config, whole)
        return entries and entries.each
    group, dot, name = key.partition(".")
    if not dot:
        return TOP.get(group)
    if group in PLAIN_GROUPS:
        return PLAIN_GROUPS[group].get(name)
    option = config.get(group, {}).get("name")
    return keys_of(group, option).get(name) if group in GROUPS and option in GROUPS[group] else None


def settings_of(key: str) -> list[Setting]:
    """The setting behind a dotted key, of every option that has it."""
    if whole := above(key):
        return [one.each for one in settings_of(whole) if one.each]
    group, dot, name = key.partition(".")
    if not dot:
        return [TOP[group]] if group in TOP else []
    return [row.settings[name] for row in GROUPS.get(group, {}).values() if name in row.settings]


def may_vary(key: str) -> bool:
    """Whether a dotted key may differ inside a population, for every option that has it."""
    found = settings_of(key)
    return bool(found) and all(setting.varies for setting in found)


_PACKAGE = Path(__file__).resolve().parents[1]
CONF_FOLDERS = [_PACKAGE.parent / "conf", _PACKAGE / "conf"]
"""Where conf/ may be: beside the package in a checkout, inside it in a wheel."""


@cache
def conf_folder() -> Path:
    """The folder with config.yaml."""
    for folder in CONF_FOLDERS:
        if (folder / "config.yaml").is_file() and (folder / "experiment").is_dir():
            return folder
    raise FileNotFoundError(f"no conf/config.yaml in {_PACKAGE} or beside it: xortrain is not completely installed")


def experiments() -> list[Path]:
    """The files of the prepared sets of settings."""
    return sorted((conf_folder() / "experiment").glob("*.yaml"))


OWN: dict[str, dict[str, Any]] = {}
"""Options of a user's own, as files of conf/ would have them, by their names such as activation/cube."""


def read_conf(name: str) -> dict[str, Any]:
    """A file of conf/ as it is, by its name without .yaml, or an option of a user's own."""
    if name in OWN:
        return deepcopy(OWN[name])
    text = (conf_folder() / f"{name}.yaml").read_text(encoding="utf-8")
    with suppress(ValueError):
        return read_plain(text)
    import yaml

    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}


def read_plain(text: str) -> dict[str, Any]:
    """Plain keys and values and a list of defaults; ValueError for other YAML, whose parser is slow to import."""
    content = dict[str, Any]()
    for line in filter(None, (line.partition("#")[0].rstrip() for line in text.splitlines())):
        key, _, value = line.partition(":")
        if line.startswith("  - /") and "defaults" in content:
            content["defaults"].append(line[4:])
        else:
            content[plain_value(key)] = [] if line == "defaults:" else plain_value(value.removeprefix(" "))
    return content


_VALUES: list[tuple[re.Pattern[str], Callable[[str], Any]]] = [
    (re.compile("null|true|false"), {"null": None, "true": True, "false": False}.__getitem__),
    (re.compile("-?(0|[1-9][0-9]{0,14})"), int),
    (re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,15}"), float),
    (re.compile(r"(?!(?i:null|true|false|nan|inf)$)[A-Za-z_]\w*", re.ASCII), str),
    (re.compile(r"\[(0|[1-9][0-9]{0,14}),(0|[1-9][0-9]{0,14})\]"), lambda text: [*map(int, text[1:-1].split(","))]),
]
"""Values that mean the same to Hydra and to everybody."""


def plain_value(text: str) -> Any:
    """The value of a number, a word, true, false, null or [WIDTH,HEIGHT]; raises ValueError for any other syntax."""
    for form, convert in _VALUES:
        if form.fullmatch(text):
            return convert(text)
    raise ValueError(text)


@cache
def defaults_of(group: str, option: str, data: str | None = None) -> Mapping[str, Any]:
    """The settings of an option with their defaults, without its name, as Hydra composes them over a data set.

    Without a data set they are the option's own.
    """
    name = f"activation/{option}" if group == "output" else f"{group}/{option}"
    own = {} if name == "activation/auto" else _placed(name, group)[group]
    return MappingProxyType({**own, **(set_by_data(data).get(group, {}) if data else {})})


@cache
def set_by_data(data: str) -> dict[str, dict[str, Any]]:
    """What a data set sets in other groups: group to key to value."""
    return {group: keys for group, keys in _placed(f"data/{data}", "data").items() if group != "data"}


def _placed(name: str, here: str) -> dict[str, dict[str, Any]]:
    """What a file of conf/ and those in its defaults list set, by group.

    /shared/mean@_here_ belongs to the group ``here``, /shared/mean@_global_.loss to the loss.
    """
    content, found = read_conf(name), dict[str, dict[str, Any]]()
    for item in content.pop("defaults", []):
        if isinstance(item, str):  # else it overrides a choice
            file, _, place = item[1:].partition("@")
            for group, keys in _placed(file, here if place == "_here_" else place.removeprefix("_global_.")).items():
                found[group] = found.get(group, {}) | keys
    own = content.get(here, content)  # an optimizer sets the learning rate too
    found[here] = found.get(here, {}) | {key: value for key, value in own.items() if key != "name"}
    return found


def set_by_options(group: str) -> set[str]:
    """The settings outside a group that its options set in conf/: optimizers set lr."""
    names = [f"{group}/{path.stem}" for path in (conf_folder() / group).glob("*.yaml")]
    files = [read_conf(name) for name in (*names, *OWN) if name.startswith(f"{group}/")]
    return {key for content in files if group in content for key in content} - {group, "defaults"}


def forget_defaults() -> None:
    """Read defaults anew: options of a user's own have come, changed or gone."""
    for function in (has_entries, above, defaults_of, set_by_data):
        function.cache_clear()


def chosen_by_default() -> dict[str, str]:
    """Group to option, as in the defaults list of config.yaml."""
    return {group: option for group, option in _pairs("config") if " " not in group and option}


def chosen_by_data(data: str) -> dict[str, str]:
    """What a data set chooses in other groups: group to option."""
    pairs = _pairs(f"data/{data}")
    return {key.partition("@")[0].removeprefix("override /"): option for key, option in pairs}


def _pairs(name: str) -> list[tuple[str, str]]:
    """The choices in the defaults list of a file of conf/."""
    items = read_conf(name).get("defaults", [])
    return [pair for item in items if isinstance(item, dict) for pair in item.items()]
