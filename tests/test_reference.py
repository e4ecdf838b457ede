"""What an answer reaches without learning: the best constant, and the vote of neighbours."""

from typing import Any

import numpy as np
import pytest
from some_runs import some_config, some_setup
from some_settings import some_settings

from xortrain.nets.losses import LOSSES
from xortrain.setup.own_arrays import array_data
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.reference import FEWEST, NEIGHBOURS, best_constant, references
from xortrain.training.success import Success
from xortrain.training.task import Task


def task_of(runs: int = 3, **changes: Any) -> Task:
    return some_setup({"seed": np.arange(runs, dtype=np.uint32)}, **changes).task()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("share", [0.2, 0.5])
def test_no_constant_answer_is_better_than_the_best_one(loss: str, share: float) -> None:
    """Against a grid of answers; for classes, whose answers sum to 1, against their frequencies."""
    row = LOSSES[loss]
    low = -1.0 if row.targets == "signs" else 0.0
    data = ("circle", {"examples": 40, "noise": share, "low": low})
    settings = dict.fromkeys(row.own, 0.3)
    task = task_of(loss=(loss, settings), data=data, lr=0.1, epochs=0)
    y, found = best_constant(task)
    t = task.data.t
    if row.targets == "classes":
        np.testing.assert_allclose(y[0, :, 0], t[..., 0].mean(axis=0))
        return
    own = {name: value[0] for name, value in task.criterion.own.items()}
    for answer in np.linspace(3 * low, 3 if low else 1, 401):  # margins may be wider than the targets
        total = row.value(np.full_like(t, answer), t, **own).sum() * task.criterion.share(t)
        assert found[0] <= total + 1e-6 * abs(total)
    again = row.value(np.broadcast_to(y[..., :1], t.shape), t, **own).sum() * task.criterion.share(t)
    assert found[0] == pytest.approx(again)


@pytest.mark.parametrize(("loss", "best"), [("bce", np.log(2)), ("mse", 0.25), ("half_sse", 0.125), ("mae", 0.5)])
def test_the_best_constant_of_xor_is_the_known_one(loss: str, best: float) -> None:
    found = references(task_of(loss=(loss, {"reduction": "mean"})))
    np.testing.assert_allclose(found.loss, best)
    np.testing.assert_array_equal(found.accuracy, 0.5)
    assert np.isnan(found.allowed).all()


@pytest.mark.parametrize("ones", [3, 30, 57])
def test_the_best_constant_of_soft_margin_is_beyond_the_targets_where_one_of_them_is_rare(ones: int) -> None:
    t = np.where(np.arange(60) < ones, 1.0, -1.0)[:, None]
    config = some_config(loss=("soft_margin", {"reduction": "mean"}), data="csv")
    own = array_data((np.arange(60.0)[:, None], t))
    share = ones / 60
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    np.testing.assert_allclose(references(Setup.of(Population(config, own=own)).task()).loss, entropy)


def test_each_run_has_the_constant_of_its_own_settings() -> None:
    deltas = np.array([0.1, 0.4, 2.0])
    setup = some_setup({"loss.delta": deltas}, loss="huber", data=("circle", {"examples": 40, "noise": 0.3}), lr=0.1)
    each = [float(references(setup.task(np.array([k]))).loss[0]) for k in range(3)]
    assert references(setup.task()).loss.tolist() == each
    assert len(set(each)) == 3


def test_each_run_is_allowed_what_its_own_success_rule_counts() -> None:
    sine = ("sine", {"examples": 60, "noise": 0.3})
    changes: dict[str, Any] = {"data": sine, "loss": "mse", "output": "identity", "lr": 0.1}
    setup = some_setup({"success.within": np.array([0.9, 0.1, 0.5])}, success="tolerance", **changes)
    each = [float(references(setup.task(np.array([k]))).allowed[0]) for k in range(3)]
    np.testing.assert_array_equal(references(setup.task()).allowed, each)
    assert len(set(each)) == 3


