"""What has become of a training, derived when one asks: running, finished, failed, interrupted or crashed.

A record that says it is running is believed only while its process lives, or while its heartbeat is fresh where
processes cannot be seen from here: on another host, in another container, on a system other than Linux.
"""

import os
import socket
import time
from pathlib import Path

from xortrain.records import layout
from xortrain.records.about import About
from xortrain.records.environment import process_start

FRESH = 60.0  # seconds; a training touches its heartbeat every 10


def status(folder: Path, about: About) -> str:
    """The status of a record or a sweep, from what it says of itself and from the process it names."""
    told = str(about["status"])
    return told if told != "running" or is_alive(folder, about) else "crashed"


def is_alive(folder: Path, about: About) -> bool:
    """Whether the process that writes it lives, as far as can be known here."""
    pid, started, here = about.get("pid"), about.get("process_started"), process_start(os.getpid())
    if here and isinstance(started, str) and isinstance(pid, int) and about.get("host") == socket.gethostname():
        is_visible = started.rpartition(":")[0] == here.rpartition(":")[0]
        if is_visible:
            return process_start(pid) == started
    return _is_fresh(folder)


def _is_fresh(folder: Path) -> bool:
    """A clock that is ahead on another host is forgiven as much as one that is behind."""
    for name in (layout.HEARTBEAT, layout.RECORD, layout.SWEEP):
        try:
            touched = os.stat(folder / name, follow_symlinks=False).st_mtime
        except OSError:
            continue
        return abs(time.time() - touched) < FRESH
    return False
