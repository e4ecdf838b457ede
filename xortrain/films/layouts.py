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
from xortrain.films.moments import Moment, choose_epochs, moment
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


def legend(sheet: Sheet, box: Box, read: Reading) -> None:
    """Which colour means which value, as a strip that stands upright with its greatest value above."""
    count = read.levels
    bands = np.arange(box.height)[::-1] * count // box.height
    sheet.paste_still(box, np.repeat(bands[:, None], box.width, axis=1).astype(np.uint8))
    x = box.x + box.width + 4 * sheet.scale
    for value, y in ((read.high, box.y + 8 * sheet.scale), (read.low, box.y + box.height)):
        sheet.text(x, y, f"{value:.3g}", 10, sheet.colours.label)


def plane_of(subject: Subject, run: int) -> Plane:
    return plane(*subject.data(run), subject.inputs, subject.outputs[0], subject.low, subject.high)


def heading(sheet: Sheet, now: Moment, right: int, y: float, left: int, size: float = 11) -> None:
    """Epoch and loss of a moment, between left and right."""
    s, label, small = sheet.scale, sheet.colours.label, size - 1
    epoch = sheet.text(right, y, str(now.epoch), size, face="bold", align="right")
    sheet.text(epoch.x - 5 * s, y, "epoch", small, label, align="right")
    name = sheet.text(left, y, "loss", small, label)
    sheet.text(name.x + name.width + 6 * s, y, told(now.loss), size, face="bold")


def told(loss: float) -> str:
    """Four digits of a loss."""
    if not np.isfinite(loss):
        return "none"
    return f"{loss:.4f}" if 1e-3 <= loss < 10 else f"{loss:.4g}" if 10 <= loss < 1e5 else f"{loss:.2e}"


class FieldLayout:
    """The decision field alone."""

    def __init__(self, subject: Subject, settings: FilmSettings, run: int) -> None:
        self.subject, self.run = subject, run
        self.chosen = choose_epochs(subject, settings, run)
        read = reading(subject, settings)
        self.sheet = sheet = sheet_for(subject, settings, read, (432, 288))
        s, width, height = sheet.scale, sheet.width, sheet.height
        box = Box(round(30 * s), round(30 * s), width - round(78 * s), height - round(56 * s))
        self.field = Field(sheet, box, subject, run, plane_of(subject, run), read)
        self.field.still()
        legend(sheet, Box(box.x + box.width + round(10 * s), box.y, round(9 * s), box.height), read)
        self.left = width - round(190 * s)
        room = self.left - box.x - 8 * s
        sheet.text(box.x, 20 * s, sheet.fitting(subject.title, room, 11, "bold"), 11, face="bold")
        sheet.keep()

    def picture(self, number: int) -> Array:
        now, sheet = moment(self.subject, number, self.run), self.sheet
        self.field.paste(now)
        sheet.begin()
        self.field.draw(now)
        heading(sheet, now, sheet.width - round(14 * sheet.scale), 20 * sheet.scale, self.left)
        return sheet.finish()


class PanelsLayout:
    """The field, and beside it the loss, the hidden space, the network and the outputs."""

    def __init__(self, subject: Subject, settings: FilmSettings, run: int) -> None:
        self.subject, self.run = subject, run
        self.chosen = choose_epochs(subject, settings, run)
        self.read = reading(subject, settings)
        self.sheet = sheet = sheet_for(subject, settings, self.read, (640, 400))
        s = self.s = sheet.scale
        self.inputs = plane_of(subject, run)
        side = round(min(312 * s, sheet.height - 88 * s))
        self.field = Field(sheet, Box(round(38 * s), round(40 * s), side, side), subject, run, self.inputs, self.read)
        self.left = round(38 * s) + side + round(50 * s)
        self.right = sheet.width - round(14 * s)
        self.parts = [self.field, *self._beside()]
        self.until = self.parts[1].box.x + self.parts[1].box.width
        for part in self.parts:
            part.still()
        self._titles()
        sheet.keep()

    def _beside(self) -> list[Any]:
        """The loss above, the hidden space and the network below; a large network has a row of its own."""
        s, sheet, subject, run = self.s, self.sheet, self.subject, self.run
        wide, side, gap = self.right - self.left, round(104 * s), round(16 * s)
        layers = subject.network.layers
        deep, large = len(layers) > 1, len(layers) > 2 or max(layer.units for layer in layers) > 4
        above = wide - (side + round(40 * s)) * (deep and large)
        loss = LossCurve(sheet, Box(self.left, round(34 * s), above, round(100 * s)), subject, run)
        row = round(184 * s)
        self.space = Box(self.right - side if large else self.left, round(34 * s) if large else row, side, side)
        left = self.left + (side + gap) * (deep and not large)
        self.network = Box(left, row - round(8 * s), self.right - left, side + gap)
        whole = (subject, run, self.inputs, self.read, self.chosen)
        below = Box(self.left, round(340 * s), wide, round(46 * s))
        return [
            loss,
            *([HiddenSpace(sheet, self.space, *whole)] if deep else []),
            Diagram(sheet, self.network, *whole),
            outputs_panel(sheet, below, subject, run, self.read),
        ]

    def _titles(self) -> None:
        s, sheet, label, box = self.s, self.sheet, self.sheet.colours.label, self.field.box
        sheet.text(box.x, 22 * s, sheet.fitting(self.subject.title, box.width, 13, "bold"), 13, face="bold")
        if len(self.subject.network.layers) > 1:
            sheet.text(self.space.x, self.space.y - 12 * s, "hidden space", 11, label)
        sheet.text(self.network.x, 172 * s, "network", 11, label)
        sheet.text(self.left, 328 * s, "outputs", 11, label)
        strip = Box(
            box.x + round(0.2 * box.width), box.y + box.height + round(24 * s), round(0.6 * box.width), round(7 * s)
        )
        scale_strip(sheet, strip, self.read, self.subject)

    def picture(self, number: int) -> Array:
        now, sheet, s = moment(self.subject, number, self.run), self.sheet, self.s
        for part in self.parts:
            if hasattr(part, "paste"):
                part.paste(now)
        sheet.begin()
        for part in self.parts:
            part.draw(now)
        heading(sheet, now, self.until, 22 * s, self.left, 13)
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
    sheet.paste_still(box, np.tile(bands.astype(np.uint8), (box.height, 1)))
    name = "output" if not read.several else f"output {subject.outputs[0]} of {subject.network.outputs}"
    sheet.text(box.x - 5 * s, y, f"{name} {read.low:.3g}", 10, label, align="right")
    sheet.text(box.x + box.width + 5 * s, y, f"{read.high:.3g}", 10, label)


LAYOUTS = {"field": FieldLayout, "panels": PanelsLayout}
