"""`xortrain rerun --check`: runs trained again, and compared with what was kept of them.

Of a run that is not finished everything is compared that it had kept when it stopped.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xortrain.errors import FailedError, UserError
from xortrain.nets import Array
from xortrain.nets.network import Network
from xortrain.records.process import describe
from xortrain.records.reader import RecordReader
from xortrain.runner.train import empty_history, into_memory
from xortrain.runs.sweep_data import SweepData
from xortrain.runs.trained import RunData, TrainedRuns
from xortrain.training.loop import Training
from xortrain.training.task import History
from xortrain.views.summary import count

MOST_NOTES = 3  # blocks of a sweep whose rounding is told


def verify(found: RunData | SweepData) -> str:
    """Train again and compare with what was kept, some runs at a time; returns what is said if it is the same."""
    now, finished, cut, notes = describe(), 0, 0, list[Rounding | None]()
    for whole, places in _records(found):
        metadata = _record(whole).metadata
        for kept in _finished(whole, places):
            history, rows = into_memory(kept.setup, show=True)
            notes.append(_compared(kept, TrainedRuns(kept.setup, rows, history), metadata, now))
            finished += len(rows)
        for kept in _unfinished(whole, places):
            notes.append(_compared(*_as_far(kept), metadata, now))
            cut += len(kept.rows)
    if not finished + cut:
        raise UserError("nothing to compare: it stopped before anything was kept; xortrain resume trains it")
    roundings = [note for note in notes if note]
    lacking = (1 if isinstance(found, RunData) else len(found)) - finished - cut
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


def _records(found: RunData | SweepData) -> Iterator[tuple[TrainedRuns, Array]]:
    """Each record, with the places of those of its runs that are asked for."""
    if isinstance(found, RunData):
        yield found.trained, np.array([found.place])
        return
    for number in range(len(found.parts)):
        whole = found.population(number)
        yield whole, np.arange(len(whole.rows))


def _record(whole: TrainedRuns) -> RecordReader:
    assert isinstance(whole.kept, RecordReader)
    return whole.kept


def _finished(whole: TrainedRuns, places: Array) -> Iterator[TrainedRuns]:
    """Those that are finished, some at a time."""
    done = np.intersect1d(places, whole.finished)
    for start in range(0, len(done), whole.setup.block_size):
        yield whole.some(done[start : start + whole.setup.block_size])


def _unfinished(whole: TrainedRuns, places: Array) -> Iterator[TrainedRuns]:
    """Those that are not finished and of which something was kept, block by block."""
    record, waiting = _record(whole), np.setdiff1d(places, whole.finished)
    block = waiting // record.blocks.size
    for number in filter(record.has_block, np.unique(block).tolist()):
        own = waiting[block == number]
        own = own[~np.isnan(record.block_array("losses", number)[:, own % record.blocks.size]).all(axis=0)]
        if len(own):
            yield whole.some(own)


def _as_far(kept: TrainedRuns) -> tuple[TrainedRuns, TrainedRuns]:
    """What was kept of runs that are not finished, and the same of a training that goes as far.

    A block goes on for a while with runs that have left it: what is behind their end is no one's, and left out.
    """
    setup, again = kept.setup, empty_history(kept.setup)
    training = Training(setup.task(slice(None)), again)
    last = max(int(epochs[_rows_kept(old)].max(initial=0)) for old, _, epochs in _pairs(kept, again))
    for done in training.run():
        if done >= last:
            break
    for old, new, epochs in _pairs(kept, again):
        is_over = np.greater_equal.outer(epochs, training.left)  # (recorded, runs)
        old[is_over if old.ndim == 2 else np.broadcast_to(is_over[:, None], old.shape)] = np.nan
        new[np.isnan(old)] = np.nan
    return kept, TrainedRuns(setup, kept.rows, again)


def _pairs(kept: TrainedRuns, again: History) -> Iterator[tuple[Array, Array, Array]]:
    """Each array that was kept, the same of another training, and the epochs of both."""
    for what, epochs in ARRAYS.items():
        old, new = kept.array(what), getattr(again, what)
        if old is not None and new is not None:
            yield old, new, getattr(kept.setup, epochs)


def _rows_kept(values: Array) -> Array:
    """At which epochs there is a number of any run: (recorded,)."""
    return np.asarray(~np.isnan(values).reshape(len(values), -1).all(axis=1))


def _compared(
    kept: TrainedRuns, again: TrainedRuns, metadata: Mapping[str, Any], now: Mapping[str, Any]
) -> Rounding | None:
    """None if the bits are the same, what to say if another processor rounded otherwise; FailedError else."""
    difference = first_difference(kept, again)
    if difference is None:
        return None
    parted = first_difference(kept, again, NEAR)
    is_other_cpu = set(metadata.get("cpu_features", [])) != set(now["cpu_features"])
    around = surroundings(metadata, now)
    if is_other_cpu and (parted is None or parted.epoch > difference.epoch):
        until = "to the end" if parted is None else f"until epoch {parted.epoch}, where the paths have parted"
        lines = [f"Another CPU rounds otherwise from epoch {difference.epoch} on; the same to 1e-9 {until}.", *around]
        return Rounding("\n".join(lines), None if parted is None else parted.epoch)
    where = f"job {kept.setup.population.numbers[difference.run]}: " if len(kept.rows) > 1 else ""
    shown = around or ["versions and CPU features are those of the record"]
    raise FailedError(f"not the same: {where}{difference}", "\n".join(shown))


NEAR = 1e-9  # of a number's size, absolute where it is below 1
ARRAYS = {"losses": "loss_epochs", "test_losses": "loss_epochs", "parameters": "frame_epochs"}


@dataclass(frozen=True)
class Difference:
    """The first epoch that differs, in what, in which of the runs, and both values."""

    epoch: int
    what: str
    run: int
    kept: float
    again: float

    def __str__(self) -> str:
        return f"{self.what} after epoch {self.epoch}: kept {self.kept!r}, now {self.again!r}"


def first_difference(kept: TrainedRuns, again: TrainedRuns, near: float | None = None) -> Difference | None:
    """The earliest difference in bits, or in more than ``near``; in one epoch a parameter comes before its loss."""
    found = [_first(what, kept, again, near) for what in ("parameters", "losses", "test_losses")]
    return min((d for d in found if d), key=lambda d: d.epoch, default=None)


def _first(what: str, kept: TrainedRuns, again: TrainedRuns, near: float | None) -> Difference | None:
    old, new = kept.array(what), again.array(what)
    if old is None or new is None:
        return None
    differ = _bits_differ(old, new) if near is None else _differs_beyond(old, new, near)
    if not differ.any():
        return None
    place = np.unravel_index(int(differ.argmax()), differ.shape)
    called = places_of(kept.setup.shape)[place[1]] if what == "parameters" else what.replace("_", " ")[:-2]
    epoch = getattr(kept.setup, ARRAYS[what])[place[0]]
    return Difference(int(epoch), called, int(place[-1]), old[place].item(), new[place].item())


def _bits_differ(old: Array, new: Array) -> Array:
    bits = f"u{old.itemsize}"
    differ = np.ascontiguousarray(old).view(bits) != np.ascontiguousarray(new).view(bits)
    return np.asarray(differ & ~(np.isnan(old) & np.isnan(new)))


def _differs_beyond(old: Array, new: Array, near: float) -> Array:
    is_near = np.isclose(new, old, rtol=near, atol=near, equal_nan=True)
    return np.asarray(~is_near)


def places_of(network: Network) -> list[str]:
    """The name of each place in θ: W1[0,1], b1[0], …"""
    names = [""] * network.size
    for name, places in network.split(np.arange(network.size)).items():
        for index, place in np.ndenumerate(places):
            names[int(place)] = f"{name}[{','.join(map(str, index))}]"
    return names


def surroundings(metadata: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In which versions and CPU features the training of a record and this process differ, a line each."""
    lines = []
    for name in sorted({*metadata.get("versions", {}), *now["versions"]}):
        was, is_now = (described.get("versions", {}).get(name, "none") for described in (metadata, now))
        if was != is_now:
            lines.append(f"{name}: {was} then, {is_now} now")
    then, there = set(metadata.get("cpu_features", [])), set(now["cpu_features"])
    if then - there:
        lines.append(f"CPU features that are not here: {' '.join(sorted(then - there))}")
    if there - then:
        lines.append(f"CPU features that were not there: {' '.join(sorted(there - then))}")
    return lines
