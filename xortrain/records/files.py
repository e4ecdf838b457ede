"""Opening what lies in a record: plain files of its own, of bounded size, and nothing a link leads to.

Also the one way in which a record's mistakes and texts are told, safe for a terminal.
"""

import errno
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO, Any, BinaryIO

from xortrain.errors import UserError

LARGEST_JSON = 16 << 20  # bytes; a record of a million runs has a few kilobytes
SMALL = 1 << 20  # bytes up to which reading is quicker than mapping
_parse = json.JSONDecoder().decode
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def plain(text: object) -> str:
    """A text without what moves a terminal's cursor or turns its direction; tabs and line ends become spaces."""
    told = text if isinstance(text, str) else str(text)
    if told.isprintable():
        return told
    return "".join(c if c.isprintable() else " " for c in told if c.isprintable() or c.isspace())


def wrong(path: Path | str, what: object) -> UserError:
    """The one line that says what is wrong with a file."""
    return UserError(f"{plain(path)}: {plain(what)}")


def open_own(path: Path | str) -> BinaryIO:
    """Open a plain file for reading."""
    return os.fdopen(_open(path)[0], "rb")


def _open(path: Path | str) -> tuple[int, int]:
    """Descriptor and size of a plain file; a link, a pipe or a folder is not followed, waited for or read."""
    try:
        number = os.open(path, _FLAGS)
    except FileNotFoundError:
        raise wrong(path, "is missing") from None
    except (OSError, ValueError) as error:
        is_link = getattr(error, "errno", None) in (errno.ELOOP, errno.EMLINK)
        raise wrong(path, "a link; a record holds its own files" if is_link else error) from None
    metadata = os.fstat(number)
    if not stat.S_ISREG(metadata.st_mode):
        os.close(number)
        raise wrong(path, "is not a plain file")
    return number, metadata.st_size


def content_of(path: Path | str, largest: int) -> bytes | mmap:
    """All bytes of such a file, unless it is larger than that: read, or mapped if they are many."""
    number, size = _open(path)
    try:
        if size > largest:
            raise wrong(path, f"larger than {largest} bytes")
        return os.read(number, size) if size <= SMALL else mmap(number, size, access=ACCESS_READ)
    finally:
        os.close(number)


def read_json(path: Path | str) -> Any:
    """A JSON file of bounded size."""
    try:
        return _parse(content_of(path, LARGEST_JSON)[:].decode())
    except UserError:
        raise
    except (ValueError, RecursionError) as error:
        raise wrong(path, f"broken JSON ({error})") from None


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """Write to another name beside it; rename at the end, or leave nothing.  What lies in /dev is written to.

    What goes wrong is told of the path, and not of the name beside it.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.parts[:2] == ("/", "dev"):  # /dev/stdout, /dev/null
        with open(path, "wb") as file:
            yield file
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "w+b") as file:
            yield file
        os.replace(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(part)):
            error.filename, error.filename2 = str(path), None
        raise


def shown_path(path: Path | None) -> str:
    """A path as a user types it from the working folder."""
    absolute = Path(path or ".").absolute()
    try:
        return str(absolute.relative_to(Path.cwd()))
    except ValueError:
        return str(absolute)
