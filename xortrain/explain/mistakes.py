"""What there is to go by when a user's gradient is wrong: parameters, the gradient, and the right one."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from xortrain.nets import Array

Arrays = dict[str, Array]
CLOSE = 1e-3  # relative; a mistake is named only if it explains the numbers this well


@dataclass(frozen=True)
class LayerNames:
    """The names of a layer's weights and, if there are any, biases."""

    weights: str
    biases: str | None

    @property
    def names(self) -> list[str]:
        return [name for name in (self.weights, self.biases) if name]


@dataclass(frozen=True)
class Evidence:
    """Parameters, the gradient that was given, and the right one."""

    params: Arrays
    grads: Arrays
    numeric: Arrays

    def usable(self) -> "Evidence":
        """Without what is missing, has another shape, or is not finite."""
        fit = {name: g for name, g in self.grads.items() if np.squeeze(g).shape == np.squeeze(self.params[name]).shape}
        grads = {name: g.reshape(self.params[name].shape) for name, g in fit.items() if np.isfinite(g).all()}
        return Evidence(self.params, grads, self.numeric)

    def is_right(self, name: str) -> bool:
        return name in self.grads and same(self.grads[name], self.numeric[name])


def same(given: Array, expected: Array) -> bool:
    """Whether two arrays agree relative to their largest number."""
    if given.size != expected.size or not expected.size:
        return False
    given, expected = given.ravel(), expected.ravel()
    return bool(np.abs(given - expected).max() <= CLOSE * max(np.abs(expected).max(), 1e-9))


def factor(given: Array, expected: Array) -> float | None:
    """The one number by which all of an array is too large, if there is one."""
    if given.size != expected.size or not expected.any() or not np.isfinite(given).all():
        return None
    given, expected = given.ravel(), expected.ravel()
    ratio = float(given @ expected / (expected @ expected))
    return ratio if ratio and same(given, ratio * expected) else None


CLOSE_FIT = {"sigmoid": 0.1, "tanh": 0.3}  # of how wrong it is, where a parabola stands in for f'(a)


def _flows(seen: Evidence, layer: LayerNames, above: LayerNames, source: Arrays) -> list[tuple[Array, Array]]:
    """W'Σδ of the layer above, and W times its own gradient, each by hidden unit: for both ways that W may lie."""
    if layer.biases is None or above.biases is None or not {above.weights, above.biases} <= source.keys():
        return []
    w, dw, db = seen.params[above.weights], source[above.weights], source[above.biases].ravel()
    units, found = seen.params[layer.biases].size, []
    for turned, d_turned in ((w, dw), (w.T, dw.T)):
        if turned.shape == (db.size, units):
            found.append((db @ turned, (turned * d_turned).sum(axis=0)))
    return found


def no_derivative(seen: Evidence, layer: LayerNames, above: LayerNames) -> str | None:
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


def derivative_of_a(seen: Evidence, layer: LayerNames, above: LayerNames) -> str | None:
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


def updated_too_early(seen: Evidence, layer: LayerNames, above: LayerNames) -> str | None:
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


def mistakes(params: Arrays, grads: Arrays, numeric: Arrays) -> list[str]:
    """One sentence for each mistake that can be told, in the order of the way back."""
    seen = Evidence(params, grads, numeric)
    wrong = [name for name in params if not seen.is_right(name)]
    told = {name: sentence for name in wrong if (sentence := _of_one(seen, name))}
    seen = seen.usable()
    layers = _layers(params)
    for k in reversed(range(len(layers))):
        rest = [name for name in layers[k].names if name in wrong and name not in told]
        if rest:
            told |= dict.fromkeys(rest, _of_layer(seen, layers, k, rest))
    together: dict[str, list[str]] = {}
    for name in sorted(told, key=list(params).index):
        together.setdefault(told[name], []).append(name)
    return [
        f"{'all parameters' if len(names) == len(params) > 1 else ', '.join(names)}: {sentence}"
        for sentence, names in together.items()
    ]


