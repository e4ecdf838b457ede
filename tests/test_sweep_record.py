"""The records of a sweep: one for each population, with numbered jobs, each run with the bits that it has alone."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import xortrain
from xortrain.api import Run, Sweep
from xortrain.cli import main
from xortrain.commands.group import group
from xortrain.commands.ls import ls
from xortrain.records.index import Entry, listing

QUICK = ["epochs=12", "film=none"]


def swept(root: Path, *words: str) -> Entry:
    """The entry of a sweep that was started from the command line."""
    assert main(["-m", *words, *QUICK, f"root={root}"]) == 0
    return listing(root).entries[0]


def assert_is(found: Run, alone: Run) -> None:
    """The same run to the bit."""
    for name in ("losses", "parameters", "x", "t"):
        np.testing.assert_array_equal(getattr(found, name), getattr(alone, name), err_msg=name)
    rows = dict(found.row) | {"number": 0}
    np.testing.assert_equal({name: rows[name] for name in alone.row}, dict(alone.row))


SWEEPS: list[tuple[list[str], list[int]]] = [
    (["lr=0.1,1,10", "seed=range(0,5)"], [7, 14]),
    (["optimizer=adam", "optimizer.beta1=0.5,0.9", "optimizer.weight_decay=0,0.1", "seed=4,2"], [0, 5]),
    (["activation=leaky_relu,tanh", "init.scale=range(0.5,2,0.5)", "lr=30,0.5"], [1, 8]),
    (["data=xor_cloud", "data.seed=${seed}", "seed=range(3,6)", "data.noise=0,0.2", "batch_size=32"], [3, 5]),
    (["data.low=-1,0", "loss=mse", "output=tanh", "schedule=step", "schedule.every=3,4"], [0, 3]),
    (["architecture.hidden=[2],[3,2],[]", "dtype=float32", "stop=solved", "lr=2,20"], [2, 4]),
]


@pytest.mark.usefixtures("quick_composition")
@pytest.mark.parametrize(("words", "jobs"), SWEEPS, ids=[" ".join(words) for words, _ in SWEEPS])
def test_each_run_of_a_sweep_is_that_run_alone_bit_for_bit(
    words: list[str], jobs: Sequence[int], tmp_path: Path
) -> None:
    from xortrain.hydra_sweeps.jobs import composing, read_grid

    sweep = Sweep.of(swept(tmp_path, *words))
    with composing([*words, *QUICK, f"root={tmp_path}"]) as composer:
        grid = read_grid(composer)
        assert len(sweep) == len(grid)
        texts = [grid.texts(job) for job in jobs]
    for job, own in zip(jobs, texts, strict=True):
        alone = xortrain.train(*own)
        assert_is(sweep[job], alone)
        assert sweep[job].config == alone.config


def test_one_population_is_one_record(tmp_path: Path) -> None:
    entry = swept(tmp_path, "lr=1,2", "seed=range(0,3)")
    (part,) = entry.parts
    assert part.folder == entry.folder
    assert entry.folder.relative_to(tmp_path).parts[0] == "sweeps"
    assert (part.metadata["kind"], part.metadata["runs"], part.metadata["varies"]) == ("sweep", 6, ["lr", "seed"])
    assert sorted(path.name for path in entry.folder.iterdir()) == [
        "config.yaml",
        "data.npz",
        "frame-epochs.npy",
        "loss-epochs.npy",
        "losses-000.npy",
        "parameters-000.npy",
        "record.json",
        "runs.npy",
    ]


def test_several_populations_are_several_records_of_one_sweep(tmp_path: Path) -> None:
    entry = swept(tmp_path, "activation=relu,tanh", "seed=range(0,3)", "batch_size=null,2")
    assert [part.folder.name for part in entry.parts] == [f"population-{k:03d}" for k in range(4)]
    metadata = json.loads((entry.folder / "sweep.json").read_text(encoding="utf-8"))
    assert (metadata["runs"], metadata["populations"], metadata["status"]) == (12, 4, "finished")
    numbers = [np.load(part.folder / "runs.npy")["number"].tolist() for part in entry.parts]
    assert numbers == [[0, 2, 4], [1, 3, 5], [6, 8, 10], [7, 9, 11]]


def test_nothing_of_hydra_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["-m", "seed=1,2", *QUICK]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]
    assert [path.name for path in (tmp_path / "outputs").iterdir()] == ["sweeps"]


def test_another_launcher_trains_each_job_by_itself(tmp_path: Path) -> None:
    assert main(["-m", "lr=1,2", *QUICK, f"root={tmp_path}", "hydra/launcher=basic"]) == 0
    found = listing(tmp_path).entries
    assert [entry.is_sweep for entry in found] == [False] * 2
    assert [entry.metadata["config"]["lr"] for entry in reversed(found)] == [1, 2]


def test_another_sweeper_sends_lists_of_overrides_to_the_launcher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # that sweeper writes its multirun.yaml
    words = ["activation=relu,tanh", "lr=1,2", "seed=range(0,2)", "hydra/sweeper=basic"]
    others = Sweep.of(swept(tmp_path / "others", *words))
    ours = Sweep.of(swept(tmp_path / "ours", *words[:-1]))
    assert len(others) == len(ours) == 8
    np.testing.assert_array_equal(others.parameters, ours.parameters)
    swept(tmp_path / "batches", "seed=range(0,5)", "hydra/sweeper=basic", "hydra.sweeper.max_batch_size=2")
    numbers = [Sweep.of(entry).column("number").tolist() for entry in reversed(listing(tmp_path / "batches").entries)]
    assert numbers == [[0, 1], [2, 3], [4]]


def test_a_refused_sweep_of_another_sweeper_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["lr=1,2", "film=field", "epochs=1", f"root={tmp_path / 'root'}", "hydra/sweeper=basic"]
    assert main(["-m", *words]) == 2
    assert not list(tmp_path.rglob("*.yaml"))


def test_an_experiment_may_contain_a_sweep(tmp_path: Path) -> None:
    mine = tmp_path / "mine" / "experiment"
    mine.mkdir(parents=True)
    content = (
        "# @package _global_\nlr: 3\nhydra: {sweeper: {params: {seed: 'range(0,4)', optimizer.momentum: '0,0.5'}}}\n"
    )
    (mine / "carried.yaml").write_text(content, encoding="utf-8")
    root = tmp_path / "root"
    words = ["--config-dir", str(tmp_path / "mine"), "-m", "experiment=carried", *QUICK, f"root={root}"]
    assert main(words) == 0
    sweep = Sweep.of(listing(root).entries[0])
    assert sweep.column("seed").tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert sweep.column("optimizer.momentum").tolist() == [0, 0.5] * 4
    assert set(sweep.column("lr").tolist()) == {3.0}
    assert main([*words, "seed=7"]) == 0
    assert len(Sweep.of(listing(root).entries[0])) == 2


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["lr=1,-1", "seed=range(0,3)"], "job 3: lr=-1: must be a number greater than 0"),
        (["loss=bce,hinge", "seed=range(0,3)"], "job 3 (loss=hinge seed=0): loss=hinge: requires targets -1 and 1"),
        (["data.high=1,0", "seed=0,1"], "job 2 (data.high=0 seed=0): data.low and data.high: must differ"),
        (["output=sigmoid,softmax"], "job 1: output=softmax: is constant over one unit, always 1"),
        (["data=xor_cloud", "data.seed=range(0,1000000)"], "data: 1000000 runs with different examples take 4.8 GB"),
        (["root=a,b"], "root: must be the same for all jobs of a sweep"),
        (["lr=1", "hydra.launcher.engine=pool"], "hydra.launcher.engine=pool: no such choice. Known: dask"),
        (["film=story", "film.colours=rainbowish", "seed=1,2"], "film.colours=rainbowish"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    words: list[str], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["-m", *words, *([] if "film=story" in words else ["film=none"])]) == 2
    line_shown = capsys.readouterr().err
    assert line_shown.startswith(f"xortrain: error: {line}")
    assert line_shown.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_beyond_the_budget_only_first_and_last_snapshots_are_recorded_and_then_fewer_losses(tmp_path: Path) -> None:
    whole = xortrain.sweep("seed=range(0,10)", *QUICK, f"root={tmp_path}")
    ends = xortrain.sweep("seed=range(0,10)", *QUICK, f"root={tmp_path}", "track.bytes=3000")
    thin = xortrain.sweep("seed=range(0,10)", *QUICK, f"root={tmp_path}", "track.bytes=2000")
    assert whole.parameters.nbytes + whole.losses.nbytes == 10400
    assert (ends.epochs.tolist(), ends.loss_epochs.tolist()) == ([0, 12], list(range(13)))
    assert (thin.epochs.tolist(), thin.loss_epochs.tolist()) == ([0, 12], [0, 2, 4, 6, 8, 10, 12])
    np.testing.assert_array_equal(ends.parameters, whole.parameters[[0, 12]])
    np.testing.assert_array_equal(thin.losses, whole.losses[thin.loss_epochs])
    assert all(part.metadata["trimmed"] for part in (*ends.parts, *thin.parts))


def test_a_dry_run_prints_an_estimate_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["-m", "activation=relu,tanh", "seed=range(0,100000)", "film=none", "dry_run=true"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if not line.startswith(" "))
    assert (lines["jobs"], lines["populations"]) == ("200000", "2")
    assert lines["disk"].startswith("275 MB, of ")
    assert lines["recorded"] == "first and last snapshots"
    assert lines["time"].endswith(" on one core")
    assert not list(tmp_path.iterdir())


def test_jobs_that_fail_are_listed_with_their_reasons_and_the_others_are_trained(tmp_path: Path) -> None:
    """The memory is limited, and a large network needs more."""
    words = ["-m", "architecture.hidden=[2],[3000,3000],[3]", "epochs=1", "film=none", f"root={tmp_path}"]
    code = f"""
