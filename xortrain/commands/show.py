"""``xortrain show``: one run or one sweep, all that is known of it on a page."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xortrain.commands.arguments import NAMES, parser
from xortrain.commands.ls import VARIES, of_sweep
from xortrain.errors import UserError
from xortrain.records import columns
from xortrain.records.files import plain
from xortrain.records.index import Entry, RecordInfo, failures_of
from xortrain.records.metadata import settings
from xortrain.records.naming import Named, named
from xortrain.records.tables import as_json, cell
from xortrain.runs.opening import open_trained
from xortrain.runs.trained import RunData

BARS = "▁▂▃▄▅▆▇█"
POINTS = 48  # of the curve
BEST = 10  # groups of a sweep that are shown
RESULTS = ("outcome", "reasons", "epochs_done", "solved_at", "diverged_at", "diverged_in", "final_loss", "best_loss")
RESULTS_OF_EXAMPLES = ("accuracy", "test_loss", "test_accuracy")


def show(arguments: list[str]) -> str:
    """xortrain show RUN: the page of a run or a sweep."""
    p = parser("show", notes=NAMES)
    p.add_argument("run", metavar="RUN", help="a run or a sweep")
    a = p.parse_args(arguments)
    found = named(a.run, a.root)
    if found.entry.is_sweep and found.number is None:
        return as_json([of_sweep(found.entry)]) if a.json else "\n".join(_sweep_page(found.entry))
    part, place = found.run()
    line = columns.values(found.entry, part, place)
    return as_json([line]) if a.json else "\n".join(_run_page(found, part, place, line))


def _reasons(folder: Path, place: int) -> list[str]:
    """Why a run ended as it did, worked out from the record; empty if the record cannot be trained."""
    from xortrain.views.summary import explained

    try:
        return explained(RunData(open_trained(folder), place))
    except UserError:
        return []


def _run_page(found: Named, part: RecordInfo, place: int, line: Mapping[str, Any]) -> Iterator[str]:
    yield f"{line['id']}  {line['status']}: {line['outcome']}"
    yield from _reasons(part.folder, place)
    yield from _origin(found.entry, part)
    yield ""
    for name in (*RESULTS, *RESULTS_OF_EXAMPLES):
        if line.get(name) not in (None, ""):
            yield f"{name:<16}{_long(line[name])}"
    yield from _curve(part, place)
    yield ""
    yield from settings_lines({**part.metadata["config"], **_own(part, line)})
    yield from _remarks(found)


def _own(part: RecordInfo, line: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are this run's own in its sweep, by their dotted names."""
    return {name: line[name] for name in ("seed", *part.metadata["varies"]) if name in line}


def _long(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else cell(value)


def _origin(entry: Entry, of: Entry | RecordInfo) -> Iterator[str]:
    """When, where and with what."""
    said = columns.record_columns(entry, of)
    took = "" if said["seconds"] is None else f", took {said['seconds']:.3g} s"
    yield f"started {said['started']}{took}, on {said['host'] or 'an unknown host'}"
    versions, git = of.metadata.get("versions"), of.metadata.get("git")
    if isinstance(versions, dict):
        told = [f"{name} {versions[name]}" for name in ("xortrain", "python", "numpy") if name in versions]
        yield plain(f"with {', '.join(told)}")
    if isinstance(git, dict):
        yield plain(f"git {str(git.get('commit'))[:12]}{', with changes' if git.get('dirty') else ''}")
    command = of.metadata.get("command")
    if isinstance(command, list) and command:
        yield plain(f"command {shlex.join([_program(str(command[0])), *map(str, command[1:])])}")
    yield f"in {said['path']}"


def _program(path: str) -> str:
    """What one types for it: the script's name, or xortrain for python -m xortrain."""
    name = Path(path).name
    return "xortrain" if name == "__main__.py" else name


def _curve(part: RecordInfo, place: int) -> Iterator[str]:
    """The loss over the epochs as a row of bars, as far as it was recorded."""
    import numpy as np

    from xortrain.records.reader import RecordReader

    record = RecordReader(part.folder, part.metadata)
    try:
        losses, epochs = np.asarray(record.of_run("losses", place), float), record.loss_epochs
    except UserError as error:
        yield f"losses          {plain(error)}"
        return
    known = np.flatnonzero(np.isfinite(losses))
    if len(known):
        some = losses[known[np.linspace(0, len(known) - 1, min(POINTS, len(known))).round().astype(int)]]
        height = (some - some.min()) / (np.ptp(some) or 1.0)
        bars = "".join(BARS[round(h * (len(BARS) - 1))] for h in height.tolist())
        first, last = known[0], known[-1]
        yield f"losses          {losses[first]:.4g} {bars} {losses[last]:.4g}, epochs {epochs[first]} to {epochs[last]}"


def settings_lines(config: Mapping[str, Any]) -> Iterator[str]:
    """A line for each setting or group: optimizer  sgd, momentum 0, nesterov false."""
    groups: dict[str, list[str]] = {}
    for name, value in settings(config).items():
        group, _, key = name.partition(".")
        if value not in (None, "", "[]"):
            told = groups.setdefault(group, [])
            told.insert(len(told) if key else 0, f"{key} {cell(value)}" if key else cell(value))
    yield from (f"{group:<16}{', '.join(told)}" for group, told in groups.items())


def _remarks(found: Named) -> Iterator[str]:
    """Notes, tags and failures."""
    marks = found.entry.marks if found.number is None else found.entry.marks.of(found.number)
    if marks.tags or marks.notes:
        yield ""
    if marks.tags:
        yield f"tagged {', '.join(map(plain, marks.tags))}"
    yield from (f"note: {plain(note)}" for note in marks.notes)
    yield from failures_of(found.entry)


def _sweep_page(entry: Entry) -> Iterator[str]:
    line = of_sweep(entry)
    counted = ", ".join(f"{word} {runs}" for word, runs in sorted(line["outcomes"].items(), key=lambda pair: -pair[1]))
    yield f"{line['id']}  {line['status']}: a sweep of {line['runs']} runs, {line['outcome']}"
    yield from _origin(entry, entry)
    yield f"outcomes {counted or 'none yet'}"
    if entry.parts:
        yield ""
        yield from _groups(entry.parts)
        yield ""
        same = {name: value for name, value in line.items() if name in _settings(entry.parts) and value != VARIES}
        yield from settings_lines(same)
    yield from _remarks(Named(entry.id, entry))
    yield from (f"unreadable: {problem}" for problem in entry.problems)


def _settings(parts: Sequence[RecordInfo]) -> set[str]:
    return {name for part in parts for name in part.settings}


def _groups(parts: Sequence[RecordInfo]) -> Iterator[str]:
    from xortrain.records.groups import group_runs
    from xortrain.views.group_table import groups_table, repeats

    groups = group_runs(parts)
    yield groups_table(groups[:BEST])
    if len(groups) > BEST:
        yield f"and {len(groups) - BEST} more, see xortrain group"
    yield from repeats(groups, sum(len(part.rows) for part in parts))
