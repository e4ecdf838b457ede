"""Single initial values beside any init: the same bits alone and in a population, and one name for all readers."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xortrain
from xortrain.api import Sweep
from xortrain.cli import main
from xortrain.errors import UserError
from xortrain.nets.initializers import INITIALIZERS
from xortrain.records.layout import column_of, setting_of
from xortrain.runner.verify import verify

pytestmark = pytest.mark.usefixtures("in_own_folder", "quick_composition")
PLACES = ["W1.0.0", "W1.0.1", "W1.1.0", "W1.1.1", "b1.0", "b1.1", "W2.0.0", "W2.0.1", "b2.0"]  # in the order of θ
GIVEN = ["init=explicit", "init.weights={W1:[[1,2],[3,4]],b1:[5,6],W2:[[7,8]],b2:[9]}"]
FEW = ["epochs=3", "film=none"]


@pytest.fixture(scope="module")
def swept() -> Sweep:
    return xortrain.sweep("init.set.W1.0.1=linspace(-6,6,3)", "init.set.b2.0=0,1", "seed=1", *FEW)


def start(*overrides: str) -> np.ndarray:
    return np.array(xortrain.train(*overrides, "epochs=0").parameters[0])


@pytest.mark.parametrize("init", INITIALIZERS)
def test_a_value_is_set_after_init_and_its_scale_and_no_other_changes(init: str) -> None:
    options = [*(GIVEN if init == "explicit" else [f"init={init}"]), "init.scale=3", "seed=5"]
    expected = start(*options)
    for place, key in enumerate(PLACES):
        expected[place] = place - 0.5
        options.append(f"init.set.{key}={place - 0.5}")
        if place % 4 == 0:
            np.testing.assert_array_equal(start(*options), expected)


@settings(max_examples=4)
@given(
    st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True),
    st.lists(st.floats(-9, 9), min_size=2, max_size=3, unique=True),
    st.sampled_from(["float64", "float32"]),
)
def test_runs_of_a_sweep_are_one_population_with_the_bits_of_each_run_alone(
    places: list[str], values: list[float], dtype: str
) -> None:
    axes = [f"init.set.{place}={','.join(map(str, values))}" for place in places]
    sweep = xortrain.sweep(*axes, "lr=0.5,2", f"dtype={dtype}", "seed=3", *FEW)
    assert len(sweep.parts) == 1
    for number in {0, len(sweep) // 2, len(sweep) - 1}:
        run = sweep[number]
        own = [f"init.set.{place}={sweep.column(f'init.set.{place}')[number]}" for place in places]
        alone = xortrain.train(*own, f"lr={run.config['lr']}", f"dtype={dtype}", "seed=3", *FEW)
        np.testing.assert_array_equal(run.parameters, alone.parameters)
        assert run.config["init"] == alone.config["init"]


def test_what_trains_the_record_again_sees_the_same_numbers(swept: Sweep) -> None:
    assert verify(swept.populations()).startswith("The same to the bit")
    more = swept[3].more(2)
    alone = xortrain.train("init.set.W1.0.1=0", "init.set.b2.0=1", "seed=1", "epochs=5")
    np.testing.assert_array_equal(more.parameters[-1], alone.parameters[-1])


WAYS = {
    "by its dotted name": ["init.set.W1.0.1=2"],
    "as it is written elsewhere": ["W1[0,1]=2"],
    "with a blank": ["W1[0, 1]=2"],
    "with its group": ["init.set.W1[0,1]=2"],
    "as a mapping": ["init.set={W1:{0:{1:2}}}"],
    "the last one counts": ["W1[0,1]=5", "init.set.W1.0.1=2"],
    "over a mapping": ["init.set={W1:{0:{1:5}}}", "init.set.W1.0.1=2"],
    "added": ["+init.set.W1.0.1=2"],
}


@pytest.mark.parametrize("way", WAYS)
def test_it_can_be_written_in_several_ways(way: str) -> None:
    run = xortrain.train(*WAYS[way], "epochs=0")
    assert run.config["init"]["set"] == {"W1": {"0": {"1": 2.0}}}
    assert run.parameters[0][1] == 2


def test_an_experiment_sets_and_sweeps_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(
        "# @package _global_\ninit:\n  set:\n    W1: {0: {1: 2}}\n"
        "hydra:\n  sweeper:\n    params:\n      init.set.W2.0.0: linspace(-1,1,3)\n"
    )
    assert main(["-m", "--config-dir", str(tmp_path), "experiment=mine", f"root={tmp_path / 'out'}", *FEW]) == 0
    assert capsys.readouterr().out.startswith("W2[0, 0]  runs")
    sweep = xortrain.runs(tmp_path / "out")
    assert sweep.column("W2[0,0]").tolist() == [-1, 0, 1]
    assert sweep.column("W1[0,1]").tolist() == [2, 2, 2]


def test_it_has_one_name_in_tables_queries_and_python(swept: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    assert swept.axes == ["W1[0, 1]", "b2[0]"]
    assert swept.parts[0].metadata["varies"] == ["init.set.W1.0.1", "init.set.b2.0"]
    for name in ("W1[0, 1]", "W1[0,1]", "init.set.W1.0.1"):
        assert swept.column(name).tolist() == [-6, -6, 0, 0, 6, 6]
        assert [row["W1[0, 1]"] for row in swept.group(f"{name},lr")] == [row["W1[0, 1]"] for row in swept.group(name)]
    assert {key for row in swept.table() for key in row} >= {"W1[0, 1]", "b2[0]"}
    found = xortrain.runs(where="W1[0,1] > 0 and b2[0] = 1 and init = 'randn'")
    assert [run.row["number"] for run in found] == [5]
    record = str(swept.folder)
    for words in (
        ["group", record],
        ["group", record, "--by", "W1[0,1],b2[0]"],
        ["ls", "--where", "W1[0,1] > 0", "--columns", "W1[0,1],b2[0]"],
        ["ls", "--runs", "--sort", "W1[0,1]"],
        ["sql", "select W1[0,1], b2[0] from runs where W1[0, 1] is not null"],
        ["compare", f"{record}#0", f"{record}#5"],
        ["show", f"{record}#5"],
        ["export", record],
    ):
        assert main(words) == 0
        out = capsys.readouterr().out
        assert "W1[0, 1]" in out
        assert "init.set" not in out.replace("'init.set.W1.0.1=linspace", "")
    assert main(["show", record, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["W1[0, 1]"] == "varies"


@pytest.mark.parametrize("key", ["lr", "optimizer.momentum", "init.weights.W1.0.1"])
def test_only_start_values_have_another_name(key: str) -> None:
    assert column_of(key) == setting_of(key) == key


@given(st.from_regex(r"[A-Za-z][0-9]{0,2}", fullmatch=True), st.lists(st.integers(0, 9999), min_size=1, max_size=2))
def test_both_names_lead_to_each_other(name: str, place: list[int]) -> None:
    key = ".".join(["init.set", name, *map(str, place)])
    assert setting_of(column_of(key)) == key
    assert column_of(key) == f"{name}{place}"


def test_an_option_stays_a_column_where_one_of_its_settings_varies(capsys: pytest.CaptureFixture[str]) -> None:
    xortrain.sweep("optimizer.momentum=0,0.5", *FEW)
    assert main(["sql", "select distinct optimizer from runs where optimizer.momentum = 0.5"]) == 0
    assert capsys.readouterr().out.split() == ["optimizer", "sgd"]


def test_columns_that_do_not_exist_are_named_in_one_line(swept: Sweep) -> None:
    with pytest.raises(UserError, match=r"no such column: W1\[0, 5\]\. Did you mean 'W1\[0, 1\]'"):
        xortrain.runs(where="W1[0,5] > 0")
    with pytest.raises(UserError, match=r"W1\[0, 5\]: no such setting. Did you mean 'W1\[0, 1\]'"):
        swept.column("W1[0,5]")


@pytest.mark.parametrize("key", ["W1.2.0", "W9.0.0", "W1.0", "W1", "W1.0.0.0", "W1.00.1"])
def test_a_record_that_sets_what_its_network_does_not_have_is_refused(key: str, tmp_path: Path) -> None:
    sweep = xortrain.sweep("init.set.W1.0.1=1,2", f"root={tmp_path}", *FEW)
    assert sweep.folder
    path = sweep.folder / "record.json"
    content = json.loads(path.read_text())
    value: object = 1.0
    for name in reversed(key.split(".")):
        value = {name: value}
    content["config"]["init"]["set"] = value
    content["varies"] = [f"init.set.{key}"]
    path.write_text(json.dumps(content))
    rows = np.load(sweep.folder / "runs.npy")
    rows.dtype.names = [f"init.set.{key}" if name.startswith("init") else name for name in rows.dtype.names]
    np.save(sweep.folder / "runs.npy", rows)
    with pytest.raises(UserError, match=r"init\.set"):
        Sweep.open(sweep.folder)[0]
