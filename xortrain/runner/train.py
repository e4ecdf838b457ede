"""Trains a population: in memory, or block by block into a record.

A block is trained from its settings alone, so it can be trained here, in another process, or again.
"""

import errno
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.random  # which NumPy imports on first use, and which loses Ctrl-C meanwhile

from xortrain.config.own_rows import OwnFile, files_of, hashes_of, use_again, with_files
from xortrain.errors import FailedError, UserError, error_words
from xortrain.nets import Array
from xortrain.records import layout
from xortrain.records.files import read_json, shown_path
from xortrain.records.lock import locked
from xortrain.records.process import describe
from xortrain.records.writer import BlockArrays, RecordWriter, new_folder
from xortrain.runner.progress import Progress, beating, progress
from xortrain.setup.column_names import UNNAMED
from xortrain.setup.earlier import described
from xortrain.setup.film_config import refuse_unfit_films
from xortrain.setup.own_data import OwnData
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup, recorded_epochs
from xortrain.trained.checkpoints import checkpoint_of
from xortrain.trained.run_data import RunData, TrainedRuns
from xortrain.training.engine import new_training, refuse_missing_machine
from xortrain.training.loop import Checkpoint
from xortrain.training.outcome import OUTCOMES, results
from xortrain.training.task import History, Results

RESUME, RENDER = "to continue: xortrain resume", "only the film is missing: xortrain render"
"""What a user runs after Ctrl-C: during training, and while the film of a finished run is made."""
Steps = Generator[int, None, Array]


@dataclass(frozen=True)
class Failure:
    """Why a block has no rows."""

    reason: str

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """The failure for an exception, in one line."""
        return cls(error_words(error))


Result = Array | Failure
"""The rows of a block, or why it has none."""


def train_run(config: Mapping[str, Any], own: OwnData | None = None) -> RunData:
    """Train one run in memory; ``own`` are the user's own examples."""
    return RunData(train_in_memory(Setup.of(Population(config, own=own))))


def record_run(config: Mapping[str, Any], say: Callable[[str], object] = len) -> RunData:
    """Train one run into a new record under its root; every setting is checked before the folder is made.

    ``say`` receives what was understood of a user's own data.
    """
    setup = Setup.of(Population(config))
    if config["film"]["name"] != "none":
        refuse_unfit_films([config], 1)
    if setup.columns.line:
        say(setup.columns.line)
    return train_into_folder(setup, config["root"], show=True)


def train_again(run: RunData, root: Path) -> RunData:
    """Train a recorded run again, with the settings and data of its record, into a new record under a root."""
    alone = run.setup.alone(run.place)
    refuse_missing_machine(alone.instruction_set)
    population = replace(alone.population, config={**run.config, "root": str(root)})
    losses, frames = recorded_epochs(population)
    setup = replace(alone, population=population, loss_epochs=losses, frame_epochs=frames, origin=None)
    return train_into_folder(setup, str(root), show=True)


def train_in_memory(setup: Setup, show: bool = False, start: Checkpoint | None = None) -> TrainedRuns:
    """Train a population and write nothing; a single run may start at a checkpoint."""
    with progress(epochs_to_train(setup), "epochs", show) as bar:
        return train_under(bar, setup, start)


def epochs_to_train(setup: Setup) -> int:
    """The epochs of all blocks of a population."""
    return len(_blocks(setup)) * setup.population.epochs


def train_under(bar: Progress, setup: Setup, start: Checkpoint | None = None) -> TrainedRuns:
    """Train a population in memory; its epochs count in a progress bar."""
    whole, rows, epochs, blocks = empty_history(setup), [], setup.population.epochs, _blocks(setup)
    for runs in map(blocks.runs_of, range(len(blocks))):
        rows.append(bar.follow(train_block(setup, runs, whole.columns(runs), start), epochs, epochs))
    return TrainedRuns(setup, np.concatenate(rows), whole)


def _blocks(setup: Setup) -> layout.Blocks:
    return layout.Blocks(setup.population.runs, setup.block_size)


