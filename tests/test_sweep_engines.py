"""Blocks in other processes: the same bits as here, and a worker that is killed costs its own block at most."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from some_runs import some_build

import xortrain
from xortrain.errors import UserError
from xortrain.experiment.blocks import Block, Failure
from xortrain.experiment.build import Build
from xortrain.experiment.progress import Progress
from xortrain.experiment.runs import Sweep
from xortrain.experiment.train import into_memory, start_record
from xortrain.experiment.workers import train_elsewhere
from xortrain.nets import Array
from xortrain.records.environment import describe
from xortrain.records.reader import StoredRecord
from xortrain.records.writer import write_json
from xortrain.training.task import Task

JOBS = ("lr=0.1,1", "seed=range(0,600)", "epochs=30", "film=none")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """The sweep as this process trains it."""
    return xortrain.sweep(*JOBS, f"root={tmp_path_factory.mktemp('here')}")


def assert_same(found: Sweep, here: Sweep) -> None:
    np.testing.assert_array_equal(found.losses, here.losses)
    np.testing.assert_array_equal(found.parameters, here.parameters)
    np.testing.assert_array_equal(found.column("outcome"), here.column("outcome"))
    assert [part.status for part in found.parts] == ["finished"]


def test_processes_train_to_the_same_bits(here: Sweep, tmp_path: Path) -> None:
    found = xortrain.sweep(*JOBS, f"root={tmp_path}", engine="loky", workers=2)
    assert found.parts[0].about["block_size"] == 320  # four blocks, rows of whole cache lines
    assert_same(found, here)


@pytest.mark.filterwarnings("ignore")  # of distributed
def test_a_dask_scheduler_and_its_workers_train_to_the_same_bits(here: Sweep, tmp_path: Path) -> None:
    from distributed import LocalCluster

    options = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with LocalCluster(**options) as cluster:  # type: ignore[no-untyped-call]
        found = xortrain.sweep(*JOBS, f"root={tmp_path}", engine="dask", address=cluster.scheduler_address)
    assert_same(found, here)


@pytest.mark.filterwarnings("ignore")  # of distributed
def test_a_dask_worker_that_is_killed_costs_nothing_but_time(tmp_path: Path) -> None:
    from distributed import LocalCluster

    def kill(number: int) -> None:
        until = time.monotonic() + 20
        while not list(tmp_path.glob("sweeps/*/*/losses-001.npy")) and time.monotonic() < until:
            time.sleep(0.005)
        os.kill(number, signal.SIGKILL)

    jobs = ("seed=range(0,3000)", "epochs=1000", "film=none", "track.frames=2")
    options = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with LocalCluster(**options) as cluster:  # type: ignore[no-untyped-call]
        thread = threading.Thread(target=kill, args=[cluster.workers[0].process.pid])
        thread.start()
        found = xortrain.sweep(*jobs, f"root={tmp_path}", engine="dask", address=cluster.scheduler_address)
        thread.join()
    assert [part.status for part in found.parts] == ["finished"]
    assert "pending" not in found.column("outcome")
    for place in (0, 1000, 2999):
        np.testing.assert_array_equal(found[place].losses, xortrain.train(f"seed={place}", "epochs=1000").losses)


def children() -> set[int]:
    """The processes that this one has started."""
    return {int(number) for task in Path("/proc/self/task").glob("*/children") for number in task.read_text().split()}


@contextmanager
def killing_a_worker(folder: Path) -> Iterator[list[int]]:
    """A worker is killed when the second block is under way; its number is told."""
    before, killed = children(), list[int]()

    def kill() -> None:
        until = time.monotonic() + 20
        while not (folder / "losses-001.npy").exists() and time.monotonic() < until:
            time.sleep(0.01)
        for number in children() - before:
            if not killed and "LokyProcess" in Path(f"/proc/{number}/cmdline").read_text():
                os.kill(number, signal.SIGKILL)
                killed.append(number)

    thread = threading.Thread(target=kill)
    thread.start()
    yield killed
    thread.join()


def blocks_of(build: Build, folder: Path, size: int) -> list[Block]:
    record = start_record(build, folder, "sweep", describe(), size)
    return [Block(record, build, number) for number in range(len(record.blocks))]


def trained_elsewhere(blocks: list[Block]) -> dict[int, Array | Failure]:
    return {block.number: result for block, result in train_elsewhere("loky", 2, blocks, Progress())}


def test_a_worker_that_is_killed_costs_its_block_which_is_trained_again(tmp_path: Path) -> None:
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)
    build = some_build({"seed": range(8)}, epochs=2000)
    with killing_a_worker(tmp_path) as killed:
        found = trained_elsewhere(blocks_of(build, tmp_path, 1))
    assert len(killed) == 1
    assert sorted(found) == list(range(8))
    assert not any(isinstance(result, Failure) for result in found.values())


class Poison(Build):
    """A population whose third run kills whoever trains it."""

    def task(self, runs: slice | Array = slice(None)) -> Task:
        if 2 in self.population.numbers[runs]:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().task(runs)


def test_a_block_that_kills_its_worker_twice_is_named_and_the_others_are_trained(tmp_path: Path) -> None:
    build = some_build({"seed": range(6)}, epochs=5)
    poison = Poison(**{name: getattr(build, name) for name in build.__dataclass_fields__})
    found = trained_elsewhere(blocks_of(poison, tmp_path, 1))
    failed = {number: result.reason for number, result in found.items() if isinstance(result, Failure)}
    assert list(failed) == [2]
    assert failed[2].startswith("its worker was lost twice (TerminatedWorkerError")
    assert sorted(found) == list(range(6))


def test_a_worker_that_cannot_see_the_record_sends_its_arrays_back(tmp_path: Path) -> None:
    build = some_build({"seed": range(6)}, epochs=5, data=("moons", {"test": 0.25}))
    blocks = blocks_of(build, tmp_path, 2)
    about = blocks[0].record.about
    write_json(tmp_path / "record.json", about | {"started": "2001-01-01T00:00:00+00:00"})
    found = trained_elsewhere(blocks)
    write_json(tmp_path / "record.json", about)
    one_by_one = some_build({"seed": range(6)}, epochs=5, data=("moons", {"test": 0.25}))
    record = StoredRecord.open(tmp_path)
    for place in range(6):
        alone = one_by_one.part(np.array([place]))
        history, _ = into_memory(alone)
        assert history.test_losses is not None
        np.testing.assert_array_equal(record.of_run("losses", place), history.losses[:, 0])
        np.testing.assert_array_equal(record.of_run("test-losses", place), history.test_losses[:, 0])
        np.testing.assert_array_equal(record.of_run("parameters", place), history.parameters[..., 0])
    assert sorted(found) == [0, 1, 2]


@pytest.mark.parametrize(
    ("engine", "workers", "line"),
    [
        ("lokey", None, "hydra.launcher.engine=lokey: no such choice. Did you mean 'loky'?"),
        ("dask", None, "hydra.launcher.address=null: engine=dask needs a scheduler's"),
        ("loky", 0, "hydra.launcher.workers=0: must be a whole number from 1 to 10000 or null"),
        ("loky", True, "hydra.launcher.workers=true: must be a whole number"),
    ],
)
def test_an_engine_that_cannot_be_is_refused_before_anything_is_written(
    engine: str, workers: int | None, line: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as error:
        xortrain.sweep(*JOBS, f"root={tmp_path}", engine=engine, workers=workers)
    assert str(error.value).startswith(line)
    assert not list(tmp_path.iterdir())
