"""Forks in the page: trained live from a recorded epoch, with the numbers of Python's forks; said, drawn and copied."""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from some_pages import until

import xortrain
from xortrain.api import Run
from xortrain.cli import main

pytestmark = pytest.mark.usefixtures("quick_composition")

PageOf = Callable[[Run], Any]
STEPS, EPOCH = 200, 20
FORKS = {
    "learning rate": (("lr=1",), {"lr": "0.3"}, "lr=0.3"),
    "another optimizer": (("lr=1",), {"optimizer": "adam", "lr": "0.05"}, "optimizer=adam lr=0.05"),
    "the same optimizer goes on": (("optimizer=adam", "lr=0.05"), {"lr": "0.02"}, "lr=0.02"),
    "batches": (
        ("data=moons", "data.examples=30", "batch_size=7", "lr=0.2", "architecture.hidden=[3,3]"),
        {"lr": "0.1"},
        "lr=0.1",
    ),
    "momentum, skip connections": (
        ("architecture=skip", "optimizer.momentum=0.9", "lr=0.05"),
        {"optimizer": "rmsprop"},
        "optimizer=rmsprop lr=0.05",
    ),
    "a run that a rule stopped": (("lr=0.1", "activation=relu", "stop=solved"), {"lr": "0.2"}, "lr=0.2 stop=never"),
    "a rule that would stop the fork only": (
        ("lr=0.1", "stop=solved"),
        {"optimizer": "adam", "lr": "0.1"},
        "optimizer=adam lr=0.1 stop=never",
    ),
    "a weight and a bias": (("lr=0.5",), {}, "set.W1.0.1=… set.b2.0=…"),
}


@pytest.mark.parametrize(("overrides", "fields", "words"), FORKS.values(), ids=FORKS)
def test_the_command_of_a_fork_gives_its_parameters_over_200_steps(
    page_of: PageOf, tmp_path: Path, overrides: tuple[str, ...], fields: dict[str, str], words: str
) -> None:
    longer = ("track.frames=400", f"epochs={EPOCH + STEPS}", "film=none", "advice=none", f"root={tmp_path}")
    assert main([*overrides, *longer]) == 0
    tab = page_of(latest(tmp_path))
    tab.evaluate("(epoch) => xortrain.change({ epoch })", EPOCH)
    for place in (1, 8) if "set" in words else ():
        press_up(tab, place)
    forked(tab, fields)
    until(tab, f"xortrain.state.fork.last >= {EPOCH + STEPS}")
    program, *line = shlex.split(tab.locator("#fork input[readonly]").input_value())
    epoch = int(line[3])
    assert [program, line[0], line[2]] == ["xortrain", "continue", "--epoch"]
    assert [re.sub(r"(set.*=).*", r"\1", word) for word in line[4:]] == [
        re.sub(r"(set.*=).*", r"\1", word) for word in words.split()
    ]
    assert main([*line, "--root", str(tmp_path)]) == 0
    compare(tab, latest(tmp_path), epoch)


@pytest.mark.parametrize("change", ["set.W1.0.1=2", "loss=mse", "optimizer=adam"])
def test_the_fork_of_a_continued_run_goes_on_from_all_of_its_past(page_of: PageOf, change: str) -> None:
    """The velocity at its start is that of the recorded run, whatever changed before."""
    run = trained("lr=0.3", "optimizer.momentum=0.9", "epochs=100").fork(change, epoch=EPOCH - 5)
    tab = page_of(run)
    rate = {"lr": "0.1"}
    assert forked(tab, rate) == EPOCH
    until(tab, "xortrain.state.fork.last === 100")
    compare(tab, run.fork("lr=0.1", epoch=EPOCH), EPOCH)
    assert "departs" not in tab.locator("#fork [role=status]").inner_text()


def test_a_fork_from_an_epoch_that_is_not_recorded_has_no_command_which_is_said(page_of: PageOf) -> None:
    run = trained("lr=1", "epochs=60", "track.frames=2")
    tab = page_of(run)
    command = tab.locator("#fork-command")
    assert forked(tab, {"lr": "0.5"}) == EPOCH
    assert "only here: the record has no snapshot of epoch 20" in tab.locator("#fork [role=status]").inner_text()
    assert not command.is_visible()
    tab.get_by_role("button", name="Discard fork").click()
    tab.evaluate("xortrain.change({ epoch: 0 })")
    tab.locator("#fork button[type=submit]").click()
    until(tab, "xortrain.state.fork?.training")
    assert command.input_value() == "run.fork(epoch=0)"


