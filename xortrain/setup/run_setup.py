"""From the settings of a population to what is trained: network, criterion, initial θ, data, and the epochs to record.

Whatever cannot be trained raises UserError here, before anything is written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from xortrain.errors import UserError, unknown
from xortrain.nets import Array
from xortrain.nets.datasets import UNSCALED, DataScaling, Scaling
from xortrain.nets.initializers import INITIALIZERS, initialize
from xortrain.nets.losses import Criterion
from xortrain.nets.network import ARCHITECTURES, Layer, Network
from xortrain.nets.optimizers import OPTIMIZERS
from xortrain.nets.setting import in_use
from xortrain.records.layout import START
from xortrain.setup.column_names import UNNAMED, Columns
from xortrain.setup.earlier import Earlier, EarlierSettings, Origin, set_at
from xortrain.setup.examples import examples, fitted_scaling, loss_that_fits
from xortrain.setup.own_arrays import refuse_other_data
from xortrain.setup.own_data import OwnData, own_data
from xortrain.setup.population import RATES, Population, number_keys
from xortrain.setup.set_parameters import places_of
from xortrain.setup.target_coding import coded_targets, fitting_loss_of, with_chosen_loss
from xortrain.training.engine import chosen_engine
from xortrain.training.success import STOP_RULES, SUCCESS_RULES, Success
from xortrain.training.task import Choice, Data, Stage, Task

CACHE_BYTES = 4 << 20  # numbers of one block; twice a core's second-level cache is fastest, see docs/design.md


@dataclass(frozen=True)
class Setup:
    """A population ready to be trained: its examples, and after which epochs losses and snapshots are recorded.

    ``train`` and ``test`` are in the units of the data; the network has them scaled, by ``scaling``.  If it continues
    another training, it has the ``earlier`` settings, and the ``origin``.  ``instruction_set`` is that of the machine
    which trains it, None if NumPy does.
    """

    population: Population
    train: Data
    test: Data | None
    loss_epochs: Array
    frame_epochs: Array
    columns: Columns = UNNAMED
    scaling: DataScaling = UNSCALED
    earlier: Earlier = ()
    origin: Origin | None = None
    instruction_set: str | None = None

    @classmethod
    def of(cls, population: Population) -> "Setup":
        """The setup of a population; raises UserError for what cannot be trained."""
        if population.own:
            refuse_other_data(population.config["data"])
        given, own = population, population.own or _given_data(population.config["data"])
        population = with_chosen_loss(given, lambda: loss_that_fits(given, own))
        train, test, columns, scaling = examples(population, own)
        losses, frames = recorded_epochs(population)
        setup = cls(population, train, test, losses, frames, columns, scaling)
        refuse_contradictions(setup)
        return replace(setup, instruction_set=chosen_engine(setup.population.shared("engine"), setup.first_task).name)

    @classmethod
    def stored(cls, population: Population, data: Mapping[str, Array], losses: Array, frames: Array) -> "Setup":
        """The setup of a record: its own data, and the epochs that it recorded."""
        parts = [
            Data(data[f"x{end}"], data[f"t{end}"] if data[f"t{end}"].ndim == 3 else data[f"t{end}"][..., None])
            for end in ("", "_test")
            if f"x{end}" in data
        ]
        fitted = [(data[f"{name}_shift"], data[f"{name}_factor"]) if f"{name}_shift" in data else None for name in "xt"]
        scaling = DataScaling(*map(Scaling, fitted))
        setup = cls(population, parts[0], parts[1] if len(parts) > 1 else None, losses, frames, scaling=scaling)
        return replace(setup, population=setup.with_names(population))  # an older record has auto

    def with_names(self, population: Population) -> Population:
        """A population over these examples, with what loss=auto and output=auto stand for."""
        return with_chosen_loss(population, lambda: fitting_loss_of(self.train.t))

    def part(self, runs: slice | Array) -> "Setup":
        """The setup of some of the runs."""
        places = np.arange(self.population.runs)[runs]
        test = self.test.take(places) if self.test else None
        train, scaling = self.train.take(places), self.scaling.take(places)
        population, earlier = self.population.part(runs), tuple(stage.part(runs) for stage in self.earlier)
        return replace(self, population=population, train=train, test=test, scaling=scaling, earlier=earlier)

    def alone(self, run: int) -> "Setup":
        """The setup of one run as a single run."""
        train, test = self.train.of_run(run), self.test and self.test.of_run(run)
        earlier = tuple(replace(stage, population=stage.population.alone(run)) for stage in self.earlier)
        population, scaling = self.population.alone(run), self.scaling.take(run)
        return replace(self, population=population, train=train, test=test, scaling=scaling, earlier=earlier)

    def changed(self, config: Mapping[str, Any]) -> "Setup":
        """The setup of one run with the same examples and other settings."""
        return self.adapted(Population(config))

    def adapted(self, population: Population) -> "Setup":
        """The same examples, which all runs share, for another population; UserError for what cannot be trained."""
        population = self.with_names(replace(population, own=self.population.own))
        losses, frames = recorded_epochs(population)
        scaling = fitted_scaling(population, self.train, self.test)
        new = replace(self, population=population, loss_epochs=losses, frame_epochs=frames, scaling=scaling)
        setup = replace(new, earlier=(), origin=None)
        refuse_contradictions(setup)
        return setup

    def over(self, own: OwnData) -> "Setup":
        """One run's setup with other examples, in the scaling that it has; UserError if its network does not fit."""
        population = replace(self.population, own=own)
        train, test, columns, _ = examples(population, own)
        new, known = (f"{part.x.shape[1]} and {part.t.shape[1]}" for part in (train, self.train))
        if new != known:
            raise UserError(f"{own.where}: must have as many inputs and outputs as the network, {known}, not {new}")
        return replace(self, population=population, train=train, test=test, columns=columns)

    def first_task(self) -> Task:
        """The task of the first run."""
        return self.task(slice(0, 1))

    @cached_property
    def shape(self) -> Network:
        """The network without the settings of its runs."""
        return _network(self.population.part(slice(0, 0)), self.train)

    @np.errstate(over="ignore")  # a value that overflows this dtype diverges at epoch 0
    def task(self, runs: slice | Array = slice(None)) -> Task:
        """The task of some of the runs, with their initial parameters."""
        part = self.part(runs)
        p, scaling = part.population, part.scaling
        train, test = part.train.scaled(scaling), part.test.scaled(scaling) if part.test else None
        network, loss = _network(p, train), p.shared("loss.name")
        last, size = network.layers[-1], p.shared("batch_size")
        is_full_batch = size is None or (size >= len(train.x) and not p.shared("shuffle"))
        return Task(
            network=network,
            criterion=Criterion(loss, last.activation, p.settings("loss"), last.settings, p.shared("loss.reduction")),
            optimizer=_choice(p, "optimizer"),
            schedule=_choice(p, "schedule"),
            success=replace(_success(part), scaling=scaling.targets),
            stop=_choice(p, "stop"),
            data=train,
            test=test,
            theta=_initial_parameters(p, network),
            lr=_rates(p, network),
            seeds=p.values("seed").astype(np.uint32),
            epochs=p.epochs,
            batch_size=None if is_full_batch else int(size),
            shuffle=p.shared("shuffle"),
            freeze=tuple(p.shared("freeze")),
            scaling=scaling,
            instruction_set=self.instruction_set,
            stages=tuple(
                Stage(self.under(stage).task(runs), stage.until, self.set_at(stage.until)) for stage in self.earlier
            ),
        )

    def settings_of(self, epoch: int) -> Population:
        """The settings with which an epoch is judged, and its update is made."""
        return next((stage.population for stage in self.earlier if epoch < stage.until), self.population)

    def set_at(self, epoch: int) -> tuple[tuple[int, float], ...]:
        """What is set by hand at an epoch: places in θ with their values."""
        entries = set_at(epoch, self.earlier)
        return tuple((place, entries[name]) for name, place in places_of(entries, self.shape.shapes).items())

    @property
    def configs(self) -> list[Mapping[str, Any]]:
        """The configuration, and those of earlier stages."""
        return [self.population.config, *(stage.population.config for stage in self.earlier)]

    def under(self, stage: EarlierSettings) -> "Setup":
        """The same setup with earlier settings."""
        return replace(self, population=stage.population, earlier=())

    @cached_property
    def state_sizes(self) -> dict[str, int]:
        """How many numbers the optimizer remembers of a run, by name."""
        p, row = self.population, OPTIMIZERS[self.population.shared("optimizer.name")]
        own, _ = row.divided(in_use(row.settings, p.settings("optimizer")))
        options = {name: value[:1] for name, value in own.items()}
        state = row.start(np.zeros((self.shape.size, 1), p.dtype), np.ones(1, p.dtype), **options)
        return {name: value.size for name, value in state.items()}

    @property
    def has_best(self) -> bool:
        """Whether the stop rule finds the best parameters."""
        return STOP_RULES[self.population.shared("stop.name")].has_best

    @property
    def numbers_of_a_run(self) -> int:
        """The numbers in memory for one run while it is trained."""
        units = sum(layer.units for layer in self.shape.layers)
        return 3 * units * len(self.train.x) + 2 * self.shape.size

    @property
    def block_size(self) -> int:
        """The number of runs trained side by side, so that their numbers stay in the cache."""
        fit = CACHE_BYTES // (self.numbers_of_a_run * self.population.dtype.itemsize)
        return int(min(8192, max(64, 1 << max(0, int(fit).bit_length() - 1))))


