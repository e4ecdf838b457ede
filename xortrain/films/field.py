"""The decision field: the output over the input plane, the boundary, a line per hidden unit, and the examples."""

from functools import cached_property, partial

import numpy as np

from xortrain.films.canvas import Box, Overlay
from xortrain.films.captions import marks_legend, upright_scale, wrap
from xortrain.films.data import Frame
from xortrain.films.heatmap import Heatmap, tiles
from xortrain.films.panel import (
    MOST_NAMED_EXAMPLES,
    ClassNames,
    ExampleMarks,
    ExampleNames,
    Heading,
    Panel,
    PanelContext,
    RunLayout,
    format_short,
    label_axes,
)
from xortrain.nets import Array

MOST_LINES, MOST_NAMES = 8, 4  # units that have a line, and up to how many lines have a name
NEAR_ENDS = np.array([0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6, 0.5])[:, None]  # places for a line's name, best first
NARROWEST_LINED = 100  # width of a slice below which lines would hide it
MARGIN = 0.02  # of the picture, in which the middle of no held-out example is drawn
MOST_STORED = 32  # overlays of the examples' marks


class Field(Panel):
    """The field of one run; more than two inputs need several slices."""

    def __init__(self, context: PanelContext, lines: int = MOST_LINES) -> None:
        """``lines`` is the largest number of hidden units that have a line."""
        super().__init__(context)
        canvas, run, projection = context.canvas, context.run_frames, context.projection
        self.network, boxes = run.network, self._boxes()
        self.heatmap = Heatmap(canvas, boxes, run.data.network, run.data.scaling, run.run, projection, self.scale)
        self.examples = ExampleMarks(canvas, self.scale, run.t)
        self.is_plane = len(boxes) == 1 and run.x.shape[1] > 2  # the examples are beside it
        self.held = ExampleMarks(canvas, self.scale, run.held[1], 1, len(run.t)) if run.held else None
        is_named = len(boxes) == 1 and len(run.x) <= MOST_NAMED_EXAMPLES and not projection.is_curve
        self.names = ExampleNames(canvas, boxes[0], run.short_names) if is_named else None
        if context.names_classes and len(boxes) == 1:
            self.names = self.names or ClassNames(context)
        has_lines = lines and len(self.network.layers) > 1 and boxes[0].width >= NARROWEST_LINED * canvas.unit
        self.strongest = run.strongest(0, lines) if has_lines else np.array([], int)
        fractions = [projection.fractions(*projection.places[one.members].T) for one in projection.slices]
        self.places = [box.at(fraction) for box, fraction in zip(boxes, fractions, strict=True)]
        self.name_boxes = np.zeros((0, 4))
        self._overlays: dict[bytes, Overlay] = {}

    def _boxes(self) -> list[Box]:
        """The box of each slice, with room for labels above and, if they are in rows, on the right."""
        box, slices, across = self.box, len(self.projection.slices), self.projection.across
        room = round(14 * self.canvas.unit)
        if not across:
            return tiles(box, slices, room)
        return tiles(Box(box.x, box.y + room, box.width - room, box.height - room), slices, 0, across)

    def still(self) -> None:
        canvas, boxes, s, note = self.canvas, self.heatmap.boxes, self.canvas.unit, self.projection.note
        if self.title:
            self.write_title()
        label_axes(canvas, next(box for box in boxes if box.y == boxes[-1].y), self.projection)
        right, room = self.box.x + self.box.width, self.box.width - boxes[0].width
        variants = note, note.removesuffix(" examples"), note.partition(": ")[2]
        note = canvas.first_fitting(variants, room, 10)
        canvas.text(right, self.box.y + self.box.height + 12 * s, note, 10, canvas.colours.label, align="right")
        if self.projection.columns:
            self._label_grid()
            return
        for box, one in zip(boxes, self.projection.slices, strict=True):
            canvas.text(box.x, box.y - 4 * s, canvas.shorten(one.label, box.width, 10), 10, canvas.colours.label)

    def _label_grid(self) -> None:
        """Label the columns and rows of slices; input names that do not fit in every label are written once."""
        canvas, s, label, boxes = self.canvas, self.canvas.unit, self.canvas.colours.label, self.heatmap.boxes
        columns, rows = self.projection.columns, self.projection.rows
        top, right = boxes[0].y - 4 * s, self.box.x + self.box.width
        words, has_names = self._longest_variant([one.variants() for one in columns], boxes[0].width)
        for box, word in zip(boxes, words, strict=False):
            canvas.text(box.x + box.width / 2, box.y - 4 * s, word, 10, label, align="centre")
        if not has_names:
            names = canvas.shorten(" ".join(columns[0].names), boxes[0].x - 4 * s, 10)
            canvas.text(boxes[0].x - 3 * s, top, names, 10, label, align="right")
        words, has_names = self._longest_variant([one.variants() for one in rows], boxes[0].height)
        for box, word in zip(boxes[:: len(columns)], words, strict=bool(rows)):
            canvas.text(right - 3 * s, box.y + box.height / 2, word, 10, label, align="centre", vertical=True)
        if rows and not has_names:
            names = canvas.shorten(" ".join(rows[0].names), boxes[0].width, 10)
            canvas.text(right - max(6 * s, canvas.text_width(names, 10) - 10 * s), top, names, 10, label)

    def _longest_variant(self, variants: list[list[str]], room: float) -> tuple[list[str], bool]:
        """The longest variant that fits for all labels, and whether it has names (only the last one has none)."""
        choices = list(zip(*variants, strict=True)) or [()]
        fitting = [words for words in choices if all(self.canvas.text_width(word, 10) <= room for word in words)]
        words = (fitting or choices[-1:])[0]
        return list(words), words != choices[-1]

    def paste(self, frame: Frame) -> None:
        self.heatmap.paste(frame.theta)
        if not len(self.strongest):
            self.canvas.paint_below(self._example_marks(frame.right))

    def draw(self, frame: Frame) -> None:
        self.heatmap.draw()
        if len(self.strongest):
            marks = self._example_marks(frame.right)
            self._unit_lines(frame)
            self.canvas.stamp(marks)
        words, is_exploded = frame.failure, frame.status == "exploded"
        if (is_exploded or not words) and self.scale.is_off_scale(frame.y):
            reach = format_short(np.abs(frame.y).max())
            words = f"{'exploded' if is_exploded else 'off the scale'}: outputs reach {reach}"
        self.banner(15, words)
        if self.is_plane:
            self.write_contradictions(self.heatmap.at(0, self.places[0]), frame.y.T)

    def _example_marks(self, right: Array) -> Overlay:
        """The marks of all examples, cached by which of them are right."""
        key, marks = right.tobytes(), self._marks
        if key not in self._overlays:
            if len(self._overlays) == MOST_STORED:
                self._overlays.clear()
            self._overlays[key] = self.canvas.record(lambda: self._cross_out(marks, right))
        return self._overlays[key]

    def _cross_out(self, marks: Overlay, right: Array) -> None:
        """Draw the marks, crosses over those that are not right, and the names."""
        self.canvas.stamp(marks)
        pairs = zip(self.places, self.projection.slices, strict=True)
        self.examples.crosses(np.concatenate([places[~right[one.members]] for places, one in pairs]))
        if self.names:
            self.name_boxes = self.names.draw(self.places[0])

    @cached_property
    def _marks(self) -> Overlay:
        """The marks of all examples, without crosses."""
        return self.canvas.record(self._draw_marks)

    def _draw_marks(self) -> None:
        if self.held and self.run_frames.held and len(self.heatmap.boxes) == 1:
            x, t = self.run_frames.held
            u, v = self.projection.slices[0].places(x).T
            fractions = self.projection.fractions(u, t[:, 0] if self.projection.is_curve else v)
            fractions[((fractions < MARGIN) | (fractions > 1 - MARGIN)).any(axis=1)] = np.nan  # beyond the picture
            self.held.marks(self.heatmap.boxes[0].at(fractions))
        for places, one in zip(self.places, self.projection.slices, strict=True):
            self.examples.marks(places, one.members)

    def _unit_lines(self, frame: Frame) -> None:
        """Draw where units of the first hidden layer receive z = 0: the edges of their half-planes."""
        parameters, ink, stretch = self.network.split(frame.theta), self.canvas.colours.ink, self.projection
        low, high = np.array([stretch.left, stretch.bottom]), np.array([stretch.right, stretch.top])
        inputs = self.run_frames.scaling.inputs
        for box, one, places in zip(self.heatmap.boxes, self.projection.slices, self.places, strict=True):
            across, up = inputs.scaled_steps(one.across), inputs.scaled_steps(one.up)
            origin, lines = inputs.scaled(one.origin[None])[0], {}
            for unit in self.strongest.tolist():
                weights, bias = parameters["W1"][unit], parameters["b1"][unit] if self.network.bias else 0.0
                with np.errstate(all="ignore"):
                    ends = crossing(weights @ across, weights @ up, weights @ origin + bias, low, high)
                if ends is not None:
                    lines[unit] = box.at(self.projection.fractions(*ends.T))
            self.canvas.lines(np.reshape(list(lines.values()), (-1, 2, 2)), ink, 1.0, (4, 3), clip=box)
            taken = [*places, *self._name_places()]
            for unit, line in lines.items() if len(self.strongest) <= MOST_NAMES else ():
                self._name_line(f"h{unit + 1}", box, line, taken)

    def _name_places(self) -> Array:
        """Places (9 names, 2) along each name of an example, from end to end."""
        (left, top, right, low), edge = self.name_boxes.T, 5 * self.canvas.unit
        start, end = (np.stack([x, (top + low) / 2], axis=1) for x in (left + edge, right - edge))
        return np.linspace(start, end, 9).reshape(-1, 2)

    def _name_line(self, name: str, box: Box, line: Array, taken: list[Array]) -> None:
        """Write a name on a line, near one of its ends if possible, away from the places ``taken``."""
        s, colours = self.canvas.unit, self.canvas.colours
        if np.hypot(*(line[1] - line[0])) < 36 * s:
            return
        inside = box.at(np.array([[0.0, 0.0], [1.0, 1.0]])) + np.array([[11 * s], [-11 * s]])
        places = np.clip(line[0] + NEAR_ENDS * (line[1] - line[0]), *inside)
        clear = np.abs(places[:, None] - np.reshape(taken, (1, -1, 2))).max(2).min(1, initial=18 * s)
        place = places[clear.argmax()]
        taken.append(place)
        self.canvas.text(place[0], place[1] + 4 * s, name, 11, colours.ink, "italic", "centre", halo=colours.paper)


