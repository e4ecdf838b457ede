"""How the runs of a sweep stand at an epoch: a mark in each cell, and above them all what it means and how many.

A mark is ink on a piece of paper cut out of its cell's corner, so that it shows on any colour.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from xortrain.films.lettering import lettering
from xortrain.films.lockstep import Ends
from xortrain.films.shapes import Box
from xortrain.films.sheet import Sheet
from xortrain.nets import Array

STUCK = ("linear", "clones", "dead", "saturated", "plateau")
KINDS = ("solved", "not solved", "stuck", "diverged")
GLYPHS = {
    "solved": np.array([[0.12, 0.55], [0.4, 0.85], [0.9, 0.18]]),
    "stuck": np.array([[0.1, 0.5], [0.9, 0.5]]),
    "diverged": np.array([[0.15, 0.15], [0.85, 0.85], [np.nan, np.nan], [0.15, 0.85], [0.85, 0.15]]),
}
"""The strokes of each mark, in shares of its square; what may still be solved has none."""
SIZE, GAP = 11, 16


def standing(ends: Ends, epoch: int) -> Array:
    """The number in KINDS of each run (runs,) after an epoch; stuck is said of a run when it has ended."""
    solved, diverged = reached(ends.solved_at, epoch), reached(ends.diverged_at, epoch)
    stuck = (ends.ended_at <= epoch) & np.isin(ends.outcome.astype(str), STUCK)
    return np.select([diverged, solved, stuck], [3, 0, 2], 1)


def reached(at: Array, epoch: int) -> Array:
    """Which runs (runs,) had come to an epoch of their own, -1 for never, by now."""
    return np.asarray((at >= 0) & (at <= epoch))


class Marks:
    """The marks of cells of equal size, as pixels to be pasted."""

    def __init__(self, sheet: Sheet, boxes: Sequence[Box]) -> None:
        self.sheet, self.boxes, cell = sheet, boxes, boxes[0]
        side = int(np.clip(round(cell.width * 0.2), min(7, cell.width // 2 + 1), round(18 * sheet.scale) + 2))
        self.corners = [Box(box.x + box.width - side, box.y, side, side) for box in boxes]
        self.patches = {kind: self._patch(kind, side) for kind in ("solved", "stuck")}
        self.lost = self._lost(cell)

    def _patch(self, kind: str, side: int) -> Array:
        """Paper with a margin of its own towards the field, and the mark on it."""
        box = self.corners[0]
        edge = 1 if side < 9 else 2
        inner = Box(box.x + edge, box.y, side - edge, side - edge)
        stroke(self.sheet, inner, kind, max(1.3, side / 7))
        return self.sheet.finish()[box.pixels].copy()

    def _lost(self, cell: Box) -> Array:
        """A whole cell of a run that has diverged: grey, and crossed out."""
        sheet = self.sheet
        sheet.area(cell.at(np.array([[0, 0], [1, 0], [1, 1], [0, 1]])), sheet.colours.nothing)
        stroke(sheet, Box(*np.round(cell.at(np.array([0.25, 0.25]))).astype(int), *[cell.width // 2] * 2),
               "diverged", max(1.4, cell.width / 30))  # fmt: skip
        drawn = sheet.finish()[cell.pixels].copy()
        drawn[0] = drawn[-1] = drawn[:, 0] = drawn[:, -1] = sheet.palette.nothing
        return drawn

    def paste(self, kinds: Array) -> None:
        """Mark each cell by its run's place in KINDS."""
        for kind, corner, box in zip(kinds.tolist(), self.corners, self.boxes, strict=True):
            if KINDS[kind] == "diverged":
                self.sheet.paste(box, self.lost)
            elif KINDS[kind] in self.patches:
                self.sheet.paste(corner, self.patches[KINDS[kind]])


def stroke(sheet: Sheet, box: Box, kind: str, width: float) -> None:
    """One mark in ink, its strokes so many pixels wide."""
    sheet.line(box.at(GLYPHS[kind]), sheet.colours.ink, width / sheet.scale)


class Counts:
    """What each mark means and how many runs have it now, in one line or in as many as it takes."""

    def __init__(self, ends: Ends, room: float, scale: float, last: int) -> None:
        """``room`` is how wide the lines may be in pixels."""
        self.ends, self.scale, self.room, self.last = ends, scale, room, last
        final = standing(ends, last)
        seen = {KINDS[kind] for kind in np.unique(np.concatenate([final, standing(ends, 0)])).tolist()} | {"solved"}
        self.kinds = [kind for kind in KINDS if kind in seen or (kind == "not solved" and (final != 3).any())]
        failed = Counter(ends.outcome[final == 2].tolist())
        self.reasons = ", ".join(f"{count:,} {word}" for word, count in failed.most_common())
        self.places: dict[str, tuple[float, int]] = {}
        x, line = 0.0, 0
        for kind in self.kinds:
            width = self._width(kind)
            if x and x + width > room:
                x, line = 0.0, line + 1
            self.places[kind], x = (x, line), x + width + GAP * scale
        self.end, self.lines = (x, line), line + 1

    def _width(self, kind: str) -> float:
        return self._mark(kind) + self._digits + 4 * self.scale + width_of(kind, self.scale)

    def _mark(self, kind: str) -> float:
        return 13 * self.scale if kind in GLYPHS else 0

    @property
    def _digits(self) -> float:
        return width_of(f"{self.ends.runs:,}", self.scale, "bold")

    def still(self, sheet: Sheet, x: float, y: float) -> None:
        """The marks and their names, the first line's baseline at y."""
        self.sheet, self.x, self.y, s = sheet, x, y, sheet.scale
        for kind, (left, line) in self.places.items():
            low = y + 15 * line * s
            if kind in GLYPHS:
                side = round(9 * s)
                stroke(sheet, Box(round(x + left), round(low - 8.5 * s), side, side), kind, 1.7 * s)
            at = x + left + self._mark(kind) + self._digits + 4 * s
            sheet.text(at, low, kind, SIZE, sheet.colours.label)

    def draw(self, epoch: int) -> None:
        sheet, s = self.sheet, self.scale
        counts = np.bincount(standing(self.ends, epoch), minlength=len(KINDS))
        for kind, (left, line) in self.places.items():
            right = self.x + left + self._mark(kind) + self._digits
            words = f"{counts[KINDS.index(kind)]:,}"
            sheet.text(right, self.y + 15 * line * s, words, SIZE, face="bold", align="right")
        if counts[2] and epoch >= self.last:
            x, line = self.end
            words = f"stuck: {self.reasons}"
            if sheet.text_width(words, 9) <= self.room - x:
                sheet.text(self.x + x, self.y + 15 * line * s, words, 9, sheet.colours.label)


def width_of(words: str, scale: float, face: str = "", size: float = SIZE) -> int:
    """How wide words are in pixels, asked before there is a sheet."""
    return int(lettering(words, round(size * scale, 2), face)[0].shape[1]) if words else 0
