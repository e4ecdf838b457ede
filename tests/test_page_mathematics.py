"""The JavaScript of the page computes what NumPy does: every row of every table, and whole trainings.

One Node process answers all questions; a new row of a table is among them by being there.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_tasks import Page, as_plain
from some_runs import composed
from some_settings import some_settings
from test_losses import some_targets

from xortrain.config.check import check
from xortrain.config.settings import GROUPS, defaults_of
from xortrain.nets import Array, Numbers
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.losses import LOSSES, Criterion
from xortrain.nets.network import Layer, Network
from xortrain.nets.optimizers import OPTIMIZERS, SCHEDULES
from xortrain.nets.setting import Settings
from xortrain.page.javascript import mathematics
from xortrain.page.unrolled import unrolled
from xortrain.records.groups import wilson
from xortrain.setup.population import Population
from xortrain.setup.run_setup import Setup
from xortrain.training.learner import Learner, order
from xortrain.training.task import Choice, Data, Task

WIDTH, EPOCHS = 3, 200
CORNERS = np.array([0, 1, -1, 3, -3, 6, -0.5, 40, -40])


@cache
def inputs(seed: int = 0) -> Array:
    """Return 8,001 numbers as (examples, units, 1): near 0, far from it, and the corners of activations."""
    rng = np.random.default_rng(seed)
    numbers = np.concatenate([rng.normal(0, 3, 4000), rng.uniform(-30, 30, 3992), CORNERS])
    return numbers.reshape(-1, WIDTH, 1)


@dataclass(frozen=True)
class Function:
    """A function of the tables: where JavaScript has it, its arrays and settings, and what NumPy computes."""

    path: tuple[str, ...]
    arrays: tuple[Array, ...]
    settings: Numbers
    expected: Array
    in_place: bool = False

    def asked(self) -> dict[str, Any]:
        settings = {name: float(value[0]) for name, value in self.settings.items()}
        return {"path": self.path, "arrays": self.arrays, "settings": settings, "inPlace": self.in_place}


def settings_of(settings: Settings) -> Numbers:
    """Return settings of one run, none of them 0."""
    return {name: values[1:2] for name, values in some_settings(settings, 3).items()}


def activations() -> Iterator[Function]:
    z, upstream = inputs(), np.clip(inputs(1), -5, 5)
    for name, row in ACTIVATIONS.items():
        settings = settings_of(row.settings)
        a = np.array(row.f(z.copy(), **settings), np.float64)
        yield Function(("ACTIVATIONS", name, "f"), (z,), settings, a)
        back = row.backward(z.copy(), a.copy(), upstream.copy(), **settings)
        yield Function(("ACTIVATIONS", name, "backward"), (z, a, upstream), settings, back, in_place=True)


def losses() -> Iterator[Function]:
    z = inputs()
    for name, row in LOSSES.items():
        settings, t = settings_of(row.own), some_targets(name, z.shape)
        t = np.array(np.broadcast_to(t, z.shape))
        y = np.array(ACTIVATIONS[row.output].f(z.copy()))
        yield Function(("LOSSES", name, "value"), (y, t), settings, row.value(y, t, **settings))
        yield Function(("LOSSES", name, "gradient"), (y, t), settings, row.gradient(y, t, **settings))
        if row.spread:
            share = {"label_smoothing": np.array([0.1])}
            yield Function(("LOSSES", name, "smoothed"), (t,), share, row.smoothed(t, 0.1, WIDTH))
        if row.joint:
            path, delta = ("LOSSES", name, "joint"), row.joint.delta(z, y, t, **settings)
            yield Function((*path, "value"), (z, t), settings, row.joint.value(z, t, **settings))
            yield Function((*path, "delta"), (z, y, t), settings, delta)


@cache
def functions() -> dict[str, Function]:
    with np.errstate(all="ignore"):
        return {" ".join(one.path): one for one in (*activations(), *losses())}


@dataclass(frozen=True)
class Moves:
    """Updates of one optimizer by given gradients, with rates of their own for some parameters."""

    name: str
    options: Numbers

    lr = np.linspace(0.01, 0.2, 9)
    theta = np.random.default_rng(0).normal(size=9)
    gradients = np.random.default_rng(1).normal(size=(30, 9))

    def asked(self) -> dict[str, Any]:
        settings = {key: float(values[0]) for key, values in self.options.items()}
        own = {"settings": settings, "lr": self.lr, "theta": self.theta, "gradients": list(self.gradients)}
        return {"name": self.name, **own}

    def expected(self) -> Array:
        row, theta, lr = OPTIMIZERS[self.name], self.theta[:, None].copy(), self.lr[:, None]
        used = {key: v for key, v in self.options.items() if not row.settings[key].optional or v.any()}
        state = row.start(theta, lr, **used)
        for g in self.gradients:
            row.update(theta, g[:, None].copy(), state, lr, **used)
        return theta[:, 0]


@cache
def moves() -> dict[str, Moves]:
    found = dict[str, Moves]()
    for name, row in OPTIMIZERS.items():
        options = settings_of(row.own)
        plain = {key: 0 * values if row.own[key].optional else values for key, values in options.items()}
        found |= {f"{name}, all options": Moves(name, options), f"{name}, plain": Moves(name, plain)}
    return found


FACTORS = {
    f"{name} {number}": (
        name,
        {key: values[number : number + 1] for key, values in some_settings(row.settings, 3).items()},
    )
    for name, row in SCHEDULES.items()
    for number in range(3)
} | {"step 1.1": ("step", {"every": np.array([1.1]), "gamma": np.array([0.5])})}
"""Schedules with settings; 11 epochs are nine whole steps of 1.1 epochs, which is a little more than 11 / 10."""

NAMED: dict[str, dict[str, Any]] = {
    "skip connection": {"architecture": ("skip", {"hidden": [1]}), "lr": 0.5},
    "softmax with label smoothing": {
        "data": "encoder", "loss": ("cross_entropy", {"label_smoothing": 0.1}), "output": "softmax",
        "architecture": ("mlp", {"hidden": [3]}),
    },
    "shuffled mini-batches": {
        "data": ("moons", {"examples": 50}), "batch_size": 16, "activation": "tanh", "lr": 0.1,
        "architecture": ("mlp", {"hidden": [4]}),
    },
    "mini-batches in order": {"data": ("moons", {"examples": 50}), "batch_size": 7, "shuffle": False, "seed": 3},
    "deep tanh with adam": {
        "data": ("spiral", {"examples": 40}), "activation": "tanh", "optimizer": "adam", "lr": 0.03,
        "architecture": ("mlp", {"hidden": [8, 8]}),
    },
    "leaky_relu with momentum": {
        "activation": ("leaky_relu", {"slope": 0.2}), "lr": 0.05,
        "optimizer": ("sgd", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.001}),
    },
    "penalties and clipping": {"optimizer": ("adam", {"l1": 0.01, "l2": 0.02, "clip_norm": 0.3, "amsgrad": True})},
    "clipped parts in batches": {
        "data": ("moons", {"examples": 50}), "batch_size": 16, "optimizer": ("sgd", {"clip_value": 0.1, "l2": 0.1}),
    },
    "layers with rates of their own, one frozen": {
        "layer_lr": {"W1": 0.1, "b2": 0.7}, "freeze": ["b1"], "schedule": "cosine", "epochs": EPOCHS, "seed": 2,
    },
    "sum over the examples of a regression": {
        "data": ("sine", {"examples": 20}), "loss": ("half_sse", {"reduction": "sum"}), "lr": 0.002,
        "activation": "tanh",
    },
}  # fmt: skip


def named_task(name: str) -> Task:
    """The task of a named training, without Hydra."""
    changes, config = NAMED[name], {**composed(), "film": {"name": "none"}, "epochs": EPOCHS, "seed": 7}
    for key, value in changes.items():
        option, own = value if isinstance(value, tuple) else (value, {})
        config[key] = {"name": option, **defaults_of(key, option), **own} if key in GROUPS else value
    return Setup.of(Population(check(config))).task()


TRUTH = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])


@cache
def xor() -> Task:
    return Setup.of(Population(check({**composed(), "film": {"name": "none"}, "epochs": EPOCHS, "lr": 0.1}))).task()


def with_layers(task: Task, *layers: Layer) -> Task:
    network = Network(2, layers)
    theta = np.random.default_rng(3).normal(size=(network.size, 1))
    return replace(task, network=network, theta=theta)


def with_loss(name: str) -> Task:
    """Train XOR with a loss and the output activation that goes with it, on targets that it can have."""
    row, settings = LOSSES[name], settings_of(LOSSES[name].settings)
    wrong = TRUTH.sum(axis=1) % 2
    classes = np.stack([wrong, 1 - wrong], axis=1)
    t = classes if row.targets == "classes" else 2 * classes - 1 if row.targets == "signs" else classes
    task = with_layers(xor(), Layer(2, "sigmoid"), Layer(2, row.output))
    return replace(task, criterion=Criterion(name, row.output, settings, {}), data=Data(TRUTH, t[..., None]))


def with_optimizer(name: str) -> Task:
    settings = settings_of(OPTIMIZERS[name].settings)
    if name == "rprop":  # with longer steps it is chaotic: it follows the sign of gradients near 0
        settings["step_max"] = np.array([0.02])
    return replace(xor(), optimizer=Choice(name, settings), lr=xor().lr / 10)


def with_activation(name: str) -> Task:
    return with_layers(xor(), Layer(2, name, settings_of(ACTIVATIONS[name].settings)), Layer(1, "sigmoid"))


def with_schedule(name: str) -> Task:
    return replace(xor(), schedule=Choice(name, settings_of(SCHEDULES[name].settings)))


TRAININGS: dict[str, Callable[[], Task]] = {
    **{name: partial(named_task, name) for name in NAMED},
    **{f"activation {name}": partial(with_activation, name) for name, row in ACTIVATIONS.items() if row.has_gradient},
    **{f"loss {name}": partial(with_loss, name) for name in LOSSES},
    **{f"optimizer {name}": partial(with_optimizer, name) for name in OPTIMIZERS},
    **{f"schedule {name}": partial(with_schedule, name) for name in SCHEDULES},
}
"""The named trainings, and one for each row of a table."""


@cache
def task_of(name: str) -> Task:
    return TRAININGS[name]()


def trained(task: Task, epochs: int = EPOCHS) -> Learner:
    """Train a task for some epochs, without a history."""
    twice = task.take(np.zeros(2, int))
    learner = Learner(twice, twice.theta.copy())
    for epoch in range(epochs):
        learner.full.forward()
        learner.update(epoch)
    learner.full.forward()
    return learner


SCRIPT = """
function computed({ path, arrays, settings, inPlace }) {
  const found = path.reduce((table, key) => table[key], tables), out = new Float64Array(arrays[0].length);
  if (inPlace) out.set(arrays.at(-1));
  const read = inPlace ? arrays.slice(0, -1) : arrays;
  for (let n = 0; n < out.length; n += given.width) {
    const part = (array) => array.subarray(n, n + given.width);
    found(...read.map(part), part(out), settings);
  }
  return out;
}
function moved({ name, settings, lr, theta, gradients }) {
  const row = tables.OPTIMIZERS[name], state = row.start(theta, lr, settings);
  for (const g of gradients) row.update(theta, g, state, lr, settings);
  return theta;
}
function factors([name, settings]) {
  return Float64Array.from({ length: given.epochs }, (_, epoch) =>
    tables.SCHEDULES[name].factor(epoch, given.epochs, settings));
}
const rows = (list) => list.map((one) => Float64Array.from(one));
function trainedBy(task, walks) {
  const trainer = new training.Trainer(task), isUnrolled = Boolean(trainer.unrolled);
  if (walks) trainer.unrolled = undefined;
  trainer.advance(given.epochs);
  return { theta: trainer.theta, loss: trainer.loss(), gradient: training.gradientOf(task, trainer.theta), isUnrolled };
}
function outputs({ network: shape, start, x }) {
  const net = new network.Network(shape), points = Float64Array.from(x.flatMap((one) => Array.from(one)));
  const unrolled = net.evaluate(start, points, net.space(x.length));
  net.unrolled = undefined;
  return { unrolled, walked: net.evaluate(start, points, net.space(x.length)), names: net.names };
}
const all = (questions, solve) => Object.fromEntries(Object.entries(questions).map(([key, one]) => [key, solve(one)]));
answer({
  functions: all(given.functions, computed),
  moves: all(given.moves, moved),
  factors: all(given.factors, factors),
  trained: all(given.tasks, (task) => trainedBy(task, false)),
  walked: all(given.tasks, (task) => trainedBy(task, true)),
  outputs: all(given.tasks, outputs),
  erf: given.erf.map(special.erf),
  orders: given.orders.map(([seed, epoch, examples]) => training.order(seed, epoch, examples)),
  wilson: rows(given.shares.map(([solved, runs]) => tables.wilson(solved, runs))),
});
"""
ORDERS = [(0, 0, 5), (1, 3, 200), (4294967295, 100_000, 64), (12, 7, 1)]
SHARES = [(0, 10), (10, 10), (3, 7), (333, 1000), (0, 1)]


def asked() -> dict[str, Any]:
    return {
        "width": WIDTH,
        "epochs": EPOCHS,
        "functions": {key: one.asked() for key, one in functions().items()},
        "moves": {key: one.asked() for key, one in moves().items()},
        "factors": {key: [name, {k: float(v[0]) for k, v in own.items()}] for key, (name, own) in FACTORS.items()},
        "tasks": {name: as_plain(task_of(name)) for name in TRAININGS},
        "erf": np.linspace(-7, 7, 2001),
        "orders": ORDERS,
        "shares": SHARES,
    }


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Everything that Node computes."""
    code = mathematics([task_of(name) for name in TRAININGS], most=1_000_000)
    return Page(tmp_path_factory.mktemp("page"), code).run(SCRIPT, asked())


