"""The outputs for the examples: a chip for each of a few, of many the whole lot along the scale."""

import numpy as np

from xortrain.films.canvas import Canvas
from xortrain.films.captions import ExampleMarks
from xortrain.films.colour_scale import ColourScale
from xortrain.films.frames import Frame, RunFrames
from xortrain.films.glyphs import Box
from xortrain.nets import Array

MOST_CHIPS = 16


def outputs_panel(canvas: Canvas, box: Box, course: RunFrames, read: ColourScale) -> "Chips | Spread":
    few = len(course.x) <= MOST_CHIPS and course.network.outputs <= 10
    return Chips(canvas, box, course, read) if few else Spread(canvas, box, course, read)


class Chips:
    """A column for each example, a cell for each output: filled with what it is, edged with what it should be."""

    def __init__(self, canvas: Canvas, box: Box, course: RunFrames, read: ColourScale) -> None:
        self.canvas, self.box, self.read = canvas, box, read
        self.x, self.t = course.x, course.t
        examples, outputs = self.t.shape
        self.is_framed = outputs > 1 and bool(read.classes)
        self.key = "framed: target" if self.is_framed else "edge: target"
        if read.classes == 2 and read.hollow != "wrong":
            self.key = f"hollow: {read.hollow}"
        s = canvas.scale
        gap = 5 * s if examples <= 6 else 2 * s
        width = (box.width - gap * (examples - 1)) / examples
        top = box.y + (13 * s if self._named() else 0)
        height = min((box.y + box.height - top - (outputs - 1) * s) / outputs, 24 * s)
        self.cells = [
            [
                Box(round(box.x + i * (width + gap)), round(top + j * (height + s)), int(width), int(height))
                for j in range(outputs)
            ]
            for i in range(examples)
        ]

    def _named(self) -> bool:
        return self.x.shape[1] <= 4 and len(self.x) <= 8

    def still(self) -> None:
        canvas, s = self.canvas, self.canvas.scale
        for values, column in zip(self.x if self._named() else (), self.cells, strict=False):
            words = canvas.fitting(
                (" " if len(self.x) <= 6 else "").join(f"{value:.2g}" for value in values), column[0].width + 4 * s, 9
            )
            x = column[0].x + column[0].width / 2
            canvas.text(x, column[0].y - 4 * s, words, 9, canvas.colours.label, align="centre")
        self.edges = self._edges()
        if self._low():
            for column, edges in zip(self.cells, self.edges, strict=True):
                for cell, edge in zip(column, edges, strict=True):
                    canvas.edge(cell, edge)

    def _edges(self) -> Array:
        """The colour (examples, outputs, 3) of what each output should be."""
        colours, t = self.canvas.colours, self.t
        hit = t > (self.read.low + self.read.high) / 2
        if self.is_framed:
            return np.where(hit[..., None], colours.ink, colours.paper)
        if self.read.classes:
            return colours.classes[hit.astype(int)]
        return self.canvas.palette.rgb[self._read(t.astype(float))]

    def paste(self, moment: Frame) -> None:
        """Low cells are pasted, higher ones drawn, with round corners."""
        self._bands = self._read(moment.y.astype(float))
        if self._low():
            for column, bands in zip(self.cells, self._bands, strict=True):
                for cell, band in zip(column, bands, strict=True):
                    self.canvas.paste(cell, np.full((cell.height, cell.width), band))

    def _read(self, y: Array) -> Array:
        """The band (examples, outputs) of each output."""
        if y.shape[1] == 1:
            return self.read.bands(y.T)[:, None]
        return np.stack([self.read.alone(j, y[:, j]) for j in range(y.shape[1])], axis=1)

    def _low(self) -> bool:
        return self.cells[0][0].height < 10 * self.canvas.scale

    def draw(self, moment: Frame) -> None:
        if self._low():
            return
        fills = self.canvas.palette.rgb[self._bands]
        for column, fill, edges, values in zip(self.cells, fills, self.edges, moment.y, strict=True):
            for cell, *look in zip(column, fill, edges, values, strict=True):
                self._chip(cell, *look)

    def _chip(self, cell: Box, fill: Array, edge: Array, value: float) -> None:
        canvas, s = self.canvas, self.canvas.scale
        canvas.chip(cell, fill, edge, 2 if cell.height > 12 * s else 1.2, 4 if cell.height > 16 * s else 2)
        size = min(10.5 if len(self.cells) <= 6 else 8.5, 0.78 * cell.height / s)
        word = short(value)
        if np.isfinite(value) and cell.height > 11 * s and canvas.text_width(word, size, "bold") < cell.width:
            x, y = cell.x + cell.width / 2, cell.y + cell.height / 2 + 0.36 * size * s
            canvas.text(x, y, word, size, canvas.colours.contrast(fill), "bold", "centre")


