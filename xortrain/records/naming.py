"""Finds the record that a user names: by its path, by the beginning of its id, or as ``latest``.

The id of a run or a sweep is the date and time of its start: 2026-11-21/19-39-21-123456.  ``SWEEP#17`` is one run,
and so is ``SWEEP@lr=3.2,seed=4``.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from xortrain.errors import UserError, printable
from xortrain.records.index import Entry, RecordInfo, folders, id_of, is_entry, listing, open_entry

ROOT, VARIABLE = "outputs", "XORTRAIN_ROOT"
MOST_COMPARED = 2000  # newest ids, among which similar ones are searched
_NUMBERED = re.compile(r"(?P<entry>.+)#(?P<number>\d{1,18})")


@dataclass(frozen=True)
class Named:
    """The meaning of a name: a run, a sweep, or the run of a sweep with this number."""

    name: str
    entry: Entry
    number: int | None = None

    @property
    def id(self) -> str:
        """The id of the run or sweep."""
        return printable(self.entry.id) + ("" if self.number is None else f"#{self.number}")

    @property
    def record(self) -> Entry | RecordInfo:
        """The run or sweep or, of a sweep's run, the record with it."""
        return self.entry if self.number is None else self.run()[0]

    def run(self) -> tuple[RecordInfo, int]:
        """The record of the named run, and the run's index in it; raises UserError for a whole sweep."""
        if self.number is None:
            if self.entry.runs != 1:
                name = printable(self.name)
                first = self.entry.parts[0].rows.at(0)["number"]
                raise UserError(f"{name}: a sweep of {self.entry.runs} runs; name one of them, as in {name}#{first}")
            return self.entry.parts[0], 0
        for part in self.entry.parts:
            index = _index_of(part, self.number)
            if index is not None:
                return part, index
        raise _no_such_number(self.name, self.entry)


def _no_such_number(name: str, entry: Entry) -> UserError:
    shown, number = printable(name), printable(name.rpartition("#")[2])
    if not entry.is_sweep:
        return UserError(f"{shown}: this is a single run; leave out #{number}")
    known = [part.rows.at(place)["number"] for part in entry.parts for place in (0, len(part.rows) - 1)]
    lines = f"{shown}: no such number; this sweep has {min(known)} … {max(known)}", *entry.problems[:1]
    return UserError("; ".join(lines))


def _index_of(part: RecordInfo, number: int) -> int | None:
    if number < len(part.rows) and part.rows.at(number)["number"] == number:
        return number
    before = 0
    for chunk in part.rows.chunks():
        if number in chunk["number"]:
            return before + chunk["number"].index(number)
        before += len(chunk["number"])
    return None


def user_path(path: str | Path) -> Path:
    """A path as a user writes it, where ~ is the home folder."""
    return Path(os.path.expanduser(path))


def usual_root() -> str:
    """The folder of the records where the user names no other, as it is written: XORTRAIN_ROOT, or outputs."""
    return os.environ.get(VARIABLE, ROOT)


def default_root() -> Path:
    """The usual root as a path; raises UserError if XORTRAIN_ROOT is not the name of a folder, which may be new."""
    text = usual_root()
    if not text:
        raise UserError(f"{VARIABLE}=: must be a path; unset it to keep records in {ROOT}")
    path = user_path(text)
    if VARIABLE in os.environ and os.path.lexists(path) and not path.is_dir():
        raise UserError(f"{VARIABLE}={printable(text)}: is not a folder")
    return path


def shown_root(root: Path) -> str:
    """A root for a text that says that something is missing there, and where its name comes from."""
    is_given = VARIABLE in os.environ and root == user_path(usual_root())
    return f"{'the current folder' if root == Path() else printable(root)}{f' (from {VARIABLE})' if is_given else ''}"


def named(name: str, root: Path) -> Named:
    """Find the run or sweep with a name under a root; raises UserError with similar names if there is none."""
    numbered = None if is_entry(name) else _NUMBERED.fullmatch(name)
    if numbered:
        found = Named(name, _entry(numbered["entry"], root), int(numbered["number"]))
        found.run()
        return found
    sweep, settings = by_settings(name, root)
    if settings:
        from xortrain.records.by_settings import number_of  # which needs NumPy

        entry = _entry(sweep, root)
        return Named(name, entry, number_of(name, entry, settings))
    before, _, _ = name.rpartition("#")
    if before and not is_entry(name):
        raise _no_such_number(name, _entry(before, root))
    return Named(name, _entry(name, root))


def by_settings(name: str, root: Path) -> tuple[str, str]:
    """The sweep and the settings in a name such as SWEEP@lr=3.2; both are empty for other names."""
    sweep, _, settings = name.rpartition("@")
    is_path = is_entry(name) or is_entry(root / name) or ("=" not in settings and "/" in settings)
    return ("", "") if is_path or not sweep else (sweep, settings or " ")


def _entry(name: str, root: Path) -> Entry:
    if name != "latest":
        return open_entry(*folder_named(name, root))
    entries = listing(root).entries
    if not entries:
        raise UserError(f"latest: no runs under {shown_root(root)}")
    return entries[0]


def folder_named(name: str, root: Path) -> tuple[Path | str, str]:
    """The folder and the id of a name, whether the record is readable or not."""
    for path in (user_path(name), root / name, root / "sweeps" / name):
        if is_entry(path):
            inside = path.absolute().is_relative_to(root.absolute())
            return path, id_of(path.absolute(), root.absolute()) if inside else str(path)
    ids = {id_of(folder, root): folder for folder in folders(root)}
    start = id_of(user_path(name), root)
    matching = [start] if start in ids else sorted(key for key in ids if key.startswith(start))
    if len(matching) == 1:
        return ids[matching[0]], matching[0]
    if matching:
        listed = ", ".join(map(printable, matching[-3:]))
        several = f"{len(matching)} ids begin like this, the last ones {listed}"
        raise UserError(f"{printable(name)}: {several}; add a few characters")

    from difflib import get_close_matches

    newest = sorted(ids, reverse=True)
    near = get_close_matches(start, newest[:MOST_COMPARED], n=3, cutoff=0.4) or newest[:3]
    hint = f"Nearest: {', '.join(map(printable, near))}" if near else "There are none"
    if name and os.path.isdir(user_path(name)):
        hint = "This folder has no record.json, which every record has"
    raise UserError(f"{printable(name)}: no such run under {shown_root(root)}. {hint}")
