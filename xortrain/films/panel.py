"""Panels, the parts of a frame such as the field or the loss curve, and what all layouts of one run share."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xortrain.films.canvas import Box, Canvas, make_canvas
from xortrain.films.colour_scale import ColourScale, colour_scale
from xortrain.films.data import FilmData, Frame, RunFrames
from xortrain.films.film_settings import FilmSettings
from xortrain.films.projection import Projection, format_distinct, most_slices, project
from xortrain.nets import Array

NOT_FINITE = "not finite"
FEW_EXAMPLES = 16  # up to which their marks are large
NAME_START = 4  # letters of an axis name that are always written


@dataclass(frozen=True)
class PanelContext:
    """The arguments of a panel's constructor."""

    canvas: Canvas
    box: Box
    run_frames: RunFrames
    scale: ColourScale
    projection: Projection  # of the inputs, or of the path of the parameters
    chosen: Array  # the numbers of the snapshots in the film
    title_y: float = 0  # the baseline of the panel's title in pixels


class Panel:
    """One part of a frame; a panel overrides the methods that it needs."""

    def __init__(self, context: PanelContext) -> None:
        self.canvas, self.box, self.title_y = context.canvas, context.box, context.title_y
        self.run_frames, self.scale, self.projection = context.run_frames, context.scale, context.projection

    def still(self) -> None:
        """Draw what all frames share."""

    def paste(self, frame: Frame) -> None:
        """Paste fields, below everything that is drawn."""

    def draw(self, frame: Frame) -> None:
        """Draw lines, marks and words."""

    def banner(self, size: float, words: str, height: float = 0.5) -> None:
        """Write bold words, if any, across the box at a fraction of its height."""
        if not words:
            return
        size, box = min(size, (size - 1) * self.box.width / self.canvas.text_width(words, size, "bold")), self.box
        x, y = box.x + box.width / 2, box.y + box.height * height
        self.canvas.text(x, y, words, size, None, "bold", "centre", halo=self.canvas.colours.paper)


class RunLayout(ABC):
    """A film of one run; subclasses arrange the panels and write the text around them."""

    designs: Sequence[tuple[int, int]]
    """Width and height of each design; the one that fits the canvas at the largest scale is used."""
    classes: int | None = None  # how many the palette has colours for; None for as many as the targets have
    side: int  # of the field in pixels
    heading: "Heading"

    def __init__(self, data: FilmData, settings: FilmSettings, run: int) -> None:
        self.chosen = data.choose(settings.frames, settings.spacing, run)
        self.data = data.with_losses(self.chosen, run)
        self.run_frames = RunFrames(self.data, run)
        self.scale = colour_scale(data, settings.levels)
        width, height = settings.size or self.designs[0]
        self.design = max(self.designs, key=lambda design: min(width / design[0], height / design[1]))
        self.canvas = make_canvas(settings, self.classes or self.scale.classes, self.design)
        self.panels = self.arrange()
        for panel in self.panels:
            panel.still()
        self.label()
        self.canvas.set_background()

    @abstractmethod
    def arrange(self) -> list[Panel]:
        """Place the heading and return the panels in the order in which they are drawn."""

    @abstractmethod
    def label(self) -> None:
        """Write titles and legends."""

    @cached_property
    def projection(self) -> Projection:
        """The part of the input space that the field shows."""
        return project(self.run_frames.x, self.run_frames.t, *self.data.axes, most_slices(self.side))

    def context(self, box: Box, title_y: float = 0) -> PanelContext:
        return PanelContext(self.canvas, box, self.run_frames, self.scale, self.projection, self.chosen, title_y)

    def write_title(self, x: float, y: float, width: float) -> None:
        """Write the title in one line; its longest parts are cut until it fits into the width."""
        canvas, parts = self.canvas, self.data.title.split("   ")
        while canvas.text_width("   ".join(parts), 13, "bold") > width:
            longest = max(range(len(parts)), key=lambda part: len(parts[part]))
            if len(parts[longest]) < 6:
                break
            parts[longest] = parts[longest].rstrip("…")[:-1] + "…"
        canvas.text(x, y, canvas.shorten("   ".join(parts), width, 13, "bold"), 13, face="bold")

    def frame(self, number: int) -> Array:
        """The palette indices (height, width) of a snapshot."""
        frame = self.run_frames.at(number)
        for panel in self.panels:
            panel.paste(frame)
        for panel in self.panels:
            panel.draw(frame)
        self.heading.draw(frame)
        return self.canvas.finish()


