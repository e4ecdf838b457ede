"""`stop=patience` ends a run whose loss has not fallen for some epochs, and keeps the best parameters."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from some_runs import QUIET, some_setup, trained

import xortrain
from xortrain.api import Run, Sweep
from xortrain.cli import main
from xortrain.errors import UserError
from xortrain.nets import Array

pytestmark = pytest.mark.usefixtures("quick_composition")
RUNS = 30
HELD_OUT: dict[str, Any] = {
    "data": ("moons", {"examples": 24, "test": 0.5, "noise": 0.4}),
    "optimizer": "adam",
    "lr": 0.5,
}
MODES: dict[str, dict[str, Any]] = {
    "full batch": {"lr": 3.0},
    "online": {"batch_size": 1},
    "held out": HELD_OUT,
    "float32": {"dtype": "float32", "lr": 3.0},
}


def by_hand(losses: Array, patience: int, least: float) -> tuple[int, int]:
    """Return the last epoch and the best epoch of one run, from the losses that it has without the rule."""
    best = 0
    for epoch, loss in enumerate(losses):
        if epoch and loss < losses[best] - least:
            best = epoch
        if epoch - best >= patience:
            return epoch, best
    return len(losses) - 1, best


@pytest.mark.parametrize("least", [0.0, 0.02])
@pytest.mark.parametrize(("mode", "on"), [*((mode, "loss") for mode in MODES), ("held out", "test_loss")])
def test_a_run_stops_when_its_lowest_loss_is_old_enough(mode: str, on: str, least: float) -> None:
    changes = {"epochs": 150, "track": {"losses": 500, "frames": 500, "spacing": "even", "bytes": 0}} | MODES[mode]
    varying = {"seed": np.arange(RUNS), "stop.epochs": 3 + np.arange(RUNS) % 20}
    full = trained(some_setup({"seed": np.arange(RUNS)}, **changes))
    found = trained(some_setup(varying, stop=("patience", {"on": on, "least": least}), **changes))
    losses = full.losses if on == "loss" else full.test_losses
    assert losses is not None
    assert found.best is not None
    ends = [by_hand(losses[:, k], int(varying["stop.epochs"][k]), least) for k in range(RUNS)]
    assert any(best < end < 150 for end, best in ends)
    np.testing.assert_array_equal(found.rows["epochs_done"], [end for end, _ in ends])
    np.testing.assert_array_equal(found.rows["best_at"], [best for _, best in ends])
    for k, (end, best) in enumerate(ends):
        np.testing.assert_array_equal(found.losses[: end + 1, k], full.losses[: end + 1, k])
        assert np.isnan(found.losses[end + 1 :, k]).all()
        np.testing.assert_array_equal(found.best[:, k], full.parameters[best, :, k])


def test_the_best_parameters_of_a_diverged_run_are_from_before() -> None:
    changes: dict[str, Any] = {"loss": "mse", "output": "identity", "activation": "relu", "epochs": 150}
    varying = {"seed": np.arange(RUNS), "lr": np.geomspace(0.1, 1e3, RUNS)}
    found = trained(some_setup(varying, stop=("patience", {"epochs": 200}), **changes))
    diverged = found.rows["diverged_at"] >= 0
    assert 3 < diverged.sum() < RUNS
    assert (found.rows["best_at"] < found.rows["diverged_at"])[diverged].all()
    assert found.best is not None
    assert np.isfinite(found.best).all()


def test_other_rules_keep_no_best_parameters() -> None:
    found = trained(some_setup(stop="solved"))
    assert found.best is None
    assert found.rows["best_at"] == -1


def test_patience_for_held_out_examples_needs_some() -> None:
    with pytest.raises(UserError, match=r"stop\.on=test_loss: requires held-out examples"):
        xortrain.train("stop=patience", "stop.on=test_loss")
    with pytest.raises(UserError, match=r"stop\.on=accuracy: must be one of loss, test_loss"):
        xortrain.train("stop=patience", "stop.on=accuracy")


WORDS = ("data=moons", "data.noise=0.4", "data.test=0.5", "data.examples=24", "optimizer=adam", "lr=0.1", "epochs=150")
PATIENT = (*WORDS, "stop=patience", "stop.on=test_loss", "stop.epochs=20", "advice=none")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "outputs"


def newest() -> Run:
    found = xortrain.load("latest")
    assert isinstance(found, Run)
    return found


def test_predictions_of_the_best_epoch_are_those_of_its_parameters(root: Path) -> None:
    full = xortrain.train(*WORDS)
    assert main([*PATIENT, "film=none", "track.frames=2"]) == 0
    for run in (xortrain.train(*PATIENT), newest()):
        assert 0 < run.best_epoch < run.row["epochs_done"]
        assert run.best_epoch == run.row["best_at"]
        np.testing.assert_array_equal(run.predict(run.x, best=True), full.predict(run.x, epoch=run.best_epoch))
    with pytest.raises(UserError, match="epoch=3: best=True chooses the epoch"):
        newest().predict([[0, 1]], epoch=3, best=True)


@pytest.mark.parametrize("words", [WORDS, ("lr=5", "seed=3"), ("epochs=0",)])
def test_without_patience_the_best_parameters_are_those_of_the_snapshot_with_the_lowest_loss(words: list[str]) -> None:
    run = xortrain.train(*words, "track.frames=40")
    losses = run.losses if run.test_losses is None else run.test_losses
    at = dict(zip(run.loss_epochs.tolist(), losses.tolist(), strict=True))
    assert run.best_epoch == min(run.epochs.tolist(), key=lambda epoch: at[epoch])
    np.testing.assert_array_equal(run.predict(run.x, best=True), run.predict(run.x, run.best_epoch))


def test_a_changed_bit_of_the_best_parameters_is_found(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PATIENT, "film=none"]) == 0
    folder = newest().folder
    assert folder
    assert main(["rerun", "latest", "--check"]) == 0
    best = np.load(folder / "best-000.npy", mmap_mode="r+")
    best[3] = np.nextafter(best[3], 9)
    best.flush()
    assert main(["rerun", "latest", "--check"]) == 1
    assert "not the same: best W1[1, 1] after epoch 150: recorded" in capsys.readouterr().err


def picture(path: Path) -> Array:
    with Image.open(path) as image:
        image.seek(getattr(image, "n_frames", 1) - 1)
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("words", [PATIENT, (*WORDS, "schedule=cosine")], ids=["patience", "cosine"])
@pytest.mark.parametrize("frames", [5, 140])
def test_a_film_at_best_ends_like_that_of_a_run_of_so_many_epochs(
    frames: int, words: tuple[str, ...], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """140 frames need more snapshots than are kept, so the run is trained again up to its best epoch."""
    assert main([*words, *QUIET, "track.frames=30"]) == 0
    run = newest()
    settings: dict[str, Any] = {"layout": "field", "frames": frames, "size": (480, 270)}
    run.film("best.gif", at="best", **settings)
    last = picture(Path("best.gif"))
    assert (
        main(
            ["render", "latest", "--still", "film=field", "film.at=best", "film.size=[480,270]", "--output", "best.png"]
        )
        == 0
    )
    np.testing.assert_array_equal(last, picture(Path("best.png")))
    if "schedule=cosine" not in words:
        xortrain.train(*WORDS[:-1], f"epochs={run.best_epoch}").film("short.gif", **settings)
        np.testing.assert_array_equal(last, picture(Path("short.gif")))
    assert run.best_epoch < run.row["epochs_done"]
    one = run.until_best()
    assert one.setup.loss_epochs[-1] == one.setup.frame_epochs[-1] == one.rows["epochs_done"][0] == run.best_epoch


def test_a_training_ends_its_film_at_the_best_epoch_if_asked(root: Path) -> None:
    assert main([*PATIENT, "film=field", "film.at=best", "film.frames=4"]) == 0
    run = newest()
    assert run.folder
    run.film("best.gif", layout="field", frames=4, at="best")
    np.testing.assert_array_equal(picture(run.folder / "film.gif"), picture(Path("best.gif")))


def test_films_of_many_runs_have_no_best_epoch(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = "film.at=best: ends the film of one run at its best epoch; choose one run of the sweep"
    assert main(["-m", "seed=0,1", "epochs=5", "film=sweep", "film.at=best"]) == 2
    assert line in capsys.readouterr().err
    assert not root.exists()
    assert main(["-m", "seed=0,1", "epochs=5", "film=none"]) == 0
    assert main(["render", "latest", "film=sweep", "film.at=best"]) == 2
    assert line in capsys.readouterr().err
    sweep = xortrain.load("latest")
    assert isinstance(sweep, Sweep)
    with pytest.raises(UserError, match=r"film\.at=best"):
        sweep.film("a.gif", at="best")
    sweep[1].film("a.gif", at="best")
