"""Training a population, block by block, into memory or into a record.

A block is trained from its settings alone, so it can be done here, in another process, or again.
"""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.experiment.build import Build
from xortrain.nets import Array
from xortrain.records import layout
from xortrain.records.writer import BlockArrays, Blocks, Record, new_folder
from xortrain.training.loop import Training
from xortrain.training.outcome import OUTCOMES, results
from xortrain.training.task import History, Results

Steps = Generator[int, None, Array]


def train_block(build: Build, runs: slice, history: History) -> Steps:
    """Train some runs into a history of theirs; yields epochs done, returns their rows."""
    training = Training(build.task(runs), history)
    yield from training.run()
    return rows_of(build, runs, results(training))


def blank_rows(build: Build) -> Array:
    """Rows of runs that have not begun: number, seed and what varies."""
    p = build.population
    rows = np.zeros(p.runs, layout.row_type({key: values.dtype for key, values in p.varying.items()}))
    for name, kind in layout.ROW:
        rows[name] = np.nan if kind == "<f8" else -1 if kind == "<i4" else 0
    rows["number"], rows["seed"], rows["epochs_done"] = p.numbers, p.values("seed"), 0
    for key, values in p.varying.items():
        rows[key] = values
    return rows


def rows_of(build: Build, runs: slice, found: Results) -> Array:
    """The rows of runs whose training is over."""
    rows = blank_rows(build)[runs]
    for field in fields(found):
        if field.name in (rows.dtype.names or ()):
            rows[field.name] = getattr(found, field.name)
    return rows


def into_memory(build: Build, progress: bool = False) -> tuple[History, Array]:
    """Train and write nothing: the history of all runs, and their rows."""
    blocks = Blocks(build.population.runs, build.block_size)
    whole, parts = _empty(build), []
    with _bar(build, len(blocks), progress) as shown:
        for runs in map(blocks.runs_of, range(len(blocks))):
            parts.append(shown(train_block(build, runs, _columns(whole, runs))))
    return whole, np.concatenate(parts)


def into_record(build: Build, record: Record, progress: bool = False) -> None:
    """Train into a record that has been started, and end it with what became of the training."""
    with _ending(record), _bar(build, len(record.blocks), progress) as shown:
        for block in range(len(record.blocks)):
            history = history_of(build, record.block(block))
            record.finish_block(block, shown(train_block(build, record.blocks.runs_of(block), history)))


def start_record(build: Build, folder: Path, kind: str = "run") -> Record:
    """Begin the record of a population in an empty folder."""
    import yaml

    from xortrain.records.environment import describe

    p, network = build.population, build.shape
    about = {
        "kind": kind,
        **{key: p.config[key] for key in ("name", "tags", "notes")},
        "network": str(network),
        "parameters": {name: list(shape) for name, shape in network.shapes.items()},
        "runs": p.runs,
        "block_size": build.block_size,
        "dtype": p.dtype.name,
        "varies": list(p.varying),
        "has_test": build.test is not None,
        "outcomes": list(OUTCOMES),
        "loss_epochs": build.loss_epochs.tolist(),
        "frame_epochs": build.frame_epochs.tolist(),
        **describe(),
    }
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    config = yaml.dump(dict(p.config), Dumper=dumper, sort_keys=False, allow_unicode=True)
    return Record.start(folder, about, config, _arrays(build), blank_rows(build))


def make_folder(root: str, *parts: str) -> Path:
    """A new folder of our own under the user's root."""
    try:
        return new_folder(Path(root, *parts))
    except OSError as error:
        raise UserError(f"root={root}: {error.strerror or error}") from None


def history_of(build: Build, arrays: BlockArrays) -> History:
    """The history that fills the arrays of a block."""
    return History(build.loss_epochs, build.frame_epochs, arrays.losses, arrays.parameters, arrays.test_losses)


def _arrays(build: Build) -> dict[str, Array]:
    """x and t as a reader wants them: what all runs share has no axis of runs."""
    named = {"x": build.train.x, "t": build.train.t}
    if build.test:
        named |= {"x_test": build.test.x, "t_test": build.test.t}
    return {name: a[..., 0] if name[0] == "t" and a.shape[2] == 1 else a for name, a in named.items()}


def _empty(build: Build) -> History:
    runs, dtype = build.population.runs, build.population.dtype
    losses = np.full((len(build.loss_epochs), runs), np.nan, dtype)
    parameters = np.full((len(build.frame_epochs), build.shape.size, runs), np.nan, dtype)
    test = np.full_like(losses, np.nan) if build.test else None
    return History(build.loss_epochs, build.frame_epochs, losses, parameters, test)


def _columns(whole: History, runs: slice) -> History:
    test = None if whole.test_losses is None else whole.test_losses[:, runs]
    return History(whole.loss_epochs, whole.frame_epochs, whole.losses[:, runs], whole.parameters[..., runs], test)


@contextmanager
def _ending(record: Record) -> Iterator[None]:
    """Whatever happens, the record says how it ended."""
    try:
        yield
    except KeyboardInterrupt:
        record.end("interrupted")
        raise
    except Exception as error:
        record.event("failure", reason=f"{type(error).__name__}: {error}")
        record.end("failed")
        raise
    record.end("finished")


@contextmanager
def _bar(build: Build, blocks: int, progress: bool) -> Iterator[Any]:
    """A function that runs the steps of a block to their end, with a bar on a terminal after half a second."""
    if not (progress and sys.stderr.isatty()):
        yield _drain
        return
    from tqdm import tqdm

    with tqdm(total=blocks * build.population.epochs, delay=0.5, unit=" epochs", leave=False) as shown:
        yield lambda steps: _drain(steps, shown)


def _drain(steps: Steps, shown: Any = None) -> Array:
    before = 0
    while True:
        try:
            now = next(steps)
        except StopIteration as end:
            return np.asarray(end.value)
        if shown is not None:
            shown.update(now - before)
            before = now
