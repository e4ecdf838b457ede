"""When an example counts as right, and when a run stops: the rules that training, outcome, tables and films share.

A success rule gives every target the open interval in which the output is right; an example is right if all its
outputs are.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from xortrain.nets import Array, Numbers
from xortrain.nets.datasets import NO_SCALING, Scaling
from xortrain.nets.setting import Settings, choice, number, whole

Bounds = tuple[Array, Array]
NEAR = 0.25  # standard deviations from a real target: less than 1/16 of the variance remains
FEW = 4  # outputs whose numbers are listed


@dataclass(frozen=True, eq=False)
class SuccessRule:
    """``interval(t, low, high, sd, **settings)`` bounds the right outputs, for targets t and the two target values.

    ``sd`` is the standard deviation of each output's targets, nan if they are two-valued.
    ``words(low, high, sd, **settings)`` describes the rule in a phrase; ``needs_two_values`` is whether it requires
    targets with exactly two values.
    """

    help: str
    interval: Callable[..., Bounds]
    words: Callable[..., str]
    own: Settings = field(default_factory=dict)
    needs_two_values: bool = True

    @property
    def settings(self) -> Settings:
        """All settings, which are its own."""
        return self.own


def auto(t: Array, low: Array, high: Array, sd: Array) -> Bounds:
    """Two-valued targets and classes by their midpoint; real ones by a quarter of their standard deviation, column by
    column, over the training examples: σ divides by n, and a constant column has the σ 1.
    """
    two_valued, side = np.isnan(sd), midpoint(t, low, high, sd)
    if two_valued.all():
        return side
    with np.errstate(over="ignore"):  # a bound beyond the largest number excludes nothing
        lower, upper = tolerance(t, low, high, sd, NEAR * sd)
    return np.where(two_valued, side[0], lower), np.where(two_valued, side[1], upper)


def midpoint(t: Array, low: Array, high: Array, sd: Array) -> Bounds:
    """On the target's side of the midpoint between low and high; the midpoint itself is not right."""
    middle = (low + high) / 2
    return np.where(t > middle, middle, -np.inf), np.where(t > middle, np.inf, middle)


def tolerance(t: Array, low: Array, high: Array, sd: Array, within: Array) -> Bounds:
    """Less than ``within`` away from the target."""
    return t - within, t + within


def fahlman(t: Array, low: Array, high: Array, sd: Array) -> Bounds:
    """40-20-40: the lowest 40 % of low..high count as low, the highest 40 % as high (Fahlman 1988)."""
    low, high = np.minimum(low, high), np.maximum(low, high)
    is_high, span = t > (low + high) / 2, high - low
    return np.where(is_high, high - 0.4 * span, -np.inf), np.where(is_high, np.inf, low + 0.4 * span)


def _in_words(low: float, high: float, sd: Array) -> str:
    """What success=auto requires, as in "less than 0.25 standard deviations (0.18) from its target"."""
    if np.isnan(sd).all():
        return _side(low, high)
    distances = f" ({', '.join(f'{NEAR * value:.2g}' for value in sd)})" if len(sd) <= FEW else ""
    return f"less than {NEAR:g} standard deviations{distances} from its target"


def _side(low: float, high: float) -> str:
    return f"on the target's side of {(low + high) / 2:g}"


# fmt: off
SUCCESS_RULES: dict[str, SuccessRule] = {
    "auto": SuccessRule(
        "midpoint for two-valued targets and classes; real targets within a quarter of their standard deviation",
        auto, _in_words, needs_two_values=False),
    "midpoint": SuccessRule("each output on its target's side of the midpoint",
        midpoint, lambda low, high, sd: _side(low, high)),
    "tolerance": SuccessRule("each output near its target",
        tolerance, lambda low, high, sd, within: f"less than {within:g} from its target",
        {"within": number("distance from the target", above=0)}, needs_two_values=False),
    "fahlman": SuccessRule("40-20-40: outer 40 % on the target's side (Fahlman 1988)",
        fahlman,
        lambda low, high, sd: f"in the lowest or the highest 40 % of {low:g} to {high:g}, where the target is"),
}
# fmt: on
"""Name of a success rule in a config to its row."""