def assert_close(found: Any, expected: Any, relative: float) -> None:
    """Check numbers against the largest of an array, or 1, as a sum may cancel."""
    expected = np.asarray(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=relative * np.abs(expected).max(initial=1))


@pytest.mark.parametrize("name", functions())
def test_a_function_is_that_of_the_table(name: str, answers: Any) -> None:
    assert_same_function(functions()[name], answers["functions"][name])


def assert_same_function(function: Function, found: Array) -> None:
    """Check values to 1e-13 of themselves, or to the last bits of the arguments, where 1 + tanh(z) cancels."""
    sizes = [np.maximum(1, np.abs(array)) for array in function.arrays]
    error = np.abs(found - function.expected.ravel())
    assert (error <= 1e-13 * np.abs(function.expected.ravel()) + 1e-15 * np.prod(sizes, axis=0).ravel()).all()


@pytest.mark.parametrize("name", moves())
def test_updates_are_those_of_the_optimizer(name: str, answers: Any) -> None:
    np.testing.assert_allclose(answers["moves"][name], moves()[name].expected(), rtol=1e-13)


@pytest.mark.parametrize("name", FACTORS)
def test_a_schedule_has_the_same_factors(name: str, answers: Any) -> None:
    row, settings = SCHEDULES[FACTORS[name][0]], FACTORS[name][1]
    expected = [row.factor(epoch, EPOCHS, **settings) for epoch in range(EPOCHS)]
    numbers = [1.0 if factor is None else float(np.squeeze(factor)) for factor in expected]
    np.testing.assert_allclose(answers["factors"][name], numbers, rtol=1e-13)


