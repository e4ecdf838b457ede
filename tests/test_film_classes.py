"""Many classes: each has its own look in the field, as a mark and in the legend, also for colour-blind readers."""

from itertools import combinations

import numpy as np
import pytest
from some_films import record_text, run_of
from test_film_colours import DEFICIENCIES, lab, linear

from xortrain.films.colour_scale import ColourScale
from xortrain.films.colours import CLASS_COLOURS, MOST_HUES, get_colours, get_palette
from xortrain.films.field import Field
from xortrain.films.film import make_layout
from xortrain.films.film_settings import FilmSettings
from xortrain.films.glyphs import SHAPES, mark_shape
from xortrain.films.story_layout import StoryLayout
from xortrain.nets import Array

EYES = (np.eye(3), *map(np.array, DEFICIENCIES.values()))


@pytest.mark.parametrize("dark", [False, True])
def test_twenty_classes_differ_in_shape_or_in_a_colour_that_everyone_sees(dark: bool) -> None:
    used = get_colours("default", 24, dark, MOST_HUES)
    for one, other in combinations(range(MOST_HUES), 2):
        if mark_shape(one) is mark_shape(other):
            for seen in EYES:
                pair = lab(linear(used.of_classes(np.array([one, other]))) @ seen.T)
                assert np.linalg.norm(pair[0] - pair[1]) > 20


def test_no_two_of_a_hundred_classes_have_the_same_shape_and_colour() -> None:
    looks = {(id(mark_shape(kind)), kind % MOST_HUES) for kind in range(100)}
    assert len(looks) == 100
    assert len(CLASS_COLOURS) == MOST_HUES == 2 * len(SHAPES)


@pytest.mark.parametrize("classes", [3, 8, 14, 20])
@pytest.mark.parametrize("name", ["viridis", "RdYlBu", "hsv", "tab20", "grey"])
def test_all_classes_take_their_colours_from_the_map(name: str, classes: int) -> None:
    import matplotlib

    used = get_colours(name, 24, False, classes).classes[:classes]
    assert len(np.unique(used, axis=0)) == classes
    if name == "grey":
        assert (np.ptp(used.astype(int), axis=1) < 10).all()
    else:
        whole = matplotlib.colormaps[name](np.linspace(0, 1, 256), bytes=True)[:, :3].astype(int)
        assert (np.abs(used[:, None].astype(int) - whole).sum(2).min(1) <= 6).all()


@pytest.mark.parametrize("name", ["Accent", "Set2", "rose"])
def test_a_map_with_too_few_colours_is_extended_by_distinct_ones(name: str) -> None:
    used = get_colours(name, 24, False, 14).classes[:14].astype(float)
    away = np.linalg.norm(used[:, None] - used, axis=2) + 1e3 * np.eye(14)
    assert away[8:].min() > 20


@pytest.mark.parametrize(("layout", "name"), [("field", "fourteen classes"), ("story", "three classes")])
@pytest.mark.parametrize("share", [(1, 1), (1.3, 1.3)])
def test_every_class_is_named_beside_the_field(
    layout: str, name: str, share: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    written, one = record_text(monkeypatch), run_of(name)
    size = (round(480 * share[0]), round(300 * share[1]))
    film = make_layout(one, FilmSettings(layout=layout, size=size))
    frame, canvas, classes = film.frame(0), film.canvas, one.network.outputs
    marks = canvas.palette.nearest(canvas.colours.of_classes(np.arange(classes)))
    assert len(set(marks.tolist())) == classes
    for name, mark in zip(one.outputs, marks, strict=True):
        assert any(
            (frame[box.y : box.y + box.height, box.x - 22 : box.x] == mark).sum() >= 3
            for word, box in written if word == name
        )  # fmt: skip


@pytest.mark.parametrize("size", [(640, 360), (960, 540), (600, 1040)])
@pytest.mark.parametrize("name", ["three classes", "fourteen classes"])
def test_a_story_names_every_class_once_beside_its_outputs_or_at_its_examples(
    name: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    written, data = record_text(monkeypatch), run_of(name)
    film = StoryLayout(data, FilmSettings(size=size), 0)
    film.frame(int(film.chosen[-1]))
    inside = film.network
    names = [
        word for word, box in written if word in data.outputs and not (box.x >= inside.x and box.y >= inside.y - 20)
    ]
    assert sorted(names) == sorted(data.outputs)
    assert isinstance(film.panels[0], Field)
    kinds, places = data.t.argmax(axis=1), film.panels[0].places[0]
    for word, box in written:
        if word in data.outputs and film.first.contains(box):
            middle = np.array([box.x + box.width / 2, box.y + box.height / 2])
            away = [np.hypot(*(np.median(places[kinds == k], axis=0) - middle)) for k in range(len(data.outputs))]
            assert data.outputs[int(np.argmin(away))] == word


def bands_of(y: Array, classes: int) -> Array:
    return ColourScale(0, 1, 24, classes, True, False).bands(y)


@pytest.mark.parametrize("classes", [3, 14, 20, 21, 64, 200])
def test_a_field_shows_the_colour_of_the_leading_class(classes: int) -> None:
    used = get_palette("default", 24, False, classes)
    for kind in {0, 1, classes // 2, classes - 1}:
        y = np.zeros((classes, 1))
        y[kind] = 1
        shown = used.rgb[bands_of(y, classes)][0]
        np.testing.assert_array_equal(shown, used.colours.shades(kind % MOST_HUES, 5)[-1])
    assert bands_of(np.full((classes, 1), np.nan), classes) == used.no_value