def train_into_folder(setup: Setup, root: str, show: bool, start: Checkpoint | None = None) -> RunData:
    """Train one run into a new record under a root, from its start or from a checkpoint."""
    epochs = setup.population.epochs
    with new_record(root) as folder:
        record = start_record(setup, folder, "run", describe())
        with final_status([record]), progress(epochs, "epochs", show) as bar:
            _, history = Block.of(record, setup, 0).open()
            rows = bar.follow(train_block(setup, slice(0, 1), history, start), epochs, epochs)
            record.finish_block(0, rows)
    return RunData(TrainedRuns(setup, rows, history, folder))


def train_block(setup: Setup, runs: slice, history: History, start: Checkpoint | None = None) -> Steps:
    """Train some runs into their history, from a checkpoint if given; yields the epochs done, returns the rows."""
    training = new_training(setup.task(runs), history, start)
    yield from training.run()
    rows = rows_of(setup.population.part(runs), results(training))
    rows["best_at"] = training.memory.get("best_at", -1)
    return rows


def rows_of(p: Population, found: Results | None = None) -> Array:
    """A row for each run: number, seed, the settings that vary, and results once it is trained."""
    rows = layout.empty_rows(p.runs, {key: values.dtype for key, values in p.varying.items()})
    rows["number"], rows["seed"], rows["epochs_done"] = p.numbers, p.values("seed"), 0
    for key, values in p.varying.items():
        rows[key] = values
    for name in layout.ROW if found else ():
        if hasattr(found, name):
            rows[name] = getattr(found, name)
    return rows


def empty_history(setup: Setup) -> History:
    """A history in memory for all runs, filled with nan."""
    shape, dtype = (setup.shape.size, setup.population.runs), setup.population.dtype
    has_test, sizes = setup.test is not None, setup.state_sizes
    return History.empty(setup.loss_epochs, setup.frame_epochs, shape, dtype, has_test, sizes, setup.has_best)


def start_record(
    setup: Setup, folder: Path, kind: str, environment: Mapping[str, Any], block_size: int | None = None
) -> RecordWriter:
    """Begin the record of a population in an empty folder."""
    import yaml

    p, network = setup.population, setup.shape
    stages, columns = described(setup.earlier, p)
    metadata = {
        "kind": kind,
        **{key: p.config[key] for key in ("name", "tags", "notes")},
        "network": str(network),
        "parameters": {name: list(shape) for name, shape in network.shapes.items()},
        "runs": p.runs,
        "block_size": block_size or setup.block_size,
        "dtype": p.dtype.name,
        "engine": "compiled" if setup.instruction_set else "numpy",
        **({"instruction_set": setup.instruction_set} if setup.instruction_set else {}),
        "varies": list(p.varying),
        "has_test": setup.test is not None,
        **({"columns": asdict(setup.columns)} if setup.columns != UNNAMED else {}),
        **({"state": setup.state_sizes} if setup.state_sizes else {}),
        **({"has_best": True} if setup.has_best else {}),
        **({"parent": asdict(setup.origin)} if setup.origin else {}),
        **({"stages": stages} if stages else {}),
        **({"use": hashes} if (hashes := hashes_of(setup.configs)) else {}),
        "outcomes": list(OUTCOMES),
        "loss_epochs": setup.loss_epochs.tolist(),
        "frame_epochs": setup.frame_epochs.tolist(),
        **environment,
    }
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    config = yaml.dump(dict(p.config), Dumper=dumper, sort_keys=False, allow_unicode=True)
    return RecordWriter.start(folder, metadata, config, _data_arrays(setup), rows_of(p), columns)


def _data_arrays(setup: Setup) -> dict[str, Array]:
    """x and t in the units of the data, and their scaling; without an axis for runs where all runs share them."""
    named = {"x": setup.train.x, "t": setup.train.t}
    if setup.test:
        named |= {"x_test": setup.test.x, "t_test": setup.test.t}
    plain = {name: a[..., 0] if name[0] == "t" and a.shape[2] == 1 else a for name, a in named.items()}
    for name, scaling in (("x", setup.scaling.inputs), ("t", setup.scaling.targets)):
        plain |= dict(zip((f"{name}_shift", f"{name}_factor"), scaling.fitted or (), strict=False))
    return {name: np.ascontiguousarray(a) for name, a in plain.items()}


