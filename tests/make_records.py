"""Write records for tests without training anything."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from xortrain.records import layout
from xortrain.records.files import write_json
from xortrain.records.process import describe, identity
from xortrain.records.writer import Array, RecordWriter, new_folder

OUTCOMES = ["pending", "diverged", "solved", "linear", "clones", "dead", "saturated", "plateau", "early", "training"]
START = datetime(2026, 11, 21, 19, 39, 21, 123456)
RUN, LATER, SWEEP, BIG = (f"2026-11-21/19-{minute}-21-123456" for minute in (39, 40, 41, 42))
CONFIG: dict[str, Any] = {
    "lr": 1.0,
    "seed": 0,
    "epochs": 4,
    "name": None,
    "tags": [],
    "notes": None,
    "root": "outputs",
    "architecture": {"name": "mlp", "hidden": [2]},
    "activation": {"name": "sigmoid"},
    "optimizer": {"name": "sgd", "momentum": 0.0},
    "film": {"name": "none"},
}


def config(**changes: Any) -> dict[str, Any]:
    """Return CONFIG with changes; ``optimizer__momentum`` means ``optimizer.momentum``."""
    changed = {key: dict(value) if isinstance(value, dict) else value for key, value in CONFIG.items()}
    for key, value in changes.items():
        group, _, name = key.partition("__")
        if name:
            changed[group][name] = value
        else:
            changed[key] = value
    return changed


def blank_rows(runs: int, varying: Mapping[str, Array] | None = None) -> Array:
    """Return rows of runs that have not started."""
    varying = varying or {}
    rows = layout.empty_rows(runs, {name: values.dtype for name, values in varying.items()})
    rows["number"] = rows["seed"] = np.arange(runs)
    for name, values in varying.items():
        rows[name] = values
    return rows


def finished_rows(runs: int, varying: Mapping[str, Array] | None = None, seed: int = 0) -> Array:
    """Return rows of finished runs with reproducible random results."""
    rows, rng = blank_rows(runs, varying), np.random.RandomState(seed)
    rows["outcome"] = rng.randint(1, len(OUTCOMES), runs)
    rows["epochs_done"] = 4
    rows["final_loss"] = rng.rand(runs)
    solved, diverged = rows["outcome"] == 2, rows["outcome"] == 1
    rows["solved_at"][solved] = rng.randint(0, 100, solved.sum())
    rows["diverged_at"][diverged] = 3
    rows["reasons"][solved] = 1 << 2
    rows["best_loss"], rows["accuracy"] = rows["final_loss"], rng.rand(runs)
    return rows


@cache
def surroundings() -> dict[str, Any]:
    """What all records say about this computer; git, a process of its own, is asked once."""
    return describe()


def make_record(
    folder: Path,
    rows: Array,
    shared: Mapping[str, Any],
    *,
    kind: str = "run",
    status: str | None = "finished",
    **metadata: Any,
) -> RecordWriter:
    """Write a record with complete arrays to an empty folder; it is still running if ``status`` is None."""
    block_size = metadata.pop("block_size", 4)
    record = RecordWriter.start(
        folder,
        {
            "kind": kind,
            **{key: shared[key] for key in ("name", "tags", "notes")},
            "parameters": {"W1": [2, 2], "b1": [2], "W2": [1, 2], "b2": [1]},
            "dtype": "float64",
            "loss_epochs": [0, 1, 2, 3, 4],
            "frame_epochs": [0, 4],
            "runs": len(rows),
            "block_size": block_size,
            "varies": [name for name in rows.dtype.names or () if name not in layout.ROW],
            "has_test": False,
            "outcomes": OUTCOMES,
            **surroundings(),
            **identity(),
            "folder": os.getcwd(),
            **metadata,
        },
        yaml.safe_dump(dict(shared), sort_keys=False),
        {"x": np.eye(4, 2), "t": np.ones((4, 1))},
        rows,
    )
    for number in range(len(record.blocks)):
        part, arrays = record.blocks.runs_of(number), record.block(number)
        arrays.losses[:] = np.arange(5)[:, None] + np.arange(part.start, part.stop) / 1000
        arrays.parameters[:] = np.arange(arrays.parameters.shape[1])[:, None]
        record.finish_block(number, rows[part])
    if status is not None:
        record.end(status)
    return record


def a_run(root: Path, minutes: int = 0, *, row: Mapping[str, Any] | None = None, **changes: Any) -> Path:
    """Write a finished single run that started ``minutes`` after START."""
    folder = new_folder(root, START + timedelta(minutes=minutes))
    rows = finished_rows(1, seed=minutes)
    rows["seed"] = changes.get("seed", 0)
    for name, value in (row or {}).items():
        rows[name] = value
    started = {"started": (START + timedelta(minutes=minutes)).astimezone().isoformat()}
    make_record(folder, rows, config(**changes), **started)
    return folder


def a_sweep(root: Path, minutes: int = 0, varying: Mapping[str, Sequence[Any]] | None = None, **changes: Any) -> Path:
    """Write a finished sweep of one population; ``varying`` maps dotted names to values (runs,)."""
    folder = new_folder(root / "sweeps", START + timedelta(minutes=minutes))
    arrays = {name: np.asarray(values) for name, values in (varying or {"lr": [0.1, 0.5, 1.0] * 4}).items()}
    rows = finished_rows(len(next(iter(arrays.values()))), arrays, seed=minutes)
    rows["seed"] = np.arange(len(rows)) % 4
    started = {"started": (START + timedelta(minutes=minutes)).astimezone().isoformat()}
    make_record(folder, rows, config(**changes), kind="sweep", **started)
    return folder


def a_big_sweep(root: Path, minutes: int = 0, status: str = "finished") -> Path:
    """Write a sweep of two populations, sgd and adam, with three runs each."""
    folder = new_folder(root / "sweeps", START + timedelta(minutes=minutes))
    started = (START + timedelta(minutes=minutes)).astimezone().isoformat()
    for number, name in enumerate(["sgd", "adam"]):
        inside = folder / f"population-{number:03d}"
        inside.mkdir()
        rows = finished_rows(3, {"lr": np.array([0.1, 1.0, 10.0])}, seed=number)
        rows["number"] += 3 * number
        optimizer = {"name": "sgd", "momentum": 0.0} if name == "sgd" else {"name": "adam", "beta1": 0.9}
        make_record(inside, rows, config(optimizer=optimizer), kind="sweep", started=started)
    metadata = {"format": 1, "kind": "sweep", "status": status, "started": started, "ended": started, **describe()}
    write_json(folder / layout.SWEEP, {**metadata, "name": None, "tags": [], "notes": None})
    return folder


def four_records(root: Path, run: Mapping[str, Any], later: Mapping[str, Any]) -> Path:
    """Write RUN and LATER with these changes, SWEEP with twelve runs, and BIG with two populations."""
    a_run(root, 0, **run)
    a_run(root, 1, **later)
    a_sweep(root, 2)
    a_big_sweep(root, 3)
    return root
