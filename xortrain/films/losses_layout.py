"""The loss curves of all runs, revealed epoch by epoch, with medians and quartiles, of groups where there are some."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from xortrain.films.canvas import Box
from xortrain.films.curve_groups import CurveGroups, curve_canvas, group_by, group_by_outcome
from xortrain.films.epoch_axis import draw_epochs
from xortrain.films.film_settings import FilmSettings
from xortrain.films.loss_curve import LossScale, Reveal, column_extremes, draw_axes, spread_labels
from xortrain.films.pacing import even_timing
from xortrain.films.panel import format_loss
from xortrain.films.sequences import LINE, WORD, readable
from xortrain.films.sweep_film_data import Shown, SweepFilmData
from xortrain.nets import Array

MOST_CURVES = 300  # medians and quartiles are those of all runs
MOST_BANDS = 12  # groups with a band
MOST_NAMES, FARTHEST = 64, 2.5  # groups whose names are tried, and line heights by which a name may be moved
DESIGN = 640, 400


@dataclass(frozen=True)
class Middle:
    """The median of some runs and their quartiles, as points of a plot."""

    low: Array
    median: Array
    high: Array

    @property
    def end(self) -> float | None:
        """The height of the last point of the median; None if no run has a loss."""
        finite = self.median[np.isfinite(self.median).all(axis=1), 1]
        return float(finite[-1]) if len(finite) else None

    @property
    def band(self) -> Array:
        """The corners of the area between the quartiles."""
        between = np.concatenate([self.low, self.high[::-1]])
        return between[np.isfinite(between).all(1)]


class LossesLayout:
    """A group has its colour; without groups the curves of solved runs have another colour than the others."""

    def __init__(self, shown: Shown, settings: FilmSettings, run: int) -> None:
        self.data = data = SweepFilmData.of(shown)
        timing = even_timing(settings, data.choose)
        self.chosen, self.seconds = timing.chosen, timing.seconds
        self.outcomes = data.all_outcomes
        if data.runs == 1:
            self.data = data = replace(data, parts=(data.parts[0].with_losses(self.chosen, 0),))
        self.by = settings.by or ""
        self.groups = group_by(data, settings) if self.by else group_by_outcome(data, settings)
        self.canvas = canvas = curve_canvas(settings, self.groups, DESIGN)
        s = canvas.unit
        self.box = Box(round(60 * s), round(54 * s), canvas.width - self._beside(), canvas.height - round(88 * s))
        self.scale = LossScale(data.losses)
        self.epochs, self.last = np.asarray(data.loss_epochs, float), max(int(data.loss_epochs[-1]), 1)
        self.shown = np.unique(np.linspace(0, data.runs - 1, MOST_CURVES).astype(int))
        self.lines = [self._line(data.losses[:, run]) for run in self.shown]
        self.values = data.filled_losses if data.runs > 1 else data.losses
        groups = [self.groups.runs(group) for group in range(self.groups.count)] if self.groups else None
        self.middles = [self._middle(runs) for runs in groups or [np.arange(data.runs)]]
        self._still()
        self.reveal = Reveal(canvas, self.box, self._draw_pale, self._draw_full)

    def _beside(self) -> int:
        """The width in pixels of what is beside the plot."""
        s, canvas = self.canvas.unit, self.canvas
        if not self.groups:
            return round(156 * s)
        widest = max(canvas.text_width(name, 11, "bold") for name in (*self.groups.names, self.by))
        return round(60 * s + min(max(widest + 34 * s, 66 * s), 0.3 * canvas.width))

    def _line(self, losses: Array) -> Array:
        points = self.box.at(np.stack([self.epochs / self.last, self.scale.fraction(losses)], axis=1))
        return points[column_extremes(points)]

    def _middle(self, runs: Array) -> Middle:
        return Middle(*map(self._line, quartiles(self.values[:, runs])))

    def _still(self) -> None:
        canvas, box, s, label = self.canvas, self.box, self.canvas.unit, self.canvas.colours.label
        words = self.data.title
        if self.outcomes.runs > 1:
            words += f"   {self.data.describe_runs(self.data.runs)}"
        room = canvas.width - box.x - 14 * s - canvas.text_width(f"epoch {self.last:,}", 13, "bold") - 16 * s
        canvas.text(box.x, 22 * s, canvas.shorten(words, room, 13, "bold"), 13, face="bold")
        draw_axes(canvas, box, self.scale.ticks())
        draw_epochs(canvas, box, self.last)
        name = "each run's own loss" if self.data.is_mixed else "loss"
        canvas.text(14 * s, box.y + box.height / 2, name, 10, label, align="centre", vertical=True)
        if self.groups:
            self._explain()
            self._name_groups(self.groups)

    def _explain(self) -> None:
        """Say what lines and bands mean, where there is room beside the counts."""
        canvas, box, s = self.canvas, self.box, self.canvas.unit
        words = "line: median" if len(self.middles) > MOST_BANDS else "line: median   band: middle half"
        most = self.outcomes.runs
        counts = [word for kind, word in self._counted(most, most if "learnt" in self.outcomes.words else 0, most)]
        widths = [canvas.text_width(word, 11, "bold") + 14 * s for word in [*counts, self._lost(most)]]
        if sum(widths) + canvas.text_width(words, 10) < box.width:
            canvas.text(box.x + box.width, 42 * s, words, 10, canvas.colours.label, align="right")

    def _name_groups(self, groups: CurveGroups) -> None:
        """Write the names of groups at the ends of their medians, as many as have room, and how many have none."""
        canvas, box, s = self.canvas, self.box, self.canvas.unit
        x, room = box.x + box.width, canvas.width - box.x - box.width - 28 * s
        ends = {group: middle.end for group, middle in enumerate(self.middles) if middle.end is not None}
        within = Box(box.x, round(box.y + 4 * s), box.width, round(box.height - 18 * s))
        heights = {group: float(np.clip(end, within.y, box.y + box.height)) for group, end in ends.items()}
        for group, y in place_names(heights, 14 * s, within).items():
            end, colour = heights[group], groups.lines[group]
            canvas.line(np.array([[x + 4 * s, end], [x + 9 * s, end], [x + 14 * s, y], [x + 19 * s, y]]), colour, 1.6)
            name = canvas.shorten(groups.names[group], room, 11, "bold")
            canvas.text(x + 22 * s, y + 4 * s, name, 11, groups.words[group], "bold")
        canvas.text(x + 22 * s, 42 * s, canvas.shorten(self.by, room, 11, "bold"), 11, face="bold")
        hidden = groups.count - len(place_names(heights, 14 * s, within))
        if hidden:
            words = f"{hidden:,} more without a name"
            words = words if canvas.text_width(words, 10) < room + 16 * s else f"+{hidden:,} more"
            canvas.text(x + 8 * s, box.y + box.height + 4 * s, words, 10, canvas.colours.label)

    def _draw_pale(self) -> None:
        opacity = float(np.clip(12 / len(self.lines), 0.08, 0.5)) / 2
        for line in self.lines:
            self.canvas.line(line, self.canvas.colours.label, 1, clip=self.box, opacity=opacity)
        for middle in self.middles if self.groups else ():
            self.canvas.line(middle.median, self.canvas.colours.label, 1, clip=self.box, opacity=0.5)

    def _draw_full(self) -> None:
        canvas, colours = self.canvas, self.canvas.colours
        self._draw_curves()
        if not self.groups:
            if self.data.runs > 1:
                canvas.area(self.middles[0].band, colours.ink, opacity=0.13)
            self._draw_median(self.middles[0], colours.ink, 2.2)
            return
        if len(self.middles) <= MOST_BANDS:
            for middle, colour in zip(self.middles, self.groups.lines, strict=True):
                canvas.area(middle.band, colour, opacity=0.24 if len(self.middles) < 5 else 0.15)
        for middle, colour in zip(self.middles, self.groups.lines, strict=True):
            self._draw_median(middle, colour, 2.6 if len(self.middles) <= MOST_BANDS else 1.8)

    def _draw_curves(self) -> None:
        """Draw the curve of each run, faint beside the medians of groups."""
        canvas, opacity = self.canvas, float(np.clip(12 / len(self.lines), 0.1, 0.8))
        kinds = (self.data.outcomes.outcome[self.shown] == "solved").astype(int)
        table = readable(canvas.colours.classes[:2], canvas.colours, LINE)
        if self.groups:
            kinds, table, opacity = self.groups.of_run[self.shown], self.groups.lines, min(opacity, 0.35)
        for kind, line in zip(kinds.tolist(), self.lines, strict=True):
            canvas.line(line, table[kind], 1, clip=self.box, opacity=opacity)

    def _draw_median(self, middle: Middle, colour: Array, width: float) -> None:
        self.canvas.line(middle.median, self.canvas.colours.paper, width + 2.2, clip=self.box)
        self.canvas.line(middle.median, colour, width, clip=self.box)

    def frame(self, number: int) -> Array:
        epoch = int(self.data.epochs[number])
        self.reveal.uncover(epoch / self.last)
        now = self.box.at(np.array([[epoch / self.last, 0], [epoch / self.last, 1]]))
        self.canvas.line(now, self.canvas.colours.label, 1)
        if self.groups:
            self._draw_dots(epoch)
        else:
            is_lost = (self.data.runs > 1) & (self.data.outcomes.lost_at <= epoch)
            self._write_quartiles(epoch, np.where(is_lost, np.nan, self.data.losses_after(number))[None])
        self._write_counts(epoch)
        return self.canvas.finish()

    def _draw_dots(self, epoch: int) -> None:
        """Draw a dot on each median at an epoch; a group whose runs are all lost by then has none."""
        assert self.groups
        canvas, box = self.canvas, self.box
        x = box.x + epoch / self.last * box.width
        for middle, colour in zip(self.middles, self.groups.lines, strict=True):
            past = middle.median[middle.median[:, 0] <= x + 0.5]
            if np.isfinite(past[-1:, 1]).any() and len(self.middles) <= MOST_BANDS:
                y = min(max(float(past[-1, 1]), box.y), box.y + box.height)
                canvas.marks(np.array([[x, y]]), 0, 3.6, colour, canvas.colours.paper, 1.4)

    def _write_quartiles(self, epoch: int, losses: Array) -> None:
        """Write the median and the quartiles at an epoch beside the plot, at their heights."""
        canvas, box, s = self.canvas, self.box, self.canvas.unit
        x, left = box.x + epoch / self.last * box.width, box.x + box.width + 12 * s
        values = [float(value[0]) for value in quartiles(losses)]
        names = ("a quarter below", "median", "a quarter above") if self.data.runs > 1 else ("", "loss", "")
        heights = [box.y + float(self.scale.fraction(np.array(value))) * box.height for value in values]
        shown = [min(max(y, box.y + 10 * s), box.y + box.height) for y in heights if np.isfinite(y)]
        for name, value, y in zip(names, values, spread_labels(shown, 25 * s, box), strict=False):
            if name:
                canvas.text(left, y - 5 * s, name, 10, canvas.colours.label)
                canvas.text(left, y + 7 * s, format_loss(value), 11, face="bold" if name in ("median", "loss") else "")
        if np.isfinite(values[1]):
            y = min(max(heights[1], box.y), box.y + box.height)
            canvas.marks(np.array([[x, y]]), 0, 4, canvas.colours.ink, canvas.colours.paper, 1.4)

    def _write_counts(self, epoch: int) -> None:
        canvas, s, outcomes = self.canvas, self.canvas.unit, self.outcomes
        number = canvas.text(canvas.width - 14 * s, 22 * s, f"{epoch:,}", 13, face="bold", align="right")
        canvas.text(number.x - 5 * s, 22 * s, "epoch", 12, canvas.colours.label, align="right")
        if outcomes.runs == 1:
            canvas.text(self.box.x, 42 * s, outcomes.status(0, epoch), 11, canvas.colours.label)
            return
        counts, x = outcomes.counts(epoch), float(self.box.x)
        solved, learnt, lost = counts["solved"], counts["learnt"], counts["diverged"] + counts["exploded"]
        colours = readable(canvas.colours.classes[:2], canvas.colours, WORD)
        if self.by:
            colours = np.stack([canvas.colours.label, canvas.colours.ink])
        for kind, words in self._counted(solved, learnt, outcomes.runs - solved - learnt):
            x += canvas.text(x, 42 * s, words, 11, colours[kind], "bold").width + 14 * s
        if lost:
            canvas.text(x, 42 * s, self._lost(lost), 11, canvas.colours.label)

    def _counted(self, solved: int, learnt: int, others: int) -> list[tuple[int, str]]:
        """The counts in words, each with 1 for solved runs and 0 for others."""
        between = [(0, f"{learnt:,} learnt")] if learnt else []
        return [(1, f"{solved:,} solved"), *between, (0, f"{others:,} not solved")]

    def _lost(self, lost: int) -> str:
        """How many of the runs that are not solved have diverged or exploded; empty if none does."""
        kinds = {"diverged": "diverged", "exploded": "diverged or exploded"}
        found = [words for word, words in kinds.items() if word in self.outcomes.words]
        return f"{lost:,} of them {found[-1]}" if found else ""


def quartiles(losses: Array) -> Array:
    """The lower quartile, the median and the upper quartile (3, recorded) over the runs that have a value."""
    missing = np.asarray(np.isnan(losses).all(axis=1))
    filled = np.where(missing[:, None], 0, np.minimum(losses, 1e300))  # infinity cannot be interpolated
    return np.where(missing, np.nan, np.nanquantile(filled, [0.25, 0.5, 0.75], axis=1))


def place_names(heights: Mapping[int, float], step: float, box: Box) -> dict[int, float]:
    """The heights of names at least ``step`` apart, none farther than some steps from where its curve ends.

    Of more curves than that allows, the first and the last are named, then those halfway between named ones.
    """
    order, chosen, placed = list(heights), list[int](), dict[int, float]()
    for place in halving(len(order))[:MOST_NAMES]:
        wanted = sorted([*chosen, order[place]])
        found = spread_labels([heights[one] for one in wanted], step, box)
        far = max(abs(y - heights[one]) for one, y in zip(wanted, found, strict=True))
        if not chosen or (far <= FARTHEST * step and min(found) >= box.y):
            chosen, placed = wanted, dict(zip(wanted, found, strict=True))
    return placed


def halving(count: int) -> list[int]:
    """The numbers 0 … count - 1: first, last, the middle, the middles between those, and so on."""
    order, gaps = list(dict.fromkeys([0, count - 1]))[:count], [(0, count - 1)]
    while gaps:
        middles = [(low, (low + high) // 2, high) for low, high in gaps if high - low > 1]
        order += [middle for _, middle, _ in middles]
        gaps = [gap for low, middle, high in middles for gap in ((low, middle), (middle, high))]
    return order
