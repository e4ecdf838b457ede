"""The path of the parameters: each one over the epochs, and all together in the plane in which they move most.

Under the path is the loss in that plane, a slice through the path's mean: off the plane the loss is another one.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xortrain.errors import UserError
from xortrain.films.canvas import ANCHORS, Box
from xortrain.films.data import Frame, RunFrames
from xortrain.films.heatmap import interpolation_weights, zero_lines
from xortrain.films.loss_curve import (
    LEAST_RATIO,
    Reveal,
    column_extremes,
    draw_axes,
    format_tick,
    linear_ticks,
    power_of_ten,
    spread_labels,
)
from xortrain.films.panel import NOT_FINITE, Heading, Panel, PanelContext, RunLayout, format_short, label_axes
from xortrain.films.projection import Projection, format_distinct, principal_plane, ticks
from xortrain.nets import Array
from xortrain.records.layout import parameter_names

MOST_LINES, MOST_STEPS = 16, 800  # parameters with a curve, and points of each
LARGEST = 1e100  # of the initial parameters: squares of the path must not overflow
FAR = 1e3  # times the initial distance from zero at which the path leaves its plane
LEAST_SPAN = 100  # of the largest value to the largest initial one, for a logarithmic scale
LINE = 12.5  # height of a parameter's name and value
BESIDE = 206  # units that the names, the axes and the margins take in a row of both panels
MARGIN = 0.16  # around the path, as a fraction of its extent
BANDS = 9  # of the loss, each a step of grey; the lowest is paper
MOST_RATIO = 1e5  # of the highest band to the lowest
BEYOND = 30  # times the largest loss on the path that the scale of the plane reaches
VIVID = 60  # the least difference between the channels of the path's colour, which is drawn over greys
MOST_PRODUCTS = 6e7  # multiplications for the loss in the plane; a larger network is evaluated at fewer points


class WeightsLayout(RunLayout):
    """The curves of one run on the left, its path on the right; on a canvas taller than wide, the path below."""

    designs = ((640, 400), (400, 660))
    classes = 2

    def arrange(self) -> list[Panel]:
        canvas, s, data, run = self.canvas, self.canvas.unit, self.data, self.run_frames.run
        steps = np.unique(np.linspace(0, len(data.frame_epochs) - 1, MOST_STEPS).astype(int))
        values, epochs = np.asarray(data.parameters[steps, :, run], float), np.asarray(data.frame_epochs, float)[steps]
        if not (largest := np.abs(values[0]).max()) <= LARGEST:
            raise UserError(f"film=weights: at the start a parameter is {largest:.3g}; its path cannot be drawn")
        until = _run_length(np.isfinite(values).all(1))
        near = _run_length(np.abs(values[:until]).max(1) < FAR * (1 + np.abs(values[0]).max()))
        box, plane = self._boxes()
        self.projection = self._named(path_plane(values[:near], plane), plane)
        left = plane.x if plane.y == box.y else canvas.width // 2
        self.heading = Heading(canvas, left, plane.x + plane.width, 22 * s, int(epochs[-1]))
        self.curves = Curves(self.context(box), epochs[:until], values[:until])
        self.path = ParameterPath(self.context(plane), epochs[:near])
        return [self.curves, self.path]

    def _boxes(self) -> tuple[Box, Box]:
        """The boxes of the curves and of the plane."""
        canvas, s = self.canvas, self.canvas.unit
        x, y, right = round(44 * s), round(66 * s), canvas.width - round(16 * s)
        if self.design == self.designs[0]:
            height, width = canvas.height - round(112 * s), round(0.6 * (canvas.width - BESIDE * s))
            return Box(x, y, right - width - round(146 * s) - x, height), Box(right - width, y, width, height)
        height = round((canvas.height - 170 * s) / 2)
        return Box(x, y, right - x - round(100 * s), height), Box(x, y + height + round(58 * s), right - x, height)

    def _named(self, plane: Projection, box: Box) -> Projection:
        """The plane with names of its axes that fit between their ticks, which are left out where no name fits."""
        canvas, s, shares = self.canvas, self.canvas.unit, [name.split(",")[1].split()[0] for name in plane.names]
        named = (f"axis 1, {shares[0]} of the path", f"axis 1, {shares[0]}"), (
            f"axis 2, {shares[1]}, same scale", f"axis 2, {shares[1]}",
        )  # fmt: skip
        names, kept = [], []
        for axis, (low, high, length) in enumerate(
            ((plane.left, plane.right, box.width), (plane.bottom, plane.top, box.height))
        ):
            values = plane.ticks[axis]
            away = np.abs(2 * (values - low) / (high - low) - 1) * length
            sizes = [14 * s if axis else canvas.text_width(word, 10) + 6 * s for word in format_distinct(values)]
            room = min(away - sizes, default=length)
            fitting = [name for name in named[axis] if canvas.text_width(name, 10) <= room]
            names.append((fitting or named[axis][1:])[0])
            kept.append(values if fitting else np.zeros(0))
        return replace(plane, names=(names[0], names[1]), ticks=(kept[0], kept[1]))

    def label(self) -> None:
        canvas, s, box, plane = self.canvas, self.canvas.unit, self.curves.box, self.path.box
        network, shown = self.data.network, len(self.curves.shown)
        self.write_heading(box.x, 22 * s, self.heading.left - box.x - 10 * s)
        few = "parameters" if shown == network.size else f"{shown} of {network.size} parameters"
        words = few if shown == network.size else f"the {few} that move most"
        layers = "one colour per layer" * (len(network.layers) > 1)
        key = ", ".join(filter(None, (words, layers, "biases dashed" * network.bias)))
        beside = plane.x if plane.y == box.y else canvas.width
        self._write(box, beside - box.x - 10 * s, key, words, few)
        self._write(plane, plane.width, *SLICE)

    def _write(self, box: Box, room: float, *variants: str) -> None:
        """Write the first of some words that fits above a box, or the last one cut."""
        canvas = self.canvas
        words = canvas.first_fitting(variants, room, 11)
        canvas.text(box.x, box.y - 12 * canvas.unit, words, 11, canvas.colours.label)


SLICE = (
    "loss in the plane of the path (a slice through its mean)", "loss in the plane of the path (a slice)",
    "loss in the path's plane (a slice)", "slice of the loss",
)  # fmt: skip


def _run_length(good: Array) -> int:
    """The number of true values at the beginning of ``good`` (steps,), at least one."""
    return len(good) if good.all() else max(int(good.argmin()), 1)


def path_plane(values: Array, box: Box) -> Projection:
    """The plane of the two principal axes of a path (steps, parameters), as much of it as fills a box at one scale."""
    found = principal_plane(values if values.shape[1] > 1 else np.repeat(values, 2, axis=1))
    low, high = found.places.min(0), found.places.max(0)
    size = np.array([box.width, box.height])
    least = 1e-9 * np.abs(found.places).max()  # so that the ends are different numbers
    half = size / 2 * (float((np.maximum((high - low) * (1 + 2 * MARGIN), least) / size).max()) or 2 / box.width)
    (left, bottom), (right, top) = (low + high) / 2 - half, (low + high) / 2 + half
    inside = [np.linspace(0.93 * a + 0.07 * b, 0.07 * a + 0.93 * b, 9) for a, b in ((left, right), (bottom, top))]
    ends = ticks(inside[0]), ticks(inside[1])  # clear of the corners, where values of both axes would meet
    return replace(found, left=float(left), right=float(right), bottom=float(bottom), top=float(top), ticks=ends)


def losses_in_plane(run: RunFrames, plane: Projection, width: int, height: int) -> Array:
    """The training loss (height, width) of a run's network with the parameters of each point of a plane."""
    points = plane.grid(0, width, height).reshape(-1, width * height)[: run.network.size]
    block = max(int(2**18 / (run.network.size + len(run.x))), 16)
    t = run.scaling.targets.scaled(run.t[..., None])
    parts = []
    with np.errstate(all="ignore"):
        for start in range(0, points.shape[1], block):
            theta = np.ascontiguousarray(points[:, start : start + block])
            runs = np.full(theta.shape[1], run.run)
            last = run.data.network.take(runs).forward(theta, run.received)
            parts.append(run.data.loss(last.z[-1], last.y, t, runs))
    return np.concatenate(parts).reshape(height, width)


