"""Engines train the blocks of a sweep: in this process, in others on this machine, or on a cluster.

The requirements of an engine are checked before anything is written.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from threading import Event, Thread
from typing import Any

from xortrain.config.check import take
from xortrain.config.settings import LAUNCHER
from xortrain.errors import FailedError, UserError, first_line, unknown
from xortrain.runner.interrupts import ENDS, exit_with_parent, postponed
from xortrain.runner.progress import Progress, Stoppable
from xortrain.runner.train import Block, Failure, Result, empty_history
from xortrain.training.task import History

WHERE = "hydra.launcher"
PATIENCE, PAUSE = 10, 1.0  # seconds to wait for a scheduler or a worker, and between two looks
Train = Callable[[Sequence[Block], Progress], Iterator[tuple[Block, Result]]]
"""Trains blocks and yields each with its result, in the order in which they finish."""


@dataclass(frozen=True)
class Engine:
    """``name`` is inline, loky or dask; ``workers`` are threads or loky's processes, ``address`` dask's scheduler."""

    name: str = "inline"
    workers: int | None = None
    address: str | None = None

    def __post_init__(self) -> None:
        if self.name not in ENGINES:
            raise unknown(f"{WHERE}.engine", self.name, ENGINES)
        take(f"{WHERE}.workers", LAUNCHER["workers"], self.workers)
        take(f"{WHERE}.address", LAUNCHER["address"], self.address)

    @property
    def at_once(self) -> int:
        """The number of blocks trained at the same time, in threads of this process or in others."""
        return self.workers or (1 if self.name == "inline" else cores())

    def open(self) -> AbstractContextManager[Train]:
        """A context with the function that trains blocks."""
        return ENGINES[self.name](self)


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _loky(engine: Engine) -> Iterator[Train]:
    _require(engine, "joblib")
    yield partial(train_elsewhere, "loky", engine.at_once)


@contextmanager
def _dask(engine: Engine) -> Iterator[Train]:
    _require(engine, "joblib", "distributed")
    from distributed import Client

    if not engine.address:
        raise UserError(f"{WHERE}.address=null: engine=dask requires a scheduler, as in tcp://127.0.0.1:8786")
    where = f"{WHERE}.address={engine.address}"
    try:
        client: Any = Client(engine.address, timeout=PATIENCE, set_as_default=True)
        client.wait_for_workers(1, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise UserError(f"{where}: no scheduler with workers answers ({first_line(error)})") from None

    def train(blocks: Sequence[Block], bar: Progress) -> Iterator[tuple[Block, Result]]:
        with _noted_without_workers(client, where, bar):
            for block, result in train_elsewhere("dask", engine.workers, blocks, bar):
                if isinstance(result, Failure) and client.status != "running":
                    raise FailedError(f"{where}: the scheduler no longer answers")
                yield block, result

    with client, _silenced():
        yield train


@contextmanager
def _noted_without_workers(client: Any, where: str, bar: Progress) -> Iterator[None]:
    """Note it once if a cluster has had no worker for a while; its jobs wait for new ones."""
    over = Event()

    def watch() -> None:
        lacking = 0
        while lacking < PATIENCE and not over.wait(PAUSE):
            with suppress(Exception):  # a scheduler that does not answer is noticed elsewhere
                lacking = 0 if client.scheduler_info()["workers"] else lacking + 1
        if lacking >= PATIENCE:
            bar.note(f"{where}: has no workers any more; waiting for new ones, Ctrl-C ends the sweep")

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


@contextmanager
def _silenced() -> Iterator[None]:
    """What distributed logs about a broken connection is not shown in this context; an error says it."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _require(engine: Engine, *packages: str) -> None:
    for package in packages:
        if find_spec(package) is None:
            raise UserError(f"{WHERE}.engine={engine.name}: needs {package}; pip install 'xortrain[parallel]'")


ENGINES: dict[str, Callable[[Engine], AbstractContextManager[Train]]] = {
    "inline": lambda engine: nullcontext(
        partial(train_in_threads, engine.at_once) if engine.at_once > 1 else train_here
    ),
    "loky": _loky,
    "dask": _dask,
}


