"""Every run of a sweep as one row of colours, its loss over the epochs, the quickest on top; and their final losses.

Of more runs than there are rows, the rows are those at equal steps of the order: the quantiles of the sweep.
"""

from dataclasses import dataclass

import numpy as np

from xortrain.errors import counted
from xortrain.films.arrangement import quickest_first
from xortrain.films.canvas import Box, Canvas, make_canvas
from xortrain.films.data import EPOCH_SPACINGS, KINDS, evenly, last_recorded, loss_share
from xortrain.films.epoch_axis import draw_epochs
from xortrain.films.film_settings import FilmSettings
from xortrain.films.loss_colours import LossColours, find_peaks
from xortrain.films.loss_curve import Reveal, format_tick, spread_labels
from xortrain.films.pacing import even_timing
from xortrain.films.sweep_film_data import Shown, SweepFilmData
from xortrain.nets import Array

DESIGN = 960, 540
MOST_MEASURED = 64  # rows whose losses determine which epochs are frames
BINS, FINE = 48, 144  # bins of the histogram that is drawn, and of the finer one in which peaks are sought
NEAR_PEAKS = 0.6  # of the height of a label, nearer than which only the larger of two peaks has one
MOST_PEAKS = 6  # with a name
NUMBERS = ("no", "one", "two", "three", "four")


