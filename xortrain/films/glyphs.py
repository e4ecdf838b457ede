"""What a canvas draws with: the shapes of the classes' marks, boxes with round corners, masks of text."""

import warnings
from contextlib import suppress
from functools import lru_cache
from typing import Any

import matplotlib
import numpy as np
from matplotlib import ft2font
from matplotlib.font_manager import findSystemFonts, get_font
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from xortrain.errors import Remark
from xortrain.nets import Array


def _polygon(*corners: tuple[float, float]) -> Path:
    return Path(np.array([*corners, corners[0]], float), closed=True)


def _rotated(shape: Path, degrees: float) -> Path:
    return shape.transformed(Affine2D().rotate_deg(degrees))


TRIANGLE = _polygon((-1, -0.8), (1, -0.8), (0, 1.05))
PLUS = _polygon(
    (-0.4, -1.05), (0.4, -1.05), (0.4, -0.4), (1.05, -0.4), (1.05, 0.4), (0.4, 0.4),
    (0.4, 1.05), (-0.4, 1.05), (-0.4, 0.4), (-1.05, 0.4), (-1.05, -0.4), (-0.4, -0.4),
)  # fmt: skip
SHAPES = [
    Path.unit_circle(),
    _polygon((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    TRIANGLE,
    Path.unit_regular_polygon(4).transformed(Affine2D().scale(1.1)),
    _rotated(TRIANGLE, 180),
    Path.unit_regular_star(5, 0.45).transformed(Affine2D().scale(1.2)),
    PLUS,
    _rotated(PLUS, 45),
    _rotated(TRIANGLE, 90),
    _rotated(TRIANGLE, -90),
]
"""The shapes of the classes' marks, about as large as the unit circle; they differ visibly at six pixels."""


def mark_shape(kind: int) -> Path:
    """The shape of a class; after every two rounds of shapes, when the colours repeat, shapes shift by one."""
    return SHAPES[(kind + kind // (2 * len(SHAPES))) % len(SHAPES)]


def mark_corners(kind: int) -> Array:
    """The corners (n, 2) of the shape of a class; the circle has none."""
    shape = mark_shape(kind)
    return np.zeros((0, 2)) if shape is SHAPES[0] else np.asarray(shape.vertices)[:-1].round(3)


@lru_cache(maxsize=64)
def rounded_box(width: float, height: float, corner: float) -> Path:
    """A rectangle from (0, 0) with round corners."""
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

LIGHT = ft2font.LoadFlags.TARGET_LIGHT
"""Vertical hinting only."""
UNHINTED = ft2font.LoadFlags.NO_HINTING


def font_file(face: str) -> str:
    return f"{matplotlib.get_data_path()}/fonts/ttf/{FACES[face]}"


@lru_cache(maxsize=2048)
def drawable(words: str, face: str) -> str:
    """The text with a replacement character for each that the font does not have."""
    return _drawable(words, get_font(font_file(face)))


def _drawable(words: str, font: Any) -> str:
    return "".join(one if font.get_char_index(ord(one)) else "\N{REPLACEMENT CHARACTER}" for one in words)


def _font_and_text(words: str, face: str) -> tuple[Any, str]:
    """The font of a face, or where it lacks letters the one of this machine that has most, and the text it can draw."""
    font, shown = get_font(font_file(face)), drawable(words, face)
    if shown != words:
        font = get_font(_richest(frozenset(words), font_file(face)))
        shown = _drawable(words, font)
        if shown != words:
            remark = "some names have letters of which no font is found; they are drawn as \N{REPLACEMENT CHARACTER}"
            warnings.warn(Remark(remark), stacklevel=2)
    return font, shown


@lru_cache(maxsize=256)
def _richest(letters: frozenset[str], own: str) -> str:
    """The file of the font that has most of these letters; of several the own one, or an upright one."""
    found = []
    for file in [own, *findSystemFonts()]:
        with suppress(OSError, RuntimeError):  # a font that cannot be read
            font = ft2font.FT2Font(file)
            has = sum(bool(font.get_char_index(ord(letter))) for letter in letters)
            is_real = not font.family_name.startswith("Last Resort")  # which draws boxes
            found.append((has * is_real, file == own, font.style_name == "Regular", file))
    return max(found)[-1]


def text_mask(words: str, size: float, face: str) -> tuple[Array, int]:
    """The mask (height, width) uint8 of text of a size in pixels, and how many of its rows are below the baseline."""
    return _typeset_number(words, size, face) if is_number(words) else _typeset(words, size, face)[:2]


def is_number(words: str) -> bool:
    return set(words) <= set("0123456789.-")


@lru_cache(maxsize=2048)
def _typeset(words: str, size: float, face: str) -> tuple[Array, int, int, int]:
    """The mask, its rows below the baseline, the columns before it, and the advance of its last character."""
    font, words = _font_and_text(words, face)
    font.clear()
    font.set_size(size, 72)
    font.set_text(words, 0.0, flags=LIGHT)
    font.draw_glyphs_to_bitmap(antialiased=True)
    below = round(font.get_descent() / 64) + 1
    before = font.get_bitmap_offset()[0] // 64
    step = _advance(font.load_char(ord(words[-1]), flags=LIGHT))
    return np.array(font.get_image()), below, before, round(step)


def _advance(letter: Any) -> float:
    """The advance of a letter in pixels; before matplotlib 3.11, that of letters this many times as wide is stated."""
    return float(letter.horiAdvance / 64 / (matplotlib.rcParams.get("text.hinting_factor") or 1))


def _typeset_number(words: str, size: float, face: str) -> tuple[Array, int]:
    """A number from the cached masks of its digits."""
    digits = [_typeset(digit, size, face) for digit in words]
    above = max(mask.shape[0] - below for mask, below, _, _ in digits)
    lowest = max(below for _, below, _, _ in digits)
    mask_of_all = np.zeros((above + lowest, sum(step for *_, step in digits) + 2), np.uint8)
    x = 0
    for mask, below, before, step in digits:
        height, width = mask.shape
        top = above + below - height
        part = mask_of_all[top : top + height, x + before : x + before + width]
        np.maximum(part, mask[:, : part.shape[1]], out=part)
        x += step
    return mask_of_all, lowest


def ink_extent(words: str, size: float, face: str) -> tuple[float, float, float]:
    """Of text in scalable letters: the room before its ink, the width of the ink and of all, in pixels.

    For a number all of it counts as ink, as in its mask.
    """
    font, words = get_font(font_file(face)), drawable(words, face)
    font.clear()
    font.set_size(size, 72)
    letters = [font.load_char(ord(letter), flags=UNHINTED) for letter in words]
    advance, first, last = sum(letter.linearHoriAdvance for letter in letters) / 65536, letters[0], letters[-1]
    if is_number(words):
        return 0, advance + 2, advance
    after = _advance(last) - (last.horiBearingX + last.width) / 64
    return first.horiBearingX / 64, advance - first.horiBearingX / 64 - after, advance


def halo_reach(size: float) -> int:
    return max(1, round(size / 6))


@lru_cache(maxsize=512)
def halo_mask(words: str, size: float, face: str) -> Array:
    """The mask of text, dilated by a sixth of its size on all sides."""
    reach = halo_reach(size)
    padded = np.pad(text_mask(words, size, face)[0], reach)
    steps = range(-reach, reach + 1)
    shifts = [(i, j) for i in steps for j in steps if i * i + j * j <= reach * (reach + 1)]
    return np.asarray(np.max([np.roll(padded, shift, (0, 1)) for shift in shifts], axis=0))
