"""Targets are coded for the loss, and held-out examples take no part in training."""

from typing import Any

import numpy as np
import pytest
from some_runs import some_setup, trained

from xortrain.config.settings import GROUPS, keys_of
from xortrain.nets import Array
from xortrain.nets.losses import LOSSES

CODED = [name for name in GROUPS["data"] if "low" in keys_of("data", name)]
CLOUDS = [name for name in CODED if "test" in keys_of("data", name)]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0.1, 0.9)])
@pytest.mark.parametrize("name", CODED)
def test_low_and_high_replace_targets_0_and_1(name: str, low: float, high: float) -> None:
    plain = some_setup(data=(name, {"low": 0.0, "high": 1.0}), loss="mse").train
    coded = some_setup(data=(name, {"low": low, "high": high}), loss="mse").train
    np.testing.assert_array_equal(coded.x, plain.x)
    np.testing.assert_array_equal(coded.t, np.where(plain.t == 1, high, low))
    assert set(np.unique(plain.t)) == {0, 1}


@pytest.mark.parametrize("name", [name for name in CODED if name != "encoder"])
def test_classes_are_one_hot(name: str) -> None:
    setup = some_setup(data=(name, {"low": 0.0, "high": 1.0}), loss="cross_entropy")
    plain = some_setup(data=(name, {"low": 0.0, "high": 1.0}), loss="mse").train.t[..., 0]
    np.testing.assert_array_equal(setup.train.t[..., 0], np.hstack([1 - plain, plain]))
    assert setup.shape.layers[-1].activation == "softmax"


def test_an_encoder_has_the_same_outputs_with_any_loss() -> None:
    for loss in ("mse", "cross_entropy"):
        setup = some_setup(data=("encoder", {"size": 3}), loss=loss)
        np.testing.assert_array_equal(setup.train.t[..., 0], np.eye(3))


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_determines_the_default_output_activation(loss: str) -> None:
    low = -1.0 if LOSSES[loss].targets == "signs" else 0.0
    assert some_setup(loss=loss, data=("xor", {"low": low})).shape.layers[-1].activation == LOSSES[loss].output
    assert some_setup(loss="mse", output="tanh").shape.layers[-1].activation == "tanh"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_data_have_the_dtype_of_the_run(dtype: str) -> None:
    train = some_setup(data="spiral", dtype=dtype).train
    assert train.x.dtype == train.t.dtype == dtype


def rows_of(x: Array) -> set[tuple[float, ...]]:
    return {tuple(row) for row in x.tolist()}


@pytest.mark.parametrize("share", [0.1, 0.25, 0.9])
@pytest.mark.parametrize("name", CLOUDS)
def test_the_requested_fraction_is_held_out_and_not_trained_on(name: str, share: float) -> None:
    whole = some_setup(data=(name, {"examples": 40, "noise": 0.1}))
    setup = some_setup(data=(name, {"examples": 40, "noise": 0.1, "test": share}))
    assert setup.test is not None
    assert len(setup.test.x) == round(40 * share)
    assert rows_of(setup.train.x) | rows_of(setup.test.x) == rows_of(whole.train.x)
    assert not rows_of(setup.train.x) & rows_of(setup.test.x)


def test_held_out_examples_do_not_affect_training() -> None:
    """A run with held-out examples is the same as plain gradient descent on its training examples."""
    setup = some_setup(data=("moons", {"examples": 40, "test": 0.25}), epochs=20)
    unsplit = trained(some_setup(data=("moons", {"examples": 40}), epochs=20))
    found, task = trained(setup), setup.task()
    theta = task.theta[:, 0]
    for epoch in range(20):
        np.testing.assert_allclose(found.parameters[epoch, :, 0], theta, rtol=1e-12)
        net = task.network.forward(theta, setup.train.x)
        theta = theta - task.lr * net.backward(net.y - setup.train.t[..., 0])
    assert (unsplit.losses[1:] != found.losses[1:]).all()


@pytest.mark.parametrize("rule", [{}, {"batch_size": 3}, {"stop": "solved"}])
def test_test_losses_match_a_separate_forward_pass(rule: dict[str, Any]) -> None:
    setup = some_setup({"seed": np.arange(4)}, data=("circle", {"examples": 30, "test": 0.3}), epochs=15, **rule)
    found, task = trained(setup), setup.task()
    assert task.test is not None
    assert found.test_losses is not None
    t = task.test.t[..., 0]
    for epoch, theta in enumerate(found.parameters):
        for run in range(4):
            if epoch <= found.rows["epochs_done"][run]:
                y = task.network.forward(theta[:, run], task.test.x).y
                expected = -(t * np.log(y) + (1 - t) * np.log(1 - y)).sum()
                np.testing.assert_allclose(found.test_losses[epoch, run], expected, rtol=1e-10)
                right = (np.abs(y - t) < 0.5).mean()
    assert found.rows["test_accuracy"][-1] == right
    np.testing.assert_allclose(found.rows["test_loss"][-1], expected, rtol=1e-10)
