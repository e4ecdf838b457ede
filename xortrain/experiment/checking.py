"""`xortrain rerun --check`: runs trained again, and compared with what was kept of them.

Of a run that is not finished everything is compared that it had kept when it stopped.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xortrain.errors import FailedError, UserError
from xortrain.experiment.comparison import ARRAYS, NEAR, first_difference, surroundings
from xortrain.experiment.runs import Sweep
from xortrain.experiment.summary import count
from xortrain.experiment.train import empty_history, into_memory
from xortrain.experiment.trained import Run, Trained
from xortrain.nets import Array
from xortrain.records.environment import describe
from xortrain.records.reader import StoredRecord
from xortrain.training.loop import Training
from xortrain.training.task import History

MOST_NOTES = 3  # blocks of a sweep whose rounding is told


def check(found: Run | Sweep) -> str:
    """Train again and compare with what was kept, some runs at a time; returns what is said if it is the same."""
    now, finished, cut, notes = describe(), 0, 0, list[Rounding | None]()
    for whole, places in _records(found):
        about = _record(whole).about
        for kept in _finished(whole, places):
            history, rows = into_memory(kept.build, show=True)
            notes.append(_compared(kept, Trained(kept.build, rows, history), about, now))
            finished += len(rows)
        for kept in _unfinished(whole, places):
            notes.append(_compared(*_as_far(kept), about, now))
            cut += len(kept.rows)
    if not finished + cut:
        raise UserError("nothing to compare: it stopped before anything was kept; xortrain resume trains it")
    roundings = [note for note in notes if note]
    lacking = (1 if isinstance(found, Run) else len(found)) - finished - cut
    said = f"{_how(roundings)} of {count(finished + cut, 'run')}{_so_far(finished, cut)}"
    told = [note.text for note in roundings[:MOST_NOTES]]
    return "\n".join([f"{said}; {lacking:,} had not begun" if lacking else said, *told])


@dataclass(frozen=True)
class Rounding:
    """What another processor's rounding has done: in words, and after which epoch runs are no longer near."""

    text: str
    parted: int | None


def _how(roundings: list[Rounding]) -> str:
    """How far what was kept is the same."""
    parted = [note.parted for note in roundings if note.parted is not None]
    if parted:
        return f"The same to 1e-9 until epoch {min(parted)}, where another CPU's rounding has parted the paths: losses"
    how = "The same to 1e-9" if roundings else "The same to the bit"
    return f"{how}: every kept loss and parameter"


def _so_far(finished: int, cut: int) -> str:
    """Which of them are not finished."""
    if not cut:
        return ""
    return f", {cut:,} of them not finished" if finished else f" that {'is' if cut == 1 else 'are'} not finished"


def _records(found: Run | Sweep) -> Iterator[tuple[Trained, Array]]:
    """Each record, with the places of those of its runs that are asked for."""
    if isinstance(found, Run):
        yield found.trained, np.array([found.place])
        return
    for number in range(len(found.parts)):
        whole = found.population(number)
        yield whole, np.arange(len(whole.rows))


def _record(whole: Trained) -> StoredRecord:
    assert isinstance(whole.kept, StoredRecord)
    return whole.kept


def _finished(whole: Trained, places: Array) -> Iterator[Trained]:
    """Those that are finished, some at a time."""
    done = np.intersect1d(places, whole.finished)
    for start in range(0, len(done), whole.build.block_size):
        yield whole.some(done[start : start + whole.build.block_size])


def _unfinished(whole: Trained, places: Array) -> Iterator[Trained]:
    """Those that are not finished and of which something was kept, block by block."""
    record, waiting = _record(whole), np.setdiff1d(places, whole.finished)
    block = waiting // record.blocks.size
    for number in filter(record.has_block, np.unique(block).tolist()):
        own = waiting[block == number]
        own = own[~np.isnan(record.block_array("losses", number)[:, own % record.blocks.size]).all(axis=0)]
        if len(own):
            yield whole.some(own)


def _as_far(kept: Trained) -> tuple[Trained, Trained]:
    """What was kept of runs that are not finished, and the same of a training that goes as far.

    A block goes on for a while with runs that have left it: what is behind their end is no one's, and left out.
    """
    build, again = kept.build, empty_history(kept.build)
    training = Training(build.task(slice(None)), again)
    last = max(int(epochs[_rows_kept(old)].max(initial=0)) for old, _, epochs in _pairs(kept, again))
    for done in training.run():
        if done >= last:
            break
    for old, new, epochs in _pairs(kept, again):
        is_over = np.greater_equal.outer(epochs, training.left)  # (recorded, runs)
        old[is_over if old.ndim == 2 else np.broadcast_to(is_over[:, None], old.shape)] = np.nan
        new[np.isnan(old)] = np.nan
    return kept, Trained(build, kept.rows, again)


def _pairs(kept: Trained, again: History) -> Iterator[tuple[Array, Array, Array]]:
    """Each array that was kept, the same of another training, and the epochs of both."""
    for what, epochs in ARRAYS.items():
        old, new = kept.array(what), getattr(again, what)
        if old is not None and new is not None:
            yield old, new, getattr(kept.build, epochs)


def _rows_kept(values: Array) -> Array:
    """At which epochs there is a number of any run: (recorded,)."""
    return np.asarray(~np.isnan(values).reshape(len(values), -1).all(axis=1))


def _compared(kept: Trained, again: Trained, about: Mapping[str, Any], now: Mapping[str, Any]) -> Rounding | None:
    """None if the bits are the same, what to say if another processor rounded otherwise; FailedError else."""
    difference = first_difference(kept, again)
    if difference is None:
        return None
    parted = first_difference(kept, again, NEAR)
    is_other_cpu = set(about.get("cpu_features", [])) != set(now["cpu_features"])
    around = surroundings(about, now)
    if is_other_cpu and (parted is None or parted.epoch > difference.epoch):
        until = "to the end" if parted is None else f"until epoch {parted.epoch}, where the paths have parted"
        lines = [f"Another CPU rounds otherwise from epoch {difference.epoch} on; the same to 1e-9 {until}.", *around]
        return Rounding("\n".join(lines), None if parted is None else parted.epoch)
    where = f"job {kept.build.population.numbers[difference.run]}: " if len(kept.rows) > 1 else ""
    shown = around or ["versions and CPU features are those of the record"]
    raise FailedError(f"not the same: {where}{difference}", "\n".join(shown))
