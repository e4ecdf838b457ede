"""Which snapshots become pictures, and what is known at each: epoch, loss, outputs, what is right.

Equal steps of progress, not of epochs, spend the film on what changes: half of a step counts the log of the loss,
half the way of the outputs, and a little the epochs, so that no standstill is left out altogether.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xortrain.films.subject import FilmSettings, Subject
from xortrain.nets import Array
from xortrain.nets.network import Network

MOST_EXAMPLES = 64
MOST_NUMBERS = 1 << 21


@dataclass(frozen=True)
class Moment:
    """One run after one epoch."""

    number: int
    """Which snapshot."""
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


def moment(subject: Subject, number: int, run: int) -> Moment:
    """A run as it was at one snapshot."""
    epoch = int(subject.frame_epochs[number])
    x, t = subject.data(run)
    theta = np.array(subject.parameters[number, :, run])
    with np.errstate(all="ignore"):
        layers = [a[..., 0] for a in lone(subject.network, run).forward(theta[:, None], x).a]
        right = subject.right(layers[-1], t)
    diverged = 0 <= int(subject.diverged_at[run]) <= epoch or not np.isfinite(theta).all()
    return Moment(number, epoch, float(subject.loss_at(epoch)[run]), theta, layers, right, diverged)


def lone(network: Network, run: int) -> Network:
    """The network with the settings of one run."""
    return network.take(np.array([run]))


def choose_epochs(subject: Subject, settings: FilmSettings, run: int = 0) -> Array:
    """The numbers of the snapshots shown, rising; the first and the last are among them."""
    last = len(subject.frame_epochs) - 1
    if settings.frames > last:
        return np.arange(last + 1)
    way = SPACINGS[settings.spacing](subject, run)
    order = np.arange(settings.frames)
    wanted = np.interp(np.linspace(way[0], way[-1], len(order)), way, np.arange(last + 1)).round().astype(int)
    rising = np.maximum.accumulate(wanted - order) + order
    return np.asarray(np.minimum(rising, last + 1 - len(order) + order))


def _progress(subject: Subject, run: int) -> Array:
    """How far training had come at each snapshot: (frames,), rising from 0 to 1."""
    return 0.45 * _way(_log_loss(subject, run)) + 0.45 * _way(_outputs(subject, run)) + 0.1 * _epochs(subject, run)


def _log_loss(subject: Subject, run: int) -> Array:
    rows = np.searchsorted(subject.loss_epochs, subject.frame_epochs, side="right") - 1
    losses = np.asarray(subject.losses[np.maximum(rows, 0)], float)
    typical = losses[:, run] if subject.runs == 1 else np.nanmedian(losses, axis=1)
    return np.log(np.maximum(typical, 1e-12))[:, None]


def _outputs(subject: Subject, run: int) -> Array:
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


def _epochs(subject: Subject, run: int) -> Array:
    return np.asarray(subject.frame_epochs / max(subject.frame_epochs[-1], 1), float)


def _log(subject: Subject, run: int) -> Array:
    return np.log1p(np.asarray(subject.frame_epochs, float))


SPACINGS: dict[str, Callable[[Subject, int], Array]] = {"epochs": _epochs, "log": _log, "progress": _progress}
