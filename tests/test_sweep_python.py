"""A sweep in Python: arrays, rows, groups, single runs, and a film."""

import copy
import json
import pickle
import re
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest

import xortrain
from xortrain.api import Run, Sweep
from xortrain.cli import main
from xortrain.commands.export import export
from xortrain.errors import UserError
from xortrain.records.tables import html_table

JOBS = ("lr=0.5,5", "seed=range(0,30)", "epochs=40", "film=none")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def sweep(root: Path) -> Sweep:
    return xortrain.sweep(*JOBS, f"root={root}")


@pytest.fixture(scope="module")
def mixed(root: Path) -> Sweep:
    """Two populations, one of them with another network."""
    return xortrain.sweep("architecture.hidden=[2],[3]", "seed=range(0,4)", "epochs=5", "film=none", f"root={root}")


def test_losses_and_parameters_are_arrays_with_a_column_for_each_job(sweep: Sweep) -> None:
    assert len(sweep) == 60
    assert sweep.losses.shape == (41, 60)
    assert sweep.parameters.shape == (41, 9, 60)
    assert isinstance(sweep.parameters.base, np.memmap)  # read when they are looked at; short arrays are not mapped
    alone = xortrain.train("lr=5", "seed=3", "epochs=40")
    np.testing.assert_array_equal(sweep.losses[:, 33], alone.losses)
    np.testing.assert_array_equal(sweep.parameters[..., 33], alone.parameters)
    assert (sweep.epochs.tolist(), sweep.loss_epochs.tolist()) == (list(range(41)), list(range(41)))


def test_an_index_gives_a_run_and_a_slice_or_mask_some_runs(sweep: Sweep) -> None:
    run = sweep[33]
    assert isinstance(run, Run)
    assert (run.config["lr"], run.config["seed"], run.row["number"]) == (5, 3, 33)
    assert sweep[-1].row["number"] == 59
    some = sweep[sweep.column("lr") == 5][::3]
    assert some.column("number").tolist() == list(range(30, 60, 3))
    np.testing.assert_array_equal(some.losses, sweep.losses[:, 30::3])
    assert [found.row["number"] for found in some] == list(range(30, 60, 3))


def test_the_table_has_a_row_with_the_name_of_each_run(sweep: Sweep) -> None:
    row = sweep.table()[33]
    assert list(row)[:4] == ["id", "run", "number", "lr"]
    found = xortrain.load(row["run"])
    assert isinstance(found, Run)
    assert {name: row[name] for name in ("final_loss", "outcome")} == {
        name: found.row[name] for name in ("final_loss", "outcome")
    }
    assert sweep.frame().groupby("lr")["seed"].count().to_dict() == {0.5: 30, 5.0: 30}
    assert {sweep.frame()[name].dtype.kind for name in ("solved_at", "diverged_at")} == {"f"}


def test_groups_count_what_the_rows_say(sweep: Sweep) -> None:
    for group in sweep.group():
        own = sweep[sweep.column("lr") == group["lr"]]
        assert group["runs"] == len(own) == 30
        assert group["solved"] == (own.column("outcome") == "solved").sum()
        assert group["low"] <= group["rate"] <= group["high"]
    assert [group["seed"] for group in sweep[:3].group(by="seed")] != []
    assert sweep.group(by="lr, seed") == sweep.group(by=["lr", "seed"])
    assert sweep.group(by="") == sweep.group(by=[])
    with pytest.raises(UserError, match="by=sed: no such setting"):
        sweep.group(by="sed")


def test_groups_are_a_table_in_a_notebook_with_the_cells_that_the_command_prints(
    sweep: Sweep, capsys: pytest.CaptureFixture[str]
) -> None:
    found = sweep.group()
    assert found == list(found)
    assert pickle.loads(pickle.dumps(found)) == copy.copy(found) == found
    assert main(["group", str(sweep.folder)]) == 0
    printed = [re.split("  +", line.strip()) for line in capsys.readouterr().out.splitlines()]
    shown = [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row) for row in str(found._repr_html_()).split("<tr>")[1:]]
    assert shown == printed
    assert html_table(["<b>"], [["<script>"]]).count("&lt;") == 2


def test_runs_of_both_precisions_keep_all_digits(tmp_path: Path) -> None:
    found = xortrain.sweep("dtype=float32,float64", "epochs=3", "film=none", f"root={tmp_path}")
    np.testing.assert_array_equal(found.losses[:, 1], xortrain.train("dtype=float64", "epochs=3").losses)


def test_runs_of_different_networks_share_an_array_of_losses_but_not_of_parameters(mixed: Sweep) -> None:
    assert mixed.losses.shape == (6, 8)
    assert [run.network.size for run in mixed] == [9] * 4 + [13] * 4
    with pytest.raises(UserError, match="different shapes"):
        mixed.parameters  # noqa: B018
    assert mixed[4:].parameters.shape == (6, 13, 4)
    assert mixed.table()[5]["architecture.hidden"] == "[3]"


def test_runs_are_found_by_a_condition(root: Path, sweep: Sweep, mixed: Sweep) -> None:
    found = xortrain.runs(root, where="lr = 5 and outcome = 'solved'")
    assert len(found) == ((sweep.column("lr") == 5) & (sweep.column("outcome") == "solved")).sum()
    assert len(xortrain.runs(root)) == 68
    assert len(xortrain.runs(root, where="lr > 100")) == 0
    assert xortrain.runs(root, where="lr > 100").table() == []
    with pytest.raises(UserError, match="where=lrr"):
        xortrain.runs(root, where="lrr > 1")


