"""Marks of a film: each is seen on any ground, and what stands still does not move by a pixel."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_films import NETS, run_of

from xortrain.films.colours import MAPS, colours, luminance
from xortrain.films.field import FieldLayout
from xortrain.films.film_settings import FilmSettings
from xortrain.films.glyphs import Box
from xortrain.films.hidden_space import WeightedSum
from xortrain.films.losses_layout import apart
from xortrain.films.panels import PanelsLayout
from xortrain.films.weights_layout import WeightsLayout


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("number", [0, 30])
def test_a_real_target_is_its_colour_edged_in_ink(number: int, dark: bool) -> None:
    one = run_of("real targets")
    film = FieldLayout(one, FilmSettings(layout="field", dark=dark), 0)
    frame, canvas, right = film.frame(number), film.canvas, film.course.at(number).right
    targets = canvas.palette.rgb[film.field.surface.read.bands(one.t.T)].astype(int)
    places = film.field.places[0]
    for place, target, correct in zip(places, targets, right, strict=True):
        if np.sort(np.hypot(*(places - place).T))[1] < 12:
            continue  # another lies over it
        x, y = place.astype(int)
        around = canvas.palette.rgb[frame[y - 6 : y + 7, x - 6 : x + 7]].astype(int)
        assert (np.abs(around - canvas.colours.ink).sum(-1) < 150).sum() >= 6
        assert (np.abs(around - target).sum(-1) < 30).sum() >= 6
        within = target if correct else canvas.colours.paper
        assert np.abs(around[6, 6] - within).sum() < 60


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", [*MAPS, "viridis", "Accent", "Wistia", "RdYlBu"])
def test_the_edge_of_a_mark_differs_from_what_it_edges(name: str, dark: bool) -> None:
    used = colours(name, 24, dark, 20)
    for fill in used.classes:
        edge = used.ink if used.is_near_paper(fill) else used.paper
        light = sorted((luminance(edge), luminance(fill)))
        assert (light[1] + 0.05) / (light[0] + 0.05) >= 2


@given(heights=st.lists(st.floats(-500, 900), min_size=1, max_size=16), step=st.floats(1, 12), top=st.integers(0, 100))
def test_labels_moved_apart_keep_their_order_and_stay_in_their_box(heights: list[float], step: float, top: int) -> None:
    box = Box(0, top, 10, 200)
    placed = apart(list(np.clip(heights, top, top + 200)), step, box)
    assert (np.diff(np.sort(placed)) >= step - 1e-9).all()
    for one, other in combinations(range(len(heights)), 2):
        before, after = np.clip([heights[one], heights[other]], top, top + 200)
        assert before == after or (before < after) == (placed[one] < placed[other])
    assert min(placed) >= top + min(200 - step * len(heights), 0) - 1e-9
    assert max(placed) <= top + 200 + 1e-9


@pytest.mark.parametrize("name", ["xor", "deep", "no hidden layer", "three bits", "fourteen classes", "real targets"])
def test_no_pixel_of_a_panels_film_moves_outside_its_panels(name: str) -> None:
    film = PanelsLayout(run_of(name), FilmSettings(), 0)
    frames = np.array([film.frame(int(number)) for number in film.chosen])
    moves = (frames != frames[0]).any(0)
    counter = Box(film.right - 110, 315, 110, 18)
    loss = film.parts[1].box  # type: ignore[attr-defined]
    for box, room in (
        (film.field.box, 3), (loss, 10), (film.space, 8), (film.network, 18), (film.outputs.box, 10), (counter, 0),
        (film.heading.epoch, 0), (film.heading.loss, 0), (Box(film.left, 300, 226, 18), 0),  # the sum of a lone unit
    ):  # fmt: skip
        moves[max(box.y - room, 0) : box.y + box.height + room, box.x - room : box.x + box.width + room] = False
    assert not moves.any()


@pytest.mark.parametrize("number", [0, 30])
def test_without_a_hidden_layer_examples_lie_at_their_weighted_sums(number: int) -> None:
    one = run_of("no hidden layer")
    film = PanelsLayout(one, FilmSettings(), 0)
    (panel,) = (part for part in film.parts if isinstance(part, WeightedSum))
    w1, w2, b = one.parameters[number, :, 0]
    z = one.x @ [w1, w2] + b
    np.testing.assert_allclose(panel._sums(film.course.at(number)), z)
    assert panel.plane.left < z.min()
    assert z.max() < panel.plane.right
    np.testing.assert_allclose(
        panel.surface.y[0, 0, 0], 1 / (1 + np.exp(-panel.plane.grid(0, 104, 1)[0, 0])), atol=1e-6
    )


@pytest.mark.parametrize("name", NETS)
def test_no_curve_of_a_parameter_leaves_its_box(name: str) -> None:
    one = run_of(name)
    film = WeightsLayout(one, FilmSettings(layout="weights"), 0)
    film.frame(17)
    curves = film.parts[0]
    assert len(curves.shown) == min(16, one.network.size)
    epochs = np.arange(31)
    ends = np.stack([curves._height(one.parameters[epoch, curves.shown, 0]) for epoch in epochs])
    finite = np.isfinite(one.parameters[:, curves.shown, 0]).all(1)
    assert ((ends[finite] >= -1e-9) & (ends[finite] <= 1 + 1e-9)).all()  # no curve leaves the box
