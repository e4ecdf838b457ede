"""Which process: its host, its number, and when it started, which together name it for ever.

Linux says all three; elsewhere only the first two are known, and a heartbeat has to do.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xortrain.records.files import plain


def process_start(pid: int) -> str | None:
    """When a process started, in the kernel's own words; None for one that has ended, reaped or not.

    Boot id, process namespace and clock ticks: a number is used again after a while, and in every container.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except (OSError, ValueError):
        return None
    return None if fields[0] in "ZX" else f"{boot}:{namespace}:{fields[19]}"


def host() -> str:
    """The name of this computer."""
    import socket

    return socket.gethostname()


def called(about: Mapping[str, Any]) -> str:
    """The process that a record names, as one could look for it."""
    return plain(f"process {about.get('pid')} on {about.get('host') or 'an unknown host'}")


def is_running(named_host: object, pid: object, started: object) -> bool | None:
    """Whether that process runs; None where it cannot be seen from here."""
    here = process_start(os.getpid())
    if here is None or not isinstance(started, str) or type(pid) is not int or named_host != host():
        return None
    if started.rpartition(":")[0] != here.rpartition(":")[0]:  # another boot, another container
        return None
    return process_start(pid) == started
