"""The experiments from papers have the documented network, update rule and task, and run as sweeps."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xortrain
from xortrain.config.settings import conf_folder
from xortrain.records.groups import statistics

SWEPT = {"rumelhart_1986": 1000, "kolen_pollack_1990": 2400, "rprop_1993": 800}
PAPERS = [*SWEPT, "goodfellow_2016", "sohl_dickstein_2024"]


def rows(found: "xortrain.Sweep", *names: str) -> dict[str, Any]:
    return {name: np.array([run.row[name] for run in found]) for name in ("outcome", "solved_at", "final_loss", *names)}


@pytest.mark.parametrize("name", PAPERS)
def test_each_file_states_its_source_and_its_assumptions(name: str) -> None:
    text = (conf_folder() / "experiment" / f"{name}.yaml").read_text(encoding="utf-8")
    assert "# From the " in text
    assert "# Assumed: " in text or "Nothing is trained." in text


def test_the_hand_set_weights_of_goodfellow_solve_xor_exactly() -> None:
    """Section 6.1: XW + c = [[0, -1], [1, 0], [1, 0], [2, 1]], its ReLU, and w'h = 0, 1, 1, 0."""
    run = xortrain.train("experiment=goodfellow_2016")
    w = run.at(0)
    z = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) @ w["W1"].T + w["b1"]
    np.testing.assert_array_equal(z, [[0, -1], [1, 0], [1, 0], [2, 1]])
    np.testing.assert_array_equal(run.predict(run.x).ravel(), [0, 1, 1, 0])
    assert run.outcome == "solved"
    assert run.row["final_loss"] == 0


def test_the_2_1_1_network_has_seven_parameters_and_uses_momentum() -> None:
    """The hidden unit has two weights and a bias; the output has three weights, two from the inputs, and a bias."""
    run = xortrain.train("experiment=rumelhart_1986", "epochs=3")
    assert run.network.shapes == {"W1": (1, 2), "b1": (1,), "W2": (1, 3), "b2": (1,)}
    velocity = np.zeros(7)
    for epoch in range(3):
        gradient = np.concatenate([g.ravel() for g in run.gradients(epoch).values()])
        velocity = -0.5 * gradient + 0.9 * velocity
        np.testing.assert_allclose(run.parameters[epoch] + velocity, run.parameters[epoch + 1], rtol=1e-12)


def test_half_the_squared_error_is_summed_over_the_examples() -> None:
    for name in SWEPT:
        run = xortrain.train(f"experiment={name}", "epochs=0")
        assert run.losses[0] == pytest.approx(0.5 * ((run.predict(run.x) - run.t) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize("name", SWEPT)
def test_an_experiment_defines_its_sweep(name: str, tmp_path: Path) -> None:
    """The test uses fewer seeds; all other values are from the file."""
    axes = {"rumelhart_1986": 1, "kolen_pollack_1990": 12, "rprop_1993": 4}[name]
    found = xortrain.sweep(f"experiment={name}", "seed=range(0,3)", "epochs=2", "film=none", f"root={tmp_path}")
    assert len(found) == 3 * axes


def test_too_large_and_too_small_initial_weights_solve_less_often(tmp_path: Path) -> None:
    words = ["experiment=kolen_pollack_1990", "init.scale=0.01,0.5,10", "seed=range(0,60)", "film=none"]
    groups = statistics(rows(xortrain.sweep(*words, f"root={tmp_path}"), "init.scale"), ["init.scale"])
    shares = {group.by["init.scale"]: (group.low, group.high) for group in groups}
    assert shares[0.5][0] > shares[10][1]
    assert shares[0.01][1] < shares[0.5][0]


def test_rprop_solves_the_encoder_in_tens_of_epochs_with_either_initial_step(tmp_path: Path) -> None:
    words = ["experiment=rprop_1993", "lr=0.01,0.1", "seed=range(0,40)", "film=none"]
    for group in statistics(rows(xortrain.sweep(*words, f"root={tmp_path}"), "lr"), ["lr"]):
        assert group.low > 0.8
        assert 10 < group.epochs_median < 60


def test_the_network_of_sohl_dickstein_trains_as_in_his_notebook() -> None:
    """There z = √(2/n) W1 x and y = W2 a / n, with standard normal weights and targets, and n² times our rates."""
    rates, n, factor = (0.3, 0.2), 16, 4 * np.sqrt(2)
    words = [f"layer_lr.W{k}={rate}" for k, rate in enumerate(rates, start=1)]
    run = xortrain.train("experiment=sohl_dickstein_2024", "epochs=5", *words)
    assert run.x.shape == (272, n)
    x, t, start = run.x, run.t / factor, run.at(0)
    w1, w2 = start["W1"] * np.sqrt(n / 2), start["W2"] * n / factor
    assert 0.8 < w1.std() < 1.2
    for epoch in range(6):
        a = np.tanh(x @ w1.T * np.sqrt(2 / n))
        y = a @ w2.T / n
        np.testing.assert_allclose(run.predict(x, epoch), factor * y, rtol=1e-9, atol=1e-12)
        slope = 2 * (y - t) / len(x)
        back = slope @ w2 / n * (1 - a**2)
        w1 = w1 - n**2 * rates[0] * (back.T @ x) * np.sqrt(2 / n)
        w2 = w2 - n**2 * rates[1] * (slope.T @ a) / n


def test_the_sweep_of_sohl_dickstein_crosses_the_boundary(tmp_path: Path) -> None:
    words = ["layer_lr.W1=0.1,100", "layer_lr.W2=0.2,1.2", "epochs=60", "film=none", f"root={tmp_path}"]
    found = xortrain.sweep("experiment=sohl_dickstein_2024", *words)
    failed = np.isin(found.column("outcome"), ("diverged", "exploded"))
    assert failed.tolist() == [False, True, False, True]
    assert len(found.parts) == 1
