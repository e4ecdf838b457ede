"""A sweep from its plan to its records: begun, trained block by block, and ended whatever happens.

One population is one record; several lie in folders of their own under a sweep.json.
"""

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xortrain.experiment.blocks import Block, Failure
from xortrain.experiment.build import Build
from xortrain.experiment.engines import Engine, Train, opened
from xortrain.experiment.plan import Plan, refuse_what_does_not_fit
from xortrain.experiment.progress import progress
from xortrain.experiment.sweep_films import refuse_unfit_films
from xortrain.experiment.train import GO_ON, ending, interruptible, make_folder, start_record, told_where
from xortrain.records import layout
from xortrain.records.environment import describe
from xortrain.records.events import now
from xortrain.records.writer import Record, write_json

SMALLEST_BLOCK = 256  # runs; smaller ones cost more for each than they gain by going to several processes


def run_sweep(plan: Plan, engine: Engine, show: bool = False) -> Path:
    """Train all jobs of a plan into a new folder under its root; what fails is left pending, with its reason."""
    refuse_what_does_not_fit(plan)
    refuse_unfit_films(plan.builds)
    with opened(engine) as train:
        folder = make_folder(plan.root, "sweeps")
        with told_where(folder):
            records, top = _begun(folder, plan, engine)
            blocks = [
                Block(record, build, number)
                for record, build in zip(records, plan.builds, strict=True)
                for number in range(len(record.blocks))
            ]
            train_blocks(folder, records, blocks, top, train, show)
    return folder


def train_blocks(
    folder: Path, records: Sequence[Record], blocks: Sequence[Block], top: Sequence[Record], train: Train, show: bool
) -> None:
    """Train these blocks into their records; ``top`` is the sweep.json above them, if there is one."""
    left = Counter(id(block.record) for block in blocks)
    failed = set[int]()
    jobs = sum(map(len, blocks))
    with interruptible(GO_ON, folder), ending([*records, *top]), progress(jobs, "runs", show) as shown:
        for block, result in train(blocks, shown):
            record = block.record
            if isinstance(result, Failure):
                failed.add(id(record))
                record.event("failure", block=block.number, reason=f"{_jobs(block)}: {result.reason}")
            else:
                record.finish_block(block.number, result)
            left[id(record)] -= 1
            if not left[id(record)]:
                record.end("failed" if id(record) in failed else "finished")
        for record in top if failed else ():
            record.end("failed")


def _jobs(block: Block) -> str:
    """The jobs in a block, by the first and the last of their numbers."""
    numbers = block.build.population.numbers[block.runs]
    return f"job {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} jobs from {numbers[0]} to {numbers[-1]}"


def _begun(folder: Path, plan: Plan, engine: Engine) -> tuple[list[Record], list[Record]]:
    """The records of all populations, begun; what has been begun only in part is taken away again."""
    environment = describe() | {"trimmed": plan.is_trimmed}
    is_one = len(plan.builds) == 1
    try:
        if is_one:
            return [_record(folder, plan.builds[0], "sweep", environment, engine)], []
        records = []
        for number, build in enumerate(plan.builds):
            inside = folder / f"population-{number:03d}"
            inside.mkdir()
            records.append(_record(inside, build, "population", environment, engine))
        return records, [_top(folder, plan, environment)]
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _record(folder: Path, build: Build, kind: str, environment: Mapping[str, Any], engine: Engine) -> Record:
    return start_record(build, folder, kind, environment, _block_size(build, engine.processes))


def _block_size(build: Build, processes: int) -> int:
    """As large as the cache bears, and such that every process gets as many blocks, if there are runs enough."""
    runs = build.population.runs
    blocks = max(-(-runs // build.block_size), 1 if processes == 1 else 2 * processes)
    even = -(-runs // (-(-blocks // processes) * processes))
    aligned = -(-even // 64) * 64  # rows that begin where the processor likes them to
    return min(build.block_size, max(SMALLEST_BLOCK, aligned))


def _top(folder: Path, plan: Plan, environment: Mapping[str, Any]) -> Record:
    """The sweep.json over several populations."""
    config = plan.builds[0].population.config
    about = {
        "format": layout.FORMAT,
        "status": "running",
        "started": now(),
        "kind": "sweep",
        **{key: config[key] for key in ("name", "tags", "notes")},
        "runs": plan.jobs,
        "populations": len(plan.builds),
        **environment,
    }
    write_json(folder / layout.SWEEP, about)
    return Record(folder, about, layout.SWEEP)
