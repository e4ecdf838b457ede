"""How many of 1,000 seeds learn XOR, by net, start and learning rate: our own sweeps, kept in success_rates.csv.

The first line of that file has the command that made it.
"""

import csv
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

ASKED: dict[str, Any] = {  # what a config must say, where it has the key, for the table to speak of it
    "data.name": "xor",
    "data.low": 0,
    "data.high": 1,
    "architecture.name": "mlp",
    "architecture.bias": True,
    "architecture.activations": None,
    "loss.label_smoothing": 0,
    "loss.name": "bce",
    "init.scale": 1,
    "init.low": -0.5,
    "init.high": 0.5,
    "activation.slope": 0.01,
    "optimizer.name": "sgd",
    "optimizer.momentum": 0,
    "optimizer.weight_decay": 0,
    "schedule.name": "constant",
    "batch_size": None,
    "freeze": [],
    "success.name": "midpoint",
}
EXAMPLES = 4  # of XOR: by so much is a rate for their mean larger than one for their sum
NOTABLE = 50  # more seeds of 1,000 must get through for a change to be worth telling; chance alone gives 30


@dataclass(frozen=True)
class Net:
    """A line of the table; ``lr`` is for the sum over the examples."""

    activation: str
    hidden: int
    init: str
    lr: float


@cache
def table() -> dict[Net, int]:
    """Of 1,000 seeds, how many are solved."""
    text = files("xortrain.runner").joinpath("success_rates.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {
        Net(row["activation"], int(row["hidden"]), row["init"], float(row["lr"])): int(row["solved"]) for row in rows
    }


def of(config: Mapping[str, Any]) -> Net | None:
    """The line of the table that speaks of a config, at the nearest rate; None if there is none."""
    hidden, lr = config["architecture"]["hidden"], rate_of_sum(config)
    if len(hidden) != 1 or config["output"]["name"] not in ("auto", "sigmoid") or not all(map(_asked(config), ASKED)):
        return None
    nearest = min((net.lr for net in table()), key=lambda known: abs(math.log(lr / known)))
    net = Net(config["activation"]["name"], hidden[0], config["init"]["name"], nearest)
    return net if net in table() and abs(math.log2(lr / nearest)) <= 0.5 else None


def rate_of_sum(config: Mapping[str, Any]) -> float:
    """The learning rate that does the same with a sum over the examples."""
    return float(config["lr"]) / (EXAMPLES if config["loss"]["reduction"] == "mean" else 1)


def _asked(config: Mapping[str, Any]) -> Callable[[str], bool]:
    def holds(key: str) -> bool:
        group, _, name = key.partition(".")
        found = config[group].get(name, ASKED[key]) if name else config[group]
        return bool(found == ASKED[key])

    return holds


def better(net: Net) -> list[Net]:
    """What gets clearly more seeds through and differs in one thing: the rate, the units, the activation."""
    counts = table()
    rates = [n for n in counts if replace(n, lr=net.lr) == net]
    larger = [n for n in counts if replace(n, hidden=net.hidden) == net and n.hidden > net.hidden]
    bent = [n for n in counts if replace(n, activation=net.activation) == net]
    best = [max(some, key=counts.__getitem__) for some in (rates, larger[:1], bent) if some]
    leaky = [n for n in bent if net.activation == "relu" and n.activation == "leaky_relu"]
    return [n for n in dict.fromkeys([*best[:-1], *leaky, *best[-1:]]) if counts[n] >= counts[net] + NOTABLE]


def sentence(config: Mapping[str, Any]) -> str:
    """As in "Of 1,000 seeds of this net 24 % get through; with lr=0.125 25 %."; empty if the table has no such net."""
    net = of(config)
    if net is None:
        return ""
    own = f" (at lr={_rate(net, config)})" if not math.isclose(net.lr, rate_of_sum(config)) else ""
    others = [f"with {_change(net, other, config)} {_share(other)}" for other in better(net)]
    return f"Of 1,000 seeds of this net{own} {_share(net)} get through{'; ' if others else ''}{', '.join(others)}."


def _change(net: Net, other: Net, config: Mapping[str, Any]) -> str:
    if other.lr != net.lr:
        return f"lr={_rate(other, config)}"
    if other.hidden != net.hidden:
        return f"architecture.hidden=[{other.hidden}]"
    return f"activation={other.activation}"


def _rate(net: Net, config: Mapping[str, Any]) -> str:
    """The rate as the config would say it."""
    return f"{net.lr * config['lr'] / rate_of_sum(config):g}"


def _share(net: Net) -> str:
    percent = table()[net] / 10
    return f"{percent:.{0 if 1 <= percent <= 99 else 1}f} %"
