"""Each initializer draws from the right distribution, with one reproducible random stream per run."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from some_settings import some_settings

from xortrain.nets.initializers import INITIALIZERS, initialize
from xortrain.nets.network import Layer, Network

XOR = Network(2, (Layer(2, "sigmoid"), Layer(1, "sigmoid")))
WIDE = Network(40, (Layer(60, "tanh"), Layer(30, "tanh")))
FAN = {"W1": (40, 60), "W2": (60, 30)}

UNIFORM: dict[str, Callable[[int, int], float]] = {
    "xavier_uniform": lambda fan_in, fan_out: 6 / (fan_in + fan_out),
    "he_uniform": lambda fan_in, fan_out: 6 / fan_in,
    "lecun_uniform": lambda fan_in, fan_out: 3 / fan_in,
    "torch_default": lambda fan_in, fan_out: 1 / fan_in,
    "sklearn": lambda fan_in, fan_out: 6 / (fan_in + fan_out),
    "playground": lambda fan_in, fan_out: 0.25,
}
NORMAL: dict[str, Callable[[int, int], float]] = {
    "xavier_normal": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he_normal": lambda fan_in, fan_out: 2 / fan_in,
    "lecun_normal": lambda fan_in, fan_out: 1 / fan_in,
    "randn": lambda fan_in, fan_out: 1,
}
WITH_RANDOM_BIASES = {"uniform", "normal", "torch_default", "nguyen_widrow", "sklearn", "randn"}

# θ of the 2-2-1 network of seed 1; these numbers must never change. randn and explicit have separate tests; all
# other initializers use the same draws.
# fmt: off
FROZEN: dict[str, list[float]] = {
    "uniform": [-0.3744669929461, 0.08048674016324, -0.999828437774, -0.5465011410522, -0.7798661637743,
                -0.8614921078468, -0.7206096829335, -0.4816589094354, -0.404848788654],
    "normal": [0.3121726818316, -0.805878206825, -0.7640858761317, -1.036484311078, -0.06729618533766,
                -1.65076934844, 0.3724058821082, -0.8806034504476, -0.3404804519715],
    "orthogonal": [0.9509893981202, -0.3092234865967, -0.3092234865967, -0.9509893981202, 0,
                0, 0.9165712453366, -0.3998714196116, 0],
    "nguyen_widrow": [-0.3489076329621, 0.9264250987861, -0.9205900722585, -0.3640246129853, -0.6993876540488,
                -0.8071284033877, -0.3137397886223, -0.154439272957, -0.1032325257693],
}
# fmt: on


def start(network: Network, name: str, seeds: list[int], dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    settings = some_settings(INITIALIZERS[name].own, len(seeds), dtype)
    return initialize(network, name, np.array(seeds), dtype, settings, np.ones(len(seeds), dtype))


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_randn_draws_each_matrix_with_numpys_randn(seed: int) -> None:
    stream = np.random.RandomState(seed)
    expected = [stream.randn(2, 2), stream.randn(2, 1), stream.randn(1, 2), stream.randn(1, 1)]
    theta = start(XOR, "randn", [seed, 5])
    np.testing.assert_array_equal(theta[:, 0], np.concatenate([array.ravel() for array in expected]))


@pytest.mark.parametrize("name", FROZEN)
def test_the_network_of_a_seed_never_changes(name: str) -> None:
    np.testing.assert_allclose(start(XOR, name, [1, 0])[:, 0], FROZEN[name], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", UNIFORM)
def test_uniform_weights_fill_their_range(name: str) -> None:
    parameters = WIDE.split(start(WIDE, name, [3, 4]))
    for layer, fan in FAN.items():
        bound = np.sqrt(UNIFORM[name](*fan))
        assert 0.99 * bound < np.abs(parameters[layer]).max() <= bound
        assert abs(parameters[layer].std() / (bound / np.sqrt(3)) - 1) < 0.03


@pytest.mark.parametrize("name", NORMAL)
def test_normal_weights_have_their_standard_deviation_and_are_not_truncated(name: str) -> None:
    parameters = WIDE.split(start(WIDE, name, [3, 4]))
    for layer, fan in FAN.items():
        deviation = np.sqrt(NORMAL[name](*fan))
        assert abs(parameters[layer].std() / deviation - 1) < 0.03
        assert abs(parameters[layer].mean()) < 0.04 * deviation
        assert np.abs(parameters[layer]).max() > 3 * deviation


def test_settings_determine_range_mean_and_standard_deviation() -> None:
    settings = {"low": np.array([1.0, -3]), "high": np.array([2.0, 0])}
    drawn = initialize(WIDE, "uniform", np.array([1, 2]), np.float64, settings, np.ones(2))
    np.testing.assert_allclose([drawn.min(axis=0), drawn.max(axis=0)], [[1, -3], [2, 0]], atol=5e-3)
    settings = {"mean": np.array([1.0, -3]), "std": np.array([2.0, 0.5])}
    drawn = initialize(WIDE, "normal", np.array([1, 2]), np.float64, settings, np.ones(2))
    np.testing.assert_allclose([drawn.mean(axis=0), drawn.std(axis=0)], [[1.0, -3.0], [2.0, 0.5]], rtol=0.04)


@pytest.mark.parametrize("name", sorted(set(INITIALIZERS) - {"explicit"}))
def test_only_some_initializers_draw_biases(name: str) -> None:
    b = WIDE.split(start(WIDE, name, [1, 2]))["b1"]
    others: dict[str, Any] = {"constant": some_settings(INITIALIZERS["constant"].own, 2)["value"], "playground": 0.1}
    if name in WITH_RANDOM_BIASES:
        assert len(np.unique(b)) == b.size
    else:
        np.testing.assert_array_equal(b, np.zeros_like(b) + others.get(name, 0))


def test_sklearn_weights_are_smaller_for_the_logistic_function() -> None:
    logistic = Network(40, (Layer(60, "sigmoid"), Layer(30, "tanh")))
    np.testing.assert_allclose(start(WIDE, "sklearn", [1, 2]), np.sqrt(3) * start(logistic, "sklearn", [1, 2]))


@pytest.mark.parametrize("layer", FAN)
def test_orthogonal_rows_or_columns_are_orthonormal(layer: str) -> None:
    W = WIDE.split(start(WIDE, "orthogonal", [1, 2]))[layer][..., 0]
    short = W if W.shape[0] < W.shape[1] else W.T
    np.testing.assert_allclose(short @ short.T, np.eye(len(short)), atol=1e-13)


def test_nguyen_widrow_weights_have_the_same_norm_in_each_hidden_unit() -> None:
    parameters = WIDE.split(start(WIDE, "nguyen_widrow", [1, 2]))
    norm = 0.7 * 60 ** (1 / 40)
    np.testing.assert_allclose(np.linalg.norm(parameters["W1"], axis=1), norm)
    assert 0.9 * norm < np.abs(parameters["b1"]).max() <= norm
    assert 0.49 < np.abs(parameters["W2"]).max() <= 0.5


def test_explicit_weights_are_those_of_each_run() -> None:
    runs = np.array([1.0, 10.0])
    given = {"W1": [[1, 2], [3, 4]], "b1": [5, 6], "W2": [[7, 8]], "b2": [9]}
    of_runs = {name: np.array(values)[..., None] * runs for name, values in given.items()}
    theta = initialize(XOR, "explicit", np.array([0, 1]), np.float32, {}, np.ones(2, np.float32), of_runs)
    assert theta.dtype == np.float32
    np.testing.assert_array_equal(theta, np.arange(1, 10)[:, None] * runs)


@pytest.mark.parametrize("name", sorted(set(INITIALIZERS) - {"explicit"}))
def test_scale_multiplies_every_parameter(name: str) -> None:
    settings = some_settings(INITIALIZERS[name].own, 2)
    scaled = initialize(XOR, name, np.array([1, 2]), np.float64, settings, np.array([0.5, 4]))
    np.testing.assert_array_equal(scaled, start(XOR, name, [1, 2]) * [0.5, 4])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("network", [XOR, WIDE, Network(2, (Layer(1, "tanh"), Layer(1, "tanh")), skip=True)])
@pytest.mark.parametrize("name", sorted(set(INITIALIZERS) - {"explicit"}))
def test_a_run_starts_with_the_same_bits_in_any_population(name: str, network: Network, dtype: Any) -> None:
    seeds, settings = np.arange(64) * 1000, some_settings(INITIALIZERS[name].own, 64, dtype)

    def block(runs: slice) -> npt.NDArray[Any]:
        settings_part = {key: value[runs] for key, value in settings.items()}
        return initialize(network, name, seeds[runs], dtype, settings_part, np.ones(len(seeds[runs]), dtype))

    population = block(slice(64))
    assert population.dtype == dtype
    assert population.flags.c_contiguous
    np.testing.assert_array_equal(block(slice(3, 4)), population[:, 3:4])
    np.testing.assert_array_equal(block(slice(3, 5)), population[:, 3:5])
    np.testing.assert_array_equal(block(slice(7)), population[:, :7])
