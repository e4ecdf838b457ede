"""How the parts of a film are laid out on its sheet, each layout by its name.

Sizes are given for the layout's own size and grow with it.
"""

from typing import Any, Protocol

import numpy as np

from xortrain.films.chips import outputs_panel
from xortrain.films.diagram import Diagram
from xortrain.films.field import Field
from xortrain.films.hidden import HiddenSpace
from xortrain.films.loss import LossCurve
from xortrain.films.moments import Course, Moment, choose_epochs
from xortrain.films.palette import palette
from xortrain.films.plane import Plane, plane
from xortrain.films.reading import Reading, reading
from xortrain.films.sheet import SHAPES, Box, Sheet
from xortrain.films.subject import FilmSettings, Subject
from xortrain.nets import Array


class Layout(Protocol):
    """A film to be: its palette, which snapshots it shows, and the picture of each."""

    sheet: Sheet
    chosen: Array

    def picture(self, number: int) -> Array:
        """Palette indices (height, width) of a snapshot."""
        ...


def size_of(settings: FilmSettings) -> tuple[int, int]:
    return settings.size or {"field": (432, 288)}.get(settings.layout, (640, 400))


def sheet_for(subject: Subject, settings: FilmSettings, read: Reading, design: tuple[int, int]) -> Sheet:
    """A sheet of the size asked, its scale that of the design."""
    width, height = size_of(settings)
    scale = min(width / design[0], height / design[1])
    return Sheet(width, height, scale, palette(settings.colours, settings.levels, settings.dark, read.classes))


def upright_scale(sheet: Sheet, box: Box, read: Reading) -> None:
    """Which colour means which value, as a strip that stands upright with its greatest value above."""
    count = read.levels
    bands = np.arange(box.height)[::-1] * count // box.height
    sheet.paste(box, np.repeat(bands[:, None], box.width, axis=1).astype(np.uint8))
    x = box.x + box.width + 4 * sheet.scale
    for value, y in ((read.high, box.y + 8 * sheet.scale), (read.low, box.y + box.height)):
        sheet.text(x, y, f"{value:.3g}", 10, sheet.colours.label)


def plane_of(course: Course) -> Plane:
    subject = course.subject
    return plane(course.x, course.t, subject.inputs, subject.outputs[0], subject.low, subject.high)


class Heading:
    """Epoch and loss: the words stand still, the numbers change."""

    def __init__(self, sheet: Sheet, left: float, right: float, y: float, last: int, size: float = 11) -> None:
        self.sheet, self.right, self.y, self.size = sheet, right, y, size
        s, label, small = sheet.scale, sheet.colours.label, size - 1
        room = sheet.text_width("0" * len(str(last)), size, "bold")
        sheet.text(right - room - 6 * s, y, "epoch", small, label, align="right")
        self.left = left + sheet.text(left, y, "loss", small, label).width + 6 * s

    def draw(self, now: Moment) -> None:
        self.sheet.text(self.right, self.y, str(now.epoch), self.size, face="bold", align="right")
        self.sheet.text(self.left, self.y, told(now.loss), self.size, face="bold")


def told(loss: float) -> str:
    """Four digits of a loss."""
    if not np.isfinite(loss):
        return "none"
    return f"{loss:.4f}" if 1e-3 <= loss < 10 else f"{loss:.4g}" if 10 <= loss < 1e5 else f"{loss:.2e}"


class FieldLayout:
    """The decision field alone, and in large figures how far training has come."""

    def __init__(self, subject: Subject, settings: FilmSettings, run: int) -> None:
        self.course, self.chosen = Course(subject, run), choose_epochs(subject, settings, run)
        read = reading(subject, settings)
        self.sheet = sheet = sheet_for(subject, settings, read, (432, 288))
        s = sheet.scale
        side = min(sheet.height - round(56 * s), sheet.width - round(196 * s))
        box = Box(round(30 * s), round(32 * s), side, side)
        self.field = Field(sheet, box, self.course, plane_of(self.course), read, lines=0)
        self.field.still()
        self.heading = Heading(sheet, box.x, box.x + side, 22 * s, int(subject.frame_epochs[-1]), 13)
        strip = Box(box.x + side + round(12 * s), box.y, round(9 * s), side)
        upright_scale(sheet, strip, read)
        left = strip.x + strip.width + round(36 * s)
        for line, words in enumerate(subject.title.split("   ")):
            face, size = ("bold", 13) if line == 0 else ("", 11)
            sheet.text(
                left, (44 + 18 * line) * s, sheet.fitting(words, sheet.width - left - 4, size, face), size, face=face
            )
        sheet.keep()

    def picture(self, number: int) -> Array:
        now = self.course.at(number)
        self.field.paste(now)
        self.field.draw(now)
        self.heading.draw(now)
        return self.sheet.finish()


