"""Each optimizer updates parameters like PyTorch's, and each run independently of the others."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from some_settings import some_settings

from xortrain.nets.optimizers import OPTIMIZERS, SHAPING, shape_gradient
from xortrain.nets.setting import in_use

START = [0.5, -1.0, 2.0]
GRADIENTS = [[0.3, -0.7, 2.0], [-0.2, -0.4, 1.0], [0.5, 0.6, -1.0], [0.5, -0.1, -0.3], [-0.9, 0.25, 0.0]]

SGD: dict[str, float] = {"momentum": 0, "nesterov": 0, "weight_decay": 0}
RMSPROP: dict[str, float] = {"alpha": 0.99, "eps": 1e-8, "momentum": 0, "weight_decay": 0}
ADAM: dict[str, float] = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0}
OTHER_ADAM: dict[str, float] = {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3}
ADAGRAD: dict[str, float] = {"lr_decay": 0, "eps": 1e-10, "weight_decay": 0}
ADADELTA: dict[str, float] = {"rho": 0.9, "eps": 1e-6, "weight_decay": 0}
RPROP: dict[str, float] = {"eta_minus": 0.5, "eta_plus": 1.2, "step_min": 1e-6, "step_max": 50}

# name, learning rate, settings, and θ in float64 after the five gradients in PyTorch 2.13; the constants above are
# PyTorch's default settings.  Those of nadam are with float64 as its default type: else it rounds the product of its
# momenta to float32.
# fmt: off
PYTORCH: list[tuple[str, float, dict[str, float], list[float]]] = [
    ("sgd", 0.1, SGD, [0.48, -0.965, 1.83]),
    ("sgd", 0.1, {"momentum": 0.9, "nesterov": 0, "weight_decay": 0.05},
     [0.275813529917187, -0.686124739328125, 1.05471754811875]),
    ("sgd", 0.1, {"momentum": 0.9, "nesterov": 1, "weight_decay": 0.05},
     [0.270172309760036, -0.665481961590766, 0.951939107709945]),
    ("rmsprop", 0.01, RMSPROP, [0.386342853091745, -0.924615778030879, 1.90853959734349]),
    ("rmsprop", 0.05, {"alpha": 0.8, "eps": 1e-3, "momentum": 0.5, "weight_decay": 0.02},
     [0.210476354179666, -0.807203176540713, 1.79030298560173]),
    ("adam", 0.001, ADAM, [0.497531726329246, -0.997558807410867, 1.9972064717515]),
    ("adam", 0.05, OTHER_ADAM | {"weight_decay": 0.02}, [0.37713215830307, -0.885745316268435, 1.86941300942361]),
    ("adamw", 0.001, ADAM | {"weight_decay": 0.01}, [0.497506790210279, -0.9975088833717, 1.99710655216814]),
    ("adamw", 0.05, OTHER_ADAM | {"weight_decay": 0.2}, [0.359589660377922, -0.845749979321133, 1.77964622900172]),
    ("adagrad", 0.01, ADAGRAD, [0.488636523025506, -0.992421532872693, 1.99082600829783]),
    ("adagrad", 0.1, {"lr_decay": 0.1, "eps": 1e-3, "weight_decay": 0.02},
     [0.385028478525134, -0.909221084166686, 1.89812658975105]),
    ("adadelta", 1.0, ADADELTA, [0.496810557691907, -0.998566341795034, 1.99759575302652]),
    ("adadelta", 0.5, {"rho": 0.8, "eps": 1e-3, "weight_decay": 0.02},
     [0.462787211484799, -0.981336289945014, 1.97071775683776]),
    ("sgd", 0.1, {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.05},
     [0.303046375528779, -0.687933835915558, 1.07967373732336]),
    ("sgd", 0.1, {"clip_norm": 0.5}, [0.488335122500401, -0.993962123906729, 1.97238965973118]),
    ("sgd", 0.1, {"clip_value": 0.4}, [0.45, -0.975, 1.99]),
    ("rmsprop", 0.05, {"alpha": 0.8, "eps": 1e-3, "momentum": 0.5, "centered": 1, "weight_decay": 0.02},
     [0.143099269505534, -0.756997957045124, 1.7458225349781]),
    ("adam", 0.05, OTHER_ADAM | {"weight_decay": 0.02, "amsgrad": 1},
     [0.37713215830307, -0.885919539805329, 1.8699449555279]),
    ("adamw", 0.05, OTHER_ADAM | {"weight_decay": 0.2, "amsgrad": 1},
     [0.359589660377922, -0.845884604499097, 1.78004455453159]),
    ("adamax", 0.002, ADAM, [0.495748949927039, -0.995702099397112, 1.99541568188848]),
    ("adamax", 0.05, OTHER_ADAM | {"weight_decay": 0.02}, [0.393038274587751, -0.895056609121948, 1.88693317438309]),
    ("nadam", 0.002, ADAM | {"momentum_decay": 0.004}, [0.497293273730214, -0.998221345787669, 1.99771427739812]),
    ("nadam", 0.05, OTHER_ADAM | {"weight_decay": 0.02, "momentum_decay": 0.1},
     [0.422017180400381, -0.948147480267474, 1.93411614018562]),
    ("radam", 0.001, ADAM, [0.499161205880835, -0.998496966452867, 1.99542015524374]),
    ("radam", 0.05, OTHER_ADAM | {"weight_decay": 0.02}, [0.457246452155174, -0.927011337443084, 1.77984233835854]),
    ("rprop", 0.01, RPROP, [0.479, -0.972, 1.984]),
    ("rprop", 0.2, {"eta_minus": 0.4, "eta_plus": 1.5, "step_min": 0.1, "step_max": 0.25}, [0.05, -0.45, 1.65]),
]
# fmt: on
TEN_OF_RADAM = [0.4475636113148, -0.91421058516111, 1.75855223805526]
"""θ after the five gradients twice, with the other settings of Adam."""


def optimize(name: str, theta: Any, gradients: Any, lr: Any, settings: dict[str, Any]) -> npt.NDArray[Any]:
    """Return θ after one update per gradient; the arguments are not changed."""
    theta, row, are_weights = theta.copy(), OPTIMIZERS[name], np.ones((len(theta), 1))
    own, shaping = row.divided(in_use(row.settings, settings))
    state = row.start(theta, lr, **own)
    for g in gradients:
        g = g.copy()
        shape_gradient(theta, are_weights, g, **shaping)
        row.update(theta, g, state, lr, **own)
    return np.asarray(theta)


def make_population(name: str, runs: int, dtype: npt.DTypeLike) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Return θ, gradients, learning rates and settings; the first half has no momentum and no weight decay."""
    rng = np.random.default_rng(1)
    theta, gradients = rng.normal(size=(6, runs)).astype(dtype), rng.normal(size=(20, 6, runs)).astype(dtype)
    settings = some_settings(OPTIMIZERS[name].settings, runs, dtype)
    for key in (key for key, own in OPTIMIZERS[name].settings.items() if own.optional):
        settings[key][: runs // 2] = 0
    return theta, gradients, np.linspace(0.01, 0.5, runs).astype(dtype), settings


@pytest.mark.parametrize(("name", "lr", "settings", "theta"), PYTORCH)
def test_five_updates_match_pytorch(name: str, lr: float, settings: dict[str, float], theta: list[float]) -> None:
    settings_part = {key: np.full(2, float(number)) for key, number in settings.items()}
    start, gradients = np.array(START)[:, None] * np.ones(2), np.array(GRADIENTS)[..., None] * np.ones(2)
    result = optimize(name, start, gradients, np.full(2, lr), settings_part)
    np.testing.assert_allclose(result, np.array(theta)[:, None] * np.ones(2), rtol=2e-14)


def test_radam_matches_pytorch_when_it_is_rectified() -> None:
    settings = {key: np.full(2, value) for key, value in {**OTHER_ADAM, "weight_decay": 0.02}.items()}
    start, gradients = np.array(START)[:, None] * np.ones(2), np.array(GRADIENTS * 2)[..., None] * np.ones(2)
    result = optimize("radam", start, gradients, np.full(2, 0.05), settings)
    np.testing.assert_allclose(result[:, 0], TEN_OF_RADAM, rtol=2e-14)


def test_radam_is_rectified_alike_in_float32() -> None:
    def trained(dtype: Any) -> npt.NDArray[Any]:
        settings = {"beta1": 0.9, "beta2": 0.9999, "eps": 1e-8}
        arrays = {key: np.full(2, value, dtype) for key, value in settings.items()}
        theta, gradients = np.ones((1, 2), dtype), np.ones((30, 1, 2), dtype)
        return optimize("radam", theta, gradients, np.full(2, 0.01, dtype), arrays)

    np.testing.assert_allclose(trained(np.float32), trained(np.float64), rtol=1e-4)


def test_penalties_leave_biases_alone_and_come_before_clipping() -> None:
    theta, g, are_weights = np.array([[2.0], [-3.0], [5.0]]), np.array([[1.0], [1.0], [1.0]]), np.array([[1], [1], [0]])
    shape_gradient(theta, are_weights, g, l1=np.array([0.5]), l2=np.array([0.1]), clip_value=np.array([1.5]))
    np.testing.assert_allclose(g[:, 0], [1.5, 1 - 0.5 - 0.3, 1.0])


def test_every_optimizer_is_compared_with_pytorch() -> None:
    assert {name for name, *_ in PYTORCH} == set(OPTIMIZERS)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_run_has_the_same_bits_in_any_population(name: str, dtype: Any) -> None:
    theta, gradients, lr, settings = make_population(name, 64, dtype)
    together = optimize(name, theta, gradients, lr, settings)
    assert together.dtype == dtype
    for runs in (slice(3, 5), slice(7), slice(40, 42), slice(30, 37)):
        settings_part = {key: value[runs] for key, value in settings.items()}
        theta_part, gradients_part = np.ascontiguousarray(theta[:, runs]), np.ascontiguousarray(gradients[..., runs])
        np.testing.assert_array_equal(
            optimize(name, theta_part, gradients_part, lr[runs], settings_part), together[:, runs]
        )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_removing_runs_does_not_change_the_bits_of_the_others(name: str) -> None:
    theta, gradients, lr, settings = make_population(name, 8, np.float64)
    row, keep = OPTIMIZERS[name], [1, 2, 6]
    whole = optimize(name, theta, gradients, lr, settings | {key: np.zeros(8) for key in SHAPING})
    used = in_use(row.own, {key: settings[key] for key in row.own})
    state = row.start(theta, lr, **used)
    for g in gradients[:10]:
        row.update(theta, g.copy(), state, lr, **used)
    theta, lr = theta[:, keep], lr[keep]
    state = {key: value[..., keep] for key, value in state.items()}
    settings = in_use(row.own, {key: settings[key][keep] for key in row.own})
    for g in gradients[10:]:
        row.update(theta, g[:, keep], state, lr, **settings)
    np.testing.assert_array_equal(theta, whole[:, keep])


def test_plain_gradient_descent_has_no_state() -> None:
    row = OPTIMIZERS["sgd"]
    none = in_use(row.settings, {key: np.zeros(2) for key in row.settings})
    assert none == {}
    assert row.start(np.ones((3, 2)), np.ones(2), **none) == {}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_training_has_a_new_state(name: str) -> None:
    theta, gradients, lr, settings = make_population(name, 4, np.float64)
    before = {key: value.copy() for key, value in settings.items()}
    np.testing.assert_array_equal(
        optimize(name, theta, gradients, lr, settings), optimize(name, theta, gradients, lr, settings)
    )
    for key, value in before.items():
        np.testing.assert_array_equal(settings[key], value)


@pytest.mark.parametrize("scale", [1e-40, 1.0])
def test_rprop_depends_only_on_the_signs_of_gradients(scale: float) -> None:
    """In float32, the product of two small gradients underflows to 0."""
    settings_part = {key: np.full(2, number, np.float32) for key, number in RPROP.items()}
    theta, gradients = np.ones((3, 2), np.float32), np.full((6, 3, 2), scale, np.float32)
    result = optimize("rprop", theta, gradients, np.full(2, 0.01, np.float32), settings_part)
    steps = 0.01 * 1.2 ** np.arange(6)
    np.testing.assert_allclose(result, 1 - steps.sum(), rtol=1e-6)
