"""The program's ends: its standard streams, made safe, and every error as one line and an exit code.

Exit codes: 2 for a mistake of the user, 1 for a failure, 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP.
"""

import errno
import os
import stat
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from xortrain.errors import LONGEST, OF_PATHS, FailedError, Remark, UserError, cut
from xortrain.runner.interrupts import interruption

Ending = tuple[int, str]
"""An exit code and the line that goes with it, empty for none."""


def make_streams_safe() -> None:
    """Make standard streams that never raise: closed ones lead nowhere, and what one cannot encode is escaped."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets this number, the lowest that is free; else a record might
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
        elif mode == "w" and hasattr(stream := getattr(sys, name), "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def complain(line: str) -> None:
    """Print a line to standard error, safe for a terminal, and not too long for its reader."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in f"xortrain: {line}")
    with suppress(OSError):
        print(cut(shown, LONGEST), file=sys.stderr, flush=True)


_remarks = list[str]()  # that are printed with the next text, or at the end


@contextmanager
def remarks_shown() -> Iterator[None]:
    """Print each `Remark` in this context once, as a line to standard error, before what is said next.

    A UserError, which is one line, leaves out those that nothing has followed.
    """
    seen = set[str]()

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int,
        file: TextIO | None = None, line: str | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(message, Remark):
            before(message, category, filename, lineno, file, line)
        elif str(message) not in seen:
            seen.add(str(message))
            _remarks.append(str(message))

    with warnings.catch_warnings():
        before, warnings.showwarning = warnings.showwarning, show
        warnings.simplefilter("always", Remark)
        try:
            yield
        except UserError:
            _remarks.clear()
            raise
        finally:
            _show_remarks()


def _show_remarks() -> None:
    while _remarks:
        complain(_remarks.pop(0))


def end(error: BaseException) -> int:
    """Print the line of an error that a user, a system or a limit has caused; returns the exit code, or raises it."""
    if isinstance(error, FailedError) and error.shown:
        with suppress(OSError):
            say(error.shown)
    for kinds, ending in ENDINGS:
        if isinstance(error, kinds) and (found := ending(error)):
            code, line = found
            if line:
                complain(line)
            leave_no_output()
            return code
    signalled = interruption()  # of which a library has made another error, or failed while it put something in order
    if signalled is not None:
        return end(signalled)
    raise error


def say(text: str) -> None:
    """Print a text, and flush it; one whose reader or terminal has gone is dropped, like all that follow."""
    _show_remarks()
    try:
        print(text, flush=True)
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EIO) or stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode):
            error.filename = "standard output"
            raise
        leave_no_output()


def leave_no_output() -> None:
    """Flush standard output, or drop what cannot be written, about which Python would complain at its end."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _of_system(error: Any) -> Ending | None:
    if error.strerror is None:
        return (1, f"failed: {error}") if "MPLCONFIGDIR" in str(error) else None
    if error.errno == errno.ENOMEM:
        return _of_memory(error)
    if error.errno == errno.ENOENT and error.filename is None and not _has_current_folder():
        return 2, "error: the current folder no longer exists; change to another one"
    where = f"{cut(os.fsdecode(error.filename), LONGEST // 2)}: " if isinstance(error.filename, str | bytes) else ""
    return 2 if error.errno in OF_PATHS else 1, f"error: {where}{error.strerror}"


def _has_current_folder() -> bool:
    try:
        return bool(os.getcwd())
    except OSError:
        return False


def _of_memory(error: Any) -> Ending:
    asked = str(error.strerror if isinstance(error, OSError) else error).partition("\n")[0]
    free = _free_memory()
    left = "" if free is None else f"; about {free / 1e6:,.0f} MB are free"
    return 1, f"failed: out of memory{f' ({asked})' if asked else ''}{left}; lower sizes or epochs, or sweep fewer runs"


def _of_limits(error: Any) -> Ending | None:
    """A thread that cannot be started, or a library that cannot be loaded: for want of memory, or of processes."""
    text = str(error)
    is_limit = any(part in text for part in ("can't start new thread", "map segment", "allocate memory"))
    return _of_memory(error) if is_limit else None


def _free_memory() -> int | None:
    """The bytes that this process may still use, as far as the system tells."""
    try:
        import resource

        limit, free = resource.getrlimit(resource.RLIMIT_AS)[0], _kilobytes("/proc/meminfo", "MemAvailable:")
        if limit == resource.RLIM_INFINITY:
            return free
        return min(free, max(0, limit - _kilobytes("/proc/self/status", "VmSize:")))
    except (ImportError, OSError, ValueError, MemoryError, StopIteration):
        return None


def _kilobytes(path: str, name: str) -> int:
    """A number of a table of the system, in bytes."""
    with open(path, encoding="ascii") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))


def _of_interrupt(error: BaseException) -> Ending:
    return getattr(error, "code", 130), "; ".join(["interrupted", *map(str, error.args)])


def _of_exit(error: Any) -> Ending:
    return error.code if isinstance(error.code, int) else int(error.code is not None), ""


Kinds = type[BaseException] | tuple[type[BaseException], ...]
ENDINGS: Iterable[tuple[Kinds, Callable[[Any], Ending | None]]] = (
    (SystemExit, _of_exit),  # of argparse, after --help
    (UserError, lambda error: (2, f"error: {error}")),
    (FailedError, lambda error: (1, f"failed: {error}")),
    (KeyboardInterrupt, _of_interrupt),
    (BrokenPipeError, lambda _: (0, "")),  # as in xortrain ls | head
    (OSError, _of_system),
    (MemoryError, _of_memory),
    (RecursionError, lambda _: (2, "error: something is nested too deeply to be read")),
    (UnicodeError, lambda error: (2, f"error: a text cannot be read or written ({error})")),
    (EOFError, lambda _: (2, "error: the question was not answered; add --yes")),
    ((ImportError, RuntimeError), _of_limits),
)
"""What the program does about an error, by its type; an error without an ending is a bug, and keeps its traceback."""
