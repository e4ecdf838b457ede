"""A record states the git commit of the working directory, and reading it does not write to the repository."""

import os
import subprocess
from pathlib import Path

import pytest

from xortrain.records.process import git_state


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("one")
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "file"], [*who, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], check=True)
    return tmp_path


def test_a_record_has_the_commit_and_whether_files_were_changed(repository: Path) -> None:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    assert git_state() == {"commit": commit, "dirty": False}
    (repository / "untracked").write_text("")
    assert git_state() == {"commit": commit, "dirty": False}
    (repository / "file").write_text("two")
    assert git_state() == {"commit": commit, "dirty": True}


def test_reading_the_git_state_does_not_write_to_the_repository(repository: Path) -> None:
    os.utime(repository / "file", (1, 1))  # `git status` would write the new time to the index
    before = {path: path.stat().st_mtime_ns for path in (repository / ".git").rglob("*")}
    git_state()
    assert before == {path: path.stat().st_mtime_ns for path in (repository / ".git").rglob("*")}


def test_without_a_repository_or_a_commit_there_is_no_git_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert git_state() is None
    subprocess.run(["git", "init", "-q"], check=True)
    assert git_state() is None
