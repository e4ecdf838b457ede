"""Group statistics agree with published values and with Python's statistics module."""

import math
import statistics as plain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_records import OUTCOMES, a_big_sweep, a_run, a_sweep, blank_rows, config, make_record

from xortrain.errors import UserError
from xortrain.records.groups import (
    NOT_STUCK,
    GroupStatistics,
    column_table,
    differing_settings,
    group_runs,
    statistics,
    wilson,
)
from xortrain.records.index import open_entry

# Newcombe (1998), Statistics in Medicine 17, table I, method 3 (Wilson's score, no correction), four digits.
NEWCOMBE = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
    (29, 29, 0.8830, 1.0000),
]


@pytest.mark.parametrize(("solved", "runs", "low", "high"), NEWCOMBE)
def test_the_confidence_interval_matches_newcombes_published_values(
    solved: int, runs: int, low: float, high: float
) -> None:
    found = wilson(np.array([solved]), np.array([runs]))
    assert [round(float(end[0]), 4) for end in found] == [low, high]


@given(st.integers(1, 1000).flatmap(lambda runs: st.tuples(st.integers(0, runs), st.just(runs))))
def test_the_ends_of_the_interval_satisfy_wilsons_equation(
    count: tuple[int, int],
) -> None:
    """Wilson's definition: (p̂ - p)² = z² p (1 - p) / n at both ends."""
    solved, runs = count
    for end in wilson(np.array([solved]), np.array([runs])):
        p = float(end[0])
        assert 0 <= p <= 1
        assert (solved / runs - p) ** 2 == pytest.approx(1.959963984540054**2 * p * (1 - p) / runs, abs=1e-12)


def test_the_success_rate_of_no_runs_is_undefined() -> None:
    assert np.isnan(wilson(np.array([0]), np.array([0]))).all()


rows_of_runs = st.lists(
    st.tuples(
        st.sampled_from(OUTCOMES),
        st.integers(0, 200),
        st.floats(allow_nan=True, allow_infinity=True, width=32) | st.floats(0, 2),
        st.sampled_from([0.1, 1.0, 10.0]),
        st.sampled_from(["sgd", "adam", None, True, "True"]),
    ),
    min_size=1,
    max_size=40,
)


@given(rows_of_runs)
def test_every_statistic_is_the_same_as_in_plain_python(runs: list[tuple[str, int, float, float, Any]]) -> None:
    outcome, solved_at, loss, lr, name = zip(*runs, strict=True)
    columns = {"outcome": np.array(outcome, object), "solved_at": np.array(solved_at), "final_loss": np.array(loss)}
    found = statistics(columns | {"lr": np.array(lr), "optimizer": np.array(name, object)}, ["lr", "optimizer"])
    expected = {(row[3], row[4], type(row[4])) for row in runs}
    assert {(g.by["lr"], g.by["optimizer"], type(g.by["optimizer"])) for g in found} == expected
    for one in found:
        check(
            one,
            [
                r
                for r in runs
                if r[3] == one.by["lr"] and (r[4], type(r[4])) == (one.by["optimizer"], type(one.by["optimizer"]))
            ],
        )


def check(found: GroupStatistics, runs: list[tuple[str, int, float, float, Any]]) -> None:
    outcomes = [row[0] for row in runs]
    done = [word for word in outcomes if word != "pending"]
    assert (found.runs, found.pending) == (len(runs), len(runs) - len(done))
    assert (found.solved, found.diverged) == (done.count("solved"), done.count("diverged"))
    assert found.stuck == sum(word not in NOT_STUCK for word in outcomes)
    assert dict(found.outcomes) == {word: outcomes.count(word) for word in set(outcomes)}
    assert found.rate == pytest.approx(done.count("solved") / len(done) if done else math.nan, nan_ok=True)
    epochs = [row[1] for row in runs if row[0] == "solved"]
    assert [found.epochs_q1, found.epochs_median, found.epochs_q3] == pytest.approx(quartiles(epochs), nan_ok=True)
    losses = [row[2] for row in runs if row[0] not in ("diverged", "pending") and math.isfinite(row[2])]
    assert found.loss_median == pytest.approx(plain.median(losses) if losses else math.nan, nan_ok=True)
    assert found.loss_mean == pytest.approx(plain.fmean(losses) if losses else math.nan, nan_ok=True)
    assert found.loss_sd == pytest.approx(
        plain.stdev(losses) if len(losses) > 1 else math.nan, nan_ok=True, rel=1e-9, abs=1e-9
    )


