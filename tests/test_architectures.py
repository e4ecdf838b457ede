"""The settings determine layers, biases, skip connections and activations of the network."""

from typing import Any

import numpy as np
import pytest
from some_runs import some_config

from xortrain.nets import Array
from xortrain.runner.train import train_run
from xortrain.trained.run_data import RunData

X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])


def run_of(**changes: Any) -> RunData:
    return train_run(some_config(**({"epochs": 3, "lr": 0.1} | changes)))


def sigmoid(z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-z)))


SHAPES: list[tuple[dict[str, Any], dict[str, tuple[int, ...]]]] = [
    ({"hidden": [2]}, {"W1": (2, 2), "b1": (2,), "W2": (1, 2), "b2": (1,)}),
    ({"hidden": []}, {"W1": (1, 2), "b1": (1,)}),
    ({"hidden": [3, 4]}, {"W1": (3, 2), "b1": (3,), "W2": (4, 3), "b2": (4,), "W3": (1, 4), "b3": (1,)}),
    ({"hidden": [3], "bias": False}, {"W1": (3, 2), "W2": (1, 3)}),
]


@pytest.mark.parametrize(("keys", "shapes"), SHAPES)
def test_parameters_have_the_shapes_of_their_layers(keys: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> None:
    run = run_of(architecture=("mlp", keys))
    assert {name: values.shape for name, values in run.at(3).items()} == shapes
    assert list(run.at(3)) == list(shapes)


def test_with_skip_the_inputs_also_feed_the_outputs() -> None:
    """The 2-1-1 network of Rumelhart, Hinton and Williams has 7 parameters; W2 reads the hidden unit and the inputs."""
    p = run_of(architecture="skip").at(3)
    assert {name: values.shape for name, values in p.items()} == {"W1": (1, 2), "b1": (1,), "W2": (1, 3), "b2": (1,)}
    run = run_of(architecture="skip")
    h = sigmoid(X @ p["W1"].T + p["b1"])
    np.testing.assert_allclose(run.predict(X), sigmoid(np.hstack([h, X]) @ p["W2"].T + p["b2"]), rtol=1e-12)


def test_in_a_deep_skip_network_only_the_last_layer_also_reads_the_inputs() -> None:
    run = run_of(architecture=("skip", {"hidden": [3, 2]}))
    p = run.at(0)
    assert (p["W2"].shape, p["W3"].shape) == ((2, 3), (1, 4))
    h = sigmoid(sigmoid(X @ p["W1"].T + p["b1"]) @ p["W2"].T + p["b2"])
    np.testing.assert_allclose(run.predict(X, 0), sigmoid(np.hstack([h, X]) @ p["W3"].T + p["b3"]), rtol=1e-12)


def test_each_hidden_layer_may_have_its_own_activation() -> None:
    """Omitted settings have the defaults of conf/; the activation group is ignored."""
    activations = ["tanh", {"name": "leaky_relu", "slope": 0.5}, {"name": "leaky_relu"}]
    run = run_of(architecture=("mlp", {"hidden": [3, 2, 2], "activations": activations}), activation="sin")
    p = run.at(0)
    a = np.tanh(X @ p["W1"].T + p["b1"])
    for k, slope in ((2, 0.5), (3, 0.01)):
        z = a @ p[f"W{k}"].T + p[f"b{k}"]
        a = np.where(z > 0, z, slope * z)
    np.testing.assert_allclose(run.predict(X, 0), sigmoid(a @ p["W4"].T + p["b4"]), rtol=1e-12)


def test_by_default_all_hidden_layers_have_the_same_activation() -> None:
    run = run_of(
        architecture=("mlp", {"hidden": [3, 2]}), activation=("elu", {"alpha": 0.5}), output="tanh", loss="mse"
    )
    p = run.at(0)
    a = X
    for k in (1, 2):
        z = a @ p[f"W{k}"].T + p[f"b{k}"]
        a = np.where(z > 0, z, 0.5 * np.expm1(z))
    np.testing.assert_allclose(run.predict(X, 0), np.tanh(a @ p["W3"].T + p["b3"]), rtol=1e-12)
