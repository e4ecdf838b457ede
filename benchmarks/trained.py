"""The run whose films are measured: 2-2-1 on XOR by plain gradient descent on cross-entropy, every epoch recorded.

It imports little, so that its import adds little to what is measured.
"""

from pathlib import Path
from typing import Any

import numpy as np

from xortrain.films.data import FilmData, Outcomes
from xortrain.nets.network import Layer, Network

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
T = np.array([[0], [1], [1], [0]], float)
NETWORK = Network(2, (Layer(2, "sigmoid"), Layer(1, "sigmoid")))


def trained(epochs: int, runs: int = 1, lr: float = 5.0) -> FilmData:
    """The runs of seed 0 in one population."""
    theta = np.random.RandomState(0).randn(NETWORK.size, runs)
    losses, snapshots = [], []
    for _ in range(epochs + 1):
        state = NETWORK.forward(theta, X)
        losses.append(-np.log(np.abs(1 - T[..., None] - state.y)).mean((0, 1)))
        snapshots.append(theta.copy())
        theta -= lr * state.backward((state.y - T[..., None]) / 4)
    return _film_data(np.array(losses), np.array(snapshots))


def save(one: FilmData, path: Path) -> None:
    """Save the arrays that a process needs to make a film."""
    np.savez(path, losses=one.losses, snapshots=one.parameters)


def load(path: str) -> FilmData:
    with np.load(path) as kept:
        return _film_data(kept["losses"], kept["snapshots"])


def _film_data(losses: Any, snapshots: Any) -> FilmData:
    numbers, runs = np.arange(len(losses)), losses.shape[1]
    never = np.full(runs, -1)

    def right(y: Any, wanted: Any) -> Any:
        return ((y > 0.5) == (wanted > 0.5)).all(1)

    def loss(z: Any, y: Any, t: Any, runs: Any) -> Any:
        return -np.log(np.abs(1 - t - y)).mean((0, 1))

    return FilmData(
        NETWORK, X, T, losses, numbers, snapshots, numbers, right, loss, f"XOR   {NETWORK}", 0.0, 1.0,
        Outcomes(np.full(runs, "training", object), never, never, never, np.full(runs, numbers[-1]), losses[-1]),
    )  # fmt: skip
