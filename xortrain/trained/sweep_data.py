"""Many trained runs as data: losses and parameters as arrays, results as a table and in groups.

The runs may come from one population or several, from one sweep or many records.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast, overload

import numpy as np

from xortrain.errors import UserError, counted, cut, needed, printable
from xortrain.nets import Array
from xortrain.records.columns import canonical, names_in
from xortrain.records.groups import GroupStatistics, differing_settings, group_runs
from xortrain.records.groups import column_table as columns_of
from xortrain.records.index import Entry, RecordInfo, listing, open_entry, remark_left_out
from xortrain.records.naming import Named, default_root, named, shown_root
from xortrain.records.query import select
from xortrain.records.tables import finite
from xortrain.trained.opening import open_trained
from xortrain.trained.run_data import RunData, TrainedRuns

if TYPE_CHECKING:
    import pandas

NEVER = {"solved_at": -1, "diverged_at": -1, "exploded_at": -1}  # as stored in runs.npy
RESULTS = ("outcome", "epochs_done", "solved_at", "diverged_at", "final_loss", "best_loss", "accuracy")
AnyRun = TypeVar("AnyRun", bound=RunData, covariant=True)


@dataclass(frozen=True, eq=False)
class SweepData(Generic[AnyRun]):
    """Runs of some records: for each run its index in ``parts``, ``which`` (runs,), and in that record, ``places``.

    ``entries`` are the runs and sweeps that the records belong to, one for each of ``parts``.
    """

    parts: tuple[RecordInfo, ...]
    which: Array
    places: Array
    entries: tuple[Entry, ...]
    folder: Path | None = None
    opened: dict[int, TrainedRuns] = field(default_factory=dict, repr=False)
    base: Path = field(default_factory=Path.cwd, repr=False)  # of relative paths, wherever the program is later

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """All runs of a sweep, in the order of their job numbers."""
        sizes = [part.metadata["runs"] for part in entry.parts]
        which = np.repeat(np.arange(len(sizes)), sizes)
        places = np.concatenate([np.arange(size) for size in sizes]) if sizes else which
        whole = cls(entry.parts, which, places, (entry,) * len(entry.parts), entry.folder)
        return whole[np.argsort(whole.column("number"), kind="stable")] if len(sizes) > 1 else whole

    @classmethod
    def open(cls, folder: Path) -> Self:
        """All runs of the sweep in a folder."""
        return cls.of(open_entry(folder, str(folder)))

    def __len__(self) -> int:
        return len(self.which)

    @overload
    def __getitem__(self, key: int) -> AnyRun: ...
    @overload
    def __getitem__(self, key: slice | Array) -> Self: ...
    def __getitem__(self, key: int | slice | Array) -> AnyRun | Self:
        """One run by its index; some runs by a slice, an array of indices, or a mask (runs,)."""
        which = places = self.which[None]
        with suppress(IndexError, TypeError, ValueError):
            which, places = self.which[key], self.places[key]
        if which.ndim > 1:
            given, runs = cut(printable(repr(key))), counted(len(self), "run")
            raise UserError(f"sweep[{given}]: must be an index, a slice, some indices or a mask of its {runs}")
        if which.ndim:
            return replace(self, which=which, places=places)
        return self.run(self.population(int(which)), int(places))

    def run(self, trained: TrainedRuns, place: int) -> AnyRun:
        """One run of a population; a subclass for another type of run overrides this."""
        return cast(AnyRun, RunData(trained, place))

    def population(self, number: int) -> TrainedRuns:
        """The whole population of a record, by its index in ``parts``."""
        if number not in self.opened:
            self.opened[number] = open_trained(self.parts[number].folder, self.base)
        return self.opened[number]

    @property
    def population_numbers(self) -> list[int]:
        """The indices in ``parts`` of the populations to which these runs belong."""
        return [int(number) for number in np.unique(self.which)]

    def populations(self) -> Iterator[tuple[TrainedRuns, Array]]:
        """Each population, and the indices of these runs in it."""
        return ((self.population(k), self.places[self.which == k]) for k in self.population_numbers)

    def __iter__(self) -> Iterator[AnyRun]:
        return map(self.__getitem__, range(len(self)))

    def column(self, name: str) -> Array:
        """A result or a setting of every run, by its dotted name: (runs,); an epoch is -1 for never."""
        return self._columns([key := canonical(name)], "column")[key]

    @property
    def losses(self) -> Array:
        """The losses of all runs, after the epochs of `loss_epochs`: (recorded, runs)."""
        return self._array("losses")

    @property
    def loss_epochs(self) -> Array:
        return self._same("loss_epochs")

    @property
    def parameters(self) -> Array:
        """The parameters of all runs, after the epochs of `epochs`: (frames, parameters, runs)."""
        return self._array("parameters")

    @property
    def epochs(self) -> Array:
        """The epochs of the recorded parameters: (frames,)."""
        return self._same("frame_epochs")

    def table(self) -> list[dict[str, Any]]:
        """A row for each run: its id, path, number and seed, the settings that differ, and its results.

        As in the tables of the commands, None stands for never and for a number that is not finite.
        """
        names = ["number", *self.axes, "seed", *RESULTS]
        values = {name: _plain_values(name, column) for name, column in self._columns(names).items()}
        which, numbers = self.which.tolist(), values["number"]
        ids = [self.entries[k].run_id(number) for k, number in zip(which, numbers, strict=True)]
        runs = [f"{self.parts[k].folder}#{number}" for k, number in zip(which, numbers, strict=True)]
        rows = zip(ids, runs, *values.values(), strict=True)
        return [dict(zip(("id", "run", *names), row, strict=True)) for row in rows]

    def frame(self) -> "pandas.DataFrame":
        """The table as a pandas DataFrame."""
        frame = needed("pandas", "tables", "frame").DataFrame(self.table())
        return frame.astype({name: float for name in NEVER if name in frame})

    @cached_property
    def axes(self) -> list[str]:
        """The settings in which the runs differ, other than the seed."""
        return differing_settings(self._used())

    def groups(self, by: str | Sequence[str] | None = None) -> list[GroupStatistics]:
        """The runs that agree in these settings (all but the seed); same settings and same seed count once."""
        if not len(self):
            return []
        listed = names_in(by) if isinstance(by, str) else by or ()
        names = self.axes if by is None else [name.strip() for name in listed if name.strip()]
        return group_runs(self._used(), names, chosen=self._rows())

    @property
    def config(self) -> Mapping[str, Any]:
        """Every setting of the first run's population; a setting that varies has one of its values."""
        if not len(self):
            raise UserError("there are no runs here")
        return self.population(int(self.which[0])).setup.population.config

    def __repr__(self) -> str:
        where = f" in {self.folder}" if self.folder else ""
        return f"<Sweep: {counted(len(self), 'run')}{where}>"

    def _columns(self, names: Sequence[str], where: str = "by") -> dict[str, Array]:
        if not len(self):
            return {name: np.array([]) for name in names}
        rows, found = self._rows(), columns_of(self._used(), list(dict.fromkeys(names)), where)
        return {name: values[rows] for name, values in found.items()}

    def _used(self) -> list[RecordInfo]:
        return [self.parts[number] for number in self.population_numbers]

    def _rows(self) -> Array:
        """The indices of these runs among all runs of the records used."""
        _, which = np.unique(self.which, return_inverse=True)
        starts = np.cumsum([0, *(part.metadata["runs"] for part in self._used())])
        return np.asarray(starts[which] + self.places)

    def _array(self, what: str) -> Array:
        self._same("loss_epochs" if what == "losses" else "frame_epochs")
        used = self.population_numbers
        if len(used) == 1 and np.array_equal(self.places, np.arange(self.parts[used[0]].metadata["runs"])):
            return self.population(used[0]).array(what)
        pieces = {k: trained.array(what, places) for k, (trained, places) in zip(used, self.populations(), strict=True)}
        if len({piece.shape[:-1] for piece in pieces.values()}) > 1:
            raise UserError(f"{what}: these runs have networks of different shapes; select some of them with [ ]")
        shape = next(iter(pieces.values())).shape[:-1]
        whole = np.empty((*shape, len(self)), np.result_type(*(piece.dtype for piece in pieces.values())))
        for number, piece in pieces.items():
            whole[..., self.which == number] = piece
        return whole

    def _same(self, what: str) -> Array:
        """The epochs of losses or frames, which must be the same in all populations."""
        found: list[Array] = [getattr(self.population(number).setup, what) for number in self.population_numbers]
        if not found:
            raise UserError("there are no runs here")
        if not all(np.array_equal(epochs, found[0]) for epochs in found):
            raise UserError(f"{what}: not the same in all of these runs; select some of them with [ ]")
        return found[0]


