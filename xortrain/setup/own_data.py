"""From a user's table, or arrays in Python, to numbers: which columns are inputs, targets or an index, and classes.

Nothing here depends on the loss; `examples` codes the targets for it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.errors import UserError, counted, cut
from xortrain.nets import Array
from xortrain.setup.column_names import MOST_KINDS, Columns, Source, understood
from xortrain.setup.csv_table import DataTable, read_table
from xortrain.setup.table_columns import (
    Part,
    column_in,
    complete_rows,
    encoded,
    input_names,
    kind_of,
    number_name,
    numbers_of,
    refuse_kinds,
    roles,
    source_of,
    target_values,
)  # fmt: skip

MOST_INPUTS = 4096
FEW_CLASSES = 10  # whole numbers with at most this many distinct values, each at least twice, are classes


@dataclass(frozen=True, eq=False)
class Target:
    """A target column: its values (examples,), where a text is the index of its class.

    ``distinct`` are the values of the training examples, increasing, ``names`` what they are called.  Two values are
    coded as the loss requires only if the target ``has_classes``.
    """

    name: str
    values: Array
    distinct: Array
    names: tuple[str, ...]
    is_text: bool = False
    has_classes: bool = False
    is_named: bool = True


@dataclass(frozen=True, eq=False)
class OwnData:
    """A user's own x (examples, inputs) and targets, of which the last ``held`` examples are held out.

    ``columns`` have no outputs yet, ``where`` begins an error.
    """

    x: Array
    targets: tuple[Target, ...]
    columns: Columns
    where: str
    held: int = 0


def target_of(where: str, name: str, values: Sequence[Any] | Array, held: int) -> Target:
    """The target with these values, numbers or texts, of which the last ``held`` are of held-out examples."""
    is_text = isinstance(values, list)
    texts = sorted(set(values[: len(values) - held])) if is_text else []
    if is_text:
        refuse_kinds(where, name, texts, "classes")
        if len(texts) < 2:
            raise UserError(f"{where}: the target {name} has only one class, {texts[0]!r}")
        if new := set(values) - set(texts):
            raise UserError(f"{where}: held-out examples have the class {min(new)!r}, which no training example has")
        index = {text: k for k, text in enumerate(texts)}
        values = np.array([index[text] for text in values], np.float64)
    array = np.asarray(values, np.float64)
    distinct, counts = np.unique(array[: len(array) - held], return_counts=True)
    are_few = len(distinct) <= FEW_CLASSES and bool((distinct == np.floor(distinct)).all() and counts.min() >= 2)
    has_classes = is_text or len(distinct) == 2 or (are_few and len(distinct) > 2)
    names = texts or [number_name(value) for value in distinct[: MOST_KINDS + 1]]
    return Target(name, array, distinct, tuple(names), is_text, has_classes)


def with_held_out(columns: Sequence[list[str] | Array]) -> list[str] | Array:
    """The same column of training and of held-out examples."""
    if any(isinstance(column, list) for column in columns):
        return [text if isinstance(text, str) else number_name(text) for column in columns for text in column]
    return np.concatenate(columns)


@dataclass(frozen=True)
class _Wanted:
    """The settings of data=csv that decide how a table is read."""

    path: str
    test_path: str | None
    header: str
    missing: str
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    categorical: tuple[str, ...]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "_Wanted":
        lists = {key: tuple(data[key]) for key in ("inputs", "targets", "categorical")}
        return cls(data["path"], data["test_path"], data["header"], data["missing"], **lists)


def own_data(data: Mapping[str, Any]) -> OwnData:
    """The user's own data in the file that the settings of data=csv name."""
    if data["path"] is None:
        raise UserError("data.path=null: data=csv requires a file, as in data.path=table.csv")
    return _read(_Wanted.of(data), _stamp(data["path"]), _stamp(data["test_path"]))


def _stamp(path: str | None) -> object:
    """What changes if a file does."""
    with suppress(OSError):
        found = Path(path or "").stat()
        return found.st_mtime_ns, found.st_size, found.st_ino
    return None


