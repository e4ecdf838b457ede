"""Checks a configuration: every key must be known, and every value must have the kind and range of its setting.

Values are converted to the type of their setting: 1 becomes 1.0 for a number.  A mistake is a one-line error.
"""

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from xortrain.config.settings import GROUPS, PLAIN_GROUPS, TOP, defaults_of, dotted_keys, keys_of
from xortrain.config.weight_files import as_lists, weights_in
from xortrain.errors import UserError, counted, cut, unknown, unknown_key
from xortrain.nets.setting import Kind, Setting, Settings
from xortrain.records.layout import WEIGHTS

Config = dict[str, Any]


def check(config: Mapping[str, Any]) -> Config:
    """The checked configuration, with the weights of a file if it names one; raises UserError for the first mistake."""
    known = {**TOP, **PLAIN_GROUPS, **GROUPS}
    for key in config:
        if key not in known:
            raise unknown_key(key, short(config[key]), known, deeper=dotted_keys())
    for key in known:
        if key not in config:
            raise UserError(f"{key}: is missing; give it a value, or do not delete it")
    checked = {key: take(key, setting, config[key]) for key, setting in TOP.items()}
    checked |= {group: _keys(group, keys, config[group]) for group, keys in PLAIN_GROUPS.items()}
    checked |= {group: check_option(group, config[group]) for group in GROUPS}
    _activations(checked)
    return checked


ADDED: dict[str, Any] = {
    "advice": "auto",
    "engine": "numpy",
    "page": False,
    "use": [],
    "experiment": None,
    "data.scale": "none",
    "data.test_path": None,
    "data.inputs": [],
    "data.categorical": [],
    "data.header": "auto",
    "data.missing": "error",
    "film.at": "last",
    "film.by": None,
    "init.set": {},
    "layer_lr": {},
    "optimizer.dampening": 0.0,
    "optimizer.centered": False,
    "optimizer.amsgrad": False,
    "optimizer.l1": 0.0,
    "optimizer.l2": 0.0,
    "optimizer.clip_norm": 0.0,
    "optimizer.clip_value": 0.0,
}
"""Settings that older records lack, with the values that stand for them."""
USUAL = {"fps": 10.0, "frames": 60}
"""Defaults of the layout ``panels`` of older records, for which ``story`` stands: there each film has what it needs."""


def check_stored(config: Mapping[str, Any]) -> Config:
    """The checked configuration of a record, which may be older than some settings."""
    filled, film = dict(config), config.get("film")
    if isinstance(film, Mapping) and film.get("name") == "panels":
        filled["film"] = {**film, "name": "story", **{key: None for key, old in USUAL.items() if film.get(key) == old}}
    for key, value in ADDED.items():
        group, dot, name = key.partition(".")
        own, options = filled.get(group), GROUPS.get(group, {})
        if not dot:
            filled = {key: value, **filled}
        elif isinstance(own, Mapping) and own.get("name") in [o for o, row in options.items() if name in row.settings]:
            filled[group] = {name: value, **own}
    init = filled.get("init")
    if isinstance(init, Mapping) and isinstance(init.get("weights"), str):
        raise UserError(f"{WEIGHTS}: must be numbers; a record names no file")
    return check(filled)


def without_arrays(value: Any) -> Any:
    """A value as lists, mappings, texts and Python's own numbers, also where it is NumPy's or a path."""
    if hasattr(value, "tolist"):
        return value.tolist()
    value = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(value, Mapping):
        return {str(key): without_arrays(own) for key, own in value.items()}
    return list(map(without_arrays, value)) if isinstance(value, list | tuple) else value


def take(key: str, setting: Setting, value: Any) -> Any:
    """A value converted to the type of its setting; raises UserError if it does not fit."""
    if value is None and setting.nullable:
        return None
    if setting.each:
        return _entries(key, setting, setting.each, value)
    try:
        return _KINDS[setting.kind](setting, value)
    except (ValueError, OverflowError) as error:
        if isinstance(error, UserError):
            raise
        typed, must = _typed(value), must_be(setting)
        text = "; write no quotes, or in a file ${oc.decode:…}" * (typed.startswith("'") and "number" in must)
        meant = next((f"; or {other}={value}" for other, words in setting.elsewhere.items() if value in words), text)
        reason = "is not UTF-8" if isinstance(error, UnicodeError) else f"must be {must}{meant}"
        raise UserError(f"{key}={typed}: {reason}") from None


