"""``xortrain rm``: remove runs or sweeps, whole folders, after a question.

A folder is given another name first and emptied then, so that what is half removed is never taken for a record.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.files import plain, wrong
from xortrain.records.index import Entry
from xortrain.records.naming import named
from xortrain.tracker.arguments import NAMES, parser
from xortrain.tracker.text import as_json

REMOVING = ".removing-"  # in front of the name of a folder that is being removed


def rm(arguments: list[str]) -> str:
    """Remove; says what was removed."""
    p = parser("rm", notes=NAMES)
    p.add_argument("runs", nargs="+", metavar="RUN", help="runs or sweeps")
    p.add_argument("--yes", action="store_true", help="do not ask")
    a = p.parse_args(arguments)
    entries = {entry.folder.resolve(): entry for entry in (_whole(name, a.root) for name in a.runs)}
    if not (a.yes or _agreed(list(entries.values()))):
        return "[]" if a.json else "nothing removed"
    for folder in entries:
        _remove(folder)
    if a.json:
        return as_json({"id": plain(entry.id), "removed": plain(entry.folder)} for entry in entries.values())
    return "\n".join(f"removed {plain(entry.folder)}" for entry in entries.values())


def _whole(name: str, root: Path) -> Entry:
    """The run or sweep of a name, which can be removed."""
    found = named(name, root)
    where = plain(name)
    if found.number is not None and found.entry.is_sweep:
        raise UserError(f"{where}: one run of a sweep cannot be removed, only the whole sweep")
    if os.path.lexists(found.entry.folder.resolve().parent / layout.SWEEP):
        raise UserError(f"{where}: part of a sweep, which can only be removed whole")
    if found.entry.status == "running":
        raise UserError(f"{where}: is running (process {plain(found.entry.about.get('pid'))}); end that first")
    return found.entry


def _agreed(entries: Sequence[Entry]) -> bool:
    if not sys.stdin.isatty():
        raise UserError("rm: asks before it removes anything, and there is no terminal to ask; add --yes")
    lines = [f"  {plain(entry.folder)}  {_size(entry.folder)}" for entry in entries]
    return input("\n".join(["remove", *lines, "? [y/N] "])).strip().lower() in ("y", "yes")


def _size(folder: Path) -> str:
    files = [path.lstat() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return f"{len(files)} files, {sum(file.st_size for file in files) / 1e6:.3g} MB"


def _remove(folder: Path) -> None:
    aside = folder.with_name(REMOVING + folder.name)
    try:
        os.replace(folder, aside)
        shutil.rmtree(aside)
    except OSError as error:
        raise wrong(folder, error.strerror or error) from None
    with suppress(OSError):  # the day's folder, if that was its last
        folder.parent.rmdir()
