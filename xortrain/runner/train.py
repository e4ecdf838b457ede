"""Training a population, block by block, into memory or into a record.

A block is trained from its settings alone, so it can be done here, in another process, or again.
"""

import errno
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.records import layout
from xortrain.records.files import shown_path
from xortrain.records.writer import BlockArrays, Blocks, RecordWriter, new_folder
from xortrain.runner.progress import Progress, beating, progress
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.loop import Training
from xortrain.training.outcome import OUTCOMES, results
from xortrain.training.task import History, Results

RESUME, RENDER = "to go on: xortrain resume", "only the film is missing: xortrain render"
"""The command that completes an interrupted training, and one whose film was interrupted."""
Steps = Generator[int, None, Array]


def train_block(setup: Setup, runs: slice, history: History) -> Steps:
    """Train some runs into a history of theirs; yields epochs done, returns their rows."""
    training = Training(setup.task(runs), history)
    yield from training.run()
    return rows_of(setup.population.part(runs), results(training))


def blank_rows(p: Population) -> Array:
    """Rows of runs that have not begun: number, seed and what varies."""
    rows = np.zeros(p.runs, layout.row_type({key: values.dtype for key, values in p.varying.items()}))
    for name, kind in layout.ROW:
        rows[name] = np.nan if kind == "<f8" else -1 if kind == "<i4" else 0
    rows["number"], rows["seed"], rows["epochs_done"] = p.numbers, p.values("seed"), 0
    for key, values in p.varying.items():
        rows[key] = values
    return rows


def rows_of(population: Population, found: Results) -> Array:
    """The rows of runs whose training is over."""
    rows = blank_rows(population)
    for field in fields(found):
        if field.name in (rows.dtype.names or ()):
            rows[field.name] = getattr(found, field.name)
    return rows


def into_memory(setup: Setup, show: bool = False) -> tuple[History, Array]:
    """Train and write nothing: the history of all runs, and their rows."""
    blocks = Blocks(setup.population.runs, setup.block_size)
    whole, parts, epochs = empty_history(setup), [], setup.population.epochs
    with progress(len(blocks) * epochs, "epochs", show) as shown:
        for runs in map(blocks.runs_of, range(len(blocks))):
            parts.append(shown.through(train_block(setup, runs, whole.columns(runs)), epochs, epochs))
    return whole, np.concatenate(parts)


def into_record(setup: Setup, record: RecordWriter, show: bool = False) -> tuple[History, Array]:
    """Train a single run into a started record and set its final status; returns its mapped history and its rows."""
    epochs = setup.population.epochs
    with ending([record]), progress(epochs, "epochs", show) as shown:
        history = history_of(setup, record.block(0))
        rows = shown.through(train_block(setup, record.blocks.runs_of(0), history), epochs, epochs)
        record.finish_block(0, rows)
    return history, rows


def start_record(
    setup: Setup, folder: Path, kind: str, environment: Mapping[str, Any], block_size: int | None = None
) -> RecordWriter:
    """Begin the record of a population in an empty folder."""
    import yaml

    p, network = setup.population, setup.shape
    metadata = {
        "kind": kind,
        **{key: p.config[key] for key in ("name", "tags", "notes")},
        "network": str(network),
        "parameters": {name: list(shape) for name, shape in network.shapes.items()},
        "runs": p.runs,
        "block_size": block_size or setup.block_size,
        "dtype": p.dtype.name,
        "varies": list(p.varying),
        "has_test": setup.test is not None,
        **({"columns": asdict(setup.columns)} if setup.columns.inputs else {}),
        "outcomes": list(OUTCOMES),
        "loss_epochs": setup.loss_epochs.tolist(),
        "frame_epochs": setup.frame_epochs.tolist(),
        **environment,
    }
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    config = yaml.dump(dict(p.config), Dumper=dumper, sort_keys=False, allow_unicode=True)
    return RecordWriter.start(folder, metadata, config, _data_arrays(setup), blank_rows(p))


