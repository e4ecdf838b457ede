"""The hidden space: what the last layer sees, where its boundary is a straight line.

The input plane's grid is drawn as the hidden layers bend it: training ends when a line can part the classes.
"""

from collections.abc import Sequence

import numpy as np

from xortrain.films.canvas import Canvas
from xortrain.films.captions import ExampleMarks
from xortrain.films.colour_scale import ColourScale
from xortrain.films.field import axes
from xortrain.films.frames import Frame, RunFrames
from xortrain.films.glyphs import Box
from xortrain.films.heatmap import Heatmap, Probe
from xortrain.films.projection import Projection, Slice, flat, line_of, over
from xortrain.nets import Array
from xortrain.nets.activations import ACTIVATIONS
from xortrain.nets.network import Layer, Network

LINES, DOTS = 9, 25
"""How many lines of the grid each way, and of how many points."""


class HiddenSpace:
    """The last hidden layer of one run in a box."""

    def __init__(
        self, canvas: Canvas, box: Box, course: RunFrames, inputs: Projection, read: ColourScale, chosen: Array
    ) -> None:
        network, run = course.subject.network, np.array([course.run])
        self.canvas, self.box, self.course, self.read = canvas, box, course, read
        self.head = Network(network.fan_in[-1], network.layers[-1:], network.bias)
        some = course.some(chosen, 12)
        some = [one for one in some if not read.is_lost(one.y)] or some[:1]
        seen = np.concatenate([self._seen(one.layers, course.x) for one in some])
        self.plane = self._plane(seen[np.isfinite(seen).all(1)], some[-1])
        self.surface = Heatmap(canvas, [box], self.head, course.run, self.plane, read, 1.8)
        self.examples = ExampleMarks(canvas, read, course.t, 0.55)
        self.grid = bent_grid(inputs)
        drawn = self.grid.size > 0 and not self.plane.curve
        self.probe = Probe(network, self.grid, run) if drawn else None

    def _seen(self, layers: list[Array], x: Array) -> Array:
        """What the last layer receives: (points, units)."""
        return np.concatenate([layers[-2], x], axis=1) if self.course.network.skip else layers[-2]

    def _plane(self, seen: Array, last: Frame) -> Projection:
        subject = self.course.subject
        if not len(seen):
            seen = np.zeros((2, self.head.inputs))
        if seen.shape[1] == 1:
            return line_of(seen[:, 0], seen[:, 0] * 0, "h1", subject.outputs[0], subject.low, subject.high)
        if seen.shape[1] > 2:
            weights = self.head.split(last.theta[-self.head.size :])["W1"]
            looked = slice(None) if self.read.leads else slice(1)  # of outputs that are no classes one is shown
            return facing(seen, np.nan_to_num(weights)[looked], subject.outputs[looked])
        known = bounds(subject.network.layers[-2])
        corners = seen if known is None else np.repeat(np.array(known)[:, None], 2, axis=1)
        across, up = np.eye(2)
        return over(corners, (Slice(np.zeros(2), across, up, "", np.arange(len(self.course.x))),), ("h1", "h2"), 0.07)

    def still(self) -> None:
        axes(self.canvas, self.box, self.plane, 9)

    def paste(self, moment: Frame) -> None:
        self.surface.paste(moment.theta[-self.head.size :])

    def draw(self, moment: Frame) -> None:
        if self.probe is not None and not moment.diverged:
            layers = [a[:, 0] for a in self.probe.layers(moment.theta[:, None])]
            seen = np.concatenate([layers[-2], self.grid]) if self.course.network.skip else layers[-2]
            self._grid(seen)
        self.surface.draw()
        places = self._places(self._seen(moment.layers, self.course.x).T, beyond=0)
        if self.plane.curve:
            y = self.surface.read.value(moment.y.T)
            places[:, 1] = self.box.at(self.plane.share(y, np.clip(y, self.plane.bottom, self.plane.top)))[:, 1]
        inside = np.isfinite(places).all(1)
        members = np.flatnonzero(inside)
        self.examples.draw(places[inside], members, moment.right)

    def _grid(self, seen: Array) -> None:
        """Lines (units, lines, dots) of the input plane where they lie now."""
        places = self._places(seen.astype(float))
        lifted = np.concatenate([places, np.full((len(places), 1, 2), np.nan)], axis=1).reshape(-1, 2)
        self.canvas.line(lifted, self.canvas.colours.ink, 0.8, within=self.box, share=0.4)

    def _places(self, seen: Array, beyond: float = 4) -> Array:
        """Pixels (…, 2) of what the last layer receives (units, …), no farther out than so many times the box."""
        if self.plane.curve:
            u, v = seen[0], np.zeros_like(seen[0])
        else:
            one = self.plane.slices[0]
            away = np.moveaxis(seen, 0, -1) - one.origin
            u, v = away @ one.across, away @ one.up
        share = np.clip(self.plane.share(u, v), -beyond, 1 + beyond)
        return self.box.at(share)


