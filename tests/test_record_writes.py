"""A write into a record is whole or an error, one process at a time trains, and kill -9 takes nothing away."""

import errno
import json
import multiprocessing
import os
import re
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_records import START, a_big_sweep, a_run, blank_rows, config, make_record
from waiting import wait_until

import xortrain
from xortrain.api import Sweep
from xortrain.cli import main
from xortrain.commands.rm import rm
from xortrain.commands.tag import note, rename, tag
from xortrain.config.compose import compose
from xortrain.errors import UserError
from xortrain.records import events, layout
from xortrain.records.events import Annotations, annotations
from xortrain.records.files import append_line, atomic, parse_json, remove_leftovers, temporary_path
from xortrain.records.index import Entry, is_entry, listing, open_entry
from xortrain.records.lock import FRESH, lock_owner, locked, status
from xortrain.records.metadata import read_metadata
from xortrain.records.process import identity, process_start, token
from xortrain.records.writer import RecordWriter, new_folder
from xortrain.runner import train
from xortrain.runner.engines import Engine
from xortrain.runner.sweep import resume_sweep
from xortrain.runner.train import record_run

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["pytest", "xortrain.runner.sweep", "xortrain.runner.train", "xortrain.records.lock"])


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Files cannot grow beyond this size in this context, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def fail(number: int) -> Callable[..., Any]:
    def failing(*_: object) -> Any:
        raise OSError(number, os.strerror(number))

    return failing


WORDS: dict[str, Callable[[str], str]] = {
    "note": lambda name: note([name, "word " * 100]),
    "tag": lambda name: tag([name, *(f"word-{k}" for k in range(100))]),
    "rename": lambda name: rename([name, "word " * 100]),
}


@pytest.mark.parametrize("room", [0, 1, 30, 200])
@pytest.mark.parametrize("before", [b"", b'{"kind": "note", "text": "a"}\n', b'{"kind": "note", "te'])
@pytest.mark.parametrize("command", WORDS.values(), ids=WORDS)
def test_an_event_that_does_not_fit_on_the_disk_is_an_error_and_leaves_the_file_as_it_was(
    command: Callable[[str], str], before: bytes, room: int, tmp_path: Path
) -> None:
    folder = a_run(tmp_path)
    path = folder / layout.EVENTS
    if before:
        path.write_bytes(before)
    with largest_file(len(before) + room), pytest.raises(UserError, match=r"events\.jsonl: (File too|No space)"):
        command(str(folder))
    assert (path.read_bytes() if path.exists() else b"") == before
    assert path.exists() == bool(before)
    command(str(folder))
    assert path.read_bytes().startswith(before)


