"""One function over a plane, as bands of colour: a network's output, or that of its last layer alone.

One fixed scale holds for the whole film, so that a colour means the same value in every picture.
"""

import numpy as np
from contourpy import contour_generator

from xortrain.films.plane import Plane
from xortrain.films.probe import Probe
from xortrain.films.reading import Reading
from xortrain.films.sheet import Box, Sheet
from xortrain.nets import Array
from xortrain.nets.network import Network

PROMPT = 4e7
"""Products a picture may cost; wider networks are asked at fewer points and interpolated."""


class Surface:
    """The picture of one run in boxes of equal size, one for each slice of the plane."""

    def __init__(self, sheet: Sheet, boxes: list[Box], network: Network, run: int, plane: Plane, read: Reading) -> None:
        self.sheet, self.boxes, self.plane, self.read = sheet, boxes, plane, read
        width, height = boxes[0].width, boxes[0].height
        step = int(np.ceil(np.sqrt(network.size * width * height * len(boxes) / PROMPT)))
        columns, rows = -(-width // step), 1 if plane.curve else -(-height // step)
        points = np.stack([plane.grid(i, columns, rows) for i in range(len(boxes))], axis=1)
        self._probe = Probe(network, points, np.array([run]))
        self._exact = step == 1
        self._across, self._down = between(columns, width), between(rows, height)
        self.y = np.zeros((network.outputs, len(boxes), rows, columns), np.float32)

    def paste(self, theta: Array) -> None:
        """Ask the network, with parameters θ (parameters,), and put the bands in their place."""
        self.y = self._probe.outputs(theta[:, None])[:, 0]
        if not self._exact:
            self.y = (self._down.T if self._down.shape[0] > 1 else 1) @ self.y @ self._across
        for box, y in zip(self.boxes, np.moveaxis(self.y, 1, 0), strict=True):
            self.sheet.paste(box, self.read.bands(y))

    def boundary(self, width: float = 2.2) -> None:
        """Where the output changes sides; or, over one input alone, the output's curve."""
        for number, box in enumerate(self.boxes):
            lines = self._curve(box) if self.plane.curve else self._sides(box, self.y[:, number])
            for colour, thick in ((self.sheet.colours.paper, 2 * width), (self.sheet.colours.ink, width)):
                for points in lines:
                    self.sheet.line(points, colour, thick, within=box)

    def _sides(self, box: Box, y: Array) -> list[Array]:
        step = max(1, min(box.width, box.height) // 100)
        values = self.read.boundaries(y[:, ::step, ::step])
        crossed = [value for value in values if value.min() < 0 < value.max()]
        drawn = [joined(list(contour_generator(z=value).lines(0.0))) for value in crossed]
        return [points * step + (box.x + step / 2, box.y + step / 2) for points in drawn]

    def _curve(self, box: Box) -> list[Array]:
        value = np.clip(self.read.value(self.y[:, 0, 0]), self.plane.bottom, self.plane.top)
        share = (np.arange(len(value)) + 0.5) / len(value)
        height = (self.plane.top - value) / (self.plane.top - self.plane.bottom)
        return [box.at(np.stack([share, height], axis=1))] if np.isfinite(value).all() else []


def joined(pieces: list[Array]) -> Array:
    """Lines (n, 2) one after the other, the pen lifted by a row of nan between them."""
    lifted = [part for piece in pieces for part in (piece, np.full((1, 2), np.nan))]
    return np.concatenate(lifted[:-1])


def between(coarse: int, fine: int) -> Array:
    """(coarse, fine): the shares with which coarse values, at the centres of equal parts, make fine ones."""
    at = np.clip((np.arange(fine) + 0.5) * coarse / fine - 0.5, 0, coarse - 1)
    return np.asarray(np.maximum(1 - np.abs(at - np.arange(coarse)[:, None]), 0).astype(np.float32))


def tiles(box: Box, count: int, caption: int) -> list[Box]:
    """Equal boxes for so many slices, as near to squares as they come; with room for a caption if several."""
    if count == 1:
        return [box]
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    gap = max(4, box.width // 40)
    width = (box.width - (columns - 1) * gap) // columns
    height = (box.height - (rows - 1) * gap) // rows - caption
    step = height + caption + gap
    return [
        Box(box.x + i % columns * (width + gap), box.y + caption + i // columns * step, width, height)
        for i in range(count)
    ]
