"""Film files: every format shows the same frames, and what cannot be written is refused in one line."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image
from some_films import DRAWN_LAYOUTS, run_of, sweep_of

from xortrain.errors import UserError
from xortrain.films.film import make_layout, write_film
from xortrain.films.film_settings import FilmSettings
from xortrain.nets import Array

SETTINGS = FilmSettings(layout="field", frames=7, fps=12, hold=0.5)


def frames(path: Path) -> tuple[list[Array], list[float]]:
    """The frames and their delays in milliseconds."""
    seen, delays = [], []
    with Image.open(path) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            image.load()
            seen.append(np.asarray(image.convert("RGB")))
            delays.append(image.info["duration"])
    return seen, delays


@pytest.mark.parametrize("layout", DRAWN_LAYOUTS)
def test_the_frames_in_the_file_are_those_of_the_layout(layout: str, tmp_path: Path) -> None:
    settings = replace(SETTINGS, layout=layout)
    path = write_film(run_of("xor"), settings, tmp_path / "film.gif")
    seen, delays = frames(path)
    film = make_layout(run_of("xor"), settings)
    drawn = [film.canvas.palette.rgb[film.frame(int(number))] for number in film.chosen]
    np.testing.assert_array_equal(seen, drawn)
    assert sum(delays) == round(100 * (1 + 7 / 12 + 0.5)) * 10  # the first frame lasts a second longer


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_lossless_formats_equal_the_gif_to_the_pixel(suffix: str, tmp_path: Path) -> None:
    gif, _ = frames(write_film(run_of("xor"), SETTINGS, tmp_path / "film.gif"))
    other, delays = frames(write_film(run_of("xor"), SETTINGS, tmp_path / f"film{suffix}"))
    np.testing.assert_array_equal(other, gif)
    assert abs(sum(delays) - 1000 * (1 + 7 / 12 + 0.5)) <= 1
    assert delays[0] == pytest.approx(1000 / 12 + 1000, abs=1)
    assert delays[-1] == pytest.approx(1000 / 12 + 500, abs=1)


def test_an_mp4_has_its_size_and_length(tmp_path: Path) -> None:
    path = write_film(run_of("xor"), replace(SETTINGS, size=(300, 202)), tmp_path / "film.mp4")
    film = iio.imread(path, plugin="pyav")
    assert film.shape == (12 + 7 + 6, 202, 300, 3)  # the first frame lasts a second longer, the last one half a second
    gif, _ = frames(write_film(run_of("xor"), replace(SETTINGS, size=(300, 202)), tmp_path / "film.gif"))
    assert np.abs(film[12 + 3].astype(int) - gif[3]).mean() < 5


MATRICES = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114)}
"""The shares of red and blue in the luma, by the code of a video's matrix in ITU-T H.273."""


