"""Commands show the recorded part of an interrupted run, and `rerun --check` verifies it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from make_records import a_sweep, blank_rows, config, make_record

import xortrain
from xortrain.cli import main
from xortrain.commands.export import export
from xortrain.commands.group import group
from xortrain.commands.ls import ls
from xortrain.commands.show import show
from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.files import write_json
from xortrain.records.index import listing
from xortrain.runner.verify import verify
from xortrain.trained.run_data import RunData
from xortrain.trained.sweep_data import SweepData, open_record
from xortrain.views.summary import summary


def interrupt(folder: Path, runs: slice, at: int, frames: int | None = None) -> None:
    """Make runs of a record unfinished: they have no outcome, and their arrays only the first ``at`` rows."""
    rows = np.load(folder / layout.RUNS, mmap_mode="r+")
    for name, kind in list(layout.ROW.items())[2:]:
        rows[name][runs] = np.nan if kind == "<f8" else 0 if name in ("outcome", "reasons", "epochs_done") else -1
    rows.flush()
    for name, end in (("losses", at), ("parameters", at if frames is None else frames)):
        for path in folder.glob(f"{name}-*.npy"):
            np.load(path, mmap_mode="r+")[end:, ..., runs] = np.nan
    metadata = json.loads((folder / layout.RECORD).read_text())
    write_json(folder / layout.RECORD, metadata | {"status": "interrupted"})


@pytest.fixture(scope="module", params=["float64", "float32"])
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train two populations of four runs; return their root, to be copied."""
    x, folder = np.random.RandomState(0).uniform(-1, 1, (40, 2)), tmp_path_factory.mktemp("finished")
    table = folder / "table.csv"
    table.write_text("a,b,y\n" + "".join(f"{a},{b},{int(a * b < 0)}\n" for a, b in x), encoding="utf-8")
    words = ("activation=tanh,relu", "seed=range(0,4)", "epochs=60", "film=none", f"dtype={request.param}")
    xortrain.sweep(*words, "data=csv", f"data.path={table}", "data.test=0.25", f"root={folder / 'root'}")
    return folder / "root"


@pytest.fixture
def half_finished(finished: Path, tmp_path: Path) -> SweepData[RunData]:
    """Return two populations of four runs; two runs of the second were interrupted after epoch 20."""
    (entry,) = listing(shutil.copytree(finished, tmp_path / "root")).entries
    interrupt(entry.parts[1].folder, slice(2, 4), 21)
    found = open_record(str(entry.folder))
    assert isinstance(found, SweepData)
    return found


def test_unfinished_runs_have_their_last_recorded_losses(half_finished: SweepData[RunData]) -> None:
    part = half_finished.parts[1]
    losses, test = (np.load(part.folder / f"{name}-000.npy") for name in ("losses", "test-losses"))
    root = ["--root", str(part.folder.parents[3])]
    lines = json.loads(ls(["--where", "outcome = 'pending'", "--json", *root]))
    assert [line["epochs_done"] for line in lines] == [20, 20]
    for line, run in zip(lines, (2, 3), strict=True):
        assert (line["final_loss"], line["test_loss"]) == (losses[20, run], test[20, run])
        (page,) = json.loads(show([line["id"], "--json", *root]))
        assert (page["epochs_done"], page["final_loss"]) == (20, line["final_loss"])
    table = [row for row in half_finished.table() if row["outcome"] == "pending"]
    assert [(row["epochs_done"], row["final_loss"]) for row in table] == [(20, losses[20, run]) for run in (2, 3)]
    one = half_finished[int(np.flatnonzero(half_finished.column("number") == lines[0]["number"])[0])]
    assert one.row["final_loss"] == lines[0]["final_loss"]
    assert f"Not finished: loss {lines[0]['final_loss']:.6g} after 20 of 60 epochs." in summary(one)


