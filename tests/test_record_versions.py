"""Records of older and newer versions are read: missing results are unknown, and unknown columns are skipped."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.lib.recfunctions import repack_fields
from PIL import Image

import xortrain
from xortrain.api import Run, Sweep
from xortrain.cli import main
from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.columns import COMPUTED
from xortrain.records.index import open_entry
from xortrain.records.reader import RecordReader
from xortrain.training.outcome import OUTCOMES

STORED = Path(__file__).parent / "records"  # a run and a sweep of four, written by an older version
RUN, SWEEP = "2026-11-28/14-49-29-679447", "2026-11-28/14-49-29-241340"
PANELS = {
    "name": "panels", "fps": 10.0, "frames": 60, "size": None, "levels": 24, "spacing": "progress", "at": "last",
    "colours": "default", "dark": False, "hold": 1.5, "loop": True, "format": "gif", "each": False,
}  # fmt: skip
"""The film of a record from before there was a story."""
OPTIONAL = [name for name in layout.ROW if name not in layout.REQUIRED]
EPOCHS = ("epochs_done", "solved_at", "diverged_at", "diverged_in", "exploded_at", "best_at")
NEWER = {
    "exploded_at",
    "best_at",
    "constant_loss",
    "constant_accuracy",
    "allowed_accuracy",
}  # columns that the stored records lack
RunCommand = Callable[..., str]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the stored records to outputs/ of the working directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(STORED, "outputs")
    return tmp_path / "outputs"


@pytest.fixture
def run_command(capsys: pytest.CaptureFixture[str]) -> RunCommand:
    """Return a function that runs a command and returns its output."""

    def printed(*words: str) -> str:
        capsys.readouterr()
        assert main(list(words)) == 0, capsys.readouterr().err
        return capsys.readouterr().out.rstrip("\n")

    return printed


def folders(root: Path) -> list[Path]:
    return [path.parent for path in root.rglob(layout.RUNS)]


def remove_columns(root: Path, *names: str) -> None:
    """Rewrite all rows without these columns, as an older version would."""
    for folder in folders(root):
        rows = np.load(folder / layout.RUNS)
        left = [name for name in rows.dtype.names if name not in names]
        np.save(folder / layout.RUNS, repack_fields(rows[left]))


def add_columns(root: Path, *, is_first: bool) -> None:
    """Rewrite all rows with unknown columns and keys, as a newer version would."""
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


def command_outputs(run_command: RunCommand) -> dict[str, Any]:
    """Return the output of all reading commands for both records."""
    tables = {
        "ls": run_command("ls", "--runs", "--json"),
        "show a run": run_command("show", RUN, "--json"),
        "show of a sweep": run_command("show", f"{SWEEP}#3", "--json"),
        "group": run_command("group", SWEEP, "--json"),
        "sql": run_command("sql", "select * from runs order by id", "--json"),
        "export": run_command("export", "--json"),
    }
    texts = {
        "page": run_command("show", RUN),
        "page of a sweep": run_command("show", SWEEP),
        "where": run_command("ls", "--where", "lr = 1 and outcome != 'solved'", "--columns", "seed,final_loss"),
        "losses": run_command("export", SWEEP, "--what", "losses"),
        "parameters": run_command("export", RUN, "--what", "parameters"),
        "compare": run_command("compare", RUN, f"{SWEEP}#0"),
    }
    return {name: json.loads(text) for name, text in tables.items()} | texts


def test_older_records_are_listed_grouped_queried_and_exported(root: Path, run_command: RunCommand) -> None:
    found = command_outputs(run_command)
    assert [line["id"] for line in found["ls"]] == [RUN, *(f"{SWEEP}#{number}" for number in range(4))]
    assert {(line["status"], line["epochs_done"], line["solved_at"]) for line in found["ls"]} == {("finished", 5, None)}
    assert [(line["lr"], line["seed"]) for line in found["ls"]] == [(1, 0), (0.5, 0), (0.5, 1), (1, 0), (1, 1)]
    assert found["show a run"][0]["tags"] == "old"
    assert found["show a run"][0]["final_loss"] == pytest.approx(3.28025, rel=1e-5)
    assert [(group["lr"], group["runs"], group["solved"]) for group in found["group"]] == [(0.5, 2, 0), (1, 2, 0)]
    assert len(list(csv.reader(io.StringIO(found["losses"])))) == 1 + 4 * 6
    assert found["parameters"].startswith('id,epoch,"W1[0, 0]","W1[0, 1]"')
    assert run_command("export", SWEEP, "--to", "all.npz") == "written all.npz"
    with np.load("all.npz") as arrays:
        assert arrays["runs/lr"].tolist() == [0.5, 0.5, 1, 1]
        assert arrays["losses"].shape == (6, 4)


def test_an_older_record_is_loaded_retrained_resumed_and_drawn(root: Path, run_command: RunCommand) -> None:
    run, sweep = xortrain.load(RUN), xortrain.load(SWEEP)
    assert isinstance(run, Run)
    assert isinstance(sweep, Sweep)
    assert (run.row["epochs_done"], run.losses.shape, sweep.losses.shape) == (5, (6,), (6, 4))
    assert sweep.column("lr").tolist() == [0.5, 0.5, 1, 1]
    for name in (RUN, SWEEP):
        assert run_command("rerun", name, "--check").startswith("The same to ")
    assert run_command("render", RUN, "--still") == f"outputs/{RUN}/poster.png"
    assert run_command("render", SWEEP, "film.frames=2", "--output", "sweep.gif").startswith("sweep.gif")
    before = sweep.losses.copy()
    interrupt(root / "sweeps" / SWEEP, [1, 3])
    assert run_command("resume", SWEEP).startswith("4 runs trained")
    np.testing.assert_allclose(xortrain.load(SWEEP).losses, before, rtol=1e-9)


def interrupt(folder: Path, runs: list[int]) -> None:
    """Remove the outcomes of these runs, as if training had been interrupted."""
    rows = np.load(folder / layout.RUNS, mmap_mode="r+")
    rows["outcome"][runs] = 0
    rows.flush()
    metadata = json.loads((folder / layout.RECORD).read_text())
    (folder / layout.RECORD).write_text(json.dumps(metadata | {"status": "interrupted"}))


@pytest.mark.parametrize("is_first", [False, True], ids=["at the end", "at the start"])
def test_unknown_columns_and_keys_change_no_result(root: Path, run_command: RunCommand, is_first: bool) -> None:
    expected, rows = command_outputs(run_command), RecordReader.open(root / RUN).rows
    add_columns(root, is_first=is_first)
    assert command_outputs(run_command) == expected
    newer = RecordReader.open(root / RUN).rows
    assert newer.dtype.names == rows.dtype.names
    assert str(newer.tolist()) == str(rows.tolist())
    assert run_command("rerun", SWEEP, "--check").startswith("The same to ")
    run, sweep = xortrain.load(RUN), xortrain.load(SWEEP)
    assert isinstance(run, Run)
    assert isinstance(sweep, Sweep)
    assert "sharpness" not in run.row
    assert [row["final_loss"] for row in sweep.table()] == [line["final_loss"] for line in expected["ls"][1:]]


@pytest.mark.parametrize("is_first", [False, True], ids=["at the end", "at the start"])
def test_resuming_a_record_preserves_unknown_columns(root: Path, run_command: RunCommand, is_first: bool) -> None:
    folder = root / "sweeps" / SWEEP
    before = np.load(folder / layout.RUNS)
    add_columns(root, is_first=is_first)
    interrupt(folder, [0, 2])
    assert run_command("resume", SWEEP).startswith("4 runs trained")
    after = np.load(folder / layout.RUNS)
    assert after["sharpness"].tolist() == [1] * 4
    assert not NEWER & {*(before.dtype.names or ())}
    for name in {*(before.dtype.names or ())} - {"outcome", "reasons"}:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-9, err_msg=name)


def test_a_resumed_record_has_the_outcomes_of_this_version(root: Path, run_command: RunCommand) -> None:
    """Its list of words is extended; the summary of an exploded run whose row lacks the epoch leaves it out."""
    folder = root / RUN
    config = yaml.safe_load((folder / layout.CONFIG).read_text())
    config["lr"] = 1e9
    for name in (layout.CONFIG, layout.RECORD):
        text = (
            json.loads((folder / layout.RECORD).read_text()) | {"config": config} if name == layout.RECORD else config
        )
        (folder / name).write_text(json.dumps(text))
    interrupt(folder, [0])
    assert run_command("resume", RUN).startswith("1 run trained")
    words = json.loads((folder / layout.RECORD).read_text())["outcomes"]
    assert words == list(OUTCOMES)
    (line,) = json.loads(run_command("show", RUN, "--json"))
    run = xortrain.load(RUN)
    assert isinstance(run, Run)
    assert line["outcome"] == run.outcome == "exploded"
    assert line["exploded_at"] is None
    assert run.summary().startswith("Exploded. Loss ")


@pytest.mark.parametrize("names", [*([name] for name in OPTIONAL), OPTIONAL], ids="-".join)
def test_a_missing_result_is_unknown_and_the_others_are_unchanged(
    root: Path, run_command: RunCommand, names: list[str]
) -> None:
    expected, rows = command_outputs(run_command), RecordReader.open(root / "sweeps" / SWEEP).rows
    remove_columns(root, *names)
    found = command_outputs(run_command)
    unknown = {*names, *(["diverged_in"] if "diverged_at" in names else [])}
    for command in ("ls", "show a run", "show of a sweep", "sql", "export"):
        for line, before in zip(found[command], expected[command], strict=True):
            assert line == {name: None if name in unknown else value for name, value in before.items()}, command
    assert [group["runs"] for group in found["group"]] == [2, 2]
    for name in unknown & COMPUTED.keys():
        assert {group[name] for group in json.loads(run_command("group", "--by", name, "--json"))} == {None}
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
def test_a_record_without_some_results_is_loaded_retrained_and_drawn(
    root: Path, run_command: RunCommand, names: list[str]
) -> None:
    losses = {name: xortrain.load(name).losses.copy() for name in (RUN, SWEEP)}
    remove_columns(root, *names)
    for name, before in losses.items():
        found = xortrain.load(name)
        np.testing.assert_array_equal(found.losses, before)
        assert found.summary() if isinstance(found, Run) else found.group()
        if isinstance(found, Sweep):
            assert {row[name] for row in found.table() for name in names if name in row} <= {None}
        assert run_command("rerun", name, "--check").startswith("The same to ")
    assert run_command("render", RUN, "--still") == f"outputs/{RUN}/poster.png"
    interrupt(root / RUN, [0])
    assert run_command("resume", RUN).startswith("1 run trained")
    assert set(np.load(root / RUN / layout.RUNS).dtype.names) == layout.ROW.keys() - NEWER - set(names)


def test_the_last_loss_of_an_unfinished_run_does_not_need_its_column(root: Path, run_command: RunCommand) -> None:
    remove_columns(root, "final_loss", "test_loss")
    interrupt(root / RUN, [0])
    (line,) = json.loads(run_command("show", RUN, "--json"))
    assert (line["outcome"], line["epochs_done"], line["final_loss"]) == ("pending", 5, None)


@pytest.mark.parametrize("name", [*layout.REQUIRED, "lr"])
def test_a_missing_number_seed_outcome_or_setting_is_a_one_line_error(
    root: Path, name: str, run_command: RunCommand
) -> None:
    remove_columns(root, name)
    folder = root / "sweeps" / SWEEP
    with pytest.raises(UserError, match=rf"runs\.npy: has no column {name}$"):
        open_entry(folder, "a")
    with pytest.raises(UserError, match=rf"runs\.npy: has no column {name}$"):
        xortrain.load(SWEEP)
    lines = run_command("ls").split("\n")
    assert f"{SWEEP}: unreadable: outputs/sweeps/{SWEEP}/runs.npy: has no column {name}" in lines


@pytest.mark.parametrize("name", layout.ROW)
def test_a_column_of_another_type_is_a_one_line_error(root: Path, name: str) -> None:
    rows = np.load(root / RUN / layout.RUNS)
    kinds = [*((column, rows.dtype[column]) for column in rows.dtype.names if column != name), (name, "<i2")]
    with np.errstate(invalid="ignore"):
        np.save(root / RUN / layout.RUNS, np.zeros(1, kinds))
    with pytest.raises(UserError, match=f"column {name} has type <i2, must have {layout.ROW[name]}"):
        open_entry(root / RUN, "a")


@pytest.mark.parametrize("frames", [60, 7])
def test_a_record_with_the_film_panels_has_a_story_with_the_settings_that_were_given(
    frames: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["lr=1", "film=none"]) == 0
    (path,) = Path("outputs").glob("*/*/record.json")
    metadata = json.loads(path.read_text())
    path.write_text(json.dumps(metadata | {"config": metadata["config"] | {"film": PANELS | {"frames": frames}}}))
    assert main(["render", "latest", "--output", "old.gif"]) == 0
    with Image.open("old.gif") as film:
        assert film.size == (960, 540)
        count = getattr(film, "n_frames", 1)
        assert count == 7 if frames == 7 else count > 20