@contextmanager
def new_record(root: str, *parts: str) -> Iterator[Path]:
    """A new locked folder under a root; removed if an error comes before its record, or a run needs too much memory."""
    try:
        folder = new_folder(Path(root, *parts))
    except OSError as error:
        raise unwritable(root, error.strerror or str(error)) from None
    try:
        with working_in(folder, RESUME), locked(folder):
            yield folder
    except BaseException as error:
        is_memory = isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM
        if not _is_record(folder) or (is_memory and not parts):
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # the folder of the day, if it is empty now
                folder.parent.rmdir()
        raise


def _is_record(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (layout.RECORD, layout.SWEEP))


def unwritable(root: str, why: str) -> UserError:
    """The error for a root in which no record can be made."""
    return UserError(f"root={root}: cannot be written to ({why})")


@contextmanager
def working_in(folder: Path, command: str) -> Iterator[None]:
    """Add the folder to disk-full errors, and to Ctrl-C and failures the command that continues."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise type(error)(*[with_files(command, shown_path(folder))] * _is_record(folder)) from None
    except FailedError as error:
        raise FailedError(f"{error}; {with_files(command, shown_path(folder))}") from None
    except OSError as error:
        if error.filename is not None or "MPLCONFIGDIR" in str(error):  # matplotlib, which has no folder for its cache
            raise
        number, what = error.errno or errno.ENOSPC, error.strerror or f"not everything could be written ({error})"
        raise OSError(number, what, str(folder)) from None


@contextmanager
def final_status(records: Sequence[RecordWriter]) -> Iterator[None]:
    """Always write a final status: finished, interrupted or failed."""
    try:
        with beating(records):
            yield
        _end(records, "finished")
    except BaseException as error:
        is_interrupt = isinstance(error, KeyboardInterrupt)
        with suppress(OSError):  # on a full disk; the record then counts as crashed
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
    """A block of a record: its number, and the population that its ``runs`` are a part of.

    With a ``parent`` of the same runs it goes on from the parent's checkpoint; else it is trained from its start.
    ``use`` are the files of the user's own that another process needs.
    """

    record: RecordWriter
    setup: Setup
    number: int
    runs: slice
    parent: TrainedRuns | None = None
    use: tuple[OwnFile, ...] = ()

    @classmethod
    def of(cls, record: RecordWriter, setup: Setup, number: int, parent: TrainedRuns | None = None) -> "Block":
        return cls(record, setup, number, record.blocks.runs_of(number), parent)

    def __len__(self) -> int:
        return int(self.runs.stop - self.runs.start)

    def packed(self) -> "Block":
        """The same block with the setup of its own runs only, to be sent to another process."""
        record = replace(self.record, folder=self.record.folder.absolute())
        parent = self.parent and self.parent.take(np.arange(self.runs.start, self.runs.stop))
        files = tuple(files_of(self.setup.configs))
        return Block(record, self.setup.part(self.runs), self.number, slice(0, len(self)), parent, files)

    def open(self) -> tuple[BlockArrays, History]:
        """Make the files of this block, filled with nan; the history has them as its arrays."""
        setup, new = self.setup, self.record.block(self.number)
        arrays = new.losses, new.parameters, new.test_losses, new.state, new.best
        return new, History(setup.loss_epochs, setup.frame_epochs, *arrays)

    def fill(self, other: History) -> None:
        """Make the files of this block from the history of a worker that does not see them."""
        new, history = self.open()
        try:
            history.fill(other)
            new.take_place()
        finally:
            new.discard()

    def is_visible(self) -> bool:
        """Whether this process sees the same record, not another one in a folder of the same name."""
        try:
            found = read_json(self.record.folder / layout.RECORD)
        except UserError:
            return False
        return all(found.get(key) == self.record.metadata.get(key) for key in ("started", "host", "pid"))

    def train(self, bar: Progress, history: History | None = None) -> Result:
        """Train this block, by default into its files; any error becomes a failure, except those of the disk."""
        try:
            use_again(self.use)
            start = checkpoint_of(self.parent, self.setup, self.runs) if self.parent else None
            if history is not None:
                steps = train_block(self.setup, self.runs, history, start)
            else:
                new, into = self.open()
                steps = new.until_better(train_block(self.setup, self.runs, into, start))
            return bar.follow(steps, self.setup.population.epochs, len(self))
        except OSError as error:
            if error.errno != errno.ENOMEM:
                raise
            return Failure.of(MemoryError(error.strerror))
        except Exception as error:
            return Failure.of(error)
