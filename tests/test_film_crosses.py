"""What is wrong, how far from right, and what is not decided is seen at a glance: the pixels of films made for it."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from some_films import record_text
from test_film_colours import DEFICIENCIES, linear

from xortrain.films.canvas import Box
from xortrain.films.colours import COLOUR_MAPS, get_colours
from xortrain.films.data import FilmData, HeldOut, Outcomes
from xortrain.films.field import FieldLayout
from xortrain.films.film import write_film
from xortrain.films.film_settings import FilmSettings
from xortrain.films.loss_curve import LossCurve
from xortrain.films.story_layout import StoryLayout
from xortrain.nets import Array
from xortrain.nets.network import Layer, Network

LIGHT = np.array([0.2126, 0.7152, 0.0722])
EYES = {"normal": np.eye(3), "grey": np.tile(LIGHT, (3, 1)), **{name: np.array(m) for name, m in DEFICIENCIES.items()}}
LEVELS = 24


def contrast(one: Array, other: Array, eye: str) -> Array:
    """The contrast ratio of WCAG between colours (…, 3), as they look to an eye."""
    light = [np.clip(linear(rgb.astype(float)) @ EYES[eye].T, 0, 1) @ LIGHT + 0.05 for rgb in (one, other)]
    return np.asarray(np.maximum(*light) / np.minimum(*light))


def shown(theta: Array, x: Array, t: Array, network: Network) -> FilmData:
    """A film of parameters (snapshots, parameters), whatever trained them."""
    epochs, low, high = np.arange(len(theta)), float(t.min()), float(t.max())
    never = np.full(1, -1)
    return FilmData(
        network=network, x=x, t=t, losses=np.linspace(1, 0.5, len(theta))[:, None], loss_epochs=epochs,
        parameters=theta[..., None], frame_epochs=epochs, low=low, high=high, title="data",
        right=lambda y, wanted: ((y > (low + high) / 2) == (wanted > (low + high) / 2)).all(1),
        loss=lambda z, y, wanted, runs: ((y - wanted) ** 2).mean((0, 1)),
        outcomes=Outcomes(np.array(["plateau"], object), never, never, never, epochs[-1:], np.array([0.5])),
    )  # fmt: skip


def chequered(across: int, down: int) -> tuple[Array, Array]:
    """Examples on a grid, by turns of either class."""
    x = np.array([(column, row) for row in range(down) for column in range(across)], float)
    return x, (x.sum(1, keepdims=True) + 1) % 2


@cache
def levelled(across: int) -> FilmData:
    """A snapshot for each level of colour, which fills the whole plane: one half of the examples is wrong."""
    y = (np.arange(LEVELS) + 0.5) / LEVELS
    bias = np.log(y / (1 - y))
    theta = np.stack([0 * bias, 0 * bias, bias], axis=1)
    return shown(theta, *chequered(across, 3), Network(2, (Layer(1, "sigmoid"),)))


def decoded(one: FilmData, path: Path, settings: FilmSettings) -> Array:
    """The frames (frames, height, width, 3) of the file, one for each snapshot."""
    write_film(one, settings, path)
    frames = iio.imread(path, mode="RGB")
    assert len(frames) == len(one.frame_epochs)
    return np.asarray(frames)


@pytest.mark.parametrize(
    ("size", "across", "dark"),
    [
        (size, across, (row + column) % 2 == 1)  # every two of the three meet
        for row, size in enumerate([(240, 160), (432, 288), (648, 432)])
        for column, across in enumerate([4, 9])
    ],
)
def test_a_wrong_example_has_a_cross_that_every_eye_sees_on_every_level(
    size: tuple[int, int], across: int, dark: bool, tmp_path: Path
) -> None:
    """In a few examples large marks, in many small ones; compared with the same film in which all are right."""
    one = levelled(across)
    settings = FilmSettings(layout="field", frames=LEVELS, spacing="epochs", dark=dark, size=size, fps=5)
    layout = FieldLayout(one, settings, 0)
    all_right = replace(one, right=lambda y, t: np.ones(len(t), bool))
    found, plain = (decoded(some, tmp_path / "film.gif", settings) for some in (one, all_right))
    reach = 0.95 * layout.field.examples.radius * layout.canvas.unit
    half = round(reach)
    steps = np.arange(0.2 * reach, 0.95 * reach, 0.8)
    arms = np.array([(way, down) for way in (1, -1) for down in (1, -1)])
    along = (steps[:, None, None] * arms).reshape(-1, 2)
    window = np.stack(np.meshgrid(np.arange(-2, 3), np.arange(-2, 3)), axis=-1).reshape(-1, 2)  # a stroke, its edges
    for number in range(LEVELS):
        right = layout.run_frames.at(number).right
        assert right.sum() in (len(right) // 2, len(right) - len(right) // 2)
        places = layout.field.places[0]
        for x, y in places[right].round().astype(int):
            around = np.s_[number, y - half : y + half + 1, x - half : x + half + 1]
            np.testing.assert_array_equal(found[around], plain[around])
        columns, rows = np.moveaxis((places[~right][:, None] + along).round().astype(int)[..., None, :] + window, -1, 0)
        for eye in EYES:
            seen = contrast(found[number, rows, columns], plain[number, rows, columns], eye)
            assert seen.max(-1).min() >= 3


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("name", [*COLOUR_MAPS, "viridis", "RdYlBu", "cividis"])
def test_ink_or_paper_contrasts_with_every_level_and_class(name: str, eye: str, dark: bool) -> None:
    used = get_colours(name, LEVELS, dark, 20)
    grounds = np.concatenate([used.levels, used.classes])
    edges = [contrast(edge[None], grounds, eye) for edge in (used.ink, used.paper)]
    assert np.maximum(*edges).min() >= 3


LINE = Network(1, (Layer(1, "identity"),))
AT = np.linspace(-1, 1, 5)[:, None]
SLOPES = np.array([[0.8, 0.0], [0.0, 0.0], [0.0, 9.0], [0.0, -9.0]])
"""A line through all targets; a level one; one far above the scale; one far below."""


def film_of_lines(dark: bool = False, within: float | None = None) -> tuple[StoryLayout, Array]:
    """A film of those lines and its frames (frames, height, width, 3)."""
    one = shown(SLOPES, AT, 0.8 * AT, LINE)
    if within is not None:
        one = replace(one, interval=lambda t: (t - within, t + within))
    film = StoryLayout(one, FilmSettings(dark=dark, spacing="epochs"), 0)
    return film, np.array([film.canvas.palette.rgb[film.frame(number)] for number in range(len(SLOPES))])


def rows_of(film: StoryLayout, values: Array) -> Array:
    """The rows of pixels at which outputs are drawn."""
    projection, box = film.projection, film.panels[0].box
    share = (projection.top - values) / (projection.top - projection.bottom)
    return np.asarray((box.y + share * box.height).round().astype(int))


def columns_of(film: StoryLayout, x: Array) -> Array:
    projection, box = film.projection, film.panels[0].box
    share = (x - projection.left) / (projection.right - projection.left)
    return np.asarray((box.x + share * box.width).round().astype(int))


@pytest.mark.parametrize("dark", [False, True])
def test_the_curve_of_a_regression_is_on_neutral_ground_with_a_stick_from_each_target(dark: bool) -> None:
    film, frames = film_of_lines(dark)
    box, paper = film.panels[0].box, film.canvas.colours.paper.astype(int)
    for frame in frames:
        inside = frame[box.pixels].astype(int)
        assert (np.abs(inside - paper).max(-1) == 0).mean() > 0.85
    for x, target in zip(AT[:, 0], 0.8 * AT[:, 0], strict=True):
        column, (middle,) = columns_of(film, x), rows_of(film, np.array([target / 2]))
        for number, has_stick in ((0, False), (1, abs(target) > 0.1)):
            beside = np.abs(frames[number][middle, column - 1 : column + 2].astype(int) - paper).max()
            if has_stick:
                assert beside > 60
                assert np.abs(frames[number][middle, column + 4].astype(int) - paper).max() == 0
            elif abs(target) > 0.5:  # where the curve, through the target, is far from the middle
                assert beside == 0


@pytest.mark.parametrize("dark", [False, True])
def test_outputs_beyond_the_scale_are_arrows_at_its_edge(dark: bool) -> None:
    film, frames = film_of_lines(dark)
    box, ink = film.panels[0].box, film.canvas.colours.ink.astype(int)
    for number, has_arrows, rows in (
        (1, False, np.s_[box.y + 1 : box.y + 9]), (2, True, np.s_[box.y + 1 : box.y + 9]),
        (3, True, np.s_[box.y + box.height - 9 : box.y + box.height - 1]),
    ):  # fmt: skip
        inked = np.abs(frames[number][rows].astype(int) - ink).max(-1) < 40
        for x in AT[:, 0]:
            column = columns_of(film, x)
            wide = inked[:, column - 4 : column + 5].sum(1)
            grows = wide[::-1] if number == 3 else wide
            assert (grows[5] >= 4 and grows[5] > grows[1]) == has_arrows


@pytest.mark.parametrize("dark", [False, True])
def test_the_band_in_which_an_output_is_right_is_drawn_around_the_curve(dark: bool) -> None:
    _, (_, level, *_) = film_of_lines(dark)
    film, (_, banded, *_) = film_of_lines(dark, 0.2)
    column = columns_of(film, np.array([-0.26]))[0]  # between two examples
    paper = film.canvas.colours.paper.astype(int)
    for value, is_inside in ((0.12, True), (-0.12, True), (0.19, True), (0.23, False), (-0.23, False)):
        (row,) = rows_of(film, np.array([value]))
        assert (np.abs(banded[row, column].astype(int) - paper).max() > 8) == is_inside
        assert np.abs(level[row, column].astype(int) - paper).max() == 0


def with_held_out(one: FilmData, x: Array, t: Array) -> FilmData:
    losses = np.linspace(0.2, 0.3, len(one.loss_epochs))[:, None]
    return replace(one, held=HeldOut(x, t, losses))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("layout", [FieldLayout, StoryLayout])
def test_held_out_examples_are_lighter_than_those_of_training(
    layout: type[FieldLayout] | type[StoryLayout], dark: bool
) -> None:
    """In a plane without a boundary at the lowest level: four examples of training, and four held out between them."""
    x, t = np.array([[0, 0], [0, 2], [2, 0], [2, 2.0]]), np.array([[0], [1], [0], [1.0]])
    place = np.array([[0, 1], [1, 0.3], [1, 1.7], [2, 1.0]])
    one = with_held_out(shown(np.full((3, 3), (0.0, 0, -9)), x, t, Network(2, (Layer(1, "sigmoid"),))), place, t)
    film = layout(one, FilmSettings(dark=dark, spacing="epochs"), 0)
    field = film.field if isinstance(film, FieldLayout) else film.panels[0]
    frame, used = film.canvas.palette.rgb[film.frame(1)].astype(int), film.canvas.colours
    for kind in (0, 1):
        away = [
            [np.abs(frame[row - 1 : row + 2, column - 5 : column + 6] - used.paper).sum(-1).max()  # clear of a cross
             for column, row in pixels_of(field, film, points[t[:, 0] == kind])]
            for points in (x, place)
        ]  # fmt: skip
        assert max(away[1]) < min(away[0])
    fills = [frame[row, column - 3] for column, row in pixels_of(field, film, place)]
    for fill, kind in zip(fills, t[:, 0].astype(int), strict=True):
        full, paper = used.classes[kind].astype(int), used.paper.astype(int)
        assert 0.25 < np.abs(fill - paper).sum() / np.abs(full - paper).sum() < 0.75


def pixels_of(field: object, film: FieldLayout | StoryLayout, points: Array) -> Array:
    """The pixels (n, 2) of points of the input plane, across and down."""
    box: Box = field.heatmap.boxes[0]  # type: ignore[attr-defined]
    return np.asarray(box.at(film.projection.fractions(*points.T)).round().astype(int))


@pytest.mark.parametrize("dark", [False, True])
def test_the_loss_of_held_out_examples_is_a_curve_with_its_name(dark: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    x, t = chequered(2, 2)
    one = shown(np.zeros((41, 3)), x, t, Network(2, (Layer(1, "sigmoid"),)))
    written, seen = record_text(monkeypatch), []
    for some in (one, with_held_out(one, x + 0.3, t)):
        film = StoryLayout(some, FilmSettings(dark=dark, spacing="epochs"), 0)
        (panel,) = (panel for panel in film.panels if isinstance(panel, LossCurve))
        written.clear()
        frame = film.canvas.palette.rgb[film.frame(40)].astype(int)
        seen.append("held-out" in [word for word, _ in written])
        box, paper = panel.box, film.canvas.colours.paper.astype(int)
        columns = np.arange(box.x + 40, box.x + box.width - 80)
        share = np.interp((columns - box.x) / box.width, np.linspace(0, 1, 41), np.linspace(0.2, 0.3, 41))
        rows = (box.y + panel.loss_scale.fraction(share) * box.height).round().astype(int)
        near = np.array([frame[rows + shift, columns] for shift in (-1, 0, 1)])
        drawn = (np.abs(near - paper).max(-1) > 40).any(0).mean()
        assert drawn > 0.5 if some.held else drawn == 0  # it is dashed
    assert seen == [False, True]


UNDECIDED = {
    "sigmoid": ([Layer(3, "tanh"), Layer(1, "sigmoid")], (0.0, 1.0)),
    "tanh": ([Layer(3, "tanh"), Layer(1, "tanh")], (-1.0, 1.0)),
    "no hidden layer": ([Layer(1, "sigmoid")], (0.0, 1.0)),
    "two classes": ([Layer(3, "tanh"), Layer(2, "softmax")], (0.0, 1.0)),
    "three classes": ([Layer(3, "tanh"), Layer(3, "softmax")], (0.0, 1.0)),
}


def deciding(network: Network, x: Array, middle: float) -> Array:
    """Parameters with which several classes have examples."""
    rng = np.random.RandomState(0)
    while True:
        theta = rng.randn(network.size)
        y = network.forward(theta, x).y
        kinds = y.argmax(1) if network.outputs > 1 else y[:, 0] > middle
        if np.bincount(kinds.astype(int), minlength=2).min() > 5 and np.ptp(y) > 0.3:
            return np.asarray(theta)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", UNDECIDED)
def test_where_nothing_is_decided_there_is_no_boundary(name: str, dark: bool) -> None:
    """All weights are zero, then very small, then large enough: what is inked changes by the boundary alone."""
    layers, (low, high) = UNDECIDED[name]
    network = Network(2, tuple(layers))
    x, sides = chequered(5, 4)  # more than have names
    kinds = np.arange(len(x)) % layers[-1].units
    t = low + (high - low) * (np.eye(layers[-1].units)[kinds] if layers[-1].units > 1 else sides)
    theta = deciding(network, x, (low + high) / 2)
    one = shown(np.array([0 * theta, 1e-3 * theta, theta]), x, t, network)
    film = StoryLayout(one, FilmSettings(dark=dark, spacing="epochs"), 0)
    ink, box = film.canvas.colours.ink.astype(int), film.panels[0].box
    covered = np.zeros((film.canvas.height, film.canvas.width), bool)
    for column, row in pixels_of(film.panels[0], film, x):
        covered[row - 10 : row + 11, column - 10 : column + 11] = True
    inked = []
    for number in range(3):
        film.panels[0].strongest = np.array([], int)  # type: ignore[attr-defined]  # without the lines of units
        frame = film.canvas.palette.rgb[film.frame(number)].astype(int)
        inked.append(((np.abs(frame - ink).max(-1) < 30) & ~covered)[box.pixels].sum())
    assert inked[0] == inked[1] == 0
    assert inked[2] > box.height / 2
