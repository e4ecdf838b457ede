"""A network's output over a projection as bands of colour, with a line where the leading class changes.

The colour scale is the same for the whole film, so a colour means the same value in every frame.
"""

from functools import partial

import numpy as np

from xortrain.films.canvas import Box, Canvas
from xortrain.films.colour_scale import Boundaries, ColourScale
from xortrain.films.projection import Projection
from xortrain.nets import Array
from xortrain.nets.datasets import DataScaling
from xortrain.nets.network import Layer, Network, Pass

SUBPIXELS = 8
"""Steps per pixel in which distances are measured."""
MOST_PRODUCTS = 4e7
"""Multiplications per frame; larger networks are evaluated at fewer points and interpolated."""
UNDECIDED = 0.02
"""Range of the outputs, as a share of the targets' distance, up to which there is no boundary."""
BLOCK_PIXELS, BLOCK_NUMBERS = 1 << 17, 1 << 19
"""Most pixels evaluated at a time, and most numbers of all units of a run for them, so that they fit into the cache."""


class Heatmap:
    """The output of one run in boxes of equal size, one for each slice of the projection."""

    def __init__(
        self, canvas: Canvas, boxes: list[Box], network: Network, scaling: DataScaling, run: int,
        projection: Projection, scale: ColourScale, line_width: float = 2.2,
    ) -> None:  # fmt: skip
        self.canvas, self.boxes, self.projection, self.scale = canvas, boxes, projection, scale
        width, height = boxes[0].width * canvas.detail, 1 if projection.is_curve else boxes[0].height * canvas.detail
        step = int(np.ceil(np.sqrt(network.size * width * height * len(boxes) / MOST_PRODUCTS)))
        columns, rows = -(-width // step), -(-height // step)
        points = np.stack([projection.grid(i, columns, rows) for i in range(len(boxes))], axis=1)
        self._probe = Probe(network, scaling, points, np.array([run]))
        self._exact, self._span = step == 1, abs(scale.high - scale.low) or 1.0
        self._across, self._down = interpolation_weights(columns, width), interpolation_weights(rows, height)
        self._width = line_width
        self._reach, self._line = int(line_width * canvas.unit + 0.5), canvas.tints(boundary_paint(canvas, line_width))
        self.y = np.zeros((network.outputs, len(boxes), rows, columns), np.float32)

    @np.errstate(all="ignore")  # outputs of a run that diverges
    def paste(self, theta: Array) -> None:
        """Evaluate the network with parameters θ (parameters,) and paste the bands and the boundaries."""
        self.y = self._probe.outputs(theta[:, None])[:, 0]
        if not self._exact:
            self.y = self._down.T @ self.y @ self._across
        for number, box in enumerate(self.boxes):
            y = self.y[:, number]
            led = self.scale.leaders(y)
            self.canvas.paste(box, self.scale.bands(y, led))
            found = None if self.projection.is_curve else self.scale.boundaries(y, led)
            if not found or not any(np.ptp(value) > UNDECIDED * self._span for value in found.fields()):
                continue
            if self.canvas.detail == 1:
                self.canvas.tint(box, *boundary_pixels(found, self._reach), self._line)
            else:
                self.canvas.paint_below(self.canvas.record(partial(self._trace, box, found)))

    def _trace(self, box: Box, found: Boundaries) -> None:
        """Draw the boundaries as lines."""
        paths = [box.at(zero_lines(value)) for value in found.fields()]
        for colour, width in ((self.canvas.colours.paper, 2 * self._width), (self.canvas.colours.ink, self._width)):
            for path in paths:
                self.canvas.line(path, colour, width, clip=box)

    def at(self, number: int, places: Array) -> Array:
        """The outputs (outputs, n) at places (n, 2) in pixels, in one of the boxes; outside it, those at its edge."""
        box, y = self.boxes[number], self.y[:, number]
        share = (places - (box.x, box.y)) / (box.width, box.height)
        column, row = np.clip((share * y.shape[:0:-1]).astype(int), 0, np.subtract(y.shape[:0:-1], 1)).T
        return np.asarray(y[:, row, column])

    def draw(self) -> None:
        """Draw the curve of the output over a single input: of several, the first, whose name is at the axis."""
        if self.projection.is_curve:
            draw_curve(self.canvas, self.boxes[0], self.projection, self.y[0, 0, 0], 2)


def draw_curve(canvas: Canvas, box: Box, projection: Projection, value: Array, width: float) -> None:
    """Draw a value (columns,) over a single input as a line in ink, with a casing of paper twice as wide."""
    height = (projection.top - np.clip(value, projection.bottom, projection.top)) / (projection.top - projection.bottom)
    points = box.at(np.stack([(np.arange(len(value)) + 0.5) / len(value), height], axis=1))
    canvas.line(points, canvas.colours.paper, 2 * width, clip=box)
    canvas.line(points, canvas.colours.ink, width, clip=box)


def boundary_paint(canvas: Canvas, width: float) -> Array:
    """RGBA (steps, 4) by the distance from the middle of a line in ink, with a casing of paper twice as wide."""
    away = np.arange(np.ceil((width * canvas.unit + 0.5) * SUBPIXELS) + 1) / SUBPIXELS
    line, casing = (np.clip(reach * canvas.unit + 0.5 - away, 0, 1) for reach in (width / 2, width))
    return np.concatenate([canvas.colours.greys(line), (255 * casing[:, None]).astype(np.uint8)], axis=1)


def boundary_pixels(found: Boundaries, reach: int) -> tuple[Array, Array]:
    """The pixels within reach of the boundaries, and their distances in steps.

    Pixels (n,) are flat indices into an image extended by one pixel on each side. A few extra ones are found where the
    end of a row meets the start of the next; their distance is too large to be painted.
    """
    above = pad_edge(found.above)
    shape, flat, crossed = above.shape, above.reshape(-1), np.zeros(above.size, bool)
    for step in (1, shape[1]):
        changes = flat[step:] != flat[:-step]
        crossed[step:] |= changes
        crossed[:-step] |= changes
    marked = dilate(crossed, shape[1], reach).reshape(shape)
    marked[0] = marked[-1] = marked[:, 0] = marked[:, -1] = False
    near = np.flatnonzero(marked)
    row, column = np.divmod(near, shape[1])
    return near, zero_distance(found, (row - 1) * (shape[1] - 2) + column - 1)


def dilate(marked: Array, width: int, reach: int) -> Array:
    """Also mark everything within ``reach`` across and down; ``marked`` (n,) is a flat image of that width."""
    while reach:
        step = (reach + 1) // 2
        for shift in (step * width, step):
            wider = marked.copy()
            wider[shift:] |= marked[:-shift]
            wider[:-shift] |= marked[shift:]
            marked = wider
        reach -= step
    return marked


def pad_edge(value: Array) -> Array:
    """An image (height, width) with its outermost pixels repeated on all sides; np.pad is much slower."""
    height, width = value.shape
    framed = np.empty((height + 2, width + 2), value.dtype)
    framed[1:-1, 1:-1] = value
    framed[0, 1:-1], framed[-1, 1:-1] = value[0], value[-1]
    framed[:, 0], framed[:, -1] = framed[:, 1], framed[:, -2]
    return framed


def zero_distance(found: Boundaries, near: Array) -> Array:
    """The distance in steps, at most 255, of pixels (n,) from the boundaries; ``near`` are their flat indices.

    It is the value over its slope, the first step of Newton's method, of the field that leads in a pixel.
    """
    height, width = found.above.shape
    row, column = np.divmod(near, width)
    across = found.at(near, near + (column < width - 1)) - found.at(near, near - (column > 0))
    down = found.at(near, near + width * (row < height - 1)) - found.at(near, near - width * (row > 0))
    away = np.abs(found.at(near, near)) * (2 * SUBPIXELS) / np.maximum(np.hypot(across, down), 1e-15)
    return np.asarray(np.fmin(away, 255).astype(np.uint8))


def zero_lines(value: Array) -> Array:
    """Where value (height, width) is zero: lines (n, 2) in fractions of the image, rows of NaN between them."""
    from contourpy import LineType, contour_generator

    lines = contour_generator(z=np.ma.masked_invalid(value), line_type=LineType.ChunkCombinedNan).lines(0.0)
    points = lines[0][0] if lines[0][0] is not None else np.zeros((0, 2))
    return np.asarray((points + 0.5) / value.shape[::-1])


def interpolation_weights(coarse: int, fine: int) -> Array:
    """(coarse, fine): the weights that interpolate ``fine`` values from ``coarse`` ones, linearly."""
    at = np.clip((np.arange(fine) + 0.5) * coarse / fine - 0.5, 0, coarse - 1)
    return np.asarray(np.maximum(1 - np.abs(at - np.arange(coarse)[:, None]), 0).astype(np.float32))


def tiles(box: Box, count: int, caption: int, columns: int = 0, gap: int = 0) -> list[Box]:
    """``count`` equal squares in a grid as square as possible, or of ``columns``, each under ``caption`` pixels."""
    if count == 1:
        return [box]
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    gap = gap or max(1, min(box.width // 20, 7))
    width = (box.width - (columns - 1) * gap) // columns
    height = (box.height - (rows - 1) * gap) // rows - caption
    side = min(width, height)
    left = box.x + (box.width - columns * (side + gap) + gap) // 2
    top = box.y + (box.height - rows * (side + caption + gap) + gap) // 2 + caption
    step = side + caption + gap
    return [Box(left + i % columns * (side + gap), top + i // columns * step, side, side) for i in range(count)]


class Probe:
    """The outputs of one or more networks at fixed points, for parameters that change from frame to frame."""

    def __init__(
        self, network: Network, scaling: DataScaling, points: Array, runs: Array, most: int = BLOCK_PIXELS
    ) -> None:
        """``points`` are (inputs, *shape); ``runs`` are the numbers of the runs whose settings are used."""
        count = points[0].size
        self._runs, self._shape, chosen = len(runs), points.shape[1:], scaling.take(np.asarray(runs))
        self._targets, received = chosen.targets, chosen.inputs.scaled(points.reshape(1, len(points), 1, count))
        numbers = 2 * sum(layer.units for layer in network.layers)  # z and a for each pixel
        wide = min((1 << 24) // (network.size * len(runs)), BLOCK_NUMBERS // numbers)
        block = min(most, max(256, wide), count)
        padded = -(-count // block) * block
        flat = np.zeros((*received.shape[:-1], padded), np.float32)
        flat[..., :count] = received
        self._blocks = [flat[..., start : start + block] for start in range(0, padded, block)]
        self._theta = np.zeros((network.size, len(runs), 1), np.float32)
        theta = np.broadcast_to(self._theta, (network.size, len(runs), block))
        self._pass = Pass(_float32_settings(network, runs), theta, self._blocks[0])
        scaled = self._targets.unscaled(np.zeros_like(self._pass.y[..., :1]))
        self._count, self._y = count, np.empty((*scaled.shape[1:-1], padded), scaled.dtype)

    def outputs(self, theta: Array) -> Array:
        """(outputs, runs, *shape) for θ (parameters, runs); the next call overwrites the array."""
        return self._all(theta)[..., : self._count].reshape(-1, self._runs, *self._shape)

    def _all(self, theta: Array) -> Array:
        """(outputs, runs, points of all blocks); without a copy if there is only one."""
        self._set(theta)
        if len(self._blocks) == 1:
            return self._evaluate(self._blocks[0])
        width = self._blocks[0].shape[-1]
        for number, block in enumerate(self._blocks):
            self._y[..., number * width : (number + 1) * width] = self._evaluate(block)
        return self._y

    def layers(self, theta: Array) -> list[Array]:
        """The activations of each layer, (units, runs, *shape), for θ (parameters, runs); the outputs unscaled."""
        self._set(theta)
        parts: list[list[Array]] = []
        for block in self._blocks:
            y = self._evaluate(block)
            parts.append([*(a[0].copy() for a in self._pass.a[:-1]), y.copy()])
        layers = [np.concatenate(pieces, axis=-1) for pieces in zip(*parts, strict=True)]
        return [a[..., : self._count].reshape(-1, self._runs, *self._shape) for a in layers]

    def _evaluate(self, block: Array) -> Array:
        self._pass.x = block
        with np.errstate(all="ignore"):
            return self._targets.unscaled(self._pass.forward())[0]

    def _set(self, theta: Array) -> None:
        with np.errstate(all="ignore"):
            self._theta[..., 0] = theta


COARSE = 20  # points along a side
AT_ONCE = 64  # snapshots


def coarse_bands(
    network: Network, scaling: DataScaling, run: int, projection: Projection, scale: ColourScale, parameters: Array
) -> Array:
    """The bands (snapshots, points) of a few points of the projection, for parameters (snapshots, parameters)."""
    slices = len(projection.slices)
    side = max(4, round(COARSE / slices**0.5))
    points = np.stack([projection.grid(i, side, side) for i in range(slices)], axis=1)
    probe = Probe(network, scaling, points, np.full(AT_ONCE, run))
    found = []
    for start in range(0, len(parameters), AT_ONCE):
        part = parameters[start : start + AT_ONCE]
        theta = np.resize(part, (AT_ONCE, part.shape[1])).T
        with np.errstate(all="ignore"):
            bands = scale.bands(probe.outputs(theta))
        found.append(bands[: len(part)].reshape(len(part), -1))
    return np.concatenate(found)


def _float32_settings(network: Network, runs: Array) -> Network:
    """The network with the settings of some runs, (runs, 1) and float32."""
    chosen = network.take(np.asarray(runs)[:, None])
    for layer in chosen.layers:
        layer.settings.update({name: value.astype(np.float32) for name, value in layer.settings.items()})
    return chosen


def activation_range(layer: Layer) -> tuple[float, float] | None:
    """The lowest and the highest activation of a layer, by its first run's settings; None if it is unbounded."""
    settings = {name: value[:1] for name, value in layer.settings.items()}
    unit = Network(1, (Layer(1, layer.activation, settings),), bias=False)
    with np.errstate(all="ignore"):
        a = unit.forward(np.ones((1, 1)), np.linspace(-60, 60, 241)[:, None]).y
    low, high = float(a.min()), float(a.max())
    return (round(low, 1), round(high, 1)) if high - low < 4 else None
