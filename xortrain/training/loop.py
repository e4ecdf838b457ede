"""The one training loop: epochs, and which runs leave it before the end.

A run leaves when its stop rule says so or when it diverges; the others go on without it, with the same bits.
"""

from collections.abc import Iterator

import numpy as np

from xortrain.nets import Array
from xortrain.training.learner import Learner
from xortrain.training.task import History, Task
from xortrain.training.watch import Watch

CHECK_EVERY = 64  # epochs; what happened between two checks is found by training from the last one again


class Training:
    """The training of a task into a history; ``run`` it to its end, then read what became of the runs.

    Arrays (runs,): ``left`` is the first epoch that is no longer a run's own, ``last_wrong`` the last of its
    epochs with a wrong example, ``diverged_at`` and ``diverged_in`` (a place in θ, -1 for the loss) the first
    value that is not finite.  ``theta`` (parameters, runs) are the last finite parameters.
    """

    def __init__(self, task: Task, history: History) -> None:
        self.task, self.history = task, history
        self.left = np.full(task.runs, task.epochs + 1)
        self.theta = task.theta.copy()
        self.last_wrong, self.diverged_at, self.diverged_in = np.full((3, task.runs), -1, np.int32)
        self._enter(Learner(task, task.theta.copy()), np.arange(task.runs), self.last_wrong)

    def run(self) -> Iterator[int]:
        """Train to the end; yields the number of epochs done, now and then."""
        epoch = 0
        while epoch <= self.task.epochs and len(self.columns):
            with np.errstate(all="ignore"):  # a value that is no longer finite is found and named by _check
                epoch = self._until_judged(epoch)
            yield epoch
            epoch += 1
        self._fill_after_the_end()

    def _until_judged(self, epoch: int) -> int:
        """Train from this epoch to the next that is judged, and return it; its update is made too."""
        last = self.task.epochs
        while not self.watch.forward(epoch) and epoch < last:
            self.learner.update(epoch)
            epoch += 1
        self._stop(epoch, self.watch.judge())
        if epoch - self.checked >= CHECK_EVERY or epoch == last or 4 * self.gone.sum() > len(self.gone):
            self._check(epoch)
        if epoch < last and len(self.columns):
            self.learner.update(epoch)
        return epoch

    def _enter(self, learner: Learner, columns: Array, wrong: Array, epoch: int = 0) -> None:
        """Go on with the runs of a learner, which lie in these columns of the history."""
        if len(columns) == 1:  # a sum over a last axis of one may run in another order: a lone run gets a twin
            twice = np.zeros(2, int)
            learner, columns, wrong = learner.take(twice), columns[twice], wrong[twice]
        patient = self.task.stop.name == "never" and self.task.test is None
        self.learner, self.columns = learner, columns
        self.watch = Watch(learner, self.history, columns, wrong.copy(), patient)
        self.gone = np.zeros(len(columns), bool)
        self._save(epoch)

    def _save(self, epoch: int) -> None:
        self.checked = epoch
        self.saved = self.learner.at_rest()

    def _stop(self, epoch: int, right: Array) -> None:
        """Whose stop rule holds leaves after this epoch, if its parameters are finite."""
        stop = self.learner.task.stop
        if stop.name == "never":
            return
        holds = right[-1] if stop.name == "solved" else self.watch.losses()[-1] < stop.below
        holds = np.flatnonzero(holds & ~self.gone & np.isfinite(self.learner.theta).all(axis=0))
        if len(holds):
            self._leave(holds, self.learner.theta[:, holds], epoch + 1)

    def _leave(self, places: Array, theta: Array, epoch: int) -> None:
        """The runs at these places of the block end with these parameters; this epoch is no longer theirs."""
        columns = self.columns[places]
        self.theta[:, columns], self.left[columns] = theta, epoch
        self.last_wrong[columns] = self.watch.wrong[places]
        self.gone[places] = True

    def _check(self, epoch: int) -> None:
        """Find who has diverged since the last check, and go on with those that are left."""
        is_finite = np.isfinite(self.learner.theta).all(axis=0) & (self.watch.bad_loss < 0)
        bad = np.flatnonzero(~is_finite & ~self.gone)
        if len(bad):
            self._diverge(bad, epoch)
        stay = np.flatnonzero(~self.gone)
        if epoch == self.task.epochs:
            self._leave(stay, self.learner.theta[:, stay], epoch + 1)
        elif len(stay) == len(self.gone):
            self._save(epoch)
        elif len(stay):
            self._enter(self.learner.take(stay), self.columns[stay], self.watch.wrong[stay], epoch)
            self.learner.full.forward()  # the update of this epoch goes by its outputs
        else:
            self.columns = self.columns[:0]

    def _diverge(self, bad: Array, now: int) -> None:
        """Train these runs from the last check again, epoch by epoch, to the first value that is not finite."""
        some = bad if len(bad) > 1 else bad[[0, 0]]
        again = self.saved.take(some)
        bad_loss = self.watch.bad_loss[some]
        waiting, before = np.ones(len(some), bool), again.theta.copy()
        for epoch in range(self.checked, now + 1):
            is_finite: Array = np.isfinite(again.theta)
            broken = ~np.logical_and.reduce(is_finite, axis=0)
            for place in np.flatnonzero(waiting & (broken | (bad_loss == epoch))):
                column = self.columns[some[place]]
                self.diverged_at[column] = epoch
                self.diverged_in[column] = is_finite[:, place].argmin() if broken[place] else -1
                last_finite = before if broken[place] else again.theta
                self._leave(some[[place]], last_finite[:, [place]], epoch)
                waiting[place] = False
            if not waiting.any():
                return
            before = again.theta.copy()
            again.full.forward()
            again.update(epoch)

    def _fill_after_the_end(self) -> None:
        """A run that has left: its last parameters stand in its later frames, its later losses are nan."""
        early = np.flatnonzero(self.left <= self.task.epochs)
        if not len(early):
            return
        for row, epoch in enumerate(self.history.frame_epochs):
            over = early[self.left[early] <= epoch]
            self.history.parameters[row][:, over] = self.theta[:, over]
        curves = [losses for losses in (self.history.losses, self.history.test_losses) if losses is not None]
        for row, epoch in enumerate(self.history.loss_epochs):
            over = early[self.left[early] <= epoch]
            for losses in curves:
                losses[row][over] = np.nan
