"""The decision field: the output over the input plane, where it changes sides, what each unit cuts, the examples.

One fixed scale holds for the whole film, so that a colour means the same value in every picture.
"""

import numpy as np
from contourpy import contour_generator
from matplotlib.path import Path

from xortrain.films.moments import Moment, lone
from xortrain.films.plane import Plane, Slice
from xortrain.films.probe import Probe
from xortrain.films.reading import Reading
from xortrain.films.sheet import SHAPES, Box, Sheet
from xortrain.films.subject import Subject
from xortrain.nets import Array

MOST_LINES = 8
MOST_LABELS = 4
PROMPT = 4e7
"""Products a picture may cost; wider networks are asked at fewer points and interpolated."""


class Field:
    """The field of one run in a box, one picture for each slice of the plane."""

    def __init__(
        self, sheet: Sheet, box: Box, subject: Subject, run: int, plane: Plane, reading: Reading, lines: bool = True
    ) -> None:
        self.sheet, self.plane, self.reading = sheet, plane, reading
        self.boxes = tiles(box, len(plane.slices), round(14 * sheet.scale))
        self.network = lone(subject.network, run)
        x, t = subject.data(run)
        self.examples = Examples(sheet, subject, reading, t)
        self.lines = lines and len(self.network.layers) > 1
        self.strongest = strongest(subject, run, 0, MOST_LINES) if self.lines else np.array([], int)
        width, height = self.boxes[0].width, self.boxes[0].height
        self.step = int(np.ceil(np.sqrt(subject.network.size * width * height * len(self.boxes) / PROMPT)))
        columns, rows = -(-width // self.step), -(-height // self.step)
        points = np.stack([plane.grid(i, columns, rows) for i in range(len(self.boxes))], axis=1)
        self.probe = Probe(subject.network, points, np.array([run]))
        self.across, self.down = between(columns, width), between(rows, height)

    def still(self) -> None:
        """What does not move: the names of the axes and some of their values, what each slice is, the note."""
        sheet, plane, last = self.sheet, self.plane, self.boxes[-1]
        s, label, across = sheet.scale, sheet.colours.label, Box(self.boxes[0].x, 0, last.x + last.width, 0)
        axes(sheet, self.boxes[len(self.boxes) - columns_of(self.boxes)], plane)
        for box, one in zip(self.boxes, plane.slices, strict=True):
            sheet.text(box.x, box.y - 4 * s, sheet.fitting(one.label, box.width, 10), 10, label)
        if plane.note:
            x, width = across.x, across.width - across.x
            sheet.text(
                x + width / 2,
                last.y + last.height + 26 * s,
                sheet.fitting(plane.note, width, 9),
                9,
                label,
                align="centre",
            )

    def paste(self, moment: Moment) -> None:
        """Ask the network and put the bands in their place."""
        self.y = self.probe.outputs(moment.theta[:, None])[:, 0]
        if self.step > 1:
            self.y = self.down.T @ self.y @ self.across
        for box, y in zip(self.boxes, np.moveaxis(self.y, 1, 0), strict=True):
            self.sheet.paste(box, self.reading.bands(y))

    def draw(self, moment: Moment) -> None:
        for number, (box, one) in enumerate(zip(self.boxes, self.plane.slices, strict=True)):
            self._boundary(box, self.y[:, number])
            self._units(box, one, moment)
            places = box.at(self.plane.share(*self.plane.places[one.members].T))
            self.examples.draw(places, one.members, moment.right)

    def _boundary(self, box: Box, y: Array) -> None:
        step = max(1, min(box.width, box.height) // 160)
        for value in self.reading.boundaries(y[:, ::step, ::step]):
            pieces = contour_generator(z=value).lines(0.0)
            if pieces:
                points = joined(pieces) * step + (box.x + step / 2, box.y + step / 2)
                for colour, width in ((self.sheet.colours.paper, 4.4), (self.sheet.colours.ink, 2.2)):
                    self.sheet.line(points, colour, width, within=box)

    def _units(self, box: Box, one: Slice, moment: Moment) -> None:
        """Where what a unit of the first hidden layer receives is zero: its half-plane's edge, dashed."""
        if not self.lines:
            return
        parameters = self.network.split(moment.theta)
        ends = [self._cut(box, one, parameters, unit) for unit in self.strongest]
        for line in ends:
            if line is not None:
                self.sheet.line(line, self.sheet.colours.ink, 1.0, (4, 3))
        if len(self.strongest) <= MOST_LABELS:
            taken: list[Array] = []
            for unit, line in zip(self.strongest, ends, strict=True):
                if line is not None:
                    self._label(f"h{unit + 1}", line, taken)

    def _cut(self, box: Box, one: Slice, parameters: dict[str, Array], unit: int) -> Array | None:
        weights = parameters["W1"][unit]
        bias = parameters["b1"][unit] if self.network.bias else 0.0
        with np.errstate(all="ignore"):
            ends = crossing(weights @ one.across, weights @ one.up, weights @ one.origin + bias, self.plane)
        return None if ends is None else box.at(self.plane.share(*ends.T))

    def _label(self, name: str, line: Array, taken: list[Array]) -> None:
        """Beside the line near one of its ends, where no other label is."""
        size, gap = 11 * self.sheet.scale, 14 * self.sheet.scale
        for share in (0.1, 0.9, 0.2, 0.8, 0.3):
            place = line[0] + share * (line[1] - line[0])
            if all(np.abs(place - other).max() > gap for other in taken):
                break
        taken.append(place)
        colours = self.sheet.colours
        self.sheet.text(place[0], place[1] + 0.35 * size, name, 11, colours.ink, "italic", "centre", halo=colours.paper)


class Examples:
    """How the examples are marked: shape and colour say the target, hollow is wrong now."""

    def __init__(self, sheet: Sheet, subject: Subject, reading: Reading, t: Array, size: float = 1) -> None:
        self.sheet, self.kinds = sheet, reading.kinds(t)
        self.radius = size * (7.5 if len(t) <= 16 else max(2.6, 5.0 - len(t) / 100))
        self.simple = len(t) > 16 or size < 1
        if reading.classes:
            fills = sheet.colours.classes[self.kinds % len(sheet.colours.classes)]
        else:
            fills = sheet.palette.rgb[reading.bands(t.T)]
        looks = np.concatenate([self.kinds[:, None], fills], axis=1)
        self.looks, self.look = np.unique(looks, axis=0, return_inverse=True)

    def draw(self, places: Array, members: Array, right: Array) -> None:
        """Mark examples (their numbers in ``members``) at places (members, 2)."""
        for number, (kind, *fill) in enumerate(self.looks):
            for correct in (False, True):
                chosen = (self.look[members] == number) & (right[members] == correct)
                if chosen.any():
                    self._marks(places[chosen], SHAPES[kind % len(SHAPES)], np.array(fill), bool(correct))

    def _marks(self, places: Array, shape: Path, colour: Array, correct: bool) -> None:
        sheet, paper, ink = self.sheet, self.sheet.colours.paper, self.sheet.colours.ink
        if self.simple:
            edge = paper if correct else colour
            sheet.marks(places, shape, self.radius, colour if correct else paper, edge, 0.9 if correct else 1.7)
            return
        sheet.marks(places, shape, self.radius, paper, ink, 1.4)
        sheet.marks(places, shape, self.radius * 0.68, colour)
        if not correct:
            sheet.marks(places, shape, self.radius * 0.36, paper)


def axes(sheet: Sheet, box: Box, plane: Plane) -> None:
    """Names and values along the lower and the left edge of a box."""
    s, label = sheet.scale, sheet.colours.label
    us, vs = plane.ticks
    for u in us:
        x = box.at(plane.share(np.float64(u), np.float64(plane.bottom)))[0]
        sheet.text(x, box.y + box.height + 12 * s, f"{u:.3g}", 10, label, align="centre")
    for v in vs if plane.names[1] else ():
        y = box.at(plane.share(np.float64(plane.left), np.float64(v)))[1]
        sheet.text(box.x - 4 * s, y + 3.5 * s, f"{v:.3g}", 10, label, align="right")
    sheet.text(box.x + box.width / 2, box.y + box.height + 13 * s, plane.names[0], 10, label, align="centre")
    if plane.names[1]:
        sheet.text(box.x - 9 * s, box.y + box.height / 2, plane.names[1], 10, label, align="centre", turned=True)


def columns_of(boxes: list[Box]) -> int:
    """How many boxes stand in the lowest row."""
    return sum(box.y == boxes[-1].y for box in boxes)


def tiles(box: Box, count: int, caption: int) -> list[Box]:
    """Equal boxes for so many slices, as near to squares as they come; with room for a caption if several."""
    if count == 1:
        return [box]
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    gap = max(4, box.width // 60)
    width, height = (box.width - (columns - 1) * gap) // columns, (box.height - (rows - 1) * gap) // rows - caption
    return [
        Box(
            box.x + i % columns * (width + gap),
            box.y + i // columns * (height + caption + gap) + caption,
            width,
            height,
        )
        for i in range(count)
    ]


def joined(pieces: list[Array]) -> Array:
    """Lines (n, 2) one after the other, the pen lifted by a row of nan between them."""
    lifted = [part for piece in pieces for part in (piece, np.full((1, 2), np.nan))]
    return np.concatenate(lifted[:-1])


def between(coarse: int, fine: int) -> Array:
    """(coarse, fine): the shares with which coarse values, at the centres of equal parts, make fine ones."""
    at = np.clip((np.arange(fine) + 0.5) * coarse / fine - 0.5, 0, coarse - 1)
    return np.maximum(1 - np.abs(at - np.arange(coarse)[:, None]), 0).astype(np.float32)


def crossing(a: float, b: float, c: float, plane: Plane) -> Array | None:
    """The two ends (2, 2) within the plane's stretch of the line a u + b v + c = 0, or None."""
    sides = np.array([[plane.left, plane.right], [plane.bottom, plane.top]])
    with np.errstate(all="ignore"):
        on_sides = [(u, -(a * u + c) / b) for u in sides[0]] + [(-(b * v + c) / a, v) for v in sides[1]]
    slack = 1e-9 * (sides[:, 1] - sides[:, 0])
    ends = [end for end in on_sides if (end >= sides[:, 0] - slack).all() and (end <= sides[:, 1] + slack).all()]
    if len(ends) < 2:
        return None
    ends.sort(key=lambda end: (-end[1], end[0]))
    return np.array([ends[0], ends[-1]])


def strongest(subject: Subject, run: int, layer: int, most: int) -> Array:
    """The units of a hidden layer whose outgoing weights are greatest at the end, in their own order."""
    parameters = subject.network.split(np.nan_to_num(np.asarray(subject.parameters[-1, :, run])))
    outgoing = np.abs(parameters[f"W{layer + 2}"][:, : subject.network.layers[layer].units]).sum(0)
    return np.sort(np.argsort(-outgoing, kind="stable")[:most])
