"""``xortrain show``: everything about one run or one sweep."""

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xortrain.commands.arguments import answer, command_parser
from xortrain.errors import LONGEST, NeededFileError, Reading, UserError, counted, printable
from xortrain.records import columns, layout
from xortrain.records.index import Entry, RecordInfo
from xortrain.records.naming import Named, named
from xortrain.records.tables import format_cell

DIGITS = 10
BARS = "▁▂▃▄▅▆▇█"
POINTS = 48  # of the loss curve
BEST = 10  # groups of a sweep that are shown
RESULTS = ("outcome", "reasons", "epochs_done", "solved_at", "diverged_at", "diverged_in", "final_loss", "best_loss")
RESULTS_OF_EXAMPLES = ("exploded_at", "best_at", "accuracy", "test_loss", "test_accuracy")


def show(arguments: list[str]) -> str:
    """xortrain show RUN: the page of a run or a sweep."""
    p = command_parser("show")
    p.add_argument("run", metavar="RUN", help="a run or a sweep")
    a = p.parse_args(arguments)
    found = named(a.run, a.root)
    if found.entry.is_sweep and found.number is None:
        line = columns.sweep_columns(found.entry)
        return answer(a, [line], _sweep_page(found, line))
    part, index = found.run()
    line = columns.run_columns(found.entry, part, index)
    advice = None if found.entry.is_sweep else _kept_advice(part.folder)
    own = {} if isinstance(advice, str | None) else {"trials": advice.as_json()}
    return answer(a, [line | own], _run_page(found, part, index, line, str(advice or "")))


def _run_page(found: Named, part: RecordInfo, index: int, line: Mapping[str, Any], advice: str) -> Iterator[str]:
    yield f"{line['id']}  {line['status']}: {line['outcome']}"
    yield from _explanation(part.folder, index)
    yield from advice.splitlines()
    yield from _origin(found.entry, part)
    yield from _understood([part])
    yield ""
    for name in (*RESULTS, *RESULTS_OF_EXAMPLES):
        if line[name] not in (None, ""):
            yield f"{name:<16}{format_cell(line[name], DIGITS)}"
    yield from _curve(part, index)
    yield ""
    own = {name: line[name] for name in ("seed", *part.varies)}
    yield from _settings_lines(part.settings | own)
    yield from _remarks(found)


def _kept_advice(folder: Path) -> Any:
    """The advice in a record, a line if it is unreadable, None if there is none, which needs no large package."""
    if not os.path.lexists(folder / layout.ADVICE):
        return None
    from xortrain.advice.trials import kept_advice

    return kept_advice(folder)


def _explanation(folder: Path, index: int) -> list[str]:
    """Why a run ended as it did, computed from its record; empty if the record is invalid."""
    from xortrain.trained.opening import open_trained
    from xortrain.trained.run_data import RunData
    from xortrain.views.summary import outcome_lines

    try:
        with Reading(folder):
            return outcome_lines(RunData(open_trained(folder), index))
    except UserError as error:
        return [str(error)] if isinstance(error, NeededFileError) else []


def _origin(entry: Entry, of: Entry | RecordInfo) -> Iterator[str]:
    """When, where and with which versions it was trained."""
    record = columns.record_columns(entry, of)
    took = "" if record["seconds"] is None else f", took {record['seconds']:.3g} s"
    yield f"started {record['started']}{took}, on {record['host'] or 'an unknown host'}"
    parent = of.metadata.get("parent")
    if record["parent"] and isinstance(parent, dict):
        yield printable(f"continues {record['parent']} from epoch {parent.get('epoch')}{_set_by_hand(of, parent)}")
    versions, git = of.metadata.get("versions"), of.metadata.get("git")
    if isinstance(versions, dict):
        shown = [f"{name} {versions[name]}" for name in ("xortrain", "python", "numpy") if name in versions]
        yield printable(f"with {', '.join(shown)}")
    if isinstance(of, RecordInfo):
        from xortrain.training.engine import recorded_engine

        yield printable(f"trained by {recorded_engine(of.metadata, of.settings.get('engine'))}")
    if isinstance(git, dict):
        yield printable(f"git {str(git.get('commit'))[:12]}{', with changes' if git.get('dirty') else ''}")
    command = of.metadata.get("command")
    if isinstance(command, list) and command:
        program = Path(str(command[0])).name.replace("__main__.py", "xortrain")  # of python -m xortrain
        yield printable(f"command {shlex.join([program, *map(str, command[1:])])}")
    yield f"in {record['path']}"


