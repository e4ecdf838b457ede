"""A run has the same bits alone and in any population, with any division into blocks and any settings.

Every network in full batches is tried with all sizes of a population and at several places in it; the rest, and every
row of the tables, with one of them in turn, which is always the same: each size meets rows of each table.
"""

import json
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from some_runs import Outcome, assert_same_bits, some_setup, train_alone, trained
from some_settings import some_values

from xortrain.config.settings import GROUPS
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.datasets import DATASETS
from xortrain.nets.initializers import INITIALIZERS
from xortrain.nets.losses import LOSSES
from xortrain.nets.optimizers import OPTIMIZERS, SCHEDULES
from xortrain.nets.setting import Settings
from xortrain.setup.run_setup import Setup
from xortrain.training.learner import LearnerState

RUNS = 64
SMALLER_SIZES = (2, 3, 7)
PLACES = (0, RUNS // 2, RUNS - 1)
EPOCHS = 8
DTYPES = ("float64", "float32")
OPTIMIZER_BATCHES = [
    (name, size, DTYPES[(row + column) % 2])  # in turn: each optimizer and each batch size has both
    for row, name in enumerate(OPTIMIZERS)
    for column, size in enumerate((None, 3, 1) if name != "rprop" else (None, None))
]
TRAINABLE = [name for name in ACTIVATIONS if name != "step"]


def make_setup(
    group: str = "", settings: Settings | None = None, varying: dict[str, Any] | None = None, **changes: Any
) -> Setup:
    """Return 64 runs that differ in seed, learning rate, initial scale and the settings of an option."""
    spread = {f"{group}.{name}": values for name, values in some_values(settings or {}, RUNS).items()}
    varying_start = {
        "seed": 7 + np.arange(RUNS),
        "lr": np.linspace(0.05, 0.6, RUNS),
        "init.scale": np.linspace(0.5, 1.5, RUNS),
    }
    return some_setup(varying_start | spread | (varying or {}), **({"epochs": EPOCHS} | changes))


def setup_of_first(setup: Setup, runs: int) -> Setup:
    return Setup.of(setup.population.part(slice(0, runs)))


def assert_same_bits_in_any_population(setup: Setup, is_each: bool = False) -> None:
    """With each of the smaller sizes, and each place of a run alone; or with one of them in turn."""
    together = trained(setup)
    assert np.isfinite(together.parameters).all()
    assert_same_bits(trained(setup, [RUNS - 3, 2, 1]), together)
    turn = crc32(json.dumps(setup.population.config).encode())
    tried = list(zip(SMALLER_SIZES, PLACES, strict=True))
    for runs, run in tried if is_each else [tried[turn % len(tried)]]:
        assert_same_bits(trained(setup_of_first(setup, runs)), together.runs(slice(runs)))
        assert_same_bits(train_alone(setup, run), together.run(run))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", TRAINABLE)
def test_same_bits_with_every_activation(activation: str, dtype: str) -> None:
    architecture = ("mlp", {"hidden": [3]})
    settings = ACTIVATIONS[activation].settings
    assert_same_bits_in_any_population(
        make_setup("activation", settings, activation=activation, architecture=architecture, dtype=dtype)
    )


WIDE: dict[str, Any] = {
    "architecture": ("mlp", {"hidden": [32, 32, 3, 32, 32]}),
    "data": ("circle", {"examples": 40}),
    "epochs": 4,
}


@pytest.mark.parametrize(("activation", "batch_size"), [(name, (None, 16)[k % 2]) for k, name in enumerate(TRAINABLE)])
def test_same_bits_in_wide_layers_which_a_run_alone_computes_once(activation: str, batch_size: int | None) -> None:
    """And in narrow ones before, between and after them."""
    settings = ACTIVATIONS[activation].settings
    setup = make_setup("activation", settings, activation=activation, batch_size=batch_size, engine="numpy", **WIDE)
    together = trained(setup_of_first(setup, 3))
    assert np.isfinite(together.parameters).all()
    alone = LearnerState(setup.task(), setup.task().theta, {}).take(np.array([1, 1])).full
    once = activation != "softmax"
    assert [z.shape[-1] for z in alone.z] == [2, 2 - once, 2, 2, 2 - once, 2]
    for run in (0, 2):
        assert_same_bits(train_alone(setup, run), together.run(run))


@pytest.mark.parametrize("width", [5, 12, 17])
@pytest.mark.parametrize("examples", [9, 20])
def test_same_bits_of_results_whatever_the_shape_of_the_data(examples: int, width: int) -> None:
    data = ("noise", {"width": width, "examples": examples})
    net: dict[str, Any] = {"architecture": ("mlp", {"hidden": [5]}), "loss": "mse", "output": "identity"}
    for engine in ("numpy", "auto"):
        setup = make_setup(data=data, engine=engine, lr=1e-3, varying={"lr": np.full(RUNS, 1e-3)}, **net)
        together = trained(setup)
        for run in range(0, RUNS, 16):
            assert_same_bits(train_alone(setup, run), together.run(run))


@pytest.mark.parametrize("output", TRAINABLE)
def test_same_bits_with_every_output_activation(output: str) -> None:
    data = ("encoder", {"size": 3})
    assert_same_bits_in_any_population(
        make_setup("output", ACTIVATIONS[output].settings, output=output, data=data, loss="mse")
    )


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("loss", LOSSES)
def test_same_bits_with_every_loss(loss: str, reduction: str) -> None:
    low = -1.0 if LOSSES[loss].targets == "signs" else 0.0
    chosen, data = (loss, {"reduction": reduction}), ("xor", {"low": low})
    assert_same_bits_in_any_population(make_setup("loss", LOSSES[loss].settings, loss=chosen, data=data))


@pytest.mark.parametrize(("optimizer", "batch_size", "dtype"), OPTIMIZER_BATCHES)
def test_same_bits_with_every_optimizer_and_batch_size(optimizer: str, batch_size: int | None, dtype: str) -> None:
    settings = OPTIMIZERS[optimizer].settings
    assert_same_bits_in_any_population(
        make_setup("optimizer", settings, optimizer=optimizer, batch_size=batch_size, dtype=dtype)
    )


@pytest.mark.parametrize("init", [name for name in INITIALIZERS if name != "explicit"])
def test_same_bits_with_every_initializer(init: str) -> None:
    architecture = ("mlp", {"hidden": [3, 2]})
    assert_same_bits_in_any_population(make_setup("init", INITIALIZERS[init].own, init=init, architecture=architecture))


def test_same_bits_with_given_weights() -> None:
    weights = {"W1": [[1, -1], [0.5, 1]], "b1": [0.1, 0.2], "W2": [[1, -2]], "b2": [0.3]}
    assert_same_bits_in_any_population(make_setup(init=("explicit", {"weights": weights})))


@pytest.mark.parametrize("batch_size", [None, 1])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_same_bits_with_every_schedule(schedule: str, batch_size: int | None) -> None:
    assert_same_bits_in_any_population(
        make_setup("schedule", SCHEDULES[schedule].settings, schedule=schedule, batch_size=batch_size)
    )


HELD_OUT = ("moons", {"examples": 20, "test": 0.25})
THIN = {"losses": 7, "frames": 3, "spacing": "log", "bytes": 0}
ARCHITECTURES = {
    "no hidden layer": {"architecture": ("mlp", {"hidden": []})},
    "deep": {"architecture": ("mlp", {"hidden": [3, 1, 4, 2]})},
    "wide": {"architecture": ("mlp", {"hidden": [33]})},
    "wide and deep, by BLAS": {"architecture": ("mlp", {"hidden": [70, 33]}), "data": ("circle", {"examples": 40})},
    "without biases": {"architecture": ("mlp", {"bias": False})},
    "skip": {"architecture": ("skip", {"hidden": [1]})},
    "deep skip without biases": {"architecture": ("skip", {"hidden": [3, 2], "bias": False})},
    "different activations": {
        "architecture": ("mlp", {"hidden": [2, 3], "activations": ["relu", {"name": "leaky_relu", "slope": 0.5}]})
    },
    "classes": {"loss": "cross_entropy"},
    "several outputs": {"data": ("encoder", {"size": 4}), "architecture": ("mlp", {"hidden": [2]})},
    "frozen": {"freeze": ["b1", "W2"]},
    "held-out examples": {"data": HELD_OUT},
    "many examples": {"data": ("circle", {"examples": 150})},
    "a float32 net of many inputs": {"data": ("parity", {"bits": 5}), "dtype": "float32"},
}  # fmt: skip


@pytest.mark.parametrize("batch_size", [None, 1, 3])
@pytest.mark.parametrize("changes", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_same_bits_with_every_network_and_batch_size(changes: dict[str, Any], batch_size: int | None) -> None:
    assert_same_bits_in_any_population(
        make_setup(batch_size=batch_size, **(changes | {"epochs": 4 if batch_size else EPOCHS})), not batch_size
    )


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("data", [name for name in DATASETS if "noise" in DATASETS[name].own])
def test_same_bits_if_runs_have_different_data(data: str, shuffle: bool) -> None:
    chosen = (data, {"examples": 11, "test": 0.2})
    varying = {"data.seed": 3 + np.arange(RUNS) // 2, "data.noise": np.linspace(0, 0.5, RUNS)}
    setup = make_setup(varying=varying, data=chosen, batch_size=4, shuffle=shuffle, epochs=4)
    assert setup.train.x.shape == (9, setup.shape.inputs, RUNS)
    assert_same_bits_in_any_population(setup)


def test_same_bits_if_runs_have_different_targets() -> None:
    varying = {"data.low": np.linspace(0, 0.3, RUNS), "data.high": np.linspace(0.8, 1, RUNS)}
    assert_same_bits_in_any_population(make_setup(varying=varying, success="fahlman"))


LONG: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "solved": ({}, {"stop": "solved", "epochs": 200}),
    "loss": ({"stop.below": np.linspace(0.3, 2, RUNS)}, {"stop": "loss", "epochs": 200}),
    "patience": (
        {"stop.epochs": 5 + np.arange(RUNS)},
        {"stop": ("patience", {"least": 0.001}), "epochs": 200, "lr": 2.0},
    ),
    "patience, held out": (
        {"stop.epochs": 5 + np.arange(RUNS), "lr": np.geomspace(0.1, 1e3, RUNS)},
        {"stop": ("patience", {"on": "test_loss"}), "epochs": 90, "data": HELD_OUT, "optimizer": "adam"},
    ),
    "solved with adam": ({}, {"stop": "solved", "epochs": 100, "optimizer": "adam"}),
    "solved online": ({}, {"stop": "solved", "epochs": 100, "batch_size": 1}),
    "diverging": ({"lr": np.geomspace(1, 1e3, RUNS)}, {"loss": "mse", "output": "identity", "epochs": 150}),
    "diverging online": (
        {"lr": np.geomspace(0.1, 1e3, RUNS)},
        {"loss": "mse", "output": "identity", "epochs": 70, "batch_size": 1, "optimizer": ("sgd", {"momentum": 0.5})},
    ),
    "diverging or stopped": (
        {"lr": np.geomspace(0.1, 1e3, RUNS), "stop.below": np.linspace(0.1, 1, RUNS)},
        {"stop": "loss", "loss": "mse", "output": "identity", "activation": "relu", "epochs": 150},
    ),
    "thinned": (
        {"lr": np.geomspace(1, 1e3, RUNS)},
        {"loss": "mse", "output": "identity", "epochs": 150, "track": THIN},
    ),
    "float32, held out": (
        {"lr": np.geomspace(0.1, 1e3, RUNS)},
        {"loss": "mse", "output": "identity", "dtype": "float32", "epochs": 90, "data": HELD_OUT},
    ),
}  # fmt: skip


def long_setup(name: str) -> Setup:
    varying, changes = LONG[name]
    return some_setup({"seed": 7 + np.arange(RUNS)} | varying, **changes)


@pytest.mark.parametrize("name", LONG)
def test_same_bits_if_some_runs_end_early(name: str) -> None:
    setup = long_setup(name)
    together = trained(setup)
    ends = together.rows["epochs_done"]
    assert len(np.unique(ends)) > 3
    for run in range(0, RUNS, 9):
        assert_same_bits(train_alone(setup, run), together.run(run))
    for runs in SMALLER_SIZES:
        assert_same_bits(trained(setup_of_first(setup, runs)), together.runs(slice(runs)))


@pytest.mark.parametrize("name", ["solved", "patience", "diverging or stopped", "diverging online"])
@settings(max_examples=8)
@given(cuts=st.sets(st.integers(1, RUNS - 1), max_size=6))
def test_same_bits_with_any_blocks(name: str, cuts: set[int]) -> None:
    sizes = np.diff([0, *sorted(cuts), RUNS]).tolist()
    assert_same_bits(trained(long_setup(name), sizes), WHOLE.setdefault(name, trained(long_setup(name))))


WHOLE: dict[str, Outcome] = {}


def test_every_option_is_tested_here() -> None:
    """A new option is tested above through its table; options without a table must be added to a test."""
    tables: dict[str, dict[str, Any]] = {
        "activation": ACTIVATIONS,
        "loss": LOSSES,
        "init": INITIALIZERS,
        "optimizer": OPTIMIZERS,
        "schedule": SCHEDULES,
    }
    for group, table in tables.items():
        assert GROUPS[group].keys() - {"auto"} == table.keys()  # which stands for another
    assert GROUPS["stop"].keys() == {"never", "solved", "loss", "patience"}
    assert GROUPS["architecture"].keys() == {"mlp", "skip"}
