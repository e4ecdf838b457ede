"""The losses of runs as TensorBoard's event files, a folder for each run, with what its HPARAMS table needs.

Event.proto, summary.proto and the plug-in's plugin_data.proto and api.proto of TensorBoard have the numbers of all
fields.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.bridges.event_wire import double, framed, framed_floats, inner, integer, prefix, single, varint
from xortrain.records import columns
from xortrain.records.files import write_new
from xortrain.records.index import Selection
from xortrain.records.metadata import moment
from xortrain.records.reader import Array, RecordReader, recorded_rows

FILE = "events.out.tfevents.0.xortrain"
METRICS = ("final_loss", "solved", "solved_at", "accuracy")
"""Results that are columns of the HPARAMS table, each also a scalar of its run at its last epoch."""
NUMBERS_AT_ONCE = 1 << 16  # losses whose events are in memory
_STATUS = {"pending": 3, "diverged": 2, "exploded": 2}
_SUCCESS = 1


def write_event_files(folder: Path, chosen: Sequence[Selection]) -> None:
    """Write the events of each run into a folder of its id, and what the runs differ in into the folder itself."""
    parts = [found.part for found in chosen]
    names = [name for name in columns.column_names(parts) if columns.is_setting(name)]
    kinds = columns.column_kinds(parts, names)
    settings = _differing(chosen, names) or [name for name in names if kinds[name]]
    write_new(folder / FILE, _first_event(_started(chosen[0])) + _experiment(settings, kinds, _started(chosen[0])))
    for found in chosen:
        for run, content in _of_runs(found, settings, kinds):
            parts_of_id = [name for name in run.split("/") if name not in ("", ".", "..")]
            place = os.path.join(folder, *(parts_of_id or ["run"]))
            os.makedirs(place)
            write_new(Path(f"{place}/{FILE}"), content)


def _differing(chosen: Sequence[Selection], names: Sequence[str]) -> list[str]:
    """The settings in which the runs differ."""
    first = chosen[0].part
    varying = {name for found in chosen for name in found.part.varies}
    alike = {n for n in names if all(found.part.settings.get(n) == first.settings.get(n) for found in chosen)}
    return [name for name in names if name in varying or name not in alike]


def _of_runs(chosen: Selection, settings: Sequence[str], kinds: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The id of each run with the content of its file."""
    record, started = RecordReader(chosen.part.folder, chosen.part.metadata), _started(chosen)
    epochs = record.loss_epochs.tolist()
    tags = {"loss": "losses"} | ({"test_loss": "test-losses"} if record.metadata["has_test"] else {})
    at_once = max(1, NUMBERS_AT_ONCE // max(1, len(epochs)))
    wanted = ["id", "outcome", "epochs_done", *METRICS, *settings]
    rows = columns.selected_rows(chosen, wanted)
    for start in range(0, len(chosen.indices), at_once):
        indices = np.asarray(chosen.indices[start : start + at_once])
        losses = {tag: record.of_runs(what, indices, or_nan=True) for tag, what in tags.items()}
        events = {tag: _Events(tag, epochs, values, started) for tag, values in losses.items()}
        ends = recorded_rows(losses["loss"]).tolist()
        for k, (run, outcome, last, *results) in zip(range(len(indices)), rows, strict=False):
            found = dict(zip(METRICS, results, strict=False)) | {"solved": float(outcome == "solved")}
            values = dict(zip(settings, results[len(METRICS) :], strict=True))
            summary = _session(run, outcome, values, kinds, started) + [
                inner(1, inner(1, tag), single(2, found[tag])) for tag in METRICS if found[tag] is not None
            ]
            ended = framed(double(1, started) + integer(2, last or 0) + inner(5, *summary))
            yield run, b"".join([_first_event(started), *(own.of(k, ends[k]) for own in events.values()), ended])


class _Events:
    """The events of one tag of many runs: frames (runs, epochs, bytes) for epochs whose numbers take as many bytes."""

    def __init__(self, tag: str, epochs: Sequence[int], values: Array, started: float) -> None:
        self.parts, first = list[Array](), 0
        for _, group in groupby(epochs, lambda epoch: len(varint(epoch))):
            starts = [_scalar_start(tag, epoch, started) for epoch in group]
            frames = framed_floats(starts, values[first : first + len(starts)])
            self.parts.append(np.ascontiguousarray(frames.swapaxes(0, 1)))
            first += len(starts)

    def of(self, run: int, end: int) -> bytes:
        """The first ``end`` events of a run."""
        found, left = list[bytes](), end
        for part in self.parts:
            found.append(part[run, : max(0, left)].tobytes())
            left -= part.shape[1]
        return b"".join(found)


def _scalar_start(tag: str, epoch: int, started: float) -> bytes:
    """An event with one number, without its last four bytes, which are the number."""
    scalar = inner(1, tag) + single(2)
    value = prefix(1, len(scalar) + 4) + scalar
    return double(1, started) + integer(2, epoch) + prefix(5, len(value) + 4) + value


def _first_event(started: float) -> bytes:
    """The first event of every file."""
    return framed(double(1, started) + inner(3, "brain.Event:2"))


def _of_plugin(kind: str, field: int, content: bytes) -> bytes:
    """A message for the HPARAMS table, by its kind and its field in the plug-in's data, as a value of a summary."""
    plugin = inner(1, inner(1, "hparams"), inner(2, inner(field, content)))
    return inner(1, inner(1, f"_hparams_/{kind}"), inner(9, plugin))


def _experiment(settings: Sequence[str], kinds: Mapping[str, Any], started: float) -> bytes:
    """The columns of the table, with their types."""
    infos = [inner(4, inner(1, name), integer(4, _TYPES.get(kinds[name], _NUMBER))) for name in settings]
    metrics = [inner(5, inner(1, inner(2, name)), inner(3, name)) for name in METRICS]
    about = inner(1, f"xortrain {sys.modules['xortrain'].__version__}") + double(3, started)
    table = _of_plugin("experiment", 2, b"".join([about, *infos, *metrics]))
    return framed(double(1, started) + inner(5, table))


_NUMBER = 3
_TYPES: dict[type | None, int] = {str: 1, bool: 2}


def _session(
    run: str, outcome: str, values: Mapping[str, Any], kinds: Mapping[str, Any], started: float
) -> list[bytes]:  # fmt: skip
    """The settings of a run, and how it ended."""
    entries = [
        inner(1, inner(1, name), inner(2, _value(own, kinds[name]))) for name, own in values.items() if own is not None
    ]
    start = b"".join([*entries, inner(4, run), double(5, started)])
    end = integer(1, _STATUS.get(outcome, _SUCCESS)) + double(2, started)
    return [_of_plugin("session_start_info", 3, start), _of_plugin("session_end_info", 4, end)]


def _value(value: Any, kind: type | None) -> bytes:
    """A setting as google.protobuf.Value."""
    if kind is str or isinstance(value, str):
        return inner(3, str(value))
    return integer(4, value) if isinstance(value, bool) else double(2, value)


def _started(chosen: Selection) -> float:
    """When the training of a record started, in seconds."""
    found: datetime | None = moment(chosen.part.metadata["started"])
    return found.timestamp() if found else 0.0
