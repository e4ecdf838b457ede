"""Which snapshots become pictures."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_films import run_of

from xortrain.films.data import Subject
from xortrain.films.film_settings import FilmSettings
from xortrain.films.frames import SPACINGS, RunFrames, choose_epochs


@given(frames=st.integers(1, 60), kept=st.integers(1, 31))
@pytest.mark.parametrize("spacing", SPACINGS)
def test_snapshots_rise_from_the_first_to_the_last_and_are_as_many_as_asked(
    spacing: str, frames: int, kept: int
) -> None:
    one = run_of("xor")
    less = replace(one, parameters=one.parameters[:kept], frame_epochs=one.frame_epochs[:kept])
    chosen = choose_epochs(less, FilmSettings(frames=frames, spacing=spacing))
    assert len(chosen) == min(frames, kept)
    assert (np.diff(chosen) > 0).all()
    assert chosen[-1] == kept - 1
    assert frames == 1 or chosen[0] == 0


def stepping(loss: np.ndarray) -> Subject:
    """A run that stands still except where its loss falls."""
    one = run_of("xor")
    theta = np.cumsum(np.r_[0, np.abs(np.diff(np.log(loss)))])[:, None, None] * np.ones((1, one.network.size, 1)) / 10
    epochs = np.arange(len(loss))
    return replace(one, losses=loss[:, None], loss_epochs=epochs, frame_epochs=epochs, parameters=theta)


def test_progress_spends_the_film_where_the_loss_falls() -> None:
    loss = np.r_[np.full(500, 1.0), np.geomspace(1, 1e-3, 100), np.full(400, 1e-3)]
    chosen = choose_epochs(stepping(loss), FilmSettings(frames=50, spacing="progress"))
    assert ((chosen >= 500) & (chosen < 600)).mean() > 0.75
    assert np.diff(chosen).max() < 250  # and no standstill is left out


def test_log_spacing_begins_densely() -> None:
    chosen = choose_epochs(stepping(np.linspace(1, 0.5, 1001)), FilmSettings(frames=20, spacing="log"))
    assert chosen[:3].tolist() == [0, 1, 2]
    assert np.diff(chosen)[-1] > 200


def test_a_run_that_diverges_has_a_film() -> None:
    chosen = choose_epochs(run_of("diverged"), FilmSettings(frames=10))
    assert len(chosen) == 10


@pytest.mark.parametrize("name", ["xor", "deep", "two classes", "skip"])
def test_a_moment_is_the_forward_pass_of_its_snapshot(name: str) -> None:
    one = run_of(name)
    course = RunFrames(one, 0)
    for number in (30, 0, 11):
        now = course.at(number)
        plain = one.network.forward(one.parameters[number, :, 0], one.x)
        np.testing.assert_allclose(now.y, plain.y, rtol=1e-12)
        assert (now.epoch, now.loss) == (number, one.losses[number, 0])
        np.testing.assert_array_equal(now.right, one.right(plain.y, one.t))
    first, later = course.at(0), course.at(30)
    assert (first.y != later.y).any()  # a moment keeps its numbers when the next is asked for


@pytest.mark.parametrize("name", ["xor", "deep", "two classes", "skip", "three bits"])
def test_the_loss_of_a_snapshot_is_that_of_its_own_epoch_whether_it_was_recorded_or_not(name: str) -> None:
    one = run_of(name)
    thin = replace(one, losses=one.losses[::10], loss_epochs=one.loss_epochs[::10])
    found = [RunFrames(thin, 0).at(number).loss for number in range(31)]
    np.testing.assert_allclose(found, one.losses[:, 0], rtol=1e-12)
    assert found[::10] == one.losses[::10, 0].tolist()
