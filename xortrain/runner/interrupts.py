"""Handles Ctrl-C, SIGTERM and SIGHUP where they could be lost, reported twice, or leave workers half started.

Only the main thread handles signals, and only those that nobody else handles.
"""

import os
import signal
import sys
import time
from _thread import interrupt_main
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread, Timer, current_thread, main_thread
from typing import Any

from xortrain.startup import DEFAULT, leave

LOOK = 0.5  # seconds between two checks that the parent is alive
SOON = 0.01  # seconds until a dropped signal comes again


class Terminated(KeyboardInterrupt):
    """SIGTERM, as batch systems and `timeout` send it: acts like Ctrl-C, with another exit code."""

    code = 143


class HungUp(Terminated):
    """SIGHUP, as of a terminal that is closed, or a connection that is lost."""

    code = 129


_KINDS: dict[int, type[KeyboardInterrupt]] = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}
ENDS = {number: _KINDS.get(number, HungUp) for number in DEFAULT}
_received = list[int]()


def _raise(number: int, _: object) -> None:
    """Raise Ctrl-C, Terminated or HungUp; of the last two only the first, since a whole group may be signalled too."""
    if number != signal.SIGINT and set(_received) - {signal.SIGINT}:
        return
    _received.append(number)
    raise ENDS[number]


def _not_dropped(unraisable: "sys.UnraisableHookArgs") -> None:
    """Let a signal come again that Python dropped, since it came in a destructor or callback, which cannot raise."""
    if unraisable.exc_type not in ENDS.values():
        sys.__unraisablehook__(unraisable)
        return
    _received.clear()
    number = next(number for number, end in ENDS.items() if end is unraisable.exc_type)
    Timer(SOON, interrupt_main, [number]).start()


@contextmanager
def signals_as_exceptions() -> Iterator[None]:
    """Signals that end the program raise exceptions in this context, unless others handle them."""
    _received.clear()
    hook, sys.unraisablehook = sys.unraisablehook, _not_dropped
    try:
        with _handled_by(_raise, {number: (leave, usual) for number, usual in DEFAULT.items()}):
            yield
    finally:
        sys.unraisablehook = hook


def interruption() -> KeyboardInterrupt | None:
    """The signal that was raised last, of which a library may have made another error."""
    return ENDS[_received[-1]]() if _received else None


@contextmanager
def interrupts_first() -> Iterator[None]:
    """Ctrl-C ends this context, even where a library ignores it or turns it into another error."""
    seen = list[int]()

    def interrupt(number: int, _: object) -> None:
        seen.append(number)
        raise ENDS[number]

    try:
        with _handled_by(interrupt):
            yield
    except Exception:
        if not seen:
            raise
    if seen:
        raise ENDS[seen[0]]


@contextmanager
def postponed() -> Iterator[list[int]]:
    """Collect signals in the yielded list; processes started here never get them and end with their pool."""
    waiting = list[int]()
    with _handled_by(lambda number, _: waiting.append(number)), _masked():
        yield waiting


@contextmanager
def _handled_by(handler: Callable[[int, Any], None], usual: dict[int, tuple[Any, ...]] | None = None) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ENDS if current_thread() is main_thread()}
    known = usual or dict.fromkeys(ENDS, (_raise, signal.default_int_handler))
    ours = {number: own for number, own in before.items() if own in known[number]}
    try:
        for number in ours:
            signal.signal(number, handler)
        yield
    finally:
        for number, own in ours.items():
            signal.signal(number, own)


@contextmanager
def _masked() -> Iterator[None]:
    """Block the signals for this thread and the processes it starts; other threads still receive them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # before the mask, which it would inherit
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def exit_with_parent(parent: int) -> None:
    """Exit this process soon after its parent, even if the parent was killed and could not end its pool."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
