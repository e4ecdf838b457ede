"""The schedules: each is a factor on the learning rate of the config, epoch by epoch.

Epochs count from 0 for the first update; settings and factor are (*runs,).  Conventions are PyTorch's.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from xortrain.nets import Array
from xortrain.nets.setting import Settings, number


@dataclass(frozen=True)
class Schedule:
    """``factor(epoch, epochs, **settings)`` multiplies the learning rate; None stands for 1.

    ``epoch`` is a number, or whatever follows NumPy's protocols.
    """

    help: str
    factor: Callable[..., Array | None]
    settings: Settings = field(default_factory=dict)


_cos = np.frompyfunc(math.cos, 1, 1)


def step_decay(epoch: int, epochs: int, *, every: Array, gamma: Array) -> Array:
    """γ^⌊epoch / every⌋ (StepLR)."""
    return np.power(gamma, np.floor_divide(epoch, every).astype(gamma.dtype))


def exponential_decay(epoch: int, epochs: int, *, gamma: Array) -> Array:
    """γ^epoch (ExponentialLR)."""
    return np.power(gamma, np.zeros_like(gamma) + epoch)


def cosine_decay(epoch: int, epochs: int, *, final: Array) -> Array:
    """From 1 down to final along half a cosine (CosineAnnealingLR, T_max = epochs, eta_min = final · rate)."""
    return final + (1 - final) * (0.5 * (1 + _cos(math.pi * epoch / epochs)))


_GAMMA = {"gamma": number("factor", 0, 1)}

SCHEDULES: dict[str, Schedule] = {
    "constant": Schedule("the rate stays", lambda epoch, epochs: None),
    "step": Schedule("times gamma every few epochs", step_decay, {"every": number("epochs", 1), **_GAMMA}),
    "exponential": Schedule("times gamma every epoch", exponential_decay, _GAMMA),
    "cosine": Schedule("down half a cosine", cosine_decay, {"final": number("share of the rate at the end", 0, 1)}),
}
"""Name of a schedule in a config to its row."""
