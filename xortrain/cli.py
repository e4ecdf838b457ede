"""The command line: a command by its first word, and overrides for Hydra otherwise.

Only this module prints, by `terminal`, which also has the exit codes.
"""

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib import import_module

from xortrain.commands import COMMANDS
from xortrain.runner.interrupts import signals_as_exceptions
from xortrain.startup import numpy_when_used
from xortrain.terminal import complain, end, make_streams_safe, remarks_shown, say

DRAWING = ("compare", "resume", "continue", "rerun", "zoom", "render", "page")
"""The commands that may draw."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    gc.set_threshold(100_000, 50, 100)  # starting makes many objects and hardly any garbage
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with signals_as_exceptions(), remarks_shown():
            make_streams_safe()
            _run(words)
            sys.stdout.flush()
        return 0
    except BaseException as error:  # Ctrl-C from here on ends the program at once
        return end(error)


def _run(words: list[str]) -> None:
    os.getcwd()  # raises if the current folder no longer exists
    if words and words[0] in COMMANDS:
        if words[0] in DRAWING:
            _silence_matplotlib()
        module, _, function = COMMANDS[words[0]][0].partition(":")
        answer = getattr(import_module(f"xortrain.commands.{module}"), function)(words[1:])
        for text in [answer] if isinstance(answer, str) else answer:
            say(text)
    elif words and words[0] in ("-sc", "--shell-completion"):
        from xortrain.commands.completion import completion

        say(completion(words[1:]))
    elif (words and words[0] == "help") or {"-h", "--help"} & set(words):
        with nullcontext() if any(word.startswith("use=") for word in words) else numpy_when_used():
            from xortrain.config.help import help_text
            from xortrain.config.overrides import use_files

            use_files(words)
        say(help_text({name: line for name, (_, line) in COMMANDS.items()}))
    elif words and words[0] == "--version":
        from xortrain import __version__

        say(f"xortrain {__version__}")
    elif words and words[0].isidentifier():
        with numpy_when_used():
            from xortrain.config.overrides import no_such_command
        raise no_such_command(words, COMMANDS)
    else:
        from xortrain.hydra_app import run_overrides

        _silence_matplotlib()
        run_overrides(words, say, complain)


def _silence_matplotlib() -> None:
    """Hide what matplotlib says about the folder of its cache, and while it makes it."""
    import logging

    logging.getLogger("matplotlib").setLevel(logging.ERROR)
