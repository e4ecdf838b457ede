"""Reads and writes files safely: plain files of bounded size, never through a link, written whole or not at all."""

import errno
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import count
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO, Any, BinaryIO

from xortrain.errors import file_error
from xortrain.records.process import TOKEN, is_token_alive, token

LARGEST_JSON = 4 << 20  # bytes; the record of a million runs has a few kilobytes
MOST_NESTED = 64  # lists and mappings in each other
MOST_DIGITS = 40  # of a whole number
SMALL = 1 << 20  # bytes up to which reading is faster than mapping
ABANDONED = 24 * 60 * 60.0  # seconds after which a temporary file of a process that is not visible from here is removed
_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)|[\[{]|[\]}]', re.DOTALL)
_KINDS = bytes.maketrans(b"123456789{", b"000000000[")
_EARLIER = r"\.(film\.\w+|(record|sweep|advice)\.json)\.\d+\.part|\.removing-\d\d-\d\d-\d\d-\d{6}"  # of versions before
_TEMPORARY = re.compile(rf"\..+?\.(?P<owner>{TOKEN})-\d+\.part|{_EARLIER}")
_counter = count()
_FLAGS_OF_WRITERS = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"))
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def open_own(path: Path | str) -> BinaryIO:
    """Open a plain file for reading; raises UserError for links, pipes and folders."""
    return os.fdopen(_open(path)[0], "rb")


def _open(path: Path | str) -> tuple[int, int]:
    """Descriptor and size of a plain file."""
    try:
        number = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        link = "is a link; a record must contain the file itself"
        known: dict[Any, Any] = {errno.ENOENT: "is missing", errno.ELOOP: link, errno.EMLINK: link}
        reason = known.get(getattr(error, "errno", None), getattr(error, "strerror", None) or error)
        raise file_error(path, reason) from None
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
    """The content of a JSON file; raises UserError if it is missing, too large or too deep, or broken."""
    content = content_of(path, LARGEST_JSON)[:]
    try:
        return parse_json(content)
    except (ValueError, RecursionError) as error:
        raise file_error(path, f"broken JSON ({error})") from None


def parse_json(content: bytes) -> Any:
    """Parse JSON, trusted or not; raises ValueError beyond MOST_NESTED brackets or MOST_DIGITS digits."""
    kinds, text = content.translate(_KINDS), content.decode().strip(" \t\n\r")
    opened = len(kinds) - len(kinds.replace(b"[", b""))  # four times as fast as to count them
    if opened > MOST_NESTED and _is_too_deep(content):
        raise ValueError(f"more than {MOST_NESTED} lists and mappings nested in each other")
    if _LONG in kinds:
        return _parse_careful(text)
    try:
        found, end = _scan(text, 0)
    except StopIteration:
        end = -1
    return found if end == len(text) else _parse(text)  # which says what is wrong


def _is_too_deep(content: bytes) -> bool:
    """Whether more than MOST_NESTED brackets outside of texts are ever open at once."""
    depth = 0
    for found in _BRACKETS.finditer(content):
        first = content[found.start()]
        depth += (first in b"[{") - (first in b"]}")
        if depth > MOST_NESTED:
            return True
    return False


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


