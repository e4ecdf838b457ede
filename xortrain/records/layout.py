"""The names and shapes of a record's files, shared by the code that writes them and the code that reads them.

A record has the runs of one population, divided into blocks; each block has its own array files.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FORMAT = 1
RECORD, CONFIG, DATA, RUNS, EVENTS = "record.json", "config.yaml", "data.npz", "runs.npy", "events.jsonl"
SWEEP = "sweep.json"  # of a sweep of several populations, whose records are in its subfolders
LOSS_EPOCHS, FRAME_EPOCHS = "loss-epochs.npy", "frame-epochs.npy"  # the epochs of the arrays' rows
ADVICE = "advice.json"  # what was tried for a single run that ended unsolved
PAGE = "page.html"  # the page of a run or a sweep with page=true
STAGES = "stages.npy"  # settings that varied only in earlier stages of a continued training
FOLDER = "%Y-%m-%d/%H-%M-%S-%f"  # of a record under the root: the time of its start
HEARTBEAT = "heartbeat"  # an empty file that is touched during training
LOCK = "lock"  # names the process that trains a record or a sweep
FILMS = "films"  # a folder with a film for each run of a sweep
POPULATION = "population-{:03d}"  # a folder of a sweep, which is a record

_FIXED = (RECORD, SWEEP, CONFIG, DATA, RUNS, EVENTS, LOSS_EPOCHS, FRAME_EPOCHS, ADVICE, STAGES, HEARTBEAT, LOCK)
_ENDS = r"\.(?:gif|png|webp|mp4)"
OWN_FILE = re.compile(
    "|".join(
        (
            *map(re.escape, _FIXED),
            r"(?:losses|test-losses|parameters|best|state)-\d{3,9}\.npy",
            rf"(?:film|poster|losses|raster)[\w-]*{_ENDS}",
            re.escape(PAGE),
            r"\..+\.part",  # a temporary file
        )
    )
)
"""The names of files that a record or a sweep may have."""
OWN_FILM = re.compile(rf"\d{{6,18}}[\w-]*{_ENDS}|\..+\.part")
OWN_POPULATION = re.compile(r"population-\d{3,9}")
OWN_PLACE = re.compile(r"(\d{4}-\d\d-\d\d)/(\d\d)-(\d\d)-(\d\d)-(\d{6})$")
ZONE = re.compile(r"(?:Z|[+-]\d\d:\d\d)?$")  # of a time in ISO 8601
OWN_DAY = re.compile(r"\d{4}-\d\d-\d\d")

MOST_OUTCOMES = 256  # their codes are bytes
STATUSES = ("running", "finished", "failed", "interrupted")

ROW: dict[str, str] = {
    "number": "<i8",  # of the job in its sweep
    "seed": "<u4",
    "outcome": "u1",  # an index into record.json's "outcomes"; 0: not finished
    "reasons": "<u2",  # bit k: outcome k applies too
    "epochs_done": "<i4",
    "diverged_at": "<i4",  # an epoch, -1: never
    "diverged_in": "<i4",  # the index of the first parameter that is not finite, -1: the loss
    "solved_at": "<i4",  # an epoch, -1: never
    "exploded_at": "<i4",  # an epoch, -1: never
    "best_at": "<i4",  # the epoch of the best parameters, -1: the stop rule does not find them
    "final_loss": "<f8",
    "best_loss": "<f8",
    "accuracy": "<f8",
    "test_loss": "<f8",
    "test_accuracy": "<f8",
    "constant_loss": "<f8",  # of the best answer that is the same for all examples
    "constant_accuracy": "<f8",
    "allowed_accuracy": "<f8",  # of a vote of 15 neighbours
}
"""The columns of runs.npy; after them comes a column for each setting that varies, by its dotted name.