def train_here(blocks: Sequence[Block], bar: Progress) -> Iterator[tuple[Block, Result]]:
    """Train one block after the other in this process."""
    for block in blocks:
        yield block, block.train(bar)


def train_in_threads(threads: int, blocks: Sequence[Block], bar: Progress) -> Iterator[tuple[Block, Result]]:
    """Train some blocks at a time, each in a thread; the machine leaves the other threads free to run."""
    counted = [Stoppable() for _ in blocks]
    with ThreadPoolExecutor(threads) as pool:
        try:
            waiting = {pool.submit(block.train, own): block for block, own in zip(blocks, counted, strict=True)}
            for done in as_completed(waiting):
                block = waiting.pop(done)
                bar.add(len(block))
                yield block, done.result()
        finally:
            for own in counted:
                own.is_stopped = True
            pool.shutdown(cancel_futures=True)


def train_elsewhere(
    backend: str, workers: int | None, blocks: Sequence[Block], bar: Progress
) -> Iterator[tuple[Block, Result]]:
    """Train blocks by a backend of joblib, in the order in which they finish.

    Blocks of a pool that breaks are trained again, each in a new pool; one that breaks its pool again has failed.
    """
    waiting, suspects = list(blocks), list[Block]()
    while waiting or suspects:
        is_alone = not waiting
        batch, waiting = ([suspects.pop(0)], []) if is_alone else (waiting, [])
        sent, answered = list[int](), set[int]()
        for answer in _answers(backend, workers, batch, sent):
            if isinstance(answer, Answer):
                block = batch[answer.place]
                answered.add(answer.place)
                bar.add(len(block))
                yield block, _received(block, answer)
            elif is_alone:
                yield batch[0], Failure(f"its worker was lost twice ({Failure.of(answer).reason})")
            else:
                suspects += [batch[place] for place in sent if place not in answered] if sent else batch
                waiting = batch[len(sent) :] if sent else []


@dataclass(frozen=True)
class Answer:
    """The result of a worker for block ``place`` of a batch, and its history if it cannot see the record."""

    place: int
    result: Result | OSError
    history: History | None = None


def _train_in_worker(place: int, block: Block) -> Answer:
    try:
        is_visible = block.is_visible()
        history = None if is_visible else empty_history(block.setup)
        result = block.train(Progress(), history)
    except OSError as error:
        return Answer(place, error)
    except Exception as error:
        return Answer(place, Failure.of(error))
    return Answer(place, result, None if is_visible else history)


def _answers(
    backend: str, workers: int | None, batch: Sequence[Block], sent: list[int]
) -> Iterator[Answer | Exception]:
    """The answers of a pool, and the error that broke it; ``sent`` grows with each block that is handed out."""
    from joblib import Parallel, delayed, parallel_config

    def calls() -> Iterator[Any]:
        for place, block in enumerate(batch):
            sent.append(place)
            yield delayed(_train_in_worker)(place, block.packed())

    try:
        with parallel_config(_loky_backend() if backend == "loky" else backend, n_jobs=workers or -1):
            with postponed() as waiting:
                answers = Parallel(return_as="generator_unordered", batch_size=1, max_nbytes=None)(calls())
            if waiting:
                answers.throw(ENDS[waiting[0]]())  # which ends the pool
            yield from answers
    except Exception as error:  # each backend has its own error types
        yield error


def _loky_backend() -> Any:
    """Joblib's loky, with workers that exit with this process; joblib 1.4 accepts an initializer only this way."""
    from joblib.parallel import BACKENDS

    loky = BACKENDS["loky"]()
    loky.configure = partial(loky.configure, initializer=exit_with_parent, initargs=(os.getpid(),))
    return loky


def _received(block: Block, answer: Answer) -> Result:
    """The result of a worker; arrays that it returned are written to the record here."""
    if isinstance(answer.result, OSError):
        raise answer.result
    if answer.history:
        block.fill(answer.history)
    return answer.result
