"""Inputs for a trained network, from another file or from values, encoded as those that it was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os.path import exists
from pathlib import Path
from typing import Any, NamedTuple

from xortrain.errors import UserError, counted
from xortrain.nets import Array
from xortrain.setup.column_names import Columns, Source
from xortrain.setup.csv_table import DataTable, as_number, read_table
from xortrain.setup.table_columns import complete_rows, encoded


class NewInputs(NamedTuple):
    """x (examples, inputs), the lines that the examples stand on, and those that were dropped."""

    x: Array
    lines: tuple[int, ...]
    dropped: tuple[int, ...]


def inputs_from(text: str, path: Path, columns: Columns, inputs: int, data: Mapping[str, Any]) -> NewInputs:
    """The inputs in a file, or if there is none of this name, in a text as "1,0".

    ``columns`` and ``data`` are the columns and the settings of the table that the network was trained on, which make
    this many ``inputs``; the targets among them may be there or not.
    """
    names = columns.inputs or [f"x{k + 1}" for k in range(inputs)]
    sources = columns.sources or tuple(Source(name, place) for place, name in enumerate(names))
    if ("," in text or as_number(text, ",") is not None) and not exists(path):  # which a long text cannot
        table = _of_values(text)
    else:
        is_named = "".join(columns.inputs[:1]).startswith(sources[0].name)  # else they are called by their places
        known = [one.name for one in sources] if is_named else []
        kinds = {kind for one in sources for kind in one.kinds}
        header = "false" if data.get("header") == "false" else "auto"
        table = replace(read_table(text, path, header, known, kinds), hint="")
    places = _places_of(table, sources, columns.width)
    missing = data.get("missing", "error")
    rows = complete_rows(table, places, missing, "; the network was trained with data.missing=error")
    kept = tuple(table.lines[row] for row in rows)
    return NewInputs(encoded(table, rows, sources, places), kept, tuple(sorted(set(table.lines) - set(kept))))


def _of_values(text: str) -> DataTable:
    cells = [cell.strip() for cell in text.rstrip(",").split(",")]
    return DataTable(text, tuple(map(str, range(len(cells)))), False, tuple((cell,) for cell in cells), (1,), ",")


def _places_of(table: DataTable, sources: Sequence[Source], width: int) -> list[int]:
    """Where the sources are in a table: by name if it has a header with them, else by their order or their places."""
    names, count = [source.name for source in sources], len(table.names)
    if table.has_header and set(names) & set(table.names):
        lacking = [name for name in names if name not in table.names]
        if lacking:
            raise UserError(f"{table.where}: has no column {lacking[0]!r}; the network needs {', '.join(names)}")
        return [table.names.index(name) for name in names]
    if count == len(sources):
        return list(range(count))
    if count == width:
        return [source.place for source in sources]
    also = f", or {width} as in its own table" if width > len(sources) else ""
    has = f"has {counted(count, 'value')} per example"
    raise UserError(f"{table.where}: {has}; the network needs {len(sources)}, {', '.join(names)}{also}")
