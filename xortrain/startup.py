"""How the program leaves while it starts and ends: at once, without a traceback, since nothing of its work is under way."""

import os
import signal
from contextlib import suppress
from typing import Any


def leave(number: int, _: Any) -> None:
    """Handle a signal: one line for Ctrl-C, and the exit code of a shell."""
    if number == signal.SIGINT:
        with suppress(OSError):
            os.write(2, b"xortrain: interrupted\n")
    os._exit(128 + number)


def leave_at_once() -> None:
    """Handle Ctrl-C and SIGTERM from now on, if they are not ignored, as in background jobs of a shell."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) is usual:
            signal.signal(number, leave)
