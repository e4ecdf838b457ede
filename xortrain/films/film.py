"""Makes a film of runs: chooses its snapshots, draws a frame of each, and writes the file."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from xortrain.films.film_settings import LAYOUTS, FilmSettings, refuse_unfit
from xortrain.films.map_data import MapData
from xortrain.films.sweep_film_data import Shown as ShownRuns
from xortrain.nets import Array

if TYPE_CHECKING:
    from xortrain.films.canvas import Canvas


Shown = ShownRuns | MapData


class Layout(Protocol):
    """A film that is ready to be drawn; ``chosen`` (frames,) are the indices of the snapshots that it shows."""

    canvas: "Canvas"
    chosen: Array

    def frame(self, number: int) -> Array:
        """The frame of the snapshot with this index: palette indices (height, width) uint8."""
        ...


def make_layout(shown: Shown, settings: FilmSettings) -> Layout:
    """The layout that the settings name, showing run 0 or all runs."""
    module, _, name = LAYOUTS[settings.layout].location.partition(":")
    layout: Layout = getattr(import_module(module), name)(shown, settings, 0)
    return layout


@np.errstate(all="ignore")  # values beyond what a frame can show are drawn at the end of its scale
def write_film(
    shown: Shown, settings: FilmSettings, path: str | Path, progress: bool = False, still: bool = False
) -> Path:
    """Write a film in the format of the path's extension, or with ``still`` its last frame as PNG; return the path.

    An error leaves an existing file unchanged. Raises UserError for settings that do not fit and for a path that
    cannot be written.
    """
    from xortrain.films.formats import save, save_still

    path = Path(path)
    refuse_unfit(settings, path)
    layout = make_layout(shown, settings)
    palette, chosen = layout.canvas.palette.rgb, layout.chosen.tolist()
    if still:
        save_still(path, layout.frame(chosen[-1]), palette)
    else:
        frames = map(layout.frame, chosen)
        save(path, _with_bar(frames, len(chosen)) if progress else frames, len(chosen), palette, settings)
    return path


def _with_bar(frames: Iterator[Array], count: int) -> Iterator[Array]:
    """The same frames, with a progress bar."""
    from tqdm import tqdm

    return iter(tqdm(frames, total=count, desc="film", unit="frame", leave=False, delay=0.5, disable=None))
