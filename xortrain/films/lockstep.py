"""Many runs in lock-step: of one population or of several, at epochs after which the state of every run is known.

A run that ended earlier holds its last state; so the epoch of a picture is true for everything in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from xortrain.films.data import FilmData, held
from xortrain.films.film_settings import FilmSettings
from xortrain.films.frames import SPACINGS, evenly
from xortrain.nets import Array

SEVERAL = 8
"""Runs by whose progress the pictures are chosen."""
EXPLODED = 1000
"""Times the loss at the beginning."""
MOST_EPOCHS = 2000
"""Points of the curves of populations whose losses were kept after different epochs."""


@dataclass(frozen=True)
class Outcomes:
    """What became of runs, each (runs,): a word, and the epochs of what happened, -1 for never."""

    outcome: Array
    solved_at: Array
    diverged_at: Array
    ended_at: Array

    @property
    def runs(self) -> int:
        return len(self.solved_at)

    def some(self, runs: Array) -> "Outcomes":
        """What became of some of them."""
        return Outcomes(self.outcome[runs], self.solved_at[runs], self.diverged_at[runs], self.ended_at[runs])

    @cached_property
    def words(self) -> list[str]:
        """The different outcomes."""
        return sorted(set(self.outcome.tolist()))

    @cached_property
    def kinds(self) -> Array:
        """(runs,): the place of each run's outcome in ``words``."""
        places = {word: place for place, word in enumerate(self.words)}
        return np.fromiter(map(places.__getitem__, self.outcome.tolist()), np.int64, self.runs)


@dataclass(frozen=True)
class Lockstep:
    """Runs that are shown together, those of the first part first."""

    parts: tuple[FilmData, ...]
    title: str
    varied: Mapping[str, Array]
    """Settings that differ from run to run: name -> (runs,)."""
    everyone: Outcomes | None = None
    """What became of all runs there are, where those shown are a sample of them."""

    @classmethod
    def of(cls, shown: "FilmData | Lockstep") -> "Lockstep":
        """The runs of one subject; what is in lock-step already stays as it is."""
        return shown if isinstance(shown, Lockstep) else cls((shown,), shown.title, shown.varied)

    @property
    def runs(self) -> int:
        return sum(part.runs for part in self.parts)

    @cached_property
    def which(self) -> Array:
        """(runs,): the part that each run is of."""
        return np.repeat(np.arange(len(self.parts)), [part.runs for part in self.parts])

    @cached_property
    def places(self) -> Array:
        """(runs,): the number of each run in its part."""
        return np.concatenate([np.arange(part.runs) for part in self.parts])

    @cached_property
    def ends(self) -> Outcomes:
        """What became of the runs shown."""
        return Outcomes(
            np.concatenate([np.asarray(part.outcome, object) for part in self.parts]),
            np.concatenate([np.asarray(part.solved_at, np.int64) for part in self.parts]),
            np.concatenate([np.asarray(part.diverged_at, np.int64) for part in self.parts]),
            np.concatenate([part.ended for part in self.parts]),
        )

    @property
    def all(self) -> Outcomes:
        """What became of all runs there are."""
        return self.everyone or self.ends

    def counted(self, cells: int) -> str:
        """How many of all runs there are have been given so many places."""
        runs = self.all.runs
        return f"{cells:,} of {runs:,} runs" if cells < runs else "1 run" if runs == 1 else f"{runs:,} runs"

    @cached_property
    def epochs(self) -> Array:
        """The epochs after which every part was kept, or had come to its end."""
        return common_epochs([part.frame_epochs for part in self.parts])

    def rows(self, part: int) -> Array:
        """(epochs,): the snapshot of a part that shows it after each epoch."""
        return held(self.parts[part].frame_epochs, self.epochs)

    @cached_property
    def loss_epochs(self) -> Array:
        """The epochs of all losses."""
        found = np.unique(np.concatenate([part.loss_epochs for part in self.parts]))
        thin = np.unique(np.linspace(0, len(found) - 1, MOST_EPOCHS).astype(int))
        return np.asarray(found[thin])

    @cached_property
    def losses(self) -> Array:
        """(loss_epochs, runs): the last loss recorded by then; nan where a run had ended."""
        whole = np.concatenate(
            [np.asarray(part.losses, float)[held(part.loss_epochs, self.loss_epochs)] for part in self.parts], axis=1
        )
        whole[self.loss_epochs[:, None] > self.ends.ended_at] = np.nan
        return np.asarray(whole)

    @cached_property
    def standing_losses(self) -> Array:
        """The same, but what has ended stands at its last loss; what has diverged has none."""
        last = np.where(np.isnan(self.losses), -1, np.arange(len(self.losses))[:, None])
        rows = np.maximum.accumulate(last, axis=0)
        filled = np.take_along_axis(self.losses, np.maximum(rows, 0), axis=0)
        return np.where(self.ends.diverged_at >= 0, self.losses, filled)

    def losses_after(self, number: int) -> Array:
        """The losses (runs,) after epoch ``number`` of those in common; what has diverged has none."""
        rows = [int(self.rows(part)[number]) for part in range(len(self.parts))]
        return np.concatenate(
            [part.losses_after(row, np.arange(part.runs)) for part, row in zip(self.parts, rows, strict=True)]
        )

    @cached_property
    def exploded(self) -> bool:
        """Whether some run came so far above the loss that runs begin with that its outputs may have no colour."""
        first = self.losses[0]
        begun = np.median(first[np.isfinite(first)]) if np.isfinite(first).any() else 0
        return bool((self.losses > EXPLODED * max(begun, 1)).any())

    def choose(self, settings: FilmSettings) -> Array:
        """The numbers of the epochs shown, rising; the last is among them, and the first if there are two."""
        return evenly(len(self.epochs), settings.frames, lambda: self._way(settings.spacing))

    def _way(self, spacing: str) -> Array:
        """How far the runs had come after each epoch, on average of some; or what the epochs alone say."""
        if spacing != "progress":
            return SPACINGS[spacing](replace(self.parts[0], frame_epochs=self.epochs), np.zeros(0, int))
        some = np.unique(np.linspace(0, self.runs - 1, SEVERAL).astype(int))
        ways = [
            SPACINGS[spacing](self.parts[part], self.places[some][self.which[some] == part])[self.rows(part)]
            * (self.which[some] == part).sum()
            for part in np.unique(self.which[some]).tolist()
        ]
        return np.asarray(np.sum(ways, axis=0) / len(some))


def common_epochs(kept: list[Array]) -> Array:
    """The epochs that all of these have in common; one that has ended has all that come later."""
    union = np.unique(np.concatenate(kept))
    known = [np.isin(union, epochs) | (union > epochs[-1]) for epochs in kept]
    return np.asarray(union[np.logical_and.reduce(known)])
