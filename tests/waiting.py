"""Tests wait for a condition, never for a time: a busy machine makes them slower, not wrong."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Answer = TypeVar("Answer")
PATIENCE = 120.0  # seconds until a test gives up on a process that hangs


def wait_until(condition: Callable[[], Answer | None]) -> Answer:
    """Wait until the condition holds, and return what it answers; a file that is being made counts as not there yet."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if answer := condition():
                return answer
        except (ValueError, OSError, EOFError):
            pass
        time.sleep(0.002)
    raise AssertionError(f"waited for {PATIENCE:.0f} s in vain")


def handles(pid: int, number: int) -> bool:
    """Whether a process has installed a handler of its own for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    (caught,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (number - 1) & 1)


def has_loaded(pid: int, library: str) -> bool:
    """Whether a process has mapped a library with this in its path."""
    return library in Path(f"/proc/{pid}/maps").read_text()


def cpu_seconds(pid: int) -> float:
    """What a process has computed so far: never more than the time that has passed, on one core."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
