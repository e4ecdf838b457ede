"""Forms of other tools, without these tools: ONNX's operators by NumPy, TensorBoard's frames by hand, typed tables."""

import csv
import io
import math
import struct
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from make_records import BIG, RUN, SWEEP
from some_runs import config_with

import xortrain
from xortrain.bridges import event_files
from xortrain.bridges.event_files import FILE
from xortrain.bridges.event_wire import framed, framed_floats
from xortrain.bridges.model import Model
from xortrain.bridges.onnx_model import operators_of
from xortrain.bridges.record_tables import TABLES, table_of
from xortrain.commands.arguments import selection
from xortrain.commands.export import FORMATS, WHAT, export
from xortrain.config.settings import defaults_of
from xortrain.errors import UserError
from xortrain.nets.activations import ACTIVATIONS
from xortrain.records.index import listing
from xortrain.records.reader import RecordReader
from xortrain.runner.train import train_run

NUMPY: dict[str, Any] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Neg": np.negative, "Abs": np.abs,
    "Exp": np.exp, "Log": np.log, "Tanh": np.tanh, "Sin": np.sin, "Max": np.maximum, "Min": np.minimum,
    "Clip": np.clip, "Where": np.where, "Less": np.less, "LessOrEqual": np.less_equal, "Greater": np.greater,
    "And": np.logical_and, "Or": np.logical_or, "Identity": np.positive,
    "Erf": lambda z: np.vectorize(math.erf)(z).astype(z.dtype),
    "Cast": lambda z, to: z.astype(to),
    "Gemm": lambda a, W, transB: a @ W.T,
    "ReduceSum": lambda z, axes, keepdims: z.sum(axis=1, keepdims=True),
    "ReduceMax": lambda z, axes, keepdims: z.max(axis=1, keepdims=True),
}  # fmt: skip


@cache
def bases() -> list[Any]:
    """Return configurations with scaled data: one hidden layer, two without biases, and a skip connection."""
    gauss = ["data=gauss", "data.scale=minmax", "epochs=0"]
    return [
        config_with(*gauss, "architecture.hidden=[3]"),
        config_with(*gauss, "architecture.hidden=[2,4]", "architecture.bias=false"),
        config_with("data=sine", "data.scale=standard", "epochs=0", "architecture=skip", "architecture.hidden=[2]"),
    ]


def computed(model: Model, x: Any) -> Any:
    """Return what the operators of a model compute."""
    writer = operators_of(model)
    known = {**writer.arrays, "x": x}
    for operator, inputs, output, attributes in writer.nodes:
        known[output] = NUMPY[operator](*(known[name] for name in inputs), **attributes)
    return known["y"]


@np.errstate(all="ignore")
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_operators_compute_what_predict_does(activation: str) -> None:
    x = np.random.RandomState(1).normal(0, 3, (40, 2))
    for dtype, bound in (("float64", 1e-12), ("float32", 1e-6)):
        for base in bases():
            own = {"name": activation, **defaults_of("activation", activation)}
            run = train_run({**base, "activation": own, "dtype": dtype})
            if activation == "gelu" and dtype == "float64":
                with pytest.raises(UserError, match=r"^activation=gelu: erf has no float64 kernel in onnxruntime; "):
                    operators_of(Model.of(run))
                continue
            columns = x[:, : run.network.inputs].astype(dtype)
            expected, y = run.predict(columns), computed(Model.of(run), columns)
            assert y.dtype == dtype
            assert (np.abs(y - expected) <= bound * np.maximum(1, np.abs(expected))).all()


def test_what_onnx_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    row = replace(ACTIVATIONS["tanh"], f=lambda z, out=None: np.cbrt(z, out=out))
    monkeypatch.setitem(ACTIVATIONS, "tanh", row)
    with pytest.raises(UserError, match=r"^activation=tanh: has no form in ONNX, which lacks cbrt; save"):
        operators_of(Model.of(train_run(config_with("activation=tanh", "epochs=0"))))


def test_each_format_refuses_what_it_cannot_hold(root: Path) -> None:
    for name, row in FORMATS.items():
        for what in set(WHAT) - set(row.holds):
            with pytest.raises(UserError, match=f"^--what={what}: {name} has "):
                export([RUN, "--what", what, "--format", name, "--output", "a"])
        if not row.is_text:
            with pytest.raises(UserError, match=r"is a (folder|binary format); add --output PATH"):
                export([RUN, "--format", name])
    assert not (root / "a").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([SWEEP, "--output", "a.onnx"], "--what=model: is one network, and these are 12 runs; name one"),
        ([RUN, "--settings"], "--settings: is for tables of losses and parameters"),
        ([RUN, "--best"], "--best: is for --what model"),
        ([RUN, "--output", "a.tensorboard"], "must end in"),
        ([RUN, "--format", "tensorboard", "--output", "outputs"], "outputs: exists, and is not an empty folder"),
        ([RUN, "--format", "tensorboard", "--output", "no/logs"], "no/logs: No such file or directory"),
    ],
)
def test_an_invalid_export_to_a_tool_is_one_line(root: Path, arguments: list[str], message: str) -> None:
    before = sorted(root.rglob("*"))
    with pytest.raises(UserError, match=message):
        export(arguments)
    assert sorted(root.rglob("*")) == before


def test_checksums_are_those_of_castagnoli() -> None:
    """Appendix B.4 of RFC 3720 has the CRC-32C of 32 zeros, aa 36 91 8a in the order of its bytes."""
    crc = 0x8A9136AA
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert framed(bytes(32))[-4:] == struct.pack("<I", masked)


