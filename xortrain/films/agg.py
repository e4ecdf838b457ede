"""Agg, the rasteriser of matplotlib, without matplotlib's figures, whose import takes longer than a film of 60 frames.

What is private to matplotlib is here: its module `_backend_agg`, and the attributes and methods of a graphics context.
Where a version of matplotlib has others, its public renderer is used, which draws the same.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import numpy as np
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform

from xortrain.nets import Array


class Pen:
    """A graphics context: how lines are drawn. Its setters are those of matplotlib."""

    def __init__(self) -> None:
        self._alpha, self._forced_alpha, self._antialiased = 1.0, False, 1
        self._capstyle, self._joinstyle, self._linewidth = "butt", "round", 1.0
        self._rgb: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0)
        self._dashes: Any = (0, None)
        self._cliprect = self._snap = None

    def set_foreground(self, colour: Any, isRGBA: bool = True) -> None:
        self._rgb = colour

    def set_linewidth(self, width: float) -> None:
        self._linewidth = float(width)

    def set_joinstyle(self, style: str) -> None:
        self._joinstyle = style

    def set_capstyle(self, style: str) -> None:
        self._capstyle = style

    def set_dashes(self, offset: float, dashes: Any) -> None:
        self._dashes = offset, dashes

    def set_clip_rectangle(self, bounds: Any) -> None:
        self._cliprect = bounds

    def set_snap(self, snap: Any) -> None:
        self._snap = snap

    def get_dashes(self) -> Any:
        return self._dashes

    def get_snap(self) -> Any:
        return self._snap

    def get_clip_path(self) -> tuple[None, None]:
        return None, None

    def get_hatch_path(self, density: float = 6.0) -> None:
        return None

    def get_hatch_color(self) -> tuple[float, ...]:
        return self._rgb

    def get_hatch_linewidth(self) -> float:
        return 1.0

    def get_sketch_params(self) -> None:
        return None


class Agg:
    """The part of matplotlib's RendererAgg that a canvas uses."""

    new_gc = Pen

    def __init__(self, width: int, height: int) -> None:
        from matplotlib.backends import _backend_agg

        self._agg = cast(Any, _backend_agg).RendererAgg(width, height, 72)
        self.draw_path, self.draw_markers = self._agg.draw_path, self._agg.draw_markers
        self.draw_path_collection = self._agg.draw_path_collection

    def buffer_rgba(self) -> memoryview:
        return memoryview(self._agg)


def make_renderer(width: int, height: int) -> Any:
    """A renderer of that size in pixels, and a buffer of RGBA."""
    return Agg(width, height) if _is_as_expected() else public_renderer(width, height)


def public_renderer(width: int, height: int) -> Any:
    """The renderer that matplotlib documents."""
    from matplotlib.backends.backend_agg import RendererAgg

    return cast(Any, RendererAgg)(width, height, 72)


def draw_lines(agg: Any, pen: Any, paths: Sequence[Path], colours: Array, widths: Array) -> None:
    """Draw paths with a renderer, each in its colour of (paths, 4) from 0 to 1, and as wide as in (paths,)."""
    same, none, dashes = IdentityTransform(), np.zeros((0, 4)), [pen.get_dashes()]
    places = np.zeros((0, 3, 3)), np.zeros((0, 2)), same
    agg.draw_path_collection(pen, same, paths, *places, none, colours, widths, dashes, [True], [None], "screen")


@cache
def _is_as_expected() -> bool:
    """Whether lines and a mark can be drawn in this version of matplotlib."""
    line = Path(np.array([[1.0, 1.0], [7.0, 6.0]]))
    try:
        agg, pen = Agg(8, 8), Pen()
        pen.set_dashes(0, [2, 1])
        agg.draw_path(pen, line, IdentityTransform(), None)
        agg.draw_markers(pen, line, IdentityTransform(), line, IdentityTransform(), (1.0, 0.0, 0.0))
        draw_lines(agg, pen, [line], np.ones((1, 4)), np.ones(1))
        return bool(np.asarray(agg.buffer_rgba()).any())
    except Exception:  # whatever another version raises
        return False
