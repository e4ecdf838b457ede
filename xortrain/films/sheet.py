"""A sheet of pixels to draw on: fields are pasted, lines and marks drawn by Agg, words set from ready-made masks.

Agg's own buffer is the canvas.  What never changes is drawn once and copied back for each picture; in the end
each pixel is told by its palette index, those of a field exactly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox, IdentityTransform

from xortrain.films.lettering import halo_of, lettering
from xortrain.films.palette import Palette, words
from xortrain.nets import Array

SQUARE = Path(np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]], float), closed=True)
SHAPES = [
    Path.unit_circle(),
    SQUARE.transformed(Affine2D().scale(0.9)),
    *(Path.unit_regular_polygon(n) for n in (3, 4, 5)),
    Path.unit_regular_star(5, 0.45),
    *(Path.unit_regular_polygon(n) for n in (6, 8)),
    Path.unit_regular_star(4, 0.45),
    Path.unit_regular_star(6, 0.55),
]
"""The shape of each class's points, about the size of the unit circle."""

_AS_IT_IS = IdentityTransform()


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels, from its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    @property
    def pixels(self) -> tuple[slice, slice]:
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def at(self, share: Array) -> Array:
        """Pixels (…, 2) for shares (…, 2) of the box, 0, 0 at its upper left."""
        return share * (self.width, self.height) + (self.x, self.y)


@dataclass(frozen=True)
class Layer:
    """A drawing on clear ground, to be laid over a picture again and again."""

    where: Array
    """The pixels it covers, numbered row by row."""
    colour: Array
    """(pixels, 3)"""
    share: Array
    """(pixels, 1), of 255."""


