"""Gradient checks accept correct gradients, reject wrong ones, and name typical mistakes of learners."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from some_runs import some_setup

import xortrain
from xortrain.cli import main
from xortrain.errors import UserError
from xortrain.explain.differences import GradientCheck, GradientEntry, compare_gradient, slopes
from xortrain.explain.gradients import check_gradients, check_network
from xortrain.explain.step import step_at
from xortrain.nets import Array
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.losses import LOSSES
from xortrain.nets.optimizers import OPTIMIZERS

Arrays = dict[str, Array]


TWO = ("mlp", {"hidden": [3, 2]})


@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"step"}))
def test_the_gradient_of_every_activation_passes_at_the_start_and_after_training(activation: str) -> None:
    task = some_setup(activation=activation, architecture=TWO, lr=0.1, seed=3).task()
    for epoch in (0, 30):
        check = check_network(step_at(task, epoch))
        assert check.passed, check
        assert len(check.rows) == task.network.size


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_of_every_loss_passes(loss: str) -> None:
    low = -1.0 if LOSSES[loss].targets == "signs" else 0.0
    setup = some_setup(loss=loss, architecture="skip", activation="tanh", data=("xor", {"low": low}), lr=0.1)
    assert check_network(step_at(setup.task(), 10)).passed


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_gradient_passes_after_updates_of_every_optimizer(optimizer: str) -> None:
    task = some_setup(optimizer=optimizer, architecture=("mlp", {"bias": False})).task()
    assert check_network(step_at(task, 5)).passed


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_of_a_float32_network_that_has_learned_passes_although_it_is_smaller_than_its_rounding(
    loss: str,
) -> None:
    low = -1.0 if LOSSES[loss].targets == "signs" else 0.0
    setup = some_setup(loss=loss, dtype="float32", activation="tanh", lr=0.1, data=("xor", {"low": low}), epochs=1000)
    for epoch in (20, 1000):
        check = check_network(step_at(setup.task(), epoch))
        assert check.passed, check
        assert check.worst < 1e-6
        assert check.title.endswith("parameters, checked in float64")


def test_differences_over_a_curved_loss_are_taken_to_their_limit() -> None:
    """At 65,000 the first step is 0.65, a tenth of a period of the sine."""
    v = np.array([65_000.0])
    (row,) = compare_gradient(["v"], np.cos(v), lambda places, size: slopes(np.sin, v, size), 1e-6)
    assert row.verdict == "ok"
    (row,) = compare_gradient(["v"], np.cos(v) * 1.00001, lambda places, size: slopes(np.sin, v, size), 1e-6)
    assert row.verdict == "wrong"


@pytest.mark.parametrize("size", [1e9, 3e11, 1e15])
def test_where_the_loss_bends_too_much_within_the_smallest_step_the_check_is_undecided(size: float) -> None:
    """The smallest step is 16 periods of the sine at 1e9, and half the distance to the next number at 1e15 is 0.06."""
    v = np.array([size])
    (row,) = compare_gradient(["v"], np.cos(v), lambda places, step: slopes(np.sin, v, step), 1e-6)
    check = GradientCheck("", (row, GradientEntry("u", 1.0, 1.0, 0.0, "ok")), 1e-6)
    assert row.verdict == "rough"
    assert not check.passed
    assert check.worst == 0
    assert check.verdict == (
        "UNDECIDED, 1 of 2: worst relative error 0.0e+00, allowed 1e-06; "
        "1 not judged, as differences with smaller steps disagree"
    )


@pytest.mark.parametrize("size", [1.0, 1e3, 3e4])
@pytest.mark.parametrize("factor", [0, 0.999, -1, 1e6])
def test_a_wrong_gradient_of_a_curved_loss_is_judged(size: float, factor: float) -> None:
    v = np.array([size])
    (row,) = compare_gradient(["v"], factor * np.cos(v), lambda places, step: slopes(np.sin, v, step), 1e-6)
    assert row.verdict == "wrong"


@pytest.mark.parametrize("factor", [-1, 0, 2])
@pytest.mark.parametrize("kind", ["float32", "noisy"])
def test_a_wrong_gradient_never_passes_although_the_loss_is_too_coarse_to_judge_it(kind: str, factor: float) -> None:
    stream = np.random.RandomState(0)
    weights, x, t = stream.normal(size=(3, 2)), stream.normal(size=(8, 3)), stream.normal(size=(8, 2))

    def loss(params: Arrays) -> float:
        if kind == "float32":
            found = x.astype("float32") @ params["W"].astype("float32") - t.astype("float32")
            return float((found * found).mean())
        return float(np.square(x @ params["W"] - t).mean() + 1e-3 * stream.normal())

    gradient = 2 * x.T @ (x @ weights - t) / t.size
    check = check_gradients({"W": weights}, loss, {"W": factor * gradient})
    assert not check.passed
    assert not check.verdict.startswith("passed")


def test_the_command_says_what_is_undecided_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "seed=272", "activation=sin", "init.scale=1e11", "loss=mse", "--epoch=5"]) == 1
    said = capsys.readouterr()
    assert "UNDECIDED, " in said.out
    assert "failed: not all is judged" in said.err


def test_a_gradient_at_a_corner_passes_with_a_hint() -> None:
    """In notebook 000, the first unit starts with z = 0 in two examples."""
    check = check_network(step_at(xortrain.train("experiment=notebook_000").task))
    assert check.passed
    assert [row.name for row in check.rows if row.verdict == "corner"] == ["W1[0, 0]", "W1[0, 1]", "b1[0]"]
    assert "z1[0] is 0 in example 2, at a corner of relu" in str(check)


def test_a_correct_gradient_near_a_corner_passes() -> None:
    """|v| at 1e-6 is closer to its corner than the first step size."""
    (row,) = compare_gradient(["v"], np.ones(1), lambda places, size: slopes(np.abs, np.full(1, 1e-6), size), 1e-6)
    assert row.verdict == "ok"


@pytest.mark.parametrize(("gradient", "verdict"), [(-1, "corner"), (0, "ok"), (0.5, "corner"), (1.01, "wrong")])
def test_at_a_corner_a_gradient_must_be_between_the_one_sided_slopes(gradient: float, verdict: str) -> None:
    (row,) = compare_gradient(["v"], np.full(1, gradient), lambda places, size: slopes(np.abs, np.zeros(1), size), 1e-6)
    assert row.verdict == verdict


def test_a_gradient_wrong_by_one_part_in_ten_thousand_is_caught() -> None:
    def curve(v: Array) -> Array:
        return np.asarray(np.sin(v).sum(axis=0, keepdims=True))

    point = np.array([0.3, 1.0])
    g = np.cos(point) * [1, 1.0001]
    rows = compare_gradient(["u", "v"], g, lambda places, size: slopes(curve, point[places], size), 1e-6)
    assert [row.verdict for row in rows] == ["ok", "wrong"]


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


@dataclass(frozen=True)
class Student:
    """A network with one hidden layer as a learner might write it; each field can add a mistake."""

    hidden: str = "sigmoid"
    mean: bool = True
    bias: bool = True
    derivative: Callable[[Array, Array], Array] | None = None
    output_slope: Callable[[Array], Array] = lambda y: y * (1 - y)
    rate: float = 0.0

    def parameters(self, hidden: int = 3, outputs: int = 1, seed: int = 0) -> Arrays:
        r = np.random.RandomState(seed)
        shapes = {"W1": (hidden, 2), "b1": (hidden,), "W2": (outputs, hidden), "b2": (outputs,)}
        return {name: r.randn(*shape) for name, shape in shapes.items() if self.bias or name[0] == "W"}

    def forward(self, p: Arrays) -> tuple[Array, Array, Array]:
        z = X @ p["W1"].T + p.get("b1", 0)
        a = sigmoid(z) if self.hidden == "sigmoid" else np.tanh(z)
        return z, a, sigmoid(a @ p["W2"].T + p.get("b2", 0))

    def loss(self, p: Arrays) -> float:
        _, _, y = self.forward(p)
        return float(((y - T) ** 2).sum() / (len(X) if self.mean else 1))

    def gradient(self, p: Arrays) -> Arrays:
        z, a, y = self.forward(p)
        slope = self.derivative or (lambda z, a: a * (1 - a) if self.hidden == "sigmoid" else 1 - a**2)
        delta = 2 * (y - T) * self.output_slope(y) / (len(X) if self.mean else 1)
        w = p["W2"] - self.rate * delta.T @ a
        below = delta @ w * slope(z, a)
        g = {"W1": below.T @ X, "b1": below.sum(axis=0), "W2": delta.T @ a, "b2": delta.sum(axis=0)}
        return {name: g[name] for name in p}


X = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
T = np.array([[0], [1], [1], [0.0]])
SLOPE_OF_SIGMOID: Callable[[Array, Array], Array] = lambda z, a: sigmoid(a) * (1 - sigmoid(a))


def run_check(student: Student, change: Callable[[Arrays], Any] = lambda g: g, **shape: int) -> Any:
    p = student.parameters(**shape)
    return check_gradients(p, student.loss, change(student.gradient(p)))


@pytest.mark.parametrize("student", [Student(), Student("tanh"), Student(bias=False), Student(mean=False)])
@pytest.mark.parametrize("seed", range(3))
def test_a_correct_gradient_passes(student: Student, seed: int) -> None:
    check = run_check(student, seed=seed)
    assert check.passed
    assert not check.hints
    assert "passed" in str(check)


def scaled(factor: float, *names: str) -> Callable[[Arrays], Arrays]:
    return lambda g: {name: value * (factor if name in names or not names else 1) for name, value in g.items()}


MISSING = "derivative of this layer's activation is missing"
MISTAKES: dict[str, tuple[Student, Callable[[Arrays], Any], list[str]]] = {
    "sign": (Student(), scaled(-1), ["all parameters", "wrong sign"]),
    "two": (Student(), scaled(2), ["all parameters", "twice as large"]),
    "half": (Student(), scaled(0.5), ["all parameters", "half as large"]),
    "sum for mean": (Student(), scaled(4), ["all parameters", "4 times too large", "mean"]),
    "mean for sum": (Student(mean=False), scaled(0.25), ["all parameters", "4 times too small", "sum"]),
    "sign and sum": (Student(), scaled(-4), ["4 times too large", "wrong sign"]),
    "one array": (Student(), scaled(2, "W2"), ["W2: twice as large"]),
    "odd factor": (Student(), scaled(0.3, "b1", "W1"), ["W1, b1: 0.3 times"]),
    "transposed": (Student(), lambda g: g | {"W1": g["W1"].T}, ["W1: transposed", "(2, 3)"]),
    "bias left out": (Student(), lambda g: {k: v for k, v in g.items() if k != "b1"}, ["b1", "bias forgotten"]),
    "bias zero": (Student(), scaled(0, "b2"), ["b2: 0 everywhere", "bias forgotten"]),
    "no derivative": (
        Student(derivative=lambda z, a: np.ones_like(a)),
        dict,
        ["W1, b1", MISSING],
    ),
    "no derivative, tanh": (
        Student("tanh", derivative=lambda z, a: np.ones_like(a)),
        dict,
        [MISSING],
    ),
    "no derivative, no biases": (
        Student(bias=False, derivative=lambda z, a: np.ones_like(a)),
        dict,
        ["W1", MISSING],
    ),
    "of a": (Student(derivative=SLOPE_OF_SIGMOID), dict, ["W1, b1", "sigmoid were taken at a", "a (1 - a)"]),
    "of z": (Student(derivative=lambda z, a: z * (1 - z)), dict, ["W1, b1", "at z where its formula needs z"]),
    "too early": (Student(rate=0.5), dict, ["W1, b1", "W2 had been updated first (learning rate 0.5)"]),
    "no output derivative": (Student(output_slope=np.ones_like), dict, ["W2, b2", "output activation's derivative"]),
    "output derivative twice": (Student(output_slope=lambda y: (y * (1 - y)) ** 2), dict, ["W2, b2", "twice"]),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_parameters(mistake: str, seed: int) -> None:
    student, change, parts = MISTAKES[mistake]
    check = run_check(student, change, seed=seed)
    assert not check.passed
    for part in parts:
        assert part in " ".join(check.hints), check


def fraction_of_networks(student: Student, text: str) -> float:
    """Return the fraction of forty random networks whose hints contain this text."""
    return sum(text in " ".join(run_check(student, seed=seed).hints) for seed in range(40)) / 40


def test_a_derivative_at_a_instead_of_z_is_usually_recognised() -> None:
    """The check recognises f'(a) in nearly all sigmoid networks and in two of three tanh networks."""
    taken = "were taken at a"
    assert fraction_of_networks(Student(derivative=SLOPE_OF_SIGMOID), f"sigmoid {taken}") > 0.97
    assert fraction_of_networks(Student("tanh", derivative=lambda z, a: 1 - np.tanh(a) ** 2), f"tanh {taken}") > 0.6
    assert fraction_of_networks(Student(derivative=lambda z, a: z * (1 - z)), taken) == 0
    assert fraction_of_networks(Student("tanh", derivative=lambda z, a: 1 - z**2), taken) < 0.02
    assert fraction_of_networks(Student("tanh", derivative=lambda z, a: (z > 0) * 1.0), taken) < 0.05


