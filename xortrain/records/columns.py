"""The columns of a run by the names that users type: its settings, its results, and what its record states.

Settings have their dotted names; a group's own name is the option chosen (``optimizer`` is ``optimizer.name``).
None stands for what never happened, is not a finite number, or is unknown because an older record lacks it.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

from xortrain.errors import printable
from xortrain.records import layout
from xortrain.records.events import Annotations
from xortrain.records.index import Entry, RecordInfo, Selection
from xortrain.records.metadata import flat_settings, moment, training_seconds

RECORD = ("id", "status", "name", "tags", "notes", "started", "ended", "seconds", "host", "version", "parent", "path")
RESULTS = tuple(layout.ROW)
TEXTS = {*RECORD, "outcome", "reasons", "diverged_in", "data.path"} - {"seconds"}  # that may look like numbers
BRIEF = ("id", "number", "status", "outcome", "epochs_done", "final_loss", "seed", "tags")
OF_SWEEPS = ("runs", "done", "solved", "outcomes")
VARIES = "varies"
_NOT_SETTINGS = {*RECORD, *RESULTS, "advice", "page", "experiment", "root", "dry_run"}
_COSMETIC_GROUPS = ("film", "track")
_ROW_IDS = {"rowid", "oid", "_rowid_"}  # SQLite's own names
_WHOLE_BITS = 63
_STORED = {**dict.fromkeys(("f2", "f4", "f8", "u8"), float), "b1": bool}  # other types of columns are whole numbers
Chunk = Mapping[str, tuple[Any, ...]]


def canonical(name: str) -> str:
    """The column of a name that a user may type: optimizer.name is optimizer, init.set.W1.0.1 is W1[0, 1]."""
    return layout.column_of(layout.setting_of(name).removesuffix(".name"))


def names_in(text: str) -> list[str]:
    """The parts of a list with commas; those inside brackets do not separate."""
    return [part.strip() for part in re.findall(r"(?:\[[^\]]*\]|[^,\[]|\[)+", text) if part.strip()]


def affects_training(name: str) -> bool:
    """Whether a column is a setting that the results may depend on, other than the seed."""
    return name not in _NOT_SETTINGS and name.partition(".")[0] not in _COSMETIC_GROUPS


def is_setting(name: str) -> bool:
    """Whether a column is such a setting, or the seed."""
    return name == "seed" or affects_training(name)


def column_names(parts: Iterable[RecordInfo]) -> list[str]:
    """All columns of these records: first those that every run has, then settings, the most common first.

    Of names that differ only in upper and lower case the first is used, since SQL ignores case.
    """
    counted: Counter[str] = Counter()
    for part in parts:
        counted.update(list(dict.fromkeys([*part.settings, *part.varies])))
    folded: dict[str, str] = {}
    for name in (*RECORD[:3], *RESULTS, *RECORD[3:], *COMPUTED, *(name for name, _ in counted.most_common())):
        folded.setdefault(name.lower(), name)
    return [name for key, name in folded.items() if key not in _ROW_IDS]


def differing_keys(parts: Iterable[RecordInfo]) -> set[str]:
    """The settings and groups in which the configs of records differ."""
    configs = [part.metadata["config"] for part in parts]
    others = [config for config in configs if config != configs[0]]
    found = {key for config in others for key, value in config.items() if configs[0].get(key, others) != value}
    return found.union(*(configs[0].keys() - config.keys() for config in others))


def record_columns(entry: Entry, of: Entry | RecordInfo) -> dict[str, Any]:
    """The columns in RECORD of an entry, or of one of its populations."""
    metadata, versions, parent = of.metadata, of.metadata.get("versions"), of.metadata.get("parent")
    return {
        "id": printable(entry.id),
        "status": of.status,
        "name": _text(of.marks.name),
        **{name: text(of.marks) for name, text in WORDS.items()},
        "started": _text(metadata["started"]),
        "ended": _text(metadata.get("ended")),
        "seconds": training_seconds(metadata, moment(metadata.get("ended"))),
        "host": _text(metadata.get("host")),
        "version": _text(versions.get("xortrain")) if isinstance(versions, dict) else None,
        "parent": _text(parent.get("id")) if isinstance(parent, dict) else None,
        "path": printable(of.path),
    }


def sweep_columns(entry: Entry, brief: Collection[str] | None = None) -> dict[str, Any]:
    """The columns of a sweep: settings that its runs share (VARIES for others), and the numbers of runs by outcome.

    With ``brief`` only the settings of these groups.
    """
    shared = [part.settings for part in entry.parts]
    wanted = dict.fromkeys(key for settings in shared for key in settings)
    keys = [key for key in wanted if brief is None or key.partition(".")[0] in brief]
    line = {key: shared[0].get(key) if len({repr(s.get(key)) for s in shared}) == 1 else VARIES for key in keys}
    line |= {name: VARIES for part in entry.parts for name in part.varies}
    outcomes: Counter[str] = sum((part.outcomes() for part in entry.parts), start=Counter())
    done, solved = entry.runs - outcomes["pending"], outcomes["solved"]
    of = "" if done == entry.runs else f" of {done}"
    outcome = f"solved {100 * solved / done:.3g} %{of}" if done else "pending"
    counts = {"runs": entry.runs, "done": done, "solved": solved, "outcomes": outcomes}
    return {**line, **record_columns(entry, entry), "outcome": outcome, **counts}


def _text(value: object) -> str | None:
    return printable(value) if isinstance(value, str) else None


def run_columns(entry: Entry, part: RecordInfo, index: int) -> dict[str, Any]:
    """All columns of one run."""
    chunk = {name: (value,) for name, value in part.rows.at(index).items()}
    return next(_lines(entry, part, chunk, part.settings | record_columns(entry, part), _own_columns(part)))


def run_lines(entry: Entry, part: RecordInfo, brief: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
    """All columns of every run of a record; if ``brief``, those in BRIEF, what varies, and these settings."""
    config = part.metadata["config"]
    if brief is None:
        shared, own = part.settings | record_columns(entry, part), _own_columns(part)
    else:
        shared = flat_settings({key: config[key] for key in brief if key in config})
        shared["name"] = _text(part.marks.name)
        own = list(dict.fromkeys([*BRIEF, *part.varies]))
    for chunk in part.rows.chunks():
        yield from _lines(entry, part, chunk, shared, own)


def run_rows(entry: Entry, part: RecordInfo, wanted: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The wanted columns of every run of a record, one tuple per run, in the order of runs.npy."""
    shared = part.settings | record_columns(entry, part)
    for chunk in part.rows.chunks():
        yield from zip(*chunk_columns(entry, part, chunk, wanted, shared), strict=True)


