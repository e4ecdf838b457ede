"""The axes of a sweep: every override is parsed once, and a job is a number in the product of their values.

Jobs are numbered as in Hydra's own sweeper: the last axis changes fastest, and the last override of a key wins.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override, OverrideType, RangeSweep

from xortrain.config.check import short
from xortrain.config.overrides import as_typed, with_entries
from xortrain.config.private import parsed_value, value_text
from xortrain.config.settings import above
from xortrain.errors import UserError

PARAMS = "hydra.sweeper.params"
MOST_JOBS = 20_000_000  # the numbers and seeds of more would take gigabytes
FUNCTIONS = "choice|range|glob|interval|sort|shuffle|tag|linspace|geomspace"  # whose value is several values
MOST_LISTED = 1_000_000  # values of a range that is not one of whole numbers, and is written out


@dataclass(frozen=True)
class Axis:
    """One override with its values; ``values`` is a range if a range of whole numbers was given."""

    override: Override
    values: Sequence[Any]

    @property
    def name(self) -> str:
        """The key of its setting."""
        return str(self.override.key_or_group)

    @property
    def is_plain(self) -> bool:
        """Whether it sets a setting that is there, without + or ~ or a package; or an entry, as init.set.W1.0.1."""
        kind, new = self.override.type, OverrideType.FORCE_ADD if above(self.name) else OverrideType.CHANGE
        return kind is new and self.override.package is None

    @property
    def key(self) -> str:
        """The key as typed, with its + or ~ and its package."""
        return str(self.override.get_key_element())

    def text(self, place: int) -> str:
        """The override for one of the values."""
        return f"{self.key}={value_text(self.values[place])}"


@dataclass(frozen=True)
class Grid:
    """All combinations of the axes' values, numbered."""

    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        return math.prod(len(axis.values) for axis in self.axes)

    def stride(self, axis: int) -> int:
        """The difference in number between jobs that are neighbours on an axis."""
        return math.prod(len(later.values) for later in self.axes[axis + 1 :])

    def texts(self, number: int) -> list[str]:
        """The overrides of a job."""
        return [axis.text(number // self.stride(k) % len(axis.values)) for k, axis in enumerate(self.axes)]

    def swept(self, number: int) -> list[str]:
        """The overrides of a job that differ between jobs."""
        texts = zip(self.axes, self.texts(number), strict=True)
        return [as_typed(text) for axis, text in texts if len(axis.values) > 1]

    def __iter__(self) -> Iterator[list[str]]:
        return map(self.texts, range(len(self)))


def read_axes(params: Mapping[Any, Any] | None, texts: Sequence[str], loader: Any) -> Grid:
    """The axes of hydra.sweeper.params and of overrides; Hydra's loader knows the choices that a glob may match."""
    axes: dict[str, Axis] = {}
    if not isinstance(params, Mapping | None):
        raise UserError(f"{PARAMS}={short(params)}: must be a mapping, as in {{seed: 'range(0,100)', lr: '0.1,1'}}")
    own = [with_entries(f"{key!s}={'null' if value is None else value}") for key, value in (params or {}).items()]
    for override in OverridesParser.create(config_loader=loader).parse_overrides([*own, *texts]):
        axes[override.get_key_element()] = Axis(override, _values(override))
    grid = Grid(tuple(axes.values()))
    jobs = math.prod(len(axis.values) for axis in grid.axes)  # len(grid) has a limit
    if jobs > MOST_JOBS:
        raise _too_many(jobs)
    return grid


def _too_many(jobs: int, most: int = MOST_JOBS, what: str = "jobs: a sweep") -> UserError:
    given = f"{jobs:,}" if jobs < 10**18 else f"more than {10**18:,}"
    return UserError(f"{given} {what} has at most {most:,}; sweep fewer at a time")


def with_held_keys(overrides: Sequence[str]) -> list[str]:
    """Overrides in which keys of a swept group become a choice of one value.

    Hydra first composes without the swept groups, and would not find optimizer.eps although each job has it.
    """
    swept = {text.partition("=")[0] for text in overrides if _is_swept(text)}
    return [
        text.replace("=", "=choice(", 1) + ")" if text.partition(".")[0] in swept and not _is_swept(text) else text
        for text in overrides
    ]


def _is_swept(text: str) -> bool:
    value = text.partition("=")[2]
    outside = re.sub(r"'[^']*'|\"[^\"]*\"|\[[^\]]*\]|\{[^}]*\}", "", value)
    return "," in outside or re.match(rf"({FUNCTIONS})\(", value) is not None


def _refuse_long(override: Override, swept: RangeSweep) -> None:
    """Refuse a range of more values than a sweep may have, or than can be written out."""
    start, stop, step = (float(end or 0) for end in (swept.start, swept.stop, swept.step))
    values = (stop - start) / step
    count = math.ceil(max(0.0, min(values, 1e18)))  # an infinite one is more than enough
    if count > MOST_JOBS:
        raise _too_many(count)
    if count > MOST_LISTED and (swept.shuffle or not isinstance(swept.range(), range)):
        raise _too_many(count, MOST_LISTED, "values: a range that is shuffled, or not of whole numbers,")


def _values(override: Override) -> Sequence[Any]:
    if not override.is_sweep_override():
        return [parsed_value(override)]
    if not override.is_discrete_sweep():
        raise UserError(f"{override.input_line}: an interval has infinitely many values; write a choice or a range")
    swept = parsed_value(override)
    if isinstance(swept, RangeSweep) and not swept.step:
        raise UserError(f"{override.input_line}: a range must have a step that is not 0")
    if isinstance(swept, RangeSweep):
        _refuse_long(override, swept)
    numbers = swept.range() if isinstance(swept, RangeSweep) and not swept.shuffle else None
    values = numbers if isinstance(numbers, range) else list(override.sweep_iterator())
    if not values:
        known = "" if not isinstance(swept, Glob) else f"; {override.key_or_group} has no choice that matches"
        raise UserError(f"{override.input_line}: there is nothing to run{known}")
    return values
