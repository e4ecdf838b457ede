"""The seven experiments reproduce every number in the notebooks, to all printed digits (at most 12).

The numbers are copied from the notebooks. test_explain_notebooks.py tests the steps between the loss and the
gradients of the parameters, the vector-Jacobian products.
"""

import re
from functools import cache
from typing import Any

import numpy as np
import pytest

import xortrain
from xortrain.api import Run
from xortrain.nets import Array


@cache
def run_of(experiment: str) -> Run:
    return xortrain.train(f"experiment={experiment}")


def layers(run: Run, epoch: int) -> list[Array]:
    """Return [z1, a1, z2, a2, …], each (examples, units)."""
    net = run.network.forward(run.network.join(run.at(epoch)), run.x)
    return [values for pair in zip(net.z, net.a, strict=True) for values in pair]


def assert_prints(value: Any, printed: str, digits: int) -> None:
    """Compare an array with its printed form, which has this many digits after the point."""
    numbers = [float(text) for text in re.findall(r"-?\d+\.?\d*", printed)]
    np.testing.assert_allclose(np.ravel(value), numbers, rtol=0, atol=0.500001 * 10.0**-digits)


def assert_exact(value: Any, number: float) -> None:
    assert value == pytest.approx(number, rel=1e-12, abs=0)


def test_notebook_000() -> None:
    run = run_of("notebook_000")
    z, h, a, y = layers(run, 0)
    assert_prints(z, "[[-1.   0.5], [ 0.   1.5], [ 0.   1.5], [ 1.   2.5]]", 4)
    assert_prints(h, "[[0.  0.5], [0.  1.5], [0.  1.5], [1.  2.5]]", 4)
    assert_prints(a, "[[ 0.5 -0.5], [-0.5  0.5], [-0.5  0.5], [-0.5  0.5]]", 4)
    assert_prints(y, "[[0.7311 0.2689], [0.2689 0.7311], [0.2689 0.7311], [0.2689 0.7311]]", 4)
    assert_prints(
        run.predict(run.x, epoch=0), "[[0.7311 0.2689], [0.2689 0.7311], [0.2689 0.7311], [0.2689 0.7311]]", 4
    )
    each = run.task.criterion.values(a, y, run.t)
    assert_prints(each, "[[ 0.3133 -0.    ], [-0.      0.3133], [-0.      0.3133], [ 1.3133 -0.    ]]", 4)
    assert_exact(run.losses[0], 0.5632616875182226)


# gV, gb2, gW, gb1 of one example; the notebook ends in the fourth.
PIECES_000 = [
    ("[[-0. -0.1345], [ 0. 0.1345]]", "[-0.2689 0.2689]", "[[0. 0.], [0. 0.]]", "[0. 0.5379]"),
    ("[[ 0. 0.4034], [-0. -0.4034]]", "[ 0.2689 -0.2689]", "[[ 0. 0. ], [-0. -0.5379]]", "[ 0. -0.5379]"),
    ("[[ 0. 0.4034], [-0. -0.4034]]", "[ 0.2689 -0.2689]", "[[ 0. 0. ], [-0.5379 -0. ]]", "[ 0. -0.5379]"),
    ("[[-0.7311 -1.8276], [ 0.7311 1.8276]]", "[-0.7311 0.7311]", "", ""),
]


@pytest.mark.parametrize("example", range(4))
def test_notebook_000_example_by_example(example: int) -> None:
    g = run_of("notebook_000").gradients(epoch=0, example=example)
    for name, printed in zip(("W2", "b2", "W1", "b1"), PIECES_000[example], strict=True):
        if printed:
            assert_prints(g[name], printed, 4)


def test_notebook_000_after_its_step() -> None:
    p = run_of("notebook_000").at(1)
    assert_prints(p["W1"], "[[1.0366 1.0366], [0.9769 0.9769]]", 4)
    assert_prints(p["b1"], "[-0.9634  0.4769]", 4)
    assert_prints(p["W2"], "[[ 1.0183 -0.9711], [-1.0183  0.9711]]", 4)
    assert_prints(p["b2"], "[ 1.0116 -1.0116]", 4)


