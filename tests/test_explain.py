"""Explanations fit into 80 columns, have the same numbers in every format, and state what they omit."""

import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import xortrain
from xortrain.cli import main
from xortrain.errors import UserError
from xortrain.explain.document import array_cells, format_number
from xortrain.explain.explanation import explain
from xortrain.explain.step import Step, step_at, take_step
from xortrain.training.learner import Learner

pytestmark = pytest.mark.usefixtures("quick_composition")
NETS = {
    "notebook 000": ["experiment=notebook_000"],
    "deep": ["architecture.hidden=[3,3,3,3,3,3,3,3,3,3,3,3]", "activation=tanh"],
    "wide": ["architecture.hidden=[64,48]", "data=spiral", "lr=0.01", "activation=relu"],
    "encoder": ["data=encoder", "loss=cross_entropy", "architecture.hidden=[3]", "optimizer=rprop"],
    "skip": ["architecture=skip", "architecture.hidden=[1]", "optimizer.momentum=0.9", "dtype=float32"],
    "batches": ["batch_size=2", "optimizer=adam", "schedule=cosine", "lr=0.1"],
    "focal": ["loss=focal", "optimizer=adadelta", "activation=gelu_tanh"],
    "diverged": ["lr=1e200", "activation=relu", "loss=mse"],
}


@cache
def step_of(net: str, epoch: int = 1) -> Step:
    return step_at(xortrain.train(*NETS[net], "epochs=3").task, epoch)


@pytest.mark.parametrize("precision", [1, 4, 16])
@pytest.mark.parametrize("net", NETS)
def test_the_text_fits_into_eighty_columns(net: str, precision: int) -> None:
    lines = explain(step_of(net), precision=precision).splitlines()
    assert max(map(len, lines)) <= 80
    assert not any(line != line.rstrip() for line in lines)


@pytest.mark.parametrize("net", NETS)
def test_the_text_has_at_most_a_thousand_lines(net: str) -> None:
    assert len(explain(step_of(net)).splitlines()) < 1000


def test_omitted_numbers_are_counted() -> None:
    deep, wide = explain(step_of("deep")), explain(step_of("wide"))
    assert "Layers 4 to 10 of 13 are not written out." in deep
    assert "Of 200 examples only 0, 1 are written out." in " ".join(wide.split())
    assert "W2 (48×64; 5 of 48 rows, 5 of 64 columns shown)" in wide
    assert "… 194 more" in wide
    assert "12 of 3,361 parameters are checked here by differences" in " ".join(wide.split())


def test_nothing_of_a_small_network_is_omitted() -> None:
    text = explain(step_of("notebook 000", 0))
    assert "…" not in text
    assert "shown" not in text


@pytest.mark.parametrize(("loss", "means"), [("mse", "examples and outputs"), ("half_sse", "examples")])
def test_the_text_names_what_the_mean_is_over(loss: str, means: str) -> None:
    step = step_at(
        xortrain.train(f"loss={loss}", "loss.reduction=mean", "data=encoder", "data.size=3", "epochs=1").task
    )
    assert f"mean over the {means}. Optimizer" in " ".join(explain(step).split())
    assert np.isclose(step.before.losses.sum() / (9 if means == "examples and outputs" else 3), step.before.loss)


def test_the_text_states_that_it_explains_the_first_of_several_batches() -> None:
    text = explain(step_of("batches"))
    assert "the first batch, of 2 examples" in text
    assert "has 2 updates, one for each batch; this is the first" in " ".join(text.split())


@pytest.mark.parametrize(
    ("only", "shown", "hidden"),
    [("forward", "FORWARD", "BACKWARD"), ("backward", "BACKWARD", "UPDATE"), ("update", "UPDATE", "FORWARD")],
)
def test_only_shows_one_part(only: str, shown: str, hidden: str) -> None:
    text = explain(step_of("notebook 000"), only=only)
    assert shown in text
    assert hidden not in text


def test_example_shows_only_one_example() -> None:
    text = explain(step_of("notebook 000", 0), example=2)
    assert re.findall(r"^Example (\d) \(of 0 to 3\)", text, re.MULTILINE) == ["2", "2"]
    assert "Of 4 examples only 2 is written out." in text
    assert "is written out" not in explain(step_of("notebook 000", 0), example=2, only="update")


