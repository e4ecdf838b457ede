"""Turns overrides into a checked configuration, composed by Hydra, and Hydra's errors into one-line errors."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from traceback import walk_tb
from typing import Any

from xortrain.config.check import Config, check, choice_in_file, no_such_key, short
from xortrain.config.guard import refuse_foreign_code
from xortrain.config.hydra_state import hydra_started, own_folder
from xortrain.config.overrides import as_typed, fitting_override, prepare, with_entries
from xortrain.config.settings import (
    GROUPS,
    LAUNCHER,
    PLAIN_GROUPS,
    TOP,
    conf_folder,
    dotted_keys,
    keys_of,
    set_by_options,
    settings_of,
)
from xortrain.errors import FailedError, UserError, file_error, first_line, unknown, unknown_key

SEVERAL = "add -m to run each of them"
NO_KEYS = "an experiment has no settings of its own"
_UNKNOWN_FUNCTION = re.compile(r"Unknown function '(\w+)'\s+Available: (\S+)")
_TWICE = re.compile("^Multiple values for |^force-add of config groups|appears more than once")
_OTHER_VALUE = re.compile("^Could not delete '|^Could not delete from config. The value of")
_CHOSEN_IN_FILE = re.compile(r"(?:^In 'experiment/.*: Could not \w+ 'experiment/|'override )(\w+)(?:/|: )?(\w*)")
LISTS = {"names", "wholes", "free"}
"""Kinds of settings whose value may be a list."""
_SWEEPS = "(range|choice|glob|interval|linspace|geomspace)"
_MIXED = re.compile(rf"{_SWEEPS}\([^()]*\)\s*,|,\s*{_SWEEPS}\(")


def compose(overrides: Sequence[str]) -> Config:
    """The checked configuration of these overrides."""
    return check(composed(overrides, instead="one is needed here")[0])


def changed(recorded: Config, overrides: Sequence[str]) -> tuple[Config, set[str]]:
    """A recorded configuration with overrides, and the settings and groups that they set.

    An option that is chosen anew has its defaults, and sets others as in conf/: an optimizer its learning rate.
    """
    for override in overrides:
        if override.startswith(("~", "hydra", "experiment")) or "=" not in override:
            raise UserError(f"{override}: a recorded run takes settings, as in lr=0.1 optimizer=adam")
    if not overrides:
        return check(recorded), set()
    keys = [with_entries(override).partition("=")[0].lstrip("+") for override in overrides]
    options = [f"{group}={recorded[group]['name']}" for group in GROUPS if group not in keys]
    fresh = compose([*options, *overrides])
    found = {key: dict(value) if isinstance(value, Mapping) else value for key, value in recorded.items()}
    touched = set(keys)
    for group in touched & GROUPS.keys():
        found[group] = fresh[group]
        if fresh[group]["name"] != recorded[group]["name"]:
            touched = touched | set_by_options(group)
    for key in touched - GROUPS.keys():
        group, *names = key.split(".")
        if names:
            found[group][names[0]] = fresh[group][names[0]]
        else:
            found[key] = fresh[key]
    return check(found), touched


def composed(overrides: Sequence[str], config_dir: str | None = None, instead: str = SEVERAL) -> tuple[Config, str]:
    """The configuration of one run, not checked, and a remark about what is ignored, which may be empty.

    ``config_dir`` is a user's folder of more configs; ``instead`` is what an error advises for several values.
    """
    from hydra.types import RunMode

    from xortrain.config.private import load_config

    prepared = prepare(overrides)
    with hydra_started() as loader, user_errors(prepared, instead):
        found = load_config(loader, [*prepared, *own_folder(config_dir)], RunMode.RUN)
        if config_dir is not None:
            refuse_foreign_code(found, loader, RunMode.RUN)
        with_experiment(found, found.hydra)
        return plain(found), ignored_sweep(found.hydra)


@contextmanager
def user_errors(overrides: Sequence[str], instead: str = SEVERAL) -> Iterator[None]:
    """What Hydra raises in this context about these overrides becomes a one-line error."""
    try:
        yield
    except Exception as error:
        if (line := user_error(error, overrides, instead)) is error:
            raise
        raise line from None


def with_experiment(composed: Any, hydra: Any) -> Any:
    """A composed configuration that states the experiment chosen; ``hydra`` is Hydra's part of it."""
    below, composed.experiment = composed.get("experiment"), hydra.runtime.choices.get("experiment")
    if below:  # what a file, or an override, sets for the group alone
        line = "its file needs the first line '# @package _global_'; without it, it sets nothing"
        raise UserError(f"experiment={composed.experiment or short(below)}: {line if composed.experiment else NO_KEYS}")
    return composed


