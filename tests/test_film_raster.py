"""film=raster: the row and the colour of each run, the labels of rows and peaks, and which files are read."""

import re
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from some_films import record_text, sweep_of

import xortrain
from xortrain.api import Sweep
from xortrain.cli import main
from xortrain.films.arrangement import quickest_first
from xortrain.films.colours import luminance
from xortrain.films.data import KINDS, FilmData, Outcomes
from xortrain.films.film import write_film
from xortrain.films.film_settings import FilmSettings
from xortrain.films.loss_colours import LossColours, find_peaks
from xortrain.films.raster_layout import RasterLayout, format_loss_shortly
from xortrain.films.sweep_film_data import SweepFilmData
from xortrain.records.reader import RecordReader
from xortrain.trained.run_data import TrainedRuns
from xortrain.views.sweep_film import quantiles, raster_data_of

SIZES = [(480, 300), (640, 360), (960, 540), (1280, 720), (500, 900)]


def runs_of(count: int) -> FilmData:
    """Runs of which every other one is solved at some epoch, and one diverges."""
    whole = sweep_of(count)
    is_solved = (np.arange(count) % 2 == 0) & (whole.outcomes.outcome != "diverged")
    outcome = np.where(is_solved, "solved", whole.outcomes.outcome)
    at = np.where(is_solved, 1 + np.arange(count) * 7 % 28, -1)
    return replace(whole, outcomes=replace(whole.outcomes, outcome=outcome, solved_at=at))


def raster(runs: int, **settings: object) -> RasterLayout:
    return RasterLayout(runs_of(runs), replace(FilmSettings(layout="raster"), **settings), 0)  # type: ignore[arg-type]


def swept(root: Path, *overrides: str) -> Sweep:
    return xortrain.sweep(*overrides, "film=none", f"root={root}")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("runs", [2, 40, 900])
def test_every_pixel_has_the_colour_of_its_runs_loss(runs: int, dark: bool) -> None:
    whole, layout = runs_of(runs), raster(runs, dark=dark)
    box, frame = layout.box, layout.frame(30)
    order = quickest_first(whole.outcomes, SweepFilmData.of(whole).filled_losses[-1])
    scale, same = layout.colours, []
    for y in range(0, box.height, 7):
        run = order[int((y + 0.5) / box.height * runs)]
        for x in range(0, box.width, 31):
            epoch = int(x / (box.width - 1) * 30)
            loss = whole.losses[epoch, run]
            if np.isnan(loss):
                same.append(frame[box.y + y, box.x + x] == scale.palette.no_value)
                continue
            depth = np.interp(np.log10(max(loss, scale.low)) if scale.log else loss, *_ends(scale))
            wanted = min(int(depth * scale.levels), scale.levels - 1)
            same.append(frame[box.y + y, box.x + x] == wanted)
    assert np.mean(same) > 0.93  # the others are on the lines


def _ends(scale: LossColours) -> tuple[list[float], list[float]]:
    ends = [scale.low, scale.high]
    return (np.log10(ends).tolist() if scale.log else ends), [1.0, 0.0]


@given(runs=st.integers(2, 300), seed=st.integers(0, 99))
def test_rows_are_in_the_order_of_outcome_and_speed(runs: int, seed: int) -> None:
    rng = np.random.RandomState(seed)
    outcome = rng.choice(["solved", "plateau", "dead", "learnt", "training", "exploded", "diverged"], runs).astype(
        object
    )
    at, losses = rng.randint(0, 99, (3, runs)), rng.rand(runs)
    outcomes = Outcomes(outcome, at[0], at[1], at[2], np.full(runs, 99), losses)
    order = quickest_first(outcomes, losses)
    assert sorted(order) == list(range(runs))
    assert (np.diff(outcomes.kinds[order]) >= 0).all()
    for kind, values, sign in ((["solved"], at[0], 1), (["diverged"], at[1], -1), (["plateau", "dead"], losses, 1)):
        own = order[np.isin(outcome[order], kind)]
        assert (sign * np.diff(values[own]) >= 0).all()


