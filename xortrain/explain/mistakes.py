"""Names the mistake in backpropagation that a wrong gradient reveals, from its numbers alone.

The parameters, the gradient given, and the right one by finite differences are known; the code is not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from xortrain.nets import Array

Arrays = dict[str, Array]
CLOSE = 1e-3  # relative; a mistake is named only if it explains the numbers this well
CLOSE_FIT = {"sigmoid": 0.1, "tanh": 0.3}  # the same where a parabola replaces f'(a), relative to the error


@dataclass(frozen=True)
class Evidence:
    """Parameters, the gradient given, and the right one, all by name."""

    params: Arrays
    grads: Arrays
    numeric: Arrays

    def usable(self) -> "Evidence":
        """The same without gradients that are missing, of the wrong shape, or not finite."""
        fit = {name: g for name, g in self.grads.items() if np.squeeze(g).shape == np.squeeze(self.params[name]).shape}
        grads = {name: g.reshape(self.params[name].shape) for name, g in fit.items() if np.isfinite(g).all()}
        return Evidence(self.params, grads, self.numeric)

    def is_right(self, name: str) -> bool:
        return name in self.grads and _agree(self.grads[name], self.numeric[name])

    def is_bias(self, name: str) -> bool:
        low = name.lower()
        return self.params[name].ndim < 2 or low.startswith("b") or low.endswith("bias")


class LayerNames(NamedTuple):
    """The names of a layer's weights and, if it has any, biases."""

    weights: str
    biases: str | None


def backprop_mistakes(params: Arrays, grads: Arrays, numeric: Arrays) -> list[str]:
    """A sentence for each mistake found, in the order of the parameters; each wrong array is in one of them."""
    seen = Evidence(params, grads, numeric)
    wrong = [name for name in params if not seen.is_right(name)]
    found = {name: sentence for name in wrong if (sentence := _array_mistake(seen, name))}
    seen, layers = seen.usable(), _layers(seen)
    for k in reversed(range(len(layers))):
        if rest := [name for name in layers[k] if name in wrong and name not in found]:
            above = layers[k + 1] if k + 1 < len(layers) else None
            sentence = _hidden_mistake(seen, layers[k], above, rest) if above else _output_mistake(seen, rest)
            found |= dict.fromkeys(rest, sentence)
    names: dict[str, list[str]] = {}
    for name in sorted(found, key=list(params).index):
        names.setdefault(found[name], []).append(name)
    return [
        f"{'all parameters' if len(group) == len(params) > 1 else ', '.join(group)}: {sentence}"
        for sentence, group in names.items()
    ]


def _agree(given: Array, expected: Array) -> bool:
    """Whether two arrays agree relative to their largest number."""
    if given.size != expected.size or not expected.size:
        return False
    given, expected = given.ravel(), expected.ravel()
    return bool(np.abs(given - expected).max() <= CLOSE * max(np.abs(expected).max(), 1e-9))


def _factor(given: Array, expected: Array) -> float | None:
    """The factor by which a whole array is too large, if there is one."""
    if given.size != expected.size or not expected.any() or not np.isfinite(given).all():
        return None
    given, expected = given.ravel(), expected.ravel()
    ratio = float(given @ expected / (expected @ expected))
    return ratio if ratio and _agree(given, ratio * expected) else None


def _layers(seen: Evidence) -> list[LayerNames]:
    """Weights and biases, paired by name and order."""
    params = seen.params
    biases = [name for name in params if seen.is_bias(name)]
    for before, name in pairwise(params):
        follows = before not in biases and 1 in params[name].shape and params[name].size in params[before].shape
        if name.startswith("[") and name not in biases and follows:
            biases.append(name)
    weights = [name for name in params if name not in biases]
    paired = biases if len(biases) == len(weights) else [None] * len(weights)
    return [LayerNames(w, b) for w, b in zip(weights, paired, strict=True)]


