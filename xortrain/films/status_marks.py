"""The status of the runs of a sweep at an epoch: a mark below each cell, and a legend with counts.

A mark is ink on paper, so that it has the same contrast beside every colour; below small cells it is a line.
"""

from collections import Counter
from collections.abc import Callable, Sequence

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
LINE_HEIGHT = 2  # pixels of a mark below a small cell
LINES: dict[str, list[tuple[float, float]]] = {
    "solved": [(0, 1)],
    "learnt": [(0, 0.34), (0.66, 1)],
    "stuck": [(0.33, 0.67)],
}
"""The parts of such a line, as fractions of its width."""


class StatusMarks:
    """The marks of cells of equal size, drawn once and pasted below each cell, so that they cover no part of it."""

    def __init__(self, canvas: Canvas, boxes: Sequence[Box], outcomes: Outcomes, side: int, centred: bool) -> None:
        """``outcomes`` are those of the runs in the boxes; marks are ``side`` pixels high, 0 for lines.

        They are below the middle of the cell, or with ``centred`` false below its left edge.
        """
        self.canvas, self.boxes, self.outcomes, cell = canvas, boxes, outcomes, boxes[0]
        width, height = (side, side) if side else (cell.width, LINE_HEIGHT)
        shift = (cell.width - width) // 2 if centred else 0
        self.places = [Box(box.x + shift, box.y + box.height + 1, width, height) for box in boxes]
        draw: Callable[[str, Box], Array | Cutout] = self._glyph if side else self._line
        self.patches = {kind: draw(kind, self.places[0]) for kind in ("solved", "learnt", "stuck")}
        self.nothing = np.full((height, width), canvas.palette.nearest(canvas.colours.paper[None])[0])
        self.grey = {kind: self._grey_cell(cell, kind) for kind in GREY}
        self._shown = [""] * len(boxes)  # the kind that each mark shows

    def _glyph(self, kind: str, box: Box) -> Cutout:
        self.canvas.area(box.at(CORNERS), self.canvas.colours.paper)
        draw_glyph(self.canvas, box, kind, max(1.4, box.width / 7))
        return self.canvas.cut(box)

    def _line(self, kind: str, box: Box) -> Array:
        return draw_line(self.canvas, kind, box.width)

    def _put(self, patch: Array | Cutout, place: Box) -> None:
        if isinstance(patch, Cutout):
            self.canvas.put(patch, place)
        else:
            self.canvas.paste(place, patch)

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
            if kind != self._shown[cell]:
                self._put(self.patches.get(kind, self.nothing), self.places[cell])
                self._shown[cell] = kind
        return OFF_SCALE in marks


def draw_glyph(canvas: Canvas, box: Box, kind: str, width: float) -> None:
    """Draw a mark in ink with strokes of that width in pixels."""
    canvas.line(box.at(GLYPHS[kind]), canvas.colours.ink, width / canvas.unit)


def draw_line(canvas: Canvas, kind: str, width: int) -> Array:
    """The mark of a small cell: palette indices (LINE_HEIGHT, width)."""
    paper, ink = canvas.palette.nearest(np.stack([canvas.colours.paper, canvas.colours.ink]))
    line = np.full((LINE_HEIGHT, width), paper)
    for first, last in LINES[kind]:
        line[:, round(first * width) : round(last * width)] = ink
    return line


class StatusLegend:
    """What each mark means and how many runs have it, in one line or more; measured before there is a canvas."""

    def __init__(
        self, outcomes: Outcomes, room: float, unit: float, last: int, unbounded: bool, most_lines: int = 9
    ) -> None:
        """``room`` is the width of a line in pixels; ``unbounded`` is whether cells may be off the scale.

        Where ``most_lines`` do not suffice, words are left out, and then what has no mark.
        """
        self.outcomes, self.unit, self.room, self.last, self.has_lines = outcomes, unit, room, last, False
        counts, stuck = outcomes.counts(last), [word for word, kind in outcomes.kind_of.items() if kind == "stuck"]
        reasons = Counter({word: int((outcomes.outcome == word).sum()) for word in stuck})
        self.reasons = ", ".join(f"{count:,} {word}" for word, count in reasons.most_common())
        kinds = [kind for kind in KINDS if kind in ("solved", "not solved") or counts[kind]]
        self.kinds, self.has_words = kinds + [OFF_SCALE] * unbounded, True
        self._place()
        if self.lines > most_lines:
            self.kinds, self.has_words = [kind for kind in self.kinds if kind in GLYPHS], False
            self._place()

    def _place(self) -> None:
        """Where each kind stands: its left end and its line."""
        self.places: dict[str, tuple[float, int]] = {}
        x, line = 0.0, 0
        for kind in self.kinds:
            word = text_width(kind, self.unit, SIZE) if self.has_words else 0
            width = self._before_word(kind) + word
            if x and x + width > self.room:
                x, line = 0.0, line + 1
            self.places[kind], x = (x, line), x + width + (GAP if self.has_words else GAP / 2) * self.unit
        self.end, self.lines = (x, line), line + 1

    def _before_word(self, kind: str) -> float:
        """The width of a mark and its count; cells off the scale are not counted."""
        count = text_width(f"{self.outcomes.runs:,}", self.unit, SIZE, "bold") + 4 * self.unit if kind in KINDS else 0
        return (13 * self.unit if kind in GLYPHS else 0) + count

    def still(self, canvas: Canvas, x: float, y: float, has_lines: bool = False) -> None:
        """Draw the marks and words of all kinds; ``y`` is the baseline of the first line.

        With ``has_lines``, the marks are those of small cells.
        """
        self.canvas, self.x, self.y, self.has_lines = canvas, x, y, has_lines
        for kind in KINDS & self.places.keys():
            self._write_kind(kind)

    def _write_kind(self, kind: str) -> None:
        canvas, s, (left, line), side = self.canvas, self.unit, self.places[kind], round(9 * self.unit)
        low = self.y + LINE * line * s
        mark = Box(round(self.x + left), round(low - 8.5 * s), side, side)
        if self.has_lines and kind in LINES:
            canvas.paste(Box(mark.x, round(low - 4.5 * s), side, LINE_HEIGHT), draw_line(canvas, kind, side))
        elif kind in GLYPHS:
            draw_glyph(canvas, mark, kind, 1.7 * s)
        if self.has_words:
            canvas.text(self.x + left + self._before_word(kind), low, kind, SIZE, canvas.colours.label)

    def draw(self, epoch: int, is_off_scale: bool) -> None:
        """Write the counts after an epoch; after the last one also why runs are stuck, where there is room."""
        canvas, s, counts = self.canvas, self.unit, self.outcomes.counts(epoch)
        if is_off_scale and OFF_SCALE in self.places:
            self._write_kind(OFF_SCALE)
        for kind in counts.keys() & self.places.keys():
            left, line = self.places[kind]
            right = self.x + left + self._before_word(kind) - 4 * s
            canvas.text(right, self.y + LINE * line * s, f"{counts[kind]:,}", SIZE, face="bold", align="right")
        (x, line), words = self.end if is_off_scale else self.places.get(OFF_SCALE, self.end), f"stuck: {self.reasons}"
        if counts["stuck"] and epoch >= self.last and canvas.text_width(words, 9) <= self.room - x:
            canvas.text(self.x + x, self.y + LINE * line * s, words, 9, canvas.colours.label)
