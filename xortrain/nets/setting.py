"""One setting of a row as plain data: what it is for, its kind and its range.

`config.check` turns a setting into a check and into the words of an error or of `--help`.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from xortrain.nets import Numbers

Kind = Literal["number", "whole", "flag", "text", "path", "choice", "names", "wholes", "entries", "weights", "free"]


@dataclass(frozen=True)
class Setting:
    """A setting of some kind; ``low`` and ``high`` are inclusive bounds, ``above`` and ``below`` exclusive ones.

    ``varies`` is whether it may differ between the runs of one population.  An ``optional`` number is not passed
    to its row's functions where it is 0 for every run (see `in_use`).  ``letter`` is its symbol in formulas,
    ``wording`` replaces the description made from kind and range.  Entries are numbers by name, as in set.W1.0.1=2;
    ``each`` of them is a setting.  ``elsewhere`` has words that are values of another setting, by its name.
    ``default`` is for users' own rows; those of the package have theirs in conf/.
    """

    doc: str
    kind: Kind
    low: float = -math.inf
    high: float = math.inf
    above: float | None = None
    below: float | None = None
    varies: bool = False
    optional: bool = False
    nullable: bool = False
    even: bool = False
    choices: Collection[str] = ()
    lengths: tuple[int, ...] = ()
    letter: str = ""
    wording: str = ""
    each: "Setting | None" = None
    elsewhere: Mapping[str, Collection[str]] = field(default_factory=dict)
    default: Any = None


Settings = Mapping[str, Setting]


def in_use(settings: Settings, values: Numbers) -> Numbers:
    """The values (runs,) without those of optional settings that are 0 for every run.

    A row's function then skips their term; the result has the same bits as with a value of 0.
    """
    return {name: value for name, value in values.items() if not settings[name].optional or value.any()}


def numbers(settings: Settings) -> tuple[str, ...]:
    """The names of the settings that are numbers or flags."""
    return tuple(name for name, setting in settings.items() if setting.kind in ("number", "whole", "flag"))


def number(
    doc: str, low: float = -math.inf, high: float = math.inf, *, above: float | None = None,
    below: float | None = None, varies: bool = True, optional: bool = False, letter: str = "",
    default: float | None = None,
) -> Setting:  # fmt: skip
    """A finite number."""
    return Setting(doc, "number", low, high, above, below, varies, optional, letter=letter, default=default)


def whole(
    doc: str, low: int, high: int, *, varies: bool = False, nullable: bool = False, even: bool = False,
    default: int | None = None,
) -> Setting:  # fmt: skip
    """A whole number from ``low`` to ``high``, both included."""
    return Setting(doc, "whole", low, high, varies=varies, nullable=nullable, even=even, default=default)


def flag(doc: str, *, varies: bool = False, optional: bool = False, default: bool | None = None) -> Setting:
    """true or false."""
    return Setting(doc, "flag", varies=varies, optional=optional, default=default)


def text(doc: str, *, nullable: bool = False) -> Setting:
    """Any text."""
    return Setting(doc, "text", nullable=nullable)


def path(doc: str, *, nullable: bool = False) -> Setting:
    """The path of a file or a folder; ~ is the home folder."""
    return Setting(doc, "path", nullable=nullable)


def choice(doc: str, *choices: str, default: str | None = None) -> Setting:
    """One of a few names."""
    return Setting(doc, "choice", choices=choices, default=default)


def names(doc: str) -> Setting:
    """A list of texts; a single text counts as a list of one."""
    return Setting(doc, "names")
