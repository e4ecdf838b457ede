"""A sweep before it begins: every job checked, what will be kept of it, and whether that fits.

Nothing is written here; what cannot be is refused with the number of the first job that has it.
"""

import math
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.runner.engines import Engine
from xortrain.runner.train import blank_rows, empty_history, train_block, unwritable
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup

ONE_FOR_ALL = ("root", "dry_run", "track.bytes")
LARGEST_OWN = 2 << 30  # bytes of examples that differ from run to run
SPARE = 1_000_000  # bytes that are left free on the disk


@dataclass(frozen=True)
class Plan:
    """The builds of the populations; ``is_trimmed`` if not all is kept that was asked for."""

    setups: tuple[Setup, ...]
    is_trimmed: bool

    @property
    def root(self) -> str:
        return str(self.setups[0].population.shared("root"))

    @property
    def is_dry(self) -> bool:
        """Whether nothing is to be run."""
        return bool(self.setups[0].population.shared("dry_run"))

    @property
    def jobs(self) -> int:
        return sum(setup.population.runs for setup in self.setups)

    @property
    def bytes(self) -> int:
        """What the sweep will write."""
        return sum(_array_bytes(setup) + _other_bytes(setup) for setup in self.setups)


def plan(populations: Sequence[Population], called: Callable[[int], str] = "job {}".format) -> Plan:
    """Check all jobs, and fit what is kept into track.bytes; a job that cannot be is called by its number."""
    for key in ONE_FOR_ALL:
        if len({population.shared(key) for population in populations}) > 1:
            raise UserError(f"{key}: must be the same for all jobs of a sweep")
    setups = [_built(population, called) for population in populations]
    budget = int(populations[0].shared("track.bytes"))
    if sum(map(_array_bytes, setups)) <= budget:
        return Plan(tuple(setups), False)
    return Plan(tuple(_trimmed(setups, budget)), True)


def refuse_what_does_not_fit(plan: Plan) -> None:
    """Raise UserError if the disk under the root has too little space."""
    free = free_bytes(plan.root)
    if free is not None and plan.bytes + SPARE > free:
        raise UserError(
            f"root={plan.root}: this sweep would write {size(plan.bytes)}, and {size(free)} are free, of which "
            f"{size(SPARE)} must stay; lower track.bytes, track.losses or track.frames"
        )


