"""The path of the parameters: each over the epochs, and all together in the plane in which they moved most."""

import numpy as np

from xortrain.films.canvas import Canvas, canvas_for
from xortrain.films.captions import Heading, banner, lost_words, title_line
from xortrain.films.data import FilmData
from xortrain.films.field import axes
from xortrain.films.film_settings import FilmSettings
from xortrain.films.frames import Frame, RunFrames, choose_epochs
from xortrain.films.glyphs import SHAPES, Box
from xortrain.films.loss_curve import Reveal, axis_lines, plain, power_of_ten, telling, tick
from xortrain.films.losses_layout import apart
from xortrain.films.projection import principal, round_steps
from xortrain.nets import Array

MOST_LINES = 16
MOST_STEPS = 800
FAR = 1e3
"""How many times as far as at the start the parameters may go before their plane is left."""
WIDE = 100
"""From this ratio of the greatest value to the greatest at the start, the curves' scale is logarithmic."""
LINE = 12.5
"""Height of a parameter's name and value."""


class WeightsLayout:
    """One run: curves on the left, its way through the space of parameters on the right."""

    def __init__(self, subject: FilmData, settings: FilmSettings, run: int) -> None:
        self.course, self.chosen = RunFrames(subject, run), choose_epochs(subject, settings, run)
        self.canvas = canvas = canvas_for(settings, 2, (640, 400))
        s, width = canvas.scale, canvas.width
        steps = np.unique(np.linspace(0, len(subject.frame_epochs) - 1, MOST_STEPS).astype(int))
        values = np.asarray(subject.parameters[steps, :, run], float)
        epochs, until = np.asarray(subject.frame_epochs, float)[steps], before(np.isfinite(values).all(1))
        near = before(np.abs(values[:until]).max(1) < FAR * (1 + np.abs(values[0]).max()))
        side = min(canvas.height - round(116 * s), round(width * 0.38))
        top = round(66 * s)
        plane = Box(width - side - round(16 * s), top, side, side)
        box = Box(round(44 * s), top, plane.x - round(164 * s), canvas.height - round(100 * s))
        self._titles(subject, box, plane)
        curves = Curves(canvas, box, self.course, epochs[:until], values[:until])
        self.parts = curves, Way(canvas, plane, epochs[:near], values[:near], int(epochs[-1]))

    def _titles(self, subject: FilmData, box: Box, plane: Box) -> None:
        canvas, s = self.canvas, self.canvas.scale
        self.heading = Heading(canvas, plane.x, plane.x + plane.width, 22 * s, int(subject.frame_epochs[-1]), 13)
        room = self.heading.left - box.x - 10 * s
        canvas.text(box.x, 22 * s, title_line(canvas, subject.title, room, 13), 13, face="bold")
        shown, all_of_them = shown_of(subject, box, s), subject.network.size
        words = "parameters" if shown == all_of_them else f"the {shown} of {all_of_them} parameters that move most"
        layers = "one colour a layer" * (len(subject.network.layers) > 1)
        key = ", ".join(filter(None, (words, layers, "biases dashed" * subject.network.bias)))
        room = plane.x - box.x - 10 * s
        words = key if canvas.text_width(key, 11) <= room else words
        canvas.text(box.x, box.y - 12 * s, canvas.fitting(words, room, 11), 11, canvas.colours.label)
        words = canvas.fitting("path of all parameters", plane.width, 11)
        canvas.text(plane.x, plane.y - 12 * s, words, 11, canvas.colours.label)

    def frame(self, number: int) -> Array:
        now = self.course.at(number)
        for part in self.parts:
            part.draw(now)
        self.heading.draw(now)
        return self.canvas.finish()


def before(good: Array) -> int:
    """How many steps (steps,) are good before the first that is not; one at least."""
    return len(good) if good.all() else max(int(good.argmin()), 1)


def shown_of(subject: FilmData, box: Box, scale: float) -> int:
    """How many parameters have room for their names beside a box."""
    return min(MOST_LINES, subject.network.size, int(box.height / (LINE * scale)) + 1)


