"""The share of runs solved over the epochs, and all runs of a sweep in cells with status marks and names below it."""

from functools import partial

import numpy as np

from xortrain.films.arrangement import MOST_CELLS, Arrangement, arrange_by_outcome, arrange_runs, ranges
from xortrain.films.canvas import Box, Canvas, text_width
from xortrain.films.captions import wrap
from xortrain.films.cells import CellColours, Cells, has_unbounded_outputs
from xortrain.films.film_settings import FilmSettings
from xortrain.films.pacing import even_timing
from xortrain.films.solved_share import SolvedShare
from xortrain.films.status_marks import LINE_HEIGHT, StatusLegend, StatusMarks
from xortrain.films.sweep_film_data import Shown, SweepFilmData
from xortrain.nets import Array

ROOM = 620, 300  # pixels that the cells take on a canvas without a given size
TALLEST, ROW = 400, 20  # pixels: their height if there are many rows of that height
NARROWEST, WIDEST = 640, 880  # pixels: the least width of such a canvas, the largest width of the cells
LARGEST, WANTED, LEAST = 300, 42, 6  # pixels of a cell; WANTED in many columns; below LEAST fewer runs are shown
SMALL = 32  # pixels of a cell below which its mark is a line
LONGEST = 90  # of a column's name
LEGIBLE = 0.85  # the smallest unit, so that the smallest text has 7.6 pixels


class SweepLayout:
    """One cell per run, at most 400; the frames show the epochs that all populations have in common."""

    def __init__(self, shown: Shown, settings: FilmSettings, run: int) -> None:
        self.data = data = SweepFilmData.of(shown)
        timing = even_timing(settings, data.choose)
        self.chosen, self.seconds = timing.chosen, timing.seconds
        self.margins = m = Margins(data, settings.size)
        self.runs = m.arrangement.shown
        colours = CellColours(data, settings.colours, settings.levels, settings.dark)
        self.canvas = (settings.canvas or Canvas)(m.width, m.height, m.unit, colours.palette)
        self.boxes = [m.box(*place) for place in np.argwhere(m.arrangement.runs >= 0).tolist()]
        self.cells = Cells(self.canvas, self.boxes, self.runs, colours)
        outcomes = data.outcomes.take(self.runs)
        self.marks = StatusMarks(self.canvas, self.boxes, outcomes, m.mark, not m.has_captions)
        self._still()

    def _still(self) -> None:
        canvas, m, last = self.canvas, self.margins, int(self.data.epochs[-1])
        for line, words in enumerate(m.title):
            canvas.text(m.edge, (20 + 16 * line) * canvas.unit, words, 12, face="bold")
        m.legend.still(canvas, m.edge, m.legend_y, not m.mark)
        number = canvas.width - m.edge - canvas.text_width(f"{last:,}", 12, "bold")
        canvas.text(number - 5 * canvas.unit, 20 * canvas.unit, "epoch", 11, canvas.colours.label, align="right")
        m.write_names(canvas)
        self.solved = SolvedShare(canvas, m.headline, self.data.all_outcomes, last) if m.has_headline else None
        canvas.set_background()

    def frame(self, number: int) -> Array:
        epoch, canvas, m = int(self.data.epochs[number]), self.canvas, self.margins
        is_off_scale = self.marks.paste(epoch, blank=self.cells.paste(number))
        canvas.text(canvas.width - m.edge, 20 * canvas.unit, f"{epoch:,}", 12, face="bold", align="right")
        m.legend.draw(epoch, is_off_scale)
        if self.solved:
            self.solved.draw(epoch)
        return canvas.finish()


