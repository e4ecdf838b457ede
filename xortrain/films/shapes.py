"""Shapes and places: the marks of the classes, boxes of whole pixels, boxes with round corners."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from xortrain.nets import Array


def _round(*corners: tuple[float, float]) -> Path:
    """The closed shape through these corners."""
    return Path(np.array([*corners, corners[0]], float), closed=True)


def _turned(shape: Path, degrees: float) -> Path:
    return shape.transformed(Affine2D().rotate_deg(degrees))


SQUARE = _round((-1, -1), (1, -1), (1, 1), (-1, 1))
TRIANGLE = _round((-1, -0.8), (1, -0.8), (0, 1.05))
PLUS = _round(
    (-0.4, -1.05), (0.4, -1.05), (0.4, -0.4), (1.05, -0.4), (1.05, 0.4), (0.4, 0.4),
    (0.4, 1.05), (-0.4, 1.05), (-0.4, 0.4), (-1.05, 0.4), (-1.05, -0.4), (-0.4, -0.4),
)  # fmt: skip
SHAPES = [
    Path.unit_circle(),
    SQUARE.transformed(Affine2D().scale(0.9)),
    TRIANGLE,
    Path.unit_regular_polygon(4).transformed(Affine2D().scale(1.1)),
    _turned(TRIANGLE, 180),
    Path.unit_regular_star(5, 0.45).transformed(Affine2D().scale(1.2)),
    PLUS,
    _turned(PLUS, 45),
    _turned(TRIANGLE, 90),
    _turned(TRIANGLE, -90),
]
"""The shapes of the classes' points, about the size of the unit circle: told apart at six pixels."""


def shape_of(kind: int) -> Path:
    """The shape of a class; where colours begin again, after two rounds of shapes, each class has the next one."""
    return SHAPES[(kind + kind // (2 * len(SHAPES))) % len(SHAPES)]


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
