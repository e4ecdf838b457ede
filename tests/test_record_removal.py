"""xortrain rm removes records and nothing else, and what looks like a record hides no other."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from make_records import BIG, LATER, RUN, SWEEP, four_records

from xortrain.cli import main
from xortrain.commands.export import export
from xortrain.commands.ls import ls
from xortrain.commands.rm import rm
from xortrain.errors import UserError
from xortrain.records import layout
from xortrain.records.index import listing
from xortrain.records.lock import locked
from xortrain.records.removal import is_record

ALL = [BIG, SWEEP, LATER, RUN]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return four_records(Path("outputs"), {}, {"lr": 0.25})


def tree(folder: Path) -> dict[str, bytes | str]:
    """Every file, folder and link below a folder, with its content."""
    return {
        str(path): os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


def copy_record(to: str) -> Callable[[Path], str]:
    """Copy the files of a record into another folder, as of a record that starts later than all others."""

    def arrange(root: Path) -> str:
        Path(to).mkdir(parents=True, exist_ok=True)
        for path in filter(Path.is_file, (root / RUN).iterdir()):
            shutil.copy(path, to)
        record = json.loads((Path(to) / layout.RECORD).read_text())
        (Path(to) / layout.RECORD).write_text(json.dumps(record | {"started": "2100-01-01T00:00:00+00:00"}))
        return to

    return arrange


def write_file(path: str, name: str) -> Callable[[Path], str]:
    def arrange(root: Path) -> str:
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("mine")
        return name

    return arrange


def link(path: str, to: str, name: str) -> Callable[[Path], str]:
    def arrange(root: Path) -> str:
        if not Path(to).exists():
            shutil.copytree(root / RUN, to)
        Path(path).symlink_to(Path(to).absolute())
        return name

    return arrange


def latest_after(arrange: Callable[[Path], str]) -> Callable[[Path], str]:
    return lambda root: arrange(root) and "latest"


IN_RUN, IN_SWEEP, IN_BIG = f"outputs/{RUN}", f"outputs/sweeps/{SWEEP}", f"outputs/sweeps/{BIG}"
REFUSED: dict[str, tuple[Callable[[Path], str], str]] = {
    "a record in the root": (copy_record("outputs"), "is the root of the records"),
    "a record in the root that is the latest": (latest_after(copy_record("outputs")), "is the root of the records"),
    "a record above the root": (copy_record("."), "is the root of the records, or contains it"),
    "a record in the folder of a day": (copy_record("outputs/2026-11-21"), "contains other records, as 19-39-21"),
    "the latest in the folder of a day": (
        latest_after(copy_record("outputs/2026-11-21")),
        "contains other records, as 19-39-21",
    ),
    "a broken record in the root": (write_file("outputs/record.json", "outputs"), "is the root of the records"),
    "a broken record in the folder of a day": (
        write_file("outputs/2026-11-21/record.json", "2026-11-21"),
        "outputs/2026-11-21: is not a record",
    ),
    "a record in a record": (
        lambda root: copy_record(f"outputs/{RUN}/again")(root) and RUN,
        "contains other records, as again",
    ),
    "a user's folder with a record.json": (write_file("p/record.json", "p"), "p: is not a record"),
    "a user's folder with a sweep.json": (write_file("p/sweep.json", "p"), "p: is not a record"),
    "a link to a record": (link("outputs/here", "elsewhere", "outputs/here"), "is reached through a link"),
    "a link outside the root": (link("here", "elsewhere", "here"), "is reached through a link, here"),
    "a record behind a link": (
        link("outputs/here", "elsewhere/day", "outputs/here"),
        "is reached through a link, outputs/here",
    ),
    "a file in a record": (write_file(f"{IN_RUN}/thesis.tex", RUN), "contains thesis.tex, not written by xortrain"),
    "a folder in a record": (write_file(f"{IN_RUN}/mine/a", RUN), "contains mine, not written by xortrain"),
    "a hidden file in a record": (write_file(f"{IN_RUN}/.mine", RUN), "contains .mine, not"),
    "a film of another name": (write_file(f"{IN_RUN}/talk.gif", RUN), "contains talk.gif, not"),
    "a file in a sweep": (write_file(f"{IN_SWEEP}/notes.txt", SWEEP), "contains notes.txt, not"),
    "a file beside films": (write_file(f"{IN_SWEEP}/films/notes.txt", SWEEP), "contains films/notes.txt, not"),
    "a file in a population": (
        write_file(f"{IN_BIG}/population-001/notes.txt", BIG),
        "contains population-001/notes.txt, not",
    ),
    "a population of a single run": (write_file(f"{IN_RUN}/population-000/a", RUN), "contains population-000, not"),
    "a link to a folder in a record": (link(f"{IN_RUN}/mine", "elsewhere", RUN), "contains mine, not"),
}


def refused(name: str) -> str:
    """The error of rm for a name; in a folder that is not a record, the reason is that its files are not sound."""
    with pytest.raises(UserError) as caught:
        rm([name, "--yes"])
    return str(caught.value)


@pytest.mark.parametrize(("arrange", "message"), REFUSED.values(), ids=REFUSED)
def test_only_a_record_is_removed_and_nothing_that_holds_something_else(
    root: Path, arrange: Callable[[Path], str], message: str
) -> None:
    name = arrange(root)
    before = tree(Path())
    line = refused(name)
    assert message in line.replace("has a record.json or sweep.json, but is not a record", "is not a record")
    assert tree(Path()) == before
    shown = ls([])
    assert all(own in shown for own in ALL)


def test_the_files_that_hinder_are_named_and_counted(root: Path) -> None:
    for number in range(5):
        (root / RUN / f"mine-{number}").write_text("")
    assert "contains mine-0, mine-1, mine-2 and 2 more, not written by xortrain" in refused(RUN)


def test_what_training_and_rendering_leave_in_a_record_does_not_hinder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs and sweeps of all kinds, with films, stills, advice, tags and a stop rule that keeps the best."""
    monkeypatch.chdir(tmp_path)
    trainings = (
        ["epochs=3", "lr=0.0001", "film.frames=2"],
        ["-m", "seed=0,1", "epochs=3", "film.each=true", "film.frames=2", "optimizer=adam", "track.frames=2"],
        ["-m", "architecture.hidden=[2],[3]", "stop=patience", "data.test=0.5", "data=xor_cloud", "epochs=3"],
    )
    for words in trainings:
        assert main(words) == 0
        assert main(["render", "latest", "--still"]) == 0
        assert main(["tag", "latest", "mine"]) == 0
    assert main(["continue", "latest", "epochs=+2", "lr=0.1"]) == 0
    for entry in listing(Path("outputs")).entries:
        assert main(["rm", entry.id, "--yes"]) == 0
    assert [str(path) for path in Path("outputs").rglob("*")] == ["outputs/sweeps"]


