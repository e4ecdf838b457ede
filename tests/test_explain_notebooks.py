"""The explanation of each step contains every number that the notebook prints, under the right name.

The numbers are copied from the notebooks; the text of the explanations is parsed.
"""

import re
from functools import cache

import numpy as np
import pytest

import xortrain
from xortrain.explain.explanation import explain
from xortrain.explain.step import step_at

pytestmark = pytest.mark.usefixtures("quick_composition")
Quantities = dict[str, list[float]]
NUMBER = r"-?(?:\d+\.?\d*(?:e-?\d+)?|inf|nan)"


@cache
def read(experiment: str, epoch: int = 0) -> dict[str, Quantities]:
    """Return the flattened values by section and name; "Forward 2" is example 2, "Forward all" all examples."""
    text = explain(step_at(xortrain.train(f"experiment={experiment}").task, epoch), precision=16)
    found: dict[str, Quantities] = {}
    part, place = "", ""
    for block in text.split("\n\n"):
        if heading := re.fullmatch(r"([A-Z]+)\n-+", block):
            part = heading[1].capitalize()
        elif example := re.fullmatch(r"Example (\d+) \(of 0 to \d+\)", block):
            place = f"{part} {example[1]}"
        elif block == "All examples":
            place = f"{part} all"
        elif re.fullmatch(r"[Wb]\d|After the update", block):
            place = part
        elif equation := re.match(r"  (\S+)(?: \([^)]*\))? =", block):
            found.setdefault(place, {})[equation[1]] = value_of(block)
        elif right := re.match(r"(\d+) of (\d+) examples (?:is|are) right", block):
            found[place]["right"] = [float(count) for count in right.groups()]
    return found


def value_of(block: str) -> list[float]:
    """Return the numbers after the last = of an equation, without its check."""
    lines = block.split("\n")
    lines = lines[: next((k for k, line in enumerate(lines) if line.lstrip().startswith("≈")), len(lines))]
    return [float(number) for number in re.findall(NUMBER, "\n".join(lines).rpartition("=")[2])]


def assert_prints(values: list[float], printed: str, digits: int) -> None:
    """Compare values with their printed form, which has this many digits after the point."""
    numbers = [float(number) for number in re.findall(NUMBER, printed)]
    np.testing.assert_allclose(values, numbers, rtol=0, atol=0.500001 * 10.0**-digits)


def rows(printed: str) -> list[str]:
    return re.findall(r"\[[^\[\]]*\]", printed)


def columns(printed: str) -> list[str]:
    """Return the columns of a printed array, one per example."""
    table = [re.findall(NUMBER, row) for row in rows(printed)]
    return [" ".join(column) for column in zip(*table, strict=True)]


def test_notebook_000_forward() -> None:
    step = read("notebook_000")
    printed = {
        "z1": "[[-1. 0.5], [0. 1.5], [0. 1.5], [1. 2.5]]",
        "a1": "[[0. 0.5], [0. 1.5], [0. 1.5], [1. 2.5]]",
        "z2": "[[0.5 -0.5], [-0.5 0.5], [-0.5 0.5], [-0.5 0.5]]",
        "y": "[[0.7311 0.2689], [0.2689 0.7311], [0.2689 0.7311], [0.2689 0.7311]]",
        "losses": "[[0.3133 -0.], [-0. 0.3133], [-0. 0.3133], [1.3133 -0.]]",
    }
    for name, numbers in printed.items():
        for n, row in enumerate(rows(numbers)):
            assert_prints(step[f"Forward {n}"][name], row, 4)
    assert step["Forward all"]["L"] == [pytest.approx(0.5632616875182226, rel=1e-12)]


# The quantities in the order of the notebook.
CHAIN_000 = ("δ2", "dℓ/dW2", "dℓ/db2", "dℓ/da1", "J1", "δ1", "dℓ/dW1", "dℓ/db1", "dℓ/dx")
PRINTED_000 = {
    0: (
        "-0.2689 0.2689",
        "[-0. -0.1345], [0. 0.1345]",
        "-0.2689 0.2689",
        "-0.5379 0.5379",
        "[0. 0.], [0. 1.]",
        "0. 0.5379",
        "[0. 0.], [0. 0.]",
        "0. 0.5379",
        "0.5379 0.5379",
    ),
    1: (
        "0.2689 -0.2689",
        "[0. 0.4034], [-0. -0.4034]",
        "0.2689 -0.2689",
        "0.5379 -0.5379",
        "[0. 0.], [0. 1.]",
        "0. -0.5379",
        "[0. 0.], [-0. -0.5379]",
        "0. -0.5379",
        "-0.5379 -0.5379",
    ),
    2: (
        "0.2689 -0.2689",
        "[0. 0.4034], [-0. -0.4034]",
        "0.2689 -0.2689",
        "0.5379 -0.5379",
        "[0. 0.], [0. 1.]",
        "0. -0.5379",
        "[0. 0.], [-0.5379 -0.]",
        "0. -0.5379",
        "-0.5379 -0.5379",
    ),
    3: ("-0.7311 0.7311", "[-0.7311 -1.8276], [0.7311 1.8276]", "-0.7311 0.7311"),  # the notebook ends here
}


