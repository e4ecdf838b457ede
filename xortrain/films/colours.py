"""The colours of a film: a map from one target value to the other, the classes, ink and paper.

Each map of our own runs from a middling light colour through a pale one to a deep one: hue tells the sides apart
for most eyes, lightness for all of them and on a grey printer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

import numpy as np

from xortrain.errors import UserError
from xortrain.nets import Array

MAPS = {
    "default": ("#d9680f", "#f0a159", "#fad2a4", "#fbf7f0", "#b0d2e8", "#5b9dce", "#1d68a9", "#062f5e"),
    "rose": ("#e0568b", "#f09aba", "#f9d0de", "#fbf7f4", "#b5dcc9", "#4f9f7c", "#125f45", "#053524"),
    "violet": ("#a678d8", "#c6a7e6", "#e3d4f2", "#faf8f2", "#e3d79a", "#b99f3c", "#7f661a", "#463608"),
    "grey": ("#b4b4b4", "#cdcdcd", "#e4e4e4", "#f8f8f8", "#bdbdbd", "#868686", "#4f4f4f", "#1c1c1c"),
}
"""From the low target to the high one; the middle falls between the fourth colour's neighbours."""

CLASSES = (
    "#d9680f", "#1d68a9", "#2a9d6f", "#c0417f", "#e2b007", "#7a4fb5", "#6fb7e0", "#7d4a1e", "#5f6b73", "#a3c537",
    "#0f4c5c", "#f2a7c3", "#3b2a6b", "#8fd6c4", "#8c1c2e", "#d8d97a", "#1f5c2e", "#f4b98a", "#c9b8ee", "#5a1036",
)  # fmt: skip
"""For three classes and more; ten places on, where shapes begin again, light is followed by dark."""

MOST_SINGLE = 20
"""A map of matplotlib of no more colours than this is a list of single ones."""
DIFFERENT = 60
"""How far apart in red, green and blue colours must be to stand side by side."""


@dataclass(frozen=True)
class Colours:
    """Everything a film is painted with; colours are (…, 3) uint8."""

    levels: Array
    """From the low target value to the high one."""
    classes: Array
    """The first two are the low and the high class: their points and targets."""
    signs: Array
    """(2, 3) of what is negative and of what is positive."""
    paper: Array
    ink: Array
    label: Array
    """Of words that only say what is what."""
    pale: Array
    """Of what is still to come, of frames and axes."""
    nothing: Array
    """Where there is no value: a run that diverged."""

    def contrast(self, ground: Array) -> Array:
        """White or nearly black, whichever reads better on that ground."""
        return rgb("#ffffff") if luminance(ground) < 0.3 else rgb("#1b2026")

    def is_near_paper(self, colour: Array) -> bool:
        """Whether an edge of paper would hardly be seen on that colour."""
        light = sorted((luminance(colour), luminance(self.paper)))
        return (light[1] + 0.05) / (light[0] + 0.05) < 2

    def shades(self, kind: int, count: int) -> Array:
        """``count`` shades of one class, from nearly paper to not quite the full colour, which marks have."""
        return mix(self.paper, self.of(np.array(kind)), np.linspace(0.18, 0.86, count)[:, None])

    def of(self, kinds: Array) -> Array:
        """The colours (…, 3) of classes."""
        return np.asarray(self.classes[kinds % len(self.classes)])


def luminance(colour: Array) -> float:
    """How light a colour (3,) is, from 0 to 1."""
    return float(((colour / 255) ** 2.2) @ (0.2126, 0.7152, 0.0722))


def rgb(text: str) -> Array:
    """The colour (3,) of "#rrggbb"."""
    return np.frombuffer(bytes.fromhex(text[1:]), np.uint8)


def mix(one: Array, other: Array, share: Array | float) -> Array:
    """``share`` of the other colour in the one."""
    return np.rint(one * (1 - np.asarray(share)) + other * np.asarray(share)).astype(np.uint8)


