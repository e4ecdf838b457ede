"""Words as masks of grey, set by FreeType once and kept.

matplotlib's own text costs more than all the rest of a picture; numbers, which are new in every picture, are
put together from their digits.  Letters are fitted to the pixels in height alone: fitted in width too, small ones
would stand at uneven distances.
"""

from functools import lru_cache
from typing import Any

import matplotlib
import numpy as np
from matplotlib import ft2font
from matplotlib.font_manager import get_font

from xortrain.nets import Array

FACES = {"": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf", "italic": "DejaVuSans-Oblique.ttf"}

LIGHT: Any = getattr(getattr(ft2font, "LoadFlags", None), "TARGET_LIGHT", 1 << 16)
"""Hinting in height alone; before matplotlib 3.10 it is a plain number."""


def lettering(words: str, size: float, face: str) -> tuple[Array, int]:
    """The mask (height, width) uint8 of words of that size in pixels, and how many rows lie below the baseline."""
    if set(words) <= set("0123456789.-"):
        return _number(words, size, face)
    mask, below, _, _ = _set(words, size, face)
    return mask, below


@lru_cache(maxsize=2048)
def _set(words: str, size: float, face: str) -> tuple[Array, int, int, int]:
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


def _number(words: str, size: float, face: str) -> tuple[Array, int]:
    digits = [_set(digit, size, face) for digit in words]
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
