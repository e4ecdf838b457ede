"""The films of a sweep: of each population one that shows its runs side by side, and of every run one if asked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xortrain.experiment.build import Build
from xortrain.experiment.filming import MANY, film, film_name, film_settings, with_film
from xortrain.experiment.trained import Trained, load
from xortrain.records.index import Entry

MOST = 4  # populations of one sweep that are filmed without being asked


def refuse_unfit_films(builds: Sequence[Build]) -> None:
    """Raise UserError for a film that could not be written in the end."""
    for build in {repr(build.population.config["film"]): build for build in builds}.values():
        config = build.population.config
        if config["film"]["name"] != "none":
            film_settings(_side_by_side(config))


def sweep_films(entry: Entry, show: bool) -> list[Path]:
    """Write the films of a sweep; returns where they are."""
    wanted = [part.folder for part in entry.parts if part.about["config"]["film"]["name"] != "none"]
    return [path for folder in wanted for path in _films(load(folder), folder, len(wanted) <= MOST, show)]


def _films(trained: Trained, folder: Path, is_asked: bool, show: bool) -> list[Path]:
    """The film of one population, and those of its runs."""
    config, films = trained.build.population.config, []
    if is_asked and len(trained.finished):
        shown = config if len(trained.rows) == 1 else _side_by_side(config)
        films.append(film(trained, film_settings(shown), folder / film_name(config), progress=show))
    if config["film"]["each"]:
        (folder / "films").mkdir(exist_ok=True)
        for run in trained.finished.tolist():
            path = folder / "films" / f"{trained.rows['number'][run]:06d}.{config['film']['format']}"
            films.append(film(trained, film_settings(config), path, run, progress=show))
    return films


def _side_by_side(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The config with a film that shows many runs."""
    return config if config["film"]["name"] in MANY else with_film(config, layout="sweep")
