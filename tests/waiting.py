"""Wait for conditions, never for a fixed time, so that a busy machine only makes tests slower."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Answer = TypeVar("Answer")
PATIENCE = 120.0  # seconds after which a test gives up


def wait_until(condition: Callable[[], Answer | None], process: "subprocess.Popen[str] | None" = None) -> Answer:
    """Wait until the condition returns something true, and return it; a process that should meet it must not end.

    Errors from reading a file that is still being written count as false.
    """
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if answer := condition():
                return answer
        except (ValueError, OSError, EOFError):
            pass
        if process and process.poll() is not None:
            raise AssertionError(f"it has ended with {process.returncode}: {process.communicate()}")
        time.sleep(0.002)
    raise AssertionError(f"condition still false after {PATIENCE:.0f} s")


def handles(pid: int, number: int) -> bool:
    """Return whether a process has installed a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    (caught,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (number - 1) & 1)


def has_loaded(pid: int, library: str) -> bool:
    """Return whether a process has loaded a library whose path contains this text."""
    return library in Path(f"/proc/{pid}/maps").read_text()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process in seconds; on one core it cannot exceed the elapsed time."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