@dataclass(frozen=True)
class JudgedEpoch:
    """An epoch as a stop rule sees it; arrays have runs last.

    ``right`` (runs,) is whether all examples of a run are right, ``sound`` (runs,) whether all its numbers are finite;
    ``losses()`` and ``test_losses()`` return (runs,).  The rule may change its ``memory``.
    """

    epoch: int
    theta: Array
    right: Array
    sound: Array
    losses: Callable[[], Array]
    test_losses: Callable[[], Array]
    memory: Numbers


@dataclass(frozen=True, eq=False)
class StopRule:
    """``holds(judged, **settings)`` returns which runs (runs,) stop after a `JudgedEpoch`; it is None for never.

    ``start(theta, epoch)`` is what a rule remembers at its first epoch: arrays with runs last.  If this includes the
    ``best`` parameters (parameters, runs) and their epoch ``best_at`` (runs,), these are recorded, and ``recall(best,
    best_at, losses, test_losses, **words)`` is what it remembered, from the losses of the best parameters.
    """

    help: str
    holds: Callable[..., Array] | None
    settings: Settings = field(default_factory=dict)
    start: Callable[[Array, int], Numbers] = lambda theta, epoch: {}
    recall: Callable[..., Numbers] | None = None

    @property
    def has_best(self) -> bool:
        """Whether it finds the best parameters."""
        return self.recall is not None


def start_patience(theta: Array, epoch: int) -> Numbers:
    runs = theta.shape[1]
    return {"lowest": np.full(runs, np.inf, theta.dtype), "best_at": np.full(runs, epoch), "best": theta.copy()}


def recall_patience(
    best: Array, best_at: Array, losses: Callable[[], Array], test_losses: Callable[[], Array], on: str
) -> Numbers:
    return {"lowest": test_losses() if on == "test_loss" else losses(), "best_at": best_at, "best": best}


def patience(judged: JudgedEpoch, epochs: Array, least: Array, on: str) -> Array:
    """The lowest loss is ``epochs`` epochs old; one that is lower by ``least`` or less does not count."""
    losses = judged.test_losses() if on == "test_loss" else judged.losses()
    memory = judged.memory
    falls = judged.sound & (losses < memory["lowest"] - least)
    for name, value in (("lowest", losses), ("best_at", judged.epoch), ("best", judged.theta)):
        np.copyto(memory[name], value, where=falls)
    holds: Array = judged.epoch - memory["best_at"] >= epochs
    return holds


_BELOW = {"below": number("loss below which a run stops", above=0)}
_PATIENCE = {
    "epochs": whole("epochs without a lower loss after which a run stops", 1, 1_000_000_000, varies=True),
    "least": number("a fall of the loss by no more than this does not count", 0),
    "on": choice("the loss of the training examples or of the held-out ones", "loss", "test_loss"),
}

# fmt: off
STOP_RULES: dict[str, StopRule] = {
    "never": StopRule("train all epochs", None),
    "solved": StopRule("when every example is right", lambda judged: judged.right),
    "loss": StopRule("when the loss is below a value", lambda judged, below: judged.losses() < below, _BELOW),
    "patience": StopRule("when the loss has not fallen for some epochs; keeps the best parameters",
        patience, _PATIENCE, start_patience, recall_patience),
}
# fmt: on
"""Name of a stop rule in a config to its row."""


