"""The input of a map: the rows of a sweep, and which of them is at which place.  Its snapshots are not read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xortrain.errors import UserError
from xortrain.films.map_axis import MapAxis
from xortrain.films.map_data import MapData, MapWindow
from xortrain.nets import Array
from xortrain.setup.map_grid import MapGrid, map_grid
from xortrain.setup.population import Population
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
    groups = [[part] for part in parts]
    if not _are_windows([part.population for part in parts], film):
        groups = [parts]
    grids = [map_grid([part.population for part in group], film) for group in groups]
    by = film["colour_by"]
    if by == "auto":
        by = "outcome" if grids[0].runs.shape[2] == 1 else "solved"
    windows = tuple(_window(group, grid, VALUES.get(by)) for group, grid in zip(groups, grids, strict=True))
    if by == "test_accuracy" and all(np.isnan(window.value).all() for window in windows if window.value is not None):
        raise UserError("film.colour_by=test_accuracy: these runs have no held-out examples; choose another")
    last = max(int(window.since.max()) for window in windows)
    return MapData(windows, OUTCOMES, _title(parts), last, by, short_names(grids[0].others))


def _are_windows(populations: Sequence[Population], film: Mapping[str, Any]) -> bool:
    """Whether there are several populations with a grid of one shape each, while all of them together have none."""
    if len(populations) < 2:
        return False
    try:
        map_grid(populations, film)
    except UserError:
        pass
    else:
        return False
    try:
        grids = [map_grid([population], film) for population in populations]
    except UserError:
        return False
    return len({(grid.across, grid.down, grid.runs.shape) for grid in grids}) == 1


@dataclass(frozen=True)
class MapPart:
    """The runs of one population that are in a map."""

    setup: Setup
    population: Population
    rows: Array

    @classmethod
    def of(cls, trained: TrainedRuns, places: Array) -> "MapPart":
        setup, is_all = trained.setup, np.array_equal(places, np.arange(len(trained.rows)))
        rows = trained.rows if is_all else trained.rows[places]
        return cls(setup, setup.population if is_all else setup.population.part(places), rows)


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
    group, _, rest = name.partition(".")
    kind, _, place = rest.partition(".")
    if group != "init" or kind not in ("set", "weights") or not place:
        return name
    weight, *at = place.split(".")
    return f"start of {weight}[{', '.join(at)}]"


def _title(parts: Sequence[MapPart]) -> str:
    """What all runs share, as in "XOR   2-2-1 sigmoid   bce   seed 0"."""
    seeds = np.unique(np.concatenate([np.unique(part.population.values("seed")) for part in parts]))
    seed = [f"seed {seeds[0]}"] if len(seeds) == 1 else []
    return "   ".join([sweep_title([part.setup for part in parts]), *seed])