MOST_ENTRIES = 500  # each may be a column of a record
DEEPEST = 3  # names of an entry: a parameter, a row and a column
_NAME = re.compile("[A-Za-z][A-Za-z0-9_]*|0|[1-9][0-9]{0,8}")


def _entries(key: str, setting: Setting, each: Setting, value: Any) -> Config:
    """Numbers by name, in mappings of mappings whose keys are texts; of 0 and '0' the later one counts."""
    if not isinstance(value, Mapping):
        raise UserError(f"{key}={_typed(value)}: must be {must_be(setting)}")
    found: Config = _entry(key, setting, each, value, DEEPEST)
    if (count := _count(found)) > MOST_ENTRIES:
        raise UserError(f"{key}: has {count:,} numbers, at most {MOST_ENTRIES} are possible")
    return found


def _entry(key: str, setting: Setting, each: Setting, value: Any, depth: int) -> Any:
    if not isinstance(value, Mapping) or not depth:
        return take(key, each, value)
    found = Config()
    for name, own in value.items():
        text = str(name)
        if isinstance(name, bool) or not _NAME.fullmatch(text):
            raise UserError(f"{key}.{cut(text)}: no such place; must be {must_be(setting)}")
        new = _entry(f"{key}.{text}", setting, each, own, depth - 1)
        before = found.get(text)
        found[text] = {**before, **new} if isinstance(before, dict) and isinstance(new, dict) else new
    return found


def _count(entries: Any) -> int:
    return sum(map(_count, entries.values())) if isinstance(entries, dict) else 1


def must_be(setting: Setting) -> str:
    """What a setting must be, in a few words."""
    if setting.wording:
        return setting.wording
    match setting.kind:
        case "number":
            words = f"a number{_range(setting)}"
        case "whole":
            words = f"{'an even' if setting.even else 'a whole'} number from {setting.low} to {setting.high}"
        case "choice":
            words = f"one of {', '.join(setting.choices)}"
        case kind:
            words = {"flag": "true or false", "text": "a text", "path": "a path", "names": "a list of texts"}[kind]
    return f"{words} or null" if setting.nullable else words


def _range(s: Setting) -> str:
    if s.low > -math.inf and s.high < math.inf and s.above is s.below is None:
        return f" from {s.low:g} to {s.high:g}"
    low = f"greater than {s.above:g}" if s.above is not None else f"at least {s.low:g}" if s.low > -math.inf else ""
    high = f"less than {s.below:g}" if s.below is not None else f"at most {s.high:g}" if s.high < math.inf else ""
    ends = " and ".join(filter(None, (low, high)))
    return f" {ends}" if ends else ""


def _value_if(fits: bool, value: Any) -> Any:
    if not fits:
        raise ValueError
    return value


def _number(s: Setting, value: Any) -> float:
    found = float(_value_if(isinstance(value, int | float) and not isinstance(value, bool), value))
    inside = s.low <= found <= s.high and (s.above is None or found > s.above) and (s.below is None or found < s.below)
    return float(_value_if(inside and math.isfinite(found), found))


def _whole(s: Setting, value: Any) -> int:
    found = _number(s, value)
    return int(_value_if(found == int(found) and not (s.even and found % 2), value))


def _text(s: Setting, value: Any) -> str:
    _value_if(isinstance(value, str), value).encode()  # invalid bytes of a terminal cannot be written to a file
    return str(value)


def _choice(s: Setting, value: Any) -> Any:
    found = str(value).lower() if isinstance(value, bool) else value  # true is a choice of data.header
    return _value_if(found in tuple(s.choices), found)


def _path(s: Setting, value: Any) -> str:
    return os.path.expanduser(_value_if(value != "", _text(s, value)))


