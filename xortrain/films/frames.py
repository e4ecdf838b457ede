"""Which snapshots become pictures, and what is known at each: epoch, loss, outputs, what is right.

Equal steps of progress, not of epochs, spend the film on what changes: half of a step counts the log of the loss,
half the way of the outputs, and a little the epochs, so that no standstill is left out altogether.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xortrain.films.data import FilmData
from xortrain.films.film_settings import FilmSettings
from xortrain.nets import Array
from xortrain.nets.network import Network

MOST_EXAMPLES = 64
MOST_NUMBERS = 1 << 21


@dataclass(frozen=True)
class Frame:
    """One run after one epoch."""

    epoch: int
    loss: float
    theta: Array
    """(parameters,)"""
    layers: list[Array]
    """What each layer passes on for the examples: (examples, units)."""
    right: Array
    """(examples,) bool"""
    diverged: bool

    @property
    def y(self) -> Array:
        return self.layers[-1]


class RunFrames:
    """The course of one run: what was the case after each epoch that was kept."""

    def __init__(self, subject: FilmData, run: int) -> None:
        self.subject, self.run = subject, run
        self.network = lone(subject.network, run)
        self.x, self.t = subject.data(run)
        self.diverged_at, self.solved_at = int(subject.diverged_at[run]), int(subject.solved_at[run])
        self._pass = self.network.forward(self.theta(0)[:, None], self.x)

    def theta(self, number: int) -> Array:
        """The parameters (parameters,) in one snapshot."""
        return np.array(self.subject.parameters[number, :, self.run])

    def at(self, number: int) -> Frame:
        """The run as it was in one snapshot."""
        epoch, theta = int(self.subject.frame_epochs[number]), self.theta(number)
        self._pass.theta[:, 0] = theta
        with np.errstate(all="ignore"):
            self._pass.forward()
            layers = [a[..., 0].copy() for a in self._pass.a]
            right = self.subject.right(layers[-1], self.t)
        diverged = 0 <= self.diverged_at <= epoch or not np.isfinite(theta).all()
        loss = float(self.subject.losses_after(number, np.array([self.run]))[0])
        return Frame(epoch, loss, theta, layers, right, diverged)

    def some(self, chosen: Array, count: int) -> list[Frame]:
        """A few moments spread over the chosen snapshots, the last among them."""
        return [self.at(int(number)) for number in chosen[np.linspace(0, len(chosen) - 1, count).astype(int)]]

    def strongest(self, layer: int, most: int) -> Array:
        """The units of a hidden layer whose outgoing weights are greatest at the end, in their own order."""
        last = np.nan_to_num(self.theta(-1), posinf=0, neginf=0)
        outgoing = np.abs(self.network.split(last)[f"W{layer + 2}"][:, : self.network.layers[layer].units]).sum(0)
        return np.sort(np.argsort(-outgoing, kind="stable")[:most])


def lone(network: Network, run: int) -> Network:
    """The network with the settings of one run."""
    return network.take(np.array([run]))


def choose_epochs(subject: FilmData, settings: FilmSettings, run: int = 0) -> Array:
    """The numbers of the snapshots shown, rising; the last is among them, and the first if there are two."""
    spacing = SPACINGS[settings.spacing]
    return evenly(len(subject.frame_epochs), settings.frames, lambda: spacing(subject, np.array([run])))


def evenly(known: int, count: int, ways: Callable[[], Array]) -> Array:
    """So many numbers, rising, of those known, the last among them: between them the way grows by equal steps.

    The way (known,) is only asked for where there is a choice.
    """
    if count >= known or count == 1:
        return np.arange(known)[-count:]
    way, last, order = ways(), known - 1, np.arange(count)
    wanted = np.interp(np.linspace(way[0], way[-1], count), way, np.arange(last + 1)).round().astype(int)
    rising = np.maximum.accumulate(wanted - order) + order
    return np.asarray(np.minimum(rising, last + 1 - count + order))


def _progress(subject: FilmData, runs: Array) -> Array:
    """How far training had come at each snapshot: (frames,), rising from 0 to 1."""
    ways = [0.45 * _way(_log_loss(subject, run)) + 0.45 * _way(_outputs(subject, run)) for run in runs]
    return np.mean(ways, axis=0) + 0.1 * _epochs(subject, runs)


def _log_loss(subject: FilmData, run: int) -> Array:
    losses = np.asarray(subject.losses[:, run], float)[subject.loss_rows]
    return np.log(np.maximum(losses, 1e-12))[:, None]


def _outputs(subject: FilmData, run: int) -> Array:
    """The outputs for some examples at each snapshot: (frames, numbers)."""
    x = subject.data(run)[0][:MOST_EXAMPLES]
    step = max(1, subject.parameters.shape[0] * len(x) * subject.network.size // MOST_NUMBERS)
    rows = np.arange(0, len(subject.frame_epochs), step)
    theta = np.ascontiguousarray(np.asarray(subject.parameters[rows, :, run]).T)
    with np.errstate(all="ignore"):
        y = lone(subject.network, run).forward(theta, x).y.reshape(-1, len(rows)).T
    return np.stack([np.interp(np.arange(len(subject.frame_epochs)), rows, column) for column in y.T], axis=1)


def _way(values: Array) -> Array:
    """The share of its whole way that a point (frames, coordinates) has gone; where it is lost, it stands."""
    with np.errstate(all="ignore"):
        steps = np.nan_to_num(np.sqrt((np.diff(values, axis=0) ** 2).sum(1)), nan=0, posinf=0, neginf=0)
    way = np.r_[0, np.cumsum(steps)]
    return np.asarray(way / (way[-1] or 1))


def _epochs(subject: FilmData, runs: Array) -> Array:
    return np.asarray(subject.frame_epochs / max(subject.frame_epochs[-1], 1), float)


def _log(subject: FilmData, runs: Array) -> Array:
    return np.log1p(np.asarray(subject.frame_epochs, float))


SPACINGS: dict[str, Callable[[FilmData, Array], Array]] = {"epochs": _epochs, "log": _log, "progress": _progress}
