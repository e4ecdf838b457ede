"""A Python user's own initial parameters: arrays by name, the same for all runs, or with a last axis of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xortrain.config.weight_files import as_lists, with_our_names
from xortrain.errors import UserError, cut
from xortrain.nets import Array
from xortrain.records.layout import WEIGHTS
from xortrain.setup.population import MOST_WEIGHTS, Population

EXAMPLE = "as in weights={'W1': [[1, 1], [1, 1]], 'b1': [0, 0], …}"


def own_weights(given: object) -> dict[str, Array]:
    """Arrays from weights=, by W1, b1, …; UserError for what they cannot be."""
    if not isinstance(given, Mapping) or not given:
        what = f"a {type(given).__name__}" if not isinstance(given, str) else f"a text; a file is {WEIGHTS}={given}"
        raise UserError(f"weights: must be arrays by the name of a parameter, {EXAMPLE}, not {cut(what)}")
    found = dict[str, Array]()
    for name, values in given.items():
        try:
            found[str(name)] = np.array(values, np.float64)
        except (TypeError, ValueError, OverflowError):
            raise UserError(f"weights[{str(name)!r}]: must be an array of numbers") from None
        if not np.isfinite(found[str(name)]).all():
            raise UserError(f"weights[{str(name)!r}]: must be finite")
    return with_our_names(found)


def config_with(config: Mapping[str, Any], weights: Mapping[str, Array]) -> dict[str, Any]:
    """A configuration with init=explicit that has these weights."""
    init = config["init"]
    if init["name"] != "explicit" or init["weights"] is not None:
        given = WEIGHTS if init["name"] == "explicit" else f"init={init['name']}"
        raise UserError(f"{given}: your own arrays, weights={{…}}, take its place; leave it out")
    return {**config, "init": {**init, "weights": as_lists(dict(weights))}}


def for_each_run(parts: Sequence[Population], weights: Mapping[str, Array]) -> tuple[list[Population], int]:
    """Every run of populations with each of the weights, and how many these are; they follow each other fastest.

    Weights W (fan_out, fan_in[, count]) and biases b (fan_out[, count]) may have a last axis.
    """
    own = {name: values.ndim > (1 if name.startswith("b") else 2) for name, values in weights.items()}
    counts = {weights[name].shape[-1] for name, has_runs in own.items() if has_runs}
    if len(counts) > 1 or 0 in counts:
        raise UserError(f"weights: the last axes, of runs, must be of one length, not {sorted(counts)}")
    count = counts.pop() if counts else 1
    first = {name: values[..., 0] if own[name] else values for name, values in weights.items()}
    varying = {
        f"{WEIGHTS}.{'.'.join(map(str, (name, *place)))}": weights[name][place]
        for name, has_runs in own.items()
        if has_runs
        for place in np.ndindex(*weights[name].shape[:-1])
        if (weights[name][place] != weights[name][place][0]).any()
    }
    if sum(values.size for values in first.values()) > MOST_WEIGHTS and varying:
        each = ({n: v[..., k] if own[n] else v for n, v in weights.items()} for k in range(count))
        return [
            replace(part, config=config_with(part.config, some), numbers=part.numbers * count + k)
            for k, some in enumerate(each)
            for part in parts
        ], count
    return [_repeated(part, config_with(part.config, first), varying, count) for part in parts], count


def _repeated(part: Population, config: Mapping[str, Any], weights: Mapping[str, Array], count: int) -> Population:
    varying = {key: np.repeat(values, count) for key, values in part.varying.items()}
    varying |= {key: np.tile(values, part.runs) for key, values in weights.items()}
    numbers = np.repeat(part.numbers * count, count) + np.tile(np.arange(count), part.runs)
    return replace(part, config=config, varying=varying, numbers=numbers)