def test_the_line_is_where_each_run_is_solved() -> None:
    layout, box = raster(40), raster(40).box
    frame, palette = layout.frame(30), layout.canvas.palette
    white = palette.nearest(layout.canvas.colours.paper[None])[0]
    solved = np.flatnonzero(layout.outcomes.outcome == "solved")
    assert len(solved) > 3
    for row in solved[:-1]:
        y = box.y + round((row + 0.5) / 40 * box.height)
        x = box.x + layout.outcomes.solved_at[row] / 30 * box.width
        found = box.x + np.flatnonzero(frame[y, box.x : box.x + box.width] == white)
        assert np.abs(found - x).min() <= 2


def test_frames_uncover_the_rows_and_change_nothing_uncovered_before() -> None:
    """What is to come is pale, so no pixel of the rows changes more than once and nothing flashes."""
    layout = raster(40, frames=20)
    box, seen = layout.box, []
    for number in layout.chosen.tolist():
        frame = layout.frame(number)
        seen.append(frame[box.pixels][:, : max(round(layout.epochs[number] / 30 * box.width) - 2, 0)])
    for before, after in pairwise(seen):
        assert (before == after[:, : before.shape[1]]).all()
    assert (layout.chosen[0], layout.chosen[-1], len(layout.chosen)) == (0, 30, 20)


@pytest.mark.parametrize("dark", [False, True])
def test_what_is_to_come_is_pale_also_where_a_run_has_diverged(dark: bool) -> None:
    layout = raster(40, dark=dark)
    rgb, box = layout.canvas.palette.rgb.astype(float), layout.box
    first, last = (rgb[layout.frame(number)[box.pixels]] for number in (0, 30))
    paper = layout.canvas.colours.paper.astype(float)
    expected = 0.8 * paper + 0.2 * last
    diverged = (last == layout.canvas.colours.no_value).all(axis=2)
    assert diverged[:, 10:].sum() > 100
    is_pale = np.abs(first - expected).max(axis=2) <= 1
    assert is_pale[diverged][10:].mean() > 0.95  # the others are on lines
    assert is_pale.mean() > 0.9


def test_runs_that_are_lost_do_not_stretch_the_scale_of_the_others(tmp_path: Path) -> None:
    words = ("activation=relu", "output=identity", "loss=mse", "epochs=60")
    sweep = swept(tmp_path, *words, "lr=0.1,10,1e3", "seed=range(0,4)")
    layout = RasterLayout(raster_data_of(sweep, 100), FilmSettings(layout="raster"), 0)
    others = [run.losses.max() for run in sweep if run.outcome not in ("diverged", "exploded")]
    assert 0 < len(others) < len(sweep)
    assert np.nanmax(layout.losses) > 1e9 * max(others)
    assert layout.colours.high <= max(others)


@pytest.mark.parametrize("name", ["default", "rose", "violet", "grey", "viridis", "Blues"])
def test_lower_losses_are_lighter(name: str) -> None:
    scale = LossColours(np.geomspace(0.001, 10, 500), FilmSettings(colours=name))
    bands = scale.bands(np.geomspace(0.001, 10, 400))
    light = [luminance(scale.palette.rgb[band]) for band in bands]
    assert len(set(bands.tolist())) == 24
    assert (np.diff(light) <= 0).all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("runs", [2, 40, 900])
