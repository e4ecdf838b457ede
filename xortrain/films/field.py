"""The decision field: the output over the input plane, where it changes sides, what each unit cuts, the examples."""

import numpy as np

from xortrain.films.canvas import Canvas, Overlay, canvas_for
from xortrain.films.captions import ExampleMarks, Heading, banner, key, lines_of, lost_words, scale_room, upright_scale
from xortrain.films.colour_scale import ColourScale, colour_scale
from xortrain.films.data import FilmData
from xortrain.films.film_settings import FilmSettings
from xortrain.films.frames import Frame, RunFrames, choose_epochs
from xortrain.films.glyphs import Box
from xortrain.films.heatmap import Heatmap, tiles
from xortrain.films.outputs import short
from xortrain.films.projection import Head, Projection, Slice, projection_of, told_apart
from xortrain.nets import Array

MOST_LINES = 8
MOST_LABELS = 4
NEAR_ENDS = np.array([0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6, 0.5])[:, None]
"""Where along a line its label may stand, the best place first."""
LEAST_LINED = 100
"""Width of a slice below which units' lines would hide it."""
SHORT = 4
"""Letters of a name that are always written."""
KEPT = 32
"""How many states of the examples' marks are remembered."""


class Field:
    """The field of one run in a box, with all that is drawn on it."""

    def __init__(
        self,
        canvas: Canvas,
        box: Box,
        course: RunFrames,
        plane: Projection,
        read: ColourScale,
        lines: int = MOST_LINES,
    ) -> None:
        """``lines`` is how many units' lines are drawn at most."""
        self.canvas, self.box, self.plane, self.course = canvas, box, plane, course
        self.network = course.network
        boxes = self._boxes()
        self.surface = Heatmap(canvas, boxes, course.subject.network, course.run, plane, read)
        self.examples = ExampleMarks(canvas, read, course.t)
        is_hidden, is_large = len(self.network.layers) > 1, boxes[0].width >= LEAST_LINED * canvas.scale
        self.strongest = course.strongest(0, lines) if is_hidden and is_large and lines else np.array([], int)
        self._marks: dict[bytes, Overlay] = {}
        shares = [plane.share(*plane.places[one.members].T) for one in plane.slices]
        self.places = [box.at(share) for box, share in zip(boxes, shares, strict=True)]

    def _boxes(self) -> list[Box]:
        """The place of each slice; above columns and right of rows is room for what they have in common."""
        box, plane, room = self.box, self.plane, round(14 * self.canvas.scale)
        if not plane.columns:
            return tiles(box, len(plane.slices), room)
        inner = Box(box.x, box.y + room, box.width - room * bool(plane.rows), box.height - room)
        return tiles(inner, len(plane.slices), 0, len(plane.columns))

    def still(self) -> None:
        """What does not move: the names of the axes and some of their values, what each slice is."""
        canvas, boxes, s = self.canvas, self.surface.boxes, self.canvas.scale
        lowest = [box for box in boxes if box.y == boxes[-1].y]
        axes(canvas, lowest[0], self.plane)
        right, room = self.box.x + self.box.width, self.box.width - boxes[0].width
        whole = self.plane.note
        ways = whole, whole.removesuffix(" examples"), whole.partition(": ")[2]
        note = next((way for way in ways if canvas.text_width(way, 10) <= room), canvas.fitting(ways[-1], room, 10))
        canvas.text(right, self.box.y + self.box.height + 12 * s, note, 10, canvas.colours.label, align="right")
        if self.plane.columns:
            self._heads(boxes)
            return
        for box, one in zip(boxes, self.plane.slices, strict=True):
            canvas.text(box.x, box.y - 4 * s, canvas.fitting(one.label, box.width, 10), 10, canvas.colours.label)

    def _heads(self, boxes: list[Box]) -> None:
        """What each column and each row of slices has in common; its names once, if they do not fit everywhere."""
        canvas, plane, s, label = self.canvas, self.plane, self.canvas.scale, self.canvas.colours.label
        columns, top, right = len(plane.columns), boxes[0].y - 4 * s, self.box.x + self.box.width
        words = self._ways(plane.columns, boxes[0].width)
        for box, said in zip(boxes, words, strict=False):
            canvas.text(box.x + box.width / 2, top, said, 10, label, align="centre")
        if words == [head.words()[-1] for head in plane.columns]:
            said = canvas.fitting(" ".join(plane.columns[0].names), boxes[0].x - 4 * s, 10)
            canvas.text(boxes[0].x - 3 * s, top, said, 10, label, align="right")
        words = self._ways(plane.rows, boxes[0].height)
        for box, said in zip(boxes[::columns], words, strict=bool(words)):
            canvas.text(right - 3 * s, box.y + box.height / 2, said, 10, label, align="centre", turned=True)
        if words and words == [head.words()[-1] for head in plane.rows]:
            said = canvas.fitting(" ".join(plane.rows[0].names), boxes[0].width / 2, 10)
            canvas.text(right + 5 * s, top, said, 10, label, align="right")

    def _ways(self, heads: tuple[Head, ...], room: float) -> list[str]:
        """All of them said in the longest way that fits."""
        ways = [list(way) for way in zip(*(head.words() for head in heads), strict=True)]
        fitting = [way for way in ways if all(self.canvas.text_width(words, 10) <= room for words in way)]
        return (fitting or ways[-1:] or [[]])[0]

    def paste(self, moment: Frame) -> None:
        self.surface.paste(moment.theta)
        if not len(self.strongest):
            self.canvas.sink(self._examples(moment))

    def draw(self, moment: Frame) -> None:
        self.surface.draw()
        for box, one, places in zip(self.surface.boxes, self.plane.slices, self.places, strict=True):
            self._units(box, one, places, moment)
        if len(self.strongest):
            self.canvas.stamp(self._examples(moment))
        if moment.diverged:
            banner(self.canvas, self.box, 0.5, lost_words(self.course), 15)
        elif self.surface.read.is_lost(moment.y):
            banner(self.canvas, self.box, 0.5, f"exploded: outputs reach {short(np.abs(moment.y).max())}", 15)

    def _examples(self, moment: Frame) -> Overlay:
        """The marks, drawn again only when another example is right."""
        key = moment.right.tobytes()
        if key not in self._marks:
            self._marks[key] = self.canvas.layer(lambda: self._mark(moment.right))
            while len(self._marks) > KEPT:
                del self._marks[next(iter(self._marks))]
        return self._marks[key]

    def _mark(self, right: Array) -> None:
        for places, one in zip(self.places, self.plane.slices, strict=True):
            self.examples.draw(places, one.members, right)

    def _units(self, box: Box, one: Slice, marks: Array, moment: Frame) -> None:
        """Where what a unit of the first hidden layer receives is zero: the edge of its half-plane, dashed."""
        parameters = self.network.split(moment.theta)
        cuts = [(unit, self._cut(box, one, parameters, unit)) for unit in self.strongest]
        lines = [(unit, line) for unit, line in cuts if line is not None]
        for _, line in lines:
            self.canvas.line(line, self.canvas.colours.ink, 1.0, (4, 3), within=box)
        taken = [*marks]
        for unit, line in lines if len(self.strongest) <= MOST_LABELS else ():
            self._label(f"h{unit + 1}", box, line, taken)

    def _cut(self, box: Box, one: Slice, parameters: dict[str, Array], unit: int) -> Array | None:
        weights = parameters["W1"][unit]
        bias = parameters["b1"][unit] if self.network.bias else 0.0
        with np.errstate(all="ignore"):
            ends = crossing(weights @ one.across, weights @ one.up, weights @ one.origin + bias, self.plane)
        return None if ends is None else box.at(self.plane.share(*ends.T))

    def _label(self, name: str, box: Box, line: Array, taken: list[Array]) -> None:
        """On the line, near one of its ends if no other label and no mark is there."""
        s, colours = self.canvas.scale, self.canvas.colours
        if np.hypot(*(line[1] - line[0])) < 36 * s:
            return
        inside = box.at(np.array([[0.0, 0.0], [1.0, 1.0]])) + np.array([[11 * s], [-11 * s]])
        places = np.clip(line[0] + NEAR_ENDS * (line[1] - line[0]), *inside)
        clear = np.abs(places[:, None] - np.reshape(taken, (1, -1, 2))).max(2).min(1, initial=18 * s)
        place = places[clear.argmax()]
        taken.append(place)
        self.canvas.text(place[0], place[1] + 4 * s, name, 11, colours.ink, "italic", "centre", halo=colours.paper)


