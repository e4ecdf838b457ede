"""One run from its configuration to its record and its film.

Everything is checked before the first folder is made, so that a mistake leaves nothing behind.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xortrain.experiment.build import Build
from xortrain.experiment.filming import film_settings, subject
from xortrain.experiment.population import Population
from xortrain.experiment.train import into_memory, into_record, make_folder, start_record
from xortrain.experiment.trained import Run, Trained
from xortrain.nets import Array
from xortrain.records.reader import StoredRecord


def in_memory(config: Mapping[str, Any], arrays: tuple[Array, Array] | None = None) -> Run:
    """Train one run and write nothing."""
    build = Build.of(Population(config, arrays=arrays))
    history, rows = into_memory(build)
    return Run(Trained(build, rows, history))


def recorded(config: Mapping[str, Any], progress: bool = False) -> tuple[Run, Path | None]:
    """Train one run into a record under its root, and write its film beside it."""
    build = Build.of(Population(config))
    film = None if config["film"]["name"] == "none" else film_settings(config)
    folder = make_folder(config["root"])
    into_record(build, start_record(build, folder), progress)
    record = StoredRecord.open(folder)
    trained = Trained(build, record.rows, record)
    if film is None:
        return Run(trained), None
    from xortrain.films import write

    return Run(trained), write(
        subject(trained, 0), film, folder / f"film.{config['film']['format']}", progress=progress
    )
