"""Formats tables for a terminal and JSON for programs."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xortrain.errors import printable

GAP = "  "
NULL = "null"  # a setting that is null; an empty cell means that there is no such setting
WIDEST = 40  # characters of one cell


def format_cell(value: Any) -> str:
    """A value as text for a table: four digits of a number, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.hex()[:WIDEST]
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.4g}"
    text = printable(value)
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def format_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table with a header line; columns of numbers are right-aligned."""
    content = [list(row) for row in rows]
    cells = [[format_cell(value) for value in row] for row in content]
    columns = list(zip(head, *cells, strict=True)) if cells else [(name,) for name in head]
    widths = [max(map(len, column)) for column in columns]
    numeric = [_is_numeric(row[k] for row in content) for k in range(len(head))]
    return "\n".join(_line(row, widths, numeric) for row in [list(map(printable, head)), *cells])


def _is_numeric(values: Iterable[Any]) -> bool:
    kinds = {type(value) for value in values if value is not None and value != NULL}
    return bool(kinds) and kinds <= {int, float}


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    placed = zip(cells, widths, numeric, strict=True)
    return GAP.join(text.rjust(width) if right else text.ljust(width) for text, width, right in placed).rstrip()


def as_json(items: Iterable[Mapping[str, Any]]) -> str:
    """A JSON array, one object per line, in ASCII; numbers that are not finite become null."""
    lines = [json.dumps({key: finite(value) for key, value in item.items()}) for item in items]
    return "[" + ",\n ".join(lines) + "]"


def finite(value: Any) -> Any:
    """A value that JSON can express: None for a number that is not finite, hexadecimal digits for bytes."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):  # from SQL
        return value.hex()
    if isinstance(value, dict):
        return {key: finite(own) for key, own in value.items()}
    return [finite(own) for own in value] if isinstance(value, list | tuple) else value
