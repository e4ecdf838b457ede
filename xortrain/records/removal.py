"""Removes records and sweeps: folders that hold nothing but what xortrain writes, and never through a link.

A folder is first renamed and then emptied, so that a half-removed folder is never read as a record.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from xortrain.errors import file_error, printable
from xortrain.records import layout
from xortrain.records.files import remove_leftovers, shown_path, temporary_path
from xortrain.records.index import folders, is_entry
from xortrain.records.lock import is_locked, lock_owner

STOP_IT = "stop it first"
MOST_NAMED = 3  # foreign files in an error


def is_record(folder: Path | str) -> bool:
    """Whether a folder is a record or a sweep, readable or not, and not just one with a file of that name."""
    place = "/".join(Path(folder).absolute().parts[-2:])
    others = [layout.RUNS, layout.DATA]
    with suppress(OSError):
        others += [name for name in os.listdir(folder) if layout.OWN_POPULATION.fullmatch(name)]
    has_others = any(os.path.lexists(os.path.join(folder, name)) for name in others)
    return is_entry(folder) and (has_others or layout.OWN_PLACE.fullmatch(place) is not None)


def record_above(path: Path) -> Path | None:
    """The record or sweep that a path leads into; None if there is none."""
    return next((folder for folder in path.resolve().parents if is_record(folder)), None)


def refuse_removal(folder: Path, root: Path) -> None:
    """Raise UserError for a folder that is not a record, or that has something else in it."""
    if link := _link(folder, root):
        raise file_error(folder, f"is reached through a link, {printable(shown_path(link))}; name the folder itself")
    if root.resolve().is_relative_to(folder.resolve()):
        raise file_error(folder, "is the root of the records, or contains it, and is never removed")
    inside = [path for path in folders(folder) if path != str(folder)]
    if not is_record(folder):
        raise file_error(folder, f"has a {layout.RECORD} or {layout.SWEEP}, but is not a record")
    if inside:
        raise file_error(folder, f"contains other records, as {printable(os.path.relpath(inside[0], folder))}")
    if foreign := list(_foreign(str(folder))):
        more = "" if len(foreign) <= MOST_NAMED else f" and {len(foreign) - MOST_NAMED:,} more"
        named = ", ".join(printable(os.path.relpath(path, folder)) for path in foreign[:MOST_NAMED])
        raise file_error(folder, f"contains {named}{more}, not written by xortrain; move that away first")


def _link(folder: Path, root: Path) -> Path | None:
    """The link below the root that leads to a folder, or the folder itself if it is one; None if there is none."""
    place, base = folder.absolute(), root.absolute()
    above = [path for path in place.parents if path != base and path.is_relative_to(base)]
    return next((path for path in (place, *above) if path.is_symlink()), None)


def _foreign(folder: str) -> Iterator[str]:
    """The files in a record or a sweep that are not its own; a link with a name of its own is only a name."""
    is_sweep = os.path.lexists(f"{folder}/{layout.SWEEP}")
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder and entry.name == layout.FILMS:
                names = sorted(os.listdir(entry.path))
                yield from (f"{entry.path}/{name}" for name in names if not layout.OWN_FILM.fullmatch(name))
            elif is_folder and is_sweep and layout.OWN_POPULATION.fullmatch(entry.name):
                yield from _foreign(entry.path)
            elif not layout.OWN_FILE.fullmatch(entry.name) or (is_folder and os.listdir(entry.path)):
                yield entry.path


def remove(folder: Path, root: Path) -> None:
    """Remove a record or a sweep, and the folders above it that are the root's own and empty now."""
    refuse_removal(folder, root)
    aside = temporary_path(folder)
    try:
        os.rename(folder, aside)
        owner = lock_owner(aside)
        if owner is not None:
            os.rename(aside, folder)
            raise is_locked(folder, owner, STOP_IT)
        shutil.rmtree(aside)
    except OSError as error:
        raise file_error(folder, error.strerror or error) from None
    remove_leftovers(folder.parent)
    above = folder.absolute().parent
    is_own = layout.OWN_DAY.fullmatch(above.name) and above.parent in (root.absolute(), root.absolute() / "sweeps")
    if is_own:
        with suppress(OSError):
            above.rmdir()
