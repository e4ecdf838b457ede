"""Is this a configuration? Every key known, every value of its type and range, or one line that says what is not.

The result has the values as they are meant: 1 becomes 1.0 where a number may have a fraction.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from xortrain.config.defaults import defaults_of
from xortrain.config.kinds import Setting
from xortrain.config.settings import ACTIVATIONS, GROUPS, PLAIN_GROUPS, TOP, Keys, dotted_keys, keys_of
from xortrain.errors import UserError, unknown, unknown_key

Config = dict[str, Any]


def check(config: Mapping[str, Any]) -> Config:
    """The checked configuration; raises UserError for the first thing that is wrong."""
    known = {**TOP, **PLAIN_GROUPS, **GROUPS}
    for key in config:
        if key not in known:
            raise unknown_key(key, short(config[key]), known, deeper=dotted_keys())
    for key in known:
        if key not in config:
            raise UserError(f"{key}: is missing; leave it as it is or choose a value")
    checked = {key: take(key, setting, config[key]) for key, setting in TOP.items()}
    checked |= {group: _keys(group, keys, config[group]) for group, keys in PLAIN_GROUPS.items()}
    checked |= {group: _option(group, config[group]) for group in GROUPS}
    _activations(checked)
    return checked


def take(key: str, setting: Setting, value: Any) -> Any:
    """A value as it is meant."""
    try:
        return setting.take(value)
    except (ValueError, OverflowError):
        raise UserError(f"{key}={_typed(value)}: must be {setting.must_be}") from None


def _typed(value: Any) -> str:
    """A value as one would type it; a text that looks like a number has its quotes."""
    try:
        float(value)
    except (ValueError, TypeError, OverflowError):
        return short(value)
    return repr(value) if isinstance(value, str) else short(value)


def _option(group: str, chosen: Any) -> Config:
    if not isinstance(chosen, Mapping) or "name" not in chosen:
        raise UserError(f"{group}={short(chosen)}: must be one of {', '.join(GROUPS[group])}")
    name = chosen["name"]
    if not isinstance(name, str) or name not in GROUPS[group]:
        raise unknown(group, name, GROUPS[group])
    keys = {key: value for key, value in chosen.items() if key != "name"}
    return {"name": name, **_keys(group, keys_of(group, name), keys, f"{group}={name}")}


def _keys(group: str, known: Keys, given: Any, where: str = "") -> Config:
    if not isinstance(given, Mapping):
        raise UserError(f"{group}={short(given)}: must be set by its keys: {_listed(group, known)}")
    for key, value in given.items():
        if key not in known:
            raise no_such_key(group, key, value, known, where)
    for key in known:
        if key not in given:
            raise UserError(f"{group}.{key}: is missing")
    return {key: take(f"{group}.{key}", setting, given[key]) for key, setting in known.items()}


def no_such_key(group: str, key: str, value: Any, known: Iterable[str], where: str = "") -> UserError:
    """The error for a key that the chosen option does not have."""
    names = [f"{group}.{name}" for name in known]
    return unknown_key(f"{group}.{key}", short(value), names, f"setting of {where or group}")


def _listed(group: str, keys: Iterable[str]) -> str:
    return ", ".join(f"{group}.{key}" for key in keys)


def _activations(checked: Config) -> None:
    """Turn architecture.activations into a full mapping for each layer, and see that it fits the others."""
    architecture = checked["architecture"]
    hidden, given = architecture["hidden"], architecture["activations"]
    if checked["architecture"]["name"] == "skip" and not hidden:
        raise UserError("architecture.hidden=[]: architecture=skip needs a hidden layer to skip")
    if given is None:
        return
    key = "architecture.activations"
    if not isinstance(given, list) or len(given) != len(hidden):
        count = f"; there are {len(hidden)} hidden layers" if isinstance(given, list) else ""
        raise UserError(
            f"{key}={short(given)}: must be null or a list of activations, one for each hidden layer{count}"
        )
    architecture["activations"] = [_layer(f"{key}[{place}]", item) for place, item in enumerate(given)]


def _layer(where: str, item: Any) -> Config:
    chosen = {"name": item} if isinstance(item, str) else item
    if not isinstance(chosen, Mapping) or "name" not in chosen:
        raise UserError(f"{where}={short(item)}: must be a name, or a mapping as in {{name: leaky_relu, slope: 0.5}}")
    name = chosen["name"]
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise unknown(where, name, ACTIVATIONS)
    keys = {**defaults_of("activation", name), **{k: v for k, v in chosen.items() if k != "name"}}
    return {"name": name, **_keys(where, ACTIVATIONS[name][1], keys, name)}


def short(value: Any) -> str:
    """A value as one would type it, cut to a line."""
    if isinstance(value, Mapping):
        text = "{" + ",".join(f"{k}:{short(v)}" for k, v in value.items()) + "}"
    elif isinstance(value, list | tuple):
        text = "[" + ",".join(short(item) for item in value) + "]"
    else:
        text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."
