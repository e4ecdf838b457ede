"""The fields of many runs in cells of equal size; those of one population are evaluated together."""

from collections.abc import Sequence

import numpy as np

from xortrain.films.canvas import Box, Canvas
from xortrain.films.colour_scale import colour_scale
from xortrain.films.colours import MOST_HUES, Palette, get_colours, get_palette, shade_count
from xortrain.films.heatmap import MOST_PRODUCTS, Probe, activation_range, draw_curve, interpolation_weights, tiles
from xortrain.films.panel import ExampleMarks
from xortrain.films.projection import MOST_SLICES, project
from xortrain.films.sweep_film_data import SweepFilmData
from xortrain.nets import Array

LEAST_MARKED, LEAST_RADIUS = 32, 1.2  # pixels: the smallest field and the smallest mark with which examples are drawn
COVERED = 0.15  # share of a cell that its examples may cover
LEAST_SLICE = 6  # pixels; if there is no room for all slices, only the first ones are shown


class Cells:
    """All cells of a frame."""

    def __init__(self, canvas: Canvas, boxes: Sequence[Box], runs: Array, colours: "CellColours") -> None:
        """``runs`` are the numbers of the runs in the boxes."""
        data, part_of, run_in_part = colours.data, colours.data.part_of[runs], colours.data.run_in_part[runs]
        cells = {part: np.flatnonzero(part_of == part) for part in np.unique(part_of).tolist()}
        products = sum(data.parts[part].network.size * len(own) for part, own in cells.items()) * boxes[0].width ** 2
        step = int(np.ceil(np.sqrt(products * canvas.detail**2 / MOST_PRODUCTS)))
        self.runs = len(runs)
        self.groups = [
            (own, CellGroup(canvas, [boxes[cell] for cell in own.tolist()], part, run_in_part[own], colours, step))
            for part, own in cells.items()
        ]

    @np.errstate(all="ignore")  # outputs of a run that diverges
    def paste(self, number: int) -> Array:
        """Paste all fields after ``data.epochs[number]``; return which cells (cells,) have no colour anywhere."""
        blank = np.zeros(self.runs, bool)
        for cells, group in self.groups:
            blank[cells] = group.paste(int(group.snapshots[number]))
        return blank