def weight_changed(tab: Any) -> Any:
    """The new value of W1[0, 1] in a fork that begins with it."""
    tab.evaluate("(epoch) => xortrain.change({ epoch })", EPOCH)
    press_up(tab, 1)
    return tab.evaluate("xortrain.state.fork.changes.set.get(1)")


def test_a_weight_is_changed_by_the_keyboard_in_a_run_without_a_record(page_of: PageOf) -> None:
    run = trained("lr=0.5", "epochs=40")
    tab = page_of(run)
    value = weight_changed(tab)
    assert value == pytest.approx(run.parameters[EPOCH][1] + 0.1, abs=0.006)  # two digits after the point
    assert tab.locator("#fork input[readonly]").input_value() == f'run.fork("set.W1.0.1={value}", epoch={EPOCH})'
    assert f"Fork with W1[0, 1] = {value}: not trained yet" in tab.locator("#fork [role=status]").inner_text()


def test_settings_in_the_fields_stay_while_a_weight_is_changed(page_of: PageOf) -> None:
    """The one fork has both, and when it is discarded the fields are those of the run again."""
    run = trained("lr=0.5", "epochs=100")
    tab = page_of(run)
    rate, optimizer = tab.get_by_label("lr", exact=True), tab.get_by_label("optimizer")
    tab.evaluate("(epoch) => xortrain.change({ epoch })", EPOCH)
    rate.fill("0.3")
    optimizer.select_option("adam")
    press_up(tab, 1)
    tab.locator("#fork button[type=submit]").click()
    until(tab, "xortrain.state.fork.last === 100")
    words = ("optimizer=adam", "lr=0.3", f"set.W1.0.1={tab.evaluate('xortrain.state.fork.changes.set.get(1)')}")
    given = ", ".join(f'"{word}"' for word in words)
    assert tab.locator("#fork-command").input_value() == f"run.fork({given}, epoch={EPOCH})"
    compare(tab, run.fork(*words, epoch=EPOCH), EPOCH)
    tab.get_by_role("button", name="Discard fork").click()
    until(tab, "xortrain.state.fork === null")
    assert (rate.input_value(), optimizer.input_value()) == ("0.5", "sgd")


def test_a_weight_is_changed_from_what_it_is_at_the_start_of_the_fork(page_of: PageOf) -> None:
    """What is shown may be the fork after its training, or the recorded run at another epoch."""
    run = trained("lr=0.5", "epochs=200")
    tab = page_of(run)
    forked(tab, {"lr": "2"})
    until(tab, "xortrain.state.fork.last === 200 && xortrain.state.epoch === 200")
    press_up(tab, 1)
    tab.evaluate("xortrain.change({ epoch: 3 })")
    press_up(tab, 2)
    start = run.parameters[run.epochs.tolist().index(EPOCH)]
    assert tab.evaluate("[...xortrain.state.fork.changes.set.values()]") == pytest.approx(start[1:3] + 0.1, abs=0.006)


def test_the_loss_of_a_fork_is_said_before_it_is_trained(page_of: PageOf) -> None:
    run = trained("lr=0.5", "epochs=40")
    tab = page_of(run)
    value = weight_changed(tab)
    said = re.fullmatch(
        r"Epoch 20: loss ([\d.]+), loss of the fork ([\d.]+)\.", tab.locator(".plot + .line").inner_text()
    )
    assert said
    fork = run.fork(f"set.W1.0.1={value}", epoch=EPOCH)
    losses = [one.losses[one.loss_epochs == EPOCH][0] for one in (run, fork)]
    assert [float(text) for text in said.groups()] == pytest.approx(losses, rel=1e-3)


