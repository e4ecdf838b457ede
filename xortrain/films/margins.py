"""How a sheet of cells is divided: titles and counts above, names beside rows and columns, the course below.

All of it is worked out before there is a sheet, from the widths of the words.
"""

import numpy as np

from xortrain.films.arrangement import MOST, SHAPE, Arrangement, arrangement, ordered
from xortrain.films.canvas import Canvas
from xortrain.films.glyphs import Box
from xortrain.films.lockstep import Lockstep
from xortrain.films.status_marks import Counts, width_of

WIDTH, HEIGHT = 612, 396
"""About how much room the cells take when no size is asked for."""
NARROWEST, WIDEST = 480, 880
"""Pixels of such a sheet, and how much room many columns may take."""
LARGEST, WANTED = 300, 42
"""Pixels of its largest cells, and of those of many columns."""
LEAST = 6
"""Pixels of a cell, below which fewer runs are shown."""
LONGEST = 90
"""How much of a column's name is written."""


class Margins:
    """The room for cells and for what is written round them; lengths are in pixels."""

    def __init__(self, shown: Lockstep, size: tuple[int, int] | None) -> None:
        self.shown, self.size = shown, size
        self.scale = 1.0 if size is None else float(np.clip(min(size[0] / 640, size[1] / 480), 0.6, 3))
        self.has_course = shown.all.runs > 1
        self.edge, self.below = self._px(10), self._px(46 if self.has_course else 12)
        self._head(size[0] if size else WIDTH + 2 * self.edge, min(shown.runs, MOST))
        self._place(arrangement(shown, self._shape()))
        fitting = self._fitting()
        while self.side < LEAST and fitting:
            self._place(ordered(shown, self._shape(), fitting))
            fitting = fitting * 9 // 10
        self._centre()

    def _px(self, units: float) -> int:
        return round(units * self.scale)

    def _wide(self, *names: str) -> int:
        """How wide the widest of some names is."""
        return max((width_of(name, self.scale, size=9) for name in names), default=0)

    def _head(self, width: int, cells: int) -> None:
        """Title and counts for a sheet of that width and so many cells, and where below them the rest begins."""
        room, last = width - 2 * self.edge, int(self.shown.epochs[-1])
        number = self._px(60) + width_of(str(last), self.scale, "bold", 12)
        self.title = lines([*self.shown.title.split("   "), self.shown.counted(cells)], room, self.scale)
        self.counts = Counts(self.shown.all, room - number, self.scale, last, self.shown.exploded)
        self.counted = self._px(37 + 16 * (len(self.title) - 1))
        self.head = self.counted + self._px(11 + 15 * (self.counts.lines - 1))

    def _room(self, columns: int = 1) -> tuple[int, int]:
        """Width and height left for cells, and on a sheet of a given size for names."""
        if self.size is None:
            return int(np.clip(columns * WANTED, WIDTH, WIDEST)), HEIGHT
        return self.size[0] - 2 * self.edge, self.size[1] - self.head - self.below

    def _shape(self) -> float:
        width, height = self._room()
        return SHAPE if self.size is None else width / max(height, 1)

    def _fitting(self) -> int:
        """How many of the smallest cells there is room for."""
        width, height = self._room()
        return int(np.clip(width // (LEAST + 3) * (height // (LEAST + 3)), 1, MOST))

    def _place(self, cells: Arrangement) -> None:
        """The side of a cell, and the room for names, for that arrangement."""
        self.cells, (rows, columns) = cells, cells.runs.shape
        self.gap = 3 if rows * columns > 150 else 4
        self.apart = 2 * self.gap if cells.lines > 1 else 0
        width, _ = self._room(columns if cells.row_names else 1)
        self.beside = min(self._wide(*cells.row_names), round(0.3 * width))
        self.left = self.beside + self._px(22) if cells.row_names else 0
        across = (width if self.size is None else width - self.left) // columns - self.gap
        is_number = all(name.lstrip("-").replace(".", "").isdigit() for name in cells.column_names)
        self.turned = not is_number and self._wide(*cells.column_names) > across + self.gap
        self.above = self._above() if cells.row_names else 0
        widest, captioned = self._wide(*cells.captions), self._side(across, self._px(12))
        self.caption = self._px(12) if cells.captions and widest <= captioned else 0
        self.side = self._side(across, self.caption)

    def _side(self, across: int, caption: int) -> int:
        """The side of a cell that may be so wide, under a caption so high."""
        rows, groups = len(self.cells.runs), len(self.cells.row_names)
        height = self._room()[1] - (0 if self.size is None else self.above) - groups * self.apart
        return min(across, height // rows - self.gap - caption, LARGEST if self.size is None else 4096)

    def _above(self) -> int:
        """The height of names over columns, their heading included."""
        if not self.cells.column_names:
            return self._px(18)
        longest = min(self._wide(*self.cells.column_names), self._px(LONGEST))
        return self._px(16) + (longest + self._px(6) if self.turned else self._px(14))

    def _centre(self) -> None:
        """Where everything lies, with what is left over on both sides."""
        (rows, columns), step = self.cells.runs.shape, self.side + self.gap
        wide, high = columns * step - self.gap, rows * (step + self.caption) - self.gap
        high += max(len(self.cells.row_names) - 1, 0) * self.apart
        self.width = self.size[0] if self.size else even(max(NARROWEST, wide + self.left + 2 * self.edge))
        self._head(self.width, len(self.cells.shown))
        used = self.head + self.above + high + self.below
        self.height = self.size[1] if self.size else even(used)
        self.x = self.edge + self.left + (self.width - 2 * self.edge - self.left - wide) // 2
        self.y = self.head + self.above + max(self.height - used, 0) // 2
        is_narrow = self.size is None or wide < 240 * self.scale
        left, right = (self.edge, self.width - self.edge) if is_narrow else (self.x, self.x + wide)
        beside = self._wide("100 %") + self._px(8)  # the share at its end
        self.course = Box(left, self.y + high + self._px(8), right - left - beside, self._px(22))

    def box(self, row: int, column: int) -> Box:
        """The cell in a row and a column."""
        step, group = self.side + self.gap, row // self.cells.lines
        y = self.y + row * (step + self.caption) + self.caption + group * self.apart
        return Box(self.x + column * step, y, self.side, self.side)

    def label(self, canvas: Canvas) -> None:
        """Write the names of rows and columns, or what each cell is called."""
        if self.caption:
            for place, name in zip(np.argwhere(self.cells.runs >= 0).tolist(), self.cells.captions, strict=True):
                box = self.box(*place)
                canvas.text(box.x, box.y - 3 * self.scale, name, 9, canvas.colours.label)
        if self.cells.row_names:
            self._headings(canvas)
            self._rows(canvas)
            self._columns(canvas)

    def _headings(self, canvas: Canvas) -> None:
        """Which settings go down and across."""
        last = self.box(len(self.cells.runs) - 1, 0)
        low, x = last.y + self.side, self.x - self.beside - self._px(14)
        down = canvas.fitting(self.cells.down, low - self.y, 10, "bold")
        canvas.text(x, (self.y + low) / 2, down, 10, face="bold", align="centre", turned=True)
        across = canvas.fitting(self.cells.across, canvas.width - self.edge - self.x, 10, "bold")
        canvas.text(self.x, self.y - self.above + self._px(10), across, 10, face="bold")

    def _rows(self, canvas: Canvas) -> None:
        count = self.cells.lines
        every = -(-self._px(10) // (count * (self.side + self.gap)))
        for group, name in list(enumerate(self.cells.row_names))[::every]:
            first, last = self.box(group * count, 0), self.box((group + 1) * count - 1, 0)
            y = (first.y + last.y + self.side) / 2 + 3.3 * self.scale
            name = canvas.fitting(name, self.beside, 9)
            canvas.text(self.x - 5 * self.scale, y, name, 9, canvas.colours.label, align="right")

    def _columns(self, canvas: Canvas) -> None:
        names, label = self.cells.column_names, canvas.colours.label
        wide = self._px(11) if self.turned else self._wide(*names) + self._px(3)
        every = -(-wide // (self.side + self.gap))
        for column, name in list(enumerate(names))[::every]:
            x = self.box(0, column).x + self.side / 2
            if self.turned:
                name = canvas.fitting(name, self._px(LONGEST), 9)
                middle = self.y - self._px(5) - self._wide(name) / 2
                canvas.text(x, middle, name, 9, label, align="centre", turned=True)
            else:
                canvas.text(x, self.y - 4 * self.scale, name, 9, label, align="centre")


def even(length: int) -> int:
    """The length, or one pixel more: films that are played elsewhere want even sides."""
    return length + length % 2


def lines(parts: list[str], room: float, scale: float) -> list[str]:
    """The parts of a title in as few lines as hold them; a part too long for any is cut."""
    found = [""]
    for part in parts:
        part = cut(part, room, scale)
        longer = f"{found[-1]}   {part}" if found[-1] else part
        if found[-1] and width_of(longer, scale, "bold", 12) > room:
            found.append(part)
        else:
            found[-1] = longer
    return found


def cut(words: str, room: float, scale: float) -> str:
    """The words, with an ellipsis for what is too much."""
    while len(words) > 1 and width_of(words, scale, "bold", 12) > room:
        words = words.rstrip("…")[:-1].rstrip() + "…"
    return words
