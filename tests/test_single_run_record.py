"""One run makes one record, complete or marked as not, that NumPy and the standard library can read."""

import json
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from some_runs import QUIET
from waiting import PATIENCE, cpu_seconds, wait_until

import xortrain
from xortrain.api import Run
from xortrain.cli import main
from xortrain.records.reader import RecordReader
from xortrain.records.writer import new_folder

MODULE = [sys.executable, "-m", "xortrain"]


def only_record(root: Path) -> Path:
    (found,) = root.glob("*/*/record.json")
    return found.parent


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of a run with a name, tags and notes."""
    root = tmp_path_factory.mktemp("work") / "my runs"
    words = ["data=moons", "data.test=0.25", "epochs=20", *QUIET, "seed=3", "name=1e3", "tags=[ü,2]", "notes=it's"]
    assert main([*words, f"root={root}"]) == 0
    return only_record(root)


def test_a_record_is_read_with_numpy_and_the_standard_library(record: Path) -> None:
    metadata = json.loads((record / "record.json").read_text(encoding="utf-8"))
    losses = np.load(record / "losses-000.npy", mmap_mode="r", allow_pickle=False)
    parameters = np.load(record / "parameters-000.npy", mmap_mode="r", allow_pickle=False)
    held_out = np.load(record / "test-losses-000.npy", allow_pickle=False)
    rows = np.load(record / "runs.npy", allow_pickle=False)
    data = dict(np.load(record / "data.npz", allow_pickle=False))
    run = xortrain.train("data=moons", "data.test=0.25", "epochs=20", "seed=3")
    np.testing.assert_array_equal(losses, run.losses[:, None])
    np.testing.assert_array_equal(held_out[:, 0], run.test_losses)
    np.testing.assert_array_equal(parameters, run.parameters[..., None])
    for name in ("loss-epochs.npy", "frame-epochs.npy"):
        np.testing.assert_array_equal(np.load(record / name, allow_pickle=False), np.arange(21))
    sizes = {name: np.prod(shape, dtype=int) for name, shape in metadata["parameters"].items()}
    assert sum(sizes.values()) == parameters.shape[1]
    w1 = parameters[20, : sizes["W1"], 0].reshape(metadata["parameters"]["W1"])
    np.testing.assert_array_equal(w1, run.at(20)["W1"])
    assert {name: values.shape for name, values in data.items()} == {
        "x": (150, 2),
        "t": (150, 1),
        "x_test": (50, 2),
        "t_test": (50, 1),
    }
    np.testing.assert_array_equal(data["x"], run.x)
    assert rows["final_loss"][0] == losses[-1, 0]
    assert metadata["outcomes"][rows["outcome"][0]] == run.outcome


def test_a_record_describes_the_process_and_its_environment(record: Path) -> None:
    metadata = json.loads((record / "record.json").read_text(encoding="utf-8"))
    assert metadata["status"] == "finished"
    assert metadata["format"] == 1
    assert (metadata["name"], metadata["tags"], metadata["notes"]) == ("1e3", ["ü", "2"], "it's")
    assert datetime.fromisoformat(metadata["started"]) <= datetime.fromisoformat(metadata["ended"])
    assert metadata["versions"].keys() >= {"python", "numpy", "xortrain"}
    assert metadata["versions"]["numpy"] == np.__version__
    assert set(metadata["cpu_features"]) >= set(np.show_config(mode="dicts")["SIMD Extensions"].get("found", []))
    for key in ("host", "pid", "command", "git"):
        assert metadata[key]


def test_the_config_of_a_record_trains_the_same_run_again(record: Path) -> None:
    config: dict[str, Any] = yaml.safe_load((record / "config.yaml").read_text(encoding="utf-8"))
    assert config["name"] == "1e3"
    from xortrain.config.check import check
    from xortrain.runner.train import train_run

    again, recorded = train_run(check(config)), xortrain.load(record)
    assert isinstance(recorded, Run)
    np.testing.assert_array_equal(again.parameters, recorded.parameters)


def test_a_record_is_under_its_root_by_date_and_time(record: Path) -> None:
    assert record.parents[1].name == "my runs"
    datetime.strptime(f"{record.parent.name} {record.name}", "%Y-%m-%d %H-%M-%S-%f")


def test_two_records_of_one_microsecond_get_two_folders(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 21, 19, 39, 21, 123456)
    one, two = new_folder(tmp_path, moment), new_folder(tmp_path, moment)
    assert one == tmp_path / "2026-11-21" / "19-39-21-123456"
    assert two != one
    assert two.is_dir()


def test_many_starts_at_once_get_as_many_folders(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: new_folder(tmp_path), range(200)))
    assert len(set(folders)) == 200


def test_the_same_command_twice_gives_two_records_with_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert main([*QUIET, "epochs=9"]) == 0
    one, two = (path.parent for path in sorted(tmp_path.rglob("record.json")))
    for name in ("losses-000.npy", "parameters-000.npy", "runs.npy"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_a_run_that_diverges_leaves_a_complete_record(tmp_path: Path) -> None:
    assert main([*QUIET, f"root={tmp_path}", "lr=1e5", "loss=mse", "output=identity", "epochs=50"]) == 0
    run = xortrain.load(only_record(tmp_path))
    assert isinstance(run, Run)
    assert run.outcome == "diverged"
    assert np.isnan(run.losses[run.row["diverged_at"] :]).all()
    assert np.isfinite(run.parameters).all()


def test_ctrl_c_ends_with_130_and_leaves_a_readable_interrupted_record(tmp_path: Path) -> None:
    words = ["epochs=100000000", "track.losses=200000", "track.spacing=log", "film=none"]
    process = subprocess.Popen([*MODULE, *words], cwd=tmp_path, stdout=-1, stderr=-1, text=True)
    try:
        losses = wait_until(lambda: next(tmp_path.rglob("losses-000.npy"), None), process)
        wait_until(lambda: np.isfinite(np.load(losses, mmap_mode="r")[100]).all(), process)
        enough = cpu_seconds(process.pid) + 0.6  # on a terminal a bar would show by then
        wait_until(lambda: cpu_seconds(process.pid) > enough)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 130
    folder = losses.parent.relative_to(tmp_path)
    assert (out, err) == ("", f"xortrain: interrupted; to continue: xortrain resume {folder}\n")
    folder = only_record(tmp_path / "outputs")
    assert json.loads((folder / "record.json").read_text())["status"] == "interrupted"
    run = xortrain.load(folder)
    assert isinstance(run, Run)
    assert run.outcome == "pending"
    assert run.losses[0] == pytest.approx(2.9991464995409807, rel=1e-12)
    assert run.at(0).keys() == {"W1", "b1", "W2", "b2"}
    assert "Not finished" in run.summary()


def test_a_run_that_cannot_be_recorded_ends_with_1_and_one_line(tmp_path: Path) -> None:
    """Files are limited to 40,000 bytes; the snapshots need more."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    words = [*MODULE, "film=none", "architecture.hidden=[30]", "epochs=100"]
    done = subprocess.run(words, cwd=tmp_path, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("xortrain: error: ")
    assert done.stderr.count("\n") == 1
    assert "File too large" in done.stderr
    folder = only_record(tmp_path / "outputs")
    record = RecordReader.open(folder)
    assert record.metadata["status"] == "failed"
    assert "File too large" in (folder / "events.jsonl").read_text()


def test_nothing_of_a_record_is_a_pickle_or_a_link(record: Path) -> None:
    for path in record.rglob("*"):
        assert not path.is_symlink()
        assert path.suffix in (".json", ".jsonl", ".yaml", ".npy", ".npz") or path.name == "heartbeat"
