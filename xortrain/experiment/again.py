"""`xortrain rerun`: a run trained again from what its record holds, into a new record or to be compared with it.

Settings, examples and which epochs were kept all come from the record.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.errors import FailedError, UserError
from xortrain.experiment.build import epochs_kept
from xortrain.experiment.comparison import NEAR, first_difference, surroundings
from xortrain.experiment.population import Population
from xortrain.experiment.runs import Sweep, open_record
from xortrain.experiment.summary import count
from xortrain.experiment.titles import typed
from xortrain.experiment.train import into_memory, into_record, make_folder, start_record
from xortrain.experiment.trained import Run, Trained
from xortrain.records.environment import describe
from xortrain.records.reader import StoredRecord
from xortrain.tracker.arguments import NAMES, ROOT, Parser
from xortrain.tracker.text import as_json

MOST_NOTES = 3  # blocks of a sweep whose rounding is told


def rerun(arguments: list[str]) -> str:
    """xortrain rerun RUN [--check]; raises FailedError if it is to be the same and is not."""
    parser = Parser("xortrain rerun", description="Train a run again.", epilog=NAMES, allow_abbrev=False)
    parser.add_argument("run", metavar="RUN", help="a run; with --check a whole sweep too")
    parser.add_argument("--root", type=Path, default=Path(ROOT), help="folder of the records (now %(default)s)")
    parser.add_argument("--json", action="store_true", help="the answer as one JSON array")
    parser.add_argument("--check", action="store_true", help="write nothing; compare every kept number bit for bit")
    asked = parser.parse_args(arguments)
    found = open_record(asked.run, asked.root)
    if asked.check:
        said = check(found)
        return as_json([{"run": asked.run, "said": said}]) if asked.json else said
    if isinstance(found, Sweep):
        raise UserError(f"{asked.run}: a sweep of {len(found)} runs; name one of them, as in {asked.run}#0")
    again = _into_new_record(found, asked.root)
    if asked.json:
        return as_json([{"path": str(again.folder), **again.row}])
    return f"{again.summary()}\n\nrecord  {typed(again.folder or asked.root)}"


def _into_new_record(run: Run, root: Path) -> Run:
    population = Population({**run.config, "root": str(root)})
    losses, frames = epochs_kept(population)
    part = run.build.part(np.array([run.place]))
    build = replace(part, population=population, loss_epochs=losses, frame_epochs=frames)
    folder = make_folder(str(root))
    into_record(build, start_record(build, folder, "run", describe()), show=True)
    record = StoredRecord.open(folder)
    return Run(Trained(build, record.rows, record))


def check(found: Run | Sweep) -> str:
    """Train again and compare with what was kept, some runs at a time; returns what is said if it is the same."""
    now, runs, notes = describe(), 0, []
    for kept, about in _blocks(found):
        history, rows = into_memory(kept.build, show=True)
        notes.append(_compared(kept, Trained(kept.build, rows, history), about, now))
        runs += len(rows)
    if not runs:
        raise UserError("nothing to compare: none of these runs is finished")
    notes = [note for note in notes if note]
    how = "The same to 1e-9" if notes else "The same to the bit"
    return "\n".join([f"{how}: every kept loss and parameter of {count(runs, 'run')}", *notes[:MOST_NOTES]])


def _blocks(found: Run | Sweep) -> Iterator[tuple[Trained, Mapping[str, Any]]]:
    """What is to be compared, with what its record says of where it was trained."""
    if isinstance(found, Run):
        assert isinstance(found.trained.kept, StoredRecord)
        if found.outcome == "pending":
            raise UserError("nothing to compare: this run is not finished; xortrain resume finishes it")
        yield found.trained.only(found.place), found.trained.kept.about
        return
    for number, part in enumerate(found.parts):
        whole = found.population(number)
        for start in range(0, len(whole.finished), whole.build.block_size):
            yield whole.some(whole.finished[start : start + whole.build.block_size]), part.about


def _compared(kept: Trained, again: Trained, about: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Nothing if the bits are the same, a line if another processor's rounding is the difference; FailedError else."""
    difference = first_difference(kept, again)
    if difference is None:
        return ""
    parted = first_difference(kept, again, NEAR)
    is_other_cpu = set(about.get("cpu_features", [])) != set(now["cpu_features"])
    around = surroundings(about, now)
    if is_other_cpu and (parted is None or parted.epoch > difference.epoch):
        until = "to the end" if parted is None else f"until epoch {parted.epoch}, where the paths have parted"
        lines = [f"Another CPU rounds otherwise from epoch {difference.epoch} on; the same to 1e-9 {until}.", *around]
        return "\n".join(lines)
    where = f"job {kept.build.population.numbers[difference.run]}: " if len(kept.rows) > 1 else ""
    shown = around or ["versions and CPU features are those of the record"]
    raise FailedError(f"not the same: {where}{difference}", "\n".join(shown))
