"""The finite differences beside the gradients of an explanation, and what to say where the two differ.

A small network is checked in every parameter and every example shown, a large one in a sample of its parameters.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xortrain.explain.differences import parameter_names
from xortrain.explain.step import Step, corners
from xortrain.nets import Array

AFFORDABLE = 2e8  # multiplications that all differences of a step may take
SAMPLED = 12  # parameters that are checked of a network for which all would take longer

Checked = tuple[Array | None, str]
"""Values by finite differences where there are any, and a remark."""
NOT_CHECKED: Checked = (None, "")


@dataclass(frozen=True)
class Proof:
    """What finite differences say of a step."""

    step: Step

    @cached_property
    def is_whole(self) -> bool:
        """Whether every parameter is checked."""
        size = self.step.network.size
        return 2.0 * size * size * len(self.step.x) <= AFFORDABLE

    @cached_property
    def _slopes(self) -> dict[str, Array]:
        """By name, (examples, *shape)."""
        network = self.step.network
        central = self.step.by_parameters(np.arange(network.size)).central
        return {name: np.moveaxis(part, -1, 0) for name, part in network.split(central.T).items()}

    def of_example(self, name: str, example: int) -> Checked:
        """dℓ/dθ of one example."""
        if not self.is_whole:
            return NOT_CHECKED
        value = self._slopes[name][example]
        return value, self._remark(value, self.step.each.gradient[name][example], [example])

    def of_total(self, name: str) -> Checked:
        """dL/dθ."""
        if not self.is_whole:
            return NOT_CHECKED
        value = self._slopes[name].sum(axis=0) * self.step.share
        return value, self._remark(value, self.step.total.gradient[name], list(range(len(self.step.x))))

    def of_inputs(self, example: int) -> Checked:
        """dℓ/dx of one example."""
        value = self.step.by_inputs.central[[example]]
        return value, self._remark(value, self.step.each.inputs[[example]], [example])

    def _remark(self, value: Array, analytic: Array, examples: list[int]) -> str:
        if np.allclose(value, analytic, rtol=1e-4, atol=1e-7):
            return ""
        return " ".join(corner.sentence for corner in corners(self.step, examples)[:2])

    @property
    def sampled(self) -> str:
        size = self.step.network.size
        return f"{SAMPLED} of {size:,} parameters are checked by differences here; `xortrain check` checks all."

    @cached_property
    def sample(self) -> list[tuple[str | Array, ...]] | None:
        """Rows for some parameters of a large network."""
        if self.is_whole:
            return None
        network = self.step.network
        places = np.linspace(0, network.size - 1, SAMPLED).astype(int)
        value = self.step.by_parameters(places).central.sum(axis=0) * self.step.share
        g = network.join(self.step.total.gradient)[places]
        names = parameter_names(network.shapes)
        return [(names[p], g[i], value[i], f"{abs(value[i] - g[i]):.0e}") for i, p in enumerate(places)]
