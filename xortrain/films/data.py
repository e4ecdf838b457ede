"""What a film shows: the runs of one population as plain arrays, the state of a run at an epoch, and which epochs.

Arrays have the runs on their last axis. Nothing here knows how they were trained or stored. The frames of a film are at
equal steps of the epoch, of its logarithm, or of progress, which puts most frames where most changes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

import numpy as np

from xortrain.nets import Array
from xortrain.nets.datasets import UNSCALED, DataScaling
from xortrain.nets.network import Network

RUNS_AT_ONCE = 256  # whose losses are computed together
MOST_EXAMPLES = 64  # whose outputs measure progress
MOST_NAMED = 4  # inputs whose values name an example
MOST_NUMBERS = 1 << 21
"""Values that may be computed to measure the progress of one run; for more snapshots, only some of them are used."""

KINDS = ("solved", "learnt", "not solved", "stuck", "diverged", "exploded")
"""What films count: these outcomes, what the table of a sweep counts as stuck, and the rest."""
IN_WORDS = {"training": "still training", "pending": "not finished"}


@dataclass(frozen=True)
class Outcomes:
    """How runs ended, in arrays (runs,): a word, the epochs of events, -1 for never, the last loss, NaN if unknown."""

    outcome: Array
    solved_at: Array
    diverged_at: Array
    exploded_at: Array
    ended_at: Array
    final_loss: Array

    @classmethod
    def joined(cls, parts: "Sequence[Outcomes]") -> "Outcomes":
        """The outcomes of all parts, one after the other."""
        return cls(*(np.concatenate([vars(part)[one.name] for part in parts]) for one in fields(cls)))

    @property
    def runs(self) -> int:
        return len(self.outcome)

    def take(self, runs: Array) -> "Outcomes":
        """The outcomes of some of the runs."""
        return Outcomes(*(vars(self)[one.name][runs] for one in fields(self)))

    @cached_property
    def words(self) -> list[str]:
        """The distinct outcomes, sorted."""
        return sorted(set(self.outcome.tolist()))

    @cached_property
    def codes(self) -> Array:
        """(runs,): the index of each run's outcome in ``words``."""
        places = {word: place for place, word in enumerate(self.words)}
        return np.fromiter(map(places.__getitem__, self.outcome.tolist()), np.int64, self.runs)

    @cached_property
    def kind_of(self) -> dict[str, str]:
        """Each distinct outcome to its kind."""
        from xortrain.records.groups import NOT_STUCK

        return {w: w if w in KINDS else "not solved" if w in NOT_STUCK else "stuck" for w in self.words}

    @cached_property
    def kinds(self) -> Array:
        """(runs,): the index of each run's kind in KINDS."""
        return np.array([KINDS.index(kind) for kind in self.kind_of.values()], np.int64)[self.codes]

    @cached_property
    def since(self) -> Array:
        """(runs,): the epoch from which each run's outcome holds: that of its event, else its last."""
        events = {"solved": self.solved_at, "diverged": self.diverged_at, "exploded": self.exploded_at}
        at = np.select([self.outcome == word for word in events], list(events.values()), -1)
        return np.where(at < 0, self.ended_at, at).astype(np.int64)

    @cached_property
    def is_lost(self) -> Array:
        """(runs,): which runs have diverged or exploded in the end."""
        return np.asarray((self.outcome == "diverged") | (self.outcome == "exploded"))

    @cached_property
    def lost_at(self) -> Array:
        """(runs,): the epoch from which a run has diverged or exploded, and its loss no longer counts."""
        return np.where(self.is_lost, self.since, np.iinfo(np.int64).max)

    def kinds_after(self, epoch: int) -> Array:
        """(runs,): indices in KINDS; a run is not solved until its outcome holds."""
        return np.where(self.since <= epoch, self.kinds, KINDS.index("not solved"))

    def counts(self, epoch: int) -> dict[str, int]:
        """The number of runs of each kind after an epoch."""
        counts = np.bincount(self.kinds_after(epoch), minlength=len(KINDS))
        return dict(zip(KINDS, counts.tolist(), strict=True))

    def status(self, run: int, epoch: int) -> str:
        """The outcome of a run, if it holds after an epoch."""
        word = str(self.outcome[run])
        return outcome_in_words(word, int(self.ended_at[run])) if self.since[run] <= epoch else "not solved"


def outcome_in_words(word: str, epochs: int) -> str:
    """The outcome of runs of that many epochs, as films and summaries write it."""
    return IN_WORDS.get(word, word) if epochs or word != "training" else "not trained"


