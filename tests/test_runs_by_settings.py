"""A run of a sweep is found by its settings, wherever SWEEP#RUN is understood; of numbers the nearest is taken."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xortrain
from xortrain.api import Run, Sweep
from xortrain.cli import main
from xortrain.errors import Remark, UserError
from xortrain.records.naming import named

pytestmark = pytest.mark.usefixtures("in_own_folder", "quick_composition")
ROOT = Path("outputs")


@pytest.fixture(scope="module")
def grid() -> Sweep:
    return xortrain.sweep("lr=geomspace(0.5,8,5)", "W1[0,1]=linspace(-6,6,3)", "seed=0,1", "epochs=2", "film=none")


@pytest.fixture(scope="module")
def mixed() -> Sweep:
    shapes = "architecture.hidden=[2],[2,3]"
    return xortrain.sweep("activation=tanh,relu", shapes, "optimizer.nesterov=false,true", "optimizer.momentum=0.5",
                          "batch_size=null,2", "epochs=2", "film=none")  # fmt: skip


@settings(max_examples=30)
@given(st.floats(-1, 20), st.floats(-9, 9), st.integers(0, 1))
def test_the_nearest_values_are_taken_and_said(grid: Sweep, lr: float, weight: float, seed: int) -> None:
    name = f"{grid.folder}@lr={lr},W1[0,1]={weight},seed={seed}"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = xortrain.load(name)
    assert isinstance(run, Run)
    found = [run.config["lr"], run.config["init"]["set"]["W1"]["0"]["1"], run.config["seed"]]
    lrs, weights = np.unique(grid.column("lr")), np.unique(grid.column("W1[0,1]"))
    assert abs(found[0] - lr) == np.abs(lrs - lr).min()
    assert abs(found[1] - weight) == np.abs(weights - weight).min()
    assert found[2] == seed
    is_exact = np.isclose(found[:2], [lr, weight], rtol=1e-9, atol=0).all()
    assert [type(one.message) for one in caught] == [Remark] * (not is_exact)
    assert all(f"#{run.row['number']}" in str(one.message) for one in caught)


@pytest.mark.filterwarnings("error")
def test_every_run_is_found_by_its_own_settings(grid: Sweep, mixed: Sweep) -> None:
    for number, row in enumerate(grid.table()):
        text = f"lr={row['lr']}, init.set.W1.0.1={row['W1[0, 1]']}, seed={row['seed']}"
        assert named(f"{grid.folder}@{text}", ROOT).number == number
    for number, run in enumerate(mixed):
        config = run.config
        hidden, batch = str(config["architecture"]["hidden"]), config["batch_size"] or "null"
        nesterov = str(config["optimizer"]["nesterov"]).lower()
        text = f"activation={config['activation']['name']},architecture.hidden={hidden}"
        text += f",optimizer.nesterov={nesterov},batch_size={batch}"
        assert named(f"{mixed.folder}@{text}", ROOT).number == number


def test_commands_take_it_and_say_the_nearest_once(grid: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"{grid.folder}@lr=3.2,seed=1,W1[0,1]=5"
    line = f"xortrain: {name}: the nearest run is #23, with lr=4, seed=1, W1[0, 1]=6\n"
    for words in (
        ["show", name],
        ["show", name, "--json"],
        ["explain", name],
        ["export", name],
        ["predict", name, "1,0"],
        ["render", name, "--still", "--output", "still.png"],
        ["rerun", name, "--check"],
        ["compare", name, f"{grid.folder}#0"],
        ["tag", name, "found"],
    ):
        assert main(words) == 0
        assert capsys.readouterr().err == line
    assert main(["continue", name, "epochs=+2", "film=none", "advice=none"]) == 0
    assert capsys.readouterr().err == line
    assert main(["ls", "--where", "tags = 'found'", "--columns", "number"]) == 0
    assert capsys.readouterr().out.split()[-1] == "23"


BAD = {
    "lr=2": r"6 runs, #12, #13, #14, #15, #16, … 1 more; add W1\[0, 1\], as in .*@lr=2,W1\[0, 1\]=-6",
    "lr=2,W1[0,1]=0": r"2 runs, #14, #15; add seed, as in .*,seed=0",
    "lrr=2": "lrr does not vary in this sweep. Did you mean 'lr'",
    "epochs=2": r"epochs does not vary in this sweep. Known: lr, W1\[0, 1\], seed",
    "final_loss=2": "final_loss does not vary in this sweep",
    "W1[5,5]=2": r"W1\[5, 5\] does not vary in this sweep. Did you mean 'W1\[0, 1\]'",
    "lr=x": "lr=x must be a number",
    "lr=nan": "lr=nan must be a number",
    "lr": "'lr' must be a setting with its value",
    "lr=": "'lr=' must be a setting with its value",
    "": "must name settings",
}


@pytest.mark.parametrize("text", BAD)
def test_what_names_no_run_or_several_is_an_error_in_one_line(grid: Sweep, text: str) -> None:
    with pytest.raises(UserError, match=BAD[text]) as caught:
        named(f"{grid.folder}@{text}", ROOT)
    assert str(caught.value).isprintable()


def test_choices_must_be_among_those_of_the_sweep(mixed: Sweep) -> None:
    with pytest.raises(UserError, match=r"activation=tahn: no such value in this sweep. Did you mean 'tanh'"):
        named(f"{mixed.folder}@activation=tahn", ROOT)


def test_values_that_no_run_has_together_are_an_error(tmp_path: Path) -> None:
    sweep = xortrain.sweep(
        "experiment=notebook_000,notebook_001", "seed=0", "epochs=1", f"root={tmp_path}", "film=none"
    )
    first, second = (run.config for run in sweep)
    assert (first["lr"], first["loss"]["name"]) != (second["lr"], second["loss"]["name"])
    with pytest.raises(UserError, match=r"no run has lr=.*, loss=.* together"):
        named(f"{sweep.folder}@lr={first['lr']},loss={second['loss']['name']}", ROOT)


def test_only_a_sweep_has_runs_with_settings(grid: Sweep, tmp_path: Path) -> None:
    assert main(["epochs=1", "film=none", "advice=none", f"root={tmp_path}"]) == 0
    with pytest.raises(UserError, match="this is a single run; leave out @lr=1"):
        named("latest@lr=1", tmp_path)
    with pytest.raises(UserError, match="nothing: no such run"):
        named("nothing@lr=1", tmp_path)
    assert main(["resume", f"{grid.folder}@lr=8,seed=1,W1[0,1]=6"]) == 2
    assert main(["rm", "--yes", f"{grid.folder}@lr=8,seed=1,W1[0,1]=6"]) == 2
    assert grid.folder
    assert grid.folder.is_dir()


def test_a_folder_with_the_sign_in_its_path_is_still_a_path(grid: Sweep, tmp_path: Path) -> None:
    assert grid.folder
    folder = tmp_path / "me@home" / "lr=1"
    folder.mkdir(parents=True)
    (folder / "record").symlink_to(grid.folder.absolute())
    assert named(str(folder / "record"), ROOT).number is None
    assert named(f"{folder / 'record'}@lr=8,seed=1,W1[0,1]=6", ROOT).number == 29
