"""Whatever the terminal, its streams and its limits: every command prints what it can, and every error is one line."""

import errno
import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from make_records import RUN, SWEEP
from test_record_writes import largest_file
from waiting import PATIENCE, wait_until

import xortrain.cli
from xortrain.cli import main
from xortrain.commands import COMMANDS
from xortrain.errors import LONGEST, OF_PATHS, FailedError, UserError
from xortrain.runner.interrupts import HungUp, Terminated, signals_as_exceptions
from xortrain.runner.train import RENDER, working_in
from xortrain.startup import DEFAULT
from xortrain.terminal import end


def ran(*command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)


EXAMPLES = {
    "ls": "--runs",
    "show": f"{SWEEP}#1",
    "compare": f"{RUN} {SWEEP}#1",
    "group": "",
    "sql": "select'±'",
    "tag": f"{RUN} η",
    "note": f"{RUN} δ±…",
    "rename": f"{RUN} ζ",
    "rm": f"{RUN} --yes",
    "export": f"{RUN}",
    "resume": f"{SWEEP}",
    "continue": f"{RUN} epochs=+1",
    "rerun": f"{RUN} --check",
    "predict": f"{RUN} 1,0",
    "render": f"{RUN} --still --output ö.png",
    "page": f"{SWEEP} --output ö.html",
    "zoom": f"{SWEEP} --at lr=1,seed=0 --frames 1",
    "explain": "experiment=notebook_001",
    "check": "experiment=notebook_001 --parameter W1[0,0] --value 1",
}
LINES = [f"{name} {words}".strip() for name, words in EXAMPLES.items()]
OTHERS = [
    "--help",
    "--version",
    "--info",
    "--hydra-help",
    "--cfg job",
    "activation=tähn",
    "ö",
    "epochs=1 film=none name=ö",
]
ENCODINGS = ["ascii", "cp1252"]


def test_every_command_has_an_example() -> None:
    assert EXAMPLES.keys() == COMMANDS.keys()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.usefixtures("root", "quick_composition")
def test_every_command_prints_in_every_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in [*LINES, *OTHERS, *(f"{name} --help" for name in COMMANDS)]:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding, errors="strict") for _ in range(2))
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        assert main(words.split(" ")) in (0, 1, 2)
        for stream in (out, err):
            stream.flush()
        shown, said = (stream.buffer.getvalue().decode(encoding) for stream in (out, err))
        assert shown or said
        assert said.count("\n") <= 1
        assert len(said) <= 3 * LONGEST  # an escaped letter takes several


CLOSED = [">&-", "2>&-", "<&-", "<&- >&- 2>&-"]


@pytest.mark.parametrize("closed", CLOSED)
def test_closed_streams_change_nothing_but_what_is_seen(closed: str, root: Path) -> None:
    program = f"'{sys.executable}' -m xortrain"
    lines = [
        f"{program} film=none advice=none epochs=1 root=new {closed}; echo $?",
        f"{program} {LINES[1]} {closed} >/dev/null; echo $?",
        f"{program} rm {RUN} {closed}; echo $?",
    ]
    done = ran("bash", "-c", "\n".join(lines), folder=root)
    assert [line for line in done.stdout.split() if line in ("0", "1", "2")][-3:] == ["0", "0", "2"]
    assert "Traceback" not in done.stderr
    assert '"status": "finished"' in next((root / "new").rglob("record.json")).read_text()
    assert (root / "outputs" / RUN).exists()


@pytest.mark.parametrize("words", ["--help", "--info", "show --help", LINES[1], "--cfg all"])
@pytest.mark.usefixtures("root")
def test_a_reader_that_leaves_early_is_no_error(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    monkeypatch.setattr(sys, "stdout", os.fdopen(theirs, "w", encoding="utf-8"))
    assert main(words.split(" ")) == 0
    sys.stdout.close()  # nothing is left that could not be written


def test_a_full_standard_output_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["--version"]) == 1
    assert capsys.readouterr().err == "xortrain: error: standard output: No space left on device\n"


