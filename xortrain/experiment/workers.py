"""Blocks in other processes, through joblib: what travels there, what comes back, and what if one is killed.

A worker writes the files of its own block and nothing else; where it cannot see the record it sends arrays back.
A killed worker costs its block, which is tried again: alone, to find out whether it was to blame.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from xortrain.errors import UserError
from xortrain.experiment.blocks import Block, Failure, Result
from xortrain.experiment.build import Build
from xortrain.experiment.interrupts import ENDS, end_with, put_off
from xortrain.experiment.progress import Progress
from xortrain.experiment.train import empty_history, history_of, train_block
from xortrain.nets import Array
from xortrain.records import layout
from xortrain.records.files import read_json
from xortrain.records.writer import BlockArrays, open_block


@dataclass(frozen=True)
class Parcel:
    """One block on its way: its place among those sent, its own part of the build, and where its files go."""

    place: int
    build: Build
    folder: Path
    about: Mapping[str, Any]
    number: int

    @classmethod
    def of(cls, place: int, block: Block) -> "Parcel":
        """Pack a block."""
        folder = block.record.folder.absolute()
        return cls(place, block.build.part(block.runs), folder, dict(block.record.about), block.number)


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
            history = history_of(parcel.build, open_block(parcel.folder, parcel.about, parcel.number))
        else:
            history = empty_history(parcel.build)
        rows = Progress().through(train_block(parcel.build, slice(None), history), 1, 1)
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
    return all(found.get(key) == parcel.about.get(key) for key in ("started", "host", "pid"))


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
            with put_off() as waiting:
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
