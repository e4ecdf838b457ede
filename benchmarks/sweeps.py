"""Sweeps from the shell to the table: against Hydra's own launcher, up to a million runs, and on two cores.

Arguments choose the parts (launcher, million, ten, recording, cores, maps); without one all but ten are measured.  A
million runs need 1 GB in the folder for temporary files, ten million 8 GB.  With before=PYTHON, the interpreter of an
environment with an older version of this package, a million runs of both are measured in turns.
"""

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from statistics import median

import numpy as np
from population import engines
from results import in_turn, judged, keep, ratio

from xortrain.config.compose import compose
from xortrain.records.process import describe
from xortrain.runner.train import Block, empty_history, start_record, train_block
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.task import History

START = {**{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}, "OMP_NUM_THREADS": "1"}
BASIC = 20  # jobs for Hydra's own launcher, which takes the same time for each
MANY = (10_000, 100_000, 1_000_000)
OF_BEFORE = 0.45  # times the time of the version before the compiled engine, at most


def sweep(*words: str, python: str = sys.executable) -> float:
    """Seconds of a sweep in a new process."""
    command = [python, "-m", "xortrain", "-m", "film=none", *words]
    began = time.perf_counter()
    subprocess.run(command, env=START, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def launcher() -> list[str]:
    """1,000 seeds of 140 epochs, everything recorded, and the same with the basic launcher."""
    seconds = in_turn(
        {
            "population": lambda: sweep("seed=range(0,1000)"),
            "basic": lambda: sweep(f"seed=range(0,{BASIC})", "hydra/launcher=basic"),
            "nothing": lambda: sweep("seed=0", "hydra/launcher=basic"),
        },
        rounds=3,
    )
    job = (median(seconds["basic"]) - median(seconds["nothing"])) / (BASIC - 1)
    basic = median(seconds["nothing"]) + 999 * job
    ours = median(seconds["population"])
    return [
        f"1,000 seeds x 140 epochs, shell to table: {ours:.2f} s (at most 2.5 s)",
        f"basic launcher: {job * 1000:.0f} ms a job ({BASIC} jobs measured), 1,000 jobs by scale {basic:.0f} s",
        f"basic / ours: {basic / ours:.0f} (at least 60)",
    ]


@dataclass(frozen=True)
class Measured:
    """A sweep from the shell to its table: seconds by the clock and of CPU, and the peak of RssAnon in bytes."""

    seconds: float
    cpu: float
    memory: int

    @classmethod
    def of(cls, runs: int, words: Sequence[str], python: str = sys.executable) -> "Measured":
        """Measure a sweep over this many seeds: 140 epochs each, 36 losses and two snapshots kept."""
        words = [f"seed=range(0,{runs})", "track.losses=36", "track.frames=2", "track.bytes=10000000000", *words]
        before = cpu_of_children()
        with Memory() as memory, tempfile.TemporaryDirectory() as root:
            seconds = sweep(*words, f"root={root}", python=python)
        return cls(seconds, cpu_of_children() - before, memory.most)

    def __str__(self) -> str:
        return f"{self.seconds:5.1f} s, {self.cpu:.1f} s of CPU, RssAnon {self.memory / 1e6:.0f} MB in all processes"


def cpu_of_children() -> float:
    """The CPU time of all children that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def two_cores() -> list[str]:
    """The settings that train on two cores: threads of the compiled engine, or processes for NumPy."""
    inline = engines().get("compiled")
    return [*(inline or ["hydra.launcher.engine=loky"]), "hydra.launcher.workers=2"]


def million(counts: Sequence[int] = MANY, memory: float = 0.5e9) -> list[str]:
    """Many seeds on two cores: time, and memory that is not mapped from files."""
    words = two_cores()
    found = {runs: Measured.of(runs, words) for runs in counts}
    lines = [f"{runs:>10,} seeds x 140 epochs, shell to table: {one}" for runs, one in found.items()]
    few, many = counts[-2:]
    pace = (found[many].cpu - found[few].cpu) / (many - few) / (found[few].cpu / few)
    most = f"at most {memory / 1e6:.0f} MB: {'holds' if found[many].memory <= memory else 'does NOT hold'}"
    return [" ".join(words), *lines, most, f"a run beyond {few:,} takes {pace:.2f} of the CPU time of a run below"]


def against(before: str) -> list[str]:
    """A million seeds with this version and with an older one, in turns."""
    now, then = two_cores(), ["hydra.launcher.engine=loky", "hydra.launcher.workers=2"]
    pairs = [(Measured.of(MANY[-1], now), Measured.of(MANY[-1], then, before)) for _ in range(3)]
    lines = [f"now {new};  before {old}" for new, old in pairs]
    wall, cpu = ([f(new) / f(old) for new, old in pairs] for f in (attrgetter("seconds"), attrgetter("cpu")))
    return [*lines, f"now / before by the clock: {judged(wall, OF_BEFORE)}", f"of CPU: {judged(cpu)}"]


class Memory:
    """The peak of the anonymous memory of all children of this process."""

    def __enter__(self) -> "Memory":
        self.most, self.over = 0, threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.over.wait(0.05):
            self.most = max(self.most, sum(map(anonymous, descendants(os.getpid()))))


def descendants(process: int) -> list[int]:
    found = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        for child in _text(path).split():
            found += [int(child), *descendants(int(child))]
    return found


def anonymous(process: int) -> int:
    lines = [line for line in _text(Path(f"/proc/{process}/status")).splitlines() if line.startswith("RssAnon")]
    return 1024 * int(lines[0].split()[1]) if lines else 0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended
        return ""


def recording() -> list[str]:
    """The time that recording adds to a run, against the same training in memory."""
    config = compose(["track.losses=36", "film=none"])
    runs = 65_536
    whole = Setup.of(Population(config, {"seed": np.arange(runs)}, np.arange(runs)))
    setup = Setup.stored(
        whole.population, {"x": whole.train.x, "t": whole.train.t}, whole.loss_epochs, np.array([0, 140])
    )
    size = setup.block_size

    def train(block: slice, history: History) -> np.ndarray:
        steps = train_block(setup, block, history)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return np.asarray(end.value)

    def in_memory() -> None:
        for first in range(0, runs, size):
            block = slice(first, first + size)
            train(block, empty_history(setup.part(block)))

    def recorded() -> None:
        with tempfile.TemporaryDirectory() as folder:
            record = start_record(setup, Path(folder), "sweep", describe())
            for block in range(len(record.blocks)):
                rows = train(record.blocks.runs_of(block), Block.of(record, setup, block).open()[1])
                record.finish_block(block, rows)
            record.end("finished")

    seconds = in_turn({"recorded": recorded, "in memory": in_memory}, rounds=5)
    cost = median(a - b for a, b in zip(seconds["recorded"], seconds["in memory"], strict=True)) / runs
    return [f"recording: {1000 * cost:.4f} ms a run of 140 epochs, 36 losses, two snapshots (at most 0.01 ms)"]


def cores() -> list[str]:
    """100,000 runs of 1,000 epochs in one process, and in two workers."""
    words = ["seed=range(0,100000)", "epochs=1000", "track.losses=50", "track.bytes=100000000"]
    with tempfile.TemporaryDirectory() as root:
        seconds = in_turn(
            {
                "one": lambda: sweep(*words, f"root={root}"),
                "two": lambda: sweep(*words, f"root={root}", "hydra.launcher.engine=loky", "hydra.launcher.workers=2"),
            },
            rounds=3,
        )
    times = ", ".join(f"{name} core{'s' * (name == 'two')} {median(each):.1f} s" for name, each in seconds.items())
    return [f"100,000 runs x 1,000 epochs: {times}, ratio {ratio(seconds, 'one', 'two'):.2f} (at least 1.7)"]


AXES = "lr=geomspace(0.05,50,256)", "init.scale=geomspace(0.05,20,256)", "epochs=300"
KEPT = "track.losses=31", "track.frames=2"  # as film=map keeps


def maps() -> list[str]:
    """What a map of 256 x 256 runs of 300 epochs adds to the same sweep without a film: as a still, and as a film.

    Without a film the sweep groups its 65,536 settings for a table (1.4 s of CPU), of which a map prints the outcomes.
    """
    films = {"none": [], "still": ["film=map", "film.format=png", "film.frames=1"], "film": ["film=map"]}
    spent: dict[str, list[float]] = {name: [] for name in films}

    def train(name: str, words: list[str]) -> None:
        before = cpu_of_children()
        with tempfile.TemporaryDirectory() as root:
            sweep(*AXES, *KEPT, *words, f"root={root}")
        spent[name].append(cpu_of_children() - before)

    seconds = in_turn({name: partial(train, name, words) for name, words in films.items()}, rounds=3)
    lines = [f"256 x 256 runs x 300 epochs, shell to table, film=none: {median(seconds['none']):.1f} s"]
    for name in ("still", "film"):
        more = median(a - b for a, b in zip(seconds[name], seconds["none"], strict=True))
        by_cpu = min(spent[name]) - min(spent["none"])
        lines.append(f"film=map, {name}: {more:+.2f} s by the clock, {by_cpu:+.2f} s of CPU (at most 1.0 s more)")
    return lines


PARTS: dict[str, Callable[[], list[str]]] = {
    "launcher": launcher,
    "million": million,
    "recording": recording,
    "cores": cores,
    "maps": maps,
    "ten": lambda: million((1_000_000, 10_000_000), 2e9),
}


def main() -> None:
    before = [word.removeprefix("before=") for word in sys.argv[1:] if word.startswith("before=")]
    names = [word for word in sys.argv[1:] if word in PARTS]
    chosen = names if names or before else [name for name in PARTS if name != "ten"]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        lines = [line for name in chosen for line in PARTS[name]()]
        lines += [line for python in before for line in against(python)]
        os.chdir("/")
    keep("-".join(["sweeps", *names, *(["before"] if before else [])]), lines)


if __name__ == "__main__":
    main()