NO_CACHE = "Matplotlib requires access to a writable cache directory; set the MPLCONFIGDIR environment variable"
ENDS: list[tuple[BaseException, int, str]] = [
    (UserError("lr=x: must be a number"), 2, "error: lr=x: must be a number"),
    (FailedError("2 of 3 runs"), 1, "failed: 2 of 3 runs"),
    (KeyboardInterrupt(), 130, "interrupted"),
    (Terminated("to continue: xortrain resume a"), 143, "interrupted; to continue: xortrain resume a"),
    (HungUp(), 129, "interrupted"),
    (MemoryError("Unable to allocate 1 GiB\nmore"), 1, "failed: out of memory (Unable to allocate 1 GiB); about "),
    (OSError(errno.ENOMEM, "Cannot allocate memory"), 1, "failed: out of memory (Cannot allocate memory)"),
    (RuntimeError("can't start new thread"), 1, "failed: out of memory (can't start new thread)"),
    (ImportError("x.so: failed to map segment from shared object"), 1, "failed: out of memory (x.so: failed"),
    (OSError(errno.ENOSPC, "No space left", "a/b"), 1, "error: a/b: No space left"),
    *((OSError(number, "Cannot", "a/b"), 2, "error: a/b: Cannot") for number in OF_PATHS),
    (OSError(errno.ENAMETOOLONG, "File name too long", 9999 * "a"), 2, "error: aaa"),
    (UserError(9999 * "é"), 2, "error: é"),
    (FailedError(9999 * "\x1b"), 1, "failed: \\x1b"),
    (RecursionError(), 2, "error: something is nested too deeply"),
    (UnicodeEncodeError("ascii", "ö", 0, 1, "no"), 2, "error: a text cannot be read or written"),
    (EOFError(), 2, "error: the question was not answered"),
    (OSError(NO_CACHE), 1, f"failed: {NO_CACHE}"),
]