def test_a_sweep_is_loaded_by_its_path_and_by_latest(root: Path, mixed: Sweep) -> None:
    assert mixed.folder is not None
    for name in (str(mixed.folder), "latest"):
        found = xortrain.load(name, root)
        assert isinstance(found, Sweep)
        np.testing.assert_array_equal(found.losses, mixed.losses)
    one = xortrain.load("latest#5", root)
    assert isinstance(one, Run)
    assert (one.row["number"], one.config["seed"], one.network.size) == (5, 1, 13)


def test_a_sweep_has_a_film_and_one_of_each_run_if_asked(tmp_path: Path, sweep: Sweep) -> None:
    assert iio.improps(sweep[:6].film(tmp_path / "six.gif", frames=4)).n_images == 4
    root = tmp_path / "root"
    words = ["-m", "seed=1,2", "epochs=5", "film=field", "film.frames=3", "film.size=[240,180]", "film.each=true"]
    assert main([*words, f"root={root}"]) == 0
    (folder,) = root.glob("sweeps/*/*")
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.gif")) == [
        "film.gif",
        "films/000000.gif",
        "films/000001.gif",
    ]
    assert main(["-m", "activation=glob(*u)", "epochs=1", f"root={root}"]) == 0
    (folder,) = (path.parent for path in root.glob("sweeps/*/*/sweep.json"))
    assert len(list(folder.glob("population-*"))) > 4
    assert [path.relative_to(folder).name for path in folder.rglob("*.gif")] == ["film.gif"]


def test_a_missing_root_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        xortrain.runs(tmp_path / "nope")
    assert len(xortrain.runs(tmp_path)) == 0


def test_tables_have_none_where_exports_have_null(tmp_path: Path) -> None:
    words = ("lr=0.001,1000", "activation=relu", "output=identity", "loss=mse", "data.high=2", "film=none")
    sweep = xortrain.sweep(*words, f"root={tmp_path}")
    lines = json.loads(export([str(sweep.folder), "--json", "--root", str(tmp_path)]))
    for row, line in zip(sweep.table(), lines, strict=True):
        assert {name: line[name] for name in row if name != "run"} == {k: v for k, v in row.items() if k != "run"}
    assert [row["solved_at"] for row in sweep.table()] == [None, None]
    assert sweep.column("solved_at").tolist() == [-1, -1]
    assert all(value == value for found in sweep.group() for value in found.values())


def test_a_sweep_equals_itself_alone_and_can_be_a_key(tmp_path: Path) -> None:
    sweep = xortrain.sweep("seed=0,1", "epochs=2", "film=none", f"root={tmp_path}")
    again = xortrain.load("latest", root=tmp_path)
    assert [sweep == sweep, sweep == again, sweep[:] == sweep] == [True, False, False]
    assert {sweep: "first", again: "second"}[sweep] == "first"


@pytest.mark.parametrize("name", ["sweep", "mixed"])
def test_only_an_index_a_slice_indices_and_a_mask_select_runs(name: str, request: pytest.FixtureRequest) -> None:
    """Selections are NumPy's of the runs as one axis; anything that gives another axis, or nothing, is one line."""
    runs = request.getfixturevalue(name)
    numbers = runs.column("number")
    for key in (slice(None, None, -1), [0, -1], [], np.array([2, 2]), numbers > 3, (numbers > 3).tolist(), ...):
        assert runs[key].column("number").tolist() == numbers[key].tolist()
    for key in (3, np.int64(-2), np.array(1)):
        assert runs[key].row["number"] == numbers[key]
    many = len(runs)
    for key in (many, -many - 1, "lr", 1.0, None, True, (0, 1), [[0, 1]], numbers[:2] > 3, [many], {0}, slice("a")):
        with pytest.raises(UserError, match=rf"^sweep\[.*\]: must be .* of its {many} runs$"):
            runs[key]


def test_what_was_opened_is_read_from_any_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XORTRAIN_ROOT", raising=False)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    trained = xortrain.sweep("architecture.hidden=[2],[3]", "seed=0,1", "epochs=5", "film=none")
    opened: list[Any] = [trained, xortrain.load("latest"), xortrain.runs()]
    run: Any = xortrain.load("latest#1")
    assert not main(["lr=30", "epochs=9", "film=none"])
    single: Any = xortrain.load("latest")
    monkeypatch.chdir("elsewhere")
    for sweep in opened:
        for place, number in enumerate(sweep.column("number").tolist()):
            alone = xortrain.train(f"architecture.hidden=[{number // 2 + 2}]", f"seed={number % 2}", "epochs=5")
            np.testing.assert_array_equal(sweep.losses[:, place], alone.losses)
            np.testing.assert_array_equal(sweep[place].parameters, alone.parameters)
    assert run.losses.tobytes() == xortrain.train("seed=1", "epochs=5").losses.tobytes()
    for one in (run, single, trained[3]):
        assert one.page(tmp_path / "one.html").is_file()
    assert "\n\nTried:" in single.summary()  # read from its record
    assert not any(Path().iterdir())
