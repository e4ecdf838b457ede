"""The path of the parameters: each over the epochs, and all together in the plane in which they moved most."""

import numpy as np

from xortrain.films.captions import Heading
from xortrain.films.curves import apart
from xortrain.films.field import axes
from xortrain.films.loss import frame, thinned
from xortrain.films.moments import Course, Moment, choose_epochs
from xortrain.films.plane import principal
from xortrain.films.shapes import SHAPES, Box
from xortrain.films.sheet import Sheet, sheet_for
from xortrain.films.subject import FilmSettings, Subject
from xortrain.films.wipe import Wipe
from xortrain.nets import Array

MOST_LINES = 16
MOST_STEPS = 800
FAR = 1e3
"""How many times as far as at the start a parameter may go before it is no longer followed."""


class WeightsLayout:
    """One run: curves on the left, its way through the space of parameters on the right."""

    def __init__(self, subject: Subject, settings: FilmSettings, run: int) -> None:
        self.course, self.chosen = Course(subject, run), choose_epochs(subject, settings, run)
        self.sheet = sheet = sheet_for(settings, 2, (640, 400))
        s, width = sheet.scale, sheet.width
        steps = np.unique(np.linspace(0, len(subject.frame_epochs) - 1, MOST_STEPS).astype(int))
        values = np.asarray(subject.parameters[steps, :, run], float)
        alive = np.abs(values).max(1) < FAR * (1 + np.abs(values[0]).max())  # nan is not
        epochs, values = np.asarray(subject.frame_epochs, float)[steps][alive], values[alive]
        side = min(sheet.height - round(116 * s), round(width * 0.4))
        top = round(66 * s)
        plane = Box(width - side - round(16 * s), top, side, side)
        box = Box(round(40 * s), top, plane.x - round(146 * s), sheet.height - round(100 * s))
        self._titles(subject, box, plane)
        self.parts = Curves(sheet, box, subject, epochs, values), Way(sheet, plane, epochs, values)

    def _titles(self, subject: Subject, box: Box, plane: Box) -> None:
        sheet, s = self.sheet, self.sheet.scale
        self.heading = Heading(sheet, plane.x, plane.x + plane.width, 22 * s, int(subject.frame_epochs[-1]), 13)
        room = plane.x - box.x - 10 * s
        sheet.text(box.x, 22 * s, sheet.fitting(subject.title, room, 13, "bold"), 13, face="bold")
        shown, all_of_them = min(MOST_LINES, subject.network.size), subject.network.size
        words = "parameters" if shown == all_of_them else f"the {shown} of {all_of_them} parameters that move most"
        sheet.text(box.x, top_of(box, s), words, 11, sheet.colours.label)
        sheet.text(plane.x, top_of(plane, s), "path of all parameters", 11, sheet.colours.label)

    def picture(self, number: int) -> Array:
        now = self.course.at(number)
        for part in self.parts:
            part.draw(now)
        self.heading.draw(now)
        return self.sheet.finish()


def top_of(box: Box, scale: float) -> float:
    return box.y - 9 * scale


