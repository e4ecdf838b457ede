"""The default layout: the field, and beside it the loss, the hidden space, the network and the outputs.

On a canvas that is taller than wide, they are below the field.
"""

from collections.abc import Callable
from dataclasses import dataclass

from xortrain.films.canvas import Box
from xortrain.films.captions import scale_strip
from xortrain.films.diagram import Diagram
from xortrain.films.field import Field
from xortrain.films.hidden_space import space_panel
from xortrain.films.loss_curve import LossCurve
from xortrain.films.outputs import outputs_panel
from xortrain.films.panel import Heading, Panel, PanelContext, RunLayout

BESIDE, BELOW = (640, 400), (380, 790)  # the designs: panels on the right of the field, and below it


class PanelsLayout(RunLayout):
    """The panels are between ``left`` and ``right``; `y` converts a height in the design to one on the canvas."""

    designs = BESIDE, BELOW
    loss: Box
    network: Box
    outputs: Box
    space: Box | None

    def arrange(self) -> list[Panel]:
        self.unit, layers = self.canvas.unit, self.run_frames.network.layers
        is_deep, is_large = len(layers) > 1, len(layers) > 2 or max(layer.units for layer in layers) > 4
        box, self.right = self._place_field(), self.canvas.width - self.px(14)
        self.side, self.width, square = box.width, self.right - self.left, self.px(92 if is_large else 104)
        left, height = (self.right - square, 52) if is_large else (self.left, 184)
        self.space = Box(left, self.y(height), square, square) if is_deep or layers[-1].units == 1 else None
        loss_width = self.width - (square + self.px(36)) * (is_deep and is_large)
        self.loss = Box(self.left, self.y(36), loss_width, self.px(100))
        beside = (square + self.px(16)) * (self.space is not None and not is_large)
        self.network = Box(self.left + beside, self.y(176), self.width - beside, self.px(120))
        self.outputs = Box(self.left, self.y(340), self.width, self.px(46))
        self.field = Field(self.context(box))
        places = [(name, row, row.place(self)) for name, row in PANELS.items()]
        self.beside = {name: row.panel(self.context(*place)) for name, row, place in places if place}
        self.heading = Heading(self.canvas, self.left, self.right, self.y(22), int(self.data.frame_epochs[-1]))
        return [self.field, *self.beside.values()]

    def px(self, length: float) -> int:
        return round(length * self.unit)

    def y(self, height: float) -> int:
        return self.px(height) + self.down

    def _place_field(self) -> Box:
        """The box of the field; sets where the panels begin, and how far below their place in the design."""
        canvas, s, left, margin = self.canvas, self.unit, self.px(38), self.px(40)
        if self.design == BELOW:
            side = round(min(canvas.width - 56 * s, canvas.height - 478 * s))
            self.left, self.down = left + self.px(8), margin + side + self.px(43)
            return Box(left, margin, side, side)
        side = round(min(312 * s, canvas.height - 88 * s))
        self.left, self.down = left + side + self.px(50), max(0, round((canvas.height - 400 * s) / 2))
        return Box(left, margin + self.down, side, side)

    def label(self) -> None:
        box = self.field.box
        self.write_title(box.x, box.y - 18 * self.unit, box.width)
        left, width = box.x + round(0.2 * box.width), round(0.6 * box.width)
        strip = Box(left, box.y + box.height + self.px(24), width, self.px(7))
        scale_strip(self.canvas, strip, self.scale, self.data.outputs)


@dataclass(frozen=True)
class PanelRow:
    """A panel beside the field: its class, and its box with the baseline of its title; None where it is left out."""

    panel: Callable[[PanelContext], Panel]
    place: Callable[[PanelsLayout], tuple[Box, float] | None]


PANELS: dict[str, PanelRow] = {
    "loss": PanelRow(LossCurve, lambda at: (at.loss, 0)),
    "hidden space": PanelRow(space_panel, lambda at: (at.space, at.space.y - 7 * at.unit) if at.space else None),
    "network": PanelRow(Diagram, lambda at: (at.network, at.y(177))),
    "outputs": PanelRow(outputs_panel, lambda at: (at.outputs, at.y(328))),
}
"""The panels beside the field, in the order in which they are drawn."""