def make_folder(root: str, *parts: str) -> Path:
    """A new folder of our own under the user's root."""
    try:
        return new_folder(Path(root, *parts))
    except OSError as error:
        raise unwritable(root, error.strerror or str(error)) from None


def unwritable(root: str, why: str) -> UserError:
    """The error for a root that no record can be put into."""
    return UserError(f"root={root}: cannot be written to ({why})")


def history_of(setup: Setup, arrays: BlockArrays) -> History:
    """The history that fills the arrays of a block."""
    return History(setup.loss_epochs, setup.frame_epochs, arrays.losses, arrays.parameters, arrays.test_losses)


def _data_arrays(setup: Setup) -> dict[str, Array]:
    """x and t as a reader wants them: what all runs share has no axis of runs."""
    named = {"x": setup.train.x, "t": setup.train.t}
    if setup.test:
        named |= {"x_test": setup.test.x, "t_test": setup.test.t}
    plain = {name: a[..., 0] if name[0] == "t" and a.shape[2] == 1 else a for name, a in named.items()}
    return {name: np.ascontiguousarray(a) for name, a in plain.items()}


def empty_history(setup: Setup) -> History:
    """A history in memory for all runs, filled with nan."""
    shape, dtype = (setup.shape.size, setup.population.runs), setup.population.dtype
    return History.empty(setup.loss_epochs, setup.frame_epochs, shape, dtype, setup.test is not None)


@contextmanager
def with_folder(folder: Path) -> Iterator[None]:
    """A full disk does not say which; the folder is told."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        number, what = error.errno or errno.ENOSPC, error.strerror or f"not all could be written ({error})"
        raise OSError(number, what, str(folder)) from None


@contextmanager
def resumable(rest: str, folder: Path) -> Iterator[None]:
    """Ctrl-C says with which command one goes on."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise type(error)(f"{rest} {shown_path(folder)}") from None


@contextmanager
def ending(records: Sequence[RecordWriter]) -> Iterator[None]:
    """Whatever happens, records that say they are running say in the end how they ended."""
    try:
        with beating(records):
            yield
        _end(records, "finished")
    except BaseException as error:
        is_interrupt = isinstance(error, KeyboardInterrupt)
        with suppress(OSError):  # a full disk: the record cannot say more, and is found to have crashed
            _end(records, *(("interrupted",) if is_interrupt else ("failed", f"{type(error).__name__}: {error}")))
        raise


def _end(records: Sequence[RecordWriter], status: str, reason: str = "") -> None:
    for record in records:
        if record.metadata["status"] == "running":
            if reason:
                record.event("failure", reason=reason)
            record.end(status)


@dataclass(frozen=True)
class Block:
    """A block of a record, by its number, and the build of the whole population."""

    record: RecordWriter
    setup: Setup
    number: int

    @property
    def runs(self) -> slice:
        return self.record.blocks.runs_of(self.number)

    def __len__(self) -> int:
        return int(self.runs.stop - self.runs.start)


@dataclass(frozen=True)
class Failure:
    """Why a block has no rows."""

    reason: str

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """The failure that an exception is, in one line."""
        text = (str(error).splitlines() or [""])[0]
        return cls(f"{type(error).__name__}: {text}" if text else type(error).__name__)


Result = Array | Failure


def train_here(blocks: Sequence[Block], shown: Progress) -> Iterator[tuple[Block, Result]]:
    """Train one block after the other in this process."""
    for block in blocks:
        yield block, _train_block_here(block, shown)


def _train_block_here(block: Block, shown: Progress) -> Result:
    history = history_of(block.setup, block.record.block(block.number))
    try:
        return shown.through(train_block(block.setup, block.runs, history), block.setup.population.epochs, len(block))
    except OSError:
        raise
    except Exception as error:
        return Failure.of(error)
