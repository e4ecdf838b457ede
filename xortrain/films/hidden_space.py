"""The hidden space: the inputs of the last layer, between which its boundary is a straight line.

The grid of the input plane is drawn as the hidden layers bend it, until a line can separate the classes.
"""

import numpy as np

from xortrain.films.data import Frame
from xortrain.films.heatmap import Heatmap, Probe
from xortrain.films.hidden_plane import SAMPLES, hidden_plane, project_output, received
from xortrain.films.panel import (
    MOST_NAMED_EXAMPLES,
    ClassNames,
    ExampleMarks,
    ExampleNames,
    Panel,
    PanelContext,
    label_axes,
)
from xortrain.films.projection import Projection
from xortrain.nets import Array
from xortrain.nets.network import Network

LINES, DOTS = 9, 25  # of the grid in each direction, and the points of each


def space_panel(context: PanelContext) -> "HiddenSpace | WeightedSum":
    """The panel that fits the network."""
    return HiddenSpace(context) if len(context.run_frames.network.layers) > 1 else WeightedSum(context)


class HiddenSpace(Panel):
    """The last hidden layer of one run; for more than two units, a plane through their space."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context)
        run, network, self.chosen = self.run_frames, self.run_frames.data.network, context.chosen
        self.plane = hidden_plane(run, self.scale)
        self.projection = self.plane.projection
        self.heatmap = head_map(context, self.plane.head, self.projection)
        self.examples = ExampleMarks(self.canvas, self.scale, run.t, 0.9)
        self.held = ExampleMarks(self.canvas, self.scale, run.held[1], 0.8, len(run.t)) if run.held else None
        self.grid = input_grid(context.projection)
        has_grid = self.grid.size > 0 and not self.projection.is_curve
        self.probe = Probe(network, run.data.scaling, self.grid, np.array([run.run])) if has_grid else None
        self.names = ExampleNames(self.canvas, self.box, run.short_names) if len(run.x) <= MOST_NAMED_EXAMPLES else None
        if context.names_classes:
            self.names = self.names or ClassNames(context)

    def still(self) -> None:
        self.write_title("what the last hidden layer makes of it")
        label_axes(self.canvas, self.box, self.projection, 9)
        if self.names:
            frames = map(self.run_frames.at, self.chosen.tolist())
            self.names.follow({frame.epoch: self._example_places(frame) for frame in frames})

    def paste(self, frame: Frame) -> None:
        self.heatmap.paste(self.plane.parameters(frame.theta))

    def draw(self, frame: Frame) -> None:
        projection = self.projection
        if self.probe is not None and frame.status not in ("diverged", "not finished"):
            hidden = self.probe.layers(frame.theta[:, None])[-2][:, 0]
            grid = self.run_frames.scaling.inputs.scaled(self.grid[None])[0]
            bent = np.concatenate([hidden, grid]) if self.run_frames.network.skip else hidden
            places = self._places(bent.astype(float), frame, beyond=4)
            points = np.concatenate([places, np.full((len(places), 1, 2), np.nan)], axis=1).reshape(-1, 2)
            self.canvas.line(points, self.canvas.colours.ink, 0.8, clip=self.box, opacity=0.4)
        self.heatmap.draw()
        self._draw_held(frame)
        places = self._example_places(frame)
        self.examples.draw(places, frame.right)
        if self.names:
            self.names.draw(places, frame.epoch)
        if not projection.is_curve and self.plane.last.inputs > 2 and not self.plane.turns:
            self.write_contradictions(self.heatmap.at(0, places), frame.y.T)

    def _example_places(self, frame: Frame) -> Array:
        """Pixels (examples, 2)."""
        projection, places = self.projection, self._places(received(self.run_frames, frame).T, frame, beyond=0)
        if projection.is_curve:
            y = frame.y[:, 0]
            places[:, 1] = self.box.at(projection.fractions(y, np.clip(y, projection.bottom, projection.top)))[:, 1]
        return places

    def _draw_held(self, frame: Frame) -> None:
        """The held-out examples, unless the space is a curve."""
        run = self.run_frames
        if self.held is None or run.held is None or self.projection.is_curve:
            return
        x = run.scaling.inputs.scaled(run.held[0])
        with np.errstate(all="ignore"):
            hidden = run.network.forward(frame.theta[:, None], x).a[-2][..., 0]
        points = np.concatenate([hidden, x], axis=1) if run.network.skip else hidden
        self.held.marks(self._places(points.T, frame, beyond=0))

    def _places(self, received: Array, frame: Frame, beyond: float) -> Array:
        """Pixels (…, 2) of points (units, …), at most ``beyond`` times the size of the box outside it."""
        u, v = self.plane.coordinates(received, frame.theta)
        return self.box.at(np.clip(self.projection.fractions(u, v), -beyond, 1 + beyond))


def head_map(context: PanelContext, head: Network, projection: Projection) -> Heatmap:
    """The output over what the last layer receives."""
    run = context.run_frames
    scaling = run.data.scaling.of_targets()
    return Heatmap(context.canvas, [context.box], head, scaling, run.run, projection, context.scale, 1.8)


def input_grid(inputs: Projection) -> Array:
    """Straight lines over the input plane: (inputs, lines, dots); empty for several slices or a single input."""
    if len(inputs.slices) > 1 or inputs.is_curve:
        return np.zeros(0)
    u, v = np.linspace(inputs.left, inputs.right, LINES), np.linspace(inputs.bottom, inputs.top, LINES)
    fine_u, fine_v = np.linspace(u[0], u[-1], DOTS), np.linspace(v[0], v[-1], DOTS)
    upright = np.meshgrid(u, fine_v, indexing="ij")
    level = np.meshgrid(v, fine_u, indexing="ij")[::-1]
    us, vs = (np.concatenate(pair) for pair in zip(upright, level, strict=True))
    return inputs.slices[0].points(us, vs)


class WeightedSum(Panel):
    """The output's curve over the weighted sum z of a network's only unit, and the examples on it."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context)
        data = self.run_frames.data
        frames = self.run_frames.sample(context.chosen, SAMPLES)
        sums = [self.sums(frame) for frame in frames if not self.scale.is_off_scale(frame.y)]
        together = np.concatenate([np.ones(1), *sums])
        reach = np.abs(together[np.isfinite(together)]).max()
        z = np.linspace(-reach, reach, 33)
        self.projection = project_output(z, "z", data)
        head = Network(1, data.network.layers, bias=False)
        self.heatmap = head_map(context, head, self.projection)
        self.examples = ExampleMarks(self.canvas, self.scale, self.run_frames.t, 0.9)

    def sums(self, frame: Frame) -> Array:
        """z (examples,) of the output unit."""
        run = self.run_frames
        with np.errstate(all="ignore"):
            return np.asarray(run.network.forward(frame.theta[:, None], run.received).z[-1][:, 0, 0])

    def still(self) -> None:
        """The curve, and a dashed line where the output changes sides."""
        self.write_title("the weighted sum of the inputs")
        label_axes(self.canvas, self.box, self.projection, 9)
        self.heatmap.paste(np.ones(1))
        value = self.scale.value(self.heatmap.y[:, 0, 0]) - (self.scale.low + self.scale.high) / 2
        for column in np.flatnonzero(np.diff(value > 0)) if self.scale.classes else ():
            x, y = self.box.x + column + 1, self.box.y
            line = np.array([[x, y], [x, y + self.box.height]])
            self.canvas.line(line, self.canvas.colours.ink, 1, (4, 3), clip=self.box)
        self.heatmap.draw()

    def draw(self, frame: Frame) -> None:
        value = np.clip(self.scale.value(frame.y.T), self.projection.bottom, self.projection.top)
        places = self.box.at(np.clip(self.projection.fractions(self.sums(frame), value), 0, 1))
        self.examples.draw(places, frame.right)