@pytest.mark.parametrize("seed", range(3))
def test_a_transposed_square_gradient_is_recognised(seed: int) -> None:
    check = run_check(Student(), lambda g: g | {"W1": g["W1"].T}, hidden=2, seed=seed)
    assert check.hints == ("W1: transposed.",)


def test_several_mistakes_are_all_named() -> None:
    check = run_check(Student(), lambda g: scaled(2, "W2")(g) | {"b2": 0 * g["b2"], "b1": -g["b1"]})
    hints = " ".join(check.hints)
    for part in ("b2: 0 everywhere", "b1: wrong sign", "W2"):
        assert part in hints, hints


def test_weights_may_be_transposed_and_in_a_list() -> None:
    """W has shape (inputs, units), biases are rows, and all arrays are in a list."""
    student = Student()
    names = list(student.parameters())

    def transposed(p: Arrays) -> list[Array]:
        return [p[name].T if name[0] == "W" else p[name][None] for name in names]

    def loss(values: list[Array]) -> float:
        return student.loss({n: v.T if n[0] == "W" else v[0] for n, v in zip(names, values, strict=True)})

    p = student.parameters()
    assert check_gradients(transposed(p), loss, transposed(student.gradient(p))).passed
    wrong = replace(student, derivative=lambda z, a: np.ones_like(a))
    check = check_gradients(transposed(p), loss, transposed(wrong.gradient(p)))
    assert "[0], [1]: the derivative of this layer's activation is missing" in " ".join(check.hints)