def _names(s: Setting, value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [_text(s, str(_value_if(isinstance(item, str) or type(item) is int, item))) for item in items]


def _wholes(s: Setting, value: Any) -> list[int]:
    items = _value_if(isinstance(value, list) and (not s.lengths or len(value) in s.lengths), value)
    return [_value_if(type(item) is int and s.low <= item <= s.high, item) for item in items]


def _weights(s: Setting, value: Any) -> Any:
    return as_lists(weights_in(value)) if isinstance(value, str) else value


_KINDS: dict[Kind, Callable[[Setting, Any], Any]] = {
    "number": _number,
    "whole": _whole,
    "flag": lambda s, value: _value_if(isinstance(value, bool), value),
    "text": _text,
    "path": _path,
    "choice": _choice,
    "names": _names,
    "wholes": _wholes,
    "weights": _weights,
    "free": lambda s, value: value,
}


def _typed(value: Any) -> str:
    """A value as a user types it; a text that looks like a number is quoted."""
    try:
        float(value)
    except (ValueError, TypeError, OverflowError):
        return short(value)
    return repr(value) if isinstance(value, str) else short(value)


def check_option(group: str, chosen: Any) -> Config:
    """The checked settings of the option that a group has."""
    if isinstance(chosen, str) and chosen in GROUPS[group]:
        raise choice_in_file(group, chosen)
    if not isinstance(chosen, Mapping) or "name" not in chosen:
        raise UserError(f"{group}={short(chosen)}: must be one of {', '.join(GROUPS[group])}")
    name = chosen["name"]
    if not isinstance(name, str) or name not in GROUPS[group]:
        raise unknown(group, name, GROUPS[group])
    keys = {key: value for key, value in chosen.items() if key != "name"}
    return {"name": name, **_keys(group, keys_of(group, name), keys, f"{group}={name}")}


def choice_in_file(group: str, option: str) -> UserError:
    """The error for an option that a user's own file chooses in another place than its defaults."""
    return UserError(f"{group}: in a file, choose it under defaults: - override /{group}: {option}")


def _keys(group: str, known: Settings, given: Any, where: str = "") -> Config:
    if not isinstance(given, Mapping):
        listed = ", ".join(f"{group}.{key}" for key in known)
        raise UserError(f"{group}={short(given)}: must be set by its keys: {listed}")
    if others := [key for key in given if key not in known]:
        raise no_such_key(group, others[0], given[others[0]], known, where)
    if missing := [key for key in known if key not in given]:
        raise UserError(f"{group}.{missing[0]}: is missing")
    return {key: take(f"{group}.{key}", setting, given[key]) for key, setting in known.items()}


def no_such_key(group: str, key: str, value: Any, known: Iterable[str], where: str = "") -> UserError:
    """The error for a key that the chosen option does not have; it names the options that have it."""
    name, others = f"{group}.{key}", [option for option, row in GROUPS.get(group, {}).items() if key in row.settings]
    if others:
        hint = f"; choose {group}={others[0]}" * (len(others) == 1)
        return UserError(f"{name}={short(value)}: is a setting of {group}={', '.join(others)}, not of {where}{hint}")
    names = [f"{group}.{name}" for name in known]
    return unknown_key(name, value and short(value), names, f"setting of {where or group}")


def _activations(checked: Config) -> None:
    """Turn architecture.activations into a full mapping for each layer; check it against the other settings."""
    architecture = checked["architecture"]
    hidden, given = architecture["hidden"], architecture["activations"]
    if checked["architecture"]["name"] == "skip" and not hidden:
        raise UserError("architecture.hidden=[]: architecture=skip needs a hidden layer to skip")
    if given is None:
        return
    key = "architecture.activations"
    if not isinstance(given, list) or len(given) != len(hidden):
        count = f"; this network has {counted(len(hidden), 'hidden layer')}" if isinstance(given, list) else ""
        raise UserError(
            f"{key}={short(given)}: must be null or a list of activations, one for each hidden layer{count}"
        )
    architecture["activations"] = [_layer(f"{key}[{place}]", item) for place, item in enumerate(given)]


def _layer(where: str, item: Any) -> Config:
    chosen = {"name": item} if isinstance(item, str) else item
    if not isinstance(chosen, Mapping) or "name" not in chosen:
        raise UserError(f"{where}={short(item)}: must be a name, or a mapping as in {{name: leaky_relu, slope: 0.5}}")
    name = chosen["name"]
    if not isinstance(name, str) or name not in GROUPS["activation"]:
        raise unknown(where, name, GROUPS["activation"])
    keys = {**defaults_of("activation", name), **{k: v for k, v in chosen.items() if k != "name"}}
    return {"name": name, **_keys(where, GROUPS["activation"][name].settings, keys, name)}


def short(value: Any) -> str:
    """A value as a user types it, cut to one line."""
    if isinstance(value, Mapping):
        text = "{" + ",".join(f"{k}:{short(v)}" for k, v in value.items()) + "}"
    elif isinstance(value, list | tuple):
        text = "[" + ",".join(short(item) for item in value) + "]"
    else:
        text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return cut(" ".join(text.split()))
