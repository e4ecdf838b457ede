"""Advice, pasted: whether the first advice for an unsolved run solves it as said, and how often it does for new seeds.

Random single runs (data, network, loss, optimizer, start) that ended unsolved get the first advice appended to their
overrides.  Trained again, each must be solved or learnt if the advice says so, or if it names a seed; of 16 new seeds
the pooled share must reach the mean of the lower ends that were stated.

OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/advice.py      # the tables of data=csv are written to --tables
"""

import argparse
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from results import keep

from xortrain.api import train
from xortrain.config.compose import compose
from xortrain.errors import UserError
from xortrain.runner.train import train_in_memory
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup

SOLVED = {"solved", "learnt"}
FRESH = 16  # new seeds, from FIRST above the run's own
FIRST = 1000

Stream = np.random.RandomState
Words = list[str]


def one_of(stream: Stream, options: Iterable[str]) -> str:
    return str(stream.choice(list(options)))


def between(stream: Stream, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(stream.uniform(np.log(low), np.log(high))))


def prices(stream: Stream) -> np.ndarray:
    """Area and price of some houses."""
    area = stream.uniform(400, 2600, stream.randint(3, 25))
    return np.stack([area.round(), (area * stream.uniform(120, 220) * between(stream, 0.9, 1.1)).round()], axis=1)


def fahrenheit(stream: Stream) -> np.ndarray:
    """A line: degrees Celsius and Fahrenheit."""
    celsius = stream.uniform(-40, 100, stream.randint(4, 20)).round(1)
    return np.stack([celsius, 1.8 * celsius + 32], axis=1)


def seasons(stream: Stream) -> np.ndarray:
    """Day of the year and a temperature, a noisy sine."""
    day = np.sort(stream.randint(0, 365, 30))
    return np.stack([day, 12 - 10 * np.cos(2 * np.pi * day / 365) + stream.standard_normal(30)], axis=1)


def wines(stream: Stream) -> np.ndarray:
    """Two inputs of very different scale, and a smooth function of both."""
    acid, proline = stream.uniform(2, 4, 30), stream.uniform(300, 1500, 30)
    return np.stack([acid, proline, np.tanh((proline - 800) / 300) + 0.3 * (acid - 3)], axis=1)


TABLES = {"prices": prices, "fahrenheit": fahrenheit, "seasons": seasons, "wines": wines}


def table(stream: Stream, folder: Path) -> Words:
    """A regression whose columns are not scaled, right within some share of the targets' range."""
    name, seed = one_of(stream, TABLES), int(stream.randint(10_000))
    rows = TABLES[name](Stream(seed))
    path = folder / f"{name}-{seed}.csv"
    np.savetxt(path, rows, fmt="%.6g", delimiter=",")
    within = stream.choice([0.05, 0.1, 0.2]) * np.ptp(rows[:, -1])
    return ["data=csv", f"data.path={path}", "success=tolerance", f"success.within={within:.3g}"]


def cloud(name: str, noise: float) -> Callable[[Stream, Path], Words]:
    return lambda stream, folder: [
        f"data={name}",
        f"data.examples={stream.choice([40, 100])}",
        f"data.noise={stream.uniform(0, noise):.2f}",
        f"data.seed={stream.randint(1000)}",
    ]


DATA: dict[str, Callable[[Stream, Path], Words]] = {
    "xor": lambda stream, folder: ["data=xor"],
    "parity": lambda stream, folder: ["data=parity", "data.bits=3"],
    "circle": cloud("circle", 0.2),
    "moons": cloud("moons", 0.4),
    "table": table,
}
HIDDEN = ["[]", "[1]", "[2]", "[2]", "[3]", "[4]", "[4,4]", "[8]", "[8,8,8]"]
ACTIVATIONS = ["sigmoid", "tanh", "relu", "leaky_relu", "sin", "identity"]
INITIALIZERS = [*2 * ["torch_default", "xavier_uniform", "randn", "uniform"], "zeros", "he_normal"]
RATES = {"sgd": (1e-3, 10), "adam": (1e-4, 1), "rmsprop": (1e-4, 1), "adagrad": (1e-3, 3)}
SQUARED = ["mse", "half_sse", "huber", "mae"]


def settings(stream: Stream, data: str, folder: Path) -> Words:
    """The overrides of a random run."""
    loss = one_of(stream, SQUARED if data == "table" else ["bce", "bce", *SQUARED])
    optimizer = one_of(stream, RATES)
    words = [
        *DATA[data](stream, folder),
        f"architecture.hidden={one_of(stream, HIDDEN)}",
        f"activation={one_of(stream, ACTIVATIONS)}",
        f"output={'auto' if loss == 'bce' else one_of(stream, ['auto', 'sigmoid', 'tanh'])}",
        f"loss={loss}",
        f"loss.reduction={one_of(stream, ['mean', 'sum'])}",
        f"init={one_of(stream, INITIALIZERS)}",
        f"optimizer={optimizer}",
        f"lr={between(stream, *RATES[optimizer]):.3g}",
        f"epochs={between(stream, 30, 300 if data in ('circle', 'moons') else 2000):.0f}",
        f"seed={stream.randint(1000)}",
    ]
    if optimizer == "sgd" and stream.uniform() < 0.3:
        words.append("optimizer.momentum=0.9")
    if data in ("circle", "moons") and stream.uniform() < 0.3:
        words.append("batch_size=10")
    return words


