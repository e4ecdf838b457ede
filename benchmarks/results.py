"""Measuring and storing: every benchmark prints its figures with the machine and the day.

Subjects that are compared are measured in turns in one run, so that a slower moment of the machine affects all.
"""

import os
import platform
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from statistics import median, quantiles

FOLDER = Path(__file__).parent / "results"


def in_turn(
    subjects: Mapping[str, Callable[[], object]], rounds: int = 5, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of each subject in each round, A B C A B C …, after one round of warming up.

    ``clock`` may be `time.process_time`, which counts the time of all threads of this process, and of no other.
    """
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(rounds + 1):
        for name, subject in subjects.items():
            start = clock()
            subject()
            if number:
                seconds[name].append(clock() - start)
    return seconds


def ratio(seconds: Mapping[str, list[float]], subject: str, against: str) -> float:
    """The median of subject / against, round by round."""
    return median(ratios(seconds, subject, against))


def ratios(seconds: Mapping[str, list[float]], subject: str, against: str) -> list[float]:
    """subject / against in each round."""
    return [a / b for a, b in zip(seconds[subject], seconds[against], strict=True)]


def judged(values: list[float], most: float | None = None, unit: str = "") -> str:
    """The median of values from each round and their middle half, as in "1.21 (1.18 to 1.30), at most 1.4: holds"."""
    middle = median(values)
    low, _, high = quantiles(values, n=4) if len(values) > 1 else [middle] * 3
    bound = f", at most {most:g}{unit}: {'holds' if middle <= most else 'does NOT hold'}" if most else ""
    return f"{middle:.2f}{unit} ({low:.2f} to {high:.2f}){bound}"


def keep(name: str, lines: list[str]) -> None:
    """Print the lines below a description of the machine, and write them to results/<day>-<name>.txt."""
    import numpy as np

    model = next((line for line in _cpu() if line.startswith("model name")), platform.processor()).partition(":")[2]
    head = f"{date.today()}  {name}  {model.strip()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    text = "\n".join([head, f"Python {platform.python_version()}, NumPy {np.__version__}", *lines, ""])
    print(text)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{date.today()}-{name}.txt").write_text(text, encoding="utf-8")


def _cpu() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
