"""The text in a film: it overlaps no other text, no mark and no curve, for any network and at any allowed size."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate, combinations
from typing import Any

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import ft2font
from some_films import (
    DRAWN_LAYOUTS,
    NETS,
    ONE_OF_TWO,
    XOR,
    blobs,
    cloud,
    film_data,
    net,
    record_text,
    run_of,
    sweep_of,
)

from xortrain.errors import Remark
from xortrain.films import glyphs
from xortrain.films.canvas import Box, Canvas
from xortrain.films.colour_scale import colour_scale
from xortrain.films.data import Event
from xortrain.films.diagram import Diagram
from xortrain.films.field import Field
from xortrain.films.film import make_layout
from xortrain.films.film_settings import LAYOUTS, FilmSettings
from xortrain.films.glyphs import font_file, text_mask
from xortrain.films.loss_curve import LossCurve, LossScale
from xortrain.films.outputs import Spread
from xortrain.films.story_layout import StoryLayout
from xortrain.nets import Array
from xortrain.nets.network import Network

SLACK = 2
"""Pixels by which the boxes of two texts may overlap: their letters do not."""


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Box]]:
    return record_text(monkeypatch)


def overlap(one: Box, other: Box, slack: float = SLACK) -> bool:
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return across > slack and down > slack


def scaled_size(layout: str, factors: tuple[float, float]) -> tuple[int, int]:
    """The smallest size of a layout, times two factors."""
    width, height = LAYOUTS[layout].smallest
    return round(width * factors[0]), round(height * factors[1])


def is_inside(one: Box, other: Box) -> bool:
    across = other.x <= one.x and one.x + one.width <= other.x + other.width
    return across and other.y <= one.y and one.y + one.height <= other.y + other.height


SIZES = {
    **{layout: [scaled_size(layout, factors) for factors in ((1, 1), (1.35, 1.4), (2.5, 1.2), (1, 2.7))]
       for layout in ("field", "weights")},
    "story": [LAYOUTS["story"].smallest, (960, 540), (640, 360), (1280, 720), (285, 507)],
}  # fmt: skip
"""Sizes of each layout: the smallest one, where room is scarce, and others."""
FOR_ALL = {"field": 1, "weights": 1, "story": 2}
"""How many of these every network has; each other size has every third or fourth of them."""


def sizes_of(layout: str, number: int) -> list[tuple[int, int]]:
    """The sizes at which network number k is drawn."""
    sizes, most = SIZES[layout], FOR_ALL[layout]
    return [*sizes[:most], sizes[most + number % (len(sizes) - most)]]


@pytest.mark.parametrize(
    ("name", "layout", "size"),
    [(name, layout, size) for k, name in enumerate(NETS) for layout in SIZES for size in sizes_of(layout, k)],
)
def test_no_text_overlaps_another_or_is_cut_within_a_word(
    name: str, layout: str, size: tuple[int, int], written: list[tuple[str, Box]]
) -> None:
    film = make_layout(run_of(name), FilmSettings(layout=layout, size=size))
    still = len(written)
    for number in (0, 13, 30):
        del written[still:]
        film.frame(number)
        assert not [(a, b) for (a, one), (b, other) in combinations(written, 2) if overlap(one, other)]
        assert not [word for word, _ in written if word.endswith("…") and not word.endswith(" …")]


@pytest.mark.parametrize("hidden", [(), (2,), (4, 4), (8, 8, 8, 8)])
@pytest.mark.parametrize("longest", ["age", "width (cm)", "weight (kg)", "temperature", "temperature (°C)"])
@pytest.mark.parametrize("size", [(640, 360), (960, 540), (285, 507)])
def test_names_of_inputs_leave_room_for_the_lines_of_the_network(
    hidden: tuple[int, ...], longest: str, size: tuple[int, int]
) -> None:
    one = replace(film_data(net(2, *hidden, 3, last="softmax"), *blobs(3)), input_names=["age", longest])
    film = StoryLayout(one, FilmSettings(size=size), 0)
    (network,) = (panel for panel in film.panels if isinstance(panel, Diagram))
    columns = [float(column[0, 0]) for column in network.columns]
    gaps = np.diff(columns) - network.side * np.array([0.5, *[1] * len(hidden)])
    assert gaps.min() >= 0.45 * network.side or network.side == 8  # the smallest
    assert columns[0] - network._name_width() >= network.box.x


def test_the_axis_of_real_outputs_has_a_name_that_fits_or_none(written: list[tuple[str, Box]]) -> None:
    for name, is_written in (("y", True), ("purity of the product", False)):
        written.clear()
        one = film_data(net(2, 3, 2, hidden="tanh", last="identity"), cloud(4)[:, :2], cloud(4)[:, 2:], 0.1)
        StoryLayout(replace(one, output_names=[name, "other"]), FilmSettings(size=(640, 360)), 0)
        assert (f"{name}, over target" if is_written else "over target") in [word for word, _ in written]


@pytest.mark.parametrize("size", [(640, 360), (960, 540)])
@pytest.mark.parametrize("classes", [3, 7])
def test_names_of_classes_are_clear_of_the_outputs_beside_them(classes: int, size: tuple[int, int]) -> None:
    names = [letter * (4 + number % 3) for number, letter in enumerate("abcdefg"[:classes])]
    one = replace(film_data(net(2, 4, classes, last="softmax"), *blobs(classes)), output_names=names)
    film = StoryLayout(one, FilmSettings(size=size), 0)
    (outputs,) = (panel for panel in film.panels if isinstance(panel, Spread))
    s, widest = film.canvas.unit, max(film.canvas.text_width(name, 9) for name in outputs.names)
    assert outputs.names == names
    assert outputs.outer.x + 12 * s + widest <= outputs.box.x - 3 * s


@pytest.mark.parametrize("layout", ["story", "field"])
@pytest.mark.parametrize("names", ["treatment group {}", "Kind-of-Iris-{}0"])
@pytest.mark.parametrize("classes", [2, 3, 9])
def test_names_of_classes_that_differ_at_their_ends_differ_on_screen(
    classes: int, names: str, layout: str, written: list[tuple[str, Box]]
) -> None:
    own = [names.format(letter) for letter in "ABCDEFGHI"[:classes]]
    one = film_data(net(2, 4, classes, last="softmax"), *blobs(classes))
    if classes == 2:
        one = replace(run_of("xor"), class_names=own)
    film = make_layout(replace(one, output_names=own[: one.network.outputs]), FilmSettings(layout, size=(640, 360)))
    film.frame(0)
    found = [word for word, _ in written if "…" in word or word in own]
    assert {word.rstrip("0")[-1] for word in found} == set("ABCDEFGHI"[:classes])


@pytest.mark.parametrize("outputs", [3, 1])
def test_outputs_with_long_names_have_symbols_in_the_network(outputs: int, written: list[tuple[str, Box]]) -> None:
    """Beside inputs with names the columns are near each other: a name would cover a unit of the layer before."""
    one = film_data(net(2, 3, 3, last="softmax"), *blobs(3)) if outputs == 3 else run_of("xor")
    long = [f"Iris-versicolor-{k}" for k in range(outputs)]
    inputs = ["sepal width", "petal width"]
    film = StoryLayout(replace(one, input_names=inputs, output_names=long), FilmSettings(), 0)
    (network,) = (panel for panel in film.panels if isinstance(panel, Diagram))
    written.clear()
    film.frame(0)
    above = [(word, box) for word, box in written if word[0] in "yI" and is_inside(box, network.box)]
    assert [word for word, _ in above] == (["y1", "y2", "y3"] if outputs == 3 else ["y"])
    tiles = [network._tile(x, y) for x, y in network.columns[1]]
    assert not [word for word, box in above if any(overlap(box, tile) for tile in tiles)]


@pytest.mark.parametrize("name", ["xor", "deep", "no bias", "skip", "targets ±1", "two classes", "three bits"])
def test_no_name_of_a_unit_overlaps_an_example(name: str, written: list[tuple[str, Box]]) -> None:
    film = StoryLayout(run_of(name), FilmSettings(), 0)
    (field,) = (panel for panel in film.panels if isinstance(panel, Field))
    places, side = np.concatenate(field.places), round(7 * film.canvas.unit)
    for number in range(0, 31, 6):
        written.clear()
        film.frame(number)
        for box in [box for word, box in written if word.startswith("h") and is_inside(box, field.box)]:
            assert not any(overlap(box, Box(round(x) - side, round(y) - side, 2 * side, 2 * side)) for x, y in places)


@pytest.mark.parametrize("name", NETS)
def test_the_value_of_every_parameter_follows_its_name(name: str, written: list[tuple[str, Box]]) -> None:
    one = run_of(name)
    film = make_layout(one, FilmSettings(layout="weights"))
    film.frame(17)
    values = {
        f"{kind}[{', '.join(map(str, index))}]": one.parameters[17, start + np.ravel_multi_index(index, shape), 0]
        for (kind, shape), start in zip(one.network.shapes.items(), starts(one.network), strict=True)
        for index in np.ndindex(*shape)
    }
    shown = {}
    for name, place in [(word, box) for word, box in written if word in values]:
        beside = [(box.x, word) for word, box in written if box.x > place.x and abs(middle(box) - middle(place)) < 6]
        shown[name] = min(beside)[1]
    assert len(shown) == min(16, one.network.size)
    for parameter, number in shown.items():
        value = values[parameter]
        if np.isfinite(value):
            assert abs(float(number) - value) <= (0.0051 if abs(value) < 1000 else abs(value) / 3)
        else:
            assert number == "not finite"


def middle(box: Box) -> float:
    return box.y + box.height / 2


def starts(network: Network) -> list[int]:
    """The index in θ of the first number of each parameter."""
    return list(accumulate((math.prod(shape) for shape in network.shapes.values()), initial=0))[:-1]


@given(low=st.floats(-9, 3), decades=st.floats(0.0, 12))
def test_a_loss_scale_labels_three_to_seven_distinct_losses_within_its_range(low: float, decades: float) -> None:
    scale = LossScale(np.array([10**low, 10 ** (low + decades)]))
    fractions = np.array([fraction for fraction, _ in scale.ticks()])
    labels = [word for _, word in scale.ticks() if word]
    assert 3 <= len(labels) <= 7
    assert ((fractions > -1e-6) & (fractions < 1 + 1e-6)).all()
    assert len(set(labels)) == len(labels)


@given(starts=st.lists(st.floats(-150, 150), min_size=1, max_size=20), down=st.floats(0, 11), up=st.floats(0, 3.9))
def test_a_loss_scale_shows_where_each_run_starts_and_no_loss_as_another(
    starts: list[float], down: float, up: float
) -> None:
    """Also of runs that start many powers of ten apart; and where losses are equal in the plot, they are equal."""
    powers = np.array([starts, np.array(starts) - down, np.array(starts) + up])
    scale = LossScale(10**powers)
    fractions = scale.fraction(10**powers)
    assert ((fractions > 0) & (fractions < 1)).all()
    if scale.log:
        height = (powers.max() - powers) / max(np.ptp(powers), 0.1)
        np.testing.assert_allclose(fractions, 0.04 + 0.92 * height, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "layout", "words"),
    [
        ("diverged", "field", "diverged at epoch"),
        ("diverged", "story", "diverged at epoch"),
        ("diverged", "weights", "diverged at epoch"),
        ("exploded", "field", "exploded: outputs reach"),
        ("exploded", "story", "exploded: outputs reach"),
        ("exploded", "weights", "exploded at epoch"),
        ("exploded", "weights", "far outside after epoch"),
    ],
)
def test_words_replace_what_a_frame_cannot_show(
    name: str, layout: str, words: str, written: list[tuple[str, Box]]
) -> None:
    film = make_layout(run_of(name), FilmSettings(layout=layout))
    film.frame(0)
    assert not any(word.startswith(words) for word, _ in written)
    frame = film.frame(30)
    assert any(word.startswith(words) for word, _ in written)
    if layout != "weights":
        assert (frame == film.canvas.palette.no_value).sum() > 5000


def near_targets(distance: float) -> Callable[[Array, Array], Array]:
    """The success rule that every output is nearer than that to its target of 0 or 1."""
    return lambda y, t: np.asarray((np.abs(y - t.reshape(*t.shape, *[1] * (y.ndim - t.ndim))) < distance).all(1))


@pytest.mark.parametrize(
    ("name", "distance", "words"),
    [
        ("xor", 0.5, "wrong"),
        ("xor", 0.4, "not near enough"),
        ("two classes", 0.5, "wrong"),  # of probabilities that sum to 1 the leading one is above a half
        ("three classes", 0.5, "not past the midpoint"),
        ("three classes", 0.2, "not near enough"),
        ("encoder", 0.5, "not past the midpoint"),
    ],
)
def test_the_legend_explains_a_cross_on_its_own_colour(
    name: str, distance: float, words: str, written: list[tuple[str, Box]]
) -> None:
    one = replace(run_of(name), right=near_targets(distance))
    make_layout(one, FilmSettings(layout="field"))
    assert colour_scale(one, FilmSettings().levels).crossed == words
    assert f"cross: {words} now" in " ".join(word for word, _ in written)
    make_layout(one, FilmSettings()).frame(0)
    assert (f"A cross means: {words}." in " ".join(word for word, _ in written)) == (words != "wrong")


CURVES = {
    "falls": np.geomspace(3, 0.01, 31),
    "rises": np.geomspace(0.01, 3, 31),
    "stays": np.full(31, 0.7),
    "oscillates above": np.r_[0.01, np.tile([1.0, 2.0], 15)],
    "oscillates below": np.r_[100, np.tile([1.0, 2.0], 15)],
    "falls at the end": np.r_[np.full(27, 2.0), 1.5, 0.5, 0.1, 0.03],
}


EVENTS = (
    Event(3, "plateau", "A plateau until epoch 12.", 4, until=12),
    Event(13, "(0, 1) right", "(0, 1) is right from epoch 13 on.", 3),
    Event(14, "(1, 0) right", "(1, 0) is right from epoch 14 on.", 3),
    Event(19, "h2 dead", "h2 is dead from epoch 19 on.", 2),
    Event(20, "(0, 0), (1, 1) right: solved", "Solved: every example is right from epoch 20 on.", 0),
)


@pytest.mark.parametrize("size", [(480, 270), (640, 360), (960, 540), (380, 660)])
@pytest.mark.parametrize("curve", CURVES)
def test_no_label_of_an_event_overlaps_the_loss_curve_or_another_label(
    curve: str, size: tuple[int, int], written: list[tuple[str, Box]]
) -> None:
    one = replace(run_of("xor"), losses=CURVES[curve][:, None], events=EVENTS)
    film = StoryLayout(one, FilmSettings(size=size), 0)
    (panel,) = [panel for panel in film.panels if isinstance(panel, LossCurve)]
    written.clear()
    film.frame(30)
    labels = {word: box for word, box in written if word in {event.label for event in EVENTS}}
    assert EVENTS[-1].label in labels  # the outcome has one, whatever else there is
    fine = np.linspace(0, len(panel.points) - 1, 3000)
    x, y = (np.interp(fine, np.arange(len(panel.points)), panel.points[:, axis]) for axis in (0, 1))
    for box in labels.values():
        assert not ((x > box.x) & (x < box.x + box.width) & (y > box.y + 1) & (y < box.y + box.height - 1)).any()
        assert not any(overlap(box, other, 1) for word, other in written if word not in labels)
    assert not any(overlap(a, b, 1) for a, b in combinations(labels.values(), 2))


@pytest.mark.parametrize("count", [1, 5, 40])
def test_events_thin_out_when_there_are_many_and_the_most_important_stay(
    count: int, written: list[tuple[str, Box]]
) -> None:
    events = [Event(round(1 + 28 * k / count), f"{k + 1} are right", "", 3) for k in range(count)]
    events.append(Event(29, "solved", "", 0))
    film = StoryLayout(replace(run_of("xor"), events=tuple(events)), FilmSettings(), 0)
    written.clear()
    film.frame(30)
    labels = [word for word, _ in written if word.endswith(" are right")]
    assert len(labels) == min(count, len(labels))
    assert len(labels) == count if count < 6 else 8 <= len(labels) < 30
    assert "solved" in [word for word, _ in written]
    written.clear()
    film.frame(0)
    assert not [word for word, _ in written if word.endswith(" are right") or word == "solved"]


@pytest.mark.parametrize("size", [(640, 360), (960, 540), (380, 660)])
def test_examples_are_named_in_both_pictures_and_coinciding_ones_are_joined(
    size: tuple[int, int], written: list[tuple[str, Box]]
) -> None:
    one = run_of("xor")
    theta = one.parameters.copy()
    theta[30, :6, 0] = 2, 2, -1.5, -1.5, -1, 2  # both units add x1 and x2
    film = StoryLayout(replace(one, parameters=theta), FilmSettings(size=size), 0)
    names = ["(0, 0)", "(0, 1)", "(1, 0)", "(1, 1)"]
    for number, found in ((0, names), (30, ["(0, 0)", "(0, 1) = (1, 0)", "(1, 1)"])):
        written.clear()
        film.frame(number)
        seen = [
            sorted(word for word, box in written if word.startswith("(") and is_inside(box, panel.box))
            for panel in film.panels[:2]
        ]
        assert seen == [names, found]


@pytest.mark.parametrize("size", [(480, 270), (640, 360), (960, 540), (380, 660)])
@pytest.mark.parametrize("inputs", [1, 2, 6, 9, 12, 16])
def test_up_to_sixteen_inputs_are_named_in_the_network(
    inputs: int, size: tuple[int, int], written: list[tuple[str, Box]]
) -> None:
    x = np.random.RandomState(0).randn(30, inputs)
    film = StoryLayout(
        film_data(net(inputs, 3, 1), x, (x[:, :1] > 0).astype(float), epochs=2), FilmSettings(size=size), 0
    )
    (panel,) = (panel for panel in film.panels if isinstance(panel, Diagram))
    around = Box(panel.box.x - 3, panel.box.y - 3, panel.box.width + 6, panel.box.height + 6)
    named = [word for word, box in written if is_inside(box, around) and word.startswith("x")]
    assert named == [f"x{number}" for number in range(1, inputs + 1)]


@pytest.mark.parametrize("size", [(480, 270), (640, 360), (960, 540), (1280, 720), (380, 660)])
@pytest.mark.parametrize(
    "name", ["xor", "deep", "no bias", "encoder", "six bits", "forty classes", "wide", "one input"]
)
def test_thumbnails_have_at_least_eighteen_pixels_or_are_left_out(name: str, size: tuple[int, int]) -> None:
    film = StoryLayout(run_of(name), FilmSettings(size=size), 0)
    (panel,) = (panel for panel in film.panels if isinstance(panel, Diagram))
    assert panel.side >= 18 or not panel.has_thumbnails
    before = film.canvas.finish()
    panel.paste(film.run_frames.at(13))
    tiles = [panel._tile(x, y) for column in panel.columns[1:] for x, y in column]
    changed = film.canvas.finish() != before
    assert changed.any() == panel.has_thumbnails
    for tile in tiles:
        changed[tile.pixels] = False
    assert not changed.any()
    assert not any(overlap(one, other, 0) for one, other in combinations(tiles, 2))


def test_counts_of_units_left_out_of_a_deep_and_wide_network_stand_side_by_side(
    written: list[tuple[str, Box]],
) -> None:
    one = film_data(net(2, 50, 40, 30, 20, 10, 8, 6, 1, hidden="tanh"), XOR, ONE_OF_TWO, 0.0, epochs=2)
    film = StoryLayout(replace(one, title="XOR   2-50-40-30-20-10-8-6-1 tanh and more   lr 0.125"), FilmSettings(), 0)
    film.frame(2)
    (panel,) = (panel for panel in film.panels if isinstance(panel, Diagram))
    widths = [layer.units for layer in panel.network.layers]
    more = [width - len(units) for width, units in zip(widths, panel.units[1:], strict=True)]
    left_out = [box for word, box in written if word.startswith("+")]
    assert len(left_out) >= 3
    assert {word for word, _ in written if word.startswith("+")} <= {f"+{count}" for count in more if count}
    assert not any(overlap(a, b, 0) for a, b in combinations(left_out, 2))
    assert any(word.startswith("XOR") and word.endswith("lr 0.125") for word, _ in written)


@pytest.mark.parametrize("face", ["", "bold", "italic"])
@pytest.mark.parametrize("words", ["target 0 cross: wrong now", "xor class all right since", "illicit lull"])
@pytest.mark.parametrize("size", [6.75, 8.25, 9.0, 10.0, 13.0])
def test_small_letters_are_spaced_like_large_ones(size: float, words: str, face: str) -> None:
    width, large = (text_mask(words, size * factor, face)[0].shape[1] / factor for factor in (1, 16))
    assert abs(width - large) < 2


def test_letters_that_the_font_lacks_are_of_another_font_of_the_machine_or_a_line_says_that_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = f"{matplotlib.get_data_path()}/fonts/ttf"
    lacking, other = "\u2312\u2313 ab", ft2font.FT2Font(f"{folder}/STIXGeneral.ttf")
    fonts = [f"{folder}/{name}.ttf" for name in ("cmr10", "LastResortHE-Regular", "STIXGeneral", "no such font")]
    monkeypatch.setattr(glyphs, "findSystemFonts", lambda: fonts)
    other.set_size(14, 72)
    other.set_text(lacking, flags=glyphs.LIGHT)
    other.draw_glyphs_to_bitmap(antialiased=True)
    np.testing.assert_array_equal(text_mask(lacking, 14, "")[0], np.array(other.get_image()))
    monkeypatch.setattr(glyphs, "findSystemFonts", list[str])
    for words in ("\u2315 1", "\u2315 2"):
        with pytest.warns(Remark, match="some names have letters of which no font is found; they are drawn as \ufffd"):
            mask, _ = text_mask(words, 14, "")
        np.testing.assert_array_equal(mask, text_mask(f"\ufffd{words[1:]}", 14, "")[0])
    assert glyphs._font_and_text("plain letters", "")[0].fname == font_file("")  # which asks for no other


@pytest.mark.parametrize("size", [None, (1280, 720)])
@pytest.mark.parametrize("runs", [1, 3])
@pytest.mark.parametrize("layout", DRAWN_LAYOUTS)
def test_no_text_is_moved_because_it_would_leave_the_canvas(
    layout: str, runs: int, size: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved, draw = dict[str, float](), Canvas.text

    def text(canvas: Canvas, x: float, y: float, words: str, *looks: Any, **more: Any) -> Box:
        box = draw(canvas, x, y, words, *looks, **more)
        align = [*looks, *[more.get("align", "left")] * 4][3]
        if not more.get("vertical"):
            moved[words] = box.x - x + {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * box.width
        return box

    monkeypatch.setattr(Canvas, "text", text)
    film = make_layout(run_of("xor") if runs == 1 else sweep_of(runs), FilmSettings(layout=layout, size=size))
    film.frame(int(film.chosen[-1]))
    assert {words: by for words, by in moved.items() if abs(by) > 1} == {}
