"""The library safetensors reads what is exported, and what it writes starts a network."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy

import xortrain
from xortrain.bridges.model import Model, write_safetensors
from xortrain.commands.export import export
from xortrain.config.weight_files import weights_in

pytestmark = pytest.mark.interop
ARCHITECTURES = (
    ["architecture.hidden=[3]", "activation=leaky_relu"],
    ["architecture=skip", "architecture.hidden=[2]", "dtype=float32"],
    ["architecture.hidden=[]", "architecture.bias=false"],
)


@pytest.mark.parametrize("own", ARCHITECTURES, ids=str)
def test_weights_are_read_by_the_library_and_start_the_same_network(
    own: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = xortrain.sweep(*own, "seed=5,6", "epochs=3", "film=none")
    for k, run in enumerate(sweep):
        path = tmp_path / f"{k}.safetensors"
        export([f"{sweep.folder}#{k}", "--what", "model", "--output", str(path)])
        arrays = safetensors.numpy.load_file(path)
        assert {name: (own.dtype, own.tobytes()) for name, own in arrays.items()} == {
            name: (own.dtype, own.tobytes()) for name, own in run.at(3).items()
        }
        with safetensors.safe_open(path, "np") as file:
            texts = file.metadata()
        assert texts["architecture"] == run.config["architecture"]["name"]
        assert len(json.loads(texts["activations"])) == len(run.network.layers)
        assert json.loads(texts["inputs"]) == ["x1", "x2"]
        again = xortrain.train(*own, f"init.weights={path}", "epochs=0")
        np.testing.assert_array_equal(again.parameters[0], run.parameters[-1])


def test_what_the_library_writes_is_read_to_the_bit(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        "W1": np.random.RandomState(0).normal(size=(3, 2)),
        "b1": np.array([1, 2, 3], np.float32),
        "W2": np.ones((1, 3), np.float16),
        "b2": np.array([7]),
    }
    safetensors.numpy.save_file(arrays, tmp_path / "a.safetensors", metadata={"by": "the library"})
    found = weights_in(str(tmp_path / "a.safetensors"))
    assert {name: own.tolist() for name, own in found.items()} == {name: own.tolist() for name, own in arrays.items()}
    file = io.BytesIO()
    run = xortrain.train("architecture.hidden=[3]", f"init.weights={tmp_path / 'a.safetensors'}", "epochs=0")
    write_safetensors(Model.of(run), file)
    assert safetensors.numpy.load(file.getvalue())["W1"].tolist() == arrays["W1"].tolist()
