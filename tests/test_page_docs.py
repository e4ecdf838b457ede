"""The page that docs/page.md makes does what its text says."""

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from some_pages import opened, until

import xortrain
from xortrain.cli import main

TEXT = (Path(__file__).parents[1] / "docs" / "page.md").read_text(encoding="utf-8")


def test_the_page_of_the_docs_filters_and_forks_as_they_say(
    tmp_path: Path, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line)[1:] for line in re.findall(r"^\$ (xortrain .*)$", TEXT, re.MULTILINE)]
    assert all(main(words) == 0 for words in commands)
    assert (tmp_path / "hundred.html").stat().st_size <= 0.45e6
    condition, fork = re.search(r"`(lr in .*?)`", TEXT), commands[-1]
    assert condition
    run, epoch = int(fork[1].partition("#")[2]), int(fork[3])
    with opened(browser, tmp_path / "hundred.html") as found:
        page = found.page
        page.emulate_media(reduced_motion="reduce")  # the fork is trained at once
        page.fill("#filter", condition[1])
        until(page, "() => document.querySelector('#count').textContent.startsWith('21 of 100')")
        page.evaluate("([run, epoch]) => xortrain.change({ run, epoch })", [run, epoch])
        settings = dict(word.split("=") for word in fork[4:])
        page.locator("#fork input").first.fill(settings["lr"])
        page.locator("#fork select").nth(1).select_option(settings["optimizer"])
        page.locator("#fork button[type=submit]").click()
        until(page, "() => xortrain.state.fork?.at(140).epoch === 140")
        shown = page.locator("#fork input[readonly]").input_value()
        assert shlex.split(shown)[3:] == fork[2:]
        live = page.evaluate("() => [...xortrain.state.fork.at(140).theta]")
        assert found.said == []
    continued: Any = xortrain.load("latest")
    np.testing.assert_allclose(live, continued.parameters[-1], rtol=1e-9, atol=1e-9)
