"""What a network learns from: Boolean functions, patterns and clouds of points, each made from its settings.

x (examples, inputs) are numbers, labels (examples,) are 0 and 1, or (examples, outputs) for several outputs;
only `targets` knows how labels are coded for a loss.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xortrain.nets import Array

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Dataset:
    x: Array
    labels: Labels


@dataclass(frozen=True)
class Source:
    """``make(**settings)`` gives the same data for the same settings, for ever."""

    make: Callable[..., Dataset]
    settings: tuple[str, ...] = ()


def _counting(bits: int) -> Labels:
    """All rows of so many bits, in the order in which one counts: 00, 01, 10, 11."""
    numbers = np.arange(2**bits)[:, None]
    return (numbers >> np.arange(bits)[::-1]) & 1


def _boolean(*labels: int) -> Source:
    """A function of two bits by its values at 00, 01, 10, 11."""
    return Source(lambda: Dataset(_counting(2).astype(np.float64), np.array(labels)))


def parity(bits: int) -> Dataset:
    """1 where the number of ones is odd; two bits are XOR."""
    rows = _counting(bits)
    return Dataset(rows.astype(np.float64), rows.sum(axis=1) % 2)


def encoder(size: int) -> Dataset:
    """As many patterns as inputs, each with a single 1, to be reproduced (Ackley, Hinton & Sejnowski 1985)."""
    return Dataset(np.eye(size), np.eye(size, dtype=np.int64))


def notebook_003() -> Dataset:
    """Four points that a line through the origin does not part."""
    return Dataset(np.array([[0.75, 0.80], [0.20, 0.05], [-0.75, 0.80], [0.20, -0.05]]), np.array([1, 1, 0, 0]))


def _inside(points: Array) -> Labels:
    return (np.hypot(points[:, 0], points[:, 1]) < 2.5).astype(np.int64)


def _jitter(stream: np.random.RandomState, points: Array, noise: float) -> Array:
    """The points as the one who labels them sees them, moved by up to 5 · noise each way."""
    return np.asarray(points + stream.uniform(-5, 5, points.shape) * noise)


def xor_cloud(examples: int, noise: float, seed: int) -> Dataset:
    """TensorFlow Playground's XOR: 1 where both coordinates have the same sign; no point within 0.3 of an axis."""
    stream = np.random.RandomState(seed)
    x = stream.uniform(-5, 5, (examples, 2))
    x += np.where(x > 0, 0.3, -0.3)
    seen = _jitter(stream, x, noise)
    return Dataset(x, (seen[:, 0] * seen[:, 1] >= 0).astype(np.int64))


def circle(examples: int, noise: float, seed: int) -> Dataset:
    """Playground's disc of radius 2.5 (1) in a ring from 3.5 to 5 (0); noise moves labels, not points."""
    stream = np.random.RandomState(seed)
    inner = examples - examples // 2
    radius = np.concatenate([stream.uniform(0, 2.5, inner), stream.uniform(3.5, 5, examples - inner)])
    x = _around(radius, stream.uniform(0, 2 * np.pi, examples))
    return Dataset(x, _inside(_jitter(stream, x, noise)))


def _around(radius: Array, angle: Array) -> Array:
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


def gauss(examples: int, noise: float, seed: int) -> Dataset:
    """Playground's two round clouds, at (2, 2) (1) and (-2, -2) (0), of variance 0.5 + 7 · noise."""
    stream = np.random.RandomState(seed)
    labels = _halves(examples)
    centre = np.where(labels == 1, 2.0, -2.0)[:, None]
    return Dataset(centre + np.sqrt(0.5 + 7 * noise) * stream.standard_normal((examples, 2)), labels)


def _halves(examples: int) -> Labels:
    """Ones, then zeros; the ones have the odd example."""
    return (np.arange(examples) < examples - examples // 2).astype(np.int64)


def spiral(examples: int, noise: float, seed: int) -> Dataset:
    """Playground's two arms, each 1.75 turns from the middle to radius 5; noise is how far points stray."""
    labels = _halves(examples)
    ones = int(labels.sum())
    along = np.concatenate([np.arange(n) / max(n, 1) for n in (ones, examples - ones)])
    x = _around(5 * along, 1.75 * 2 * np.pi * along + np.pi * (1 - labels))
    return Dataset(x + np.random.RandomState(seed).uniform(-1, 1, x.shape) * noise, labels)


def moons(examples: int, noise: float, seed: int) -> Dataset:
    """Two interleaved half circles, as scikit-learn's: the lower is 1; noise is a standard deviation."""
    labels = 1 - _halves(examples)
    lower = int(labels.sum())
    upper_angle, angle = np.linspace(0, np.pi, examples - lower), np.linspace(0, np.pi, lower)
    upper = np.stack([np.cos(upper_angle), np.sin(upper_angle)], axis=1)
    x = np.concatenate([upper, np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)])
    return Dataset(x + noise * np.random.RandomState(seed).standard_normal(x.shape), labels)


CLOUD = ("examples", "noise", "seed")

DATASETS: dict[str, Source] = {
    "xor": _boolean(0, 1, 1, 0),
    "and": _boolean(0, 0, 0, 1),
    "or": _boolean(0, 1, 1, 1),
    "nand": _boolean(1, 1, 1, 0),
    "nor": _boolean(1, 0, 0, 0),
    "xnor": _boolean(1, 0, 0, 1),
    "parity": Source(parity, ("bits",)),
    "encoder": Source(encoder, ("size",)),
    "xor_cloud": Source(xor_cloud, CLOUD),
    "circle": Source(circle, CLOUD),
    "gauss": Source(gauss, CLOUD),
    "spiral": Source(spiral, CLOUD),
    "moons": Source(moons, CLOUD),
    "notebook_003": Source(notebook_003),
}
"""Name of a data set in a config to its row."""


def make(name: str, settings: Mapping[str, Any]) -> Dataset:
    """The data set of that name; settings are those of its row."""
    return DATASETS[name].make(**settings)


def targets(labels: Labels, low: float, high: float, one_hot: bool = False) -> Array:
    """Targets (examples, outputs): high where the label is 1, else low; or high at the place of the class."""
    if one_hot and labels.ndim == 1:
        labels = np.eye(max(2, int(labels.max(initial=0)) + 1), dtype=np.int64)[labels]
    return np.where(labels.reshape(len(labels), -1) == 1, float(high), float(low))


def split(x: Array, labels: Labels, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Train and test: a share of the examples, drawn by the seed, is held out; both keep the data's order."""
    held = np.zeros(len(x), bool)
    held[np.random.RandomState(seed).permutation(len(x))[: round(share * len(x))]] = True
    return Dataset(x[~held], labels[~held]), Dataset(x[held], labels[held])
