"""Blocks in other processes have the same bits, and a killed worker costs its own block at most."""

import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from some_clusters import some_cluster
from some_runs import some_setup
from waiting import wait_until

import xortrain
from xortrain.api import Sweep
from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.records.files import write_json
from xortrain.records.process import describe
from xortrain.records.reader import RecordReader
from xortrain.runner.engines import train_elsewhere
from xortrain.runner.progress import Progress
from xortrain.runner.train import Block, Failure, start_record, train_in_memory
from xortrain.setup.run_setup import Setup
from xortrain.training.task import Task

JOBS = ("lr=0.1,1", "seed=range(0,600)", "epochs=30", "film=none")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """The sweep, trained in this process."""
    return xortrain.sweep(*JOBS, f"root={tmp_path_factory.mktemp('here')}")


def assert_same(found: Sweep, here: Sweep) -> None:
    np.testing.assert_array_equal(found.losses, here.losses)
    np.testing.assert_array_equal(found.parameters, here.parameters)
    np.testing.assert_array_equal(found.column("outcome"), here.column("outcome"))
    assert [part.status for part in found.parts] == ["finished"]


def test_processes_train_to_the_same_bits(here: Sweep, tmp_path: Path) -> None:
    found = xortrain.sweep(*JOBS, f"root={tmp_path}", engine="loky", workers=2)
    assert found.parts[0].metadata["block_size"] == 320  # four blocks, rows of whole cache lines
    assert_same(found, here)


def test_a_few_wide_runs_are_divided_among_threads(tmp_path: Path) -> None:
    jobs = ("seed=range(0,30)", "data=circle", "architecture.hidden=[48,48]", "epochs=3", "film=none")
    alone, found = (xortrain.sweep(*jobs, f"root={tmp_path / str(n)}", workers=n) for n in (1, 2))
    assert alone.parts[0].metadata["block_size"] == 32  # one block
    assert found.parts[0].metadata["block_size"] == 8  # four blocks
    assert_same(found, alone)


@pytest.mark.filterwarnings("ignore")  # of distributed
def test_a_dask_scheduler_and_its_workers_train_to_the_same_bits(here: Sweep, tmp_path: Path) -> None:
    with some_cluster(2) as cluster:
        found = xortrain.sweep(*JOBS, f"root={tmp_path}", engine="dask", address=cluster.scheduler_address)
    assert_same(found, here)


@pytest.mark.filterwarnings("ignore")  # of distributed
def test_a_killed_dask_worker_loses_no_run(tmp_path: Path) -> None:
    def kill(number: int) -> None:
        wait_until(lambda: list(tmp_path.glob("sweeps/*/*/losses-001.npy")))
        os.kill(number, signal.SIGKILL)

    jobs = ("seed=range(0,3000)", "epochs=1000", "film=none", "track.frames=2")
    with some_cluster(2) as cluster:
        thread = threading.Thread(target=kill, args=[cluster.workers[0].process.pid])
        thread.start()
        found = xortrain.sweep(*jobs, f"root={tmp_path}", engine="dask", address=cluster.scheduler_address)
        thread.join()
    assert [part.status for part in found.parts] == ["finished"]
    assert "pending" not in found.column("outcome")
    for place in (0, 1000, 2999):
        np.testing.assert_array_equal(found[place].losses, xortrain.train(f"seed={place}", "epochs=1000").losses)


def blocks_of(setup: Setup, folder: Path, size: int) -> list[Block]:
    record = start_record(setup, folder, "sweep", describe(), size)
    return [Block.of(record, setup, number) for number in range(len(record.blocks))]


def trained_elsewhere(blocks: list[Block]) -> dict[int, Array | Failure]:
    return {block.number: result for block, result in train_elsewhere("loky", 2, blocks, Progress())}


class Poison(Setup):
    """A population whose third run kills the process that trains it."""

    def task(self, runs: slice | Array = slice(None)) -> Task:
        if 2 in self.population.numbers[runs]:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().task(runs)


@dataclass(frozen=True)
class PoisonOnce(Setup):
    """A population whose third run kills the first worker that trains it; a file marks that it did."""

    killed: Path = Path("killed")

    def task(self, runs: slice | Array = slice(None)) -> Task:
        if 2 in self.population.numbers[runs] and not self.killed.exists():
            self.killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().task(runs)


def test_the_block_of_a_killed_worker_is_trained_again(tmp_path: Path) -> None:
    setup = some_setup({"seed": range(8)}, epochs=5)
    fields = {name: getattr(setup, name) for name in setup.__dataclass_fields__}
    poison = PoisonOnce(**fields, killed=tmp_path / "killed")
    found = trained_elsewhere(blocks_of(poison, tmp_path, 1))
    assert poison.killed.exists()
    assert sorted(found) == list(range(8))
    assert not any(isinstance(result, Failure) for result in found.values())


def test_a_block_that_kills_its_worker_twice_fails_and_the_others_are_trained(tmp_path: Path) -> None:
    setup = some_setup({"seed": range(6)}, epochs=5)
    poison = Poison(**{name: getattr(setup, name) for name in setup.__dataclass_fields__})
    found = trained_elsewhere(blocks_of(poison, tmp_path, 1))
    failed = {number: result.reason for number, result in found.items() if isinstance(result, Failure)}
    assert list(failed) == [2]
    assert failed[2].startswith("its worker was lost twice (TerminatedWorkerError")
    assert sorted(found) == list(range(6))


def test_a_worker_that_cannot_see_the_record_sends_its_arrays_back(tmp_path: Path) -> None:
    setup = some_setup({"seed": range(6)}, epochs=5, data=("moons", {"test": 0.25}))
    blocks = blocks_of(setup, tmp_path, 2)
    metadata = blocks[0].record.metadata
    write_json(tmp_path / "record.json", metadata | {"started": "2001-01-01T00:00:00+00:00"})
    found = trained_elsewhere(blocks)
    write_json(tmp_path / "record.json", metadata)
    one_by_one = some_setup({"seed": range(6)}, epochs=5, data=("moons", {"test": 0.25}))
    record = RecordReader.open(tmp_path)
    for place in range(6):
        alone = one_by_one.part(np.array([place]))
        trained = train_in_memory(alone)
        np.testing.assert_array_equal(record.of_run("losses", place), trained.array("losses")[:, 0])
        np.testing.assert_array_equal(record.of_run("test-losses", place), trained.array("test_losses")[:, 0])
        np.testing.assert_array_equal(record.of_run("parameters", place), trained.array("parameters")[..., 0])
    assert sorted(found) == [0, 1, 2]


@pytest.mark.parametrize(
    ("engine", "workers", "line"),
    [
        ("lokey", None, "hydra.launcher.engine=lokey: no such choice. Did you mean 'loky'?"),
        ("dask", None, "hydra.launcher.address=null: engine=dask requires a scheduler, as in"),
        ("loky", 0, "hydra.launcher.workers=0: must be a whole number from 1 to 10000 or null"),
        ("loky", True, "workers=True: must be a whole number or None"),
    ],
)
def test_an_invalid_engine_is_refused_before_anything_is_written(
    engine: str, workers: int | None, line: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as error:
        xortrain.sweep(*JOBS, f"root={tmp_path}", engine=engine, workers=workers)
    assert str(error.value).startswith(line)
    assert not list(tmp_path.iterdir())
