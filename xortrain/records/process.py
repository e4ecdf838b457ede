"""Identifies processes by host, id and start time, and describes this process.

The start time is known on Linux only; elsewhere a heartbeat file shows that training is still running.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

from xortrain.errors import printable


def process_start(pid: int) -> str | None:
    """Boot id, process namespace and clock ticks of a process's start; None if it has ended, even if not reaped yet.

    The process id alone is ambiguous: it is reused after a while, and by every container.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except (OSError, ValueError):
        return None
    return None if fields[0] in "ZX" else f"{boot}:{namespace}:{fields[19]}"


def host() -> str:
    import socket

    return socket.gethostname()


def process_name(metadata: Mapping[str, Any]) -> str:
    """The process that wrote a record, in words, as in "process 17 on vm"."""
    return printable(f"process {metadata.get('pid')} on {metadata.get('host') or 'an unknown host'}")


def is_running(named_host: object, pid: object, started: object) -> bool | None:
    """Whether a process is alive; None if it is not visible from here."""
    here = process_start(os.getpid())
    if here is None or not isinstance(started, str) or type(pid) is not int or named_host != host():
        return None
    if started.rpartition(":")[0] != here.rpartition(":")[0]:  # another boot, another container
        return None
    return process_start(pid) == started


TOKEN = r"[0-9a-f]{8}-\d{1,20}-\d{1,20}"


@lru_cache(maxsize=4)
def token(pid: int) -> str:
    """A process of this host as a part of file names: a number for host, boot and namespace, its id, and its start."""
    place, _, ticks = (process_start(pid) or "").rpartition(":")
    return f"{crc32(f'{host()}:{place}'.encode()):08x}-{pid}-{ticks or 0}"


def is_token_alive(text: str) -> bool | None:
    """Whether the process with this token is alive; None if it is not visible from here."""
    here, (place, pid, ticks) = process_start(os.getpid()), text.split("-")
    if here is None or place != token(os.getpid()).partition("-")[0]:
        return None
    return (process_start(int(pid)) or "").rpartition(":")[2] == ticks


PACKAGES = ("numpy", "matplotlib", "hydra-core", "omegaconf", "imageio", "pillow")


def identity() -> dict[str, Any]:
    """Host, id and start of this process, as `is_running` takes them."""
    return {"host": host(), "pid": os.getpid(), "process_started": process_start(os.getpid())}


def describe() -> dict[str, Any]:
    """What a record states about this process and its surroundings, as plain values for JSON."""
    import platform

    from xortrain.machine.library import cpu_features

    return {
        **identity(),
        "versions": _versions(),
        "platform": platform.platform(),
        "cpu_features": cpu_features(),
        "command": sys.argv,
        "folder": os.getcwd(),
        "git": git_state(),
    }


@cache  # they stay what they were imported as
def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {"xortrain": sys.modules["xortrain"].__version__, "python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def git_state() -> dict[str, Any] | None:
    """The commit of the working directory, and whether files differ from it; None outside a repository."""
    import subprocess

    # `git describe --dirty` would lock and rewrite the repository's index
    command = ["git", "--no-optional-locks", "status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = answer.stdout.splitlines()
    commit = next((line.rpartition(" ")[2] for line in lines if line.startswith("# branch.oid ")), "(initial)")
    if answer.returncode or commit == "(initial)":
        return None
    return {"commit": commit, "dirty": any(not line.startswith("#") for line in lines)}
