"""One update of one run with all of its numbers: the forward pass, the backward pass, and the new parameters.

All numbers come from the network, the criterion and the learner that train; nothing is computed a second way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from xortrain.errors import UserError
from xortrain.explain.differences import STEP, Slopes, slopes
from xortrain.explain.document import format_number
from xortrain.nets import Array
from xortrain.nets.network import Network, Pass, at_least_two, jacobian
from xortrain.nets.optimizers import shape_gradient
from xortrain.training.engine import at_hand, new_training
from xortrain.training.learner import Descent, Learner
from xortrain.training.task import Data, History, Task

ASIDE = 2e-5  # distance from z at which slopes beside a corner are taken: twice the reach of the differences
BEND = 1e-2  # the least difference of these slopes at a corner; over this distance, a smooth curve bends less


@dataclass(frozen=True)
class RunState:
    """A run at one moment: θ (parameters,), the optimizer's ``state``, and what the network computes from a batch.

    ``z`` and ``a`` are (examples, units) layer by layer, ``losses`` (examples, outputs) before reduction, ``loss`` is
    L, ``right`` (examples,) tells which examples are classified correctly.
    """

    theta: Array
    state: Mapping[str, Array]
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
        """The first run of a learner, on all of its examples."""
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
class Backward:
    """A backward pass: dL/da and dL/dz (examples, units) of each layer, dL/dx, and the gradient by name.

    With a separate backward pass for each example, the gradient is (examples, *shape); otherwise it is (*shape).
    """

    upstream: list[Array]
    delta: list[Array]
    inputs: Array
    gradient: dict[str, Array]


@dataclass(frozen=True)
class Step:
    """The first update of an epoch of one run, on the batch x (examples, inputs) and t (examples, outputs).

    ``updates`` is the number of updates in the epoch, ``total`` the backward pass from L, and ``lost_at`` the first
    epoch with a parameter that is not finite.
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
    def is_finite(self) -> bool:
        """Whether its losses, its gradient and the new parameters are finite."""
        numbers = [self.before.loss, self.after.loss, self.after.theta, *self.total.gradient.values()]
        return all(bool(np.isfinite(value).all()) for value in numbers)

    @property
    def shaping(self) -> dict[str, Array]:
        """The settings in use that change the gradient before the optimizer has it."""
        return Descent(self.task).shaping

    @cached_property
    def shaped(self) -> dict[str, Array]:
        """The gradient by name as the optimizer has it, with penalties and clipped."""
        return self._shaped_by(self.shaping)

    @cached_property
    def gradient_length(self) -> Array:
        """The length of the gradient with its penalties."""
        penalties = {name: value for name, value in self.shaping.items() if name in ("l1", "l2")}
        parts = [g.ravel() for g in self._shaped_by(penalties).values()]
        return np.sqrt(np.add.reduce(np.concatenate(parts) ** 2))

    def _shaped_by(self, settings: dict[str, Array]) -> dict[str, Array]:
        g = np.concatenate([part.ravel() for part in self.total.gradient.values()])[:, None]
        is_weight = self.network.are_weights.astype(g.dtype)
        shape_gradient(self.before.theta[:, None], is_weight, g, **settings)
        return self.network.split(g[:, 0])

    @property
    def share(self) -> float:
        """The factor of an example's loss in L."""
        return self.task.criterion.share(self.before.y)

    @cached_property
    def each(self) -> Backward:
        """The backward pass from the loss of each example, computed as if each example were a separate run."""
        n = len(self.x)
        net = Pass(self.network, np.repeat(self.before.theta[:, None], n, axis=1), self.x.T[None])
        net.forward()
        alone = replace(self.task, criterion=replace(self.task.criterion, reduction="sum"))
        found = _backward(net, alone, self.t.T[None])
        gradient = {name: np.moveaxis(g, -1, 0) for name, g in found.gradient.items()}
        return Backward([u[0].T for u in found.upstream], [d[0].T for d in found.delta], found.inputs[0].T, gradient)

    @property
    def precise_gradient(self) -> Array:
        """dL/dθ (parameters,) in float64: once a float32 network has learned, its own is as large as its rounding."""
        net = Pass(self.network, self.before.theta[:, None].astype(np.float64), self.x)
        net.forward()
        return net.backward(self.task.criterion.delta(net.z[-1], net.y, self.t[:, :, None]))[:, 0]

    def jacobian(self, k: int, example: int) -> Array:
        """da/dz (units, units) of layer k, counted from 0."""
        one = slice(example, example + 1)
        return np.asarray(jacobian(self.network.layers[k], self.before.z[k][one], self.before.a[k][one])[0])

    def by_parameters(self, places: Array, size: float = STEP) -> Slopes:
        """Slopes of the examples' losses (examples, places) by the parameters at ``places`` (places,) of θ."""
        theta = self.before.theta.astype(np.float64)

        def losses(moved: Array) -> Array:
            thetas = np.repeat(theta[:, None], moved.shape[1], axis=1)
            thetas[places] = moved
            return self._losses(thetas, self.x)

        return slopes(losses, theta[places], size, self._values_a_run)

    @cached_property
    def by_inputs(self) -> Slopes:
        """Slopes of the examples' losses (examples, inputs) by their inputs."""
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
        return np.asarray(self.task.criterion.values(net.z[-1], net.y, self.t[:, :, None]).sum(axis=1))

    def corners(self, examples: list[int]) -> list[str]:
        """A sentence for each unit that is at a corner of its activation in one of these examples."""
        sentences = []
        for k, layer in enumerate(self.network.layers):
            row, z = self.network.layers[k].row, self.before.z[k][examples]
            if not row.corners:
                continue
            left, right = (
                row.derivative(aside, row.f(aside, **layer.settings), **layer.settings)
                for aside in (z - ASIDE, z + ASIDE)
            )
            sentences += [
                f"`z{k + 1}[{unit}]` is {format_number(z[place, unit], 6)} in example {examples[place]}, at a corner "
                f"of {layer.activation}: its slope is {left[place, unit]:.3g} on the left and {right[place, unit]:.3g} "
                f"on the right."
                for place, unit in np.argwhere(np.abs(left - right) > BEND)
            ]
        return sentences