def ignored_sweep(hydra: Any) -> str:
    """A remark that a single run ignores the sweep of an experiment; empty if there is no sweep."""
    params = hydra.sweeper.get("params")
    keys = ", ".join(map(str, params)) if isinstance(params, Mapping) else params
    return f"the sweep over {keys} is ignored; add -m to run it" if params else ""


def plain(composed: Any) -> dict[str, Any]:
    """A composed configuration as plain values: interpolations resolved, without Hydra's own part."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    key = ""
    try:
        content = dict[str, Any]()
        for key in (str(name) for name in composed if name != "hydra"):
            value = composed[key]
            content[key] = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
        return content
    except OmegaConfBaseException as error:
        raise UserError(f"{error.full_key}: {first_line(error)}") from None
    except Exception as error:
        if isinstance(error, SYSTEM):
            raise
        raise UserError(f"{key}: cannot be resolved ({_in_words(error)})") from None


def user_error(error: Exception, overrides: Sequence[str], instead: str = SEVERAL) -> Exception:
    """The UserError for a mistake that Hydra reports; any other error is returned unchanged."""
    line = _line_of(error, overrides, instead)
    return line if line is error else UserError(as_typed(str(line)))


def _line_of(error: Exception, overrides: Sequence[str], instead: str) -> Exception:
    from hydra.errors import HydraException, MissingConfigException, OverrideParseException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import MarkedYAMLError

    text = first_line(error)
    if isinstance(error, MarkedYAMLError) and (mark := error.problem_mark) and Path(mark.name).is_file():
        start = f" {error.context} in line {error.context_mark.line + 1}" if error.context_mark else ""
        return file_error(mark.name, f"line {mark.line + 1}: {error.problem}{start}")
    chosen = _CHOSEN_IN_FILE.search(text)
    if chosen and chosen[1] in GROUPS and not any(override.startswith(f"+{chosen[1]}=") for override in overrides):
        return choice_in_file(chosen[1], chosen[2] or "NAME")
    if isinstance(error, MissingConfigException):
        quoted = text.split("Could not find '")
        name = quoted[1].split("'")[0] if len(quoted) > 1 else str(error.missing_cfg_file)
        return _no_such_file(name, error.options)
    if isinstance(error, OverrideParseException):
        if isinstance(error.__cause__, UserError):  # of a function that is ours
            return UserError(f"{error.override}: {error.__cause__}")
        if function := _UNKNOWN_FUNCTION.search(str(error)):
            known = set(function[2].split(",")) - {"logspace"}  # which only says what to write instead
            return unknown(error.override.partition("=")[0], function[1], known, "function")
        return UserError(f"{error.override}: cannot be read; write key=value, and quote values with spaces or commas")
    if text.startswith(("Ambiguous value for argument", "Sweep parameters")):
        override = text.split("'")[1]
        kinds = {setting.kind for setting in settings_of(override.partition("=")[0])}
        hint = f", or write {override.replace('=', '=[', 1)}] for a list" * bool(kinds & LISTS and "(" not in override)
        return UserError(f"{override}: several values; {instead}{hint}")
    if text.startswith("Unexpected type annotation"):  # a sweep among the values of a sweep
        mixed = next((override for override in overrides if _MIXED.search(override)), short(" ".join(overrides)))
        return UserError(f"{mixed}: a range or a choice among other values cannot be read; write all values out")
    if text.startswith("Could not append to config. An item is already at '"):
        there = text.split("'")[1]
        return UserError(f"+{there}: exists already; write it without the +")
    from_hydra = isinstance(error, HydraException | OmegaConfBaseException)
    for override in overrides if from_hydra or isinstance(error, TypeError | ValueError) else ():
        parent = override.partition("=")[0].rpartition(".")[0].lstrip("+~")
        if {setting.kind for setting in settings_of(parent)} & LISTS:  # OmegaConf takes what follows for a place
            return UserError(f"{short(override)}: {parent} is a list; write {parent}=[…]")
        if override.startswith("+") and _TWICE.search(text):
            return UserError(f"{short(override)}: exists already; write it without the +")
        if override.startswith("~") and _OTHER_VALUE.search(text):
            return UserError(f"{short(override)}: cannot be deleted; give it another value")
    if text.startswith(("Could not override '", "Could not delete from config. '")):
        return no_such_setting(text.split("'")[1], overrides)
    if isinstance(error, RecursionError) or text.startswith(("Config group override must be", "Exceeds the limit")):
        return UserError(f"{short(' '.join(overrides))}: cannot be read ({text})")
    if from_hydra:
        cause = error.__cause__ or error.__context__
        return UserError(text if not isinstance(cause, OmegaConfBaseException) else f"{text} ({first_line(cause)})")
    modules = [str(frame.f_globals.get("__name__")) for frame, _ in walk_tb(error.__traceback__)]
    if isinstance(error, (UserError, FailedError, *SYSTEM)) or not any(map(_OF_HYDRA.match, modules)):
        return error
    return UserError(f"{_guilty(overrides, error)}: cannot be read ({_in_words(error)})")


def _guilty(overrides: Sequence[str], error: Exception) -> str:
    """The override that raises an error by itself, or all of them."""
    from xortrain.config.private import load_config

    with hydra_started() as loader:
        for text in overrides if len(overrides) > 1 else ():
            try:
                load_config(loader, [text])
            except Exception as found:
                if type(found) is type(error):
                    return short(text)
    return short(" ".join(overrides))


SYSTEM = (OSError, MemoryError)
"""Errors that are not about an override, whoever raises them."""
_OF_HYDRA = re.compile("(hydra|omegaconf|antlr4)([.]|$)")


def _in_words(error: BaseException) -> str:
    text = first_line(error).partition(" : Override(")[0]
    return text if text == type(error).__name__ else f"{type(error).__name__}: {text}"


PLUGINS = {"sweeper": ("ax", "nevergrad", "optuna"), "launcher": ("joblib", "ray", "rq", "submitit")}
"""Hydra's own plug-ins by kind, which may not be installed."""


