"""The input of a map: the rows of a sweep, and which of them is at which place.  Its snapshots are not read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.films.map_axis import MapAxis
from xortrain.films.map_data import MapData, MapPoint, MapWindow
from xortrain.nets import Array
from xortrain.nets.network import at_least_two
from xortrain.records.layout import START, column_of
from xortrain.setup.map_grid import MapGrid, map_grids, refuse_no_basins
from xortrain.setup.population import Population, value_at
from xortrain.setup.run_setup import Setup
from xortrain.trained.run_data import RunData, TrainedRuns
from xortrain.trained.sweep_data import SweepData
from xortrain.training.outcome import OUTCOMES
from xortrain.views.run_film import sweep_title

EVENTS = {"solved": "solved_at", "diverged": "diverged_at", "exploded": "exploded_at"}
VALUES = {"loss": "final_loss", "test_accuracy": "test_accuracy"}


def map_data(sweep: SweepData[RunData], config: Mapping[str, Any]) -> MapData:
    """The map that a config asks for: one grid of all runs, or a window for each population with a grid of its own."""
    film, parts = config["film"], [MapPart.of(trained, places) for trained, places in sweep.populations()]
    grids = map_grids([part.population for part in parts], film)
    groups = [parts] if len(grids) == 1 else [[part] for part in parts]
    last = max(int(part.rows["epochs_done"].max()) for part in parts)
    if film["name"] == "basins":
        return basins_data(parts, grids[0], last)
    by = film["colour_by"]
    if by == "auto":
        by = "outcome" if grids[0].runs.shape[2] == 1 else "solved"
    windows = tuple(_window(group, grid, VALUES.get(by)) for group, grid in zip(groups, grids, strict=True))
    if by == "test_accuracy" and all(np.isnan(window.value).all() for window in windows if window.value is not None):
        raise UserError("film.colour_by=test_accuracy: these runs have no held-out examples; choose another")
    return MapData(windows, OUTCOMES, _title(parts), last, by, short_names(grids[0].others))


@dataclass(frozen=True)
class MapPart:
    """The runs of one population that are in a map."""

    trained: TrainedRuns
    places: Array
    population: Population
    rows: Array

    @classmethod
    def of(cls, trained: TrainedRuns, places: Array) -> "MapPart":
        population, is_all = trained.setup.population, np.array_equal(places, np.arange(len(trained.rows)))
        rows = trained.rows if is_all else trained.rows[places]
        return cls(trained, places, population if is_all else population.part(places), rows)

    @property
    def setup(self) -> Setup:
        return self.trained.setup


AT_ONCE = 8192  # runs whose outputs are computed together
BETWEEN = np.arange(1, 8) / 8  # of the way from one corner to another


def basins_data(parts: Sequence[MapPart], grid: MapGrid, last: int) -> MapData:
    """Which solution each run has found by epoch ``last``, and the place at which the start of the seed would be."""
    for part in parts:
        refuse_no_basins(part.setup, grid)
    window = _window(parts, grid, None)
    kinds = np.concatenate([solutions(part) for part in parts])
    names = [name if (kinds == k).any() else "" for k, name in enumerate(solution_names(parts[0].setup))]
    value, points = kinds[grid.runs].astype(float), seed_point(parts, grid)
    return MapData((replace(window, value=value),), OUTCOMES, _title(parts), last, "solution", (), tuple(names), points)


def corner_pairs(setup: Setup) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The pairs of corners of a truth table, as examples, whose targets are both high, and both low."""
    t = setup.train.t[:, 0, 0]
    high = t > (t.min() + t.max()) / 2
    pairs = [(i, k) for i in range(4) for k in range(i) if high[i] == high[k]]
    return [(k, i) for i, k in pairs if high[i]], [(k, i) for i, k in pairs if not high[i]]


def solution_names(setup: Setup) -> list[str]:
    """What each kind of solution joins: all high corners, all low corners, none of both, both."""
    x = setup.train.x

    def corner(k: int) -> str:
        return f"({x[k, 0]:g}, {x[k, 1]:g})"

    names = []
    for pairs, word in zip(corner_pairs(setup), ("high", "low"), strict=True):
        names.append(f"{corner(pairs[0][0])} and {corner(pairs[0][1])}" if len(pairs) == 1 else f"all {word} corners")
    return [*names, "no corners", "both"]


