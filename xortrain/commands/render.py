"""`xortrain render`: any picture again from an old record, of another kind, size, rate or format.

The record's own film settings hold where the user says nothing else.
"""

from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xortrain.commands.arguments import NAMES, Parser
from xortrain.errors import UserError
from xortrain.films.film_settings import LAYOUTS
from xortrain.records.tables import as_json
from xortrain.runs.sweep_data import ROOT, SweepData, open_record
from xortrain.runs.trained import RunData
from xortrain.setup.film_config import film_name, film_settings, of_one
from xortrain.views.run_film import write_run_film
from xortrain.views.sweep_film import write_sweep_film


def render(arguments: Sequence[str]) -> str:
    """xortrain render RECORD[#RUN] [override …] [--output PATH] [--still]; returns the path of the picture."""
    from xortrain.config.compose import compose

    asked = _parser().parse_intermixed_args(arguments)
    found = open_record(asked.record, asked.root)
    if "film=none" in asked.override:
        raise UserError("film=none: there is nothing to draw; choose film=panels, field, sweep, losses or weights")
    config = compose([*_own(found.config["film"]), *_for(found), *_film_only(asked.override)])
    if config["film"]["each"]:
        _refuse_each(found, asked)
    layout = config["film"]["name"]
    if isinstance(found, SweepData) and LAYOUTS[layout].most_runs == 1:
        raise UserError(f"film={layout}: shows one run; name one of this sweep, as in {asked.record}#0")
    name = Path("losses.png" if layout == "losses" else "poster.png") if asked.still else film_name(config)
    settings = film_settings(config, asked.output or name)
    path = asked.output or _place(found, name)
    if asked.still and path.suffix.lower() != ".png":
        raise UserError(f"--output {path}: a still is a PNG; its name must end in .png")
    if isinstance(found, SweepData):
        written = str(write_sweep_film(found, settings, path, progress=True, still=asked.still))
    else:
        written = str(write_run_film(found.trained, settings, path, run=found.place, progress=True, still=asked.still))
    if asked.json:
        return as_json([{"path": written}])
    told = _told(written, asked.still)
    is_asked = not asked.still and any(override.startswith("film.frames=") for override in asked.override)
    return f"{told}{_too_few(found, settings.frames)}" if is_asked else told


def _refuse_each(found: RunData | SweepData, asked: Namespace) -> None:
    """A film of every run is made when a sweep is trained; that a record once had one is no reason to make it again."""
    if not any(override.startswith("film.each=") for override in asked.override):
        return
    if isinstance(found, SweepData):
        raise UserError(f"film.each=true: is for a sweep while it is trained; render one run, as in {asked.record}#0")
    raise UserError("film.each=true: is for a sweep, and this is one run")


def _too_few(found: RunData | SweepData, frames: int) -> str:
    """Why a film has fewer pictures than asked, if it has."""
    done = found.column("epochs_done").max() if isinstance(found, SweepData) else found.row["epochs_done"]
    pictures = int(done) + 1
    return f"  {pictures:,} pictures: one for each epoch there is" if pictures < frames else ""


def _told(path: str, still: bool) -> str:
    """The path; of a film that has the name of a still picture, what it is."""
    from PIL import Image

    if still or Path(path).suffix.lower() != ".png":
        return path
    with Image.open(path) as image:
        pictures = getattr(image, "n_frames", 1)
    return f"{path}  animated, {pictures} pictures; --still makes one" if pictures > 1 else path


def _parser() -> Parser:
    parser = Parser("xortrain render", description="Make a picture of an old record again.", epilog=NAMES)
    parser.add_argument("record", metavar="RECORD", help="a run, a sweep, or one run of a sweep: SWEEP#17")
    parser.add_argument("override", nargs="*", default=(), help="film=field, film.fps=20, film.size=[640,480], …")
    parser.add_argument(
        "--output", type=_picture, metavar="PATH", help="the file; .gif .png .webp or .mp4 tells its format"
    )
    parser.add_argument(
        "--still", action="store_true", help="the last picture alone, as PNG: poster.png, or losses.png"
    )
    parser.add_argument("--json", action="store_true", help="the answer as one JSON array")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the records (now %(default)s)")
    return parser


def _picture(text: str) -> Path:
    """The file of a picture, whose name tells the format."""
    from xortrain.films.film_settings import FASTEST

    path = Path(text)
    if text.endswith("/") or path.suffix.lower() not in FASTEST:
        raise ArgumentTypeError(f"{text}: no ending that tells the format; known: {', '.join(FASTEST)}")
    return path


def _place(found: RunData | SweepData, name: Path) -> Path:
    """Where a picture goes: into its record; that of one run of a sweep into the folder for those."""
    folder = found.folder or Path()
    if isinstance(found, SweepData) or found.setup.population.runs == 1:
        return folder / name
    (folder / "films").mkdir(exist_ok=True)
    return of_one(folder, found.row["number"], name)


def _for(found: RunData | SweepData) -> list[str]:
    """A sweep is shown as a sweep, and one of its runs as one, where the user does not say otherwise."""
    if isinstance(found, SweepData):
        return ["film=sweep"]
    return ["film=panels"] if found.config["film"]["name"] == "sweep" else []


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
