"""What a run is called in a few words: its data, its network, and the settings a viewer asks for first.

Films, tables and summaries take their names from here.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xortrain.records.files import plain

if TYPE_CHECKING:
    from xortrain.experiment.build import Build

SPOKEN = {"xor": "XOR", "and": "AND", "or": "OR", "nand": "NAND", "nor": "NOR", "xnor": "XNOR"}


def title(build: "Build") -> str:
    """As in "XOR   2-2-1 sigmoid   bce   lr 1"; without the rate where it differs between the runs shown."""
    parts = [_subject(build), _network(build), str(build.population.shared("loss.name")), *_rate(build)]
    return "   ".join(parts)


def _network(build: "Build") -> str:
    """As in "2-2-1 sigmoid"; with what is unusual about it."""
    return f"{build.shape}{'' if build.shape.bias else ' no bias'}"


def common_title(builds: Sequence["Build"]) -> str:
    """What the runs of all these populations share: as in "XOR   2-2-1 tanh   mse   adam   lr 0.1"."""
    shapes = [_network(build).split(" ", 1) for build in builds]
    network = " ".join(filter(None, (_agreed(words) for words in zip(*shapes, strict=True))))
    optimizer = _agreed(build.population.shared("optimizer.name") for build in builds)
    told = [
        _agreed(map(_subject, builds)),
        network,
        _agreed(build.population.shared("loss.name") for build in builds),
        "" if optimizer == "sgd" else optimizer,
        _agreed(" ".join(_rate(build)) for build in builds),
    ]
    return "   ".join(filter(None, told)) or f"{len(builds)} populations"


def _agreed(words: Iterable[str]) -> str:
    """The word, if all are the same."""
    found = set(words)
    return found.pop() if len(found) == 1 else ""


def _subject(build: "Build") -> str:
    """The name that the user gave, or that of the data."""
    p = build.population
    name = "own data" if p.arrays else p.shared("data.name")
    name = Path(p.shared("data.path")).stem if name == "csv" else name
    return plain(p.shared("name") or SPOKEN.get(name, name.replace("_", " ")))


def _rate(build: "Build") -> list[str]:
    """The learning rate, where it is the same for all runs."""
    rates = np.unique(build.population.values("lr"))
    return [f"lr {rates[0]:g}"] if len(rates) == 1 else []


def typed(path: Path | None) -> str:
    """A path as one would type it from here."""
    absolute = Path(path or ".").absolute()
    try:
        return str(absolute.relative_to(Path.cwd()))
    except ValueError:
        return str(absolute)
