"""The layouts by name."""

from collections.abc import Callable
from typing import Protocol

from xortrain.films.alone import FieldLayout
from xortrain.films.curves import LossesLayout
from xortrain.films.lockstep import Lockstep
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


OF_MANY: dict[str, Callable[[Subject | Lockstep, FilmSettings, int], Layout]] = {
    "sweep": SweepLayout,
    "losses": LossesLayout,
}
"""What shows many runs, of one population or of several."""

LAYOUTS: dict[str, Callable[[Subject, FilmSettings, int], Layout]] = {
    "field": FieldLayout,
    "panels": PanelsLayout,
    "weights": WeightsLayout,
    **OF_MANY,
}


def layout_of(shown: Subject | Lockstep, settings: FilmSettings) -> Layout:
    """The layout that settings name, for one run or for many."""
    if isinstance(shown, Lockstep):
        return OF_MANY[settings.layout](shown, settings, 0)
    return LAYOUTS[settings.layout](shown, settings, 0)
