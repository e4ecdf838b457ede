"""The default layout: the field, and beside it the loss, the hidden space, the network and the outputs."""

from typing import Protocol

from xortrain.films.captions import Heading, scale_strip
from xortrain.films.chips import outputs_panel
from xortrain.films.diagram import Diagram
from xortrain.films.field import Field
from xortrain.films.hidden import HiddenSpace
from xortrain.films.loss import LossCurve
from xortrain.films.moments import Course, Moment, choose_epochs
from xortrain.films.plane import plane_of
from xortrain.films.reading import reading
from xortrain.films.shapes import Box
from xortrain.films.sheet import sheet_for
from xortrain.films.subject import FilmSettings, Subject
from xortrain.films.total import WeightedSum
from xortrain.nets import Array


class Panel(Protocol):
    """A part of the picture: what never moves, what is pasted in each picture, what is drawn on top."""

    def still(self) -> None: ...

    def paste(self, moment: Moment) -> None: ...

    def draw(self, moment: Moment) -> None: ...


class PanelsLayout:
    """The field, and beside it the loss, the hidden space, the network and the outputs."""

    def __init__(self, subject: Subject, settings: FilmSettings, run: int) -> None:
        self.course, self.subject = Course(subject, run), subject
        self.chosen = choose_epochs(subject, settings, run)
        self.read = reading(subject, settings)
        self.sheet = sheet = sheet_for(settings, self.read.classes, (640, 400))
        s = self.s = sheet.scale
        side = round(min(312 * s, sheet.height - 88 * s))
        self.inputs = plane_of(self.course.x, self.course.t, subject, side)
        self.field = Field(sheet, Box(round(38 * s), round(40 * s), side, side), self.course, self.inputs, self.read)
        self.left = round(38 * s) + side + round(50 * s)
        self.right = sheet.width - round(14 * s)
        self.outputs = outputs_panel(sheet, self._below(), self.course, self.read)
        self.parts = [self.field, *self._beside(), self.outputs]
        for part in self.parts:
            part.still()
        self._titles()
        sheet.keep()

    def _beside(self) -> list[Panel]:
        """The loss above, the hidden space and the network below; a large network has a row of its own.

        Without a hidden layer the sum of its only unit takes the hidden space's place.
        """
        s, sheet, course = self.s, self.sheet, self.course
        layers = course.network.layers
        deep, large = len(layers) > 1, len(layers) > 2 or max(layer.units for layer in layers) > 4
        self.beside = "hidden space" if deep else "weighted sum" if layers[-1].units == 1 else ""
        wide, side, gap = self.right - self.left, round((92 if large else 104) * s), round(16 * s)
        above = wide - (side + round(36 * s)) * (deep and large)
        loss = LossCurve(sheet, Box(self.left, round(36 * s), above, round(100 * s)), course)
        row = round(184 * s)
        self.space = Box(self.right - side if large else self.left, round(52 * s) if large else row, side, side)
        left = self.left + (side + gap) * (bool(self.beside) and not large)
        self.network = Box(left, row - round(8 * s), self.right - left, round(120 * s))
        whole = (course, self.inputs, self.read, self.chosen)
        return [
            loss,
            *([HiddenSpace(sheet, self.space, *whole)] if deep else []),
            *([] if deep or not self.beside else [WeightedSum(sheet, self.space, course, self.read, self.chosen)]),
            Diagram(sheet, self.network, *whole),
        ]

    def _below(self) -> Box:
        return Box(self.left, round(340 * self.s), self.right - self.left, round(46 * self.s))

    def _titles(self) -> None:
        s, sheet, label, box = self.s, self.sheet, self.sheet.colours.label, self.field.box
        sheet.text(box.x, 22 * s, sheet.fitting(self.subject.title, box.width, 13, "bold"), 13, face="bold")
        sheet.text(self.space.x, self.space.y - 7 * s, self.beside, 11, label)
        sheet.text(self.network.x, 177 * s, "network", 11, label)
        told = sheet.text(self.left, 328 * s, "outputs", 11, label)
        sheet.text(told.x + told.width + 5 * s, 328 * s, self.outputs.key, 9, label)
        self.heading = Heading(sheet, self.left, self.right, 22 * s, int(self.subject.frame_epochs[-1]), 13)
        strip = Box(
            box.x + round(0.2 * box.width), box.y + box.height + round(24 * s), round(0.6 * box.width), round(7 * s)
        )
        scale_strip(sheet, strip, self.read, self.subject)

    def picture(self, number: int) -> Array:
        now, sheet, s = self.course.at(number), self.sheet, self.s
        for part in self.parts:
            part.paste(now)
        for part in self.parts:
            part.draw(now)
        self.heading.draw(now)
        right = f"{int(now.right.sum())}/{len(now.right)} right"
        sheet.text(self.right, 328 * s, right, 11, face="bold", align="right")
        return sheet.finish()