import resource, sys
from pathlib import Path
import numpy, hydra, xortrain.runner.sweep, xortrain.views.summary, xortrain.hydra_sweeps.jobs
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + 300_000_000,) * 2)
from xortrain.cli import main
sys.exit(main({words!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    assert "failed: job 1: MemoryError: " in done.stdout
    assert done.stderr.startswith("xortrain: failed: some jobs failed; to try them again: xortrain resume ")
    assert done.stderr.count("\n") == 1
    (entry,) = listing(tmp_path).entries
    assert entry.status == "failed"
    assert [part.status for part in entry.parts] == ["finished", "failed", "finished"]


@pytest.mark.parametrize("choices", [[], ["activation=relu,tanh"], ["architecture.hidden=[2],[3]", "loss=bce,mse"]])
def test_only_what_has_several_values_varies(choices: list[str], tmp_path: Path) -> None:
    entry = swept(tmp_path, *choices, "lr=0.3", "optimizer.momentum=0.5", "init.scale=1,2", "seed=4")
    assert [part.metadata["varies"] for part in entry.parts] == [["init.scale"]] * len(entry.parts)
    assert {(part.settings["lr"], part.settings["optimizer.momentum"]) for part in entry.parts} == {(0.3, 0.5)}
    assert "lr" not in Sweep.of(entry).table()[0]


def test_the_experiment_is_a_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = f"root={tmp_path}"
    for words in (["experiment=notebook_000"], ["-m", "seed=1,2", "experiment=notebook_001"], ["lr=1"],
                  ["hydra.job.name=x", "experiment=notebook_003"], ["-m", "experiment=notebook_000,notebook_004"],
                  ["-m", "hydra/launcher=basic", "experiment=notebook_004,notebook_003"]):  # fmt: skip
        assert main([*words, root, "film=none", "epochs=0"]) == 0
    names = [line["experiment"] for line in json.loads(ls(["--root", str(tmp_path), "--runs", "--json"]))]
    assert sorted(map(str, names)) == sorted(
        ["None", "notebook_000", "notebook_000", *["notebook_001"] * 2, *["notebook_003"] * 2, *["notebook_004"] * 2]
    )
    assert len(xortrain.runs(tmp_path, "experiment = 'notebook_001'")) == 2
    assert xortrain.train("experiment=notebook_001").config["experiment"] == "notebook_001"
    groups = json.loads(group(["--root", str(tmp_path), "--by", "experiment", "--json"]))
    assert {row["experiment"]: row["runs"] for row in groups}["notebook_001"] == 2


def test_runs_have_ids_in_python_that_find_them(tmp_path: Path) -> None:
    sweep = xortrain.sweep("activation=relu,tanh", "seed=1,2", "film=none", "epochs=1", f"root={tmp_path}")
    xortrain.sweep("seed=5", "film=none", "epochs=1", f"root={tmp_path}")
    listed = [line["id"] for line in json.loads(ls(["--root", str(tmp_path), "--runs", "--json"]))]
    everything = xortrain.runs(tmp_path).table()
    assert [row["id"] for row in everything] == listed
    again = xortrain.load(str(sweep.folder), tmp_path)
    assert isinstance(again, Sweep)
    assert again.table() == sweep.table()
    assert {row["id"] for row in sweep.table()} < set(listed)
    for row in everything:
        found = xortrain.load(row["id"], tmp_path)
        assert isinstance(found, Run)
        assert found.row["final_loss"] == row["final_loss"]
