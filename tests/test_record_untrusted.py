"""Every command on an untrusted record gives a result or a one-line error, and has no side effects.

The records are from real training; then one thing in them is broken.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_record_hostile import EVIL, Break, change, change_row, is_safe, npy_of, pickled, replace_with, write

import xortrain
from xortrain.cli import main
from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.files import temporary_path, write_json
from xortrain.records.index import listing

GOOD, BAD = "2026-01-01/00-00-00-000000", "2026-02-02/00-00-00-000000"
X, T = np.zeros((4, 2)), np.zeros((4, 1))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Train a run and a sweep of six runs."""
    root = tmp_path_factory.mktemp("trained")
    words = ["epochs=4", "film=none", f"root={root}"]
    assert main(["-m", "lr=1,2", "seed=range(0,3)", "advice=none", *words]) == main(words) == 0
    run, sweep = listing(root).entries
    return run.folder, sweep.folder


def change_setting(name: str, value: object) -> Break:
    """Change a value in the config of a record."""

    def broken(folder: Path) -> None:
        metadata = json.loads((folder / layout.RECORD).read_text())
        group, _, key = name.partition(".")
        if key:
            metadata["config"][group][key] = value
        else:
            metadata["config"][group] = value
        write_json(folder / layout.RECORD, metadata)

    return broken


def write_data(**arrays: Any) -> Break:
    return lambda folder: np.savez(folder / layout.DATA, **arrays)


def unfinished(then: Break) -> Break:
    """Make a record unfinished, then break it."""

    def broken(folder: Path) -> None:
        rows = np.load(folder / layout.RUNS, mmap_mode="r+")
        rows["outcome"] = 0
        rows.flush()
        change(status="interrupted")(folder)
        then(folder)

    return broken


def outside(folder: Path) -> Path:
    return folder.parents[3] / "outside"


