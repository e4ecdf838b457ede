"""From runs to a film: which snapshots, the frame of each, and the file."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from xortrain.films.data import FilmData
from xortrain.films.film_settings import LAYOUTS, FilmSettings, refuse_unfit
from xortrain.films.lockstep import Lockstep
from xortrain.nets import Array

if TYPE_CHECKING:
    from xortrain.films.canvas import Canvas

Shown = FilmData | Lockstep


class Layout(Protocol):
    """A film before it is written: its canvas, the snapshots it shows, and the frame of each."""

    canvas: "Canvas"
    chosen: Array

    def frame(self, number: int) -> Array:
        """The palette indices (height, width) of a snapshot."""
        ...


def layout_of(shown: Shown, settings: FilmSettings) -> Layout:
    """The layout that settings name, for one run or for many."""
    module, _, name = LAYOUTS[settings.layout].place.partition(":")
    layout: Layout = getattr(import_module(module), name)(shown, settings, 0)
    return layout


@np.errstate(all="ignore")  # values beyond what a frame can show are drawn at the end of its scale
def write(shown: Shown, settings: FilmSettings, path: str | Path, progress: bool = False) -> Path:
    """Write a film; the extension gives its format.  Nothing is left behind if it fails."""
    from xortrain.films.files import save

    path = Path(path)
    refuse_unfit(settings, path)
    layout = layout_of(shown, settings)
    frames, count = map(layout.frame, layout.chosen.tolist()), len(layout.chosen)
    save(path, _with_bar(frames, count) if progress else frames, count, layout.canvas.palette.rgb, settings)
    return path


@np.errstate(all="ignore")
def poster(shown: Shown, settings: FilmSettings, path: str | Path) -> Path:
    """Write the last frame of a film as PNG."""
    from xortrain.films.files import save_still

    path = Path(path)
    refuse_unfit(settings, path)
    layout = layout_of(shown, settings)
    save_still(path, layout.frame(int(layout.chosen[-1])), layout.canvas.palette.rgb)
    return path


def _with_bar(frames: Iterator[Array], count: int) -> Iterator[Array]:
    """The same frames, with a progress bar."""
    from tqdm import tqdm

    return iter(tqdm(frames, total=count, desc="film", unit="frame", leave=False, delay=0.5, disable=None))
