"""What might help an unsolved run: rows that look at its settings and return changes worth trying.

A change is a key with its new value, or a group other than the data with another option.  `applied` makes the config
that Hydra composes if the changes are written after the overrides of the run.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from xortrain.config.check import Config, check
from xortrain.config.settings import GROUPS, defaults_of, read_conf
from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.nets.datasets import DATASETS
from xortrain.nets.initializers import INITIALIZERS
from xortrain.nets.losses import LOSSES
from xortrain.setup.population import shared_key
from xortrain.setup.run_setup import Setup
from xortrain.setup.target_coding import fitting_loss_of
from xortrain.training.diagnosis import LARGE, equal_units, have_equal, is_linear, out_of_reach, unscaled_inputs
from xortrain.training.linear import linear_fit
from xortrain.training.task import Task

Changes = Mapping[str, Any]
Row = Callable[[Config, Task], Iterable[Changes]]
FACTORS = (3, 10, 100, 0.3, 0.1, 0.01)  # of the learning rate
FAR = 30  # times larger or smaller than the optimizer's own rate
FEW, MANY = 64, 300  # examples: as in a truth table of 6 bits; from here on an epoch takes long
SEEDS = 16


def _reaching_output(config: Config, task: Task) -> Iterator[Changes]:
    if not _is_output(task.network.layers[-1].activation, task):
        pairs = (("auto", task.criterion.row.output), ("identity", "identity"))
        yield from ({"output": name} for name, activation in pairs if _is_output(activation, task))


def _usual_output(config: Config, task: Task) -> Iterator[Changes]:
    if _is_output(task.criterion.row.output, task):
        yield {"output": "auto"}


def _is_output(name: str, task: Task) -> bool:
    """Whether outputs with this activation can reach the targets, and the loss accepts them."""
    last, loss = replace(task.network.layers[-1], activation=name), task.criterion.row
    network = replace(task.network, layers=(*task.network.layers[:-1], last))
    is_accepted = {"unit": last.row.gives_probabilities, "classes": name == loss.output}.get(loss.targets, True)
    is_constant = last.row.couples_units and last.units == 1
    return is_accepted and not is_constant and out_of_reach(replace(task, network=network)) is None


def _scaled_data(config: Config, task: Task) -> Iterator[Changes]:
    is_large = _is_regression(task) and np.abs(task.data.t).max() > LARGE
    if is_large or unscaled_inputs(task.data.x):
        yield from _any_scaled_data(config, task)


def _any_scaled_data(config: Config, task: Task) -> Iterator[Changes]:
    if config["data"].get("scale") == "none":
        yield {"data.scale": "standard"}


def _is_regression(task: Task) -> bool:
    return task.criterion.row.targets == "any" and len(np.unique(task.data.t)) > 2


def _random_start(config: Config, task: Task) -> Iterator[Changes]:
    """A random start, if units are equal or all parameters 0."""
    are_equal = any(have_equal(group).any() for group in equal_units(task.network, task.theta))
    if are_equal or not task.theta.any():
        yield {"init": "xavier_uniform"} if config["init"]["scale"] else {"init.scale": 1.0}


def _nonlinear_layer(config: Config, task: Task) -> Iterator[Changes]:
    """A nonlinear hidden layer, if there is none and no line separates the examples."""
    if is_linear(task.network) and not linear_fit(task)[1].all():
        layer = {} if config["architecture"]["hidden"] else {"architecture.hidden": [4]}
        yield {**layer, "architecture.activations": None, "activation": "tanh"}


def _own_scale(config: Config, task: Task) -> Iterator[Changes]:
    """The scale that the initial weights have if no other is chosen."""
    yield {"init.scale": defaults_of("init", config["init"]["name"], config["data"]["name"])["scale"]}


def _recipe(config: Config, task: Task) -> Iterator[Changes]:
    """What solves such data from most seeds, whatever the loss; docs/advice.md has the measurements."""
    hidden, lr, epochs, net, examples = [8, 8], 0.05, 300, task.network, len(task.data.x)
    if _is_regression(task):
        hidden, lr, epochs = [16, 16], 0.03, 500
    elif examples <= FEW:
        hidden = [min(64, max(8, 4 * net.inputs // net.outputs, net.outputs))]
    layers = {"architecture.hidden": hidden, "architecture.activations": None, "activation": "tanh"}
    same = {**layers, **next(_own_scale(config, task)), "batch_size": None, "schedule": "constant"}
    for last in (100, epochs) if examples > MANY else (epochs,):
        yield {**same, "optimizer": "adam", "lr": lr, "epochs": last}
    if momentum := config["optimizer"].get("momentum"):  # which Adam does not have
        rate = {"lr": _rounded(0.1 * (1 - momentum)), "epochs": 1000 if examples <= FEW else epochs}
        yield {**same, **next(_cross_entropy(config, task), {}), "loss.reduction": "mean", **rate}


def _learning_rates(config: Config, task: Task) -> Iterator[Changes]:
    """Larger and smaller ones, and the optimizer's own if the chosen one is far from it."""
    name = config["optimizer"]["name"]
    own = read_conf(f"optimizer/{name}").get("lr", read_conf("config")["lr"])
    if name == "sgd" and config["loss"]["reduction"] == "sum":  # the rate in config.yaml suits a sum of four losses
        own *= 4 / len(task.data.x)
    usual = [] if own / FAR <= config["lr"] <= own * FAR else [own]
    yield from ({"lr": _rounded(rate)} for rate in (*(config["lr"] * factor for factor in FACTORS), *usual))


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _other_seeds(config: Config, task: Task) -> Iterator[Changes]:
    if uses_seed(config, task):
        yield {"seed": (config["seed"] + 1) % 2**32}


