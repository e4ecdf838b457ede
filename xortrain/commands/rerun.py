"""`xortrain rerun`: a run trained again from what its record holds, into a new record or to be compared with it.

Settings, examples and which epochs were kept all come from the record.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from xortrain.commands.arguments import NAMES, ROOT, Parser
from xortrain.errors import UserError
from xortrain.records import columns
from xortrain.records.index import id_of, open_entry
from xortrain.records.naming import named
from xortrain.records.tables import as_json
from xortrain.runner.single import record_run
from xortrain.runner.train import make_folder
from xortrain.runner.verify import verify
from xortrain.runs.sweep_data import SweepData, open_record
from xortrain.runs.trained import RunData, TrainedRuns
from xortrain.setup.population import Population
from xortrain.setup.run_setup import epochs_kept
from xortrain.views.summary import ending


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
        problems = named(asked.run, asked.root).entry.problems
        if problems and isinstance(found, SweepData):
            raise UserError(problems[0])
        said = verify(found)
        return as_json([{"run": asked.run, "said": said}]) if asked.json else said
    if isinstance(found, SweepData):
        raise UserError(f"{asked.run}: a sweep of {len(found)} runs; name one of them, as in {asked.run}#0")
    again = _into_new_record(found, asked.root)
    if asked.json:
        entry = open_entry(str(again.folder), id_of(str(again.folder), asked.root))
        return as_json([columns.values(entry, entry.parts[0], 0)])
    return ending(again, None)


def _into_new_record(run: RunData, root: Path) -> TrainedRuns:
    population = Population({**run.config, "root": str(root)})
    losses, frames = epochs_kept(population)
    part = run.setup.part(np.array([run.place]))
    setup = replace(part, population=population, loss_epochs=losses, frame_epochs=frames)
    return record_run(setup, make_folder(str(root)), progress=True)