@np.errstate(all="ignore")
def solutions(part: MapPart) -> Array:
    """The kind of solution (runs,) of each run, as an index into `solution_names`; -1 for one that has not solved it.

    Corners are joined where the output is on their side of the midpoint all the way from one to the other.
    """
    setup, pairs = part.setup, corner_pairs(part.setup)
    kinds, solved = np.full(len(part.rows), -1), np.flatnonzero(part.rows["outcome"] == OUTCOMES.index("solved"))
    x, t = setup.train.x, setup.train.t
    ways = [x[i] + BETWEEN[:, None] * (x[k] - x[i]) for i, k in (*pairs[0], *pairs[1])]
    middle = (t.min() + t.max()) / 2
    for start in range(0, len(solved), AT_ONCE):
        some = solved[start : start + AT_ONCE]
        joined = _high_all_the_way(part.trained, part.places[some], np.array(ways), middle, len(pairs[0]))
        high, low = (own.all(axis=0) & (len(own) > 0) for own in (joined[: len(pairs[0])], joined[len(pairs[0]) :]))
        kinds[some] = np.select([high & ~low, low & ~high, ~high & ~low], [0, 1, 2], 3)
    return kinds


def _high_all_the_way(trained: TrainedRuns, runs: Array, ways: Array, middle: float, high: int) -> Array:
    """Which ways (ways, runs) stay on one side of the midpoint: the first ``high`` of them above, the others below."""
    theta = np.ascontiguousarray(trained.array("parameters", runs)[-1])
    both = at_least_two(np.arange(len(runs)))
    task = trained.setup.task(runs[both])
    x = task.scaling.take(0).inputs.scaled(ways.reshape(-1, 2))
    y = task.scaling.take(0).targets.unscaled(task.network.forward(theta.take(both, axis=1), x).y)[:, 0, : len(runs)]
    above = y.reshape(*ways.shape[:2], len(runs)) > middle
    return np.concatenate([above[:high].all(axis=1), ~above[high:].any(axis=1)])


def seed_point(parts: Sequence[MapPart], grid: MapGrid) -> tuple[MapPoint, ...]:
    """Where the seed itself would start, if the weights of both axes are set in place of its own."""
    population, names = parts[0].population, (grid.across, grid.down)
    seeds = np.unique(np.concatenate([part.population.values("seed") for part in parts]))
    if len(seeds) > 1 or not all(name.startswith(f"{START}.") for name in names):
        return ()
    config = population.config_of(0)
    for name in names:
        group, _, place = name.rpartition(".")
        del value_at(config, group)[place]
    task = parts[0].setup.adapted(Population(config)).task()
    found = []
    for name in names:
        weight, *at = name.removeprefix(f"{START}.").split(".")
        found.append(float(task.network.split(task.theta[:, 0])[weight][tuple(map(int, at))]))
    return (MapPoint(found[0], found[1], f"seed {seeds[0]}"),)


def _window(parts: Sequence[MapPart], grid: MapGrid, value: str | None) -> MapWindow:
    def column(name: str) -> Array:
        return np.concatenate([part.rows[name] for part in parts])[grid.runs]

    code, ended = column("outcome"), column("epochs_done")
    since = ended.astype(np.int64)
    for word, name in EVENTS.items():
        at = column(name)
        since = np.where((code == OUTCOMES.index(word)) & (at >= 0), at, since)
    across, down = (
        MapAxis(short, values)
        for short, values in zip(short_names((grid.across, grid.down)), (grid.columns, grid.rows), strict=True)
    )
    return MapWindow(across, down, code, since, None if value is None else column(value).astype(float))


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names of settings as they are written in a map: ``init.set.W1.0.1`` is W1[0, 1]."""
    return tuple(weight_name(name) for name in names)


def weight_name(name: str) -> str:
    """W1[0, 1] for init.set.W1.0.1 and init.weights.W1.0.1; another setting as it is."""
    written = column_of(name.replace("init.weights.", "init.set.", 1))
    return f"start of {written}" if "[" in written else name


def _title(parts: Sequence[MapPart]) -> str:
    """What all runs share, as in "XOR   2-2-1 sigmoid   bce   seed 0"."""
    seeds = np.unique(np.concatenate([np.unique(part.population.values("seed")) for part in parts]))
    seed = [f"seed {seeds[0]}"] if len(seeds) == 1 else []
    return "   ".join([sweep_title([part.setup for part in parts]), *seed])
