"""Which values are written beside an axis, and in how many digits.

Round ones, multiples of 1, 2 or 5 times a power of ten; of two values alone these themselves.
"""

import numpy as np

from xortrain.nets import Array


def ticks(values: Array) -> Array:
    """The values themselves if they are two at most; else the least and the greatest round number among them."""
    some = np.unique(values)
    if len(some) <= 2:
        return some
    slack = 0.02 * (some[-1] - some[0])
    inside = round_steps(some[0] - slack, some[-1] + slack)
    return np.array([inside[0], inside[-1]])


def round_steps(low: float, high: float) -> list[float]:
    """Three to six multiples of 1, 2 or 5 times a power of ten from low to high."""
    rough = (high - low) / 5
    unit = 10 ** np.floor(np.log10(rough))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough * (1 - 1e-9))
    return [float(n * step) for n in range(int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9)) + 1)]


def told_apart(values: Array) -> list[str]:
    """The values in three digits, or in as many as tell them from one another to a hundredth."""
    apart = float(np.ptp(values)) / 100 if len(values) else 0.0
    for digits in range(3, 17):
        words = [f"{value + 0.0:.{digits}g}" for value in values]
        if all(abs(float(word) - value) <= apart for word, value in zip(words, values, strict=True)):
            return words
    return [f"{value:.3g}" for value in values]
