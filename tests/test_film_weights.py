"""`film=weights`: names at the ends of their curves, the path at one scale over the loss that a forward pass gives."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from some_films import XOR, film_data, net, record_text, run_of

import xortrain
from xortrain.errors import UserError
from xortrain.films.colours import COLOUR_MAPS, get_colours, luminance
from xortrain.films.film_settings import FilmSettings
from xortrain.films.weights_layout import BANDS, LINE, WeightsLayout
from xortrain.nets import Array

SOME = ["xor", "deep", "one hidden unit", "two classes", "encoder", "real targets", "exploded"]


def layout_of(name: str, size: tuple[int, int] | None = None, dark: bool = False) -> WeightsLayout:
    return WeightsLayout(run_of(name), FilmSettings(layout="weights", size=size, dark=dark), 0)


@pytest.mark.parametrize("size", [(320, 200), (640, 360), (1280, 720), (400, 800)])
@pytest.mark.parametrize("name", SOME)
def test_a_step_of_the_path_is_as_long_in_every_direction_of_its_plane(name: str, size: tuple[int, int]) -> None:
    film = layout_of(name, size)
    places, pixels = film.projection.places, film.path.points
    lengths = np.linalg.norm(np.diff(places, axis=0), axis=1)
    np.testing.assert_allclose(
        np.linalg.norm(np.diff(pixels, axis=0), axis=1) * film.path.per_pixel, lengths, atol=1e-9
    )
    box = film.path.box
    assert ((pixels >= (box.x, box.y)) & (pixels <= (box.x + box.width, box.y + box.height))).all()
    extent = np.ptp(pixels, axis=0) / (box.width, box.height)
    assert 0.6 < extent.max() < 0.9


def loss_at(name: str, theta: Array) -> float:
    """The training loss by a plain forward pass."""
    one = run_of(name)
    y = one.network.forward(theta[:, None], one.x).y[..., 0]
    return float(((y - one.t) ** 2).mean())


@pytest.mark.parametrize("name", SOME[:-1])
def test_the_ground_of_the_path_is_the_loss_in_its_plane(name: str) -> None:
    film = layout_of(name)
    ground, box, plane = film.path.ground, film.path.box, film.projection
    low, high = ground.ends
    for across, down in np.random.RandomState(0).randint(10, [box.width - 10, box.height - 10], (40, 2)):
        u = plane.left + (across + 0.5) / box.width * (plane.right - plane.left)
        v = plane.top - (down + 0.5) / box.height * (plane.top - plane.bottom)
        loss = loss_at(name, plane.slices[0].points(u, v))
        scaled = (np.log(loss / low) / np.log(high / low)) if ground.is_log else (loss - low) / (high - low)
        assert ground.value[down, across] == pytest.approx(np.clip(scaled, 0, 1), abs=0.02)
    at = np.array([loss_at(name, plane.slices[0].points(*place)) for place in plane.places])
    assert at.min() >= low * 0.9


@pytest.mark.parametrize("name", [*SOME, "diverged", "wide"])
def test_a_name_stands_at_the_end_of_its_curve_or_as_near_as_others_let_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = record_text(monkeypatch)
    film = layout_of(name)
    curves, boxes = film.curves, dict(written)
    for parameter, end in zip(curves.names, curves.ends, strict=True):
        value = run_of(name).parameters[:, curves.all_names.index(parameter), 0]
        last = value[np.isfinite(run_of(name).parameters[..., 0]).all(1)][-1]
        height = curves.box.y + float(curves.height(np.array(last))) * curves.box.height
        assert end[1] == pytest.approx(height)
        others = [other[1] for other in curves.ends if abs(other[1] - end[1]) < LINE * len(curves.ends)]
        middle = boxes[parameter].y + boxes[parameter].height / 2
        assert abs(middle - end[1]) <= LINE * len(others)
        assert boxes[parameter].x > curves.box.x + curves.box.width


@pytest.mark.parametrize("number", [0, 10, 25, 29, 30])
def test_events_are_named_on_the_path_from_their_epoch_on(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    film = layout_of("deep")  # solved at epoch 25
    written = record_text(monkeypatch)
    film.frame(number)
    words = {word for word, _ in written}
    assert "start" in words
    assert ("solved, 25" in words) == (number >= 25)
    assert ("end, 30" in words) == (number == 30)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", [*COLOUR_MAPS, "viridis", "hot", "RdBu"])
def test_every_legible_colour_has_three_times_the_light_of_the_background_or_a_third(name: str, dark: bool) -> None:
    colours = get_colours(name, 24, dark)
    for colour in colours.classes:
        light = sorted([luminance(colours.legible(colour)), luminance(colours.paper)])
        assert (light[1] + 0.05) / (light[0] + 0.05) >= 3


@pytest.mark.parametrize("kind", ["still", "of one parameter"])
def test_a_path_that_does_not_move_and_one_of_a_single_parameter_have_a_film(kind: str) -> None:
    one = run_of("xor")
    still = replace(one, parameters=np.repeat(one.parameters[:1], 31, axis=0))
    single = film_data(net(1, 1, bias=False), XOR[:, :1], XOR[:, 1:], 0.1)
    film = WeightsLayout(still if kind == "still" else single, FilmSettings(layout="weights"), 0)
    assert film.frame(30).shape == (400, 640)


@pytest.mark.parametrize("settings", [("dtype=float32", "init.scale=1e90"), ("init.scale=1e120",)])
def test_a_start_that_is_too_large_is_one_line_and_the_other_films_are_drawn(
    settings: tuple[str, ...], tmp_path: Path
) -> None:
    run = xortrain.train(*settings, "architecture.hidden=[3]", "activation=relu", "epochs=3", "advice=none")
    with pytest.raises(UserError, match=r"^film=weights: at the start a parameter is .*; its path cannot be drawn$"):
        run.film(tmp_path / "film.gif", layout="weights")
    assert not list(tmp_path.iterdir())
    for layout in ("story", "field", "losses"):
        assert run.film(tmp_path / f"{layout}.gif", layout=layout, frames=3).stat().st_size


def test_a_path_far_from_zero_that_hardly_moves_has_a_film(tmp_path: Path) -> None:
    for scale in (1e20, 7e76):
        run = xortrain.train("init=lecun_uniform", f"init.scale={scale}", "seed=1", "epochs=9", "advice=none")
        assert run.film(tmp_path / "film.gif", layout="weights", frames=3).stat().st_size


def test_the_ground_is_drawn_where_it_is_and_its_scale_ends_with_the_lowest_and_the_highest_band() -> None:
    film = layout_of("xor")
    frame, box, ground = film.frame(0), film.path.box, film.path.ground
    greys = film.canvas.palette.grey(ground.bands)
    assert (frame[box.pixels] == greys).mean() > 0.9  # the rest are lines, marks and words
    assert {0, BANDS - 1} <= set(ground.bands.ravel().tolist())
