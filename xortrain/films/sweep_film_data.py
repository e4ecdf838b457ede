"""What a film of many runs shows: runs of one or more populations, at epochs at which the state of each is known.

A run that has ended keeps its last state, so every frame shows all runs at the same epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xortrain.films.data import FilmData, Outcomes, evenly, last_recorded
from xortrain.nets import Array

MOST_MEASURED = 8
"""Runs whose progress determines which frames are chosen."""
MOST_EPOCHS = 2000
"""Points of a loss curve where populations recorded their losses after different epochs."""


@dataclass(frozen=True)
class SweepFilmData:
    """Runs that are shown together: those of the first population, then those of the next."""

    parts: tuple[FilmData, ...]
    """One for each population."""
    title: str
    varied: Mapping[str, Array]
    """Settings that differ between the runs: name -> (runs,)."""
    everyone: Outcomes | None = None
    """The outcomes of the whole sweep, where the runs shown are a sample of it."""

    @classmethod
    def of(cls, shown: "Shown") -> "SweepFilmData":
        """The runs of one population; data of a sweep are returned unchanged."""
        return shown if isinstance(shown, SweepFilmData) else cls((shown,), shown.title, shown.varied)

    @property
    def runs(self) -> int:
        return sum(part.runs for part in self.parts)

    @property
    def is_mixed(self) -> bool:
        """Whether the runs have different loss functions."""
        return len({part.loss_name for part in self.parts}) > 1

    @cached_property
    def part_of(self) -> Array:
        """(runs,): the index of each run's population in ``parts``."""
        return np.repeat(np.arange(len(self.parts)), [part.runs for part in self.parts])

    @cached_property
    def run_in_part(self) -> Array:
        """(runs,): the number of each run in its population."""
        return np.concatenate([np.arange(part.runs) for part in self.parts])

    @cached_property
    def outcomes(self) -> Outcomes:
        """The outcomes of the runs shown."""
        return Outcomes.joined([part.outcomes for part in self.parts])

    @property
    def all_outcomes(self) -> Outcomes:
        """The outcomes of the whole sweep."""
        return self.everyone or self.outcomes

    @property
    def all_final_losses(self) -> Array:
        """The last losses of the whole sweep, or of the runs shown if they are all."""
        return self.everyone.final_loss if self.everyone else self.filled_losses[-1]

    def describe_runs(self, shown: int) -> str:
        """How many of the runs are shown, as in "400 of 1,000 runs"."""
        runs = self.all_outcomes.runs
        return f"{shown:,} of {runs:,} runs" if shown < runs else "1 run" if runs == 1 else f"{runs:,} runs"

    @cached_property
    def epochs(self) -> Array:
        """The epochs after which every population has a snapshot or has ended."""
        return common_epochs([part.frame_epochs for part in self.parts])

    def snapshots(self, part: int) -> Array:
        """(epochs,): the number of the snapshot that shows a population after each epoch."""
        return last_recorded(self.parts[part].frame_epochs, self.epochs)

    @cached_property
    def loss_epochs(self) -> Array:
        """The epochs after which some population recorded a loss, thinned to MOST_EPOCHS."""
        found = np.unique(np.concatenate([part.loss_epochs for part in self.parts]))
        thin = np.unique(np.linspace(0, len(found) - 1, MOST_EPOCHS).astype(int))
        return np.asarray(found[thin])

    @cached_property
    def losses(self) -> Array:
        """(loss_epochs, runs): recorded losses, straight lines between them, the final one of each run, then NaN."""
        columns = []
        for part in self.parts:
            losses, at = np.asarray(part.losses, float), last_recorded(part.loss_epochs, self.loss_epochs)
            lines = np.stack([np.interp(self.loss_epochs, part.loss_epochs, one) for one in losses.T], axis=1)
            columns.append(np.where(np.isnan(lines), losses[at], lines))
        o, known = self.outcomes, np.flatnonzero(~self.outcomes.is_lost & ~np.isnan(self.outcomes.final_loss))
        found = np.where(self.loss_epochs[:, None] > o.ended_at, np.nan, np.concatenate(columns, axis=1))
        found[np.searchsorted(self.loss_epochs, o.ended_at[known]), known] = o.final_loss[known]
        return found

    @cached_property
    def filled_losses(self) -> Array:
        """Like ``losses``, but a run that has ended keeps its last loss; a diverged or exploded one has none."""
        last = np.where(np.isnan(self.losses), -1, np.arange(len(self.losses))[:, None])
        rows = np.maximum.accumulate(last, axis=0)
        filled = np.take_along_axis(self.losses, np.maximum(rows, 0), axis=0)
        return np.where(self.loss_epochs[:, None] < self.outcomes.lost_at, filled, np.nan)

    def losses_after(self, number: int) -> Array:
        """The losses (runs,) after ``epochs[number]``; NaN for a run that has diverged."""
        rows = [int(self.snapshots(k)[number]) for k in range(len(self.parts))]
        return np.concatenate([p.losses_after(row, np.arange(p.runs)) for p, row in zip(self.parts, rows, strict=True)])

    def choose(self, frames: int, spacing: str) -> Array:
        """Indices in ``epochs`` of at most ``frames`` frames, increasing, with the last and, of several, the first."""
        return evenly(self.epochs, frames, spacing, self._progress)

    def _progress(self) -> Array:
        """The mean progress of a few runs after each epoch: (epochs,), increasing."""
        runs = np.unique(np.linspace(0, self.runs - 1, MOST_MEASURED).astype(int))
        parts, counts = np.unique(self.part_of[runs], return_counts=True)
        paths = [
            self.parts[k].progress(self.run_in_part[runs][self.part_of[runs] == k])[self.snapshots(k)] * count
            for k, count in zip(parts.tolist(), counts, strict=True)
        ]
        return np.asarray(np.sum(paths, axis=0) / len(runs))


Shown = FilmData | SweepFilmData


def common_epochs(snapshots: list[Array]) -> Array:
    """The epochs that all increasing arrays contain; an array counts as containing every epoch after its last."""
    union = np.unique(np.concatenate(snapshots))
    known = [np.isin(union, epochs) | (union > epochs[-1]) for epochs in snapshots]
    return np.asarray(union[np.logical_and.reduce(known)])
