"""`xortrain resume`: train what a sweep still lacks, because it was stopped, killed or failed, and nothing else.

A block is done when all its rows have an outcome and its arrays are there; only the others are trained.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xortrain.commands.arguments import NAMES, ROOT, Parser
from xortrain.commands.arguments import count as whole
from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.events import now
from xortrain.records.files import shown_path
from xortrain.records.index import Entry
from xortrain.records.metadata import moment, read_sweep, took
from xortrain.records.naming import named
from xortrain.records.process import called, describe, last_sign
from xortrain.records.reader import RecordReader
from xortrain.records.tables import as_json
from xortrain.records.writer import RecordWriter
from xortrain.runner.engines import ENGINES, Engine, opened
from xortrain.runner.sweep import train_blocks
from xortrain.runner.train import Block, with_folder
from xortrain.runs.opening import open_trained, refuse_strange_files
from xortrain.runs.trained import TrainedRuns
from xortrain.views.summary import count
from xortrain.views.sweep_summary import sweep_ending


def resume(arguments: list[str]) -> str:
    """xortrain resume SWEEP; the text is what a sweep says in the end."""
    parser = Parser("xortrain resume", description="Train what is missing.", epilog=NAMES, allow_abbrev=False)
    parser.add_argument("sweep", metavar="SWEEP", help="a sweep, or a single run that was stopped")
    parser.add_argument("--root", type=Path, default=Path(ROOT), help="folder of the records (now %(default)s)")
    parser.add_argument("--json", action="store_true", help="the answer as one JSON array")
    parser.add_argument("--engine", choices=ENGINES, default="inline", help="as hydra.launcher.engine")
    parser.add_argument("--workers", type=whole, help="as hydra.launcher.workers")
    parser.add_argument("--address", help="as hydra.launcher.address")
    asked = parser.parse_args(arguments)
    found = named(asked.sweep, asked.root)
    if found.number is not None:
        raise UserError(f"{asked.sweep}: one run; resume takes the whole sweep, {asked.sweep.rpartition('#')[0]}")
    trained = resumed(found.entry, Engine(asked.engine, asked.workers, asked.address), show=True)
    if asked.json:
        return as_json([{"id": found.entry.id, "trained": trained}])
    text = sweep_ending(found.entry.folder, is_new=trained > 0)
    if not trained:
        return f"Nothing is missing.\n\n{text}"
    others = ", the others stay as they were" if trained < found.entry.runs else ""
    return f"{count(trained, 'run')} trained{others}\n\n{text}"


def resumed(entry: Entry, engine: Engine, show: bool = False) -> int:
    """Train what an entry lacks; returns how many runs that were."""
    if entry.status == "running":
        raise UserError(
            f"{shown_path(entry.folder)}: is running; resume it when it has stopped ({called(entry.metadata)})"
        )
    if entry.problems:
        raise UserError(entry.problems[0])
    refuse_strange_files(entry.folder)
    found = [_lacking(part.folder) for part in entry.parts]
    records = [record for record, blocks in found if blocks or record.metadata["status"] != "finished"]
    top = _top(entry.folder)
    if not records and all(record.metadata["status"] == "finished" for record in top):
        return 0
    with opened(engine) as train, with_folder(entry.folder):
        process = {key: value for key, value in describe().items() if key in ("host", "pid", "process_started")}
        for record in (*records, *top):
            _begin_again(record, process)
        blocks = [block for _, own in found for block in own]
        train_blocks(entry.folder, records, blocks, top, train, show)
    return sum(map(len, blocks))


def _begin_again(record: RecordWriter, process: Mapping[str, Any]) -> None:
    """Say that a record is trained by this process now; the time in between is none of its training."""
    end = moment(record.metadata.pop("ended", None)) or last_sign(record.folder)
    trained = max(0.0, took(record.metadata, end) or 0.0)
    record.metadata |= {"status": "running", "trained": trained, "resumed": now(), **process}
    record.write()
    record.event("resume", **process)


def _lacking(folder: Path) -> tuple[RecordWriter, list[Block]]:
    """The blocks of a record that are not done."""
    trained = open_trained(folder)
    assert isinstance(trained.kept, RecordReader)
    record = RecordWriter(folder, dict(trained.kept.metadata))
    blocks = [Block(record, trained.setup, number) for number in range(len(record.blocks))]
    return record, [block for block in blocks if not _is_done(block, trained)]


def _is_done(block: Block, trained: TrainedRuns) -> bool:
    assert isinstance(trained.kept, RecordReader)
    return bool(trained.rows["outcome"][block.runs].all()) and trained.kept.has_block(block.number)


def _top(folder: Path) -> list[RecordWriter]:
    """The sweep.json above several populations."""
    return [RecordWriter(folder, dict(read_sweep(folder)), layout.SWEEP)] if (folder / layout.SWEEP).is_file() else []
