"""The one film of a sweep: all its runs in lock-step, of however many populations, or a sample of very many.

Where their snapshots have too few epochs in common, the runs that are shown are trained again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xortrain.errors import UserError
from xortrain.films.film_settings import LAYOUTS
from xortrain.nets import Array
from xortrain.records.index import Entry, RecordInfo
from xortrain.runner.train import RENDER, RESUME, resumable
from xortrain.runs.opening import open_trained
from xortrain.runs.sweep_data import SweepData
from xortrain.runs.trained import TrainedRuns
from xortrain.setup.film_config import film_name, film_settings, of_one, with_many, with_one
from xortrain.setup.run_setup import spread
from xortrain.views.run_film import (
    CANDIDATES,
    again,
    common_title,
    cut,
    film_data,
    write_run_film,
)

if TYPE_CHECKING:
    from xortrain.films.film_settings import FilmSettings
    from xortrain.films.lockstep import Lockstep, Outcomes


MOST_BYTES = 1 << 28  # of snapshots that are trained again for a film


@dataclass(frozen=True)
class PopulationRuns:
    """Runs of one population, and their places in the sweep."""

    trained: TrainedRuns
    places: Array
    last: int
    """The last epoch that any run of the population did."""


def write_sweep_film(
    sweep: SweepData, settings: "FilmSettings", path: Path, progress: bool = False, still: bool = False
) -> Path:
    """Write the film of all runs; a still is its last picture."""
    from xortrain.films.film import poster, write

    most = LAYOUTS[settings.layout].most_runs
    if most == 1:
        raise UserError(f"film={settings.layout}: shows one run; choose one of the sweep, as in sweep[0].film(…)")
    shown = lockstep(sweep, most, 1 if still else settings.frames, progress)
    return poster(shown, settings, path) if still else write(shown, settings, path, progress=progress)


def lockstep(sweep: SweepData, most: int, frames: int, progress: bool = False) -> "Lockstep":
    """What a film is told of the runs that are finished, or of so many of them."""
    from xortrain.films.lockstep import Lockstep

    done = sweep[sweep.column("outcome") != "pending"]
    if not len(done):
        raise UserError(f"{sweep.folder or 'film'}: none of its runs is finished")
    everyone = _ends(done)
    some = done[_sample(everyone, most)]
    groups = _groups(some, lasts(done))
    order = np.concatenate([group.places for group in groups])
    varied = {name: _labels(some.column(name))[order] for name in _swept(some)}
    trained = in_step([group.trained for group in groups], [group.last for group in groups], frames, progress)
    title = common_title([sweep.population(number).setup for number in np.unique(done.which).tolist()])
    return Lockstep(tuple(map(film_data, trained)), title, varied, everyone)


def _swept(some: SweepData) -> list[str]:
    """The settings that differ: choices before numbers, and the seed last."""
    parts = [some.population(number).setup.population for number in np.unique(some.which).tolist()]
    numbers = {name for part in parts for name in part.varying}
    return [*sorted(some.axes, key=lambda name: name in numbers), "seed"]


def _ends(runs: SweepData) -> "Outcomes":
    from xortrain.films.lockstep import Outcomes

    return Outcomes(*(runs.column(name) for name in ("outcome", "solved_at", "diverged_at", "epochs_done")))


def _sample(ends: "Outcomes", most: int) -> Array:
    """Places of so many runs, or of all of them: of each outcome its share, the quick and the slow among them."""
    from xortrain.films.arrangement import share

    order = np.lexsort((ends.solved_at, ends.kinds))
    return np.sort(order[share(ends.kinds[order], most)])


def lasts(done: SweepData) -> dict[int, int]:
    """By the number of a population the last epoch that any of its runs did."""
    ended = done.column("epochs_done")
    return {number: int(ended[done.which == number].max()) for number in np.unique(done.which).tolist()}


def _groups(some: SweepData, last: Mapping[int, int]) -> list[PopulationRuns]:
    """The runs by population; those whose targets have other values apart, because their colours mean others."""
    found = []
    for number in dict.fromkeys(some.which.tolist()):
        places = np.flatnonzero(some.which == number)
        ends = [some.column(name)[places].astype(float) for name in _targets(some, number)]
        _, kind = np.unique(np.stack([*ends, np.zeros(len(places))]), axis=1, return_inverse=True)
        for one in np.unique(kind).tolist():
            own = places[kind.ravel() == one]
            found.append(PopulationRuns(_some_runs(some.population(number), some.places[own]), own, last[number]))
    return found


def _targets(some: SweepData, number: int) -> list[str]:
    """The settings of the targets' values that vary inside a population."""
    return [name for name in ("data.low", "data.high") if name in some.population(number).setup.population.varying]


