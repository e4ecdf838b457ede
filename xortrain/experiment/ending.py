"""What is said at the end of a sweep: the table, what failed, where the records lie, and the films.

Of a single run that was resumed, what it says at its own end.
"""

from pathlib import Path

from xortrain.errors import FailedError
from xortrain.experiment.sweep_films import sweep_films
from xortrain.experiment.titles import typed
from xortrain.experiment.trained import load
from xortrain.records.groups import group
from xortrain.records.index import Entry, open_entry
from xortrain.tracker.grouping import report

SHOWN = 5  # films that are named


def told(folder: Path, show: bool = True, is_new: bool = True) -> str:
    """The whole text; raises FailedError with it if not all jobs came to their end."""
    entry = open_entry(folder, typed(folder))
    table = report([entry], group(entry.parts), entry.runs) if entry.is_sweep else load(folder).run(0).summary()
    films = sweep_films(entry, show) if is_new or not any(folder.glob("film.*")) else []
    lines = [table, "", f"record  {typed(folder)}", *_films(entry, films), *_kept(entry)]
    if entry.status != "finished":
        again = f"some jobs failed; to try them again: xortrain resume {typed(folder)}"
        raise FailedError(again, "\n".join(lines))
    return "\n".join(lines)


def _films(entry: Entry, films: list[Path]) -> list[str]:
    lines = [f"film    {typed(path)}" for path in films[:SHOWN]]
    asked = entry.parts[0].about["config"]["film"]
    if films and entry.runs > 1 and asked["name"] == "panels" and not asked["each"]:
        lines.append("        all runs side by side; film.each=true adds one of every run")
    return [*lines, f"        and {len(films) - SHOWN} more"] if len(films) > SHOWN else lines


def _kept(entry: Entry) -> list[str]:
    """A line where snapshots were left out."""
    if not any(part.about.get("trimmed") for part in entry.parts):
        return []
    return ["kept    first and last snapshots alone, for track.bytes; a film of one run trains it again"]
