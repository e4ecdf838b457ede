"""What a sweep would cost, for dry_run=true: time by training a little of it, disk and memory by counting.

Nothing is written.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from xortrain.experiment.build import Build
from xortrain.experiment.engines import Engine
from xortrain.experiment.plan import Plan, free_bytes, plan, size
from xortrain.experiment.population import Population
from xortrain.experiment.train import blank_rows, empty_history, train_block

SAMPLES = 8  # populations of which a little is trained
SECONDS = 0.15  # for each of them
START, POOL, FILM = 0.45, 0.9, 0.6  # seconds until a sweep begins, until its workers do, and for a film
PROGRAM, DRAWING = 31_000_000, 30_000_000  # bytes of memory before there is any run, and for a film


def estimate(planned: Plan, engine: Engine) -> str:
    """Jobs, populations, time, memory and disk of a sweep, in a few lines."""
    free = free_bytes(planned.root)
    processes, has_film = (
        engine.processes,
        any(build.population.shared("film.name") != "none" for build in planned.builds),
    )
    seconds = _seconds(planned) / processes + START + POOL * (processes > 1) + FILM * has_film
    memory = _memory(planned, processes) + DRAWING * has_film
    kept = "first and last snapshots" if planned.is_trimmed else "all that track asks for"
    cores = "on one core" if processes == 1 else f"on {processes} cores"
    lines = [
        f"jobs         {planned.jobs}",
        f"populations  {len(planned.builds)}",
        *(f"             {_described(build)}" for build in planned.builds[:SAMPLES]),
        *([f"             and {len(planned.builds) - SAMPLES} more"] if len(planned.builds) > SAMPLES else []),
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


def _described(build: Build) -> str:
    p = build.population
    kept = f"{len(build.loss_epochs)} losses and {len(build.frame_epochs)} snapshots of each"
    return f"{p.runs} x {p.epochs} epochs, {build.shape}, {kept}"


def _seconds(plan: Plan) -> float:
    """All runs' epochs, at the pace of some populations."""
    step = -(-len(plan.builds) // SAMPLES)
    sampled = plan.builds[::step]
    share = sum(map(_work, plan.builds)) / max(1, sum(map(_work, sampled)))
    return share * sum(map(_seconds_of, sampled))


def _work(build: Build) -> int:
    return build.population.runs * (build.population.epochs + 1) * build.shape.size


def _seconds_of(build: Build) -> float:
    """The time of a whole population, from a part of one block of it."""
    runs = min(build.population.runs, build.block_size)
    ends = np.array([0, build.population.epochs]) if build.population.epochs else np.zeros(1, np.int64)
    part = replace(build.part(slice(runs)), frame_epochs=ends)
    began = time.perf_counter()
    steps = train_block(part, slice(None), empty_history(part))
    marks = [(time.perf_counter(), next(steps))]
    while marks[-1][0] - began < SECONDS or len(marks) < 2:
        now = next(steps, None)
        if now is None:
            return (time.perf_counter() - began) * build.population.runs / runs
        marks.append((time.perf_counter(), now))
    steps.close()
    (first, from_epoch), (last, to_epoch) = marks[0], marks[-1]
    pace = (last - first) / (to_epoch - from_epoch)
    return (first - began + pace * (build.population.epochs - from_epoch)) * build.population.runs / runs


def _memory(plan: Plan, processes: int) -> int:
    """Rows of all runs twice, their numbers and settings, and a block at work in every process."""
    rows = sum(_row_bytes(build.population) for build in plan.builds)
    workers = processes if processes > 1 else 0
    return rows + PROGRAM * (1 + workers) + max(map(_block_bytes, plan.builds)) * max(1, workers)


def _row_bytes(p: Population) -> int:
    row = blank_rows(p.part(slice(0, 1))).itemsize
    return p.runs * (2 * row + 8 * (1 + len(p.varying)))


def _block_bytes(build: Build) -> int:
    part = [held for held in (build.train, build.test) if held]
    runs = min(build.population.runs, build.block_size)
    at_work = runs * (build.numbers_of_a_run + 3 * build.shape.size) * build.population.dtype.itemsize
    return at_work + sum(held.x.nbytes + held.t.nbytes for held in part)