@pytest.fixture
def finger(browser: Any, tmp_path: Path) -> Iterator[tuple[Any, Callable[..., None]]]:
    """A page on a phone, and a finger that moves over an element from a place in it, by some pixels."""
    path = trained("lr=0.5", "epochs=100").page(tmp_path / "p.html")
    context = browser.new_context(viewport={"width": 420, "height": 900}, has_touch=True, is_mobile=True)
    tab = context.new_page()
    tab.goto(path.as_uri())
    tab.wait_for_selector('html[data-ready="1"]', state="attached")
    session = context.new_cdp_session(tab)

    def swipe(selector: str, x: float, y: float, right: float, down: float) -> None:
        tab.locator(selector).scroll_into_view_if_needed()
        box = tab.locator(selector).bounding_box()
        for step in range(11):
            place = {"x": box["x"] + x + right * step / 10, "y": box["y"] + y + down * step / 10}
            kind = "touchMove" if step else "touchStart"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
            tab.wait_for_timeout(20)
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        tab.evaluate("() => new Promise(requestAnimationFrame)")

    yield tab, swipe
    context.close()


WEIGHTS = """() => {
    const canvas = document.getElementById("diagram");
    const { left, top } = canvas.getBoundingClientRect();
    const isThere = ([x, y]) => {
        canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: left + x, clientY: top + y }));
        return canvas.style.cursor === "ns-resize";
    };
    return Array.from({ length: 25 * 3 }, (_, k) => [[60, 90, 120][k % 3], 10 + 8 * Math.floor(k / 3)]).filter(isThere);
}"""
"""The places of the diagram, of some, where there is a weight."""


def test_a_finger_drags_a_weight_that_it_chose_before(finger: tuple[Any, Callable[..., None]]) -> None:
    """The first touch may be the beginning of scrolling, which changes nothing."""
    tab, swipe = finger
    x, y = tab.evaluate(WEIGHTS)[0]
    swipe("#diagram", x, y, 0, -60)
    assert tab.evaluate("xortrain.state.fork") is None
    weight, before = tab.evaluate(
        "(({ weight }) => [weight, xortrain.shown(xortrain.page).theta[weight]])(xortrain.state)"
    )
    swipe("#diagram", x, y, 0, -60)
    assert tab.evaluate("(place) => xortrain.state.fork.changes.set.get(place)", weight) == pytest.approx(
        before + 60 / 50, abs=0.006
    )


def test_a_finger_goes_through_the_epochs_along_the_loss(finger: tuple[Any, Callable[..., None]]) -> None:
    tab, swipe = finger
    swipe("#one-losses", 80, 90, 250, 0)
    width = tab.evaluate("document.getElementById('one-losses').clientWidth")
    assert tab.evaluate("xortrain.state.epoch") == pytest.approx(100 * (330 - 54) / (width - 66), abs=2)


def test_an_activation_is_changed_here_only_which_is_said(page_of: PageOf) -> None:
    run = trained("lr=0.5", "epochs=40")
    tab = page_of(run)
    forked(tab, {"activation": "tanh"})
    until(tab, "xortrain.state.fork.last === 40")
    assert "xortrain continue keeps the activation" in tab.locator("#fork [role=status]").inner_text()
    assert not tab.locator("#fork input[readonly]").is_visible()
    theta = run.setup.shape.split(run.parameters[EPOCH])
    weights = ",".join(f"{name}:{part.tolist()}" for name, part in theta.items())
    changed = trained("lr=0.5", "epochs=20", "activation=tanh", "init=explicit", f"init.weights={{{weights}}}")
    pages = live(tab)
    np.testing.assert_allclose([pages[EPOCH + k] for k in range(21)], changed.parameters, rtol=1e-9, atol=1e-9)


def test_a_fork_goes_on_beyond_the_last_epoch_which_is_said_in_its_command(page_of: PageOf) -> None:
    run = trained("lr=1", "epochs=60")
    tab = page_of(run)
    forked(tab, {"lr": "2"})
    until(tab, "xortrain.state.fork.last === 60")
    button = tab.locator("#fork button[type=submit]")
    assert "epochs" not in tab.locator("#fork input[readonly]").input_value()
    button.click()
    until(tab, "xortrain.state.fork.last === 600")
    assert '"epochs=600"' in tab.locator("#fork input[readonly]").input_value()
    assert button.is_disabled()
    assert "trained live here to epoch 600" in tab.locator("#fork [role=status]").inner_text()
    compare(tab, run.fork("lr=2", "epochs=600", "track.frames=601", epoch=EPOCH), EPOCH)


