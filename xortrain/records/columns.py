"""What one can ask of a run, by the name a user types: its settings, its results, and where it stands.

Settings have their dotted names, a group alone means the option chosen (``optimizer`` is ``optimizer.name``).  What
never happened, and what is not a number, is None.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

from xortrain.records import layout
from xortrain.records.files import plain
from xortrain.records.index import Entry, RecordInfo
from xortrain.records.metadata import moment, settings, took

RECORD = ("id", "status", "name", "tags", "notes", "started", "ended", "seconds", "host", "version", "path")
RESULTS = tuple(name for name, _ in layout.ROW)
BRIEF = ("id", "number", "status", "outcome", "epochs_done", "final_loss", "seed", "tags")
_NO_MATTER = ("root", "dry_run")
_NO_MATTER_GROUPS = ("film", "track")
_ROW_IDS = {"rowid", "oid", "_rowid_"}  # SQLite's own names
Chunk = Mapping[str, tuple[Any, ...]]


def canonical(name: str) -> str:
    """The name of a column for what a user may type: optimizer.name is optimizer."""
    return name.removesuffix(".name")


def shared_columns(entry: Entry, part: RecordInfo) -> dict[str, Any]:
    """The columns that all runs of a record share."""
    return part.settings | record_columns(entry, part)


def record_columns(entry: Entry, of: Entry | RecordInfo) -> dict[str, Any]:
    """What the record says of itself, of an entry or of one population in it."""
    metadata, marks = of.metadata, entry.marks
    versions = metadata.get("versions")
    return {
        "id": plain(entry.id),
        "status": of.status,
        "name": _text(entry.metadata.get("name")),
        "tags": ", ".join(map(plain, marks.tags)),
        "notes": plain("; ".join(marks.notes)) or None,
        "started": _text(metadata["started"]),
        "ended": _text(metadata.get("ended")),
        "seconds": took(metadata, moment(metadata.get("ended"))),
        "host": _text(metadata.get("host")),
        "version": _text(versions.get("xortrain")) if isinstance(versions, dict) else None,
        "path": plain(of.path),
    }


def _text(value: object) -> str | None:
    return plain(value) if isinstance(value, str) else None


def matters(name: str) -> bool:
    """Whether a column is a setting that what a run comes to may depend on, other than its seed."""
    is_own = name in RECORD or name in RESULTS or name in _NO_MATTER
    return not is_own and name.partition(".")[0] not in _NO_MATTER_GROUPS


def is_setting(name: str) -> bool:
    """Whether a column is such a setting, or the seed."""
    return name == "seed" or matters(name)


def known(parts: Iterable[RecordInfo]) -> list[str]:
    """The names of all columns that some of the runs have: what every run has, then settings, commonest first.

    Of two that differ only in their capitals there is one, as SQL wants it.
    """
    counted: Counter[str] = Counter()
    for part in parts:
        counted.update(list(dict.fromkeys([*part.settings, *part.rows.names])))
    folded: dict[str, str] = {}
    for name in (*RECORD[:3], *RESULTS, *RECORD[3:], *(name for name, _ in counted.most_common())):
        folded.setdefault(name.lower(), name)
    return [name for key, name in folded.items() if key not in _ROW_IDS]


def rows(entry: Entry, part: RecordInfo, wanted: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The wanted columns of every run of a record, one tuple a run, in the order of runs.npy."""
    same = shared_columns(entry, part)
    for chunk in part.rows.chunks():
        yield from zip(*_columns(entry, part, chunk, wanted, same), strict=True)


