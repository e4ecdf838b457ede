"""Arrays of parameters with learning rates of their own: each parameter is updated as by that rate alone."""

from pathlib import Path

import numpy as np
import pytest
from some_settings import some_settings

import xortrain
from xortrain.nets.optimizers import OPTIMIZERS
from xortrain.nets.setting import in_use
from xortrain.runner.verify import verify

pytestmark = pytest.mark.usefixtures("quick_composition")
FEW = ["epochs=4", "seed=2"]
PARAMETERS, RUNS, UPDATES = 5, 3, 4


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_parameter_moves_as_if_its_rate_were_that_of_all(name: str) -> None:
    row, stream = OPTIMIZERS[name], np.random.RandomState(0)
    start, rates = stream.randn(PARAMETERS, RUNS), stream.uniform(0.01, 2, (PARAMETERS, RUNS))
    gradients = stream.randn(UPDATES, PARAMETERS, RUNS)
    settings = in_use(row.own, some_settings(row.own, RUNS))

    def trained(lr: np.ndarray) -> np.ndarray:
        theta, state = start.copy(), row.start(start, lr, **settings)
        for g in gradients:
            row.update(theta, g.copy(), state, lr, **settings)
        return theta

    found = trained(rates)
    for place in range(PARAMETERS):
        np.testing.assert_array_equal(found[place], trained(rates[place])[place])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_same_rate_for_all_is_lr_to_the_bit(optimizer: str) -> None:
    batches = [] if OPTIMIZERS[optimizer].is_full_batch else ["batch_size=2"]
    words = [f"optimizer={optimizer}", *FEW, "schedule=step", "schedule.every=2", *batches]
    own = [f"layer_lr.{name}=0.3" for name in ("W1", "b1", "W2", "b2")]
    np.testing.assert_array_equal(
        xortrain.train(*words, *own, "lr=7").parameters, xortrain.train(*words, "lr=0.3").parameters
    )


def test_runs_of_a_sweep_are_one_population_with_the_bits_of_each_run_alone(tmp_path: Path) -> None:
    axes = ["layer_lr.W1=geomspace(0.1,10,2)", "layer_lr.b2=0.5,2", "optimizer=adam,adagrad"]
    sweep = xortrain.sweep(*axes, "film=none", f"root={tmp_path}", *FEW)
    assert [part.metadata["varies"] for part in sweep.parts] == [["layer_lr.W1", "layer_lr.b2"]] * 2
    assert set(sweep.axes) == {"layer_lr.W1", "layer_lr.b2", "optimizer"}
    for run in sweep[::5]:
        own = [f"layer_lr.{name}={rate}" for name, rate in run.config["layer_lr"].items()]
        alone = xortrain.train(*own, f"optimizer={run.config['optimizer']['name']}", *FEW)
        np.testing.assert_array_equal(run.parameters, alone.parameters)
        assert run.config["layer_lr"] == alone.config["layer_lr"]
    assert verify(sweep.populations()).startswith("The same to the bit")


def test_one_step_worked_from_the_gradient() -> None:
    """W1 moves by its own rate times its gradient, all others by lr."""
    run = xortrain.train("layer_lr.W1=0.25", "lr=2", "epochs=1", "seed=1")
    before, after, gradient = run.at(0), run.at(1), run.gradients(0)
    for name in before:
        rate = 0.25 if name == "W1" else 2
        np.testing.assert_allclose(after[name], before[name] - rate * gradient[name], rtol=1e-14)


def test_a_training_goes_on_with_other_rates_and_can_be_repeated(tmp_path: Path) -> None:
    sweep = xortrain.sweep("layer_lr.W1=0.5,2", "film=none", f"root={tmp_path}", *FEW)
    more = sweep[1].fork("layer_lr.W2=3", "epochs=8")
    assert more.config["layer_lr"] == {"W1": 2.0, "W2": 3.0}
    assert len(more.setup.earlier) == 1
    assert more.folder
    assert verify(xortrain.load(more.folder).populations()).startswith("The same to the bit")
    np.testing.assert_array_equal(more.parameters[:5], sweep[1].parameters)
    changed = more.parameters[5] - sweep[1].more(4).parameters[5]
    assert changed[6:8].all()
    assert not changed[[0, 1, 2, 3, 4, 5, 8]].any()


def test_an_explanation_has_the_rate_of_each_array() -> None:
    text = str(xortrain.train("layer_lr.W1=0.25", "lr=2", "epochs=1").explain())
    for line in ("ηW1 = 0.25", "ηb1 = 2", "W1' (2×2) = W1 - ηW1 · dL/dW1", "W2' (1×2) = W2 - ηW2 · dL/dW2"):
        assert line in text
    assert str(xortrain.train("lr=2", "epochs=1").explain()).count("  η = 2\n") == 1
