"""Where the runs of a sweep have their cells."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_films import sweep_of

from xortrain.films import FilmSettings, Subject
from xortrain.films.arrangement import MOST, arrangement
from xortrain.films.curves import quartiles
from xortrain.films.sweep import SweepLayout


def swept(**varied: np.ndarray) -> Subject:
    whole = sweep_of(12)
    return replace(whole, varied=varied)


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
    one = swept(**missing)
    one = replace(one, solved_at=one.solved_at.astype(np.int32))  # as records keep it
    order = arrangement(one).shown
    assert sorted(order) == list(range(12))
    assert order[-1] == 1  # the one that diverged
    solved = one.solved_at[order][one.solved_at[order] >= 0]
    assert (np.diff(solved) >= 0).all()
    assert (one.solved_at[order][: len(solved)] >= 0).all()


@given(runs=st.integers(1, 1500), seed=st.integers(0, 99))
def test_at_most_four_hundred_cells_with_every_outcome_among_them(runs: int, seed: int) -> None:
    rng = np.random.RandomState(seed)
    outcome = rng.choice(["solved", "plateau", "dead", "diverged"], runs, p=[0.7, 0.28, 0.015, 0.005])
    one = replace(
        sweep_of(1), parameters=np.zeros((1, 9, runs)), outcome=list(outcome), varied={},
        solved_at=np.where(outcome == "solved", rng.randint(0, 99, runs), -1),
        diverged_at=np.where(outcome == "diverged", 3, -1),
    )  # fmt: skip
    shown = arrangement(one).shown
    assert len(np.unique(shown)) == len(shown) <= MOST
    assert len(shown) >= min(runs, MOST - 4)
    assert set(outcome[shown]) == set(outcome)


def test_solved_runs_are_framed_and_diverged_ones_crossed_out() -> None:
    whole = sweep_of(12)
    layout = SweepLayout(whole, FilmSettings(layout="sweep"), 0)
    picture = layout.picture(30)
    ink = layout.sheet.palette.nearest(layout.sheet.colours.ink[None])[0]
    for box, run in zip(layout.boxes, layout.runs, strict=True):
        framed = (picture[box.y - 1, box.x : box.x + box.width] == ink).all()
        assert framed == (whole.solved_at[run] >= 0)
        middle = picture[box.y + box.height // 2, box.x + box.width // 2]
        assert (middle == ink) == (run == 1) or run != 1
    assert (layout.picture(0) == ink).sum() < (picture == ink).sum()


def test_quartiles_leave_out_runs_without_a_value() -> None:
    losses = np.array([[1, 2, 3, 4, 5.0], [1, 2, 3, np.nan, np.nan], [np.nan] * 5, [1, np.inf, 1, 1, 1]])
    low, middle, high = quartiles(losses)
    np.testing.assert_array_equal(middle, [3, 2, np.nan, 1])
    np.testing.assert_array_equal(low, [2, 1.5, np.nan, 1])
    np.testing.assert_array_equal(high, [4, 2.5, np.nan, 1])