def test_notebook_001() -> None:
    run = run_of("notebook_001")
    z1, h1, z2, h2 = layers(run, 0)
    assert_prints(z1, "[[-0.4939  0.189 ] [-1.0731  0.6124] [-0.1954  0.2803] [-0.7746  0.7037]]", 8)
    assert_prints(h1, "[[-0.24695  0.189  ] [-0.53655  0.6124 ] [-0.0977   0.2803 ] [-0.3873   0.7037 ]]", 8)
    assert_prints(z2, "[[0.56166233] [0.53440069] [0.66726392] [0.64000228]]", 8)
    assert_prints(h2, "[[0.56166233] [0.53440069] [0.66726392] [0.64000228]]", 8)
    assert_exact(run.losses[0], 0.2631408769381175)
    g = run.gradients()
    assert_prints(g["W2"], "[[-0.05212489  0.08906242]]", 8)
    assert_prints(g["b2"], "[0.20166461]", 8)
    assert_prints(g["W1"], "[[0.0404516  0.02296015] [0.04544467 0.0257942 ]]", 8)
    assert_prints(g["b1"], "[0.05309829 0.05965239]", 8)


def test_notebook_001_example_by_example() -> None:
    """The loss is the mean over four examples, so the notebook prints a quarter of each example's gradient."""
    each = [run_of("notebook_001").gradients(example=n) for n in range(4)]
    assert_prints([g["b2"] / 4 for g in each], "[[ 0.28083117] [-0.23279965] [-0.16636804] [ 0.32000114]]", 8)
    dz1 = "[[ 0.07394285 0.08306986] [-0.06129615 -0.06886214] [-0.0438047 -0.04921167] [ 0.0842563 0.09465634]]"
    assert_prints([g["b1"] / 4 for g in each], dz1, 8)


def test_notebook_001_after_its_step() -> None:
    p = run_of("notebook_001").at(1)
    assert_prints(p["W1"], "[[ 0.2681613  -0.59642011] [ 0.0572165   0.40405435]]", 8)
    assert_prints(p["b1"], "[-0.53372372  0.14426071]", 8)
    assert_prints(p["W2"], "[[0.56569366 0.22900318]]", 8)
    assert_prints(p["b2"], "[0.48455154]", 8)


LOSSES_002 = {
    0: 2.9991464995409807,
    20: 2.850067543754094,
    40: 2.5045921819726082,
    60: 1.5756597251036364,
    80: 0.5779054501565161,
    100: 0.3097308274202594,
    120: 0.2028529568023768,
}


@pytest.mark.parametrize("overrides", [[], ["lr=1"], ["experiment=notebook_002"]])
def test_notebook_002(overrides: list[str]) -> None:
    """The experiment is also the default configuration."""
    run = xortrain.train(*overrides)
    losses = dict(zip(run.loss_epochs.tolist(), run.losses.tolist(), strict=True))
    assert list(losses) == list(range(141))
    for epoch, number in LOSSES_002.items():
        assert_exact(losses[epoch], number)
    assert_prints(losses[0], "2.9991465", 7)
    g = run.gradients(epoch=0)
    assert_prints(g["W2"], "[[0.60353799, 0.35399637]]", 8)
    assert_prints(g["b2"], "[[0.6632421]]", 8)
    assert run.outcome == "solved"


def test_notebook_002_by_hand() -> None:
    run = run_of("notebook_002_by_hand")
    assert run.predict(run.x).tolist() == run.t.tolist() == [[0], [1], [1], [0]]
    assert run.losses.tolist() == [0]


