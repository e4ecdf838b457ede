"""What a wrong gradient looks like: the mistakes that learners make, told by what they do to the numbers.

Nothing is known of the user's network but its parameters, its gradient, and the right one by differences.  That is
more than it seems: through a layer of weights W flows W'δ, and the sums of δ over the examples are the gradient of
the biases, so that a hidden gradient can be built with a mistake in it and compared.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xortrain.nets import Array

Arrays = dict[str, Array]
CLOSE = 1e-3  # relative; a mistake is named only if it explains the numbers this well
CLOSE_FIT = 3e-2  # the same where a curve stands in for f'(a)


@dataclass(frozen=True)
class Layer:
    """The names of a layer's weights and, if there are any, biases."""

    weights: str
    biases: str | None


@dataclass(frozen=True)
class Evidence:
    """Parameters, the gradient that was given, and the right one."""

    params: Arrays
    grads: Arrays
    numeric: Arrays

    def is_right(self, name: str) -> bool:
        return name in self.grads and same(self.grads[name], self.numeric[name])


def same(given: Array, expected: Array, close: float = CLOSE) -> bool:
    """Whether two arrays agree relative to their largest number."""
    if given.size != expected.size or not expected.size:
        return False
    given, expected = given.ravel(), expected.ravel()
    return bool(np.abs(given - expected).max() <= close * max(np.abs(expected).max(), 1e-9))


def mistakes(params: Arrays, grads: Arrays, numeric: Arrays) -> list[str]:
    """One sentence for each mistake that can be told, in the order of the way back."""
    seen = Evidence(params, grads, numeric)
    wrong = [name for name in params if not seen.is_right(name)]
    alone = {name: sentence for name in wrong if (sentence := _of_one(seen, name))}
    if shared := _shared_factor(seen, wrong):
        return [shared]
    layers = _layers(params)
    deep = [sentence for k in reversed(range(len(layers))) if (sentence := _of_layer(seen, layers, k, alone))]
    told = [f"{name}: {sentence}" for name, sentence in alone.items()]
    return [*told, *deep] or [f"{', '.join(wrong)}: different in no way that tells the mistake."]


def _of_one(seen: Evidence, name: str) -> str | None:
    """What one array shows by itself."""
    if name not in seen.grads:
        return "no gradient is given." + (" Is the bias forgotten?" if _is_bias(name, seen.params[name]) else "")
    given, expected = seen.grads[name], seen.numeric[name]
    if given.shape != expected.shape and np.squeeze(given).shape != np.squeeze(expected).shape:
        if given.T.shape == expected.shape and same(given.T, expected):
            return f"transposed: its shape is {given.shape}, the parameter's {expected.shape}."
        return f"its shape is {given.shape}, the parameter's {expected.shape}."
    if not given.any():
        return "0 everywhere." + (" Is the bias forgotten?" if _is_bias(name, seen.params[name]) else "")
    if given.ndim == 2 and given.shape[0] == given.shape[1] and same(given.T, expected):
        return "transposed."
    return None


def factor(given: Array, expected: Array) -> float | None:
    """The one number by which all of an array is too large, if there is one."""
    if given.size != expected.size or not expected.any() or not np.isfinite(given).all():
        return None
    given, expected = given.ravel(), expected.ravel()
    ratio = float(given @ expected / (expected @ expected))
    return ratio if ratio and same(given, ratio * expected) else None


def _shared_factor(seen: Evidence, wrong: list[str]) -> str | None:
    """All that is wrong by one and the same factor."""
    ratios = [factor(seen.grads[name], seen.numeric[name]) if name in seen.grads else None for name in wrong]
    if not ratios or ratios[0] is None or any(r is None or abs(r / ratios[0] - 1) > CLOSE for r in ratios):
        return None
    where = "all parameters" if len(wrong) == len(seen.params) else ", ".join(wrong)
    return f"{where}: {_say(ratios[0])}"


def _say(ratio: float) -> str:
    """What a factor tells."""
    size, sign = abs(ratio), "with the wrong sign" if ratio < 0 else ""
    times = next((n for n in range(1, 10_001) if abs(size / n - 1) < CLOSE), None)
    parts = next((n for n in range(2, 10_001) if abs(size * n - 1) < CLOSE), None)
    if times == 1:
        return f"{sign}: a loss falls along minus its gradient; is it y - t, or t - y?"
    if times == 2:
        said = "twice too large: the derivative of (y - t)² has a 2, that of ½ (y - t)² has none"
    elif parts == 2:
        said = "half as large as it should be: the derivative of (y - t)² has a 2, that of ½ (y - t)² has none"
    elif times:
        said = f"{times} times too large: a sum over {times} examples (or outputs) where the loss takes their mean?"
    elif parts:
        said = f"{parts} times too small: a mean over {parts} examples (or outputs) where the loss takes their sum?"
    else:
        said = f"{size:.4g} times what it should be"
    return f"{said}{', and ' + sign if sign else ''}{'' if said.endswith('?') and not sign else '.'}"


def _is_bias(name: str, value: Array) -> bool:
    low = name.lower()
    return value.ndim < 2 or low.startswith("b") or low.endswith("bias")


