"""All runs of a sweep in cells with status marks, with titles, counts and names, and the share of solved runs."""

from functools import partial

import numpy as np

from xortrain.films.arrangement import ASPECT, MOST_CELLS, Arrangement, arrange_by_outcome, arrange_runs
from xortrain.films.canvas import Box, Canvas, text_width
from xortrain.films.captions import wrap
from xortrain.films.cells import CellColours, Cells, has_unbounded_outputs
from xortrain.films.film_settings import FilmSettings
from xortrain.films.status_marks import SolvedCurve, StatusLegend, StatusMarks
from xortrain.films.sweep_film_data import Shown, SweepFilmData
from xortrain.nets import Array

ROOM = 612, 396  # pixels that the cells take on a canvas without a given size
NARROWEST, WIDEST = 480, 880  # pixels: the least width of such a canvas, the largest width of the cells
LARGEST, WANTED, LEAST = 300, 42, 6  # pixels of a cell; WANTED in many columns; below LEAST fewer runs are shown
LONGEST = 90  # of a column's name


class SweepLayout:
    """One cell per run, at most 400; the frames show the epochs that all populations have in common."""

    def __init__(self, shown: Shown, settings: FilmSettings, run: int) -> None:
        self.data = data = SweepFilmData.of(shown)
        self.chosen = data.choose(settings.frames, settings.spacing)
        self.margins = m = Margins(data, settings.size)
        self.runs = m.arrangement.shown
        colours = CellColours(data, settings.colours, settings.levels, settings.dark)
        self.canvas = (settings.canvas or Canvas)(m.width, m.height, m.unit, colours.palette)
        self.boxes = [m.box(*place) for place in np.argwhere(m.arrangement.runs >= 0).tolist()]
        self.cells = Cells(self.canvas, self.boxes, self.runs, colours)
        self.marks = StatusMarks(self.canvas, self.boxes, data.outcomes.take(self.runs))
        self._still()

    def _still(self) -> None:
        canvas, m, last = self.canvas, self.margins, int(self.data.epochs[-1])
        for line, words in enumerate(m.title):
            canvas.text(m.edge, (20 + 16 * line) * canvas.unit, words, 12, face="bold")
        m.legend.still(canvas, m.edge, m.legend_y)
        number = canvas.width - m.edge - canvas.text_width(str(last), 12, "bold")
        canvas.text(number - 5 * canvas.unit, m.legend_y, "epoch", 11, canvas.colours.label, align="right")
        m.write_names(canvas)
        self.solved = SolvedCurve(canvas, m.curve, self.data.all_outcomes, last) if m.has_curve else None
        canvas.set_background()

    def frame(self, number: int) -> Array:
        epoch, canvas, m = int(self.data.epochs[number]), self.canvas, self.margins
        is_off_scale = self.marks.paste(epoch, blank=self.cells.paste(number))
        canvas.text(canvas.width - m.edge, m.legend_y, str(epoch), 12, face="bold", align="right")
        m.legend.draw(epoch, is_off_scale)
        if self.solved:
            self.solved.draw(epoch)
        return canvas.finish()