def selected_rows(chosen: Selection, wanted: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The wanted columns of the selected runs of a record, one tuple per run."""
    indices = set(chosen.indices)
    rows = run_rows(chosen.entry, chosen.part, wanted)
    return (row for index, row in enumerate(rows) if index in indices)


def _own_columns(part: RecordInfo) -> list[str]:
    """The columns that may differ between the runs of a record."""
    return list(dict.fromkeys([*COMPUTED, *RESULTS, *part.varies]))


def _lines(
    entry: Entry, part: RecordInfo, chunk: Chunk, shared: Mapping[str, Any], own: Sequence[str]
) -> Iterator[dict[str, Any]]:
    for values in zip(*chunk_columns(entry, part, chunk, own, shared), strict=True):
        yield {**shared, **dict(zip(own, values, strict=True))}


def chunk_columns(
    entry: Entry | None, part: RecordInfo, chunk: Chunk, wanted: Sequence[str], shared: Mapping[str, Any]
) -> Iterator[Iterable[Any]]:
    runs = len(chunk["number"])
    for name in wanted:
        if name in RESULTS and name not in chunk:
            yield repeat(None, runs)
        elif name in COMPUTED:
            yield COMPUTED[name](entry, part, chunk)
        elif name in chunk and name not in RECORD:
            yield (value if value - value == 0 else None for value in chunk[name])
        else:
            yield repeat(shared.get(name), runs)


def column_kinds(parts: Iterable[RecordInfo], names: Iterable[str]) -> dict[str, type | None]:
    """The type of each column in all of these records: bool, int, float, or str; None if no run has a value.

    Whole numbers among others are numbers; a column of different types is one of texts.
    """
    found: dict[str, set[type]] = {name: set() for name in names}
    for part in parts:
        stored = dict(zip(part.rows.columns, (part.rows.header.columns[name] for name in part.rows.names), strict=True))
        for name, kinds in found.items():
            if name in TEXTS or name in RECORD:
                kinds.add(float if name == "seconds" else str)
            elif name in stored:
                kinds.add(_STORED.get(stored[name].lstrip("<|"), int))
            elif name not in RESULTS and (value := part.settings.get(name)) is not None:
                kinds.add(float if type(value) is int and value.bit_length() > _WHOLE_BITS else type(value))
    return {name: joined_kind(kinds) for name, kinds in found.items()}


def joined_kind(kinds: Collection[type]) -> type | None:
    """The type that can hold values of all of these."""
    if set(kinds) == {int, float}:
        return float
    return next(iter(kinds), None) if len(kinds) < 2 else str


def _statuses(part: RecordInfo, codes: Iterable[int]) -> Iterable[str]:
    """The status of each run of a record, from the codes of their outcomes."""
    unfinished = "failed" if part.status == "finished" else part.status
    return ("finished" if code else unfinished for code in codes)


def _reasons(entry: Entry, part: RecordInfo, chunk: Chunk) -> Iterable[str]:
    words = [printable(word) for word in part.metadata["outcomes"][:16]]
    return (", ".join(word for k, word in enumerate(words) if bits >> k & 1) for bits in chunk["reasons"])


def _epochs(name: str) -> Callable[[Entry, RecordInfo, Chunk], Iterable[int | None]]:
    return lambda entry, part, chunk: (None if epoch < 0 else epoch for epoch in chunk[name])


def _diverged_in(entry: Entry, part: RecordInfo, chunk: Chunk) -> Iterable[str | None]:
    for epoch, index in zip(chunk.get("diverged_at", repeat(-1)), chunk["diverged_in"], strict=False):
        name = "loss" if index < 0 else layout.parameter_name(part.metadata["parameters"], index)
        yield None if epoch < 0 else name


WORDS: dict[str, Callable[[Annotations], str | None]] = {
    "tags": lambda marks: ", ".join(map(printable, marks.tags)),
    "notes": lambda marks: printable("; ".join(marks.notes)) or None,
}


def _words(text: Callable[[Annotations], str | None], part: RecordInfo, chunk: Chunk) -> Iterable[str | None]:
    """The tags or notes of each run, as a text; those of most runs are the record's."""
    of_all, own = text(part.marks), part.marks.of_runs
    return (text(part.marks.of(number)) if number in own else of_all for number in chunk["number"])


COMPUTED: dict[str, Callable[[Any, RecordInfo, Chunk], Iterable[Any]]] = {
    "id": lambda entry, part, chunk: (entry.run_id(number) for number in chunk["number"]),
    "status": lambda entry, part, chunk: _statuses(part, chunk["outcome"]),
    "outcome": lambda entry, part, chunk: map(part.word, chunk["outcome"]),
    "reasons": _reasons,
    **{name: _epochs(name) for name in ("solved_at", "diverged_at", "exploded_at", "best_at", "epochs_done")},
    "diverged_in": _diverged_in,
    "tags": lambda entry, part, chunk: _words(WORDS["tags"], part, chunk),
    "notes": lambda entry, part, chunk: _words(WORDS["notes"], part, chunk),
}
