"""A new option needs only a row in its table and a default in conf/, as CONTRIBUTING.md describes.

Each test adds a toy row and uses it as a user would: in help, in training, in an explanation and in a film.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hydra.core.config_store import ConfigStore
from PIL import Image
from some_films import NETS, run_of

from xortrain.cli import main
from xortrain.config import settings
from xortrain.config.compose import compose
from xortrain.errors import UserError
from xortrain.films.canvas import Box
from xortrain.films.data import Frame
from xortrain.films.field import FieldLayout
from xortrain.films.film import make_layout
from xortrain.films.film_settings import LAYOUTS, FilmLayout, FilmSettings
from xortrain.films.panel import Panel
from xortrain.films.story_layout import PANELS, PanelRow
from xortrain.nets import Array
from xortrain.nets.activations import ACTIVATIONS, Activation
from xortrain.nets.datasets import DATASETS, SCALES, Dataset, Points, Scale
from xortrain.nets.formula import Call
from xortrain.nets.initializers import INITIALIZERS, Initializer
from xortrain.nets.losses import LOSSES, Loss
from xortrain.nets.optimizers import OPTIMIZERS, SCHEDULES, Lines, Move, Optimizer, Schedule, State
from xortrain.nets.setting import number, whole
from xortrain.records import columns
from xortrain.training.success import SUCCESS_RULES, SuccessRule

Run = Callable[..., str]


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let the program use a copy of conf/, and change to an empty folder."""
    copy = tmp_path / "conf"
    shutil.copytree(settings.conf_folder(), copy)
    monkeypatch.setattr(settings, "CONF_FOLDERS", [copy])
    settings.conf_folder.cache_clear()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    yield copy
    settings.conf_folder.cache_clear()
    ConfigStore.instance().repo.get("output", {}).pop("toy.yaml", None)  # Hydra's store outlives the test


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command line in this process and returns its output."""

    def printed_by(*words: str) -> str:
        code, printed = main(words), capsys.readouterr()
        assert code == 0, printed.err
        return printed.out

    return printed_by


def film_frames() -> int:
    (path,) = Path("outputs").glob("*/*/film.gif")
    with Image.open(path) as film:
        return int(getattr(film, "n_frames", 1))


def bent(z: Array, out: Array | None = None, *, bend: Array) -> Array:
    return np.multiply(z, 1 + bend * np.abs(z), out=out)


def test_an_activation_needs_only_a_row_and_a_default(conf: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Activation(
        "z bent away from a line",
        bent,
        lambda z, a, *, bend: 1 + 2 * bend * np.abs(z),
        lambda z, bend: z * (1 + bend * Call("abs", z)),
        lambda z, a, bend: 1 + 2 * bend * Call("abs", z),
        own={"bend": number("how strongly", 0, 10, letter="β")},
        corners=(0,),
    )
    monkeypatch.setitem(ACTIVATIONS, "toy", row)
    (conf / "activation" / "toy.yaml").write_text("name: toy\nbend: 0.25\n")
    assert "z bent away from a line" in run("--help")
    assert "after 300 epochs" in run("activation=toy", "lr=0.1", "epochs=300", "film.frames=3")
    assert film_frames() == 3
    page = run("explain", "activation=toy", "activation.bend=0.5")
    assert "a1 (2) = z1 · (1 + β · |z1|)" in page
    assert "(1 + 0.5 · |" in page
    with pytest.raises(UserError, match=r"activation\.bend=11: must be .* from 0 to 10"):
        compose(["activation=toy", "activation.bend=11"])


def test_a_loss_needs_only_a_row_and_a_default(conf: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Loss(
        "the fourth power of the error",
        lambda y, t, *, weight: weight * (y - t) ** 4,
        lambda y, t, *, weight: 4 * weight * (y - t) ** 3,
        lambda y, t, weight: weight * (y - t) ** 4,
        lambda y, t, weight: 4 * weight * (y - t) ** 3,
        output="sigmoid",
        own={"weight": number("a factor", above=0, letter="ω")},
    )
    monkeypatch.setitem(LOSSES, "toy", row)
    (conf / "loss" / "toy.yaml").write_text("name: toy\nreduction: mean\nweight: 2.0\n")
    assert "the fourth power of the error" in run("--help")
    assert "after 50 epochs" in run("loss=toy", "loss.reduction=sum", "epochs=50", "film.frames=3")
    assert film_frames() == 3
    assert "ℓ = ω · (y - t)^4" in run("explain", "loss=toy")


def test_a_dataset_needs_only_a_row_and_a_default(conf: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def steps(size: int) -> Points:
        x = np.linspace(-1, 1, size)[:, None]
        return Points(np.hstack([x, x**2]), np.arange(size) % 2)

    row = Dataset("points of a parabola, by turns 0 and 1", steps, {"size": whole("how many", 2, 50)}, title="steps")
    monkeypatch.setitem(DATASETS, "toy", row)
    (conf / "data" / "toy.yaml").write_text("name: toy\ndefaults:\n  - /shared/coding@_here_\nsize: 5\n")
    assert "points of a parabola, by turns 0 and 1" in run("--help")
    run("data=toy", "data.size=6", "epochs=50", "film.frames=3")
    assert film_frames() == 3
    assert run("ls", "--columns", "data,data.size").splitlines()[-1].split()[1:] == ["toy", "6"]
    assert "examples" in run("explain", "data=toy")


def test_an_initializer_needs_only_a_row_and_a_default(conf: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def coins(r: Array, fan: object, size: Array) -> Array:
        return size * np.sign(r)

    row = Initializer("all of one size", "uniform", coins, coins, {"size": number("how large", 0)})
    monkeypatch.setitem(INITIALIZERS, "toy", row)
    (conf / "init" / "toy.yaml").write_text("defaults:\n  - /shared/scale@_here_\n\nname: toy\nsize: 0.5\n")
    assert "all of one size" in run("--help")
    run("init=toy", "init.size=0.25", "epochs=50", "film.frames=3")
    assert film_frames() == 3
    assert "0.25" in run("explain", "latest")


def test_an_optimizer_needs_only_a_row_and_a_default(conf: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def update(theta: Array, g: Array, state: State, lr: Array, *, size: Array) -> None:
        theta -= lr * size * np.sign(g)

    def written(move: Move) -> Lines:
        return {"theta": move.theta - move.lr * move.settings["size"] * Call("sign", move.g)}

    row = Optimizer("steps of one size", lambda theta, lr, **_: {}, update, written,
        {"size": number("of a step", above=0, letter="ς")})  # fmt: skip
    monkeypatch.setitem(OPTIMIZERS, "toy", row)
    (conf / "optimizer" / "toy.yaml").write_text(
        "# @package _global_\ndefaults:\n  - /shared/gradient@optimizer\n\nlr: 0.1\n\n"
        "optimizer:\n  name: toy\n  size: 0.5\n"
    )
    assert "steps of one size" in run("--help")
    run("optimizer=toy", "optimizer.size=0.25", "epochs=50", "film.frames=3")
    assert film_frames() == 3
    assert "ς" in run("explain", "latest")


def test_a_schedule_needs_only_a_row_and_a_default(conf: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Schedule(
        "less by 1 / t", lambda epoch, epochs, *, pace: 1 / (1 + pace * epoch), {"pace": number("how fast", 0)}
    )
    monkeypatch.setitem(SCHEDULES, "toy", row)
    (conf / "schedule" / "toy.yaml").write_text("name: toy\npace: 1.0\n")
    assert "less by 1 / t" in run("--help")
    run("schedule=toy", "schedule.pace=3", "epochs=50", "film.frames=3")
    assert film_frames() == 3
    assert "η = 0.25" in run("explain", "latest", "--epoch", "1")


def test_a_success_rule_needs_only_a_row_and_a_default(conf: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def above(t: Array, low: Array, high: Array, sd: Array, share: Array) -> tuple[Array, Array]:
        edge = low + share * (high - low)
        return np.where(t > edge, edge, -np.inf), np.where(t > edge, np.inf, edge)

    row = SuccessRule("on the target's side of an edge", above, lambda low, high, sd, share: f"beyond {share:g}",
        {"share": number("where the edge is", 0, 1)})  # fmt: skip
    monkeypatch.setitem(SUCCESS_RULES, "toy", row)
    (conf / "success" / "toy.yaml").write_text("name: toy\nshare: 0.5\n")
    assert "on the target's side of an edge" in run("--help")
    assert "Solved: every example is right from epoch 69" in run("success=toy", "film.frames=3")
    assert film_frames() == 3
    assert "right from the start" in run("success=toy", "success.share=1", "film=none")


class BlankLayout(FieldLayout):
    """The field, but without it."""

    def frame(self, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return np.zeros_like(super().frame(number))


def test_a_film_layout_needs_only_a_row_and_a_default(conf: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LAYOUTS, "toy", FilmLayout("nothing", f"{__name__}:BlankLayout", (240, 160)))
    (conf / "film" / "toy.yaml").write_text("defaults:\n  - /shared/film@_here_\n\nname: toy\n")
    run("film=toy", "epochs=50", "film.frames=3")
    (path,) = Path("outputs").glob("*/*/film.gif")
    with Image.open(path) as film:
        assert film.convert("L").getextrema()[0] == film.convert("L").getextrema()[1]


def test_a_scaling_needs_only_a_row(conf: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCALES, "toy", Scale("half as large", lambda x: (0 * x[0], 2 + 0 * x[0])))
    assert "one of none, standard, minmax, toy" in run("--help")
    run("data=circle", "data.scale=toy", "epochs=50", "film.frames=3")
    assert film_frames() == 3
    assert run("ls", "--columns", "data.scale").splitlines()[-1].split()[1:] == ["toy"]


def test_a_column_needs_only_a_row(conf: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(columns.COMPUTED, "toy", lambda entry, part, chunk: (f"run {n}" for n in chunk["number"]))
    run("-m", "lr=1,2", "epochs=3", "film=none")
    assert "run 1" in run("ls", "--runs", "--columns", "toy")
    assert "run 1" not in run("ls", "--runs", "--columns", "toy", "--where", "toy = 'run 0'")
    header, *lines = run("export").splitlines()
    assert [line.split(",")[header.split(",").index("toy")] for line in lines] == ["run 0", "run 1"]


class DiagonalPanel(Panel):
    """Draw the diagonal of its box in every frame."""

    def draw(self, frame: Frame) -> None:
        corners = np.array([[self.box.x, self.box.y], [self.box.x + self.box.width, self.box.y + self.box.height]])
        self.canvas.line(corners, self.canvas.colours.ink, 3)


def test_a_panel_needs_only_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    data, settings = run_of(next(iter(NETS))), FilmSettings(frames=3)
    plain = make_layout(data, settings).frame(0)
    box = Box(4, 4, 20, 20)
    monkeypatch.setitem(PANELS, "toy", PanelRow(DiagonalPanel, lambda layout: (box, 0)))
    changed = make_layout(data, settings).frame(0) != plain
    assert changed[4:25, 4:25].trace() > 5
    changed[:28, :28] = False
    assert not changed.any()
