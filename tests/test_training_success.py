"""Each success rule accepts exactly the outputs in its definition."""

import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_runs import composed

import xortrain
from xortrain.config.settings import GROUPS
from xortrain.explain.step import step_at
from xortrain.runner.train import train_run
from xortrain.setup.own_arrays import array_data
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.success import SUCCESS_RULES, Success

pytestmark = pytest.mark.usefixtures("quick_composition")
numbers = st.floats(-3, 3)
CODINGS = [(0.0, 1.0), (-1.0, 1.0), (0.1, 0.9), (1.0, 0.0)]


def rule(name: str, low: float, high: float, **settings: float) -> Success:
    return Success(name, np.array([low]), np.array([high]), {key: np.array([value]) for key, value in settings.items()})


def right(one: Success, y: Any, t: Any) -> list[bool]:
    """Return for each example of a single run whether it is right; y and t are (examples, outputs)."""
    found: list[bool] = one.right(np.array(y)[..., None], np.array(t)[..., None])[:, 0].tolist()
    return found


@pytest.mark.parametrize("coding", CODINGS)
@given(y=numbers, is_high=st.booleans())
def test_midpoint_requires_the_nearer_target(coding: tuple[float, float], y: float, is_high: bool) -> None:
    t, other = coding[is_high], coding[not is_high]
    if abs(y - sum(coding) / 2) > 1e-12:
        assert right(rule("midpoint", *coding), [[y]], [[t]]) == [abs(y - t) < abs(y - other)]


@pytest.mark.parametrize("coding", CODINGS)
@given(y=numbers, is_high=st.booleans(), within=st.floats(0.01, 1))
def test_tolerance_requires_a_distance_below_within(
    coding: tuple[float, float], y: float, is_high: bool, within: float
) -> None:
    t = coding[is_high]
    assert right(rule("tolerance", *coding, within=within), [[y]], [[t]]) == [t - within < y < t + within]


@pytest.mark.parametrize("coding", CODINGS)
@given(share=st.floats(-1, 2), is_high=st.booleans())
def test_fahlman_requires_the_outer_40_percent(coding: tuple[float, float], share: float, is_high: bool) -> None:
    """With targets 0 and 1, outputs below 0.4 are low and above 0.6 high; other targets scale these limits."""
    low, high = coding
    if min(abs(share - 0.4), abs(share - 0.6)) > 1e-9:
        y = low + share * (high - low)
        assert right(rule("fahlman", *coding), [[y]], [[coding[is_high]]]) == [share > 0.6 if is_high else share < 0.4]


@pytest.mark.parametrize("name", SUCCESS_RULES)
@given(t=st.lists(st.sampled_from([0.0, 1.0]), min_size=3, max_size=3), y=st.lists(numbers, min_size=3, max_size=3))
def test_an_example_is_right_if_all_its_outputs_are(name: str, t: list[float], y: list[float]) -> None:
    one = rule(name, 0, 1, **({"within": 0.2} if name == "tolerance" else {}))
    each = [right(one, [[output]], [[target]])[0] for output, target in zip(y, t, strict=True)]
    assert right(one, [y], [t]) == [all(each)]


@pytest.mark.parametrize("name", SUCCESS_RULES)
def test_nan_is_never_right(name: str) -> None:
    one = rule(name, 0, 1, **({"within": 10.0} if name == "tolerance" else {}))
    assert right(one, [[np.nan], [np.nan]], [[0.0], [1.0]]) == [False, False]


@pytest.mark.parametrize("name", SUCCESS_RULES)
def test_outputs_on_the_boundary_are_not_right(name: str) -> None:
    one = rule(name, 0, 1, **({"within": 0.25} if name == "tolerance" else {}))
    boundary = {"auto": (0.5, 0.5), "midpoint": (0.5, 0.5), "tolerance": (0.25, 0.75), "fahlman": (0.4, 0.6)}[name]
    assert right(one, [[boundary[0]], [boundary[1]]], [[0.0], [1.0]]) == [False, False]


def rule_of(*overrides: str, data: Any = None, varying: Any = None) -> tuple[Success, Setup]:
    arrays = varying or {}
    runs = len(next(iter(arrays.values()), [0]))
    own = None if data is None else array_data(data)
    setup = Setup.of(Population(composed(*overrides), arrays, np.arange(runs), own))
    return setup.task().success, setup


TWO_VALUED = {
    "truth table": ("data=xor",),
    "other values": ("data=circle", "data.low=-0.3", "data.high=4", "loss=mse"),
    "reversed": ("data=moons", "data.low=1", "data.high=0"),
    "one-hot": ("data=encoder", "data.size=5"),
    "two classes": ("data=spiral", "loss=cross_entropy"),
    "float32": ("data=gauss", "dtype=float32", "data.high=0.7"),
    "scaled": ("data=gauss", "data.scale=standard", "data.test=0.3"),
}


@pytest.mark.parametrize("name", TWO_VALUED)
def test_auto_is_midpoint_for_two_values_and_for_classes_bit_by_bit(name: str) -> None:
    (auto, setup), (midpoint, _) = (rule_of(*TWO_VALUED[name], f"success={rule}") for rule in ("auto", "midpoint"))
    t = setup.task().data.t
    for one, two in zip(auto.interval(t), midpoint.interval(t), strict=True):
        np.testing.assert_array_equal(one, two)
        assert one.dtype == two.dtype
    assert auto.words() == midpoint.words()


