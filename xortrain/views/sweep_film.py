"""The film of a sweep: all its runs side by side, of any number of populations, or a sample of very many runs.

Where their snapshots have too few epochs in common, the runs shown are trained again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.films.arrangement import quickest_first, sample_shares
from xortrain.films.data import FilmData
from xortrain.films.film_settings import LAYOUTS
from xortrain.films.pacing import FRAMES
from xortrain.films.sweep_film_data import SweepFilmData, common_epochs
from xortrain.nets import Array
from xortrain.records.columns import is_setting
from xortrain.records.groups import group_codes
from xortrain.setup.film_config import film_name, group_setting, of_one, refuse_best_of_many, with_many, with_one
from xortrain.setup.run_setup import spread
from xortrain.trained.run_data import RunData, TrainedRuns
from xortrain.trained.sweep_data import SweepData
from xortrain.training.task import History
from xortrain.views.map_film import map_data
from xortrain.views.run_film import (
    CANDIDATES,
    film_data,
    outcomes_of,
    sweep_title,
    with_snapshots,
    write,
    write_run_film,
)

MOST_BYTES = 1 << 28  # of snapshots when runs are trained again for a film


def write_sweep_film(
    sweep: SweepData[RunData], config: Mapping[str, Any], path: Path, progress: bool = False, still: bool = False
) -> Path:
    """Write the film of all runs with the settings of a config, or with ``still`` its last frame; return the path."""
    refuse_best_of_many(config)
    layout = config["film"]["name"]
    if LAYOUTS[layout].is_map:
        return write(map_data(sweep, config), config, path, progress, still)
    most = LAYOUTS[layout].most_runs
    if most == 1:
        raise UserError(f"film={layout}: shows one run; choose one of the sweep, as in sweep[0].film(…)")
    if LAYOUTS[layout].has_rows:
        shown = raster_data_of(sweep, most)
    else:
        film = {**config["film"], "by": config["film"]["by"] and _group_setting(sweep, config["film"]["by"])}
        config, frames = {**config, "film": film}, 1 if still else film["frames"] or FRAMES
        shown = film_data_of(sweep, most, frames, progress, film["by"])
    return write(shown, config, path, progress, still)


def write_films(sweep: SweepData[RunData]) -> list[Path]:
    """Write the films that the configs of a whole sweep ask for; returns their paths."""
    wanted = [k for k, part in enumerate(sweep.parts) if part.metadata["config"]["film"]["name"] != "none"]
    asking = sweep[np.isin(sweep.which, wanted)]
    done = asking[asking.column("outcome") != "pending"]
    is_map = len(asking) and LAYOUTS[asking.config["film"]["name"]].is_map  # which has a place for every run
    paths = [_write_film_of_all(sweep, asking if is_map else done)] if len(done) else []
    return [*paths, *(path for k in wanted for path in _write_films_of_each(sweep, k))]


def _write_film_of_all(sweep: SweepData[RunData], runs: SweepData[RunData]) -> Path:
    """The film of all finished runs that ask for one, as the first of them asks."""
    config = runs.config
    assert sweep.folder is not None
    path = sweep.folder / film_name(config)
    if len(sweep) == 1:
        return write_run_film(runs[0].trained, with_one(config), path, progress=True)
    return write_sweep_film(runs, with_many(config), path, progress=True)


def _write_films_of_each(sweep: SweepData[RunData], number: int) -> list[Path]:
    """A film of each finished run of a population, if it asks for them."""
    part = sweep.parts[number]
    if not part.metadata["config"]["film"]["each"]:
        return []
    trained, folder = sweep.population(number), part.folder
    config = with_one(trained.setup.population.config)
    (folder / "films").mkdir(exist_ok=True)
    paths = {run: of_one(folder, trained.rows["number"][run], film_name(config)) for run in trained.finished.tolist()}
    return [write_run_film(trained, config, path, run, progress=True) for run, path in paths.items()]


def film_data_of(
    sweep: SweepData[RunData], most: int, frames: int, progress: bool = False, by: str | None = None
) -> SweepFilmData:
    """The input of a film of the finished runs, or of a sample with at most ``most`` of them.

    ``by`` is a setting whose values are in the sample in proportion.
    """
    done = sweep[sweep.column("outcome") != "pending"]
    if not len(done):
        raise UserError(f"{sweep.folder or 'film'}: none of its runs is finished")
    everyone = outcomes_of(done.column("outcome").tolist(), done.column)
    values = _values_by(done, by)
    codes = values * len(everyone.words) + everyone.codes
    by_speed = np.lexsort((everyone.solved_at, codes))  # a share of each outcome, fast and slow runs in each
    sample = done[np.sort(by_speed[sample_shares(codes[by_speed], most)])]
    groups = _groups(sample, done)
    order = np.concatenate([group.places for group in groups])
    arrays = {name for k in sample.population_numbers for name in sample.parts[k].varies}
    names = [*sorted(sample.axes, key=lambda name: name in arrays), "seed"]  # choices before numbers
    varied = {name: _labels(sample.column(name))[order] for name in names}
    if by:
        varied[by] = _labels(sample.column(_group_setting(done, by)))[order]
    trained = _in_step(groups, frames, progress)
    title = sweep_title([done.population(number).setup for number in done.population_numbers])
    return SweepFilmData(tuple(map(film_data, trained)), title, varied, everyone)


def _group_setting(done: SweepData[RunData], by: str) -> str:
    """The setting that film.by names; raises UserError unless these runs differ in it."""
    parts = [done.parts[number] for number in done.population_numbers]
    known = dict.fromkeys(name for part in parts for name in (*part.metadata["varies"], *part.settings))
    listed = [name for name in (*done.axes, "seed") if len(set(done.column(name).tolist())) > 1]
    name = group_setting(by, [name for name in known if is_setting(name)], listed)
    return name if len(set(done.column(name).tolist())) > 1 else group_setting(by, (), listed)


def _values_by(done: SweepData[RunData], by: str | None) -> Array:
    """A number for each run, (runs,): the same for runs with the same value of a setting."""
    return group_codes([_labels(done.column(_group_setting(done, by)))] if by else [], len(done))[0]


def _labels(values: Array) -> Array:
    """Numbers unchanged, anything else as text; a dash for a setting that a run does not have."""
    if values.dtype.kind in "iuf":
        return values
    words = {None: "-", True: "true", False: "false"}
    return np.array([words[v] if isinstance(v, bool | None) else str(v) for v in values.tolist()], object)


@dataclass(frozen=True)
class FilmGroup:
    """Runs of one population with the same colours, and their places in the sample."""

    trained: TrainedRuns
    places: Array
    last: int
    """The last epoch of any run of the population."""


def _groups(sample: SweepData[RunData], done: SweepData[RunData]) -> list[FilmGroup]:
    """The runs by population and, because colours show values relative to the targets, by target values."""
    found, ended = [], done.column("epochs_done")
    for number in dict.fromkeys(sample.which.tolist()):
        whole, places = sample.population(number), np.flatnonzero(sample.which == number)
        own = [name for name in ("data.low", "data.high") if name in whole.setup.population.varying]
        values = [sample.column(name)[places].astype(float) for name in own]
        _, kinds = np.unique(np.stack([*values, np.zeros(len(places))]), axis=1, return_inverse=True)
        last = int(ended[done.which == number].max())
        for kind in np.unique(kinds).tolist():
            group = places[kinds.ravel() == kind]
            runs = sample.places[group]
            is_all = np.array_equal(runs, np.arange(len(whole.rows)))  # then they stay mapped to their files
            found.append(FilmGroup(whole if is_all else whole.take(runs), group, last))
    return found


def _in_step(groups: Sequence[FilmGroup], frames: int, progress: bool) -> list[TrainedRuns]:
    """The runs up to the last epoch of their population, with enough common snapshots for the frames."""
    lengths = _lengths(groups)
    ended = [group.trained.until(group.last) for group in groups]
    common = common_epochs([part.setup.frame_epochs for part in ended])
    least = frames if len(lengths) == 1 else frames // 2
    if all((common <= length).sum() >= min(least, length + 1) for length in lengths):
        return ended
    wanted = _wanted_epochs(groups, lengths, frames)
    return [_with_common_snapshots(group.trained, wanted, progress).until(group.last) for group in groups]


def _lengths(groups: Sequence[FilmGroup]) -> list[int]:
    """For each planned number of epochs the last epoch of any run."""
    longest: dict[int, int] = {}
    for group in groups:
        planned = group.trained.setup.population.epochs
        longest[planned] = max(longest.get(planned, 0), group.last)
    return sorted(set(longest.values()))


def _wanted_epochs(groups: Sequence[FilmGroup], lengths: Sequence[int], frames: int) -> Array:
    """Epochs for all, about as dense in short runs as in long ones, within the memory budget."""
    setups = [group.trained.setup for group in groups]
    snapshot = sum(setup.shape.size * setup.population.runs * setup.population.dtype.itemsize for setup in setups)
    most = max(min(CANDIDATES * frames, MOST_BYTES // snapshot) // len(lengths), 2)
    spacing = setups[0].population.shared("track.spacing")
    return np.unique(np.concatenate([spread(length, most, spacing) for length in lengths]))


def _with_common_snapshots(trained: TrainedRuns, wanted: Array, progress: bool) -> TrainedRuns:
    """A population with snapshots after these epochs, trained again if some are missing."""
    epochs = trained.setup.population.epochs
    own = np.union1d(wanted[wanted <= epochs], epochs)
    return trained if np.isin(own, trained.setup.frame_epochs).all() else with_snapshots(trained, own, progress)


def raster_data_of(sweep: SweepData[RunData], most: int) -> SweepFilmData:
    """The input of film=raster with at most ``most`` rows: runs at equal steps of their order, quickest first.

    Of all runs only the rows of the table are read, and the losses of those that are shown.
    """
    done = sweep[sweep.column("outcome") != "pending"]
    if not len(done):
        raise UserError(f"{sweep.folder or 'film'}: none of its runs is finished")
    everyone = outcomes_of(done.column("outcome").tolist(), done.column)
    sample = done[quickest_first(everyone, everyone.final_loss)[quantiles(len(done), most)]]
    last = int(done.column("epochs_done").max())
    parts = [losses_of(trained, places, last) for trained, places in sample.populations()]
    title = sweep_title([done.population(number).setup for number in done.population_numbers])
    return SweepFilmData(tuple(parts), title, {}, everyone)


def quantiles(runs: int, most: int) -> Array:
    """At most ``most`` places in an order of runs, at the middles of equal steps."""
    return np.arange(runs) if runs <= most else ((np.arange(most) + 0.5) / most * runs).astype(int)


def losses_of(trained: TrainedRuns, runs: Array, last: int) -> FilmData:
    """Some runs of a population with their losses up to epoch ``last``; their parameters are not read, but NaN."""
    setup = trained.setup.part(runs)
    epochs, ends = setup.loss_epochs, np.unique(setup.loss_epochs[[0, -1]])
    nothing = np.broadcast_to(np.array(np.nan, setup.population.dtype), (len(ends), setup.shape.size, len(runs)))
    history = History(epochs, ends, trained.array("losses", runs), nothing, None, {}, None)
    some = TrainedRuns(replace(setup, frame_epochs=ends, test=None), np.asarray(trained.rows[runs]), history)
    return film_data(some.until(last))
