"""The command line: a command by its first word, and overrides for Hydra otherwise.

Only this module prints.  Exit codes: 2 for a user's mistake, 1 for a failure, 130 for Ctrl-C, 143 for SIGTERM.
"""

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from xortrain.commands import COMMANDS
from xortrain.errors import LONGEST, FailedError, UserError, cut
from xortrain.runner.interrupts import Terminated, sigterm_as_interrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    gc.set_threshold(100_000, 50, 100)  # starting makes many objects and hardly any garbage
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with sigterm_as_interrupt():
            _run(words)
        return 0
    except UserError as error:
        return _complain(f"error: {error}", 2, LONGEST)
    except FailedError as error:
        if error.shown:
            print(error.shown)
        return _complain(f"failed: {error}", 1)
    except KeyboardInterrupt as error:
        code = 143 if isinstance(error, Terminated) else 130
        return _complain("; ".join(["interrupted", *map(str, error.args)]), code)
    except BrokenPipeError:  # as in xortrain ls | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.strerror is None:
            raise
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"error: {where}{error.strerror}", 1)


def _complain(line: str, code: int = 0, most: int | None = None) -> int:
    """Print a line to standard error, safe for a terminal and cut to ``most`` characters; returns the exit code."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in f"xortrain: {line}")
    print(cut(shown, most or len(shown)), file=sys.stderr)
    return code


def _say(text: str) -> None:
    print(text, flush=True)  # flushed here, where a closed pipe is caught


def _run(words: list[str]) -> None:
    if words and words[0] in COMMANDS:
        module, _, function = COMMANDS[words[0]][0].partition(":")
        answer = getattr(import_module(f"xortrain.commands.{module}"), function)(words[1:])
        for text in [answer] if isinstance(answer, str) else answer:
            _say(text)
    elif (words and words[0] == "help") or {"-h", "--help"} & set(words):
        with _numpy_when_used():
            from xortrain.config.help import help_text
        _say(help_text({name: line for name, (_, line) in COMMANDS.items()}))
    elif words and words[0] == "--version":
        from xortrain import __version__

        _say(f"xortrain {__version__}")
    elif words and words[0].isidentifier():
        with _numpy_when_used():
            from xortrain.config.overrides import no_such_command
        raise no_such_command(words, COMMANDS)
    else:
        from xortrain.hydra_app import run_overrides

        run_overrides(words, _say, _complain)


@contextmanager
def _numpy_when_used() -> Iterator[None]:
    """Import the tables in this context without NumPy, until it is used."""
    is_stub = sys.modules.setdefault("numpy", _NumPyWhenUsed("numpy")).__class__ is _NumPyWhenUsed
    yield
    if is_stub:
        sys.modules.pop("numpy", None)


class _NumPyWhenUsed(ModuleType):
    """Stands for NumPy while the tables are imported, which would take twice as long as all else that --help does."""

    def __getattr__(self, name: str) -> object:
        sys.modules.pop("numpy", None)
        return getattr(import_module("numpy"), name)
