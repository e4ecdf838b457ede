"""Pages in a real browser: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from xortrain.api import Run, Sweep
from xortrain.page.payload import Runs, payload
from xortrain.page.writer import page

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip


@contextmanager
def browser() -> Iterator[Any]:
    """Start Chromium; where there is none, the tests are skipped."""
    api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium on the PATH")
    with api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield started
        started.close()


def opened(started: Any, runs: Run | Sweep, folder: Path, record: str = "") -> Any:
    """Open the page of runs; a fault of its script fails the test."""
    path = folder / "page.html"
    groups = [Runs(trained, places, record) for trained, places in runs.populations()]
    path.write_text(page(payload("runs", groups)), encoding="utf-8")
    tab = started.new_page(viewport={"width": 1300, "height": 900}, reduced_motion="reduce")
    tab.on("pageerror", lambda fault: tab.evaluate("(text) => { globalThis.fault = text; }", str(fault)))
    tab.goto(path.as_uri())
    tab.wait_for_selector('html[data-ready="1"]')
    return tab