def run_lines(entry: Entry, part: RecordInfo, brief: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
    """All columns of every run of a record, by name; or in brief those of BRIEF, what varies, and these settings."""
    config = part.metadata["config"]
    if brief is None:
        same, own = shared_columns(entry, part), list(dict.fromkeys([*_TOLD, *part.rows.names]))
    else:
        same = settings({key: config[key] for key in brief if key in config}) | {
            "name": _text(part.metadata.get("name"))
        }
        own = [*BRIEF, *part.rows.names[len(RESULTS) :]]
    for chunk in part.rows.chunks():
        yield from _lines(entry, part, chunk, same, own)


def differing(parts: Iterable[RecordInfo]) -> set[str]:
    """The settings and groups in which the configs of records are not all the same."""
    configs = [part.metadata["config"] for part in parts]
    others = [config for config in configs if config != configs[0]]
    found = {key for config in others for key, value in config.items() if configs[0].get(key, others) != value}
    return found.union(*(configs[0].keys() - config.keys() for config in others))


def values(entry: Entry, part: RecordInfo, place: int) -> dict[str, Any]:
    """All columns of one run."""
    chunk = {name: (value,) for name, value in part.rows.at(place).items()}
    return next(_lines(entry, part, chunk, shared_columns(entry, part), list(dict.fromkeys([*_TOLD, *chunk]))))


def _lines(
    entry: Entry, part: RecordInfo, chunk: Chunk, same: Mapping[str, Any], own: Sequence[str]
) -> Iterator[dict[str, Any]]:
    for found in zip(*_columns(entry, part, chunk, own, same), strict=True):
        yield {**same, **dict(zip(own, found, strict=True))}


def _columns(
    entry: Entry, part: RecordInfo, chunk: Chunk, wanted: Sequence[str], same: Mapping[str, Any]
) -> Iterator[Iterable[Any]]:
    for name in wanted:
        if name in _TOLD:
            yield _TOLD[name](entry, part, chunk)
        elif name in chunk and name not in RECORD:
            yield map(_finite, chunk[name])
        else:
            yield repeat(same.get(name), len(chunk["number"]))


def _finite(value: Any) -> Any:
    return value if value - value == 0 else None


def _ids(entry: Entry, part: RecordInfo, chunk: Chunk) -> Iterable[str]:
    name = plain(entry.id)
    return (f"{name}#{number}" for number in chunk["number"]) if entry.is_sweep else repeat(name, len(chunk["number"]))


def _statuses(entry: Entry, part: RecordInfo, chunk: Chunk) -> Iterable[str]:
    unfinished = "failed" if part.status == "finished" else part.status
    return ("finished" if code else unfinished for code in chunk["outcome"])


def _outcomes(entry: Entry, part: RecordInfo, chunk: Chunk) -> Iterable[str]:
    return map(part.word, chunk["outcome"])


def _reasons(entry: Entry, part: RecordInfo, chunk: Chunk) -> Iterable[str]:
    words = [plain(word) for word in part.metadata["outcomes"][:16]]
    return (", ".join(word for k, word in enumerate(words) if bits >> k & 1) for bits in chunk["reasons"])


def _epochs(name: str) -> Callable[[Entry, RecordInfo, Chunk], Iterable[int | None]]:
    return lambda entry, part, chunk: (None if epoch < 0 else epoch for epoch in chunk[name])


def _diverged_in(entry: Entry, part: RecordInfo, chunk: Chunk) -> Iterable[str | None]:
    for at, place in zip(chunk["diverged_at"], chunk["diverged_in"], strict=True):
        yield None if at < 0 else "loss" if place < 0 else parameter(part.metadata["parameters"], place)


def _tags(entry: Entry, part: RecordInfo, chunk: Chunk) -> Iterable[str]:
    return (", ".join(map(plain, entry.marks.of(number).tags)) for number in chunk["number"])


def _notes(entry: Entry, part: RecordInfo, chunk: Chunk) -> Iterable[str | None]:
    return (plain("; ".join(entry.marks.of(number).notes)) or None for number in chunk["number"])


_TOLD: dict[str, Callable[[Entry, RecordInfo, Chunk], Iterable[Any]]] = {
    "id": _ids,
    "status": _statuses,
    "outcome": _outcomes,
    "reasons": _reasons,
    "solved_at": _epochs("solved_at"),
    "diverged_at": _epochs("diverged_at"),
    "epochs_done": _epochs("epochs_done"),
    "diverged_in": _diverged_in,
    "tags": _tags,
    "notes": _notes,
}


def parameter(shapes: Mapping[str, list[int]], place: int) -> str:
    """The name of one parameter by its place among all of them: W1[0,1]."""
    for name, shape in shapes.items():
        size = math.prod(shape)
        if place < size:
            places: list[str] = []
            for length in reversed(shape):
                place, last = divmod(place, length)
                places.insert(0, str(last))
            return f"{name}[{','.join(places)}]"
        place -= size
    return "?"
