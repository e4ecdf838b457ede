"""Which snapshots become frames, and what is known of each."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_films import run_of

from xortrain.films.data import FilmData, RunFrames
from xortrain.films.film_settings import SETTINGS


@given(frames=st.integers(1, 60), recorded=st.integers(1, 31))
@pytest.mark.parametrize("spacing", SETTINGS["spacing"].choices)
def test_chosen_snapshots_increase_from_the_first_to_the_last_in_the_requested_number(
    spacing: str, frames: int, recorded: int
) -> None:
    one = run_of("xor")
    less = replace(one, parameters=one.parameters[:recorded], frame_epochs=one.frame_epochs[:recorded])
    chosen = less.choose(frames, spacing)
    assert len(chosen) == min(frames, recorded)
    assert (np.diff(chosen) > 0).all()
    assert chosen[-1] == recorded - 1
    assert frames == 1 or chosen[0] == 0


def stepping(loss: np.ndarray) -> FilmData:
    """A run whose parameters change only while its loss falls."""
    one = run_of("xor")
    theta = np.cumsum(np.r_[0, np.abs(np.diff(np.log(loss)))])[:, None, None] * np.ones((1, one.network.size, 1)) / 10
    epochs = np.arange(len(loss))
    return replace(one, losses=loss[:, None], loss_epochs=epochs, frame_epochs=epochs, parameters=theta)


def test_progress_spacing_shows_most_frames_where_the_loss_falls() -> None:
    loss = np.r_[np.full(500, 1.0), np.geomspace(1, 1e-3, 100), np.full(400, 1e-3)]
    chosen = stepping(loss).choose(50, "progress")
    assert ((chosen >= 500) & (chosen < 600)).mean() > 0.75
    assert np.diff(chosen).max() < 250  # but no plateau is skipped


def test_log_spacing_is_dense_at_the_start() -> None:
    chosen = stepping(np.linspace(1, 0.5, 1001)).choose(20, "log")
    assert chosen[:3].tolist() == [0, 1, 2]
    assert np.diff(chosen)[-1] > 200


def test_a_run_that_diverges_has_a_film() -> None:
    chosen = run_of("diverged").choose(10, "progress")
    assert len(chosen) == 10


@pytest.mark.parametrize("name", ["xor", "deep", "two classes", "skip"])
def test_a_frame_is_the_forward_pass_of_its_snapshot(name: str) -> None:
    one = run_of(name)
    run_frames = RunFrames(one, 0)
    for number in (30, 0, 11):
        frame = run_frames.at(number)
        plain = one.network.forward(one.parameters[number, :, 0], one.x)
        np.testing.assert_allclose(frame.y, plain.y, rtol=1e-12)
        assert (frame.epoch, frame.loss) == (number, one.losses[number, 0])
        np.testing.assert_array_equal(frame.right, one.right(plain.y, one.t))
    first, later = run_frames.at(0), run_frames.at(30)
    assert (first.y != later.y).any()  # the next frame does not overwrite the numbers of the first


@pytest.mark.parametrize("name", ["xor", "deep", "two classes", "skip", "three bits"])
def test_the_loss_of_a_frame_is_that_of_its_epoch_whether_recorded_or_not(name: str) -> None:
    one = run_of(name)
    thin = replace(one, losses=one.losses[::10], loss_epochs=one.loss_epochs[::10])
    found = [RunFrames(thin, 0).at(number).loss for number in range(31)]
    np.testing.assert_allclose(found, one.losses[:, 0], rtol=1e-12)
    assert found[::10] == one.losses[::10, 0].tolist()
