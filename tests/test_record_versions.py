"""Records of other versions: columns are found by name, missing results are unknown, unknown columns are skipped."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib.recfunctions import repack_fields

import xortrain
from xortrain.api import Run, Sweep
from xortrain.cli import main
from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.index import open_entry
from xortrain.records.reader import RecordReader

STORED = Path(__file__).parent / "records"  # written by the version before records could grow: a run, a sweep of four
RUN, SWEEP = "2026-11-28/14-49-29-679447", "2026-11-28/14-49-29-241340"
OPTIONAL = [name for name in layout.ROW if name not in layout.REQUIRED]
EPOCHS = ("epochs_done", "solved_at", "diverged_at", "diverged_in")
Say = Callable[..., str]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stored records, as outputs/ of the working directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(STORED, "outputs")
    return tmp_path / "outputs"


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """What a command prints."""

    def printed(*words: str) -> str:
        capsys.readouterr()
        assert main(list(words)) == 0, capsys.readouterr().err
        return capsys.readouterr().out.rstrip("\n")

    return printed


def folders(root: Path) -> list[Path]:
    return [path.parent for path in root.rglob(layout.RUNS)]


def without(root: Path, *names: str) -> None:
    """Rewrite all rows as a version would that does not know these columns."""
    for folder in folders(root):
        rows = np.load(folder / layout.RUNS)
        left = [name for name in rows.dtype.names if name not in names]
        np.save(folder / layout.RUNS, repack_fields(rows[left]))


def with_columns(root: Path, *, is_first: bool) -> None:
    """Rewrite all rows as a later version could: with columns and keys that are unknown today."""
    for folder in folders(root):
        rows = np.load(folder / layout.RUNS)
        known = [(name, rows.dtype[name]) for name in rows.dtype.names]
        new = [("sharpness", "<f4"), ("flags", "?"), ("new.count", "<u8")]
        longer = np.ones(len(rows), [*new, *known] if is_first else [*known, *new])
        for name in rows.dtype.names:
            longer[name] = rows[name]
        np.save(folder / layout.RUNS, longer)
        metadata = json.loads((folder / layout.RECORD).read_text())
        (folder / layout.RECORD).write_text(json.dumps({"new": {"key": 1}, **metadata}))


def answers(say: Say) -> dict[str, Any]:
    """What the commands that read say about both records."""
    tables = {
        "ls": say("ls", "--runs", "--json"),
        "show a run": say("show", RUN, "--json"),
        "show of a sweep": say("show", f"{SWEEP}#3", "--json"),
        "group": say("group", SWEEP, "--json"),
        "sql": say("sql", "select * from runs order by id", "--json"),
        "export": say("export", "--json"),
    }
    texts = {
        "page": say("show", RUN),
        "page of a sweep": say("show", SWEEP),
        "where": say("ls", "--where", "lr = 1 and outcome != 'solved'", "--columns", "seed,final_loss"),
        "losses": say("export", SWEEP, "--what", "losses"),
        "parameters": say("export", RUN, "--what", "parameters"),
        "compare": say("compare", RUN, f"{SWEEP}#0"),
    }
    return {name: json.loads(text) for name, text in tables.items()} | texts


def test_records_of_an_older_version_are_listed_grouped_queried_and_exported(root: Path, say: Say) -> None:
    found = answers(say)
    assert [line["id"] for line in found["ls"]] == [RUN, *(f"{SWEEP}#{number}" for number in range(4))]
    assert {(line["status"], line["epochs_done"], line["solved_at"]) for line in found["ls"]} == {("finished", 5, None)}
    assert [(line["lr"], line["seed"]) for line in found["ls"]] == [(1, 0), (0.5, 0), (0.5, 1), (1, 0), (1, 1)]
    assert found["show a run"][0]["tags"] == "old"
    assert found["show a run"][0]["final_loss"] == pytest.approx(3.28025, rel=1e-5)
    assert [(group["lr"], group["runs"], group["solved"]) for group in found["group"]] == [(0.5, 2, 0), (1, 2, 0)]
    assert len(list(csv.reader(io.StringIO(found["losses"])))) == 1 + 4 * 6
    assert found["parameters"].startswith('id,epoch,"W1[0, 0]","W1[0, 1]"')
    assert say("export", SWEEP, "--to", "all.npz") == "written all.npz"
    with np.load("all.npz") as arrays:
        assert arrays["runs/lr"].tolist() == [0.5, 0.5, 1, 1]
        assert arrays["losses"].shape == (6, 4)


def test_an_older_record_is_loaded_trained_again_resumed_and_drawn(root: Path, say: Say) -> None:
    run, sweep = xortrain.load(RUN), xortrain.load(SWEEP)
    assert isinstance(run, Run)
    assert isinstance(sweep, Sweep)
    assert (run.row["epochs_done"], run.losses.shape, sweep.losses.shape) == (5, (6,), (6, 4))
    assert sweep.column("lr").tolist() == [0.5, 0.5, 1, 1]
    for name in (RUN, SWEEP):
        assert say("rerun", name, "--check").startswith("The same to ")
    assert say("render", RUN, "--still") == f"outputs/{RUN}/poster.png"
    assert say("render", SWEEP, "film.frames=2", "--output", "sweep.gif").startswith("sweep.gif")
    before = sweep.losses.copy()
    stop(root / "sweeps" / SWEEP, [1, 3])
    assert say("resume", SWEEP).startswith("4 runs trained")
    np.testing.assert_allclose(xortrain.load(SWEEP).losses, before, rtol=1e-9)


def stop(folder: Path, runs: list[int]) -> None:
    """Leave a record as an interrupted training would, without the outcomes of these runs."""
    rows = np.load(folder / layout.RUNS, mmap_mode="r+")
    rows["outcome"][runs] = 0
    rows.flush()
    metadata = json.loads((folder / layout.RECORD).read_text())
    (folder / layout.RECORD).write_text(json.dumps(metadata | {"status": "interrupted"}))


@pytest.mark.parametrize("is_first", [False, True], ids=["at the end", "at the start"])
def test_unknown_columns_and_keys_change_no_answer(root: Path, say: Say, is_first: bool) -> None:
    expected, rows = answers(say), RecordReader.open(root / RUN).rows
    with_columns(root, is_first=is_first)
    assert answers(say) == expected
    newer = RecordReader.open(root / RUN).rows
    assert newer.dtype.names == rows.dtype.names
    assert str(newer.tolist()) == str(rows.tolist())
    assert say("rerun", SWEEP, "--check").startswith("The same to ")
    run, sweep = xortrain.load(RUN), xortrain.load(SWEEP)
    assert isinstance(run, Run)
    assert isinstance(sweep, Sweep)
    assert "sharpness" not in run.row
    assert [row["final_loss"] for row in sweep.table()] == [line["final_loss"] for line in expected["ls"][1:]]


@pytest.mark.parametrize("is_first", [False, True], ids=["at the end", "at the start"])
def test_a_record_with_unknown_columns_is_resumed_and_keeps_them(root: Path, say: Say, is_first: bool) -> None:
    folder = root / "sweeps" / SWEEP
    before = np.load(folder / layout.RUNS)
    with_columns(root, is_first=is_first)
    stop(folder, [0, 2])
    assert say("resume", SWEEP).startswith("4 runs trained")
    after = np.load(folder / layout.RUNS)
    assert after["sharpness"].tolist() == [1] * 4
    for name in before.dtype.names or ():
        np.testing.assert_allclose(after[name], before[name], rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("names", [*([name] for name in OPTIONAL), OPTIONAL], ids="-".join)
def test_a_missing_result_is_unknown_and_all_others_are_as_before(root: Path, say: Say, names: list[str]) -> None:
    expected, rows = answers(say), RecordReader.open(root / "sweeps" / SWEEP).rows
    without(root, *names)
    found = answers(say)
    unknown = {*names, *(["diverged_in"] if "diverged_at" in names else [])}
    for question in ("ls", "show a run", "show of a sweep", "sql", "export"):
        for line, before in zip(found[question], expected[question], strict=True):
            assert line == {name: None if name in unknown else value for name, value in before.items()}, question
    assert [group["runs"] for group in found["group"]] == [2, 2]
    older = RecordReader.open(root / "sweeps" / SWEEP).rows
    for name in layout.ROW:
        if name not in names:
            np.testing.assert_array_equal(older[name], rows[name])
        elif name in EPOCHS:
            assert set(older[name].tolist()) == {-1}
        else:
            assert (older[name] == 0).all() if name == "reasons" else np.isnan(older[name]).all()
    assert older["lr"].tolist() == rows["lr"].tolist()


@pytest.mark.parametrize("names", [["reasons"], ["best_loss", "test_loss", "test_accuracy"], OPTIONAL], ids="-".join)
def test_a_record_without_some_results_is_loaded_trained_again_and_drawn(
    root: Path, say: Say, names: list[str]
) -> None:
    losses = {name: xortrain.load(name).losses.copy() for name in (RUN, SWEEP)}
    without(root, *names)
    for name, before in losses.items():
        found = xortrain.load(name)
        np.testing.assert_array_equal(found.losses, before)
        assert found.summary() if isinstance(found, Run) else found.group()
        if isinstance(found, Sweep):
            assert {row[name] for row in found.table() for name in names if name in row} <= {None}
        assert say("rerun", name, "--check").startswith("The same to ")
    assert say("render", RUN, "--still") == f"outputs/{RUN}/poster.png"
    stop(root / RUN, [0])
    assert say("resume", RUN).startswith("1 run trained")
    assert set(np.load(root / RUN / layout.RUNS).dtype.names) == layout.ROW.keys() - set(names)


def test_the_last_recorded_loss_of_an_unfinished_run_needs_no_column_for_it(root: Path, say: Say) -> None:
    without(root, "final_loss", "test_loss")
    stop(root / RUN, [0])
    (line,) = json.loads(say("show", RUN, "--json"))
    assert (line["outcome"], line["epochs_done"], line["final_loss"]) == ("pending", 5, None)


@pytest.mark.parametrize("name", [*layout.REQUIRED, "lr"])
def test_a_missing_number_seed_outcome_or_setting_is_one_line(root: Path, name: str, say: Say) -> None:
    without(root, name)
    folder = root / "sweeps" / SWEEP
    with pytest.raises(UserError, match=rf"runs\.npy: has no column {name}$"):
        open_entry(folder, "a")
    with pytest.raises(UserError, match=rf"runs\.npy: has no column {name}$"):
        xortrain.load(SWEEP)
    assert f"{SWEEP}: unreadable: outputs/sweeps/{SWEEP}/runs.npy: has no column {name}" in say("ls").split("\n")


@pytest.mark.parametrize("name", layout.ROW)
def test_a_column_of_another_type_is_one_line(root: Path, name: str) -> None:
    rows = np.load(root / RUN / layout.RUNS)
    kinds = [(column, "<i2" if column == name else rows.dtype[column]) for column in rows.dtype.names]
    with np.errstate(invalid="ignore"):
        np.save(root / RUN / layout.RUNS, np.zeros(1, kinds))
    with pytest.raises(UserError, match=f"column {name} has type <i2, must have {layout.ROW[name]}"):
        open_entry(root / RUN, "a")
