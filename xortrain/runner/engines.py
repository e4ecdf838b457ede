"""Where the blocks of a sweep are trained: in this process, in others beside it, or on a cluster.

Whatever an engine needs is looked for before anything is written.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from xortrain.config.check import take
from xortrain.config.settings import LAUNCHER
from xortrain.errors import UserError, unknown
from xortrain.nets import Array
from xortrain.records import layout
from xortrain.records.files import read_json
from xortrain.records.writer import BlockArrays, open_block
from xortrain.runner.interrupts import ENDS, end_with, postponed
from xortrain.runner.progress import Progress
from xortrain.runner.train import Block, Failure, Result, empty_history, history_of, train_block, train_here
from xortrain.setup.run_setup import Setup

WHERE = "hydra.launcher"
PATIENCE = 10  # seconds to wait for a scheduler
Train = Callable[[Sequence[Block], Progress], Iterator[tuple[Block, Result]]]
"""From blocks and progress to each block with its rows, in the order in which they are done."""


@dataclass(frozen=True)
class Engine:
    """``name`` is inline, loky or dask; ``workers`` are loky's processes, ``address`` is dask's scheduler."""

    name: str = "inline"
    workers: int | None = None
    address: str | None = None

    def __post_init__(self) -> None:
        if self.name not in ENGINES:
            raise unknown(f"{WHERE}.engine", self.name, ENGINES)
        take(f"{WHERE}.workers", LAUNCHER["workers"], self.workers)
        take(f"{WHERE}.address", LAUNCHER["address"], self.address)

    @property
    def processes(self) -> int:
        """How many blocks are trained at a time."""
        return 1 if self.name == "inline" else self.workers or cores()


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def opened(engine: Engine) -> Iterator[Train]:
    """What trains blocks, for as long as this lasts."""
    with ENGINES[engine.name](engine) as pool:
        yield pool


@contextmanager
def _inline(engine: Engine) -> Iterator[Train]:
    yield train_here


@contextmanager
def _loky(engine: Engine) -> Iterator[Train]:
    _needs(engine, "joblib")
    yield partial(train_elsewhere, "loky", engine.processes)


@contextmanager
def _dask(engine: Engine) -> Iterator[Train]:
    _needs(engine, "joblib", "distributed")
    from distributed import Client

    if not engine.address:
        raise UserError(f"{WHERE}.address=null: engine=dask needs a scheduler's, as in tcp://127.0.0.1:8786")
    try:
        client: Any = Client(engine.address, timeout=PATIENCE, set_as_default=True)  # type: ignore[no-untyped-call]
        client.wait_for_workers(1, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{WHERE}.address={engine.address}: no scheduler with workers answers ({line})") from None
    with client:
        yield partial(train_elsewhere, "dask", engine.workers)


def _needs(engine: Engine, *packages: str) -> None:
    for package in packages:
        if find_spec(package) is None:
            raise UserError(f"{WHERE}.engine={engine.name}: needs {package}; pip install 'xortrain[parallel]'")


ENGINES: dict[str, Callable[[Engine], AbstractContextManager[Train]]] = {
    "inline": _inline,
    "loky": _loky,
    "dask": _dask,
}


@dataclass(frozen=True)
class Parcel:
    """One block on its way: its place among those sent, its own part of the build, and where its files go."""

    place: int
    setup: Setup
    folder: Path
    metadata: Mapping[str, Any]
    number: int

    @classmethod
    def of(cls, place: int, block: Block) -> "Parcel":
        """Pack a block."""
        folder = block.record.folder.absolute()
        return cls(place, block.setup.part(block.runs), folder, dict(block.record.metadata), block.number)


@dataclass(frozen=True)
class Answer:
    """What a worker sends back; the arrays too, if it could not see the record."""

    place: int
    result: Result | OSError
    arrays: Mapping[str, Array | None] | None = None


def train_parcel(parcel: Parcel) -> Answer:
    """Train a block in a worker."""
    try:
        is_here = _is_here(parcel)
        if is_here:
            history = history_of(parcel.setup, open_block(parcel.folder, parcel.metadata, parcel.number))
        else:
            history = empty_history(parcel.setup)
        rows = Progress().through(train_block(parcel.setup, slice(None), history), 1, 1)
    except OSError as error:
        return Answer(parcel.place, error)
    except Exception as error:
        return Answer(parcel.place, Failure.of(error))
    names = () if is_here else (field.name for field in fields(BlockArrays))
    return Answer(parcel.place, rows, {name: getattr(history, name) for name in names} or None)


def _is_here(parcel: Parcel) -> bool:
    """Whether this worker sees the very record that the block belongs to."""
    try:
        found = read_json(parcel.folder / layout.RECORD)
    except UserError:
        return False
    return all(found.get(key) == parcel.metadata.get(key) for key in ("started", "host", "pid"))


def train_elsewhere(
    backend: str, workers: int | None, blocks: Sequence[Block], shown: Progress
) -> Iterator[tuple[Block, Result]]:
    """Train blocks by a backend of joblib, in the order in which they get done."""
    waiting, suspects = list(blocks), list[Block]()
    while waiting or suspects:
        is_alone = not waiting
        batch, waiting = ([suspects.pop(0)], []) if is_alone else (waiting, [])
        sent, answered = list[int](), set[int]()
        for answer in _answers(backend, workers, batch, sent):
            if isinstance(answer, Answer):
                block = batch[answer.place]
                answered.add(answer.place)
                shown.add(len(block))
                yield block, _kept(block, answer)
            elif is_alone:
                yield batch[0], Failure(f"its worker was lost twice ({Failure.of(answer).reason})")
            else:
                suspects += [batch[place] for place in sent if place not in answered]
                waiting = batch[len(sent) :] if sent else []
                suspects += [] if sent else batch


def _answers(
    backend: str, workers: int | None, batch: Sequence[Block], sent: list[int]
) -> Iterator[Answer | Exception]:
    """The answers of a pool, and what broke it if something did; ``sent`` grows with what has been handed out."""
    from joblib import Parallel, delayed, parallel_config

    def parcels() -> Iterator[Any]:
        for place, block in enumerate(batch):
            sent.append(place)
            yield delayed(train_parcel)(Parcel.of(place, block))

    try:
        with parallel_config(_local() if backend == "loky" else backend, n_jobs=workers or -1):
            with postponed() as waiting:
                answers = Parallel(return_as="generator_unordered", batch_size=1, max_nbytes=None)(parcels())
            if waiting:
                answers.throw(ENDS[waiting[0]]())  # so that the pool is ended
            yield from answers
    except Exception as error:  # each engine has its own ways to break
        yield error


def _local() -> Any:
    """Joblib's loky, with workers that end with this process; joblib 1.4 takes an initializer nowhere else."""
    from joblib.parallel import BACKENDS

    loky = BACKENDS["loky"]()
    loky.configure = partial(loky.configure, initializer=end_with, initargs=(os.getpid(),))
    return loky


def _kept(block: Block, answer: Answer) -> Result:
    """What a worker found; the arrays it could not write itself are written here."""
    if isinstance(answer.result, OSError):
        raise answer.result
    if answer.arrays:
        arrays = block.record.block(block.number)
        for name, values in answer.arrays.items():
            if values is not None:
                getattr(arrays, name)[:] = values
    return answer.result
