"""How many of 1,000 seeds learn XOR, by network, initialization and learning rate: measured, in success_rates.csv.

The first line of that file has the command that made it.
"""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

MEASURED: dict[str, dict[str, Any]] = {
    "data": {"name": "xor", "low": 0, "high": 1},
    "architecture": {"name": "mlp", "bias": True, "activations": None},
    "loss": {"name": "bce", "label_smoothing": 0},
    "init": {"scale": 1, "low": -0.5, "high": 0.5},
    "activation": {"slope": 0.01},
    "optimizer": {"name": "sgd", "momentum": 0, "weight_decay": 0},
    "schedule": {"name": "constant"},
    "success": {"name": "midpoint"},
}
"""The settings of the measured runs, where an option has them; full batch, nothing frozen."""
EXAMPLES = 4  # of XOR: a learning rate for their mean is this many times one for their sum
NOTABLE = 50  # more seeds of 1,000 must succeed for a change to be mentioned; chance alone explains 30


@dataclass(frozen=True)
class Net:
    """A row of the table; ``lr`` is for the sum over the examples."""

    activation: str
    hidden: int
    init: str
    lr: float


@cache
def solved_counts() -> dict[Net, int]:
    """The number of 1,000 seeds that are solved."""
    text = Path(__file__).with_name("success_rates.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {Net(r["activation"], int(r["hidden"]), r["init"], float(r["lr"])): int(r["solved"]) for r in rows}


def seeds_sentence(config: Mapping[str, Any]) -> str:
    """As in "Of 1,000 seeds of this network, 24 % solve it; with lr=0.125, 25 %."; empty if it was not measured."""
    net, lr = _nearest(config), _sum_rate(config)
    if net is None:
        return ""
    factor = config["lr"] / lr
    own = f" (at lr={net.lr * factor:g})" if not math.isclose(net.lr, lr) else ""
    changes = [f"; with {_change(net, other, factor)}, {_percent(other)}" for other in better(net)]
    return f"Of 1,000 seeds of this network{own}, {_percent(net)} solve it{''.join(changes)}."


def better(net: Net) -> list[Net]:
    """Networks that clearly more seeds solve and that differ only in learning rate, units or activation."""
    counts = solved_counts()
    rates = [n for n in counts if replace(n, lr=net.lr) == net]
    larger = [n for n in counts if replace(n, hidden=net.hidden) == net and n.hidden > net.hidden]
    activations = [n for n in counts if replace(n, activation=net.activation) == net]
    best = [max(nets, key=counts.__getitem__) for nets in (rates, larger[:1], activations) if nets]
    leaky = [n for n in activations if net.activation == "relu" and n.activation == "leaky_relu"]
    return [n for n in dict.fromkeys([*best[:-1], *leaky, *best[-1:]]) if counts[n] >= counts[net] + NOTABLE]


def _nearest(config: Mapping[str, Any]) -> Net | None:
    """The row for a config, at the nearest learning rate; None if there is none."""
    hidden, lr = config["architecture"]["hidden"], _sum_rate(config)
    if len(hidden) != 1 or config["output"]["name"] not in ("auto", "sigmoid"):
        return None
    own = [(config[group].get(key, value), value) for group, keys in MEASURED.items() for key, value in keys.items()]
    if any(found != value for found, value in own) or config["batch_size"] is not None or config["freeze"]:
        return None
    nearest = min((net.lr for net in solved_counts()), key=lambda known: abs(math.log(lr / known)))
    net = Net(config["activation"]["name"], hidden[0], config["init"]["name"], nearest)
    return net if net in solved_counts() and abs(math.log2(lr / nearest)) <= 0.5 else None


def _sum_rate(config: Mapping[str, Any]) -> float:
    """The learning rate with the same effect for the sum over the examples."""
    return float(config["lr"]) / (EXAMPLES if config["loss"]["reduction"] == "mean" else 1)


def _change(net: Net, other: Net, factor: float) -> str:
    if other.lr != net.lr:
        return f"lr={other.lr * factor:g}"
    if other.hidden != net.hidden:
        return f"architecture.hidden=[{other.hidden}]"
    return f"activation={other.activation}"


def _percent(net: Net) -> str:
    percent = solved_counts()[net] / 10
    return f"{percent:.{0 if 1 <= percent <= 99 else 1}f} %"
