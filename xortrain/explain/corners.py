"""Units that lie on a corner of their activation, as relu at 0: a slope from the left, and another from the right.

There the derivative is a convention, and finite differences give something between the two slopes.
"""

from dataclasses import dataclass

import numpy as np

from xortrain.explain.digits import number
from xortrain.explain.step import Step
from xortrain.nets.activations import ACTIVATIONS

ASIDE = 2e-5  # how far from z the slopes are taken: twice as far as differences reach
BEND = 1e-2  # how much the slopes differ at a corner; curves bend less than that in so short a way


@dataclass(frozen=True)
class Corner:
    """A unit of a layer (both counted from 0) and an example with z on a corner."""

    layer: int
    unit: int
    example: int
    sentence: str


def corners(step: Step, examples: list[int]) -> list[Corner]:
    """The units on a corner in some of the examples, layer by layer."""
    found = []
    for k, layer in enumerate(step.network.layers):
        row, z = ACTIVATIONS[layer.activation], step.before.z[k][examples]
        left, right = (
            row.derivative(aside, row.f(aside, **layer.settings), **layer.settings) for aside in (z - ASIDE, z + ASIDE)
        )
        for place, unit in np.argwhere(np.abs(left - right) > BEND):
            sentence = (
                f"`z{k + 1}[{unit}]` is {number(z[place, unit], 6)} in example {examples[place]}, on a corner of "
                f"{layer.activation}: its slope is {left[place, unit]:.3g} on the left and {right[place, unit]:.3g} "
                f"on the right."
            )
            found.append(Corner(k, int(unit), examples[place], sentence))
    return found
