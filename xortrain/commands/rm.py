"""``xortrain rm``: remove runs or sweeps with their whole folders, after confirmation."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xortrain.commands.arguments import answer, command_parser, entries_of, selection
from xortrain.errors import UserError, counted, printable
from xortrain.records import layout
from xortrain.records.lock import is_locked
from xortrain.records.naming import Named, by_settings, folder_named, named
from xortrain.records.removal import STOP_IT, refuse_removal, remove

AS_A_WHOLE = "can only be removed as a whole"


@dataclass(frozen=True)
class Doomed:
    """A folder to remove; ``problem`` says why it is unreadable, empty if it is readable."""

    id: str
    folder: Path
    problem: str = ""

    def __str__(self) -> str:
        return f"{printable(self.folder)}{f' (unreadable: {self.problem})' if self.problem else ''}"


def rm(arguments: list[str]) -> str:
    """xortrain rm [RUN …] [--where EXPR]: remove, and print what was removed."""
    p = command_parser("rm")
    p.add_argument("runs", nargs="*", metavar="RUN", help="runs or sweeps")
    p.add_argument("--where", metavar="EXPR", help="only those in which every run matches this condition")
    p.add_argument("--yes", action="store_true", help="do not ask")
    a = p.parse_args(arguments)
    if not a.runs and a.where is None:
        raise UserError("rm: name runs or sweeps, or add --where")
    found = [_find(name, a.root) for name in a.runs] if a.where is None else _matching(a.runs, a.where, a.root)
    doomed = {one.folder.resolve(): one for one in found}
    for one in doomed.values():
        refuse_removal(one.folder, a.root)
    if not (a.yes or _is_confirmed(list(doomed.values()))):
        return answer(a, [], ["nothing removed"])
    for one in doomed.values():
        remove(one.folder, a.root)
    items = ({"id": printable(found.id), "removed": printable(found.folder)} for found in doomed.values())
    return answer(a, items, (f"removed {found}" for found in doomed.values()))


def _matching(names: Sequence[str], where: str, root: Path) -> list[Doomed]:
    """The runs that match a condition, and the sweeps of which every run does."""
    found, matching = selection(names, where, root), Counter[Path]()
    for chosen in found:
        matching[chosen.entry.folder] += len(chosen.indices)
    whole = [one for one in entries_of(found) if matching[one.folder] == one.runs and not one.problems]
    if not whole:
        raise UserError(f"--where={printable(where)}: matches some runs of a sweep, which {AS_A_WHOLE}")
    return [_removable(Named(entry.id, entry)) for entry in whole]


def _find(name: str, root: Path) -> Doomed:
    """The run or sweep with this name; raises UserError if it must not be removed."""
    where = printable(name)
    try:
        found = named(name, root)
    except UserError as error:
        if name == "latest" or "#" in name or by_settings(name, root)[0]:
            raise
        folder, own = folder_named(name, root)
        _refuse_population(where, Path(folder))
        return Doomed(own, Path(folder), printable(error))
    if found.number is not None and found.entry.is_sweep:
        raise UserError(f"{where}: one run of a sweep cannot be removed, only the whole sweep")
    return _removable(found)


def _removable(found: Named) -> Doomed:
    entry = found.entry
    _refuse_population(printable(found.name), entry.folder)
    if entry.status == "running":
        raise is_locked(entry.folder, entry.running_as, STOP_IT)
    return Doomed(entry.id, entry.folder)


def _refuse_population(where: str, folder: Path) -> None:
    is_population = layout.OWN_POPULATION.fullmatch(folder.resolve().name) is not None
    if is_population and os.path.lexists(folder.resolve().parent / layout.SWEEP):
        raise UserError(f"{where}: part of a sweep, which {AS_A_WHOLE}")


def _is_confirmed(doomed: Sequence[Doomed]) -> bool:
    if not sys.stdin.isatty():
        raise UserError("rm: asks before it removes anything, and there is no terminal to ask; add --yes")
    lines = [f"  {found}  {_size(found.folder)}" for found in doomed]
    return input("\n".join(["remove", *lines, "? [y/N] "])).strip().lower() in ("y", "yes")


def _size(folder: Path) -> str:
    files = [path.lstat() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return f"{counted(len(files), 'file')}, {sum(file.st_size for file in files) / 1e6:.3g} MB"