class Margins:
    """The places of the cells and of everything around them in pixels, measured before there is a canvas."""

    def __init__(self, data: SweepFilmData, size: tuple[int, int] | None) -> None:
        self.data, self.size = data, size
        self.unit = 1.0 if size is None else float(np.clip(min(size[0] / 640, size[1] / 480), 0.6, 3))
        self.has_curve = data.all_outcomes.runs > 1
        self.edge, self.below = self._px(10), self._px(46 if self.has_curve else 12)
        self._place_head(size[0] if size else ROOM[0] + 2 * self.edge, min(data.runs, MOST_CELLS))
        width, height = self._room()
        aspect = ASPECT if size is None else width / max(height, 1)
        self._measure(arrange_runs(data, aspect))
        most = int(np.clip(width // (LEAST + 3) * (height // (LEAST + 3)), 1, MOST_CELLS))
        while self.side < LEAST and most:
            self._measure(arrange_by_outcome(data, aspect, most))
            most = most * 9 // 10
        self._centre()

    def _px(self, units: float) -> int:
        return round(units * self.unit)

    def _widest(self, *names: str) -> int:
        return max((text_width(name, self.unit, 9) for name in names), default=0)

    def _place_head(self, width: int, cells: int) -> None:
        """Title and legend for a canvas of that width, and the height at which they end."""
        room, last = width - 2 * self.edge, int(self.data.epochs[-1])
        number = self._px(60) + text_width(str(last), self.unit, 12, "bold")
        measure, parts = partial(text_width, unit=self.unit, size=12, face="bold"), self.data.title.split("   ")
        self.title = wrap([*parts, self.data.describe_runs(cells)], room, measure, "   ")
        outcomes, unbounded = self.data.all_outcomes, has_unbounded_outputs(self.data)
        self.legend = StatusLegend(outcomes, room - number, self.unit, last, unbounded)
        self.legend_y = self._px(37 + 16 * (len(self.title) - 1))
        self.head = self.legend_y + self._px(11 + 15 * (self.legend.lines - 1))

    def _room(self, columns: int = 1) -> tuple[int, int]:
        """Width and height for the cells; on a canvas of a given size, names included."""
        if self.size is None:
            return int(np.clip(columns * WANTED, ROOM[0], WIDEST)), ROOM[1]
        return self.size[0] - 2 * self.edge, self.size[1] - self.head - self.below

    def _measure(self, arrangement: Arrangement) -> None:
        """The side of a cell, and the room for names, in an arrangement."""
        self.arrangement, (rows, columns), names = arrangement, arrangement.runs.shape, arrangement.column_names
        has_names = bool(arrangement.row_names)
        self.gap = 3 if rows * columns > 150 else 4
        self.apart = 2 * self.gap if arrangement.lines > 1 else 0
        width, _ = self._room(columns if has_names else 1)
        self.beside = min(self._widest(*arrangement.row_names), round(0.3 * width))
        self.left = self.beside + self._px(22) if has_names else 0
        across = (width if self.size is None else width - self.left) // columns - self.gap
        is_number = all(name.lstrip("-").replace(".", "").isdigit() for name in names)
        self.vertical = not is_number and self._widest(*names) > across + self.gap
        longest = min(self._widest(*names), self._px(LONGEST)) + self._px(6) if self.vertical else self._px(14)
        self.above = 0 if not has_names else self._px(16) + longest if names else self._px(18)
        captioned = self._side(across, self._px(12))
        has_captions = arrangement.captions and self._widest(*arrangement.captions) <= captioned
        self.caption = self._px(12) if has_captions else 0
        self.side = self._side(across, self.caption)

    def _side(self, across: int, caption: int) -> int:
        rows, groups = len(self.arrangement.runs), len(self.arrangement.row_names)
        height = self._room()[1] - (0 if self.size is None else self.above) - groups * self.apart
        return min(across, height // rows - self.gap - caption, LARGEST if self.size is None else 4096)

    def _centre(self) -> None:
        """Place everything, with the remaining room divided between both sides."""
        (rows, columns), step = self.arrangement.runs.shape, self.side + self.gap
        width, height = columns * step - self.gap, rows * (step + self.caption) - self.gap
        height += max(len(self.arrangement.row_names) - 1, 0) * self.apart
        needed = max(NARROWEST, width + self.left + 2 * self.edge)
        self.width = self.size[0] if self.size else needed + needed % 2  # video formats require even sides
        self._place_head(self.width, len(self.arrangement.shown))
        used = self.head + self.above + height + self.below
        self.height = self.size[1] if self.size else used + used % 2
        self.x = self.edge + self.left + (self.width - 2 * self.edge - self.left - width) // 2
        self.y = self.head + self.above + max(self.height - used, 0) // 2
        is_narrow = self.size is None or width < 240 * self.unit
        left, right = (self.edge, self.width - self.edge) if is_narrow else (self.x, self.x + width)
        beside = self._widest("100 %") + self._px(8)  # the share at the end of the curve
        self.curve = Box(left, self.y + height + self._px(8), right - left - beside, self._px(22))

    def box(self, row: int, column: int) -> Box:
        """The cell in a row and a column."""
        step, group = self.side + self.gap, row // self.arrangement.lines
        y = self.y + row * (step + self.caption) + self.caption + group * self.apart
        return Box(self.x + column * step, y, self.side, self.side)

    def write_names(self, canvas: Canvas) -> None:
        """Write the names of rows and columns, or a caption above each cell."""
        if self.caption:
            places = np.argwhere(self.arrangement.runs >= 0).tolist()
            for place, name in zip(places, self.arrangement.captions, strict=True):
                box = self.box(*place)
                canvas.text(box.x, box.y - 3 * self.unit, name, 9, canvas.colours.label)
        if self.arrangement.row_names:
            self._write_settings(canvas)
            self._write_rows(canvas)
            self._write_columns(canvas)

    def _write_settings(self, canvas: Canvas) -> None:
        low = self.box(len(self.arrangement.runs) - 1, 0).y + self.side
        x, down = self.x - self.beside - self._px(14), canvas.shorten(self.arrangement.down, low - self.y, 10, "bold")
        canvas.text(x, (self.y + low) / 2, down, 10, face="bold", align="centre", vertical=True)
        across = canvas.shorten(self.arrangement.across, canvas.width - self.edge - self.x, 10, "bold")
        canvas.text(self.x, self.y - self.above + self._px(10), across, 10, face="bold")

    def _write_rows(self, canvas: Canvas) -> None:
        count = self.arrangement.lines
        every = -(-self._px(10) // (count * (self.side + self.gap)))
        for group, name in list(enumerate(self.arrangement.row_names))[::every]:
            first, last = self.box(group * count, 0), self.box((group + 1) * count - 1, 0)
            y = (first.y + last.y + self.side) / 2 + 3.3 * self.unit
            name = canvas.shorten(name, self.beside, 9)
            canvas.text(self.x - 5 * self.unit, y, name, 9, canvas.colours.label, align="right")

    def _write_columns(self, canvas: Canvas) -> None:
        names, label = self.arrangement.column_names, canvas.colours.label
        width = self._px(11) if self.vertical else self._widest(*names) + self._px(3)
        every = -(-width // (self.side + self.gap))
        for column, name in list(enumerate(names))[::every]:
            x = self.box(0, column).x + self.side / 2
            if self.vertical:
                name = canvas.shorten(name, self._px(LONGEST), 9)
                middle = self.y - self._px(5) - self._widest(name) / 2
                canvas.text(x, middle, name, 9, label, align="centre", vertical=True)
            else:
                canvas.text(x, self.y - 4 * self.unit, name, 9, label, align="centre")
