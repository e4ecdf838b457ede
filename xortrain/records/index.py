"""Finds the runs and sweeps under a root folder, newest first, and what cannot be read.

A folder with a record.json is a run, or a sweep of one population; one with a sweep.json is a sweep whose populations
are the records in its subfolders.  Links are not followed, and names that start with a dot are skipped.
"""

import os
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from xortrain.errors import Reading, Remark, UserError, counted, file_error, printable
from xortrain.records import layout
from xortrain.records.events import MOST_WORDS, Annotations, Event, add_event, annotations, failures, read_events
from xortrain.records.lock import lock_owner, locked_folder, status
from xortrain.records.metadata import Metadata, flat_settings, moment, read_metadata, read_sweep
from xortrain.records.rows import Rows, rows_now

_CODES = bytes(range(layout.MOST_OUTCOMES))
DEEPEST = 5  # levels of folders under the root


@dataclass(eq=False)
class RecordInfo:
    """The record of one population, which has one run or many; ``above`` are the events of the sweep above it."""

    path: str
    metadata: Metadata
    above: Sequence[Event] = ()

    @property
    def folder(self) -> Path:
        return Path(self.path)

    @cached_property
    def rows(self) -> Rows:
        return rows_now(self.path, self.metadata)

    @cached_property
    def varies(self) -> tuple[str, ...]:
        """The columns of the settings that differ between its runs."""
        return tuple(map(layout.column_of, self.metadata["varies"]))

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The settings that its runs share, as flat columns."""
        flat = flat_settings({**self.metadata["config"], "name": self.marks.name})
        parts = [name.split(".") for name in self.metadata["varies"]]
        inside = {".".join(names[:end]) for names in parts for end in range(2, len(names))}
        return {key: value for key, value in flat.items() if key not in inside} if inside else flat

    @cached_property
    def events(self) -> list[Event]:
        return read_events(self.path)

    @cached_property
    def marks(self) -> Annotations:
        return annotations(self.metadata, [*self.events, *self.above])

    @cached_property
    def status(self) -> str:
        return status(self.path, self.metadata)

    def outcomes(self) -> Counter[str]:
        """The number of runs with each outcome, by its word."""
        found: Counter[str] = Counter()
        for code, runs in Counter(self.rows.codes).items():
            found[self.word(code)] += runs
        return found

    def word(self, code: int) -> str:
        """The word of an outcome code."""
        words = self.metadata["outcomes"]
        return printable(words[code]) if code < len(words) else f"outcome {code}"


@dataclass(eq=False)
class Entry:
    """A run or a sweep, with the records of its populations.

    ``id`` is its path below the root without a leading "sweeps/": the date and time of its start.
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
        """Whether its folder is the record of its only population."""
        return len(self.parts) == 1 and self.parts[0].path == self.path

    @property
    def is_sweep(self) -> bool:
        return self.metadata.get("kind") == "sweep" or len(self.parts) != 1 or self.runs > 1

    def run_id(self, number: int) -> str:
        """The id of a run: that of the entry, and in a sweep the number of its job."""
        return f"{printable(self.id)}#{number}" if self.is_sweep else printable(self.id)

    @cached_property
    def runs(self) -> int:
        return sum(part.metadata["runs"] for part in self.parts)

    @cached_property
    def status(self) -> str:
        return self.parts[0].status if self.is_one_record else status(self.path, self.metadata)

    @property
    def running_as(self) -> Mapping[str, Any]:
        """The process that trains it: the owner of its lock or, without one, the process that its record states."""
        return lock_owner(locked_folder(self.folder)) or self.metadata

    @cached_property
    def marks(self) -> Annotations:
        return Annotations.shared([part.marks for part in self.parts])

    def annotate(self, kind: str, run: int | None, **content: Any) -> "Entry":
        """Rename the entry, or tag or note it or its run of this number; returns the entry read again."""
        own = self.marks if run is None else self.marks.of_runs.get(run, Annotations())
        added = {"tag": len({*own.tags, *content.get("tags", ())}), "note": len(own.notes) + 1}.get(kind, 0)
        if added > MOST_WORDS:
            raise UserError(f"{kind}: a run or sweep has at most {MOST_WORDS:,} tags, and as many notes")
        try:
            add_event(self.folder, kind, **({} if run is None else {"run": run}), **content)
        except OSError as error:
            raise file_error(self.folder / layout.EVENTS, error.strerror or error) from None
        return open_entry(self.path, self.id)

    def failures(self) -> list[str]:
        """A line for each failure; failures with the same text are one line with their count."""
        events = [*(event for part in self.parts for event in part.events), *self.parts[0].above]
        counted = Counter(map(_failure_line, failures(events)))
        name = printable(self.id)
        return [f"{name}: {text}{f' ({times} times)' if times > 1 else ''}" for text, times in counted.items()]

    @property
    def start(self) -> float:
        """When it started: by its id in the time zone of its record or, if the folder was renamed, by its record."""
        stated, in_id = self.metadata["started"], layout.OWN_PLACE.search(self.id)
        there = in_id and moment("{}T{}:{}:{}.{}".format(*in_id.groups()) + layout.ZONE.findall(stated)[0])
        began = there or moment(stated)
        return began.timestamp() if began else 0.0