def numbers(text: str) -> list[float]:
    return [float(n.replace(r"\mathrm{e}{", "e").rstrip("}")) for n in re.findall(NUMBER, text)]


NUMBER = r"(?<![\d.e_{-])-?\d+\.\d{4}(?:\\mathrm\{e\}\{-?\d+\}|e-?\d+)?(?!\d)"


@pytest.mark.parametrize("format", ["markdown", "latex"])
@pytest.mark.parametrize("net", ["notebook 000", "batches", "skip", "focal"])
def test_the_other_formats_have_every_number_of_the_text(net: str, format: str) -> None:
    text, other = (set(numbers(explain(step_of(net), format=f))) for f in ("text", format))
    assert len(text) > 30
    assert text <= other


@pytest.mark.parametrize("net", NETS)
def test_latex_is_balanced_ascii_with_two_packages(net: str) -> None:
    """This test finds the usual reasons why pdflatex fails, without running it."""
    latex = explain(step_of(net), format="latex")
    assert latex.isascii()
    assert latex.count("{") == latex.count("}")
    stack: list[str] = []
    for end, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", latex):
        if end == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    assert re.findall(r"\\usepackage(?:\[[^]]*\])?\{(\w+)\}", latex) == ["amsmath", "geometry"]
    for line in latex.splitlines():
        assert len(re.findall(r"\\left\b", line)) == len(re.findall(r"\\right\b", line))


@pytest.mark.parametrize("net", NETS)
def test_markdown_equations_are_between_double_dollars(net: str) -> None:
    markdown = explain(step_of(net), format="markdown")
    outside, inside = markdown.split("$$")[::2], markdown.split("$$")[1::2]
    assert len(outside) == len(inside) + 1
    assert all(part.strip().startswith(r"\begin{aligned}") for part in inside)
    assert all(part.count("$") % 2 == 0 and "\\begin" not in part for part in outside)
    assert markdown.startswith("# One step of training")
    assert not [c for part in inside for c in part if not c.isascii()]


def test_the_explanation_of_a_diverged_run_has_nan() -> None:
    assert "nan" in explain(step_of("diverged", 3))


@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_the_numbers_have_the_bits_of_the_training(engine: str) -> None:
    """The step from epoch 7 to 8 has the run's parameters before and after it, and Adam's state.

    Bit for bit, but for what the machine rounds otherwise in the step itself.
    """
    run = xortrain.train("optimizer=adam", "lr=0.1", "epochs=10", f"engine={engine}")
    step = step_at(run.task, 7)
    for name, value in run.network.split(step.before.theta).items():
        assert np.array_equal(value, run.at(7)[name])
    for name, value in run.network.split(step.after.theta).items():
        rounding = 0 if engine == "numpy" else 1e-13
        np.testing.assert_allclose(value, run.at(8)[name], rtol=rounding, atol=rounding)
    np.testing.assert_allclose(step.after.loss, run.losses[8], rtol=0 if engine == "numpy" else 1e-13)


def test_explaining_does_not_change_a_learner() -> None:
    task = xortrain.train("optimizer.momentum=0.9", "epochs=1").task.take(np.zeros(2, int))
    learner = Learner(task, task.theta.copy())
    take_step(learner, 0)
    assert np.array_equal(learner.theta, task.theta)
    assert not learner.state["velocity"].any()


