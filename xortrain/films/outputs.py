"""The outputs for the examples: a chip for each of a few examples, or marks along the scale of the output."""

import numpy as np

from xortrain.films.canvas import Box
from xortrain.films.data import Frame
from xortrain.films.panel import ExampleMarks, Panel, PanelContext, format_short
from xortrain.nets import Array

MOST_CHIPS = 16


def outputs_panel(context: PanelContext) -> "OutputsPanel":
    """The panel that fits the number of examples and outputs."""
    few = len(context.run_frames.x) <= MOST_CHIPS and context.run_frames.network.outputs <= 10
    return Chips(context) if few else Spread(context)


class OutputsPanel(Panel):
    """The title with a key, and how many examples are right."""

    key: str

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context)
        self.x, self.t, self.right = self.run_frames.x, self.run_frames.t, context.box.x + context.box.width

    def still(self) -> None:
        canvas, label = self.canvas, self.canvas.colours.label
        title = canvas.text(self.box.x, self.title_y, "outputs", 11, label)
        left = title.x + title.width + 5 * canvas.unit
        count = canvas.text_width(f" {len(self.x)}/{len(self.x)} right", 11, "bold")
        canvas.text(left, self.title_y, canvas.shorten(self.key, self.right - left - count, 9), 9, label)

    def draw(self, frame: Frame) -> None:
        words = f"{int(frame.right.sum())}/{len(frame.right)} right"
        self.canvas.text(self.right, self.title_y, words, 11, face="bold", align="right")


