"""How the learning rate changes over the epochs: each schedule is a factor on the rate of the config.

Epochs count from 0 for the first update; settings and factor are (*runs,).  Conventions are PyTorch's.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xortrain.nets import Array


@dataclass(frozen=True)
class Schedule:
    """``factor(epoch, epochs, **settings)`` multiplies the learning rate; None stands for 1."""

    factor: Callable[..., Array | None]
    settings: tuple[str, ...] = ()


def step(epoch: int, epochs: int, *, every: Array, gamma: Array) -> Array:
    """γ^⌊epoch / every⌋ (StepLR)."""
    return np.power(gamma, np.floor_divide(epoch, every).astype(gamma.dtype))


def exponential(epoch: int, epochs: int, *, gamma: Array) -> Array:
    """γ^epoch (ExponentialLR)."""
    return np.power(gamma, np.full_like(gamma, epoch))


def cosine(epoch: int, epochs: int, *, final: Array) -> Array:
    """From 1 down to final along half a cosine (CosineAnnealingLR, T_max = epochs, eta_min = final · rate)."""
    return final + (1 - final) * (0.5 * (1 + math.cos(math.pi * epoch / epochs)))


SCHEDULES: dict[str, Schedule] = {
    "constant": Schedule(lambda epoch, epochs: None),
    "step": Schedule(step, ("every", "gamma")),
    "exponential": Schedule(exponential, ("gamma",)),
    "cosine": Schedule(cosine, ("final",)),
}
"""Name of a schedule in a config to its row."""
