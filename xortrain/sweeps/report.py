"""What is said at the end of a sweep: a table of its settings, best first, and every failure with its reason."""

from pathlib import Path

from xortrain.records.events import failures
from xortrain.records.groups import group
from xortrain.records.index import open_entry


def report(folder: Path) -> str:
    """The table, the failures, and where the records lie."""
    entry = open_entry(folder, folder.name)
    lines = [str(line) for line in group(entry.parts)]
    lines += [f"failed  {event.get('jobs')}: {event.get('reason')}" for event in failures(entry.events)]
    return "\n".join([*lines, "", f"record  {folder}"])
