"""What a user may ask of a film; everything else is refused in one line before a file is touched."""

from importlib.util import find_spec
from math import isfinite
from pathlib import Path

from xortrain.errors import UserError, unknown
from xortrain.films.subject import FilmSettings

LAYOUTS = {
    "field": (240, 160),
    "panels": (480, 300),
    "sweep": (200, 150),
    "losses": (320, 200),
    "weights": (320, 200),
}
"""Each layout with its least width and height, below which its words do not fit."""

MOST = 4096
"""Pixels of a side."""

FASTEST = {".gif": 50, ".png": 100, ".webp": 100, ".mp4": 240}
"""Each format with the greatest rate at which it is played as written."""


def check(settings: FilmSettings, path: Path) -> None:
    """Refuse what cannot be done; a user's settings can be tried before anything is trained."""
    if settings.layout not in LAYOUTS:
        raise unknown("film", settings.layout, LAYOUTS)
    if settings.spacing not in ("epochs", "log", "progress"):
        raise unknown("film.spacing", settings.spacing, ("epochs", "log", "progress"))
    _check_file(settings, path)
    _check_size(settings, path)
    _within("film.frames", settings.frames, 1, 1_000_000)
    _within("film.levels", settings.levels, 2, 100)
    _within("film.hold", settings.hold, 0, 600)
    _check_colours(settings.colours)


def _check_file(settings: FilmSettings, path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix not in FASTEST:
        raise unknown("film format", suffix or path.name, FASTEST)
    if not isfinite(settings.fps) or not 0.02 <= settings.fps <= FASTEST[suffix]:
        raise UserError(
            f"film.fps={settings.fps:g}: must lie between 0.02 and {FASTEST[suffix]} pictures a second for {suffix}"
        )
    if suffix == ".mp4" and find_spec("av") is None:
        raise UserError(f"{path.name}: .mp4 needs PyAV; install it with: pip install 'xortrain[video]'")
    if not path.absolute().parent.is_dir():
        raise UserError(f"{path}: there is no folder {path.parent}")
    if path.is_dir():
        raise UserError(f"{path}: is a folder, a file name is needed")


def _check_size(settings: FilmSettings, path: Path) -> None:
    if settings.size is None:
        return
    least, size = LAYOUTS[settings.layout], settings.size
    where = f"film.size={list(size)}"
    fits = [isinstance(side, int) and low <= side <= MOST for side, low in zip(size, least, strict=False)]
    if len(size) != 2 or not all(fits):
        wanted = f"from {list(least)} to {[MOST, MOST]} for film={settings.layout}"
        raise UserError(f"{where}: must be width and height in pixels, {wanted}")
    if path.suffix.lower() == ".mp4" and (size[0] % 2 or size[1] % 2):
        raise UserError(f"{where}: both must be even for .mp4")


def _check_colours(name: str) -> None:
    from xortrain.films.colours import colours

    colours(name, 2, False)


def _within(where: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UserError(f"{where}={value:g}: must lie between {low:,} and {high:,}")