def test_notebook_003() -> None:
    run = run_of("notebook_003")
    assert_exact(run.losses[0], 0.4916119496187501)
    _, _, s, y = layers(run, 0)
    out = run.task.criterion.delta(s, y, run.t)
    assert_prints(out.T, "[[-0.2253525  -0.24719625  0.26584     0.25148625]]", 8)
    g = run.gradients()
    assert_prints(g["W2"], "[[-0.10294599 -0.2059524   0.01762657]]", 8)
    assert_prints(g["W1"], "[[-0.00336313 -0.00410432] [-0.00504469 -0.00615648] [-0.03760503  0.00180272]]", 8)
    rows = (
        "[[-0.00450705 -0.00494393  0.          0.00502973] [-0.00676058 -0.00741589  0.          0.00754459]"
        " [-0.02028173 -0.02224766  0.0239256   0.        ]]"
    )
    each = [run.gradients(example=n)["W1"][:, 0] / run.x[n, 0] / 4 for n in range(4)]
    assert_prints(np.transpose(each), rows, 8)


def test_notebook_003_after_its_step() -> None:
    """The cells ran out of order: the printed forward pass is the one after the step."""
    run = run_of("notebook_003")
    p = run.at(1)
    assert_prints(p["W2"], "[[ 0.07147299  0.1329762   0.08118672]]", 8)
    assert_prints(p["W2"], "0.0715 & 0.1330 & 0.0812", 4)
    assert_prints(p["W1"], "[[ 0.60168156  0.01205216] [ 0.70252235  0.43307824] [ 0.01880251  0.87909864]]", 8)
    s, z, _, y = layers(run, 1)
    assert_prints(
        s.T,
        "[[ 0.4609029   0.12093892 -0.44161944  0.1197337 ] [ 0.87335435  0.16215838 -0.18042917  0.11885056]"
        " [ 0.7173808   0.04771543  0.68917703 -0.04019443]]",
        8,
    )
    assert_prints(
        z.T,
        "[[ 0.4609029   0.12093892  0.          0.1197337 ] [ 0.87335435  0.16215838  0.          0.11885056]"
        " [ 0.7173808   0.04771543  0.68917703  0.        ]]",
        8,
    )
    assert_prints(y.T, "[[ 0.20731924  0.03408093  0.05595202  0.02436202]]", 8)
    assert_prints(run.predict(run.x).T, "[[ 0.20731924  0.03408093  0.05595202  0.02436202]]", 8)
    assert_prints(run.losses[1], "[[ 0.46571183]]", 8)


def assert_third_example_of_004(run: Run) -> None:
    """Check dL/dŷ and the gradient of the last layer in question 5, which are equal in both versions."""
    assert run.x[2].tolist() == [1, 0]
    g, y = run.gradients(example=2), run.predict(run.x)[2, 0]
    assert_prints(g["b2"] / (y * (1 - y)), "[[-2.14682815]]", 8)
    assert_prints(np.append(g["W2"], g["b2"]), "-0.47543491, -0.11752324, -0.53419653", 8)


def test_notebook_004_as_printed() -> None:
    run = run_of("notebook_004_as_printed")
    assert_prints(run.losses, "[3.57030526]", 8)
    assert_prints(run.losses, "3.570", 3)
    assert run.row["accuracy"] * 4 == 2
    assert_third_example_of_004(run)


def test_notebook_004() -> None:
    """The numbers that the notebook would print with the ReLU that it defines."""
    run = run_of("notebook_004")
    assert_exact(run.losses[0], 2.042577237432488)
    assert_prints(run.predict(run.x), "0.44225876 0.5889436 0.46580347 0.15236128", 8)
    assert run.row["accuracy"] * 4 == 3
    assert_third_example_of_004(run)


def test_a_wrong_last_digit_is_caught() -> None:
    with pytest.raises(AssertionError):
        assert_prints([0.7311], "[0.7312]", 4)
    with pytest.raises(AssertionError):
        assert_exact(2.9991464995440, 2.9991464995409807)
