"""The fields of many runs in cells of equal size, those of one population computed together, each with its own data.

Populations may differ in their inputs, outputs and classes; all share one palette.
"""

from collections.abc import Sequence

import numpy as np

from xortrain.films.canvas import Canvas
from xortrain.films.captions import ExampleMarks
from xortrain.films.colour_scale import ColourScale, colour_scale
from xortrain.films.colours import MOST_HUES, Palette, colours, palette, shades
from xortrain.films.data import FilmData
from xortrain.films.film_settings import FilmSettings
from xortrain.films.glyphs import Box
from xortrain.films.heatmap import PROMPT, Probe, between, tiles
from xortrain.films.lockstep import Lockstep
from xortrain.films.projection import MOST_SLICES, Projection, plane
from xortrain.nets import Array

DOTTED = 32
"""Pixels of a field in which examples are drawn."""
HIDDEN = 0.15
"""The share of a cell that its examples may cover."""
TILE = 6
"""Pixels of a slice, at least; of more slices than there is room for the first are shown."""
SMALLEST = 1.2
"""Pixels of the radius, below which an example is no more to be told from another."""


class Cells:
    """All cells of a film; the runs of each population are a group."""

    def __init__(self, canvas: Canvas, boxes: Sequence[Box], shown: Lockstep, runs: Array, inks: "Inks") -> None:
        self.shown, side = shown, boxes[0].width
        which, places = shown.which[runs], shown.places[runs]
        found = [(part, np.flatnonzero(which == part)) for part in np.unique(which).tolist()]
        cost = sum(shown.parts[part].network.size * len(cells) for part, cells in found) * side * side
        step = int(np.ceil(np.sqrt(cost / PROMPT)))
        self.cells = [cells for _, cells in found]
        self.groups = [
            (
                shown.rows(part),
                CellGroup(canvas, [boxes[i] for i in cells.tolist()], shown.parts[part], places[cells], inks, step),
            )
            for part, cells in found
        ]

    @np.errstate(all="ignore")  # outputs of a run that diverges
    def paste(self, number: int) -> Array:
        """Put every run's field in its cell as it was after epoch ``number`` of those in common.

        Told is which cells (cells,) have no colour anywhere, because their outputs have exploded.
        """
        blank = np.zeros(sum(len(cells) for cells in self.cells), bool)
        for (rows, group), cells in zip(self.groups, self.cells, strict=True):
            blank[cells] = group.paste(int(rows[number]))
        return blank