class Sheet:
    """Places are pixels from the upper left; widths and sizes of type are in units of ``scale`` pixels."""

    def __init__(self, width: int, height: int, scale: float, palette: Palette) -> None:
        self.width, self.height, self.scale, self.palette = width, height, scale, palette
        self.colours = palette.colours
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        self._agg: Any = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
        self._channels = np.asarray(self._agg.buffer_rgba())
        self._pixels = self._channels.view("<u4")[..., 0]
        assert self._pixels.shape == (height, width)
        self._pixels[...] = words(self.colours.paper)

    def keep(self) -> None:
        """From now on each picture begins with what has been drawn so far."""
        self._ground = self._pixels.copy()
        self._under = self.palette.nearest(self._ground.ravel()).reshape(self._ground.shape)

    def paste(self, box: Box, bands: Array) -> None:
        """Put palette indices (height, width) into a box, under all that is drawn."""
        self._under[box.pixels] = bands
        self._ground[box.pixels] = self.palette.words[bands]

    def paste_still(self, box: Box, bands: Array) -> None:
        """Put palette indices (height, width) where they will not change."""
        self._pixels[box.pixels] = self.palette.words[bands]

    def begin(self) -> None:
        """Start to draw a picture, after the fields have been pasted."""
        np.copyto(self._pixels, self._ground)

    def finish(self) -> Array:
        """The picture as palette indices (height, width)."""
        picture = self._under.copy()
        drawn = np.flatnonzero(self._pixels != self._ground)
        picture.reshape(-1)[drawn] = self.palette.nearest(self._pixels.reshape(-1)[drawn])
        return picture

    def layer(self, draw: Callable[[], None]) -> Layer:
        """What is drawn meanwhile, kept instead of shown."""
        before = self._pixels.copy()
        self._pixels[...] = 0
        draw()
        where = np.flatnonzero(self._pixels)
        drawn = self._channels.reshape(-1, 4)[where].astype(np.int32)
        np.copyto(self._pixels, before)
        return Layer(where, drawn[:, :3], drawn[:, 3:])

    def stamp(self, layer: Layer) -> None:
        """Lay a layer over the picture."""
        flat = self._channels.reshape(-1, 4)
        ground = flat[layer.where]
        ground[:, :3] += ((layer.colour - ground[:, :3]) * layer.share // 255).astype(np.uint8)
        flat[layer.where] = ground

    def line(
        self,
        points: Array,
        colour: Array,
        width: float = 1,
        dashes: Sequence[float] = (),
        within: Box | None = None,
        share: float = 1,
    ) -> None:
        """A line through points (n, 2), covering a share of the ground; a row of nan lifts the pen."""
        gc = self._pen(colour, width, within, share)
        if dashes:
            gc.set_dashes(0, [dash * self.scale for dash in dashes])
        self._agg.draw_path(gc, Path(self._upward(points)), _AS_IT_IS, None)

    def area(self, points: Array, fill: Array | None, edge: Array | None = None, width: float = 1) -> None:
        """A closed shape round points (n, 2)."""
        gc = self._pen(fill if edge is None else edge, 0 if edge is None else width)
        path = Path(self._upward(np.concatenate([points, points[:1]])), closed=True)
        self._agg.draw_path(gc, path, _AS_IT_IS, None if fill is None else tuple(fill / 255))

    def edge(self, box: Box, colour: Array, width: float = 1) -> None:
        """A frame round a box, on the outside, sharp to the pixel."""
        wide, word = max(1, round(width * self.scale)), words(colour)
        rows = slice(max(box.y - wide, 0), box.y + box.height + wide)
        columns = slice(max(box.x - wide, 0), box.x + box.width + wide)
        for strip in (slice(rows.start, box.y), slice(box.y + box.height, rows.stop)):
            self._pixels[strip, columns] = word
        for strip in (slice(columns.start, box.x), slice(box.x + box.width, columns.stop)):
            self._pixels[rows, strip] = word

    def chip(self, box: Box, fill: Array, edge: Array, width: float = 2, corner: float = 4) -> None:
        """A box with round corners."""
        gc, half = self._pen(edge, width), width * self.scale / 2
        path = _rounded(box.width - 2 * half, box.height - 2 * half, corner * self.scale)
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
            self._blend(Box(box.x - 2, box.y - 2, width + 4, height + 4), np.rot90(spread) if turned else spread, halo)
        self._blend(box, mask, self.colours.ink if colour is None else colour)
        return box

    def text_width(self, words: str, size: float, face: str = "") -> int:
        return int(lettering(words, round(size * self.scale, 2), face)[0].shape[1])

    def fitting(self, words: str, width: float, size: float, face: str = "") -> str:
        """The words, cut short with an ellipsis if they are wider than that."""
        if not words or self.text_width(words, size, face) <= width:
            return words
        while len(words) > 1 and self.text_width(words + "…", size, face) > width:
            words = words[:-1].rstrip()
        return words + "…"

    def _blend(self, box: Box, mask: Array, colour: Array) -> None:
        top, left = max(-box.y, 0), max(-box.x, 0)
        ground = self._channels[max(box.y, 0) : box.y + box.height, max(box.x, 0) : box.x + box.width, :3]
        share = mask[top : top + ground.shape[0], left : left + ground.shape[1], None].astype(np.int32)
        ground += ((colour.astype(np.int32) - ground) * share // 255).astype(np.uint8)  # modulo 256, as it must be

    def _pen(self, colour: Array | None, width: float, within: Box | None = None, share: float = 1) -> Any:
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


@lru_cache(maxsize=64)
def _rounded(width: float, height: float, corner: float) -> Path:
    """A rectangle from 0, 0 whose corners are quarters of circles."""
    r = min(corner, width / 2, height / 2)
    ends = np.array([[r, 0], [width - r, 0], [width, r], [width, height - r]])
    around = np.concatenate([ends, (width, height) - ends])
    turns = np.array([[width, 0], [width, height], [0, height], [0, 0]], float)
    points, codes = [around[0]], [Path.MOVETO]
    for i, turn in enumerate(turns):
        points += [around[(2 * i + 1) % 8], turn, around[(2 * i + 2) % 8]]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path(np.array([*points, around[0]]), [*codes, Path.CLOSEPOLY])


def _clip(box: Box, height: int) -> Any:
    return Bbox.from_bounds(box.x, height - box.y - box.height, box.width, box.height)  # type: ignore[no-untyped-call]
