"""Every layout shows every kind of network and data at every size, with the right epoch and loss."""

import contextlib
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_films import DRAWN_LAYOUTS, NETS, XOR, film_data, net, run_of, sweep_of

from xortrain.errors import UserError
from xortrain.films.agg import Agg, make_renderer, public_renderer
from xortrain.films.canvas import Canvas
from xortrain.films.colours import get_palette
from xortrain.films.field import FieldLayout
from xortrain.films.film import make_layout
from xortrain.films.film_settings import LAYOUTS, FilmSettings, refuse_unfit
from xortrain.films.glyphs import text_mask
from xortrain.films.panel import HEADING, format_loss
from xortrain.films.story_layout import StoryLayout

SIZES = [(1, 1), (1.25, 1.1), (2.6, 1.3), (1.1, 2.6)]


@pytest.mark.parametrize("layout", DRAWN_LAYOUTS)
def test_every_layout_names_its_class_and_its_smallest_size(layout: str) -> None:
    module, _, name = LAYOUTS[layout].location.partition(":")
    assert isinstance(getattr(import_module(module), name), type)
    assert min(LAYOUTS[layout].smallest) > 0


@pytest.mark.parametrize("layout", ["story", "field"])
def test_a_story_may_be_taller_than_wide_from_its_smallest_tall_size_on(layout: str, tmp_path: Path) -> None:
    for size, is_tall in {(285, 507): True, (380, 660): True, (284, 507): False, (285, 506): False}.items():
        settings, is_fine = FilmSettings(layout=layout, size=size), is_tall or layout == "field"
        with (
            contextlib.nullcontext()
            if is_fine
            else pytest.raises(UserError, match=r"\[480, 270\] or from \[285, 507\]")
        ):
            refuse_unfit(settings, tmp_path / "film.gif")


@pytest.mark.parametrize("layout", DRAWN_LAYOUTS)
@pytest.mark.parametrize("name", NETS)
def test_every_layout_shows_every_net(name: str, layout: str) -> None:
    film = make_layout(run_of(name), FilmSettings(layout=layout, frames=4, size=LAYOUTS[layout].smallest))
    frames = [film.frame(int(number)) for number in film.chosen]
    assert len(film.chosen) == 4
    assert all(frame.max() < len(film.canvas.palette.rgb) <= 255 for frame in frames)
    assert all(len(np.unique(frame)) > 8 for frame in frames)
    assert (frames[0] != frames[-1]).any()
    np.testing.assert_array_equal(film.frame(int(film.chosen[1])), frames[1])  # whatever was drawn in between


@pytest.mark.parametrize("size", [(960, 540), (540, 960)])
@pytest.mark.parametrize("name", NETS)
def test_neither_place_of_the_two_pictures_of_a_story_is_empty(name: str, size: tuple[int, int]) -> None:
    film = StoryLayout(run_of(name), FilmSettings(size=size), 0)
    drawn = {(panel.box.x, panel.box.y, panel.box.width) for panel in film.panels}
    assert {(place.x, place.y, place.width) for place in (film.first, film.second)} <= drawn


def test_a_network_of_a_hundred_thousand_parameters_has_a_film() -> None:
    one = film_data(net(2, 300, 300, 1, hidden="tanh"), XOR, XOR[:, :1], lr=0.0, epochs=1)
    assert StoryLayout(one, FilmSettings(), 0).frame(1).shape == (540, 960)


@pytest.mark.parametrize(
    ("layout", "share", "name"),
    [
        (layout, share, ("xor", "four bits", "encoder", "spiral")[(row + column) % 4])  # every two of the three meet
        for row, layout in enumerate(DRAWN_LAYOUTS)
        for column, share in enumerate(SIZES)
    ],
)
def test_a_frame_has_the_requested_size_and_a_margin(layout: str, share: tuple[float, float], name: str) -> None:
    width, height = (round(side * factor) for side, factor in zip(LAYOUTS[layout].smallest, share, strict=True))
    film = make_layout(run_of(name), FilmSettings(layout=layout, size=(width, height)))
    frame = film.frame(30)
    assert frame.shape == (height, width)
    paper = film.canvas._shades[0]
    edge = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]])
    assert (edge == paper).mean() > 0.97


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("layout", DRAWN_LAYOUTS)
def test_a_dark_film_has_a_dark_background(layout: str, dark: bool) -> None:
    film = make_layout(run_of("xor"), FilmSettings(layout=layout, dark=dark))
    lightness = film.canvas.palette.rgb[film.frame(0)].mean(-1)
    assert (np.median(lightness[:8]) < 60) == dark


