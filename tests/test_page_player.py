"""The player of a page: all views show the same epoch, by buttons, slider and keys; playing ends by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from some_pages import Opened, opened, until

import xortrain
from xortrain.api import Sweep

SHOWN = "() => xortrain.state.epoch"
EPOCH = """() => {
    const { page, state, shown } = xortrain;
    return [state.epoch, shown(page).epoch, state.epoch > page.homes[state.run].last];
}"""
EPOCHS = "() => [...new Set(xortrain.page.populations.flatMap((one) => one.frameEpochs))].sort((a, b) => a - b)"


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """Runs of two populations that keep different epochs."""
    root = tmp_path_factory.mktemp("player") / "root"
    words = ("epochs=45,100", "lr=1", "seed=range(0,3)")
    return xortrain.sweep(*words, f"root={root}", "film=none")


@pytest.fixture(scope="module")
def page(sweep: Sweep, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sweep.page(tmp_path_factory.mktemp("player") / "p.html")


@pytest.mark.parametrize("frames", ["film=map", "film=none track.frames=2"])
def test_runs_without_snapshots_play_through_epochs_that_are_trained_here(
    frames: str, tmp_path: Path, browser: Any
) -> None:
    words = (*frames.split(), "lr=geomspace(0.1,10,3)", "init.scale=0.5,1", "epochs=60", f"root={tmp_path}")
    page = xortrain.sweep(*words).page(tmp_path / "p.html")
    with opened(browser, page) as found:
        assert found.page.evaluate("xortrain.page.populations[0].frameEpochs") == [0, 60]
        until(found.page, "xortrain.shown(xortrain.page).epoch === 60")
        assert [press(found, name) for name in ("first epoch", "next snapshot", "next snapshot")] == [0, 1, 2]
        assert found.said == []
    with with_own_time(page, browser) as shown:
        said = list[str]()
        shown.on("console", lambda message: said.append(message.text))
        shown.on("pageerror", lambda error: said.append(str(error)))
        assert len(set(played(shown, "2"))) > 20
        assert shown.evaluate("xortrain.state.epoch") == 60
        assert said == []


def press(found: Opened, name: str) -> int:
    """Press a button of the player; the epoch that is then shown."""
    found.page.get_by_role("button", name=name, exact=True).click()
    return epoch_of(found)


def epoch_of(found: Opened) -> int:
    """The epoch that is shown, which the slider and the words say after the next picture, with that of the pictures."""
    epoch, pictures, ended = found.page.evaluate(EPOCH)
    words = f"epoch {epoch:,}" + ("" if pictures == epoch else f" ({'ended' if ended else 'kept'}: {pictures:,})")
    until(found.page, "(words) => document.querySelector('#player .epoch').textContent === words", arg=words)
    assert found.page.locator("#player input").get_attribute("aria-valuetext") == words
    return epoch


def test_buttons_go_to_kept_epochs_of_all_populations(found: Opened) -> None:
    kept = found.page.evaluate(EPOCHS)
    assert epoch_of(found) == kept[-1] == 100
    assert press(found, "first epoch") == kept[0] == 0
    assert press(found, "previous snapshot") == 0
    assert [press(found, "next snapshot") for _ in range(3)] == kept[1:4]
    for epoch in range(0, 101, 7):  # kept or not, and after the end of the shown run
        found.page.evaluate("(epoch) => xortrain.change({ epoch })", epoch)
        assert epoch_of(found) == epoch
    found.page.evaluate("(epoch) => xortrain.change({ epoch })", kept[3])
    assert press(found, "previous snapshot") == kept[2]
    assert press(found, "last epoch") == 100
    assert press(found, "next snapshot") == 100


def test_keys_move_unless_another_control_needs_them(found: Opened) -> None:
    kept, keyboard = found.page.evaluate(EPOCHS), found.page.keyboard
    for key, wanted in (
        ("Home", kept[0]),
        ("ArrowRight", kept[1]),
        ("ArrowRight", kept[2]),
        ("ArrowLeft", kept[1]),
        ("End", kept[-1]),
    ):
        keyboard.press(key)
        assert epoch_of(found) == wanted
    found.page.locator("#runs input").first.focus()
    for key in ("Home", "ArrowLeft", " "):
        keyboard.press(key)
        assert epoch_of(found) == kept[-1]
    assert found.page.evaluate("() => xortrain.state.isPlaying") is False


def test_the_slider_is_moved_by_keys_and_by_the_mouse(found: Opened) -> None:
    kept, slider = found.page.evaluate(EPOCHS), found.page.locator("#player input")
    slider.focus()
    found.page.keyboard.press("Home")
    assert epoch_of(found) == 0
    found.page.keyboard.press("ArrowRight")
    assert epoch_of(found) == kept[1]
    box: Any = slider.bounding_box()
    found.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert epoch_of(found) in kept[len(kept) // 2 - 3 : len(kept) // 2 + 4]
    found.page.keyboard.press(" ")  # which a slider does not need itself
    until(found.page, "() => xortrain.state.isPlaying")


@contextmanager
def with_own_time(page: Path, browser: Any, **settings: str) -> Iterator[Any]:
    """A page whose time passes only when a test says so."""
    context = browser.new_context(**settings)
    try:
        shown = context.new_page()
        shown.clock.install(time=0)
        shown.goto(page.as_uri())
        shown.wait_for_selector('html[data-ready="1"]', state="attached")
        shown.clock.pause_at(3_600_000)
        yield shown
    finally:
        context.close()


def played(shown: Any, speed: str) -> list[int]:
    """Play to the end at a speed of the menu; returns the epoch that is shown every 50 milliseconds."""
    shown.get_by_role("combobox", name="speed").select_option(speed)
    shown.evaluate("() => document.activeElement.blur()")
    shown.keyboard.press(" ")
    seen = []
    while shown.evaluate("() => xortrain.state.isPlaying"):
        seen.append(shown.evaluate(SHOWN))
        shown.clock.run_for(50)
    return seen


def test_playing_goes_on_to_the_last_epoch_and_ends(page: Path, browser: Any) -> None:
    """It begins again at the first epoch, only goes forward, and shows kept epochs alone."""
    with with_own_time(page, browser) as shown:
        kept = shown.evaluate(EPOCHS)
        assert shown.evaluate(SHOWN) == kept[-1]
        seen = played(shown, "4")
        assert seen == sorted(seen)
        assert seen[0] == 0
        assert set(seen) <= set(kept)
        assert len(set(seen)) > 10
        assert shown.evaluate(SHOWN) == 100
        for name, is_playing in (("play", True), ("pause", False)):
            shown.get_by_role("button", name=name, exact=True).click()
            shown.clock.run_for(50)
            assert shown.evaluate("() => xortrain.state.isPlaying") is is_playing
            assert shown.evaluate(SHOWN) < 100


def test_reduced_motion_plays_nothing_by_itself_and_one_epoch_a_second(page: Path, browser: Any) -> None:
    with with_own_time(page, browser, reduced_motion="reduce") as shown:
        kept = shown.evaluate(EPOCHS)
        assert shown.evaluate("() => xortrain.state.isPlaying") is False
        shown.get_by_role("button", name="play", exact=True).click()
        for second in range(1, 4):
            shown.clock.run_for(1000)
            assert abs(kept.index(shown.evaluate(SHOWN)) - second) <= 1


def test_the_live_region_says_the_epoch_once_a_second_at_most(page: Path, browser: Any) -> None:
    live = "document.querySelector('#player [aria-live=polite]').textContent"
    with with_own_time(page, browser) as shown:
        shown.get_by_role("button", name="play", exact=True).click()
        said = []  # every tenth of a second while it plays
        while shown.evaluate("() => xortrain.state.isPlaying"):
            said.append(shown.evaluate(live))
            shown.clock.run_for(100)
        changes = [tenth for tenth, (before, after) in enumerate(pairwise(said)) if before != after]
        assert len(changes) > 2
        assert all(later - sooner > 9 for sooner, later in pairwise(changes))
        shown.clock.run_for(100)  # the picture after the end
        assert shown.evaluate(live) == "epoch 100 (ended: 45)"  # that of the shown run


SPOKEN = """() => {
    globalThis.spoken = new Set();
    const regions = "output, [role=status], [role=alert], [aria-live]";
    const isLive = (one) => (one.getAttribute("aria-live") ?? "polite") !== "off" && !one.closest("[aria-busy=true]");
    new MutationObserver((changes) => {
        for (const { target } of changes) {
            const region = (target.closest ? target : target.parentElement)?.closest(regions);
            if (region && isLive(region)) spoken.add(region.id || region.textContent);
        }
    }).observe(document, { subtree: true, childList: true, characterData: true });
}"""
"""Collects the regions whose changes a screen reader speaks."""


def test_what_changes_with_every_epoch_is_not_spoken(page: Path, browser: Any) -> None:
    """Only the region that is slow on purpose is, and what happens in the run; a fork is when it has been trained."""
    with with_own_time(page, browser) as shown:
        shown.evaluate("void xortrain.change({ weight: 1 })")  # no promise is kept while time stands still
        shown.get_by_role("button", name="play", exact=True).click()
        shown.clock.run_for(100)
        shown.evaluate(SPOKEN)
        for _ in range(20):
            shown.clock.run_for(50)
        assert shown.evaluate("xortrain.state.isPlaying")
        assert set(shown.evaluate("[...spoken]")) <= {"spoken", "caption"}
        shown.get_by_role("button", name="first epoch").click()
        shown.clock.run_for(50)
        shown.locator("#fork-train").click()
        shown.evaluate("spoken.clear()")
        shown.clock.run_for(100)
        assert shown.evaluate("xortrain.state.fork.isTraining")
        assert "fork-words" not in shown.evaluate("[...spoken]")
        while shown.evaluate("xortrain.state.fork.isTraining"):
            shown.clock.run_for(200)
        shown.clock.run_for(50)
        assert "fork-words" in shown.evaluate("[...spoken]")


def test_title_and_words_are_those_of_the_shown_run(found: Opened, sweep: Sweep) -> None:
    for number in (0, 4):
        found.page.evaluate("(run) => xortrain.change({ run })", number)
        number_words = f"Run #{sweep[number].row['number']}"
        until(
            found.page, "(words) => document.getElementById('one-title').textContent.includes(words)", arg=number_words
        )
        title = found.page.inner_text("#one-title")
        assert f"seed {sweep[number].config['seed']}" in title
        assert title.endswith(sweep[number].outcome)
        assert found.page.inner_text("#one-words")


def test_a_click_or_arrows_in_the_cells_show_another_run(found: Opened) -> None:
    kept, cells = found.page.evaluate(EPOCHS), found.page.locator("#cells")
    cells.click(position={"x": 132 + 6 + 30, "y": 40})
    assert found.page.evaluate("() => xortrain.state.run") == 1
    for key, run in (("ArrowRight", 2), ("ArrowLeft", 1)):
        cells.press(key)
        assert found.page.evaluate("() => xortrain.state.run") == run
        words = f"#{run} · "  # in a region that is spoken
        until(
            found.page, "(words) => document.querySelector('#side [role=status]').textContent.startsWith(words)", words
        )
    cells.blur()
    until(found.page, "() => document.querySelector('#side .note').textContent.startsWith('6 runs')")
    cells.hover(position={"x": 30, "y": 40})
    until(found.page, "() => document.querySelector('#side .note').textContent.startsWith('#0')")
    assert epoch_of(found) == kept[-1]
