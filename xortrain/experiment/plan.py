"""A sweep before it begins: every job checked, what will be kept of it, and whether that fits.

Nothing is written here; what cannot be is refused with the number of the first job that has it.
"""

import math
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xortrain.errors import UserError
from xortrain.experiment.build import Build
from xortrain.experiment.population import Population
from xortrain.experiment.train import blank_rows, unwritable
from xortrain.nets import Array

ONE_FOR_ALL = ("root", "dry_run", "track.bytes")
LARGEST_OWN = 2 << 30  # bytes of examples that differ from run to run
SPARE = 1_000_000  # bytes that are left free on the disk


@dataclass(frozen=True)
class Plan:
    """The builds of the populations; ``is_trimmed`` if not all is kept that was asked for."""

    builds: tuple[Build, ...]
    is_trimmed: bool

    @property
    def root(self) -> str:
        return str(self.builds[0].population.shared("root"))

    @property
    def is_dry(self) -> bool:
        """Whether nothing is to be run."""
        return bool(self.builds[0].population.shared("dry_run"))

    @property
    def jobs(self) -> int:
        return sum(build.population.runs for build in self.builds)

    @property
    def bytes(self) -> int:
        """What the sweep will write."""
        return sum(_bytes(build) + _other_bytes(build) for build in self.builds)


def plan(populations: Sequence[Population], called: Callable[[int], str] = "job {}".format) -> Plan:
    """Check all jobs, and fit what is kept into track.bytes; a job that cannot be is called by its number."""
    for key in ONE_FOR_ALL:
        if len({population.shared(key) for population in populations}) > 1:
            raise UserError(f"{key}: must be the same for all jobs of a sweep")
    builds = [_built(population, called) for population in populations]
    budget = int(populations[0].shared("track.bytes"))
    if sum(map(_bytes, builds)) <= budget:
        return Plan(tuple(builds), False)
    return Plan(tuple(_trimmed(builds, budget)), True)


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


def _built(population: Population, called: Callable[[int], str]) -> Build:
    _refuse_large_data(population)
    try:
        return Build.of(population)
    except UserError as error:
        raise UserError(f"{called(int(_culprit(population).numbers[0]))}: {error}") from None


def _refuse_large_data(population: Population) -> None:
    """Examples that each run has for itself are kept for each run; told before they are made."""
    first = population.part(slice(0, 1))
    if not any(key.startswith("data.") for key in first.varying) or _is_bad(first):
        return
    build = Build.of(first)
    own = population.runs * sum(part.x.nbytes + part.t.nbytes for part in (build.train, build.test) if part)
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
        Build.of(population)
    except UserError:
        return True
    return False


def _trimmed(builds: Sequence[Build], budget: int) -> list[Build]:
    """First and last snapshots alone; and thinner loss curves, if even those do not fit."""
    ends = [replace(build, frame_epochs=build.frame_epochs[[0, -1][: build.population.epochs + 1]]) for build in builds]
    share = (budget - sum(map(_frame_bytes, ends))) / sum(map(_loss_bytes, ends))
    return [replace(build, loss_epochs=_thinned(build.loss_epochs, share)) for build in ends]


def _thinned(epochs: Array, share: float) -> Array:
    """A share of the points of a curve, its ends always, as even as they were."""
    points = min(len(epochs), max(2, int(share * len(epochs))))
    chosen: Array = epochs[np.unique(np.linspace(0, len(epochs) - 1, points).round().astype(int))]
    return chosen


def _bytes(build: Build) -> int:
    return _loss_bytes(build) + _frame_bytes(build)


def _loss_bytes(build: Build) -> int:
    curves = 2 if build.test else 1
    return curves * len(build.loss_epochs) * build.population.runs * build.population.dtype.itemsize


def _frame_bytes(build: Build) -> int:
    return len(build.frame_epochs) * build.shape.size * build.population.runs * build.population.dtype.itemsize


def _other_bytes(build: Build) -> int:
    """Rows, examples, and the smaller files."""
    row = blank_rows(build.population.part(slice(0, 1))).itemsize
    parts = [part for part in (build.train, build.test) if part]
    return row * build.population.runs + sum(part.x.nbytes + part.t.nbytes for part in parts) + 20_000