@given(
    x=st.floats(-50, 350), y=st.floats(-50, 250), words=st.text("ahpgQ10·⁻,", min_size=1, max_size=12),
    size=st.sampled_from([8, 11, 20]), align=st.sampled_from(["left", "centre", "right"]), vertical=st.booleans(),
    halo=st.booleans(),
)  # fmt: skip
def test_text_stays_on_the_canvas(
    x: float, y: float, words: str, size: float, align: str, vertical: bool, halo: bool
) -> None:
    canvas = Canvas(300, 200, 1, get_palette("default", 24, False, 2))
    box = canvas.text(x, y, words, size, align=align, vertical=vertical, halo=canvas.colours.paper if halo else None)
    assert box.x >= 0
    assert box.y >= 0
    assert box.x + box.width <= 300
    assert box.y + box.height <= 200
    plain = Canvas(300, 200, 1, get_palette("default", 24, False, 2)).finish()
    rows, columns = np.nonzero(canvas.finish() != plain)
    if len(rows):
        assert box.y <= rows.min() <= rows.max() < box.y + box.height
        assert box.x <= columns.min() <= columns.max() < box.x + box.width


@given(words=st.text("abc xyz", max_size=40), room=st.integers(30, 300))
def test_text_that_does_not_fit_ends_in_an_ellipsis(words: str, room: int) -> None:
    canvas = Canvas(300, 200, 1, get_palette("default", 24, False, 2))
    fitting = canvas.shorten(words, room, 11)
    assert fitting == words or (fitting.endswith("…") and words.startswith(fitting[:-1]))
    assert not fitting or canvas.text_width(fitting, 11) <= room


@pytest.mark.parametrize("number", [0, 7, 30])
@pytest.mark.parametrize("layout", [FieldLayout, StoryLayout])
def test_epoch_and_loss_on_screen_are_those_of_the_frame(
    layout: type[FieldLayout] | type[StoryLayout], number: int
) -> None:
    one = run_of("xor")
    film = layout(one, FilmSettings(), 0)
    frame, heading = film.frame(number), film.heading
    for box, words in ((heading.epoch, str(number)), (heading.loss, format_loss(float(one.losses[number, 0])))):
        mask, _ = text_mask(words, round(HEADING * film.canvas.unit, 2), "bold")
        ink = frame[box.pixels] != film.canvas._shades[0]
        assert ink.sum() == (film.canvas._shades[mask] != film.canvas._shades[0]).sum()


def test_only_the_field_and_the_numbers_change_in_a_field_film() -> None:
    film = FieldLayout(run_of("xor"), FilmSettings(layout="field"), 0)
    frames = np.array([film.frame(int(number)) for number in film.chosen])
    moves = (frames != frames[0]).any(0)
    for box in (*film.field.heatmap.boxes, film.heading.epoch, film.heading.loss):
        moves[box.pixels] = False
    assert not moves.any()


@pytest.mark.parametrize("runs", [1, 2, 7, 100])
@pytest.mark.parametrize("layout", ["sweep", "losses"])
def test_layouts_of_many_runs_show_any_number_of_runs(layout: str, runs: int) -> None:
    film = make_layout(sweep_of(runs), FilmSettings(layout=layout, frames=3))
    frames = [film.frame(int(number)) for number in film.chosen]
    assert (frames[0] != frames[-1]).any()


EDGES = [0.0, 1e-300, 9.994e-4, 1e-3, 0.1234567, 9.99999, 10.0, 9999.7, 16390.0, 99999.4, 1e5, 1e308, np.nan, np.inf]


@pytest.mark.parametrize("layout", [FieldLayout, StoryLayout])
@pytest.mark.parametrize("name", ["xor", "wide", "six bits"])
def test_every_loss_fits_on_screen_with_three_correct_digits(
    name: str, layout: type[FieldLayout] | type[StoryLayout]
) -> None:
    film = layout(run_of(name), FilmSettings(), 0)
    losses = [*EDGES, *np.geomspace(1e-99, 9.99e99, 400)]
    for loss, words in zip(losses, map(format_loss, losses), strict=True):
        assert film.canvas.text_width(words, HEADING, "bold") <= film.heading.loss.width
        digits = 0.05 if 1e-3 <= loss < 1e-2 else 0.0051
        assert float(words) == pytest.approx(loss, rel=digits) if np.isfinite(loss) else words == "not finite"
    written = [format_loss(value) for value in (0.69314718, 0.00021, 12.5, 16390.4, 9999.7)]
    assert written == ["0.6931", "2.10e-04", "12.5", "16390", "10000"]


@pytest.mark.parametrize("layout", DRAWN_LAYOUTS)
def test_agg_by_itself_draws_what_matplotlibs_renderer_draws(layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(make_renderer(8, 8), Agg)  # else films start slowly with this version of matplotlib
    own = make_layout(run_of("deep"), FilmSettings(layout=layout, frames=3))
    monkeypatch.setattr("xortrain.films.canvas.make_renderer", public_renderer)
    public = make_layout(run_of("deep"), FilmSettings(layout=layout, frames=3))
    for number in (0, 30):
        np.testing.assert_array_equal(own.frame(number), public.frame(number))
