"""Where and with what a record was made: versions, processor features, git, process.

Another processor may round exp and log otherwise, so the features NumPy uses are part of a result.
"""

import os
import platform
import sys
from typing import Any

from xortrain.records.process import host, process_start

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