class Curves:
    """Each parameter over the epochs, by layers of one colour; biases dashed."""

    def __init__(self, sheet: Sheet, box: Box, subject: Subject, epochs: Array, values: Array) -> None:
        self.sheet, self.box = sheet, box
        self.last = max(int(subject.frame_epochs[-1]), 1)
        moved = np.abs(values - values[0]).max(0)
        shown = np.sort(np.argsort(-moved, kind="stable")[:MOST_LINES])
        self.names = [name for place, name in enumerate(names(subject)) if place in shown]
        self.values = values[:, shown]
        self.reach = float(np.abs(self.values).max()) * 1.05 or 1.0
        self.epochs = epochs
        share = np.stack(np.broadcast_arrays(epochs[:, None] / self.last, self._height(self.values)), axis=-1)
        self.lines = [thinned(line, box.width) for line in np.moveaxis(box.at(share), 1, 0)]
        self._still()
        self.wipe = Wipe(sheet, box, lambda: self._all(0.25), lambda: self._all(1))

    def _height(self, values: Array) -> Array:
        return np.asarray(0.5 - 0.5 * values / self.reach)

    def _still(self) -> None:
        sheet, box, s, label = self.sheet, self.box, self.sheet.scale, self.sheet.colours.label
        frame(sheet, box)
        sheet.line(box.at(np.array([[0, 0.5], [1, 0.5]])), sheet.colours.pale)
        for value in (-self.reach / 1.05, 0.0, self.reach / 1.05):
            y = box.y + float(self._height(np.array(value))) * box.height
            sheet.text(box.x - 4 * s, y + 3.5 * s, f"{value:.2g}", 10, label, align="right")
        low = box.y + box.height + 13 * s
        for words, x, side in (("0", 0.0, "centre"), ("epoch", 0.5, "centre"), (str(self.last), 1.0, "right")):
            sheet.text(box.x + x * box.width, low, words, 10, label, align=side)

    def _colour(self, name: str) -> Array:
        layer = int("".join(letter for letter in name.split()[0] if letter.isdigit())) - 1
        return np.asarray(self.sheet.colours.classes[layer % len(self.sheet.colours.classes)])

    def _all(self, share: float) -> None:
        for name, line in zip(self.names, self.lines, strict=True):
            dashes = (4, 2) if name.startswith("b") else ()
            self.sheet.line(line, self._colour(name), 1.6, dashes, self.box, share)

    def draw(self, moment: Moment) -> None:
        sheet, box, s = self.sheet, self.box, self.sheet.scale
        self.wipe.uncover(moment.epoch / self.last)
        row = max(int(np.searchsorted(self.epochs, moment.epoch, side="right")) - 1, 0)
        heights = list(box.y + self._height(self.values[row]) * box.height + 3.5 * s)
        for name, value, y in zip(self.names, self.values[row], apart(heights, 12.5 * s, box), strict=True):
            x = box.x + box.width + 8 * s
            sheet.text(x, y, name, 9, self._colour(name))
            sheet.text(x + 70 * s, y, f"{value:.2f}", 9, align="right")
        x = box.x + moment.epoch / self.last * box.width
        sheet.line(np.array([[x, box.y], [x, box.y + box.height]]), sheet.colours.label)


class Way:
    """Where all parameters together are, in the plane of the two principal axes of their way."""

    def __init__(self, sheet: Sheet, box: Box, epochs: Array, values: Array) -> None:
        self.sheet, self.epochs = sheet, epochs
        plane = principal(values if values.shape[1] > 1 else np.repeat(values, 2, axis=1))
        axes(sheet, box, plane)
        frame(sheet, box)
        self.points = box.at(plane.share(*plane.places.T))
        sheet.line(self.points, sheet.colours.pale, 2)
        sheet.marks(self.points[:1], SHAPES[0], 4, sheet.colours.paper, sheet.colours.label, 1.5)
        x, y = self.points[0]
        sheet.text(x + 7 * sheet.scale, y + 4 * sheet.scale, "start", 9, sheet.colours.label)
        sheet.keep()

    def draw(self, moment: Moment) -> None:
        until = max(int(np.searchsorted(self.epochs, moment.epoch, side="right")), 1)
        ink, paper = self.sheet.colours.ink, self.sheet.colours.paper
        self.sheet.line(self.points[:until], ink, 2)
        self.sheet.marks(self.points[until - 1 : until], SHAPES[0], 5, ink, paper, 1.4)


def names(subject: Subject) -> list[str]:
    """W1 2,1 is the weight of layer 1 into its unit 2 from its input 1; b1 2 that unit's bias."""
    return [
        f"{name} " + ",".join(str(i + 1) for i in place)
        for name, shape in subject.network.shapes.items()
        for place in np.ndindex(*shape)
    ]