def recorded_epochs(population: Population) -> tuple[Array, Array]:
    """The epochs after which losses and snapshots are recorded: all of a short run, always the first and the last."""
    track = population.config["track"]
    last = population.epochs
    return spread(last, track["losses"], track["spacing"]), spread(last, track["frames"], track["spacing"])


def spread(last: int, most: int, spacing: str) -> Array:
    """Up to ``most`` epochs from 0 to the last, ends included."""
    if last + 1 <= most:
        return np.arange(last + 1)
    points = np.linspace(0, last, most) if spacing == "even" else np.geomspace(1, last + 1, most) - 1
    return np.unique(np.round(points).astype(np.int64))


def with_known(wanted: Array, known: Array, epoch: int) -> Array:
    """The wanted epochs; those before ``epoch`` are replaced by the nearest of the known ones."""
    early, late, known = wanted[wanted < epoch], wanted[wanted >= epoch], known[known < epoch]
    if not len(known):
        return late
    right = np.searchsorted(known, early).clip(max=len(known) - 1)
    left = (right - 1).clip(min=0)
    nearest = np.where(early - known[left] <= known[right] - early, known[left], known[right])
    return np.union1d(nearest, late)


def _network(p: Population, train: Data) -> Network:
    architecture = p.config["architecture"]
    hidden, given = architecture["hidden"], architecture["activations"]
    layers = [Layer(units, *_activation(p, "activation")) for units in hidden]
    if given:  # the settings given for a layer are the same for all runs
        settings = [{key: np.full(p.runs, own[key], p.dtype) for key in own if key != "name"} for own in given]
        layers = [Layer(units, own["name"], of) for units, own, of in zip(hidden, given, settings, strict=True)]
    layers.append(Layer(train.t.shape[1], *_activation(p, "output")))
    return Network(train.x.shape[1], tuple(layers), architecture["bias"], ARCHITECTURES[architecture["name"]].skip)


