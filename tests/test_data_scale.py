"""data.scale: the network is trained on scaled numbers; data, outputs, success and films keep their own units."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from some_runs import Outcome, assert_same_bits, some_config, some_setup, train_alone, trained

import xortrain
from xortrain.api import Run, Sweep
from xortrain.cli import main
from xortrain.config.compose import compose
from xortrain.config.settings import GROUPS, keys_of
from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.nets.datasets import SCALES
from xortrain.nets.losses import LOSSES
from xortrain.records import layout
from xortrain.runner.train import record_run, train_in_memory, train_run
from xortrain.setup.own_arrays import array_data
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.trained.opening import open_trained
from xortrain.trained.run_data import RunData
from xortrain.views.summary import summary
from xortrain.views.verdict import verdict

pytestmark = pytest.mark.usefixtures("quick_composition")
BY_HAND: dict[str, Callable[[Array], tuple[Array, Array]]] = {
    "standard": lambda x: (np.mean(x, axis=0), np.sqrt(np.mean((x - np.mean(x, axis=0)) ** 2, axis=0))),
    "minmax": lambda x: (np.min(x, axis=0), np.max(x, axis=0) - np.min(x, axis=0)),
}
KINDS = [name for name, row in SCALES.items() if row.fit]
SCALED = [name for name in GROUPS["data"] if "scale" in keys_of("data", name)]
OPTIONS = [name for name in SCALED if name != "sklearn"]  # which is not installed
CLOUDS = [name for name in OPTIONS if "low" in keys_of("data", name)]
SETS = [*OPTIONS, "arrays"]  # of Python, which have the settings of data=csv
TRAIN: dict[str, Any] = {"epochs": 12, "lr": 0.1, "activation": "tanh", "architecture": ("mlp", {"hidden": [3]})}
NEAR = {"sine": 0.4, "csv": 40.0, "arrays": 40.0}  # to their real targets
REGRESSION: dict[str, Any] = TRAIN | {"loss": "mse", "success": ("tolerance", {"within": 40.0})}


def numbers(examples: int = 30) -> tuple[Array, Array]:
    """Inputs of very different sizes, and real-valued targets far from 0."""
    x = np.random.RandomState(0).randn(examples, 2) * [1000, 0.1] + [5000, -3]
    return x, 2000 + 100 * np.tanh(x[:, :1] / 1000 - 5) + 300 * x[:, 1:]


def write_table(path: Path, x: Array, t: Array) -> str:
    rows = np.concatenate([x, t], axis=1).tolist()
    path.write_text("\n".join(",".join(map(repr, row)) for row in rows))
    return str(path)


def setup_of(folder: Path, name: str, scale: str, **changes: Any) -> Setup:
    """The setup of a data set with this scaling; a sine, tables and arrays are a regression."""
    keys: dict[str, Any] = {key: changes.pop(key) for key in ("test",) if key in changes} | {"scale": scale}
    if name == "arrays":
        x, t = numbers()
        return of_arrays(x, t, scale, keys.get("test", 0.0), **REGRESSION | changes)
    if name == "csv":
        path = write_table(folder / "table.csv", *numbers())
        return some_setup(data=(name, keys | {"path": path}), **REGRESSION | changes)
    near = {"success": ("tolerance", {"within": NEAR[name]})} if name in NEAR else {}
    return some_setup(data=(name, keys | {"examples": 40}), **TRAIN | near | changes)


def of_arrays(x: Array, t: Any, scale: str = "none", test: float = 0.0, **changes: Any) -> Setup:
    keys = {"scale": scale, "test": test}
    return Setup.of(Population(some_config(data=("csv", keys), **changes), own=array_data((x, t))))


def run_of(setup: Setup) -> RunData:
    return RunData(train_in_memory(setup))


def rows_agree(one: Outcome, two: Outcome) -> None:
    for name in set(layout.ROW) - {"number"}:
        if "loss" not in name:
            np.testing.assert_array_equal(one.rows[name], two.rows[name], err_msg=name)


def test_every_scaling_of_the_table_is_computed_by_hand_here() -> None:
    assert BY_HAND.keys() == set(KINDS)
    assert set(SCALES) - set(KINDS) == {"none"}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scale", KINDS)
@pytest.mark.parametrize("name", SETS)
def test_training_on_scaled_data_is_training_on_data_scaled_by_hand(
    tmp_path: Path, name: str, scale: str, dtype: str
) -> None:
    """Bit for bit, for float32 too; the tolerance of success scales with the targets."""
    setup, changes = setup_of(tmp_path, name, scale, dtype=dtype), TRAIN | {"loss": "bce"}
    x, t = setup.train.x, setup.train.t[..., 0]
    shift, factor = (part.astype(dtype) for part in BY_HAND[scale](x.astype(float)))
    by_hand, within = t, 0.0
    if name not in CLOUDS:
        target_shift, target_factor = (part.astype(dtype) for part in BY_HAND[scale](t.astype(float)))
        by_hand, within = (t - target_shift) / target_factor, float(NEAR[name] / target_factor[0])
        changes = REGRESSION | {"success": ("tolerance", {"within": within})}
    expected = trained(of_arrays((x - shift) / factor, by_hand, dtype=dtype, **changes))
    found = trained(setup)
    np.testing.assert_array_equal(found.losses, expected.losses)
    np.testing.assert_array_equal(found.parameters, expected.parameters)
    rows_agree(found, expected)


@pytest.mark.parametrize("scale", KINDS)
@pytest.mark.parametrize("name", SETS)
def test_held_out_examples_are_scaled_with_the_numbers_of_the_training_examples(
    tmp_path: Path, name: str, scale: str
) -> None:
    setup = setup_of(tmp_path, name, scale, test=0.3)
    task = setup.task()
    assert setup.test is not None
    assert task.test is not None
    parts = [(setup.train.x, setup.test.x, task.data.x, task.test.x)]
    if name not in CLOUDS:
        parts.append((setup.train.t, setup.test.t, task.data.t, task.test.t))
    for train, test, scaled_train, scaled_test in parts:
        shift, factor = BY_HAND[scale](train)
        np.testing.assert_array_equal(scaled_train, (train - shift) / factor)
        np.testing.assert_array_equal(scaled_test, (test - shift) / factor)
    assert trained(setup).rows["test_loss"] > 0


@pytest.mark.parametrize("scale", KINDS)
@pytest.mark.parametrize("name", SETS)
def test_predictions_scale_the_inputs_and_unscale_the_outputs(tmp_path: Path, name: str, scale: str) -> None:
    run = run_of(setup_of(tmp_path, name, scale))
    x = np.random.RandomState(1).randn(7, run.x.shape[1]) * 3
    shift, factor = BY_HAND[scale](run.x)
    target_shift, target_factor = BY_HAND[scale](run.t) if name not in CLOUDS else (0.0, 1.0)
    for epoch in (0, 12):
        y = run.network.forward(
            run.setup.part(slice(0, 1)).task().theta if epoch == 0 else theta_of(run), (x - shift) / factor
        ).y
        np.testing.assert_allclose(run.predict(x, epoch), y[..., 0] * target_factor + target_shift, rtol=1e-12)


def theta_of(run: RunData) -> Array:
    return run.parameters[-1][:, None]


@pytest.mark.parametrize("scale", KINDS)
@pytest.mark.parametrize("name", SETS)
def test_a_run_keeps_its_data_and_its_success_in_their_own_units(tmp_path: Path, name: str, scale: str) -> None:
    run, plain = run_of(setup_of(tmp_path, name, scale)), run_of(setup_of(tmp_path, name, "none"))
    np.testing.assert_array_equal(run.x, plain.x)
    np.testing.assert_array_equal(run.t, plain.t)
    y = run.predict(run.x)
    right = np.abs(y - run.t) < NEAR.get(name, 0.5)
    assert name == "gauss" or 0 < right.mean() < 1
    assert run.row["accuracy"] == right.mean()
    np.testing.assert_array_equal(run.right, right[:, 0])
    text = summary(run)
    assert f"{run.t[0, 0]:g}  {y[0, 0]:.4f}" in " ".join(text.split("\n\n")[1].splitlines()[1].split()).replace(
        " ", "  "
    )
    assert (" (of scaled targets) after" in text) == (name not in CLOUDS)


@pytest.mark.parametrize(
    ("loss", "t", "is_scaled"),
    [
        ("mse", [3.0, 5.0, 9.0, 3.0], True),
        ("mse", [3.0, 5.0, 5.0, 3.0], False),
        ("mse", [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]], False),
        ("mse", [[1, 5], [2, 5], [3, 5], [4, 5]], True),
        ("cross_entropy", [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]], False),
        ("bce", [0.0, 0.3, 0.6, 1.0], False),
        ("hinge", [-1.0, 1.0, 1.0, -1.0], False),
    ],
)
@pytest.mark.parametrize("scale", KINDS)
def test_only_targets_of_a_regression_are_scaled(loss: str, t: Any, is_scaled: bool, scale: str) -> None:
    """Real-valued targets, of a loss that takes any numbers: not classes, two values, probabilities or signs."""
    setup = of_arrays(np.eye(4, 2) * 7, t, scale, loss=loss, success="tolerance")
    own, task = setup.train.t, setup.task()
    assert np.array_equal(task.data.t, own) != is_scaled
    assert not np.array_equal(task.data.x, setup.train.x)
    assert is_scaled <= (LOSSES[loss].targets == "any")


@pytest.mark.parametrize("name", CLOUDS)
def test_labels_are_never_scaled_even_if_their_values_differ_between_runs(name: str) -> None:
    varying = {"data.low": np.array([0.0, 0.1, 0.2])}
    setup = some_setup(varying, data=(name, {"examples": 20, "scale": "standard"}), loss="mse")
    np.testing.assert_array_equal(setup.task().data.t, setup.train.t)
    assert setup.train.t.shape == (20, 1, 3)


@pytest.mark.parametrize("value", [0.0, 0.1, -7e9])
@pytest.mark.parametrize("scale", KINDS)
def test_a_constant_column_keeps_its_unit(scale: str, value: float) -> None:
    x, t = numbers()
    x[:, 1] = value
    setup = of_arrays(x, t, scale, **REGRESSION)
    assert setup.scaling.inputs.fitted is not None
    assert setup.scaling.inputs.fitted[1][1] == 1
    np.testing.assert_allclose(setup.task().data.x[:, 1], 0, atol=1e-15 * max(1, abs(value)))
    assert np.isfinite(trained(setup).losses).all()


def test_a_table_in_other_units_is_trained_the_same(tmp_path: Path) -> None:
    """Standard scores do not depend on the units of a column, so neither do the losses."""
    x, t = numbers()
    found = []
    for factor, shift in ((1, 0), (1000, 5)):
        path = write_table(tmp_path / f"{factor}.csv", x * [factor, 1] + [shift, 0], t * factor + shift)
        keys = {"path": path, "scale": "standard"}
        success = ("tolerance", {"within": 40.0 * factor})
        found.append(trained(some_setup(data=("csv", keys), **REGRESSION | {"success": success, "epochs": 100})))
    np.testing.assert_allclose(found[0].losses, found[1].losses, rtol=1e-9)
    np.testing.assert_allclose(found[0].parameters, found[1].parameters, rtol=1e-7)
    rows_agree(*found)


@pytest.mark.parametrize("name", OPTIONS)
def test_each_run_of_a_population_has_the_scaling_of_its_own_data(tmp_path: Path, name: str) -> None:
    seeds = {"data.seed": np.array([3, 5, 3], np.uint32), "seed": np.arange(3, dtype=np.uint32)}
    one = setup_of(tmp_path, name, "standard", test=0.25)
    setup = Setup.of(Population(one.population.config, seeds, np.arange(3)))
    whole, population = trained(setup, [2, 1]), train_in_memory(setup)
    assert setup.scaling.inputs.fitted is not None
    assert setup.scaling.inputs.fitted[0].shape == (one.train.x.shape[1], 3)
    for number in range(3):
        alone = train_alone(setup, number)
        assert_same_bits(whole.run(number), alone)
        run = RunData(population, number)
        by_itself = train_run(run.config)
        np.testing.assert_array_equal(run.predict(run.x), by_itself.predict(by_itself.x))
        for key, gradient in by_itself.gradients(3).items():
            np.testing.assert_array_equal(run.gradients(3)[key], gradient)


def test_gradients_are_those_of_the_scaled_data() -> None:
    x, t = numbers()
    (x_shift, x_factor), (t_shift, t_factor) = map(BY_HAND["standard"], (x, t))
    words = ["loss=mse", "success=tolerance", "epochs=2"]
    run = xortrain.train("data.scale=standard", *words, data=(x, t))
    by_hand = xortrain.train(*words, data=((x - x_shift) / x_factor, (t - t_shift) / t_factor))
    for name, gradient in by_hand.gradients(1, example=3).items():
        np.testing.assert_array_equal(run.gradients(1, example=3)[name], gradient)
    for part in ("backward", "update"):
        text, expected = (str(one.explain(1, only=part)).partition("  W1 (")[2] for one in (run, by_hand))
        assert text.partition(" are right")[0] == expected.partition(" are right")[0] != ""
    text = " ".join(str(run.explain(1)).split())
    assert "The data are scaled, as data.scale says: x and t are what the network and the loss receive." in text
    assert "(less than 0.1 from its target, both unscaled)" in text
    inputs = " ".join(str(xortrain.train("data=moons", "data.scale=minmax", "epochs=0").explain()).split())
    assert "The inputs are scaled, as data.scale says: x is what the network receives." in inputs


def test_the_verdict_knows_what_the_network_receives_and_names_what_the_data_are() -> None:
    x, t = numbers()
    plain = run_of(of_arrays(x, t, **REGRESSION | {"epochs": 1}))
    scaled = run_of(of_arrays(x, t, "standard", **REGRESSION | {"epochs": 1, "output": "sigmoid"}))
    assert "The inputs are of very different scale" in verdict(plain)
    assert "The inputs are" not in verdict(scaled)
    shift, factor = BY_HAND["standard"](t)
    expected = f"can reach the target {t.max():g}: its outputs are at most {(shift + factor)[0]:g}."
    assert f"No net with output=sigmoid {expected}" in verdict(scaled)


@pytest.fixture(params=KINDS)
def words(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """The overrides of a regression from a table, into a root of its own."""
    path = write_table(tmp_path / "table.csv", *numbers())
    own = ["data=csv", f"data.path={path}", f"data.scale={request.param}", "data.test=0.2", "loss=mse", "lr=0.1"]
    return [*own, "success=tolerance", "success.within=40", "epochs=20", "film=none", f"root={tmp_path / 'root'}"]


def record(words: list[str]) -> Path:
    folder = record_run(compose(words)).folder
    assert folder is not None
    return folder


def test_a_record_has_raw_data_and_their_scaling(words: list[str]) -> None:
    folder = record(words)
    whole = numbers()
    with np.load(folder / "data.npz") as data:
        assert set(data) == {"x", "t", "x_test", "t_test", "x_shift", "x_factor", "t_shift", "t_factor"}
        assert {*data["x"].ravel(), *data["x_test"].ravel()} == set(whole[0].ravel())
        assert {*data["t"].ravel(), *data["t_test"].ravel()} == set(whole[1].ravel())
        scale = json.loads((folder / "record.json").read_text())["config"]["data"]["scale"]
        for name in "xt":
            shift, factor = BY_HAND[scale](data[name])
            np.testing.assert_array_equal(data[f"{name}_shift"], shift)
            np.testing.assert_array_equal(data[f"{name}_factor"], factor)


def test_a_record_gives_the_same_bits_again(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Also in films, explanations, tables and resumed runs."""
    memory = record_run(compose(words))
    assert memory.folder is not None
    found = xortrain.load(memory.folder)
    assert isinstance(found, Run)
    for name in ("losses", "test_losses", "parameters", "x", "t"):
        np.testing.assert_array_equal(getattr(found, name), getattr(memory, name), err_msg=name)
    np.testing.assert_array_equal(found.predict(found.x), memory.predict(memory.x))
    assert found.summary() == summary(memory)
    name = str(memory.folder)
    for command, expected in (
        (["rerun", name, "--check"], "The same to the bit"),
        (["explain", name], "The data are scaled"),
        (["check", name], "passed"),
        (["show", name], f"scale {memory.config['data']['scale']}"),
        (["render", name, "--still"], ""),
    ):
        assert main(command) == 0
        assert expected in capsys.readouterr().out
    rows = np.load(memory.folder / "runs.npy", mmap_mode="r+")
    rows["outcome"] = 0
    rows.flush()
    (memory.folder / "record.json").write_text(
        json.dumps(json.loads((memory.folder / "record.json").read_text()) | {"status": "interrupted"})
    )
    assert main(["resume", name]) == 0
    np.testing.assert_array_equal(np.array(xortrain.load(name).losses), memory.losses)


