"""The films of a sweep: one that shows its runs side by side, and of every run one if asked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.experiment.build import Build
from xortrain.experiment.filming import MANY, film, film_name, film_settings, of_one, with_film
from xortrain.experiment.runs import Sweep
from xortrain.experiment.side_by_side import film_of_all
from xortrain.experiment.train import FILM, GO_ON, interruptible
from xortrain.experiment.trained import load
from xortrain.records.index import Entry, Part

OF_ONE = ("field", "weights")  # layouts that only a user can have asked for, and that show one run


def refuse_unfit_films(builds: Sequence[Build]) -> None:
    """Raise UserError for a film that could not be written in the end, or that a sweep has not got."""
    runs = sum(build.population.runs for build in builds)
    for build in {repr(build.population.config["film"]): build for build in builds}.values():
        config = build.population.config
        wanted = config["film"]
        if wanted["name"] == "none":
            continue
        if wanted["name"] in OF_ONE and runs > 1 and not wanted["each"]:
            known = "add film.each=true for a film of every run, or take film=sweep or film=losses, which show all"
            raise UserError(f"film={wanted['name']}: shows one run, and these are {runs:,}; {known}")
        film_settings(_side_by_side(config) if runs > 1 else config)
        if wanted["each"]:
            film_settings(_alone(config))


def sweep_films(entry: Entry, show: bool) -> list[Path]:
    """Write the films of a sweep; returns where they are."""
    wanted = [number for number, part in enumerate(entry.parts) if part.about["config"]["film"]["name"] != "none"]
    with interruptible(FILM if entry.status == "finished" else GO_ON, entry.folder):
        return [*_of_all(entry, wanted, show), *(path for k in wanted for path in _of_each(entry.parts[k], show))]


def _of_all(entry: Entry, wanted: Sequence[int], show: bool) -> list[Path]:
    """The film of all runs that have one; the settings are those of the first of them."""
    whole = Sweep.of(entry)
    runs = whole[np.isin(whole.which, wanted) & (whole.column("outcome") != "pending")]
    if not len(runs):
        return []
    config = runs.config
    path = entry.folder / film_name(config)
    if len(whole) == 1:
        return [film(runs[0].trained, film_settings(config), path, progress=show)]
    return [film_of_all(runs, film_settings(_side_by_side(config)), path, progress=show)]


def _of_each(part: Part, show: bool) -> list[Path]:
    """The films of a population's runs, if they are asked for."""
    if not part.about["config"]["film"]["each"]:
        return []
    trained = load(part.folder)
    config = _alone(trained.build.population.config)
    settings, name, numbers = film_settings(config), film_name(config), trained.rows["number"]
    (part.folder / "films").mkdir(exist_ok=True)
    return [
        film(trained, settings, of_one(part.folder, numbers[run], name), run, progress=show)
        for run in trained.finished.tolist()
    ]


def _side_by_side(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The config with a film that shows many runs."""
    return config if config["film"]["name"] in MANY else with_film(config, layout="sweep")


def _alone(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The config with a film that shows one run."""
    return with_film(config, layout="panels") if config["film"]["name"] == "sweep" else config
