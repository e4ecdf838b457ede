"""In a notebook a run and a sweep are a small page in a frame that may only run its script, and a still beside it."""

import base64
import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from some_pages import Opened, opened, stored, until

import xortrain
from xortrain.api import Run, Sweep

SHOWN = ("a run", "a sweep", "many runs", "a large network", "a map")


@pytest.fixture(scope="module", params=SHOWN)
def shown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run | Sweep:
    """What a notebook shows."""
    words = [f"root={tmp_path_factory.mktemp('shown')}", "film=none", "epochs=140"]
    if request.param == "a run":
        return xortrain.train("epochs=140")
    if request.param == "a large network":
        return xortrain.train("data=circle", "architecture.hidden=[40,40]", "epochs=300", "lr=0.01")
    if request.param == "a map":
        return xortrain.sweep(words[0], "film=map", "lr=0.1,1,10", "seed=range(0,3)", "epochs=20")
    return xortrain.sweep(*words, "lr=1,2", f"seed=range(0,{10 if request.param == 'a sweep' else 500})")


def page_in(text: str) -> str:
    """The page inside the frame."""
    (found,) = re.findall(r"<iframe sandbox='allow-scripts' [^>]*srcdoc='([^']*)'", text)
    return html.unescape(found)


@contextmanager
def in_notebook(text: str | None, folder: Path, browser: Any) -> Iterator[tuple[Opened, Any]]:
    """A notebook with this output, and the frame in it when its views are drawn."""
    (folder / "notebook.html").write_text(f"<!doctype html><meta charset='utf-8'><p>{text}", encoding="utf-8")
    with opened(browser, folder / "notebook.html", 1000, is_ready=False) as found:
        frame = found.page.frames[1]
        frame.wait_for_selector('html[data-ready="1"]', state="attached")
        yield found, frame


def test_the_page_and_the_still_are_small(shown: Run | Sweep, tmp_path: Path) -> None:
    text, still = shown._repr_html_(), shown._repr_png_()
    assert text is not None
    assert still is not None
    assert len(text.encode()) <= 200_000
    assert len(still) <= 60_000
    assert Image.open(io.BytesIO(still)).format == "PNG"
    assert f'data:image/png;base64,{base64.b64encode(still).decode()}"></noscript>' in text
    (tmp_path / "p.html").write_text(page_in(text), encoding="utf-8")
    runs = stored(tmp_path / "p.html").column("run")
    assert len(runs) == (1 if isinstance(shown, Run) else min(100, len(shown)))


def test_the_page_opens_in_its_frame(shown: Run | Sweep, tmp_path: Path, browser: Any) -> None:
    with in_notebook(shown._repr_html_(), tmp_path, browser) as (found, frame):
        assert frame.evaluate("xortrain.page.runs") == (1 if isinstance(shown, Run) else min(100, len(shown)))
        assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert frame.evaluate("origin") == "null"  # it sees nothing of the notebook
        assert found.said == []
        assert not [url for url in found.asked if url.startswith("http")]


@pytest.mark.parametrize("pressed", ["#fork-train", "#fork-lr"])
def test_a_fork_trains_in_the_frame(pressed: str, tmp_path: Path, browser: Any) -> None:
    """By its button and by Enter: the frame may not submit a form."""
    with in_notebook(xortrain.train("epochs=20")._repr_html_(), tmp_path, browser) as (found, frame):
        frame.press("#to-first", "Enter")
        frame.fill("#fork-lr", "0.5")
        frame.press(pressed, "Enter")
        until(frame, "xortrain.state.fork?.last === 20")
        assert found.said == []


def test_more_runs_than_are_shown_are_said(tmp_path: Path) -> None:
    sweep = xortrain.sweep("seed=range(0,120)", f"root={tmp_path}", "film=none", "epochs=2")
    text = sweep._repr_html_()
    assert text is not None
    (tmp_path / "p.html").write_text(page_in(text), encoding="utf-8")
    assert "100 of 120 runs" in stored(tmp_path / "p.html").meta["leftOut"]


def test_a_page_too_large_for_a_notebook_is_a_still_with_a_line() -> None:
    run = xortrain.train("data=noise", "data.examples=20000", "epochs=1", "advice=none")
    text = run._repr_html_()
    assert text is not None
    assert "<iframe" not in text
    assert text.endswith("<p>The page is too large for a notebook; run.page(…) writes it into a file.</p>")


def test_only_finished_runs_are_shown_which_is_said(tmp_path: Path) -> None:
    from test_tracker_unfinished import interrupt

    for runs, words in ((6, "2 of 6 runs left out: not finished"), (200, "99 of 200 runs are here")):
        sweep = xortrain.sweep(f"seed=range(0,{runs})", f"root={tmp_path / str(runs)}", "film=none", "epochs=20")
        assert sweep.folder
        interrupt(sweep.folder, slice(2, 4), 5)
        text = xortrain.load(sweep.folder)._repr_html_()
        assert text is not None
        (tmp_path / "p.html").write_text(page_in(text), encoding="utf-8")
        assert words in stored(tmp_path / "p.html").meta["leftOut"]


def test_nothing_is_shown_of_no_runs_and_of_unfinished_ones(tmp_path: Path) -> None:
    from test_tracker_unfinished import interrupt

    sweep = xortrain.sweep("seed=0,1", f"root={tmp_path}", "film=none", "epochs=20")
    assert sweep[:0]._repr_html_() is None
    assert sweep[:0]._repr_png_() is None
    assert sweep.folder
    interrupt(sweep.folder, slice(0, 2), 5)
    pending: Any = xortrain.load(sweep.folder)
    for found in (pending, pending[0]):
        assert found._repr_html_() is None
        assert found._repr_png_() is None
