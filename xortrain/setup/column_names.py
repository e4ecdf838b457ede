"""The names of inputs, outputs and classes, and how each input is made from a column of the user's table.

They are kept in the record, so that films, summaries and `xortrain predict` have them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xortrain.errors import printable

SHOWN_NAME = 40  # characters shown of a name
LONGEST_LINE = 300  # characters of what was understood
MOST_KINDS = 256  # columns, classes, or categories of a column


@dataclass(frozen=True)
class Source:
    """A column from which inputs are made: its name, its place in the table, and its categories if it is one-hot."""

    name: str
    place: int
    kinds: tuple[str, ...] = ()

    @property
    def inputs(self) -> int:
        return len(self.kinds) or 1


@dataclass(frozen=True)
class Columns:
    """Names of inputs and outputs, empty without a header; classes; sources of the inputs; what was understood.

    ``classes`` are in the order of the outputs; those of one output are the low and the high one.  ``width`` is the
    number of columns of the table, ``line`` says what was understood of it.
    """

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    width: int = 0
    line: str = ""

    @property
    def told_classes(self) -> tuple[str, ...]:
        """The classes, if they say more than the targets 0 and 1 themselves."""
        return () if self.classes == ("0", "1") and len(self.outputs) < 2 else self.classes

    @property
    def short_outputs(self) -> tuple[str, ...]:
        """The names of the outputs for a film: those of the classes, if each has its output."""
        return self.classes if len(self.classes) == len(self.outputs) else self.outputs


UNNAMED = Columns()


def shown(names: Iterable[str]) -> tuple[str, ...]:
    """Names that are safe to print."""
    return tuple(printable(name)[:SHOWN_NAME] or "?" for name in names)


def stored_columns(given: object, inputs: int, outputs: int) -> Columns | None:
    """The columns in a record with this many inputs and outputs; None if they do not fit."""
    if not isinstance(given, Mapping):
        return None
    names = {key: _texts(given.get(key, []), MOST_KINDS * MOST_KINDS) for key in ("inputs", "outputs", "classes")}
    line, width, sources = given.get("line", ""), given.get("width", 0), given.get("sources", [])
    known = {"inputs": (0, inputs), "outputs": (0, outputs), "classes": (0, outputs if outputs > 1 else 2)}
    if any(texts is None or len(texts) not in known[key] for key, texts in names.items()):
        return None
    if type(width) is not int or not 0 <= width <= MOST_KINDS:
        return None
    if not (isinstance(line, str) and isinstance(sources, list)):
        return None
    made = [_source(item, width) for item in sources[: MOST_KINDS + 1]]
    found = tuple(source for source in made if source)
    if len(found) != len(sources) or (found and sum(source.inputs for source in found) != inputs):
        return None
    texts = {key: shown(value or ()) for key, value in names.items()}
    return Columns(**texts, sources=found, width=width, line=printable(line)[:LONGEST_LINE])


def _source(item: object, width: int) -> Source | None:
    if not isinstance(item, Mapping):
        return None
    name, place, kinds = item.get("name"), item.get("place"), _texts(item.get("kinds"), MOST_KINDS)
    if not isinstance(name, str) or type(place) is not int or not 0 <= place < width or kinds is None:
        return None
    return Source(printable(name), place, tuple(map(printable, kinds))) if len(set(kinds)) == len(kinds) else None


def _texts(given: Any, most: int) -> Sequence[str] | None:
    is_list = isinstance(given, list) and len(given) <= most
    return given if is_list and all(isinstance(text, str) for text in given) else None


def cut_list(names: Sequence[str], most: int) -> str:
    """Names separated by commas; of more than ``most`` the middle is left out."""
    if len(names) <= most:
        return ", ".join(names)
    tail = most // 2
    return ", ".join([*names[: most - tail], "…", *(names[-tail:] if tail else ())])


def understood(name: str, parts: Sequence[tuple[str, Sequence[str], str]]) -> str:
    """What was understood of a table, in one line: (words, names, words after them) with as many names as fit."""
    for most in range(max([1, *(len(names) for _, names, _ in parts)]), 0, -1):
        said = "; ".join(f"{before}{cut_list(names, most)}{after}" for before, names, after in parts)
        line = printable(f"{name}: {said}")
        if len(line) <= LONGEST_LINE:
            return line
    return f"{line[: LONGEST_LINE - 1]}…"
