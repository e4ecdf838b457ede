"""xortrain ls lists runs and sweeps, newest first, or the runs that satisfy a condition."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from make_records import BIG, LATER, RUN, SWEEP, a_run, blank_rows, config, four_records, make_record

from xortrain.commands.ls import ls
from xortrain.commands.tag import note, rename, tag
from xortrain.errors import UserError
from xortrain.records.naming import named


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write two runs, a sweep of twelve runs and a sweep of two populations to outputs/ of the working directory."""
    monkeypatch.chdir(tmp_path)
    return four_records(
        Path("outputs"),
        {"row": {"outcome": 2, "solved_at": 7, "final_loss": 0.125}},
        {"lr": 0.25, "optimizer__momentum": 0.9, "name": "mine", "tags": ["good"], "row": {"final_loss": 0.5}},
    )


def ids(*arguments: str) -> list[str]:
    return [line.split()[0] for line in ls(list(arguments)).split("\n")[1:]]


def test_the_newest_record_is_first_and_a_sweep_is_one_line(root: Path) -> None:
    assert ids() == [BIG, SWEEP, LATER, RUN]
    head, big, sweep, _, run = ls([]).split("\n")
    assert head.split()[:6] == ["id", "status", "outcome", "runs", "epochs_done", "final_loss"]
    assert big.split()[1:6] == ["finished", "solved", "0", "%", "6"]
    assert sweep.split()[1:6] == ["finished", "solved", "8.33", "%", "12"]
    assert run.split()[1:5] == ["finished", "solved", "4", "0.125"]


def test_only_settings_that_differ_are_shown(root: Path) -> None:
    head = ls([]).split("\n")[0].split()
    assert {"lr", "optimizer", "seed", "name", "tags"} <= set(head)
    assert not {"epochs", "activation", "root", "film"} & set(head)


def test_a_table_has_at_most_120_columns_and_no_trailing_spaces(root: Path) -> None:
    for number in range(20):
        a_run(root, 10 + number, row=None, **{f"key{number}": "value"})
    lines = ls([]).split("\n")
    assert max(map(len, lines)) <= 120
    assert not any(line != line.rstrip() for line in lines)


def test_where_and_runs_list_single_runs(root: Path) -> None:
    assert len(ids("--runs")) == 2 + 12 + 6
    assert ids("--where", "lr < 0.3 and optimizer.momentum > 0 and outcome != 'solved'") == [LATER]
    found = ids("--where", "optimizer = 'adam' and lr >= 1")
    assert found == [f"{BIG}#4", f"{BIG}#5"]
    assert ls(["--where", "lr > 1000"]) == "no matching runs"


def test_sort_reverse_and_limit_select_the_first_lines(root: Path) -> None:
    losses = [line["final_loss"] for line in json.loads(ls(["--runs", "--sort", "final_loss", "--json"]))]
    assert losses == sorted(losses)
    largest = json.loads(ls(["--runs", "--sort", "final_loss", "--reverse", "--limit", "3", "--json"]))
    assert [line["final_loss"] for line in largest] == losses[:-4:-1]
    assert ids("--reverse", "--limit", "1") == [RUN]


@pytest.mark.parametrize("more", [[], ["--reverse"]])
def test_lines_without_a_value_are_last(root: Path, more: list[str]) -> None:
    assert ids("--sort", "solved_at", *more)[0] == RUN
    assert set(ids("--sort", "final_loss", *more)[2:]) == {BIG, SWEEP}


def test_only_the_requested_columns_are_shown(root: Path) -> None:
    text = ls(["--columns", "lr, optimizer.name,final_loss", "--where", "id = '" + RUN + "'"])
    assert [line.split() for line in text.split("\n")] == [
        ["id", "lr", "optimizer", "final_loss"],
        [RUN, "1", "sgd", "0.125"],
    ]
    (line,) = json.loads(ls(["--columns", "lr,name", "--json", "--where", "name = 'mine'"]))
    assert line == {"id": LATER, "lr": 0.25, "name": "mine"}


@pytest.mark.parametrize("name", ["tags", "name", "notes"])
@pytest.mark.parametrize("more", [[], ["--reverse"]])
def test_lines_without_words_are_last(root: Path, name: str, more: list[str]) -> None:
    for k, record in enumerate((SWEEP, BIG)):
        tag([record, f"tag-{k}"])
        note([record, f"note {k}"])
        rename([record, f"name {k}"])
    found = [line[name] for line in json.loads(ls(["--sort", name, "--json", *more]))]
    known = [bool(value) for value in found]
    assert known == sorted(known, reverse=True)
    assert sum(known) >= 2