@pytest.mark.parametrize("way", ["trained", "walked"])
@pytest.mark.parametrize("name", TRAININGS)
def test_a_whole_training_has_the_same_parameters(name: str, way: str, answers: Any) -> None:
    learner, found = learned(name), answers[way][name]
    assert_close(found["theta"], learner.theta[:, 0], 1e-12)
    net, criterion = learner.full, learner.task.criterion
    total = criterion.total(net.z[-1], net.y, learner.task.data.t)[0]
    assert_close(found["loss"], total, 1e-12)
    gradient = net.backward(criterion.delta(net.z[-1], net.y, learner.task.data.t))[:, 0]
    assert_close(found["gradient"], gradient, 1e-12)


@cache
def learned(name: str) -> Learner:
    return trained(task_of(name))


@pytest.mark.parametrize("name", TRAININGS)
def test_the_outputs_of_all_units_are_those_of_the_network(name: str, answers: Any) -> None:
    task = task_of(name)
    activities = task.network.forward(task.theta, task.data.x).a
    for way in ("unrolled", "walked"):
        for found, expected in zip(answers["outputs"][name][way], activities, strict=True):
            assert_close(found, expected[..., 0].ravel(), 1e-13)


def test_small_tasks_are_unrolled_and_others_are_not(answers: Any) -> None:
    are = {name: found["isUnrolled"] for name, found in answers["trained"].items()}
    assert are["activation sigmoid"]
    assert are["leaky_relu with momentum"]
    assert are["skip connection"]
    assert not are["shuffled mini-batches"]
    assert not are["layers with rates of their own, one frozen"]
    assert not are["deep tanh with adam"]


