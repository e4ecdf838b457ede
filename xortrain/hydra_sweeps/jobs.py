"""From the axes of a sweep to checked configurations, with the numbers that vary kept as arrays.

Only what Hydra must decide is composed job by job: choices, lists, texts, and what refers to something else.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf

from xortrain.config.check import Config, check, take
from xortrain.config.compose import plain, user_error
from xortrain.config.settings import find, may_vary
from xortrain.errors import UserError
from xortrain.hydra_sweeps.axes import Axis, Grid
from xortrain.hydra_sweeps.composer import Composer
from xortrain.nets import Array
from xortrain.runner.plan import Plan, plan
from xortrain.setup.population import Variant, populations

_REFERENCE = re.compile(r"\$\{([a-z_]\w*(?:\.\w+)*)\}")
LONGEST = 100  # characters of a job's overrides that an error repeats


def of_lists(jobs: Iterable[Sequence[str]], composer: Composer, first: int = 0) -> Iterator[Variant]:
    """Jobs with a list of overrides each, numbered from the first."""
    for number, texts in enumerate(jobs, start=first):
        yield _job(texts, number, composer, texts)


def of_grid(grid: Grid, composer: Composer, first: int = 0) -> Iterator[Variant]:
    """All jobs of a grid; those that differ in numbers alone come together."""
    composer.adopt(grid)
    quick = _quick(grid, composer)
    others = [range(1) if k in quick else range(len(axis.values)) for k, axis in enumerate(grid.axes)]
    steps = _numbers(grid, quick)
    for places in itertools.product(*others):
        place = sum(at * grid.stride(k) for k, at in enumerate(places))
        texts, swept = grid.texts(place), grid.swept(place)
        with with_job_name(first + place, swept, texts):
            composed = composer.composed(texts)
            followers = None if composed is None else _followers(composed, {grid.axes[k].key for k in quick})
            config = check(composer.whole(texts, first + place) if composed is None else plain(composed))
        if followers is None:
            for number in (place + steps).tolist():
                yield _job(grid.texts(number), first + number, composer, grid.swept(number))
            continue
        varying = {}
        for k in quick:
            axis = grid.axes[k]
            for key in (axis.key, *(key for key, of in followers.items() if of == axis.key)):
                varying[key] = _spread(_taken(grid, k, key, config, first + place), grid, k, quick)
        yield Variant(config, varying, first + place + steps)


def plan_of(grid: Grid, composer: Composer) -> Plan:
    """The plan of all jobs of a grid, each of them checked."""
    return plan(populations(of_grid(grid, composer)), lambda number: job_name(number, grid.swept(number)))


def _job(texts: Sequence[str], number: int, composer: Composer, swept: Sequence[str]) -> Variant:
    with with_job_name(number, swept, texts):
        config = check(composer.plain(texts, number))
    return Variant(config, {}, np.array([number]))


@contextmanager
def with_job_name(number: int, swept: Sequence[str], texts: Sequence[str] = ()) -> Iterator[None]:
    """A user's mistake comes with the job that has it."""
    try:
        yield
    except Exception as error:
        line = user_error(error, texts)
        if not isinstance(line, UserError):
            raise
        raise UserError(f"{job_name(number, swept)}: {line}") from None


def job_name(number: int, swept: Sequence[str]) -> str:
    """A job by its number and its own overrides."""
    own = " ".join(swept)
    own = f" ({own if len(own) <= LONGEST else own[: LONGEST - 3] + '...'})" if own else ""
    return f"job {number}{own}"


def _quick(grid: Grid, composer: Composer) -> list[int]:
    """The axes of numbers that may vary in a population, whose keys nothing else touches."""
    return [
        k
        for k, axis in enumerate(grid.axes)
        if _is_of_numbers(axis)
        and axis.key == axis.override.key_or_group  # no +, ++, ~ or package
        and may_vary(axis.key)
        and not any(_touch(axis, other) for other in grid.axes if other is not axis and not _chooses(other, composer))
    ]


def _is_of_numbers(axis: Axis) -> bool:
    return isinstance(axis.values, range) or all(isinstance(value, int | float) for value in axis.values)


def _chooses(axis: Axis, composer: Composer) -> bool:
    return composer.chooses(axis.text(0))


def _touch(axis: Axis, other: Axis) -> bool:
    key = other.override.key_or_group
    return axis.key == key or axis.key.startswith(f"{key}.") or key.startswith(f"{axis.key}.")


def _numbers(grid: Grid, quick: Sequence[int]) -> Array:
    """By how much the numbers of jobs differ that differ on these axes only, in order."""
    numbers = np.zeros(1, np.int64)
    for k in quick:
        numbers = np.add.outer(numbers, np.arange(len(grid.axes[k].values)) * grid.stride(k)).ravel()
    return numbers


def _spread(values: Array, grid: Grid, axis: int, quick: Sequence[int]) -> Array:
    """The values of one axis for each of those jobs."""
    lengths = [len(grid.axes[k].values) for k in quick]
    shape = [length if k == axis else 1 for k, length in zip(quick, lengths, strict=True)]
    return np.broadcast_to(values.reshape(shape), lengths).ravel()


def _taken(grid: Grid, k: int, key: str, config: Config, first: int) -> Array:
    """The values of an axis as the setting means them, in one type; of a range only the ends are looked at."""
    setting, axis = find(config, key), grid.axes[k]
    assert setting is not None
    taken = []
    places = (0, len(axis.values) - 1) if isinstance(axis.values, range) else range(len(axis.values))
    for place in places:
        with with_job_name(first + place * grid.stride(k), [axis.text(place)]):
            taken.append(take(key, setting, axis.values[place]))
    if not isinstance(axis.values, range):
        return np.array(taken)
    return np.arange(axis.values.start, axis.values.stop, axis.values.step).astype(type(taken[0]))


def _followers(config: DictConfig, quick: set[str]) -> Mapping[str, str] | None:
    """Settings that only repeat a quick one, as data.seed: ${seed}; None where a reference does more than that."""
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
