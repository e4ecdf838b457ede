"""Build configurations quickly, and train populations in blocks of any size."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from xortrain.api import Run
from xortrain.config.check import Config, check
from xortrain.config.compose import SEVERAL
from xortrain.config.compose import composed as composed_by_hydra
from xortrain.config.overrides import CHOICES, prepare
from xortrain.config.settings import GROUPS, chosen_by_data, defaults_of, read_conf
from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.runner.train import empty_history, train_block, train_run
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup

QUIET = ("film=none", "advice=none")  # for trainings in tests of something else
Varying = Mapping[str, Any]
OF_OMEGACONF = re.compile(r"[$\\]|\?\?\?")  # which it does not take as they stand
BY_DATA = {data: chosen_by_data(data) for data in GROUPS["data"]}


@cache
def composed(*overrides: str) -> Config:
    """Return the configuration that Hydra composes from overrides (cached)."""
    return check(composed_by_hydra(overrides)[0])


def quickly_composed(
    overrides: Sequence[str], config_dir: str | None = None, instead: str = SEVERAL
) -> tuple[Config, str]:
    """Return what `composed` of xortrain.config.compose does, but for the order of keys; Hydra composes rarely.

    Options and single values are then put in their places; other overrides are left to Hydra.
    """
    if config_dir is None:
        with suppress(UserError, HydraException, KeyError, OSError):
            return _in_parts(*overrides)
    return composed_by_hydra(overrides, config_dir, instead)


@cache
def _of_choices(*choices: str) -> tuple[Config, str]:
    """Return the configuration of options, and a remark; a film and an experiment, which set others, are Hydra's."""
    chosen = {group: name.strip("'") for group, _, name in (choice.partition("=") for choice in choices)}
    if chosen.keys() <= {"film"} or "experiment" in chosen:
        return composed_by_hydra(choices)
    found, remark = deepcopy(_of_choices(*(choice for choice in choices if choice.startswith("film="))))
    usual = {group: found[group]["name"] for group in GROUPS}
    options = usual | BY_DATA[chosen.get("data", usual["data"])] | chosen
    found |= {group: {"name": name, **defaults_of(group, name, options["data"])} for group, name in options.items()}
    found["lr"] = read_conf(f"optimizer/{options['optimizer']}").get("lr", found["lr"])
    return found, remark


def _in_parts(*overrides: str) -> tuple[Config, str]:
    """Return a configuration in parts; raises an error for what is not a choice or one value of a known setting."""
    prepared = prepare(overrides)
    last = {text.partition("=")[0]: text for text in prepared}  # of several choices from a group, in any order
    found, remark = deepcopy(_of_choices(*(last[key] for key in CHOICES if key in last)))
    for text in (text for text in prepared if text.partition("=")[0] not in CHOICES):
        override = OverridesParser.create().parse_override(text)
        value, (group, dot, key) = override.value(), text.partition("=")[0].partition(".")
        place, key = (found[group], key) if dot else (found, group)
        is_merged = isinstance(value, dict) and place[key] is not None
        if override.is_sweep_override() or is_merged or key not in place or OF_OMEGACONF.search(text):
            raise KeyError(text)
        place[key] = value
    return found, remark


@cache
def config_with(*overrides: str) -> Config:
    """Return what `composed` does, quickly (cached)."""
    return check(quickly_composed(overrides)[0])


@cache
def run_with(*overrides: str) -> Run:
    """Return the run that `xortrain.train` does, quickly (cached)."""
    return Run(train_run(config_with(*overrides)).trained)


@cache
def config_with_options(k: int) -> Config:
    """Return a configuration with option number k, modulo their number, in every group."""
    return composed(*(f"{group}={list(options)[k % len(options)]}" for group, options in GROUPS.items()))


def option(group: str, name: str, **keys: Any) -> dict[str, Any]:
    """Return an option of a group with its default settings, some of them changed; test_config_tables compares."""
    chosen = {"name": name, **defaults_of(group, name)}
    assert keys.keys() <= chosen.keys()
    return chosen | keys


def some_config(**changes: Any) -> Config:
    """Return the default configuration with changes; a group takes the name of an option, or (name, settings).

    The loss is one that the data can have, with its own reduction.
    """
    data = changes.get("data", "xor")
    chosen: dict[str, Any] = {"film": "none"} | BY_DATA[data if isinstance(data, str) else data[0]] | changes
    for group in GROUPS.keys() & chosen.keys():
        name, keys = chosen[group] if isinstance(chosen[group], tuple) else (chosen[group], {})
        chosen[group] = option(group, name, **keys)
    return check({**composed(), **chosen})


def some_setup(varying: Varying | None = None, **changes: Any) -> Setup:
    """Return a population whose runs differ in ``varying``, values (runs,) by dotted key; one run by default."""
    arrays = {key: np.asarray(values) for key, values in (varying or {}).items()}
    runs = len(next(iter(arrays.values()), [0]))
    return Setup.of(Population(some_config(**changes), arrays, np.arange(runs)))


@dataclass(frozen=True)
class Outcome:
    """Results of training: losses (recorded, runs), parameters (frames, parameters, runs) and rows (runs,).

    ``best`` is (parameters, runs), if the stop rule finds it.
    """

    losses: Array
    parameters: Array
    test_losses: Array | None
    rows: Array
    best: Array | None = None

    def run(self, place: int) -> "Outcome":
        return self.runs(slice(place, place + 1))

    def runs(self, columns: slice) -> "Outcome":
        test, best = (None if array is None else array[:, columns] for array in (self.test_losses, self.best))
        return Outcome(self.losses[:, columns], self.parameters[..., columns], test, self.rows[columns], best)


def trained(setup: Setup, sizes: Sequence[int] = ()) -> Outcome:
    """Train a population in blocks of the given sizes, by default in one block."""
    ends = np.cumsum(sizes or [setup.population.runs])
    assert ends[-1] == setup.population.runs
    parts = [_block(setup, slice(*ends)) for ends in pairwise([0, *ends.tolist()])]
    rows = np.concatenate([part.rows for part in parts])
    return Outcome(
        rows=rows, **{name: _joined(parts, name) for name in ("losses", "parameters", "test_losses", "best")}
    )


def _joined(parts: Sequence[Outcome], name: str) -> Any:
    arrays = [getattr(part, name) for part in parts]
    return None if arrays[0] is None else np.concatenate(arrays, axis=-1)


def _block(setup: Setup, runs: slice) -> Outcome:
    history = empty_history(setup.part(runs))
    steps = train_block(setup, runs, history)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return Outcome(history.losses, history.parameters, history.test_losses, end.value, history.best)


def train_alone(setup: Setup, run: int) -> Outcome:
    """Train one run of a population by itself, from its single-run configuration."""
    return trained(Setup.of(Population(check(setup.population.config_of(run)))))


def assert_same_bits(one: Outcome, two: Outcome) -> None:
    """Check that losses, parameters and rows are equal; nan equals nan."""
    np.testing.assert_array_equal(one.losses, two.losses)
    np.testing.assert_array_equal(one.parameters, two.parameters)
    for name in ("test_losses", "best"):
        if getattr(one, name) is not None:
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert one.losses.dtype == two.losses.dtype
    for name in (one.rows.dtype.names or ())[1:]:
        if name in (two.rows.dtype.names or ()):
            np.testing.assert_array_equal(one.rows[name], two.rows[name], err_msg=name)
