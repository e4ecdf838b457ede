"""Records of which files or folders are lost or cut: what is gone is said, and never taken for nothing."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import xortrain
from xortrain.api import Sweep
from xortrain.cli import main
from xortrain.errors import Remark, UserError


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a sweep of two populations with two runs each."""
    root = tmp_path_factory.mktemp("trained")
    xortrain.sweep("architecture.hidden=[2],[3]", "seed=0,1", "epochs=4", "film=none", f"root={root}")
    return next(root.glob("sweeps/*/*"))


@pytest.fixture
def sweep(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Copy this sweep into a folder that is the current one, as a user copies it; the path of the copy."""
    monkeypatch.chdir(tmp_path)
    return str(shutil.copytree(trained, "copied"))


LOST: dict[str, Callable[[Path], None]] = {
    "no folder": lambda folder: shutil.rmtree(folder),
    "no record.json": lambda folder: (folder / "record.json").unlink(),
}
"""How a population can be lost."""


@pytest.fixture(params=LOST)
def problem(request: pytest.FixtureRequest, sweep: str) -> str:
    """Lose a population; what is said about it."""
    LOST[request.param](Path(sweep, "population-001"))
    return "copied: lacks 1 of its 2 populations"


@pytest.mark.parametrize("command", [["show", "copied"], ["ls", "--root", "."]])
def test_a_table_says_that_a_population_is_lost(
    problem: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 0
    assert re.search(rf"unreadable: (\./)?{re.escape(problem)}$", capsys.readouterr().out.rstrip())


@pytest.mark.parametrize(
    "command", [["export", "--output", "a.csv"], ["page", "--output", "a.html"], ["render", "--still"], ["group"]]
)
def test_what_is_written_without_a_lost_population_comes_with_a_remark(
    problem: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command[0], "copied", *command[1:]]) == 0
    assert capsys.readouterr().err == f"xortrain: left out: {problem}\n"


def test_python_reads_what_is_there_with_a_remark(problem: str) -> None:
    with pytest.warns(Remark, match=f"^left out: {re.escape(problem)}$"):
        loaded = xortrain.load("copied")
    with pytest.warns(Remark, match=rf"^left out: (\./)?{re.escape(problem)}$"):
        assert len(xortrain.runs(".")) == 2
    assert isinstance(loaded, Sweep)
    assert len(loaded) == 2


@pytest.mark.parametrize("command", [["rerun", "--check"], ["continue", "epochs=+3"], ["resume"]])
def test_a_sweep_that_lacks_a_population_is_not_trained_or_checked(
    problem: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command[0], "copied", *command[1:]]) == 2
    assert capsys.readouterr().err == f"xortrain: error: {problem}\n"


@pytest.mark.parametrize("name", ["losses-000.npy", "parameters-000.npy"])
def test_resume_names_a_file_that_is_cut_and_replaces_one_that_is_lost(
    sweep: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(sweep, "population-001", name)
    content = path.read_bytes()
    path.write_bytes(content[:-8])
    assert main(["resume", sweep]) == 2
    size = len(content)
    assert capsys.readouterr().err == f"xortrain: error: {path}: has {size - 8} bytes, but its header requires {size}\n"
    path.unlink()
    assert main(["resume", sweep]) == 0
    assert path.read_bytes() == content


def test_a_folder_without_its_record_json_is_named_as_such(sweep: str) -> None:
    Path(sweep, "population-000", "record.json").unlink()
    with pytest.raises(UserError, match=r"population-000: no such run under outputs\. This folder has no record\.json"):
        xortrain.load(f"{sweep}/population-000")


def test_the_runs_of_a_population_are_named_by_the_numbers_that_it_has(
    sweep: str, capsys: pytest.CaptureFixture[str]
) -> None:
    population = f"{sweep}/population-001"
    for name, said in (
        (population, f"a sweep of 2 runs; name one of them, as in {population}#2"),
        (f"{population}#0", "no such number; this sweep has 2 … 3"),
    ):
        assert main(["compare", name, name]) == 2
        assert capsys.readouterr().err == f"xortrain: error: {name}: {said}\n"
    assert main(["show", f"{population}#2"]) == 0


def test_no_name_is_no_folder(sweep: str) -> None:
    with pytest.raises(UserError, match=r"no such run under outputs\. There are none$"):
        xortrain.load("")


def test_the_current_folder_as_a_root_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^nothing: no such run under the current folder\. There are none$"):
        xortrain.load("nothing", root=".")


@pytest.mark.parametrize(
    "words",
    [
        "predict copied 0,1",
        "explain copied",
        "render copied film=story",
        "render copied --output none/film.gif",
        "export copied --what model --output model.onnx",
        "export copied --output none/runs.csv",
        "page copied --output none/page.html",
        "page copied --max-mb 0.00001",
        "group copied --by none",
    ],
)
def test_an_error_about_a_sweep_is_one_line_whatever_it_lacks(
    problem: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 2
    said = capsys.readouterr().err
    assert said.startswith("xortrain: error: ")
    assert said.count("\n") == 1
    assert problem not in said


COMMANDS = {
    "rerun": ["rerun"], "predict": ["predict", "0,1"], "explain": ["explain"], "check": ["check"],
    "one film": ["render", "film=field", "--still"],
    "each film": ["render", "film.each=true"], "compare": ["compare", "copied#0"],
}  # fmt: skip
"""What takes one run only."""


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_the_run_that_a_command_names_as_an_example_is_one_that_it_takes(
    words: list[str], sweep: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *more = words
    assert main([command, f"{sweep}/population-001", *more]) == 2
    found = re.search(r"as in (\S+)$", capsys.readouterr().err.rstrip())
    assert found
    assert main([command, found[1], *(word for word in more if "each" not in word)]) == 0


def test_a_number_in_a_population_that_is_not_there_comes_with_what_is_lacking(sweep: str) -> None:
    """As while a sweep begins, whose populations are made one after the other."""
    shutil.rmtree(f"{sweep}/population-001")
    with pytest.raises(UserError, match=r"^copied#3: no such number; this sweep has 0 … 1; copied: lacks 1 of its 2 "):
        xortrain.load(f"{sweep}#3")