@dataclass(frozen=True)
class Pasted:
    """The first advice for an unsolved run: what it says, and what came of it."""

    data: str
    words: Words
    advice: Words
    stated: str
    promised: bool
    low: float
    ended: str
    fresh: int

    @property
    def is_kept(self) -> bool:
        return not self.promised or self.ended in SOLVED

    @property
    def key(self) -> str:
        """What the advice changes."""
        return " ".join(word.partition("=")[0] for word in self.advice)

    def line(self) -> str:
        said = "solves it" if self.promised else "solves other seeds"
        advice = " ".join(self.advice)
        return f"{advice} ({self.stated}, {said}): {self.ended}\n    xortrain {shlex.join([*self.words, *self.advice])}"


def paste(data: str, words: Words, first: Any) -> Pasted:
    """Train with an advice, which is a trial of `run.advice.best`: once as it is, and with new seeds."""
    advice = list(first.overrides)
    names_seed = any(word.startswith("seed=") for word in advice)
    try:
        ended, fresh = train(*words, *advice).outcome, solved_seeds(words, advice)
    except UserError as error:
        ended, fresh = str(error), 0
    return Pasted(
        data, words, advice, f"{first.solved} of {first.seeds}", first.own or names_seed, first.low, ended, fresh
    )


def solved_seeds(words: Words, advice: Words) -> int:
    """How many new seeds are solved."""
    config = compose([*words, *(word for word in advice if not word.startswith("seed="))])
    seeds = compose(words)["seed"] + FIRST + np.arange(FRESH, dtype=np.uint32)
    trained = train_in_memory(Setup.of(Population(config, {"seed": seeds}, np.arange(FRESH))))
    return sum(outcome in SOLVED for outcome in trained.outcomes)


def report(pasted: Sequence[Pasted], without: Counter[str], seconds: Sequence[float]) -> list[str]:
    """The two shares in total, for each kind of data and each kind of advice; then every broken promise."""
    unsolved = len(pasted) + without.total()
    broken = [one for one in pasted if not one.is_kept]
    return [
        f"{unsolved} unsolved runs, {len(pasted)} with advice; a run's trials take {median(seconds):.2f} s (median), at"
        f" most {max(seconds):.1f} s",
        f"pasted, as said: {kept(pasted)} (must be all)",
        f"{FRESH} new seeds each, solved: {fresh(pasted)}",
        "",
        f"{'data':<34}{'no advice':>10}{'as said':>12}  new seeds",
        *(
            f"{data:<34}{without[data]:>10}{kept(some):>12}  {fresh(some)}"
            for data in DATA
            for some in [[one for one in pasted if one.data == data]]
        ),
        "",
        f"{'advice':<44}{'as said':>12}  new seeds",
        *(
            f"{key:<44}{kept(some):>12}  {fresh(some)}"
            for key, _ in Counter(one.key for one in pasted).most_common()
            for some in [[one for one in pasted if one.key == key]]
        ),
        "",
        f"broken: {len(broken)}",
        *(one.line() for one in broken),
    ]


def kept(some: Sequence[Pasted]) -> str:
    promised = [one for one in some if one.promised]
    return f"{sum(one.is_kept for one in promised)}/{len(promised)}"


def fresh(some: Sequence[Pasted]) -> str:
    """The pooled share of new seeds that are solved, beside the mean of the lower ends stated."""
    if not some:
        return "-"
    share, low = np.mean([one.fresh / FRESH for one in some]), np.mean([one.low for one in some])
    return f"{100 * share:.1f} % (at least {100 * low:.1f} %){'' if share >= low else '  TOO FEW'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("seed", type=int, nargs="?", default=0, help="seed of the sample")
    parser.add_argument("--runs", type=int, default=500, help="number of unsolved runs")
    parser.add_argument("--tables", type=Path, default=Path(tempfile.gettempdir(), "xortrain-advice"))
    asked = parser.parse_args()
    asked.tables.mkdir(parents=True, exist_ok=True)
    stream = Stream(asked.seed)
    pasted: list[Pasted] = []
    seconds: list[float] = []
    without: Counter[str] = Counter()
    while len(seconds) < asked.runs:
        data = list(DATA)[len(seconds) % len(DATA)]
        words = settings(stream, data, asked.tables)
        run: Any = train(*words)
        if run.outcome in SOLVED:
            continue
        start = time.perf_counter()
        best = run.advice.best
        seconds.append(time.perf_counter() - start)
        if best:
            pasted.append(paste(data, words, best[0]))
        else:
            without[data] += 1
        if len(seconds) % 25 == 0:
            print(f"{len(seconds)} unsolved runs: as said {kept(pasted)}, {fresh(pasted)}", file=sys.stderr)
    keep("advice", report(pasted, without, seconds))


if __name__ == "__main__":
    main()