@pytest.mark.parametrize("overrides", [(), ("seed=3", "activation=tanh"), ("dtype=float32",), ("stop=solved",)])
def test_a_run_is_the_same_by_auto_and_by_midpoint(overrides: tuple[str, ...]) -> None:
    one, two = (train_run(composed("film=none", *overrides, f"success={rule}")) for rule in ("auto", "midpoint"))
    assert one.trained.rows.dtype == two.trained.rows.dtype
    for name in one.trained.rows.dtype.names or ():
        np.testing.assert_array_equal(one.trained.rows[name], two.trained.rows[name], err_msg=name)
    np.testing.assert_array_equal(one.losses, two.losses)


def by_hand(y: Any, t: Any, train: Any) -> list[bool]:
    """Every output less than a quarter of a standard deviation of its column from its target, in exact arithmetic."""
    found = []
    for out, aim in zip(y, t, strict=True):
        near = []
        for k, (a, b) in enumerate(zip(out, aim, strict=True)):
            column = [float(row[k]) for row in train]
            sd = statistics.pstdev(column) or 1.0
            near.append(abs(a - b) < sd / 4)
        found.append(all(near))
    return found


REAL: dict[str, Any] = {
    "one column": [[0.3], [2.0], [-1.0], [0.35]],
    "columns of different sizes": [[0.3, 2000.0], [2.0, 2500.0], [-1.0, 1000.0], [7.0, 1001.0]],
    "a constant column": [[0.3, 5.0], [2.0, 5.0], [-1.0, 5.0], [4.0, 5.0]],
    "constant": [[0.1], [0.1], [0.1], [0.1]],
    "far from zero": [[1e6 + 1], [1e6 + 2], [1e6 + 4], [1e6 + 3]],
    "one example": [[3.5]],
    "probabilities": [[0.3], [0.2], [1.0], [0.0]],
}


@pytest.mark.parametrize("scale", ["none", "standard", "minmax"])
@pytest.mark.parametrize("name", REAL)
def test_auto_is_a_quarter_of_the_standard_deviation_for_real_targets(name: str, scale: str) -> None:
    t = np.array(REAL[name])
    x = np.arange(len(t) * 2.0).reshape(-1, 2)
    rule, _ = rule_of("loss=mse", "data=csv", f"data.scale={scale}", data=(x, t))
    stream = np.random.default_rng(0)
    for _ in range(50):
        y = t + stream.choice([0.02, 0.2, 0.3], t.shape) * stream.uniform(-1, 1, t.shape) * np.maximum(t.std(axis=0), 1)
        assert rule.unscaled.right(y[..., None], t[..., None])[:, 0].tolist() == by_hand(y, t, t)
        scaled = (rule.scaling.scaled(values[..., None]) for values in (y, t))
        assert rule.right(*scaled)[:, 0].tolist() == by_hand(y, t, t)
    sd = np.where(np.ptp(t, axis=0) == 0, 1, t.std(axis=0))
    assert not rule.unscaled.right((t + sd / 4)[..., None], t[..., None]).any() or name == "far from zero"


def test_targets_near_the_largest_number_have_a_deviation() -> None:
    t = np.array([[1.7e308], [-1.7e308], [0.0]])
    rule, _ = rule_of("loss=mse", "data=csv", data=(np.eye(3), t))
    np.testing.assert_allclose(rule.sd, 1.7e308 * np.sqrt(2 / 3))
    assert rule.right(t[..., None], t[..., None]).all()


@pytest.mark.parametrize("name", REAL)
def test_real_targets_are_trained_and_explained_with_the_default_rule(name: str) -> None:
    t = np.array(REAL[name])
    x = np.arange(len(t) * 2.0).reshape(-1, 2)
    run = xortrain.train("loss=mse", "lr=0.001", "epochs=3", data=(x, t))
    assert run.row["outcome"]
    step = step_at(run.own_setup.task())
    assert step.before.right.tolist() == by_hand(step.before.y, t, t)


def test_the_deviation_is_that_of_the_training_examples_of_each_run() -> None:
    seeds = {"data.seed": np.array([3, 5, 3], np.uint32), "data.noise": np.array([0.0, 0.1, 0.5])}
    rule, setup = rule_of("data=sine", "data.test=0.4", varying=seeds)
    assert setup.test is not None
    for run in range(3):
        train, t = setup.train.t[..., run], setup.test.t[..., run]
        y = t + np.linspace(-0.4, 0.4, len(t))[:, None]
        every = np.repeat(y[..., None], 3, axis=2), np.repeat(t[..., None], 3, axis=2)
        expected = by_hand(y, t, train)
        assert rule.right(*every)[:, run].tolist() == expected
        assert rule.take(np.array([run])).right(y[..., None], t[..., None])[:, 0].tolist() == expected
        words = ["data=sine", "data.test=0.4", *(f"{key}={values[run]}" for key, values in seeds.items())]
        alone, _ = rule_of(*words)
        for one, two in zip(alone.interval(t[..., None]), rule.interval(every[1]), strict=True):
            np.testing.assert_array_equal(one[..., 0], two[..., run])
        assert (alone.low[0], alone.high[0]) == (rule.low[run], rule.high[run])


@pytest.mark.parametrize(
    ("t", "words"),
    [
        ([[0.0], [1.0]], "on the target's side of 0.5"),
        ([[0.0], [1.0], [2.0]], "less than 0.25 standard deviations (0.2) from its target"),
        ([[0.0, 0], [1, 10], [2, 20]], "less than 0.25 standard deviations (0.2, 2) from its target"),
        (np.arange(15.0).reshape(3, 5), "less than 0.25 standard deviations from its target"),
        ([[4.0]], "less than 0.25 standard deviations (0.25) from its target"),
    ],
)
def test_auto_says_which_rule_holds(t: Any, words: str) -> None:
    t = np.array(t)
    assert rule_of("loss=mse", "data=csv", data=(np.eye(len(t)), t))[0].words() == words


def test_every_rule_is_an_option() -> None:
    assert GROUPS["success"].keys() == SUCCESS_RULES.keys()
