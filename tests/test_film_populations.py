"""Several populations in one film: every cell shows its run after the epoch on screen."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_films import film_data, net, parity, run_of, sweep_of

import xortrain
from xortrain.films.canvas import Box
from xortrain.films.colour_scale import colour_scale
from xortrain.films.colours import get_palette
from xortrain.films.data import FilmData, Outcomes
from xortrain.films.film_settings import FilmSettings
from xortrain.films.losses_layout import LossesLayout
from xortrain.films.projection import project
from xortrain.films.sweep_film_data import SweepFilmData, common_epochs
from xortrain.films.sweep_layout import SweepLayout
from xortrain.nets import Array
from xortrain.views.sweep_film import film_data_of, raster_data_of

SETTINGS = FilmSettings(layout="sweep", size=(640, 480))


def cut(one: FilmData, last: int, step: int = 1) -> FilmData:
    """The same runs, ended after epoch ``last``, with every ``step``-th snapshot."""
    rows = np.unique([*range(0, last, step), last])
    is_lost = (one.outcomes.outcome == "diverged") & (one.outcomes.diverged_at <= last)
    ended = replace(
        one.outcomes, outcome=np.where(is_lost, "diverged", "training"), ended_at=np.full(one.runs, last),
        final_loss=one.losses[last],
    )  # fmt: skip
    return replace(
        one, parameters=one.parameters[rows], frame_epochs=rows, losses=one.losses[: last + 1],
        loss_epochs=one.loss_epochs[: last + 1], outcomes=ended,
    )  # fmt: skip


def together(*parts: FilmData) -> SweepFilmData:
    names = np.concatenate([[f"part {k}"] * part.runs for k, part in enumerate(parts)]).astype(object)
    seeds = np.concatenate([np.arange(part.runs) for part in parts])
    return SweepFilmData(parts, "all of them", {"part": names, "seed": seeds})


MIXTURES: dict[str, Sequence[FilmData]] = {
    "other shapes": (run_of("xor"), run_of("deep"), run_of("no hidden layer")),
    "other lengths": (run_of("xor"), cut(sweep_of(7), 12)),
    "other data": (run_of("xor"), run_of("spiral"), cut(film_data(net(3, 3, 1), *parity(3), runs=2), 20)),
    "other classes": (run_of("xor"), run_of("three classes")),
    "other targets": (run_of("xor"), run_of("targets ±1")),
}


@pytest.mark.parametrize("name", MIXTURES)
def test_each_cell_shows_its_run_after_the_epoch_on_screen(name: str) -> None:
    shown = together(*MIXTURES[name])
    layout = SweepLayout(shown, SETTINGS, 0)
    grounds = [group.marks for _, group in layout.cells.groups]
    for number in (0, 7, 30):
        frame = layout.frame(number)
        covered = np.zeros(frame.shape, bool)
        for where in (one.where for one in grounds if one):
            covered.ravel()[where] = True
        for (_, group), part in zip(layout.cells.groups, np.unique(shown.part_of), strict=True):
            for run, places in zip(group.runs, group.places, strict=True):
                if shown.parts[part].outcomes.status(run, number) == "diverged":
                    continue  # it is grey
                for box, wanted in zip(places, plain(shown.parts[part], run, number, places[0]), strict=True):
                    found = layout.canvas.palette.rgb[frame[box.pixels]].astype(int)
                    same = (np.abs(found - wanted) <= 40).all(-1)  # at most the next band
                    assert same[~covered[box.pixels]].mean() > 0.995


def plain(one: FilmData, run: int, epoch: int, box: Box) -> list[Array]:
    """The colours (height, width, 3) of each slice by the forward pass, as in a film of that run alone."""
    x, t = one.examples(run)
    projection, scale = project(x, t, *one.axes), colour_scale(one, SETTINGS.levels)
    row = max(np.flatnonzero(one.frame_epochs <= epoch))  # the last state where it has ended
    fields = []
    for number in range(len(projection.slices)):
        points = projection.grid(number, box.width, box.height)
        y = one.network.forward(one.parameters[row, :, run], points.reshape(one.network.inputs, -1).T).y.T
        bands = scale.bands(y.reshape(-1, *points.shape[1:]))
        fields.append(get_palette("default", 24, False, scale.classes).rgb[bands].astype(int))
    return fields


EPOCHS = st.sets(st.integers(1, 40), min_size=1).map(lambda later: np.array(sorted({0, *later})))


@given(recorded=st.lists(EPOCHS, min_size=1, max_size=4))
def test_common_epochs_have_a_snapshot_in_each_population_that_has_not_ended(recorded: list[Array]) -> None:
    common = common_epochs(recorded)
    for epoch in range(42):
        is_known = all(epoch in own or epoch > own[-1] for own in recorded) and any(epoch in own for own in recorded)
        assert (epoch in common) == is_known
    assert (common[0], common[-1]) == (0, max(own[-1] for own in recorded))


@pytest.mark.parametrize("spacing", ["epochs", "log", "progress"])
def test_the_film_lasts_from_the_first_epoch_to_the_last_of_the_longest_population(spacing: str) -> None:
    shown = together(cut(sweep_of(7), 12, 3), run_of("xor"))
    chosen = shown.epochs[shown.choose(9, spacing)]
    assert (chosen[0], chosen[-1], len(chosen)) == (0, 30, 9)
    assert all(epoch > 12 or epoch in (0, 3, 6, 9, 12) for epoch in chosen)


def test_the_median_includes_ended_runs_at_their_last_loss_and_excludes_diverged_ones() -> None:
    short, long = cut(sweep_of(7), 12), sweep_of(7)
    shown = together(short, long)
    standing, row = shown.filled_losses, 25
    np.testing.assert_array_equal(standing[row, :7], short.losses[12])
    assert np.flatnonzero(np.isnan(standing[row])).tolist() == [1, 8]  # diverged at epoch 5
    assert np.isnan(shown.losses[13:, :7]).all()  # their curves end
    layout = LossesLayout(shown, FilmSettings(layout="losses"), 0)
    assert layout.frame(30).shape == (400, 640)


@pytest.mark.parametrize("count", [2, 3, 8])
def test_a_run_that_stops_between_two_recorded_losses_counts_with_its_last_one(root: Path, count: int) -> None:
    """Its last loss is that of the same run with the loss of every epoch recorded."""
    words = ["epochs=300", "stop=solved", "seed=range(0,12)", "film=none", f"root={root}"]
    every = np.asarray(xortrain.sweep(*words).losses)
    ended = np.isfinite(every).sum(axis=0) - 1
    assert len(set(ended)) > 3, "the runs stop at different epochs"
    order = np.argsort(every[ended, np.arange(12)])
    sweep = xortrain.sweep(*words, f"track.losses={count}")
    for shown in (film_data_of(sweep, 400, 5), raster_data_of(sweep, 400)):
        own = np.argsort(shown.filled_losses[-1])
        curves, epochs = shown.losses[:, own], shown.loss_epochs[:, None]
        np.testing.assert_array_equal(shown.filled_losses[:, own], every[np.minimum(epochs, ended[order]), order])
        assert (np.isfinite(curves).sum(axis=0) == 1 + (epochs < ended[order]).sum(axis=0)).all()


def test_curves_are_straight_between_recorded_losses_also_beside_a_population_with_more_of_them(root: Path) -> None:
    """Their losses were drawn as constant until the next recorded one."""
    words = ["lr=1,2", "track.losses=11", "film=none", f"root={root}"]
    short, long = (xortrain.sweep(*words, f"epochs={epochs}") for epochs in (100, 1000))
    both = film_data_of(xortrain.sweep(*words, "epochs=100,1000"), 400, 5)
    assert both.loss_epochs.tolist() == [*range(0, 100, 10), *range(100, 1001, 100)]
    is_long = both.part_of == 1
    own = film_data_of(long, 400, 5)
    wanted = np.stack([np.interp(both.loss_epochs, own.loss_epochs, losses) for losses in own.losses.T], axis=1)
    np.testing.assert_array_equal(both.losses[:, is_long], wanted)
    np.testing.assert_array_equal(both.losses[:11, ~is_long], np.asarray(short.losses))
    assert np.isnan(both.losses[11:, ~is_long]).all()


def test_the_dot_of_the_median_stays_on_the_plot_while_all_runs_diverge(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["data=noise", "epochs=300", "lr=2.64", "init=nguyen_widrow", "seed=range(20,26)", "film=none"]
    layout = LossesLayout(film_data_of(xortrain.sweep(*words, f"root={root}"), 400, 9), FilmSettings("losses"), 0)
    dots: list[Array] = []
    monkeypatch.setattr(layout.canvas, "marks", lambda points, *_: dots.append(points))
    for number in layout.chosen.tolist():
        layout.frame(number)
    x, y = np.concatenate(dots).T
    box = layout.box
    assert len(x) > 3, "the losses are finite for some frames"
    assert ((x >= box.x) & (x <= box.x + box.width) & (y >= box.y) & (y <= box.y + box.height)).all()


def test_counts_include_the_runs_that_are_not_shown() -> None:
    words = ["solved", "plateau", "dead", "learnt", "early", "diverged", "exploded"]
    counts = [1800, 500, 300, 70, 30, 200, 100]
    everyone = Outcomes(
        np.repeat(np.array(words, object), counts), np.r_[np.arange(1800) // 100, np.full(1200, -1)],
        np.r_[np.full(2700, -1), np.full(200, 4), np.full(100, -1)],
        np.r_[np.full(2700, -1), np.full(200, 2), np.full(100, 7)],  # those that diverged had exploded before
        np.r_[np.full(2700, 30), np.full(200, 4), np.full(100, 30)], np.full(3000, np.nan),
    )  # fmt: skip
    shown = replace(together(sweep_of(100)), everyone=everyone)
    assert shown.describe_runs(100) == "100 of 3,000 runs"
    for epoch, expected in {
        0: {"solved": 100, "not solved": 2900},
        4: {"solved": 500, "not solved": 2300, "diverged": 200},
        7: {"solved": 800, "not solved": 1900, "diverged": 200, "exploded": 100},
        30: {"solved": 1800, "learnt": 70, "not solved": 30, "stuck": 800, "diverged": 200, "exploded": 100},
    }.items():
        found = shown.all_outcomes.counts(epoch)
        assert {kind: count for kind, count in found.items() if count} == expected
    assert [together(run_of("xor")).describe_runs(1), shown.describe_runs(3000)] == ["1 run", "3,000 runs"]
