"""The training loop: all epochs, and which runs leave it early.

A run leaves when its stop rule holds or when it diverges; the others continue without it, with the same bits.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xortrain.nets import Array, Numbers
from xortrain.nets.network import at_least_two
from xortrain.training.learner import Learner
from xortrain.training.success import STOP_RULES, JudgedEpoch, within
from xortrain.training.task import Choice, History, Task

CHECK_EVERY = 64  # epochs between two checks for divergence; training again from the last check finds the exact epoch


@dataclass(frozen=True)
class Checkpoint:
    """All that training depends on after the updates of ``epoch`` epochs: arrays with runs last, as in `Training`.

    ``state`` is that of ``optimizer``, ``memory`` that of the rule ``stop``; runs with ``left`` up to ``epoch`` have
    ended.  ``past`` is what was recorded before this epoch.
    """

    epoch: int
    theta: Array
    optimizer: str
    state: Numbers
    stop: Choice
    memory: Numbers
    left: Array
    last_wrong: Array
    diverged_at: Array
    diverged_in: Array
    past: History | None = None

    @classmethod
    def first(cls, task: Task) -> "Checkpoint":
        """The start of a training."""
        never = np.full((3, task.runs), -1, np.int32)
        left, now = np.full(task.runs, task.epochs + 1), task.at(0)
        return cls(0, task.theta, now.optimizer.name, {}, Choice("never"), {}, left, *never)


class Training:
    """The training of a task into a history; call ``run`` to its end, then read how the runs ended.

    Arrays (runs,): ``left`` is the first epoch that a run does not train, ``last_wrong`` its last epoch with a wrong
    example, ``diverged_at`` and ``diverged_in`` (an index in θ, -1 for the loss) its first value that is not finite.
    ``theta`` (parameters, runs) are the last finite parameters, ``state`` and ``memory`` what the optimizer and the
    stop rule remember after them.  Training starts at a checkpoint, if there is one, and pauses before epoch ``until``
    is judged.
    """

    def __init__(self, task: Task, history: History, start: Checkpoint | None = None, until: int | None = None) -> None:
        start = start or Checkpoint.first(task)
        self.task, self.history, self.start, self.until = task, history, start.epoch, until
        self.left = np.where(start.left > start.epoch, task.epochs + 1, start.left)
        self.theta, self.last_wrong = start.theta.copy(), start.last_wrong.copy()
        self.diverged_at, self.diverged_in = start.diverged_at.copy(), start.diverged_in.copy()
        same = start.optimizer == task.optimizer.name
        self.state = {name: value.copy() for name, value in start.state.items() if same}
        self.memory = STOP_RULES[task.stop.name].start(self.theta, -1)
        if _agree(start.stop, task.stop):
            self.memory |= {name: value.copy() for name, value in start.memory.items()}
        if start.past:
            history.fill(start.past)
        now, columns = task.at(start.epoch), np.flatnonzero(self.left > start.epoch)
        self._set(self.theta, columns, start.epoch)
        learner = Learner.of(now, self.theta.copy(), start.optimizer, start.state)
        memory = _memory(start.memory, start.stop, learner, start.epoch)
        if 0 < len(columns) < task.runs:
            learner, memory = learner.take(columns), taken(memory, columns)
        self.learner, self.columns = learner, columns
        if len(columns):
            self._enter(learner, columns, self.last_wrong[columns], memory, start.epoch)

    def run(self) -> Iterator[int]:
        """Train to the end; yields the number of epochs done at intervals."""
        epoch, end = self.start, self.task.epochs + 1 if self.until is None else self.until
        for stage_end in (*(stage.until for stage in self.task.stages if self.start < stage.until < end), end):
            while epoch < stage_end and len(self.columns):
                with np.errstate(all="ignore"):  # _check finds and names values that are not finite
                    epoch = self._advance(epoch, stage_end - 1)
                yield epoch
                epoch += 1
            if len(self.columns) and epoch <= self.task.epochs:
                self._end_stage(epoch)
        self._fill_after_the_end()

    def _advance(self, epoch: int, last: int) -> int:
        """Train up to the next epoch at which outputs are judged, including its update; returns that epoch."""
        while not self.monitor.forward(epoch) and epoch < last:
            self.learner.update(epoch)
            epoch += 1
        self._stop(epoch, self.monitor.judge())
        if epoch - self.checked >= CHECK_EVERY or epoch == self.task.epochs or 4 * self.gone.sum() > len(self.gone):
            self._check(epoch)
        if epoch < self.task.epochs and len(self.columns):
            self.learner.update(epoch)
        return epoch

    @np.errstate(all="ignore")
    def _end_stage(self, epoch: int) -> None:
        """Continue with the settings of the next stage, or pause, before this epoch is judged."""
        self._find_diverged(epoch)
        stay = np.flatnonzero(~self.gone)
        columns = self.columns[stay]
        if epoch == self.until:
            self._leave(stay, self.learner.theta[:, stay], epoch + 1)
        elif len(stay):
            before = self.learner.take(stay)
            self._set(before.theta, np.arange(len(stay)), epoch)
            learner = before.under(self.task.at(epoch).take(columns))
            memory = _memory(taken(self.watched, stay), before.task.stop, learner, epoch)
            self._enter(learner, columns, self.wrong[stay], memory, epoch)
        else:
            self.columns = columns

    def _set(self, theta: Array, columns: Array, epoch: int) -> None:
        """Set what the task sets by hand at this epoch, in these columns of θ."""
        for place, value in self.task.set_at(epoch):
            theta[place, columns] = value

    def checkpoint(self, past: History | None = None) -> Checkpoint:
        """The checkpoint at which training has paused."""
        assert self.until is not None
        now = self.task.at(max(0, self.until - 1))
        return Checkpoint(
            self.until, self.theta, now.optimizer.name, self.state, now.stop, self.memory,
            self.left, self.last_wrong, self.diverged_at, self.diverged_in, past,
        )  # fmt: skip

    def _enter(self, learner: Learner, columns: Array, wrong: Array, memory: Numbers, epoch: int) -> None:
        """Continue with the runs of a learner, which are these columns of the history."""
        if len(columns) == 1:
            both = at_least_two(np.zeros(1, int))
            learner, columns, wrong = learner.take(both), columns[both], wrong[both]
            memory = taken(memory, both)
        judge = self.task.take(columns) if self.task.stages else learner.task
        self.stops = STOP_RULES[learner.task.stop.name].holds
        is_buffered = self.stops is None and judge.test is None
        self.learner, self.columns, self.watched = learner, columns, memory
        self.monitor = Monitor(learner, judge, self.history, columns, wrong.copy(), is_buffered)
        self.wrong = self.monitor.wrong
        self.gone = np.zeros(len(columns), bool)
        self._save(epoch)

    def _save(self, epoch: int) -> None:
        self.checked = epoch
        self.saved = self.learner.saved()

    def _stop(self, epoch: int, right: Array) -> None:
        """Let runs whose stop rule holds leave after this epoch, if their numbers are finite."""
        if self.stops is None:
            return
        theta, monitor, rule = self.learner.theta, self.monitor, self.learner.task.stop
        sound = np.isfinite(theta).all(axis=0) & (monitor.bad_loss < 0) & ~self.gone
        losses = lambda: monitor.losses()[-1]
        judged = JudgedEpoch(epoch, theta, right[-1], sound, losses, monitor.test_losses, self.watched)
        holds = np.flatnonzero(self.stops(judged, **rule.settings, **rule.words) & sound)
        if len(holds):
            self._leave(holds, theta[:, holds], epoch + 1)

    def _leave(self, places: Array, theta: Array, epoch: int) -> None:
        """End these runs of the block with these parameters; ``epoch`` is the first that they do not train."""
        columns = self.columns[places]
        self.theta[:, columns], self.left[columns] = theta, epoch
        self.last_wrong[columns] = self.wrong[places]
        self.gone[places] = True
        for into, values in ((self.state, self.learner.state), (self.memory, self.watched)):
            for name, now in values.items():
                kept = into.setdefault(name, np.zeros((*now.shape[:-1], self.task.runs), now.dtype))
                kept[..., columns] = now[..., places]

    def _check(self, epoch: int) -> None:
        """Find the runs that have diverged since the last check, and continue with the others."""
        self._find_diverged(epoch)
        stay = np.flatnonzero(~self.gone)
        if epoch == self.task.epochs:
            self._leave(stay, self.learner.theta[:, stay], epoch + 1)
        elif len(stay) == len(self.gone):
            self._save(epoch)
        elif len(stay):
            wrong, memory = self.wrong[stay], taken(self.watched, stay)
            self._enter(self.learner.take(stay), self.columns[stay], wrong, memory, epoch)
            self.learner.full.forward()  # the update of this epoch uses its outputs
        else:
            self.columns = self.columns[:0]

    def _find_diverged(self, epoch: int) -> None:
        is_finite = np.isfinite(self.learner.theta).all(axis=0) & (self.monitor.bad_loss < 0)
        bad = np.flatnonzero(~is_finite & ~self.gone)
        if len(bad):
            self._diverge(bad, epoch)

    def _diverge(self, bad: Array, now: int) -> None:
        """Train these runs again from the last check, epoch by epoch, to the first value that is not finite."""
        some = at_least_two(bad)
        again = self.saved.take(some)
        bad_loss = self.monitor.bad_loss[some]
        waiting, before = np.ones(len(some), bool), again.theta.copy()
        for epoch in range(self.checked, now + 1):
            is_finite: Array = np.isfinite(again.theta)
            broken = ~np.logical_and.reduce(is_finite, axis=0)
            for place in np.flatnonzero(waiting & (broken | (bad_loss == epoch))):
                column = self.columns[some[place]]
                self.diverged_at[column] = epoch
                self.diverged_in[column] = is_finite[:, place].argmin() if broken[place] else -1
                last_finite = before if broken[place] else again.theta
                self._leave(some[[place]], last_finite[:, [place]], epoch)
                waiting[place] = False
            if not waiting.any():
                return
            before = again.theta.copy()
            again.full.forward()
            again.update(epoch)

    def _fill_after_the_end(self) -> None:
        """Repeat the last parameters of runs that have left in their later frames; set their later losses to nan."""
        self._record_memory()
        early = np.flatnonzero(self.left <= self.task.epochs)
        if not len(early):
            return
        for row, epoch in enumerate(self.history.frame_epochs):
            over = early[self.left[early] <= epoch]
            self.history.parameters[row][:, over] = self.theta[:, over]
        curves = [losses for losses in (self.history.losses, self.history.test_losses) if losses is not None]
        for row, epoch in enumerate(self.history.loss_epochs):
            over = early[self.left[early] <= epoch]
            for losses in curves:
                losses[row][over] = np.nan

    def _record_memory(self) -> None:
        """Record what the optimizer and the stop rule remember; nothing of the optimizer of a diverged run."""
        for name, into in self.history.state.items():
            into[:] = np.where(self.diverged_at < 0, self.state.get(name, np.zeros(1)), 0)
        if self.history.best is not None:
            self.history.best[:] = np.where(self.memory["best_at"] < 0, self.theta, self.memory["best"])


def taken(memory: Numbers, runs: Array) -> Numbers:
    """What is remembered of some of the runs."""
    return {name: values.take(runs, axis=-1) for name, values in memory.items()}


def _memory(memory: Numbers, stop: Choice, learner: Learner, epoch: int) -> Numbers:
    """What the stop rule of a learner remembers: what the rule ``stop`` remembered, if it is the same."""
    now = learner.task.stop
    fresh = STOP_RULES[now.name].start(learner.theta, epoch)
    return fresh | {name: memory[name].copy() for name in fresh.keys() & memory.keys() if _agree(stop, now)}


def _agree(one: Choice, other: Choice) -> bool:
    """Whether two choices are the same, with the same settings."""
    if (one.name, one.words, one.settings.keys()) != (other.name, other.words, other.settings.keys()):
        return False
    return all(np.array_equal(value, other.settings[name]) for name, value in one.settings.items())


BUFFER_BYTES = 16_384  # outputs judged together, which fit the first-level cache
MOST_SLOTS = 64  # epochs judged together


class Monitor:
    """Records losses and snapshots of the runs of a learner, which are these columns of the history.

    ``wrong`` (runs,) is the last epoch with a wrong example, ``bad_loss`` (runs,) the first recorded epoch whose loss
    is not finite; both are -1 for none.  ``judge`` is the task whose criterion and success rule are used.  With
    ``is_buffered`` the outputs of several epochs are judged together, which for a single run takes a tenth of the time.
    """

    def __init__(
        self, learner: Learner, judge: Task, history: History, columns: Array, wrong: Array, is_buffered: bool
    ) -> None:
        self.learner, self.judging, self.history, self.wrong = learner, judge, history, wrong
        self.into, self.out = _history_slices(columns, history.losses.shape[-1])
        self.bad_loss = np.full(len(columns), -1, np.int32)
        self.t = judge.data.t[:, :, None]
        lower, upper = judge.success.interval(judge.data.t)
        self.interval = collapsed(lower)[:, :, None], collapsed(upper)[:, :, None]
        z = learner.full.z[-1]
        self.slots = max(1, min(MOST_SLOTS, BUFFER_BYTES // z.nbytes)) if is_buffered else 1
        self.z = np.empty((*z.shape[:2], self.slots, z.shape[2]), z.dtype)
        self.y = np.empty_like(self.z)
        self.epochs: list[int] = []
        self.seen = slice(0, 0)

    def forward(self, epoch: int) -> bool:
        """The forward pass of an epoch; returns whether the buffer is full and should be judged."""
        slot, net = len(self.epochs), self.learner.full
        net.z[-1], net.a[-1] = self.z[:, :, slot], self.y[:, :, slot]
        net.forward()
        self.epochs.append(epoch)
        row = self.history.frame_rows.get(epoch)
        if row is not None:
            self.history.parameters[row][:, self.into] = self.learner.theta[:, self.out]
        return len(self.epochs) == self.slots

    def judge(self) -> Array:
        """Record the losses of the buffered epochs; returns which runs had every example right, (epochs, runs)."""
        epochs, self.epochs = self.epochs, []
        self.seen = slice(0, len(epochs))
        known = self.history.loss_rows
        rows = {slot: known[epoch] for slot, epoch in enumerate(epochs) if epoch in known}
        if rows:
            self._record(epochs, rows)
        right = np.logical_and.reduce(within(self.y[:, :, self.seen], self.interval), axis=0)
        if len(epochs) == 1:
            np.copyto(self.wrong, epochs[0], where=~right[0])
        else:
            np.maximum(self.wrong, np.where(right, -1, np.array(epochs)[:, None]).max(axis=0), out=self.wrong)
        return right

    def losses(self, slots: slice | list[int] | None = None) -> Array:
        """The losses of the epochs judged last: (epochs, runs)."""
        some = self.seen if slots is None else slots
        return self.judging.criterion.total(self.z[:, :, some], self.y[:, :, some], self.t)

    def test_losses(self) -> Array:
        """The losses of the held-out examples: (runs,)."""
        task = self.judging
        assert task.test is not None
        net = task.network.forward(self.learner.theta, task.test.x)
        return task.criterion.total(net.z[-1], net.y, task.test.t)

    def _record(self, epochs: list[int], rows: dict[int, int]) -> None:
        losses = self.losses(self.seen if len(rows) == len(epochs) else list(rows))
        places = list(rows.values())  # consecutive rows
        recorded = self.history.losses[places[0] : places[-1] + 1]
        recorded[:, self.into] = losses[:, self.out]
        for slot, bad in zip(rows, ~np.isfinite(losses), strict=True) if not np.isfinite(losses).all() else ():
            self.bad_loss[bad & (self.bad_loss < 0)] = epochs[slot]
        if self.history.test_losses is not None:
            self.history.test_losses[places[-1]][self.into] = self.test_losses()[self.out]


def _history_slices(columns: Array, runs: int) -> tuple[slice | Array, slice]:
    """The columns of the history that a block writes, and the runs of the block to write: slices if possible."""
    if np.array_equal(columns, np.arange(runs)):
        return slice(None), slice(None)
    if runs == 1:
        return slice(0, 1), slice(0, 1)
    return columns, slice(None)


def collapsed(bound: Array) -> Array:
    """A bound (examples, outputs, runs), reduced to (examples, outputs, 1) if it is the same for all runs."""
    first = bound[..., :1]
    return first.copy() if (bound == first).all() else bound
