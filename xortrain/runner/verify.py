"""Compares recorded runs with the same runs trained again, for `xortrain rerun --check`.

Unfinished runs are compared up to the last epoch that they recorded.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xortrain.config.own_rows import refuse_changed
from xortrain.errors import FailedError, UserError, counted
from xortrain.nets import Array
from xortrain.records.layout import parameter_names
from xortrain.records.process import describe
from xortrain.runner.train import empty_history, train_in_memory
from xortrain.trained.run_data import TrainedRuns
from xortrain.training.engine import new_training

NEAR = 1e-9  # relative and absolute tolerance, added
MOST_NOTES = 3  # blocks whose rounding is described
EPOCHS = {"parameters": "frame_epochs", "losses": "loss_epochs", "test_losses": "loss_epochs"}
"""The recorded arrays, and where the setup has their epochs."""


def verify(populations: Iterable[tuple[TrainedRuns, Array]]) -> str:
    """Train runs again, given by their populations and indices, and compare them with their records.

    Returns a report if all are the same; raises FailedError at the first difference.
    """
    now, finished, stopped, runs, notes = describe(), 0, 0, 0, list[Rounding | None]()
    for whole, places in populations:
        refuse_changed(whole.setup.configs, whole.metadata)
        runs += len(places)
        done, size = np.intersect1d(places, whole.finished), whole.setup.block_size
        for part in (whole.take(done[start : start + size]) for start in range(0, len(done), size)):
            notes.append(_compare(part, train_in_memory(part.setup, show=True), whole, now))
            finished += len(part.rows)
        for part in _stopped(whole, places):
            notes.append(_compare(part, _trained_as_far(part), whole, now))
            stopped += len(part.rows)
    if not finished + stopped:
        raise UserError("nothing to compare: it stopped before anything was recorded; xortrain resume trains it")
    roundings = [note for note in notes if note]
    compared, lacking = finished + stopped, runs - finished - stopped
    compared_runs = f"{counted(compared, 'run')}{_stopped_note(finished, stopped)}"
    report = f"{_agreement(roundings)} of {compared_runs}" + (f"; {lacking:,} had not started" if lacking else "")
    return "\n".join([report, *(note.text for note in roundings[:MOST_NOTES])])


@dataclass(frozen=True)
class Rounding:
    """The effect of another processor's rounding: in words, and the epoch from which runs differ by more than NEAR."""

    text: str
    apart_at: int | None


def _agreement(roundings: list[Rounding]) -> str:
    apart = [note.apart_at for note in roundings if note.apart_at is not None]
    if apart:
        effect = "where rounding on another CPU has changed the training: losses and parameters"
        return f"The same to 1e-9 until epoch {min(apart)}, {effect}"
    return f"The same {'to 1e-9' if roundings else 'to the bit'}: every recorded loss and parameter"


def _stopped_note(finished: int, stopped: int) -> str:
    if not stopped:
        return ""
    are = "is" if stopped == 1 else "are"
    return f", {stopped:,} of them not finished" if finished else f" that {are} not finished"


def _stopped(whole: TrainedRuns, places: Array) -> Iterator[TrainedRuns]:
    """Those of these runs that are unfinished and have recorded losses, block by block."""
    waiting = np.setdiff1d(places, whole.finished)
    for own in whole.by_block(waiting):
        begun = own[~np.isnan(whole.array("losses", own)).all(axis=0)]
        if len(begun):
            yield whole.take(begun)


def _trained_as_far(recorded: TrainedRuns) -> TrainedRuns:
    """Train unfinished runs as far as they are recorded; values after the end of a run are set to nan in both.

    A block trains its runs for some epochs after they end; those values have no meaning.
    """
    setup, history = recorded.setup, empty_history(recorded.setup)
    again = TrainedRuns(setup, recorded.rows, history)
    training = new_training(setup.task(), history)
    last = 0
    for _, old, _, epochs in _pairs(recorded, again):
        has_values = ~np.isnan(old).reshape(len(old), -1).all(axis=1)  # (recorded,)
        last = max(last, int(epochs[has_values].max(initial=0)))
    for done in training.run():
        if done >= last:
            break
    for _, old, new, epochs in _pairs(recorded, again):
        is_over = np.greater_equal.outer(epochs, training.left)  # (recorded, runs)
        old[is_over if old.ndim == 2 else np.broadcast_to(is_over[:, None], old.shape)] = np.nan
        new[np.isnan(old)] = np.nan
    return again