def covered(ground: Array, colour: Array, share: Array) -> Array:
    """Colours (n, 3) uint8, a share (n, 1) of 255 of each covered by another."""
    part = share.astype(np.uint16)
    return np.asarray((ground * (255 - part) + colour * part + 127) // 255)


def over(ground: Array, colour: Array, share: Array) -> Array:
    """Paint (…, 4) with a colour (3,) or (…, 3) laid over it that covers a share (…) of 255."""
    if not ground[..., 3].any():
        ground[..., :3], ground[..., 3] = colour, share
        ground[share == 0] = 0
        return ground
    above, below = share * np.uint32(255), ground[..., 3] * (255 - share.astype(np.uint32))
    whole = np.maximum(above + below, 1)[..., None]
    mixed = (colour * above[..., None] + ground[..., :3] * below[..., None]) // whole
    return np.concatenate([mixed, whole // 255], axis=-1).astype(np.uint8)


def ramp(anchors: Sequence[str], count: int, middle: int | None = None) -> Array:
    """``count`` colours (count, 3) at the centres of equal bands between the anchors.

    The anchor numbered ``middle`` lies in the middle, however many stand on either side.
    """
    middle = len(anchors) // 2 if middle is None else middle
    places = np.r_[np.linspace(0, 0.5, middle + 1), np.linspace(0.5, 1, len(anchors) - middle)[1:]]
    bands = (np.arange(count) + 0.5) / count
    table = np.array([rgb(anchor) for anchor in anchors], float)
    return np.stack([np.interp(bands, places, table[:, i]) for i in range(3)], 1).round().astype(np.uint8)


@lru_cache(maxsize=16)
def colours(name: str, levels: int, dark: bool, classes: int = 2) -> Colours:
    """The colours of that name, for so many classes: one of our own maps, or any that matplotlib knows."""
    anchors = MAPS.get(name) or _from_matplotlib(name)
    middle = 3 if name in MAPS else None
    if dark and name in MAPS:
        anchors, middle = _darkened(anchors), 3
    paper, ink, label, pale = ("#14181d", "#eef1f4", "#9aa5b0", "#333b44") if dark else (
        "#ffffff", "#22282f", "#6b747d", "#d4d8dc"
    )  # fmt: skip
    sides = ramp(anchors, 64, middle)[[2, 53 if not dark else 61]]
    table = _of_classes(name, classes, sides)
    if dark:
        is_dim = (table.mean(1) < 85) & ((np.arange(len(table)) > 1) | (classes > 2))
        table = np.where(is_dim[:, None], mix(table, rgb(ink), 0.3), table)
    return Colours(
        ramp(anchors, levels, middle), table, sides, rgb(paper), rgb(ink), rgb(label), rgb(pale),
        rgb("#4a5058" if dark else "#c3c7cb"),
    )  # fmt: skip


def _of_classes(name: str, classes: int, sides: Array) -> Array:
    """Two classes are the sides of the map; of more all are the map's, and as many of ours as differ from them.

    A map of single colours gives those; one that runs from colour to colour, and our grey, as many steps as asked.
    """
    ours = np.array([rgb(kind) for kind in CLASSES])
    if classes < 3 or name == "default":
        return np.concatenate([sides, ours[2:]])
    if name == "grey":
        return mix(rgb("#26292c"), rgb("#c9ccd0"), np.linspace(0, 1, classes)[:, None])
    if name in MAPS:
        given = sides
    else:
        import matplotlib

        one = matplotlib.colormaps[name]
        is_cyclic = np.abs(np.subtract(one(0.0), one(1.0))).max() < 0.15
        steps = np.arange(one.N) if one.N <= MOST_SINGLE else np.linspace(0, 1, classes, endpoint=not is_cyclic)
        given = np.asarray(one(steps, bytes=True))[:, :3]
    away = np.linalg.norm(ours[:, None].astype(float) - given, axis=2).min(1)
    return np.concatenate([given, ours[away > DIFFERENT]])[: len(CLASSES)]


def _darkened(anchors: Sequence[str]) -> list[str]:
    """The same hues round a dark middle: the ends are bright, the low one brighter."""
    low, high = anchors[1], anchors[-2]
    steps = [(low, 1.0), (low, 0.66), (low, 0.33), (low, 0.06), (high, 0.3), (high, 0.55), (high, 0.8), (high, 1.0)]
    return ["#" + bytes(mix(rgb("#171b21"), rgb(end), share)).hex() for end, share in steps]


def _from_matplotlib(name: str) -> list[str]:
    import matplotlib

    if name not in matplotlib.colormaps:
        every = {one.lower(): one for one in [*matplotlib.colormaps, *MAPS] if not one.endswith("_r")}
        near = [every[one] for one in get_close_matches(name.lower(), every, n=4, cutoff=0.5)]
        nearest = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        known = f"Known: {', '.join(MAPS)} and the maps of matplotlib"
        raise UserError(f"film.colours={name}: no such choice.{nearest} {known}")
    table = matplotlib.colormaps[name](np.linspace(0, 1, 33), bytes=True)
    return ["#" + bytes(row[:3]).hex() for row in table]


MOST_COLOURS = 255
MOST_HUES = 20
"""Classes that have a colour of their own; those beyond begin again, in other shapes."""


class Palette:
    """``rgb`` (colours, 3) uint8, of which the first ``bands`` are those of the field."""

    def __init__(self, bands: Array, used: Colours, classes: int) -> None:
        steps = np.array([1 / 3, 2 / 3])[:, None, None]
        greys = mix(used.paper, used.ink, np.linspace(0, 1, 16)[:, None])
        accents = used.classes[: max(2, min(len(used.classes), classes))]
        if classes > 2 and (accents[:2] != used.signs).any():
            accents = np.concatenate([accents, used.signs])
        tints = [mix(accents, ground, steps).reshape(-1, 3) for ground in (used.paper, used.ink)]
        needed = np.concatenate([bands, used.nothing[None], greys, accents, used.label[None], used.pale[None], *tints])
        room = max((MOST_COLOURS - len(needed)) // 4, 0)
        some = bands[np.linspace(0, len(bands) - 1, min(room, len(bands))).astype(int)]
        edges = [mix(some, ground, steps).reshape(-1, 3) for ground in (used.ink, used.paper)]
        self.colours, self.bands = used, len(bands)
        self.rgb = np.concatenate([needed, *edges])[:MOST_COLOURS]
        self.nothing = len(bands)
        """The index of "no value here"."""
        self._nearest = np.full(1 << 18, MOST_COLOURS, np.uint8)  # by six bits of each channel; MOST: not asked yet

    def grey(self, bands: Array) -> Array:
        """The indices of sixteen steps from paper to ink; the seventeenth is no value."""
        return np.where(bands < 16, bands + np.uint8(self.nothing + 1), np.uint8(self.nothing))

    def nearest(self, colour: Array) -> Array:
        """The index (n,) uint8 of the nearest colour to each of (n, 3)."""
        red, green, blue = (colour >> 2).T.astype(np.int64)
        keys = red << 12 | green << 6 | blue
        found = self._nearest[keys]
        if MOST_COLOURS in found:
            missing = found == MOST_COLOURS
            asked, first = np.unique(keys[missing], return_index=True)
            wanted, table = colour[missing][first].astype(np.float32), self.rgb.astype(np.float32)
            self._nearest[asked] = ((table**2).sum(1) - 2 * wanted @ table.T).argmin(1)
            found = self._nearest[keys]
        return np.asarray(found)


@lru_cache(maxsize=8)
def palette(name: str, levels: int, dark: bool, classes: int) -> Palette:
    """The palette of a colour map; with three classes or more, of so many shades of each class.

    All films of a process that look alike share it, and what it has already found to be nearest.
    """
    hues = min(classes, MOST_HUES)
    used = colours(name, levels, dark, hues)
    if classes < 3:
        return Palette(used.levels, used, levels // 6)
    return Palette(np.concatenate([used.shades(kind, shades(levels, hues)) for kind in range(hues)]), used, hues)


def shades(levels: int, classes: int) -> int:
    """How many shades each of three classes or more is given."""
    return max(3, min(levels // 2, 96 // min(classes, MOST_HUES)))
