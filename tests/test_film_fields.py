"""The decision field shows the outputs of the network, on one scale for the whole film."""

import numpy as np
import pytest
from some_films import DRAWN_LAYOUTS, NETS, XOR, film_data, net, run_of, sweep_of

from xortrain.films.colour_scale import Boundaries, band_of, colour_scale
from xortrain.films.data import FilmData
from xortrain.films.field import FieldLayout
from xortrain.films.film import make_layout
from xortrain.films.film_settings import FilmSettings
from xortrain.films.heatmap import SUBPIXELS, Probe, boundary_pixels, interpolation_weights
from xortrain.films.projection import project
from xortrain.films.sweep_layout import SweepLayout
from xortrain.nets import Array
from xortrain.nets.datasets import UNSCALED

SETTINGS = FilmSettings(layout="field", frames=5)


def plain_bands(one: FilmData, layout: FieldLayout, number: int, part: int) -> Array:
    """The bands (height, width) of a slice by the forward pass in double precision; over one input, of one row."""
    box, projection = layout.field.heatmap.boxes[part], layout.field.projection
    height = box.height if one.network.inputs > 1 else 1
    points = projection.grid(part, box.width, height).reshape(one.network.inputs, -1).T
    with np.errstate(all="ignore"):
        y = one.network.forward(one.parameters[number, :, 0], points).y.T
    return colour_scale(one, SETTINGS.levels).bands(y).reshape(height, box.width).astype(int)


@pytest.mark.parametrize("name", [name for name in NETS if name not in ("wide", "diverged")])
@pytest.mark.parametrize("number", [0, 30])
def test_the_field_equals_the_forward_pass_within_one_band(name: str, number: int) -> None:
    one = run_of(name)
    layout = FieldLayout(one, SETTINGS, 0)
    layout.field.paste(layout.run_frames.at(number))
    scale, heatmap = layout.field.heatmap.scale, layout.field.heatmap
    for part in range(len(heatmap.boxes)):
        shown = np.broadcast_to(scale.bands(heatmap.y[:, part]), plain_bands(one, layout, number, part).shape)
        wrong = np.abs(shown.astype(int) - plain_bands(one, layout, number, part)) > 1
        assert wrong.mean() < (0.002 if scale.classes > 2 else 1e-9)  # classes that tie may go either way


def test_the_pixels_of_a_frame_are_the_bands_of_the_field() -> None:
    one = run_of("xor")
    layout = FieldLayout(one, SETTINGS, 0)
    frame, box = layout.frame(30), layout.field.heatmap.boxes[0]
    shown, wanted = frame[box.pixels].astype(int), plain_bands(one, layout, 30, 0)
    painted = shown >= layout.canvas.palette.bands  # boundary and marks
    assert painted.mean() < 0.1
    assert (np.abs(shown - wanted)[~painted] <= 1).mean() > 0.99
    assert (shown == wanted)[~painted].mean() > 0.97


@pytest.mark.parametrize(("inputs", "wide", "is_exact"), [(2, 300, False), (1, 300, True), (1, 700, False)])
def test_the_field_of_a_wide_network_is_interpolated(inputs: int, wide: int, is_exact: bool) -> None:
    """Over one input the field is a single row of pixels, which is interpolated only if the network is very wide."""
    one = film_data(net(inputs, wide, wide, 1, hidden="tanh"), XOR[:, :inputs], XOR[:, :1], lr=0.0, epochs=1)
    layout = FieldLayout(one, SETTINGS, 0)
    layout.frame(0)
    assert layout.field.heatmap._exact == is_exact
    shown = layout.field.heatmap.scale.bands(layout.field.heatmap.y[:, 0]).astype(int)
    assert (np.abs(shown - plain_bands(one, layout, 0, 0)) <= 1).mean() > 0.9


