"""The training loop of the machine: it trains many epochs in a call, and watches the runs meanwhile as `loop` does."""

from typing import Any

import numpy as np

from xortrain.machine.run import TileCall, TileExamples, tile_for
from xortrain.nets import Array, Numbers
from xortrain.nets.optimizers import SCHEDULES
from xortrain.training.learner import Learner, order
from xortrain.training.loop import CHECK_EVERY, Training, collapsed, taken
from xortrain.training.program import per_run, program
from xortrain.training.task import Data

WORK = 200_000_000  # numbers that are computed in a call, which takes some tens of milliseconds
ORDERS = 4_000_000  # places of examples in orders that are made for a call


class CompiledTraining(Training):
    """A training by the machine, with the same events as one by NumPy, in other last bits."""

    def _enter(self, learner: Learner, columns: Array, wrong: Array, memory: Numbers, epoch: int) -> None:
        self.learner, self.columns, self.watched = learner, columns, memory
        self.wrong, self.gone = wrong.astype(np.int32), np.zeros(len(columns), bool)
        judge = self.task.take(columns) if self.task.stages else learner.task
        self.program = program(learner.task, judge, learner.state, memory)
        self.own = np.array(per_run(learner.task, judge), learner.theta.dtype)
        bounds = tuple(collapsed(bound) for bound in judge.success.interval(judge.data.t))
        self.examples = self._as_examples(judge.data, bounds)
        self.tested = self._as_examples(judge.test, ()) if judge.test else None

    def _as_examples(self, data: Data, bounds: tuple[Array, ...]) -> TileExamples:
        return TileExamples.of(data.x, data.t, bounds, len(self.columns), self.learner.theta.dtype)

    def _advance(self, epoch: int, last: int) -> int:
        until = min(last + 1, epoch + self._epochs_of_a_call())
        left, at, where = self._call(epoch, until)
        ended = np.flatnonzero((left >= 0) & ~self.gone)
        if len(ended):
            columns = self.columns[ended]
            self._leave(ended, self.learner.theta[:, ended], left[ended])
            self.diverged_at[columns], self.diverged_in[columns] = at[ended], where[ended]
        stay = np.flatnonzero(~self.gone)
        if until > self.task.epochs:
            self._leave(stay, self.learner.theta[:, stay], self.task.epochs + 1)
        elif not len(stay):
            self.columns = self.columns[:0]
        elif 4 * len(stay) < 3 * len(self.gone):
            self._enter(self.learner.take(stay), self.columns[stay], self.wrong[stay], taken(self.watched, stay), until)
        return until - 1

    def _find_diverged(self, epoch: int) -> None:
        """A call has found all that have diverged."""

    def _epochs_of_a_call(self) -> int:
        runs, examples = len(self.columns), len(self.learner.task.data.x)
        most = WORK // (runs * max(1, self.program.work))
        return max(1, min(most, ORDERS // (runs * examples)) if self._is_shuffled else most)

    @property
    def _is_shuffled(self) -> bool:
        return self.learner.task.shuffle and self.learner.task.batch_size is not None

    def _call(self, first: int, until: int) -> Array:
        """Train from an epoch to before another; for each run: when it left, when and where it diverged, or -1."""
        learner, history, runs = self.learner, self.history, len(self.columns)
        dtype, epochs = learner.theta.dtype, range(first, until)
        groups = learner.state, self.watched
        joined = [_stacked(group, runs, dtype) for group in groups]
        ends = np.full((3, runs), -1, np.int32)
        ends[0, self.gone] = first  # those that have left before stay as they are
        orders = [order(learner.task.seeds, epoch, len(learner.task.data.x)) for epoch in epochs if self._is_shuffled]
        updated = range(first, min(until, self.task.epochs))  # there is no update after the last epoch
        is_constant = SCHEDULES[learner.task.schedule.name].is_constant
        factors = [np.broadcast_to(_factor(learner, epoch), runs) for epoch in updated if not is_constant]
        arrays: dict[str, Array | None] = {
            **self.program.arrays,
            "loss_rows": _rows(history.loss_epochs, first, until),
            "frame_rows": _rows(history.frame_epochs, first, until),
            "order": np.array(orders, np.int32) if orders else None,
            "setting_of": self.own,
            "factors": np.array(factors, dtype) if factors else None,
            "theta_of": learner.theta,
            "state_of": joined[0],
            "memory_of": joined[1],
            "losses": history.losses,
            "test_losses": history.test_losses,
            "frames": history.parameters,
            "columns": np.asarray(self.columns, np.int64),
            "wrong": self.wrong,
            **dict(zip(("left", "diverged_at", "diverged_in"), ends, strict=True)),
        }
        numbers: dict[str, int] = {
            **self.program.numbers,
            "runs": runs,
            "first": first,
            "last": until,
            "final": self.task.epochs,
            "window": CHECK_EVERY,
            "stride": history.losses.strides[0] // dtype.itemsize,
        }
        name: Any = self.task.instruction_set
        tile = tile_for(runs, numbers["slots"])
        TileCall(name, dtype, tile, numbers, arrays, self.examples, self.tested).train()
        for group, values in zip(groups, joined, strict=True):
            _unstack(values, group)
        return ends


def _stacked(group: Numbers, runs: int, dtype: "np.typing.DTypeLike") -> Array:
    """Arrays with runs last as one of them, (numbers, runs)."""
    return np.concatenate([np.empty((0, runs)), *(v.reshape(-1, runs) for v in group.values())]).astype(dtype)


def _unstack(joined: Array, group: Numbers) -> None:
    """Give arrays the numbers that they have in the joined one."""
    start = 0
    for values in group.values():
        rows = values.size // values.shape[-1]
        values[...] = joined[start : start + rows].reshape(values.shape)
        start += rows


def _factor(learner: Learner, epoch: int) -> Any:
    factor = learner.factor(epoch)
    return 1 if factor is None else factor


def _rows(recorded: Array, first: int, until: int) -> Array:
    """The row of each epoch from the first to before the last in what is recorded, -1 for none."""
    start, stop = np.searchsorted(recorded, (first, until))
    rows = np.full(until - first, -1, np.int32)
    rows[recorded[start:stop] - first] = np.arange(start, stop)
    return rows
