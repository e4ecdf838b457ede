"""What an engine takes against C written for one very net, against NumPy, and for a lone run.

CPU time of one thread; medians of alternations in one run, with the middle half of them.  Every loss is kept, success
and divergence are watched.  Requires gcc.  Arguments choose parts (generated, wide, alone, plain); without one all are
measured.  rounds=3 and epochs=40 are quicker.  Bounds are those of engine=compiled, in `plain` also those of NumPy;
without it NumPy is measured.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from population import RUNS, Engines, Trained, X, ends, engines, equal, every, setup_of
from reference import FLAGS, Reference, baseline
from results import in_turn, judged, keep, ratios

from xortrain.nets import Array


@dataclass(frozen=True)
class Case:
    """A net and its training as overrides, and the inputs and targets, if they are not those of XOR."""

    words: tuple[str, ...] = ()
    data: tuple[Array, Any] | None = None


LABELLED = X, list("abbc")  # a class for each point of XOR
CASES = {
    "2-2-1 bce": Case(),
    "2-8-8-1 tanh mse": Case(("architecture.hidden=[8,8]", "activation=tanh", "output=identity", "loss=mse", "lr=0.1")),
    "2-8-3 softmax": Case(("architecture.hidden=[8]", "output=softmax", "loss=cross_entropy", "lr=1"), LABELLED),
    "2-2-1 Adam": Case(("optimizer=adam", "lr=0.05")),
    "2-2-1 online": Case(("batch_size=1", "shuffle=false")),
}
FIRST = next(iter(CASES))  # which is the net of baseline.c
OF_C = {"baseline.c": 1.4, "generated C": 1.6}  # times their time, at most
POINTS = ("data=circle", "activation=tanh", "lr=0.1")
WIDE = {  # overrides, runs and epochs
    "2-8-8-1 on 200 points": ((*POINTS, "architecture.hidden=[8,8]"), 512, 8),
    "2-64-64-1 on 200 points": ((*POINTS, "architecture.hidden=[64,64]"), 32, 4),
}
OF_NUMPY, ALONE = 0.25, 3.0  # times NumPy's time, and µs a step of a lone run, at most
OF_LOOP = 2.0  # times the time of a plain loop, at most
STEPS = 5000  # of a lone run


def generated(known: Engines, rounds: int, epochs: int) -> list[str]:
    """Each case by the fastest engine, against C generated for it, and the first against baseline.c too."""
    engine, chosen = list(known.items())[-1]
    lines = [f"{RUNS:,} runs, {epochs} epochs, every loss kept; gcc {' '.join(FLAGS)}"]
    for name, case in CASES.items():
        ours = Trained(setup_of([*case.words, *every(epochs), *chosen], RUNS, epochs, case.data))
        with tempfile.TemporaryDirectory() as folder:
            lines += _against_c(name, engine, ours, rounds, Path(folder))
    return lines


def _against_c(name: str, engine: str, ours: Trained, rounds: int, folder: Path) -> list[str]:
    task = ours.setup.task()
    reference, fused = Reference(task, folder), baseline(task, folder)
    losses, wrong = np.zeros((task.epochs + 1, RUNS)), np.zeros(RUNS)
    end, done = reference.train(losses, wrong), ours()
    same = (wrong == np.concatenate([training.last_wrong for training in done])).mean()
    assert same > 0.95, f"other epochs with wrong examples in {1 - same:.1%}"
    lines = [f"    end parameters differ by {equal(ends(done), end, 1e-9)} from generated C"]
    subjects: dict[str, Callable[[], object]] = {engine: ours, "generated C": lambda: reference.train(losses, wrong)}
    if name == FIRST:
        equal(ends(done), fused(), 1e-9)
        subjects["baseline.c"] = fused
    seconds = in_turn(subjects, rounds, time.process_time)
    times = [f"{who} {median(each) / RUNS / task.epochs * 1e9:.1f}" for who, each in seconds.items()]
    for who in list(seconds)[1:]:
        bound = OF_C[who] if engine == "compiled" else None
        lines.append(f"    {engine} / {who}: {judged(ratios(seconds, engine, who), bound)}")
    return [f"{name}: {', '.join(times)} ns a run and step", *lines]


def wide(known: Engines, rounds: int, epochs: int) -> list[str]:
    """Larger nets, against NumPy's engine."""
    lines = []
    for name, (words, runs, few) in WIDE.items():
        ours = {who: Trained(setup_of([*words, *every(few), *chosen], runs, few)) for who, chosen in known.items()}
        seconds = in_turn(ours, rounds, time.process_time)
        times = [f"{who} {median(each) / runs / few * 1e6:.1f}" for who, each in seconds.items()]
        lines.append(f"{name}, {runs} runs, {few} epochs: {', '.join(times)} µs a run and step")
        if "compiled" in ours:
            distance = equal(ends(ours["compiled"]()), ends(ours["numpy"]()), 1e-9)
            found = judged(ratios(seconds, "compiled", "numpy"), OF_NUMPY)
            lines.append(f"    compiled / numpy: {found}; end parameters differ by {distance}")
    return lines


