"""Kills sweeps (kill -9) at random moments, and checks what they leave.

The records must be complete up to the kill, the status true, and a resumed sweep have the bits of an undisturbed one.
The argument is the number of rounds, 100 by default.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from results import keep

from xortrain.api import Sweep
from xortrain.records.index import Entry, listing

MODULE = [sys.executable, "-m", "xortrain"]
JOBS = ["lr=0.1,1", "activation=tanh,relu", "seed=range(0,400)", "data=xor_cloud", "film=none"]
ENGINES = [[], ["hydra.launcher.engine=loky", "hydra.launcher.workers=2"]]
COLUMNS = ("number", "lr", "seed", "outcome", "solved_at", "final_loss", "best_loss", "accuracy")


def started(root: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [*MODULE, "-m", *JOBS, f"root={root}", *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def is_same(found: Sweep, other: Sweep) -> bool:
    arrays = [(found.losses, other.losses), (found.parameters, other.parameters)]
    arrays += [(found.column(name), other.column(name)) for name in COLUMNS]
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in arrays)


def killed(root: Path, moment: float, engine: list[str]) -> Entry | None:
    """A sweep with all its processes killed; None if it had not started."""
    process = started(root, *engine)
    time.sleep(moment)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    found = listing(root)
    assert not found.problems, found.problems
    begun = [entry for entry in found.entries if (entry.folder / "sweep.json").exists()]
    return begun[0] if begun else None


def checked(entry: Entry, undisturbed: Sweep) -> str:
    """Check what the kill left, resume it, and check again; returns when it was killed."""
    sweep = Sweep.of(entry)
    done = np.flatnonzero(sweep.column("outcome") != "pending")
    assert entry.status == (
        "finished" if len(done) == len(sweep) and entry.metadata["status"] == "finished" else "crashed"
    )
    assert not len(done) or is_same(sweep[done], undisturbed[done])
    subprocess.run([*MODULE, "resume", str(entry.folder)], check=True, stdout=subprocess.DEVNULL)
    assert is_same(Sweep.of(listing(entry.folder.parents[2]).entries[0]), undisturbed)
    return (
        "in the middle" if 0 < len(done) < len(sweep) else "before the first block" if not len(done) else "at the end"
    )


def main() -> None:
    rounds, luck = int(sys.argv[1]) if len(sys.argv) > 1 else 100, random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        started(Path(folder, "undisturbed")).wait()
        whole = time.perf_counter() - began
        undisturbed = Sweep.of(listing(Path(folder, "undisturbed")).entries[0])
        found: Counter[str] = Counter()
        for number in range(rounds):
            root = Path(folder, str(number))
            entry = killed(root, luck.uniform(0, 1.1 * whole), ENGINES[number % 2])
            found[checked(entry, undisturbed) if entry else "before it had started"] += 1
            shutil.rmtree(root, ignore_errors=True)
    moments = ", ".join(f"{times} {when}" for when, times in found.most_common())
    first = f"kill -9 at {rounds} random moments: {moments}"
    keep("kill", [first, "no recorded row lost, every status true, all resumed"])


if __name__ == "__main__":
    main()
