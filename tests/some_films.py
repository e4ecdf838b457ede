"""Film data of every kind of network and examples that a film must be able to show, trained by gradient descent."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from xortrain.films.canvas import Box, Canvas, Overlay
from xortrain.films.data import Event, FilmData, HeldOut, Outcomes
from xortrain.films.film_settings import LAYOUTS
from xortrain.nets import Array
from xortrain.nets.network import Layer, Network

DRAWN_LAYOUTS = [name for name, row in LAYOUTS.items() if row.location and not row.is_map]

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
ONE_OF_TWO = np.array([[0], [1], [1], [0]], float)
DECIMALS = np.array(
    [[70, 101, 3.2], [72, 102, 3.1], [71, 100, 3.3], [90, 110, 2.1], [92, 109, 2], [121, 151, 0.3], [119, 149, 0.1],
     [73, 103, 3]]
)  # fmt: skip
DECIMALS = np.round((DECIMALS - DECIMALS.mean(0)) / DECIMALS.std(0), 2)
"""Some are near each other, and their names are long."""


def descend(network: Network, x: Array, t: Array, lr: float, epochs: int, runs: int) -> tuple[Array, Array]:
    """Losses (epochs + 1, runs) and parameters (epochs + 1, parameters, runs) of gradient descent on squared error."""
    theta = np.random.RandomState(1).randn(network.size, runs)
    losses, snapshots = [], []
    with np.errstate(all="ignore"):
        for _ in range(epochs + 1):
            state = network.forward(theta, x)
            losses.append(((state.y - t[..., None]) ** 2).mean((0, 1)))
            snapshots.append(theta.copy())
            if network.layers[-1].activation == "softmax":
                delta = (state.y - t[..., None]) / len(x)
            else:
                delta = state.delta(len(network.layers) - 1, 2 * (state.y - t[..., None]) / t.size)
            theta -= lr * state.backward(delta)
    return np.array(losses), np.array(snapshots)


def squared(z: Array, y: Array, t: Array, runs: Array) -> Array:
    return np.asarray(((y - t) ** 2).mean((0, 1)))


def film_data(network: Network, x: Array, t: Array, lr: float = 2.0, epochs: int = 30, runs: int = 1) -> FilmData:
    """The runs of a network on examples whose two targets are the smallest and the largest value of t."""
    losses, snapshots = descend(network, x, t, lr, epochs, runs)
    low, high = float(t.min()), float(t.max())
    numbers = np.arange(epochs + 1)

    def right(y: Array, targets: Array) -> Array:
        middle = (low + high) / 2
        wanted = targets.reshape(*targets.shape, *[1] * (y.ndim - targets.ndim))
        return np.asarray(((y > middle) == (wanted > middle)).all(1))

    with np.errstate(all="ignore"):
        good = np.array([right(network.forward(one, x).y, t).all(0) for one in snapshots])
    last_wrong = np.where(good.all(0), -1, epochs - good[::-1].argmin(0))
    solved = np.where(good[-1], last_wrong + 1, -1)
    lost = ~np.isfinite(losses)
    diverged = np.where(lost.any(0), lost.argmax(0), -1)
    beyond = (losses > 1000 * np.maximum(losses[0], t.var())) & (diverged < 0) & (solved < 0)
    exploded = np.where(beyond.any(0), beyond.argmax(0), -1)
    outcome = np.select([diverged >= 0, solved >= 0, exploded >= 0], ["diverged", "solved", "exploded"], "plateau")
    solved = np.where(diverged >= 0, -1, solved)
    return FilmData(
        network=network, x=x, t=t, losses=losses, loss_epochs=numbers, parameters=snapshots, frame_epochs=numbers,
        right=right, loss=squared, title=f"data   {network}   lr {lr:g}", low=low, high=high,
        outcomes=Outcomes(outcome.astype(object), solved, diverged, exploded, np.full(runs, epochs), losses[-1]),
        varied={"seed": np.arange(runs)},
    )  # fmt: skip


def net(*widths: int, hidden: str = "sigmoid", last: str = "sigmoid", bias: bool = True, skip: bool = False) -> Network:
    layers = [*(Layer(width, hidden) for width in widths[1:-1]), Layer(widths[-1], last)]
    return Network(widths[0], tuple(layers), bias=bias, skip=skip)


def parity(bits: int) -> tuple[Array, Array]:
    x = np.array([[number >> bit & 1 for bit in range(bits)] for number in range(2**bits)], float)
    return x, x.sum(1, keepdims=True) % 2


def spiral(examples: int) -> tuple[Array, Array]:
    turn = np.linspace(0.5, 7, examples)
    arm = np.stack([turn * np.cos(turn), turn * np.sin(turn)], axis=1) / 7
    return np.concatenate([arm, -arm]), np.repeat([[0.0], [1.0]], examples, axis=0)


def blobs(classes: int) -> tuple[Array, Array]:
    kind = np.arange(30) % classes
    at = np.stack([np.cos(2.1 * kind), np.sin(2.1 * kind)], axis=1)
    return at + 0.3 * np.random.RandomState(0).randn(30, 2), np.eye(classes)[kind]


def cloud(inputs: int) -> Array:
    return np.random.RandomState(0).randn(40, inputs)


def held_out(one: FilmData, x: Array, t: Array) -> FilmData:
    """The same run with examples that it was not trained on."""
    with np.errstate(all="ignore"):
        y = np.stack([one.network.forward(theta, x).y for theta in one.parameters])
    return replace(one, held=HeldOut(x, t, ((y - t[..., None]) ** 2).mean((1, 2))))


EVENTS = (
    Event(1, "output flips every epoch", "Output flips every epoch: the learning rate is at its limit.", 1, 9, True),
    Event(2, "plateau", "A plateau: the loss stays near 0.25 until epoch 11.", 4, 11),
    Event(12, "h3 and h4 dead", "h3 and h4 are dead from epoch 12 on: off on every example.", 2),
    Event(13, "(0, 1) right", "(0, 1) is right from epoch 13 on.", 3),
    Event(13, "h1 dead", "h1 is dead from epoch 13 on: off on every example.", 2),
    Event(14, "(1, 0) right", "(1, 0) is right from epoch 14 on.", 3),
    Event(29, "(0, 0), (1, 1) right: solved", "Solved: every example is right from epoch 29 on.", 0),
)
"""More than have room."""

NETS = {
    "xor": lambda: film_data(net(2, 2, 1), XOR, ONE_OF_TWO),
    "deep": lambda: film_data(net(2, 8, 8, 1, hidden="tanh"), XOR, ONE_OF_TWO, 0.5),
    "no hidden layer": lambda: film_data(net(2, 1), XOR, ONE_OF_TWO),
    "one hidden unit": lambda: film_data(net(2, 1, 1), XOR, ONE_OF_TWO),
    "no bias": lambda: film_data(net(2, 3, 1, bias=False), XOR, ONE_OF_TWO),
    "skip": lambda: film_data(net(2, 1, 1, skip=True), XOR, ONE_OF_TWO),
    "targets ±1": lambda: film_data(net(2, 2, 1, hidden="tanh", last="tanh"), 2 * XOR - 1, 2 * ONE_OF_TWO - 1, 0.5),
    "long names": lambda: replace(
        film_data(net(2, 2, 1), XOR, ONE_OF_TWO),
        input_names=["body weight in kilograms", "height of a person in metres"],
        output_names=["is it a tall one"],
    ),
    "named slices": lambda: replace(
        film_data(net(3, 3, 1), *parity(3)), input_names=["first switch", "second switch", "a third switch"]
    ),
    "two classes": lambda: film_data(net(2, 2, 2, last="softmax"), XOR, np.hstack([1 - ONE_OF_TWO, ONE_OF_TWO])),
    "classes without a hidden layer": lambda: film_data(
        net(2, 2, last="softmax"), XOR, np.hstack([1 - ONE_OF_TWO, ONE_OF_TWO])
    ),
    "three classes": lambda: film_data(net(2, 5, 3, hidden="tanh", last="softmax"), *blobs(3)),
    "two outputs": lambda: film_data(net(2, 3, 2), XOR, np.array([[0, 0], [1, 0], [1, 0], [0, 1.0]])),
    "encoder": lambda: film_data(net(8, 3, 8), np.eye(8), np.eye(8)),
    "three bits": lambda: film_data(net(3, 3, 1), *parity(3)),
    "four bits": lambda: film_data(net(4, 8, 1, hidden="tanh"), *parity(4)),
    "six bits": lambda: film_data(net(6, 4, 1), *parity(6)),
    "eight bits": lambda: film_data(net(8, 12, 1, hidden="tanh"), *parity(8)),
    "fourteen classes": lambda: film_data(net(2, 6, 14, last="softmax"), *blobs(14)),
    "forty classes": lambda: film_data(net(2, 6, 40, last="softmax"), *blobs(40)),
    "two real outputs": lambda: film_data(
        net(2, 3, 2, hidden="tanh", last="identity"), cloud(2)[:9], cloud(2)[9:18], 0.1
    ),
    "five inputs": lambda: film_data(net(5, 4, 1, hidden="tanh"), cloud(5), (cloud(5)[:, :1] > 0).astype(float)),
    "one input": lambda: film_data(net(1, 4, 1, hidden="tanh", last="identity"), cloud(1), np.sin(3 * cloud(1)), 0.1),
    "real targets": lambda: film_data(
        net(2, 4, 1, hidden="tanh", last="identity"), cloud(2), 3 * cloud(2)[:, :1], 0.05
    ),
    "eight with decimals": lambda: replace(
        film_data(net(3, 4, 3, hidden="tanh", last="softmax"), DECIMALS, np.eye(3)[[2, 2, 2, 1, 1, 0, 0, 2]]),
        input_names=["age", "weight (kg)", "size (m)"],
    ),
    "spiral": lambda: film_data(net(2, 8, 1, hidden="tanh"), *spiral(100), 0.5),
    "wide": lambda: film_data(net(2, 40, 40, 1, hidden="relu"), *spiral(20), 0.01),
    "held out": lambda: held_out(film_data(net(2, 3, 1, hidden="tanh"), *spiral(10), 1.0), *spiral(15)),
    "events": lambda: replace(
        film_data(net(2, 4, 1, hidden="relu"), XOR, ONE_OF_TWO, 1.0), events=EVENTS, ending=EVENTS[-1].caption
    ),
    "events beside many units": lambda: replace(
        film_data(net(2, 40, 1, hidden="tanh"), XOR, ONE_OF_TWO, 1.0),
        events=(*EVENTS, *(Event(epoch, f"({epoch}, 1) right", "It is right.", 3) for epoch in (26, 27, 28, 29))),
        ending=EVENTS[-1].caption,
    ),
    "events beside a formula": lambda: replace(
        film_data(net(2, 1), XOR, ONE_OF_TWO), events=EVENTS, ending=EVENTS[-1].caption
    ),
    "diverged": lambda: film_data(net(2, 3, 1, hidden="relu", last="identity"), XOR, ONE_OF_TWO, 1e30),
    "exploded": lambda: film_data(net(2, 3, 1, hidden="relu", last="identity"), XOR, ONE_OF_TWO, 3.0),
}
"""One run of each."""


@cache
def run_of(name: str) -> FilmData:
    return NETS[name]()


@cache
def sweep_of(runs: int) -> FilmData:
    """Runs of 2-2-1 on XOR, of which one diverges at epoch 5."""
    whole = film_data(net(2, 2, 1), XOR, ONE_OF_TWO, lr=20.0, runs=runs)
    if runs < 3:
        return whole
    lost = np.arange(runs) == 1
    parameters, losses = whole.parameters.copy(), whole.losses.copy()
    parameters[5:, :, 1], losses[5:, 1] = np.nan, np.nan
    diverged = replace(
        whole.outcomes, outcome=np.where(lost, "diverged", whole.outcomes.outcome), diverged_at=np.where(lost, 5, -1)
    )
    return replace(whole, parameters=parameters, losses=losses, outcomes=diverged)


def record_text(patch: pytest.MonkeyPatch) -> list[tuple[str, Box]]:
    """Every text drawn on any canvas from now on, with its box; that of an overlay whenever it is laid over a frame."""
    texts: list[tuple[str, Box]] = []
    overlays: dict[int, tuple[Overlay, list[tuple[str, Box]]]] = {}
    draw_text, make_overlay, stamp, paint_below = Canvas.text, Canvas.record, Canvas.stamp, Canvas.paint_below

    def text(canvas: Canvas, x: float, y: float, words: str, *args: Any, **settings: Any) -> Box:
        box = draw_text(canvas, x, y, words, *args, **settings)
        if words:
            texts.append((words, box))
        return box

    def record(canvas: Canvas, draw: Callable[[], None]) -> Overlay:
        before = len(texts)
        overlay = make_overlay(canvas, draw)
        overlays[id(overlay)] = overlay, texts[before:]
        del texts[before:]
        return overlay

    def laid(lay: Callable[[Canvas, Overlay], None]) -> Callable[[Canvas, Overlay], None]:
        def lay_over(canvas: Canvas, overlay: Overlay) -> None:
            texts.extend(overlays.get(id(overlay), (overlay, []))[1])
            lay(canvas, overlay)

        return lay_over

    patch.setattr(Canvas, "text", text)
    patch.setattr(Canvas, "record", record)
    patch.setattr(Canvas, "stamp", laid(stamp))
    patch.setattr(Canvas, "paint_below", laid(paint_below))
    return texts
