"""Runs that learn side by side: their parameters, the optimizer's state, and the epoch that changes both.

An epoch is one update in full batch, and one for each batch otherwise.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xortrain.nets import Array
from xortrain.nets.network import Pass
from xortrain.nets.optimizers import OPTIMIZERS
from xortrain.nets.schedules import SCHEDULES
from xortrain.training.batches import batches, order, shuffled
from xortrain.training.task import Data, Task


@dataclass(frozen=True)
class Resting:
    """Runs between two epochs: their θ and the optimizer's state."""

    task: Task
    theta: Array
    state: dict[str, Array]

    def take(self, runs: Array) -> "Learner":
        """Some of them, by their places, ready to go on; contiguous, whatever `take` is given."""
        state = {name: value.take(runs, axis=-1) for name, value in self.state.items()}
        return Learner(self.task.take(runs), self.theta.take(runs, axis=-1), state)


class Learner:
    """The runs of a task, at least two, and what they have come to: θ and the optimizer's state."""

    def __init__(self, task: Task, theta: Array, state: dict[str, Array] | None = None) -> None:
        self.task, self.theta = task, theta
        self.optimizer, self.options = OPTIMIZERS[task.optimizer.name], task.optimizer.settings
        self.state = self.optimizer.start(theta, task.lr, **self.options) if state is None else state
        self.full = Pass(task.network, theta, task.data.x)
        self.parts: dict[int, Pass] = {}
        self._schedule = SCHEDULES[task.schedule.name]
        places = task.network.split(np.arange(task.network.size))
        self.frozen = [places[name].ravel() for name in task.freeze]
        self.kept = [theta[rows] for rows in self.frozen]

    def at_rest(self) -> "Resting":
        """A copy of where they are, to come back to."""
        return Resting(self.task, self.theta.copy(), {name: value.copy() for name, value in self.state.items()})

    def take(self, runs: Array) -> "Learner":
        """Some of the runs, by their places, with copies of what they have come to."""
        return Resting(self.task, self.theta, self.state).take(runs)

    def update(self, epoch: int) -> None:
        """One epoch; a full batch takes the outputs of the forward pass that ``full`` has just made."""
        lr = self.rate(epoch)
        if self.task.batch_size is None:
            self._descend(self.full, self.task.data.t, lr)
            return
        for x, t in self.batches(epoch):
            part = self._part(x)
            part.forward()
            self._descend(part, t, lr)

    def rate(self, epoch: int) -> Array:
        """The learning rates (runs,) of an epoch."""
        factor = self._schedule.factor(epoch, self.task.epochs, **self.task.schedule.settings)
        return self.task.lr if factor is None else self.task.lr * factor

    def batches(self, epoch: int) -> Iterator[tuple[Array, Array]]:
        """x and t of each update of an epoch, in the order in which it takes them."""
        data, size = self.task.data, self.task.batch_size or len(self.task.data.x)
        if self.task.shuffle and self.task.batch_size:
            rows = order(self.task.seeds, epoch, len(data.x))
            data = Data(shuffled(data.x, rows), shuffled(data.t, rows))
        return batches(data.x, data.t, size)

    def test_losses(self) -> Array:
        """Losses of the examples held out: (runs,)."""
        assert self.task.test is not None
        net = self.task.network.forward(self.theta, self.task.test.x)
        return self.task.criterion.total(net.z[-1], net.y, self.task.test.t)

    def _descend(self, net: Pass, t: Array, lr: Array) -> None:
        g = net.backward(self.task.criterion.delta(net.z[-1], net.y, t))
        self.optimizer.update(self.theta, g, self.state, lr, **self.options)
        for rows, value in zip(self.frozen, self.kept, strict=True):
            self.theta[rows] = value

    def _part(self, x: Array) -> Pass:
        if len(x) not in self.parts:
            self.parts[len(x)] = Pass(self.task.network, self.theta, x)
        self.parts[len(x)].x = x
        return self.parts[len(x)]
