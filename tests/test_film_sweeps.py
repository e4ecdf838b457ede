"""The film of a sweep: where each run has its cell, what the marks in it show, and the text around the cells."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_films import film_data, net, parity, record_text, sweep_of

from xortrain.films.arrangement import MOST_CELLS, arrange_runs
from xortrain.films.canvas import Box, Canvas
from xortrain.films.data import KINDS, Outcomes
from xortrain.films.film_settings import FilmSettings
from xortrain.films.loss_curve import spread_labels
from xortrain.films.losses_layout import quartiles
from xortrain.films.solved_share import format_share
from xortrain.films.status_marks import OFF_SCALE
from xortrain.films.sweep_film_data import SweepFilmData
from xortrain.films.sweep_layout import SweepLayout
from xortrain.nets import Array
from xortrain.training.outcome import ORDER


def swept(**varied: np.ndarray) -> SweepFilmData:
    return SweepFilmData.of(replace(sweep_of(12), varied=varied))


def test_two_settings_that_form_a_grid_label_rows_and_columns() -> None:
    rate, seed = np.repeat([0.5, 1.0, 2.0], 4), np.tile(np.arange(4), 3)
    cells = arrange_runs(swept(lr=rate, seed=seed, momentum=np.zeros(12)))
    assert (cells.down, cells.across) == ("lr", "seed")
    assert cells.row_names == ("0.5", "1", "2")
    assert cells.column_names == ("0", "1", "2", "3")
    for (row, column), run in np.ndenumerate(cells.runs):
        assert (cells.row_names[row], cells.column_names[column]) == (f"{rate[run]:.3g}", str(seed[run]))


@pytest.mark.parametrize("counts", [(4, 3, 2, 3), (2, 2, 2, 2, 2, 2), (5, 4, 3), (2, 30), (3, 50), (18, 4), (2, 2)])
def test_settings_are_divided_so_that_the_grid_is_about_as_wide_as_its_room(counts: tuple[int, ...]) -> None:
    values = [axis.ravel() for axis in np.indices(counts)]
    runs = len(values[0])
    one = replace(sweep_of(1), parameters=np.zeros((1, 9, runs)), varied=dict(zip("abcdef", values, strict=False)))
    own = {name: np.resize(array, runs) for name, array in vars(one.outcomes).items() if isinstance(array, np.ndarray)}
    cells = arrange_runs(SweepFilmData.of(replace(one, outcomes=replace(one.outcomes, **own))))
    rows, columns = cells.runs.shape
    assert sorted(cells.shown) == list(range(runs))
    assert abs(np.log(columns / rows / 1.6)) < 1.7
    settings = dict(zip("abcdef", values, strict=False))
    for (row, column), run in np.ndenumerate(cells.runs):
        named = list(zip(cells.down.split(", "), cells.row_names[row // cells.lines].split("  "), strict=True))
        if cells.column_names:
            named += zip(cells.across.split(", "), cells.column_names[column].split("  "), strict=True)
        assert all(run < 0 or settings[name][run] == int(value) for name, value in named)


@pytest.mark.parametrize("missing", [{"seed": np.arange(12)}, {"lr": np.repeat([1.0, 2.0], 6), "seed": np.arange(12)}])
def test_without_a_grid_the_cells_are_in_order_of_the_outcomes(missing: dict[str, np.ndarray]) -> None:
    whole = sweep_of(12)  # solved_at has the type that records have
    short = replace(whole.outcomes, solved_at=whole.outcomes.solved_at.astype(np.int32))
    one = SweepFilmData.of(replace(whole, varied=missing, outcomes=short))
    order = arrange_runs(one).shown
    assert sorted(order) == list(range(12))
    assert order[-1] == 1  # the one that diverged
    solved = one.outcomes.solved_at[order][one.outcomes.outcome[order] == "solved"]
    assert (np.diff(solved) >= 0).all()
    assert (one.outcomes.outcome[order][: len(solved)] == "solved").all()


@given(runs=st.integers(1, 1500), seed=st.integers(0, 99))
def test_at_most_four_hundred_cells_show_every_outcome(runs: int, seed: int) -> None:
    rng = np.random.RandomState(seed)
    words = ["solved", "plateau", "learnt", "dead", "exploded", "diverged"]
    outcome = rng.choice(words, runs, p=[0.6, 0.28, 0.05, 0.015, 0.05, 0.005]).astype(object)
    at, never = rng.randint(0, 99, runs), np.full(runs, -1)
    outcomes = Outcomes(outcome, at, np.full(runs, 3), never, np.full(runs, 99), np.full(runs, np.nan))
    one = replace(sweep_of(1), parameters=np.zeros((1, 9, runs)), outcomes=outcomes, varied={})
    shown = arrange_runs(SweepFilmData.of(one)).shown
    assert len(np.unique(shown)) == len(shown) == min(runs, MOST_CELLS)
    assert set(outcome[shown]) == set(outcome)
    assert (np.diff([KINDS.index(outcomes.kind_of[word]) for word in outcome[shown]]) >= 0).all()
    for word in set(outcome):
        share, wanted = ((words == word).mean() * len(shown) for words in (outcome[shown], outcome))
        assert abs(share - wanted) < 3  # each has one at least, so others may lack some


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("runs", [12, 100, 400])
def test_marks_are_ink_on_paper_below_their_cells(runs: int, dark: bool) -> None:
    layout = SweepLayout(sweep_of(runs), FilmSettings(layout="sweep", dark=dark), 0)
    rgb, colours = layout.canvas.palette.rgb, layout.canvas.colours
    before, after = layout.frame(0), layout.frame(30)
    for run, box, place in zip(layout.runs, layout.boxes, layout.marks.places, strict=True):
        assert box.y + box.height < place.y
        assert box.x <= place.x < place.x + place.width <= box.x + box.width
        kind = KINDS[layout.data.outcomes.kinds[run]]
        mark = rgb[after[place.pixels]].reshape(-1, 3)
        assert (rgb[before[place.pixels]] == colours.paper).all()
        assert (mark == colours.ink).all(1).any() == (
            kind in ("solved", "learnt", "stuck")
        )  # the others are grey cells


SIZES = [None, (200, 150), (320, 240), (640, 360), (960, 540), (1280, 720), (500, 900)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("runs", [2, 36, 100, 400])
def test_nothing_but_the_examples_covers_a_cell(runs: int, size: tuple[int, int] | None) -> None:
    """Every pixel is the band of the run's output there, except under the marks of the examples."""
    whole = sweep_of(runs)
    layout = SweepLayout(whole, FilmSettings(layout="sweep", size=size), 0)
    frame, free = layout.frame(30), np.ones((layout.margins.height, layout.margins.width), bool)
    group = layout.cells.groups[0][1]
    if group.marks:
        free.ravel()[group.marks.where] = False
    (slice_,) = group.projection.slices
    for run, box in list(zip(layout.runs, layout.boxes, strict=True))[:: max(runs // 20, 1)]:
        if whole.outcomes.outcome[run] == "diverged":
            continue
        points = group.projection.grid(0, box.width, box.height)
        y = whole.network.forward(whole.parameters[30, :, run], points.reshape(2, -1).T).y.T
        wanted, open_to_sight = group.scale.bands(y).reshape(box.height, box.width), free[box.pixels]
        assert (np.abs(frame[box.pixels].astype(int) - wanted) <= 1)[open_to_sight].mean() > 0.99
        corners = open_to_sight[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert corners.all()
        assert slice_ is group.projection.slices[0]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("runs", [2, 100])
def test_the_share_solved_is_a_third_of_the_frame_and_is_that_of_the_counts(
    runs: int, size: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sweep_of(runs)
    layout, written = SweepLayout(whole, FilmSettings(layout="sweep", size=size), 0), record_text(monkeypatch)
    assert layout.solved
    assert layout.margins.headline.height / layout.margins.height == pytest.approx(1 / 3, abs=0.02)
    plot, ink = layout.solved.plot, layout.canvas.palette.nearest(layout.canvas.colours.ink[None])[0]
    at = whole.outcomes.solved_at[whole.outcomes.outcome == "solved"]
    for epoch in (0, 9, 30):
        written.clear()
        frame = layout.frame(epoch)
        assert format_share(int((at <= epoch).sum()), runs) in [words for words, _ in written]
    for epoch in (3, 9, 20):
        column = plot.x + round((epoch + 0.5) / 30 * plot.width)
        heights = np.flatnonzero(frame[plot.y - 3 : plot.y + plot.height + 4, column] == ink) - 3
        assert 1 - heights.mean() / plot.height == pytest.approx((at <= epoch).sum() / runs, abs=2.5 / plot.height)


def test_the_curve_ahead_is_pale_and_its_past_is_ink() -> None:
    layout = SweepLayout(sweep_of(100), FilmSettings(layout="sweep"), 0)
    assert layout.solved
    plot, ink = layout.solved.plot, layout.canvas.palette.nearest(layout.canvas.colours.ink[None])[0]
    has_ink = (layout.frame(15)[plot.pixels] == ink).any(axis=0)
    assert has_ink[: plot.width // 2 - 6].all()
    assert not has_ink[plot.width // 2 + 6 :].any()


@pytest.mark.parametrize("outcome", ["diverged", "exploded"])
def test_a_run_that_has_diverged_or_exploded_is_grey_whatever_its_parameters_are(outcome: str) -> None:
    whole = sweep_of(12)
    words, at = whole.outcomes.outcome.copy(), np.where(np.arange(12) == 1, 5, -1)
    words[1], events = outcome, {"diverged_at": np.full(12, -1), f"{outcome}_at": at}
    outcomes = replace(whole.outcomes, outcome=words, **events)
    one = replace(whole, parameters=np.nan_to_num(whole.parameters, nan=1e12), outcomes=outcomes)
    for number, is_grey in ((4, False), (5, True), (30, True)):
        layout = SweepLayout(one, FilmSettings(layout="sweep"), 0)
        frame, cell = layout.frame(number), layout.boxes[layout.runs.tolist().index(1)]
        assert ((frame[cell.pixels] == layout.canvas.palette.no_value).mean() > 0.8) == is_grey


def test_quartiles_leave_out_runs_without_a_value() -> None:
    losses = np.array([[1, 2, 3, 4, 5.0], [1, 2, 3, np.nan, np.nan], [np.nan] * 5, [1, np.inf, 1, 1, 1]])
    low, middle, high = quartiles(losses)
    np.testing.assert_array_equal(middle, [3, 2, np.nan, 1])
    np.testing.assert_array_equal(low, [2, 1.5, np.nan, 1])
    np.testing.assert_array_equal(high, [4, 2.5, np.nan, 1])


def test_the_larger_of_two_labels_of_equal_height_stands_above() -> None:
    box = Box(0, 0, 100, 200)
    assert spread_labels([50.0, 50.0, 50.0], 24, box) == [98, 74, 50]
    assert spread_labels([190.0, 120.0, 120.0], 24, box) == [190, 144, 120]


@pytest.mark.parametrize("dark", [False, True])
def test_a_cell_without_colours_is_grey_with_the_mark_of_its_reason(
    dark: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From epoch 20 on the outputs of runs 2 and 3 are off the scale; from epoch 25 on run 3 has exploded."""
    whole = sweep_of(12)
    parameters, outcome, exploded = whole.parameters.copy(), whole.outcomes.outcome.copy(), np.full(12, -1)
    parameters[20:, :, 2:4], outcome[2:4], exploded[3] = 1e30, ["plateau", "exploded"], 25
    layers = (whole.network.layers[0], replace(whole.network.layers[1], activation="identity"))
    one = replace(
        whole, network=replace(whole.network, layers=layers), parameters=parameters,
        outcomes=replace(whole.outcomes, outcome=outcome, exploded_at=exploded),
    )  # fmt: skip
    layout = SweepLayout(one, FilmSettings(layout="sweep", dark=dark), 0)
    boxes = {run: layout.boxes[layout.runs.tolist().index(run)] for run in range(12)}
    written = record_text(monkeypatch)
    for number in (0, 4, 5, 19, 20, 24, 25, 30):
        written.clear()
        frame = layout.frame(number)
        assert (OFF_SCALE in [word for word, _ in written]) == (number >= 20)
        for run, box in boxes.items():
            found = {
                kind
                for kind, drawn in layout.marks.grey.items()
                if (drawn.bands == frame[box.pixels])[box.height // 2 :].all()
            }
            marks = {1: [(5, "diverged")], 2: [(20, OFF_SCALE)], 3: [(25, "exploded"), (20, OFF_SCALE)]}.get(run, [])
            assert found == {*[kind for since, kind in marks if number >= since][:1]}
    for drawn in layout.marks.grey.values():
        assert np.ptp(layout.canvas.palette.rgb[drawn.bands] @ np.array([0.299, 0.587, 0.114])) > 100


@pytest.mark.parametrize("size", [(200, 150), (320, 240), None])
def test_slices_in_cells_of_any_size_are_large_enough_to_see(size: tuple[int, int] | None) -> None:
    whole = film_data(net(6, 2, 1), *parity(6), epochs=2, runs=400)
    layout = SweepLayout(whole, FilmSettings(layout="sweep", size=size), 0)
    first, last = layout.frame(0), layout.frame(2)
    assert (first != last).any()
    group = layout.cells.groups[0][1]
    assert all(min(place.width, place.height) >= 5 for place in group.places[0])


class RecordingCanvas(Canvas):
    """A canvas that records the boxes of its text, which is never too small to read."""

    def text(self, x: float, y: float, words: str, size: float = 11, *args: Any, **settings: Any) -> Box:
        box = super().text(x, y, words, size, *args, **settings)
        assert size * self.unit >= 7.5
        self.words: list[Box] = [*getattr(self, "words", []), *([box] if box.width else [])]
        return box


def overlap(one: Box, other: Box, slack: int = 0) -> bool:
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return across > slack and down > slack


def named(runs: int, **varied: Any) -> SweepFilmData:
    whole = sweep_of(runs)
    names = {name: np.asarray(values, object) for name, values in varied.items()}
    long = "a name for all of it   2-2-1 sigmoid   cross_entropy   adam   lr 0.001"
    return SweepFilmData(
        (replace(whole, title=long),), long, names | {"seed": np.arange(runs)} if not varied else names
    )


ACTIVATIONS = [f"a_long_activation_{k}" for k in range(20)]
SHOWN = {
    "1 run": lambda: named(1),
    "2 runs": lambda: named(2),
    "one setting": lambda: named(6, hidden=["[2]", "[3]", "[4]", "[8]", "[2,2]", "[4,4]"]),
    "100 runs": lambda: named(100),
    "400 runs": lambda: named(400),
    "4 x 5": lambda: named(20, lr=np.repeat(["0.5", "1", "2", "1000"], 5), seed=np.tile(np.arange(5), 4)),
    "20 x 20": lambda: named(400, lr=np.repeat(np.arange(20), 20), seed=np.tile(np.arange(20), 20)),
    "long names": lambda: named(40, activation=np.tile(ACTIVATIONS, 2), optimizer=np.repeat(["nesterov", "sgd"], 20)),
    "long rows": lambda: named(100, activation=np.repeat(ACTIVATIONS, 5), seed=np.tile(np.arange(5), 20)),
    "3 x 100": lambda: named(300, lr=np.repeat([0.1, 1, 10], 100), seed=np.tile(np.arange(100), 3)),
    "three settings": lambda: named(
        24, activation=np.repeat(["relu", "tanh"], 12), lr=np.tile(np.repeat([0.5, 1000], 6), 2),
        seed=np.tile(np.arange(6), 4),
    ),
}  # fmt: skip


@pytest.mark.parametrize("size", [*SIZES, (300, 600), (1000, 300), (1920, 1080)])
@pytest.mark.parametrize("name", SHOWN)
def test_no_cell_and_no_text_overlaps_another_or_leaves_the_canvas(name: str, size: tuple[int, int] | None) -> None:
    layout = SweepLayout(SHOWN[name](), FilmSettings(layout="sweep", size=size), 0)
    m = layout.margins
    canvas = layout.canvas = RecordingCanvas(m.width, m.height, m.unit, layout.canvas.palette)
    layout._still()
    layout.frame(30)
    assert size is None or (m.width, m.height) == size
    used = np.zeros((m.height, m.width), int)
    for box in layout.boxes:
        assert min(box.x, box.y, m.width - box.x - box.width, m.height - box.y - box.height) >= 0
        used[box.pixels] += 1
    assert used.max() == 1
    for box in (*canvas.words, *layout.marks.places):
        assert not used[box.pixels].any()
    for one, other in combinations([*canvas.words, *layout.marks.places], 2):
        assert not overlap(one, other, slack=1)
    plot = layout.solved.plot if layout.solved else Box(0, 0, 0, 0)
    assert not any(overlap(plot, box, slack=1) for box in canvas.words)


@pytest.mark.parametrize("size", [None, (640, 400)])
@pytest.mark.parametrize(
    ("varied", "expected"),
    [
        ({"lr": np.arange(1, 41) / 4}, ["lr 0.25 to 10"]),
        ({"init.scale": np.arange(40), "seed": np.arange(40)}, ["scale 0 to 39"]),
        ({"hidden": np.repeat(["[2]", "[3]"], 20), "seed": np.arange(40)}, ["hidden"]),
        ({"activation": np.resize(ACTIVATIONS, 40), "lr": np.arange(40) / 8 - 1}, ["activation", "lr -1 to 3.875"]),
        ({"seed": np.arange(40)}, []),
        ({"lr": np.repeat([0.1, 3], 20), "seed": np.tile(np.arange(20), 2)}, []),
    ],
)
def test_the_title_says_what_varies_where_rows_and_columns_do_not(
    size: tuple[int, int] | None, varied: dict[str, Array], expected: list[str]
) -> None:
    shown = SweepFilmData.of(replace(sweep_of(40), title="XOR   2-2-1", varied=varied))
    title = SweepLayout(shown, FilmSettings(layout="sweep", size=size), 0).margins.title
    assert title == ["   ".join(["XOR", "2-2-1", *expected, "40 runs"])]


@given(runs=st.integers(1, 2000), share=st.floats(0, 1))
def test_zero_and_a_hundred_percent_mean_none_and_all(runs: int, share: float) -> None:
    count = round(share * runs)
    assert (format_share(count, runs) == "0 %") == (count == 0)
    assert (format_share(count, runs) == "100 %") == (count == runs)
    shown = format_share(count, runs)
    if shown[0] not in "<>":
        assert abs(int(shown.removesuffix(" %")) - 100 * count / runs) <= 0.5


def test_shares_are_rounded() -> None:
    assert [format_share(count, 1800) for count in (304, 1799, 1782, 1)] == ["17 %", ">99 %", "99 %", "<1 %"]


@pytest.mark.parametrize("outcome", ORDER)
def test_an_outcome_is_shown_from_its_epoch_on_not_before(outcome: str) -> None:
    """That of its event; the epochs of other events do not matter."""
    at = {"solved": 3, "diverged": 5, "exploded": 7}
    one = Outcomes(np.array([outcome], object), *(np.array([epoch]) for epoch in (*at.values(), 30, np.nan)))
    since, word = at.get(outcome, 30), {"training": "still training"}.get(outcome, outcome)
    assert [one.status(0, epoch) for epoch in range(31)] == ["not solved"] * since + [word] * (31 - since)