def test_only_folders_of_days_under_the_root_go_with_their_last_record(root: Path) -> None:
    shutil.move(root / RUN, "mine/2026-11-21/copied")
    rm(["mine/2026-11-21/copied", "--yes"])
    assert Path("mine/2026-11-21").is_dir()
    shutil.move(root / LATER, root / "kept" / "later")
    rm(["outputs/kept/later", "--yes"])
    assert (root / "kept").is_dir()
    for name in (SWEEP, BIG):
        rm([name, "--yes"])
    assert not (root / "sweeps" / "2026-11-21").exists()


def test_a_root_that_is_a_link_is_no_hindrance(root: Path) -> None:
    root.rename("scratch")
    root.symlink_to("scratch")
    rm([RUN, SWEEP, "--yes"])
    assert [entry.id for entry in listing(root).entries] == [BIG, LATER]


def test_an_unreadable_record_is_recognised_by_its_place_or_its_other_files(root: Path) -> None:
    for path in (root / RUN).iterdir():
        path.unlink()
    (root / RUN / layout.RECORD).write_text("{")
    shutil.move(root / LATER, "mine")
    Path("mine", layout.RECORD).write_text("{")
    assert is_record(root / RUN)
    rm([RUN, "mine", "--yes"])
    assert [entry.id for entry in listing(root).entries] == [BIG, SWEEP]


@pytest.mark.parametrize("broken", [False, True])
def test_a_record_that_is_locked_is_not_removed(root: Path, broken: bool) -> None:
    if broken:
        (root / RUN / layout.RECORD).write_text("{")
    with locked(root / RUN):
        assert "is running (process" in refused(RUN)
    rm([RUN, "--yes"])


@pytest.mark.parametrize("command", ["export", "compare"])
@pytest.mark.parametrize("where", [IN_RUN, f"{IN_BIG}/population-001", IN_BIG, f"{IN_SWEEP}/films/new"])
def test_nothing_is_exported_into_a_record(
    root: Path, command: str, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(root)
    for name in ("losses-000.npy", "mine.csv", "film.png"):
        words = ["export", "--format", "csv", "--force"] if command == "export" else ["compare", RUN, LATER]
        name = name if command == "export" else "film.png"
        assert main([*words, "--output", f"{where}/{name}"]) == 2
        assert "is inside a record, outputs/" in capsys.readouterr().err
    assert tree(root) == before


def test_an_existing_file_is_replaced_only_if_the_user_agrees(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path("a.csv")
    path.write_text("before")
    with pytest.raises(UserError, match=r"^--output=a\.csv: exists already; add --force to replace it"):
        export([RUN, "--output", "a.csv"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    for said, text in (("n", "nothing written"), ("", "nothing written"), ("y", "written a.csv")):
        monkeypatch.setattr("builtins.input", lambda question, said=said: said)
        assert export([RUN, "--output", "a.csv"]) == text
        assert (path.read_text() == "before") == (text == "nothing written")
    path.write_text("before")
    export([RUN, "--output", "a.csv", "--force"])
    assert path.read_text().startswith("id,")
