"""Three readers agree on every record: plain NumPy, the memory-mapped reader, and the one without NumPy."""

import json
import math
import multiprocessing
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_records import START, a_run, a_sweep, blank_rows, config, finished_rows, make_record

from xortrain.errors import UserError
from xortrain.records import events, layout
from xortrain.records.files import write_json
from xortrain.records.npy import FIRST, header
from xortrain.records.reader import RecordReader
from xortrain.records.rows import read_rows
from xortrain.records.writer import new_folder

KINDS = ["<f8", "<f4", "<f2", "<i8", "<i4", "<i2", "|i1", "<u8", "<u4", "<u2", "|u1", "|b1"]


def test_numpy_and_json_are_enough_to_read_a_record(tmp_path: Path) -> None:
    folder = a_sweep(tmp_path)
    metadata = json.loads((folder / "record.json").read_text())
    rows = np.load(folder / "runs.npy")
    losses = np.concatenate([np.load(folder / f"losses-{k:03d}.npy") for k in range(3)], axis=1)
    assert (
        losses.shape == (metadata["losses"], metadata["runs"]) == (len(np.load(folder / "loss-epochs.npy")), len(rows))
    )
    assert np.load(folder / "parameters-000.npy").shape == (metadata["frames"], 9, metadata["block_size"])
    assert sorted(np.load(folder / "data.npz")) == ["t", "x"]


@pytest.mark.parametrize("runs", [1, 3, 4, 5, 12])
def test_a_run_has_the_same_numbers_alone_and_in_any_range(tmp_path: Path, runs: int) -> None:
    record = RecordReader.open(a_sweep(tmp_path, varying={"lr": (np.arange(runs) / 4).tolist()}))
    for name in ("losses", "parameters"):
        everything = record.of_runs(name)
        for run in range(runs):
            np.testing.assert_array_equal(record.of_run(name, run), everything[..., run])
            np.testing.assert_array_equal(record.of_runs(name, slice(run, None)), everything[..., run:])
    assert record.of_runs("losses")[2].tolist() == [2 + run / 1000 for run in range(runs)]


