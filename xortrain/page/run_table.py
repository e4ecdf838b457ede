"""The table of a page: a column for each setting that varies and each result, and which settings explain most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath
from typing import Any

import numpy as np

from xortrain.errors import printable
from xortrain.nets import Array
from xortrain.page.arrays import Arrays
from xortrain.records.columns import affects_training, run_rows
from xortrain.records.groups import differing_settings
from xortrain.records.index import Entry, RecordInfo
from xortrain.records.layout import OWN_PLACE, column_of
from xortrain.records.metadata import flat_settings
from xortrain.trained.run_data import SUCCESSES, TrainedRuns

RESULTS = ("outcome", "epochs_done", "solved_at", "final_loss", "best_loss", "accuracy", "test_loss", "test_accuracy")
NEVER = ("solved_at", "epochs_done")  # -1 where it did not happen
WORDS = ("name", "tags", "notes")
PATHS = ("data.path", "data.test_path")  # of which, as of the files of use=, a page has the names only
MOST_GROUPS, BINS = 20, 10
"""Values of a setting that are groups of their own; more numbers are divided into bins of as many runs."""


@dataclass(frozen=True)
class Runs:
    """Some runs of a population by their indices, and where they are recorded; None in memory."""

    trained: TrainedRuns
    places: Array
    listed: tuple[Entry, RecordInfo] | None = None

    @property
    def id(self) -> str:
        """The id of the record, or the name of its folder, without the folders above; empty in memory."""
        return plain_id(self.listed[0].id) if self.listed else ""

    def names(self) -> list[str]:
        """The name of each run, as commands take it; its number in memory."""
        name = self.id
        if self.listed and not self.listed[0].is_sweep:
            return [name]
        return [f"{name}#{number}" for number in self.trained.rows["number"][self.places].tolist()]


def plain_id(name: str) -> str:
    """An id without folders above it, which it has if the record is not under the root."""
    found = OWN_PLACE.search(name)
    is_path = name.startswith((".", "~")) or PurePath(name).is_absolute()
    return printable(found[0] if found else PurePath(name).name if is_path else name)


def table(groups: Sequence[Runs], arrays: Arrays) -> tuple[list[dict[str, Any]], list[str]]:
    """The columns, and the settings that tell the runs apart, without the seed; those that explain most are first."""
    flats = [_flat(group.trained.setup.population.config) for group in groups]
    names = differing_settings([group.listed[1] for group in groups if group.listed])
    others = [one for one in dict.fromkeys(chain(*flats)) if len({str(flat[one]) for flat in flats if one in flat}) > 1]
    found = {name: _setting(groups, flats, name) for name in dict.fromkeys([*names, *others])}
    varying = {name: values for name, values in found.items() if len(set(map(str, values))) > 1}
    results = {name: [value for group in groups for value in _results(group, name)] for name in RESULTS}
    axes = _most_telling({name: varying[name] for name in names if name in varying}, results)
    rows: dict[str, list[Any]] = {"run": [name for group in groups for name in group.names()]}
    seeds = [seed for group in groups for seed in group.trained.rows["seed"][group.places].tolist()]
    rows |= {key: varying[key] for key in axes} | varying | {"seed": seeds} | results | _words(groups)
    known = {name: values for name, values in rows.items() if any(value not in (None, "") for value in values)}
    return [_column(name, values, arrays) for name, values in known.items()], axes


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a population by their columns, without its seed and the folders of files."""
    flat = flat_settings({**config, "use": [PurePath(file).name for file in config.get("use", ())]})
    flat |= {name: PurePath(flat[name]).name for name in PATHS if flat.get(name)}
    return {name: value for name, value in flat.items() if affects_training(name) and name != "seed"}


def _setting(groups: Sequence[Runs], flats: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """The values of a setting; None where a run does not have it."""
    values = list[Any]()
    for group, flat in zip(groups, flats, strict=True):
        varying = {column_of(key): own for key, own in group.trained.setup.population.varying.items()}
        values += varying[name][group.places].tolist() if name in varying else [flat.get(name)] * len(group.places)
    return values


def _results(group: Runs, name: str) -> list[Any]:
    rows = group.trained.rows
    if name == "outcome":
        words = group.trained.outcomes
        return [words[place] for place in group.places]
    if name not in (rows.dtype.names or ()):
        return [None] * len(group.places)
    values = rows[name][group.places].astype(float)
    values[(values < 0) & (name in NEVER)] = np.nan
    return [value if np.isfinite(value) else None for value in values.tolist()]


def _words(groups: Sequence[Runs]) -> dict[str, list[Any]]:
    """What the user wrote about each run."""
    rows = list[Sequence[Any]]()
    for group in groups:
        own = list(run_rows(*group.listed, WORDS)) if group.listed else []
        rows += [own[place] for place in group.places] if own else [[None] * len(WORDS)] * len(group.places)
    return {name: [row[k] for row in rows] for k, name in enumerate(WORDS)}


def _column(name: str, values: Sequence[Any], arrays: Arrays) -> dict[str, Any]:
    if all(value is None or type(value) in (int, float) for value in values):
        numbers = np.array([np.nan if value is None else value for value in values], float)
        return {"name": name, "kind": "number", "array": arrays.add(numbers)}
    words = [str(value).lower() if isinstance(value, bool) else value for value in values]
    texts = [None if word is None else printable(word) for word in words]
    place = {word: k for k, word in enumerate(dict.fromkeys(texts))}
    codes = np.array([place[text] for text in texts])
    return {"name": name, "kind": "text", "words": list(place), "array": arrays.add(codes, "<u4")}


def _most_telling(varying: Mapping[str, Sequence[Any]], results: Mapping[str, Sequence[Any]]) -> list[str]:
    """The settings by the share of the variance of "solved" that they explain, then by that of the loss's logarithm."""
    solved = np.array([word in SUCCESSES for word in results["outcome"]], float)
    losses = np.array([value if value is not None and value > 0 else np.nan for value in results["final_loss"]], float)
    shares = {}
    for key, values in varying.items():
        groups = _grouped(values)
        shares[key] = [-round(explained(groups, numbers), 9) for numbers in (solved, np.log(losses))]
    return sorted(varying, key=lambda key: shares[key])


def _grouped(values: Sequence[Any]) -> Array:
    """A code for each run; many numbers are divided into bins."""
    codes = np.unique(np.array([str(value) for value in values]), return_inverse=True)[1]
    if codes.max(initial=0) < MOST_GROUPS or not all(type(value) in (int, float) for value in values):
        return np.asarray(codes)
    numbers = np.array(values, float)
    return np.searchsorted(np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]), numbers, side="right")


def explained(groups: Array, numbers: Array) -> float:
    """η²: the share of the variance of numbers (runs,), without nan, that is between groups, codes (runs,)."""
    known = np.isfinite(numbers)
    groups, numbers = groups[known], numbers[known]
    total = ((numbers - numbers.mean()) ** 2).sum() if len(numbers) else 0.0
    if not total:
        return 0.0
    counts, sums = np.bincount(groups), np.bincount(groups, numbers)
    means = sums / np.maximum(counts, 1)
    return float((counts * (means - numbers.mean()) ** 2).sum() / total)