class Heading:
    """The epoch and the loss: the words stay, the numbers change.

    If the numbers need more room than from ``left`` to ``right``, it is taken on the right first, then on the left.
    """

    def __init__(self, canvas: Canvas, left: float, right: float, y: float, last: int, size: float = 13) -> None:
        self.canvas, self.size, self.low = canvas, size, round(y)
        s, small, low, label = canvas.unit, size - 1, round(y), canvas.colours.label
        words = canvas.text_width("loss", small) + round(6 * s), canvas.text_width("epoch", small) + round(14 * s)
        numbers = (
            max(canvas.text_width(widest, size, "bold") for widest in ("0.00e+00", NOT_FINITE)),
            canvas.text_width("0" * len(str(last)), size, "bold"),
        )
        top, height, needed = low - round(1.2 * size * s) + round(3 * s), round(1.2 * size * s), sum(words + numbers)
        right = min(max(round(right), round(left) + needed), canvas.width - 2)
        self.left = max(0, min(round(left), right - needed))
        self.loss = Box(self.left + words[0], top, numbers[0], height)
        self.epoch = Box(right - numbers[1], top, numbers[1], height)
        self._shown: dict[Box, str] = {}
        canvas.text(self.left, y, "loss", small, label)
        canvas.text(self.epoch.x - 6 * s, y, "epoch", small, label, align="right")

    def draw(self, frame: Frame) -> None:
        numbers = (self.epoch, str(frame.epoch), "right"), (self.loss, format_loss(frame.loss), "left")
        for box, words, align in numbers:
            if self._shown.get(box) != words:
                self.canvas.number(box, self.low, words, self.size, align)
                self._shown[box] = words


def format_loss(loss: float) -> str:
    """Four digits; fewer for very large and very small losses."""
    if not np.isfinite(loss):
        return NOT_FINITE
    if loss >= 1e100 or 0 < loss < 1e-99:
        return f"{loss:.0e}"
    if 1e3 <= loss < 1e5:
        return f"{loss:.0f}"
    return f"{loss:.4f}" if 1e-3 <= loss < 10 else f"{loss:.4g}" if 10 <= loss < 1e5 else f"{loss:.2e}"


def format_short(value: float, decimals: float = 9.995, whole: float = 9999) -> str:
    """Two decimals below ``decimals``, none below ``whole``, else one digit and an exponent."""
    if abs(value) < decimals:
        return f"{value:.2f}"
    return f"{value:.0f}" if abs(value) < whole else f"{value:.0e}".replace("e+", "e")


