"""How the runs of a sweep stand at an epoch: a mark in each cell, and above them all what it means and how many.

A mark is ink on a piece of paper cut out of its cell's corner, so that it shows on any colour; in small cells the
paper is no more than an edge round its strokes.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from xortrain.films.canvas import Canvas
from xortrain.films.glyphs import Box, lettering
from xortrain.films.lockstep import Outcomes
from xortrain.nets import Array

STUCK = ("linear", "clones", "dead", "saturated", "plateau")
KINDS = ("solved", "not solved", "stuck", "diverged")
GLYPHS = {
    "solved": np.array([[0.12, 0.55], [0.4, 0.85], [0.9, 0.18]]),
    "stuck": np.array([[0.1, 0.5], [0.9, 0.5]]),
    "diverged": np.array([[0.15, 0.15], [0.85, 0.85], [np.nan, np.nan], [0.15, 0.85], [0.85, 0.15]]),
    "exploded": np.array([[0.15, 0.85], [0.85, 0.15]]),
}
"""The strokes of each mark, in shares of its square; what may still be solved has none."""
SIZE, GAP = 11, 16
SMALL = 32
"""Pixels of a cell below which the paper is only an edge."""


def since(ends: Outcomes) -> dict[str, Array]:
    """By each of three kinds the epoch (runs,) since which a run is of it, -1 for never; no run is of two.

    That it is stuck is said of a run when it has ended.
    """
    is_stuck = np.isin(ends.kinds, [place for place, word in enumerate(ends.words) if word in STUCK])
    stuck_at = np.where(is_stuck, ends.ended_at, -1)
    return {"solved": ends.solved_at, "stuck": stuck_at, "diverged": ends.diverged_at}


def reached(at: Array, epoch: int) -> Array:
    """Which runs (runs,) had come to an epoch of their own, -1 for never, by now."""
    return np.asarray((at >= 0) & (at <= epoch))


class StatusMarks:
    """The marks of cells of equal size, as pixels to be pasted."""

    def __init__(self, canvas: Canvas, boxes: Sequence[Box], ends: Outcomes) -> None:
        """``ends`` are those of the runs in the boxes."""
        self.canvas, self.boxes, cell = canvas, boxes, boxes[0]
        self.since = since(ends)
        side = int(np.clip(round(cell.width * 0.2), min(7, cell.width // 2 + 1), round(18 * canvas.scale) + 2))
        self.corners = [Box(box.x + box.width - side, box.y, side, side) for box in boxes]
        draw = self._patch if cell.width >= SMALL else self._cased
        self.patches = {kind: draw(kind, side) for kind in ("solved", "stuck")}
        self.lost, self.blank = self._grey(cell, "diverged"), self._grey(cell, "exploded")

    def _cased(self, kind: str, side: int) -> tuple[Array, Array]:
        """The mark with an edge of paper a pixel wide: its colours, and where it is."""
        box, canvas = self.corners[0], self.canvas
        inner, wide = Box(box.x + 1, box.y + 1, side - 2, side - 2), max(1.2, side / 6)
        canvas.line(inner.at(GLYPHS[kind]), canvas.colours.paper, (wide + 2) / canvas.scale)
        covered = canvas.layer(lambda: stroke(canvas, inner, kind, wide + 2))
        stroke(canvas, inner, kind, wide)
        frame = canvas.finish()
        where = np.zeros(frame.size, bool)
        where[covered.where[covered.paint[:, 3] > 100]] = True
        return frame[box.pixels].copy(), where.reshape(frame.shape)[box.pixels].copy()

    def _patch(self, kind: str, side: int) -> tuple[Array, Array]:
        """Paper with a margin of its own towards the field, and the mark on it: its colours, and all is it."""
        box = self.corners[0]
        edge = 1 if side < 9 else 2
        inner = Box(box.x + edge, box.y, side - edge, side - edge)
        stroke(self.canvas, inner, kind, max(1.3, side / 7))
        return self.canvas.finish()[box.pixels].copy(), np.ones((side, side), bool)

    def _grey(self, cell: Box, kind: str) -> Array:
        """A whole cell of a run that has diverged, or is about to: grey, and struck out."""
        canvas = self.canvas
        canvas.area(cell.at(np.array([[0, 0], [1, 0], [1, 1], [0, 1]])), canvas.colours.nothing)
        stroke(canvas, Box(*np.round(cell.at(np.array([0.25, 0.25]))).astype(int), *[cell.width // 2] * 2),
               kind, max(1.4, cell.width / 30))  # fmt: skip
        drawn = canvas.finish()[cell.pixels].copy()
        drawn[0] = drawn[-1] = drawn[:, 0] = drawn[:, -1] = canvas.palette.nothing
        return drawn

    def paste(self, epoch: int, blank: Array) -> None:
        """Mark each cell as its run stands after an epoch, and those (cells,) that show no colour."""
        for cell in np.flatnonzero(blank).tolist():
            self.canvas.paste(self.boxes[cell], self.blank)
        for kind, patch in self.patches.items():
            for cell in np.flatnonzero(reached(self.since[kind], epoch)).tolist():
                self.canvas.paste(self.corners[cell], *patch)
        for cell in np.flatnonzero(reached(self.since["diverged"], epoch)).tolist():
            self.canvas.paste(self.boxes[cell], self.lost)


def stroke(canvas: Canvas, box: Box, kind: str, width: float) -> None:
    """One mark in ink, its strokes so many pixels wide."""
    canvas.line(box.at(GLYPHS[kind]), canvas.colours.ink, width / canvas.scale)


class Counts:
    """What each mark means and how many runs have it now, in one line or in as many as it takes."""

    def __init__(self, ends: Outcomes, room: float, scale: float, last: int, exploded: bool) -> None:
        """``room`` is how wide the lines may be in pixels; that cells are struck out once may have to be told."""
        self.runs, self.scale, self.room, self.last = ends.runs, scale, room, last
        self.since = {kind: np.sort(at[at >= 0]) for kind, at in since(ends).items()}
        self.kinds = [kind for kind in KINDS if kind in ("solved", "not solved") or len(self.since[kind])]
        self.kinds += ["exploded"] * exploded
        failed = Counter({word: int((ends.kinds == place).sum()) for place, word in enumerate(ends.words)})
        self.reasons = ", ".join(f"{count:,} {word}" for word, count in failed.most_common() if word in STUCK)
        self.places: dict[str, tuple[float, int]] = {}
        x, line = 0.0, 0
        for kind in self.kinds:
            width = self._width(kind)
            if x and x + width > room:
                x, line = 0.0, line + 1
            self.places[kind], x = (x, line), x + width + GAP * scale
        self.end, self.lines = (x, line), line + 1

    def _width(self, kind: str) -> float:
        return self._mark(kind) + self._number(kind) + width_of(kind, self.scale)

    def _mark(self, kind: str) -> float:
        return 13 * self.scale if kind in GLYPHS else 0

    def _number(self, kind: str) -> float:
        """The room of a number and what parts it from its word; that outputs have exploded is not counted."""
        return width_of(f"{self.runs:,}", self.scale, "bold") + 4 * self.scale if kind in KINDS else 0

    def at(self, epoch: int) -> dict[str, int]:
        """How many runs are of each kind after an epoch."""
        counts = {kind: int(np.searchsorted(at, epoch, side="right")) for kind, at in self.since.items()}
        return {"not solved": self.runs - sum(counts.values())} | counts

    def still(self, canvas: Canvas, x: float, y: float) -> None:
        """The marks and their names, the first line's baseline at y."""
        self.canvas, self.x, self.y, s = canvas, x, y, canvas.scale
        for kind, (left, line) in self.places.items():
            low = y + 15 * line * s
            if kind in GLYPHS:
                side = round(9 * s)
                stroke(canvas, Box(round(x + left), round(low - 8.5 * s), side, side), kind, 1.7 * s)
            at = x + left + self._mark(kind) + self._number(kind)
            canvas.text(at, low, kind, SIZE, canvas.colours.label)

    def draw(self, epoch: int) -> None:
        canvas, s = self.canvas, self.scale
        counts = self.at(epoch)
        for kind in counts.keys() & self.places.keys():
            left, line = self.places[kind]
            right = self.x + left + self._mark(kind) + self._number(kind) - 4 * s
            canvas.text(right, self.y + 15 * line * s, f"{counts[kind]:,}", SIZE, face="bold", align="right")
        if counts["stuck"] and epoch >= self.last:
            x, line = self.end
            words = f"stuck: {self.reasons}"
            if canvas.text_width(words, 9) <= self.room - x:
                canvas.text(self.x + x, self.y + 15 * line * s, words, 9, canvas.colours.label)


def width_of(words: str, scale: float, face: str = "", size: float = SIZE) -> int:
    """How wide words are in pixels, asked before there is a sheet."""
    return int(lettering(words, round(size * scale, 2), face)[0].shape[1]) if words else 0
