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


@contextmanager
def heeded() -> Iterator[None]:
    """Ctrl-C ends what is done here, even where a library passes over it or makes another error of it."""
    seen = list[int]()

    def interrupt(number: int, _: object) -> None:
        seen.append(number)
        raise KeyboardInterrupt

    try:
        with _answered_by(interrupt):
            yield
    except Exception:
        if not seen:
            raise
    if seen:
        raise KeyboardInterrupt


@contextmanager
def put_off() -> Iterator[list[int]]:
    """Ctrl-C waits in a list while this lasts; processes that start meanwhile get none, they end with their pool."""
    waiting = list[int]()
    with _answered_by(lambda number, _: waiting.append(number)), _masked():
        yield waiting


@contextmanager
def _answered_by(handler: Callable[[int, Any], None]) -> Iterator[None]:
    is_ours = current_thread() is main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_ours:
        signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _masked() -> Iterator[None]:
    """The processes that this thread starts inherit its mask; other threads still take the signal."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # which begins with another mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
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