@pytest.mark.parametrize("classes", [2, 3])
def test_over_one_input_the_curve_is_the_output_whose_name_and_targets_are_at_the_axis(
    classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, t = np.linspace(-1, 1, 9)[:, None], np.eye(classes)[np.arange(9) * classes // 9]
    one, drawn = film_data(net(1, 3, classes, hidden="tanh"), x, t), list[Array]()
    layout = FieldLayout(one, SETTINGS, 0)
    monkeypatch.setattr("xortrain.films.heatmap.draw_curve", lambda *args: drawn.append(args[3]))
    layout.frame(7)
    projection, width = layout.field.projection, layout.field.heatmap.boxes[0].width
    assert projection.names[1] == one.outputs[0]
    y = one.network.forward(one.parameters[7, :, 0], projection.grid(0, width, 1).reshape(1, -1).T).y
    np.testing.assert_allclose(drawn[0], y[:, 0], atol=1e-5)


def test_several_real_outputs_have_colours_from_their_own_lowest_to_their_own_highest_target() -> None:
    x = np.linspace(-1, 1, 30)[:, None]
    t = np.concatenate([np.sin(3 * x), 1e4 * x, 1e-4 * x**2], axis=1)
    one = film_data(net(1, 3, 3, hidden="tanh", last="identity"), x, t, lr=0.0)
    scale = colour_scale(one, 24)
    assert (scale.low, scale.high) == (t[:, 0].min(), t[:, 0].max())
    for output, targets in enumerate(t.T):
        bands = scale.output_bands(output, targets)
        assert (bands[targets.argmin()], bands[targets.argmax()]) == (0, 23)
        assert len(np.unique(bands)) > 12
    labels = np.round(np.random.RandomState(0).rand(30, 2))
    shared = colour_scale(film_data(net(1, 3, 2), x, labels, lr=0.0), 24)
    assert (shared.low, shared.high, shared.classes, shared.ranges) == (0, 1, 2, ())


@pytest.mark.parametrize("block", [64, 1 << 17])
def test_a_probe_of_many_runs_equals_the_probe_of_each(block: int) -> None:
    whole = sweep_of(7)
    points = project(whole.x, whole.t, *whole.axes).grid(0, 13, 11)
    many = Probe(whole.network, UNSCALED, points, np.arange(7), block).outputs(whole.parameters[20])
    for run in (0, 3, 6):
        alone = Probe(whole.network, UNSCALED, points, np.array([run]), block).outputs(whole.parameters[20][:, [run]])
        np.testing.assert_allclose(many[:, run], alone[:, 0], atol=1e-6)
        plain = whole.network.forward(whole.parameters[20][:, run], points.reshape(2, -1).T).y
        np.testing.assert_allclose(alone.ravel(), plain.ravel(), atol=1e-5)


def test_the_cells_of_a_sweep_show_the_fields_of_its_runs() -> None:
    whole = sweep_of(6)
    layout = SweepLayout(whole, FilmSettings(layout="sweep", frames=3), 0)
    frame = layout.frame(20)
    painted = np.zeros(frame.shape, bool)
    dots = layout.cells.groups[0][1].marks
    assert dots
    painted.ravel()[dots.where] = True
    for box, run in zip(layout.boxes, layout.runs, strict=True):
        points = project(whole.x, whole.t, *whole.axes).grid(0, box.width, box.height).reshape(2, -1).T
        y = whole.network.forward(whole.parameters[20][:, run], points).y[:, 0].reshape(box.height, box.width)
        shown = frame[box.pixels].astype(int)
        if run == 1:
            assert (shown == layout.canvas.palette.no_value).mean() > 0.8  # it has diverged
        else:
            assert painted[box.pixels].mean() < 0.1
            assert (np.abs(shown - band_of(y, 0, 1, 24).astype(int)) <= 1)[~painted[box.pixels]].all()


def test_bands_divide_the_scale_equally_and_the_outer_ones_include_values_beyond() -> None:
    values = np.array([-7, 0, 0.24, 0.26, 0.74, 0.76, 1, 9, np.nan, np.inf, -np.inf])
    assert band_of(values, 0, 1, 4).tolist() == [0, 0, 0, 1, 2, 3, 3, 3, 4, 4, 4]
    assert band_of(np.array([-99.0, 99, -101, 101]), 0, 1, 4).tolist() == [0, 3, 4, 4]
    assert band_of(values[1:7], 0, 1, 4).tolist() == [0, 0, 1, 2, 3, 3]
    assert band_of(np.array([-1, -0.01, 0.01, 1]), -1, 1, 2).tolist() == [0, 0, 1, 1]


def test_a_band_ends_halfway_between_the_targets() -> None:
    below, above = np.nextafter(0.5, 0), np.nextafter(0.5, 1)
    assert band_of(np.array([below, above]), 0, 1, 24).tolist() == [11, 12]


def test_the_boundary_is_where_the_value_is_zero() -> None:
    """The exact distance from the zero line of a plane is |a u + b v + c| / hypot(a, b)."""
    v, u = np.mgrid[0:40, 0:50].astype(float)
    value = 0.3 * u - 0.2 * v - 5
    near, away = boundary_pixels(Boundaries.of(value), reach=2)
    row, column = np.divmod(near, 52)  # flat indices into an image one pixel larger on each side
    exact = np.abs(value[row - 1, column - 1]) / np.hypot(0.3, 0.2)
    inner = (row > 1) & (row < 40) & (column > 1) & (column < 50)
    np.testing.assert_allclose(away[inner], np.minimum(np.floor(exact[inner] * SUBPIXELS), 255), atol=1)
    assert len(near) >= (np.abs(value) / np.hypot(0.3, 0.2) < 2).sum()


def test_interpolation_is_exact_for_linear_values() -> None:
    straight = np.linspace(0, 1, 2 * 9)[1::2] - np.linspace(0, 1, 18)[0] / 2
    fine = straight @ interpolation_weights(9, 27)
    np.testing.assert_allclose(np.diff(fine)[2:-2], np.diff(fine)[5], atol=1e-6)
    np.testing.assert_allclose(interpolation_weights(7, 20).sum(0), 1, atol=1e-6)


@pytest.mark.parametrize("layout", DRAWN_LAYOUTS)
def test_a_frame_shows_that_a_run_has_diverged(layout: str) -> None:
    one = run_of("diverged")
    assert one.outcomes.diverged_at[0] > 0
    film = make_layout(one, FilmSettings(layout=layout))
    before, after = film.frame(0), film.frame(30)
    assert (before != after).any()
    if layout in ("field", "story", "sweep"):
        grey = film.canvas.palette.no_value
        assert (after == grey).sum() > 5000 > (before == grey).sum()
