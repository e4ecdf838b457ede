"""The film that a config chooses: its settings, its file name, and the checks before training starts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from xortrain.config.check import check, check_option, without_arrays
from xortrain.config.settings import chosen_by_default, defaults_of, keys_of, plain_value
from xortrain.errors import UserError, cut, nearest, unknown
from xortrain.films.film_settings import LAYOUTS, FilmSettings, refuse_groups, refuse_unfit
from xortrain.setup.population import Population


def with_film(config: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A config with a changed film: its own film settings, or the defaults if it has no film, with ``changes``."""
    if "film" in changes:
        raise UserError(f'film={changes["film"]}: from Python a layout is named by layout="{changes["film"]}"')
    own = config["film"] if config["film"]["name"] != "none" else {"name": "story"}
    changes = {"name" if key == "layout" else key: without_arrays(value) for key, value in changes.items()}
    name = changes.get("name", own["name"])
    if not isinstance(name, str):
        raise UserError(f"layout={cut(repr(name))}: must be a text")
    drawn = [layout for layout, row in LAYOUTS.items() if row.location]
    if name not in drawn:
        raise unknown("film", name, drawn)
    given = {key: value for key, value in own.items() if key in keys_of("film", name)}
    return check({**config, "film": {"name": name, **defaults_of("film", name), **given, **changes}})


def film_with(film: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any] | None:
    """The film settings of a record with overrides of the film, without Hydra, which takes as long as a short film.

    None if an override needs its syntax or is a mistake; Hydra then has the same result, or an error.
    """
    name, changes = film["name"], {} if film["name"] == "none" else {k: v for k, v in film.items() if k != "name"}
    try:
        for override in overrides:
            key, _, text = override.partition("=")
            if key == "film":
                name = plain_value(text)
            elif key.startswith("film."):
                changes[key.removeprefix("film.")] = plain_value(text)
            else:
                return None
        if name not in LAYOUTS or not LAYOUTS[name].location:
            return None
        return check_option("film", {"name": name, **defaults_of("film", name), **changes})
    except (ValueError, UserError):
        return None


def film_settings(config: Mapping[str, Any], path: Path | None = None, still: bool = False) -> FilmSettings:
    """The settings of a config's film, written to ``path``; raises UserError for a film that cannot be made."""
    wanted = config["film"]
    names = {field.name for field in fields(FilmSettings)}
    size = tuple(wanted["size"]) if wanted["size"] else None
    settings = FilmSettings(layout=wanted["name"], **{k: v for k, v in wanted.items() if k in names} | {"size": size})
    refuse_unfit(settings, path or film_name(config), still)
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
    config = with_film(config, layout="story") if LAYOUTS[config["film"]["name"]].fewest_runs > 1 else config
    return with_film(config, by=None) if config["film"].get("by") else config


def refuse_film_of_one(config: Mapping[str, Any]) -> None:
    """Raise UserError for a film that cannot show a single run."""
    layout = config["film"]["name"]
    if LAYOUTS[layout].fewest_runs > 1:
        others = ", ".join(name for name, row in LAYOUTS.items() if row.location and row.fewest_runs == 1)
        raise UserError(f"film={layout}: shows several runs, and this is one; choose film={others}")
    if config["film"].get("by"):
        raise UserError(f"film.by={config['film']['by']}: groups several runs, and this is one")


def refuse_unfit_groups(populations: Sequence[Population]) -> None:
    """Raise UserError for film.by=NAME unless the runs of the populations differ in that setting."""
    wanted = dict.fromkeys(p.config["film"]["by"] for p in populations if p.config["film"].get("by"))
    if wanted:
        varied = settings_that_differ(populations)
        for by in wanted:
            group_setting(by, varied, varied)


def settings_that_differ(populations: Sequence[Population]) -> list[str]:
    """The settings, with the seed, in which the runs of populations differ."""
    from xortrain.records.columns import is_setting
    from xortrain.records.metadata import flat_settings

    configs = [flat_settings(population.config) for population in populations]
    found = dict.fromkeys(name for population in populations for name in population.varying)
    for name in dict.fromkeys(name for config in configs for name in config):
        if any(config.get(name) != configs[0].get(name) for config in configs):
            found[name] = None
    return [name for name in found if is_setting(name)]


def group_setting(by: str, varied: Collection[str], listed: Collection[str]) -> str:
    """The varied setting that a user means; raises UserError with those ``listed`` if there is none."""
    from xortrain.records.columns import canonical

    name = canonical(by)
    ends = [one for one in varied if one.rpartition(".")[2] == name]
    if name in varied or len(ends) == 1:
        return name if name in varied else ends[0]
    near = nearest(name, listed)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    known = f"they differ in {', '.join(listed)}" if listed else "they differ in nothing"
    raise UserError(f"film.by={cut(by)}: the runs do not differ in it. {hint}{known[0].upper()}{known[1:]}")


def refuse_unfit_films(configs: Iterable[Mapping[str, Any]], runs: int) -> None:
    """Raise UserError for a film that cannot be written, or that cannot show this number of runs."""
    for config in {repr(config["film"]): config for config in configs}.values():
        wanted = config["film"]
        if wanted["name"] == "none":
            continue
        refuse_groups(wanted["name"], wanted.get("by"))
        if runs == 1:
            refuse_film_of_one(config)
        is_asked_for = LAYOUTS[wanted["name"]].most_runs == 1 and wanted["name"] != chosen_by_default()["film"]
        if is_asked_for and runs > 1 and not wanted["each"]:
            known = "add film.each=true for a film of every run, or choose film=sweep or film=losses, which show all"
            raise UserError(f"film={wanted['name']}: shows one run, and these are {runs:,}; {known}")
        film_settings(with_many(config) if runs > 1 else config)
        if wanted["each"]:
            film_settings(with_one(config))
