"""One update of one run, with everything it went through: forwards, backwards, and to the new parameters.

All numbers come from the network, the criterion and the learner that train; nothing is computed a second way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from xortrain.errors import UserError
from xortrain.explain.differences import STEP, Slopes, slopes
from xortrain.explain.document import number
from xortrain.nets import Array
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.criterion import Criterion
from xortrain.nets.network import Network, Pass, jacobian
from xortrain.training.learner import Learner
from xortrain.training.task import Data, Task

State = Mapping[str, Array]


@dataclass(frozen=True)
class Backward:
    """What flows back: dL/da, dL/dz (examples, units) of each layer, dL/dx, and the gradient by name.

    Of each example by itself the gradient is (examples, \\*shape); of all together it is (\\*shape).
    """

    upstream: list[Array]
    delta: list[Array]
    inputs: Array
    gradient: dict[str, Array]


@dataclass(frozen=True)
class RunState:
    """A run at one moment: θ (parameters,), what the optimizer keeps, and what the network makes of a batch.

    ``z`` and ``a`` are (examples, units) layer by layer, ``losses`` (examples, outputs) before reduction,
    ``right`` (examples,) says which examples count as right.
    """

    theta: Array
    state: State
    z: list[Array]
    a: list[Array]
    losses: Array
    loss: Array
    right: Array

    @property
    def y(self) -> Array:
        return self.a[-1]

    @classmethod
    def of(cls, learner: Learner) -> "RunState":
        """The first run of a learner in full batch."""
        net, task = learner.full, learner.task
        z, y, t = net.z[-1], net.forward(), task.data.t
        return cls(
            theta=learner.theta[:, 0].copy(),
            state={name: value[..., 0].copy() for name, value in learner.state.items()},
            z=[z[..., 0].copy() for z in net.z],
            a=[a[..., 0].copy() for a in net.a],
            losses=task.criterion.values(z, y, t)[..., 0],
            loss=task.criterion.total(z, y, t)[0],
            right=task.success.right(y, t)[..., 0],
        )


@dataclass(frozen=True)
class Step:
    """The first update of an epoch of one run, on the batch x (examples, inputs) and t (examples, outputs).

    ``updates`` is how many the epoch has, ``total`` what flows back from L, ``lost_at`` the epoch since which not every
    parameter is finite.
    """

    task: Task
    epoch: int
    updates: int
    lr: Array
    x: Array
    t: Array
    before: RunState
    total: Backward
    after: RunState
    lost_at: int | None = None

    @property
    def network(self) -> Network:
        return self.task.network

    @property
    def criterion(self) -> Criterion:
        return self.task.criterion

    @property
    def is_finite(self) -> bool:
        """Whether its losses, its gradient and the new parameters are."""
        numbers = [self.before.loss, self.after.loss, self.after.theta, *self.total.gradient.values()]
        return all(bool(np.isfinite(value).all()) for value in numbers)

    @property
    def share(self) -> float:
        """What an example's loss is multiplied by in L."""
        return self.criterion.share(self.before.y) if self.criterion.reduction == "mean" else 1.0

    @cached_property
    def each(self) -> Backward:
        """What flows back from the loss of each example by itself: every example is made a run of its own."""
        n = len(self.x)
        net = Pass(self.network, np.repeat(self.before.theta[:, None], n, axis=1), self.x.T[None])
        net.forward()
        flow = _backward(net, replace(self.criterion, reduction="sum"), self.t.T[None])
        gradient = {name: np.moveaxis(g, -1, 0) for name, g in flow.gradient.items()}
        return Backward([u[0].T for u in flow.upstream], [d[0].T for d in flow.delta], flow.inputs[0].T, gradient)

    def jacobian(self, k: int, example: int) -> Array:
        """da/dz (units, units) of layer k, both counted from 0."""
        one = slice(example, example + 1)
        return np.asarray(jacobian(self.network.layers[k], self.before.z[k][one], self.before.a[k][one])[0])

    def by_parameters(self, places: Array, size: float = STEP) -> Slopes:
        """Slopes of the examples' losses (examples, places) in some places of θ: each moved θ is a run of its own."""
        theta = self.before.theta.astype(np.float64)

        def losses(moved: Array) -> Array:
            thetas = np.repeat(theta[:, None], moved.shape[1], axis=1)
            thetas[places] = moved
            return self._losses(thetas, self.x)

        return slopes(losses, theta[places], size, self._values_a_run)

    @cached_property
    def by_inputs(self) -> Slopes:
        """Slopes of the examples' losses (examples, inputs) in their inputs."""
        theta = self.before.theta.astype(np.float64)[:, None]

        def losses(moves: Array) -> Array:
            return self._losses(np.repeat(theta, moves.shape[1], axis=1), self.x[:, :, None] + moves)

        return slopes(losses, np.zeros(self.x.shape[1]), values_a_run=self._values_a_run)

    @property
    def _values_a_run(self) -> int:
        units = sum(layer.units for layer in self.network.layers)
        return len(self.x) * (self.network.inputs + units) + self.network.size

    def _losses(self, thetas: Array, x: Array) -> Array:
        """The loss of each example with many θ: (examples, runs)."""
        net = self.network.forward(thetas, x)
        return np.asarray(self.criterion.values(net.z[-1], net.y, self.t[:, :, None]).sum(axis=1))


