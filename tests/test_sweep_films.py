"""The film of a sweep: one for all its runs of any shapes, and what is refused before training."""

from html import unescape
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

import xortrain
from xortrain.api import Sweep
from xortrain.cli import main
from xortrain.config.compose import compose
from xortrain.errors import UserError
from xortrain.films.arrangement import arrange_runs
from xortrain.films.film_settings import LAYOUTS, FilmSettings
from xortrain.films.sweep_layout import SweepLayout
from xortrain.runner.train import record_run
from xortrain.views.run_film import sweep_title
from xortrain.views.sweep_film import film_data_of

pytestmark = pytest.mark.usefixtures("quick_composition")
SHAPES = "architecture.hidden=[2],[3],[4],[8],[2,2],[4,4]"


def swept(root: Path, *overrides: str) -> Sweep:
    return xortrain.sweep(*overrides, "film=none", f"root={root}")


def test_a_sweep_of_many_populations_leaves_one_film_with_all_its_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-m", SHAPES, "seed=range(0,3)", "epochs=9", "film.frames=4", f"root={tmp_path}"]) == 0
    (film,) = tmp_path.rglob("*.gif")
    assert (film.parent / "sweep.json").is_file()
    assert iio.improps(film).n_images == 4
    assert "all runs side by side" in capsys.readouterr().out
    assert main(["render", str(film.parent), "film=losses", "film.frames=3", "--root", str(tmp_path)]) == 0
    assert iio.improps(film).n_images == 3
    cells = arrange_runs(film_data_of(xortrain.load(film.parent), 400, 4))  # type: ignore[arg-type]
    assert (cells.down, cells.across, cells.row_names) == ("seed", "hidden", ("0", "1", "2"))
    assert cells.column_names == ("[2]", "[3]", "[4]", "[8]", "[2,2]", "[4,4]")


def test_every_run_has_the_cell_of_its_settings(tmp_path: Path) -> None:
    sweep = swept(tmp_path, "activation=relu,tanh", "lr=0.5,1000", "seed=range(0,3)", "epochs=4")
    shown = film_data_of(sweep, 400, 60)
    cells = arrange_runs(shown)
    assert (cells.down, cells.across) == ("activation, lr", "seed")
    assert cells.row_names == ("relu  0.5", "relu  1000", "tanh  0.5", "tanh  1000")
    rows = sweep.table()
    for (row, seed), cell in np.ndenumerate(cells.runs):
        part, place = shown.parts[shown.part_of[cell]], shown.run_in_part[cell]
        (found,) = (
            number
            for number, one in enumerate(rows)
            if (f"{one['activation']}  {one['lr']:g}", one["seed"]) == (cells.row_names[row], seed)
        )
        np.testing.assert_array_equal(part.parameters[-1][:, place], sweep[found].parameters[-1])


def test_populations_of_different_lengths_are_trained_again_for_common_epochs(tmp_path: Path) -> None:
    sweep = swept(tmp_path, "epochs=30,101", "seed=range(0,3)", "track.frames=4")
    shown = film_data_of(sweep, 400, 20)
    assert (shown.epochs <= 30).sum() >= 10
    assert len(shown.epochs) >= 20
    assert shown.epochs[-1] == 101
    for part, length in zip(shown.parts, (30, 101), strict=True):
        alone = xortrain.train(f"epochs={length}", "seed=1")
        own = shown.epochs[shown.epochs <= length]
        np.testing.assert_array_equal(np.asarray(part.parameters)[..., 1], alone.parameters[own])


def test_a_sweep_with_first_and_last_snapshots_only_has_a_complete_film(tmp_path: Path) -> None:
    sweep = swept(tmp_path, "seed=range(0,500)", "epochs=60", "track.bytes=300000")
    assert len(sweep.epochs) == 2
    shown = film_data_of(sweep, 400, 60)
    assert (shown.runs, len(shown.epochs), shown.all_outcomes.runs) == (400, 61, 500)
    words, counts = np.unique(shown.outcomes.outcome.astype(str), return_counts=True)
    for word, count in zip(words, counts, strict=True):
        assert abs(count - 0.8 * (sweep.column("outcome") == word).sum()) < 3


def test_runs_with_different_target_values_are_coloured_by_their_own(tmp_path: Path) -> None:
    sweep = swept(tmp_path, "data.low=0,0.25", "loss=mse", "seed=range(0,2)", "epochs=3")
    assert len(sweep.parts) == 1
    assert [(part.low, part.runs) for part in film_data_of(sweep, 400, 4).parts] == [(0, 2), (0.25, 2)]


def test_every_example_of_every_run_is_inside_its_cell(tmp_path: Path) -> None:
    sweep = swept(tmp_path, "data=sine", "data.noise=0,0.5", "data.seed=range(0,3)", "epochs=2")
    shown = film_data_of(sweep, 400, 4)
    targets = np.concatenate([run.t for run in sweep])
    assert [(part.low, part.high) for part in shown.parts] == [(targets.min(), targets.max())]
    layout = SweepLayout(shown, FilmSettings(layout="sweep", size=(900, 600)), 0)
    ((_, group),) = layout.cells.groups
    places = [group.projection.fractions(run.x[:, 0], run.t[:, 0]) for run in sweep]
    assert 0 < np.min(places) < np.max(places) < 1


