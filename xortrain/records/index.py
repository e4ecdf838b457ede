"""What lies under a root: single runs and sweeps, newest first, and what cannot be read.

A folder with a record.json is a run, or a sweep of one population; one with a sweep.json is a sweep whose
populations are the records in its folders.  Links are not followed, and names with a dot in front are passed by.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.events import Annotations, Event, annotations, failures, read_events
from xortrain.records.files import plain
from xortrain.records.metadata import Metadata, moment, read_metadata, read_sweep, settings
from xortrain.records.process import status
from xortrain.records.rows import Rows, rows_now

DEEPEST = 5  # folders under the root


@dataclass(eq=False)
class RecordInfo:
    """The record of one population, of one run or many."""

    path: str
    metadata: Metadata

    @property
    def folder(self) -> Path:
        return Path(self.path)

    @cached_property
    def rows(self) -> Rows:
        return rows_now(self.path, self.metadata)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What its runs share, as flat columns."""
        return settings(self.metadata["config"])

    @cached_property
    def events(self) -> list[Event]:
        return read_events(self.path)

    @cached_property
    def status(self) -> str:
        return status(self.path, self.metadata)

    def outcomes(self) -> Counter[str]:
        """How many runs came to what, by the word."""
        found: Counter[str] = Counter()
        for code, runs in self.rows.outcomes().items():
            found[self.word(code)] += runs
        return found

    def word(self, code: int) -> str:
        """The outcome behind a number."""
        words = self.metadata["outcomes"]
        return plain(words[code]) if code < len(words) else f"outcome {code}"


@dataclass(eq=False)
class Entry:
    """One line of a listing: a run or a sweep, with the records of its populations.

    ``id`` is its path below the root without a leading "sweeps/": date and time of its start.
    """

    id: str
    path: str
    metadata: Metadata
    parts: tuple[RecordInfo, ...]
    problems: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return Path(self.path)

    @property
    def is_one_record(self) -> bool:
        """Whether its one population lies in its own folder."""
        return len(self.parts) == 1 and self.parts[0].path == self.path

    @property
    def is_sweep(self) -> bool:
        return self.metadata.get("kind") == "sweep" or len(self.parts) != 1 or self.runs > 1

    @cached_property
    def runs(self) -> int:
        return sum(part.metadata["runs"] for part in self.parts)

    @cached_property
    def status(self) -> str:
        return self.parts[0].status if self.is_one_record else status(self.path, self.metadata)

    @cached_property
    def events(self) -> list[Event]:
        own = [] if self.is_one_record else read_events(self.path)
        return [*own, *(event for part in self.parts for event in part.events)]

    @cached_property
    def marks(self) -> Annotations:
        return annotations(self.metadata, self.events)

    @property
    def age(self) -> float:
        """For sorting: when it started, in seconds."""
        began = moment(self.metadata["started"])
        return began.timestamp() if began else 0.0


@dataclass(frozen=True)
class Listing:
    """Everything under a root: what can be read, newest first, and a line for each thing that cannot."""

    root: Path
    entries: tuple[Entry, ...]
    problems: dict[str, str] = field(default_factory=dict)  # by id


def listing(root: Path) -> Listing:
    """Read what lies under a root."""
    entries, problems = [], {}
    for folder in folders(root):
        try:
            entries.append(open_entry(folder, id_of(folder, root)))
        except (UserError, OSError) as error:
            problems[id_of(folder, root)] = plain(error)
    entries.sort(key=lambda entry: (entry.age, entry.id), reverse=True)
    return Listing(root, tuple(entries), problems)


def folders(root: Path) -> list[str]:
    """The folders of runs and sweeps under a root."""
    found, level = [], [str(root)]
    for _ in range(DEEPEST):
        below = []
        for path in level:
            if os.path.lexists(f"{path}/{layout.RECORD}") or os.path.lexists(f"{path}/{layout.SWEEP}"):
                found.append(path)
            else:
                below += _inside(path)
        level = below
    return found


def _inside(path: str) -> list[str]:
    """The folders in a folder; none of one that cannot be read."""
    try:
        with os.scandir(path) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False) and entry.name[0] != "."]
    except OSError:
        return []


def id_of(folder: Path | str, root: Path) -> str:
    """Date and time of the start, as the folder says it; for a folder elsewhere its whole path."""
    path = str(folder).removeprefix(os.path.join(root, ""))
    return path.replace(os.sep, "/").removeprefix("sweeps/")


def open_entry(folder: Path | str, name: str) -> Entry:
    """The run or the sweep in a folder; raises UserError where it cannot be read."""
    if not os.path.lexists(f"{folder}/{layout.SWEEP}"):
        part = _part(str(folder))
        return Entry(name, part.path, part.metadata, (part,))
    parts, problems = [], []
    metadata = read_sweep(folder)
    for inside in sorted(folders_of_populations(folder)):
        try:
            parts.append(_part(inside))
        except (UserError, OSError) as error:
            problems.append(plain(error))
    entry = Entry(name, str(folder), metadata, tuple(parts), tuple(problems))
    entry.events  # noqa: B018
    return entry


def _part(folder: str) -> RecordInfo:
    """A record with everything that a listing needs, read now, so that what is wrong with it is told in one place."""
    part = RecordInfo(folder, read_metadata(folder))
    part.rows, part.events  # noqa: B018
    return part


def folders_of_populations(folder: Path | str) -> Iterator[str]:
    """The folders in a sweep's folder that hold records."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False) and os.path.lexists(os.path.join(entry.path, layout.RECORD)):
            yield entry.path


def failures_of(entry: Entry) -> list[str]:
    """A line for each failure; those with the same words are one line that counts them."""
    counted = Counter(_failure_line(event) for event in failures(entry.events))
    return [f"{plain(entry.id)}: {text}{f' ({times} times)' if times > 1 else ''}" for text, times in counted.items()]


def _failure_line(event: Event) -> str:
    jobs, reason = event.get("jobs"), event.get("reason")
    where = f" jobs {jobs[0]} to {jobs[-1]}" if isinstance(jobs, list) and jobs else ""
    return plain(f"failed{where}: {reason if isinstance(reason, str) else 'no reason was kept'}")
