"""The checkpoint from which runs are continued: read from their record, or computed by training them again up to it.

A checkpoint that was computed again is used only if the parameters on the way have the bits of the recorded ones.
"""

import numpy as np

from xortrain.errors import UserError
from xortrain.nets import Array, Numbers
from xortrain.setup.earlier import have_same
from xortrain.setup.run_setup import Setup
from xortrain.trained.run_data import TrainedRuns
from xortrain.training.engine import engine_losses, new_training
from xortrain.training.loop import Checkpoint
from xortrain.training.outcome import code
from xortrain.training.success import STOP_RULES
from xortrain.training.task import History, Task

JUDGES = ("loss", "success")
"""The groups by which all epochs of a record are judged, also those that it takes from its parent."""


def checkpoint_of(parent: TrainedRuns, setup: Setup, runs: slice) -> Checkpoint | None:
    """The checkpoint from which some runs of a setup continue those of its parent; None from epoch 0."""
    assert setup.origin is not None
    epoch = setup.origin.epoch
    return (_kept(parent, setup, runs, epoch) or _computed(parent, setup, runs, epoch)) if epoch else None


def first_untrained(rows: Array) -> Array:
    """The first epoch that each run did not train: (runs,)."""
    return np.where(rows["diverged_at"] >= 0, rows["diverged_at"], rows["epochs_done"] + 1)


def _kept(parent: TrainedRuns, setup: Setup, runs: slice, epoch: int) -> Checkpoint | None:
    """The checkpoint after the last epoch of the parent, from its rows and files; None if they do not have it."""
    rows, before = parent.rows[runs], parent.setup
    left, is_solved = first_untrained(rows), rows["outcome"] == code("solved")
    is_known = (rows["epochs_done"] >= 0) & (~is_solved | (rows["solved_at"] >= 0))
    is_last = (rows["epochs_done"] == epoch) | (left <= epoch)
    is_last_stage = not before.earlier or before.earlier[-1].until < epoch <= before.frame_epochs[-1]
    same_judges = all(have_same(before.population, setup.population, key) for key in JUDGES)
    is_same = same_judges and not setup.set_at(epoch)  # else the last epoch is judged again, with other parameters
    if not (is_last_stage and is_same and (is_known & is_last).all()):
        return None
    task = before.task(runs)
    state = parent.state(runs) if task.optimizer.name == setup.population.shared("optimizer.name") else {}
    memory = _memory(parent, task, runs)
    if state is None or memory is None:
        return None
    return Checkpoint(
        epoch=epoch,
        theta=np.array(parent.array("parameters", runs)[-1]),
        optimizer=task.optimizer.name,
        state=state,
        stop=task.stop,
        memory=memory,
        left=left,
        last_wrong=np.where(is_solved, rows["solved_at"] - 1, epoch).astype(np.int32),
        diverged_at=rows["diverged_at"].copy(),
        diverged_in=rows["diverged_in"].copy(),
        past=_past(parent, setup, runs, epoch),
    )


@np.errstate(all="ignore")
def _memory(parent: TrainedRuns, task: Task, runs: slice) -> Numbers | None:
    """What the stop rule of the parent remembers; None if that is not known."""
    rule, best_at = STOP_RULES[task.stop.name], parent.rows["best_at"][runs]
    if rule.recall is None:
        return {}
    if (best_at < 0).any():
        return None
    best = np.array(parent.array("best", runs))
    losses, held_out = engine_losses(task, best)
    return rule.recall(best, best_at, lambda: losses, lambda: held_out, **task.stop.words)


def _past(parent: TrainedRuns, setup: Setup, runs: slice, epoch: int) -> History:
    """What the parent recorded before an epoch, at the epochs of the setup."""
    before, losses = parent.setup, setup.loss_epochs[setup.loss_epochs < epoch]
    frames = setup.frame_epochs[setup.frame_epochs < epoch]
    loss_rows, frame_rows = np.searchsorted(before.loss_epochs, losses), np.searchsorted(before.frame_epochs, frames)
    test = parent.array("test_losses", runs)[loss_rows] if setup.test else None
    parameters = parent.array("parameters", runs)[frame_rows]
    return History(losses, frames, parent.array("losses", runs)[loss_rows], parameters, test)


def _computed(parent: TrainedRuns, setup: Setup, runs: slice, epoch: int) -> Checkpoint:
    """The checkpoint by training again; raises UserError where the parameters are not those of the parent."""
    task, kept = setup.task(runs), _past(parent, setup, runs, epoch)
    shape, dtype, has_test = task.theta.shape, task.theta.dtype, setup.test is not None
    past = History.empty(kept.loss_epochs, kept.frame_epochs, shape, dtype, has_test)
    training = new_training(task, past, until=epoch)
    for _ in training.run():
        pass
    now = training.theta.copy()
    for place, value in parent.setup.set_at(epoch):
        now[place, training.left > epoch] = value
    at = np.searchsorted(parent.setup.frame_epochs, epoch)
    before = [*kept.parameters, parent.array("parameters", runs)[at]]
    pairs = zip([*kept.frame_epochs, epoch], before, [*past.parameters, now], strict=True)
    for at, old, new in pairs:
        if old.tobytes() != new.tobytes():
            raise UserError(
                f"training again gives other parameters than the record has at epoch {at}, so it cannot be continued "
                f"from epoch {epoch}; xortrain rerun --check shows why"
            )
    return training.checkpoint(past)
