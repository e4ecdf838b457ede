"""Recorded epochs, frozen parameters, precision and seeds."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_runs import assert_same_bits, some_config, some_setup, trained

from xortrain.nets.optimizers import OPTIMIZERS
from xortrain.setup.population import Population
from xortrain.setup.run_setup import recorded_epochs

SEEDS: dict[str, Any] = {"seed": np.arange(5)}
RULES = [{"batch_size": None}, {"batch_size": 3}, {"batch_size": 1, "shuffle": False}]


def track(losses: int, frames: int, spacing: str = "even") -> dict[str, Any]:
    return {"losses": losses, "frames": frames, "spacing": spacing, "bytes": 0}


@given(
    epochs=st.integers(0, 10**9),
    most=st.integers(2, 3000),
    frames=st.integers(2, 300),
    spacing=st.sampled_from(["even", "log"]),
)
def test_first_and_last_epoch_are_recorded_and_the_limit_is_respected(
    epochs: int, most: int, frames: int, spacing: str
) -> None:
    for found, limit in zip(
        recorded_epochs(Population(some_config(epochs=epochs, track=track(most, frames, spacing)))),
        (most, frames),
        strict=True,
    ):
        assert found[0] == 0
        assert found[-1] == epochs
        assert len(found) <= limit
        assert (np.diff(found) > 0).all()
        if epochs < limit:
            assert found.tolist() == list(range(epochs + 1))


def test_log_spacing_is_dense_at_the_start_and_even_spacing_is_even() -> None:
    even, _ = recorded_epochs(Population(some_config(epochs=10_000, track=track(101, 2))))
    assert even.tolist() == list(range(0, 10_001, 100))
    dense, _ = recorded_epochs(Population(some_config(epochs=10_000, track=track(101, 2, "log"))))
    assert dense[:10].tolist() == list(range(10))
    assert len(dense) > 75
    growing = np.diff(dense)
    assert growing[-1] > 500
    assert (np.diff(growing) >= -1).all()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("spacing", ["even", "log"])
def test_thinned_recording_has_the_values_of_full_recording(spacing: str, rule: dict[str, Any]) -> None:
    whole = trained(some_setup(SEEDS, epochs=150, **rule))
    setup = some_setup(SEEDS, epochs=150, track=track(10, 7, spacing), **rule)
    thin = trained(setup)
    np.testing.assert_array_equal(thin.losses, whole.losses[setup.loss_epochs])
    np.testing.assert_array_equal(thin.parameters, whole.parameters[setup.frame_epochs])
    for name in ("outcome", "final_loss", "solved_at", "accuracy", "epochs_done"):
        np.testing.assert_array_equal(thin.rows[name], whole.rows[name])


@pytest.mark.parametrize("batch_size", [None, 1])
@pytest.mark.parametrize("optimizer", [name for name in OPTIMIZERS if name != "rprop"])
def test_frozen_parameters_keep_their_bits_and_the_others_change(optimizer: str, batch_size: int | None) -> None:
    changes: dict[str, Any] = {"optimizer": optimizer, "lr": 0.1, "batch_size": batch_size}
    if "weight_decay" in OPTIMIZERS[optimizer].settings:
        changes["optimizer"] = optimizer, {"weight_decay": 0.1}
    setup = some_setup(SEEDS, freeze=["b1", "W2"], epochs=10, **changes)
    parts = setup.shape.split(np.moveaxis(trained(setup).parameters, 0, -1))
    for name, values in parts.items():
        moved = values[..., 1:] != values[..., :1]
        assert not moved.any() if name in ("b1", "W2") else moved.all()


def test_if_all_parameters_are_frozen_nothing_changes() -> None:
    found = trained(some_setup(SEEDS, freeze=["W1", "b1", "W2", "b2"], epochs=10))
    assert (found.losses == found.losses[0]).all()
    assert (found.parameters == found.parameters[0]).all()


@pytest.mark.parametrize("size", [4, 5, 1000])
def test_a_batch_of_all_examples_is_a_full_batch(size: int) -> None:
    """Unshuffled batches give the same bits; shuffled ones sum in another order."""
    full = trained(some_setup(SEEDS))
    assert_same_bits(trained(some_setup(SEEDS, batch_size=size, shuffle=False)), full)
    np.testing.assert_allclose(trained(some_setup(SEEDS, batch_size=size)).losses, full.losses, rtol=1e-9)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_float32_training_stays_float32_and_close_to_float64(optimizer: str, rule: dict[str, Any]) -> None:
    rule = {} if optimizer == "rprop" else rule
    changes = {"optimizer": optimizer, "lr": 0.05, "epochs": 20, "activation": ("elu", {"alpha": 0.7})} | rule
    single, double = (trained(some_setup(SEEDS, dtype=dtype, **changes)) for dtype in ("float32", "float64"))
    assert single.losses.dtype == single.parameters.dtype == np.float32
    np.testing.assert_allclose(single.losses, double.losses, rtol=2e-3)
    assert (single.losses != double.losses.astype(np.float32)).any()


def test_seed_0_is_valid() -> None:
    """Initial parameters are RandomState(0).randn in the order W1, b1, W2, b2; seed 1 gives others."""
    start = trained(some_setup(seed=0)).parameters[0, :, 0]
    np.testing.assert_array_equal(start, np.random.RandomState(0).randn(9))
    assert (start != trained(some_setup(seed=1)).parameters[0, :, 0]).all()


def test_the_largest_seed_is_valid() -> None:
    found = trained(some_setup(seed=2**32 - 1, batch_size=1, epochs=2))
    np.testing.assert_array_equal(found.parameters[0, :, 0], np.random.RandomState(2**32 - 1).randn(9))
    assert found.rows["seed"] == 2**32 - 1


@pytest.mark.parametrize(
    "rule", [{}, {"schedule": "cosine"}, {"stop": "solved"}, {"batch_size": 1}, {"optimizer": "adam"}]
)
def test_zero_epochs_leave_the_initial_parameters_unchanged(rule: dict[str, Any]) -> None:
    setup = some_setup(SEEDS, epochs=0, **rule)
    found = trained(setup)
    assert setup.loss_epochs.tolist() == setup.frame_epochs.tolist() == [0]
    np.testing.assert_array_equal(found.parameters[0], setup.task().theta)
    np.testing.assert_array_equal(found.losses, trained(some_setup(SEEDS, epochs=3)).losses[:1])
    assert (found.rows["epochs_done"] == 0).all()


def test_the_step_activation_works_without_training() -> None:
    weights = {"W1": [[1, 1], [1, 1]], "b1": [-0.5, -1.5], "W2": [[1, -1]], "b2": [-0.5]}
    found = trained(
        some_setup(activation="step", output="step", loss="mse", epochs=0, init=("explicit", {"weights": weights}))
    )
    assert found.losses[0, 0] == 0
    assert found.rows["accuracy"] == 1
