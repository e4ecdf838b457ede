"""A network without a hidden layer: the sum its only unit receives, and the output over it.

What is a picture for other networks is a line here: every example lies where its weighted inputs put it.
"""

import numpy as np

from xortrain.films.examples import Examples
from xortrain.films.field import axes
from xortrain.films.moments import Course, Moment
from xortrain.films.plane import line_of
from xortrain.films.reading import Reading
from xortrain.films.shapes import Box
from xortrain.films.sheet import Sheet
from xortrain.films.surface import Surface
from xortrain.nets import Array
from xortrain.nets.network import Network


class WeightedSum:
    """The output's curve over z in a box, and the examples on it."""

    def __init__(self, sheet: Sheet, box: Box, course: Course, read: Reading, chosen: Array) -> None:
        self.sheet, self.box, self.course, self.read = sheet, box, course, read
        alive = [one for one in course.some(chosen, 12) if not read.is_lost(one.y)]
        sums = np.concatenate([np.ones(1), *(self._sums(one) for one in alive)])
        reach, subject = np.abs(sums[np.isfinite(sums)]).max(), course.subject
        z = np.linspace(-reach, reach, 33)
        self.plane = line_of(z, np.zeros(33), "z", subject.outputs[0], subject.low, subject.high)
        head = Network(1, subject.network.layers, bias=False)
        self.surface = Surface(sheet, [box], head, course.run, self.plane, read, 1.8)
        self.examples = Examples(sheet, read, course.t, 0.55)

    def _sums(self, moment: Moment) -> Array:
        """z (examples,) of the output unit."""
        with np.errstate(all="ignore"):
            return np.asarray(self.course.network.forward(moment.theta[:, None], self.course.x).z[-1][:, 0, 0])

    def still(self) -> None:
        """The curve, and a line where the output changes sides."""
        axes(self.sheet, self.box, self.plane, 9)
        self.surface.paste(np.ones(1))
        value = self.surface.read.value(self.surface.y[:, 0, 0]) - (self.read.low + self.read.high) / 2
        for column in np.flatnonzero(np.diff(value > 0)) if self.read.classes else ():
            x, y = self.box.x + column + 1, self.box.y
            line = np.array([[x, y], [x, y + self.box.height]])
            self.sheet.line(line, self.sheet.colours.ink, 1, (4, 3), within=self.box)
        self.surface.draw()

    def paste(self, moment: Moment) -> None:
        """Nothing is pasted."""

    def draw(self, moment: Moment) -> None:
        value = np.clip(self.read.value(moment.y.T), self.plane.bottom, self.plane.top)
        places = self.box.at(np.clip(self.plane.share(self._sums(moment), value), 0, 1))
        inside = np.isfinite(places).all(1)
        self.examples.draw(places[inside], np.flatnonzero(inside), moment.right)
