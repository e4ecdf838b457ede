"""``xortrain render``: draw a film or a still image again from a record, with other film settings.

The film settings of the record apply where the user gives no others.
"""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xortrain.commands.arguments import add_output, answer, command_parser, refuse_two_formats
from xortrain.config.settings import keys_of
from xortrain.errors import UserError, counted
from xortrain.films.film_settings import DRAWINGS, FASTEST, LAYOUTS, STILLS, FilmLayout
from xortrain.setup.film_config import film_name, film_with, of_one
from xortrain.trained.sweep_data import SweepData, open_record
from xortrain.views.run_film import write_run_film


def render(arguments: Sequence[str]) -> str:
    """xortrain render RECORD[#RUN] [override …] [--output PATH] [--still]: the path of the film or image."""
    a = _parse(arguments)
    found = open_record(a.record, a.root)
    is_sweep, own, folder = isinstance(found, SweepData), found.config["film"], found.folder or Path()
    one = f"{a.record}#{found.parts[0].rows.at(0)['number']}" if isinstance(found, SweepData) else a.record
    fit = _fitting(LAYOUTS[own["name"]], is_sweep)
    has_groups = is_sweep and any(row.has_groups and f"film={name}" in a.override for name, row in LAYOUTS.items())
    own = own if has_groups else {key: value for key, value in own.items() if key != "by"}
    config = _config(own, [*fit, *a.override])
    layout = config["film"]["name"]
    refuse_other_overrides(a.override)
    if config["film"]["each"] and _has_override(a, "each"):
        reason = f"applies only to a sweep while it is trained; render one run, as in {one}"
        raise UserError(f"film.each=true: {reason if is_sweep else 'applies only to a sweep, and this is one run'}")
    if is_sweep and LAYOUTS[layout].most_runs == 1:
        raise UserError(f"film={layout}: shows one run; name one of this sweep, as in {one}")
    name = Path(f"{layout}.png" if layout in ("losses", "raster") else "poster.png") if a.still else film_name(config)
    if isinstance(found, SweepData):
        from xortrain.views.sweep_film import write_sweep_film

        written = write_sweep_film(found, config, a.output or folder / name, progress=True, still=a.still)
        done = found.column("epochs_done").max()
    else:
        path = a.output or folder / name
        if not a.output and found.setup.population.runs > 1:
            (folder / "films").mkdir(exist_ok=True)
            path = of_one(folder, found.row["number"], name)
        written = write_run_film(found.trained, config, path, run=found.place, progress=True, still=a.still)
        done = found.row["epochs_done"]
    is_short = not a.still and _has_override(a, "frames") and done + 1 < (config["film"]["frames"] or 0)
    short = f"  {counted(done + 1, 'frame')}: one for each epoch" if is_short else ""
    return answer(a, [{"path": str(written)}], [f"{written}{'' if a.still else _animation_hint(written)}{short}"])


def _parse(arguments: Sequence[str]) -> Namespace:
    p = command_parser("render")
    p.add_argument("record", metavar="RECORD", help="a run, a sweep, or one run of a sweep: SWEEP#17")
    p.add_argument("override", nargs="*", default=(), help="film=field, film.fps=20, film.size=[640,480], …")
    known = "the file: .gif, .png, .webp or .mp4; with --still .png, .svg or .pdf"
    add_output(p, known, extensions=[*FASTEST, *DRAWINGS])
    p.add_argument("--still", action="store_true", help="only the last frame: poster.png, losses.png or raster.png")
    a = p.parse_intermixed_args(arguments)
    form = next((own.partition("=")[2] for own in a.override if own.startswith("film.format=")), None)
    refuse_two_formats("film.format", form, a.output, FASTEST)
    suffix = a.output.suffix.lower() if a.output else ""
    if a.still and suffix and suffix not in STILLS:
        raise UserError(f"--output={a.output}: a still is one image; its name must end in {', '.join(STILLS)}")
    if suffix in DRAWINGS and not a.still:
        raise UserError(f"--output={a.output}: {suffix} is for a still image: add --still")
    return a


def refuse_other_overrides(overrides: Sequence[str], command: str = "render") -> None:
    """Raise UserError for overrides that are not about the film, and for no film."""
    for override in overrides:
        if override == "film=none":
            *others, last = (name for name, row in LAYOUTS.items() if row.location)
            raise UserError(f"film=none: draws nothing; choose film={', '.join(others)} or {last}")
        if not override.startswith(("film=", "film.")):
            raise UserError(f"{override}: {command} takes only settings of the film: film=field, film.fps=20, …")


def _fitting(recorded: FilmLayout, is_sweep: bool) -> list[str]:
    """The layout for a sweep, or for one run, where the recorded one cannot show it."""
    if is_sweep:
        return ["film=sweep"] if recorded.most_runs == 1 else []
    return ["film=story"] if recorded.fewest_runs > 1 else []


def _has_override(a: Namespace, key: str) -> bool:
    return any(override.startswith(f"film.{key}=") for override in a.override)


def _config(film: Mapping[str, Any], overrides: Sequence[str]) -> Mapping[str, Any]:
    """A config with the film settings of a record and overrides."""
    found = film_with(film, overrides)
    if found is not None:
        return {"film": found}
    from xortrain.config.compose import compose

    return compose([*_recorded_overrides(film, overrides), *overrides])


def _recorded_overrides(film: Mapping[str, Any], others: Sequence[str]) -> list[str]:
    """The film settings of a record as overrides, without those that a layout chosen by others does not have."""
    if film["name"] == "none":
        return []
    chosen = [override.removeprefix("film=") for override in others if override.startswith("film=")]
    known = keys_of("film", chosen[-1]) if chosen and chosen[-1] in LAYOUTS else film
    values = {key: "null" if value is None else value for key, value in film.items() if key != "name" and key in known}
    return [f"film={film['name']}", *(f"film.{key}={str(value).replace(' ', '')}" for key, value in values.items())]


def _animation_hint(path: Path) -> str:
    """A hint that a .png file is an animation; empty for a still image."""
    from PIL import Image

    if path.suffix.lower() != ".png":
        return ""
    with Image.open(path) as image:
        frames = getattr(image, "n_frames", 1)
    return f"  animated, {frames} frames; --still writes one image" if frames > 1 else ""
