"""A 2-2-1 network trained with plain Python arithmetic: an independent reference for the training loop.

It uses neither NumPy nor a runs axis, only the textbook formulas, one example at a time.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

XOR = [([0.0, 0.0], 0.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], 0.0)]
Examples = Sequence[tuple[list[float], float]]


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


@dataclass
class Net:
    """Sigmoid hidden units and a sigmoid output with cross-entropy, or a linear output with squared error."""

    W1: list[list[float]]
    b1: list[float]
    W2: list[float]
    b2: float
    linear: bool = False
    velocity: list[float] = field(default_factory=list)

    def hidden(self, x: list[float]) -> list[float]:
        return [sigmoid(w[0] * x[0] + w[1] * x[1] + b) for w, b in zip(self.W1, self.b1, strict=True)]

    def output(self, x: list[float]) -> float:
        z = sum(w * a for w, a in zip(self.W2, self.hidden(x), strict=True)) + self.b2
        return z if self.linear else sigmoid(z)

    def loss(self, examples: Examples) -> float:
        """Return the sum of the losses of the examples."""
        if self.linear:
            return sum((self.output(x) - t) ** 2 for x, t in examples)
        return -sum(t * math.log(self.output(x)) + (1 - t) * math.log(1 - self.output(x)) for x, t in examples)

    def gradient(self, x: list[float], t: float) -> list[float]:
        """Return the gradient of one example in the order W1, b1, W2, b2.

        The two losses differ only in the factor 2 of the squared error.
        """
        a = self.hidden(x)
        delta = (self.output(x) - t) * (2 if self.linear else 1)
        below = [delta * w * h * (1 - h) for w, h in zip(self.W2, a, strict=True)]
        return [*(d * xi for d in below for xi in x), *below, *(delta * h for h in a), delta]

    def descend(self, batch: Examples, lr: float, momentum: float = 0) -> None:
        gradients = [self.gradient(x, t) for x, t in batch]
        total = [sum(column) for column in zip(*gradients, strict=True)]
        before = self.velocity or [0.0] * len(total)
        self.velocity = [momentum * v + g for v, g in zip(before, total, strict=True)]
        p = [old - lr * v for old, v in zip(self.parameters(), self.velocity, strict=True)]
        self.W1, self.b1, self.W2, self.b2 = [p[0:2], p[2:4]], p[4:6], p[6:8], p[8]

    def parameters(self) -> list[float]:
        return [*self.W1[0], *self.W1[1], *self.b1, *self.W2, self.b2]


def batches(order: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(order), size):
        yield list(order[start : start + size])


def train(
    net: Net,
    orders: Iterable[Sequence[int]],
    rate: Callable[[int], float],
    size: int,
    momentum: float = 0,
    examples: Examples = XOR,
) -> Iterator[tuple[float, list[float]]]:
    """Yield loss and parameters before the first update and after each epoch.

    ``orders`` contains the order of the examples in each epoch.
    """
    yield net.loss(examples), net.parameters()
    for epoch, order in enumerate(orders):
        for batch in batches(order, size):
            net.descend([examples[k] for k in batch], rate(epoch), momentum)
        yield net.loss(examples), net.parameters()
