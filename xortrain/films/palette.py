"""At most 255 colours for a whole film, and which of them is nearest to any other colour.

The bands of the field come first and are exact; then paper to ink, the classes, and what a line's soft edge
makes of ink or paper on each band.
"""

from functools import lru_cache

import numpy as np

from xortrain.films.colours import Colours, colours, mix
from xortrain.nets import Array

MOST = 255
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
        room = max((MOST - len(needed)) // 4, 0)
        some = bands[np.linspace(0, len(bands) - 1, min(room, len(bands))).astype(int)]
        edges = [mix(some, ground, steps).reshape(-1, 3) for ground in (used.ink, used.paper)]
        self.colours, self.bands = used, len(bands)
        self.rgb = np.concatenate([needed, *edges])[:MOST]
        self.nothing = len(bands)
        """The index of "no value here"."""
        self._nearest = np.full(1 << 18, MOST, np.uint8)  # by six bits of each channel; MOST: not asked yet

    def grey(self, bands: Array) -> Array:
        """The indices of sixteen steps from paper to ink; the seventeenth is no value."""
        return np.where(bands < 16, bands + np.uint8(self.nothing + 1), np.uint8(self.nothing))

    def nearest(self, colour: Array) -> Array:
        """The index (n,) uint8 of the nearest colour to each of (n, 3)."""
        red, green, blue = (colour >> 2).T.astype(np.int64)
        keys = red << 12 | green << 6 | blue
        found = self._nearest[keys]
        if MOST in found:
            missing = found == MOST
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
