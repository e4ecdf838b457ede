"""After any end of a sweep its record is complete up to there, its status is true, and resume finishes it."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from some_clusters import some_cluster
from some_runs import composed
from waiting import PATIENCE, handles, has_loaded, wait_until

import xortrain
from xortrain.api import Sweep
from xortrain.cli import main
from xortrain.errors import UserError
from xortrain.hydra_sweeps.jobs import plan_overrides
from xortrain.records.index import Entry, listing
from xortrain.runner.engines import Engine
from xortrain.runner.plan import LARGEST_EPOCH, LARGEST_NETWORK, MOST_UPDATES, small_part
from xortrain.runner.sweep import resume_sweep
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup

MODULE = [sys.executable, "-m", "xortrain"]
JOBS = ("lr=0.1,1", "activation=tanh,relu", "seed=range(0,150)", "data=xor_cloud", "epochs=30", "film=none")
ENDLESS = ("epochs=1000000", "track.losses=10", "track.frames=2")
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["pytest", "xortrain.hydra_sweeps.jobs", "xortrain.runner.sweep", "hydra.core.plugins"])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    return xortrain.sweep(*JOBS, f"root={tmp_path_factory.mktemp('undisturbed')}")


def assert_same(found: Sweep, other: Sweep) -> None:
    np.testing.assert_array_equal(found.losses, other.losses)
    np.testing.assert_array_equal(found.parameters, other.parameters)
    for name in ("number", "lr", "seed", "outcome", "solved_at", "final_loss", "accuracy"):
        np.testing.assert_array_equal(found.column(name), other.column(name), err_msg=name)


def assert_finished_runs_are_complete(entry: Entry, other: Sweep) -> None:
    """Rows with an outcome have all their numbers and arrays."""
    found = Sweep.of(entry)
    done = np.flatnonzero(found.column("outcome") != "pending")
    if len(done):
        assert_same(found[done], other[found.column("number")[done]])


def only_entry(root: Path) -> Entry:
    (entry,) = listing(root).entries
    return entry


def files(root: Path) -> int:
    """The number of files and folders, which shows the progress of a sweep."""
    return sum(1 for _ in root.rglob("*"))


MOMENTS_OF_DEATH = 12  # from an empty root to a finished record, by the number of files in it


@pytest.mark.parametrize("moment", range(MOMENTS_OF_DEATH))
def test_a_sweep_killed_at_any_moment_is_resumed_to_the_same_bits(
    moment: int, undisturbed: Sweep, tmp_path: Path
) -> None:
    enough = 1 + moment * files(undisturbed.parts[0].folder.parents[3]) // MOMENTS_OF_DEATH
    process = FORKED.Process(target=xortrain.sweep, args=(*JOBS, f"root={tmp_path}"))
    process.start()
    wait_until(lambda: files(tmp_path) >= enough or not process.is_alive())
    process.kill()
    process.join()
    assert process.exitcode in (-signal.SIGKILL, 0)
    found = listing(tmp_path)
    assert not found.problems
    if not any((entry.folder / "sweep.json").exists() for entry in found.entries):
        return  # killed before it had begun
    entry = only_entry(tmp_path)
    assert entry.status in ("crashed", "finished")
    assert_finished_runs_are_complete(entry, undisturbed)
    resume_sweep(entry, Engine())
    assert only_entry(tmp_path).status == "finished"
    assert_same(Sweep.of(only_entry(tmp_path)), undisturbed)


def test_a_worker_pool_that_loses_its_parent_leaves_a_sweep_that_can_be_resumed(
    undisturbed: Sweep, tmp_path: Path
) -> None:
    process = FORKED.Process(target=xortrain.sweep, args=(*JOBS, f"root={tmp_path}"), kwargs={"engine": "loky"})
    process.start()
    pattern = "sweeps/*/*/population-000/losses-000.npy"
    wait_until(lambda: list(tmp_path.glob(pattern)) or not process.is_alive())
    process.kill()
    process.join()
    resume_sweep(only_entry(tmp_path), Engine("loky", 2))
    assert_same(Sweep.of(only_entry(tmp_path)), undisturbed)


def test_what_is_finished_is_not_trained_again(tmp_path: Path) -> None:
    sweep = xortrain.sweep("seed=range(0,600)", "data=xor_cloud", "epochs=3", "film=none", f"root={tmp_path}")
    (part,) = sweep.parts
    rows = np.load(part.folder / "runs.npy", mmap_mode="r+")
    block = part.metadata["block_size"]
    rows["outcome"][block + 1] = 0
    rows.flush()
    (part.folder / "losses-002.npy").unlink()
    before = {path: path.stat().st_mtime_ns for path in part.folder.glob("parameters-*.npy")}
    assert resume_sweep(only_entry(tmp_path), Engine()) == 600 - block
    changed = {path.name for path, time_before in before.items() if path.stat().st_mtime_ns != time_before}
    assert changed == {"parameters-001.npy", "parameters-002.npy"}
    assert resume_sweep(only_entry(tmp_path), Engine()) == 0


def test_a_sweep_that_is_running_is_not_resumed(tmp_path: Path) -> None:
    process = FORKED.Process(target=xortrain.sweep, args=(*JOBS, *ENDLESS, f"root={tmp_path}"))
    process.start()
    try:
        wait_until(lambda: list(tmp_path.glob("sweeps/*/*/sweep.json")))
        entry = only_entry(tmp_path)
        assert entry.status == "running"
        with pytest.raises(
            UserError, match=f"is running \\(process {process.pid} on .*; resume it when it has stopped"
        ):
            resume_sweep(entry, Engine())
    finally:
        process.kill()
        process.join()


def started(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MODULE, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


LONG = ["-m", "seed=range(0,20000)", "epochs=3000", "film=none"]


def reaches(process: subprocess.Popen[str], condition: Callable[[], Any]) -> None:
    """Wait until a condition holds while the process runs."""
    wait_until(lambda: condition() or process.poll() is not None)
    assert process.poll() is None


def interrupted(process: subprocess.Popen[str], root: Path, number: int = signal.SIGINT) -> None:
    """Ctrl-C in the terminal of a sweep, which its workers receive too, prints one line."""
    os.killpg(process.pid, number)
    output, line = process.communicate(timeout=PATIENCE)
    assert output == ""
    assert process.returncode in (128 + number, -number)  # Python ends itself so if it was importing
    entries = listing(root).entries
    if "resume" in line:
        assert line == f"xortrain: interrupted; to continue: xortrain resume {entries[0].folder}\n"
        assert entries[0].status == "interrupted"
    else:
        assert line == "xortrain: interrupted\n"


MOMENTS: dict[str, Callable[[int, Path], Any]] = {
    "as soon as Ctrl-C is heeded": lambda pid, root: handles(pid, signal.SIGTERM),
    "while NumPy is imported": lambda pid, root: has_loaded(pid, "numpy"),
    "when its folder is made": lambda pid, root: list(root.glob("sweeps/*/*")),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("engine", ["inline", "loky"])
def test_ctrl_c_at_any_moment_prints_one_line(engine: str, moment: str, tmp_path: Path) -> None:
    process = started([*LONG, f"root={tmp_path}", f"hydra.launcher.engine={engine}"])
    reaches(process, lambda: MOMENTS[moment](process.pid, tmp_path))
    interrupted(process, tmp_path)


@pytest.mark.parametrize(
    ("engine", "number"),
    [(engine, signal.SIGINT) for engine in ("inline", "loky", "dask")]
    + [(engine, signal.SIGTERM) for engine in ("inline", "loky")],
)
def test_ctrl_c_ends_a_sweep_with_the_command_that_continues(engine: str, number: int, tmp_path: Path) -> None:
    with scheduler(engine) as address:
        process = started([*LONG, f"root={tmp_path}", f"hydra.launcher.engine={engine}", *address])
        reaches(process, lambda: list(tmp_path.glob("sweeps/*/*/losses-000.npy")))
        interrupted(process, tmp_path, number)
    assert only_entry(tmp_path).status == "interrupted"


@pytest.mark.parametrize("block", [0, 1])
def test_workers_end_with_a_killed_parent_and_leave_nothing_in_memory(block: int, tmp_path: Path) -> None:
    process = started([*LONG, f"root={tmp_path}", "hydra.launcher.engine=loky", "hydra.launcher.workers=2"])
    reaches(process, lambda: list(tmp_path.glob(f"sweeps/*/*/losses-00{block}.npy")))
    process.kill()
    process.communicate(timeout=PATIENCE)  # until nobody holds the other end of the pipes
    assert process.returncode == -signal.SIGKILL
    wait_until(lambda: not list(Path("/dev/shm").glob(f"*[-_]{process.pid}[-_]*")))


@pytest.mark.parametrize("words", [["-m", "seed=range(0,20)"], ["seed=0"]], ids=" ".join)
def test_ctrl_c_while_the_film_is_drawn_says_that_only_the_film_is_missing(words: list[str], tmp_path: Path) -> None:
    film = ["track.frames=800", "film.frames=800", "film.fps=20"]  # with its own rate it is written as it is drawn
    process = started([*words, "epochs=800", *film, f"root={tmp_path}"])
    reaches(process, lambda: list(tmp_path.rglob(".film*")))
    process.send_signal(signal.SIGINT)
    output, line = process.communicate(timeout=PATIENCE)
    folder = only_entry(tmp_path).folder
    assert output.endswith(f"\nrecord  {folder}\n")
    assert line == f"xortrain: interrupted; only the film is missing: xortrain render {folder}\n"
    assert only_entry(tmp_path).status == "finished"


@contextmanager
def scheduler(engine: str) -> Iterator[list[str]]:
    """The settings that an engine requires besides its name: dask the address of a running scheduler."""
    if engine != "dask":
        yield []
        return
    with some_cluster(1) as cluster:
        yield [f"hydra.launcher.address={cluster.scheduler_address}"]


def test_sixteen_sweeps_started_at_once_in_an_empty_root_have_a_record_each(tmp_path: Path) -> None:
    words = ("seed=0,1", "epochs=9", "film=none", f"root={tmp_path}")
    processes = [FORKED.Process(target=xortrain.sweep, args=words) for _ in range(16)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [entry.status for entry in listing(tmp_path).entries] == ["finished"] * 16


FULL = (100, 5_000, 20_000, 31_000, 100_000)


def test_a_full_disk_is_one_line_and_no_incomplete_record_looks_complete(undisturbed: Sweep, tmp_path: Path) -> None:
    """A limit on the file size stands for a full disk; one process meets all limits, each in a root of its own."""
    code = f"""
