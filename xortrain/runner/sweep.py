"""Trains a sweep from its plan: starts the records, trains block by block, and always writes a final status.

One population is one record; several have a folder each, beside a sweep.json.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path

from xortrain.config.own_rows import refuse_changed
from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.files import remove_leftovers
from xortrain.records.index import Entry, open_entry
from xortrain.records.lock import is_locked, locked
from xortrain.records.process import describe
from xortrain.records.writer import RecordWriter
from xortrain.runner.engines import Engine, Train
from xortrain.runner.plan import Plan, refuse_what_does_not_fit
from xortrain.runner.progress import progress
from xortrain.runner.train import RESUME, Block, Failure, final_status, new_record, start_record, working_in
from xortrain.setup.film_config import refuse_unfit_films, refuse_unfit_groups
from xortrain.setup.map_grid import refuse_unfit_maps
from xortrain.trained.opening import open_trained, refuse_strange_files
from xortrain.trained.run_data import TrainedRuns
from xortrain.training.engine import refuse_missing_machine
from xortrain.training.outcome import OUTCOMES


def run_sweep(plan: Plan, show: bool = False, parents: Sequence[TrainedRuns] = ()) -> Path:
    """Train all jobs of a plan into a new folder under its root; runs that fail stay pending, with a reason.

    ``parents`` are the trained populations that those of the plan continue, if they do.
    """
    refuse_what_does_not_fit(plan)
    refuse_unfit_films((setup.population.config for setup in plan.setups), plan.jobs)
    refuse_unfit_groups([setup.population for setup in plan.setups])
    refuse_unfit_maps(plan.setups)
    with plan.engine.open() as train, new_record(plan.root, "sweeps") as folder:
        records, top = _start(folder, plan)
        blocks = [
            Block.of(record, setup, number, parent)
            for record, setup, parent in zip_longest(records, plan.setups, parents)
            for number in range(len(record.blocks))
        ]
        _train_blocks(blocks, records, top, train, show)
    return folder


def resume_sweep(entry: Entry, engine: Engine) -> int:
    """Train the unfinished blocks of a stopped sweep, or a stopped single run; returns the number of runs trained."""
    if entry.status == "running":
        raise is_locked(entry.folder, entry.running_as, "resume it when it has stopped")
    if not any(_missing(entry)):
        return 0
    with engine.open() as train, working_in(entry.folder, RESUME), locked(entry.folder):
        for folder in {entry.folder, *(part.folder for part in entry.parts)}:
            remove_leftovers(folder)
        blocks, records, top = _missing(open_entry(entry.path, entry.id))  # another process may have just finished it
        for record in (*records, *top):
            record.resume()
        _train_blocks(blocks, records, top, train, show=True)
    return sum(map(len, blocks))


def _missing(entry: Entry) -> tuple[list[Block], list[RecordWriter], list[RecordWriter]]:
    """What a stopped sweep lacks: blocks, records that are not finished, and the sweep.json above them."""
    if entry.problems:
        raise UserError(entry.problems[0])
    refuse_strange_files(entry.folder)
    blocks, records = list[Block](), list[RecordWriter]()
    for part in entry.parts:
        known = part.metadata["outcomes"]
        own = {**part.metadata, "outcomes": [*known, *OUTCOMES[len(known) :]]}  # an older record lacks the newer words
        record, trained = RecordWriter(part.folder, own), open_trained(part.folder)
        setup = trained.setup
        refuse_changed(setup.configs, part.metadata)
        refuse_missing_machine(setup.instruction_set)
        lacking = [Block.of(record, setup, number) for number in trained.record.unfinished_blocks()]
        blocks += lacking
        records += [record] if lacking or record.metadata["status"] != "finished" else []
    top = [] if entry.is_one_record else [RecordWriter(entry.folder, dict(entry.metadata), layout.SWEEP)]
    is_finished = not records and all(record.metadata["status"] == "finished" for record in top)
    return blocks, records, [] if is_finished else top


def _train_blocks(
    blocks: Sequence[Block], records: Iterable[RecordWriter], top: Sequence[RecordWriter], train: Train, show: bool
) -> None:
    """Train blocks into their records; ``top`` is the sweep.json above them, if there is one."""
    left = Counter(id(block.record) for block in blocks)
    failed = set[int]()
    jobs = sum(map(len, blocks))
    with final_status([*records, *top]), progress(jobs, "runs", show) as bar:
        for block, result in train(blocks, bar):
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
    """The jobs of a block in words, with their first and last numbers."""
    numbers = block.setup.population.numbers[block.runs]
    return f"job {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} jobs from {numbers[0]} to {numbers[-1]}"


def _start(folder: Path, plan: Plan) -> tuple[list[RecordWriter], list[RecordWriter]]:
    """Start the records of all populations, and the sweep.json of several."""
    is_one = len(plan.setups) == 1
    environment, records = describe() | {"trimmed": plan.is_trimmed}, []
    for number, setup in enumerate(plan.setups):
        inside = folder if is_one else folder / layout.POPULATION.format(number)
        inside.mkdir(exist_ok=is_one)
        kind = "sweep" if is_one else "population"
        records.append(start_record(setup, inside, kind, environment, plan.block_size(setup)))
    if is_one:
        return records, []
    first, counts = plan.setups[0], {"runs": plan.jobs, "populations": len(plan.setups)}
    own = {"kind": "sweep", **{key: first.population.config[key] for key in ("name", "tags", "notes")}}
    parent = {"parent": asdict(first.origin)} if first.origin else {}
    return records, [RecordWriter.start_sweep(folder, {**own, **counts, **parent, **environment})]
