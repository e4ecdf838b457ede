"""Tables for a terminal, and JSON: numbers plain and short, nothing that moves the cursor."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xortrain.records.files import plain

GAP = "  "
NULL = "null"  # a setting that is null, where an empty cell would look as if there were none
WIDEST = 40  # characters of one cell


def cell(value: Any) -> str:
    """A value as it stands in a table; four digits of a number, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.hex()[:WIDEST]
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.4g}"
    text = plain(value)
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns under their names; those of numbers to the right."""
    content = [list(row) for row in rows]
    cells = [[cell(value) for value in row] for row in content]
    columns = list(zip(head, *cells, strict=True)) if cells else [(name,) for name in head]
    widths = [max(map(len, column)) for column in columns]
    numeric = [_is_numeric(row[k] for row in content) for k in range(len(head))]
    return "\n".join(_line(row, widths, numeric) for row in [list(map(plain, head)), *cells])


def _is_numeric(values: Iterable[Any]) -> bool:
    kinds = {type(value) for value in values if value is not None and value != NULL}
    return bool(kinds) and kinds <= {int, float}


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    placed = zip(cells, widths, numeric, strict=True)
    return GAP.join(text.rjust(width) if right else text.ljust(width) for text, width, right in placed).rstrip()


def as_json(items: Iterable[Mapping[str, Any]]) -> str:
    """One JSON array, an object a line; what is not a finite number is null, other letters than ASCII are escaped."""
    lines = [json.dumps({key: finite(value) for key, value in item.items()}) for item in items]
    return "[" + ",\n ".join(lines) + "]"


def finite(value: Any) -> Any:
    """A value that JSON has: what is not a finite number is None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):  # as SQL can make them
        return value.hex()
    if isinstance(value, dict):
        return {key: finite(own) for key, own in value.items()}
    return [finite(own) for own in value] if isinstance(value, list | tuple) else value
