"""The cost of the diagnosis, and how often it is right, which later epochs decide: three parts, or one with --only.

cost    seconds for the results of 10,000 unsolved runs
xor     seeds 0-999 (or the number given) of four XOR networks with four initializers, mean BCE, SGD with lr=0.5
census  a random sample of losses, activations, optimizers, batches and data, until every level of each of these has
        200 stuck runs (or --samples settings are trained).  A sample is 64 seeds, each with its own learning rate;
        runs unsolved after T epochs are trained to 4 T.  Of those called stuck at most 2 % may be right in any epoch
        up to 2 T; of those called training at least half must be right, or have half their loss, after 4 T, above the
        lowest that the targets allow (bce of targets between 0 and 1 is never 0).

Census of other settings: --seed; --list prints its misses as commands.
OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/diagnosis.py
"""

import argparse
import itertools
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from results import keep

from xortrain.config.compose import compose
from xortrain.records.groups import NOT_STUCK, wilson
from xortrain.runner.train import train_in_memory
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.loop import Training
from xortrain.training.outcome import OUTCOMES, code, results, words
from xortrain.training.task import Choice, History, Task

STUCK = [word for word in OUTCOMES if word not in NOT_STUCK]


FEW = ["loss.reduction=mean", "lr=0.5", "track.losses=2", "track.frames=2"]


def make_setup(runs: int, *overrides: str) -> Setup:
    config = compose([*FEW, *overrides])
    return Setup.of(Population(config, {"seed": np.arange(runs, dtype=np.uint32)}, np.arange(runs)))


def cost(*net: str, runs: int = 10_000) -> float:
    """Seconds for the results of runs, none of which is solved."""
    task = make_setup(runs, "epochs=50", *net).task()
    history = History.empty(np.array([0]), np.array([0]), task.theta.shape, task.theta.dtype, has_test=False)
    training = Training(task, history)
    for _ in training.run():
        pass
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        results(training)
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def cost_lines() -> list[str]:
    return [
        f"10,000 runs diagnosed, {' '.join(net) or '2-2-1 sigmoid'}: {cost(*net):.3f} s (at most 0.5)"
        for net in ((), ("activation=relu", "architecture.hidden=[4]"))
    ]


NETS = [("sigmoid", 2), ("tanh", 2), ("relu", 2), ("relu", 4)]
INITIALIZERS = ["randn", "torch_default", "xavier_uniform", "uniform"]


def xor_net(seeds: int, activation: str, hidden: int, init: str) -> tuple[np.ndarray, str]:
    """Named of those not solved, changed of those training, solved soon of those stuck; and a line with the counts."""
    net = [f"activation={activation}", f"architecture.hidden=[{hidden}]", f"init={init}"]

    def after(epochs: int, *more: str) -> np.ndarray:
        return train_in_memory(make_setup(seeds, *net, f"epochs={epochs}", *more)).rows

    early, late, watched = after(5000), after(20_000), after(5500, "stop=solved")
    training, solved = code("training"), code("solved")
    open_ends, rest = late["outcome"] != solved, early["outcome"] == training
    stuck = np.isin(early["outcome"], [code(word) for word in STUCK])
    at_once = stuck & (watched["outcome"] == solved) & (watched["epochs_done"] > 5000)
    named, changed = open_ends & (late["outcome"] != training), rest & (late["outcome"] != training)
    figures = np.array([x.sum() for x in (named, open_ends, changed, rest, at_once, stuck)])
    counts = ", ".join(f"{word} {n}" for word, n in Counter(words(late["outcome"])).most_common())
    return figures, f"2-{hidden}-1 {activation:<8}{init:<15}{shares(figures)} {counts}"


def shares(figures: np.ndarray) -> str:
    named, open_ends, changed, rest, at_once, stuck = figures
    return f"{named:>6}/{open_ends:<6}{changed:>5}/{rest:<5}{at_once:>4}/{stuck:<6}"


def xor_lines(seeds: int) -> list[str]:
    found = [xor_net(seeds, *net, init) for net in NETS for init in INITIALIZERS]
    total = np.sum([figures for figures, _ in found], axis=0)
    return [
        "named: of those not solved at 20,000 epochs.  changed: of those that were training at 5,000, by 20,000.",
        "at once: of those stuck at 5,000, solved within 500 more.  The counts are those at 20,000.",
        "net           start               named     changed   at once",
        *(line for _, line in found),
        f"{'all':<29}{shares(total)}",
    ]


