"""What became of a run, in a few lines for the reader of a terminal.

Says in words how it ended, shows what it answers to each example, and where everything lies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import numpy as np

from xortrain.nets import Array
from xortrain.records.files import shown_path
from xortrain.runs.trained import RunData, TrainedRuns
from xortrain.views.verdict import verdict

MOST_ROWS, MOST_COLUMNS = 16, 6
WIDTH, WIDEST = 80, 100  # of sentences, of the table


def summary(run: RunData) -> str:
    """Outcome in words, final loss, why it ended so, and the table of examples."""
    return "\n".join([*explained(run), *_held_out(run), "", *table(run)])


def ending(trained: TrainedRuns, film: Path | None) -> str:
    """The text at the end of a single run: its summary, its record and its film."""
    places = [f"record  {shown_path(trained.folder)}", *([f"film    {shown_path(film)}"] if film else [])]
    return "\n".join([summary(RunData(trained)), "", *places])


def explained(run: RunData) -> list[str]:
    """How it ended, and why, in lines."""
    return [headline(run), *wrap(verdict(run), WIDTH)]


def headline(run: RunData) -> str:
    """As in "Solved: every example is right since epoch 69. Loss 0.148494 after 140 epochs."."""
    row = run.row
    if run.outcome == "pending":
        return _so_far(run)
    if run.outcome == "diverged":
        return _ending(run) + (f" Before that the loss was {row['final_loss']:.6g}." if row["diverged_in"] >= 0 else "")
    return f"{_ending(run)} Loss {row['final_loss']:.6g} after {count(row['epochs_done'], 'epoch')}."


def _so_far(run: RunData) -> str:
    row, asked = run.row, count(run.setup.population.epochs, "epoch")
    if np.isnan(row["final_loss"]):
        return "Not finished."
    return f"Not finished: loss {row['final_loss']:.6g} after {row['epochs_done']:,} of {asked}."


def count(number: int, thing: str) -> str:
    """1 epoch, 2 epochs."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _ending(run: RunData) -> str:
    row, examples = run.row, len(run.x)
    if run.outcome == "diverged":
        names = [
            name for name, values in run.network.split(np.arange(run.network.size)).items() for _ in values.ravel()
        ]
        what = names[row["diverged_in"]] if row["diverged_in"] >= 0 else "the loss"
        return f"Diverged: {what} is not finite at epoch {row['diverged_at']}."
    if run.outcome == "solved":
        since = "from the start" if row["solved_at"] == 0 else f"since epoch {row['solved_at']}"
        return f"Solved: every example is right {since}."
    right = round(row["accuracy"] * examples)
    wrong = f"{right} of {count(examples, 'example')} right."
    if run.outcome == "early":
        return f"Stopped by its rule, {wrong}"
    return f"Not solved: {wrong}"


def _held_out(run: RunData) -> list[str]:
    if run.setup.test is None or run.outcome == "pending":
        return []
    row = run.row
    held = count(len(run.setup.test.x), "example")
    return [f"Held out, {held}: {row['test_accuracy']:.1%} right, loss {row['test_loss']:.6g}."]


def table(run: RunData) -> list[str]:
    """Inputs, targets and outputs of each example, and which are wrong; the first of many."""
    if run.outcome == "pending":
        return []
    x, t = run.x, run.t
    y = run.predict(x)
    right = run.task.success.right(y[..., None], t[..., None])[:, 0]
    columns = _that_fit([Kind("x", x, run.setup.columns.inputs), Kind("target", t), Kind("output", y)])
    lines = ["  ".join(column[0].rjust(_width(column)) for column in columns)]
    for k in range(min(len(x), MOST_ROWS)):
        cells = "  ".join(column[k + 1].rjust(_width(column)) for column in columns)
        lines.append(cells if right[k] else cells + "  wrong")
    if len(x) > MOST_ROWS:
        lines.append(f"… and {len(x) - MOST_ROWS} more, {int((~right[MOST_ROWS:]).sum())} of them wrong")
    return lines


@dataclass(frozen=True)
class Kind:
    """Columns of one kind: values (examples, columns), and the names that a table of the user's has for them."""

    name: str
    values: Array
    given: Sequence[str] = ()

    def columns(self, most: int) -> list[list[str]]:
        """Name and values of each as text; of many only the first and how many are left out."""
        count = self.values.shape[1]
        style = ".4f" if self.name == "output" and abs(self.values).max() < 1e6 else "g"
        names = self.given or [f"{self.name}{k + 1}" if count > 1 else self.name for k in range(count)]
        shown = self.values[:MOST_ROWS, :most].T
        columns = [[name, *(f"{v:{style}}" for v in column)] for name, column in zip(names, shown, strict=False)]
        left_out = [f"(+{count - most} {self.name})", *[""] * shown.shape[1]]
        return [*columns, left_out] if count > most else columns


def _that_fit(kinds: list[Kind]) -> list[list[str]]:
    """As many columns as a line can hold with a word behind them: the widest kinds give way."""
    most = [min(MOST_COLUMNS, kind.values.shape[1]) for kind in kinds]
    while True:
        columns = [kind.columns(count) for kind, count in zip(kinds, most, strict=True)]
        widths = [sum(2 + _width(column) for column in some) for some in columns]
        widest = max((k for k in range(len(kinds)) if most[k] > 1), key=lambda k: widths[k], default=None)
        if widest is None or sum(widths) + len("wrong") <= WIDEST:
            return [column for some in columns for column in some]
        most[widest] -= 1


def _width(column: list[str]) -> int:
    return max(map(len, column))
