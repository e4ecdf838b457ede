"""The summary of a run: how it ended, its loss, and its output for each example."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from some_runs import some_config

import xortrain
from xortrain.api import Run
from xortrain.records.tables import format_table
from xortrain.runner.train import train_run
from xortrain.views.verdict import verdict

pytestmark = pytest.mark.usefixtures("quick_composition")


def run_of(**changes: Any) -> Run:
    return Run(train_run(some_config(**changes)).trained)


def table(run: Run) -> list[str]:
    """The lines after the empty one."""
    return run.summary().partition("\n\n")[2].splitlines()


def first_line(**changes: Any) -> str:
    return run_of(**changes).summary().splitlines()[0]


LINEAR = {"loss": ("mse", {"reduction": "sum"}), "output": "identity"}
SLOW = {"epochs": 2000, "lr": 0.001, "stop": ("loss", {"below": 2.9})}
RIGHT = {"weights": {"W1": [[20, 20], [-20, -20]], "b1": [-10, 30], "W2": [[20, 20]], "b2": [-30]}}
ENDS: list[tuple[dict[str, Any], str]] = [
    ({}, "Solved: every example is right from epoch 69 on. Loss 0.148494 after 140 epochs."),
    ({"stop": "solved"}, "Solved: every example is right from epoch 45 on. Loss 2.32806 after 45 epochs."),
    ({"init": ("explicit", RIGHT), "epochs": 1}, "Solved: every example is right from the start. Loss "),
    ({"epochs": 0}, "Not solved: 2 of 4 examples right. Loss 2.99915 after 0 epochs."),
    ({"epochs": 1, "seed": 1}, "Not solved: 2 of 4 examples right. Loss 2.96616 after 1 epoch."),
    (SLOW, "Stopped early: 2 of 4 examples right. Loss 2.899"),
    (LINEAR | {"lr": 1e308, "seed": 1}, "Diverged: b1 is not finite at epoch 1. Before that the loss was 6.35121."),
    (LINEAR | {"lr": 100.0}, "Diverged: the loss is not finite at epoch "),
]


@pytest.mark.parametrize(("changes", "expected"), ENDS)
def test_the_first_line_says_how_it_ended(changes: dict[str, Any], expected: str) -> None:
    assert first_line(**changes).startswith(expected)


def test_before_the_start_there_was_no_loss() -> None:
    assert first_line(dtype="float32", init=("normal", {"scale": 1e90})) == "Diverged: W1 is not finite at epoch 0."


def test_the_sentences_agree_with_the_row() -> None:
    run = run_of(seed=3)
    right = int(((run.predict(run.x) > 0.5) == run.t).sum())
    assert run.row["accuracy"] == right / 4
    assert f"{right} of 4 examples right" in run.summary()
    assert f"Loss {run.losses[-1]:.6g} after 140 epochs" in run.summary()


def test_the_table_shows_inputs_targets_outputs_and_what_is_wrong() -> None:
    run = run_of(epochs=0)
    header, *rows = table(run)
    assert header.split() == ["x1", "x2", "target", "output"]
    for row, x, t, y in zip(rows, run.x, run.t[:, 0], run.predict(run.x)[:, 0], strict=True):
        cells = row.split()
        assert [float(cell) for cell in cells[:3]] == [*x, t]
        assert cells[3] == f"{y:.4f}"
        assert cells[4:] == ([] if (y > 0.5) == (t > 0.5) else ["wrong"])


def test_held_out_examples_have_their_own_line() -> None:
    run = run_of(data=("moons", {"examples": 40, "test": 0.25}), lr=0.1)
    assert run.test_losses is not None
    line = f"Held out, 10 examples: {run.row['test_accuracy']:.1%} right, loss {run.test_losses[-1]:.6g}."
    assert line in run.summary().splitlines()


def test_many_examples_are_cut_and_counted() -> None:
    run = run_of(data=("circle", {"examples": 50}), epochs=3)
    lines = table(run)
    assert len(lines) == 1 + 16 + 1
    wrong = int(((run.predict(run.x) > 0.5) != run.t)[16:].sum())
    assert lines[-1] == f"… and 34 more, {wrong} of them wrong"


@pytest.mark.parametrize("size", [3, 9, 12, 256])
def test_many_columns_are_cut_and_counted_so_that_a_line_fits(size: int) -> None:
    lines = table(run_of(data=("encoder", {"size": size}), epochs=1))
    assert max(map(len, lines)) <= 100
    header = " ".join(lines[0].split())
    for name in ("x", "target", "output"):
        shown = len(re.findall(rf"\b{name}\d", header))
        cut = re.search(rf"\(\+(\d+) {name}\)", header)
        assert shown + (int(cut[1]) if cut else 0) == size
        assert shown == min(size, 6) or len(lines[0]) > 70


def test_the_only_input_is_shown_however_long_its_name(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("body weight in kilograms of a person,kind\n" + "\n".join(f"{k},{k % 9}" for k in range(18)))
    lines = table(run_of(data=("csv", {"path": str(path)}), loss="cross_entropy", epochs=1))
    assert lines[0].split("  ")[0] == "body weight in kilograms of a person"
    assert max(map(len, lines)) <= 100


def test_huge_outputs_keep_the_table_narrow() -> None:
    assert max(map(len, table(run_of(lr=1e5, loss="mse", output="identity")))) < 80


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_summary_of_a_finished_run_has_no_nan(dtype: str) -> None:
    assert "nan" not in run_of(dtype=dtype).summary()
    assert np.isfinite(run_of(dtype=dtype).row["best_loss"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"loss": "cross_entropy", "output": "sigmoid"}, "with output=sigmoid it is lowest where all outputs are 1."),
        ({"loss": "bce", "output": "identity"}, "output=identity also gives values below 0 or above 1"),
        ({"freeze": ["W1", "b1", "W2", "b2"]}, "Nothing was trained: freeze names every parameter."),
    ],
)
def test_conflicting_settings_are_the_reason(changes: dict[str, Any], expected: str) -> None:
    assert expected in " ".join(run_of(**changes).summary().split("\n\n")[0].split())
    assert expected not in run_of(epochs=5).summary()


def test_an_exploded_run_says_when_and_from_where() -> None:
    run = xortrain.train("activation=relu", "output=identity", "loss=mse", "lr=2", "epochs=300", "seed=3")
    assert 1e100 < run.row["final_loss"] < np.inf
    at = int(np.flatnonzero(run.losses > 1000 * max(run.losses[0], 0.25))[0])
    expected = f"Exploded: at epoch {at} the loss passed 1,000 times its start, {run.losses[0]:.4g}. Loss "
    assert run.summary().startswith(expected)


ADVICE = re.compile(r"\b(try|helps?|such as|goes with|instead)\b|epochs=[1-9]|lr=")


@pytest.mark.parametrize(
    "words",
    [
        ["loss=cross_entropy", "output=sigmoid"],
        ["loss=bce", "output=identity"],
        ["activation=relu", "seed=3"],
        ["lr=50"],
        ["lr=1e-6"],
        ["init=zeros"],
        ["epochs=20"],
        ["activation=identity", "lr=0.1"],
        ["loss=mse", "output=identity", "lr=20"],
    ],
    ids=" ".join,
)
def test_a_verdict_states_what_was_found_and_advises_nothing(words: list[str]) -> None:
    assert not ADVICE.search(verdict(xortrain.train(*words)))


@pytest.mark.parametrize(
    ("words", "beginning"),
    [
        (["activation=relu", "seed=3"], "h1 is dead"),
        (["loss=cross_entropy", "output=sigmoid"], "loss=cross_entropy depends on"),
        (["loss=mse", "activation=tanh", "output=tanh", "lr=8", "data.low=-1"], "The output is saturated"),
        (["lr=50", "architecture.hidden=[12]"], "12 units are saturated"),
    ],
)
def test_a_sentence_begins_with_a_capital_but_a_name_keeps_its_own(words: list[str], beginning: str) -> None:
    assert beginning in verdict(xortrain.train(*words))


def test_right_and_nearest_are_told_apart_for_classes() -> None:
    """The greatest output names the class, also where it is below one half."""
    run = xortrain.train("loss=cross_entropy", "output=sigmoid", "epochs=140")
    y = run.predict(run.x)
    greatest = int((y.argmax(axis=1) == run.t.argmax(axis=1)).sum())
    right = int(((y > 0.5) == (run.t > 0.5)).all(axis=1).sum())
    assert run.row["accuracy"] == greatest / 4
    assert greatest > right
    assert f"{right} of 4 examples right, {greatest} nearest to their own target." in run.summary()


RULES = ["auto", "midpoint", "fahlman", ("tolerance", {"within": 0.2})]


@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_what_the_data_allow_is_compared_with_the_classes_whatever_the_rule(rule: Any, share: float) -> None:
    """A vote of neighbours finds classes, so a run is judged beside it by its classes too, not by a stricter rule."""
    data = ("moons", {"examples": 80, "noise": 0.3, "test": share})
    run = run_of(data=data, success=rule, loss=("bce", {"reduction": "mean"}), lr=0.5)
    of, where = (" of the held-out examples", run.setup.test) if share else ("", run.setup.train)
    assert where is not None
    y, t = run.predict(where.x)[:, 0], where.t[:, 0, 0]
    apart = {"fahlman": 0.4, "tolerance": 0.2}.get(rule if isinstance(rule, str) else rule[0], 0.5)
    right = np.abs(y - t) < apart if apart == 0.2 else np.where(t == 1, y > 1 - apart, y < apart)
    own, named = f"{100 * right.mean():.3g} %", f"{100 * ((y > 0.5) == t).mean():.3g} %"
    assert own == named if apart == 0.5 else own != named or apart != 0.2
    also = f", {named} nearest to their own target" if own != named else ""
    assert run.summary().partition(": ")[2].startswith(f"{own}{of} right{also}; ")


def test_the_share_right_is_that_of_the_outputs_listed_also_where_the_greatest_names_the_class() -> None:
    x = np.random.default_rng(0).normal(size=(60, 2)) + np.repeat([[0, 0], [3, 0], [0, 3]], 20, axis=0)
    names = np.repeat(["a", "b", "c"], 20)
    run = xortrain.train("loss=mse", "output=sigmoid", "epochs=3", "lr=0.01", data=(x, names))
    y, t = run.predict(run.x), run.t
    right, greatest = ((y > 0.5) == (t > 0.5)).all(axis=1), y.argmax(axis=1) == t.argmax(axis=1)
    assert right.mean() < greatest.mean() == run.row["accuracy"]
    shares = [f"{100 * share.mean():.3g} %" for share in (right, greatest)]
    assert ": {} right, {} nearest to their own target; a vote of ".format(*shares) in run.summary()
    assert f"Right: a {right[:20].sum()} of 20, b {right[20:40].sum()} of 20" in run.summary()


def test_one_example_nearest_to_its_target_is_singular() -> None:
    runs = (run_of(data=("encoder", {"size": 8}), loss="mse", epochs=1, seed=seed) for seed in range(20))
    run = next(run for run in runs if run.row["accuracy"] == 1 / 8 and not run.right.any())
    assert "0 of 8 examples right, 1 nearest to its own target." in run.summary()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["data=sine"], "each output depends on one weighted sum of its inputs, for which the lowest loss is"),
        (["data=noise", "data.width=3"], "each output depends on one weighted sum of its inputs"),
        (["loss=mse"], "it can only separate its inputs by one straight line, for which the lowest loss is 0.25."),
        (
            ["data=parity", "loss=mse"],
            "it can only separate its inputs by one plane, for which the lowest loss is 0.25.",
        ),
        (["data=xor", "loss=cross_entropy"], "it can only separate two classes by one straight line"),
    ],
    ids=" ".join,
)
def test_what_a_linear_network_can_do_depends_on_inputs_and_targets(words: list[str], expected: str) -> None:
    found = verdict(xortrain.train("architecture.hidden=[]", "loss.reduction=mean", "lr=0.1", *words))
    assert found.startswith(f"The network is linear: {expected}")


def test_a_linear_network_separates_one_input_at_one_point(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("x,y\n" + "\n".join(f"{k},{'ab'[k % 3 == 1]}" for k in range(9)))
    run = xortrain.train("data=csv", f"data.path={path}", "architecture.hidden=[]", "lr=0.01")
    assert "The network is linear: it can only separate its inputs at one point" in verdict(run)


def test_parameters_that_start_at_zero_have_no_share_by_which_they_change() -> None:
    words = ["data.low=-1", "loss=squared_hinge", "architecture.hidden=[1]", "init.scale=0", "lr=1e-5", "data=encoder"]
    run = xortrain.train(*words)
    assert "slow" in run.reasons
    length = np.linalg.norm(run.parameters[-1])
    assert f"in 140 epochs the parameters have come {length:.2g} away from 0." in verdict(run)


@pytest.mark.parametrize(("biases", "so"), [([9, 9], "They were so"), ([9, 0], "Some of them were so")])
def test_units_that_were_saturated_at_the_start_are_told_from_those_that_became_so(biases: list[int], so: str) -> None:
    weights = {"W1": [[0.1, 0.1], [0.2, 0.1]], "b1": biases, "W2": [[1, 1]], "b2": [0]}
    run = run_of(init=("explicit", {"weights": weights}), lr=50.0, epochs=60)
    assert "h1 and h2 are saturated" in verdict(run)
    assert f"almost no gradient passes. {so} at the start." in verdict(run)


@pytest.mark.parametrize("biases", [[10, 11], [10, -8]])
def test_a_rectifier_with_an_upper_limit_may_be_flat_there(biases: list[int]) -> None:
    weights = {"W1": [[1, 1], [1, -1]], "b1": biases, "W2": [[1, 1]], "b2": [0]}
    run = run_of(init=("explicit", {"weights": weights}), activation="relu6")
    assert "h1 and h2 are dead from the start: they are off or at the limit on every example and" in verdict(run)


def constant(*words: str) -> Run:
    """A network of two ReLUs that are off, whose outputs are all the same."""
    off = ["activation=relu", "init.set.b1.0=-99", "init.set.b1.1=-98", "lr=0.05", "epochs=2000", "loss=mse"]
    return xortrain.train(*off, "loss.reduction=mean", "output=identity", *words)


@pytest.mark.parametrize("coding", [(0, 1), (-1, 1), (0.1, 0.9), (1, 4)], ids=str)
def test_tied_examples_have_the_mean_of_their_targets_whatever_these_are(coding: tuple[float, float]) -> None:
    low, high = coding
    found = verdict(constant("data=and", f"data.low={low}", f"data.high={high}"))
    said = re.search(r"all four examples are tied at (\S+)\.", found)
    assert said
    assert float(Fraction(said[1])) == pytest.approx((3 * low + high) / 4)


def test_real_targets_are_not_tied_at_a_fraction_of_their_number() -> None:
    run = constant("data=noise", "data.examples=5")
    assert f"All 5 examples are tied at {run.t.mean():.4g}." in verdict(run)


def test_only_the_corners_of_a_square_are_corners() -> None:
    assert "All four examples are tied at (1/4, 1/4, 1/4, 1/4)" in verdict(constant("data=encoder", "data.size=4"))
    assert "All four examples are tied at" in verdict(constant("data=noise", "data.examples=4"))
    assert "No corner is separated: all four examples are tied at 1/2" in verdict(constant())


@pytest.mark.parametrize("seed", range(4))
def test_ties_of_a_few_among_many_examples_are_left_out(seed: int) -> None:
    """Of many points some have nearly equal outputs by chance."""
    run = xortrain.train("data=spiral", "data.examples=60", "lr=0.01", f"seed={seed}", "epochs=20")
    for found in re.findall(r"((?:(?:, | and )?\(-?[\d.]+, -?[\d.]+\))+) get the same output", verdict(run)):
        assert found.count("(") >= 6, found


WIDE = set("身長体重性別男女テスト")


def ends(line: str, words: str) -> int:
    """The column of a terminal in which words end, of letters that are wide, plain, or an accent by itself."""
    before = line[: line.index(words) + len(words)]
    return len(before) + sum(letter in WIDE for letter in before) - before.count("\u0301")


def test_columns_stand_under_each_other_in_every_script(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        "身長,poids e\u0301tale,性別\n" + "\n".join(f"{150 + k},{30 - k},{'男女'[k % 2]}" for k in range(6)), "utf-8"
    )
    run = xortrain.train("data=csv", f"data.path={path}", "data.scale=standard", "epochs=9")
    head, *lines = table(run)
    for k, line in enumerate(lines):
        assert ends(line, f"{150 + k}") == ends(head, "身長")
        assert ends(line, f"{30 - k}") == ends(head, "tale")
        assert ends(line, "男女"[k % 2]) == ends(head, "target")
    found = format_table(["name", "n"], [["テスト", 1], ["e\u0301", 2], ["ab", 3]]).split("\n")
    assert {ends(line, last) for line, last in zip(found, ["  n", "1", "2", "3"], strict=True)} == {9}
