"""The compiled machine trains as NumPy does, and a run has the same bits beside any others, in calls of any length."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from some_runs import some_config
from some_settings import some_values

from xortrain.machine.library import instruction_set
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.losses import LOSSES
from xortrain.nets.optimizers import OPTIMIZERS, SCHEDULES
from xortrain.nets.setting import Settings
from xortrain.runner.train import empty_history
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training import compiled
from xortrain.training.engine import engine_losses, new_training
from xortrain.training.outcome import results
from xortrain.training.success import STOP_RULES, SUCCESS_RULES
from xortrain.training.task import History

pytestmark = pytest.mark.skipif(instruction_set() is None, reason="the machine is not built")
RUNS = 33
Ended = Mapping[str, Any]
"""All that a training leaves, arrays with runs last."""
HELD_OUT = ("moons", {"examples": 30, "test": 0.3})
THIN = {"losses": 7, "frames": 3, "spacing": "log", "bytes": 0}
LINEAR: dict[str, Any] = {"loss": ("mse", {"reduction": "sum"}), "output": "identity"}


def setup_of(varying: Mapping[str, Any], runs: int, **changes: Any) -> Setup:
    arrays = {"seed": 5 + np.arange(runs)} | {key: np.asarray(values) for key, values in varying.items()}
    return Setup.of(Population(some_config(**changes), arrays, np.arange(runs)))


def ended(setup: Setup, runs: slice = slice(None), outcomes: bool = False) -> Ended:
    """Train some runs of a population together; with ``outcomes``, say how they ended too, which takes longer."""
    start, stop, _ = runs.indices(setup.population.runs)
    own = slice(start, stop)
    history = empty_history(setup.part(own))
    training = new_training(setup.task(own), history)
    for _ in training.run():
        pass
    arrays = {f"result {name}": value for name, value in vars(results(training)).items()} if outcomes else {}
    arrays |= {"losses": history.losses, "frames": history.parameters, "theta": training.theta, "left": training.left}
    arrays |= {"last_wrong": training.last_wrong, "at": training.diverged_at, "in": training.diverged_in}
    arrays |= {f"state {name}": value for name, value in history.state.items()}
    arrays |= {f"memory {name}": value for name, value in training.memory.items()}
    for name, value in (("test losses", history.test_losses), ("best", history.best)):
        arrays |= {} if value is None else {name: value}
    return arrays


def assert_same(one: Ended, other: Ended, runs: Any = slice(None)) -> None:
    """Compare bits; what an optional setting remembers is missing where no run has this setting."""
    assert one.keys() <= other.keys()
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name][..., runs], err_msg=name)


# --- agreement with NumPy

AS_BEFORE: dict[str, dict[str, Any]] = {
    "the default": {},
    "batches of 3": {"batch_size": 3},
    "online": {"batch_size": 1},
    "online in order": {"batch_size": 1, "shuffle": False},
    "freeze": {"freeze": ["W1", "b2"]},
    "freeze online": {"freeze": ["b1"], "batch_size": 1, "optimizer": ("sgd", {"momentum": 0.9})},
    "layer rates": {"layer_lr": {"W1": 0.05, "b2": 0.3}},
    "layer rates and a schedule": {"layer_lr": {"W1": 0.05}, "schedule": "cosine"},
    "no hidden layer": {"architecture": ("mlp", {"hidden": []})},
    "deep": {"architecture": ("mlp", {"hidden": [3, 1, 4, 2]}), "activation": "tanh"},
    "deep skip": {"architecture": ("skip", {"hidden": [3, 2]})},
    "skip without biases": {"architecture": ("skip", {"hidden": [1], "bias": False})},
    "wide": {"architecture": ("mlp", {"hidden": [40, 20]})},
    "held out": {"data": HELD_OUT},
    "held out, thin": {"data": HELD_OUT, "track": THIN},
    "held out, batches": {"data": HELD_OUT, "batch_size": 8, "track": THIN},
    "large batches": {"data": ("moons", {"examples": 70}), "batch_size": 40},
    "parts and a remainder": {"data": ("circle", {"examples": 41}), "architecture": ("mlp", {"hidden": [7]})},
    "classes": {"data": ("moons", {"examples": 23}), "loss": "cross_entropy"},
    "several outputs": {"data": ("encoder", {"size": 4}), "loss": "mse"},
    "thin": {"track": THIN},
    "a sum": {"loss": ("mse", {"reduction": "sum"}), "lr": 0.1},
    "no epochs": {"epochs": 0},
    "one epoch": {"epochs": 1},
    "over several windows": {"epochs": 131},
    "clipped and penalized": {"optimizer": ("adam", {"l1": 0.01, "l2": 0.01, "clip_norm": 0.5, "clip_value": 0.1})},
    "float32": {"dtype": "float32"},
    "float32 batches": {"dtype": "float32", "batch_size": 3, "optimizer": "adam", "data": HELD_OUT},
}
VARYING: dict[str, dict[str, Any]] = {
    "data of its own": {"data.seed": np.arange(RUNS)},
    "noise of its own": {"data.noise": np.linspace(0, 0.3, RUNS)},
    "rates": {"lr": np.linspace(0.01, 0.5, RUNS)},
}


def spread(group: str, settings: Settings, runs: int = RUNS) -> dict[str, Any]:
    return {f"{group}.{name}": values for name, values in some_values(settings, runs).items()}


def rows() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """A name, settings and varying settings for each row of each table."""
    for name, changes in AS_BEFORE.items():
        yield name, {}, changes
    for name, varying in VARYING.items():
        yield name, varying, {"data": HELD_OUT}
        yield f"{name}, batches", varying, {"data": HELD_OUT, "batch_size": 7}
    for name, activation in ACTIVATIONS.items():
        epochs = {} if activation.has_gradient else {"epochs": 0}
        own = spread("activation", activation.settings)
        if not activation.couples_units:
            yield f"activation {name}", own, {"activation": name, "architecture": ("mlp", {"hidden": [3]})} | epochs
        own = spread("output", activation.settings)
        yield f"output {name}", own, {"output": name, "data": ("encoder", {"size": 3}), "loss": "mse"} | epochs
    for name, loss in LOSSES.items():
        low = -1.0 if loss.targets == "signs" else 0.0
        own = spread("loss", loss.settings)
        yield f"loss {name}", own, {"loss": (name, {"reduction": "mean"}), "data": ("xor", {"low": low})}
        if loss.targets != "signs":
            yield f"loss {name} of classes", own, {"loss": name, "data": ("encoder", {"size": 3})}
    for name, optimizer in OPTIMIZERS.items():
        yield f"optimizer {name}", {}, {"optimizer": name}
        for size in (None,) if optimizer.is_full_batch else (None, 3):
            yield (
                f"optimizer {name} {size}",
                spread("optimizer", optimizer.settings),
                {"optimizer": name, "batch_size": size},
            )
    for name, schedule in SCHEDULES.items():
        for size in (None, 1):
            yield (
                f"schedule {name} {size}",
                spread("schedule", schedule.settings),
                {"schedule": name, "batch_size": size},
            )
    for name in SUCCESS_RULES:
        yield f"success {name}", {}, {"success": name}
        yield (
            f"stop solved, {name}",
            {},
            {"success": name, "stop": "solved", "epochs": 60, "optimizer": "adam", "lr": 0.2},
        )
    for name, stop in STOP_RULES.items():
        own = {"stop.below": np.linspace(0.6, 0.71, RUNS)} if "below" in stop.settings else {}
        own |= {"stop.epochs": 1 + np.arange(RUNS) % 4} if "epochs" in stop.settings else {}
        for word in ("loss", "test_loss") if "on" in stop.settings else ("loss",):
            chosen = (name, {"on": word} if "on" in stop.settings else {})
            more = {
                "data": HELD_OUT,
                "loss": ("bce", {"reduction": "mean"}),
                "epochs": 80,
                "optimizer": "adam",
                "lr": 0.05,
            }
            yield f"stop {name} {word}", own, {"stop": chosen} | more


CASES = {name: (varying, changes) for name, varying, changes in rows()}
DEFAULTS: dict[str, Any] = {"epochs": 9, "lr": 0.3}


@cache
def both(name: str, runs: int = RUNS, **more: Any) -> tuple[Setup, Setup]:
    varying, changes = CASES[name]
    first, second = (
        setup_of({k: v[:runs] for k, v in varying.items()}, runs, engine=engine, **DEFAULTS | changes | more)
        for engine in ("compiled", "numpy")
    )
    return first, second


@pytest.mark.parametrize("name", CASES)
def test_the_machine_trains_as_numpy(name: str) -> None:
    """But for other last bits."""
    one, other = (ended(setup, outcomes=name in AS_BEFORE or "stop" in name) for setup in both(name))
    assert_close(one, other, 1e-3 if "float32" in name else 1e-9)


def assert_close(one: Ended, other: Ended, close: float) -> None:
    """Compare what two engines leave, of all runs but a few."""
    assert one.keys() == other.keys()
    for key, values in one.items():
        expected = other[key]
        assert values.dtype == expected.dtype, key
        if values.dtype.kind in "ib":
            np.testing.assert_array_equal(values, expected, err_msg=key)
            continue
        np.testing.assert_array_equal(np.isnan(values), np.isnan(expected), err_msg=key)
        with np.errstate(invalid="ignore"):
            apart = np.abs(values - expected) / np.maximum(1, np.abs(expected))
        apart = np.where((values == expected) | np.isnan(values), 0, apart)
        assert np.quantile(apart, 0.95, axis=-1).max(initial=0) <= close, key


COUNTS = st.sampled_from([*range(4, 10), 11, 12, 13, 15, 16, 17, 20, 23, 24, 25, 31, 32, 33, 36, 40, 48, 50])


@hypothesis.settings(max_examples=60)
@given(COUNTS, COUNTS | st.integers(1, 3), st.booleans())
@example(24, 16, False)
@example(40, 24, False)
def test_any_examples_are_divided_into_batches_of_any_size(examples: int, size: int, holds_out: bool) -> None:
    """The machine computes examples in parts of a few; their sizes differ between batches and all examples."""
    size = min(size, examples)
    data = ("moons", {"examples": 2 * examples if holds_out else examples, "test": 0.5 if holds_out else 0})
    setups = (setup_of({}, 3, engine=name, data=data, batch_size=size, **DEFAULTS) for name in ("compiled", "numpy"))
    one, other = map(ended, setups)
    assert_close(one, other, 1e-9)


SLOPES = ["deep skip", "skip without biases", "no hidden layer", "several outputs", "parts and a remainder", "held out"]
H = 1e-5


@pytest.mark.parametrize("name", [*SLOPES, *(name for name in CASES if name.startswith("loss"))])
def test_an_update_at_rate_1_is_the_difference_quotient_of_the_losses(name: str) -> None:
    """Each run has a step in another parameter; the losses are those that the machine records."""
    varying, changes = CASES[name]
    first = {key: values[:1] for key, values in varying.items()}
    task = setup_of(first, 1, engine="compiled", **changes | {"epochs": 1, "lr": 1.0}).task()
    ends = np.arange(2)
    history = History.empty(ends, ends, task.theta.shape, task.theta.dtype, task.test is not None)
    for _ in new_training(task, history).run():
        pass
    g, size = -np.diff(history.parameters, axis=0)[0, :, 0], task.network.size
    steps = task.theta + H * np.concatenate([np.eye(size), -np.eye(size)], axis=1)
    up, down = np.split(engine_losses(task.take(np.zeros(2 * size, int)), steps)[0], 2)
    np.testing.assert_allclose(g, (up - down) / (2 * H), atol=1e-6 * (np.abs(g).max() + 1e-3), rtol=0)


# --- the same bits

SEVERAL = [
    name for name in CASES if not name.startswith(("activation", "output", "success", "loss")) and "solved," not in name
]


@pytest.mark.parametrize("name", SEVERAL)
def test_a_run_has_the_same_bits_beside_any_others(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    setup, _ = both(name)
    together = ended(setup)
    for runs in (slice(16, 17), slice(5, 14), slice(31, 33)):
        assert_same(ended(setup, runs), together, runs)
    monkeypatch.setattr(compiled, "WORK", 1)
    assert_same(ended(setup), together)
    monkeypatch.setattr(compiled, "CHECK_EVERY", 5)
    assert_same(ended(setup, slice(0, 20)), together, slice(0, 20))
    monkeypatch.undo()
    monkeypatch.setattr(compiled, "CHECK_EVERY", 1)
    monkeypatch.setattr(compiled, "tile_for", lambda runs, slots: "small")
    assert_same(ended(setup), together)
    monkeypatch.setattr(compiled, "tile_for", lambda runs, slots: "large")
    assert_same(ended(setup, slice(4, 9)), together, slice(4, 9))
