"""The lock of a record or a sweep, so that only one process at a time trains it, and the status that follows from it.

The lock is a file with the host, id and start time of its owner.  That of a dead owner is taken over; an owner that is
not visible from here counts as alive as long as its heartbeat is fresh.
"""

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from xortrain.errors import UserError, file_error
from xortrain.records import layout
from xortrain.records.files import content_of, parse_json, shown_path, temporary_path, write_new
from xortrain.records.process import identity, is_running, process_name

FRESH = 60.0  # seconds; training touches the heartbeat every 10 seconds
LARGEST = 1 << 16  # bytes of a lock
_TOUCHED = (layout.HEARTBEAT, layout.RECORD, layout.SWEEP)
_counter = count()  # tells two locks of this process apart
Owner = Mapping[str, Any]


def status(folder: Path | str, metadata: Mapping[str, Any]) -> str:
    """The status of a record or a sweep: as it states itself, but "running" or "crashed" by what its process does."""
    if metadata["status"] == "finished":
        return "finished"
    if lock_owner(folder) is not None:
        return "running"
    if metadata["status"] != "running":
        return str(metadata["status"])
    is_alive = is_running(metadata.get("host"), metadata.get("pid"), metadata.get("process_started"))
    touched = next((name for name in _TOUCHED if os.path.lexists(f"{folder}/{name}")), layout.RECORD)
    return "running" if is_alive or (is_alive is None and _is_fresh(folder, touched)) else "crashed"


def last_sign(folder: Path | str) -> datetime | None:
    """When training last touched a record, to within about ten seconds; None if its files are missing."""
    touched = [os.stat(path).st_mtime for name in _TOUCHED if os.path.isfile(path := f"{folder}/{name}")]
    return datetime.fromtimestamp(max(touched)).astimezone() if touched else None


def _is_fresh(folder: Path | str, *names: str) -> bool:
    """Whether one of these files was touched a short time ago; the clock of another host may be ahead or behind."""
    for name in names:
        with suppress(OSError):
            if abs(time.time() - os.stat(f"{folder}/{name}", follow_symlinks=False).st_mtime) < FRESH:
                return True
    return False


def locked_folder(folder: Path) -> Path:
    """The folder with the lock of a record: its own or, for a population, that of the sweep."""
    is_population = layout.OWN_POPULATION.fullmatch(folder.name) and os.path.lexists(folder.parent / layout.SWEEP)
    return folder.parent if is_population else folder


def lock_owner(folder: Path | str) -> Owner | None:
    """The process that trains a record or a sweep, by its lock; None if there is none, or it is dead."""
    content = _content(f"{folder}/{layout.LOCK}")
    return None if content is None else _alive(folder, content)


def _content(path: str) -> bytes | None:
    """The bytes of a lock, empty if unreadable; None if there is none."""
    if not os.path.lexists(path):
        return None
    try:
        return content_of(path, LARGEST)[:]
    except UserError:
        return b"" if os.path.lexists(path) else None


def _alive(folder: Path | str, content: bytes) -> Owner | None:
    owner, is_alive = _owner(content)
    fresh = (layout.HEARTBEAT, layout.LOCK) if owner else (layout.LOCK,)
    return owner if is_alive or (is_alive is None and _is_fresh(folder, *fresh)) else None


def _owner(content: bytes) -> tuple[Owner, bool | None]:
    """The process in a lock, and whether it is alive; None if it is not visible, or the lock just being written."""
    try:
        found = parse_json(content)
    except (ValueError, RecursionError):
        found = {}
    owner = found if isinstance(found, dict) else {}
    return owner, is_running(owner.get("host"), owner.get("pid"), owner.get("process_started"))


def is_locked(folder: Path, owner: Owner, what: str = "wait until it has stopped") -> UserError:
    """The error for a record that another process trains."""
    return file_error(shown_path(folder), f"is running ({process_name(owner)}); {what}")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a record or a sweep; raises UserError if another process has it."""
    folder = locked_folder(folder)
    path, own = folder / layout.LOCK, (json.dumps(identity() | {"count": next(_counter)}) + "\n").encode()
    try:
        with _alone(folder):
            _take(path, own)
        yield
    finally:
        if _content(str(path)) == own:
            with suppress(OSError):
                path.unlink()


def _take(path: Path, own: bytes) -> None:
    while True:
        try:
            return write_new(path, own)
        except FileExistsError:
            owner = lock_owner(path.parent)
            if owner is not None:
                raise is_locked(path.parent, owner) from None
            _take_away(path.parent)


def _take_away(folder: Path) -> None:
    """Remove the lock of a dead owner, but not one that another process has made in its place meanwhile."""
    path = folder / layout.LOCK
    before, aside = _content(str(path)), temporary_path(path)
    if before is None or _alive(folder, before) is not None:
        return
    with suppress(FileNotFoundError):
        os.rename(path, aside)
        if _content(str(aside)) != before:
            with suppress(FileExistsError):
                os.link(aside, path)
        aside.unlink()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one process of this host at a time is in this context, where the system can do that."""
    try:
        import fcntl

        number = os.open(folder, os.O_RDONLY)
    except (ImportError, PermissionError):  # not on Windows
        yield
        return
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def remove_unborn(day: Path) -> None:
    """Remove folders of records under a day whose process died before they were records."""
    with suppress(OSError), os.scandir(day) as entries:
        for entry in entries:
            content = _content(f"{entry.path}/{layout.LOCK}") if entry.is_dir(follow_symlinks=False) else None
            if content is not None and _owner(content)[1] is False and _is_unborn(entry.path):
                shutil.rmtree(entry.path, ignore_errors=True)


def _is_unborn(folder: str) -> bool:
    """Whether a folder has nothing but files of a record that had not been started."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
        return len(names) == len(os.listdir(folder)) and all(
            layout.OWN_FILE.fullmatch(name) and name not in (layout.RECORD, layout.SWEEP) for name in names
        )
