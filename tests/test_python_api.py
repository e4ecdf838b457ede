"""A run in Python: its losses, parameters, predictions and gradients are those of the network."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from some_runs import option, some_config, some_setup, trained

import xortrain
from xortrain.api import Run
from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.runner.train import record_run, train_in_memory, train_run
from xortrain.setup.own_arrays import array_data
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.trained.run_data import RunData

X, T = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]


def run_of(**changes: Any) -> RunData:
    return train_run(some_config(**changes))


@pytest.fixture(scope="module")
def run() -> Run:
    return xortrain.train("experiment=notebook_002", "lr=1")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RunData:
    folder = tmp_path_factory.mktemp("root")
    return record_run(some_config(root=str(folder), data=("moons", {"test": 0.2}), name="moon", epochs=30))


def test_training_from_python_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    xortrain.train("lr=1", "epochs=3", "film=field", "root=somewhere")
    assert not list(tmp_path.iterdir())


def test_losses_have_their_epochs(run: Run) -> None:
    assert run.losses.shape == run.loss_epochs.shape == (141,)
    assert run.loss_epochs.tolist() == run.epochs.tolist() == list(range(141))
    assert run.losses[0] == pytest.approx(2.9991464995409807, rel=1e-12)
    assert run.test_losses is None


def test_parameters_are_found_by_name_and_epoch(run: Run) -> None:
    start = run.at(0)
    assert {name: values.shape for name, values in start.items()} == {
        "W1": (2, 2),
        "b1": (2,),
        "W2": (1, 2),
        "b2": (1,),
    }
    drawn = np.random.RandomState(0).randn(9)
    np.testing.assert_array_equal(np.concatenate([values.ravel() for values in start.values()]), drawn)
    assert (run.at(140)["W1"] != start["W1"]).all()


def test_parameters_of_an_epoch_are_copies(run: Run) -> None:
    run.at(5)["W1"][:] = 0
    assert run.at(5)["W1"].all()


def by_hand(p: dict[str, Array], x: Any) -> Array:
    h = 1 / (1 + np.exp(-(np.asarray(x) @ p["W1"].T + p["b1"])))
    return np.asarray(1 / (1 + np.exp(-(h @ p["W2"].T + p["b2"]))))


@pytest.mark.parametrize("epoch", [0, 17, 140, None])
def test_predictions_are_a_forward_pass(run: Run, epoch: int | None) -> None:
    x = np.random.RandomState(1).randn(7, 2)
    p = run.at(140 if epoch is None else epoch)
    np.testing.assert_allclose(run.predict(x, epoch), by_hand(p, x), rtol=1e-12)
    np.testing.assert_allclose(run.predict([1, 0], epoch), by_hand(p, [[1, 0]]), rtol=1e-12)
    assert run.predict(x.tolist(), epoch).shape == (7, 1)
    assert run.predict(np.empty((0, 2)), epoch).shape == (0, 1)


def test_predictions_of_a_part_are_a_part_of_the_predictions(run: Run) -> None:
    x = np.random.RandomState(1).randn(9, 2)
    np.testing.assert_array_equal(run.predict(x)[3:5], run.predict(x[3:5]))


NETWORKS: dict[str, dict[str, Any]] = {
    "bce": {},
    "mse, mean": {"loss": "mse", "output": "tanh"},
    "classes": {"loss": "cross_entropy", "activation": "gelu"},
    "deep": {"architecture": ("mlp", {"hidden": [3, 2]}), "activation": "tanh", "loss": "log_cosh"},
    "skip": {"architecture": ("skip", {"hidden": [2]}), "activation": "softplus"},
    "without biases": {"architecture": ("mlp", {"bias": False}), "loss": "half_sse"},
    "no hidden layer": {"architecture": ("mlp", {"hidden": []})},
    "several outputs": {"data": ("encoder", {"size": 3}), "loss": "mse"},
}


@pytest.mark.parametrize("example", [None, 0, 2])
@pytest.mark.parametrize("network", NETWORKS)
def test_gradients_are_central_differences_of_the_loss(network: str, example: int | None) -> None:
    """The loss is that of a run with slightly different weights; for one example, of a run on that example only."""
    run = run_of(epochs=2, **NETWORKS[network])
    data = (run.x, run.t) if example is None else (run.x[[example]], run.t[[example]])
    start, gradients = run.at(1), run.gradients(epoch=1, example=example)
    up, down = (losses_beside(NETWORKS[network], start, data, step) for step in (1e-5, -1e-5))
    assert {name: found.shape for name, found in gradients.items()} == {name: w.shape for name, w in start.items()}
    found = np.concatenate([gradients[name].ravel() for name in start])
    np.testing.assert_array_less(abs(found - (up - down) / 2e-5), np.maximum(1e-6 * abs(up - down) / 2e-5, 1e-9))


def losses_beside(changes: dict[str, Any], start: dict[str, Array], data: Any, step: float) -> Array:
    """The losses of runs each of which has a step in another parameter."""
    given = option("init", "explicit", weights={key: values.tolist() for key, values in start.items()})
    own = {"init": given, "success": option("success", "tolerance"), "data": option("data", "csv")}
    places = [(name, place) for name, values in start.items() for place in np.ndindex(values.shape)]
    varying = {
        f"init.weights.{name}.{'.'.join(map(str, place))}": start[name][place] + step * (np.arange(len(places)) == k)
        for k, (name, place) in enumerate(places)
    }
    config = some_config(epochs=0, **changes) | own
    population = Population(config, varying, np.arange(len(places)), array_data(data))
    return train_in_memory(Setup.of(population)).array("losses")[0]


def test_a_step_of_gradient_descent_is_the_gradient_times_the_rate(run: Run) -> None:
    for epoch in (0, 50, 139):
        before, after, g = run.at(epoch), run.at(epoch + 1), run.gradients(epoch)
        for name in before:
            np.testing.assert_allclose(before[name] - after[name], g[name], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_gradients_of_the_examples_add_up(reduction: str) -> None:
    run = run_of(loss=("bce", {"reduction": reduction}), epochs=1)
    each = [run.gradients(example=n) for n in range(4)]
    for name, whole in run.gradients().items():
        together = np.sum([g[name] for g in each], axis=0) / (4 if reduction == "mean" else 1)
        np.testing.assert_allclose(whole, together, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("t", [T, [[0], [1], [1], [0]]])
def test_own_data_train_like_the_same_data_set(run: Run, t: Any) -> None:
    own = xortrain.train("loss=bce", "loss.reduction=sum", "engine=numpy", data=(X, t))
    np.testing.assert_array_equal(own.losses, run.losses)
    np.testing.assert_array_equal(own.parameters, run.parameters)
    assert own.x.tolist() == X


@pytest.mark.parametrize("start", [xortrain.train, xortrain.sweep])
def test_a_dry_run_is_refused(start: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^dry_run=true: .* for the command line; leave it out in Python$"):
        start("dry_run=true", f"root={tmp_path}")
    assert not list(tmp_path.iterdir())


def test_own_arrays_are_copied() -> None:
    x, t = np.array(X, float), np.array(T, float)
    own = xortrain.train("epochs=2", "batch_size=1", data=(x, t))
    assert (x.tolist(), t.tolist()) == (X, T)
    x[:] = t[:] = 7
    assert own.x.tolist() == X
    assert own.t[:, 0].tolist() == T


def test_own_data_may_have_any_sizes_and_any_numbers() -> None:
    x = np.random.RandomState(0).randn(11, 5)
    overrides = ["loss=mse", "success=tolerance", "epochs=4", "architecture.hidden=[3]", "lr=0.05"]
    own = xortrain.train(*overrides, data=(x, x[:, :2] * 3))
    assert own.predict(x).shape == (11, 2)
    assert own.losses[-1] < own.losses[0]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ((X, T[:3]), r"\(4, 2\) and \(3, 1\)"),
        (([0, 1, 1, 0], T), r"x \(examples, inputs\)"),
        ((X, [[[0]], [[1]], [[1]], [[0]]]), "t"),
        (([], []), "data"),
        ((np.empty((4, 0)), T), "data"),
        (([[0, 0], [1]], [0, 1]), "numbers"),
        ((X, ["a", "a", "a", "a"]), "only one class, 'a'"),
        (([[0, np.nan]], [1]), "finite"),
        (5, r"data=\(x, t\)"),
        ((X,), r"data=\(x, t\)"),
        ((X, T, X), r"^data: must be two arrays or four, data=\(x, t\) or data=\(x, t, x_test, t_test\)$"),
        ((X, T, X, T[:3]), r"^data=\(x_test, t_test\): must be .* not \(4, 2\) and \(3, 1\)$"),
        ((X, T[:3], X, T), r"^data=\(x, t\): must be .* not \(4, 2\) and \(3, 1\)$"),
        ((X, T, [[1], [0]], [1, 0]), r"^data=\(x_test, t_test\): .* as \(x, t\), 2 and 1, not 1 and 1$"),
        ((X, T, X, [[0, 1]] * 4), r"^data=\(x_test, t_test\): .* as \(x, t\), 2 and 1, not 2 and 2$"),
        ((X, T, [], []), r"^data=\(x_test, t_test\): must be "),
        ((X, T, [[0, np.inf]], [1]), r"^data=\(x_test, t_test\): must be finite$"),
        ((X, T, [["a", "b"]], [1]), r"^data=\(x_test, t_test\): must be two arrays of numbers$"),
        ((X, T, X, [0, 1, 2, 0]), "held-out examples have the class 2, which no training example has"),
        (np.zeros((4, 3)), r"data=\(x, t\)"),
    ],
)
def test_own_data_that_do_not_fit_are_refused(data: Any, expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        xortrain.train(data=data)


def test_own_held_out_examples_are_those_of_the_same_data_set() -> None:
    """The split that data.test makes, given as arrays, has the same losses."""
    words = ["loss=bce", "lr=0.1", "epochs=40", "architecture.hidden=[4]", "activation=tanh"]
    made = xortrain.train(*words, "data=moons", "data.examples=60", "data.test=0.25", "data.noise=0.3")
    assert made.setup.test is not None
    own = xortrain.train(*words, data=(made.x, made.t, made.setup.test.x, made.setup.test.t[..., 0]))
    np.testing.assert_array_equal(own.losses, made.losses)
    np.testing.assert_array_equal(own.test_losses, made.test_losses)
    for name in ("test_loss", "test_accuracy", "allowed_accuracy", "outcome"):
        assert own.row[name] == made.row[name]
    assert made.summary() == own.summary()


def test_held_out_examples_have_their_line_and_change_no_training() -> None:
    stream = np.random.RandomState(5)
    x, x_test = stream.randn(30, 2), stream.randn(12, 2)
    t, t_test = x[:, 0] > 0, x_test[:, 1] > 0
    alone, held = (xortrain.train("lr=0.1", "epochs=50", data=data) for data in ((x, t), (x, t, x_test, t_test)))
    np.testing.assert_array_equal(alone.parameters, held.parameters)
    accuracy = ((held.predict(x_test)[:, 0] > 0.5) == t_test).mean()
    assert held.test_losses is not None
    assert f"Held out, 12 examples: {accuracy:.1%} right, loss {held.test_losses[-1]:.6g}." in held.summary()
    assert alone.test_losses is None


def test_a_mistake_raises_the_line_of_the_command_line() -> None:
    with pytest.raises(UserError, match=r"^activation=tahn: no such choice\. Did you mean 'tanh'\?"):
        xortrain.train("activation=tahn")
    with pytest.raises(ValueError, match="lr=-1"):
        xortrain.train("lr=-1")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("hidden=[2]", "architecture.hidden"), ("momentum=0.9", "optimizer.momentum"), ("lr_=1", "lr")],
)
def test_the_error_for_the_last_part_of_a_name_has_the_full_name(typed: str, meant: str) -> None:
    with pytest.raises(UserError, match=rf"no such setting\. Did you mean '{meant}'\?"):
        xortrain.train(typed)


@pytest.mark.parametrize("x", [[1, 2, 3], [[1], [2]], 5, "ab", [["a", "b"]], [[[1, 2]]], [[1, 2], [3]], None])
def test_inputs_of_the_wrong_shape_are_refused(run: Run, x: Any) -> None:
    with pytest.raises(UserError, match=r"^x: "):
        run.predict(x)


@pytest.mark.parametrize("example", [4, -1, -5, 100])
def test_an_unknown_example_is_refused(run: Run, example: int) -> None:
    with pytest.raises(UserError, match=f"example={example}"):
        run.gradients(example=example)


def test_an_epoch_without_snapshot_is_refused_with_the_nearest() -> None:
    run = run_of(epochs=1000, track=some_config()["track"] | {"frames": 11})
    assert run.epochs.tolist() == list(range(0, 1001, 100))
    for ask in (run.at, lambda epoch: run.predict(X, epoch), run.gradients):
        with pytest.raises(UserError, match=r"^epoch=449: .*; the nearest recorded epoch is 400$"):
            ask(449)


def test_a_record_gives_the_same_object(record: RunData) -> None:
    assert record.folder is not None
    found = xortrain.load(record.folder)
    assert isinstance(found, Run)
    memory = run_of(data=("moons", {"test": 0.2}), name="moon", epochs=30)
    assert found.config["name"] == "moon"
    assert {**found.config, "root": ""} == {**memory.config, "root": ""}
    for name in ("losses", "test_losses", "loss_epochs", "epochs", "parameters", "x", "t"):
        np.testing.assert_array_equal(getattr(found, name), getattr(memory, name), err_msg=name)
    np.testing.assert_equal(dict(found.row), dict(memory.row))
    np.testing.assert_array_equal(found.predict(found.x, 7), memory.predict(memory.x, 7))
    for epoch in (0, 30):
        for name, values in memory.gradients(epoch, example=3).items():
            np.testing.assert_array_equal(found.gradients(epoch, example=3)[name], values)
            np.testing.assert_array_equal(found.at(epoch)[name], memory.at(epoch)[name])
    assert found.summary() == Run(memory.trained).summary()
    assert str(record.folder) in repr(found)


def test_a_record_may_be_named_by_text_or_path_and_number(record: RunData) -> None:
    for name in (str(record.folder), f"{record.folder}#0"):
        found = xortrain.load(name)
        assert isinstance(found, Run)
        assert found.outcome == record.outcome
    with pytest.raises(UserError, match="a single run; leave out #1"):
        xortrain.load(f"{record.folder}#1")


def test_a_folder_without_record_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UserError, match=r"no such run|no record"):
            xortrain.load(path)


def test_a_run_of_a_population_is_that_run_with_its_own_data() -> None:
    varying = {"seed": np.arange(3), "data.seed": np.array([5, 6, 6]), "lr": np.array([0.1, 0.2, 0.3])}
    setup = some_setup(varying, data=("gauss", {"examples": 12}), epochs=10)
    population = train_in_memory(setup)
    run = RunData(population, 1)
    assert run.config["lr"] == 0.2
    assert run.config["data"]["seed"] == 6
    assert run.x.shape == (12, 2)
    alone = train_run(run.config)
    np.testing.assert_array_equal(run.losses, alone.losses)
    np.testing.assert_array_equal(run.x, alone.x)
    np.testing.assert_array_equal(run.predict(run.x, 3), alone.predict(alone.x, 3))
    for example in (None, 4):
        for name, g in alone.gradients(2, example).items():
            np.testing.assert_array_equal(run.gradients(2, example)[name], g)
    np.testing.assert_array_equal(trained(setup).losses, population.array("losses"))


def test_a_diverged_run_has_predictions_and_gradients() -> None:
    run = run_of(loss="mse", output="identity", lr=1e5, epochs=50)
    assert run.outcome == "diverged"
    assert np.isfinite(run.at(50)["W1"]).all()
    assert run.predict(X).shape == (4, 1)
    assert run.gradients(50).keys() == run.at(50).keys()
    assert "diverged" in repr(run)


def test_without_pytorch_one_line_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "xortrain.bridges.torch_module", raising=False)
    with pytest.raises(ImportError, match=r"^run\.torch: needs PyTorch, pip install torch$"):
        run.torch()