@pytest.mark.parametrize("call", ["write", "fsync"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_an_error_of_the_disk_is_one_line(
    call: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = a_run(tmp_path)
    monkeypatch.setattr(f"xortrain.records.files.os.{call}", fail(number))
    assert main(["note", str(folder), "a"]) == 2
    assert capsys.readouterr().err == f"xortrain: error: {folder / layout.EVENTS}: {os.strerror(number)}\n"
    assert not (folder / layout.EVENTS).exists()


def test_events_are_not_written_beyond_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = a_run(tmp_path)
    note([str(folder), "a word"])
    size = (folder / layout.EVENTS).stat().st_size
    monkeypatch.setattr(events, "LARGEST", 2 * size + 9)
    note([str(folder), "a word"])
    with pytest.raises(UserError, match=r"events\.jsonl: would be larger than \d+ bytes"):
        note([str(folder), "a word"])
    assert listing(tmp_path).entries[0].marks.notes == ["a word"] * 2


def test_a_line_goes_into_the_file_that_is_there_even_if_an_empty_one_was_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, usual = tmp_path / "lines", os.fsync
    removed = list[int]()

    def remove_once(file: int) -> None:
        usual(file)
        if not removed:
            path.unlink()
            removed.append(file)

    monkeypatch.setattr("xortrain.records.files.os.fsync", remove_once)
    append_line(path, "a", 100)
    assert path.read_text() == "a\n"


def write_many(path: Path, name: int) -> None:
    for k in range(50):
        append_line(path, f"{name} {k} " + "x" * (k * 20), 1 << 20)


def test_lines_of_several_processes_are_all_there(tmp_path: Path) -> None:
    together([(write_many, (tmp_path / "lines", k)) for k in range(4)])
    written = (tmp_path / "lines").read_text().splitlines()
    lines = [line.split()[:2] for line in written if line]  # an empty one closes a line that was seen half written
    assert sorted(lines) == sorted([str(name), str(k)] for name in range(4) for k in range(50))


def together(calls: list[tuple[Callable[..., Any], tuple[Any, ...]]]) -> None:
    processes = [FORKED.Process(target=target, args=given) for target, given in calls]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(processes)


DEAD = {**identity(), "process_started": str(process_start(os.getpid())).rpartition(":")[0] + ":1"}
ELSEWHERE = {**identity(), "host": "another"}


@pytest.mark.parametrize("content", [DEAD, ELSEWHERE, {}, [1], None], ids=["dead", "elsewhere", "empty", "list", "cut"])
def test_the_lock_of_a_dead_or_silent_owner_is_taken_over(content: object, tmp_path: Path) -> None:
    folder = tmp_path
    make_record(folder, blank_rows(1), config(), status="interrupted")
    lock = folder / layout.LOCK
    lock.write_text('{"ho' if content is None else json.dumps(content))
    long_ago = time.time() - 2 * FRESH
    if content is not DEAD:
        assert lock_owner(folder) is not None
        with pytest.raises(UserError, match=r"is running \(process .*\); wait until"), locked(folder):
            raise AssertionError
        assert status(folder, read_metadata(folder)) == "running"
    os.utime(lock, (long_ago, long_ago))
    with locked(folder):
        assert json.loads(lock.read_text())["pid"] == os.getpid()
        with pytest.raises(UserError, match=rf"is running \(process {os.getpid()} on"), locked(folder):
            raise AssertionError
        assert lock.exists()
    assert not lock.exists()


def test_an_owner_elsewhere_is_alive_as_long_as_its_heart_beats(tmp_path: Path) -> None:
    folder = a_run(tmp_path)
    (folder / layout.LOCK).write_text(json.dumps(ELSEWHERE))
    os.utime(folder / layout.LOCK, (1, 1))
    assert lock_owner(folder) is None
    (folder / layout.HEARTBEAT).touch()
    assert lock_owner(folder) == ELSEWHERE


def test_a_population_has_the_lock_of_its_sweep(tmp_path: Path) -> None:
    folder = a_big_sweep(tmp_path)
    with locked(folder), pytest.raises(UserError, match="is running"), locked(folder / "population-001"):
        raise AssertionError
    with locked(folder / "population-001"):
        assert (folder / layout.LOCK).exists()


def enter(folder: Path, log: Path, times: int) -> None:
    """Hold the lock of a folder several times, and write down each entry and exit."""
    while times:
        with suppress(UserError), locked(folder):
            append_line(log, f"in {os.getpid()}", 1 << 20)
            append_line(log, f"out {os.getpid()}", 1 << 20)
            times -= 1


def die_inside(folder: Path) -> None:
    with locked(folder):
        os._exit(0)


def test_of_many_processes_one_at_a_time_has_the_lock_even_if_some_of_them_die(tmp_path: Path) -> None:
    folder, log = a_run(tmp_path), tmp_path / "log"
    together([(die_inside, (folder,))])
    assert (folder / layout.LOCK).exists()
    together([(enter, (folder, log, 20)) for _ in range(3)])
    lines = [line.split() for line in log.read_text().splitlines()]
    assert len(lines) == 120
    assert all(
        (first[0], last[0]) == ("in", "out") and first[1] == last[1]
        for first, last in zip(lines[::2], lines[1::2], strict=True)
    )


LONG = ["epochs=4000000", "film=none", "track.losses=40000", "track.frames=2", "data=xor_cloud"]


def record_long(root: str) -> None:
    record_run(compose([*LONG, f"root={root}"]))


def resume_at(folder: Path) -> None:
    resume_sweep(open_entry(folder, "it"), Engine())


def known(folder: Path) -> int:
    """The number of losses in the record in a folder."""
    return int((~np.isnan(np.load(folder / "losses-000.npy", mmap_mode="r"))).sum())


def only(root: Path) -> Entry:
    (entry,) = listing(root).entries
    return entry


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed after it had recorded some losses."""
    root = tmp_path_factory.mktemp("killed")
    process = FORKED.Process(target=record_long, args=(str(root),))
    process.start()
    wait_until(lambda: known(only(root).folder) > 80)
    process.kill()
    process.join()
    assert only(root).status == "crashed"
    return only(root).folder


def parts(folder: Path) -> list[Path]:
    return list(folder.glob(".*.part"))


MOMENTS: dict[str, Callable[[Path, int, int], object]] = {
    "when it has the lock": lambda folder, pid, before: (lock_owner(folder) or {}).get("pid") == pid,
    "when it has made its files": lambda folder, pid, before: list(folder.glob(f".losses*-{pid}-*.part")),
    "when it has more losses": lambda folder, pid, before: known(folder) > before,
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_killing_a_resume_at_any_moment_leaves_as_many_losses_as_before(
    moment: Callable[[Path, int, int], object], killed: Path
) -> None:
    """A reader keeps the old losses mapped, and what is left is removed."""
    before, reader = known(killed), np.load(killed / "losses-000.npy", mmap_mode="r")
    held = reader.copy()
    process = FORKED.Process(target=resume_at, args=(killed,))
    process.start()
    pid = process.pid or 0
    wait_until(lambda: moment(killed, pid, before))
    assert listing(killed).entries[0].status == "running"
    process.kill()
    process.join()
    assert known(killed) >= before
    assert listing(killed).entries[0].status == "crashed"
    np.testing.assert_array_equal(reader, held)
    remove_leftovers(killed)
    assert not parts(killed)


def test_a_second_resume_gets_one_line_while_the_first_one_trains(
    killed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = FORKED.Process(target=resume_at, args=(killed,))
    process.start()
    try:
        wait_until(lambda: lock_owner(killed))
        assert main(["resume", str(killed)]) == 2
        line = capsys.readouterr().err
        assert f"is running (process {process.pid} on " in line
        assert line.count("\n") == 1
        assert main(["show", str(killed)]) == 0
        with pytest.raises(UserError, match="is running"):
            rm([str(killed), "--yes", "--root", str(killed.parents[1])])
    finally:
        process.kill()
        process.join()


def test_an_interrupted_resume_leaves_the_files_that_were_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training of a block fails at once, before it has as many losses as before."""
    sweep = xortrain.sweep("seed=0,1", "epochs=40", "film=none", f"root={tmp_path}")
    folder = sweep.parts[0].folder
    rows = np.load(folder / layout.RUNS, mmap_mode="r+")
    rows["outcome"] = 0
    rows.flush()
    before = {path.name: path.read_bytes() for path in folder.glob("*-000.npy")}

    def interrupted(*_: object) -> Iterator[int]:
        yield 0
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("xortrain.runner.train.train_block", interrupted)
        with pytest.raises(KeyboardInterrupt):
            resume_sweep(only(tmp_path), Engine())
    assert {path.name: path.read_bytes() for path in folder.glob("*-000.npy")} == before
    assert only(tmp_path).status == "interrupted"
    assert not parts(folder)
    assert not (folder / layout.LOCK).exists()
    assert resume_sweep(only(tmp_path), Engine()) == 2
    again = Sweep.of(only(tmp_path))
    np.testing.assert_array_equal(again.losses, sweep.losses)
    assert {path.name: path.read_bytes() for path in folder.glob("*-000.npy")} == before


def leave(path: Path) -> None:
    """Die while a file, and a folder that is being removed, have temporary names."""
    temporary_path(path / "folder").mkdir()
    with atomic(path / "file") as file:
        file.write(b"half")
        file.flush()
        os._exit(0)


def write_atomically(folder: Path) -> None:
    with atomic(folder / "new"):
        pass


NEXT: dict[str, Callable[[Path], object]] = {
    "a file": write_atomically,
    "a removal": lambda day: rm([str(next(day.glob("1*"))), "--yes", "--root", str(day.parent)]),
    "a start": lambda day: new_folder(day.parent, START),
}


@pytest.mark.parametrize("write", NEXT.values(), ids=NEXT)
def test_what_a_dead_process_left_is_never_listed_and_goes_with_the_next_write(
    write: Callable[[Path], object], tmp_path: Path
) -> None:
    day = a_run(tmp_path, 2).parent
    a_run(tmp_path, 1)
    alive = temporary_path(day / "alive")
    unknown = [
        alive.name.replace(token(os.getpid()), "00000000-1-1"),
        ".film.gif.123.part",
        ".removing-12-30-00-123456",
    ]
    kept = [alive, *(day / name for name in (*unknown, ".mine.part", "film.part"))]
    for path in kept:
        path.write_text("")
    together([(leave, (day,))])
    assert len(list(day.glob(".file.*.part"))) == len(list(day.glob(".folder.*.part"))) == 1
    assert len(listing(tmp_path).entries) == 2
    write(day)
    assert not [*day.glob(".file.*.part"), *day.glob(".folder.*.part")]
    assert all(path.exists() for path in kept)


def test_what_a_process_that_is_not_visible_left_goes_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [temporary_path(tmp_path / "x").name.replace(token(os.getpid()), "00000000-1-1"), ".film.gif.123.part"]
    for name in (*names, ".mine.part"):
        (tmp_path / name).write_text("")
    (tmp_path / ".removing-12-30-00-123456").mkdir()
    now = time.time()
    for hours, left in ((23, 4), (25, 1)):
        monkeypatch.setattr("time.time", lambda hours=hours: now + hours * 3600)
        remove_leftovers(tmp_path)
        assert len(list(tmp_path.iterdir())) == left


def test_a_folder_whose_process_died_before_it_was_a_record_goes_with_the_next_start(tmp_path: Path) -> None:
    folder = new_folder(tmp_path)
    kept = [new_folder(tmp_path) for _ in range(4)]
    for path in (folder, *kept[:3]):
        (path / layout.LOCK).write_text(json.dumps(DEAD))
        (path / layout.CONFIG).write_text("")
    (kept[0] / "mine").write_text("")
    (kept[1] / layout.LOCK).write_text(json.dumps(identity()))
    (kept[2] / layout.RECORD).write_text("{")
    new_folder(tmp_path)
    assert not folder.exists()
    assert all(path.exists() for path in kept)


def test_an_unfinished_block_has_its_names_only_when_all_its_files_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_record(tmp_path, blank_rows(2), config(), status="interrupted")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with largest_file(100), pytest.raises(OSError, match="File too large"):
        RecordWriter(tmp_path, dict(read_metadata(tmp_path))).block(0)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


EVENT = st.fixed_dictionaries(
    {"kind": st.sampled_from(["tag", "untag", "note", "rename", "other"])},
    optional={
        "run": st.one_of(st.integers(0, 2), st.booleans(), st.none()),
        "tags": st.one_of(st.lists(st.sampled_from("abcd")), st.sampled_from(["a", 5, None])),
        "text": st.sampled_from(["x", "", None]),
        "name": st.sampled_from(["n", "", 5]),
    },
)


@given(st.lists(EVENT, max_size=20), st.lists(st.sampled_from("abcd"), unique=True))
def test_annotations_are_those_of_one_change_after_the_other(changes: list[Any], first: list[str]) -> None:
    """The oracle changes lists, and searches them each time."""
    expected: dict[int | None, list[str]] = {None: list(first)}
    for event in changes:
        own = event.get("run") if type(event.get("run")) is int else None
        words = event.get("tags") if isinstance(event.get("tags"), list) else [event.get("tags")]
        tags = expected.setdefault(own, [])
        for word in (word for word in words if isinstance(word, str)):
            if event["kind"] == "tag" and word not in tags:
                tags.append(word)
            elif event["kind"] == "untag" and word in tags:
                tags.remove(word)
    found = annotations({"tags": first}, changes)
    assert found.tags == expected.pop(None)
    assert {run: own.tags for run, own in found.of_runs.items()} == expected


class Counted(str):
    """A text that counts how often it is hashed or compared."""

    __slots__ = ()
    used = 0

    def __hash__(self) -> int:
        Counted.used += 1
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        Counted.used += 1
        return super().__eq__(other)


@pytest.mark.parametrize("kind", ["tag", "untag"])
@pytest.mark.parametrize("run", [None, 3])
def test_the_work_of_reading_tags_is_linear_in_their_number(kind: str, run: int | None) -> None:
    used = []
    for count in (1000, 4000):
        Counted.used = 0
        tags = [{"kind": "tag", "run": run, "tags": [Counted(k)]} for k in range(count)]
        changed: list[Any] = [*tags, *({**event, "kind": kind} for event in tags)]
        annotations({}, changed)
        used.append(Counted.used)
    assert used[1] <= 5 * used[0]


@pytest.mark.parametrize(("kind", "command"), [("tag", tag), ("note", note)])
def test_more_words_than_are_read_are_refused(kind: str, command: Callable[[list[str]], str], tmp_path: Path) -> None:
    folder = a_run(tmp_path)
    lines = [json.dumps({"kind": kind, "text": f"{k}", "tags": [f"{k}"]}) for k in range(1000)]
    (folder / layout.EVENTS).write_text("\n".join(lines) + "\n")
    with pytest.raises(UserError, match=f"^{kind}: a run or sweep has at most 1,000 tags"):
        command([str(folder), "one-more"])
    tag([str(folder), "1", *(["--remove"] if kind == "tag" else [])])
    tag([str(folder), "one-more"])


def test_as_many_words_as_a_record_may_have_are_read(tmp_path: Path) -> None:
    many = [{"kind": kind, "text": f"{k}", "tags": [f"{k}"]} for k in range(1500) for kind in ("tag", "note")]
    found: Annotations = annotations({}, many)
    assert found.tags == found.notes == [str(k) for k in range(1000)]
    folder = a_run(tmp_path, tags=[f"tag-{k}" for k in range(1000)])
    assert len(open_entry(folder, "it").marks.tags) == 1000


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=100,
)


@given(VALUES)
def test_json_of_usual_depth_is_read_as_the_standard_library_reads_it(value: Any) -> None:
    text = json.dumps(value).encode()
    assert parse_json(text) == json.loads(text)


@pytest.mark.parametrize("opened", ["[", '{"a": ', '[{"[{\\"": '])
@pytest.mark.parametrize("depth", [60, 70, 30_000])
def test_deeper_json_is_refused_before_it_is_parsed(opened: str, depth: int) -> None:
    levels = opened.count("[") + opened.count("{") - 2 * opened.count('\\"')
    closed = "".join("]" if mark == "[" else "}" for mark in reversed(opened.replace('"[{\\""', "")) if mark in "[{")
    times = depth // levels
    text = (opened * times + "0" + closed * times).encode()
    if depth == 60:
        parse_json(text)
        return
    with pytest.raises(ValueError, match="more than 64 lists and mappings"):
        parse_json(text)


@pytest.mark.parametrize("text", ['"' + "[" * 1000 + '"', '["' + '\\"[' * 1000 + '"]', '{"a": "\\\\"}' + " " * 9])
def test_brackets_in_texts_do_not_count(text: str) -> None:
    assert parse_json(text.encode()) == json.loads(text)


@given(st.text(alphabet='[]{}"\\a0', max_size=300).map(lambda text: text * 40))
def test_no_text_makes_the_reader_of_json_fail_in_another_way(text: str) -> None:
    with suppress(ValueError):
        parse_json(text.encode())


def assert_nothing_but_records(root: Path) -> None:
    """Every folder of a record is one, and no day is empty."""
    starts = [path for path in root.rglob("*") if layout.OWN_PLACE.search(str(path)) and path.is_dir()]
    assert [path for path in starts if not is_entry(path)] == []
    assert {path.parent for path in starts} == {path for path in root.rglob("*") if layout.OWN_DAY.fullmatch(path.name)}


STARTS = [["film=none"], ["-m", "seed=1,2", "film=none"], ["-m", "activation=relu,tanh", "film=none"]]


@pytest.mark.parametrize("words", STARTS, ids=" ".join)
def test_a_record_that_does_not_fit_the_disk_leaves_nothing_until_it_is_one(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for size in (0, 100, 500, 1000, 2000, 4000):  # of the lock, config.yaml, data.npz, runs.npy, record.json, arrays
        with largest_file(size):
            assert main(words) == 1
        assert re.fullmatch(
            r"xortrain: error: outputs/.*: (File too large|No space left on device)\n", capsys.readouterr().err
        )
        assert_nothing_but_records(tmp_path)


@pytest.mark.parametrize("words", STARTS, ids=" ".join)
@pytest.mark.parametrize("step", ["_data_arrays", "rows_of", "locked"])
def test_ctrl_c_before_a_record_is_one_leaves_nothing(
    step: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train, step, interrupt)
    assert main(words) == 130
    assert capsys.readouterr().err == "xortrain: interrupted\n"
    assert_nothing_but_records(tmp_path)
    assert not list(tmp_path.rglob("20*"))
