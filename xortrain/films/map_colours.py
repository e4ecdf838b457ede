"""What the colours of a map mean: the outcome and how soon it was solved, a share, a number, or which solution it is.

A colouring turns the runs of a window after an epoch into bands of its palette, and lists what its legend says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xortrain.errors import counted
from xortrain.films.colours import Palette, get_colours, ramp, rgb
from xortrain.films.data import outcome_in_words
from xortrain.films.film_settings import FilmSettings
from xortrain.films.map_axis import log_ticks, tick_words
from xortrain.films.map_data import MapData, MapWindow
from xortrain.films.projection import even_ticks
from xortrain.nets import Array

STATES: dict[str, tuple[str, str]] = {
    "training": ("#e4e6e8", "#2c323a"),
    "plateau": ("#f3dcab", "#7a6238"),
    "saturated": ("#e07412", "#e67e22"),
    "dead": ("#6b1d12", "#f8d5ad"),
    "exploded": ("#dd1460", "#e0809c"),
    "diverged": ("#17131c", "#f4fbf8"),
    "learnt": ("#545f14", "#afcc66"),
    "clones": ("#a9c26b", "#a79b6f"),
    "linear": ("#d0b52c", "#a65916"),
    "early": ("#b3a7aa", "#6c7268"),
    "pending": ("#ffffff", "#14181d"),
}
"""The colours of outcomes other than solved, light and dark: neutral, then warm, for every eye apart from the blues."""
BLUES = ("#b9d6ec", "#6aa9d8", "#2f79b7", "#0a3a70"), ("#1d4770", "#2f74b0", "#5aa9e6", "#b3defc")
ORANGES = ("#fbd3a8", "#f0a159", "#dd7413", "#a34a06"), ("#6b3a12", "#b5621a", "#f09a45", "#ffdcb3")
GREENS = ("#cfe3cd", "#8dbb8b", "#4b8a53", "#174a27"), ("#1c4a30", "#3f8558", "#7dc596", "#d0f3da")
VIOLETS = ("#e3d3ea", "#b795c9", "#8455a2", "#472063"), ("#46265c", "#7e4f9d", "#bb8fd6", "#ecd9f7")
RAMPS = (BLUES, ORANGES, GREENS, VIOLETS)
"""From late to early: light to dark, and on a dark background dark to light."""
MOST_BANDS = 176
FALLS_BY = 10  # the ratio of the last epoch to the first from which their scale is logarithmic
TAIL = 0.005  # share of losses at either end that may be beyond the scale


@dataclass(frozen=True)
class LegendItem:
    """A colour or a bar of colours, and what it means; ``ticks`` are fractions of the bar and what stands there."""

    word: str
    bands: Array  # the bands that count for its share
    ticks: tuple[tuple[float, str], ...] = ()
    has_share: bool = True

    @property
    def is_bar(self) -> bool:
        return len(self.bands) > 1


@dataclass(frozen=True)
class MapColours:
    """A palette, the legend, and ``bands``: (window, epoch) -> (down, across) uint8."""

    palette: Palette
    legend: tuple[LegendItem, ...]
    bands: Callable[[MapWindow, int], Array]


def map_colours(data: MapData, settings: FilmSettings) -> MapColours:
    """The colouring that the data name."""
    make = {"outcome": _by_outcome, "solved": _by_share, "solution": _by_solution}.get(data.colour_by, _by_value)
    return make(data, settings)


class Bands:
    """The bands of a palette: the states first, then the shades of each ramp."""

    def __init__(self, settings: FilmSettings, ramps: Sequence[Array]) -> None:
        used = get_colours(settings.colours, 24, settings.dark)
        states = np.array([rgb(pair[settings.dark]) for pair in STATES.values()])
        ends = len(states) + np.cumsum([len(shades) for shades in ramps], dtype=int)
        places = zip(ramps, ends.tolist(), strict=True)
        self.ramps = [np.arange(end - len(shades), end, dtype=np.uint8) for shades, end in places]
        self.palette = Palette(np.concatenate([states, *ramps]), used, 2)

    def state(self, word: str) -> int:
        """The band of an outcome; that of an unknown one is that of runs that are stopped."""
        return list(STATES).index(word if word in STATES else "early")

    def of_codes(self, data: MapData) -> Array:
        """The band of each code; solved is not among them."""
        return np.array([self.state(word) for word in data.words], np.uint8)

    def swatches(self, data: MapData, words: Sequence[str]) -> list[LegendItem]:
        return [LegendItem(outcome_in_words(word, data.epochs), np.array([self.state(word)])) for word in words]


def shades(settings: FilmSettings, number: int, count: int) -> Array:
    """``count`` shades of a ramp, from late to early; the first ramp is that of film.colours."""
    if number or settings.colours == "default":
        return ramp(RAMPS[number][settings.dark], count)
    levels = get_colours(settings.colours, 100, settings.dark).levels
    return np.asarray(levels[np.linspace(64, 99, count).round().astype(int)])


def _by_outcome(data: MapData, settings: FilmSettings) -> MapColours:
    used = Bands(settings, [shades(settings, 0, settings.levels)])
    scale, of_code, late = EpochScale(data, settings.levels), used.of_codes(data), used.ramps[0]

    @lru_cache(maxsize=1)
    def at_the_end(window: MapWindow) -> Array:
        code, since = window.code[..., 0], window.since[..., 0]
        return np.where(code == data.solved, late[scale.steps(since)], of_code[code])

    def bands(window: MapWindow, epoch: int) -> Array:
        return np.where(window.since[..., 0] <= epoch, at_the_end(window), np.uint8(used.state("training")))

    first = [LegendItem("solved at epoch", late[::-1], scale.ticks)] if scale.is_used else []
    return MapColours(used.palette, (*first, *used.swatches(data, ended_words(data))), bands)


def _by_share(data: MapData, settings: FilmSettings) -> MapColours:
    used = Bands(settings, [shades(settings, 0, settings.levels)])
    steps, count = used.ramps[0], data.windows[0].runs_of_a_cell

    def bands(window: MapWindow, epoch: int) -> Array:
        solved = ((window.code == data.solved) & (window.since <= epoch)).sum(axis=2)
        step = np.minimum(solved * len(steps) // count, len(steps) - 1)
        return np.where(solved == 0, np.uint8(used.state("training")), steps[step])

    ticks = ((0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %"))
    bar = LegendItem(f"solved of {counted(count, 'run')}", steps, ticks, has_share=False)
    return MapColours(used.palette, (bar, LegendItem("none", np.array([used.state("training")]))), bands)


def _by_value(data: MapData, settings: FilmSettings) -> MapColours:
    """The median of the runs of a cell, once all of them have ended."""
    levels = get_colours(settings.colours, settings.levels, settings.dark).levels
    used, is_loss = Bands(settings, [levels]), data.colour_by == "loss"
    scale, of_code = ValueScale(data, is_loss), used.of_codes(data)
    steps = used.ramps[0][::-1] if is_loss else used.ramps[0]

    @lru_cache(maxsize=1)
    def at_the_end(window: MapWindow) -> Array:
        assert window.value is not None
        value = median(window.value)
        step = np.clip(np.nan_to_num(scale.share(value)) * len(steps), 0, len(steps) - 1).astype(int)
        return np.where(np.isfinite(value), steps[step], of_code[window.code[..., 0]])

    def bands(window: MapWindow, epoch: int) -> Array:
        return np.where((window.since <= epoch).all(axis=2), at_the_end(window), np.uint8(used.state("training")))

    several = data.windows[0].runs_of_a_cell > 1
    word = ("median " if several else "") + ("final loss" if is_loss else "held-out accuracy")
    bar = LegendItem(word, steps, scale.ticks, has_share=False)
    lost = [word for word in ended_words(data) if word in ("diverged", "exploded", "pending")]
    return MapColours(used.palette, (bar, *used.swatches(data, [*lost, "training"])), bands)


def median(value: Array) -> Array:
    """The median (down, across) over the runs of a cell; NaN if most have no value."""
    if value.shape[2] == 1:
        return np.asarray(value[..., 0])
    return np.asarray(np.median(np.where(np.isfinite(value), value, np.nan), axis=2))


def _by_solution(data: MapData, settings: FilmSettings) -> MapColours:
    count = min(settings.levels, MOST_BANDS // len(RAMPS))
    used = Bands(settings, [shades(settings, number, count) for number in range(len(RAMPS))])
    scale, table = EpochScale(data, count), np.array(used.ramps)

    @lru_cache(maxsize=1)
    def at_the_end(window: MapWindow) -> Array:
        assert window.value is not None
        kind = window.value[..., 0].astype(int)
        found = table[np.maximum(kind, 0), scale.steps(window.since[..., 0])]
        return np.where(kind >= 0, found, np.uint8(used.state("training")))

    def bands(window: MapWindow, epoch: int) -> Array:
        return np.where(window.since[..., 0] <= epoch, at_the_end(window), np.uint8(used.state("training")))

    named = [(word, own[::-1]) for word, own in zip(data.kinds, used.ramps, strict=False) if word]
    bars = [LegendItem(word, own, scale.ticks if own is named[-1][1] else ()) for word, own in named]
    heading = [LegendItem("solved at epoch, joining", np.zeros(0, int), has_share=False)] if bars else []
    rest = LegendItem("not solved", np.array([used.state("training")]))
    return MapColours(used.palette, (*heading, *bars, rest), bands)


def ended_words(data: MapData) -> list[str]:
    """The outcomes other than solved that runs have, in the order of STATES; still training is always among them."""
    codes = np.zeros(256, bool)
    for window in data.windows:
        codes |= np.bincount(window.code.ravel(), minlength=256) > 0
    found = {word for word, is_there in zip(data.words, codes, strict=False) if is_there} | {"training"}
    own = [word for word in found if word not in STATES and word != "solved"]
    return [*(word for word in STATES if word in found), *sorted(own)]


class EpochScale:
    """Epochs at which runs are solved, as steps of a ramp from late to early: logarithmic if they differ much."""

    def __init__(self, data: MapData, count: int) -> None:
        self.first, self.last = data.solved_range
        self.count, self.is_used = count, any((window.code == data.solved).any() for window in data.windows)
        self.is_log = self.last + 1 >= FALLS_BY * (self.first + 1)

    def share(self, epochs: Array) -> Array:
        """Where epochs are between the first one, 0, and the last one, 1."""
        ends = np.array([self.first, self.last], float)
        at = np.clip(np.asarray(epochs, float), *ends)
        low, high = np.log1p(ends) if self.is_log else ends
        return np.asarray(((np.log1p(at) if self.is_log else at) - low) / max(high - low, 1e-9))

    def steps(self, epochs: Array) -> Array:
        """Indices into a ramp."""
        return np.minimum((1 - self.share(epochs)) * self.count, self.count - 1).astype(np.int64)

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """The first and the last epoch, and round ones between them."""
        low, high = max(self.first, 1), max(self.last, 1)
        if high <= low:
            return ((0.0, str(self.first)),)
        inner = log_ticks(low, high, 5) if self.is_log else even_ticks(low, high, 4)
        places = [(float(self.share(np.array(value))), f"{value:.0f}") for value in np.unique(inner.round())]
        return ((0.0, str(self.first)), *places, (1.0, str(self.last)))


class ValueScale:
    """Values between the smallest and the largest one; losses on a logarithmic scale, without a few of the extremes."""

    def __init__(self, data: MapData, is_log: bool) -> None:
        found = np.concatenate([median(window.value).ravel() for window in data.windows if window.value is not None])
        found = found[np.isfinite(found) & ((found > 0) | (not is_log))]
        found = found if len(found) else np.array([1.0])
        self.low, self.high = np.quantile(found, [TAIL, 1 - TAIL]) if is_log else (found.min(), found.max())
        self.is_log, self.ends = is_log, (found.min() < self.low, found.max() > self.high)
        if self.low == self.high:
            self.low, self.high = (self.low / 2, self.high * 2) if is_log else (self.low - 0.5, self.high + 0.5)

    @np.errstate(all="ignore")
    def share(self, values: Array) -> Array:
        ends = np.array([self.low, self.high])
        low, high = np.log(ends) if self.is_log else ends
        return np.asarray(((np.log(values) if self.is_log else values) - low) / (high - low))

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """A few round values; those at the ends say if there are values beyond."""
        make = log_ticks if self.is_log and self.high / self.low > 3 else even_ticks
        values = make(self.low, self.high, 4)
        words = tick_words(values)
        if not self.is_log:
            words = [f"{100 * value:.3g} %" for value in values]
        return tuple((float(self.share(value)), word) for value, word in zip(values, words, strict=True))