class RasterLayout:
    """Rows of runs beside a histogram of the losses of all runs, both in the colours of one scale."""

    def __init__(self, shown: Shown, settings: FilmSettings, run: int) -> None:
        self.data = data = SweepFilmData.of(shown)
        self.epochs, self.last = data.loss_epochs, max(int(data.all_outcomes.ended_at.max()), 1)
        losses = data.filled_losses
        order = quickest_first(data.outcomes, losses[-1])
        self.losses, self.outcomes = losses[:, order], data.outcomes.take(order)
        timing = even_timing(settings, lambda frames, spacing: evenly(self.epochs, frames, spacing, self._progress))
        self.chosen, self.seconds = timing.chosen, timing.seconds
        lost = self.outcomes.is_lost
        self.colours = LossColours(self.losses if lost.all() else self.losses[:, ~lost], settings)
        self.canvas = canvas = make_canvas(settings, self.colours.palette, DESIGN)
        s, width = canvas.unit, canvas.width
        self.box = Box(round(124 * s), round(60 * s), round(width - (124 + 246) * s), round(canvas.height - 96 * s))
        self.run_of_row = ((np.arange(self.box.height) + 0.5) / self.box.height * data.runs).astype(int)
        self.rows = min(data.runs, self.box.height)
        self._still()
        self.reveal = Reveal(canvas, self.box, self._draw_pale, self._draw_full)

    def _progress(self) -> Array:
        """How far the losses have come after each recorded epoch: (epochs,), increasing."""
        rows = np.unique(np.linspace(0, self.losses.shape[1] - 1, MOST_MEASURED).astype(int))
        shares = [loss_share(self.losses[:, row]) for row in rows]
        return np.asarray(0.8 * np.mean(shares, axis=0) + 0.2 * EPOCH_SPACINGS["epochs"](self.epochs))

    def _still(self) -> None:
        canvas, box, s, runs = self.canvas, self.box, self.canvas.unit, self.data.all_outcomes.runs
        words = f"{self.data.title}   {counted(runs, 'run')}"
        room = canvas.width - box.x - 26 * s - canvas.text_width(f"epoch {self.last:,}", 14, "bold")
        canvas.text(box.x, 24 * s, canvas.shorten(words, room, 14, "bold"), 14, face="bold")
        draw_epochs(canvas, box, self.last, 11)
        canvas.outline(box, canvas.colours.pale)
        self._explain(runs)
        self._name_rows()
        losses = self.data.all_final_losses
        is_kept = np.isfinite(losses) & ~self.data.all_outcomes.is_lost
        FinalLosses(canvas, box, self.colours, losses[is_kept], self.data.is_mixed)

    def _explain(self, runs: int) -> None:
        """Say what a row and the line are, in as many words as have room beside the count of solved runs."""
        canvas, s = self.canvas, self.canvas.unit
        row = "one row per run, quickest on top"
        if runs > self.rows:
            row = f"{self.rows:,} quantiles of the {runs:,} runs, quickest on top"
        room = self.box.width - canvas.text_width(self._solved(self.last), 12, "bold") - 18 * s
        has_line = (self.outcomes.outcome == "solved").any()
        full = f"{row}   line: solved from here on" if has_line else row
        if room > 60 * s:
            canvas.text(self.box.x, 45 * s, canvas.first_fitting((full, row), room, 11), 11, canvas.colours.label)

    def _solved(self, epoch: int) -> str:
        return f"{self.data.all_outcomes.counts(epoch)['solved']:,} solved"

    def _groups(self) -> list[tuple[int, int, str, str]]:
        """For each kind of outcome its first row and the one after its last, in pixels, its count, and words."""
        kinds, counts = self.outcomes.kinds[self.run_of_row], self.data.all_outcomes.counts(self.last)
        found = []
        for kind in np.unique(kinds).tolist():
            rows = np.flatnonzero(kinds == kind)
            found.append((int(rows[0]), int(rows[-1]) + 1, f"{counts[KINDS[kind]]:,}", self._words(KINDS[kind])))
        return found

    def _words(self, kind: str) -> str:
        """The kind of outcome; for stuck runs also on how many plateaus they are, if most of them are on a few."""
        outcomes, losses = self.data.all_outcomes, self.data.all_final_losses
        if kind != "stuck":
            return kind
        stuck = losses[(outcomes.kinds == KINDS.index("stuck")) & np.isfinite(losses)]
        counts = np.histogram(self.colours.depth(stuck), FINE, (0, 1))[0]
        peaks = find_peaks(counts)
        covered = sum(int(counts[first:last].sum()) for first, last in peaks)
        if not 0 < len(peaks) < len(NUMBERS) or covered < 0.9 * len(stuck):
            return kind
        return f"{kind}, on {NUMBERS[len(peaks)]} plateau{'s' * (len(peaks) > 1)}"

    def _name_rows(self) -> None:
        """Write beside the rows how many runs of the sweep they stand for, with a line along them."""
        canvas, box, s = self.canvas, self.box, self.canvas.unit
        groups = self._groups()
        is_large = len(groups) * 46 * s <= box.height
        step = (46 if is_large else 14) * s
        middles = [box.y + (first + last) / 2 + (2 if is_large else 4) * s for first, last, _, _ in groups]
        within = Box(box.x, box.y, box.width, box.height - round(26 * s if is_large else 0))
        for (first, last, count, words), y in zip(groups, spread_labels(middles, step, within), strict=True):
            x, top, low = box.x - 7 * s, box.y + first + 1, box.y + last - 1
            canvas.line(np.array([[x, top], [x, max(low, top + 1)]]), canvas.colours.label, 1.4)
            right = box.x - 13 * s
            if is_large:
                canvas.text(right, y, count, 16, face="bold", align="right")
                for line, part in enumerate(words.split(", ")):
                    canvas.text(right, y + (15 + 14 * line) * s, part, 11, canvas.colours.label, align="right")
            else:
                short = canvas.shorten(f"{count} {words.split(',')[0]}", right - 4 * s, 11, "bold")
                canvas.text(right, y, short, 11, face="bold", align="right")

    def _bands(self, pale: bool) -> Array:
        """The palette indices (height, width) of all rows."""
        columns = np.arange(self.box.width) / (self.box.width - 1) * self.last
        recorded = last_recorded(self.epochs, columns)
        values = self.losses[np.ix_(recorded, np.arange(self.losses.shape[1]))]
        values = np.where(columns[:, None] < self.outcomes.lost_at, values, np.nan)
        return self.colours.bands(values, pale)[:, self.run_of_row].T

    def _draw_pale(self) -> None:
        self.canvas.paste(self.box, self._bands(pale=True))

    def _draw_full(self) -> None:
        canvas, box = self.canvas, self.box
        canvas.paste(box, self._bands(pale=False))
        dark, light = sorted((canvas.colours.paper, canvas.colours.ink), key=lambda colour: int(colour.sum()))
        for first, _, _, _ in self._groups()[1:]:
            edge = np.array([[box.x, box.y + first], [box.x + box.width, box.y + first]])
            canvas.line(edge, canvas.colours.paper, 2, clip=box)
        outcomes = self.outcomes.take(self.run_of_row)
        rows = np.flatnonzero(outcomes.outcome == "solved")
        points = np.stack([box.x + outcomes.since[rows] / self.last * box.width, box.y + rows + 0.5], axis=1)
        if len(points):
            canvas.line(points, dark, 4, clip=box)
            canvas.line(points, light, 2, clip=box)

    def frame(self, number: int) -> Array:
        canvas, box, s, epoch = self.canvas, self.box, self.canvas.unit, int(self.epochs[number])
        self.reveal.uncover(epoch / self.last)
        x = box.x + epoch / self.last * box.width
        canvas.line(np.array([[x, box.y], [x, box.y + box.height]]), canvas.colours.ink, 1.2)
        place = canvas.text(canvas.width - 14 * s, 24 * s, f"{epoch:,}", 14, face="bold", align="right")
        canvas.text(place.x - 5 * s, 24 * s, "epoch", 12, canvas.colours.label, align="right")
        canvas.text(box.x + box.width, 45 * s, self._solved(epoch), 12, face="bold", align="right")
        return canvas.finish()


