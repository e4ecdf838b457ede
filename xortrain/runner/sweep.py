"""A sweep from its plan to its records: begun, trained block by block, and ended whatever happens.

One population is one record; several lie in folders of their own under a sweep.json.
"""

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xortrain.records import layout
from xortrain.records.events import now
from xortrain.records.process import describe
from xortrain.records.writer import RecordWriter, write_json
from xortrain.runner.engines import Engine, Train, opened
from xortrain.runner.plan import Plan, refuse_what_does_not_fit
from xortrain.runner.progress import progress
from xortrain.runner.train import RESUME, Block, Failure, ending, make_folder, resumable, start_record, with_folder
from xortrain.setup.film_config import refuse_unfit_films
from xortrain.setup.run_setup import Setup

SMALLEST_BLOCK = 256  # runs; smaller ones cost more for each than they gain by going to several processes


def run_sweep(plan: Plan, engine: Engine, show: bool = False) -> Path:
    """Train all jobs of a plan into a new folder under its root; what fails is left pending, with its reason."""
    refuse_what_does_not_fit(plan)
    refuse_unfit_films(plan.setups)
    with opened(engine) as train:
        folder = make_folder(plan.root, "sweeps")
        with with_folder(folder):
            records, top = _begun(folder, plan, engine)
            blocks = [
                Block(record, setup, number)
                for record, setup in zip(records, plan.setups, strict=True)
                for number in range(len(record.blocks))
            ]
            train_blocks(folder, records, blocks, top, train, show)
    return folder


def train_blocks(
    folder: Path,
    records: Sequence[RecordWriter],
    blocks: Sequence[Block],
    top: Sequence[RecordWriter],
    train: Train,
    show: bool,
) -> None:
    """Train these blocks into their records; ``top`` is the sweep.json above them, if there is one."""
    left = Counter(id(block.record) for block in blocks)
    failed = set[int]()
    jobs = sum(map(len, blocks))
    with resumable(RESUME, folder), ending([*records, *top]), progress(jobs, "runs", show) as shown:
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
    numbers = block.setup.population.numbers[block.runs]
    return f"job {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} jobs from {numbers[0]} to {numbers[-1]}"


def _begun(folder: Path, plan: Plan, engine: Engine) -> tuple[list[RecordWriter], list[RecordWriter]]:
    """The records of all populations, begun; what has been begun only in part is taken away again."""
    environment = describe() | {"trimmed": plan.is_trimmed}
    is_one = len(plan.setups) == 1
    try:
        if is_one:
            return [_record(folder, plan.setups[0], "sweep", environment, engine)], []
        records = []
        for number, setup in enumerate(plan.setups):
            inside = folder / f"population-{number:03d}"
            inside.mkdir()
            records.append(_record(inside, setup, "population", environment, engine))
        return records, [_top(folder, plan, environment)]
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _record(folder: Path, setup: Setup, kind: str, environment: Mapping[str, Any], engine: Engine) -> RecordWriter:
    return start_record(setup, folder, kind, environment, _block_size(setup, engine.processes))


def _block_size(setup: Setup, processes: int) -> int:
    """As large as the cache bears, and such that every process gets as many blocks, if there are runs enough."""
    runs = setup.population.runs
    blocks = max(-(-runs // setup.block_size), 1 if processes == 1 else 2 * processes)
    even = -(-runs // (-(-blocks // processes) * processes))
    aligned = -(-even // 64) * 64  # rows that begin where the processor likes them to
    return min(setup.block_size, max(SMALLEST_BLOCK, aligned))


def _top(folder: Path, plan: Plan, environment: Mapping[str, Any]) -> RecordWriter:
    """The sweep.json over several populations."""
    config = plan.setups[0].population.config
    metadata = {
        "format": layout.FORMAT,
        "status": "running",
        "started": now(),
        "kind": "sweep",
        **{key: config[key] for key in ("name", "tags", "notes")},
        "runs": plan.jobs,
        "populations": len(plan.setups),
        **environment,
    }
    write_json(folder / layout.SWEEP, metadata)
    return RecordWriter(folder, metadata, layout.SWEEP)
