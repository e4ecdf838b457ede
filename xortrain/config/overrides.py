"""Prepares overrides for Hydra: texts stay texts, and a list in place of one choice is an error.

Hydra would read name=1e3 as a number, and merge activation=[relu,tanh] without an error.
"""

import re
from collections.abc import Sequence

from xortrain.config.settings import GROUPS
from xortrain.errors import UserError

TEXTS = ("name", "notes", "root", "data.path")
LISTS = ("tags", "freeze", "data.targets")
CHOICES = (*GROUPS, "experiment")
FOLDERS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir")
_PLAIN = re.compile(r"[^'\"\[\]{}()$,]*")  # a value without Hydra's syntax


def prepare(overrides: Sequence[str], many: bool = False) -> list[str]:
    """Overrides with their texts quoted; ``many`` is for a sweep, where commas separate values."""
    for override in overrides:
        _refuse_invalid_choice(override)
        _refuse_folder(override, overrides)
        _refuse_plugin(override)
    return [_quoted_override(override, many) for override in overrides if override != "experiment=null"]


def _quoted_override(override: str, many: bool) -> str:
    key, equals, value = override.partition("=")
    if not equals or value in ("", "null") or value[0] in "'\"":
        return override
    if key in CHOICES and _PLAIN.fullmatch(value) and not many:
        return f"{key}={_quote(value)}"
    if key.lstrip("+") in LISTS:
        return f"{key}={_quoted_list(value)}"
    if key.lstrip("+") not in TEXTS:
        return override
    if many:
        parts = value.split(",")
        return key + "=" + ",".join(map(_quote, parts)) if all(map(_PLAIN.fullmatch, parts)) else override
    return override if value.startswith("${") else f"{key}={_quote(value)}"


def _quoted_list(value: str) -> str:
    """[a,2] as ['a','2'], and a as 'a'; anything with Hydra's syntax stays as it is."""
    is_list = value.startswith("[") and value.endswith("]")
    parts = [part.strip() for part in value[1:-1].split(",")] if is_list else [value]
    if not all(part and _PLAIN.fullmatch(part) for part in parts):
        return value
    quoted = ",".join(map(_quote, parts))
    return f"[{quoted}]" if is_list else quoted


def _quote(value: str) -> str:
    escaped = re.sub(r"(\\+)(?='|$)", r"\1\1", value).replace("'", "\\'")
    return f"'{escaped}'"


def _refuse_folder(override: str, overrides: Sequence[str]) -> None:
    """Refuse Hydra's folders, which contain nothing of ours, unless another sweeper writes its results there."""
    key, _, value = override.partition("=")
    others = [text for text in overrides if text.startswith(("hydra/sweeper=", "hydra/launcher="))]
    if key.lstrip("+") in FOLDERS and all(text.endswith("=population") for text in others):
        raise UserError(f"{override}: records make their own folders under root; write root={value or 'outputs'}")


def not_chosen(override: str, kind: str) -> UserError:
    """The error for a launcher or a sweeper that is not chosen by its name."""
    return UserError(f"{override}: must be chosen by hydra/{kind}=, and set by its keys")


def _refuse_plugin(override: str) -> None:
    """Refuse a launcher or a sweeper that is not chosen by its name, or lacks its settings."""
    key, _, value = override.partition("=")
    kind = key.lstrip("+").removeprefix("hydra.")
    if kind in ("launcher", "sweeper") and key != kind and not value.startswith(("{", "${")):
        raise not_chosen(override, kind)
    if re.fullmatch(r"~hydra\.(launcher|sweeper)(\.(engine|workers|address|params|_target_))?", key):
        raise UserError(f"{override}: cannot be deleted; give it another value")


def _refuse_invalid_choice(override: str) -> None:
    group, equals, value = override.partition("=")
    if not group.strip("+~ "):
        raise UserError(f"{override or repr(override)}: cannot be read; write key=value")
    if group not in CHOICES:
        return
    if value.startswith("["):
        raise UserError(
            f"{override}: {group} takes one choice, not a list; to run each: -m {group}={value.strip('[]')}"
        )
    if group in GROUPS and equals and value in ("", "null"):
        raise UserError(f"{override}: must be one of {', '.join(GROUPS[group])}")
