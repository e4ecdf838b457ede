"""Maps: each pixel is the run of its two settings, with the colour of its outcome from the epoch of it on."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from some_films import record_text
from test_film_colours import DEFICIENCIES, lab, linear
from test_film_sweeps import overlap

import xortrain
from xortrain.api import Sweep
from xortrain.cli import main
from xortrain.config.check import check
from xortrain.errors import UserError
from xortrain.films.canvas import Box
from xortrain.films.film_settings import LAYOUTS, FilmSettings
from xortrain.films.map_axis import MapAxis, tick_words
from xortrain.films.map_colours import STATES, MapColours, map_colours, shades
from xortrain.films.map_data import MapData, MapWindow
from xortrain.films.map_layout import MapLayout, nearest_cells
from xortrain.films.map_places import LEAST_FILLED, cell_pixels
from xortrain.nets import Array
from xortrain.setup.film_config import with_film
from xortrain.training.outcome import OUTCOMES
from xortrain.views.map_film import map_data, weight_name

pytestmark = pytest.mark.usefixtures("quick_composition")
RATES, SCALES = np.geomspace(0.5, 10, 7), np.geomspace(0.5, 3, 6)


def written(values: Array) -> str:
    return ",".join(map(repr, values.tolist()))


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    root = tmp_path_factory.mktemp("maps")
    words = f"lr={written(RATES)}", f"init.scale={written(SCALES)}", "epochs=60", "film=none"
    return xortrain.sweep(*words, f"root={root}")


def shown_by(sweep: Sweep, **film: str) -> MapData:
    return map_data(sweep, with_film(sweep.config, layout="map", **film))


def grid(words: list[str], across: int, down: int, runs: int = 1, epochs: int = 50) -> MapData:
    """Random outcomes at random epochs."""
    rng = np.random.RandomState(1)
    shape = (down, across, runs)
    code = np.array([OUTCOMES.index(word) for word in words], np.uint8)[rng.randint(0, len(words), shape)]
    since = np.where(np.isin(code, [1, 2, 10]), rng.randint(0, epochs, shape), epochs)
    axes = MapAxis("init.scale", np.geomspace(0.1, 20, across)), MapAxis("lr", np.geomspace(0.05, 50, down))
    value = rng.lognormal(0, 3, shape)
    title = "XOR   2-2-1 sigmoid   bce   seed 0"
    return MapData((MapWindow(*axes, code, since, value),), OUTCOMES, title, epochs)


def at_every_cell(layout: MapLayout, frame: Array) -> Array:
    """The palette index in the middle of each cell, the lowest values of both axes first."""
    (across, down), box = layout.data.windows[0].cells, layout.cells
    y = box.y + box.height - 1 - ((np.arange(down) + 0.5) * box.height / down).astype(int)
    x = box.x + ((np.arange(across) + 0.5) * box.width / across).astype(int)
    return np.asarray(frame[y[:, None], x])


def test_each_cell_has_the_colour_of_the_run_with_its_settings(swept: Sweep) -> None:
    layout = MapLayout(shown_by(swept), FilmSettings(layout="map"), 0)
    solved = layout.colours.legend[0].bands
    for epoch in (0, 20, 60):
        cells = at_every_cell(layout, layout.frame(epoch))
        for run in swept:
            row = int(np.abs(RATES - run.config["lr"]).argmin())
            column = int(np.abs(SCALES - run.config["init"]["scale"]).argmin())
            is_early = run.outcome == "solved" and run.row["solved_at"] <= epoch
            assert (cells[row, column] in solved) == is_early
            if epoch == 60 and not is_early:
                assert cells[row, column] == list(STATES).index(run.outcome)
            if epoch < 60 and run.outcome in ("plateau", "saturated", "training"):
                assert cells[row, column] == list(STATES).index("training")


def test_runs_solved_earlier_have_a_colour_further_from_still_training(swept: Sweep) -> None:
    layout = MapLayout(shown_by(swept), FilmSettings(layout="map"), 0)
    last, window = layout.colours.bands(layout.data.windows[0], 60), layout.data.windows[0]
    solved = window.code[..., 0] == OUTCOMES.index("solved")
    order = np.argsort(window.since[..., 0][solved], kind="stable")
    assert solved.sum() >= 3
    assert (np.diff(last[solved][order].astype(int)) <= 0).all()


@pytest.mark.parametrize("by", ["loss", "solved", "outcome"])
def test_a_map_with_seeds_shows_the_median_or_the_share(by: str, tmp_path: Path) -> None:
    words = "seed=range(0,3)", "lr=1,3", "init.scale=1,2", "epochs=70", "film=none"
    sweep = xortrain.sweep(*words, f"root={tmp_path}")
    if by == "outcome":
        with pytest.raises(UserError, match=r"3 runs for each pair of lr and init\.scale, which differ in seed"):
            shown_by(sweep, colour_by=by)
        return
    shown = shown_by(sweep) if by == "solved" else shown_by(sweep, colour_by=by)
    assert (shown.colour_by, shown.others, shown.windows[0].code.shape) == (by, ("seed",), (2, 2, 3))
    for row, rate in enumerate((1, 3)):
        for column, scale in enumerate((1, 2)):
            some = [run for run in sweep if (run.config["lr"], run.config["init"]["scale"]) == (rate, scale)]
            outcomes = shown.windows[0].code[row, column].tolist()
            assert outcomes == [OUTCOMES.index(run.outcome) for run in some]
            if shown.windows[0].value is not None:
                wanted = [run.row["final_loss"] for run in some]
                assert shown.windows[0].value[row, column].tolist() == wanted


REFUSED = {
    "film=map lr=1,2": "needs two settings that vary, as in -m lr=0.5,1,2 init.scale=0.5,1,2; here only lr varies",
    "film=map lr=1,2 activation=tanh,relu": "activation is not a number",
    "film=map lr=1,2 init.scale=1,2 optimizer.momentum=0,0.5": (
        "has two axes, and lr, init.scale and optimizer.momentum vary"
    ),
    "film=map lr=1,2 init.scale=1,2 film.x=momentum": "film.x=momentum: no such setting that varies here",
    "film=map lr=1,2 init.scale=1,2 seed=1,2 film.colour_by=outcome": "2 runs for each pair of lr and init.scale",
    "film=map lr=1,2 init.scale=1,2 film.colour_by=test_accuracy": "needs held-out examples",
    "film=map lr=1,2 init.scale=1,2 film.colour_by=luck": "film.colour_by=luck: must be one of auto, outcome",
    "film=basins lr=1,2 init.scale=1,2": "init.scale is not a start weight, as init.set.W1.0.1 is; choose film=map",
    "film=basins init.set.W1.0.0=1,2 init.set.W1.0.1=1,2 data=parity data.bits=3": (
        "needs two inputs and one output; these data"
    ),
    "film=basins init.set.W1.0.0=1,2 init.set.W1.0.1=1,2 data=gauss": "needs a truth table of two inputs, as data=xor",
    "film=basins init.set.W1.0.0=1,2 init.set.W1.0.1=1,2 seed=1,2": "2 runs for each pair of W1[0, 0] and W1[0, 1]",
    "film=basins init.set.W1.0.0=1,2": "needs two settings that vary",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_forms_no_map_or_has_no_basins_is_refused_in_one_line_before_training(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["-m", "epochs=1", *words.split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert REFUSED[words] in line
    assert not list(tmp_path.iterdir())


def test_missing_combinations_are_counted(swept: Sweep) -> None:
    some = swept[np.setdiff1d(np.arange(42), [5, 17])]
    with pytest.raises(UserError, match=r"2 of 42 combinations of lr and init\.scale have no run"):
        shown_by(some)


def test_axes_can_be_named_and_swapped(swept: Sweep) -> None:
    one, other = shown_by(swept).windows[0], shown_by(swept, y="scale").windows[0]
    assert (one.down.name, one.across.name) == (other.across.name, other.down.name) == ("lr", "init.scale")
    np.testing.assert_array_equal(one.code, other.code.swapaxes(0, 1))


def test_a_map_keeps_rows_and_two_snapshots_unless_track_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["-m", "film=map", "lr=1,2", "init.scale=1,2", "epochs=50"]
    assert main([*words, "film.frames=2", "track.losses=9"]) == 0
    (folder,) = (path.parent for path in tmp_path.rglob("film.gif"))
    assert [len(np.load(folder / f"{what}-epochs.npy")) for what in ("frame", "loss")] == [2, 9]
    capsys.readouterr()
    assert main(["render", "latest", "--still", "film.dark=true"]) == 0  # as a map, which its record names
    assert main(["render", "latest#1", "film.frames=2"]) == 0


def test_a_long_table_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rates = written(np.linspace(0.1, 4, 15))
    assert main(["-m", "film=none", f"lr={rates}", f"init.scale={rates}", "epochs=3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "and 125 more groups" in lines
    assert len(lines) < 110


EVERY = [*STATES, "solved"]
SIZES = [None, LAYOUTS["map"].smallest, (640, 360), (1280, 720), (380, 700)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cells", [(96, 96), (700, 700), (40, 9), (2, 2)])
def test_no_text_overlaps_another_or_the_cells_at_any_size(
    cells: tuple[int, int], size: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = record_text(monkeypatch)
    layout = MapLayout(grid(EVERY, *cells), FilmSettings(layout="map", size=size), 0)
    frame = layout.frame(50)
    assert size is None or frame.shape == size[::-1]
    bars = [Box(box.x, box.y, box.width, box.height) for box in layout.places.legend]
    for box in (layout.cells, *bars):
        assert min(box.x, box.y) >= 0
        assert box.x + box.width <= frame.shape[1]
        assert box.y + box.height <= frame.shape[0]
    assert not any(overlap(box, layout.cells) for _, box in texts)
    for (one, box), (other, another) in combinations(texts, 2):
        assert not overlap(box, another, slack=1), (one, other)


@pytest.mark.parametrize("size", [(360, 290), (480, 300), (480, 1200), (700, 1300), (1000, 1300)])
@pytest.mark.parametrize("cells", [(2, 2), (2, 60), (5, 400), (60, 2)])
@pytest.mark.parametrize("by", ["outcome", "solved"])
def test_texts_and_legend_are_whole_beside_cells_much_narrower_than_the_picture(
    cells: tuple[int, int], size: tuple[int, int], by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = record_text(monkeypatch)
    data = replace(grid(["solved", "plateau", "dead"], *cells), colour_by=by)
    layout = MapLayout(data, FilmSettings(layout="map", size=size), 0)
    layout.frame(50)
    for box in (layout.cells, *layout.places.legend, *(box for _, box in texts)):
        assert box.x >= 0
        assert box.x + box.width <= size[0]
    assert not any(words.endswith("…") for words, _ in texts)


@given(across=st.integers(1, 500), down=st.integers(1, 500), wide=st.integers(20, 400), high=st.integers(20, 400))
@settings(max_examples=40)
def test_cells_are_whole_squares_or_each_pixel_is_the_nearest_run(across: int, down: int, wide: int, high: int) -> None:
    found = cell_pixels((across, down), (wide, high))
    assert 1 <= found[0] <= wide
    assert 1 <= found[1] <= high
    scale = min(wide / across, high / down)
    if max(across, down) <= 2.5 * min(across, down):
        assert max(found[0] / wide, found[1] / high) >= LEAST_FILLED - 0.05 or scale < 1
        if int(scale) >= LEAST_FILLED * scale:
            assert found == (across * int(scale), down * int(scale))
    for pixels, cells in zip(found, (across, down), strict=True):
        centre = (np.arange(pixels) + 0.5) / pixels
        away = np.abs(centre[:, None] - (np.arange(cells) + 0.5) / cells)
        chosen = nearest_cells(pixels, cells)
        assert (away[np.arange(pixels), chosen] <= away.min(axis=1) + 1e-9).all()


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (np.linspace(-6, 6, 256), "linear"),
        (np.geomspace(0.05, 50, 256), "log"),
        (np.array([0.1, 0.2, 0.5, 1, 2, 5]), "rank"),
        (np.arange(10), "linear"),
        (np.geomspace(3.2, 3.2000001, 160), "linear"),  # too narrow to tell, and the same picture
        (np.array([1.0, 10.0]), "linear"),
    ],
)
def test_axes_are_logarithmic_where_the_values_are(values: Array, scale: str) -> None:
    axis = MapAxis("lr", values)
    assert axis.scale == scale
    np.testing.assert_allclose(axis.place(values), (np.arange(len(values)) + 0.5) / len(values), atol=0.03)


@given(
    low=st.floats(1e-6, 1e3), ratio=st.floats(1.0001, 1e8), count=st.integers(2, 300), most=st.integers(2, 10),
    kind=st.sampled_from([np.linspace, np.geomspace]),
)  # fmt: skip
def test_ticks_are_few_inside_and_say_where_they_are(
    low: float, ratio: float, count: int, most: int, kind: Callable[..., Array]
) -> None:
    axis = MapAxis("lr", kind(low, low * ratio, count))
    values, words, origin = axis.ticks(most)
    assert 2 <= len(values) == len(words) <= most
    assert ((axis.place(values) >= 0) & (axis.place(values) <= 1)).all()
    read = np.array([float(word) for word in words]) + (float(origin) if origin else 0)
    apart = np.diff(values, append=np.inf) if len(values) > 1 else abs(values)
    assert (np.abs(read - values) <= 0.06 * np.minimum(apart, np.r_[np.inf, apart[:-1]]) + 1e-12 * values).all()


def test_round_ticks() -> None:
    assert MapAxis("lr", np.geomspace(0.05, 50, 256)).ticks(10)[1] == [
        "0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50",
    ]  # fmt: skip
    assert MapAxis("w", np.linspace(-6, 6, 256)).ticks(7)[1] == ["-6", "-4", "-2", "0", "2", "4", "6"]
    assert MapAxis("lr", np.array([0.1, 0.25, 1, 7])).ticks(9)[1] == ["0.1", "0.25", "1", "7"]
    assert tick_words(np.array([1e-5, 1e6, 2.5e7])) == ["1e-5", "1e6", "2.5e7"]


@pytest.mark.parametrize("dark", [False, True])
def test_every_outcome_differs_from_every_other_and_from_solved_for_every_eye(dark: bool) -> None:
    colours = map_colours(grid(EVERY, 9, 9), FilmSettings(layout="map", dark=dark, levels=24)).palette.rgb
    states, often = colours[: len(STATES)], ("training", "plateau", "saturated", "dead", "exploded", "diverged")
    ramp = shades(FilmSettings(dark=dark), 0, 24)
    for seen in (np.eye(3), *map(np.array, DEFICIENCIES.values())):
        points, solved = lab(linear(states) @ seen.T), lab(linear(ramp) @ seen.T)
        for (k, one), (n, other) in combinations(enumerate(STATES), 2):
            least = 15 if {one, other} <= set(often) else 8
            assert np.linalg.norm(points[k] - points[n]) > least, (one, other)
        assert (np.linalg.norm(points[:-1, None] - solved, axis=2) > 14).all()  # the last is the colour of paper


@pytest.mark.parametrize("by", ["outcome", "loss", "solved", "test_accuracy"])
@pytest.mark.parametrize("colours", ["default", "rose", "viridis"])
def test_a_colour_scale_fits_its_palette_and_its_ticks_are_in_order(by: str, colours: str) -> None:
    shown = replace(grid(EVERY, 30, 20, runs=1 if by != "solved" else 4), colour_by=by)
    for levels in (2, 24, 100):
        made: MapColours = map_colours(shown, FilmSettings(layout="map", levels=levels, colours=colours))
        bands = made.bands(shown.windows[0], 50)
        assert bands.shape == (20, 30)
        assert bands.max() < made.palette.bands < len(made.palette.rgb) <= 255
        for item in made.legend:
            places = [place for place, _ in item.ticks]
            assert places == sorted(places)
            assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)


@pytest.mark.parametrize("spacing", ["progress", "epochs", "log"])
@pytest.mark.parametrize("frames", [1, 2, 9, 60])
def test_frames_are_increasing_epochs_that_end_with_the_last(frames: int, spacing: str) -> None:
    chosen = grid(["solved", "plateau"], 8, 8, epochs=300).frames(frames, spacing)
    assert 1 <= len(chosen) <= frames
    assert chosen[-1] == 300
    assert frames == 1 or chosen[0] == 0
    assert (np.diff(chosen) > 0).all()


@pytest.mark.parametrize(("epochs", "word"), [(0, "not trained"), (50, "still training")])
def test_a_map_of_untrained_networks_does_not_say_that_they_are_training(epochs: int, word: str) -> None:
    layout = MapLayout(replace(grid(["training"], 4, 4), epochs=epochs), FilmSettings(layout="map"), 0)
    assert [item.word for item in layout.colours.legend] == [word]


def test_a_share_of_one_run_is_singular() -> None:
    layout = MapLayout(replace(grid(["solved"], 4, 4), colour_by="solved"), FilmSettings(layout="map"), 0)
    assert layout.colours.legend[0].word == "solved of 1 run"


def test_the_summary_of_a_map_of_untrained_networks_does_not_say_that_they_are_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-m", "lr=1,2", "init.scale=1,2", "epochs=0", "film=map", f"root={tmp_path}"]) == 0
    assert "4 runs: 100 % not trained\n" in capsys.readouterr().out


def test_weights_are_named_as_everywhere() -> None:
    assert weight_name("init.set.W1.0.1") == weight_name("init.weights.W1.0.1") == "start of W1[0, 1]"
    assert weight_name("init.set.b2.0") == "start of b2[0]"
    assert [weight_name(name) for name in ("lr", "init.scale", "init.set")] == ["lr", "init.scale", "init.set"]


def test_every_map_is_a_setting_with_a_default() -> None:
    for name, row in LAYOUTS.items():
        if row.is_map:
            config = with_film(check(xortrain.train("epochs=0").config), layout=name)
            assert config["film"].keys() == row.settings.keys() | {"name"}


RIGHT = "init.weights={W1: [[20,20],[-20,-20]],b1: [-10,30],W2: [[20,20]],b2: [-30]}"


@pytest.mark.parametrize("layout", ["map", "basins"])
@pytest.mark.parametrize(
    ("words", "last"), [([], 60), (["stop=solved"], 0), (["lr=1e9", "activation=identity", "output=identity"], None)]
)
def test_a_map_ends_with_the_last_epoch_of_a_run_and_not_of_an_event(
    words: list[str], last: int | None, layout: str, tmp_path: Path
) -> None:
    """Also where every run is solved at once: it was trained on."""
    axes = ["init.set.W1.0.0=20,21", "init.set.W1.0.1=20,21"]
    loss = ["loss=mse"] if last is None else []
    sweep = xortrain.sweep(RIGHT, *axes, "epochs=60", "film=none", f"root={tmp_path}", *words, *loss)
    shown = shown_by(sweep, name=layout)
    assert shown.epochs == sweep.column("epochs_done").max()
    assert last is None or shown.epochs == last
