"""The grid of a map: which settings of a sweep are its two axes, and the runs of each of its cells.

It needs the settings only, so a sweep that forms no grid is refused before it is trained.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from xortrain.errors import UserError, unknown
from xortrain.films.film_settings import LAYOUTS
from xortrain.nets import Array
from xortrain.records.columns import affects_training
from xortrain.records.layout import column_of, setting_of
from xortrain.records.metadata import flat_settings
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup

LIMITS = 8  # settings that an error names


@dataclass(frozen=True)
class MapGrid:
    """The names and increasing values of both axes, and the runs of each cell: (down, across, runs of a cell)."""

    across: str
    down: str
    columns: Array
    rows: Array
    runs: Array
    others: tuple[str, ...] = ()
    """The settings in which the runs of a cell differ."""


def map_grid(populations: Sequence[Population], film: Mapping[str, Any]) -> MapGrid:
    """The grid of the runs of all populations, one after the other; raises UserError if they form none."""
    varied = varied_settings(populations)
    across, down = _axes(varied, film)
    others = tuple(name for name in varied if name not in (across, down))
    (columns, column), (rows, row) = (np.unique(varied[name], return_inverse=True) for name in (across, down))
    shape, cell = (len(rows), len(columns)), row * len(columns) + column
    counts = np.bincount(cell, minlength=prod(shape))
    where, pair = f"film={film['name']}", listed([down, across])
    if not counts.all():
        missing = int((counts == 0).sum())
        raise UserError(
            f"{where}: {missing:,} of {len(counts):,} combinations of {pair} have no run; "
            "sweep every value of one with every value of the other"
        )
    if counts.min() != counts.max():
        raise UserError(
            f"{where}: the combinations of {pair} have {counts.min():,} to {counts.max():,} runs; "
            "each must have as many as the others"
        )
    runs = np.argsort(cell, kind="stable").reshape(*shape, -1)
    grid = MapGrid(across, down, columns, rows, runs, others)
    _refuse_several(grid, film)
    return grid


def map_grids(populations: Sequence[Population], film: Mapping[str, Any]) -> list[MapGrid]:
    """The grid of all runs; or that of each population, where they are the windows of a zoom."""
    try:
        return [map_grid(populations, film)]
    except UserError as error:
        if len(populations) > 1:
            with suppress(UserError):
                found = [map_grid([population], film) for population in populations]
                axes = {found[0].across, found[0].down}
                is_same = len({(grid.across, grid.down, grid.runs.shape) for grid in found}) == 1
                if is_same and varied_settings(populations).keys() <= axes:
                    return found
        raise error


def _refuse_several(grid: MapGrid, film: Mapping[str, Any]) -> None:
    """Raise UserError for cells of several runs that are coloured by what one run has."""
    count, by = grid.runs.shape[2], film.get("colour_by", "outcome")
    if count > 1 and by == "outcome":
        why = f"{count:,} runs for each pair of {listed([grid.down, grid.across])}{_which_differ(grid.others)}"
        known = "choose film.colour_by=solved, loss or test_accuracy" if "colour_by" in film else "sweep only these two"
        raise UserError(f"film={film['name']}: there are {why}; {known}")


def _which_differ(others: Sequence[str]) -> str:
    return f", which differ in {listed(others)}" if others else ""


def refuse_unfit_maps(setups: Sequence[Setup]) -> None:
    """Raise UserError for a map that these populations cannot have."""
    wanted = [setup for setup in setups if LAYOUTS[setup.population.shared("film.name")].is_map]
    for film in {repr(setup.population.config["film"]): setup.population.config["film"] for setup in wanted}.values():
        alike = [setup for setup in wanted if setup.population.config["film"] == film]
        grids = map_grids([setup.population for setup in alike], film)
        if film["name"] == "basins":
            for setup in alike:
                refuse_no_basins(setup, grids[0])
        if film.get("colour_by") == "test_accuracy" and not all(setup.test for setup in alike):
            raise UserError("film.colour_by=test_accuracy: needs held-out examples, as with data.test=0.25")


START_WEIGHTS = ("init.set.", "init.weights.")


def refuse_no_basins(setup: Setup, grid: MapGrid) -> None:
    """Raise UserError unless the axes are start weights, and the data a truth table of two inputs and one output."""
    for name in (grid.across, grid.down):
        if not name.startswith(START_WEIGHTS):
            raise UserError(f"film=basins: {name} is not a start weight, as init.set.W1.0.1 is; choose film=map")
    x, t = setup.train.x, setup.train.t
    if x.shape[1] != 2 or t.shape[1] != 1:
        raise UserError(f"film=basins: needs two inputs and one output; these data have {x.shape[1]} and {t.shape[1]}")
    is_shared = x.ndim == 2 and t.shape[2] == 1
    if not (is_shared and len(x) == 4 == len(np.unique(x, axis=0)) and all(len(np.unique(c)) == 2 for c in x.T)):
        raise UserError("film=basins: needs a truth table of two inputs, as data=xor, with one answer for each corner")


def varied_settings(populations: Sequence[Population]) -> dict[str, Array]:
    """The settings in which runs differ, by dotted name: (runs,); without those that follow from earlier ones."""
    together, found = np.zeros(sum(population.runs for population in populations), np.int64), dict[str, Array]()
    distinct = 1
    for name, values in _differing(populations):
        _, own = np.unique(_sortable(values), return_inverse=True)
        kinds, finer = np.unique(together * (int(own.max()) + 1) + own, return_inverse=True)
        if len(kinds) > distinct:
            found[name], together, distinct = values, finer, len(kinds)
    return found


def _differing(populations: Sequence[Population]) -> Iterator[tuple[str, Array]]:
    """Every setting that is not the same in all runs, those that vary inside populations first."""
    varying = dict.fromkeys(key for population in populations for key in population.varying)
    for key in sorted(varying, key=lambda key: key == "seed"):
        of_runs = np.concatenate([population.values(key) for population in populations])
        if (of_runs != of_runs[0]).any():
            yield key, of_runs
    shared = [flat_settings(population.config) for population in populations] if len(populations) > 1 else []
    for key in dict.fromkeys(key for settings in shared for key in settings):
        values = [settings.get(key) for settings in shared]
        if key not in varying and (key == "seed" or affects_training(key)) and len(set(map(repr, values))) > 1:
            sizes = [population.runs for population in populations]
            yield key, np.repeat(_plain(values), sizes)


def _plain(values: Sequence[Any]) -> Array:
    """Numbers as numbers, anything else as objects."""
    is_number = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return np.array(values, None if is_number else object)


def _sortable(values: Array) -> Array:
    places: dict[str, int] = {}
    if values.dtype.kind in "biuf":
        return values
    return np.array([places.setdefault(repr(one), len(places)) for one in values.tolist()])


def _axes(varied: Mapping[str, Array], film: Mapping[str, Any]) -> tuple[str, str]:
    """The names of the axes across and down: as film.x and film.y name them, else the two that vary beside the seed.

    Of these two, the one that varies faster is across, as the columns of a table.
    """
    where, numeric = f"film={film['name']}", [name for name, values in varied.items() if values.dtype.kind in "iuf"]
    chosen = [setting_named(varied, film.get(key), f"film.{key}") for key in ("x", "y")]
    for name in filter(None, chosen):
        if name not in numeric:
            raise UserError(f"{where}: {name} is not a number; an axis must be one of {listed(numeric) or 'none here'}")
    left = [name for name in varied if name not in chosen]
    free = [name for name in left if name != "seed"]
    needed = 2 - sum(map(bool, chosen))
    wanted = free if len(free) >= needed else left
    if len(wanted) < needed:
        what = f"only {listed([*varied])} varies" if len(varied) == 1 else "none varies"
        raise UserError(f"{where}: needs two settings that vary, as in -m lr=0.5,1,2 init.scale=0.5,1,2; here {what}")
    if needed and len(wanted) > needed:
        raise UserError(
            f"{where}: has two axes, and {listed([*varied])} vary; name them with film.x and film.y, "
            "which shows the others as the share of runs that are solved"
        )
    for name in wanted[:needed]:
        if name not in numeric:
            raise UserError(f"{where}: {name} is not a number, and an axis needs numbers; choose film=sweep")
    across, down = chosen
    rest = _slowest_first(varied, wanted[:needed])
    down = down or rest.pop(0)
    return across or rest.pop(0), down


def _slowest_first(varied: Mapping[str, Array], names: Sequence[str]) -> list[str]:
    """Settings by how often they change from one run to the next."""
    changes = {name: int((varied[name][1:] != varied[name][:-1]).sum()) for name in names}
    return sorted(names, key=changes.__getitem__)


def setting_named(varied: Mapping[str, Any], given: str | None, where: str) -> str | None:
    """The setting that varies with this name, which may lack its group; None for None."""
    if given is None or given in varied:
        return given
    if setting_of(given) in varied:  # W1[0, 1]
        return setting_of(given)
    short = [name for name in varied if name.rpartition(".")[2] == given]
    if len(short) != 1:
        raise unknown(where, given, varied, "setting that varies here")
    return short[0]


def listed(names: Sequence[str]) -> str:
    """As in "lr, init.scale and seed"."""
    shown = [column_of(name) for name in names[:LIMITS]]
    shown += [f"{len(names) - LIMITS} more"] if len(names) > LIMITS else []
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