def _set_by_hand(of: Entry | RecordInfo, parent: Mapping[str, Any]) -> str:
    """What was set at the epoch from which a run was continued."""
    stages = of.metadata.get("stages")
    last = stages[-1] if isinstance(stages, list) and stages else None
    entries = last.get("set") if isinstance(last, dict) and last.get("until") == parent.get("epoch") else None
    if not isinstance(entries, dict) or not entries:
        return ""
    listed = (f"{layout.column_of(f'{layout.START}.{name}')} set to {value}" for name, value in entries.items())
    return f" with {', '.join(listed)}"[:LONGEST]


def _understood(parts: Iterable[RecordInfo]) -> Iterator[str]:
    """What was understood of the user's own data."""
    found = (part.metadata.get("columns") for part in parts)
    lines = [names["line"] for names in found if isinstance(names, dict) and isinstance(names.get("line"), str)]
    yield from (f"data {printable(line)[:LONGEST]}" for line in dict.fromkeys(lines) if line)


def _curve(part: RecordInfo, index: int) -> Iterator[str]:
    """The recorded losses as a row of bars."""
    import numpy as np

    from xortrain.records.reader import RecordReader

    record = RecordReader(part.folder, part.metadata)
    try:
        losses, epochs = np.asarray(record.of_run("losses", index), float), record.loss_epochs
    except UserError as error:
        yield f"losses          {printable(error)}"
        return
    known = np.flatnonzero(np.isfinite(losses))
    if len(known):
        sampled = losses[known[np.linspace(0, len(known) - 1, min(POINTS, len(known))).round().astype(int)]]
        heights = (sampled - sampled.min()) / (np.ptp(sampled) or 1.0)
        bars = "".join(BARS[round(height * (len(BARS) - 1))] for height in heights.tolist())
        first, last = known[0], known[-1]
        yield f"losses          {losses[first]:.4g} {bars} {losses[last]:.4g}, epochs {epochs[first]} to {epochs[last]}"


def _settings_lines(settings: Mapping[str, Any]) -> Iterator[str]:
    """A line for each setting or group, as in "optimizer  sgd, momentum 0, nesterov false"."""
    groups: dict[str, list[str]] = {}
    for name, value in settings.items():
        group, _, key = name.partition(".")
        if value not in (None, "", "[]"):
            shown = groups.setdefault(group, [])
            text = format_cell(value, DIGITS, LONGEST)
            shown.insert(len(shown) if key else 0, f"{key} {text}" if key else text)
    yield from (f"{group:<16}{', '.join(shown)}" for group, shown in groups.items())


def _remarks(found: Named) -> Iterator[str]:
    """Tags, notes and failures."""
    marks = found.record.marks.of(found.number)
    if marks.tags or marks.notes:
        yield ""
    if marks.tags:
        yield f"tagged {', '.join(map(printable, marks.tags))}"
    yield from (f"note: {printable(note)}" for note in marks.notes)
    yield from found.entry.failures()


def _sweep_page(found: Named, line: Mapping[str, Any]) -> Iterator[str]:
    from xortrain.views.group_table import best_groups

    entry = found.entry
    outcomes = ", ".join(f"{word} {runs}" for word, runs in sorted(line["outcomes"].items(), key=lambda pair: -pair[1]))
    yield f"{line['id']}  {line['status']}: a sweep of {counted(line['runs'], 'run')}, {line['outcome']}"
    yield from _origin(entry, entry)
    yield from _understood(entry.parts)
    yield f"outcomes {outcomes or 'none yet'}"
    if entry.parts:
        yield ""
        yield from best_groups(entry.parts, BEST)
        yield ""
        known = {name for part in entry.parts for name in part.settings}
        shared = {name: value for name, value in line.items() if name in known and value != columns.VARIES}
        yield from _settings_lines(shared)
    yield from _remarks(found)
    yield from (f"unreadable: {problem}" for problem in entry.problems)
