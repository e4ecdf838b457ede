"""The events of a record: failures with their reasons, tags and notes, one JSON object per line.

Lines are only appended, so that two processes that write at once lose nothing.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from xortrain.records import layout
from xortrain.records.files import append_line, content_of, parse_json

LARGEST = 16 << 20  # bytes
MOST_WORDS = 1000  # tags, and notes, of a record or of one of its runs; more are neither added nor read
Event = Mapping[str, Any]


def now() -> str:
    """The local time in ISO 8601, with its offset."""
    return datetime.now().astimezone().isoformat()


def add_event(folder: Path, kind: str, **content: Any) -> None:
    """Append one line to the events of a record."""
    line = json.dumps({"when": now(), "kind": kind, **content}, ensure_ascii=False)
    append_line(folder / layout.EVENTS, line, LARGEST)


def read_events(folder: Path | str) -> list[Event]:
    """The events of a record, oldest first, without incomplete lines."""
    path = f"{folder}/{layout.EVENTS}"
    if not os.path.lexists(path):
        return []
    found: list[Event] = []
    for line in content_of(path, LARGEST)[:].split(b"\n"):
        try:
            event = parse_json(line) if line else None
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and isinstance(event.get("kind"), str):
            found.append(event)
    return found


@dataclass
class Annotations:
    """The name, the tags and the notes of a record, and those of single runs by their number."""

    name: str | None = None
    tags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    of_runs: dict[int, "Annotations"] = field(default_factory=dict)

    def of(self, number: int | None) -> "Annotations":
        """The annotations that apply to one run: the record's and its own; for None those of the record."""
        own = Annotations() if number is None else self.of_runs.get(number, Annotations())
        return Annotations(self.name, list(dict.fromkeys([*self.tags, *own.tags])), [*self.notes, *own.notes])

    @classmethod
    def shared(cls, found: Sequence["Annotations"]) -> "Annotations":
        """What all of these have, and the annotations of single runs."""
        name, tags, notes = found[0].name, found[0].tags, found[0].notes
        return cls(
            name if all(own.name == name for own in found) else None,
            [tag for tag in tags if all(tag in own.tags for own in found)],
            [note for note in notes if all(note in own.notes for own in found)],
            {number: own for one in found for number, own in one.of_runs.items()},
        )


def annotations(metadata: Mapping[str, Any], events: Sequence[Event]) -> Annotations:
    """Name, tags and notes from the config of a record, and from the events that change them."""
    first = [_texts(metadata.get(key))[:MOST_WORDS] for key in ("tags", "notes")]
    found = Annotations(metadata.get("name"), first[0], first[1])
    tags: dict[int | None, dict[str, None]] = {None: dict.fromkeys(found.tags)}
    for event in events:
        run = event.get("run")
        own = run if type(run) is int else None
        target = found if own is None else found.of_runs.setdefault(own, Annotations())
        if event["kind"] == "tag":
            tags.setdefault(own, {}).update(dict.fromkeys(_texts(event.get("tags"))))
        elif event["kind"] == "untag":
            for tag in _texts(event.get("tags")):
                tags.setdefault(own, {}).pop(tag, None)
        elif event["kind"] == "note":
            target.notes += _texts(event.get("text"))
        elif event["kind"] == "rename":
            target.name = next(iter(_texts(event.get("name"))), None)
    for own, words in tags.items():
        (found if own is None else found.of_runs[own]).tags = list(words)[:MOST_WORDS]
    for target in (found, *found.of_runs.values()):
        del target.notes[MOST_WORDS:]
    return found


def _texts(value: object) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str) and item]


def failures(events: Iterable[Event]) -> list[Event]:
    """The failures since the last resumption."""
    found = list(events)
    resumed = max((str(event.get("when")) for event in found if event["kind"] == "resume"), default="")
    return [event for event in found if event["kind"] == "failure" and str(event.get("when")) > resumed]
