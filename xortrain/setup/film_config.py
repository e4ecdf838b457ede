"""The film that a config chooses: its settings, its file name, and the checks before training starts."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from xortrain.config.check import check
from xortrain.config.settings import chosen_by_default, defaults_of, keys_of
from xortrain.errors import UserError
from xortrain.films.film_settings import LAYOUTS, FilmSettings, refuse_unfit


def with_film(config: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A config with a changed film: its own film settings, or the defaults if it has no film, with ``changes``."""
    if "film" in changes:
        raise UserError(f'film={changes["film"]}: from Python a layout is named by layout="{changes["film"]}"')
    own = config["film"] if config["film"]["name"] != "none" else {"name": "panels"}
    changes = {"name" if key == "layout" else key: value for key, value in changes.items()}
    size = {"size": list(changes["size"])} if changes.get("size") else {}
    name = changes.get("name", own["name"])
    known = keys_of("film", name) if name in LAYOUTS else {}
    given = {key: value for key, value in own.items() if key in known}
    defaults = defaults_of("film", name) if name in LAYOUTS else {}
    return check({**config, "film": {"name": name, **defaults, **given, **changes, **size}})


def film_settings(config: Mapping[str, Any], path: Path | None = None) -> FilmSettings:
    """The settings of a config's film, written to ``path``; raises UserError for a film that cannot be made."""
    wanted = config["film"]
    names = {field.name for field in fields(FilmSettings)}
    size = tuple(wanted["size"]) if wanted["size"] else None
    settings = FilmSettings(layout=wanted["name"], **{k: v for k, v in wanted.items() if k in names} | {"size": size})
    refuse_unfit(settings, path or film_name(config))
    return settings


def film_name(config: Mapping[str, Any]) -> Path:
    """The name of the film's file in its record."""
    return Path(f"film.{config['film']['format']}")


def of_one(folder: Path, number: int, name: Path) -> Path:
    """The path of the film or image of one run of a sweep, named by the number of its job."""
    kind = "" if name.stem == "film" else f"-{name.stem}"
    return folder / "films" / f"{number:06d}{kind}{name.suffix}"


def with_many(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The config with a film that shows many runs."""
    refuse_best_of_many(config)
    return config if LAYOUTS[config["film"]["name"]].most_runs > 1 else with_film(config, layout="sweep")


def refuse_best_of_many(config: Mapping[str, Any]) -> None:
    """Raise UserError for a film of many runs that is to end at the best epoch, which differs between them."""
    if config["film"]["at"] == "best":
        raise UserError("film.at=best: ends the film of one run at its best epoch; choose one run of the sweep")


def with_one(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The config with a film that shows one run."""
    return with_film(config, layout="panels") if LAYOUTS[config["film"]["name"]].fewest_runs > 1 else config


def refuse_film_of_one(config: Mapping[str, Any]) -> None:
    """Raise UserError for a film that cannot show a single run."""
    layout = config["film"]["name"]
    if LAYOUTS[layout].fewest_runs > 1:
        others = ", ".join(name for name, row in LAYOUTS.items() if row.location and row.fewest_runs == 1)
        raise UserError(f"film={layout}: shows several runs, and this is one; choose film={others}")


def refuse_unfit_films(configs: Iterable[Mapping[str, Any]], runs: int) -> None:
    """Raise UserError for a film that cannot be written, or that cannot show this number of runs."""
    for config in {repr(config["film"]): config for config in configs}.values():
        wanted = config["film"]
        if wanted["name"] == "none":
            continue
        if runs == 1:
            refuse_film_of_one(config)
        is_asked_for = LAYOUTS[wanted["name"]].most_runs == 1 and wanted["name"] != chosen_by_default()["film"]
        if is_asked_for and runs > 1 and not wanted["each"]:
            known = "add film.each=true for a film of every run, or choose film=sweep or film=losses, which show all"
            raise UserError(f"film={wanted['name']}: shows one run, and these are {runs:,}; {known}")
        film_settings(with_many(config) if runs > 1 else config)
        if wanted["each"]:
            film_settings(with_one(config))
