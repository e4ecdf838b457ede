"""One function over a plane, as bands of colour: a network's output, or that of its last layer alone.

One fixed scale holds for the whole film, so that a colour means the same value in every picture.
"""

import numpy as np

from xortrain.films.canvas import Canvas
from xortrain.films.colour_scale import ColourScale
from xortrain.films.colours import mix
from xortrain.films.glyphs import Box
from xortrain.films.projection import Projection
from xortrain.nets import Array
from xortrain.nets.network import Network, Pass

FINE = 8
"""Steps of a pixel in which distances are told."""
PROMPT = 4e7
"""Products a picture may cost; wider networks are asked at fewer points and interpolated."""


class Heatmap:
    """The picture of one run in boxes of equal size, one for each slice of the plane."""

    def __init__(
        self,
        canvas: Canvas,
        boxes: list[Box],
        network: Network,
        run: int,
        plane: Projection,
        read: ColourScale,
        thick: float = 2.2,
    ) -> None:
        """The line where the output changes sides is so thick."""
        self.canvas, self.boxes, self.plane, self.read = canvas, boxes, plane, read
        width, height = boxes[0].width, boxes[0].height
        step = int(np.ceil(np.sqrt(network.size * width * height * len(boxes) / PROMPT)))
        columns, rows = -(-width // step), 1 if plane.curve else -(-height // step)
        points = np.stack([plane.grid(i, columns, rows) for i in range(len(boxes))], axis=1)
        self._probe = Probe(network, points, np.array([run]))
        self._exact = step == 1
        self._across, self._down = between(columns, width), between(rows, height)
        self._reach, self._line = int(thick * canvas.scale + 0.5), canvas.tints(line_of_ink(canvas, thick))
        self.y = np.zeros((network.outputs, len(boxes), rows, columns), np.float32)

    @np.errstate(all="ignore")  # outputs of a run that diverges
    def paste(self, theta: Array) -> None:
        """Ask the network, with parameters θ (parameters,); put the bands in their place, and between sides a line."""
        self.y = self._probe.outputs(theta[:, None])[:, 0]
        if not self._exact:
            self.y = (self._down.T if self._down.shape[0] > 1 else 1) @ self.y @ self._across
        for number, box in enumerate(self.boxes):
            y = self.y[:, number]
            self.canvas.paste(box, self.read.bands(y))
            values = [] if self.plane.curve else self.read.boundaries(y)
            if values:
                self.canvas.tint(box, *rim(values, self._reach), self._line)

    def draw(self) -> None:
        """Over one input alone, the output's curve."""
        for box in self.boxes if self.plane.curve else ():
            value = np.clip(self.read.value(self.y[:, 0, 0]), self.plane.bottom, self.plane.top)
            share = (np.arange(len(value)) + 0.5) / len(value)
            height = (self.plane.top - value) / (self.plane.top - self.plane.bottom)
            points = box.at(np.stack([share, height], axis=1))
            for colour, thick in ((self.canvas.colours.paper, 4), (self.canvas.colours.ink, 2)):
                self.canvas.line(points, colour, thick, within=box)


def line_of_ink(canvas: Canvas, width: float) -> Array:
    """Paint (steps, 4) so many steps away from the middle of a line in ink, cased in paper as wide again."""
    away = np.arange(np.ceil((width * canvas.scale + 0.5) * FINE) + 1) / FINE
    line, case = (np.clip(reach * canvas.scale + 0.5 - away, 0, 1)[:, None] for reach in (width / 2, width))
    return np.concatenate([mix(canvas.colours.paper, canvas.colours.ink, line), (255 * case).astype(np.uint8)], axis=1)


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
    frame = grown(crossed, width, reach).reshape(framed[0].shape)
    frame[0] = frame[-1] = frame[:, 0] = frame[:, -1] = False
    near = np.flatnonzero(frame)
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


BLOCK = 1 << 17
"""Pixels evaluated at a time: what fits a cache."""


class Probe:
    """Outputs of one network or of many at fixed points, for parameters that change from frame to frame."""

    def __init__(self, network: Network, points: Array, runs: Array, most: int = BLOCK) -> None:
        """``points`` are inputs (inputs, *shape), ``runs`` the numbers of the runs whose settings count."""
        count = points[0].size
        self._runs, self._shape = len(runs), points.shape[1:]
        block = min(most, max(256, (1 << 24) // (network.size * len(runs))), count)
        padded = -(-count // block) * block
        flat = np.zeros((1, len(points), 1, padded), np.float32)
        flat[0, :, 0, :count] = points.reshape(len(points), -1)
        self._blocks = [flat[..., start : start + block] for start in range(0, padded, block)]
        self._theta = np.zeros((network.size, len(runs), 1), np.float32)
        wide = np.broadcast_to(self._theta, (network.size, len(runs), block))
        self._pass = Pass(_float32_settings(network, runs), wide, self._blocks[0])
        self._count = count

    def outputs(self, theta: Array) -> Array:
        """(outputs, runs, *shape) for θ (parameters, runs); the next call uses the array again."""
        self._set(theta)
        first, *rest = self._blocks
        y = self._ask(first)
        if rest:
            y = np.concatenate([y.copy(), *(self._ask(block).copy() for block in rest)], axis=-1)
        return y[..., : self._count].reshape(-1, self._runs, *self._shape)

    def layers(self, theta: Array) -> list[Array]:
        """What each layer passes on: (units, runs, *shape)."""
        self._set(theta)
        parts: list[list[Array]] = []
        for block in self._blocks:
            self._ask(block)
            parts.append([a[0].copy() for a in self._pass.a])
        whole = [np.concatenate(pieces, axis=-1) for pieces in zip(*parts, strict=True)]
        return [a[..., : self._count].reshape(-1, self._runs, *self._shape) for a in whole]

    def _ask(self, block: Array) -> Array:
        self._pass.x = block
        with np.errstate(all="ignore"):
            return self._pass.forward()[0]

    def _set(self, theta: Array) -> None:
        with np.errstate(all="ignore"):
            self._theta[..., 0] = theta


def _float32_settings(network: Network, runs: Array) -> Network:
    """The network with the settings of those runs, (runs, 1) and float32."""
    chosen = network.take(np.asarray(runs)[:, None])
    for layer in chosen.layers:
        layer.settings.update({name: value.astype(np.float32) for name, value in layer.settings.items()})
    return chosen