class PanelsLayout:
    """The field, and beside it the loss, the hidden space, the network and the outputs."""

    def __init__(self, subject: Subject, settings: FilmSettings, run: int) -> None:
        self.course, self.subject = Course(subject, run), subject
        self.chosen = choose_epochs(subject, settings, run)
        self.read = reading(subject, settings)
        self.sheet = sheet = sheet_for(subject, settings, self.read, (640, 400))
        s = self.s = sheet.scale
        self.inputs = plane_of(self.course)
        side = round(min(312 * s, sheet.height - 88 * s))
        self.field = Field(sheet, Box(round(38 * s), round(40 * s), side, side), self.course, self.inputs, self.read)
        self.left = round(38 * s) + side + round(50 * s)
        self.right = sheet.width - round(14 * s)
        self.parts = [self.field, *self._beside()]
        for part in self.parts:
            part.still()
        self._titles()
        sheet.keep()

    def _beside(self) -> list[Any]:
        """The loss above, the hidden space and the network below; a large network has a row of its own."""
        s, sheet, course = self.s, self.sheet, self.course
        layers = course.network.layers
        deep, large = len(layers) > 1, len(layers) > 2 or max(layer.units for layer in layers) > 4
        wide, side, gap = self.right - self.left, round((92 if large else 104) * s), round(16 * s)
        above = wide - (side + round(36 * s)) * (deep and large)
        loss = LossCurve(sheet, Box(self.left, round(36 * s), above, round(100 * s)), course)
        row = round(184 * s)
        self.space = Box(self.right - side if large else self.left, round(48 * s) if large else row, side, side)
        left = self.left + (side + gap) * (deep and not large)
        self.network = Box(left, row - round(8 * s), self.right - left, round(120 * s))
        whole = (course, self.inputs, self.read, self.chosen)
        below = Box(self.left, round(340 * s), wide, round(46 * s))
        return [
            loss,
            *([HiddenSpace(sheet, self.space, *whole)] if deep else []),
            Diagram(sheet, self.network, *whole),
            outputs_panel(sheet, below, course, self.read),
        ]

    def _titles(self) -> None:
        s, sheet, label, box = self.s, self.sheet, self.sheet.colours.label, self.field.box
        sheet.text(box.x, 22 * s, sheet.fitting(self.subject.title, box.width, 13, "bold"), 13, face="bold")
        if len(self.subject.network.layers) > 1:
            sheet.text(self.space.x, self.space.y - 7 * s, "hidden space", 11, label)
        sheet.text(self.network.x, 177 * s, "network", 11, label)
        sheet.text(self.left, 328 * s, "outputs", 11, label)
        self.heading = Heading(sheet, self.left, self.right, 22 * s, int(self.subject.frame_epochs[-1]), 13)
        strip = Box(
            box.x + round(0.2 * box.width), box.y + box.height + round(24 * s), round(0.6 * box.width), round(7 * s)
        )
        scale_strip(sheet, strip, self.read, self.subject)

    def picture(self, number: int) -> Array:
        now, sheet, s = self.course.at(number), self.sheet, self.s
        for part in self.parts:
            if hasattr(part, "paste"):
                part.paste(now)
        for part in self.parts:
            part.draw(now)
        self.heading.draw(now)
        right = f"{int(now.right.sum())}/{len(now.right)} right"
        sheet.text(self.right, 328 * s, right, 11, face="bold", align="right")
        return sheet.finish()


def scale_strip(sheet: Sheet, box: Box, read: Reading, subject: Subject) -> None:
    """Which colour means which value, lying; for classes of their own, which colour means which."""
    s, label = sheet.scale, sheet.colours.label
    y = box.y + box.height
    if read.classes > 2:
        box = Box(round(box.x - box.width / 3), box.y, round(box.width * 5 / 3), box.height)
        step = box.width / read.classes
        for kind in range(read.classes):
            x = box.x + kind * step
            sheet.marks(
                np.array([[x, y - 4 * s]]),
                SHAPES[kind % len(SHAPES)],
                4,
                sheet.colours.classes[kind % len(sheet.colours.classes)],
            )
            sheet.text(x + 8 * s, y, sheet.fitting(subject.outputs[kind], step - 10 * s, 10), 10, label)
        return
    count = read.levels
    bands = np.arange(box.width) * count // box.width
    sheet.paste(box, np.tile(bands.astype(np.uint8), (box.height, 1)))
    name = "output" if not read.several else f"output {subject.outputs[0]} of {subject.network.outputs}"
    sheet.text(box.x - 5 * s, y, f"{name} {read.low:.3g}", 10, label, align="right")
    sheet.text(box.x + box.width + 5 * s, y, f"{read.high:.3g}", 10, label)


LAYOUTS = {"field": FieldLayout, "panels": PanelsLayout}