import resource
from xortrain.cli import main
for limit in {FULL}:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    print(main(["-m", *{JOBS!r}, f"root={tmp_path}/{{limit}}"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout == "1\n" * len(FULL)
    lines = done.stderr.splitlines()
    assert len(lines) == len(FULL)
    for limit, line in zip(FULL, lines, strict=True):
        assert line.startswith(f"xortrain: error: {tmp_path}/{limit}")
        for entry in listing(tmp_path / str(limit)).entries:
            assert entry.status in ("failed", "crashed")
            assert_finished_runs_are_complete(entry, undisturbed)


def test_a_root_that_cannot_be_written_to_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["-m", "seed=1,2", "film=none", f"root={tmp_path / 'file'}"]) == 2
    assert (
        capsys.readouterr().err == f"xortrain: error: root={tmp_path / 'file'}: cannot be written to (not a folder)\n"
    )


def test_a_sweep_writes_as_many_bytes_as_estimated(tmp_path: Path) -> None:
    jobs = (*JOBS, "data.test=0.3", f"root={tmp_path}")
    plan = plan_overrides(jobs)
    assert plan
    xortrain.sweep(*jobs)
    written = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert written == pytest.approx(plan.bytes, rel=0.1)


def test_a_sweep_that_would_not_fit_on_the_disk_is_refused_before_it_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "seed=range(0,4000000000,1000)",
        "epochs=9",
        "architecture.hidden=[4096,64]",
        "track.bytes=1000000000000000",
    ]
    assert main(["-m", *words, "film=none", f"root={tmp_path}"]) == 2
    line = capsys.readouterr().err
    assert "this sweep would write" in line
    assert line.count("\n") == 1
    assert not list(tmp_path.iterdir())


LARGE = [
    ["architecture.hidden=[4096,4096]", "epochs=1000000000"],
    ["data=parity", "data.bits=12", "architecture.hidden=[512,512]"],
    ["data=parity", "data.bits=12", "batch_size=1"],
]


@pytest.mark.parametrize("overrides", LARGE, ids=" ".join)
def test_what_an_estimate_trains_is_small(overrides: list[str]) -> None:
    setup = Setup.of(Population(composed(*overrides), numbers=np.arange(500)))
    part = small_part(setup)
    assert part.shape.size <= LARGEST_NETWORK
    assert part.population.runs * len(part.train.x) * part.shape.size <= max(LARGEST_EPOCH, 2 * LARGEST_NETWORK)
    assert len(part.train.x) <= MOST_UPDATES * (part.population.config["batch_size"] or len(part.train.x))


def test_an_estimate_of_a_small_network_trains_that_network() -> None:
    setup = Setup.of(Population(composed()))
    assert (small_part(setup).shape.size, len(small_part(setup).train.x)) == (setup.shape.size, 4)
