"""~ is the home folder in every path that a user writes, whether a shell has replaced it or not."""

import subprocess
from pathlib import Path

import pytest
from make_records import RUN, SWEEP, four_records
from some_runs import QUIET, composed

import xortrain
from xortrain.cli import main
from xortrain.config.settings import GROUPS, TOP, dotted_keys, settings_of
from xortrain.errors import UserError
from xortrain.records.naming import user_path
from xortrain.runner.train import RESUME, working_in

PATHS = [key for key in (*TOP, *dotted_keys()) if {"path"} == {setting.kind for setting in settings_of(key)}]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home folder with four records in mine/, and another working directory."""
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")
    four_records(tmp_path / "home" / "mine", {}, {})
    return tmp_path / "home"


def nothing_is_here() -> bool:
    return not list(Path.cwd().iterdir())


@pytest.mark.parametrize("value", ["~/a b", "'~/a b'", '"~/a b"'])
@pytest.mark.parametrize("key", PATHS)
def test_a_path_among_the_settings(key: str, value: str, home: Path) -> None:
    group, _, name = key.partition(".")
    options = [f"{group}={option}" for option, row in GROUPS.get(group, {}).items() if name in row.settings]
    for option in options or [f"{key}={value}"]:
        config = composed.__wrapped__(option, f"{key}={value}")
        assert (config[group][name] if name else config[key]) == f"{home}/a b"


@pytest.mark.parametrize("key", PATHS)
def test_an_empty_path_is_refused(key: str) -> None:
    option = [f"{key.partition('.')[0]}=csv"] if "." in key else []
    with pytest.raises(UserError, match=rf"^{key}=: must be a path"):
        xortrain.train(*option, f"{key}=")


@pytest.mark.parametrize("words", [[], ["-m", "seed=1,2"], ["-m", "seed=1,2", "hydra/sweeper=basic"]])
def test_a_root(words: list[str], home: Path) -> None:
    assert main([*words, "root='~/new'", *QUIET, "epochs=1"]) == 0
    assert nothing_is_here()
    assert list((home / "new").rglob("record.json"))


COMMANDS = [
    f"show ~/mine/{RUN}",
    f"show ~/mine/sweeps/{SWEEP}#3",
    "ls --root ~/mine",
    "explain --root=~/mine experiment=notebook_000",
    f"export --root ~/mine {RUN} --output=~/new.csv",
    f"export --root ~/mine {RUN} --to ~/new.npz",
    f"compare --root ~/mine {RUN} {SWEEP}#1 --output ~/new.png",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_path_on_the_command_line(command: str, home: Path) -> None:
    assert main(command.split()) == 0
    assert nothing_is_here()
    assert len(list(home.glob("new.*"))) == (" ~/new" in command or "=~/new" in command)


def test_a_path_in_python(home: Path) -> None:
    assert len(xortrain.runs("~/mine")) == 20
    run = xortrain.train("epochs=1")
    assert run.film("~/new.gif", frames=1, layout="losses") == home / "new.gif"
    sweep = xortrain.sweep("seed=1,2", "epochs=1", "film=none", "root=~/new")
    assert repr(xortrain.load("latest", root="~/new")) == repr(sweep)
    assert nothing_is_here()


@pytest.mark.parametrize(
    "root", ["my runs", "it's", "$HOME", "-runs", "~", "a#1", "gr\u00f6\u00dfe", "a\\b", "`id`", "a;b", 'a"b']
)
def test_a_printed_command_names_its_record_when_it_is_pasted_into_a_shell(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path(f"./{root}/2026-11-21")
    folder.mkdir(parents=True)
    (folder / "record.json").touch()
    with pytest.raises(KeyboardInterrupt) as ended, working_in(folder, RESUME):
        raise KeyboardInterrupt
    pasted = str(ended.value).removeprefix("to continue: xortrain resume ")
    done = subprocess.run(["bash", "-c", f"printf %s {pasted}"], capture_output=True, text=True, check=True)
    assert user_path(done.stdout).samefile(folder)
    assert not done.stdout.startswith("-")