def test_the_stored_scaling_is_used_not_fitted_again(words: list[str]) -> None:
    folder = record(words)
    with np.load(folder / "data.npz") as data:
        changed = {**data, "x_shift": data["x_shift"] + 1, "t_factor": data["t_factor"] * 2}
    np.savez(folder / "data.npz", **changed)
    found, plain = RunData(open_trained(folder)), changed
    np.testing.assert_array_equal(found.task.data.x, (plain["x"] - plain["x_shift"]) / plain["x_factor"])
    np.testing.assert_array_equal(found.task.data.t[..., 0], (plain["t"] - plain["t_shift"]) / plain["t_factor"])


HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "a factor of 0": ({"x_factor": [0.0, 1.0]}, "x_factor: must be greater than 0"),
    "a negative factor": ({"t_factor": [-1.0]}, "t_factor: must be greater than 0"),
    "a factor that is not finite": ({"x_factor": [np.inf, 1.0]}, "x_factor: must be finite"),
    "a shift that is not a number": ({"t_shift": [np.nan]}, "t_shift: must be finite"),
    "a shift of another length": ({"x_shift": [1.0]}, r"x_shift and x_factor have shapes \(1,\) and \(2,\)"),
    "factors for many runs": ({"x_shift": np.ones((2, 9)), "x_factor": np.ones((2, 9))}, "2 columns"),
    "a single number": ({"x_shift": 1.0, "x_factor": 1.0}, "2 columns"),
    "shifts in three dimensions": ({"t_shift": np.ones((1, 1, 1)), "t_factor": np.ones((1, 1, 1))}, "1 columns"),
    "whole numbers": ({"x_shift": np.array([1, 2])}, "x_shift: must be finite numbers of the record's dtype"),
    "no factor": ({"x_factor": None}, "must contain"),
    "no shift of the targets": ({"t_shift": None}, "must contain"),
    "no scaling": (dict.fromkeys(("x_shift", "x_factor", "t_shift", "t_factor")), "must contain"),
    "numbers that overflow": ({"x_factor": [5e-324, 1.0]}, "data.scale=standard: leaves numbers beyond"),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("words", ["standard"], indirect=True)