def quartiles(values: list[int]) -> list[float]:
    if len(values) < 2:
        return [float(values[0])] * 3 if values else [math.nan] * 3
    return list(plain.quantiles(values, n=4, method="inclusive"))


@given(rows_of_runs)
def test_the_best_group_is_first(runs: list[tuple[str, int, float, float, Any]]) -> None:
    outcome, solved_at, loss, lr, _ = zip(*runs, strict=True)
    columns = {"outcome": np.array(outcome, object), "solved_at": np.array(solved_at), "final_loss": np.array(loss)}
    found = statistics(columns | {"lr": np.array(lr)}, ["lr"])
    lows = [-1.0 if math.isnan(one.low) else one.low for one in found]
    assert lows == sorted(lows, reverse=True)


def test_without_settings_all_runs_are_one_group() -> None:
    columns = {"outcome": np.array(["solved"] * 3, object), "solved_at": np.arange(3), "final_loss": np.zeros(3)}
    (found,) = statistics(columns, [])
    assert (found.runs, found.epochs_median) == (3, 1.0)


def test_a_sweep_is_grouped_by_all_settings_that_differ_except_the_seed(tmp_path: Path) -> None:
    one = open_entry(
        a_sweep(tmp_path, varying={"lr": [0.1, 1.0] * 4, "optimizer.momentum": [0.0] * 4 + [0.9] * 4}), "a"
    )
    assert differing_settings(one.parts) == ["lr", "optimizer.momentum"]
    assert [found.runs for found in group_runs(one.parts)] == [2] * 4
    assert [found.runs for found in group_runs(one.parts, ["lr"])] == [4, 4]


def test_settings_of_an_option_make_no_extra_groups(tmp_path: Path) -> None:
    """The big sweep has optimizer=sgd,adam, which have different settings and defaults."""
    entry = open_entry(a_big_sweep(tmp_path), "a")
    assert differing_settings(entry.parts) == ["lr", "optimizer"]
    assert {found.by["optimizer"] for found in group_runs(entry.parts)} == {"sgd", "adam"}


def test_name_notes_advice_and_film_make_no_groups(tmp_path: Path) -> None:
    folders = [
        a_run(tmp_path, 0, name="a", notes="x", seed=1),
        a_run(tmp_path, 1, film__name="field", tags=["t"], advice="none"),
    ]
    parts = [open_entry(folder, "a").parts[0] for folder in folders]
    assert differing_settings(parts) == []
    assert [found.runs for found in group_runs(parts)] == [2]


def test_repeated_runs_count_once_and_finished_ones_are_preferred(tmp_path: Path) -> None:
    """A setting may vary in one record and be fixed in the other; names and films make no difference."""
    rows = blank_rows(2, {"lr": np.array([0.5, 1.0])})
    rows["seed"] = 0
    rows["outcome"], rows["final_loss"] = [0, 7], [np.nan, 2.0]
    make_record(tmp_path, rows, config(), kind="sweep", status="interrupted")
    folders = [
        tmp_path,
        a_run(tmp_path, 0, lr=0.5, name="again", row={"outcome": 7, "final_loss": 1.0}),
        a_run(tmp_path, 1, lr=0.5, film__name="field", row={"outcome": 7, "final_loss": 1.0}),
    ]
    parts = [open_entry(folder, "a").parts[0] for folder in folders]
    for ordering in (parts, parts[::-1]):
        (found,) = group_runs(ordering, [])
        assert (found.runs, found.pending, found.loss_mean) == (2, 0, 1.5)


