"""Where the parts of a map are: title, cells, axes and legend, measured before there is a canvas.

Cells are squares of whole pixels. Where that would leave much room empty, or where there are more cells than pixels,
each pixel shows the run whose place is nearest.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from xortrain.errors import counted
from xortrain.films.canvas import LEGIBLE, Box, text_width
from xortrain.films.captions import wrap
from xortrain.films.map_axis import MapAxis
from xortrain.films.map_colours import LegendItem
from xortrain.films.map_data import MapData
from xortrain.nets import Array

DESIGN = 800, 600  # a canvas of this size has the unit 1
WANTED, MOST = 576, 1024  # pixels of the longer side of the cells on a canvas without a given size
LEAST_FILLED = 0.75  # of the room, for cells of whole pixels
LONGEST_SIDE = 2.5  # times the other one
LEGEND, GAP = 186, 22  # widths of the legend and of the room before it
TITLE, LINE, SMALL = 13, 17, 10  # sizes of title, its line, and ticks
TICK_ROOM = 12  # between the labels of two ticks
Ticks = tuple[Array, list[str], str]


class MapPlaces:
    """Boxes and lines of text of a map in pixels."""

    def __init__(self, data: MapData, legend: Sequence[LegendItem], size: tuple[int, int] | None) -> None:
        self.data, self.items = data, legend
        self.unit = self.tight = 1.0
        if size is not None:
            self.unit = float(np.clip(min(size[0] / DESIGN[0], size[1] / DESIGN[1]), LEGIBLE, 4))
        self.edge, self.low = self.px(14), self.px(46)
        if size is None:
            self._fit_canvas()
        else:
            self.width, self.height = size
            self.is_beside = max((False, True), key=lambda beside: (self._cells_at(beside).width, beside))
            for _ in range(2):  # what the title says depends on the cells
                self.cells = self._cells_at(self.is_beside)
        self._place_legend()

    def px(self, units: float) -> int:
        return round(units * self.unit)

    def _fit_canvas(self) -> None:
        """A canvas around cells of a pleasant size, with the legend beside them."""
        self.is_beside, (across, down) = True, self.data.windows[0].cells
        most = WANTED if max(across, down) <= WANTED else MOST
        wide, high = cell_pixels((across, down), (most, most))
        self.width = self.height = 1 << 20  # for the margins, which do not depend on them yet
        self._cells_at(True)
        self.width = self.left + wide + self.px(GAP) + self._beside + self.edge
        self.width += self.width % 2  # video formats require even sides
        self._cells_at(True)  # the title has as many lines as it needs in this width
        self.height = self.head + max(high, self._legend_height(1)) + self.low
        self.height += self.height % 2
        self.cells, self.block = Box(self.left, self.head, wide, high), Box(0, 0, self.width, self.height)

    def _cells_at(self, beside: bool) -> Box:
        """The cells on the canvas, with the legend beside or below them."""
        self._beside = self.px(LEGEND)
        self._measure_left()
        self._set_title()
        right = self.edge + (self.px(GAP) + self._beside if beside else 0)
        self.columns = 1 if beside else max(1, (self.width - 2 * self.edge) // (self._beside + self.px(GAP)))
        below = self.low + (0 if beside else self._legend_height(self.columns) + self.px(14))
        room = max(self.width - self.left - right, 8), max(self.height - self.head - below, 8)
        wide, high = cell_pixels(self.data.windows[0].cells, room)
        legend = 0 if beside else min(self.columns, len(self.items)) * (self._beside + self.px(GAP)) - self.px(GAP)
        free = min(self.width - self.left - right - wide, self.width - 2 * self.edge - max(self.widest, legend))
        spare = max(free, 0) // 2, max(room[1] - high, 0) // 2
        self.block = Box(*spare, self.width - 2 * spare[0], self.height - 2 * spare[1])
        return Box(self.left + spare[0], self.head + spare[1], wide, high)

    def _set_title(self) -> None:
        room, data = self.width - 2 * self.edge, self.data
        large, small = (partial(text_width, unit=self.unit, size=n, face=f) for n, f in ((TITLE, "bold"), (11, "")))
        self.title = wrap(data.title.split("   "), room, large, "   ")
        self.subtitle = wrap(self.about(), room, small, "   ")
        self.widest = max(*map(large, self.title), *map(small, self.subtitle))
        self.head = self.px(24 + LINE * (len(self.title) - 1) + 16 * len(self.subtitle) + 12)

    def about(self) -> list[str]:
        """What a pixel is, and how many runs there are."""
        window = self.data.windows[0]
        (across, down), count = window.cells, window.runs_of_a_cell
        cells = getattr(self, "cells", None)
        is_square = cells is not None and cells.width >= 4 * across
        one = "square" if is_square else "pixel"
        differs = "epochs" in (window.across.name, window.down.name, *self.data.others)
        epochs = f"{'up to ' if differs else ''}{counted(self.data.epochs, 'epoch')}"
        what = f"every {one} is one trained network, {epochs}"
        if count > 1:
            differ = f" ({', '.join(self.data.others)})" if self.data.others else ""
            what = f"every {one} is {count:,} trained networks{differ}, {epochs} each"
        shown = ""
        if cells is not None and (cells.width < across or cells.height < down):
            shown = f", of which {min(cells.width, across):,} × {min(cells.height, down):,} are shown"
        return [what, f"{across:,} × {down:,} {'nets' if count == 1 else 'places'}{shown}"]

    def _measure_left(self) -> None:
        """The room for the name and the labels of the axis upwards, the same in all frames."""
        length = 400 * self.unit
        words = [word for w in self.data.windows for word in self.ticks(w.down, length, upright=True)[1]]
        self.beside_ticks = max((text_width(word, self.unit, SMALL) for word in words), default=0)
        self.left = self.edge + self.px(20) + self.beside_ticks + self.px(8)

    def ticks(self, axis: MapAxis, length: float, upright: bool = False) -> Ticks:
        """The ticks of an axis of that length in pixels whose labels leave room between them."""
        most = int(np.clip(length / ((26 if upright else 48) * self.unit), 2, 10))
        for count in range(most, 1, -1):
            values, words, origin = axis.ticks(count)
            extents = np.array([self.px(SMALL) if upright else text_width(w, self.unit, SMALL) for w in words], float)
            places = axis.place(values) * length
            gaps = np.diff(places) - (extents[1:] + extents[:-1]) / 2
            if (gaps >= (0.4 if upright else 1) * self.px(TICK_ROOM)).all():
                break
        return values, words, origin

    def _place_legend(self) -> None:
        """The box of each item of the legend, and where the epoch or the bounds of the window are written."""
        cells = self.cells
        self._set_title()
        x, y = cells.x + cells.width + self.px(GAP), cells.y
        if self.is_beside:
            y = max(min(y, self.height - self._legend_height(1) - self.px(6)), self.block.y + self.head)
            self.tight = min(1.0, (self.height - y - self.px(6)) / self._legend_height(1))
        else:
            x, y = self.block.x + self.edge, cells.y + cells.height + self.low + self.px(8)
        self.now = x, y + self.px(11)
        self.legend: list[Box] = []
        top = y + self._now_height
        for first in range(0, len(self.items), self.columns):
            row = self.items[first : first + self.columns]
            for number, item in enumerate(row):
                left = x + number * (self._beside + self.px(GAP))
                self.legend.append(Box(left, top, self._beside, self._item_height(item)))
            top += max(map(self._item_height, row))

    @property
    def _now_height(self) -> int:
        """The height of the epoch, or of the bounds of a window."""
        if not self.data.is_zoom:
            return self.px(34)
        return self.px(118 if self.is_beside else 60)

    def _item_height(self, item: LegendItem) -> int:
        return int(self.tight * self.px((54 if item.ticks else 40) if item.is_bar else 20))

    def _legend_height(self, columns: int) -> int:
        rows = [self.items[first : first + columns] for first in range(0, len(self.items), columns)]
        now = self.px(34) if not self.data.is_zoom else self.px(118 if columns == 1 else 60)
        return now + sum(max(map(self._item_height, row)) for row in rows)


def cell_pixels(cells: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """The pixels (across, down) that a grid of cells takes in a room: squares, but for very long grids."""
    scale = min(room[0] / cells[0], room[1] / cells[1])
    whole = int(scale)
    is_filled = whole >= LEAST_FILLED * scale
    wide, high = (max(1, int(count * (whole if is_filled else scale))) for count in cells)
    if wide > LONGEST_SIDE * high:
        high = _stretched(cells[1], min(wide / LONGEST_SIDE, room[1]), high)
    if high > LONGEST_SIDE * wide:
        wide = _stretched(cells[0], min(high / LONGEST_SIDE, room[0]), wide)
    return wide, high


def _stretched(count: int, wanted: float, least: int) -> int:
    """The pixels of cells that are longer than wide, whole where there are fewer cells than pixels."""
    return max(int(wanted // count) * count if wanted >= count else int(wanted), least)
