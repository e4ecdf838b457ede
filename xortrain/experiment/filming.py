"""From trained runs to what the films room is told of them, and the film.

The settings of a film are those of its record's config, with what the caller wants otherwise on top.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xortrain.config.check import check
from xortrain.experiment.titles import title
from xortrain.training.outcome import words

if TYPE_CHECKING:
    from xortrain.experiment.trained import Trained
    from xortrain.films import FilmSettings, Subject


def film_settings(config: Mapping[str, Any]) -> "FilmSettings":
    """How the film of a config looks."""
    from xortrain.films import FilmSettings

    wanted = config["film"]
    names = {field.name for field in fields(FilmSettings)}
    size = tuple(wanted["size"]) if wanted["size"] else None
    return FilmSettings(layout=wanted["name"], **{k: v for k, v in wanted.items() if k in names} | {"size": size})


def film(trained: "Trained", path: Path, settings: Mapping[str, Any], run: int = 0, progress: bool = False) -> Path:
    """Write the film of one run, or of all for a layout that shows many."""
    from xortrain.config.defaults import read
    from xortrain.films import write

    config = trained.build.population.config
    own = {} if config["film"]["name"] == "none" else {k: v for k, v in config["film"].items() if k != "name"}
    shared = read("shared/film")
    layout = settings.get("layout", config["film"]["name"] if own else "panels")
    wanted = {"name": layout, **shared, **own, **{k: v for k, v in settings.items() if k != "layout"}}
    checked = check({**config, "film": wanted})
    return write(subject(trained, run), film_settings(checked), path, run=0, progress=progress)


def subject(trained: "Trained", run: int | None = None) -> "Subject":
    """What a film is told of one run, or of all of them."""
    from xortrain.films import Subject

    build = trained.build
    runs = slice(None) if run is None else slice(run, run + 1)
    places = np.arange(build.population.runs)[runs]
    task = build.task(places)
    rule, rows = task.rule, trained.rows[places]
    losses, parameters = trained.array("losses", runs), trained.array("parameters", runs)
    assert losses is not None
    assert parameters is not None
    t = task.data.t
    return Subject(
        network=task.network,
        x=task.data.x,
        t=t[..., 0] if t.shape[2] == 1 else t,
        losses=losses,
        loss_epochs=build.loss_epochs,
        parameters=parameters,
        frame_epochs=build.frame_epochs,
        right=rule.right,
        title=title(build, run),
        low=float(rule.low[0]),
        high=float(rule.high[0]),
        outcome=words(rows["outcome"]),
        diverged_at=rows["diverged_at"],
        solved_at=rows["solved_at"],
        varied={key: values[runs] for key, values in build.population.varying.items()},
    )