SINE = Path(tempfile.gettempdir()) / "xortrain-census"
FACTORS: dict[str, dict[str, list[str]]] = {
    "loss": {
        "bce mean": ["loss=bce", "loss.reduction=mean"],
        "bce sum": ["loss=bce", "loss.reduction=sum"],
        "mse": ["loss=mse"],
        "half_sse": ["loss=half_sse", "loss.reduction=sum"],
        "huber": ["loss=huber"],
    },
    "activation": {name: [f"activation={name}"] for name in ("sigmoid", "tanh", "relu", "leaky_relu", "sin")},
    "optimizer": {
        "sgd": ["optimizer=sgd"],
        "momentum": ["optimizer=sgd", "optimizer.momentum=0.9"],
        **{name: [f"optimizer={name}"] for name in ("adam", "rmsprop", "adagrad")},
    },
    "batch": {"full": [], "online": ["batch_size=1"]},
    "data": {
        "xor": ["data=xor"],
        "parity": ["data=parity", "data.bits=3"],
        "circle": ["data=circle", "data.examples=40"],
        "sine": ["data=csv", "success=tolerance", "success.within=0.1"],
    },
    "output": {"auto": [], "sigmoid": ["output=sigmoid"], "tanh": ["output=tanh"]},
    "hidden": {text: [f"architecture.hidden={text}"] for text in ("[2]", "[3]", "[4]", "[4,4]", "[8]")},
    "init": {name: [f"init={name}"] for name in INITIALIZERS},
}
BOUNDED = ("loss", "activation", "optimizer", "batch", "data")  # the factors of which every level must be right
EXAMPLES = {"xor": 4, "parity": 8, "circle": 40, "sine": 30}
RATES = {
    "sgd": (0.02, 2.0),
    "momentum": (0.003, 0.5),
    "adam": (0.001, 0.1),
    "rmsprop": (0.001, 0.1),
    "adagrad": (0.01, 1.0),
}
"""The range of learning rates, for a loss that is a mean over the examples of an update."""
SEEDS, SHORTEST, LONGEST, MOST_UPDATES = 64, 100, 3000, 24_000


@dataclass(frozen=True)
class Sample:
    """Runs that share the level of each factor; each has its own rate and seed."""

    levels: dict[str, str]
    overrides: list[str]
    epochs: int
    varying: dict[str, np.ndarray]

    def setup(self) -> Setup:
        config = compose([*self.overrides, f"epochs={self.epochs}"])
        return Setup.of(Population(config, self.varying, np.arange(SEEDS)))

    def command(self, run: int) -> str:
        own = [f"{key}={values[run].item()!r}" for key, values in self.varying.items()]
        return shlex.join(["xortrain", *self.overrides, f"epochs={self.epochs}", *own])


def samples(rng: np.random.Generator) -> Iterator[Sample]:
    """An endless random sample in which the levels of a factor are equally frequent."""
    drawn = {factor: endless(rng, list(levels)) for factor, levels in FACTORS.items()}
    while True:
        yield sample(rng, {factor: next(levels) for factor, levels in drawn.items()})


def endless(rng: np.random.Generator, levels: Sequence[str]) -> Iterator[str]:
    """All levels in random order, again and again."""
    while True:
        yield from (levels[k] for k in rng.permutation(len(levels)))


