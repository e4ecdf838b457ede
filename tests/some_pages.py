"""Pages: their data decoded in Python, and pages opened in a headless Chromium, which is not a part of the tests."""

import base64
import gzip
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import pytest

from xortrain.nets import Array
from xortrain.page.html_parts import html_parts
from xortrain.page.pages import runs_of
from xortrain.page.payload import Detail, payload

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WAIT = 30_000  # milliseconds for what takes far less
SPARE = WeakKeyDictionary["Browser", list["Page"]]()  # tabs without a page: one is opened in a third of the time


@dataclass(frozen=True)
class Stored:
    """The JSON of a page and its arrays."""

    meta: dict[str, Any]
    arrays: list[Array]
    text: str

    def column(self, name: str) -> list[Any]:
        """The values of a column of the table; nan for what is not known."""
        found = next(column for column in self.meta["columns"] if column["name"] == name)
        values = self.arrays[found["array"]].tolist()
        return [found["words"][value] for value in values] if found["kind"] == "text" else values

    @property
    def is_rounded(self) -> bool:
        return any(one["coding"] == "rounded" for one in self.meta["arrays"])

    @property
    def columns(self) -> list[str]:
        return [column["name"] for column in self.meta["columns"]]


def unpacked(page: str, name: str) -> bytes:
    """The content of an inert script of a page."""
    (found,) = re.findall(rf'<script type="text/plain" id="{name}">([A-Za-z0-9+/=]*)</script>', page)
    return gzip.decompress(base64.b64decode(found))


def stored(path: Path) -> Stored:
    """Decode the data of a page."""
    page = path.read_text(encoding="utf-8")
    meta, data = json.loads(unpacked(page, "meta")), unpacked(page, "data")
    ends = np.cumsum([0, *(one["bytes"] for one in meta["arrays"])]).tolist()
    assert ends[-1] == len(data)
    arrays = list[Array]()
    for one, start, end in zip(meta["arrays"], ends, ends[1:], strict=False):
        arrays.append(_decoded(one, data[start:end], arrays))
    return Stored(meta, arrays, page)


def _decoded(one: dict[str, Any], data: bytes, before: list[Array]) -> Array:
    kind = np.dtype("<u2" if one["coding"] == "rounded" else f"<{one['kind']}")
    planes = np.frombuffer(data, np.uint8).reshape(kind.itemsize, -1)
    found = np.ascontiguousarray(planes.T).view(kind).reshape(one["shape"])
    if one["coding"] == "changes":
        return np.bitwise_xor.accumulate(found.view(f"<u{kind.itemsize}"), axis=0).view(kind)
    if one["coding"] == "rounded":
        signed = np.where(found & 1, -1 - (found >> 1).astype(int), (found >> 1).astype(int))
        codes = np.cumsum(np.cumsum(signed, axis=0), axis=0) % 65536
        values = before[one["low"]] + before[one["step"]] * np.where(codes == 65535, np.nan, codes)
        return np.exp(values) if one["isLog"] else values
    return found


def least_size(runs: Any) -> int:
    """The bytes of a page with the starts and the results of runs only, and 4,000 for their stories and commands."""
    return sum(map(len, html_parts(payload("", runs_of(runs), Detail(0, 2))))) + 4000


@dataclass
class Opened:
    """A page in the browser: what it said to the console, and what it asked of the network."""

    page: "Page"
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def width(self) -> int:
        """The width of its content in pixels, which is that of the window if nothing is cut."""
        return int(self.page.evaluate("document.documentElement.scrollWidth"))


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A headless Chromium; skips the test, with the reason, where there is none, unless nothing may be skipped."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None and os.environ.get("XORTRAIN_SKIP_NOTHING"):
        pytest.fail("no Chromium is installed")
    if path is None:
        pytest.skip("no Chromium is installed")
    from playwright import sync_api as api

    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


def until(page: "Page", expression: str, arg: Any = None) -> None:
    """Wait until an expression is true and drawn.  (Playwright's own waiting needs eval, which the page forbids.)"""
    end = monotonic() + WAIT / 1000
    while not page.evaluate(expression, arg):
        assert monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(10)
    page.evaluate("() => new Promise(requestAnimationFrame)")  # after the page's own request, which draws


@contextmanager
def opened(
    browser: "Browser", path: Path, width: int = 1500, height: int = 1000, *, dark: bool = False, before: str = "",
    is_ready: bool = True,
) -> Iterator[Opened]:  # fmt: skip
    """A page in a window of this size, when its views are drawn; ``before`` is a script that runs first."""
    scheme: Any = "dark" if dark else "light"
    spare = SPARE.setdefault(browser, [])
    page: Any = spare.pop() if spare and not before else browser.new_context().new_page()
    found = Opened(page)
    listeners = {
        "console": lambda message: found.said.append(message.text),
        "pageerror": lambda error: found.said.append(str(error)),
        "request": lambda request: found.asked.append(request.url),
    }
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme, reduced_motion="no-preference")
    for event, listener in listeners.items():
        page.on(event, listener)
    if before:
        page.add_init_script(before)
    is_like_new = False
    try:
        page.goto(path.as_uri())
        if is_ready:
            page.wait_for_selector('html[data-ready="1"]', timeout=WAIT, state="attached")
        yield found
        is_like_new = not before
    finally:
        for event, listener in listeners.items():
            page.remove_listener(event, listener)
        if is_like_new:
            page.mouse.move(0, 0)
            page.goto("about:blank")
            spare.append(page)
        else:
            page.context.close()
