"""The cost of the diagnosis, and how often it is right: named at the end, no longer moving, not solved soon after.

Census: seeds 0-999 (or the number given as an argument) of four XOR networks with four initializers, mean BCE, SGD
with lr=0.5.  OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/diagnosis.py
"""

import sys
import time
from collections import Counter
from statistics import median

import numpy as np
from results import keep

from xortrain.config.compose import compose
from xortrain.runner.train import train_in_memory
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.loop import Training
from xortrain.training.outcome import code, results, words
from xortrain.training.task import History

SEEDS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
NETS = [("sigmoid", 2), ("tanh", 2), ("relu", 2), ("relu", 4)]
INITIALIZERS = ["randn", "torch_default", "xavier_uniform", "uniform"]
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


def census(activation: str, hidden: int, init: str) -> tuple[np.ndarray, str]:
    """Named of those not solved, changed of those training, solved soon of those stuck; and a line with the counts."""
    net = [f"activation={activation}", f"architecture.hidden=[{hidden}]", f"init={init}"]

    def after(epochs: int, *more: str) -> np.ndarray:
        return train_in_memory(make_setup(SEEDS, *net, f"epochs={epochs}", *more)).rows

    early, late, watched = after(5000), after(20_000), after(5500, "stop=solved")
    training, solved = code("training"), code("solved")
    open_ends, rest = late["outcome"] != solved, early["outcome"] == training
    stuck = ~np.isin(early["outcome"], (training, solved))
    at_once = stuck & (watched["outcome"] == solved) & (watched["epochs_done"] > 5000)
    named, changed = open_ends & (late["outcome"] != training), rest & (late["outcome"] != training)
    figures = np.array([x.sum() for x in (named, open_ends, changed, rest, at_once, stuck)])
    counts = ", ".join(f"{word} {n}" for word, n in Counter(words(late["outcome"])).most_common())
    return figures, f"2-{hidden}-1 {activation:<8}{init:<15}{shares(figures)} {counts}"


def shares(figures: np.ndarray) -> str:
    named, open_ends, changed, rest, at_once, stuck = figures
    return f"{named:>6}/{open_ends:<6}{changed:>5}/{rest:<5}{at_once:>4}/{stuck:<6}"


def main() -> None:
    lines = [
        f"10,000 runs diagnosed, {' '.join(net) or '2-2-1 sigmoid'}: {cost(*net):.3f} s (at most 0.5)"
        for net in ((), ("activation=relu", "architecture.hidden=[4]"))
    ]
    lines += [
        "named: of those not solved at 20,000 epochs.  changed: of those that were training at 5,000, by 20,000.",
        "at once: of those stuck at 5,000, solved within 500 more.  The counts are those at 20,000.",
        "net           start               named     changed   at once",
    ]
    found = [census(*net, init) for net in NETS for init in INITIALIZERS]
    total = np.sum([figures for figures, _ in found], axis=0)
    keep("diagnosis", [*lines, *(line for _, line in found), f"{'all':<29}{shares(total)}"])


if __name__ == "__main__":
    main()
