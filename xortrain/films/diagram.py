"""The network: a line for each weight, wider for a larger weight, and a thumbnail of the field of each unit.

A disc in the corner of a unit shows its bias. A large layer shows only the units with the largest outgoing weights.
"""

from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np

from xortrain.films.canvas import Box
from xortrain.films.data import Frame
from xortrain.films.heatmap import Probe, activation_range, tiles
from xortrain.films.panel import Panel, PanelContext
from xortrain.nets import Array

MOST_UNITS, MOST_NAMED, MOST_INPUTS = 8, 3, 16
LEAST_FORMULA = 7  # size of its letters
LEAST_SIDE = 18  # pixels of a thumbnail; a smaller unit is a disc
STRONG, SLIGHT = 5.0, 0.02  # weight with the widest line; weight up to which a line does not show the sign


class Diagram(Panel):
    """Inputs on the left, then a column for each layer."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context)
        run, box, s, projection = context.run_frames, context.box, context.canvas.unit, context.projection
        self.network, self.data = run.network, run.data
        depth, ends = len(self.network.layers), (self.network.inputs, self.network.outputs)
        first, last = (np.arange(min(count, most)) for count, most in zip(ends, (MOST_INPUTS, MOST_UNITS), strict=True))
        shown = max(2, min(MOST_UNITS, int((box.height - 14 * s) / (max(LEAST_SIDE, 14 * s) + 3 * s))))
        self.units = [first, *(run.strongest(layer, shown) for layer in range(depth - 1)), last[:shown]]
        counts = (self.network.inputs, *(layer.units for layer in self.network.layers))
        self.left_out = [count - len(units) for count, units in zip(counts, self.units, strict=True)]
        self.has_formula = depth == 1 and ends[1] == 1 and ends[0] <= 2
        below = 16 if self.has_formula else 10 * any(self.left_out)  # units for words, above the labels of events
        self.box = box = replace(box, height=box.height - round(below * s))
        most = max(len(units) for units in self.units[1:])
        self.is_named = most <= MOST_NAMED and (box.height - 14 * s) / most >= LEAST_SIDE + 14 * s
        room = (box.height - 14 * s) / most - (14 if self.is_named else 3) * s
        beside = min(0.55 * box.width, 0.62 * (box.width - self._name_width())) / (depth + 0.5)
        self.side = max(8, round(min((34 if depth > 1 or most == 1 else 42) * s, room, beside)))
        self.has_thumbnails = self.side >= LEAST_SIDE
        self.radius = max(1.5, min(4 * s, (box.height - 14 * s) / len(first) / 2 - 1) / s)
        self.widest = float(6 / max(1, max(len(units) for units in self.units) / 3))
        self.columns = [self._column(number, len(units)) for number, units in enumerate(self.units)]
        slices = len(projection.slices) if self.side >= 16 * s else 1
        self.parts = tiles(Box(0, 0, self.side, self.side), slices, 0, projection.across)
        fine, parts = context.canvas.detail, enumerate(self.parts)
        points = np.stack([projection.grid(i, fine * part.width, fine * part.height) for i, part in parts], axis=1)
        self.probe = Probe(self.data.network, self.data.scaling, points, np.array([run.run]))
        frames = run.sample(context.chosen, 6)
        frames = [frame for frame in frames if not self.scale.is_off_scale(frame.y)] or frames[:1]
        levels = self.scale.levels if self.scale.classes < 3 else 16
        self.hidden_scales = [
            replace(self.scale, low=low, high=high, levels=levels, classes=0, one_hot=False)
            for low, high in (self._hidden_range(layer, frames) for layer in range(depth - 1))
        ]

    def _column(self, number: int, count: int) -> Array:
        """The centres (count, 2) of the units in a column."""
        box, s = self.box, self.canvas.unit
        left = box.x + self._name_width() * (2 if self.is_staggered else 1) + 3 * s + self.radius * s + 1
        x = left + (box.x + box.width - self.side / 2 - 1 - left) * number / (len(self.units) - 1)
        top, bottom = box.y + 12 * s, box.y + box.height
        step = (bottom - top) / count if count > 3 else min((bottom - top) / count, 56 * s)
        y = (top + bottom) / 2 + (np.arange(count) - (count - 1) / 2) * step
        return np.stack([np.full(count, x), y], axis=1).round()

    @property
    def is_staggered(self) -> bool:
        """Whether the names of the inputs stand in two columns by turns, because they are too many for one."""
        return (self.box.height - 14 * self.canvas.unit) / len(self.units[0]) < 9 * self.canvas.unit

    def _name_width(self) -> float:
        names = self._input_names()[: len(self.units[0])]
        return max(self.canvas.text_width(name, 9) for name in names) + 3 * self.canvas.unit * self.is_staggered

    def _input_names(self) -> list[str]:
        """The names of the inputs, or their symbols if the names are too long or too many to be legible."""
        room = (0.42 if len(self.network.layers) < 3 else 0.28) * self.box.width * (not self.is_staggered)
        fit = all(self.canvas.text_width(name, 9) <= room for name in self.data.inputs)
        return self.data.inputs if fit else self.data.symbols

    def _hidden_range(self, layer: int, frames: list[Frame]) -> tuple[float, float]:
        """The ends of a hidden layer's colour scale, the same for the whole film."""
        values = np.concatenate([frame.layers[layer] for frame in frames])
        reach = float(np.abs(values[np.isfinite(values)]).max(initial=0)) or 1.0
        return activation_range(self.network.layers[layer]) or (-reach, reach)

    def still(self) -> None:
        canvas, s = self.canvas, self.canvas.unit
        self.write_title("network")
        for row, (name, centre) in enumerate(zip(self._input_names(), self.columns[0], strict=False)):
            canvas.marks(centre[None], 0, self.radius, canvas.colours.paper, canvas.colours.ink, 1.0)
            x = centre[0] - self.radius * s - 3 * s - self._name_width() * (self.is_staggered and row % 2)
            canvas.text(x, centre[1] + 3.2 * s, name, 9, align="right")
        for x, y in np.concatenate(self.columns[1:]) if self.has_thumbnails else ():
            canvas.outline(self._tile(x, y), canvas.colours.ink)
        self.names = canvas.record(self._write_names)

    def _write_names(self) -> None:
        canvas, s = self.canvas, self.canvas.unit
        write = partial(canvas.text, size=9, colour=canvas.colours.label, align="centre", halo=canvas.colours.paper)
        spans = [self._span(f"+{count} more", layer) for layer, count in enumerate(self.left_out) if count]
        step = self.columns[1][0, 0] - self.columns[0][0, 0]
        outputs = self.data.outputs
        if any(canvas.text_width(name, 9) > min(60 * s, step - 3 * s) for name in outputs):
            outputs = replace(self.data, output_names=()).outputs
        tight, until = any(left < right + 5 * s for (_, right), (left, _) in pairwise(spans)), self.box.x - 5 * s
        for layer, (units, centres) in enumerate(zip(self.units, self.columns, strict=True)):
            words = f"+{self.left_out[layer]}" + " more" * (not tight)
            left, right = self._span(words, layer)
            if self.left_out[layer] and left >= until + 3 * s:  # in a deep network there is not room for all
                write((left + right) / 2, self.box.y + self.box.height + 11 * s, words)
                until = right
            for unit, (_, y) in zip(units, centres, strict=True) if layer and self.is_named else ():
                hidden = f"h{unit + 1}" if len(self.units) == 3 else f"h{layer},{unit + 1}"
                name = outputs[unit] if layer == len(self.units) - 1 else hidden
                if canvas.text_width(name, 9) + 4 * s < step or layer == len(self.units) - 1:
                    write(sum(self._span(name, layer)) / 2, y - self.side / 2 - 4 * s, name)

    def _span(self, words: str, layer: int) -> tuple[float, float]:
        """The left and the right end of words above or below a column, inside the panel."""
        half, box = self.canvas.text_width(words, 9) / 2, self.box
        x = float(np.clip(self.columns[layer][0, 0], box.x + half, box.x + box.width - half))
        return x - half, x + half

    def _tile(self, x: float, y: float) -> Box:
        return Box(round(x - self.side / 2), round(y - self.side / 2), self.side, self.side)

    def paste(self, frame: Frame) -> None:
        if not self.has_thumbnails:
            return
        layers = [a[:, 0] for a in self.probe.layers(frame.theta[:, None])]
        for layer, (units, centres) in enumerate(zip(self.units[1:], self.columns[1:], strict=True)):
            for unit, (x, y) in zip(units, centres, strict=True):
                tile, bands = self._tile(x, y), self._bands(layer, unit, layers[layer])
                for part, field in zip(self.parts, bands, strict=True):
                    self.canvas.paste(Box(tile.x + part.x, tile.y + part.y, part.width, part.height), field)

    def _bands(self, layer: int, unit: int, values: Array) -> Array:
        """The bands (slices, height, width) of a unit; grey for hidden units beside three and more classes."""
        if layer < len(self.hidden_scales):
            bands = self.hidden_scales[layer].bands(values[unit][None])
            return bands if self.scale.classes < 3 else self.canvas.palette.grey(bands)
        return self.scale.bands(values) if len(values) == 1 else self.scale.output_bands(unit, values[unit])

    def draw(self, frame: Frame) -> None:
        parameters, last = self.network.split(frame.theta), len(self.units) - 1
        if self.network.skip:
            self._draw_weights(parameters[f"W{last}"][:, -self.network.inputs :], 0, last)
        for layer in range(1, last + 1):
            self._draw_weights(parameters[f"W{layer}"], layer - 1, layer)
            if self.network.bias and self.has_thumbnails:
                self._draw_biases(parameters[f"b{layer}"][self.units[layer]], self.columns[layer])
        if not self.has_thumbnails:
            places, colours = np.concatenate(self.columns[1:]), self.canvas.colours
            self.canvas.marks(places, 0, self.side / 2 / self.canvas.unit, colours.paper, colours.ink)
        self.canvas.stamp(self.names)
        if self.has_formula:
            self._write_formula(parameters)

    def _draw_weights(self, weights: Array, source: int, target: int) -> None:
        """Draw the lines between two columns; lines that pass other columns are curved."""
        s, colours = self.canvas.unit, self.canvas.colours
        starts = self.columns[source] + (self.radius * s + 1 if source == 0 else self.side / 2 + 1, 0)
        ends = self.columns[target] - (self.side / 2 + 1, 0)
        lines = np.stack(np.broadcast_arrays(starts, ends[:, None]), axis=2).reshape(-1, 2, 2)
        if target != source + 1:
            rise = self.side + 14 * s
            lines = np.array([bend(line, rise if line[0, 1] > line[1, 1] else -rise) for line in lines])
        shown = weights[np.ix_(self.units[target], self.units[source])].ravel()
        is_finite, size = np.isfinite(shown), np.abs(shown)
        widths = np.minimum(size / STRONG, 1) * self.widest + 0.3
        looks = np.where((size > SLIGHT)[:, None], colours.signs[(shown > 0).astype(int)], colours.pale)
        self.canvas.lines(lines[is_finite], looks[is_finite], widths[is_finite])

    def _draw_biases(self, biases: Array, centres: Array) -> None:
        colours, half = self.canvas.colours, self.side / 2
        for bias, (x, y) in zip(biases, centres, strict=True):
            if np.isfinite(bias):
                radius, sign = 1.2 + 2.8 * min(abs(bias) / STRONG, 1), colours.signs[int(bias > 0)]
                self.canvas.marks(np.array([[x - half, y + half]]), 0, radius, sign, colours.paper, 1)

    def _write_formula(self, parameters: dict[str, Array]) -> None:
        terms = [f"{weight:+.2f} {name}" for weight, name in zip(parameters["W1"][0], self.data.symbols, strict=False)]
        terms += [f"{parameters['b1'][0]:+.2f}"] if self.network.bias else []
        words = "z = " + "  ".join(terms).lstrip("+").replace("+", "+ ").replace("-", "− ")
        words += "" if self.data.scaling.inputs.fitted is None else "  (x scaled)"
        right, low = self.box.x + self.box.width, self.box.y + self.box.height + 15 * self.canvas.unit
        size = 9.5 * min(1, self.box.width / self.canvas.text_width(words, 9.5))
        if size >= LEAST_FORMULA:
            self.canvas.text(right, low, words, size, align="right")


def bend(line: Array, height: float) -> Array:
    """A curve (20, 2) between the ends of a line (2, 2), from which it deviates by up to 0.8 times ``height``."""
    fraction = np.linspace(0, 1, 20)[:, None]
    turn = line.mean(0) + np.array([0, height * 1.6])
    return np.asarray((1 - fraction) ** 2 * line[0] + 2 * fraction * (1 - fraction) * turn + fraction**2 * line[1])
