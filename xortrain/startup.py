"""How the program starts: quickly, and ended by a signal without a traceback, since no work is under way."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import Any

DEFAULT: dict[int, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
"""The signals that end the program, with their usual handlers."""
if hasattr(signal, "SIGHUP"):  # of a terminal that is closed; not on Windows
    DEFAULT[signal.SIGHUP] = signal.SIG_DFL


def leave(number: int, _: Any) -> None:
    """Handle a signal: one line for Ctrl-C, and the exit code of a shell."""
    if number == signal.SIGINT:
        with suppress(OSError):
            os.write(2, b"xortrain: interrupted\n")
    os._exit(128 + number)


def leave_at_once() -> None:
    """Handle these signals from now on, if they are not ignored, as in background jobs of a shell."""
    for number, usual in DEFAULT.items():
        if signal.getsignal(number) is usual:
            signal.signal(number, leave)


@contextmanager
def numpy_when_used() -> Iterator[None]:
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