class Margins:
    """The places of the cells and of everything around them in pixels, measured before there is a canvas."""

    def __init__(self, data: SweepFilmData, size: tuple[int, int] | None) -> None:
        self.data, self.size = data, size
        self.unit = 1.0 if size is None else float(np.clip(min(size[0] / 640, size[1] / 480), LEGIBLE, 3))
        self.has_headline = data.all_outcomes.runs > 1
        self.edge = self._px(10)
        self.ranges = ranges(data)
        self._place_head(size[0] if size else ROOM[0] + 2 * self.edge, min(data.runs, MOST_CELLS))
        width, height = self._room()
        aspect = width / max(height, 1)
        self._measure(arrange_runs(data, aspect))
        most = int(np.clip(width // (LEAST + 3) * (height // (LEAST + 6)), 1, MOST_CELLS))
        while self.side < LEAST and most:
            self._measure(arrange_by_outcome(data, aspect, most))
            most = most * 9 // 10
        self._centre()

    def _px(self, units: float) -> int:
        return round(units * self.unit)

    def _widest(self, *names: str) -> int:
        return max((text_width(name, self.unit, 9) for name in names), default=0)

    def _place_head(self, width: int, cells: int) -> None:
        """Title and legend for a canvas of that width, and the height without the headline at which they end."""
        room, last, height = width - 2 * self.edge, int(self.data.epochs[-1]), self.size[1] if self.size else 999
        number = self._px(50) + text_width(f"{last:,}", self.unit, 12, "bold")
        self.title = self._title(room - number, cells, 1 if height < 300 * self.unit else 2)
        outcomes, unbounded = self.data.all_outcomes, has_unbounded_outputs(self.data)
        self.legend = StatusLegend(outcomes, room, self.unit, last, unbounded, 1 if height < 300 * self.unit else 2)
        self.top = self._px(28 + 16 * (len(self.title) - 1))
        self.headline_height = self.size[1] // 3 if self.size and self.has_headline else 0
        self._place_legend()

    def _place_legend(self) -> None:
        self.legend_y = self.top + self.headline_height + self._px(14 if self.has_headline else 9)
        self.head = self.legend_y + self._px(11 + 15 * (self.legend.lines - 1))

    def _title(self, room: float, cells: int, most_lines: int) -> list[str]:
        """The title with the number of runs in at most that many lines; what is too long for them is cut."""
        measure = partial(text_width, unit=self.unit, size=12, face="bold")
        parts, runs = [*self.data.title.split("   "), *self.ranges], self.data.describe_runs(cells)
        lines = wrap([*parts, runs], room, measure, "   ")
        if len(lines) <= most_lines:
            return lines
        runs = f"   {runs}" if cells < self.data.all_outcomes.runs else ""  # the headline has the number of all runs
        *lines, last = wrap(parts, room, measure, "   ")[:most_lines]
        while len(last) > 1 and measure(f"{last}{runs}") > room:
            last = last.rstrip("…")[:-1].rstrip() + "…"
        return [*lines, f"{last}{runs}"]

    def _room(self, columns: int = 1, rows: int = 1) -> tuple[int, int]:
        """Width and height for the cells; on a canvas of a given size, names included."""
        if self.size is None:
            return int(np.clip(columns * WANTED, ROOM[0], WIDEST)), int(np.clip(rows * ROW, ROOM[1], TALLEST))
        return self.size[0] - 2 * self.edge, self.size[1] - self.head - self._px(6)

    def _measure(self, arrangement: Arrangement) -> None:
        """The side of a cell, and the room for names, in an arrangement."""
        self.arrangement, (rows, columns), names = arrangement, arrangement.runs.shape, arrangement.column_names
        self.gap = 2 if rows * columns > 150 else 4
        self.apart = 2 * self.gap if arrangement.lines > 1 else 0
        has_names = bool(arrangement.row_names)
        width, _ = self._room(columns if has_names else 1)
        down = text_width(arrangement.down, self.unit, 10, "bold")
        self.beside = min(max(self._widest(*arrangement.row_names), down), round(0.25 * width))
        self.left = self.beside + self._px(6) if has_names else 0
        across = (width if self.size is None else width - self.left) // columns - self.gap
        is_number = all(name.lstrip("-").replace(".", "").isdigit() for name in names)
        self.vertical = not is_number and self._widest(*names) > across + self.gap
        longest = min(self._widest(*names), self._px(LONGEST)) + self._px(6) if self.vertical else self._px(14)
        self.above = 0 if not has_names else self._px(16) + longest if names else self._px(18)
        self.mark, self.strip = self._px(9), self._px(12)
        self.side = self._side(across)
        widest = self._widest(*arrangement.captions) + self.mark + self._px(4)
        self.has_captions = bool(arrangement.captions) and widest <= self.side
        if self.side < SMALL:
            self.mark, self.strip, self.has_captions = 0, LINE_HEIGHT + 1, False
            self.side = self._side(across)

    def _side(self, across: int) -> int:
        rows, groups = len(self.arrangement.runs), len(self.arrangement.row_names)
        height = self._room(rows=rows)[1] - (0 if self.size is None else self.above) - groups * self.apart
        return min(across, height // rows - self.gap - self.strip, LARGEST if self.size is None else 4096)

    def _centre(self) -> None:
        """Place everything, with the remaining room divided between both sides."""
        (rows, columns), step = self.arrangement.runs.shape, self.side + self.gap
        width, height = columns * step - self.gap, rows * (step + self.strip) - self.gap
        height += max(len(self.arrangement.row_names) - 1, 0) * self.apart
        needed = max(NARROWEST, width + self.left + 2 * self.edge)
        self.width = self.size[0] if self.size else needed + needed % 2  # video formats require even sides
        self._place_head(self.width, len(self.arrangement.shown))
        if self.size is None and self.has_headline:
            self.headline_height = (self.head + self.above + height + self._px(6)) // 2  # a third of the whole
            self._place_legend()
        used = self.head + self.above + height + self._px(6)
        self.height = self.size[1] if self.size else used + used % 2
        self.x = self.edge + self.left + (self.width - 2 * self.edge - self.left - width) // 2
        self.y = self.head + self.above + max(self.height - used, 0) // 2
        self.headline = Box(self.edge, self.top, self.width - 2 * self.edge, self.headline_height)

    def box(self, row: int, column: int) -> Box:
        """The cell in a row and a column."""
        step, group = self.side + self.gap, row // self.arrangement.lines
        y = self.y + row * (step + self.strip) + group * self.apart
        return Box(self.x + column * step, y, self.side, self.side)

    def write_names(self, canvas: Canvas) -> None:
        """Write the names of rows and columns, or a caption below each cell."""
        if self.has_captions:
            places = np.argwhere(self.arrangement.runs >= 0).tolist()
            for place, name in zip(places, self.arrangement.captions, strict=True):
                box = self.box(*place)
                x, y = box.x + self.mark + self._px(4), box.y + box.height + 1 + self.mark
                canvas.text(x, y - 0.5 * self.unit, name, 9, canvas.colours.label)
        if self.arrangement.row_names:
            self._write_settings(canvas)
            self._write_rows(canvas)
            self._write_columns(canvas)

    def _write_settings(self, canvas: Canvas) -> None:
        """Write the names of both settings: that of the columns above them, that of the rows above their names."""
        low = self.y - self._px(5 if self.arrangement.column_names else 8)
        first = 0 if self.vertical else max(self._widest(*self.arrangement.column_names[:1]) - self.side, 0)
        right = self.x - 5 * self.unit - first / 2
        down = canvas.shorten(self.arrangement.down, min(self.beside, right - self.edge / 2), 10, "bold")
        canvas.text(right, low, down, 10, face="bold", align="right")
        across = canvas.shorten(self.arrangement.across, canvas.width - self.edge - self.x, 10, "bold")
        canvas.text(self.x, self.y - self.above + self._px(10), across, 10, face="bold")

    def _write_rows(self, canvas: Canvas) -> None:
        count = self.arrangement.lines
        every = -(-self._px(11) // (count * (self.side + self.gap + self.strip)))
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
                canvas.text(x, self.y - 5 * self.unit, name, 9, label, align="centre")
