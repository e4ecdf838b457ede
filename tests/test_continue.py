"""A run that is trained on has the bits of one that was trained longer from the start, alone and in any sweep."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from some_runs import some_setup
from some_settings import some_settings, some_values

import xortrain
from xortrain.errors import UserError
from xortrain.explain.step import step_at
from xortrain.nets.network import at_least_two
from xortrain.nets.optimizers import OPTIMIZERS, SCHEDULES, SHAPING
from xortrain.runner.continuation import continuation
from xortrain.runner.train import train_in_memory
from xortrain.setup.earlier import Origin
from xortrain.setup.run_setup import Setup
from xortrain.trained import checkpoints
from xortrain.trained.checkpoints import checkpoint_of
from xortrain.trained.run_data import RunData, TrainedRuns
from xortrain.training.learner import Learner
from xortrain.training.success import STOP_RULES

pytestmark = pytest.mark.usefixtures("quick_composition")
FIRST, TOTAL = 100, 300
SHORT, LONGER, LONG = 40, 70, 130  # on both sides of 64, as in the test of any epoch
BATCHES: list[dict[str, Any]] = [{}, {"batch_size": 3}, {"batch_size": 1, "shuffle": False}]
HELD_OUT: dict[str, Any] = {"data": ("moons", {"examples": 20, "test": 0.25, "noise": 0.3})}
STOPS: dict[str, Any] = {
    "never": "never",
    "solved": "solved",
    "loss": ("loss", {"below": 2.5}),
    "patience": ("patience", {"epochs": 30, "least": 0.001}),
}
RUNS = 24


def population(epochs: int, optimizer: str = "sgd", **changes: Any) -> Setup:
    """Return runs that differ in seed, learning rate and the settings of the optimizer."""
    spread = {f"optimizer.{k}": v for k, v in some_values(OPTIMIZERS[optimizer].settings, RUNS).items()}
    for key in SHAPING:
        spread[f"optimizer.{key}"][RUNS // 2 :] = 0  # those without diverge and are solved sooner
    varying = {"seed": 3 + np.arange(RUNS), "lr": np.geomspace(0.05, 2, RUNS)} | spread
    return some_setup(varying, optimizer=optimizer, epochs=epochs, **changes)


@cache
def trained_for(epochs: int, optimizer: str, batch: int) -> TrainedRuns:
    return train_in_memory(population(epochs, optimizer, **BATCHES[batch]))


def trained_on(parent: TrainedRuns, *overrides: str, epoch: int | None = None) -> TrainedRuns:
    """Train a population on in memory, as the block of a record is."""
    at = parent.setup.population.epochs if epoch is None else epoch
    plan = continuation(parent, overrides, Origin("a", "b", at))
    plan = plan.recorded(plan.setup)
    return train_in_memory(plan.setup, start=checkpoint_of(parent, plan.setup, slice(None)))


def assert_same(found: TrainedRuns, expected: TrainedRuns) -> None:
    """Check the bits of losses, parameters, rows, state and best parameters."""
    np.testing.assert_array_equal(found.setup.loss_epochs, expected.setup.loss_epochs)
    kept = np.isin(found.setup.frame_epochs, expected.setup.frame_epochs)
    assert kept.sum() == len(expected.setup.frame_epochs)
    np.testing.assert_array_equal(found.array("losses"), expected.array("losses"))
    np.testing.assert_array_equal(found.array("parameters")[kept], expected.array("parameters"))
    for name in expected.rows.dtype.names or ():
        np.testing.assert_array_equal(found.rows[name], expected.rows[name], err_msg=name)
    if expected.setup.test:
        np.testing.assert_array_equal(found.array("test_losses"), expected.array("test_losses"))
    if expected.setup.has_best:
        np.testing.assert_array_equal(found.array("best"), expected.array("best"))
    assert found.state() is not None
    for name, values in (expected.state() or {}).items():
        np.testing.assert_array_equal((found.state() or {})[name], values, err_msg=name)


def refused(*arguments: object) -> None:
    raise AssertionError("this way is not to be used")


PAIRS = [(name, k) for name in OPTIMIZERS for k in range(len(BATCHES)) if name != "rprop" or k == 0]
IN_TURN = [(name, k) for number, name in enumerate(OPTIMIZERS) for k in [number % len(BATCHES)] if name != "rprop"]


@pytest.mark.parametrize(
    ("optimizer", "batch", "way"),
    [(*pair, "from the state") for pair in PAIRS] + [(*pair, "by training again") for pair in [*IN_TURN, ("rprop", 0)]],
)
def test_continued_runs_are_those_of_the_longer_training_with_every_optimizer(
    optimizer: str, batch: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training again repeats the longer training itself: each optimizer has one kind of batches there, in turn."""
    part, whole = (trained_for(epochs, optimizer, batch) for epochs in (SHORT, LONG))
    if way == "from the state":
        monkeypatch.setattr(checkpoints, "_computed", refused)
    else:
        monkeypatch.setattr(checkpoints, "_kept", lambda *arguments: None)
    assert_same(trained_on(part, f"epochs={LONG}"), whole)
    assert_same(trained_on(trained_on(part, f"epochs=+{LONGER - SHORT}"), f"epochs={LONG}"), whole)


