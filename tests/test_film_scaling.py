"""Films of scaled data show fields, examples and axes in the units of the data."""

from dataclasses import replace

import numpy as np
import pytest
from some_films import NETS, ONE_OF_TWO, XOR, film_data, net, run_of
from test_film_words import written

import xortrain
from xortrain.films.canvas import Box
from xortrain.films.data import FilmData, RunFrames
from xortrain.films.film import make_layout
from xortrain.films.film_settings import FilmSettings
from xortrain.films.heatmap import Probe
from xortrain.films.outputs import Bars, Chips
from xortrain.films.projection import format_digits, project
from xortrain.films.story_layout import StoryLayout
from xortrain.films.sweep_film_data import SweepFilmData
from xortrain.films.sweep_layout import SweepLayout
from xortrain.nets import Array
from xortrain.nets.datasets import DataScaling, Scaling
from xortrain.runner.train import train_in_memory
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.trained.run_data import RunData
from xortrain.views.run_film import film_data as film_data_of

assert written
SETTINGS = FilmSettings(layout="story", frames=3)


def in_other_units(one: FilmData) -> FilmData:
    """The same runs, on data that have to be scaled to be those of the network; powers of two are exact.

    The inputs that a field shows across and up have the same factor, because its axes are true to scale.
    """
    inputs = np.arange(one.network.inputs)
    shift, factor = 2048.0 + 512 * inputs, 2.0 ** (4 - inputs // 2 % 3)
    is_real = not np.isin(one.t, (one.low, one.high)).all()
    t_shift, t_factor = (4096.0, 64.0) if is_real else (0.0, 1.0)
    outputs = one.network.outputs

    def right(y: Array, t: Array) -> Array:
        return one.right((y - t_shift) / t_factor, (t - t_shift) / t_factor)

    held = one.held and replace(one.held, x=one.held.x * factor + shift)
    return replace(
        one, held=held, x=one.x * factor + shift, t=one.t * t_factor + t_shift, right=right,
        low=one.low * t_factor + t_shift, high=one.high * t_factor + t_shift,
        scaling=DataScaling(
            Scaling((shift, factor)), Scaling((np.full(outputs, t_shift), np.full(outputs, t_factor)))
        ),
    )  # fmt: skip


@pytest.mark.parametrize("name", NETS)
def test_a_film_of_scaled_data_looks_like_that_of_the_same_network_in_its_own_units(
    name: str, written: list[tuple[str, Box]]
) -> None:
    """Fields, boundaries, marks, hidden space and thumbnails; only the numbers written are others."""
    data = run_of(name), in_other_units(run_of(name))
    plain, scaled = (StoryLayout(one, SETTINGS, 0) for one in data)
    for number in (0, 30):
        one, other = plain.frame(number), scaled.frame(number)
        differ, s = one != other, plain.canvas.unit
        for _, box in written:
            room = round(3 * s)
            differ[max(box.y - room, 0) : box.y + box.height + room, box.x - room : box.x + box.width + room] = False
        for panel in plain.panels:
            if not isinstance(panel, Bars | Chips):  # whose rows leave room for the names
                assert differ[panel.box.pixels].mean() < (0.002 if len(plain.projection.slices) == 1 else 0.03)
        state, other_state = plain.run_frames.at(number), scaled.run_frames.at(number)
        np.testing.assert_array_equal(state.right, other_state.right)
        np.testing.assert_array_equal(state.loss, other_state.loss)


def test_the_ticks_are_those_of_the_data(written: list[tuple[str, object]]) -> None:
    x = np.linspace(2000, 2024, 13)[:, None]
    words = ["data.scale=standard", "loss=mse", "success=tolerance", "success.within=5", "epochs=5"]
    run = xortrain.train(*words, "architecture.hidden=[3]", data=(x, 5000 + 100 * np.sin(x)))
    make_layout(film_data_of(run.trained), SETTINGS).frame(5)
    found = {word for word, _ in written}
    assert {"2000", "2020", "4950"} <= found
    assert not any("e+" in word for word in found)


@pytest.mark.parametrize("last", ["sigmoid", "identity"])
def test_the_weighted_sum_of_scaled_inputs_is_named_so(last: str, written: list[tuple[str, object]]) -> None:
    one = film_data(net(2, 1, last=last), XOR, ONE_OF_TWO, 0.1)
    settings = replace(SETTINGS, size=(1400, 540))  # it has room in a wide film
    for shown, says_so in ((one, False), (in_other_units(one), True)):
        written.clear()
        make_layout(shown, settings).frame(30)
        (formula,) = (word for word, _ in written if word.startswith("z = "))
        assert formula.endswith("  (x scaled)") == says_so


def test_a_probe_of_runs_with_their_own_scaling_equals_their_predictions() -> None:
    config = xortrain.train("data=moons", "data.scale=minmax", "epochs=4", "architecture.hidden=[3]").config
    setup = Setup.of(Population(config, {"data.seed": np.arange(3, dtype=np.uint32)}, np.arange(3)))
    trained = train_in_memory(setup)
    shown = film_data_of(trained)
    x, t = shown.examples(0)
    points = project(x, t, *shown.axes).grid(0, 9, 7)
    many = Probe(shown.network, shown.scaling, points, np.arange(3)).outputs(shown.parameters[4])
    for number in range(3):
        run = RunData(trained, number)
        np.testing.assert_allclose(many[0, number].ravel(), run.predict(points.reshape(2, -1).T)[:, 0], atol=1e-5)
        state = RunFrames(shown, number).at(4)
        np.testing.assert_allclose(state.y, run.predict(run.x), rtol=1e-12)
        np.testing.assert_allclose(state.loss, run.losses[-1], rtol=1e-12)
    assert SweepLayout(SweepFilmData.of(shown), FilmSettings(layout="sweep"), 0).frame(4).shape


def test_principal_axes_are_those_of_the_scaled_inputs() -> None:
    """Otherwise the largest column would be the first axis, whatever it means."""
    x = np.random.RandomState(0).randn(50, 4) * [3, 2, 1, 0.5]
    plain = project(x, x[:, :1], "abcd", "y", 0, 1)
    units = np.array([1, 1e6, 1e-3, 10])
    scaled = project(x * units + 7, x[:, :1], "abcd", "y", 0, 1, units)
    assert scaled.names == plain.names
    np.testing.assert_allclose(scaled.places, plain.places, atol=1e-9)
    np.testing.assert_allclose((scaled.grid(0, 5, 4).T - 7) / units, plain.grid(0, 5, 4).T, atol=1e-9)
    np.testing.assert_allclose(scaled.slices[0].places(x * units + 7), plain.places, atol=1e-9)


@pytest.mark.parametrize(
    ("value", "digits", "word"),
    [(2012.4, 3, "2010"), (2012.4, 5, "2012.4"), (123456, 3, "123000"), (1234567, 3, "1.23e+06"),
     (0.0001234, 3, "0.000123"), (-5, 3, "-5"), (1e-5, 3, "1e-05"), (12345678, 8, "12345678")],
)  # fmt: skip
def test_numbers_beside_an_axis_have_an_exponent_only_beyond_six_digits(value: float, digits: int, word: str) -> None:
    assert format_digits(value, digits) == word
