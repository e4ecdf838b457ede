"""A trained network without its training: parameters by name, scaling, and what is needed to use them elsewhere."""

import json
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

import numpy as np

from xortrain.errors import needed
from xortrain.nets import Array
from xortrain.nets.datasets import DataScaling
from xortrain.nets.network import Network
from xortrain.trained.run_data import RunData


@dataclass(frozen=True)
class Model:
    """One run after one epoch; ``texts`` describe it, each a text or JSON in one."""

    network: Network
    parameters: dict[str, Array]
    scaling: DataScaling
    texts: dict[str, str]

    @classmethod
    def of(cls, run: RunData, best: bool = False) -> "Model":
        """The network of a run with its last parameters, or with the best."""
        theta = run.best_theta if best else np.array(run.parameters[-1])
        network, scaling = run.network, run.task.scaling.take(0)
        last = int(run.epochs[-1])
        facts: dict[str, Any] = {
            "network": str(network),
            "architecture": run.config["architecture"]["name"],
            "activations": [_activation(layer.activation, layer.settings) for layer in network.layers],
            "inputs": run.input_names,
            "outputs": run.output_names,
            "classes": run.classes,
            "scaling": {
                f"{name}_{end}": values.tolist()
                for name, own in (("x", scaling.inputs), ("y", scaling.targets))
                for end, values in zip(("shift", "factor"), own.fitted or (), strict=False)
            },
            "epoch": run.best_epoch if best else min(last, int(run.row["epochs_done"])),
            "xortrain": sys.modules["xortrain"].__version__,
        }
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()}
        return cls(network, network.split(theta), scaling, texts)

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        return self.parameters["W1"].dtype


def _activation(name: str, settings: Any) -> str | dict[str, Any]:
    """An activation as architecture.activations has it."""
    return {"name": name, **{key: float(values[0]) for key, values in settings.items()}} if settings else name


def write_npz(model: Model, file: IO[bytes]) -> None:
    """W1 (fan_out, fan_in), b1 (fan_out,), …: arrays of numbers alone."""
    np.savez(file, **model.parameters)  # type: ignore[arg-type]


def write_safetensors(model: Model, file: IO[bytes]) -> None:
    """The same arrays, and the texts as metadata."""
    save = needed("safetensors.numpy", "safetensors", ".safetensors").save
    arrays = {name: np.ascontiguousarray(values) for name, values in model.parameters.items()}
    file.write(save(arrays, metadata=model.texts))