def facing(seen: Array, weights: Array, outputs: Sequence[str]) -> Projection:
    """A plane through points (n, units) along what the last layer looks for: there its boundary parts them truly.

    One output looks along its weights (outputs, units), and the second axis is the principal one of the rest;
    several differ most along the two principal axes of their weights.
    """
    mean = seen.mean(0)
    spread = np.linalg.svd(seen - mean, full_matrices=False)[2]
    differ = weights - weights.mean(0) if len(weights) > 1 else weights
    sought = np.linalg.svd(differ, full_matrices=False)[2][: max(1, len(weights) - 1)]
    sought = sought * np.sign((sought @ differ[-1]) + 1e-12)[:, None]
    axes = np.linalg.qr(np.concatenate([sought, spread])[: seen.shape[1]].T)[0].T[:2]
    axes *= np.sign((axes * np.concatenate([sought, spread])[:2]).sum(1) + 1e-12)[:, None]
    one = f"along {outputs[-1]}'s weights", "widest beside that"
    names = one if len(sought) == 1 else ("parts classes best", "second best")
    return flat(seen, mean, axes[0], axes[1], names, 0.1)


def bent_grid(inputs: Projection) -> Array:
    """Straight lines over the input plane: (inputs, lines, dots); none where there are several slices."""
    if len(inputs.slices) > 1 or inputs.curve:
        return np.zeros(0)
    u = np.linspace(inputs.left, inputs.right, LINES)
    v = np.linspace(inputs.bottom, inputs.top, LINES)
    fine_u, fine_v = np.linspace(u[0], u[-1], DOTS), np.linspace(v[0], v[-1], DOTS)
    upright = np.meshgrid(u, fine_v, indexing="ij")
    level = np.meshgrid(v, fine_u, indexing="ij")[::-1]
    us, vs = (np.concatenate(pair) for pair in zip(upright, level, strict=True))
    return inputs.slices[0].points(us, vs)


def bounds(layer: Layer) -> tuple[float, float] | None:
    """Between which values a layer's activation stays, or None if it grows without end."""
    z = np.linspace(-60, 60, 241)[:, None, None]
    settings = {name: value[:1] for name, value in layer.settings.items()}
    with np.errstate(all="ignore"):
        a = ACTIVATIONS[layer.activation].f(z, np.empty_like(z), **settings)
    low, high = float(a.min()), float(a.max())
    return (round(low, 1), round(high, 1)) if high - low < 4 else None


class WeightedSum:
    """The output's curve over z in a box, and the examples on it."""

    def __init__(self, canvas: Canvas, box: Box, course: RunFrames, read: ColourScale, chosen: Array) -> None:
        self.canvas, self.box, self.course, self.read = canvas, box, course, read
        alive = [one for one in course.some(chosen, 12) if not read.is_lost(one.y)]
        sums = np.concatenate([np.ones(1), *(self._sums(one) for one in alive)])
        reach, subject = np.abs(sums[np.isfinite(sums)]).max(), course.subject
        z = np.linspace(-reach, reach, 33)
        self.plane = line_of(z, np.zeros(33), "z", subject.outputs[0], subject.low, subject.high)
        head = Network(1, subject.network.layers, bias=False)
        self.surface = Heatmap(canvas, [box], head, course.run, self.plane, read, 1.8)
        self.examples = ExampleMarks(canvas, read, course.t, 0.55)

    def _sums(self, moment: Frame) -> Array:
        """z (examples,) of the output unit."""
        with np.errstate(all="ignore"):
            return np.asarray(self.course.network.forward(moment.theta[:, None], self.course.x).z[-1][:, 0, 0])

    def still(self) -> None:
        """The curve, and a line where the output changes sides."""
        axes(self.canvas, self.box, self.plane, 9)
        self.surface.paste(np.ones(1))
        value = self.surface.read.value(self.surface.y[:, 0, 0]) - (self.read.low + self.read.high) / 2
        for column in np.flatnonzero(np.diff(value > 0)) if self.read.classes else ():
            x, y = self.box.x + column + 1, self.box.y
            line = np.array([[x, y], [x, y + self.box.height]])
            self.canvas.line(line, self.canvas.colours.ink, 1, (4, 3), within=self.box)
        self.surface.draw()

    def paste(self, moment: Frame) -> None:
        """Nothing is pasted."""

    def draw(self, moment: Frame) -> None:
        value = np.clip(self.read.value(moment.y.T), self.plane.bottom, self.plane.top)
        places = self.box.at(np.clip(self.plane.share(self._sums(moment), value), 0, 1))
        inside = np.isfinite(places).all(1)
        self.examples.draw(places[inside], np.flatnonzero(inside), moment.right)