def _activation(p: Population, group: str) -> tuple[str, dict[str, Array]]:
    name = str(p.shared(f"{group}.name"))
    return name, p.settings(group, name)


def _rates(p: Population, network: Network) -> Array:
    """The learning rates (runs,), or (parameters, runs) if some arrays of parameters have their own."""
    own = p.shared(RATES)
    if not own:
        return p.number("lr")
    rates = np.tile(p.number("lr"), (network.size, 1))
    parameters = network.split(rates)  # views
    for name in own:
        parameters[name][...] = p.number(f"{RATES}.{name}")
    return rates


def _choice(p: Population, group: str) -> Choice:
    """The chosen option of a group, with its numbers."""
    return Choice(p.shared(f"{group}.name"), p.settings(group), p.words(group))


def _success(setup: Setup) -> Success:
    """The success rule; where the data have no low and high, these are each run's extreme targets, held out or not."""
    p, train = setup.population, setup.train.t
    rule = _choice(p, "success")
    if "low" in p.config["data"]:
        return Success(rule.name, p.number("data.low"), p.number("data.high"), rule.settings)
    t = np.concatenate([*(part.t for part in (setup.train, setup.test) if part), *_of_classes(setup)])
    low, high = t.min(axis=(0, 1)), t.max(axis=(0, 1))
    is_two_valued = (low != high) & ((t == low) | (t == high)).all(axis=(0, 1))
    if not is_two_valued.all() and SUCCESS_RULES[rule.name].needs_two_values:
        count = len(np.unique(t[..., np.argmin(is_two_valued)]))
        raise UserError(f"success={rule.name}: requires targets with two values, not {count}; add success=auto")
    sd = np.where(is_two_valued, np.nan, _deviations(train)).astype(p.dtype)
    low, high, sd = (np.repeat(values, p.runs // values.shape[-1], axis=-1) for values in (low, high, sd))
    return Success(rule.name, low, high, rule.settings, sd=sd)


def _of_classes(setup: Setup) -> list[Array]:
    """The target (classes, outputs, 1 or runs) of each class of a user's own arrays, which may have no such example."""
    own, t = setup.population.own, setup.train.t
    if own is None or len(own.targets) > 1 or not own.targets[0].has_classes:
        return []
    every = replace(own, targets=(replace(own.targets[0], values=own.targets[0].distinct),))
    codes = coded_targets(every, setup.population.shared("loss.name")).t[..., None]
    return [np.repeat(codes.astype(t.dtype), t.shape[2], axis=2)]


def _deviations(t: Array) -> Array:
    """The standard deviation (outputs, runs) of targets (examples, outputs, runs); 1 for equal ones."""
    columns = np.ascontiguousarray(np.moveaxis(t, 0, -1), np.float64)  # added up the same beside any other runs
    largest = np.maximum(np.abs(columns).max(axis=-1), np.finfo(np.float64).tiny)  # against overflow
    deviations = largest * (columns / largest[..., None]).std(axis=-1)
    return np.where((columns == columns[..., :1]).all(axis=-1), 1.0, deviations)


def _initial_parameters(p: Population, network: Network) -> Array:
    name = p.shared("init.name")
    weights = p.weights() if INITIALIZERS[name].takes_weights else None
    settings = {key: p.values(f"init.{key}").astype(np.float64) for key in INITIALIZERS[name].own}
    theta = initialize(network, name, p.values("seed"), p.dtype, settings, p.values("init.scale"), weights)
    parameters = network.split(theta)  # views
    for (own, place), values in p.start().items():
        parameters[own][place] = values
    return theta


def _given_data(data: Mapping[str, Any]) -> OwnData | None:
    """The examples that the settings of a data set name, in a file or in scikit-learn; None for data that are made."""
    if data["name"] == "sklearn":
        from xortrain.setup.sklearn_data import sklearn_data

        return sklearn_data(data["set"])
    return own_data(data) if data["name"] == "csv" else None


def refuse_contradictions(setup: Setup) -> None:
    """Reject invalid combinations of settings."""
    p, network = setup.population, setup.shape
    for key, layer in zip(_activation_keys(p, len(network.layers)), network.layers, strict=True):
        row, name = layer.row, layer.activation
        if row.couples_units and layer.units < 2:
            raise UserError(f"{key}={name}: is constant over one unit, always 1; needs at least two units")
        if not row.has_gradient and p.epochs:
            raise UserError(f"{key}={name}: has no gradient and cannot learn; add epochs=0, or choose sigmoid")
    optimizer, batch_size = p.shared("optimizer.name"), p.shared("batch_size")
    if OPTIMIZERS[optimizer].is_full_batch and batch_size is not None:
        raise UserError(f"batch_size={batch_size}: optimizer={optimizer} requires the full batch; add batch_size=null")
    if p.config["stop"].get("on") == "test_loss" and setup.test is None:
        raise UserError("stop.on=test_loss: requires held-out examples, as with data.test=0.25; else stop.on=loss")
    if optimizer == "sgd" and np.any((p.values("optimizer.nesterov") != 0) & (p.values("optimizer.momentum") == 0)):
        raise UserError("optimizer.nesterov=true: requires momentum; add optimizer.momentum=0.9")
    if optimizer == "sgd" and np.any((p.values("optimizer.nesterov") != 0) & (p.values("optimizer.dampening") != 0)):
        raise UserError("optimizer.nesterov=true: requires optimizer.dampening=0")
    for name in p.shared("freeze"):
        if name not in network.shapes:
            raise unknown("freeze", name, network.shapes, "parameter of this network")
    _refuse_start(p, network)
    for name, rate in p.shared(RATES).items():
        if name not in network.shapes:
            raise unknown(RATES, name, network.shapes, "parameter of this network")
        if isinstance(rate, Mapping):
            raise UserError(f"{RATES}.{name}: must be one number for the whole of {name}")
    if np.any(p.values("data.low") == p.values("data.high") if "low" in p.config["data"] else False):
        raise UserError("data.low and data.high: must differ")
    if setup.scaling.inputs.fitted:
        _refuse_overflow(setup)
    _success(setup.part(slice(0, 1)))
    if INITIALIZERS[p.shared("init.name")].takes_weights:
        _refuse_weights(p, network)


@np.errstate(all="ignore")
def _refuse_overflow(setup: Setup) -> None:
    """Refuse a scaling whose numbers are not finite, or those that it leaves."""
    inputs, targets = setup.scaling.inputs, setup.scaling.targets
    scaled = [part.scaled(setup.scaling) for part in (setup.train, setup.test) if part]
    numbers = [*(inputs.fitted or ()), *(targets.fitted or ()), *(a for part in scaled for a in (part.x, part.t))]
    if not all(np.isfinite(array).all() for array in numbers):
        name, dtype = setup.population.shared("data.scale"), setup.population.dtype
        raise UserError(f"data.scale={name}: leaves numbers beyond the range of {dtype}; add data.scale=none")


def _activation_keys(p: Population, layers: int) -> list[str]:
    """The setting that chose the activation of each layer."""
    given = p.config["architecture"]["activations"]
    return [*(f"architecture.activations[{k}]" if given else "activation" for k in range(layers - 1)), "output"]


def _refuse_start(p: Population, network: Network) -> None:
    """Refuse initial values of parameters that this network does not have."""
    for name, own in p.shared(START).items():
        inner = {f"{name}{key}": 0.0 for key in number_keys("", own)}
        places_of(inner if isinstance(own, Mapping) else {name: own}, network.shapes, START)
    for values in p.start().values():
        if not np.isfinite(values).all():
            raise UserError(f"{START}: must be finite")


def _refuse_weights(population: Population, network: Network) -> None:
    weights = population.shared("init.weights")
    expected = ", ".join(f"{name} {list(shape)}" for name, shape in network.shapes.items())
    if not isinstance(weights, Mapping):
        raise UserError(f"init.weights: init=explicit needs a mapping of this network's parameters: {expected}")
    for name in weights:
        if name not in network.shapes:
            raise unknown("init.weights", name, network.shapes, "parameter of this network")
    for name, shape in network.shapes.items():
        if name not in weights:
            raise UserError(f"init.weights.{name}: is missing; this network has {expected}")
        try:
            given = np.asarray(weights[name], np.float64)
        except (TypeError, ValueError):
            raise UserError(f"init.weights.{name}: must be {list(shape)} numbers, rows of equal length") from None
        if given.shape != shape:
            raise UserError(f"init.weights.{name}: has shape {list(given.shape)}, must have {list(shape)}")
    for name, given in population.weights().items():
        if not np.isfinite(given).all():
            raise UserError(f"init.weights.{name}: must be finite")
