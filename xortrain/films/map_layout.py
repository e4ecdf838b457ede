"""A map: every pixel is one trained network, or several, at the place of its two settings.

As a film it is shown over the epochs, where a pixel gets its colour when its outcome holds, or window after window.
"""

from collections.abc import Sequence

import numpy as np

from xortrain.films.canvas import Box, Canvas
from xortrain.films.colours import mix
from xortrain.films.film_settings import FilmSettings
from xortrain.films.map_axis import MapAxis, tick_word, tick_words
from xortrain.films.map_colours import LegendItem, map_colours
from xortrain.films.map_data import MapData, MapPoint, MapWindow
from xortrain.films.map_places import LINE, SMALL, TITLE, MapPlaces
from xortrain.films.pacing import even_timing
from xortrain.films.solved_share import format_share
from xortrain.nets import Array


class MapLayout:
    """One grid over the epochs, in which a frame is an epoch; or the windows of a zoom, in which it is a window."""

    def __init__(self, shown: MapData, settings: FilmSettings, run: int) -> None:
        self.data = data = shown
        self.colours = map_colours(data, settings)
        self.places = p = MapPlaces(data, self.colours.legend, settings.size)
        self.canvas = (settings.canvas or Canvas)(p.width, p.height, p.unit, self.colours.palette)
        self.cells, (across, down) = p.cells, data.windows[0].cells
        self.columns = nearest_cells(p.cells.width, across)
        self.rows = nearest_cells(p.cells.height, down)[::-1]  # the lowest value is at the lower edge
        timing = even_timing(settings, self._windows if data.is_zoom else data.frames)
        self.chosen, self.seconds = timing.chosen, timing.seconds
        self._still()

    def _windows(self, frames: int, spacing: str) -> Array:
        """The numbers of at most ``frames`` windows, with the last and, of several, the first."""
        count = min(frames, len(self.data.windows))
        return np.linspace(0, len(self.data.windows) - 1, count).round().astype(int)[-count:]

    def _still(self) -> None:
        canvas, p, label = self.canvas, self.places, self.canvas.colours.label
        x, room = p.block.x + p.edge, p.width - p.block.x - 2 * p.edge
        low = p.block.y + 24 * p.unit
        for words in p.title:
            canvas.text(x, low, canvas.shorten(words, room, TITLE, "bold"), TITLE, face="bold")
            low += LINE * p.unit
        for words in p.subtitle:
            canvas.text(x, low, canvas.shorten(words, room, 11), 11, label)
            low += 16 * p.unit
        for item, box in zip(self.colours.legend, p.legend, strict=True):
            draw_item(canvas, item, box)
        canvas.outline(self.cells, canvas.colours.greys(np.array([0.35]))[0], 1)
        if not self.data.is_zoom:
            self._draw_axes(self.data.windows[0])
        canvas.set_background()

    def frame(self, number: int) -> Array:
        data, canvas = self.data, self.canvas
        window, epoch = (data.windows[number], data.epochs) if data.is_zoom else (data.windows[0], number)
        bands = self.colours.bands(window, epoch)
        canvas.paste(self.cells, bands[self.rows[:, None], self.columns])
        if data.is_zoom:
            self._draw_axes(window)
            self._write_bounds(number)
        else:
            self._write_epoch(epoch)
        for point in data.points:
            draw_point(canvas, self.cells, window, point)
        self._write_shares(bands)
        return canvas.finish()

    def _write_epoch(self, epoch: int) -> None:
        canvas, (x, y) = self.canvas, self.places.now
        canvas.text(x, y, "epoch", 12, canvas.colours.label)
        canvas.text(x + canvas.text_width("epoch ", 12) + 4 * canvas.unit, y, f"{epoch:,}", 15, face="bold")

    def _write_bounds(self, number: int) -> None:
        """How far the window is enlarged, and the first and the last value of both axes."""
        canvas, s, (x, y) = self.canvas, self.canvas.unit, self.places.now
        window, first = self.data.windows[number], self.data.windows[0]
        canvas.text(x, y, f"× {tick_word(enlargement(first.down, window.down), 3)}", 15, face="bold")
        shown = f"window {number + 1} of {len(self.data.windows)}"
        width = self.places.legend[0].width
        canvas.text(x + width, y, shown, SMALL, canvas.colours.label, align="right")
        for place, axis in enumerate((window.down, window.across)):
            ends = tick_words(axis.values[[0, -1]].astype(float))
            lines = [(axis.name, "bold"), (f"from {ends[0]}", ""), (f"to {ends[1]}", "")]
            for line, (words, face) in enumerate(lines):
                left, low = float(x), y + (20 + 43 * place + 13 * line) * s
                if not self.places.is_beside:
                    left, low = x + place * (width + 22 * s), y + (16 + 12 * line) * s
                canvas.text(left, low, canvas.shorten(words, width, SMALL, face), SMALL, None, face)

    def _write_shares(self, bands: Array) -> None:
        """The share of the cells that each part of the legend has now."""
        canvas, s = self.canvas, self.canvas.unit
        counts = np.bincount(bands.ravel(), minlength=self.colours.palette.bands)
        for item, box in zip(self.colours.legend, self.places.legend, strict=True):
            if item.has_share:
                share = format_share(int(counts[item.bands].sum()), bands.size)
                canvas.text(box.x + box.width, box.y + 11 * s, share, 11, face="bold", align="right")

    def _draw_axes(self, window: MapWindow) -> None:
        canvas, s, cells, label = self.canvas, self.canvas.unit, self.cells, self.canvas.colours.label
        low, names = cells.y + cells.height, []
        for axis, length, upright in ((window.across, cells.width, False), (window.down, cells.height, True)):
            values, words, origin = self.places.ticks(axis, length, upright)
            names.append(f"{axis.name} - {origin}" if origin else axis.name)
            for place, word in zip(axis.place(values).tolist(), words, strict=True):
                if upright:
                    y = low - place * length
                    canvas.line(np.array([[cells.x - 5 * s, y], [cells.x - 1, y]]), label)
                    canvas.text(cells.x - 8 * s, y + 0.36 * SMALL * s, word, SMALL, label, align="right")
                else:
                    x = cells.x + place * length
                    canvas.line(np.array([[x, low + 1], [x, low + 5 * s]]), label)
                    canvas.text(x, low + 16 * s, word, SMALL, label, align="centre")
        across, down = canvas.shorten(names[0], cells.width, 11), names[1]
        canvas.text(cells.x + cells.width / 2, low + 33 * s, across, 11, align="centre")
        x = cells.x - self.places.beside_ticks - 19 * s
        middle = cells.y + cells.height / 2
        canvas.text(x, middle, canvas.shorten(down, cells.height, 11), 11, align="centre", vertical=True)


