"""Commands that change records or write files: xortrain tag, note, rename, rm and export."""

import csv
import io
import json
import os
import re
import shutil
from collections import Counter
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from make_records import (
    BIG,
    LATER,
    RUN,
    SWEEP,
    blank_rows,
    config,
    finished_rows,
    four_records,
    make_record,
    surroundings,
)

import xortrain
from xortrain.commands import COMMANDS
from xortrain.commands.export import export
from xortrain.commands.group import group
from xortrain.commands.ls import ls
from xortrain.commands.rm import rm
from xortrain.commands.show import show
from xortrain.commands.tag import note, rename, tag
from xortrain.config.compose import compose
from xortrain.errors import Remark, UserError
from xortrain.records.columns import COMPUTED
from xortrain.records.index import listing
from xortrain.records.process import host, identity
from xortrain.records.reader import RecordReader
from xortrain.records.writer import RecordWriter
from xortrain.runner.train import record_run
from xortrain.views.run_film import film_title


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write two runs, a sweep of twelve runs and a sweep of two populations to outputs/ of the working directory."""
    monkeypatch.chdir(tmp_path)
    return four_records(Path("outputs"), {"tags": ["first"]}, {"lr": 0.25})


def ids(root: Path) -> list[str]:
    return [entry.id for entry in listing(root).entries]


def test_tags_are_added_and_removed(root: Path) -> None:
    assert tag([RUN, "good", "solved"]) == f"{RUN}: first, good, solved"
    assert tag([RUN, "first", "good", "--remove"]) == f"{RUN}: solved"
    assert tag([RUN, "solved", "--remove"]) == f"{RUN}: no tags"
    assert tag([f"{BIG}#4", "mine"]) == f"{BIG}#4: mine"


@pytest.mark.parametrize("word", ["", " a", "a,b", "a\tb", "\x1b[2J", "\u202e"])
def test_a_tag_must_be_printable(root: Path, word: str) -> None:
    with pytest.raises(UserError, match="must be printable, without commas"):
        tag([RUN, word])


def test_a_note_is_stored_with_every_character(root: Path) -> None:
    note([RUN, "ü “two”\nlines", "more"])
    (entry,) = [entry for entry in listing(root).entries if entry.id == RUN]
    assert entry.marks.notes == ["ü “two”\nlines more"]
    for text in ("", " ", "x" * 10_001):
        with pytest.raises(UserError, match="must be a text of at most"):
            note([RUN, text])


@pytest.mark.parametrize("record", [RUN, SWEEP, BIG])
def test_a_new_name_is_shown_everywhere_and_nothing_else_changes(root: Path, record: str) -> None:
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and path.name != "events.jsonl"}
    for name in ("first", "my “figure 2”\n"):
        assert rename([record, name]) == f"{record}: {name.replace(chr(10), ' ')}"
    shown = "my “figure 2” "
    assert {path: path.read_bytes() for path in before} == before
    assert ids(root) == [BIG, SWEEP, LATER, RUN]
    for options in ([], ["--runs"], ["--where", f"name = '{shown}'"]):
        lines = json.loads(ls([*options, "--json"]))
        assert {line["name"] for line in lines if line["id"].startswith(record)} == {shown}
        assert {line["name"] for line in lines if not line["id"].startswith(record)} <= {None}
    (line,) = [line for line in show([record]).split("\n") if line.startswith("name ")]
    assert line.split(maxsplit=1)[1].strip() == shown.strip()
    assert {row["name"] for row in json.loads(group([record, "--by", "name", "--json"]))} == {shown}
    (entry,) = [entry for entry in listing(root).entries if entry.id == record]
    assert {RecordReader.open(part.folder).config["name"] for part in entry.parts} == {"my “figure 2”\n"}
    assert rename([record, ""]) == f"{record}: no name"
    assert {line["name"] for line in json.loads(ls(["--json"]))} == {None}


def words_of_runs(record: str) -> dict[int, tuple[str | None, str, str | None]]:
    """The name, tags and notes of each run by its number, as a listing, a condition and a query have them."""
    names = "number,name,tags,notes"
    listed = json.loads(ls(["--runs", "--json", "--columns", names]))
    met = json.loads(ls(["--where", "seed >= 0", "--json", "--columns", names]))
    assert listed == met
    return {
        line["number"]: (line["name"], line["tags"], line["notes"]) for line in listed if line["id"].startswith(record)
    }


def two_populations(root: Path) -> str:
    """Write a sweep of two populations of two runs, whose name, tags and notes differ; returns its id."""
    folder = root / "sweeps" / SWEEP
    shutil.rmtree(folder)
    for k, words in enumerate(({"name": "x", "tags": ["all", "a"]}, {"name": "y", "tags": ["b", "all"], "notes": "n"})):
        part = folder / f"population-00{k}"
        part.mkdir(parents=True)
        rows = finished_rows(2)
        rows["number"] += 2 * k
        make_record(part, rows, config(activation__name=("tanh", "relu")[k], **words))
    about = {"kind": "sweep", "name": "x", "tags": ["all", "a"], "notes": None, "populations": 2, **surroundings()}
    RecordWriter.start_sweep(folder, {**about, **identity()}).end("finished")
    return SWEEP


def test_jobs_of_a_sweep_keep_their_own_words(root: Path) -> None:
    record = two_populations(root)
    first, second = ("x", "all, a", None), ("y", "b, all", "n")
    assert words_of_runs(record) == {0: first, 1: first, 2: second, 3: second}
    assert [line["id"] for line in json.loads(ls(["--tag", "b", "--json"]))] == [f"{record}#2", f"{record}#3"]
    (line,) = [line for line in json.loads(ls(["--tag", "all", "--json"])) if line["id"] == record]
    assert (line["name"], line["tags"], line["notes"]) == (None, "all", None)
    assert "tagged b, all\nnote: n" in show([f"{record}#3"])
    tag([record, "late"])
    tag([f"{record}#3", "one"])
    rename([record, "z"])
    first, second = ("z", "all, a, late", None), ("z", "b, all, late", "n")
    assert words_of_runs(record) == {0: first, 1: first, 2: second, 3: ("z", "b, all, late, one", "n")}
    assert tag([record, "a", "b", "--remove"]) == f"{record}: all, late"
    with pytest.raises(UserError, match="#3 has no such tag; it has all, late, one"):
        tag([f"{record}#3", "b", "--remove"])
    with pytest.raises(UserError, match="tag=late: belongs to the whole sweep"):
        tag([f"{record}#3", "late", "--remove"])


def test_a_tag_of_a_population_is_not_one_of_the_others(root: Path) -> None:
    record = two_populations(root)
    tag([f"{record}/population-001", "own"])
    assert {number for number, (_, tags, _) in words_of_runs(record).items() if "own" in tags} == {2, 3}


@pytest.mark.parametrize("name", ["tags", "notes", "name"])
def test_groups_are_of_the_words_of_today(root: Path, name: str) -> None:
    record = two_populations(root)
    tag([record, "a", "--remove"])
    tag([record, "late"])
    tag([f"{record}#1", "one"])
    note([f"{record}#0", "seen"])
    rename([record, "z"])
    place = ("name", "tags", "notes").index(name)
    expected = Counter(words[place] for words in words_of_runs(record).values())
    groups = json.loads(group([record, "--by", name, "--json"]))
    assert {found[name]: found["runs"] for found in groups} == expected


@pytest.mark.parametrize("name", sorted(COMPUTED.keys() - {"id"}))
def test_groups_by_a_result_are_those_of_the_listing(root: Path, name: str) -> None:
    two_populations(root)
    listed = json.loads(ls(["--runs", "--json"]))
    groups = json.loads(group(["--by", f"seed,activation,optimizer,{name}", "--json"]))
    settings = ("seed", "activation", "optimizer", name)
    assert {tuple(found[key] for key in settings) for found in groups} <= {
        tuple(line.get(key) for key in settings) for line in listed
    }
    assert all(found["epochs_median"] is None or found["solved"] for found in groups)


def test_only_a_whole_record_has_a_name(root: Path) -> None:
    with pytest.raises(UserError, match=f"^{BIG}#4: only a whole sweep has a name; write xortrain rename {BIG} …"):
        rename([f"{BIG}#4", "mine"])
    with pytest.raises(UserError, match="must be a text of at most"):
        rename([RUN, "x" * 10_001])


def test_a_renamed_run_has_its_new_name_in_python_and_in_its_film(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = record_run(compose([f"root={tmp_path}", "film=none", "epochs=1", "name=old"]))
    rename([str(run.folder), "new"])
    again = xortrain.load(str(run.folder))
    assert isinstance(again, xortrain.api.Run)
    assert again.config["name"] == "new"
    assert film_title(again.setup).startswith("new ")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_an_unwritable_record_is_a_one_line_error(root: Path) -> None:
    (root / RUN).chmod(0o500)
    with pytest.raises(UserError, match=r"events\.jsonl: Permission denied"):
        note([RUN, "text"])


def test_an_event_is_not_written_through_a_link(root: Path, tmp_path: Path) -> None:
    (root / RUN / "events.jsonl").symlink_to(tmp_path / "victim")
    with pytest.raises(UserError, match=r"events\.jsonl"):
        note([RUN, "text"])
    assert not (tmp_path / "victim").exists()


def test_rm_removes_only_the_given_records(root: Path) -> None:
    assert rm([RUN, BIG, "--yes"]).split("\n") == [f"removed outputs/{RUN}", f"removed outputs/sweeps/{BIG}"]
    assert ids(root) == [SWEEP, LATER]
    rm([LATER, "--yes"])
    assert not (root / "2026-11-21").exists()
    assert ids(root) == [SWEEP]


def test_a_link_in_place_of_a_file_is_removed_but_not_its_target(root: Path, tmp_path: Path) -> None:
    (root / RUN / "losses-000.npy").rename(tmp_path / "losses")
    (root / RUN / "losses-000.npy").symlink_to(tmp_path / "losses")
    rm([RUN, "--yes"])
    assert ids(root) == [BIG, SWEEP, LATER]
    assert (tmp_path / "losses").exists()


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("lr >= 0", []),
        ("optimizer = 'adam'", None),  # half of a sweep
        ("lr = 0.25", [BIG, SWEEP, RUN]),
        ("architecture = 'mlp' and number < 6", [SWEEP]),
        ("lr < 0.3 or optimizer = 'adam'", [BIG, SWEEP, RUN]),
    ],
)
def test_rm_with_a_condition_removes_what_it_holds_for_throughout(
    root: Path, condition: str, left: list[str] | None
) -> None:
    if left is None:
        with pytest.raises(UserError, match="matches some runs of a sweep, which can only be removed as a whole"):
            rm(["--where", condition, "--yes"])
    else:
        rm(["--where", condition, "--yes"])
    assert ids(root) == ([BIG, SWEEP, LATER, RUN] if left is None else left)


def test_rm_with_a_condition_removes_only_named_records(root: Path) -> None:
    assert rm([RUN, SWEEP, "--where", "lr = 1", "--yes"]) == f"removed outputs/{RUN}"
    with pytest.raises(UserError, match="--where=lr = 7: no run matches"):
        rm(["--where", "lr = 7", "--yes"])
    with pytest.raises(UserError, match=r"^rm: name runs or sweeps, or add --where"):
        rm(["--yes"])
    assert ids(root) == [BIG, SWEEP, LATER]


def test_a_sweep_of_which_a_part_is_unreadable_meets_no_condition(root: Path) -> None:
    (root / "sweeps" / BIG / "population-001" / "record.json").write_text("{")
    with pytest.warns(Remark, match=r"^left out: .*population-001/record\.json: broken JSON"):
        rm(["--where", "1", "--yes"])
    assert ids(root) == [BIG]


@pytest.mark.parametrize(("answer", "left"), [("y", 3), ("yes", 3), ("n", 4), ("", 4), ("whatever", 4)])
def test_rm_asks_for_confirmation(root: Path, answer: str, left: int, monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: questions.append(question) or answer)  # type: ignore[func-returns-value]
    rm([RUN])
    assert len(ids(root)) == left
    assert f"outputs/{RUN}  8 files" in questions[0]


def test_without_a_terminal_rm_requires_yes(root: Path) -> None:
    with pytest.raises(UserError, match="no terminal to ask; add --yes"):
        rm([RUN])
    assert len(ids(root)) == 4


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (f"{SWEEP}#1", "one run of a sweep cannot be removed"),
        (f"outputs/sweeps/{BIG}/population-001", "part of a sweep"),
        ("outputs", "no such run"),
        (".", "no such run"),
        ("/", "no such run"),
    ],
)
def test_rm_removes_only_whole_records(root: Path, name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        rm([LATER, name, "--yes"])
    assert len(ids(root)) == 4


def test_a_running_record_is_not_removed(root: Path) -> None:
    folder = root / "running"
    folder.mkdir()
    make_record(folder, blank_rows(1), config(), status=None)
    with pytest.raises(UserError, match=rf"is running \(process {os.getpid()} on {re.escape(host())}\)"):
        rm([str(folder), "--yes"])


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_an_unreadable_record_can_be_removed(root: Path) -> None:
    (root / RUN / "record.json").write_text("{")
    assert rm([RUN, "--yes"]).startswith(f"removed outputs/{RUN} (unreadable: outputs/{RUN}/record.json: broken JSON")
    assert not (root / RUN).exists()
    inside = root / "sweeps" / BIG / "population-001"
    (inside / "record.json").write_text("{")
    with pytest.raises(UserError, match="part of a sweep"):
        rm([str(inside), "--yes"])


def test_csv_and_json_lines_have_all_runs_and_all_digits(root: Path) -> None:
    rows = table(export([]))
    lines = [json.loads(line) for line in export(["--format", "jsonl"]).split("\n")]
    assert len(rows) == len(lines) == 20
    for row, line in zip(rows, lines, strict=True):
        assert row == {key: "" if value is None else str(value) for key, value in line.items()}
    losses = [
        part.rows.at(k)["final_loss"] for e in listing(root).entries for part in e.parts for k in range(len(part.rows))
    ]
    assert [float(row["final_loss"]) for row in rows] == losses


def test_one_run_a_sweep_a_condition_and_a_query_can_be_exported(root: Path) -> None:
    assert [row["id"] for row in table(export([RUN]))] == [RUN]
    assert len(table(export([SWEEP, SWEEP, f"{SWEEP}#3"]))) == 12
    assert [row["id"] for row in table(export([f"{BIG}#4", f"{BIG}#4"]))] == [f"{BIG}#4"]
    assert {row["lr"] for row in table(export([SWEEP, "--where", "lr > 0.2"]))} == {"0.5", "1.0"}
    assert (
        export(["--sql", "select lr, count(*) n from runs where optimizer = 'adam' group by lr"])
        == "lr,n\n0.1,1\n1.0,1\n10.0,1"
    )


def test_losses_and_parameters_have_a_row_for_each_run_and_epoch(root: Path) -> None:
    rows = table(export([f"{SWEEP}#5", f"{SWEEP}#1", "--what", "losses"]))
    assert [(row["id"][-2:], row["epoch"], row["loss"]) for row in rows[:6]] == [
        *(("#1", str(epoch), f"{epoch + 0.001}") for epoch in range(5)),
        ("#5", "0", "0.005"),
    ]
    rows = table(export([f"{BIG}#4", "--what", "parameters"]))
    assert [row["epoch"] for row in rows] == ["0", "4"]
    assert [rows[1][name] for name in ("W1[0, 0]", "W1[1, 0]", "b1[1]", "b2[0]")] == ["0.0", "2.0", "5.0", "8.0"]


def test_an_npz_archive_has_all_arrays(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    assert export([f"{SWEEP}", "--where", "lr > 0.2", "--to", str(path)]) == f"written {path}"
    with np.load(path) as arrays:
        assert arrays["runs/lr"].tolist() == [0.5, 1.0] * 4
        assert arrays["losses"].tolist() == [[e + k / 1000 for k in (1, 2, 4, 5, 7, 8, 10, 11)] for e in range(5)]
        assert arrays["W1"].shape == (2, 2, 2, 8)
        assert arrays["W1"][1, :, :, 3].tolist() == [[0, 1], [2, 3]]
        assert arrays["frame_epochs"].tolist() == [0, 4]
        assert arrays["x"].shape == (4, 2)
        assert not any(array.dtype.hasobject for array in arrays.values())


def test_records_with_equal_shapes_fit_into_one_archive(root: Path, tmp_path: Path) -> None:
    export([BIG, RUN, "--to", str(tmp_path / "a.npz")])
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["losses"].shape == (5, 7)
        assert np.isnan(arrays["runs/optimizer.beta1"]).sum() == 4
    folder = root / "other"
    folder.mkdir()
    make_record(folder, blank_rows(1), config(), parameters={"W1": [2]})
    with pytest.raises(UserError, match="npz: the runs differ in parameters"):
        export(["--to", str(tmp_path / "b.npz")])
    assert not list(tmp_path.glob("b.npz*"))


def test_blocks_that_never_started_have_no_rows_and_are_nan(root: Path, tmp_path: Path) -> None:
    path = root / "sweeps" / SWEEP / "runs.npy"
    rows = np.load(path)
    rows["outcome"][4:8] = 0
    np.save(path, rows)
    for name in ("losses", "parameters"):
        (root / "sweeps" / SWEEP / f"{name}-001.npy").unlink()
    ids = [row["id"].rpartition("#")[2] for row in table(export([SWEEP, "--what", "losses"]))]
    assert ids == [str(run) for run in range(12) if run not in (4, 5, 6, 7) for _ in range(5)]
    export([SWEEP, "--to", str(tmp_path / "a.npz")])
    with np.load(tmp_path / "a.npz") as arrays:
        assert np.isnan(arrays["losses"][0]).tolist() == [False] * 4 + [True] * 4 + [False] * 4


@pytest.mark.parametrize(
    ("what", "form"), [("losses", "csv"), ("parameters", "csv"), ("losses", "npz"), ("losses", "tb")]
)
def test_an_export_never_takes_a_lost_file_of_a_finished_block_for_one_that_was_not_trained(
    root: Path, tmp_path: Path, what: str, form: str
) -> None:
    (root / "sweeps" / SWEEP / f"{what}-001.npy").unlink()
    chosen = {"npz": [], "csv": ["--what", what], "tb": ["--format", "tensorboard"]}[form]
    with pytest.raises(UserError, match=rf"{what}-001\.npy: is missing"):
        export([SWEEP, *chosen, "--output", str(tmp_path / f"new.{form}")])
    assert list(tmp_path.glob("new*")) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--to", "a.xls"],
            "--output=a.xls: must end in .csv, .jsonl, .parquet, .npz, .safetensors or .onnx, or add --format",
        ),
        (["--format", "csv", "--output", "p.npz"], "--format=csv and --output=p.npz: contradict each other"),
        (["--format", "jsonl", "--to", "p.CSV"], "--format=jsonl and --output=p.CSV: contradict each other"),
        (["--format", "npz"], "is a binary format; add --output PATH"),
        (["--sql", "select 1", "--where", "lr > 1"], "it cannot be combined with RUN, --where or --what"),
        (["--where", "lr > 1000"], "--where=lr > 1000: no run matches"),
        (["--what", "films"], "invalid choice: 'films'"),
        (["--to", "nowhere/a.csv"], "nowhere/a.csv: No such file or directory"),
        (["nothing"], "no such run"),
    ],
)
def test_an_invalid_export_is_a_one_line_error(root: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(UserError) as caught:
        export(arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", ["--output", "--to"])
def test_a_format_may_be_stated_twice_and_any_other_extension_has_none(root: Path, option: str) -> None:
    for name, form in (("a.csv", "csv"), ("a.jsonl", "jsonl"), ("a.npz", "npz"), ("a.txt", "csv")):
        assert export([RUN, option, name, "--format", form]) == f"written {name}"


def test_a_failed_export_does_not_change_the_old_file(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("before")
    os.truncate(root / RUN / "losses-000.npy", 100)
    with pytest.raises(UserError, match=r"losses-000\.npy"):
        export([LATER, RUN, "--what", "losses", "--to", str(path), "--force"])
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["a.csv"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_help_page(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    from importlib import import_module

    place, line = COMMANDS[command]
    module, _, function = place.partition(":")
    with pytest.raises(SystemExit) as end:
        list(getattr(import_module(f"xortrain.commands.{module}"), function)(["--help"]))
    assert end.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f"usage: xortrain {command}" in text
    assert line[1:] in text
    assert "--root" in text


CHANGES = {
    "tag": (["{run}", "good"], {"id": RUN, "tags": ["first", "good"]}),
    "note": (["{run}", "a", "word"], {"id": RUN, "note": "a word"}),
    "export": (["{run}", "--to", "a.csv"], {"path": "a.csv"}),
    "rename": (["{run}", "mine"], {"id": RUN, "name": "mine"}),
    "rm": (["{run}", "--yes"], {"id": RUN, "removed": f"outputs/{RUN}"}),
}


@pytest.mark.parametrize("command", CHANGES)
def test_json_reports_each_change(root: Path, command: str) -> None:
    module, _, function = COMMANDS[command][0].partition(":")
    words, answer = CHANGES[command]
    output = getattr(import_module(f"xortrain.commands.{module}"), function)(
        [*(word.format(run=RUN) for word in words), "--json"]
    )
    assert json.loads(output) == [answer]


def test_json_export_is_an_array_of_rows(root: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(export([SWEEP]))))
    exported = json.loads(export([SWEEP, "--json"]))
    assert [str(row["number"]) for row in exported] == [row["number"] for row in rows]
    assert set(exported[0]) == set(rows[0])


def test_removing_a_missing_tag_is_an_error(root: Path) -> None:
    tag([SWEEP, "wide"])
    tag([f"{SWEEP}#3", "mine"])
    for name, words, message in (
        (RUN, ["first", "second"], f"tag=second: {RUN} has no such tag; it has first"),
        (SWEEP, ["mine"], f"tag=mine: {SWEEP} has no such tag; it has wide"),
        (f"{SWEEP}#3", ["wide"], "tag=wide: belongs to the whole sweep; remove it with"),
    ):
        with pytest.raises(UserError) as caught:
            tag([name, *words, "--remove"])
        assert str(caught.value).startswith(message)
    assert tag([f"{SWEEP}#3", "mine", "--remove"]) == f"{SWEEP}#3: wide"
    assert tag([RUN, "first", "--remove"]) == f"{RUN}: no tags"


def test_an_export_can_go_to_a_device_but_not_to_a_folder(root: Path) -> None:
    before = os.stat("/dev/null")
    export(["--to", "/dev/null", "--format", "csv"])
    assert os.stat("/dev/null").st_mode == before.st_mode
    for name in (".", "outputs"):
        with pytest.raises(UserError, match=f"^{name}: Is a directory"):
            export(["--to", name, "--format", "csv"])
