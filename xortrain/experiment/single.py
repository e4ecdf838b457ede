"""One run from its configuration to its record and its film.

Everything is checked before the first folder is made, so that a mistake leaves nothing behind.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xortrain.experiment.build import Build
from xortrain.experiment.filming import film, film_name, film_settings
from xortrain.experiment.population import Population
from xortrain.experiment.train import (
    FILM,
    GO_ON,
    interruptible,
    into_memory,
    into_record,
    make_folder,
    start_record,
    told_where,
)
from xortrain.experiment.trained import Run, Trained
from xortrain.nets import Array
from xortrain.records.environment import describe
from xortrain.records.reader import StoredRecord


def in_memory(config: Mapping[str, Any], arrays: tuple[Array, Array] | None = None) -> Run:
    """Train one run and write nothing."""
    build = Build.of(Population(config, arrays=arrays))
    history, rows = into_memory(build)
    return Run(Trained(build, rows, history))


def recorded(config: Mapping[str, Any], progress: bool = False) -> tuple[Run, Path | None]:
    """Train one run into a record under its root, and write its film beside it."""
    build = Build.of(Population(config))
    settings = None if config["film"]["name"] == "none" else film_settings(config)
    folder = make_folder(config["root"])
    with told_where(folder), interruptible(GO_ON, folder):
        into_record(build, start_record(build, folder, "run", describe()), progress)
    record = StoredRecord.open(folder)
    trained = Trained(build, record.rows, record)
    if settings is None:
        return Run(trained), None
    with told_where(folder), interruptible(FILM, folder):
        return Run(trained), film(trained, settings, folder / film_name(config), progress=progress)
