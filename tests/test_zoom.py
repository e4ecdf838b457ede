"""Zooms: every window is trained as its runs would be alone, and is smaller than the one before by one factor."""

import json
from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xortrain
from xortrain.api import Sweep
from xortrain.cli import main
from xortrain.films.film_settings import FilmSettings
from xortrain.films.map_axis import MapAxis
from xortrain.films.map_layout import MapLayout, enlargement
from xortrain.runner.windows import Zoom, axis_values
from xortrain.trained.run_data import RunData
from xortrain.trained.sweep_data import SweepData
from xortrain.views.map_film import map_data

pytestmark = pytest.mark.usefixtures("quick_composition")
MAP = "lr=geomspace(0.5,8,5)", "init.scale=geomspace(0.5,4,4)", "epochs=20"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of a zoom of three windows of 4 x 4 runs."""
    root = tmp_path_factory.mktemp("record")
    parent = xortrain.sweep(*MAP, "film=none", f"root={root}")
    words = ["--at", "lr=3.2,scale=1.4", "--factor", "9", "--frames", "3", "--size", "4", "--root", str(root)]
    assert main(["zoom", str(parent.folder), *words]) == 0
    (path,) = (path.parent for path in root.rglob("sweep.json"))
    return path


def test_a_run_of_a_window_is_that_run_alone_bit_for_bit(record: Path) -> None:
    sweep = xortrain.load(record)
    assert isinstance(sweep, Sweep)
    assert (len(sweep), len(sweep.parts)) == (48, 3)
    for number in (0, 21, 47):
        run = sweep[number]
        alone = xortrain.train(f"lr={run.config['lr']!r}", f"init.scale={run.config['init']['scale']!r}", "epochs=20")
        assert run.row["final_loss"] == alone.row["final_loss"]
        np.testing.assert_array_equal(run.parameters[-1], alone.parameters[-1])


def test_the_film_has_a_frame_for_each_window_and_no_rate_at_which_it_flashes(record: Path) -> None:
    film = iio.improps(record / "film.gif")
    assert film.n_images == 3
    config = json.loads((record / "population-000" / "record.json").read_text())["config"]
    assert (config["film"]["name"], config["film"]["fps"]) == ("map", 5)
    assert config["notes"].endswith("at lr=3.2, init.scale=1.4 by 9")


def test_json_changes_only_what_is_printed(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--at", "lr=3.2,scale=1.4", "--frames", "2", "--size", "3", "--root", str(record.parents[2])]
    parent = next(path for path in record.parent.iterdir() if not (path / "sweep.json").exists())
    assert main(["zoom", str(parent), *place, "--json"]) == 0
    (item,) = json.loads(capsys.readouterr().out)
    assert iio.improps(Path(item["path"]) / "film.gif").n_images == 2


def test_frames_of_a_zoom_are_its_windows(record: Path) -> None:
    sweep = SweepData[RunData].open(record)
    shown = map_data(sweep, sweep.config)
    layout = MapLayout(shown, FilmSettings(layout="map", frames=60), 0)
    assert layout.chosen.tolist() == [0, 1, 2]
    reached = [layout.frame(number) for number in layout.chosen]
    assert (reached[0] != reached[2]).any()
    for number, window in enumerate(shown.windows):
        alone = MapLayout(replace(shown, windows=(window, window)), FilmSettings(layout="map"), 0)
        codes = [shown.words[code] for code in window.code.ravel()]
        assert codes == [run.outcome for run in sweep[16 * number : 16 * number + 16]]
        assert alone.cells.width == layout.cells.width


def test_resume_trains_the_missing_windows_only(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in record.rglob("*.npy")}
    middle = record / "population-001"
    rows = np.load(middle / "runs.npy")
    rows["outcome"] = 0
    np.save(middle / "runs.npy", rows)
    (record / "film.gif").unlink()
    for path in (middle / "record.json", record / "sweep.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "status": "interrupted"}))
    assert main(["resume", str(record)]) == 0
    assert "16 runs trained, the others stay as they were" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in record.rglob("*.npy")} == before
    assert iio.improps(record / "film.gif").n_images == 3


@given(
    place=st.floats(0.5, 8), factor=st.floats(1.1, 1e6), frames=st.integers(2, 40), size=st.integers(2, 50),
    is_log=st.booleans(),
)  # fmt: skip
@settings(max_examples=40)
def test_windows_shrink_by_one_factor_around_a_place_that_stays(
    place: float, factor: float, frames: int, size: int, is_log: bool
) -> None:
    ends = (np.geomspace if is_log else np.linspace)(0.5, 8, 7)
    found = axis_values(MapAxis("lr", ends), place, Zoom({}, factor, frames, size))
    assert found.shape == (frames, size)
    np.testing.assert_allclose(found[0][[0, -1]], [0.5, 8])
    scaled, at = (np.log(found), np.log(place)) if is_log else (found, place)
    width = np.ptp(scaled, axis=1)
    np.testing.assert_allclose(width[1:] / width[:-1], factor ** (-1 / (frames - 1)), rtol=1e-6)
    assert width[0] / width[-1] == pytest.approx(factor, rel=1e-6)
    written = [enlargement(MapAxis("lr", ends), MapAxis("lr", part)) for part in found]
    np.testing.assert_allclose(written, factor ** np.linspace(0, 1, frames), rtol=1e-5)
    share = (at - scaled[:, 0]) / width
    np.testing.assert_allclose(share, share[0], atol=1e-6)
    assert ((found >= 0.5) & (found <= 8)).all()


def test_a_zoom_stops_where_neighbouring_pixels_share_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["-m", *MAP, "film=none", "dtype=float32", "epochs=1"]) == 0
    words = ["--at", "lr=3.2,init.scale=1.4", "--factor", "1e9", "--frames", "10", "--size", "4"]
    assert main(["zoom", "latest", *words]) == 0
    out = capsys.readouterr().out
    assert "stops before window 8 of 10, at a factor of " in out
    assert "beyond that, neighbouring pixels have the same float32" in out
    sweep = xortrain.load("latest")
    assert isinstance(sweep, Sweep)
    assert len(sweep.parts) == 7
    for name in ("lr", "init.scale"):
        values = sweep.column(name).astype(np.float32)[sweep.which == 6]
        assert len(np.unique(values)) == 4


REFUSED: dict[str, tuple[str, str]] = {
    "no place for a setting": ("--at lr=3", "--at: does not say init.scale, which varies in this sweep"),
    "a place outside": ("--at lr=30,init.scale=1", "--at: lr=30 is outside the map, which has 0.5 to 8"),
    "another setting": ("--at lr=3,init.scale=1,epochs=3", "--at=epochs: no such setting that varies here"),
    "no number": ("--at lr=x", "--at=lr=x: must be settings with their values"),
    "no zoom": ("--at lr=3,init.scale=1 --factor 1", "--factor=1: must be a number greater than 1"),
    "one frame": ("--at lr=3,init.scale=1 --frames 1", "--frames=1: must be a whole number from 2"),
    "too many cells": ("--at lr=3,init.scale=1 --size 5000", "--size=5000: must be a whole number from 3 to 2,048"),
    "too few cells": ("--at lr=3,init.scale=1 --size 2", "--size=2: must be a whole number from 3 to 2,048"),
    "no map": ("--at lr=3,init.scale=1 film=sweep", "film=sweep: a zoom is a map"),
    "a setting": ("--at lr=3,init.scale=1 lr=3", "lr=3: zoom takes only settings of the film"),
    "a size": ("--at lr=3,init.scale=1 film.size=[99,99]", "film.size=[99, 99]: must be width and height in pixels"),
}  # fmt: skip


@pytest.fixture(scope="module")
def map_of(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("zoom")
    xortrain.sweep(*MAP, "film=none", f"root={root}")
    return root


@pytest.mark.parametrize("case", REFUSED)
def test_a_zoom_that_cannot_be_is_refused_in_one_line(
    case: str, map_of: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, expected = REFUSED[case]
    before = sorted(map_of.rglob("*"))
    assert main(["zoom", "latest", "--root", str(map_of), *words.split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line
    assert sorted(map_of.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "at", "expected"),
    [
        (["lr=1,2,7,9", "init.scale=1,2"], "lr=3,init.scale=1", "lr: a zoom needs values at equal steps"),
        (["lr=1,2", "seed=range(0,3)"], "lr=1,seed=1", "seed: takes whole numbers"),
        (["lr=1,2", "init.scale=1,2", "seed=1,2"], "lr=1,init.scale=1,seed=3", "seed=3 was not trained"),
        (["lr=1,2", "init.scale=1,2", "loss=bce,mse"], "lr=1,init.scale=1", "has 2 populations"),
    ],
)  # fmt: skip
def test_a_sweep_without_two_continuous_axes_is_refused(
    words: list[str], at: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = xortrain.sweep(*words, "epochs=1", "film=none", f"root={tmp_path}")
    assert main(["zoom", str(sweep.folder), "--at", at, "--root", str(tmp_path)]) == 2
    assert expected in capsys.readouterr().err


def test_a_setting_beside_the_axes_is_that_of_the_place(tmp_path: Path) -> None:
    words = "lr=geomspace(1,4,3)", "init.scale=linspace(1,2,3)", "seed=1,2", "epochs=5", "film=none"
    sweep = xortrain.sweep(*words, f"root={tmp_path}")
    place = ["--at", "lr=2,init.scale=1.5,seed=2", "--frames", "2", "--size", "3", "--root", str(tmp_path)]
    assert main(["zoom", str(sweep.folder), *place]) == 0
    found = xortrain.load("latest", tmp_path)
    assert isinstance(found, Sweep)
    assert set(found.column("seed").tolist()) == {2}
    middle = found[4]
    assert (middle.config["lr"], middle.config["init"]["scale"]) == (pytest.approx(2), 1.5)
    own = [run for run in sweep if run.config["seed"] == 2 and run.config["lr"] == middle.config["lr"]]
    assert middle.row["final_loss"] in [run.row["final_loss"] for run in own]