@pytest.mark.parametrize("example", PRINTED_000)
def test_notebook_000_backward_example_by_example(example: int) -> None:
    step = read("notebook_000")[f"Backward {example}"]
    for name, numbers in zip(CHAIN_000, PRINTED_000[example], strict=False):
        assert_prints(step[name], numbers, 4)


def test_notebook_000_update() -> None:
    step = read("notebook_000")["Update"]
    assert_prints(step["W1'"], "[[1.0366 1.0366], [0.9769 0.9769]]", 4)
    assert_prints(step["b1'"], "[-0.9634 0.4769]", 4)
    assert_prints(step["W2'"], "[[1.0183 -0.9711], [-1.0183 0.9711]]", 4)
    assert_prints(step["b2'"], "[1.0116 -1.0116]", 4)


def test_notebook_001() -> None:
    step = read("notebook_001")
    forward = {
        "z1": "[[-0.4939 0.189] [-1.0731 0.6124] [-0.1954 0.2803] [-0.7746 0.7037]]",
        "a1": "[[-0.24695 0.189] [-0.53655 0.6124] [-0.0977 0.2803] [-0.3873 0.7037]]",
        "z2": "[[0.56166233] [0.53440069] [0.66726392] [0.64000228]]",
        "y": "[[0.56166233] [0.53440069] [0.66726392] [0.64000228]]",
    }
    for name, numbers in forward.items():
        for n, row in enumerate(rows(numbers)):
            assert_prints(step[f"Forward {n}"][name], row, 8)
    assert step["Forward all"]["L"] == [pytest.approx(0.2631408769381175, rel=1e-12)]
    backward = {
        "dL/dy": "[[0.28083117] [-0.23279965] [-0.16636804] [0.32000114]]",
        "dL/dz2": "[[0.28083117] [-0.23279965] [-0.16636804] [0.32000114]]",
        "dL/da1": "[[0.14788569 0.08306986] [-0.1225923 -0.06886214] [-0.08760941 -0.04921167] [0.1685126 0.09465634]]",
        "dL/dz1": "[[0.07394285 0.08306986] [-0.06129615 -0.06886214] [-0.0438047 -0.04921167] [0.0842563 0.09465634]]",
        "dL/dW2": "[[-0.05212489 0.08906242]]",
        "dL/db2": "[0.20166461]",
        "dL/dW1": "[[0.0404516 0.02296015] [0.04544467 0.0257942]]",
        "dL/db1": "[0.05309829 0.05965239]",
    }
    for name, numbers in backward.items():
        assert_prints(step["Backward all"][name], numbers, 8)
    update = {
        "W1'": "[[0.2681613 -0.59642011] [0.0572165 0.40405435]]",
        "b1'": "[-0.53372372 0.14426071]",
        "W2'": "[[0.56569366 0.22900318]]",
        "b2'": "[0.48455154]",
    }
    for name, numbers in update.items():
        assert_prints(step["Update"][name], numbers, 8)


def test_notebook_002_by_hand() -> None:
    step = read("notebook_002_by_hand")
    assert [step[f"Forward {n}"]["y"] for n in range(4)] == [[0], [1], [1], [0]]


def test_notebook_002_gradient() -> None:
    step = read("notebook_002")
    assert_prints(step["Forward all"]["L"], "2.9991465", 7)
    assert_prints(step["Backward all"]["dL/dW2"], "[[0.60353799, 0.35399637]]", 8)
    assert_prints(step["Backward all"]["dL/db2"], "[[0.6632421]]", 8)


@pytest.mark.parametrize(
    ("epoch", "loss"),
    [
        (0, 2.9991464995409807),
        (20, 2.850067543754094),
        (40, 2.5045921819726082),
        (60, 1.5756597251036364),
        (80, 0.5779054501565161),
        (100, 0.3097308274202594),
        (120, 0.2028529568023768),
    ],
)
def test_notebook_002_losses(epoch: int, loss: float) -> None:
    """The loss before the step is that of the epoch, and the loss after the step that of the next epoch."""
    step = read("notebook_002", epoch)
    assert step["Forward all"]["L"] == [pytest.approx(loss, rel=1e-12)]
    assert step["Update"]["L'"] == [pytest.approx(read("notebook_002", epoch + 1)["Forward all"]["L"][0], rel=1e-15)]


