"""Divergence is detected at the right epoch and parameter, and does not affect other runs."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from some_runs import Outcome, assert_same_bits, some_setup, train_alone, trained

from xortrain.nets import Array
from xortrain.setup.run_setup import Setup
from xortrain.training.outcome import code

X, T = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
RUNS = 24
LINEAR: dict[str, Any] = {"loss": ("mse", {"reduction": "sum"}), "output": "identity"}
POPULATIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "all at once": ({"lr": np.full(RUNS, 50.0)}, {"epochs": 300}),
    "one after another": ({"lr": np.geomspace(0.05, 1e3, RUNS)}, {"epochs": 300}),
    "online": ({"lr": np.geomspace(0.05, 1e3, RUNS)}, {"epochs": 130, "batch_size": 1, "shuffle": False}),
    "by a parameter": ({"lr": np.full(RUNS, 1e308)}, {"epochs": 3}),
    "at the last epoch": ({"lr": np.full(RUNS, 1e308)}, {"epochs": 1}),
    "few recorded losses": (
        {"lr": np.geomspace(0.05, 1e3, RUNS)},
        {"epochs": 300, "track": {"losses": 4, "frames": 5, "spacing": "even", "bytes": 0}},
    ),
}


def states(theta: Array, lr: float, batches: list[Array]) -> Iterator[tuple[Array, float]]:
    """Yield θ and the loss before the first update and after each epoch, with plain matrices."""
    W1, b1, W2, b2 = theta[:4].reshape(2, 2), theta[4:6], theta[6:8].reshape(1, 2), theta[8:]
    while True:
        y = hidden(X, W1, b1) @ W2.T + b2
        yield np.concatenate([W1.ravel(), b1, W2.ravel(), b2]), float(((y - T) ** 2).sum())
        for rows in batches:
            x, a = X[rows], hidden(X[rows], W1, b1)
            delta = 2 * (a @ W2.T + b2 - T[rows])
            below = delta @ W2 * a * (1 - a)
            W2, b2 = W2 - lr * (delta.T @ a), b2 - lr * delta.sum(axis=0)
            W1, b1 = W1 - lr * (below.T @ x), b1 - lr * below.sum(axis=0)


def hidden(x: Array, W1: Array, b1: Array) -> Array:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * (x @ W1.T + b1)))


def end_of(setup: Setup, run: int) -> tuple[int, int, Array]:
    """Return the epoch and parameter of divergence (-1 if there is none), and the last finite parameters."""
    task = setup.task()
    batches = [np.array([k]) for k in range(4)] if task.batch_size else [np.arange(4)]
    last = task.theta[:, run]
    for epoch, (theta, loss) in enumerate(states(last, float(task.lr[run]), batches)):
        if not np.isfinite(theta).all():
            return epoch, int(np.isfinite(theta).argmin()), last
        last = theta
        if epoch in setup.loss_epochs and not np.isfinite(loss):
            return epoch, -1, last
        if epoch == task.epochs:
            return -1, -1, last
    raise AssertionError


@pytest.mark.parametrize("sizes", [[RUNS], [1] * RUNS, [5, 2, 16, 1]], ids=["together", "alone", "in blocks"])
@pytest.mark.parametrize("name", POPULATIONS)
def test_divergence_is_detected_at_the_same_epoch_as_in_a_reference_training(name: str, sizes: list[int]) -> None:
    varying, changes = POPULATIONS[name]
    setup = some_setup({"seed": np.arange(RUNS)} | varying, engine="numpy", **(LINEAR | changes))  # chaotic runs
    found = trained(setup, sizes)
    with np.errstate(all="ignore"):
        ends = [end_of(setup, run) for run in range(RUNS)]
    at = np.array([epoch for epoch, _, _ in ends])
    assert (at >= 0).any()
    np.testing.assert_array_equal(found.rows["diverged_at"], at)
    np.testing.assert_array_equal(found.rows["diverged_in"], [place for _, place, _ in ends])
    np.testing.assert_array_equal(found.rows["outcome"] == code("diverged"), at >= 0)
    np.testing.assert_allclose(found.parameters[-1], np.stack([theta for _, _, theta in ends], axis=1), rtol=1e-6)
    assert_ended(setup, found)


def assert_ended(setup: Setup, found: Outcome) -> None:
    """Check that after divergence, frames repeat the last finite parameters and losses are nan."""
    for run, at in enumerate(found.rows["diverged_at"]):
        over = setup.frame_epochs >= at if at >= 0 else setup.frame_epochs < 0
        assert np.isfinite(found.parameters[..., run]).all()
        assert (found.parameters[over, :, run] == found.parameters[-1, :, run]).all()
        np.testing.assert_array_equal(np.isnan(found.losses[:, run]), (setup.loss_epochs >= at) & (at >= 0))


def test_a_diverging_run_does_not_change_the_bits_of_other_runs() -> None:
    setup = some_setup({"seed": np.arange(8), "lr": np.array([0.1] * 3 + [1e200] + [0.1] * 4)}, **LINEAR)
    found = trained(setup)
    assert (found.rows["outcome"] == code("diverged")).nonzero()[0].tolist() == [3]
    for run in range(8):
        assert_same_bits(found.run(run), train_alone(setup, run))


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_a_run_with_an_infinite_initial_loss_ends_at_epoch_0(optimizer: str) -> None:
    weights = {"W1": [[0, 0], [0, 0]], "b1": [0, 0], "W2": [[1e200, 1e200]], "b2": [0]}
    found = trained(some_setup(init=("explicit", {"weights": weights}), optimizer=optimizer, epochs=3, **LINEAR))
    assert found.rows["diverged_at"] == 0
    assert found.rows["diverged_in"] == -1
    assert found.rows["epochs_done"] == 0
    assert np.isnan(found.losses).all()
    np.testing.assert_array_equal(found.parameters[..., 0], np.repeat([[0, 0, 0, 0, 0, 0, 1e200, 1e200, 0]], 4, axis=0))


def test_float32_diverges_where_float64_does_not() -> None:
    lr = np.full(3, 1e30)
    assert (trained(some_setup({"lr": lr}, dtype="float32", epochs=2, **LINEAR)).rows["diverged_at"] == 1).all()
    assert (trained(some_setup({"lr": lr}, dtype="float64", epochs=1, **LINEAR)).rows["diverged_at"] == -1).all()