class Curves(Panel):
    """The parameters that move most over the epochs: one colour per layer, biases dashed."""

    def __init__(self, context: PanelContext, epochs: Array, values: Array) -> None:
        """``values`` (steps, parameters) end where they are no longer finite."""
        super().__init__(context)
        canvas, box, data = self.canvas, self.box, self.run_frames.data
        self.last = max(int(data.frame_epochs[-1]), 1)
        most = min(MOST_LINES, data.network.size, int(box.height / (LINE * canvas.unit)) + 1)
        self.shown = np.sort(np.argsort(-np.abs(values - values[0]).max(0), kind="stable")[:most])
        self.all_names = parameter_names(data.network.shapes)
        self.names = [self.all_names[parameter] for parameter in self.shown]
        values = values[:, self.shown]
        far = np.abs(values).max(1)
        self.reach = float(far.max()) * 1.05 or 1.0
        self.unit = 10.0 ** np.floor(np.log10(far[0] or 1)) if self.reach > LEAST_SPAN * (far[0] or 1) else 0.0
        places = np.stack(np.broadcast_arrays(epochs[:, None] / self.last, self.height(values)), axis=-1)
        self.lines = [line[column_extremes(line)] for line in np.moveaxis(box.at(places), 1, 0)]
        self.ends = [line[-1] for line in self.lines]
        is_whole = epochs[-1] == data.frame_epochs[-1]
        numbers = [self._number(-float(far.max())), *[NOT_FINITE] * (not is_whole)]
        self.room = 86 * canvas.unit - max(canvas.text_width(number, 9) for number in numbers)
        self.lows = spread_labels([end[1] + 3.5 * canvas.unit for end in self.ends], LINE * canvas.unit, box)

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
        self._write_names()
        self.reveal = Reveal(canvas, box, lambda: self._draw_lines(0.3), lambda: self._draw_lines(1))

    def _number(self, value: float) -> str:
        return format_short(value, 1e3, 1e3) if np.isfinite(value) else NOT_FINITE

    def _write_names(self) -> None:
        """Write each name at the end of its curve, or beside it with a line to it."""
        canvas, s, left = self.canvas, self.canvas.unit, self.box.x + self.box.width + 12 * self.canvas.unit
        for name, (x, y), low in zip(self.names, self.ends, self.lows, strict=True):
            colour = self._colour(name)
            if x > self.box.x + self.box.width - 2:
                canvas.line(np.array([[x + 1, y], [left - 2 * s, low - 3.5 * s]]), colour, 0.8, opacity=0.6)
            canvas.text(left, low, canvas.shorten(name, self.room, 9), 9, colour)

    def _ticks(self) -> list[tuple[float, str]]:
        """Round values with their labels; on a logarithmic scale, a few powers of ten on either side of zero."""
        if not self.unit:
            return linear_ticks(-self.reach, self.reach)
        first, last = round(np.log10(self.unit)) + 1, int(np.log10(self.reach))
        powers = range(last, first - 1, -max(1, -(-(last - first + 1) // 3)))
        above = [(10.0**power, power_of_ten(power)) for power in powers]
        return [*above, (0.0, "0"), *((-value, f"-{word}") for value, word in above)]

    def _colour(self, name: str) -> Array:
        colours = self.canvas.colours
        return colours.legible(colours.of_classes(np.array(int(name[1:].partition("[")[0]) - 1)))

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
        for value, low in zip(values, self.lows, strict=True):
            canvas.text(box.x + box.width + 100 * s, low, self._number(value), 9, align="right")
        for name, y in zip(self.names, self.height(values) * box.height + box.y, strict=True):
            if box.y <= y <= box.y + box.height:
                canvas.marks(np.array([[x, y]]), 0, 2.4, self._colour(name), canvas.colours.paper, 0.8)
        canvas.text(box.x, box.y - 28 * s, frame.status, 11, canvas.colours.label)
        self.banner(12, frame.failure, 0.25)


class ParameterPath(Panel):
    """All parameters as a point that moves over the loss in the plane of the two principal axes of its path."""

    def __init__(self, context: PanelContext, epochs: Array) -> None:
        """``epochs`` (steps,) are those at which the parameters are near enough for the plane."""
        super().__init__(context)
        data, run = self.run_frames.data, self.run_frames.run
        self.epochs, self.last = epochs, int(data.frame_epochs[-1])
        self.points = self.box.at(self.projection.fractions(*self.projection.places.T))
        self.per_pixel = (self.projection.right - self.projection.left) / self.box.width
        colours = self.canvas.colours
        vivid = [one for one in colours.classes[:2] if np.ptp(one) >= VIVID and not colours.is_near_paper(one, 3)]
        self.colour = (vivid or [colours.ink])[0]
        on_path = np.asarray(data.losses[:, run], float)[data.loss_epochs <= epochs[-1]]
        width, height, detail = self.box.width, self.box.height, self.canvas.detail
        products = self.run_frames.network.size * len(self.run_frames.x) * width * height
        step = max(int(np.ceil(np.sqrt(products / MOST_PRODUCTS))), 2)  # the same for every kind of canvas
        losses = losses_in_plane(self.run_frames, self.projection, -(-width // step), -(-height // step))
        self.ground = LossGround(losses, on_path, width * detail, height * detail)

    def still(self) -> None:
        canvas, box, colours = self.canvas, self.box, self.canvas.colours
        canvas.paste(box, canvas.palette.grey(self.ground.bands))
        canvas.set_background()
        for edge in self.ground.edges():
            canvas.line(box.at(edge), colours.paper, 0.8, clip=box, opacity=0.55)
        label_axes(canvas, box, self.projection)
        self._write_scale()
        canvas.line(self.points, colours.label, 1.2, clip=box)

    def _write_scale(self) -> None:
        """Draw the bands of the loss with the lowest and the highest below the plane."""
        canvas, box, s, label = self.canvas, self.box, self.canvas.unit, self.canvas.colours.label
        low, high = map(format_tick, self.ground.ends)
        if low == high:
            low, high = format_distinct(np.array(self.ground.ends))
        high = f"{high} or more" if self.ground.is_cut else high
        left, y = box.x + canvas.text_width(f"loss {low}", 9) + 5 * s, box.y + box.height + 31 * s
        right = box.x + box.width - canvas.text_width(high, 9) - 5 * s
        strip = Box(round(left), round(y - 7 * s), max(round(right - left), 8), round(7 * s))
        bands = np.arange(strip.width) * BANDS // strip.width
        canvas.paste(strip, canvas.palette.grey(np.tile(bands, (strip.height, 1))))
        canvas.outline(strip, canvas.colours.pale)
        canvas.text(box.x, y, f"loss {low}", 9, label)
        canvas.text(box.x + box.width, y, high, 9, label, align="right")

    def draw(self, frame: Frame) -> None:
        canvas, box, colours, s = self.canvas, self.box, self.canvas.colours, self.canvas.unit
        until = max(int(np.searchsorted(self.epochs, frame.epoch, side="right")), 1)
        canvas.line(self.points[:until], colours.paper, 4.4, clip=box)
        canvas.line(self.points[:until], self.colour, 2.2, clip=box)
        events = self._events(frame, until)
        for place, _ in events:
            canvas.marks(place[None], 0, 4, colours.paper, self.colour, 1.6)
        canvas.marks(self.points[until - 1 : until], 0, 5, self.colour, colours.paper, 1.4)
        self._write_events([*events[1:], events[0]])
        left = self.epochs[-1]
        if left < self.last and frame.epoch > left:
            words = canvas.shorten(f"far outside after epoch {left:.0f}", box.width, 11, "bold")
            x, y = box.x + box.width / 2, box.y + 14 * s
            canvas.text(x, y, words, 11, face="bold", align="centre", halo=colours.paper)

    def _events(self, frame: Frame, until: int) -> list[tuple[Array, str]]:
        """Places and words: the start, when the run was solved, the last epoch; each from when it is reached."""
        found = [(self.points[0], "start")]
        has_ended = bool(frame.epoch >= self.last and self.epochs[-1] >= self.last)
        if frame.status == "solved" and frame.since <= self.epochs[-1]:
            at = min(int(np.searchsorted(self.epochs, frame.since)), until - 1)
            found.append((self.points[at], f"solved, {frame.since}"))
            has_ended &= frame.since < self.last
        return [*found, *[(self.points[-1], f"end, {self.last}")] * has_ended]

    def _write_events(self, events: Sequence[tuple[Array, str]]) -> None:
        """Write the words beside their places, where they cover nothing, the first ones first."""
        canvas, s = self.canvas, self.canvas.unit
        high = round(12 * s)
        taken = [Box(round(x - 6 * s), round(y - 6 * s), high, high) for (x, y), _ in events]
        for (x, y), words in events:
            width, spots = canvas.text_width(words, 10, "bold"), list[tuple[int, float, float]]()
            for across, down, align in AROUND:
                left, low = x + across * 9 * s - ANCHORS[align] * width, y + down * s
                box = Box(round(left), round(low) - high, width, high)
                if self._is_free(box, taken):
                    spots.append((self._covered(box), left, low))
            if spots:
                _, left, low = min(spots, key=lambda spot: spot[0])
                taken.append(canvas.text(left, low, words, 10, face="bold", halo=canvas.colours.paper))

    def _is_free(self, box: Box, taken: Sequence[Box]) -> bool:
        return self.box.contains(box) and not any(box.overlaps(other) for other in taken)

    def _covered(self, box: Box) -> int:
        """How much of the path is in a box."""
        inside = (self.points >= (box.x, box.y)) & (self.points <= (box.x + box.width, box.y + box.height))
        return int(inside.all(1).sum())


AROUND = (
    (0, -11, "centre"),
    (0, 21, "centre"),
    (1, 4, "left"),
    (-1, 4, "right"),
    (1, -9, "left"),
    (-1, -9, "right"),
    (1, 19, "left"),
    (-1, 19, "right"),
)
"""Places of words around a mark: across, down to the baseline, and how they are aligned."""


class LossGround:
    """The loss over a plane in bands from low to high; of equal ratios where it spans much, else of equal steps."""

    def __init__(self, losses: Array, on_path: Array, width: int, height: int) -> None:
        """``losses`` (rows, columns) are interpolated to (height, width); ``on_path`` set how far the scale reaches."""
        finite, reached = losses[np.isfinite(losses)], on_path[np.isfinite(on_path)]
        low, most = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        high = min(most, BEYOND * float(reached.max(initial=low)) or most)
        self.is_cut = high < most or len(finite) < losses.size
        self.is_log = low > 0 and high > LEAST_RATIO * low
        if self.is_log:
            low = max(low, high / MOST_RATIO)
            scaled = np.log(np.clip(losses, low, high) / low) / np.log(high / low)
        else:
            scaled = (np.clip(losses, low, high) - low) / ((high - low) or 1)
        rows, columns = interpolation_weights(len(losses), height), interpolation_weights(losses.shape[1], width)
        self.ends = low, high
        self.value = rows.T @ np.where(np.isnan(scaled), 1, scaled) @ columns

    @property
    def bands(self) -> Array:
        return np.minimum(self.value * BANDS, BANDS - 1).astype(np.uint8)

    def edges(self) -> list[Array]:
        """The lines (n, 2) between the bands, in fractions of the plane."""
        return [zero_lines(self.value - edge / BANDS) for edge in range(1, BANDS)]
