"""Tab completion offers what the next word may be, and never prints anything else."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from shutil import which
from threading import Thread

import pytest
from make_records import LATER, RUN, SWEEP
from waiting import wait_until

from xortrain.cli import main
from xortrain.commands import COMMANDS
from xortrain.commands.completion import SHELLS, offered
from xortrain.config.compose import compose
from xortrain.config.settings import GROUPS, TOP, keys_of


def test_the_first_word_is_a_command_or_a_setting() -> None:
    assert {*COMMANDS, *(f"{group}=" for group in GROUPS), *(f"{key}=" for key in TOP)} <= set(offered("xortrain "))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("root")
def test_each_option_that_a_command_offers_is_in_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([command, "--help"])
    shown, found = capsys.readouterr().out, offered(f"xortrain {command} --")
    assert {"--help", "--root"} <= set(found)
    assert all(option in shown for option in found)


@pytest.mark.parametrize("group", GROUPS)
def test_every_option_of_a_group_is_offered_and_chosen_by_what_is_offered(group: str) -> None:
    found = offered(f"xortrain lr=1 {group}=")
    assert found == [f"{group}={name}" for name in GROUPS[group]]
    assert compose([found[-1]])[group]["name"] == found[-1].partition("=")[2]
    for name in GROUPS[group]:
        keys = [f"{group}.{key}=" for key in keys_of(group, name)]
        assert offered(f"xortrain {group}={name} {group}.") == keys


def test_nothing_internal_is_offered() -> None:
    assert not offered("xortrain shared")
    assert not offered("xortrain hydra/")
    assert not [word for word in offered("xortrain ") if "shared" in word]


LINES = {
    "xortrain -m optimizer=sgd,adam": ["optimizer=sgd,adam", "optimizer=sgd,adamw", "optimizer=sgd,adamax"],
    "xortrain shuffle=": ["shuffle=true", "shuffle=false"],
    "xortrain dtype=float6": ["dtype=float64"],
    "xortrain hydra.launcher.engine=l": ["hydra.launcher.engine=loky"],
    "xortrain experiment=notebook_002": ["experiment=notebook_002", "experiment=notebook_002_by_hand"],
    "xortrain --cfg ": ["job", "hydra", "all"],
    "xortrain --inf": ["--info"],
    "xortrain 'activation=relu": ["activation=relu", "activation=relu6"],
    'xortrain "activation=relu': ["activation=relu", "activation=relu6"],
    "python -m xortrain sho": ["show"],
    ".venv/bin/xortrain activation=tan": ["activation=tanh"],
    "xortrain show l": ["latest"],
    f"xortrain show {RUN[:-1]}": [RUN],
    "xortrain rm --root outputs lat": ["latest"],
    "xortrain rm --root nowhere ": [],
    "xortrain export --what ": ["runs", "losses", "parameters", "model"],
    "xortrain export --where ": [],
    "xortrain render latest film=fi": ["film=field"],
    "xortrain nonsense=": [],
    "": ["ls"],
}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.usefixtures("root")
def test_a_line_is_completed(line: str) -> None:
    found = offered(line)
    assert found == LINES[line] or (not line and found[0] == "ls")


@pytest.mark.usefixtures("root")
def test_records_are_offered_newest_first() -> None:
    found = offered("xortrain compare latest ")
    assert found[0] == "latest"
    assert found.index(SWEEP) < found.index(LATER) < found.index(RUN)


@pytest.mark.parametrize("option", ["--root 'my runs'", "--root=my\\ runs", '--json --root "my runs"'])
def test_a_root_with_a_space_in_its_name_is_found(option: str, root: Path) -> None:
    (root / "my runs").symlink_to(root / "outputs")
    assert offered(f"xortrain show {option} lat") == ["latest"]


@pytest.mark.parametrize(
    "line", ["xortrain 'a\"", "xortrain show --root /proc/1/fd ", "\\", "xortrain \x01", "xortrain =="]
)
def test_whatever_the_line_nothing_but_words_is_printed(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMP_LINE", line)
    assert main(["-sc", "query=bash"]) == 0
    assert not capsys.readouterr().err


def test_what_stands_after_the_cursor_is_not_completed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMP_LINE", "xortrain activation=tan lr=1")
    monkeypatch.setenv("COMP_POINT", str(len("xortrain activation=tan")))
    assert main(["--shell-completion", "query=bash"]) == 0
    assert capsys.readouterr().out == "activation=tanh\n"


@pytest.mark.parametrize("words", [[], ["install=sh"], ["query"], ["install=bash", "lr=1"]])
def test_another_request_is_an_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-sc", *words]) == 2
    assert "install=, uninstall= or query= of bash, zsh, fish" in capsys.readouterr().err


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_can_install_and_uninstall(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    for action in ("install", "uninstall"):
        assert main(["-sc", f"{action}={shell}"]) == 0
        assert "xortrain" in capsys.readouterr().out


def test_bash_gets_what_it_puts_behind_the_last_equals_sign(root: Path) -> None:
    script = f"""
        xortrain() {{ '{sys.executable}' -m xortrain "$@"; }}
        eval "$(xortrain -sc install=bash)"
        for COMP_LINE in 'xortrain activation=relu' 'xortrain sho' 'xortrain -m loss=mse,ma'; do
            COMP_POINT=${{#COMP_LINE}}; _xortrain; echo "${{COMPREPLY[@]}}"
        done"""
    done = subprocess.run(["bash", "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "relu relu6\nshow\nmse,mae\n"
    assert not done.stderr


@pytest.mark.skipif(not which("zsh"), reason="there is no zsh")
def test_zsh_completes_options_and_files_behind_an_equals_sign(root: Path) -> None:
    """Typed into a terminal: the line, Tab, and at its beginning a command that prints it."""
    (root / "fruit-2026.csv").touch()
    screen, terminal = os.openpty()
    zsh = subprocess.Popen(
        ["zsh", "-f", "-i"], cwd=root, start_new_session=True, stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    shown = bytearray()

    def watch() -> None:
        with suppress(OSError):  # at the end
            while True:
                shown.extend(os.read(screen, 4096))

    watching = Thread(target=watch)
    watching.start()

    def typed(line: str, answer: str) -> None:
        os.write(screen, line.encode())
        wait_until(lambda: answer.encode() in shown)

    try:
        typed(f"path=('{Path(sys.executable).parent}' $path); print ready''ed\r", "readyed")
        typed("autoload -Uz compinit; compinit -D -u; eval \"$(xortrain -sc install=zsh)\"; print set''up\r", "setup")
        typed("xortrain activation=sil\t\x01print '<'\x05\r", "<xortrain activation=silu")
        typed("xortrain data=csv data.path=fru\t\x01print '<'\x05\r", "<xortrain data=csv data.path=fruit-2026.csv")
    finally:
        zsh.kill()
        zsh.wait()
        watching.join()
        os.close(screen)