def test_parameters_have_their_names(answers: Any) -> None:
    for name in TRAININGS:
        shapes: Mapping[str, tuple[int, ...]] = task_of(name).network.shapes
        expected = [
            f"{key}[{', '.join(map(str, place))}]" for key, shape in shapes.items() for place in np.ndindex(shape)
        ]
        assert answers["outputs"][name]["names"] == expected


def test_the_order_of_examples_is_that_of_the_learner(answers: Any) -> None:
    for (seed, epoch, examples), found in zip(ORDERS, answers["orders"], strict=True):
        assert found == order(np.array([seed], np.uint32), epoch, examples)[:, 0].tolist()


def test_erf_is_right_to_the_last_bits(answers: Any) -> None:
    expected = [math.erf(x) for x in np.linspace(-7, 7, 2001)]
    np.testing.assert_allclose(answers["erf"], expected, rtol=1e-15)


def test_the_interval_of_a_share_is_wilsons(answers: Any) -> None:
    for (solved, runs), found in zip(SHARES, answers["wilson"], strict=True):
        np.testing.assert_allclose(found, wilson(np.array(solved), np.array(runs)), rtol=1e-13, atol=1e-16)


def test_a_wrong_formula_is_caught(tmp_path: Path) -> None:
    code = mathematics()
    wrong = code.replace("tanh(z[i] * 0.5) * 0.5 + 0.5", "tanh(z[i] * 0.5) * 0.5 + 0.5000000001")
    assert wrong != code
    one = functions()["ACTIVATIONS sigmoid f"]
    found = Page(tmp_path, wrong).run(SCRIPT, NOTHING | {"functions": {"sigmoid": one.asked()}})
    with pytest.raises(AssertionError):
        assert_same_function(one, found["functions"]["sigmoid"])


NOTHING = {"width": WIDTH, **{key: {} for key in ("functions", "moves", "factors", "tasks")}}
NOTHING |= {key: [] for key in ("erf", "orders", "shares")}


def test_the_code_is_small_and_always_the_same() -> None:
    tasks = [task_of(name) for name in TRAININGS]
    assert mathematics(tasks) == mathematics(tasks)
    assert len(mathematics()) < 39_000
    assert len(mathematics(tasks)) < 58_000
    assert unrolled(tasks, most=0) == {"OUTPUTS": {}, "UPDATES": {}}