def label_axes(canvas: Canvas, box: Box, projection: Projection, size: float = 10) -> None:
    """Write axis names along the lower and left edges of a box, and the tick values that leave room for them."""
    s, label, (x, y) = canvas.unit, canvas.colours.label, box.at(np.array([0.5, 0.5]))
    low, words = box.y + box.height + (size + 2) * s, format_distinct(projection.ticks[0])
    places = box.x + (projection.ticks[0] - projection.left) / (projection.right - projection.left) * box.width
    room = 2 * abs(places - x) - [canvas.text_width(word, size) + 6 * s for word in words]
    name, shown, width = _fit_axis(canvas, projection.names[0], words, room, size, box.width)
    for at, word in zip(places[shown], np.array(words)[shown], strict=True):
        canvas.text(at, low, word, size, label, align="centre")
    if canvas.text_width(name, size) > width:
        name = name.removesuffix(" of the spread")
    canvas.text(x, low, canvas.shorten(name, width, size), size, label, align="centre")

    words = format_distinct(projection.ticks[1])
    places = box.y + (projection.top - projection.ticks[1]) / (projection.top - projection.bottom) * box.height
    room = 2 * abs(places - y) - (size + 4) * s
    name, shown, height = _fit_axis(canvas, projection.names[1], words, room, size, box.height)
    for at, word in zip(places[shown], np.array(words)[shown], strict=True):
        small = size * min(1, 33 * s / canvas.text_width(word, size))
        canvas.text(box.x - 4 * s, at + 0.36 * small * s, word, small, label, align="right")
    canvas.text(box.x - size * s, y, canvas.shorten(name, height, size), size, label, align="centre", vertical=True)


def _fit_axis(
    canvas: Canvas, name: str, words: list[str], room: Array, size: float, length: float
) -> tuple[str, Array, float]:
    """The name of an axis, which values fit beside it, and its room; a single value that does not fit joins it."""
    start = name if len(name) <= NAME_START else f"{name[:NAME_START]}…"
    shown = np.asarray(room >= canvas.text_width(start, size))
    if len(words) == 1 and not shown.any():
        name = f"{name} = {words[0]}"
    return name, shown, min(room[shown], default=length)


class ExampleMarks:
    """The marks of a set of examples: shape and colour show the target; marks of wrong examples are hollow."""

    def __init__(self, canvas: Canvas, scale: ColourScale, t: Array, size: float = 1) -> None:
        """``t`` are targets (examples, outputs); ``size`` is 1 for the marks of the large field."""
        self.canvas, kinds = canvas, scale.target_classes(t)
        self.plain = len(t) > FEW_EXAMPLES or size < 1
        self.is_valued = not scale.classes
        self.radius = size * (7.5 if len(t) <= FEW_EXAMPLES else max(2.4, 4.6 - len(t) / 150))
        fills = canvas.palette.rgb[scale.bands(t.T.astype(float))]
        if scale.classes:
            fills = canvas.colours.of_classes(kinds)
        looks = np.concatenate([kinds[:, None], fills], axis=1)
        self.looks, self._look = np.unique(looks, axis=0, return_inverse=True)

    def draw(self, places: Array, right: Array, members: Array | slice = slice(None)) -> None:
        """Mark all examples, or those numbered ``members``, at places (members, 2); skip places that are not finite."""
        finite, looks, right = np.isfinite(places).all(1), self._look[members], right[members]
        for number, (kind, *fill) in enumerate(self.looks):
            for correct in (True, False):
                chosen = finite & (looks == number) & (right == correct)
                if chosen.any():
                    self._marks(places[chosen], kind, np.array(fill), correct)

    def _marks(self, places: Array, kind: int, colour: Array, correct: bool) -> None:
        canvas, paper, ink, hole = self.canvas, self.canvas.colours.paper, self.canvas.colours.ink, 0.0
        if self.is_valued or (self.plain and canvas.colours.is_near_paper(colour)):
            canvas.marks(places, kind, self.radius, colour, paper, 2.6)
            canvas.marks(places, kind, self.radius, colour, ink, 1.0)
            hole = 0.52
        elif self.plain:
            fill, edge, width = (colour, paper, 1.0) if correct else (paper, colour, 1.8)
            canvas.marks(places, kind, self.radius, fill, edge, width)
        else:
            canvas.marks(places, kind, self.radius, paper, ink, 1.3)
            canvas.marks(places, kind, self.radius * 0.7, colour)
            hole = 0.38
        if hole and not correct:
            canvas.marks(places, kind, self.radius * hole, paper, ink if self.is_valued else None, 0.7)
