"""``xortrain rm``: remove runs or sweeps, whole folders, after a question.

A folder is given another name first and emptied then, so that what is half removed is never taken for a record.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from xortrain.commands.arguments import NAMES, parser
from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.files import plain, wrong
from xortrain.records.naming import folder_named, named
from xortrain.records.process import called
from xortrain.records.tables import as_json

REMOVING = ".removing-"  # in front of the name of a folder that is being removed


@dataclass(frozen=True)
class Doomed:
    """A folder that is to be removed, and why it could not be read, if so."""

    id: str
    folder: Path
    problem: str = ""

    def told(self) -> str:
        return f"{plain(self.folder)}{f' (unreadable: {self.problem})' if self.problem else ''}"


def rm(arguments: list[str]) -> str:
    """Remove; says what was removed."""
    p = parser("rm", notes=NAMES)
    p.add_argument("runs", nargs="+", metavar="RUN", help="runs or sweeps")
    p.add_argument("--yes", action="store_true", help="do not ask")
    a = p.parse_args(arguments)
    doomed = {found.folder.resolve(): found for found in (_whole(name, a.root) for name in a.runs)}
    if not (a.yes or _agreed(list(doomed.values()))):
        return "[]" if a.json else "nothing removed"
    for folder in doomed:
        _remove(folder)
    if a.json:
        return as_json({"id": plain(found.id), "removed": plain(found.folder)} for found in doomed.values())
    return "\n".join(f"removed {found.told()}" for found in doomed.values())


def _whole(name: str, root: Path) -> Doomed:
    """The run or sweep of a name, which can be removed."""
    where = plain(name)
    try:
        found = named(name, root)
    except UserError as error:
        if name == "latest" or "#" in name:
            raise
        folder, own = folder_named(name, root)
        _refuse_part(where, Path(folder))
        return Doomed(own, Path(folder), plain(error))
    if found.number is not None and found.entry.is_sweep:
        raise UserError(f"{where}: one run of a sweep cannot be removed, only the whole sweep")
    _refuse_part(where, found.entry.folder)
    if found.entry.status == "running":
        raise UserError(f"{where}: is running ({called(found.entry.metadata)}); end that first")
    return Doomed(found.entry.id, found.entry.folder)


def _refuse_part(where: str, folder: Path) -> None:
    if os.path.lexists(folder.resolve().parent / layout.SWEEP):
        raise UserError(f"{where}: part of a sweep, which can only be removed whole")


def _agreed(doomed: Sequence[Doomed]) -> bool:
    if not sys.stdin.isatty():
        raise UserError("rm: asks before it removes anything, and there is no terminal to ask; add --yes")
    lines = [f"  {found.told()}  {_size(found.folder)}" for found in doomed]
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
