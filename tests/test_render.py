"""`render` on the command line: the file, what is printed of it, and what is refused."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import xortrain
from xortrain.cli import main
from xortrain.commands.render import _recorded_overrides
from xortrain.config.check import check
from xortrain.config.compose import composed
from xortrain.films.film_settings import LAYOUTS
from xortrain.setup.film_config import film_with
from xortrain.views.run_film import film_title

pytestmark = pytest.mark.usefixtures("quick_composition")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with the record of one short run, the working folder of the commands."""
    monkeypatch.chdir(tmp_path)
    assert main(["epochs=5", "film=none"]) == 0
    capsys.readouterr()
    return tmp_path


def assert_is_one_frame_that_goes_with_its_record(layout: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["render", "latest", f"film={layout}", "--still"]) == 0
    path = Path(capsys.readouterr().out.rstrip("\n"))
    assert path.name == (f"{layout}.png" if layout in ("losses", "raster") else "poster.png")
    with Image.open(path) as image:
        assert getattr(image, "n_frames", 1) == 1
    assert main(["rm", "latest", "--yes"]) == 0
    assert not path.parent.exists()


@pytest.mark.parametrize("layout", [name for name, row in LAYOUTS.items() if row.fewest_runs == 1 and name != "none"])
def test_a_still_is_one_frame(layout: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert_is_one_frame_that_goes_with_its_record(layout, capsys)


@pytest.mark.parametrize("layout", [name for name, row in LAYOUTS.items() if row.most_runs > 1])
def test_a_still_of_a_sweep_is_one_frame(layout: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-m", "init.set.W1.0.0=1,2", "init.set.W1.0.1=1,2", "epochs=5", "film=none"]) == 0
    assert_is_one_frame_that_goes_with_its_record(layout, capsys)


@pytest.mark.parametrize(("suffix", "head"), [(".svg", b"<?xml"), (".pdf", b"%PDF-1")])
def test_a_still_is_a_drawing_if_its_name_says_so(
    root: Path, suffix: str, head: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", "latest", "film=field", "--still", "--output", f"a{suffix}"]) == 0
    assert capsys.readouterr().out == f"a{suffix}\n"
    xortrain.load("latest").film(f"b{suffix}", layout="field", still=True)
    one, other = (Path(f"{name}{suffix}").read_bytes() for name in "ab")
    assert one == other
    assert one.startswith(head)


@pytest.mark.parametrize("words", [[], ["film.frames=null"]])
def test_a_film_has_as_many_frames_as_it_needs(root: Path, words: list[str]) -> None:
    assert main(["render", "latest", *words]) == 0
    (path,) = root.glob("outputs/*/*/film.gif")
    with Image.open(path) as image:
        assert getattr(image, "n_frames", 1) == 6  # all epochs of a short run


@pytest.mark.parametrize("frames", [1, 4])
def test_a_film_in_a_png_is_reported_as_animated(root: Path, frames: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "latest", "film=losses", f"film.frames={frames}", "--output", "poster.png"]) == 0
    line = capsys.readouterr().out
    with Image.open(root / "poster.png") as image:
        assert getattr(image, "n_frames", 1) == frames
    assert (f"{frames} frames" in line) == (frames > 1)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "required: RECORD;"),
        (["latest", "--output", "pp/x"], "--output=pp/x: must end in .gif, .png, .webp, .mp4"),
        (["latest", "--output", "pp/"], "--output=pp/: must end in .gif, .png, .webp, .mp4"),
        (["latest", "--output", "/proc/x.gif"], "error: /proc/x.gif: "),
        (["latest", "film.colours=viridi"], "Did you mean 'viridis'"),
        (["latest", "film.fps", "=", "20"], "write film.fps=20, without spaces"),
        (
            ["latest", "film.format=mp4", "--output", "x.gif"],
            "film.format=mp4 and --output=x.gif: contradict each other",
        ),
        (["latest", "film=sweep"], "film=sweep: shows several runs, and this is one; choose film=story, field"),
        (
            ["latest", "--still", "--output", "x.gif"],
            "x.gif: a still is one image; its name must end in .png, .svg, .pdf",
        ),
        (["latest", "--output", "x.svg"], "--output=x.svg: .svg is for a still image: add --still"),
        (["latest", "--output", "x.pdf", "film=losses"], "--output=x.pdf: .pdf is for a still image: add --still"),
    ],
)
def test_errors_name_the_word_that_was_given(
    root: Path, words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line


@pytest.mark.parametrize(
    ("words", "called"),
    [
        ([], "XOR   2-2-1 sigmoid   bce   lr 1"),
        (["architecture.bias=false"], "XOR   2-2-1 sigmoid no bias   bce   lr 1"),
    ],
)
def test_a_title_names_the_loss_and_a_missing_bias(words: list[str], called: str) -> None:
    assert film_title(xortrain.train("epochs=1", *words).trained.setup) == called


RECORDED = {
    "film": check(composed(["film=losses", "film.fps=7", "film.dark=true", "film.size=[640,480]"])[0])["film"],
    "no film": check(composed(["film=none"])[0])["film"],
}
PLAIN = [
    [],
    ["film=field"],
    ["film=field", "film.frames=12", "film.size=[500,300]", "film.hold=0.25", "film.loop=false"],
    ["film.size=null", "film.colours=viridis_r", "film=weights", "film.levels=8", "film.format=webp", "film.at=best"],
    ["film.fps=20", "film.fps=12.5", "film.spacing=log", "film=sweep", "film=losses"],
]
NOT_PLAIN = [
    "film=none", "film=fields", "film=true", "film.fps=fast", "film.fps=1e1", "film.fps=007", "film.fps=-1",
    "film.frames=2.5", "film.size=[500, 300]", "film.size=[1,2,3]", "film.foo=1", "+film.fps=3", "film.colours=1.5",
    "film.colours='viridis'", "film.colours=nan", "film.dark=True", "film.dark=yes", "film.levels=7", "~film.fps",
    "film.fps=${film.frames}", "lr=1",
]  # fmt: skip


@pytest.mark.parametrize("record", RECORDED)
@pytest.mark.parametrize("overrides", PLAIN, ids=" ".join)
def test_plain_overrides_of_a_film_mean_what_they_mean_to_hydra(record: str, overrides: list[str]) -> None:
    own = RECORDED[record]
    expected = check(composed([*_recorded_overrides(own, overrides), *overrides])[0])["film"]
    if not overrides and record == "no film":
        return  # a record without a film has the default one, which only Hydra knows
    found = film_with(own, overrides)
    assert found == expected
    assert found is not None
    assert {key: type(value) for key, value in found.items()} == {k: type(v) for k, v in expected.items()}


@pytest.mark.parametrize("override", NOT_PLAIN)
def test_every_other_override_of_a_film_is_left_to_hydra(override: str) -> None:
    assert film_with(RECORDED["film"], [override]) is None


HEAVY = (
    "hydra",
    "omegaconf",
    "matplotlib.figure",
    "matplotlib.backend_bases",
    "matplotlib.backends.backend_svg",
    "pandas",
)


def test_a_film_is_rendered_without_what_takes_longer_to_import(root: Path) -> None:
    code = (
        "import sys; from xortrain.cli import main; main(['render', 'latest', 'film=field', '--output', 'x.gif']);"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.splitlines() == ["x.gif", "[]"]
