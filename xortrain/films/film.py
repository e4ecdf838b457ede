"""Makes a film of runs: chooses its snapshots, draws a frame of each, and writes the file."""

import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from xortrain.films.film_settings import DRAWINGS, LAYOUTS, FilmSettings, refuse_unfit
from xortrain.films.flashes import FlashMeter, calmed, flashing_frames
from xortrain.films.map_data import MapData
from xortrain.films.sweep_film_data import Shown as ShownRuns
from xortrain.nets import Array

if TYPE_CHECKING:
    from xortrain.films.canvas import Canvas

FIRST_HOLD = 1.0  # extra seconds of the first frame
MOST_HELD = 1 << 28  # pixels of all frames that are kept until the film is known not to flash


Shown = ShownRuns | MapData


class Layout(Protocol):
    """A film that is ready to be drawn.

    ``chosen`` (frames,) are the indices of the snapshots that it shows; ``seconds`` (frames,) is how long it shows
    each, without the holds at both ends.
    """

    canvas: "Canvas"
    chosen: Array
    seconds: Array

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
    """Write a film in the format of the path's extension, or with ``still`` its last frame; return the path.

    An error leaves an existing file unchanged. Raises UserError for settings that do not fit and for a path that
    cannot be written.
    """
    from xortrain.films.formats import save, save_still

    path = Path(path)
    refuse_unfit(settings, path, still)
    if path.suffix.lower() in DRAWINGS:
        _write_drawing(shown, settings, path)
        return path
    layout = make_layout(shown, settings)
    palette, chosen = layout.canvas.palette.rgb, layout.chosen.tolist()
    if still:
        save_still(path, layout.frame(chosen[-1]), palette)
        return path
    seconds, frames = _held(layout.seconds, settings), _frames(layout, progress)
    if settings.fps is None:
        frames, calm_seconds = _calm(layout, frames, seconds)
        save(path, frames, calm_seconds, palette, settings)
        if (calm_seconds > seconds).any() and progress:
            _tell(f"{path.name}: five frames a second where it would flash more than three times a second")
        return path
    meter = _meter(layout)
    save(path, _metered(frames, meter), seconds, palette, settings)
    if flashing_frames(meter.transitions(seconds), seconds).any():
        _tell(f"{path.name}: flashes more than three times a second; without film.fps it is slower there", progress)
    return path


def _tell(line: str, progress: bool = True) -> None:
    """A line beside the progress bar; without one, a warning."""
    if progress:
        from tqdm import tqdm

        tqdm.write(f"xortrain: {line}", file=sys.stderr)
    else:
        warnings.warn(line, stacklevel=3)


def _held(seconds: Array, settings: FilmSettings) -> Array:
    """The seconds of the frames with the holds of the first and the last one."""
    held = np.array(seconds, float)
    held[0] += FIRST_HOLD * (len(held) > 1)
    held[-1] += settings.hold
    return held


def _frames(layout: Layout, progress: bool) -> Iterator[Array]:
    frames, count = map(layout.frame, layout.chosen.tolist()), len(layout.chosen)
    return _with_bar(frames, count) if progress else frames


def _calm(layout: Layout, frames: Iterator[Array], seconds: Array) -> tuple[Iterator[Array], Array]:
    """The frames, and their seconds, longer where the film would flash; a long film is drawn twice."""
    meter, canvas = _meter(layout), layout.canvas
    if len(seconds) * canvas.width * canvas.height <= MOST_HELD:
        held = list(_metered(frames, meter))
        frames = iter(held)
    else:
        for _ in _metered(frames, meter):
            pass
        frames = _frames(layout, progress=False)
    return frames, calmed(meter.transitions(seconds), seconds)


def _metered(frames: Iterator[Array], meter: FlashMeter) -> Iterator[Array]:
    for frame in frames:
        meter.add(frame)
        yield frame


def _meter(layout: Layout) -> FlashMeter:
    canvas = layout.canvas
    return FlashMeter(canvas.palette.rgb, len(layout.chosen), canvas.width, canvas.height)


def _write_drawing(shown: Shown, settings: FilmSettings, path: Path) -> None:
    """Write the last frame as SVG or PDF."""
    from xortrain.films.formats import save_drawing
    from xortrain.films.vector_canvas import VectorCanvas

    layout = make_layout(shown, replace(settings, canvas=VectorCanvas))
    layout.frame(int(layout.chosen[-1]))
    assert isinstance(layout.canvas, VectorCanvas)
    save_drawing(path, layout.canvas.save)


def _with_bar(frames: Iterator[Array], count: int) -> Iterator[Array]:
    """The same frames, with a progress bar on a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        return frames
    from tqdm import tqdm

    return iter(tqdm(frames, total=count, desc="film", unit="frame", leave=False, delay=0.5, dynamic_ncols=True))
