"""What is seen of runs while they learn: their losses, and the last epoch at which an example was wrong.

Outputs of several epochs are kept and judged together, which for a lone run costs a tenth of judging each.
"""

import numpy as np

from xortrain.nets import Array
from xortrain.training.learner import Learner
from xortrain.training.success import within
from xortrain.training.task import History

BUFFER_BYTES = 16_384  # outputs kept before they are judged, so that they stay in the first cache
MOST = 64  # epochs judged together


class Watch:
    """The watch over the runs of a learner, which lie in these columns of the history.

    ``wrong`` (runs,) is the last epoch with a wrong example, -1 if there was none; ``bad_loss`` (runs,) the
    first recorded epoch whose loss is not finite, -1 likewise.
    """

    def __init__(self, learner: Learner, history: History, columns: Array, wrong: Array, patient: bool) -> None:
        self.learner, self.history, self.wrong = learner, history, wrong
        self.into, self.out = _columns(columns, history.losses.shape[-1])
        self.bad_loss = np.full(len(columns), -1, np.int32)
        self.t = learner.task.data.t[:, :, None]
        lower, upper = learner.task.rule.interval(learner.task.data.t)
        self.interval = _shared(lower)[:, :, None], _shared(upper)[:, :, None]
        z = learner.full.z[-1]
        self.slots = max(1, min(MOST, BUFFER_BYTES // z.nbytes)) if patient else 1
        self.z = np.empty((*z.shape[:2], self.slots, z.shape[2]), z.dtype)
        self.y = np.empty_like(self.z)
        self.epochs: list[int] = []
        self.seen = slice(0, 0)

    def forward(self, epoch: int) -> bool:
        """The forward pass of an epoch; true when what is kept should be judged."""
        slot, net = len(self.epochs), self.learner.full
        net.z[-1], net.a[-1] = self.z[:, :, slot], self.y[:, :, slot]
        net.forward()
        self.epochs.append(epoch)
        row = self.history.frame_rows.get(epoch)
        if row is not None:
            self.history.parameters[row][:, self.into] = self.learner.theta[:, self.out]
        return len(self.epochs) == self.slots

    def judge(self) -> Array:
        """Record the losses of the epochs kept; returns which runs had every example right: (epochs, runs)."""
        epochs, self.epochs = self.epochs, []
        self.seen = slice(0, len(epochs))
        known = self.history.loss_rows
        rows = {slot: known[epoch] for slot, epoch in enumerate(epochs) if epoch in known}
        if rows:
            self._record(epochs, rows)
        right = np.logical_and.reduce(within(self.y[:, :, self.seen], self.interval), axis=0)
        if len(epochs) == 1:
            np.copyto(self.wrong, epochs[0], where=~right[0])
        else:
            np.maximum(self.wrong, np.where(right, -1, np.array(epochs)[:, None]).max(axis=0), out=self.wrong)
        return right

    def losses(self, slots: slice | list[int] | None = None) -> Array:
        """Losses of the epochs judged last: (epochs, runs)."""
        some = self.seen if slots is None else slots
        return self.learner.task.criterion.total(self.z[:, :, some], self.y[:, :, some], self.t)

    def _record(self, epochs: list[int], rows: dict[int, int]) -> None:
        losses = self.losses(self.seen if len(rows) == len(epochs) else list(rows))
        places = list(rows.values())  # rows follow one another
        kept = self.history.losses[places[0] : places[-1] + 1]
        kept[:, self.into] = losses[:, self.out]
        for slot, bad in zip(rows, ~np.isfinite(losses), strict=True) if not np.isfinite(losses).all() else ():
            self.bad_loss[bad & (self.bad_loss < 0)] = epochs[slot]
        if self.history.test_losses is not None:
            self._record_test(places[-1])

    def _record_test(self, row: int) -> None:
        assert self.history.test_losses is not None
        self.history.test_losses[row][self.into] = self.learner.test_losses()[self.out]


def _columns(columns: Array, runs: int) -> tuple[slice | Array, slice]:
    """Where values of a block go in the history, and which of them: slices where they serve."""
    if np.array_equal(columns, np.arange(runs)):
        return slice(None), slice(None)
    if runs == 1:
        return slice(0, 1), slice(0, 1)
    return columns, slice(None)


def _shared(bound: Array) -> Array:
    """A bound (examples, outputs, runs) that is the same for all runs, once: (examples, outputs, 1)."""
    first = bound[..., :1]
    return first.copy() if (bound == first).all() else bound
