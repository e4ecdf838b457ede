"""Prepares overrides for Hydra: texts stay texts, and what Hydra would misread is an error.

Hydra would read name=1e3 as a number and lr=1_000 as 1000, and merge activation=[relu,tanh] without an error.
"""

import re
from collections.abc import Iterable, Sequence

from xortrain.config.settings import (
    GROUPS,
    PLAIN_GROUPS,
    TOP,
    above,
    chosen_by_default,
    dotted_keys,
    has_entries,
    keys_of,
)
from xortrain.errors import UserError, cut, unknown_key
from xortrain.records.layout import START, WEIGHTS, setting_of
from xortrain.records.naming import default_root

TEXTS = ("name", "notes", "root", "data.path", "data.test_path")
OF_WEIGHTS = "init=explicit"  # what init.weights implies where no init is chosen
LISTS = ("use", "tags", "freeze", "data.targets", "data.inputs", "data.categorical")
CHOICES = (*GROUPS, "experiment")
FOLDERS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir")
OF_HYDRA = re.compile(
    r"hydra/(sweeper|launcher)(/\w+)*|hydra\.((sweeper|launcher)(\..+)?|(sweep|run)\.dir|sweep\.subdir|job\.name)"
)
"""What overrides may set of Hydra: its other settings change what it imports, calls or prints."""
TRAINING = ("train", "run", "fit")  # words that people put before overrides
_PLAIN = re.compile(r"[^'\"\[\]{}()$,]*")  # a value without Hydra's syntax
_CALL = re.compile(r"\s*\w+\(.*\)\s*", re.DOTALL)
_TEXT = re.compile(rf"(?!{_CALL.pattern}\Z)({_PLAIN.pattern}\({_PLAIN.pattern}\))*{_PLAIN.pattern}")  # size (cm)
_OVERRIDE = re.compile(r"[+~]*[A-Za-z_][\w./@-]*=.+", re.DOTALL)
_GROUPED_DIGITS = re.compile(r"(?<![\w.])[-+]?[\d.]+_[\d_.e]*\b")


def prepare(overrides: Sequence[str], many: bool = False) -> list[str]:
    """Overrides with their texts quoted; ``many`` is for a sweep, where commas separate values.

    If none of them is the root, XORTRAIN_ROOT is checked.
    """
    refuse_blanks(overrides)
    use_files(overrides)
    overrides = list(map(with_entries, overrides))
    for override in overrides:
        _refuse_invalid_choice(override)
        _refuse_of_hydra(override)
        _refuse_folder(override, overrides)
        _refuse_plugin(override)
    if not any(override.lstrip("+").startswith("root=") for override in overrides):
        default_root()
    implied = [OF_WEIGHTS] if {text.partition("=")[0] for text in overrides} & {"init", WEIGHTS} == {WEIGHTS} else []
    return [_quoted_override(text, many) for text in [*implied, *overrides] if text != "experiment=null"]


def use_files(overrides: Sequence[str]) -> None:
    """Make the rows of the files that overrides name options, as in use=my_things.py."""
    if any(override.lstrip("+").startswith("use=") for override in overrides):
        from xortrain.config.own_rows import named_in, use

        use(named_in(overrides))


def with_entries(override: str) -> str:
    """An override of an entry as Hydra takes it, ++init.set.W1.0.1=2; it may be written W1[0,1]=2 too."""
    key, equals, value = override.partition("=")
    name = setting_of(key.removeprefix(f"{START}.")) if "[" in key else key
    is_new = has_entries(name) or above(name) != ""
    return f"++{name}{equals}{value}" if equals and is_new else override


def as_typed(text: str) -> str:
    """A text with such overrides as users write them, without the + that is for Hydra."""
    return re.sub(r"\+\+([\w.]+)", lambda found: found[has_entries(found[1]) or above(found[1]) != ""], text)


def _quoted_override(override: str, many: bool) -> str:
    key, equals, value = override.partition("=")
    if not equals or value in ("", "null") or value[0] in "'\"":
        return override
    if key in CHOICES and _PLAIN.fullmatch(value) and not many:
        return f"{key}={quote(value)}"
    if key.lstrip("+") in LISTS:
        return f"{key}={_quoted_list(value)}"
    parts = value.split(",") if many else [value]
    are_texts = all(map(_TEXT.fullmatch, parts))
    if key.lstrip("+") not in TEXTS and not (key == WEIGHTS and are_texts):
        _refuse_grouped_digits(override, value)
        return override
    is_one = len(parts) == 1 and not value.startswith("${") and not (many and _CALL.fullmatch(value))
    return f"{key}={','.join(map(quote, parts))}" if is_one or are_texts else override