def _array_mistake(seen: Evidence, name: str) -> str | None:
    """A mistake that one array reveals by itself."""
    forgotten = " Was the bias forgotten?" if seen.is_bias(name) else ""
    if name not in seen.grads:
        return f"no gradient is given.{forgotten}"
    given, expected = seen.grads[name], seen.numeric[name]
    if given.shape != expected.shape and np.squeeze(given).shape != np.squeeze(expected).shape:
        transposed = "transposed: " if given.T.shape == expected.shape and _agree(given.T, expected) else ""
        return f"{transposed}its shape is {given.shape}, the parameter's is {expected.shape}."
    if not np.isfinite(given).all():
        return "nan or infinite."
    if not given.any():
        return f"0 everywhere.{forgotten}"
    if given.ndim == 2 and given.shape[0] == given.shape[1] and _agree(given.T, expected):
        return "transposed."
    ratio = _factor(given, expected)
    return _factor_mistake(ratio) if ratio else None


def _factor_mistake(ratio: float) -> str | None:
    """The mistake behind a factor of -1, 2, 1/2, n or 1/n."""
    size = abs(ratio)
    times, parts = max(1, round(size)), max(1, round(1 / size))
    if abs(size / times - 1) > CLOSE and abs(size * parts - 1) > CLOSE:
        return None
    if times == parts == 1:
        return "wrong sign: is it y - t, or t - y?"
    if times == 2 or parts == 2:
        much = "twice as large" if times == 2 else "half as large"
        text = f"{much} as it should be: the derivative of (y - t)² has a factor 2, that of ½ (y - t)² has none"
    elif times > 2:
        text = f"{times} times too large: a sum over {times} examples (or outputs) where the loss takes their mean"
    else:
        text = f"{parts} times too small: a mean over {parts} examples (or outputs) where the loss takes their sum"
    return f"{text}; it also has the wrong sign." if ratio < 0 else f"{text}."


def _output_mistake(seen: Evidence, names: list[str]) -> str:
    """The last layer: only the loss and the output activation come before it in the backward pass."""
    given = np.concatenate([seen.grads[name].ravel() for name in names])
    expected = np.concatenate([seen.numeric[name].ravel() for name in names])
    ratios = given[expected != 0] / expected[expected != 0]
    if len(ratios) and (ratios > 1).all():
        return (
            f"{ratios.min():.3g} to {ratios.max():.3g} times too large: is the output activation's derivative missing?"
        )
    if len(ratios) and ((ratios > 0) & (ratios < 1)).all():
        return (
            "too small, by different factors: is the output activation's derivative applied twice? With "
            "cross-entropy, dL/dz is y - t."
        )
    return "check dL/dz of the output: the derivative of the loss times that of the output activation."


def _hidden_mistake(seen: Evidence, layer: LayerNames, above: LayerNames, wrong: list[str]) -> str:
    """What the wrong gradients of a layer reveal beside those of the layer above it."""
    for mistake in (_no_derivative, _updated_too_early, _derivative_at_a):
        if sentence := mistake(seen, layer, above):
            return sentence
    ratios = [_factor(seen.grads[name], seen.numeric[name]) for name in wrong]
    if ratios[0] is not None and all(r is not None and abs(r / ratios[0] - 1) < CLOSE for r in ratios):
        return f"{ratios[0]:.4g} times what it should be."
    if wrong_above := [name for name in above if name and not seen.is_right(name)]:
        return f"may be a consequence of {', '.join(wrong_above)}: check that first."
    return (
        f"the layer above is right, so the mistake is in the backward pass through {above.weights} and this layer's "
        "activation: is its derivative there, taken at z where its formula needs z and at a where it needs a, and is "
        f"{above.weights} not transposed?"
    )


def _flows(seen: Evidence, layer: LayerNames, above: LayerNames, source: Arrays) -> list[tuple[Array, Array]]:
    """W'Σδ of the layer above, and W times its own gradient, each by hidden unit: for W (fan_out, fan_in) and W'."""
    if layer.biases is None or above.biases is None or not {above.weights, above.biases} <= source.keys():
        return []
    w, dw, db = seen.params[above.weights], source[above.weights], source[above.biases].ravel()
    shape = (db.size, seen.params[layer.biases].size)
    return [(db @ w_, (w_ * dw_).sum(axis=0)) for w_, dw_ in ((w, dw), (w.T, dw.T)) if w_.shape == shape]