def crossing(a: float, b: float, c: float, low: Array, high: Array) -> Array | None:
    """Where the line a u + b v + c = 0 enters and leaves the rectangle from ``low`` to ``high``: (2, 2) or None."""
    with np.errstate(all="ignore"):
        on_sides = [(u, -(a * u + c) / b) for u in (low[0], high[0])]
        on_sides += [(-(b * v + c) / a, v) for v in (low[1], high[1])]
    slack = 1e-9 * (high - low)
    ends = [end for end in on_sides if (end >= low - slack).all() and (end <= high + slack).all()]
    if len(ends) < 2:
        return None
    ends.sort(key=lambda end: (-end[1], end[0]))
    return np.array([ends[0], ends[-1]])


class FieldLayout(RunLayout):
    """The field of one run, epoch and loss above it, title and legend beside it."""

    designs = ((432, 288),)

    def arrange(self) -> list[Panel]:
        canvas, s = self.canvas, self.canvas.unit
        self.side = min(canvas.height - round(68 * s), canvas.width - round(186 * s))
        box = Box(round(38 * s), round(38 * s), self.side, self.side)
        self.field = Field(self.context(box, 12 * s), lines=0)
        self.heading = Heading(canvas, box.x, box.x + self.side, 27 * s, int(self.data.frame_epochs[-1]))
        return [self.field]

    def label(self) -> None:
        canvas, s, box = self.canvas, self.canvas.unit, self.field.box
        strip = Box(box.x + self.side + round(12 * s), box.y, round(9 * s), self.side)
        room = upright_scale(canvas, strip, self.scale)
        left = strip.x + (strip.width + room + round(12 * s) if room else round(4 * s))
        y = (48 if self.heading.epoch.x + self.heading.epoch.width > left - 4 else 42) * s
        for part, words in enumerate(self.data.title.split("   ")):
            face, size = ("", 11) if part else ("bold", 13)
            for line in wrap(words.split(), canvas.width - left - 4, partial(canvas.text_width, size=size, face=face)):
                canvas.text(left, y, line, size, face=face)
                y += 17 * s
        marks_legend(canvas, left, y - 17 * s, box.y + box.height, self.scale, self.data.outputs)
