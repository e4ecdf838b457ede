"""Plans a sweep before it starts: checks every job, and computes what is recorded, whether it fits, and what it costs.

Nothing is written here; errors name the first invalid job.
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

from xortrain.errors import UserError, counted
from xortrain.nets import Array
from xortrain.runner.engines import Engine
from xortrain.runner.train import empty_history, rows_of, train_block, unwritable
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.engine import chosen_engine

ONE_FOR_ALL = ("root", "dry_run", "page", "track.bytes")
LARGEST_OWN = 2 << 30  # bytes of examples that differ between runs
SPARE = 1_000_000  # bytes that are left free on the disk
SMALL_FILES = 20_000  # bytes of a record besides its arrays and rows
SMALLEST_BLOCK = 256  # runs; for smaller blocks the overhead outweighs more processes or threads
SMALLEST_STEP = 200_000  # numbers; a block with this many is never too small


@dataclass(frozen=True)
class Plan:
    """The populations of a sweep, ready to be trained; ``is_trimmed`` if it records less than `track` asks for."""

    setups: tuple[Setup, ...]
    is_trimmed: bool
    engine: Engine

    @property
    def root(self) -> str:
        return str(self.setups[0].population.shared("root"))

    @property
    def is_dry(self) -> bool:
        """Whether to print an estimate only."""
        return bool(self.setups[0].population.shared("dry_run"))

    @property
    def understood(self) -> list[str]:
        """What was understood of the user's own data, a line for each table."""
        return list(dict.fromkeys(setup.columns.line for setup in self.setups if setup.columns.line))

    @property
    def jobs(self) -> int:
        return sum(setup.population.runs for setup in self.setups)

    @property
    def bytes(self) -> int:
        """The size of the records on disk."""
        rows = sum(setup.population.runs * _row_bytes(setup.population) for setup in self.setups)
        return rows + sum(_array_bytes(setup) + _data_bytes(setup) + SMALL_FILES for setup in self.setups)

    def block_size(self, setup: Setup) -> int:
        """Runs per block: as many as fit the cache, fewer if some processes would have no block."""
        runs, processes = setup.population.runs, self.engine.at_once
        blocks = max(-(-runs // setup.block_size), 1 if processes == 1 else 2 * processes)
        even = -(-runs // (-(-blocks // processes) * processes))
        smallest = min(SMALLEST_BLOCK, -(-SMALLEST_STEP // setup.numbers_of_a_run))
        line = 64 if max(even, smallest) > 64 else 8  # runs, so that rows begin at cache lines
        return min(setup.block_size, -(-max(even, smallest) // line) * line)


def plan(populations: Sequence[Population], job_name: Callable[[int], str], engine: Sequence[Any] = ()) -> Plan:
    """Check all jobs, and reduce what is recorded to track.bytes.

    ``job_name`` describes a job by its number; ``engine`` are the fields of an `Engine`.
    """
    for key in ONE_FOR_ALL:
        if len({population.shared(key) for population in populations}) > 1:
            raise UserError(f"{key}: must be the same for all jobs of a sweep")
    return within_budget([_checked(population, job_name) for population in populations], Engine(*engine))


def within_budget(setups: Sequence[Setup], engine: Engine) -> Plan:
    """A plan of these setups that records no more than track.bytes."""
    budget = int(setups[0].population.shared("track.bytes"))
    fits = sum(map(_array_bytes, setups)) <= budget
    return Plan(tuple(setups if fits else _trimmed(setups, budget)), not fits, engine)


def refuse_what_does_not_fit(plan: Plan) -> None:
    """Raise UserError if the disk of the root has too little space."""
    free = free_bytes(plan.root)
    if free is not None and plan.bytes + SPARE > free:
        raise UserError(
            f"root={plan.root}: this sweep would write {size(plan.bytes)}, and {size(free)} are free, of which "
            f"{size(SPARE)} must stay free; lower track.bytes, track.losses or track.frames"
        )


def free_bytes(root: str) -> int | None:
    """The free space on the disk of a root, which may not exist yet; None where that is not known."""
    where = Path(root).absolute()
    there = next(folder for folder in (where, *where.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise unwritable(root, "not a folder" if not there.is_dir() else f"no permission to write into {there}")
    disk = shutil.disk_usage(there)
    return disk.free if disk.total else None


def _checked(population: Population, job_name: Callable[[int], str]) -> Setup:
    _refuse_large_data(population)
    try:
        return Setup.of(population)
    except UserError as error:
        raise job_error(job_name(int(_first_invalid(population).numbers[0])), error) from None


def job_error(job: str, error: Exception) -> UserError:
    """The error of a job, "job 3 (lr=-1)"; without the overrides in its name if the error begins with them."""
    name, _, own = job.partition(" (")
    return UserError(f"{name if own and str(error).startswith(f'{own[:-1]}:') else job}: {error}")


def _refuse_large_data(population: Population) -> None:
    """Refuse too many examples that differ between runs, before they are made."""
    first = population.part(slice(0, 1))
    if not any(key.startswith("data.") for key in first.varying) or _is_invalid(first):
        return
    setup = Setup.of(first)
    own = population.runs * _data_bytes(setup)
    if own > LARGEST_OWN:
        raise UserError(
            f"data: {population.runs} runs with different examples take {size(own)}, more than {size(LARGEST_OWN)}; "
            "sweep fewer at a time, or use the same data for all"
        )


def _first_invalid(population: Population) -> Population:
    """The first run that is invalid by itself, found by bisection; all runs if only their combination is invalid."""
    part = population
    while part.runs > 1:
        half = part.part(slice(part.runs // 2))
        part = half if _is_invalid(half) else part.part(slice(part.runs // 2, None))
    return part if _is_invalid(part) else population


def _is_invalid(population: Population) -> bool:
    try:
        Setup.of(population)
    except UserError:
        return True
    return False


def _trimmed(setups: Sequence[Setup], budget: int) -> list[Setup]:
    """Record the first and last snapshots only, and fewer losses if even those do not fit."""
    ends = [replace(setup, frame_epochs=setup.frame_epochs[[0, -1][: setup.population.epochs + 1]]) for setup in setups]
    frames = sum(_array_bytes(setup, losses=False) for setup in ends)
    share = (budget - frames) / sum(_array_bytes(setup, frames=False) for setup in ends)
    return [replace(setup, loss_epochs=_thinned(setup.loss_epochs, share)) for setup in ends]


def _thinned(epochs: Array, share: float) -> Array:
    """A share of the epochs, evenly spaced, ends included."""
    points = min(len(epochs), max(2, int(share * len(epochs))))
    chosen: Array = epochs[np.unique(np.linspace(0, len(epochs) - 1, points).round().astype(int))]
    return chosen


def _array_bytes(setup: Setup, losses: bool = True, frames: bool = True) -> int:
    """The size of the losses, and of the snapshots with the last state, of a population."""
    each = losses * len(setup.loss_epochs) * (2 if setup.test else 1)
    last = sum(setup.state_sizes.values()) + setup.has_best * setup.shape.size
    each += frames * (len(setup.frame_epochs) * setup.shape.size + last)
    return each * setup.population.runs * setup.population.dtype.itemsize


def _data_bytes(setup: Setup) -> int:
    return sum(data.x.nbytes + data.t.nbytes for data in (setup.train, setup.test) if data)


def _row_bytes(population: Population) -> int:
    return rows_of(population.part(slice(0, 1))).itemsize


SAMPLES = 8  # populations that are timed
SECONDS = 0.15  # for each of them
LARGEST_EPOCH = 2_000_000  # examples times parameters times runs of an epoch that is timed
MOST_UPDATES = 100  # updates of an epoch that is timed
LARGEST_NETWORK = 100_000  # parameters of a network that is timed; a larger one takes in proportion
START, POOL, RENDER = 0.45, 0.9, 0.6  # seconds to start a sweep, to start its workers, and to render a film
PROGRAM, DRAWING = 31_000_000, 30_000_000  # bytes of memory of the program without runs, and of a film


def estimate(plan: Plan) -> str:
    """Jobs, populations, time, memory and disk of a sweep, in a few lines."""
    free, processes = free_bytes(plan.root), plan.engine.at_once
    has_film = any(setup.population.shared("film.name") != "none" for setup in plan.setups)
    seconds = _seconds(plan) / processes + START + POOL * (plan.engine.name != "inline") + RENDER * has_film
    recorded = "first and last snapshots" if plan.is_trimmed else "all that track asks for"
    cores = "on one core" if processes == 1 else f"on {processes} cores"
    lines = [
        *plan.understood,
        f"jobs         {plan.jobs}",
        f"populations  {len(plan.setups)}",
        *(
            f"             {setup.population.runs} x {setup.population.epochs} epochs, {setup.shape}, losses of "
            f"{counted(len(setup.loss_epochs), 'epoch')} and {counted(len(setup.frame_epochs), 'snapshot')} of each"
            for setup in plan.setups[:SAMPLES]
        ),
        *([f"             and {len(plan.setups) - SAMPLES} more"] if len(plan.setups) > SAMPLES else []),
        *(f"trained by   {engine}" for engine in dict.fromkeys(map(_engine_of, plan.setups[:SAMPLES]))),
        f"time         about {duration(seconds)} {cores}",
        f"memory       about {size(_memory(plan) + DRAWING * has_film)}",
        f"disk         {size(plan.bytes)}" + (f", of {size(free)} that are free" if free is not None else ""),
        f"recorded     {recorded}",
        "nothing was run: dry_run=true",
    ]
    return "\n".join(lines)


def _engine_of(setup: Setup) -> str:
    return str(chosen_engine(setup.population.shared("engine"), setup.first_task))


def estimate_run(config: Mapping[str, Any]) -> str:
    """The estimate of a single run."""
    return estimate(plan([Population(config)], lambda _: "this run"))


def size(number: float) -> str:
    """Bytes for a reader: 12 MB, 1.3 GB."""
    power = min(4, max(0, math.floor(math.log10(max(1, number)) / 3 + 1e-9)))
    scaled = number / 1000**power
    return f"{scaled:.{0 if power == 0 or scaled >= 9.95 else 1}f} {('bytes', 'kB', 'MB', 'GB', 'TB')[power]}"


def duration(seconds: float) -> str:
    """Seconds for a reader: 0.8 s, 12 s, 3 min, 2.5 h, 40 days, 3 years."""
    if seconds < 90:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 360_000:
        return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
    days = seconds / 86_400
    return f"{days:.0f} days" if days < 1000 else f"{days / 365.25:,.0f} years"


def _seconds(plan: Plan) -> float:
    """The seconds of all runs on one core, extrapolated from a sample of populations."""
    began, seconds, work = time.perf_counter(), 0.0, 0
    for setup in plan.setups[:: -(-len(plan.setups) // SAMPLES)]:
        seconds, work = seconds + _seconds_of(setup), work + _work(setup)
        if time.perf_counter() - began > SAMPLES * SECONDS:
            break
    return seconds * sum(map(_work, plan.setups)) / max(1, work)


def _work(setup: Setup) -> int:
    return setup.population.runs * (setup.population.epochs + 1) * setup.shape.size


def small_part(setup: Setup) -> Setup:
    """A part of a population that trains an epoch in milliseconds: fewer examples, runs and hidden units."""
    p, train, test = setup.population, setup.train, setup.test
    batch = p.shared("batch_size") or len(train.x)
    examples = min(len(train.x), max(1, LARGEST_EPOCH // setup.shape.size), MOST_UPDATES * batch)
    runs = min(p.runs, setup.block_size, max(1, LARGEST_EPOCH // (examples * setup.shape.size)))
    part = replace(setup.part(slice(runs)), frame_epochs=np.unique([0, p.epochs]))
    if examples < len(train.x):
        train, test = part.train.first(examples), part.test and part.test.first(examples)
        part = replace(part, train=train, test=test)
    if "weights" in p.config["init"] or p.shared("init.set"):  # which are of one size
        return part
    architecture = p.config["architecture"]
    while part.shape.size > LARGEST_NETWORK and max(architecture["hidden"], default=1) > 1:
        architecture = {**architecture, "hidden": [-(-units // 2) for units in architecture["hidden"]]}
        narrow = replace(part.population, config={**p.config, "architecture": architecture})
        part = replace(part, population=narrow)
    return part


def _seconds_of(setup: Setup) -> float:
    """The seconds of a population on one core, extrapolated from the first epochs of a small part of it."""
    part, epochs = small_part(setup), setup.population.epochs
    ratio = _work(setup) * len(setup.train.x) / (_work(part) * len(part.train.x))
    began = time.perf_counter()
    steps = train_block(part, slice(None), empty_history(part))
    marks = [(time.perf_counter(), next(steps))]
    while marks[-1][0] - began < SECONDS or len(marks) < 2:
        now = next(steps, None)
        if now is None:
            return (time.perf_counter() - began) * ratio
        marks.append((time.perf_counter(), now))
    steps.close()
    (first, from_epoch), (last, to_epoch) = marks[0], marks[-1]
    pace = (last - first) / (to_epoch - from_epoch)
    return (first - began + pace * (epochs - from_epoch)) * ratio


def _memory(plan: Plan) -> int:
    """The bytes of memory: rows of all runs twice, their numbers and settings, and one block in each process."""
    populations = [setup.population for setup in plan.setups]
    rows = sum(p.runs * (2 * _row_bytes(p) + 8 * (1 + len(p.varying))) for p in populations)
    workers = plan.engine.at_once if plan.engine.name != "inline" else 0
    block = 0
    for setup in plan.setups:
        numbers = min(setup.population.runs, setup.block_size) * (setup.numbers_of_a_run + 3 * setup.shape.size)
        block = max(block, numbers * setup.population.dtype.itemsize + _data_bytes(setup))
    return rows + PROGRAM * (1 + workers) + block * plan.engine.at_once
