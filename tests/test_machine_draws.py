"""The machine draws each run's numbers with the bits of NumPy's RandomState, which is frozen for ever."""

from typing import Any

import numpy as np
import pytest

from xortrain.machine import draws
from xortrain.machine.build import SETS, VARIABLE
from xortrain.machine.draws import draw_runs
from xortrain.machine.library import library

METHODS = ("standard_normal", "random_sample")
SEEDS = np.unique(np.r_[0, 1, 2**31, 2**32 - 1, np.random.default_rng(0).integers(0, 2**32, 2000)])


def by_numpy(method: str, seeds: Any, count: int) -> Any:
    stream, drawn = np.random.RandomState(0), np.empty((count, len(seeds)))
    for run, seed in enumerate(seeds):
        stream.seed(seed)
        drawn[:, run] = getattr(stream, method)(count)
    return drawn


def bits(numbers: Any) -> list[int]:
    return np.ascontiguousarray(numbers).view(np.uint64).tolist()


@pytest.fixture(params=[name for name in SETS if library(name)])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Choose an instruction set of this CPU; it draws for a single run too."""
    monkeypatch.setenv(VARIABLE, request.param)
    monkeypatch.setattr(draws, "FEWEST", 1)
    monkeypatch.setattr(draws, "_by_numpy", None)  # what is drawn here is compared with another loop
    monkeypatch.setattr(draws, "_agrees", lambda: True)
    return str(request.param)


@pytest.mark.parametrize("method", METHODS)
def test_every_seed_draws_what_it_draws_in_numpy(method: str, machine: str) -> None:
    assert bits(draw_runs(method, SEEDS, 9)) == bits(by_numpy(method, SEEDS, 9))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 113, 114, 311, 312, 313, 624, 625, 2000])
def test_any_number_of_numbers_is_drawn(method: str, count: int, machine: str) -> None:
    """A seed gives 624 words, of which 227 need no other new ones."""
    some = SEEDS[:: len(SEEDS) // 20]
    assert bits(draw_runs(method, some, count)) == bits(by_numpy(method, some, count))


@pytest.mark.parametrize("runs", [1, 7, 8, 9, 15, 16, 17, 33])
def test_any_number_of_runs_is_drawn(runs: int, machine: str) -> None:
    some = SEEDS[-1 : -1 - runs : -1]
    assert bits(draw_runs("standard_normal", some, 5)) == bits(by_numpy("standard_normal", some, 5))


@pytest.mark.parametrize("seeds", [SEEDS.astype(np.uint32), SEEDS.astype(np.uint64), SEEDS[::-3], SEEDS.astype(object)])
def test_seeds_are_integers_of_any_type(seeds: Any, machine: str) -> None:
    some = seeds[::50]
    assert bits(draw_runs("random_sample", some, 2)) == bits(by_numpy("random_sample", some.tolist(), 2))


@pytest.mark.parametrize("wrong", [-1, 2**32])
def test_a_seed_out_of_range_is_refused_as_by_numpy(wrong: int) -> None:
    with pytest.raises(ValueError, match="Seed must be between"):
        draw_runs("random_sample", np.r_[np.arange(draws.FEWEST), wrong], 2)


def test_without_a_machine_numpy_draws_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = draw_runs("standard_normal", SEEDS, 4)
    monkeypatch.setenv(VARIABLE, "none")
    assert bits(draw_runs("standard_normal", SEEDS, 4)) == bits(drawn)


def test_a_machine_with_other_bits_than_numpys_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = draws._by_machine
    monkeypatch.setattr(draws, "_by_machine", lambda *given: usual(*given) * (1 + 1e-15))
    draws._agrees.cache_clear()
    try:
        assert bits(draw_runs("standard_normal", SEEDS, 4)) == bits(by_numpy("standard_normal", SEEDS, 4))
    finally:
        draws._agrees.cache_clear()