BROKEN: list[Callable[[Array], Any]] = [
    lambda g: None,
    lambda g: g.T,
    lambda g: g * np.nan,
    lambda g: np.zeros(7),
    lambda g: g + 1.0,
    lambda g: 0 * g,
]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("first", BROKEN)
@pytest.mark.parametrize("second", BROKEN)
def test_every_wrong_array_is_named_in_a_hint(
    first: Callable[[Array], Any], second: Callable[[Array], Any], bias: bool
) -> None:
    student = Student("tanh", bias=bias)
    p = student.parameters(hidden=2, outputs=2)
    g = dict(zip(p, student.gradient(p).values(), strict=True))
    for one, other in [("W1", "W2"), ("b1", "W2"), ("W1", "b2"), ("b1", "b2")] if bias else [("W1", "W2")]:
        check = check_gradients(p, student.loss, g | {one: first(g[one]), other: second(g[other])})
        named = " ".join(check.hints)
        for row in check.rows:
            assert row.verdict == "ok" or row.name.partition("[")[0] in named or "all parameters" in named


def test_the_check_does_not_change_the_users_arrays() -> None:
    student = Student()
    p = student.parameters()
    before = {name: value.copy() for name, value in p.items()}
    check_gradients(p, student.loss, student.gradient(p))
    assert all(np.array_equal(p[name], before[name]) for name in p)


def test_an_invalid_loss_or_name_is_a_one_line_error() -> None:
    p = Student().parameters()
    with pytest.raises(UserError, match="one number, not an array of shape \\(2,\\)"):
        check_gradients(p, lambda p: np.ones(2), p)
    with pytest.raises(UserError, match="grads=W9: there is no such parameter"):
        check_gradients(p, Student().loss, {"W9": p["W1"]})


def test_a_minimum_at_a_corner_passes() -> None:
    """In Goodfellow's solution, the gradient is 0 and the curvature differs between the two sides of a corner."""
    run = xortrain.train("experiment=goodfellow_2016")
    assert check_network(step_at(run.task)).passed


def test_a_diverged_run_is_not_checked() -> None:
    run = xortrain.train("lr=50", "loss=mse", "output=identity", "film=none")
    with pytest.raises(UserError, match="diverged"):
        check_network(step_at(run.task, 100))
