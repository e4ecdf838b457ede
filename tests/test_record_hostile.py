"""Untrusted records: nothing is executed, nothing outside is read, and each error is one line."""

import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make_records import a_big_sweep, a_run, a_sweep

from xortrain.commands import ls as ls_command
from xortrain.commands.compare import compare
from xortrain.commands.export import export
from xortrain.commands.group import group
from xortrain.commands.ls import sql
from xortrain.commands.show import show
from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.index import listing
from xortrain.records.metadata import _KINDS
from xortrain.records.reader import RecordReader

T = TypeVar("T")
Break = Callable[[Path], object]


class Trap:
    """Unpickling it creates a folder."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("sprung",)


def pickled() -> bytes:
    """Return a .npy file with the trap."""
    file = io.BytesIO()
    np.save(file, np.array([Trap()], dtype=object), allow_pickle=True)
    return file.getvalue()


def npy(descr: object, shape: object, body: bytes = b"", fortran: bool = False) -> bytes:
    """Return a .npy file with any header."""
    return npy_of(repr({"descr": descr, "fortran_order": fortran, "shape": shape}), body)


def npy_of(header: str, body: bytes = b"") -> bytes:
    """Return a .npy file with any text as its header."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def change_row(**values: object) -> Break:
    def broken(folder: Path) -> None:
        rows = np.load(folder / layout.RUNS, mmap_mode="r+")
        for name, value in values.items():
            rows[name] = value
        rows.flush()

    return broken


def write(name: str, content: bytes) -> Break:
    return lambda folder: (folder / name).write_bytes(content)


def change(**changes: object) -> Break:
    def broken(folder: Path) -> None:
        metadata = json.loads((folder / layout.RECORD).read_text())
        (folder / layout.RECORD).write_text(json.dumps(metadata | changes))

    return broken


def drop(key: str) -> Break:
    def broken(folder: Path) -> None:
        metadata = json.loads((folder / layout.RECORD).read_text())
        (folder / layout.RECORD).write_text(json.dumps({k: v for k, v in metadata.items() if k != key}))

    return broken


def link(name: str) -> Break:
    def broken(folder: Path) -> None:
        secret = folder.parents[3] / "secret"
        secret.write_bytes((folder / name).read_bytes())
        (folder / name).unlink()
        (folder / name).symlink_to(secret)

    return broken


def replace_with(name: str, make: Callable[[Path], object]) -> Break:
    def broken(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return broken


def truncate(name: str) -> Break:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size - 1)


def huge(path: Path) -> None:
    """Write a sparse file of a gigabyte."""
    path.touch()
    os.truncate(path, 1 << 30)