NAMED = """() => {
    globalThis.named = {};
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...more) {
        if (this.textAlign === "right") named[text] = [x - this.measureText(text).width, x, y];
        return fillText.call(this, text, x, y, ...more);
    };
}"""
"""Keep the left and right end and the height of each text that is drawn at the left of a place."""


def test_a_curve_is_named_where_it_has_a_point(page_of: PageOf) -> None:
    tab = page_of(trained("lr=1", "epochs=60", "data=moons", "data.test=0.3", "data.examples=40"))
    tab.evaluate(NAMED)
    forked(tab, {"lr": "1.1"})
    until(tab, "xortrain.state.fork.last === 60 && xortrain.state.epoch === 60")
    left, _, height = tab.evaluate("named['fork']")
    _, right, other = tab.evaluate("named['held-out']")
    assert right < left or abs(height - other) >= 14
    tab.locator("#fork button[type=submit]").click()
    until(tab, "xortrain.state.fork.last === 600 && !xortrain.state.fork.isTraining")
    box = tab.locator("#one-losses").bounding_box()
    own, fork = r"loss [\d.e-]+, held-out loss [\d.e-]+", r"loss of the fork [\d.e-]+"
    for epoch, losses in ((10, own), (40, f"{own}, {fork}"), (300, fork)):
        x = 54 + (box["width"] - 54 - 12) * epoch / 600  # between the margins of the picture
        tab.mouse.move(box["x"] + x, box["y"] + 0.5 * box["height"])
        words = tab.locator(".plot + .line").inner_text()
        assert re.fullmatch(rf"Epoch \d+: {losses}\.", words), words


def test_each_loss_at_the_pointer_has_its_own_epoch(page_of: PageOf) -> None:
    run = trained("lr=1", "epochs=60", "track.losses=7")
    tab = page_of(run)
    forked(tab, {"lr": "1.1"})
    until(tab, "xortrain.state.fork.last === 60 && !xortrain.state.fork.isTraining")
    tab.evaluate("xortrain.change({ epoch: 49 })")
    words = tab.locator(".plot + .line").inner_text()
    own, fork = (re.findall(rf"Epoch (\d+): {name} ([\d.]+)\.", words)[0] for name in ("loss", "loss of the fork"))
    assert (int(own[0]), int(fork[0])) == (40, 49)
    assert float(own[1]) == pytest.approx(run.losses[run.loss_epochs.tolist().index(40)], rel=1e-3)


def test_beyond_the_record_a_fork_is_not_slowed_down_for_its_pictures(page_of: PageOf) -> None:
    tab = page_of(trained("lr=1", "epochs=60"))
    tab.emulate_media(reduced_motion="no-preference")
    before = tab.evaluate("xortrain.state.live")
    tab.locator("#fork button[type=submit]").click()
    until(tab, "xortrain.state.fork?.last === 600")
    assert tab.evaluate("xortrain.state.live") - before < 540 / 4  # pictures, for as many epochs


def test_where_a_fork_stops_is_on_the_button_and_said(page_of: PageOf) -> None:
    tab = page_of(trained("lr=1", "epochs=60"))
    button, words = tab.locator("#fork button[type=submit]"), tab.locator("#fork [role=status]")
    assert button.inner_text() == "Train on to epoch 600"  # from the last epoch, which is shown at first
    tab.evaluate("xortrain.change({ epoch: 20 })")
    until(tab, "document.querySelector('#fork button').textContent === 'Train on to epoch 60'")
    button.click()
    until(tab, "document.querySelector('#fork button').textContent === 'Continue to epoch 600'")
    assert "it stops where the recorded run does" in words.inner_text()
    button.click()
    until(tab, "xortrain.state.fork.last === 600 && !xortrain.state.fork.isTraining")
    until(tab, "document.querySelector('#fork button').disabled")
    assert "no more than 10 times the recorded epochs" in words.inner_text()


