"""A film ends at the last epoch of its run and shows the loss of each of its epochs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import xortrain
from xortrain.films.data import RunFrames
from xortrain.films.sweep_film_data import SweepFilmData
from xortrain.views.run_film import film_data, single_run

pytestmark = pytest.mark.usefixtures("quick_composition")


@pytest.mark.parametrize("thinned", [[], ["track.frames=7", "track.losses=9"]])
def test_the_film_of_a_run_that_stopped_ends_at_its_last_epoch(thinned: list[str]) -> None:
    run = xortrain.train("stop=solved", "lr=1", *thinned)
    assert run.row["epochs_done"] < 140
    shown = single_run(run.trained, 60, 0)
    losses, parameters = shown.array("losses"), shown.array("parameters")
    assert losses is not None
    assert parameters is not None
    assert shown.setup.frame_epochs[-1] == shown.setup.loss_epochs[-1] == run.row["epochs_done"]
    assert losses[-1, 0] == run.row["final_loss"]
    assert np.isfinite(losses).all()
    np.testing.assert_array_equal(parameters[-1, :, 0], run.parameters[-1])


TASKS = {
    "mse": ["epochs=300"],
    "bce in mini-batches": ["epochs=90", "loss=bce", "batch_size=2", "dtype=float32"],
    "summed": ["epochs=300", "loss=huber", "loss.delta=0.3", "loss.reduction=sum"],
}


@pytest.mark.parametrize("name", TASKS)
def test_the_loss_on_screen_is_that_of_its_epoch_even_if_few_are_recorded(name: str) -> None:
    thin, whole = (xortrain.train(*TASKS[name], f"track.losses={count}") for count in (5, 1000))
    known = dict(zip(whole.loss_epochs.tolist(), whole.losses.tolist(), strict=True))
    shown = film_data(single_run(thin.trained, 20, 0))
    run_frames = RunFrames(shown, 0)
    frames = [run_frames.at(number) for number in shown.choose(20, "progress")]
    np.testing.assert_allclose([frame.loss for frame in frames], [known[frame.epoch] for frame in frames], rtol=1e-5)
    assert len(frames) == 20


def test_the_median_on_screen_is_that_of_its_epoch_even_if_few_are_recorded() -> None:
    thin, whole = (xortrain.sweep("seed=range(0,5)", "epochs=200", f"track.losses={count}") for count in (5, 1000))
    shown, known = (SweepFilmData.of(film_data(one.population(0))) for one in (thin, whole))
    for number, epoch in enumerate(shown.epochs.tolist()):
        np.testing.assert_allclose(shown.losses_after(number), known.losses[epoch], rtol=1e-9)


def test_a_run_that_stopped_long_before_its_planned_end_has_as_many_frames_as_requested() -> None:
    run = xortrain.train("epochs=100000", "stop=solved", "seed=3", "lr=0.3", "track.frames=20")
    last = int(run.row["epochs_done"])
    assert 60 <= last < 5000
    shown = film_data(single_run(run.trained, 60, 0))
    assert len(shown.choose(60, "progress")) == 60
    assert shown.frame_epochs[-1] == last


def test_a_run_that_took_all_its_epochs_is_shown_unchanged() -> None:
    run = xortrain.train("epochs=20")
    shown = single_run(run.trained, 60, 0)
    np.testing.assert_array_equal(shown.setup.frame_epochs, np.arange(21))


def test_a_film_of_more_frames_than_snapshots_shows_the_same_run(tmp_path: Path) -> None:
    run = xortrain.train("track.frames=3", "epochs=60", "film.frames=20")
    path = run.film(tmp_path / "film.gif", layout="field", spacing="epochs")
    with Image.open(path) as film:
        assert getattr(film, "n_frames", 0) == 20


@pytest.mark.parametrize("layout", ["story", "field", "losses", "weights"])
@pytest.mark.parametrize("few", [["epochs=90"], ["epochs=2500", "lr=0.1", "track.losses=2501"]])
def test_a_still_is_the_last_frame_of_its_film_even_if_few_snapshots_are_recorded(
    layout: str, few: list[str], tmp_path: Path
) -> None:
    run = xortrain.train("track.frames=2", *few)
    look: dict[str, Any] = {"layout": layout, "size": [480, 270]}
    with Image.open(run.film(tmp_path / "film.gif", **look)) as film:
        film.seek(film.n_frames - 1)  # type: ignore[attr-defined]
        last = np.asarray(film.convert("RGB"))
    with Image.open(run.film(tmp_path / "still.png", still=True, **look)) as still:
        np.testing.assert_array_equal(np.asarray(still.convert("RGB")), last)