def _plain_values(name: str, column: Array) -> list[Any]:
    """The values of a column; None for never and for what is not finite."""
    values: list[Any] = column.tolist()
    if name in NEVER or name == "epochs_done":  # -1 is unknown, in a record without this column
        return [None if value == -1 else value for value in values]
    return list(map(finite, values))


def open_all(root: Path, where: str | None = None) -> SweepData[RunData]:
    """All runs under ``root``, newest first, or only those that meet a condition, as in "lr > 0.5"."""
    if not root.is_dir():
        raise UserError(f"root={shown_root(root)}: no such folder")
    found = select(list(listing(root).entries), "1" if where is None else where)
    parts = {id(part): (entry, part) for entry, part, _ in found}
    numbers = {key: number for number, key in enumerate(parts)}
    which = np.array([numbers[id(part)] for _, part, _ in found], np.int64)
    entries, records = zip(*parts.values(), strict=True) if parts else ((), ())
    remark_left_out(dict.fromkeys(entries))
    return SweepData(records, which, np.array([place for _, _, place in found], np.int64), entries)


def open_record(name: str, root: Path | None = None, whole: bool = False) -> RunData | SweepData[RunData]:
    """The run or sweep of this name, or one run as in #17; a sweep may lack populations, unless ``whole``."""
    found = named(name, default_root() if root is None else root)
    if found.number is None and found.entry.is_sweep:
        if whole and found.entry.problems:
            raise UserError(found.entry.problems[0])
        remark_left_out([found.entry])
        return SweepData[RunData].of(found.entry)
    return open_run(found)


def open_run(name: str | Named, root: Path | None = None) -> RunData:
    """The one run of this name; raises UserError for a sweep, with the name of one of its runs."""
    part, place = (named(name, root or default_root()) if isinstance(name, str) else name).run()
    return RunData(open_trained(part.folder, Path.cwd()), place)
