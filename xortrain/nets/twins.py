"""A pass of a single run and its copy, which is trained with it so that it has the same bits as among others."""

from typing import Any

import numpy as np

from xortrain.nets import Array
from xortrain.nets.contraction import Blas
from xortrain.nets.network import Network, Pass


class Twins(Pass):
    """Computes wide hidden layers, whose bits do not depend on other runs, once for both."""

    def __init__(self, network: Network, theta: Array, x: Array) -> None:
        self._once = [False] * len(network.layers)
        super().__init__(network, theta, x)
        for k, layer in enumerate(network.layers[:-1]):
            self._once[k] = self._sums[k] is Blas and not layer.row.couples_units and not network.skip
        for k, (row, settings) in enumerate(self._activations):
            if self._once[k]:
                W, dW, back = (arrays[k][..., :1] for arrays in (self.W, self.dW, self._W_back))
                self.W[k], self.dW[k], self._W_back[k] = W, dW, back
                if (b := self.b[k]) is not None and (db := self.db[k]) is not None:
                    self.b[k], self.db[k] = b[..., :1], db[..., :1]
                self._activations[k] = row, {name: value[:1] for name, value in settings.items()}
                self.z[k], self.a[k] = (np.empty((*self.z[k].shape[:2], 1), theta.dtype) for _ in "za")
        for k, a in enumerate(self.a[:-1], start=1) if any(self._once) else ():
            self._received[k] = self._as_in(k, a)
            self._back[k - 1] = np.empty(self._received[k].shape, theta.dtype)
        self.x = x

    def _as_in(self, layer: int, values: Array) -> Array:
        if values.ndim == 2:  # of all runs
            return values
        return values[..., :1] if self._once[layer] else np.broadcast_to(values, (*values.shape[:2], 2))

    def upstream(self, k: int, delta: Array, out: Any = None) -> Array:
        found = super().upstream(k, delta, out)
        below = max(k - 1, 0)
        return found if self._once[k] == self._once[below] else self._as_in(below, found).copy()

    def backward(self, delta: Array) -> Array:
        g = super().backward(delta)
        g[:, 1] = g[:, 0]
        return g