def _no_derivative(seen: Evidence, layer: LayerNames, above: LayerNames) -> str | None:
    """δ = W'δ, without f'."""
    sentence = "the derivative of this layer's activation is missing: δ is W'δ of the layer above times f'(z)."
    for source in (seen.numeric, seen.grads):
        for through, _ in _flows(seen, layer, above, source):
            if layer.biases in seen.grads and _agree(seen.grads[layer.biases], through):
                return sentence
    given, right = (source.get(layer.weights) for source in (seen.grads, seen.numeric))
    if layer.biases is None and given is not None and right is not None:
        return sentence if _only_given_is_spanned(seen.params[above.weights], given, right) else None
    return None


def _only_given_is_spanned(w: Array, given: Array, right: Array) -> bool:
    """Whether the gradient given is W' times something, as without f', and the right one is not."""
    for w_, g, d in ((w, given, right), (w.T, given.T, right.T)):
        if w_.shape[1] == g.shape[0] and w_.shape[0] < w_.shape[1]:
            project = np.linalg.pinv(w_) @ w_
            if _agree(project @ g, g) and not _agree(project @ d, d):
                return True
    return False


def _updated_too_early(seen: Evidence, layer: LayerNames, above: LayerNames) -> str | None:
    """W of the layer above already updated: with one output, all units' factors imply the same learning rate."""
    w, dw = seen.params[above.weights].ravel(), seen.numeric[above.weights].ravel()
    given, right = (source.get(layer.weights) for source in (seen.grads, seen.numeric))
    if given is None or right is None or len(w) < 2 or len(w) not in right.shape:
        return None
    for g, d in ((given, right), (given.T, right.T)):
        if g.shape[0] == len(w) and w.all() and dw.all() and (np.abs(d).max(axis=1) > 0).all():
            ratios = (g * d).sum(axis=1) / (d * d).sum(axis=1)
            rates = (1 - ratios) * w / dw
            if _agree(g, ratios[:, None] * d) and rates.mean() > 0 and np.ptp(rates) < CLOSE * rates.mean():
                return (
                    f"as if {above.weights} had been updated first (learning rate {rates.mean():.4g}): the backward "
                    "pass must use the weights of the forward pass."
                )
    return None


def _derivative_at_a(seen: Evidence, layer: LayerNames, above: LayerNames) -> str | None:
    """f'(a) in place of f'(z), of sigmoid or tanh.

    f'(a) is nearly c0 + c1 a + c2 a², and a² is a - f'(z) for sigmoid, 1 - f'(z) for tanh: so its sums over the
    examples follow from the gradients of both layers.
    """
    if layer.biases is None or layer.biases not in seen.grads:
        return None
    given, right = seen.grads[layer.biases].ravel(), seen.numeric[layer.biases].ravel()
    for through, of_a in _flows(seen, layer, above, seen.numeric):
        for name, (c0, c1, c2) in CURVES.items():
            expected = c0 * through + c1 * of_a + c2 * (of_a if name == "sigmoid" else through) - c2 * right
            if np.abs(given - expected).max() <= CLOSE_FIT[name] * np.abs(given - right).max():
                return (
                    f"as if the derivative of {name} were taken at a: f'(a) where it must be f'(z), which is "
                    f"{'a (1 - a)' if name == 'sigmoid' else '1 - a²'}."
                )
    return None


def _parabola(slope: Callable[[Array], Array], low: float) -> tuple[float, float, float]:
    """The parabola nearest to a slope for a from low to 1."""
    a = np.cos(np.linspace(0, np.pi, 201)) * (1 - low) / 2 + (1 + low) / 2
    c2, c1, c0 = np.polyfit(a, slope(a), 2)
    return float(c0), float(c1), float(c2)


CURVES = {
    "sigmoid": _parabola(lambda a: 0.25 / np.cosh(a / 2) ** 2, 0.0),
    "tanh": _parabola(lambda a: 1 / np.cosh(a) ** 2, -1.0),
}
