"""A canvas of pixels: heatmaps are pasted into it, Agg draws lines and marks, text is set from cached masks.

What never changes is drawn once, as the background of every frame. A finished frame is an array of palette indices.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import numpy as np
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox, IdentityTransform

from xortrain.errors import shorten_apart
from xortrain.films.agg import draw_lines, make_renderer
from xortrain.films.colours import SOLID, Palette, blend, channels, composite, rgba
from xortrain.films.film_settings import FilmSettings
from xortrain.films.glyphs import halo_mask, halo_reach, mark_shape, rounded_box, text_mask
from xortrain.nets import Array

_UNCHANGED = IdentityTransform()
LEGIBLE = 0.75
"""The smallest unit in pixels; it makes small text six to eight pixels high."""

ANCHORS = {"left": 0.0, "centre": 0.5, "right": 1.0}
"""Where text is held, as a fraction of its width."""


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels; x and y are its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    @property
    def pixels(self) -> tuple[slice, slice]:
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def contains(self, other: "Box") -> bool:
        """Whether another box is nowhere outside this one."""
        right, low = other.x + other.width, other.y + other.height
        return self.x <= other.x and self.y <= other.y and right <= self.x + self.width and low <= self.y + self.height

    def overlaps(self, other: "Box") -> bool:
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        return across > 0 and min(self.y + self.height, other.y + other.height) > max(self.y, other.y)

    def at(self, fractions: Array) -> Array:
        """Pixels (…, 2) at fractions (…, 2) of the box; (0, 0) is its upper left corner."""
        return fractions * (self.width, self.height) + (self.x, self.y)


@dataclass(frozen=True)
class Overlay:
    """A recorded drawing that can be laid over many frames."""

    where: Array
    """The pixels it covers, as flat indices."""
    paint: Array
    """(pixels,) RGBA in one number."""
    solid: Array = field(default_factory=lambda: np.zeros(0, np.uint8))
    """The palette indices of its first pixels, those that are opaque."""


@dataclass(frozen=True)
class Cutout:
    """What was drawn in a box, to be put into many frames; ``bands`` (height, width) are palette indices."""

    box: Box
    bands: Array


class Canvas:
    """Places are in pixels from the upper left; line widths and text sizes are in units of ``unit`` pixels.

    A canvas has two layers: palette indices below, and RGBA in Agg's own buffer above, where everything is drawn.
    It uses Agg directly, because importing matplotlib's figures takes longer than making a film of 60 frames.
    """

    detail = 1
    """Pixels of a heatmap for each pixel of the canvas, across and down."""

    def __init__(self, width: int, height: int, unit: float, palette: Palette) -> None:
        self.width, self.height, self.unit, self.palette = width, height, unit, palette
        self.colours = palette.colours
        self._agg = self._make_renderer()
        self._above = np.asarray(self._agg.buffer_rgba()).reshape(-1).view("<u4")
        self._above[...] = 0
        self._drawn = False  # whether anything is in the upper layer
        self._shades = palette.nearest(self.colours.greys(np.arange(256) / 255))  # ink on paper by alpha
        self._below = np.full((height, width), self._shades[0])

    def _make_renderer(self) -> Any:
        return make_renderer(self.width, self.height)

    def paste(self, box: Box, bands: Array, where: Array | bool = True) -> None:
        """Put palette indices (height, width) into a box of the lower layer, where a mask is true."""
        if where is True:
            self._below[box.pixels] = bands  # in half the time
        else:
            np.copyto(self._below[box.pixels], bands, "unsafe", where)

    def tints(self, paints: Array) -> Array:
        """The table for `tint`: palette indices (256, colours) of paints (steps, 4) over each colour of a heatmap."""
        ground = self.palette.rgb[: self.palette.bands + 1]
        steps = [self.palette.nearest(blend(ground, paint[:3], paint[3:])) for paint in paints]
        return np.stack(steps + [np.arange(len(ground), dtype=np.uint8)] * (256 - len(paints)))

    def tint(self, box: Box, where: Array, steps: Array, tints: Array) -> None:
        """Paint pixels of a heatmap in a box: each with its step (pixels,) of a table from `tints`.

        ``where`` (pixels,) are flat indices into the box extended by one pixel on each side.
        """
        where = where + where // (box.width + 2) * (self.width - box.width - 2)
        where += (box.y - 1) * self.width + box.x - 1
        flat = self._below.reshape(-1)
        flat[where] = tints.reshape(-1)[steps * np.intp(tints.shape[1]) + flat[where]]

    def outline(self, box: Box, colour: Array, width: float = 1) -> None:
        """Draw a border around a box, aligned to whole pixels."""
        wide = max(1, round(width * self.unit))
        rows, columns = np.arange(-wide, box.height + wide), np.arange(-wide, box.width + wide)
        outside = ((rows < 0) | (rows >= box.height))[:, None] | (columns < 0) | (columns >= box.width)
        numbers = (rows + box.y)[:, None] * self.width + columns + box.x
        self._drawn = True
        self._above[numbers[outside]] = rgba(colour, SOLID)

    def paint_below(self, overlay: Overlay) -> None:
        """Lay an overlay over the lower layer."""
        self._paint(self._below, overlay)

    def _paint(self, layer: Array, overlay: Overlay) -> None:
        flat, count = layer.reshape(-1), len(overlay.solid)
        flat[overlay.where[:count]] = overlay.solid
        where, paint = overlay.where[count:], overlay.paint[count:]
        ground = self.palette.rgb.T.take(flat[where], axis=1)
        flat[where] = self.palette.nearest(blend(ground, channels(paint), paint >> 24).T)

    def stamp(self, overlay: Overlay) -> None:
        """Lay an overlay over the upper layer."""
        self._drawn = True
        self._above[overlay.where] = composite(self._above[overlay.where], overlay.paint)

    def set_background(self) -> None:
        """Make everything drawn so far the background of all later frames."""
        self._below = self.finish()

    def finish(self) -> Array:
        """Return the frame, palette indices (height, width), and start the next one."""
        frame = self._below.copy()
        self._paint(frame, self._pop())
        return frame

    def cut(self, box: Box) -> Cutout:
        """What has been drawn in a box since the last frame; this starts the next one."""
        return Cutout(box, self.finish()[box.pixels].copy())

    def put(self, cutout: Cutout, box: Box) -> None:
        """Put a cutout into the lower layer, as much of it from the left as the box is wide."""
        self.paste(box, cutout.bands[:, : box.width])

    def record(self, draw: Callable[[], None]) -> Overlay:
        """What ``draw`` draws, as an overlay instead of on the canvas."""
        before = self._pop()
        draw()
        drawn = self._pop()
        self._above[before.where] = before.paint
        self._drawn = len(before.where) > 0
        order = np.argsort(drawn.paint < SOLID, kind="stable")
        paint = drawn.paint[order]
        solid = self.palette.nearest(channels(paint[paint >= SOLID]).T)
        return Overlay(drawn.where[order], paint, solid)

    def _pop(self) -> Overlay:
        """Return the upper layer and clear it."""
        where = np.flatnonzero(self._above != 0) if self._drawn else np.zeros(0, int)
        self._drawn = False
        paint = self._above[where]
        self._above[where] = 0
        return Overlay(where, paint)

    def line(
        self, points: Array, colour: Array, width: float = 1, dashes: Sequence[float] = (), clip: Box | None = None,
        opacity: float = 1, grows: bool = False,
    ) -> None:  # fmt: skip
        """Draw a line through points (n, 2); a row of NaN interrupts it.

        With ``grows``, adding points at the end does not change how the beginning is drawn.
        """
        gc = self._pen(colour, width, clip, opacity)
        if dashes:
            gc.set_dashes(0, [dash * self.unit for dash in dashes])
        path = Path(self._upward(points))
        if grows:
            gc.set_snap(False)
            path.should_simplify = False
        self._agg.draw_path(gc, path, _UNCHANGED, None)

    def lines(
        self, lines: Array, colours: Array, widths: Array | float, dashes: Sequence[float] = (), clip: Box | None = None
    ) -> None:
        """Draw lines through points (lines, n, 2), in colours (3,) or (lines, 3), of widths (lines,)."""
        gc = self._pen(self.colours.ink, 1, clip)
        if dashes:
            gc.set_dashes(0, [dash * self.unit for dash in dashes])
        looks = np.ones((len(lines), 4))
        looks[:, :3] = colours / 255
        draw_lines(self._agg, gc, list(map(Path, self._upward(lines))), looks, np.full(len(lines), widths * self.unit))

    def area(self, points: Array, fill: Array, opacity: float = 1) -> None:
        """Draw a filled polygon with corners at points (n, 2)."""
        if len(points):
            path = Path(self._upward(np.concatenate([points, points[:1]])), closed=True)
            self._agg.draw_path(self._pen(fill, 0), path, _UNCHANGED, (*(fill / 255), opacity))

    def chip(self, box: Box, fill: Array, edge: Array, width: float = 2, corner: float = 4) -> None:
        """Draw a filled box with round corners."""
        gc, half = self._pen(edge, width), width * self.unit / 2
        path = rounded_box(box.width - 2 * half, box.height - 2 * half, corner * self.unit)
        place = Affine2D().translate(box.x + half, self.height - box.y - box.height + half)
        self._agg.draw_path(gc, path, place, tuple(fill / 255))

    def marks(
        self, places: Array, kind: int, radius: float, fill: Array, edge: Array | None = None, width: float = 1
    ) -> None:
        """Draw the mark of class ``kind`` at each of places (n, 2); class 0 is a dot."""
        gc = self._pen(fill if edge is None else edge, 0 if edge is None else width)
        gc.set_snap(False)  # a snapped square may leave one side of the mark below it uncovered
        size, inside = Affine2D().scale(radius * self.unit), tuple((fill / 255).tolist())
        self._agg.draw_markers(gc, mark_shape(kind), size, Path(self._upward(places)), _UNCHANGED, inside)

    def text(
        self, x: float, y: float, words: str, size: float = 11, colour: Array | None = None, face: str = "",
        align: str = "left", vertical: bool = False, halo: Array | None = None,
    ) -> Box:  # fmt: skip
        """Draw text with its baseline at y and its left, centre or right at x, shifted if it would leave the canvas.

        Returns the box that it covers.
        """
        if not words:
            return Box(round(x), round(y), 0, 0)
        shade, edge = self.colours.ink if colour is None else colour, () if halo is None else tuple(halo.tolist())
        paint, below, out = _painted(words, round(size * self.unit, 2), face, tuple(shade.tolist()), edge)
        paint = np.rot90(paint) if vertical else paint
        height, width = paint.shape[0] - 2 * out, paint.shape[1] - 2 * out
        left = round(x - ANCHORS[align] * width)
        top = round(y - height / 2) if vertical else round(y) - height + below
        box = Box(max(0, min(left, self.width - width)), max(0, min(top, self.height - height)), width, height)
        self._lay(box.x - out, box.y - out, paint)
        return box

    def number(self, box: Box, low: int, words: str, size: float, align: str) -> None:
        """Draw a bold number with its baseline at ``low`` in the background, replacing the content of a box."""
        mask, below = text_mask(words, round(size * self.unit, 2), "bold")
        top, width = low + below - mask.shape[0], min(mask.shape[1], box.width)
        left = box.x if align == "left" else box.x + box.width - width
        self._below[box.pixels] = self._shades[0]
        self._below[top : low + below, left : left + width] = self._shades[mask[:, :width]]

    def text_width(self, words: str, size: float, face: str = "") -> int:
        return text_width(words, self.unit, size, face)

    def shorten(self, words: str, width: float, size: float, face: str = "") -> str:
        """The text without its last words, and an ellipsis, if it is wider than ``width`` pixels.

        Only a single word that is too wide by itself is cut.
        """
        if len(words) <= 2 or self.text_width(words, size, face) <= width:
            return words
        while " " in words and self.text_width(words + " …", size, face) > width:
            words = words.rpartition(" ")[0].rstrip(" ,:")
        if self.text_width(words + " …", size, face) <= width:
            return words + " …"
        while len(words) > 1 and self.text_width(words + "…", size, face) > width:
            words = words[:-1].rstrip()
        return words + "…"

    def shorten_apart(self, names: Sequence[str], width: float, size: float) -> list[str]:
        """Each name shortened to at most ``width`` pixels, so that different names still differ if possible."""
        return shorten_apart(names, lambda name: self.shorten(name, width, size))

    def first_fitting(self, variants: Sequence[str], width: float, size: float) -> str:
        """The first of some texts that is at most ``width`` pixels wide; the last one shortened if none is."""
        fitting = (words for words in variants if self.text_width(words, size) <= width)
        return next(fitting, None) or self.shorten(variants[-1], width, size)

    def _lay(self, x: int, y: int, paint: Array) -> None:
        """Lay RGBA (height, width), as much of it as is on the canvas, over the upper layer; x and y are its corner."""
        self._drawn = True
        top, left = max(-y, 0), max(-x, 0)
        layer = self._above.reshape(self.height, self.width)
        ground = layer[y + top : y + paint.shape[0], x + left : x + paint.shape[1]]
        paint = paint[top : top + ground.shape[0], left : left + ground.shape[1]]
        ground[...] = composite(ground, paint) if ground.any() else paint

    def _pen(self, colour: Array, width: float, clip: Box | None = None, opacity: float = 1) -> Any:
        self._drawn = True
        gc = self._agg.new_gc()
        gc.set_foreground((*(colour / 255).tolist(), opacity), isRGBA=True)
        gc.set_linewidth(width * self.unit)
        gc.set_joinstyle("round")
        gc.set_capstyle("butt")
        if clip is not None:
            low = self.height - clip.y - clip.height
            gc.set_clip_rectangle(cast(Any, Bbox).from_bounds(clip.x, low, clip.width, clip.height))
        return gc

    def _upward(self, points: Array) -> Array:
        """Agg measures y from the lower edge."""
        points = np.array(points, float)
        points[..., 1] = self.height - points[..., 1]
        return points


@lru_cache(maxsize=256)
def _painted(
    words: str, size: float, face: str, colour: tuple[int, ...], halo: tuple[int, ...]
) -> tuple[Array, int, int]:
    """Text as RGBA (height, width), how many of its rows are below the baseline, and how far its halo reaches.

    It is 0 where there is nothing; without colours of a halo, there is none.
    """
    mask, below = text_mask(words, size, face)
    paint = _tinted(mask, colour)
    if not halo:
        return paint, below, 0
    out, around = halo_reach(size), _tinted(halo_mask(words, size, face), halo)
    return composite(around, np.pad(paint, out)), below, out


def _tinted(mask: Array, colour: tuple[int, ...]) -> Array:
    """A mask in a colour, as RGBA."""
    return np.where(mask, rgba(np.array(colour), mask.astype(np.uint32) << 24), np.uint32(0))


def text_width(words: str, unit: float, size: float, face: str = "") -> int:
    """The width of text in pixels on a canvas of that unit."""
    return int(text_mask(words, round(size * unit, 2), face)[0].shape[1]) if words else 0


def make_canvas(settings: FilmSettings, palette: Palette, design: tuple[int, int]) -> Canvas:
    """A canvas of the size in the settings or, by default, of the design; its unit scales the design to it."""
    width, height = settings.size or design
    unit = max(min(width / design[0], height / design[1]), LEGIBLE)
    return (settings.canvas or Canvas)(width, height, unit, palette)