def link_outside(name: str) -> Break:
    def broken(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(outside(folder))

    return broken


def link_temporary_files(folder: Path) -> None:
    """Make links to a file outside under the names that temporary files of this process get next."""
    start, _, number = temporary_path(folder / layout.RECORD).stem.rpartition("-")
    for k in range(int(number), int(number) + 300):
        (folder / f"{start}-{k}.part").symlink_to(outside(folder))


def write_events(*lines: object) -> Break:
    return write(layout.EVENTS, b"\xff\n" + "\n".join(map(json.dumps, lines)).encode() + b"\n" + b"[" * 10_000)


BROKEN: dict[str, Break] = {
    "pickled losses": write("losses-000.npy", pickled()),
    "pickled parameters": write("parameters-000.npy", pickled()),
    "pickled data": write(layout.DATA, pickled()),
    "a pipe for losses": unfinished(replace_with("losses-000.npy", os.mkfifo)),
    "a pipe for parameters": unfinished(replace_with("parameters-000.npy", os.mkfifo)),
    "a pipe for data": replace_with(layout.DATA, os.mkfifo),
    "a folder for losses": unfinished(replace_with("losses-000.npy", os.mkdir)),
    "a folder for events": lambda folder: (folder / layout.EVENTS).mkdir(),
    "a link for losses": unfinished(link_outside("losses-000.npy")),
    "a link for parameters": unfinished(link_outside("parameters-000.npy")),
    "a link for the heartbeat": unfinished(link_outside(layout.HEARTBEAT)),
    "links for the next temporary files": unfinished(lambda folder: link_temporary_files(folder)),
    "a link for the lock": unfinished(link_outside(layout.LOCK)),
    "a pipe for the lock": unfinished(lambda folder: os.mkfifo(folder / layout.LOCK)),
    "a lock that is no JSON": unfinished(write(layout.LOCK, b"\xff[")),
    "a lock of a strange process": unfinished(write(layout.LOCK, b'{"host": [1], "pid": {}, "process_started": 5}')),
    "an outcome without a word": change_row(outcome=255),
    "an outcome of a later version": lambda folder: (
        change(outcomes=[EVIL] * 256)(folder),
        change_row(outcome=255)(folder),
    ),
    "an accuracy of nan": change_row(accuracy=np.nan, outcome=2, final_loss=np.nan),
    "results of nan": change_row(**{name: np.nan for name, kind in layout.ROW.items() if kind == "<f8"}),
    "infinite results": change_row(**{name: np.inf for name, kind in layout.ROW.items() if kind == "<f8"}),
    "epochs of a billion": change_row(**{name: 1 << 30 for name, kind in layout.ROW.items() if kind == "<i4"}),
    "parameters of an enormous shape": change(parameters={"W1": [1 << 30, 1 << 30]}),
    "parameters as large as is read": change(parameters={"W1": [1 << 17, 1 << 17]}),
    "a shape of 9,000 hexadecimal digits": write(
        "losses-000.npy", npy_of(f"{{'descr': '<f8', 'fortran_order': False, 'shape': (0x{'9' * 9000},)}}")
    ),
    "settings nested 400 deep": lambda folder: change(config={"a": json.loads("[" * 400 + "]" * 400)})(folder),
    "settings nested 50 deep": lambda folder: change(config={"a": json.loads("[" * 50 + "]" * 50)})(folder),
    "a sweep without populations": write(layout.SWEEP, b'{"format": 1, "status": "finished", "started": "2026-01-01"}'),
    "no losses": unfinished(lambda folder: (folder / "losses-000.npy").unlink()),
    "no data": lambda folder: (folder / layout.DATA).unlink(),
    "epochs beyond a row": unfinished(lambda f: np.save(f / layout.LOSS_EPOCHS, np.array([0, 1, 2, 3, 1 << 60]))),
    "epochs from 1 on": lambda folder: np.save(folder / layout.LOSS_EPOCHS, np.arange(1, 6)),
    "data without x": write_data(t=T),
    "data without t": write_data(x=X),
    "no examples": write_data(x=np.zeros((0, 2)), t=np.zeros((0, 1))),
    "data in five dimensions": write_data(x=np.zeros((4, 2, 1, 1, 1)), t=T),
    "data of other lengths": write_data(x=X, t=np.zeros((3, 1))),
    "data for other networks": write_data(x=np.zeros((4, 3)), t=T),
    "data for other runs": write_data(x=np.zeros((4, 2, 99)), t=T),
    "inputs of one run": write_data(x=np.zeros((4, 2, 1)), t=T),
    "scaling that the config does not have": write_data(x=X, t=T, x_shift=np.zeros(2), x_factor=np.ones(2)),
    "data of whole numbers": write_data(x=X.astype("i4"), t=T),
    "data that are not finite": write_data(x=X * np.nan, t=T),
    "held-out examples that the record does not have": write_data(x=X, t=T, x_test=X, t_test=T),
    "a learning rate that is text": change_setting("lr", "../../etc"),
    "an enormous network": change_setting("architecture.hidden", [10**12]),
    "another network": change_setting("architecture.hidden", [3]),
    "another type": change_setting("dtype", "float32"),
    "an activation that is code": change_setting("activation.name", "__import__('os').mkdir('sprung')"),
    "an activation with control characters": change_setting("activation.name", EVIL),
    "a film outside the record": change_setting("film", {"name": "story", "format": "../../evil.gif"}),
    "a frozen parameter that is a path": change_setting("freeze", ["../x"]),
    "weights that are text": change_setting("init", {"name": "explicit", "weights": EVIL, "scale": 1.0}),
    "no settings": change(config={}),
    "a setting that varies without values": change(varies=["momentum"]),
    "a result that varies": change(varies=["outcome"]),
    "parameters of another network": change(parameters={"W1": [2, 2]}),
    "more parameters than there are": change(parameters={"W1": [1 << 20, 1 << 20]}),
    "more frames than there are": change(frames=99),
    "no frames": change(frames=0),
    "no recorded losses": unfinished(change(losses=0)),
    "blocks of one": change(block_size=1),
    "one outcome": change(outcomes=[EVIL]),
    "texts of other types": change(host=EVIL, git=EVIL, versions=EVIL, command=[EVIL], cpu_features=[EVIL]),
    "versions of a mapping": change(versions={"numpy": {EVIL: EVIL}}, cpu_features=5, platform=[1]),
    "impossible times": change(started="0001-01-01T00:00:00+14:00", ended="9999-12-31T23:59:59-14:00"),
    "an impossible process": change(status="running", pid=10**30, process_started="x"),
    "marks of all kinds": write_events(
        {"kind": "tag", "tags": [EVIL, 5], "run": 10**30},
        {"kind": "failure", "jobs": [[1], {}], "when": 5, "reason": [EVIL]},
        {"kind": "resume", "when": {}},
        {"kind": "note", "text": {"a": EVIL}},
    ),
}
COMMANDS = (
    "ls --runs",
    "ls --json",
    "ls --where lr>0",
    "show BAD",
    "show ONE --json",
    "compare ONE GOOD",
    "group BAD --by lr,activation",
    "sql select+*+from+runs",
    "tag BAD word",
    "tag BAD word --remove",
    "note ONE word",
    "export",
    "export BAD --what losses",
    "export BAD --what parameters",
    "export BAD --to all.npz",
    "export ONE --what model --to one.npz",
    "export BAD --format tensorboard --to logs",
    "compare ONE ONE",
    "rerun ONE --check",
    "rerun BAD --check",
    "rerun ONE",
    "explain ONE",
    "check ONE",
    "page BAD",
    "page ONE --output one.html --max-mb 0.1",
    "resume BAD",
    "rm BAD --yes",
)


@pytest.mark.parametrize("index", [0, 1], ids=["a run", "a sweep"])
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_every_command_gives_a_result_or_a_one_line_error_without_side_effects(
    broken: Break,
    index: int,
    trained: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    bad = tmp_path / "outputs" / BAD
    shutil.copytree(trained[0], tmp_path / "outputs" / GOOD)
    shutil.copytree(trained[index], bad)
    outside(bad).write_bytes((bad / "losses-000.npy").read_bytes())
    before = outside(bad).read_bytes(), outside(bad).stat().st_mtime_ns
    broken(bad)
    names = {"BAD": BAD, "GOOD": GOOD, "ONE": f"{BAD}#{0}" if index else BAD}
    commands = (tuple(names.get(word, word.replace("+", " ")) for word in command.split()) for command in COMMANDS)
    for words in dict.fromkeys(commands):  # of a single run ONE and BAD are the same
        command = " ".join(words)
        code = main(words)
        printed = capsys.readouterr()
        assert code in (0, 1, 2), command
        assert printed.err.count("\n") == (1 if code else 0), command
        assert is_safe(printed.out), command
        assert is_safe(printed.err), command
        assert words[0] != "ls" or GOOD in printed.out, command
        if words == ("ls", "--json"):
            assert_python_reads_the_others(bad)
    assert (outside(bad).read_bytes(), outside(bad).stat().st_mtime_ns) == before
    assert not list(tmp_path.rglob("sprung"))
    assert not list(tmp_path.rglob("evil*"))


def assert_python_reads_the_others(bad: Path) -> None:
    assert any(GOOD in row["id"] for row in xortrain.runs("outputs").table())
    line = ""
    try:
        loaded = xortrain.load(bad)
        print(loaded, loaded.config, loaded.losses, loaded.parameters)
    except UserError as error:
        line = str(error)
    assert line.isprintable()


def reject_constant(constant: str) -> float:
    raise AssertionError(f"{constant} is no JSON")


AS_JSON: tuple[Callable[[str], list[str]], ...] = (
    lambda name: ["show", name],
    lambda name: ["group", name.partition("#")[0]],
    lambda name: ["group", name.partition("#")[0], "--by", "final_loss"],
    lambda name: ["export", name],
    lambda name: ["export", name, "--what", "losses"],
    lambda name: ["export", name, "--what", "parameters"],
    lambda name: ["rerun", name, "--check"],
    lambda name: ["tag", name, "word"],
    lambda name: ["tag", name, "word", "--remove"],
    lambda name: ["note", name, "words"],
    lambda name: ["ls", "--where", "1"],
    lambda name: ["sql", "select *, 9e999 as most, x'00ff' as bytes from runs"],
    lambda name: ["resume", name.partition("#")[0]],
    lambda name: ["rerun", name],
    lambda name: ["rm", name.partition("#")[0], "--yes"],
)
STATES = {
    "diverged in its loss": ["lr=1000", "data.high=2", "epochs=300"],
    "diverged from the start": ["lr=1e300", "init.scale=1e160"],
    "diverged in some of its runs": ["-m", "lr=0.01,1000", "data.high=2", "epochs=300"],
    "not diverged": ["lr=0.01"],
}


@pytest.mark.parametrize("is_stopped", [False, True], ids=["finished", "stopped"])
@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_json_is_valid_for_every_outcome(
    state: list[str],
    is_stopped: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*state, "activation=relu", "output=identity", "loss=mse", "film=none"]) == 0
    (entry,) = listing(Path("outputs")).entries
    if is_stopped:
        unfinished(lambda folder: None)(entry.folder)
    capsys.readouterr()
    name = f"{entry.id}#1" if entry.is_sweep else entry.id
    for words in AS_JSON:
        code = main([*words(name), "--json"])
        printed = capsys.readouterr()
        assert code == 0 or "nothing to compare" in printed.err, words(name)
        assert code or isinstance(json.loads(printed.out, parse_constant=reject_constant), list)


def test_a_loss_that_is_not_finite_is_null_in_all_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["lr=1", "init.scale=1e160", "activation=relu", "output=identity", "loss=mse", "film=none"]) == 0
    (entry,) = listing(Path("outputs")).entries
    row = np.load(entry.folder / layout.RUNS)[0]
    assert (row["diverged_in"], row["diverged_at"]) == (-1, 0)
    assert not np.isfinite(row["final_loss"])
    for words in (["show", "latest"], ["compare", "latest", "latest"], ["ls", "--columns", "final_loss,diverged_in"]):
        capsys.readouterr()
        main(words)
        assert not {"inf", "nan"} & set(capsys.readouterr().out.split())
    for words in (["show", "latest", "--json"], ["sql", "select final_loss from runs", "--json"]):
        main(words)
        assert json.loads(capsys.readouterr().out)[0]["final_loss"] is None


@pytest.mark.parametrize(
    "name", ["losses-000.npy", "parameters-000.npy", "runs.npy", "config.yaml", "heartbeat", "lock"]
)
def test_resume_writes_nothing_where_a_folder_is_in_place_of_a_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = xortrain.sweep("seed=0,1", "epochs=2", "film=none")
    assert sweep.folder
    rows = np.load(sweep.folder / "runs.npy")
    rows["outcome"] = 0
    np.save(sweep.folder / "runs.npy", rows)
    content = (sweep.folder / "record.json").read_text()
    (sweep.folder / "record.json").write_text(content.replace('"finished"', '"failed"', 1))
    (sweep.folder / name).unlink(missing_ok=True)
    (sweep.folder / name).mkdir()
    before = {path: path.read_bytes() for path in sweep.folder.iterdir() if path.is_file()}
    assert main(["resume", str(sweep.folder)]) == 2
    assert {path: path.read_bytes() for path in sweep.folder.iterdir() if path.is_file()} == before
