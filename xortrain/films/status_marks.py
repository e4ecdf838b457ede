"""The status of the runs of a sweep at an epoch: a mark in each cell, a legend with counts, the share solved.

A mark is ink on a patch of paper, so that it shows on every colour; in small cells the paper is only an edge.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from xortrain.films.canvas import Box, Canvas, Cutout, text_width
from xortrain.films.data import KINDS, Outcomes
from xortrain.nets import Array

OFF_SCALE = "off the scale"
CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
ROUND = np.linspace(0, 2 * np.pi, 13)[:, None]
GLYPHS = {
    "solved": np.array([[0.12, 0.55], [0.4, 0.85], [0.9, 0.18]]),
    "learnt": 0.5 + 0.15 * np.concatenate([np.cos(ROUND), np.sin(ROUND)], axis=1),
    "stuck": np.array([[0.1, 0.5], [0.9, 0.5]]),
    "diverged": np.array([[0.15, 0.15], [0.85, 0.85], [np.nan, np.nan], [0.15, 0.85], [0.85, 0.15]]),
    "exploded": np.array([[0.15, 0.85], [0.85, 0.15]]),
    OFF_SCALE: np.array([[0.15, 0.65], [0.5, 0.3], [0.85, 0.65]]),
}
"""The strokes of each mark, as fractions of its square; runs that are not solved have none."""
GREY = ("diverged", "exploded", OFF_SCALE)  # marks of cells without colours
SIZE, GAP, LINE = 11, 16, 15  # font size, gap between legend entries, line height
SMALL = 32  # pixels of a cell below which the paper of its mark is only an edge


class StatusMarks:
    """The marks of cells of equal size, drawn once and pasted into each frame."""

    def __init__(self, canvas: Canvas, boxes: Sequence[Box], outcomes: Outcomes) -> None:
        """``outcomes`` are those of the runs in the boxes."""
        self.canvas, self.boxes, self.outcomes, cell = canvas, boxes, outcomes, boxes[0]
        side = int(np.clip(round(cell.width * 0.2), min(7, cell.width // 2 + 1), round(18 * canvas.unit) + 2))
        self.corners = [Box(box.x + box.width - side, box.y, side, side) for box in boxes]
        draw = self._on_patch if cell.width >= SMALL else self._with_edge
        self.patches = {kind: draw(kind, side) for kind in ("solved", "learnt", "stuck")}
        self.grey = {kind: self._grey_cell(cell, kind) for kind in GREY}

    def _with_edge(self, kind: str, side: int) -> tuple[Cutout, Array | bool]:
        """The mark with an edge of paper one pixel wide, and which pixels (side, side) it covers."""
        box, canvas = self.corners[0], self.canvas
        inner, width = Box(box.x + 1, box.y + 1, side - 2, side - 2), max(1.2, side / 6)
        covered = canvas.record(lambda: draw_glyph(canvas, inner, kind, width + 2))
        canvas.line(inner.at(GLYPHS[kind]), canvas.colours.paper, (width + 2) / canvas.unit)
        draw_glyph(canvas, inner, kind, width)
        where = np.zeros(canvas.width * canvas.height, bool)
        where[covered.where[covered.paint[:, 3] > 100]] = True
        return canvas.cut(box), where.reshape(canvas.height, canvas.width)[box.pixels].copy()

    def _on_patch(self, kind: str, side: int) -> tuple[Cutout, Array | bool]:
        """The mark on a square of paper with a margin towards the field; it covers all pixels."""
        canvas, box, edge = self.canvas, self.corners[0], 1 if side < 9 else 2
        canvas.area(box.at(CORNERS), canvas.colours.paper)
        draw_glyph(canvas, Box(box.x + edge, box.y, side - edge, side - edge), kind, max(1.3, side / 7))
        return canvas.cut(box), True

    def _grey_cell(self, cell: Box, kind: str) -> Cutout:
        """A cell without colours: grey and crossed out."""
        canvas, half, (x, y) = self.canvas, cell.width // 2, np.round(cell.at(np.array([0.25, 0.25]))).astype(int)
        canvas.area(cell.at(CORNERS), canvas.colours.no_value)
        draw_glyph(canvas, Box(x, y, half, half), kind, max(1.4, cell.width / 30))
        drawn = canvas.cut(cell)
        for edge in (drawn.bands, drawn.bands.T):
            edge[0] = edge[-1] = canvas.palette.no_value
        return drawn

    def paste(self, epoch: int, blank: Array) -> bool:
        """Mark the cells after an epoch; return whether some of those that are ``blank`` (cells,) are off the scale."""
        kinds = [KINDS[kind] for kind in self.outcomes.kinds_after(epoch).tolist()]
        marks = [OFF_SCALE if none and kind not in GREY else kind for kind, none in zip(kinds, blank, strict=True)]
        for cell, (kind, mark) in enumerate(zip(kinds, marks, strict=True)):
            if mark in GREY:
                self.canvas.put(self.grey[mark], self.boxes[cell])
            if kind in self.patches:
                patch, where = self.patches[kind]
                self.canvas.put(patch, self.corners[cell], where)
        return OFF_SCALE in marks


def draw_glyph(canvas: Canvas, box: Box, kind: str, width: float) -> None:
    """Draw a mark in ink with strokes of that width in pixels."""
    canvas.line(box.at(GLYPHS[kind]), canvas.colours.ink, width / canvas.unit)


class StatusLegend:
    """What each mark means and how many runs have it, in one line or more; measured before there is a canvas."""

    def __init__(self, outcomes: Outcomes, room: float, unit: float, last: int, unbounded: bool) -> None:
        """``room`` is the width of a line in pixels; ``unbounded`` is whether cells may be off the scale."""
        self.outcomes, self.unit, self.room, self.last = outcomes, unit, room, last
        counts, stuck = outcomes.counts(last), [word for word, kind in outcomes.kind_of.items() if kind == "stuck"]
        reasons = Counter({word: int((outcomes.outcome == word).sum()) for word in stuck})
        self.reasons = ", ".join(f"{count:,} {word}" for word, count in reasons.most_common())
        kinds = [kind for kind in KINDS if kind in ("solved", "not solved") or counts[kind]]
        self.places: dict[str, tuple[float, int]] = {}
        x, line = 0.0, 0
        for kind in kinds + [OFF_SCALE] * unbounded:
            width = self._before_word(kind) + text_width(kind, unit, SIZE)
            if x and x + width > room:
                x, line = 0.0, line + 1
            self.places[kind], x = (x, line), x + width + GAP * unit
        self.end, self.lines = (x, line), line + 1

    def _before_word(self, kind: str) -> float:
        """The width of a mark and its count; cells off the scale are not counted."""
        count = text_width(f"{self.outcomes.runs:,}", self.unit, SIZE, "bold") + 4 * self.unit if kind in KINDS else 0
        return (13 * self.unit if kind in GLYPHS else 0) + count

    def still(self, canvas: Canvas, x: float, y: float) -> None:
        """Draw the marks and words of all kinds; ``y`` is the baseline of the first line."""
        self.canvas, self.x, self.y = canvas, x, y
        for kind in KINDS & self.places.keys():
            self._write_kind(kind)

    def _write_kind(self, kind: str) -> None:
        canvas, s, (left, line), side = self.canvas, self.unit, self.places[kind], round(9 * self.unit)
        low = self.y + LINE * line * s
        if kind in GLYPHS:
            draw_glyph(canvas, Box(round(self.x + left), round(low - 8.5 * s), side, side), kind, 1.7 * s)
        canvas.text(self.x + left + self._before_word(kind), low, kind, SIZE, canvas.colours.label)

    def draw(self, epoch: int, is_off_scale: bool) -> None:
        """Write the counts after an epoch; after the last one also why runs are stuck, where there is room."""
        canvas, s, counts = self.canvas, self.unit, self.outcomes.counts(epoch)
        if is_off_scale:
            self._write_kind(OFF_SCALE)
        for kind in counts.keys() & self.places.keys():
            left, line = self.places[kind]
            right = self.x + left + self._before_word(kind) - 4 * s
            canvas.text(right, self.y + LINE * line * s, f"{counts[kind]:,}", SIZE, face="bold", align="right")
        (x, line), words = self.end if is_off_scale else self.places.get(OFF_SCALE, self.end), f"stuck: {self.reasons}"
        if counts["stuck"] and epoch >= self.last and canvas.text_width(words, 9) <= self.room - x:
            canvas.text(self.x + x, self.y + LINE * line * s, words, 9, canvas.colours.label)


class SolvedCurve:
    """The share of solved runs over the epochs: the whole curve pale, the part up to the current epoch in ink."""

    def __init__(self, canvas: Canvas, box: Box, outcomes: Outcomes, last: int) -> None:
        self.canvas, self.box, self.last = canvas, box, max(last, 1)
        at = np.sort(outcomes.since[outcomes.outcome == "solved"])
        self.epochs = np.unique(np.linspace(0, self.last, 2 * box.width).astype(int))
        self.unsolved = 1 - np.searchsorted(at, self.epochs, side="right") / outcomes.runs
        s, label, right, low = canvas.unit, canvas.colours.label, box.x + box.width, box.y + box.height
        canvas.line(box.at(np.array([[0.0, 1.0], [1.0, 1.0]])), canvas.colours.pale)
        canvas.line(self._until(self.last), canvas.colours.pale, 2)
        end = format_share(int(np.searchsorted(at, self.last, side="right")), outcomes.runs)
        canvas.text(right + 7 * s, box.y + self.unsolved[-1] * box.height + 3.3 * s, end, 9, label)
        canvas.text(box.x, low + 12 * s, "solved runs over epochs", 9, label)
        canvas.text(right, low + 12 * s, str(last), 9, label, align="right")

    def _until(self, epoch: int) -> Array:
        until = max(int(np.searchsorted(self.epochs, epoch, side="right")), 1)
        heights = np.append(self.unsolved[:until], self.unsolved[until - 1])
        epochs = np.append(self.epochs[:until], epoch)
        return self.box.at(np.stack([epochs / self.last, heights], axis=1))

    def draw(self, epoch: int) -> None:
        passed, colours = self._until(epoch), self.canvas.colours
        self.canvas.line(passed, colours.ink, 2)
        self.canvas.marks(passed[-1:], 0, 3.5, colours.ink, colours.paper, 1.2)


def format_share(count: int, runs: int) -> str:
    """Percent, rounded; 0 % and 100 % only for none and for all."""
    whole = round(100 * count / runs)
    return ">99 %" if whole == 100 and count < runs else f"{whole} %" if whole or not count else "<1 %"
