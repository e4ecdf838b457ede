"""Which record a user means: by its path, by the beginning of its id, by ``latest``, and ``SWEEP#17`` for one run.

The id of a run or a sweep is the date and time of its start, as its folder has them: 2026-11-21/19-39-21-123456.
"""

import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.files import plain
from xortrain.records.index import Entry, RecordInfo, folders, id_of, listing, open_entry

MOST_COMPARED = 2000  # ids, newest first, among which the nearest are looked for
_NUMBERED = re.compile(r"(?P<entry>.+)#(?P<number>\d{1,18})")


@dataclass(frozen=True)
class Named:
    """What a name means: a run, a sweep, or the run of a sweep with this number."""

    name: str
    entry: Entry
    number: int | None = None

    def run(self) -> tuple[RecordInfo, int]:
        """The one run that is meant: its record, and its place in it."""
        if self.number is None:
            if self.entry.runs != 1:
                name = plain(self.name)
                raise UserError(f"{name}: a sweep of {self.entry.runs} runs; name one of them, as in {name}#0")
            return self.entry.parts[0], 0
        for part in self.entry.parts:
            place = _place(part, self.number)
            if place is not None:
                return part, place
        if not self.entry.is_sweep:
            raise UserError(f"{plain(self.name)}: this is a single run; leave out #{self.number}")
        raise UserError(f"{plain(self.name)}: no such number; this sweep has 0 … {self.entry.runs - 1}")


def _place(part: RecordInfo, number: int) -> int | None:
    if number < len(part.rows) and part.rows.at(number)["number"] == number:
        return number
    before = 0
    for chunk in part.rows.chunks():
        if number in chunk["number"]:
            return before + chunk["number"].index(number)
        before += len(chunk["number"])
    return None


def named(name: str, root: Path) -> Named:
    """What a name means under a root; raises UserError, with the nearest names, for one that means nothing."""
    numbered = None if _is_folder(Path(name)) else _NUMBERED.fullmatch(name)
    if numbered:
        found = Named(name, _entry(numbered["entry"], root), int(numbered["number"]))
        found.run()
        return found
    before, mark, number = name.rpartition("#")
    if mark and before and not _is_folder(Path(name)):
        entry = _entry(before, root)
        known = f"0 … {entry.runs - 1}" if entry.is_sweep else "none, it is a single run"
        raise UserError(f"{plain(name)}: no such number as #{plain(number)}; known: {known}")
    return Named(name, _entry(name, root))


def _is_folder(path: Path) -> bool:
    return any(os.path.lexists(path / name) for name in (layout.RECORD, layout.SWEEP))


def _entry(name: str, root: Path) -> Entry:
    return _latest(root) if name == "latest" else open_entry(*folder_named(name, root))


def folder_named(name: str, root: Path) -> tuple[Path | str, str]:
    """The folder that a name means, whether what lies in it can be read or not, and its id."""
    for path in (Path(name), root / name, root / "sweeps" / name):
        if _is_folder(path):
            inside = path.absolute().is_relative_to(root.absolute())
            return path, id_of(path.absolute(), root.absolute()) if inside else str(path)
    ids = {id_of(folder, root): folder for folder in folders(root)}
    start = id_of(Path(name), root)
    matching = [start] if start in ids else sorted(key for key in ids if key.startswith(start))
    if len(matching) == 1:
        return ids[matching[0]], matching[0]
    if matching:
        listed = ", ".join(map(plain, matching[-3:]))
        raise UserError(f"{plain(name)}: {len(matching)} ids begin so, the last of them {listed}; add a few characters")
    raise UserError(f"{plain(name)}: no such run under {plain(root)}. {_nearest(start, list(ids))}")


def _latest(root: Path) -> Entry:
    entries = listing(root).entries
    if not entries:
        raise UserError(f"latest: no runs under {plain(root)}")
    return entries[0]


def _nearest(name: str, ids: list[str]) -> str:
    newest = sorted(ids, reverse=True)
    near = get_close_matches(name, newest[:MOST_COMPARED], n=3, cutoff=0.4) or newest[:3]
    return f"Nearest: {', '.join(map(plain, near))}" if near else "There are none"
