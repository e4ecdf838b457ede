"""What ``xortrain ls`` has to say about each run and each sweep, before it is laid out."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from xortrain.records import columns
from xortrain.records.index import Entry
from xortrain.tracker.text import NULL

Line = Mapping[str, Any]
VARIES = "varies"
OF_SWEEPS = ("runs", "done", "solved", "outcomes")


def shown(line: Line, name: str) -> Any:
    """What a table shows of a line: a setting that is null says so, one that the run does not have is empty."""
    return NULL if name in line and line[name] is None and columns.is_setting(name) else line.get(name)


def lines_of(
    entries: Sequence[Entry],
    where: str | None = None,
    runs: bool = False,
    tags: Sequence[str] = (),
    brief: Collection[str] | None = None,
) -> Iterator[Line]:
    """A line for each run, and one for a sweep unless its runs are asked for, by ``runs`` or by a condition."""
    tagged = [entry for entry in entries if _may_have(entry, tags)]
    if where is not None:
        yield from _matching(tagged, where, tags)
        return
    for entry in tagged:
        if entry.is_sweep and not runs and set(tags) <= set(entry.marks.tags):
            yield of_sweep(entry, brief)
        else:
            lines = (line for part in entry.parts for line in columns.lines(entry, part, brief))
            yield from (line for line in lines if _has(entry, line["number"], tags))


def _matching(entries: Sequence[Entry], where: str, tags: Sequence[str]) -> Iterator[Line]:
    from xortrain.records.query import select

    for entry, part, place in select(entries, where, "--where"):
        line = columns.values(entry, part, place)
        if _has(entry, line["number"], tags):
            yield line


def _has(entry: Entry, number: int, tags: Sequence[str]) -> bool:
    return not tags or set(tags) <= set(entry.marks.of(number).tags)


def _may_have(entry: Entry, tags: Sequence[str]) -> bool:
    """Whether an entry, or a run in it, has all these tags."""
    return not tags or any(_has(entry, number, tags) for number in (-1, *entry.marks.of_runs))


def of_sweep(entry: Entry, brief: Collection[str] | None = None) -> Line:
    """The columns of a sweep: settings that its runs share, "varies" for the others, and how many solved it."""
    shared = [part.settings for part in entry.parts]
    wanted = dict.fromkeys(key for settings in shared for key in settings)
    keys = [key for key in wanted if brief is None or key.partition(".")[0] in brief]
    line = {key: shared[0].get(key) if len({repr(s.get(key)) for s in shared}) == 1 else VARIES for key in keys}
    line |= {name: VARIES for part in entry.parts for name in part.about["varies"]}
    counted: Counter[str] = sum((part.outcomes() for part in entry.parts), start=Counter())
    done, solved = entry.runs - counted["pending"], counted["solved"]
    of = "" if done == entry.runs else f" of {done}"
    told = f"solved {100 * solved / done:.3g} %{of}" if done else "pending"
    return {
        **line,
        **columns.standing(entry, entry),
        "outcome": told,
        "runs": entry.runs,
        "done": done,
        "solved": solved,
        "outcomes": counted,
    }
