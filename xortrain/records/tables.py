"""Formats tables for a terminal and JSON for programs."""

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from xortrain.errors import padded, printable, shorten_apart, width_of

GAP = "  "
NULL = "null"  # a setting that is null; an empty cell means that there is no such setting
WIDEST, WHOLE = 40, 4096  # characters of one cell, and of one that is copied into a command
COPIED = ("id", "path")
DIGITS, EXACT = 4, 17  # of a number in a table: usually, and where fewer would make different numbers look equal


def format_cell(value: Any, digits: int = DIGITS, most: int = WIDEST) -> str:
    """A value as text for a table: a few digits of a number, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.hex()[:WIDEST]
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.{digits}g}"
    text = printable(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def told_apart(values: Sequence[Any], text: Callable[[Any, int], str] = format_cell) -> list[str]:
    """Settings as text, with as many digits and letters as it takes to show that values differ."""
    numbers = {value for value in values if isinstance(value, float)}
    digits = next((n for n in range(DIGITS, EXACT) if len({text(one, n) for one in numbers}) == len(numbers)), EXACT)
    given = [one for one in values if isinstance(one, str)]
    shown = shorten_apart(given, lambda word: text(word, digits))
    words = iter(shown if len({*shown}) == len({*given}) else (format_cell(one, most=WHOLE) for one in given))
    return [next(words) if isinstance(value, str) else text(value, digits) for value in values]


def column_texts(name: str, values: Sequence[Any], is_setting: bool) -> list[str]:
    """The cells of a column as text."""
    most = WHOLE if name in COPIED else WIDEST
    return told_apart(values) if is_setting else [format_cell(value, most=most) for value in values]


def format_table(head: Sequence[str], rows: Iterable[Sequence[Any]], settings: Collection[str] = ()) -> str:
    """A table with a header line, numbers right-aligned; those of ``settings`` have the digits in which they differ."""
    texts, numeric = _texts(head, rows, settings)
    widths = [max(map(width_of, [printable(name), *column])) for name, column in zip(head, texts, strict=True)]
    lines = (zip(row, widths, numeric, strict=True) for row in [map(printable, head), *zip(*texts, strict=True)])
    return "\n".join(GAP.join(padded(*cell) for cell in line).rstrip() for line in lines)


def html_table(head: Sequence[str], rows: Iterable[Sequence[Any]], settings: Collection[str] = ()) -> str:
    """The same table as HTML."""
    import html

    texts, numeric = _texts(head, rows, settings)
    sides = ["right" if right else "left" for right in numeric]

    def line(cells: Iterable[str], kind: str) -> str:
        placed = zip(cells, sides, strict=True)
        return "".join(f'<{kind} style="text-align:{side}">{html.escape(text)}</{kind}>' for text, side in placed)

    body = "".join(f"<tr>{line(cells, 'td')}</tr>" for cells in zip(*texts, strict=True))
    return f"<table><thead><tr>{line(map(printable, head), 'th')}</tr></thead><tbody>{body}</tbody></table>"


def _texts(
    head: Sequence[str], rows: Iterable[Sequence[Any]], settings: Collection[str]
) -> tuple[list[list[str]], list[bool]]:
    """The cells of each column as text, and which columns are numbers."""
    content = [list(row) for row in rows]
    columns = list(zip(*content, strict=True)) or [()] * len(head)
    texts = [column_texts(name, column, name in settings) for name, column in zip(head, columns, strict=True)]
    return texts, [_is_numeric(column) for column in columns]


def _is_numeric(values: Iterable[Any]) -> bool:
    kinds = {type(value) for value in values if value is not None and value != NULL}
    return bool(kinds) and kinds <= {int, float}


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