@lru_cache(maxsize=4)
def _read(wanted: _Wanted, *stamps: object) -> OwnData:
    """The data of a file, and of that with held-out examples; read once however many populations have them."""
    where, path = f"data.path={wanted.path}", Path(wanted.path)
    table = read_table(where, path, wanted.header)
    places, targets, left_out = roles(table, wanted.inputs, wanted.targets)
    rows = complete_rows(table, (*places, *targets), wanted.missing)
    categorical = {table.place("data.categorical", name) for name in wanted.categorical}
    if others := categorical - set(places):
        raise UserError(f"data.categorical: {table.names[min(others)]!r} is not an input")
    sources = tuple(source_of(table, place, rows, place in categorical) for place in places)
    x, columns = encoded(table, rows, sources, places), [target_values(table, place, rows) for place in targets]
    if x.shape[1] > MOST_INPUTS:
        raise UserError(f"{where}: its columns make {x.shape[1]} inputs, at most {MOST_INPUTS} are possible")
    parts, held = [*left_out, *_dropped(table, rows)], 0
    if wanted.test_path:
        x_test, more, dropped = _read_test(table, sources, dict(zip(targets, columns, strict=True)), wanted)
        x, held = np.concatenate([x, x_test]), len(x_test)
        parts = [(f"held out: {counted(held, 'row')} of {Path(wanted.test_path).name}", [], ""), *parts, *dropped]
        columns = [with_held_out(pair) for pair in zip(columns, more, strict=True)]
    made = [
        replace(target_of(where, table.names[place], column, held), is_named=table.has_header)
        for place, column in zip(targets, columns, strict=True)
    ]
    hint = table.hint.removeprefix("; ") if not table.has_header and wanted.header == "auto" else ""
    parts = [
        (f"{counted(len(rows), 'row')}{'' if table.has_header else ' without a header'}", [], ""),
        (f"input{'s'[: len(sources) != 1]} ", [_described(table, source, rows) for source in sources], ""),
        *target_parts(made),
        *parts,
        *([(hint, list[str](), "")] if hint else []),
    ]
    names, line = input_names(sources, table.has_header), understood(path.name, parts)
    return OwnData(x, tuple(made), Columns(names, (), (), sources, len(table.names), line), where, held)


def _read_test(
    table: DataTable, sources: Sequence[Source], targets: Mapping[int, list[str] | Array], wanted: _Wanted
) -> tuple[Array, list[list[str] | Array], list[Part]]:
    """x and targets of the held-out examples, and words for the rows that were dropped."""
    where, path = f"data.test_path={wanted.test_path}", Path(wanted.test_path or "")
    known = [table.names[place] for place in (*(source.place for source in sources), *targets)]
    test = read_table(where, path, wanted.header, known if table.has_header else ())
    if not (table.has_header and test.has_header) and len(test.names) != len(table.names):
        raise UserError(f"{where}: has {counted(len(test.names), 'column')}, data.path has {len(table.names)}")
    places = [column_in(test, table, source.place) for source in sources]
    of_targets = [column_in(test, table, place) for place in targets]
    rows = complete_rows(test, (*places, *of_targets), wanted.missing)
    values = [
        [kind_of(test, test.columns[own][row]) for row in rows]
        if isinstance(known_values, list)
        else numbers_of(test, own, rows)
        for known_values, own in zip(targets.values(), of_targets, strict=True)
    ]
    return encoded(test, rows, sources, places), values, _dropped(test, rows, f" of {path.name}")


def _dropped(table: DataTable, kept: Sequence[int], of: str = "") -> list[Part]:
    lines = [str(table.lines[row]) for row in sorted(set(range(len(table.lines))) - set(kept))]
    said = f"dropped {counted(len(lines), 'row')}{of} with missing values (line{'s'[: len(lines) != 1]} "
    return [(said, lines, ")")] if lines else []


def _described(table: DataTable, source: Source, rows: Sequence[int]) -> str:
    cells, kinds = {table.columns[source.place][row] for row in rows}, len(source.kinds)
    if len(cells) == 1 < len(rows):
        return f"{source.name} (always {cut(cells.pop())})"
    return f"{source.name} ({kinds} categories{', one for each row' * (kinds == len(rows))})" if kinds else source.name


def target_parts(targets: Sequence[Target]) -> list[Part]:
    """Words for the targets, and for the classes of one target."""
    if len(targets) > 1:
        return [("targets ", [f"{t.name} ({' or '.join(t.names)})" if t.is_text else t.name for t in targets], "")]
    name = f"target {targets[0].name}"
    return [(f"{name}: ", list(targets[0].names), "")] if targets[0].has_classes else [(f"{name}: numbers", [], "")]