def test_many_frames_at_once_are_those_of_each() -> None:
    begins, floats = [b"abc", b"xyz"], np.array([[1.5, np.nan], [-np.inf, 1e300]])
    with np.errstate(over="ignore"):
        expected = [
            [framed(begin + np.float32(own).tobytes()) for own in row]
            for begin, row in zip(begins, floats, strict=True)
        ]
    assert [[frame.tobytes() for frame in row] for row in framed_floats(begins, floats)] == expected


def varint(content: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte, at = content[at], at + 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number, at


def fields(content: bytes) -> Iterator[tuple[int, Any]]:
    """Yield the fields of a message by number: bytes, or numbers."""
    at = 0
    while at < len(content):
        key, at = varint(content, at)
        value: Any
        match key & 7:
            case 0:
                value, at = varint(content, at)
            case 1:
                (value,), at = struct.unpack("<d", content[at : at + 8]), at + 8
            case 5:
                (value,), at = struct.unpack("<f", content[at : at + 4]), at + 4
            case 2:
                size, at = varint(content, at)
                value, at = content[at : at + size], at + size
            case kind:
                raise AssertionError(kind)
        yield key >> 3, value


def scalars(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the numbers of an event file by tag, with their steps."""
    content, at, found = path.read_bytes(), 0, dict[str, list[tuple[int, float]]]()
    while at < len(content):
        (size,) = struct.unpack("<Q", content[at : at + 8])
        message = content[at + 12 : at + 12 + size]
        assert framed(message) == content[at : at + 16 + size]
        at += 16 + size
        event = dict(fields(message))
        for number, value in fields(event.get(5, b"")):
            own = dict(fields(value))
            assert number == 1
            if 2 in own:
                found.setdefault(own[1].decode(), []).append((event[2], own[2]))
    return found


def test_event_files_have_the_losses_of_each_run(root: Path) -> None:
    assert export(["--format", "tensorboard", "--output", "logs"]) == "written logs"
    found = 0
    for entry in listing(Path("outputs")).entries:
        for part in entry.parts:
            record = RecordReader(part.folder, part.metadata)
            losses, epochs = record.of_runs("losses", slice(None)), record.loss_epochs.tolist()
            for place, number in enumerate(record.rows["number"].tolist()):
                own = scalars(Path("logs") / entry.run_id(number) / FILE)
                assert own["loss"] == list(zip(epochs, losses[:, place].astype(np.float32).tolist(), strict=True))
                assert own["final_loss"][0][1] == np.float32(record.rows["final_loss"][place])
                found += 1
    assert found == 20 == len(list(Path("logs").rglob(FILE))) - 1


def test_steps_of_any_size_and_runs_that_ended_early_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(event_files, "NUMBERS_AT_ONCE", 100)
    sweep = xortrain.sweep(
        "lr=1,1e200", "epochs=20000", "track.losses=60", "track.spacing=log", "activation=relu", "film=none"
    )
    export(["--format", "tensorboard", "--output", "logs"])
    for k, run in enumerate(sweep):
        known = ~np.isnan(run.losses)
        own = scalars(next(Path("logs").rglob(f"*#{k}")) / FILE)["loss"]
        assert [step for step, _ in own] == run.loss_epochs[known].tolist()
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal([loss for _, loss in own], np.float32(run.losses[known]))


@pytest.mark.parametrize("what", ["runs", *TABLES])
def test_each_column_has_the_type_of_its_values(root: Path, what: str) -> None:
    table = table_of(what, selection([], None, Path("outputs")), with_settings=True)
    assert len(set(table.head)) == len(table.head)
    for name, values in zip(table.head, zip(*table.rows, strict=True), strict=True):
        kinds = {type(value) for value in values} - {type(None)}
        kind = table.kinds[name]
        assert kinds <= ({kind} if kind is not float else {int, float}), name


def test_losses_with_settings_are_useful_alone(root: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(export([f"{SWEEP}#5", f"{BIG}#4", "--what", "losses", "--settings"]))))
    runs = {row["id"]: row for row in csv.DictReader(io.StringIO(export([])))}
    assert {row["id"] for row in rows} == {f"{SWEEP}#5", f"{BIG}#4"}
    for row in rows:
        own = runs[row["id"]]
        assert row["lr"] == own["lr"]
        assert row["optimizer"] == own["optimizer"]


def test_a_missing_library_is_one_line(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("pyarrow", "onnx", "safetensors", "safetensors.numpy"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=r"^\.parquet: needs pyarrow; pip install 'xortrain\[parquet\]'$"):
        export(["--output", "a.parquet"])
    assert not list(root.glob("*.parquet*"))


def test_a_run_that_stopped_early_has_no_snapshots_after_its_last_epoch(tmp_path: Path) -> None:
    words = ["data=or", "epochs=2000", "stop=solved", "film=none", "advice=none", f"root={tmp_path}"]
    sweep = xortrain.sweep("seed=0,1,2", *words)
    rows = list(table_of("parameters", selection([], None, tmp_path)).rows)
    for place, run in enumerate(sweep):
        last = int(run.row["epochs_done"])
        assert last < 2000
        epochs, values = zip(
            *((epoch, theta) for name, epoch, *theta in rows if name.endswith(f"#{place}")), strict=True
        )
        assert epochs == (*run.epochs[run.epochs < last].tolist(), last)
        np.testing.assert_array_equal(values, run.parameters[: len(epochs)])