@pytest.mark.parametrize("change", [{"seed": 1}, {"lr": 0.5}, {"optimizer__momentum": 0.5}, {"epochs": 5}])
def test_runs_that_differ_in_the_seed_or_a_setting_are_both_counted(tmp_path: Path, change: dict[str, Any]) -> None:
    parts = [open_entry(a_run(tmp_path, k, **changes), "a").parts[0] for k, changes in enumerate([{}, change])]
    assert group_runs(parts, [])[0].runs == 2
    assert group_runs([*parts, parts[0]], [])[0].runs == 2


def test_data_tables_are_compared_by_content_not_by_name(tmp_path: Path) -> None:
    """The file at data.path may change between two runs."""
    data = {"name": "csv", "path": "table.csv"}
    folders = [a_run(tmp_path, k, data=data) for k in range(3)]
    np.savez(folders[2] / "data.npz", x=np.eye(4, 2), t=np.zeros((4, 1)))
    parts = [open_entry(folder, "a").parts[0] for folder in folders]
    assert group_runs(parts, [])[0].runs == 2


def test_a_setting_that_equals_the_seed_in_every_run_is_treated_like_the_seed(tmp_path: Path) -> None:
    follows = open_entry(a_sweep(tmp_path, 0, {"lr": [0.5] * 2 + [1.0] * 2, "data.seed": range(4)}), "a").parts
    assert differing_settings(follows) == ["lr"]
    assert [found.runs for found in group_runs(follows)] == [2, 2]
    other = open_entry(a_sweep(tmp_path, 1, {"data.seed": range(3, -1, -1)}), "a").parts
    assert differing_settings(other) == ["data.seed"]
    assert differing_settings([*follows, *other]) == ["lr", "data.seed"]


def test_columns_of_several_records_are_concatenated(tmp_path: Path) -> None:
    parts = [open_entry(a_sweep(tmp_path, k, {"lr": [k, k + 0.5]}), "a").parts[0] for k in (0, 1)]
    parts.append(open_entry(a_run(tmp_path, 2, lr=7.0, optimizer__momentum=None), "a").parts[0])
    found = column_table(parts, ["lr", "optimizer", "optimizer.momentum", "outcome"])
    assert found["lr"].tolist() == [0, 0.5, 1, 1.5, 7]
    assert found["optimizer"].tolist() == ["sgd"] * 5
    assert found["optimizer.momentum"].tolist() == [0.0] * 4 + [None]
    assert set(found["outcome"].tolist()) <= set(OUTCOMES)


def test_an_unknown_setting_is_reported_with_the_nearest_name(tmp_path: Path) -> None:
    parts = open_entry(a_sweep(tmp_path), "a").parts
    with pytest.raises(
        UserError, match=r"by=optimizer\.momentun: no such setting\. Did you mean 'optimizer\.momentum'"
    ):
        group_runs(parts, ["optimizer.momentun"])


def test_a_setting_with_one_value_everywhere_does_not_differ(tmp_path: Path) -> None:
    """Older records list a number that was given for all runs among those that vary."""
    one = open_entry(a_sweep(tmp_path, 0, {"lr": [0.5] * 4, "optimizer.momentum": [0.0, 0.9] * 2}), "a").parts
    two = open_entry(a_sweep(tmp_path, 1, {"lr": [0.5] * 2}, activation__name="tanh"), "b").parts
    other = open_entry(a_sweep(tmp_path, 2, {"lr": [0.25] * 2}), "c").parts
    alike = open_entry(a_run(tmp_path, 3, lr=0.5), "d").parts
    assert differing_settings(one) == ["optimizer.momentum"]
    assert differing_settings(two) == []
    assert differing_settings([*two, *alike]) == ["activation"]
    assert differing_settings([*alike, *other]) == ["lr"]