def uses_seed(config: Config, task: Task) -> bool:
    """Whether the training depends on the seed: by its start, or by the order of its batches."""
    is_shuffled = config["shuffle"] and task.batch_size is not None and task.batch_size < len(task.data.x)
    return is_shuffled or INITIALIZERS[config["init"]["name"]].draw != "nothing"


def _more_units(config: Config, task: Task) -> Iterator[Changes]:
    hidden = config["architecture"]["hidden"]
    yield from ({"architecture.hidden": wider} for wider in ([n + 1 for n in hidden], [2 * n for n in hidden]))


def _other_activations(config: Config, task: Task) -> Iterator[Changes]:
    names = ("sigmoid", "tanh", "leaky_relu", "relu") if config["architecture"]["hidden"] else ()
    yield from ({"architecture.activations": None, "activation": name} for name in names)


def _other_reduction(config: Config, task: Task) -> Iterator[Changes]:
    if config["optimizer"]["name"] == "sgd":  # the others adapt to the size of the gradient
        yield {"loss.reduction": "mean" if config["loss"]["reduction"] == "sum" else "sum"}


def _cross_entropy(config: Config, task: Task) -> Iterator[Changes]:
    """Its gradient does not vanish at a saturated output."""
    if task.criterion.row.targets == "any" and np.isin(task.data.t, (0, 1)).all():
        last, loss = task.network.layers[-1], "bce"
        if not DATASETS[config["data"]["name"]].make:  # whose classes bce refuses, if there are more than two
            loss = fitting_loss_of(task.data.t)
        is_kept = loss == "bce" and last.row.gives_probabilities and last.activation != LOSSES[loss].output
        output = last.activation if is_kept else "auto"
        yield {"loss": loss, "loss.reduction": config["loss"]["reduction"], "output": output}


FIXES: tuple[Row, ...] = (
    _scaled_data,  # before the output, which must reach the scaled targets
    _reaching_output,
    _random_start,
    _nonlinear_layer,
    lambda config, task: [{"freeze": []}] if set(config["freeze"]) >= set(task.network.shapes) else [],
)
"""What these settings cannot do without; everything else is tried together with it."""
NEEDED: tuple[Row, ...] = (
    lambda config, task: [{"architecture.bias": True}, {"freeze": []}, {"schedule": "constant"}],
    _any_scaled_data,
    _own_scale,
    lambda config, task: [{"stop": "never"}] if config["stop"]["name"] == "loss" else [],
    lambda config, task: [{"optimizer.weight_decay": 0.0}] if "weight_decay" in config["optimizer"] else [],
    _recipe,
)
"""What is unusual in these settings, and the recipe for such data."""
HELPFUL: tuple[Row, ...] = (
    lambda config, task: [{"epochs": 4 * config["epochs"]}],
    _learning_rates,
    _other_seeds,
    _more_units,
    _other_activations,
    _usual_output,
    _other_reduction,
    lambda config, task: [{"init.scale": _rounded(config["init"]["scale"] * factor)} for factor in (2, 0.5)],
    lambda config, task: [{"optimizer": "adam", "lr": 0.05}],
    _cross_entropy,
)
"""What may help any run."""


