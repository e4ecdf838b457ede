"""The tables work with any array class that implements NumPy's protocols, such as `Symbolic`.

It records graphs, from which JavaScript or compiled programs can be generated.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from some_settings import some_settings
from test_losses import some_targets

from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.losses import LOSSES
from xortrain.nets.network import Layer, Network, Pass
from xortrain.nets.optimizers import OPTIMIZERS, SCHEDULES
from xortrain.nets.setting import in_use
from xortrain.symbols import Node, Symbolic, evaluate
from xortrain.training.success import SUCCESS_RULES, Success

RUNS = 2
SHAPE = (3, 2, RUNS)


class Recorder:
    """Create symbolic inputs for numeric arrays, and remember the numbers to evaluate results."""

    def __init__(self) -> None:
        self.inputs: dict[Node, float] = {}

    def symbol(self, values: Any) -> Symbolic:
        inputs = Symbolic.inputs(*np.shape(values))
        self.inputs |= dict(zip(inputs.nodes.ravel(), np.ravel(values), strict=True))
        return inputs

    def symbols(self, values: dict[str, Any]) -> dict[str, Symbolic]:
        return {name: self.symbol(value) for name, value in values.items()}

    def assert_same(self, result: Any, expected: Any) -> None:
        assert isinstance(result, Symbolic)
        np.testing.assert_allclose(evaluate(result, self.inputs), expected, rtol=1e-12, atol=1e-15)


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


def assert_records(function: Callable[..., Any], *arrays: Any, **settings: Any) -> None:
    """Check that the graph recorded from symbols evaluates to the result for numbers."""
    recorder = Recorder()
    copies = [array.copy() for array in arrays]
    symbols = [recorder.symbol(array) for array in arrays]
    result = function(*symbols, **recorder.symbols(settings))
    recorder.assert_same(result, function(*copies, **settings))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_can_be_recorded(name: str) -> None:
    row, z, upstream = ACTIVATIONS[name], 2 * numbers(*SHAPE), numbers(*SHAPE, seed=1)
    settings = some_settings(row.settings, RUNS)
    a = row.f(z, **settings)
    assert_records(row.f, z, **settings)
    assert_records(lambda z, out, **options: row.f(z, out, **options), z, np.empty_like(z), **settings)
    assert_records(row.derivative, z, a, **settings)
    assert_records(row.backward, z, a, upstream, **settings)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_their_joint_forms_can_be_recorded(name: str) -> None:
    row, z, t = LOSSES[name], numbers(*SHAPE), some_targets(name, SHAPE) * np.ones(RUNS)
    settings, y = some_settings(row.own, RUNS), ACTIVATIONS[row.output].f(z)
    assert_records(row.value, y, t, **settings)
    assert_records(row.gradient, y, t, **settings)
    if row.spread:
        assert_records(lambda t, share: row.smoothed(t, share, 2), t, np.array([0.0, 0.1]))
    if row.joint:
        assert_records(row.joint.value, z, t, **settings)
        assert_records(row.joint.delta, z, y, t, **settings)


@pytest.mark.parametrize("uses_all", [True, False])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_three_updates_of_an_optimizer_can_be_recorded(name: str, uses_all: bool) -> None:
    row, theta, lr = OPTIMIZERS[name], numbers(4, RUNS), np.array([0.1, 0.3])
    settings = some_settings(row.own, RUNS)
    for setting in () if uses_all else (name for name, setting in row.own.items() if setting.optional):
        settings[setting] = np.zeros(RUNS)
    settings = in_use(row.own, settings)

    def optimize(theta: Any, lr: Any, *gradients: Any, **options: Any) -> Any:
        state = row.start(theta, lr, **options)
        for g in gradients:
            row.update(theta, g, state, lr, **options)
        return theta

    assert_records(optimize, theta, lr, *(numbers(4, RUNS, seed=seed) for seed in range(1, 4)), **settings)


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "constant"])
def test_schedules_can_be_recorded_for_any_epoch(name: str) -> None:
    row = SCHEDULES[name]
    settings = some_settings(row.settings, RUNS)
    for epoch in (0, 3, 9):
        recorder = Recorder()
        factor: Any = row.factor(recorder.symbol(np.array(epoch)), 10, **recorder.symbols(settings))
        recorder.assert_same(factor, row.factor(epoch, 10, **settings))


@pytest.mark.parametrize("name", SUCCESS_RULES)
def test_success_rules_can_be_recorded(name: str) -> None:
    y, t = numbers(*SHAPE), (numbers(*SHAPE, seed=1) > 0).astype(float)
    options = {"within": np.array([0.4, 0.8])} if name == "tolerance" else {}

    def right(y: Any, t: Any, low: Any, high: Any, **settings: Any) -> Any:
        return Success(name, low, high, settings).right(y, t)

    assert_records(right, y, t, np.array([0.0, -1.0]), np.array([1.0, 1.0]), **options)


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shares_inputs", [False, True])
def test_forward_and_backward_passes_can_be_recorded(skip: bool, bias: bool, shares_inputs: bool) -> None:
    network = Network(2, (Layer(3, "tanh"), Layer(2, "gelu"), Layer(2, "softmax")), bias, skip)
    theta, x = numbers(network.size, RUNS), numbers(*((4, 2) if shares_inputs else (4, 2, RUNS)), seed=1)
    delta, recorder = numbers(4, 2, RUNS, seed=2), Recorder()
    expected = Pass(network, theta, x)
    recorded: Any = Pass(network, recorder.symbol(theta), recorder.symbol(x), empty=Symbolic.empty)  # type: ignore[arg-type]
    recorder.assert_same(recorded.forward(), expected.forward())
    recorder.assert_same(recorded.backward(recorder.symbol(delta)), expected.backward(delta.copy()))


def test_a_wrong_graph_is_caught() -> None:
    recorder = Recorder()
    z = recorder.symbol(numbers(2, 2, 2))
    with pytest.raises(AssertionError):
        recorder.assert_same(ACTIVATIONS["tanh"].f(z), 1.001 * np.tanh(numbers(2, 2, 2)))
