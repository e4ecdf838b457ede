"""One step of one run against the loop of notebook 002.

Ours also records losses, checks success and divergence, and has the bits of the same run in a sweep.
"""

from typing import Any

import numpy as np
from results import in_turn, keep, ratio

from xortrain.config.compose import compose
from xortrain.runner.train import empty_history
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.loop import Training

EPOCHS = 5000


def notebook_loop() -> float:
    """The operations of notebook 002, one by one: forward pass, loss, each derivative it computes, the update."""

    def sigmoid(z: Any) -> Any:
        return 1.0 / (1 + np.exp(-z))

    x, t = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])
    widths, functions = [2, 2, 1], ["", "sigmoid", "sigmoid"]
    table, losses = {"sigmoid": sigmoid}, np.zeros(EPOCHS)
    np.random.seed(0)
    empty: list[Any] = [None] * 3
    W, b, Z, A, dW, db, dZ, dA = (empty.copy() for _ in range(8))
    A[0] = x
    for k in range(1, 3):
        W[k], b[k] = np.random.randn(widths[k], widths[k - 1]), np.random.randn(widths[k], 1)
    for epoch in range(EPOCHS):
        for k in range(1, len(W)):
            Z[k] = A[k - 1] @ (W[k].T) + b[k].T
            A[k] = table[functions[k]](Z[k])
        y = A[2]
        losses[epoch] = (-t.T @ np.log(y) - (1 - t).T @ np.log(1 - y)).squeeze()
        dA[2] = -np.multiply(t, A[2]) + np.multiply((1 - t), (1 - A[2]))
        dZ[2] = A[2] - t
        dW[2] = (A[2] - t).T @ A[1]
        db[2] = (dZ[2].sum(axis=0)).reshape(-1, 1)
        dA[1] = dZ[2] @ W[2]
        dZ[1] = np.multiply(dA[1], sigmoid(Z[1]) * (1 - sigmoid(Z[1])))
        dW[1] = dZ[1].T @ A[0]
        db[1] = (dZ[1].sum(axis=0)).reshape(-1, 1)
        for k in range(1, len(widths)):
            W[k] = W[k] - 1 * dW[k]
            b[k] = b[k] - 1 * db[k]
    return float(losses[-1])


def ours() -> float:
    history = empty_history(SETUP)
    for _ in Training(SETUP.task(), history).run():
        pass
    return float(history.losses[-2, 0])


SETUP = Setup.of(Population(compose([f"epochs={EPOCHS}", "track.losses=10000"])))

if __name__ == "__main__":
    seconds = in_turn({"xortrain": ours, "notebook 002": notebook_loop}, rounds=9)
    assert abs(ours() - notebook_loop()) < 1e-9, "they do not train the same network"
    lines = [f"{name:<14}{min(times) / EPOCHS * 1e6:6.1f} µs a step" for name, times in seconds.items()]
    keep("step", [*lines, f"xortrain / notebook 002: {ratio(seconds, 'xortrain', 'notebook 002'):.2f} (at most 1)"])
