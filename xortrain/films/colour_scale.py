"""What of a network's outputs is shown: one value between two targets, or the class that is ahead.

One output is shown as it is; of two classes the second's lead over the first, put on the same scale; of three
and more the leading class, in shades of its value.  Outputs that are no classes are shown one, the first.
"""

from dataclasses import dataclass

import numpy as np

from xortrain.films.colours import MOST_HUES, shades
from xortrain.films.data import FilmData
from xortrain.films.film_settings import FilmSettings
from xortrain.nets import Array

FAR = 100
"""Values as many times the distance of the targets away from them have exploded, and no colour."""


@dataclass(frozen=True)
class ColourScale:
    """How outputs (outputs, …) become bands of colour (…) and boundaries."""

    low: float
    high: float
    levels: int
    classes: int
    """How many classes the outputs stand for: two for one output with two targets, 0 for real values."""
    leads: bool
    """Whether each output belongs to a class of its own."""
    several: bool
    """Whether there are outputs that are not shown."""
    hollow: str = "wrong"
    """What an example is whose mark is hollow."""

    @property
    def nothing(self) -> int:
        """The band that means: no number here."""
        return min(self.classes, MOST_HUES) * shades(self.levels, self.classes) if self.classes > 2 else self.levels

    def value(self, y: Array) -> Array:
        """The one number (…) shown of outputs (outputs, …), on the scale of the targets."""
        if not self.leads:
            return np.asarray(y[0])
        if self.classes == 2:
            return np.asarray((y[1] - y[0] + (self.low + self.high)) / 2)
        return np.asarray(y.max(0))

    def bands(self, y: Array) -> Array:
        """The band of colour (…) uint8 of outputs (outputs, …)."""
        if self.classes < 3:
            return band(self.value(y), self.low, self.high, self.levels)
        count = shades(self.levels, self.classes)
        shade = band(y.max(0), self.low + (self.high - self.low) / self.classes, self.high, count)
        hue = (y.argmax(0) % MOST_HUES).astype(np.uint8)
        return np.where(shade == count, np.uint8(self.nothing), hue * np.uint8(count) + shade)

    def alone(self, output: int, y: Array) -> Array:
        """The band of colour (…) uint8 of one of several outputs; in its class's own colours, if it has any."""
        if self.classes < 3:
            bands = band(y, self.low, self.high, self.levels)
            first = self.leads and output == 0
            return np.where(bands < self.levels, np.uint8(self.levels - 1) - bands, bands) if first else bands
        count = shades(self.levels, self.classes)
        shade = band(y, self.low, self.high, count)
        return np.where(shade == count, np.uint8(self.nothing), shade + np.uint8(output % MOST_HUES * count))

    def is_lost(self, y: Array) -> bool:
        """Whether any of the outputs (examples, outputs) has no place on the scale."""
        return bool((self.bands(y.T.astype(float)) == self.nothing).any())

    def boundaries(self, y: Array) -> list[Array]:
        """Values (…) that are zero where one class gives way to another; none for real values."""
        if self.classes == 2:
            return [self.value(y) - (self.low + self.high) / 2]
        if self.classes < 3:
            return []
        best = np.sort(y, axis=0)[-2:]
        return [np.where(y[kind] == best[1], best[1] - best[0], y[kind] - best[1]) for kind in range(self.classes)]

    def kinds(self, t: Array) -> Array:
        """The class (examples,) of targets (examples, outputs), counted from 0; all 0 for real values."""
        if self.leads:
            return np.asarray(t.argmax(1))
        if self.classes == 2:
            return np.asarray((t[:, 0] > (self.low + self.high) / 2).astype(int))
        return np.zeros(len(t), int)


def colour_scale(subject: FilmData, settings: FilmSettings) -> ColourScale:
    """What the targets say about the outputs."""
    t = np.moveaxis(subject.t, 1, 0).reshape(subject.network.outputs, -1)
    binary = bool(np.isin(t, (subject.low, subject.high)).all()) and subject.low != subject.high
    one_hot = binary and len(t) > 1 and bool(((t == subject.high).sum(0) == 1).all())
    classes = len(t) if one_hot else 2 if binary else 0
    return ColourScale(
        float(subject.low), float(subject.high), settings.levels, classes, one_hot, len(t) > 1 and not one_hot,
        _hollow(subject, classes, one_hot),
    )  # fmt: skip


def _hollow(subject: FilmData, classes: int, leads: bool) -> str:
    """Wrong; or what its rule asks for beyond that the field has the right colour there."""
    t, span = subject.data(0)[1], subject.high - subject.low
    barely = (subject.low + subject.high) / 2 * 0.98 + 0.02 * t
    if not classes:
        return "one is wrong" if t.shape[1] > 1 else "wrong"
    if classes == 2 and leads and subject.network.layers[-1].activation == "softmax":
        return "wrong"
    if not subject.right(barely, t).all():
        return "not near enough"
    return "not past the midpoint" if leads and not subject.right(barely - 0.1 * span, t).all() else "wrong"


def band(value: Array, low: float, high: float, count: int) -> Array:
    """Which of ``count`` equal bands from low to high each value lies in; ``count`` itself for none.

    Values outside belong to the band at that end, but not nan, and not those beyond FAR times the whole scale.
    """
    scale = count / ((high - low) or 1)
    scaled = (value - low) * scale if low else value * scale
    if value.min() >= low and value.max() <= high:
        bands = np.asarray(scaled.astype(np.uint8))
        bands -= (bands == count).view(np.uint8)  # the high end itself; np.minimum takes five times as long
        return bands
    bands = np.fmin(np.fmax(scaled, 0), count - 0.5).astype(np.uint8)
    bands[~(np.abs(scaled) <= FAR * count)] = count  # nan is not
    return np.asarray(bands)
