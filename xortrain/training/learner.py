"""Runs trained side by side: their parameters, the state of their optimizer, and the updates of one epoch.

A full batch is one update per epoch; smaller batches come in the order of the data, or shuffled for each run by its
seed.  That order depends on seed, epoch and example alone, so it can be recomputed at any epoch.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from xortrain.nets import Array, Numbers
from xortrain.nets.network import Pass
from xortrain.nets.optimizers import OPTIMIZERS, SCHEDULES, shape_gradient
from xortrain.nets.setting import in_use
from xortrain.nets.twins import Twins
from xortrain.training.task import Data, Task


@dataclass(frozen=True)
class LearnerState:
    """Runs between two epochs: their θ and the state of their optimizer."""

    task: Task
    theta: Array
    state: dict[str, Array]

    def take(self, runs: Array) -> "Learner":
        """A learner of some of the runs, by their indices; its arrays are contiguous."""
        state = {name: value.take(runs, axis=-1) for name, value in self.state.items()}
        are_twins = len(runs) == 2 and runs[0] == runs[1]
        return Learner(self.task.take(runs), self.theta.take(runs, axis=-1), state, Twins if are_twins else Pass)


class Descent:
    """An update as a task makes it; ``options`` are the settings of its optimizer in use, arrays (runs,)."""

    def __init__(self, task: Task, options: Mapping[str, Array] | None = None) -> None:
        self.row = OPTIMIZERS[task.optimizer.name]
        self.options, self.shaping = self.row.divided(options_in_use(task) if options is None else options)
        self._is_weight = task.network.are_weights.astype(task.theta.dtype)
        places = task.network.split(np.arange(task.network.size))
        self.frozen = [place for name in task.freeze for place in places[name].ravel().tolist()]

    def start(self, theta: Array, lr: Array) -> dict[str, Array]:
        """The state of the optimizer before its first update."""
        return self.row.start(theta, lr, **self.options)

    def update(self, theta: Array, g: Array, state: dict[str, Array], lr: Array, kept: Array) -> None:
        """Change θ and the state by the gradient, which may be overwritten; frozen parameters are ``kept``."""
        if self.shaping:
            shape_gradient(theta, self._is_weight, g, **self.shaping)
        self.row.update(theta, g, state, lr, **self.options)
        if self.frozen:
            theta[self.frozen] = kept


def options_in_use(task: Task) -> Mapping[str, Array]:
    """The settings of the optimizer, (runs,), without optional ones that are 0 for every run."""
    return in_use(OPTIMIZERS[task.optimizer.name].settings, task.optimizer.settings)


class Learner:
    """The runs of a task, at least two, with their θ, the state of their optimizer and the ``kind`` of their passes."""

    def __init__(self, task: Task, theta: Array, state: Numbers | None = None, kind: type[Pass] = Pass) -> None:
        self.task, self.theta, self.kind = task, theta, kind
        self.descent = Descent(task)
        self.state = self.descent.start(theta, task.lr) if state is None else state
        self.full = kind(task.network, theta, task.data.x)
        self.parts: dict[int, Pass] = {}
        self._schedule = SCHEDULES[task.schedule.name]
        self._kept = theta[self.descent.frozen]

    def saved(self) -> "LearnerState":
        """A copy of the current state, to restart from."""
        return LearnerState(self.task, self.theta.copy(), {name: value.copy() for name, value in self.state.items()})

    def take(self, runs: Array) -> "Learner":
        """A learner of some of the runs, by their indices, with copies of their current state."""
        return LearnerState(self.task, self.theta, self.state).take(runs)

    def under(self, task: Task) -> "Learner":
        """The same runs with the settings of another task."""
        if task is self.task:
            return self
        return Learner.of(task, self.theta, self.task.optimizer.name, self.state, self.kind)

    @classmethod
    def of(cls, task: Task, theta: Array, optimizer: str, state: Numbers, kind: type[Pass] = Pass) -> "Learner":
        """A learner that takes over the state of an optimizer; the state of another one starts anew."""
        new = cls(task, theta, kind=kind)
        for name, fresh in new.state.items() if optimizer == task.optimizer.name else ():
            if name in state:
                fresh[:] = state[name].reshape(fresh.shape)
        return new

    def update(self, epoch: int) -> None:
        """Train one epoch; with a full batch, from the outputs of the last forward pass of ``full``."""
        lr = self.rate(epoch)
        if self.task.batch_size is None:
            self._descend(self.full, self.task.data.t, lr)
            return
        for x, t in self.batches(epoch):
            if len(x) not in self.parts:
                self.parts[len(x)] = self.kind(self.task.network, self.theta, x)
            part = self.parts[len(x)]
            part.x = x
            part.forward()
            self._descend(part, t, lr)

    def rate(self, epoch: int) -> Array:
        """The learning rates of an epoch, (runs,) or (parameters, runs)."""
        factor = self.factor(epoch)
        return self.task.lr if factor is None else self.task.lr * factor

    def factor(self, epoch: int) -> Array | None:
        """What the schedule multiplies the rates of an epoch by, (runs,); None for 1."""
        return self._schedule.factor(epoch, self.task.epochs, **self.task.schedule.settings)

    def batches(self, epoch: int) -> Iterator[tuple[Array, Array]]:
        """x and t of each update of an epoch, in order."""
        data, size = self.task.data, self.task.batch_size or len(self.task.data.x)
        if self.task.shuffle and self.task.batch_size:
            rows = order(self.task.seeds, epoch, len(data.x))
            data = Data(shuffled(data.x, rows), shuffled(data.t, rows))
        return batches(data.x, data.t, size)

    def _descend(self, net: Pass, t: Array, lr: Array) -> None:
        g = net.backward(self.task.criterion.delta(net.z[-1], net.y, t))
        self.descent.update(self.theta, g, self.state, lr, self._kept)


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def scramble(n: Array) -> Array:
    """SplitMix64's finalizer (Steele, Lea & Flood 2014), uint64 to uint64: each bit depends on all."""
    n = (n ^ (n >> np.uint64(30))) * _FIRST
    n = (n ^ (n >> np.uint64(27))) * _SECOND
    return np.asarray(n ^ (n >> np.uint64(31)))


def order(seeds: Array, epoch: int, examples: int) -> Array:
    """A permutation of the examples for each run, (examples, runs): the order of scrambled (seed, epoch, example)."""
    steps = np.arange(1, examples + 1, dtype=np.uint64)[:, None]
    key = scramble(scramble(seeds.astype(np.uint64)) + np.array([epoch], np.uint64) * _GOLDEN)
    return np.argsort(scramble(key + steps * _GOLDEN), axis=0, kind="stable")


def shuffled(values: Array, rows: Array) -> Array:
    """values (examples, units[, 1 or runs]) with each run's examples in its own order."""
    if values.ndim == 3 and values.shape[2] > 1:
        return np.take_along_axis(values, rows[:, None], axis=0)
    shared = values[..., 0] if values.ndim == 3 else values
    return shared.T[:, rows].swapaxes(0, 1)


def batches(x: Array, t: Array, size: int) -> Iterator[tuple[Array, Array]]:
    """x and t in batches of ``size`` examples; the last may be smaller."""
    for start in range(0, len(x), size):
        yield x[start : start + size], t[start : start + size]
