"""How a sheet of cells is divided: titles and counts above, names beside rows and columns, the course below.

All of it is worked out before there is a sheet, from the widths of the words.
"""

import numpy as np

from xortrain.films.arrangement import MOST, SHAPE, Arrangement, arrangement
from xortrain.films.lockstep import Lockstep
from xortrain.films.shapes import Box
from xortrain.films.sheet import Sheet
from xortrain.films.standing import Counts, width_of

WIDTH, HEIGHT = 612, 396
"""About how much room the cells take when no size is asked for."""
NARROWEST, LARGEST = 480, 300
"""Pixels of such a sheet and of its cells."""
LEAST = 6
"""Pixels of a cell, below which fewer runs are shown."""


class Margins:
    """The room for cells and for what is written round them; lengths are in pixels."""

    def __init__(self, shown: Lockstep, size: tuple[int, int] | None) -> None:
        self.shown, self.size = shown, size
        self.scale = 1.0 if size is None else float(np.clip(min(size[0] / 640, size[1] / 480), 0.6, 3))
        self.edge, self.below = self._px(10), self._px(46 if shown.all.runs > 1 else 12)
        self.has_course = shown.all.runs > 1
        self._head(size[0] if size else WIDTH + 2 * self.edge, min(shown.runs, MOST))
        self._place(arrangement(shown, self._shape()))
        if self.side < LEAST:
            self._place(arrangement(shown, self._shape(), self._fitting()))
        self._centre()

    def _px(self, units: float) -> int:
        return round(units * self.scale)

    def _head(self, width: int, cells: int) -> None:
        """Title and counts for a sheet of that width and so many cells, and where below them the rest begins."""
        room, last = width - 2 * self.edge, int(self.shown.epochs[-1])
        number = self._px(60) + width_of(str(last), self.scale, "bold", 12)
        self.title = lines([*self.shown.title.split("   "), self.shown.counted(cells)], room, self.scale)
        self.counts = Counts(self.shown.all, room - number, self.scale, last)
        self.counted = self._px(37 + 16 * (len(self.title) - 1))
        self.head = self.counted + self._px(11 + 15 * (self.counts.lines - 1))

    def _room(self) -> tuple[int, int]:
        """Width and height left for cells and names."""
        if self.size is None:
            return WIDTH, HEIGHT
        return self.size[0] - 2 * self.edge, self.size[1] - self.head - self.below

    def _shape(self) -> float:
        width, height = self._room()
        return SHAPE if self.size is None else width / max(height, 1)

    def _fitting(self) -> int:
        """How many of the smallest cells there is room for."""
        width, height = self._room()
        return int(np.clip(width // (LEAST + 3) * (height // (LEAST + 3)), 1, MOST - 1))

    def _place(self, cells: Arrangement) -> None:
        """Names and the side of a cell for that arrangement."""
        self.cells, (rows, columns) = cells, cells.runs.shape
        self.gap = 3 if rows * columns > 150 else 4
        width, height = self._room()
        widest = max((self._wide(name) for name in cells.row_names), default=0)
        self.beside = min(widest, round(0.3 * width))
        self.left = self.beside + self._px(22) if cells.row_names else 0
        free = width if self.size is None else width - self.left
        across = free // columns - self.gap
        self.turned = self._are_turned(across + self.gap)
        self.above = self._above(across) if cells.column_names else 0
        self.caption = 0
        self.side = min(across, self._high(height, rows))
        if cells.captions and max(map(self._wide, cells.captions)) <= self.side:
            self.caption = self._px(12)
            self.side = min(across, self._high(height, rows))
            if max(map(self._wide, cells.captions)) > self.side:
                self.caption = 0
                self.side = min(across, self._high(height, rows))
        if self.size is None:
            self.side = min(self.side, LARGEST)

    def _high(self, height: int, rows: int) -> int:
        free = height if self.size is None else height - self.above
        return free // rows - self.gap - self.caption

    def _wide(self, name: str) -> int:
        return width_of(name, self.scale, size=9)

    def _are_turned(self, step: int) -> bool:
        """Whether names of columns are too wide, and none of them can be left out as numbers can."""
        names = self.cells.column_names
        is_number = all(name.lstrip("-").replace(".", "").isdigit() for name in names)
        return not is_number and max(map(self._wide, names), default=0) > step

    def _above(self, across: int) -> int:
        """The height of names over columns, their heading included."""
        longest = max(map(self._wide, self.cells.column_names))
        return self._px(16) + (min(longest, self._px(90)) + self._px(6) if self.turned else self._px(14))

    def _centre(self) -> None:
        """Where everything lies, with what is left over on both sides."""
        (rows, columns), step = self.cells.runs.shape, self.side + self.gap
        wide, high = columns * step - self.gap, rows * (step + self.caption) - self.gap
        if self.size is None:
            self.width = max(NARROWEST, wide + self.left + 2 * self.edge)
            self.width += self.width % 2
            self._head(self.width, len(self.cells.shown))
            self.height = self.head + self.above + high + self.below
            self.height += self.height % 2
        else:
            self.width, self.height = self.size
            self._head(self.width, len(self.cells.shown))
        spare = self.height - self.head - self.below - self.above - high
        self.x = self.edge + self.left + (self.width - 2 * self.edge - self.left - wide) // 2
        self.y = self.head + self.above + max(spare, 0) // 2
        low = self.y + high + self._px(8)
        self.course = Box(self.x, low, max(wide, 1), self._px(22))
        if self.size is None or wide < 240 * self.scale:
            self.course = Box(self.edge, low, self.width - 2 * self.edge, self._px(22))

    def box(self, row: int, column: int) -> Box:
        """The cell in a row and a column."""
        step = self.side + self.gap
        y = self.y + row * (step + self.caption) + self.caption
        return Box(self.x + column * step, y, self.side, self.side)

    def label(self, sheet: Sheet) -> None:
        """Write the names of rows and columns, or what each cell is called."""
        label, cells, s = sheet.colours.label, self.cells, self.scale
        if self.caption:
            for place, name in zip(np.argwhere(cells.runs >= 0).tolist(), cells.captions, strict=True):
                box = self.box(*place)
                sheet.text(box.x, box.y - 3 * s, name, 9, label)
        if not cells.row_names:
            return
        self._rows(sheet)
        self._columns(sheet)
        low = self.y + len(cells.runs) * (self.side + self.gap)
        turned = sheet.fitting(cells.down, low - self.y, 10, "bold")
        x = self.x - self.beside - self._px(14)
        sheet.text(x, (self.y + low) / 2, turned, 10, face="bold", align="centre", turned=True)
        heading = sheet.fitting(cells.across, sheet.width - self.edge - self.x, 10, "bold")
        sheet.text(self.x, self.y - self.above + self._px(10), heading, 10, face="bold")

    def _rows(self, sheet: Sheet) -> None:
        step = self.side + self.gap
        every = -(-self._px(10) // step)
        for row, name in enumerate(self.cells.row_names[::every]):
            y = self.y + row * every * step + self.side / 2 + 3.3 * self.scale
            name = sheet.fitting(name, self.beside, 9)
            sheet.text(self.x - 5 * self.scale, y, name, 9, sheet.colours.label, align="right")

    def _columns(self, sheet: Sheet) -> None:
        step, names, label = self.side + self.gap, self.cells.column_names, sheet.colours.label
        wide = self._px(11) if self.turned else max(map(self._wide, names)) + self._px(3)
        every = -(-wide // step)
        for column, name in enumerate(names[::every]):
            x = self.x + column * every * step + self.side / 2
            if self.turned:
                name = sheet.fitting(name, self._px(90), 9)
                middle = self.y - self._px(5) - self._wide(name) / 2
                sheet.text(x, middle, name, 9, label, align="centre", turned=True)
            else:
                sheet.text(x, self.y - 4 * self.scale, name, 9, label, align="centre")


def lines(parts: list[str], room: float, scale: float) -> list[str]:
    """The parts of a title in as few lines as hold them; a part that fits nowhere is left for the sheet to cut."""
    found = [""]
    for part in parts:
        longer = f"{found[-1]}   {part}" if found[-1] else part
        if found[-1] and width_of(longer, scale, "bold", 12) > room:
            found.append(part)
        else:
            found[-1] = longer
    return found
