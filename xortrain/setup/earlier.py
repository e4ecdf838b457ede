"""What a continued training was before: the settings of its earlier epochs, and the run that it continues.

A training has stages if it was continued with other settings.  They are part of its setup and its record, so that it
can be repeated from its start, without the run that it continues.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xortrain.config.check import check_stored
from xortrain.errors import UserError
from xortrain.nets import Array, Numbers
from xortrain.nets.optimizers import SCHEDULES
from xortrain.setup.population import Population
from xortrain.setup.set_parameters import Entries, Shapes, stored_entries

TRAINING = ("lr", "layer_lr", "batch_size", "shuffle", "freeze", "loss", "optimizer", "schedule", "stop")
"""The settings and groups in which stages may differ; epochs too, if the schedule depends on their number."""
MOST_STAGES = 1000


@dataclass(frozen=True)
class EarlierSettings:
    """The settings with which a population was trained up to epoch ``until``, and what was set by hand then.

    ``then_set`` has the values of parameters by dotted name, as {"W1.0.1": 2.0}.
    """

    population: Population
    until: int
    then_set: Entries = field(default_factory=dict)

    def part(self, runs: slice | Array) -> "EarlierSettings":
        """The settings of some of the runs."""
        return replace(self, population=self.population.part(runs))


Earlier = tuple[EarlierSettings, ...]


@dataclass(frozen=True)
class Origin:
    """The run or sweep that a training continues: its id, its path at that time, and the epoch."""

    id: str
    path: str
    epoch: int


def stages_until(
    epoch: int, known: Earlier, now: Population, then: Population, then_set: Entries | None = None
) -> Earlier:
    """The stages of a training that had those ``known`` and the settings ``now``, and from an epoch on has ``then``.

    ``then_set`` is set at that epoch, besides what was set at it before.  A stage is left out if the settings after it
    train the same and nothing is set.
    """
    stages = [stage for stage in known if stage.until < epoch]
    last = next((stage.population for stage in known if stage.until >= epoch), now)
    entries = {**set_at(epoch, known), **(then_set or {})}
    is_left_out = not epoch or (_train_alike(last, then) and not entries)
    return tuple(stages if is_left_out else [*stages, EarlierSettings(last, epoch, entries)])


def set_at(epoch: int, stages: Earlier) -> Entries:
    """The parameters that are set at an epoch."""
    return next((stage.then_set for stage in stages if stage.until == epoch), {})


def _train_alike(one: Population, other: Population) -> bool:
    total = ["epochs"] if SCHEDULES[one.shared("schedule.name")].uses_total else []
    return all(have_same(one, other, key) for key in (*TRAINING, *total))


def have_same(one: Population, other: Population, key: str) -> bool:
    """Whether two populations have the same setting, or the same option with the same settings, run by run."""
    first, second = one.config[key], other.config[key]
    if not isinstance(first, Mapping):
        return _have_same_value(one, other, key)
    same_option = first.keys() == second.keys() and first.get("name") == second.get("name")
    return same_option and all(_have_same_value(one, other, f"{key}.{name}") for name in first)


def _have_same_value(one: Population, other: Population, key: str) -> bool:
    if key in one.varying or key in other.varying:
        return np.array_equal(one.values(key), other.values(key))
    return bool(one.shared(key) == other.shared(key))


def described(stages: Earlier, now: Population) -> tuple[list[dict[str, Any]], Numbers]:
    """The stages for record.json, with what differs from the settings ``now``; and columns of what varied only then."""
    listed, columns = [], dict[str, Array]()
    for number, stage in enumerate(stages):
        was = stage.population
        config = {key: was.config[key] for key in ("epochs", *TRAINING) if was.config[key] != now.config[key]}
        varies = [key for key in was.varying if key in TRAINING or key.partition(".")[0] in TRAINING]
        entries = {"set": dict(stage.then_set)} if stage.then_set else {}
        listed.append({"until": stage.until, "config": config, "varies": varies, **entries})
        columns |= {_column(number, key): was.varying[key] for key in varies if not _is_kept(was, now, key)}
    return listed, columns


def _is_kept(was: Population, now: Population, key: str) -> bool:
    return key in now.varying and np.array_equal(was.varying[key], now.varying[key])


def _column(stage: int, key: str) -> str:
    return f"stage{stage}.{key}"


def read_stages(listed: object, columns: Mapping[str, Array], now: Population, shapes: Shapes) -> Earlier:
    """The stages that `described` wrote, trusted or not; raises UserError if they do not fit the settings ``now``."""
    if (
        not isinstance(listed, list)
        or len(listed) > MOST_STAGES
        or not all(isinstance(item, Mapping) for item in listed)
    ):
        raise UserError(f"stages: must be a list of at most {MOST_STAGES} stages")
    ends = [item.get("until") for item in listed]
    if ends and (any(type(end) is not int for end in ends) or sorted({0, *ends, now.epochs}) != [0, *ends, now.epochs]):
        raise UserError(f"stages: their last epochs must increase, between 0 and {now.epochs}")
    return tuple(
        EarlierSettings(_population(k, item, columns, now), item["until"], stored_entries(item.get("set", {}), shapes))
        for k, item in enumerate(listed)
    )


def _population(number: int, item: Mapping[str, Any], columns: Mapping[str, Array], now: Population) -> Population:
    config, varies = item.get("config"), item.get("varies")
    if not isinstance(config, Mapping) or not set(config) <= {"epochs", *TRAINING}:
        raise UserError(f"stages: config may have {', '.join(('epochs', *TRAINING))}")
    if not isinstance(varies, list) or not all(isinstance(key, str) for key in varies):
        raise UserError("stages: varies must be names of settings")
    checked = check_stored({**now.config, **config})
    varying = {key: values for key, values in now.varying.items() if key.partition(".")[0] not in TRAINING}
    for key in varies:
        group, _, name = key.partition(".")
        values = columns.get(_column(number, key), now.varying.get(key))
        own = checked.get(group) if group in TRAINING else None
        if values is None or own is None or (name and not (isinstance(own, Mapping) and name in own)):
            raise UserError(f"stages: {key} varies, but has no values")
        varying[key] = values
    return replace(now, config=checked, varying=varying)
