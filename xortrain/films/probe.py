"""The network's own forward pass, asked at every pixel of a picture and once a frame.

Pixels are laid where runs usually lie, on the last axis, all with the same parameters: so one pass computes a
picture as it computes a population, and a picture of many runs too.
"""

import numpy as np

from xortrain.nets import Array
from xortrain.nets.network import Network, Pass

BLOCK = 1 << 17
"""Pixels evaluated at a time: what fits a cache."""


class Probe:
    """Outputs of one network or of many at fixed points, for parameters that change from frame to frame."""

    def __init__(self, network: Network, points: Array, runs: Array, most: int = BLOCK) -> None:
        """``points`` are inputs (inputs, *shape), ``runs`` the numbers of the runs whose settings count."""
        count = points[0].size
        self._runs, self._shape = len(runs), points.shape[1:]
        block = min(most, max(256, (1 << 24) // (network.size * len(runs))), count)
        padded = -(-count // block) * block
        flat = np.zeros((1, len(points), 1, padded), np.float32)
        flat[0, :, 0, :count] = points.reshape(len(points), -1)
        self._blocks = [flat[..., start : start + block] for start in range(0, padded, block)]
        self._theta = np.zeros((network.size, len(runs), 1), np.float32)
        wide = np.broadcast_to(self._theta, (network.size, len(runs), block))
        self._pass = Pass(_settled(network, runs), wide, self._blocks[0])
        self._count = count

    def outputs(self, theta: Array) -> Array:
        """(outputs, runs, *shape) for θ (parameters, runs); the next call uses the array again."""
        self._set(theta)
        first, *rest = self._blocks
        y = self._ask(first)
        if rest:
            y = np.concatenate([y.copy(), *(self._ask(block).copy() for block in rest)], axis=-1)
        return y[..., : self._count].reshape(-1, self._runs, *self._shape)

    def layers(self, theta: Array) -> list[Array]:
        """What each layer passes on: (units, runs, *shape)."""
        self._set(theta)
        parts: list[list[Array]] = []
        for block in self._blocks:
            self._ask(block)
            parts.append([a[0].copy() for a in self._pass.a])
        whole = [np.concatenate(pieces, axis=-1) for pieces in zip(*parts, strict=True)]
        return [a[..., : self._count].reshape(-1, self._runs, *self._shape) for a in whole]

    def _ask(self, block: Array) -> Array:
        self._pass.x = block
        with np.errstate(all="ignore"):
            return self._pass.forward()[0]

    def _set(self, theta: Array) -> None:
        with np.errstate(all="ignore"):
            self._theta[..., 0] = theta


def _settled(network: Network, runs: Array) -> Network:
    """The network with the settings of those runs, (runs, 1) and float32."""
    chosen = network.take(np.asarray(runs)[:, None])
    for layer in chosen.layers:
        layer.settings.update({name: value.astype(np.float32) for name, value in layer.settings.items()})
    return chosen