@pytest.mark.parametrize("batch", BATCHES, ids=str)
@pytest.mark.parametrize("schedule", [name for name, row in SCHEDULES.items() if not row.uses_total])
def test_continued_runs_are_those_of_the_longer_training_with_every_schedule(
    schedule: str, batch: dict[str, Any]
) -> None:
    part, whole = (train_in_memory(population(epochs, "adam", schedule=schedule, **batch)) for epochs in (SHORT, LONG))
    assert_same(trained_on(part, f"epochs={LONG}"), whole)


@pytest.mark.parametrize("data", [{}, HELD_OUT], ids=["xor", "held out"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("stop", STOPS)
def test_continued_runs_are_those_of_the_longer_training_with_every_stop_rule(
    stop: str, optimizer: str, data: dict[str, Any]
) -> None:
    assert STOPS.keys() == STOP_RULES.keys()
    rule = STOPS[stop]
    if stop == "loss" and data:
        rule = "loss", {"below": 3.3}
    if stop == "patience" and data:
        rule = "patience", {"epochs": 60, "on": "test_loss"}
    net: dict[str, Any] = {"architecture": ("mlp", {"hidden": [4]}), "activation": "tanh", "batch_size": 3}
    part, whole = (
        train_in_memory(population(epochs, optimizer, stop=rule, **net, **data)) for epochs in (FIRST, TOTAL)
    )
    assert stop == "never" or 0 < (part.rows["epochs_done"] < FIRST).sum() < RUNS
    assert_same(trained_on(part, f"epochs={TOTAL}"), whole)


def test_continued_runs_are_those_of_the_longer_training_if_some_diverge() -> None:
    changes: dict[str, Any] = {"loss": "mse", "output": "identity", "activation": "relu"}
    part, whole = (train_in_memory(population(epochs, "sgd", **changes)) for epochs in (40, 200))
    diverged = [(trained.rows["diverged_at"] >= 0).sum() for trained in (part, whole)]
    assert 0 < diverged[0] < diverged[1] < RUNS
    assert_same(trained_on(part, "epochs=200"), whole)


@pytest.mark.parametrize("first", [0, 1, 63, 64, 65])
def test_any_epoch_may_be_the_one_to_go_on_from(first: int) -> None:
    part, whole = (train_in_memory(population(epochs, "adam", dtype="float32")) for epochs in (first, 130))
    assert_same(trained_on(part, "epochs=130"), whole)


@pytest.mark.parametrize("epoch", [0, 1, 37, 64, FIRST])
@pytest.mark.parametrize("stop", STOPS)
def test_runs_go_on_from_any_kept_epoch_as_if_they_had_not_been_trained_longer(stop: str, epoch: int) -> None:
    changes: dict[str, Any] = {"optimizer": "adam", "stop": STOPS[stop], "track": track(2000, 2000)}
    part, whole = (train_in_memory(population(epochs, **changes)) for epochs in (FIRST, 2 * FIRST))
    assert_same(trained_on(part, f"epochs={2 * FIRST}", epoch=epoch), whole)


def track(losses: int, frames: int, spacing: str = "even") -> dict[str, Any]:
    return {"losses": losses, "frames": frames, "spacing": spacing, "bytes": 10**9}


@pytest.mark.parametrize("spacing", ["even", "log"])
def test_a_thinned_history_keeps_the_epochs_nearest_to_those_of_the_longer_run(spacing: str) -> None:
    """Every kept epoch has the values of a run that records all; there are as many before as the longer run has."""
    every = train_in_memory(population(TOTAL, track=track(2000, 2000)))
    setups = [population(epochs, track=track(31, 16, spacing)) for epochs in (FIRST, TOTAL)]
    part, whole = map(train_in_memory, setups)
    found = trained_on(part, f"epochs={TOTAL}")
    np.testing.assert_array_equal(found.array("losses"), every.array("losses")[found.setup.loss_epochs])
    np.testing.assert_array_equal(found.array("parameters"), every.array("parameters")[found.setup.frame_epochs])
    for name in ("loss_epochs", "frame_epochs"):
        now, before, longer = (getattr(setup, name) for setup in (found.setup, *setups))
        early, wanted = now[now < FIRST], longer[longer < FIRST]
        assert np.isin(early, before).all()
        assert len(early) <= len(wanted)
        for epoch in wanted:
            assert np.abs(early - epoch).min() == np.abs(before[before < FIRST] - epoch).min()
        assert set(now[now >= FIRST]) == {*longer[longer >= FIRST], *([FIRST] if name == "frame_epochs" else [])}
    np.testing.assert_array_equal(found.rows["solved_at"], whole.rows["solved_at"])


@pytest.mark.parametrize("optimizer", [name for name in OPTIMIZERS if name != "rprop"])
def test_a_fork_at_a_kept_epoch_is_training_by_hand_from_its_parameters(optimizer: str) -> None:
    """Another optimizer starts afresh from the parameters of epoch 60; batches and schedule count epochs from 0."""
    words = ["engine=numpy", "epochs=100", "batch_size=3", "schedule=exponential", "optimizer=adam"]
    parent = xortrain.train(*words)
    other = "adagrad" if optimizer == "adam" else optimizer
    fork = parent.fork(f"optimizer={other}", "lr=0.05", epoch=60)
    plain = xortrain.train(*words, f"optimizer={other}", "lr=0.05")
    task = plain.task.take(at_least_two(np.zeros(1, int)))
    learner = Learner(task, np.repeat(parent.parameters[60][:, None], 2, axis=1))
    for epoch in range(60, 100):
        np.testing.assert_array_equal(fork.parameters[epoch], learner.theta[:, 0])
        learner.full.forward()
        learner.update(epoch)
    np.testing.assert_array_equal(fork.parameters[100], learner.theta[:, 0])
    np.testing.assert_array_equal(fork.parameters[:61], parent.parameters[:61])
    np.testing.assert_array_equal(fork.losses[:61], parent.losses[:61])
    assert (fork.losses[61:] != plain.losses[61:]).any()


def test_the_same_optimizer_keeps_its_state_with_other_settings() -> None:
    parent = xortrain.train("optimizer.momentum=0.9", "lr=0.1", "epochs=50")
    fork = parent.fork("optimizer.momentum=0.5", "lr=0.2", "epochs=80")
    w, v = parent.parameters[50].copy(), (parent.parameters[49] - parent.parameters[50]) / 0.1
    for epoch in range(50, 80):
        gradients = fork.gradients(epoch)
        v = 0.5 * v + np.concatenate([g.ravel() for g in gradients.values()])
        w = w - 0.2 * v
    np.testing.assert_allclose(fork.parameters[80], w, rtol=1e-9)


@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_an_explained_step_is_the_step_that_was_trained_in_every_stage(engine: str) -> None:
    run = xortrain.train("epochs=30", "optimizer.momentum=0.5", f"engine={engine}").fork(
        "lr=0.2", "epochs=60", epoch=20
    )
    run = run.fork("optimizer=adam", "epochs=60", epoch=40)
    for epoch in (0, 19, 20, 39, 40, 59):
        step = step_at(run.task, epoch)
        np.testing.assert_array_equal(step.before.theta, run.parameters[epoch])
        rounding = 0 if engine == "numpy" else 1e-13  # the step itself is always NumPy's
        np.testing.assert_allclose(step.after.theta, run.parameters[epoch + 1], rtol=rounding, atol=rounding)


def test_frozen_parameters_keep_the_values_they_have_at_the_fork() -> None:
    parent = xortrain.train("epochs=50")
    fork = parent.fork("freeze=[W1]", "epochs=80")
    assert (fork.at(80)["W1"] == parent.at(50)["W1"]).all()
    assert (fork.at(80)["W2"] != parent.at(50)["W2"]).all()


def test_a_fork_of_a_fork_keeps_every_stage_and_going_back_merges_them() -> None:
    parent = xortrain.train("epochs=60", "optimizer=adam", "lr=0.1")
    fork = parent.fork("lr=0.02", "epochs=100", epoch=40)
    second = fork.fork("optimizer=rprop", "epochs=+30")
    assert [stage.until for stage in second.setup.earlier] == [40, 100]
    np.testing.assert_array_equal(second.parameters[:101], fork.parameters)
    again = RunData(train_in_memory(second.setup))
    np.testing.assert_array_equal(again.parameters, second.parameters)
    np.testing.assert_array_equal(again.losses, second.losses)
    back = second.fork("optimizer=adam", "lr=0.1", "epochs=70", epoch=40)
    assert back.setup.earlier == ()
    np.testing.assert_array_equal(back.parameters, xortrain.train("epochs=70", "optimizer=adam", "lr=0.1").parameters)
    early = second.fork("lr=0.5", "epochs=70", epoch=20)
    assert [stage.population.shared("optimizer.name") for stage in early.setup.earlier] == ["adam"]


def test_another_loss_judges_the_whole_history() -> None:
    """The losses before the fork are those of the new loss too, although the old one trained."""
    parent = xortrain.train("epochs=60", "success=fahlman", "stop=solved")
    fork = parent.fork("loss=mse", "output=sigmoid", "success=midpoint", "epochs=90", "stop=never")
    np.testing.assert_array_equal(fork.parameters[:61], parent.parameters)
    y = np.array([fork.predict(fork.x, epoch) for epoch in range(91)])
    np.testing.assert_allclose(fork.losses, ((y - fork.t) ** 2).mean(axis=(1, 2)), rtol=1e-12)
    wrong = ((y > 0.5) != (fork.t > 0.5)).any(axis=(1, 2))
    assert fork.row["solved_at"] == (np.flatnonzero(wrong)[-1] + 1 if not wrong[-1] else -1)


def test_a_stop_rule_that_is_changed_begins_at_the_fork() -> None:
    parent = xortrain.train("lr=2", "epochs=300", "stop=solved")
    end = parent.row["epochs_done"]
    assert end < 300
    on = parent.fork("stop=never")
    assert on.row["epochs_done"] == 300
    np.testing.assert_array_equal(on.losses[: end + 1], parent.losses[: end + 1])
    np.testing.assert_array_equal(on.losses, xortrain.train("lr=2", "epochs=300").losses)
    patient = parent.fork("stop=patience", "stop.epochs=10", "stop.least=100")
    assert patient.row["epochs_done"] == end + 10
    assert patient.row["best_at"] == end
    with pytest.raises(UserError, match=f"stop=solved: stopped this run at epoch {end}, and would again; add stop=nev"):
        parent.more(50)


def test_every_schedule_says_whether_it_depends_on_the_number_of_epochs() -> None:
    for name, row in SCHEDULES.items():
        settings = some_settings(row.settings, 3)
        short, long = (row.factor(30, epochs, **settings) for epochs in (100, 200))
        assert row.uses_total == (short is not None and bool((short != long).any())), name


def test_a_rate_that_matters_at_the_start_only_cannot_be_changed_later() -> None:
    for name, row in OPTIMIZERS.items():
        run = xortrain.train(f"optimizer={name}", "lr=0.05", "epochs=20")
        if row.rate_at_start:
            with pytest.raises(UserError, match=f"lr: optimizer={name} uses it at its start only"):
                run.fork("lr=0.2", "epochs=30")
        else:
            assert (run.fork("lr=0.2", "epochs=30").losses[22:] != run.more(10).losses[22:]).all()
        assert run.fork("lr=0.2", "epochs=30", epoch=0).row["epochs_done"] == 30


def test_a_run_of_a_sweep_goes_on_as_it_does_alone(tmp_path: Path) -> None:
    """It has other shapes of state and other neighbours there."""
    root, more = f"root={tmp_path}", ("film=none", "optimizer=adam", "batch_size=2", "epochs=40")
    sweep = xortrain.sweep("lr=0.01,0.1", "seed=range(0,5)", root, *more)
    whole = xortrain.sweep("lr=0.01,0.1", "seed=range(0,5)", root, *more, "epochs=90")
    for number in (0, 7):
        found = sweep[number].more(50)
        assert found.folder
        np.testing.assert_array_equal(found.losses, whole[number].losses)
        np.testing.assert_array_equal(found.parameters, whole[number].parameters)
        for name in set(found.row) - {"number"}:
            np.testing.assert_equal(found.row[name], whole[number].row[name], err_msg=name)


def test_a_run_in_memory_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = xortrain.train("epochs=10", "loss.reduction=sum", data=([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]))
    found = run.more(20)
    np.testing.assert_array_equal(found.losses, xortrain.train("epochs=30").losses)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("overrides", "total"),
    [(("epochs=+3", "epochs=20"), 20), (("epochs=+3", "++epochs=20"), 20), (("epochs=20", "epochs=+3"), 8)],
)
def test_the_last_of_several_numbers_of_epochs_counts(overrides: tuple[str, ...], total: int) -> None:
    assert xortrain.train("epochs=5").fork(*overrides).config["epochs"] == total