@pytest.mark.parametrize(("error", "code", "line"), ENDS, ids=lambda value: type(value).__name__)
def test_an_error_is_one_line_of_limited_length(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(words: list[str]) -> None:
        raise error

    monkeypatch.setattr(xortrain.cli, "_run", fail)
    assert main([]) == code
    said = capsys.readouterr().err
    assert said.startswith(f"xortrain: {line}")
    assert said.count("\n") == 1
    assert len(said) <= LONGEST + 1


@pytest.mark.parametrize("bug", [ValueError("a bug"), RuntimeError("a bug"), ImportError("a bug")])
def test_a_bug_keeps_its_traceback(bug: Exception) -> None:
    with pytest.raises(type(bug), match="a bug"):
        end(bug)


LONG = 300 * "a"
TOO_LONG = [
    f"film=none root={LONG}",
    f"-m film=none root={LONG}",
    f"film=none data=csv data.path={LONG}",
    f"show {LONG}",
    f"explain {LONG}",
    f"ls --root {LONG}",
    f"compare {RUN} {SWEEP}#1 --output {LONG}.png",
    f"export {RUN} --output {LONG}.csv",
    f"render {LONG} --still",
    f"--config-dir {LONG} film=none",
]


@pytest.mark.parametrize("words", TOO_LONG, ids=range(len(TOO_LONG)))
def test_a_name_that_is_too_long_is_an_error_with_the_name(
    words: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(root.rglob("*"))
    assert main(words.split(" ")) == 2
    said = capsys.readouterr().err
    assert "aaaa" in said
    assert len(said) <= LONGEST + 1
    assert sorted(root.rglob("*")) == before


LIMITED = """
import resource, sys
from xortrain.cli import main
import xortrain.api
limit = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmSize:"))) * 1024
resource.setrlimit(resource.RLIMIT_AS, (limit + 150_000_000, -1))
print(main(sys.argv[1:]))
"""


def test_what_does_not_fit_the_memory_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    words = ["architecture.hidden=[4096,4096]", "epochs=1", "film=none"]
    done = ran(sys.executable, "-c", LIMITED, *words, folder=tmp_path)
    assert done.stdout == "1\n"
    assert done.stderr.startswith("xortrain: failed: out of memory (Unable to allocate 1")
    assert " MB are free; " in done.stderr
    assert done.stderr.count("\n") == 1
    assert not [path for path in tmp_path.rglob("*") if path.name != "outputs"]


def test_a_folder_that_is_gone_is_named_and_no_cache_of_matplotlib_is_mentioned(tmp_path: Path) -> None:
    program = f"'{sys.executable}' -m xortrain"
    lines = [
        f"MPLCONFIGDIR=/proc/nowhere HOME=/nowhere {program} epochs=1 film.frames=2 advice=none >/dev/null; echo $?",
        f"MPLCONFIGDIR=/proc/nowhere HOME=/nowhere {program} page latest --output page.html >/dev/null; echo $?",
        f"mkdir gone; cd gone; rmdir ../gone; {program} film=none; echo $?",
    ]
    done = ran("bash", "-c", "\n".join(lines), folder=tmp_path)
    assert done.stdout.split() == ["0", "0", "2"]
    assert done.stderr == "xortrain: error: the current folder no longer exists; change to another one\n"


def test_matplotlib_without_a_folder_is_no_fault_of_the_record_that_it_draws(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=f"^{NO_CACHE}$") as raised, working_in(tmp_path, RENDER):
        raise OSError(NO_CACHE)
    assert raised.value.filename is None


SMALL_FILES = """
import resource, sys
from xortrain.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
sys.exit(main(sys.argv[1:]))
"""
SHORT = ["epochs=20", "advice=none", "track.frames=2", "track.losses=20"]


@pytest.mark.parametrize(
    ("words", "ending", "view"),
    [
        ([*SHORT, "film.format=mp4"], "Not solved: 2 of 4 examples right.", "film.mp4"),
        ([*SHORT, "film=none", "page=true"], "Not solved: 2 of 4 examples right.", "page.html"),
        (["-m", "seed=1,2", *SHORT], "runs  solved", "film.gif"),
        (["-m", "seed=1,2", *SHORT, "film=none", "page=true"], "runs  solved", "page.html"),
    ],
)
def test_how_training_ended_is_said_although_a_view_does_not_fit_the_disk(
    words: list[str], ending: str, view: str, tmp_path: Path
) -> None:
    done = ran(sys.executable, "-c", SMALL_FILES, *words, folder=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith(ending)
    assert re.search(r"^record  outputs/\S+$", done.stdout, re.MULTILINE)
    assert done.stderr.endswith(f"{view}: File too large\n")
    assert done.stderr.count("\n") == 1
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".part" or path.name == view]


@pytest.mark.parametrize("words", [[], ["-m", "seed=1,2"]])
def test_a_reader_that_leaves_early_ends_no_training(words: list[str], tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "xortrain", *words, "epochs=5", "film.frames=2", "page=true", "lr=1e-3"]
    done = subprocess.run(command, cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
    made = {path.name for path in tmp_path.rglob("*")}
    assert {"film.gif", "page.html"} <= made
    assert "advice.json" in made or "-m" in words


IN_TERMINAL = """
import fcntl, signal, sys, termios
from xortrain.__main__ import start
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # our controlling terminal: closing it sends SIGHUP
signal.signal(signal.SIGHUP, {handler})
sys.exit(start())
"""
LONG_RUN = ["track.losses=100", "track.frames=5", "film.frames=2", "advice=none", "page=true"]


def code_of_run_whose_terminal_is_closed(handler: str, folder: Path, epochs: int) -> int:
    """The exit code of a run that has a terminal, which is closed during training."""
    screen, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", IN_TERMINAL.format(handler=handler), f"epochs={epochs}", *LONG_RUN],
        cwd=folder, start_new_session=True, stdin=terminal, stdout=terminal, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    wait_until(lambda: list(folder.rglob("losses-000.npy")))
    os.close(screen)
    (record,) = folder.rglob("record.json")
    assert '"status": "finished"' not in record.read_text()
    return process.wait(PATIENCE)


def test_a_training_whose_terminal_is_closed_is_interrupted(tmp_path: Path) -> None:
    assert code_of_run_whose_terminal_is_closed("signal.SIG_DFL", tmp_path, 10**9) == 129
    (record,) = tmp_path.rglob("record.json")
    assert '"status": "interrupted"' in record.read_text()
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".part" or path.name == "lock"]


def test_a_training_that_outlives_its_terminal_writes_its_film_and_page(tmp_path: Path) -> None:
    assert code_of_run_whose_terminal_is_closed("signal.SIG_IGN", tmp_path, 2_000_000) == 0
    assert {"film.gif", "page.html"} <= {path.name for path in tmp_path.rglob("*")}


def fail_after(number: int) -> None:
    """Raise another error while a signal is handled, as NumPy and argparse do."""
    with signals_as_exceptions():
        try:
            os.kill(os.getpid(), number)
        except KeyboardInterrupt:
            raise AttributeError from None


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_error_that_only_follows_a_signal_is_the_signal(
    number: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.signal(number, DEFAULT[number])
    try:
        with pytest.raises(AttributeError) as found:
            fail_after(number)
        assert end(found.value) == code
        assert capsys.readouterr().err == "xortrain: interrupted\n"
        with signals_as_exceptions():
            pass
        with pytest.raises(AttributeError):
            end(AttributeError())
    finally:
        signal.signal(number, before)


WRITING: dict[str, list[str]] = {
    "page.html": ["page", "latest"],
    "losses.csv": ["export", "latest", "--what", "losses"],
    "all.npz": ["export", "latest"],
    "outputs.csv": ["predict", "latest", "0,1"],
    "film.gif": ["render", "latest"],
    "still.svg": ["render", "latest", "--still"],
}
"""Files to the commands that write them, but for --output."""


@pytest.mark.parametrize("file", WRITING)
def test_a_file_that_does_not_fit_the_disk_is_no_mistake_of_the_user_but_a_missing_folder_is(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["lr=1", "film=none", "advice=none"]) == 0
    assert main(WRITING[file] + ["--output", file]) == 0
    (tmp_path / file).unlink()
    files = sorted(tmp_path.rglob("*"))
    no_folder = "(there is no folder none|No such file or directory)"
    for place, status, reason in ((file, 1, "File too large"), (f"none/{file}", 2, no_folder)):
        capsys.readouterr()
        with largest_file(5):
            assert main([*WRITING[file], "--output", place]) == status
        assert re.fullmatch(rf"xortrain: error: .*{re.escape(place)}: {reason}\n", capsys.readouterr().err)
        assert sorted(tmp_path.rglob("*")) == files
