"""Training a population, block by block, into memory or into a record.

A block is trained from its settings alone, so it can be done here, in another process, or again.
"""

import errno
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.experiment.build import Build
from xortrain.experiment.population import Population
from xortrain.experiment.progress import beating, progress
from xortrain.experiment.titles import typed
from xortrain.nets import Array
from xortrain.records import layout
from xortrain.records.writer import BlockArrays, Blocks, Record, new_folder
from xortrain.training.loop import Training
from xortrain.training.outcome import OUTCOMES, results
from xortrain.training.task import History, Results

GO_ON, FILM = "to go on: xortrain resume", "only the film is missing: xortrain render"
"""What makes the rest of an interrupted training, and of one whose film was."""
Steps = Generator[int, None, Array]


def train_block(build: Build, runs: slice, history: History) -> Steps:
    """Train some runs into a history of theirs; yields epochs done, returns their rows."""
    training = Training(build.task(runs), history)
    yield from training.run()
    return rows_of(build.population.part(runs), results(training))


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


def into_memory(build: Build, show: bool = False) -> tuple[History, Array]:
    """Train and write nothing: the history of all runs, and their rows."""
    blocks = Blocks(build.population.runs, build.block_size)
    whole, parts, epochs = empty_history(build), [], build.population.epochs
    with progress(len(blocks) * epochs, "epochs", show) as shown:
        for runs in map(blocks.runs_of, range(len(blocks))):
            parts.append(shown.through(train_block(build, runs, _columns(whole, runs)), epochs, epochs))
    return whole, np.concatenate(parts)


def into_record(build: Build, record: Record, show: bool = False) -> None:
    """Train a single run into a record that has been started, and end it with what became of the training."""
    epochs = build.population.epochs
    with ending([record]), progress(epochs, "epochs", show) as shown:
        history = history_of(build, record.block(0))
        record.finish_block(0, shown.through(train_block(build, record.blocks.runs_of(0), history), epochs, epochs))


def start_record(
    build: Build, folder: Path, kind: str, environment: Mapping[str, Any], block_size: int | None = None
) -> Record:
    """Begin the record of a population in an empty folder."""
    import yaml

    p, network = build.population, build.shape
    about = {
        "kind": kind,
        **{key: p.config[key] for key in ("name", "tags", "notes")},
        "network": str(network),
        "parameters": {name: list(shape) for name, shape in network.shapes.items()},
        "runs": p.runs,
        "block_size": block_size or build.block_size,
        "dtype": p.dtype.name,
        "varies": list(p.varying),
        "has_test": build.test is not None,
        **({"columns": asdict(build.columns)} if build.columns.inputs else {}),
        "outcomes": list(OUTCOMES),
        "loss_epochs": build.loss_epochs.tolist(),
        "frame_epochs": build.frame_epochs.tolist(),
        **environment,
    }
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    config = yaml.dump(dict(p.config), Dumper=dumper, sort_keys=False, allow_unicode=True)
    return Record.start(folder, about, config, _arrays(build), blank_rows(p))


def make_folder(root: str, *parts: str) -> Path:
    """A new folder of our own under the user's root."""
    try:
        return new_folder(Path(root, *parts))
    except OSError as error:
        raise unwritable(root, error.strerror or str(error)) from None


def unwritable(root: str, why: str) -> UserError:
    """The error for a root that no record can be put into."""
    return UserError(f"root={root}: cannot be written to ({why})")


def history_of(build: Build, arrays: BlockArrays) -> History:
    """The history that fills the arrays of a block."""
    return History(build.loss_epochs, build.frame_epochs, arrays.losses, arrays.parameters, arrays.test_losses)


def _arrays(build: Build) -> dict[str, Array]:
    """x and t as a reader wants them: what all runs share has no axis of runs."""
    named = {"x": build.train.x, "t": build.train.t}
    if build.test:
        named |= {"x_test": build.test.x, "t_test": build.test.t}
    plain = {name: a[..., 0] if name[0] == "t" and a.shape[2] == 1 else a for name, a in named.items()}
    return {name: np.ascontiguousarray(a) for name, a in plain.items()}


def empty_history(build: Build) -> History:
    """A history in memory for all runs, full of nan."""
    like = np.broadcast_to(build.population.dtype.type(), (build.shape.size, build.population.runs))
    return History.sized(build.loss_epochs, build.frame_epochs, like, bool(build.test))


def _columns(whole: History, runs: slice) -> History:
    test = None if whole.test_losses is None else whole.test_losses[:, runs]
    return History(whole.loss_epochs, whole.frame_epochs, whole.losses[:, runs], whole.parameters[..., runs], test)


@contextmanager
def told_where(folder: Path) -> Iterator[None]:
    """A full disk does not say which; the folder is told."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        number, what = error.errno or errno.ENOSPC, error.strerror or f"not all could be written ({error})"
        raise OSError(number, what, str(folder)) from None


@contextmanager
def interruptible(rest: str, folder: Path) -> Iterator[None]:
    """Ctrl-C says with which command one goes on."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise type(error)(f"{rest} {typed(folder)}") from None


@contextmanager
def ending(records: Sequence[Record]) -> Iterator[None]:
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


def _end(records: Sequence[Record], status: str, reason: str = "") -> None:
    for record in records:
        if record.about["status"] == "running":
            if reason:
                record.event("failure", reason=reason)
            record.end(status)
