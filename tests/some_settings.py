"""Valid settings for every row of every table, with a different value in each run."""

from typing import Any

import numpy as np
import numpy.typing as npt

from xortrain.nets import Numbers
from xortrain.nets.setting import Settings, numbers

SPANS = {
    "slope": (0.05, 0.6),
    "alpha": (0.3, 0.9),
    "delta": (0.4, 0.9),
    "beta": (0.4, 0.9),
    "gamma": (0.5, 0.95),
    "label_smoothing": (0.05, 0.2),
    "value": (-0.5, 0.5),
    "low": (-1.0, -0.5),
    "high": (0.5, 1.0),
    "mean": (-0.5, 0.5),
    "std": (0.5, 2.0),
    "momentum": (0.0, 0.9),
    "weight_decay": (0.0, 0.1),
    "eps": (1e-4, 1e-2),
    "beta1": (0.7, 0.95),
    "beta2": (0.9, 0.999),
    "lr_decay": (0.0, 0.2),
    "rho": (0.7, 0.95),
    "eta_minus": (0.3, 0.6),
    "eta_plus": (1.1, 1.5),
    "step_min": (1e-6, 1e-3),
    "step_max": (0.1, 1.0),
    "final": (0.0, 0.3),
    "momentum_decay": (0.0, 0.1),
    "l1": (0.0, 0.1),
    "l2": (0.0, 0.1),
    "clip_norm": (0.5, 2.0),
    "clip_value": (0.2, 1.0),
}


def some_settings(settings: Settings, runs: int, dtype: npt.DTypeLike = np.float64) -> Numbers:
    """Return values for the numeric settings, each of shape (runs,)."""
    return {name: _spread(name, runs, np.dtype(dtype)) for name in numbers(settings)}


def some_values(settings: Settings, runs: int) -> Numbers:
    """Return such values as a config has them, where flags are true or false."""
    found = some_settings(settings, runs)
    return {name: values.astype(bool) if settings[name].kind == "flag" else values for name, values in found.items()}


def _spread(name: str, runs: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    if name in ("nesterov", "centered", "amsgrad"):
        return (np.arange(runs) % 2).astype(dtype)
    if name == "dampening":  # which nesterov excludes
        return np.linspace(0.1, 0.5, runs).astype(dtype) * (np.arange(runs) % 2 == 0)
    if name == "every":
        return (1 + np.arange(runs) % 3).astype(dtype)
    return np.linspace(*SPANS[name], runs).astype(dtype)
