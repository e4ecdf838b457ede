"""The outputs for the examples: a chip for each of a few examples, or marks along the scale of the output."""

from dataclasses import replace

import numpy as np

from xortrain.films.canvas import Box
from xortrain.films.captions import class_names
from xortrain.films.data import Frame
from xortrain.films.panel import ExampleMarks, Panel, PanelContext, format_short
from xortrain.nets import Array

MOST_BARS, MOST_CHIPS, MOST_STICKS = 8, 16, 200
LEAST_NUMBER = 8  # size of its digits


def outputs_panel(context: PanelContext) -> "OutputsPanel":
    """The panel that fits the number of examples and outputs."""
    examples, outputs = len(context.run_frames.x), context.run_frames.network.outputs
    if examples <= MOST_BARS and outputs == 1:
        return Bars(context)
    return Chips(context) if examples <= MOST_CHIPS and outputs <= 10 else Spread(context)


class OutputsPanel(Panel):
    """The title with a key, and how many examples are right."""

    key = ""
    """What else is to be said, below the outputs."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context)
        self.x, self.t = self.run_frames.x, self.run_frames.t
        self.left, self.right = context.box.x, context.box.x + context.box.width
        self.has_names = self.scale.classes == 2 and bool(self.scale.names)

    def room(self) -> float:
        """The height for the outputs, without what is written below them."""
        return self.box.height - 14 * self.canvas.unit * (bool(self.key) or self.has_names)

    def still(self) -> None:
        canvas, label = self.canvas, self.canvas.colours.label
        count = f"{len(self.t)}/{len(self.t)} right"
        room = self.right - self.left - canvas.text_width(count, 10, "bold") - 6 * canvas.unit
        if canvas.text_width("outputs", 10) <= room:
            canvas.text(self.left, self.title_y, "outputs", 10, label)
        low = self.box.y + self.box.height - 2 * canvas.unit
        if self.key:
            canvas.text(self.box.x, low, canvas.shorten(self.key, self.box.width, 9), 9, label)
        elif self.has_names:
            row = Box(self.box.x, round(low), self.box.width, round(13 * canvas.unit))
            class_names(canvas, row, list(self.scale.names), 2)

    def draw(self, frame: Frame) -> None:
        words = f"{'-' if frame.is_unknown else int(frame.right.sum())}/{len(frame.right)} right"
        self.canvas.text(self.right, self.title_y, words, 10, face="bold", align="right")


class Bars(OutputsPanel):
    """A row for each example: its name, its output as a bar with its colour, a mark at the target, and the number."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context)
        canvas, s, box, run = self.canvas, self.canvas.unit, self.box, self.run_frames
        self.size, count = 10.0, len(self.x)
        step = min(self.room() / count, 23 * s)
        self.names = [canvas.shorten(name, 0.4 * box.width, self.size) for name in run.names]
        left = box.x + max(canvas.text_width(name, self.size) for name in self.names) + round(9 * s)
        right = self.right - canvas.text_width("-0.00", 9) - round(9 * s)
        height = round(min(0.55 * step, 12 * s))
        tops = [round(box.y + row * step + (step - height) / 2) for row in range(count)]
        self.rows = [Box(left, top, right - left, height) for top in tops]
        self.marks = ExampleMarks(canvas, self.scale, self.t, 0.55)
        self.paper = canvas.palette.nearest(canvas.colours.paper[None])[0]
        self.span = (self.scale.high - self.scale.low) or 1
        self.middle = 0.5 if self.scale.classes else float(np.clip(-self.scale.low / self.span, 0, 1))

    def _places(self, values: Array) -> Array:
        """Fractions (examples,) of the width of a row."""
        with np.errstate(all="ignore"):
            return np.clip(np.nan_to_num((values - self.scale.low) / self.span, nan=0.5), 0, 1)

    def still(self) -> None:
        super().still()
        canvas, s = self.canvas, self.canvas.unit
        for row, name in zip(self.rows, self.names, strict=True):
            canvas.text(self.box.x, row.y + row.height / 2 + 3.6 * s, name, self.size)
            canvas.outline(row, canvas.colours.pale)

    def paste(self, frame: Frame) -> None:
        bands = self.scale.bands(frame.y.T.astype(float))
        for row, band, share in zip(self.rows, bands, self._places(frame.y[:, 0]), strict=True):
            filled = np.arange(row.width) < round(row.width * float(share))
            self.canvas.paste(row, np.tile(np.where(filled, band, self.paper), (row.height, 1)))

    def draw(self, frame: Frame) -> None:
        super().draw(frame)
        canvas, s = self.canvas, self.canvas.unit
        places, targets = self._places(frame.y[:, 0]), self._places(self.t[:, 0])
        ends = np.array([[(share, 0), (share, 1), (self.middle, 0), (self.middle, 1)] for share in places])
        lines = np.concatenate([row.at(one).reshape(2, 2, 2) for row, one in zip(self.rows, ends, strict=True)])
        canvas.lines(lines, canvas.colours.ink, np.tile([1.0, 1.4], len(self.rows)))
        for row, value in zip(self.rows, frame.y[:, 0], strict=True):
            word = format_short(value) if np.isfinite(value) else "-"
            size = 9 * min(1, (self.right - row.x - row.width - 7 * s) / canvas.text_width(word, 9))
            canvas.text(self.right, row.y + row.height / 2 + 0.36 * size * s, word, size, align="right")
        aims = [row.at(np.array([share, 0.5])) for row, share in zip(self.rows, targets, strict=True)]
        self.marks.draw(np.array(aims), frame.right)


