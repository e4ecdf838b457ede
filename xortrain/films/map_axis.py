"""An axis of a map: where its values are, evenly spaced or on a logarithmic scale, and its round ticks.

Values that are neither have equal steps, and each tick is one of the values themselves.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xortrain.films.projection import even_ticks
from xortrain.nets import Array

EVEN = 0.02  # of a step: how far a value may be off its place
FEW = 9  # values that are named one by one
MOST_DIGITS = 9  # of a tick; closer ones are written as a difference
CLOSE = 1e-4  # of the values: how far apart such ticks are at most


@dataclass(frozen=True)
class MapAxis:
    """A setting and its increasing values (n,), one for each column or row of cells."""

    name: str
    values: Array

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def scale(self) -> str:
        """linear, log, or rank for values that are evenly spaced on neither scale."""
        numbers = self.values.astype(float)
        if is_even(numbers):
            return "linear"
        return "log" if numbers[0] > 0 and is_even(np.log(numbers)) else "rank"

    def place(self, values: Array) -> Array:
        """Where values (m,) are, as a fraction of the axis; the first cell is centred half a cell from its end."""
        numbers, at = self.values.astype(float), np.asarray(values, float)
        if self.scale == "rank" or len(numbers) < 2:
            steps = np.interp(at, numbers, np.arange(len(numbers)))
        else:
            scaled = _log if self.scale == "log" else np.asarray
            low, high = scaled(numbers[[0, -1]])
            steps = (scaled(at) - low) / (high - low) * (len(numbers) - 1)
        return np.asarray((steps + 0.5) / len(numbers))

    def ticks(self, most: int) -> tuple[Array, list[str], str]:
        """Up to ``most`` values (ticks,), what is written at them, and what is written once beside the name.

        The last is a number from which the ticks count, where they differ in their last digits only.
        """
        most, numbers = max(most, 2), self.values.astype(float)
        if self.scale == "rank" or len(numbers) <= min(FEW, most):
            chosen = numbers[np.unique(np.linspace(0, len(numbers) - 1, min(most, len(numbers))).round().astype(int))]
        elif self.scale == "log" and numbers[-1] / numbers[0] > 3:
            chosen = log_ticks(numbers[0], numbers[-1], most)
        else:
            chosen = found if len(found := even_ticks(numbers[0], numbers[-1], most)) > 1 else numbers[[0, -1]]
        words = tick_words(chosen)
        if max(map(len, words)) <= MOST_DIGITS + 2 or np.ptp(chosen) > CLOSE * abs(chosen).max():
            return chosen, words, ""
        middle = chosen[len(chosen) // 2]
        return chosen, [f"{value - middle:+.3g}" if value != middle else "0" for value in chosen], f"{middle:.15g}"


def is_even(values: Array) -> bool:
    """Whether increasing values have equal steps, up to rounding."""
    if len(values) < 3:
        return True
    wanted = np.linspace(values[0], values[-1], len(values))
    return bool(np.abs(values - wanted).max() <= EVEN * (values[-1] - values[0]) / (len(values) - 1))


def _log(values: Array) -> Array:
    return np.log(np.maximum(values, np.finfo(float).tiny))


def log_ticks(low: float, high: float, most: int) -> Array:
    """1, 2, 5, 10 … between two values; only powers of ten, or every few of them, if those are too many."""
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    rarer = [((1.0,), every) for every in range(1, len(powers) + 1)]
    for factors, every in (((1.0, 2.0, 5.0), 1), ((1.0, 3.0), 1), *rarer):
        chosen = [float(f"{factor:g}e{int(power):d}") for power in powers[::every] for factor in factors]
        found = np.array([value for value in chosen if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)])
        if len(found) <= most:
            break
    return found if len(found) > 1 else np.array([low, high])


def tick_words(values: Array) -> list[str]:
    """The shortest decimals of increasing values, each right to a hundredth of its distance to the next one."""
    gaps = np.diff(values) if len(values) > 1 else np.zeros(1)
    apart = np.minimum(np.append(gaps, gaps[-1]), np.append(gaps[0], gaps))[: len(values)]
    return [_shortest(value, 0.01 * room) for value, room in zip(values.tolist(), apart.tolist(), strict=True)]


def _shortest(value: float, tolerance: float) -> str:
    words = (tick_word(value, digits) for digits in range(1, 18))
    return next((word for word in words if abs(float(word) - value) <= tolerance), f"{value:.17g}")


def tick_word(value: float, digits: int) -> str:
    """A number with the given digits; with an exponent only below 0.001 and from a million on."""
    plain = f"{value:.{digits}g}"
    if "e" not in plain:
        return plain
    if 1e-3 <= abs(value) < 1e6:
        return f"{float(plain):.0f}" if abs(value) >= 1 else f"{float(plain):f}".rstrip("0")
    mantissa, _, power = plain.partition("e")
    return f"{mantissa}e{int(power)}"
