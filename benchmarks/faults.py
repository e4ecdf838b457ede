"""Planted faults: how often the diagnosis names them, and how often it finds fault with a healthy net.

Data are noisy circles and three blobs of standard deviation 2, 1,000 points each.  A fault is planted in runs that are
healthy without it, with the same data and seeds.  Healthy runs come within 5 points of the data's own accuracy, which
is that of the rule behind the data; runs more than 10 points below it did not learn.  A run is named faulty if its
outcome, a reason or a sentence of its verdict names a fault.  A loss at rest, and units that are dead, equal or
saturated, are no fault of a run that is called solved or learnt; such remarks are counted apart.

OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/faults.py      # about five minutes; --list prints every wrong verdict
"""

import argparse
import re
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from results import keep

from xortrain.config.compose import compose
from xortrain.nets import Array
from xortrain.runner.train import train_in_memory
from xortrain.setup.own_arrays import array_data
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.trained.run_data import RunData
from xortrain.views.verdict import verdict

POINTS, SAMPLES = 1000, 10  # of each data set
SEEDS = 4  # runs of one setting
HEALTHY, NOT_LEARNT = 0.05, 0.10  # most and least distance from the data's own accuracy
NAMED, BLAMED = 0.9, 0.05  # bounds: least share of the faulty, most of the healthy

Stream = np.random.RandomState


@dataclass(frozen=True)
class Cloud:
    """Points x (points, 2), their labels (points,), and the accuracy of the rule behind them."""

    x: Array
    labels: Array
    accuracy: float


def circles(stream: Stream) -> Cloud:
    """Rings of radius 0.8 (1) and 1 (0) with noise of 0.1; the rule is the best threshold on the radius."""
    labels, angle = np.arange(POINTS) % 2, stream.uniform(0, 2 * np.pi, POINTS)
    ring = np.where(labels == 1, 0.8, 1.0) * np.array([np.cos(angle), np.sin(angle)])
    x = ring.T + 0.1 * stream.standard_normal((POINTS, 2))
    gain = np.where(labels == 1, 1, -1)[np.argsort(np.hypot(*x.T))].cumsum().max()
    return Cloud(x, labels, float(((labels == 0).sum() + gain) / POINTS))


