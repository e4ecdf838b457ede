"""The command line: what it prints and where, what it runs, and its exit codes."""

import fcntl
import importlib
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from some_runs import QUIET
from waiting import PATIENCE

from xortrain import __version__
from xortrain.cli import main
from xortrain.commands import COMMANDS

ROOT = Path(__file__).parents[1]
MODULE = [sys.executable, "-m", "xortrain"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shell(*words: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*MODULE, *words], capture_output=True, text=True, check=False, timeout=PATIENCE, **options)


def test_the_module_and_the_installed_command_are_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"xortrain": "xortrain.__main__:start"}
    assert project["dynamic"] == ["version"]
    assert shell("--version").stdout == f"xortrain {__version__}\n"


def test_without_overrides_it_trains_notebook_002(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out, err = capsys.readouterr()
    assert not err
    assert out.startswith("Solved: every example is right from epoch 69 on. Loss 0.148494 after 140 epochs.\n")
    ((record, film),) = re.findall(r"\nrecord  (outputs/\S+)\nfilm    (outputs/\S+\.gif)\n$", out)
    assert (here / record / "record.json").is_file()
    assert (here / film).read_bytes().startswith(b"GIF89a")
    assert Path(film).parent == Path(record)


@pytest.mark.parametrize("film", ["story", "field", "weights"])
def test_a_run_that_diverges_is_filmed_without_a_warning(film: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["lr=1e5", "loss=mse", "output=identity", "epochs=60", "film.frames=4"]
    assert main([*words, f"film={film}", "advice=none"]) == 0
    out, err = capsys.readouterr()
    assert not err
    assert out.startswith("Diverged: ")


def test_nothing_is_written_outside_the_root(here: Path) -> None:
    assert main([*QUIET, "root=elsewhere", "epochs=2"]) == 0
    assert [path.name for path in here.iterdir()] == ["elsewhere"]


def test_a_record_outside_this_folder_has_its_full_path(
    here: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path_factory.mktemp("far away")
    assert main([*QUIET, f"root={root}", "epochs=2"]) == 0
    assert f"record  {root}/" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"], ["lr=1", "--help"]])
def test_help_is_the_same_however_it_is_asked_for(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert not err
    assert "xortrain lr=1 " in out
    assert "leaky_relu" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_a_function(command: str) -> None:
    module, _, function = COMMANDS[command][0].partition(":")
    assert callable(getattr(importlib.import_module(f"xortrain.commands.{module}"), function))


def test_the_settings_can_be_shown_without_a_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cfg", "job", "optimizer=adam", "name=1e3"]) == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert (shown["lr"], shown["optimizer"]["name"], shown["name"]) == (0.001, "adam", "1e3")
    assert not list(here.iterdir())


@pytest.mark.parametrize("before", [True, False])
def test_flags_and_overrides_may_be_mixed(before: bool, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--cfg", "job"]
    assert main([*flags, "lr=3"] if before else ["lr=3", *flags]) == 0
    assert "lr: 3" in capsys.readouterr().out


def test_an_unknown_command_is_an_error_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rendr"]) == 2
    assert "'render'" in capsys.readouterr().err


def test_hydra_changes_nothing_in_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    before, arguments = Path.cwd(), sys.argv
    assert main(["hydra.job.name=other", *QUIET, "epochs=1"]) == 0
    assert main(["hydra.job.name=other", "lr=-1"]) == 2
    assert sys.argv is arguments
    assert "HYDRA_FULL_ERROR" not in os.environ
    assert Path.cwd() == before


def test_the_typed_command_is_recorded(here: Path) -> None:
    words = ["advice=none", "film=none", "epochs=1", "name=1e3", "notes=two words"]
    assert shell(*words).returncode == 0
    metadata = next(here.rglob("record.json")).read_text(encoding="utf-8")
    assert '"film=none", "epochs=1", "name=1e3", "notes=two words"]' in metadata


def test_a_mistake_in_a_shell_is_one_line_and_exit_code_2(here: Path) -> None:
    done = shell("activation=tahn")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("xortrain: error: activation=tahn: no such choice. Did you mean 'tanh'? Known: ")
    assert done.stderr.count("\n") == 1
    assert not list(here.iterdir())


def test_a_closed_pipe_is_no_error() -> None:
    line = f"'{sys.executable}' -m xortrain help | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["0"]
    assert not done.stderr


def on_a_terminal(*words: str, command: list[str] = MODULE) -> tuple[str, int]:
    """The standard error on a terminal of 100 columns, and the exit code; Ctrl-C is sent when a rate is shown."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen([*command, *words], stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown, has_seen = b"", False
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
            if b"epochs/s" in shown and not has_seen:
                has_seen = True
                process.send_signal(signal.SIGINT)
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(ours)
        process.wait(PATIENCE)
    return shown.decode(), process.returncode


def test_a_long_run_shows_a_bar_on_a_terminal() -> None:
    shown, code = on_a_terminal("film=none", "epochs=100000000", "track.losses=10")
    assert re.search(r"\d+/100000000 \[.*epochs/s\]", shown)
    assert code == 130


def test_a_short_run_shows_no_bar() -> None:
    """The clock of the bar stands still, so that a run is short on a busy machine too."""
    code = "import sys, tqdm.std; tqdm.std.time = lambda: 0.0; from xortrain.cli import main; sys.exit(main())"
    assert on_a_terminal("film=none", "epochs=50", command=[sys.executable, "-c", code]) == ("", 0)
