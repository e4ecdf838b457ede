"""Where the blocks of a sweep are trained: in this process, in others beside it, or on a cluster.

Whatever an engine needs is looked for before anything is written.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

from xortrain.config.check import take
from xortrain.config.settings import LAUNCHER
from xortrain.errors import UserError, unknown
from xortrain.experiment.blocks import Block, Result, train_here
from xortrain.experiment.progress import Progress
from xortrain.experiment.workers import train_elsewhere

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