class CellGroup:
    """The cells of some runs of one population."""

    def __init__(
        self, canvas: Canvas, boxes: Sequence[Box], subject: FilmData, runs: Array, inks: "Inks", step: int
    ) -> None:
        """The network is asked at every ``step``-th pixel each way, and what lies between is interpolated."""
        self.canvas, self.subject, self.runs, side = canvas, subject, runs, boxes[0].width
        self.read, self.table = inks.reading(subject)
        self.plane = plane_of_all(subject, runs, side)
        parts = tiles(Box(0, 0, side, side), len(self.plane.slices), 0, len(self.plane.columns), gap=1)
        width, height = parts[0].width, parts[0].height
        down = 1 if self.plane.curve else -(-height // step)
        self.across, self.down = between(-(-width // step), width), between(down, height)
        points = [self.plane.grid(i, self.across.shape[0], down) for i in range(len(parts))]
        self.probe, self.exact = Probe(subject.network, np.stack(points, axis=1), runs), step == 1 and down == height
        self.boxes, self.paper = boxes, np.full((side, side), canvas.palette.nearest(canvas.colours.paper[None])[0])
        self.places = [[Box(box.x + part.x, box.y + part.y, width, height) for part in parts] for box in boxes]
        self.radius = self._radius()
        self.dots = canvas.layer(self._dots) if width >= DOTTED and self.radius >= SMALLEST else None

    def paste(self, row: int) -> Array:
        """The fields of a snapshot; which runs (runs,) have none is told."""
        y = self.probe.outputs(np.asarray(self.subject.parameters[row][:, self.runs]))
        if not self.exact:
            y = self.down.T @ y @ self.across
        bands = self.read.bands(y)
        for box in self.boxes if len(self.plane.slices) > 1 else ():  # what was drawn between slices must go
            self.canvas.paste(box, self.paper)
        for places, fields in zip(self.places, bands if self.table is None else self.table[bands], strict=True):
            for place, field in zip(places, fields, strict=True):
                self.canvas.paste(place, field)
        if self.plane.curve:
            curves = self.read.value(y)[:, 0, 0]
            self.canvas.sink(self.canvas.layer(lambda: self._curves(curves)))
        if self.dots:
            self.canvas.sink(self.dots)
        blank = np.asarray(bands[:, 0, 0, 0] == self.read.nothing)
        blank[blank] = (bands[blank] == self.read.nothing).all(axis=(1, 2, 3))
        return blank

    def _curves(self, y: Array) -> None:
        """Over one input alone the output is a curve, too: (runs, width)."""
        plane, canvas = self.plane, self.canvas
        share = (np.arange(y.shape[1]) + 0.5) / y.shape[1]
        height = (plane.top - np.clip(y, plane.bottom, plane.top)) / (plane.top - plane.bottom)
        for (box,), line in zip(self.places, height, strict=True):
            points = box.at(np.stack([share, line], axis=1))
            canvas.line(points, canvas.colours.paper, 2.4, within=box)
            canvas.line(points, canvas.colours.ink, 1.2, within=box)

    def _radius(self) -> float:
        """Of the examples' marks, such that they do not hide the field."""
        field = self.places[0][0]
        each = (HIDDEN * self.boxes[0].width ** 2 / len(self.subject.x)) ** 0.5
        return min((each - 1) / 2, max(min(field.width, field.height) / 26, 1.7), 6 * self.canvas.scale)

    def _dots(self) -> None:
        """Each run's own examples, by shape and colour of their targets."""
        for run, places in zip(self.runs.tolist(), self.places, strict=True):
            x, t = self.subject.data(run)
            marks = ExampleMarks(self.canvas, self.read, t, size=0.5)
            marks.radius = self.radius / self.canvas.scale
            own = plane_like(self.plane, x, t)
            for place, members, at in zip(places, *own, strict=True):
                marks.draw(place.at(at), members, np.ones(len(x), bool))


def plane_of_all(subject: FilmData, runs: Array, side: int) -> Projection:
    """The plane for the examples of all these runs, whose data may differ, in cells of so many pixels."""
    several = runs if subject.x.ndim == 3 or subject.t.ndim == 3 else runs[:1]
    data = [subject.data(run) for run in several.tolist()]
    x, t = (np.concatenate(arrays) for arrays in zip(*data, strict=True))
    most = min(MOST_SLICES, 4 ** (max(1, side // TILE).bit_length() - 1))  # as many rows as columns, each 1, 2 or 4
    return plane(x, t, subject.inputs, subject.outputs[0], subject.low, subject.high, most)


def plane_like(whole: Projection, x: Array, t: Array) -> tuple[list[Array], list[Array]]:
    """Which of one run's examples lie on each slice of a plane, and where on it, in shares."""
    members, places = [], []
    for one in whole.slices:
        u, v = ((np.asarray(x, float) - one.origin) @ np.stack([one.across, one.up], axis=1)).T
        on = np.flatnonzero((x[:, 2:] == one.origin[2:]).all(1) if len(whole.slices) > 1 else np.ones(len(x), bool))
        members.append(on)
        places.append(whole.share(u, t[:, 0] if whole.curve else v)[on])
    return members, places


class Inks:
    """One palette for populations with different numbers of classes, and for each the indices of its bands."""

    def __init__(self, shown: Lockstep, settings: FilmSettings) -> None:
        self.settings = settings
        self.reads = {id(part): colour_scale(part, settings) for part in shown.parts}
        classes = sorted({max(read.classes, 2) for read in self.reads.values()})
        self.most, levels = classes[-1], settings.levels
        self.is_one = len(classes) == 1
        if self.is_one:
            self.palette = palette(settings.colours, levels, settings.dark, self.most)
            return
        hues = min(self.most, MOST_HUES)
        used = colours(settings.colours, levels, settings.dark, hues)
        self.start = levels if classes[0] == 2 else 0
        count = shades(levels, self.most)
        bands = [used.levels[: self.start], *(used.shades(kind, count) for kind in range(hues))]
        self.palette = Palette(np.concatenate(bands), used, hues)

    def reading(self, subject: FilmData) -> tuple[ColourScale, Array | None]:
        """How a population's outputs are read, and the palette's index for each of its bands if not the same."""
        read = self.reads[id(subject)]
        if self.is_one:
            return read, None
        if read.classes < 3:
            return read, np.append(np.arange(read.levels), self.palette.nothing).astype(np.uint8)
        own, count = shades(read.levels, read.classes), shades(read.levels, self.most)
        shade = np.arange(own) * (count - 1) // (own - 1)
        table = self.start + np.arange(min(read.classes, MOST_HUES))[:, None] * count + shade
        return read, np.append(table.ravel(), self.palette.nothing).astype(np.uint8)