def test_the_film_of_one_run_does_not_replace_that_of_its_sweep(tmp_path: Path) -> None:
    assert main(["-m", "seed=1,2", "epochs=5", "film=sweep", "film.frames=2", f"root={tmp_path}"]) == 0
    (film,) = tmp_path.rglob("*.gif")
    before, root = film.read_bytes(), ["--root", str(tmp_path)]
    assert main(["render", "latest#1", *root]) == main(["render", "latest#1", "--still", *root]) == 0
    assert film.read_bytes() == before
    assert sorted(path.name for path in (film.parent / "films").iterdir()) == ["000001-poster.png", "000001.gif"]
    assert iio.improps(film.parent / "films" / "000001.gif").shape[1:3] == (540, 960)  # a story, not one cell


@pytest.mark.parametrize("name", ["latest", "latest#1"])
def test_render_refuses_a_film_of_every_run_and_leaves_the_old_film(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-m", "seed=1,2", "epochs=5", "film=sweep", "film.frames=2", f"root={tmp_path}"]) == 0
    (film,) = tmp_path.rglob("*.gif")
    before = film.stat().st_mtime_ns
    capsys.readouterr()
    assert main(["render", name, "film.each=true", "--root", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("xortrain: error: film.each=true: applies only to a sweep")
    assert film.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["latest", "latest#1"])
@pytest.mark.parametrize(("frames", "is_told"), [(6, False), (7, True)])
def test_a_film_with_fewer_frames_than_asked_says_so(
    name: str, frames: int, is_told: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-m", "seed=1,2", "epochs=5", "film=none", f"root={tmp_path}"]) == 0
    capsys.readouterr()
    assert main(["render", name, f"film.frames={frames}", "--root", str(tmp_path)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("  6 frames: one for each epoch") == is_told


@pytest.mark.parametrize("shapes", ["architecture.hidden=[2]", "architecture.hidden=[2],[3]"])
def test_the_film_of_runs_that_stopped_ends_with_the_last_of_them(shapes: str, tmp_path: Path) -> None:
    sweep = swept(tmp_path, "epochs=100000", "stop=solved", "seed=range(0,4)", "track.frames=20", shapes)
    last = int(sweep.column("epochs_done").max())
    assert last < 10000
    shown = film_data_of(sweep, 400, 30)
    assert shown.epochs[-1] == shown.loss_epochs[-1] == last
    assert len(shown.choose(30, "progress")) == 30
    at_the_end = shown.losses_after(len(shown.epochs) - 1)
    np.testing.assert_allclose(np.sort(at_the_end), np.sort(sweep.column("final_loss")), rtol=1e-9)


@pytest.mark.parametrize("layout", ["field", "weights"])
def test_a_layout_of_one_run_is_refused_for_a_sweep_before_it_is_trained(
    layout: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["-m", f"film={layout}", "seed=1,2", "epochs=5", f"root={tmp_path}"]
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"xortrain: error: film={layout}: shows one run, and these are 2; add film.each=true")
    assert not list(tmp_path.iterdir())
    assert main([*words, "film.each=true", "film.frames=2"]) == 0
    assert len(list(tmp_path.rglob("films/*.gif"))) == 2


def test_a_sweep_of_any_populations_has_a_film_from_python(tmp_path: Path) -> None:
    sweep = swept(tmp_path, "architecture.hidden=[2],[3]", "seed=range(0,2)", "epochs=5")
    assert iio.improps(sweep.film(tmp_path / "all.png", frames=3)).n_images == 3
    assert iio.improps(sweep.film(tmp_path / "all.gif", layout="losses", frames=2)).n_images == 2
    html = sweep._repr_html_()
    assert html is not None
    assert "<iframe sandbox='allow-scripts'" in html
    assert sweep[:0]._repr_html_() is None
    with pytest.raises(UserError, match="shows one run"):
        sweep.film(tmp_path / "no.gif", layout="field")
    for found in (sweep, sweep[0]):
        with pytest.raises(UserError, match='named by layout="field"'):
            found.film(tmp_path / "no.gif", film="field")
    assert not (tmp_path / "no.gif").exists()


def test_runs_with_other_numbers_of_outputs_are_in_one_film(tmp_path: Path) -> None:
    """The encoder has eight outputs, for two runs: a success rule by run must not be read as one by output."""
    sweep = swept(tmp_path, "data=encoder,xor", "loss=mse", "seed=1,2", "success.within=0.1,0.4", "success=tolerance")
    assert iio.improps(sweep.film(tmp_path / "all.png", frames=2)).n_images == 2
    encoder, xor = film_data_of(sweep, 400, 2).parts
    for part, expected in ((encoder, [True] * 8), (xor, [True] * 4)):
        assert part.right(part.t + 0.05, part.t).tolist() == expected
        assert not part.right(part.t + 0.2, part.t).any()  # right by one rule only


@pytest.mark.parametrize(
    ("overrides", "wanted"),
    [
        (["seed=1,2"], "XOR   2-2-1 sigmoid   bce   lr 1"),
        (["activation=relu,tanh"], "XOR   2-2-1   bce   lr 1"),
        (["architecture.hidden=[2],[3]", "lr=1,2"], "XOR   sigmoid   bce"),
        (["data=xor,and", "optimizer=adam", "lr=0.1"], "2-2-1 sigmoid   bce   adam   lr 0.1"),
        (["loss=bce,mse", "seed=1,2"], "XOR   2-2-1 sigmoid   lr 1"),
    ],
)
def test_a_title_names_what_all_runs_share(overrides: list[str], wanted: str, tmp_path: Path) -> None:
    sweep = swept(tmp_path, "epochs=1", *overrides)
    assert sweep_title([sweep.population(k).setup for k in range(len(sweep.parts))]) == wanted


def test_runs_that_share_nothing_have_a_title(tmp_path: Path) -> None:
    swept(tmp_path, "epochs=1", "seed=1,2")
    swept(
        tmp_path,
        "epochs=1",
        "seed=1,2",
        "data=circle",
        "activation=tanh",
        "loss=mse",
        "lr=0.1",
        "architecture.hidden=[3]",
    )
    setups = [one.setup for one, _ in xortrain.runs(str(tmp_path)).populations()]
    assert sweep_title(setups) == "Different data and networks"


@pytest.mark.parametrize("layout", ["losses", "raster"])
@pytest.mark.parametrize(
    ("override", "is_mixed"), [("loss=bce,mse", True), ("data=xor,sine", True), ("activation=relu,tanh", False)]
)
def test_an_axis_of_losses_of_different_functions_says_so(
    override: str, is_mixed: bool, layout: str, tmp_path: Path
) -> None:
    """The default loss goes with the data: a sweep can differ in it without naming it."""
    drawing = swept(tmp_path, "epochs=1", override).film(tmp_path / "still.svg", still=True, layout=layout)
    assert ("each run's own loss" in unescape(drawing.read_text())) == is_mixed


@pytest.mark.parametrize("layout", ["sweep", "losses", "raster"])
@pytest.mark.parametrize("more", [["epochs=3"], ["epochs=3,9", "stop=solved"]])
def test_a_sweep_with_held_out_examples_has_every_film(more: list[str], layout: str, tmp_path: Path) -> None:
    sweep = swept(tmp_path, "data=circle", "data.examples=20", "data.test=0.4", "seed=1,2", *more)
    assert sweep.film(tmp_path / "still.png", still=True, layout=layout).exists()
    assert sweep.film(tmp_path / "film.gif", frames=2, layout=layout).exists()


def test_a_refused_group_names_only_settings_in_which_the_runs_differ(tmp_path: Path) -> None:
    sweep = swept(tmp_path, "lr=1,2", "epochs=1")
    with pytest.raises(UserError) as error:
        sweep.film(tmp_path / "still.png", still=True, layout="losses", by="seed")
    assert str(error.value) == "film.by=seed: the runs do not differ in it. They differ in lr"


SEVERAL = [name for name, row in LAYOUTS.items() if row.fewest_runs > 1]


@pytest.mark.parametrize("layout", SEVERAL)
def test_a_film_of_several_runs_is_refused_for_one(layout: str, tmp_path: Path) -> None:
    message = f"^film={layout}: shows several runs, and this is one; choose film=story, field, "
    for words in ([], ["-m"], ["-m", "seed=3"]):
        with pytest.raises(UserError, match=message):
            xortrain.sweep(f"film={layout}", f"root={tmp_path}", *words[1:]) if words else record_run(
                compose([f"film={layout}", f"root={tmp_path}"])
            )
    assert not list(tmp_path.iterdir())
    run = xortrain.train("epochs=1")
    with pytest.raises(UserError, match=message):
        run.film(tmp_path / "film.gif", layout=layout)


@pytest.mark.parametrize("layout", SEVERAL)
def test_a_run_of_a_sweep_with_such_a_film_has_a_story(layout: str, tmp_path: Path) -> None:
    grid = ["init.set.W1.0.0=1,2", "init.set.W1.0.1=1,2"] if layout == "basins" else ["lr=1,2", "seed=1,2"]
    sweep = xortrain.sweep(*grid, "epochs=1", f"film={layout}", "film.frames=1", f"root={tmp_path}")
    film = sweep[1].film(tmp_path / "one.gif")
    assert iio.improps(film).shape[1:3] == iio.improps(sweep[1].film(tmp_path / "two.gif", layout="story")).shape[1:3]


def test_cells_name_rates_that_differ_in_the_ninth_digit(tmp_path: Path) -> None:
    sweep = swept(tmp_path, "lr=0.1,0.100000001,100000", "seed=1,2", "epochs=1")
    cells = arrange_runs(film_data_of(sweep, 400, 2))
    assert {*cells.row_names, *cells.column_names} > {"0.1", "0.100000001", "100000"}
