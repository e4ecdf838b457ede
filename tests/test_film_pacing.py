"""The time of a film, its jumps and its flashes, measured on decoded films of the gallery."""

from functools import cache
from pathlib import Path
from runpy import run_path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
from imageio import v3 as iio
from PIL import Image, ImageSequence

import xortrain
from xortrain.cli import main
from xortrain.films.data import FilmData
from xortrain.films.film_settings import FilmSettings
from xortrain.films.story_layout import StoryLayout
from xortrain.nets import Array
from xortrain.views.run_film import run_film_data, single_run

pytestmark = pytest.mark.usefixtures("quick_composition")

GALLERY = run_path(str(Path(__file__).parents[1] / "examples/gallery.py"))
SIZE = (480, 270)
MORE = {
    "at its limit": ["lr=3", "epochs=300"],
    "one example at a time": ["batch_size=1", "epochs=100"],
    "noisy batches": ["data=moons", "batch_size=8", "lr=2", "epochs=60"],
    "momentum": ["optimizer.momentum=0.9", "lr=2", "epochs=100"],
    "long": ["lr=0.1", "epochs=5000"],
    "nothing trained": ["epochs=0"],
    "one epoch": ["epochs=1"],
}
RUNS = {**GALLERY["RUNS"], **MORE}


@cache
def run_of(name: str) -> Any:
    if name == "table":
        x = np.random.RandomState(0).randn(80, 5)
        return xortrain.train(*RUNS["table"], data=(x, (x[:, 0] * x[:, 1] > 0).astype(float)))
    own: dict[str, Any] = {"classes": GALLERY["classes"], "real": GALLERY["real"], "curve": GALLERY["curve"]}
    return xortrain.train(*RUNS[name], data=own[name]() if name in own else None)


def decoded(path: Path) -> tuple[Array, Array]:
    """Frames (frames, height, width, 3) of a film, and the seconds of each."""
    with Image.open(path) as film:
        frames = [(np.asarray(one.convert("RGB")), one.info["duration"]) for one in ImageSequence.Iterator(film)]
    return np.array([frame for frame, _ in frames]), np.array([duration for _, duration in frames]) / 1000


def flashes(frames: Array, seconds: Array) -> float:
    """The largest share of the pixels that flash more than three times in a second; every ninth pixel is counted."""
    light = frames[:, ::9, ::9].reshape(len(frames), -1, 3) / 255
    light = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
    light = np.tile(light @ (0.2126, 0.7152, 0.0722), (2, 1))  # with the seam
    starts = np.cumsum([0, *np.tile(seconds, 2)])[:-1]
    turns = np.zeros(light.shape, int)
    extreme, way = light[0], np.zeros(light.shape[1])
    for frame, value in enumerate(light):
        moved = value - extreme
        turned = (np.abs(moved) >= 0.1) & (np.minimum(value, extreme) < 0.8) & (moved * way <= 0)
        turns[frame] = turned
        extreme = np.where(turned | (way * moved > 0), value, extreme)
        way = np.where(turned, np.sign(moved), way)
    seconds_of = [(starts >= start) & (starts < start + 1) for start in starts]
    return max(float((turns[inside].sum(axis=0) > 6).mean()) for inside in seconds_of)


def first_change(one: FilmData) -> int:
    """The first epoch after which some output has moved by more than 0.01 of the distance of the targets."""
    x, _ = one.examples(0)
    network = one.network.take(np.array([0]))
    start = None
    for epoch, theta in zip(one.frame_epochs.tolist(), one.parameters[:, :, 0], strict=True):
        y = network.forward(np.asarray(theta), one.scaling.take(0).inputs.scaled(x)).y
        start = y if start is None else start
        if np.abs(y - start).max() > 0.01 * abs(one.high - one.low):
            return int(epoch)
    return int(one.frame_epochs[-1])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", RUNS)
def test_a_film_takes_its_time_where_something_happens_and_does_not_jump_or_flash(name: str, tmp_path: Path) -> None:
    run = run_of(name)
    frames, seconds = decoded(run.film(tmp_path / "film.gif", size=SIZE))
    assert flashes(frames, seconds) <= 0.25
    one = run_film_data(single_run(run.trained, None, 0))
    layout = StoryLayout(one, FilmSettings(size=SIZE), 0)
    if len(layout.missing):
        return  # the film was trained again; the law of jumps is tested for the others
    epochs = one.frame_epochs[layout.chosen]
    if len(frames) != len(epochs):
        return  # equal frames were joined
    _assert_holds(seconds)
    seconds = seconds - np.r_[1.0, np.zeros(len(seconds) - 2), 1.5] if len(seconds) > 1 else seconds - 1.5
    assert seconds.sum() >= 3.9
    _assert_pacing(one, epochs, seconds)
    _assert_no_jumps(one, layout, epochs, frames)


def _assert_holds(seconds: Array) -> None:
    if len(seconds) > 1:
        assert seconds[0] >= 1.0
        assert seconds[-1] >= 1.5


