"""Runs stop at the first epoch that satisfies their rule; after solved_at, all examples stay right."""

from typing import Any

import numpy as np
import pytest
from some_runs import Outcome, some_setup, trained

import xortrain
from xortrain.nets import Array
from xortrain.training.outcome import words

RUNS = 40
SEEDS: dict[str, Any] = {"seed": np.arange(RUNS)}
X, T = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 1, 1, 0])
MODES: dict[str, dict[str, Any]] = {
    "full batch": {"epochs": 199},
    "online": {"epochs": 120, "batch_size": 1},
    "adam": {"epochs": 150, "optimizer": "adam", "lr": 0.1},
}


def outputs(theta: Array) -> Array:
    """Return the outputs (epochs, examples, runs) of 2-2-1 sigmoid networks with θ (epochs, 9, runs)."""
    w, b, v, c = theta[:, :4], theta[:, 4:6], theta[:, 6:8], theta[:, 8]
    y = np.zeros((len(theta), 4, theta.shape[2]))
    for n, (x1, x2) in enumerate(X):
        h = [1 / (1 + np.exp(-(w[:, 2 * u] * x1 + w[:, 2 * u + 1] * x2 + b[:, u]))) for u in range(2)]
        y[:, n] = 1 / (1 + np.exp(-(v[:, 0] * h[0] + v[:, 1] * h[1] + c)))
    return y


def first(holds: Array) -> Array:
    """Return the first epoch at which ``holds`` is true, or -1 if it never is: (epochs, runs) -> (runs,)."""
    return np.where(holds.any(axis=0), holds.argmax(axis=0), -1)


def assert_stopped(stopped: Outcome, full: Outcome, at: Array) -> None:
    """Check that stopped runs equal full ones up to epoch ``at``; later losses are nan, parameters constant."""
    epochs = np.arange(len(full.losses))[:, None]
    over = (at >= 0) & (epochs > at)
    np.testing.assert_array_equal(np.isnan(stopped.losses), over)
    np.testing.assert_array_equal(stopped.losses, np.where(over, np.nan, full.losses))
    last = np.where(at >= 0, at, len(full.losses) - 1)
    rows = np.where(over, last, epochs)
    np.testing.assert_array_equal(stopped.parameters, np.take_along_axis(full.parameters, rows[:, None], axis=0))
    np.testing.assert_array_equal(stopped.rows["epochs_done"], last)


@pytest.mark.parametrize("mode", MODES)
def test_stop_solved_stops_at_the_first_epoch_with_every_example_right(mode: str) -> None:
    full = trained(some_setup(SEEDS, **MODES[mode]))
    at = first((np.abs(outputs(full.parameters) - T[:, None]) < 0.5).all(axis=1))
    assert 5 < (at >= 0).sum() < RUNS
    stopped = trained(some_setup(SEEDS, stop="solved", **MODES[mode]))
    assert_stopped(stopped, full, at)
    assert [word == "solved" for word in words(stopped.rows["outcome"])] == (at >= 0).tolist()
    np.testing.assert_array_equal(stopped.rows["solved_at"], at)


@pytest.mark.parametrize("mode", MODES)
def test_stop_loss_stops_at_the_first_epoch_below_the_threshold(mode: str) -> None:
    below = np.linspace(0.3, 2.6, RUNS)
    full = trained(some_setup(SEEDS, **MODES[mode]))
    at = first(full.losses < below)
    assert 5 < (at >= 0).sum() < RUNS
    stopped = trained(some_setup(SEEDS | {"stop.below": below}, stop="loss", **MODES[mode]))
    assert_stopped(stopped, full, at)
    right = (np.abs(outputs(stopped.parameters)[-1] - T[:, None]) < 0.5).all(axis=0)
    for word, stop, is_right in zip(words(stopped.rows["outcome"]), at, right, strict=True):
        assert word == "solved" if is_right else (word == "early") == (stop >= 0)


@pytest.mark.parametrize("mode", MODES)
def test_stop_never_trains_all_epochs(mode: str) -> None:
    found = trained(some_setup(SEEDS, **MODES[mode]))
    assert (found.rows["epochs_done"] == MODES[mode]["epochs"]).all()
    assert np.isfinite(found.losses).all()
    assert "early" not in words(found.rows["outcome"])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("rule", "reach"), [("midpoint", 0.5), ("fahlman", 0.4), (("tolerance", {"within": 0.3}), 0.3)]
)
def test_from_solved_at_on_every_example_is_right(rule: Any, reach: float, mode: str) -> None:
    found = trained(some_setup(SEEDS, success=rule, **MODES[mode]))
    right = np.abs(outputs(found.parameters) - T[:, None]) < reach
    all_right = right.all(axis=1)
    since = len(all_right) - first(~all_right[::-1])
    since = np.where(all_right.all(axis=0), 0, since)
    np.testing.assert_array_equal(found.rows["solved_at"], np.where(all_right[-1], since, -1))
    np.testing.assert_array_equal(found.rows["accuracy"], right[-1].mean(axis=0))
    assert [word == "solved" for word in words(found.rows["outcome"])] == all_right[-1].tolist()


def test_best_and_final_loss_use_the_whole_curve() -> None:
    found = trained(some_setup(SEEDS | {"lr": np.geomspace(0.5, 20, RUNS)}, epochs=60))
    np.testing.assert_array_equal(found.rows["final_loss"], found.losses[-1])
    np.testing.assert_array_equal(found.rows["best_loss"], found.losses.min(axis=0))
    assert (found.rows["best_loss"] < found.rows["final_loss"]).any()


def test_a_run_that_starts_solved_stops_at_epoch_0() -> None:
    weights = {"W1": [[20, 20], [-20, -20]], "b1": [-10, 30], "W2": [[20, 20]], "b2": [-30]}
    found = trained(some_setup(init=("explicit", {"weights": weights}), stop="solved"))
    assert found.rows["epochs_done"] == found.rows["solved_at"] == 0
    assert np.isfinite(found.losses[0, 0])
    assert np.isnan(found.losses[1:]).all()


def test_a_run_whose_loss_was_not_finite_has_diverged_even_if_its_stop_rule_holds_soon_after() -> None:
    """y = 1e20 is finite in float32, its square is not; the next updates bring it to its targets."""
    words = ["dtype=float32", "loss=mse", "success=tolerance", "lr=0.25", "epochs=20", "stop=loss", "stop.below=1e10"]
    net = ["architecture.hidden=[]", "init=explicit", "init.weights={W1:[[1e20]],b1:[0]}"]
    run = xortrain.train(*words, *net, data=([[1], [1]], [[0.5], [0.25]]))
    assert run.outcome == "diverged"
    assert (run.row["diverged_at"], run.row["diverged_in"]) == (0, -1)
