"""Runs of several records as columns of NumPy arrays, and by what they fall into groups.

A run that was trained twice is one observation: of runs with the same seed and the same settings one is counted.
"""

from collections.abc import Collection, Sequence

import numpy as np

from xortrain.errors import UserError, unknown
from xortrain.records import columns, layout
from xortrain.records.index import Part
from xortrain.records.reader import read_data, structured
from xortrain.records.statistics import Array, Group, alike, statistics


def group(
    parts: Sequence[Part], by: Sequence[str] | None = None, said: str = "by", chosen: Array | None = None
) -> list[Group]:
    """The statistics of the runs of some records, by these settings, or by all that differ but the seed.

    ``chosen`` are the places of the runs that are meant among those of all parts, if not all are.
    """
    names = axes(parts) if by is None else [columns.canonical(name) for name in by]
    found = table(parts, ["outcome", "solved_at", "final_loss", *names], said)
    runs = np.arange(len(found["outcome"])) if chosen is None else chosen
    once = runs[_firsts(_identities(parts)[runs], found["outcome"][runs] == "pending")]
    return statistics({name: values[once] for name, values in found.items()}, names)


def _firsts(codes: Array, pending: Array) -> Array:
    """The place of one run of each code, rising: of the first that is finished, if there is one."""
    order = np.argsort(pending, kind="stable")
    _, first = alike([codes[order]], len(codes))
    return np.sort(order[first])


def _identities(parts: Sequence[Part]) -> Array:
    """A number for each run, (runs,): the same for runs with the same seed, settings and data."""
    varying = dict.fromkeys(name for part in parts for name in part.rows.names if columns.matters(name))
    shared = {name for part in parts for name in part.settings if columns.matters(name)} - varying.keys()
    kinds = dict[object, int]()
    codes = [kinds.setdefault(_kind(part, shared), len(kinds)) for part in parts]
    own = table(parts, ["seed", *varying]).values()
    return alike([np.repeat(codes, [len(part.rows) for part in parts]), *own], sum(len(part.rows) for part in parts))[0]


def _kind(part: Part, names: Collection[str]) -> object:
    """The settings that all runs of a record have, and its data where they were read from a file."""
    told = frozenset((name, repr(value)) for name, value in part.settings.items() if name in names)
    return told, _data_of(part) if "data.path" in part.settings else None


def _data_of(part: Part) -> object:
    """The data of a record as bytes; of one whose data cannot be read where it lies."""
    try:
        data = read_data(part.folder / layout.DATA)
    except UserError:
        return part.path
    return tuple((name, values.shape, values.tobytes()) for name, values in sorted(data.items()))


def axes(parts: Sequence[Part]) -> list[str]:
    """The settings in which runs differ, without the seed and what is equal to it, and without those that follow."""
    rows = {name for name, _ in layout.ROW} | _like_the_seed(parts)
    varying = dict.fromkeys(name for part in parts for name in part.rows.names if name not in rows)
    configs = [part.about["config"] for part in parts]
    shared = [part.settings for part in parts]
    fixed = dict.fromkeys(
        name for settings in shared for name in settings if name not in rows and columns.matters(name)
    )
    groups = {name for config in configs for name, value in config.items() if isinstance(value, dict)}
    chosen, distinct = list[str](), 1
    for name in sorted((name for name in fixed if name not in varying), key=lambda n: ("." in n, n not in groups)):
        found = len({tuple(repr(settings.get(key)) for key in (*chosen, name)) for settings in shared})
        if found > distinct:
            chosen, distinct = [*chosen, name], found
    return [*varying, *chosen]


def _like_the_seed(parts: Sequence[Part]) -> set[str]:
    """The settings that vary and have the value of the seed in every run, as data.seed=${seed} has."""
    names = {name for part in parts for name in part.rows.names if columns.matters(name)}
    seeds = [structured(part.rows)["seed"] for part in parts] if names else []
    return {n for n in names if all(np.all(_column(part, n) == s) for part, s in zip(parts, seeds, strict=True))}


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