class Chips(OutputsPanel):
    """A column for each example, a cell for each output: its fill is the output, its edge the target."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context)
        box, s, (examples, outputs) = self.box, self.canvas.unit, self.t.shape
        self.is_framed = outputs > 1 and bool(self.scale.classes)
        self.key = "framed: target" if self.is_framed else "edge: target"
        gap = 5 * s if examples <= 6 else 2 * s
        width = (box.width - gap * (examples - 1)) / examples
        self.names = self._names(int(width) + 4 * s)
        top = box.y + 13 * s * bool(self.names)
        height = min((box.y + self.room() - top - (outputs - 1) * s) / outputs, 24 * s)
        self.is_low = int(height) < 10 * s
        end = top + outputs * (height + s) + 13 * s  # of the key, which is next to the cells
        self.box = replace(box, height=min(box.height, round(end - box.y)))
        self.cells = [
            Box(round(box.x + i * (width + gap)), round(top + j * (height + s)), int(width), int(height))
            for i, j in np.ndindex(examples, outputs)
        ]

    def still(self) -> None:
        super().still()
        canvas, s = self.canvas, self.canvas.unit
        for name, cell in zip(self.names, self.cells[:: self.t.shape[1]], strict=False):
            canvas.text(cell.x + cell.width / 2, cell.y - 4 * s, name, 9, canvas.colours.label, align="centre")
        self.edges = self._edges().reshape(-1, 3)
        for cell, edge in zip(self.cells, self.edges, strict=True) if self.is_low else ():
            canvas.outline(cell, edge)

    def _names(self, room: float) -> list[str]:
        """The names of the examples above their columns, such as 01 for (0, 1), if there is room for all of them."""
        each = [name.strip("()").split(", ") for name in self.run_frames.short_names]
        is_tight = len(self.x) > 6 and all(len(value) == 1 for values in each for value in values)
        names = [("" if is_tight else " ").join(values) for values in each]
        return names if all(self.canvas.text_width(name, 9) <= room for name in names) else []

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
        size *= min(1, (cell.width - 8 * s) / canvas.text_width(word, size, "bold"))  # inside the edge
        if np.isfinite(value) and cell.height > 11 * s and size >= LEAST_NUMBER:
            x, y = cell.x + cell.width / 2, cell.y + cell.height / 2 + 0.36 * size * s
            canvas.text(x, y, word, size, canvas.colours.contrast(fill), "bold", "centre")


class Spread(OutputsPanel):
    """A mark for each example along the output scale: in one lane per class, or for real values at its target."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context)
        s, box = self.canvas.unit, context.box
        self.outer = box
        self.names = self._lane_names()
        self.lacks_names = self.scale.classes > 2 and not self.names
        left = max((self.canvas.text_width(name, 9) for name in self.names), default=0)
        left += round(16 * s) * bool(self.names)
        self.box = Box(box.x + left, box.y + round(3 * s), box.width - left, box.height - round(20 * s))
        self.kinds = self.scale.target_classes(self.t)
        self.examples = ExampleMarks(self.canvas, self.scale, self.t, 0.9 if len(self.t) > MOST_CHIPS else 0.5)
        self.span = (self.scale.high - self.scale.low) or 1
        self.edge = (self.examples.radius + 1) * s / self.box.height
        self.heights = self._heights(self.t[:, 0])
        if self.scale.classes:
            spread = (np.arange(len(self.t)) * 0.618034 % 1 - 0.5) * 0.7
            self.heights = self.edge + (1 - 2 * self.edge) * (self.kinds + 0.5 + spread) / self.scale.classes

    def _lane_names(self) -> list[str]:
        """The names of three or more classes, if each lane is high enough for one."""
        names, s, box = self.run_frames.data.outputs, self.canvas.unit, self.outer
        if self.scale.classes < 3 or (box.height - 23 * s) / self.scale.classes < 9 * s:
            return []
        return self.canvas.shorten_apart(names, 0.35 * box.width, 9)

    def _heights(self, t: Array) -> Array:
        """Where targets (n,) are, as fractions of the height; the highest at the top."""
        return np.asarray(1 - self.edge - (1 - 2 * self.edge) * ((t - self.scale.low) / self.span))

    def _shares(self, y: Array) -> Array:
        """Where outputs (n,) are, as fractions of the width, at most a little beyond the scale."""
        with np.errstate(all="ignore"):
            return np.asarray(0.04 + 0.92 * np.clip((y - self.scale.low) / self.span, -0.05, 1.05))

    def still(self) -> None:
        super().still()
        canvas, box, scale, s, label = self.canvas, self.box, self.scale, self.canvas.unit, self.canvas.colours.label
        canvas.outline(box, canvas.colours.pale)
        y = box.y + box.height + 15 * s
        low, high = canvas.shorten_apart(scale.ends, 0.4 * box.width, 9)
        canvas.text(box.x, y, low, 9, label)
        canvas.text(box.x + box.width, y, high, 9, label, align="right")
        room = box.width - canvas.text_width(low, 9) - canvas.text_width(high, 9) - 8 * s
        canvas.text(box.x + box.width / 2, y, canvas.first_fitting(self._axis(), room, 9), 9, label, align="centre")
        if scale.classes < 3:
            strip = Box(box.x, box.y + box.height + round(2 * s), box.width, round(3 * s))
            canvas.paste(strip, np.tile(np.arange(box.width) * scale.levels // box.width, (strip.height, 1)))
        if scale.classes == 2:
            canvas.line(box.at(np.array([[0.5, 0.0], [0.5, 1.0]])), canvas.colours.pale, 1.2)
        elif not scale.classes:
            self._draw_band()
        for kind, name in enumerate(self.names):
            middle = box.y + box.height * (kind + 0.5) / scale.classes
            canvas.marks(np.array([[self.outer.x + 5 * s, middle]]), kind, 4, canvas.colours.of_classes(np.array(kind)))
            canvas.text(self.outer.x + 12 * s, middle + 3.3 * s, name, 9)

    def _axis(self) -> list[str]:
        """What the axis shows, the longest name first."""
        if self.scale.classes > 2:
            return ["right class"]
        named, first = self.scale.hides_outputs, self.run_frames.data.outputs[0]
        if self.scale.classes:
            return [first] * named + ["output"]
        return [f"{first}, over target"] * named + ["over target"]

    def _draw_band(self) -> None:
        """The outputs that are the targets, and between which outputs they are right."""
        ends = np.array([self.scale.low, self.scale.high])
        heights, interval = self._heights(ends), self.run_frames.data.interval
        if interval is not None:
            low, high = (bound[:, 0] for bound in interval(np.repeat(ends[:, None], self.t.shape[1], axis=1)))
            if np.isfinite([low, high]).all():
                sides = [np.stack([self._shares(bound), heights], axis=1) for bound in (low, high)]
                around = np.concatenate([sides[0], sides[1][::-1]])
                self.canvas.area(self.box.at(around), self.canvas.colours.of_classes(np.array(1)), opacity=0.14)
        self.canvas.line(self.box.at(np.stack([self._shares(ends), heights], axis=1)), self.canvas.colours.pale, 1.2)

    def draw(self, frame: Frame) -> None:
        super().draw(frame)
        value = self.scale.value(frame.y.T)
        if self.scale.classes > 2:
            value = np.take_along_axis(frame.y, self.kinds[:, None], 1)[:, 0]
        places = self.box.at(np.stack([self._shares(value), self.heights], axis=1))
        if not self.scale.classes and len(places) <= MOST_STICKS:
            aims = self.box.at(np.stack([self._shares(self.t[:, 0]), self.heights], axis=1))
            sticks = np.stack([aims, places, np.full_like(places, np.nan)], axis=1).reshape(-1, 2)
            self.canvas.line(sticks, self.canvas.colours.label, 0.8, clip=self.box)
        self.examples.draw(places, frame.right)
