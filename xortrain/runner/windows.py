"""A zoom into a map: windows around one place, each smaller than the one before by the same factor.

A window is a population with the settings of the map; all of them are one sweep, which `resume` continues.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xortrain.config.settings import read_conf
from xortrain.errors import UserError
from xortrain.films.film_settings import LAYOUTS
from xortrain.films.map_axis import MapAxis
from xortrain.nets import Array
from xortrain.runner.engines import Engine
from xortrain.runner.plan import Plan, within_budget
from xortrain.setup.map_grid import listed, map_grid, setting_named, varied_settings
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.trained.run_data import TrainedRuns

SAFE_RATE = 5.0  # windows a second: at most five changes, of which no three pairs are a flash
MOST_SIZE = 2048  # cells across and down


@dataclass(frozen=True)
class Zoom:
    """Where to, how far, in how many windows, and of how many cells across and down."""

    at: Mapping[str, float]
    factor: float
    frames: int
    size: int


@dataclass(frozen=True)
class ZoomPlan:
    """What is trained, and the number of windows that this is; fewer than asked for where floats end."""

    plan: Plan
    windows: int
    remark: str = ""


def plan_zoom(
    parent: TrainedRuns, zoom: Zoom, film: Mapping[str, Any], root: str, name: str, engine: Engine
) -> ZoomPlan:
    """Plan the windows of a zoom into a map with this film; raises UserError for a place that is not in it.

    ``name`` is what the map is called.
    """
    before = parent.setup.population
    varied = varied_settings([before])
    at = _places(varied, zoom.at, before)
    axes = _axes(before, varied, at, film)
    values = [axis_values(axis, at[axis.name], zoom) for axis in axes]
    windows = _distinct_windows(values, before.dtype)
    if not windows:
        raise UserError(f"--size={zoom.size}: neighbouring pixels already have the same {before.dtype}; choose fewer")
    remark = ""
    if windows < zoom.frames:
        reached = zoom.factor ** (windows / (zoom.frames - 1))
        remark = (
            f"stops before window {windows + 1} of {zoom.frames}, at a factor of {reached:.3g}: "
            f"beyond that, neighbouring pixels have the same {before.dtype}"
        )
    base = _base(before, at, [axis.name for axis in axes])
    words = ", ".join(f"{key}={value:g}" for key, value in at.items())
    config = {**base, "film": dict(film), "root": root, "notes": f"a zoom of {name} at {words} by {zoom.factor:g}"}
    if not LAYOUTS[before.shared("film.name")].is_map:
        config["track"] = {**base["track"], **read_conf("film/map")["track"]}
    if any(axis.name.startswith("track.") for axis in axes):
        raise UserError("--at: settings of track cannot be axes of a zoom")
    setups = [_setup(parent, config, axes, [own[k] for own in values], k) for k in range(windows)]
    return ZoomPlan(within_budget(setups, engine), windows, remark)


def _places(varied: Mapping[str, Array], given: Mapping[str, float], before: Population) -> dict[str, float]:
    """The value of every setting that varies, by its whole name."""
    at = {setting_named(varied, key, "--at") or key: value for key, value in given.items()}
    missing = [name for name in varied if name not in at]
    if missing:
        example = ",".join(f"{name}={before.values(name)[0]:g}" for name in missing if varied[name].dtype.kind in "iuf")
        raise UserError(f"--at: does not say {listed(missing)}, which varies in this sweep; add {example or 'it'}")
    return at


def _axes(
    before: Population, varied: Mapping[str, Array], at: Mapping[str, float], film: Mapping[str, Any]
) -> list[MapAxis]:
    """The axes of the map, across and down; settings beside them are those of the place."""
    chosen = np.ones(before.runs, bool)
    grid_axes = _named_axes(before, varied, film)
    for name in varied:
        if name not in grid_axes:
            is_there = np.isclose(before.values(name).astype(float), at[name], rtol=1e-9)
            if not is_there.any():
                known = listed([f"{value:g}" for value in np.unique(varied[name])])
                raise UserError(f"--at: {name}={at[name]:g} was not trained; choose {known}")
            chosen &= is_there
    grid = map_grid([before.part(np.flatnonzero(chosen))], {**film, "colour_by": "solved"})
    axes = [MapAxis(grid.across, grid.columns), MapAxis(grid.down, grid.rows)]
    for axis in axes:
        _refuse_axis(axis, at[axis.name])
    return axes


def _named_axes(before: Population, varied: Mapping[str, Array], film: Mapping[str, Any]) -> set[str]:
    if len(varied) <= 2:
        return set(varied)
    grid = map_grid([before], {**film, "colour_by": "solved"})
    return {grid.across, grid.down}


def _refuse_axis(axis: MapAxis, place: float) -> None:
    low, high = axis.values[[0, -1]]
    if axis.values.dtype.kind != "f":
        raise UserError(f"{axis.name}: takes whole numbers, so it has nothing between two values; zoom into others")
    if axis.scale == "rank":
        raise UserError(f"{axis.name}: a zoom needs values at equal steps or equal ratios, as of linspace or geomspace")
    if not low <= place <= high:
        raise UserError(f"--at: {axis.name}={place:g} is outside the map, which has {low:g} to {high:g}")


def axis_values(axis: MapAxis, place: float, zoom: Zoom) -> Array:
    """The values (windows, size) of an axis: the first window is the whole axis, and the place stays where it is."""
    is_log, ends = axis.scale == "log", axis.values[[0, -1]].astype(float)
    low, high = np.log(ends) if is_log else ends
    centre = np.log(place) if is_log else place
    shrink = zoom.factor ** -(np.arange(zoom.frames) / (zoom.frames - 1))
    first, last = centre + (low - centre) * shrink, centre + (high - centre) * shrink
    found = np.linspace(first, last, zoom.size, axis=1)
    return np.asarray(np.clip(np.exp(found) if is_log else found, *ends))


def _distinct_windows(values: Sequence[Array], dtype: np.dtype[Any]) -> int:
    """The number of windows before the first in which two neighbours on an axis are the same number."""
    same = np.any([(np.diff(own.astype(dtype), axis=1) <= 0).any(axis=1) for own in values], axis=0)
    return int(same.argmax()) if same.any() else len(same)


def _base(before: Population, at: Mapping[str, float], axes: Sequence[str]) -> dict[str, Any]:
    """The config of the first run with the settings of the place beside the axes."""
    fits = np.ones(before.runs, bool)
    for name in before.varying:
        if name in at and name not in axes:
            fits &= np.isclose(before.values(name).astype(float), at[name], rtol=1e-9)
    return before.config_of(int(fits.argmax()))


def _setup(
    parent: TrainedRuns, config: Mapping[str, Any], axes: Sequence[MapAxis], values: Sequence[Array], window: int
) -> Setup:
    """The setup of one window, in which rows go down and columns go across."""
    across, down = values
    cells = {axes[0].name: np.tile(across, len(down)), axes[1].name: np.repeat(down, len(across))}
    count, before = len(across) * len(down), parent.setup.population
    copies = {key: axis.name for key in before.varying for axis in axes if _is_copy(before, key, axis.name)}
    varying = {axis.name: cells[axis.name] for axis in (axes[1], axes[0])}
    varying |= {key: cells[name] for key, name in copies.items()}
    population = Population(config, varying, np.arange(count) + window * count)
    has_own_data = any(key.startswith("data.") for key in before.varying)
    return (
        Setup.of(population)
        if has_own_data
        else replace(parent.setup.adapted(population), columns=parent.setup.columns)
    )


def _is_copy(before: Population, key: str, name: str) -> bool:
    return key != name and np.array_equal(before.varying[key], before.varying[name])
