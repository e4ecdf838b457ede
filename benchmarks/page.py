"""Pages of 1 to 10,000 runs: their sizes, what writing one costs, and how fast they are in a headless Chromium.

OMP_NUM_THREADS=1 python benchmarks/page.py; it needs playwright and a Chromium.  --quick leaves out 10,000 runs.
"""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from results import keep

import xortrain
from xortrain.page.html_parts import script

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from page_tasks import as_plain
from some_pages import chromium

MOST_MB = {1: 0.16, 100: 0.45, 1_000: 2.8, 10_000: 26.0}
SECONDS, MEMORY = 10.0, 300.0  # to write 10,000 runs; MB
READY = {1_000: 1.5, 10_000: 4.0}
FRAME, CELLS, HOVER = 16.0, 35.0, 16.0  # milliseconds
WIDTH = 778  # of a window in which the field of a single run has 320 pixels
SPEED = {"at recorded choices": 1e6, "after changes": 0.3e6}  # steps of XOR a second
ROUNDS = 5
WRITE = """
import resource, sys, time
from xortrain.commands.write_page import page
start = time.perf_counter()
page([sys.argv[1], "--root", sys.argv[2], "--output", sys.argv[3], "--max-mb", "30", "--force"])
used = resource.getrusage(resource.RUSAGE_SELF)
print(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3)
"""
FRAMES = """async ([change, count]) => {
    const parts = new Function("k", "xortrain", `return ${change}`), times = [];
    for (let k = 0; k < count; k++) {
        let start = 0;
        requestAnimationFrame(() => { start = performance.now(); });
        xortrain.change(parts(k, xortrain));
        await new Promise((done) => requestAnimationFrame(() => {
            document.body.getBoundingClientRect();
            times.push(performance.now() - start);
            done();
        }));
    }
    return times;
}"""
"""Milliseconds of script and layout of each of some pictures, after changes of the state by their number k."""
SCROLL = """async ([selector, count]) => {
    const scroller = [document.querySelector(selector), ...document.querySelectorAll(`${selector} *`)]
        .find((one) => one.scrollHeight > 4 * one.clientHeight && getComputedStyle(one).overflowY !== "visible");
    const times = [];
    for (let k = 0; k < count; k++) {
        scroller.scrollTop += 1500;
        await new Promise((done) => requestAnimationFrame(() => {
            const start = performance.now();
            scroller.dispatchEvent(new Event("scroll"));
            requestAnimationFrame(() => { document.body.getBoundingClientRect(); });
            document.body.getBoundingClientRect();
            times.push(performance.now() - start);
            done();
        }));
    }
    return times;
}"""
HOVERS = """async ([selector, count]) => {
    const canvas = document.querySelector(selector), times = [];
    canvas.scrollIntoView();
    const { left, top, width, height } = canvas.getBoundingClientRect();
    for (let k = 0; k < count; k++) {
        const [clientX, clientY] = [[left, width, k], [top, height, (k * 7) % count]]
            .map(([from, size, place]) => from + size * (0.2 + 0.6 * place / count));
        const start = performance.now();
        canvas.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, bubbles: true }));
        const found = performance.now() - start;
        let drawn = 0;
        await new Promise((done) => requestAnimationFrame(() => { drawn = performance.now(); done(); }));
        times.push(found + (performance.now() - drawn));
    }
    return times;
}"""
TRAIN = """([task, changed, seconds]) => {
    const revived = (own) => ({ ...own, x: own.x.map((row) => Float64Array.from(row)),
        t: own.t.map((row) => Float64Array.from(row)), start: Float64Array.from(own.start),
        stages: own.stages.map((stage) => ({ ...stage, until: Infinity })) });
    const trainer = new Trainer(revived(changed ?? task));
    const step = 2000;
    trainer.advance(step);
    let start = performance.now(), steps = 0;
    while (performance.now() - start < 1000 * seconds) { trainer.advance(step); steps += step; }
    return steps / (performance.now() - start) * 1000;
}"""


def main() -> None:
    is_quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory() as folder:
        here, lines = Path(folder), list[str]()
        sizes = [runs for runs in MOST_MB if not (is_quick and runs == 10_000)]
        pages = {runs: trained_page(here, runs, lines) for runs in sizes}
        with chromium() as browser:
            for runs in sizes[2:]:
                lines.append(ready(browser, pages[runs], runs))
            lines += pictures(browser, pages)
            lines += speeds(browser)
    keep("page-quick" if is_quick else "page", lines)


