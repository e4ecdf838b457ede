"""xortrain show, compare, group and sql print text and JSON."""

import json
import re
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_records import (
    BIG,
    LATER,
    RUN,
    SWEEP,
    a_run,
    a_sweep,
    blank_rows,
    config,
    finished_rows,
    four_records,
    make_record,
)  # fmt: skip

from xortrain.commands.compare import compare
from xortrain.commands.group import group
from xortrain.commands.ls import ls, sql
from xortrain.commands.show import show
from xortrain.commands.tag import note, tag
from xortrain.errors import UserError
from xortrain.records.events import add_event
from xortrain.records.index import listing
from xortrain.records.tables import told_apart


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write two runs, a sweep of twelve runs and a sweep of two populations to outputs/ of the working directory."""
    monkeypatch.chdir(tmp_path)
    return four_records(
        Path("outputs"),
        {"row": {"outcome": 2, "solved_at": 7, "final_loss": 0.125, "reasons": 4}},
        {
            "lr": 0.25,
            "optimizer__momentum": 0.9,
            "name": "mine",
            "row": {"outcome": 1, "diverged_at": 3, "diverged_in": 5},
        },
    )


def page_lines(text: str) -> dict[str, str]:
    """Return the lines of a page by their first word."""
    return {line.split()[0]: " ".join(line.split()[1:]) for line in text.split("\n") if line}


def test_show_prints_a_run(root: Path) -> None:
    text = show([RUN])
    assert text.startswith(f"{RUN}  finished: solved\n")
    assert (
        page_lines(text).items()
        >= {
            "solved_at": "7",
            "final_loss": "0.125",
            "losses": "0 ▁▃▅▆█ 4, epochs 0 to 4",
            "lr": "1",
            "optimizer": "sgd, momentum 0",
            "architecture": "mlp, hidden [2]",
            "in": f"outputs/{RUN}",
        }.items()
    )
    assert page_lines(show([LATER])).items() >= {"diverged_at": "3", "diverged_in": "b1[1]"}.items()


def test_show_prints_the_settings_of_one_run_of_a_sweep(root: Path) -> None:
    assert page_lines(show([f"{SWEEP}#1"])).items() >= {"lr": "0.5", "seed": "1"}.items()
    (line,) = json.loads(show([f"{BIG}#5", "--json"]))
    assert line.items() >= {"id": f"{BIG}#5", "lr": 10.0, "optimizer": "adam", "optimizer.beta1": 0.9}.items()


def test_show_prints_the_groups_and_shared_settings_of_a_sweep(root: Path) -> None:
    text = show([SWEEP])
    assert text.startswith(f"{SWEEP}  finished: a sweep of 12 runs, solved 8.33 %\n")
    assert group([SWEEP]) in text
    assert page_lines(text)["epochs"] == "4"
    (line,) = json.loads(show([SWEEP, "--json"]))
    assert sum(line["outcomes"].values()) == line["runs"] == 12


def test_notes_tags_and_failures_are_shown(root: Path) -> None:
    tag([SWEEP, "wide", "good"])
    note([SWEEP, "look", "again"])
    note([f"{SWEEP}#3", "this one"])
    for reason in ("MemoryError", "killed", "killed"):
        add_event(root / "sweeps" / SWEEP, "failure", jobs=[3, 7], reason=reason)
    text = show([SWEEP])
    assert "tagged wide, good\nnote: look again\n" in text
    assert f"{SWEEP}: failed jobs 3 to 7: MemoryError\n{SWEEP}: failed jobs 3 to 7: killed (2 times)" in text
    assert "note: this one" not in text
    assert "note: look again\nnote: this one" in show([f"{SWEEP}#3"])
    assert "failed jobs 3 to 7: killed (2 times)" in group([SWEEP])


def test_a_running_training_is_shown_up_to_its_last_loss(tmp_path: Path) -> None:
    record = make_record(tmp_path, blank_rows(1), config(), status=None)
    arrays = record.block(0)
    arrays.losses[:3, 0] = [3, 2, 1]
    arrays.take_place()
    text = show([str(tmp_path)])
    assert "running: pending" in text
    assert "epochs 0 to 2" in text


def test_only_settings_that_differ_are_compared(root: Path) -> None:
    text = compare([RUN, LATER, f"{SWEEP}#1"])
    assert text.split("\n")[:4] == [f"A  {RUN}", f"B  {LATER}", f"C  {SWEEP}#1", ""]
    assert text.split("\n")[4].split() == ["A", "B", "C"]
    assert page_lines(text).items() >= {"lr": "1 0.25 0.5", "seed": "0 0 1", "optimizer.momentum": "0 0.9 0"}.items()
    assert not {"epochs", "activation", "optimizer"} & set(page_lines(text))
    lines = json.loads(compare([RUN, LATER, "--json"]))
    assert [(line["lr"], line["outcome"]) for line in lines] == [(1.0, "solved"), (0.25, "diverged")]


def test_runs_with_equal_settings_are_compared_by_their_results(root: Path) -> None:
    text = compare([RUN, RUN])
    assert text.endswith("no setting differs")
    assert page_lines(text)["final_loss"] == "0.125 0.125"


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_losses_are_plotted_in_one_figure(root: Path, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"losses.{ending}"
    assert compare([RUN, LATER, "--plot", str(path)]).endswith(f"plot  {path}")
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert path.read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([RUN], "compare: requires 2 to 26 runs, not 1"),
        ([RUN] * 27, "compare: requires 2 to 26 runs, not 27"),
        ([RUN, SWEEP], "a sweep of 12 runs; name one of them, as in 2026-11-21/19-41-21-123456#0"),
        ([RUN, LATER, "--plot", "a.xyz"], "--output=a.xyz: must end in .png, .svg, .pdf"),
        ([RUN, LATER, "--plot", "nowhere/a.png"], "--output=nowhere/a.png: No such file or directory"),
    ],
)
def test_an_invalid_comparison_is_a_one_line_error(root: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(UserError) as error:
        compare(arguments)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_group_prints_one_line_of_statistics_per_group(root: Path) -> None:
    head, first, *rest = group([SWEEP]).split("\n")
    assert head.split("  ")[0].strip() == "lr"
    assert first.split() == ["0.5", "4", "25", "%", "(4.56-69.9)", "66", "(66-66)", *first.split()[7:]]
    assert len(rest) == 2
    lines = json.loads(group([SWEEP, "--json"]))
    assert [line["runs"] for line in lines] == [4, 4, 4]
    assert lines[0].items() >= {"lr": 0.5, "solved": 1, "rate": 0.25, "epochs_median": 66.0}.items()
    assert lines[1]["epochs_median"] is None


def test_repeated_runs_in_several_sweeps_count_once(root: Path) -> None:
    """RUN and two sgd runs of BIG have the same settings and seeds as runs in SWEEP."""
    lines = json.loads(group([SWEEP, BIG, RUN, "--by", "optimizer.name", "--json"]))
    assert {line["optimizer"]: line["runs"] for line in lines} == {"sgd": 13, "adam": 3}
    lines = group([SWEEP, BIG, RUN]).split("\n")
    assert lines[-1] == "3 runs repeat others (same settings, same seed) and are not counted"


def test_a_record_given_by_two_names_counts_once(root: Path) -> None:
    once = group([BIG])
    assert "repeat" not in once
    assert group([BIG, BIG, f"outputs/sweeps/{BIG}", f"outputs/sweeps/{BIG}/population-000", f"{BIG}#4"]) == once


def test_without_settings_all_runs_are_one_group(root: Path) -> None:
    (line,) = json.loads(group([SWEEP, "--by", "", "--json"]))
    assert line["runs"] == 12


def test_single_runs_of_a_sweep_are_grouped(root: Path) -> None:
    (line,) = json.loads(group([f"{SWEEP}#1", f"{SWEEP}#4", f"{SWEEP}#4", "--json", "--by", "lr"]))
    assert (line["lr"], line["runs"]) == (0.5, 2)


def test_unfinished_runs_are_counted_separately(tmp_path: Path) -> None:
    rows = blank_rows(4)
    rows["outcome"][:2] = 2, 7
    rows["solved_at"][0] = 3
    make_record(tmp_path, rows, config(), kind="sweep", status="interrupted")
    text = group([str(tmp_path)])
    assert "50 % (9.45-90.5)" in text
    assert text.endswith("2 runs are not finished and not counted")


def test_a_standard_deviation_that_overflows_is_omitted(tmp_path: Path) -> None:
    rows = blank_rows(3)
    rows["outcome"], rows["final_loss"] = 7, [1.0, 2.0, 1e300]
    make_record(tmp_path, rows, config(), kind="sweep")
    assert "inf" not in group([str(tmp_path)])
    assert json.loads(group([str(tmp_path), "--json"]))[0]["loss_sd"] is None


def test_nearly_100_percent_is_not_rounded_to_100(tmp_path: Path) -> None:
    rows = blank_rows(3001)
    rows["outcome"], rows["outcome"][0], rows["solved_at"] = 2, 1, 5
    make_record(tmp_path, rows, config(), kind="sweep", block_size=5000)
    assert "99.9667 %" in group([str(tmp_path)])


def test_groups_require_existing_settings(root: Path) -> None:
    with pytest.raises(UserError, match=r"^--by=lrr: no such setting. Did you mean 'lr'"):
        group([SWEEP, "--by", "lrr"])


def test_sql_prints_a_table_or_json(root: Path) -> None:
    query = "select optimizer, count(*) as n, max(optimizer.beta1) from runs group by 1 order by n"
    assert [line.split() for line in sql([query]).split("\n")] == [
        ["optimizer", "n", "max(optimizer.beta1)"],
        ["adam", "3", "0.9"],
        ["sgd", "17"],
    ]
    assert [line["n"] for line in json.loads(sql([query, "--json"]))] == [3, 17]


def test_the_duration_is_a_result_not_a_setting(root: Path) -> None:
    text = compare([RUN, LATER]).split("\n\n")[1]
    names = [line.split()[0] for line in text.split("\n")[1:]]
    assert names.index("lr") < names.index("outcome") < names.index("seconds")
    assert compare([RUN, RUN]).endswith("no setting differs")


def test_a_setting_that_is_null_is_shown_as_null(tmp_path: Path) -> None:
    for number, size in enumerate([None, 2]):
        a_run(tmp_path, number, batch_size=size)
    names = [entry.id for entry in listing(tmp_path).entries]
    rows = [line.split()[0] for line in group([*names, "--root", str(tmp_path)]).split("\n")]
    assert rows[0] == "batch_size"
    assert set(rows[1:]) == {"null", "2"}


def test_a_diverging_run_does_not_flatten_the_plot(root: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    record = make_record(tmp_path / "new", blank_rows(1), config())
    losses = np.load(record.folder / "losses-000.npy", mmap_mode="r+")
    losses[:, 0] = [1, 1e3, 1e100, 1e300, np.inf]
    losses.flush()
    plot = tmp_path / "losses.png"
    compare([RUN, str(record.folder), "--plot", str(plot)])
    is_blue = (np.abs(iio.imread(plot)[..., :3].astype(int) - [31, 119, 180]) < 30).all(axis=2)  # the first curve
    assert np.ptp(np.flatnonzero(is_blue[:, :300].any(axis=1))) > 60


def test_groups_of_a_condition_have_the_runs_it_selects(root: Path) -> None:
    rows = json.loads(group([SWEEP, "--where", "lr < 0.7 and seed < 3", "--json"]))
    assert {row["lr"]: row["runs"] for row in rows} == {0.1: 3, 0.5: 3}
    with pytest.raises(UserError, match="--where=lr > 7: no run matches"):
        group([SWEEP, "--where", "lr > 7"])


def test_without_names_all_runs_are_grouped(root: Path) -> None:
    names = [entry.id for entry in listing(root).entries]
    assert group(["--by", "lr", "--json"]) == group([*names, "--by", "lr", "--json"])


def test_runs_are_grouped_by_status(root: Path) -> None:
    rows = blank_rows(5)
    rows["outcome"][:2] = 2
    folder = root / "stopped"
    folder.mkdir()
    make_record(folder, rows, config(), kind="sweep", status="interrupted")
    found = {row["status"]: row for row in json.loads(group([str(folder), "--by", "status", "--json"]))}
    assert {status: row["runs"] for status, row in found.items()} == {"finished": 2, "interrupted": 3}
    assert found["interrupted"]["pending"] == 3
    listed = json.loads(sql(["select status, count(*) n from runs group by 1", "--json"]))
    everything = json.loads(group(["--by", "status", "--json"]))
    assert {row["status"] for row in everything} == {line["status"] for line in listed}


NEAR = [0.1, 0.1 + 1e-9, 0.1 + 2e-9, 1.0]


@pytest.mark.parametrize("command", ["group", "ls", "compare", "show"])
def test_settings_that_differ_in_the_ninth_digit_are_shown_apart(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "sweep"
    folder.mkdir()
    make_record(folder, finished_rows(4, {"lr": np.array(NEAR)}), config(), kind="sweep")
    name = str(folder)
    shown = {
        "group": lambda: group([name]),
        "ls": lambda: ls(["--root", str(tmp_path), "--runs"]),
        "compare": lambda: compare([f"{name}#{k}" for k in range(4)]),
        "show": lambda: "".join(show([f"{name}#{k}"]) for k in range(4)),
    }[command]()
    assert set(re.findall(r"(?<![\d.])0\.1\d*\b", shown)) >= {"0.100000001", "0.100000002"}
    assert len(set(re.findall(r"(?<![\d.])0\.10*\b", shown))) == 1


LONG = "/home/a_long_name/of_a_long/"


@pytest.mark.parametrize(
    "texts",
    [
        [f"{LONG}set-{k}/data/train_of_all-{n}.csv" for k in "12" for n in "12"],
        [f"/home/x/{'a' * 60}{n}.csv" for n in "12"],
        [*(f"{LONG}list_of_folders/train-{n}.csv" for n in "12"), "1.csv"],
        [LONG + "list_of_folders_with_names/x.csv", LONG + "list_of_folders_with_names/y.csv", "fruit.csv"],
    ],
)
def test_different_texts_are_told_apart_however_they_are_shortened(texts: list[str]) -> None:
    shown = told_apart([*texts, *texts])
    assert shown == [*shown[: len(texts)]] * 2
    assert len(set(shown)) == len(texts)


@pytest.mark.parametrize("command", ["group", "ls", "compare", "show"])
def test_settings_that_differ_after_the_fortieth_letter_are_shown_apart(tmp_path: Path, command: str) -> None:
    paths = [f"/home/a_long_name/of_a_long/list_of_folders/{name}.csv" for name in ("train-1", "train-2", "other")]
    records = [a_run(tmp_path, k, data={"name": "csv", "path": path}) for k, path in enumerate([*paths, "fruit.csv"])]
    shown = {
        "group": lambda: group(["--root", str(tmp_path), "--by", "data.path"]),
        "ls": lambda: ls(["--root", str(tmp_path)]),
        "compare": lambda: compare(list(map(str, records))),
        "show": lambda: "\n".join("".join(show([str(record)])) for record in records),
    }[command]()
    whole = "/home/a_long_name/of_a_long/list_of_folders/" if command == "show" else "…"
    assert {f"{whole}{name}.csv" for name in ("train-1", "train-2", "other")} <= set(re.split(r",? +|,?\n", shown))
    assert re.search(r"(?<![\w/])fruit\.csv", shown)


def test_ids_and_paths_are_whole(tmp_path: Path) -> None:
    """They are copied into other commands."""
    root, folder = tmp_path, a_sweep(tmp_path / "a_folder_with_a_long_name")
    found = ls(["--root", str(root), "--columns", "path"]).split("\n")[1].split()
    assert found == [str(folder.relative_to(root)), str(folder)]
    assert sql(["select id, path from runs limit 1", "--root", str(root)]).split()[2:] == [f"{found[0]}#0", found[1]]
    assert show([found[0], "--root", str(root)]).startswith(found[0])


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, unique=True))
def test_different_numbers_are_told_apart_by_as_few_digits_as_possible(numbers: list[float]) -> None:
    texts = told_apart(numbers)
    assert len(set(texts)) == len(numbers)
    assert [float(text) for text in texts] == pytest.approx(numbers, rel=1e-3)
    if len({f"{number:.4g}" for number in numbers}) == len(numbers):
        assert texts == [f"{number:.4g}" for number in numbers]