def _some_runs(trained: TrainedRuns, places: Array) -> TrainedRuns:
    """Some runs of a population; all of them stay where they are."""
    is_whole = np.array_equal(places, np.arange(len(trained.rows)))
    return trained if is_whole else trained.some(places)


def _labels(values: Array) -> Array:
    """What is no number as a text; a setting that a run has not got as a dash."""
    if values.dtype.kind in "iuf":
        return values
    words = {None: "-", True: "true", False: "false"}
    return np.array([words[v] if isinstance(v, bool | None) else str(v) for v in values.tolist()], object)


def in_step(
    parts: Sequence[TrainedRuns], ends: Sequence[int], frames: int, progress: bool = False
) -> list[TrainedRuns]:
    """The same runs with snapshots after epochs in common, enough of them for so many frames.

    Each part is cut after the epoch by which all its runs have ended.
    """
    from xortrain.films.lockstep import common_epochs

    lengths = _lengths(parts, ends)
    ended = list(map(cut, parts, ends))
    common = common_epochs([part.setup.frame_epochs for part in ended])
    least = frames if len(lengths) == 1 else frames // 2
    if all((common <= length).sum() >= min(least, length + 1) for length in lengths):
        return ended
    wanted = _wanted(parts, lengths, frames)
    return [cut(_with_snapshots(part, wanted, progress), last) for part, last in zip(parts, ends, strict=True)]


def _lengths(parts: Sequence[TrainedRuns], ends: Sequence[int]) -> list[int]:
    """Of populations with as many epochs to go the last epoch that any of their runs did."""
    longest: dict[int, int] = {}
    for part, last in zip(parts, ends, strict=True):
        planned = part.setup.population.epochs
        longest[planned] = max(longest.get(planned, 0), last)
    return sorted(set(longest.values()))


def _wanted(parts: Sequence[TrainedRuns], lengths: Sequence[int], frames: int) -> Array:
    """Epochs for all, about as dense for the short runs as for the long ones, as far as memory bears them."""
    bytes_each = sum(part.setup.shape.size * len(part.rows) * part.setup.population.dtype.itemsize for part in parts)
    most = max(min(CANDIDATES * frames, MOST_BYTES // bytes_each) // len(lengths), 2)
    spacing: Any = parts[0].setup.population.config["track"]["spacing"]
    return np.unique(np.concatenate([spread(length, most, spacing) for length in lengths]))


def _with_snapshots(part: TrainedRuns, wanted: Array, progress: bool) -> TrainedRuns:
    """A population with snapshots after these epochs, trained again if some of them were not kept."""
    epochs = part.setup.population.epochs
    own = np.union1d(wanted[wanted <= epochs], epochs)
    return part if np.isin(own, part.setup.frame_epochs).all() else again(part, own, progress)


def sweep_films(entry: Entry, show: bool) -> list[Path]:
    """Write the films of a sweep; returns where they are."""
    wanted = [number for number, part in enumerate(entry.parts) if part.metadata["config"]["film"]["name"] != "none"]
    with resumable(RENDER if entry.status == "finished" else RESUME, entry.folder):
        return [
            *_film_of_all(entry, wanted, show),
            *(path for k in wanted for path in _films_of_each(entry.parts[k], show)),
        ]


def _film_of_all(entry: Entry, wanted: Sequence[int], show: bool) -> list[Path]:
    """The film of all runs that have one; the settings are those of the first of them."""
    whole = SweepData.of(entry)
    runs = whole[np.isin(whole.which, wanted) & (whole.column("outcome") != "pending")]
    if not len(runs):
        return []
    config = runs.config
    path = entry.folder / film_name(config)
    if len(whole) == 1:
        return [write_run_film(runs[0].trained, film_settings(config), path, progress=show)]
    return [write_sweep_film(runs, film_settings(with_many(config)), path, progress=show)]


def _films_of_each(part: RecordInfo, show: bool) -> list[Path]:
    """The films of a population's runs, if they are asked for."""
    if not part.metadata["config"]["film"]["each"]:
        return []
    trained = open_trained(part.folder)
    config = with_one(trained.setup.population.config)
    settings, name, numbers = film_settings(config), film_name(config), trained.rows["number"]
    (part.folder / "films").mkdir(exist_ok=True)
    return [
        write_run_film(trained, settings, of_one(part.folder, numbers[run], name), run, progress=show)
        for run in trained.finished.tolist()
    ]
