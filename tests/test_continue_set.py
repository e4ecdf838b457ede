"""A run that is continued with parameters set by hand: the same bits in every way to train it, and in the page."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_tasks import Page, as_plain
from some_runs import some_setup
from test_continue import assert_same, trained_on

import xortrain
from xortrain.api import Run
from xortrain.cli import main
from xortrain.errors import UserError
from xortrain.nets.optimizers import OPTIMIZERS
from xortrain.page.javascript import mathematics
from xortrain.runner.train import train_in_memory
from xortrain.trained.run_data import RunData, TrainedRuns

pytestmark = pytest.mark.usefixtures("quick_composition")
FORK, LAST = 60, 260
VALUE = 2.5


def parent(**changes: Any) -> TrainedRuns:
    """Return one run that is solved or not, with snapshots of all its epochs."""
    settings: dict[str, Any] = {"epochs": LAST, "seed": 3, "track": TRACK, **changes}
    return train_in_memory(some_setup(**settings))


TRACK = {"losses": 1000, "frames": 1000, "spacing": "even", "bytes": 10**9}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_parameter_that_is_set_to_its_value_changes_nothing(optimizer: str, dtype: str) -> None:
    before = parent(optimizer=optimizer, dtype=dtype, lr=0.05)
    own = RunData(before).at(FORK)["W1"][0, 1]
    found = trained_on(before, f"set.W1.0.1={float(own)!r}", epoch=FORK)
    assert_same(found, trained_on(before, epoch=FORK))
    assert found.setup.earlier


def test_what_is_set_is_there_at_its_epoch_and_is_trained_from_then_on() -> None:
    before = parent()
    found = RunData(trained_on(before, f"set.W2.0.1={VALUE}", "set.b1[0]=-1", epoch=FORK))
    assert found.at(FORK)["W2"][0, 1] == VALUE
    assert found.at(FORK)["b1"][0] == -1
    assert found.at(FORK + 1)["W2"][0, 1] != VALUE
    others = np.delete(np.arange(9), [4, 7])
    np.testing.assert_array_equal(found.parameters[FORK][others], RunData(before).parameters[FORK][others])
    np.testing.assert_array_equal(found.parameters[:FORK], RunData(before).parameters[:FORK])
    assert found.losses[FORK] == found._losses_of(np.array(found.parameters[[FORK]]).T)[0]
    assert found.losses[FORK] != RunData(before).losses[FORK]


@pytest.mark.parametrize("changes", [{}, {"batch_size": 2}, {"freeze": ["W1"]}, {"optimizer": "adam", "lr": 0.05}])
def test_training_again_from_the_start_has_the_same_bits(changes: dict[str, Any]) -> None:
    found = trained_on(parent(**changes), f"set.W1.1.0={VALUE}", "lr=0.2", epoch=FORK)
    assert_same(train_in_memory(found.setup), found)


def test_a_fork_of_the_fork_keeps_what_was_set_and_may_set_more() -> None:
    fork = trained_on(parent(), f"set.W1.1.0={VALUE}", epoch=FORK)
    same = trained_on(fork, "lr=0.3", epoch=FORK)
    assert_same(same, trained_on(parent(), f"set.W1.1.0={VALUE}", "lr=0.3", epoch=FORK))
    more = trained_on(fork, "set.b2.0=1", epoch=FORK)
    assert_same(more, trained_on(parent(), f"set.W1.1.0={VALUE}", "set.b2.0=1", epoch=FORK))
    later = trained_on(fork, "set.b2.0=1", epoch=2 * FORK)
    assert [dict(stage.then_set) for stage in later.setup.earlier] == [{"W1.1.0": VALUE}, {"b2.0": 1}]
    assert_same(train_in_memory(later.setup), later)


def test_at_epoch_0_it_is_the_start_that_is_set() -> None:
    found = trained_on(parent(), f"set.W1.1.0={VALUE}", epoch=0)
    init = dict(parent().setup.population.config["init"]) | {"set": {"W1": {"1": {"0": VALUE}}}}
    assert_same(found, parent(init=(init.pop("name"), init)))


def test_runs_that_had_ended_stay_as_they_were() -> None:
    varying = {"seed": np.arange(12), "lr": np.linspace(1, 6, 12)}
    before = train_in_memory(some_setup(varying, epochs=LAST, stop="solved", track=TRACK))
    ended = before.rows["epochs_done"] < FORK
    assert ended.any()
    assert not ended.all()
    found = trained_on(before, f"set.W1.0.0={VALUE}", epoch=FORK)
    np.testing.assert_array_equal(found.array("parameters")[:, :, ended], before.array("parameters")[:, :, ended])
    assert (found.array("parameters")[FORK, 0, ~ended] == VALUE).all()
    assert_same(train_in_memory(found.setup), found)


FORKS: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "learning rate and weight": ({}, ("lr=0.1", "set.W1.0.1=2"), "{ lr: 0.1 }, new Map([[net.indexOf(0, 0, 1), 2]])"),
    "optimizer": (
        {"optimizer": ("sgd", {"momentum": 0.9}), "lr": 0.1}, ("optimizer=adam", "lr=0.05"),
        '{ lr: 0.05, optimizer: { name: "adam", settings: tables.OPTIMIZERS.adam.defaults } }',
    ),
    "momentum from now on": (
        {"lr": 0.3}, ("optimizer.momentum=0.8", "set.b2.0=0.5"),
        '{ optimizer: { name: "sgd", settings: { ...tables.OPTIMIZERS.sgd.defaults, momentum: 0.8 } } }, '
        "new Map([[net.indexOf(1, 0), 0.5]])",
    ),
    "mini-batches": ({"batch_size": 2, "lr": 0.3}, ("lr=0.1", "set.W2.0.0=1"), "{ lr: 0.1 }, new Map([[6, 1]])"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORKS)
def test_a_fork_in_the_page_is_that_of_the_command(name: str, tmp_path: Path) -> None:
    changes, words, fork = FORKS[name]
    before = parent(**changes)
    found = RunData(trained_on(before, *words, epoch=FORK))
    task = before.setup.task()
    script = f"""
      const trainer = new training.Trainer(given.task).advance({FORK}), net = trainer.descent.network;
      const fork = trainer.fork({fork});
      const all = Array.from({{ length: {LAST - FORK} }}, () => Float64Array.from(fork.advance(1).theta));
      answer({{ all, start: Float64Array.from(trainer.theta) }});
    """
    answer = Page(tmp_path, mathematics([task])).run(script, {"task": as_plain(task)})
    np.testing.assert_allclose(answer["start"], RunData(before).parameters[FORK], rtol=1e-9)
    np.testing.assert_allclose(answer["all"], found.parameters[FORK + 1 :], rtol=1e-9, atol=1e-12)


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a recorded run, in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    main(["epochs=100", "film=none", "seed=3", "track.frames=11", "stop=never"])
    return str(newest().folder).removeprefix("outputs/")


def run_of(folder: Path) -> Run:
    found = xortrain.load(folder)
    assert isinstance(found, Run)
    return found


def newest() -> Run:
    return run_of(max(Path("outputs").glob("*/*")))


def test_the_record_says_what_was_set_and_is_checked_without_its_parent(
    record: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["continue", record, "--epoch", "60", "lr=0.1", "set.W1.0.1=2"])
    assert "Epoch 60 is that of the parent with W1[0, 1] set to 2." in capsys.readouterr().out
    fork = newest()
    assert fork.trained.metadata["stages"] == [{"until": 60, "config": {"lr": 1.0}, "varies": [], "set": {"W1.0.1": 2}}]
    main(["rerun", str(fork.folder), "--check"])
    assert "The same to the bit" in capsys.readouterr().out
    main(["show", str(fork.folder)])
    assert "from epoch 60 with W1[0, 1] set to 2" in capsys.readouterr().out
    again = run_of(Path("outputs") / record).fork("lr=0.1", "set.W1.0.1=2", epoch=60)
    np.testing.assert_array_equal(again.parameters, fork.parameters)


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("set.w1.0.1=2", "set=w1: no such parameter of this network. Did you mean 'W1'?"),
        ("set.W1.0.7=2", "set.W1.0.7: W1[0, 7] does not exist; the last one is W1[1, 1]"),
        ("set.b1.0.1=2", "set.b1.0.1: b1[0, 1] does not exist; the last one is b1[1]"),
        ("set.W1=2", "set.W1=2: is one number for [2, 2]; name its place, as in set.W1.0.0=…"),
        ("set.W1.0.1=two", "set.W1.0.1=two: must be a finite number"),
        ("set.W1.0.1=inf", "set.W1.0.1=inf: must be a finite number"),
        ("set.=1", "set=: no such parameter of this network"),
    ],
)
def test_what_cannot_be_set_is_refused_in_one_line(
    word: str, line: str, record: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(Path("outputs").rglob("*"))
    assert main(["continue", record, "--epoch", "60", word]) == 2
    assert line in capsys.readouterr().err
    assert sorted(Path("outputs").rglob("*")) == before


@pytest.mark.parametrize(
    "given", [{"W1.0.9": 1}, {"W1.0.1": "x"}, {"W1.0.1": float("nan")}, [1], {"W7.0": 1}, {"W1": 1}]
)
def test_a_hostile_record_is_refused_in_one_line(given: Any, record: str) -> None:
    main(["continue", record, "--epoch", "60", "set.W1.0.1=2"])
    folder = newest().folder or Path()
    path = folder / "record.json"
    metadata = json.loads(path.read_text())
    metadata["stages"][0]["set"] = given
    path.write_text(json.dumps(metadata))
    with pytest.raises(UserError, match="set"):
        xortrain.load(folder)