def test_statistics_exclude_unfinished_runs(half_finished: SweepData[RunData]) -> None:
    text = group([str(half_finished.folder)])
    assert text.endswith("2 runs are not finished and not counted")
    assert [line["pending"] for line in json.loads(group([str(half_finished.folder), "--by", "dtype", "--json"]))] == [
        2
    ]


@pytest.mark.parametrize("recorded", range(6))
def test_the_number_of_recorded_rows_is_found(recorded: int, tmp_path: Path) -> None:
    make_record(tmp_path, blank_rows(5), config(), kind="sweep", status=None, block_size=2)
    interrupt(tmp_path, slice(0, 5), 5)
    for path in tmp_path.glob("losses-*.npy"):
        np.load(path, mmap_mode="r+")[recorded:] = np.nan
    rows = [json.loads(line) for line in export([str(tmp_path), "--format", "jsonl"]).split("\n")]
    assert [row["epochs_done"] for row in rows] == [max(0, recorded - 1)] * 5
    assert [row["final_loss"] for row in rows] == [recorded - 1 + run / 1000 if recorded else None for run in range(5)]


def test_an_export_has_only_recorded_epochs(half_finished: SweepData[RunData]) -> None:
    for number, last in ((0, 60), (int(np.flatnonzero(half_finished.column("outcome") == "pending")[0]), 20)):
        for what in ("losses", "parameters"):
            rows = export([f"{half_finished.folder}#{number}", "--what", what]).split("\n")[1:]
            assert [row.split(",")[1] for row in rows] == [str(epoch) for epoch in range(last + 1)]
            assert not any(row.endswith(",") for row in rows)


def test_check_verifies_the_recorded_part_of_an_interrupted_run(half_finished: SweepData[RunData]) -> None:
    assert (
        verify(half_finished.populations())
        == "The same to the bit: every recorded loss and parameter of 8 runs, 2 of them not finished"
    )
    pending = np.flatnonzero(half_finished.column("outcome") == "pending")
    assert (
        verify(half_finished[int(pending[0])].populations())
        == "The same to the bit: every recorded loss and parameter of 1 run that is not finished"
    )


def test_check_finds_a_changed_bit_in_an_interrupted_run(
    half_finished: SweepData[RunData], capsys: pytest.CaptureFixture[str]
) -> None:
    array = np.load(half_finished.parts[1].folder / "parameters-000.npy", mmap_mode="r+")
    array[20, 3, 2] = np.nextafter(array[20, 3, 2], array.dtype.type(np.inf))
    array.flush()
    assert main(["rerun", str(half_finished.folder), "--check"]) == 1
    assert "W1[1, 1] after epoch 20: recorded " in capsys.readouterr().err


def test_check_ignores_epochs_after_the_end_of_a_run(tmp_path: Path) -> None:
    """A block goes on until all its runs have stopped; numbers after the end of a run are not part of it."""
    words = ("seed=range(0,4)", "activation=tanh", "stop=solved", "epochs=400", "film=none", f"root={tmp_path}")
    sweep = xortrain.sweep(*words)
    folder = sweep.parts[0].folder
    ends = sweep.column("epochs_done")
    assert ends.min() < 200
    interrupt(folder, slice(0, 4), 201)
    for name in ("losses", "parameters"):
        array = np.load(folder / f"{name}-000.npy", mmap_mode="r+")
        epochs = np.load(folder / ("loss-epochs.npy" if name == "losses" else "frame-epochs.npy"))
        for run, end in enumerate(ends):
            array[(epochs > end) & (epochs <= 200), ..., run] = 7
    found = open_record(str(folder))
    assert isinstance(found, SweepData)
    assert verify(found.populations()).startswith(
        "The same to the bit: every recorded loss and parameter of 4 runs that are not finished"
    )


def test_a_run_without_recorded_epochs_cannot_be_checked(half_finished: SweepData[RunData]) -> None:
    interrupt(half_finished.parts[1].folder, slice(0, 4), 0)
    found = open_record(str(half_finished.folder))
    assert isinstance(found, SweepData)
    assert (
        verify(found.populations())
        == "The same to the bit: every recorded loss and parameter of 4 runs; 4 had not started"
    )
    with pytest.raises(UserError, match="nothing to compare: it stopped before anything was recorded"):
        verify(found[int(np.flatnonzero(found.column("outcome") == "pending")[0])].populations())


