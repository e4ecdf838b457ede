"""A real-valued output over the only input: the curve, the examples, and how far each is from it."""

import numpy as np

from xortrain.films.data import Frame
from xortrain.films.heatmap import Probe, draw_curve
from xortrain.films.panel import ExampleMarks, Panel, PanelContext, label_axes
from xortrain.nets import Array

FEW = 200  # examples with a stick each


class Curve(Panel):
    """The curve on neutral ground, in the band in which an output is right; examples beyond the scale are arrows."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context)
        run, box = self.run_frames, self.box
        points = self.projection.grid(0, box.width, 1)[:, None]
        self.probe = Probe(run.data.network, run.data.scaling, points, np.array([run.run]))
        self.examples = ExampleMarks(self.canvas, self.scale, run.t)
        self.held = ExampleMarks(self.canvas, self.scale, run.held[1], beside=len(run.t)) if run.held else None
        self.reach = self._reach()

    def _reach(self) -> tuple[float, float]:
        """How far below and above an output its target may be for it to be right."""
        interval = self.run_frames.data.interval
        if interval is None:
            return 0.0, 0.0
        t = self.run_frames.t[:1]
        low, high = interval(t)
        reach = float(t[0, 0] - low[0, 0]), float(high[0, 0] - t[0, 0])
        return reach if np.isfinite(reach).all() else (0.0, 0.0)

    def still(self) -> None:
        if self.title:
            self.write_title()
        label_axes(self.canvas, self.box, self.projection)
        self.canvas.outline(self.box, self.canvas.colours.pale)

    def _places(self, x: Array, y: Array) -> Array:
        return self.box.at(self.projection.fractions(x, y))

    def draw(self, frame: Frame) -> None:
        canvas, box, run = self.canvas, self.box, self.run_frames
        value = self.probe.outputs(frame.theta[:, None])[0, 0].reshape(-1).astype(float)
        columns = box.x + np.arange(len(value)) + 0.5
        if max(self.reach) > 0 and np.isfinite(value).all():
            low, high = (self._heights(value + side) for side in (-self.reach[1], self.reach[0]))
            around = np.concatenate([np.stack([columns, low], 1), np.stack([columns, high], 1)[::-1]])
            canvas.area(around, canvas.colours.of_classes(np.array(1)), opacity=0.14)
        x, t, y = run.x[:, 0], run.t[:, 0], frame.y[:, 0].astype(float)
        if len(x) <= FEW:
            self._draw_sticks(x, t, y)
        if self.held and run.held:
            self.held.marks(self._places(run.held[0][:, 0], run.held[1][:, 0]))
        draw_curve(canvas, box, self.projection, value, 2)
        self.examples.draw(self._places(x, t), frame.right)
        self._draw_arrows(x, y)
        self.banner(15, frame.failure)

    def _heights(self, values: Array) -> Array:
        """Pixels of values, at most the edges of the box."""
        return np.clip(self._places(np.zeros_like(values), values)[:, 1], self.box.y, self.box.y + self.box.height)

    def _draw_sticks(self, x: Array, t: Array, y: Array) -> None:
        """A line from each target to the curve."""
        ends = np.stack([self._places(x, t), self._places(x, y)], axis=1)
        ends[:, 1, 1] = np.clip(np.nan_to_num(ends[:, 1, 1], nan=self.box.y), self.box.y, self.box.y + self.box.height)
        broken = np.concatenate([ends, np.full((len(ends), 1, 2), np.nan)], axis=1).reshape(-1, 2)
        self.canvas.line(broken, self.canvas.colours.label, 1, clip=self.box)

    def _draw_arrows(self, x: Array, y: Array) -> None:
        """An arrow at the edge where the output for an example is beyond the scale."""
        canvas, box, s = self.canvas, self.box, self.canvas.unit
        for beyond, edge, out in (
            (y > self.projection.top, box.y, 1),
            (y < self.projection.bottom, box.y + box.height, -1),
        ):
            for column in self._places(x[beyond], y[beyond])[:, 0].tolist():
                tip = np.array([[column, edge + out * s], [column - 4 * s, edge + 7 * out * s]])
                canvas.area(np.concatenate([tip, [[column + 4 * s, edge + 7 * out * s]]]), canvas.colours.ink)
