"""The data sets: Boolean functions, patterns and clouds of points, each made from its settings; and their scaling.

x (examples, inputs) are numbers, labels (examples,) are 0 and 1, or (examples, outputs) for several outputs;
`targets` codes labels for a loss.  The labels of a regression are real numbers, and are the targets themselves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xortrain.nets import Array
from xortrain.nets.setting import Setting, Settings, choice, names, number, path, whole

Labels = Array
SEED = whole("seed of the data", 0, 2**32 - 1, varies=True)
TEST = number("share of the examples to hold out", 0, 0.9, varies=False)
CODING = {"low": number("target of label 0"), "high": number("target of label 1")}


@dataclass(frozen=True, eq=False)
class Points:
    """Inputs x (examples, inputs) and their labels."""

    x: Array
    labels: Labels


@dataclass(frozen=True, eq=False)
class Dataset:
    """``make(**own)`` always returns the same data for the same settings; it is None for the user's own data.

    ``can_hold_out`` is whether the data are a sample, of which a share can be held out for testing and which can be
    scaled; ``is_regression`` whether labels are real; ``title`` is the name in films.
    """

    help: str
    make: Callable[..., Points] | None
    own: Settings = field(default_factory=dict)
    can_hold_out: bool = False
    is_regression: bool = False
    title: str = ""

    @property
    def settings(self) -> Settings:
        """All settings: its own, those of a sample, and the target values of labels that it makes."""
        sample = {"test": TEST, "scale": SCALE} if self.can_hold_out else {}
        return {**self.own, **sample, **(CODING if self.make and not self.is_regression else {})}


def _counting(bits: int) -> Labels:
    """All rows of ``bits`` bits, (2**bits, bits), counting up: 00, 01, 10, 11."""
    return (np.arange(2**bits)[:, None] >> np.arange(bits)[::-1]) & 1


def _boolean(title: str, help: str, *labels: int) -> Dataset:
    """A function of two bits by its values at 00, 01, 10, 11."""
    return Dataset(help, lambda: Points(_counting(2).astype(np.float64), np.array(labels)), title=title)


def parity(bits: int) -> Points:
    """1 where the number of ones is odd; two bits are XOR."""
    rows = _counting(bits)
    return Points(rows.astype(np.float64), rows.sum(axis=1) % 2)


def encoder(size: int) -> Points:
    """One-hot patterns that the outputs must reproduce, one per input (Ackley, Hinton & Sejnowski 1985)."""
    return Points(np.eye(size), np.eye(size, dtype=np.int64))


def notebook_003() -> Points:
    """Four points that no line through the origin separates."""
    return Points(np.array([[0.75, 0.80], [0.20, 0.05], [-0.75, 0.80], [0.20, -0.05]]), np.array([1, 1, 0, 0]))


def _jitter(stream: "np.random.RandomState", points: Array, noise: float) -> Array:
    """The points displaced by up to 5 · noise in each coordinate; labels are those of the displaced points."""
    return np.asarray(points + stream.uniform(-5, 5, points.shape) * noise)


def xor_cloud(examples: int, noise: float, seed: int) -> Points:
    """TensorFlow Playground's XOR: 1 where both coordinates have the same sign; no point within 0.3 of an axis."""
    stream = np.random.RandomState(seed)
    x = stream.uniform(-5, 5, (examples, 2))
    x += np.where(x > 0, 0.3, -0.3)
    seen = _jitter(stream, x, noise)
    return Points(x, (seen[:, 0] * seen[:, 1] >= 0).astype(np.int64))


def circle(examples: int, noise: float, seed: int) -> Points:
    """Playground's disc of radius 2.5 (1) inside a ring from 3.5 to 5 (0); noise moves labels, not points."""
    stream = np.random.RandomState(seed)
    inner = examples - examples // 2
    radius = np.concatenate([stream.uniform(0, 2.5, inner), stream.uniform(3.5, 5, examples - inner)])
    x = _around(radius, stream.uniform(0, 2 * np.pi, examples))
    return Points(x, (np.hypot(*_jitter(stream, x, noise).T) < 2.5).astype(np.int64))


def _around(radius: Array, angle: Array) -> Array:
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


def gauss(examples: int, noise: float, seed: int) -> Points:
    """Playground's two round clouds, at (2, 2) (1) and (-2, -2) (0), of variance 0.5 + 7 · noise."""
    stream = np.random.RandomState(seed)
    labels = _halves(examples)
    centre = np.where(labels == 1, 2.0, -2.0)[:, None]
    return Points(centre + np.sqrt(0.5 + 7 * noise) * stream.standard_normal((examples, 2)), labels)


