"""Every number of a step in the page against NumPy: parameters, gradients, deltas, products and the update."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from some_pages import until

import xortrain
from xortrain.api import Run
from xortrain.nets import Array

pytestmark = pytest.mark.usefixtures("quick_composition")

PageOf = Callable[[Run], Any]
DIGITS: dict[str, Any] = {"rtol": 6e-5, "atol": 2e-8}  # numbers are shown with five digits, and computed from float32
RUNS = {
    "xor": ("lr=1", "epochs=40"),
    "means of classes, Adam": ("data=moons", "data.examples=20", "optimizer=adam", "lr=0.05", "epochs=40"),
    "deep, momentum": ("architecture.hidden=[3,4]", "activation=tanh", "optimizer.momentum=0.9", "lr=0.1", "epochs=40"),
    "skip connections": ("architecture=skip", "epochs=40"),
    "one input": ("data=sine", "loss=mse", "epochs=40", "lr=0.05"),
    "no hidden layer": ("data=and", "architecture.hidden=[]", "optimizer=adagrad", "epochs=40"),
    "no bias": ("architecture.bias=false", "optimizer=rprop", "epochs=40"),
}


@pytest.mark.parametrize("overrides", RUNS.values(), ids=RUNS)
def test_gradients_and_the_new_parameters_are_those_of_numpy(page_of: PageOf, overrides: tuple[str, ...]) -> None:
    run = xortrain.train(*overrides, "film=none", "advice=none")
    tab = page_of(run)
    epoch = 17
    size = run.parameters.shape[-1]
    tab.evaluate("document.getElementById('step').open = true")
    tab.evaluate("(epoch) => xortrain.change({ epoch, weight: 0 })", epoch)
    tab.wait_for_selector('.equations code:text-matches("\' = ")')
    shown = _numbers(tab, "[data-place] span:first-child")
    slopes = _numbers(tab, "[data-place] .gradient")
    np.testing.assert_allclose(shown, run.parameters[epoch], **DIGITS)
    np.testing.assert_allclose(slopes, _flat(run, run.gradients(epoch)), **DIGITS)
    for place in {0, size // 2, size - 1}:
        tab.evaluate("(weight) => xortrain.change({ weight })", place)
        tab.wait_for_selector(f'[data-place="{place}"][aria-pressed="true"]')
        slope, *_, update = tab.locator(".equations code").all_inner_texts()
        np.testing.assert_allclose(_last(slope), _flat(run, run.gradients(epoch))[place], **DIGITS)
        np.testing.assert_allclose(_last(update.partition(" after")[0]), run.parameters[epoch + 1][place], **DIGITS)


SCHEDULES: dict[str, Callable[[int], float]] = {
    "cosine": lambda epoch: (1 + np.cos(np.pi * epoch / 40)) / 2,
    "step schedule.every=8": lambda epoch: 0.1 ** (epoch // 8),
    "exponential schedule.gamma=0.9": lambda epoch: 0.9**epoch,
    "constant": lambda epoch: 1,
}


@pytest.mark.parametrize(
    ("schedule", "layers", "optimizer"),
    [
        (schedule, layers, ("sgd", "adam")[(k + bool(layers)) % 2])
        for k, schedule in enumerate(SCHEDULES)
        for layers in ("", "layer_lr.W1=0.5")
    ],
)
def test_the_learning_rate_of_an_update_is_that_of_its_epoch(
    page_of: PageOf, schedule: str, layers: str, optimizer: str
) -> None:
    words = [*f"schedule={schedule} {layers}".split(), f"optimizer={optimizer}", "lr=0.5", "epochs=40"]
    tab = page_of(xortrain.train(*words, "film=none", "advice=none"))
    tab.evaluate("document.getElementById('step').open = true")
    for epoch in (0, 17, 33):
        tab.evaluate("(epoch) => xortrain.change({ epoch, weight: 0 })", epoch)
        until(tab, "(epoch) => document.getElementById('step-body').innerText.includes(`Epoch ${epoch},`)", epoch)
        tab.wait_for_selector('.equations code:text-matches("\' = ")')
        lines = tab.locator(".equations code").all_inner_texts()[1:]
        if optimizer == "sgd":
            before, rate, slope, after = map(float, re.findall(r" (-?[\d.e-]*\d)(?= |$)", lines[0]))
            np.testing.assert_allclose(before - rate * slope, after, rtol=2e-4)
        else:
            rate = float(re.findall(r"η = ([^,]*)", lines[0])[0])
        np.testing.assert_allclose(rate, 0.5 * SCHEDULES[schedule](epoch), rtol=6e-5)


@pytest.mark.parametrize("is_used", [True, False])
def test_only_a_state_that_is_used_is_shown(page_of: PageOf, is_used: bool) -> None:
    tab = page_of(xortrain.train("optimizer=adam", f"optimizer.amsgrad={is_used}", "epochs=20", "film=none"))
    tab.evaluate("document.getElementById('step').open = true")
    tab.evaluate("xortrain.change({ epoch: 7, weight: 0 })")
    tab.wait_for_selector('.equations code:text-matches("adam: η")')
    assert (", S " in tab.locator(".equations").inner_text()) == is_used


def test_the_products_of_examples_add_up_to_the_gradient(page_of: PageOf) -> None:
    run = xortrain.train("lr=1", "epochs=20", "film=none", "advice=none")
    tab = page_of(run)
    tab.evaluate("document.getElementById('step').open = true")
    tab.evaluate("xortrain.change({ epoch: 9, weight: 6 })")
    tab.wait_for_selector(".equations")
    rows = tab.locator("#step-body table").first.locator("tbody tr").all()
    cells = [[float(text) for text in row.locator("td").all_inner_texts() if text] for row in rows]
    w2, y, t = run.parameters[9], run.predict(run.x, epoch=9)[:, 0], run.t[:, 0]
    h1 = 1 / (1 + np.exp(-(run.x @ w2[:2] + w2[4])))
    np.testing.assert_allclose([row[0] for row in cells[:-1]], y - t, rtol=1e-4)
    np.testing.assert_allclose([row[1] for row in cells[:-1]], h1, rtol=1e-4)
    np.testing.assert_allclose(cells[-1][0], ((y - t) * h1).sum(), rtol=1e-3)


def test_the_keyboard_walks_through_the_weights_which_are_spoken(page_of: PageOf) -> None:
    run = xortrain.train("lr=1", "epochs=20", "film=none", "advice=none")
    tab = page_of(run)
    tab.focus("#diagram")
    for _ in range(2):
        tab.keyboard.press("ArrowRight")
    until(tab, "xortrain.state.weight === 1")
    until(tab, "document.getElementById('diagram').ariaLabel.includes('W1[0, 1]')")
    status = tab.locator("#pictures figcaption[aria-live]").inner_text()
    assert status.startswith("W1[0, 1] = ")
    assert status.endswith("from x2 to h1")
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".equations")


def _last(equation: str) -> float:
    return float(equation.rpartition("= ")[2])


def _numbers(tab: Any, selector: str) -> list[float]:
    """The numbers of the buttons, in the order of theta."""
    places = [int(one.get_attribute("data-place")) for one in tab.locator("[data-place]").all()]
    texts = tab.locator(selector).all_inner_texts()
    values = {place: float(text.replace(",", "")) for place, text in zip(places, texts, strict=True)}
    return [values[place] for place in range(len(places))]


def _flat(run: Run, gradients: dict[str, Array]) -> Array:
    return run.setup.shape.join(gradients)
