"""What went wrong in a run or a sweep, all of it, with the reasons that were kept."""

from collections import Counter

from xortrain.records.events import Event, failures
from xortrain.records.files import plain
from xortrain.records.index import Entry


def failures_of(entry: Entry) -> list[str]:
    """A line for each failure; those with the same words are one line that counts them."""
    counted = Counter(_told(event) for event in failures(entry.events))
    return [f"{plain(entry.id)}: {text}{f' ({times} times)' if times > 1 else ''}" for text, times in counted.items()]


def _told(event: Event) -> str:
    jobs, reason = event.get("jobs"), event.get("reason")
    where = f" jobs {jobs[0]} to {jobs[-1]}" if isinstance(jobs, list) and jobs else ""
    return plain(f"failed{where}: {reason if isinstance(reason, str) else 'no reason was kept'}")