def free_bytes(root: str) -> int | None:
    """The free space of the disk that a root lies on, or will lie on; None where that is not known."""
    where = Path(root).absolute()
    there = next(folder for folder in (where, *where.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise unwritable(root, "not a folder" if not there.is_dir() else f"no right to write into {there}")
    disk = shutil.disk_usage(there)
    return disk.free if disk.total else None


def size(number: float) -> str:
    """Bytes for a reader: 12 MB, 1.3 GB."""
    power = min(4, max(0, math.floor(math.log10(max(1, number)) / 3 + 1e-9)))
    scaled = number / 1000**power
    return f"{scaled:.{0 if power == 0 or scaled >= 9.95 else 1}f} {('bytes', 'kB', 'MB', 'GB', 'TB')[power]}"


def _built(population: Population, called: Callable[[int], str]) -> Setup:
    _refuse_large_data(population)
    try:
        return Setup.of(population)
    except UserError as error:
        raise UserError(f"{called(int(_culprit(population).numbers[0]))}: {error}") from None


def _refuse_large_data(population: Population) -> None:
    """Examples that each run has for itself are kept for each run; told before they are made."""
    first = population.part(slice(0, 1))
    if not any(key.startswith("data.") for key in first.varying) or _is_bad(first):
        return
    setup = Setup.of(first)
    own = population.runs * sum(part.x.nbytes + part.t.nbytes for part in (setup.train, setup.test) if part)
    if own > LARGEST_OWN:
        raise UserError(
            f"data: {population.runs} runs with examples of their own take {size(own)}, more than {size(LARGEST_OWN)}; "
            "sweep fewer at a time, or let all have the same data"
        )


def _culprit(population: Population) -> Population:
    """The first run that cannot be built by itself, found by halves; all of them if it takes more than one."""
    whole = population
    while population.runs > 1:
        half = population.runs // 2
        population = population.part(slice(half) if _is_bad(population.part(slice(half))) else slice(half, None))
    return population if _is_bad(population) else whole


def _is_bad(population: Population) -> bool:
    try:
        Setup.of(population)
    except UserError:
        return True
    return False


def _trimmed(setups: Sequence[Setup], budget: int) -> list[Setup]:
    """First and last snapshots alone; and thinner loss curves, if even those do not fit."""
    ends = [replace(setup, frame_epochs=setup.frame_epochs[[0, -1][: setup.population.epochs + 1]]) for setup in setups]
    share = (budget - sum(map(_frame_bytes, ends))) / sum(map(_loss_bytes, ends))
    return [replace(setup, loss_epochs=_thinned(setup.loss_epochs, share)) for setup in ends]


def _thinned(epochs: Array, share: float) -> Array:
    """A share of the points of a curve, its ends always, as even as they were."""
    points = min(len(epochs), max(2, int(share * len(epochs))))
    chosen: Array = epochs[np.unique(np.linspace(0, len(epochs) - 1, points).round().astype(int))]
    return chosen


def _array_bytes(setup: Setup) -> int:
    return _loss_bytes(setup) + _frame_bytes(setup)


def _loss_bytes(setup: Setup) -> int:
    curves = 2 if setup.test else 1
    return curves * len(setup.loss_epochs) * setup.population.runs * setup.population.dtype.itemsize


def _frame_bytes(setup: Setup) -> int:
    return len(setup.frame_epochs) * setup.shape.size * setup.population.runs * setup.population.dtype.itemsize


def _other_bytes(setup: Setup) -> int:
    """Rows, examples, and the smaller files."""
    row = blank_rows(setup.population.part(slice(0, 1))).itemsize
    parts = [part for part in (setup.train, setup.test) if part]
    return row * setup.population.runs + sum(part.x.nbytes + part.t.nbytes for part in parts) + 20_000


SAMPLES = 8  # populations of which a little is trained
SECONDS = 0.15  # for each of them
START, POOL, RENDER = 0.45, 0.9, 0.6  # seconds until a sweep begins, until its workers do, and for a film
PROGRAM, DRAWING = 31_000_000, 30_000_000  # bytes of memory before there is any run, and for a film


def estimate(planned: Plan, engine: Engine) -> str:
    """Jobs, populations, time, memory and disk of a sweep, in a few lines."""
    free = free_bytes(planned.root)
    processes, has_film = (
        engine.processes,
        any(setup.population.shared("film.name") != "none" for setup in planned.setups),
    )
    seconds = _seconds(planned) / processes + START + POOL * (processes > 1) + RENDER * has_film
    memory = _memory(planned, processes) + DRAWING * has_film
    kept = "first and last snapshots" if planned.is_trimmed else "all that track asks for"
    cores = "on one core" if processes == 1 else f"on {processes} cores"
    lines = [
        f"jobs         {planned.jobs}",
        f"populations  {len(planned.setups)}",
        *(f"             {_population_line(setup)}" for setup in planned.setups[:SAMPLES]),
        *([f"             and {len(planned.setups) - SAMPLES} more"] if len(planned.setups) > SAMPLES else []),
        f"time         about {duration(seconds)} {cores}",
        f"memory       about {size(memory)}",
        f"disk         {size(planned.bytes)}" + (f", of {size(free)} that are free" if free is not None else ""),
        f"kept         {kept}",
        "nothing was run: dry_run=true",
    ]
    return "\n".join(lines)


def estimate_one(config: Mapping[str, Any]) -> str:
    """The same of a single run."""
    return estimate(plan([Population(config)], lambda _: "this run"), Engine())


def duration(seconds: float) -> str:
    """Seconds for a reader: 0.8 s, 12 s, 3 min, 2.5 h."""
    if seconds < 90:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _population_line(setup: Setup) -> str:
    p = setup.population
    kept = f"{len(setup.loss_epochs)} losses and {len(setup.frame_epochs)} snapshots of each"
    return f"{p.runs} x {p.epochs} epochs, {setup.shape}, {kept}"


def _seconds(plan: Plan) -> float:
    """All runs' epochs, at the pace of some populations."""
    step = -(-len(plan.setups) // SAMPLES)
    sampled = plan.setups[::step]
    share = sum(map(_work, plan.setups)) / max(1, sum(map(_work, sampled)))
    return share * sum(map(_seconds_of, sampled))


def _work(setup: Setup) -> int:
    return setup.population.runs * (setup.population.epochs + 1) * setup.shape.size


def _seconds_of(setup: Setup) -> float:
    """The time of a whole population, from a part of one block of it."""
    runs = min(setup.population.runs, setup.block_size)
    ends = np.array([0, setup.population.epochs]) if setup.population.epochs else np.zeros(1, np.int64)
    part = replace(setup.part(slice(runs)), frame_epochs=ends)
    began = time.perf_counter()
    steps = train_block(part, slice(None), empty_history(part))
    marks = [(time.perf_counter(), next(steps))]
    while marks[-1][0] - began < SECONDS or len(marks) < 2:
        now = next(steps, None)
        if now is None:
            return (time.perf_counter() - began) * setup.population.runs / runs
        marks.append((time.perf_counter(), now))
    steps.close()
    (first, from_epoch), (last, to_epoch) = marks[0], marks[-1]
    pace = (last - first) / (to_epoch - from_epoch)
    return (first - began + pace * (setup.population.epochs - from_epoch)) * setup.population.runs / runs


def _memory(plan: Plan, processes: int) -> int:
    """Rows of all runs twice, their numbers and settings, and a block at work in every process."""
    rows = sum(_row_bytes(setup.population) for setup in plan.setups)
    workers = processes if processes > 1 else 0
    return rows + PROGRAM * (1 + workers) + max(map(_block_bytes, plan.setups)) * max(1, workers)


def _row_bytes(p: Population) -> int:
    row = blank_rows(p.part(slice(0, 1))).itemsize
    return p.runs * (2 * row + 8 * (1 + len(p.varying)))


def _block_bytes(setup: Setup) -> int:
    part = [held for held in (setup.train, setup.test) if held]
    runs = min(setup.population.runs, setup.block_size)
    at_work = runs * (setup.numbers_of_a_run + 3 * setup.shape.size) * setup.population.dtype.itemsize
    return at_work + sum(held.x.nbytes + held.t.nbytes for held in part)