def test_a_hostile_scaling_is_a_one_line_error(words: list[str], case: str) -> None:
    folder, (changes, expected) = record(words), HOSTILE[case]
    with np.load(folder / "data.npz") as data:
        arrays = {name: value for name, value in {**data, **changes}.items() if value is not None}
    np.savez(folder / "data.npz", **arrays)
    with pytest.raises(UserError, match=expected) as caught:
        open_trained(folder)
    assert "\n" not in str(caught.value)


def test_a_scaling_that_the_config_does_not_have_is_refused(words: list[str]) -> None:
    folder = record(words)
    metadata = json.loads((folder / "record.json").read_text())
    metadata["config"]["data"]["scale"] = "none"
    (folder / "record.json").write_text(json.dumps(metadata))
    with pytest.raises(UserError, match=r"data\.npz: must contain t, t_test, x, x_test$"):
        open_trained(folder)


def test_a_record_without_the_setting_is_one_without_scaling(tmp_path: Path) -> None:
    words = ["data=circle", "epochs=5", "film=none", f"root={tmp_path}"]
    run = record_run(compose(words))
    assert run.folder is not None
    metadata = json.loads((run.folder / "record.json").read_text())
    del metadata["config"]["data"]["scale"]
    (run.folder / "record.json").write_text(json.dumps(metadata))
    found = RunData(open_trained(run.folder))
    assert found.config == run.config
    np.testing.assert_array_equal(found.predict(found.x), run.predict(run.x))
    for command in ("rerun", "show", "explain"):
        assert main([command, str(run.folder), *(["--check"] if command == "rerun" else [])]) == 0