def vote_by_hand(x: Any, t: Any) -> float:
    """The share of examples whose class is that of most of their 15 nearest others."""
    x, right = x / x.std(axis=0), 0
    for k in range(len(x)):
        others = sorted((j for j in range(len(x)) if j != k), key=lambda j: ((x[j] - x[k]) ** 2).sum())
        right += (sum(t[j] for j in others[:NEIGHBOURS]) > NEIGHBOURS / 2) == (t[k] > 0.5)
    return right / len(x)


@pytest.mark.parametrize("data", ["circle", "moons", "xor_cloud", "gauss", "spiral"])
def test_what_the_data_allow_is_the_vote_of_neighbours(data: str) -> None:
    task = task_of(data=(data, {"examples": 80, "noise": 0.2}), lr=0.1, loss=("bce", {"reduction": "mean"}))
    np.testing.assert_allclose(references(task).allowed, vote_by_hand(task.data.x, task.data.t[:, 0, 0]))


def test_held_out_examples_are_predicted_from_the_others() -> None:
    task = task_of(data=("moons", {"examples": 200, "noise": 0.3, "test": 0.4}), lr=0.1)
    assert task.test is not None
    x, t = task.data.x / task.data.x.std(axis=0), task.data.t[:, 0, 0]
    right = 0
    for at, target in zip(task.test.x / task.data.x.std(axis=0), task.test.t[:, 0, 0], strict=True):
        near = np.argsort(((x - at) ** 2).sum(axis=1))[:NEIGHBOURS]
        right += (t[near].mean() > 0.5) == (target > 0.5)
    np.testing.assert_allclose(references(task).allowed, right / len(task.test.x))


@pytest.mark.parametrize("data", [("parity", {"bits": 4}), ("encoder", {"size": 40}), "and"])
def test_what_data_allow_is_unknown_where_a_vote_is_no_better_than_a_constant(data: Any) -> None:
    assert np.isnan(references(task_of(data=data, epochs=1)).allowed).all()


def test_a_line_through_noise_is_allowed_and_too_few_points_are_not_judged() -> None:
    stream = np.random.default_rng(0)
    for examples in (FEWEST - 1, 60):
        x = stream.uniform(-1, 1, (examples, 1))
        t = 3 * x + 0.01 * stream.standard_normal(x.shape)
        config = some_config(loss="mse", success="tolerance", data="csv")
        found = references(Setup.of(Population(config, own=array_data((x, t)))).task())
        assert np.isnan(found.allowed[0]) if examples < FEWEST else found.allowed[0] == 1
        assert found.loss[0] == pytest.approx(t.var())


def test_the_class_is_that_of_the_greatest_output() -> None:
    y = np.array([[0.4, 0.3, 0.2], [0.1, 0.2, 0.3], [0.5, 0.5, 0.1], [0.2, 0.9, 0.8]])[..., None]
    t = np.eye(3)[[0, 2, 0, 1]][..., None]
    rule = Success("midpoint", np.zeros(1), np.ones(1))
    assert rule.accurate(y, t)[:, 0].tolist() == [True, True, False, True]
    assert rule.right(y, t)[:, 0].tolist() == [False, False, False, False]
    flipped = Success("midpoint", np.ones(1), np.zeros(1))
    assert flipped.accurate(1 - y, 1 - t)[:, 0].tolist() == [True, True, False, True]


def test_two_values_are_separated_by_their_midpoint_whatever_the_rule() -> None:
    rule = Success("tolerance", np.zeros(2), np.ones(2), some_settings({}, 2) | {"within": np.full(2, 0.1)})
    y, t = np.array([0.6, 0.4, 0.95])[:, None, None] * np.ones(2), np.array([1.0, 1.0, 1.0])[:, None, None]
    assert rule.accurate(y, t)[:, 0].tolist() == [True, False, True]
    assert rule.right(y, t)[:, 0].tolist() == [False, False, True]
    real = np.array([0.55, 0.4, 0.2])[:, None, None]
    assert rule.accurate(y, real)[:, 0].tolist() == rule.right(y, real)[:, 0].tolist() == [True, True, False]
