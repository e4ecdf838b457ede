"""The functions that sweeps have in addition to Hydra's: linspace and geomspace, with NumPy's values.

Hydra's parser calls them with the arguments in their parentheses; a mistake raises UserError.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from hydra.core.override_parser.types import ChoiceSweep

from xortrain.errors import UserError, cut
from xortrain.nets import Array

MOST_VALUES = 1_000_000  # of an axis that is written out
NAMES = ("start", "stop", "num")


def linspace(*given: Any, **named: Any) -> ChoiceSweep:
    """n values in equal steps from a to b, both included."""
    start, stop, count = _ends("linspace", given, named)
    with np.errstate(all="ignore"):
        return _choice("linspace", np.linspace(float(start), float(stop), count), (start, stop))


def geomspace(*given: Any, **named: Any) -> ChoiceSweep:
    """n values in equal ratios from a to b, both included."""
    start, stop, count = _ends("geomspace", given, named)
    if not (start > 0 < stop or start < 0 > stop):
        raise UserError("geomspace never reaches or passes 0; both ends must have the same sign")
    with np.errstate(all="ignore"):
        return _choice("geomspace", np.geomspace(float(start), float(stop), count), (start, stop))


def logspace(*given: Any, **named: Any) -> ChoiceSweep:
    """Always refused: its ends are exponents, which is easily mistaken."""
    raise UserError("logspace takes exponents; write geomspace(a,b,n) with the first and the last value themselves")


FUNCTIONS: Mapping[str, Callable[..., ChoiceSweep]] = {
    "linspace": linspace,
    "geomspace": geomspace,
    "logspace": logspace,
}


def _ends(function: str, given: Sequence[Any], named: Mapping[str, Any]) -> tuple[float, float, int]:
    """The first value, the last one, and their number."""
    taken = {**dict(zip(NAMES, given, strict=False)), **named}
    if len(given) + len(named) != len(NAMES) or taken.keys() != set(NAMES):
        raise UserError(f"{function} takes the first value, the last one and their number, as in {function}(1,10,5)")
    ends = [_finite(function, taken[name]) for name in NAMES[:2]]
    count = taken["num"]
    if type(count) is not int or not 1 <= count <= MOST_VALUES:
        shown = f"{count:,}" if type(count) is int and abs(count) < 10**18 else cut(str(count))
        raise UserError(f"{shown} values: {function} takes a whole number of them, from 1 to {MOST_VALUES:,}")
    return ends[0], ends[1], count


def _finite(function: str, value: Any) -> float:
    """A whole number as it is, since it may stand for whole values."""
    try:
        if type(value) in (int, float) and np.isfinite(float(value)):
            return value
    except OverflowError:
        pass
    raise UserError(f"{cut(str(value))}: {function} goes from one finite number to another")


def _choice(function: str, values: Array, ends: tuple[float, float]) -> ChoiceSweep:
    """The values as a choice; whole ones between whole ends are whole numbers."""
    if not np.isfinite(values).all():
        raise UserError(f"{function} leaves the range of numbers")
    found: list[Any] = values.tolist()
    if all(type(end) is int for end in ends) and all(value.is_integer() for value in found):
        found = list(map(int, found))
    return ChoiceSweep(list=found)
