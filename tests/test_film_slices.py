"""More than two inputs: labelled slices in rows and columns, or two principal axes."""

import numpy as np
import pytest
from some_films import NETS, cloud, parity, run_of

from xortrain.films.canvas import Box
from xortrain.films.field import Field, FieldLayout
from xortrain.films.film_settings import LAYOUTS, FilmSettings
from xortrain.films.heatmap import tiles
from xortrain.films.projection import LEAST_SLICE, MOST_SLICES, project
from xortrain.films.story_layout import StoryLayout

NAMES = [f"x{number}" for number in range(1, 12)]


@pytest.mark.parametrize("bits", range(3, 11))
def test_an_example_is_in_the_slice_of_its_row_and_column(bits: int) -> None:
    x, t = parity(bits)
    whole = project(x, t, NAMES[:bits], "y", 0, 1)
    places = [(row, column) for row in whole.rows or (None,) for column in whole.columns]
    assert len(places) == len(whole.slices) <= MOST_SLICES
    for (row, column), one in zip(places, whole.slices, strict=True):
        common = [*zip(row.names, row.values, strict=True)] if row else []
        for name, value in [*common, *zip(column.names, column.values, strict=True)]:
            assert (x[one.members, NAMES.index(name)] == float(value)).all()
        np.testing.assert_array_equal(whole.places[one.members], x[one.members, :2])
        back = one.points(*whole.places[one.members].T).T
        np.testing.assert_array_equal(back, x[one.members])
    shown = np.sort(np.concatenate([one.members for one in whole.slices]))
    assert len(np.unique(shown)) == len(shown)
    assert (len(shown) == len(x)) == (bits <= 6)
    assert (f"{len(shown)} of {len(x)} examples" in whole.note) == (bits > 6)


def test_where_not_all_combinations_occur_each_slice_has_its_own_label() -> None:
    x = np.repeat(np.array([[0, 0, 0, 1], [1, 0, 1, 0], [0, 1, 1, 1.0]]), 3, axis=0)
    whole = project(x, x[:, :1], NAMES[:4], "y", 0, 1)
    assert not whole.columns
    assert [one.label for one in whole.slices] == ["x3 = 0  x4 = 1", "x3 = 1  x4 = 0", "x3 = 1  x4 = 1"]


@pytest.mark.parametrize("values", range(2, 10))
def test_slices_of_one_input_are_in_a_grid_as_square_as_possible(values: int) -> None:
    """The slices of 6 values in one line would leave five sixths of the square empty."""
    x = np.array([[u, v, w] for u in range(3) for v in range(3) for w in range(values)], float)
    whole = project(x, x[:, :1], NAMES[:3], "y", 0, 1)
    assert [one.values for one in whole.columns] == [(str(value),) for value in range(values)]
    boxes = tiles(Box(0, 0, 600, 600), values, 14, whole.across)
    assert len({one.x for one in boxes}) - len({one.y for one in boxes}) in (0, 1)


def test_many_distinct_values_are_shown_along_two_principal_axes() -> None:
    whole = project(cloud(5), cloud(5)[:, :1], NAMES[:5], "y", 0, 1)
    assert len(whole.slices) == 1
    assert whole.names[0].startswith("principal axis 1")


@pytest.mark.parametrize("layout", [FieldLayout, StoryLayout])
@pytest.mark.parametrize("name", [name for name in NETS if "bits" in name])
@pytest.mark.parametrize("grown", [1, 1.4, 2.2])
def test_no_slice_is_too_small_to_be_legible(
    layout: type[FieldLayout] | type[StoryLayout], name: str, grown: float
) -> None:
    least = LAYOUTS["field" if layout is FieldLayout else "story"].smallest
    film = layout(run_of(name), FilmSettings(size=(round(least[0] * grown), round(least[1] * grown))), 0)
    (field,) = (panel for panel in film.panels if isinstance(panel, Field))
    boxes, box = field.heatmap.boxes, field.box
    assert all(one.width == one.height for one in boxes)
    assert min(min(one.width, one.height) for one in boxes) >= 0.75 * LEAST_SLICE
    assert min(one.x for one in boxes) >= box.x
    assert max(one.x + one.width for one in boxes) <= box.x + box.width
    assert max(one.y + one.height for one in boxes) <= box.y + box.height