def test_a_run_of_no_epochs_is_shown_and_trained_on(page_of: PageOf) -> None:
    run = trained("lr=1", "epochs=0")
    tab = page_of(run)
    assert tab.inner_text("#toggle") == "▶\ufe0e"
    assert tab.inner_text("#epoch") == "epoch 0"
    assert [tab.get_attribute("#slider", name) for name in ("max", "aria-valuetext")] == ["0", "epoch 0"]
    button = tab.locator("#fork button[type=submit]")
    assert button.inner_text() == "Train on to epoch 1,000"
    button.click()
    until(tab, "xortrain.state.fork?.last === 1000 && document.querySelector('#fork-train').disabled")
    assert button.inner_text() == "Trained to epoch 1,000"
    assert "no more than 1,000 epochs" in tab.locator("#fork [role=status]").inner_text()
    theta = tab.evaluate("[...xortrain.shown(xortrain.page).theta]")
    np.testing.assert_allclose(theta, trained("lr=1", "epochs=1000").parameters[-1], rtol=1e-7)


def test_a_diverged_run_is_forked_from_an_earlier_epoch_only(page_of: PageOf) -> None:
    """At its last epoch it has no finite parameters to go on with, which is said, and there is no command."""
    run = trained("lr=1e6", "activation=relu", "loss=mse", "output=identity", "epochs=30")
    end = run.row["diverged_at"]
    tab = page_of(run)
    button, words = tab.locator("#fork button[type=submit]"), tab.locator("#fork [role=status]")
    assert button.is_disabled()
    assert words.inner_text() == "The run diverged here: go to an earlier epoch."
    press_up(tab, 1)
    until(tab, "document.querySelector('#fork-words').textContent.includes('the run diverged here')")
    assert button.is_disabled()
    assert not tab.locator("#fork-command").is_visible()
    tab.get_by_role("button", name="Discard fork").click()
    tab.evaluate("(epoch) => xortrain.change({ epoch })", int(end) - 1)
    until(tab, "!document.querySelector('#fork-train').disabled")
    assert button.inner_text() == "Train on to epoch 30"


def test_a_schedule_ends_with_its_epochs(page_of: PageOf) -> None:
    tab = page_of(trained("lr=1", "epochs=60", "schedule=cosine"))
    button, words = tab.locator("#fork button[type=submit]"), tab.locator("#fork [role=status]")
    assert (button.inner_text(), button.is_disabled()) == ("Train on", True)
    assert words.inner_text() == "Its schedule ends here."
    forked(tab, {"lr": "0.2"})
    until(tab, "xortrain.state.fork.last === 60 && document.querySelector('#fork-train').disabled")
    assert button.inner_text() == "Trained to epoch 60"
    assert "its schedule ends here" in words.inner_text()


def test_title_and_numbers_are_those_of_a_fork_while_it_is_shown(page_of: PageOf) -> None:
    run = trained("lr=1", "epochs=60")
    tab = page_of(run)
    title, words = tab.locator("#one-title"), tab.locator("#one-words")
    recorded = title.inner_text(), words.inner_text()
    forked(tab, {"lr": "0.2"})
    until(tab, "xortrain.state.fork.last === 60 && xortrain.state.epoch === 60")
    until(tab, "document.getElementById('one-title').textContent.endsWith('from epoch 20 · lr 0.2')")
    fork = run.fork("lr=0.2", epoch=EPOCH)
    found = re.fullmatch(
        r"(\d) of 4 examples right, loss ([\d.]+) at epoch 60 of the fork, trained live here.", words.inner_text()
    )
    assert found
    assert float(found[2]) == pytest.approx(fork.losses[-1], rel=1e-3)
    tab.get_by_role("button", name="Show the recorded run").click()
    until(tab, "!document.getElementById('one-title').textContent.includes('ork of')")
    assert (title.inner_text(), words.inner_text()) == recorded