@dataclass(frozen=True)
class Candidate:
    """Changes as overrides, the setup of the run with them, and the seeds to try, its own first.

    ``is_first`` is whether the settings ask for the changes.
    """

    overrides: tuple[str, ...]
    setup: Setup
    seeds: Array
    is_first: bool

    @cached_property
    def key(self) -> str:
        """The same for all candidates that are trained side by side."""
        return shared_key(self.setup.population.config)


def candidates(own: Setup) -> list[Candidate]:
    """Everything worth trying for the only run of a setup, in the order of the rows; each config once."""
    start, fixes, wanted = dict(own.population.config), dict[str, Any](), list[tuple[Changes, bool]]()
    fixed = own
    for row in FIXES:
        for changes in row(dict(fixed.population.config), fixed.task()):
            if not changes.keys() & fixes.keys() and (setup := _changed(own, {**fixes, **changes})):
                fixes, fixed = {**fixes, **changes}, setup
                wanted.append((changes, True))
    wanted.append((fixes, True))
    for row in (*NEEDED, *HELPFUL):
        rest = row(dict(fixed.population.config), fixed.task())
        wanted += [({**fixes, **changes}, row in NEEDED) for changes in rest]
    found, known = list[Candidate](), [start]
    for changes, is_first in wanted:
        effective = _effective(start, changes)
        setup = _changed(own, effective)
        if setup and (config := dict(setup.population.config)) not in known:
            known.append(config)
            seeds = config["seed"] + np.arange(SEEDS if uses_seed(config, setup.task()) else 1)
            overrides = tuple(written(*change) for change in effective.items())
            found.append(Candidate(overrides, setup, seeds % 2**32, is_first))
    return found


def _changed(own: Setup, changes: Changes) -> Setup | None:
    """The setup of the run with these changes; None if they are refused."""
    try:
        return own.changed(applied(own.population.config, changes))
    except UserError:
        return None


def applied(config: Mapping[str, Any], changes: Changes) -> Config:
    """The config with these changes, as Hydra composes it; UserError where Hydra or `check` would refuse them."""
    changed = {key: dict(value) if isinstance(value, Mapping) else value for key, value in config.items()}
    for key, value in changes.items():
        group, dot, name = key.partition(".")
        if dot:
            changed[group][name] = value
        else:
            changed[key] = _option(key, value, changed[key], changed["data"]["name"]) if key in GROUPS else value
    return check(changed)


def _option(group: str, name: str, own: Config, data: str) -> Config:
    """Another option of a group; keys that differ from their defaults were set for this run, and stay set."""
    before = defaults_of(group, own["name"], data)
    kept = {key: value for key, value in own.items() if key != "name" and value != before.get(key)}
    return {"name": name, **defaults_of(group, name, data), **kept}


def _effective(config: Config, changes: Changes) -> Changes:
    """The changes that change something, and what must be written with another optimizer or loss.

    Another loss is written with its output, which the user may have chosen or not.
    """
    new = {key for key, value in changes.items() if _value(config, key) != value}
    with_it = {"lr": "optimizer", "output": "loss"}
    return {k: v for k, v in changes.items() if {k, k.partition(".")[0], with_it.get(k)} & new}


def _value(config: Config, key: str) -> Any:
    group, dot, name = key.partition(".")
    if key == "output" and config["output"]["name"] == LOSSES[config["loss"]["name"]].output:
        return "auto"
    return config[group].get(name) if dot else config[key]["name"] if key in GROUPS else config[key]


def written(key: str, value: Any) -> str:
    """A change as an override."""
    if isinstance(value, list):
        return f"{key}=[{','.join(map(str, value))}]"
    plain = "null" if value is None else str(value).lower() if isinstance(value, bool) else value
    return f"{key}={plain:g}" if isinstance(plain, float) else f"{key}={plain}"
