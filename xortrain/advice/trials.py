"""Trials: which candidates fit the budget, their training, and its results, as text and as a record's advice.json.

The budget is work computed from the settings, not measured time: the same run always tries the same changes.
"""

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np

from xortrain.advice.candidates import Candidate, candidates
from xortrain.errors import UserError, file_error, printable
from xortrain.records import layout
from xortrain.records.files import read_json, write_json
from xortrain.records.groups import wilson
from xortrain.runner.progress import progress
from xortrain.runner.train import epochs_to_train, train_under
from xortrain.setup.population import Population, populations
from xortrain.setup.run_setup import Setup
from xortrain.trained.run_data import RunData, TrainedRuns
from xortrain.training.diagnosis import contradictions

Overrides = tuple[str, ...]
BEST = 3  # trials that are shown with their figures
WIDTH = 80
MOST_LISTED, MOST_OVERRIDES, LONGEST, MOST_SEEDS = 200, 20, 200, 1000  # in a file that is read


@dataclass(frozen=True)
class Trial:
    """Overrides that were tried: whether they solve it as they stand, and of how many seeds.

    A run is solved if every example is right, or if it has learnt where the data do not allow that.
    """

    overrides: Overrides
    own: bool
    solved: int
    seeds: int

    @property
    def low(self) -> float:
        """The lower end of the 95 % interval of the share of seeds that are solved."""
        return float(wilson(np.array(self.solved), np.array(self.seeds))[0])

    @property
    def words(self) -> str:
        """The overrides as typed into a shell."""
        return pasted(self.overrides)

    def __str__(self) -> str:
        """As in "lr=3 solves it (15 of 16 seeds)"."""
        of, are_seeds = f"{self.solved} of {self.seeds}", self.overrides[-1].startswith("seed=")
        if not self.solved and are_seeds and self.seeds > 1:
            return " with ".join(filter(None, [pasted(self.overrides[:-1]), f"{self.seeds} other seeds"])) + ": no"
        if not self.solved:
            return f"{self.words}: no"
        if self.seeds == 1 or not self.own:
            return f"{self.words} solves {'it' if self.own else f'{of} seeds, not this one'}"
        return f"{self.words} solves it ({of} {'other seeds do' if are_seeds else 'seeds'})"


@dataclass(frozen=True)
class Advice:
    """What was tried, in the order of need, and what was not, because it was too much work or Ctrl-C came first.

    Trials are trained from the start, which is said for a run that ``is_continued``.
    """

    tried: tuple[Trial, ...] = ()
    skipped: tuple[Overrides, ...] = ()
    is_continued: bool = False

    @property
    def best(self) -> tuple[Trial, ...]:
        """At most three that solve it: first as they stand, then from the most seeds, then by need."""
        return tuple(self._solving()[:BEST])

    def _solving(self) -> list[Trial]:
        return sorted((trial for trial in self.tried if trial.solved), key=lambda trial: (not trial.own, -trial.low))

    def __str__(self) -> str:
        """Sentences, wrapped to lines that do not break between overrides of one trial."""
        others = sorted(self._solving()[BEST:], key=lambda trial: -trial.solved)
        useless = [str(trial).removesuffix(": no") for trial in self.tried if not trial.solved]
        parts = [str(trial).replace(trial.words, _unbroken(trial.words)) for trial in self.best]
        solving = ", ".join(_unbroken(f"{trial.words} ({trial.solved})") for trial in others)
        parts += [f"also {solving}"] if others else []
        parts += [", ".join(map(_unbroken, useless)) + ": no"] if useless else []
        skipped = ", ".join(_unbroken(pasted(overrides)) for overrides in self.skipped)
        start = "Tried, each from the start" if self.is_continued else "Tried"
        text = f"{start}: {'; '.join(parts)}. " * bool(parts) + f"Not tried: {skipped}." * bool(skipped)
        return "\n".join(wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)).replace(_JOINT, " ")

    def as_json(self) -> dict[str, Any]:
        """Plain values, as in advice.json."""
        tried = [dict(vars(trial)) for trial in self.tried]
        return {"tried": tried, "skipped": self.skipped, **({"is_continued": True} if self.is_continued else {})}


def pasted(overrides: Overrides) -> str:
    """Overrides as typed into a shell."""
    return " ".join(shlex.quote(printable(text)) for text in overrides)


_JOINT = "\N{NO-BREAK SPACE}"


def _unbroken(text: str) -> str:
    return text.replace(" ", _JOINT)


SHARE, LEAST, MOST = 8, 0.5, 20.0  # times the work of the run itself; seconds on the reference machine
START = 5e-3  # seconds of a population besides its updates: its setup and its diagnosis
LAYER, NUMBER, RUN = 12.5e-6, 25e-9, 1.6e-9
"""Seconds of an update for each layer; for each example and parameter; and the same for each run besides."""


