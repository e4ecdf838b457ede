"""What has become of a training, derived when one asks: running, finished, failed, interrupted or crashed.

A record that says it is running is believed only while its process lives, or while its heartbeat is fresh where
processes cannot be seen from here: on another host, in another container, on a system other than Linux.
"""

import os
import time
from datetime import datetime
from pathlib import Path

from xortrain.records import layout
from xortrain.records.about import About
from xortrain.records.process import is_running

_TOUCHED = (layout.HEARTBEAT, layout.RECORD, layout.SWEEP)
FRESH = 60.0  # seconds; a training touches its heartbeat every 10


def status(folder: Path | str, about: About) -> str:
    """The status of a record or a sweep, from what it says of itself and from the process it names."""
    if about["status"] != "running":
        return str(about["status"])
    lives = is_running(about.get("host"), about.get("pid"), about.get("process_started"))
    return "running" if lives or (lives is None and _is_fresh(folder)) else "crashed"


def last_sign(folder: Path | str) -> datetime | None:
    """When a training last touched its record, to some ten seconds."""
    touched = [os.stat(path).st_mtime for name in _TOUCHED if os.path.isfile(path := f"{folder}/{name}")]
    return datetime.fromtimestamp(max(touched)).astimezone() if touched else None


def _is_fresh(folder: Path | str) -> bool:
    """A clock that is ahead on another host is forgiven as much as one that is behind."""
    for name in _TOUCHED:
        try:
            touched = os.stat(f"{folder}/{name}", follow_symlinks=False).st_mtime
        except OSError:
            continue
        return abs(time.time() - touched) < FRESH
    return False