class Chips(OutputsPanel):
    """A column for each example, a cell for each output: its fill is the output, its edge the target."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context)
        box, s, (examples, outputs) = self.box, self.canvas.unit, self.t.shape
        self.is_framed = outputs > 1 and bool(self.scale.classes)
        self.key = "framed: target" if self.is_framed else "edge: target"
        if self.scale.classes == 2 and self.scale.hollow != "wrong":
            self.key = f"hollow: {self.scale.hollow}"
        self.is_named = self.x.shape[1] <= 4 and len(self.x) <= 8
        gap = 5 * s if examples <= 6 else 2 * s
        width = (box.width - gap * (examples - 1)) / examples
        top = box.y + (13 * s if self.is_named else 0)
        height = min((box.y + box.height - top - (outputs - 1) * s) / outputs, 24 * s)
        self.is_low = int(height) < 10 * s
        self.cells = [
            Box(round(box.x + i * (width + gap)), round(top + j * (height + s)), int(width), int(height))
            for i, j in np.ndindex(examples, outputs)
        ]

    def still(self) -> None:
        super().still()
        canvas, s, between = self.canvas, self.canvas.unit, " " if len(self.x) <= 6 else ""
        for values, cell in zip(self.x if self.is_named else (), self.cells[:: self.t.shape[1]], strict=False):
            words = canvas.shorten(between.join(f"{value:.2g}" for value in values), cell.width + 4 * s, 9)
            canvas.text(cell.x + cell.width / 2, cell.y - 4 * s, words, 9, canvas.colours.label, align="centre")
        self.edges = self._edges().reshape(-1, 3)
        for cell, edge in zip(self.cells, self.edges, strict=True) if self.is_low else ():
            canvas.outline(cell, edge)

    def _edges(self) -> Array:
        """The colour (examples, outputs, 3) of each target."""
        colours, t, is_high = self.canvas.colours, self.t, self.t > (self.scale.low + self.scale.high) / 2
        if self.is_framed:
            return np.where(is_high[..., None], colours.ink, colours.paper)
        if self.scale.classes:
            return colours.classes[is_high.astype(int)]
        return self.canvas.palette.rgb[self._bands(t.astype(float))]

    def _bands(self, y: Array) -> Array:
        """The band (examples, outputs) of each output."""
        if y.shape[1] == 1:
            return self.scale.bands(y.T)[:, None]
        return np.stack([self.scale.output_bands(j, y[:, j]) for j in range(y.shape[1])], axis=1)

    def paste(self, frame: Frame) -> None:
        """Low cells are pasted; higher ones have round corners and are drawn."""
        self.bands = self._bands(frame.y.astype(float)).ravel()
        for cell, band in zip(self.cells, self.bands, strict=True) if self.is_low else ():
            self.canvas.paste(cell, np.full((cell.height, cell.width), band))

    def draw(self, frame: Frame) -> None:
        super().draw(frame)
        looks = zip(self.cells, self.canvas.palette.rgb[self.bands], self.edges, frame.y.ravel(), strict=True)
        for cell, fill, edge, value in () if self.is_low else looks:
            self._chip(cell, fill, edge, value)

    def _chip(self, cell: Box, fill: Array, edge: Array, value: float) -> None:
        canvas, s = self.canvas, self.canvas.unit
        canvas.chip(cell, fill, edge, 2 if cell.height > 12 * s else 1.2, 4 if cell.height > 16 * s else 2)
        size = min(10.5 if len(self.x) <= 6 else 8.5, 0.78 * cell.height / s)
        word = format_short(value)
        if np.isfinite(value) and cell.height > 11 * s and canvas.text_width(word, size, "bold") < cell.width:
            x, y = cell.x + cell.width / 2, cell.y + cell.height / 2 + 0.36 * size * s
            canvas.text(x, y, word, size, canvas.colours.contrast(fill), "bold", "centre")


class Spread(OutputsPanel):
    """A mark for each example along the output scale: in one lane per class, or for real values at its target."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context)
        s, box, self.key = self.canvas.unit, context.box, f"hollow: {self.scale.hollow}"
        self.box = Box(box.x, box.y + round(4 * s), box.width, box.height - round(18 * s))
        self.kinds = self.scale.target_classes(self.t)
        self.examples = ExampleMarks(self.canvas, self.scale, self.t, 0.9 if len(self.t) > MOST_CHIPS else 0.5)
        self.span = (self.scale.high - self.scale.low) or 1
        edge = (self.examples.radius + 1) * s / self.box.height
        self.heights = 1 - edge - (1 - 2 * edge) * ((self.t[:, 0] - self.scale.low) / self.span)
        if self.scale.classes:
            spread = (np.arange(len(self.t)) * 0.618034 % 1 - 0.5) * 0.7
            self.heights = edge + (1 - 2 * edge) * (self.kinds + 0.5 + spread) / self.scale.classes

    def still(self) -> None:
        super().still()
        canvas, box, scale, label = self.canvas, self.box, self.scale, self.canvas.colours.label
        canvas.outline(box, canvas.colours.pale)
        y = box.y + box.height + 12 * canvas.unit
        low, high = (canvas.shorten(end, box.width / 4, 9) for end in scale.ends)
        canvas.text(box.x, y, low, 9, label)
        canvas.text(box.x + box.width, y, high, 9, label, align="right")
        name = "output of the right class" if scale.classes > 2 else "output"
        if not scale.classes:
            shown = f"{self.run_frames.data.outputs[0]} of {self.t.shape[1]}" if scale.hides_outputs else "output"
            name = f"{shown}, over target"
        canvas.text(box.x + box.width / 2, y, name, 9, label, align="centre")
        if scale.classes < 3:
            middle = [[0.5, 0.0], [0.5, 1.0]] if scale.classes == 2 else [[0.04, 0.92], [0.96, 0.08]]
            canvas.line(box.at(np.array(middle)), canvas.colours.pale, 1.2)

    def draw(self, frame: Frame) -> None:
        super().draw(frame)
        value = self.scale.value(frame.y.T)
        if self.scale.classes > 2:
            value = np.take_along_axis(frame.y, self.kinds[:, None], 1)[:, 0]
        with np.errstate(all="ignore"):
            share = np.clip((value - self.scale.low) / self.span, -0.05, 1.05)
        self.examples.draw(self.box.at(np.stack([0.04 + 0.92 * share, self.heights], axis=1)), frame.right)
