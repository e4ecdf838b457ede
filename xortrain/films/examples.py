"""The examples as marks: shape and colour say the target, hollow is wrong now."""

import numpy as np
from matplotlib.path import Path

from xortrain.films.reading import Reading
from xortrain.films.shapes import shape_of
from xortrain.films.sheet import Sheet
from xortrain.nets import Array

FEW = 16


class Examples:
    """The marks of one set of examples, at places that may change."""

    def __init__(self, sheet: Sheet, read: Reading, t: Array, size: float = 1) -> None:
        """``t`` are targets (examples, outputs); ``size`` is 1 for the marks of the large field."""
        self.sheet, kinds = sheet, read.kinds(t)
        self.plain = len(t) > FEW or size < 1
        self.is_valued = not read.classes
        self.radius = size * (7.5 if len(t) <= FEW else max(2.4, 4.6 - len(t) / 150))
        fills = sheet.palette.rgb[read.bands(t.T.astype(float))]
        if read.classes:
            fills = sheet.colours.of(kinds)
        looks = np.concatenate([kinds[:, None], fills], axis=1)
        self.looks, self._look = np.unique(looks, axis=0, return_inverse=True)

    def draw(self, places: Array, members: Array, right: Array) -> None:
        """Mark the examples whose numbers are ``members`` at places (members, 2)."""
        for number, (kind, *fill) in enumerate(self.looks):
            for correct in (True, False):
                chosen = (self._look[members] == number) & (right[members] == correct)
                if chosen.any():
                    self._marks(places[chosen], shape_of(kind), np.array(fill), correct)

    def _marks(self, places: Array, shape: Path, colour: Array, correct: bool) -> None:
        sheet, paper, ink = self.sheet, self.sheet.colours.paper, self.sheet.colours.ink
        if self.is_valued or (self.plain and sheet.colours.is_near_paper(colour)):
            sheet.marks(places, shape, self.radius, colour, paper, 2.6)
            sheet.marks(places, shape, self.radius, colour, ink, 1.0)
            if not correct:
                sheet.marks(places, shape, self.radius * 0.52, paper, ink if self.is_valued else None, 0.7)
            return
        if self.plain:
            fill, edge, width = (colour, paper, 1.0) if correct else (paper, colour, 1.8)
            sheet.marks(places, shape, self.radius, fill, edge, width)
            return
        sheet.marks(places, shape, self.radius, paper, ink, 1.3)
        sheet.marks(places, shape, self.radius * 0.7, colour)
        if not correct:
            sheet.marks(places, shape, self.radius * 0.38, paper)
