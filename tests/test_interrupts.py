"""Ctrl-C is neither lost in a library nor heard by a process that has only just begun."""

import signal
import subprocess
import sys

import pytest

from xortrain.experiment.interrupts import heeded, put_off

BLOCKED = "import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, []))"


def library(other: type[Exception] | None) -> None:
    """What passes over a Ctrl-C, or makes another error of it."""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        if other:
            raise other from None


@pytest.mark.parametrize("other", [None, ValueError])
def test_ctrl_c_ends_what_a_library_would_go_on_with_or_call_something_else(other: type[Exception] | None) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), heeded():
        library(other)
    assert signal.getsignal(signal.SIGINT) is before


def test_without_ctrl_c_an_error_is_what_it_was() -> None:
    with pytest.raises(ValueError, match="so it is"), heeded():
        raise ValueError("so it is")


def test_ctrl_c_waits_and_a_process_that_starts_meanwhile_never_gets_it() -> None:
    with put_off() as waiting:
        started = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=True).stdout
        signal.raise_signal(signal.SIGINT)
    assert waiting == [signal.SIGINT]
    assert started == "{<Signals.SIGINT: 2>}\n"
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
