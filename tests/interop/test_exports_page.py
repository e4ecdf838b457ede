"""The blocks of docs/exports.md that need other tools run, and print what they show."""

import re
import shlex
from pathlib import Path

import pytest

from xortrain.cli import main

pytestmark = pytest.mark.interop
PAGE = Path(__file__).parents[2] / "docs" / "exports.md"
BLOCK = re.compile(r"^```(sh|py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_of_exports_shows_real_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "py":
            exec(compile(text, str(PAGE), "exec"), {})
            assert f"print(y)  # {capsys.readouterr().out.strip()}\n" in text
            continue
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            main(shlex.split(command)[1:])
            printed = "".join(capsys.readouterr())
            if expected.strip():
                assert printed.rstrip() == expected.rstrip()
