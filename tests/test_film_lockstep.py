"""Runs of several populations in one film: what stands beside an epoch is true for every cell."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_films import net, parity, run_of, subject, sweep_of

from xortrain.films.colour_scale import colour_scale
from xortrain.films.colours import palette
from xortrain.films.data import Subject
from xortrain.films.film_settings import FilmSettings
from xortrain.films.glyphs import Box
from xortrain.films.lockstep import Ends, Lockstep, common_epochs
from xortrain.films.losses_layout import LossesLayout
from xortrain.films.projection import projection_of
from xortrain.films.sweep_layout import SweepLayout
from xortrain.nets import Array

SETTINGS = FilmSettings(layout="sweep", size=(640, 480))


def cut(one: Subject, last: int, step: int = 1) -> Subject:
    """The same runs, over after that epoch, with every so manieth snapshot."""
    rows = np.unique([*range(0, last, step), last])
    diverged = np.where(np.asarray(one.diverged_at) <= last, one.diverged_at, -1)
    return replace(
        one, parameters=one.parameters[rows], frame_epochs=rows, losses=one.losses[: last + 1],
        loss_epochs=one.loss_epochs[: last + 1], ended_at=np.full(one.runs, last),
        solved_at=np.full(one.runs, -1), diverged_at=diverged,
    )  # fmt: skip


def together(*parts: Subject) -> Lockstep:
    names = np.concatenate([[f"part {k}"] * part.runs for k, part in enumerate(parts)]).astype(object)
    seeds = np.concatenate([np.arange(part.runs) for part in parts])
    return Lockstep(parts, "all of them", {"part": names, "seed": seeds})


MIXTURES: dict[str, Sequence[Subject]] = {
    "other shapes": (run_of("xor"), run_of("deep"), run_of("no hidden layer")),
    "other lengths": (run_of("xor"), cut(sweep_of(7), 12)),
    "other data": (run_of("xor"), run_of("spiral"), cut(subject(net(3, 3, 1), *parity(3), runs=2), 20)),
    "other classes": (run_of("xor"), run_of("three classes")),
    "other targets": (run_of("xor"), run_of("targets ±1")),
}


@pytest.mark.parametrize("name", MIXTURES)
def test_each_cell_shows_its_run_as_it_was_after_the_epoch_on_screen(name: str) -> None:
    shown = together(*MIXTURES[name])
    layout = SweepLayout(shown, SETTINGS, 0)
    grounds = [group.dots for _, group in layout.picture_of.groups]
    for number in (0, 7, 30):
        frame = layout.frame(number)
        covered = np.zeros(frame.shape, bool)
        for where in (dots.where for dots in grounds if dots):
            covered.ravel()[where] = True
        for corner in layout.marks.corners:
            covered[corner.pixels] = True
        for (_, group), part in zip(layout.picture_of.groups, np.unique(shown.which), strict=True):
            for run, places in zip(group.runs, group.places, strict=True):
                if 0 <= shown.parts[part].diverged_at[run] <= number:
                    continue  # it is grey
                for box, wanted in zip(places, plain(shown.parts[part], run, number, places[0]), strict=True):
                    found = layout.canvas.palette.rgb[frame[box.pixels]].astype(int)
                    same = (np.abs(found - wanted) <= 40).all(-1)  # at most the next band
                    assert same[~covered[box.pixels]].mean() > 0.995


def plain(one: Subject, run: int, epoch: int, box: Box) -> list[Array]:
    """The colours (height, width, 3) of each slice by the plain forward pass, as in a film of that run alone."""
    x, t = one.data(run)
    plane, read = projection_of(x, t, one), colour_scale(one, SETTINGS)
    row = max(np.flatnonzero(one.frame_epochs <= epoch))  # the last state where it has ended
    fields = []
    for number in range(len(plane.slices)):
        points = plane.grid(number, box.width, box.height)
        y = one.network.forward(one.parameters[row, :, run], points.reshape(one.network.inputs, -1).T).y.T
        bands = read.bands(y.reshape(-1, *points.shape[1:]))
        fields.append(palette("default", 24, False, read.classes).rgb[bands].astype(int))
    return fields


EPOCHS = st.sets(st.integers(1, 40), min_size=1).map(lambda later: np.array(sorted({0, *later})))


@given(kept=st.lists(EPOCHS, min_size=1, max_size=4))
def test_epochs_in_common_are_kept_by_all_that_have_not_ended(kept: list[Array]) -> None:
    common = common_epochs(kept)
    for epoch in range(42):
        is_known = all(epoch in own or epoch > own[-1] for own in kept) and any(epoch in own for own in kept)
        assert (epoch in common) == is_known
    assert (common[0], common[-1]) == (0, max(own[-1] for own in kept))


@pytest.mark.parametrize("spacing", ["epochs", "log", "progress"])
def test_a_film_of_populations_goes_from_the_first_epoch_to_the_last_of_the_longest(spacing: str) -> None:
    shown = together(cut(sweep_of(7), 12, 3), run_of("xor"))
    chosen = shown.epochs[shown.choose(FilmSettings(layout="sweep", frames=9, spacing=spacing))]
    assert (chosen[0], chosen[-1], len(chosen)) == (0, 30, 9)
    assert all(epoch > 12 or epoch in (0, 3, 6, 9, 12) for epoch in chosen)


def test_the_median_counts_runs_that_ended_at_their_last_loss_and_leaves_out_those_that_diverged() -> None:
    short, long = cut(sweep_of(7), 12), sweep_of(7)
    shown = together(short, long)
    standing, row = shown.standing_losses, 25
    np.testing.assert_array_equal(standing[row, :7], short.losses[12])
    assert np.flatnonzero(np.isnan(standing[row])).tolist() == [1, 8]  # diverged at epoch 5
    assert np.isnan(shown.losses[13:, :7]).all()  # their curves end
    layout = LossesLayout(shown, FilmSettings(layout="losses"), 0)
    assert layout.frame(30).shape == (400, 640)


def test_counts_are_those_of_all_runs_where_some_are_shown() -> None:
    everyone = Ends(
        np.array(["solved"] * 1800 + ["plateau"] * 900 + ["diverged"] * 300, object),
        np.r_[np.arange(1800) // 100, np.full(1200, -1)], np.r_[np.full(2700, -1), np.full(300, 4)],
        np.r_[np.full(2700, 30), np.full(300, 4)],
    )  # fmt: skip
    shown = replace(together(sweep_of(100)), everyone=everyone)
    counts = SweepLayout(shown, SETTINGS, 0).margins.counts
    assert shown.counted(100) == "100 of 3,000 runs"
    assert counts.at(0) == {"not solved": 2900, "solved": 100, "stuck": 0, "diverged": 0}
    assert counts.at(4) == {"not solved": 2200, "solved": 500, "stuck": 0, "diverged": 300}
    assert counts.at(30) == {"not solved": 0, "solved": 1800, "stuck": 900, "diverged": 300}
    assert [together(run_of("xor")).counted(1), shown.counted(3000)] == ["1 run", "3,000 runs"]