def _backward(net: Pass, criterion: Criterion, t: Array) -> Backward:
    """The way back of a forward pass, layer by layer."""
    depth = len(net.W)
    on_outputs = replace(criterion, output="identity", output_settings={})
    upstream, delta = [on_outputs.delta(net.y, net.y, t)], [criterion.delta(net.z[-1], net.y, t)]
    for k in reversed(range(1, depth)):
        upstream.insert(0, net.upstream(k, delta[0]))
        delta.insert(0, net.delta(k - 1, upstream[0].copy()))
    gradient = net.network.split(net.backward(delta[-1]).copy())
    return Backward(upstream, delta, net.to_inputs(delta[0], delta[-1]), gradient)


def _first(flow: Backward) -> Backward:
    """The way back of the first run."""
    cut = {name: g[..., 0] for name, g in flow.gradient.items()}
    return Backward([u[..., 0] for u in flow.upstream], [d[..., 0] for d in flow.delta], flow.inputs[..., 0], cut)


@np.errstate(all="ignore")
def step_at(task: Task, epoch: int = 0, run: int = 0) -> Step:
    """Train a run of a task for some epochs, and take the next step."""
    if not 0 <= epoch <= task.epochs:
        raise UserError(f"epoch={epoch}: this run has epochs 0 to {task.epochs}")
    learner, lost_at = pair(task, run), None
    for done in range(epoch):
        learner.full.forward()
        learner.update(done)
        if lost_at is None and not np.isfinite(learner.theta[:, 0]).all():
            lost_at = done + 1
    return replace(take_step(learner, epoch), lost_at=lost_at)


def pair(task: Task, run: int) -> Learner:
    """A learner of one run and its twin: a lone run would round otherwise than in a sweep."""
    if not 0 <= run < task.runs:
        raise UserError(f"run={run}: there are runs 0 to {task.runs - 1}")
    twins = replace(task.take(np.array([run, run])), epochs=max(task.epochs, 1))
    return Learner(twins, twins.theta.copy())


@np.errstate(all="ignore")
def take_step(learner: Learner, epoch: int) -> Step:
    """The first update that a learner of two or more runs makes in an epoch, seen in its first run.

    The learner itself is left as it is.
    """
    x, t = next(learner.batches(epoch))
    task = replace(learner.task, data=Data(x, t), batch_size=None)
    copy = Learner(task, learner.theta.copy(), {name: value.copy() for name, value in learner.state.items()})
    before = RunState.of(copy)
    total = _first(_backward(copy.full, task.criterion, t))
    copy.update(epoch)
    return Step(
        task=task.take(np.array([0])),
        epoch=epoch,
        updates=-(-len(learner.task.data.x) // len(x)),
        lr=learner.rate(epoch)[0],
        x=x[..., 0] if x.ndim == 3 else x,
        t=t[..., 0],
        before=before,
        total=total,
        after=RunState.of(copy),
    )


ASIDE = 2e-5  # how far from z the slopes are taken: twice as far as differences reach
BEND = 1e-2  # how much the slopes differ at a corner; curves bend less than that in so short a way


@dataclass(frozen=True)
class Corner:
    """A unit of a layer (both counted from 0) and an example with z on a corner."""

    layer: int
    unit: int
    example: int
    sentence: str


def corners(step: Step, examples: list[int]) -> list[Corner]:
    """The units on a corner in some of the examples, layer by layer."""
    found = []
    for k, layer in enumerate(step.network.layers):
        row, z = ACTIVATIONS[layer.activation], step.before.z[k][examples]
        if not row.corners:
            continue
        left, right = (
            row.derivative(aside, row.f(aside, **layer.settings), **layer.settings) for aside in (z - ASIDE, z + ASIDE)
        )
        for place, unit in np.argwhere(np.abs(left - right) > BEND):
            sentence = (
                f"`z{k + 1}[{unit}]` is {number(z[place, unit], 6)} in example {examples[place]}, on a corner of "
                f"{layer.activation}: its slope is {left[place, unit]:.3g} on the left and {right[place, unit]:.3g} "
                f"on the right."
            )
            found.append(Corner(k, int(unit), examples[place], sentence))
    return found