def _of_one(seen: Evidence, name: str) -> str | None:
    """What one array shows by itself."""
    if name not in seen.grads:
        return "no gradient is given." + (" Is the bias forgotten?" if _is_bias(name, seen.params[name]) else "")
    given, expected = seen.grads[name], seen.numeric[name]
    if given.shape != expected.shape and np.squeeze(given).shape != np.squeeze(expected).shape:
        if given.T.shape == expected.shape and same(given.T, expected):
            return f"transposed: its shape is {given.shape}, the parameter's {expected.shape}."
        return f"its shape is {given.shape}, the parameter's {expected.shape}."
    if not np.isfinite(given).all():
        return "nan or infinite."
    if not given.any():
        return "0 everywhere." + (" Is the bias forgotten?" if _is_bias(name, seen.params[name]) else "")
    if given.ndim == 2 and given.shape[0] == given.shape[1] and same(given.T, expected):
        return "transposed."
    ratio = factor(given, expected)
    return _telling(ratio) if ratio else None


def _telling(ratio: float) -> str | None:
    """What a factor tells, if it is -1, 2, 1/2, n or 1/n."""
    size, turned = abs(ratio), "wrong sign" if ratio < 0 else ""
    times, parts = max(1, round(size)), max(1, round(1 / size))
    if abs(size / times - 1) > CLOSE and abs(size * parts - 1) > CLOSE:
        return None
    if times == parts == 1:
        return "wrong sign: is it y - t, or t - y?"
    if times == 2 or parts == 2:
        much = "twice as large" if times == 2 else "half as large"
        said = f"{much} as it should be: (y - t)² has a 2 in its derivative, ½ (y - t)² has none"
    elif times > 2:
        said = f"{times} times too large: a sum over {times} examples (or outputs) where the loss takes their mean"
    else:
        said = f"{parts} times too small: a mean over {parts} examples (or outputs) where the loss takes their sum"
    return f"{said}; and with the {turned}." if turned else f"{said}."


def _is_bias(name: str, value: Array) -> bool:
    low = name.lower()
    return value.ndim < 2 or low.startswith("b") or low.endswith("bias")


def _layers(params: Arrays) -> list[LayerNames]:
    """Weights and biases, paired by name and order."""
    names = list(params)
    biases = [name for name in names if _is_bias(name, params[name])]
    for before, name in pairwise(names):
        follows = before not in biases and 1 in params[name].shape and params[name].size in params[before].shape
        if name.startswith("[") and name not in biases and follows:
            biases.append(name)
    weights = [name for name in names if name not in biases]
    paired = biases if len(biases) == len(weights) else [None] * len(weights)
    return [LayerNames(w, b) for w, b in zip(weights, paired, strict=True)]


def _of_layer(seen: Evidence, layers: list[LayerNames], k: int, wrong: list[str]) -> str:
    """What the wrong gradients of a layer show beside those of the layer above it."""
    if k == len(layers) - 1:
        return _of_outputs(seen, wrong)
    layer, above = layers[k], layers[k + 1]
    for looks_like in (no_derivative, updated_too_early, derivative_of_a):
        if sentence := looks_like(seen, layer, above):
            return sentence
    ratios = [factor(seen.grads[name], seen.numeric[name]) for name in wrong]
    if ratios[0] is not None and all(r is not None and abs(r / ratios[0] - 1) < CLOSE for r in ratios):
        return f"{ratios[0]:.4g} times what it should be."
    if wrong_above := [name for name in above.names if not seen.is_right(name)]:
        return f"may only follow from {', '.join(wrong_above)}: look there first."
    return (
        f"the layer above is right, so it is the way back through {above.weights} and this layer's activation: is "
        f"the derivative there, of z where its formula wants z and of a where it wants a, and {above.weights} not "
        "transposed?"
    )


def _of_outputs(seen: Evidence, names: list[str]) -> str:
    """The last layer: all that lies before it is the loss and the output's activation."""
    given = np.concatenate([seen.grads[name].ravel() for name in names])
    expected = np.concatenate([seen.numeric[name].ravel() for name in names])
    ratios = given[expected != 0] / expected[expected != 0]
    if len(ratios) and (ratios > 1).all():
        said = (
            f"{ratios.min():.3g} to {ratios.max():.3g} times too large: is the output activation's derivative missing?"
        )
    elif len(ratios) and ((ratios > 0) & (ratios < 1)).all():
        said = (
            "too small, unevenly: is the output activation's derivative there twice? With cross-entropy dL/dz is y - t."
        )
    else:
        said = "look at dL/dz of the output: the loss's derivative, times that of the output's activation."
    return said