@dataclass(frozen=True)
class Event:
    """Something that happens in a run: its epoch, a label on the curve of the loss, and a sentence for the caption.

    ``until`` is the last epoch of a stretch of epochs, such as a plateau.  ``flips`` is whether the outputs go up and
    down in turn during it.  Where not all labels fit, those with a lower ``rank`` stay.
    """

    epoch: int
    label: str
    caption: str
    rank: int = 0
    until: int | None = None
    flips: bool = False


@dataclass(frozen=True)
class HeldOut:
    """Examples that the runs were not trained on: x and t as in `FilmData`, and their losses (recorded, runs)."""

    x: Array
    t: Array
    losses: Array


@dataclass(frozen=True)
class FilmData:
    """The runs of one population: network, examples, losses, parameters and outcomes."""

    network: Network
    """Settings of its activations have the shape (runs,)."""
    x: Array  # (examples, inputs) for all runs, or (examples, inputs, runs)
    t: Array  # (examples, outputs) for all runs, or (examples, outputs, runs)
    losses: Array  # (recorded, runs), NaN after a run has ended
    loss_epochs: Array  # (recorded,)
    parameters: Array  # (frames, parameters, runs); may be a memory map
    frame_epochs: Array  # (frames,)
    right: Callable[[Array, Array], Array]
    """The success rule: (y, t) -> bool (examples,), which are right by the rule of every run."""
    loss: Callable[[Array, Array, Array, Array], Array]
    """The training loss: (z, y, t, numbers of runs) -> (runs,); z, y and t are (examples, outputs, runs)."""
    title: str
    low: float
    high: float
    """The two target values, such as 0 and 1; for real-valued targets the smallest and the largest."""
    outcomes: Outcomes
    varied: Mapping[str, Array] = field(default_factory=dict)
    """Settings that differ between the runs: name -> (runs,)."""
    loss_name: str = ""
    input_names: Sequence[str] = ()
    output_names: Sequence[str] = ()
    class_names: Sequence[str] = ()
    """Of one output: the low class and the high one; of several, that of each."""
    scaling: DataScaling = UNSCALED
    """How x and t are scaled for the network and the loss; everything shown is in their own units."""
    interval: Callable[[Array], tuple[Array, Array]] | None = None
    """The success rule of the first run: targets (examples, outputs) -> the bounds between which an output is right."""
    held: HeldOut | None = None
    events: tuple[Event, ...] = ()
    """Of the only run, in the order in which they happen."""
    ending: str = ""
    """How the only run ended, in a sentence."""

    @property
    def runs(self) -> int:
        return int(self.parameters.shape[2])

    @cached_property
    def inputs(self) -> list[str]:
        """The names of the inputs; x1, x2 … where none are given."""
        return list(self.input_names) or self.symbols

    @cached_property
    def symbols(self) -> list[str]:
        """The short names of the inputs: x1, x2 …"""
        return [f"x{i}" for i in range(1, self.network.inputs + 1)]

    @cached_property
    def outputs(self) -> list[str]:
        """The names of the outputs; y, or y1, y2 … where none are given."""
        several = self.network.outputs > 1
        return list(self.output_names) or [f"y{i}" if several else "y" for i in range(1, self.network.outputs + 1)]

    @property
    def axes(self) -> tuple[list[str], str, float, float, Array | float]:
        """The remaining arguments of `project`: names of inputs and first output, low and high, units of the inputs."""
        fitted = self.scaling.take(0).inputs.fitted
        return self.inputs, self.outputs[0], *self.target_ranges[0], fitted[1] if fitted else 1.0

    @cached_property
    def target_ranges(self) -> list[tuple[float, float]]:
        """The lowest and the highest target of each output; the same for all if there is one, or two targets in all."""
        t = np.moveaxis(self.t, 1, 0).reshape(self.network.outputs, -1)
        if len(t) == 1 or np.isin(t, (self.low, self.high)).all():
            return [(self.low, self.high)] * len(t)
        return [(float(one.min()), float(one.max())) for one in t]

    def examples(self, run: int) -> tuple[Array, Array]:
        """x (examples, inputs) and t (examples, outputs) of one run."""
        x, t = (array if array.ndim == 2 else array[..., run] for array in (self.x, self.t))
        return x, t

    def losses_after(self, number: int, runs: Array) -> Array:
        """The losses (runs,) of some runs in one snapshot, computed from the parameters where none is recorded."""
        epoch = self.frame_epochs[number]
        row = int(np.searchsorted(self.loss_epochs, epoch))
        is_recorded = row < len(self.loss_epochs) and self.loss_epochs[row] == epoch
        losses = np.array(self.losses[row], float)[runs] if is_recorded else np.full(len(runs), np.nan)
        at = self.outcomes.diverged_at[runs]
        unknown = np.flatnonzero(np.isnan(losses) & ((at < 0) | (at > epoch)))
        for start in range(0, len(unknown), RUNS_AT_ONCE):
            block = unknown[start : start + RUNS_AT_ONCE]
            losses[block] = self._compute_losses(number, runs[block])
        return losses

    def _compute_losses(self, number: int, runs: Array) -> Array:
        x = self.x if self.x.ndim == 2 else self.x[..., runs]
        t = self.t[..., None] if self.t.ndim == 2 else self.t[..., runs]
        scaling, theta = self.scaling.take(runs), np.ascontiguousarray(self.parameters[number][:, runs])
        with np.errstate(all="ignore"):
            last = self.network.take(runs).forward(theta, scaling.inputs.scaled(x))
            return self.loss(last.z[-1], last.y, scaling.targets.scaled(t), runs)

    def with_losses(self, numbers: Array, run: int) -> "FilmData":
        """The same data with the losses of one run in these snapshots added to the recorded ones."""
        numbers = numbers[~np.isin(self.frame_epochs[numbers], self.loss_epochs)]
        if not len(numbers):
            return self
        new = np.full((len(numbers), self.runs), np.nan)
        new[:, run] = [self.losses_after(int(number), np.array([run]))[0] for number in numbers]
        epochs = np.concatenate([self.loss_epochs, self.frame_epochs[numbers]])
        order, held = np.argsort(epochs), self.held
        if held:
            held = replace(held, losses=np.concatenate([held.losses, np.full_like(new, np.nan)])[order])
        losses = np.concatenate([self.losses, new])[order]
        return replace(self, loss_epochs=epochs[order], losses=losses, held=held)

    def choose(self, frames: int, spacing: str, run: int = 0) -> Array:
        """The indices of at most ``frames`` snapshots, increasing; with the last and, of several, the first."""
        return evenly(self.frame_epochs, frames, spacing, lambda: self.progress(np.array([run])))

    def progress(self, runs: Array) -> Array:
        """The mean progress of some runs at each snapshot: (frames,), increasing.

        Progress is 45 % the change of the log loss, 45 % that of the outputs, and 10 % the epoch, so that a film never
        skips a long plateau.
        """
        at = last_recorded(self.loss_epochs, self.frame_epochs)
        paths = [loss_share(self.losses[at, run]) + path_share(self._sampled_outputs(run)) for run in runs]
        return 0.45 * np.mean(paths, axis=0) + 0.1 * EPOCH_SPACINGS["epochs"](self.frame_epochs)

    def _sampled_outputs(self, run: int) -> Array:
        """The outputs for some examples at each snapshot: (frames, values)."""
        rows, y = self.sampled_outputs(run, self.examples(run)[0][:MOST_EXAMPLES])
        y = y.reshape(-1, len(rows)).T
        return np.stack([np.interp(np.arange(len(self.frame_epochs)), rows, column) for column in y.T], axis=1)

    def sampled_outputs(self, run: int, x: Array, most: int = MOST_NUMBERS) -> tuple[Array, Array]:
        """Snapshots (rows,), the first and the last included, and their outputs (examples, outputs, rows) for some x.

        All snapshots, unless that would be more than ``most`` numbers.
        """
        scaling, count = self.scaling.take(run), len(self.frame_epochs)
        step = max(1, count * len(x) * self.network.size // most)
        rows = np.union1d(np.arange(0, count, step), count - 1)
        theta = np.ascontiguousarray(np.asarray(self.parameters[rows, :, run]).T)
        with np.errstate(all="ignore"):
            y = self.network.take(np.array([run])).forward(theta, scaling.inputs.scaled(x)).y
            return rows, scaling.targets.unscaled(y)


EPOCH_SPACINGS: dict[str, Callable[[Array], Array]] = {
    "epochs": lambda epochs: np.asarray(epochs / max(epochs[-1], 1), float),
    "log": lambda epochs: np.log1p(np.asarray(epochs, float)),
}
"""The spacings that depend on the epochs alone."""


def evenly(epochs: Array, count: int, spacing: str, progress: Callable[[], Array]) -> Array:
    """Choose ``count`` of the indices of some epochs at equal steps of a path: increasing, the last one included.

    The path is that of the epochs alone or else ``progress()``, increasing values (epochs,).
    """
    known = len(epochs)
    if count >= known or count == 1:
        return np.arange(known)[-count:]
    values = EPOCH_SPACINGS[spacing](epochs) if spacing in EPOCH_SPACINGS else progress()
    last, order = known - 1, np.arange(count)
    wanted = np.interp(np.linspace(values[0], values[-1], count), values, np.arange(last + 1)).round().astype(int)
    increasing = np.maximum.accumulate(wanted - order) + order
    return np.asarray(np.minimum(increasing, last + 1 - count + order))


def example_name(x: Array, number: int) -> str:
    """Its inputs (inputs,), as in "(0, 1)", or its number from 1 if they are too many."""
    return f"({', '.join(f'{value:.3g}' for value in x)})" if len(x) <= MOST_NAMED else f"example {number + 1}"


def path_share(values: Array) -> Array:
    """The share (frames,) of its path that a moving point (frames, coordinates) has covered; NaN counts as no step."""
    with np.errstate(all="ignore"):
        steps = np.nan_to_num(np.sqrt((np.diff(values, axis=0) ** 2).sum(1)), nan=0, posinf=0, neginf=0)
    covered = np.r_[0, np.cumsum(steps)]
    return np.asarray(covered / (covered[-1] or 1))


def loss_share(losses: Array) -> Array:
    """The share (frames,) of its path that the logarithm of losses (frames,) has covered."""
    with np.errstate(all="ignore"):
        return path_share(np.log(np.maximum(np.asarray(losses, float), 1e-12))[:, None])


def last_recorded(recorded: Array, epochs: Array) -> Array:
    """For each epoch the index of the last recorded one that is not later."""
    return np.asarray(np.maximum(np.searchsorted(recorded, epochs, side="right") - 1, 0))


@dataclass(frozen=True)
class Frame:
    """One run after one epoch."""

    epoch: int
    loss: float
    theta: Array  # (parameters,)
    layers: list[Array]  # the activations of each layer for the examples: (examples, units); outputs in units of t
    right: Array  # (examples,) bool
    status: str  # the outcome if it holds, else "not solved"
    since: int  # the epoch from which the outcome holds
    is_unknown: bool = False  # after the last snapshot of an unfinished run: `right` says nothing

    @property
    def y(self) -> Array:
        return self.layers[-1]

    @property
    def failure(self) -> str:
        """As in "diverged at epoch 12"; empty for a run whose numbers still mean something."""
        if self.status in ("diverged", "exploded"):
            return f"{self.status} at epoch {self.since}"
        return "" if np.isfinite(self.theta).all() else self.status


class RunFrames:
    """One run: its examples, and its state in each snapshot; ``received`` are the inputs as the network has them."""

    def __init__(self, data: FilmData, run: int) -> None:
        self.data, self.run = data, run
        self.network, self.scaling = data.network.take(np.array([run])), data.scaling.take(run)
        self.x, self.t = data.examples(run)
        self.names = [example_name(one, number) for number, one in enumerate(self.x)]
        self.received = self.scaling.inputs.scaled(self.x)
        self._pass = self.network.forward(self.theta(0)[:, None], self.received)

    @property
    def short_names(self) -> list[str]:
        """The names of the examples, or their numbers from 1."""
        return [name if name.startswith("(") else str(number) for number, name in enumerate(self.names, start=1)]

    @cached_property
    def held(self) -> tuple[Array, Array] | None:
        """x and t of the held-out examples."""
        held = self.data.held
        if held is None:
            return None
        x, t = (array if array.ndim == 2 else array[..., self.run] for array in (held.x, held.t))
        return x, t

    def theta(self, number: int) -> Array:
        """The parameters (parameters,) in one snapshot."""
        return np.array(self.data.parameters[number, :, self.run])

    def at(self, number: int) -> Frame:
        """The state of the run in one snapshot."""
        epoch, theta = int(self.data.frame_epochs[number]), self.theta(number)
        self._pass.theta[:, 0] = theta
        with np.errstate(all="ignore"):
            self._pass.forward()
            layers = [a[..., 0].copy() for a in self._pass.a]
            layers[-1] = self.scaling.targets.unscaled(layers[-1])
            right = self.data.right(layers[-1], self.t)
        loss, outcomes = float(self.data.losses_after(number, np.array([self.run]))[0]), self.data.outcomes
        status, since = outcomes.status(self.run, epoch), int(outcomes.since[self.run])
        is_unknown = status == IN_WORDS["pending"] and not np.isfinite(theta).all()
        return Frame(epoch, loss, theta, layers, right | is_unknown, status, since, is_unknown)

    def sample(self, chosen: Array, count: int) -> list[Frame]:
        """``count`` frames spread evenly over the chosen snapshots, the last one included."""
        return [self.at(int(number)) for number in chosen[np.linspace(0, len(chosen) - 1, count).astype(int)]]

    def strongest(self, layer: int, most: int) -> Array:
        """Indices of the units of a hidden layer with the largest outgoing weights in the last snapshot, increasing."""
        last = np.nan_to_num(self.theta(-1), posinf=0, neginf=0)
        outgoing = np.abs(self.network.split(last)[f"W{layer + 2}"][:, : self.network.layers[layer].units]).sum(0)
        return np.sort(np.argsort(-outgoing, kind="stable")[:most])
