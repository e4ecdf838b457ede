"""A sheet of pixels to draw on: fields are pasted, lines and marks drawn by Agg, words set from ready-made masks.

Agg's own buffer is the canvas.  What never changes is drawn once and copied back for each picture; in the end
each pixel is told by its palette index, those of a field exactly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox, IdentityTransform

from xortrain.films.colours import Palette, covered, mix, over, palette
from xortrain.films.film_settings import FilmSettings
from xortrain.films.glyphs import Box, halo_of, lettering, rounded
from xortrain.nets import Array

_AS_IT_IS = IdentityTransform()
LEGIBLE = 0.75
"""The least scale: of small type six to eight pixels are left."""


@dataclass(frozen=True)
class Overlay:
    """A drawing to be laid over a picture again and again."""

    where: Array
    """The pixels it covers, numbered row by row."""
    paint: Array
    """(pixels, 4) uint8: a colour, and how much of the ground it covers."""
    solid: Array = field(default_factory=lambda: np.zeros(0, np.uint8))
    """The palette indices of its first pixels, which cover all of it."""


class Canvas:
    """Places are pixels from the upper left; widths and sizes of type are in units of ``scale`` pixels.

    Fields are palette indices below; all else is drawn above them, on clear ground, in Agg's own buffer.
    A figure is not needed for it, and importing one would cost more than a film of 60 pictures.
    """

    def __init__(self, width: int, height: int, scale: float, palette: Palette) -> None:
        self.width, self.height, self.scale, self.palette = width, height, scale, palette
        self.colours = palette.colours
        self._agg = cast(Any, RendererAgg)(width, height, 72)
        self._above = np.asarray(self._agg.buffer_rgba()).reshape(height * width, 4)
        self._words = self._above.view("<u4")[:, 0]
        self._words[...] = 0
        self._drawn = False  # whether anything lies above
        greys = mix(self.colours.paper, self.colours.ink, np.arange(256)[:, None] / 255)
        self._shades = palette.nearest(greys)  # of ink on paper, by how much it covers
        self._under = np.full((height, width), self._shades[0])

    def paste(self, box: Box, bands: Array, where: Array | None = None) -> None:
        """Put palette indices (height, width) into a box, or where it is told, under all that is drawn."""
        if where is None:
            self._under[box.pixels] = bands
        else:
            self._under[box.pixels][where] = bands[where]

    def tints(self, paints: Array) -> Array:
        """What each of paints (steps, 4) makes of each colour of a field: palette indices (256, colours)."""
        ground = self.palette.rgb[: self.palette.bands + 1]
        steps = [self.palette.nearest(covered(ground, paint[:3], paint[3:])) for paint in paints]
        return np.stack(steps + [np.arange(len(ground), dtype=np.uint8)] * (256 - len(paints)))

    def tint(self, box: Box, where: Array, steps: Array, tints: Array) -> None:
        """Paint pixels of a field by the table that `tints` made.

        They are numbered row by row in the box with one more pixel on each side.
        """
        where = where + where // (box.width + 2) * (self.width - box.width - 2)
        where += (box.y - 1) * self.width + box.x - 1
        flat = self._under.reshape(-1)
        flat[where] = tints.reshape(-1)[steps * np.intp(tints.shape[1]) + flat[where]]

    def ring(self, box: Box, width: float = 1) -> Array:
        """The pixels of a frame round a box, on the outside, numbered row by row."""
        wide = max(1, round(width * self.scale))
        rows, columns = np.arange(-wide, box.height + wide), np.arange(-wide, box.width + wide)
        outside = ((rows < 0) | (rows >= box.height))[:, None] | (columns < 0) | (columns >= box.width)
        numbers = (rows + box.y)[:, None] * self.width + columns + box.x
        return np.asarray(numbers[outside])

    def edge(self, box: Box, colour: Array, width: float = 1) -> None:
        """A frame round a box, sharp to the pixel."""
        self._drawn = True
        self._words[self.ring(box, width)] = np.append(colour, np.uint8(255)).view("<u4")[0]

    def sink(self, layer: Overlay) -> None:
        """Lay a layer under all that is drawn, into the fields."""
        flat, count = self._under.reshape(-1), len(layer.solid)
        flat[layer.where[:count]] = layer.solid
        where, paint = layer.where[count:], layer.paint[count:]
        flat[where] = self.palette.nearest(covered(self.palette.rgb[flat[where]], paint[:, :3], paint[:, 3:]))

    def keep(self) -> None:
        """From now on each picture begins with what has been drawn so far."""
        self._under = self.finish()

    def finish(self) -> Array:
        """The picture as palette indices (height, width); the next begins."""
        frame, above = self._under.copy(), self._taken()
        if len(above.where):
            before, self._under = self._under, frame
            self.sink(above)
            self._under = before
        return frame

    def layer(self, draw: Callable[[], None]) -> Overlay:
        """What is drawn meanwhile, kept instead of shown."""
        before = self._taken()
        draw()
        drawn = self._taken()
        self._above[before.where] = before.paint
        self._drawn = len(before.where) > 0
        order = np.argsort(drawn.paint[:, 3] < 255, kind="stable")
        paint = drawn.paint[order]
        solid = self.palette.nearest(paint[paint[:, 3] == 255, :3])
        return Overlay(drawn.where[order], paint, solid)

    def stamp(self, layer: Overlay) -> None:
        """Lay a layer over the picture."""
        self._drawn = True
        self._above[layer.where] = over(self._above[layer.where], layer.paint[:, :3], layer.paint[:, 3])

    def _taken(self) -> Overlay:
        """What lies above the fields, taken away."""
        where = np.flatnonzero(self._words != 0) if self._drawn else np.zeros(0, int)
        self._drawn = False
        paint = self._above[where]
        self._words[where] = 0
        return Overlay(where, paint)

    def line(
        self,
        points: Array,
        colour: Array,
        width: float = 1,
        dashes: Sequence[float] = (),
        within: Box | None = None,
        share: float = 1,
        grows: bool = False,
    ) -> None:
        """A line through points (n, 2), covering a share of the ground; a row of nan lifts the pen.

        The beginning of one that grows looks the same however it goes on.
        """
        gc = self._pen(colour, width, within, share)
        if dashes:
            gc.set_dashes(0, [dash * self.scale for dash in dashes])
        path = Path(self._upward(points))
        if grows:
            gc.set_snap(False)
            path.should_simplify = False
        self._agg.draw_path(gc, path, _AS_IT_IS, None)

    def area(self, points: Array, fill: Array, share: float = 1) -> None:
        """A closed shape round points (n, 2), covering a share of the ground."""
        if len(points):
            path = Path(self._upward(np.concatenate([points, points[:1]])), closed=True)
            self._agg.draw_path(self._pen(fill, 0), path, _AS_IT_IS, (*(fill / 255), share))

    def chip(self, box: Box, fill: Array, edge: Array, width: float = 2, corner: float = 4) -> None:
        """A box with round corners."""
        gc, half = self._pen(edge, width), width * self.scale / 2
        path = rounded(box.width - 2 * half, box.height - 2 * half, corner * self.scale)
        place = Affine2D().translate(box.x + half, self.height - box.y - box.height + half)
        self._agg.draw_path(gc, path, place, tuple(fill / 255))

    def marks(
        self, places: Array, shape: Path, radius: float, fill: Array, edge: Array | None = None, width: float = 1
    ) -> None:
        """The same shape at each of places (n, 2)."""
        gc = self._pen(fill if edge is None else edge, 0 if edge is None else width)
        size = Affine2D().scale(radius * self.scale)
        self._agg.draw_markers(gc, shape, size, Path(self._upward(places)), _AS_IT_IS, tuple(fill / 255))

    def text(
        self, x: float, y: float, words: str, size: float = 11, colour: Array | None = None, face: str = "",
        align: str = "left", turned: bool = False, halo: Array | None = None,
    ) -> Box:  # fmt: skip
        """Words whose baseline is at y; x is their left, centre or right.  They are moved to stay on the sheet."""
        if not words:
            return Box(round(x), round(y), 0, 0)
        mask, below = lettering(words, round(size * self.scale, 2), face)
        mask = np.rot90(mask) if turned else mask
        height, width = mask.shape
        left = round(x - {"left": 0, "centre": 0.5, "right": 1}[align] * width)
        top = round(y - height / 2) if turned else round(y) - height + below
        box = Box(max(0, min(left, self.width - width)), max(0, min(top, self.height - height)), width, height)
        if halo is not None:
            spread = halo_of(words, round(size * self.scale, 2), face)
            spread = np.rot90(spread) if turned else spread
            out = (spread.shape[0] - height) // 2
            self._blend(Box(box.x - out, box.y - out, width + 2 * out, height + 2 * out), spread, halo)
        self._blend(box, mask, self.colours.ink if colour is None else colour)
        return box

    def figures(self, box: Box, low: int, words: str, size: float, align: str) -> None:
        """A number on plain paper, in bold type with its baseline at ``low``, instead of what the box showed before."""
        mask, below = lettering(words, round(size * self.scale, 2), "bold")
        top, width = low + below - mask.shape[0], min(mask.shape[1], box.width)
        left = box.x if align == "left" else box.x + box.width - width
        self._under[box.pixels] = self._shades[0]
        self._under[top : low + below, left : left + width] = self._shades[mask[:, :width]]

    def text_width(self, words: str, size: float, face: str = "") -> int:
        return int(lettering(words, round(size * self.scale, 2), face)[0].shape[1]) if words else 0

    def fitting(self, words: str, width: float, size: float, face: str = "") -> str:
        """The words, cut short with an ellipsis if they are wider than that and longer than the cut."""
        if len(words) <= 2 or self.text_width(words, size, face) <= width:
            return words
        while len(words) > 1 and self.text_width(words + "…", size, face) > width:
            words = words[:-1].rstrip()
        return words + "…"

    def _blend(self, box: Box, mask: Array, colour: Array) -> None:
        self._drawn = True
        top, left = max(-box.y, 0), max(-box.x, 0)
        place = slice(box.y + top, box.y + box.height), slice(box.x + left, box.x + box.width)
        ground = self._above.reshape(self.height, self.width, 4)[place]
        share = mask[top : top + ground.shape[0], left : left + ground.shape[1]]
        ground[...] = over(ground, colour, share)

    def _pen(self, colour: Array | None, width: float, within: Box | None = None, share: float = 1) -> Any:
        self._drawn = True
        gc = self._agg.new_gc()
        gc.set_foreground((*((self.colours.ink if colour is None else colour) / 255), share), isRGBA=True)
        gc.set_linewidth(width * self.scale)
        gc.set_joinstyle("round")
        gc.set_capstyle("butt")
        if within is not None:
            gc.set_clip_rectangle(_clip(within, self.height))
        return gc

    def _upward(self, points: Array) -> Array:
        """Agg counts from the lower edge."""
        return np.stack([points[..., 0], self.height - points[..., 1]], axis=-1)


def _clip(box: Box, height: int) -> Any:
    return Bbox.from_bounds(box.x, height - box.y - box.height, box.width, box.height)


def canvas_for(settings: FilmSettings, classes: int, design: tuple[int, int]) -> Canvas:
    """A sheet of the size asked, or of the design's own; its scale is the design's while words are legible."""
    width, height = settings.size or design
    scale = max(min(width / design[0], height / design[1]), LEGIBLE)
    return Canvas(width, height, scale, palette(settings.colours, settings.levels, settings.dark, classes))