def test_a_sweep_over_the_scaling_has_a_population_for_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["data=moons", "data.seed=0,1", "seed=0,1", "epochs=10", "film.frames=3"]
    sweep = xortrain.sweep("data.scale=none,standard,minmax", *words, f"root={tmp_path}")
    plain = xortrain.sweep(*words, f"root={tmp_path}")
    assert isinstance(sweep, Sweep)
    assert len(sweep.parts) == 3
    np.testing.assert_array_equal(sweep[sweep.column("data.scale") == "none"].losses, plain.losses)
    assert main(["rerun", str(sweep.folder), "--check"]) == 0
    assert capsys.readouterr().out.startswith("The same to the bit: every recorded loss and parameter of 12 runs")
    assert sweep.film(tmp_path / "sweep.gif").stat().st_size > 0
    standard = sweep[sweep.column("data.scale") == "standard"]
    with np.load(sweep.parts[1].folder / "data.npz") as data:
        assert data["x_shift"].shape == (2, 4)
        assert data["x"].shape == (200, 2, 4)
    alone = xortrain.train(*(word.split(",")[0] for word in words), "data.scale=standard")
    np.testing.assert_array_equal(standard[0].losses, alone.losses)


@pytest.mark.parametrize(("scale", "largest", "dtype"), [("standard", 1e308, "float64"), ("minmax", 3e38, "float32")])
def test_numbers_that_cannot_be_scaled_are_refused(scale: str, largest: float, dtype: str) -> None:
    """A sum or a range that overflows, though each number fits."""
    x, t = numbers()
    x[:, 0] = np.where(np.arange(len(x)) % 3 == 0, -largest, largest)
    with pytest.raises(UserError, match=f"^data.scale={scale}: leaves numbers beyond the range of {dtype}"):
        of_arrays(x, t, scale, dtype=dtype, **REGRESSION)


