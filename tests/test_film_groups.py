"""film=losses: groups of curves by a setting or by outcome, their medians, colours and names."""

from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_films import record_text, sweep_of

import xortrain
from xortrain.cli import main
from xortrain.films.canvas import Box, Canvas
from xortrain.films.colours import COLOUR_MAPS, contrast, get_colours, luminance
from xortrain.films.data import FilmData
from xortrain.films.film_settings import LAYOUTS, FilmSettings
from xortrain.films.losses_layout import LossesLayout, halving, place_names
from xortrain.films.sequences import LINE, WORD, distinct, ordered, readable, sequence
from xortrain.films.sweep_film_data import SweepFilmData
from xortrain.views.sweep_film import film_data_of

MAPS = [*COLOUR_MAPS, "viridis", "gray", "coolwarm", "tab10", "Blues", "hsv"]
RATES = np.array([0.1, 1, 10, 100])


def grouped(runs: int, **varied: np.ndarray) -> SweepFilmData:
    whole: FilmData = sweep_of(runs)
    return SweepFilmData((whole,), whole.title, {**varied, "seed": np.arange(runs)})


@pytest.mark.parametrize(
    "values", [np.tile(RATES, 10), np.tile(np.array(["relu", "tanh", "sin", "gelu"], object), 10)], ids=["lr", "choice"]
)
def test_medians_and_quartiles_of_groups_are_those_of_numpy(values: np.ndarray) -> None:
    data = grouped(40, by=values)
    layout = LossesLayout(data, FilmSettings(layout="losses", by="by"), 0)
    assert layout.groups
    names = (
        [str(value) for value in dict.fromkeys(values.tolist())]
        if values.dtype == object
        else ["0.1", "1", "10", "100"]
    )
    assert list(layout.groups.names) == names
    for group, value in enumerate(dict.fromkeys(values.tolist())):
        own = data.filled_losses[:, values == value]
        for points, share in zip(vars(layout.middles[group]).values(), (25, 50, 75), strict=True):
            wanted = np.nanpercentile(own, share, axis=1)
            y = layout.box.y + layout.scale.fraction(wanted) * layout.box.height
            x = layout.box.x + layout.epochs / layout.last * layout.box.width
            np.testing.assert_allclose(np.interp(points[:, 0], x, y), points[:, 1], atol=1e-6)


