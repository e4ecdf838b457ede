"""Is it the same training? Arrays of two trainings of the same runs, compared bit for bit, nan with nan.

Where another processor rounds otherwise, paths may still be the same to 1e-9, until they part.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xortrain.experiment.trained import Trained
from xortrain.nets import Array
from xortrain.nets.network import Network

NEAR = 1e-9  # of a number's size, absolute where it is below 1
ARRAYS = {"losses": "loss_epochs", "test_losses": "loss_epochs", "parameters": "frame_epochs"}


@dataclass(frozen=True)
class Difference:
    """The first epoch that differs, in what, in which of the runs, and both values."""

    epoch: int
    what: str
    run: int
    kept: float
    again: float

    def __str__(self) -> str:
        return f"{self.what} after epoch {self.epoch}: kept {self.kept!r}, now {self.again!r}"


def first_difference(kept: Trained, again: Trained, near: float | None = None) -> Difference | None:
    """The earliest difference in bits, or in more than ``near``; in one epoch a parameter comes before its loss."""
    found = [_first(what, kept, again, near) for what in ("parameters", "losses", "test_losses")]
    return min((d for d in found if d), key=lambda d: d.epoch, default=None)


def _first(what: str, kept: Trained, again: Trained, near: float | None) -> Difference | None:
    old, new = kept.array(what), again.array(what)
    if old is None or new is None:
        return None
    differ = _bits_differ(old, new) if near is None else _far(old, new, near)
    if not differ.any():
        return None
    place = np.unravel_index(int(differ.argmax()), differ.shape)
    called = places_of(kept.build.shape)[place[1]] if what == "parameters" else what.replace("_", " ")[:-2]
    epoch = getattr(kept.build, ARRAYS[what])[place[0]]
    return Difference(int(epoch), called, int(place[-1]), old[place].item(), new[place].item())


def _bits_differ(old: Array, new: Array) -> Array:
    bits = f"u{old.itemsize}"
    differ = np.ascontiguousarray(old).view(bits) != np.ascontiguousarray(new).view(bits)
    return np.asarray(differ & ~(np.isnan(old) & np.isnan(new)))


def _far(old: Array, new: Array, near: float) -> Array:
    is_near = np.isclose(new, old, rtol=near, atol=near, equal_nan=True)
    return np.asarray(~is_near)


def places_of(network: Network) -> list[str]:
    """The name of each place in θ: W1[0,1], b1[0], …"""
    names = [""] * network.size
    for name, places in network.split(np.arange(network.size)).items():
        for index, place in np.ndenumerate(places):
            names[int(place)] = f"{name}[{','.join(map(str, index))}]"
    return names


def surroundings(about: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In which versions and CPU features the training of a record and this process differ, a line each."""
    lines = []
    for name in sorted({*about.get("versions", {}), *now["versions"]}):
        was, is_now = (described.get("versions", {}).get(name, "none") for described in (about, now))
        if was != is_now:
            lines.append(f"{name}: {was} then, {is_now} now")
    then, there = set(about.get("cpu_features", [])), set(now["cpu_features"])
    if then - there:
        lines.append(f"CPU features that are not here: {' '.join(sorted(then - there))}")
    if there - then:
        lines.append(f"CPU features that were not there: {' '.join(sorted(there - then))}")
    return lines