@dataclass(frozen=True, eq=False)
class Success:
    """A success rule with its numbers, arrays (runs,), in the units of the data; low and high are the target values.

    ``scaling`` is that of the targets: the rule takes scaled targets and outputs.  ``sd`` (outputs, runs) are the
    standard deviations of the training targets, nan for runs whose targets have two values.
    """

    name: str
    low: Array
    high: Array
    settings: Numbers = field(default_factory=dict)
    scaling: Scaling = NO_SCALING
    sd: Array = field(default_factory=lambda: np.array(np.nan))

    @property
    def unscaled(self) -> "Success":
        """The rule for targets and outputs in the units of the data."""
        return replace(self, scaling=NO_SCALING)

    @property
    def span(self) -> Array:
        """The distance (runs,) between low and high for the network, by the output that is scaled down most."""
        distance = np.abs(self.high - self.low)
        return distance if self.scaling.fitted is None else distance / self.scaling.fitted[1].max(axis=0)

    def interval(self, t: Array) -> Bounds:
        """The two values between which outputs are right, for targets t (examples, outputs, 1 or runs)."""
        t = self.scaling.unscaled(t)
        lower, upper = SUCCESS_RULES[self.name].interval(t, self.low, self.high, self.sd, **self.settings)
        return self.scaling.scaled(lower), self.scaling.scaled(upper)

    def right(self, y: Array, t: Array) -> Array:
        """Which examples are right: (examples, *runs) for y and t (examples, outputs, *runs)."""
        return within(y, self.interval(t))

    def are_classes(self, t: Array) -> Array:
        """Whether all targets (examples, outputs, *runs) are one of the two target values, so not scaled: (*runs,)."""
        if self.scaling.fitted:
            return np.zeros(t.shape[2:], bool)
        return (self.low != self.high) & np.logical_and.reduce((t == self.low) | (t == self.high), axis=(0, 1))

    def accurate(self, y: Array, t: Array) -> Array:
        """Which examples have the right class, whatever the rule: (examples, *runs); for real targets, which are right.

        One output for each class: the greatest is that of the class.  Else every output is on its target's side.
        """
        sides = within(y, midpoint(t, self.low, self.high, self.sd))
        known, one_hot = np.where(self.are_classes(t), sides, self.right(y, t)), self.are_one_hot(t)
        if not one_hot.any():
            return known
        rising = y * np.sign(self.high - self.low)
        greatest = rising == np.maximum.reduce(rising, axis=1, keepdims=True)
        return np.where(one_hot, (greatest & (t == self.high)).any(axis=1) & (greatest.sum(axis=1) == 1), known)

    def counted(self, y: Array, t: Array) -> Array:
        """Which examples count for the accuracy: those of the right class for one-hot targets, else the right ones."""
        return np.where(self.are_one_hot(t), self.accurate(y, t), self.right(y, t))

    def are_one_hot(self, t: Array) -> Array:
        """Whether exactly one of several targets is high in each example of t (examples, outputs, *runs): (*runs,)."""
        return self.are_classes(t) & (t.shape[1] > 1) & ((t == self.high).sum(axis=1) == 1).all(axis=0)

    def words(self) -> str:
        """When an output of the first run counts as right, in a phrase."""
        numbers = {name: value[0] for name, value in self.settings.items()}
        words = SUCCESS_RULES[self.name].words(self.low[0], self.high[0], np.atleast_2d(self.sd)[:, 0], **numbers)
        return words if self.scaling.fitted is None else f"{words}, both unscaled"

    def take(self, runs: Array) -> "Success":
        """The rule for some of the runs."""
        settings = {name: value[runs] for name, value in self.settings.items()}
        sd = self.sd[:, runs] if self.sd.ndim else self.sd
        return Success(self.name, self.low[runs], self.high[runs], settings, self.scaling.take(runs), sd)


def within(y: Array, bounds: Bounds) -> Array:
    """Which examples have all outputs inside: (examples, …) for y (examples, outputs, …); nan is outside."""
    inside = np.greater(y, bounds[0])
    inside &= np.less(y, bounds[1])
    return np.logical_and.reduce(inside, axis=1)