def test_no_text_touches_another_or_the_rows(runs: int, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    written = record_text(monkeypatch)
    layout = raster(runs, size=size)
    for number in (0, 17, 30):
        layout.frame(number)
        dynamic = written[-3:]
        for (word, one), (other_word, other) in combinations(written[:-3] + dynamic, 2):
            across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
            down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
            assert not (across > 2 and down > 2), (word, other_word)
        del written[-3:]
    for _, box in written:
        assert box.x >= 0
        assert box.x + box.width <= size[0]
        beside = box.x >= layout.box.x + layout.box.width or box.x + box.width <= layout.box.x
        assert beside or box.y + box.height <= layout.box.y + 1 or box.y >= layout.box.y + layout.box.height


@given(sizes=st.lists(st.integers(40, 400), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_every_narrow_cluster_of_losses_is_one_peak(sizes: list[int], seed: int) -> None:
    rng = np.random.RandomState(seed)
    centres = (np.arange(len(sizes)) + 0.5) / len(sizes)
    values = np.concatenate([centre + 0.004 * rng.randn(size) for centre, size in zip(centres, sizes, strict=True)])
    counts = np.histogram(values, 144, (0, 1))[0]
    peaks = find_peaks(counts)
    wanted = [size for size in sizes if size >= 0.03 * sum(sizes)]
    assert [int(counts[first:last].sum()) for first, last in peaks] == wanted


def test_labels_count_as_the_table_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = swept(tmp_path, "seed=range(0,60)", "lr=2", "epochs=300")
    written = record_text(monkeypatch)
    layout = RasterLayout(raster_data_of(sweep, 1000), FilmSettings(layout="raster"), 0)
    layout.frame(int(layout.chosen[-1]))
    words = [word for word, _ in written]
    (row,) = sweep.group(by="data")
    for kind in ("solved", "stuck"):
        assert words[words.index(kind) - 1] == f"{row[kind]:,}"
    assert f"{row['solved']} solved" in words
    counted = sum(
        int(word.split()[0]) for word in words if word.endswith((" runs", " run")) and word.split()[0].isdigit()
    )
    assert counted - len(sweep) * ("60 runs" in words) <= len(sweep)
    losses = sweep.column("final_loss")
    layout_peaks = [word for word in words if word == f"{np.median(losses[losses > 1.2]):.3g}"]
    assert layout_peaks or "one plateau" not in " ".join(words)


@pytest.mark.parametrize("runs", [1, 5, 999, 1000, 1001, 123_457])
def test_rows_of_many_runs_are_at_equal_steps(runs: int) -> None:
    places = quantiles(runs, 1000)
    assert len(np.unique(places)) == len(places) == min(runs, 1000)
    if runs > 1000:
        np.testing.assert_allclose(places, (np.arange(1000) + 0.5) / 1000 * runs, atol=1)


def test_only_the_losses_of_the_rows_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = swept(tmp_path, "seed=range(0,300)", "lr=2,4", "activation=tanh,relu", "epochs=40")
    read: list[tuple[str, int]] = []
    original = TrainedRuns.array

    def array(trained: TrainedRuns, what: str, runs: slice | np.ndarray = slice(None)) -> np.ndarray:
        if isinstance(trained.source, RecordReader):
            read.append((what, len(np.arange(len(trained.rows))[runs])))
        return original(trained, what, runs)

    monkeypatch.setattr(TrainedRuns, "array", array)
    shown = raster_data_of(sweep, 50)
    assert {what for what, _ in read} == {"losses"}
    assert sum(count for _, count in read) == 50 == shown.runs
    assert shown.all_outcomes.runs == 1200
    solved = (sweep.column("outcome") == "solved").mean()
    assert abs((shown.outcomes.outcome == "solved").mean() - solved) <= 1 / 50
    for part in shown.parts:
        assert np.isfinite(part.losses[0]).all()


def test_a_raster_from_the_command_line_is_a_film_and_a_still(tmp_path: Path) -> None:
    words = ["-m", "film=raster", "seed=range(0,5)", "epochs=20", "film.frames=4", f"root={tmp_path}"]
    assert main(words) == 0
    (film,) = tmp_path.rglob("film.gif")
    assert iio.improps(film).shape == (4, 540, 960, 3)
    assert main(["render", "latest", "film=raster", "--still", "--root", str(tmp_path)]) == 0
    assert iio.imread(film.with_name("raster.png")).shape[:2] == (540, 960)


@pytest.mark.parametrize("outcome", ["diverged", "plateau"])
def test_runs_that_all_end_alike_have_a_raster(outcome: str, tmp_path: Path) -> None:
    whole = sweep_of(5)
    at = np.full(5, 3 if outcome == "diverged" else -1)
    losses = np.where((np.arange(31)[:, None] >= 3) & (outcome == "diverged"), np.nan, 0.7 + 0 * whole.losses[:, :1])
    ended = replace(
        whole.outcomes, outcome=np.full(5, outcome, object), solved_at=np.full(5, -1), diverged_at=at, exploded_at=at
    )
    one = replace(whole, losses=np.repeat(losses, 5, axis=1)[:, :5], outcomes=ended)
    assert write_film(one, FilmSettings(layout="raster", frames=3), tmp_path / "film.png").is_file()
    assert KINDS[int(ended.kinds[0])] in ("diverged", "stuck")


def test_a_peak_is_named_near_its_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two bars apart at most, which is less than a label is high."""
    sweep = swept(tmp_path, "lr=0.5,1,2,4", "seed=range(0,12)", "epochs=300")
    written = record_text(monkeypatch)
    layout = RasterLayout(raster_data_of(sweep, 1000), FilmSettings(layout="raster"), 0)
    words, losses = [word for word, _ in written], np.sort(sweep.column("final_loss"))
    counted = [number for number, word in enumerate(words) if word.split()[1:] in (["run"], ["runs"])]
    assert len(counted) >= 3
    for number in counted:
        box, loss = written[number - 1][1], float(words[number - 1])
        (at,) = layout.colours.depth(np.array([loss]))
        assert abs(box.y + box.height - layout.box.y - at * layout.box.height) < 32 * layout.canvas.unit * 0.6
        assert np.isclose(losses, loss, rtol=0.2).any()


ENDED = {
    "all diverge": ["lr=1e9", "activation=identity", "output=identity", "loss=mse"],
    "all stop": ["stop=loss", "stop.below=2.5", "lr=1,4"],
    "all stop at once": ["stop=loss", "stop.below=100"],
    "one of two lengths stops": ["stop=loss", "stop.below=2.6", "epochs=40,140"],
    "nothing is trained": ["epochs=0"],
}


@pytest.mark.parametrize("words", ENDED.values(), ids=ENDED)
def test_the_film_ends_where_the_last_run_ended(words: list[str], tmp_path: Path) -> None:
    sweep = swept(tmp_path, "seed=range(0,6)", *words)
    layout = RasterLayout(raster_data_of(sweep, 1000), FilmSettings(layout="raster"), 0)
    last = int(sweep.column("epochs_done").max())
    assert layout.epochs[layout.chosen[-1]] == last
    for number in layout.chosen[[0, -1]].tolist():
        assert layout.frame(number).any()
    losses = np.sort(layout.losses[-1][np.isfinite(layout.losses[-1])])
    np.testing.assert_array_equal(losses, np.sort(sweep.column("final_loss")[sweep.column("outcome") != "diverged"]))


@pytest.mark.parametrize("powers", [(-30, 1), (-2, 280), (-300, 300), (-12, 1), (-3, 0)], ids=str)
def test_the_scale_of_colours_is_labelled_from_end_to_end(powers: tuple[int, int]) -> None:
    scale = LossColours(np.logspace(*powers, 2000), FilmSettings(layout="raster"))
    labelled = np.sort([depth for depth, word in scale.ticks() if word])
    assert len(labelled) >= 3
    assert np.diff(np.concatenate([[0], labelled, [1]])).max() < 0.45


@given(mantissa=st.floats(1, 9.99), power=st.integers(-200, 200))
@example(8.765, 3)
def test_the_loss_of_a_peak_is_a_number_without_an_e(mantissa: float, power: int) -> None:
    loss = float(f"{mantissa}e{power}")
    word = format_loss_shortly(loss)
    found = re.fullmatch(r"(?:([0-9.]+)|(?:([0-9.]+)·)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]*))", word)
    assert found
    plain, factor, above = found.groups()
    exponent = int((above or "1").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
    assert (float(plain) if plain else float(factor or 1) * 10.0**exponent) == pytest.approx(loss, rel=0.06)