ROW = list(layout.ROW.items())
DEEP = b"[" * 100_000
LISTED: dict[str, tuple[Break, str]] = {
    "broken JSON": (write(layout.RECORD, b'{"format": 1, '), "broken JSON"),
    "deep JSON": (write(layout.RECORD, b'{"format": 1, "config": ' + DEEP), "broken JSON"),
    "not text": (write(layout.RECORD, b"\xff\xfe\x00"), "broken JSON"),
    "huge number": (write(layout.RECORD, b'{"format": ' + b"9" * 10_000 + b"}"), "broken JSON"),
    "empty": (write(layout.RECORD, b""), "broken JSON"),
    "a list": (write(layout.RECORD, b"[1]"), "must be a JSON object"),
    "format 99": (change(format=99), "format=99: this version of xortrain reads format 1"),
    "format of another type": (change(format=[1]), "reads format 1"),
    "no format": (drop("format"), "format=None"),
    "a file of 20 MB": (lambda folder: os.truncate(folder / layout.RECORD, 20 << 20), "larger than"),
    "a link": (link(layout.RECORD), "is a link; a record must contain the file itself"),
    "a pipe": (replace_with(layout.RECORD, os.mkfifo), "is not a plain file"),
    "a folder": (replace_with(layout.RECORD, os.mkdir), "is not a plain file"),
    "status nonsense": (change(status="\x1b[2Jfine"), "must be one of running, finished"),
    "started nonsense": (change(started="yesterday"), "must be a time"),
    "no runs": (change(runs=0), "runs=0"),
    "billions of runs": (change(runs=10**12), "must be from 1 to"),
    "true runs": (change(runs=True), "runs=True"),
    "other dtype": (change(dtype="O"), "must be float32 or float64"),
    "a path as a parameter's name": (change(parameters={"../../W1": [2]}), "parameters: must be names"),
    "negative shape": (change(parameters={"W1": [-2, 2]}), "parameters: must be names with their shapes"),
    "absurd shape": (change(parameters={"W1": [1 << 50]}), "parameters: must be names with their shapes"),
    "outcomes of another type": (change(outcomes=[1]), "outcomes: must be words"),
    "names that vary": (change(varies=["a; drop table"]), "varies: must be names"),
    "parameters of an enormous shape": (
        change(parameters={"W1": [1 << 30, 1 << 30]}),
        "those of a run would have more than",
    ),
    "parameters of many axes": (change(parameters={"W1": [1] * 1000}), "parameters: must be names with their shapes"),
    "a million names that vary": (change(varies=["lr"] * 1_000_000), "larger than"),
    "a name that varies twice": (change(varies=["lr", "lr"]), "varies: must be names"),
    "a thousand outcomes": (change(outcomes=["solved"] * 1000), "outcomes: must be"),
    "groups of three thousand settings": (
        change(config={f"group_{n}": {f"k{k}": 1 for k in range(1000)} for n in range(3)}),
        "config: must be at most",
    ),
    "settings nested 400 deep": (
        lambda folder: change(config={"a": json.loads("[" * 400 + "]" * 400)})(folder),
        "more than 64 lists and mappings",
    ),
    "a process of a thousand digits": (change(pid=10**1000), "a number of 1001 digits"),
    "an outcome without a word": (change_row(outcome=255), "has an outcome that its record does not name"),
    "a shape of 9,000 hexadecimal digits": (
        write(layout.RUNS, npy_of(f"{{'descr': {ROW}, 'fortran_order': False, 'shape': (0x{'9' * 9000},)}}")),
        "its header must be plain",
    ),
    "a shape of 9,000 digits": (
        write(layout.RUNS, npy_of(f"{{'descr': {ROW}, 'fortran_order': False, 'shape': ({'9' * 9000},)}}")),
        "its header must be plain",
    ),
    "rows of nine axes": (write(layout.RUNS, npy(ROW, (1,) * 9, bytes(400))), "has 9 axes"),
    "a thousand settings": (change(config={f"k{k}": 1 for k in range(1000)}), "config: must be at most"),
    "names of settings": (change(config={'a"b': 1}), "config: must be at most"),
    "pickle in rows": (write(layout.RUNS, pickled()), "contains something other than numbers, which is never loaded"),
    "terabytes of rows": (write(layout.RUNS, npy(ROW, (10**12,))), "its header requires"),
    "rows of another shape": (write(layout.RUNS, npy(ROW, (2,), bytes(400))), "has shape (2,)"),
    "rows in a square": (write(layout.RUNS, npy(ROW, (1, 1), bytes(400))), "has shape (1, 1)"),
    "rows without columns": (write(layout.RUNS, npy("<f8", (1,), bytes(8))), "has no column number"),
    "rows with a column twice": (
        write(layout.RUNS, npy([*ROW, ROW[0]], (1,), bytes(400))),
        "duplicate column names",
    ),
    "rows with columns of columns": (write(layout.RUNS, npy([("a", ROW)], (1,), bytes(400))), "columns of numbers"),
    "rows of texts": (write(layout.RUNS, npy([*ROW, ("x", "<U4")], (1,), bytes(400))), "columns of numbers"),
    "rows in Fortran order": (write(layout.RUNS, npy(ROW, (1,), bytes(400), True)), "fortran_order=False"),
    "a header that is code": (write(layout.RUNS, npy("x", (1,)).replace(b"'x'", b"f()")), "not a .npy file"),
    "a header without an end": (write(layout.RUNS, b"\x93NUMPY\x01\x00\xff\xff{"), "not a .npy file"),
    "a header of a gigabyte": (write(layout.RUNS, b"\x93NUMPY\x02\x00\x00\x00\x00\x40{"), "not a .npy file"),
    "a deep header": (write(layout.RUNS, b"\x93NUMPY\x01\x00\x00\x20" + b"(" * 0x2000), "not a .npy file"),
    "negative rows": (write(layout.RUNS, npy(ROW, (-1,), bytes(400))), "its shape must be whole numbers"),
    "no rows": (lambda folder: (folder / layout.RUNS).unlink(), "runs.npy: is missing"),
    "rows cut off": (truncate(layout.RUNS), "its header requires"),
    "rows by a link": (link(layout.RUNS), "a link"),
    "events by a link": (lambda folder: (folder / layout.EVENTS).symlink_to("/etc/passwd"), "a link"),
    "events by a pipe": (lambda folder: os.mkfifo(folder / layout.EVENTS), "is not a plain file"),
    "a gigabyte of events": (lambda folder: huge(folder / layout.EVENTS), "larger than"),
    **{f"no {key}": (drop(key), f"{key}=None: must be") for key in _KINDS},
    **{f"{key} of another type": (change(**{key: 0.5}), f"{key}=0.5: must be") for key in _KINDS},
}


