"""A page opens from the disk in a real browser, shows the numbers of the record, and asks for nothing."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imageio.v3 import imread
from some_pages import Opened, least_size, opened, stored, until

import xortrain
from xortrain.api import Run, Sweep
from xortrain.cli import main
from xortrain.errors import Remark, printable
from xortrain.records import layout
from xortrain.records.files import write_json
from xortrain.records.index import listing

NARROW = 320  # the smallest phone
SIZES = {"wide": (1500, 1000), "medium": (800, 1000), "phone": (420, 900)}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Run | Sweep]]:
    """Pages of a run, of a sweep, and of a sweep of several networks, one of them rounded."""
    folder = tmp_path_factory.mktemp("opened")
    words = [f"root={folder / 'root'}", "film=none", "epochs=40"]
    made: dict[str, Run | Sweep] = {
        "a run": xortrain.train("epochs=40"),
        "a sweep": xortrain.sweep("lr=0.3,1,3", "seed=range(0,20)", *words[:2], "epochs=140"),
        "several networks": xortrain.sweep("architecture.hidden=[2],[3]", "activation=tanh,relu", "seed=0,1", *words),
    }
    return {name: (one.page(folder / f"{name}.html"), one) for name, one in made.items()}


NUMBERS = """([place, frame, row]) => {
    const population = xortrain.page.populations.at(-1);
    const [frames, rows] = [population.frameEpochs.length, population.lossEpochs.length];
    const [f, r] = [(frame + frames) % frames, (row + rows) % rows];
    const epochs = [population.frameEpochs[f], population.lossEpochs[r]];
    return [[...population.theta(place, f)], population.loss(place, r), ...epochs];
}"""


def check_shown_numbers(found: Opened, run: Run, place: int) -> None:
    """Compare what the page's script has of a run of its last population with the record."""
    for frame, row in ((0, 0), (-1, -1)):
        theta, loss, epoch, loss_epoch = found.page.evaluate(NUMBERS, [place, frame, row])
        recorded = run.parameters[run.epochs.tolist().index(epoch)]
        np.testing.assert_array_equal(theta, recorded if epoch == 0 else recorded.astype("f4"))
        assert loss == np.float32(run.losses[run.loss_epochs.tolist().index(loss_epoch)])


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("name", ["a run", "a sweep", "several networks"])
def test_a_page_opens_and_says_and_asks_nothing(
    name: str, size: tuple[int, int], pages: dict[str, tuple[Path, Run | Sweep]], browser: Any
) -> None:
    path, made = pages[name]
    with opened(browser, path, *size) as found:
        assert found.said == []
        assert found.asked == [path.as_uri()]
        assert found.width <= size[0]
        one = made if isinstance(made, Run) else made[len(made) - 1]
        assert found.page.title() == found.page.evaluate("xortrain.page.title")
        assert found.page.evaluate("xortrain.page.runs") == (1 if isinstance(made, Run) else len(made))
        picture = np.asarray(imread(found.page.screenshot(), extension=".png"))[..., :3]
        assert picture.shape[:2] == size[::-1]
        assert len(np.unique(picture @ [65536, 256, 1])) > 300  # a field is painted, not only words on paper
        check_shown_numbers(found, one, int(found.page.evaluate("xortrain.page.populations.at(-1).runs")) - 1)


@pytest.mark.parametrize(
    ("size", "dark"), [*((name, False) for name in SIZES), ("medium", True)], ids=[*SIZES, "medium and dark"]
)
@pytest.mark.parametrize("name", ["a run", "a sweep"])
def test_nothing_keeps_anyone_from_using_a_page(
    name: str, size: str, dark: bool, pages: dict[str, tuple[Path, Run | Sweep]], browser: Any
) -> None:
    from axe_playwright_python import sync_playwright as axe

    with opened(browser, pages[name][0], *SIZES[size], dark=dark) as found:
        # the policy of the page would refuse axe's script, as any other: it is run by the browser's own means
        results = axe.Axe().run(found.page)
        assert results.violations_count == 0, results.generate_report()


def test_a_browser_that_cannot_unpack_says_so_in_a_line(
    pages: dict[str, tuple[Path, Run | Sweep]], browser: Any
) -> None:
    before = "delete globalThis.DecompressionStream"
    with opened(browser, pages["a run"][0], before=before, is_ready=False) as found:
        found.page.wait_for_selector("#problem:not([hidden])")
        assert "no DecompressionStream" in found.page.inner_text("#problem")
        assert found.said == []


def test_without_scripts_a_page_says_so(pages: dict[str, tuple[Path, Run | Sweep]], browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["a run"][0].as_uri())
    assert "switched off" in page.inner_text("noscript")
    context.close()


