"""What happens in a run, for its film: the same outcome and findings as in its summary, each with its epoch."""

from collections.abc import Iterator

import numpy as np

from xortrain.films.data import Event, FilmData, example_name
from xortrain.films.pacing import flip_events
from xortrain.nets import Array
from xortrain.trained.run_data import SUCCESSES, RunData
from xortrain.training import diagnosis
from xortrain.views.headline import headline
from xortrain.views.verdict import are_dead, capitalized, conjoined, off, unit_names

MOST_SINGLE = 8  # examples that are named; of more, shares are
SHARES = ("half", 0.5), ("90 %", 0.9)  # of the examples
LEVEL = 1.02  # ratio of the largest and the smallest loss of a plateau
LEAST_SHARE, LEAST_EPOCHS = 0.15, 10  # of a plateau: share of the epochs of the run, and epochs
MOST_UNITS = 4  # dead units with an event of their own

ENDS = {
    "diverged": ("diverged", "diverged_at"),
    "exploded": ("exploded", "exploded_at"),
    "solved": ("solved", "solved_at"),
}
"""Outcomes that are events: their label, and the column with their epoch."""


def run_events(run: RunData, data: FilmData) -> tuple[Event, ...]:
    """The events of a run that is over, in order; ``data`` are those of its film."""
    if run.outcome == "pending":
        return ()
    rows, right = _right(data)
    epochs, since = data.frame_epochs[rows], _since(right)
    found = [*_ends(run, since), *_deaths(run), *flip_events(data), *_plateaus(run, data)]
    if run.outcome not in ("diverged", "exploded"):  # what such a run gets right, it does by chance
        found += _right_events(run, epochs, right)
    return tuple(sorted(found, key=lambda event: event.epoch))


def ending(run: RunData) -> str:
    """The first sentence of the summary."""
    return f"{headline(run).partition('. ')[0].removesuffix('.')}."


def _right(data: FilmData) -> tuple[Array, Array]:
    """Some snapshots (rows,), and which examples are right in them (rows, examples)."""
    x, t = data.examples(0)
    rows, y = data.sampled_outputs(0, x, most=1 << 24)
    with np.errstate(all="ignore"):
        right = [data.right(np.ascontiguousarray(y[..., place]), t) for place in range(len(rows))]
    return rows, np.array(right).reshape(len(rows), len(x))


def _since(right: Array) -> Array:
    """The first row from which each column of ``right`` (rows, examples) stays true; the number of rows for never."""
    rows = len(right)
    return np.where(right.all(axis=0), 0, rows - (~right[::-1]).argmax(axis=0))


def _ends(run: RunData, since: Array) -> Iterator[Event]:
    """How the run ended, if at an epoch; ``since`` (examples,) is the row from which each example stays right."""
    label, column = ENDS.get(run.outcome, ("", ""))
    epoch = run.row[column] if column else -1
    if epoch <= 0:
        return
    if run.outcome == "solved" and len(since) <= MOST_SINGLE:  # the examples that were the last to be wrong
        names = _named(run, (since > 0) & (since == since.max()))
        label = f"{', '.join(names)} right: solved" if len(names) < 3 else label
    yield Event(epoch, label, ending(run))


def _named(run: RunData, these: Array) -> list[str]:
    """The names of some examples, by a mask (examples,); equal ones have one."""
    return list(dict.fromkeys(example_name(run.x[number], number) for number in np.flatnonzero(these).tolist()))


def _right_events(run: RunData, epochs: Array, right: Array) -> Iterator[Event]:
    """Examples that become right and stay so, together where they do at the same epoch; of many, how many are right.

    What is right at the last epoch alone has not stayed so.
    """
    end, count = len(epochs) - 1, right.shape[1]
    if count > MOST_SINGLE:
        shares = _since(np.stack([right.sum(1) >= np.ceil(share * count) for _, share in SHARES], axis=1))
        for (word, _), row in zip(SHARES, shares.tolist(), strict=True):
            if 0 < row < end and not (run.outcome == "solved" and epochs[row] >= run.row["solved_at"]):
                label = f"{word} right"
                caption = f"{word.capitalize()} of the {count} examples are right from epoch {epochs[row]:,} on."
                yield Event(int(epochs[row]), label, caption, 3)
        return
    since = _since(right)
    for row in np.unique(since[(since > 0) & (since < end)]).tolist():
        if run.outcome == "solved" and row == since.max():
            continue  # the event of the outcome says so
        group = _named(run, since == row)
        caption = f"{conjoined(group)} {'is' if len(group) == 1 else 'are'} right from epoch {epochs[row]:,} on."
        yield Event(int(epochs[row]), f"{', '.join(group)} right", capitalized(caption), 3)


def _deaths(run: RunData) -> Iterator[Event]:
    """Units that are dead at the end, from the epoch at which they died."""
    dead = diagnosis.findings(run.task, run.parameters[-1]).dead if np.isfinite(run.parameters[-1]).all() else []
    found = diagnosis.dead_since(run.task, dead, run.epochs, run.parameters) if dead else {}
    for (epoch, is_exact), those in [item for item in found.items() if item[0][0] > 0][:MOST_UNITS]:
        names = unit_names(run, those) if len(those) < 4 else f"{len(those)} units"
        caption = f"{names} {are_dead(those, epoch, is_exact)}: {off(run, those)} on every example."
        yield Event(epoch, f"{names} dead", capitalized(caption), 2)


def _plateaus(run: RunData, data: FilmData) -> Iterator[Event]:
    """The longest stretch in which the loss stays level, before the run is solved."""
    epochs, losses = data.loss_epochs, np.asarray(data.losses[:, 0], float)
    until = run.row["solved_at"] if run.outcome == "solved" else epochs[-1]
    known = np.isfinite(losses) & (epochs <= until)
    first, last = _level(losses[known])
    epochs = epochs[known]
    if not len(epochs) or epochs[last] - epochs[first] < max(LEAST_EPOCHS, LEAST_SHARE * epochs[-1]):
        return
    start, end, loss = int(epochs[first]), int(epochs[last]), f"{losses[known][last]:.3g}"
    if last < len(epochs) - 1:
        yield Event(start, "plateau", f"A plateau: the loss stays near {loss} until epoch {end:,}.", 4, end)
    elif run.outcome not in ("training", *SUCCESSES):
        yield Event(start, "plateau", f"A plateau from epoch {start:,} on: the loss stays near {loss}.", 4)


def _level(losses: Array) -> tuple[int, int]:
    """The first and the last place of the longest stretch of losses (n,) that differ by less than LEVEL."""
    best, start = (0, 0), 0
    low, high = list[int](), list[int]()  # places of losses since start, the smallest first, the largest first
    for end, loss in enumerate(losses.tolist()):
        while low and losses[low[-1]] >= loss:
            low.pop()
        while high and losses[high[-1]] <= loss:
            high.pop()
        low.append(end)
        high.append(end)
        while losses[high[0]] > LEVEL * losses[low[0]]:
            start = min(low[0], high[0]) + 1
            low, high = [k for k in low if k >= start], [k for k in high if k >= start]
        if end - start > best[1] - best[0]:
            best = (start, end)
    return best