@dataclass(frozen=True)
class Selection:
    """Some runs of one record, by their indices, increasing."""

    entry: Entry
    part: RecordInfo
    indices: Sequence[int]


def _failure_line(event: Event) -> str:
    jobs, reason = event.get("jobs"), event.get("reason")
    where = f" jobs {jobs[0]} to {jobs[-1]}" if isinstance(jobs, list) and jobs else ""
    return printable(f"failed{where}: {reason if isinstance(reason, str) else 'no reason was recorded'}")


@dataclass(frozen=True)
class Listing:
    """Everything under a root: the readable entries, newest first, and an error line for each other id."""

    root: Path
    entries: tuple[Entry, ...]
    problems: dict[str, str] = field(default_factory=dict)


def listing(root: Path) -> Listing:
    """Read all runs and sweeps under a root."""
    entries, problems = [], {}
    for folder in folders(root):
        name = id_of(folder, root)
        try:
            entries.append(open_entry(folder, name))
        except UserError as error:
            problems[name] = printable(error)
    entries.sort(key=lambda entry: (entry.start, entry.id), reverse=True)
    return Listing(root, tuple(entries), problems)


def is_entry(folder: Path | str) -> bool:
    """Whether a folder contains a run or a sweep, readable or not."""
    return any(os.path.lexists(os.path.join(folder, name)) for name in (layout.RECORD, layout.SWEEP))


def folders(root: Path) -> list[str]:
    """The folders of runs and sweeps under a root, also those below another one, and those that may not be read."""
    found, level = [], [str(root)]
    for _ in range(DEEPEST):
        below = []
        for path in level:
            if is_entry(path):
                found.append(path)
                if os.lstat(path).st_nlink == 2:  # no subfolders, where a file system counts their links to this one
                    continue
            inside, is_sweep = _inside(path), os.path.lexists(f"{path}/{layout.SWEEP}")
            if inside is None and path == str(root):
                raise file_error(root, "Permission denied")
            found += [path] * (inside is None and path not in found)
            below += [own for own in inside or () if not (is_sweep and _is_population(own))]
        level = below
    return found


def _is_population(path: str) -> bool:
    return layout.OWN_POPULATION.fullmatch(os.path.basename(path)) is not None


def _inside(path: str) -> list[str] | None:
    """The subfolders of a folder; None if it may not be read."""
    try:
        with os.scandir(path) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False) and entry.name[0] != "."]
    except OSError as error:
        return None if isinstance(error, PermissionError) else []


def id_of(folder: Path | str, root: Path) -> str:
    """The id of a folder, which is date and time of the start; its whole path if it is not under the root."""
    return str(folder).removeprefix(os.path.join(root, "")).replace(os.sep, "/").removeprefix("sweeps/")


def open_entry(folder: Path | str, name: str) -> Entry:
    """The run or the sweep in a folder; raises UserError if it cannot be read."""
    with Reading(folder):
        if not os.path.lexists(f"{folder}/{layout.SWEEP}"):
            part = _part(str(folder))
            return Entry(name, part.path, part.metadata, (part,))
        return _sweep_entry(str(folder), name)


def remark_left_out(entries: Iterable[Entry]) -> None:
    """Warn of the sweeps that lack a population, or have one that cannot be read."""
    for problem in (problem for entry in entries for problem in entry.problems[:1]):
        warnings.warn(Remark(f"left out: {problem}"), stacklevel=3)


def _sweep_entry(folder: str, name: str) -> Entry:
    parts, problems, metadata, events = [], [], read_sweep(folder), read_events(folder)
    for path in sorted(filter(_is_population, _inside(folder) or ())):
        if os.path.lexists(f"{path}/{layout.RECORD}"):
            try:
                with Reading(path):
                    parts.append(_part(path, events))
            except UserError as error:
                problems.append(printable(error))
    if not parts:
        raise file_error(folder, f"none of its populations is readable; {problems[0]}" if problems else "has no runs")
    stated = metadata.get("populations")
    if isinstance(stated, int) and (lacking := stated - len(parts) - len(problems)) > 0:
        problems.append(f"{printable(folder)}: lacks {lacking} of its {counted(stated, 'population')}")
    return Entry(name, folder, metadata, tuple(parts), tuple(problems))


def _part(folder: str, above: Sequence[Event] = ()) -> RecordInfo:
    """A record with everything that a listing needs; read here, so that all its errors are raised here."""
    part = RecordInfo(folder, read_metadata(folder), above)
    if part.rows.codes.translate(None, _CODES[: len(part.metadata["outcomes"])]):
        raise file_error(f"{folder}/{layout.RUNS}", "has an outcome that its record does not name")
    part.events  # noqa: B018
    return part
