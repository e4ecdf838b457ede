"""Runs xortrain's commands in forked processes: within limits, and with system calls that fail on purpose.

The parent has imported everything, so a command takes milliseconds.  A child has a session, a working folder and files
for its output of its own.
"""

import errno
import io
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MEMORY = 2 << 30  # bytes of address space
SECONDS = 10.0
TIMED_OUT = -99


@dataclass(frozen=True)
class Fault:
    """The ``nth`` of these calls below the working folder fails with an error, or writes half of what it is given."""

    call: str
    nth: int
    error: int | None = None

    def __str__(self) -> str:
        how = errno.errorcode[self.error] if self.error else "half"
        return f"{self.call} {self.nth} {how}"


CALLS = ("open", "write", "fsync", "rename", "unlink", "mkdir")
ERRORS = (errno.EIO, errno.ENOSPC)


@dataclass(frozen=True)
class Done:
    """How a command ended: its exit code (minus the signal that killed it), what it printed, and the calls it made.

    ``calls`` are counted only under a `Fault`.
    """

    words: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float
    calls: dict[str, int] = field(default_factory=dict)


def load() -> None:
    """Import what commands use, so that forked processes have it."""
    import xortrain.cli
    import xortrain.commands.explain_and_check
    import xortrain.commands.export
    import xortrain.commands.ls
    import xortrain.commands.rerun
    import xortrain.commands.rm
    import xortrain.commands.tag
    import xortrain.config.compose
    import xortrain.films.formats
    import xortrain.hydra_app
    import xortrain.hydra_sweeps.jobs
    import xortrain.runner.sweep
    import xortrain.views.run_film
    import xortrain.views.sweep_film  # noqa: F401


def run(
    words: Sequence[str], folder: Path, *, seconds: float = SECONDS, memory: int = MEMORY,
    largest_file: int | None = None, fault: Fault | None = None, kill: tuple[float, int] | None = None,
) -> Done:  # fmt: skip
    """Run a command in a folder; ``kill`` sends a signal after some seconds."""
    texts = [folder.parent / f"{folder.name}.{name}" for name in ("out", "err")]
    for path in texts:
        path.touch()
    ready, started = os.pipe()
    child = os.fork()
    if not child:
        _in_child(words, folder, texts, memory, largest_file, fault, started)
    os.close(started)
    os.read(ready, 1)
    began = time.monotonic()
    code, sent = None, False
    while code is None:
        now = time.monotonic() - began
        if kill and not sent and now >= kill[0]:
            sent = True
            _signal(child, kill[1])
        if now > seconds:
            _signal(child, signal.SIGKILL)
            os.waitpid(child, 0)
            code = TIMED_OUT
            break
        waiting, status = os.waitpid(child, os.WNOHANG)
        code = os.waitstatus_to_exitcode(status) if waiting else None
        time.sleep(0.0005 if now < 0.1 else 0.004)
    _signal(child, signal.SIGKILL)  # workers that it has left
    os.set_blocking(ready, False)
    try:
        counts = os.read(ready, 4096)
    except BlockingIOError:  # a worker that it has left holds the other end
        counts = b""
    os.close(ready)
    out, err = (path.read_text(encoding="utf-8", errors="backslashreplace") for path in texts)
    for path in texts:
        path.unlink()
    return Done(tuple(words), code, out, err, time.monotonic() - began, json.loads(counts) if counts else {})


def _signal(child: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child, number)


def _in_child(
    words: Sequence[str], folder: Path, texts: Sequence[Path], memory: int, largest_file: int | None,
    fault: Fault | None, started: int,
) -> None:  # fmt: skip
    code, faults = 70, None
    try:
        os.setsid()
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, path in enumerate(texts, start=1):
            os.dup2(os.open(path, os.O_WRONLY), number)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGXFSZ):
            signal.signal(number, {signal.SIGINT: signal.default_int_handler}.get(number, signal.SIG_DFL))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
        sys.argv = ["xortrain", *words]
        if fault:
            faults = _Faults(fault, os.path.realpath(folder))
            faults.install()
        from xortrain.cli import main
        from xortrain.startup import leave_at_once

        leave_at_once()  # as the program does at its start
        os.write(started, b"x")
        code = main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        with suppress(BaseException):
            traceback.print_exc()
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
        with suppress(BaseException):
            sys.stderr.flush()
        with suppress(BaseException):
            if faults:
                faults.real_write(started, json.dumps(faults.seen).encode())
        os._exit(code)


class _Faults:
    """Counts the calls below a folder, and lets one of them fail."""

    def __init__(self, fault: Fault, root: str) -> None:
        self.fault, self.root = fault, root
        self.seen: Counter[str] = Counter()
        self.own = set[int]()  # descriptors of files below the folder
        self.is_over = False

    def install(self) -> None:
        """Replace the functions of os and io."""
        for call, names in {
            "fsync": ("fsync",), "rename": ("rename", "replace"), "unlink": ("unlink", "remove"),
            "mkdir": ("mkdir", "link"),
        }.items():  # fmt: skip
            for name in names:
                setattr(os, name, self._failing(call, getattr(os, name)))
        self.real_open, self.real_write, self.real_io = os.open, os.write, io.open
        os.open, os.write = self._os_open, self._os_write
        import builtins

        builtins.open = io.open = self._io_open

    def _failing(self, call: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            if self._is_below(arguments[0]) or options.get("dir_fd") is not None:
                self._count(call, arguments[0])
            return function(*arguments, **options)

        return called

    def _is_below(self, path: Any) -> bool:
        if isinstance(path, int):
            return path in self.own
        try:
            return os.path.realpath(os.fspath(path)).startswith(self.root + os.sep)
        except (TypeError, ValueError):
            return False

    def _count(self, call: str, path: Any) -> bool:
        """Whether this call writes half; raises OSError if it fails."""
        self.seen[call] += 1
        if call != self.fault.call or self.seen[call] != self.fault.nth:
            return False
        if self.fault.error is None:
            return True
        raise OSError(self.fault.error, os.strerror(self.fault.error), path if not isinstance(path, int) else None)

    def _os_open(self, path: Any, flags: int, *rest: Any, **options: Any) -> int:
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR)) and self._is_below(path)
        if writes:
            self._count("open", path)
        number = self.real_open(path, flags, *rest, **options)
        if writes:
            self.own.add(number)
        return number

    def _os_write(self, number: int, data: Any) -> int:
        if number in self.own and self._count("write", number):
            return self.real_write(number, bytes(data)[: len(data) // 2])
        return self.real_write(number, data)

    def _io_open(
        self, file: Any, mode: str = "r", buffering: int = -1, encoding: str | None = None, errors: str | None = None,
        newline: str | None = None, closefd: bool = True, opener: Any = None,
    ) -> Any:  # fmt: skip
        if not set(mode) & set("wax+") or not self._is_below(file):
            return self.real_io(file, mode, buffering, encoding, errors, newline, closefd, opener)
        self._count("open", file)
        raw = _FaultyFile(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        raw.faults = self
        self.own.add(raw.fileno())
        buffer: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffer if "b" in mode else io.TextIOWrapper(buffer, encoding, errors, newline)


class _FaultyFile(io.FileIO):
    faults: _Faults

    def write(self, data: Any) -> int:
        if self.faults._count("write", self.fileno()):
            view = memoryview(data).cast("B")
            return super().write(view[: len(view) // 2])
        return super().write(data)
