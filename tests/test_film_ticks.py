"""Ticks are round, among the data, distinct, and never overlap the name of their axis."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from some_films import ONE_OF_TWO, XOR, film_data, net, parity, run_of
from test_film_words import overlap, written

from xortrain.films.canvas import Box
from xortrain.films.film import make_layout
from xortrain.films.film_settings import FilmSettings
from xortrain.films.loss_curve import format_tick
from xortrain.films.map_axis import tick_words
from xortrain.films.projection import even_ticks, format_distinct, ticks

assert written


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=40))
def test_ticks_are_round_and_among_the_values(found: list[float]) -> None:
    values = np.array(found)
    assume(len(np.unique(values)) > 2)
    assume(np.ptp(values) > 1e-6 * np.abs(values).max())
    low, high = ticks(values)
    slack = 0.021 * np.ptp(values)
    assert values.min() - slack <= low < high <= values.max() + slack
    assert high - low >= 0.3 * np.ptp(values)
    step = 10.0 ** np.floor(np.log10(np.ptp(values) / 5) + 1e-12)
    for value in (low, high):
        assert abs(value / step - round(value / step)) < 1e-6


@pytest.mark.parametrize("high", [1e-5, 0.3, 1, 3.0771, 42, 7e6])
@pytest.mark.parametrize("below", [0, 0.5])
def test_no_tick_is_minus_zero(below: float, high: float) -> None:
    for most in range(3, 9):
        found = even_ticks(-below * high, high, most)
        assert (found == 0).any()
        assert not np.signbit(found[found == 0]).any()
        assert "-0" not in [*map(format_tick, found), *tick_words(found)]


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_two_values_are_written_differently(low: float, apart: float) -> None:
    values = np.array([low, low + apart])
    words = format_distinct(values)
    assert abs(np.array(words, float) - values).max() <= 0.011 * apart


@pytest.mark.parametrize(
    ("value", "word"),
    [(0, "0"), (0.5, "0.5"), (99999, "99999"), (1e5, "10⁵"), (-1e5, "-10⁵"), (8e9, "8·10⁹"), (1.5e9, "1.5·10⁹"),
     (2e-5, "2·10⁻⁵")],
)  # fmt: skip
def test_a_tick_of_a_scale_is_a_decimal_or_a_power_of_ten(value: float, word: str) -> None:
    assert format_tick(value) == word


FAR = 1000 + 0.01 * np.random.RandomState(0).randn(20, 2)
DEAD = run_of("xor").parameters * 0
NARROW = {
    "far from zero": lambda: film_data(net(2, 2, 1), FAR, np.eye(20)[:, :1]),
    "one value across": lambda: film_data(net(2, 2, 1), XOR * (0, 1) + (3, 0), ONE_OF_TWO),
    "one value up": lambda: film_data(net(2, 2, 1), XOR * (1, 0), ONE_OF_TWO),
    "dead unit": lambda: replace(run_of("xor"), parameters=DEAD, network=net(2, 2, 1, hidden="relu")),
    "twelve bits": lambda: film_data(net(12, 4, 1), *parity(12), epochs=30),
}  # fmt: skip


@pytest.mark.parametrize("layout", ["field", "story"])
@pytest.mark.parametrize("name", NARROW)
def test_a_tick_never_overlaps_the_name_of_its_axis(name: str, layout: str, written: list[tuple[str, Box]]) -> None:
    make_layout(NARROW[name](), FilmSettings(layout=layout)).frame(30)
    for place, (_, one) in enumerate(written):
        assert not any(overlap(one, other) for _, other in written[:place])


@pytest.mark.parametrize("layout", ["field", "story"])
def test_the_film_of_many_bits_names_the_fixed_ones(layout: str, written: list[tuple[str, Box]]) -> None:
    make_layout(NARROW["twelve bits"](), FilmSettings(layout=layout))
    assert any(word.startswith("x7…x12 = 0: 64 of 4096") for word, _ in written)
