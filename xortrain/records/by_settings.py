"""Finds the run of a sweep that a user names by its settings: SWEEP@lr=3.2,init.scale=1.4.

A number selects the nearest value in the sweep; a `Remark` says so if that is not the same.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xortrain.errors import Remark, UserError, cut, nearest, printable, unknown
from xortrain.records import columns
from xortrain.records.groups import Array, column_table
from xortrain.records.index import Entry
from xortrain.records.tables import NULL

MOST_LISTED = 5  # runs in an error
_FLAGS = {True: "true", False: "false", None: NULL}


def number_of(name: str, entry: Entry, settings: str) -> int:
    """The number of the only run with these settings, or those nearest to them; UserError for none or several."""
    shown = printable(name)
    if not entry.is_sweep:
        raise UserError(f"{shown}: this is a single run; leave out @{printable(settings)}")
    given = _given(shown, settings)
    swept = _swept(entry)
    for key in given:
        if key not in swept:
            raise _not_swept(shown, key, list(swept))
    wanted = {key: _wanted(shown, key, given[key], swept[key]) for key in given}
    mask = np.logical_and.reduce([swept[key] == value for key, value in wanted.items()])
    found = np.flatnonzero(mask)
    numbers = column_table(entry.parts, ["number"])["number"][found].tolist()
    said = ", ".join(f"{key}={_text(value)}" for key, value in wanted.items())
    if not numbers:
        raise UserError(f"{shown}: no run has {said} together")
    if len(numbers) > 1:
        raise _several(shown, numbers, {key: values[found] for key, values in swept.items()})
    if not all(_is_meant(given[key], value) for key, value in wanted.items()):
        warnings.warn(Remark(f"{shown}: the nearest run is #{numbers[0]}, with {said}"), stacklevel=2)
    return int(numbers[0])


def _given(shown: str, settings: str) -> dict[str, str]:
    """The settings in a name, as typed, by their columns."""
    found = {}
    for part in columns.names_in(settings):
        key, equals, value = (text.strip() for text in part.partition("="))
        if not (key and equals and value):
            raise UserError(f"{shown}: {part!r} must be a setting with its value, as in SWEEP@lr=3.2,seed=4")
        found[columns.canonical(key)] = value
    if not found:
        raise UserError(f"{shown}: must name settings, as in SWEEP@lr=3.2,seed=4")
    return found


def _swept(entry: Entry) -> dict[str, Array]:
    """The settings in which the runs of a sweep differ, as columns (runs,)."""
    varies = dict.fromkeys(name for part in entry.parts for name in part.varies)
    shared = dict.fromkeys(name for part in entry.parts for name in part.settings)
    names = [name for name in (*varies, *shared) if columns.is_setting(name)]
    several = [name for name in dict.fromkeys(names) if name in varies or _differs(entry, name)]
    found = column_table(entry.parts, several)
    return {name: values for name, values in found.items() if len(values) > 1 and (values != values[0]).any()}


def _differs(entry: Entry, name: str) -> bool:
    return len({repr(part.settings.get(name)) for part in entry.parts}) > 1


def _not_swept(shown: str, key: str, swept: Sequence[str]) -> UserError:
    near = nearest(key, swept)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UserError(f"{shown}: {cut(printable(key))} does not vary in this sweep.{hint} Known: {', '.join(swept)}")


def _is_number(values: Array) -> bool:
    return values.dtype.kind in "iuf"


def _wanted(shown: str, key: str, text: str, values: Array) -> Any:
    """The value in a column that a text means."""
    if not _is_number(values):
        known = {_text(value): value for value in dict.fromkeys(values.tolist())}
        word = "".join(text.split()) if text.startswith(("[", "{")) else text
        if word not in known:
            raise unknown(f"{shown.rpartition('@')[0]}@{key}", text, known, "value in this sweep")
        return known[word]
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise UserError(f"{shown}: {key}={cut(printable(text))} must be a number")
    distinct = np.unique(values)
    return distinct[np.abs(distinct.astype(np.float64) - number).argmin()].item()


def _is_meant(text: str, value: Any) -> bool:
    """Whether a value is the one typed, up to rounding: geomspace(0.5,8,5) has 3.999999999999999."""
    return isinstance(value, bool | str | None) or math.isclose(float(text), value)


def _text(value: Any) -> str:
    """A value as a user types it."""
    if isinstance(value, bool | None):
        return _FLAGS[value]
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _several(shown: str, numbers: Sequence[int], swept: Mapping[str, Array]) -> UserError:
    listed = ", ".join(f"#{number}" for number in numbers[:MOST_LISTED])
    more = f", … {len(numbers) - MOST_LISTED:,} more" if len(numbers) > MOST_LISTED else ""
    key, values = next((key, values) for key, values in swept.items() if (values != values[0]).any())
    example = f"{shown},{key}={_text(values[0])}"
    return UserError(f"{shown}: {len(numbers):,} runs, {listed}{more}; add {key}, as in {example}")