def _halves(examples: int) -> Labels:
    """Labels (examples,): ones, then zeros, with one more 1 if the number of examples is odd."""
    return (np.arange(examples) < examples - examples // 2).astype(np.int64)


def spiral(examples: int, noise: float, seed: int) -> Points:
    """Playground's two arms, each 1.75 turns from the middle to radius 5; noise is the largest displacement."""
    labels = _halves(examples)
    ones = int(labels.sum())
    along = np.concatenate([np.arange(n) / max(n, 1) for n in (ones, examples - ones)])
    x = _around(5 * along, 1.75 * 2 * np.pi * along + np.pi * (1 - labels))
    return Points(x + np.random.RandomState(seed).uniform(-1, 1, x.shape) * noise, labels)


def moons(examples: int, noise: float, seed: int) -> Points:
    """Two interleaved half circles, as scikit-learn's: the lower is 1; noise is a standard deviation."""
    labels = 1 - _halves(examples)
    lower = int(labels.sum())
    upper_angle, angle = np.linspace(0, np.pi, examples - lower), np.linspace(0, np.pi, lower)
    upper = np.stack([np.cos(upper_angle), np.sin(upper_angle)], axis=1)
    x = np.concatenate([upper, np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)])
    return Points(x + noise * np.random.RandomState(seed).standard_normal(x.shape), labels)


def sine(examples: int, noise: float, seed: int) -> Points:
    """sin(x) and noise of that standard deviation, at x drawn evenly from -π to π.

    One period falls, rises and falls: a line fits no more than the rise, three tanh units fit it all.  Inputs and
    targets have the size that small initial weights suit, so nothing needs to be scaled.
    """
    stream = np.random.RandomState(seed)
    x = stream.uniform(-np.pi, np.pi, (examples, 1))
    return Points(x, np.sin(x[:, 0]) + noise * stream.standard_normal(examples))


def noise(examples: int, width: int, deviation: float, seed: int) -> Points:
    """Standard normal inputs, and normal targets of that standard deviation that have nothing to do with them."""
    stream = np.random.RandomState(seed)
    x = stream.standard_normal((examples, width))
    return Points(x, deviation * stream.standard_normal(examples))


Fit = Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True, eq=False)
class Scale:
    """``fit(x)`` returns shift and factor of each column of x (examples, columns); it is None for no scaling."""

    help: str
    fit: Fit | None


SCALES: dict[str, Scale] = {
    "none": Scale("unchanged", None),
    "standard": Scale("mean 0 and standard deviation 1: shift μ, factor σ", lambda x: (x.mean(axis=0), x.std(axis=0))),
    "minmax": Scale("from 0 to 1: shift min, factor max - min", lambda x: (x.min(axis=0), np.ptp(x, axis=0))),
}
"""Name of a scaling in a config to its row."""


def fit_of(data: Mapping[str, Any]) -> Fit | None:
    """How the data of a config are scaled; None if they are not."""
    return SCALES[data["scale"]].fit if "scale" in data else None


SCALE = Setting("how inputs, and targets of a regression, are scaled for the network", "choice", choices=SCALES)


@dataclass(frozen=True, eq=False)
class Scaling:
    """(value - shift) / factor; ``fitted`` are both, (columns,) or (columns, runs), or None for no scaling."""

    fitted: tuple[Array, Array] | None = None

    @classmethod
    def of(cls, fit: Fit, x: Array) -> "Scaling":
        """The scaling that is fitted to x (examples, columns); a constant column has the factor 1."""
        with np.errstate(all="ignore"):  # what overflows is refused later
            shift, factor = fit(x.astype(np.float64))
            factor = np.where((np.ptp(x, axis=0) == 0) | (factor == 0), 1, factor)
            return cls((shift.astype(x.dtype), factor.astype(x.dtype)))

    def scaled(self, values: Array) -> Array:
        """Values (examples, columns, …) as the network has them."""
        if self.fitted is None:
            return values
        values, shift, factor = self._aligned(values, *self.fitted)
        return (values - shift) / factor

    def scaled_steps(self, steps: Array) -> Array:
        """Differences (columns,) between values, as the network has them; of a single run."""
        return steps if self.fitted is None else steps / self.fitted[1]

    def unscaled(self, values: Array) -> Array:
        """Values (examples, columns, …) of the network as the data have them."""
        if self.fitted is None:
            return values
        values, shift, factor = self._aligned(values, *self.fitted)
        return values * factor + shift

    def take(self, runs: Array | int) -> "Scaling":
        """The scaling for some of the runs, or for one."""
        if self.fitted is None or self.fitted[0].ndim == 1:
            return self
        shift, factor = self.fitted
        return Scaling((shift[:, runs], factor[:, runs]))

    @staticmethod
    def _aligned(values: Array, shift: Array, factor: Array) -> tuple[Array, Array, Array]:
        """Values, shift and factor with axes that fit together; values may lack that of the runs."""
        if values.ndim == shift.ndim:
            values = values[..., None]
        axes = (..., *[None] * (values.ndim - 1 - shift.ndim))
        return values, shift[axes], factor[axes]