def is_safe(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize(("broken", "expected"), LISTED.values(), ids=LISTED)
def test_a_broken_record_gives_a_one_line_warning_and_the_others_are_listed(
    broken: Break, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "outputs"
    a_run(root)
    bad = a_run(root, 1)
    broken(bad)
    lines = ls_command.ls([]).split("\n")
    assert len(lines) == 3
    assert lines[1].startswith("2026-11-21/19-39-21-123456  finished")
    assert lines[2].startswith("2026-11-21/19-40-21-123456: unreadable: ")
    assert expected in lines[2]
    assert is_safe(lines[2])
    *_, last = json.loads(ls_command.ls(["--json"]))
    assert last["status"] == "unreadable"
    with pytest.raises(UserError) as caught:
        show([str(bad)])
    assert "\n" not in str(caught.value)
    assert not Path("sprung").exists()


LOADED: dict[str, tuple[Break, str]] = {
    "pickle": (write("losses-000.npy", pickled()), "which is never loaded"),
    "terabytes": (write("losses-000.npy", npy("<f8", (5, 1 << 40))), "its header requires"),
    "another shape": (write("losses-000.npy", npy("<f8", (1, 5), bytes(40))), "but the record states"),
    "another type": (write("losses-000.npy", npy("<f4", (5, 1), bytes(20))), "but the record states"),
    "link": (link("losses-000.npy"), "a link"),
    "pickled epochs": (write(layout.LOSS_EPOCHS, pickled()), "which is never loaded"),
    "falling epochs": (write(layout.LOSS_EPOCHS, npy("<i8", (5,), struct.pack("<5q", 0, 1, 3, 2, 4))), "must increase"),
    "epochs before the start": (
        write(layout.LOSS_EPOCHS, npy("<i8", (5,), struct.pack("<5q", -1, 1, 2, 3, 4))),
        "must increase",
    ),
}


@pytest.mark.parametrize(("broken", "expected"), LOADED.values(), ids=LOADED)
def test_an_array_that_contradicts_its_record_is_not_loaded(
    broken: Break, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = a_run(tmp_path / "outputs")
    broken(folder)
    record = RecordReader.open(folder)
    with pytest.raises(UserError, match=expected):
        print(record.of_run("losses", 0), record.loss_epochs)
    assert expected in show(["latest"])
    with pytest.raises(UserError, match=expected):
        export(["latest", "--what", "losses"])
    assert not Path("sprung").exists()


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return file.getvalue()


def size(number: int) -> bytes:
    return struct.pack("<I", number)


GOOD = npy("<f8", (1, 2), bytes(16))
BOMB = npy("<f8", (1 << 21,), bytes(8 << 21))
DATA: dict[str, tuple[bytes, str]] = {
    "bomb": (archive({"x.npy": BOMB}, zipfile.ZIP_DEFLATED), "compressed"),
    "pickle": (archive({"x.npy": pickled(), "t.npy": GOOD}), "which is never loaded"),
    "a path": (archive({"../x.npy": GOOD}), "contains something other than x, t"),
    "absolute": (archive({"/tmp/x.npy": GOOD}), "contains something other than x, t"),
    "an unknown array": (archive({"x.npy": GOOD, "evil.npy": GOOD}), "contains something other than x, t"),
    "terabytes": (archive({"x.npy": npy("<f8", (1 << 40,))}), "its header requires"),
    "no archive": (b"PK\x03\x04 nothing", "not readable"),
    "cut off": (archive({"x.npy": GOOD})[:-10], "not readable"),
    "a wrong size": (archive({"x.npy": GOOD}).replace(size(len(GOOD)), size(1 << 30)), "not readable"),
}


@pytest.mark.parametrize(("content", "expected"), DATA.values(), ids=DATA)
def test_data_other_than_plain_arrays_are_not_loaded(
    content: bytes, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = a_run(tmp_path)
    (folder / layout.DATA).write_bytes(content)
    with pytest.raises(UserError, match=expected) as caught:
        print(RecordReader.open(folder).data)
    assert "\n" not in str(caught.value)
    assert not Path("sprung").exists()


EVIL = "\x1b[2J\x1b]0;pwned\x07\r\b\u202egnp.exe\u2066\x9b31m\n"


def hostile_texts(root: Path) -> None:
    """Write two runs and a sweep in which every text has terminal control characters."""
    for minute in (0, 1):
        folder = a_run(
            root, minute, name=EVIL, tags=[EVIL], notes=EVIL, row={"outcome": 2}, activation__name=EVIL + str(minute)
        )
        change(host=EVIL, command=[EVIL, EVIL], git={"commit": EVIL}, versions={"numpy": EVIL}, outcomes=[EVIL] * 10)(
            folder
        )
        event = {"kind": "failure", "jobs": [EVIL, EVIL], "reason": EVIL}
        (folder / layout.EVENTS).write_text(json.dumps(event) + "\n" + json.dumps({"kind": "note", "text": EVIL}))
    a_sweep(root, 2, name=EVIL, activation__name=EVIL).rename(root / f"evil{EVIL.replace('/', '')}")
    broken = a_run(root, 3)
    (broken / layout.RECORD).write_text("{" + EVIL)
    broken.rename(root / f"broken{EVIL.replace('/', '')}")


COMMANDS: dict[str, Callable[[], str]] = {
    "ls": lambda: ls_command.ls([]),
    "ls --runs": lambda: ls_command.ls(["--runs", "--columns", "host,notes,tags,name,path,activation,outcome,started"]),
    "ls --json": lambda: ls_command.ls(["--json"]),
    "ls --where": lambda: ls_command.ls(["--where", "lr > 0"]),
    "show": lambda: show(["2026-11-21/19-39"]),
    "show --json": lambda: show(["2026-11-21/19-39", "--json"]),
    "show of a sweep": lambda: show([f"outputs/evil{EVIL}"]),
    "compare": lambda: compare(["2026-11-21/19-39", "2026-11-21/19-40"]),
    "group": lambda: group(["2026-11-21/19-39", "2026-11-21/19-40"]),
    "group --by": lambda: group(["2026-11-21/19-39", f"outputs/evil{EVIL}", "--by", "activation"]),
    "sql": lambda: sql(["select * from runs"]),
    "export": lambda: export([]),
    "export as JSON lines": lambda: export(["--format", "jsonl"]),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_control_characters_in_a_record_never_reach_the_terminal(
    command: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    hostile_texts(tmp_path / "outputs")
    assert is_safe(command())


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    elsewhere = a_run(tmp_path / "elsewhere")
    root = tmp_path / "outputs"
    folder = a_big_sweep(root)
    (root / "linked").symlink_to(elsewhere.parent)
    (folder / "population-009").symlink_to(elsewhere)
    (entry,) = listing(root).entries
    assert entry.runs == 6


def test_an_unreadable_folder_does_not_hide_others(tmp_path: Path) -> None:
    a_run(tmp_path)
    (tmp_path / "locked").mkdir(mode=0)
    assert len(listing(tmp_path).entries) == 1


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@pytest.mark.parametrize("name", [layout.RECORD, layout.RUNS, "losses-000.npy", layout.DATA, layout.EVENTS])
def test_any_changed_byte_gives_a_record_or_an_error(
    name: str, data: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """After any change of bytes, a record is read or refused with a one-line error."""
    root = tmp_path_factory.mktemp("root")
    folder = a_run(root)
    (folder / layout.EVENTS).write_text('{"kind": "note", "text": "a"}\n')
    content = bytearray((folder / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / name).write_bytes(content)
    assert is_safe(ls_command.ls(["--root", str(root)]))
    record = try_to_read(lambda: RecordReader.open(folder))
    if record:
        for read in (lambda: record.rows, lambda: record.data, lambda: record.of_runs("losses")):
            try_to_read(read)
    try_to_read(lambda: show([str(folder)]))
    try_to_read(lambda: sql(["select * from runs", "--root", str(root)]))


def try_to_read(read: Callable[[], T]) -> T | None:
    """Return the result of reading, or None after a UserError."""
    message = ""
    try:
        return read()
    except UserError as error:
        message = str(error)
    assert is_safe(message)
    return None