def _no_such_file(name: str, options: Sequence[str] | None) -> UserError:
    """The error for an unknown choice, also of Hydra's plug-ins."""
    first, _, value = name.partition("/")
    if fitting := fitting_override(first, value):
        return UserError(f"{first}={value}: no such choice; write {fitting}")
    stem = name.removesuffix(".yaml")
    group, _, option = stem.rpartition("/") if first == "hydra" else stem.partition("/")
    kind = group.removeprefix("hydra/")
    if option in PLUGINS.get(kind, ()):
        here = ", ".join(options or ())
        return UserError(f"{group}={option}: needs pip install hydra-{option}-{kind}. Installed: {here}")
    if group and options:
        return unknown(group, option, options)
    return UserError(f"{name}: no such file under {conf_folder()}")


def no_such_setting(key: str, overrides: Sequence[str]) -> UserError:
    """The error for a key that the chosen option does not have, or that does not exist at all."""
    group, dot, name = key.partition(".")
    value = dict(text.lstrip("+~").split("=", 1) for text in overrides if "=" in text).get(key)
    if dot and group in GROUPS:
        option = _chosen(group, overrides)
        if option in GROUPS[group]:
            unquoted = value and value.strip("'")  # of a text that `prepare` has quoted
            return no_such_key(group, name, unquoted, keys_of(group, option), f"{group}={option}")
    if dot and group in PLAIN_GROUPS:
        return no_such_key(group, name, value, PLAIN_GROUPS[group])
    if key in GROUPS:
        return UserError(
            f"{key}={value}: must be one of {', '.join(GROUPS[key])}, and each of its settings is a separate override"
        )
    if group == "hydra":
        where, _, last = key.rpartition(".")
        if where == "hydra.sweeper.params":
            given = f"={value or '…'}"
            return UserError(
                f"{key}: the experiment has no sweep over {last}; write {last}{given} by itself, or +{key}{given}"
            )
        mine = where == "hydra.launcher"
        return no_such_key(where, last, value, LAUNCHER) if mine else UserError(f"{key}: Hydra has no such setting")
    every = [*TOP, *GROUPS, *(f"{g}.{k}" for g, keys in PLAIN_GROUPS.items() for k in keys)]
    return unknown_key(key, value, every, deeper=dotted_keys())


def _chosen(group: str, overrides: Sequence[str]) -> str:
    """The option of a group that these overrides choose, ignoring those that set a key."""
    from xortrain.config.private import load_config

    rest = [text for text in overrides if "." not in text.partition("=")[0] and "," not in text]
    with hydra_started() as loader:
        try:
            return str(load_config(loader, rest)[group]["name"])
        except Exception:  # the overrides have another mistake too
            return ""