def test_a_run_of_a_population_has_the_same_explanation_as_alone() -> None:
    first = xortrain.train("seed=5", "epochs=4").task
    second = xortrain.train("seed=9", "epochs=4").task
    both = xortrain.train("seed=5", "epochs=4").task.take(np.array([0, 0]))
    theta = np.concatenate([first.theta, second.theta], axis=1)
    both = both.__class__(**(both.__dict__ | {"theta": theta}))
    assert explain(step_at(both, 3, run=1)) == explain(step_at(second, 3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "html"}, "format=html: no such choice"),
        ({"only": "forwards"}, "Did you mean 'forward'?"),
        ({"precision": 0}, "precision=0: must be from 1 to 17 digits"),
        ({"example": 4}, "example=4: this batch has examples 0 to 3"),
    ],
)
def test_an_invalid_option_is_a_one_line_error(options: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        explain(step_of("notebook 000"), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("explain --format html", "--format=html: no such choice. Known: latex"),
        ("explain --only forwards", "--only=forwards: no such part. Did you mean 'forward'?"),
        ("explain --precision 0", "--precision=0: must be from 1 to 17 digits"),
        ("explain --precision x", "--precision=x: must be a whole number; see"),
        ("explain --precision 1_0", "--precision=1_0: must be a whole number; see"),
        ("explain --example 4", "--example=4: this batch has examples 0 to 3"),
        ("explain --example 1.5", "--example=1.5: must be a whole number; see"),
        ("explain --epoch 999", "--epoch=999: this run has epochs 0 to 140"),
        ("check --epoch 999", "--epoch=999: this run has epochs 0 to 140"),
        ("check --epoch x", "--epoch=x: must be a whole number; see"),
    ],
)
def test_on_the_command_line_an_error_names_the_option(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 2
    assert capsys.readouterr().err.startswith(f"xortrain: error: {message}")


@pytest.mark.parametrize(("epoch", "run", "message"), [(4, 0, "has epochs 0 to 3"), (0, 1, "there are runs 0 to 0")])
def test_a_step_that_does_not_exist_is_an_error(epoch: int, run: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        step_at(xortrain.train("epochs=3").task, epoch, run)


@pytest.mark.parametrize(
    ("value", "precision", "written"),
    [
        (0.5, 4, "0.5"),
        (1.0, 4, "1"),
        (-0.0, 4, "0"),
        (0.73105857863, 4, "0.7311"),
        (0.1, 8, "0.1"),
        (-0.00450705, 4, "-4.5071e-3"),
        (0.75, 1, "0.8"),
        (1e7, 4, "1e7"),
        (1e-8, 4, "1e-8"),
        (-123456.0, 4, "-1.2346e5"),
        (0.001, 4, "0.001"),
        (123456.789, 2, "1.23e5"),
        (0.0001234, 4, "1.234e-4"),
        (np.float32(0.1), 4, "0.1"),
        (np.nan, 4, "nan"),
        (-np.inf, 4, "-inf"),
    ],
)
def test_exact_numbers_have_no_trailing_zeros(value: float, precision: int, written: str) -> None:
    assert format_number(np.asarray(value)[()], precision) == written


def test_large_arrays_are_truncated_in_both_directions() -> None:
    rows = array_cells(np.arange(70.0).reshape(10, 7), 4)
    assert rows[0] == ["0", "1", "2", None, "5", "6"]
    assert rows[3] is None
    assert rows[-1] == ["63", "64", "65", None, "68", "69"]


def test_an_explanation_states_when_a_run_diverged() -> None:
    task = xortrain.train(*NETS["diverged"], "epochs=9").task
    assert "The run diverges here" in explain(step_at(task, 1))
    assert "The run has diverged: from epoch 2 on not every parameter is finite; the step" in explain(step_at(task, 5))
    assert "diverge" not in explain(step_of("notebook 000"))


def test_explain_and_check_find_a_record_under_another_root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["seed=3", "epochs=4", "film=none", f"root={tmp_path}"]) == 0
    capsys.readouterr()
    for words in (["explain", "--epoch", "2"], ["check", "--epoch", "2"]):
        assert main([*words, "latest", "--root", str(tmp_path)]) == 0
        recorded = capsys.readouterr().out
        assert main([*words, "seed=3", "epochs=4"]) == 0
        assert recorded == capsys.readouterr().out


def test_check_prints_json_and_checks_a_diverging_run_only_at_the_start(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["epoch"] for row in rows] == 9 * [0] + 9 * [100]
    assert {row["verdict"] for row in rows} == {"ok"}
    assert main(["check", "--json", *NETS["diverged"]]) == 0
    last = json.loads(capsys.readouterr().out)[-1]
    assert last["epoch"] == 100
    assert last["verdict"].startswith("not checked: epoch=100: the run has diverged")
    assert main(["check", *NETS["diverged"]]) == 0
    assert "passed, 9 of 9" in (out := capsys.readouterr().out)
    assert "not checked: epoch=100: the run has diverged (not every parameter is finite from epoch 2 on)" in out