def short(value: float) -> str:
    """A number in five letters at most."""
    if abs(value) < 9.995:
        return f"{value:.2f}"
    return f"{value:.0f}" if abs(value) < 9999 else f"{value:.0e}".replace("e+", "e")


class Spread:
    """Every example along the scale of the output, a lane for each class; real values against their targets."""

    def __init__(self, canvas: Canvas, box: Box, course: RunFrames, read: ColourScale) -> None:
        self.canvas, self.read, self.key = canvas, read, f"hollow: {read.hollow}"
        self.name = course.subject.outputs[0]
        s = canvas.scale
        self.box = Box(box.x, box.y + round(4 * s), box.width, box.height - round(18 * s))
        self.t = course.t
        self.kinds = read.kinds(self.t)
        self.examples = ExampleMarks(canvas, read, self.t, 0.9 if len(self.t) > MOST_CHIPS else 0.5)
        self.lanes = self._lanes()

    def _lanes(self) -> Array:
        """The height (examples,) at which each example lies, as a share of the box."""
        order = np.arange(len(self.t))
        jitter = (order * 0.618034 % 1 - 0.5) * 0.7
        edge = (self.examples.radius + 1) * self.canvas.scale / self.box.height
        if self.read.classes:
            return np.asarray(edge + (1 - 2 * edge) * (self.kinds + 0.5 + jitter) / self.read.classes)
        value = (self.t[:, 0] - self.read.low) / ((self.read.high - self.read.low) or 1)
        return np.asarray(1 - edge - (1 - 2 * edge) * value)

    def still(self) -> None:
        canvas, box, s = self.canvas, self.box, self.canvas.scale
        canvas.edge(box, canvas.colours.pale)
        y = box.y + box.height + 12 * s
        for value, x, side in ((self.read.low, box.x, "left"), (self.read.high, box.x + box.width, "right")):
            canvas.text(x, y, f"{value:.3g}", 9, canvas.colours.label, align=side)
        real = f"{self.name} of {self.t.shape[1]}, over target" if self.read.several else "output, over target"
        name = "output of the right class" if self.read.classes > 2 else "output" if self.read.classes else real
        canvas.text(box.x + box.width / 2, y, name, 9, canvas.colours.label, align="centre")
        middle = (
            np.array([[0.5, 0.0], [0.5, 1.0]]) if self.read.classes == 2 else np.array([[0.04, 0.92], [0.96, 0.08]])
        )
        if self.read.classes < 3:
            canvas.line(box.at(middle), canvas.colours.pale, 1.2)

    def paste(self, moment: Frame) -> None:
        """Nothing is pasted."""

    def draw(self, moment: Frame) -> None:
        y = moment.y.T
        value = (
            np.take_along_axis(moment.y, self.kinds[:, None], 1)[:, 0] if self.read.classes > 2 else self.read.value(y)
        )
        with np.errstate(all="ignore"):
            share = np.clip((value - self.read.low) / ((self.read.high - self.read.low) or 1), -0.05, 1.05)
        places = self.box.at(np.stack([0.04 + 0.92 * share, self.lanes], axis=1))
        inside = np.isfinite(places).all(1)
        self.examples.draw(places[inside], np.flatnonzero(inside), moment.right)