def test_a_page_begins_anew_when_the_reader_comes_back(
    pages: dict[str, tuple[Path, Run | Sweep]], browser: Any
) -> None:
    """A browser may put what was in fields into those of the opened page, where nothing else would follow them."""
    values = "() => [...document.querySelectorAll('input, select')].map((one) => [one.value, one.checked])"
    with opened(browser, pages["a sweep"][0], before=";") as found:
        first = found.page.evaluate(values)
        for select, value in {"#speed": "4", "#fork-optimizer": "adam", "#losses-by": "seed"}.items():
            found.page.select_option(select, value)
        found.page.fill("#filter", "lr = 1")
        found.page.fill("#fork-lr", "0.5")
        found.page.uncheck("#losses-tools input")
        found.page.goto("about:blank")
        found.page.go_back()
        found.page.wait_for_selector('html[data-ready="1"]', state="attached")
        assert found.page.evaluate(values) == first


@pytest.mark.parametrize("name", ["a run", "a sweep"])
def test_help_is_on_what_the_page_has(name: str, pages: dict[str, tuple[Path, Run | Sweep]], browser: Any) -> None:
    with opened(browser, pages[name][0]) as found:
        found.page.click("#help-open")
        words = found.page.inner_text("#help")
        for word in ("many times", "in the table", "in Settings", "Side by side"):
            assert (word in words) == (name == "a sweep"), word


def test_a_changed_script_does_not_run(
    pages: dict[str, tuple[Path, Run | Sweep]], browser: Any, tmp_path: Path
) -> None:
    """The policy names the scripts by their hashes, so another one is refused, as is what a script would load."""
    text = pages["a run"][0].read_text().replace("async function load()", "async  function load()")
    (tmp_path / "changed.html").write_text(text)
    with opened(browser, tmp_path / "changed.html", is_ready=False) as found:
        assert "Content Security Policy" in found.said[0]
        assert found.page.evaluate("globalThis.xortrain") is None


ENDED = {
    "solved": ("lr=0.1", "activation=relu", "stop=solved", "epochs=300", "track.frames=20"),
    "diverged, with numbers above those of float32": (
        "lr=10",
        "activation=relu",
        "loss=mse",
        "output=identity",
        "epochs=300",
        "track.frames=20",
    ),
    "at a loss": ("lr=1", "stop=loss", "stop.below=0.35", "epochs=300", "track.frames=20"),
}


@pytest.mark.parametrize("overrides", ENDED.values(), ids=ENDED)
def test_after_the_end_of_a_run_its_last_parameters_are_shown(overrides: tuple[str, ...], page_of: Any) -> None:
    """They are kept in the frames after it, since it ended between two of them."""
    run = xortrain.train(*overrides, "film=none", "advice=none")
    end = int(run.row["epochs_done"])
    assert 0 < end < run.setup.population.epochs
    assert end not in run.epochs
    tab = page_of(run)
    for epoch in (run.setup.population.epochs, end):
        tab.evaluate("(epoch) => xortrain.change({ epoch })", epoch)
        theta, shown = tab.evaluate("(({ theta, epoch }) => [[...theta], epoch])(xortrain.shown(xortrain.page))")
        assert shown == end
        np.testing.assert_allclose(theta, run.parameters[-1], rtol=1e-7)
        assert tab.inner_text("figcaption:has(+ #outputs)").startswith(f"Outputs: {run.right.sum()} of 4 right")
        assert tab.inner_text("#fork-legend") == f"Fork from epoch {end}"


@pytest.mark.parametrize("share", [0.7, 0.3, 0.0], ids=["fewer snapshots", "rounded", "starts only"])
def test_a_smaller_page_opens_and_shows_what_it_has(
    share: float, pages: dict[str, tuple[Path, Run | Sweep]], browser: Any, tmp_path: Path
) -> None:
    """The decoder of the page agrees with that of the tests, which is another one."""
    path, sweep = pages["a sweep"]
    full, least = path.stat().st_size, least_size(sweep)
    with pytest.warns(Remark):
        small = sweep.page(tmp_path / "p.html", max_mb=(least + share * (full - least)) / 1e6)
    known = stored(small)
    assert known.is_rounded == (share == 0.3)
    with opened(browser, small) as found:
        assert found.said == []
        shown = found.page.evaluate(ARRAYS)
    assert len(shown) == len(known.arrays)
    for values, own in zip(known.arrays, shown, strict=True):
        np.testing.assert_allclose(own, values.ravel()[: len(own)], rtol=1e-6, atol=1e-7)


