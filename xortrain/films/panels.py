"""The default layout: the field, and beside it the loss, the hidden space, the network and the outputs.

On a sheet that is higher than wide all these stand below the field.
"""

from typing import Protocol

from xortrain.films.canvas import canvas_for
from xortrain.films.captions import Heading, scale_strip, title_line
from xortrain.films.colour_scale import colour_scale
from xortrain.films.data import FilmData
from xortrain.films.diagram import Diagram
from xortrain.films.field import Field
from xortrain.films.film_settings import FilmSettings
from xortrain.films.frames import Frame, RunFrames, choose_epochs
from xortrain.films.glyphs import Box
from xortrain.films.hidden_space import HiddenSpace, WeightedSum
from xortrain.films.loss_curve import LossCurve
from xortrain.films.outputs import outputs_panel
from xortrain.films.projection import projection_of
from xortrain.nets import Array

BESIDE, BELOW = (640, 400), (380, 790)
"""The sheets for which the panels are designed: beside the field or below it."""


class Panel(Protocol):
    """A part of the picture: what never moves, what is pasted in each picture, what is drawn on top."""

    def still(self) -> None: ...

    def paste(self, moment: Frame) -> None: ...

    def draw(self, moment: Frame) -> None: ...


class PanelsLayout:
    """The field, and beside it the loss, the hidden space, the network and the outputs."""

    def __init__(self, subject: FilmData, settings: FilmSettings, run: int) -> None:
        self.chosen = choose_epochs(subject, settings, run)
        self.subject = subject.knowing(self.chosen, run)
        self.course = RunFrames(self.subject, run)
        self.read = colour_scale(subject, settings)
        self.canvas = canvas = canvas_for(settings, self.read.classes, design_for(settings.size or BESIDE))
        s = self.s = canvas.scale
        box = self._places()
        self.right = canvas.width - round(14 * s)
        self.inputs = projection_of(self.course.x, self.course.t, subject, box.width)
        self.field = Field(canvas, box, self.course, self.inputs, self.read)
        outputs = Box(self.left, self._at(340), self.right - self.left, round(46 * s))
        self.outputs = outputs_panel(canvas, outputs, self.course, self.read)
        self.parts = [self.field, *self._beside(), self.outputs]
        for part in self.parts:
            part.still()
        self._titles()
        canvas.keep()

    def _places(self) -> Box:
        """Where the field is; the panels begin at ``left`` and, as designed beside it, ``down`` pixels lower."""
        canvas, s = self.canvas, self.s
        left, margin = round(38 * s), round(40 * s)
        if design_for((canvas.width, canvas.height)) == BELOW:
            side = round(min(canvas.width - 56 * s, canvas.height - 478 * s))
            self.left, self.down = left + round(8 * s), margin + side + round(43 * s)
            return Box(left, margin, side, side)
        side = round(min(312 * s, canvas.height - 88 * s))
        self.left, self.down = left + side + round(50 * s), max(0, round((canvas.height - 400 * s) / 2))
        return Box(left, margin + self.down, side, side)

    def _at(self, height: float) -> int:
        """The pixels of a height in the design of the panels beside the field."""
        return round(height * self.s) + self.down

    def _beside(self) -> list[Panel]:
        """The loss above, the hidden space and the network below; a large network has a row of its own.

        Without a hidden layer the sum of its only unit takes the hidden space's place.
        """
        s, canvas, course = self.s, self.canvas, self.course
        layers = course.network.layers
        deep, large = len(layers) > 1, len(layers) > 2 or max(layer.units for layer in layers) > 4
        self.beside = "hidden space" if deep else "weighted sum" if layers[-1].units == 1 else ""
        wide, side, gap = self.right - self.left, round((92 if large else 104) * s), round(16 * s)
        above = wide - (side + round(36 * s)) * (deep and large)
        loss = LossCurve(canvas, Box(self.left, self._at(36), above, round(100 * s)), course)
        self.space = Box(self.right - side if large else self.left, self._at(52 if large else 184), side, side)
        left = self.left + (side + gap) * (bool(self.beside) and not large)
        self.network = Box(left, self._at(176), self.right - left, round(120 * s))
        whole = (course, self.inputs, self.read, self.chosen)
        return [
            loss,
            *([HiddenSpace(canvas, self.space, *whole)] if deep else []),
            *([] if deep or not self.beside else [WeightedSum(canvas, self.space, course, self.read, self.chosen)]),
            Diagram(canvas, self.network, *whole),
        ]

    def _titles(self) -> None:
        s, canvas, label, box = self.s, self.canvas, self.canvas.colours.label, self.field.box
        title = title_line(canvas, self.subject.title, box.width, 13)
        canvas.text(box.x, box.y - 18 * s, title, 13, face="bold")
        canvas.text(self.space.x, self.space.y - 7 * s, self.beside, 11, label)
        canvas.text(self.network.x, self._at(177), "network", 11, label)
        told = canvas.text(self.left, self._at(328), "outputs", 11, label)
        left, count = told.x + told.width + 5 * s, f" {len(self.course.x)}/{len(self.course.x)} right"
        key = canvas.fitting(self.outputs.key, self.right - left - canvas.text_width(count, 11, "bold"), 9)
        canvas.text(left, self._at(328), key, 9, label)
        last = int(self.subject.frame_epochs[-1])
        self.heading = Heading(canvas, self.left, self.right, self._at(22), last, 13)
        strip = Box(
            box.x + round(0.2 * box.width), box.y + box.height + round(24 * s), round(0.6 * box.width), round(7 * s)
        )
        scale_strip(canvas, strip, self.read, self.subject)

    def frame(self, number: int) -> Array:
        now, canvas = self.course.at(number), self.canvas
        for part in self.parts:
            part.paste(now)
        for part in self.parts:
            part.draw(now)
        self.heading.draw(now)
        right = f"{int(now.right.sum())}/{len(now.right)} right"
        canvas.text(self.right, self._at(328), right, 11, face="bold", align="right")
        return canvas.finish()


def design_for(size: tuple[int, int]) -> tuple[int, int]:
    """The design that comes out larger on a sheet of that size."""

    def scale(design: tuple[int, int]) -> float:
        return min(size[0] / design[0], size[1] / design[1])

    return max(BESIDE, BELOW, key=scale)