def test_a_tag_finds_runs_sweeps_and_runs_of_sweeps(root: Path) -> None:
    assert ids("--tag", "good") == [LATER]
    tag([SWEEP, "good", "wide"])
    tag([f"{BIG}#4", "good"])
    assert ids("--tag", "good") == [f"{BIG}#4", SWEEP, LATER]
    assert ids("--tag", "good", "--tag", "wide") == [SWEEP]
    assert ids("--tag", "good", "--where", "lr = 1 and optimizer = 'adam'") == [f"{BIG}#4"]
    assert len(ids("--tag", "wide", "--runs")) == 12
    tag([SWEEP, "good", "--remove"])
    assert ids("--tag", "good") == [f"{BIG}#4", LATER]


def test_json_has_all_settings_and_results(root: Path) -> None:
    lines = json.loads(ls(["--json"]))
    assert [line["id"] for line in lines] == [BIG, SWEEP, LATER, RUN]
    assert lines[3].items() >= {"lr": 1.0, "optimizer.momentum": 0.0, "solved_at": 7, "test_loss": None}.items()
    assert lines[1].items() >= {"lr": "varies", "optimizer": "sgd", "runs": 12, "done": 12, "solved": 1}.items()
    assert lines[0]["optimizer"] == "varies"


@pytest.mark.parametrize(
    ("ended", "run_status"),
    [("interrupted", "interrupted"), ("failed", "failed"), ("finished", "failed"), (None, "running")],
)
def test_an_unfinished_run_has_the_status_of_its_sweep(tmp_path: Path, ended: str | None, run_status: str) -> None:
    rows = blank_rows(3)
    rows["outcome"][0] = 2
    (tmp_path / "a").mkdir()
    make_record(tmp_path / "a", rows, config(), kind="sweep", status=ended)
    runs = json.loads(ls(["--root", str(tmp_path), "--json", "--runs"]))
    assert [run["status"] for run in runs] == ["finished", run_status, run_status]
    (sweep,) = json.loads(ls(["--root", str(tmp_path), "--json"]))
    assert (sweep["status"], sweep["runs"], sweep["done"]) == (ended or "running", 3, 1)


def test_an_empty_root_is_not_an_error(tmp_path: Path) -> None:
    assert ls(["--root", str(tmp_path)]) == f"no runs under {tmp_path}"
    assert ls(["--root", str(tmp_path), "--json"]) == "[]"
    assert ls(["--root", str(tmp_path), "--where", "nonsense > 1"]).startswith("no runs")


