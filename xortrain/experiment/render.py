"""`xortrain render`: any picture again from an old record, of another kind, size, rate or format.

The record's own film settings hold where the user says nothing else.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xortrain.errors import UserError
from xortrain.experiment.filming import film, film_name, film_settings
from xortrain.experiment.runs import open_record
from xortrain.experiment.trained import Run


def render(arguments: Sequence[str]) -> str:
    """xortrain render RECORD[#RUN] [override …] [--output PATH]; returns the path of the film."""
    from xortrain.config.compose import compose

    asked = _parser().parse_intermixed_args(arguments)
    found = open_record(asked.record)
    trained, run = (found.trained, found.place) if isinstance(found, Run) else (found.only_population(), 0)
    config = compose([*_own(trained.build.population.config["film"]), *_film_only(asked.override)])
    path = Path(asked.output) if asked.output else (trained.folder or Path()) / film_name(config)
    if asked.output and path.suffix and "film.format" not in " ".join(asked.override):
        config["film"]["format"] = path.suffix[1:]
    return str(film(trained, film_settings(config, path), path, run=run, progress=True))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("xortrain render", description="Make a picture of an old record again.")
    parser.add_argument("record", help="folder of a record, with #17 for one run of a sweep")
    parser.add_argument("override", nargs="*", help="film=field, film.fps=20, film.size=[640,480], …")
    parser.add_argument(
        "--output", metavar="PATH", help="where it goes; the ending tells the format (.gif .png .webp .mp4)"
    )
    return parser


def _own(kept: dict[str, Any]) -> list[str]:
    """The film settings of a record as overrides."""
    if kept["name"] == "none":
        return []
    values = {key: "null" if value is None else value for key, value in kept.items() if key != "name"}
    return [f"film={kept['name']}", *(f"film.{key}={str(value).replace(' ', '')}" for key, value in values.items())]


def _film_only(overrides: Sequence[str]) -> list[str]:
    for override in overrides:
        if not override.startswith(("film=", "film.")):
            raise UserError(f"{override}: render takes settings of the film alone: film=field, film.fps=20, …")
    return list(overrides)