def test_notebook_002_predictions() -> None:
    step = read("notebook_002", 139)
    assert [round(step[f"Forward {n}"]["y"][0]) for n in range(4)] == [0, 1, 1, 0]


def test_notebook_003_backward_is_from_before_the_step() -> None:
    step = read("notebook_003")["Backward all"]
    assert_prints(step["dL/dy"], "[[-0.2253525 -0.24719625 0.26584 0.25148625]]", 8)
    assert_prints(step["dL/dz2"], "[[-0.2253525 -0.24719625 0.26584 0.25148625]]", 8)
    assert_prints(step["dL/dW2"], "[[-0.10294599 -0.2059524 0.01762657]]", 8)
    delta = (
        "[[-0.00450705 -0.00494393 0. 0.00502973] [-0.00676058 -0.00741589 0. 0.00754459]"
        " [-0.02028173 -0.02224766 0.0239256 0.]]"
    )
    assert_prints(step["dL/dz1"], " ".join(columns(delta)), 8)
    assert_prints(step["dL/dW1"], "[[-0.00336313 -0.00410432] [-0.00504469 -0.00615648] [-0.03760503 0.00180272]]", 8)
    assert read("notebook_003")["Forward all"]["L"] == [pytest.approx(0.4916119496187501, rel=1e-12)]


def test_notebook_003_update() -> None:
    step = read("notebook_003")["Update"]
    assert_prints(step["W2'"], "[[0.07147299 0.1329762 0.08118672]]", 8)
    assert_prints(step["W2'"], "0.0715 & 0.1330 & 0.0812", 4)
    assert_prints(step["W1'"], "[[0.60168156 0.01205216] [0.70252235 0.43307824] [0.01880251 0.87909864]]", 8)
    assert_prints(step["L'"], "[[0.46571183]]", 8)


def test_notebook_003_forward_is_from_after_the_step() -> None:
    printed = {
        "z1": "[[0.4609029 0.12093892 -0.44161944 0.1197337] [0.87335435 0.16215838 -0.18042917 0.11885056]"
        " [0.7173808 0.04771543 0.68917703 -0.04019443]]",
        "a1": "[[0.4609029 0.12093892 0. 0.1197337] [0.87335435 0.16215838 0. 0.11885056]"
        " [0.7173808 0.04771543 0.68917703 0.]]",
        "z2": "[[0.20731924 0.03408093 0.05595202 0.02436202]]",
        "y": "[[0.20731924 0.03408093 0.05595202 0.02436202]]",
    }
    step = read("notebook_003", 1)
    for name, numbers in printed.items():
        for n, column in enumerate(columns(numbers)):
            assert_prints(step[f"Forward {n}"][name], column, 8)
    assert_prints(step["Forward all"]["L"], "[[0.46571183]]", 8)


def test_notebook_004_as_printed() -> None:
    """The answers to questions 2 to 4 that the notebook prints."""
    step = read("notebook_004_as_printed")
    assert step["Forward all"]["right"] == [2, 4]
    assert_prints(step["Forward all"]["L"], "[3.57030526]", 8)
    assert_prints(step["Forward all"]["L"], "3.570", 3)
    assert step["Forward 2"]["x"] == [1, 0]
    assert_prints(step["Backward 2"]["dℓ/dy"], "[[-2.14682815]]", 8)


@pytest.mark.parametrize("experiment", ["notebook_004", "notebook_004_as_printed"])
def test_notebook_004_question_5(experiment: str) -> None:
    """The gradient of the last layer for x3 = (1, 0), which the notebook could not compute."""
    step = read(experiment)["Backward 2"]
    assert_prints(step["dℓ/dW2"] + step["dℓ/db2"], "-0.47543491, -0.11752324, -0.53419653", 8)


def test_notebook_004_with_the_relu_that_it_defines() -> None:
    """The correct answers to questions 1 to 4."""
    step = read("notebook_004")
    outputs = [step[f"Forward {n}"]["y"][0] for n in range(4)]
    assert_prints(outputs, "0.44225876 0.5889436 0.46580347 0.15236128", 8)
    assert step["Forward all"]["right"] == [3, 4]
    assert step["Forward all"]["L"] == [pytest.approx(2.042577237432488, rel=1e-12)]
    assert_prints(step["Backward 2"]["dℓ/dy"], "[[-2.14682815]]", 8)


def test_a_wrong_last_digit_is_caught() -> None:
    with pytest.raises(AssertionError):
        assert_prints(read("notebook_000")["Forward 0"]["y"], "0.7312 0.2689", 4)
