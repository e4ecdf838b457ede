"""When an example counts as right: the one rule that stop, outcome, table and film go by.

A rule gives every target the open interval in which the output is right; an example is right in all its outputs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from xortrain.nets import Array, Numbers

Interval = tuple[Array, Array]


def midpoint(t: Array, low: Array, high: Array) -> Interval:
    """On the target's side of the middle between low and high; on the middle itself is not right."""
    middle = (low + high) / 2
    return np.where(t > middle, middle, -np.inf), np.where(t > middle, np.inf, middle)


def tolerance(t: Array, low: Array, high: Array, within: Array) -> Interval:
    """Less than ``within`` away from the target."""
    return t - within, t + within


def fahlman(t: Array, low: Array, high: Array) -> Interval:
    """40-20-40: the lowest 40 % of low..high read low, the highest 40 % high (Fahlman 1988)."""
    low, high = np.minimum(low, high), np.maximum(low, high)
    is_high, span = t > (low + high) / 2, high - low
    return np.where(is_high, high - 0.4 * span, -np.inf), np.where(is_high, np.inf, low + 0.4 * span)


SUCCESS: dict[str, Callable[..., Interval]] = {"midpoint": midpoint, "tolerance": tolerance, "fahlman": fahlman}


@dataclass(frozen=True)
class Rule:
    """A row of SUCCESS with its numbers, arrays (runs,); low and high are the two target values."""

    name: str
    low: Array
    high: Array
    settings: Numbers = field(default_factory=dict)

    def interval(self, t: Array) -> Interval:
        """Between which two values outputs are right, for targets t (examples, outputs, 1 or runs)."""
        return SUCCESS[self.name](t, self.low, self.high, **self.settings)

    def right(self, y: Array, t: Array) -> Array:
        """Which examples are right: (examples, *runs) for y and t (examples, outputs, *runs)."""
        return within(y, self.interval(t))

    def take(self, runs: Array) -> "Rule":
        """The rule for some of its runs."""
        settings = {name: value[runs] for name, value in self.settings.items()}
        return Rule(self.name, self.low[runs], self.high[runs], settings)


def within(y: Array, interval: Interval) -> Array:
    """Which examples have all outputs inside: (examples, …) for y (examples, outputs, …); nan is outside."""
    inside = np.greater(y, interval[0])
    inside &= np.less(y, interval[1])
    return np.logical_and.reduce(inside, axis=1)
