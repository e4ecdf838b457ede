"""The progress bar of a training, shown on terminals and in notebooks, and the heartbeat of its records.

The bar counts runs or epochs; a block in training counts in proportion to its epochs done.
"""

import sys
import threading
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from xortrain.records.writer import BEAT, RecordWriter

Returned = TypeVar("Returned")


class Progress:
    """The amount done, in the unit of ``bar``, which is None if no bar is shown; ``is_seen`` if notes are."""

    def __init__(self, bar: Any = None, is_seen: bool = False) -> None:
        self.bar, self.done, self.shown, self.is_seen = bar, 0.0, 0, is_seen

    def note(self, line: str) -> None:
        """Print a line beside the bar, about something that takes long."""
        with suppress(OSError):  # of a terminal that was closed
            if self.is_seen and sys.stderr is not None:
                print(f"{'' if self.bar is None else chr(10)}xortrain: {line}", file=sys.stderr, flush=True)

    def add(self, amount: float) -> None:
        """Count this amount as done."""
        self.done += amount
        if self.bar is not None and int(self.done) > self.shown:
            self.bar.update(int(self.done) - self.shown)
            self.shown = int(self.done)

    def follow(self, steps: Generator[int, None, Returned], epochs: int, amount: int) -> Returned:
        """Run a training, which yields the epochs done, to its end; it counts as ``amount`` in total."""
        counted = 0.0
        while True:
            try:
                now = amount * next(steps) / max(1, epochs)
            except StopIteration as end:
                self.add(amount - counted)
                returned: Returned = end.value
                return returned
            self.add(now - counted)
            counted = now


class Stoppable(Progress):
    """The progress of a thread, which ends at its next step once it is stopped."""

    is_stopped = False

    def add(self, amount: float) -> None:
        if self.is_stopped:
            raise KeyboardInterrupt
        super().add(amount)


@contextmanager
def progress(total: int, unit: str, show: bool) -> Iterator[Progress]:
    """The progress towards a total; with a bar if it takes longer than half a second."""
    kind = _kind_of_bar() if show else None
    if kind is None:
        yield Progress(is_seen=show)
        return
    with kind(total=total, delay=0.5, unit=f" {unit}", leave=False, dynamic_ncols=True) as bar:
        yield Progress(bar, is_seen=True)


def _kind_of_bar() -> Any:
    """The bar of tqdm for a terminal, or for a notebook where ipywidgets is installed; None anywhere else."""
    if sys.stderr is not None and sys.stderr.isatty():
        from tqdm import tqdm

        return tqdm
    if "ipykernel" not in sys.modules:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no ipywidgets
        from tqdm.auto import tqdm as chosen
        from tqdm.notebook import tqdm_notebook
    return chosen if issubclass(chosen, tqdm_notebook) else None


@contextmanager
def beating(records: Sequence[RecordWriter]) -> Iterator[None]:
    """Touch the heartbeats of records regularly in this context."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT):
            for record in records:
                if record.metadata["status"] == "running":
                    record.beat()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
