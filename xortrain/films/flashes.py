"""Whether a film flashes: the general and the red flash of WCAG 2.3.1, counted pixel by pixel.

A transition is a rise or a fall of a pixel's relative luminance by 0.1 or more between successive extremes, the darker
of which is below 0.8; or a change to or from a saturated red. Two transitions are a flash.
"""

from collections.abc import Sequence

import numpy as np

from xortrain.films.colours import linear, luminance
from xortrain.nets import Array

MOST_FLASHES = 3  # of a pixel in a second
MOST_AREA = 0.25  # share of the pixels that may flash more often
MOST_SEEN, SEEN = 4000, 1 << 20  # pixels of a frame that are counted, and of all frames
SLOW = 0.2  # seconds of a frame, at five frames a second, at which no pixel can flash too often
STEP, LIGHT = 0.1, 0.8  # change of relative luminance that counts; lightness beyond which it does not
RED = 0.8  # share of red in a saturated red


def saturated_red(rgb: Array) -> Array:
    """0 or 1 (…): whether sRGB colours (…, 3) are a saturated red."""
    light = linear(rgb)
    return np.asarray((light[..., 0] >= RED * np.maximum(light.sum(-1), 1e-9)).astype(float))


class FlashMeter:
    """Counts transitions over a film that repeats: of frames that are added one after the other, then from the start.

    It sees some pixels of each frame, so few that a long film does not take more memory.
    """

    def __init__(self, palette: Array, frames: int, width: int, height: int) -> None:
        """``palette`` (colours, 3) has the colours of the frames' indices; ``frames`` is the number of frames."""
        self.stride = max(1, round((width * height / min(MOST_SEEN, SEEN / max(frames, 1))) ** 0.5))
        table = np.zeros((2, 256), np.float32)
        table[0, : len(palette)], table[1, : len(palette)] = luminance(palette), saturated_red(palette)
        self._table, self._frames = table, list[Array]()

    def add(self, frame: Array) -> None:
        """Add a frame (height, width) of palette indices."""
        self._frames.append(frame[self.stride // 2 :: self.stride, self.stride // 2 :: self.stride].ravel())

    def transitions(self, seconds: Array) -> tuple[Array, Array]:
        """Whether each pixel has a transition of luminance, and of red, at each frame: (frames and more, pixels) each.

        After the last of the frames, shown for ``seconds`` (frames,) each, come the first second's again: the seam.
        """
        again = int(np.searchsorted(np.cumsum(seconds), 1.0)) + 1
        frames = np.array(self._frames + self._frames[:again])
        return both_transitions(self._table[0][frames], self._table[1][frames])


def both_transitions(light: Array, red: Array) -> tuple[Array, Array]:
    """Where there are transitions of luminance and of red, both (frames, pixels): (frames, pixels) each."""
    return turning_points(light, STEP, LIGHT), turning_points(red, 0.5, np.inf)


def turning_points(values: Array, step: float, light: float) -> Array:
    """Where values (frames, pixels) have moved by ``step`` since their last extreme, against the direction before.

    A change counts only if its darker end is below ``light``.
    """
    low, high = values[0].copy(), values[0].copy()
    heading = np.zeros(values.shape[1], np.int8)
    found = np.zeros(values.shape, bool)
    for number, value in enumerate(values[1:], start=1):
        np.minimum(low, value, out=low)
        np.maximum(high, value, out=high)
        rises = (value - low >= step) & (heading <= 0) & (low < light)
        falls = (high - value >= step) & (heading >= 0) & (value < light) & ~rises
        found[number] = rises | falls
        heading[rises], heading[falls] = 1, -1
        high[rises], low[falls] = value[rises], value[falls]
        low[rises], high[falls] = value[rises], value[falls]
    return found


def flashing_frames(transitions: Sequence[Array], seconds: Array, most: float = MOST_AREA) -> Array:
    """Which frames (frames,) are in a second in which more than a share ``most`` of the pixels flash too often.

    ``transitions`` are arrays (frames and more, pixels) of one kind each, where the first frames may come again after
    the last; ``seconds`` (frames,) is how long each frame lasts.
    """
    frames, count = len(seconds), len(transitions[0])
    starts = np.concatenate([[0.0], np.cumsum(np.resize(seconds, count))[:-1]])
    ends = np.searchsorted(starts, starts + 1 - 1e-9)
    flashing = np.zeros(count, bool)
    for found in transitions:
        counts = np.concatenate([np.zeros((1, found.shape[1]), np.int32), np.cumsum(found, axis=0, dtype=np.int32)])
        often = (counts[ends] - counts[:-1] > 2 * MOST_FLASHES).mean(axis=1) > most
        for first in np.flatnonzero(often).tolist():
            flashing[first : ends[first]] = True
    flashing[: count - frames] |= flashing[frames:]
    return flashing[:frames]


def calmed(transitions: Sequence[Array], seconds: Array) -> Array:
    """How long each frame (frames,) must last so that the film does not flash: at least SLOW where it would."""
    seconds = np.array(seconds, float)
    while True:
        quick = flashing_frames(transitions, seconds) & (seconds < SLOW)
        if not quick.any():
            return seconds
        seconds[quick] = SLOW
