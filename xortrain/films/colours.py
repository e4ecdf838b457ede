"""The colours of a film: the map from one target value to the other, the classes, background and foreground.

Our own maps go from a light colour through a pale one to a dark one: most people tell the two sides apart by hue,
everybody by lightness, also on a grey printer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache

import numpy as np

from xortrain.errors import UserError
from xortrain.nets import Array

COLOUR_MAPS = {
    "default": ("#d9680f", "#f0a159", "#fad2a4", "#fbf7f0", "#b0d2e8", "#5b9dce", "#1d68a9", "#062f5e"),
    "rose": ("#e0568b", "#f09aba", "#f9d0de", "#fbf7f4", "#b5dcc9", "#4f9f7c", "#125f45", "#053524"),
    "violet": ("#a678d8", "#c6a7e6", "#e3d4f2", "#faf8f2", "#e3d79a", "#b99f3c", "#7f661a", "#463608"),
    "grey": ("#b4b4b4", "#cdcdcd", "#e4e4e4", "#f8f8f8", "#bdbdbd", "#868686", "#4f4f4f", "#1c1c1c"),
}
"""Anchors from the low target to the high one; the fourth is the middle of the scale."""

CLASS_COLOURS = (
    "#d9680f", "#1d68a9", "#2a9d6f", "#c0417f", "#e2b007", "#7a4fb5", "#6fb7e0", "#7d4a1e", "#5f6b73", "#a3c537",
    "#0f4c5c", "#f2a7c3", "#3b2a6b", "#8fd6c4", "#8c1c2e", "#d8d97a", "#1f5c2e", "#f4b98a", "#c9b8ee", "#5a1036",
)  # fmt: skip
"""For three or more classes. Shapes repeat after ten classes, so of two colours ten apart one is light, one dark."""

MOST_SINGLE = 20
"""A colour map of matplotlib with at most this many colours is treated as a list of distinct colours."""
DIFFERENT = 60
"""The smallest distance in RGB between colours that are used together."""
MOST_COLOURS = 255
MOST_HUES = 20
"""Classes with a colour of their own; later ones repeat the colours with other shapes."""


@dataclass(frozen=True)
class Colours:
    """All colours of a film, (…, 3) uint8."""

    levels: Array  # (levels, 3), from the low target value to the high one
    classes: Array  # (classes, 3); the first two are the low and the high class
    signs: Array  # (2, 3): negative, positive
    paper: Array  # the background
    ink: Array  # lines and text
    label: Array  # less important text
    pale: Array  # axes, and the part of a curve that is still to come
    no_value: Array  # where there is no value, as for a run that diverged

    def greys(self, share: Array) -> Array:
        """Mixtures (n, 3) of paper with a share (n,) of ink."""
        return mix(self.paper, self.ink, share[:, None])

    def contrast(self, ground: Array) -> Array:
        """White or nearly black, whichever is more legible on that ground."""
        return rgb("#ffffff") if luminance(ground) < 0.3 else rgb("#1b2026")

    def is_near_paper(self, colour: Array, least: float = 2) -> bool:
        """Whether an outline in paper would hardly be visible on a colour."""
        return contrast(colour, self.paper) < least

    def legible(self, colour: Array) -> Array:
        """A colour (3,) with as many thirds of ink as it takes to be read on paper."""
        mixed = (mix(colour, self.ink, thirds / 3) for thirds in range(4))
        return next(one for one in mixed if not self.is_near_paper(one, 3.05))

    def shades(self, kind: int, count: int) -> Array:
        """``count`` shades of one class, from nearly the background to nearly the full colour."""
        return mix(self.paper, self.of_classes(np.array(kind)), np.linspace(0.18, 0.86, count)[:, None])

    def of_classes(self, kinds: Array) -> Array:
        """The colours (…, 3) of classes (…)."""
        return np.asarray(self.classes[kinds % len(self.classes)])


def linear(rgb: Array) -> Array:
    """Linear light (…, 3), from 0 to 1, of sRGB colours (…, 3) from 0 to 255; whole numbers are looked up."""
    if rgb.dtype == np.uint8:
        return np.asarray(_linear_steps().take(rgb))
    share = rgb / 255
    return np.asarray(np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4))


@cache
def _linear_steps() -> Array:
    return linear(np.arange(256))


def luminance(rgb: Array) -> Array:
    """How light sRGB colours (…, 3) are, (…) from 0 to 1: the relative luminance of WCAG."""
    return np.asarray(linear(rgb) @ (0.2126, 0.7152, 0.0722))


def contrast(one: Array, other: Array) -> float:
    """The contrast of two colours (3,) as WCAG defines it, from 1 to 21."""
    dark, light = sorted((float(luminance(one)), float(luminance(other))))
    return (light + 0.05) / (dark + 0.05)


def rgb(text: str) -> Array:
    """The colour (3,) of "#rrggbb"."""
    return np.frombuffer(bytes.fromhex(text[1:]), np.uint8)


def mix(one: Array, other: Array, share: Array | float) -> Array:
    """A mixture (…, 3) uint8 of two colours; ``share`` is the part of ``other``, from 0 to 1."""
    return np.rint(one * (1 - np.asarray(share)) + other * np.asarray(share)).astype(np.uint8)


def blend(ground: Array, colour: Array, alpha: Array) -> Array:
    """Opaque colours covered by a colour with alpha from 0 to 255, in arrays that fit together; 32 bits of numbers."""
    part = alpha.astype(np.uint32)
    return np.asarray((ground * (255 - part) + colour * part + 127) // 255)


SHIFTS = np.array([[0], [8], [16]], np.uint32)
SOLID = 255 << 24
"""RGBA in one number: red in the lowest eight bits, alpha in the highest; this is the alpha of what is opaque."""


def rgba(colour: Array, alpha: Array | int) -> Array:
    """RGBA (…), each in one number: a colour (3, …) or (3,) with alpha (…) << 24."""
    red, green, blue = colour.astype(np.uint32)
    return np.asarray(red | green << 8 | blue << 16 | alpha)


def channels(paint: Array) -> Array:
    """Red, green and blue (3, n) of RGBA (n,)."""
    return np.asarray(paint >> SHIFTS & 255)


def composite(ground: Array, paint: Array) -> Array:
    """RGBA (…) covered by other RGBA (…)."""
    alpha = paint >> 24
    covered = np.where(alpha, paint, ground)
    both = np.flatnonzero((alpha > 0) & (alpha < 255) & (ground > 0))
    if len(both):
        ground, paint, alpha = ground.take(both), paint.take(both), alpha.take(both)
        above, below = alpha * 255, (ground >> 24) * (255 - alpha)
        total = above + below
        mixed = (channels(paint) * above + channels(ground) * below) // total
        covered.put(both, rgba(mixed, total // 255 << 24))
    return covered


def ramp(anchors: Sequence[str], count: int, middle: int | None = None) -> Array:
    """``count`` colours (count, 3) at the centres of equal bands between the anchors.

    The anchor at index ``middle`` is in the middle, however many are on either side.
    """
    middle = len(anchors) // 2 if middle is None else middle
    places = np.r_[np.linspace(0, 0.5, middle + 1), np.linspace(0.5, 1, len(anchors) - middle)[1:]]
    bands = (np.arange(count) + 0.5) / count
    table = np.array([rgb(anchor) for anchor in anchors], float)
    return np.stack([np.interp(bands, places, table[:, i]) for i in range(3)], 1).round().astype(np.uint8)


@lru_cache(maxsize=16)
def get_colours(name: str, levels: int, dark: bool, classes: int = 2) -> Colours:
    """The colours of one of our maps or of matplotlib's, for that many levels and classes.

    Raises UserError for an unknown name.
    """
    anchors = COLOUR_MAPS.get(name) or _from_matplotlib(name)
    middle = 3 if name in COLOUR_MAPS else None
    if dark and name in COLOUR_MAPS:
        anchors, middle = _darkened(anchors), 3
    paper, ink, label, pale = ("#14181d", "#eef1f4", "#9aa5b0", "#333b44") if dark else (
        "#ffffff", "#22282f", "#6b747d", "#d4d8dc"
    )  # fmt: skip
    sides = ramp(anchors, 64, middle)[[2, 53 if not dark else 61]]
    table = _class_colours(name, classes, sides)
    if dark:
        is_dim = (table.mean(1) < 85) & ((np.arange(len(table)) > 1) | (classes > 2))
        table = np.where(is_dim[:, None], mix(table, rgb(ink), 0.3), table)
    return Colours(
        ramp(anchors, levels, middle), table, sides, rgb(paper), rgb(ink), rgb(label), rgb(pale),
        rgb("#4a5058" if dark else "#c3c7cb"),
    )  # fmt: skip


def _class_colours(name: str, classes: int, sides: Array) -> Array:
    """The colours of the classes: for two, the ends of the map; for more, colours of the map, then of our own.

    A map of distinct colours gives those; a continuous map and our grey give one step for each class.
    """
    ours = np.array([rgb(kind) for kind in CLASS_COLOURS])
    if classes < 3 or name == "default":
        return np.concatenate([sides, ours[2:]])
    if name == "grey":
        return mix(rgb("#26292c"), rgb("#c9ccd0"), np.linspace(0, 1, classes)[:, None])
    if name in COLOUR_MAPS:
        given = sides
    else:
        import matplotlib

        one = matplotlib.colormaps[name]
        is_cyclic = np.abs(np.subtract(one(0.0), one(1.0))).max() < 0.15
        steps = np.arange(one.N) if one.N <= MOST_SINGLE else np.linspace(0, 1, classes, endpoint=not is_cyclic)
        given = np.asarray(one(steps, bytes=True))[:, :3]
    away = np.linalg.norm(ours[:, None].astype(float) - given, axis=2).min(1)
    return np.concatenate([given, ours[away > DIFFERENT]])[: len(CLASS_COLOURS)]


def _darkened(anchors: Sequence[str]) -> list[str]:
    """The same hues around a dark middle, with bright ends."""
    low, high = anchors[1], anchors[-2]
    steps = [(low, 1.0), (low, 0.66), (low, 0.33), (low, 0.06), (high, 0.3), (high, 0.55), (high, 0.8), (high, 1.0)]
    return ["#" + bytes(mix(rgb("#171b21"), rgb(end), share)).hex() for end, share in steps]


def _from_matplotlib(name: str) -> list[str]:
    import matplotlib

    if name not in matplotlib.colormaps:
        every = {one.lower(): one for one in [*matplotlib.colormaps, *COLOUR_MAPS] if not one.endswith("_r")}
        near = [every[one] for one in get_close_matches(name.lower(), every, n=4, cutoff=0.5)]
        nearest = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        known = f"Known: {', '.join(COLOUR_MAPS)} and the maps of matplotlib"
        raise UserError(f"film.colours={name}: no such choice.{nearest} {known}")
    return ["#" + bytes(row[:3]).hex() for row in matplotlib.colormaps[name](np.linspace(0, 1, 33), bytes=True)]


class Palette:
    """At most 255 colours: the bands of the field first, then what text, lines and marks need."""

    def __init__(self, bands: Array, used: Colours, classes: int) -> None:
        """``bands`` are (bands, 3)."""
        steps = np.array([1 / 3, 2 / 3])[:, None, None]
        greys = used.greys(np.linspace(0, 1, 16))
        accents = used.classes[: max(2, min(len(used.classes), classes))]
        if classes > 2 and (accents[:2] != used.signs).any():
            accents = np.concatenate([accents, used.signs])
        tints = [mix(accents, ground, steps).reshape(-1, 3) for ground in (used.paper, used.ink)]
        needed = np.concatenate([bands, used.no_value[None], greys, accents, used.label[None], used.pale[None], *tints])
        room = max((MOST_COLOURS - len(needed)) // 4, 0)
        chosen = bands[np.linspace(0, len(bands) - 1, min(room, len(bands))).astype(int)]
        edges = [mix(chosen, ground, steps).reshape(-1, 3) for ground in (used.ink, used.paper)]
        self.colours, self.bands = used, len(bands)
        self.rgb = np.concatenate([needed, *edges])[:MOST_COLOURS]
        """(colours, 3) uint8"""
        self.no_value = len(bands)
        """The index of the colour for "no value"."""
        self._nearest = np.full(1 << 18, MOST_COLOURS, np.uint8)  # by `_cell`; MOST_COLOURS: not known yet
        own = np.arange(len(self.rgb), dtype=np.uint8)[::-1]  # of two in one cell, the first
        self._nearest[_cell(self.rgb[own])] = own

    def grey(self, bands: Array) -> Array:
        """The indices of sixteen steps from paper to ink; band 16 is no value."""
        return np.where(bands < 16, bands + np.uint8(self.no_value + 1), np.uint8(self.no_value))

    def nearest(self, colour: Array) -> Array:
        """The index (n,) uint8 of the nearest colour to each of (n, 3), compared by six of their eight bits."""
        cells = _cell(colour)
        found = self._nearest[cells]
        if found.max(initial=0) == MOST_COLOURS:
            unknown = np.unique(cells[found == MOST_COLOURS])
            middle = 4 * np.stack([unknown >> 12, unknown >> 6 & 63, unknown & 63], axis=1).astype(np.float32) + 1.5
            table = self.rgb.astype(np.float32)
            self._nearest[unknown] = ((table**2).sum(1) - 2 * middle @ table.T).argmin(1)
            found = self._nearest[cells]
        return np.asarray(found)


def _cell(colour: Array) -> Array:
    """Six bits of each channel of colours (n, 3), in one number."""
    red, green, blue = (colour >> 2).T.astype(np.uint32)
    return np.asarray(red << 12 | green << 6 | blue, np.intp)


@lru_cache(maxsize=8)
def get_palette(name: str, levels: int, dark: bool, classes: int) -> Palette:
    """The palette of a colour map; for three or more classes, its bands are shades of each class.

    It is cached: films with the same look share it, and the nearest colours that it has found.
    """
    hues = min(classes, MOST_HUES)
    used = get_colours(name, levels, dark, hues)
    if classes < 3:
        return Palette(used.levels, used, levels // 6)
    count = shade_count(levels, hues)
    return Palette(np.concatenate([used.shades(kind, count) for kind in range(hues)]), used, hues)


def shade_count(levels: int, classes: int) -> int:
    """The number of shades of each class, for three or more classes."""
    return max(3, min(levels // 2, 96 // min(classes, MOST_HUES)))