NO_SCALING = Scaling()


@dataclass(frozen=True, eq=False)
class DataScaling:
    """How inputs and targets are scaled."""

    inputs: Scaling = NO_SCALING
    targets: Scaling = NO_SCALING

    def take(self, runs: Array | int) -> "DataScaling":
        """The scaling for some of the runs, or for one."""
        return DataScaling(self.inputs.take(runs), self.targets.take(runs))

    def of_targets(self) -> "DataScaling":
        """That of the targets alone."""
        return DataScaling(targets=self.targets)


UNSCALED = DataScaling()


_CLOUD = {
    "examples": whole("number of points", 4, 100_000),
    "noise": number("strength of the noise; 0 for none", 0, 0.5),
    "seed": SEED,
}

SKLEARN_SETS = ("iris", "wine", "digits", "breast_cancer", "diabetes", "linnerud")
"""Those that scikit-learn brings along, so that nothing is downloaded."""
_TABLE: Settings = {
    "path": path("table with an example per line: CSV, or with semicolons, tabs or spaces", nullable=True),
    "test_path": path("table of held-out examples, with the same columns and classes", nullable=True),
    "inputs": names("input columns, by name or number; if empty, all except the targets and an index"),
    "targets": names("target columns, by name or number; if empty, the last column"),
    "categorical": names("input columns of numbers to encode one-hot, as texts are"),
    "header": choice("whether the first line has the names of the columns", "auto", "true", "false"),
    "missing": choice("rows with a missing value: an error, or left out", "error", "drop"),
    "seed": SEED,
}

# fmt: off
DATASETS: dict[str, Dataset] = {
    "xor": _boolean("XOR", "two inputs, 1 where exactly one input is 1", 0, 1, 1, 0),
    "and": _boolean("AND", "two inputs, 1 where both are 1", 0, 0, 0, 1),
    "or": _boolean("OR", "two inputs, 1 where at least one is 1", 0, 1, 1, 1),
    "nand": _boolean("NAND", "two inputs, 0 where both are 1", 1, 1, 1, 0),
    "nor": _boolean("NOR", "two inputs, 1 where both are 0", 1, 0, 0, 0),
    "xnor": _boolean("XNOR", "two inputs, 1 where they are equal", 1, 0, 0, 1),
    "parity": Dataset("1 where the number of ones is odd", parity, {"bits": whole("number of inputs", 1, 12)}),
    "encoder": Dataset("one-hot patterns to reproduce", encoder, {"size": whole("number of patterns", 2, 256)}),
    "xor_cloud": Dataset("points in four quadrants, 1 where x1 and x2 have the same sign", xor_cloud, _CLOUD, True),
    "circle": Dataset("points in a disc and in the ring around it", circle, _CLOUD, True),
    "gauss": Dataset("two round clouds", gauss, _CLOUD, True),
    "spiral": Dataset("two arms of a spiral", spiral, _CLOUD, True),
    "moons": Dataset("two interleaved half circles", moons, _CLOUD, True),
    "sine": Dataset("points of a sine wave, one input and a real target", sine, _CLOUD, True, is_regression=True),
    "noise": Dataset("normal inputs and real targets, with nothing to learn", noise,
        {"examples": _CLOUD["examples"], "width": whole("number of inputs", 1, 256),
         "deviation": number("standard deviation of the targets", above=0), "seed": SEED}, is_regression=True),
    "notebook_003": Dataset("the four points of notebook 003", notebook_003),
    "csv": Dataset("a table of your own, or arrays in Python", None, _TABLE, can_hold_out=True),
    "sklearn": Dataset("a data set of scikit-learn, with its names of columns and classes", None,
        {"set": choice("which data set", *SKLEARN_SETS), "seed": SEED}, can_hold_out=True),
}
# fmt: on
"""Name of a data set in a config to its row."""


def targets(labels: Labels, low: float, high: float, one_hot: bool = False) -> Array:
    """Targets (examples, outputs): high where the label is 1, else low; with ``one_hot``, high at the class index."""
    if one_hot and labels.ndim == 1:
        labels = np.eye(max(2, int(labels.max(initial=0)) + 1), dtype=np.int64)[labels]
    return np.where(labels.reshape(len(labels), -1) == 1, float(high), float(low))


def split(x: Array, labels: Labels, share: float, seed: int) -> tuple[Points, Points]:
    """Training and test points: the seed chooses the share to hold out; both stay in the order of the data."""
    held = np.zeros(len(x), bool)
    held[np.random.RandomState(seed).permutation(len(x))[: round(share * len(x))]] = True
    return Points(x[~held], labels[~held]), Points(x[held], labels[held])
