"""The network itself: each weight a line as wide as it is strong, each unit a small picture of its own field.

A disc in the corner of a unit is its bias.  Where a layer has more units than fit, the strongest are shown.
"""

from typing import Any

import numpy as np

from xortrain.films.canvas import Canvas
from xortrain.films.colour_scale import ColourScale, band
from xortrain.films.frames import Frame, RunFrames
from xortrain.films.glyphs import SHAPES, Box
from xortrain.films.heatmap import Probe, tiles
from xortrain.films.hidden_space import bounds
from xortrain.films.projection import Projection
from xortrain.nets import Array

MOST_UNITS, MOST_NAMED = 8, 3
STRONG = 5.0
"""Weights from this size on are drawn as wide as it gets."""
SLIGHT = 0.02
"""Weights up to this size show that there is a line, and no sign."""


class Diagram:
    """Inputs on the left, a column for each layer, in a box."""

    def __init__(
        self, canvas: Canvas, box: Box, course: RunFrames, plane: Projection, read: ColourScale, chosen: Array
    ) -> None:
        self.canvas, self.box, self.read, self.subject = canvas, box, read, course.subject
        self.network = course.network
        depth, s = len(self.network.layers), canvas.scale
        hidden = [course.strongest(k, MOST_UNITS) for k in range(depth - 1)]
        self.units = [
            np.arange(min(self.network.inputs, MOST_UNITS)),
            *hidden,
            np.arange(min(self.network.outputs, MOST_UNITS)),
        ]
        most = max(len(units) for units in self.units[1:])
        self.named = most <= MOST_NAMED
        room = (box.height - 14 * s) / most - (14 if self.named else 3) * s
        largest = 26 if depth > 1 or most == 1 else 40
        side = min(largest * s, room, 0.55 * box.width / (depth + 0.5))
        self.side = max(8, round(side))
        radius = min(8 * s, (box.height - 14 * s) / len(self.units[0]) / 2 - 1)
        self.radius = max(2.0, radius / s)
        self.columns = [self._column(i, len(units)) for i, units in enumerate(self.units)]
        slices = len(plane.slices) if self.side >= 16 * s else 1
        self.parts = tiles(Box(0, 0, self.side, self.side), slices, 0, len(plane.columns))
        points = np.stack([plane.grid(i, part.width, part.height) for i, part in enumerate(self.parts)], axis=1)
        self.probe = Probe(course.subject.network, points, np.array([course.run]))
        some = course.some(chosen, 6)
        self.ranges = [self._range(k, some) for k in range(depth - 1)]

    def _column(self, number: int, count: int) -> Array:
        """Centres (count, 2) of the units of a column."""
        box, s = self.box, self.canvas.scale
        left, right = box.x + self.radius * s + 1, box.x + box.width - self.side / 2 - 1
        x = left + (right - left) * number / (len(self.units) - 1)
        top, bottom = box.y + 12 * s, box.y + box.height
        step = (bottom - top) / count
        if count <= 3:
            step = min(step, 56 * s)
        y = (top + bottom) / 2 + (np.arange(count) - (count - 1) / 2) * step
        return np.stack([np.full(count, x), y], axis=1).round()

    def _range(self, layer: int, some: list[Frame]) -> tuple[float, float]:
        """The values between which the units of a layer are coloured: one scale for the whole film."""
        known = bounds(self.network.layers[layer])
        if known:
            return known
        alive = [one for one in some if not self.read.is_lost(one.y)] or some[:1]
        values = np.concatenate([one.layers[layer] for one in alive])
        reach = float(np.abs(values[np.isfinite(values)]).max(initial=0)) or 1.0
        return -reach, reach

    def still(self) -> None:
        canvas, s = self.canvas, self.canvas.scale
        fit = all(canvas.text_width(name, 9) <= 15 * s for name in self.subject.inputs)
        names = self.subject.inputs if fit else self.subject.symbols
        for name, centre in zip(names, self.columns[0], strict=False):
            canvas.marks(centre[None], SHAPES[0], self.radius, canvas.colours.paper, canvas.colours.ink, 1.2)
            if self.radius >= 7:
                canvas.text(centre[0], centre[1] + 3.2 * s, name, 9, align="centre")
        for x, y in np.concatenate(self.columns[1:]):
            canvas.edge(self._tile(x, y), canvas.colours.ink)
        self.names = canvas.layer(self._words)

    def _words(self) -> None:
        """What lies over the lines: the units' names, and how many are not shown."""
        canvas, s = self.canvas, self.canvas.scale
        look: Any = {"colour": canvas.colours.label, "align": "centre", "halo": canvas.colours.paper}
        every = (self.network.inputs, *(layer.units for layer in self.network.layers))
        left_out = [count - len(units) for count, units in zip(every, self.units, strict=True)]
        step = self.columns[1][0, 0] - self.columns[0][0, 0]
        tight = canvas.text_width(f"+{max(left_out)} more", 9) + 3 * s > step and sum(map(bool, left_out)) > 1
        for k, (units, centres) in enumerate(zip(self.units, self.columns, strict=True)):
            if left_out[k]:
                words, y = f"+{left_out[k]}" + " more" * (not tight), self.box.y + self.box.height + 11 * s
                half = canvas.text_width(words, 9) / 2
                x = np.clip(centres[0, 0], self.box.x + half, self.box.x + self.box.width - half)
                canvas.text(x, y, words, 9, **look)
            for unit, (x, y) in zip(units, centres, strict=True) if k and self.named else ():
                canvas.text(x, y - self.side / 2 - 4 * s, self._name(k, unit), 9, **look)

    def _name(self, layer: int, unit: int) -> str:
        if layer == len(self.units) - 1:
            return self.canvas.fitting(self.subject.outputs[unit], 60 * self.canvas.scale, 9)
        return f"h{unit + 1}" if len(self.units) == 3 else f"h{layer},{unit + 1}"

    def _tile(self, x: float, y: float) -> Box:
        return Box(round(x - self.side / 2), round(y - self.side / 2), self.side, self.side)

    def paste(self, moment: Frame) -> None:
        layers = [a[:, 0] for a in self.probe.layers(moment.theta[:, None])]
        for k, (units, centres) in enumerate(zip(self.units[1:], self.columns[1:], strict=True)):
            for unit, (x, y) in zip(units, centres, strict=True):
                self._thumbnail(self._tile(x, y), self._bands(k, unit, layers[k]))

    def _bands(self, layer: int, unit: int, values: Array) -> Array:
        read = self.read
        if layer < len(self.units) - 2:
            low, high = self.ranges[layer]
            if read.classes < 3:
                return band(values[unit], low, high, read.levels)
            return self.canvas.palette.grey(band(values[unit], low, high, 16))
        if len(values) == 1:
            return read.bands(values)
        return read.alone(unit, values[unit])

    def _thumbnail(self, tile: Box, bands: Array) -> None:
        for part, one in zip(self.parts, bands, strict=True):
            self.canvas.paste(Box(tile.x + part.x, tile.y + part.y, part.width, part.height), one)

    def draw(self, moment: Frame) -> None:
        parameters, last = self.network.split(moment.theta), len(self.units) - 1
        if self.network.skip:
            direct = parameters[f"W{last}"][:, -self.network.inputs :]
            self._weights(direct, 0, last)
        for k in range(1, last + 1):
            self._weights(parameters[f"W{k}"], k - 1, k)
            if self.network.bias:
                self._biases(parameters[f"b{k}"][self.units[k]], self.columns[k])
        self.canvas.stamp(self.names)
        if last == 1 and self.network.outputs == 1 and self.network.inputs <= 3:
            self._formula(parameters)

    def _weights(self, weights: Array, source: int, target: int) -> None:
        """The lines between two columns; past other columns they bend."""
        s, straight = self.canvas.scale, target == source + 1
        out = self.radius * s + 1 if source == 0 else self.side / 2 + 1
        shown = weights[np.ix_(self.units[target], self.units[source])]
        for row, (x1, y1) in zip(shown, self.columns[target], strict=True):
            for weight, (x0, y0) in zip(row, self.columns[source], strict=True):
                if not np.isfinite(weight):
                    continue
                line = np.array([[x0 + out, y0], [x1 - self.side / 2 - 1, y1]])
                if not straight:
                    line = bend(line, (self.side + 14 * s) * (1 if y0 > y1 else -1))
                width = min(abs(weight) / STRONG, 1) * self._widest() + 0.3
                colour = self.canvas.colours.signs[int(weight > 0)]
                self.canvas.line(line, colour if abs(weight) > SLIGHT else self.canvas.colours.pale, width)

    def _widest(self) -> float:
        """Many lines must be thinner to be told apart."""
        return float(6 / max(1, max(len(units) for units in self.units) / 3))

    def _biases(self, biases: Array, centres: Array) -> None:
        if self.side < 14 * self.canvas.scale:
            return
        colours = self.canvas.colours
        for bias, (x, y) in zip(biases, centres, strict=True):
            if np.isfinite(bias):
                corner = np.array([[x - self.side / 2, y + self.side / 2]])
                radius = 1.2 + 2.8 * min(abs(bias) / STRONG, 1)
                self.canvas.marks(corner, SHAPES[0], radius, colours.signs[int(bias > 0)], colours.paper, 1)

    def _formula(self, parameters: dict[str, Array]) -> None:
        """What the only unit adds up, where the network has no other."""
        terms = [
            f"{weight:+.2f} {name}" for weight, name in zip(parameters["W1"][0], self.subject.symbols, strict=False)
        ]
        terms += [f"{parameters['b1'][0]:+.2f}"] if self.network.bias else []
        words = "z = " + "  ".join(terms).lstrip("+").replace("+", "+ ").replace("-", "− ")
        right, low = self.box.x + self.box.width, self.box.y + self.box.height
        self.canvas.text(right, low + 15 * self.canvas.scale, words, 9.5, align="right")


def bend(line: Array, height: float) -> Array:
    """A curve (n, 2) between the two ends of a line (2, 2) that leaves it by about half that height."""
    share = np.linspace(0, 1, 20)[:, None]
    turn = line.mean(0) + np.array([0, height * 1.6])
    return np.asarray((1 - share) ** 2 * line[0] + 2 * share * (1 - share) * turn + share**2 * line[1])