def trained_page(here: Path, runs: int, lines: list[str]) -> Path:
    """Train runs with 141 losses and snapshots, and write their page in a process of its own."""
    root, path = here / str(runs), here / f"{runs}.html"
    rates = "[]" if runs < 100 else "geomspace(0.1,20,10)"
    words = ["film=none", f"root={root}"]
    if runs == 1:
        subprocess.run([sys.executable, "-m", "xortrain", *words], check=True, stdout=subprocess.DEVNULL)
    else:
        xortrain.sweep(f"lr={rates}", f"seed=range(0,{runs // 10})", *words)
    asked = [sys.executable, "-c", WRITE, "latest", str(root), str(path)]
    said = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()
    wall, cpu, memory = map(float, said)
    size = path.stat().st_size / 1e6
    lines.append(f"{runs:6,} runs: {size:6.3f} MB, at most {MOST_MB[runs]:g}")
    if runs >= 1_000:
        start = perf_counter()
        gzip.compress(np.random.default_rng(0).bytes(1 << 20) + bytes(1 << 20), 6)
        gzip_of = perf_counter() - start
        lines.append(
            f"        written in {wall:.1f} s, {cpu:.1f} s of processor time, {memory:.0f} MB of memory; at most "
            f"{SECONDS:g} s and {MEMORY:g} MB for 10,000 (gzip of 2 MB here: {1e3 * gzip_of:.0f} ms)"
        )
    return path


def opened(browser: Any, path: Path, width: int = 1500) -> tuple[Any, float]:
    """A page when its views are drawn, and the seconds from goto to there."""
    page = browser.new_page(viewport={"width": width, "height": 1000})
    start = perf_counter()
    page.goto(path.as_uri())
    page.wait_for_selector('html[data-ready="1"]', state="attached")
    return page, perf_counter() - start


def ready(browser: Any, path: Path, runs: int) -> str:
    seconds = []
    for _ in range(ROUNDS):
        page, own = opened(browser, path)
        seconds.append(own)
        page.close()
    return f"{runs:6,} runs: ready after {median(seconds):.2f} s, median of {ROUNDS}, at most {READY[runs]:g}"


def pictures(browser: Any, pages: dict[int, Path]) -> list[str]:
    """Milliseconds of script and layout of a picture: one run, 100 cells, scrolling, hover."""
    largest = max(pages)
    rows: list[tuple[str, int, str, str | list[Any], float]] = [
        ("one run while it plays, a field of 320 pixels", 1, FRAMES, "({ epoch: k * 2, isPlaying: true })", FRAME),
        ("a run and 100 cells while they play", 100, FRAMES, "({ epoch: k * 2, isPlaying: true })", CELLS),
        (f"a screen further in {largest:,} rows", largest, SCROLL, "#table", HOVER),
        (f"hover over {largest:,} curves", largest, HOVERS, "#losses-plot", HOVER),
    ]
    return [_picture(browser, pages[runs], what, script, asked, most) for what, runs, script, asked, most in rows]


def _picture(browser: Any, path: Path, what: str, script: str, asked: str | list[Any], most: float) -> str:
    page, _ = opened(browser, path, WIDTH if most == FRAME and script == FRAMES else 1500)
    times = page.evaluate(script, [asked, 60])
    page.close()
    return f"{what}: {median(times):.1f} ms, the slowest of 60 {max(times):.1f}; at most {most:g}"


def speeds(browser: Any) -> list[str]:
    """Steps of XOR a second, trained live."""
    run = xortrain.train("lr=1")
    task = run.setup.task()
    plain = json.loads(json.dumps(as_plain(task), default=lambda array: array.tolist()))
    plain["stages"][0]["epochs"] = 10**9
    changed = json.loads(json.dumps(plain))
    changed["network"]["layers"][0]["activation"] = "tanh"
    changed["stages"][0]["optimizer"] = {"name": "adam", "settings": {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}}
    source, end, _ = script([task]).rpartition("start();")
    assert end
    page = browser.new_page()
    page.add_script_tag(content=f"{source} globalThis.Trainer = Trainer; }}")
    lines = []
    for (what, least), own in zip(SPEED.items(), (None, changed), strict=True):
        found = median(page.evaluate(TRAIN, [plain, own, 0.5]) for _ in range(ROUNDS))
        lines.append(f"live training of XOR {what}: {found / 1e6:.2f} million steps a second, at least {least / 1e6:g}")
    return lines


if __name__ == "__main__":
    main()
