"""Where the runs of a sweep have their cells."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_films import sweep_of

from xortrain.films import FilmSettings, Lockstep
from xortrain.films.arrangement import MOST, arrangement
from xortrain.films.curves import quartiles
from xortrain.films.sweep import SweepLayout


def swept(**varied: np.ndarray) -> Lockstep:
    return Lockstep.of(replace(sweep_of(12), varied=varied))


def test_two_settings_that_form_a_grid_label_rows_and_columns() -> None:
    rate, seed = np.repeat([0.5, 1.0, 2.0], 4), np.tile(np.arange(4), 3)
    cells = arrangement(swept(lr=rate, seed=seed, momentum=np.zeros(12)))
    assert (cells.down, cells.across) == ("lr", "seed")
    assert cells.row_names == ("0.5", "1", "2")
    assert cells.column_names == ("0", "1", "2", "3")
    for (row, column), run in np.ndenumerate(cells.runs):
        assert (cells.row_names[row], cells.column_names[column]) == (f"{rate[run]:.3g}", str(seed[run]))


@pytest.mark.parametrize("missing", [{"seed": np.arange(12)}, {"lr": np.repeat([1.0, 2.0], 6), "seed": np.arange(12)}])
def test_without_a_grid_runs_stand_in_order_of_what_became_of_them(missing: dict[str, np.ndarray]) -> None:
    whole = sweep_of(12)  # solved_at as records keep it
    one = Lockstep.of(replace(whole, varied=missing, solved_at=np.asarray(whole.solved_at).astype(np.int32)))
    order = arrangement(one).shown
    assert sorted(order) == list(range(12))
    assert order[-1] == 1  # the one that diverged
    solved = one.ends.solved_at[order][one.ends.solved_at[order] >= 0]
    assert (np.diff(solved) >= 0).all()
    assert (one.ends.solved_at[order][: len(solved)] >= 0).all()


@given(runs=st.integers(1, 1500), seed=st.integers(0, 99))
def test_at_most_four_hundred_cells_with_every_outcome_among_them(runs: int, seed: int) -> None:
    rng = np.random.RandomState(seed)
    outcome = rng.choice(["solved", "plateau", "dead", "diverged"], runs, p=[0.7, 0.28, 0.015, 0.005])
    one = replace(
        sweep_of(1), parameters=np.zeros((1, 9, runs)), outcome=list(outcome), varied={},
        solved_at=np.where(outcome == "solved", rng.randint(0, 99, runs), -1),
        diverged_at=np.where(outcome == "diverged", 3, -1),
    )  # fmt: skip
    shown = arrangement(Lockstep.of(one)).shown
    assert len(np.unique(shown)) == len(shown) == min(runs, MOST)
    assert set(outcome[shown]) == set(outcome)
    for word in set(outcome):
        share, wanted = ((words == word).mean() * len(shown) for words in (outcome[shown], outcome))
        assert abs(share - wanted) < 3  # each has one at least, so others may lack some


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("runs", [12, 100, 400])
def test_marks_show_on_every_colour_and_in_grey(runs: int, dark: bool) -> None:
    """Ink on a piece of paper in the cell's corner: as far apart in lightness as ink and paper are."""
    whole = sweep_of(runs)
    layout = SweepLayout(whole, FilmSettings(layout="sweep", dark=dark), 0)
    grey = layout.sheet.palette.rgb @ np.array([0.299, 0.587, 0.114])
    before, after = grey[layout.picture(0)], grey[layout.picture(30)]
    for run, box, corner in zip(layout.runs, layout.boxes, layout.marks.corners, strict=True):
        part = after[box.pixels] if run == 1 else after[corner.pixels]
        assert np.ptp(part) > 100
        if run != 1:  # which has diverged; others are solved or stuck
            paper = grey[layout.sheet.palette.nearest(layout.sheet.colours.paper[None])[0]]
            assert (part[:, 0] == paper).all()  # towards the field
            assert (part[-1] == paper).all()
        assert (before[corner.pixels] != after[corner.pixels]).any()


def test_a_run_that_has_diverged_is_grey_whatever_its_parameters_are() -> None:
    whole = sweep_of(12)
    one = replace(whole, parameters=np.nan_to_num(whole.parameters, nan=1e12))
    for number, is_lost in ((4, False), (5, True), (30, True)):
        layout = SweepLayout(one, FilmSettings(layout="sweep"), 0)
        picture, cell = layout.picture(number), layout.boxes[layout.runs.tolist().index(1)]
        assert ((picture[cell.pixels] == layout.sheet.palette.nothing).mean() > 0.8) == is_lost


def test_quartiles_leave_out_runs_without_a_value() -> None:
    losses = np.array([[1, 2, 3, 4, 5.0], [1, 2, 3, np.nan, np.nan], [np.nan] * 5, [1, np.inf, 1, 1, 1]])
    low, middle, high = quartiles(losses)
    np.testing.assert_array_equal(middle, [3, 2, np.nan, 1])
    np.testing.assert_array_equal(low, [2, 1.5, np.nan, 1])
    np.testing.assert_array_equal(high, [4, 2.5, np.nan, 1])
