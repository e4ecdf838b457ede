"""Mistakes on the way back through a hidden layer, told by the gradients of the layer above.

Through weights W flows W'δ, and the sums of δ over the examples are the gradient of the biases: so a hidden gradient
can be built with a mistake in it, from what differences say of the layer above, and compared.
"""

from collections.abc import Callable

import numpy as np

from xortrain.explain.evidence import CLOSE, Arrays, Evidence, Layer, same
from xortrain.nets import Array

CLOSE_FIT = {"sigmoid": 0.1, "tanh": 0.3}  # of how wrong it is, where a parabola stands in for f'(a)


def _flows(seen: Evidence, layer: Layer, above: Layer, source: Arrays) -> list[tuple[Array, Array]]:
    """W'Σδ of the layer above, and W times its own gradient, each by hidden unit: for both ways that W may lie."""
    if layer.biases is None or above.biases is None or not {above.weights, above.biases} <= source.keys():
        return []
    w, dw, db = seen.params[above.weights], source[above.weights], source[above.biases].ravel()
    units, found = seen.params[layer.biases].size, []
    for turned, d_turned in ((w, dw), (w.T, dw.T)):
        if turned.shape == (db.size, units):
            found.append((db @ turned, (turned * d_turned).sum(axis=0)))
    return found


def no_derivative(seen: Evidence, layer: Layer, above: Layer) -> str | None:
    """δ = W'δ, without f'."""
    said = "this layer's activation has no derivative on the way back: δ is W'δ of the layer above times f'(z)."
    for source in (seen.numeric, seen.grads):
        for through, _ in _flows(seen, layer, above, source):
            if layer.biases in seen.grads and same(seen.grads[layer.biases], through):
                return said
    given, right = (source.get(layer.weights) for source in (seen.grads, seen.numeric))
    if layer.biases is None and given is not None and right is not None:
        return said if _spans(seen.params[above.weights], given, right) else None
    return None


def _spans(w: Array, given: Array, expected: Array) -> bool:
    """Whether a gradient is W' times something and the right one is not: so it is without f'."""
    for turned, g, right in ((w, given, expected), (w.T, given.T, expected.T)):
        if turned.shape[1] == g.shape[0] and turned.shape[0] < turned.shape[1]:
            project = np.linalg.pinv(turned) @ turned
            if same(project @ g, g) and not same(project @ right, right):
                return True
    return False


def derivative_of_a(seen: Evidence, layer: Layer, above: Layer) -> str | None:
    """f'(a) in place of f'(z), of sigmoid or tanh.

    f'(a) is nearly c0 + c1 a + c2 a², and a² is a - f'(z) of sigmoid, 1 - f'(z) of tanh: so the sums over the
    examples are known from the gradients of both layers.
    """
    if layer.biases is None or layer.biases not in seen.grads:
        return None
    given, right = seen.grads[layer.biases].ravel(), seen.numeric[layer.biases].ravel()
    for through, of_a in _flows(seen, layer, above, seen.numeric):
        for name, (c0, c1, c2) in CURVES.items():
            expected = c0 * through + c1 * of_a + c2 * (of_a if name == "sigmoid" else through) - c2 * right
            if np.abs(given - expected).max() <= CLOSE_FIT[name] * np.abs(given - right).max():
                return (
                    f"as if the derivative of {name} were taken of a: f'(a) where it must be f'(z). Of a it is "
                    f"{'a (1 - a)' if name == 'sigmoid' else '1 - a²'}."
                )
    return None


def _curve(slope: Callable[[Array], Array], low: float) -> tuple[float, float, float]:
    """The parabola that is nearest to a slope for a from low to 1."""
    a = np.cos(np.linspace(0, np.pi, 201)) * (1 - low) / 2 + (1 + low) / 2
    c2, c1, c0 = np.polyfit(a, slope(a), 2)
    return float(c0), float(c1), float(c2)


CURVES = {
    "sigmoid": _curve(lambda a: 0.25 / np.cosh(a / 2) ** 2, 0.0),
    "tanh": _curve(lambda a: 1 / np.cosh(a) ** 2, -1.0),
}


def updated_too_early(seen: Evidence, layer: Layer, above: Layer) -> str | None:
    """W of the layer above as it is after its update: with one output each unit's factor gives the same rate."""
    w, dw = seen.params[above.weights].ravel(), seen.numeric[above.weights].ravel()
    given, right = (source.get(layer.weights) for source in (seen.grads, seen.numeric))
    if given is None or right is None or len(w) < 2 or len(w) not in right.shape:
        return None
    for g, d in ((given, right), (given.T, right.T)):
        if g.shape[0] == len(w) and w.all() and dw.all() and (np.abs(d).max(axis=1) > 0).all():
            ratios = (g * d).sum(axis=1) / (d * d).sum(axis=1)
            rates = (1 - ratios) * w / dw
            if same(g, ratios[:, None] * d) and rates.mean() > 0 and np.ptp(rates) < CLOSE * rates.mean():
                return (
                    f"as if {above.weights} had been updated before (at a rate of {rates.mean():.4g}): the way back "
                    "goes through the weights that the forward pass used."
                )
    return None
