"""Words of a film: none covers another, a mark or the sheet's edge, for any net and at any size offered."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate, combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_films import NETS, ONE_OF_TWO, XOR, net, run_of, subject

from xortrain.films.canvas import Canvas
from xortrain.films.colour_scale import colour_scale
from xortrain.films.film_settings import LAYOUTS, FilmSettings
from xortrain.films.film_settings import LAYOUTS as LEAST
from xortrain.films.glyphs import Box, lettering
from xortrain.films.loss_curve import LossCurve, Scale
from xortrain.films.panels import PanelsLayout
from xortrain.nets import Array
from xortrain.nets.network import Network

SETTLED = 2
"""Pixels by which the boxes of two words may meet: their letters do not."""


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Box]]:
    """All words set on any sheet from now on, and where."""
    words: list[tuple[str, Box]] = []
    plain = Canvas.text

    def text(canvas: Canvas, x: float, y: float, told: str, *look: object, **more: object) -> Box:
        box = plain(canvas, x, y, told, *look, **more)  # type: ignore[arg-type]
        if told:
            words.append((told, box))
        return box

    monkeypatch.setattr(Canvas, "text", text)
    return words


def meet(one: Box, other: Box, by: float = SETTLED) -> bool:
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return across > by and down > by


@pytest.mark.parametrize("grown", [(1, 1), (1.35, 1.4), (2.5, 1.2), (1, 2.7)])
@pytest.mark.parametrize("layout", ["field", "panels", "weights"])
@pytest.mark.parametrize("name", NETS)
def test_no_word_covers_another(
    name: str, layout: str, grown: tuple[float, float], said: list[tuple[str, Box]]
) -> None:
    width, height = (round(side * factor) for side, factor in zip(LEAST[layout], grown, strict=True))
    film = LAYOUTS[layout](run_of(name), FilmSettings(layout=layout, size=(width, height)), 0)
    standing = len(said)
    for number in (0, 30):
        del said[standing:]
        film.frame(number)
        covering = [(a, b) for (a, one), (b, other) in combinations(said, 2) if meet(one, other)]
        assert not covering


@pytest.mark.parametrize("name", ["xor", "deep", "no bias", "skip", "targets ±1", "two classes", "three bits"])
def test_no_name_of_a_unit_lies_on_an_example(name: str, said: list[tuple[str, Box]]) -> None:
    film = PanelsLayout(run_of(name), FilmSettings(), 0)
    places = np.concatenate(film.field.places)
    for number in range(0, 31, 6):
        said.clear()
        film.frame(number)
        for box in [box for word, box in said if word.startswith("h") and box.x < film.left - 60]:
            assert not any(meet(box, Box(round(x) - 7, round(y) - 7, 14, 14)) for x, y in places)


@pytest.mark.parametrize("name", NETS)
def test_every_value_of_a_parameter_is_told_beside_its_name(name: str, said: list[tuple[str, Box]]) -> None:
    one = run_of(name)
    film = LAYOUTS["weights"](one, FilmSettings(layout="weights"), 0)
    said.clear()
    film.frame(17)
    shapes, begins = one.network.shapes.items(), starts(one.network)
    values = {
        f"{kind} {','.join(str(i + 1) for i in at)}": one.parameters[17, begin + np.ravel_multi_index(at, shape), 0]
        for (kind, shape), begin in zip(shapes, begins, strict=True)
        for at in np.ndindex(*shape)
    }
    words = [word for word, _ in said]
    told = {word: words[k + 1] for k, word in enumerate(words) if word in values}
    assert len(told) == min(16, one.network.size)
    for parameter, number in told.items():
        value = values[parameter]
        if np.isfinite(value):
            assert abs(float(number) - value) <= (0.0051 if abs(value) < 1000 else abs(value) / 3)
        else:
            assert number == "not finite"


def starts(network: Network) -> list[int]:
    """Where the numbers of each parameter begin in θ."""
    return list(accumulate((math.prod(shape) for shape in network.shapes.values()), initial=0))[:-1]


@given(low=st.floats(-9, 3), decades=st.floats(0.0, 12))
def test_a_scale_of_losses_names_three_to_seven_values_that_lie_on_it(low: float, decades: float) -> None:
    scale = Scale(np.array([10**low, 10 ** (low + decades)]))
    marks = scale._marks()
    shares = scale.share(np.array([value for value, _ in marks]))
    assert 3 <= sum(bool(word) for _, word in marks) <= 7
    assert ((shares > -1e-6) & (shares < 1 + 1e-6)).all()
    assert len({word for _, word in marks if word}) == sum(bool(word) for _, word in marks)


@pytest.mark.parametrize(
    ("name", "layout", "words"),
    [
        ("diverged", "field", "diverged at epoch"),
        ("diverged", "panels", "diverged at epoch"),
        ("diverged", "weights", "diverged at epoch"),
        ("exploded", "field", "exploded: outputs reach"),
        ("exploded", "panels", "exploded: outputs reach"),
        ("exploded", "weights", "far outside after epoch"),
    ],
)
def test_what_a_picture_no_longer_shows_is_said(
    name: str, layout: str, words: str, said: list[tuple[str, Box]]
) -> None:
    film = LAYOUTS[layout](run_of(name), FilmSettings(layout=layout), 0)
    film.frame(0)
    assert not any(word.startswith(words) for word, _ in said)
    frame = film.frame(30)
    assert any(word.startswith(words) for word, _ in said)
    if layout != "weights":
        assert (frame == film.canvas.palette.nothing).sum() > 5000


def nearly(share: float) -> Callable[[Array, Array], Array]:
    """The rule by which every output must be so near its target of 0 or 1."""
    return lambda y, t: np.asarray((np.abs(y - t.reshape(*t.shape, *[1] * (y.ndim - t.ndim))) < share).all(1))


@pytest.mark.parametrize("layout", ["field", "panels"])
@pytest.mark.parametrize(
    ("name", "within", "words"),
    [
        ("xor", 0.5, "wrong"),
        ("xor", 0.4, "not near enough"),
        ("two classes", 0.5, "wrong"),  # of shares that add up to 1 the leading one is over the half
        ("three classes", 0.5, "not past the midpoint"),
        ("three classes", 0.2, "not near enough"),
        ("encoder", 0.5, "not past the midpoint"),
    ],
)
def test_a_mark_may_be_hollow_on_its_own_colour_only_where_the_picture_says_why(
    name: str, within: float, words: str, layout: str, said: list[tuple[str, Box]]
) -> None:
    one = replace(run_of(name), right=nearly(within))
    LAYOUTS[layout](one, FilmSettings(layout=layout), 0)
    told = " ".join(word for word, _ in said)
    assert colour_scale(one, FilmSettings()).hollow == words
    assert words == "wrong" or f"hollow: {words}" in told.replace(" now", "")


CURVES = {
    "falls": np.geomspace(3, 0.01, 31),
    "rises": np.geomspace(0.01, 3, 31),
    "stays": np.full(31, 0.7),
    "swings above": np.r_[0.01, np.tile([1.0, 2.0], 15)],
    "swings below": np.r_[100, np.tile([1.0, 2.0], 15)],
    "falls at the end": np.r_[np.full(27, 2.0), 1.5, 0.5, 0.1, 0.03],
}


@pytest.mark.parametrize("solved", [-1, 20])
@pytest.mark.parametrize("grown", [(1, 1), (1.35, 1.4), (1, 2.7)])
@pytest.mark.parametrize("name", ["xor", "deep"])
@pytest.mark.parametrize("course", CURVES)
def test_what_became_of_a_run_does_not_lie_on_its_curve(
    course: str, name: str, grown: tuple[float, float], solved: int, said: list[tuple[str, Box]]
) -> None:
    one = replace(run_of(name), losses=CURVES[course][:, None], outcome=["saturated"], solved_at=np.array([solved]))
    size = (round(LEAST["panels"][0] * grown[0]), round(LEAST["panels"][1] * grown[1]))
    film = PanelsLayout(one, FilmSettings(size=size), 0)
    said.clear()
    film.frame(30)
    (box,) = [box for word, box in said if word == "saturated" or word.startswith("all right since")]
    curve = next(part for part in film.parts if isinstance(part, LossCurve)).points
    fine = np.linspace(0, len(curve) - 1, 3000)
    x, y = (np.interp(fine, np.arange(len(curve)), curve[:, axis]) for axis in (0, 1))
    inside = (x > box.x) & (x < box.x + box.width) & (y > box.y + 1) & (y < box.y + box.height - 1)
    assert not inside.any()


def test_the_units_that_a_deep_and_wide_net_leaves_out_are_counted_side_by_side(said: list[tuple[str, Box]]) -> None:
    one = subject(net(2, 50, 40, 30, 20, 10, 8, 6, 1, hidden="tanh"), XOR, ONE_OF_TWO, 0.0, epochs=2)
    film = PanelsLayout(replace(one, title="XOR   2-50-40-30-20-10-8-6-1 tanh and more   lr 0.125"), FilmSettings(), 0)
    film.frame(2)
    left_out = [box for word, box in said if word.startswith("+")]
    assert len(left_out) == 5
    assert not any(meet(a, b, 0) for a, b in combinations(left_out, 2))
    assert any(word.startswith("XOR") and word.endswith("lr 0.125") for word, _ in said)


@pytest.mark.parametrize("face", ["", "bold", "italic"])
@pytest.mark.parametrize("words", ["target 0 hollow: wrong now", "xor class all right since", "illicit lull"])
@pytest.mark.parametrize("size", [6.75, 8.25, 9.0, 10.0, 13.0])
def test_small_letters_stand_as_far_apart_as_large_ones(size: float, words: str, face: str) -> None:
    wide, large = (lettering(words, size * factor, face)[0].shape[1] / factor for factor in (1, 16))
    assert abs(wide - large) < 2