def blobs(stream: Stream) -> Cloud:
    """Three round clouds of standard deviation 2 around fixed centres; the rule is the nearest centre."""
    labels, centres = np.arange(POINTS) % 3, Stream(2).uniform(-10, 10, (3, 2))
    x = centres[labels] + 2 * stream.standard_normal((POINTS, 2))
    nearest = ((x[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    return Cloud(x, labels, float((nearest == labels).mean()))


CLOUDS = {"circles": circles, "blobs": blobs}


@cache
def cloud(data: str, sample: int) -> Cloud:
    return CLOUDS[data](Stream(sample))


@dataclass(frozen=True)
class Setting:
    """A sample of a data set, the two target values, and overrides by their keys."""

    data: str
    sample: int
    overrides: dict[str, str]
    low: float = 0.0
    high: float = 1.0

    def given(self, overrides: dict[str, object]) -> "Setting":
        """The setting with these overrides in addition or instead."""
        return replace(self, overrides=self.overrides | {key: written(value) for key, value in overrides.items()})

    def words(self) -> list[str]:
        return [f"{key}={value}" for key, value in self.overrides.items()]

    def train(self, seeds: Sequence[int]) -> "list[Diagnosed]":
        """The runs with these seeds."""
        points = cloud(self.data, self.sample)
        ones = points.labels[:, None] == (np.arange(3) if self.data == "blobs" else [1])
        own = array_data((points.x, np.where(ones, self.high, self.low)))
        varying = {"seed": np.array(seeds, np.uint32)}
        setup = Setup.of(Population(compose(["data=csv", *self.words()]), varying, np.arange(len(seeds)), own))
        trained = train_in_memory(setup)
        return [Diagnosed.of(RunData(trained, place), self, seed) for place, seed in enumerate(seeds)]


def written(value: object) -> str:
    """A value as in an override."""
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace(" ", "")


LEARNED = {"solved", "learnt"}
NO_FAULT = {"pending", "early", "training", *LEARNED}
REMARKS = {"clones", "dead", "saturated", "plateau"}
"""What also holds for many nets that have learned."""
SENTENCES = {
    "diverged": r"diverged|steps were too large",
    "exploded": r"explode",
    "linear": r"network is linear",
    "clones": r"\bare equal\b",
    "dead": r"\bdead\b|off on every example",
    "saturated": r"saturated",
    "plateau": r"no longer falls|\btied\b|get the same output",
    "vanishing": r"vanish",
    "slow": r"\bslow|too small",
    "oscillating": r"oscillat|jumps|swings",
    "overfitting": r"overfit",
    "settings": r"right class only|as probabilities|outside|cannot reach|constant by construction",
}
"""A fault to what its sentences in a verdict have in common."""


@dataclass(frozen=True)
class Diagnosed:
    """How far a run is below the data's own accuracy, by its predictions; and what the program says of it."""

    setting: Setting
    seed: int
    distance: float
    outcome: str
    reasons: list[str]
    text: str

    @classmethod
    def of(cls, run: RunData, setting: Setting, seed: int) -> "Diagnosed":
        points = cloud(setting.data, setting.sample)
        y = run.predict(points.x)
        found = y.argmax(axis=1) if y.shape[1] > 1 else y[:, 0] > (setting.low + setting.high) / 2
        right = (found == points.labels) & np.isfinite(y).all(axis=1)
        return cls(setting, seed, points.accuracy - float(right.mean()), run.outcome, run.reasons, verdict(run))

    @property
    def activation(self) -> str:
        return self.setting.overrides["activation"]

    @property
    def faults(self) -> set[str]:
        """All faults that the program names, remarks included."""
        in_text = {fault for fault, pattern in SENTENCES.items() if re.search(pattern, self.text)}
        return ({self.outcome, *self.reasons} | in_text) - NO_FAULT

    @property
    def is_named(self) -> bool:
        """Whether the program names the run faulty."""
        return bool(self.faults - (REMARKS if self.outcome in LEARNED else set()))

    def line(self) -> str:
        reasons = f" ({', '.join(self.reasons)})" if self.reasons else ""
        at = f"{self.setting.data} {self.setting.sample} as {self.setting.low:g} and {self.setting.high:g}"
        words = shlex.join([*self.setting.words(), f"seed={self.seed}"])
        return f"{100 * self.distance:.0f} points below: {self.outcome}{reasons}: {self.text}\n    {at}: {words}"


DEPTHS = {"relu": 10, "tanh": 10, "sigmoid": 2}
INITIALIZERS = {"relu": "he_uniform", "tanh": "xavier_uniform", "sigmoid": "xavier_uniform"}
RATES = {
    "circles": {"sgd": 0.1, "adam": 0.005, "rmsprop": 0.003},
    "blobs": {"sgd": 0.01, "adam": 0.005, "rmsprop": 0.003},
}
EPOCHS = {"null": 400, "128": 150, "32": 60}  # by the size of a batch
LOSSES = {"circles": ["bce", "bce", "mse"], "blobs": ["cross_entropy", "cross_entropy", "mse"]}
WRONG_OUTPUTS = {
    "bce": ["relu", "identity", "tanh"],
    "cross_entropy": ["relu", "identity", "tanh", "sigmoid"],
    "mse": ["relu"],
}


def one_of(stream: Stream, options: Iterable[str]) -> str:
    return str(stream.choice(list(options)))


def between(stream: Stream, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(stream.uniform(np.log(low), np.log(high))))


def good(stream: Stream) -> Setting:
    """Settings with which most runs are healthy."""
    data, activation = one_of(stream, CLOUDS), one_of(stream, DEPTHS)
    optimizer, batch, loss = one_of(stream, RATES[data]), one_of(stream, EPOCHS), one_of(stream, LOSSES[data])
    hidden = [int(stream.randint(6, 9))] * int(stream.randint(1, DEPTHS[activation] + 1))
    overrides: dict[str, object] = {
        "architecture.hidden": hidden,
        "activation": activation,
        "output": "sigmoid" if loss == "mse" else "auto",
        "loss": loss,
        "loss.reduction": "mean",
        "init": INITIALIZERS[activation],
        "optimizer": optimizer,
        **({"optimizer.momentum": 0.9} if optimizer == "sgd" else {}),
        "lr": RATES[data][optimizer] * between(stream, 0.5, 2),
        "batch_size": batch,
        "epochs": EPOCHS[batch],
    }
    return Setting(data, int(stream.randint(SAMPLES)), {}).given(overrides)


Overrides = dict[str, object]


def planted(change: Callable[[Setting, Stream], Overrides]) -> Callable[[Setting, Stream], Setting]:
    return lambda good, stream: good.given(change(good, stream))


# fmt: off
FAULTS: dict[str, Callable[[Setting, Stream], Setting]] = {
    "rate too small": planted(lambda good, r: {"lr": between(r, 1e-7, 1e-5)}),
    "rate too large": planted(lambda good, r: {"lr": between(r, 1, 10)}),
    "start too small": planted(lambda good, r: {"init.scale": between(r, 1e-4, 1e-2)}),
    "start too large": planted(lambda good, r: {"init.scale": between(r, 30, 300)}),
    "start of zeros": planted(lambda good, r: {"init": "zeros"}),
    "start of equals": planted(lambda good, r: {"init": "constant", "init.value": between(r, 0.03, 1)}),
    "deep sigmoids": planted(lambda good, r: {"activation": "sigmoid", "init": "xavier_uniform",
        "architecture.hidden": [8] * int(r.randint(5, 11))}),
    "linear units": planted(lambda good, r: {"activation": "identity"}),
    "single examples": planted(lambda good, r: {"batch_size": 1, "epochs": 5, "lr": between(r, 0.3, 10)}),
    "wrong output": planted(lambda good, r: {"output": one_of(r, WRONG_OUTPUTS[good.overrides["loss"]])}),
    "targets out of reach": lambda good, r: replace(good, low=1.0, high=4.0).given(
        {"loss": "mse", "output": one_of(r, ["sigmoid", "tanh"])}),
}
# fmt: on
"""Name of a fault to what plants it in good settings."""
CIRCLES_ONLY = {"linear units", "targets out of reach"}
"""Lines separate blobs, and the greatest of three outputs that are all too low can be the right one."""


def sampled(runs: int, stream: Stream) -> tuple[list[Diagnosed], dict[str, list[Diagnosed]]]:
    """Healthy runs, and at least ``runs`` of each fault: the same seeds that are healthy without it."""
    healthy: list[Diagnosed] = []
    faulty: dict[str, list[Diagnosed]] = {name: [] for name in FAULTS}
    for name, plant in FAULTS.items():
        while len(faulty[name]) < runs:
            setting, first = good(stream), int(stream.randint(100_000))
            if setting.data == "blobs" and name in CIRCLES_ONLY:
                continue
            found = [run for run in setting.train(range(first, first + SEEDS)) if run.distance <= HEALTHY]
            healthy += found
            if found:
                faulty[name] += plant(setting, stream).train([run.seed for run in found])
        print(f"{name}: {len(faulty[name])} runs; {len(healthy)} healthy runs", file=sys.stderr)
    return healthy, faulty


def report(healthy: list[Diagnosed], faulty: dict[str, list[Diagnosed]]) -> list[str]:
    """The shares with their bounds, and the figures of each fault, activation and word."""
    every = [run for runs in faulty.values() for run in runs]
    bad, well = not_learnt(every), sum(run.distance <= HEALTHY for run in every)
    remarks = sum(bool(run.faults) for run in healthy)
    lines = [
        f"{len(every)} runs with a fault: {len(bad)} did not learn, {well} are healthy even so, the rest between",
        f"named, of the faulty that did not learn: {share(named(bad), len(bad))} (at least {100 * NAMED:g} %)",
        f"named, of the healthy: {share(named(healthy), len(healthy))} (at most {100 * BLAMED:g} %);"
        f" counting remarks {share(remarks, len(healthy))}",
        "",
        f"{'fault':<22}{'runs':>5}  {'named of not learnt':<22}outcomes of those that did not learn",
    ]
    for fault, runs in faulty.items():
        some = not_learnt(runs)
        outcomes = ", ".join(f"{word} {n}" for word, n in Counter(run.outcome for run in some).most_common())
        lines.append(f"{fault:<22}{len(runs):>5}  {share(named(some), len(some)):<22}{outcomes}")
    lines += ["", f"{'activation':<22}{'named of not learnt':<22}named of healthy"]
    for activation in (*DEPTHS, "identity"):
        shares = [share(named(runs), len(runs)) for runs in (of(activation, bad), of(activation, healthy))]
        lines.append(f"{activation:<22}{shares[0]:<22}{shares[1]}")
    lines += ["", f"{'':<14}{'as the outcome':>22}{'named at all':>22}", f"{'word':<14}" + 2 * "  not learnt   healthy"]
    counts = [
        *(Counter(run.outcome for run in runs) for runs in (bad, healthy)),
        *(Counter(word for run in runs for word in run.faults) for runs in (bad, healthy)),
    ]
    for word in sorted(set().union(*counts)):
        lines.append(
            f"{word:<14}" + "".join(f"{count[word]:>{width}}" for count, width in zip(counts, WIDTHS, strict=True))
        )
    return lines


WIDTHS = (12, 10, 12, 10)


def of(activation: str, runs: list[Diagnosed]) -> list[Diagnosed]:
    return [run for run in runs if run.activation == activation]


def not_learnt(runs: list[Diagnosed]) -> list[Diagnosed]:
    return [run for run in runs if run.distance > NOT_LEARNT]


def named(runs: list[Diagnosed]) -> int:
    return sum(run.is_named for run in runs)


def share(some: int, whole: int) -> str:
    return f"{some}/{whole}, {100 * some / whole:.1f} %" if whole else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("seed", type=int, nargs="?", default=0, help="seed of the sample")
    parser.add_argument("--runs", type=int, default=24, help="least number of runs of each fault")
    parser.add_argument("--list", action="store_true", help="print every run that is judged wrongly")
    asked = parser.parse_args()
    healthy, faulty = sampled(asked.runs, Stream(asked.seed))
    if asked.list:
        for run in filter(lambda run: run.is_named, healthy):
            print(f"healthy, {run.line()}")
        for fault, runs in faulty.items():
            for run in not_learnt(runs):
                if not run.is_named:
                    print(f"{fault}, {run.line()}")
    keep("faults", report(healthy, faulty))


if __name__ == "__main__":
    main()
