"""What a wrong gradient looks like: the mistakes that learners make, told by what they do to the numbers.

Nothing is known of the user's network but its parameters, its gradient, and the right one by differences.
"""

from itertools import pairwise

import numpy as np

from xortrain.explain.evidence import CLOSE, Arrays, Evidence, Layer, factor, same
from xortrain.explain.way_back import derivative_of_a, no_derivative, updated_too_early
from xortrain.nets import Array


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


def _layers(params: Arrays) -> list[Layer]:
    """Weights and biases, paired by name and order."""
    names = list(params)
    biases = [name for name in names if _is_bias(name, params[name])]
    for before, name in pairwise(names):
        follows = before not in biases and 1 in params[name].shape and params[name].size in params[before].shape
        if name.startswith("[") and name not in biases and follows:
            biases.append(name)
    weights = [name for name in names if name not in biases]
    paired = biases if len(biases) == len(weights) else [None] * len(weights)
    return [Layer(w, b) for w, b in zip(weights, paired, strict=True)]


def _of_layer(seen: Evidence, layers: list[Layer], k: int, wrong: list[str]) -> str:
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
