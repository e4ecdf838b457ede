"""The time of a listing of 1,000 records and of the groups of 10,000 runs, from the shell to the table.

A process that only imports NumPy shows how much of it is the start of Python.  Processor time is measured too, since
other work on the machine changes it less.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from results import in_turn, keep

BOUNDS = {"ls, 1,000 records": 0.25, "group, 10,000 runs": 0.4}
START = {**{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}, "OMP_NUM_THREADS": "1"}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:

        def process(*words: str) -> Callable[[], object]:
            command = [sys.executable, *words]
            return lambda: subprocess.run(command, cwd=folder, env=START, check=True, stdout=subprocess.DEVNULL)

        process("-m", "xortrain", "film=none", "root=many")()
        copy(Path(folder, "many"), 1000)
        process("-m", "xortrain", "-m", "lr=0.1,1,3,10", "seed=range(0,2500)", "film=none")()
        subjects = {
            "python -c 'import numpy'": process("-c", "import numpy"),
            "ls, 1,000 records": process("-m", "xortrain", "ls", "--root", "many"),
            "ls --where, 1,000 records": process("-m", "xortrain", "ls", "--root", "many", "--where", "lr > 0.5"),
            "group, 10,000 runs": process("-m", "xortrain", "group", "latest"),
            "ls --where, 10,000 runs": process("-m", "xortrain", "ls", "--where", "outcome = 'solved' and lr > 2"),
            "sql, 10,000 runs": process("-m", "xortrain", "sql", "select lr, avg(accuracy) from runs group by 1"),
        }
        seconds = in_turn(subjects, rounds=9)
        processor = {name: min(_processor(subject) for _ in range(5)) for name, subject in subjects.items()}
    lines = []
    for name, times in seconds.items():
        bound = f"  at most {BOUNDS[name]} s" if name in BOUNDS else ""
        measured = f"median {median(times):.3f} s, best {min(times):.3f} s, processor {processor[name]:.3f} s"
        lines.append(f"{name:<28} {measured}{bound}")
    keep("tracker", lines)


def _processor(subject: Callable[[], object]) -> float:
    """The processor time of a process in seconds."""
    before = os.times()
    subject()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def copy(root: Path, records: int) -> None:
    """Fill a root with copies of its record that differ in their start only."""
    (first,) = root.glob("*/*")
    for number in range(1, records):
        shutil.copytree(first, root / f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}" / f"12-00-00-{number:06d}")


if __name__ == "__main__":
    main()
