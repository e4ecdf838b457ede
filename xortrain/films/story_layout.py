"""The default film: what the network sees, what its hidden layer makes of it, and what happens along the loss.

On a canvas that is taller than wide, the second picture is below the first.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from xortrain.films.canvas import Box
from xortrain.films.curve import Curve
from xortrain.films.data import FilmData
from xortrain.films.diagram import Diagram
from xortrain.films.event_marks import Caption
from xortrain.films.field import Field
from xortrain.films.film_settings import FilmSettings
from xortrain.films.heatmap import coarse_bands
from xortrain.films.hidden_plane import hidden_plane
from xortrain.films.hidden_space import space_panel
from xortrain.films.loss_curve import LossCurve
from xortrain.films.outputs import outputs_panel
from xortrain.films.pacing import Timing, story_timing
from xortrain.films.panel import Heading, Panel, PanelContext, RunLayout
from xortrain.nets import Array

WIDE, TALL = (640, 360), (380, 676)  # the designs
SEES, MAKES = "what the net sees", "what the hidden layer makes of it"
MOST_NAMED_CLASSES = 20  # in a picture; their colours differ
MOST_POINTS = 3e8  # multiplications to find the frames that differ


class StoryLayout(RunLayout):
    """Two pictures of equal size, the outputs and the network beside them, the loss with its events below."""

    designs = WIDE, TALL
    usual = 960, 540
    missing: Array
    """Epochs without a snapshot whose absence makes the film jump."""

    def timing(self, settings: FilmSettings) -> Timing:
        data, run, self.unit = self.data, self.run_frames.run, self.canvas.unit
        self.side = self._boxes()[0].width
        most = max(3, int(MOST_POINTS / (800 * data.network.size)))
        rows = np.unique(np.linspace(0, len(data.frame_epochs) - 1, most).astype(int))
        if len(rows) < len(data.frame_epochs):
            data = replace(data, parameters=np.asarray(data.parameters[rows]), frame_epochs=data.frame_epochs[rows])
        found = story_timing(data, settings, run, self._coarse_colours(data))
        self.missing = found.missing
        return Timing(rows[found.chosen], found.seconds)

    def _coarse_colours(self, data: FilmData) -> Array:
        """The colours (snapshots, points, 3) of a few points of both pictures."""
        run, scale, theta = self.run_frames.run, self.scale, np.asarray(data.parameters[:, :, self.run_frames.run])
        bands = [coarse_bands(data.network, data.scaling, run, self.projection, scale, theta)]
        if len(data.network.layers) > 1:
            plane = hidden_plane(self.run_frames, scale)
            chosen = data.scaling.of_targets(), run, plane.projection, scale, plane.parameters(theta)
            bands.append(coarse_bands(plane.head, *chosen))
        return np.asarray(self.canvas.palette.rgb[np.concatenate(bands, axis=1)])

    def arrange(self) -> list[Panel]:
        self.first, self.second, self.beside, self.network, self.loss = self._boxes()
        if len(self._pictures()) == 1:  # the outputs have the place of the second one
            low = self.network.y + self.network.height if self.design == WIDE else self.beside.y + self.beside.height
            top = self.beside.y - self.px(4)
            self.network = replace(self.beside, y=top, height=low - top)
            self.beside = replace(self.second, height=self.second.height - self.px(12))
        self.right = self.canvas.width - self.px(10)
        line, left = self.px(16) * (self.design == TALL), self.right - self.px(196)
        self.caption = Box(self.first.x, self.px(26) + line, self.right - self.first.x, self.px(11))
        self.heading = Heading(self.canvas, left, self.right, self.px(20) + line, int(self.data.frame_epochs[-1]))
        self.title_width = (self.right if line else self.heading.left - self.px(12)) - self.first.x
        others = [row.panel(self.context(*row.place(self))) for row in PANELS.values()]
        lacks_names = any(panel.lacks_names for panel in others)
        lacks_names &= self.scale.classes <= MOST_NAMED_CLASSES
        contexts = [self.context(box, box.y - self.px(6), title) for _, box, title in self._pictures()]
        contexts[0] = replace(contexts[0], names_classes=lacks_names)
        return [*(make(one) for (make, *_), one in zip(self._pictures(), contexts, strict=True)), *others]

    def _boxes(self) -> tuple[Box, Box, Box, Box, Box]:
        """The boxes of the two pictures, the outputs, the network and the loss."""
        canvas, px = self.canvas, self.px
        left, top, right = px(34), px(58), canvas.width - px(10)
        if self.design == TALL:
            top += px(16)
            side = min(px(210), (canvas.height - px(240)) // 2)
            second = top + side + px(44)
            column = Box(left + side + px(22), 0, right - left - side - px(22), 0)
            loss = Box(left, second + side + px(52), right - left, canvas.height - second - side - px(52) - px(24))
            beside, network = (Box(column.x, y, column.width, side - px(12)) for y in (top, second))
            return Box(left, top, side, side), Box(left, second, side, side), beside, network, loss
        side = min(px(196), canvas.height - px(164), round((canvas.width - px(34 + 42 + 28 + 10) - px(110)) / 2))
        second = left + side + px(42)
        x = second + side + px(28)
        beside = Box(x, top, right - x, round(0.5 * side))
        network = Box(x, beside.y + beside.height + px(20), right - x, side + px(16) - beside.height - px(20))
        low = top + side + px(42)
        return Box(left, top, side, side), Box(second, top, side, side), beside, network, Box(
            left, low, right - left, canvas.height - low - px(20)
        )  # fmt: skip

    def _pictures(self) -> list[tuple[Callable[[PanelContext], Panel], Box, str]]:
        """The inputs first; but if they are only a plane through more inputs, the hidden layer, which is the truth."""
        network, inputs = self.run_frames.network, self.run_frames.x.shape[1]
        first, second = self.first, self.second
        is_curve = self.projection.is_curve and not self.scale.classes
        seen = Curve if is_curve else Field
        sees = SEES + f": {self.data.outputs[0]}" * self.scale.hides_outputs
        if len(network.layers) == 1 and network.outputs > 1:
            return [(seen, first, sees)]
        makes = "the weighted sum of the inputs"
        if len(network.layers) > 1:
            makes = MAKES if network.fan_in[-1] < 3 or self.scale.classes < 3 else "hidden layer"
        if len(self.projection.slices) == 1 and inputs > 2 and len(network.layers) > 1:
            return [(space_panel, first, makes), (seen, second, "principal plane")]
        return [(seen, first, sees), (space_panel, second, makes)]

    def px(self, length: float) -> int:
        return round(length * self.unit)

    def label(self) -> None:
        self.write_heading(self.first.x, self.px(20), self.title_width)


@dataclass(frozen=True)
class PanelRow:
    """A panel beside or below the pictures: its class, and its box with the baseline of its title."""

    panel: Callable[[PanelContext], Panel]
    place: Callable[[StoryLayout], tuple[Box, float]]


PANELS: dict[str, PanelRow] = {
    "outputs": PanelRow(outputs_panel, lambda at: (at.beside, at.beside.y - at.px(6))),
    "network": PanelRow(Diagram, lambda at: (at.network, at.network.y - at.px(2))),
    "loss": PanelRow(LossCurve, lambda at: (at.loss, 0)),
    "caption": PanelRow(Caption, lambda at: (at.caption, 0)),
}
"""The panels beside and below the two pictures, in the order in which they are drawn."""
