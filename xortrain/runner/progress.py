"""One bar for a whole training, on a terminal only, and a heartbeat for those who watch from elsewhere.

The bar counts runs or epochs; a block that is under way counts by the share of its epochs that is done.
"""

import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from xortrain.records.writer import BEAT, RecordWriter

Result = TypeVar("Result")


class Progress:
    """How much is done, in whole units; ``bar`` is None where nobody looks."""

    def __init__(self, bar: Any = None) -> None:
        self.bar, self.done, self.shown = bar, 0.0, 0

    def add(self, amount: float) -> None:
        """So much more is done."""
        self.done += amount
        if self.bar is not None and int(self.done) > self.shown:
            self.bar.update(int(self.done) - self.shown)
            self.shown = int(self.done)

    def through(self, steps: Generator[int, None, Result], epochs: int, amount: int) -> Result:
        """Take all steps of a training, which yields the epochs it has done; it counts for this amount."""
        counted = 0.0
        while True:
            try:
                now = amount * next(steps) / max(1, epochs)
            except StopIteration as end:
                self.add(amount - counted)
                result: Result = end.value
                return result
            self.add(now - counted)
            counted = now


@contextmanager
def progress(total: int, unit: str, shown: bool) -> Iterator[Progress]:
    """The progress of so many units; a bar if it takes longer than half a second."""
    if not (shown and sys.stderr.isatty()):
        yield Progress()
        return
    from tqdm import tqdm

    with tqdm(total=total, delay=0.5, unit=f" {unit}", leave=False) as bar:
        yield Progress(bar)


@contextmanager
def beating(records: Sequence[RecordWriter]) -> Iterator[None]:
    """Touch the heartbeats of records now and then while this lasts."""
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