@pytest.mark.parametrize("lost", [1, 3])
def test_a_group_whose_runs_have_all_diverged_is_named_at_the_top_and_has_no_dot_from_then_on(
    lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, values = grouped(40, by=np.tile(RATES, 10)), np.tile(RATES, 10)
    gone = np.isin(values, RATES[-lost:])
    part = data.parts[0]
    losses = np.where(gone & (np.arange(len(part.losses))[:, None] >= 9), np.nan, part.losses)
    losses[:9, gone] = 10.0 ** np.arange(0, 36, 4)[:, None]
    outcomes = replace(
        part.outcomes,
        outcome=np.where(gone, "diverged", "plateau").astype(object),
        diverged_at=np.where(gone, part.loss_epochs[9], -1),
    )
    data = replace(data, parts=(replace(part, losses=losses, outcomes=outcomes),))
    words, dots = record_text(monkeypatch), list[float]()
    monkeypatch.setattr(Canvas, "marks", lambda _, points, *rest: dots.append(float(points[0, 1])))
    layout = LossesLayout(data, FilmSettings(layout="losses", by="by"), 0)
    assert {"0.1", "1", "10", "100"} <= {text for text, _ in words}
    for number, count in ((0, 4), (len(data.epochs) - 1, 4 - lost)):
        dots.clear()
        layout.frame(number)
        assert len(dots) == count


@pytest.mark.parametrize(
    ("solved", "has_groups"), [(0, False), (1, False), (2, True), (38, True), (39, False), (40, False)]
)
def test_solved_and_unsolved_runs_have_their_own_median_where_each_is_a_twentieth(
    solved: int, has_groups: bool
) -> None:
    data = grouped(40)
    outcome = data.outcomes.outcome
    outcome[:], outcome[:solved] = "plateau", "solved"
    layout = LossesLayout(data, FilmSettings(layout="losses"), 0)
    assert (layout.groups is not None) == has_groups
    assert len(layout.middles) == 1 + has_groups
    outcome[:] = sweep_of(40).outcomes.outcome


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", MAPS)
def test_curves_and_their_names_show_on_the_background(name: str, dark: bool) -> None:
    used = get_colours(name, 24, dark)
    for count in (1, 2, 5, 20):
        for colours in (ordered(name, count, used), distinct(name, count, 24, dark)):
            assert colours.shape == (count, 3)
            assert min(contrast(colour, used.paper) for colour in colours) >= LINE
            assert min(contrast(colour, used.paper) for colour in readable(colours, used, WORD)) >= WORD


@pytest.mark.parametrize("name", [*COLOUR_MAPS, "viridis", "gray", "Blues"])
def test_a_sequence_is_ordered_by_lightness_in_equal_steps(name: str) -> None:
    light = np.array([luminance(colour) ** (1 / 2.2) for colour in sequence(name, 24)])
    assert (np.diff(light) > 0).all()
    assert len(np.unique(sequence(name, 24), axis=0)) == 24


@pytest.mark.parametrize("size", [(320, 200), (640, 360), (960, 540), (1280, 720), (500, 900)])
@pytest.mark.parametrize("groups", [0, 2, 4, 20, 40])
def test_no_text_touches_another_and_names_left_out_are_counted(
    groups: int, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = record_text(monkeypatch)
    values = np.geomspace(0.001, 900, max(groups, 1))[np.arange(40) % max(groups, 1)]
    layout = LossesLayout(
        grouped(40, lr=values), FilmSettings(layout="losses", by="lr" if groups else None, size=size), 0
    )
    layout.frame(30)
    for (word, one), (other_word, other) in combinations(written, 2):
        across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
        down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
        assert not (across > 2 and down > 2), (word, other_word)
    if groups:
        assert layout.groups
        named = [
            word for word, box in written if word in layout.groups.names and box.x > layout.box.x + layout.box.width
        ]
        hidden = [word for word, _ in written if "more" in word]
        assert len(named) >= 2
        assert len(named) == groups or hidden[0].lstrip("+").startswith(f"{groups - len(named)} more")


@given(heights=st.lists(st.floats(0, 200), min_size=1, max_size=70), step=st.floats(5, 20))
def test_names_stand_apart_and_near_the_ends_of_their_curves(heights: list[float], step: float) -> None:
    ends = dict(enumerate(heights))
    placed = place_names(ends, step, Box(0, 0, 10, 200))
    assert placed
    found = sorted(placed.values())
    assert all(b - a >= step - 1e-9 for a, b in pairwise(found))
    assert all(abs(ends[one] - y) <= 2.5 * step + 1e-9 for one, y in placed.items())
    assert sorted(halving(len(heights))) == list(range(len(heights)))


@pytest.mark.parametrize("layout", [name for name, row in LAYOUTS.items() if row.location and not row.has_groups])
def test_a_layout_without_groups_refuses_a_setting_that_makes_some(
    layout: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-m", f"film={layout}", "film.by=lr", "lr=1,2", "film.each=true", "epochs=2", f"root={tmp_path}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"xortrain: error: film.by=lr: film={layout} has no groups; choose film=losses"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("by", "hint"), [("momentun", ""), ("lrr", "Did you mean 'lr'? "), ("init.scale", ""), ("hidden", "")]
)
def test_groups_by_what_does_not_vary_are_refused_before_training_and_after(
    by: str, hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = f"xortrain: error: film.by={by}: the runs do not differ in it. {hint}They differ in lr, seed"
    words = ["-m", "film=losses", "lr=1,2", "seed=1,2", "epochs=2", f"root={tmp_path}"]
    assert main([*words, f"film.by={by}"]) == 2
    assert capsys.readouterr().err.splitlines() == [message]
    assert not list(tmp_path.iterdir())
    assert main([*words, "film=none"]) == 0
    assert main(["render", "latest", "film=losses", f"film.by={by}", "--root", str(tmp_path)]) == 2
    assert capsys.readouterr().err.splitlines() == [message]
    assert not list(tmp_path.rglob("*.gif"))


def test_a_single_run_has_no_groups(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["film=losses", "film.by=lr", "epochs=2", f"root={tmp_path}"]) == 2
    assert capsys.readouterr().err == "xortrain: error: film.by=lr: groups several runs, and this is one\n"
    assert not list(tmp_path.iterdir())


def test_any_varied_setting_makes_groups_and_every_value_is_in_a_sample(tmp_path: Path) -> None:
    """Also by the end of its name, and where it follows from a choice, as the rate of an optimizer."""
    sweep = xortrain.sweep(
        "architecture.hidden=[2],[3]",
        "optimizer=sgd,adam",
        "seed=range(0,30)",
        "epochs=2",
        "film=none",
        f"root={tmp_path}",
    )
    for by, names in {
        "architecture.hidden": {"[2]", "[3]"}, "hidden": {"[2]", "[3]"}, "optimizer.name": {"sgd", "adam"},
        "seed": set(range(30)),
    }.items():  # fmt: skip
        shown = film_data_of(sweep, 40, 2, by=by)
        assert shown.runs == 40
        assert set(shown.varied[by].tolist()) == names
    assert sweep.film(tmp_path / "groups.png", layout="losses", by="hidden", frames=2).is_file()


def test_each_film_of_a_sweep_in_groups_shows_its_run_alone(tmp_path: Path) -> None:
    words = [
        "-m",
        "film=losses",
        "film.by=lr",
        "lr=1,2",
        "epochs=2",
        "film.frames=2",
        "film.each=true",
        f"root={tmp_path}",
    ]
    assert main(words) == 0
    assert len(list(tmp_path.rglob("*.gif"))) == 3
    for record in ("latest", "latest#1"):
        for layout in ([], ["film=field"] if "#" in record else ["film=sweep"]):
            assert main(["render", record, *layout, "--root", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("setting", "by"), [("W1[1, 1]", "init.set.W1.1.1"), ("W1[1, 1]", "'W1[1,1]'"), ("init.scale", "scale")]
)
def test_groups_are_headed_by_the_name_that_tables_write(setting: str, by: str, tmp_path: Path) -> None:
    words = ["init.set.W1.1.1=-3,3", "init.scale=0.5,1", "epochs=2", "film=none", f"root={tmp_path}"]
    assert main(["-m", *words]) == 0
    path = tmp_path / "groups.svg"
    render = ["render", "latest", "film=losses", f"film.by={by}", "--still", "--output", str(path)]
    assert main([*render, "--root", str(tmp_path)]) == 0
    assert f">{setting}<" in path.read_text(encoding="utf-8")