def test_unreadable_losses_do_not_hide_runs(tmp_path: Path) -> None:
    folder = a_sweep(tmp_path)
    interrupt(folder, slice(0, 12), 3)
    (folder / "losses-001.npy").write_bytes(b"nonsense")
    lines = json.loads(ls(["--runs", "--json", "--root", str(tmp_path)]))
    assert [line["epochs_done"] for line in lines] == [2] * 4 + [0] * 4 + [2] * 4


def test_a_resumed_run_prints_its_usual_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["lr=1", "film=none", f"root={tmp_path}"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    (entry,) = listing(tmp_path).entries
    assert main(["resume", str(entry.folder)]) == 0
    assert capsys.readouterr().out == f"Nothing is missing.\n\n{printed}"
    interrupt(entry.folder, slice(0, 1), 30)
    assert main(["resume", str(entry.folder)]) == 0
    assert capsys.readouterr().out == f"1 run trained\n\n{printed}"


@pytest.mark.parametrize("shapes", ["[2]", "[2],[3]"])
def test_resume_does_not_change_a_finished_sweep(tmp_path: Path, shapes: str) -> None:
    assert main(["-m", f"architecture.hidden={shapes}", "seed=1,2", "epochs=3", "film=none", f"root={tmp_path}"]) == 0
    (entry,) = listing(tmp_path).entries
    before = {path: path.read_bytes() for path in entry.folder.rglob("*") if path.is_file()}
    assert main(["resume", str(entry.folder)]) == 0
    assert before == {path: path.read_bytes() for path in entry.folder.rglob("*") if path.is_file()}


def test_a_closed_pipe_is_not_an_error(tmp_path: Path) -> None:
    """An example is xortrain export | head."""
    a_sweep(tmp_path)
    for words in (["ls"], ["export", "--what", "losses"], ["sql", "select * from runs"]):
        reading, writing = os.pipe()
        os.close(reading)
        command = [sys.executable, "-m", "xortrain", *words, "--root", str(tmp_path)]
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
        os.close(writing)
        assert (done.returncode, done.stderr) == (0, "")


def test_what_python_reads_of_an_unfinished_sweep_is_nan_or_one_line(half_finished: SweepData[RunData]) -> None:
    """Also of runs whose block has no files yet."""
    folder, whole = half_finished.parts[1].folder, np.array(half_finished.losses)
    interrupt(folder, slice(None), 21)
    for path in [*folder.glob("*losses-0*"), *folder.glob("parameters-0*")]:
        path.unlink()
    sweep: Any = xortrain.load(half_finished.folder or "")
    waiting = sweep.column("outcome") == "pending"
    np.testing.assert_array_equal(sweep.losses[:, ~waiting], whole[:, ~waiting])
    assert np.isnan(sweep.losses[:, waiting]).all()
    run = sweep[int(np.flatnonzero(waiting)[0])]
    assert run.summary() == "Not finished."
    calls: list[Callable[[], Any]] = [lambda: run.predict([[0, 1]]), lambda: run.at(0), lambda: run.gradients(0)]
    for call in calls:
        with pytest.raises(UserError, match=r"^epoch=\d+: is not trained yet; this run is not finished$"):
            call()


def test_a_film_of_an_unfinished_run_does_not_say_that_its_training_differs(tmp_path: Path) -> None:
    xortrain.sweep("seed=0,1", "epochs=60", "film=none", "track.frames=4", f"root={tmp_path}")
    (entry,) = listing(tmp_path).entries
    interrupt(entry.folder, slice(1, 2), 21, frames=2)
    run: Any = xortrain.load(f"{entry.folder}#1")
    with pytest.raises(UserError, match=r"and this run is not finished; xortrain resume trains what is missing$"):
        run.film(tmp_path / "film.gif")
