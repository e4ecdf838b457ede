"""How a run ended, in a sentence or two."""

import numpy as np

from xortrain.errors import counted
from xortrain.trained.run_data import RunData


def headline(run: RunData) -> str:
    """As in "Solved: every example is right from epoch 69 on. Loss 0.148494 after 140 epochs."."""
    row, loss = run.row, f"{run.row['final_loss']:.6g}{loss_units(run)}"
    if run.outcome == "pending":
        epochs = counted(run.setup.population.epochs, "epoch")
        done = "" if np.isnan(row["final_loss"]) else f": loss {loss} after {row['epochs_done']:,} of {epochs}"
        return f"Not finished{done}."
    if run.outcome == "diverged":
        before = f" Before that the loss was {loss}." if row["diverged_at"] > 0 and row["diverged_in"] >= 0 else ""
        return f"Diverged: {_diverged_in(run)} is not finite at epoch {row['diverged_at']}.{before}"
    after = f"Loss {loss}" + (f" after {counted(row['epochs_done'], 'epoch')}." if row["epochs_done"] >= 0 else ".")
    if run.outcome == "solved":
        since = " from the start" if row["solved_at"] == 0 else f" from epoch {row['solved_at']} on"
        return f"Solved: every example is right{since if row['solved_at'] >= 0 else ''}. {after}"
    if run.outcome == "exploded" and row["exploded_at"] < 0:  # an older record, in which the epoch is not known
        return f"Exploded. {after}"
    if run.outcome == "exploded":
        least, of = max((float(run.losses[0]), "its start"), (row["constant_loss"], "that of a constant answer"))
        return f"Exploded: at epoch {row['exploded_at']} the loss passed 1,000 times {of}, {least:.4g}. {after}"
    how = {"early": "Stopped early:", "learnt": "Learnt:"}.get(run.outcome, "Not solved:")
    return f"{how} {_how_many_right(run)}. {after}"


def _how_many_right(run: RunData) -> str:
    """As in "3 of 4 examples right"; or beside what needs no network, as in "61 % right; a vote of neighbours 82 %"."""
    row = run.row
    if np.isfinite(row["allowed_accuracy"]):  # which is of classes, whatever the success rule
        held = run.setup.test is not None
        own, of = (row["test_accuracy"], " of the held-out examples") if held else (run.right.mean(), "")
        share, vote, constant = run.accurate.mean(), percent(row["allowed_accuracy"]), percent(row["constant_accuracy"])
        also = "" if np.isclose(own, share) else f", {percent(share)} nearest to their own target"
        return f"{percent(own)}{of} right{also}; a vote of neighbours {vote}, a constant answer {constant}"
    right, examples = int(run.right.sum()), len(run.x)
    named = round(row["accuracy"] * examples) if np.isfinite(row["accuracy"]) else right
    also = "" if named == right else f", {named:,} nearest to {'its' if named == 1 else 'their'} own target"
    return f"{right:,} of {counted(examples, 'example')} right{also}"


def percent(share: float) -> str:
    """As in "61 %", "99.5 %"."""
    return f"{100 * share:.3g} %"


def loss_units(run: RunData) -> str:
    """What a loss is of, if that is not the targets as they are."""
    return "" if run.setup.scaling.targets.fitted is None else " (of scaled targets)"


def _diverged_in(run: RunData) -> str:
    """The first parameter that was not finite."""
    index, names = run.row["diverged_in"], run.network.split(np.arange(run.network.size))
    return next((name for name, places in names.items() if index in places), "the loss")