def nearest_cells(pixels: int, cells: int) -> Array:
    """The cell (pixels,) whose place is nearest to each pixel."""
    return np.asarray(((np.arange(pixels) + 0.5) * cells / pixels).astype(np.int64))


def enlargement(whole: MapAxis, part: MapAxis) -> float:
    """How many times an axis is longer than a part of it, both on its own scale: a short part of any looks linear."""
    (low, high), (first, last) = (axis.values[[0, -1]].astype(float) for axis in (whole, part))
    return float(np.log(high / low) / np.log(last / first) if whole.scale == "log" else (high - low) / (last - first))


def draw_item(canvas: Canvas, item: LegendItem, box: Box) -> None:
    """Draw a bar of colours with its ticks below its words, or a swatch before them."""
    s, low = canvas.unit, box.y + 11 * canvas.unit
    room = box.width - (canvas.text_width(">99 %", 11, "bold") + 6 * s if item.has_share else 0)
    if not len(item.bands):
        canvas.text(box.x, low, canvas.shorten(item.word, room, 11), 11, canvas.colours.label)
        return
    if not item.is_bar:
        side = round(12 * s)
        swatch = Box(box.x, round(low) - side + round(s), side, side)
        canvas.paste(swatch, np.full((side, side), item.bands[0]))
        canvas.outline(swatch, mix(canvas.palette.rgb[item.bands[0]], canvas.colours.ink, 0.35), 0.5)
        canvas.text(box.x + 20 * s, low, canvas.shorten(item.word, room - 20 * s, 11), 11)
        return
    canvas.text(box.x, low, canvas.shorten(item.word, room, 11), 11)
    bar = Box(box.x, round(low + 6 * s), box.width, round(12 * s))
    steps = item.bands[np.arange(bar.width) * len(item.bands) // bar.width]
    canvas.paste(bar, np.tile(steps, (bar.height, 1)))
    draw_bar_ticks(canvas, bar, item.ticks)


def draw_bar_ticks(canvas: Canvas, bar: Box, ticks: Sequence[tuple[float, str]]) -> None:
    """Write ticks below a bar; the first and the last one always, the others where there is room."""
    taken: list[tuple[float, float]] = []
    for place, word in [*ticks[:1], *ticks[:0:-1]]:
        width, x = canvas.text_width(word, 9), bar.x + place * bar.width
        left = float(np.clip(x - width / 2, bar.x, bar.x + bar.width - width))
        if all(left > end or left + width < start for start, end in taken):
            canvas.text(left, bar.y + bar.height + 12 * canvas.unit, word, 9, canvas.colours.label)
            taken.append((left - 7 * canvas.unit, left + width + 7 * canvas.unit))


def draw_point(canvas: Canvas, cells: Box, window: MapWindow, point: MapPoint) -> None:
    """Draw a ring around a place, with its name, if it is in the window."""
    s, pairs = canvas.unit, ((window.across, point.across), (window.down, point.down))
    at = np.array([float(axis.place(np.array(value))) for axis, value in pairs])
    if not ((at >= 0) & (at <= 1)).all():
        return
    x, y = cells.at(np.array([at[0], 1 - at[1]]))
    angle = np.linspace(0, 2 * np.pi, 33)
    ring = np.stack([x + 6 * s * np.cos(angle), y + 6 * s * np.sin(angle)], axis=1)
    canvas.line(ring, canvas.colours.paper, 5)
    canvas.line(ring, canvas.colours.ink, 2.2)
    is_right = x + 12 * s + canvas.text_width(point.name, 11, "bold") < cells.x + cells.width
    canvas.text(
        x + (12 if is_right else -12) * s, y + 4 * s, point.name, 11, None, "bold",
        "left" if is_right else "right", halo=canvas.colours.paper,
    )  # fmt: skip
