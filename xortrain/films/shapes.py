"""Shapes and places: the marks of the classes, boxes of whole pixels, boxes with round corners."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from xortrain.nets import Array

SQUARE = Path(np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]], float), closed=True)
SHAPES = [
    Path.unit_circle(),
    SQUARE.transformed(Affine2D().scale(0.9)),
    *(Path.unit_regular_polygon(n) for n in (3, 4, 5)),
    Path.unit_regular_star(5, 0.45),
    *(Path.unit_regular_polygon(n) for n in (6, 8)),
    Path.unit_regular_star(4, 0.45),
    Path.unit_regular_star(6, 0.55),
]
"""The shape of each class's points, about the size of the unit circle."""


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels, from its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    @property
    def pixels(self) -> tuple[slice, slice]:
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def at(self, share: Array) -> Array:
        """Pixels (…, 2) for shares (…, 2) of the box, 0, 0 at its upper left."""
        return share * (self.width, self.height) + (self.x, self.y)


@lru_cache(maxsize=64)
def rounded(width: float, height: float, corner: float) -> Path:
    """A rectangle from 0, 0 whose corners are quarters of circles."""
    r = min(corner, width / 2, height / 2)
    ends = np.array([[r, 0], [width - r, 0], [width, r], [width, height - r]])
    around = np.concatenate([ends, (width, height) - ends])
    turns = np.array([[width, 0], [width, height], [0, height], [0, 0]], float)
    points, codes = [around[0]], [Path.MOVETO]
    for i, turn in enumerate(turns):
        points += [around[(2 * i + 1) % 8], turn, around[(2 * i + 2) % 8]]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path(np.array([*points, around[0]]), [*codes, Path.CLOSEPOLY])
