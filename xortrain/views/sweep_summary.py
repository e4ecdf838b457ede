"""What is said at the end of a sweep: the table, what failed, where the records lie, and the films.

Of a single run that was resumed, what it says at its own end.
"""

from pathlib import Path

from xortrain.errors import FailedError
from xortrain.records.files import shown_path
from xortrain.records.groups import group_runs
from xortrain.records.index import Entry, open_entry
from xortrain.runs.opening import open_trained
from xortrain.runs.trained import RunData
from xortrain.views.group_table import group_report
from xortrain.views.summary import summary
from xortrain.views.sweep_film import sweep_films

SHOWN = 5  # films that are named


def sweep_ending(folder: Path, show: bool = True, is_new: bool = True) -> str:
    """The whole text; raises FailedError with it if not all jobs came to their end."""
    entry = open_entry(folder, shown_path(folder))
    if entry.is_sweep:
        table = group_report([entry], group_runs(entry.parts), entry.runs)
    else:
        table = summary(RunData(open_trained(folder)))
    films = sweep_films(entry, show) if is_new or not any(folder.glob("film.*")) else []
    lines = [table, "", f"record  {shown_path(folder)}", *_films(entry, films), *_kept(entry)]
    if entry.status != "finished":
        again = f"some jobs failed; to try them again: xortrain resume {shown_path(folder)}"
        raise FailedError(again, "\n".join(lines))
    return "\n".join(lines)


def _films(entry: Entry, films: list[Path]) -> list[str]:
    lines = [f"film    {shown_path(path)}" for path in films[:SHOWN]]
    asked = entry.parts[0].metadata["config"]["film"]
    if films and entry.runs > 1 and asked["name"] == "panels" and not asked["each"]:
        lines.append("        all runs side by side; film.each=true adds one of every run")
    return [*lines, f"        and {len(films) - SHOWN} more"] if len(films) > SHOWN else lines


def _kept(entry: Entry) -> list[str]:
    """A line where snapshots were left out."""
    if not any(part.metadata.get("trimmed") for part in entry.parts):
        return []
    return ["kept    first and last snapshots alone, for track.bytes; a film of one run trains it again"]
