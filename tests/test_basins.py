"""Basins: each cell has the colour of the solution that its start leads to, found again from the outputs of the run."""

from pathlib import Path

import numpy as np
import pytest

import xortrain
from xortrain.api import Sweep
from xortrain.films.film_settings import FilmSettings
from xortrain.films.map_layout import MapLayout
from xortrain.setup.film_config import with_film
from xortrain.views.map_film import map_data

pytestmark = pytest.mark.usefixtures("quick_composition")
STARTS = "init.set.W1.0.0=linspace(-6,6,7)", "init.set.W1.1.1=linspace(-6,6,7)"
BANDS = {1: "(0, 1) and (1, 0)", 0: "(0, 0) and (1, 1)"}  # by the output in the middle


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    return xortrain.sweep(*STARTS, "epochs=200", "film=none", f"root={tmp_path_factory.mktemp('basins')}")


def test_a_solution_is_named_by_the_corners_that_its_band_joins(swept: Sweep) -> None:
    shown = map_data(swept, with_film(swept.config, layout="basins"))
    window, ways = shown.windows[0], np.linspace(0.05, 0.95, 19)[:, None]
    assert window.value is not None
    seen = set()
    for run in swept:
        row, column = (int(np.abs(axis.values - run.config["init"]["set"]["W1"][place][place]).argmin())
                       for axis, place in ((window.down, "0"), (window.across, "1")))  # fmt: skip
        kind = int(window.value[row, column, 0])
        assert (kind >= 0) == (run.outcome == "solved")
        if kind < 0:
            continue
        middle = int(run.predict([[0.5, 0.5]])[0, 0] > 0.5)
        start, end = ((0, 1), (1, 0)) if middle else ((0, 0), (1, 1))
        along = run.predict(np.array(start) + ways * (np.array(end) - start))[:, 0] > 0.5
        assert shown.kinds[kind] == (BANDS[middle] if (along == middle).all() else "no corners")
        seen.add(kind)
    assert len(seen) >= 2


def test_the_start_of_the_seed_is_marked(swept: Sweep) -> None:
    (point,) = map_data(swept, with_film(swept.config, layout="basins")).points
    start = xortrain.train("epochs=0").at(0)["W1"]
    assert (point.down, point.across, point.name) == (start[0, 0], start[1, 1], "seed 0")


@pytest.mark.parametrize("dark", [False, True])
def test_solved_cells_have_the_colours_of_their_kind(swept: Sweep, dark: bool) -> None:
    layout = MapLayout(map_data(swept, with_film(swept.config, layout="basins")), FilmSettings("basins", dark=dark), 0)
    bands, window = layout.colours.bands(layout.data.windows[0], 200), layout.data.windows[0]
    bars = {item.word: item.bands for item in layout.colours.legend}
    assert window.value is not None
    for kind, word in enumerate(layout.data.kinds):
        here = window.value[..., 0] == kind
        assert not here.any() or np.isin(bands[here], bars[word]).all()
    assert (bands[window.value[..., 0] < 0] == bars["not solved"]).all()
    assert layout.frame(200).shape == layout.frame(0).shape


def test_other_tables_have_solutions_too(tmp_path: Path) -> None:
    words = "data=and", "init.set.W1.0.0=-2,2", "init.set.b1.0=-1,1", "epochs=100", "film=none"
    sweep = xortrain.sweep(*words, f"root={tmp_path}")
    shown = map_data(sweep, with_film(sweep.config, layout="basins"))
    assert set(filter(None, shown.kinds)) <= {"all low corners", "no corners"}
