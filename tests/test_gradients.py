"""Backpropagation gives the derivative of the loss for all losses, activations and architectures.

One forward pass gives the central differences of all parameters: each perturbed θ is one run.
"""

from dataclasses import replace
from typing import Any

import autograd.numpy as anp
import numpy as np
import numpy.typing as npt
import pytest
from autograd import grad
from some_settings import some_settings
from test_activations import TEXTBOOK
from test_losses import some_targets

from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.losses import LOSSES, Criterion
from xortrain.nets.network import Layer, Network, Pass
from xortrain.nets.setting import Settings

X = np.array([[-0.9, -1.1], [-1.0, 0.8], [1.2, -0.7], [0.7, 1.0]])  # XOR, perturbed to avoid the corner of relu
H = 1e-6

ARCHITECTURES: dict[str, tuple[list[int], dict[str, bool]]] = {
    "2": ([2], {}),
    "3-2": ([3, 2], {}),
    "no hidden layer": ([], {}),
    "skip": ([1], {"skip": True}),
    "no bias": ([2], {"bias": False}),
}


def some_network(activation: str, output: str, architecture: str, runs: int) -> Network:
    """Return a network with the same settings in all runs."""
    widths, options = ARCHITECTURES[architecture]

    def layer(units: int, name: str) -> Layer:
        return Layer(units, name, same_settings(ACTIVATIONS[name].settings, runs))

    return Network(2, (*(layer(units, activation) for units in widths), layer(2, output)), **options)


def same_settings(settings: Settings, runs: int) -> dict[str, npt.NDArray[Any]]:
    return {name: np.full(runs, value[1]) for name, value in some_settings(settings, 3).items()}


def loss_of(network: Network, loss: str, theta: npt.NDArray[Any]) -> tuple[Pass, Criterion, npt.NDArray[Any]]:
    output, runs = network.layers[-1], theta.shape[1]
    criterion = Criterion(loss, output.activation, same_settings(LOSSES[loss].settings, runs), output.settings)
    return network.forward(theta, X), criterion, some_targets(loss, (len(X), 2))


def relative_error(activation: str, loss: str, output: str, architecture: str) -> float:
    """Return the largest difference from central differences, relative to the largest of these."""
    size = some_network(activation, output, architecture, 1).size
    theta = np.random.default_rng(11).uniform(-1, 1, (size, 1)) * np.ones(2)
    forward, criterion, t = loss_of(some_network(activation, output, architecture, 2), loss, theta)
    g = forward.backward(criterion.delta(forward.z[-1], forward.y, t))[:, 0]

    steps = theta[:, :1] + H * np.concatenate([np.eye(size), -np.eye(size)], axis=1)
    forward, criterion, t = loss_of(some_network(activation, output, architecture, 2 * size), loss, steps)
    up, down = np.split(criterion.total(forward.z[-1], forward.y, t), 2)
    difference = (up - down) / (2 * H)
    return float(np.abs(g - difference).max() / (np.abs(difference).max() + 1e-3))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_backward_is_the_derivative_of_the_loss_with_any_output_activation(loss: str, activation: str) -> None:
    """Every third output activation in turn, so that every two of the three meet: each factor of the chain is one's."""
    turn = list(LOSSES).index(loss) + list(ACTIVATIONS).index(activation)
    for output in list(ACTIVATIONS)[turn % 3 :: 3]:
        assert relative_error(activation, loss, output, "2") < 1e-5, output


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("loss", LOSSES)
def test_backward_is_the_derivative_of_the_loss_in_any_architecture(loss: str, architecture: str) -> None:
    for activation in ACTIVATIONS:
        for output in {"sigmoid", LOSSES[loss].output}:
            assert relative_error(activation, loss, output, architecture) < 1e-5, (activation, output)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"step"}))
def test_a_derivative_wrong_by_one_part_in_a_thousand_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = ACTIVATIONS[name]

    def wrong(z: Any, a: Any, upstream: Any, **settings: Any) -> Any:
        return 1.001 * right.backward(z, a, upstream, **settings)

    monkeypatch.setitem(ACTIVATIONS, name, replace(right, product=wrong))
    assert relative_error(name, "mse", "identity", "2") > 1e-5


ERRORS = {
    "mse": lambda y, t: anp.mean((y - t) ** 2),
    "half_sse": lambda y, t: anp.sum((y - t) ** 2) / 2 / len(y),
    "bce": lambda y, t: -anp.mean(t * anp.log(y) + (1 - t) * anp.log(1 - y)),
    "log_cosh": lambda y, t: anp.mean(anp.log(anp.cosh(y - t))),
}


@pytest.mark.parametrize("loss", ERRORS)
@pytest.mark.parametrize("activation", TEXTBOOK)
def test_backward_matches_autograd_on_the_textbook_formulas(activation: str, loss: str) -> None:
    network = Network(2, (Layer(3, activation), Layer(2, activation), Layer(2, "sigmoid")))
    theta = np.random.default_rng(12).uniform(-1, 1, (network.size, 1))
    t = some_targets(loss, (len(X), 2))

    def textbook_loss(flat: Any) -> Any:
        a: Any = X
        for name, width in ((activation, 3), (activation, 2), ("sigmoid", 2)):
            inputs = a.shape[1]
            W, b, flat = (
                flat[: inputs * width],
                flat[inputs * width : (inputs + 1) * width],
                flat[(inputs + 1) * width :],
            )
            a = TEXTBOOK[name](anp.dot(a, W.reshape(width, inputs).T) + b)
        return ERRORS[loss](a, t[..., 0])

    smoothing = {"label_smoothing": np.zeros(1)} if loss == "bce" else {}
    forward, criterion = network.forward(theta, X), Criterion(loss, "sigmoid", smoothing, {})
    g = forward.backward(criterion.delta(forward.z[-1], forward.y, t))
    np.testing.assert_allclose(g[:, 0], grad(textbook_loss)(theta[:, 0]), rtol=1e-10, atol=1e-14)


def test_one_step_worked_by_hand() -> None:
    """A 1-1 tanh unit at w=0, b=0, x=1, t=1: L=1, dL/dy=-2, f'=1, so dL/dw=dL/db=-2."""
    network, criterion = Network(1, (Layer(1, "tanh"),)), Criterion("mse", "tanh", {}, {})
    forward, t = network.forward(np.zeros((2, 1)), np.ones((1, 1))), np.ones((1, 1, 1))
    assert criterion.total(forward.z[0], forward.y, t) == 1
    np.testing.assert_array_equal(forward.backward(criterion.delta(forward.z[0], forward.y, t)), [[-2], [-2]])
