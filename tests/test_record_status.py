"""The status of a record is correct even if its process was killed."""

import json
import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from make_records import blank_rows, config, make_record
from waiting import wait_until

from xortrain.commands.show import show
from xortrain.records import layout
from xortrain.records.index import listing
from xortrain.records.lock import FRESH, last_sign, status
from xortrain.records.metadata import moment, training_seconds
from xortrain.records.process import host, process_start
from xortrain.records.writer import BEAT, RecordWriter

STARTS = """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from make_records import blank_rows, config, make_record
    folder = Path(sys.argv[1], "2026-11-21", "10-00-00-000000")
    folder.mkdir(parents=True)
    make_record(folder, blank_rows(1), config(), status=None)
    print("begun", flush=True)
    sys.stdin.read()
"""


@contextmanager
def training_process(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a process that writes a record and keeps running."""
    code = textwrap.dedent(STARTS)
    command = [sys.executable, "-c", code, str(root), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            yield process
        finally:
            process.kill()


def only_status(root: Path) -> str:
    (entry,) = listing(root).entries
    return entry.status


@pytest.mark.skipif(sys.platform != "linux", reason="process start times are only available on Linux")
def test_a_record_is_running_until_its_process_ends_and_then_crashed(tmp_path: Path) -> None:
    with training_process(tmp_path) as process:
        assert only_status(tmp_path) == "running"
        process.send_signal(signal.SIGSTOP)
        assert only_status(tmp_path) == "running"
        process.kill()
        wait_until(lambda: process_start(process.pid) is None)  # a zombie process; it is not reaped yet
        assert Path(f"/proc/{process.pid}").exists()
        assert only_status(tmp_path) == "crashed"
        process.wait()
        assert only_status(tmp_path) == "crashed"


def test_a_killed_training_is_crashed_and_can_be_shown(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "xortrain", "epochs=100000000", "film=none", f"root={tmp_path}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            (entry,) = wait_until(lambda: listing(tmp_path).entries)
            assert entry.status == "running"
        finally:
            process.kill()
    assert only_status(tmp_path) == "crashed"
    assert "crashed: pending" in show(["latest", "--root", str(tmp_path)])


def update_record(folder: Path, **changes: object) -> Path:
    path = folder / layout.RECORD
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return folder


@pytest.fixture
def running_record(tmp_path: Path) -> Path:
    """Return a record that this process is writing."""
    make_record(tmp_path, blank_rows(1), config(), status=None)
    return tmp_path


def status_of(folder: Path) -> str:
    return status(folder, json.loads((folder / layout.RECORD).read_text()))


def test_another_process_with_the_same_pid_does_not_count(running_record: Path) -> None:
    assert status_of(running_record) == "running"
    place = str(process_start(os.getpid())).rpartition(":")[0]
    assert status_of(update_record(running_record, process_started=f"{place}:1")) == "crashed"


@pytest.mark.parametrize("word", ["finished", "failed", "interrupted"])
def test_a_final_status_is_final_even_if_the_process_still_runs(running_record: Path, word: str) -> None:
    assert status_of(update_record(running_record, status=word)) == word


ELSEWHERE: list[dict[str, object]] = [
    {"host": "another"},
    {"process_started": "another boot:1:1"},
    {"process_started": None},
    {"process_started": 7},
    {"pid": None},
    {"pid": "1; rm -rf"},
]


@pytest.mark.parametrize("elsewhere", ELSEWHERE, ids=str)
@pytest.mark.parametrize(
    ("age", "expected"), [(0, "running"), (FRESH / 2, "running"), (FRESH * 2, "crashed"), (-FRESH * 2, "crashed")]
)
def test_a_process_that_cannot_be_checked_is_running_if_its_heartbeat_is_recent(
    running_record: Path, elsewhere: dict[str, object], age: float, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now)
    heartbeat = update_record(running_record, **elsewhere) / layout.HEARTBEAT
    heartbeat.touch()
    os.utime(heartbeat, (now - age,) * 2)
    assert status_of(running_record) == expected


def test_before_the_first_heartbeat_the_start_time_is_used(running_record: Path) -> None:
    update_record(running_record, host="another")
    assert status_of(running_record) == "running"
    os.utime(running_record / layout.RECORD, (time.time() - 2 * FRESH,) * 2)
    assert status_of(running_record) == "crashed"


def test_the_heartbeat_is_updated_regularly_but_not_in_every_step(running_record: Path) -> None:
    assert BEAT < FRESH / 3
    record = RecordWriter(running_record, {})
    record.beat()
    os.utime(running_record / layout.HEARTBEAT, (0, 0))
    record.beat()
    assert (running_record / layout.HEARTBEAT).stat().st_mtime == 0
    record.last_beat -= BEAT
    record.beat()
    assert (running_record / layout.HEARTBEAT).stat().st_mtime > 0


def test_a_sweep_killed_between_two_populations_is_crashed(tmp_path: Path) -> None:
    from make_records import a_big_sweep

    folder = a_big_sweep(tmp_path, status="running")
    assert only_status(tmp_path) == "running"
    path = folder / layout.SWEEP
    path.write_text(json.dumps(json.loads(path.read_text()) | {"process_started": str(process_start(1))}))
    assert host() == json.loads(path.read_text())["host"]
    assert only_status(tmp_path) == "crashed"


def test_the_pause_before_resuming_is_not_training_time(tmp_path: Path) -> None:
    started, stopped = "2026-11-21T10:00:00+00:00", "2026-11-21T10:00:20+00:00"
    record = make_record(tmp_path, blank_rows(2), config(), status=None, kind="sweep", started=started)
    record.metadata |= {"status": "interrupted", "ended": stopped}
    record.write()
    resumed_at = {"resumed": "2026-11-21T12:00:00+00:00", "trained": training_seconds(record.metadata, moment(stopped))}
    assert training_seconds({**record.metadata, **resumed_at}, moment("2026-11-21T12:00:05+00:00")) == 25.0
    assert (
        training_seconds({**record.metadata, **resumed_at, "trained": "long"}, moment("2026-11-21T12:00:05+00:00"))
        == 5.0
    )
    os.utime(tmp_path / "record.json", (1.0, 1.0))
    (tmp_path / "heartbeat").touch()
    os.utime(tmp_path / "heartbeat", (60.0, 60.0))
    sign = last_sign(tmp_path)
    assert sign is not None
    assert sign.timestamp() == 60.0


def test_the_command_is_shown_quoted_for_a_shell(tmp_path: Path) -> None:
    typed = ["-m", "lr=0.1,1", "seed=range(0,200)"]
    make_record(tmp_path, blank_rows(1), config(), command=["/somewhere/xortrain/__main__.py", *typed])
    (line,) = [line for line in show([str(tmp_path)]).split("\n") if line.startswith("command ")]
    assert shlex.split(line) == ["command", "xortrain", *typed]
