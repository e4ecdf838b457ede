"""Each loss and its derivative have the right values, and a criterion reduces them correctly."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from some_settings import some_settings

from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.losses import LOSSES, Criterion

Rows = list[float]
Y: Rows = [-2.5, -1, -0.3, 0, 0.2, 0.7, 1, 1.5]
T: Rows = [0.5, -1, 0.4, 0, 1, -0.7, 1, -3]
SIGNS: Rows = [1, -1, -1, 1, 1, -1, 1, -1]
Z: Rows = [-800, -3, -0.5, 0, 0.5, 3, 25, 800]

# name, settings, y, t, then value and gradient in float64 from PyTorch 2.13 (hinge and squared_hinge with clamp,
# log_cosh and atanh_error from their formulas).
# fmt: off
PYTORCH: list[tuple[str, dict[str, float], Rows, Rows, Rows, Rows]] = [
    ("mse", {}, Y, T, [9, 0, 0.49, 0, 0.64, 1.96, 0, 20.25], [-6, 0, -1.4, 0, -1.6, 2.8, 0, 9]),
    ("half_sse", {}, Y, T, [4.5, 0, 0.245, 0, 0.32, 0.98, 0, 10.125], [-3, 0, -0.7, 0, -0.8, 1.4, 0, 4.5]),
    ("mae", {}, Y, T, [3, 0, 0.7, 0, 0.8, 1.4, 0, 4.5], [-1, 0, -1, 0, -1, 1, 0, 1]),
    ("huber", {"delta": 0.7}, Y, T,
     [1.855, 0, 0.245, 0, 0.315, 0.735, 0, 2.905], [-0.7, 0, -0.7, 0, -0.7, 0.7, 0, 0.7]),
    ("smooth_l1", {"beta": 0.7}, Y, T, [2.65, 0, 0.35, 0, 0.45, 1.05, 0, 4.15], [-1, 0, -1, 0, -1, 1, 0, 1]),
    ("log_cosh", {}, Y, T,
     [2.309328504578, 0, 0.2272702293585, 0, 0.2907535603284, 0.765885645728, 0, 3.80697622163],
     [-0.9950547536867, 0, -0.6043677771172, 0, -0.6640367702678, 0.8853516482023, 0, 0.999753210848]),
    ("soft_margin", {}, Y, SIGNS,
     [2.578889734293, 0.3132616875182, 0.5543552444685, 0.6931471805599, 0.5981388693816, 1.103186048885,
      0.3132616875182, 1.701413277983],
     [-0.9241418199788, 0.26894142137, 0.4255574831883, -0.5, -0.4501660026875, 0.6681877721682,
      -0.26894142137, 0.8175744761936]),
    ("hinge", {}, Y, SIGNS, [3.5, 0, 0.7, 1, 0.8, 1.7, 0, 2.5], [-1, 1, 1, -1, -1, 1, -1, 1]),
    ("squared_hinge", {}, Y, SIGNS, [12.25, 0, 0.49, 1, 0.64, 2.89, 0, 6.25], [-7, 0, 1.4, -2, -1.6, 3.4, 0, 5]),
    ("atanh_error", {}, [0.1, 0.5, 0.9, 0.3, 0.99], [0, 1, 0.2, 1, 0],
     [0.01001673369271, 0.2616240718823, 0.5408761855079, 0.5408761855079, 1.323336229226],
     [0.2006706954622, -1.098612288668, 1.734601055388, -1.734601055388, 5.293304824724]),
    ("bce", {}, [0.001, 0.2, 0.5, 0.7, 0.9], [0, 1, 0.5, 0.3, 1],
     [0.001000500333584, 1.609437912434, 0.6931471805599, 0.9497834462098, 0.1053605156578],
     [1.001001001001, -5, 0, 1.904761904762, -1.111111111111]),
]

# name, settings, z, t, then value and delta through the logits.
FROM_LOGITS: list[tuple[str, dict[str, float], Rows, Rows, Rows, Rows]] = [
    ("bce", {"label_smoothing": 0}, Z, [1, 0, 0.3, 0.5, 1, 0, 0, 0],
     [800, 0.04858735157374, 0.6240769841801, 0.6931471805599, 0.4740769841801, 3.048587351574, 25.00000000001, 800],
     [-1, 0.04742587317757, 0.07754066879815, 0, -0.3775406687981, 0.9525741268224, 0.9999999999861, 1]),
    ("bce", {"label_smoothing": 0.1}, Z, [1, 0, 1, 0, 1, 0, 0, 0],
     [760, 0.1985873515737, 0.9490769841801, 0.6931471805599, 0.4990769841801, 2.898587351574, 23.75000000001, 760],
     [-0.95, -0.002574126822433, -0.5724593312019, 0.45, -0.3275406687981, 0.9025741268224, 0.9499999999861, 0.95]),
    ("focal", {"alpha": 0.25, "gamma": 2}, Z, [1, 0, 1, 0, 1, 0, 0, 0],
     [200, 8.196249337275e-05, 0.09435290021485, 0.129965096355, 0.01689337262938, 2.074710330769, 18.74999999949, 600],
     [-0.25, 0.0002361538848662, -0.1315379554686, 0.223715096355, -0.03448424933773, 0.8450624104762,
      0.7500000004896, 0.75]),
    ("focal", {"alpha": 0.25, "gamma": 2}, Z, [0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.1, 0.9],
     [174.96, 0.00464295534465, 0.09912530076963, 0.121300756598, 0.02541199392046, 1.429821647462,
      12.75749999969, 0.24],
     [-0.2187, 0.001732713859777, -0.1183746170021, 0.1670406052784, -0.03722456680864, 0.5633999377766,
      0.5103000002945, 0.0003]),
    ("focal", {"alpha": 0.4, "gamma": 1.5}, [-3, -0.5, 0, 0.5, 3], [1, 0, 1, 0, 1],
     [1.133722606919, 0.06598507778874, 0.09802581434685, 0.2870192365104, 0.0002007271977553],
     [-0.4348992997112, 0.1141580748256, -0.1442300388788, 0.3459545564333, -0.0004827401260572]),
]
# fmt: on


def column(numbers: Rows, dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    return np.array(numbers, dtype)[:, None, None] * np.ones(2, dtype)


def some_targets(name: str, shape: tuple[int, ...], dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    """Return random targets of the kind that the loss requires, shared by all runs."""
    rng = np.random.default_rng(5)
    kind = LOSSES[name].targets
    if kind == "classes":
        classes = rng.integers(shape[1], size=shape[0])
        return np.eye(shape[1], dtype=dtype)[classes][..., None]
    signs = np.sign(rng.normal(size=(*shape[:2], 1))).astype(dtype)
    return signs if kind == "signs" else (signs + 1) / 2


def some_criterion(loss: str, output: str, runs: int, dtype: Any = np.float64, **more: Any) -> Criterion:
    settings = some_settings(LOSSES[loss].settings, runs, dtype)
    return Criterion(loss, output, settings, some_settings(ACTIVATIONS[output].settings, runs, dtype), **more)


@pytest.mark.parametrize(("name", "settings", "y", "t", "value", "gradient"), PYTORCH)
def test_values_and_gradients_match_pytorch(
    name: str, settings: dict[str, float], y: Rows, t: Rows, value: Rows, gradient: Rows
) -> None:
    arrays = {key: np.full(2, number) for key, number in settings.items()}
    np.testing.assert_allclose(
        LOSSES[name].value(column(y), column(t), **arrays)[:, 0, 1], value, rtol=1e-12, atol=1e-15
    )
    slope = LOSSES[name].gradient(column(y), column(t), **arrays)[:, 0, 1]
    np.testing.assert_allclose(slope, gradient, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize(("name", "settings", "z", "t", "value", "delta"), FROM_LOGITS)
def test_values_and_deltas_from_logits_match_pytorch(
    name: str, settings: dict[str, float], z: Rows, t: Rows, value: Rows, delta: Rows
) -> None:
    arrays = {key: np.full(2, float(number)) for key, number in settings.items()}
    criterion = Criterion(name, "sigmoid", arrays, {}, "sum")
    y = ACTIVATIONS["sigmoid"].f(column(z))
    np.testing.assert_allclose(criterion.values(column(z), y, column(t))[:, 0, 0], value, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(criterion.delta(column(z), y, column(t))[:, 0, 0], delta, rtol=1e-10, atol=1e-15)


def test_cross_entropy_matches_pytorch_with_and_without_label_smoothing() -> None:
    z = np.array([[1, 2, 3], [-800, 0, 800], [0.5, -0.5, 0]])[..., None] * np.ones(2)
    t = np.eye(3)[[2, 0, 1]][..., None]
    y = ACTIVATIONS["softmax"].f(z)
    criterion = Criterion("cross_entropy", "softmax", {"label_smoothing": np.array([0, 0.1])}, {}, "sum")
    examples = criterion.values(z, y, t).sum(axis=1)
    plain, smooth = [0.4076059644444, 1600, 1.680269670642], [0.5076059644444, 1520, 1.630269670642]
    np.testing.assert_allclose(examples, np.stack([plain, smooth], axis=-1), rtol=1e-12)
    delta = criterion.delta(z, y, t)
    np.testing.assert_allclose(delta[2, :, 0], [0.5064803910557, -0.8136762767742, 0.3071958857185], rtol=1e-12)
    np.testing.assert_allclose(delta[1, :, 1], [-0.9333333333333, -0.0333333333333, 0.9666666666667], rtol=1e-11)


def test_bce_of_a_large_wrong_logit_is_its_absolute_value() -> None:
    z = column([1000, -1000])
    criterion = Criterion("bce", "sigmoid", {"label_smoothing": np.zeros(2)}, {}, "sum")
    values = criterion.values(z, ACTIVATIONS["sigmoid"].f(z), column([0, 1]))
    np.testing.assert_array_equal(values, np.full((2, 1, 2), 1000.0))


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
def test_the_loss_of_a_target_with_probability_zero_is_100(loss: str) -> None:
    y, t = np.array([[1.0, 0.0]])[..., None], np.array([[0.0, 1.0]])[..., None]
    assert LOSSES[loss].value(y, t).max() == 100
    assert LOSSES[loss].gradient(y, t).max() == 0


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_matches_central_differences(loss: str) -> None:
    rng = np.random.default_rng(0)
    row, h = LOSSES[loss], 1e-6
    y = rng.uniform(0.02, 0.98, (50, 2, 3)) if row.output != "identity" else rng.normal(size=(50, 2, 3))
    t, settings = some_targets(loss, y.shape), some_settings(row.own, 3)
    difference = (row.value(y + h, t, **settings) - row.value(y - h, t, **settings)) / (2 * h)
    np.testing.assert_allclose(row.gradient(y, t, **settings), difference, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_output_has_a_finite_loss_and_gradient(loss: str, dtype: Any) -> None:
    tiny = float(np.finfo(dtype).smallest_subnormal)
    numbers = [-800, -1, -tiny, 0, tiny, 1e-38, 1e-30, 0.5, 1, 1.0001, 800, 30]
    y = np.array(numbers, dtype).reshape(6, 2, 1) * np.ones(3, dtype)
    row = LOSSES[loss]
    t, settings = some_targets(loss, y.shape, dtype), some_settings(row.own, 3, dtype)
    with np.errstate(all="raise", under="ignore"):
        for array in (row.value(y, t, **settings), row.gradient(y, t, **settings)):
            assert array.dtype == dtype
            assert np.isfinite(array).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("output", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_extreme_logits_give_finite_results_of_the_same_dtype(loss: str, output: str, dtype: Any) -> None:
    z = np.array([[-800, 800], [800, 800], [0, -800], [-30, -88]], dtype)[:, :, None] * np.ones(3, dtype)
    criterion = some_criterion(loss, output, 3, dtype)
    t = some_targets(loss, z.shape, dtype)
    with np.errstate(all="raise", under="ignore"):
        y = ACTIVATIONS[output].f(z, **criterion.output_settings)
        for array in (criterion.values(z, y, t), criterion.total(z, y, t), criterion.delta(z, y, t)):
            assert array.dtype == dtype
            assert np.isfinite(array).all()


@pytest.mark.parametrize("loss", [name for name, row in LOSSES.items() if row.joint])
def test_joint_forms_equal_the_general_forms(loss: str) -> None:
    output = LOSSES[loss].output
    rng = np.random.default_rng(1)
    z = rng.normal(size=(20, 3, 4)) * 3
    criterion = some_criterion(loss, output, 4, reduction="sum")
    y, t = ACTIVATIONS[output].f(z), some_targets(loss, z.shape)
    row, t = LOSSES[loss], some_targets(loss, z.shape)
    settings = {name: criterion.settings[name] for name in row.own}
    np.testing.assert_allclose(
        criterion.values(z, y, t), row.value(y, criterion.aims(t), **settings), rtol=1e-9, atol=1e-13
    )
    general = ACTIVATIONS[output].backward(z, y, row.gradient(y, criterion.aims(t), **settings))
    np.testing.assert_allclose(criterion.delta(z, y, t), general, rtol=1e-9, atol=1e-13)


def test_soft_margin_equals_bce_of_logits() -> None:
    z = np.random.default_rng(2).normal(size=(8, 1, 2)) * 5
    signs = some_targets("soft_margin", z.shape)
    joint = LOSSES["bce"].joint
    assert joint is not None
    bce = joint.value(z, (signs + 1) / 2)
    np.testing.assert_allclose(LOSSES["soft_margin"].value(z, signs), bce, rtol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_mean_is_the_sum_divided_by_elements_or_examples(loss: str) -> None:
    output = LOSSES[loss].output
    z = np.random.default_rng(3).normal(size=(5, 2, 3))
    y, t = ACTIVATIONS[output].f(z), some_targets(loss, z.shape)
    mean, total = some_criterion(loss, output, 3), some_criterion(loss, output, 3, reduction="sum")
    count = {"element": 10, "example": 5}[LOSSES[loss].per]
    np.testing.assert_allclose(mean.total(z, y, t) * count, total.total(z, y, t), rtol=1e-14)
    np.testing.assert_allclose(mean.delta(z, y, t) * count, total.delta(z, y, t), rtol=1e-14)


@pytest.mark.parametrize("output", ["sigmoid", "softmax", "leaky_relu"])
@pytest.mark.parametrize("loss", LOSSES)
def test_totals_of_several_steps_have_the_same_bits_as_single_steps(loss: str, output: str) -> None:
    z = np.random.default_rng(4).normal(size=(4, 2, 6, 3))
    criterion = some_criterion(loss, output, 3)
    y, t = ACTIVATIONS[output].f(z, **criterion.output_settings), some_targets(loss, z.shape)
    steps = criterion.total(z, y, t[:, :, None])
    assert steps.shape == (6, 3)
    for step in range(6):
        one_z, one_y = (np.ascontiguousarray(array[:, :, step]) for array in (z, y))
        np.testing.assert_array_equal(steps[step], criterion.total(one_z, one_y, t))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("output", ["sigmoid", "softmax", "identity", "elu"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_run_has_the_same_bits_in_any_population(loss: str, output: str, dtype: Any) -> None:
    z = (3 * np.random.default_rng(6).normal(size=(4, 2, 64))).astype(dtype)
    whole, t = some_criterion(loss, output, 64, dtype), some_targets(loss, z.shape, dtype)

    def evaluate(runs: slice) -> tuple[Any, Any]:
        z_part, criterion = np.ascontiguousarray(z[..., runs]), whole.take(runs)
        y = ACTIVATIONS[output].f(z_part, **criterion.output_settings)
        return criterion.total(z_part, y, t), criterion.delta(z_part, y, t)

    for alone, first_seven, population in zip(
        evaluate(slice(3, 5)), evaluate(slice(7)), evaluate(slice(64)), strict=True
    ):
        np.testing.assert_array_equal(alone, population[..., 3:5])
        np.testing.assert_array_equal(first_seven, population[..., :7])


def test_label_smoothing_of_one_run_does_not_change_the_bits_of_another() -> None:
    z = np.random.default_rng(7).normal(size=(4, 3, 4))
    for loss, output in (("bce", "sigmoid"), ("cross_entropy", "softmax")):
        mixed = Criterion(loss, output, {"label_smoothing": np.array([0, 0, 0.1, 0.1])}, {})
        plain, y, t = mixed.take(slice(2)), ACTIVATIONS[output].f(z), some_targets(loss, z.shape)
        np.testing.assert_array_equal(mixed.total(z, y, t)[:2], plain.total(z[..., :2], y[..., :2], t))
        np.testing.assert_array_equal(mixed.delta(z, y, t)[..., :2], plain.delta(z[..., :2], y[..., :2], t))


@pytest.mark.parametrize("output", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_criterion_does_not_change_its_arguments(loss: str, output: str) -> None:
    z = np.random.default_rng(8).normal(size=(4, 2, 3))
    criterion = some_criterion(loss, output, 3)
    given = (z, ACTIVATIONS[output].f(z, **criterion.output_settings), some_targets(loss, z.shape) * np.ones(3))
    before = [array.copy() for array in given]
    criterion.total(*given)
    delta = criterion.delta(*given)
    for array, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, copy)
        assert not np.shares_memory(array, delta)
