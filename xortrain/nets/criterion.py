"""What is minimised: a loss on an output activation, added up or averaged over examples and outputs."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from xortrain.nets import Array, Numbers
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.losses import LOSSES, Joint, Loss
from xortrain.nets.setting import in_use


@dataclass(frozen=True)
class Criterion:
    """A loss on an output activation, added up or averaged; settings are (runs,)."""

    loss: str
    output: str
    settings: Numbers
    output_settings: Numbers
    reduction: Literal["mean", "sum"] = "mean"

    @cached_property
    def row(self) -> Loss:
        return LOSSES[self.loss]

    @property
    def joint(self) -> Joint | None:
        """The joint form of the loss and this output activation, if it has one."""
        return self.row.joint if self.output == self.row.output else None

    @cached_property
    def _settings(self) -> Numbers:
        return {name: value for name, value in self.settings.items() if name != "label_smoothing"}

    @cached_property
    def _smoothing(self) -> Array | None:
        return in_use(self.row.settings, self.settings).get("label_smoothing")

    def aims(self, t: Array) -> Array:
        """The targets that the loss compares with, smoothed if label smoothing is on."""
        return t if self._smoothing is None else self.row.smoothed(t, self._smoothing, t.shape[1])

    def share(self, z: Array) -> float:
        """The factor of one element's loss in L."""
        if self.reduction == "sum":
            return 1.0
        examples, outputs = z.shape[:2]
        return 1.0 / int(examples * outputs if self.row.per == "element" else examples)

    def values(self, z: Array, y: Array, t: Array) -> Array:
        """The loss of each element, before reduction."""
        if self.joint is not None:
            return self.joint.value(z, self.aims(t), **self._settings)
        return self.row.value(y, self.aims(t), **self._settings)

    def total(self, z: Array, y: Array, t: Array) -> Array:
        """L over examples and outputs: (examples, outputs, *more) -> (*more,)."""
        total: Array = np.add.reduce(self.values(z, y, t), axis=(0, 1))
        if self.reduction == "mean":
            total *= self.share(z)
        return total

    def delta(self, z: Array, y: Array, t: Array) -> Array:
        """δ = dL/dz of the last layer, in an array of its own."""
        if self.joint is not None:
            delta = self.joint.delta(z, y, self.aims(t), **self._settings)
        else:
            gradient = self.row.gradient(y, self.aims(t), **self._settings)
            delta = ACTIVATIONS[self.output].backward(z, y, gradient, **self.output_settings)
        if self.reduction == "mean":
            delta *= self.share(z)
        return delta

    def take(self, runs: Any) -> "Criterion":
        """The criterion of some of its runs."""
        settings, output_settings = (
            {name: value[runs] for name, value in settings.items()}
            for settings in (self.settings, self.output_settings)
        )
        return replace(self, settings=settings, output_settings=output_settings)
