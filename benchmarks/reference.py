"""Writes C for one very net: a fused loop over runs, to measure an engine against that runs every net.

One epoch of `nets` is recorded on symbols, all its updates included, and printed as straight scalar code in a loop that
the compiler turns into vectors.  The loop keeps every loss and the last epoch with a wrong example; it has the settings
of the net as constants, and takes data and learning rates at run time, as baseline.c does.
"""

import ctypes
import math
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from xortrain.nets import Array
from xortrain.nets.functions import each
from xortrain.nets.network import Pass
from xortrain.nets.optimizers import SCHEDULES
from xortrain.symbols import Graph, Node, Symbolic
from xortrain.symbols.protocol import Operation
from xortrain.training.learner import Descent
from xortrain.training.success import within
from xortrain.training.task import Task

FLAGS = ["-O3", "-march=native", "-ffast-math", "-fopenmp-simd"]
NUMBERS = 2048
"""Parameters and state of the runs of one block, of 8 bytes each, which fit the first-level cache."""
_SIGNS: dict[Operation, str] = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/",
    np.less: "<", np.less_equal: "<=", np.greater: ">", np.greater_equal: ">=", np.equal: "==", np.not_equal: "!=",
    np.logical_and: "&", np.bitwise_and: "&", np.logical_or: "|", np.bitwise_or: "|",
}  # fmt: skip
_CALLS: dict[Operation, str] = {
    np.abs: "fabs", np.sqrt: "sqrt", np.exp: "exp", np.expm1: "expm1", np.log: "log", np.log1p: "log1p",
    np.power: "pow", np.sin: "sin", np.cos: "cos", np.arctan: "atan", np.tanh: "TANH", each(math.erf): "erf",
    np.maximum: "fmax", np.minimum: "fmin", np.negative: "-",
}  # fmt: skip
_LOOP = """#include <math.h>
/* tanh by exp, as baseline.c has its sigmoid: exact to 1e-16 absolutely, and twice as fast as the library's */
static inline double TANH(double z) {{ return 1.0 - 2.0 / (1.0 + exp(2.0 * z)); }}

void train(double *restrict numbers, const double *restrict rates, const double *restrict x, const double *restrict t,
           double *restrict losses, double *restrict wrong, long runs, long epochs)
{{
    double v[{numbers}][{block}], last[{block}], lr[{block}];
    for (long start = 0; start < runs; start += {block}) {{
        for (long r = 0; r < {block}; r++) {{
            for (long p = 0; p < {numbers}; p++) v[p][r] = numbers[p * runs + start + r];
            lr[r] = rates[start + r];
            last[r] = -1;
        }}
        for (long epoch = 0; epoch < epochs; epoch++) {{
            double *restrict out = losses + epoch * runs + start;
#pragma omp simd
            for (long r = 0; r < {block}; r++) {{
                {epoch}
            }}
        }}
        double *restrict out = losses + epochs * runs + start;
        const long epoch = epochs;
#pragma omp simd
        for (long r = 0; r < {block}; r++) {{
            {judged}
        }}
        for (long r = 0; r < {block}; r++) {{
            for (long p = 0; p < {numbers}; p++) numbers[p * runs + start + r] = v[p][r];
            wrong[start + r] = last[r];
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Reference:
    """The C of a task whose runs have equal settings, except for seeds and learning rates; built in ``folder``."""

    task: Task
    folder: Path

    @cached_property
    def start(self) -> Array:
        """θ and the state of the optimizer, (numbers, runs)."""
        task = self.task
        state = Descent(task).start(task.theta, task.lr)
        return np.concatenate([task.theta, *(value.reshape(-1, task.runs) for value in state.values())])

    @property
    def block(self) -> int:
        """The runs of one block, a power of two."""
        return max(8, 1 << (NUMBERS // len(self.start)).bit_length() - 1)

    @cached_property
    def source(self) -> str:
        """The C of a task; ValueError for what it does not have."""
        task = self.task
        lacks = {
            "schedules": not SCHEDULES[task.schedule.name].is_constant,
            "stop rules": task.stop.name != "never",
            "a random order": task.shuffle and task.batch_size is not None,
            "frozen parameters": bool(task.freeze),
            "rates of layers": task.lr.ndim > 1,
            "each run's own examples": task.data.x.ndim > 2 or task.data.t.shape[2] > 1,
        }
        if any(lacks.values()):
            raise ValueError(f"the reference lacks {', '.join(name for name, is_asked in lacks.items() if is_asked)}")
        epoch, judged = _recorded(self.task)
        lines = {
            name: f"\n{' ' * deep}".join(_statements(*of))
            for name, of, deep in (("epoch", epoch, 16), ("judged", judged, 12))
        }
        return _LOOP.format(numbers=len(self.start), block=self.block, **lines)

    @cached_property
    def library(self) -> ctypes.CDLL:
        """The compiled loop; raises RuntimeError if it computes a function number by number."""
        source = self.folder / "reference.c"
        source.write_text(self.source)
        library = built(source, self.folder)
        names = subprocess.run(["nm", "-u", library], check=True, capture_output=True, text=True).stdout.split()
        called = {name.partition("@")[0] for name in names} & set(_CALLS.values())
        if called:
            raise RuntimeError(f"not vectorized: {', '.join(sorted(called))}")
        return ctypes.CDLL(str(library))

    def train(self, losses: Array, wrong: Array) -> Array:
        """Train all runs: returns θ; fills losses (epochs + 1, runs) and wrong (runs,), their last wrong epoch."""
        task, numbers = self.task, self.start.copy()
        if task.runs % self.block:
            raise ValueError(f"{task.runs} runs are not blocks of {self.block}")
        t = np.ascontiguousarray(task.data.t[..., 0])
        pointers = _pointers(numbers, task.lr, task.data.x, t, losses, wrong)
        self.library.train(*pointers, ctypes.c_long(task.runs), ctypes.c_long(task.epochs))
        return numbers[: len(task.theta)]


def built(source: Path, folder: Path) -> Path:
    """A shared library of one C file, made in a folder."""
    library = folder / f"{source.stem}.so"
    subprocess.run(["gcc", *FLAGS, "-shared", "-fPIC", "-o", library, source, "-lmvec", "-lm"], check=True)
    return library


def baseline(task: Task, folder: Path) -> Callable[[], Array]:
    """The training of a task by baseline.c, for its net alone; it returns θ, and keeps and watches nothing."""
    train = ctypes.CDLL(str(built(Path(__file__).with_name("baseline.c"), folder))).train
    t = np.ascontiguousarray(task.data.t[..., 0])

    def run() -> Array:
        theta = task.theta.copy()
        train(*_pointers(theta, task.lr, task.data.x, t), *map(ctypes.c_long, (task.runs, task.epochs, 1024)))
        return theta

    return run


def _pointers(*arrays: Array) -> list[ctypes.c_void_p]:
    return [array.ctypes.data_as(ctypes.c_void_p) for array in arrays]


class _Names(dict[Node, str]):
    """The inputs of a graph, with their names in C."""

    def inputs(self, *shape: int, written: str, first: int = 0) -> Any:
        """New inputs, whose names have their numbers."""
        symbols = Symbolic.inputs(*shape)
        self.update((node, written.format(first + k)) for k, node in enumerate(symbols.nodes.ravel()))
        return symbols


Part = tuple[Graph, Mapping[str, Any]]
"""A graph, and what it sets: names in C to nodes."""


def _recorded(task: Task) -> tuple[Part, Part]:
    """One epoch, judged and trained, and its judging alone."""
    one, names = task.take(np.zeros(1, int)), _Names()
    theta, lr = names.inputs(*one.theta.shape, written="v[{}][r]"), names.inputs(1, written="lr[r]")
    x, t = (names.inputs(*part.shape, written=f"{of}[{{}}]") for of, part in (("x", one.data.x), ("t", one.data.t)))
    descent, state, place = Descent(one), dict[str, Any](), len(theta)
    for name, value in descent.start(one.theta, one.lr).items():
        state[name] = names.inputs(*value.shape, written="v[{}][r]", first=place)
        place += value.size
    first = _walk(one, theta, x)
    loss: Any = one.criterion.total(first.z[-1], first.y, t)
    low, high = (np.nan_to_num(bound) for bound in one.success.interval(one.data.t))
    right = np.logical_and.reduce(within(first.y, (low, high)), axis=0)
    wrong: Any = np.where(right, names.inputs(1, written="last[r]"), names.inputs(1, written="epoch"))
    judged = {"out[r]": loss.nodes.item(), "last[r]": wrong.nodes.item()}
    size = one.batch_size or len(x)
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        walk = _walk(one, theta, x[part])
        g = walk.backward(one.criterion.delta(walk.z[-1], walk.y, t[part]))
        theta = theta.copy()
        descent.update(theta, g, state, lr, theta[descent.frozen])
    numbers = [node for values in (theta, *state.values()) for node in values.nodes.ravel()]
    trained = {f"v[{k}][r]": node for k, node in enumerate(numbers)}
    return (Graph(names), judged | trained), (Graph(names), judged)


def _walk(task: Task, theta: Any, x: Any) -> Any:
    walk = Pass(task.network, theta, x, empty=Symbolic.empty)  # type: ignore[arg-type]
    walk.forward()
    return walk


def _statements(graph: Graph, targets: Mapping[str, Any]) -> list[str]:
    """The lines of C that set the targets, each expression once; inputs are read before anything is set."""
    places = {name: graph.add(node) for name, node in targets.items()}
    uses = graph.uses(places.values())
    names, lines = dict[int, str](), []
    for place, (operation, arguments) in enumerate(graph.entries):
        if place not in uses:
            continue
        if isinstance(operation, float):
            names[place] = f"({operation!r})" if math.isfinite(operation) else "NAN"
            continue
        names[place] = f"s{place}"
        own = [names[k] for k in arguments]
        lines.append(f"const __auto_type s{place} = {_written(operation, own)};")
    return [*lines, *(f"{name} = {names[place]};" for name, place in places.items())]


def _written(operation: Any, arguments: list[str]) -> str:
    if isinstance(operation, str):
        return operation
    if operation in _SIGNS:
        first, second = arguments
        return f"{first} {_SIGNS[operation]} {second}"
    if operation is np.where:
        return "{} ? {} : {}".format(*arguments)
    if operation is np.clip:
        return "fmin(fmax({}, {}), {})".format(*arguments)
    return f"{_CALLS[operation]}({', '.join(arguments)})"