def axes(canvas: Canvas, box: Box, plane: Projection, size: float = 10) -> None:
    """Names along the lower and the left edge of a box, and beside them the values that have room."""
    s, label = canvas.scale, canvas.colours.label
    low, middle = box.y + box.height + (size + 2) * s, box.at(np.array([[0.5, 0.5]]))[0]
    words = told_apart(plane.ticks[0])
    places = box.x + (plane.ticks[0] - plane.left) / (plane.right - plane.left) * box.width
    room = 2 * abs(places - middle[0]) - [canvas.text_width(word, size) + 6 * s for word in words]
    name, shown = _named(canvas, plane.names[0], words, room, size)
    for x, word in zip(places[shown], np.array(words)[shown], strict=True):
        canvas.text(x, low, word, size, label, align="centre")
    across = min(room[shown], default=float(box.width))
    if canvas.text_width(name, size) > across:
        name = name.removesuffix(" of the spread")
    canvas.text(middle[0], low, canvas.fitting(name, across, size), size, label, align="centre")
    _upright(canvas, box, plane, size)


def _upright(canvas: Canvas, box: Box, plane: Projection, size: float) -> None:
    """The same along the left edge; long values in smaller type."""
    s, label, x, y = canvas.scale, canvas.colours.label, box.x - size * canvas.scale, box.y + box.height / 2
    words = told_apart(plane.ticks[1])
    places = box.y + (plane.top - plane.ticks[1]) / (plane.top - plane.bottom) * box.height
    room = 2 * abs(places - y) - (size + 4) * s
    name, shown = _named(canvas, plane.names[1], words, room, size)
    for at, word in zip(places[shown], np.array(words)[shown], strict=True):
        small = size * min(1, 33 * s / canvas.text_width(word, size))
        canvas.text(box.x - 4 * s, at + 0.36 * small * s, word, small, label, align="right")
    up = min(room[shown], default=float(box.height))
    canvas.text(x, y, canvas.fitting(name, up, size), size, label, align="centre", turned=True)