def test_the_loss_at_the_pointer_is_said(page_of: PageOf) -> None:
    run = trained("lr=1", "epochs=60")
    tab = page_of(run)
    box = tab.locator("#one-losses").bounding_box()
    for share in (0.3, 0.6, 0.9):
        tab.mouse.move(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
        found = re.fullmatch(r"Epoch (\d+): loss ([\d.]+)\.", tab.locator(".plot + .line").inner_text())
        assert found
        assert float(found[2]) == pytest.approx(run.losses[int(found[1])], rel=1e-3)
    tab.mouse.move(0, 0)
    until(tab, "document.querySelector('.plot + .line').textContent.startsWith('Epoch 60: ')")


def test_bad_input_is_said_in_words_beside_the_field(page_of: PageOf) -> None:
    tab = page_of(trained("lr=1", "epochs=30"))
    for text in ("abc", "-1", "", "0", "1e999"):
        tab.get_by_label("lr").fill(text)
        assert tab.locator("#fork-problem").inner_text() == f"lr={text}: must be a number above 0"
        tab.keyboard.press("Enter")
        assert tab.evaluate("xortrain.state.fork") is None
    tab.get_by_label("lr").fill("0.5")
    assert tab.locator("#fork-problem").inner_text() == ""


def test_the_record_is_shown_again_and_a_fork_can_be_discarded(page_of: PageOf) -> None:
    run = trained("lr=1", "epochs=60")
    tab = page_of(run)
    forked(tab, {"lr": "5"})
    until(tab, "xortrain.state.fork.last === 60")
    tab.get_by_role("button", name="Show the recorded run").click()
    tab.get_by_role("button", name="Show the fork").wait_for()
    tab.get_by_role("button", name="Discard fork").click()
    until(tab, "xortrain.state.fork === null")


def test_a_run_without_snapshots_is_trained_live_to_the_shown_epoch(page_of: PageOf) -> None:
    run = trained("lr=1", "epochs=60", "track.frames=2")
    tab = page_of(run)
    tab.evaluate("() => { document.getElementById('step').open = true; return xortrain.change({ epoch: 31 }); }")
    until(tab, "document.querySelector('#step-body .note')?.textContent.startsWith('Epoch 31')")
    shown = [float(text) for text in tab.locator("[data-place] span:first-child").all_inner_texts()]
    assert shown[:2] == pytest.approx(trained("lr=1", "epochs=31").parameters[-1][:2], rel=6e-5)


def test_a_run_in_float32_says_that_its_fork_is_not(page_of: PageOf) -> None:
    tab = page_of(trained("lr=1", "epochs=30", "dtype=float32"))
    forked(tab, {"lr": "2"})
    until(tab, "document.querySelector('#fork [role=status]').textContent.includes('recorded in float32')")


def trained(*overrides: str) -> Run:
    return xortrain.train(*overrides, "film=none", "advice=none")


def latest(root: Path) -> Run:
    found = xortrain.load("latest", root)
    assert isinstance(found, Run)
    return found


def kept(word: str) -> str:
    """An override without the number of a parameter, which the keyboard has made."""
    return word.partition("=")[0] if word.startswith("set.") else word


def press_up(tab: Any, place: int) -> None:
    """Choose a parameter and make it larger by the keyboard."""
    tab.evaluate("(weight) => xortrain.change({ weight })", place)
    tab.focus("#diagram")
    tab.keyboard.press("Shift+ArrowUp")
    until(tab, f"xortrain.state.fork?.changes.set.has({place})")


def forked(tab: Any, fields: dict[str, str]) -> int:
    """Start a fork at an epoch with the form, and return the epoch of its start."""
    tab.evaluate("(epoch) => xortrain.change({ epoch })", EPOCH)
    for name, value in fields.items():
        field = tab.get_by_label(name, exact=True)
        field.select_option(value) if name != "lr" else field.fill(value)
    tab.locator("#fork button[type=submit]").click()
    until(tab, "xortrain.state.fork?.training")
    return int(tab.evaluate("xortrain.state.fork.from"))


def live(tab: Any) -> dict[int, list[float]]:
    """The parameters of the fork by epoch."""
    moments = tab.evaluate("xortrain.state.fork.training.moments.map(({ epoch, theta }) => [epoch, [...theta]])")
    return {int(epoch): theta for epoch, theta in moments}


def compare(tab: Any, fork: Run, epoch: int) -> None:
    """The parameters of a fork in the page and in Python, over its first steps."""
    moments = live(tab)
    rows = [row for row, own in enumerate(fork.epochs) if epoch <= own <= epoch + STEPS and int(own) in moments]
    assert len(rows) > STEPS / 4
    pages = [moments[int(fork.epochs[row])] for row in rows]
    np.testing.assert_allclose(pages, fork.parameters[rows], rtol=1e-9, atol=1e-9)
