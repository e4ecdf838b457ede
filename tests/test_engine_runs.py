"""Where the machine might differ: other runs' settings, divergence, programs of any kind."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_engine import LINEAR, assert_same, ended, setup_of

import xortrain
from xortrain.machine.library import instruction_set
from xortrain.nets import Array
from xortrain.nets.optimizers import OPTIMIZERS, SHAPING
from xortrain.setup.run_setup import Setup
from xortrain.training import compiled
from xortrain.training.engine import new_training
from xortrain.training.task import Choice, History

pytestmark = pytest.mark.skipif(instruction_set() is None, reason="the machine is not built")

RUNS = 12
HALF = np.arange(RUNS) % 2
BESIDE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "momentum": ({"optimizer.momentum": 0.9 * HALF}, {}),
    "momentum, dampening": (
        {"optimizer.momentum": 0.9 * (np.arange(RUNS) % 3 > 0), "optimizer.dampening": 0.3 * HALF},
        {},
    ),
    "dampening": ({"optimizer.dampening": 0.3 * HALF}, {"optimizer": ("sgd", {"momentum": 0.9})}),
    "nesterov": ({"optimizer.nesterov": HALF.astype(bool)}, {"optimizer": ("sgd", {"momentum": 0.9})}),
    "decay": ({"optimizer.weight_decay": 0.1 * HALF}, {"optimizer": ("sgd", {"momentum": 0.9})}),
    "decay of adam": ({"optimizer.weight_decay": 0.1 * HALF}, {"optimizer": "adam"}),
    "decay of adamw": ({"optimizer.weight_decay": 0.1 * HALF}, {"optimizer": "adamw"}),
    "amsgrad": ({"optimizer.amsgrad": HALF.astype(bool)}, {"optimizer": "adam"}),
    "centered": ({"optimizer.centered": HALF.astype(bool)}, {"optimizer": "rmsprop"}),
    "momentum of rmsprop": ({"optimizer.momentum": 0.5 * HALF}, {"optimizer": "rmsprop"}),
    "lr_decay": ({"optimizer.lr_decay": 0.1 * HALF}, {"optimizer": "adagrad"}),
    "l1": ({"optimizer.l1": 0.1 * HALF}, {}),
    "l2": ({"optimizer.l2": 0.1 * HALF}, {"optimizer": ("sgd", {"l1": 0.05})}),
    "l1, l2 without the others": ({"optimizer.l1": 0.1 * HALF, "optimizer.l2": 0.2 * HALF}, {"optimizer": "adam"}),
    "norm": ({"optimizer.clip_norm": 0.1 * HALF}, {}),
    "value": ({"optimizer.clip_value": 0.1 * HALF}, {"optimizer": ("sgd", {"l2": 0.05})}),
    "smoothing": ({"loss.label_smoothing": 0.1 * HALF}, {}),
    "smoothing of classes": ({"loss.label_smoothing": 0.1 * HALF}, {"loss": "cross_entropy"}),
    "smoothing, tanh": ({"loss.label_smoothing": 0.1 * HALF}, {"output": "softplus"}),
    "smoothing of an odd target": ({"loss.label_smoothing": 0.1 * HALF}, {"data": ("xor", {"low": 0.1, "high": 0.7})}),
    "minimum of rprop": ({"optimizer.l2": 0.1 * HALF}, {"optimizer": "rprop"}),
}
for key in SHAPING:
    for beside in ("momentum", "weight_decay"):
        BESIDE[f"{key} beside {beside}"] = {f"optimizer.{key}": 0.1 * HALF}, {"optimizer": ("sgd", {beside: 0.5})}
for optimizer, row in OPTIMIZERS.items():
    for key in (key for key, setting in row.own.items() if setting.optional and optimizer != "sgd"):
        BESIDE[f"{key} of {optimizer}"] = {f"optimizer.{key}": 0.1 * HALF}, {"optimizer": optimizer}


@pytest.mark.parametrize("name", BESIDE)
def test_an_optional_setting_of_other_runs_changes_no_bits(name: str) -> None:
    varying, changes = BESIDE[name]
    setup = setup_of(varying, RUNS, **{"engine": "compiled", "epochs": 12, "lr": 0.1} | changes)
    together = ended(setup)
    for run in (0, 4, 10):
        own = slice(run, run + 1)
        alone = ended(Setup.of(setup.population.part(own)))
        assert_same({k: v for k, v in alone.items() if k in ("losses", "frames", "theta")}, together, own)


# --- divergence: a training of one epoch a call, looked at after each

START = {"weights": {"W1": [[0, 0], [0, 0]], "b1": [0, 0], "W2": [[1e200, 1e200]], "b2": [0]}}
DIVERGING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "all at once": ({"lr": np.full(33, 50.0)}, {"epochs": 150}),
    "one after another": ({"lr": np.geomspace(0.05, 1e3, 33)}, {"epochs": 140}),
    "online": ({"lr": np.geomspace(0.05, 1e3, 33)}, {"epochs": 130, "batch_size": 1}),
    "momentum": ({"lr": np.geomspace(0.05, 1e3, 33)}, {"epochs": 70, "optimizer": ("sgd", {"momentum": 0.9})}),
    "relu": ({"lr": np.geomspace(0.01, 1e300, 33)}, {"epochs": 70, "activation": "relu"}),
    "by a parameter": ({"lr": np.full(33, 1e308)}, {"epochs": 3}),
    "at the last epoch": ({"lr": np.full(33, 1e308)}, {"epochs": 1}),
    "few recorded losses": (
        {"lr": np.geomspace(0.05, 1e3, 33)},
        {"epochs": 140, "track": {"losses": 4, "frames": 5, "spacing": "even", "bytes": 0}},
    ),
    "start": ({}, {"epochs": 3, "init": ("explicit", START)}),
    "start, few losses": (
        {},
        {"epochs": 30, "init": ("explicit", START), "track": {"losses": 2, "frames": 5, "spacing": "even", "bytes": 0}},
    ),
    "stop and diverge": ({"lr": np.geomspace(0.01, 1e3, 33)}, {"epochs": 150, "stop": ("loss", {"below": 0.9})}),
    "patience": ({"lr": np.geomspace(0.01, 1e3, 33)}, {"epochs": 150, "stop": ("patience", {"epochs": 3})}),
    "patience, few losses": (
        {"lr": np.geomspace(0.01, 1e3, 33)},
        {
            "epochs": 150,
            "stop": ("patience", {"epochs": 3}),
            "track": {"losses": 4, "frames": 5, "spacing": "even", "bytes": 0},
        },
    ),
    "solved": ({"lr": np.geomspace(0.01, 1e3, 33)}, {"epochs": 150, "stop": "solved"}),
    "frozen": ({"lr": np.geomspace(0.05, 1e3, 33)}, {"epochs": 100, "freeze": ["W2"]}),
    "float32": ({"lr": np.geomspace(0.05, 1e3, 33)}, {"epochs": 100, "dtype": "float32"}),
    "adam": ({"lr": np.geomspace(0.05, 1e308, 33)}, {"epochs": 100, "optimizer": "adam"}),
    "held out": (
        {"lr": np.geomspace(0.05, 1e3, 33)},
        {"epochs": 100, "data": ("moons", {"examples": 30, "test": 0.3})},
    ),
    "cosine": ({"lr": np.geomspace(0.05, 1e3, 33)}, {"epochs": 100, "schedule": "cosine"}),
}


@pytest.mark.parametrize("name", DIVERGING)
def test_divergence_is_that_of_a_look_at_each_epoch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    varying, changes = DIVERGING[name]
    setup = setup_of(varying, 33, **LINEAR | {"engine": "compiled"} | changes)
    found = ended(setup)
    finite = np.isfinite(found["frames"])
    assert finite.all()
    monkeypatch.setattr(compiled, "CHECK_EVERY", 1)
    each = ended(setup)
    monkeypatch.undo()
    assert_same(each, found)
    monkeypatch.setattr(compiled, "WORK", 1)
    assert_same(ended(setup), found)
    monkeypatch.undo()
    for run in (9, 28):
        assert_same(ended(setup, slice(run, run + 1)), found, slice(run, run + 1))
    at, where, last = brute(setup)
    stopped = (found["left"] <= setup.population.epochs) & (found["at"] < 0)
    np.testing.assert_array_equal(found["at"], np.where(stopped, -1, at))
    np.testing.assert_array_equal(found["in"], np.where(stopped, -1, where))
    np.testing.assert_array_equal(found["theta"][:, ~stopped], last[:, ~stopped])


def brute(setup: Setup) -> tuple[Array, Array, Array]:
    """Epoch and parameter of divergence (-1 for none), and the last finite parameters, found in all that was computed.

    No run leaves a training of one call with one window, in which all is recorded.
    """
    task = replace(setup.task(), stop=Choice("never"))
    every = np.arange(task.epochs + 1)
    history = History.empty(every, every, task.theta.shape, task.theta.dtype, task.test is not None)
    training = new_training(task, history)
    assert isinstance(training, compiled.CompiledTraining)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "CHECK_EVERY", 10**9)
        training._call(0, task.epochs + 1)
    at, where = np.full((2, task.runs), -1)
    last = history.parameters[-1].copy()
    for run in range(task.runs):
        for epoch, theta in enumerate(history.parameters[..., run]):
            is_finite = np.isfinite(theta)
            if not is_finite.all():
                at[run], where[run], last[:, run] = epoch, is_finite.argmin(), history.parameters[epoch - 1, :, run]
                break
            if epoch in setup.loss_epochs and not np.isfinite(history.losses[epoch, run]):
                at[run], last[:, run] = epoch, theta
                break
    return at, where, last


def test_threads_and_processes_change_no_bits(tmp_path: Path) -> None:
    found: list[Any] = []
    for how in ([], ["hydra.launcher.workers=2"]):
        runs = ("seed=range(0,2000)", "epochs=20", "film=none", "track.losses=5", "track.frames=2", "engine=compiled")
        folder = xortrain.sweep(*runs, *how, f"root={tmp_path / str(len(found))}").folder
        assert folder
        files = sorted(folder.rglob("losses-*.npy"))
        found.append(np.concatenate([np.load(file) for file in files], axis=1))
    assert len(files) > 1
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("loss", ["mse", "bce"])
def test_rounding_has_no_say_in_the_outcomes_of_float32_runs(loss: str, optimizer: str) -> None:
    """The engines differ in the last bits, which decided whether the loss of a still run was said to fall."""
    runs = ("seed=range(0,40)", "activation=relu", "lr=0.05", "epochs=300", "dtype=float32", "film=none")
    words = (*runs, f"loss={loss}", f"optimizer={optimizer}")
    numpys, compileds = (xortrain.sweep(*words, f"engine={engine}") for engine in ("numpy", "compiled"))
    assert list(numpys.column("outcome")) == list(compileds.column("outcome"))
