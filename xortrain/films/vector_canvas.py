"""A canvas that also keeps what is drawn as steps, and replays them into an SVG or a PDF: lines as lines, text as text.

Heatmaps are images with more pixels than the canvas has. Steps measure y from the lower edge, as matplotlib does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from typing import IO, Any, cast

import matplotlib
import numpy as np
from matplotlib.backends.backend_pdf import PdfFile, RendererPdf
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D, Bbox

from xortrain.films.agg import public_renderer
from xortrain.films.canvas import ANCHORS, Box, Canvas, Cutout, Overlay
from xortrain.films.glyphs import drawable, font_file, halo_reach, ink_extent, text_mask
from xortrain.nets import Array

Step = Callable[[Any, Any, Any], None]
"""Draws with a renderer, moved by an Affine2D and clipped by a Bbox or None."""

FAMILIES = ["DejaVu Sans", "Verdana"]
STYLE: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "xortrain", "svg.image_inline": True, "svg.id": None,
    "font.sans-serif": FAMILIES, "pdf.fonttype": 42, "pdf.compression": 6, "pdf.use14corefonts": False,
    "pdf.inheritcolor": False, "path.simplify": True, "path.simplify_threshold": 1 / 9,
}  # fmt: skip
"""Text stays text, and the same picture gives the same bytes, whatever a matplotlibrc says."""


@dataclass(frozen=True)
class KeptOverlay(Overlay):
    """An overlay with its steps, each with the box around all of them."""

    steps: Sequence[tuple[Box, Step]] = ()


@dataclass(frozen=True)
class KeptCutout(Cutout):
    """A cutout with its steps."""

    steps: Sequence[Step] = ()


class KeepingRenderer:
    """Draws with Agg, and keeps every call as a step."""

    def __init__(self, width: int, height: int) -> None:
        agg = public_renderer(width, height)
        self.new_gc, self.buffer_rgba = agg.new_gc, agg.buffer_rgba
        self._agg, self.steps = agg, list[Step]()

    def draw_path(self, gc: Any, path: Path, move: Any, fill: Any) -> None:
        self._agg.draw_path(gc, path, move, fill)
        self.steps.append(lambda to, by, clip: to.draw_path(_pen(to, gc, by, clip), path, move + by, fill))

    def draw_markers(self, gc: Any, mark: Path, size: Any, path: Path, move: Any, fill: Any) -> None:
        self._agg.draw_markers(gc, mark, size, path, move, fill)
        self.steps.append(
            lambda to, by, clip: to.draw_markers(_pen(to, gc, by, clip), mark, size, path, move + by, fill)
        )

    def take(self) -> list[Step]:
        """The steps so far; there are none from now on."""
        steps, self.steps = self.steps, []
        return steps


class VectorCanvas(Canvas):
    """A canvas of pixels like any other, whose last frame `save` writes."""

    detail = 3

    def __init__(self, *looks: Any) -> None:
        super().__init__(*looks)
        self._lower: list[tuple[Box, Step]] = []  # each with the box that it is in
        self._frame: list[Step] = []

    def _make_renderer(self) -> KeepingRenderer:
        return KeepingRenderer(self.width, self.height)

    def paste(self, box: Box, bands: Array, where: Array | bool = True) -> None:
        step = max(bands.shape[1] // box.width, 1)
        bands = np.broadcast_to(bands, (max(len(bands), step * box.height), step * box.width))
        super().paste(box, bands[step // 2 :: step, step // 2 :: step], where)
        self._show(box, self.palette.rgb[np.asarray(bands, np.uint8)], where)

    def tint(self, box: Box, where: Array, steps: Array, tints: Array) -> None:
        super().tint(box, where, steps, tints)
        self._show(box, self.palette.rgb[self._below[box.pixels]])

    def _show(self, box: Box, image: Array, where: Array | bool = True) -> None:
        """Add an image (height, width, 3) over a box to the lower layer, transparent where a mask is false."""
        is_whole = where is True
        if not is_whole:
            alpha = np.broadcast_to(np.uint8(255) * np.asarray(where), image.shape[:2])
            image = np.concatenate([image, alpha[..., None].astype(np.uint8)], axis=2)
        shown, low, size = image[::-1].copy(), self._low(box), Affine2D().scale(box.width, box.height)

        def step(to: Any, by: Any, clip: Any) -> None:
            x, y = by.transform((box.x, low))
            to.draw_image(_pen(to, None, by, clip), x, y, shown, size)

        self._add_below(box, step, is_whole)

    def lines(
        self, lines: Array, colours: Array, widths: Array | float, dashes: Sequence[float] = (), clip: Box | None = None
    ) -> None:
        looks = zip(lines, np.resize(colours, (len(lines), 3)), np.resize(widths, len(lines)), strict=True)
        for points, colour, width in looks:
            self.line(points, colour, width, dashes, clip)

    def outline(self, box: Box, colour: Array, width: float = 1) -> None:
        super().outline(box, colour, width)
        wide, corners = max(1, round(width * self.unit)), np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
        gc = self._pen(colour, wide / self.unit)
        gc.set_joinstyle("miter")
        path = Path(self._upward(box.at(corners) + (corners - 0.5) * wide), closed=True)
        self._agg.steps.append(lambda to, by, clip: to.draw_path(_pen(to, gc, by, clip), path, by, None))

    def paint_below(self, overlay: Overlay) -> None:
        super().paint_below(overlay)
        assert isinstance(overlay, KeptOverlay)
        self._lower += overlay.steps

    def stamp(self, overlay: Overlay) -> None:
        super().stamp(overlay)
        assert isinstance(overlay, KeptOverlay)
        self._agg.steps += [step for _, step in overlay.steps]

    def record(self, draw: Callable[[], None]) -> Overlay:
        before = self._agg.take()
        overlay = super().record(draw)
        steps, self._agg.steps = self._agg.take(), before
        if not len(overlay.where):
            return KeptOverlay(overlay.where, overlay.paint, overlay.solid)
        y, x = np.divmod(overlay.where, self.width)
        box = Box(int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1)
        return KeptOverlay(overlay.where, overlay.paint, overlay.solid, [(box, step) for step in steps])

    def cut(self, box: Box) -> Cutout:
        steps = [*(step for place, step in self._lower if box.contains(place)), *self._agg.steps]
        return KeptCutout(box, super().cut(box).bands, steps)

    def put(self, cutout: Cutout, box: Box) -> None:
        assert isinstance(cutout, KeptCutout)
        super().paste(box, cutout.bands[:, : box.width])
        move = Affine2D().translate(box.x - cutout.box.x, self._low(box) - self._low(cutout.box))
        bounds = cast(Any, Bbox).from_bounds(box.x, self._low(box), box.width, box.height)

        def draw(to: Any, by: Any, clip: Any) -> None:
            for step in cutout.steps:
                step(to, move + by, _clipped(bounds, by, clip))

        self._add_below(box, draw)

    def _add_below(self, box: Box, step: Step, is_whole: bool = True) -> None:
        """Add a step to the lower layer; if it fills its box, those that are hidden by it are removed."""
        if is_whole:
            self._lower = [(place, one) for place, one in self._lower if not box.contains(place)]
        self._lower.append((box, step))

    def set_background(self) -> None:
        steps, everywhere = self._agg.steps, Box(0, 0, self.width, self.height)
        super().set_background()
        self._lower += [(everywhere, step) for step in steps]

    def finish(self) -> Array:
        self._frame = [*(step for _, step in self._lower), *self._agg.take()]
        return super().finish()

    def text(
        self, x: float, y: float, words: str, size: float = 11, colour: Array | None = None, face: str = "",
        align: str = "left", vertical: bool = False, halo: Array | None = None,
    ) -> Box:  # fmt: skip
        box = super().text(x, y, words, size, colour, face, align, vertical, halo)
        if words:
            step = self._text_step(
                box, words, size, self.colours.ink if colour is None else colour, face, align, vertical, halo
            )
            self._agg.steps.append(step)
        return box

    def number(self, box: Box, low: int, words: str, size: float, align: str) -> None:
        super().number(box, low, words, size, align)
        mask, below = text_mask(words, round(size * self.unit, 2), "bold")
        height, width = mask.shape
        left = box.x if align == "left" else box.x + box.width - width
        self._show(box, np.broadcast_to(self.colours.paper, (1, 1, 3)))
        place = Box(left, low + below - height, width, height)
        self._lower.append((box, self._text_step(place, words, size, self.colours.ink, "bold", align)))

    def _text_step(
        self, box: Box, words: str, size: float, colour: Array, face: str, align: str, vertical: bool = False,
        halo: Array | None = None,
    ) -> Step:  # fmt: skip
        """Draws words where their mask is in a box: as text, on a halo of the outlines of its letters."""
        pixels = round(size * self.unit, 2)
        before, ink, advance = ink_extent(words, pixels, face)
        below = text_mask(words, pixels, face)[1]
        length = box.height if vertical else box.width
        start = ANCHORS[align] * (length - ink) - before  # from the beginning of the mask to the first letter's origin
        anchor = start + ANCHORS[align] * advance
        font = FontProperties(
            family=[*FAMILIES, "sans-serif"], size=pixels, fname=font_file(face),
            weight="bold" if face == "bold" else "normal", style="italic" if face == "italic" else "normal",
        )  # fmt: skip
        turn, low = Affine2D().rotate_deg(90 if vertical else 0), self._low(box)
        turn.translate(*((box.x + box.width - below, low) if vertical else (box.x, low + below)))
        gc, shown = self._pen(colour, 1), drawable(words, face)

        def step(to: Any, by: Any, clip: Any) -> None:
            if halo is not None:
                edge = _pen(to, self._pen(halo, 2 * halo_reach(pixels) / self.unit), by, clip)
                path = TextPath((start, 0), shown, pixels, font)
                to.draw_path(edge, path, turn + by, tuple(halo / 255))
            (x, y), place = (turn + by).transform([(start, 0), (anchor, 0)])
            angle, is_down = 90 if vertical else 0, to.flipy()
            if not is_down:
                to.draw_text(_pen(to, gc, by, clip), x, y, shown, font, angle)
                return
            held = Text(place[0], place[1], words, rotation=angle, rotation_mode="anchor", ha=ALIGNMENTS[align])
            kept = words.replace("  ", " \N{NO-BREAK SPACE}")  # SVG joins blanks
            to.draw_text(_pen(to, gc, by, clip), place[0], self.height - place[1], kept, font, angle, mtext=held)

        return step

    def _low(self, box: Box) -> int:
        return self.height - box.y - box.height

    def save(self, file: IO[bytes], suffix: str) -> None:
        """Write the last frame to a file opened for bytes, as .svg or .pdf."""
        with matplotlib.rc_context(STYLE):
            PAGES[suffix](file, self.width, self.height, self._draw)

    def _draw(self, to: Any) -> None:
        paper = Path(np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) * (self.width, self.height), closed=True)
        to.draw_path(_pen(to, self._pen(self.colours.paper, 0)), paper, Affine2D(), tuple(self.colours.paper / 255))
        for step in self._frame:
            step(to, Affine2D(), None)
        to.finalize()


ALIGNMENTS = {"left": "left", "centre": "center", "right": "right"}


def _pen(to: Any, gc: Any, by: Any = None, clip: Any = None) -> Any:
    """The renderer's own copy of a graphics context, moved and clipped."""
    own = to.new_gc()
    if gc is not None:
        own.copy_properties(gc)
    bounds = own.get_clip_rectangle()
    if bounds is not None or clip is not None:
        own.set_clip_rectangle(clip if bounds is None else _clipped(bounds, by, clip))
    return own


def _clipped(bounds: Any, by: Any, clip: Any) -> Any:
    """The part of a moved Bbox that is in another, if there is one."""
    moved = Bbox(by.transform(bounds.get_points()))
    return moved if clip is None else Bbox.intersection(moved, clip) or cast(Any, Bbox).from_bounds(-1, -1, 0, 0)


def _write_svg(file: IO[bytes], width: int, height: int, draw: Callable[[Any], None]) -> None:
    text = TextIOWrapper(file, "utf-8", newline="\n", write_through=True)
    draw(cast(Any, RendererSVG)(width, height, text, image_dpi=72, metadata={"Date": None}))
    text.detach()


def _write_pdf(file: IO[bytes], width: int, height: int, draw: Callable[[Any], None]) -> None:
    pdf = cast(Any, PdfFile)(file, metadata={"CreationDate": None})
    pdf.newPage(width / 72, height / 72)
    draw(cast(Any, RendererPdf)(pdf, 72, height / 72, width / 72))
    pdf.finalize()
    pdf.close()


PAGES = {".svg": _write_svg, ".pdf": _write_pdf}
