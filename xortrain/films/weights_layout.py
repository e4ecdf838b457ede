"""The path of the parameters: each one over the epochs, and all together in the plane in which they move most."""

import numpy as np

from xortrain.films.canvas import Box
from xortrain.films.data import Frame
from xortrain.films.loss_curve import Reveal, column_extremes, draw_axes, linear_ticks, power_of_ten, spread_labels
from xortrain.films.panel import NOT_FINITE, Heading, Panel, PanelContext, RunLayout, format_short, label_axes
from xortrain.films.projection import principal_plane
from xortrain.nets import Array
from xortrain.records.layout import parameter_names

MOST_LINES, MOST_STEPS = 16, 800  # parameters with a curve, and points of each
FAR = 1e3  # times the initial distance from zero at which the path leaves its plane
LEAST_RATIO = 100  # of the largest value to the largest initial one, for a logarithmic scale
LINE = 12.5  # height of a parameter's name and value


class WeightsLayout(RunLayout):
    """The curves of one run on the left, its path on the right."""

    designs = ((640, 400),)
    classes = 2

    def arrange(self) -> list[Panel]:
        canvas, s, data, run = self.canvas, self.canvas.unit, self.data, self.run_frames.run
        steps = np.unique(np.linspace(0, len(data.frame_epochs) - 1, MOST_STEPS).astype(int))
        values, epochs = np.asarray(data.parameters[steps, :, run], float), np.asarray(data.frame_epochs, float)[steps]
        until = _run_length(np.isfinite(values).all(1))
        near = _run_length(np.abs(values[:until]).max(1) < FAR * (1 + np.abs(values[0]).max()))
        self.projection = principal_plane(values[:near] if values.shape[1] > 1 else np.repeat(values[:near], 2, axis=1))
        side, top = min(canvas.height - round(116 * s), round(canvas.width * 0.38)), round(66 * s)
        plane = Box(canvas.width - side - round(16 * s), top, side, side)
        box = Box(round(44 * s), top, plane.x - round(164 * s), canvas.height - round(100 * s))
        self.heading = Heading(canvas, plane.x, plane.x + side, 22 * s, int(epochs[-1]))
        self.curves = Curves(self.context(box), epochs[:until], values[:until])
        self.path = ParameterPath(self.context(plane), epochs[:near])
        return [self.curves, self.path]

    def label(self) -> None:
        canvas, s, box, plane = self.canvas, self.canvas.unit, self.curves.box, self.path.box
        network, shown, label = self.data.network, len(self.curves.shown), self.canvas.colours.label
        self.write_heading(box.x, 22 * s, self.heading.left - box.x - 10 * s)
        words = "parameters" if shown == network.size else f"the {shown} of {network.size} parameters that move most"
        layers = "one colour per layer" * (len(network.layers) > 1)
        key = ", ".join(filter(None, (words, layers, "biases dashed" * network.bias)))
        room = plane.x - box.x - 10 * s
        words = canvas.shorten(key if canvas.text_width(key, 11) <= room else words, room, 11)
        canvas.text(box.x, box.y - 12 * s, words, 11, label)
        canvas.text(plane.x, plane.y - 12 * s, canvas.shorten("path of all parameters", plane.width, 11), 11, label)


def _run_length(good: Array) -> int:
    """The number of true values at the beginning of ``good`` (steps,), at least one."""
    return len(good) if good.all() else max(int(good.argmin()), 1)


