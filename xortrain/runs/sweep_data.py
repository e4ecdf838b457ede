"""Many trained runs as data: losses and parameters as arrays, results as a table and in groups.

They may come from one population or several, from one sweep or many records.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np

from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.records.groups import axes, group_runs
from xortrain.records.groups import column_table as columns_of
from xortrain.records.index import Entry, RecordInfo, listing
from xortrain.records.naming import named
from xortrain.records.query import select
from xortrain.records.tables import finite
from xortrain.runs.opening import open_trained
from xortrain.runs.trained import RunData, TrainedRuns

if TYPE_CHECKING:
    import pandas

ROOT = Path("outputs")
NEVER = {"solved_at": -1, "diverged_at": -1}  # as runs.npy has it
RESULTS = ("outcome", "epochs_done", "solved_at", "diverged_at", "final_loss", "best_loss", "accuracy")


@dataclass(frozen=True)
class SweepData:
    """Some runs of some records: for each run its record's place in ``parts`` and its own in it, (runs,) both."""

    parts: tuple[RecordInfo, ...]
    which: Array
    places: Array
    folder: Path | None = None
    loaded: dict[int, TrainedRuns] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """All runs of a sweep, in the order of their numbers."""
        sizes = [part.metadata["runs"] for part in entry.parts]
        which = np.repeat(np.arange(len(sizes)), sizes)
        places = np.concatenate([np.arange(size) for size in sizes]) if sizes else which
        whole = cls(entry.parts, which, places, entry.folder)
        return whole[np.argsort(whole.column("number"), kind="stable")] if len(sizes) > 1 else whole

    def __len__(self) -> int:
        return len(self.which)

    @overload
    def __getitem__(self, key: int) -> RunData: ...
    @overload
    def __getitem__(self, key: slice | Array) -> Self: ...
    def __getitem__(self, key: int | slice | Array) -> RunData | Self:
        """One of the runs; or some, by a slice, by their places, or by a flag for each."""
        if isinstance(key, int | np.integer):
            return self.run(self.population(int(self.which[key])), int(self.places[key]))
        return replace(self, which=self.which[key], places=self.places[key])

    def run(self, trained: TrainedRuns, place: int) -> RunData:
        """One run of a population."""
        return RunData(trained, place)

    def population(self, number: int) -> TrainedRuns:
        """The whole population of a record, by its place in ``parts``."""
        if number not in self.loaded:
            self.loaded[number] = open_trained(self.parts[number].folder)
        return self.loaded[number]

    def __iter__(self) -> Iterator[RunData]:
        return map(self.__getitem__, range(len(self)))

    def column(self, name: str) -> Array:
        """A result or a setting of every run, by its dotted name: (runs,); numbers as runs.npy has them, -1 never."""
        return self._columns([name], "column")[name]

    @property
    def losses(self) -> Array:
        """The losses of all runs: (recorded, runs), after the epochs of `loss_epochs`."""
        return self._array("losses")

    @property
    def loss_epochs(self) -> Array:
        return self._alike("loss_epochs")

    @property
    def parameters(self) -> Array:
        """The parameters of all runs: (frames, parameters, runs), after the epochs of `epochs`."""
        return self._array("parameters")

    @property
    def epochs(self) -> Array:
        """After which epochs the parameters were kept."""
        return self._alike("frame_epochs")

    def table(self) -> list[dict[str, Any]]:
        """A row for each run: where it lies, its number and seed, the settings that differ, and its results.

        As in the tracker's tables, what never happened and what is not a finite number is None.
        """
        names = ["number", *self.axes, "seed", *RESULTS]
        values = {name: _known(name, column) for name, column in self._columns(names).items()}
        folders = [str(part.folder) for part in self.parts]
        numbers = zip(self.which.tolist(), values["number"], strict=True)
        runs = [f"{folders[part]}#{number}" for part, number in numbers]
        return [dict(zip(("run", *names), row, strict=True)) for row in zip(runs, *values.values(), strict=True)]

    def frame(self) -> "pandas.DataFrame":
        """The table as a frame of pandas."""
        try:
            import pandas
        except ImportError:
            raise UserError("frame: needs pandas; pip install 'xortrain[tables]'") from None
        frame = pandas.DataFrame(self.table())
        return frame.astype({name: float for name in NEVER if name in frame})

    @cached_property
    def axes(self) -> list[str]:
        """The settings in which the runs differ, other than the seed."""
        return axes(self._used())

    def group(self, by: str | Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Success rate, epochs to solve and losses of runs that agree in these settings (all but the seed).

        Of runs with the same settings and the same seed one is counted.
        """
        if not len(self):
            return []
        listed = by.split(",") if isinstance(by, str) else by or ()
        names = self.axes if by is None else [name.strip() for name in listed if name.strip()]
        return [found.as_row() for found in group_runs(self._used(), names, chosen=self._rows())]

    @property
    def config(self) -> Mapping[str, Any]:
        """Every setting of the first run's population; what varies in it has one of its values."""
        if not len(self):
            raise UserError("there are no runs here")
        return self.population(int(self.which[0])).setup.population.config

    def __repr__(self) -> str:
        where = f" in {self.folder}" if self.folder else ""
        return f"<Sweep: {len(self)} runs{where}>"

    def _columns(self, names: Sequence[str], said: str = "by") -> dict[str, Array]:
        if not len(self):
            return {name: np.array([]) for name in names}
        rows, found = self._rows(), columns_of(self._used(), list(dict.fromkeys(names)), said)
        return {name: values[rows] for name, values in found.items()}

    def _used(self) -> list[RecordInfo]:
        """The records that these runs are of."""
        return [self.parts[number] for number in np.unique(self.which).tolist()]

    def _rows(self) -> Array:
        """The places of these runs among all runs of those records."""
        used, which = np.unique(self.which, return_inverse=True)
        starts = np.cumsum([0, *(self.parts[number].metadata["runs"] for number in used.tolist())])
        return np.asarray(starts[which] + self.places)

    def _array(self, what: str) -> Array:
        self._alike("loss_epochs" if what == "losses" else "frame_epochs")
        used = np.unique(self.which).tolist()
        if len(used) == 1 and np.array_equal(self.places, np.arange(self.parts[used[0]].metadata["runs"])):
            return np.asarray(self.population(used[0]).array(what))
        pieces = {number: self._piece(what, number) for number in used}
        if len({piece.shape[:-1] for piece in pieces.values()}) > 1:
            raise UserError(f"{what}: these runs have networks of different shapes; take them apart with [ ]")
        shape = next(iter(pieces.values())).shape[:-1]
        whole = np.empty((*shape, len(self)), np.result_type(*(piece.dtype for piece in pieces.values())))
        for number, piece in pieces.items():
            whole[..., self.which == number] = piece
        return whole

    def _piece(self, what: str, number: int) -> Array:
        """The array of the runs that are of one population."""
        return np.asarray(self.population(number).columns(what, self.places[self.which == number]))

    def _alike(self, what: str) -> Array:
        """The epochs of losses or snapshots, which must be the same in all populations."""
        found = [getattr(self.population(number).setup, what) for number in np.unique(self.which).tolist()]
        if not found:
            raise UserError("there are no runs here")
        if not all(np.array_equal(epochs, found[0]) for epochs in found):
            raise UserError(f"{what}: not the same in all of these runs; take them apart with [ ]")
        return np.asarray(found[0])


def _known(name: str, column: Array) -> list[Any]:
    """The values of a column, None for those that are not known."""
    values: list[Any] = column.tolist()
    if name in NEVER:
        return [None if value == NEVER[name] else value for value in values]
    return [finite(value) for value in values] if column.dtype.kind in "fO" else values


def open_all(root: Path, where: str | None = None) -> SweepData:
    """All runs under a root, newest first; or those for which a condition holds, as in "lr > 0.5"."""
    if not root.is_dir():
        raise UserError(f"root={root}: no such folder")
    found = select(list(listing(root).entries), "1" if where is None else where)
    parts = {id(part): part for _, part, _ in found}
    numbers = {key: number for number, key in enumerate(parts)}
    which = np.array([numbers[id(part)] for _, part, _ in found], np.int64)
    return SweepData(tuple(parts.values()), which, np.array([place for _, _, place in found], np.int64))


def open_record(name: str, root: Path = ROOT) -> RunData | SweepData:
    """The run or the sweep that a name means, or one run of a sweep if the name ends in #17."""
    found = named(name, root)
    if found.number is None and found.entry.is_sweep:
        return SweepData.of(found.entry)
    part, place = found.run()
    return RunData(open_trained(part.folder), place)
