"""A run in memory goes on with other examples, as its network, its optimizer and the coding of its classes are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import xortrain
from xortrain.api import Run
from xortrain.config.variations import Variations
from xortrain.errors import UserError
from xortrain.nets import Array
from xortrain.nets.losses import LOSSES
from xortrain.runner.continuation import continue_run
from xortrain.runner.train import train_run
from xortrain.setup.own_arrays import array_data, with_classes, with_numbers
from xortrain.setup.own_data import OwnData
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup

pytestmark = pytest.mark.usefixtures("quick_composition")

X = np.random.RandomState(0).randn(40, 2)
CLASS = (X[:, 0] * X[:, 1] > 0).astype(int)
OWN = Variations(["data=csv"])
TRAINER = xortrain.trainer("optimizer=adam", "lr=0.1", "epochs=6", "architecture.hidden=[4]", data=(X, CLASS))


def go_on(run: Run, own: OwnData, *overrides: str) -> Run:
    return Run(continue_run(run, [*overrides, "epochs=+6"], own=own)[0].trained)


@pytest.mark.parametrize("settings", [{}, {"batch_size": 7}, {"data.scale": "standard"}, {"stop": "patience"}], ids=str)
def test_the_same_examples_are_one_longer_training(settings: dict[str, Any]) -> None:
    longer = TRAINER(settings, epochs=12)
    run = go_on(TRAINER(settings), array_data((X, CLASS)))
    assert run.parameters.tobytes() == longer.parameters.tobytes()
    assert run.losses.tobytes() == longer.losses.tobytes()


def test_other_examples_are_scaled_as_those_before() -> None:
    run, far = TRAINER({"data.scale": "standard"}), array_data((X * 100 + 5, CLASS))
    after = go_on(run, far)
    np.testing.assert_array_equal(after.predict(X, epoch=6), run.predict(X))
    np.testing.assert_array_equal(after.x, X * 100 + 5)
    y = run.predict(X * 100 + 5)
    assert after.losses[6] == pytest.approx(-np.log(np.where(CLASS == 1, y[:, 0], 1 - y[:, 0])).mean(), rel=1e-9)


def test_a_run_that_its_rule_has_stopped_goes_on_with_other_examples() -> None:
    sign = (X[:, 0] > 0).astype(int)
    run = xortrain.train("optimizer=rprop", "epochs=1000", "stop=solved", data=(X, sign))
    assert run.row["epochs_done"] < 1000
    same = go_on(run, array_data((X, sign)))
    assert same.row["epochs_done"] == run.row["epochs_done"]  # where the rule holds at once
    other = go_on(run, array_data((X, 1 - sign)))
    assert other.row["epochs_done"] == run.row["epochs_done"] + 6


@pytest.mark.parametrize(
    ("x", "t", "line"),
    [
        (X[:, :1], CLASS, "must have as many inputs and outputs as the network, 2 and 1, not 1 and 1"),
        (X, np.stack([CLASS, CLASS], axis=1), "2 and 1, not 2 and 2"),
        (X, CLASS + 0.5, "loss=bce: requires targets from 0 to 1"),
    ],
)
def test_examples_that_do_not_fit_the_network_are_refused(x: Array, t: Array, line: str) -> None:
    with pytest.raises(UserError, match=line):
        go_on(TRAINER(), with_numbers(array_data((x, t))))


@pytest.mark.parametrize("present", [[0, 1, 2], [2, 1], [1]], ids=str)
@pytest.mark.parametrize("names", ["ab", "abc"])
def test_classes_without_an_example_are_coded_and_told_apart(present: Sequence[int], names: str) -> None:
    """The targets are rows of what all classes have, and a class is the index of its own target."""
    indices = np.array([k for k in present if k < len(names)] * 4)
    kinds: dict[str, str] = {row.targets: loss for loss, row in LOSSES.items()}
    for kind, loss in {"": "auto", **kinds}.items():
        settings = OWN.of({"loss": loss, "epochs": 0})
        own, every = (
            with_classes(array_data((np.ones((len(t), 1)), t)), names) for t in (indices, np.arange(len(names)))
        )
        if len(names) > 2 and kind in ("unit", "signs"):
            with pytest.raises(UserError, match=f"loss={loss}: the target y has 3 classes; add loss=cross_entropy"):
                train_run(settings, own)
            continue
        codes = Setup.of(Population(settings, own=every)).train.t[..., 0]
        run = Run(train_run(settings, own).trained)
        np.testing.assert_array_equal(run.t, codes[indices])
        np.testing.assert_array_equal(run.class_indices(codes), np.arange(len(names)))
        assert run.classes == tuple(names)


@pytest.mark.parametrize("values", [(3.0, 7.0), (0.0, 1.0), (1.0, 2.0, 3.0)], ids=str)
def test_numbers_are_numbers_however_few(values: tuple[float, ...]) -> None:
    t = np.resize(values, 12)
    for targets in (t[:, None], np.stack([t, -t], axis=1)):
        run = Run(train_run(OWN.of({"epochs": 0}), with_numbers(array_data((X[:12], targets)))).trained)
        assert run.config["loss"]["name"] == "mse"
        np.testing.assert_array_equal(run.t, targets)
        assert run.classes == ()
