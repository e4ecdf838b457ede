"""Of Hydra's flags and settings only known ones are used, and nothing that a file names is imported or called."""

import argparse
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.utils import get_args_parser

from xortrain.cli import main
from xortrain.config.private import help_unchecked
from xortrain.errors import LONGEST, UserError
from xortrain.hydra_app import FLAGS

with help_unchecked():
    OPTIONS = [action for action in get_args_parser()._actions if action.option_strings]
REFUSED = [action for action in OPTIONS if action.dest not in (*FLAGS, "shell_completion", "version")]
MARK = "a stranger was here"


class Stranger:
    """Executes something when it is read from a pickle."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(MARK),)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the current folder one with files of a stranger, each of which would leave a mark."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.pickle").write_bytes(pickle.dumps(Stranger()))
    call = f"{{_target_: pathlib.Path.touch, self: '{MARK}', _partial_: false}}"
    own: dict[str, str] = {
        "experiment/callback": f"hydra: {{callbacks: {{x: {call}}}}}",
        "experiment/logging": "hydra: {job_logging: {handlers: {x: {class: os.system}}}}",
        "experiment/formatter": "hydra: {hydra_logging: {formatters: {x: {(): os.system}}}}",
        "experiment/env": "hydra: {job: {env_set: {LD_PRELOAD: x.so}}}",
        "experiment/launcher": f"hydra: {{launcher: {call}}}",
        "experiment/sweeper": f"hydra: {{sweeper: {call}}}",
        "experiment/nested": f"hydra: {{sweeper: {{x: {call}}}}}",
        "experiment/job": f"optimizer: {call}",
        "hydra/launcher/strange": call,
        "hydra/sweeper/strange": call,
        "hydra/callbacks/strange": call,
        "config": f"hydra: {{callbacks: {{x: {call}}}, searchpath: ['pkg://strange']}}",
    }
    for name, text in own.items():
        path = tmp_path / "own" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# @package _global_\n{text}\n" if "/" in name and "hydra/" not in name else f"{text}\n")
    for folder in ("strange", "hydra_plugins"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text(f"import pathlib; pathlib.Path({MARK!r}).touch()\n")
    return tmp_path


STRANGE = [
    *(f"{name} config.pickle" for action in REFUSED for name in action.option_strings),
    *(f"--cfg job {name} own" for action in REFUSED for name in action.option_strings),
    *(f"-cd own experiment={name}" for name in ("callback", "logging", "formatter", "env", "launcher", "job")),
    *(f"-cd own -m seed=1,2 experiment={name}" for name in ("callback", "nested", "launcher", "sweeper")),
    *(f"-cd own -m hydra/sweeper=basic seed=1,2 experiment={name}" for name in ("callback", "logging", "nested")),
    *(f"-cd own -m hydra/{kind}=strange seed=1,2" for kind in ("launcher", "sweeper", "callbacks")),
    "-cd own --info all experiment=callback",
    "-cd own --cfg all experiment=logging",
    "hydra.searchpath=[pkg://strange]",
    "hydra.searchpath=[file://own]",
    "+hydra.callbacks.x={_target_:os.system}",
    "-m hydra.sweeper._target_=os.system seed=1,2",
    "-m +hydra.launcher.x={_target_:os.system} seed=1,2",
    "-m hydra/sweeper=basic +hydra.sweeper.x._target_=os.system seed=1,2",
    "-m hydra/launcher=[null] seed=1,2",
    "hydra/launcher=[null]",
    "hydra/job_logging=default",
    "hydra.verbose=1",
    "hydra.mode=MULTIRUN",
    "hydra.job.env_copy=[NOPE]",
    "hydra.job.chdir=true",
    "hydra.output_subdir=x",
    "data@hydra.callbacks.x=xor",
    "~hydra.job",
    "~success=[]",
    'optimizer=${oc.decode:"1"}',
    "lr=${oc.deprecated:epochs}",
    "-m hydra/sweeper=basic lr=1,x",
    "-m hydra/launcher=basic lr=1,x",
    "-m hydra/sweeper=basic hydra.sweeper.max_batch_size=1 lr=1,x",
    "-sc",
    "--package lr",
    "-p lr --info",
]


@pytest.mark.parametrize("words", STRANGE)
@pytest.mark.filterwarnings("error")
def test_what_is_not_known_to_be_harmless_is_one_line(
    words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(here.rglob("*"))
    assert main([*words.split(" "), "film=none", "epochs=1"] if not words.startswith("-sc") else [words]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert re.fullmatch(r"xortrain: error: .+\n", err)
    assert len(err) <= LONGEST + 1
    assert sorted(here.rglob("*")) == before


HARMLESS = [
    "--info all",
    "--info defaults-tree",
    "-i defaults",
    "--hydra-help",
    "--cfg all",
    "-c job --resolve",
    "--cfg job -p optimizer",
    "-cd own --cfg job",
    'lr=${oc.decode:"0.5"} notes=${oc.env:HOME} tags=[${name}] name=a',
    "-r hydra.job.name=other",
]


@pytest.mark.parametrize("words", HARMLESS)
def test_what_is_harmless_works(words: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words.split(" "), "film=none", "epochs=1", "advice=none"]) == 0
    out, err = capsys.readouterr()
    assert out
    assert not err
    assert not (here / MARK).exists()


def test_every_flag_of_hydra_is_known_or_refused() -> None:
    assert {action.dest for action in REFUSED} == {"config_path", "config_name", "experimental_rerun"}


JOBS = {
    "-m seed=range(0,1e12)": "1,000,000,000,000 jobs: a sweep has at most 20,000,000",
    "-m seed=range(0,20000001)": "20,000,001 jobs: a sweep has at most 20,000,000",
    "-m seed=range(0,5000) lr=range(1,5001)": "25,000,000 jobs",
    "-m lr=range(0,1,1e-320)": "more than 1,000,000,000,000,000,000 jobs",
    "-m lr=shuffle(range(1,2000000))": "1,999,999 values: a range that is shuffled",
    "-m lr=range(0.5,2000000)": "2,000,000 values: a range that is",
    "-m epochs=range(0,10001)": "10,001 combinations of choices",
    "-m lr=range(1,200) batch_size=${seed} seed=range(1,200)": "39,601 combinations",
}


@pytest.mark.parametrize("words", JOBS)
def test_too_many_jobs_are_refused_with_their_number_and_the_most(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split(" ")) == 2
    assert JOBS[words] in capsys.readouterr().err


def test_a_flag_cannot_be_abbreviated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--experimental-re", "x"]) == 2
    assert "unrecognized" in capsys.readouterr().err
    assert issubclass(UserError, ValueError)


def test_hydra_starts_where_argparse_checks_help_texts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python 3.14 looks for % in the help of an argument as it is added; here older ones do the same."""

    def check_help(parser: argparse.ArgumentParser, action: argparse.Action) -> None:
        try:
            "%" in (action.help or "")  # noqa: B015
        except TypeError as error:
            raise ValueError("badly formed help string") from error

    def add_action(parser: Any, action: argparse.Action) -> argparse.Action:
        parser._check_help(action)
        return add(parser, action)

    add = argparse.ArgumentParser._add_action
    if not hasattr(argparse.ArgumentParser, "_check_help"):
        monkeypatch.setattr(argparse._ActionsContainer, "_check_help", check_help, raising=False)
        monkeypatch.setattr(argparse.ArgumentParser, "_add_action", add_action)
    assert main(["--cfg", "job", "lr=3"]) == 0
    assert "lr: 3" in capsys.readouterr().out
    with pytest.raises(ValueError, match="badly formed"):
        get_args_parser()
