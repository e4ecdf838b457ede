"""The hidden space: the inputs of the last layer, between which its boundary is a straight line.

The grid of the input plane is drawn as the hidden layers bend it, until a line can separate the classes.
"""

import numpy as np

from xortrain.films.data import FilmData, Frame
from xortrain.films.heatmap import Heatmap, Probe, activation_range
from xortrain.films.panel import ExampleMarks, Panel, PanelContext, label_axes
from xortrain.films.projection import Projection, Slice, project_curve, project_plane, project_slices
from xortrain.nets import Array
from xortrain.nets.network import Network

LINES, DOTS = 9, 25  # of the grid in each direction, and the points of each
SAMPLES = 12  # frames that determine the part of the space that is shown


def space_panel(context: PanelContext) -> "HiddenSpace | WeightedSum":
    """The panel that fits the network."""
    return HiddenSpace(context) if len(context.run_frames.network.layers) > 1 else WeightedSum(context)


class HiddenSpace(Panel):
    """The last hidden layer of one run; for more than two units, a plane through their space."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context)
        run, network = self.run_frames, self.run_frames.data.network
        self.head = Network(network.fan_in[-1], network.layers[-1:], network.bias)
        frames = run.sample(context.chosen, SAMPLES)
        frames = [frame for frame in frames if not self.scale.is_off_scale(frame.y)] or frames[:1]
        points = np.concatenate([self._received(frame) for frame in frames])
        self.projection = self._project(points[np.isfinite(points).all(1)], frames[-1])
        self.heatmap = head_map(context, self.head, self.projection)
        self.examples = ExampleMarks(self.canvas, self.scale, run.t, 0.55)
        self.grid = input_grid(context.projection)
        has_grid = self.grid.size > 0 and not self.projection.is_curve
        self.probe = Probe(network, run.data.scaling, self.grid, np.array([run.run])) if has_grid else None

    def _received(self, frame: Frame) -> Array:
        """What the last layer receives for the examples: (examples, units)."""
        hidden = frame.layers[-2]
        return np.concatenate([hidden, self.run_frames.received], axis=1) if self.run_frames.network.skip else hidden

    def _project(self, points: Array, last: Frame) -> Projection:
        """The plane for finite points (n, units), or the curve for a single unit."""
        data, scale = self.run_frames.data, self.scale
        if not len(points):
            points = np.zeros((2, self.head.inputs))
        if points.shape[1] == 1:
            return project_output(points[:, 0], "h1", data)
        if points.shape[1] > 2:
            weights = np.nan_to_num(self.head.split(last.theta[-self.head.size :])["W1"])
            if scale.one_hot:
                return plane_of_weights(points, weights, data.outputs[-1])
            return plane_of_weights(points, weights[:1], data.outputs[0])
        known = activation_range(data.network.layers[-2])
        corners = points if known is None else np.repeat(np.array(known)[:, None], 2, axis=1)
        across, up = np.eye(2)
        one = Slice(np.zeros(2), across, up, "", np.arange(len(self.run_frames.x)))
        return project_slices(corners, (one,), ("h1", "h2"), 0.07)

    def still(self) -> None:
        self.canvas.text(self.box.x, self.title_y, "hidden space", 11, self.canvas.colours.label)
        label_axes(self.canvas, self.box, self.projection, 9)

    def paste(self, frame: Frame) -> None:
        self.heatmap.paste(frame.theta[-self.head.size :])

    def draw(self, frame: Frame) -> None:
        projection = self.projection
        if self.probe is not None and frame.status not in ("diverged", "not finished"):
            hidden = self.probe.layers(frame.theta[:, None])[-2][:, 0]
            grid = self.run_frames.scaling.inputs.scaled(self.grid[None])[0]
            received = np.concatenate([hidden, grid]) if self.run_frames.network.skip else hidden
            places = self._places(received.astype(float), beyond=4)
            points = np.concatenate([places, np.full((len(places), 1, 2), np.nan)], axis=1).reshape(-1, 2)
            self.canvas.line(points, self.canvas.colours.ink, 0.8, clip=self.box, opacity=0.4)
        self.heatmap.draw()
        places = self._places(self._received(frame).T, beyond=0)
        if projection.is_curve:
            y = self.scale.value(frame.y.T)
            places[:, 1] = self.box.at(projection.fractions(y, np.clip(y, projection.bottom, projection.top)))[:, 1]
        self.examples.draw(places, frame.right)

    def _places(self, received: Array, beyond: float) -> Array:
        """Pixels (…, 2) of points (units, …), at most ``beyond`` times the size of the box outside it."""
        if self.projection.is_curve:
            u, v = received[0], np.zeros_like(received[0])
        else:
            one = self.projection.slices[0]
            away = np.moveaxis(received, 0, -1) - one.origin
            u, v = away @ one.across, away @ one.up
        return self.box.at(np.clip(self.projection.fractions(u, v), -beyond, 1 + beyond))


def project_output(u: Array, name: str, data: FilmData) -> Projection:
    """The output over u (n,), with 0 among its ticks if that is between the targets."""
    height = np.full(len(u), np.clip(0, data.low, data.high))
    return project_curve(u, height, name, data.outputs[0], data.low, data.high)


def head_map(context: PanelContext, head: Network, projection: Projection) -> Heatmap:
    """The output over what the last layer receives."""
    run = context.run_frames
    scaling = run.data.scaling.of_targets()
    return Heatmap(context.canvas, [context.box], head, scaling, run.run, projection, context.scale, 1.8)


def plane_of_weights(points: Array, weights: Array, output: str) -> Projection:
    """A plane through points (n, units) along the weights (outputs, units) of the last layer.

    With one output, the first axis is along its weights, the second is the principal axis of what remains. With more,
    the axes are the two principal axes of their weights, along which the outputs differ most.
    """
    mean = points.mean(0)
    spread = np.linalg.svd(points - mean, full_matrices=False)[2]
    differences = weights - weights.mean(0) if len(weights) > 1 else weights
    sought = np.linalg.svd(differences, full_matrices=False)[2][: max(1, len(weights) - 1)]
    sought = sought * np.sign((sought @ differences[-1]) + 1e-12)[:, None]
    wanted = np.concatenate([sought, spread])
    axes = np.linalg.qr(wanted[: points.shape[1]].T)[0].T[:2]
    axes *= np.sign((axes * wanted[:2]).sum(1) + 1e-12)[:, None]
    one = f"along {output}'s weights", "widest beside that"
    names = one if len(sought) == 1 else ("parts classes best", "second best")
    return project_plane(points, mean, axes[0], axes[1], names, 0.1)


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
        self.examples = ExampleMarks(self.canvas, self.scale, self.run_frames.t, 0.55)

    def sums(self, frame: Frame) -> Array:
        """z (examples,) of the output unit."""
        run = self.run_frames
        with np.errstate(all="ignore"):
            return np.asarray(run.network.forward(frame.theta[:, None], run.received).z[-1][:, 0, 0])

    def still(self) -> None:
        """The curve, and a dashed line where the output changes sides."""
        self.canvas.text(self.box.x, self.title_y, "weighted sum", 11, self.canvas.colours.label)
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