@dataclass(frozen=True)
class FinalLosses:
    """A histogram of the losses of all runs at the end, its loss axis being the scale of colours."""

    canvas: Canvas
    rows: Box
    colours: LossColours
    losses: Array
    is_mixed: bool

    def __post_init__(self) -> None:
        s, canvas = self.canvas.unit, self.canvas
        left = self.rows.x + self.rows.width
        strip = Box(round(left + 56 * s), self.rows.y, round(11 * s), self.rows.height)
        room = round(canvas.width - strip.x - strip.width - 92 * s)
        bars = Box(strip.x + strip.width + round(3 * s), strip.y, room, strip.height)
        name = "each run's own loss" if self.is_mixed else "loss at the end"
        canvas.text(strip.x, 45 * s, canvas.shorten(name, canvas.width - strip.x - 8 * s, 11), 11, canvas.colours.label)
        self._draw_scale(strip)
        self._draw_bars(bars)

    def _draw_scale(self, strip: Box) -> None:
        canvas, s, levels = self.canvas, self.canvas.unit, self.colours.levels
        bands = np.arange(strip.height) * levels // strip.height
        canvas.paste(strip, np.repeat(bands[:, None], strip.width, axis=1))
        canvas.outline(strip, canvas.colours.pale)
        below = -np.inf
        for depth, word in self.colours.ticks()[::-1]:
            y = strip.y + depth * strip.height
            canvas.line(np.array([[strip.x - (4 if word else 2) * s, y], [strip.x, y]]), canvas.colours.label, 1)
            if word and y > below:
                canvas.text(strip.x - 7 * s, y + 3.8 * s, word, 11, canvas.colours.label, align="right")
                below = y + 13 * s

    def _draw_bars(self, bars: Box) -> None:
        canvas, bins = self.canvas, max(min(BINS, bars.height // 3), 1)
        depth = self.colours.depth(self.losses)
        counts = np.histogram(depth, bins, (0, 1))[0]
        edges = bars.y + np.round(np.arange(bins + 1) / bins * bars.height).astype(int)
        lengths = np.ceil(counts / max(counts.max(), 1) * bars.width).astype(int)
        shade = canvas.palette.nearest(canvas.colours.label[None])[0]
        self._name_peaks(bars, depth, np.histogram(depth, FINE, (0, 1))[0])
        canvas.set_background()
        for number in np.flatnonzero(counts).tolist():
            height = max(int(edges[number + 1] - edges[number]), 1)
            box = Box(bars.x, int(edges[number]), int(lengths[number]), height - (height > 2))
            canvas.paste(box, np.full((box.height, box.width), shade))

    def _name_peaks(self, bars: Box, depth: Array, counts: Array) -> None:
        """Write median loss and number of runs of each peak, with a line to it; the largest where not all fit."""
        canvas, s, x = self.canvas, self.canvas.unit, bars.x + bars.width + 8 * self.canvas.unit
        peaks = []
        for first, last in find_peaks(counts):
            inside = (depth >= first / FINE) & (depth < last / FINE + (last == FINE))
            at = first + int(counts[first:last].argmax())
            peaks.append((int(inside.sum()), float(np.median(self.losses[inside])), (at + 0.5) / FINE))
        step, chosen = 32 * s, list[tuple[int, float, float]]()
        for peak in sorted(peaks, reverse=True):
            is_near = any(abs(peak[2] - other[2]) * bars.height < NEAR_PEAKS * step for other in chosen)
            if not is_near and len(chosen) < min(MOST_PEAKS, int(bars.height / step)):
                chosen.append(peak)
        peaks = sorted(chosen, key=lambda peak: peak[2])
        heights = [bars.y + at * bars.height for _, _, at in peaks]
        within = Box(bars.x, bars.y, bars.width, bars.height - round(12 * s))
        for (count, loss, _), height, y in zip(peaks, heights, spread_labels(heights, step, within), strict=True):
            lead = np.array([[bars.x, height], [x - 7 * s, height], [x - 2 * s, y - 4.5 * s]])
            canvas.line(lead, canvas.colours.pale, 1)
            canvas.text(x, y, format_loss_shortly(loss), 13, face="bold")
            words = canvas.shorten(counted(count, "run"), canvas.width - x - 2 * s, 11)
            canvas.text(x, y + 13 * s, words, 11, canvas.colours.label)


def format_loss_shortly(loss: float) -> str:
    """A loss in three digits, as in 1.39, 0.0142 or 2.1·10⁻⁷."""
    return f"{loss:.3g}" if 1e-4 <= abs(loss) < 999.5 else format_tick(loss)
