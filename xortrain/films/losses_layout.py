"""The loss curves of all runs, uncovered epoch by epoch, with their median and the middle half."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from xortrain.films.canvas import canvas_for
from xortrain.films.captions import told
from xortrain.films.data import FilmData
from xortrain.films.film_settings import FilmSettings
from xortrain.films.glyphs import SHAPES, Box
from xortrain.films.lockstep import Lockstep, Outcomes
from xortrain.films.loss_curve import Reveal, Scale, axis_lines, telling
from xortrain.films.status_marks import reached
from xortrain.nets import Array

MOST = 300
"""Curves drawn one by one; the median and the middle half count all."""


class LossesLayout:
    """Curves of the high class's colour end solved, those of the low one's do not."""

    def __init__(self, shown: FilmData | Lockstep, settings: FilmSettings, run: int) -> None:
        self.all = Lockstep.of(shown)
        self.chosen, self.ends = self.all.choose(settings), self.all.all
        if self.all.runs == 1:
            self.all = replace(self.all, parts=(self.all.parts[0].knowing(self.chosen, 0),))
        self.canvas = canvas = canvas_for(settings, 2, (640, 400))
        s, losses = canvas.scale, self.all.losses
        self.box = Box(round(60 * s), round(54 * s), canvas.width - round(150 * s), canvas.height - round(96 * s))
        self.scale = Scale(losses)
        self.epochs, self.last = np.asarray(self.all.loss_epochs, float), max(int(self.all.loss_epochs[-1]), 1)
        self.shown = np.unique(np.linspace(0, self.all.runs - 1, MOST).astype(int))
        self.lines = [self._place(losses[:, run]) for run in self.shown]
        self.low, self.middle, self.high = (self._place(values) for values in quartiles(self.all.standing_losses))
        self._still()
        self.wipe = Reveal(canvas, self.box, self._pale, self._full)

    def _place(self, losses: Array) -> Array:
        points = self.box.at(np.stack([self.epochs / self.last, self.scale.share(losses)], axis=1))
        return points[telling(points)]

    def _still(self) -> None:
        canvas, box, s, label = self.canvas, self.box, self.canvas.scale, self.canvas.colours.label
        words = self.all.title if self.ends.runs == 1 else f"{self.all.title}   {self.all.counted(self.all.runs)}"
        room = canvas.width - box.x - 14 * s - canvas.text_width(f"epoch {self.last}", 13, "bold") - 16 * s
        canvas.text(box.x, 22 * s, canvas.fitting(words, room, 13, "bold"), 13, face="bold")
        axis_lines(canvas, box)
        self.scale.label(canvas, box)
        y = box.y + box.height + 14 * s
        canvas.text(box.x, y, "0", 10, label, align="centre")
        canvas.text(box.x + box.width, y, str(self.last), 10, label, align="right")
        canvas.text(box.x + box.width / 2, y, "epoch", 10, label, align="centre")
        name = "loss, of each run its own" if "loss" in self.all.varied else "loss"
        canvas.text(14 * s, box.y + box.height / 2, name, 10, label, align="centre", turned=True)

    def _pale(self) -> None:
        share = float(np.clip(12 / len(self.lines), 0.08, 0.5))
        for line in self.lines:
            self.canvas.line(line, self.canvas.colours.label, 1, within=self.box, share=share / 2)

    def _full(self) -> None:
        share = float(np.clip(12 / len(self.lines), 0.1, 0.8))
        for run, line in zip(self.shown, self.lines, strict=True):
            colour = self.canvas.colours.classes[int(self.all.ends.solved_at[run] >= 0)]
            self.canvas.line(line, colour, 1.2, within=self.box, share=share)
        if self.all.runs > 1:
            band = np.concatenate([self.low, self.high[::-1]])
            self.canvas.area(band[np.isfinite(band).all(1)], self.canvas.colours.ink, share=0.13)
        self.canvas.line(self.middle, self.canvas.colours.paper, 4.4, within=self.box)
        self.canvas.line(self.middle, self.canvas.colours.ink, 2.2, within=self.box)

    def frame(self, number: int) -> Array:
        epoch = int(self.all.epochs[number])
        self.wipe.uncover(epoch / self.last)
        self._now(epoch, self.all.losses_after(number)[None])
        self._counts(epoch)
        return self.canvas.finish()

    def _now(self, epoch: int, losses: Array) -> None:
        """The median and the middle half at this epoch, told beside a line that moves with it."""
        canvas, box, s = self.canvas, self.box, self.canvas.scale
        x = box.x + epoch / self.last * box.width
        canvas.line(np.array([[x, box.y], [x, box.y + box.height]]), canvas.colours.label, 1)
        values = [float(value[0]) for value in quartiles(losses)]
        names = ("a quarter below", "median", "a quarter above") if self.all.runs > 1 else ("", "loss", "")
        heights = [box.y + float(self.scale.share(np.array(value))) * box.height for value in values]
        heights = [min(max(y, box.y + 10 * s), box.y + box.height) for y in heights if np.isfinite(y)]
        for name, value, y in zip(names, values, apart(heights, 24 * s, box), strict=False):
            bold = "bold" if name in ("median", "loss") else ""
            if name:
                canvas.text(box.x + box.width + 12 * s, y - 5 * s, name, 9, canvas.colours.label)
                canvas.text(box.x + box.width + 12 * s, y + 6 * s, told(value), 11, face=bold)
        if np.isfinite(values[1]):
            y = box.y + float(self.scale.share(np.array(values[1]))) * box.height
            canvas.marks(np.array([[x, y]]), SHAPES[0], 4, canvas.colours.ink, canvas.colours.paper, 1.4)

    def _counts(self, epoch: int) -> None:
        canvas, s = self.canvas, self.canvas.scale
        right = canvas.width - 14 * s
        number = canvas.text(right, 22 * s, str(epoch), 13, face="bold", align="right")
        canvas.text(number.x - 5 * s, 22 * s, "epoch", 12, canvas.colours.label, align="right")
        count, lost = (int(reached(at, epoch).sum()) for at in (self.ends.solved_at, self.ends.diverged_at))
        if self.ends.runs == 1:
            canvas.text(self.box.x, 42 * s, standing(self.ends, epoch), 11, canvas.colours.label)
            return
        x = float(self.box.x)
        for kind, words in ((1, f"{count:,} solved"), (0, f"{self.ends.runs - count:,} not solved")):
            x += canvas.text(x, 42 * s, words, 11, canvas.colours.classes[kind], "bold").width + 14 * s
        if lost:
            canvas.text(x, 42 * s, f"{lost:,} of them diverged", 11, canvas.colours.label)


def standing(ends: Outcomes, epoch: int) -> str:
    """How a run by itself stands after an epoch; what else became of it is said at its end."""
    for word, at in (("solved", ends.solved_at[0]), ("diverged", ends.diverged_at[0])):
        if 0 <= at <= epoch:
            return word
    outcome = "still training" if ends.outcome[0] == "training" else str(ends.outcome[0])
    return outcome if epoch >= ends.ended_at[0] else "not solved"


def quartiles(losses: Array) -> Array:
    """The lower quartile, the median and the upper one (3, recorded) over the runs that have a value."""
    missing = np.asarray(np.isnan(losses).all(axis=1))
    filled = np.where(missing[:, None], 0, np.minimum(losses, 1e300))  # infinite ones cannot be interpolated
    return np.where(missing, np.nan, np.nanquantile(filled, [0.25, 0.5, 0.75], axis=1))


def apart(heights: list[float], step: float, box: Box) -> list[float]:
    """The heights of labels, below which stand lower values, moved apart so that none hides another."""
    order = np.lexsort((-np.arange(len(heights)), np.array(heights)))  # of equal ones the later, a greater value, above
    placed = np.array(heights, float)
    for above, below in pairwise(order):
        placed[below] = max(placed[below], placed[above] + step)
    placed = np.minimum(placed, box.y + box.height)
    for below, above in pairwise(order[::-1]):
        placed[above] = min(placed[above], placed[below] - step)
    return list(placed)