def _backward(net: Pass, task: Task, t: Array) -> Backward:
    """The backward pass that follows a forward pass, layer by layer."""
    on_outputs = replace(task.criterion, output="identity", output_settings={})
    upstream, delta = [on_outputs.delta(net.y, net.y, t)], [task.criterion.delta(net.z[-1], net.y, t)]
    for k in reversed(range(1, len(net.W))):
        upstream.insert(0, net.upstream(k, delta[0]))
        delta.insert(0, net.delta(k - 1, upstream[0].copy()))
    gradient = net.network.split(net.backward(delta[-1]).copy())
    return Backward(upstream, delta, net.to_inputs(delta[0], delta[-1]), gradient)


@np.errstate(all="ignore")
def step_at(task: Task, epoch: int = 0, run: int = 0, prefix: str = "") -> Step:
    """Train one run of a task for ``epoch`` epochs, and take a step; raises UserError if either is out of range.

    In errors, ``prefix`` stands before the name of an argument.
    """
    if not 0 <= epoch <= task.epochs:
        raise UserError(f"{prefix}epoch={epoch}: this run has epochs 0 to {task.epochs}")
    if not 0 <= run < task.runs:
        raise UserError(f"{prefix}run={run}: there are runs 0 to {task.runs - 1}")
    chosen = replace(task.take(at_least_two(np.array([run]))), epochs=max(task.epochs, 1))
    trained = _trained(at_hand(chosen), epoch)
    if trained is not None:
        return take_step(trained, epoch)
    learner, lost_at = Learner(chosen.at(0), chosen.theta.copy()), None
    for done in range(epoch):
        learner = learner.under(chosen.at(done))
        learner.full.forward()
        learner.update(done)
        if lost_at is None and not np.isfinite(learner.theta[:, 0]).all():
            lost_at = done + 1
    return replace(take_step(learner.under(chosen.at(epoch)), epoch), lost_at=lost_at)


def _trained(task: Task, epoch: int) -> Learner | None:
    """The runs of a task after some epochs of the machine; None without it, or if they have diverged."""
    if task.instruction_set is None:
        return None
    none = np.zeros(0, int)
    training = new_training(task, History.empty(none, none, task.theta.shape, task.theta.dtype, False), until=epoch)
    for _ in training.run():
        pass
    if (training.diverged_at >= 0).any():
        return None
    now = task.at(epoch)
    return Learner.of(now, training.theta, task.at(max(0, epoch - 1)).optimizer.name, training.state)


@np.errstate(all="ignore")
def take_step(learner: Learner, epoch: int) -> Step:
    """The first update of an epoch, as the first run of a learner makes it; the learner itself does not change."""
    x, t = next(learner.batches(epoch))
    task = replace(learner.task, data=Data(x, t), batch_size=None)
    copy = Learner(task, learner.theta.copy(), {name: value.copy() for name, value in learner.state.items()})
    before = RunState.of(copy)
    found = _backward(copy.full, task, t)
    gradient = {name: g[..., 0] for name, g in found.gradient.items()}
    upstream, delta = ([values[..., 0] for values in layers] for layers in (found.upstream, found.delta))
    copy.update(epoch)
    return Step(
        task=task.take(np.array([0])),
        epoch=epoch,
        updates=-(-len(learner.task.data.x) // len(x)),
        lr=learner.rate(epoch)[..., 0][()],
        x=x[..., 0] if x.ndim == 3 else x,
        t=t[..., 0],
        before=before,
        total=Backward(upstream, delta, found.inputs[..., 0], gradient),
        after=RunState.of(copy),
    )
