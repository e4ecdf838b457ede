"""Which runs a command is about: those named, or all under the root, and of them those for which a condition holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xortrain.errors import UserError
from xortrain.records.files import plain
from xortrain.records.index import Entry, Part, listing
from xortrain.records.naming import named


@dataclass(frozen=True)
class Selection:
    """Some runs of one record, by their places in it, rising."""

    entry: Entry
    part: Part
    places: Sequence[int]


def selection(names: Sequence[str], where: str | None, root: Path) -> list[Selection]:
    """The runs that are meant, record by record; at least one."""
    found = named_runs(names, root) if names else all_runs(listing(root).entries)
    if where is not None:
        from xortrain.records.query import select

        keep = {(part.folder, place) for _, part, place in select(entries_of(found), where, "--where")}
        found = [Selection(s.entry, s.part, [k for k in s.places if (s.part.folder, k) in keep]) for s in found]
    found = [some for some in found if some.places]
    if not found:
        raise UserError("no runs are chosen" if where is None else f"--where={plain(where)}: holds for no run")
    return found


def all_runs(entries: Sequence[Entry]) -> list[Selection]:
    """Every run of these."""
    return [Selection(entry, part, range(len(part.rows))) for entry in entries for part in entry.parts]


def entries_of(found: Sequence[Selection]) -> list[Entry]:
    """Each record that some of them are of, once."""
    return list({some.entry.folder: some.entry for some in found}.values())


def named_runs(names: Sequence[str], root: Path) -> list[Selection]:
    """The runs of some names: each run once, however often it is named."""
    whole: dict[Path, Selection] = {}
    single: dict[Path, tuple[Entry, Part, set[int]]] = {}
    for name in names:
        found = named(name, root)
        if found.number is None:
            whole |= {some.part.folder.resolve(): some for some in all_runs([found.entry])}
        else:
            part, place = found.run()
            single.setdefault(part.folder.resolve(), (found.entry, part, set()))[2].add(place)
    parts = {key: Selection(entry, part, sorted(places)) for key, (entry, part, places) in single.items()}
    return list({**parts, **whole}.values())
