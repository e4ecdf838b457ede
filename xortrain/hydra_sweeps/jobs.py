"""From the overrides of a sweep to its plan: checked configurations, in which numbers that vary are arrays.

Hydra composes job by job only what it must: choices, lists, texts, and references to other settings.
"""

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from xortrain.config.check import Config, check, take
from xortrain.config.compose import plain, user_error, user_errors
from xortrain.config.guard import refuse_foreign_code
from xortrain.config.hydra_state import hydra_started, own_folder
from xortrain.config.overrides import as_typed, prepare
from xortrain.config.private import load_config
from xortrain.config.settings import find, may_vary
from xortrain.config.weight_files import errors_name_file, file_of
from xortrain.errors import UserError, cut
from xortrain.hydra_sweeps.axes import Axis, Grid, read_axes, with_held_keys
from xortrain.hydra_sweeps.composer import Composer, plugin
from xortrain.nets import Array
from xortrain.nets.setting import Setting
from xortrain.runner.plan import Plan, job_error, plan
from xortrain.setup.own_data import OwnData
from xortrain.setup.own_weights import for_each_run
from xortrain.setup.population import Population, populations

SWEEPER, LAUNCHER = "hydra_plugins.xortrain.PopulationSweeper", "hydra_plugins.xortrain.PopulationLauncher"
BASIC = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
MOST_COMPOSED = 10_000  # configurations; each takes milliseconds and has a record of its own
LONGEST = 100  # characters of a job's overrides shown in an error
_REFERENCE = re.compile(r"\$\{([a-z_]\w*(?:\.\w+)*)\}")


def plan_overrides(
    overrides: Sequence[str], config_dir: str | None = None, own: OwnData | None = None,
    weights: Mapping[str, Array] | None = None,
) -> Plan | None:  # fmt: skip
    """The plan of a sweep over these overrides; None if they choose another sweeper or launcher.

    The jobs of Hydra's own sweeper are checked all the same, before it trains the first.  ``own`` are a Python user's
    own examples, which all runs have, ``weights`` own initial parameters.
    """
    with errors_name_file(file_of(overrides)), composing(overrides, config_dir) as composer:
        sweeper, launcher = (plugin(composer.master, kind) for kind in ("sweeper", "launcher"))
        is_ours = launcher._target_ == LAUNCHER
        if sweeper._target_ not in (SWEEPER, BASIC):
            return None
        engine = (launcher.engine, launcher.workers, launcher.address) if is_ours else ()
        found = plan_grid(read_grid(composer), composer, engine, own, weights)
        return found if is_ours and sweeper._target_ == SWEEPER else None


@contextmanager
def composing(overrides: Sequence[str], config_dir: str | None = None) -> Iterator[Composer]:
    """A composer for these overrides, without Hydra's main; Hydra's errors become one-line errors."""
    prepared = with_held_keys(prepare(overrides, many=True))
    with hydra_started() as loader, user_errors(prepared):
        master = load_config(loader, [*prepared, *own_folder(config_dir)], RunMode.MULTIRUN)
        if config_dir is not None:
            refuse_foreign_code(master, loader, RunMode.MULTIRUN)
        yield Composer(loader, master)


def read_grid(composer: Composer) -> Grid:
    """All jobs: the axes of an experiment, then those of the overrides."""
    hydra = composer.master.hydra
    texts: Any = OmegaConf.to_container(hydra.overrides.task, resolve=False)
    return read_axes(hydra.sweeper.params, texts, composer.loader)