def _pairs(recorded: TrainedRuns, again: TrainedRuns) -> Iterator[tuple[str, Array, Array, Array]]:
    """Each recorded array by name, the same array of another training, and their epochs."""
    for what, epochs in EPOCHS.items():
        if what != "test_losses" or recorded.setup.test:
            yield what, recorded.array(what), again.array(what), getattr(recorded.setup, epochs)
    if recorded.setup.has_best:
        last = np.array([recorded.setup.population.epochs])
        yield "best parameters", recorded.array("best")[None], again.array("best")[None], last


def _compare(part: TrainedRuns, again: TrainedRuns, whole: TrainedRuns, now: Mapping[str, Any]) -> Rounding | None:
    """None for the same bits, a note if another processor rounds differently; FailedError for other differences."""
    difference = first_difference(part, again)
    if difference is None:
        return None
    then, apart = whole.metadata, first_difference(part, again, NEAR)
    is_other_cpu = set(then.get("cpu_features", [])) != set(now["cpu_features"])
    around = surroundings(then, now)
    if is_other_cpu and (apart is None or apart.epoch > difference.epoch):
        until = "to the end" if apart is None else f"until epoch {apart.epoch}, where they differ by more"
        first = f"Another CPU rounds differently from epoch {difference.epoch} on; the same to 1e-9 {until}."
        return Rounding("\n".join([first, *around]), None if apart is None else apart.epoch)
    where = f"job {part.setup.population.numbers[difference.run]}: " if len(part.rows) > 1 else ""
    shown = around or ["versions and CPU features are those of the record"]
    raise FailedError(f"not the same: {where}{difference}", "\n".join(shown))


@dataclass(frozen=True)
class Difference:
    """The first epoch that differs, the array or parameter, the run, and both values."""

    epoch: int
    what: str
    run: int
    recorded: float
    again: float

    def __str__(self) -> str:
        return f"{self.what} after epoch {self.epoch}: recorded {self.recorded!r}, now {self.again!r}"


def first_difference(recorded: TrainedRuns, again: TrainedRuns, near: float | None = None) -> Difference | None:
    """The earliest difference in bits, or by more than ``near``; in one epoch parameters come before losses."""
    found = []
    for what, old, new, epochs in _pairs(recorded, again):
        differ = _bits_differ(old, new) if near is None else ~np.isclose(new, old, rtol=near, atol=near, equal_nan=True)
        if differ.any():
            place = np.unravel_index(int(differ.argmax()), differ.shape)
            shapes = recorded.setup.shape.shapes
            names = parameter_names(shapes) if "parameters" in what else []
            name = f"{what[:-10]}{names[place[1]]}" if names else what.replace("_", " ")[:-2]
            found.append(Difference(int(epochs[place[0]]), name, int(place[-1]), old[place].item(), new[place].item()))
    return min(found, key=lambda difference: difference.epoch, default=None)


def _bits_differ(old: Array, new: Array) -> Array:
    bits = f"u{old.itemsize}"
    differ = np.ascontiguousarray(old).view(bits) != np.ascontiguousarray(new).view(bits)
    return np.asarray(differ & ~(np.isnan(old) & np.isnan(new)))


def surroundings(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """A line for each difference in versions and CPU features between a record and this process."""
    lines = []
    for name in sorted({*then.get("versions", {}), *now["versions"]}):
        was, is_now = (described.get("versions", {}).get(name, "none") for described in (then, now))
        if was != is_now:
            lines.append(f"{name}: {was} then, {is_now} now")
    before, here = set(then.get("cpu_features", [])), set(now["cpu_features"])
    if before - here:
        lines.append(f"CPU features that are missing here: {' '.join(sorted(before - here))}")
    if here - before:
        lines.append(f"CPU features that were missing then: {' '.join(sorted(here - before))}")
    return lines
