"""Tasks as the JavaScript of the page has them, and Node to run it."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.nets import Array, Numbers
from xortrain.training.task import Choice, Task


def as_plain(task: Task, place: int = 0) -> dict[str, Any]:
    """A task of one run as plain data, as `population.taskOf` of the page makes it."""
    one, network = task.take(np.array([place])), task.network
    return {
        "network": {
            "inputs": network.inputs,
            "layers": [
                {"units": layer.units, "activation": layer.activation, "settings": _numbers(layer.settings, place)}
                for layer in network.layers
            ],
            "bias": network.bias,
            "skip": network.skip,
        },
        "loss": {
            "name": one.criterion.loss,
            "reduction": one.criterion.reduction,
            "settings": _numbers(one.criterion.settings, 0),
        },
        "stages": [*(_stage(stage.task, stage.until, place) for stage in task.stages), _stage(task, None, place)],
        "seed": int(one.seeds[0]),
        "x": _first(one.data.x),
        "t": _first(one.data.t),
        "start": one.theta[:, 0].tolist(),
    }


def _stage(task: Task, until: int | None, place: int) -> dict[str, Any]:
    places = task.network.split(np.arange(task.network.size))
    return {
        "until": until,
        "optimizer": _choice(task.optimizer, place),
        "schedule": _choice(task.schedule, place),
        "lr": task.lr[..., place].tolist(),
        "epochs": task.epochs,
        "batchSize": task.batch_size,
        "shuffle": task.shuffle,
        "frozen": [int(index) for name in task.freeze for index in places[name].ravel()],
    }


def _choice(choice: Choice, place: int) -> dict[str, Any]:
    return {"name": choice.name, "settings": _numbers(choice.settings, place)}


def _numbers(settings: Numbers, place: int) -> dict[str, float]:
    return {name: float(values[place]) for name, values in settings.items()}


def _first(values: Array) -> Any:
    return (values[..., 0] if values.ndim == 3 else values).tolist()


class Node:
    """A folder with the modules of the page, which Node runs."""

    def __init__(self, folder: Path, mathematics: str) -> None:
        self.folder = folder
        for module in (files("xortrain.page") / "app").iterdir():
            if module.name.endswith(".js"):
                (folder / module.name).write_text(module.read_text(encoding="utf-8"), encoding="utf-8")
        (folder / "mathematics.js").write_text(mathematics, encoding="utf-8")
        (folder / "package.json").write_text('{"type": "module"}')

    def run(self, script: str, given: Mapping[str, Any]) -> Any:
        """What a script prints as JSON; ``given`` are its data, as the global `given`."""
        (self.folder / "main.js").write_text(SETUP + script, encoding="utf-8")
        (self.folder / "given.json").write_text(json.dumps(given), encoding="utf-8")
        command = [node_program(), str(self.folder / "main.js")]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=120)
        assert not done.returncode, done.stderr
        return json.loads(done.stdout)


SETUP = """
import { readFileSync } from "node:fs";
import * as tables from "./mathematics.js";
import * as network from "./network.js";
import * as training from "./training.js";
import * as special from "./special.js";

const NAMED = { Infinity, "-Infinity": -Infinity, NaN };
const text = readFileSync("given.json", "utf8").replace(/-?Infinity|NaN/g, '"$&"');
const given = JSON.parse(text, (_, value) => NAMED[value] ?? value);
const plain = (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
const print = (value) => console.log(JSON.stringify(value, plain));
const rows = (lists) => lists.map((list) => Float64Array.from(list));
const stageOf = (stage) => ({ ...stage, lr: typeof stage.lr === "number" ? stage.lr : Float64Array.from(stage.lr) });
const taskOf = ({ x, t, start, stages, ...rest }) => (
  { ...rest, x: rows(x), t: rows(t), start: Float64Array.from(start), stages: stages.map(stageOf) });
"""


def node_program() -> str:
    """Node on the path, or that of a package from PyPI."""
    found = shutil.which("node")
    assert found, "Node is not installed"
    return found
