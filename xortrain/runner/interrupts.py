"""Ctrl-C, and SIGTERM like it, where they would be lost, told twice, or leave something half begun.

Only the main thread has a say in it, and only where nobody else has one.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread, current_thread, main_thread
from typing import Any

WATCH = 0.5  # seconds between two looks at whether the parent lives


class Terminated(KeyboardInterrupt):
    """SIGTERM, as batch systems and `timeout` send it: ends all that Ctrl-C ends, with an exit code of its own."""


ENDS: dict[int, type[KeyboardInterrupt]] = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}


def _terminate(number: int, _: object) -> None:
    """Only once: a batch system may send it to a process and to its whole group."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated


USUAL: dict[int, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: _terminate}


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """SIGTERM ends what is done here as Ctrl-C does."""
    is_ours = current_thread() is main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if is_ours:
        signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def interrupts_first() -> Iterator[None]:
    """Ctrl-C ends what is done here, even where a library passes over it or makes another error of it."""
    seen = list[int]()

    def interrupt(number: int, _: object) -> None:
        seen.append(number)
        raise ENDS[number]

    try:
        with _answered_by(interrupt):
            yield
    except Exception:
        if not seen:
            raise
    if seen:
        raise ENDS[seen[0]]


@contextmanager
def postponed() -> Iterator[list[int]]:
    """Ctrl-C waits in a list while this lasts; processes that start meanwhile get none, they end with their pool."""
    waiting = list[int]()
    with _answered_by(lambda number, _: waiting.append(number)), _masked():
        yield waiting


@contextmanager
def _answered_by(handler: Callable[[int, Any], None]) -> Iterator[None]:
    is_main = current_thread() is main_thread()
    ours = [number for number in USUAL if is_main and signal.getsignal(number) is USUAL[number]]
    for number in ours:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, USUAL[number])


@contextmanager
def _masked() -> Iterator[None]:
    """The processes that this thread starts inherit its mask; other threads still take the signal."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # which begins with another mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, USUAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with(parent: int) -> None:
    """End this process soon after its parent, however that ended; a parent that was killed cannot tell its pool."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
