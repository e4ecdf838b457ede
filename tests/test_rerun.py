"""`rerun` trains a run again from its record; `--check` finds the first number that is not the same."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import xortrain
from xortrain.api import Run, Sweep
from xortrain.cli import main
from xortrain.records.index import listing

MODULE = [sys.executable, "-m", "xortrain"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with two populations of three runs, to be copied."""
    root = tmp_path_factory.mktemp("trained")
    xortrain.sweep("activation=tanh,relu", "seed=range(0,3)", "epochs=20", "film=none", f"root={root}")
    return root


@pytest.fixture
def sweep(trained: Path, tmp_path: Path) -> Sweep:
    """Two populations of three runs."""
    (entry,) = listing(shutil.copytree(trained, tmp_path, dirs_exist_ok=True)).entries
    return Sweep.of(entry)


def rerun(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert main(["rerun", *words]) == code
    shown = capsys.readouterr()
    return shown.out, shown.err


def spoil(folder: Path, name: str, place: tuple[int, ...]) -> float:
    """Change the last bit of one number in an array of a record."""
    array = np.load(folder / name, mmap_mode="r+")
    array[place] = np.nextafter(array[place], np.inf)
    array.flush()
    return float(array[place])


def test_an_unchanged_sweep_is_the_same_to_the_bit(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    shown, _ = rerun(capsys, str(sweep.folder), "--check")
    assert shown == "The same to the bit: every recorded loss and parameter of 6 runs\n"
    for name in (f"{sweep.folder}#4", f"{sweep.parts[1].folder}#5"):
        shown, _ = rerun(capsys, name, "--check")
        assert shown == "The same to the bit: every recorded loss and parameter of 1 run\n"


def test_one_changed_bit_is_found_and_its_epoch_and_parameter_are_named(
    sweep: Sweep, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = sweep.parts[1].folder
    value = spoil(folder, "parameters-000.npy", (7, 3, 2))  # W1 is 2 x 2, so place 3 is W1[1, 1]
    spoil(folder, "parameters-000.npy", (9, 0, 1))
    spoil(folder, "losses-000.npy", (8, 0))
    shown, line = rerun(capsys, str(folder), "--check", code=1)
    assert line.startswith(f"xortrain: failed: not the same: job 5: W1[1, 1] after epoch 7: recorded {value!r}, now ")
    assert shown == "versions and CPU features are those of the record\n"
    _, line = rerun(capsys, f"{sweep.folder}#3", "--check", code=1)
    assert line.startswith("xortrain: failed: not the same: loss after epoch 8: recorded ")
    rerun(capsys, f"{sweep.folder}#0", "--check")


def test_versions_that_differ_are_printed(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sweep.parts[0].folder
    spoil(folder, "losses-000.npy", (0, 0))
    path = folder / "record.json"
    metadata = json.loads(path.read_text(encoding="utf-8"))
    metadata["versions"]["numpy"] = "1.0"
    path.write_text(json.dumps(metadata), encoding="utf-8")
    shown, _ = rerun(capsys, f"{folder}#0", "--check", code=1)
    assert shown == f"numpy: 1.0 then, {np.__version__} now\n"


def test_another_cpu_is_reported_and_compared_to_nine_digits(tmp_path: Path) -> None:
    """NumPy without its newer loops stands for another processor."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    if not found:
        pytest.skip("this processor has no features that NumPy could do without")
    words = ["-m", "seed=range(0,8)", "activation=tanh", "epochs=60", "engine=numpy", "film=none", f"root={tmp_path}"]
    subprocess.run([*MODULE, *words], check=True, capture_output=True)
    plain = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(found)}
    folder = listing(tmp_path).entries[0].folder
    done = subprocess.run([*MODULE, "rerun", str(folder), "--check"], capture_output=True, text=True, env=plain)
    assert (done.returncode, done.stderr) == (0, "")
    if "to the bit" not in done.stdout:  # some processors round alike
        assert done.stdout.startswith("The same to 1e-9: every recorded loss and parameter of 8 runs\n")
        assert "Another CPU rounds differently from epoch " in done.stdout
        assert f"CPU features that are missing here: {' '.join(sorted(found))}" in done.stdout


def test_trainings_that_another_cpu_has_changed_are_not_called_the_same(
    sweep: Sweep, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = sweep.parts[0].folder
    metadata = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    (folder / "record.json").write_text(json.dumps(metadata | {"cpu_features": ["OTHER"]}), encoding="utf-8")
    losses = np.load(folder / "losses-000.npy")
    losses[5:] *= 1 + 1e-13
    losses[8:] *= 3
    np.save(folder / "losses-000.npy", losses)
    shown, _ = rerun(capsys, str(folder), "--check")
    effect = "where rounding on another CPU has changed the training: losses and parameters of "
    assert shown.startswith(f"The same to 1e-9 until epoch 8, {effect}")
    assert "every recorded loss" not in shown


def test_rerun_trains_one_run_into_a_record_of_its_own(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, _ = rerun(capsys, f"{sweep.folder}#4", "--root", str(tmp_path))
    entry = listing(tmp_path).entries[0]
    assert (entry.runs, entry.is_sweep, entry.status) == (1, False, "finished")
    again = xortrain.load(entry.folder)
    np.testing.assert_array_equal(again.losses, sweep[4].losses)
    np.testing.assert_array_equal(again.parameters, sweep[4].parameters)
    assert f"\n\nrecord  {entry.folder}\n" in shown
    _, line = rerun(capsys, str(sweep.folder), code=2)
    assert line == f"xortrain: error: {sweep.folder}: a sweep of 6 runs; name one of them, as in {sweep.folder}#0\n"


def test_rerun_needs_no_file_but_the_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n", encoding="utf-8")
    root = tmp_path / "root"
    assert main(["data=csv", f"data.path={table}", "epochs=9", "film=none", f"root={root}"]) == 0
    table.unlink()
    rerun(capsys, "latest", "--root", str(root), "--check")
    rerun(capsys, "latest", "--root", str(root))
    first, second = (xortrain.load(entry.folder) for entry in listing(root).entries)
    np.testing.assert_array_equal(first.parameters, second.parameters)


def test_json_has_the_report_or_the_new_run(sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"{sweep.folder}#4"
    (said,) = json.loads(rerun(capsys, name, "--check", "--json")[0])
    assert said == {"run": name, "said": "The same to the bit: every recorded loss and parameter of 1 run"}
    (row,) = json.loads(rerun(capsys, name, "--json", "--root", str(tmp_path))[0])
    again = xortrain.load(row["path"])
    assert isinstance(again, Run)
    assert row["id"] in {entry.id for entry in listing(tmp_path).entries}
    assert (row["seed"], row["final_loss"]) == (sweep[4].row["seed"], again.row["final_loss"])
    assert main(["resume", str(sweep.folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["trained"] == 0