def test_own_arrays_take_the_place_of_a_table() -> None:
    x, t = np.random.RandomState(0).randn(20, 2), np.arange(20) % 3
    run = xortrain.train("experiment=notebook_002", "loss=cross_entropy", "epochs=1", "data.test=0.25", data=(x, t))
    assert run.config["data"] == compose(["data=csv", "data.test=0.25"])["data"]
    assert run.t.shape == (15, 3)
    assert run.setup.test is not None
    assert {*run.x[:, 0], *run.setup.test.x[:, 0]} == set(x[:, 0])
    for words, expected in (
        ("data=circle", r"^data=circle: your own arrays, data=\(x, t\), take its place; leave it out$"),
        ("data.path=a.csv", r"^data.path=a.csv: your own arrays, data=\(x, t\), take its place; leave it out$"),
        ("data.targets=[y]", r"^data.targets=\['y'\]: your own arrays, data=\(x, t\), take its place; leave it out$"),
        ("data.inputs=[y]", r"^data.inputs=\['y'\]: your own arrays, data=\(x, t\), take its place; leave it out$"),
        ("data.header=true", r"^data.header=true: your own arrays, data=\(x, t\), take its place; leave it out$"),
        ("data.low=-1", r"^data.low=-1: is a setting of data=.*, not of data=csv"),
        ("data.scale=big", r"^data.scale=big: must be one of none, standard, minmax$"),
    ):
        with pytest.raises(UserError, match=expected):
            xortrain.train(words, data=(x, t))
    with pytest.raises(UserError, match=r"^loss=cross_entropy: requires classes, and y has 0\.5; add loss=mse$"):
        xortrain.train("loss=cross_entropy", data=(x, t + 0.5))


@pytest.mark.parametrize("name", GROUPS["data"])
def test_truth_tables_have_no_scaling(name: str) -> None:
    if name not in SCALED:
        with pytest.raises(UserError, match=rf"^data\.scale=standard: is a setting of data=.*, not of data={name}"):
            compose([f"data={name}", "data.scale=standard"])
