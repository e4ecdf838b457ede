"""What is printed at the end of a run or a sweep: how it ended and why, and the paths of records and films."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from xortrain.config.own_rows import with_files
from xortrain.errors import FailedError, counted, padded, width_of
from xortrain.films.data import outcome_in_words
from xortrain.films.film_settings import LAYOUTS
from xortrain.nets import Array
from xortrain.records.files import shown_path
from xortrain.setup.column_names import cut_list
from xortrain.trained.run_data import RunData
from xortrain.views.headline import headline, loss_units

if TYPE_CHECKING:
    from xortrain.records.index import Entry

MOST_ROWS, MOST_COLUMNS = 16, 6
MOST_CLASSES = 10
WIDTH, WIDEST = 80, 100  # of sentences, of the table
MOST_FILMS = 5  # whose paths are printed
MOST_GROUPS = 100  # lines at the end of a sweep; xortrain group prints all


def run_ending(run: RunData, with_film: bool = True) -> Iterator[str]:
    """Yield the summary of a single run and the path of its record; then write its film into it, if wanted."""
    yield f"{summary(run)}\n\nrecord  {shown_path(run.folder)}"
    if with_film and run.setup.population.shared("film.name") != "none":
        from xortrain.views.run_film import record_film

        yield f"film    {shown_path(record_film(run.trained))}"


def advice_ending(run: RunData) -> Iterator[str]:
    """Try what might help a single run that ended unsolved, if wanted, and keep it in its record; yields the text."""
    if run.is_unsolved and run.config["advice"] == "auto" and run.folder:
        from xortrain.advice.trials import advise, keep_advice

        advice = advise(run, show=True)
        if text := str(advice):
            yield f"\n{text}"
        keep_advice(run.folder, advice)


def sweep_ending(folder: Path, is_new: bool = True, more: Iterable[str] = ()) -> Iterator[str]:
    """Yield the table of a sweep's groups, or the summary of a resumed run; then write the films, and yield the paths.

    ``more`` writes other views and yields their lines.  Raises FailedError in the end if some jobs failed.
    """
    from xortrain.records.index import open_entry
    from xortrain.runner.train import RENDER, RESUME, working_in
    from xortrain.trained.sweep_data import SweepData
    from xortrain.views.sweep_film import write_films

    entry = open_entry(folder, place := shown_path(folder))
    sweep, is_done = SweepData[RunData].of(entry), entry.status == "finished"
    text = _groups(entry) if entry.is_sweep else summary(sweep[0])
    yield f"{text}\n\nrecord  {place}"
    yield from more
    with working_in(folder, RENDER if is_done else RESUME):
        films = write_films(sweep) if is_new or not any(folder.glob("film.*")) else []
    yield from (f"film    {shown_path(path)}" for path in films[:MOST_FILMS])
    asked = entry.parts[0].metadata["config"]["film"]
    if films and entry.runs > 1 and asked["name"] == "story" and not asked["each"]:
        yield "        all runs side by side; film.each=true adds one of every run"
    if len(films) > MOST_FILMS:
        yield f"        and {len(films) - MOST_FILMS} more"
    if any(part.metadata.get("trimmed") for part in entry.parts):
        yield "stored  first and last snapshots only, within track.bytes; the film of one run trains it again"
    if not is_done:
        raise FailedError(f"some jobs failed; to try them again: {with_files('xortrain resume', place)}")


def _groups(entry: "Entry") -> str:
    """The table of the groups of a sweep; of a very long one only the best."""
    from xortrain.records.groups import group_runs
    from xortrain.views.group_table import group_report

    if LAYOUTS[entry.parts[0].metadata["config"]["film"]["name"]].is_map:
        return "\n".join([_outcomes(entry), *entry.failures()])
    return group_report([entry], group_runs(entry.parts), entry.runs, MOST_GROUPS)


def _outcomes(entry: "Entry") -> str:
    """As in "9,216 runs: 48 % saturated, 20 % plateau, 18 % still training, 14 % solved"."""
    from xortrain.films.solved_share import format_share

    found = Counter[str]()
    for part in entry.parts:
        epochs = part.metadata["config"]["epochs"]
        found.update({outcome_in_words(word, epochs): count for word, count in part.outcomes().items()})
    shares = [f"{format_share(count, entry.runs)} {words}" for words, count in found.most_common()]
    return f"{counted(entry.runs, 'run')}: {', '.join(shares)}"


def summary(run: RunData) -> str:
    """How a run ended and why, and the table of its examples."""
    return "\n".join([*outcome_lines(run), *_held_out(run), *_right_by_class(run), "", *example_table(run)]).rstrip()


def outcome_lines(run: RunData) -> list[str]:
    """How a run ended, and why if there is more to say."""
    if not needs_verdict(run):
        return [headline(run)]
    from xortrain.views.verdict import verdict

    return [headline(run), *wrap(verdict(run), WIDTH)]


def needs_verdict(run: RunData) -> bool:
    """Whether there is more to say of a run than how it ended."""
    return run.outcome != "solved" or bool(run.row["reasons"]) or run.row["final_loss"] > run.losses[0]


def _held_out(run: RunData) -> list[str]:
    if run.setup.test is None or run.outcome == "pending":
        return []
    row, examples = run.row, counted(len(run.setup.test.x), "example")
    return [f"Held out, {examples}: {row['test_accuracy']:.1%} right, loss {row['test_loss']:.6g}{loss_units(run)}."]


def _right_by_class(run: RunData) -> list[str]:
    """As in "Right: setosa 48 of 50, virginica 41 of 50.", where classes have names and some examples are wrong."""
    names = run.setup.columns.told_classes
    if not names or run.outcome == "pending" or run.right.all():
        return []
    kinds = run.class_indices(run.t)
    counts = [(name, run.right[kinds == k]) for k, name in enumerate(names)]
    said = [f"{name} {int(right.sum()):,} of {len(right):,}" for name, right in counts if len(right)]
    return wrap(f"Right: {cut_list(said, MOST_CLASSES)}.", WIDTH)


def example_table(run: RunData) -> list[str]:
    """Inputs, targets and outputs of the first examples, and which outputs are wrong."""
    if run.outcome == "pending":
        return []
    x, t, y, right = run.x, run.t, run.predict(run.x), run.right
    names = run.setup.columns
    given = names.outputs if y.shape[1] > 1 else ()
    kinds = [Kind("x", x, names.inputs), Kind("target", t, [f"target {n}" for n in given]), Kind("output", y, given)]
    if names.told_classes:
        kinds[1] = Kind("target", np.array(names.classes, object)[run.class_indices(t)][:, None])
        kinds[2] = Kind("output", y, names.classes if y.shape[1] > 1 else ())
    columns = _fitted(kinds)
    padded_columns = [[padded(cell, _width(column), right=True) for cell in column] for column in columns]
    head, *cells = map("  ".join, zip(*padded_columns, strict=True))
    lines = [head, *(line if is_right else f"{line}  wrong" for line, is_right in zip(cells, right, strict=False))]
    if len(x) > MOST_ROWS:
        lines.append(f"… and {len(x) - MOST_ROWS} more, {int((~right[MOST_ROWS:]).sum())} of them wrong")
    return lines


@dataclass(frozen=True)
class Kind:
    """Columns of one kind: values (examples, columns), and their names if the user's table has some."""

    name: str
    values: Array
    given: Sequence[str] = ()

    def columns(self, most: int) -> list[list[str]]:
        """Name and values of each column as text; if there are too many, the first ones and how many are left out."""
        count = self.values.shape[1]
        style = ".4f" if self.name == "output" and abs(self.values).max() < 1e6 else "g"
        style = "" if self.values.dtype == object else style
        names = self.given or [f"{self.name}{k + 1}" if count > 1 else self.name for k in range(count)]
        shown = self.values[:MOST_ROWS, :most].T
        columns = [[name, *(f"{v:{style}}" for v in column)] for name, column in zip(names, shown, strict=False)]
        left_out = [f"(+{count - most} {self.name})", *[""] * shown.shape[1]]
        return [*columns, left_out] if count > most else columns


def _fitted(kinds: list[Kind]) -> list[list[str]]:
    """As many columns as fit in a line before the word "wrong"; the widest kinds lose columns first."""
    most = [min(MOST_COLUMNS, kind.values.shape[1]) for kind in kinds]
    while True:
        columns = [kind.columns(count) for kind, count in zip(kinds, most, strict=True)]
        widths = [sum(2 + _width(column) for column in own) for own in columns]
        widest = max((k for k in range(len(kinds)) if most[k] > 1), key=lambda k: widths[k], default=None)
        if widest is None or sum(widths) + len("wrong") <= WIDEST:
            return [column for own in columns for column in own]
        most[widest] -= 1


def _width(column: list[str]) -> int:
    return max(map(width_of, column))
