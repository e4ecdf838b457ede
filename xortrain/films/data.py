"""What a film is told: the runs to be shown, and how the user wants to see them.

Plain arrays come in, runs on their last axis; nothing here knows where they were kept or how they were asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from xortrain.nets import Array
from xortrain.nets.network import Network

ABREAST = 256
"""Runs whose losses are worked out at a time."""


@dataclass(frozen=True)
class FilmData:
    """What a film needs to know of one run or of many."""

    network: Network
    """Settings of its activations are (runs,)."""
    x: Array
    """(examples, inputs) for all runs, or (examples, inputs, runs)."""
    t: Array
    """(examples, outputs) for all runs, or (examples, outputs, runs)."""
    losses: Array
    """(recorded, runs), NaN where a run did not come so far."""
    loss_epochs: Array
    """(recorded,)"""
    parameters: Array
    """(frames, parameters, runs); may be a memory map."""
    frame_epochs: Array
    """(frames,)"""
    right: Callable[[Array, Array], Array]
    """The rule of success: (y, t) -> bool (examples, *runs)."""
    loss: Callable[[Array, Array, Array, Array], Array]
    """What is trained: (z, y, t, numbers of runs) -> (runs,), arrays (examples, outputs, runs) of the last layer."""
    title: str
    low: float
    high: float
    """The two target values, as 0 and 1; of real-valued targets the least and the greatest."""
    outcome: Sequence[str]
    """One word a run: solved, plateau, dead, diverged, training …"""
    diverged_at: Array
    """(runs,), -1 for a run that did not."""
    solved_at: Array
    """(runs,), -1 for a run that did not."""
    varied: Mapping[str, Array] = field(default_factory=dict)
    """Settings that differ from run to run: name -> (runs,)."""
    ended_at: Array | None = None
    """(runs,), the last epoch of each; None if all of them took all epochs."""
    input_names: Sequence[str] = ()
    output_names: Sequence[str] = ()

    @property
    def runs(self) -> int:
        return int(self.parameters.shape[2])

    @property
    def ended(self) -> Array:
        """(runs,): the last epoch of each."""
        return np.full(self.runs, self.frame_epochs[-1]) if self.ended_at is None else np.asarray(self.ended_at)

    @cached_property
    def inputs(self) -> list[str]:
        """The names of the inputs: x1, x2 … where none are given."""
        return list(self.input_names) or self.symbols

    @cached_property
    def symbols(self) -> list[str]:
        """What the inputs are called in formulas and where there is little room: x1, x2 …"""
        return [f"x{i}" for i in range(1, self.network.inputs + 1)]

    @cached_property
    def outputs(self) -> list[str]:
        """The names of the outputs: y, or y1, y2 … where none are given."""
        several = self.network.outputs > 1
        return list(self.output_names) or [f"y{i}" if several else "y" for i in range(1, self.network.outputs + 1)]

    def data(self, run: int) -> tuple[Array, Array]:
        """x (examples, inputs) and t (examples, outputs) of one run."""
        x, t = (array if array.ndim == 2 else array[..., run] for array in (self.x, self.t))
        return x, t

    @cached_property
    def loss_rows(self) -> Array:
        """(frames,): the row of losses for each snapshot, the last one recorded by then."""
        return held(self.loss_epochs, self.frame_epochs)

    def losses_after(self, number: int, runs: Array) -> Array:
        """The losses (runs,) of some runs in one snapshot: those recorded, else worked out from its parameters."""
        epoch = self.frame_epochs[number]
        row = int(np.searchsorted(self.loss_epochs, epoch))
        is_recorded = row < len(self.loss_epochs) and self.loss_epochs[row] == epoch
        losses = np.array(self.losses[row], float)[runs] if is_recorded else np.full(len(runs), np.nan)
        at = np.asarray(self.diverged_at)[runs]
        unknown = np.flatnonzero(np.isnan(losses) & ((at < 0) | (at > epoch)))
        for start in range(0, len(unknown), ABREAST):
            some = unknown[start : start + ABREAST]
            losses[some] = self._worked_out(number, runs[some])
        return losses

    def _worked_out(self, number: int, runs: Array) -> Array:
        """The losses (runs,) that parameters (parameters, runs) of a snapshot have."""
        x = self.x if self.x.ndim == 2 else self.x[..., runs]
        t = self.t[..., None] if self.t.ndim == 2 else self.t[..., runs]
        with np.errstate(all="ignore"):
            last = self.network.take(runs).forward(np.ascontiguousarray(self.parameters[number][:, runs]), x)
            return self.loss(last.z[-1], last.y, t, runs)

    def knowing(self, numbers: Array, run: int) -> "FilmData":
        """The same, with the losses of one run in these snapshots among those recorded."""
        numbers = numbers[~np.isin(self.frame_epochs[numbers], self.loss_epochs)]
        if not len(numbers):
            return self
        new = np.full((len(numbers), self.runs), np.nan)
        new[:, run] = [self.losses_after(int(number), np.array([run]))[0] for number in numbers]
        epochs = np.concatenate([self.loss_epochs, self.frame_epochs[numbers]])
        order = np.argsort(epochs)
        return replace(self, loss_epochs=epochs[order], losses=np.concatenate([self.losses, new])[order])


def held(kept: Array, epochs: Array) -> Array:
    """For each of the epochs the place of the last that was kept by then."""
    return np.asarray(np.maximum(np.searchsorted(kept, epochs, side="right") - 1, 0))
