"""The layouts by name."""

from collections.abc import Callable
from typing import Protocol

from xortrain.films.alone import FieldLayout
from xortrain.films.curves import LossesLayout
from xortrain.films.panels import PanelsLayout
from xortrain.films.path import WeightsLayout
from xortrain.films.sheet import Sheet
from xortrain.films.subject import FilmSettings, Subject
from xortrain.films.sweep import SweepLayout
from xortrain.nets import Array


class Layout(Protocol):
    """A film to be: its sheet, which snapshots it shows, and the picture of each."""

    sheet: Sheet
    chosen: Array

    def picture(self, number: int) -> Array:
        """Palette indices (height, width) of a snapshot."""
        ...


LAYOUTS: dict[str, Callable[[Subject, FilmSettings, int], Layout]] = {
    "field": FieldLayout,
    "panels": PanelsLayout,
    "sweep": SweepLayout,
    "losses": LossesLayout,
    "weights": WeightsLayout,
}
