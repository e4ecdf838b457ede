"""The names and shapes of what lies in a record, said once for those who write and those who read.

A record holds the runs of one population, in blocks; each block has files of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

FORMAT = 1
RECORD, CONFIG, DATA, RUNS, EVENTS = "record.json", "config.yaml", "data.npz", "runs.npy", "events.jsonl"
SWEEP = "sweep.json"  # of a sweep of several populations, whose records lie in folders under it
LOSS_EPOCHS, FRAME_EPOCHS = "loss-epochs.npy", "frame-epochs.npy"  # after which epochs the rows of the arrays are
HEARTBEAT = "heartbeat"  # an empty file that a long training touches

STATUSES = ("running", "finished", "failed", "interrupted")

ROW: tuple[tuple[str, str], ...] = (
    ("number", "<i8"),  # of the job in its sweep
    ("seed", "<u4"),
    ("outcome", "u1"),  # a place in record.json's "outcomes"; 0 is a run that is not finished
    ("reasons", "<u2"),  # bit k: outcome k holds too
    ("epochs_done", "<i4"),
    ("diverged_at", "<i4"),  # epochs are -1 where the thing never happened
    ("diverged_in", "<i4"),  # place in the parameters of the first that was not finite, -1: the loss
    ("solved_at", "<i4"),
    ("final_loss", "<f8"),
    ("best_loss", "<f8"),
    ("accuracy", "<f8"),
    ("test_loss", "<f8"),
    ("test_accuracy", "<f8"),
)
"""The columns of runs.npy that every record has; what varies in a sweep stands behind them, by its dotted name."""


def row_type(varying: Mapping[str, np.dtype[np.generic]]) -> np.dtype[np.void]:
    """The structured type of a row of runs.npy."""
    import numpy as np

    own = {name for name, _ in ROW}
    return np.dtype([*ROW, *((name, kind) for name, kind in varying.items() if name not in own)])


def block_file(what: str, block: int) -> str:
    """losses-000.npy, parameters-000.npy, test-losses-000.npy."""
    return f"{what}-{block:03d}.npy"
