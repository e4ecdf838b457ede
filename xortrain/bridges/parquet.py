"""Tables as Parquet: each column in its own type, in row groups that are written while rows are read."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import IO, Any

from xortrain.bridges.record_tables import RecordTable, Row
from xortrain.errors import UserError, needed
from xortrain.records.tables import finite

GROUP_VALUES, GROUP_ROWS = 1 << 20, 1 << 16  # at most, in one row group


def write_parquet(file: IO[bytes], table: RecordTable) -> None:
    """Columns of booleans, 64-bit integers and floats, texts, or nulls alone, compressed."""
    arrow, parquet = (needed(name, "parquet", ".parquet") for name in ("pyarrow", "pyarrow.parquet"))
    if len(set(table.head)) < len(table.head):
        raise UserError(f".parquet: two columns have one name among {', '.join(table.head)}; name them by as")
    types: dict[Any, Any] = {bool: arrow.bool_(), int: arrow.int64(), float: arrow.float64(), str: arrow.string()}
    kinds = [table.kinds[name] for name in table.head]
    fields = [(name, types.get(kind, arrow.null())) for name, kind in zip(table.head, kinds, strict=True)]
    schema = arrow.schema(fields)
    rows = max(1, min(GROUP_ROWS, GROUP_VALUES // max(1, len(kinds))))
    waiting = iter(table.rows)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := list(islice(waiting, rows)):
            columns = zip(zip(*group, strict=True), kinds, schema, strict=True)
            arrays = [arrow.array(_column(values, kind), field.type) for values, kind, field in columns]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))


def _column(values: Row, kind: type | None) -> Sequence[Any]:
    convert = _CONVERTED.get(kind)
    if convert is None or all(type(value) is kind or value is None for value in values):
        return values
    return [None if value is None else convert(value) for value in values]


def _text(value: Any) -> str:
    value = finite(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


_CONVERTED: dict[type | None, Callable[[Any], Any]] = {float: float, str: _text}
"""How a value of another type is stored in a column of this one."""