def alone(known: Engines, rounds: int, epochs: int) -> list[str]:
    """A lone run of 2-2-1 with every loss and the parameters of every epoch."""
    kept = [f"track.losses={STEPS + 1}", f"track.frames={STEPS + 1}"]
    ours = {who: Trained(setup_of([*kept, *chosen], 1, STEPS)) for who, chosen in known.items()}
    lines = []
    for who, each in in_turn(ours, rounds, time.process_time).items():
        found = judged([1e6 * one / STEPS for one in each], ALONE if who == "compiled" else None)
        lines.append(f"a lone run of 2-2-1, {STEPS:,} epochs, everything kept, {who}, µs a step: {found}")
    return lines


def plain(known: Engines, rounds: int, epochs: int) -> list[str]:
    """A lone run of four layers of 50 units on 1,000 examples, against a loop over x @ W.T that watches nothing."""
    rng, few, rate = np.random.default_rng(0), 10, 0.01
    x = rng.normal(size=(1000, 10))
    t = np.sin(x[:, :1])
    words = ["architecture.hidden=[50,50,50,50]", "activation=tanh", "output=identity", "loss=mse", f"lr={rate}"]
    ours = {who: Trained(setup_of([*words, *every(few), *chosen], 1, few, (x, t))) for who, chosen in known.items()}
    task = ours["numpy"].setup.task()

    def loop() -> Array:
        parameters = list(task.network.split(task.theta[:, 0].copy()).values())
        weights, biases = parameters[::2], parameters[1::2]
        for epoch in range(few + 1):
            a = [x]
            for W, b in zip(weights[:-1], biases[:-1], strict=True):
                a.append(np.tanh(a[-1] @ W.T + b))
            y = a[-1] @ weights[-1].T + biases[-1]
            ((y - t) ** 2).mean()
            delta = 2 * (y - t) / len(x)
            for k in reversed(range(len(weights) if epoch < few else 0)):
                gradients = delta.T @ a[k], delta.sum(axis=0)
                if k:
                    delta = delta @ weights[k] * (1 - a[k] * a[k])
                weights[k] -= rate * gradients[0]
                biases[k] -= rate * gradients[1]
        return np.concatenate([numbers.ravel() for numbers in parameters])[:, None]

    seconds = in_turn({"plain loop": loop, **ours}, rounds, time.process_time)
    times = [f"{who} {median(each) / few * 1e3:.1f}" for who, each in seconds.items()]
    lines = [f"a lone run of 10-50-50-50-50-1 on 1,000 examples: {', '.join(times)} ms a step"]
    for who, trained in ours.items():
        distance = equal(ends(trained()), loop(), 1e-9)
        found = judged(ratios(seconds, who, "plain loop"), OF_LOOP)
        lines.append(f"    {who} / plain loop: {found}; end parameters differ by {distance}")
    return lines


PARTS = {"generated": generated, "wide": wide, "alone": alone, "plain": plain}


def main() -> None:
    options = dict(word.split("=") for word in sys.argv[1:] if "=" in word)
    names = [word for word in sys.argv[1:] if "=" not in word]
    rounds, epochs = int(options.get("rounds", 15)), int(options.get("epochs", 200))
    known = engines()
    lines = [f"CPU time of one thread, medians of {rounds} alternations; engines: {', '.join(known)}"]
    for name in names or PARTS:
        lines += PARTS[name](known, rounds, epochs)
    keep("-".join(["engine", *names]), lines)


if __name__ == "__main__":
    main()