_LONG = b"0" * MOST_DIGITS
_decoder: Any = json.JSONDecoder()
_parse, _scan = _decoder.decode, _decoder.scan_once
_parse_careful = json.JSONDecoder(parse_int=_whole).decode


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object atomically, one key per line."""
    lines = (f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in content.items())
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    written = text.encode("utf-8", "backslashreplace")  # a lone surrogate becomes \udc80, as JSON escapes it
    if len(written) > LARGEST_JSON:
        raise file_error(path, f"would be larger than {LARGEST_JSON} bytes, more than is read again")
    with atomic(path) as file:
        file.write(written)


def append_line(path: Path, line: str, largest: int) -> None:
    """Append a line in one write, or raise OSError with the path and leave the file as it was."""
    flags = os.O_RDWR | os.O_APPEND | _FLAGS_OF_WRITERS
    while True:
        with _errors_name(path):
            file = os.open(path, flags | os.O_CREAT, 0o666)
            try:
                if os.fstat(file).st_nlink and _append(file, path, line, largest):
                    return
            finally:
                os.close(file)


def _append(file: int, path: Path, line: str, largest: int) -> bool:
    """Append a line to an open file; False if another process removed this file meanwhile."""
    size = os.lseek(file, 0, os.SEEK_END)
    written = b"\n" * _ends_inside_a_line(file, size) + line.encode("utf-8", "backslashreplace") + b"\n"
    if size + len(written) > largest:
        raise OSError(errno.EFBIG, f"would be larger than {largest} bytes, more than is read again")
    done = 0
    try:
        done = os.write(file, written)
        if done < len(written):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(file)
    except BaseException:
        end = os.lseek(file, 0, os.SEEK_CUR)
        if os.fstat(file).st_size == end:  # else another process has appended its line behind, which closes this one
            os.ftruncate(file, end - done)
            if end == done:
                path.unlink(missing_ok=True)
        raise
    return os.fstat(file).st_nlink > 0


def _ends_inside_a_line(file: int, size: int) -> bool:
    """Whether a crash, or a full disk, has cut the last line of a file."""
    if not size:
        return False
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1) != b"\n"


def write_new(path: Path, content: bytes) -> None:
    """Create a small file that must not exist, whole or not at all."""
    with _errors_name(path):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS_OF_WRITERS, 0o666)
        try:
            if os.write(file, content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(file)


@contextmanager
def _errors_name(path: Path, part: Path | None = None) -> Iterator[None]:
    """Errors in this context name ``path``, not its temporary file."""
    try:
        yield
    except OSError as error:
        if error.errno and error.filename in (None, str(path), str(part)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def temporary_path(path: Path) -> Path:
    """A new name beside a path for what is not yet, or no longer, in its place; it tells which process uses it."""
    return path.with_name(f".{path.name[:50]}.{token(os.getpid())}-{next(_counter)}.part")


def remove_leftovers(folder: Path | str) -> None:
    """Remove what dead processes have left under temporary names in a folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = entry.name[0] == "." and _TEMPORARY.fullmatch(entry.name)
            if found and _is_abandoned(entry, found["owner"]):
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path)
                    else:
                        os.unlink(entry.path)


def _is_abandoned(entry: "os.DirEntry[str]", owner: str | None) -> bool:
    """Whether the owner of a temporary file is dead or, if it is not visible from here, likely so."""
    is_alive = is_token_alive(owner) if owner else None
    if is_alive is None:
        status = entry.stat(follow_symlinks=False)
        return time.time() - max(status.st_mtime, status.st_ctime) > ABANDONED
    return not is_alive


_remove_leftovers_once = lru_cache(maxsize=1024)(remove_leftovers)


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
    _remove_leftovers_once(path.parent)
    part = temporary_path(path)
    flags = os.O_EXCL | _FLAGS_OF_WRITERS
    try:
        with (
            _errors_name(path, part),
            open(part, "w+b", opener=lambda name, given: os.open(name, given | flags, 0o666)) as file,
        ):
            yield file
            file.close()
            os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Fill a temporary folder beside ``path`` and rename it at the end; an error leaves nothing.

    Raises UserError if there is something at ``path`` other than an empty folder.
    """
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise file_error(path, "exists, and is not an empty folder; choose another")
    _remove_leftovers_once(path.parent)
    part = temporary_path(path)
    try:
        with _errors_name(path, part):
            os.mkdir(part)
            yield part
            with suppress(FileNotFoundError):
                path.rmdir()
            os.replace(part, path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def shown_path(path: Path | None) -> str:
    """A path as a user types it from the working directory."""
    absolute = Path(path or ".").absolute()
    try:
        return str(absolute.relative_to(Path.cwd()))
    except ValueError:
        return str(absolute)