def _quoted_list(value: str) -> str:
    """[a,2] as ['a','2'], and a as 'a'; anything with Hydra's syntax stays as it is."""
    is_list = value.startswith("[") and value.endswith("]")
    parts = [part.strip() for part in value[1:-1].split(",")] if is_list else [value]
    if not all(part and _TEXT.fullmatch(part) for part in parts):
        return value
    return "[" * is_list + ",".join(map(quote, parts)) + "]" * is_list


def quote(value: str) -> str:
    escaped = re.sub(r"(\\+)(?='|$)", r"\1\1", value).replace("'", "\\'")
    return f"'{escaped}'"


def no_such_command(words: Sequence[str], commands: Iterable[str]) -> UserError:
    """The error for words that begin neither with a command nor with an override."""
    refuse_blanks(words)
    first, others = words[0], words[1:]
    if _is_key(first):
        return UserError(f"{first}: is a setting; write {first}=VALUE")
    if first in TRAINING and all("=" in word or word.startswith("-") for word in others):
        return UserError(f"{first}: leave it out; overrides alone train, as in xortrain lr=1")
    return unknown_key(first, None, commands, "command")


def refuse_blanks(words: Sequence[str]) -> None:
    """Refuse an override that blanks divide into several words, as in lr = 0.1, lr 0.1 and lr=0.1, 1."""
    for start, first in enumerate(words):
        whole, end = first, start + 1
        while end < len(words) and (joined := _joined(whole, words[end])):
            whole, end = joined, end + 1
        if end > start + 1:
            raise UserError(f"{' '.join(words[start:end])}: write {whole}, without spaces")


def _joined(left: str, right: str) -> str:
    """Two words as one override; empty if they are not parts of one."""
    key, equals, value = left.partition("=")
    if _OVERRIDE.match(right) or re.match("-+[a-z]", right) or (value and key.lstrip("+") in TEXTS):
        return ""
    if left.endswith(("=", ",", ":", "[", "{", "(")) or right.startswith(("=", ",", "]", "}", ")")):
        return left + right
    return f"{left}={right}" if not equals and _is_key(left) else ""


def _is_key(word: str) -> bool:
    return word.lstrip("+") in {*TOP, *PLAIN_GROUPS, *GROUPS, *dotted_keys()}


def _refuse_grouped_digits(override: str, value: str) -> None:
    found = _GROUPED_DIGITS.search(value)
    if found:
        raise UserError(f"{override}: write {found[0].replace('_', '')}; digits are not grouped by _")


def fitting_override(group: str, value: str) -> str:
    """The override that a wrong choice was meant for, as film.format=mp4 for film=mp4; empty if there is none."""
    for option, row in GROUPS.get(group, {}).items():
        for key, setting in row.settings.items():
            chosen = "" if key in keys_of(group, chosen_by_default()[group]) else f"{group}={option} "
            choice = value.rpartition(".")[2]
            if choice in setting.choices:
                return f"{chosen}{group}.{key}={choice}"
            if setting.kind == "wholes" and re.fullmatch(r"\[?\d+(, *\d+)*\]?", value):
                return f"{chosen}{group}.{key}=[{value.strip('[]')}]"
            if setting.kind == "path" and re.search(r"[./~\\]", value):
                return f"{chosen}{group}.{key}={value}"
            if value == key:
                return f"{chosen}{group}.{key}=…"
    return ""


def _refuse_of_hydra(override: str) -> None:
    """Refuse settings of Hydra that are not known to be harmless, and every name of something to call."""
    key, _, value = override.partition("=")
    name, at, package = key.lstrip("+~").partition("@")
    if "_target_" in override:
        raise UserError(f"{override}: cannot be set; what is called is chosen by hydra/sweeper=, hydra/launcher=")
    if name.split(".")[0].split("/")[0] == "hydra" and (at or not OF_HYDRA.fullmatch(name)):
        raise UserError(
            f"{cut(override)}: Hydra's {cut(name)} cannot be set. Known: hydra/sweeper, hydra/launcher and their keys, "
            "hydra.sweep.dir, hydra.job.name"
        )
    if "/" in name and name.startswith("hydra") and not re.fullmatch(r"[\w.-]+", value):
        raise UserError(f"{override}: must be the name of an installed {name.split('/')[1]}")
    if re.match(r"(\w+:)*_?hydra\b", package):
        raise UserError(f"{override}: is not a part of hydra")


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
        fitting = fitting_override(group, value)
        hint = f"write {fitting}" if fitting else f"to run each: -m {group}={value.strip('[]')}"
        raise UserError(f"{override}: {group} takes one choice, not a list; {hint}")
    if group in GROUPS and equals and value in ("", "null"):
        raise UserError(f"{override}: must be one of {', '.join(GROUPS[group])}")
