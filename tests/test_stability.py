"""What docs/stability.md promises exists: names of Python, exit codes, and the form of --json."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from some_runs import QUIET

import xortrain
from xortrain import errors
from xortrain.api import Run, Sweep
from xortrain.cli import main
from xortrain.commands import COMMANDS
from xortrain.runner.interrupts import HungUp, Terminated
from xortrain.terminal import end

PAGE = (Path(__file__).parents[1] / "docs" / "stability.md").read_text(encoding="utf-8")
OWNERS: dict[str, Any] = {"xortrain": xortrain, "Run": Run, "Sweep": Sweep, "xortrain.errors": errors}
ENDS = {
    1: errors.FailedError("x"),
    2: errors.UserError("x"),
    130: KeyboardInterrupt(),
    143: Terminated(),
    129: HungUp(),
}
ANSWERS = (
    "ls", "ls --runs", "show latest", "show latest#1", "compare latest#0 latest#1", "group latest",
    "group latest --by lr", "sql 'select lr from runs'", "check", "predict latest#0 0,1",
    "tag latest good", "note latest text", "rename latest it", "rerun latest#1 --check", "continue latest#0 epochs=+1",
)  # fmt: skip


@pytest.mark.parametrize("owner", OWNERS)
def test_a_promised_name_exists_and_all_public_names_of_the_package_are_promised(owner: str) -> None:
    (row,) = re.findall(rf"^\| `{re.escape(owner)}` \| (.*) \|$", PAGE, re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", row)) - {"ValueError"}
    assert [name for name in named if not hasattr(OWNERS[owner], name)] == []
    if owner == "xortrain":
        assert named == set(xortrain.__all__)


def test_the_exit_codes_are_those_of_the_page() -> None:
    assert set(map(int, re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE))) == {0, *ENDS}
    for code, error in ENDS.items():
        assert end(error) == code


def test_every_answer_in_json_is_one_array_of_objects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import shlex

    monkeypatch.chdir(tmp_path)
    assert main(["-m", "lr=1,1e9", *QUIET, "epochs=3"]) == 0
    capsys.readouterr()
    for line in ANSWERS:
        assert main([*shlex.split(line), "--json"]) == 0, line
        answer = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
        assert isinstance(answer, list), line
        assert answer, line
        assert all(isinstance(one, dict) for one in answer), line
    assert {line.split()[0] for line in ANSWERS} <= COMMANDS.keys()
