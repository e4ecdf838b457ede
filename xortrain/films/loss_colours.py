"""Losses as bands of colour from the highest, dark, to the lowest, light; and the peaks of a distribution of losses."""

import numpy as np

from xortrain.films.colours import Palette, get_colours, mix
from xortrain.films.film_settings import FilmSettings
from xortrain.films.loss_curve import LEAST_RATIO, round_losses
from xortrain.films.sequences import sequence
from xortrain.nets import Array

OUTSIDE = 0.002  # the share of losses beyond either end of the scale, which have the colour of the end
PALE = 0.8  # the share of background in the colours of what is still to come
VALLEY = 0.6  # two peaks are one unless the counts between them fall below this share of the lower one
LEAST_PEAK = 0.03  # the share of runs that a peak needs


class LossColours:
    """A fixed scale of losses, logarithmic where they span much; band 0 is the highest loss."""

    def __init__(self, losses: Array, settings: FilmSettings) -> None:
        """``losses`` are those that the scale must show."""
        finite = losses[np.isfinite(losses)]
        low, high = np.quantile(finite, [OUTSIDE, 1 - OUTSIDE]).tolist() if len(finite) else (0.0, 1.0)
        self.log = low > 0 and high > LEAST_RATIO * low
        if not self.log:
            low, high = min(low, 0.0), high if high > low else low + 1
        self.low, self.high, self.levels = low, high, settings.levels
        self.ends = (np.log10(low), np.log10(high)) if self.log else (low, high)
        used = get_colours(settings.colours, settings.levels, settings.dark)
        bands = sequence(settings.colours, self.levels + self.levels // 12)[: self.levels]  # without what looks white
        pale = mix(np.concatenate([bands, used.no_value[None]]), used.paper, PALE)
        self.palette = Palette(np.concatenate([bands, pale]), used, 2)

    def depth(self, losses: Array) -> Array:
        """Where losses (…) are on the scale, from 0 for the highest to 1 for the lowest."""
        low, high = self.ends
        values = np.log10(np.maximum(losses, self.low)) if self.log else losses
        return np.asarray(np.clip((high - values) / (high - low), 0, 1))

    def bands(self, losses: Array, pale: bool = False) -> Array:
        """Palette indices (…) of losses (…), or their pale ones; that of no value for NaN."""
        none, no_value = np.isnan(losses), 2 * self.levels if pale else self.palette.no_value
        shares = self.depth(np.where(none, self.high, losses))
        bands = np.minimum(shares * self.levels, self.levels - 1).astype(np.uint8)
        return np.where(none, np.uint8(no_value), bands + np.uint8(self.levels * pale))

    def ticks(self) -> list[tuple[float, str]]:
        """Round losses: where they are on the scale, and their labels; "" for a short tick."""
        return [(float(self.depth(np.array(value))), word) for value, word in round_losses(*self.ends, self.log)]


def find_peaks(counts: Array) -> list[tuple[int, int]]:
    """The bins (first, after last) of each peak of a histogram, in the order of the bins.

    Counts are smoothed a little; a peak has at least LEAST_PEAK of all.
    """
    smooth = np.convolve(counts, [0.25, 0.5, 0.25], "same")
    basin, tops = np.full(len(smooth), -1), list[int]()
    for place in np.argsort(-smooth, kind="stable").tolist():
        if not smooth[place]:
            break
        beside = {int(basin[k]) for k in (place - 1, place + 1) if 0 <= k < len(smooth) and basin[k] >= 0}
        higher = max(beside, key=lambda one: smooth[tops[one]], default=len(tops))
        if not beside:
            tops.append(place)
        basin[place] = higher
        for lower in beside - {higher}:
            if smooth[place] > VALLEY * smooth[tops[lower]]:
                basin[basin == lower] = higher
    found = [np.flatnonzero(basin == one) for one in np.unique(basin[basin >= 0])]
    ends = sorted((int(places[0]), int(places[-1]) + 1) for places in found)
    return [(first, last) for first, last in ends if counts[first:last].sum() >= max(LEAST_PEAK * counts.sum(), 2)]
