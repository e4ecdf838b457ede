"""All runs of a sweep as small multiples in lock-step: framed when solved, crossed out when diverged.

In the last picture a black corner marks those that are stuck.
Below them runs the number of solved runs over the epochs.
"""

import numpy as np

from xortrain.films.arrangement import Arrangement, arrangement
from xortrain.films.moments import choose_epochs
from xortrain.films.palette import palette
from xortrain.films.plane import plane_of
from xortrain.films.probe import Probe
from xortrain.films.reading import Reading, reading
from xortrain.films.shapes import SHAPES, Box
from xortrain.films.sheet import Sheet
from xortrain.films.subject import FilmSettings, Subject
from xortrain.films.surface import PROMPT, between, tiles
from xortrain.nets import Array

WIDTH, HEIGHT = 612, 396
"""About how much room the cells take when no size is asked for."""


class SweepLayout:
    """One cell a run, at most 400; the film goes by epochs common to all."""

    def __init__(self, subject: Subject, settings: FilmSettings, run: int) -> None:
        self.subject, self.chosen = subject, choose_epochs(subject, settings)
        self.read, self.cells = reading(subject, settings), arrangement(subject)
        self.runs = self.cells.shown
        scale = 1.0 if settings.size is None else min(settings.size[0] / 640, settings.size[1] / 480, 3.0)
        scale = max(scale, 0.6)
        self.margins = Margins(self.cells, scale)
        width, height, self.side = self.margins.fit(settings.size)
        self.sheet = Sheet(
            width, height, scale, palette(settings.colours, settings.levels, settings.dark, self.read.classes)
        )
        self.boxes = [self._box(*place) for place in np.argwhere(self.cells.runs >= 0)]
        self.picture_of = Cells(self.sheet, self.boxes, subject, self.runs, self.read)
        self.rings = np.stack([self.sheet.ring(box, 1 / scale) for box in self.boxes])
        self._still(subject.title)

    def _box(self, row: int, column: int) -> Box:
        step = self.side + self.margins.gap
        return Box(self.margins.left + column * step, self.margins.top + row * step, self.side, self.side)

    def _still(self, title: str) -> None:
        sheet, m = self.sheet, self.margins
        s, label, step = sheet.scale, sheet.colours.label, self.side + m.gap
        hidden = self.subject.runs - len(self.runs)
        words = title + (f"   {len(self.runs)} of {self.subject.runs} runs" if hidden else f"   {len(self.runs)} runs")
        sheet.text(10 * s, 20 * s, sheet.fitting(words, sheet.width - 20 * s, 12, "bold"), 12, face="bold")
        every = -(-max((sheet.text_width(n, 9) for n in self.cells.column_names), default=0) // step) or 1
        for column, name in enumerate(self.cells.column_names):
            if column % every == 0:
                sheet.text(m.left + column * step + self.side / 2, m.top - 4 * s, name, 9, label, align="centre")
        for row, name in enumerate(self.cells.row_names):
            y = m.top + row * step + self.side / 2 + 3.3 * s
            sheet.text(m.left - 5 * s, y, name, 9, label, align="right")
        sheet.text(m.left, m.top - 17 * s, self.cells.across, 10, face="bold")
        height = len(self.cells.runs) * step
        sheet.text(10 * s, m.top + height / 2, self.cells.down, 10, face="bold", align="centre", turned=True)
        self.solved = Solved(
            sheet,
            Box(m.left, m.top + height + round(8 * s), sheet.width - m.left - round(12 * s), round(22 * s)),
            self.subject,
        )
        sheet.keep()

    def picture(self, number: int) -> Array:
        epoch = int(self.subject.frame_epochs[number])
        self.picture_of.paste(np.asarray(self.subject.parameters[number][:, self.runs]))
        solved, diverged = reached(self.subject.solved_at, epoch), reached(self.subject.diverged_at, epoch)
        for box, run in zip(self.boxes, self.runs, strict=True):
            if diverged[run]:
                self._cross(box)
        self.sheet.dab(self.rings[~solved[self.runs]].ravel(), self.sheet.colours.paper)
        self.sheet.dab(self.rings[solved[self.runs]].ravel(), self.sheet.colours.ink)
        self._told(epoch, self._standing(epoch, solved, diverged))
        self.solved.draw(epoch)
        return self.sheet.finish()

    def _standing(self, epoch: int, solved: Array, diverged: Array) -> dict[str, int]:
        """How many runs are in which state; in the last picture those that failed are told apart, and marked."""
        words = np.where(solved, "solved", np.where(diverged, "diverged", "not solved")).astype(object)
        if epoch == int(self.subject.frame_epochs[-1]):
            words = np.where(solved | diverged, words, np.asarray(self.subject.outcome, object))
            for box, run in zip(self.boxes, self.runs, strict=True):
                if words[run] not in ("solved", "diverged", "training"):
                    self._corner(box)
        order = ["solved", *sorted(set(words) - {"solved", "diverged"}), "diverged"]
        return {word: int((words == word).sum()) for word in order}

    def _corner(self, box: Box) -> None:
        """The mark of a run that is stuck."""
        side = max(5.0, box.width * 0.2)
        x, y = box.x + box.width, box.y
        self.sheet.area(np.array([[x - side, y], [x, y], [x, y + side]]), self.sheet.colours.ink)

    def _cross(self, box: Box) -> None:
        ends = box.at(np.array([[0.3, 0.3], [0.7, 0.7], [np.nan, np.nan], [0.3, 0.7], [0.7, 0.3]]))
        self.sheet.line(ends, self.sheet.colours.ink, max(1.2, self.side / 40))

    def _told(self, epoch: int, counts: dict[str, int]) -> None:
        sheet, s = self.sheet, self.sheet.scale
        number = sheet.text(sheet.width - 12 * s, 37 * s, str(epoch), 12, face="bold", align="right")
        sheet.text(number.x - 5 * s, 37 * s, "epoch", 11, sheet.colours.label, align="right")
        x = 10 * s
        for word, count in counts.items():
            if count or word == "solved":
                x += sheet.text(x, 37 * s, f"{count}", 11, face="bold").width + 4 * s
                x += sheet.text(x, 37 * s, word, 11, sheet.colours.label).width + 14 * s


class Margins:
    """The room round the cells, for titles and labels."""

    def __init__(self, cells: Arrangement, scale: float) -> None:
        rows, columns = self.shape = cells.runs.shape
        self.gap = 2 if rows * columns > 150 else 4
        longest = max((len(name) for name in cells.row_names), default=0)
        self.left = round((12 + (18 + 6 * longest) * (longest > 0)) * scale)
        self.top = round((48 + 30 * bool(cells.column_names)) * scale)
        self.right, self.below = round(12 * scale), round(52 * scale)

    def fit(self, size: tuple[int, int] | None) -> tuple[int, int, int]:
        """Width and height of the sheet, and the side of a cell."""
        rows, columns = self.shape
        width, height = size or (WIDTH + self.left + self.right, HEIGHT + self.top + self.below)
        room = (width - self.left - self.right) // columns, (height - self.top - self.below) // rows
        side = max(6, min(*room, 200 if size is None else 4096) - self.gap)
        if size:
            return *size, side
        fitted = max(360, columns * (side + self.gap) + self.left + self.right)
        return fitted + fitted % 2, (rows * (side + self.gap) + self.top + self.below + 1) // 2 * 2, side


class Cells:
    """The fields of many runs, computed together."""

    def __init__(self, sheet: Sheet, boxes: list[Box], subject: Subject, runs: Array, read: Reading) -> None:
        self.sheet, self.read, side = sheet, read, boxes[0].width
        plane = plane_of(*subject.data(int(runs[0])), subject)
        parts = tiles(Box(0, 0, side, side), len(plane.slices), 0)
        width, height = parts[0].width, parts[0].height
        step = int(np.ceil(np.sqrt(subject.network.size * width * height * len(parts) * len(runs) / PROMPT)))
        self.across, self.down = between(-(-width // step), width), between(-(-height // step), height)
        shape = self.across.shape[0], self.down.shape[0]
        points = np.stack([plane.grid(i, *shape) for i in range(len(parts))], axis=1)
        self.probe, self.exact = Probe(subject.network, points, runs), step == 1
        self.places = [[Box(box.x + part.x, box.y + part.y, width, height) for part in parts] for box in boxes]

    def paste(self, theta: Array) -> None:
        """Put every run's bands in its cell, for θ (parameters, runs)."""
        y = self.probe.outputs(theta)
        if not self.exact:
            y = self.down.T @ y @ self.across
        for places, fields in zip(self.places, self.read.bands(y), strict=True):
            for place, field in zip(places, fields, strict=True):
                self.sheet.paste(place, field)


class Solved:
    """How many runs were solved over the epochs: the whole course pale, what has passed in ink."""

    def __init__(self, sheet: Sheet, box: Box, subject: Subject) -> None:
        self.sheet, self.box = sheet, box
        at = np.sort(np.asarray(subject.solved_at)[np.asarray(subject.solved_at) >= 0])
        self.last = max(int(subject.frame_epochs[-1]), 1)
        self.epochs = np.concatenate([[0], np.repeat(at, 2), [self.last]])
        count = np.concatenate([[0], np.repeat(np.arange(len(at)), 2)[1:], [len(at)] * 2]) if len(at) else np.zeros(2)
        self.share = 1 - count / subject.runs
        self.total = len(at), subject.runs
        s = sheet.scale
        low = box.y + box.height
        sheet.line(box.at(np.array([[0.0, 1.0], [1.0, 1.0]])), sheet.colours.pale)
        sheet.line(self._course(self.last), sheet.colours.pale, 2)
        sheet.text(box.x, low + 12 * s, "solved runs over epochs", 9, sheet.colours.label)
        sheet.text(box.x + box.width, low + 12 * s, str(self.last), 9, sheet.colours.label, align="right")

    def _course(self, epoch: int) -> Array:
        until = int(np.searchsorted(self.epochs, epoch, side="right"))
        epochs = np.append(self.epochs[:until], epoch)
        share = np.append(self.share[:until], self.share[max(until - 1, 0)])
        return self.box.at(np.stack([epochs / self.last, share], axis=1))

    def draw(self, epoch: int) -> None:
        course = self._course(epoch)
        self.sheet.line(course, self.sheet.colours.ink, 2)
        self.sheet.marks(course[-1:], SHAPES[0], 3.5, self.sheet.colours.ink, self.sheet.colours.paper, 1.2)


def reached(at: Array, epoch: int) -> Array:
    """Which runs (runs,) had come to an epoch of their own, -1 for never, by now."""
    at = np.asarray(at)
    return (at >= 0) & (at <= epoch)
