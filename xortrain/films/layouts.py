"""How the parts of a film are laid out on its sheet, each layout by its name.

Sizes are given for the layout's own size and grow with it.
"""

from typing import Protocol

import numpy as np

from xortrain.films.field import Field
from xortrain.films.moments import Moment, choose_epochs, moment
from xortrain.films.palette import palette
from xortrain.films.plane import Plane, plane
from xortrain.films.reading import Reading, reading
from xortrain.films.sheet import Box, Sheet
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


def heading(sheet: Sheet, now: Moment, right: int, y: float, left: int | None = None) -> None:
    """Epoch and loss; or, once a run has diverged, that it has."""
    s, label = sheet.scale, sheet.colours.label
    epoch = sheet.text(right, y, str(now.epoch), 11, face="bold", align="right")
    word = sheet.text(epoch.x - 4 * s, y, "epoch", 11, label, align="right")
    if left is None:
        left = round(word.x - 96 * s)
    name = sheet.text(left, y, "loss", 11, label)
    sheet.text(
        name.x + name.width + 5 * s, y, f"{now.loss:.4g}" if now.loss >= 1e-4 else f"{now.loss:.1e}", 11, face="bold"
    )


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
        room = width - box.x - 180 * s
        sheet.text(box.x, 20 * s, sheet.fitting(subject.title, room, 11, "bold"), 11, face="bold")
        sheet.keep()

    def picture(self, number: int) -> Array:
        now, sheet = moment(self.subject, number, self.run), self.sheet
        self.field.paste(now)
        sheet.begin()
        self.field.draw(now)
        heading(sheet, now, sheet.width - round(14 * sheet.scale), 20 * sheet.scale)
        return sheet.finish()


LAYOUTS = {"field": FieldLayout}