def _layers(params: Arrays) -> list[Layer]:
    """Weights and biases, paired by name and order."""
    names = list(params)
    biases = [name for name in names if _is_bias(name, params[name])]
    for before, name in zip(names, names[1:], strict=False):
        follows = before not in biases and 1 in params[name].shape and params[name].size in params[before].shape
        if name.startswith("[") and name not in biases and follows:
            biases.append(name)
    weights = [name for name in names if name not in biases]
    paired = biases if len(biases) == len(weights) else [None] * len(weights)
    return [Layer(w, b) for w, b in zip(weights, paired, strict=True)]


def _of_layer(seen: Evidence, layers: list[Layer], k: int, told: dict[str, str]) -> str | None:
    """What the gradient of a layer shows beside that of the layer above it."""
    layer = layers[k]
    names = [name for name in (layer.weights, layer.biases) if name]
    if all(seen.is_right(name) for name in names) or any(name in told for name in names):
        return None
    where = ", ".join(name for name in names if not seen.is_right(name))
    ratios = [factor(seen.grads[name], seen.numeric[name]) for name in names]
    if ratios[0] is not None and all(r is not None and abs(r / ratios[0] - 1) < CLOSE for r in ratios):
        return f"{where}: {_say(ratios[0])}"
    if k == len(layers) - 1:
        return f"{where}: {_of_outputs(seen, names)}"
    for looks_like in (_no_derivative, _derivative_of_a, _updated_too_early):
        if sentence := looks_like(seen, layer, layers[k + 1]):
            return f"{where}: {sentence}"
    above = [name for name in (layers[k + 1].weights, layers[k + 1].biases) if name and not seen.is_right(name)]
    if above:
        return f"{where}: may only follow from {', '.join(above)}; look there first."
    return (
        f"{where}: the layer above is right, so it is the way back through {layers[k + 1].weights} and this layer's "
        "activation: is the derivative there, of z where its formula wants z and of a where it wants a, and "
        f"{layers[k + 1].weights} not transposed?"
    )


def _of_outputs(seen: Evidence, names: list[str]) -> str:
    """The last layer: all that lies before it is the loss and the output's activation."""
    given = np.concatenate([seen.grads[name].ravel() for name in names])
    expected = np.concatenate([seen.numeric[name].ravel() for name in names])
    ratios = given[expected != 0] / expected[expected != 0]
    if len(ratios) and (ratios > 1).all():
        said = f"{ratios.min():.3g} to {ratios.max():.3g} times too large: is the output activation's derivative missing?"
    elif len(ratios) and ((ratios > 0) & (ratios < 1)).all():
        said = "too small, unevenly: is the output activation's derivative there twice? With cross-entropy dL/dz is y - t."
    else:
        said = "look at dL/dz of the output: the loss's derivative, times that of the output's activation."
    return said


def _flows(seen: Evidence, layer: Layer, above: Layer, source: Arrays) -> list[tuple[Array, Array]]:
    """W'Σδ of the layer above, and W times its own gradient, each by hidden unit: for both ways that W may lie."""
    if layer.biases is None or above.biases is None or above.biases not in source:
        return []
    w, dw, db = seen.params[above.weights], source[above.weights], source[above.biases].ravel()
    units, found = seen.params[layer.biases].size, []
    for turned, d_turned in ((w, dw), (w.T, dw.T)):
        if turned.shape == (db.size, units):
            found.append((db @ turned, (turned * d_turned).sum(axis=0)))
    return found


def _no_derivative(seen: Evidence, layer: Layer, above: Layer) -> str | None:
    """δ = W'δ, without f'."""
    said = "this layer's activation has no derivative on the way back: δ is W'δ of the layer above times f'(z)."
    for source in (seen.numeric, seen.grads):
        for through, _ in _flows(seen, layer, above, source):
            if layer.biases and same(seen.grads[layer.biases], through):
                return said
    if layer.biases is None and _spans(seen.params[above.weights], seen.grads[layer.weights], seen.numeric[layer.weights]):
        return said
    return None


def _spans(w: Array, given: Array, expected: Array) -> bool:
    """Whether a gradient is W' times something and the right one is not: so it is without f'."""
    for turned, g, right in ((w, given, expected), (w.T, given.T, expected.T)):
        if turned.shape[1] == g.shape[0] and turned.shape[0] < turned.shape[1]:
            project = np.linalg.pinv(turned) @ turned
            if same(project @ g, g) and not same(project @ right, right):
                return True
    return False


def _derivative_of_a(seen: Evidence, layer: Layer, above: Layer) -> str | None:
    """f'(a) in place of f'(z), of sigmoid or tanh.

    f'(a) is nearly c0 + c1 a + c2 a², and a² is a - f'(z) of sigmoid, 1 - f'(z) of tanh: so the sums over the
    examples are known from the gradients of both layers.
    """
    if layer.biases is None or layer.biases not in seen.grads:
        return None
    right = seen.numeric[layer.biases].ravel()
    for through, of_a in _flows(seen, layer, above, seen.numeric):
        for name, (c0, c1, c2) in CURVES.items():
            square = of_a - right if name == "sigmoid" else through - right
            if same(seen.grads[layer.biases], c0 * through + c1 * of_a + c2 * square, CLOSE_FIT):
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


def _updated_too_early(seen: Evidence, layer: Layer, above: Layer) -> str | None:
    """W of the layer above as it is after its update: with one output each unit's factor gives the same rate."""
    w, dw = seen.params[above.weights].ravel(), seen.numeric[above.weights].ravel()
    given, right = (source.get(layer.weights) for source in (seen.grads, seen.numeric))
    if given is None or right is None or given.shape != right.shape or len(w) < 2 or len(w) not in right.shape:
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
