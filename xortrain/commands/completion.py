"""Tab completion, ``xortrain -sc``: scripts for shells, and what may stand where the cursor is.

The answer to a query is whole words, one per line; it is empty if anything goes wrong, since it appears in a prompt.
"""

import argparse
import os
import re
import shlex
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from xortrain.commands import COMMANDS
from xortrain.commands.arguments import ASKED, ParserFound
from xortrain.errors import UserError
from xortrain.records.index import folders, id_of
from xortrain.records.naming import user_path, usual_root
from xortrain.startup import numpy_when_used

BASH = """\
_xortrain() {
    local IFS=$'\\n' word="${COMP_LINE:0:COMP_POINT}" head
    word="${word##*[[:space:]]}"
    head="${word%"${word##*[=:]}"}"  # bash replaces only what follows the last = or :
    COMPREPLY=( $(COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" xortrain -sc query=bash 2>/dev/null) )
    COMPREPLY=( "${COMPREPLY[@]#"$head"}" )
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -o default -o nosort -F _xortrain xortrain"""
ZSH = """\
_xortrain() {
    local -a found
    found=("${(@f)$(COMP_LINE="${BUFFER[1,CURSOR]}" xortrain -sc query=zsh 2>/dev/null)}")
    if [[ -n "$found" ]]; then compadd -Q -S '' -- $found; else compset -P '*='; _files; fi
}
compdef _xortrain xortrain"""
FISH = "complete -c xortrain -a '(env COMP_LINE=(commandline -cp) xortrain -sc query=fish 2>/dev/null)'"
SHELLS = {
    "bash": (BASH, "complete -r xortrain"),
    "zsh": (ZSH, "compdef -d xortrain"),
    "fish": (FISH, "complete -c xortrain -e"),
}
"""Shell to the script that installs completion, and the one that removes it."""
FLAGS = ("--multirun", "--cfg", "--resolve", "--package", "--info", "--config-dir", "--hydra-help", "--help")
VALUES = {"--cfg": ("job", "hydra", "all"), "-c": ("job", "hydra", "all"), "--info": ("all", "config", "defaults")}
RECORDS = ("RUN", "SWEEP", "RECORD")
MOST = 200  # records offered, the newest ones


def completion(words: Sequence[str]) -> str:
    """The answer to -sc install=SHELL, uninstall=SHELL or query=SHELL."""
    action, _, shell = (words[0] if len(words) == 1 else "").partition("=")
    if action not in ("install", "uninstall", "query") or shell not in SHELLS:
        raise UserError(f"{' '.join(('-sc', *words))}: must be install=, uninstall= or query= of {', '.join(SHELLS)}")
    if action != "query":
        return SHELLS[shell][action == "uninstall"]
    line = os.environ.get("COMP_LINE", "")
    point = os.environ.get("COMP_POINT", "")
    try:
        return "\n".join(offered(line[: int(point)] if point.isdecimal() else line))
    except Exception:  # a broken line, an unreadable folder
        return ""


def offered(line: str) -> list[str]:
    """What the last word of a line may become."""
    words = _split(line)
    names = [place for place, word in enumerate(words) if Path(word).name in ("xortrain", "xortrain.exe")]
    *before, last = words[names[0] + 1 :] if names else words[1:] or [""]
    if before and before[0] in COMMANDS:
        found = _of_command(before, last)
    elif before and before[-1] in VALUES:
        found = VALUES[before[-1]]
    elif last.startswith("-"):
        found = FLAGS
    else:
        found = [*(() if before else (*COMMANDS, "help")), *_settings(before, last)]
    return [word for word in dict.fromkeys(found) if word.startswith(last)]


def _split(line: str) -> list[str]:
    """The words of a line, the last one unfinished, without its quotes."""
    for quote in ("", "'", '"'):
        with suppress(ValueError):
            words = shlex.split(line + quote)
            return words if quote or line[-1:].strip() else [*words, ""]
    return [""]


def _of_command(words: Sequence[str], last: str) -> Iterable[str]:
    """Options of a command and their values, records, and settings."""
    parser = _parser(words[0])
    options = {name: action for action in parser._actions for name in action.option_strings}
    if last.startswith("-"):
        return [name for name in options if name.startswith("--")]
    valued = options.get(words[-1])
    if valued is not None and valued.nargs is None:
        return map(str, valued.choices or ())
    found = list[str]()
    for action in (one for one in parser._actions if not one.option_strings):
        if action.metavar in RECORDS or action.dest == "what":
            found += _records(words)
        if action.dest in ("override", "what"):
            found += _settings(words, last)
    return found


def _parser(command: str) -> argparse.ArgumentParser:
    module, _, function = COMMANDS[command][0].partition(":")
    try:
        next(iter(getattr(import_module(f"xortrain.commands.{module}"), function)([ASKED])))  # some answer in parts
    except ParserFound as shown:
        return shown.parser
    raise AssertionError(f"{command} has no parser")


def _records(words: Sequence[str]) -> list[str]:
    """The ids under the root that a line names, newest first."""
    named = re.search(r"--root[=\0]([^\0]+)", "\0".join(words))
    root = user_path(named[1] if named else usual_root())
    ids = sorted((id_of(folder, root) for folder in folders(root)), reverse=True)
    return ["latest", *ids[:MOST]] if ids else []


def _settings(words: Sequence[str], last: str) -> list[str]:
    """Settings with an =, and after the = their values; in a list or a sweep, the next value."""
    with numpy_when_used():
        from xortrain.config.settings import (
            GROUPS,
            LAUNCHER,
            PLAIN_GROUPS,
            TOP,
            chosen_by_default,
            experiments,
            keys_of,
        )

    key, equals, value = last.partition("=")
    chosen = chosen_by_default() | dict(word.partition("=")[::2] for word in words if "=" in word)
    options = {group: keys_of(group, chosen[group]) for group in GROUPS if chosen[group] in GROUPS[group]}
    settings = {**TOP, **{f"hydra.launcher.{name}": setting for name, setting in LAUNCHER.items()}}
    for group, keys in {**PLAIN_GROUPS, **options}.items():
        settings |= {f"{group}.{name}": setting for name, setting in keys.items()}
    if not equals:
        return [f"{name}=" for name in (*GROUPS, *settings) if name.startswith(key)]
    done = value[: value.rfind(",") + 1] or ("[" if value.startswith("[") else "")
    if key == "experiment":
        known: Iterable[str] = [path.stem for path in experiments()]
    elif key in GROUPS:
        known = GROUPS[key]
    else:
        setting = settings.get(key)
        known = () if setting is None else ("true", "false") if setting.kind == "flag" else setting.choices
    return [f"{key}={done}{name}" for name in known]
