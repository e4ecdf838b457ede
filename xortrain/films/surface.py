"""One function over a plane, as bands of colour: a network's output, or that of its last layer alone.

One fixed scale holds for the whole film, so that a colour means the same value in every picture.
"""

import numpy as np

from xortrain.films.colours import mix
from xortrain.films.plane import Plane
from xortrain.films.probe import Probe
from xortrain.films.reading import Reading
from xortrain.films.shapes import Box
from xortrain.films.sheet import Sheet
from xortrain.nets import Array
from xortrain.nets.network import Network

FINE = 8
"""Steps of a pixel in which distances are told."""
PROMPT = 4e7
"""Products a picture may cost; wider networks are asked at fewer points and interpolated."""


class Surface:
    """The picture of one run in boxes of equal size, one for each slice of the plane."""

    def __init__(
        self,
        sheet: Sheet,
        boxes: list[Box],
        network: Network,
        run: int,
        plane: Plane,
        read: Reading,
        thick: float = 2.2,
    ) -> None:
        """The line where the output changes sides is so thick."""
        self.sheet, self.boxes, self.plane, self.read = sheet, boxes, plane, read
        width, height = boxes[0].width, boxes[0].height
        step = int(np.ceil(np.sqrt(network.size * width * height * len(boxes) / PROMPT)))
        columns, rows = -(-width // step), 1 if plane.curve else -(-height // step)
        points = np.stack([plane.grid(i, columns, rows) for i in range(len(boxes))], axis=1)
        self._probe = Probe(network, points, np.array([run]))
        self._exact = step == 1
        self._across, self._down = between(columns, width), between(rows, height)
        self._reach, self._line = int(thick * sheet.scale + 0.5), sheet.tints(line_of_ink(sheet, thick))
        self.y = np.zeros((network.outputs, len(boxes), rows, columns), np.float32)

    @np.errstate(all="ignore")  # outputs of a run that diverges
    def paste(self, theta: Array) -> None:
        """Ask the network, with parameters θ (parameters,); put the bands in their place, and between sides a line."""
        self.y = self._probe.outputs(theta[:, None])[:, 0]
        if not self._exact:
            self.y = (self._down.T if self._down.shape[0] > 1 else 1) @ self.y @ self._across
        for number, box in enumerate(self.boxes):
            y = self.y[:, number]
            self.sheet.paste(box, self.read.bands(y))
            values = [] if self.plane.curve else self.read.boundaries(y)
            if values:
                self.sheet.tint(box, *rim(values, self._reach), self._line)

    def draw(self) -> None:
        """Over one input alone, the output's curve."""
        for box in self.boxes if self.plane.curve else ():
            value = np.clip(self.read.value(self.y[:, 0, 0]), self.plane.bottom, self.plane.top)
            share = (np.arange(len(value)) + 0.5) / len(value)
            height = (self.plane.top - value) / (self.plane.top - self.plane.bottom)
            points = box.at(np.stack([share, height], axis=1))
            for colour, thick in ((self.sheet.colours.paper, 4), (self.sheet.colours.ink, 2)):
                self.sheet.line(points, colour, thick, within=box)


def line_of_ink(sheet: Sheet, width: float) -> Array:
    """Paint (steps, 4) so many steps away from the middle of a line in ink, cased in paper as wide again."""
    away = np.arange(np.ceil((width * sheet.scale + 0.5) * FINE) + 1) / FINE
    line, case = (np.clip(reach * sheet.scale + 0.5 - away, 0, 1)[:, None] for reach in (width / 2, width))
    return np.concatenate([mix(sheet.colours.paper, sheet.colours.ink, line), (255 * case).astype(np.uint8)], axis=1)


def rim(values: list[Array], reach: int) -> tuple[Array, Array]:
    """The pixels within reach of where any of values (height, width) crosses zero, and how many steps away they lie.

    Pixels (n,) are numbered row by row in a picture that is wider and higher by one pixel on each side.  Where a
    row's end meets the next one's beginning a few too many are looked at; their distance tells.
    """
    framed = [with_frame(value) for value in values]
    width = framed[0].shape[1]
    crossed = np.zeros(framed[0].size, bool)
    for value in framed:
        above = value.reshape(-1) > 0
        for step in (1, width):
            between_sides = above[step:] != above[:-step]
            crossed[step:] |= between_sides
            crossed[:-step] |= between_sides
    picture = grown(crossed, width, reach).reshape(framed[0].shape)
    picture[0] = picture[-1] = picture[:, 0] = picture[:, -1] = False
    near = np.flatnonzero(picture)
    away = [distance(value, near) for value in framed]
    return near, away[0] if len(away) == 1 else np.min(away, axis=0)


def grown(marked: Array, width: int, reach: int) -> Array:
    """What is marked in rows of that width, and all within reach of it across and down."""
    while reach:
        step = (reach + 1) // 2
        for shift in (step * width, step):
            wider = marked.copy()
            wider[shift:] |= marked[:-shift]
            wider[:-shift] |= marked[shift:]
            marked = wider
        reach -= step
    return marked


def with_frame(value: Array) -> Array:
    """A picture with its outermost pixels repeated on all sides."""
    height, width = value.shape
    framed = np.empty((height + 2, width + 2), value.dtype)
    framed[1:-1, 1:-1] = value
    framed[0, 1:-1], framed[-1, 1:-1] = value[0], value[-1]
    framed[:, 0], framed[:, -1] = framed[:, 1], framed[:, -2]
    return framed


def distance(value: Array, near: Array) -> Array:
    """How many steps the pixels numbered ``near`` lie from where value (height, width) is zero, 255 at most.

    The distance is the value over its slope: the first step of Newton's method.
    """
    flat = value.reshape(-1)
    square = np.full(len(near), 1e-30, value.dtype)
    for step in (1, value.shape[1]):
        slope = flat[near + step]
        slope -= flat[near - step]
        slope *= slope
        square += slope
    away = np.abs(flat[near])
    away *= 2 * FINE
    away /= np.sqrt(square, out=square)
    return np.asarray(np.fmin(away, 255, out=away).astype(np.uint8))


def between(coarse: int, fine: int) -> Array:
    """(coarse, fine): the shares with which coarse values, at the centres of equal parts, make fine ones."""
    at = np.clip((np.arange(fine) + 0.5) * coarse / fine - 0.5, 0, coarse - 1)
    return np.asarray(np.maximum(1 - np.abs(at - np.arange(coarse)[:, None]), 0).astype(np.float32))


def tiles(box: Box, count: int, caption: int, columns: int = 0, gap: int = 0) -> list[Box]:
    """Equal boxes for so many slices, side by side or as near to squares as they come, with room for captions."""
    if count == 1:
        return [box]
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    gap = gap or max(1, min(box.width // 20, 7))
    width = (box.width - (columns - 1) * gap) // columns
    height = (box.height - (rows - 1) * gap) // rows - caption
    step = height + caption + gap
    return [
        Box(box.x + i % columns * (width + gap), box.y + caption + i // columns * step, width, height)
        for i in range(count)
    ]
