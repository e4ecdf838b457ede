"""What docs/python-tools.md shows runs, and gives what its comments say, wherever the tool is installed."""

import re
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.interop
PAGE = (Path(__file__).parents[2] / "docs" / "python-tools.md").read_text(encoding="utf-8")
SECTIONS = {text.partition("\n")[0]: text for text in PAGE.split("\n## ")[1:]}
TOOLS = {"scikit-learn": "sklearn", "Optuna": "optuna", "PyTorch": "torch"}


@pytest.mark.parametrize("section", TOOLS)
def test_a_section_shows_what_happens(section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment behind an expression of one line is its value, as far as the comment goes."""
    pytest.importorskip(TOOLS[section])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    names: dict[str, object] = {}
    blocks = re.findall(r"^```py\n(.*?)^```$", SECTIONS[section], re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, section, "exec"), names)
        for line, shown in re.findall(r"^([\w.(][^=\n]*?) {2,}# (.*)$", block, re.MULTILINE):
            if re.match(r"[\d<{T]", shown):
                assert str(eval(line, names)) == shown, line
    if section == "Optuna":
        assert names["best"].objective == names["study"].best_value  # type: ignore[attr-defined]
    if section == "PyTorch":
        shown = "\n".join(re.findall(r"^# (.*)$", blocks[0], re.MULTILINE))
        assert repr(names["module"]) == shown
        assert np.isfinite(names["y"]).all()  # type: ignore[call-overload]
