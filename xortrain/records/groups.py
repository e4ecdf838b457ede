"""Runs of several records as columns of NumPy arrays, and by what they fall into groups."""

from collections.abc import Sequence

import numpy as np

from xortrain.errors import UserError, unknown
from xortrain.records import columns, layout
from xortrain.records.index import Part
from xortrain.records.reader import structured
from xortrain.records.statistics import Array, Group, statistics


def group(parts: Sequence[Part], by: Sequence[str] | None = None, said: str = "by") -> list[Group]:
    """The statistics of the runs of some records, by these settings, or by all that differ but the seed."""
    names = axes(parts) if by is None else [columns.canonical(name) for name in by]
    return statistics(table(parts, ["outcome", "solved_at", "final_loss", *names], said), names)


def axes(parts: Sequence[Part]) -> list[str]:
    """The settings in which runs differ, without the seed, and without those that follow from others."""
    rows = {name for name, _ in layout.ROW}
    varying = dict.fromkeys(name for part in parts for name in part.rows.names if name not in rows)
    configs = [part.about["config"] for part in parts]
    shared = [part.settings for part in parts]
    fixed = dict.fromkeys(name for settings in shared for name in settings if columns.matters(name))
    groups = {name for config in configs for name, value in config.items() if isinstance(value, dict)}
    chosen, distinct = list[str](), 1
    for name in sorted((name for name in fixed if name not in varying), key=lambda n: ("." in n, n not in groups)):
        found = len({tuple(repr(settings.get(key)) for key in (*chosen, name)) for settings in shared})
        if found > distinct:
            chosen, distinct = [*chosen, name], found
    return [*varying, *chosen]


def table(parts: Sequence[Part], names: Sequence[str], said: str = "by") -> dict[str, Array]:
    """Columns (runs,) of the runs of some records: settings and results by name, the outcome in words.

    ``said`` is where the user put a name, for the error.
    """
    known = {name for part in parts for name in (*part.settings, *part.rows.names)}
    for name in names:
        if name not in known:
            raise unknown(said, name, known, "setting")
    return {name: _joined([_column(part, name) for part in parts]) for name in names}


def _column(part: Part, name: str) -> Array:
    if name in part.rows.names:
        values = structured(part.rows)[name]
        return np.array([part.word(code) for code in range(256)], object)[values] if name == "outcome" else values
    value = part.settings.get(name)
    return np.full(len(part.rows), value, None if isinstance(value, int | float) else object)


def _joined(arrays: Sequence[Array]) -> Array:
    """One array of several; texts and numbers side by side as objects, not as texts."""
    if not arrays:
        raise UserError("group: no runs")
    is_number = all(array.dtype.kind in "biuf" for array in arrays)
    return np.concatenate(arrays) if is_number else np.concatenate([array.astype(object) for array in arrays])