class Curves:
    """Each parameter over the epochs, by layers of one colour; biases dashed."""

    def __init__(self, canvas: Canvas, box: Box, course: RunFrames, epochs: Array, values: Array) -> None:
        """``values`` (steps, parameters) end where they are no longer finite."""
        self.canvas, self.box, self.course, subject = canvas, box, course, course.subject
        self.last = max(int(subject.frame_epochs[-1]), 1)
        moved = np.abs(values - values[0]).max(0)
        self.shown = np.sort(np.argsort(-moved, kind="stable")[: shown_of(subject, box, canvas.scale)])
        every = names(subject)
        self.names = [every[place] for place in self.shown]
        values = values[:, self.shown]
        far = np.abs(values).max(1)
        self.reach = float(far.max()) * 1.05 or 1.0
        self.unit = 10.0 ** np.floor(np.log10(far[0] or 1)) if self.reach > WIDE * (far[0] or 1) else 0.0
        share = np.stack(np.broadcast_arrays(epochs[:, None] / self.last, self._height(values)), axis=-1)
        self.lines = [line[telling(line)] for line in np.moveaxis(box.at(share), 1, 0)]
        self._still()
        self.wipe = Reveal(canvas, box, lambda: self._all(0.25), lambda: self._all(1))

    def _height(self, values: Array) -> Array:
        """Shares of the box; where values grow beyond all bounds, by their logarithm on either side of zero."""
        return np.asarray(0.5 - 0.5 * self._scaled(values) / self._scaled(np.array(self.reach)))

    def _scaled(self, values: Array) -> Array:
        return np.sign(values) * np.log10(1 + np.abs(values) / self.unit) if self.unit else values

    def _still(self) -> None:
        canvas, box, s, label = self.canvas, self.box, self.canvas.scale, self.canvas.colours.label
        axis_lines(canvas, box)
        canvas.line(box.at(np.array([[0, 0.5], [1, 0.5]])), canvas.colours.pale)
        for value, word in self._ticks():
            tick(canvas, box, float(self._height(np.array(value))), word)
        low = box.y + box.height + 13 * s
        for words, x, side in (("0", 0.0, "centre"), ("epoch", 0.5, "centre"), (str(self.last), 1.0, "right")):
            canvas.text(box.x + x * box.width, low, words, 10, label, align=side)

    def _ticks(self) -> list[tuple[float, str]]:
        """Round values and how they are written; of a logarithmic scale powers of ten, a few on either side."""
        if not self.unit:
            return [(value, plain(value)) for value in round_steps(-self.reach, self.reach)]
        first, last = round(np.log10(self.unit)) + 1, int(np.log10(self.reach))
        powers = range(last, first - 1, -max(1, -(-(last - first + 1) // 3)))
        above = [(10.0**power, power_of_ten(power)) for power in powers]
        return [*above, (0.0, "0"), *((-value, f"-{word}") for value, word in above)]

    def _colour(self, name: str) -> Array:
        layer = int("".join(letter for letter in name.split()[0] if letter.isdigit())) - 1
        return self.canvas.colours.of(np.array(layer))

    def _all(self, share: float) -> None:
        for name, line in zip(self.names, self.lines, strict=True):
            dashes = (4, 2) if name.startswith("b") else ()
            self.canvas.line(line, self._colour(name), 1.6, dashes, self.box, share)

    def draw(self, moment: Frame) -> None:
        canvas, box, s = self.canvas, self.box, self.canvas.scale
        self.wipe.uncover(moment.epoch / self.last)
        x = box.x + moment.epoch / self.last * box.width
        canvas.line(np.array([[x, box.y], [x, box.y + box.height]]), canvas.colours.label)
        values = moment.theta[self.shown].astype(float)
        ends = np.clip(np.nan_to_num(self._height(values), nan=0.5), 0, 1) * box.height + box.y + 3.5 * s
        for name, value, y in zip(self.names, values, apart(list(ends), LINE * s, box), strict=True):
            left, number = box.x + box.width + 8 * s, said(value)
            right = left + 92 * s
            room = right - left - canvas.text_width(number, 9) - 4 * s
            canvas.text(left, y, canvas.fitting(name, room, 9), 9, self._colour(name))
            canvas.text(right, y, number, 9, align="right")
        if moment.diverged:
            banner(canvas, box, 0.25, lost_words(self.course), 12)


def said(value: float) -> str:
    """A parameter's value in a few letters."""
    if not np.isfinite(value):
        return "not finite"
    return f"{value:.2f}" if abs(value) < 1e3 else f"{value:.0e}".replace("e+", "e")


class Way:
    """Where all parameters together are, in the plane of the two principal axes of their way."""

    def __init__(self, canvas: Canvas, box: Box, epochs: Array, values: Array, last: int) -> None:
        self.canvas, self.box, self.epochs, self.last = canvas, box, epochs, last
        plane = principal(values if values.shape[1] > 1 else np.repeat(values, 2, axis=1))
        axes(canvas, box, plane)
        axis_lines(canvas, box)
        self.points = box.at(plane.share(*plane.places.T))
        canvas.line(self.points, canvas.colours.pale, 2)
        canvas.marks(self.points[:1], SHAPES[0], 4, canvas.colours.paper, canvas.colours.label, 1.5)
        self._start(box)
        canvas.keep()

    def _start(self, box: Box) -> None:
        """The word beside the first point, on the side away from the way."""
        s, (x, y), ahead = self.canvas.scale, self.points[0], self.points[: len(self.points) // 10 + 2].mean(0)
        is_left = ahead[0] > x and x - self.canvas.text_width("start", 9) - 8 * s > box.x
        place, align = (x - 8 * s, "right") if is_left else (x + 8 * s, "left")
        self.canvas.text(place, y + 4 * s, "start", 9, self.canvas.colours.label, align=align)

    def draw(self, moment: Frame) -> None:
        until = max(int(np.searchsorted(self.epochs, moment.epoch, side="right")), 1)
        ink, paper = self.canvas.colours.ink, self.canvas.colours.paper
        self.canvas.line(self.points[:until], ink, 2)
        self.canvas.marks(self.points[until - 1 : until], SHAPES[0], 5, ink, paper, 1.4)
        left = self.epochs[-1]
        if left < self.last and moment.epoch > left:
            words = self.canvas.fitting(f"far outside after epoch {left:.0f}", self.box.width, 11, "bold")
            x, y = self.box.x + self.box.width / 2, self.box.y + 14 * self.canvas.scale
            self.canvas.text(x, y, words, 11, face="bold", align="centre", halo=paper)


def names(subject: FilmData) -> list[str]:
    """W1 2,1 is the weight of layer 1 into its unit 2 from its input 1; b1 2 that unit's bias."""
    return [
        f"{name} " + ",".join(str(i + 1) for i in place)
        for name, shape in subject.network.shapes.items()
        for place in np.ndindex(*shape)
    ]
