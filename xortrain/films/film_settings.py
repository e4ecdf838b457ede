"""How a film looks: the table of layouts, the settings with their ranges, and checks to make before training."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from math import isfinite
from os.path import isdir
from pathlib import Path
from typing import Any

from xortrain.errors import UserError, unknown
from xortrain.nets.setting import Setting, Settings, choice, flag, number, text, whole

FASTEST = {".gif": 50, ".png": 100, ".webp": 100, ".mp4": 240}
"""Each format with the highest frame rate that players reproduce."""

USUAL_RATE = 10.0  # frames per second
DRAWINGS = (".svg", ".pdf")
STILLS = (".png", *DRAWINGS)
"""The formats of a still image."""

MOST_PIXELS = 4096
"""The largest width and height."""

MOST_RUNS = 100_000_000

SETTINGS: dict[str, Setting] = {
    "fps": replace(
        number("frames per second; null: each as long as needed", above=0, high=1000, varies=False), nullable=True
    ),
    "frames": whole("number of frames; null for as many as needed", 1, 100_000, nullable=True),
    "size": Setting(
        "width and height in pixels; null for the layout's default",
        "wholes",
        32,
        MOST_PIXELS,
        nullable=True,
        lengths=(2,),
        wording=f"[width, height], each from 32 to {MOST_PIXELS}, or null",
    ),
    "levels": whole("bands of colour over the outputs", 2, 100, even=True),
    "spacing": choice("frames at equal steps of", "progress", "epochs", "log"),
    "at": choice("the last frame: after the last epoch, or with the best parameters", "last", "best"),
    "by": text("losses: a setting whose values group the curves, such as lr", nullable=True),
    "colours": text("default, or a colour map of matplotlib by name"),
    "dark": flag("a dark background"),
    "hold": number("seconds that the last frame is held", 0, 600, varies=False),
    "loop": flag("whether the film repeats forever"),
    "format": choice("file format", *(suffix[1:] for suffix in FASTEST)),
    "each": flag("for a sweep: also a film of each run"),
}


AXES: dict[str, Setting] = {
    "x": text("the setting on the horizontal axis; null for the one that varies fastest", nullable=True),
    "y": text("the setting on the vertical axis; null for the other one", nullable=True),
}
COLOUR_BY = choice(
    "what a colour means; auto is outcome, or solved if a pixel has several runs",
    "auto", "outcome", "solved", "loss", "test_accuracy",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class FilmLayout:
    """One layout; ``location`` is its class as "module:class", imported only when a film is made.

    ``smallest`` are the width and height in pixels below which its text does not fit, ``smallest_tall`` those of a
    design that is taller than wide, if there is one; it shows ``fewest_runs`` to ``most_runs``, and with ``has_groups``
    groups of them by a setting.  With ``has_rows`` runs are rows in the order of their speed, and only losses are read.
    With ``has_past`` a frame shows what led to it.  A map (``is_map``) has a cell for each run, made of rows alone.
    """

    help: str
    location: str
    smallest: tuple[int, int] = (0, 0)
    most_runs: int = 1
    fewest_runs: int = 1
    smallest_tall: tuple[int, int] | None = None
    has_groups: bool = False
    has_rows: bool = False
    has_past: bool = False
    settings: Settings = field(default_factory=lambda: SETTINGS)
    is_map: bool = False


LAYOUTS: dict[str, FilmLayout] = {
    "story": FilmLayout(
        "inputs, hidden layer, outputs, network, and the loss with the events of the run",
        "xortrain.films.story_layout:StoryLayout",
        (480, 270),
        smallest_tall=(285, 507),
        has_past=True,
    ),
    "field": FilmLayout("the decision field alone", "xortrain.films.field:FieldLayout", (240, 160)),
    "sweep": FilmLayout(
        "all runs of a sweep side by side", "xortrain.films.sweep_layout:SweepLayout", (200, 150), 400, 2
    ),
    "losses": FilmLayout("loss curves", "xortrain.films.losses_layout:LossesLayout", (320, 200), 4000, has_groups=True),
    "raster": FilmLayout(
        "one row per run, quickest on top",
        "xortrain.films.raster_layout:RasterLayout",
        (320, 200),
        1000,
        2,
        has_rows=True,
    ),
    "weights": FilmLayout(
        "the path of the parameters", "xortrain.films.weights_layout:WeightsLayout", (320, 200), has_past=True
    ),
    "map": FilmLayout(
        "a map of two settings: every pixel is one trained network",
        "xortrain.films.map_layout:MapLayout",
        (360, 290),
        MOST_RUNS,
        2,
        settings=SETTINGS | AXES | {"colour_by": COLOUR_BY},
        is_map=True,
    ),
    "basins": FilmLayout(
        "a map of two initial weights: which solution is found",
        "xortrain.films.map_layout:MapLayout",
        (360, 290),
        MOST_RUNS,
        2,
        settings=SETTINGS | AXES,
        is_map=True,
    ),
    "none": FilmLayout("no film", "", settings={}),
}
"""The layouts by their name in a config."""


@dataclass(frozen=True)
class FilmSettings:
    """How a film looks; `FilmData` is what it shows."""

    layout: str = "story"
    fps: float | None = None  # frames per second; None for the seconds that each frame needs
    frames: int | None = None  # at most; a film has no more frames than there are snapshots; None for what it needs
    size: tuple[int, int] | None = None  # width and height in pixels; None for the layout's default
    levels: int = 24
    """Bands of colour between the two targets; even, so that the midpoint is the edge of a band."""
    spacing: str = "progress"
    """Equal steps of epochs, log (the epoch's logarithm), or progress (change of log loss and outputs)."""
    by: str | None = None  # a setting that groups the curves of a film of several runs
    colours: str = "default"
    dark: bool = False
    hold: float = 1.5  # extra seconds for the last frame
    loop: bool = True
    colour_by: str = "auto"
    canvas: Callable[..., Any] | None = None
    """Makes what a layout draws on, instead of a canvas of pixels."""

    @property
    def rate(self) -> float:
        """Frames per second, where all frames last equally long."""
        return self.fps or USUAL_RATE


def refuse_unfit(settings: FilmSettings, path: Path, still: bool = False) -> None:
    """Raise UserError for settings that do not fit the file; called before training."""
    drawn = [name for name, layout in LAYOUTS.items() if layout.location]
    if settings.layout not in drawn:
        raise unknown("film", settings.layout, drawn)
    if settings.spacing not in SETTINGS["spacing"].choices:
        raise unknown("film.spacing", settings.spacing, SETTINGS["spacing"].choices)
    refuse_groups(settings.layout, settings.by)
    _refuse_file(settings, path, still)
    _refuse_size(settings, path)
    for name in ("frames", "levels", "hold"):
        value, known = getattr(settings, name), SETTINGS[name]
        if value is not None and not known.low <= value <= known.high:
            raise UserError(f"film.{name}={value:g}: must be from {known.low:,} to {known.high:,}")
    from xortrain.films.colours import get_colours

    get_colours(settings.colours, 2, False)


def refuse_groups(layout: str, by: str | None) -> None:
    """Raise UserError for groups in a layout that has none."""
    if by and not LAYOUTS[layout].has_groups:
        groups = " or ".join(f"film={name}" for name, row in LAYOUTS.items() if row.has_groups)
        raise UserError(f"film.by={by}: film={layout} has no groups; choose {groups}")


def _refuse_file(settings: FilmSettings, path: Path, still: bool) -> None:
    suffix = path.suffix.lower()
    known = STILLS if still else FASTEST
    if suffix in DRAWINGS and not still:
        raise UserError(f"{path}: {suffix} is for a still image: add still=True, or --still on the command line")
    if suffix not in known:
        raise unknown("format of a still image" if still else "film format", suffix or path.name, known)
    if still or settings.fps is None:
        pass
    elif not (isfinite(settings.fps) and 0.02 <= settings.fps <= FASTEST[suffix]):
        raise UserError(
            f"film.fps={settings.fps:g}: must be from 0.02 to {FASTEST[suffix]} frames per second for {suffix}"
        )
    if suffix == ".mp4" and find_spec("av") is None:
        raise UserError(f"{path.name}: .mp4 needs PyAV; install it with: pip install 'xortrain[video]'")
    if not path.absolute().parent.is_dir():
        raise UserError(f"{path}: there is no folder {path.parent}")
    if isdir(path):
        raise UserError(f"{path}: is a folder; give the name of a file")


def _refuse_size(settings: FilmSettings, path: Path) -> None:
    if settings.size is None:
        return
    row, size = LAYOUTS[settings.layout], settings.size
    where, smallest = f"film.size={list(size)}", [row.smallest, *([row.smallest_tall] if row.smallest_tall else [])]
    if len(size) != 2 or not any(_fits(size, least) for least in smallest):
        lows = " or ".join(f"from {list(least)}" for least in smallest)
        bounds = f"{lows} to {[MOST_PIXELS, MOST_PIXELS]} for film={settings.layout}"
        raise UserError(f"{where}: must be width and height in pixels, {bounds}")
    if path.suffix.lower() == ".mp4" and (size[0] % 2 or size[1] % 2):
        raise UserError(f"{where}: both must be even for .mp4")


def _fits(size: tuple[int, int], smallest: tuple[int, int]) -> bool:
    return all(isinstance(side, int) and low <= side <= MOST_PIXELS for side, low in zip(size, smallest, strict=True))