def work(setup: Setup, runs: int) -> float:
    """About the seconds of training ``runs`` runs of a setup on one core of the reference machine."""
    examples = len(setup.train.x)
    updates = -(-examples // (setup.population.shared("batch_size") or examples))
    block = updates * len(setup.shape.layers) * LAYER + examples * setup.shape.size * NUMBER
    blocks = -(-runs // setup.block_size)
    return START + setup.population.epochs * (blocks * block + runs * examples * setup.shape.size * RUN)


def planned(found: Sequence[Candidate], budget: float) -> list[Candidate]:
    """Those that fit the budget, the needed ones first, then the cheapest; with one seed where 16 do not fit.

    Candidates of equal shape are trained side by side, so a further one adds little.
    """
    chosen, runs, waiting = list[Candidate](), dict[str, int](), list(found)

    def added(candidate: Candidate, seeds: int) -> float:
        before = runs.get(candidate.key, 0)
        return work(candidate.setup, before + seeds) - (work(candidate.setup, before) if before else 0)

    while waiting:
        candidate = min(waiting, key=lambda c: (not c.is_first, added(c, len(c.seeds))))
        waiting.remove(candidate)
        for seeds in (candidate.seeds, candidate.seeds[:1]):
            cost = added(candidate, len(seeds))
            if cost <= budget:
                budget -= cost
                runs[candidate.key] = runs.get(candidate.key, 0) + len(seeds)
                chosen.append(replace(candidate, seeds=seeds))
                break
    return chosen


def advise(run: RunData, show: bool = False) -> Advice:
    """Try what might help an unsolved run; nothing for one that is solved, has not ended, or was hardly trained, and
    where the data allow no solution.

    With ``show`` a terminal has a progress bar, and Ctrl-C ends only the trials.
    """
    if not run.is_unsolved or (np.isnan(run.row["allowed_accuracy"]) and contradictions(run.task)[1]):
        return Advice()
    own = run.own_setup
    found, results = candidates(own), dict[Overrides, Trial]()
    budget = min(MOST, max(LEAST, SHARE * work(own, 1)))
    try:
        for candidate, trained in train_candidates(own, planned(found, budget), show):
            results[candidate.overrides] = _result(candidate, trained)
    except KeyboardInterrupt as error:
        if not show or type(error) is not KeyboardInterrupt:
            raise
    names = [candidate.overrides for candidate in found]
    tried, skipped = (tuple(results[n] for n in names if n in results), tuple(n for n in names if n not in results))
    return Advice(tried, skipped, run.setup.origin is not None)


def train_candidates(
    own: Setup, chosen: Sequence[Candidate], show: bool = False
) -> Iterator[tuple[Candidate, TrainedRuns]]:
    """Train candidates, those of equal shape side by side; yields each with its runs, in the order of its seeds."""
    ends = np.cumsum([0, *(len(candidate.seeds) for candidate in chosen)])
    parts = [
        Population(one.setup.population.config, {"seed": one.seeds}, first + np.arange(len(one.seeds)))
        for one, first in zip(chosen, ends, strict=False)
    ]
    setups = [own.adapted(population) for population in populations(parts)]
    with progress(sum(map(epochs_to_train, setups)), "epochs", show) as bar:
        for setup in setups:  # keeps the first and last snapshots, but all losses, since outcomes depend on them
            trained = train_under(bar, replace(setup, frame_epochs=setup.frame_epochs[[0, -1]]))
            for candidate, part in zip(chosen, parts, strict=True):
                places = np.flatnonzero(np.isin(setup.population.numbers, part.numbers))
                if len(places):
                    yield candidate, trained.take(places)


def _result(candidate: Candidate, trained: TrainedRuns) -> Trial:
    outcomes = np.array(trained.outcomes)
    solves = (outcomes == "solved") | ((outcomes == "learnt") & (trained.rows["allowed_accuracy"] < 1))
    own, overrides = bool(solves[0]), candidate.overrides
    if overrides[-1].startswith("seed="):  # the first seed that solves it is the one to take
        own, overrides = bool(solves.any()), (*overrides[:-1], f"seed={candidate.seeds[solves.argmax()]}")
    return Trial(overrides, own, int(solves.sum()), len(solves))


def keep_advice(folder: Path, advice: Advice) -> None:
    """Write the advice into the record in a folder."""
    write_json(folder / layout.ADVICE, advice.as_json())


def read_advice(folder: Path) -> Advice | None:
    """The advice in a record, None if there is none; raises UserError if it is not sound."""
    path = folder / layout.ADVICE
    if not os.path.lexists(path):
        return None
    found = read_json(path)
    try:
        tried = (Trial(tuple(own["overrides"]), own["own"], own["solved"], own["seeds"]) for own in found["tried"])
        advice = Advice(tuple(tried), tuple(map(tuple, found["skipped"])), found.get("is_continued") is True)
        is_sound = [type(found[key]) for key in ("tried", "skipped")] == [list, list] and _is_sound(advice)
    except (KeyError, TypeError):
        is_sound = False
    if not is_sound:
        raise file_error(path, "must have what was tried and skipped, each with its overrides")
    return advice


def _is_sound(advice: Advice) -> bool:
    every = [*(trial.overrides for trial in advice.tried), *advice.skipped]
    texts = [text for overrides in every for text in overrides]
    numbers = [(trial.own, trial.solved, trial.seeds) for trial in advice.tried]
    return (
        len(every) <= MOST_LISTED
        and all(0 < len(overrides) <= MOST_OVERRIDES for overrides in every)
        and all(isinstance(text, str) and "=" in text and len(text) <= LONGEST for text in texts)
        and all([type(own), type(solved), type(of)] == [bool, int, int] for own, solved, of in numbers)
        and all(0 <= solved <= of <= MOST_SEEDS and of for _, solved, of in numbers)
    )


def kept_advice(folder: Path) -> Advice | str | None:
    """The advice in a record, to be shown; a line if it is not sound."""
    try:
        return read_advice(folder)
    except UserError as error:
        return f"unreadable: {printable(error)}"
