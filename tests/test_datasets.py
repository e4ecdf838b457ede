"""Each data set has its documented points and labels, reproducible from its settings."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xortrain.nets.datasets import DATASETS, Points, split, targets

# Sums over five points with noise 0.1 and seed 7; they must never change.
FROZEN = {
    "xor_cloud": [-2.677335234267, 1.438134746668],
    "circle": [4.978111384883, -6.646366981495],
    "gauss": [4.137422056393, 0.6738746230445],
    "spiral": [3.773638260896, -1.52171326434],
    "moons": [2.195119045866, 1.878941869494],
    "sine": [3.11703170033537],
}
MADE = [name for name, row in DATASETS.items() if row.make]
SAMPLES = [name for name in MADE if DATASETS[name].can_hold_out]
CLOUDS = [name for name in SAMPLES if not DATASETS[name].is_regression]
SETTINGS: dict[str, Any] = {
    "bits": 3,
    "size": 4,
    "examples": 200,
    "noise": 0.0,
    "seed": 7,
    "width": 3,
    "deviation": 2.0,
}


def make(name: str, settings: dict[str, Any]) -> Points:
    maker = DATASETS[name].make
    assert maker is not None
    return maker(**settings)


def some_data(name: str, **changed: Any) -> Points:
    settings = SETTINGS | changed
    return make(name, {key: settings[key] for key in DATASETS[name].own})


@pytest.mark.parametrize(
    ("name", "rule"),
    [("xor", lambda a, b: a != b), ("xnor", lambda a, b: a == b), ("and", lambda a, b: a and b),
     ("nand", lambda a, b: not (a and b)), ("or", lambda a, b: a or b), ("nor", lambda a, b: not (a or b))],
)  # fmt: skip
def test_boolean_functions_have_their_truth_tables_in_counting_order(name: str, rule: Any) -> None:
    data = some_data(name)
    np.testing.assert_array_equal(data.x, [[0, 0], [0, 1], [1, 0], [1, 1]])
    np.testing.assert_array_equal(data.labels, [int(rule(*row)) for row in data.x])


@given(bits=st.integers(1, 8))
def test_parity_counts_ones(bits: int) -> None:
    data = some_data("parity", bits=bits)
    assert ["".join(str(int(bit)) for bit in row) for row in data.x] == [f"{n:0{bits}b}" for n in range(2**bits)]
    np.testing.assert_array_equal(data.labels, [n.bit_count() % 2 for n in range(2**bits)])


def test_an_encoder_repeats_its_input() -> None:
    data = some_data("encoder")
    np.testing.assert_array_equal(data.x, np.eye(4))
    np.testing.assert_array_equal(data.labels, data.x)


def test_notebook_003_has_the_four_points_of_the_notebook() -> None:
    data = some_data("notebook_003")
    np.testing.assert_array_equal(data.x, [[0.75, 0.80], [0.20, 0.05], [-0.75, 0.80], [0.20, -0.05]])
    np.testing.assert_array_equal(targets(data.labels, -1, 1), [[1], [1], [-1], [-1]])


@pytest.mark.parametrize("name", MADE)
def test_the_same_settings_give_the_same_data(name: str) -> None:
    one, two = some_data(name, noise=0.2), some_data(name, noise=0.2)
    assert one.x.dtype == np.float64
    assert np.issubdtype(one.labels.dtype, np.floating if DATASETS[name].is_regression else np.integer)
    np.testing.assert_array_equal(one.x, two.x)
    np.testing.assert_array_equal(one.labels, two.labels)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_points_of_a_seed_never_change(name: str) -> None:
    np.testing.assert_allclose(some_data(name, examples=5, noise=0.1).x.sum(axis=0), FROZEN[name], rtol=1e-11)


@pytest.mark.parametrize("name", CLOUDS)
@given(examples=st.integers(1, 40), noise=st.floats(0, 0.5), seed=st.integers(0, 2**32 - 1))
def test_a_cloud_has_the_requested_number_of_points(name: str, examples: int, noise: float, seed: int) -> None:
    data = some_data(name, examples=examples, noise=noise, seed=seed)
    assert data.x.shape == (examples, 2)
    assert data.labels.shape == (examples,)
    assert set(data.labels) <= {0, 1}
    assert np.isfinite(data.x).all()


@pytest.mark.parametrize("name", CLOUDS)
def test_another_seed_gives_other_points_with_similar_class_sizes(name: str) -> None:
    one, two = some_data(name, noise=0.3), some_data(name, noise=0.3, seed=0)
    assert not np.array_equal(one.x, two.x) or not np.array_equal(one.labels, two.labels)
    assert 60 < one.labels.sum() < 140


def radius(data: Points) -> Any:
    return np.hypot(*data.x.T)


def test_the_xor_cloud_avoids_the_axes_and_labels_by_sign() -> None:
    data = some_data("xor_cloud")
    assert 0.3 <= np.abs(data.x).min() < 0.4
    assert 5 < np.abs(data.x).max() <= 5.3
    np.testing.assert_array_equal(data.labels, np.prod(np.sign(data.x), axis=1) > 0)


def test_the_circle_is_a_disc_in_a_ring() -> None:
    data = some_data("circle")
    inner, outer = radius(data)[data.labels == 1], radius(data)[data.labels == 0]
    assert len(inner) == len(outer) == 100
    assert inner.max() <= 2.5
    assert 3.5 <= outer.min() <= outer.max() <= 5


@pytest.mark.parametrize("name", ["xor_cloud", "circle"])
def test_noise_changes_only_labels_of_xor_cloud_and_circle(name: str) -> None:
    clean, noisy = some_data(name), some_data(name, noise=0.5)
    np.testing.assert_array_equal(clean.x, noisy.x)
    assert 0 < np.mean(clean.labels != noisy.labels) < 0.5


@pytest.mark.parametrize(("noise", "variance"), [(0.0, 0.5), (0.5, 4.0)])
def test_gauss_is_two_round_clouds_with_the_variance_of_tensorflow_playground(noise: float, variance: float) -> None:
    data = some_data("gauss", noise=noise, examples=4000)
    for label, centre in ((1, 2), (0, -2)):
        cloud = data.x[data.labels == label]
        np.testing.assert_allclose(cloud.mean(axis=0), centre, atol=0.15)
        np.testing.assert_allclose(cloud.var(axis=0), variance, rtol=0.1)


def test_the_spiral_arms_are_rotated_by_180_degrees() -> None:
    data = some_data("spiral")
    one, other = data.x[data.labels == 1], data.x[data.labels == 0]
    np.testing.assert_allclose(other, -one, atol=1e-12)
    np.testing.assert_allclose(radius(data)[:100], 5 * np.arange(100) / 100, atol=1e-12)
    angle = np.unwrap(np.arctan2(*one[1:].T))
    np.testing.assert_allclose(angle[-1] - angle[0], 1.75 * 2 * np.pi * 98 / 100)


def test_the_moons_are_half_circles_of_radius_one() -> None:
    data = some_data("moons")
    upper, lower = data.x[data.labels == 0], data.x[data.labels == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1)
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1)
    assert upper[:, 1].min() > -1e-12
    assert lower[:, 1].max() <= 0.5


@pytest.mark.parametrize("name", ["gauss", "spiral", "moons"])
def test_noise_moves_only_points_of_gauss_spiral_and_moons(name: str) -> None:
    clean, noisy = some_data(name), some_data(name, noise=0.1)
    np.testing.assert_array_equal(clean.labels, noisy.labels)
    assert 0 < np.abs(clean.x - noisy.x).max() < 2


def test_a_sine_is_a_function_of_x_with_noise_in_its_targets_alone() -> None:
    clean, noisy = some_data("sine", examples=2000), some_data("sine", examples=2000, noise=0.3)
    np.testing.assert_array_equal(clean.labels, np.sin(clean.x[:, 0]))
    np.testing.assert_array_equal(clean.x, noisy.x)
    assert -np.pi <= clean.x.min() < -3.1 < 3.1 < clean.x.max() <= np.pi
    apart = noisy.labels - clean.labels
    assert abs(apart.mean()) < 0.02
    np.testing.assert_allclose(apart.std(), 0.3, rtol=0.05)


def test_targets_are_coded_low_and_high_or_by_class() -> None:
    labels = np.array([0, 1, 1])
    np.testing.assert_array_equal(targets(labels, 0.1, 0.9), [[0.1], [0.9], [0.9]])
    np.testing.assert_array_equal(targets(labels, 0, 1, one_hot=True), [[1, 0], [0, 1], [0, 1]])
    np.testing.assert_array_equal(targets(np.array([2, 0]), -1, 1, one_hot=True), [[-1, -1, 1], [1, -1, -1]])
    np.testing.assert_array_equal(targets(np.eye(3, dtype=np.int64), 0, 1, one_hot=True), np.eye(3))
    np.testing.assert_array_equal(targets(np.zeros(2, np.int64), 0, 1, one_hot=True), [[1, 0], [1, 0]])


@given(share=st.floats(0, 1), seed=st.integers(0, 2**32 - 1))
def test_a_split_holds_out_the_requested_fraction_and_loses_no_example(share: float, seed: int) -> None:
    data = Points(np.arange(20.0)[:, None], np.arange(20))
    train, test = split(data.x, data.labels, share, seed)
    assert len(test.x) == round(20 * share)
    assert sorted([*train.labels, *test.labels]) == list(range(20))
    for part in (train, test):
        np.testing.assert_array_equal(part.x[:, 0], part.labels)
        assert (np.diff(part.labels) > 0).all()


def test_another_seed_holds_out_other_examples() -> None:
    data = some_data("moons")
    (_, one), (_, other) = (split(data.x, data.labels, 0.3, seed) for seed in (0, 1))
    assert not np.array_equal(one.x, other.x)