def test_long_arrays_of_one_block_are_memory_mapped_and_short_ones_keep_no_file_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mapped file counts as open, and a system may allow 256 of them; a film of a sweep reads all its populations."""
    record = RecordReader.open(a_run(tmp_path))
    before = os.listdir("/proc/self/fd")
    short = record.of_runs("parameters")
    assert os.listdir("/proc/self/fd") == before
    assert not record.rows.flags.owndata
    monkeypatch.setattr("xortrain.records.reader.SMALL", short.nbytes - 1)
    long = record.of_runs("parameters")
    assert isinstance(long, np.memmap)
    np.testing.assert_array_equal(long, short)


def test_config_and_data_are_read_back_unchanged(tmp_path: Path) -> None:
    record = RecordReader.open(a_run(tmp_path, lr=1e-05, name="1e3", notes="é\n\u202etab\t"))
    assert record.config == config(lr=1e-05, name="1e3", notes="é\n\u202etab\t")
    assert record.loss_epochs.tolist() == [0, 1, 2, 3, 4]
    assert record.frame_epochs.tolist() == [0, 4]
    np.testing.assert_array_equal(record.data["x"], np.eye(4, 2))


@given(st.data())
@settings(max_examples=40)
def test_rows_read_without_numpy_are_equal_to_those_of_numpy(data: Any) -> None:
    import tempfile

    kinds = data.draw(st.lists(st.sampled_from(KINDS), max_size=6))
    runs = data.draw(st.integers(1, 30))
    rng = np.random.RandomState(data.draw(st.integers(0, 100)))
    varying = {f"group.key{k}": rng.randint(0, 2, runs).astype(kind) for k, kind in enumerate(kinds)}
    rows = finished_rows(runs, varying)
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, layout.RUNS), rows)
        read = read_rows(folder, runs, list(varying))
        plain = [dict(zip(rows.dtype.names or (), row, strict=True)) for row in rows.tolist()]
        assert_same([read.at(place) for place in range(runs)], plain)
        assert_same(
            [dict(zip(c, row, strict=True)) for c in read.chunks() for row in zip(*c.values(), strict=True)], plain
        )
        assert Counter(read.codes) == {
            code: int((rows["outcome"] == code).sum()) for code in set(rows["outcome"].tolist())
        }


def assert_same(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    np.testing.assert_equal(
        [list(map(str, row.values())) for row in found], [list(map(str, r.values())) for r in expected]
    )
    assert [list(row) for row in found] == [list(row) for row in expected]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 5), (2, 3, 4)])
def test_headers_are_parsed_as_in_numpy(tmp_path: Path, kind: str, shape: tuple[int, ...]) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros(shape, kind))
    content = path.read_bytes()
    found = header(path, content[:FIRST], len(content))
    assert (np.dtype(str(found.kind)), found.shape) == (np.dtype(kind), shape)
    assert found.end == len(content)


def _start(root: Path) -> Path:
    return new_folder(root, START)


def test_sixteen_simultaneous_starts_get_sixteen_folders(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        folders = pool.map(_start, [tmp_path / "outputs"] * 16, chunksize=1)
    assert len(set(folders)) == 16
    assert all(folder.is_dir() for folder in folders)


@pytest.mark.parametrize("content", [{}, {"a": [1, 2], "b": {"c": None}}, {"name": "é ☃ \x1b[2J"}, {"x": math.inf}])
def test_json_is_read_back_unchanged(tmp_path: Path, content: dict[str, Any]) -> None:
    write_json(tmp_path / "a.json", content)
    assert json.loads((tmp_path / "a.json").read_text()) == content


def test_command_line_bytes_that_are_not_utf8_can_be_recorded(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"command": [os.fsdecode(b"name=\xff")]})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["command"] == ["name=\udcff"]


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"status": "running"})
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"status": object()})
    assert json.loads((tmp_path / "a.json").read_text()) == {"status": "running"}


def test_an_incomplete_event_does_not_hide_others(tmp_path: Path) -> None:
    events.add_event(tmp_path, "note", text="first")
    with (tmp_path / layout.EVENTS).open("a") as file:
        file.write('{"kind": "note", "te')
    events.add_event(tmp_path, "note", text="second")
    events.add_event(tmp_path, "note", text="last")
    assert [event["text"] for event in events.read_events(tmp_path)] == ["first", "second", "last"]


def test_tags_are_from_the_config_and_from_later_events() -> None:
    later: list[events.Event] = [
        {"kind": "tag", "tags": ["b", "c", "b"]},
        {"kind": "untag", "tags": ["a", "c"]},
        {"kind": "note", "text": "later"},
        {"kind": "tag", "run": 3, "tags": ["mine"]},
    ]
    marks = events.annotations({"tags": ["a"], "notes": "first"}, later)
    assert (marks.tags, marks.notes) == (["b"], ["first", "later"])
    assert marks.of(3).tags == ["b", "mine"]
    assert marks.of(4).tags == ["b"]


def test_a_block_that_never_started_is_a_missing_file(tmp_path: Path) -> None:
    record = make_record(tmp_path, blank_rows(6), config(), status=None)
    (tmp_path / layout.block_file("losses", 1)).unlink()
    with pytest.raises(UserError, match=r"losses-001\.npy: is missing"):
        RecordReader.open(record.folder).of_run("losses", 5)


def test_a_block_is_nan_until_it_is_trained(tmp_path: Path) -> None:
    record = make_record(tmp_path, blank_rows(3), config(), status=None)
    arrays = record.block(0)
    assert np.isnan(arrays.losses).all()
    assert np.isnan(arrays.parameters).all()
    arrays.losses[0] = 7.0
    assert RecordReader.open(tmp_path).of_run("losses", 2)[0] == 0.002
    arrays.take_place()
    assert RecordReader.open(tmp_path).of_run("losses", 2)[0] == 7.0
