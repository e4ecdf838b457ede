"""Ctrl-C and SIGTERM are not lost in a library, and never reach a process that is just starting."""

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from waiting import wait_until

from xortrain.runner import engines
from xortrain.runner.interrupts import HungUp, Terminated, interrupts_first, postponed, signals_as_exceptions
from xortrain.runner.progress import Progress

BLOCKED = "import signal; print(sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))))"
ENDS = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated), (signal.SIGHUP, HungUp)]


def library(number: int, other: type[Exception] | None) -> None:
    """Ignores Ctrl-C, or raises another error instead."""
    try:
        signal.raise_signal(number)
    except KeyboardInterrupt:
        if other:
            raise other from None


@pytest.mark.parametrize("other", [None, ValueError])
@pytest.mark.parametrize(("number", "end"), ENDS)
def test_ctrl_c_ends_a_library_that_ignores_or_replaces_it(
    number: int, end: type[KeyboardInterrupt], other: type[Exception] | None
) -> None:
    before = [signal.getsignal(number) for number, _ in ENDS]
    with pytest.raises(KeyboardInterrupt) as raised, signals_as_exceptions(), interrupts_first():
        library(number, other)
    assert raised.type is end
    assert [signal.getsignal(number) for number, _ in ENDS] == before


class Destroyed:
    """Receives a signal where Python cannot raise an exception."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)


@pytest.mark.parametrize("context", [nullcontext, interrupts_first])
@pytest.mark.parametrize(("number", "end"), ENDS)
def test_a_signal_that_python_drops_comes_again(
    number: int,
    end: type[KeyboardInterrupt],
    context: Callable[[], AbstractContextManager[None]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    def drop_and_wait() -> None:
        Destroyed(number)
        wait_until(lambda: False)

    with pytest.raises(KeyboardInterrupt) as raised, signals_as_exceptions(), context():
        drop_and_wait()
    assert raised.type is end
    assert capfd.readouterr() == ("", "")


def test_other_errors_of_destructors_are_shown_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = list[Any]()
    monkeypatch.setattr(sys, "__unraisablehook__", lambda unraisable: shown.append(unraisable.exc_type))
    with signals_as_exceptions():
        Destroyed(-1)
    assert issubclass(shown.pop(), (OSError, ValueError))  # no signal has this number


def test_without_ctrl_c_an_error_stays_the_same() -> None:
    with pytest.raises(ValueError, match="so it is"), interrupts_first():
        raise ValueError("so it is")


@pytest.mark.parametrize("number", [number for number, _ in ENDS])
def test_ctrl_c_waits_and_a_process_started_meanwhile_never_gets_it(number: int) -> None:
    with signals_as_exceptions(), postponed() as waiting:
        started = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=True).stdout
        signal.raise_signal(number)
    assert waiting == [number]
    assert started == "[1, 2, 15]\n"
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])


def ending_under_fire(done: list[str]) -> None:
    """Takes a moment to end, and gets SIGTERM twice."""
    with signals_as_exceptions():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            done.append("ended")


def test_a_second_sigterm_does_not_disturb_the_end_started_by_the_first() -> None:
    done = list[str]()
    with pytest.raises(Terminated):
        ending_under_fire(done)
    assert done == ["ended"]


def test_sigterm_is_left_to_an_existing_handler() -> None:
    heard = list[int]()
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        with signals_as_exceptions():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


STARTING = """
import signal, sys
signal.signal(signal.SIGINT, {before})
from xortrain.startup import leave_at_once
leave_at_once()
signal.raise_signal(int(sys.argv[1]))
print("goes on")
"""


@pytest.mark.parametrize(
    ("number", "before", "code", "out", "err"),
    [
        (signal.SIGINT, "signal.default_int_handler", 130, "", "xortrain: interrupted\n"),
        (signal.SIGTERM, "signal.default_int_handler", 143, "", ""),
        (signal.SIGINT, "signal.SIG_IGN", 0, "goes on\n", ""),  # as in background jobs of a shell
    ],
)
def test_a_signal_during_the_start_ends_it_at_once(number: int, before: str, code: int, out: str, err: str) -> None:
    command = [sys.executable, "-c", STARTING.format(before=before), str(int(number))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, out, err)


class Cluster:
    """A client of a Dask cluster whose workers come and go."""

    def __init__(self) -> None:
        self.workers, self.asked = dict[str, int](), 0

    def scheduler_info(self) -> dict[str, dict[str, int]]:
        self.asked += 1
        if self.asked % 2:
            raise OSError("busy")
        return {"workers": self.workers}


class Heard(Progress):
    """Progress whose notes are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = list[str]()

    def note(self, line: str) -> None:
        self.lines.append(line)


@pytest.mark.parametrize("has_workers", [True, False])
def test_a_cluster_without_workers_is_mentioned_once(has_workers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "PATIENCE", 3)
    monkeypatch.setattr(engines, "PAUSE", 0.001)
    cluster, bar = Cluster(), Heard()
    cluster.workers = {"a": 1} if has_workers else {}
    with engines._noted_without_workers(cluster, "here", bar):
        wait_until(lambda: cluster.asked > 40 or bar.lines)
    line = "here: has no workers any more; waiting for new ones, Ctrl-C ends the sweep"
    assert bar.lines == ([] if has_workers else [line])