@pytest.mark.parametrize("size", [(640, 360), (1280, 720)])
def test_the_colours_of_an_mp4_are_those_of_the_palette_at_any_height(size: tuple[int, int], tmp_path: Path) -> None:
    """Decoded by hand, as players do: where a video does not say its matrix, one of 720 lines or more is BT.709."""
    av = pytest.importorskip("av")
    settings = replace(SETTINGS, size=size, frames=1)
    with av.open(str(write_film(run_of("xor"), settings, tmp_path / "film.mp4"))) as container:
        frame = next(container.decode(video=0))
    width, height = size
    planes = [np.frombuffer(bytes(p), np.uint8).reshape(p.height, p.line_size)[:, : p.width] for p in frame.planes]
    luma, blueness, redness = (
        np.kron(plane.astype(float), np.ones((height // len(plane), width // plane.shape[1]))) for plane in planes
    )
    red_share, blue_share = MATRICES[frame.colorspace if frame.colorspace in MATRICES else 1 if height >= 720 else 6]
    y, u, v = (luma - 16) / 219, (blueness - 128) / 224, (redness - 128) / 224
    red, blue = y + 2 * (1 - red_share) * v, y + 2 * (1 - blue_share) * u
    green = (y - red_share * red - blue_share * blue) / (1 - red_share - blue_share)
    film = make_layout(run_of("xor"), settings)
    drawn = film.frame(int(film.chosen[-1]))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(drawn, 2, mode="edge"), (5, 5))
    is_flat = (windows == drawn[..., None, None]).all(axis=(2, 3))  # colour is stored for two by two pixels
    for index in np.argsort(-np.bincount(drawn[is_flat]))[:8]:
        found = np.median(255 * np.stack([red, green, blue])[:, is_flat & (drawn == index)], axis=1)
        np.testing.assert_allclose(found, film.canvas.palette.rgb[index], atol=4)


def test_a_still_is_the_last_frame(tmp_path: Path) -> None:
    gif, _ = frames(write_film(run_of("xor"), SETTINGS, tmp_path / "film.gif"))
    path = write_film(run_of("xor"), SETTINGS, tmp_path / "still.png", still=True)
    np.testing.assert_array_equal(iio.imread(path, mode="RGB"), gif[-1])


def test_a_still_shows_the_loss_curves_of_a_sweep(tmp_path: Path) -> None:
    path = write_film(sweep_of(7), FilmSettings(layout="losses"), tmp_path / "losses.png", still=True)
    assert iio.imread(path).shape[:2] == (400, 640)


def test_a_film_is_written_with_a_progress_bar(tmp_path: Path) -> None:
    assert write_film(run_of("xor"), SETTINGS, tmp_path / "film.gif", progress=True).exists()


KILLED = """
import os, sys
from dataclasses import replace
sys.path.insert(0, {tests!r})
from some_films import run_of
from xortrain.films.field import FieldLayout
from xortrain.films.film import write_film
from xortrain.films.film_settings import LAYOUTS, FilmSettings

class Dying(FieldLayout):
    def frame(self, number):
        if number > 3:
            os.kill(os.getpid(), 9)
        return super().frame(number)

LAYOUTS["dying"] = replace(LAYOUTS["field"], location="__main__:Dying")
write_film(run_of("xor"), FilmSettings(layout="dying", frames=7), "film.gif")
"""


def test_a_killed_writer_leaves_no_film(tmp_path: Path) -> None:
    code = KILLED.format(tests=str(Path(__file__).parent))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True)
    assert done.returncode == -9
    assert not (tmp_path / "film.gif").exists()


HOSTILE: dict[str, list[dict[str, object]]] = {
    "film.fps": [
        {"fps": 51}, {"fps": 0}, {"fps": -3}, {"fps": float("nan")}, {"fps": float("inf")}, {"fps": 1e-9},
    ],
    "film.size": [
        {"size": (0, 0)}, {"size": (10, 10)}, {"size": (10**9, 300)}, {"size": (400, -300)}, {"size": (400.5, 300)},
        {"size": (400, 300, 3)}, {"size": (400,)},
    ],
    "film.frames": [{"frames": 0}, {"frames": -1}, {"frames": 10**9}],
    "film.levels": [{"levels": 1}, {"levels": 256}],
    "film.hold": [{"hold": -1}, {"hold": float("nan")}],
    "film.colours": [{"colours": "defualt"}, {"colours": ""}],
    "film.spacing": [{"spacing": "equal"}],
    "film=": [{"layout": "panels"}, {"layout": "stroy"}],
}  # fmt: skip


@pytest.mark.parametrize(("where", "change"), [(where, one) for where, some in HOSTILE.items() for one in some])
def test_hostile_settings_are_refused_in_one_line(where: str, change: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        write_film(run_of("xor"), replace(SETTINGS, **change), tmp_path / "film.gif")  # type: ignore[arg-type]
    assert str(error.value).startswith(where)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "says"), [
    ("film.avi", "Known: .gif"), ("film", "Known: .gif"), ("nowhere/film.gif", "no folder"), (".", "Known"),
])  # fmt: skip
def test_invalid_paths_are_refused(name: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=says):
        write_film(run_of("xor"), SETTINGS, tmp_path / name)


def test_an_odd_size_is_refused_where_the_format_requires_even_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="even"):
        write_film(run_of("xor"), replace(SETTINGS, size=(301, 200)), tmp_path / "film.mp4")


def test_an_unknown_colour_map_gets_a_suggestion(tmp_path: Path) -> None:
    for change, meant in (({"colours": "viridas"}, "viridis"), ({"layout": "stroy"}, "story")):
        with pytest.raises(UserError, match=f"Did you mean '{meant}'"):
            write_film(run_of("xor"), replace(SETTINGS, **change), tmp_path / "film.gif")  # type: ignore[arg-type]