def plan_grid(
    grid: Grid, composer: Composer, engine: Sequence[Any] = (), own: OwnData | None = None,
    weights: Mapping[str, Array] | None = None,
) -> Plan:  # fmt: skip
    """The plan of all jobs of a grid, on an engine given by its fields."""
    parts, each = [replace(part, own=own) for part in populations(of_grid(grid, composer))], 1
    if weights is not None:
        parts, each = for_each_run(parts, weights)
    return plan(parts, lambda number: job_name(number, grid.swept(number // each)), engine)


def plan_lists(jobs: Sequence[Sequence[str]], composer: Composer, first: int, engine: Sequence[Any]) -> Plan:
    """The plan of jobs with a list of overrides each, numbered from ``first``."""
    parts = populations(of_lists(jobs, composer, first))
    return plan(parts, lambda number: job_name(number, jobs[number - first]), engine)


def of_lists(jobs: Iterable[Sequence[str]], composer: Composer, first: int = 0) -> Iterator[Population]:
    """A population of one for each list of overrides."""
    for number, texts in enumerate(jobs, start=first):
        yield _job(texts, number, composer, texts)


def of_grid(grid: Grid, composer: Composer) -> Iterator[Population]:
    """Populations of the jobs of a grid; jobs that differ on quick axes only are composed together."""
    composer.adopt(grid)
    quick = _quick_axes(grid, composer)
    if (parts := len(grid) // math.prod(len(grid.axes[k].values) for k in quick)) > MOST_COMPOSED:
        raise _too_varied(parts)
    others = [range(1) if k in quick else range(len(axis.values)) for k, axis in enumerate(grid.axes)]
    lengths = [len(grid.axes[k].values) for k in quick]
    on_axes = np.indices(lengths).reshape(len(quick), math.prod(lengths))  # places on quick axes: (axes, jobs)
    steps = np.array([grid.stride(k) for k in quick], np.int64) @ on_axes
    for at in itertools.product(*others):
        first = sum(place * grid.stride(k) for k, place in enumerate(at))
        texts, swept = grid.texts(first), grid.swept(first)
        with errors_name_job(first, swept, texts):
            composed = composer.composed(texts)
            followers = None if composed is None else _followers(composed, {grid.axes[k].name for k in quick})
            config = check(composer.by_hydra(texts, first) if composed is None else plain(composed))
        if followers is None:
            if len(grid) > MOST_COMPOSED:
                raise _too_varied(len(grid))
            for number in (first + steps).tolist():
                yield _job(grid.texts(number), number, composer, grid.swept(number))
            continue
        varying = {}
        for k, places in zip(quick, on_axes, strict=True):
            key = grid.axes[k].name
            for name in (key, *(name for name, followed in followers.items() if followed == key)):
                varying[name] = _checked_values(grid, k, name, config, first)[places]
        yield Population(config, varying, first + steps)


def _too_varied(jobs: int) -> UserError:
    return UserError(
        f"{jobs:,} combinations of choices, lists, texts or whole settings such as epochs: a sweep has at most "
        f"{MOST_COMPOSED:,}, each with any number of seeds and rates; sweep fewer at a time"
    )


def _job(texts: Sequence[str], number: int, composer: Composer, swept: Sequence[str]) -> Population:
    with errors_name_job(number, swept, texts):
        config = check(composer.plain(texts, number))
    return Population(config, {}, np.array([number]))


@contextmanager
def errors_name_job(number: int, swept: Sequence[str], texts: Sequence[str] = ()) -> Iterator[None]:
    """Add the name of the job to a UserError."""
    try:
        yield
    except Exception as error:
        line = user_error(error, texts)
        if not isinstance(line, UserError):
            raise
        raise job_error(job_name(number, swept), line) from None


def job_name(number: int, swept: Sequence[str]) -> str:
    """The name of a job in errors: its number and the overrides that differ between jobs."""
    own = " ".join(swept)
    return f"job {number} ({cut(own, LONGEST)})" if own else f"job {number}"


def _quick_axes(grid: Grid, composer: Composer) -> list[int]:
    """The axes of numbers that may vary in a population, whose keys no other override sets."""
    others = [axis for axis in grid.axes if not composer.chooses(axis.text(0))]
    return [
        k
        for k, axis in enumerate(grid.axes)
        if len(axis.values) > 1
        and (isinstance(axis.values, range) or all(isinstance(value, int | float) for value in axis.values))
        and axis.is_plain
        and may_vary(axis.name)
        and not any(_overlap(axis, other) for other in others if other is not axis)
    ]


def _overlap(axis: Axis, other: Axis) -> bool:
    key, other_key = axis.name, other.name
    return key == other_key or key.startswith(f"{other_key}.") or other_key.startswith(f"{key}.")


def _checked_values(grid: Grid, k: int, key: str, config: Config, first: int) -> Array:
    """The values of an axis in the type of the setting; of a range only the ends are checked.

    Of many finite numbers the smallest and the largest are checked, since what they may be is an interval.
    """
    setting, axis = find(config, key), grid.axes[k]
    assert setting is not None
    taken = []
    places = (0, len(axis.values) - 1) if isinstance(axis.values, range) else range(len(axis.values))
    if setting.kind == "number" and not isinstance(axis.values, range):
        numbers = _numbers(axis.values)
        if numbers is not None and all(_fits(setting, end) for end in (numbers.min(), numbers.max())):
            return numbers
    for place in places:
        with errors_name_job(first + place * grid.stride(k), [as_typed(axis.text(place))]):
            taken.append(take(key, setting, axis.values[place]))
    if not isinstance(axis.values, range):
        return np.array(taken)
    return np.arange(axis.values.start, axis.values.stop, axis.values.step).astype(type(taken[0]))


def _numbers(values: Sequence[Any]) -> Array | None:
    """Values as numbers; None if some are flags, too large, or not finite."""
    try:
        found = np.array(values, np.float64)
    except OverflowError:
        return None
    return found if np.isfinite(found).all() and not any(isinstance(value, bool) for value in values) else None


def _fits(setting: Setting, value: float) -> bool:
    try:
        take("", setting, value)
    except UserError:
        return False
    return True


def _followers(config: DictConfig, quick: set[str]) -> Mapping[str, str] | None:
    """Settings that refer to a quick one, as data.seed: ${seed}; None if a reference is not that simple."""
    followers = {}
    references = dict(_references(OmegaConf.to_container(config, resolve=False)))
    for key, text in references.items():
        match = _REFERENCE.fullmatch(text)
        if match is None or match[1] in references:
            return None
        if match[1] in quick and may_vary(key):
            followers[key] = match[1]
        elif any(name == match[1] or name.startswith(f"{match[1]}.") for name in quick):
            return None
    return followers


def _references(content: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text with an interpolation, by its dotted key."""
    if isinstance(content, str) and "${" in content:
        yield where, content
    elif isinstance(content, Mapping | list):
        items = content.items() if isinstance(content, Mapping) else enumerate(content)
        for key, value in items:
            yield from _references(value, f"{where}.{key}" if where else str(key))