class CellGroup:
    """The cells of some runs of one population."""

    def __init__(
        self, canvas: Canvas, boxes: Sequence[Box], part: int, runs: Array, colours: "CellColours", step: int
    ) -> None:
        """The network is evaluated at every ``step``-th pixel in each direction and interpolated between them."""
        self.canvas, self.data, self.snapshots = canvas, colours.data.parts[part], colours.data.snapshots(part)
        self.scale, self.table, self.runs, side = colours.scales[part], colours.band_table(part), runs, boxes[0].width
        several = runs if self.data.x.ndim == 3 or self.data.t.ndim == 3 else runs[:1]
        x, t = map(np.concatenate, zip(*map(self.data.examples, several.tolist()), strict=True))
        most = min(MOST_SLICES, 4 ** (max(1, side // LEAST_SLICE).bit_length() - 1))  # 1, 2 or 4 rows and columns
        self.projection = project(x, t, *self.data.axes, most)
        parts = tiles(Box(0, 0, side, side), len(self.projection.slices), 0, self.projection.across, gap=1)
        width, height = parts[0].width, parts[0].height
        wide, high = width * canvas.detail, height * canvas.detail
        across, down = -(-wide // step), 1 if self.projection.is_curve else -(-high // step)
        self.across, self.down = interpolation_weights(across, wide), interpolation_weights(down, high)
        points = [self.projection.grid(i, across, down) for i in range(len(parts))]
        self.probe = Probe(self.data.network, self.data.scaling, np.stack(points, axis=1), runs)
        self.exact = step == 1 and down == high
        self.boxes, self.paper = boxes, np.full((side, side), canvas.palette.nearest(canvas.colours.paper[None])[0])
        self.places = [[Box(box.x + part.x, box.y + part.y, width, height) for part in parts] for box in boxes]
        each = (COVERED * side**2 / len(self.data.x)) ** 0.5
        self.radius = min((each - 1) / 2, max(min(width, height) / 26, 1.7), 6 * canvas.unit)
        is_marked = width >= LEAST_MARKED and self.radius >= LEAST_RADIUS
        self.marks = canvas.record(self._draw_marks) if is_marked else None

    def paste(self, snapshot: int) -> Array:
        """Paste the fields of a snapshot; return which runs (runs,) have no colour anywhere."""
        y = self.probe.outputs(np.asarray(self.data.parameters[snapshot][:, self.runs]))
        if not self.exact:
            y = self.down.T @ y @ self.across
        bands = self.scale.bands(y)
        for box in self.boxes if len(self.projection.slices) > 1 else ():  # clear what was drawn between slices
            self.canvas.paste(box, self.paper)
        for places, fields in zip(self.places, bands if self.table is None else self.table[bands], strict=True):
            for place, field in zip(places, fields, strict=True):
                self.canvas.paste(place, field)
        if self.projection.is_curve:
            curves = y[0, :, 0, 0]
            self.canvas.paint_below(self.canvas.record(lambda: self._draw_curves(curves)))
        if self.marks:
            self.canvas.paint_below(self.marks)
        blank = np.asarray(bands[:, 0, 0, 0] == self.scale.no_value)
        blank[blank] = (bands[blank] == self.scale.no_value).all(axis=(1, 2, 3))
        return blank

    def _draw_curves(self, y: Array) -> None:
        for (box,), curve in zip(self.places, y, strict=True):
            draw_curve(self.canvas, box, self.projection, curve, 1.2)

    def _draw_marks(self) -> None:
        for run, boxes in zip(self.runs.tolist(), self.places, strict=True):
            x, t = self.data.examples(run)
            marks = ExampleMarks(self.canvas, self.scale, t, size=0.5)
            marks.radius = self.radius / self.canvas.unit
            for box, one in zip(boxes, self.projection.slices, strict=True):
                u, v = one.places(np.asarray(x, float)).T
                places = box.at(self.projection.fractions(u, t[:, 0] if self.projection.is_curve else v))
                inside = (x[:, 2:] == one.origin[2:]).all(1) if len(boxes) > 1 else np.ones(len(x), bool)
                marks.marks(places[inside], np.flatnonzero(inside))


def has_unbounded_outputs(data: SweepFilmData) -> bool:
    """Whether the fields of some runs may be off the scale."""
    return any(activation_range(part.network.layers[-1]) is None for part in data.parts)


class CellColours:
    """The colour scale of each population, and one palette for all, even if their numbers of classes differ."""

    def __init__(self, data: SweepFilmData, name: str, levels: int, dark: bool) -> None:
        self.data, self.scales = data, [colour_scale(part, levels) for part in data.parts]
        counts = sorted({max(scale.classes, 2) for scale in self.scales})
        self.most, self.start = counts[-1], levels if counts[0] == 2 else 0
        self.is_shared = len(counts) > 1
        if not self.is_shared:
            self.palette = get_palette(name, levels, dark, self.most)
            return
        hues, count = min(self.most, MOST_HUES), shade_count(levels, self.most)
        used = get_colours(name, levels, dark, hues)
        bands = [used.levels[: self.start], *(used.shades(kind, count) for kind in range(hues))]
        self.palette = Palette(np.concatenate(bands), used, hues)

    def band_table(self, part: int) -> Array | None:
        """The palette index (bands,) of each band of a population; None if bands are palette indices."""
        scale = self.scales[part]
        if not self.is_shared:
            return None
        if scale.classes < 3:
            return np.append(np.arange(scale.levels), self.palette.no_value).astype(np.uint8)
        own, count = shade_count(scale.levels, scale.classes), shade_count(scale.levels, self.most)
        shade = np.arange(own) * (count - 1) // (own - 1)
        table = self.start + np.arange(min(scale.classes, MOST_HUES))[:, None] * count + shade
        return np.append(table.ravel(), self.palette.no_value).astype(np.uint8)
