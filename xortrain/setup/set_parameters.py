"""Parameters that are set by hand when a run is continued, as set.W1.0.1=2: their places, and what is wrong with them.

They are numbers by dotted name, such as W1.0.1 for W1[0, 1].
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xortrain.errors import UserError, unknown
from xortrain.records.layout import START, setting_of

SET = "set"
Entries = Mapping[str, float]
Shapes = Mapping[str, tuple[int, ...]]
_WORD = re.compile(rf"{SET}\.([^=]*)=(.*)", re.DOTALL)


def split_words(words: Sequence[str]) -> tuple[Entries, list[str]]:
    """The parameters that overrides set, as in set.W1.0.1=2 or set.W1[0,1]=2, and the other overrides."""
    found, others = dict[str, float](), list[str]()
    for word in words:
        if given := _WORD.fullmatch(word):
            found[_dotted(given[1])] = _number(word, given[2])
        else:
            others.append(word)
    return found, others


def _dotted(name: str) -> str:
    return setting_of(name).removeprefix(f"{START}.") if "[" in name else name


def _number(word: str, value: str) -> float:
    try:
        number = float(value) if "_" not in value else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UserError(f"{word}: must be a finite number")
    return number


def places_of(entries: Entries, shapes: Shapes, key: str = SET) -> dict[str, int]:
    """The place in θ of each entry; raises UserError for a parameter or a place that the network does not have."""
    sizes = [math.prod(shape) for shape in shapes.values()]
    firsts = dict(zip(shapes, np.cumsum([0, *sizes]).tolist(), strict=False))
    return {
        entry: _place(entry, value, shapes, key) + firsts[entry.partition(".")[0]] for entry, value in entries.items()
    }


def _place(entry: str, value: float, shapes: Shapes, key: str) -> int:
    name, *place = entry.split(".")
    if name not in shapes:
        raise unknown(key, name, shapes, "parameter of this network")
    shape = shapes[name]
    last = ", ".join(str(length - 1) for length in shape)
    if not place:
        where = ".".join([key, name, *("0" for _ in shape)])
        raise UserError(f"{key}.{name}={value:g}: is one number for {list(shape)}; name its place, as in {where}=…")
    fits = len(place) == len(shape) and all(re.fullmatch("[0-9]{1,9}", at) for at in place)
    if not fits or any(int(at) >= length for at, length in zip(place, shape, strict=True)):
        shown = f"{name}[{', '.join(place)}]"
        raise UserError(f"{key}.{entry}: {shown} does not exist; the last one is {name}[{last}]")
    return int(np.ravel_multi_index([int(at) for at in place], shape))


def with_entries_set(nested: Mapping[str, Any], entries: Entries) -> dict[str, Any]:
    """Nested entries, as those of init.set, with these in them."""
    found = dict(nested)
    for entry, value in entries.items():
        name, _, rest = entry.partition(".")
        below = found.get(name)
        found[name] = with_entries_set(below if isinstance(below, Mapping) else {}, {rest: value}) if rest else value
    return found


def stored_entries(given: object, shapes: Shapes) -> Entries:
    """The parameters that a record says were set, trusted or not; raises UserError if it has no such ones."""
    if not isinstance(given, Mapping) or len(given) > sum(map(math.prod, shapes.values())):
        raise UserError(f"stages: {SET} must be numbers by parameter and place")
    for name, value in given.items():
        if not isinstance(name, str) or type(value) not in (int, float) or not math.isfinite(value):
            raise UserError(f"stages: {SET} must be finite numbers by parameter and place")
    places_of(given, shapes, "stages: set")
    return {name: float(value) for name, value in given.items()}
