"""What became of a run, in a few lines for the reader of a terminal.

Says in words how it ended, shows what it answers to each example, and where everything lies.
"""

from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from xortrain.experiment.verdict import verdict
from xortrain.nets import Array

if TYPE_CHECKING:
    from xortrain.experiment.trained import Run

MOST_ROWS, MOST_COLUMNS = 16, 6
WIDTH, WIDEST = 80, 100  # of sentences, of the table


def summary(run: "Run") -> str:
    """Outcome in words, final loss, why it ended so, and the table of examples."""
    return "\n".join([*explained(run), *_held_out(run), "", *table(run)])


def explained(run: "Run") -> list[str]:
    """How it ended, and why, in lines."""
    return [headline(run), *wrap(verdict(run), WIDTH)]


def headline(run: "Run") -> str:
    """As in "Solved: every example is right since epoch 69. Loss 0.148494 after 140 epochs."."""
    row = run.row
    if run.outcome == "pending":
        return _so_far(run)
    if run.outcome == "diverged":
        return _ending(run) + (f" Before that the loss was {row['final_loss']:.6g}." if row["diverged_in"] >= 0 else "")
    return f"{_ending(run)} Loss {row['final_loss']:.6g} after {count(row['epochs_done'], 'epoch')}."


def _so_far(run: "Run") -> str:
    row, asked = run.row, count(run.build.population.epochs, "epoch")
    if np.isnan(row["final_loss"]):
        return "Not finished."
    return f"Not finished: loss {row['final_loss']:.6g} after {row['epochs_done']:,} of {asked}."


def count(number: int, thing: str) -> str:
    """1 epoch, 2 epochs."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _ending(run: "Run") -> str:
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


def _held_out(run: "Run") -> list[str]:
    if run.build.test is None or run.outcome == "pending":
        return []
    row = run.row
    held = count(len(run.build.test.x), "example")
    return [f"Held out, {held}: {row['test_accuracy']:.1%} right, loss {row['test_loss']:.6g}."]


def table(run: "Run") -> list[str]:
    """Inputs, targets and outputs of each example, and which are wrong; the first of many."""
    if run.outcome == "pending":
        return []
    x, t = run.x, run.t
    y = run.predict(x)
    right = run.task.rule.right(y[..., None], t[..., None])[:, 0]
    columns = _that_fit({"x": x, "target": t, "output": y})
    widths = {name: _width(name, cells) for name, cells in columns.items()}
    lines = ["  ".join(name.rjust(width) for name, width in widths.items())]
    for k in range(min(len(x), MOST_ROWS)):
        cells = "  ".join(columns[name][k].rjust(width) for name, width in widths.items())
        lines.append(cells if right[k] else cells + "  wrong")
    if len(x) > MOST_ROWS:
        lines.append(f"… and {len(x) - MOST_ROWS} more, {int((~right[MOST_ROWS:]).sum())} of them wrong")
    return lines


def _that_fit(values: Mapping[str, Array]) -> dict[str, list[str]]:
    """Columns of every kind, as many as a line can hold with a word behind them: the widest kinds give way."""
    most = dict.fromkeys(values, MOST_COLUMNS)
    while True:
        kinds = {name: _named(name, numbers, most[name]) for name, numbers in values.items()}
        widths = {kind: sum(2 + _width(*column) for column in columns.items()) for kind, columns in kinds.items()}
        widest = max((kind for kind in kinds if most[kind] > 1), key=lambda kind: widths[kind], default=None)
        if widest is None or sum(widths.values()) + len("wrong") <= WIDEST:
            return {name: cells for columns in kinds.values() for name, cells in columns.items()}
        most[widest] = min(most[widest], values[widest].shape[1]) - 1


def _width(name: str, cells: list[str]) -> int:
    return max(len(name), *map(len, cells))


def _named(name: str, values: Array, most: int) -> dict[str, list[str]]:
    """Columns name1, name2, … as text; of many only the first and how many are left out."""
    count, style = values.shape[1], ".4f" if name == "output" and abs(values).max() < 1e6 else "g"
    shown = range(min(count, most))
    columns = {f"{name}{k + 1}" if count > 1 else name: [f"{v:{style}}" for v in values[:MOST_ROWS, k]] for k in shown}
    if count > most:
        columns[f"(+{count - most} {name})"] = [""] * min(len(values), MOST_ROWS)
    return columns
