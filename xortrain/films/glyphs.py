"""Shapes and places: the marks of the classes, boxes of whole pixels, boxes with round corners."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import matplotlib
import numpy as np
from matplotlib import ft2font
from matplotlib.font_manager import get_font
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from xortrain.nets import Array


def _polygon(*corners: tuple[float, float]) -> Path:
    """The closed shape through these corners."""
    return Path(np.array([*corners, corners[0]], float), closed=True)


def _rotated(shape: Path, degrees: float) -> Path:
    return shape.transformed(Affine2D().rotate_deg(degrees))


SQUARE = _polygon((-1, -1), (1, -1), (1, 1), (-1, 1))
TRIANGLE = _polygon((-1, -0.8), (1, -0.8), (0, 1.05))
PLUS = _polygon(
    (-0.4, -1.05), (0.4, -1.05), (0.4, -0.4), (1.05, -0.4), (1.05, 0.4), (0.4, 0.4),
    (0.4, 1.05), (-0.4, 1.05), (-0.4, 0.4), (-1.05, 0.4), (-1.05, -0.4), (-0.4, -0.4),
)  # fmt: skip
SHAPES = [
    Path.unit_circle(),
    SQUARE.transformed(Affine2D().scale(0.9)),
    TRIANGLE,
    Path.unit_regular_polygon(4).transformed(Affine2D().scale(1.1)),
    _rotated(TRIANGLE, 180),
    Path.unit_regular_star(5, 0.45).transformed(Affine2D().scale(1.2)),
    PLUS,
    _rotated(PLUS, 45),
    _rotated(TRIANGLE, 90),
    _rotated(TRIANGLE, -90),
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


FACES = {"": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf", "italic": "DejaVuSans-Oblique.ttf"}

LIGHT: Any = getattr(getattr(ft2font, "LoadFlags", None), "TARGET_LIGHT", 1 << 16)
"""Hinting in height alone; before matplotlib 3.10 it is a plain number."""


def lettering(words: str, size: float, face: str) -> tuple[Array, int]:
    """The mask (height, width) uint8 of words of that size in pixels, and how many rows lie below the baseline."""
    if set(words) <= set("0123456789.-"):
        return _typeset_number(words, size, face)
    mask, below, _, _ = _typeset(words, size, face)
    return mask, below


@lru_cache(maxsize=2048)
def _typeset(words: str, size: float, face: str) -> tuple[Array, int, int, int]:
    """Mask, rows below the baseline, columns before the mask, and how far to go on for the next word."""
    font = get_font(f"{matplotlib.get_data_path()}/fonts/ttf/{FACES[face]}")
    font.clear()
    font.set_size(size, 72)
    font.set_text(words, 0.0, flags=LIGHT)
    font.draw_glyphs_to_bitmap(antialiased=True)
    below = round(font.get_descent() / 64) + 1
    before = font.get_bitmap_offset()[0] // 64
    step = font.load_char(ord(words[-1]), flags=LIGHT).horiAdvance
    return np.array(font.get_image()), below, before, round(step / 64)


def _typeset_number(words: str, size: float, face: str) -> tuple[Array, int]:
    digits = [_typeset(digit, size, face) for digit in words]
    above = max(mask.shape[0] - below for mask, below, _, _ in digits)
    lowest = max(below for _, below, _, _ in digits)
    whole = np.zeros((above + lowest, sum(step for *_, step in digits) + 2), np.uint8)
    x = 0
    for mask, below, before, step in digits:
        height, width = mask.shape
        top = above + below - height
        part = whole[top : top + height, x + before : x + before + width]
        np.maximum(part, mask[:, : part.shape[1]], out=part)
        x += step
    return whole, lowest


@lru_cache(maxsize=512)
def halo_of(words: str, size: float, face: str) -> Array:
    """The mask of words grown by a sixth of their size on all sides."""
    reach = max(1, round(size / 6))
    wide = np.pad(lettering(words, size, face)[0], reach)
    steps = range(-reach, reach + 1)
    shifts = [(i, j) for i in steps for j in steps if i * i + j * j <= reach * (reach + 1)]
    return np.asarray(np.max([np.roll(wide, shift, (0, 1)) for shift in shifts], axis=0))
