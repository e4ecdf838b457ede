"""One run from its checked configuration to a trained network, in memory or in a record.

Everything is checked before the first folder is made, so that a mistake leaves nothing behind.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xortrain.nets import Array
from xortrain.records.process import describe
from xortrain.runner.train import RESUME, into_memory, into_record, make_folder, resumable, start_record, with_folder
from xortrain.runs.trained import TrainedRuns
from xortrain.setup.film_config import refuse_unfit_films
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup


def in_memory(config: Mapping[str, Any], arrays: tuple[Array, Array] | None = None) -> TrainedRuns:
    """Train one run and write nothing."""
    setup = Setup.of(Population(config, arrays=arrays))
    history, rows = into_memory(setup)
    return TrainedRuns(setup, rows, history)


def recorded(config: Mapping[str, Any], progress: bool = False) -> TrainedRuns:
    """Train one run into a new record under its root."""
    setup = Setup.of(Population(config))
    refuse_unfit_films([setup])
    folder = make_folder(config["root"])
    return record_run(setup, folder, progress)


def record_run(setup: Setup, folder: Path, progress: bool = False) -> TrainedRuns:
    """Train one run into a record in an empty folder."""
    with with_folder(folder), resumable(RESUME, folder):
        history, rows = into_record(setup, start_record(setup, folder, "run", describe()), progress)
    return TrainedRuns(setup, rows, history, folder)
