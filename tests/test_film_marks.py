"""The marks of a film show on every colour, nothing outside the panels changes, and curves stay in their boxes."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from some_films import NETS, record_text, run_of

from xortrain.films.canvas import Box, Canvas, make_canvas
from xortrain.films.colour_scale import colour_scale
from xortrain.films.colours import COLOUR_MAPS, get_colours, get_palette, luminance
from xortrain.films.data import Frame
from xortrain.films.diagram import Diagram
from xortrain.films.field import FieldLayout
from xortrain.films.film_settings import FilmSettings
from xortrain.films.glyphs import text_mask
from xortrain.films.hidden_space import HiddenSpace, WeightedSum
from xortrain.films.loss_curve import LossCurve, spread_labels
from xortrain.films.outputs import OutputsPanel
from xortrain.films.panel import ExampleMarks, ExampleNames, Panel
from xortrain.films.story_layout import PANELS, PanelRow, StoryLayout
from xortrain.films.weights_layout import WeightsLayout


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("number", [0, 30])
def test_the_mark_of_a_real_target_has_its_colour_and_an_edge_of_ink(number: int, dark: bool) -> None:
    one = run_of("real targets")
    film = FieldLayout(one, FilmSettings(layout="field", dark=dark), 0)
    frame, canvas, right = film.frame(number), film.canvas, film.run_frames.at(number).right
    targets = canvas.palette.rgb[film.field.heatmap.scale.bands(one.t.T)].astype(int)
    places = film.field.places[0]
    for place, target, correct in zip(places, targets, right, strict=True):
        if np.sort(np.hypot(*(places - place).T))[1] < 12:
            continue  # another mark covers it
        x, y = place.astype(int)
        around = canvas.palette.rgb[frame[y - 6 : y + 7, x - 6 : x + 7]].astype(int)
        assert (np.abs(around - canvas.colours.ink).sum(-1) < 150).sum() >= 6
        assert (np.abs(around - target).sum(-1) < 30).sum() >= (6 if correct else 1)  # a cross covers most of it
        within = target if correct else canvas.colours.ink  # of the cross
        assert np.abs(around[6, 6] - within).sum() < 60


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", [*COLOUR_MAPS, "viridis", "Accent", "Wistia", "RdYlBu"])
def test_the_edge_of_a_mark_contrasts_with_its_fill(name: str, dark: bool) -> None:
    used = get_colours(name, 24, dark, 20)
    for fill in used.classes:
        edge = used.ink if used.is_near_paper(fill) else used.paper
        light = sorted((luminance(edge), luminance(fill)))
        assert (light[1] + 0.05) / (light[0] + 0.05) >= 2


@given(heights=st.lists(st.floats(-500, 900), min_size=1, max_size=16), step=st.floats(1, 12), top=st.integers(0, 100))
def test_spread_labels_keep_their_order_and_stay_in_their_box(heights: list[float], step: float, top: int) -> None:
    box = Box(0, top, 10, 200)
    placed = spread_labels(list(np.clip(heights, top, top + 200)), step, box)
    assert (np.diff(np.sort(placed)) >= step - 1e-9).all()
    for one, other in combinations(range(len(heights)), 2):
        before, after = np.clip([heights[one], heights[other]], top, top + 200)
        assert before == after or (before < after) == (placed[one] < placed[other])
    assert min(placed) >= top + min(200 - step * len(heights), 0) - 1e-9
    assert max(placed) <= top + 200 + 1e-9


ROOMS = {LossCurve: (27, 5, 14), Diagram: (16, 2, 17), OutputsPanel: (19, 2, 2), HiddenSpace: (16, 2, 2)}
"""How far beside a panel what belongs to it may change: above, on either side, below; of others 2."""


@pytest.mark.parametrize(
    "name", ["xor", "deep", "no hidden layer", "three bits", "fourteen classes", "real targets", "held out", "events"]
)
def test_no_pixel_outside_the_panels_changes(name: str) -> None:
    film = StoryLayout(run_of(name), FilmSettings(), 0)
    frames = np.array([film.frame(int(number)) for number in film.chosen])
    changes, s = (frames != frames[0]).any(0), film.canvas.unit
    assert changes.any()
    for panel in film.panels:
        rooms = next((rooms for kind, rooms in ROOMS.items() if isinstance(panel, kind)), (2, 2, 2))
        (above, beside, below), box = (round(room * s) for room in rooms), panel.box
        changes[box.y - above : box.y + box.height + below, box.x - beside : box.x + box.width + beside] = False
    for box in (film.heading.epoch, film.heading.loss):
        changes[box.pixels] = False
    assert not changes.any()


class Bar(Panel):
    """A toy panel: a bar as high as the share of examples that are right."""

    def draw(self, frame: Frame) -> None:
        top = 1 - frame.right.mean()
        self.canvas.area(self.box.at(np.array([[0, top], [0, 1], [1, 1], [1, top]])), self.canvas.colours.ink)


def test_a_panel_needs_one_line_in_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    one, box = run_of("spiral"), Box(2, 200, 20, 100)
    plain = StoryLayout(one, FilmSettings(), 0).frame(30)
    monkeypatch.setitem(PANELS, "toy", PanelRow(Bar, lambda layout: (box, 0)))
    film = StoryLayout(one, FilmSettings(), 0)
    changed = film.frame(30) != plain
    share = film.run_frames.at(30).right.mean()
    assert 0 < share < 1
    assert changed[box.pixels].sum() == pytest.approx(share * 2000, rel=0.1)
    changed[box.pixels] = False
    assert not changed.any()


@pytest.mark.parametrize("number", [0, 30])
def test_without_a_hidden_layer_examples_stand_at_their_weighted_sums(number: int) -> None:
    one = run_of("no hidden layer")
    film = StoryLayout(one, FilmSettings(), 0)
    (panel,) = (panel for panel in film.panels if isinstance(panel, WeightedSum))
    w1, w2, b = one.parameters[number, :, 0]
    z = one.x @ [w1, w2] + b
    np.testing.assert_allclose(panel.sums(film.run_frames.at(number)), z)
    assert panel.projection.left < z.min()
    assert z.max() < panel.projection.right
    np.testing.assert_allclose(
        panel.heatmap.y[0, 0, 0], 1 / (1 + np.exp(-panel.projection.grid(0, panel.box.width, 1)[0, 0])), atol=1e-6
    )


@pytest.mark.parametrize("name", NETS)
def test_no_curve_of_a_parameter_leaves_its_box(name: str) -> None:
    one = run_of(name)
    film = WeightsLayout(one, FilmSettings(layout="weights"), 0)
    film.frame(17)
    curves = film.curves
    assert len(curves.shown) == min(16, one.network.size)
    epochs = np.arange(31)
    ends = np.stack([curves.height(one.parameters[epoch, curves.shown, 0]) for epoch in epochs])
    finite = np.isfinite(one.parameters[:, curves.shown, 0]).all(1)
    assert ((ends[finite] >= -1e-9) & (ends[finite] <= 1 + 1e-9)).all()


@pytest.mark.parametrize(
    "places", [[(284, 40), (282, 56)], [(150, 100), (162, 104)], [(20, 190), (24, 180), (40, 186)]]
)
def test_a_name_is_nearer_to_its_own_mark_than_to_another_and_clear_of_other_names(
    places: list[tuple[float, float]],
) -> None:
    canvas, marks = (
        make_canvas(FilmSettings(), get_palette("default", 24, False, 2), (300, 200)),
        np.array(places, float),
    )
    boxes = ExampleNames(canvas, Box(0, 0, 300, 200), ["(0, 1)", "(1, 1)", "(1, 0)"][: len(marks)]).draw(marks)
    for number, (left, top, right, low) in enumerate(boxes):
        beyond = np.maximum(np.maximum([left, top] - marks, marks - [right, low]), 0)
        assert np.hypot(*beyond.T).argmin() == number
    for one, other in combinations(boxes, 2):
        assert (np.maximum(one[:2], other[:2]) >= np.minimum(one[2:], other[2:])).any()


@example(201, 6, 21)  # between a mark and two that are almost in one place
@given(st.integers(0, 10**6), st.integers(2, 8), st.integers(1, 24))
def test_names_of_any_length_touch_no_other_and_are_nearest_to_their_own_mark(
    seed: int, count: int, letters: int
) -> None:
    """Those that cannot are left out."""
    canvas = make_canvas(FilmSettings(), get_palette("default", 24, False, 2), (300, 200))
    places = np.random.RandomState(seed).uniform(20, 180, (count, 2))
    names = ExampleNames(canvas, Box(0, 0, 300, 200), [f"{number:x<{letters}}" for number in range(count)])
    placed = names._placed(places, {})
    for one, other in combinations([box for *_, box in placed], 2):
        assert (np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]) <= 2).any()
    for name, _, (left, top, right, low) in placed:
        beyond = np.maximum(np.maximum([left, top] - places, places - [right, low]), 0)
        distance = np.hypot(*beyond.T)
        assert distance.min() >= distance[int(name[0])] - 1e-9 or " = " in name or " + " in name  # of several
    assert placed or letters > 20


@pytest.mark.parametrize(
    ("names", "written"),
    [("aa", "a"), ("aab", "a = b"), ("abab", "a = b"), ("abc", "a = b + 1 more"), ("aabcbc", "a = b + 1 more")],
)
def test_examples_in_one_place_with_the_same_inputs_are_named_once(names: str, written: str) -> None:
    canvas = make_canvas(FilmSettings(), get_palette("default", 24, False, 2), (300, 200))
    placed = ExampleNames(canvas, Box(0, 0, 300, 200), list(names))._placed(np.full((len(names), 2), 90.0), {})
    assert [name for name, *_ in placed] == [written]


@pytest.mark.parametrize(
    ("layout", "size"),
    [(FieldLayout, (240, 160)), (FieldLayout, (320, 200)), (StoryLayout, (480, 270)), (StoryLayout, (285, 507))],
)
def test_names_of_examples_are_as_high_as_letters_of_nine_pixels(
    layout: type[FieldLayout | StoryLayout], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = record_text(monkeypatch)
    layout(run_of("xor"), FilmSettings(size=size), 0).frame(3)
    for name in ("(0, 0)", "(1, 1)"):
        height = max(box.height for word, box in texts if word == name)
        assert height >= text_mask(name, 9, "")[0].shape[0]


@pytest.mark.parametrize("trained", [3, 16, 17, 100])
@pytest.mark.parametrize("held", [2, 16, 40])
def test_held_out_examples_are_marked_as_small_as_the_others(trained: int, held: int) -> None:
    canvas, scale = Canvas(60, 60, 1, get_palette("default", 24, False, 2)), colour_scale(run_of("xor"), 24)
    marks = ExampleMarks(canvas, scale, np.ones((trained, 1)))
    beside = ExampleMarks(canvas, scale, np.ones((held, 1)), beside=trained)
    assert beside.faint
    assert not marks.faint
    assert beside.radius <= marks.radius
    assert beside.plain or not marks.plain


@pytest.mark.parametrize("place", [(30, 30), (30.3, 30.6), (30.5, 30.5), (30.8, 30.1)])
@pytest.mark.parametrize("unit", [1, 1.5])
def test_the_edge_of_paper_around_a_square_is_on_all_sides(unit: float, place: tuple[float, float]) -> None:
    canvas = Canvas(60, 60, unit, get_palette("default", 24, False, 2))
    canvas.paste(Box(0, 0, 60, 60), np.full((60, 60), 23))
    ExampleMarks(canvas, colour_scale(run_of("xor"), 24), np.ones((64, 1))).draw(
        np.array([place] * 64), np.ones(64, bool)
    )
    light = luminance(canvas.palette.rgb[canvas.finish()])
    row, column = (int(np.median(numbers)) for numbers in np.nonzero(light > 2 * light[0, 0]))
    lines = light[row], light[row, ::-1], light[:, column], light[::-1, column]
    edges = [line[line != light[0, 0]][:2].max() for line in lines]  # the outermost pixels of the mark
    assert min(edges) > 3 * light[0, 0]
