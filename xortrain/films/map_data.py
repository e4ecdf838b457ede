"""What a map shows: how the runs of a grid ended, and when, as plain arrays with a place for each cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xortrain.films.map_axis import MapAxis
from xortrain.nets import Array


@dataclass(frozen=True, eq=False)
class MapWindow:
    """The runs of one grid; arrays are (down, across, runs of a cell), the lowest values of both axes first."""

    across: MapAxis
    down: MapAxis
    code: Array  # uint8: the outcome, as an index into ``MapData.words``
    since: Array  # the epoch from which the outcome holds
    value: Array | None = None  # what is coloured if that is not the outcome; NaN where there is none

    @property
    def cells(self) -> tuple[int, int]:
        """How many cells are across, and how many down."""
        return len(self.across), len(self.down)

    @property
    def runs_of_a_cell(self) -> int:
        return int(self.code.shape[2])


@dataclass(frozen=True)
class MapPoint:
    """A place that is marked and named."""

    across: float
    down: float
    name: str


@dataclass(frozen=True)
class MapData:
    """One grid, shown over the epochs, or the windows of a zoom, one after the other and each after its last epoch."""

    windows: tuple[MapWindow, ...]
    words: tuple[str, ...]  # the outcomes by their codes
    title: str
    epochs: int  # the last epoch of any run
    colour_by: str = "outcome"
    others: tuple[str, ...] = ()  # the settings in which the runs of a cell differ
    kinds: tuple[str, ...] = ()  # of solutions: what each number in ``value`` means; empty for one that no run has
    points: tuple[MapPoint, ...] = ()

    @property
    def is_zoom(self) -> bool:
        return len(self.windows) > 1

    @property
    def runs(self) -> int:
        """The number of runs in all windows."""
        return sum(window.code.size for window in self.windows)

    @cached_property
    def solved(self) -> int:
        """The code of solved runs."""
        return self.words.index("solved")

    @cached_property
    def solved_range(self) -> tuple[int, int]:
        """The first and the last epoch at which a run is solved; both are 0 if none is."""
        found = np.concatenate([window.since[window.code == self.solved] for window in self.windows])
        return (int(found.min()), int(found.max())) if len(found) else (0, 0)

    @cached_property
    def events(self) -> Array:
        """The epochs (runs,) from which the outcomes of the first window hold, sorted."""
        return np.sort(self.windows[0].since.ravel())

    def frames(self, count: int, spacing: str) -> Array:
        """The epochs of at most ``count`` frames, increasing, with the first and the last one."""
        if count == 1:
            return np.array([self.epochs])
        share = np.linspace(0, 1, count)
        even = share * self.epochs
        if spacing == "log":
            even = np.expm1(share * np.log1p(self.epochs))
        if spacing == "progress":
            even = progress_epochs(self.events, self.epochs, share)
        return np.unique(even.round().astype(np.int64))


def progress_epochs(events: Array, last: int, share: Sequence[float] | Array) -> Array:
    """The epochs at shares of a path: half of it the epoch, half of it what has been decided before the last one."""
    epochs = np.arange(last + 1)
    before = events[events < last]
    decided = np.searchsorted(before, epochs, side="right") / max(len(before), 1)
    path = (epochs / max(last, 1) + decided) / 2 if len(before) else epochs / max(last, 1)
    return np.interp(share, path / max(path[-1], 1e-9), epochs)
