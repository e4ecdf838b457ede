"""Take the pictures of docs/page.md from the page that its commands make; needs playwright and a Chromium.

python docs/screenshots.py
"""

import sys
import tempfile
from pathlib import Path

import xortrain

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from some_pages import chromium, opened, until  # noqa: E402  (they stand beside the tests that use them)


def main() -> None:
    """A page of 100 runs, with a fork of one of them at an epoch where both differ."""
    with tempfile.TemporaryDirectory() as folder:
        sweep = xortrain.sweep("lr=0.3,1,3,10", "seed=range(0,25)", f"root={folder}", "film=none")
        path = sweep.page(Path(folder) / "hundred.html")
        with chromium() as browser, opened(browser, path, 1500, 1240) as found:
            page = found.page
            page.evaluate("() => xortrain.change({ run: 29, epoch: 40 })")
            page.locator("#fork input").first.fill("3")
            page.locator("#fork select").nth(1).select_option("adam")
            page.locator("#fork button[type=submit]").click()
            until(page, "() => xortrain.state.fork?.last === 140 && xortrain.state.fork.at(140).epoch === 140")
            page.evaluate("() => xortrain.change({ epoch: 60 })")
            until(page, "() => xortrain.state.epoch === 60")
            page.screenshot(path=HERE / "page" / "hundred.png")


if __name__ == "__main__":
    main()
