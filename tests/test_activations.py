"""Each activation and its derivative have the right values, for moderate and for extreme z."""

from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import elementwise_grad
from hypothesis import given, settings
from hypothesis import strategies as st
from some_settings import some_settings

from xortrain.nets.activations import ACTIVATIONS

Z = np.array([-800, -25, -3, -1, -0.5, 0, 0.5, 1, 3, 25, 800.0])

# a and da/dz at Z in float64 from PyTorch 2.13, except softplus of 800, where it gives inf and nan: its limits.
# fmt: off
PYTORCH: dict[str, tuple[dict[str, float], list[float], list[float]]] = {
    "identity": ({},
        [-800, -25, -3, -1, -0.5, 0, 0.5, 1, 3, 25, 800], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
    "sigmoid": ({},
        [0, 1.388794386477e-11, 0.04742587317757, 0.26894142137, 0.3775406687981, 0.5, 0.6224593312019,
         0.73105857863, 0.9525741268224, 0.9999999999861, 1], [0, 1.388794386458e-11, 0.04517665973091,
         0.1966119332415, 0.2350037122016, 0.25, 0.2350037122016, 0.1966119332415, 0.04517665973091,
         1.388800185945e-11, 0]),
    "tanh": ({},
        [-1, -1, -0.9950547536867, -0.7615941559558, -0.46211715726, 0, 0.46211715726, 0.7615941559558,
         0.9950547536867, 1, 1], [0, 0, 0.00986603716544, 0.419974341614, 0.7864477329659, 1, 0.7864477329659,
         0.419974341614, 0.00986603716544, 0, 0]),
    "relu": ({},
        [0, 0, 0, 0, 0, 0, 0.5, 1, 3, 25, 800], [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]),
    "leaky_relu": ({"slope": 0.2},
        [-160, -5, -0.6, -0.2, -0.1, 0, 0.5, 1, 3, 25, 800], [0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 1, 1, 1, 1, 1]),
    "elu": ({"alpha": 1.5},
        [-1.5, -1.499999999979, -1.425319397448, -0.9481808382428, -0.590204010431, 0, 0.5, 1, 3, 25, 800], [0,
         2.083191579745e-11, 0.0746806025518, 0.5518191617572, 0.909795989569, 1.5, 1, 1, 1, 1, 1]),
    "celu": ({"alpha": 1.5},
        [-1.5, -1.499999913334, -1.296997075145, -0.7298743214511, -0.4252030341393, 0, 0.5, 1, 3, 25, 800],
         [2.378353023695e-232, 5.777748519419e-08, 0.1353352832366, 0.5134171190326, 0.7165313105738, 1, 1, 1,
         1, 1, 1]),
    "selu": ({},
        [-1.758099340847, -1.758099340823, -1.670568728767, -1.111330737813, -0.6917581878029, 0,
         0.5253504936777, 1.050700987355, 3.152102962066, 26.26752468389, 840.5607898844], [0,
         2.441638495472e-11, 0.08753061208026, 0.6467686030348, 1.066341153045, 1.758099340847, 1.050700987355,
         1.050700987355, 1.050700987355, 1.050700987355, 1.050700987355]),
    "softplus": ({},
        [0, 1.388794386487e-11, 0.04858735157374, 0.3132616875182, 0.4740769841801, 0.6931471805599,
         0.9740769841801, 1.313261687518, 3.048587351574, 25.00000000001, 800], [0, 1.388794386477e-11,
         0.04742587317757, 0.26894142137, 0.3775406687981, 0.5, 0.6224593312019, 0.73105857863, 0.9525741268224,
         0.9999999999861, 1]),
    "gelu": ({},
        [-0.0, -0.0, -0.00404969409489, -0.1586552539315, -0.154268769363, 0, 0.345731230637, 0.8413447460685,
         2.995950305905, 25, 800], [0, -1.913482434105e-135, -0.01194564720418, -0.08331547058769,
         0.1325048753438, 0.5, 0.8674951246562, 1.083315470588, 1.011945647204, 1, 1]),
    "gelu_tanh": ({},
        [-0.0, -0.0, -0.003637392081773, -0.1588080093917, -0.1542859901749, 0, 0.3457140098251,
         0.8411919906083, 2.996362607918, 25, 800], [0, 0, -0.01158416663097, -0.08296408384578,
         0.1326300964654, 0.5, 0.8673699035346, 1.082964083846, 1.011584166631, 1, 1]),
    "silu": ({},
        [-0.0, -3.471985966193e-10, -0.1422776195327, -0.26894142137, -0.1887703343991, 0, 0.3112296656009,
         0.73105857863, 2.857722380467, 24.99999999965, 800], [-0.0, -3.333106527497e-10, -0.08810410601517,
         0.07232948812851, 0.2600388126973, 0.5, 0.7399611873027, 0.9276705118715, 1.088104106015,
         1.000000000333, 1]),
    "mish": ({},
        [-0.0, -3.471985966217e-10, -0.1456474612756, -0.3034014613741, -0.2207437746517, 0, 0.3752452113049,
         0.8650983882673, 2.986535004968, 25, 800], [0, -3.333106527544e-10, -0.09339311453232, 0.0592167558774,
         0.2895106779135, 0.6, 0.8864243753577, 1.0490362201, 1.021106910929, 1, 1]),
    "softsign": ({},
        [-0.9987515605493, -0.9615384615385, -0.75, -0.5, -0.3333333333333, 0, 0.3333333333333, 0.5, 0.75,
         0.9615384615385, 0.9987515605493], [1.558601062031e-06, 0.001479289940828, 0.0625, 0.25,
         0.4444444444444, 1, 0.4444444444444, 0.25, 0.0625, 0.001479289940828, 1.558601062031e-06]),
    "relu6": ({},
        [0, 0, 0, 0, 0, 0, 0.5, 1, 3, 6, 6], [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0]),
    "hardtanh": ({},
        [-1, -1, -1, -1, -0.5, 0, 0.5, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0]),
    "hardsigmoid": ({},
        [0, 0, 0, 0.3333333333333, 0.4166666666667, 0.5, 0.5833333333333, 0.6666666666667, 1, 1, 1], [0, 0, 0, 1
         / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 0, 0, 0]),
    "hardswish": ({},
        [-0.0, -0.0, -0.0, -0.3333333333333, -0.2083333333333, 0, 0.2916666666667, 0.6666666666667, 3, 25, 800],
         [0, 0, 0, 0.1666666666667, 0.3333333333333, 0.5, 0.6666666666667, 0.8333333333333, 1, 1, 1]),
    "logsigmoid": ({},
        [-800, -25.00000000001, -3.048587351574, -1.313261687518, -0.9740769841801, -0.6931471805599,
         -0.4740769841801, -0.3132616875182, -0.04858735157374, -1.388794386487e-11, 0], [1, 0.9999999999861,
         0.9525741268224, 0.73105857863, 0.6224593312019, 0.5, 0.3775406687981, 0.26894142137, 0.04742587317757,
         1.388794386477e-11, 0]),
    "sin": ({},
        [-0.893969648197, 0.1323517500978, -0.1411200080599, -0.8414709848079, -0.4794255386042, 0,
         0.4794255386042, 0.8414709848079, 0.1411200080599, -0.1323517500978, 0.893969648197],
         [-0.4481275132175, 0.9912028118635, -0.9899924966004, 0.5403023058681, 0.8775825618904, 1,
         0.8775825618904, 0.5403023058681, -0.9899924966004, 0.9912028118635, -0.4481275132175]),
}
# fmt: on

TEXTBOOK = {
    "identity": lambda z: 1 * z,
    "sigmoid": lambda z: 1 / (1 + anp.exp(-z)),
    "tanh": lambda z: (anp.exp(2 * z) - 1) / (anp.exp(2 * z) + 1),
    "softplus": lambda z: anp.log(1 + anp.exp(z)),
    "gelu_tanh": lambda z: z / 2 * (1 + anp.tanh(anp.sqrt(2 / anp.pi) * (z + 0.044715 * z**3))),
    "silu": lambda z: z / (1 + anp.exp(-z)),
    "mish": lambda z: z * anp.tanh(anp.log(1 + anp.exp(z))),
    "softsign": lambda z: z / (1 + anp.abs(z)),
    "logsigmoid": lambda z: -anp.log(1 + anp.exp(-z)),
    "sin": lambda z: anp.sin(z),
    "gaussian": lambda z: anp.exp(-(z**2)),
}


def settings_of(name: str, runs: int, dtype: Any = np.float64) -> dict[str, Any]:
    return some_settings(ACTIVATIONS[name].settings, runs, dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", PYTORCH)
def test_values_and_derivatives_match_pytorch(name: str, dtype: Any) -> None:
    numbers, value, slope = PYTORCH[name]
    own = {key: np.full(2, number, dtype) for key, number in numbers.items()}
    z = np.stack([Z, Z], axis=-1).astype(dtype)[:, None]
    a = ACTIVATIONS[name].f(z, **own)
    derivative = ACTIVATIONS[name].derivative(z, a, **own)
    close: dict[str, Any] = {"rtol": 2e-12, "atol": 1e-15} if dtype == np.float64 else {"rtol": 1e-6, "atol": 3e-7}
    np.testing.assert_allclose(a[:, 0, 0], value, **close)
    np.testing.assert_allclose(derivative[:, 0, 0], slope, **close)


def test_every_activation_that_pytorch_has_is_compared_with_it() -> None:
    assert set(ACTIVATIONS) - set(PYTORCH) == {"softmax", "step", "gaussian"}


@pytest.mark.parametrize(
    ("name", "corners", "slopes"),
    [("relu6", [0, 6], [0, 0]), ("hardtanh", [-1, 1], [0, 0]), ("hardsigmoid", [-3, 3], [0, 0]),
     ("hardswish", [-3, 3], [0, 1]), ("relu", [0], [0]), ("selu", [0], [1.7580993408473766])],
)  # fmt: skip
def test_derivatives_at_corners_match_pytorch(name: str, corners: list[float], slopes: list[float]) -> None:
    z = np.array(corners, np.float64)[:, None, None]
    a = ACTIVATIONS[name].f(z)
    np.testing.assert_allclose(ACTIVATIONS[name].derivative(z, a).ravel(), slopes, rtol=1e-14)


@pytest.mark.parametrize("name", TEXTBOOK)
def test_values_and_derivatives_match_the_textbook_formula(name: str) -> None:
    z = np.linspace(-6.03, 6, 99)[:, None, None]
    a = ACTIVATIONS[name].f(z)
    np.testing.assert_allclose(a, TEXTBOOK[name](z), rtol=1e-13, atol=1e-15)
    slope = elementwise_grad(TEXTBOOK[name])(z)
    np.testing.assert_allclose(ACTIVATIONS[name].derivative(z, a), slope, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_backward_matches_central_differences(name: str) -> None:
    rng = np.random.default_rng(0)
    z, upstream = rng.uniform(-7, 7, (2, 40, 3, 5))
    row, settings, h = ACTIVATIONS[name], settings_of(name, 5), 1e-6
    backward = row.backward(z, row.f(z, **settings), upstream.copy(), **settings)
    for unit in range(z.shape[1]):
        step = np.zeros((1, 3, 1))
        step[0, unit] = h
        difference = (row.f(z + step, **settings) - row.f(z - step, **settings)) / (2 * h)
        np.testing.assert_allclose(backward[:, unit], (upstream * difference).sum(axis=1), atol=1e-7)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax"}))
def test_backward_multiplies_by_the_derivative(name: str) -> None:
    z, upstream = np.random.default_rng(1).normal(size=(2, 4, 3, 5))
    row, settings = ACTIVATIONS[name], settings_of(name, 5)
    a = row.f(z, **settings)
    expected = upstream * row.derivative(z, a, **settings)
    np.testing.assert_allclose(row.backward(z, a, upstream, **settings), expected, atol=1e-300)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_extreme_inputs_give_finite_results_of_the_same_dtype(name: str, dtype: Any) -> None:
    z = np.array([[-800, 800], [800, 0], [-30, -88], [100, 17]], dtype)[:, :, None] * np.ones(3, dtype)
    row, settings = ACTIVATIONS[name], settings_of(name, 3, dtype)
    with np.errstate(all="raise", under="ignore"):
        a = row.f(z, **settings)
        slope = row.derivative(z, a, **settings)
        backward = row.backward(z, a, np.ones_like(z), **settings)
    for array in (a, slope, backward):
        assert array.dtype == dtype
        assert np.isfinite(array).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_out_is_filled_and_z_and_a_are_unchanged(name: str) -> None:
    z = np.random.default_rng(2).normal(size=(4, 3, 5))
    row, settings, before, out = ACTIVATIONS[name], settings_of(name, 5), z.copy(), np.empty((4, 3, 5))
    a = row.f(z, out, **settings)
    assert a is out
    np.testing.assert_array_equal(a, row.f(z, **settings))
    fresh, upstream = a.copy(), np.ones_like(z)
    assert row.backward(z, a, upstream, **settings) is upstream
    np.testing.assert_array_equal(z, before)
    np.testing.assert_array_equal(a, fresh)


@pytest.mark.parametrize("name", ACTIVATIONS)
@settings(max_examples=25)
@given(z=st.lists(st.floats(-900, 900), min_size=16, max_size=16))
def test_outputs_are_within_the_range(name: str, z: list[float]) -> None:
    row = ACTIVATIONS[name]
    a = row.f(np.array(z).reshape(4, 2, 2), **settings_of(name, 2))
    low, high = row.range
    assert (a >= low).all()
    assert (a <= high).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_run_has_the_same_bits_in_any_population(name: str, dtype: Any) -> None:
    rng = np.random.default_rng(3)
    z, upstream = (5 * rng.normal(size=(2, 4, 3, 64))).astype(dtype)
    row, settings = ACTIVATIONS[name], settings_of(name, 64, dtype)

    def evaluate(runs: slice) -> tuple[Any, Any]:
        z_part, settings_part = (
            np.ascontiguousarray(z[..., runs]),
            {key: value[runs] for key, value in settings.items()},
        )
        a = row.f(z_part, **settings_part)
        return a, row.backward(z_part, a, np.ascontiguousarray(upstream[..., runs]), **settings_part)

    for alone, first_seven, population in zip(
        evaluate(slice(3, 5)), evaluate(slice(7)), evaluate(slice(64)), strict=True
    ):
        np.testing.assert_array_equal(alone, population[..., 3:5])
        np.testing.assert_array_equal(first_seven, population[..., :7])


def slope_of(name: str, z: list[float]) -> Any:
    """Return f'(z) with the settings of `some_settings`."""
    row, at = ACTIVATIONS[name], np.array(z, np.float64)[:, None, None]
    settings = some_settings(row.settings, 1)
    return row.derivative(at, row.f(at, **settings), **settings)[:, 0, 0]


ROWS = [name for name, row in ACTIVATIONS.items() if row.jacobian is None]


@pytest.mark.parametrize("name", ROWS)
def test_slopes_jump_only_at_corners(name: str) -> None:
    grid = np.linspace(-8, 8, 65)  # includes all corners and the midpoints between them
    before, after = slope_of(name, list(grid - 1e-9)), slope_of(name, list(grid + 1e-9))
    assert grid[np.abs(after - before) > 1e-6].tolist() == list(ACTIVATIONS[name].corners)


@pytest.mark.parametrize("name", ROWS)
def test_slopes_are_exactly_0_only_on_flat_intervals(name: str) -> None:
    flat = ACTIVATIONS[name].flat
    grid = np.linspace(-8, 8, 64)  # includes no corner and no extremum
    inside = np.array([any(low < z < high for low, high in flat) for z in grid])
    near = np.abs(grid) <= 4.5  # farther out, rounding may make the slope 0
    slopes = slope_of(name, grid.tolist())
    assert (slopes[inside] == 0).all()
    assert (slopes[near & ~inside] != 0).all()


@pytest.mark.parametrize("name", ROWS)
def test_only_monotone_activations_have_no_negative_slope(name: str) -> None:
    slopes = slope_of(name, np.linspace(-8, 8, 641).tolist())
    assert ACTIVATIONS[name].is_monotone == (slopes >= 0).all()
