"""Full-batch, mini-batch and online training match the textbook algorithm in every epoch."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import by_hand
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_runs import some_setup, trained

from xortrain.nets import Array
from xortrain.training.learner import order

W1, b1, W2, b2 = [[0.8, -0.3], [0.5, 0.9]], [0.1, -0.6], [1.2, -0.7], 0.2
START = ("explicit", {"weights": {"W1": W1, "b1": b1, "W2": [W2], "b2": [b2]}})
RATES: dict[str, tuple[Any, Callable[[int], float]]] = {
    "constant": ("constant", lambda epoch: 0.5),
    "step": (("step", {"every": 7.0, "gamma": 0.5}), lambda epoch: 0.5 * 0.5 ** (epoch // 7)),
    "exponential": (("exponential", {"gamma": 0.9}), lambda epoch: 0.5 * 0.9**epoch),
    "cosine": (("cosine", {"final": 0.1}), lambda epoch: 0.5 * (0.1 + 0.45 * (1 + math.cos(math.pi * epoch / 30)))),
}


def assert_agrees(orders: Sequence[Sequence[int]], size: int, rate: Callable[[int], float], **changes: Any) -> None:
    """Compare 30 epochs of a run with the reference loop in by_hand.py."""
    momentum = changes.pop("momentum", 0.0)
    linear = changes.get("loss") == ("mse", {"reduction": "sum"})
    setup = some_setup(init=START, epochs=30, lr=0.5, optimizer=("sgd", {"momentum": momentum}), **changes)
    net = by_hand.Net(W1, b1, W2, b2, linear)
    found, expected = trained(setup), list(by_hand.train(net, orders, rate, size, momentum))
    assert setup.loss_epochs.tolist() == setup.frame_epochs.tolist() == list(range(31))
    np.testing.assert_allclose(found.losses[:, 0], [loss for loss, _ in expected], rtol=1e-12)
    np.testing.assert_allclose(found.parameters[..., 0], [theta for _, theta in expected], rtol=1e-11)


UNSHUFFLED = [range(4)] * 30


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("schedule", RATES)
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_unshuffled_training_matches_the_reference_loop(size: int, schedule: str, momentum: float) -> None:
    chosen, rate = RATES[schedule]
    assert_agrees(UNSHUFFLED, size, rate, batch_size=size, shuffle=False, schedule=chosen, momentum=momentum)


def test_without_a_batch_size_an_epoch_is_one_full_batch_update() -> None:
    assert_agrees(UNSHUFFLED, 4, lambda epoch: 0.5)


def test_training_with_squared_error_matches_the_reference_loop() -> None:
    assert_agrees(UNSHUFFLED, 1, lambda epoch: 0.5, loss=("mse", {"reduction": "sum"}), batch_size=1, shuffle=False)


@pytest.mark.parametrize("size", [1, 3, 4])
@pytest.mark.parametrize("seed", [0, 5])
def test_the_seed_determines_the_order_of_shuffled_examples(seed: int, size: int) -> None:
    orders = [order(np.array([seed]), epoch, 4)[:, 0].tolist() for epoch in range(30)]
    assert_agrees(orders, size, lambda epoch: 0.5, batch_size=size, seed=seed)


def test_the_mean_loss_trains_like_the_sum_with_a_smaller_rate() -> None:
    mean = trained(some_setup(loss=("bce", {"reduction": "mean"}), lr=4.0))
    total = trained(some_setup(lr=1.0))
    np.testing.assert_allclose(4 * mean.losses, total.losses, rtol=1e-12)


seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds, epoch=st.integers(0, 10**9), examples=st.integers(1, 60))
def test_each_order_is_a_permutation(seed: int, epoch: int, examples: int) -> None:
    assert sorted(order(np.array([seed]), epoch, examples)[:, 0]) == list(range(examples))


@given(runs=st.lists(seeds, min_size=1, max_size=9), epoch=st.integers(0, 10**9), examples=st.integers(1, 20))
def test_a_run_has_the_same_order_in_any_population(runs: list[int], epoch: int, examples: int) -> None:
    together = order(np.array(runs, np.uint32), epoch, examples)
    for column, seed in enumerate(runs):
        np.testing.assert_array_equal(together[:, column], order(np.array([seed]), epoch, examples)[:, 0])


def test_no_two_epochs_and_no_two_seeds_have_the_same_order() -> None:
    orders = {tuple(column) for epoch in range(50) for column in order(np.arange(200), epoch, 20).T}
    assert len(orders) == 50 * 200


@pytest.mark.parametrize("by", ["epoch", "seed"])
def test_all_permutations_are_equally_likely(by: str) -> None:
    """χ² test of 24,000 draws over the 24 orders of four examples; with 23 degrees of freedom, P(χ² > 64) is 1e-5."""
    draws = order(np.arange(24_000), 3, 4) if by == "seed" else _over_epochs(24_000)
    _, counts = np.unique(draws, axis=1, return_counts=True)
    assert len(counts) == 24
    assert ((counts - 1000.0) ** 2 / 1000).sum() < 64


def _over_epochs(epochs: int) -> Array:
    return np.concatenate([order(np.array([7]), epoch, 4) for epoch in range(epochs)], axis=1)


def test_online_training_uses_every_example_once_per_epoch() -> None:
    """In a linear network with one-hot inputs and no biases, each weight changes once per epoch, in any order."""
    changes: dict[str, Any] = {
        "data": ("encoder", {"size": 6}),
        "architecture": ("mlp", {"hidden": [], "bias": False}),
        "init": "zeros",
        "loss": ("half_sse", {"reduction": "sum"}),
        "batch_size": 1,
        "lr": 0.25,
        "epochs": 5,
    }
    found = trained(some_setup({"seed": np.arange(8)}, **changes))
    for epoch, theta in enumerate(found.parameters):
        expected = np.eye(6) * (1 - 0.75**epoch)
        np.testing.assert_allclose(theta.reshape(6, 6, 8), np.repeat(expected[..., None], 8, axis=2), atol=1e-15)