def _assert_pacing(one: FilmData, epochs: Array, seconds: Array) -> None:
    first, last = first_change(one), max([event.until or event.epoch for event in one.events], default=0)
    if last <= first:
        assert np.ptp(seconds) <= 0.03  # nothing happens: equal steps, and times
        return
    assert seconds[(epochs >= first) & (epochs < last)].sum() >= 0.6 * seconds.sum()
    assert seconds[epochs >= last].sum() <= 0.15 * seconds.sum() + 0.02
    happened = {int(epochs[np.searchsorted(epochs, event.epoch)]) for event in one.events}
    assert all(min(abs(epochs - event.epoch)) <= 1 for event in one.events)
    pauses = sum(second >= 0.6 for second, epoch in zip(seconds, epochs, strict=True) if epoch in happened)
    assert pauses >= min(len(happened), 3)


def _assert_no_jumps(one: FilmData, layout: StoryLayout, epochs: Array, frames: Array) -> None:
    """At most a twentieth of the frames differ from the one before in more than a fifth of the pictures."""
    pictures = [panel.box.pixels for panel in layout.panels[:2]]
    flips = [(event.epoch, event.until) for event in one.events if event.flips and event.until]
    jumps = 0
    for before, after in zip(range(len(frames) - 1), range(1, len(frames)), strict=True):
        steps = int(epochs[after] - epochs[before])
        one_parity = any(start <= epochs[before] and epochs[after] <= end + 2 for start, end in flips)
        if steps == 1 or (steps == 2 and one_parity):
            continue
        away = [np.abs(frames[after][p].astype(int) - frames[before][p]).max(-1).ravel() > 24 for p in pictures]
        jumps += np.concatenate(away).mean() > 0.2
    assert jumps <= 0.05 * (len(frames) - 1)


@pytest.mark.parametrize("layout", ["field", "weights", "losses"])
@pytest.mark.parametrize("name", ["xor", "skip", "softmax"])
def test_other_films_of_one_run_do_not_flash(name: str, layout: str, tmp_path: Path) -> None:
    frames, seconds = decoded(run_of(name).film(tmp_path / "film.gif", layout=layout))
    assert flashes(frames, seconds) <= 0.25


@cache
def sweep_of(*axes: str) -> Any:
    return xortrain.sweep(*axes, "epochs=60", "film=none", f"root={mkdtemp()}")


SWINGING = "lr=3,8", "seed=range(0,6)"
GRID = "lr=geomspace(1,20,24)", "init.scale=geomspace(0.2,5,24)"


@pytest.mark.parametrize(
    ("layout", "axes"), [("sweep", SWINGING), ("losses", SWINGING), ("raster", SWINGING), ("map", GRID)]
)
def test_films_of_several_runs_do_not_flash(layout: str, axes: tuple[str, ...], tmp_path: Path) -> None:
    frames, seconds = decoded(sweep_of(*axes).film(tmp_path / "film.gif", layout=layout))
    assert flashes(frames, seconds) <= 0.25


def test_a_zoom_does_not_flash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["-m", *GRID, "epochs=40", "film=none"]) == 0
    assert main(["zoom", "latest", "--at", "lr=3.2,init.scale=1.4", "--frames", "8", "--size", "24"]) == 0
    (film,) = Path("outputs/sweeps").glob("*/*/film.gif")
    assert flashes(*decoded(film)) <= 0.25


@pytest.mark.parametrize("layout", ["story", "field"])
def test_a_video_does_not_flash(layout: str, tmp_path: Path) -> None:
    pytest.importorskip("av")
    path = run_of("xor").film(tmp_path / "film.mp4", size=SIZE, layout=layout)
    frames = iio.imread(path, plugin="pyav")
    assert flashes(frames, np.full(len(frames), 1 / 25)) <= 0.25


def test_a_rate_that_flashes_is_kept_with_a_warning(tmp_path: Path) -> None:
    run = run_of("xor")
    with pytest.warns(UserWarning, match="flashes more than three times a second"):
        path = run.film(tmp_path / "film.gif", layout="field", fps=20, frames=141, spacing="epochs")
    _, seconds = decoded(path)
    np.testing.assert_allclose(np.median(seconds), 0.05)


def test_frames_of_a_run_that_flips_are_an_even_number_of_epochs_apart() -> None:
    one = run_film_data(single_run(run_of("xor").trained, None, 0))
    (flips,) = [event for event in one.events if event.flips]
    assert flips.caption == "Output flips every epoch: the learning rate is at its limit."
    epochs = one.frame_epochs[StoryLayout(one, FilmSettings(size=SIZE), 0).chosen]
    happened = {event.epoch for event in one.events} | {flips.until}
    inside = [e for e in epochs.tolist() if flips.epoch <= e <= (flips.until or 0) and e not in happened]
    assert len(inside) > 10
    assert len({epoch % 2 for epoch in inside}) == 1


@pytest.mark.parametrize("frames", [1, 2, 7, 30])
def test_the_number_of_frames_that_the_user_gives_is_kept(frames: int, tmp_path: Path) -> None:
    assert len(decoded(run_of("xor").film(tmp_path / "film.gif", size=SIZE, frames=frames))[0]) == frames


def test_the_rate_that_the_user_gives_is_kept(tmp_path: Path) -> None:
    _, seconds = decoded(run_of("deep").film(tmp_path / "film.gif", size=SIZE, fps=5))
    assert set(np.round(seconds[1:-1] - 0.2, 2).tolist()) <= {0.0, 0.6}  # but for the pauses at events
