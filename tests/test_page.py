"""xortrain page, run.page and sweep.page write what the record has, within a size, or say what they leave out."""

import getpass
import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from some_pages import Stored, least_size, stored, unpacked
from test_record_writes import largest_file
from test_tracker_unfinished import interrupt

import xortrain
from xortrain.api import Run, Sweep
from xortrain.cli import main
from xortrain.commands.write_page import without_folders
from xortrain.errors import Remark, UserError
from xortrain.page.run_table import explained
from xortrain.records.index import listing

TABLE = "size,hue,weight,kind\n" + "".join(
    f"{k},{k * k % 7},{k % 5},{['cat', 'dog', 'cow'][k % 3]}\n" for k in range(30)
)
CURVE = "x,y\n" + "".join(f"{k / 10},{100 + k * k}\n" for k in range(20))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and a sweep of two populations of six runs, to be copied."""
    folder = tmp_path_factory.mktemp("pages")
    words = ["epochs=30", "film=none", f"root={folder}"]
    assert main([*words, "advice=none"]) == 0
    assert main(["-m", "activation=tanh,relu", "lr=0.1,1,10", "seed=range(0,2)", *words]) == 0
    return folder


@pytest.fixture
def here(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with these records in outputs/, which is the current one."""
    shutil.copytree(root, tmp_path / "outputs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ids(here: Path) -> tuple[str, str]:
    """The ids of the sweep and of the run."""
    sweep, run = listing(here / "outputs").entries
    return sweep.id, run.id


def written(*words: str) -> Stored:
    """The page that a command writes."""
    assert main(["page", *words, "--output", "p.html", "--force"]) == 0
    return stored(Path("p.html"))


def check_numbers(found: Stored, runs: Sweep | Run) -> None:
    """Compare losses, snapshots, starts and results with the record, run by run."""
    each = [runs] if isinstance(runs, Run) else list(runs)
    at = [population["first"] for population in found.meta["populations"]]
    names = {int(name.partition("#")[2] or 0): k for k, name in enumerate(found.column("run"))}
    for run in each:
        place = names[int(run.row["number"])] if len(each) > 1 else 0
        population = found.meta["populations"][int(np.searchsorted(at, place, "right")) - 1]
        own = place - population["first"]
        rows = np.isin(run.epochs, population["frameEpochs"])
        np.testing.assert_array_equal(found.arrays[population["starts"]][:, own], run.parameters[0])
        snapshots = found.arrays[population["snapshots"]][..., own]
        kept = found.arrays[population["losses"]][:, own]
        losses = run.losses[np.isin(run.loss_epochs, population["lossEpochs"])]
        for values, recorded in ((snapshots, run.parameters[rows]), (kept, losses)):
            with np.errstate(over="ignore"):
                single = recorded.astype("f4")
            np.testing.assert_array_equal(values, np.where(np.isinf(single), recorded, single))
        assert found.column("outcome")[place] == run.outcome
        final = run.row["final_loss"] if np.isfinite(run.row["final_loss"]) else np.nan  # which is an empty cell
        np.testing.assert_equal(found.column("final_loss")[place], final)


def test_a_page_of_a_sweep_has_the_numbers_of_its_record(here: Path) -> None:
    sweep, _ = ids(here)
    found = written(sweep)
    runs: Any = xortrain.load(sweep)
    check_numbers(found, runs)
    assert len(found.meta["populations"]) == 2
    assert sorted(found.meta["axes"]) == ["activation", "lr"]
    by_name = dict(zip(found.column("run"), found.column("lr"), strict=True))
    assert by_name == {row["id"]: row["lr"] for row in runs.table()}
    assert found.meta["made"]["command"] == f"xortrain page {sweep}"


def test_a_page_of_one_run_has_all_its_snapshots_and_its_story(here: Path) -> None:
    _, run = ids(here)
    found = written(run)
    one: Any = xortrain.load(run)
    check_numbers(found, one)
    assert found.meta["populations"][0]["frameEpochs"] == one.epochs.tolist()
    assert found.meta["stories"]["0"]["headline"] == one.summary().splitlines()[0]


SELECTIONS: dict[str, tuple[Callable[[str, str], list[str]], int]] = {
    "both": (lambda sweep, run: [sweep, run], 13),
    "twice": (lambda sweep, run: [sweep, sweep], 12),
    "one of them": (lambda sweep, run: [f"{sweep}#3"], 1),
    "by settings": (lambda sweep, run: [f"{sweep}@activation=relu,lr=10,seed=1"], 1),
    "by a condition": (lambda sweep, run: [sweep, "--where", "lr < 5 and activation = 'tanh'"], 4),
}


@pytest.mark.parametrize(("words", "runs"), SELECTIONS.values(), ids=SELECTIONS)
def test_the_runs_that_are_named_are_in_the_page(words: Callable[[str, str], list[str]], runs: int, here: Path) -> None:
    found = written(*words(*ids(here)))
    assert len(found.column("run")) == sum(population["runs"] for population in found.meta["populations"]) == runs
    assert len(set(found.column("run"))) == runs


REFUSED = {
    "another file": (["--output", "mine.html"], "mine.html: exists already; add --force to replace it"),
    "a record": (["--output", "outputs/RUN/x.html"], "is inside a record"),
    "no page": (["--output", "x.png"], "must end in .html, .htm"),
    "no size": (["--max-mb", "-1"], "--max-mb=-1: must be a number greater than 0"),
    "a size that is no number": (["--max-mb", "nan"], "--max-mb=nan: must be a number greater than 0"),
    "too small": (["--max-mb", "0.001"], "--max-mb=0.001: even without the course of its 1 run the page has 0.1"),
    "far too small": (["--max-mb", "1e-9"], "--max-mb=1e-09: even without the course of its 1 run the page has 0.1"),
    "no runs": (["--where", "lr > 99"], "no run matches"),
    "no folder": (["--output", "none/x.html"], "none/x.html: No such file or directory"),
}


@pytest.mark.parametrize(("words", "line"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_written_is_refused_in_one_line(
    words: list[str], line: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, run = ids(here)
    Path("mine.html").write_text("mine")
    before = sorted(here.rglob("*"))
    capsys.readouterr()
    assert main(["page", run, *(word.replace("RUN", run) for word in words)]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert line in said
    assert sorted(here.rglob("*")) == before
    assert Path("mine.html").read_text() == "mine"


UNWRITTEN = {
    "no folder": (("none/x.html",), "none/x.html: No such file or directory"),
    "a folder": ((".",), ".: Is a directory"),
    "no size": (("x.html", 0), "max_mb=0: must be a number greater than 0"),
    "a size that is no number": (("x.html", np.nan), "max_mb=nan: must be a number greater than 0"),
}


@pytest.mark.parametrize(("arguments", "line"), UNWRITTEN.values(), ids=UNWRITTEN)
def test_in_python_what_cannot_be_written_is_a_mistake_of_its_user(
    arguments: tuple[Any, ...], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = xortrain.sweep("seed=0,1", "epochs=2", "film=none", "root=o")
    for one in (found, found[0]):
        with pytest.raises(UserError) as said:
            one.page(*arguments)
        assert str(said.value) == line
    assert list(tmp_path.iterdir()) == [tmp_path / "o"]


def test_a_page_replaces_an_older_page(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep, run = ids(here)
    assert main(["page", run]) == main(["page", sweep]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("written page.html  12 runs, 0.1")
    assert len(stored(Path("page.html")).column("run")) == 12
    assert main(["page", run, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["runs"] == 1


def test_a_full_disk_leaves_the_older_page(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep, run = ids(here)
    assert main(["page", run]) == 0
    before, files = Path("page.html").read_bytes(), sorted(here.rglob("*"))
    with largest_file(5_000):
        assert main(["page", sweep]) == 1
    assert capsys.readouterr().err.startswith("xortrain: error: page.html: ")
    assert Path("page.html").read_bytes() == before
    assert sorted(here.rglob("*")) == files


def test_runs_that_are_not_finished_are_left_out_with_a_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep, run = ids(here)
    parts = listing(here / "outputs").entries[0].parts
    interrupt(parts[1].folder, slice(2, 4), 21)
    found = written(sweep)
    assert capsys.readouterr().err == "xortrain: 2 of 12 runs left out: not finished\n"
    assert found.meta["leftOut"] == "2 of 12 runs left out: not finished"
    assert len(found.column("run")) == 10
    interrupt(here / "outputs" / run, slice(0, 1), 21)
    assert main(["page", run]) == 2
    assert "this run is not finished; xortrain resume trains what is missing" in capsys.readouterr().err


def test_above_a_size_there_is_less_of_each_run_and_a_line_says_so(tmp_path: Path) -> None:
    """The limits are between the size of a page with starts only, and that of the whole page."""
    sweep = xortrain.sweep("lr=1,2", "seed=range(0,3)", f"root={tmp_path}", "film=none", "epochs=140")
    full = sweep.page(tmp_path / "full.html").stat().st_size
    check_numbers(stored(tmp_path / "full.html"), sweep)
    seen = []
    for limit in np.linspace(full - 1, least_size(sweep), 12):
        with pytest.warns(Remark) as said:
            path = sweep.page(tmp_path / "p.html", max_mb=limit / 1e6)
        assert path.stat().st_size <= limit
        found = stored(path)
        assert [str(one.message) for one in said] == [found.meta["leftOut"]]
        check_what_is_left(found, sweep)
        population = found.meta["populations"][0]
        words = "start and its results only" if "snapshots" not in population else "snapshots, and losses after"
        assert words in found.meta["leftOut"]
        assert ("rounded to 16 bits" in found.meta["leftOut"]) == found.is_rounded
        seen.append(("snapshots" in population, not found.is_rounded))
    assert list(dict.fromkeys(seen)) == [(True, True), (True, False), (False, True)]


def check_what_is_left(found: Stored, sweep: Sweep) -> None:
    """Starts are exact; rounded snapshots differ by half a step at most, and rounded losses by their share."""
    (population,) = found.meta["populations"]
    theta, rows = sweep.parameters, np.isin(sweep.epochs, population["frameEpochs"])
    np.testing.assert_array_equal(found.arrays[population["starts"]], theta[0])
    losses = sweep.losses[np.isin(sweep.loss_epochs, population["lossEpochs"])]
    tolerance = 1e-3 if found.is_rounded else 1e-7
    np.testing.assert_allclose(found.arrays[population["losses"]], losses, rtol=tolerance)
    if "snapshots" in population:
        span = np.ptp(theta, axis=0) if found.is_rounded else np.abs(theta).max(axis=0)
        error = np.abs(found.arrays[population["snapshots"]] - theta[rows])
        assert (error <= span * (1e-5 if found.is_rounded else 1e-7)).all()


def table(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "table.csv").write_text(text)
    return ["data=csv", f"data.path={tmp_path / 'table.csv'}"]


MOONS = ["data=moons", "architecture.hidden=[8]", "activation=relu", "loss=mse", "output=identity"]
KINDS: dict[str, list[str]] = {
    "classes with names": ["TABLE", "data.scale=standard", "data.test=0.25", "lr=0.1,1"],
    "a regression": ["CURVE", "data.scale=standard", "lr=0.01,0.1"],
    "one input": ["data=sine", "seed=0,1"],
    "many inputs": ["data=parity", "data.bits=5", "seed=0,1"],
    "examples of each run": ["data=circle", "data.noise=0.1", "seed=0,1"],
    "targets -1 and 1": ["data.low=-1", "loss=mse", "output=tanh", "seed=0,1"],
    "float32": ["dtype=float32", "seed=0,1"],
    "patience": ["stop=patience", "stop.epochs=5", "seed=0,1"],
    "few losses": ["epochs=200", "track.losses=20", "track.frames=10", "seed=0,1"],
    "first and last snapshots": ["track.bytes=6000", "seed=0,1"],
    "a map": ["film=map", "lr=0.1,1,10", "seed=0,1"],
    "several networks": ["architecture.hidden=[2],[3],[2,2]", "optimizer=sgd,adam"],
    "rates of their own": ["layer_lr.W1=0.1,1"],
    "starts of their own": ["init.set.W1.0.1=0,1"],
    "diverged": ["lr=1,1000", "output=identity", "loss=mse"],
    "infinite outputs": [*MOONS, "lr=0.5,0.6", "seed=range(0,6)"],
}


@pytest.mark.parametrize("words", KINDS.values(), ids=KINDS)
@pytest.mark.usefixtures("quick_composition")
def test_every_kind_of_data_and_record_has_a_page(words: list[str], tmp_path: Path) -> None:
    texts = {"TABLE": TABLE, "CURVE": CURVE}
    given = [word for own in words for word in (table(tmp_path, texts[own]) if own in texts else [own])]
    more = [] if any(word.startswith("epochs") for word in words) else ["epochs=20"]
    film = [] if "film=map" in words else ["film=none"]
    sweep = xortrain.sweep(*given, *more, *film, f"root={tmp_path / 'root'}")
    found = stored(sweep.page(tmp_path / "p.html"))
    check_numbers(found, sweep)
    for population, (trained, places) in zip(found.meta["populations"], sweep.populations(), strict=True):
        task = trained.setup.part(places).task()
        for name, values in (("x", task.data.x), ("t", task.data.t)):
            own = found.arrays[population["data"][name]["array"]]
            np.testing.assert_array_equal(own.reshape(values.shape if own.size == values.size else own.shape), values)
        assert ("testLosses" in population) == (task.test is not None)
        assert population["names"]["classes"] == list(trained.setup.columns.told_classes)
        assert population["network"]["inputs"] == task.network.inputs
        for number, stage in enumerate(population["stages"]):
            assert stage["until"] is None or number < len(population["stages"]) - 1
    assert set(found.meta["axes"]) == set(sweep.axes) - {"data.path"}


def test_a_continued_run_has_its_stages(tmp_path: Path) -> None:
    run = xortrain.train("epochs=20", "film=none").fork("epochs=+20", "optimizer=adam", "lr=0.1")
    found = stored(run.page(tmp_path / "p.html"))
    check_numbers(found, run)
    first, last = found.meta["populations"][0]["stages"]
    assert (first["until"], first["optimizer"]["name"], first["lr"]) == (20, "sgd", 1.0)
    assert (last["until"], last["optimizer"]["name"], last["lr"]) == (None, "adam", 0.1)


def test_a_run_that_is_known_to_python_only_has_what_was_tried(tmp_path: Path) -> None:
    run = xortrain.train("init=zeros", "epochs=40")
    assert stored(run.page(tmp_path / "p.html")).meta["stories"]["0"]["advice"] == ""
    tried = str(run.advice)
    assert stored(run.page(tmp_path / "p.html")).meta["stories"]["0"]["advice"] == tried


def test_no_runs_have_no_page(tmp_path: Path) -> None:
    sweep = xortrain.sweep("seed=0,1", "epochs=2", "film=none", f"root={tmp_path}")
    with pytest.raises(UserError, match="page: there are no runs"):
        sweep[:0].page(tmp_path / "p.html")
    assert not (tmp_path / "p.html").exists()


@pytest.mark.parametrize("epochs", ["0", "1"])
def test_a_run_of_no_epochs_has_a_page(epochs: str, tmp_path: Path) -> None:
    run = xortrain.train(f"epochs={epochs}")
    found = stored(run.page(tmp_path / "p.html"))
    assert found.meta["populations"][0]["lossEpochs"] == list(range(int(epochs) + 1))


def test_a_page_does_not_tell_where_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = [*table(tmp_path, TABLE), f"root={tmp_path}/here", "film=none", "epochs=5", "advice=none"]
    assert main(given) == 0
    folder = listing(tmp_path / "here").entries[0].folder
    content = json.loads((folder / "record.json").read_text())
    content |= {"command": ["/usr/bin/xortrain", *given, "lr=1"], "host": "secret-host", "folder": "/secret/folder"}
    content["git"] = {"commit": "secret-commit"}
    (folder / "record.json").write_text(json.dumps(content))
    for words in ([str(folder)], ["latest", "--root", f"{tmp_path}/here", "--where", f"path like '{tmp_path}/%'"]):
        assert main(["page", *words, "--output", f"{tmp_path}/p.html"]) == 0
        found = stored(tmp_path / "p.html")
        texts = json.dumps(found.meta) + unpacked(found.text, "app").decode()
        texts += re.sub('<script type="text/plain".*', "", found.text)
        for secret in (str(tmp_path), tmp_path.name, "secret", f"/{getpass.getuser()}/", "/usr/bin"):
            assert secret not in texts


COMMANDS = {
    "page latest --use x.py": ["page", "latest", "--use", "~/a/b/x.py"],
    "page '2026-11-29/02-00-00-000000#3'": ["page", "2026-11-29/02-00-00-000000#3"],
    "page latest --where 'lr > 1 / 2'": ["page", "latest", "--where", "lr > 1 / 2"],
    "page latest --where \"data.path = 'x.csv'\"": ["page", "latest", "--where", "data.path = '/home/me/x.csv'"],
    r"page a@data.path=x.csv": [r"page", r"a@data.path=C:\Users\me\x.csv"],
}


@pytest.mark.parametrize(("text", "words"), COMMANDS.items())
def test_commands_are_shown_without_folders(text: str, words: list[str]) -> None:
    assert shlex.split(without_folders(words)) == shlex.split(text)


def test_settings_that_follow_from_others_are_columns_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data tell the runs apart, but one looks for what differs besides."""
    monkeypatch.chdir(tmp_path)
    own = (("data=xor", "lr=3"), ("data=circle", "data.examples=20", "optimizer=adam", "lr=0.01", "epochs=9"))
    for words in own:
        assert main([*words, "film=none", "advice=none"]) == 0
    found = written(*(one.id for one in listing(tmp_path / "outputs").entries))
    assert found.meta["axes"] == ["data"]
    given = {name: found.column(name) for name in ("data", "lr", "optimizer", "epochs")}
    assert given == {"data": ["circle", "xor"], "lr": [0.01, 3], "optimizer": ["adam", "sgd"], "epochs": [9, 140]}
    assert not {"data.examples", "data.low", "engine"} & {*found.columns}  # which both have alike, or one only


def test_a_setting_with_files_has_their_names_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "other"):
        text = f"from xortrain import Activation\n{name} = Activation('z', lambda z: z)\n"
        (tmp_path / f"{name}.py").write_text(text)
        assert main([f"use={tmp_path}/{name}.py", "film=none", "advice=none", "epochs=2"]) == 0
    found = written(*(one.id for one in listing(tmp_path / "outputs").entries))
    assert found.column("use") == ['["other.py"]', '["mine.py"]']
    assert str(tmp_path) not in json.dumps(found.meta)


def test_settings_are_sorted_by_what_they_explain(tmp_path: Path) -> None:
    sweep = xortrain.sweep("lr=0.01,1", "init.scale=0.9,1", "seed=range(0,10)", "film=none", f"root={tmp_path}")
    found = stored(sweep.page(tmp_path / "p.html"))
    assert found.meta["axes"] == ["lr", "init.scale"]


def test_the_share_of_variance_explained_is_that_of_an_analysis_of_variance() -> None:
    groups, numbers = np.array([0, 0, 1, 1, 2]), np.array([1.0, 3.0, 5.0, 7.0, np.nan])
    assert explained(groups, numbers) == pytest.approx(16 / 20)  # 4·(4-2)² … between, 4·1 within
    assert explained(groups, np.ones(5)) == 0
    assert explained(groups, np.full(5, np.nan)) == 0


ENDINGS = {
    "a run": ["lr=1"],
    "a sweep": ["-m", "lr=1,2"],
    "a sweep of populations": ["-m", "activation=tanh,relu"],
}


@pytest.mark.parametrize("words", ENDINGS.values(), ids=ENDINGS)
def test_a_record_with_page_true_has_its_page(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*words, "page=true", "epochs=140", "film=none"]) == 0
    (entry,) = listing(Path("outputs")).entries
    path = entry.folder / "page.html"
    assert f"page    {path}" in capsys.readouterr().out.splitlines()
    found = stored(path)
    assert len(found.column("run")) == entry.runs
    assert found.column("run")[0].startswith(entry.id)
    path.unlink()
    part = entry.parts[-1]
    interrupt(part.folder, slice(0, part.metadata["runs"]), 21)
    if entry.is_sweep and not entry.is_one_record:
        content = json.loads((entry.folder / "sweep.json").read_text())
        (entry.folder / "sweep.json").write_text(json.dumps(content | {"status": "interrupted"}))
    assert main(["resume", entry.id]) == 0
    assert f"page    {path}" in capsys.readouterr().out.splitlines()
    assert stored(path).arrays[0].tolist() == found.arrays[0].tolist()
    assert main(["continue", entry.id, "epochs=+5"]) == 0
    assert len(list(Path("outputs").rglob("page.html"))) == 2
    assert main(["rm", entry.id, "--yes"]) == 0
    assert len(list(Path("outputs").rglob("page.html"))) == 1


def test_the_page_of_a_run_that_ends_unsolved_has_its_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init=zeros", "page=true", "epochs=60", "film=none"]) == 0
    (path,) = Path("outputs").rglob("page.html")
    story = stored(path).meta["stories"]["0"]
    run: Any = xortrain.load("latest")
    assert story["advice"] == str(run.advice)
    assert story["headline"] == run.summary().splitlines()[0]
    assert " ".join(story["verdict"].split()) in " ".join(run.summary().split())
