"""The loss curves of all runs, revealed epoch by epoch, with their median and quartiles."""

from dataclasses import replace

import numpy as np

from xortrain.films.canvas import Box, make_canvas
from xortrain.films.film_settings import FilmSettings
from xortrain.films.loss_curve import LossScale, Reveal, column_extremes, draw_axes, spread_labels
from xortrain.films.pacing import even_timing
from xortrain.films.panel import format_loss
from xortrain.films.sweep_film_data import Shown, SweepFilmData
from xortrain.nets import Array

MOST_CURVES = 300  # the median and the quartiles are those of all runs


class LossesLayout:
    """The curves of solved runs have the colour of the high target, the others that of the low one."""

    def __init__(self, shown: Shown, settings: FilmSettings, run: int) -> None:
        self.data = data = SweepFilmData.of(shown)
        timing = even_timing(settings, data.choose)
        self.chosen, self.seconds = timing.chosen, timing.seconds
        self.outcomes = data.all_outcomes
        if data.runs == 1:
            self.data = data = replace(data, parts=(data.parts[0].with_losses(self.chosen, 0),))
        self.canvas = canvas = make_canvas(settings, 2, (640, 400))
        s = canvas.unit
        self.box = Box(round(60 * s), round(54 * s), canvas.width - round(150 * s), canvas.height - round(96 * s))
        self.scale = LossScale(data.losses)
        self.epochs, self.last = np.asarray(data.loss_epochs, float), max(int(data.loss_epochs[-1]), 1)
        self.shown = np.unique(np.linspace(0, data.runs - 1, MOST_CURVES).astype(int))
        self.lines = [self._line(data.losses[:, run]) for run in self.shown]
        values = data.filled_losses if data.runs > 1 else data.losses
        self.low, self.median, self.high = map(self._line, quartiles(values))
        self._still()
        self.reveal = Reveal(canvas, self.box, self._draw_pale, self._draw_full)

    def _line(self, losses: Array) -> Array:
        points = self.box.at(np.stack([self.epochs / self.last, self.scale.fraction(losses)], axis=1))
        return points[column_extremes(points)]

    def _still(self) -> None:
        canvas, box, s, label = self.canvas, self.box, self.canvas.unit, self.canvas.colours.label
        words = self.data.title
        if self.outcomes.runs > 1:
            words += f"   {self.data.describe_runs(self.data.runs)}"
        room = canvas.width - box.x - 14 * s - canvas.text_width(f"epoch {self.last}", 13, "bold") - 16 * s
        canvas.text(box.x, 22 * s, canvas.shorten(words, room, 13, "bold"), 13, face="bold")
        draw_axes(canvas, box, self.scale.ticks())
        y = box.y + box.height + 14 * s
        canvas.text(box.x, y, "0", 10, label, align="centre")
        canvas.text(box.x + box.width, y, str(self.last), 10, label, align="right")
        canvas.text(box.x + box.width / 2, y, "epoch", 10, label, align="centre")
        name = "each run's own loss" if "loss" in self.data.varied else "loss"
        canvas.text(14 * s, box.y + box.height / 2, name, 10, label, align="centre", vertical=True)

    def _draw_pale(self) -> None:
        opacity = float(np.clip(12 / len(self.lines), 0.08, 0.5)) / 2
        for line in self.lines:
            self.canvas.line(line, self.canvas.colours.label, 1, clip=self.box, opacity=opacity)

    def _draw_full(self) -> None:
        opacity = float(np.clip(12 / len(self.lines), 0.1, 0.8))
        is_solved = self.data.outcomes.outcome[self.shown] == "solved"
        for solved, line in zip(is_solved.tolist(), self.lines, strict=True):
            self.canvas.line(line, self.canvas.colours.classes[int(solved)], 1.2, clip=self.box, opacity=opacity)
        if self.data.runs > 1:
            between = np.concatenate([self.low, self.high[::-1]])
            self.canvas.area(between[np.isfinite(between).all(1)], self.canvas.colours.ink, opacity=0.13)
        self.canvas.line(self.median, self.canvas.colours.paper, 4.4, clip=self.box)
        self.canvas.line(self.median, self.canvas.colours.ink, 2.2, clip=self.box)

    def frame(self, number: int) -> Array:
        epoch, losses = int(self.data.epochs[number]), self.data.losses_after(number)
        if self.data.runs > 1:
            losses = np.where(self.data.outcomes.lost_at <= epoch, np.nan, losses)
        self.reveal.uncover(epoch / self.last)
        self._draw_now(epoch, losses[None])
        self._write_counts(epoch)
        return self.canvas.finish()

    def _draw_now(self, epoch: int, losses: Array) -> None:
        """Draw a line that moves with the epoch; write the median and the quartiles beside the plot."""
        canvas, box, s = self.canvas, self.box, self.canvas.unit
        x, left = box.x + epoch / self.last * box.width, box.x + box.width + 12 * s
        canvas.line(np.array([[x, box.y], [x, box.y + box.height]]), canvas.colours.label, 1)
        values = [float(value[0]) for value in quartiles(losses)]
        names = ("a quarter below", "median", "a quarter above") if self.data.runs > 1 else ("", "loss", "")
        heights = [box.y + float(self.scale.fraction(np.array(value))) * box.height for value in values]
        shown = [min(max(y, box.y + 10 * s), box.y + box.height) for y in heights if np.isfinite(y)]
        for name, value, y in zip(names, values, spread_labels(shown, 24 * s, box), strict=False):
            if name:
                canvas.text(left, y - 5 * s, name, 9, canvas.colours.label)
                canvas.text(left, y + 6 * s, format_loss(value), 11, face="bold" if name in ("median", "loss") else "")
        if np.isfinite(values[1]):
            canvas.marks(np.array([[x, heights[1]]]), 0, 4, canvas.colours.ink, canvas.colours.paper, 1.4)

    def _write_counts(self, epoch: int) -> None:
        canvas, s, outcomes = self.canvas, self.canvas.unit, self.outcomes
        number = canvas.text(canvas.width - 14 * s, 22 * s, str(epoch), 13, face="bold", align="right")
        canvas.text(number.x - 5 * s, 22 * s, "epoch", 12, canvas.colours.label, align="right")
        if outcomes.runs == 1:
            canvas.text(self.box.x, 42 * s, outcomes.status(0, epoch), 11, canvas.colours.label)
            return
        counts, x = outcomes.counts(epoch), float(self.box.x)
        solved, learnt, lost = counts["solved"], counts["learnt"], counts["diverged"] + counts["exploded"]
        others = [(0, f"{learnt:,} learnt")] * bool(learnt) + [(0, f"{outcomes.runs - solved - learnt:,} not solved")]
        for kind, words in [(1, f"{solved:,} solved"), *others]:
            x += canvas.text(x, 42 * s, words, 11, canvas.colours.classes[kind], "bold").width + 14 * s
        if lost:
            words = "diverged or exploded" if "exploded" in outcomes.words else "diverged"
            canvas.text(x, 42 * s, f"{lost:,} of them {words}", 11, canvas.colours.label)


def quartiles(losses: Array) -> Array:
    """The lower quartile, the median and the upper quartile (3, recorded) over the runs that have a value."""
    missing = np.asarray(np.isnan(losses).all(axis=1))
    filled = np.where(missing[:, None], 0, np.minimum(losses, 1e300))  # infinity cannot be interpolated
    return np.where(missing, np.nan, np.nanquantile(filled, [0.25, 0.5, 0.75], axis=1))
