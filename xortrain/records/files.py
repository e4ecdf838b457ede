"""Reads and writes files safely: plain files of bounded size, never through a link, written whole or not at all."""

import errno
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO, Any, BinaryIO

from xortrain.errors import UserError, file_error

LARGEST_JSON = 16 << 20  # bytes; the record of a million runs has a few kilobytes
SMALL = 1 << 20  # bytes up to which reading is faster than mapping
_parse = json.JSONDecoder().decode
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def open_own(path: Path | str) -> BinaryIO:
    """Open a plain file for reading; raises UserError for links, pipes and folders."""
    return os.fdopen(_open(path)[0], "rb")


def _open(path: Path | str) -> tuple[int, int]:
    """Descriptor and size of a plain file."""
    try:
        number = os.open(path, _FLAGS)
    except FileNotFoundError:
        raise file_error(path, "is missing") from None
    except (OSError, ValueError) as error:
        is_link = getattr(error, "errno", None) in (errno.ELOOP, errno.EMLINK)
        raise file_error(path, "is a link; a record must contain the file itself" if is_link else error) from None
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode):
        os.close(number)
        raise file_error(path, "is not a plain file")
    return number, status.st_size


def content_of(path: Path | str, largest: int) -> bytes | mmap:
    """The bytes of a plain file, read or memory-mapped; raises UserError above ``largest`` bytes."""
    number, size = _open(path)
    try:
        if size > largest:
            raise file_error(path, f"larger than {largest} bytes")
        return os.read(number, size) if size <= SMALL else mmap(number, size, access=ACCESS_READ)
    finally:
        os.close(number)


def read_json(path: Path | str) -> Any:
    """The content of a JSON file; raises UserError if it is missing, larger than LARGEST_JSON, or broken."""
    try:
        return _parse(content_of(path, LARGEST_JSON)[:].decode())
    except UserError:
        raise
    except (ValueError, RecursionError) as error:
        raise file_error(path, f"broken JSON ({error})") from None


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object atomically, one key per line."""
    lines = (f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in content.items())
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    with atomic(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))  # a lone surrogate becomes \udc80, as JSON escapes it


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """Write to a temporary file beside ``path`` and rename it at the end; an error leaves the old file untouched.

    Paths in /dev are written directly.  Errors name ``path``, not the temporary file.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.parts[:2] == ("/", "dev"):  # /dev/stdout, /dev/null
        with open(path, "wb") as file:
            yield file
        return
    part, no_link = path.with_name(f".{path.name}.{os.getpid()}.part"), getattr(os, "O_NOFOLLOW", 0)
    try:
        with open(part, "w+b", opener=lambda name, flags: os.open(name, flags | no_link, 0o666)) as file:
            yield file
        os.replace(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(part)):
            error.filename, error.filename2 = str(path), None
        raise


def shown_path(path: Path | None) -> str:
    """A path as a user types it from the working directory."""
    absolute = Path(path or ".").absolute()
    try:
        return str(absolute.relative_to(Path.cwd()))
    except ValueError:
        return str(absolute)
