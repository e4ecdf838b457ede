"""Each schedule gives the same learning rates as PyTorch's."""

from typing import Any

import numpy as np
import pytest
from some_settings import some_settings

from xortrain.nets.optimizers import SCHEDULES

# Relative learning rates of epochs 0 … 9 of 10, from PyTorch 2.13's StepLR, ExponentialLR, CosineAnnealingLR.
# fmt: off
PYTORCH: dict[str, tuple[dict[str, float], list[float]]] = {
    "step": ({"every": 3, "gamma": 0.5}, [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]),
    "exponential": ({"gamma": 0.9},
     [1, 0.9, 0.81, 0.729, 0.6561, 0.59049, 0.531441, 0.4782969, 0.43046721, 0.387420489]),
    "cosine": ({"final": 0.05},
     [1, 0.976751845240198, 0.9092830723281, 0.804197994838925, 0.6717830723281, 0.525, 0.3782169276719,
      0.245802005161075, 0.1407169276719, 0.0732481547598021]),
}
# fmt: on


@pytest.mark.parametrize("name", PYTORCH)
def test_rates_match_pytorch(name: str) -> None:
    settings, factors = PYTORCH[name]
    arrays = {key: np.full(2, float(number)) for key, number in settings.items()}
    rates: list[Any] = [SCHEDULES[name].factor(epoch, 10, **arrays) for epoch in range(10)]
    np.testing.assert_allclose(rates, np.stack([factors, factors], axis=1), rtol=1e-14)


def test_only_the_constant_schedule_has_no_factor() -> None:
    assert {"constant": SCHEDULES["constant"]} | {name: SCHEDULES[name] for name in PYTORCH} == SCHEDULES
    assert SCHEDULES["constant"].factor(3, 10) is None


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", PYTORCH)
def test_a_run_has_the_same_bits_in_any_population(name: str, dtype: Any) -> None:
    settings = some_settings(SCHEDULES[name].settings, 64, dtype)
    for epoch in range(10):
        population = SCHEDULES[name].factor(epoch, 10, **settings)
        assert population is not None
        assert population.dtype == dtype
        for runs in (slice(3, 5), slice(5, 6), slice(7)):
            alone = SCHEDULES[name].factor(epoch, 10, **{key: value[runs] for key, value in settings.items()})
            np.testing.assert_array_equal(alone, population[runs])
