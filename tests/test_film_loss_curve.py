"""The loss curve looks as if all its points were drawn, and its past never changes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_films import run_of

from xortrain.films.canvas import Box, make_canvas
from xortrain.films.colour_scale import colour_scale
from xortrain.films.colours import get_palette
from xortrain.films.data import FilmData, RunFrames
from xortrain.films.film_settings import FilmSettings
from xortrain.films.loss_curve import LossCurve, column_extremes
from xortrain.films.panel import PanelContext
from xortrain.films.projection import project
from xortrain.nets import Array

BOX = Box(40, 20, 100, 90)


def losing(losses: Array) -> FilmData:
    """A run with a loss after each epoch and constant parameters."""
    one, epochs = run_of("xor"), np.arange(len(losses))
    parameters = np.repeat(one.parameters[:1], len(losses), axis=0)
    return replace(
        one, losses=losses[:, None], loss_epochs=epochs, frame_epochs=epochs, parameters=parameters,
        outcomes=replace(one.outcomes, outcome=np.array(["plateau"], object), ended_at=np.array([len(losses)])),
    )  # fmt: skip


LOSSES = {
    "every other epoch": 2 + np.where(np.arange(2001) % 2, 1.0, -1.0),
    "every fifth": 1 + 9.0 * (np.arange(2001) % 5 == 0),
    "falling": np.geomspace(10, 1e-3, 2001),
    "one leap": 1 + 4.0 * (np.arange(2001) == 777),
    "few": np.array([3, 1, 2, 0.5, 1.5, 0.1]),
}


def curve(losses: Array) -> tuple[LossCurve, RunFrames]:
    run = RunFrames(losing(losses), 0)
    canvas, scale = (
        make_canvas(FilmSettings(), get_palette("default", 24, False, 2), (160, 130)),
        colour_scale(run.data, 24),
    )
    projection = project(run.x, run.t, *run.data.axes)
    return LossCurve(PanelContext(canvas, BOX, run, scale, projection, np.arange(len(losses)))), run


@pytest.mark.parametrize("name", LOSSES)
def test_no_pixel_of_the_past_changes(name: str) -> None:
    shown, run = curve(LOSSES[name])
    shown.still()
    shown.canvas.set_background()
    last, frames = len(LOSSES[name]) - 1, []
    epochs = np.unique(np.linspace(0, last, 40).astype(int)).tolist()
    for epoch in epochs:
        shown.draw(run.at(epoch))
        frames.append(shown.canvas.finish())
    for epoch, before, after in zip(epochs, frames, frames[1:], strict=False):
        past = max(int(BOX.x + epoch / last * BOX.width) - 6, 0)  # the dot covers what is nearer
        np.testing.assert_array_equal(after[:, :past], before[:, :past])


@pytest.mark.parametrize("name", LOSSES)
def test_the_curve_reaches_the_smallest_and_the_largest_loss_in_each_column_of_pixels(name: str) -> None:
    shown, run = curve(LOSSES[name])
    last = len(LOSSES[name]) - 1
    shown.draw(run.at(last))
    inked = shown.canvas.finish() != shown.canvas._shades[0]
    column = np.floor(shown.points[:, 0]).astype(int)
    for x in np.unique(column)[2:-6]:
        heights = shown.points[column == x, 1]
        assert inked[int(heights.min()) : int(np.ceil(heights.max())), x - 1 : x + 2].any(1).all()


@given(losses=st.lists(st.floats(0, 100) | st.just(np.nan), min_size=1, max_size=60), width=st.integers(1, 30))
def test_column_extremes_are_the_ends_and_the_extremes_of_each_column(losses: list[float], width: int) -> None:
    points = np.stack([np.linspace(0, width, len(losses)), losses], axis=1)
    chosen = column_extremes(points)
    for x in np.unique(np.floor(points[:, 0])):
        own = np.floor(points[:, 0]) == x
        assert chosen[own][0]
        assert chosen[own][-1]
        assert chosen[own].sum() <= 4
        if np.isfinite(points[own, 1]).any():
            for extreme in (np.nanmin, np.nanmax):
                assert extreme(points[own & chosen, 1]) == extreme(points[own, 1])