def test_a_given_root_must_exist_but_the_default_root_may_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ls([]) == "no runs under outputs"
    with pytest.raises(UserError, match=r"^--root=nowhere: no such folder"):
        ls(["--root", "nowhere"])
    Path("file").touch()
    with pytest.raises(UserError, match=r"^--root=file: is not a folder"):
        ls(["--root", "file"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sort", "finalloss"], "--sort=finalloss: no such column. Did you mean 'final_loss'?"),
        (
            ["--columns", "lr,optimizer.momentun"],
            "--columns=optimizer.momentun: no such column. Did you mean 'optimizer.momentum'?",
        ),
        (["--columns", ","], "must be names separated by commas"),
        (["--limit", "0"], "must be a whole number, at least 1"),
        (["--limit", "x"], "must be a whole number, at least 1"),
        (["--wher", "lr > 1"], "unrecognized arguments: --wher lr > 1; see xortrain ls --help"),
        (["--where"], "expected one argument"),
        (["something"], "unrecognized arguments: something"),
    ],
)
def test_a_user_error_is_one_line(root: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(UserError) as caught:
        ls(arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


LIGHT = {
    "ls": [],
    "show": [RUN, "--json"],
    "show of a sweep": [SWEEP, "--json"],
    "compare": [RUN, LATER],
    "tag": [RUN, "word"],
    "note": [RUN, "words"],
    "rm": [RUN, "--yes"],
    "sql": ["select lr from runs"],
}


@pytest.mark.parametrize("command", LIGHT)
def test_commands_that_only_read_rows_import_no_large_packages(root: Path, command: str) -> None:
    words = [command.split()[0], *LIGHT[command]]
    code = f"import sys; from xortrain.cli import main; assert not main({words}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "matplotlib", "hydra", "omegaconf", "yaml", "pandas", "xortrain.machine"}
    heavy |= set() if command == "sql" else {"sqlite3"}
    assert not heavy & set(done.stdout.splitlines()[-1].split())


def test_show_imports_only_numpy(root: Path) -> None:
    code = f"import sys; from xortrain.cli import main; assert not main(['show', '{RUN}']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"matplotlib", "hydra", "omegaconf", "yaml", "pandas"} & set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_settings_that_differ_are_shown_at_any_width(
    width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.get_terminal_size", lambda *_: os.terminal_size((width, 40)))
    for number, activation in enumerate(["tanh", "relu", "sigmoid"]):
        changes: dict[str, Any] = {"activation__name": activation, "name": "a name of some length", "tags": ["tagged"]}
        a_run(tmp_path, number, lr=0.1 * number, batch_size=number or None, **changes)
    lines = ls(["--root", str(tmp_path)]).split("\n")
    assert {"lr", "activation"} <= set(lines[0].split())
    assert max(map(len, lines)) <= width
    if width == 200:
        assert {"batch_size", "name", "tags", "epochs_done"} <= set(lines[0].split())
        assert "null" in lines[3].split()


def test_the_sort_column_is_shown(root: Path) -> None:
    for name in ("best_loss", "optimizer.name", "seconds", "final_loss", "outcomes"):
        head, *lines = ls(["--sort", name]).split("\n")
        assert head.split().count(name.removesuffix(".name")) == 1
        assert len(lines) == 4


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("lrr > 1", "no such column: lrr. Did you mean 'lr'?"),
        ("outcome = solved", "no such column: solved; write text in single quotes: 'solved'"),
        ("architecture.hidden = [3]", "no such column: 3; write a list in single quotes: '[3]'"),
        ("", "is empty; write a condition, as in lr > 0.5"),
    ],
)
def test_an_invalid_condition_names_the_option_and_a_remedy(root: Path, condition: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        ls(["--where", condition])
    assert str(caught.value) == f"--where={condition}: {message}"


def test_records_are_in_the_order_of_the_ids_shown(tmp_path: Path) -> None:
    """The recorded time of the start is used only for folders without a date."""
    made = [a_run(tmp_path / place, minute) for minute, place in enumerate(["", "sweeps", "", "sweeps", ""])]
    for minute, folder in enumerate(made):
        path = folder / "record.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"started": f"2026-01-0{9 - minute}T00:00:00+00:00"}))
    shown = [line.split()[0] for line in ls(["--root", str(tmp_path)]).split("\n")[1:]]
    assert shown == sorted(shown, reverse=True)
    made[4].rename(tmp_path / "mine")
    assert [line["id"] for line in json.loads(ls(["--root", str(tmp_path), "--json"]))] == [*shown[1:], "mine"]


def test_records_of_several_time_zones_are_in_the_order_of_their_starts(tmp_path: Path) -> None:
    """A container may have UTC where its host has local time, and clocks go back once a year."""
    starts = [
        ("2026-10-25/02-50-00-000000", "2026-10-25T02:50:00.1+02:00"),
        ("2026-10-25/02-10-00-000000", "2026-10-25T02:10:00.1+01:00"),  # twenty minutes later
        ("2026-10-24/21-40-00-000000", "2026-10-24T21:40:00.1-04:00"),
        ("2026-10-25/14-55-00-000000", "2026-10-25T14:55:00.1+13:00"),
        ("2026-10-25/02-00-00-000000", "2026-10-25T02:00:00.1Z"),
    ]
    for minute, (place, started) in enumerate(starts):
        path = a_run(tmp_path, minute) / "record.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"started": started}))
        (tmp_path / place).parent.mkdir(exist_ok=True)
        path.parent.rename(tmp_path / place)
    shown = [line["id"] for line in json.loads(ls(["--root", str(tmp_path), "--json"]))]
    assert shown == [starts[4][0], starts[3][0], starts[2][0], starts[1][0], starts[0][0]]
    assert named("latest", tmp_path).id == starts[4][0]


@pytest.mark.parametrize("option", ["--sort", "--columns"])
@pytest.mark.parametrize(
    ("typed", "meant"), [("lerning_rate", "lr"), ("hidden", "architecture.hidden"), ("SEED", "seed")]
)
def test_an_unknown_column_leads_to_the_setting_that_is_meant(root: Path, option: str, typed: str, meant: str) -> None:
    with pytest.raises(UserError, match=f"^{option}={typed}: no such column. Did you mean '{meant}'"):
        ls([option, typed])
    with (
        pytest.raises(UserError, match=f"no such column: {typed}. Did you mean '{meant}'")
        if typed != "SEED"
        else nullcontext()
    ):
        ls(["--where", f"{typed} > 1"])
