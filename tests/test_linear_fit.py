"""A line (or plane) that separates the examples is found where there is one, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest

import xortrain
from xortrain.nets import Array
from xortrain.training.linear import linear_fit

LINEAR = ("architecture.hidden=[]", "epochs=0", "advice=none")
RULES = {
    "output=sigmoid loss=bce": (0, 1),
    "output=sigmoid loss=mse": (0, 1),
    "output=tanh loss=mse": (-1, 1),
    "output=identity loss=hinge": (-1, 1),
    "output=identity loss=squared_hinge": (-1, 1),
    "output=identity loss=mse": (0, 1),
    "output=relu loss=mse": (0, 1),
}
LOWEST_SEPARATES = [*RULES][:5]  # least squares may cut off an example although another plane would not


def fitted(x: Array, t: Array, *words: str) -> tuple[float, bool]:
    """Fit x and t; return the lowest loss, and whether all examples are right."""
    loss, right = linear_fit(xortrain.train(*LINEAR, *words, data=(x, t)).task)
    return float(loss[0]), bool(right[0])


def correlated(seed: int, examples: int, inputs: int) -> tuple[Array, Array]:
    """Examples whose inputs are nearly the same number, of scales far apart, and their distances from a plane."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(examples, 1)) + 0.01 * random.normal(size=(examples, inputs))
    distance = (x - x.mean(axis=0)) @ random.normal(size=inputs)
    return x * 10.0 ** random.integers(-3, 4, inputs) + random.normal(size=inputs), distance


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rule", LOWEST_SEPARATES)
def test_a_plane_that_separates_correlated_inputs_of_any_scale_is_found(rule: str, seed: int) -> None:
    x, distance = correlated(seed, 150, 10)
    low, high = RULES[rule]
    assert fitted(x, np.where(distance > np.median(distance), high, low) * 1.0, *rule.split())[1]


@pytest.mark.parametrize("rule", RULES)
def test_no_plane_separates_a_point_from_two_on_both_sides_of_it(rule: str) -> None:
    """All other examples are on the right sides of the line that the three points are on."""
    random = np.random.default_rng(1)
    side = np.sign(random.normal(size=40))
    others = np.column_stack([0.3 + side * random.uniform(0.1, 1, 40), random.normal(size=40)])
    x = np.concatenate([others, [[0.3, -1.0], [0.3, 0.0], [0.3, 1.0]]])
    low, high = RULES[rule]
    t = np.where(np.concatenate([side > 0, [False, True, False]]), high, low) * 1.0
    assert not fitted(x, t, *rule.split())[1]


@pytest.mark.parametrize("rule", RULES)
def test_without_biases_the_origin_is_on_every_line(rule: str) -> None:
    low, high = RULES[rule]
    x, t = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([low, high, high, high]) * 1.0
    can_be_right = "sigmoid" not in rule and low == 0  # the output without a bias is the target
    assert fitted(x, t, "architecture.bias=false", *rule.split())[1] == can_be_right
    assert fitted(x, t, *rule.split())[1]


@pytest.mark.parametrize("classes", [3, 5])
def test_classes_that_are_apart_are_separated(classes: int) -> None:
    x, _ = correlated(5, 120, 4)
    scores = (x - x.mean(axis=0)) / x.std(axis=0) @ np.random.default_rng(2).normal(size=(4, classes))
    t = scores.argmax(axis=1)
    assert fitted(x, np.array([f"class {k}" for k in t]))[1]


def test_the_lowest_loss_of_a_logistic_regression_has_no_slope() -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(60, 3)) * [1, 20, 0.05]
    t = (random.uniform(size=60) < 1 / (1 + np.exp(-x @ [1, 0.1, 20]))) * 1.0
    loss, is_right = fitted(x, t, "loss=bce")
    w, ones = np.zeros(4), np.column_stack([x / x.std(axis=0), np.ones(60)])
    for _ in range(100_000):
        w -= 0.3 * ones.T @ (1 / (1 + np.exp(-ones @ w)) - t) / 60
    z = ones @ w
    assert loss == pytest.approx((np.logaddexp(0, z) - t * z).mean(), rel=1e-6)
    assert not is_right


def test_a_run_gets_the_same_alone_and_among_others(tmp_path: Path) -> None:
    words = ("data=xor_cloud", "data.noise=0.4", "data.examples=20", "film=none", f"root={tmp_path}")
    sweep = xortrain.sweep(*LINEAR, *words, "data.seed=${seed}", "seed=range(0,5)")
    loss, right = linear_fit(sweep.population(0).setup.task(slice(None)))
    for run in range(5):
        own = linear_fit(xortrain.train(*LINEAR, *words, f"data.seed={run}").task)
        assert (own[0][0], own[1][0]) == (loss[run], right[run])
