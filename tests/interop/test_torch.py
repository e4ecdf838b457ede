"""The module of a run gives the outputs of `predict`, for every activation, and is one of PyTorch."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xortrain
from xortrain.nets.activations import ACTIVATIONS

torch = pytest.importorskip("torch", exc_type=ImportError)
pytestmark = pytest.mark.interop
X = np.random.RandomState(0).randn(50, 2) * 8
TRAINER = xortrain.trainer("epochs=5", "architecture.hidden=[3,4]")


def outputs(module: Any, x: Any, dtype: Any = torch.float64) -> Any:
    with torch.no_grad():
        return module(torch.tensor(x, dtype=dtype)).numpy()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_gives_the_outputs_of_predict(activation: str) -> None:
    settings = {"init.scale": 3, "epochs": 5 if ACTIVATIONS[activation].has_gradient else 0, "loss": "mse"}
    run = TRAINER(settings, activation=activation)
    module = run.torch()
    assert type(module) is torch.nn.Sequential
    np.testing.assert_allclose(
        outputs(module, X), run.predict(X), rtol=0, atol=1e-12 * max(1, abs(run.predict(X)).max())
    )
    np.testing.assert_allclose(outputs(run.torch(epoch=0), X), run.predict(X, epoch=0), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("output", [name for name in ACTIVATIONS if ACTIVATIONS[name].has_gradient])
def test_every_output_too(output: str) -> None:
    run = TRAINER(output=output, loss="mse", **{"data": "encoder", "architecture.hidden": [3]})
    x = np.random.RandomState(1).randn(20, run.network.inputs)
    np.testing.assert_allclose(outputs(run.torch(), x), run.predict(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "settings",
    [
        {"architecture": "skip"},
        {"architecture": "skip", "architecture.hidden": [1], "architecture.bias": False},
        {"architecture.bias": False},
        {"architecture.hidden": []},
        {"architecture.activations": ["leaky_relu", {"name": "elu", "alpha": 0.5}], "architecture.hidden": [3, 2]},
        {"data": "moons", "data.scale": "standard"},
        {"data": "sine", "data.scale": "minmax"},
    ],
    ids=str,
)
def test_other_networks_too(settings: dict[str, Any]) -> None:
    run = TRAINER(settings)
    x = np.random.RandomState(1).randn(20, run.network.inputs)
    np.testing.assert_allclose(outputs(run.torch(), x), run.predict(x), rtol=1e-12, atol=1e-12)


def test_float32_stays_float32() -> None:
    run = TRAINER(dtype="float32")
    found = outputs(run.torch(), X, torch.float32)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, run.predict(X), atol=1e-6)


def test_gradients_are_those_of_the_run() -> None:
    run = TRAINER(activation="gaussian")
    module, x, t = run.torch(), torch.tensor(run.x), torch.tensor(run.t)
    torch.nn.functional.binary_cross_entropy(module(x), t, reduction=run.config["loss"]["reduction"]).backward()
    found = [p.grad.numpy().ravel() for p in module.parameters()]
    wanted = [g.ravel() for g in run.gradients(run.epochs[-1]).values()]
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(wanted), rtol=1e-9, atol=1e-12)


def test_a_module_is_saved_and_read_back_and_draws_no_random_number() -> None:
    before = torch.random.get_rng_state()
    module, file = TRAINER({"architecture": "skip"}, activation="sin").torch(), io.BytesIO()
    assert torch.equal(before, torch.random.get_rng_state())
    torch.save(module, file)
    file.seek(0)
    np.testing.assert_array_equal(outputs(torch.load(file, weights_only=False), X), outputs(module, X))


OWN = """
import numpy as np
import torch
import xortrain
from xortrain import Activation, number

bent = Activation("bends", lambda z, *, s: np.where(z > 0, np.log1p(s * z * z), np.clip(z, -s, s) ** 3),
                  own={"s": number("s", default=0.5)})

if __name__ == "__main__":
    run = xortrain.trainer("epochs=3", use="own.py")(activation="bent")
    x = np.random.RandomState(0).randn(50, 2)
    print(np.abs(run.torch()(torch.tensor(x)).detach().numpy() - run.predict(x)).max() < 1e-12)
"""


def test_an_activation_of_the_users_own_comes_along(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    done = subprocess.run([sys.executable, "own.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
