"""The folder of the records: root= or --root, else XORTRAIN_ROOT, else outputs; the same for every way in."""

import errno
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from make_records import RUN, four_records
from some_runs import QUIET

import xortrain
from xortrain.cli import main
from xortrain.commands import COMMANDS
from xortrain.errors import UserError
from xortrain.records.naming import ROOT, VARIABLE


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def roots() -> set[str]:
    """The folders here that have records."""
    return {path.parts[0] for path in Path().glob("*/**/record.json")}


@pytest.mark.parametrize("words", [["lr=1"], ["-m", "lr=1,2"]], ids=["a run", "a sweep"])
@pytest.mark.parametrize(
    ("typed", "variable", "expected"),
    [("typed", "named", "typed"), (None, "named", "named"), (None, None, ROOT)],
    ids=["typed", "variable", "neither"],
)
def test_a_root_is_the_one_typed_then_the_variable_then_outputs(
    words: list[str], typed: str | None, variable: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv(VARIABLE, variable)
    given = [f"root={typed}"] if typed else []
    assert main([*words, *QUIET, "epochs=3", *given]) == 0
    assert roots() == {expected}
    assert main(["ls", *(["--root", typed] if typed else [])]) == 0
    (config, *_) = Path(expected).glob("**/config.yaml")
    assert f"\nroot: {expected}\n" in config.read_text(encoding="utf-8")


def test_python_follows_the_variable_whenever_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first", "~/second", "${third}"):
        monkeypatch.setenv("HOME", str(Path.cwd()))
        monkeypatch.setenv(VARIABLE, name)
        sweep = xortrain.sweep("lr=1,2", *QUIET, "epochs=3")
        assert len(xortrain.runs()) == len(sweep) == 2
        assert xortrain.load("latest").folder == sweep.folder
    assert roots() == {"first", "second", "${third}"}


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("", "XORTRAIN_ROOT=: must be a path; unset it to keep records in outputs"),
        ("file", "XORTRAIN_ROOT=file: is not a folder"),
    ],
)
def test_a_bad_variable_is_one_line_where_it_counts(
    value: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("file").touch()
    monkeypatch.setenv(VARIABLE, value)
    for words in (["lr=1"], ["-m", "lr=1,2"], ["ls"], ["show", "latest"], ["--cfg", "job"]):
        assert main(words) == 2
        assert capsys.readouterr() == ("", f"xortrain: error: {line}\n")
    with pytest.raises(UserError, match=line):
        xortrain.runs()
    with pytest.raises(UserError, match=line):
        xortrain.load("latest")
    with pytest.raises(UserError, match=line):
        xortrain.sweep("lr=1,2")
    assert [path.name for path in Path().iterdir()] == ["file"]
    Path("typed").mkdir()
    assert main(["ls", "--root", "typed"]) == main(["lr=1", "root=typed", *QUIET, "epochs=3"]) == 0


@pytest.mark.parametrize("words", [["ls"], ["show", "latest"], ["show", "2026"], ["export"], ["group"]])
def test_what_finds_nothing_says_where_it_looked_and_why_there(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "nowhere")
    main(words)
    assert "under nowhere (from XORTRAIN_ROOT)" in "".join(capsys.readouterr())
    monkeypatch.delenv(VARIABLE)
    main(words)
    assert VARIABLE not in "".join(capsys.readouterr())


def test_every_command_with_a_root_names_the_variable_in_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    named = 0
    for command in COMMANDS:
        assert main([command, "--help"]) == 0
        text = " ".join(capsys.readouterr().out.split())
        named += "--root" in text
        assert ("--root" in text) == (f"(default: {VARIABLE}, or {ROOT})" in text)
    assert named > 10


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Closes a folder to this user, who may be root, for whom permissions do not count."""

    def close(folder: str) -> None:
        def scandir(path: Any) -> Any:
            if os.path.relpath(path) == folder:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
            return before(path)

        before = os.scandir
        monkeypatch.setattr("xortrain.records.index.os.scandir", scandir)

    return close


@pytest.mark.parametrize("words", ["ls", "show latest", "show 2026", "group", "sql 'select * from runs'", "rm x --yes"])
def test_a_root_that_may_not_be_read_is_never_called_empty(
    words: str, closed: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(ROOT).mkdir()
    closed(ROOT)
    assert main(shlex.split(words)) == 2
    assert capsys.readouterr() == ("", "xortrain: error: outputs: Permission denied\n")


def test_a_folder_of_a_root_that_may_not_be_read_is_listed_as_unreadable(
    closed: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its records, which nobody sees, are not missing silently, and the others stay usable."""
    four_records(Path(ROOT), {}, {})
    Path(ROOT, "2026-01-01").mkdir()
    closed(f"{ROOT}/2026-01-01")
    assert main(["ls"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("2026-01-01: unreadable: outputs/2026-01-01")
    assert main(["show", RUN]) == main(["show", "latest"]) == 0
    assert main(["rm", "2026-01-01", "--yes"]) == 2
    assert "Permission denied" in capsys.readouterr().err
