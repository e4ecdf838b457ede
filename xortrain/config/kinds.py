"""What a setting may be: a number, a whole number, a flag, a text, or one of a few names.

Each kind turns what came into the value that is meant, or says in a few words what it must be.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Setting:
    """One key: what it is for, what it must be, and how a value is taken (ValueError where it is not that)."""

    doc: str
    must_be: str
    take: Callable[[Any], Any]
    varies: bool = False  # may differ between the runs of one population


def number(
    doc: str,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: float | None = None,
    below: float | None = None,
    varies: bool = True,
) -> Setting:
    """A finite number from low to high, or strictly above or below a value."""

    def take(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError
        found = float(value)
        inside = low <= found <= high and (above is None or found > above) and (below is None or found < below)
        if not (inside and math.isfinite(found)):
            raise ValueError
        return found

    return Setting(doc, f"a number{_range(low, high, above, below)}", take, varies)


def _range(low: float, high: float, above: float | None, below: float | None) -> str:
    ends = [f"greater than {above:g}"] if above is not None else [f"at least {low:g}"] if low > -math.inf else []
    ends += [f"less than {below:g}"] if below is not None else [f"at most {high:g}"] if high < math.inf else []
    return f" {' and '.join(ends)}" if ends else ""


def whole(doc: str, low: int, high: int, *, varies: bool = False, none: bool = False, even: bool = False) -> Setting:
    """A whole number from low to high, an even one if even; null too, if none."""

    def take(value: Any) -> int | None:
        if none and value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError
        if value != int(value) or (even and value % 2):
            raise ValueError
        return int(value)

    kind = "an even number" if even else "a whole number"
    return Setting(doc, f"{kind} from {low} to {high}{' or null' if none else ''}", take, varies)


def flag(doc: str, *, varies: bool = False) -> Setting:
    """true or false."""
    return Setting(doc, "true or false", _only(bool), varies)


def text(doc: str, *, none: bool = False) -> Setting:
    """Any text."""

    def take(value: Any) -> str | None:
        if value is None and none:
            return None
        if not isinstance(value, str):
            raise ValueError
        return _whole_text(value)

    return Setting(doc, "a text" + (" or null" if none else ""), take)


def _whole_text(value: str) -> str:
    """A text that can be written to a file; a terminal may send half a character."""
    value.encode()
    return value


def one_of(doc: str, *names: str) -> Setting:
    """One of a few names."""

    def take(value: Any) -> str:
        if value not in names:
            raise ValueError
        return str(value)

    return Setting(doc, f"one of {', '.join(names)}", take)


def names(doc: str) -> Setting:
    """A list of texts or whole numbers; a single one stands for a list of it."""

    def take(value: Any) -> list[str]:
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) or type(item) is int for item in items):
            raise ValueError
        return [_whole_text(str(item)) for item in items]

    return Setting(doc, "a list of texts", take)


def wholes(
    doc: str, low: int, high: int, must_be: str, length: Sequence[int] | None = None, none: bool = False
) -> Setting:
    """A list of whole numbers, of one of some lengths."""

    def take(value: Any) -> list[int] | None:
        if none and value is None:
            return None
        if not isinstance(value, list) or (length is not None and len(value) not in length):
            raise ValueError
        if not all(type(item) is int and low <= item <= high for item in value):
            raise ValueError
        return value

    return Setting(doc, must_be, take)


def _only(kind: type) -> Callable[[Any], Any]:
    def take(value: Any) -> Any:
        if not isinstance(value, kind):
            raise ValueError
        return value

    return take
