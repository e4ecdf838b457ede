"""Which process: its host, its number, and when it started, which together name it for ever.

Linux says all three; elsewhere only the first two are known, and a heartbeat has to do.
"""

import os
import platform
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from xortrain.records import layout
from xortrain.records.files import plain
from xortrain.records.metadata import Metadata


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


def called(metadata: Mapping[str, Any]) -> str:
    """The process that a record names, as one could look for it."""
    return plain(f"process {metadata.get('pid')} on {metadata.get('host') or 'an unknown host'}")


def is_running(named_host: object, pid: object, started: object) -> bool | None:
    """Whether that process runs; None where it cannot be seen from here."""
    here = process_start(os.getpid())
    if here is None or not isinstance(started, str) or type(pid) is not int or named_host != host():
        return None
    if started.rpartition(":")[0] != here.rpartition(":")[0]:  # another boot, another container
        return None
    return process_start(pid) == started


_TOUCHED = (layout.HEARTBEAT, layout.RECORD, layout.SWEEP)
FRESH = 60.0  # seconds; a training touches its heartbeat every 10


def status(folder: Path | str, metadata: Metadata) -> str:
    """The status of a record or a sweep, from what it says of itself and from the process it names."""
    if metadata["status"] != "running":
        return str(metadata["status"])
    lives = is_running(metadata.get("host"), metadata.get("pid"), metadata.get("process_started"))
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


PACKAGES = ("numpy", "matplotlib", "hydra-core", "omegaconf", "imageio", "pillow")


def describe() -> dict[str, Any]:
    """Everything about this process that a record keeps; plain values for JSON."""
    return {
        "host": host(),
        "pid": os.getpid(),
        "process_started": process_start(os.getpid()),
        "versions": _versions(),
        "platform": platform.platform(),
        "cpu_features": cpu_features(),
        "command": sys.argv,
        "folder": os.getcwd(),
        "git": git_state(),
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {"xortrain": sys.modules["xortrain"].__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def cpu_features() -> list[str]:
    """The SIMD extensions that NumPy found here, baseline included."""
    import numpy as np

    extensions = np.show_config(mode="dicts").get("SIMD Extensions", {})
    return [*extensions.get("baseline", []), *extensions.get("found", [])]


def git_state() -> dict[str, Any] | None:
    """Commit and dirtiness of the folder the program was started in; None outside a repository."""
    import subprocess

    # not `git describe --dirty`, which locks and rewrites the index of a repository that is somebody else's
    command = ["git", "--no-optional-locks", "status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    told = [line for line in answer.stdout.splitlines() if line.startswith("# branch.oid ")]
    commit = told[0].rpartition(" ")[2] if told else "(initial)"
    if answer.returncode or commit == "(initial)":
        return None
    return {"commit": commit, "dirty": any(not line.startswith("#") for line in answer.stdout.splitlines())}