class Curves(Panel):
    """The parameters that move most over the epochs: one colour per layer, biases dashed."""

    def __init__(self, context: PanelContext, epochs: Array, values: Array) -> None:
        """``values`` (steps, parameters) end where they are no longer finite."""
        super().__init__(context)
        canvas, box, data = self.canvas, self.box, self.run_frames.data
        self.last = max(int(data.frame_epochs[-1]), 1)
        most = min(MOST_LINES, data.network.size, int(box.height / (LINE * canvas.unit)) + 1)
        self.shown = np.sort(np.argsort(-np.abs(values - values[0]).max(0), kind="stable")[:most])
        names = parameter_names(data.network.shapes)
        self.names = [names[parameter] for parameter in self.shown]
        values = values[:, self.shown]
        far = np.abs(values).max(1)
        self.reach = float(far.max()) * 1.05 or 1.0
        self.unit = 10.0 ** np.floor(np.log10(far[0] or 1)) if self.reach > LEAST_RATIO * (far[0] or 1) else 0.0
        places = np.stack(np.broadcast_arrays(epochs[:, None] / self.last, self.height(values)), axis=-1)
        self.lines = [line[column_extremes(line)] for line in np.moveaxis(box.at(places), 1, 0)]

    def height(self, values: Array) -> Array:
        """Heights as fractions of the box, 0 at the top; with a unit, logarithmic on either side of zero."""
        return np.asarray(0.5 - 0.5 * self._scaled(values) / self._scaled(np.array(self.reach)))

    def _scaled(self, values: Array) -> Array:
        return np.sign(values) * np.log10(1 + np.abs(values) / self.unit) if self.unit else values

    def still(self) -> None:
        canvas, box, s, label = self.canvas, self.box, self.canvas.unit, self.canvas.colours.label
        draw_axes(canvas, box, [(float(self.height(np.array(value))), word) for value, word in self._ticks()])
        canvas.line(box.at(np.array([[0, 0.5], [1, 0.5]])), canvas.colours.pale)
        low = box.y + box.height + 13 * s
        for word, x, side in (("0", 0.0, "centre"), ("epoch", 0.5, "centre"), (str(self.last), 1.0, "right")):
            canvas.text(box.x + x * box.width, low, word, 10, label, align=side)
        self.reveal = Reveal(canvas, box, lambda: self._draw_lines(0.25), lambda: self._draw_lines(1))

    def _ticks(self) -> list[tuple[float, str]]:
        """Round values with their labels; on a logarithmic scale, a few powers of ten on either side of zero."""
        if not self.unit:
            return linear_ticks(-self.reach, self.reach)
        first, last = round(np.log10(self.unit)) + 1, int(np.log10(self.reach))
        powers = range(last, first - 1, -max(1, -(-(last - first + 1) // 3)))
        above = [(10.0**power, power_of_ten(power)) for power in powers]
        return [*above, (0.0, "0"), *((-value, f"-{word}") for value, word in above)]

    def _colour(self, name: str) -> Array:
        return self.canvas.colours.of_classes(np.array(int(name[1:].partition("[")[0]) - 1))

    def _draw_lines(self, opacity: float) -> None:
        for name, line in zip(self.names, self.lines, strict=True):
            dashes = (4, 2) if name.startswith("b") else ()
            self.canvas.line(line, self._colour(name), 1.6, dashes, self.box, opacity)

    def paste(self, frame: Frame) -> None:
        self.reveal.uncover(frame.epoch / self.last)

    def draw(self, frame: Frame) -> None:
        canvas, box, s = self.canvas, self.box, self.canvas.unit
        x = box.x + frame.epoch / self.last * box.width
        canvas.line(np.array([[x, box.y], [x, box.y + box.height]]), canvas.colours.label)
        values = frame.theta[self.shown].astype(float)
        ends = np.clip(np.nan_to_num(self.height(values), nan=0.5), 0, 1) * box.height + box.y + 3.5 * s
        left = box.x + box.width + 8 * s
        right = left + 92 * s
        for name, value, y in zip(self.names, values, spread_labels(list(ends), LINE * s, box), strict=True):
            number = format_short(value, 1e3, 1e3) if np.isfinite(value) else NOT_FINITE
            room = right - left - canvas.text_width(number, 9) - 4 * s
            canvas.text(left, y, canvas.shorten(name, room, 9), 9, self._colour(name))
            canvas.text(right, y, number, 9, align="right")
        canvas.text(box.x, box.y - 28 * s, frame.status, 11, canvas.colours.label)
        self.banner(12, frame.failure, 0.25)


class ParameterPath(Panel):
    """All parameters as a point that moves in the plane of the two principal axes of its path."""

    def __init__(self, context: PanelContext, epochs: Array) -> None:
        """``epochs`` (steps,) are those at which the parameters are near enough for the plane."""
        super().__init__(context)
        self.epochs, self.last = epochs, int(self.run_frames.data.frame_epochs[-1])
        self.points = self.box.at(self.projection.fractions(*self.projection.places.T))

    def still(self) -> None:
        canvas, box, s, label = self.canvas, self.box, self.canvas.unit, self.canvas.colours.label
        label_axes(canvas, box, self.projection)
        draw_axes(canvas, box)
        canvas.line(self.points, canvas.colours.pale, 2)
        canvas.marks(self.points[:1], 0, 4, canvas.colours.paper, label, 1.5)
        (x, y), ahead = self.points[0], self.points[: len(self.points) // 10 + 2].mean(0)
        is_left = ahead[0] > x and x - canvas.text_width("start", 9) - 8 * s > box.x  # on the side away from the path
        place, align = (x - 8 * s, "right") if is_left else (x + 8 * s, "left")
        canvas.text(place, y + 4 * s, "start", 9, label, align=align)

    def draw(self, frame: Frame) -> None:
        canvas, box, ink, paper = self.canvas, self.box, self.canvas.colours.ink, self.canvas.colours.paper
        until = max(int(np.searchsorted(self.epochs, frame.epoch, side="right")), 1)
        canvas.line(self.points[:until], ink, 2)
        canvas.marks(self.points[until - 1 : until], 0, 5, ink, paper, 1.4)
        left = self.epochs[-1]
        if left < self.last and frame.epoch > left:
            words = canvas.shorten(f"far outside after epoch {left:.0f}", box.width, 11, "bold")
            x, y = box.x + box.width / 2, box.y + 14 * canvas.unit
            canvas.text(x, y, words, 11, face="bold", align="centre", halo=paper)
