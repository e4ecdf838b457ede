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
    where = " ".join(f"{key} {event[key]}" for key in ("block", "run") if type(event.get(key)) is int)
    reason = event.get("reason")
    return plain(f"failed{': ' + where if where else ''}: {reason if isinstance(reason, str) else 'no reason kept'}")