A reader finds columns by name: an older record may lack any but those in REQUIRED, a newer one may have more.
"""
REQUIRED = ("number", "seed", "outcome")


def empty_rows(runs: int, varying: Mapping[str, np.dtype[Any]]) -> npt.NDArray[np.void]:
    """Rows of runs.npy (runs,) whose results are unknown: nan, -1 for epochs, 0 elsewhere."""
    import numpy as np

    settings = [(name, kind) for name, kind in varying.items() if name not in ROW]
    unknown = np.zeros(1, np.dtype([*ROW.items(), *settings]))
    for name, kind in ROW.items():
        unknown[name] = math.nan if kind == "<f8" else -1 if kind == "<i4" else 0
    return np.repeat(unknown, runs)  # row by row; column by column takes ten times as long


def block_file(what: str, block: int) -> str:
    """losses-000.npy, test-losses-000.npy, parameters-000.npy, best-000.npy, state-000.npy."""
    return f"{what}-{block:03d}.npy"


def loss_files(metadata: Mapping[str, Any], block: int) -> list[str]:
    """The names of the loss curves of a block."""
    return [block_file(name, block) for name in ("losses", *(["test-losses"] if metadata["has_test"] else []))]


def block_files(metadata: Mapping[str, Any], block: int) -> list[str]:
    """The names of the files that a block must have; the state of the optimizer can be computed again."""
    parameters = ["parameters", *(["best"] if metadata.get("has_best") else [])]
    return [*loss_files(metadata, block), *(block_file(name, block) for name in parameters)]


def array_shape(metadata: Mapping[str, Any], what: str) -> tuple[int, ...]:
    """The shape of an array of a block without its last axis, runs."""
    size = sum(math.prod(shape) for shape in metadata["parameters"].values())
    if what == "state":
        return (sum(metadata.get("state", {}).values()),)
    return {"parameters": (metadata["frames"], size), "best": (size,)}.get(what, (metadata["losses"],))


def by_name(state: npt.NDArray[Any], sizes: Mapping[str, int]) -> dict[str, npt.NDArray[Any]]:
    """Views of the state (numbers, runs) of an optimizer by name, for the sizes in record.json."""
    ends = list(accumulate(sizes.values()))
    return {name: state[end - size : end] for (name, size), end in zip(sizes.items(), ends, strict=True)}


@dataclass(frozen=True)
class Blocks:
    """How the runs of a record are divided: ``size`` runs per block, the last block may be smaller."""

    runs: int
    size: int

    def __len__(self) -> int:
        return -(-self.runs // self.size)

    def runs_of(self, block: int) -> slice:
        """The indices of a block's runs in runs.npy."""
        return slice(block * self.size, min(self.runs, (block + 1) * self.size))


WEIGHTS = "init.weights"
"""The setting with all initial parameters by name."""
START = "init.set"
"""The setting whose entries are initial values of single parameters, as init.set.W1.0.1."""
_ENTRY = re.compile(rf"{re.escape(START)}\.([A-Za-z]\w*)((?:\.[0-9]+)+)")
_WRITTEN = re.compile(r"([A-Za-z]\w*) *\[ *([0-9]+(?: *, *[0-9]+)*) *\]")


@lru_cache(maxsize=4096)
def column_of(key: str) -> str:
    """The column of a setting: ``W1[0, 1]`` for init.set.W1.0.1, its own dotted name for any other."""
    found = _ENTRY.fullmatch(key)
    return f"{found[1]}[{', '.join(found[2][1:].split('.'))}]" if found else key


def setting_of(name: str) -> str:
    """The setting of a column, the inverse of `column_of`; blanks in ``W1[0,1]`` do not matter."""
    found = _WRITTEN.fullmatch(name)
    return f"{START}.{found[1]}.{'.'.join(re.findall('[0-9]+', found[2]))}" if found else name


def parameter_name(shapes: Mapping[str, Sequence[int]], index: int) -> str:
    """The name of a parameter by its index in the parameter arrays, as in ``W1[0, 1]``, counted from 0."""
    for name, shape in shapes.items():
        size = math.prod(shape)
        if index < size:
            places: list[str] = []
            for length in reversed(shape):
                index, last = divmod(index, length)
                places.insert(0, str(last))
            return f"{name}[{', '.join(places)}]" if shape else name
        index -= size
    return "?"


def parameter_names(shapes: Mapping[str, Sequence[int]]) -> list[str]:
    """The names of all parameters in the order of the parameter arrays: ``W1[0, 0]``, ``W1[0, 1]``, … ``b1[0]``, …"""
    return [parameter_name(shapes, index) for index in range(sum(map(math.prod, shapes.values())))]