def test_a_page_of_starts_draws_the_loss_that_is_trained_here(tmp_path: Path, browser: Any) -> None:
    """And says that the lines of all runs are not their courses."""
    sweep = xortrain.sweep("lr=1,3", "seed=range(0,20)", f"root={tmp_path}", "film=none", "epochs=140")
    with pytest.warns(Remark, match="its start and its results only"):
        path = sweep.page(tmp_path / "p.html", max_mb=(least_size(sweep) + 2000) / 1e6)
    with opened(browser, path) as found:
        until(found.page, "xortrain.shown(xortrain.page).epoch === 140")
        for epoch in (140, 40, 7):
            found.page.evaluate("(epoch) => xortrain.change({ epoch })", epoch)
            said = re.fullmatch(r"Epoch (\d+): loss ([\d.]+)\.", found.page.inner_text("#one p.line"))
            assert said
            assert int(said[1]) == epoch
            assert float(said[2]) == pytest.approx(sweep[0].losses[epoch], rel=1e-3)
        assert found.page.inner_text("#losses-note").startswith("Lines join first and last losses. #0 ")
        assert found.said == []


ARRAYS = "() => xortrain.page.populations[0].arrays.map((one) => [...one.slice(0, 500)].map(Number))"
"""The first numbers of every array of a page."""


HOSTILE = {
    "markup": "<img src=x onerror=alert(1)><b>bold</b>",
    "the end of a script": "</script><script>alert(1)</script>",
    "a comment": "<!-- <script>",
    "places": "%DATA% %META% %APP% %TITLE% %LOADER%",
    "quotes": "\"'`${alert(1)}\\",
    "control characters": "a\x1b[2J\x00\x07\r\nb\u2028\u2029c",
    "marks that turn text": "\u202egnp.exe\u2066\u200f",
    "an entity": "&lt;b&gt; &amp;",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_texts_of_a_hostile_record_are_texts(
    text: str, tmp_path: Path, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("a,b,kind\n" + "".join(f"{k},{k * k % 5},{'xyz'[k % 3]}\n" for k in range(12)))
    assert main(["-m", "seed=0,1", "data=csv", "data.path=t.csv", "epochs=5", "film=none"]) == 0
    (entry,) = listing(Path("outputs")).entries
    content = json.loads((entry.folder / layout.RECORD).read_text())
    names = content["columns"] | {"inputs": [f"{text}1", f"{text}2"], "classes": [f"{text}{k}" for k in range(3)]}
    content |= {"columns": names, "command": ["xortrain", text], "tags": [text], "notes": text, "name": text}
    content["config"] |= {"tags": [text], "notes": text, "name": text}
    write_json(entry.folder / layout.RECORD, content)
    assert main(["page", "latest"]) == 0
    kept = stored(Path("page.html"))
    assert printable(text) in kept.meta["title"]
    assert kept.column("tags") == kept.column("notes") == [printable(text)] * 2
    with opened(browser, Path("page.html").absolute()) as found:
        assert found.said == []
        assert len(found.asked) == 1
        assert found.page.inner_text("h1").split() == kept.meta["title"].split()
        assert found.page.evaluate("xortrain.page.populations[0].names.classes") == [*map(printable, names["classes"])]
        assert found.page.locator("script:not([type])").count() == 2
        assert found.page.locator("img[src=x], h1 b").count() == 0


def test_paper_is_white_whatever_the_screen_is(pages: dict[str, tuple[Path, Run | Sweep]], browser: Any) -> None:
    """Colours that a page has while it is printed, and pixels of its pictures, are the same from a dark screen."""
    seen = []
    for dark in (False, True):
        with opened(browser, pages["a sweep"][0], 800, 1000, dark=dark) as found:
            on_screen = found.page.evaluate(PRINTED)
            found.page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
            seen.append(found.page.evaluate(PRINTED))
            found.page.evaluate("() => dispatchEvent(new Event('afterprint'))")
            assert found.page.evaluate(PRINTED) == on_screen
            assert (on_screen != seen[0]) == dark
    assert seen[0] == seen[1]


PRINTED = """() => [
    ...["color", "backgroundColor"].map((name) => getComputedStyle(document.body)[name]),
    ...[...document.querySelectorAll("canvas")].map((canvas) => canvas.toDataURL()),
]"""


def test_the_numbers_below_a_loss_curve_are_not_cut_on_a_small_phone(tmp_path: Path, browser: Any) -> None:
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{k},{k * k % 7 + k / 10}\n" for k in range(30)))
    words = ("data=csv", f"data.path={tmp_path / 't.csv'}", "data.scale=standard", "data.test=0.3", "film=none")
    path = xortrain.train(*words, "optimizer=adam", "lr=0.02", "advice=none").page(tmp_path / "p.html")
    with opened(browser, path, NARROW) as found:
        shown = found.page.evaluate("""() => {
            const { innerText, scrollWidth, clientWidth } = document.querySelector("#one p.line");
            return [innerText, scrollWidth - clientWidth];
        }""")
        assert re.fullmatch(r"Epoch 140: loss [\d.]+, held-out loss [\d.]+\.", shown[0])
        assert shown[1] == 0
        assert found.width == NARROW
