"""Groups of runs whose loss curves have a colour, a median and a band: by the values of a setting, or by outcome."""

from dataclasses import dataclass

import numpy as np

from xortrain.films.arrangement import SweptSetting
from xortrain.films.canvas import Canvas, make_canvas
from xortrain.films.colours import Palette, get_colours, mix
from xortrain.films.film_settings import FilmSettings
from xortrain.films.sequences import WORD, distinct, ordered, readable
from xortrain.films.sweep_film_data import SweepFilmData
from xortrain.nets import Array

LEAST_SHARE = 0.05  # of the runs that solved and unsolved ones need for a median of their own
MOST_COLOURS = 40  # groups with a colour of their own, if they have an order
TINTS = (0.15, 0.35, 0.65)  # shares of colour on the background


@dataclass(frozen=True)
class CurveGroups:
    """Names of groups, the group (runs,) of each run, and the colours (groups, 3) of lines and names."""

    names: tuple[str, ...]
    of_run: Array
    lines: Array
    words: Array

    @property
    def count(self) -> int:
        return len(self.names)

    def runs(self, group: int) -> Array:
        """The numbers of the runs of a group."""
        return np.flatnonzero(self.of_run == group)


def group_by(data: SweepFilmData, settings: FilmSettings) -> CurveGroups:
    """The groups of a setting in the order of its values."""
    assert settings.by is not None
    values, used = data.varied[settings.by], get_colours(settings.colours, settings.levels, settings.dark)
    swept = SweptSetting.of(settings.by, values)
    count = len(swept.names)
    if np.asarray(values).dtype.kind in "biuf":
        shades = ordered(settings.colours, min(count, MOST_COLOURS), used)
        lines = shades[np.arange(count) * len(shades) // count]
    else:
        lines = distinct(settings.colours, count, settings.levels, settings.dark)
    return CurveGroups(swept.names, swept.value, lines, readable(lines, used, WORD))


def group_by_outcome(data: SweepFilmData, settings: FilmSettings) -> CurveGroups | None:
    """Runs that are solved in the end and the others; None if either are less than 5 % of all."""
    share = (data.all_outcomes.outcome == "solved").mean()
    is_solved = data.outcomes.outcome == "solved"
    if not LEAST_SHARE <= share <= 1 - LEAST_SHARE or len(set(is_solved.tolist())) < 2:
        return None
    used = get_colours(settings.colours, settings.levels, settings.dark)
    lines = distinct(settings.colours, 2, settings.levels, settings.dark)
    return CurveGroups(("not solved", "solved"), is_solved.astype(int), lines, readable(lines, used, WORD))


def curve_canvas(settings: FilmSettings, groups: CurveGroups | None, design: tuple[int, int]) -> Canvas:
    """A canvas whose palette has the colours of the groups; see `make_canvas`."""
    used = get_colours(settings.colours, settings.levels, settings.dark)
    wanted = distinct(settings.colours, 2, settings.levels, settings.dark)
    if groups:
        _, first = np.unique(groups.lines, axis=0, return_index=True)
        wanted = groups.lines[np.sort(first)][:MOST_COLOURS]
    words = readable(wanted, used, WORD)
    tints = [mix(used.paper, wanted, np.full((len(wanted), 1), share)) for share in TINTS]
    return make_canvas(settings, Palette(np.concatenate([wanted, words, *tints]), used, 2), design)