def sample(rng: np.random.Generator, levels: dict[str, str]) -> Sample:
    """A sample with these levels: T and learning rates are log-uniform; online training has at most 24,000 updates."""
    if levels["loss"].startswith("bce"):
        levels = {**levels, "output": "auto"}
    examples, is_online = EXAMPLES[levels["data"]], levels["batch"] == "online"
    overrides = [text for factor, level in levels.items() for text in FACTORS[factor][level]]
    if levels["data"] == "sine":
        is_unit = levels["loss"].startswith("bce") or levels["output"] == "sigmoid"
        overrides.append(f"data.path={SINE}/{'unit' if is_unit else 'signed'}.csv")
    elif levels["output"] == "tanh":
        overrides.append("data.low=-1")
    longest = min(LONGEST, MOST_UPDATES // examples) if is_online else LONGEST
    epochs = round(log_uniform(rng, SHORTEST, longest).item())
    is_sum = levels["loss"] in ("bce sum", "half_sse") and levels["optimizer"] in ("sgd", "momentum")
    lr = log_uniform(rng, *RATES[levels["optimizer"]], SEEDS) / (examples if is_sum and not is_online else 1)
    return Sample(levels, overrides, epochs, {"lr": lr, "seed": rng.integers(2**32, size=SEEDS, dtype=np.uint32)})


def log_uniform(rng: np.random.Generator, low: float, high: float, size: int = 1) -> np.ndarray:
    return np.exp(rng.uniform(np.log(low), np.log(high), size))


def write_sines() -> None:
    """Two tables of the same 30 noisy points of a sine: targets around 0.1 to 0.9, and around -0.8 to 0.8."""
    rng = np.random.default_rng(0)
    x = np.linspace(-3, 3, 30)
    t = 0.8 * np.sin(x) + rng.normal(0, 0.03, len(x))
    SINE.mkdir(exist_ok=True)
    for name, targets in (("signed", t), ("unit", 0.5 + t / 2)):
        np.savetxt(SINE / f"{name}.csv", np.column_stack([x, targets]), "%.6f", ",", header="x,t", comments="")


@dataclass(frozen=True)
class Found:
    """The unsolved runs of a sample: what they were called after T epochs, and what became of them.

    ``solved_at`` is the first epoch after T in which every example is right (4 T + 1 for none), ``improved`` whether
    that holds after 4 T or the loss has halved, above the lowest that the targets allow.
    """

    sample: Sample
    places: np.ndarray
    outcomes: list[str]
    solved_at: np.ndarray
    improved: np.ndarray
    losses: np.ndarray

    @property
    def soon(self) -> np.ndarray:
        return self.solved_at <= 2 * self.sample.epochs


def judged(sample: Sample) -> Found:
    """Train a sample to T epochs, and its unsolved runs to 4 T."""
    setup = sample.setup()
    trained = train_in_memory(setup)
    places = np.flatnonzero(trained.rows["outcome"] != code("solved"))
    outcomes = words(trained.rows["outcome"][places])
    if not len(places):
        return Found(sample, places, outcomes, places, np.zeros(0, bool), np.empty((2, 0)))
    task = setup.task().take(places)
    solved_at, at_end, losses = watched(task, sample.epochs)
    alive = trained.rows["diverged_at"][places] < 0
    if not np.array_equal(losses[0, alive], trained.array("losses", places)[-1, alive]):
        raise AssertionError(f"the longer run does not begin with the shorter: {sample.command(0)}")
    above = losses - task.criterion.lowest(task.data.t)
    return Found(sample, places, outcomes, solved_at, at_end | (above[1] <= above[0] / 2), losses)


def watched(task: Task, start: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train to 4 ``start`` epochs: the first right epoch after the start, whether the last is, losses at both."""
    last = 4 * start
    history = History.empty(np.array([start, last]), np.array([0]), task.theta.shape, task.theta.dtype, False)
    training = Training(replace(task, epochs=last, stop=Choice("solved")), history)
    solved_at, at_end, epochs = np.full(task.runs, last + 1), np.zeros(task.runs, bool), itertools.count()

    def note(right: np.ndarray, _losses: Callable[[], np.ndarray]) -> np.ndarray:
        """Takes the place of the stop rule, which sees every epoch; stops no run."""
        epoch, columns = next(epochs), training.columns[right]
        if epoch > start:
            solved_at[columns] = np.minimum(solved_at[columns], epoch)
        at_end[columns] |= epoch == last
        return np.zeros_like(right)

    training.stops = note
    for _ in training.run():
        pass
    return solved_at, at_end, history.losses


def census(rng: np.random.Generator, enough: int, most: int) -> list[Found]:
    """Judge samples until every level has enough stuck runs."""
    write_sines()
    stuck: Counter[tuple[str, str]] = Counter({(f, level): 0 for f in BOUNDED for level in FACTORS[f]})
    found: list[Found] = []
    start = time.process_time()
    for drawn in itertools.islice(samples(rng), most):
        found.append(judged(drawn))
        for factor in BOUNDED:
            stuck[factor, drawn.levels[factor]] += sum(word in STUCK for word in found[-1].outcomes)
        (factor, level), fewest = min(stuck.items(), key=lambda item: item[1])
        if len(found) % 10 == 0:
            seconds = time.process_time() - start
            print(f"{len(found)} samples, {seconds:.0f} s, fewest stuck: {fewest} of {level}", file=sys.stderr)
        if fewest >= enough:
            break
    return found


def runs_of(found: Sequence[Found]) -> dict[str, np.ndarray]:
    """Columns (runs,) of all unsolved runs: the level of each factor, the outcome, and what became of them."""
    levels = {
        f: np.repeat([one.sample.levels[f] for one in found], [len(one.places) for one in found]) for f in FACTORS
    }
    outcomes = np.array([word for one in found for word in one.outcomes])
    future = {name: np.concatenate([getattr(one, name) for one in found]) for name in ("soon", "improved")}
    return {**levels, "outcome": outcomes, **future}


def line(name: str, runs: dict[str, np.ndarray], own: np.ndarray) -> str:
    """A line of the table: of the runs that are stuck, those right soon; of those training, those improved."""
    stuck, training = own & np.isin(runs["outcome"], STUCK), own & (runs["outcome"] == "training")
    is_worse = runs["soon"][stuck].sum() > 0.02 * stuck.sum() or runs["improved"][training].sum() < training.sum() / 2
    soon, improved = share(runs["soon"][stuck]), share(runs["improved"][training])
    figures = f"{own.sum():>8}{stuck.sum():>7}  {soon:<25}{training.sum():>8}  {improved:<27}"
    return f"{name:<22}{figures}{'*' if is_worse else ''}".rstrip()


def share(holds: np.ndarray) -> str:
    """For how many of some runs it holds, in percent with the 95 % interval."""
    if not len(holds):
        return "-"
    low, high = wilson(holds.sum(), np.array(len(holds)))
    return f"{holds.sum():>5} {100 * holds.mean():>5.1f} % ({100 * low:.1f}-{100 * high:.1f})"


def census_lines(rng: np.random.Generator, enough: int, most: int, show_misses: bool) -> list[str]:
    found = census(rng, enough, most)
    if show_misses:
        print(*misses(found), sep="\n")
    runs = runs_of(found)
    outcome = runs["outcome"]
    return [
        f"{len(found)} samples of {SEEDS} runs.  right soon: in any epoch from T to 2 T, of those stuck (at most 2 %).",
        "improved: right or half the loss after 4 T, of those training (at least 50 %).  A star marks what is worse.",
        f"{'':<22}unsolved  stuck  {'right soon (95 %)':<25}training  improved (95 %)",
        line("all", runs, np.ones(len(outcome), bool)),
        *(line(f"{f} {level}", runs, runs[f] == level) for f, levels in FACTORS.items() for level in levels),
        "of each outcome:",
        *(
            f"{word:<22}{own.sum():>8}{'':>9}{share(runs['soon'][own]):<35}{share(runs['improved'][own])}"
            for word in OUTCOMES
            if (own := outcome == word).any()
        ),
    ]


def misses(found: Sequence[Found]) -> Iterator[str]:
    """Commands of the runs that were judged wrongly, with what became of them."""
    for one in found:
        for k, word in enumerate(one.outcomes):
            command = one.sample.command(one.places[k])
            if word in STUCK and one.soon[k]:
                yield f"{command}  # {word}, but right at {one.solved_at[k]}"
            if word == "training" and not one.improved[k]:
                yield f"{command}  # training, but loss {one.losses[0, k]:.6g} becomes {one.losses[1, k]:.6g}"


def main() -> None:
    parser = argparse.ArgumentParser(description="What the diagnosis costs, and how often it is right.")
    parser.add_argument("seeds", nargs="?", type=int, default=1000, help="of each of the XOR networks")
    parser.add_argument("--only", choices=("cost", "xor", "census"), help="one part")
    parser.add_argument("--seed", type=int, default=0, help="of the census: which settings are drawn")
    parser.add_argument("--stuck", type=int, default=200, help="of the census: stuck runs of each level")
    parser.add_argument("--samples", type=int, default=800, help="of the census: most samples")
    parser.add_argument("--list", action="store_true", help="print the misses of the census as commands")
    given = parser.parse_args()
    parts: dict[str, Callable[[], list[str]]] = {
        "cost": cost_lines,
        "xor": partial(xor_lines, given.seeds),
        "census": lambda: census_lines(np.random.default_rng(given.seed), given.stuck, given.samples, given.list),
    }
    chosen = [given.only] if given.only else list(parts)
    keep("-".join(["diagnosis", *filter(None, [given.only])]), [line for part in chosen for line in parts[part]()])


if __name__ == "__main__":
    main()