def _named(canvas: Canvas, name: str, words: list[str], room: Array, size: float) -> tuple[str, Array]:
    """The name of an axis, and which of its values leave it room; one that leaves none is told beside the name."""
    short = name if len(name) <= SHORT else f"{name[:SHORT]}…"
    shown = np.asarray(room >= canvas.text_width(short, size))
    return f"{name} = {words[0]}" if len(words) == 1 and not shown.any() else name, shown


def crossing(a: float, b: float, c: float, plane: Projection) -> Array | None:
    """The two ends (2, 2) within the plane's stretch of the line a u + b v + c = 0, or None."""
    low, high = np.array([plane.left, plane.bottom]), np.array([plane.right, plane.top])
    with np.errstate(all="ignore"):
        on_sides = [(u, -(a * u + c) / b) for u in (low[0], high[0])]
        on_sides += [(-(b * v + c) / a, v) for v in (low[1], high[1])]
    slack = 1e-9 * (high - low)
    ends = [end for end in on_sides if (end >= low - slack).all() and (end <= high + slack).all()]
    if len(ends) < 2:
        return None
    ends.sort(key=lambda end: (-end[1], end[0]))
    return np.array([ends[0], ends[-1]])


class FieldLayout:
    """One run: epoch and loss over the field, beside it what it is and what the marks mean."""

    def __init__(self, subject: FilmData, settings: FilmSettings, run: int) -> None:
        self.course, self.chosen = RunFrames(subject, run), choose_epochs(subject, settings, run)
        read = colour_scale(subject, settings)
        self.canvas = canvas = canvas_for(settings, read.classes, (432, 288))
        s = canvas.scale
        side = min(canvas.height - round(68 * s), canvas.width - round(186 * s))
        box = Box(round(38 * s), round(38 * s), side, side)
        plane = projection_of(self.course.x, self.course.t, subject, side)
        self.field = Field(canvas, box, self.course, plane, read, lines=0)
        self.field.still()
        self.heading = Heading(canvas, box.x, box.x + side, 27 * s, int(subject.frame_epochs[-1]), 13)
        strip = Box(box.x + side + round(12 * s), box.y, round(9 * s), side)
        upright_scale(canvas, strip, read)
        room = scale_room(canvas, read)
        left = strip.x + strip.width + room + round(12 * s) if room else strip.x + round(4 * s)
        under = self._title(left, subject.title.split("   "))
        key(canvas, left, under, box.y + box.height, read, subject)
        canvas.keep()

    def _title(self, left: float, parts: list[str]) -> float:
        """What the run is; gives the height at which its lines end."""
        canvas, heading = self.canvas, self.heading.epoch
        y = (48 if heading.x + heading.width > left - 4 else 42) * canvas.scale
        for part, words in enumerate(parts):
            face, size = ("", 11) if part else ("bold", 13)
            for line in lines_of(canvas, words, canvas.width - left - 4, size, face):
                canvas.text(left, y, line, size, face=face)
                y += 17 * canvas.scale
        return y - 17 * canvas.scale

    def frame(self, number: int) -> Array:
        now = self.course.at(number)
        self.field.paste(now)
        self.field.draw(now)
        self.heading.draw(now)
        return self.canvas.finish()
