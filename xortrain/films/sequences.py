"""Colours for several curves and for values in an order, taken from the colours of the film.

A sequence goes from dark to light: for our own maps from one side of the scale through the other to a pale colour,
for a map of matplotlib along the map. What is drawn on the background has a least contrast with it.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from xortrain.films.colours import COLOUR_MAPS, Colours, contrast, get_colours, luminance, mix, rgb
from xortrain.nets import Array

ORDER = (7, 6, 0, 1, 2, 3)  # the anchors of our own maps from dark to light
LINE, WORD = 2.0, 4.5  # the least contrast of a line and of text with the background
STEPS = 96
GREYISH = 0.02  # chroma below which a colour has no hue


def sequence(name: str, count: int) -> Array:
    """``count`` colours (count, 3) of a map from dark to light; in its own order where it has no such order."""
    if name in COLOUR_MAPS:
        return _blend_anchors([rgb(COLOUR_MAPS[name][k]) for k in ORDER], count)
    import matplotlib

    colours = np.asarray(matplotlib.colormaps[name](np.linspace(0, 1, count), bytes=True))[:, :3]
    return colours[::-1] if luminance(colours[0]) > luminance(colours[-1]) + 0.1 else colours


def _blend_anchors(anchors: Sequence[Array], count: int) -> Array:
    """``count`` colours at equal visible steps between the anchors, (count, 3)."""
    corners = np.array([_to_oklch(anchor) for anchor in anchors])
    fine = np.concatenate([_between(*pair, 64) for pair in pairwise(corners)])
    lab = np.stack([fine[:, 0], fine[:, 1] * np.cos(fine[:, 2]), fine[:, 1] * np.sin(fine[:, 2])], axis=1)
    covered = np.r_[0, np.cumsum(np.linalg.norm(np.diff(lab, axis=0), axis=1))]
    wanted = np.linspace(0, covered[-1], count)
    return _from_oklab(np.stack([np.interp(wanted, covered, column) for column in lab.T], axis=1))


def _between(one: Array, other: Array, steps: int) -> Array:
    """Lightness, chroma and hue (steps, 3) from one colour to another, the hue the shorter way round."""
    turn = (other[2] - one[2] + np.pi) % (2 * np.pi) - np.pi
    if min(one[1], other[1]) < GREYISH:  # it has no hue of its own
        one, turn = (one, 0.0) if one[1] > other[1] else (np.array([*one[:2], other[2]]), 0.0)
    return one + np.linspace(0, 1, steps)[:, None] * (other[0] - one[0], other[1] - one[1], turn)


LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
OKLAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                  [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
"""From linear RGB to the cones, and from their cube roots to lightness and two hues (Ottosson 2020)."""


def _to_oklch(colour: Array) -> Array:
    """Lightness, chroma and hue (3,) of a colour (3,)."""
    share = colour / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    lightness, a, b = OKLAB @ np.cbrt(LMS @ linear)
    return np.array([lightness, np.hypot(a, b), np.arctan2(b, a)])


def _from_oklab(lab: Array) -> Array:
    """The colours (n, 3) uint8 of lightness and two hues (n, 3), cut to what a screen can show."""
    linear = np.clip((lab @ np.linalg.inv(OKLAB).T) ** 3 @ np.linalg.inv(LMS).T, 0, 1)
    share = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * share).astype(np.uint8)


def ordered(name: str, count: int, colours: Colours) -> Array:
    """``count`` colours (count, 3) in an order, from light to dark, each with the contrast of a line."""
    if count == 1:
        return readable(colours.classes[1:2], colours, LINE)
    whole = sequence(name, STEPS)[::-1]
    clear = np.flatnonzero([contrast(colour, colours.paper) >= LINE for colour in whole])
    return readable(whole[clear[np.linspace(0, len(clear) - 1, count).astype(int)]], colours, LINE)


def distinct(name: str, count: int, levels: int, dark: bool) -> Array:
    """``count`` colours (count, 3) that differ, each with the contrast of a line; later ones repeat the first."""
    colours = get_colours(name, levels, dark, max(count, 2))
    return readable(colours.of_classes(np.arange(count)), colours, LINE)


def readable(wanted: Array, colours: Colours, least: float) -> Array:
    """Colours (n, 3), mixed with as much ink as they need for a contrast with the background."""
    shares = np.linspace(0, 1, 21)
    return np.array(
        [
            next(
                mixed
                for mixed in (mix(one, colours.ink, share) for share in shares)
                if contrast(mixed, colours.paper) >= least
            )
            for one in wanted
        ]
    )
